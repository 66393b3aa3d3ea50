"""Reads a case as an auditor does: whole, at any moment, or one entry with its reason. Reading opens no text of a person."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from audit.replay.moments import CannotRebuild, Rebuilt, Wanted, rebuild_state
from audit.replay.replay import RunsOf
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from engine.store.database import Queries
from schemas.audit.case_lines import clock_lines, record_of
from schemas.audit.case_record import CaseRecord, Reading, RefusedAttempt, StateAt
from schemas.audit.explaining import explain
from schemas.kernel.case import CaseState, Entry
from schemas.kernel.explanation import Explanation
from schemas.kernel.procedure import Procedure
from schemas.kernel.reference_facts import Refers, named_in
from workflows.registry import PROCEDURES

REBUILT_AT_ONCE = 2
"""Replays think with the core of the process that asks: more at once would make nothing faster."""

_KNOWN: Mapping[str, Procedure] = {case.procedure.name: case.procedure for case in PROCEDURES}
TitleOf = Callable[[Procedure, str], str]
"""What an entry of a kind is called on screens."""


class UnknownCase(LookupError):
    """There is no such case, or it has no such entry."""


class ReadingQueries(Queries):
    """engine/queries/reading.sql."""

    chain_of_case: str
    beside_the_chain: str
    case_row: str
    refused_of_case: str
    readings_of_case: str
    recorded_clocks: str


SQL = ReadingQueries.load("reading")


@dataclass(frozen=True)
class Auditing:
    """What an auditor reads with. `histories`: where the recorded runs of a case come from; `title_of`: words of screens."""

    pool: asyncpg.Pool
    keys: Keys
    settings: Settings
    histories: RunsOf
    title_of: TitleOf
    places: asyncio.Semaphore

    async def record(self, case_id: str, real_now: datetime, until: datetime | None = None) -> CaseRecord:
        """A case whole, or as far as it had come at a moment of town time. Raises UnknownCase."""
        async with self.pool.acquire() as connection:
            state = await _state(connection, case_id)
            entries = await _entries(connection, case_id)
            named = sorted(_items(_KNOWN[state.procedure], entries, state))
            wholes = [each.partition(".")[0] for each in (case_id, *state.told_by())]
            refused = await connection.fetch(SQL.refused_of_case, case_id)
            readings = await connection.fetch(SQL.readings_of_case, case_id, named, wholes)
            beside = await connection.fetchval(SQL.beside_the_chain, case_id)
        procedure = _KNOWN[state.procedure]
        return record_of(
            state,
            entries,
            [RefusedAttempt(**dict(row)) for row in refused],
            [Reading(**{name: row[name] for name in Reading.model_fields}) for row in readings],
            real_now=real_now,
            until=until,
            title=procedure.title,
            title_of=lambda kind: self.title_of(procedure, kind),
            beside_the_chain=beside,
        )

    async def state_at(self, case_id: str, at: datetime) -> StateAt:
        """A case as it stood at a moment. Raises UnknownCase, CannotRebuild."""
        rebuilt = await self._rebuilt(case_id, Wanted(at=at))
        state = rebuilt.state
        async with self.pool.acquire() as connection:
            entries = await _entries(connection, case_id)
        hashes = {entry.seq: entry.hash for entry in entries}
        return StateAt(
            case_id=case_id,
            procedure=state.procedure,
            at=at,
            stage=state.stage,
            holder=state.holder,
            department=state.department,
            ended=state.ended,
            seq=state.seq,
            head_hash=state.head_hash,
            last_at=state.last_at,
            untold=tuple(entry.seq for entry in entries if entry.seq > state.seq and entry.at <= at),
            in_ledger=hashes.get(state.seq) == state.head_hash,
            run=rebuilt.run,
            clocks=clock_lines(state, at),
            state=state.snapshot(),
        )

    async def explanation(self, case_id: str, seq: int) -> Explanation:
        """Why an entry is as it is. Raises UnknownCase.

        Its state is that of the history; where none is left or it does not replay, the row's, and the answer says so.
        """
        async with self.pool.acquire() as connection:
            present = await _state(connection, case_id)
            entries = await _entries(connection, case_id)
        entry = next((entry for entry in entries if entry.seq == seq), None)
        if entry is None:
            raise UnknownCase(f"{case_id} has no entry {seq}; it has {len(entries)}")
        procedure = _KNOWN[present.procedure]
        title = self.title_of(procedure, entry.kind)
        try:
            rebuilt = await self._rebuilt(case_id, Wanted(seq=seq))
        except CannotRebuild:
            return explain(procedure, entry, present, title=title, from_history=False)
        return explain(procedure, entry, rebuilt.state, title=title, from_history=True)

    async def _rebuilt(self, case_id: str, wanted: Wanted) -> Rebuilt:
        async with self.pool.acquire() as connection:
            await _state(connection, case_id)  # a case that nobody knows has no history to look for
        async with self.places:
            try:
                runs = await self.histories(case_id)
            except LookupError as missing:
                raise CannotRebuild(f"{case_id}: {missing}") from missing
            return await rebuild_state(runs, self.keys, self.settings, wanted)


async def _state(connection: Any, case_id: str) -> CaseState:
    row = await connection.fetchrow(SQL.case_row, case_id)
    procedure = _KNOWN.get(row["procedure"]) if row else None
    if row is None or procedure is None:
        raise UnknownCase(f"there is no case {case_id}")
    return procedure.state.model_validate(row["snapshot"])


async def _entries(connection: Any, case_id: str) -> list[Entry]:
    rows = await connection.fetch(SQL.chain_of_case, case_id)
    return [Entry.model_validate_json(row["body"]).model_copy(update={"hash": row["hash"]}) for row in rows]


def _items(procedure: Procedure, entries: Sequence[Entry], state: CaseState) -> set[str]:
    """The texts and documents of a case: what its entries and its state hold where they are declared."""
    declared = procedure.all_references()
    told = [(entry.facts, declared.get(entry.kind, {})) for entry in entries]
    told.append((state.snapshot(), declared[procedure.name]))
    return {
        each.reference for facts, where in told for each in named_in(facts, where) if each.refers is not Refers.PERSON
    }
