"""Another account: the payee's own word counts at once; anybody else's waits for a second person, and the payee is told.

    change_account by the payee      -> the account is another from the next payment on
    change_account by a clerk, or by -> asked for: the payee is told, a second person confirms or refuses
      an account nobody vouches for     (confirmed, the payment that waited is tried again)
    retry_payment with an account    -> the same

The payee hears of it by the way they were reached before: by their own account of the town; who has none, or one that nobody
vouches for, is called or visited by somebody else than who asked for it (`tell_payee`), with a clock.
"""

from typing import TypeVar

from schemas.kernel.parties import THE_REPORTER, WINDOW_CLERK, desk_of
from schemas.parts.payments import (
    AccountAsked,
    ChangeAccount,
    PaidState,
    RefuseAccount,
    RetryPayment,
    TellPayee,
)
from schemas.values.actor import Actor, Role
from schemas.values.references import TextReference
from workflows.kernel.law import Law
from workflows.parts.settlements import Settlements

StateT = TypeVar("StateT", bound=PaidState)

TWO_DECIDE_ON_AN_ACCOUNT = Law("two-decide-on-an-account")
"""Patch: before, anybody's word on another account counted at once, and the payee was not told."""

AN_ACCOUNT_IS_BOUND = Law("an-account-is-bound-to-its-payee", since=2)
"""Patch: before, an account that staff had named as the applicant's decided alone where money goes."""


class Accounts(Settlements[StateT]):
    """The part of a case that minds where its money goes."""

    def change_account(self, command: ChangeAccount, by: Actor) -> None:
        """变更账户: the payee's own word counts from the next payment on; anybody else's when a second person confirms it."""
        if not self.law_holds(TWO_DECIDE_ON_AN_ACCOUNT):
            self.change_account_before_two_people(command.account, by)
        elif by.role is Role.RESIDENT and self.payee_decides_alone:
            self.forget_the_account_asked(by.subject)
            self.pay_to(command.account, by)
        else:
            self.ask_for_account(command.account, by)

    def tell_organisation(self, template: str) -> None:
        """Tell whoever speaks for the organisation that is paid. Nobody, unless the procedure knows somebody."""

    def account_is_another(self) -> None:
        """Go on: the money goes elsewhere from now on. Nothing, unless the procedure says."""

    @property
    def payee_decides_alone(self) -> bool:
        """The account is the payee's by more than the word of who entered the case."""
        return self.state.payee_decides or not self.law_holds(AN_ACCOUNT_IS_BOUND)

    def change_account_before_two_people(self, account: TextReference, by: Actor) -> None:
        """As it was: one person's word."""
        self.state.account = account
        self.record(self.paying.kinds.ACCOUNT_CHANGED, account=account, by=by.role)

    def retry_payment(self, command: RetryPayment, by: Actor) -> None:
        """重新发放: under a new key only where the bank has said that nothing was paid; another account is asked for first."""
        payment = self.payment_meant(command.payment, again=True)
        if command.account is None:
            self.try_again(payment, by)
        elif self.law_holds(TWO_DECIDE_ON_AN_ACCOUNT):
            self.ask_for_account(command.account, by, payment.number)
        else:
            self.retry_elsewhere_before_two_people(payment.number, command.account, by)

    def retry_elsewhere_before_two_people(self, number: int, account: TextReference, by: Actor) -> None:
        """As it was: one person's word."""
        self.state.account = account
        self.try_again(self.payment_meant(number), by, account)

    def ask_for_account(self, account: TextReference, by: Actor, payment: int | None = None) -> None:
        """Another account is asked for, in place of one that was asked for before; nothing is paid to it yet."""
        before = self.state.account_asked
        self.state.accounts_asked += 1
        self.state.account_asked = AccountAsked(
            number=self.state.accounts_asked,
            account=account,
            asked_by=by.subject,
            asked_at=self.now(),
            payment=payment if payment is not None or before is None else before.payment,
        )
        self.start_clock("confirm_account")
        self.record(
            self.paying.kinds.ACCOUNT_ASKED,
            number=self.state.accounts_asked,
            account=account,
            payment=self.state.account_asked.payment,
            instead_of=before.number if before else None,
            by=by.role,
        )
        self.notify(THE_REPORTER, "account_asked")
        self.notify(self.paying.desk, "account_confirmation_due")

    def confirm_account(self, by: Actor) -> None:
        """确认账户变更: by a second person; the payment that waited for it is tried again."""
        asked = self.state.account_asked
        assert asked is not None, "the table takes it only while one waits"  # noqa: S101
        self.state.account_asked = None
        self.clocks.stop("confirm_account", by.subject)
        self.pay_to(asked.account, by, number=asked.number, asked_by=asked.asked_by)
        for payment in self.state.payable():
            if payment.number == asked.payment:
                self.try_again(payment, by, asked.account)

    def refuse_account(self, command: RefuseAccount, by: Actor) -> None:
        """不予变更账户: the account stays as it is."""
        asked = self.state.account_asked
        assert asked is not None, "the table takes it only while one waits"  # noqa: S101
        self.forget_the_account_asked(by.subject)
        self.record(self.paying.kinds.ACCOUNT_REFUSED, number=asked.number, reason=command.reason, by=by.role)
        self.notify(THE_REPORTER, "account_refused")
        self.tell_organisation("account_refused")

    def forget_the_account_asked(self, by: str) -> None:
        """What was asked for does not wait any more."""
        self.state.account_asked = None
        self.clocks.stop("confirm_account", by)

    def pay_to(self, account: TextReference, by: Actor, number: int | None = None, asked_by: str | None = None) -> None:
        """From the next payment on the account is another one; the payee is told by the way they were reached before."""
        self.state.account = account
        self.state.account_changed_by = asked_by or by.subject
        self.account_is_another()
        self.record(self.paying.kinds.ACCOUNT_CHANGED, account=account, number=number, by=by.role)
        self.notify(THE_REPORTER, "account_changed")
        self.tell_organisation("account_changed")
        unknown = self.state.charter.people_are_identified and not self.state.payee_decides
        if self.state.reporter_subject is None or unknown:
            self.state.account_told = False
            self.start_clock("tell_payee")
            self.notify(desk_of(WINDOW_CLERK), "payee_to_be_told")

    def tell_payee(self, command: TellPayee, by: Actor) -> None:
        """告知领取人: by phone or on a visit, of who has no account of the town to read it by."""
        self.state.account_told = True
        self.clocks.stop("tell_payee", by.subject)
        self.record(self.paying.kinds.PAYEE_TOLD, note=command.note, by=by.role)
