"""What a partnership remembers: the offer, who applied, what both sides owe, and how it goes on (schemas/partnership.py)."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from schemas.clocks.limits import Limit
from schemas.clocks.moments import DayOfYear
from schemas.contracts.department import Code
from schemas.contracts.department_policy import Name
from schemas.contracts.payment import Fen
from schemas.kernel.people import Part
from schemas.kernel.state import OpenedState
from schemas.kernel.terms import Terms, TermsPolicy
from schemas.kernel.visibility import OPEN_TO_PARTNERS, party_code
from schemas.kernel.words import DeclaredStage
from schemas.partnership_drafts import DutyDraft
from schemas.partnership_rules import BreachRule, Broken, Kept, breach_is_met, kept_of
from schemas.parts.agreed import DatedDuty, Side, Standing
from schemas.parts.duties import DutiesState
from schemas.parts.panel import PanelState, PanelTerms
from schemas.parts.postings import PostedState, PostingTerms
from schemas.parts.recusal import RecusedState
from schemas.recovery_parent import RecoveringState
from schemas.values.document import Document
from schemas.values.foreign_code import KeptCode
from schemas.values.references import TextReference


class Stage(DeclaredStage):
    """Where a partnership stands."""

    PROPOSED = "proposed", "待发布", "合作意向已收到", "the proposal is received"
    OFFERED = "offered", "招募中", "正在公开招募", "it is offered to all"
    VETTING = "vetting", "资格审核", "正在审核资格", "the applications are looked at"
    JUDGING = "judging", "评审中", "正在评审", "a panel judges the applications"
    CHOOSING = "choosing", "待择优", "评审完毕,待确定合伙方", "the points are given; somebody is chosen"
    NEGOTIATING = "negotiating", "协商中", "正在协商协议", "the agreement is written"
    PUBLICISED = "publicised", "公示中", "协议正在公示", "the agreement is posted for everybody to see"
    OBJECTED = "objected", "异议调查", "公示有异议,正在调查", "somebody objected; it is looked into"
    ACTIVE = "active", "履行中", "协议履行中", "the agreement is performed"
    CURING = "curing", "补救中", "有义务逾期,正在补救", "a duty was missed; there is time to cure it"
    RENEWING = "renewing", "待续约", "协议即将到期,可以续约", "the term ends soon; it can be renewed"
    SUSPENDED = "suspended", "已暂停", "协议已暂停", "the agreement rests"
    BREACHED = "breached", "已认定违约", "已认定违约", "a breach is declared"
    TERMINATING = "terminating", "交还清算", "正在交还清算", "what was given is handed back"
    ENDED = "ended", "已终止", "合作已结束", "the partnership has ended"
    NO_PARTNER = "no_partner", "无人应征", "无人应征,已结束", "nobody applied"
    REFUSED = "refused", "未通过", "未通过", "it was refused"
    WITHDRAWN = "withdrawn", "已撤回", "已撤回", "it was withdrawn"
    UNRESOLVED = "unresolved", "未解决终结", "未能办结,已终结", "it ended without a decision"


BEFORE_AGREEMENT = (Stage.PROPOSED, Stage.OFFERED, Stage.VETTING, Stage.JUDGING, Stage.CHOOSING, Stage.NEGOTIATING)
POSTED = (Stage.PUBLICISED, Stage.OBJECTED)
PERFORMED = (Stage.ACTIVE, Stage.CURING, Stage.RENEWING)
LIVING = (*PERFORMED, *POSTED)
"""Where duties are due: also while a renewal is posted. Before the first agreement is in force there are none."""

RESTING = (Stage.SUSPENDED, Stage.BREACHED)
OPEN = (*BEFORE_AGREEMENT, *LIVING, *RESTING, Stage.TERMINATING)


class PartnerKind(StrEnum):
    """合伙类型: a firm gets a space for its service, two communities are paired, a 乡贤 takes over a project, an organisation."""

    FIRM = "firm"
    PAIRING = "pairing"
    PATRON = "patron"
    ORGANISATION = "organisation"


class PartnershipTerms(PostingTerms, Terms):
    """The town's rules: how long everybody has, when an agreement is broken, and what needs a ballot."""

    months_at_most: int = Field(ge=1, le=12)
    panel: PanelTerms
    answer: Limit
    offer: Limit
    vet: Limit
    judge: Limit
    choose: Limit
    negotiate: Limit
    accept_duty: Limit
    look_into_report: Limit
    cure: Limit
    cure_money: Limit
    hear: Limit
    decide: Limit
    suspension: Limit
    notice: Limit
    hand_back: Limit
    renew_before_days: int = Field(ge=1, le=180)
    renew_at_percent: int = Field(ge=0, le=100)
    ballot_over_fen: Fen
    figure_due: DayOfYear
    waivers_a_year: int = Field(ge=0, le=12)
    community_duties_at_least: int = Field(ge=1, le=20)
    breach_rule: BreachRule
    grave_grounds: dict[Code, Name]
    repay: Limit
    confirm_repayment: Limit
    countersign: Limit


