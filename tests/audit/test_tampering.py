"""What somebody with the database owner's rights can do to a case, class by class, and how verification names it.

Ledger, archive and seals; what a changed history computes is of tests/audit/test_strict_replay.py.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg
import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import History, HistoryEvent, WorkflowExecutionSignaledEventAttributes
from temporalio.client import Client

from audit.archive.archiver import Archiver
from audit.archive.seals import Seal, make_seal
from audit.bundle.check_bundle import canonical, history_faults, ledger_faults, run_chain_faults, sha256
from engine.execution.codec import data_converter
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from engine.store.archive import ArchiveStore, unpack
from local.commands.archive_commands import verify_all
from schemas.incident import INCIDENT
from tests.api_driver import ApiDriver, OpenDoor, Step
from tests.tampering import Connection, Entry, OneConnection, as_owner, rewrite_chain, rewrite_run

pytestmark = pytest.mark.usefixtures("worker")


@dataclass
class Kept:
    """Two cases of the same kind that have ended, archived and sealed; `signed`: the entry of the first that a person caused."""

    case_id: str
    other: str
    run_id: str
    signed: int
    seal: Seal
    settings: Settings
    keys: Keys

    async def faults(self, connection: Connection) -> list[str]:
        """What verification finds of the case and of the seals."""
        pool = OneConnection(connection)
        return [
            finding.detail
            async for finding in verify_all(self.settings, self.keys, pool, [self.case_id])  # type: ignore[arg-type]
            if not finding.ok
        ]


@pytest.fixture(scope="module")
async def kept(door: OpenDoor, temporal: Client, pool: asyncpg.Pool, keys: Keys, settings: Settings) -> Kept:
    """Two cases that ended, archived, with three seals: one before, one with and one after them."""
    town: ApiDriver = await door(INCIDENT)
    archiver = Archiver(temporal, pool, keys, ArchiveStore(None))
    await make_seal(pool, keys)
    cases = []
    for _ in range(2):
        cases.append(await town.start())
        await town.go(cases[-1], [Step("sign", "officer"), Step("close_unresolved", "coordinator")])
        await temporal.get_workflow_handle(cases[-1]).result()
        await archiver.archive_case(cases[-1])
    seal = await make_seal(pool, keys)
    await make_seal(pool, keys)
    run_id = await pool.fetchval("select run_id from archive where case_id = $1", cases[0])
    signed = await pool.fetchval("select seq from ledger where case_id = $1 and kind = 'incident:signed'", cases[0])
    return Kept(cases[0], cases[1], run_id, signed, seal, settings, keys)


def found(faults: Sequence[str], start: str) -> bool:
    """Whether one of the findings begins with this class and place."""
    return any(fault.startswith(start) for line in faults for fault in line.split("; "))


async def test_nothing_is_found_where_nothing_was_done(kept: Kept, pool: asyncpg.Pool) -> None:
    """A case that nobody touched verifies: ledger, archive, seals and row."""
    async with as_owner(pool) as connection:
        assert await kept.faults(connection) == []


# ---- what was written for another place -----------------------------------------------------------------------------


async def history_of(connection: Connection, case_id: str) -> History:
    return History.FromString(
        unpack(await connection.fetchval("select history from archive where case_id = $1", case_id))
    )


def event_of(history: History, kind: str) -> HistoryEvent:
    return next(event for event in history.events if event.event_type == EventType.Value(f"EVENT_TYPE_{kind}"))


async def test_a_copied_start_is_found(kept: Kept, pool: asyncpg.Pool) -> None:
    """A case that was begun with the start of another one is named, though the copy is genuine."""
    async with as_owner(pool) as connection:
        copied = event_of(await history_of(connection, kept.other), "WORKFLOW_EXECUTION_STARTED")

        def change(history: History) -> None:
            start = event_of(history, "WORKFLOW_EXECUTION_STARTED").workflow_execution_started_event_attributes
            start.input.CopyFrom(copied.workflow_execution_started_event_attributes.input)

        await rewrite_run(connection, kept.run_id, change)
        faults = await kept.faults(connection)

    assert found(faults, f"start-copied: {kept.case_id} run {kept.run_id} event 1: it was written for {kept.other}"), (
        faults
    )


async def test_a_copied_answer_is_found(kept: Kept, pool: asyncpg.Pool) -> None:
    """What an activity answered in another case, in the place of its answer here, is named."""
    async with as_owner(pool) as connection:
        copied = event_of(await history_of(connection, kept.other), "ACTIVITY_TASK_COMPLETED")

        def change(history: History) -> None:
            answer = event_of(history, "ACTIVITY_TASK_COMPLETED").activity_task_completed_event_attributes
            answer.result.CopyFrom(copied.activity_task_completed_event_attributes.result)

        await rewrite_run(connection, kept.run_id, change)
        faults = await kept.faults(connection)

    assert found(faults, f"answer-copied: {kept.case_id} run {kept.run_id} event "), faults
    assert any(f"it was written for {kept.other}, activity place_order" in fault for fault in faults), faults


async def test_a_copied_signal_is_found(kept: Kept, pool: asyncpg.Pool) -> None:
    """A signal that was written for another case, and that no case sent, is named."""
    async with as_owner(pool) as connection:
        copied = event_of(await history_of(connection, kept.other), "WORKFLOW_EXECUTION_STARTED")

        def change(history: History) -> None:
            event = event_of(history, "TIMER_STARTED")
            event.event_type = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
            signal = WorkflowExecutionSignaledEventAttributes(
                signal_name="message", input=copied.workflow_execution_started_event_attributes.input
            )
            event.workflow_execution_signaled_event_attributes.CopyFrom(signal)

        await rewrite_run(connection, kept.run_id, change)
        faults = await kept.faults(connection)

    assert found(faults, f"signal-copied: {kept.case_id} run {kept.run_id} event "), faults
    assert any(f"it was written for {kept.other}" in fault for fault in faults), faults


async def test_a_branch_that_no_run_of_the_case_wrote_is_no_lost_task(kept: Kept, pool: asyncpg.Pool) -> None:
    """What a copy of a case wrote beside its chain is named as such: no run of the case was ever there."""
    async with as_owner(pool) as connection:
        row = await connection.fetchrow("select * from ledger where case_id = $1 and seq = 1", kept.case_id)
        entry = json.loads(row["body"]) | {"facts": {}}
        body = canonical(entry).decode()
        await connection.execute(
            "insert into ledger (case_id, seq, at, kind, actor, body, prev_hash, hash, run_id, task_at) "
            "values ($1, 1, $2, $3, $4, $5, $6, $7, 'copy', $8)",
            kept.case_id, row["at"], row["kind"], row["actor"], body, row["prev_hash"], sha256(body), row["task_at"],
        )  # fmt: skip
        faults = await kept.faults(connection)

    assert found(faults, f"foreign-run: {kept.case_id} entry 1: run copy wrote it"), faults


# ---- the ledger -----------------------------------------------------------------------------------------------------


async def test_a_changed_entry_is_found(kept: Kept, pool: asyncpg.Pool) -> None:
    """An entry whose content is changed does not have its hash any more."""
    async with as_owner(pool) as connection:
        await connection.execute(
            "update ledger set body = replace(body, 'incident:signed', 'incident:arrived') where case_id = $1",
            kept.case_id,
        )
        faults = await kept.faults(connection)

    assert found(faults, f"entry-changed: {kept.case_id} entry {kept.signed}: its content does not have the hash"), (
        faults
    )


async def test_a_changed_column_is_found(kept: Kept, pool: asyncpg.Pool) -> None:
    """A column that queries read must say what the entry says."""
    async with as_owner(pool) as connection:
        await connection.execute(
            "update ledger set at = at - interval '1 day' where case_id = $1 and kind = 'incident:signed'",
            kept.case_id,
        )
        faults = await kept.faults(connection)

    assert found(faults, f"column-changed: {kept.case_id} entry {kept.signed}: the column at"), faults


async def test_a_deleted_entry_is_found(kept: Kept, pool: asyncpg.Pool) -> None:
    """An entry that is gone is missed by the one that follows it."""
    async with as_owner(pool) as connection:
        await connection.execute("delete from ledger where case_id = $1 and seq = 3", kept.case_id)
        faults = await kept.faults(connection)

    assert found(faults, f"entry-deleted: {kept.case_id} entry 3:"), faults


async def test_a_deleted_last_entry_is_found(kept: Kept, pool: asyncpg.Pool) -> None:
    """A chain cut short, its row turned back with it, lacks what the history says that it had."""
    async with as_owner(pool) as connection:
        await rewrite_chain(connection, kept.case_id, lambda entries: list(entries[:-1]))
        faults = await kept.faults(connection)

    assert found(faults, f"entry-deleted: {kept.case_id} entry "), faults
    assert any("the ledger does not" in fault for fault in faults)


async def test_an_inserted_entry_is_found(kept: Kept, pool: asyncpg.Pool) -> None:
    """An entry put after the head, with a right hash and the row moved on, was told by no run of the case."""
    async with as_owner(pool) as connection:
        await rewrite_chain(connection, kept.case_id, lambda entries: [*entries, made_up(entries[-1])])
        faults = await kept.faults(connection)
        (row,) = await connection.fetch("select seq from cases where case_id = $1", kept.case_id)

    assert found(faults, f"entry-inserted: {kept.case_id} entry {row['seq']}: no run told it"), faults


async def test_an_entry_inserted_beside_the_chain_is_found(kept: Kept, pool: asyncpg.Pool) -> None:
    """An entry put after the head without moving the row is no lost task: those are followed by others."""
    async with as_owner(pool) as connection:
        before = await connection.fetchrow(
            "select seq, head_hash, snapshot from cases where case_id = $1", kept.case_id
        )
        await rewrite_chain(connection, kept.case_id, lambda entries: [*entries, made_up(entries[-1])])
        await connection.execute(
            "update cases set seq = $2, head_hash = $3, snapshot = $4 where case_id = $1", kept.case_id, *before
        )
        faults = await kept.faults(connection)

    assert found(faults, f"entry-inserted: {kept.case_id} entry {before['seq'] + 1}: it follows the head"), faults


def made_up(entry: Entry) -> Entry:
    """An entry by the engine, as an attacker would write it."""
    return {**entry, "kind": "incident:noted", "stamp": None, "command_digest": "", "facts": {}} | {
        "actor": {**entry["actor"], "role": "engine", "subject": "engine"}
    }


async def test_an_invented_termination_is_found(kept: Kept, pool: asyncpg.Pool) -> None:
    """An entry about a termination that no archived run bears out was put there by somebody."""
    async with as_owner(pool) as connection:
        facts = {"run": kept.run_id, "status": "terminated"}
        mark = {"kind": "case:terminated", "facts": facts}
        await rewrite_chain(connection, kept.case_id, lambda entries: [*entries, made_up(entries[-1]) | mark])
        faults = await kept.faults(connection)

    assert found(faults, f"entry-inserted: {kept.case_id} entry "), faults
    assert any("no archived run was terminated as it says" in fault for fault in faults)


async def test_two_swapped_entries_are_found(kept: Kept, pool: asyncpg.Pool) -> None:
    """Two entries in each other's place are named as such, whichever columns went with them."""
    for columns in ("body", "body, hash"):
        async with as_owner(pool) as connection:
            names = columns.split(", ")
            both = {
                seq: await connection.fetchrow(
                    f"select {columns} from ledger where case_id = $1 and seq = $2", kept.case_id, seq  # noqa: S608
                )
                for seq in (2, 3)
            }  # fmt: skip
            for seq, content in ((2, both[3]), (3, both[2])):
                await connection.execute(
                    f"update ledger set {', '.join(f'{name} = ${at}' for at, name in enumerate(names, 3))} "  # noqa: S608
                    "where case_id = $1 and seq = $2",
                    kept.case_id, seq, *content,
                )  # fmt: skip
            faults = await kept.faults(connection)

        assert found(faults, f"entries-swapped: {kept.case_id} entry 2: its content is that of entry 3"), faults


