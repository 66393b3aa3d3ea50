"""发放 payments: by payee, purpose and period, each once; the bank is told, asked again, and what it cannot do is a person's.

    due -> paid                                      the bank has paid; it stands in the books
        -> unreachable: again, under the same key    the money may have moved: never another key
        -> returned, refused: a new attempt          nothing was paid; after so many, or at once where it cannot help,
        -> with a person: retry_payment | settle_payment: not due, or said to be paid by hand, which another person confirms

Whatever is paid, to whom and for what: the key is payee + purpose + period, and the case where it is paid once. A procedure
declares `Paying`, puts its `lines()` into its table, gives its entries `PaymentEntries`, its state `PaidState` and its workflow
`Accounts` (workflows/parts/accounts.py) or what derives from it. The row that begins a payment is the procedure's own: it is
marked `moves_money`, and answers another person's word. The books go by these entries, whatever the procedure
(schemas/contracts/reconciliation.py).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.clocks.calendar import TownDatetime
from schemas.clocks.limits import Limit
from schemas.contracts.payment import PAID_CODE, RETURNED_CODE, PayeeReference, PaymentKey, ReturnedPayment
from schemas.kernel.acts import Act, Step, act, also
from schemas.kernel.answers import UNNAMED, AnswerTo, RequestNumber, SeenNumber
from schemas.kernel.case import CaseState
from schemas.kernel.choices import Bounds, Choices
from schemas.kernel.entries import entry
from schemas.kernel.parties import (
    CIVIL_AFFAIRS_OFFICER,
    GRID_WORKER,
    REPORTER,
    STREET_OFFICER,
    SUPERVISOR,
    WINDOW_CLERK,
    desk_of,
)
from schemas.kernel.people import Part, same_account
from schemas.kernel.procedure import Command
from schemas.kernel.reference_facts import Refers
from schemas.kernel.rules import By, Rule
from schemas.kernel.state import DeclaredState
from schemas.kernel.timers import LimitOf, Timer, TimerKind, duty, kind_at, window
from schemas.values.actor import Actor, Role
from schemas.values.bank_account import AccountReference
from schemas.values.foreign_code import KeptCode
from schemas.values.model import Model
from schemas.values.organisation import OrganisationCode, organisation
from schemas.values.references import PersonReference, TextReference
from schemas.values.refusals import Fault, say

"""The entries that are the books, of whatever procedure: facts `key`, `amount_fen`, `bank_reference`."""

_BANK = By(Role.ENGINE)  # its signed notice vouches for it; no token has this role


# ---- what a case remembers ----------------------------------------------------------------------------------------------


class PaymentPart(StrEnum):
    """What of something a payment is."""

    WHOLE = "whole"
    FIRST = "first"
    REST = "rest"
    ARREARS = "arrears"


class PaymentState(StrEnum):
    """How far a payment is. `WITH_A_PERSON`: the machine has tried as often as the policy says."""

    UNDER_WAY = "under_way"
    WAITING = "waiting"
    WITH_A_PERSON = "with_a_person"


class Remembered(BaseModel):
    """A piece of the state that the case changes."""

    model_config = ConfigDict(extra="forbid")


class SettlementClaimed(Remembered):
    """已另行发放: somebody says that it was paid by hand; it counts when another person has confirmed it.

    `voucher`: the number under which the treasury paid it out.
    """

    number: int
    reason: TextReference
    voucher: str | None = None
    by: str
    at: datetime


class Payment(Remembered):
    """One payment that is not settled yet. `attempt` makes its key; it goes up only when the bank has paid nothing.

    `benefit`: for what purpose, as it stands in the key; `month`: for which period. `tries` counts all tries, `last` is how the
    latest ended, `uncertain`: the money may have moved. `claim`: somebody says that it was paid by hand. `of_another`: it came back
    from who is not paid any more; people settle it, and nobody else is paid it. `disputed`: the bank has held something else
    against it once. `asked_first`: the key of who was to be paid it before, until the bank has said once more what became of it.
    """

    number: int
    month: str
    benefit: str
    part: PaymentPart = PaymentPart.WHOLE
    amount_fen: int
    due_since: datetime
    attempt: int = 1
    tries: int = 0
    state: PaymentState = PaymentState.UNDER_WAY
    last: str = ""
    uncertain: bool = False
    claim: SettlementClaimed | None = None
    of_another: bool = False
    disputed: bool = False
    asked_first: PaymentKey | None = None


class PaidOut(Model):
    """What was paid for a month, by which key."""

    key: str
    amount_fen: int
    part: PaymentPart = PaymentPart.WHOLE


class AccountAsked(Remembered):
    """账户变更申请: another account, until a second person confirms it. `payment`: the one that is then tried again.

    `agreed`: it is the own word of the organisation that is paid, where somebody speaks for it (`Paying.payees`); `own`: that has
    asked for it itself, so that nobody else puts another wish in its place.
    """

    number: int
    account: TextReference
    asked_by: str
    asked_at: datetime
    payment: int | None = None
    agreed: bool = False
    own: bool = False


class PaymentTerms(Model):
    """The town's rules for them, for `class NAMETerms(PaymentTerms, Terms)`: how long bank and people have."""

    pay: Limit
    pay_again: Limit
    pay_attempts_at_most: int = Field(ge=1)
    confirm_account: Limit
    tell_payee: Limit
    confirm_settlement: Limit


