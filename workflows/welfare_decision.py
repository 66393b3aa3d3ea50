"""The decision: reviewed, posted, confirmed, countersigned; or refused, and appealed against.

surveyed -> publicised -> confirming -> (confirmed: a second signature) -> paying
               | ^
          objected: looked into, then posted anew for the whole window, or refused; later objections leave the posting up
refused: served in writing within its limit -> appealed: decided by another officer
"""

from typing import Any

from schemas.kernel.people import Part
from schemas.parts.postings import Investigate
from schemas.values.actor import Actor
from schemas.welfare_commands import (
    Confirm,
    Review,
)
from schemas.welfare_entries import Kind
from schemas.welfare_state import Stage
from workflows.welfare_duties import (
    ANSWERS_ARE_ON_WHAT_WAS_SEEN,
    CIVIL_AFFAIRS,
    STREET,
)
from workflows.welfare_raises import Raises


class Decision(Raises):
    """The part of a case that judges."""

    STOPPED_BY_A_REFUSAL = ("whole",)
    appeals_go_to = CIVIL_AFFAIRS

    # ---- review and publicity -------------------------------------------------------------------------------------

    def review(self, command: Review, by: Actor) -> None:
        """初审: the street office's opinion; the amount follows from the rule."""
        if self.law_holds(ANSWERS_ARE_ON_WHAT_WAS_SEEN):
            self.state.reviews = 1 + sum(self.state.requests().get(Part.REVIEWED, ()))
        self.state.reviewed_by = by.subject
        self.clocks.stop("review", by.subject)
        amount = self.state.assessed(self.now())
        self.record(
            Kind.REVIEWED,
            positive=command.positive,
            opinion=command.opinion,
            amount_fen=amount.amount_fen,
            arithmetic=amount.arithmetic,
        )
        if not command.positive:
            self.refuse_as(by, command.opinion, command.legal_basis)
        elif self.state.rules.publicity is not None:
            self.publicise()
        else:
            self.await_confirmation()

    def posted(self) -> dict[str, Any]:
        """公示: masked name, community, benefit, amount and nothing else."""
        self.state.posted_amount_fen = self.state.assessed(self.now()).amount_fen
        return {"amount_fen": self.state.posted_amount_fen}

    def publicity_has_ended(self) -> None:
        """公示期满: nobody objected; civil affairs confirms within its limit."""
        self.await_confirmation()

    def objection_is_upheld(self, command: Investigate, by: Actor) -> None:
        """异议成立: it is refused, also where civil affairs had it already."""
        self.clocks.stop("confirm", by.subject)
        self.refuse_as(by, command.finding, command.legal_basis)

    # ---- confirmation ---------------------------------------------------------------------------------------------

    def await_confirmation(self) -> None:
        """复审: by civil affairs, not by who reviewed it."""
        self.state.confirmed_by = None
        self.start_clock("confirm")
        self.move(Stage.CONFIRMING, CIVIL_AFFAIRS)
        self.notify(CIVIL_AFFAIRS, "confirmation_due")

    def confirm(self, command: Confirm, by: Actor) -> None:
        """审核确认: above the amount of the policy somebody else signs too."""
        if self.law_holds(ANSWERS_ARE_ON_WHAT_WAS_SEEN):
            self.state.confirmations += 1
        self.state.confirmed_by = by.subject
        self.clocks.stop("confirm", by.subject)
        amount = self.state.assessed(self.now())
        second = amount.amount_fen > self.state.rules.second_signature_above_fen
        self.record(
            Kind.CONFIRMED,
            opinion=command.opinion,
            amount_fen=amount.amount_fen,
            arithmetic=amount.arithmetic,
            second_signature=second,
        )
        if second:
            self.start_clock("countersign")
            self.move(Stage.CONFIRMED, CIVIL_AFFAIRS)
            self.notify(CIVIL_AFFAIRS, "countersignature_due")
        else:
            self.grant()

    def countersign(self, by: Actor) -> None:
        """双签: a second person grants too."""
        self.clocks.stop("countersign", by.subject)
        self.record(Kind.COUNTERSIGNED, by=by.role)
        self.grant()

    def send_back(self, by: Actor) -> None:
        """双签退回: it is confirmed anew, or refused."""
        self.clocks.stop("countersign", by.subject)
        self.await_confirmation()
        self.record_command(by=by.role)

    # ---- refusal and appeal ---------------------------------------------------------------------------------------

    def remembers_who_decided(self) -> bool:
        """Since people answer what they have seen."""
        return self.law_holds(ANSWERS_ARE_ON_WHAT_WAS_SEEN)

    def goes_on_overturned(self, refused_at: str) -> None:
        """To civil affairs, if they refused it; else it is reviewed anew."""
        if refused_at == Stage.CONFIRMING:
            self.await_confirmation()
        else:
            self.start_clock("review")
            self.move(Stage.SURVEYED, STREET)
            self.notify(STREET, "review_due")

    def on_refusal_stands(self) -> None:
        """What was paid first comes back."""
        self.wind_up()

    def on_finished(self) -> None:
        """Without a grant, what was paid first comes back."""
        self.wind_up()
