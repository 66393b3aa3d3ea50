"""Children of a case: started beside it, told, heard once each word, waited for so long, and gone on without.

    ChildrenCase   starts children and knows their words
    ParentCase     waits for all of them: until each has said its last word, has gone, or the time for it is over
    ChildCase      reports to the case that started it

What they say to each other stands in `schemas/parts/children.py`.
"""

from collections.abc import Iterable, Sequence
from typing import ClassVar, Generic, TypeVar

from schemas.kernel.acts import Step
from schemas.kernel.case import CaseState, Letter, Message, child_id
from schemas.kernel.case_file import FiledState
from schemas.kernel.procedure import Procedure
from schemas.kernel.state import DeclaredState
from schemas.parts.children import Child, ChildReport, Numbered, ParentState, Subject
from schemas.values.model import Model
from workflows.kernel import steps
from workflows.kernel.case_file import CaseFile
from workflows.kernel.declared import DeclaredCase

FiledT = TypeVar("FiledT", bound=FiledState)
StateT = TypeVar("StateT", bound=DeclaredState)
ParentT = TypeVar("ParentT", bound=ParentState)
ChildT = TypeVar("ChildT", bound=Numbered)


class ChildrenCase(CaseFile[FiledT], Generic[FiledT, ChildT]):
    """The part of a case that starts others. `child_procedure`: of which; `child_errand`: the errand that starts one."""

    child_procedure: ClassVar[Procedure]
    child_errand: ClassVar[str] = "start_child"

    # ---- for procedures -------------------------------------------------------------------------------------------

    def children(self) -> Sequence[ChildT]:
        """Return every child that was asked for, in order of number."""
        raise NotImplementedError

    def code_of(self, child: ChildT) -> str:
        """Return what its number ends in."""
        raise NotImplementedError

    def opening_of(self, child: ChildT) -> CaseState:
        """Return the state it starts with (`open_child`)."""
        raise NotImplementedError

    def child_stands(self, child: ChildT, opening: CaseState, *, anew: bool) -> None:
        """It stands now; not `anew`: it did already, and may have been told something meanwhile."""
        raise NotImplementedError

    def is_told(self, child: ChildT) -> bool:  # noqa: ARG002 - procedures tell them apart
        """Whether it can be told something: its case stands. What was said before is said when it does."""
        return True

    # ---- starting -------------------------------------------------------------------------------------------------

    def ask_for_child(self, child: ChildT) -> None:
        """Have its case started, beside the story."""
        self.errand(self.child_errand, child.number)

    async def errand_start_child(self, number: int) -> None:
        """Start the case of a child."""
        await self.start_child(number)

    async def start_child(self, number: int) -> None:
        """Start the case of a child; it lives on by itself, also after this one."""
        child = self.children()[number - 1]
        opening = self.opening_of(child)
        anew = await steps.start_case(self.child_procedure, opening)
        self.child_stands(child, opening, anew=anew)

    # ---- talking --------------------------------------------------------------------------------------------------

    def id_of(self, child: ChildT) -> str:
        """The number of its case."""
        return child_id(self.state.case_id, self.code_of(child))

    def tell_child(self, child: ChildT, subject: str, facts: Model | None = None) -> None:
        """Tell one of them something."""
        if self.is_told(child):
            self.tell(self.id_of(child), subject, **({} if facts is None else facts.model_dump(mode="json")))

    def tell_children(self, children: Iterable[ChildT], subject: str, facts: Model | None = None) -> None:
        """Tell several of them the same."""
        for child in children:
            self.tell_child(child, subject, facts)

    def child_called(self, case_id: str) -> ChildT | None:
        """Whose case this is; None: of no child."""
        return next((each for each in self.children() if self.id_of(each) == case_id), None)

    def knows(self, message: Message) -> bool:
        """Its children, and whoever else the procedure knows."""
        return self.child_called(message.sender) is not None or super().knows(message)