async def test_an_exchanged_actor_is_found(kept: Kept, pool: asyncpg.Pool) -> None:
    """Whoever puts another person into an entry, with fresh hashes, does not have the API's signature for it."""

    def exchanged(entries: Sequence[Entry]) -> list[Entry]:
        return [
            {**entry, "actor": {**entry["actor"], "subject": "somebody-else"}}
            if entry["kind"] == "incident:signed"
            else entry
            for entry in entries
        ]

    def with_the_stamp(entries: Sequence[Entry]) -> list[Entry]:
        return [
            {**entry, "stamp": {**entry["stamp"], "actor": entry["actor"]}}
            if entry["kind"] == "incident:signed"
            else entry
            for entry in exchanged(entries)
        ]

    def without_a_stamp(entries: Sequence[Entry]) -> list[Entry]:
        return [
            {**entry, "stamp": None} if entry["kind"] == "incident:signed" else entry for entry in exchanged(entries)
        ]

    for change in (exchanged, with_the_stamp, without_a_stamp):
        async with as_owner(pool) as connection:
            await rewrite_chain(connection, kept.case_id, change)
            faults = await kept.faults(connection)

        assert found(faults, f"actor-exchanged: {kept.case_id} entry {kept.signed}:"), (change.__name__, faults)


async def test_a_rewritten_chain_is_found_by_its_history(kept: Kept, pool: asyncpg.Pool) -> None:
    """A chain with fresh hashes from the first to the last has others than those that the history recorded."""
    async with as_owner(pool) as connection:
        await rewrite_chain(connection, kept.case_id, with_other_facts)
        await connection.execute("delete from sealed_leaves")
        await connection.execute("delete from seals")
        faults = await kept.faults(connection)

    assert found(faults, f"chain-rewritten: {kept.case_id} entry "), faults
    assert any(f"of run {kept.run_id} has another hash" in fault for fault in faults)


