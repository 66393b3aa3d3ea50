"""incident 事件处置: its stages, commands, facts and the table of who may do what, when.

Sources: the seed documents (dispatch by type, refusal without type, place or description), the responsibility list of the
town (policies/incident.yaml). The diagram and the table in docs/procedures/incident.md are made from `RULES`.
"""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.actor import Actor, Channel, Role
from schemas.calendar import Calendar
from schemas.case import CaseState
from schemas.clock_schedule import BREACH, tier_name
from schemas.clocks import Clock, Limit, Tier, due_at
from schemas.model import Model
from schemas.policy import NOT_A_DEPARTMENT, Policy
from schemas.procedure import Command, Procedure
from schemas.references import PersonReference, TextReference
from schemas.refusals import Fault, say
from schemas.rules import By, Rule, RulesTable, Scope

OFF_THE_LIST = "清单外事项"
"""The category of what is not on the responsibility list. What the reporter called it is free text, so the vault has it."""


class Stage(StrEnum):
    """Where an incident stands."""

    REPORTED = "reported"
    DISPATCHED = "dispatched"
    RETURNED = "returned"
    HANDLING = "handling"
    VERIFYING = "verifying"
    CALLING_BACK = "calling_back"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"
    REJECTED = "rejected"
    UNRESOLVED = "unresolved"


WITH_DEPARTMENT = (Stage.DISPATCHED, Stage.RETURNED, Stage.HANDLING)
OPEN = (Stage.REPORTED, *WITH_DEPARTMENT, Stage.VERIFYING, Stage.CALLING_BACK)
FINAL = (Stage.WITHDRAWN, Stage.REJECTED, Stage.UNRESOLVED)


class Urgency(StrEnum):
    """How fast; the limits stand in the policy."""

    EMERGENCY = "emergency"
    URGENT = "urgent"
    ORDINARY = "ordinary"
    COMPLEX = "complex"


class Solved(StrEnum):
    """The resident's answer at the call-back: is it solved?"""

    SOLVED = "solved"
    PARTLY = "partly"
    NOT = "not"


class Satisfied(StrEnum):
    """The resident's answer at the call-back: satisfied?"""

    SATISFIED = "satisfied"
    BASICALLY = "basically"
    NOT = "not"


class Kind(StrEnum):
    """What the ledger says happened."""

    REPORTED = "incident:reported"
    DISPATCHED = "incident:dispatched"
    REDISPATCHED = "incident:redispatched"
    ORDER_RECEIVED = "incident:order_received"
    ORDER_REFUSED = "incident:order_refused"
    ORDER_RECALLED = "incident:order_recalled"
    SIGNED = "incident:signed"
    RETURNED = "incident:returned"
    ARBITRATED = "incident:arbitrated"
    ARRIVED = "incident:arrived"
    FINISHED = "incident:finished"
    VERIFIED = "incident:verified"
    VERIFICATION_FAILED = "incident:verification_failed"
    RATED = "incident:rated"
    NOT_RATED = "incident:not_rated"
    CLOSED = "incident:closed"
    REOPENED = "incident:reopened"
    URGED = "incident:urged"
    WITHDRAWN = "incident:withdrawn"
    REJECTED = "incident:rejected"
    UNRESOLVED = "incident:unresolved"


TITLES: dict[str, str] = {
    Kind.REPORTED: "受理",
    Kind.DISPATCHED: "派单",
    Kind.REDISPATCHED: "改派",
    Kind.ORDER_RECEIVED: "部门接单",
    Kind.ORDER_REFUSED: "派单未能送达",
    Kind.ORDER_RECALLED: "撤回派单",
    Kind.SIGNED: "签收",
    Kind.RETURNED: "退单",
    Kind.ARBITRATED: "裁定",
    Kind.ARRIVED: "到场",
    Kind.FINISHED: "办结",
    Kind.VERIFIED: "核查通过",
    Kind.VERIFICATION_FAILED: "核查不通过",
    Kind.RATED: "评价",
    Kind.NOT_RATED: "逾期未评价",
    Kind.CLOSED: "结案",
    Kind.REOPENED: "重启",
    Kind.URGED: "催办",
    Kind.WITHDRAWN: "撤回",
    Kind.REJECTED: "不予受理",
    Kind.UNRESOLVED: "终结",
}

# ---- Policy: the part of policies/incident.yaml that a case takes along -------------------------------------------


class Responsibility(Model):
    """One line of the responsibility list 权责清单: who answers for a category, how fast, by which law."""

    department: str
    urgency: Urgency
    legal_basis: str


class Limits(Model):
    """The clocks of one urgency."""

    respond: Limit
    finish: Limit


class IncidentTerms(Model):
    """The town's rules for incidents that do not depend on the category."""

    sign: Limit
    verify: Limit
    rate: Limit
    reopen: Limit
    unresolved_after: Limit
    return_within: Limit
    returns_at_most: int = Field(ge=0)
    tiers: tuple[Tier, ...]
    urgencies: dict[Urgency, Limits]
    fallback_department: str

    @property
    def last_tier(self) -> str:
        """The moment of a clock after which the case belongs to the coordinator."""
        later = sum(tier.after.amount > 0 for tier in self.tiers)
        return tier_name(later) if later else BREACH


