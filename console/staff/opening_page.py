"""新建: a new case of any procedure, by the form of its opening; drawn from the declaration like every other."""

from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from console.drafts.drafts import DraftsOf, draft_id
from console.forms.faults import placed, said
from console.forms.offers import CHANNEL, opening_controls
from console.forms.on_record import on_record
from console.forms.questions import form_page, next_question, question_of
from console.forms.sheet import BACK, CHECKED, DRAFT, KEEP, KEY, MORE, Sheet, own
from console.forms.values import body_of, closed_up
from console.http.forms import Posted, read_posted
from console.http.pages import AS_PAGES, page, see_other
from console.sign_in.signed_in import SignedIn
from console.staff.files import bytes_at_most, with_files_kept
from console.staff.kept import keep, taken_up
from console.staff.proposals import TAKEN, proposals_in_words
from console.staff.sent import SUBMISSIONS
from schemas.values.actor import OWN_CASES_ONLY, Actor
from schemas.values.both import shown
from schemas.values.refusals import say
from starter.http.authentication import acting
from starter.http.bodies import check_model, key_faults
from starter.http.dependencies import dependency
from starter.http.problems import Problem, ProblemCode
from starter.intake.answers import answer_start
from starter.intake.filing import FilingOf
from starter.intake.starts import Opening

NEW = "/new"
router = APIRouter(include_in_schema=False, dependencies=[AS_PAGES])


@dataclass(frozen=True)
class Openings:
    """How cases are opened, by procedure; those that people open."""

    by_procedure: dict[str, Opening[Any]]


OpeningsOf = Annotated[Openings, dependency(Openings)]


@router.get(NEW)
async def what_is_new(request: Request, caller: SignedIn, openings: OpeningsOf, filing: FilingOf) -> Response:
    """Which cases somebody may open."""
    theirs = [(name, each) for name, each in openings.by_procedure.items() if caller.role in each.starters]
    return page(request, "new.html", openings=theirs, procedures=filing.town.procedures)


@router.get(f"{NEW}/{{procedure}}")
async def opening_form(  # noqa: PLR0917 - whose form of what, and what was kept of it
    request: Request,
    procedure: str,
    caller: SignedIn,
    openings: OpeningsOf,
    filing: FilingOf,
    drafts: DraftsOf,
    draft: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """The form, blank or with what was kept of it."""
    opening = _opening(openings, procedure)
    opening.refuse_unless_starter(caller.role)
    sheet = _sheet(filing, opening, caller)
    return form_page(request, await taken_up(drafts, caller, sheet, draft) if draft else sheet)


@router.post(f"{NEW}/{{procedure}}")
async def open_case(  # noqa: PLR0911, PLR0917 - what is sent by whom, and each way in which it comes back
    request: Request, procedure: str, caller: SignedIn, openings: OpeningsOf, filing: FilingOf, drafts: DraftsOf
) -> Response:
    """Open the case, once it was looked at once more; or draw the form again with what is wrong."""
    opening = _opening(openings, procedure)
    opening.refuse_unless_starter(caller.role)
    actor, sheet = acting(caller), _sheet(filing, opening, caller)
    posted, sheet = await _read(request, filing, actor, sheet)
    sheet = _with_what_is_taken(opening, sheet, posted)
    if posted.one(KEEP):
        return await keep(request, drafts, caller, sheet, posted)
    if posted.one(MORE) or posted.one(BACK):
        return form_page(request, sheet)
    given, shape_faults = check_model(
        opening.model, body_of(sheet.controls, sheet.texts) | {CHANNEL: actor.channel.value}
    )
    faults = [*await opening.all_faults(filing, caller, given, shape_faults), *key_faults(sheet.key)]
    found = [*sheet.faults, *placed(faults, sheet.controls)]
    if (following := next_question(sheet, posted, found)) is not None:
        return form_page(request, following, HTTPStatus.UNPROCESSABLE_ENTITY if following.faults else HTTPStatus.OK)
    if given is None or found:
        return form_page(request, replace(sheet, faults=found), HTTPStatus.UNPROCESSABLE_ENTITY)
    if not posted.one(CHECKED):
        proposed = await opening.proposes(filing, given) if caller.role not in OWN_CASES_ONLY else None
        return page(request, "check.html", sheet=sheet, **proposals_in_words(filing.town, opening, sheet, proposed))
    try:
        entered = await opening.accept(filing, opening.sender(caller, sheet.key, given), given)
        await answer_start(filing.answering, entered, actor)
    except Problem as problem:
        again = replace(sheet, faults=said(problem, sheet.controls), key=str(uuid4()))
        return on_record(form_page(request, again, problem.kind.status), request, filing, actor, problem)
    await drafts.was_sent(caller.subject, draft_id(sheet.draft))
    return see_other(f"{SUBMISSIONS}/{entered.submission.submission}")


async def _read(request: Request, filing: FilingOf, actor: Actor, blank: Sheet) -> tuple[Posted, Sheet]:
    """What was sent, and the form with it: files are kept, and what is wrong with them stands in it."""
    with filing.attachments.upload_memory.held(actor.subject) as held:
        posted = await read_posted(request, bytes_at_most(filing.attachments, blank.controls), held.grow)
        request.state.posted = posted  # whatever goes wrong from here on, what was typed goes back to whoever typed it
        kept, file_faults = await with_files_kept(filing.attachments, actor, None, posted, own(posted))
    return posted, replace(
        blank,
        texts=closed_up(blank.controls, kept),
        key=posted.one(KEY) or blank.key,
        at=question_of(posted),
        draft=posted.one(DRAFT) or blank.draft,
        faults=file_faults,
    )


def _with_what_is_taken(opening: Opening[Any], sheet: Sheet, posted: Posted) -> Sheet:
    """The form with the proposal that was pressed in the place of what stood there; it is looked at once more."""
    place, taken = opening.declared.by_words, posted.one(TAKEN)
    return sheet if place is None or not taken else replace(sheet, texts={**sheet.texts, place: [taken]})


def _opening(openings: Openings, procedure: str) -> Opening[Any]:
    found = openings.by_procedure.get(procedure)
    if found is None:
        raise Problem(
            ProblemCode.NOT_FOUND, say("没有此业务,或其案件由其他案件发起", "people open no cases of this kind")
        )
    return found


def _sheet(filing: FilingOf, opening: Opening[Any], caller: SignedIn) -> Sheet:
    return Sheet(
        title=shown(opening.title),
        english=opening.title.en,
        description="",
        action=f"{NEW}/{opening.procedure}",
        back=NEW,
        submit=shown(opening.title),
        controls=opening_controls(filing, opening, acting(caller)),
        keeps=True,
    )
