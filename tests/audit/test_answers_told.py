"""What a case told with its answers to commands, as auditors read it: vouched for, missed, written late, put back, made anew."""

import asyncio
import io
import json
import uuid
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import History, HistoryEvent
from temporalio.client import Client, WorkflowHistory
from temporalio.converter import WorkflowSerializationContext

from audit.archive.archiver import Archiver
from audit.archive.decoded import decoded_events
from audit.bundle.bundle import export_case
from audit.bundle.check_bundle import ON_ITS_WAY, answers, check, last_of, ledger_against_history
from audit.replay.moments import Wanted, rebuild_state, town_histories
from audit.replay.replay import live_histories, replay_cases, strict_replay
from audit.verify.rebuild import rebuild_rows
from audit.verify.verify import verify_archive, verify_cases
from audit.verify.verify_projection import verify_projection
from engine.execution.codec import data_converter
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from engine.store.archive import ArchiveStore
from schemas.audit.ledger import Projection
from schemas.clocks.town_time import TownTime
from schemas.incident import INCIDENT
from schemas.kernel.case import Accepted
from schemas.kernel.findings import Finding
from starter.app import create_app
from tests.api_callers import api_of
from tests.api_driver import ApiDriver, OpenDoor, Step
from tests.tampering import Connection, OneConnection, as_owner, rewrite_chain, rewrite_run
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("worker")

SIGN = Step("sign", "officer")
COLUMNS = ", ".join(Projection.model_fields)
CHAIN = "select seq, at, kind, actor, body, prev_hash, hash, run_id, task_at from chain_of($1)"
RECEIVED = 3
"""Entries of a case whose department has its order: reported, dispatched, received."""
UPDATE_COMPLETED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED


@pytest.fixture
async def town(door: OpenDoor) -> ApiDriver:
    """A town at real speed."""
    return await door(INCIDENT)


@pytest.fixture
async def hurried(door: OpenDoor) -> ApiDriver:
    """The same town for who does not wait long: that what they gave is not written yet they hear after a second."""
    return await door(INCIDENT, patience=1.0)


@pytest.fixture
def archiver(temporal: Client, pool: asyncpg.Pool, keys: Keys) -> Archiver:
    """An archiver that keeps the bytes in the database."""
    return Archiver(temporal, pool, keys, ArchiveStore(None))


async def quiet(temporal: Client, town: ApiDriver) -> str:
    """An open case that has done all it does by itself."""
    case_id = await town.start()
    assert (await town.case(case_id, wait=f"seq:{RECEIVED}", timeout="60"))["seq"] == RECEIVED

    async def rests() -> bool:
        described = (await temporal.get_workflow_handle(case_id).describe()).raw_description
        return not described.pending_activities and not described.HasField("pending_workflow_task")

    await eventually(rests)
    return case_id


async def answered(temporal: Client, town: ApiDriver) -> str:
    """The same, after a command whose answer told an entry."""
    case_id = await quiet(temporal, town)
    await town.go(case_id, [SIGN])
    return case_id


async def told_by(temporal: Client, keys: Keys, case_id: str) -> list[tuple[int, str]]:
    """The heads that the latest run of a case told with answers."""
    return [last_of(told) for _, told in answers(await opened(keys, await history_of(temporal, case_id)))]


async def history_of(temporal: Client, case_id: str) -> WorkflowHistory:
    return await temporal.get_workflow_handle(case_id).fetch_history()


async def opened(keys: Keys, run: WorkflowHistory) -> list[dict[str, Any]]:
    codec = data_converter(keys).payload_codec
    assert codec is not None
    return await decoded_events(run.events, codec)


class Auditor:
    """Everything that an auditor asks of a case that goes on."""

    def __init__(self, temporal: Client, pool: asyncpg.Pool, keys: Keys, settings: Settings) -> None:
        self.parts = (temporal, pool, keys, settings)

    async def faults(self, case_id: str) -> list[str]:
        temporal, pool, keys, settings = self.parts
        found: list[Finding] = [each async for each in verify_cases(pool, [case_id], keys.stamp_ring)]
        found += [each async for each in verify_archive(pool, keys, ArchiveStore(None), [case_id], temporal)]
        found += [each async for each in verify_projection(pool, [case_id])]
        found += [each async for each in replay_cases(temporal, keys, settings, pool, [case_id])]
        return [each.detail for each in found if not each.ok]


