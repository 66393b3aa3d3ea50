"""What people and departments do with an incident. A text is a reference into the vault; at the door it is a text."""

from typing import Annotated, Self

from pydantic import StringConstraints, model_validator

from schemas.incident_state import IncidentState, Satisfied, Solved
from schemas.kernel.case import CaseState
from schemas.kernel.procedure import Command
from schemas.parts.departments import ToDepartment
from schemas.parts.orders import GiveBack, ReportDone
from schemas.values.case_number import IncidentNumber
from schemas.values.references import TextReference, WrittenAs
from schemas.values.refusals import Fault, say


class ReturnOrder(GiveBack):
    """退单: the department says that the order is not its own, why, and by which law."""


class Redispatch(ToDepartment):
    """改派: the coordinator gives the order to another department."""


class Arbitrate(Redispatch):
    """裁定: the coordinator rules on a returned order; the ruling binds."""


class Finish(ReportDone):
    """办结: the department reports the work done, with a document where the category asks for evidence."""

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Refuse work without evidence where the responsibility list asks for it; what was attached before counts."""
        if not isinstance(state, IncidentState) or not state.responsibility.evidence:
            return ()
        if self.documents or state.order.documents:
            return ()
        return (
            Fault(
                field="documents",
                reason=say("此类事项办结须附材料", "work of this category is reported done with a document"),
                remedy=say("请先上传并附上照片或文书", "attach a document, or name one here"),
            ),
        )


class Verify(Command):
    """核查: somebody else looks whether it is done."""

    passed: bool
    reason: TextReference | None = None

    @model_validator(mode="after")
    def _a_failure_has_a_reason(self) -> Self:
        if not self.passed and self.reason is None:
            raise ValueError("reason: 核查不通过必须说明原因 (a failed verification needs a reason)")
        return self


class Rate(Command):
    """评价: the resident says whether it is solved and how satisfied they are."""

    solved: Solved
    satisfied: Satisfied
    comment: TextReference | None = None


class Supervise(Command):
    """督办: a supervisor's formal order, with its own clock."""

    order: TextReference


class AnswerSupervision(Command):
    """督办反馈: the department says what it has done about a supervisor's order."""

    answer: TextReference


MergedInto = Annotated[
    str, StringConstraints(strict=True, pattern=r"^incident-[0-9]{8}-[0-9]{6,}$"), WrittenAs(IncidentNumber)
]
"""The incident that a case went into, as cases have taken it; at the door it is an `IncidentNumber`."""


class Merge(Command):
    """并案: the same matter was reported before; this case goes into the other."""

    into: MergedInto
    reason: TextReference | None = None

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Refuse a case that would go into itself, or into one that went into it."""
        merged = getattr(state, "merged_reports", ())
        if self.into != state.case_id and self.into not in merged:
            return ()
        return (
            Fault(
                field="into",
                reason=say("不能并入自身或已并入本案的案件", "is this very case, or one that was merged into it"),
                remedy=say("请填写另一在办案件的编号", "name another open case"),
            ),
        )