async def test_a_rewritten_chain_is_found_by_its_seal(kept: Kept, pool: asyncpg.Pool) -> None:
    """A chain with fresh hashes has another head than the seal holds, also when nobody has the history any more."""
    async with as_owner(pool) as connection:
        await rewrite_chain(connection, kept.case_id, with_other_facts)
        await connection.execute("delete from archive")
        faults = await kept.faults(connection)

    assert found(faults, f"chain-rewritten: {kept.case_id} entry "), faults
    assert any(f"seal {kept.seal.number} holds another hash, which is not in the ledger" in fault for fault in faults)


async def test_a_rewritten_chain_beside_the_old_one_is_found(kept: Kept, pool: asyncpg.Pool) -> None:
    """Who leaves the old entries where they were, as if a task had been lost, has left more than one task's entries."""
    async with as_owner(pool) as connection:
        old = await connection.fetch("select * from ledger where case_id = $1", kept.case_id)
        await rewrite_chain(connection, kept.case_id, with_other_facts)
        await connection.execute("delete from archive")
        for row in old:
            await connection.execute("insert into ledger select ($1::ledger).* on conflict do nothing", tuple(row))
        faults = await kept.faults(connection)

    assert found(faults, f"chain-rewritten: {kept.case_id} entry "), faults
    assert any("no lost task explains the difference" in fault for fault in faults)