class PaidState(DeclaredState):
    """What a case remembers that pays.

    `account`: where it pays to. `payments` are not settled yet, `payments_made` counts all; `paid` is what was paid by month.
    `account_asked` waits for a second person; `account_told`: the payee knows of the latest account.
    """

    reporter: PersonReference
    account: TextReference
    payments: list[Payment] = []
    payments_made: int = 0
    paid: dict[str, list[PaidOut]] = {}
    account_asked: AccountAsked | None = None
    accounts_asked: int = 0
    account_told: bool = True
    account_changed_by: str | None = None
    settlements_claimed: int = 0

    @property
    def payee(self) -> PayeeReference:
        """Who is paid: whose case it is, unless the procedure says (`OrganisationPaid`)."""
        return self.reporter

    @property
    def payee_name(self) -> TextReference | None:
        """What an organisation that is paid is called at its bank. None: a person is paid, of whom the vault has the name."""
        return None

    @property
    def payee_decides(self) -> bool:
        """The account that the case is of is the payee's own, so that its word alone is the payee's. Not unless it is known."""
        return False

    @property
    def account_awaits_payee(self) -> bool:
        """Another account waits for the payee's own word before the second person's. Not unless somebody speaks for the payee."""
        return False

    def keeps_own_wish_from(self, actor: Actor) -> bool:  # noqa: ARG002 - of a person's wish the person is told, and may ask again
        """Whether another account that waits is the payee's own wish, on which somebody has no word. Never, unless it is known."""
        return False

    def with_a_person(self) -> list[Payment]:
        """The payments that the machine has given up."""
        return [payment for payment in self.payments if payment.state is PaymentState.WITH_A_PERSON]

    def waiting_payments(self) -> list[Payment]:
        """The payments that a person has to look at; of those that are said to be paid by hand another one decides first."""
        return [payment for payment in self.with_a_person() if payment.claim is None]

    def payable(self) -> list[Payment]:
        """Those of them that may be tried again."""
        return [payment for payment in self.waiting_payments() if not payment.of_another]

    def due_to_the_payee(self) -> list[Payment]:
        """The payments that are not settled and are due to who is paid now."""
        return [payment for payment in self.payments if not payment.of_another]

    def claims(self) -> list[SettlementClaimed]:
        """What is said to be paid by hand, and nobody else has confirmed yet."""
        return [payment.claim for payment in self.payments if payment.claim is not None]

    def is_held_back(self, payment: Payment) -> bool:  # noqa: ARG002 - most hold nothing back
        """Whether a payment rests for now: none does, unless the procedure says."""
        return False

    def paid_fen(self) -> dict[str, int]:
        """What was paid by month, all parts together."""
        return {month: sum(each.amount_fen for each in parts) for month, parts in self.paid.items()}

    def took_part(self) -> Mapping[Part, tuple[str, ...]]:
        """Whose matter it is, who asked for another account, who says that something was paid by hand."""
        asked = self.account_asked.asked_by if self.account_asked else self.account_changed_by
        each = {
            Part.APPLICANT: (self.reporter_subject,),
            Part.ACCOUNT_ASKED: (asked,),
            Part.SETTLEMENT_CLAIMED: tuple(claim.by for claim in self.claims()),
        }
        return {**super().took_part(), **{part: tuple(who for who in whom if who) for part, whom in each.items()}}

    def requests(self) -> Mapping[Part, tuple[int, ...]]:
        """What waits for another person's word: an account, and payments by hand."""
        account = {} if self.account_asked is None else {Part.ACCOUNT_ASKED: (self.account_asked.number,)}
        by_hand = {Part.SETTLEMENT_CLAIMED: tuple(claim.number for claim in self.claims())}
        return {**super().requests(), **account, **by_hand}


