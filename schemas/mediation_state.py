"""mediation 人民调解: where a case stands, what it remembers of sides, sessions, dangers and the agreement, and the terms."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.clocks.clock_schedule import Tier
from schemas.clocks.limits import Limit
from schemas.contracts.department import Code
from schemas.contracts.department_policy import Name
from schemas.contracts.payment import Fen
from schemas.contracts.work_orders import Order
from schemas.kernel.people import Part, account_among
from schemas.kernel.policy import Duty, OnCall
from schemas.kernel.state import OpenedState
from schemas.kernel.terms import Terms, TermsPolicy
from schemas.kernel.words import DeclaredStage
from schemas.parts.agreed import DatedDuty, Recurs
from schemas.parts.departments import KnowsDepartments
from schemas.parts.duties import DutiesState
from schemas.parts.orders import OrderedState
from schemas.parts.participants import MEDIATOR, ParticipantsState
from schemas.values.account import AccountCode
from schemas.values.actor import Actor, Role
from schemas.values.model import Model
from schemas.values.references import TextReference

APPLICANT_SIDE = "a"
COURT = "court"
"""The code of the court among the departments."""


class Stage(DeclaredStage):
    """Where a dispute stands."""

    APPLIED = "applied", "待受理", "您的调解申请已收到", "your application is received"
    CONSULTING = (
        "consulting",
        "征求意见",
        "正在征求各方是否同意调解",
        "every side is asked whether it agrees to mediation",
    )
    ACCEPTED = "accepted", "选定调解员", "请选择调解员", "the sides choose a mediator"
    MEDIATING = "mediating", "调解中", "正在调解", "it is being mediated"
    PAUSED = "paused", "中止", "调解中止", "mediation rests"
    SIGNING = "signing", "待签署", "协议待各方签署", "the agreement is to be signed by every side"
    PERFORMING = "performing", "履行中", "协议正在履行", "the agreement is being performed"
    BREACHED = "breached", "违约", "协议未按期履行", "the agreement was not kept"
    CLOSED = "closed", "结案", "调解已结案", "it is closed"
    NOT_ACCEPTED = "not_accepted", "不予受理", "申请未获受理,去处见案件", "not accepted; the case says where to go"
    DECLINED = "declined", "未同意调解", "未能取得各方同意", "not every side agreed to mediation"
    FAILED = "failed", "调解不成", "调解不成,救济途径见案件", "mediation failed; the case says what you can do"
    WITHDRAWN = "withdrawn", "已撤回", "申请已撤回", "withdrawn"
    TRANSFERRED = "transferred", "已移送", "已移送有关机关", "transferred to who can decide it"
    UNRESOLVED = "unresolved", "未解决终结", "未能办结,已终结", "it ended without a result"


TALKING = (Stage.ACCEPTED, Stage.MEDIATING, Stage.PAUSED, Stage.SIGNING)
AGREED = (Stage.PERFORMING, Stage.BREACHED)
OPEN = (Stage.APPLIED, Stage.CONSULTING, *TALKING, *AGREED)


class Level(StrEnum):
    """三级调解: who mediates; committees have no ranks, so a next level is agreed on and never ordered."""

    GRID = "grid"
    COMMUNITY = "community"
    STREET = "street"


NEXT_LEVEL: Mapping[Level, Level] = {Level.GRID: Level.COMMUNITY, Level.COMMUNITY: Level.STREET}


class Confirmation(StrEnum):
    """司法确认: how far it is. Beside the stage, for the agreement is performed meanwhile."""

    NONE = "none"
    ASKED = "asked"
    FILED = "filed"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    WAY_CLOSED = "way_closed"


class MediationTerms(Terms):
    """The town's rules: who may mediate, how long everything may take, and what may be agreed on how."""

    mediators: tuple[AccountCode, ...] = Field(min_length=1)
    mediators_at_most: int = Field(ge=1, le=9)
    objections_at_most: int = Field(ge=0)
    extensions_at_most: int = Field(ge=0)
    session_notice_hours: int = Field(ge=0)
    oral_under_fen: Fen
    lawyer_over_fen: Fen
    accept: Limit
    consult: Limit
    reach: Limit
    choose: Limit
    level_limits: dict[Level, Limit]
    whole: Limit
    extend_by: Limit
    sign: Limit
    confirm_window: Limit
    court: Limit
    cure: Limit
    accept_duty: Limit
    look: Limit
    remedy: Limit
    attend: Limit
    on_site: Limit
    pause: Limit
    put_to_all: Limit
    follow_up: Limit
    follow_up_again: Limit
    danger_tiers: tuple[Tier, ...]


