"""Forms of staff that are kept as drafts: by a button, by the page itself while somebody writes, and taken up again."""

import re
from dataclasses import replace
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from console.drafts.drafts import Drafts, draft_id
from console.forms.controls import ControlKind, leaves_of
from console.forms.questions import form_page
from console.forms.sheet import KEY, SEQ, TITLE, Sheet, own
from console.http.forms import Posted
from console.http.pages import is_part, page
from engine.keys.tokens import Principal

_SEQ = re.compile(r"[0-9]{1,9}")


async def keep(request: Request, drafts: Drafts, caller: Principal, sheet: Sheet, posted: Posted) -> Response:
    """Keep what stands in a form, and draw it again; to the page itself say only that it is kept."""
    seen = posted.one(SEQ)
    sheet = replace(sheet, seq=int(seen) if _SEQ.fullmatch(seen) else sheet.seq)
    texts = {
        **_without_names_of_files(sheet),
        KEY: [sheet.key],
        TITLE: [sheet.title],
        **({} if sheet.seq is None else {SEQ: [str(sheet.seq)]}),
    }
    found = draft_id(sheet.draft)
    if found is not None:
        sheet = replace(sheet, kept_until=await drafts.keep(caller.subject, found, sheet.action, texts))
    if is_part(request):
        return page(request, "kept.html", HTTPStatus.OK, sheet=sheet)
    return form_page(request, sheet)


async def taken_up(drafts: Drafts, caller: Principal, sheet: Sheet, draft: str) -> Sheet:
    """The form with what was kept of it. Raises Problem: there is no such draft of this account and this form.

    With the number of the entry and of the request that its writer saw: what has come since is told before it is sent.
    """
    found = await drafts.find(caller.subject, draft_id(draft), sheet.action)
    kept = Posted(found.texts)
    seen = kept.one(SEQ)
    return replace(
        sheet,
        texts=own(kept),
        key=kept.one(KEY) or sheet.key,
        seq=int(seen) if _SEQ.fullmatch(seen) else sheet.seq,
        draft=str(found.draft),
        kept_until=found.expires_at,
    )


def _without_names_of_files(sheet: Sheet) -> dict[str, list[str]]:
    """The texts without what a browser says instead of a file that it does not send: a file that was kept is told as JSON."""
    files = {each.place for each in leaves_of(sheet.controls) if each.kind is ControlKind.FILES}
    found = {name: list(each) for name, each in sheet.texts.items()}
    return found | {place: [each for each in found[place] if each.startswith("{")] for place in files & found.keys()}
