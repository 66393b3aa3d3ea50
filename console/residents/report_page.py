"""上报: somebody without an account reports something, one question a page. Back, loading again and a lost line lose nothing.

Which procedures are opened so and what is asked in which order, their declarations say (schemas/kernel/openings.py). There is no
riddle to solve: a field that people do not see, how long ago somebody began, and how much comes from one address keep machines
off; and what comes in so is looked at by the town before anybody is sent out.
"""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from console.forms.faults import PlacedFault, said
from console.forms.on_record import on_record
from console.forms.sheet import BACK, own
from console.http.forms import Posted, PostedTexts, read_posted
from console.http.pages import AS_PAGES, page, see_other
from console.residents.photos import AT_MOST, with_photos_kept
from console.residents.questions import DOCUMENTS, Asked, Report
from console.residents.receipt import Receipt
from console.residents.report_drafts import Begun, Draft, ReportDrafts, ReportDraftsOf, forget_draft, set_draft
from console.residents.report_drawn import REPORT, checked, draw
from console.residents.sending import accepted, refuse_machines
from console.staff.opening_page import Openings, OpeningsOf
from schemas.values.actor import Channel
from schemas.values.refusals import say
from schemas.values.tidy_text import is_blank
from starter.cases.public import Residents, ResidentsOf
from starter.http.authentication import GuardOf
from starter.http.problems import Problem, ProblemCode, too_many_requests
from starter.http.senders import address_of
from starter.intake.filing import Filing, FilingOf
from starter.intake.guests import Guest
from starter.intake.starts import Opening

CHECK = "check"
RECEIPT = "receipt"
WORDS = "_words"
FIND = "_find"
router = APIRouter(include_in_schema=False, dependencies=[AS_PAGES])
_ONE = f"{REPORT}/{{procedure}}"


@router.get(REPORT)
async def what_to_report(request: Request, openings: OpeningsOf) -> Response:
    """What can be reported without an account; where it is one thing alone, its first question."""
    found = [each for each in openings.by_procedure.values() if each.declared.questions]
    if len(found) == 1:
        return see_other(f"{REPORT}/{found[0].procedure}/1")
    return page(request, "report_what.html", openings=found)


@router.get(f"{_ONE}/{CHECK}")
async def check_report(
    request: Request, procedure: str, openings: OpeningsOf, filing: FilingOf, drafts: ReportDraftsOf
) -> Response:
    """Everything that was written, to be looked at once more before it is sent."""
    opening = _opening(openings, procedure)
    begun = await drafts.find(request, procedure)
    if begun is None:
        return see_other(f"{REPORT}/{procedure}/1")
    if begun.draft.case_id is not None:
        return see_other(f"{REPORT}/{procedure}/{RECEIPT}")
    return await checked(request, filing, opening, begun.draft, ())


@router.post(f"{_ONE}/{CHECK}")
async def send_report(  # noqa: PLR0917 - what a report is sent with
    request: Request,
    procedure: str,
    posted: PostedTexts,
    openings: OpeningsOf,
    filing: FilingOf,
    residents: ResidentsOf,
    drafts: ReportDraftsOf,
) -> Response:
    """Open the case. Pressed twice it is opened once; whatever speaks against it stands on the page, and nothing is lost."""
    opening = _opening(openings, procedure)
    begun = await drafts.find(request, procedure)
    if begun is None:
        return see_other(f"{REPORT}/{procedure}/1")
    try:
        if begun.draft.case_id is None:
            refuse_machines(posted, begun)
            case_id = await accepted(request, filing, residents, opening, begun.draft)
            await drafts.keep(begun, begun.draft.model_copy(update={"case_id": case_id, "texts": {}, "words": ""}))
    except Problem as problem:
        shown = await checked(request, filing, opening, begun.draft, said(problem), problem.kind.status)
        shown.headers.update(problem.headers)
        return on_record(shown, request, filing, Guest(begun.draft.guest).actor(Channel.APP), problem)
    return see_other(f"{REPORT}/{procedure}/{RECEIPT}")


@router.get(f"{_ONE}/{RECEIPT}")
async def receipt(  # noqa: PLR0917 - what a receipt is made of
    request: Request,
    procedure: str,
    openings: OpeningsOf,
    residents: ResidentsOf,
    drafts: ReportDraftsOf,
    filing: FilingOf,
) -> Response:
    """回执: number, code and where to follow it, to be printed or written down; for this browser, and for half an hour."""
    opening = _opening(openings, procedure)
    begun = await drafts.find(request, procedure)
    if begun is None or begun.draft.case_id is None:
        return see_other(f"{REPORT}/{procedure}/1")
    guest = Guest(begun.draft.guest)
    state = await filing.reader.state(begun.draft.case_id, guest.actor(Channel.APP))
    made = Receipt.of(request, state.case_id, residents.codes.code_of(state.case_id))
    return page(request, "receipt.html", receipt=made, opening=opening, opened_at=state.opened_at)


@router.post(f"{_ONE}/{RECEIPT}")
async def finish(request: Request, procedure: str, posted: PostedTexts, drafts: ReportDraftsOf) -> Response:  # noqa: ARG001 - read to its end
    """I have it: nobody who comes to this machine next finds it here."""
    begun = await drafts.find(request, procedure)
    if begun is not None:
        await drafts.end(begun)
    answer = see_other("/")
    forget_draft(request, answer)
    return answer


