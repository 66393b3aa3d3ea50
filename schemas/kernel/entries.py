"""The entries of a procedure, declared where they belong: the kind, what it is called, why it is as it is, what it refers to."""

from collections.abc import Mapping
from typing import Self

from schemas.explanation import Explain
from schemas.reference_facts import Facts


class EntryKind(str):
    """The kind of an entry, as the ledger keeps it: `summons:declined`.

    `called`: what it is called on screens. `because`: why it is as it is, where it is a decision. `references`: its facts that
    hold references and come from no command; those of a command are known by the types of its fields.
    """

    __slots__ = ("because", "called", "references")

    called: str
    because: Explain | None
    references: Facts

    def __new__(cls, kind: str, title: str, because: Explain | None, references: Facts) -> Self:
        """Make the kind; `Entries` does."""
        made = str.__new__(cls, kind)
        made.called, made.because, made.references = title, because, references
        return made


class Entries:
    """Makes the entry kinds of one procedure, and knows them all: `TAKEN = entries("taken", "受理")`."""

    def __init__(self, procedure: str) -> None:
        self._procedure = procedure
        self._kinds: dict[str, EntryKind] = {}

    def __call__(
        self, code: str, title: str, because: Explain | None = None, references: Facts | None = None
    ) -> EntryKind:
        """Declare a kind. Raises TypeError for one that was declared before."""
        kind = EntryKind(f"{self._procedure}:{code}", title, because, references or {})
        if kind in self._kinds:
            raise TypeError(f"{kind} is declared twice")
        self._kinds[kind] = kind
        return kind

    @property
    def kinds(self) -> Mapping[str, EntryKind]:
        """Every kind that was declared, in that order."""
        return self._kinds
