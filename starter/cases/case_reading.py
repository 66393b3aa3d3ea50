"""Reading cases: one, and the timeline of one. What the caller may not see does not exist."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import asyncpg

from engine.vault.vault import PersonDetails, Vault
from schemas.audit.ledger import earliest, facts_of
from schemas.clocks.calendar import in_shanghai
from schemas.kernel.answers import answered_by
from schemas.kernel.case import CaseState, Entry
from schemas.kernel.procedure import Procedure
from schemas.kernel.reference_facts import Facts, Named, Refers, named_in, with_words
from schemas.kernel.visibility import (
    may_read_fact,
    may_read_persons,
    may_read_texts,
    may_see,
    shown_facts,
    sight_of,
    unheard,
    withholds_from,
)
from schemas.values.actor import Actor, Role
from schemas.values.person_views import shown_person
from schemas.values.references import WITHHELD, PersonReference, Tombstone
from schemas.values.refusals import RefusalCode, say
from schemas.words.titles import title_of
from starter.cases.case_queries import SQL
from starter.cases.case_states import CaseStates
from starter.cases.views import CaseRow, CaseView, ReportReceipt, TimelineActor, TimelineEntry
from starter.http.database import Connection, database, reading
from starter.http.parameters import CASE_ID
from starter.http.problems import Attempt, Problem, ProblemCode

ViewT = TypeVar("ViewT", bound=CaseView)
PURPOSE = "show-timeline"
CLOCKS = "clocks"
NONE: Facts = {}
NOT_OPENED = "〔未打开〕"
"""What stands for a text that nobody has asked to read."""


class CaseReader:
    """Reads cases for a caller. Raises Problem: 404 for what is not there or not to be seen, 503 without Postgres."""

    def __init__(self, pool: asyncpg.Pool, vault: Vault, procedures: Mapping[str, Procedure]) -> None:
        """`states` is for whoever asks as nobody in particular, and then decides alone what may be shown."""
        self._pool = pool
        self._vault = vault
        self.procedures = procedures
        self.states = CaseStates(procedures)

    async def state(self, case_id: str, actor: Actor) -> CaseState:
        """The case as it last told; one that was accepted and does not stand yet, as it will start."""
        if CASE_ID.fullmatch(case_id):
            async with reading(self._pool) as connection:
                state = await self.states.find(connection, case_id)
            if state is not None and may_see(sight_of(state), actor):
                return state
            if state is not None:
                raise unknown_case(Attempt(RefusalCode.NOT_YOUR_CASE, case_id=case_id))
        raise unknown_case()

    async def recent(self, case_id: str, actor: Actor, told: int = 0) -> CaseState:
        """The case as it was last read here, if it had told of entry `told` then and the caller saw it; else as `state`.

        For what the case itself judges afterwards, or has: a moment later it may have told more.
        """
        state = self.states.recent(case_id)
        if state is not None and state.seq >= told and may_see(sight_of(state), actor):
            return state
        return await self.state(case_id, actor)

    async def is_seen(self, case_id: str, actor: Actor) -> bool:
        """Whether somebody sees a case that stands."""
        state = self.states.recent(case_id)
        if state is None:
            async with reading(self._pool) as connection:
                state = await self.states.find(connection, case_id)
        return state is None or may_see(sight_of(state), actor)

    async def commanded(self, case_id: str, actor: Actor, command: str, *, afresh: bool = False) -> CaseState:
        """The case for somebody who gives this command: as `recent`, and in a matter of all also where they do not see it.

        `afresh`: as it stands now, and not as it was read last.
        """
        try:
            return await (self.state if afresh else self.recent)(case_id, actor)
        except Problem as problem:
            if problem.code != ProblemCode.UNKNOWN_CASE or not CASE_ID.fullmatch(case_id):
                raise
            async with reading(self._pool) as connection:
                state = await self.states.find(connection, case_id)
            if state is None or not self.procedures[state.procedure].rules.is_for_neighbours(command, actor.role):
                raise
            return state

    async def state_for_department(self, case_id: str) -> CaseState | None:
        """The case for a department's own system; what it may do there is for the case to say."""
        engine = Actor(subject="department", role=Role.SUPERVISOR)
        try:
            return await self.state(case_id, engine)
        except Problem as problem:
            if problem.code == ProblemCode.UNKNOWN_CASE:
                return None
            raise

    async def standing(self, case_id: str) -> CaseState | None:
        """The case as soon as it has told of itself: its first entries are in the ledger. None before that.

        For the answer to one's own start or command, which is owed also to who may not see the case; how much of it is
        shown then, `may_see` says.
        """
        async with reading(self._pool) as connection:
            return await self.states.standing(connection, case_id)

    async def hears_of(self, state: CaseState, document: str, actor: Actor) -> bool:
        """Whether somebody who sees a case is shown an entry in which this document stands; of most procedures, everybody is."""
        procedure = self.procedures[state.procedure]
        shown_to_all = not procedure.confidential and not withholds_from(actor, procedure.name)
        if shown_to_all and procedure.concerns(actor):
            return True
        async with reading(self._pool) as connection:
            rows = await connection.fetch(SQL.entries_naming, state.case_id, document)
        entries = (Entry.model_validate_json(row["body"]) for row in rows)
        return any(
            procedure.is_heard_by(actor, each.facts, state)
            for each in entries
            for named in named_in(shown_facts(each.kind, each.facts, actor), procedure.references.get(each.kind, NONE))
            if named.reference == document
        )

    def view(self, state: CaseState, actor: Actor, now: datetime) -> CaseView:
        """The case for this caller: with the commands that are legal for them now."""
        return self.view_as(CaseView, state, actor, now)

    def view_as(self, view: type[ViewT], state: CaseState, actor: Actor, now: datetime, **more: Any) -> ViewT:
        """The same with `more` that this kind of view says."""
        procedure = self.procedures[state.procedure]
        facts = _seen_by(actor, procedure, facts_of(state))
        return view(
            **more,
            **{name: facts[name] for name in CaseRow.model_fields},
            title=procedure.title,
            urges=getattr(state, "urges", 0),
            wanting=state.wanting(),
            requests=dict(answered_by(procedure, state)),
            clocks=facts["clocks"],
            legal_commands=procedure.rules.legal(state, actor, now) if state.seq else (),
        )

    def receipt(self, state: CaseState, code: str) -> ReportReceipt:
        """What whoever started a case is told of it, also where they may not see it."""
        title = self.procedures[state.procedure].title
        return ReportReceipt(
            case_id=state.case_id,
            code=code,
            procedure=state.procedure,
            title=title,
            stage=state.stage,
            opened_at=in_shanghai(state.opened_at),
        )

    async def timeline(
        self, case_id: str, actor: Actor, after: int, limit: int, *, opens: bool = True
    ) -> list[TimelineEntry]:
        """The entries of a case that the caller sees, texts resolved for who may read them. The reading is recorded.

        Not `opens`: no text and no person is read, and nothing recorded; what they say stands there as not opened.
        """
        state = await self.state(case_id, actor)
        procedure = self.procedures[state.procedure]
        async with database(self._pool) as connection:
            rows = await connection.fetch(SQL.entries_after, case_id, after, limit)
            entries = [
                _shown(
                    Entry.model_validate_json(row["body"]).model_copy(update={"hash": row["hash"]}),
                    actor,
                    procedure,
                    state,
                )
                for row in rows
            ]
            if opens:
                words = await self._words(connection, procedure, entries, actor, state)
            else:
                words = dict.fromkeys((each.reference for each in _named(procedure, entries)), NOT_OPENED)
        return [_readable(procedure, entry, words) for entry in entries]

    async def _words(
        self, connection: Connection, procedure: Procedure, entries: list[Entry], actor: Actor, state: CaseState
    ) -> dict[str, object]:
        """What stands behind each reference of the entries, for this reader, where a reference is declared."""
        named = _named(procedure, entries)
        withheld = {each.reference for each in named if not may_read_fact(actor, each.fact)}
        texts = sorted({each.reference for each in named if each.refers is Refers.TEXT})
        persons = sorted({each.reference for each in named if each.refers is Refers.PERSON})
        words: dict[str, object] = dict.fromkeys([*texts, *persons], WITHHELD)
        readable = [text for text in texts if text not in withheld]
        if readable and may_read_texts(actor):
            read = await self._vault.read_texts(connection, readable, actor, PURPOSE, state.case_id, state.told_by())
            words |= {reference: str(text) for reference, text in read.items()}
        if persons:
            words |= await self._people(connection, persons, actor, state)
        return words

    async def _people(
        self, connection: Connection, references: Sequence[PersonReference], actor: Actor, state: CaseState
    ) -> dict[str, object]:
        """What this case was told of each person in its entries, for this reader; nothing that was stated elsewhere."""
        persons: dict[str, object] = {}
        for person in references:
            statement = state.statements.get(person)
            persons[person] = WITHHELD
            if not may_read_persons(actor):
                continue
            persons[person] = None
            if statement is not None or not state.charter.people_as_stated:
                details = await self._vault.read_statement(
                    connection, person, statement, actor, purpose=PURPOSE, case_id=state.case_id
                )
                persons[person] = _person(details, actor)
        return persons


