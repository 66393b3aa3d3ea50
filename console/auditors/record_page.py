"""审计查阅: a case whole: what happened, how late and why, who was refused, who read, and what vouches for it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from console.auditors.words import who_in_words
from console.http.pages import AS_PAGES, page
from console.sign_in.signed_in import SignedIn
from console.staff.facts import ShownFact, facts_in_words
from console.staff.rows import area_in_words, holder_in_words
from schemas.audit.case_record import ClockLine, Line, StateAt, What
from schemas.audit.clock_explained import count_words
from schemas.clocks.clocks import Status
from schemas.clocks.limits import Limit
from schemas.kernel.case import CaseState
from schemas.kernel.procedure import Procedure
from schemas.values.both import LISTED, Both, together
from schemas.values.refusals import in_both, say
from schemas.words.day_count_words import chinese_length, english_length
from schemas.words.fact_words import status_said
from starter.auditors.audit import ENTRIES_MAX, AuditingOf, auditor_of_case, explain_entry, read_case_audit
from starter.auditors.replays import ReplaysOf
from starter.cases.case_lists import beginning
from starter.cases.reading import ReadingOf
from starter.http.problems import KINDS, Problem, ProblemCode
from starter.intake.town_rules import TownRules, TownRulesOf

OPEN = "open"
_TOWN_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?")
_TOWN_OFFSET = "+08:00"
_KEPT_APART = frozenset({"items", "persons", "cases", "clocks"})
router = APIRouter(include_in_schema=False, dependencies=[AS_PAGES])


@dataclass(frozen=True)
class ShownTime:
    """A clock as it stood. `late`: by how much a duty was late, in words. `counted`: how its due time comes about."""

    name: str
    status: str
    limit: str
    started_at: datetime | None
    due_at: datetime | None
    stopped_at: datetime | None
    late: str
    ran_out: bool
    counted: list[str]


@dataclass(frozen=True)
class ShownLine:
    """A line of the record in words. `kind`: its code; `refused`: why, of an attempt; `read`: how many items, of a reading."""

    line: Line
    who: str
    facts: list[ShownFact]
    clocks: list[ShownTime]
    refused: str = ""
    read: str = ""


@router.get("/audit/cases/{case_id}")
async def record_page(  # noqa: PLR0917 - a case, a moment of it, and what it is read with
    request: Request,
    case_id: str,
    caller: SignedIn,
    reading: ReadingOf,
    auditing: AuditingOf,
    replays: ReplaysOf,
    town: TownRulesOf,
    at: Annotated[str, Query(max_length=40)] = "",
    texts: Annotated[str, Query(max_length=8)] = "",
) -> Response:
    """The record, and with `at` how it stood then. Texts are opened by a click, for each reading is recorded, the auditor's too."""
    actor = await auditor_of_case(caller, reading, case_id)
    opens, moment = texts == OPEN, town_moment(at)
    cannot: Problem | None = None
    try:
        found = await read_case_audit(case_id, actor, reading, auditing, moment, opens=opens)
    except Problem as problem:
        if moment is None or problem.code != ProblemCode.NOT_RECORDED:
            raise
        cannot = problem  # then it is told beside the record, which is there
        found = await read_case_audit(case_id, actor, reading, auditing, None, opens=opens)
    state = await reading.reader.state(case_id, actor)
    record, procedure = found.record, town.procedures[state.procedure]
    return page(
        request,
        "audit_record.html",
        HTTPStatus.OK if cannot is None else cannot.kind.status,
        record=record,
        procedure=procedure,
        stage=procedure.words.stage(record.stage, procedure.name),
        holder=holder_in_words(town, record.holder),
        area=area_in_words(town, record.area),
        clocks=list(_clocks(procedure, record.clocks, state)),
        lines=[_shown(town, procedure, line) for line in record.lines],
        then=None if found.state is None else _then(town, procedure, found.state),
        cannot=cannot,
        proofs=await replays.proofs(case_id),
        at=at,
        opened=opens,
    )


@router.get("/audit/cases/{case_id}/entries/{seq}")
async def entry_page(  # noqa: PLR0917 - an entry, and what it is explained with
    request: Request,
    case_id: str,
    seq: Annotated[int, Path(ge=1, le=ENTRIES_MAX)],
    caller: SignedIn,
    reading: ReadingOf,
    auditing: AuditingOf,
    town: TownRulesOf,
) -> Response:
    """Why an entry is as it is: rule, version, inputs and arithmetic. Texts of people stay references."""
    why = await explain_entry(case_id, seq, caller, reading, auditing)
    return page(
        request,
        "audit_entry.html",
        why=why,
        procedure=town.procedures[why.procedure],
        who=who_in_words(town, why.actor.subject, why.actor.role, why.actor.department, why.actor.channel),
        inputs=[(name, value) for name, value in why.inputs.items() if value is not None],
    )


def town_moment(text: str) -> datetime | None:
    """A moment as a browser's field of date and time gives it, in the town's time; or as the API takes it. Raises Problem."""
    written = text.strip()
    return beginning("at", f"{written}{_TOWN_OFFSET}" if _TOWN_TIME.fullmatch(written) else written or None)


def _then(town: TownRules, procedure: Procedure, state: StateAt) -> dict[str, Any]:
    return {
        "state": state,
        "stage": procedure.words.stage(state.stage, procedure.name),
        "holder": holder_in_words(town, state.holder),
        "clocks": list(_clocks(procedure, state.clocks)),
    }


def _clocks(procedure: Procedure, lines: tuple[ClockLine, ...], state: CaseState | None = None) -> Iterator[ShownTime]:
    """Those that have begun, the running ones first. `state`: as it stands now, where its count is wanted."""
    for line in sorted(lines, key=lambda each: (each.status is not Status.RUNNING, each.clock)):
        if line.status is not Status.IDLE:
            counted = list(count_words(state.clocks[line.clock], state.charter.calendar)) if state else []
            yield _time(procedure, line, counted)


def _time(procedure: Procedure, line: ClockLine, counted: list[str]) -> ShownTime:
    late = timedelta(seconds=line.late_seconds)
    limit = Limit.model_validate(line.limit) if line.limit else None
    return ShownTime(
        name=procedure.words.clock(line.clock, procedure.name),
        status=status_said(line.status),
        limit=in_both(say(limit.chinese, limit.english)) if limit else "",
        started_at=line.started_at,
        due_at=line.due_at,
        stopped_at=line.stopped_at,
        late=in_both(say(chinese_length(late), english_length(late))) if late else "",
        ran_out=line.breached and not line.duty,
        counted=counted,
    )


def _shown(town: TownRules, procedure: Procedure, line: Line) -> ShownLine:
    who = who_in_words(town, line.who.subject, line.who.role, line.who.department, line.who.channel)
    clocks = [_time(procedure, clock, []) for clock in line.clocks]
    if line.what is What.REFUSED:
        code, stage = str(line.facts["code"]), str(line.facts["stage"])
        why = in_both(KINDS[code].title) if code in KINDS else code
        return ShownLine(
            line, who, [], clocks, refused=together(" · ", (why, procedure.words.stage(stage, procedure.name)))
        )
    if line.what is What.READ:
        items = together(LISTED, (f"{kind} {count}" for kind, count in line.facts["items"].items()))
        persons = Both("人", "person(s)")
        return ShownLine(line, who, [], clocks, read=together("", (f"{line.facts['persons']} ", persons, ": ", items)))
    return ShownLine(line, who, facts_in_words(town, line.facts, _KEPT_APART), clocks)
