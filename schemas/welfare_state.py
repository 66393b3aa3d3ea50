"""What a welfare application remembers: the household, its checks and visits, the decision, and what has been paid."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from schemas.clocks.months import month_at
from schemas.kernel import people
from schemas.parts.appeal import AppealedState
from schemas.parts.extension import ExtendedState
from schemas.parts.payments import Payment
from schemas.parts.postings import PostedState
from schemas.parts.recusal import RecusedState
from schemas.parts.visits import VisitedState
from schemas.recovery_parent import RecoveringPayer
from schemas.values.actor import Channel, Role
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
    needed_checks,
    obstacles,
    raises,
    with_stated,
)
from schemas.welfare_stages import BEFORE_REVIEW, FINAL, LIVING, OPEN, UNDECIDED, Stage

__all__ = [
    "BEFORE_REVIEW", "CONSENT", "DOCUMENT", "FINAL", "LIVING", "OPEN", "OTHERS_PAPER", "UNDECIDED",
    "WORDS_FOR_AN_IDENTITY", "ChangeAsked", "Checked", "EndReported", "HouseholdMember", "Part", "Question", "Stage",
    "WelfareState",
]  # fmt: skip
"""Its own names, and those of the files that it is made of."""


class WelfareState(
    HouseholdState, RecusedState, VisitedState, AppealedState, PostedState, RecoveringPayer, ExtendedState
):
    """What an application remembers.

    `reporter` is the applicant, as the kernel calls who a case is of; `members` are the other people of the household,
    `household_members` the same with who is an adult and who consented (none in cases from before). `reserves`: what a
    benefit holds of them (none: from before, the benefit itself).
    `birth` is the month of birth: by it the age is known in every later month. `checked` is what is known by source,
    `questions` every asking. `skipped` the months that were due while payment was suspended. `month` is paid next; `month_over`
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
    reviewed_by: str | None = None
    confirmed_by: str | None = None
    posted_amount_fen: int = 0
    granted: Assessment | None = None
    alive: bool = True
    month: str | None = None
    month_over: bool = False
    skipped: list[str] = []
    overdue: bool = False
    last_due: str | None = None
    change: ChangeAsked | None = None
    changes_asked: int = 0
    end_asked: EndReported | None = None
    ends_asked: int = 0
    death_registered: bool = False
    editions: int = 0
    reviews: int = 0
    confirmations: int = 0
    correctors: list[str] = []
    checkers: list[str] = []

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
        change, end = self.change, self.end_asked
        each = {
            people.Part.CORRECTED: tuple(self.correctors),
            people.Part.CHECKED: tuple(self.checkers),
            people.Part.REVIEWED: (self.reviewed_by,),
            people.Part.CONFIRMED: (self.confirmed_by,),
            people.Part.CHANGE_ASKED: (change.asked_by if change else None,),
            people.Part.CHANGE_CHECKED: tuple(change.checked_by if change else ()),
            people.Part.CHANGE_REVIEWED: (change.reviewed_by if change else None,),
            people.Part.CHANGE_CONFIRMED: (change.confirmed_by if change else None,),
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
        if self.end_asked is not None:
            waiting[people.Part.END_REPORTED] = (self.end_asked.number,)
        return {**waiting, **super().requests()}

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

    def is_held_back(self, payment: Payment) -> bool:
        """Whether a payment rests because of a reported end after which it would not be due; money that may have moved does not."""
        return self.end_asked is not None and payment.month > self.end_asked.last_due and not payment.uncertain

    def comes_to_nothing(self, stated: Mapping[str, int], now: datetime) -> bool:
        """Whether with these facts nothing would be due."""
        return not assess(self.rules, with_stated(self.household, stated), month_at(now)).amount_fen

    def labels(self) -> dict[str, str]:
        """Return what lists and indicators group applications by."""
        return {"benefit": self.benefit, "channel": self.channel}
