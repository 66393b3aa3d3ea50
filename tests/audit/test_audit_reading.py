"""What an auditor reads: everything that happened, how a case stood at any moment, and why an entry is as it is."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode
from typer.testing import CliRunner

from audit.archive.archiver import Archiver
from audit.replay.kept_histories import archived_histories
from audit.replay.moments import CannotRebuild, town_histories
from audit.replay.reading import Auditing
from engine.execution.codec import data_converter
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from engine.store.archive import ArchiveStore
from local.commands.audit_reading import audit_app
from schemas.audit.case_record import StateAt
from schemas.audit.ledger import FlushReceipt
from schemas.incident import INCIDENT
from schemas.kernel.case import Accepted
from schemas.words.titles import title_of
from tests.api_driver import ApiDriver, OpenDoor, Step
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("worker")
FAST = 500_000
MOMENT = timedelta(microseconds=1)
RECEIVED = 3
"""Entries of a case whose department has its order: reported, dispatched, received."""


@pytest.fixture
async def town(door: OpenDoor) -> ApiDriver:
    """A town at real speed."""
    return await door(INCIDENT)


@pytest.fixture
def auditing(temporal: Client, pool: asyncpg.Pool, keys: Keys, settings: Settings) -> Auditing:
    """What an auditor reads with, from Temporal's histories."""
    histories = town_histories(temporal, pool, keys, ArchiveStore(None))
    return Auditing(pool, keys, settings, histories, title_of, asyncio.Semaphore(1))


@pytest.fixture(scope="module")
async def left_alone(door: OpenDoor, worker: None) -> tuple[ApiDriver, str]:
    """A case that nobody answered, all its duties broken."""
    town = await door(INCIDENT, speed=FAST)
    case_id = await town.start()
    await town.case(case_id, wait="stage:unresolved", timeout="60")
    return town, case_id


async def asked(town: ApiDriver, path: str, by: str = "auditor", **query: str) -> httpx.Response:
    return await town.api.get(f"/api/v1/audit/cases/{path}", headers=town.headers(by), params=query)


