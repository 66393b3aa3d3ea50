"""The archive: every closed run, once, in its place; and nobody ends a case in silence."""

import json
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from obstore.store import LocalStore
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import History
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest, ResetWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.ledger import Ledger
from audit.archive.archiver import Archiver
from audit.replay.kept_histories import archived_histories, live_or_archived
from audit.replay.replay import replay_cases
from audit.verify.rebuild import rebuild_rows
from audit.verify.verify import verify_archive, verify_cases
from audit.verify.verify_projection import verify_projection
from engine.execution.own_build import own_build
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from engine.store.archive import SQL, ArchiveDamaged, ArchiveStore, Lag, archive_lag
from schemas.audit.ledger import Batch, Projection
from schemas.incident import INCIDENT
from schemas.kernel.case import ENGINE, Entry
from tests.api_callers import watching
from tests.api_driver import ApiDriver, OpenDoor, Step
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("worker")


@pytest.fixture
async def town(door: OpenDoor) -> ApiDriver:
    """A town at real speed."""
    return await door(INCIDENT)


@pytest.fixture
def archiver(temporal: Client, pool: asyncpg.Pool, keys: Keys) -> Archiver:
    """An archiver that keeps the bytes in the database."""
    return Archiver(temporal, pool, keys, ArchiveStore(None))


async def rows(pool: asyncpg.Pool, case_id: str) -> Sequence[asyncpg.Record]:
    return await pool.fetch(SQL.runs_of_case, case_id)


async def ended(temporal: Client, town: ApiDriver) -> str:
    """A case that has come to its end."""
    case_id = await town.walk(next(walk for walk in town.examples.WALKS if walk.name == "rejected"))
    await temporal.get_workflow_handle(case_id).result()
    return case_id


async def in_open_runs(door: OpenDoor) -> str:
    """An open case that is in its second run, by what people did: no clock is faster than they are."""
    town = await door(INCIDENT, history_limit=20)
    case_id = await town.start()
    await town.go(case_id, town.examples.MAIN.steps[:4])
    return case_id


async def in_short_runs(temporal: Client, door: OpenDoor) -> str:
    """A case that has ended after several runs."""
    case_id = await in_open_runs(door)
    await (await door(INCIDENT, history_limit=20)).go(case_id, [Step("close_unresolved", "coordinator")])
    await temporal.get_workflow_handle(case_id).result()
    return case_id


FORGET_WHAT_HAS_NO_END = """
delete from cases where ended and not exists (
    select from archive where archive.case_id = cases.case_id and archive.closed_at is not null
)
"""
"""Cases of tests before, whose workers died for good with the end in the ledger and not in Temporal: they stay behind for ever."""


async def rests(temporal: Client, case_id: str, run_id: str | None = None) -> bool:
    """Whether a case has done all it does by itself."""
    described = (await temporal.get_workflow_handle(case_id, run_id=run_id).describe()).raw_description
    return not described.pending_activities and not described.HasField("pending_workflow_task")


async def quiet(temporal: Client, town: ApiDriver) -> str:
    """An open case that has done all it does by itself."""
    case_id = await town.start()
    assert (await town.case(case_id, wait="seq:1", timeout="60"))["seq"]
    await eventually(lambda: rests(temporal, case_id))
    return case_id


async def test_every_closed_run_is_stored_once(
    temporal: Client, door: OpenDoor, pool: asyncpg.Pool, archiver: Archiver, town: ApiDriver
) -> None:
    """Runs that continue as new and runs that complete stand in the archive; a second pass adds nothing."""
    before = await archiver.one_pass(full=True)  # what other tests left behind in this town
    short, whole = await in_short_runs(temporal, door), await ended(temporal, town)
    first = await archiver.one_pass(full=True)
    stored = {case_id: await rows(pool, case_id) for case_id in (short, whole)}
    await archiver.one_pass(full=True)

    assert first.archived >= 1 + len(stored[short])
    assert (first.left, first.lost) == (before.left, before.lost)
    assert [row["status"] for row in stored[short]][-2:] == ["continued_as_new", "completed"]
    assert [row["status"] for row in stored[whole]] == ["completed"]
    assert stored == {case_id: await rows(pool, case_id) for case_id in (short, whole)}


