"""同一救助,一人一户同时只享一次: what a welfare case reserves, of whom, and when it is asked about.

Source: the law that nobody is supported twice for the same need (社会救助暂行办法, L: 同一家庭同一救助不重复享受). A household
is its applicant and the people named in the application; whoever applies holds the benefit as soon as it is sure who they
are (decision 0009). Whoever was only named holds nothing until the case is decided, so that naming somebody, or applying in
their number, bars nobody's own application.
"""

import hashlib

from schemas.actor import Actor
from schemas.department_policy import Name
from schemas.reservation import Claim, Debts, Hold, Occasion, Reserves
from schemas.welfare_policy import WelfarePolicy
from schemas.welfare_state import WelfareState

KIND = "benefit"
SAYS = Name(
    zh="申请人或共同生活的家庭成员已有同一(或不可同享的)救助在办或在享",
    en="the applicant or somebody of the household has a living case of this benefit, or of one that excludes it",
)


def claims_of(state: WelfareState, sure: bool) -> tuple[Claim, ...]:  # noqa: FBT001 - as `Reserves` asks
    """The benefit, and what it excludes, of the applicant and of everybody who was named.

    While nobody is sure who applies, the account that says so has it for itself once, and bars nobody but itself.
    """
    scopes = state.reserves or (state.benefit,)
    own = Hold.OWN if sure else Hold.STATED
    people = dict.fromkeys(state.members, Hold.NAMED) | {state.reporter: own}
    claims = [Claim(key=f"{scope}/{person}", hold=hold) for person, hold in people.items() for scope in scopes]
    if not sure and state.reporter_subject is not None:
        account = hashlib.sha256(state.reporter_subject.encode()).hexdigest()[:32]
        claims += [Claim(key=f"{scope}/{state.reporter}/{account}", hold=Hold.OWN) for scope in scopes]
    return tuple(claims)


def sure_after(state: WelfareState, command: str, given: object, by: Actor) -> bool:
    """Whether it is sure who applies once a command is carried out."""
    sees = command == "identify" or (command in {"accept", "record_visit"} and getattr(given, "card_seen", True))
    return state.identified_with(by.subject) if sees else state.identified


def occasion_of(state: WelfareState, command: str, given: object, by: Actor) -> Occasion | None:
    """When it comes to be sure who applies, before money is paid first, before a favourable review, with each word that grants."""
    becomes_sure = sure_after(state, command, given, by) and not state.identified
    accepted = command == "accept" or (becomes_sure and state.accepted_at is not None)
    match command:
        case "accept" | "identify" | "record_visit":
            if accepted and state.rules.pay_first_fen and sure_after(state, command, given, by):
                return Occasion.DECIDED
            return Occasion.SURE if becomes_sure else None
        case "review" if getattr(given, "positive", False):
            return Occasion.DECIDED
        case "confirm" | "countersign":
            return Occasion.TAKEN
        case _:
            return None


def debts_of(state: WelfareState, occasion: Occasion) -> Debts | None:
    """先行救助未清退的,不再先行救助: who owes what was paid first is paid nothing first until that is back, or given up by two."""
    before_it_is_paid = occasion is Occasion.DECIDED and state.stage in BEFORE_REVIEW
    if not before_it_is_paid or not state.rules.pay_first_fen:
        return None
    return Debts(procedure="recovery", benefit=state.benefit, people=(state.reporter, *state.members))


def completed(state: WelfareState, policy: WelfarePolicy) -> WelfareState:
    """A case from before did not know which benefits exclude its own: today's rules say."""
    if state.reserves or state.benefit not in policy.benefits:
        return state
    return state.model_copy(update={"reserves": policy.reserves(state.benefit)})


RESERVES = Reserves(
    kind=KIND,
    says=SAYS,
    claims=claims_of,
    occasion=occasion_of,
    sure=sure_after,
    debts=debts_of,
    completed=completed,
)
