"""What a welfare application remembers: the household, its checks and visits, the decision, and what has been paid."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from schemas import people
from schemas.actor import Channel, Stamp
from schemas.document import DocumentReference
from schemas.identity_document import ADULT_AT
from schemas.identity_number import age_in
from schemas.kernel.words import DeclaredStage
from schemas.means import CheckStatus
from schemas.model import Model
from schemas.parts.payments import PaidState, Payment
from schemas.parts.postings import PostedState
from schemas.people import how_many
from schemas.references import PersonReference, TextReference
from schemas.welfare_policy import Benefit, Cadence, Check, WelfareTerms
from schemas.welfare_rules import (
    Assessment,
    Circumstances,
    Obstacle,
    assess,
    income_found,
    missing_documents,
    month_at,
    month_before,
    needed_checks,
    obstacles,
    raises,
    with_stated,
)


class Stage(DeclaredStage):
    """Where an application, and later the entitlement, stands."""

    APPLIED = "applied", "待受理", "申请已收到,等待受理", "received, about to be accepted"
    CORRECTING = "correcting", "补正中", "请补交材料", "waiting for your documents"
    CHECKING = "checking", "核对调查", "正在核对和入户调查", "registers are asked and you are visited"
    SURVEYED = "surveyed", "待初审", "等待初审", "about to be reviewed"
    PUBLICISED = "publicised", "公示中", "正在公示", "posted for everybody to see"
    OBJECTED = "objected", "异议调查", "公示有异议,正在调查", "somebody objected; it is looked into"
    CONFIRMING = "confirming", "待确认", "等待审核确认", "about to be confirmed"
    CONFIRMED = "confirmed", "待双签", "等待第二签", "waiting for a second signature"
    PAYING = "paying", "发放中", "正在发放", "being paid"
    PAYMENT_SUSPENDED = "payment_suspended", "暂停发放", "暂停发放", "payment is suspended"
    REFUSED = "refused", "不予确认", "不予确认", "refused"
    APPEALED = "appealed", "申诉中", "申诉正在审查", "your appeal is looked at"
    ENDED = "ended", "已终止", "救助已终止", "the benefit has ended"
    WITHDRAWN = "withdrawn", "已撤回", "已撤回", "withdrawn"
    UNRESOLVED = "unresolved", "未解决终结", "未能解决,已终结", "ended without a solution"


BEFORE_REVIEW = (Stage.APPLIED, Stage.CHECKING, Stage.SURVEYED)
UNDECIDED = (*BEFORE_REVIEW, Stage.CORRECTING, Stage.PUBLICISED, Stage.OBJECTED, Stage.CONFIRMING, Stage.CONFIRMED)
LIVING = (Stage.PAYING, Stage.PAYMENT_SUSPENDED)
OPEN = (*UNDECIDED, Stage.APPEALED, *LIVING)
FINAL = (Stage.ENDED, Stage.WITHDRAWN, Stage.UNRESOLVED)

CONSENT = "consent:member-"
"""With the number of a member: what is missing while an adult of the household has not consented."""

DOCUMENT = "document:member-"
"""With the number of a member: what is missing while nobody has seen the document of who was stated as a minor."""

WORDS_FOR_AN_IDENTITY = 2
"""So many people of the town have seen the card of an applicant whose account nobody vouches for."""


class Part(BaseModel):
    """A part of the state that the case changes."""

    model_config = ConfigDict(extra="forbid")


class HouseholdMember(Part):
    """Somebody who lives with the applicant: `number` counts `members` from 1, in the order of the application.

    `birth` is the month of birth; None of cases from before, in which everybody counts as an adult. `adult`: had turned 18
    when the application came. `numbered`: has a document by whose number registers can be asked. `consent`: the paper that an
    adult signed; `consent_by`: who recorded it, while another person still has to see it. `age_shown`: the number of the
    document has the day of birth in it, or somebody has seen the document of who was stated as a minor.
    """

    number: int
    birth: str | None
    adult: bool
    numbered: bool
    consent: DocumentReference | None = None
    consent_by: str | None = None
    age_shown: bool = True

    @property
    def consented(self) -> bool:
        """Has consented, by a paper that does not rest on one unknown person's word."""
        return self.consent is not None and self.consent_by is None

    def may_be_asked_about(self, month: str) -> bool:
        """Consented for themselves; for a minor the applicant did, until the month in which they turn 18 is over."""
        if self.adult or self.birth is None or not self.age_shown:
            return self.consented
        return self.consented or age_in(self.birth, month_before(month)) < ADULT_AT


class Question(Part):
    """One asking of a source. `anew`: the number that the source is asked under; `status` None while it is under way.

    `about`: the numbers of the members it was about; None of cases from before, where it was about everybody.
    """

    number: int
    source: str
    anew: int
    asked_at: datetime
    facts: dict[str, int]
    about: list[int] | None = None
    status: CheckStatus | None = None


