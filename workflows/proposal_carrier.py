"""承接方: the carrier signs for itself, and nothing of its money changes without its word (schemas/proposal_carrier.py).

    signing: sign_contract by the team, sign_for_carrier by the organisation, in any order; confirm_authority by the town
             all of them: the first milestone runs
    running: ask_change by the team names another one; accept_carriage by that one, release_carriage or keep_carriage by the
             present one (where it is silent, find_carrier_silent by one of the town); grant_change by another of the town; an
             instalment that lies with a person is paid to the new one then
    account: asked for by anybody, agree_account by the organisation, confirm_account by the town

A case from before names nobody who speaks for its carrier: there the team's word on the contract is enough, as it was.
"""

from typing import Any, TypeVar

from schemas.contracts.payment import PayStatus, StatusRequest, payee_of, payment_key
from schemas.kernel.parties import COMMITTEE_OFFICER, STREET_OFFICER, THE_REPORTER, desk_of
from schemas.kernel.people import among
from schemas.parts.instalments import MILESTONE
from schemas.parts.payments import Payment, PaymentState, RefuseAccount, SettlePayment
from schemas.proposal_carrier import (
    AcceptCarriage,
    ConfirmAuthority,
    DeclineCarriage,
    FindCarrierSilent,
    KeepCarriage,
    NameCarrierPerson,
    ReleaseCarriage,
    SignForCarrier,
    signs_as_carrier,
)
from schemas.proposal_commands import AskChange, GrantChange
from schemas.proposal_state import Asked, ChangeAsked, PaidBefore, ProposalState, Stage
from schemas.values.actor import Actor
from schemas.values.organisation import organisation
from schemas.values.references import TextReference
from workflows.kernel import steps
from workflows.kernel.law import Law
from workflows.parts.accounts import Accounts

STREET, COMMITTEE = desk_of(STREET_OFFICER), desk_of(COMMITTEE_OFFICER)
EACH_CARRIER_OWES_ITS_OWN = Law("each-carrier-owes-its-own")
"""Patch: before, the carrier that stood last owed what any other had been paid."""
WHAT_LIES_GOES_OVER = Law("what-lies-goes-over")
"""Patch: before, no other carrier was granted while an instalment lay with a person, and no wish said how much that was."""
THE_BANK_IS_ASKED_FIRST = Law("the-bank-is-asked-first")
"""Patch: before, what went over was paid at once, under the attempt that followed those for the carrier before."""
AN_OWN_WISH_IS_NOBODY_ELSES = Law("an-own-wish-is-nobody-elses")
"""Patch: before, team and window refused another account that the carrier had asked for itself, or put one in its place."""
A_WORD_GOES_WITH_ITS_PERSON = Law("a-word-goes-with-its-person")
"""Patch: before, an account that somebody had agreed to stayed agreed to when another person spoke for the carrier."""
A_WISH_STANDS_AS_IT_WAS_ASKED = Law("a-wish-stands-as-it-was-asked")
"""Patch: before, what lay on the day of the grant went over, whatever had lain when each side gave its word."""
EACH_HEARS_OF_A_SIGNATURE = Law("each-hears-of-a-signature")
"""Patch: before, the street alone was told, and of the carrier's signature alone."""
A_CARRIER_HEARS_OF_ITS_ACCOUNT = Law("a-carrier-hears-of-its-account")
"""Patch: before, the team alone was told that an account was refused or changed."""

StateT = TypeVar("StateT", bound=ProposalState)