class MediationPolicy(TermsPolicy):
    """policies/mediation.yaml. `categories`: what disputes are about, by code."""

    WINDOWS = TermsPolicy.WINDOWS | {
        "consult", "reach", "choose", "whole", "extend_by", "sign", "confirm_window", "cure", "accept_duty", "level_limits",
        "put_to_all",
    }  # fmt: skip

    categories: dict[Code, Name]
    terms: MediationTerms

    def names(self) -> Mapping[str, Name]:
        """The categories in words."""
        return self.categories

    def duties(self) -> Iterator[Duty]:
        """The limits of a danger count around the clock; those of levels are offers."""
        for each in super().duties():
            urgent = each.name in {"attend", "on_site"}
            yield each._replace(on_call=OnCall.EVERYBODY, tiers=self.terms.danger_tiers) if urgent else each


# ---- what a case remembers --------------------------------------------------------------------------------------------


class Clause(Model):
    """义务条款: who owes whom what sum, or what act, by when, and how often. `code` names it in the case.

    Its first day is so many days after it is in force (`days_after`), or a date in place of that (`first_on`).
    """

    code: Code
    debtor: Code
    creditor: Code
    amount_fen: Fen | None = None
    days_after: int = Field(strict=True, ge=1, le=3650)
    first_on: date | None = None
    recurs: Recurs = Recurs.ONCE
    times: int = Field(default=1, strict=True, ge=1, le=120)

    @model_validator(mode="after")
    def _once_is_one_time(self) -> Self:
        if self.recurs is Recurs.ONCE and self.times != 1:
            raise ValueError("times: 不重复的义务只有一次 (a duty that does not come again has one time)")
        return self

    def begins_on(self, in_force: date) -> date:
        """Its first day, where it is in force since that day."""
        return self.first_on if self.first_on is not None else in_force + timedelta(days=self.days_after)

    @property
    def total_fen(self) -> int:
        """What all its times come to."""
        return (self.amount_fen or 0) * self.times


class Tie(BaseModel):
    """披露: a mediator's tie to somebody of the case. Until every side has accepted it in writing, they do nothing."""

    model_config = ConfigDict(extra="forbid")

    mediator: str
    accepted: list[str] = []


class Session(BaseModel):
    """约调: when, who is called; together (`joint`) or one side apart."""

    model_config = ConfigDict(extra="forbid")

    number: int
    at: datetime
    joint: bool
    sides: tuple[str, ...]
    recorded: bool = False


class Danger(BaseModel):
    """风险: one that was reported. `referred`: somebody who can help was called."""

    model_config = ConfigDict(extra="forbid")

    number: int
    referred: bool = False
    cleared: bool = False


class Matter(StrEnum):
    """What every side has to agree to."""

    INVITE = "invite"
    ESCALATE = "escalate"
    EXTEND = "extend"
    ORAL = "oral"
    VARY = "vary"
    REMEDIATE = "remediate"


class Proposal(BaseModel):
    """What a mediator has put to every side, and which sides have agreed so far."""

    model_config = ConfigDict(extra="forbid")

    number: int
    matter: Matter
    by: str
    agreed: list[str] = []
    specialist: str | None = None
    days: int = 0
    text: TextReference | None = None
    clauses: tuple[Clause, ...] = ()


class Respondent(Model):
    """被申请人: another side; its account, if it has one. How to reach it stands in `contacts`, which is a text."""

    account: AccountCode | None = None