def with_other_facts(entries: Sequence[Entry]) -> list[Entry]:
    """As if something else had been reported."""
    return [
        {**entry, "facts": entry["facts"] | ({"category": "other"} if entry["seq"] == 1 else {})} for entry in entries
    ]


async def test_a_deleted_case_is_found(kept: Kept, pool: asyncpg.Pool) -> None:
    """A case deleted from ledger, rows and archive still stands in a seal."""
    async with as_owner(pool) as connection:
        for table in ("ledger", "cases", "archive"):
            await connection.execute(f"delete from {table} where case_id = $1", kept.case_id)  # noqa: S608
        faults = await kept.faults(connection)

    assert found(faults, f"case-deleted: {kept.case_id} entry "), faults
    assert any(
        f"seal {kept.seal.number} holds this head, the ledger has nothing of the case" in fault for fault in faults
    )


async def test_a_case_deleted_with_its_leaves_is_found(kept: Kept, pool: asyncpg.Pool) -> None:
    """Whoever takes the leaves away too leaves a seal whose root nothing makes any more."""
    async with as_owner(pool) as connection:
        for table in ("ledger", "cases", "archive", "sealed_leaves"):
            await connection.execute(f"delete from {table} where case_id = $1", kept.case_id)  # noqa: S608
        faults = await kept.faults(connection)

    assert found(faults, "leaves-changed: seal "), faults


# ---- the archive ----------------------------------------------------------------------------------------------------


