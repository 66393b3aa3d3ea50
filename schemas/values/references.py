"""References stand in a case where personal data would: short, opaque, useless without the vault."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import StringConstraints

from schemas.values.model import Model

OPAQUE = "[0-9A-HJKMNP-TV-Z]{26}"  # Crockford's base32: no I, L, O, U to misread aloud

TextReference = Annotated[str, StringConstraints(strict=True, pattern=rf"^text:{OPAQUE}$")]
"""Points to one text in the vault. A model refuses anything else here, so plain text cannot slip into a history."""

PersonReference = Annotated[str, StringConstraints(strict=True, pattern=rf"^person:{OPAQUE}$")]
"""Points to one person in the vault."""

WITHHELD = "〔不予显示〕"
"""What stands in place of a fact, a text or a person that is not for the reader."""


@dataclass(frozen=True)
class WrittenAs:
    """In the metadata of a command's field: what people write there at the door (starter/http/command_bodies.py).

    Beside a TextReference: a text that is no free text, such as an account; the case keeps where it stands in the vault.
    Beside anything else: what is right now. A case of an earlier day has taken what is refused today, and its history must
    be read for ever; so the command takes what it took then, and the door what it takes today.
    `required`: at the door it is not left out.
    """

    kind: Any
    required: bool = False


class Tombstone(Model):
    """What is left of a text whose person was erased: that it was there, and since when it is not."""

    erased_at: datetime

    def __str__(self) -> str:
        return f"〔已于 {self.erased_at:%Y-%m-%d} 依法清除〕"


class Withheld(Model):
    """What is shown where a reference leads nowhere: to a text of another case, to none that was ever kept."""

    def __str__(self) -> str:
        return WITHHELD