class ParentCase(ChildrenCase[ParentT, Child], DeclaredCase[ParentT]):
    """The part of a case that waits for its children. `children_clock`: how long, as its lines say.

    A procedure with `MESSAGE_HANDLERS` of its own takes those of this along.
    """

    children_clock: ClassVar[str] = "children"
    MESSAGE_HANDLERS = {Subject.CHILD_REPORTED: (ChildReport, "hear_child")}

    async def story(self) -> None:
        """As long as anything can happen, then until every child stands and everybody has been told."""
        await super().story()
        await self.until(lambda: not self.state.errands)

    def children_are_over(self) -> None:
        """Go on: each has said its last word, or is not waited for any more (`silent`)."""
        raise NotImplementedError

    def children(self) -> Sequence[Child]:
        """Every child that was asked for."""
        return self.state.children

    def code_of(self, child: Child) -> str:
        """Its code."""
        return child.code

    def is_told(self, child: Child) -> bool:
        """Once its case stands."""
        return child.started

    def start_children(self, codes: Iterable[str]) -> None:
        """Start one for each code, under the stamp of whoever asks, and wait for them from now on."""
        for code in codes:
            child = Child(number=len(self.state.children) + 1, code=code, stamp=self.stamp, asked_at=self.now())
            self.state.children.append(child)
            self.ask_for_child(child)
        self.start_clock(self.children_clock)

    def child_stands(self, child: Child, opening: CaseState, *, anew: bool) -> None:
        """Its case stands; one that was given up meanwhile hears that too."""
        child.started = True
        self.record(f"{self.procedure.name}:child:stands", child=child.code, case=opening.case_id, anew=anew)
        if child.silent or self.over:
            self.tell_child(child, Subject.PARENT_OVER)

    def knows(self, message: Message) -> bool:
        """Each child reports of itself alone."""
        child = self.child_called(message.sender)
        if message.subject == Subject.CHILD_REPORTED:
            return child is not None and child.code == message.facts.get("child")
        return super().knows(message)

    def hear_child(self, report: ChildReport) -> None:
        """Take in where a child stands: older news loses, and so does what comes when it is not waited for any more."""
        child = self.state.find_child(report.child)
        if child is None or child.over or child.silent or report.heard <= child.heard:
            return
        child.heard, child.stage, child.over = report.heard, report.stage, report.over
        self.record(f"{self.procedure.name}:child:reported", child=child.code, stage=report.stage, over=report.over)
        self.look_at_children()

    def stop_waiting_for_children(self, step: Step) -> None:  # noqa: ARG002 - it is known which
        """子案逾期未答复: whoever has not said the last word is silent."""
        for child in self.state.waited_for():
            self.give_up_child(child, gone=False)
        self.look_at_children()

    def on_undeliverable_to_child(self, child: Child) -> None:
        """Its case does not run any more, and never said how it ended."""
        if not (child.over or child.silent):
            self.give_up_child(child, gone=True)
            self.look_at_children()

    def on_undeliverable(self, letter: Letter) -> None:
        """A child that was told something has gone."""
        super().on_undeliverable(letter)
        child = self.child_called(letter.to)
        if child is not None and not self.over:
            self.on_undeliverable_to_child(child)

    def give_up_child(self, child: Child, *, gone: bool) -> None:
        """Do not wait for it any more, and say so to it. `gone`: its case does not run."""
        child.silent = True
        self.record(f"{self.procedure.name}:child:silent", child=child.code, stage=child.stage, gone=gone)
        if not gone:
            self.tell_child(child, Subject.PARENT_OVER)

    def look_at_children(self) -> None:
        """Go on when nobody is waited for."""
        if self.state.children and not self.state.waited_for():
            self.clocks.stop(self.children_clock, "engine")
            self.children_are_over()


class ChildCase(DeclaredCase[StateT]):
    """A case that another one started."""

    def tell_parent(self, subject: str, facts: Model) -> None:
        """Tell the case that started this one."""
        self.tell(self.state.parent or "", subject, **facts.model_dump(mode="json"))

    def report_to_parent(self, *, over: bool = False) -> None:
        """Say where this case stands; the last word counts, whatever order words arrive in."""
        code = self.state.case_id.removeprefix(f"{self.state.parent}.")
        report = ChildReport(child=code, stage=self.state.stage, heard=self.state.seq, over=over)
        self.tell_parent(Subject.CHILD_REPORTED, report)