async def test_changed_bytes_of_the_archive_are_found(kept: Kept, pool: asyncpg.Pool) -> None:
    """Bytes that were changed have another hash than the manifest names; bytes cut short are no history."""
    async with as_owner(pool) as connection:
        row = await connection.fetchrow(
            "select manifest, manifest_hash, sha256 from archive where run_id = $1", kept.run_id
        )
        await rewrite_run(connection, kept.run_id, lambda history: setattr(history.events[4], "task_id", 7))
        await connection.execute(
            "update archive set manifest = $2, manifest_hash = $3, sha256 = $4 where run_id = $1", kept.run_id, *row
        )
        changed = await kept.faults(connection)
        await connection.execute("update archive set history = substr(history, 1, 99) where run_id = $1", kept.run_id)
        cut = await kept.faults(connection)

    assert found(changed, f"archive-changed: {kept.case_id} run {kept.run_id}: its bytes do not have the hash"), changed
    assert found(cut, f"archive-changed: {kept.case_id} run {kept.run_id}: its bytes cannot be decompressed"), cut


async def test_changed_bytes_with_a_fresh_manifest_are_found(kept: Kept, pool: asyncpg.Pool) -> None:
    """Bytes and manifest made anew together are not those that the seal holds."""
    async with as_owner(pool) as connection:
        await rewrite_run(connection, kept.run_id, lambda history: setattr(history.events[4], "task_id", 7))
        faults = await kept.faults(connection)

    assert found(faults, f"archive-changed: {kept.case_id} run {kept.run_id}: seal {kept.seal.number} holds another"), (
        faults
    )


async def test_a_changed_manifest_is_found(kept: Kept, pool: asyncpg.Pool) -> None:
    """A manifest that says other rules has another hash."""
    async with as_owner(pool) as connection:
        await connection.execute(
            """update archive set manifest = replace(manifest, '"policy_version":"', '"policy_version":"9') where run_id = $1""",
            kept.run_id,
        )
        faults = await kept.faults(connection)

    assert found(faults, f"manifest-changed: {kept.case_id} run {kept.run_id}: the manifest does not have the hash"), (
        faults
    )


async def test_a_removed_run_is_found(kept: Kept, pool: asyncpg.Pool) -> None:
    """A run that a seal holds must be in the archive."""
    async with as_owner(pool) as connection:
        await connection.execute("delete from archive where run_id = $1", kept.run_id)
        faults = await kept.faults(connection)

    assert found(faults, f"archive-removed: {kept.case_id} run {kept.run_id}: seal {kept.seal.number} holds it"), faults


async def test_the_history_of_another_case_is_found(kept: Kept, pool: asyncpg.Pool) -> None:
    """Another case's history is recognised by its manifest, and when that was made to fit, by its first event."""
    async with as_owner(pool) as connection:
        await connection.execute(
            "update archive set (history, manifest, manifest_hash, sha256, events) = ("
            "select history, manifest, manifest_hash, sha256, events from archive where case_id = $2) where run_id = $1",
            kept.run_id, kept.other,
        )  # fmt: skip
        plainly = await kept.faults(connection)
        ids = {"case_id": kept.case_id, "run_id": kept.run_id, "first_run_id": kept.run_id}
        await rewrite_run(connection, kept.run_id, lambda _: None, **ids)
        made_to_fit = await kept.faults(connection)

    place = f"history-of-another-case: {kept.case_id} run {kept.run_id}:"
    assert found(plainly, f"{place} the manifest is of {kept.other}"), plainly
    assert found(made_to_fit, f"{place} event 1 is the start of {kept.other}"), made_to_fit


async def test_a_removed_event_and_a_truncated_history_are_found(kept: Kept, pool: asyncpg.Pool) -> None:
    """Events taken out of the middle or off the end, bytes and manifest made anew, are missed."""
    for change, start in (
        (lambda history: history.events.pop(5), f"event-removed: {kept.case_id} run {kept.run_id}: event 7"),
        (lambda history: history.events.pop(), f"history-truncated: {kept.case_id} run {kept.run_id}: event "),
    ):
        async with as_owner(pool) as connection:
            await rewrite_run(connection, kept.run_id, change)
            faults = await kept.faults(connection)

        assert found(faults, start), faults


