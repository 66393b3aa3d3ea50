"""What comes after an outage comes late: the clocks are heard before the command or answer that would stop them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import httpx
from temporalio.client import Client

from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from schemas.incident import INCIDENT
from schemas.welfare import WELFARE
from schemas.welfare_entries import Kind as WelfareKind
from tests.api_driver import Audited, OpenDoor, Step
from tests.examples.welfare import ACCEPT, SUBSISTENCE
from tests.paying_town import outside
from tests.waiting import eventually
from worker import town_worker

SPEED = 3600  # a town hour is a second: time enough to sign, if somebody were there
QUEUE = "late-commands"
A_DAY_A_SECOND = 86_400


async def test_a_command_after_the_due_time_does_not_hide_the_breach(
    settings: Settings, keys: Keys, temporal: Client, pool: asyncpg.Pool, door: OpenDoor
) -> None:
    """While no worker runs an order falls due, then it is signed: the ledger has the breach first, then the signature."""
    alone = settings.model_copy(update={"task_queue": QUEUE})
    town = await door(INCIDENT, speed=SPEED, task_queue=QUEUE)
    async with town_worker(alone, keys, temporal, pool) as worker, worker:
        case_id = await town.start()
        started = datetime.now(UTC)
        await town.case(case_id, wait="stage:dispatched")
    await eventually(lambda: _passed(started + timedelta(seconds=2)))
    accepted = await town.give(case_id, Step("sign", "officer"))

    assert accepted.status_code == 202, accepted.text
    async with town_worker(alone, keys, temporal, pool) as worker, worker:
        shown = await town.case(case_id, wait="stage:handling", timeout="60")
        answer = await town.api.get(f"/api/v1/cases/{case_id}/timeline", headers=town.headers("auditor"))
        told = [
            (entry["kind"], entry["facts"].get("clock"), entry["actor"]["role"])
            for entry in answer.json()["items"]
            if entry["kind"] == "incident:signed" or entry["facts"].get("clock") == "sign"
        ]

    assert shown["stage"] == "handling"
    assert told[:2] == [("clock:warning", "sign", "engine"), ("clock:breach", "sign", "engine")]
    assert {kind for kind, *_ in told[2:-1]} <= {"clock:tier"}  # where the machine was slow, that came before it too
    assert told[-1] == ("incident:signed", None, "department_officer")


async def test_a_command_that_its_window_forbids_is_refused_even_when_both_come_together(
    settings: Settings, keys: Keys, temporal: Client, pool: asyncpg.Pool, door: OpenDoor, audited: Audited
) -> None:
    """A rating that comes after the seven days finds the case closed as not rated, and is told so; that replays too."""
    alone = settings.model_copy(update={"task_queue": f"{QUEUE}-2"})
    town = await door(INCIDENT, speed=SPEED * 40, task_queue=alone.task_queue)
    async with town_worker(alone, keys, temporal, pool) as worker, worker:
        case_id = await town.start()
        await town.go(case_id, [Step("sign", "officer"), Step("finish", "officer"), Step("verify", "grid_worker")])
        started = datetime.now(UTC)
    await eventually(lambda: _passed(started + timedelta(seconds=4.4)))  # more than seven days: past the rating
    rated = await town.give(case_id, Step("rate", "reporter"))
    async with town_worker(alone, keys, temporal, pool) as worker, worker:
        await town.case(case_id, wait="stage:closed", timeout="60")

        async def settled() -> bool:
            status = await town.api.get(rated.json()["status_url"], headers=town.headers("reporter"))
            return bool(status.json()["status"] == "refused")

        await eventually(settled)
        kinds = await town.kinds(case_id)
        findings = await audited(case_id)

    assert "incident:not_rated" in kinds
    assert "incident:rated" not in kinds
    assert [finding.detail for finding in findings if not finding.ok] == []


async def test_a_command_that_the_end_of_its_case_drops_is_refused(
    settings: Settings, temporal: Client, door: OpenDoor
) -> None:
    """A case ends while Temporal holds a command that nobody has heard: the command is settled, not tried for ever."""
    town = await door(INCIDENT, task_queue=f"{QUEUE}-4")  # where no worker ever comes
    case_id = await town.start()
    handle = temporal.get_workflow_handle(case_id)

    async def stands() -> bool:
        shown = await town.api.get(f"/api/v1/cases/{case_id}", headers=town.headers("auditor"))
        return shown.status_code == 200

    await eventually(stands)
    sent = await town.give(case_id, Step("withdraw", "reporter"))

    assert sent.status_code == 202, sent.text
    await handle.terminate("somebody with access to the server")

    async def settled() -> bool:
        status = await town.api.get(sent.json()["status_url"], headers=town.headers("reporter"))
        return bool(status.json()["status"] == "refused")

    await eventually(settled)


async def test_an_answer_after_the_due_time_does_not_hide_the_breach(
    settings: Settings,
    keys: Keys,
    temporal: Client,
    pool: asyncpg.Pool,
    door: OpenDoor,
    audited: Audited,
    tmp_path: Path,
) -> None:
    """A source answers while nobody thinks for the case, and its check falls due: the ledger has the breach, then the answer."""
    async with outside(settings, tmp_path, speed=A_DAY_A_SECOND / 2) as around:
        alone = around.settings.model_copy(update={"task_queue": f"{QUEUE}-3"})
        town = await door(WELFARE, speed=A_DAY_A_SECOND, task_queue=alone.task_queue)
        body = SUBSISTENCE | {"applicant": SUBSISTENCE["applicant"] | {"name": "何秀英〔剧本:tax 中断〕"}}
        async with town_worker(alone, keys, temporal, pool) as worker, worker:
            case_id = await town.start(body=body)
            await town.go(case_id, [ACCEPT])
            asked = datetime.now(UTC)
            clock = next(each for each in (await town.case(case_id))["clocks"] if each["name"] == "check:tax")
            limit = datetime.fromisoformat(clock["due_at"]) - datetime.fromisoformat(clock["started_at"])
            due = asked + limit / A_DAY_A_SECOND  # five working days, whatever weekends and holidays are among them
        async with town_worker(alone, keys, temporal, pool, procedures=()) as hands, hands:

            async def answered() -> bool:
                async with httpx.AsyncClient(trust_env=False) as client:
                    journal = (await client.get(f"{around.settings.sources_url}/tax/journal")).json()["checks"]
                return any(check["answered"] for check in journal if case_id in check["check_id"])

            await eventually(answered)
        await eventually(lambda: _passed(due + timedelta(seconds=1)))
        async with town_worker(alone, keys, temporal, pool) as worker, worker:

            async def told() -> list[str]:
                answer = await town.api.get(f"/api/v1/cases/{case_id}/timeline", headers=town.headers("auditor"))
                return [
                    entry["facts"].get("moment", "answered")
                    for entry in answer.json()["items"]
                    if entry["facts"].get("clock") == "check:tax"
                    or (entry["kind"], entry["facts"].get("source")) == (WelfareKind.CHECK_ANSWERED, "tax")
                ]

            async def heard() -> bool:
                return "answered" in await told()

            await eventually(heard)
            moments = await told()
            findings = await audited(case_id)

    assert moments[:2] == ["warning", "breach"]
    assert moments[-1] == "answered"
    assert [finding.detail for finding in findings if not finding.ok] == []


async def _passed(moment: datetime) -> bool:
    return datetime.now(UTC) >= moment
