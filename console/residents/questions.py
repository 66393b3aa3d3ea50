"""What somebody without an account is asked, page by page: as the opening of its procedure declares it, and as it is judged."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from console.forms.controls import Control, ControlKind, leaves_of
from console.forms.faults import PlacedFault, placed
from console.forms.offers import CHANNEL, opening_controls
from console.forms.sheet import Answer, Sheet
from console.forms.values import body_of
from schemas.kernel.openings import Question
from schemas.values.actor import Channel
from schemas.values.refusals import Fault
from schemas.words.field_words import FIELDS
from starter.http.bodies import check_model
from starter.intake.filing import Filing
from starter.intake.guests import Guest
from starter.intake.starts import Opening

DOCUMENTS = "documents"
"""Where files that are sent with a page stand in what was written; no field of the opening."""

Texts = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Asked:
    """One page: its number, from 1 on, what is asked, and its controls. `by_words`: the one that is found by words."""

    number: int
    question: Question
    controls: tuple[Control, ...]
    by_words: Control | None

    @property
    def places(self) -> tuple[str, ...]:
        """The places of what is written on it."""
        return (*self.question.fields, *((DOCUMENTS,) if self.question.documents else ()))

    def own(self, faults: Sequence[Fault]) -> list[Fault]:
        """The faults of what is written on it."""
        return [each for each in faults if any(_lies_in(each.field, place) for place in self.places)]


@dataclass(frozen=True)
class Report:
    """Everything that is asked of somebody who opens a case of a procedure without an account."""

    opening: Opening[Any]
    controls: tuple[Control, ...]
    pages: tuple[Asked, ...]

    @classmethod
    def of(cls, filing: Filing, opening: Opening[Any], guest: Guest) -> "Report":
        """As it is declared, with what the town has lists of."""
        controls = opening_controls(filing, opening, guest.actor(Channel.APP))
        by_place = {each.place: each for each in leaves_of(controls)}
        by_words = opening.declared.by_words
        pages = [
            Asked(
                number,
                question,
                tuple(_controls(question, by_place, by_words)),
                _found_by_words(question, by_place, by_words),
            )
            for number, question in enumerate(opening.declared.questions, 1)
        ]
        return cls(opening, controls, tuple(pages))

    async def judged(self, filing: Filing, guest: Guest, texts: Texts) -> tuple[BaseModel | None, list[Fault]]:
        """What was written as the opening takes it, and all that is wrong with it, as at the API."""
        given, faults = check_model(
            self.opening.model, body_of(self.controls, texts) | {CHANNEL: guest.actor(Channel.APP).channel.value}
        )
        return given, await self.opening.all_faults(filing, guest, given, faults)

    def placed(self, asked: Asked, faults: Sequence[Fault]) -> list[PlacedFault]:
        """The faults of a page at its controls."""
        return placed(asked.own(faults), self.controls)

    def answers(self, texts: Texts) -> list[tuple[Asked, list[Answer]]]:
        """What was written, page by page, in words."""
        found = []
        for asked in self.pages:
            controls = (*((asked.by_words,) if asked.by_words else ()), *asked.controls)
            sheet = Sheet("", "", "", "", "", "", controls, texts=texts)
            found.append((asked, sheet.answers()))
        return found


def _controls(question: Question, by_place: Mapping[str, Control], by_words: str | None) -> Iterator[Control]:
    yield from (by_place[field] for field in question.fields if field != by_words)
    if question.documents:
        words = FIELDS[DOCUMENTS]
        yield Control(DOCUMENTS, ControlKind.FILES, words.zh, words.en, many=True)


def _found_by_words(question: Question, by_place: Mapping[str, Control], by_words: str | None) -> Control | None:
    return by_place[by_words] if by_words is not None and by_words in question.fields else None


def _lies_in(field: str, place: str) -> bool:
    """Whether a fault is of a place: of it, of what lies in it, or of the group that it lies in."""
    return field == place or field.startswith(f"{place}.") or place.startswith(f"{field}.")