async def test_a_changed_command_is_found(kept: Kept, pool: asyncpg.Pool) -> None:
    """Who holds the payload key and changes what was commanded, in the history, leaves an entry whose digest nothing has."""
    codec = data_converter(kept.keys).payload_codec
    assert codec is not None
    raw = await pool.fetchrow("select * from archive where run_id = $1", kept.run_id)
    assert raw is not None
    history = History.FromString(await ArchiveStore(None).history(raw))
    event = next(
        each for each in history.events if each.HasField("workflow_execution_update_accepted_event_attributes")
    )
    given = event.workflow_execution_update_accepted_event_attributes.accepted_request.input.args.payloads
    opened = await codec.decode(given)
    changed = json.loads(opened[1].data)
    changed["at"] = "2026-01-01T00:00:00+08:00"
    stamp = Payload(metadata=opened[1].metadata, data=json.dumps(changed).encode())
    (closed,) = await codec.encode([stamp])
    given[1].CopyFrom(closed)
    async with as_owner(pool) as connection:
        await rewrite_run(connection, kept.run_id, lambda kept_history: kept_history.CopyFrom(history))
        faults = await kept.faults(connection)

    assert found(faults, f"command-changed: {kept.case_id} entry {kept.signed}: no recorded command has its digest"), (
        faults
    )


# ---- seals ----------------------------------------------------------------------------------------------------------


async def test_a_removed_seal_is_found(kept: Kept, pool: asyncpg.Pool) -> None:
    """A seal taken out is missed by the next; the newest by the leaves that stand in it, or by who knows of it."""
    async with as_owner(pool) as connection:
        await connection.execute("delete from seals where number = $1", kept.seal.number)
        inside = await kept.faults(connection)
        await connection.execute("delete from seals where number > $1", kept.seal.number)
        at_the_end = await kept.faults(connection)

    assert found(inside, f"seal-removed: seal {kept.seal.number}: after it stands seal {kept.seal.number + 1}"), inside
    assert found(at_the_end, f"seal-removed: seal {kept.seal.number}: leaves stand in it"), at_the_end


async def test_a_seal_that_somebody_knows_is_missed(kept: Kept, pool: asyncpg.Pool) -> None:
    """Who noted a seal finds that it was removed with everything it held, or made anew."""
    known = (kept.seal.number, kept.seal.hash)
    async with as_owner(pool) as connection:
        await connection.execute("delete from sealed_leaves where first_seal >= $1", kept.seal.number)
        await connection.execute(
            "update sealed_leaves set last_seal = null where last_seal >= $1", kept.seal.number - 1
        )
        await connection.execute("delete from seals where number >= $1", kept.seal.number)
        unknown = [each async for each in verify_all(kept.settings, kept.keys, OneConnection(connection), [kept.other])]  # type: ignore[arg-type]
        missed = [
            each.detail
            async for each in verify_all(kept.settings, kept.keys, OneConnection(connection), [kept.other], known)  # type: ignore[arg-type]
            if not each.ok
        ]

    assert [each.detail for each in unknown if not each.ok] == []
    assert missed == [f"seal-removed: seal {kept.seal.number}: it was known, and is not there"]


async def test_a_seal_that_somebody_knows_is_compared(kept: Kept, pool: asyncpg.Pool) -> None:
    """Who noted a seal finds that the one with its number has another hash, however well it is signed."""
    known = (kept.seal.number, "0" * 64)
    async with as_owner(pool) as connection:
        seen = [
            each.detail
            async for each in verify_all(kept.settings, kept.keys, OneConnection(connection), [kept.other], known)  # type: ignore[arg-type]
            if not each.ok
        ]

    assert seen == [f"seal-changed: seal {kept.seal.number}: it was known with another hash"]