class Checked(Part):
    """What a source is known to say. `status` None: not answered, or what it was asked has changed since.

    `question` is the asking whose answer counts; `by_hand`: a person took the answer down. `asks` counts the asking again
    by itself.
    """

    source: str
    question: int = 0
    asks: int = 0
    status: CheckStatus | None = None
    facts: dict[str, int] = {}
    by_hand: bool = False

    @property
    def answered(self) -> bool:
        """The source has said what it knows, or a person has for it."""
        return self.status in (CheckStatus.CLEAR, CheckStatus.FOUND)


class Visit(Model):
    """入户调查: who visited, as what, when, and what they found."""

    by: str
    role: str
    at: datetime
    finding: TextReference


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


class ChangeAsked(Part):
    """调整申请: a change that would pay more, until two people have decided on it; the old amount is paid meanwhile.

    `stated` are the facts as they were stated, `months` the left-out months that are to be paid (then nothing need be stated).
    `amount_fen`: of a month, or of these months together. `checked`: the registers that are asked anew. Nothing of it counts
    before it is confirmed.
    """

    number: int
    cause: str
    since: str
    stated: dict[str, int] = {}
    months: list[str] = []
    before_fen: int
    amount_fen: int
    asked_by: str
    asked_at: datetime
    checked: dict[str, Checked] = {}
    checked_by: list[str] = []
    reviewed_by: str | None = None
    confirmed_by: str | None = None

    def unanswered(self) -> list[Checked]:
        """The registers that have not answered yet."""
        return [checked for checked in self.checked.values() if not checked.answered]


class EndReported(Part):
    """终止事由报告: somebody says why nothing is due any more; payment rests until another person, or a register, says so too.

    `last_due`: the last month that would be due. `stated`: the facts by which nothing is due; they count with it, not before.
    `rests`: payment rests because of it, and goes on when it is found untrue.
    """

    number: int
    cause: str
    last_due: str
    stated: dict[str, int] = {}
    asked_by: str
    asked_at: datetime
    rests: bool