class OrganisationPaid(PaidState):
    """What a case remembers that pays an organisation 单位: whose project it is may be a person, and the money is the carrier's.

    Its account is nobody's own word: whoever asks for another one, a second person confirms it (`payee_decides`).
    """

    carrier: OrganisationCode
    carrier_name: TextReference

    @property
    def payee(self) -> PayeeReference:
        """The organisation."""
        return organisation(self.carrier)

    @property
    def payee_name(self) -> TextReference | None:
        """As whoever named it has written it."""
        return self.carrier_name


# ---- what people do -----------------------------------------------------------------------------------------------------

PaymentNumber = Annotated[int, Field(strict=True, ge=1)]


class OfPayment(Command):
    """A command about a payment that waits for a person; without a number, the oldest."""

    payment: PaymentNumber | None = None

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """The payments that wait for a person."""
        if not isinstance(state, PaidState):
            return {}
        reason = say("该笔发放不在待人工处理之列", "is no payment that waits for a person")
        return {"payment": Choices(tuple(payment.number for payment in state.waiting_payments()), reason)}


class RetryPayment(OfPayment):
    """重新发放: to the account that is known; to a corrected one as soon as a second person has confirmed that."""

    account: AccountReference | None = None

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """Those that may be tried again: what came back from who is not paid any more is paid to nobody else."""
        if not isinstance(state, PaidState):
            return {}
        reason = say("该笔发放不在待重新发放之列", "is no payment that may be tried again")
        return {"payment": Choices(tuple(payment.number for payment in state.payable()), reason)}

    def not_theirs(self, state: CaseState, actor: Actor, now: datetime) -> tuple[Fault, ...]:
        """Another account is named in no other's place."""
        found = super().not_theirs(state, actor, now)
        return found if self.account is None else (*found, *own_wish_of_another(state, actor))


class Settlement(StrEnum):
    """How a payment was settled by a person."""

    PAID_OTHERWISE = "paid_otherwise"
    NOT_DUE = "not_due"


class SettlePayment(OfPayment):
    """发放人工处理: it was not due after all, or it is said to have been paid by hand, and another person confirms that.

    `voucher`: the number under which the treasury paid it out; without one, nothing proves it, and the books say so.
    """

    how: Settlement
    reason: TextReference
    voucher: KeptCode | None = Field(default=None, exclude_if=lambda code: code is None)  # digests from before it

    @model_validator(mode="after")
    def _a_voucher_is_of_money(self) -> Self:
        if self.how is Settlement.NOT_DUE and self.voucher is not None:
            raise ValueError("voucher: 未发放则无凭证号 (what was not due was not paid out: leave it out)")
        return self


