"""What a whistle remembers: the matter, whom it called, and what each of them last told."""

from datetime import datetime
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from schemas.kernel.state import DeclaredState
from schemas.kernel.words import DeclaredStage
from schemas.summons_state import PRESENT, SETTLED
from schemas.summons_state import Stage as SummonsStage
from schemas.values.actor import Channel, Stamp
from schemas.values.references import TextReference
from schemas.whistle_policy import TypeTerms, WhistleTerms, WhistleType


class Stage(DeclaredStage):
    """Where a whistle stands."""

    BLOWN = "blown", "已吹哨", "已吹哨", "the street has blown the whistle"
    SUMMONING = "summoning", "召集中", "召集中", "departments are on their way"
    GATHERED = "gathered", "已集结", "已集结", "the departments have come"
    WORKING = "working", "联合处置", "联合处置", "the departments are at work"
    EVALUATED = "evaluated", "已评价", "已评价", "scored, about to be closed"
    CLOSED = "closed", "已结案", "已结案", "closed"
    CANCELLED = "cancelled", "已撤销", "已撤销", "called off"
    UNRESOLVED = "unresolved", "未解决终结", "未能解决,已终结", "ended without a solution"


OPEN = (Stage.SUMMONING, Stage.GATHERED, Stage.WORKING)
FINAL = (Stage.CLOSED, Stage.CANCELLED, Stage.UNRESOLVED)


class Summoned(BaseModel):
    """One department of a whistle: under whose stamp it was called, and what its summons last told of itself.

    `heard` counts the entries of the summons at that moment: news that was overtaken on the way is older. `late` are the
    clocks that it broke. `started`: its case stands.
    """

    model_config = ConfigDict(extra="forbid")

    number: int
    department: str
    stamp: Stamp
    summoned_at: datetime
    started: bool = False
    stage: str = SummonsStage.SUMMONED
    heard: int = 0
    late: list[str] = []
    was_absent: bool = False
    result: TextReference | None = None
    score: int | None = None
    score_reason: TextReference | None = None

    @property
    def released(self) -> bool:
        """It need not come: its decline was upheld."""
        return self.stage == SummonsStage.RELEASED

    @property
    def present(self) -> bool:
        """It came."""
        return self.stage in PRESENT

    @property
    def settled(self) -> bool:
        """There is nothing more to wait for from it."""
        return self.stage in SETTLED or self.score is not None


class WhistleState(DeclaredState):
    """What a whistle remembers. The department that leads is `department`; `departments` are all of the town.

    `called` are those that the whistle was blown for, `summoned` also those that were called later. `incident_waits`: what
    the incident that the whistle was born of has answered; None until it has.
    """

    procedure: ClassVar[str] = "whistle"

    stage: str = Stage.BLOWN
    type: WhistleType
    terms: WhistleTerms
    departments: tuple[str, ...]
    called: tuple[str, ...]
    matter: TextReference
    address: TextReference
    latitude_micro: int | None = None
    longitude_micro: int | None = None
    channel: Channel
    summoned: list[Summoned] = []
    incident: str | None = None
    incident_waits: bool | None = None

    @property
    def limits(self) -> TypeTerms:
        """The rules of its type."""
        return self.terms.types[self.type]

    @property
    def lead(self) -> str:
        """The department that leads the others."""
        return self.department or ""

    def find(self, department: str) -> Summoned | None:
        """Return what is known of a department; None if it was not summoned."""
        return next((each for each in self.summoned if each.department == department), None)

    def counted(self) -> list[Summoned]:
        """Return the departments that have to come."""
        return [each for each in self.summoned if not each.released]

    def involved(self) -> frozenset[str]:
        """Return every department that was called."""
        return super().involved() | {each.department for each in self.summoned}

    def labels(self) -> dict[str, str]:
        """Return what lists and indicators group whistles by."""
        return {"type": self.type}