def unknown_case(attempt: Attempt | None = None) -> Problem:
    """The same for a case that is not there and for one that the caller may not see; only `attempt` knows which."""
    return Problem(
        ProblemCode.UNKNOWN_CASE,
        say("没有此案件,或您无权查看", "there is no such case, or none that you may see"),
        attempt=attempt,
    )


def _named(procedure: Procedure, entries: Sequence[Entry]) -> list[Named]:
    """Every reference that stands in entries where one is declared."""
    return [
        each
        for entry in entries
        for each in named_in(entry.facts, procedure.references.get(entry.kind, NONE))
        if each.refers is not Refers.DOCUMENT
    ]


def _shown(entry: Entry, reader: Actor, procedure: Procedure, state: CaseState) -> Entry:
    """The entry without the facts that are not for this reader: what stands behind them is not read either."""
    if not procedure.is_heard_by(reader, entry.facts, state):
        return unheard(entry, reader)
    facts = shown_facts(entry.kind, entry.facts, reader)
    if isinstance(clocks := facts.get(CLOCKS), Mapping):
        facts[CLOCKS] = {name: clock for name, clock in clocks.items() if not procedure.is_hushed(name, reader)}
    return entry.model_copy(update={"facts": facts})


def _seen_by(reader: Actor, procedure: Procedure, facts: dict[str, Any]) -> dict[str, Any]:
    """The row of a case without the clocks of which this reader learns nothing."""
    clocks = [each for each in facts[CLOCKS] if not procedure.is_hushed(each.name, reader)]
    if len(clocks) == len(facts[CLOCKS]):
        return facts
    due_at, due_clock = earliest(clocks)
    return {**facts, CLOCKS: clocks, "due_at": due_at, "due_clock": due_clock}


def _person(details: PersonDetails | Tombstone | None, reader: Actor) -> object:
    if isinstance(details, PersonDetails):
        return shown_person(details.model_dump(exclude_none=True), reader.role)
    return str(details) if details else None


def _readable(procedure: Procedure, entry: Entry, words: Mapping[str, object]) -> TimelineEntry:
    actor = entry.actor
    return TimelineEntry(
        seq=entry.seq,
        at=in_shanghai(entry.at),
        actor=TimelineActor(role=actor.role, department=actor.department, channel=actor.channel),
        kind=entry.kind,
        title=title_of(procedure, entry.kind),
        facts=with_words(entry.facts, procedure.references.get(entry.kind, NONE), words),
        hash=entry.hash,
    )
