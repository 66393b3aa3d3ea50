"""What every part of a welfare case needs: duties that climb the tiers, ways from stage to stage, and what is to come back.

What was paid too much becomes a recovery case 追回, started from here; it reports back by messages.
"""

from collections.abc import Mapping

from schemas.clocks.clocks import Limit
from schemas.kernel.case import CaseState, Message
from schemas.kernel.people import among
from schemas.parts.children import open_child
from schemas.recovery import RECOVERY
from schemas.recovery_state import RecoveryState
from schemas.values.actor import Actor
from schemas.welfare_entries import Kind
from schemas.welfare_state import RecoveryAsked, Stage, WelfareState
from workflows.kernel.law import Law
from workflows.parts.children import ChildrenCase
from workflows.parts.extension import ExtendedCase

APPLICANT = "reporter"
CLERK = "role:window_clerk"
STREET = "role:street_officer"
CIVIL_AFFAIRS = "role:civil_affairs_officer"
SUPERVISOR = "role:supervisor"

RECOVERY_TOLD = "recovery_told"
TWO_DECIDE_ON_A_RAISE = Law("two-decide-on-a-raise")
"""Patch: before, a change that was reported or found at a reassessment was paid at once, however much higher."""

TWO_DECIDE_ON_AN_ACCOUNT = Law("two-decide-on-an-account")
"""Patch: before, anybody's word on another account counted at once, and the payee was not told."""

AN_ADVANCE_HAS_A_CEILING = Law("an-advance-has-a-ceiling")
"""Patch: before, an advance rose with the heads that were stated, also above what one person may grant."""

POSTINGS_ARE_COUNTED = Law("postings-are-counted")
"""Patch: before, every objection took the posting down, and it was posted anew for the whole window."""

A_RECOVERY_KNOWS_WHO_ENTERED = Law("a-recovery-knows-who-entered")
"""Patch: before, a recovery did not know who had entered the case that paid."""

ANSWERS_ARE_ON_WHAT_WAS_SEEN = Law("answers-are-on-what-was-seen", since=2)
"""Patch: before, nobody counted the editions of a file, reviews and signatures, nor remembered who corrected facts, took down
answers, looked into objections and decided on appeals."""

TWO_SAY_THAT_IT_WAS_PAID = Law("two-say-that-it-was-paid", since=2)
"""Patch: before, one officer's word that it was paid by hand closed a payment."""

TWO_SAY_THAT_IT_ENDS = Law("two-say-that-it-ends", since=2)
"""Patch: before, one person's report of a death or a move ended a benefit and asked back what was paid since."""

AN_ADVANCE_COUNTS_WHO_CONSENTED = Law("an-advance-counts-who-consented", since=2)
"""Patch: before, adults of the household who had not consented were paid an advance for too."""

AN_ADVANCE_COUNTS_WHO_IS_NAMED = Law("an-advance-counts-who-is-named", since=3)
"""Patch: before, heads that one person had corrected, and children without a number, were paid an advance for."""

WHO_WITHDRAWS_FOR_OTHERS_TELLS_THEM = Law("who-withdraws-for-others-tells-them", since=3)
"""Patch: before, an applicant heard nothing of a withdrawal that a clerk had entered."""

AN_ACCOUNT_IS_BOUND = Law("an-account-is-bound-to-its-payee", since=2)
"""Patch: before, an account that staff had named as the applicant's decided alone where money goes."""

ADULTS_OF_OLD_CASES_CONSENT = Law("adults-of-old-cases-consent", since=2)
"""Patch: before, registers were asked about everybody in a household from before consents."""

OF_CLOCK = {
    "identify": STREET,
    "consent": CLERK,
    "investigate": STREET,
    "review_change": STREET,
    "confirm_change": CIVIL_AFFAIRS,
    "countersign_change": CIVIL_AFFAIRS,
    "confirm_account": CIVIL_AFFAIRS,
    "tell_payee": CLERK,
    "confirm_settlement": CIVIL_AFFAIRS,
    "confirm_end": CIVIL_AFFAIRS,
}
"""Who is warned of a duty that the holder of the case need not have."""

BESIDE = frozenset({"pay", *OF_CLOCK} - {"investigate", "identify"})
"""Duties beside the application itself: left undone, they climb the tiers, and the application goes on without them."""

BUSINESS = ("pay/", "find_out/", "recover/")
"""The errands that a final case still waits for: money on its way, and money to come back."""


