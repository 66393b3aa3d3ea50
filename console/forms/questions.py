"""One question a page (长辈版): the same form, the same fields and faults, asked one after the other; nothing is kept between two.

What was answered before goes along in the form itself, so it works without a script, without a session, and by going back.
"""

from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from console.forms.faults import PlacedFault
from console.forms.sheet import AT, TO, Sheet
from console.http.forms import Posted
from console.http.look import look_of
from console.http.pages import page


def form_page(request: Request, sheet: Sheet, status: int = HTTPStatus.OK, since: Sequence[Any] = ()) -> Response:
    """A form as its reader wants it: whole, or the question that comes next. `since`: entries that its case has told since."""
    return page(
        request, "form.html", status, sheet=_asked(sheet) if look_of(request).elder else whole(sheet), since=since
    )


def whole(sheet: Sheet) -> Sheet:
    """The form with all of its questions on one page."""
    return replace(sheet, at=None)


def question_of(posted: Posted) -> int | None:
    """Which question was on the page that was sent; None: all were."""
    return _number(posted.one(AT))


def next_question(sheet: Sheet, posted: Posted, faults: Sequence[PlacedFault]) -> Sheet | None:
    """The question to draw after the one that was sent; the same again where something is wrong with it.

    None: all were asked, and the form is sent as a whole.
    """
    last = len(sheet.questions) - 1
    at = question_of(posted)
    if at is None or at > last:
        return None
    if (to := _number(posted.one(TO))) is not None:
        return replace(sheet, at=min(to, last), faults=())
    if here := [each for each in faults if sheet.question_at(each.place) == at]:
        return replace(sheet, at=at, faults=here)
    return replace(sheet, at=at + 1, faults=()) if at < last else None


def _asked(sheet: Sheet) -> Sheet:
    """The form at the question that is to be asked: the first with which something is wrong, where that was not said.

    What is wrong with others is said when these are asked; what is wrong with none of them, at the last.
    """
    last = len(sheet.questions) - 1
    if last < 1:
        return whole(sheet)
    places = [last if at is None else at for at in (sheet.question_at(each.place) for each in sheet.faults)]
    at = min(places) if places and sheet.at not in places else min(sheet.at or 0, last)
    here = [each for each, place in zip(sheet.faults, places, strict=True) if place == at]
    return replace(sheet, at=at, faults=here)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < len("1000") else None
