"""What a story is: a report to make, and what must be true when it has been played. The stories: `local/stories.py`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from local.scenes import Scene
from local.townspeople import AREAS, AS_USUAL, CLERK, RESIDENTS, Persona, Whim
from schemas.actor import Channel
from schemas.incident import FINAL, Kind, Stage
from schemas.incident_report import IncidentReport, Reporter
from schemas.location import Location
from schemas.model import Model
from schemas.whistle import FINAL as WHISTLE_OVER
from starter.client import Started, TownClient

ENDINGS: frozenset[str] = frozenset({Stage.CLOSED, *FINAL, *WHISTLE_OVER})
LATE = frozenset({"clock:breach", "clock:tier"})
NEVER = frozenset({*LATE, Kind.ORDER_REFUSED, Kind.NOT_RATED})


class Title(Model):
    """A story's name on screens."""

    zh: str
    en: str


class OrderExpectation(Model):
    """What the journal of a department must say about one order of the case.

    The work is done once, and once more for each of the `reworks`. `asked_at_least`: how often the order was sent.
    `said_twice`: every report came twice (and, by the ledger, counted once). `reports`: what the department had to say, in
    order; each rework is finished once more.
    """

    department: str
    reports: tuple[str, ...] = ("signed", "arrived", "finished")
    asked_at_least: int = 1
    said_twice: bool = False
    reworks: int = 0


@dataclass(frozen=True)
class ChildExpectation:
    """What must stand in the ledger of a case that the story's case started: these entries in this order, and moments."""

    kinds: tuple[str, ...]
    moments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class OwnClock:
    """A clock for one story alone: where the town's would take too long, or the story needs a certain day."""

    begins: datetime
    speed: int


@dataclass(frozen=True, kw_only=True)
class Story:
    """One story.

    `path`: the stages, one after the other. `counts`: how often an entry stands in the ledger, exactly. `never`: what
    must not stand there. `moments`: for each clock named, the moments that come, in order. `orders`: in order of number.
    `departments` and `whims` are the stage directions; `scenes` what single persons do besides, one after the other.
    `also`: the stories of cases that come up in it, in order; `children`: what is told of those that it starts, by code.
    `followed`: somebody follows the case by number and code, and must see every step; `goes_into_another`: and at the end
    the close of the case that it was merged into. `in_a_hurry`: its clocks are so short that other stories wait for it.
    `kills_worker`: the worker's process is killed with -9 as soon as a department has the order, when no story is under
    way whose clocks must not run out.
    """

    name: str
    title: Title
    category: str
    description: str
    path: tuple[StrEnum, ...]
    counts: Mapping[Any, int]
    orders: tuple[OrderExpectation, ...] = ()
    never: frozenset[str] = NEVER
    moments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    scenes: tuple[Scene, ...] = ()
    also: tuple["Story", ...] = ()
    children: Mapping[str, ChildExpectation] = field(default_factory=dict)
    followed: bool = False
    goes_into_another: bool = False
    clock: OwnClock | None = None
    whims: tuple[Whim, ...] = ()
    departments: str = "按时"
    reporter: Persona = RESIDENTS[0]
    in_a_hurry: bool = False
    kills_worker: bool = False
    address: str = "幸福小区3号楼"
    area: str = AREAS[0]
    coordinates: tuple[float, float] | None = None

    def report(self) -> IncidentReport:
        """What is reported: by the resident, or at the window by somebody without a phone."""
        people = ";".join(self.whims) or AS_USUAL
        at_the_window = self.reporter == CLERK
        latitude, longitude = self.coordinates or (None, None)
        return IncidentReport(
            category=self.category,
            description=f"{self.description}〔人物:{people}〕〔剧本:{self.departments}〕",
            location=Location(address=self.address, area=self.area, lat=latitude, lon=longitude),
            reporter=Reporter(name="周大爷" if at_the_window else "王女士"),
            channel=Channel.WINDOW if at_the_window else Channel.APP,
        )

    async def open(self, client: TownClient, key: str, born_of: str | None) -> Started:  # noqa: ARG002 - of incidents none is
        """Start the case. `born_of`: the case that it comes up in, if it is one of its `also`."""
        return await client.report(self.report(), key)

    @property
    def minds_delay(self) -> bool:
        """Whether a clock that runs out makes the story fail."""
        return bool(LATE & self.never)