@pytest.fixture
def auditor(temporal: Client, pool: asyncpg.Pool, keys: Keys, settings: Settings) -> Auditor:
    """Ledger, history, row and replay of a case, asked together."""
    return Auditor(temporal, pool, keys, settings)


# ---- an answer that nobody has written down yet ---------------------------------------------------------------------


async def blocked(pool: asyncpg.Pool, case_id: str) -> int | None:
    """The connection that waits to write this case down."""
    found: int | None = await pool.fetchval(
        "select pid from pg_stat_activity where wait_event_type = 'Lock' and query like '%settle_told%' "
        "and cardinality(pg_blocking_pids(pid)) > 0"
    )
    return found


@asynccontextmanager
async def unwritten(
    temporal: Client, pool: asyncpg.Pool, keys: Keys, hurried: ApiDriver, case_id: str
) -> AsyncIterator[asyncio.Task[httpx.Response]]:
    """A command that is carried out and not written down, for somebody holds the row. At the end whoever wrote is killed.

    Its submission then lies with a process that is not there any more, until somebody says otherwise.
    """
    before = len(await told_by(temporal, keys, case_id))
    async with pool.acquire() as connection:
        held = connection.transaction()
        await held.start()
        await connection.execute("select from cases where case_id = $1 for update", case_id)
        sending = asyncio.create_task(hurried.give(case_id, SIGN, str(uuid.uuid4())))

        async def stands() -> bool:
            return len(await told_by(temporal, keys, case_id)) > before and await blocked(pool, case_id) is not None

        try:
            await eventually(stands)
            yield sending
            await pool.execute(
                "update intake set leased_until = now() + interval '1 hour' where case_id = $1 and status = 'waiting'",
                case_id,
            )
            await pool.execute("select pg_terminate_backend($1)", await blocked(pool, case_id))
        finally:
            await held.rollback()


async def taken_up(pool: asyncpg.Pool, case_id: str) -> None:
    """The lease of the process that was killed runs out."""
    await pool.execute("update intake set leased_until = now() where case_id = $1 and status = 'waiting'", case_id)


async def submission_of(pool: asyncpg.Pool, case_id: str) -> asyncpg.Record:
    row = await pool.fetchrow("select status, answer from intake where case_id = $1 and kind = 'command'", case_id)
    assert row is not None
    return row


async def settled(pool: asyncpg.Pool, case_id: str) -> None:
    async def is_settled() -> bool:
        return bool((await submission_of(pool, case_id))["status"] != "waiting")

    await eventually(is_settled)


async def ended_unwritten(temporal: Client, pool: asyncpg.Pool, keys: Keys, hurried: ApiDriver) -> str:
    """A case that was terminated after its answer stood in the history, and before anybody wrote it."""
    case_id = await quiet(temporal, hurried)
    async with unwritten(temporal, pool, keys, hurried, case_id) as sending:
        await temporal.get_workflow_handle(case_id).terminate("gone")
    await sending
    return case_id


async def test_an_answer_on_its_way_is_no_fault(
    temporal: Client, pool: asyncpg.Pool, keys: Keys, settings: Settings, hurried: ApiDriver, auditor: Auditor
) -> None:
    """While the history has an answer and the ledger not yet, nobody is accused; a relay writes it, and all is well still."""
    case_id = await quiet(temporal, hurried)
    async with unwritten(temporal, pool, keys, hurried, case_id) as sending:
        (head,) = await told_by(temporal, keys, case_id)
        meanwhile = await auditor.faults(case_id)
        histories = live_histories(temporal, pool)
        row = [each async for each in rebuild_rows(pool, keys, settings, histories, [case_id], write=False)]
        before = await pool.fetchval("select seq from cases where case_id = $1", case_id)
    await sending
    await taken_up(pool, case_id)
    await settled(pool, case_id)

    assert (meanwhile, before) == ([], RECEIVED)
    assert [(each.ok, each.detail) for each in row] == [(True, "as its history says")]
    written = await pool.fetchrow("select seq, head_hash from cases where case_id = $1", case_id)
    assert written is not None
    assert tuple(written) == head
    assert await auditor.faults(case_id) == []


