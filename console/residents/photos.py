"""Photos that somebody without an account sends: few, pictures and nothing else, and not too many from one address."""

from collections.abc import Sequence
from http import HTTPStatus

from starlette.requests import Request

from console.forms.faults import PlacedFault
from console.http.forms import Posted
from console.residents.questions import DOCUMENTS
from schemas.values.actor import Channel
from schemas.values.both import shown
from schemas.values.refusals import in_both, say
from schemas.words.field_words import FIELDS
from starter.cases.documents import Attachments, keep_content
from starter.cases.public import Residents
from starter.http.problems import Problem, ProblemCode
from starter.http.senders import sender_of
from starter.intake.guests import Guest

AT_MOST = 3
SENDING = "photo"
"""What is counted of an address (starter/http/senders.py)."""

_PICTURE = "image/"


async def with_photos_kept(  # noqa: PLR0917 - who sends what, and what was sent before
    request: Request, residents: Residents, attachments: Attachments, guest: Guest, posted: Posted, known: Sequence[str]
) -> tuple[list[str], list[PlacedFault]]:
    """The files of a page: those of before that were not taken out, and those that came; and what is wrong with others.

    `known` are those of before. Nothing else that a browser says of a file is believed.
    """
    kept = [each for each in known if each in posted.texts.get(DOCUMENTS, ())]
    faults: list[PlacedFault] = []
    for content in posted.files.get(DOCUMENTS, ()):
        try:
            await _refuse_unless_welcome(request, residents, attachments, content, len(kept))
            document, _ = await keep_content(attachments, guest.actor(Channel.APP), None, content)
        except Problem as problem:
            if problem.kind.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
            faults.append(
                PlacedFault(DOCUMENTS, shown(FIELDS[DOCUMENTS]), in_both(problem.kind.title), in_both(problem.detail))
            )
        else:
            said = document.model_dump_json()
            kept += [] if said in kept else [said]
    return kept, faults


async def _refuse_unless_welcome(
    request: Request, residents: Residents, attachments: Attachments, content: bytes, so_far: int
) -> None:
    if so_far >= AT_MOST:
        raise Problem(
            ProblemCode.BODY_TOO_LARGE, say(f"照片至多{AT_MOST}张", f"at most {AT_MOST} photos are taken with a report")
        )
    await residents.codes.attempts.take(SENDING, await sender_of(request, residents.verifier))
    found = await attachments.documents.examine(content)
    if found.media_type is None or not found.media_type.startswith(_PICTURE):
        raise Problem(
            ProblemCode.DOCUMENT_TYPE,
            say(
                "请上传照片(JPEG、PNG、WebP、HEIC)",
                "send a photo: JPEG, PNG, WebP or HEIC; the content counts, not the name",
            ),
        )
