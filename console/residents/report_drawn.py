"""The pages of a report as they are drawn: a question with what was written, and everything before it is sent."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from console.forms.faults import PlacedFault
from console.forms.sheet import Sheet
from console.http.pages import page
from console.residents.photos import AT_MOST
from console.residents.questions import Asked, Report
from console.residents.report_drafts import Draft
from console.residents.sending import TRAP
from schemas.values.both import Both
from starter.cases.alike_in_public import OpenAlready, open_already
from starter.intake.filing import Filing
from starter.intake.guests import Guest
from starter.intake.starts import Opening

REPORT = "/report"
FOUND_AT_MOST = 8


async def checked(  # noqa: PLR0917 - a draft, and what speaks against it
    request: Request,
    filing: Filing,
    opening: Opening[Any],
    draft: Draft,
    told: Sequence[PlacedFault],
    status: int = HTTPStatus.OK,
) -> Response:
    """Everything that was written, page by page. `told`: what speaks against what was just sent."""
    guest = Guest(draft.guest)
    report = Report.of(filing, opening, guest)
    _, faults = await report.judged(filing, guest, draft.texts)
    already = await _open_already(filing, opening, draft)
    lacking = {asked.number: report.placed(asked, faults) for asked in report.pages}
    return page(
        request,
        "report_check.html",
        status,
        opening=opening,
        pages=report.answers(draft.texts),
        lacking={number: each for number, each in lacking.items() if each},
        told=told,
        already=already,
        begin=f"{REPORT}/{opening.procedure}",
        trap=TRAP,
    )


async def _open_already(filing: Filing, opening: Opening[Any], draft: Draft) -> list[OpenAlready]:
    """What others have reported of the same matter in the same community, if the town lets everybody hear of that."""
    declared, policy = opening.declared, filing.town.policies[opening.procedure]
    matter = next(iter(draft.texts.get(declared.by_words or "", ())), "")
    area = next((each for place in declared.areas for each in draft.texts.get(place, ()) if each), "")
    if not area or not policy.is_told_to_all(matter):
        return []
    procedure, pool = filing.town.procedures[opening.procedure], filing.attachments.pool
    return await open_already(pool, procedure, matter, area, declared.told_at, filing.intake.now())


def draw(  # noqa: PLR0917 - a page, and what was written on it
    request: Request,
    filing: Filing,
    report: Report,
    asked: Asked,
    draft: Draft,
    faults: Sequence[PlacedFault] = (),
    status: int = HTTPStatus.OK,
) -> Response:
    """One question. `faults`: what is wrong with what was written on it."""
    opening = report.opening
    begin = f"{REPORT}/{opening.procedure}"
    sheet = Sheet(
        title=asked.question.zh,
        english=asked.question.en,
        description="",
        action=f"{begin}/{asked.number}",
        back=f"{begin}/{asked.number - 1}" if asked.number > 1 else "/",
        submit=Both("继续", "Continue"),
        controls=asked.controls,
        texts=draft.texts,
        faults=faults,
    )
    found = opening.finds(filing, draft.words)[:FOUND_AT_MOST] if asked.by_words and draft.words else ()
    return page(
        request,
        "report.html",
        status,
        sheet=sheet,
        opening=opening,
        asked=asked,
        steps=len(report.pages),
        words=draft.words,
        found=found,
        photos_at_most=AT_MOST,
    )
