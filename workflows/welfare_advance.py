"""先行救助 what is paid first, at acceptance, and comes back where nothing is granted.

Urgent aid is paid for the applicant, minors and adults who consented, up to its ceiling; everything else is looked at afterwards.
"""

from schemas.clocks.months import month_at
from schemas.parts.payments import PaymentPart
from schemas.welfare_rules import Circumstances, advance_of
from schemas.welfare_state import Stage
from workflows.welfare_duties import (
    AN_ADVANCE_COUNTS_WHO_CONSENTED,
    AN_ADVANCE_COUNTS_WHO_IS_NAMED,
    AN_ADVANCE_HAS_A_CEILING,
)
from workflows.welfare_pending import Pending


class Advance(Pending):
    """The part of a case that pays first, and winds up what was begun."""

    def pay_first(self) -> None:
        """先行救助: urgent aid is paid at acceptance, up to its ceiling; everything else is looked at afterwards."""
        household, who = self.paid_first_for()
        advance = advance_of(self.state.rules, household).amount_fen
        one_signature = self.state.rules.second_signature_above_fen
        if advance > one_signature and self.law_holds(AN_ADVANCE_HAS_A_CEILING):
            advance = one_signature  # rules from before the ceiling: no more than one person grants
        if advance:
            self.pay(month_at(self.now()), advance, PaymentPart.FIRST, None, **who)

    def paid_first_for(self) -> tuple[Circumstances, dict[str, list[int]]]:
        """For whom is paid first: the applicant, minors, and adults who consented; and the numbers of all others, for the entry.

        Whoever has consented is held by this case when it is accepted, so that nobody counts in two advances. Heads that
        somebody corrected are no people: nobody has named them, and who accepted has not seen them. Nor can a child without a
        number be told from one in another case. They wait for the review.
        """
        household, state = self.state.household, self.state
        named, members = 1 + len(state.members), state.advance_members
        known = [member for member in members if member.numbered]
        if (household.household_size > named or known != members) and self.law_holds(AN_ADVANCE_COUNTS_WHO_IS_NAMED):
            members = known
            household = household.model_copy(update={"household_size": min(household.household_size, named)})
        without = [member.number for member in state.household_members if member not in members]
        if not without or not self.law_holds(AN_ADVANCE_COUNTS_WHO_CONSENTED):
            return household, {}
        heads = max(1, household.household_size - len(without))
        return household.model_copy(update={"household_size": heads}), {"without_consent": without}

    def advance_fen(self) -> int:
        """What was paid first, or is on its way."""
        coming = [payment.amount_fen for payment in self.state.payments if payment.part is PaymentPart.FIRST]
        return self.advance_paid_fen() + sum(coming)

    def advance_paid_fen(self) -> int:
        """What was paid first."""
        parts = [part for parts in self.state.paid.values() for part in parts]
        return sum(part.amount_fen for part in parts if part.part is PaymentPart.FIRST)

    def recover_advance(self, amount_fen: int) -> None:
        """Ask back what was paid first and should not have been."""
        for month, parts in sorted(self.state.paid.items()):
            if any(part.part is PaymentPart.FIRST for part in parts):
                self.recover("advance", {month: amount_fen})

    @property
    def not_granted(self) -> bool:
        """The case ended without a grant: whatever was paid first comes back."""
        return self.state.refusal_final or self.state.stage in (Stage.WITHDRAWN, Stage.UNRESOLVED)

    def wind_up(self) -> None:
        """Without a grant: what waits is not paid, and an advance that was paid comes back."""
        self.drop_what_waits()
        self.recover_advance(self.advance_paid_fen())
