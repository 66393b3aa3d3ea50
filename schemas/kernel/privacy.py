"""What the town does with persons as such: keep them for a time, give out what it holds of them, erase them."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from pydantic import Field

from schemas.values.model import Model

ERASED, REFUSED, EXPORTED = "privacy:erased", "privacy:erasure_refused", "privacy:exported"
"""The kinds of entries of the privacy log."""


class PrivacyPolicy(Model):
    """policies/privacy.yaml: how long persons are kept.

    `keep_years` by procedure, counted from the closing of a case; a person is kept as long as any of their cases asks for.
    `keep_days_without_case`: who stands in no case, such as somebody who sent a document and nothing else.
    `keep_submissions_months`: commands as they came in, and notices in the outbox, counted from when they came; more than a year,
    for whoever repeats a command within it is answered as the first time.
    """

    version: str = Field(min_length=1)
    keep_years: Mapping[str, int]
    keep_days_without_case: int = Field(ge=1, le=3650)
    keep_submissions_months: int = Field(default=24, ge=13, le=1200)

    def faults(self) -> Iterator[str]:
        """Say what is wrong although each field is well formed: place, what, remedy."""
        for procedure, years in self.keep_years.items():
            if not 1 <= years <= 100:  # noqa: PLR2004 - no law asks for more
                yield f"keep_years.{procedure}: {years} years; write 1 to 100"

    def missing(self, procedures: Iterable[str]) -> Iterator[str]:
        """Say which procedures have no time: place, what, remedy."""
        for procedure in procedures:
            if procedure not in self.keep_years:
                yield f"keep_years: nothing for {procedure}; write for how many years after closing its people are kept"


class CaseOfPerson(Model):
    """A case in which a person stands. `roles`: in which of the case's fields; none where only a text of theirs does."""

    case_id: str
    procedure: str | None
    stage: str | None
    opened_at: datetime | None
    closed_at: datetime | None
    ended: bool
    roles: tuple[str, ...] = ()


class KeptText(Model):
    """A text that is kept of a person. `text` is a tombstone once they are erased."""

    reference: str
    kind: str
    kept_at: datetime
    text: str


class KeptDocument(Model):
    """A document of a person: what is known of the file, not the file."""

    reference: str
    sha256: str
    size_bytes: int
    media_type: str
    received_at: datetime
    cleared_at: datetime | None
    cases: tuple[str, ...]


class NamedAs(Model):
    """What a case calls a person: the name that was stated in it, masked. `who` counts different names from 1."""

    case_id: str
    name: str
    who: int


class PersonReading(Model):
    """One reading of something that is kept of a person."""

    at: datetime
    who: str
    role: str
    reference: str
    purpose: str
    case_id: str | None


class PersonExport(Model):
    """All that the town holds of a person. `also`: who stands in the vault by the accounts that they sent their cases from.

    `details`: each statement by itself, with the cases in which it was made. `shared`: under one phone number or account
    several names were stated, so that this may be several people; `only_case`: it is what stands in that case alone.
    `entries_away`: the table with which that case's entries left the ledger, where it is not in this database: what of the person
    stands in those alone is missing here.
    Somebody known by identity number and by account is two persons to the vault; what they uploaded is the account's.
    """

    person: str
    also: tuple[str, ...] = ()
    shared: bool = False
    only_case: str | None = None
    entries_away: str | None = None
    known_since: datetime
    erased_at: datetime | None
    details: tuple[dict[str, Any], ...]
    texts: tuple[KeptText, ...]
    documents: tuple[KeptDocument, ...]
    cases: tuple[CaseOfPerson, ...]
    readings: tuple[PersonReading, ...]
    log: tuple[dict[str, Any], ...]


class Erasure(Model):
    """A person erased: when, by whom, on which basis, and how many texts and documents that took. `also` as in an export."""

    person: str
    also: tuple[str, ...] = ()
    erased_at: datetime
    erased_by: str
    basis: str
    texts: int
    documents: int
    repeated: bool = False


class Due(Model):
    """A person whose time of keeping has passed."""

    person: str
    due_since: datetime
    cases: tuple[str, ...]


def roles_in(snapshot: Mapping[str, Any] | None, person: str) -> tuple[str, ...]:
    """The fields of a case in which a person stands, such as `reporter`."""
    if snapshot is None:
        return ()
    return tuple(sorted(name for name, value in snapshot.items() if _holds(value, person)))


def _holds(value: object, person: str) -> bool:
    if isinstance(value, Mapping):
        return any(_holds(item, person) for item in value.values())
    if isinstance(value, list | tuple):
        return any(_holds(item, person) for item in value)
    return value == person
