"""What people do with an entitlement while it lives: payments, changes, suspension, reassessment, the end."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from schemas.bank_account import AccountReference
from schemas.calendar import TownDatetime
from schemas.case import CaseState
from schemas.payment import Month, PaymentKey, ReturnedPayment
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
    """报告变化: a death or a move out of the town ends the benefit, income and household adjust it. `since`: from which month."""

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

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Refuse a change of a month that has not begun."""
        if state.last_at is None or self.since <= f"{state.last_at:%Y-%m}":
            return ()
        return (
            Fault(
                field="since",
                reason=say("尚未到该月", "lies in the future"),
                remedy=say("请在变化发生后报告", "report it when it has happened"),
            ),
        )


PaymentNumber = Annotated[int, Field(strict=True, ge=1)]


class OfPayment(Command):
    """A command about a payment that waits for a person; without a number, the oldest."""

    payment: PaymentNumber | None = None

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Refuse a payment that does not wait for a person."""
        if not isinstance(state, WelfareState) or self.payment is None:
            return ()
        waiting = [payment.number for payment in state.waiting_payments()]
        if self.payment in waiting:
            return ()
        numbers = ", ".join(map(str, waiting))
        return (
            Fault(
                field="payment",
                reason=say("该笔发放不在待人工处理之列", "is no payment that waits for a person"),
                remedy=say(f"可选:{numbers}", f"one of: {numbers}"),
            ),
        )


class RetryPayment(OfPayment):
    """重新发放: to the account that is known, or to a corrected one."""

    account: AccountReference | None = None


class Settlement(StrEnum):
    """How a payment was settled by a person."""

    PAID_OTHERWISE = "paid_otherwise"
    NOT_DUE = "not_due"


class SettlePayment(OfPayment):
    """发放人工处理: it was paid by other means (in cash), or was not due after all."""

    how: Settlement
    reason: TextReference


class PaymentReturned(ReturnedPayment, Command):
    """银行退回: a payment that had been made came back."""

    payment_key: Annotated[PaymentKey, Field(examples=["0" * 26 + ".old-age-allowance.2026-01"])]
    returned_at: TownDatetime  # as it lies in the intake it is a text, which a strict moment would not take


class ChangeAccount(Command):
    """变更账户: from the next payment on."""

    account: AccountReference


class SuspendPayment(Command):
    """暂停发放: while something is looked into."""

    reason: TextReference


class ResumePayment(Command):
    """恢复发放: with the months left out in between, or without them."""

    arrears: bool = True
    reason: TextReference


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


class EndEntitlement(Command):
    """终止救助: with its reason and legal basis."""

    reason: TextReference
    legal_basis: TextReference
