"""How a proposal goes on once it is selected: contract, milestones, changes, a halt, and its money (workflows/proposal.py)."""

from collections.abc import Mapping
from typing import TypeVar

from schemas.clocks.clock_facts import Status
from schemas.clocks.months import month_at
from schemas.contracts.payment import payee_of
from schemas.kernel.acts import Step
from schemas.kernel.parties import STREET_OFFICER, THE_REPORTER, desk_of
from schemas.kernel.people import Part, among
from schemas.parts.incoming import MONEY, ExpectedMoney
from schemas.parts.instalments import MILESTONE, VERIFY, VerifyMilestone
from schemas.parts.payments import Payment, PaymentState
from schemas.parts.reservations import ReservedUnit, UnitStanding
from schemas.proposal import Kind
from schemas.proposal_carrier import signs_as_carrier
from schemas.proposal_commands import (
    AcceptInvoice,
    Account,
    ConfirmMilestone,
    DeclineContract,
    FileInvoice,
    GoOn,
    OfferContract,
    RefuseChange,
    RefuseInvoice,
    SettleAccount,
    SignContract,
    Terminate,
)
from schemas.proposal_state import CONTRACTED, INVOICE, Asked, Invoice, ProposalState, Stage
from schemas.values.actor import Actor
from workflows.kernel.law import Law
from workflows.parts.incoming import IncomingCase
from workflows.parts.instalments import InstalmentsCase
from workflows.parts.reservations import ReservationsCase
from workflows.proposal_carrier import COMMITTEE, Carried
from workflows.recovery_parent import Recoveries

STREET = desk_of(STREET_OFFICER)
HALTS = (MILESTONE, VERIFY, "pay")
"""The clocks that rest while it is halted."""
NOT_SPENT = "not_spent"
"""Why it is to come back: it was paid, and no invoice shows that it was spent."""
SILENCE_SAVES_NO_CARRIER = Law("silence-saves-no-carrier")
"""Patch: before, an instalment that waited for a carrier's own word ended everything, and asked nothing back of that carrier."""
_ENTRY_OF_END = {
    Stage.CLOSED: Kind.CLOSED,
    Stage.TERMINATED: Kind.TERMINATED,
    Stage.UNRESOLVED: Kind.UNRESOLVED,
}

StateT = TypeVar("StateT", bound=ProposalState)


