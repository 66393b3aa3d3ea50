"""The decision: reviewed, posted, confirmed, countersigned; or refused, and appealed against.

surveyed -> publicised -> confirming -> (confirmed: a second signature) -> paying
               | ^
          objected: looked into, then posted anew for the whole window, or refused; later objections leave the posting up
refused: served in writing within its limit -> appealed: decided by another officer
"""

from schemas.actor import Actor
from schemas.people import Part
from schemas.references import TextReference
from schemas.welfare_commands import (
    Appeal,
    Confirm,
    DecideAppeal,
    Investigate,
    Object,
    Outcome,
    Refuse,
    Review,
    SendBack,
)
from schemas.welfare_entries import Kind
from schemas.welfare_state import Stage
from workflows.welfare_changes import Changes
from workflows.welfare_duties import (
    ANSWERS_ARE_ON_WHAT_WAS_SEEN,
    APPLICANT,
    CIVIL_AFFAIRS,
    POSTINGS_ARE_COUNTED,
    STREET,
)


class Decision(Changes):
    """The part of a case that judges."""

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

    def publicise(self) -> None:
        """公示: for exactly the window; masked name, community, benefit, amount and nothing else."""
        rules = self.state.rules
        assert rules.publicity is not None, "only what is posted comes here"  # noqa: S101 - `review` asks
        self.state.posting += 1
        self.state.posted_amount_fen = self.state.assessed(self.now()).amount_fen
        self.start_clock("publicity")
        self.move(Stage.PUBLICISED, "")
        self.record(Kind.PUBLICISED, posting=self.state.posting, amount_fen=self.state.posted_amount_fen)

    def object(self, command: Object, by: Actor) -> None:
        """公示异议: by anybody; the first takes the posting down until somebody has looked into it, later ones need grounds."""
        self.state.objections += 1
        again = self.state.objections > 1 and self.law_holds(POSTINGS_ARE_COUNTED)
        if again and not self.takes_the_posting_down(command):
            self.look_into_it_beside(command, by)
            return
        self.clocks.stop("publicity", "engine")
        self.start_clock("investigate")
        self.move(Stage.OBJECTED, STREET)
        self.record(
            Kind.OBJECTED,
            objection=self.state.objections,
            reason=command.reason,
            contact=command.contact,
            by=by.role,
        )
        self.notify(STREET, "objection_made")

    def takes_the_posting_down(self, command: Object) -> bool:
        """Only new grounds do, after the first time, and only as often as the policy lets a case be posted."""
        return command.new_grounds is not None and self.state.posting < self.state.terms.postings_at_most

    def look_into_it_beside(self, command: Object, by: Actor) -> None:
        """The posting stays up, its window as it was; the street looks into it before anybody confirms."""
        self.state.objections_beside += 1
        if not self.clocks.runs("investigate"):
            self.start_clock("investigate")
        self.record(
            Kind.OBJECTED_AGAIN,
            objection=self.state.objections,
            reason=command.reason,
            contact=command.contact,
            new_grounds=command.new_grounds,
            by=by.role,
        )
        self.notify(STREET, "objection_made")

    def investigate(self, command: Investigate, by: Actor) -> None:
        """异议调查: upheld, it is refused; else it is posted anew for the whole window, or stays where it is."""
        self.wrote(self.state.investigators, by)
        beside, self.state.objections_beside = self.state.objections_beside, 0
        self.clocks.stop("investigate", by.subject)
        self.record(
            Kind.INVESTIGATED,
            upheld=command.upheld,
            finding=command.finding,
            appraisal=command.appraisal,
            **({"objections": beside} if beside else {}),
        )
        if command.upheld:
            self.clocks.stop("publicity", by.subject)
            self.clocks.stop("confirm", by.subject)
            self.refuse_as(by, command.finding, command.legal_basis)
        elif self.state.stage == Stage.OBJECTED:
            self.publicise()

    def publicity_has_ended(self) -> None:
        """公示期满: nobody objected; civil affairs confirms within its limit."""
        self.record(Kind.PUBLICITY_ENDED, posting=self.state.posting)
        self.await_confirmation()

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

    def send_back(self, command: SendBack, by: Actor) -> None:
        """双签退回: it is confirmed anew, or refused."""
        self.clocks.stop("countersign", by.subject)
        self.await_confirmation()
        self.record(Kind.SENT_BACK, reason=command.reason, by=by.role)

    # ---- refusal and appeal ---------------------------------------------------------------------------------------

    def refuse(self, command: Refuse, by: Actor) -> None:
        """不予确认: with its reason and legal basis."""
        self.clocks.stop("confirm", by.subject)
        self.refuse_as(by, command.reason, command.legal_basis)

    def refuse_as(self, by: Actor, reason: TextReference, legal_basis: TextReference | None) -> None:
        """The refusal, whoever decides it: served within its limit, appealed against within its window, once."""
        self.state.refused_at, self.state.refusal = Stage(self.state.stage), reason
        self.state.refusers.append(by.subject)
        self.clocks.stop("whole", "engine")
        self.move(Stage.REFUSED, APPLICANT)
        self.record(Kind.REFUSED, at=self.state.refused_at, reason=reason, legal_basis=legal_basis)
        self.notify(APPLICANT, "welfare_refused")
        self.state.notice_served = self.state.reporter_subject is not None
        if self.state.notice_served:
            self.record(Kind.NOTICE_SERVED, by="account")
        else:
            self.start_clock("refusal_notice")
        if not self.state.appeals:
            self.start_clock("appeal")
        elif self.state.notice_served:
            self.refusal_stands()

    def serve_notice(self, by: Actor) -> None:
        """书面告知: to who has no account to be told by."""
        self.state.notice_served = True
        self.clocks.stop("refusal_notice", by.subject)
        self.record(Kind.NOTICE_SERVED, by=by.role)
        if self.state.appeals:
            self.refusal_stands()
        else:
            self.start_clock("appeal")  # it counts from the day on which it was told

    def appeal(self, command: Appeal, by: Actor) -> None:
        """申诉: linked to the decision, and decided by somebody else."""
        self.state.appeals += 1
        self.clocks.stop("appeal", by.subject)
        self.start_clock("decide_appeal")
        self.move(Stage.APPEALED, CIVIL_AFFAIRS)
        self.record(Kind.APPEALED, reason=command.reason, against=self.state.refusal, by=by.role)
        self.notify(CIVIL_AFFAIRS, "appeal_made")

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
            self.move(Stage.REFUSED, "")
            self.refusal_stands()
            return
        self.state.notice_served = False
        self.clocks.stop("refusal_notice", "engine")
        self.clocks.go_on("whole", "engine")
        if self.state.refused_at is Stage.CONFIRMING:
            self.await_confirmation()
        else:
            self.start_clock("review")
            self.move(Stage.SURVEYED, STREET)
            self.notify(STREET, "review_due")

    def refusal_stands(self) -> None:
        """The refusal is final; what was paid first comes back."""
        self.state.refusal_final = True
        self.is_final_at(Stage.REFUSED)
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
        self.take_step_of("final")

    def on_finished(self) -> None:
        """Without a grant, what was paid first comes back."""
        self.wind_up()