async def test_a_stored_run_is_the_history_byte_for_byte(
    temporal: Client, pool: asyncpg.Pool, archiver: Archiver, town: ApiDriver
) -> None:
    """What the archive gives back is what Temporal had, in its canonical form, with the hash that the manifest names."""
    case_id = await ended(temporal, town)
    await archiver.archive_case(case_id)
    (row,) = await rows(pool, case_id)
    kept = await ArchiveStore(None).history(row)
    live = await temporal.get_workflow_handle(case_id).fetch_history()

    assert kept == History(events=live.events).SerializeToString(deterministic=True)
    assert row["sha256"] == sha256(kept).hexdigest() == json.loads(row["manifest"])["sha256"]
    assert row["manifest_hash"] == sha256(row["manifest"].encode()).hexdigest()
    assert len(row["history"]) < len(kept)


async def test_a_manifest_says_where_a_run_belongs(
    temporal: Client, door: OpenDoor, pool: asyncpg.Pool, archiver: Archiver, keys: Keys
) -> None:
    """Manifests name the run before with its hash and the run after, the rules, the code and the key of a run."""
    case_id = await in_short_runs(temporal, door)
    await archiver.archive_case(case_id)
    manifests: list[dict[str, Any]] = [json.loads(row["manifest"]) for row in await rows(pool, case_id)]
    first, second, last = manifests[0], manifests[1], manifests[-1]

    assert (first["previous_run_id"], first["previous_sha256"]) == (None, None)
    assert (second["previous_run_id"], second["previous_sha256"]) == (first["run_id"], first["sha256"])
    assert (first["next_run_id"], last["next_run_id"]) == (second["run_id"], None)
    assert {each["first_run_id"] for each in manifests} == {first["run_id"]}
    assert {each["workflow_type"] for each in manifests} == {"incident"}
    assert (first["policy_version"] is not None, first["calendar_version"] is not None) == (True, True)
    assert first["key_ids"] == [keys.payload.active_id]
    assert first["sdks"] == ["temporal-python 1.35.0"]
    assert first["builds"] == [own_build()]


async def test_an_open_case_is_stored_on_demand(
    temporal: Client, pool: asyncpg.Pool, archiver: Archiver, town: ApiDriver
) -> None:
    """A copy of an open run stands beside the closed one that follows later; neither replaces the other."""
    case_id = await quiet(temporal, town)
    (copy,) = await archiver.archive_case(case_id)
    await archiver.one_pass(full=True)
    while_open = [row["status"] for row in await rows(pool, case_id)]
    await town.go(case_id, next(walk for walk in town.examples.WALKS if walk.name == "rejected").steps)
    await temporal.get_workflow_handle(case_id).result()
    await archiver.one_pass(full=True)

    assert (copy.status, while_open) == ("running", ["running"])
    assert sorted(row["status"] for row in await rows(pool, case_id)) == ["completed", "running"]


async def test_a_case_that_temporal_does_not_have_cannot_be_stored(archiver: Archiver) -> None:
    """Asking for a case that never was, or that retention has taken, says so."""
    with pytest.raises(LookupError, match="incident-20200101-000001"):
        await archiver.archive_case("incident-20200101-000001")


async def test_the_bytes_can_lie_in_an_object_store(
    temporal: Client, pool: asyncpg.Pool, keys: Keys, town: ApiDriver, tmp_path: Path
) -> None:
    """With JICENG_ARCHIVE_URL the table holds the manifest, the store the bytes; bytes that are gone are said to be."""
    store = ArchiveStore(LocalStore(tmp_path))
    case_id = await ended(temporal, town)
    await Archiver(temporal, pool, keys, store).archive_case(case_id)
    (row,) = await rows(pool, case_id)
    kept = await store.history(row)
    (file,) = tmp_path.rglob("*.zst")  # noqa: ASYNC240 - a handful of files
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(ArchiveDamaged, match="decompressed"):
        await store.history(row)
    file.unlink()
    with pytest.raises(ArchiveDamaged, match="gone"):
        await store.history(row)

    assert row["history"] is None
    assert sha256(kept).hexdigest() == row["sha256"]


