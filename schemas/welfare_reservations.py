"""同一救助,一人一户同时只享一次: what a welfare case reserves, of whom, and when it is asked about.

Source: the law that nobody is supported twice for the same need (社会救助暂行办法, L: 同一家庭同一救助不重复享受). A household
is its applicant and the people named in the application; whoever applies holds the benefit at once. Whoever was only named
holds nothing until the case is decided, so that naming somebody bars nobody's own application. For whom is paid first, minors
and adults who consented, the case holds it from then on: nobody counts in two advances.
"""

from schemas.department_policy import Name
from schemas.reservation import Claim, Debts, Hold, Occasion, Reserves
from schemas.welfare_state import WelfareState

KIND = "benefit"
SAYS = Name(
    zh="申请人或共同生活的家庭成员已有同一(或不可同享的)救助在办或在享",
    en="the applicant or somebody of the household has a living case of this benefit, or of one that excludes it",
)


def claims_of(state: WelfareState) -> tuple[Claim, ...]:
    """The benefit, and what it excludes, of the applicant and of everybody who was named."""
    scopes = state.reserves or (state.benefit,)
    people = dict.fromkeys(state.members, Hold.NAMED) | {state.reporter: Hold.OWN}
    consents = state.people(member.number for member in state.advance_members)
    return tuple(
        Claim(key=f"{scope}/{person}", hold=hold, consents=person in consents)
        for person, hold in people.items()
        for scope in scopes
    )


def occasion_of(state: WelfareState, command: str, given: object) -> Occasion | None:
    """Before money is paid first, before a favourable review, and with each word that grants."""
    match command:
        case "accept" if state.rules.pay_first_fen:
            return Occasion.ADVANCED
        case "review" if getattr(given, "positive", False):
            return Occasion.DECIDED
        case "confirm" | "countersign":
            return Occasion.TAKEN
        case _:
            return None


def debts_of(state: WelfareState, command: str) -> Debts | None:
    """先行救助未清退的,不再先行救助: who owes what was paid first is paid nothing first until that is back, or given up by two."""
    if command != "accept" or not state.rules.pay_first_fen:
        return None
    return Debts(procedure="recovery", benefit=state.benefit, people=(state.reporter, *state.members))


RESERVES = Reserves(kind=KIND, says=SAYS, claims=claims_of, occasion=occasion_of, debts=debts_of)
