"""What an incident remembers: where it stands, its orders, what was asked for and not yet answered."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from schemas.advice.proposals import Proposed
from schemas.contracts.work_orders import Order as AnyOrder
from schemas.incident_messages import Told
from schemas.incident_policy import IncidentTerms, Responsibility, Urgency
from schemas.kernel.people import Part
from schemas.kernel.words import DeclaredStage
from schemas.parts.departments import KnowsDepartments
from schemas.parts.extension import RequestsState
from schemas.parts.orders import ReworkedState
from schemas.values.actor import Actor, Channel
from schemas.values.document import DocumentReference
from schemas.values.references import PersonReference, TextReference


class Stage(DeclaredStage):
    """Where an incident stands."""

    REPORTED = "reported", "已上报", "已受理,正在派单", "received, about to be sent to a department"
    SCREENING = "screening", "待核实", "已收到,综合协调正在核实", "received; the coordination centre looks at it first"
    DISPATCHED = "dispatched", "已派单", "已派单,等待部门签收", "sent to a department, which has to sign for it"
    RETURNED = "returned", "已退单", "正在重新协调承办部门", "the coordination centre decides who deals with it"
    HANDLING = "handling", "处置中", "部门正在办理", "a department is dealing with it"
    SUSPENDED = "suspended", "已挂账", "因故暂缓办理", "put off for a stated reason"
    WHISTLED = "whistled", "等候吹哨", "等候吹哨", "waiting for the departments that the street has called"
    VERIFYING = "verifying", "核查中", "部门已办结,正在核查", "reported done; somebody else is looking"
    CALLING_BACK = "calling_back", "回访中", "等待您的评价", "waiting for your answer: solved? satisfied?"
    CLOSED = "closed", "已结案", "已结案", "closed"
    MERGED = "merged", "已并案", "已并入同一事项的案件", "merged into a case of the same matter"
    WITHDRAWN = "withdrawn", "已撤回", "已撤回", "withdrawn"
    REJECTED = "rejected", "不予受理", "不予受理", "not accepted"
    UNRESOLVED = "unresolved", "未解决终结", "未能解决,已终结", "ended without a solution"


WITH_DEPARTMENT = (Stage.DISPATCHED, Stage.RETURNED, Stage.HANDLING)
HELD = (*WITH_DEPARTMENT, Stage.SUSPENDED, Stage.WHISTLED)
LOOKED_AT = (Stage.REPORTED, *HELD, Stage.VERIFYING, Stage.CALLING_BACK)
OPEN = (Stage.SCREENING, *LOOKED_AT)
FINAL = (Stage.MERGED, Stage.WITHDRAWN, Stage.REJECTED, Stage.UNRESOLVED)


OFF_THE_LIST = "清单外事项"
"""The category of what is not on the responsibility list. What the reporter called it is free text, so the vault has it."""


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


class Merging(BaseModel):
    """并案: a merge on its way. If the other case cannot take this one, it goes on where it stood.

    `by`: who gave it, as their stamp says; of merges from before nobody knows.
    """

    model_config = ConfigDict(extra="forbid")

    number: int
    into: str
    stage: Stage
    holder: str
    clocks: list[str]
    taken: bool | None = None
    by: Actor | None = None


class Waiting(BaseModel):
    """等候吹哨: the whistle that the case waits for, and where it goes on when it is over."""

    model_config = ConfigDict(extra="forbid")

    whistle: str
    stage: Stage
    holder: str


class Order(AnyOrder):
    """派单 of an incident. `documents` are those by which the department shows its work: evidence 办结材料."""

    binding: bool = False
    signed_at: datetime | None = None
    finished_by: str | None = None
    documents: list[DocumentReference] = []


class IncidentState(KnowsDepartments, ReworkedState[Order], RequestsState):
    """What an incident remembers.

    `merged_reports` are the cases that were merged into this one, `merged_into` the one that this one follows.
    `merge_answers` (case, message, yes or no) are what other cases were told. `waiting` for a whistle; `whistles_over` have
    said their last word.

    Of several reporters of one matter: `left_reports` were merged into this one and are so no more, `reporter_left`: its own
    reporter has taken back the report, and it goes on for the others. `follows`: this one was taken in and waits for the end of
    the other, of which `followed` is what it heard last; `followed_rated`: its reporter has said whether that is solved.

    `motion`: the one that it came from. `proposed`: what a model proposed when it was reported, and what was taken; None where none
    was asked, as in cases from before.
    """

    procedure: ClassVar[str] = "incident"

    stage: str = Stage.REPORTED
    terms: IncidentTerms
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
    returns: int = 0
    reworks: int = 0
    unsolved: int = 0
    solved: Solved | None = None
    satisfied: Satisfied | None = None
    supervised: bool = False
    merges: int = 0
    merge: Merging | None = None
    merged_into: str | None = None
    merged_reports: list[str] = []
    merge_answers: list[tuple[str, str, bool]] = []
    waiting: Waiting | None = None
    whistles_over: list[str] = []
    left_reports: list[str] = []
    reporter_left: bool = False
    follows: bool = False
    followed: Told | None = None
    followed_rated: bool = False
    proposed: Proposed | None = Field(default=None, exclude_if=lambda proposed: proposed is None)
    motion: str | None = Field(default=None, exclude_if=lambda motion: motion is None)

    def took_part(self) -> Mapping[Part, tuple[str, ...]]:
        """Who finished the work: somebody else verifies it."""
        finished = (order.finished_by for order in self.orders[-1:])
        return {**super().took_part(), Part.FINISHED: tuple(who for who in finished if who)}

    @property
    def followers(self) -> list[str]:
        """The cases that went into this one, also one whose answer is still on its way, and follow it."""
        taken = [sender for sender, _, taken in self.merge_answers if taken]
        return [case for case in dict.fromkeys([*self.merged_reports, *taken]) if case not in self.left_reports]

    @property
    def reports(self) -> int:
        """How many reports of the matter stand: its own, unless that was taken back, and those of the followers."""
        return len(self.followers) + (not self.reporter_left)

    def told_by(self) -> frozenset[str]:
        """Return the whistles that it waits for or waited for: they tell what their departments have done."""
        waits = frozenset() if self.waiting is None else frozenset((self.waiting.whistle,))
        return waits | frozenset(self.whistles_over)

    def labels(self) -> dict[str, str]:
        """Return what lists and indicators group incidents by."""
        return {"category": self.category, "urgency": self.urgency, "channel": self.channel}