async def terminated(pool: asyncpg.Pool, archiver: Archiver, case_id: str) -> None:
    """Archive until the ledger of a case says that it was terminated; Temporal's list is a little late."""

    async def stands() -> bool:
        await archiver.one_pass(full=True)
        return bool(
            await pool.fetchval("select count(*) from ledger where case_id = $1 and kind = 'case:terminated'", case_id)
        )

    await eventually(stands)


async def test_what_was_done_before_a_termination_is_written_before_it_is_told(
    temporal: Client, pool: asyncpg.Pool, keys: Keys, hurried: ApiDriver, archiver: Archiver, auditor: Auditor
) -> None:
    """Carried out, not written, the writer killed, the case terminated: the archiver writes it, then says how the case ended.

    Nobody is accused of anything, and whoever gave the command is told that it was carried out.
    """
    case_id = await quiet(temporal, hurried)
    async with unwritten(temporal, pool, keys, hurried, case_id) as sending:
        (head,) = await told_by(temporal, keys, case_id)
        await temporal.get_workflow_handle(case_id).terminate("gone")
    late = await sending
    await terminated(pool, archiver, case_id)
    chain = await pool.fetch("select seq, kind, hash from chain_of($1)", case_id)
    row = await pool.fetchrow("select stage, ended, holder from cases where case_id = $1", case_id)
    assert row is not None
    found = await auditor.faults(case_id)
    await taken_up(pool, case_id)
    await settled(pool, case_id)
    submission = await submission_of(pool, case_id)

    assert late.status_code == 202
    assert [entry["kind"] for entry in chain[-2:]] == ["incident:signed", "case:terminated"]
    assert (chain[-2]["seq"], chain[-2]["hash"]) == head
    assert tuple(row) == ("handling", True, "")
    assert found == []
    assert (submission["status"], submission["answer"]["seq"]) == ("delivered", head[0])
    assert await auditor.faults(case_id) == []


async def test_an_answer_is_written_by_a_relay_that_finds_the_case_terminated(
    temporal: Client, pool: asyncpg.Pool, keys: Keys, hurried: ApiDriver, archiver: Archiver, auditor: Auditor
) -> None:
    """The relay may come before the archiver: it asks what the case had answered, and writes that; the end is told after it."""
    case_id = await ended_unwritten(temporal, pool, keys, hurried)
    await taken_up(pool, case_id)
    await settled(pool, case_id)
    submission = await submission_of(pool, case_id)
    written = await pool.fetchval("select kind from chain_of($1) order by seq desc limit 1", case_id)
    await terminated(pool, archiver, case_id)

    assert (submission["status"], written) == ("delivered", "incident:signed")
    assert await auditor.faults(case_id) == []


async def test_an_answer_of_an_earlier_run_is_found_by_a_relay_that_comes_after_the_end(
    temporal: Client, pool: asyncpg.Pool, keys: Keys, door: OpenDoor, archiver: Archiver
) -> None:
    """Carried out, the writer killed, the case gone on in another run and terminated there: nobody is told that it was refused."""
    hurried = await door(INCIDENT, history_limit=12, patience=1.0)
    case_id = await quiet(temporal, hurried)
    async with unwritten(temporal, pool, keys, hurried, case_id) as sending:
        (head,) = await told_by(temporal, keys, case_id)
        run = (await temporal.get_workflow_handle(case_id).describe()).run_id
    await sending

    async def goes_on() -> bool:
        return (await temporal.get_workflow_handle(case_id).describe()).run_id != run

    await eventually(goes_on)
    await temporal.get_workflow_handle(case_id).terminate("gone")
    await terminated(pool, archiver, case_id)
    await taken_up(pool, case_id)
    await settled(pool, case_id)
    submission = await submission_of(pool, case_id)

    assert (submission["status"], submission["answer"]["seq"]) == ("delivered", head[0])