class ConfirmSettlement(AnswerTo):
    """确认已另行发放: a second person has seen the treasury's voucher; only now the month stands in the books."""

    part = Part.SETTLEMENT_CLAIMED
    request: SeenNumber = UNNAMED


class DeclineSettlement(AnswerTo):
    """未另行发放: it was not paid; it waits for a person again."""

    part = Part.SETTLEMENT_CLAIMED
    request: SeenNumber = UNNAMED
    reason: TextReference


class PaymentReturned(ReturnedPayment, Command):
    """银行退回: a payment that had been made came back."""

    payment_key: Annotated[PaymentKey, Field(examples=["0" * 26 + ".old-age-allowance.2026-01"])]
    returned_at: TownDatetime  # as it lies in the intake it is a text, which a strict moment would not take


class ChangeAccount(Command):
    """变更账户: from the next payment on; asked for by anybody but the payee, a second person confirms it."""

    account: AccountReference

    def not_theirs(self, state: CaseState, actor: Actor, now: datetime) -> tuple[Fault, ...]:
        """What an organisation has asked for itself, it replaces itself."""
        return (*super().not_theirs(state, actor, now), *own_wish_of_another(state, actor))


def own_wish_of_another(state: CaseState, actor: Actor) -> Iterator[Fault]:
    """What is wrong with another account in the place of the one that the organisation which is paid has asked for itself."""
    asked = state.account_asked if isinstance(state, PaidState) else None
    if asked is not None and asked.own and not same_account(actor.subject, asked.asked_by):
        said = say("收款单位已自行申请变更账户", "the organisation that is paid has asked for another one itself")
        remedy = say("请待其申请办结", "let its own wish be decided first")
        yield Fault(field="account", reason=said, remedy=remedy)


class ConfirmAccount(AnswerTo):
    """确认账户变更: a second person has seen that the payee wants it."""

    part = Part.ACCOUNT_ASKED
    request: SeenNumber = UNNAMED


class AgreeAccount(AnswerTo):
    """同意账户变更: whoever speaks for the organisation that is paid; a second person still confirms it."""

    part = Part.ACCOUNT_ASKED
    request: RequestNumber


class RefuseAccount(Command):
    """不予变更账户: with its reason."""

    reason: TextReference


class TellPayee(Command):
    """告知领取人: who has no account was told of the other account, by the phone or address stated before."""

    note: TextReference


# ---- what else must hold ------------------------------------------------------------------------------------------------


def a_payment_waits(state: PaidState, _actor: Actor, _now: datetime) -> str | None:
    """There is a payment that the machine has given up."""
    return None if state.waiting_payments() else say("没有待人工处理的发放", "no payment waits for a person")


def a_payment_may_be_tried_again(state: PaidState, actor: Actor, now: datetime) -> str | None:
    """There is one that is still due to who is paid."""
    if not state.waiting_payments():
        return a_payment_waits(state, actor, now)
    return None if state.payable() else say("原承接方的款项不得付给他人", "it was due to who is not paid any more")


def payment_is_claimed(state: PaidState, _actor: Actor, _now: datetime) -> str | None:
    """Somebody says that a payment was made by hand."""
    return None if state.claims() else say("没有待确认的另行发放", "no payment by hand waits to be confirmed")


def payments_are_settled(state: PaidState, _actor: Actor, _now: datetime) -> str | None:
    """What was due before is paid, or settled by people: for the line that goes on to the next."""
    return say("尚有款项未到账", "a payment is still under way") if state.payments else None


def own_payments_are_settled(state: PaidState, _actor: Actor, _now: datetime) -> str | None:
    """As above, of what is due to who is paid now: what came back of who is not paid any more holds nobody up."""
    return say("尚有款项未到账", "a payment is still under way") if state.due_to_the_payee() else None


