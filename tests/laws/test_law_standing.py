"""The law: nothing that people send can stop a case or a town."""

import uuid
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from temporalio.client import Client

from audit.replay.replay import replay_cases
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from local.commands.stuck_commands import lay_aside, take_up_again
from local.commands.terminal_operator import NotTheirs
from schemas.incident import INCIDENT
from schemas.kernel.procedure import Procedure
from schemas.mediation import MEDIATION
from schemas.values.actor import Actor, Role
from starter.intake.intake import Sender, command_id_of
from starter.intake.stuck import stuck_cases
from tests.api_driver import ApiDriver, Audited, OpenDoor, Step
from tests.at_once import at_once
from tests.every_procedure import some_procedures
from tests.poisoned import POISONED, RAISES, REFUSED_BY_THE_SERVER, TELLS_A_LONG_ID, WORDS
from tests.served_api import Serve
from tests.waiting import eventually
from worker import town_worker
from workflows.incident import Incident
from workflows.recovery import Recovery

pytest_plugins = ("tests.api_fixture", "tests.served_fixture")
pytestmark = pytest.mark.timeout(300)
QUEUE = "poisoned"
IMPATIENT = 1.0
STAGE_OF = "select stage from cases where case_id = $1"
INTAKE = "select status, attempts, failing_since from intake where submission = $1"
REASONS = "select subject from intake where case_id = $1 and command = 'comment' order by intake_id"


@pytest.fixture(scope="module")
async def poisoned_door(
    door: OpenDoor, settings: Settings, keys: Keys, temporal: Client, pool: asyncpg.Pool
) -> AsyncIterator[OpenDoor]:
    """The door to cases of every procedure whose worker has the poison in it."""
    alone = settings.model_copy(update={"task_queue": QUEUE})
    async with town_worker(alone, keys, temporal, pool, procedures=POISONED) as worker, worker:
        yield partial(door, task_queue=QUEUE, patience=IMPATIENT)


def id_of(town: ApiDriver, case_id: str, step: Step, key: str) -> str:
    """The id under which a command comes to its case."""
    person = town.examples.PEOPLE[step.by]
    actor = Actor(subject=person.subject, role=Role(person.role), department=person.department, area=person.area)
    return command_id_of(Sender(person.subject, key, actor), case_id)


async def read(town: ApiDriver, path: str, who: str) -> dict[str, Any]:
    """Something of the API's, as somebody."""
    found: dict[str, Any] = (await town.api.get(path, headers=town.headers(who))).json()
    return found


async def sent(town: ApiDriver, case_id: str, step: Step, key: str) -> str:
    """Give a command that is accepted and not carried out; its submission."""
    answer = await town.give(case_id, step, key)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["submission"])


async def set_aside(town: ApiDriver, submission: str, who: str) -> dict[str, Any]:
    """Wait until a submission was laid aside; how its sender sees it."""
    shown: list[dict[str, Any]] = []

    async def told() -> bool:
        shown.append(await read(town, f"/api/v1/submissions/{submission}", who))
        return bool(shown[-1]["status"] != "waiting")

    await eventually(told, within=60)
    return shown[-1]


@at_once
@some_procedures("commands set aside")
async def test_a_command_that_fails_its_task_is_set_aside_and_the_next_one_is_carried_out(
    procedure: Procedure, poisoned_door: OpenDoor, temporal: Client, pool: asyncpg.Pool, audited: Audited
) -> None:
    """A command with which its case's task fails again and again is laid aside with its reason, and the case goes on."""
    town = await poisoned_door(procedure)
    case_id = await town.start()
    await town.stands(case_id)
    step, key = town.examples.MAIN.steps[0], str(uuid.uuid4())
    RAISES.add(id_of(town, case_id, step, key))
    submission = await sent(town, case_id, step, key)
    behind = await town.taken(case_id, step)
    aside = await set_aside(town, submission, step.by)
    again = await town.give(case_id, step, key)
    timeline: Any = await read(town, f"/api/v1/cases/{case_id}/timeline", "auditor")
    entries = [entry for entry in timeline["items"] if entry["kind"] == "case:set_aside"]
    named = [each for each in await stuck_cases(pool, temporal) if each.case_id == case_id]

    assert behind.status_code == 200, behind.text
    assert aside["status"] == "set_aside"
    assert aside["refusal"]["code"] == "set-aside"
    assert (again.status_code, again.json()["code"]) == (409, "set-aside")
    assert len(entries) == 1
    if not procedure.confidential:  # there not even who audits reads which command it was
        assert [(entry["facts"]["command"], entry["facts"]["failure"]) for entry in entries] == [
            (step.command, "RuntimeError")
        ]
    assert [(each.submission, each.command, each.failure) for each in named] == [
        (submission, step.command, "RuntimeError")
    ]
    assert WORDS not in f"{aside}{again.text}{named}"
    assert [finding for finding in await audited(case_id) if not finding.ok] == []