async def test_what_a_terminated_case_told_is_written_onto_a_row_that_somebody_changed(
    temporal: Client, pool: asyncpg.Pool, keys: Keys, hurried: ApiDriver, archiver: Archiver, auditor: Auditor
) -> None:
    """Where the row is none that the case knew, the archiver makes it anew by a replay: what somebody changed goes with it."""
    case_id = await ended_unwritten(temporal, pool, keys, hurried)
    await pool.execute(
        "update cases set area = '1', snapshot = snapshot || '{\"area\": \"1\"}' where case_id = $1", case_id
    )
    await terminated(pool, archiver, case_id)
    row = await pool.fetchrow("select stage, area, ended from cases where case_id = $1", case_id)
    assert row is not None

    assert (row["stage"], row["ended"], row["area"] == "1") == ("handling", True, False)
    assert await auditor.faults(case_id) == []


async def test_an_end_waits_until_what_was_done_before_it_is_written(
    temporal: Client, pool: asyncpg.Pool, keys: Keys, hurried: ApiDriver, archiver: Archiver, auditor: Auditor
) -> None:
    """Where the ledger does not take what a run told, its end is not told either, and the pass counts it as left."""
    case_id = await ended_unwritten(temporal, pool, keys, hurried)
    await pool.execute("update cases set task_at = task_at + interval '1 hour' where case_id = $1", case_id)
    passes = []

    async def archived() -> bool:
        passes.append(await archiver.one_pass(full=True))
        return bool(await pool.fetchval("select count(*) from archive where case_id = $1", case_id))

    await eventually(archived)
    while_refused = [entry["kind"] for entry in await pool.fetch("select kind from chain_of($1)", case_id)]
    await pool.execute("update cases set task_at = task_at - interval '1 hour' where case_id = $1", case_id)
    await terminated(pool, archiver, case_id)

    assert passes[-1].left >= 1
    assert len(while_refused) == RECEIVED
    assert await auditor.faults(case_id) == []


async def test_a_command_that_a_terminated_case_never_took_is_refused(
    temporal: Client, pool: asyncpg.Pool, town: ApiDriver, archiver: Archiver
) -> None:
    """Only what was carried out is told so: a command that comes after the end finds the case ended."""
    case_id = await quiet(temporal, town)
    await temporal.get_workflow_handle(case_id).terminate("gone")
    answer = await town.taken(case_id, SIGN)

    assert (answer.status_code, answer.json()["code"]) == (409, "case-ended")


# ---- what was taken out, or changed ---------------------------------------------------------------------------------


async def found_in(connection: Connection, keys: Keys, case_id: str) -> list[str]:
    """What verification finds of a case by the archive alone."""
    alone = OneConnection(connection)
    checked = verify_archive(alone, keys, ArchiveStore(None), [case_id])  # type: ignore[arg-type]
    return [each.detail async for each in checked if not each.ok]


async def run_of(connection: Connection, case_id: str) -> str:
    found: str = await connection.fetchval("select run_id from archive where case_id = $1", case_id)
    return found


def older(by: timedelta) -> Callable[[History], None]:
    def change(history: History) -> None:
        for event in history.events:
            event.event_time.FromDatetime(event.event_time.ToDatetime() - by)

    return change


async def test_an_entry_of_an_answer_that_is_gone_is_missed_after_ten_minutes(
    temporal: Client, pool: asyncpg.Pool, keys: Keys, town: ApiDriver, archiver: Archiver
) -> None:
    """The last entry of an open case, told with an answer and taken out: it might be on its way, but not for so long."""
    case_id = await answered(temporal, town)
    await archiver.archive_case(case_id)
    seq = await pool.fetchval("select seq from cases where case_id = $1", case_id)
    async with as_owner(pool) as connection:
        run = await run_of(connection, case_id)
        await rewrite_chain(connection, case_id, lambda entries: list(entries[:-1]))
        at_once = await found_in(connection, keys, case_id)
        await rewrite_run(connection, run, older(ON_ITS_WAY + timedelta(seconds=1)))
        later = await found_in(connection, keys, case_id)

    assert not any("entry-missing" in each for each in at_once), at_once
    assert [each for each in later if each.startswith(f"entry-missing: {case_id} entry {seq}: event ")], later
    assert f"jiceng audit rebuild {case_id}" in later[0]


