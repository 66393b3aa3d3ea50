"""Documents 附件: files that people attach to a case. The case carries the reference and what the file is, never the file."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, StringConstraints

from schemas.values.model import Model
from schemas.values.references import OPAQUE

DocumentReference = Annotated[str, StringConstraints(strict=True, pattern=rf"^document:{OPAQUE}$")]
"""Points to one document of the vault. A model refuses anything else here, so a file name cannot slip into a history."""

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SUFFIXES = {
    "application/pdf": "pdf",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/heic": "heic",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/3gpp": "3gp",
    DOCX: "docx",
    XLSX: "xlsx",
}
RECOGNISED = tuple(SUFFIXES)
"""What a file can be found to be. A town takes these or fewer; nothing that a browser would run, and nothing in which
active content was found (engine/vault/document_types.py)."""


class Document(Model):
    """What a document is. Digest (hex) and size are those of the file as it was sent; the type is what it was found to be."""

    reference: DocumentReference
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size_bytes: int = Field(ge=1)
    media_type: str = Field(pattern=r"^[a-z]+/[a-z0-9.+-]+$")


class DocumentPolicy(Model):
    """policies/documents.yaml: what the town takes.

    `waiting_at_most` bounds the documents of one person that no case has yet, `refused_per_hour` what of one account is refused.
    """

    version: str = Field(min_length=1)
    bytes_max: int = Field(ge=1024, le=100 * 1024 * 1024)
    waiting_at_most: int = Field(ge=1)
    refused_per_hour: int = Field(default=60, ge=1)
    types: tuple[str, ...] = Field(min_length=1)

    def faults(self) -> Iterator[str]:
        """Say what is wrong although each field is well formed: place, what, remedy."""
        for number, media_type in enumerate(self.types):
            if media_type not in RECOGNISED:
                yield f"types.{number}: {media_type!r} is not recognised here; choose from {', '.join(RECOGNISED)}"
            if media_type in self.types[:number]:
                yield f"types.{number}: {media_type!r} stands twice; keep one"