class IncidentPolicy(Policy):
    """policies/incident.yaml: the terms and the responsibility list."""

    terms: IncidentTerms
    categories: dict[str, Responsibility]

    def faults(self) -> Iterator[str]:
        """Say which departments, laws and urgencies the list names wrongly or not at all."""
        yield from super().faults()
        if self.terms.fallback_department not in self.departments:
            yield f"terms.fallback_department: {self.terms.fallback_department!r} {NOT_A_DEPARTMENT}"
        for category, responsibility in self.categories.items():
            if responsibility.department not in self.departments:
                yield f"categories.{category}.department: {responsibility.department!r} {NOT_A_DEPARTMENT}"
            if not responsibility.legal_basis.strip():
                yield f"categories.{category}.legal_basis: is blank; name the law"
            if not category.strip():
                yield "categories: one has no name; name it"
        for urgency in Urgency:
            if urgency not in self.terms.urgencies:
                yield f"terms.urgencies.{urgency}: is missing; write respond and finish"

    def responsibility(self, category: str) -> tuple[Responsibility, bool]:
        """Who answers for a category, and whether it is on the list; what is not goes to the coordination centre."""
        listed = self.categories.get(category)
        if listed is not None:
            return listed, True
        return Responsibility(
            department=self.terms.fallback_department, urgency=Urgency.ORDINARY, legal_basis="权责清单未列明"
        ), False


# ---- Commands -----------------------------------------------------------------------------------------------------


class Sign(Command):
    """签收: the department takes the order."""


class Arrive(Command):
    """到场: the department's people are on the spot."""


class Urge(Command):
    """催办: a reminder to whoever holds the case."""


class ReturnOrder(Command):
    """退单: the department says that the order is not its own, why, and by which law."""

    reason: TextReference
    legal_basis: TextReference


class Redispatch(Command):
    """改派: the coordinator gives the order to another department."""

    department: str
    reason: TextReference

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Refuse a department that is not one of the town's."""
        if not isinstance(state, IncidentState) or self.department in state.departments:
            return ()
        return (
            Fault(
                field="department",
                reason=say(f"没有代码为“{self.department}”的部门", f"no department has the code {self.department!r}"),
                remedy=say("请从部门清单中选择", "choose one of: " + ", ".join(state.departments)),
            ),
        )


class Arbitrate(Redispatch):
    """裁定: the coordinator rules on a returned order; the ruling binds."""


class Finish(Command):
    """办结: the department reports the work done."""

    result: TextReference


class Verify(Command):
    """核查: somebody else looks whether it is done."""

    passed: bool
    reason: TextReference | None = None

    @model_validator(mode="after")
    def _a_failure_has_a_reason(self) -> Self:
        if not self.passed and self.reason is None:
            raise ValueError("reason: 核查不通过必须说明原因 (a failed verification needs a reason)")
        return self


class Rate(Command):
    """评价: the resident says whether it is solved and how satisfied they are."""

    solved: Solved
    satisfied: Satisfied
    comment: TextReference | None = None


class WithReason(Command):
    """A command that is nothing but its reason."""

    reason: TextReference


class Reopen(WithReason):
    """重启: it is not solved after all."""


class Withdraw(WithReason):
    """撤回: the reporter takes the report back."""


class Reject(WithReason):
    """不予受理: not a public matter, no such place and the like."""


class CloseUnresolved(WithReason):
    """终结: closed without a solution."""


class Replan(Command):
    """重排期限: a new version of the calendar moves the open clocks."""

    calendar: Calendar


# ---- State --------------------------------------------------------------------------------------------------------


class Order(BaseModel):
    """派单: the work order to one department. Its step key is `CASE/order-NUMBER`, stable over every retry."""

    model_config = ConfigDict(extra="forbid")

    number: int
    department: str
    dispatched_at: datetime
    binding: bool = False
    receipt: str | None = None
    refused: str | None = None
    signed_at: datetime | None = None
    finished_by: str | None = None
    result: TextReference | None = None
    recalled: bool = False


class IncidentState(CaseState):
    """What an incident remembers."""

    procedure: ClassVar[str] = "incident"

    stage: str = Stage.REPORTED
    terms: IncidentTerms
    departments: tuple[str, ...]
    category: str
    category_given: TextReference | None = None
    listed: bool
    responsibility: Responsibility
    urgency: Urgency
    description: TextReference
    address: TextReference
    latitude_micro: int | None = None
    longitude_micro: int | None = None
    reporter: PersonReference | None = None
    channel: Channel
    on_behalf: bool = False
    orders: list[Order] = []
    returns: int = 0
    reworks: int = 0
    unsolved: int = 0
    solved: Solved | None = None
    satisfied: Satisfied | None = None

    @property
    def order(self) -> Order:
        """The order that counts now."""
        return self.orders[-1]

    def labels(self) -> dict[str, str]:
        """Return what lists and indicators group incidents by."""
        return {"category": self.category, "urgency": self.urgency, "channel": self.channel}