async def test_a_forged_seal_is_found(kept: Kept, pool: asyncpg.Pool, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A seal changed, or made anew by a key that is not the town's, is named."""
    async with as_owner(pool) as connection:
        await connection.execute(
            "update seals set body = replace(body, '\"heads\":', '\"heads\":1') where number = $1", kept.seal.number
        )
        changed = await kept.faults(connection)
        row = await connection.fetchrow("select * from seals where number = $1", kept.seal.number)
        signature = "A" * 86 + "=="
        await connection.execute(
            "update seals set signature = $2, hash = encode(sha256(convert_to($3 || chr(10) || $2, 'utf8')), 'hex') "
            "where number = $1",
            kept.seal.number, signature, row["body"],
        )  # fmt: skip
        forged = await kept.faults(connection)

    assert found(changed, f"seal-changed: seal {kept.seal.number}: it does not have the hash"), changed
    assert found(forged, f"seal-forged: seal {kept.seal.number}: no key of the town"), forged


# ---- the row --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "value"), [("stage", "'closed'"), ("due_at", "now()"), ("due_clock", "'sign'"), ("clocks", "'[]'")]
)
async def test_a_changed_row_is_found(kept: Kept, pool: asyncpg.Pool, column: str, value: str) -> None:
    """A column of the row that is not what the state says is named; what a case owes and when stands in columns too."""
    async with as_owner(pool) as connection:
        await connection.execute(f"update cases set {column} = {value} where case_id = $1", kept.case_id)  # noqa: S608
        faults = await kept.faults(connection)

    assert found(faults, f"row-changed: {kept.case_id}: the column {column} is not what its state says"), faults


# ---- what is rarer --------------------------------------------------------------------------------------------------


def another_case(entry: Entry) -> Entry:
    return {**entry, "case_id": "incident-20200101-000001"}


