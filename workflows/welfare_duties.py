"""What every part of a welfare case needs: duties that climb the tiers, ways from stage to stage, and what is to come back.

What was paid too much becomes a recovery case 追回, started from here; it reports back by messages.
"""

from schemas.kernel.people import among
from schemas.values.actor import Actor
from schemas.welfare_policy import WelfareTerms
from schemas.welfare_state import LIVING, WelfareState
from workflows.kernel.law import Law
from workflows.parts.accounts import Accounts
from workflows.parts.appeal import Appeals
from workflows.parts.documents import Corrections
from workflows.parts.extension import ExtendedCase
from workflows.parts.payments import MONEY_ON_ITS_WAY
from workflows.parts.postings import Postings
from workflows.parts.recusal import Recusals
from workflows.parts.visits import Visits
from workflows.recovery_parent import Recoveries

APPLICANT = "reporter"
CLERK = "role:window_clerk"
STREET = "role:street_officer"
CIVIL_AFFAIRS = "role:civil_affairs_officer"
SUPERVISOR = "role:supervisor"

TWO_DECIDE_ON_A_RAISE = Law("two-decide-on-a-raise")
"""Patch: before, a change that was reported or found at a reassessment was paid at once, however much higher."""

AN_ADVANCE_HAS_A_CEILING = Law("an-advance-has-a-ceiling")
"""Patch: before, an advance rose with the heads that were stated, also above what one person may grant."""

ANSWERS_ARE_ON_WHAT_WAS_SEEN = Law("answers-are-on-what-was-seen", since=2)
"""Patch: before, nobody counted the editions of a file, reviews and signatures, nor remembered who corrected facts, took down
answers, looked into objections and decided on appeals."""

TWO_SAY_THAT_IT_ENDS = Law("two-say-that-it-ends", since=2)
"""Patch: before, one person's report of a death or a move ended a benefit and asked back what was paid since."""

AN_ADVANCE_COUNTS_WHO_CONSENTED = Law("an-advance-counts-who-consented", since=2)
"""Patch: before, adults of the household who had not consented were paid an advance for too."""

AN_ADVANCE_COUNTS_WHO_IS_NAMED = Law("an-advance-counts-who-is-named", since=3)
"""Patch: before, heads that one person had corrected, and children without a number, were paid an advance for."""

WHO_WITHDRAWS_FOR_OTHERS_TELLS_THEM = Law("who-withdraws-for-others-tells-them", since=3)
"""Patch: before, an applicant heard nothing of a withdrawal that a clerk had entered."""

ADULTS_OF_OLD_CASES_CONSENT = Law("adults-of-old-cases-consent", since=2)
"""Patch: before, registers were asked about everybody in a household from before consents."""


class Duties(
    Corrections[WelfareState],
    Visits[WelfareState],
    Recusals[WelfareState],
    Appeals[WelfareState],
    Recoveries[WelfareState],
    Accounts[WelfareState],
    Postings[WelfareState],
    ExtendedCase[WelfareState],
):
    """What a welfare case is composed of."""

    owner_after_last_tier = SUPERVISOR
    extended_clock = "whole"

    def __init__(self, state: WelfareState) -> None:
        state.month_over = False
        super().__init__(state)

    def wrote(self, whom: list[str], by: Actor) -> None:
        """Remember who wrote down what others decide on."""
        if self.law_holds(ANSWERS_ARE_ON_WHAT_WAS_SEEN) and not among(by.subject, whom):
            whom.append(by.subject)

    def another_edition(self) -> None:
        """The file is another one than was seen before."""
        if self.law_holds(ANSWERS_ARE_ON_WHAT_WAS_SEEN):
            self.state.editions += 1

    def stop_everything(self) -> None:
        """Nothing counts any more, and outside only money is still dealt with."""
        super().stop_everything()
        self.state.errands = [
            errand for errand in self.state.errands if errand.startswith((*MONEY_ON_ITS_WAY, "tell/"))
        ]

    def recovered_for(self) -> str:
        """The benefit."""
        return self.state.benefit

    def recovery_terms(self) -> WelfareTerms:
        """All of its own."""
        return self.state.terms

    def after_last_tier(self, clock: str) -> None:
        """An undecided case is the supervisor's, and its final limit runs; an entitlement lives on."""
        if self.state.stage not in LIVING:
            super().after_last_tier(clock)