class WelfareState(PostedState, PaidState):
    """What an application remembers.

    `reporter` is the applicant, as the kernel calls who a case is of; `members` are the other people of the household,
    `household_members` the same with who is an adult and who consented (none in cases from before). `reserves`: what a
    benefit holds of them (none: from before, the benefit itself).
    `birth` is the month of birth: by it the age is known in every later month. `papers` are the documents by kind,
    `asked_for` what was asked for beyond the policy. `checked` is what is known by source, `questions` every asking.
    `related` are officers who declared a relation; `refusers` those who refused before and decide no more. `paid` is what
    was paid by month, `skipped` the months that were due while payment was suspended. `month` is paid next; `month_over`
    asks for a new run. `account_bound`: by the issuer's word the account that applied is the applicant's; `card_seen_by`:
    who of the town has seen the applicant's card. `alike`: what else living cases have of this one, by kind
    (schemas/likeness.py). `last_due`: the entitlement ends, and this is the last month that is due. `change` and
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
    reporter: PersonReference
    members: tuple[PersonReference, ...] = ()
    household_members: list[HouseholdMember] = []
    address: TextReference
    reason: TextReference
    relation: TextReference | None = None
    birth: str
    disability_level: int | None = None
    household_size: int
    monthly_income_fen: int
    income_stable: bool = True
    consent: bool
    channel: Channel
    on_behalf: bool = False
    account_bound: bool = False
    card_seen_by: list[str] = []
    alike: list[str] = []
    papers: dict[str, DocumentReference] = {}
    asked_for: list[str] = []
    corrected_from: Stage | None = None
    paused: list[str] = []
    accepted_at: datetime | None = None
    questions: list[Question] = []
    checked: dict[str, Checked] = {}
    visits: list[Visit] = []
    related: list[str] = []
    extended_working_days: int = 0
    reviewed_by: str | None = None
    confirmed_by: str | None = None
    refusers: list[str] = []
    refused_at: Stage | None = None
    refusal: TextReference | None = None
    notice_served: bool = False
    appeals: int = 0
    posted_amount_fen: int = 0
    granted: Assessment | None = None
    alive: bool = True
    month: str | None = None
    month_over: bool = False
    skipped: list[str] = []
    overdue: bool = False
    last_due: str | None = None
    refusal_final: bool = False
    recoveries: list[RecoveryAsked] = []
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
    appeal_decided_by: str | None = None

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
            people.Part.RELATED: tuple(self.related),
            people.Part.CARD_SEEN: tuple(self.card_seen_by),
            people.Part.CONSENT_RECORDED: tuple(each.consent_by for each in self.household_members),
            people.Part.VISITED: tuple(visit.by for visit in self.visits),
            people.Part.CORRECTED: tuple(self.correctors),
            people.Part.CHECKED: tuple(self.checkers),
            people.Part.REVIEWED: (self.reviewed_by,),
            people.Part.CONFIRMED: (self.confirmed_by,),
            people.Part.REFUSED: tuple(self.refusers),
            people.Part.APPEAL_DECIDED: (self.appeal_decided_by,),
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

    # ---- who it is ------------------------------------------------------------------------------------------------

    @property
    def identified(self) -> bool:
        """It is sure who applies: the account is theirs, or two people of the town have seen their card (decision 0009)."""
        if not self.charter.people_are_identified or self.account_bound:
            return True
        return how_many(self.card_seen_by) >= WORDS_FOR_AN_IDENTITY

    def identified_with(self, subject: str) -> bool:
        """The same, once somebody more has seen the card."""
        seen = [*self.card_seen_by, subject]
        return self.identified or how_many(seen) >= WORDS_FOR_AN_IDENTITY

    @property
    def payee_decides(self) -> bool:
        """The account that the case is of is the payee's own, so that its word alone is the payee's."""
        return self.account_bound if self.charter.people_are_identified else not self.on_behalf

    def not_consenting(self) -> list[HouseholdMember]:
        """The adults of the household who have not consented: registers are not asked about them, and nothing is granted."""
        return [member for member in self.household_members if member.adult and not member.consented]

    def of_unknown_age(self) -> list[HouseholdMember]:
        """Those who were stated as minors by a document that does not show it, and nobody has seen it."""
        return [member for member in self.household_members if not (member.age_shown or member.consented)]

    def to_be_confirmed(self) -> list[HouseholdMember]:
        """Those of whom somebody still has to see a paper: the consent that was recorded, or the document."""
        return [
            member
            for member in self.household_members
            if member.consent_by is not None or member in self.of_unknown_age()
        ]

    def count_everybody_as_adult(self) -> None:
        """An application from before did not tell who is of age: whoever is not known to be a minor consents."""
        if not self.charter.people_as_stated and not self.household_members:
            self.household_members = [
                HouseholdMember(number=number, birth=None, adult=True, numbered=True)
                for number in range(1, len(self.members) + 1)
            ]

    @property
    def consented_members(self) -> tuple[PersonReference, ...]:
        """Who of the household, besides the applicant, lets the town ask about them; of cases from before, everybody."""
        if not self.charter.people_as_stated and not self.household_members:
            return self.members
        month = month_at(self.last_at or self.opened_at)
        return self.people(each.number for each in self.household_members if each.may_be_asked_about(month))

    def asked_about(self) -> list[int]:
        """The numbers of those whom a source is asked about: who consented, and can be told from others by a document."""
        consented = self.consented_members
        return [
            each.number for each in self.household_members if each.numbered and self.person(each.number) in consented
        ]

    def person(self, number: int) -> PersonReference:
        """A member of the household by number, counted from 1."""
        return self.members[number - 1]

    def people(self, numbers: Iterable[int]) -> tuple[PersonReference, ...]:
        """Members of the household by their numbers."""
        return tuple(map(self.person, numbers))

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
    def visits_done(self) -> bool:
        """Enough different people have visited; where a relation was declared, one of them from the county."""
        from_county = any(visit.role == "civil_affairs_officer" for visit in self.visits)
        wanted = max(self.rules.visits, 1) if self.relation is not None else self.rules.visits
        return how_many(visit.by for visit in self.visits) >= wanted and (self.relation is None or from_county)

    def demanded_back(self) -> dict[str, int]:
        """What of each month was asked back before."""
        demanded: dict[str, int] = {}
        for asked in self.recoveries:
            for month, fen in asked.months.items():
                demanded[month] = demanded.get(month, 0) + fen
        return demanded

    def is_held_back(self, payment: Payment) -> bool:
        """Whether a payment rests because of a reported end after which it would not be due; money that may have moved does not."""
        return self.end_asked is not None and payment.month > self.end_asked.last_due and not payment.uncertain

    def comes_to_nothing(self, stated: Mapping[str, int], now: datetime) -> bool:
        """Whether with these facts nothing would be due."""
        return not assess(self.rules, with_stated(self.household, stated), month_at(now)).amount_fen

    @property
    def advance_members(self) -> list[HouseholdMember]:
        """Who of the household, besides the applicant, counts in what is paid first: minors, and adults who consented."""
        if not self.household_members:
            return []
        month = month_at(self.last_at or self.opened_at)
        return [member for member in self.household_members if member.may_be_asked_about(month)]

    def labels(self) -> dict[str, str]:
        """Return what lists and indicators group applications by."""
        return {"benefit": self.benefit, "channel": self.channel}