@router.get(f"{_ONE}/{{number}}")
async def question(  # noqa: PLR0917 - what a page is drawn with
    request: Request,
    procedure: str,
    number: Annotated[int, Path(ge=1, le=99)],
    openings: OpeningsOf,
    filing: FilingOf,
    drafts: ReportDraftsOf,
) -> Response:
    """One question, with what was written before."""
    opening = _opening(openings, procedure)
    begun = await drafts.find(request, procedure)
    if begun is not None and begun.draft.case_id is not None:
        return see_other(f"{REPORT}/{procedure}/{RECEIPT}")
    draft = Draft(procedure=procedure) if begun is None else begun.draft
    report = Report.of(filing, opening, Guest(draft.guest))
    asked = _asked(report, number)
    if begun is None and number > 1:
        return see_other(f"{REPORT}/{procedure}/1")
    return draw(request, filing, report, asked, draft)


@router.post(f"{_ONE}/{{number}}")
async def answer(  # noqa: PLR0917 - what an answer is kept with
    request: Request,
    procedure: str,
    number: Annotated[int, Path(ge=1, le=99)],
    openings: OpeningsOf,
    filing: FilingOf,
    residents: ResidentsOf,
    drafts: ReportDraftsOf,
    guard: GuardOf,
) -> Response:
    """Keep what was written, whatever it is; then the next question, or the same with what is wrong."""
    opening = _opening(openings, procedure)
    begun = await drafts.find(request, procedure)
    if begun is not None and begun.draft.case_id is not None:
        await read_posted(request)
        return see_other(f"{REPORT}/{procedure}/{RECEIPT}")
    draft = Draft(procedure=procedure) if begun is None else begun.draft
    if begun is not None and (pause := await guard.rates.take(draft.guest)) is not None:
        request.state.posted = await read_posted(request)
        raise too_many_requests(pause)
    guest = Guest(draft.guest)
    report = Report.of(filing, opening, guest)
    asked = _asked(report, number)
    with filing.attachments.upload_memory.held(f"address {address_of(request.scope)}") as held:
        most = filing.attachments.documents.policy.bytes_max * AT_MOST if asked.question.documents else 0
        posted = await read_posted(request, most, held.grow)
        request.state.posted = posted  # whatever goes wrong from here on, what was typed goes back to whoever typed it
        texts, file_faults = await _written(request, filing, residents, asked, draft, posted)
    words = posted.one(WORDS).strip() if asked.by_words else draft.words
    looks = bool(asked.by_words) and (bool(posted.one(FIND)) or words != draft.words) and not is_blank(words)
    if looks and asked.by_words:
        texts.pop(asked.by_words.place, None)  # what was chosen for other words
    draft = draft.model_copy(update={"texts": texts, "words": words})
    begun = await _kept(request, drafts, begun, draft)
    faults = [*file_faults, *await _faults(filing, report, asked, guest, draft)]
    where = _where_to(report, asked, posted, looks=looks)
    if faults and not looks and not posted.one(BACK):
        shown = draw(request, filing, report, asked, draft, faults, HTTPStatus.UNPROCESSABLE_ENTITY)
    else:
        shown = see_other(f"{REPORT}/{procedure}/{where}")
    set_draft(request, shown, begun)
    return shown


def _where_to(report: Report, asked: Asked, posted: Posted, *, looks: bool) -> int | str:
    if looks:
        return asked.number
    if posted.one(BACK):
        return max(1, asked.number - 1)
    return asked.number + 1 if asked.number < len(report.pages) else CHECK


async def _written(  # noqa: PLR0917 - a page, and what was written on it before and now
    request: Request, filing: Filing, residents: Residents, asked: Asked, draft: Draft, posted: Posted
) -> tuple[dict[str, list[str]], list[PlacedFault]]:
    """What was written on all pages, with what came now for this one; what came for others is not taken."""
    sent = own(posted)
    texts = {place: list(each) for place, each in draft.texts.items() if place not in asked.places}
    texts |= {place: sent[place] for place in asked.question.fields if place in sent}
    if not asked.question.documents:
        return texts, []
    guest, known = Guest(draft.guest), draft.texts.get(DOCUMENTS, [])
    kept, faults = await with_photos_kept(request, residents, filing.attachments, guest, posted, known)
    return texts | {DOCUMENTS: kept}, faults


async def _kept(request: Request, drafts: ReportDrafts, begun: Begun | None, draft: Draft) -> Begun:
    if begun is not None:
        return await drafts.keep(begun, draft)
    return await drafts.begin(request, draft)


async def _faults(filing: Filing, report: Report, asked: Asked, guest: Guest, draft: Draft) -> list[PlacedFault]:
    _, faults = await report.judged(filing, guest, draft.texts)
    return report.placed(asked, faults)


def _opening(openings: Openings, procedure: str) -> Opening[Any]:
    found = openings.by_procedure.get(procedure)
    if found is None or not found.declared.questions:
        raise Problem(
            ProblemCode.NOT_FOUND, say("此业务须登录办理", "nobody opens a case of this kind without an account")
        )
    return found


def _asked(report: Report, number: int) -> Asked:
    if number > len(report.pages):
        raise Problem(ProblemCode.NOT_FOUND, say("没有此页", "there is no such page"))
    return report.pages[number - 1]