async def test_an_entry_of_an_answer_that_is_gone_is_written_again(
    temporal: Client, pool: asyncpg.Pool, keys: Keys, settings: Settings, town: ApiDriver
) -> None:
    """What the history tells of a case and somebody took out of its ledger is put back, and its row made anew."""
    case_id = await answered(temporal, town)
    async with as_owner(pool) as connection:
        before = await connection.fetchrow(f"select {COLUMNS} from cases where case_id = $1", case_id)  # noqa: S608
        chain = await connection.fetch(CHAIN, case_id)
        await connection.execute("delete from ledger where case_id = $1 and seq = $2", case_id, chain[-1]["seq"])
        alone: Any = OneConnection(connection)
        histories = live_histories(temporal, pool)
        done = [each async for each in rebuild_rows(alone, keys, settings, histories, [case_id], write=True)]
        after = await connection.fetchrow(f"select {COLUMNS} from cases where case_id = $1", case_id)  # noqa: S608
        again = await connection.fetch(CHAIN, case_id)

    assert (done[0].ok, f"entries up to {chain[-1]['seq']} written again" in done[0].detail) == (True, True), done
    assert again == chain
    assert after == before


Change = Callable[[Accepted], Accepted]


def another_head(answer: Accepted) -> Accepted:
    assert answer.told is not None
    return answer.model_copy(update={"told": answer.told.model_copy(update={"head_hash": "0" * 64})})


def another_fact(answer: Accepted) -> Accepted:
    assert answer.told is not None
    entry = answer.told.entries[-1].model_copy(update={"kind": "incident:arrived"})
    return answer.model_copy(
        update={"told": answer.told.model_copy(update={"entries": (*answer.told.entries[:-1], entry)})}
    )


def another_row(answer: Accepted) -> Accepted:
    assert answer.told is not None
    row = answer.told.row.model_copy(update={"columns": {**answer.told.row.columns, "later": "column"}})
    return answer.model_copy(update={"told": answer.told.model_copy(update={"row": row})})


def answer_in(events: Sequence[HistoryEvent]) -> Any:
    """The payloads of the first answer of a run."""
    event = next(each for each in events if each.event_type == UPDATE_COMPLETED)
    return event.workflow_execution_update_completed_event_attributes.outcome.success.payloads


async def with_answer(keys: Keys, run: WorkflowHistory, change: Change) -> None:
    """Change the first answer of a run, as somebody can who has the payload keys."""
    place = WorkflowSerializationContext(namespace="default", workflow_id=run.workflow_id)
    converter = data_converter(keys).with_context(place)
    payloads = answer_in(run.events)
    (answer,) = await converter.decode(payloads, [Accepted])
    (closed,) = await converter.encode([change(answer)])
    payloads[0].CopyFrom(closed)


@pytest.mark.parametrize(
    ("change", "kind"), [(another_head, "chain-rewritten"), (another_fact, "command-answer-changed")]
)
async def test_a_changed_answer_is_found(
    change: Change,
    kind: str,
    temporal: Client,
    pool: asyncpg.Pool,
    keys: Keys,
    town: ApiDriver,
    archiver: Archiver,
) -> None:
    """An archived answer that tells another head, or another entry, than the ledger has is named with its place."""
    case_id = await answered(temporal, town)
    await archiver.archive_case(case_id)
    seq = await pool.fetchval("select seq from cases where case_id = $1", case_id)
    run = await history_of(temporal, case_id)
    await with_answer(keys, run, change)
    async with as_owner(pool) as connection:
        await rewrite_run(
            connection,
            await run_of(connection, case_id),
            lambda history: answer_in(history.events)[0].CopyFrom(answer_in(run.events)[0]),
        )
        found = await found_in(connection, keys, case_id)

    assert any(f"{kind}: {case_id} entry {seq}: event " in each for each in found), found


