"""The decision: reviewed, posted, confirmed, countersigned; or refused, and appealed against.

surveyed -> publicised -> confirming -> (confirmed: a second signature) -> paying
               | ^
          objected: looked into, then posted anew for the whole window, or refused; later objections leave the posting up
refused: served in writing within its limit -> appealed: decided by another officer
"""

from typing import Any

from schemas.actor import Actor
from schemas.parts.postings import Investigate
from schemas.people import Part
from schemas.references import TextReference
from schemas.welfare_commands import (
    Appeal,
    Confirm,
    Countersign,
    DecideAppeal,
    Outcome,
    Refuse,
    Review,
    SendBack,
    ServeNotice,
)
from schemas.welfare_entries import Kind
from schemas.welfare_state import Stage
from workflows.case import command
from workflows.welfare_changes import Changes
from workflows.welfare_duties import (
    ANSWERS_ARE_ON_WHAT_WAS_SEEN,
    APPLICANT,
    CIVIL_AFFAIRS,
    STREET,
)


class Decision(Changes):
    """The part of a case that judges."""

    # ---- review and publicity -------------------------------------------------------------------------------------

    @command
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
        self.stop_duty("confirm", by.subject)
        self.refuse_as(by, command.finding, command.legal_basis)

    # ---- confirmation ---------------------------------------------------------------------------------------------

    def await_confirmation(self) -> None:
        """复审: by civil affairs, not by who reviewed it."""
        self.state.confirmed_by = None
        self.start_duty("confirm", self.state.terms.confirm)
        self.goes_to(Stage.CONFIRMING, CIVIL_AFFAIRS)
        self.notify(CIVIL_AFFAIRS, "confirmation_due")

    @command
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
            self.start_duty("countersign", self.state.terms.countersign)
            self.goes_to(Stage.CONFIRMED, CIVIL_AFFAIRS)
            self.notify(CIVIL_AFFAIRS, "countersignature_due")
        else:
            self.grant()

    @command
    def countersign(self, command: Countersign, by: Actor) -> None:  # noqa: ARG002 - says nothing but its name
        """双签: a second person grants too."""
        self.clocks.stop("countersign", by.subject)
        self.record(Kind.COUNTERSIGNED, by=by.role)
        self.grant()

    @command
    def send_back(self, command: SendBack, by: Actor) -> None:
        """双签退回: it is confirmed anew, or refused."""
        self.clocks.stop("countersign", by.subject)
        self.await_confirmation()
        self.record(Kind.SENT_BACK, reason=command.reason, by=by.role)

    # ---- refusal and appeal ---------------------------------------------------------------------------------------

    @command
    def refuse(self, command: Refuse, by: Actor) -> None:
        """不予确认: with its reason and legal basis."""
        self.clocks.stop("confirm", by.subject)
        self.refuse_as(by, command.reason, command.legal_basis)

    def refuse_as(self, by: Actor, reason: TextReference, legal_basis: TextReference | None) -> None:
        """The refusal, whoever decides it: served within its limit, appealed against within its window, once."""
        self.state.refused_at, self.state.refusal = Stage(self.state.stage), reason
        self.state.refusers.append(by.subject)
        self.clocks.stop("whole", "engine")
        self.goes_to(Stage.REFUSED, APPLICANT)
        self.record(Kind.REFUSED, at=self.state.refused_at, reason=reason, legal_basis=legal_basis)
        self.notify(APPLICANT, "welfare_refused")
        self.state.notice_served = self.state.reporter_subject is not None
        if self.state.notice_served:
            self.record(Kind.NOTICE_SERVED, by="account")
        else:
            self.start_duty("refusal_notice", self.state.terms.refusal_notice)
        if not self.state.appeals:
            self.start_window("appeal", self.state.terms.appeal)
        elif self.state.notice_served:
            self.refusal_stands()

    @command
    def serve_notice(self, command: ServeNotice, by: Actor) -> None:  # noqa: ARG002 - says nothing but its name
        """书面告知: to who has no account to be told by."""
        self.state.notice_served = True
        self.clocks.stop("refusal_notice", by.subject)
        self.record(Kind.NOTICE_SERVED, by=by.role)
        if self.state.appeals:
            self.refusal_stands()
        else:
            self.start_window("appeal", self.state.terms.appeal)  # it counts from the day on which it was told

    @command
    def appeal(self, command: Appeal, by: Actor) -> None:
        """申诉: linked to the decision, and decided by somebody else."""
        self.state.appeals += 1
        self.clocks.stop("appeal", by.subject)
        self.start_duty("decide_appeal", self.state.terms.decide_appeal)
        self.goes_to(Stage.APPEALED, CIVIL_AFFAIRS)
        self.record(Kind.APPEALED, reason=command.reason, against=self.state.refusal, by=by.role)
        self.notify(CIVIL_AFFAIRS, "appeal_made")

    @command
    def decide_appeal(self, command: DecideAppeal, by: Actor) -> None:
        """申诉决定: the refusal stands, or the application goes on where it was refused."""
        self.clocks.stop("decide_appeal", by.subject)
        if self.law_holds(ANSWERS_ARE_ON_WHAT_WAS_SEEN):
            self.state.appeal_decided_by = by.subject
        self.record(
            Kind.APPEAL_DECIDED, outcome=command.outcome, reason=command.reason, legal_basis=command.legal_basis
        )
        self.notify(APPLICANT, "appeal_decided", outcome=command.outcome)
        if command.outcome is Outcome.UPHELD:
            self.state.notice_served = True  # the decision on the appeal is told with it
            self.goes_to(Stage.REFUSED, "")
            self.refusal_stands()
            return
        self.state.notice_served = False
        self.clocks.stop("refusal_notice", "engine")
        self.clocks.go_on("whole", "engine")
        if self.state.refused_at is Stage.CONFIRMING:
            self.await_confirmation()
        else:
            self.start_duty("review", self.state.terms.review)
            self.goes_to(Stage.SURVEYED, STREET)
            self.notify(STREET, "review_due")

    def refusal_stands(self) -> None:
        """The refusal is final; what was paid first comes back."""
        self.state.refusal_final = True
        self.comes_to_rest(Stage.REFUSED)
        self.wind_up()

    def appeal_has_lapsed(self) -> None:
        """申诉期满: a refusal that was told stands. One that nobody was told of waits for that; then the window begins anew."""
        if self.state.notice_served:
            self.record(Kind.APPEAL_LAPSED)
            self.refusal_stands()

    def final_limit_has_passed(self) -> None:
        """逾期终结: nobody decided; or nobody served the refusal, which then stands as it is."""
        if self.state.stage == Stage.REFUSED:
            self.record(Kind.NOTICE_NOT_SERVED)
            self.refusal_stands()
            return
        self.comes_to_rest(Stage.UNRESOLVED)
        self.record(Kind.UNRESOLVED)
        self.notify(APPLICANT, "welfare_unresolved")
        self.wind_up()