async def test_what_the_server_refuses_is_set_aside_too_and_the_case_stands_where_it_stood(
    poisoned_door: OpenDoor, pool: asyncpg.Pool, audited: Audited
) -> None:
    """Where the ledger took the entry before the server refused the task, the case shows what is so, without another command."""
    town = await poisoned_door(INCIDENT)
    case_id = await town.start()
    await town.stands(case_id)
    step, key = Step("sign", "officer"), str(uuid.uuid4())
    REFUSED_BY_THE_SERVER.add(id_of(town, case_id, step, key))
    before = await pool.fetchval(STAGE_OF, case_id)
    aside = await set_aside(town, await sent(town, case_id, step, key), step.by)

    async def stands_where_it_stood() -> bool:
        told = "case:set_aside" in await town.kinds(case_id)
        return bool(told and await pool.fetchval(STAGE_OF, case_id) == before)

    await eventually(stands_where_it_stood)
    kinds = await town.kinds(case_id)

    assert aside["status"] == "set_aside"
    assert "incident:signed" not in kinds
    assert kinds.count("case:set_aside") == 1  # its department's receipt may come before it or after
    assert [finding for finding in await audited(case_id) if not finding.ok] == []


async def test_an_operator_takes_up_again_what_was_set_aside(
    poisoned_door: OpenDoor, temporal: Client, pool: asyncpg.Pool, settings: Settings, serve: Serve, audited: Audited
) -> None:
    """Mended, a command that was set aside is carried out once, with the operator's reason in the case before it."""
    town = await poisoned_door(INCIDENT)
    case_id = await town.start()
    await town.stands(case_id)
    step, key = Step("sign", "officer"), str(uuid.uuid4())
    poison = id_of(town, case_id, step, key)
    REFUSED_BY_THE_SERVER.add(poison)
    submission = await sent(town, case_id, step, key)
    await set_aside(town, submission, step.by)
    REFUSED_BY_THE_SERVER.remove(poison)
    async with serve(task_queue=QUEUE) as served:
        ours = settings.model_copy(update={"api_url": f"http://127.0.0.1:{served.port}", "task_queue": QUEUE})
        done = await take_up_again(ours, submission, "程序已修复", "supervisor-1")
        answer = await town.taken(case_id, step, key)
        again = await take_up_again(ours, submission, "程序已修复", "supervisor-1")
    kinds = await town.kinds(case_id)
    named = [each for each in await stuck_cases(pool, temporal) if each.case_id == case_id]

    assert (done, again) == (True, False)
    assert answer.status_code == 200, answer.text
    assert kinds.count("incident:signed") == 1
    assert kinds.index("incident:commented") < kinds.index("incident:signed")
    assert named == []
    assert [finding for finding in await audited(case_id) if not finding.ok] == []


async def test_an_operator_sets_aside_without_waiting(
    poisoned_door: OpenDoor,
    pool: asyncpg.Pool,
    settings: Settings,
    serve: Serve,
    audited: Audited,
    tmp_path: Path,
) -> None:
    """What lets its case's task fail can be laid aside by hand at once; what is behind it is carried out, with the reason."""
    town = await poisoned_door(INCIDENT)
    case_id = await town.start()
    await town.stands(case_id)
    step, key = Step("sign", "officer"), str(uuid.uuid4())
    RAISES.add(id_of(town, case_id, step, key))
    submission = await sent(town, case_id, step, key)
    async with serve(task_queue=QUEUE) as served:
        ours = settings.model_copy(update={"api_url": f"http://127.0.0.1:{served.port}", "task_queue": QUEUE})
        done = await lay_aside(ours, submission, "不再需要", "supervisor-2")
        token_file = tmp_path / "token"
        token_file.write_text(served.token("supervisor-of-issuer", Role.SUPERVISOR), encoding="ascii")
        issued = ours.model_copy(update={"local_issuer": False, "api_token_file": token_file})
        looked_at = await lay_aside(issued, submission, "已查明")
    aside = await set_aside(town, submission, step.by)
    signed = await town.taken(case_id, step)
    kinds = await town.kinds(case_id)
    reasons = await pool.fetch(REASONS, case_id)

    assert [row["subject"] for row in reasons] == ["supervisor-2", "supervisor-of-issuer"]
    assert (done, looked_at, aside["status"], aside["refusal"]["code"]) == (True, True, "set_aside", "set-aside")
    assert signed.status_code == 200, signed.text
    assert kinds.count("case:set_aside") == 1
    assert kinds.count("incident:commented") == 2
    assert [finding for finding in await audited(case_id) if not finding.ok] == []


