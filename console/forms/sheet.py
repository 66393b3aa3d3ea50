"""A form as it is drawn and drawn again: its controls, what somebody has written so far, and what is wrong with it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from console.forms.controls import YES_OR_NO, Choice, Control, ControlKind
from console.forms.faults import PlacedFault
from console.forms.values import fen_of, rows_of
from console.http.file_words import file_words
from console.http.forms import Posted
from schemas.values.both import LISTED, Both, shown, together
from schemas.values.money import in_yuan, yuan
from schemas.words.field_words import YES_NO

KEY = "_key"
SEQ = "_seq"
CHECKED = "_checked"
BACK = "_back"
MORE = "_more"
AT = "_at"
TO = "_to"
DRAFT = "_draft"
TITLE = "_title"
KEEP = "_keep"
BUTTONS = frozenset({CHECKED, BACK, MORE, TO, KEEP})
BLANK_ROWS = 3
_OURS = "_"
"""Names that begin so are the form's own; no field of a body does."""


@dataclass(frozen=True)
class Answer:
    """What was written in a field, in words, for looking at it once more."""

    zh: str
    en: str
    text: str


@dataclass(frozen=True)
class Sheet:
    """A form. `action`: where it is sent; `back`: where somebody goes who does not send it.

    `key` is the idempotency key of what is sent: pressed twice, it is done once. `seq`: the entry that the case had told of when
    the form was drawn. `unseen`: fields that go along without being shown; `carried`: what goes along besides, such as by whose
    leave it is sent. `at`: the question that is asked alone; None: all. `keeps`: it can be kept as a draft; `draft` is its id then,
    and `kept_until` says how long what was kept lasts.
    """

    title: str
    english: str
    description: str
    action: str
    back: str
    submit: str
    controls: tuple[Control, ...]
    texts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    key: str = field(default_factory=lambda: str(uuid4()))
    seq: int | None = None
    faults: Sequence[PlacedFault] = ()
    unseen: frozenset[str] = frozenset()
    carried: Mapping[str, str] = field(default_factory=dict)
    at: int | None = None
    keeps: bool = False
    draft: str = field(default_factory=lambda: str(uuid4()))
    kept_until: datetime | None = None

    @property
    def yes_or_no(self) -> tuple[Choice, ...]:
        """What a question of yes and no offers."""
        return YES_OR_NO

    @property
    def questions(self) -> list[Control]:
        """What somebody is asked."""
        return [each for each in self.controls if each.place not in self.unseen]

    @property
    def shown(self) -> list[Control]:
        """What is on the page."""
        return list(self.controls) if self.at is None else [self.questions[self.at]]

    def question_at(self, place: str) -> int | None:
        """The number of the question that a place lies in; None: in none."""
        numbered = enumerate(self.questions)
        return next((at for at, each in numbered if place and _lies_in(place, each.place)), None)

    def answered_elsewhere(self) -> list[tuple[str, str]]:
        """What was written that is not on the page: it goes along."""
        shown = self.shown
        return [(name, text) for name, text in self.kept() if not any(_lies_in(name, each.place) for each in shown)]

    @property
    def with_files(self) -> bool:
        """Whether files can be sent with it."""
        return any(each.with_files() for each in self.controls)

    def text(self, control: Control) -> str:
        """What stands in a control that holds one text: what was written, else what it begins with."""
        if control.place in self.texts:
            return next(iter(self.texts[control.place]), "")
        return "" if self.texts and self.at is None else control.given  # asked alone, it may not have been asked before

    def chosen(self, control: Control) -> frozenset[str]:
        """What is chosen in a control of several."""
        return frozenset(self.texts.get(control.place, ()))

    def rows(self, control: Control) -> list[Control]:
        """The rows that were filled in, and a blank one."""
        return [control.at_row(number) for number in range(rows_of(control, self.texts) + 1)]

    def table_rows(self, control: Control) -> int:
        """How many rows a table of names and numbers has: those that were filled in, and some blank ones."""
        return rows_of(control, self.texts) + BLANK_ROWS

    def is_filled(self, group: Control) -> bool:
        """Whether something was written in a group, or is wrong with it."""
        inside = (f"{group.place}.", group.place)
        written = any(text for name, texts in self.texts.items() if name.startswith(inside[0]) for text in texts)
        return written or any(each.place.startswith(inside) for each in self.faults)

    def faults_at(self, place: str) -> list[PlacedFault]:
        """What is wrong at one control."""
        return [each for each in self.faults if each.place == place]

    def kept(self) -> list[tuple[str, str]]:
        """Everything that was written, with its name, to be sent once more."""
        return [(name, text) for name, texts in self.texts.items() for text in texts]

    def answers(self) -> list[Answer]:
        """Everything that was written, in words."""
        return [answer for control in self.controls for answer in self._answers(control)]

    def _answers(self, control: Control) -> Iterator[Answer]:
        match control.kind:
            case ControlKind.GROUP:
                for part in control.parts:
                    yield from self._answers(part)
            case ControlKind.ROWS:
                for number in range(rows_of(control, self.texts)):
                    for part in control.at_row(number).parts:
                        for answer in self._answers(part):
                            yield Answer(
                                f"{control.zh}{number + 1} {answer.zh}",
                                f"{control.en} {number + 1}: {answer.en}",
                                answer.text,
                            )
            case ControlKind.TABLE:
                pairs = [(name, text) for name, text in self.kept() if name.startswith(f"{control.place}.") and text]
                yield Answer(control.zh, control.en, " ".join(text for _, text in pairs))
            case _:
                words = [_in_words(control, text) for text in self.texts.get(control.place, ()) if text]
                if words and control.place not in self.unseen:
                    yield Answer(control.zh, control.en, together(LISTED, words))


def _lies_in(place: str, of: str) -> bool:
    return place == of or place.startswith(f"{of}.")


def _in_words(control: Control, text: str) -> str:
    chosen = next((each for each in control.choices if each.written == text), None)
    if chosen is not None:
        return Both(chosen.zh, chosen.en, chosen.zh if chosen.zh == chosen.en else None)
    if control.kind is ControlKind.YES_NO:
        return shown(YES_NO[text == "true"])
    if control.kind is ControlKind.FILES:
        return file_words(text)
    if control.kind is ControlKind.MONEY and isinstance(fen := fen_of(text), int):
        return in_yuan(yuan(fen, grouped=True))
    return text


def own(posted: Posted) -> dict[str, list[str]]:
    """The texts of the fields, without the form's own."""
    return {name: list(texts) for name, texts in posted.texts.items() if not name.startswith(_OURS)}