# ---- Rules --------------------------------------------------------------------------------------------------------


def _may_still_return(state: IncidentState, _actor: Actor, _now: datetime) -> str | None:
    if state.order.binding:
        return say("裁定具有约束力,不得再退单", "the ruling binds: no further return")
    if state.returns >= state.terms.returns_at_most:
        return say(
            f"本案已退单{state.returns}次,不得再退", f"this case was returned {state.returns} times, the most allowed"
        )
    return None


def _soon_after_signing(state: IncidentState, _actor: Actor, now: datetime) -> str | None:
    signed = state.order.signed_at
    window = state.terms.return_within
    if signed is not None:
        end = due_at(Clock(name="return_window", limit=window).start(signed, "engine"), state.charter.calendar)
        if end is not None and now < end:
            return None
    return say(f"签收已超过{window.chinese},不得退单", f"more than {window.english} have passed since signing")


def _not_by_the_finisher(state: IncidentState, actor: Actor, _now: datetime) -> str | None:
    if state.order.finished_by == actor.subject:
        return say("不得核查自己办结的事项", "nobody verifies what they finished themselves")
    return None


def _inside_reopen_window(state: IncidentState, _actor: Actor, now: datetime) -> str | None:
    due = due_at(state.clocks["reopen"], state.charter.calendar)
    if due is not None and now < due:
        return None
    return say("已超过重启期限", "the time for reopening has passed")


_reporter = By(Role.RESIDENT, Scope.REPORTER)
_department = By(Role.DEPARTMENT_OFFICER, Scope.HOLDER)
_coordinator = By(Role.COORDINATOR)
_grid_worker = By(Role.GRID_WORKER)
_clerk = By(Role.WINDOW_CLERK)
_supervisor = By(Role.SUPERVISOR)
_admin = By(Role.ADMIN)
_engine = By(Role.ENGINE, Scope.ENGINE)
_DISPATCHED = (Stage.DISPATCHED,)

RULES = RulesTable(
    (
        Rule("dispatch", "派单", (_engine,), (Stage.REPORTED,), _DISPATCHED),
        Rule("redispatch", "改派", (_coordinator,), WITH_DEPARTMENT, _DISPATCHED),
        Rule("sign", "签收", (_department,), _DISPATCHED, (Stage.HANDLING,)),
        Rule("return_order", "退单", (_department,), _DISPATCHED, (Stage.RETURNED,), (_may_still_return,)),
        Rule(
            "return_order",
            "退单",
            (_department,),
            (Stage.HANDLING,),
            (Stage.RETURNED,),
            (_may_still_return, _soon_after_signing),
        ),
        Rule("arbitrate", "裁定", (_coordinator,), (Stage.RETURNED,), _DISPATCHED),
        Rule("arrive", "到场", (_department,), (Stage.HANDLING,)),
        Rule("finish", "办结", (_department,), (Stage.HANDLING,), (Stage.VERIFYING,)),
        Rule(
            "verify",
            "核查",
            (_grid_worker, _coordinator),
            (Stage.VERIFYING,),
            (Stage.CALLING_BACK, Stage.HANDLING),
            (_not_by_the_finisher,),
        ),
        Rule(
            "rate",
            "评价",
            (_reporter, _clerk, _coordinator),
            (Stage.CALLING_BACK,),
            (Stage.CLOSED, Stage.HANDLING, Stage.RETURNED),
        ),
        Rule("close", "到期办结", (_engine,), (Stage.CALLING_BACK,), (Stage.CLOSED,)),
        Rule("reopen", "重启", (_reporter, _coordinator), (Stage.CLOSED,), _DISPATCHED, (_inside_reopen_window,)),
        Rule("urge", "催办", (_reporter, _grid_worker, _supervisor), OPEN),
        Rule("withdraw", "撤回", (_reporter,), (Stage.REPORTED, *WITH_DEPARTMENT), (Stage.WITHDRAWN,)),
        Rule(
            "reject", "不予受理", (_coordinator,), (Stage.REPORTED, Stage.DISPATCHED, Stage.RETURNED), (Stage.REJECTED,)
        ),
        Rule("close_unresolved", "终结", (_coordinator,), OPEN, (Stage.UNRESOLVED,)),
        Rule("expire", "逾期终结", (_engine,), OPEN, (Stage.UNRESOLVED,)),
        Rule("replan", "重排期限", (_admin,), OPEN),
    )
)

INCIDENT = Procedure(
    name="incident",
    title="事件处置",
    state=IncidentState,
    policy=IncidentPolicy,
    titles=TITLES,
    stages=Stage,
    rules=RULES,
    commands={
        "redispatch": Redispatch,
        "sign": Sign,
        "return_order": ReturnOrder,
        "arbitrate": Arbitrate,
        "arrive": Arrive,
        "finish": Finish,
        "verify": Verify,
        "rate": Rate,
        "reopen": Reopen,
        "urge": Urge,
        "withdraw": Withdraw,
        "reject": Reject,
        "close_unresolved": CloseUnresolved,
        "replan": Replan,
    },
)