async def test_nothing_is_set_aside_by_hand_where_no_reason_of_theirs_can_stand(
    poisoned_door: OpenDoor, pool: asyncpg.Pool, settings: Settings, serve: Serve
) -> None:
    """Supervisors write nothing into a mediation, so none lays a command of it aside; that the town does by itself."""
    town = await poisoned_door(MEDIATION)
    case_id = await town.start()
    await town.stands(case_id)
    step, key = town.examples.MAIN.steps[0], str(uuid.uuid4())
    RAISES.add(id_of(town, case_id, step, key))
    submission = await sent(town, case_id, step, key)
    async with serve(task_queue=QUEUE) as served:
        ours = settings.model_copy(update={"api_url": f"http://127.0.0.1:{served.port}", "task_queue": QUEUE})
        with pytest.raises(NotTheirs, match="nothing was done"):
            await lay_aside(ours, submission, "不再需要", "supervisor-2")
        by_hand = await pool.fetchval("select looked_at is not null from intake where submission = $1", submission)
        aside = await set_aside(town, submission, step.by)

    assert (by_hand, aside["status"]) == (False, "set_aside")


async def test_an_id_that_no_case_can_have_is_as_if_nobody_heard(
    door: OpenDoor, pool: asyncpg.Pool, temporal: Client, settings: Settings, keys: Keys
) -> None:
    """Where what somebody wrote becomes the id of another case, one that Temporal would refuse is a case that is not there.

    Replayed by the very code that told: whether the letter is still under way decides how the next command is answered.
    """
    alone = settings.model_copy(update={"task_queue": "too-long"})
    town = await door(INCIDENT, task_queue=alone.task_queue)
    async with town_worker(alone, keys, temporal, pool, procedures=POISONED) as worker, worker:
        case_id = await town.start()
        await town.stands(case_id)
        step, key = Step("supervise", "supervisor"), str(uuid.uuid4())
        TELLS_A_LONG_ID.add(id_of(town, case_id, step, key))
        told = await town.taken(case_id, step, key)
        behind = await town.taken(case_id, Step("sign", "officer"))
        looked_at = replay_cases(temporal, keys, settings, pool, [case_id], procedures=POISONED)
        replayed = [finding async for finding in looked_at]

    assert (told.status_code, behind.status_code) == (200, 200)
    assert [finding.ok for finding in replayed] == [True], replayed


async def test_while_no_worker_is_there_nothing_is_set_aside(
    door: OpenDoor, pool: asyncpg.Pool, temporal: Client, settings: Settings, keys: Keys
) -> None:
    """Neither a worker that is away nor one that fails every task makes a command guilty: it waits, and is carried out."""
    alone = settings.model_copy(update={"task_queue": "standing-away"})
    town = await door(INCIDENT, task_queue=alone.task_queue, patience=IMPATIENT)
    async with town_worker(alone, keys, temporal, pool, procedures=[Incident]) as worker, worker:
        case_id = await town.start()
        await town.stands(case_id)
    step, key = Step("sign", "officer"), str(uuid.uuid4())
    submission = await sent(town, case_id, step, key)

    async def tried(times: int) -> bool:
        row = await pool.fetchrow(INTAKE, submission)
        assert row is not None
        assert row["status"] == "waiting"
        return bool(row["attempts"] >= times)

    await eventually(partial(tried, 2), within=60)
    unsuspected = await pool.fetchval("select failing_since is null from intake where submission = $1", submission)
    async with town_worker(alone, keys, temporal, pool, procedures=[Recovery]) as wrong, wrong:
        await eventually(partial(tried, 8), within=90)
    async with town_worker(alone, keys, temporal, pool, procedures=[Incident]) as worker, worker:
        answer = await town.taken(case_id, step, key)

    assert unsuspected
    assert answer.status_code == 200, answer.text