class PartnershipPolicy(TermsPolicy):
    """policies/partnership.yaml."""

    WINDOWS = TermsPolicy.WINDOWS | {"publicity", "offer", "cure", "cure_money", "hear"}

    terms: PartnershipTerms


class Remembers(BaseModel):
    """A piece of the state that the case changes."""

    model_config = ConfigDict(extra="forbid")


class Application(Remembers):
    """应征: who wants it, and what they offer. `kin`: they say that they are related to somebody of the committee.

    `receipt`: the register's own number for its answer. `points`: what the panel gave, in hundredths.
    """

    number: int
    subject: str
    name: TextReference
    plan: TextReference
    kin: bool
    registered: bool = False
    barred: bool = False
    receipt: str | None = None
    vetted_by: str | None = None
    admitted: bool | None = None
    points: int | None = None


class BreachProposed(Remembers):
    """认定违约的提议: by one, on a ground; the partner is heard, and another one decides. `heard`: they have said something."""

    number: int
    by: str
    ground: str
    heard: bool = False


class Asked(Remembers):
    """What one person proposes, and another one of the other side has to agree to. `months`: of a renewal."""

    number: int
    by: str
    months: int = 0


def _times_unpaid(duty: DatedDuty) -> int:
    """How many times of a sum were broken, and the one that is missed now."""
    return duty.ended_as.count(Standing.BROKEN) + (duty.standing is Standing.MISSED)


