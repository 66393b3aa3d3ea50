"""The file of a case 案卷: what anybody who sees a case may add to it, whatever its procedure, and the calendar it goes by."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator

from schemas.clocks.calendar import Calendar
from schemas.kernel.case import CaseState
from schemas.kernel.procedure import Command
from schemas.values.actor import Actor
from schemas.values.document import Document
from schemas.values.foreign_code import no_reference
from schemas.values.references import TextReference, WrittenAs
from schemas.values.refusals import say


class FiledState(CaseState):
    """A case that keeps documents, and count of how often it was urged.

    `reminders`: how often each holder was reminded on the town day `reminded_on`.
    """

    documents: list[Document] = []
    urges: int = 0
    reminded_on: date | None = None
    reminders: dict[str, int] = {}

    @property
    def documents_at_most(self) -> int:
        """How many documents the case takes, by the town's rules."""
        raise NotImplementedError

    @property
    def reminders_a_day(self) -> int:
        """How many reminders of one day reach a holder, by the town's rules."""
        raise NotImplementedError

    def take_urge(self, today: date, told: Iterable[str]) -> list[str]:
        """Count an urge of a town day, and return who of these is reminded by it: nobody more often than the rules say.

        `told` are addresses, in a form of `CaseState.holder`.
        """
        self.urges += 1
        if self.reminded_on != today:
            self.reminded_on, self.reminders = today, {}
        reminded = [each for each in dict.fromkeys(told) if self.reminders.get(each, 0) < self.reminders_a_day]
        for each in reminded:
            self.reminders[each] = self.reminders.get(each, 0) + 1
        return reminded


class Urge(Command):
    """催办: a reminder to whoever holds the case."""


class Comment(Command):
    """备注: a word to whoever reads the case."""

    text: TextReference


class Attach(Command):
    """附件: a document, by reference, with the digest and size of the file as it was sent."""

    document: Document
    note: TextReference | None = None


def _versions_of_others(calendar: Calendar) -> Calendar:
    no_reference(calendar.version)
    if calendar.office_hours is not None:
        no_reference(calendar.office_hours.version)
    return calendar


class Replan(Command):
    """重排期限: a new version of the calendar moves the open clocks."""

    calendar: Annotated[Calendar, WrittenAs(Annotated[Calendar, AfterValidator(_versions_of_others)])]


def room_for_a_document(state: FiledState, _actor: Actor, _now: datetime) -> str | None:
    """A condition of `attach`: a case takes so many documents and no more."""
    most = state.documents_at_most
    if len(state.documents) >= most:
        return say(f"本案附件已达{most}件", f"the case has {most} documents, the most allowed")
    return None
