"""案件页: where a case stands, who has it, its clocks, what can be done, what cannot yet and why, and what happened."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode
from uuid import uuid4

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from console.http.pages import AS_PAGES, page
from console.http.site import SiteOf
from console.papers.papers import PapersOf
from console.sign_in.signed_in import SignedIn
from console.staff.facts import shown_entry
from console.staff.final import is_final
from console.staff.paper_page import facts_of, offered
from console.staff.rows import about, area_in_words, holder_in_words, shown_rows
from schemas.audit.clock_explained import count_words
from schemas.clocks.clocks import Status
from schemas.clocks.time_left import TimeLeft, time_left
from schemas.kernel.case import CaseState
from schemas.kernel.case_file import Attach, Comment, FiledState, Replan, Urge
from schemas.kernel.procedure import Procedure
from schemas.kernel.visibility import may_read_texts
from schemas.values.actor import Actor
from schemas.values.both import titled
from schemas.values.document import Document
from schemas.values.refusals import RefusalCode
from schemas.words.fact_words import status_said
from starter.cases.case_lists import CaseLists, Filters, Sort
from starter.cases.document_pictures import can_be_drawn
from starter.cases.inbox import holder_of
from starter.cases.reading import Reading, ReadingOf
from starter.cases.views import CaseRow
from starter.http.authentication import acting
from starter.http.problems import Problem, ProblemCode
from starter.intake.command_forms import CommandForm, forms_of
from starter.intake.filing import Filing, FilingOf

CHILDREN_SHOWN = 50
ENTRIES_SHOWN = 200
OPEN = "open"
OF_EVERY_CASE = (Urge, Comment, Attach, Replan)
_NOT_THEIRS = frozenset({RefusalCode.NOT_YOUR_ROLE, RefusalCode.NOT_YOUR_CASE})
router = APIRouter(include_in_schema=False, dependencies=[AS_PAGES])


@dataclass(frozen=True)
class ShownClock:
    """A clock in words. `counted`: how its due time comes about, line by line."""

    name: str
    status: str
    due_at: datetime | None
    stopped_at: datetime | None
    left: TimeLeft | None
    breached: bool
    counted: list[str]


@dataclass(frozen=True)
class Act:
    """A command that can be given now. `at_once`: by one click, without a form."""

    form: CommandForm
    at_once: bool
    of_every_case: bool


@dataclass(frozen=True)
class ShownParent:
    """The case that started this one. Without a title: whoever looks does not see it."""

    case_id: str
    title: str
    stage: str


@router.get("/cases/{case_id}")
async def case_page(  # noqa: PLR0917 - what a page of a case is made of
    request: Request,
    case_id: str,
    caller: SignedIn,
    reading: ReadingOf,
    filing: FilingOf,
    site: SiteOf,
    papers: PapersOf,
    texts: Annotated[str, Query(max_length=8)] = "",
    after: Annotated[int, Query(ge=0, le=10**9)] = 0,
) -> Response:
    """One case. Whoever has it reads its texts at once; whoever looks in opens them by a click, for each reading is recorded."""
    actor, town = acting(caller), filing.town
    state = await reading.reader.state(case_id, actor)
    procedure, now = town.procedures[state.procedure], reading.now()
    opens = texts == OPEN or state.holder == holder_of(actor)
    entries = await reading.reader.timeline(state.case_id, actor, after, ENTRIES_SHOWN + 1, opens=opens)
    forms = forms_of(filing, state, actor).commands
    has_children = any(each.parent == procedure.name for each in town.procedures.values())
    children = await _children(reading, state, actor) if has_children else []
    view = reading.reader.view(state, actor, now)
    return page(
        request,
        "case.html",
        state=state,
        view=view,
        papers=offered(papers, facts_of(town, site, state, view.wanting, now)),
        procedure=procedure,
        stage=procedure.words.stage(state.stage, procedure.name),
        holder=holder_in_words(town, state.holder),
        area=area_in_words(town, state.area),
        about=about(town, state.labels()),
        clocks=_clocks(state, procedure, now),
        acts=_acts(procedure, state, forms),
        not_now=[each for each in forms if not each.possible and each.refusal not in _NOT_THEIRS],
        entries=[shown_entry(town, entry) for entry in entries[:ENTRIES_SHOWN]],
        more_after=entries[ENTRIES_SHOWN - 1].seq if len(entries) > ENTRIES_SHOWN else 0,
        opened=opens,
        documents=await _documents_of(state, actor, reading),
        can_be_drawn=can_be_drawn,
        parent=await _parent(filing, state, actor),
        opens_documents=may_read_texts(actor),
        children=shown_rows(town, children, now),
        more_children=f"/cases?{urlencode({'number': state.case_id + '.'})}" if len(children) >= CHILDREN_SHOWN else "",
        key=str(uuid4()),
        as_of=now,
    )


async def _documents_of(state: CaseState, actor: Actor, reading: Reading) -> list[Document]:
    """The documents that this reader can open: no link leads to what is another's."""
    kept = state.documents if isinstance(state, FiledState) else []
    return [each for each in kept if await reading.reader.hears_of(state, each.reference, actor)]


def _acts(procedure: Procedure, state: CaseState, forms: Sequence[CommandForm]) -> list[Act]:
    """What can be done now: first what this procedure is about, then what anybody may add to any case."""
    acts = [
        Act(
            form,
            at_once=_at_once(procedure, state, form),
            of_every_case=issubclass(procedure.commands[form.command], OF_EVERY_CASE),
        )
        for form in forms
        if form.possible
    ]
    return sorted(acts, key=lambda act: act.of_every_case)


def _at_once(procedure: Procedure, state: CaseState, form: CommandForm) -> bool:
    """Whether one click is enough: nothing is to be written, and it ends nothing."""
    return not form.fields and not is_final(procedure, state.stage, form.command)


async def _parent(filing: Filing, state: CaseState, actor: Actor) -> ShownParent | None:
    """The case that started this one, by its number alone for who may not see it: to show them a way there would be a trap."""
    if state.parent is None:
        return None
    try:
        found = await filing.reader.state(state.parent, actor)
    except Problem as problem:
        if problem.code != ProblemCode.UNKNOWN_CASE:
            raise
        return ShownParent(state.parent, "", "")
    procedure = filing.town.procedures[found.procedure]
    return ShownParent(
        found.case_id, titled(procedure.title, procedure.name), procedure.words.stage(found.stage, procedure.name)
    )


async def _children(reading: ReadingOf, state: CaseState, actor: Actor) -> list[CaseRow]:
    """The cases that this one started, as far as the caller sees them: their numbers begin with its own."""
    rows, _ = await CaseLists(reading.pool).page(
        actor, Filters(number=f"{state.case_id}."), reading.now(), sort=Sort.OPENED, after=None, limit=CHILDREN_SHOWN
    )
    return rows


def _clocks(state: CaseState, procedure: Procedure, now: datetime) -> list[ShownClock]:
    """Every clock that has begun, those that run before the others, the earliest due first."""
    calendar = state.charter.calendar
    shown = [
        ShownClock(
            name=procedure.words.clock(view.name, procedure.name),
            status=status_said(view.status),
            due_at=view.due_at,
            stopped_at=view.stopped_at,
            left=time_left(view.due_at, calendar, now) if view.due_at and view.status is Status.RUNNING else None,
            breached=view.breached,
            counted=list(count_words(state.clocks[view.name], calendar)),
        )
        for view in state.clock_views()
        if view.status is not Status.IDLE
    ]
    return sorted(shown, key=lambda each: (each.left is None, each.due_at is None, str(each.due_at)))