class MediationState(KnowsDepartments, OrderedState[Order], ParticipantsState, DutiesState, OpenedState):
    """What a dispute remembers. Sides are codes: `a` whoever applied, `b1`, `b2` … the others."""

    procedure: ClassVar[str] = "mediation"

    stage: str = Stage.APPLIED
    terms: MediationTerms
    matter: TextReference
    claim: TextReference
    contacts: TextReference
    category: Code
    amount_fen: Fen | None = None
    respondents: tuple[Respondent, ...]
    wished_mediator: AccountCode | None = None
    level: Level = Level.COMMUNITY
    elsewhere: bool = False
    danger: bool = False
    sender: Code | None = None
    incident: str | None = None
    consented: list[str] = []
    wishes: dict[str, str] = {}
    objections: dict[str, int] = {}
    ties: list[Tie] = []
    sessions: list[Session] = []
    dangers: list[Danger] = []
    proposals: list[Proposal] = []
    proposals_made: int = 0
    extensions: int = 0
    lawyer_heard: bool = False
    draft: TextReference | None = None
    clauses: tuple[Clause, ...] = ()
    acceleration: bool = False
    signed: list[str] = []
    oral: bool = False
    in_force_at: datetime | None = None
    agreement: TextReference | None = None
    shown: list[str] = []
    broken: list[str] = []
    confirmation: Confirmation = Confirmation.NONE
    confirmation_asked: list[str] = []
    follow_ups: int = 0

    @property
    def all_consented(self) -> bool:
        """Whether every side has consented, each for itself."""
        return set(self.sides) <= set(self.consented)

    @property
    def mediators(self) -> tuple[str, ...]:
        """The accounts of those who mediate."""
        return tuple(seat.subject for seat in self.seats_of(MEDIATOR) if seat.subject is not None)

    def may_prove(self, duty: DatedDuty, actor: Actor) -> bool:
        """Who owes it; of who has no account, the window with the slip, by somebody who writes for no other side."""
        side, debtor = self.side_of(actor.subject), self.clause_of(duty.code).debtor
        if actor.role is not Role.WINDOW_CLERK:
            return side == debtor
        of_nobody = not self.has_seat(actor.subject) and not self.writes_for_another(actor.subject, debtor)
        return of_nobody and not self.accounts_on(debtor)

    def may_accept(self, duty: DatedDuty, actor: Actor) -> bool:
        """Whoever it is owed to; a mediator when a look is wanted, because nobody has said anything, and not before."""
        side = self.side_of(actor.subject)
        look = self.clocks.get(f"look:{duty.code}")
        wanted = look is not None and look.status == "running"
        looks = wanted and actor.role is Role.MEDIATOR and account_among(actor.subject, self.mediators)
        return side == self.clause_of(duty.code).creditor or looks

    @property
    def in_danger(self) -> bool:
        """Whether a danger was reported that nobody has cleared."""
        return any(not each.cleared for each in self.dangers)

    def clause_of(self, code: str) -> Clause:
        """The clause of a duty. Raises StopIteration: there is none."""
        return next(each for each in self.clauses if each.code == code)

    def tie_of(self, mediator: str) -> Tie | None:
        """A tie that a mediator has disclosed, and that not every side has accepted."""
        open_ties = (each for each in self.ties if each.mediator == mediator)
        return next((each for each in open_ties if not set(self.sides) <= set(each.accepted)), None)

    @property
    def sent_by(self) -> str | None:
        """The department that sent it here, as staff say: a resident who applies tells none of the other side's dispute."""
        return None if self.opening.actor.role is Role.RESIDENT else self.sender

    def involved(self) -> frozenset[str]:
        """Whoever sent it here sees where it stands, besides; and hears no word."""
        sender = () if self.sent_by is None else (self.sent_by,)
        return super().involved() | frozenset(sender)

    def requests(self) -> Mapping[Part, tuple[int, ...]]:
        """What every side has to agree to, besides."""
        return {**super().requests(), Part.PROPOSED: tuple(each.number for each in self.proposals)}

    def took_part(self) -> Mapping[Part, tuple[str, ...]]:
        """Who put it to them, besides."""
        return {**super().took_part(), Part.PROPOSED: tuple(each.by for each in self.proposals)}