def payee_decides(state: PaidState, _actor: Actor, _now: datetime) -> str | None:
    """The account of the case is the payee's own."""
    return None if state.payee_decides else say("须由另一人确认", "another person confirms it")


def account_is_asked(state: PaidState, _actor: Actor, _now: datetime) -> str | None:
    """Somebody has asked for another account."""
    return (
        None
        if state.account_asked
        else say("没有待确认的账户变更,须先提出变更", "no other account waits to be confirmed: it is asked for first")
    )


def payee_has_the_word(state: PaidState, _actor: Actor, _now: datetime) -> str | None:
    """Another account waits for the payee's own word."""
    return None if state.account_awaits_payee else say("没有待同意的账户变更", "no other account waits for your word")


def payee_has_agreed(state: PaidState, _actor: Actor, _now: datetime) -> str | None:
    """An account of an organisation is never another one without its own word."""
    return (
        say("收款单位尚未同意", "the organisation that is paid has not agreed yet")
        if state.account_awaits_payee
        else None
    )


def own_wish_is_the_towns_to_refuse(state: PaidState, actor: Actor, _now: datetime) -> str | None:
    """What the organisation that is paid has asked for itself is refused by the town, and taken back by itself."""
    if not state.keeps_own_wish_from(actor):
        return None
    return say(
        "收款单位自行申请的账户由街道或民政核实决定", "the organisation asked for it itself: the town decides on that"
    )


def payee_is_to_be_told(state: PaidState, _actor: Actor, _now: datetime) -> str | None:
    """A payee without an account of the town has not heard of another account yet."""
    return say("已告知领取人", "the payee was told already") if state.account_told else None


# ---- what a procedure declares ------------------------------------------------------------------------------------------


class PaymentEntries:
    """What the ledger says of payments: for `class Kind(PaymentEntries, EntryKinds, procedure="NAME")`."""

    PAYMENT_DUE = entry("payment:due", "应发放")
    PAID = entry(PAID_CODE, "已发放")
    PAYMENT_FAILED = entry("payment:failed", "发放未成功")
    PAYMENT_WITH_A_PERSON = entry("payment:with_a_person", "发放转人工")
    PAYMENT_RETRIED = entry("payment:retried", "重新发放", references={"account": Refers.TEXT})
    PAYMENT_SETTLED = entry("payment:settled", "发放人工处理")
    SETTLEMENT_CLAIMED = entry("payment:settlement_claimed", "登记已另行发放", references={"reason": Refers.TEXT})
    SETTLEMENT_DECLINED = entry("payment:settlement_declined", "未另行发放")
    PAYMENT_RETURNED = entry(RETURNED_CODE, "银行退回")
    ACCOUNT_CHANGED = entry("account_changed", "变更账户", references={"account": Refers.TEXT})
    ACCOUNT_ASKED = entry("account:asked", "申请变更账户", references={"account": Refers.TEXT})
    ACCOUNT_REFUSED = entry("account:refused", "不予变更账户")
    PAYEE_TOLD = entry("account:payee_told", "告知领取人")


class PayeeEntries:
    """What it says besides where an organisation is paid for which somebody speaks: beside `PaymentEntries`."""

    ACCOUNT_AGREED = entry("account:agreed", "同意账户变更")