async def test_a_copied_answer_is_found(
    temporal: Client, pool: asyncpg.Pool, keys: Keys, town: ApiDriver, archiver: Archiver
) -> None:
    """The answer of another case in the place of a case's own is named, though the copy is genuine."""
    case_id, other = await answered(temporal, town), await answered(temporal, town)
    await archiver.archive_case(case_id)
    copied = answer_in((await history_of(temporal, other)).events)[0]
    async with as_owner(pool) as connection:
        await rewrite_run(
            connection,
            await run_of(connection, case_id),
            lambda history: answer_in(history.events)[0].CopyFrom(copied),
        )
        found = await found_in(connection, keys, case_id)

    assert any(f"answer-copied: {case_id} run " in each and f"written for {other}" in each for each in found), found


@pytest.mark.parametrize(
    ("change", "where"), [(another_head, "/told/head_hash"), (another_fact, "/told/entries/"), (another_row, None)]
)
async def test_a_replay_compares_what_answers_told(
    change: Change, where: str | None, temporal: Client, keys: Keys, settings: Settings, town: ApiDriver
) -> None:
    """Entries and head of an answer are compared with what a replay computes; the row is not: later code may see it otherwise."""
    case_id = await answered(temporal, town)
    run = await history_of(temporal, case_id)
    await with_answer(keys, run, change)
    async with strict_replay(keys, settings) as replay:
        faults = await replay(case_id, run, False)

    if where is None:
        assert faults == []
    else:
        assert [each for each in faults if each.startswith("command-answer-changed") and where in each], faults


def test_an_answer_is_on_its_way_for_ten_minutes() -> None:
    """By the clock of the event: ten minutes are on the way, a moment more is late."""
    told_at = datetime(2026, 11, 29, 9, tzinfo=UTC)
    told = {"after_seq": 0, "head_hash": "1" * 64, "entries": [{"kind": "incident:signed"}]}
    payloads = {"payloads": [{"value": {"told": told}}]}
    event = {
        "id": 7, "type": "WORKFLOW_EXECUTION_UPDATE_COMPLETED", "time": told_at.isoformat(),
        "attributes": {"outcome": {"success": payloads}},
    }  # fmt: skip
    run = {"run_id": "run", "previous_run_id": None, "next_run_id": None, "closed_at": None, "status": "running"}

    def found(after: timedelta) -> list[str]:
        return list(ledger_against_history("incident-1", [], [(run, [event])], told_at + after))

    assert found(ON_ITS_WAY) == []
    assert found(ON_ITS_WAY + timedelta(seconds=1))[0].startswith(
        "entry-missing: incident-1 entry 1: event 7 of run run"
    )


# ---- while a case goes on -------------------------------------------------------------------------------------------


class GoesOn(OneConnection):
    """A town's database before whose second reading something happens to the case, once."""

    def __init__(self, pool: asyncpg.Pool, happens: Callable[[], Awaitable[None]]) -> None:
        self._pool, self._happens, self._readings = pool, happens, 0

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Connection]:
        self._readings += 1
        if self._readings == 2:
            await self._happens()
        async with self._pool.acquire() as connection:
            yield connection


async def test_a_case_that_goes_on_while_it_is_looked_at_is_accused_of_nothing(
    temporal: Client, pool: asyncpg.Pool, keys: Keys, door: OpenDoor
) -> None:
    """Between histories and ledger a case goes on in another run: what that one wrote is nobody else's."""
    town = await door(INCIDENT, history_limit=20)
    case_id = await town.start()
    first = (await temporal.get_workflow_handle(case_id).describe()).run_id

    async def goes_on() -> None:
        await town.go(case_id, town.examples.MAIN.steps[:3])

    moving: Any = GoesOn(pool, goes_on)
    checked = verify_archive(moving, keys, ArchiveStore(None), [case_id], temporal)
    (found,) = [each async for each in checked]

    assert (await temporal.get_workflow_handle(case_id).describe()).run_id != first
    assert found.ok, found.detail


# ---- made anew ------------------------------------------------------------------------------------------------------


