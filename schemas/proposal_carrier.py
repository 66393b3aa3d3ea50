"""承接方 the carrier of a proposal: who speaks for the organisation that gets the money, and what they put their name to.

Source: domain (the contract is signed by proposer, carrier and committee). The team names the organisation and whoever speaks for
it; nobody is bound by that. The organisation is bound by its own word: on the contract, on taking over from another one, and on
another account of its own. That somebody may give that word one of the town confirms, who has seen the authority. Cases from before
there was such a word name nobody (`carrier_person` None), and go as they went.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from schemas.clocks.clocks import due_at
from schemas.kernel.answers import AnswerTo, RequestNumber
from schemas.kernel.case import CaseState
from schemas.kernel.parties import seated
from schemas.kernel.people import Part, among, same_account
from schemas.kernel.procedure import Command
from schemas.parts.payments import own_payments_are_settled
from schemas.proposal_state import CARRIER_SEAT, NEW_CARRIER_SEAT, ProposalState, Stage
from schemas.values.account import AccountCode
from schemas.values.actor import Actor, Role
from schemas.values.document import Document
from schemas.values.references import TextReference, WrittenAs
from schemas.values.refusals import Fault, say
from schemas.words.field_words import FieldWords

CARRIER = seated(Role.PARTNER, CARRIER_SEAT)
"""Whoever speaks for the organisation that carries it."""
NEW_CARRIER = seated(Role.PARTNER, NEW_CARRIER_SEAT)
"""Whoever speaks for another one that is to take over, while that is asked for."""

CarrierPerson = Annotated[AccountCode | None, WrittenAs(AccountCode, required=True)]
"""The account of whoever speaks for the carrier; at the door it is named. Proposals of an earlier day named nobody."""

NAMED_BY_NOBODY: Any = Field(default=None, exclude_if=lambda account: account is None)

Authority = Annotated[Document, FieldWords("授权书(加盖公章)", "authority, with the seal of the organisation")]


def faults_of_person(
    person: str | None, *, team: Iterable[str], jury: Iterable[str], opener: str | None = None
) -> Iterator[Fault]:
    """Say why somebody cannot speak for the carrier: one person's word would be that of two sides."""
    if among(person, team):
        yield of_carrier_person(
            say("承接方代表不得是团队成员", "who speaks for the carrier is not of the team: these are two sides")
        )
    if among(person, jury):
        yield of_carrier_person(say("评委不得代表承接方", "a juror speaks for no carrier"))
    if opener is not None and among(person, (opener,)):
        yield of_carrier_person(say("公告大赛的人员不得代表承接方", "who announced the round speaks for no carrier"))


def of_carrier_person(reason: str) -> Fault:
    """What is wrong with whoever is named."""
    remedy = say("请由承接方另行授权一人", "let the organisation name another person")
    return Fault(field="carrier_person", reason=reason, remedy=remedy)


class NameCarrierPerson(Command):
    """更换承接方代表: another person speaks for the same carrier, while it has not signed: whoever was named may have left it."""

    carrier_person: AccountCode

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Of no other side, and another one than now."""
        found = list(super().faults(state))
        if isinstance(state, ProposalState):
            found.extend(
                faults_of_person(self.carrier_person, team=state.team, jury=state.jury, opener=state.announced_by)
            )
            if same_account(self.carrier_person, state.carrier_person):
                found.append(of_carrier_person(say("现任代表即是此人", "they speak for it already")))
        return tuple(found)


class SignForCarrier(AnswerTo):
    """承接方签约: the organisation takes the money and answers for it, by somebody whom it has given authority."""

    part = Part.AGREEMENT_PROPOSED
    request: RequestNumber
    document: Authority


class ConfirmAuthority(AnswerTo):
    """核实授权: one of the town has asked the organisation; `right`: its word counts, else it is as if it had not been given."""

    part = Part.AUTHORITY_SHOWN
    request: RequestNumber
    right: Annotated[bool, FieldWords("授权是否属实", "the authority is right")]
    finding: TextReference


class AcceptCarriage(AnswerTo):
    """同意承接: another organisation takes over from the next payment on; it counts when the town has granted the change."""

    part = Part.CHANGE_ASKED
    request: RequestNumber
    document: Authority


class DeclineCarriage(AnswerTo):
    """不同意承接: and why; it goes on with the carrier that it has."""

    part = Part.CHANGE_ASKED
    request: RequestNumber
    reason: TextReference


class ReleaseCarriage(AnswerTo):
    """同意交出承接: the present carrier lets another one, or another person of its own, take its place."""

    part = Part.CHANGE_ASKED
    request: RequestNumber


class KeepCarriage(AnswerTo):
    """不同意交出承接: the present carrier says no, and why; it may still agree. Nobody finds it silent then."""

    part = Part.CHANGE_ASKED
    request: RequestNumber
    reason: TextReference


class FindCarrierSilent(AnswerTo):
    """认定承接方失联: it said nothing in the time for the answer on a change; what was found where it is. Another person grants."""

    part = Part.CHANGE_ASKED
    request: RequestNumber
    finding: TextReference


def signs_as_carrier(state: ProposalState, actor: Actor) -> bool:
    """Whether somebody acts for the organisation, and for nobody else."""
    return actor.role is Role.PARTNER and same_account(actor.subject, state.carrier_person)


def word_is_still_open(state: ProposalState, actor: Actor, _now: datetime) -> str | None:
    """Each side signs once, and what it has signed it does not decline."""
    given = state.carrier_signed if signs_as_carrier(state, actor) else state.team_signed
    return say("您已签约,待对方签约", "you have signed: the other side has the word") if given else None


def carrier_has_not_signed(state: ProposalState, _actor: Actor, _now: datetime) -> str | None:
    """What it has signed stands; and where nobody speaks for it, nobody is replaced."""
    if state.carrier_person is None:
        return say("本案无承接方代表", "nobody speaks for the carrier of this proposal")
    return say("承接方已签约", "the carrier has signed") if state.carrier_signed else None


def carrier_has_not_declined(state: ProposalState, actor: Actor, _now: datetime) -> str | None:
    """Its no is not gone round by naming somebody else: who speaks for it then, it says itself."""
    if not state.carrier_declined or signs_as_carrier(state, actor):
        return None
    return say("承接方曾不同意,须由其自行更换代表", "the carrier has declined: it names another person itself")


def authority_of_new_one_is_confirmed(state: ProposalState, _actor: Actor, _now: datetime) -> str | None:
    """Whoever agreed to take over may say so for the organisation."""
    change = state.change
    if change is None or change.carrier_person is None or change.confirmed_by is not None:
        return None
    return say("新代表的授权尚未核实", "the authority of whoever agreed is not confirmed yet")


def new_carrier_has_signed(state: ProposalState, _actor: Actor, _now: datetime) -> str | None:
    """Nobody carries it on another's word."""
    change = state.change
    if change is None or change.carrier_person is None or change.signed:
        return None
    return say("新承接方尚未同意", "the new carrier has not agreed yet")