class Endings(
    Carried[StateT], InstalmentsCase[StateT], ReservationsCase[StateT], IncomingCase[StateT], Recoveries[StateT]
):
    """The part of a proposal that begins with its contract."""

    async def story(self) -> None:
        """Until it has ended, and what it left open stands in a case of its own."""
        await super().story()
        for asked in self.state.recoveries:
            await self.errand_done(self.child_errand, asked.number)

    def report(self) -> None:
        """Tell the round where it stands."""
        raise NotImplementedError

    # ---- 4. the contract ------------------------------------------------------------------------------------------

    def offer_contract(self, command: OfferContract, by: Actor) -> None:
        """拟定协议: the team has the word, and the carrier."""
        self.state.contract = self.next_asked(by)
        if self.rests_now("contract"):
            self.clocks.go_on("contract", by.subject)
        else:
            self.start_clock("contract")
        self.keep_document(command.document)
        self.apply(request=self.state.asked, **self.shown_to_the_carrier())

    def next_asked(self, by: Actor) -> Asked:
        """What waits for another person's word from now on."""
        self.state.asked += 1
        return Asked(number=self.state.asked, by=by.subject)

    def rests_now(self, clock: str) -> bool:
        """Whether a clock was paused, and goes on from where it stood."""
        return clock in self.state.clocks and self.state.clocks[clock].status is Status.PAUSED

    def decline_contract(self, command: DeclineContract, by: Actor) -> None:  # noqa: ARG002 - it stands in the entry
        """不同意协议: the time for signing rests until there is another one, which both sides sign anew."""
        self.state.contract = None
        self.state.team_signed = self.state.carrier_signed = self.state.authority_seen = False
        self.state.carrier_declined = self.state.carrier_declined or signs_as_carrier(self.state, by)
        self.forget_authority(by)
        self.clocks.pause("contract", by.subject)
        self.apply()

    def sign_contract(self, command: SignContract, by: Actor) -> None:  # noqa: ARG002 - it stands in the entry
        """签约: by the team."""
        if self.state.carrier_person is None:
            self.contract_stands(by)  # a case from before the carrier had a word
            return
        self.state.team_signed = True
        self.is_signed(by)
        self.tell_of_signature(f"participant:{self.state.carrier_person}", COMMITTEE, STREET)

    def contract_stands(self, by: Actor) -> None:
        """签约: with the last word the first milestone runs; the round keeps the place for nobody else."""
        contract, self.state.contract = self.state.contract, None
        self.state.contracted_by, self.state.contracted = None if contract is None else contract.by, True
        self.state.signed = self.state.signed or self.stamp
        self.clocks.stop("contract", by.subject)
        self.record_command(milestones=[each.amount_fen for each in self.state.milestones])
        self.next_milestone()
        self.report()

    # ---- 5. milestones and invoices -------------------------------------------------------------------------------

    def verify_milestone(self, command: VerifyMilestone, by: Actor) -> None:
        """验收: accepted by one, it waits for the second; not accepted, it is claimed anew."""
        if not command.passed:
            self.decide_on_milestone(command, by)
            self.time_the_milestone()
            return
        self.state.verified = self.next_asked(by)
        if not among(by.subject, self.state.verified_by):
            self.state.verified_by.append(by.subject)
        self.start_clock(VERIFY, by.subject)
        self.move(Stage.CLAIMED, STREET)
        self.apply(milestone=self.state.reached + 1, number=self.state.asked)

    def confirm_milestone(self, command: ConfirmMilestone, by: Actor) -> None:
        """复核验收: by the second person; now it is reached, and its instalment is paid."""
        self.state.verified = None
        self.decide_on_milestone(command, by)
        self.time_the_milestone()

    def next_milestone(self) -> None:
        """The time of the next one runs once the instalment before is paid: before that it cannot be claimed."""
        super().next_milestone()
        self.time_the_milestone()

    def time_the_milestone(self) -> None:
        """While money of theirs is on its way, or lies with a person, the team's time rests."""
        if self.state.stage != Stage.RUNNING:
            return
        waits = self.state.due_to_the_payee()
        if waits and self.clocks.runs(MILESTONE):
            self.clocks.pause(MILESTONE, "engine")
        elif not waits and self.rests_now(MILESTONE):
            self.clocks.go_on(MILESTONE, "engine")
            self.move(Stage.RUNNING, THE_REPORTER)

    def pay_instalment(self, number: int) -> None:
        """拨付: its share of the pool is spent, and paid to the carrier under the key of the milestone, once."""
        unit = self.state.unit_of(f"milestone-{number}")
        if unit is not None and unit.standing is UnitStanding.HELD:
            self.spend_unit(unit)
        self.pay(month_at(self.now()), self.state.milestones[number - 1].amount_fen, paid_as=f"round-{number}")

    def attempt_of(self, payment: Payment, key: str) -> int:
        """What comes back from a carrier that was changed since stands for no attempt of the new one."""
        return super().attempt_of(payment, key) if payee_of(key) == self.state.payee else 0

    def milestones_are_done(self) -> None:
        """All are accepted: with the last instalment the final account is due."""
        self.move(Stage.ACCOUNTING, self.paying.desk)
        self.await_account()

    async def rests(self, payment: Payment) -> bool:
        """停拨: halted, or called off, the bank is not asked to pay; what was on its way there is heard."""
        if await super().rests(payment):
            return True
        if not self.state.is_held_back(payment):
            return False
        payment.state = PaymentState.WAITING
        self.after_failure()
        return True

    async def errand_find_out(self, number: int) -> None:
        """What the bank says of it changes what is to come back."""
        await super().errand_find_out(number)
        self.reckon_anew()

    def after_return(self) -> None:
        """银行退回: called off, it is not paid out again."""
        self.time_the_milestone()
        self.after_failure()

    def after_failure(self) -> None:
        """Called off, what did not succeed is not due any more; of what may have moved the bank is asked."""
        if self.state.stage == Stage.REFUNDING:
            self.drop_what_waits()
            self.reckon_anew()

    def after_payment(self, payment: Payment) -> None:
        """As above; of what is paid or not when it was called off, what is to come back goes by that."""
        super().after_payment(payment)
        self.await_account()
        self.time_the_milestone()
        self.reckon_anew()

    def reckon_anew(self) -> None:
        """应退结余: what is to come back, once nothing is on its way any more; over, what is found out then is asked back."""
        state, waited = self.state, self.state.waited_for_money()
        if self.over:
            self.ask_back_what_is_owed()
        elif state.stage == Stage.REFUNDING and not state.payments:
            if waited and state.paid_before:
                for money in waited:
                    self.expect_instead(money, state.unspent_by(state.owes(money)))
                if not self.over:
                    self.demand()
            elif waited:
                self.expect_instead(waited[0], state.unspent_fen)
            elif state.unspent_fen:
                self.demand()
            else:
                self.be_over(unspent_fen=0)

    def await_account(self) -> None:
        """The final account is theirs to hand in, and its time runs, once everything is paid."""
        if (
            self.state.stage == Stage.ACCOUNTING
            and not self.state.due_to_the_payee()
            and not self.clocks.runs("account")
        ):
            self.start_clock("account")
            self.move(Stage.ACCOUNTING, THE_REPORTER)
            self.notify(THE_REPORTER, "proposal_account_due")

    def file_invoice(self, command: FileInvoice, by: Actor) -> None:
        """登记发票: first it is asked whether it stands in another case."""
        number = len(self.state.invoices) + 1
        self.keep_document(command.document)
        self.record_command(invoice_number=number)
        unit = self.reserve_unit(INVOICE, f"{INVOICE}-{number}", secret=command.invoice)
        invoice = Invoice(
            number=number,
            amount_fen=command.amount_fen,
            unit=unit.number,
            by=by.subject,
            carrier=command.of_carrier or (self.state.carrier if self.state.paid_before else None),
        )
        self.state.invoices.append(invoice)

    def invoice_is_to_be_seen(self) -> None:
        """待核验: it stands in no other case; another person looks at it."""
        if not self.clocks.runs("accept_invoice"):
            self.start_clock("accept_invoice")
        self.notify(STREET, "proposal_invoice_to_accept")

    def accept_invoice(self, command: AcceptInvoice, by: Actor) -> None:
        """认可发票: used up for good."""
        invoice = self.state.invoices[command.request - 1]
        invoice.accepted = True
        self.spend_unit(self.state.reserved_units[invoice.unit - 1])
        whose = {} if invoice.carrier is None else {"carrier": invoice.carrier}
        self.record_command(unit=invoice.unit, proved_fen=self.state.proved_fen, **whose)
        self.invoice_was_seen(by)

    def refuse_invoice(self, command: RefuseInvoice, by: Actor) -> None:
        """不予认可发票: its number is free again."""
        invoice = self.state.invoices[command.request - 1]
        invoice.accepted = False
        self.give_up_unit(self.state.reserved_units[invoice.unit - 1])
        self.apply(unit=invoice.unit)
        self.invoice_was_seen(by)

    def invoice_was_seen(self, by: Actor) -> None:
        """With the last one that waits, the time for looking is over."""
        if not self.state.unseen_invoices:
            self.clocks.stop("accept_invoice", by.subject)

    def invoice_is_refused(self, unit: ReservedUnit) -> None:
        """发票已在他处使用: it shows nothing here, and the street hears of it."""
        self.record(Kind.INVOICE_REFUSED, unit=unit.number, code=unit.code)
        self.notify(STREET, "proposal_invoice_refused")

    # ---- 6. changed, halted, called off ---------------------------------------------------------------------------

    def refuse_change(self, command: RefuseChange, by: Actor) -> None:  # noqa: ARG002 - it stands in the entry
        """不同意变更."""
        self.state.change = None
        self.forget_authority(by)
        self.apply()
        self.notify(THE_REPORTER, "proposal_change_refused")

    def take_back_change(self, by: Actor) -> None:
        """撤回变更申请: whoever was asked hears that nobody waits for them any more."""
        change, self.state.change = self.state.change, None
        self.forget_authority(by)
        self.apply()
        if change is not None and change.carrier_person is not None:
            for person in (change.carrier_person, None):
                self.tell_carrier("proposal_change_taken_back", person)

    def halt(self, by: Actor) -> None:
        """停拨: no time runs but that for saying what comes next."""
        self.state.halt = self.next_asked(by)
        for clock in HALTS:
            if self.clocks.runs(clock):
                self.clocks.pause(clock, by.subject)
        self.apply(request=self.state.asked, reached=self.state.reached)

    def go_on(self, command: GoOn, by: Actor) -> None:  # noqa: ARG002 - it stands in the entry
        """恢复: where it stood."""
        self.state.halt = None
        self.clocks.stop("halted", by.subject)
        for clock in HALTS:
            if self.rests_now(clock):
                self.clocks.go_on(clock, by.subject)
        if self.state.claimed_by is None:
            self.move(Stage.RUNNING, THE_REPORTER)
        else:
            self.move(Stage.CLAIMED, self.instalments.desk if self.state.verified is None else STREET)
        self.record_command()
        self.notify(THE_REPORTER, "proposal_resumed")
        self.pay_those_that_wait()
        self.time_the_milestone()

    def terminate(self, command: Terminate) -> None:
        """终止: what is not shown to be spent comes back."""
        self.end_as(Stage.TERMINATED, reason=command.reason)

    def end_halted(self, step: Step) -> None:  # noqa: ARG002 - there is one such step
        """停拨期满: nobody said in time that it goes on."""
        self.end_as(Stage.TERMINATED, cause="halted")

    # ---- 7. the account, and the money that comes back ------------------------------------------------------------

    def account(self, command: Account, by: Actor) -> None:
        """提交决算: another person settles it."""
        for document in command.documents:
            self.keep_document(document)
        self.state.accounted = self.next_asked(by)
        self.apply(request=self.state.asked, paid_fen=self.state.instalments_paid_fen, proved_fen=self.state.proved_fen)

    def settle_account(self, command: SettleAccount, by: Actor) -> None:
        """核定决算: closed, or the rest comes back first; not accepted, it is handed in again."""
        self.state.accounted = None
        self.clocks.stop("settle_account", by.subject)
        if command.accepted:
            self.record_command(unspent_fen=self.state.unspent_fen)
            self.end_as(Stage.CLOSED)
            return
        self.record(Kind.ACCOUNT_REJECTED, request=command.request, finding=command.finding)
        self.start_clock("account")
        self.move(Stage.ACCOUNTING, THE_REPORTER)
        self.notify(THE_REPORTER, "proposal_account_rejected")

    def end_as(self, stage: Stage, **facts: object) -> None:
        """It ends so; what was paid and is not shown to be spent comes back before that, reckoned when nothing is on its way."""
        self.drop_what_waits()
        left, on_its_way = self.state.unspent_fen, len(self.state.payments)
        if not left and not on_its_way:
            self.finish_as(stage, _ENTRY_OF_END[stage], unspent_fen=0, **facts)
            return
        self.clocks.stop_all()
        self.state.ends_as, self.state.halt = stage, None
        self.move(Stage.REFUNDING, THE_REPORTER if left else self.paying.desk)
        self.record(Kind.REFUND_DUE, ends_as=stage, unspent_fen=left, on_its_way=on_its_way, **facts)
        self.start_clock(MONEY)
        if not on_its_way:
            self.demand()

    def demand(self) -> None:
        """应退结余: of each who was paid, under a reference of its own."""
        asked = {self.state.owes(money) for money in self.state.money}
        for payer in self.state.payers:
            if (left := self.state.unspent_by(payer)) and payer not in asked:
                self.demand_of(payer, left)

    def demand_of(self, payer: str, left: int) -> None:
        """Of one of them."""
        self.move(Stage.REFUNDING, THE_REPORTER)
        if self.state.paid_before:
            self.state.refunds.append(payer)
        money = self.expect_money(NOT_SPENT.replace("_", "-"), left)
        person = self.person_of(payer) if self.state.paid_before else None
        for told in (THE_REPORTER, *([] if person is None else [f"participant:{person}"])):
            self.notify(told, "proposal_to_refund", yuan=left // 100, fen=left % 100, reference=money.reference)

    def money_has_come(self, money: ExpectedMoney) -> None:
        """结余已退回: over with the last of it."""
        if not self.state.waited_for_money():
            self.be_over(
                came_fen=sum(each.came_fen for each in self.state.money) if self.state.refunds else money.came_fen
            )

    def ask_back(self, step: Step) -> None:  # noqa: ARG002 - there is one such step
        """逾期未退: it is asked back by a case of its own."""
        self.give_up_waiting()

    def give_up_waiting(self) -> None:
        """追回: what has not come, and nothing more is waited for here."""
        for money in self.state.waited_for_money():
            self.drop_money(money)
        self.ask_back_what_is_owed()
        self.be_over(asked_back_fen=sum(each.amount_fen for each in self.state.recoveries))

    def ask_back_what_is_owed(self) -> None:
        """追回: besides what was asked back before."""
        state, month = self.state, month_at(self.now())
        for payer in state.payers:
            owed = state.still_owed_by(payer)
            if owed and state.ends_as is not None:
                whose = (payer, self.person_of(payer)) if state.paid_before else (None, None)
                self.recover(NOT_SPENT, {month: state.demanded_back().get(month, 0) + owed}, *whose)

    def recover(
        self, cause: str, months: Mapping[str, int], payer: str | None = None, payer_person: str | None = None
    ) -> None:
        """追回: by itself under the word on the contract; its own opening is one of its round, which starts no case of this one."""
        before = len(self.state.recoveries)
        super().recover(cause, months, payer, payer_person)
        for asked in self.state.recoveries[before:]:
            if asked.stamp.case_id != self.state.case_id and self.state.signed is not None:
                asked.stamp = self.state.signed

    def kept_from_its_money(self) -> tuple[str, ...]:
        """Team, carriers, their kin and the jury: whoever had no word on the money has none on the debt."""
        parts = self.state.took_part()
        people = (person for part in (Part.TEAM, Part.CARRIER, Part.RELATED, Part.JUROR) for person in parts[part])
        return tuple(sorted(set(people)))

    def be_over(self, **facts: object) -> None:
        """It ends as it was to end."""
        stage = Stage(self.state.ends_as or Stage.CLOSED)
        self.finish_as(stage, _ENTRY_OF_END[stage], **facts)

    def lies_with_it(self) -> bool:
        """Whether it is the carrier that an instalment waits for, and not the town."""
        return self.state.owes_its_word(self.now()) and self.law_holds_here(SILENCE_SAVES_NO_CARRIER)

    def expire(self, step: Step) -> None:  # noqa: ARG002 - there is one such step
        """逾期终结: nobody acts any more; money that is out comes back first."""
        if self.state.stage == Stage.REFUNDING:
            self.give_up_waiting()
        elif self.state.stage in (Stage.CLAIMED, Stage.SETTLING) or (
            self.state.due_to_the_payee() and not self.lies_with_it()
        ):
            # the team has done its part: that nobody looked at it, or paid it, asks nothing back by itself
            self.finish_as(Stage.UNRESOLVED, Kind.UNRESOLVED, unspent_fen=self.state.unspent_fen)
        elif self.state.stage in CONTRACTED:
            self.end_as(Stage.UNRESOLVED)
        else:
            self.finish_as(Stage.UNRESOLVED, Kind.UNRESOLVED)