@pytest.mark.parametrize("table", ["archive", "seals"])
async def test_the_archive_refuses_to_be_changed(
    table: str, temporal: Client, pool: asyncpg.Pool, archiver: Archiver, town: ApiDriver
) -> None:
    """Neither update nor delete nor truncate: the database itself says no."""
    await archiver.archive_case(await ended(temporal, town))
    for statement in (f"delete from {table}", f"truncate {table}"):  # noqa: S608 - our own table
        with pytest.raises(asyncpg.RaiseError, match="only ever added to"):
            await pool.execute(statement)


# ---- endings that are not the case's own ----------------------------------------------------------------------------


async def told(pool: asyncpg.Pool, archiver: Archiver, case_id: str, kind: str) -> None:
    """Archive until the ledger of a case has an entry of this kind; Temporal's list is a little late."""

    async def stands() -> bool:
        await archiver.one_pass(full=True)
        return bool(await pool.fetchval("select count(*) from ledger where case_id = $1 and kind = $2", case_id, kind))

    await eventually(stands)


async def test_a_terminated_case_says_so_in_its_ledger(
    temporal: Client, pool: asyncpg.Pool, archiver: Archiver, town: ApiDriver
) -> None:
    """A termination leaves an entry by the engine on the head of the chain, once, and the case is in no inbox any more."""
    case_id = await quiet(temporal, town)
    await temporal.get_workflow_handle(case_id).terminate("gone")
    await told(pool, archiver, case_id, "case:terminated")
    await archiver.one_pass(full=True)
    row = await pool.fetchrow("select * from cases where case_id = $1", case_id)
    chain = await pool.fetch("select * from chain_of($1)", case_id)

    assert row is not None
    assert (row["ended"], row["holder"], row["due_at"], row["stage"]) == (True, "", None, "dispatched")
    assert [entry["kind"] for entry in chain].count("case:terminated") == 1
    assert (chain[-1]["kind"], chain[-1]["seq"]) == ("case:terminated", chain[-2]["seq"] + 1)
    assert (chain[-1]["prev_hash"], chain[-1]["hash"]) == (chain[-2]["hash"], row["head_hash"])
    assert json.loads(chain[-1]["body"])["facts"]["status"] == "terminated"


async def reset(temporal: Client, case_id: str, event_id: int) -> str:
    """Somebody with access to the server turns a case back; the new run."""
    answer = await temporal.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=temporal.namespace,
            workflow_execution=WorkflowExecution(workflow_id=case_id),
            reason="tests",
            workflow_task_finish_event_id=event_id,
            request_id=f"{case_id}-{event_id}",
        ),
        retry=True,
    )
    return answer.run_id


async def first_task(temporal: Client, case_id: str) -> int:
    """The event with which the first workflow task of a case ended: to go back to it is to go back to the beginning."""
    events = (await temporal.get_workflow_handle(case_id).fetch_history()).events
    return next(each.event_id for each in events if each.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)


async def test_a_reset_case_says_so_in_its_ledger(
    temporal: Client, pool: asyncpg.Pool, archiver: Archiver, town: ApiDriver
) -> None:
    """A reset leaves an entry that names both runs; the case goes on, and the entry never goes away."""
    case_id = await quiet(temporal, town)
    await town.go(case_id, town.examples.MAIN.steps[:1])
    old = (await temporal.get_workflow_handle(case_id).describe()).run_id
    new = await reset(temporal, case_id, await first_task(temporal, case_id))

    async def goes_on() -> bool:
        history = await temporal.get_workflow_handle(case_id, run_id=new).fetch_history()
        return "UPDATE_ACCEPTED" in str(history.events) and await rests(temporal, case_id, new)

    await eventually(goes_on)
    await told(pool, archiver, case_id, "case:reset")
    await archiver.archive_case(case_id)  # looks at every run anew, known or not
    await archiver.one_pass(full=True)
    marks = await pool.fetch("select * from ledger where case_id = $1 and kind like 'case:%'", case_id)
    await town.go(case_id, town.examples.MAIN.steps[1:2])
    chain = [entry["kind"] for entry in await pool.fetch("select * from chain_of($1)", case_id)]
    still = await pool.fetchval("select count(*) from ledger where case_id = $1 and kind = 'case:reset'", case_id)

    assert [mark["kind"] for mark in marks] == ["case:reset"]
    facts = json.loads(marks[0]["body"])["facts"]
    assert (facts["run"], facts["new_run"]) == (old, new)
    assert chain[-1] == "incident:arrived"
    assert still == 1


