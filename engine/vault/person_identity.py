"""By what a person is known: one identity, brought into one form, so that its blind index finds them again."""

import hashlib
import hmac
import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from schemas.values.identity_number import tidy_identity_number


class IdentityKind(StrEnum):
    """What kind of identity it is. The same digits as a phone and as an identity number are two different persons."""

    PHONE = "phone"
    IDENTITY_NUMBER = "identity_number"
    HK_MACAO_PERMIT = "hk_macao_permit"
    TAIWAN_PERMIT = "taiwan_permit"
    FOREIGN_RESIDENCE = "foreign_residence"
    PASSPORT = "passport"
    ACCOUNT = "account"


class IdentityUnusable(ValueError):
    """This does not tell one person from another: give the whole phone number, identity number or account."""

    def __init__(self, kind: IdentityKind) -> None:
        """`kind` says which one; the value itself stays out of messages and logs."""
        super().__init__(f"{kind.value}: {self.__doc__}")


@dataclass(frozen=True, repr=False)
class PersonIdentity:
    """One identity of a person. Take the strongest that is known: identity number, then account, then phone.

    A phone may be shared by a family, whose members are then one person to the vault.
    """

    kind: IdentityKind
    value: str

    @classmethod
    def phone(cls, number: str) -> "PersonIdentity":
        """A phone number, with or without +86, spaces, hyphens. Raises IdentityUnusable (masked, blank, short)."""
        digits = re.sub(r"[\s\-().]", "", unicodedata.normalize("NFKC", number))
        digits = re.sub(r"^(\+|00)?86(?=1\d{10}$)", "", digits)
        return _checked(cls(IdentityKind.PHONE, digits), r"\+?[0-9]{5,20}")

    @classmethod
    def identity_number(cls, number: str) -> "PersonIdentity":
        """The identity number of a citizen. Raises IdentityUnusable (masked, blank, too short)."""
        return cls.document(IdentityKind.IDENTITY_NUMBER, number)

    @classmethod
    def document(cls, kind: IdentityKind, number: str) -> "PersonIdentity":
        """The number of a document of a kind; the same number of another kind is another person. Raises as above."""
        plain = re.sub(r"[\-()]", "", tidy_identity_number(number))
        return _checked(cls(kind, plain), r"[0-9A-Z]{6,30}")

    @classmethod
    def account(cls, subject: str) -> "PersonIdentity":
        """The subject of an account's token, as it is. Raises IdentityUnusable when blank."""
        return _checked(cls(IdentityKind.ACCOUNT, subject), r"\S(.{0,253}\S)?")

    def blind_index(self, key: bytes) -> bytes:
        """HMAC-SHA256 over kind and value: finds the person, tells nothing to who lacks the key."""
        return hmac.new(key, f"jiceng person 1 {self.kind.value} {self.value}".encode(), hashlib.sha256).digest()

    def __repr__(self) -> str:
        return f"PersonIdentity({self.kind.value})"


def _checked(identity: PersonIdentity, pattern: str) -> PersonIdentity:
    if not re.fullmatch(pattern, identity.value):
        raise IdentityUnusable(identity.kind)
    return identity
