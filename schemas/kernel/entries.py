"""The entries of a procedure, declared: the kind, what it is called, why it is as it is, what it refers to.

    class Kind(EntryKinds, procedure="NAME"):
        DECLINED = entry("declined", "反哨", because=_declined)

The three of the file of a case are every procedure's, and stand here; those of a part (schemas/parts/) come with it:
`class Kind(PostingEntries, EntryKinds, procedure="NAME")`.
"""

from typing import ClassVar, Self

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

    def __new__(cls, kind: str, called: str, because: Explain | None, references: Facts) -> Self:
        """Make the kind; `entry` does."""
        made = str.__new__(cls, kind)
        made.called, made.because, made.references = called, because, references
        return made


def entry(code: str, called: str, because: Explain | None = None, references: Facts | None = None) -> EntryKind:
    """Declare an entry; the class it stands in says of which procedure."""
    return EntryKind(code, called, because, references or {})


class EntryKinds:
    """The entries of one procedure. Each becomes `PROCEDURE:CODE`; `kinds` are all of them."""

    kinds: ClassVar[tuple[EntryKind, ...]] = ()

    URGED = entry("urged", "催办")
    COMMENTED = entry("commented", "备注")
    ATTACHED = entry("attached", "附件")

    def __init_subclass__(cls, *, procedure: str) -> None:
        """Give each its name. Raises TypeError for two of one code."""
        declared: dict[str, EntryKind] = {}
        for holder in cls.__mro__:
            for name, kind in vars(holder).items():
                if isinstance(kind, EntryKind) and name not in declared:
                    declared[name] = EntryKind(f"{procedure}:{kind}", kind.called, kind.because, kind.references)
        for name, kind in declared.items():
            setattr(cls, name, kind)
        cls.kinds = tuple(declared.values())
        if len(set(cls.kinds)) < len(cls.kinds):
            raise TypeError(f"{procedure}: two entries have one code")
