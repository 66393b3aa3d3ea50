"""What a summons remembers: what one department was called to, and how it answered."""

from datetime import datetime
from typing import ClassVar

from schemas.contracts.work_orders import Order
from schemas.kernel.words import DeclaredStage
from schemas.parts.orders import OrderedState
from schemas.values.document import DocumentReference
from schemas.values.references import TextReference
from schemas.whistle_policy import TypeTerms, WhistleTerms, WhistleType


class Stage(DeclaredStage):
    """Where a summons stands."""

    SUMMONED = "summoned", "已召集", "已召集", "a department has been called"
    RESPONDED = "responded", "已响应", "已响应", "the department is coming"
    DECLINED = "declined", "已反哨", "已反哨", "the department says that it is not its own"
    ARRIVED = "arrived", "已到场", "已到场", "the department is on the spot"
    DONE = "done", "任务办结", "任务办结", "the department has done its task"
    ABSENT = "absent", "缺席", "缺席", "the department did not come"
    UNFINISHED = "unfinished", "未办结", "未办结", "the department did not finish its task"
    SCORED = "scored", "已评分", "已评分", "the street has scored the department"
    RELEASED = "released", "免于报到", "免于报到", "the department need not come"
    CANCELLED = "cancelled", "已撤销", "已撤销", "called off"


AWAITED = (Stage.SUMMONED, Stage.RESPONDED, Stage.DECLINED)
"""The department has not come yet, and still may."""
SETTLED = (Stage.DONE, Stage.ABSENT, Stage.UNFINISHED)
"""There is nothing more to wait for: the street can score it."""
OPEN = (*AWAITED, Stage.ARRIVED, *SETTLED)
DUTIES = ("respond", "arrive", "finish")
"""The clocks that the department has to keep; the others are the coordinator's, or windows."""
PRESENT = (Stage.ARRIVED, Stage.DONE, Stage.UNFINISHED)
"""The department came. A late one counts from when it came."""


class SummonsState(OrderedState[Order]):
    """What a summons remembers. Matter, place and terms are those of its whistle, whose id is `parent`.

    `binding`: the coordinator has ruled, and the department may not decline again. `was_absent`: it was given up once,
    and stays so on the record if it comes after all. `heard`: the last word of the whistle on who leads. `over`: nobody
    scores it any more.
    """

    procedure: ClassVar[str] = "summons"

    stage: str = Stage.SUMMONED
    type: WhistleType
    terms: WhistleTerms
    matter: TextReference
    address: TextReference
    latitude_micro: int | None = None
    longitude_micro: int | None = None
    lead: str
    heard: int = 0
    binding: bool = False
    responded_at: datetime | None = None
    arrived_at: datetime | None = None
    finished_at: datetime | None = None
    finished_by: str | None = None
    was_absent: bool = False
    result: TextReference | None = None
    evidence: list[DocumentReference] = []
    score: int | None = None
    over: bool = False

    @property
    def limits(self) -> TypeTerms:
        """The rules of its type."""
        return self.terms.types[self.type]

    @property
    def leads(self) -> bool:
        """Whether this department leads the others."""
        return self.lead == self.department

    @property
    def late(self) -> tuple[str, ...]:
        """The clocks of the department that it broke."""
        return tuple(view.name for view in self.clock_views() if view.name in DUTIES and view.breached)

    def labels(self) -> dict[str, str]:
        """Return what lists and indicators group summonses by."""
        return {"type": self.type} | ({} if self.score is None else {"score": str(self.score)})