async def record(town: ApiDriver, case_id: str, **query: str) -> dict[str, Any]:
    answer = await asked(town, case_id, **query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["record"]
    return found


def lines(found: dict[str, Any], what: str) -> list[dict[str, Any]]:
    return [line for line in found["lines"] if line["what"] == what]


async def reported(town: ApiDriver, body: Mapping[str, Any] | None = None) -> str:
    """A case that has its order's receipt: it does nothing more by itself, and its history knows all that came before."""
    case_id = await town.start(body=body)
    assert (await town.case(case_id, wait="seq:3", timeout="60"))["seq"] == RECEIVED
    return case_id


# ---- the record -------------------------------------------------------------------------------------------------------


async def test_a_record_tells_who_did_what_when_by_which_clock(town: ApiDriver) -> None:
    """Every entry stands in it with account, time, words and facts, and with the clocks that it started or stopped."""
    case_id = await reported(town)
    await town.go(case_id, town.examples.MAIN.steps)
    found = await record(town, case_id)
    signed = next(line for line in found["lines"] if line["kind"] == "incident:signed")

    assert [line["kind"] for line in lines(found, "entry")] == await town.kinds(case_id)
    assert [line["seq"] for line in lines(found, "entry")] == list(range(1, found["entries"] + 1))
    assert (signed["title"], signed["who"]["subject"]) == ("签收", "officer-cheng")
    assert signed["who"]["department"] == "urban-management"
    (clock,) = signed["clocks"]
    assert (clock["clock"], clock["status"], clock["breached"], clock["late_seconds"]) == ("sign", "stopped", False, 0)
    assert clock["stopped_at"] == signed["at"]
    assert {clock["clock"] for clock in found["clocks"]} == {"sign", "respond", "finish", "verify", "rate", "reopen"}
    assert found["lines"] == sorted(found["lines"], key=lambda line: datetime.fromisoformat(line["at"]))


async def test_a_record_says_by_how_much_a_clock_was_late(left_alone: tuple[ApiDriver, str]) -> None:
    """A breach names its clock and due time; what is stopped after it is late by the time between, to the second."""
    town, case_id = left_alone
    found = await record(town, case_id)
    breach = next(line for line in found["lines"] if line["kind"] == "clock:breach")
    (clock,) = breach["clocks"]
    stopped = next(clock for clock in found["clocks"] if clock["clock"] == "sign")
    times = [datetime.fromisoformat(stopped[name]) for name in ("due_at", "stopped_at")]

    assert (clock["clock"], clock["breached"]) == (breach["facts"]["clock"], True)
    assert datetime.fromisoformat(clock["due_at"]) <= datetime.fromisoformat(breach["at"])
    windows = [clock["clock"] for clock in found["clocks"] if not clock["duty"]]

    assert windows == ["final"]
    assert stopped["breached"]
    assert stopped["late_seconds"] == (times[1] - times[0]) // timedelta(seconds=1) > 3600


async def test_a_refused_attempt_stands_in_the_record(town: ApiDriver) -> None:
    """What was tried and refused leaves nothing in the case, and yet the auditor sees who tried what, where, and why not."""
    case_id = await reported(town)
    await town.taken(case_id, Step("sign", "coordinator"))
    await town.taken(case_id, Step("rate", "reporter"))
    found = await record(town, case_id)
    refused = lines(found, "refused")

    assert [(line["kind"], line["who"]["subject"], line["facts"]["code"]) for line in refused] == [
        ("sign", "coordinator-sun", "not-your-role"),
        ("rate", "resident-wang", "not-now"),
    ]
    assert {line["facts"]["stage"] for line in refused} == {"dispatched"}
    assert found["refused"] == 2
    opened = datetime.fromisoformat(found["opened_at"])
    assert all(opened < datetime.fromisoformat(line["at"]) < opened + timedelta(minutes=5) for line in refused)


async def test_who_read_personal_data_stands_in_the_record(town: ApiDriver) -> None:
    """A reading of texts and of a person is one line: who, for what, how much; the auditor's own is there the next time."""
    case_id = await reported(town)
    await town.api.get(f"/api/v1/cases/{case_id}/timeline", headers=town.headers("coordinator"))
    first, second = await record(town, case_id), await record(town, case_id)
    (reading,) = lines(first, "read")

    assert (reading["who"]["subject"], reading["who"]["role"]) == ("coordinator-sun", "coordinator")
    assert reading["kind"] == "show-timeline"
    assert reading["facts"]["items"] == {"address": 1, "description": 1, "person_details": 1}
    assert reading["facts"]["persons"] == 1
    assert [line["who"]["subject"] for line in lines(second, "read")] == ["coordinator-sun", "auditor-zheng"]


async def test_an_auditor_reads_the_texts_of_a_record(town: ApiDriver) -> None:
    """Behind the references stand the words that people wrote."""
    case_id = await reported(town)
    first = (await record(town, case_id))["lines"][0]

    assert first["facts"]["description"] == town.examples.REPORT["description"]


@pytest.mark.parametrize("who", ["reporter", "officer", "coordinator", "supervisor", "admin"])
async def test_only_auditors_read_records(town: ApiDriver, who: str) -> None:
    """Whoever is not an auditor gets 403, of the case and of its entries."""
    case_id = await reported(town)

    assert [(await asked(town, path, who)).status_code for path in (case_id, f"{case_id}/entries/1")] == [403, 403]


async def test_what_is_not_there_is_not_read(town: ApiDriver) -> None:
    """An unknown case, an entry that a case does not have, a moment before it stood: 404, each by its own code."""
    case_id = await reported(town)
    paths = ["incident-20200101-000001", f"{case_id}/entries/99"]
    answers = [await asked(town, path) for path in paths]
    answers.append(await asked(town, case_id, at="2020-01-01"))

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert [answer.json()["code"] for answer in answers] == ["unknown-case", "not-recorded", "not-recorded"]


# ---- a moment ---------------------------------------------------------------------------------------------------------


async def remembered(pool: asyncpg.Pool, case_id: str) -> dict[str, Any]:
    row = await pool.fetchrow("select snapshot from cases where case_id = $1", case_id)
    assert row is not None
    snapshot: dict[str, Any] = row["snapshot"]
    return snapshot


async def walked(town: ApiDriver, pool: asyncpg.Pool, steps: Sequence[Step]) -> tuple[str, list[dict[str, Any]]]:
    """A case taken along some steps, and everything that it remembered after each."""
    case_id = await reported(town)
    told = [await remembered(pool, case_id)]
    for step in steps:
        answer = await town.taken(case_id, step)
        assert answer.status_code == 200, f"{step}: {answer.text}"
        # A slow flush may come after the answer.
        await town.case(case_id, wait=f"seq:{answer.json()['accepted']['seq']}", timeout="60")
        told.append(await remembered(pool, case_id))
    return case_id, told


def at(snapshot: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(snapshot["last_at"])


def together(rebuilt: Sequence[StateAt], told: Sequence[dict[str, Any]]) -> list[tuple[StateAt, dict[str, Any]]]:
    """States and what the row held. At one instant a case can write twice, and then the later one is its state."""
    pairs = list(zip(rebuilt, told, strict=True))
    assert all(state.seq >= snapshot["seq"] and state.last_at == at(snapshot) for state, snapshot in pairs)
    return [(state, snapshot) for state, snapshot in pairs if state.seq == snapshot["seq"]]


async def test_a_state_is_rebuilt_as_it_was(town: ApiDriver, pool: asyncpg.Pool, auditing: Auditing) -> None:
    """At the time of any entry, and up to the next, the rebuilt state is to the last field what the row held then."""
    case_id, told = await walked(town, pool, town.examples.MAIN.steps)
    rebuilt = [await auditing.state_at(case_id, at(snapshot)) for snapshot in told]
    before_next = [await auditing.state_at(case_id, at(snapshot) - MOMENT) for snapshot in told[1:3]]

    same = together(rebuilt, told)
    assert [state.state for state, _ in same] == [snapshot for _, snapshot in same]
    assert len(same) >= len(told) - 2
    assert all(state.in_ledger for state in rebuilt)
    # Between two steps the errands of the case may have told more than a step's answer had.
    assert all(state.seq < after["seq"] for state, after in zip(before_next, told[1:3], strict=True))


async def test_a_state_is_rebuilt_in_whichever_run_it_was(
    door: OpenDoor, pool: asyncpg.Pool, temporal: Client, auditing: Auditing
) -> None:
    """A case that continued as new is rebuilt from the run in which the moment lies."""
    town = await door(INCIDENT, history_limit=20)
    case_id, told = await walked(town, pool, town.examples.MAIN.steps)
    rebuilt = [await auditing.state_at(case_id, at(snapshot)) for snapshot in told]

    same = together(rebuilt, told)
    assert [state.stage for state, _ in same] == [snapshot["stage"] for _, snapshot in same]
    assert len({state.run for state in rebuilt}) > 1
    assert [state.run for state in rebuilt] == sorted(state.run for state in rebuilt)


async def test_a_state_is_rebuilt_from_the_archive_alone(
    door: OpenDoor, pool: asyncpg.Pool, temporal: Client, keys: Keys, settings: Settings, auditing: Auditing
) -> None:
    """When Temporal has forgotten a case, its archived runs give the very same states."""
    town = await door(INCIDENT, history_limit=20)
    rejected = next(walk for walk in town.examples.WALKS if walk.name == "withdrawn while it is handled")
    case_id, told = await walked(town, pool, rejected.steps)
    await temporal.get_workflow_handle(case_id).result()
    await Archiver(temporal, pool, keys, ArchiveStore(None)).archive_case(case_id)
    archived = archived_histories(pool, keys, ArchiveStore(None))
    later = Auditing(pool, keys, settings, archived, title_of, asyncio.Semaphore(1))

    for snapshot in told:
        live: StateAt = await auditing.state_at(case_id, at(snapshot))
        assert await later.state_at(case_id, at(snapshot)) == live


async def test_a_state_is_rebuilt_when_retention_has_taken_the_first_run(
    door: OpenDoor, pool: asyncpg.Pool, temporal: Client, keys: Keys, auditing: Auditing
) -> None:
    """A case that lives longer than the retention is read from both: its first runs from the archive, the last from Temporal."""
    town = await door(INCIDENT, history_limit=20)
    case_id, told = await walked(town, pool, town.examples.MAIN.steps[:3])
    ends = (told[0], told[-1])
    before = [await auditing.state_at(case_id, at(snapshot)) for snapshot in ends]
    await Archiver(temporal, pool, keys, ArchiveStore(None)).archive_case(case_id)
    first = (await auditing.histories(case_id))[0].events[0].workflow_execution_started_event_attributes
    run = WorkflowExecution(workflow_id=case_id, run_id=first.original_execution_run_id)
    request = DeleteWorkflowExecutionRequest(namespace=temporal.namespace, workflow_execution=run)
    await temporal.workflow_service.delete_workflow_execution(request, retry=True)

    async def gone() -> bool:
        try:
            await temporal.get_workflow_handle(case_id, run_id=run.run_id).fetch_history()
        except RPCError as error:
            return error.status is RPCStatusCode.NOT_FOUND
        return False

    await eventually(gone, within=90)

    assert [await auditing.state_at(case_id, at(snapshot)) for snapshot in ends] == before
    assert [state.run for state in before] == sorted({state.run for state in before})


async def test_a_flush_that_the_ledger_did_not_vouch_for_is_no_state(
    town: ApiDriver, pool: asyncpg.Pool, keys: Keys, settings: Settings, auditing: Auditing
) -> None:
    """Where receipt and answer in the history were altered, the state before them is had, and nothing from there on."""
    case_id, told = await walked(town, pool, town.examples.MAIN.steps[:1])
    (run,) = await auditing.histories(case_id)
    converter = data_converter(keys)
    (forged,) = await converter.encode([FlushReceipt(seq=told[-1]["seq"], head_hash="0" * 64)])
    for event in run.events:  # the receipt of a department may be written after what a person did
        if event.event_type == EventType.EVENT_TYPE_MARKER_RECORDED:
            result = event.marker_recorded_event_attributes.details["result"].payloads
            (receipt,) = await converter.decode(result, [FlushReceipt])
            if receipt.seq == told[-1]["seq"]:
                result[0].CopyFrom(forged)
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED:
            said = event.workflow_execution_update_completed_event_attributes.outcome.success.payloads
            (answer,) = await converter.decode(said, [Accepted])
            assert answer.told is not None
            another = answer.told.model_copy(update={"head_hash": "0" * 64})
            said[0].CopyFrom((await converter.encode([answer.model_copy(update={"told": another})]))[0])

    async def altered(_: str) -> list[WorkflowHistory]:
        return [run]

    forged_town = Auditing(pool, keys, settings, altered, title_of, asyncio.Semaphore(1))
    with pytest.raises(CannotRebuild, match="does not replay that far"):
        await forged_town.state_at(case_id, at(told[-1]))

    assert (await forged_town.explanation(case_id, 1)).from_history
    assert not (await forged_town.explanation(case_id, told[-1]["seq"])).from_history


async def test_a_moment_before_a_case_stood_has_no_state(town: ApiDriver, auditing: Auditing) -> None:
    """Nothing is made up for a time of which the history says nothing."""
    case_id = await reported(town)
    opened = datetime.fromisoformat((await town.case(case_id))["opened_at"])
    with pytest.raises(CannotRebuild, match="before the case stood"):
        await auditing.state_at(case_id, opened - timedelta(hours=1))


async def test_a_record_at_a_moment_tells_nothing_later(town: ApiDriver) -> None:
    """With `at`, lines end at the moment, and the state is the one of that time with its clocks as they stood."""
    case_id = await reported(town)
    await town.go(case_id, [Step("sign", "officer")])
    signed = next(line for line in (await record(town, case_id))["lines"] if line["kind"] == "incident:signed")
    await town.go(case_id, [Step("arrive", "officer"), Step("finish", "officer")])
    answer = (await asked(town, case_id, at=signed["at"])).json()
    clocks = {clock["clock"]: clock["status"] for clock in answer["state"]["clocks"]}

    kinds = {line["kind"] for line in answer["record"]["lines"]}

    assert "incident:signed" in kinds
    assert not kinds & {"incident:arrived", "incident:finished"}
    assert (answer["state"]["stage"], answer["state"]["in_ledger"]) == ("handling", True)
    assert clocks == {"sign": "stopped", "respond": "running", "finish": "running"}
    assert answer["state"]["seq"] == answer["record"]["entries"] >= signed["seq"]


# ---- a reason ---------------------------------------------------------------------------------------------------------


async def why(town: ApiDriver, case_id: str, kind: str) -> dict[str, Any]:
    entry = next(line for line in (await record(town, case_id))["lines"] if line["kind"] == kind)
    answer = await asked(town, f"{case_id}/entries/{entry['seq']}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_dispatch_is_explained_by_its_line_of_the_responsibility_list(town: ApiDriver) -> None:
    """Which line, by which law, in which version; and the clocks that start, with limit and due time."""
    found = await why(town, await reported(town), "incident:dispatched")

    assert found["rule"] == "policies/incident.yaml categories.环境卫生"
    assert found["legal_basis"] == "《城市市容和环境卫生管理条例》"
    assert (found["policy_version"], found["from_history"]) == ("2026.2", True)
    assert found["inputs"] == {
        "category": "环境卫生",
        "listed": True,
        "department": "urban-management",
        "urgency": "ordinary",
        "evidence": False,
    }
    assert found["permitted_by"] == []
    assert {line.partition(":")[0] for line in found["arithmetic"][-3:]} == {"响应 respond", "办结 finish", "签收 sign"}


async def test_what_is_not_on_the_list_is_explained_by_the_fallback(town: ApiDriver) -> None:
    """A category that nobody answers for goes to the coordination centre, and the reason says so."""
    case_id = await reported(town, town.examples.REPORT | {"category": "外星访客"})
    found = await why(town, case_id, "incident:dispatched")

    assert found["rule"] == "policies/incident.yaml terms.fallback_department"
    assert found["inputs"]["listed"] is False


async def test_a_ruling_is_explained_by_the_table_and_against_the_list(town: ApiDriver) -> None:
    """An arbitration names the row that allowed it, what it decided, and whether the list says the same."""
    case_id = await reported(town)
    to = {"department": "justice-office", "reason": "职责争议"}
    await town.go(case_id, [Step("return_order", "officer"), Step("arbitrate", "coordinator", to)])
    ruled, returned = await why(town, case_id, "incident:arbitrated"), await why(town, case_id, "incident:returned")

    assert [row["command"] for row in ruled["permitted_by"]] == ["arbitrate"]
    assert ruled["permitted_by"][0]["at"] == ["returned"]
    assert ruled["arithmetic"][0].startswith("权责清单为 urban-management,决定为 justice-office")
    assert returned["arithmetic"][0].startswith("第1次退单,上限2次")
    assert "may_still_return" in returned["permitted_by"][0]["conditions"]


async def test_an_extension_is_reckoned(town: ApiDriver) -> None:
    """What was granted, what had been granted before, and the most allowed, as a sum."""
    case_id = await reported(town)
    extended = next(walk for walk in town.examples.WALKS if walk.name == "extended")
    await town.go(case_id, extended.steps[:5])
    found = await why(town, case_id, "incident:extension:granted")

    assert found["arithmetic"][0] == "0 + 2 = 2 ≤ 10"


async def test_a_breach_is_counted_day_by_day_to_its_due_time(left_alone: tuple[ApiDriver, str]) -> None:
    """Facts, limit, calendar version and the count stand in the reason, and the count ends at the recorded due time."""
    town, case_id = left_alone
    breaches = [line for line in (await record(town, case_id))["lines"] if line["kind"] == "clock:breach"]
    line = next(line for line in breaches if line["facts"]["clock"] == "finish")
    found = (await asked(town, f"{case_id}/entries/{line['seq']}")).json()
    due = datetime.fromisoformat(line["clocks"][0]["due_at"]) - timedelta(days=1)

    assert (found["inputs"]["clock"], found["inputs"]["limit"]) == ("finish", "7 natural_days")
    assert found["inputs"]["calendar"] == found["calendar_version"]
    assert [fact["kind"] for fact in found["inputs"]["facts"]] == ["started"]
    assert any("起算日不计" in each for each in found["arithmetic"])
    assert f"至 {due:%Y-%m-%d} 24:00 期满 (ends at {due:%Y-%m-%d} 24:00)" in found["arithmetic"]
    assert found["arithmetic"][-1].startswith("办结到期 finish breach 应在")


async def test_a_reason_without_a_history_says_so(
    town: ApiDriver, pool: asyncpg.Pool, keys: Keys, settings: Settings
) -> None:
    """Where neither Temporal nor the archive has the case any more, the row's state explains it, marked as such."""
    case_id = await reported(town)
    nothing = archived_histories(pool, keys, ArchiveStore(None))
    found = await Auditing(pool, keys, settings, nothing, title_of, asyncio.Semaphore(1)).explanation(case_id, 2)

    assert (found.kind, found.from_history) == ("incident:dispatched", False)


# ---- the terminal -----------------------------------------------------------------------------------------------------


async def shown(settings: Settings, *arguments: str) -> tuple[int, str]:
    """Run `jiceng audit …` on the town; in a thread, since each command has a loop of its own."""
    command = [*arguments, "--data", str(settings.data)]
    result = await asyncio.to_thread(lambda: CliRunner().invoke(audit_app, command))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


async def test_the_terminal_shows_a_case_and_a_reason(town: ApiDriver, settings: Settings, pool: asyncpg.Pool) -> None:
    """Chinese first: the case with its lines and clocks, its state at a moment, and why it was dispatched as it was."""
    case_id = await reported(town)
    await town.go(case_id, [Step("sign", "officer")])
    await town.taken(case_id, Step("rate", "reporter"))

    async def told() -> bool:
        return bool((await remembered(pool, case_id))["stage"] == "handling")

    await eventually(told)
    code, page = await shown(settings, "show", case_id)
    moment = at(await remembered(pool, case_id)).isoformat()
    code_then, then = await shown(settings, "show", case_id, "--at", moment)
    code_why, reason = await shown(settings, "explain", case_id, "2")
    unknown, _ = await shown(settings, "show", "incident-20200101-000001")

    assert (code, code_then, code_why, unknown) == (0, 0, 0, 1)
    for words in (
        case_id,
        "处置中 handling",
        "签收",
        "部门经办人 department_officer urban-management officer-cheng",
        "拒绝办理",
    ):
        assert words in page
    assert town.examples.REPORT["description"] not in page
    assert "与台账一致 agrees with the ledger" in then
    assert "policies/incident.yaml categories.环境卫生" in reason


async def test_the_terminal_opens_texts_only_when_asked_and_says_who_read_them(
    town: ApiDriver, settings: Settings
) -> None:
    """`--texts` shows what people wrote and leaves a reading by the named account."""
    case_id = await reported(town)
    _, page = await shown(settings, "show", case_id, "--texts", "--as", "auditor-lan")
    found = await record(town, case_id)

    assert town.examples.REPORT["description"] in page
    assert [line["who"]["subject"] for line in lines(found, "read")] == ["auditor-lan"]