@dataclass(frozen=True, kw_only=True)
class Paying:
    """The payments of a procedure.

    `at`: the stages at which people deal with payments and accounts; `seen_at`: at which the bank's word that one came back is
    heard, besides. `rests_at`: of `at`, those at which nothing is paid (the state says so too: `is_held_back`). `ends_at`: where a
    case may be when its last payment is settled. `by`: who sees to payments, `desk` who of them is told. From every word on money
    are kept whose matter it is, who entered it, and `apart_from`. `advances_at`: the stages at which what was paid first is not
    decided yet, by when clock `decided_by` says so; None: nothing is paid first. `payees`: who speaks for an organisation that is
    paid: its account is never another one without their word (the state says when: `account_awaits_payee`).
    """

    kinds: type[PaymentEntries]
    at: tuple[StrEnum, ...]
    seen_at: tuple[StrEnum, ...] = ()
    rests_at: tuple[StrEnum, ...] = ()
    ends_at: tuple[StrEnum, ...] = ()
    by: tuple[By, ...] = (CIVIL_AFFAIRS_OFFICER,)
    desk: str = "role:civil_affairs_officer"
    apart_from: tuple[Part, ...] = ()
    advances_at: tuple[StrEnum, ...] = ()
    decided_by: str = "whole"
    payees: tuple[By, ...] = ()

    def lines(self) -> tuple[Act | Rule | Step, ...]:
        """The lines of the table, in the order of the regulation."""
        apart = (Part.APPLICANT, Part.ENTERED, *self.apart_from)
        return (*self._payment_lines(apart), *self._account_lines(apart))

    def _payment_lines(self, apart: tuple[Part, ...]) -> tuple[Act | Rule, ...]:
        return (
            act(
                RetryPayment, "重新发放",
                by=self.by, at=tuple(each for each in self.at if each not in self.rests_at), when=a_payment_may_be_tried_again,
                moves_money=True,
                apart_from=apart, part=Part.ACCOUNT_ASKED, entry=self.kinds.PAYMENT_RETRIED,
            ),
            act(
                SettlePayment, "发放人工处理",
                by=self.by, at=self.at, to=self.ends_at, when=a_payment_waits,
                apart_from=apart, entry=self.kinds.PAYMENT_SETTLED,
            ),
            also(
                "settle_payment", "发放人工处理",
                by=self.by, at=self.at, when=a_payment_waits, apart_from=apart, part=Part.SETTLEMENT_CLAIMED,
            ),
            act(
                ConfirmSettlement, "确认已另行发放",
                by=(WINDOW_CLERK, STREET_OFFICER, CIVIL_AFFAIRS_OFFICER, SUPERVISOR), at=self.at, to=self.ends_at,
                when=payment_is_claimed, moves_money=True,
                apart_from=(*apart, Part.SETTLEMENT_CLAIMED), answers=(Part.SETTLEMENT_CLAIMED,),
            ),
            act(
                DeclineSettlement, "未另行发放",
                by=(REPORTER, WINDOW_CLERK, STREET_OFFICER, CIVIL_AFFAIRS_OFFICER, SUPERVISOR), at=self.at,
                to=self.ends_at, when=payment_is_claimed, entry=self.kinds.SETTLEMENT_DECLINED,
            ),
            act(
                PaymentReturned, "银行退回",
                by=_BANK, at=(*self.at, *self.seen_at), moves_money=True, entry=self.kinds.PAYMENT_RETURNED,
            ),
        )  # fmt: skip

    def _account_lines(self, apart: tuple[Part, ...]) -> tuple[Act | Rule, ...]:
        return (
            act(
                ChangeAccount, "变更账户",
                by=REPORTER, at=self.at, when=payee_decides, moves_money=True, entry=self.kinds.ACCOUNT_CHANGED,
            ),
            also(
                "change_account", "变更账户",
                by=(REPORTER, WINDOW_CLERK, *self.payees), at=self.at, part=Part.ACCOUNT_ASKED,
            ),
            act(
                ConfirmAccount, "确认账户变更",
                by=(WINDOW_CLERK, STREET_OFFICER, CIVIL_AFFAIRS_OFFICER), at=self.at,
                when=(account_is_asked, payee_has_agreed) if self.payees else account_is_asked,
                moves_money=True, apart_from=(*apart, Part.ACCOUNT_ASKED), answers=(Part.ACCOUNT_ASKED,),
            ),
            act(
                RefuseAccount, "不予变更账户",
                by=(REPORTER, WINDOW_CLERK, STREET_OFFICER, CIVIL_AFFAIRS_OFFICER, *self.payees), at=self.at,
                when=(account_is_asked, own_wish_is_the_towns_to_refuse), entry=self.kinds.ACCOUNT_REFUSED,
            ),
            *self._payee_lines(),
            act(
                TellPayee, "告知领取人",
                by=(WINDOW_CLERK, GRID_WORKER, STREET_OFFICER), at=self.at, when=payee_is_to_be_told,
                apart_from=(Part.ENTERED, Part.ACCOUNT_ASKED), entry=self.kinds.PAYEE_TOLD,
            ),
        )  # fmt: skip

    def _payee_lines(self) -> tuple[Act, ...]:
        if not self.payees or not issubclass(self.kinds, PayeeEntries):
            return ()
        return (
            act(
                AgreeAccount, "同意账户变更", by=self.payees, at=self.at, when=payee_has_the_word,
                apart_from=(Part.ENTERED, Part.ACCOUNT_ASKED), answers=(Part.ACCOUNT_ASKED,), entry=self.kinds.ACCOUNT_AGREED,
            ),
        )  # fmt: skip

    def faults(
        self, state: type[DeclaredState], timers: Mapping[str, Timer], lines: Sequence[Act | Step | Rule]
    ) -> Iterator[str]:
        """Say what does not fit: at import, where somebody who composes it sees it."""
        if not issubclass(state, PaidState):
            yield "payments need a PaidState"
        for clock, kind in _CLOCKS.items():
            if clock not in timers or timers[clock].kind is not kind:
                yield f"payments need the {kind} {clock} (payment_timers)"
        try:
            kind_at(state.model_fields["terms"].annotation, "pay_attempts_at_most")
        except TypeError:
            yield "payments need pay_attempts_at_most among the terms"
        rules = [line if isinstance(line, Rule) else line.rule for line in lines]
        if not any(rule.command == "confirm_settlement" for rule in rules):
            yield "payments need their lines()"
        if self.payees and not issubclass(self.kinds, PayeeEntries):
            yield "payments with payees need PayeeEntries"
        begins = [rule for rule in rules if rule.moves_money and rule.command not in _OWN]
        if not begins:
            yield "payments need a line of the procedure that is marked moves_money: what begins one"
        for rule in begins:
            people_give_it = not rule.automatic
            missing = [part for part in (Part.APPLICANT, Part.ENTERED) if part not in rule.apart_from]
            if people_give_it and missing:
                yield f"{rule.command} moves money, and who {' or '.join(missing)} may give it"


