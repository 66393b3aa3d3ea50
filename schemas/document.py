"""Documents 附件: files that people attach to a case. The case carries the reference and what the file is, never the file."""

from typing import Annotated

from pydantic import Field, StringConstraints

from schemas.model import Model
from schemas.references import OPAQUE

DocumentReference = Annotated[str, StringConstraints(strict=True, pattern=rf"^document:{OPAQUE}$")]
"""Points to one document of the vault. A model refuses anything else here, so a file name cannot slip into a history."""


class Document(Model):
    """What a document is: `sha256` in hex and `size_bytes` are those of the file as it was sent, `media_type` what it was
    recognised as, whatever the sender called it.
    """

    reference: DocumentReference
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size_bytes: int = Field(ge=1)
    media_type: str = Field(pattern=r"^[a-z]+/[a-z0-9.+-]+$")