class PartnershipState(PostedState, PanelState, DutiesState, RecusedState, RecoveringState, OpenedState):
    """What a partnership remembers.

    `partner` is the application that was chosen, `judged` the one that the panel judges now. `drafts` are duties not yet agreed
    on; `draft_version` counts what was changed in them. The term runs from `term_first` to `term_last`, both included;
    `terms` counts them as `terms_begun`; `settled_before`:
    how many times of each duty were settled before this one. `renewed_months`: of the term to come. `broken` since amends were
    last accepted. `stood_at`: where it stood before it was suspended.
    """

    procedure: ClassVar[str] = "partnership"

    stage: str = Stage.PROPOSED
    terms: PartnershipTerms
    partner_kind: PartnerKind
    title: TextReference
    gives: TextReference
    wants: TextReference
    space: KeptCode | None = None
    months: int
    worth_fen: int | None = None
    owner_agrees: Document | None = None
    applications: list[Application] = []
    partner: int | None = None
    judged: int | None = None
    drafts: list[DutyDraft] = []
    draft_version: int = 1
    asked: int = 0
    agreement: Asked | None = None
    term_first: date | None = None
    term_last: date | None = None
    terms_begun: int = 0
    settled_before: dict[str, int] = {}
    evaluated: bool = False
    renewal: Asked | None = None
    renewed_months: int = 0
    broken: list[Broken] = []
    breach: BreachProposed | None = None
    handed_back: Asked | None = None

    # ---- who applied ------------------------------------------------------------------------------------------------

    def application(self, number: int | None) -> Application:
        """The application of a number. Raises LookupError: there is none."""
        found = next((each for each in self.applications if each.number == number), None)
        if found is None:
            raise LookupError(f"no application {number}")
        return found

    @property
    def unvetted(self) -> tuple[Application, ...]:
        """Those that nobody has looked at."""
        return tuple(each for each in self.applications if each.vetted_by is None)

    @property
    def to_confirm(self) -> tuple[Application, ...]:
        """Those that one has looked at, and a second one has to."""
        return tuple(each for each in self.applications if each.vetted_by is not None and each.admitted is None)

    @property
    def to_judge(self) -> tuple[Application, ...]:
        """Those that were admitted, and have no points yet."""
        return tuple(each for each in self.applications if each.admitted and each.points is None)

    @property
    def best(self) -> tuple[Application, ...]:
        """Those with the most points, of those that reach the mark: more than one is a tie."""
        reached = [each for each in self.applications if (each.points or 0) >= 100 * self.panel_terms.mark]
        most = max((each.points or 0 for each in reached), default=0)
        return tuple(each for each in reached if each.points == most)

    @property
    def needs_ballot(self) -> bool:
        """Whether households decide, and no officer: kin of the committee, a dear space, or a tie."""
        return (
            len(self.best) > 1
            or any(each.kin for each in self.best)
            or (self.worth_fen or 0) > self.terms.ballot_over_fen
        )

    # ---- how it goes ------------------------------------------------------------------------------------------------

    def kept(self, side: Side) -> Kept:
        """How many times of what a side owes were kept in this term."""
        times = [
            each
            for duty in self.duties_owed_by(side)
            for each in duty.ended_as[self.settled_before.get(duty.code, 0) :]
        ]
        return kept_of(times)

    def owed_in_number(self, side: Side) -> int:
        """How many duties a side owes, or will owe by the draft."""
        return len(self.duties_owed_by(side)) or sum(each.side is side for each in self.drafts)

    @property
    def open_sums_fen(self) -> int:
        """What was to be paid and was not: what is missed, or was broken. A share of which nobody knows the figure is not in it."""
        unpaid = (Standing.MISSED, Standing.BROKEN)
        return sum(
            (each.sum_fen or each.agreed.amount_fen or 0) * _times_unpaid(each)
            for each in self.duties_owed_by(Side.PARTY)
            if each.agreed.is_money and (each.standing in unpaid or Standing.BROKEN in each.ended_as)
        )

    @property
    def breach_rule_met(self) -> bool:
        """Whether duties were broken too often."""
        return breach_is_met(self.broken, self.terms.breach_rule)

    def rests(self, duty: DatedDuty) -> bool:
        """Whether it rests: on the other side, or because all of it does."""
        return self.stage in RESTING or super().rests(duty)

    # ---- for the house ----------------------------------------------------------------------------------------------

    def involved(self) -> frozenset[str]:
        """Who sees it besides staff: every partner while it is offered, who applied until it is agreed on, then the chosen one."""
        open_to = {OPEN_TO_PARTNERS} if self.stage == Stage.OFFERED else set()
        parties = {self.reporter_subject} if self.partner is not None else {each.subject for each in self.applications}
        idea = {self.opening.actor.subject} if self.opening.actor.role == "partner" and self.partner is None else set()
        own = {self.reporter_subject} if self.reporter_subject is not None else set()
        return super().involved() | open_to | {party_code(each) for each in (parties | idea | own) if each is not None}

    def took_part(self) -> Mapping[Part, tuple[str, ...]]:
        """Who applied, and whose word waits for another person's."""
        took = super().took_part()
        return {
            **took,
            Part.APPLICANT: (*took.get(Part.APPLICANT, ()), *(each.subject for each in self.applications)),
            Part.VETTED: tuple(each.vetted_by for each in self.to_confirm if each.vetted_by),
            Part.AGREEMENT_PROPOSED: () if self.agreement is None else (self.agreement.by,),
            Part.BREACH_PROPOSED: () if self.breach is None else (self.breach.by,),
            Part.RENEWAL_PROPOSED: () if self.renewal is None else (self.renewal.by,),
            Part.HANDED_BACK: () if self.handed_back is None else (self.handed_back.by,),
        }

    def requests(self) -> Mapping[Part, tuple[int, ...]]:
        """What waits for another person's word."""
        return {
            **super().requests(),
            Part.VETTED: tuple(each.number for each in self.to_confirm),
            Part.AGREEMENT_PROPOSED: () if self.agreement is None else (self.agreement.number,),
            Part.BREACH_PROPOSED: () if self.breach is None else (self.breach.number,),
            Part.RENEWAL_PROPOSED: () if self.renewal is None else (self.renewal.number,),
            Part.HANDED_BACK: () if self.handed_back is None else (self.handed_back.number,),
        }

    def labels(self) -> dict[str, str]:
        """What lists group partnerships by."""
        return {"kind": self.partner_kind}