_OWN = frozenset({"retry_payment", "confirm_settlement", "payment_returned", "change_account", "confirm_account"})
_CLOCKS = {
    "pay": TimerKind.DUTY,
    "confirm_account": TimerKind.DUTY,
    "tell_payee": TimerKind.DUTY,
    "confirm_settlement": TimerKind.DUTY,
    "pay_again": TimerKind.WINDOW,
}


def payment_timers(pay: str | LimitOf | None = "pay", pay_again: str | LimitOf = "pay_again") -> Mapping[str, Timer]:
    """The clocks of payments: for `timers={**payment_timers(), …}`; `pay` None: by a date, which `time_to_pay` says."""
    civil, clerk = desk_of(CIVIL_AFFAIRS_OFFICER), desk_of(WINDOW_CLERK)
    return {
        "confirm_account": duty(
            "账户确认", "confirmation of another account", "confirm_account", warned=civil, beside=True
        ),
        "tell_payee": duty("告知领取人", "telling the payee", "tell_payee", warned=clerk, beside=True),
        "confirm_settlement": duty(
            "另行发放确认", "confirmation that it was paid by hand", "confirm_settlement", warned=civil, beside=True
        ),
        "pay": duty("发放", "payment", pay, beside=True),
        "pay_again": window("重新发放", "paying again", pay_again),
    }