ODD: dict[str, tuple[str, str]] = {
    "the head": (
        "delete from ledger where case_id = $1 and hash = (select head_hash from cases where case_id = $1)",
        "entry-deleted: {case} entry {head}:",
    ),
    "no JSON": (
        "update ledger set body = '{' where case_id = $1 and seq = 2",
        "entry-changed: {case} entry 2: its content cannot be read",
    ),
    "a stray": (
        (
            "insert into ledger select case_id, seq, at, kind, actor, body, repeat('f', 64), repeat('e', 64), run_id, task_at "
            "from ledger where case_id = $1 and seq = 2"
        ), "entry-inserted: {case} entry 2: it follows no entry that is there",
    ),
    "the status of a run": (
        "update archive set status = 'failed' where case_id = $1", "manifest-changed: {case} run {run}: the column status",
    ),
    "all of the ledger": ("delete from ledger where case_id = $1", "case-deleted: {case}: the ledger has no entry"),
    "the row": ("delete from cases where case_id = $1", "case-deleted: {case}: the archive has 1 run(s) of it"),
    "the row alone": ("delete from cases where case_id = $1", "row-deleted: no row"),
    "the procedure": ("update cases set procedure = 'nothing' where case_id = $1", "row-changed: {case}: nothing is no procedure"),
    "the state": ("update cases set snapshot = '{}' where case_id = $1", "row-changed: {case}: its state cannot be read"),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
async def test_the_rarer_ways_are_found_too(name: str, kept: Kept, pool: asyncpg.Pool) -> None:
    """Whatever else is done to rows, entries or columns, by whoever owns the tables, is named with its place."""
    statement, start = ODD[name]
    async with as_owner(pool) as connection:
        head = await connection.fetchval("select seq from cases where case_id = $1", kept.case_id)
        await connection.execute(statement, kept.case_id)
        faults = await kept.faults(connection)

    assert found(faults, start.format(case=kept.case_id, run=kept.run_id, head=head)), faults


async def test_an_entry_of_another_case_is_found(kept: Kept, pool: asyncpg.Pool) -> None:
    """An entry whose content is of another case is named, whatever its hash."""
    async with as_owner(pool) as connection:
        await rewrite_chain(connection, kept.case_id, lambda entries: [another_case(entry) for entry in entries])
        faults = await kept.faults(connection)

    assert found(faults, f"entry-of-another-case: {kept.case_id} entry 1: its content is of incident-20200101"), faults


async def test_an_invented_reset_is_found(kept: Kept, pool: asyncpg.Pool) -> None:
    """An entry about a reset that no archived run was made by is no excuse for a chain that branches."""
    async with as_owner(pool) as connection:
        mark = {"kind": "case:reset", "facts": {"run": kept.run_id, "new_run": "nowhere", "event": 4}}
        await rewrite_chain(connection, kept.case_id, lambda entries: [*entries, made_up(entries[-1]) | mark])
        faults = await kept.faults(connection)

    assert any("no archived run was made by the reset that it tells of" in fault for fault in faults), faults


async def test_who_holds_the_key_cannot_seal_the_past_anew(kept: Kept, pool: asyncpg.Pool) -> None:
    """A seal made anew with the town's own key, after something was changed, is not the one that the next seal holds."""
    key_id, key = kept.keys.seal_key()
    async with as_owner(pool) as connection:
        row = await connection.fetchrow("select * from seals where number = $1", kept.seal.number)
        body = canonical(json.loads(row["body"]) | {"root": "0" * 64, "key_id": key_id})
        signature = base64.b64encode(key.sign(body)).decode()
        await connection.execute(
            "update seals set body = $2, signature = $3, hash = $4 where number = $1",
            kept.seal.number, body.decode(), signature, sha256(f"{body.decode()}\n{signature}"),
        )  # fmt: skip
        faults = await kept.faults(connection)

    assert found(faults, f"seal-removed: seal {kept.seal.number + 1}: it does not hold the seal before it"), faults
    assert not any(fault.startswith(("seal-forged", "seal-changed")) for fault in faults)


MANIFEST = {
    "case_id": "case-1", "run_id": "two", "previous_run_id": "one", "previous_sha256": "aa", "next_run_id": "three",
    "reset_from": None, "sha256": "bb", "events": 2, "status": "continued_as_new", "closed_at": "2026-11-22T00:00:00Z",
}  # fmt: skip


@pytest.mark.parametrize(
    ("others", "start"),
    [
        ([], "run-missing: case-1 run two: it continues run one"),
        ([{"run_id": "one", "sha256": "cc"}], "archive-changed: case-1 run two: run one, which it continues"),
        ([{"run_id": "one", "sha256": "aa"}], "run-missing: case-1 run two: it goes on in run three"),
    ],
)
def test_a_run_that_is_missing_between_others_is_named(others: list[Entry], start: str) -> None:
    """Runs name the run before by its hash and the run after; a case that has ended lacks none of them."""
    before = [
        MANIFEST | {"previous_run_id": None, "previous_sha256": None, "next_run_id": "two"} | each for each in others
    ]
    faults = list(run_chain_faults("case-1", [*before, MANIFEST], ended=True))
    open_case = list(run_chain_faults("case-1", [*before, MANIFEST], ended=False))

    assert [fault for fault in faults if fault.startswith(start)], faults
    assert not any("goes on in" in fault for fault in open_case)


@pytest.mark.parametrize(
    ("events", "start"),
    [
        ([], "history-truncated: case-1 run two: no event"),
        (
            [("WORKFLOW_EXECUTION_STARTED", "one")],
            "history-of-another-case: case-1 run two: event 1 is the start of run one",
        ),
        ([("WORKFLOW_EXECUTION_STARTED", "two")], "history-truncated: case-1 run two: 1 events, the manifest says 2"),
        ([("TIMER_FIRED", "two")], "history-of-another-case: case-1 run two: event 1 is the start of"),
    ],
)
def test_the_form_of_a_history_is_looked_at(events: list[tuple[str, str]], start: str) -> None:
    """A history begins with the start of its own run and has as many events as its manifest says."""
    opened = [
        {"id": number, "type": kind, "attributes": {"workflow_id": "case-1", "original_execution_run_id": run}}
        for number, (kind, run) in enumerate(events, start=1)
    ]
    faults = list(history_faults("case-1", MANIFEST, opened))

    assert [fault for fault in faults if fault.startswith(start)], faults


def test_a_chain_begins_with_an_entry_that_follows_nothing() -> None:
    """Entry 1 that names another before it is not the first: the beginning was cut off."""
    engine = {"role": "engine", "subject": "engine", "department": None}
    entry: Entry = {
        "case_id": "case-1", "seq": 1, "at": "2026-11-22T00:00:00+08:00", "actor": engine, "kind": "case:ended", "facts": {},
        "stamp": None, "command_digest": "", "prev_hash": "f" * 64,
    }  # fmt: skip
    body = canonical(entry).decode()
    row = entry | {
        "actor": "engine:engine",
        "body": body,
        "hash": sha256(body),
        "run_id": "one",
        "task_at": entry["at"],
    }

    assert list(ledger_faults("case-1", [row], (1, row["hash"]), {})) == [
        "entry-changed: case-1 entry 1: it follows another entry"
    ]