def present_carrier_has_released(state: ProposalState, _actor: Actor, _now: datetime) -> str | None:
    """What it has begun, and is paid for, is taken from nobody without their own word."""
    return say("现承接方尚未同意", "the present carrier has not agreed yet") if _present_one_is_asked(state) else None


def present_carrier_is_asked(state: ProposalState, _actor: Actor, _now: datetime) -> str | None:
    """There is something that the present carrier has not agreed to yet."""
    return None if _present_one_is_asked(state) else say("没有待同意的更换", "nothing waits for the present carrier")


def present_carrier_is_silent(state: ProposalState, actor: Actor, now: datetime) -> str | None:
    """As above, and its time has passed: that of the town's answer on a change."""
    due = due_at(state.clocks["grant_change"], state.charter.calendar) if "grant_change" in state.clocks else None
    if due is not None and now < due:
        return say("现承接方仍可答复", "the present carrier may still answer")
    return present_carrier_has_not_answered(state, actor, now)


def present_carrier_has_not_answered(state: ProposalState, actor: Actor, now: datetime) -> str | None:
    """It has said neither yes nor no."""
    if state.change is not None and state.change.kept:
        return say("现承接方已答复不同意", "the present carrier has said no")
    return present_carrier_is_asked(state, actor, now)


def what_goes_over_is_what_was_asked(state: ProposalState, _actor: Actor, _now: datetime) -> str | None:
    """Each side gave its word on what the wish said; for another sum it is asked anew, and each says so anew."""
    change = state.change
    if change is None or change.carrier is None or change.goes_over is None:
        return None
    if change.goes_over == [payment.number for payment in state.goes_to_a_new_carrier()]:
        return None
    return say(
        "随变更转付的款项与申请时不同,请撤回后重新申请",
        "another sum would go over than the wish says: take it back and ask anew",
    )


def nothing_is_on_its_way(state: ProposalState, actor: Actor, now: datetime) -> str | None:
    """As `own_payments_are_settled`; but what lies with a person, and moved nothing, goes to another carrier with the change.

    With another person of the same one code, keys and account stay: that waits for nothing that is to be paid.
    """
    change = state.change
    if change is None or state.carrier_person is None:
        return own_payments_are_settled(state, actor, now)
    if change.carrier is None:
        return own_payments_are_settled(state, actor, now) if change.carrier_person is None else None
    lies = [payment.number for payment in state.goes_to_a_new_carrier()]
    still = [payment for payment in state.payments if payment.number not in lies and not payment.of_another]
    return say("尚有款项在途", "a payment is still under way, or is said to be paid by hand") if still else None


def a_change_is_of_use(state: ProposalState, _actor: Actor, _now: datetime) -> str | None:
    """With the last milestone accepted, another carrier or person is of use while an instalment was not paid."""
    if state.stage == Stage.RUNNING or state.payments:
        return None
    return say("各期款项均已拨付", "all is paid: there is nothing to change any more")


def more_time_is_still_of_use(state: ProposalState, _actor: Actor, _now: datetime) -> str | None:
    """More time is of a milestone that is to come: once the last one is accepted there is none."""
    change = state.change
    if (
        state.stage == Stage.RUNNING
        or change is None
        or change.carrier_person is not None
        or change.carrier is not None
    ):
        return None
    return say("里程碑均已验收,无须延期", "all milestones are reached: no more time is needed")


def change_is_their_own(state: ProposalState, actor: Actor, _now: datetime) -> str | None:
    """Whoever asked for a change takes it back: it keeps the place of another one, and nobody need answer it."""
    if state.change is None:
        return say("没有待审的变更", "no change waits for an answer")
    if same_account(actor.subject, state.change.by):
        return None
    return say("变更非您提出", "somebody else asked for it")


def _present_one_is_asked(state: ProposalState) -> bool:
    change = state.change
    asked = change is not None and change.carrier_person is not None and change.released is None
    return asked and state.carrier_person is not None


def another_carrier_is_asked_for(state: ProposalState, _actor: Actor, _now: datetime) -> str | None:
    """There is something to agree to, and it was not agreed to yet."""
    change = state.change
    if change is None or change.carrier_person is None:
        return say("没有人申请更换承接方", "nobody asks for another carrier")
    return say("您已同意承接", "you have agreed already") if change.signed else None
