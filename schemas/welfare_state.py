"""What a welfare application remembers: the household, its checks and visits, the decision, and what has been paid."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from schemas.kernel import people
from schemas.parts.appeal import AppealedState
from schemas.parts.recusal import RecusedState
from schemas.parts.visits import VisitedState
from schemas.values.actor import Channel, Role, Stamp
from schemas.values.model import Model
from schemas.values.references import TextReference
from schemas.welfare_checked import ChangeAsked, Checked, EndReported, Part, Question
from schemas.welfare_household import (
    CONSENT,
    DOCUMENT,
    OTHERS_PAPER,
    WORDS_FOR_AN_IDENTITY,
    HouseholdMember,
    HouseholdState,
)
from schemas.welfare_policy import Benefit, Cadence, Check, WelfareTerms
from schemas.welfare_rules import (
    Assessment,
    Circumstances,
    Obstacle,
    assess,
    income_found,
    missing_documents,
    month_at,
    needed_checks,
    obstacles,
    raises,
    with_stated,
)
from schemas.welfare_stages import BEFORE_REVIEW, FINAL, LIVING, OPEN, UNDECIDED, Stage

__all__ = [
    "BEFORE_REVIEW", "CONSENT", "DOCUMENT", "FINAL", "LIVING", "OPEN", "OTHERS_PAPER", "UNDECIDED",
    "WORDS_FOR_AN_IDENTITY", "AccountAsked", "ChangeAsked", "Checked", "EndReported", "HouseholdMember", "PaidOut",
    "Part", "Payment", "PaymentPart", "PaymentState", "Question", "RecoveryAsked", "SettlementClaimed", "Stage",
    "WelfareState",
]  # fmt: skip
"""Its own names, and those of the files that it is made of."""


class PaymentPart(StrEnum):
    """What of a benefit a payment is."""

    WHOLE = "whole"
    FIRST = "first"
    REST = "rest"
    ARREARS = "arrears"


class PaymentState(StrEnum):
    """How far a payment is. `WITH_A_PERSON`: the machine has tried as often as the policy says."""

    UNDER_WAY = "under_way"
    WAITING = "waiting"
    WITH_A_PERSON = "with_a_person"


class SettlementClaimed(Part):
    """已另行发放: somebody says that it was paid by hand; it counts when another person has confirmed it.

    `voucher`: the number under which the treasury paid it out.
    """

    number: int
    reason: TextReference
    voucher: str | None = None
    by: str
    at: datetime


class Payment(Part):
    """One payment that is not settled yet. `attempt` makes its key; it goes up only when the bank has paid nothing.

    `tries` counts all tries, `last` is how the latest ended, `uncertain`: the money may have moved. `claim`: somebody says that
    it was paid by hand.
    """

    number: int
    month: str
    benefit: str
    part: PaymentPart = PaymentPart.WHOLE
    amount_fen: int
    due_since: datetime
    attempt: int = 1
    tries: int = 0
    state: PaymentState = PaymentState.UNDER_WAY
    last: str = ""
    uncertain: bool = False
    claim: SettlementClaimed | None = None


class PaidOut(Model):
    """What was paid for a month, by which key."""

    key: str
    amount_fen: int
    part: PaymentPart = PaymentPart.WHOLE


class RecoveryAsked(Part):
    """多领款项: what is to come back, why, and what came of it. Its case is `CASE.recovery-NUMBER`."""

    number: int
    cause: str
    amount_fen: int
    months: dict[str, int] = {}
    stamp: Stamp
    asked_at: datetime
    repaid_fen: int = 0
    ended_as: str = ""


class AccountAsked(Part):
    """账户变更申请: another account, until a second person confirms it. `payment`: the one that is then tried again."""

    number: int
    account: TextReference
    asked_by: str
    asked_at: datetime
    payment: int | None = None


class WelfareState(HouseholdState, RecusedState, VisitedState, AppealedState):
    """What an application remembers.

    `reporter` is the applicant, as the kernel calls who a case is of; `members` are the other people of the household,
    `household_members` the same with who is an adult and who consented (none in cases from before). `reserves`: what a
    benefit holds of them (none: from before, the benefit itself).
    `birth` is the month of birth: by it the age is known in every later month. `checked` is what is known by source,
    `questions` every asking. `paid` is what
    was paid by month, `skipped` the months that were due while payment was suspended. `month` is paid next; `month_over`
    asks for a new run. `account_bound`: by the issuer's word the account that applied is the applicant's; `card_seen_by`:
    who of the town has seen the applicant's card. `alike`: what else living cases have of this one, by kind
    (schemas/contracts/likeness.py). `last_due`: the entitlement ends, and this is the last month that is due. `change` and
    `account_asked` wait for a second person; `account_told`: the payee knows of the latest account. `objections_beside` are
    looked into while the posting stays up. `end_asked`: a reported end, until a second person, or the register, says so too;
    `death_registered`: the register knows of a death. `editions`, `reviews` and `confirmations` count what the numbers of
    requests are made of: how often the file changed, and how often it was reviewed and confirmed. `correctors`, `checkers` and
    `investigators` are those who wrote down what others decide on.
    """

    procedure: ClassVar[str] = "welfare"

    stage: str = Stage.APPLIED
    terms: WelfareTerms
    benefit: str
    rules: Benefit
    reserves: tuple[str, ...] = ()
    account: TextReference
    address: TextReference
    reason: TextReference
    birth: str
    disability_level: int | None = None
    household_size: int
    monthly_income_fen: int
    income_stable: bool = True
    consent: bool
    channel: Channel
    alike: list[str] = []
    accepted_at: datetime | None = None
    questions: list[Question] = []
    checked: dict[str, Checked] = {}
    extended_working_days: int = 0
    reviewed_by: str | None = None
    confirmed_by: str | None = None
    posting: int = 0
    posted_amount_fen: int = 0
    objections: int = 0
    granted: Assessment | None = None
    alive: bool = True
    month: str | None = None
    month_over: bool = False
    payments: list[Payment] = []
    payments_made: int = 0
    paid: dict[str, list[PaidOut]] = {}
    skipped: list[str] = []
    overdue: bool = False
    last_due: str | None = None
    recoveries: list[RecoveryAsked] = []
    change: ChangeAsked | None = None
    changes_asked: int = 0
    account_asked: AccountAsked | None = None
    accounts_asked: int = 0
    account_told: bool = True
    account_changed_by: str | None = None
    objections_beside: int = 0
    settlements_claimed: int = 0
    end_asked: EndReported | None = None
    ends_asked: int = 0
    death_registered: bool = False
    editions: int = 0
    reviews: int = 0
    confirmations: int = 0
    correctors: list[str] = []
    checkers: list[str] = []
    investigators: list[str] = []

    @property
    def household(self) -> Circumstances:
        """What decides of the household, with the income that the registers told."""
        return Circumstances(
            birth=self.birth,
            disability_level=self.disability_level,
            household_size=self.household_size,
            monthly_income_fen=self.monthly_income_fen,
            income_found_fen=income_found(self.rules, self.facts_found),
        )

    def took_part(self) -> Mapping[people.Part, tuple[str, ...]]:
        """Who took which part; of a change and of an account, those that wait now."""
        change, account, end = self.change, self.account_asked, self.end_asked
        each = {
            people.Part.APPLICANT: (self.reporter_subject,),
            people.Part.CORRECTED: tuple(self.correctors),
            people.Part.CHECKED: tuple(self.checkers),
            people.Part.REVIEWED: (self.reviewed_by,),
            people.Part.INVESTIGATED: tuple(self.investigators),
            people.Part.CONFIRMED: (self.confirmed_by,),
            people.Part.CHANGE_ASKED: (change.asked_by if change else None,),
            people.Part.CHANGE_CHECKED: tuple(change.checked_by if change else ()),
            people.Part.CHANGE_REVIEWED: (change.reviewed_by if change else None,),
            people.Part.CHANGE_CONFIRMED: (change.confirmed_by if change else None,),
            people.Part.ACCOUNT_ASKED: (account.asked_by if account else self.account_changed_by,),
            people.Part.SETTLEMENT_CLAIMED: tuple(claim.by for claim in self.claims()),
            people.Part.END_REPORTED: (end.asked_by if end else None,),
        }
        return {**super().took_part(), **{part: tuple(who for who in whom if who) for part, whom in each.items()}}

    def requests(self) -> Mapping[people.Part, tuple[int, ...]]:
        """What waits for another person's word: the file, a review, a signature, a change, an account, payments by hand, an end."""
        waiting: dict[people.Part, tuple[int, ...]] = {people.Part.ENTERED: (self.editions + 1,)}
        if self.reviewed_by is not None:
            waiting[people.Part.REVIEWED] = (max(self.reviews, 1),)
        if self.confirmed_by is not None:
            waiting[people.Part.CONFIRMED] = (max(self.confirmations, 1),)
        if self.change is not None:
            waiting[people.Part.CHANGE_ASKED] = (self.change.number,)
        if self.account_asked is not None:
            waiting[people.Part.ACCOUNT_ASKED] = (self.account_asked.number,)
        if self.end_asked is not None:
            waiting[people.Part.END_REPORTED] = (self.end_asked.number,)
        return waiting | {people.Part.SETTLEMENT_CLAIMED: tuple(claim.number for claim in self.claims())}

    # ---- changes that would pay more ------------------------------------------------------------------------------

    @property
    def granted_fen(self) -> int:
        """What is paid a month now."""
        return self.granted.amount_fen if self.granted else 0

    @property
    def household_asked(self) -> Circumstances:
        """The household as the change that waits would have it, with what the registers that were asked anew told."""
        assert self.change is not None, "only asked while one waits"  # noqa: S101 - conditions of the table see to it
        found = self.facts_found | {
            source: checked.facts for source, checked in self.change.checked.items() if checked.answered
        }
        household = self.household.model_copy(update={"income_found_fen": income_found(self.rules, found)})
        return with_stated(household, self.change.stated)

    def obstacles_to_change(self, now: datetime) -> tuple[Obstacle, ...]:
        """What stands against the change that waits."""
        if self.change is None or not self.change.stated:
            return ()
        found = self.facts_found | {
            source: checked.facts for source, checked in self.change.checked.items() if checked.answered
        }
        return obstacles(self.rules, self.household_asked, found, month_at(now))

    def raised_by(self, stated: Mapping[str, int], now: datetime) -> bool:
        """Whether these facts would pay more, so that two people have to decide on them."""
        return raises(self.rules, self.household, stated, month_at(now), self.granted_fen)

    @property
    def paid_once(self) -> bool:
        """The benefit is paid once, and never again."""
        return self.rules.cadence is Cadence.ONCE

    @property
    def arrears_fen(self) -> int:
        """What the months that were left out come to."""
        return sum(assess(self.rules, self.household, month).amount_fen for month in self.skipped)

    @property
    def arrears_need_another(self) -> bool:
        """Whether they are so much that one person does not have them paid."""
        return self.arrears_fen > self.rules.second_signature_above_fen

    @property
    def checks_waited_for(self) -> dict[str, Checked]:
        """The registers whose answers are waited for now: those of the change that waits, else those of the application."""
        return self.checked if self.change is None or self.stage not in LIVING else self.change.checked

    @property
    def facts_found(self) -> dict[str, dict[str, int]]:
        """What each source told."""
        return {source: checked.facts for source, checked in self.checked.items() if checked.answered}

    def needed(self, now: datetime) -> tuple[Check, ...]:
        """The checks that this household needs."""
        return needed_checks(self.rules, self.household, month_at(now))

    def unanswered(self) -> list[Checked]:
        """The checks that are still open."""
        return [checked for checked in self.checks_waited_for.values() if not checked.answered]

    def missing(self) -> tuple[str, ...]:
        """The documents that are still to be handed in."""
        return missing_documents(self.rules, self.papers, self.asked_for)

    def assessed(self, now: datetime) -> Assessment:
        """The amount as things stand."""
        return assess(self.rules, self.household, month_at(now))

    def obstacles(self, now: datetime) -> tuple[Obstacle, ...]:
        """What stands against granting as things stand."""
        found = obstacles(self.rules, self.household, self.facts_found, month_at(now))
        return (
            *found,
            *(Obstacle(code=f"{CONSENT}{each.number}", found=0, allowed=1) for each in self.not_consenting()),
            *(Obstacle(code=f"{DOCUMENT}{each.number}", found=0, allowed=1) for each in self.of_unknown_age()),
        )

    def wanting(self) -> tuple[str, ...]:
        """What the applicant still has to bring: documents by kind, the consent of adults by their number."""
        if self.stage not in (*UNDECIDED, *LIVING):
            return ()
        return (
            *(self.missing() if self.stage in UNDECIDED else ()),
            *(f"{CONSENT}{member.number}" for member in self.not_consenting() if member.consent is None),
            *(f"{DOCUMENT}{member.number}" for member in self.of_unknown_age()),
        )

    @property
    def visits_wanted(self) -> int:
        """As many as the benefit asks for; where a relation was declared, somebody in any case."""
        return max(self.rules.visits, 1) if self.relation is not None else self.rules.visits

    @property
    def visitors_wanted(self) -> frozenset[Role]:
        """Where a relation was declared, the county is among them."""
        return frozenset() if self.relation is None else frozenset({Role.CIVIL_AFFAIRS_OFFICER})

    def demanded_back(self) -> dict[str, int]:
        """What of each month was asked back before."""
        demanded: dict[str, int] = {}
        for asked in self.recoveries:
            for month, fen in asked.months.items():
                demanded[month] = demanded.get(month, 0) + fen
        return demanded

    def paid_fen(self) -> dict[str, int]:
        """What was paid by month, all parts together."""
        return {month: sum(each.amount_fen for each in parts) for month, parts in self.paid.items()}

    def with_a_person(self) -> list[Payment]:
        """The payments that the machine has given up."""
        return [payment for payment in self.payments if payment.state is PaymentState.WITH_A_PERSON]

    def waiting_payments(self) -> list[Payment]:
        """The payments that a person has to look at; of those that are said to be paid by hand another one decides first."""
        return [payment for payment in self.with_a_person() if payment.claim is None]

    def claims(self) -> list[SettlementClaimed]:
        """What is said to be paid by hand, and nobody else has confirmed yet."""
        return [payment.claim for payment in self.payments if payment.claim is not None]

    def is_held_back(self, payment: Payment) -> bool:
        """Whether a payment rests because of a reported end after which it would not be due; money that may have moved does not."""
        return self.end_asked is not None and payment.month > self.end_asked.last_due and not payment.uncertain

    def comes_to_nothing(self, stated: Mapping[str, int], now: datetime) -> bool:
        """Whether with these facts nothing would be due."""
        return not assess(self.rules, with_stated(self.household, stated), month_at(now)).amount_fen

    def labels(self) -> dict[str, str]:
        """Return what lists and indicators group applications by."""
        return {"benefit": self.benefit, "channel": self.channel}
