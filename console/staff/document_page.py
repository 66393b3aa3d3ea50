"""A document of a case, for who sees the case: to be saved, or shown. Each is a reading, and recorded as one."""

from fastapi import APIRouter
from starlette.responses import Response

from console.http.pages import AS_PAGES
from console.sign_in.signed_in import SignedIn
from schemas.values.refusals import say
from starter.cases.document_pictures import Size, pdf_of, picture_of
from starter.cases.documents import AttachmentsOf, file_name, read_document
from starter.http.authentication import acting
from starter.http.problems import Problem, ProblemCode

DOCUMENTS = "/documents/{reference}"
PICTURES = {"thumbnail": Size.THUMBNAIL, "picture": Size.SCREEN}
_SHOWN = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}
_PICTURE_POLICY = "sandbox; default-src 'none'"
_PDF_POLICY = (
    "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""A browser shows a PDF by a page of its own making: what that needs. In a sandbox it would show nothing (Chrome, Safari). It is no
page of ours: its type is told and not guessed, and what holds scripts or actions was not taken (engine/vault/active_content.py)."""

router = APIRouter(include_in_schema=False, dependencies=[AS_PAGES])


@router.get(DOCUMENTS)
async def document(reference: str, caller: SignedIn, attachments: AttachmentsOf) -> Response:
    """The file as it was sent, to be saved: a browser runs nothing of it."""
    return await read_document(reference, caller, attachments)


@router.get(f"{DOCUMENTS}/{{shown}}")
async def shown_document(reference: str, shown: str, caller: SignedIn, attachments: AttachmentsOf) -> Response:
    """`thumbnail` and `picture`: drawn anew, so nothing of the file comes along but what it shows. `pdf`: for a tab of its own."""
    actor = acting(caller)
    if shown == "pdf":
        found, content = await pdf_of(reference, actor, attachments)
        disposition = {"Content-Disposition": f'inline; filename="{file_name(found)}"'}
        headers = _SHOWN | disposition | {"Content-Security-Policy": _PDF_POLICY}
        return Response(content, headers=headers, media_type=found.media_type)
    if shown not in PICTURES:
        raise Problem(ProblemCode.NOT_FOUND, say("没有此地址", "there is no such address"))
    media_type, content = await picture_of(reference, actor, attachments, PICTURES[shown])
    return Response(content, headers=_SHOWN | {"Content-Security-Policy": _PICTURE_POLICY}, media_type=media_type)
