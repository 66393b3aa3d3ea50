"""补正 documents with a correction loop, as a case asks for them and waits for them (schemas/parts/documents.py)."""

from collections.abc import Sequence
from typing import ClassVar, TypeVar

from schemas.clocks.clocks import Status
from schemas.kernel.parties import THE_REPORTER
from schemas.parts.documents import CORRECT, AskCorrection, CorrectedState, CorrectionEntries, HandIn
from schemas.values.actor import Actor
from workflows.kernel.declared import DeclaredCase

StateT = TypeVar("StateT", bound=CorrectedState)


class Corrections(DeclaredCase[StateT]):
    """The part of a case that waits for documents.

    `HELD_WHILE_CORRECTING`: the clocks of those who wait; `corrections_go_to`: who holds the case when all is there.
    """

    HELD_WHILE_CORRECTING: ClassVar[tuple[str, ...]] = ()
    corrections_go_to: ClassVar[str]

    # ---- for procedures -------------------------------------------------------------------------------------------

    def file_changes(self) -> None:
        """Note that the file is another one than was seen before. Nothing, unless somebody answers to what was seen."""

    def goes_on_corrected(self, stage: str, held: Sequence[str]) -> None:  # noqa: ARG002 - some begin what never ran
        """Go on where it stood; `held` are the clocks that waited, and run again."""
        self.move(stage, self.corrections_go_to)

    def on_corrected(self) -> None:
        """Look at what waited for the documents only. Nothing, unless the procedure says."""

    # ---- what happens ---------------------------------------------------------------------------------------------

    def wait_for_documents(self, back_to: str) -> None:
        """补正: the clocks of those who wait for the documents pause."""
        clocks = self.state.clocks
        held = [name for name in self.HELD_WHILE_CORRECTING if name in clocks and clocks[name].status is Status.RUNNING]
        for name in held:
            self.clocks.pause(name, "engine", reason="correcting")
        self.state.paused, self.state.corrected_from = held, back_to
        self.start_clock(CORRECT)
        self.move(self.procedure.acts["ask_correction"].rule.to[0], THE_REPORTER)
        self.notify(THE_REPORTER, "correction_asked", documents=len(self.state.missing()))

    def ask_for_what_is_missing(self, stage: str) -> bool:
        """材料不全: what the rules ask for and is not there is named at once; whether anything is missing."""
        missing = self.state.missing()
        if missing:
            self.wait_for_documents(stage)
            self.record(self.entry_of(self.procedure.acts["ask_correction"]), missing=list(missing))
        return bool(missing)

    def ask_correction(self, command: AskCorrection, by: Actor) -> None:
        """通知补正: a document that is missing, or not to be read, is asked for by name."""
        self.file_changes()
        self.state.ask_for(command.documents)
        self.wait_for_documents(self.state.stage)
        entry = self.entry_of(self.procedure.acts["ask_correction"])
        self.record(entry, missing=list(self.state.missing()), reason=command.reason, by=by.role)

    def hand_in(self, command: HandIn, by: Actor) -> None:
        """补交材料: with the last one the case goes on where it stood, and its clocks with it."""
        self.file_changes()
        self.state.papers[command.kind] = command.document.reference
        self.keep_document(command.document)
        missing = self.state.missing()
        self.record(
            self.entry_of(self.procedure.acts["hand_in"]),
            document_kind=command.kind,
            document=command.document.model_dump(mode="json"),
            missing=list(missing),
            by=by.role,
        )
        if not missing:
            self.documents_are_there()

    def documents_are_there(self) -> None:
        """补正完成: the time in between is not counted."""
        self.clocks.stop(CORRECT, "engine")
        back_to, held = self.state.corrected_from, tuple(self.state.paused)
        assert back_to is not None, "a case that waits knows where it stood"  # noqa: S101 - both are set together
        for name in held:
            self.clocks.go_on(name, "engine")
        self.state.paused, self.state.corrected_from = [], None
        self.goes_on_corrected(back_to, held)
        self.record(f"{self.procedure.name}:{CorrectionEntries.CORRECTED}", stage=back_to)
        self.on_corrected()