class Duties(ChildrenCase[WelfareState, RecoveryAsked], ExtendedCase[WelfareState]):
    """Duties, stages and recoveries."""

    child_procedure = RECOVERY
    child_errand = "recover"
    extended_clock = "whole"

    def start_duty(self, name: str, limit: Limit) -> None:
        """Start a clock that somebody has to keep: late, it climbs the tiers."""
        self.clocks.start(name, limit, "engine", tiers=self.state.terms.tiers)

    def wrote(self, whom: list[str], by: Actor) -> None:
        """Remember who wrote down what others decide on."""
        if self.law_holds(ANSWERS_ARE_ON_WHAT_WAS_SEEN) and not among(by.subject, whom):
            whom.append(by.subject)

    def another_edition(self) -> None:
        """The file is another one than was seen before."""
        if self.law_holds(ANSWERS_ARE_ON_WHAT_WAS_SEEN):
            self.state.editions += 1

    def start_window(self, name: str, limit: Limit) -> None:
        """Start a clock that is nobody's duty: it warns nobody, and its end decides something."""
        self.clocks.start(name, limit, "engine", warn_percent=100)

    def stop_duty(self, name: str, by: str) -> None:
        """Stop a clock, should it have been started."""
        if name in self.state.clocks:
            self.clocks.stop(name, by)

    def goes_to(self, stage: Stage, holder: str) -> None:
        """Go to a stage. Somebody has acted: the final limit does not run any more."""
        self.clocks.stop("final", "engine")
        self.move(stage, holder)

    def finish_as(self, stage: Stage) -> None:
        """The case is final: nothing counts any more, and outside only money is still dealt with."""
        self.clocks.stop_all()
        self.state.errands = [errand for errand in self.state.errands if errand.startswith((*BUSINESS, "tell/"))]
        self.state.closed_at = self.now()
        self.move(stage, "")

    @property
    def business(self) -> list[str]:
        """What a final case still has to do outside."""
        return [errand for errand in self.state.errands if errand.startswith(BUSINESS)]

    # ---- recovery 追回 --------------------------------------------------------------------------------------------

    def recover(self, cause: str, months: Mapping[str, int]) -> None:
        """Ask back what was paid too much by month; what was asked back before is not asked back again."""
        before = self.state.demanded_back()
        net = {month: fen - before.get(month, 0) for month, fen in months.items() if fen > before.get(month, 0)}
        if not net:
            return
        number = len(self.state.recoveries) + 1
        total = sum(net.values())
        asked = RecoveryAsked(
            number=number, cause=cause, amount_fen=total, months=net, stamp=self.stamp, asked_at=self.now()
        )
        self.state.recoveries.append(asked)
        self.record(Kind.RECOVERY_ASKED, case=self.id_of(asked), cause=cause, amount_fen=total, months=net)
        self.notify(APPLICANT, "recovery_asked", yuan=total // 100, fen=total % 100)
        self.ask_for_child(asked)

    async def errand_recover(self, number: int) -> None:
        """Start a recovery."""
        await self.start_child(number)

    def children(self) -> list[RecoveryAsked]:
        """Every recovery of this case."""
        return self.state.recoveries

    def code_of(self, child: RecoveryAsked) -> str:
        """A case has several."""
        return f"recovery-{child.number}"

    def opening_of(self, child: RecoveryAsked) -> RecoveryState:
        """What is to come back, and from whom."""
        entered_by = self.state.opening.actor.subject if self.law_holds(A_RECOVERY_KNOWS_WHO_ENTERED) else None
        return open_child(
            RecoveryState,
            self.state,
            self.code_of(child),
            stamp=child.stamp,
            at=child.asked_at,
            department=self.state.department,
            reporter_subject=self.state.reporter_subject,
            terms=self.state.terms,
            benefit=self.state.benefit,
            cause=child.cause,
            reporter=self.state.reporter,
            statements=self.state.statements_of(self.state.reporter),
            amount_fen=child.amount_fen,
            months=child.months,
            entered_by=entered_by,
        )

    def child_stands(self, child: RecoveryAsked, opening: CaseState, *, anew: bool) -> None:  # noqa: ARG002 - by its number
        """追回立案."""
        self.record(Kind.RECOVERY_OPENED, case=opening.case_id, started=anew)

    def on_message(self, message: Message, *, repeated: bool) -> None:
        """A recovery tells how far it is."""
        if repeated or message.subject != RECOVERY_TOLD:
            return
        asked = self.child_called(message.sender)
        if asked is not None:
            asked.repaid_fen = int(message.facts["repaid_fen"])
            asked.ended_as = str(message.facts["stage"])
            self.record(Kind.RECOVERY_TOLD, case=message.sender, **message.facts)
