"""Documents as a page shows them: pictures drawn small and anew, and PDFs as they are, for a tab of their own.

Each is a reading, recorded when the page's browser asks for it, before anything is sent: a thumbnail shows a face or an identity
card as the file does. A page that is only looked at asks for none (console/templates/case.html); and no browser keeps what it got.
The record says by its purpose what was shown: `show-thumbnail`, `show-picture`, or `show-document` for the file itself.
"""

from enum import Enum

from engine.vault.pictures import (
    DRAWN_TYPE,
    SCREEN_EDGE,
    SHOWN_TYPES,
    THUMBNAIL_EDGE,
    NotDrawn,
    TooManyPixels,
    draw_small,
)
from schemas.values.actor import Actor
from schemas.values.document import Document
from starter.cases.documents import Attachments, not_shown, open_document

PDF = "application/pdf"


class Size(Enum):
    """How large a picture is drawn: its longest edge in pixels, and as what the reading is recorded."""

    THUMBNAIL = (THUMBNAIL_EDGE, "show-thumbnail")
    SCREEN = (SCREEN_EDGE, "show-picture")

    @property
    def edge(self) -> int:
        """The longest edge, in pixels."""
        return self.value[0]

    @property
    def purpose(self) -> str:
        """What the record of readings calls it."""
        return self.value[1]


def can_be_drawn(document: Document) -> bool:
    """Whether a page may ask for a picture of it."""
    return document.media_type in SHOWN_TYPES


async def picture_of(reference: str, actor: Actor, attachments: Attachments, size: Size) -> tuple[str, bytes]:
    """Media type and content of a picture. Raises Problem as `open_document`, and 415 for what cannot be drawn."""
    _, content = await open_document(reference, actor, attachments, size.purpose, SHOWN_TYPES)
    async with attachments.documents.drawing:
        try:
            return DRAWN_TYPE, await draw_small(content, size.edge)
        except TooManyPixels:
            raise not_shown("像素过多,无法显示", "it has too many pixels to be shown") from None
        except NotDrawn:
            raise not_shown("图片已损坏或无法打开", "the picture is broken, or cannot be opened") from None


async def pdf_of(reference: str, actor: Actor, attachments: Attachments) -> tuple[Document, bytes]:
    """A PDF as it was sent. Raises Problem as `open_document`, and 415 for another file."""
    return await open_document(reference, actor, attachments, only=frozenset({PDF}))
