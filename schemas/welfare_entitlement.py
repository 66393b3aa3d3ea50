"""What people do with an entitlement while it lives: payments, changes, suspension, reassessment, the end."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from schemas.answers import UNNAMED, AnswerTo, SeenNumber
from schemas.case import CaseState
from schemas.choices import Bounds, Choices
from schemas.payment import Month
from schemas.people import Part
from schemas.procedure import Command
from schemas.references import TextReference
from schemas.refusals import Fault, say
from schemas.welfare_commands import HouseholdSize
from schemas.welfare_policy import Money
from schemas.welfare_state import WelfareState


class Change(StrEnum):
    """What changed in a household that gets a benefit."""

    DEATH = "death"
    MOVE = "move"
    INCOME = "income"
    HOUSEHOLD = "household"


class ReportChange(Command):
    """报告变化: a death or a move out of the town ends the benefit, income and household adjust it. `since`: from which month.

    What ends it rests payment at once, and ends it when another person, or the register of deaths, says so too; the payee's own
    word on anything but a death is enough.
    """

    change: Change
    since: Annotated[Month, Field(examples=["2026-01"])]
    monthly_income_fen: Money | None = None
    household_size: HouseholdSize | None = None
    note: TextReference | None = None

    @model_validator(mode="after")
    def _says_what_changed(self) -> Self:
        if self.change is Change.INCOME and self.monthly_income_fen is None:
            raise ValueError("monthly_income_fen: 请填写变化后的月收入 (write the new monthly income)")
        if self.change is Change.HOUSEHOLD and self.household_size is None:
            raise ValueError("household_size: 请填写变化后的人数 (write the new size of the household)")
        return self

    @property
    def ends(self) -> bool:
        """Whether the benefit ends with it."""
        return self.change in (Change.DEATH, Change.MOVE)

    @property
    def stated(self) -> dict[str, int]:
        """The facts that were stated."""
        return _stated(self)

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """A month that has begun."""
        if state.last_at is None:
            return {}
        reason, remedy = (
            say("尚未到该月", "lies in the future"),
            say("请在变化发生后报告", "report it when it has happened"),
        )
        return {"since": Bounds(None, f"{state.last_at:%Y-%m}", reason, remedy)}

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Refuse a change of a month that has not begun, and one that would pay more where that cannot be asked for."""
        if state.last_at is None:
            return ()
        future = super().faults(state)
        return future if self.ends else (*future, *_raise_faults(state, state.last_at, "change", self.stated))


def _stated(command: "ReportChange | Reassess") -> dict[str, int]:
    told = {"household_size": command.household_size, "monthly_income_fen": command.monthly_income_fen}
    return {name: value for name, value in told.items() if value is not None}


def _raise_faults(state: CaseState, now: datetime, field: str, stated: Mapping[str, int]) -> tuple[Fault, ...]:
    """A change that would pay more is a request: of what is paid month by month, and one at a time."""
    if not isinstance(state, WelfareState) or not state.raised_by(stated, now):
        return ()
    if state.paid_once:
        return (
            Fault(
                field=field,
                reason=say("一次性救助不予调高", "would pay more, and this benefit is paid once"),
                remedy=say("请另行申请", "apply anew"),
            ),
        )
    return _waiting_faults(state, field) if state.change is not None and state.change.months else ()


def _waiting_faults(state: WelfareState, field: str) -> tuple[Fault, ...]:
    number = state.change.number if state.change else 0
    return (
        Fault(
            field=field,
            reason=say(f"第{number}项调整尚在审批", f"change {number} is still being decided on"),
            remedy=say("请先审批该调整", "decide on that one first"),
        ),
    )


class SuspendPayment(Command):
    """暂停发放: while something is looked into."""

    reason: TextReference


class ResumePayment(Command):
    """恢复发放: with the months left out in between, or without them."""

    arrears: bool = True
    reason: TextReference

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """No arrears that take another person's word while another change waits for it."""
        waits = isinstance(state, WelfareState) and state.change is not None and state.arrears_need_another
        return {"arrears": Choices((False,), say("补发须另行审批", "arrears take another decision"))} if waits else {}

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Refuse arrears that take another person's word while another change waits for it."""
        if not isinstance(state, WelfareState) or not self.arrears or state.change is None:
            return ()
        return _waiting_faults(state, "arrears") if state.arrears_need_another else ()


class Reassess(Command):
    """定期复核: the household was looked at again; the benefit goes on, by what is true now, or ends with its reason."""

    continues: bool
    monthly_income_fen: Money | None = None
    household_size: HouseholdSize | None = None
    income_stable: bool | None = None
    opinion: TextReference
    legal_basis: TextReference | None = None

    @model_validator(mode="after")
    def _an_end_names_its_law(self) -> Self:
        if not self.continues and self.legal_basis is None:
            raise ValueError("legal_basis: 终止须写明法律依据 (an end names its law)")
        return self

    @property
    def stated(self) -> dict[str, int]:
        """The facts that were found other than before."""
        return _stated(self)

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """It goes on only where its arrears need no word that another change waits for."""
        if not isinstance(state, WelfareState):
            return {}
        waits = state.last_at is not None and state.overdue and state.change is not None and state.arrears_need_another
        return {"continues": Choices((False,), say("补发须另行审批", "arrears take another decision"))} if waits else {}

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Refuse what would pay more where that cannot be asked for."""
        if not isinstance(state, WelfareState) or state.last_at is None or not self.continues:
            return ()
        if state.overdue and state.change is not None and state.arrears_need_another:
            return _waiting_faults(state, "continues")
        return _raise_faults(state, state.last_at, "continues", self.stated)


class ReviewChange(AnswerTo):
    """调整初审: the street office agrees to a change that would pay more; what it does not agree to is refused."""

    part = Part.CHANGE_ASKED
    request: SeenNumber = UNNAMED
    opinion: TextReference

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Refuse what stands against the rules of the benefit."""
        return _change_faults(state)


class ConfirmChange(AnswerTo):
    """确认调整: civil affairs agrees; above the amount of the policy a second person signs."""

    part = Part.CHANGE_ASKED
    request: SeenNumber = UNNAMED
    opinion: TextReference

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Refuse what stands against the rules of the benefit."""
        return _change_faults(state)


class CountersignChange(AnswerTo):
    """双签调整: a second person agrees too."""

    part = Part.CHANGE_ASKED
    request: SeenNumber = UNNAMED


class ConfirmEnd(AnswerTo):
    """确认终止: a second person has found what was reported; the benefit ends, and what was paid beyond it comes back."""

    part = Part.END_REPORTED
    request: SeenNumber = UNNAMED


class RefuseEnd(AnswerTo):
    """不予终止: what was reported is not so; payment goes on, with the months that were left out meanwhile."""

    part = Part.END_REPORTED
    request: SeenNumber = UNNAMED
    reason: TextReference


class RefuseChange(Command):
    """不予调整: with its reason; what is paid stays as it is."""

    reason: TextReference


def _change_faults(state: CaseState) -> tuple[Fault, ...]:
    if not isinstance(state, WelfareState) or state.last_at is None:
        return ()
    return tuple(
        Fault(
            field="opinion",
            reason=each.words,
            remedy=say("不予调整", "refuse the change"),
        )
        for each in state.obstacles_to_change(state.last_at)
    )


class EndEntitlement(Command):
    """终止救助: with its reason and legal basis."""

    reason: TextReference
    legal_basis: TextReference
