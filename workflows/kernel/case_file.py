"""The file of a case 案卷: comments, documents, reminders and the calendar, which every procedure takes in the same way.

What is a procedure's own is who may do it when, in its table, and what its entries are called.
"""

from collections.abc import Sequence
from typing import TypeVar

from schemas.clocks.calendar import in_shanghai
from schemas.kernel.case_file import Attach, Comment, FiledState, Replan, Urge
from schemas.values.actor import Actor
from schemas.values.document import Document
from workflows.kernel.case import Case, command
from workflows.kernel.law import Law

StateT = TypeVar("StateT", bound=FiledState)

URGES_HAVE_BOUNDS = Law("urges-have-bounds")
"""Patch: before, every urge was a notice, and sixty in a second were sixty."""


NOBODY_IS_NOT_REMINDED = Law("nobody-is-not-reminded", since=5)
"""Patch: before, whoever urged a case that nobody held had reminded somebody, with a notice that was for nobody."""


class CaseFile(Case[StateT]):
    """The part of a case that people add to."""

    def urged(self) -> Sequence[str]:
        """Return who is reminded: the holder, unless the procedure has others in mind."""
        return (self.state.holder,)

    def on_attached(self, document: Document, by: Actor) -> None:
        """Take note of what a document shows. Nothing, unless it is the work of somebody."""

    def on_urged(self, by: Actor) -> None:
        """Let others know that the case was urged. Nobody, unless what is urged here is dealt with elsewhere."""

    def on_commented(self, by: Actor) -> None:
        """Let others know of a word. Nobody, unless what it is about is dealt with elsewhere."""

    def on_replanned(self) -> None:
        """Let others know of the new calendar. Nobody, unless cases of this one go by it too."""

    @command
    def urge(self, command: Urge, by: Actor) -> None:  # noqa: ARG002 - says nothing but its name
        """催办: counted, and tells who has to act, so often a day and not more; never changes the stage."""
        if not self.law_holds(URGES_HAVE_BOUNDS):
            self.record(f"{self.procedure.name}:urged", by=by.role, holder=self.state.holder)
            for told in self.urged():
                self.notify(told, "urged", by=by.role)
            return
        urged = self.urged()
        if "" in urged and self.law_holds(NOBODY_IS_NOT_REMINDED):
            urged = [each for each in urged if each]
        reminded = self.state.take_urge(in_shanghai(self.now()).date(), urged)
        self.record(
            f"{self.procedure.name}:urged",
            by=by.role,
            holder=self.state.holder,
            urges=self.state.urges,
            reminded=bool(reminded),
        )
        for told in reminded:
            self.notify(told, "urged", by=by.role)
        self.on_urged(by)

    @command
    def comment(self, command: Comment, by: Actor) -> None:
        """备注: for whoever reads the case."""
        self.record(f"{self.procedure.name}:commented", text=command.text)
        self.on_commented(by)

    @command
    def attach(self, command: Attach, by: Actor) -> None:
        """附件: the reference, what the file is, and whose work it shows."""
        self.keep_document(command.document)
        self.on_attached(command.document, by)
        self.record(
            f"{self.procedure.name}:attached", document=command.document.model_dump(mode="json"), note=command.note
        )

    @command
    def replan(self, command: Replan, by: Actor) -> None:
        """重排期限: open clocks move to the new calendar; the old and the new due time both stand in the ledger."""
        before = self.state.charter.calendar
        self.clocks.replan(command.calendar, by.subject)
        self.record("clock:replanned", before=before.version, after=command.calendar.version)
        self.on_replanned()

    def keep_document(self, document: Document) -> None:
        """A document stands in a case once, however often it is named."""
        if document not in self.state.documents:
            self.state.documents.append(document)
