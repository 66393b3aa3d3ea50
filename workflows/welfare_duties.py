"""What every part of a welfare case needs: duties that climb the tiers, ways from stage to stage, and what is to come back.

What was paid too much becomes a recovery case 追回, started from here; it reports back by messages.
"""

from collections.abc import Mapping

from schemas.actor import Actor
from schemas.case import Message, child_id
from schemas.clocks import Limit
from schemas.people import among
from schemas.recovery import RECOVERY
from schemas.recovery_state import RecoveryState
from schemas.welfare_entries import Kind
from schemas.welfare_state import RecoveryAsked, Stage, WelfareState
from workflows import steps
from workflows.kernel.law import Law
from workflows.parts.accounts import Accounts
from workflows.parts.payments import MONEY_ON_ITS_WAY
from workflows.parts.postings import Postings

APPLICANT = "reporter"
CLERK = "role:window_clerk"
STREET = "role:street_officer"
CIVIL_AFFAIRS = "role:civil_affairs_officer"
SUPERVISOR = "role:supervisor"

RECOVERY_TOLD = "recovery_told"
TWO_DECIDE_ON_A_RAISE = Law("two-decide-on-a-raise")
"""Patch: before, a change that was reported or found at a reassessment was paid at once, however much higher."""

AN_ADVANCE_HAS_A_CEILING = Law("an-advance-has-a-ceiling")
"""Patch: before, an advance rose with the heads that were stated, also above what one person may grant."""

A_RECOVERY_KNOWS_WHO_ENTERED = Law("a-recovery-knows-who-entered")
"""Patch: before, a recovery did not know who had entered the case that paid."""

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

BUSINESS = (*MONEY_ON_ITS_WAY, "recover/")
"""The errands that a final case still waits for: money on its way, and money to come back."""


class Duties(Accounts[WelfareState], Postings[WelfareState]):
    """Duties, stages and recoveries."""

    def __init__(self, state: WelfareState) -> None:
        state.month_over = False
        super().__init__(state)

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

    def comes_to_rest(self, stage: Stage) -> None:
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
        self.state.recoveries.append(
            RecoveryAsked(
                number=number, cause=cause, amount_fen=total, months=net, stamp=self.stamp, asked_at=self.now()
            )
        )
        self.record(Kind.RECOVERY_ASKED, case=self.recovery_id(number), cause=cause, amount_fen=total, months=net)
        self.notify(APPLICANT, "recovery_asked", yuan=total // 100, fen=total % 100)
        self.errand("recover", number)

    def recovery_id(self, number: int) -> str:
        """The case of a recovery."""
        return child_id(self.state.case_id, f"recovery-{number}")

    async def errand_recover(self, number: int) -> None:
        """Start the recovery case; it lives on by itself, also after this one."""
        asked = self.state.recoveries[number - 1]
        entered_by = self.state.opening.actor.subject if self.law_holds(A_RECOVERY_KNOWS_WHO_ENTERED) else None
        started = await steps.start_case(
            RECOVERY,
            RecoveryState(
                case_id=self.recovery_id(number),
                parent=self.state.case_id,
                charter=self.state.charter,
                opening=asked.stamp,
                area=self.state.area,
                department=self.state.department,
                reporter_subject=self.state.reporter_subject,
                opened_at=asked.asked_at,
                terms=self.state.terms,
                benefit=self.state.benefit,
                cause=asked.cause,
                reporter=self.state.reporter,
                statements=self.state.statements_of(self.state.reporter),
                amount_fen=asked.amount_fen,
                months=asked.months,
                entered_by=entered_by,
            ),
        )
        self.record(Kind.RECOVERY_OPENED, case=self.recovery_id(number), started=started)

    def knows(self, message: Message) -> bool:
        """The recoveries of this case."""
        return message.sender in {self.recovery_id(asked.number) for asked in self.state.recoveries}

    def on_message(self, message: Message, *, repeated: bool) -> None:
        """A recovery tells how far it is."""
        if repeated or message.subject != RECOVERY_TOLD:
            return
        for asked in self.state.recoveries:
            if self.recovery_id(asked.number) == message.sender:
                asked.repaid_fen = int(message.facts["repaid_fen"])
                asked.ended_as = str(message.facts["stage"])
                self.record(Kind.RECOVERY_TOLD, case=message.sender, **message.facts)