async def test_a_row_is_made_anew_from_answers(
    temporal: Client, pool: asyncpg.Pool, keys: Keys, settings: Settings, town: ApiDriver
) -> None:
    """The last that a case told of its row was what an answer changed of it: a replay makes all of it again."""
    case_id = await answered(temporal, town)
    await town.go(case_id, [Step("arrive", "officer")])
    before = await pool.fetchrow(f"select {COLUMNS} from cases where case_id = $1", case_id)  # noqa: S608
    await pool.execute(
        "update cases set stage = 'verifying', clocks = '[]', snapshot = snapshot || '{\"stage\": \"verifying\"}' "
        "where case_id = $1",
        case_id,
    )
    histories = live_histories(temporal, pool)
    seen = [each async for each in rebuild_rows(pool, keys, settings, histories, [case_id], write=False)]
    done = [each async for each in rebuild_rows(pool, keys, settings, histories, [case_id], write=True)]
    after = await pool.fetchrow(f"select {COLUMNS} from cases where case_id = $1", case_id)  # noqa: S608
    last = (await told_by(temporal, keys, case_id))[-1]

    assert before is not None
    assert (before["seq"], before["head_hash"]) == last
    assert [each.ok for each in seen] == [False]
    assert [(each.ok, each.detail) for each in done] == [(True, "rebuilt: stage, clocks, snapshot")]
    assert after == before


async def test_the_state_at_each_entry_is_had(
    temporal: Client, pool: asyncpg.Pool, keys: Keys, settings: Settings, town: ApiDriver
) -> None:
    """Of each entry that was told, with an answer or by the case itself, the state is one that the ledger knows."""
    case_id = await town.walk(town.examples.MAIN)
    histories = town_histories(temporal, pool, keys, ArchiveStore(None))
    runs = await histories(case_id)
    chain = {row["seq"]: row["hash"] for row in await pool.fetch("select * from chain_of($1)", case_id)}
    states = [(await rebuild_state(runs, keys, settings, Wanted(seq=seq))).state for seq in chain]
    told = {seq for seq, _ in await told_by(temporal, keys, case_id)}

    assert all(chain[state.seq] == state.head_hash for state in states)
    assert all(state.seq >= seq for seq, state in zip(chain, states, strict=True))
    assert told <= {state.seq for state in states}
    assert len(told) >= len(town.examples.MAIN.steps) // 2


# ---- a case from before ---------------------------------------------------------------------------------------------


async def test_a_bundle_of_a_case_that_tells_by_itself_is_whole(
    temporal: Client,
    pool: asyncpg.Pool,
    keys: Keys,
    settings: Settings,
    door: OpenDoor,
    archiver: Archiver,
    tmp_path: Path,
) -> None:
    """A case from before tells nothing with its answers; its bundle holds none, and is checked as ever."""
    ours = settings.model_copy(update={"tells_with_answers": False})
    now = datetime.now(UTC)

    async def connected() -> Client:
        return temporal

    app = create_app(ours, keys, pool, connected, town_time=TownTime.starting(now, now, 1))
    usual = await door(INCIDENT)
    async with api_of(app) as api:
        town = ApiDriver(api, usual.token, INCIDENT)
        case_id = await town.walk(next(walk for walk in town.examples.WALKS if walk.name == "rejected"))
        await temporal.get_workflow_handle(case_id).result()
    told = await told_by(temporal, keys, case_id)
    await archiver.archive_case(case_id)
    file = tmp_path / "case.zip"
    file.write_bytes(await export_case(pool, keys, ArchiveStore(None), ours, case_id))

    assert told == []
    assert check(file) == []


async def test_a_bundle_of_an_open_case_is_judged_by_when_it_was_exported(
    temporal: Client,
    pool: asyncpg.Pool,
    keys: Keys,
    settings: Settings,
    town: ApiDriver,
    archiver: Archiver,
    tmp_path: Path,
) -> None:
    """An open case with answers is exported whole; without the entry of the last answer it is, as it were, on its way."""
    case_id = await answered(temporal, town)
    await archiver.archive_case(case_id)
    file = tmp_path / "case.zip"
    file.write_bytes(await export_case(pool, keys, ArchiveStore(None), settings, case_id))
    with zipfile.ZipFile(io.BytesIO(file.read_bytes())) as bundle:
        run = next(name for name in bundle.namelist() if name.startswith("histories/") and name.endswith(".json"))
        events = json.loads(bundle.read(run))

    assert len(list(answers(events))) == 1
    assert check(file) == []