async def test_a_reset_case_goes_on_in_the_runs_that_follow(
    temporal: Client, pool: asyncpg.Pool, archiver: Archiver, door: OpenDoor
) -> None:
    """That a case was reset is no word of another run: the run after the reset one tells on where that one stood."""
    town = await door(INCIDENT, history_limit=20)
    case_id = await quiet(temporal, town)
    new = await reset(temporal, case_id, await first_task(temporal, case_id))
    await town.go(case_id, town.examples.MAIN.steps[:4])

    async def in_a_later_run() -> bool:
        return (await temporal.get_workflow_handle(case_id).describe()).run_id != new and await rests(temporal, case_id)

    await eventually(in_a_later_run)
    await told(pool, archiver, case_id, "case:reset")
    head = await pool.fetchval("select kind from chain_of($1) order by seq desc limit 1", case_id)
    await town.go(case_id, [Step("close_unresolved", "coordinator")])

    async def is_told() -> bool:
        return bool(await pool.fetchval("select ended from cases where case_id = $1", case_id))

    await eventually(is_told)
    assert head == "case:reset"


# ---- how far it is behind -------------------------------------------------------------------------------------------


async def readiness(town: ApiDriver, settings: Settings) -> dict[str, Any]:
    """What an API says of itself that reaches database and Temporal; a busy machine may miss one of them for a moment."""
    said: dict[str, Any] = {}

    async def ready() -> bool:
        said.update((await town.api.get("/readyz", headers=watching(settings))).json())
        return bool(said["status"] == "ready")

    await eventually(ready)
    return said


