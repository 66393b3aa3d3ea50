"""同一救助,一人一户同时只享一次: what a welfare case reserves, of whom, and when it is asked about.

Source: the law that nobody is supported twice for the same need (社会救助暂行办法, L: 同一家庭同一救助不重复享受). A household
is its applicant and the people named in the application; whoever applies holds the benefit as soon as it is sure who they
are (decision 0009). Whoever was only named holds nothing until the case is decided, so that naming somebody, or applying in
their number, bars nobody's own application. For whom is paid first, minors and adults who consented, the case holds it from
then on: nobody counts in two advances.
"""

import hashlib

from schemas.contracts.department_policy import Name
from schemas.contracts.reservation import Claim, Debts, Hold, Occasion, Reserves
from schemas.values.actor import Actor
from schemas.welfare_policy import WelfarePolicy
from schemas.welfare_state import WelfareState

KIND = "benefit"
SEE_THE_CARD = frozenset({"accept", "identify", "record_visit"})
"""The commands by which somebody of the town says that they have seen the applicant's card; the second one makes it sure."""

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
    consents = state.people(member.number for member in state.advance_members)
    claims = [
        Claim(key=f"{scope}/{person}", hold=hold, consents=person in consents)
        for person, hold in people.items()
        for scope in scopes
    ]
    if not sure and state.reporter_subject is not None:
        account = hashlib.sha256(state.reporter_subject.encode()).hexdigest()[:32]
        claims += [Claim(key=f"{scope}/{state.reporter}/{account}", hold=Hold.OWN) for scope in scopes]
    return tuple(claims)


def sure_after(state: WelfareState, command: str, given: object, by: Actor) -> bool:
    """Whether it is sure who applies once a command is carried out."""
    sees = command in SEE_THE_CARD and getattr(given, "card_seen", True)
    return state.identified_with(by.subject) if sees else state.identified


def occasion_of(state: WelfareState, command: str, given: object) -> Occasion | None:
    """When it comes to be sure who applies, before money is paid first, before a favourable review, with each grant."""
    match command:
        case _ if command in SEE_THE_CARD:
            if state.rules.pay_first_fen and (command == "accept" or not state.identified):
                return Occasion.ADVANCED
            return None if state.identified else Occasion.SURE
        case "review" if getattr(given, "positive", False):
            return Occasion.DECIDED
        case "confirm" | "countersign":
            return Occasion.TAKEN
        case _:
            return None


_BEFORE_AN_ADVANCE = frozenset({Occasion.DECIDED, Occasion.ADVANCED})


def debts_of(state: WelfareState, command: str, occasion: Occasion) -> Debts | None:
    """先行救助未清退的,不再先行救助: who owes what was paid first is paid nothing first until that is back, or given up by two."""
    if command not in SEE_THE_CARD or occasion not in _BEFORE_AN_ADVANCE or not state.rules.pay_first_fen:
        return None
    return Debts(procedure="recovery", benefit=state.benefit, people=(state.reporter, *state.members))


def completed(state: WelfareState, policy: WelfarePolicy) -> WelfareState:
    """A case from before did not know which benefits exclude its own: today's rules say."""
    if state.reserves or state.benefit not in policy.benefits:
        return state
    return state.model_copy(update={"reserves": policy.reserves(state.benefit)})


def pairs_of(policy: WelfarePolicy) -> dict[str, tuple[str, ...]]:
    """By benefit, the keys of its pairs with those that exclude it."""
    return {benefit: policy.reserves(benefit)[1:] for benefit in policy.benefits}


RESERVES = Reserves(
    kind=KIND,
    says=SAYS,
    claims=claims_of,
    occasion=occasion_of,
    sure=sure_after,
    debts=debts_of,
    completed=completed,
    pairs=pairs_of,
)
