"""What forms are made of: so few kinds of controls draw every form of every procedure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum


class ControlKind(StrEnum):
    """How a value is written down: all that a town's forms need, whatever the procedure."""

    LINES = "lines"  # several lines of text
    LINE = "line"
    NUMBER = "number"
    MONEY = "money"  # yuan on the screen, fen in the body
    DATE = "date"
    YES_NO = "yes_no"
    RADIOS = "radios"
    SELECT = "select"
    CHECKBOXES = "checkboxes"
    FILES = "files"  # one file or several
    GROUP = "group"  # what belongs together
    ROWS = "rows"  # the same group several times
    TABLE = "table"  # names with numbers
    DATA = "data"  # what only administrators send, as JSON


@dataclass(frozen=True)
class Choice:
    """A value that may be named, as it stands in the body, and its words."""

    value: str | int | bool
    zh: str
    en: str

    @property
    def written(self) -> str:
        """As it stands in the form."""
        return str(self.value).lower() if isinstance(self.value, bool) else str(self.value)


YES_OR_NO = (Choice(value=True, zh="是", en="Yes"), Choice(value=False, zh="否", en="No"))


@dataclass(frozen=True)
class Control:
    """One control. `place` is where its value stands in the body, with dots; `*` is each of the rows.

    `many`: it takes several. `at_least`, `at_most` are bounds as the body has them. `given`: the value that stands there before
    anybody has written. `parts` are those of a group, or of each row.
    """

    place: str
    kind: ControlKind
    zh: str
    en: str
    required: bool = False
    many: bool = False
    choices: tuple[Choice, ...] = ()
    at_least: int | float | str | None = None
    at_most: int | float | str | None = None
    longest: int | None = None
    decimal: bool = False
    given: str = ""
    suggested: tuple[str, ...] = ()
    parts: tuple["Control", ...] = field(default=())

    def at_row(self, number: int) -> "Control":
        """The same of one row: each place that lies in it names the row."""
        return replace(
            self,
            place=self.place.replace("*", str(number), 1),
            parts=tuple(each.at_row(number) for each in self.parts),
        )

    def with_files(self) -> bool:
        """Whether files are sent with it."""
        return self.kind is ControlKind.FILES or any(each.with_files() for each in self.parts)


@dataclass(frozen=True)
class Offered:
    """What may stand in a field just now, where more is known than its type says."""

    choices: tuple[Choice, ...] | None = None
    at_least: int | str | None = None
    at_most: int | str | None = None
    suggested: tuple[str, ...] = ()


NOTHING_MORE = Offered()


def leaves_of(controls: Sequence[Control]) -> Iterator[Control]:
    """Every control that holds a value, those inside groups too."""
    for each in controls:
        if each.kind in {ControlKind.GROUP, ControlKind.ROWS}:
            yield from leaves_of(each.parts)
        else:
            yield each