async def test_a_closed_case_that_is_not_archived_is_counted_and_warned_of(
    temporal: Client, pool: asyncpg.Pool, archiver: Archiver, town: ApiDriver, settings: Settings
) -> None:
    """The lag counts from the oldest end that is not archived; past a third of the retention an operator is told."""
    await archiver.one_pass(full=True)
    await pool.execute(FORGET_WHAT_HAS_NO_END)
    case_id = await ended(temporal, town)
    behind = (await archive_lag(pool)).behind
    metrics = ""

    async def is_caught_up() -> bool:
        nonlocal metrics
        await archiver.one_pass(full=True)
        metrics = (await town.api.get("/metrics", headers=watching(settings))).text
        return not (await archive_lag(pool)).behind  # a case of another test may have ended since the pass began

    await eventually(is_caught_up)
    caught_up = await archive_lag(pool)
    ready = await readiness(town, settings)
    await pool.execute("update archiver_pass set passed_at = passed_at - interval '9 hours', retention_seconds = 86400")
    late: dict[str, Any] = {}

    async def is_told() -> bool:
        late.update(await readiness(town, settings))
        return bool(late["warnings"])  # a busy database leaves the lag out of an answer

    await eventually(is_told)
    await archiver.one_pass(full=True)

    assert await rows(pool, case_id)
    assert behind > timedelta(0)
    assert caught_up.warning is None
    assert (ready["status"], ready["warnings"]) == ("ready", [])
    assert "jiceng_archive_lag_seconds 0.0" in metrics
    assert (late["status"], late["warnings"]) == (
        "ready", ["the archiver has not come through for 9.0 h; is `jiceng archiver` running?"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("behind", "since_pass", "retention", "warned"),
    [
        (0, 0, 24, False), (8, 0, 24, False), (8.1, 0, 24, True), (0, 8, 24, False), (0, 8.1, 24, True),
        (0, None, None, False), (0.1, None, None, True),
    ],
)  # fmt: skip
def test_a_third_of_the_retention_is_the_limit(
    behind: float,
    since_pass: float | None,
    retention: int | None,
    warned: bool,  # noqa: FBT001 - of the table above
) -> None:
    """Up to a third of the retention nobody is warned; without an archiver, as soon as there is something to archive."""
    lag = Lag(
        timedelta(hours=behind),
        None if since_pass is None else timedelta(hours=since_pass),
        None if retention is None else timedelta(hours=retention),
    )

    assert (lag.warning is not None) == warned


async def test_what_a_cut_off_task_wrote_is_no_insertion(
    temporal: Client, pool: asyncpg.Pool, archiver: Archiver, town: ApiDriver, keys: Keys, settings: Settings
) -> None:
    """A termination in the middle of a task leaves its entries without a receipt: found well, of one task only.

    The row is not turned back to what the history knows; that it cannot be rebuilt is said.
    """
    case_id = await quiet(temporal, town)

    async def task(number: int) -> None:
        row = await pool.fetchrow("select * from cases where case_id = $1", case_id)
        assert row is not None
        entry = Entry(
            case_id=case_id, seq=row["seq"] + 1, at=row["opened_at"], actor=ENGINE, kind="tests:cut-off", facts={},
            prev_hash=row["head_hash"],
        ).sealed()  # fmt: skip
        fields = {name: row[name] for name in Projection.model_fields} | {"seq": entry.seq, "head_hash": entry.hash}
        at = row["task_at"] + timedelta(milliseconds=number)
        run = row["first_run_id"]
        await Ledger(pool).write(
            Batch(
                row=Projection(**fields).model_dump_json(), run_id=run, first_run_id=run, task_at=at, entries=(entry,)
            )
        )

    async def found() -> tuple[bool, str]:
        found = [each async for each in verify_archive(pool, keys, ArchiveStore(None), [case_id])]
        return found[0].ok, found[0].detail

    await task(1)
    head = await pool.fetchval("select seq from cases where case_id = $1", case_id)
    await temporal.get_workflow_handle(case_id).terminate("gone")
    await told(pool, archiver, case_id, "case:terminated")
    of_one_task, row = await found(), await rebuilt(pool, keys, settings, case_id, write=True)
    await task(2)
    of_two = await found()

    assert of_one_task[0], of_one_task
    assert (row[0], f"its history ends before entry {head}" in row[1]) == (False, True)
    assert (of_two[0], of_two[1].startswith(f"entry-inserted: {case_id} entry {head}: no run told it")) == (False, True)


async def test_a_terminated_case_verifies_and_replays(
    temporal: Client, pool: asyncpg.Pool, archiver: Archiver, town: ApiDriver, keys: Keys, settings: Settings
) -> None:
    """The entry about a termination is borne out by the archive, and no replay asks for a run that told it."""
    case_id = await quiet(temporal, town)
    await temporal.get_workflow_handle(case_id).terminate("gone")
    await told(pool, archiver, case_id, "case:terminated")
    kept = archived_histories(pool, keys, ArchiveStore(None))
    findings = [each async for each in verify_cases(pool, [case_id], keys.stamp_ring)]
    findings += [each async for each in verify_archive(pool, keys, ArchiveStore(None), [case_id])]
    findings += [each async for each in verify_projection(pool, [case_id])]
    findings += [each async for each in replay_cases(temporal, keys, settings, pool, [case_id], kept)]

    assert [each for each in findings if not each.ok] == []
    assert [each.check for each in findings] == ["ledger", "archive", "projection", "replay"]


async def test_a_late_flush_of_a_terminated_run_is_refused(
    temporal: Client, pool: asyncpg.Pool, archiver: Archiver, town: ApiDriver
) -> None:
    """A worker that was still writing when its case was terminated comes too late: the chain ends with the termination."""
    case_id = await town.walk(town.examples.MAIN)
    row = await pool.fetchrow("select * from cases where case_id = $1", case_id)
    assert row is not None
    late = Entry(
        case_id=case_id, seq=row["seq"] + 1, at=row["opened_at"], actor=ENGINE, kind="tests:late", facts={},
        prev_hash=row["head_hash"],
    ).sealed()  # fmt: skip
    projection = Projection(
        **{name: row[name] for name in Projection.model_fields} | {"seq": late.seq, "head_hash": late.hash}
    )
    batch = Batch(
        row=projection.model_dump_json(),
        run_id="tests",
        first_run_id=row["first_run_id"],
        task_at=row["task_at"],
        entries=(late,),
    )
    await temporal.get_workflow_handle(case_id).terminate("gone")
    await told(pool, archiver, case_id, "case:terminated")
    with pytest.raises(ApplicationError) as refused:
        await Ledger(pool).write(batch)

    assert refused.value.type == "StaleTask"
    assert await pool.fetchval("select kind from chain_of($1) order by seq desc limit 1", case_id) == "case:terminated"


# ---- rows from histories --------------------------------------------------------------------------------------------


async def rebuilt(pool: asyncpg.Pool, keys: Keys, settings: Settings, case_id: str, *, write: bool) -> tuple[bool, str]:
    """What became of the row of a case, rebuilt from the archive alone."""
    histories = archived_histories(pool, keys, ArchiveStore(None))
    found = [each async for each in rebuild_rows(pool, keys, settings, histories, [case_id], write=write)]
    return found[0].ok, found[0].detail


async def test_a_row_is_rebuilt_from_its_archived_history(
    temporal: Client, door: OpenDoor, pool: asyncpg.Pool, archiver: Archiver, keys: Keys, settings: Settings
) -> None:
    """A row that was changed, state and all, or is gone, is what it was after a replay of the archived runs."""
    case_id = await in_short_runs(temporal, door)
    await archiver.archive_case(case_id)
    columns = ", ".join(Projection.model_fields)
    before = await pool.fetchrow(f"select {columns} from cases where case_id = $1", case_id)  # noqa: S608 - our columns
    whole = await rebuilt(pool, keys, settings, case_id, write=False)
    await pool.execute(
        "update cases set stage = 'withdrawn', snapshot = snapshot || '{\"stage\": \"withdrawn\"}' where case_id = $1",
        case_id,
    )
    seen = await rebuilt(pool, keys, settings, case_id, write=False)
    done = await rebuilt(pool, keys, settings, case_id, write=True)
    after = await pool.fetchrow(f"select {columns} from cases where case_id = $1", case_id)  # noqa: S608
    await pool.execute("delete from cases where case_id = $1", case_id)
    put_back = await rebuilt(pool, keys, settings, case_id, write=True)

    assert whole == (True, "as its history says")
    assert seen == (False, (
        f"row-changed: {case_id}: stage is not what its history makes of it; "
        f"row-changed: {case_id}: snapshot is not what its history makes of it"
    ))  # fmt: skip
    assert done == (True, "rebuilt: stage, snapshot")
    assert after == before
    assert put_back == (True, "rebuilt: the whole row")
    assert await pool.fetchrow(f"select {columns} from cases where case_id = $1", case_id) == before  # noqa: S608


async def test_the_row_of_a_terminated_case_is_rebuilt_with_its_termination(
    temporal: Client, pool: asyncpg.Pool, archiver: Archiver, town: ApiDriver, keys: Keys, settings: Settings
) -> None:
    """What the archiver told of a case is put on top of what its history makes of the row."""
    case_id = await quiet(temporal, town)
    await temporal.get_workflow_handle(case_id).terminate("gone")
    await told(pool, archiver, case_id, "case:terminated")
    await pool.execute("update cases set ended = false, holder = 'reporter' where case_id = $1", case_id)
    done = await rebuilt(pool, keys, settings, case_id, write=True)

    assert done == (True, "rebuilt: holder, ended")
    assert await rebuilt(pool, keys, settings, case_id, write=False) == (True, "as its history says")


async def test_a_replay_takes_from_the_archive_what_temporal_does_not_have_any_more(
    temporal: Client, door: OpenDoor, pool: asyncpg.Pool, archiver: Archiver, keys: Keys, settings: Settings
) -> None:
    """A run that retention has taken is replayed from the archive, before those that Temporal still has."""
    case_id = await in_open_runs(door)
    await archiver.archive_case(case_id)
    first, *others = [row["run_id"] for row in await rows(pool, case_id)]
    await temporal.workflow_service.delete_workflow_execution(
        DeleteWorkflowExecutionRequest(
            namespace=temporal.namespace, workflow_execution=WorkflowExecution(workflow_id=case_id, run_id=first)
        ),
        retry=True,
    )

    async def is_gone() -> bool:
        try:
            await temporal.get_workflow_handle(case_id, run_id=first).fetch_history()
        except RPCError as error:
            return error.status is RPCStatusCode.NOT_FOUND
        return False

    await eventually(is_gone, within=90)  # the server takes its time over deletions
    kept = live_or_archived(temporal, pool, keys, ArchiveStore(None))
    (found,) = [each async for each in replay_cases(temporal, keys, settings, pool, [case_id], kept)]

    assert (found.ok, f"in {1 + len(others)} run(s)" in found.detail) == (True, True), found
