"""补正 documents with a correction loop: what is missing is asked for by name, the clocks of those who wait for it pause.

    any stage of `at` -> correcting -> where it stood        with the last document that was missing; the time in between
                                                             is not counted

Source: 行政许可法 第三十二条 (what is missing is told at once and all of it), 社会救助暂行办法. A procedure puts
`correction_lines()` into its table, gives its entries `CorrectionEntries`, its clocks `correction_timers()`, its state
`CorrectedState` and its workflow `Corrections` (workflows/parts/documents.py). Which documents a case needs is its own
rule: `missing()`.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from pydantic import Field

from schemas.contracts.department import Code
from schemas.contracts.department_policy import Name
from schemas.kernel.acts import Act, Stages, Step, act, step
from schemas.kernel.case import CaseState
from schemas.kernel.choices import Bounds, Choices
from schemas.kernel.entries import entry
from schemas.kernel.people import Part
from schemas.kernel.policy import Policy
from schemas.kernel.procedure import Command
from schemas.kernel.rules import By
from schemas.kernel.state import DeclaredState
from schemas.kernel.timers import LimitOf, Timer, duty
from schemas.parts.conditions import forbids
from schemas.values.document import Document, DocumentReference
from schemas.values.references import TextReference
from schemas.values.refusals import Fault, say

CORRECT = "correct"
"""The clock of whoever has to bring what is missing."""


class NamesDocuments(Policy):
    """The policy of a town that has words for kinds of documents. `documents`: what each is called, by code."""

    documents: dict[Code, Name]


class CorrectedState(DeclaredState):
    """A case that waits for documents.

    `papers` are those that were brought, by kind; `asked_for` the kinds that somebody asked for beyond the rules.
    `corrected_from`: where it stood when it began to wait; `paused`: the clocks that wait with it.
    """

    papers: dict[str, DocumentReference] = {}
    asked_for: list[str] = []
    corrected_from: str | None = None
    paused: list[str] = []

    def missing(self) -> tuple[str, ...]:
        """Return the kinds of documents that are still to be brought: those asked for, unless the procedure has rules for more."""
        return tuple(kind for kind in self.asked_for if kind not in self.papers)

    def faults_of_paper(self, document: Document) -> tuple[Fault, ...]:  # noqa: ARG002 - the procedure's own rules look at it
        """Say why a file cannot stand for what is missing; empty when it can."""
        return ()

    def ask_for(self, kinds: Sequence[str]) -> None:
        """These are to be brought, also where something was brought for them before: it was not to be read."""
        for kind in kinds:
            self.papers.pop(kind, None)
            if kind not in self.asked_for:
                self.asked_for.append(kind)


class AskCorrection(Command):
    """通知补正: names what is missing beyond what the engine found by itself. The whole-case clock pauses."""

    documents: tuple[Code, ...] = Field(min_length=1, max_length=10)
    reason: TextReference

    @classmethod
    def listed(cls, policy: Policy | None) -> Mapping[str, Sequence[str]]:
        """The kinds of documents that the town has a word for."""
        return {"documents": list(policy.documents)} if isinstance(policy, NamesDocuments) else {}


class HandIn(Command):
    """补交材料: one document that was missing."""

    kind: Code
    document: Document

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """The documents that are still missing."""
        if not isinstance(state, CorrectedState):
            return {}
        reason = say("不在待补材料之列", "is not among the missing documents")
        return {"kind": Choices(tuple(state.missing()), reason)}

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Refuse a kind of document that nobody asked for, and a file that cannot stand for it."""
        if not isinstance(state, CorrectedState):
            return ()
        return super().faults(state) or state.faults_of_paper(self.document)


nothing_was_asked_for = forbids(
    "nothing_was_asked_for",
    lambda state: state.asked_for,
    "已一次性告知所缺材料,不得再次要求",
    "what is missing was asked for before, all of it: nothing more is",
)
"""一次性告知 (行政许可法 第三十二条): people ask for what is missing once."""


class CorrectionEntries:
    """What the ledger says of it."""

    CORRECTION_ASKED = entry("correction:asked", "通知补正")
    HANDED_IN = entry("handed_in", "补交材料")
    CORRECTED = entry("correction:done", "补正完成")


def correction_timers(limit: str | LimitOf = CORRECT) -> dict[str, Timer]:
    """The clock of whoever has to bring what is missing; its limit stands at this place of the terms."""
    return {CORRECT: duty("补正", "correction", limit)}


def correction_lines(
    kinds: type[CorrectionEntries],
    *,
    at: Stages,
    during: StrEnum,
    asked_by: Sequence[By],
    brought_by: Sequence[By],
    found_at: Stages = (),
    apart_from: Sequence[Part] = (Part.APPLICANT,),
    once: bool = False,
) -> tuple[Act | Step, ...]:
    """The lines of it. `at`: where something may be asked for, and where it goes on; `during`: while it waits.

    `found_at`: where the case itself finds that something is missing; nowhere, unless the procedure says. `once` 一次性告知:
    people ask for all of it at once, and for nothing more afterwards.
    """
    rows: Any = (step("name_missing", "材料不全", at=found_at, to=during),) if found_at else ()
    return (
        *rows,
        act(
            AskCorrection,
            "通知补正",
            by=asked_by,
            at=at,
            to=during,
            when=nothing_was_asked_for if once else (),
            apart_from=apart_from,
            entry=kinds.CORRECTION_ASKED,
        ),
        act(HandIn, "补交材料", by=brought_by, at=during, to=at, entry=kinds.HANDED_IN),
    )