class Carried(Accounts[StateT]):
    """The part of a proposal in which an organisation answers for the money."""

    def contract_stands(self, by: Actor) -> None:
        """Go on: everybody has signed who has to."""
        raise NotImplementedError

    def tell_carrier(self, template: str, person: str | None = None) -> None:
        """Tell whoever speaks for the carrier, or for another one, if anybody does."""
        told = person or self.state.carrier_person
        if told is not None:
            self.notify(f"participant:{told}", template)

    # ---- the contract -------------------------------------------------------------------------------------------------

    def shown_to_the_carrier(self) -> dict[str, Any]:
        """What the carrier puts its name to beside the text: that it is meant, where the money goes, and how much it is."""
        if self.state.carrier_person is None:
            return {}
        self.tell_carrier("proposal_contract_for_carrier")
        names = {"carrier", "carrier_name", "account", "carrier_person"}
        return {**self.state.model_dump(mode="json", include=names), "budget_fen": self.state.budget_fen}

    def name_carrier_person(self, command: NameCarrierPerson) -> None:
        """更换承接方代表: from now on the seat and the word are theirs."""
        self.tell_carrier("proposal_carrier_person_replaced")
        self.state.carrier_person = command.carrier_person
        self.apply()
        if self.state.stage == Stage.SIGNING:
            self.tell_carrier("proposal_contract_for_carrier")
            if self.state.team_signed:
                self.move(Stage.SIGNING, f"participant:{command.carrier_person}")

    def sign_for_carrier(self, command: SignForCarrier, by: Actor) -> None:
        """承接方签约: with the authority that it has given."""
        self.keep_document(command.document)
        self.state.carrier_signed = True
        self.show_authority(by)
        self.is_signed(by)
        self.tell_of_signature(THE_REPORTER, COMMITTEE)
        self.notify(STREET, "proposal_authority_to_confirm")

    def tell_of_signature(self, *others: str) -> None:
        """With each signature the other side hears that the word is its own, and committee and street that it was given."""
        if self.state.contract is not None and self.law_holds_here(EACH_HEARS_OF_A_SIGNATURE):
            for told in others:
                self.notify(told, "proposal_one_has_signed")

    def is_signed(self, by: Actor) -> None:
        """One side has signed; until the other one has its time runs on. With both it rests, and waits for the town alone."""
        state = self.state
        waits_for = f"participant:{state.carrier_person}" if state.team_signed else THE_REPORTER
        if state.team_signed and state.carrier_signed:
            state.signed = self.stamp
            if state.authority_seen:
                self.contract_stands(by)
                return
            self.clocks.pause("contract", by.subject)
            waits_for = STREET
        self.move(Stage.SIGNING, waits_for)
        self.record_command()

    # ---- whether it may be said for the organisation ------------------------------------------------------------------

    def show_authority(self, by: Actor) -> None:
        """出示授权: one of the town looks at it, by a time of its own."""
        self.state.asked += 1
        self.state.authority = Asked(number=self.state.asked, by=by.subject)
        self.start_clock("confirm_authority", by.subject)

    def confirm_authority(self, command: ConfirmAuthority, by: Actor) -> None:
        """核实授权: found right, the word counts; else it was never given, and the time for signing runs on."""
        self.forget_authority(by)
        state = self.state
        if state.stage != Stage.SIGNING:
            self.confirm_new_one(command, by)
        elif not command.right:
            state.carrier_signed = False
            if state.team_signed:
                self.clocks.go_on("contract", by.subject)
                self.move(Stage.SIGNING, f"participant:{state.carrier_person}")
            self.record_command()
            self.tell_carrier("proposal_authority_not_right")
        else:
            state.authority_seen = True
            if state.team_signed:
                self.contract_stands(by)
            else:
                self.record_command()

    def confirm_new_one(self, command: ConfirmAuthority, by: Actor) -> None:
        """The same of whoever agreed to take over."""
        change = self.state.change
        if change is not None:
            change.signed, change.confirmed_by = command.right, by.subject if command.right else None
        self.record_command()
        if change is not None and not command.right:
            self.tell_carrier("proposal_authority_not_right", change.carrier_person)

    def forget_authority(self, by: Actor) -> None:
        """None waits to be looked at any more."""
        self.state.authority = None
        if self.clocks.runs("confirm_authority"):
            self.clocks.stop("confirm_authority", by.subject)

    # ---- another carrier ----------------------------------------------------------------------------------------------

    def ask_change(self, command: AskChange, by: Actor) -> None:
        """申请变更: nothing has changed before another person has said yes, and another carrier itself."""
        self.state.asked += 1
        self.state.change = ChangeAsked(
            number=self.state.asked,
            by=by.subject,
            carrier=command.carrier,
            carrier_name=command.carrier_name,
            account=command.account,
            carrier_person=command.carrier_person,
        )
        over = self.state.goes_to_a_new_carrier() if command.carrier else []
        lies = sum(payment.amount_fen for payment in over)
        if self.state.carrier_person is not None and self.law_holds_here(A_WISH_STANDS_AS_IT_WAS_ASKED):
            self.state.change.goes_over = [payment.number for payment in over]
        said = lies and self.state.carrier_person is not None and self.law_holds_here(WHAT_LIES_GOES_OVER)
        self.apply(request=self.state.asked, **({"goes_over_fen": lies} if said else {}))
        if command.carrier_person is not None:
            self.tell_carrier("proposal_carriage_asked", command.carrier_person)
            self.tell_carrier("proposal_carriage_to_release")

    def accept_carriage(self, command: AcceptCarriage, by: Actor) -> None:
        """同意承接: the town has the word."""
        if self.state.change is not None:
            self.state.change.signed = True
        self.keep_document(command.document)
        self.show_authority(by)
        self.apply()

    def release_carriage(self, command: ReleaseCarriage, by: Actor) -> None:  # noqa: ARG002 - it stands in the entry
        """同意交出承接: the present one's own word."""
        self.is_released(by)

    def keep_carriage(self, command: KeepCarriage) -> None:  # noqa: ARG002 - it stands in the entry
        """不同意交出承接: the team hears that the change waits for its word, and nobody acts in its place."""
        if self.state.change is not None:
            self.state.change.kept = True
        self.apply()
        self.notify(THE_REPORTER, "proposal_carriage_kept")

    def find_carrier_silent(self, command: FindCarrierSilent, by: Actor) -> None:  # noqa: ARG002 - it stands in the entry
        """认定承接方失联: another person of the town grants the change, or does not; the carrier hears of it."""
        self.is_released(by)
        self.tell_carrier("proposal_carriage_to_release")

    def is_released(self, by: Actor) -> None:
        """The change waits for the town alone, as far as the present carrier goes."""
        if self.state.change is not None:
            self.state.change.released = by.subject
        self.apply()

    def decline_carriage(self, command: DeclineCarriage) -> None:  # noqa: ARG002 - it stands in the entry
        """不同意承接: nothing has changed."""
        self.state.change = None
        self.apply()

    def grant_change(self, command: GrantChange, by: Actor) -> None:  # noqa: ARG002 - it stands in the entry
        """同意变更: another carrier from the next instalment on; else the time of the milestone that runs counts anew."""
        change, self.state.change = self.state.change, None
        if change is None:
            return
        over = self.state.goes_to_a_new_carrier() if change.carrier is not None else []
        lies = [(payment, self.key_of(payment)) for payment in over]
        if change.carrier is not None and change.carrier_name is not None and change.account is not None:
            self.forget_the_account_asked(by.subject)  # it would be the old carrier's
            self.leave_it_its_own()
            self.take_leave()
            self.state.carrier, self.state.carrier_name = change.carrier, change.carrier_name
            self.state.account, self.state.account_changed_by = change.account, change.by
            self.state.carrier_person = change.carrier_person
            self.tell_carrier("proposal_change_granted")
        elif change.carrier_person is not None:
            self.take_leave()
            self.state.carrier_person = change.carrier_person
            self.tell_carrier("proposal_change_granted")
            self.ask_the_new_person()
        else:
            self.start_clock(MILESTONE, by.subject)
        facts = {} if change.carrier_person is None else {"carrier_person": change.carrier_person}
        self.apply(carrier=change.carrier, carrier_name=change.carrier_name, account=change.account, **facts)
        self.notify(THE_REPORTER, "proposal_change_granted")
        for payment, key in lies:
            self.pay_to_the_new_one(payment, key, by)

    def pay_to_the_new_one(self, payment: Payment, key: str, by: Actor) -> None:
        """拨付新承接方: under a first key of its own; before that the bank is asked once more of the key of the one before."""
        if self.law_holds_here(THE_BANK_IS_ASKED_FIRST):
            payment.asked_first, payment.attempt, payment.last, payment.uncertain = key, 1, "", False
        self.try_again(payment, by)

    async def rests(self, payment: Payment) -> bool:
        """查询原承接方的款项: paid after all it is theirs to answer for; without the bank's word nobody else is paid it."""
        key = payment.asked_first
        if key is None:
            return await super().rests(payment)
        asked = steps.payment_status(StatusRequest(case_id=self.state.case_id, payment_key=key))
        status = self.of_its_question(await self.answer_after_due_clocks(asked), key)
        if status.status is PayStatus.PAID:
            self.has_paid(payment, key, bank_reference=status.bank_reference)
        elif status.status in (PayStatus.UNREACHABLE, PayStatus.CONFLICT):
            payment.last, payment.uncertain = status.status, True
            self.put_to_a_person(payment)
            self.after_failure()
        elif self.state.closed_at is not None:
            payment.state, payment.asked_first = PaymentState.WAITING, None
            self.drop_what_waits()
        else:
            payment.asked_first, payment.uncertain = None, False
            return await super().rests(payment)
        return True

    def is_paid_by(self, payment: Payment, key: str) -> None:
        """Paid by the key of the carrier before, it is that one's own."""
        if key != payment.asked_first:
            return
        before = [each for each in self.state.paid_before if payee_of(key) == organisation(each.carrier)]
        for each in before[-1:]:
            each.keys.append(key)

    def ask_the_new_person(self) -> None:
        """待新代表同意: another account that waits was the word of whoever spoke before; that goes with them."""
        asked = self.state.account_asked
        if asked is not None and asked.agreed and self.law_holds_here(A_WORD_GOES_WITH_ITS_PERSON):
            asked.agreed = asked.own = False
            self.tell_carrier("proposal_account_to_agree")

    def take_leave(self) -> None:
        """Whoever spoke for the carrier until now hears of it, and decides nothing of the money they were paid."""
        self.tell_carrier("proposal_carrier_changed")
        self.state.account_declined = False
        if self.state.carrier_person is not None:
            self.state.carriers_before.append(self.state.carrier_person)

    def leave_it_its_own(self) -> None:
        """What the carrier was paid until now it answers for itself: whoever takes over has not had it."""
        state = self.state
        if state.carrier_person is None or not self.law_holds_here(EACH_CARRIER_OWES_ITS_OWN):
            return
        known = {key for each in state.paid_before for key in each.keys}
        keys = [each.key for parts in state.paid.values() for each in parts if each.key not in known]
        state.paid_before.append(PaidBefore(carrier=state.carrier, person=state.carrier_person, keys=keys))
        for invoice in state.invoices:
            invoice.carrier = invoice.carrier or state.carrier

    def key_of(self, payment: Payment) -> str:
        """The key of what came back from a carrier before stays its own."""
        if payment.asked_first is not None:
            return payment.asked_first
        before = self.state.paid_to_another(f"by-hand-{payment.number}") if payment.of_another else None
        if before is None:
            return super().key_of(payment)
        payee = organisation(before.carrier)
        return payment_key(payee, payment.benefit, payment.month, payment.attempt, occasion=self.occasion)

    def is_of_another(self, payment: Payment, key: str) -> bool:
        """退回原承接方的款项: people settle it, by hand to whom it was due; the new carrier is paid it by nobody's silence."""
        before = self.state.paid_to_another(key)
        if before is None:
            return False
        before.keys.append(f"by-hand-{payment.number}")
        self.tell_carrier("proposal_payment_of_former", before.person)
        return True

    def not_due(self, payment: Payment, command: SettlePayment) -> None:
        """不予发放: of what came back of a carrier before that one hears too."""
        before = self.state.paid_to_another(f"by-hand-{payment.number}") if payment.of_another else None
        super().not_due(payment, command)
        if before is not None:
            yuan, fen = divmod(payment.amount_fen, 100)
            self.notify(f"participant:{before.person}", "instalment_not_due", yuan=yuan, fen=fen)

    def person_of(self, carrier: str) -> str | None:
        """Who speaks, or spoke last, for one that was paid."""
        if carrier == self.state.carrier:
            return self.state.carrier_person
        return next((each.person for each in reversed(self.state.paid_before) if each.carrier == carrier), None)

    def paid_organisation(self) -> dict[str, str | None]:
        """追回: of the carrier that stands now; a case from before names nobody."""
        person = self.state.carrier_person
        return {} if person is None else {"payer": self.state.carrier, "payer_person": person}

    # ---- another account ----------------------------------------------------------------------------------------------

    def ask_for_account(self, account: TextReference, by: Actor, payment: int | None = None) -> None:
        """申请变更账户: whoever asks, the carrier agrees itself, and then a second person of the town."""
        super().ask_for_account(account, by, payment)
        asked = self.state.account_asked
        if asked is None or self.state.carrier_person is None:
            return
        asked.agreed = signs_as_carrier(self.state, by)
        asked.own = asked.agreed and self.law_holds_here(AN_OWN_WISH_IS_NOBODY_ELSES)
        if not asked.agreed:
            self.tell_carrier("proposal_account_to_agree")
        else:
            self.state.account_declined = False

    def refuse_account(self, command: RefuseAccount, by: Actor) -> None:
        """不予变更账户: by the carrier itself, an instalment that lies still waits for an account of it."""
        asked = self.state.account_asked
        super().refuse_account(command, by)
        of_others = asked is not None and not asked.own and not among(asked.asked_by, self.state.team)
        if of_others and self.state.payable() and signs_as_carrier(self.state, by):
            self.state.account_declined = True

    def account_is_another(self) -> None:
        """变更账户: it has an account again."""
        self.state.account_declined = False

    def tell_organisation(self, template: str) -> None:
        """What becomes of its account the carrier hears as the team does."""
        if self.state.carrier_person is not None and self.law_holds_here(A_CARRIER_HEARS_OF_ITS_ACCOUNT):
            self.tell_carrier(template)

    def agree_account(self) -> None:
        """同意账户变更: the second person has the word."""
        if self.state.account_asked is not None:
            self.state.account_asked.agreed = True
        self.apply()
        self.notify(self.paying.desk, "account_confirmation_due")
