"""warning 预警: where a warning stands, and what it remembers."""

from collections.abc import Collection, Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from schemas.kernel.participants import Participant
from schemas.kernel.people import Part
from schemas.kernel.state import OpenedState
from schemas.kernel.words import DeclaredStage
from schemas.parts.drills import DrilledState
from schemas.parts.reservations import ReservingState
from schemas.parts.unending import UnendingState
from schemas.sweep_state import COMMANDS_REMEMBERED_DAYS, ENDS, LEADER, UNSAFE, HouseholdStage
from schemas.sweep_state import Stage as SweepStage
from schemas.values.actor import Role, Stamp
from schemas.values.references import TextReference
from schemas.warning_terms import Hazard, RiskPoint, Shelter, WarningLevel, WarningTerms, Zone

LISTED = HouseholdStage.LISTED
KEEPER = "keeper"
"""A kind of seat: who keeps a shelter."""

NOBODYS = 0
"""In place of the number of a sweep: no team of this warning goes there yet, because another warning's may."""

HOUSEHOLDS_AT_MOST = 2000
"""So many stand in one warning, over all of its sweeps."""


class Stage(DeclaredStage):
    """Where a warning stands."""

    ISSUED = "issued", "待核定", "预警待核定", "a warning is looked at"
    WATCHING = "watching", "关注", "已进入值守", "somebody watches"
    CALLING = "calling", "叫应", "正在叫应责任人", "those who lead are called"
    MOVING = "moving", "转移", "正在组织转移", "people are being moved"
    SHELTERED = "sheltered", "避险", "转移完成,请勿返回", "people are moved; do not go back yet"
    CLEARING = (
        "clearing",
        "解除评估",
        "已解除,正在评估能否返回",
        "it is over; places are inspected before anybody goes back",
    )
    RETURNING = "returning", "返回", "已评估处可返回", "people go back where that was permitted"
    REVIEWING = "reviewing", "复盘", "已结束,正在复盘", "it is over, and looked back on"
    CLOSED = "closed", "已办结", "已办结", "it is closed"
    DISMISSED = "dismissed", "不予发布", "经核定不发布", "looked at, and not given"
    CANCELLED = "cancelled", "已取消", "预警已取消", "it was cancelled before anybody was moved"


BEFORE_MOVING = (Stage.ISSUED, Stage.WATCHING, Stage.CALLING)
OUT = (Stage.MOVING, Stage.SHELTERED, Stage.CLEARING, Stage.RETURNING)
"""People are out of their homes."""

OPEN = (*BEFORE_MOVING, *OUT, Stage.REVIEWING)


class Source(StrEnum):
    """Whose word it is: the issuer's own, a rule of the town over readings, or somebody's of the town."""

    OFFICIAL = "official"
    RULE = "rule"
    PEOPLE = "people"


class Kept(BaseModel):
    """The base of what a warning remembers of others."""

    model_config = ConfigDict(extra="forbid")


class AtRisk(Kept):
    """A household of a risk point, as the town's list had it when the warning began; or one that was `found` on no list.

    `address`: where they live, of those of whom somebody has said so, or the town's file of houses.
    """

    code: str
    zone: Zone
    heads: int
    found: bool = False
    address: TextReference | None = None


class Point(Kept):
    """A risk point: where it lies, who leads there, and who lives there. `inspected`: by role, whether it is safe, and by whom.

    `inspectors`: by role, who has looked at it, both of them. `moved_again`: after the all clear it was found unsafe, and whoever
    was home is moved: of this place it does not hold.
    """

    area: str
    leader: str
    deputy: str
    households: list[AtRisk] = []
    inspected: dict[str, bool] = {}
    inspectors: dict[str, list[str]] = {}
    released: str | None = None
    moved_again: bool = False


class Call(Kept):
    """叫应: somebody who leads is called, until somebody has answered for that point. Picked up is not answered."""

    number: int
    point: str
    at: datetime
    answered_by: str | None = None


class ListedHousehold(Kept):
    """A household that is moved, and by which sweep. `heard`: how many entries that sweep had when it last spoke of it."""

    code: str
    point: str
    zone: Zone
    heads: int
    address: TextReference | None = None
    sweep: int
    stage: str = "listed"
    persons: int = 0
    heard: int = 0


class SweepSent(Kept):
    """A sweep, a case of its own. `stamp`: under whose word, until its case stands."""

    number: int
    point: str
    sent_at: datetime
    stamp: Stamp | None = None
    started: bool = False
    heard: int = 0
    stage: str = SweepStage.SENT
    over: bool = False
    gone: bool = False


class Refuge(Kept):
    """A shelter. `guests`: how many people of which household are in it; `said`: when one of them last left.

    `missing`: so many were in it and not counted. `last_at`: when somebody last came, left or was counted.
    `book_elsewhere`: another warning has opened it, and lists who is in it. `changes`: how many came or left when, as far back as
    a count on paper may lie; `counted_at`: of when the last count is.
    """

    places: int
    step_free: bool
    keeper: str | None = None
    opened: bool = False
    guests: dict[str, int] = {}
    said: dict[str, datetime] = {}
    first_guest_at: datetime | None = None
    last_at: datetime | None = None
    counts: int = 0
    missing: int = 0
    book_elsewhere: bool = False
    changes: list[tuple[datetime, int]] = []
    counted_at: datetime | None = None

    @property
    def people(self) -> int:
        """How many are in it by the list."""
        return sum(self.guests.values())

    def people_at(self, then: datetime) -> int:
        """How many were in it at that time, as far as is known now."""
        return self.people - sum(many for at, many in self.changes if at > then)


class Casualty(Kept):
    """伤亡: how many, before any name is known. It is never removed; a later one is another one."""

    at: datetime
    dead: int
    missing: int
    hurt: int


class Asked(Kept):
    """Somebody says that it is nothing, a mistake, or over, and another person has not spoken.

    `lacking`: who was not safe or missing when they said that it is over (`WarningState.lacking`).
    """

    number: int
    by: str
    lacking: list[str] = []
    of_the_department: bool = False


class WarningState(UnendingState, DrilledState, ReservingState, OpenedState):
    """What a warning remembers.

    `identifiers`: the issuer's numbers of all its messages that are of this warning; `standing`: of those that hold, `called_off`
    of which it has said that they do not; `sent_at`: when the latest of them was sent, older news loses; `without`: areas in it
    that have a warning of the same danger. `issuer_over`: when the issuer has called it off; `expires`: when it does so by itself.
    `cleared_by`: whose all clear holds; nobody's before it, and when it is worse again.
    `named`: what its issuer calls an area that the town does not know. `moves`: the lists that are moved so far.
    """

    procedure: ClassVar[str] = "warning"
    remembers_commands_days: ClassVar[int | None] = COMMANDS_REMEMBERED_DAYS
    seen_in_parts = True

    stage: str = Stage.ISSUED
    terms: WarningTerms
    hazard: Hazard
    level: WarningLevel
    source: Source = Source.PEOPLE
    reason: TextReference | None = None
    onset: datetime | None = None
    expires: datetime | None = None
    identifiers: list[str] = []
    standing: list[str] = []
    called_off: list[str] = []
    sent_at: datetime | None = None
    without: list[str] = []
    named: list[str] = []
    issuer_over: datetime | None = None
    points: dict[str, Point] = {}
    moves: list[Zone] = []
    calls: list[Call] = []
    households: list[ListedHousehold] = []
    sweeps: list[SweepSent] = []
    shelters: dict[str, Refuge] = {}
    casualties: list[Casualty] = []
    dismissal: Asked | None = None
    cancel: Asked | None = None
    all_clear: Asked | None = None
    asked_for_all_clear: int = 0
    asked_to_cancel: int = 0
    cleared_by: str | None = None
    on_no_list: int = 0

    def listed(self, code: str) -> ListedHousehold | None:
        """The household of this code; None: it is on no list."""
        return next((each for each in self.households if each.code == code), None)

    @property
    def at_risk(self) -> int:
        """How many households stand at its places."""
        return sum(len(each.households) for each in self.points.values())

    def heads_of(self, household: str) -> int:
        """How many live in a household of its places; 0: it is of none."""
        homes = (each for point in self.points.values() for each in point.households)
        return next((each.heads for each in homes if each.code == household), 0)

    def place_code(self) -> str:
        """What a place in no plan is called in this case."""
        return _fresh("place", self.points)

    def household_code(self) -> str:
        """What a household on no list is called in this case: a code that says nothing of them."""
        return _fresh("found", {each.code for point in self.points.values() for each in point.households})

    def sweep_of(self, point: str) -> SweepSent | None:
        """The sweep that goes to a risk point now; None: there is none, or it is over."""
        return next((each for each in self.sweeps if each.point == point and not (each.over or each.gone)), None)

    def to_move(self, zones: Collection[Zone]) -> list[tuple[str, AtRisk]]:
        """Of the risk points, who is to be moved by these lists and stands on none yet, or has ended and is in danger again."""
        running = {NOBODYS, *(each.number for each in self.sweeps_running)}
        busy = {each.code for each in self.households if each.stage not in ENDS and each.sweep in running}
        busy |= {each.code for each in self.households if each.stage == HouseholdStage.DEAD}
        return [
            (point, each)
            for point, at in self.points.items()
            for each in at.households
            if each.zone in zones and each.code not in busy
        ]

    @property
    def waiting(self) -> list[ListedHousehold]:
        """Who is to be moved, and for whose list it is asked whether another warning has it."""
        nobodys = [each for each in self.households if each.sweep == NOBODYS and each.stage == LISTED]
        return [each for each in nobodys if not self.is_over_at(each.point)]

    def is_over_at(self, point: str) -> bool:
        """Whether the all clear holds there, also while people are moved at another place."""
        return self.cleared_by is not None and not self.points[point].moved_again

    @property
    def sweeps_running(self) -> list[SweepSent]:
        """Those that are not over."""
        return [each for each in self.sweeps if not (each.over or each.gone)]

    @property
    def somebody_waits(self) -> bool:
        """Whether a call is unanswered, or somebody is not safe, before it is over; afterwards whether a place is not released."""
        if self.stage in {Stage.CLEARING, Stage.RETURNING}:
            return any(not self.points[each.point].released for each in self.sweeps)
        if self.stage not in {Stage.CALLING, Stage.MOVING, Stage.SHELTERED}:
            return False
        return bool(self.unanswered or self.not_safe)

    @property
    def not_safe(self) -> list[ListedHousehold]:
        """Who is to be moved, and is not by anybody's word."""
        return [each for each in self.households if each.stage in (LISTED, *UNSAFE)]

    @property
    def dead_not_reported(self) -> bool:
        """Whether a household is written down as dead, and no casualty says so."""
        dead = sum(each.stage == HouseholdStage.DEAD for each in self.households)
        return dead > sum(each.dead for each in self.casualties)

    @property
    def missing(self) -> int:
        """How many were in a shelter and were not counted there."""
        return sum(each.missing for each in self.shelters.values())

    @property
    def lacking(self) -> list[str]:
        """Which households are not safe, and who is missing, one by one: in which shelter, or by which report of casualties."""
        counts = {f"{code}/{each.counts}": each.missing for code, each in self.shelters.items()}
        counts |= {f"casualty/{number}": each.missing for number, each in enumerate(self.casualties, 1)}
        missing = [f"{where}/{each}" for where, many in counts.items() for each in range(1, many + 1)]
        return [*(each.code for each in self.not_safe), *missing]

    @property
    def somebody_is_cared_for(self) -> bool:
        """Whether somebody is in a shelter, or missing, hurt or dead: then it does not end without being looked back on."""
        return bool(self.casualties) or any(each.guests or each.missing for each in self.shelters.values())

    @property
    def unanswered(self) -> list[Call]:
        """Calls that nobody has answered."""
        return [each for each in self.calls if each.answered_by is None]

    def seats(self) -> tuple[Participant, ...]:
        """Who leads at its risk points, and stands in; and who keeps a shelter that is open."""
        leaders = dict.fromkeys(each for point in self.points.values() for each in (point.leader, point.deputy))
        keepers = dict.fromkeys(each.keeper for each in self.shelters.values() if each.opened and each.keeper)
        seats = [*((LEADER, each) for each in leaders), *((KEEPER, each) for each in keepers)]
        return tuple(
            Participant(number=number, kind=kind, subject=subject) for number, (kind, subject) in enumerate(seats, 1)
        )

    @property
    def is_looked_at_first(self) -> bool:
        """What a rule over readings has found, or somebody of the grid, is looked at first; what others say holds at once."""
        return self.source is Source.RULE or self.opening.actor.role is Role.GRID_WORKER

    def requests(self) -> Mapping[Part, tuple[int, ...]]:
        """That it is nothing, a mistake, or over, which waits for a second person."""
        return {
            **super().requests(),
            Part.DISMISSAL_ASKED: (self.dismissal.number,) if self.dismissal else (),
            Part.ALL_CLEAR_ASKED: (self.all_clear.number,) if self.all_clear else (),
            Part.CANCEL_ASKED: (self.cancel.number,) if self.cancel else (),
        }

    def took_part(self) -> Mapping[Part, tuple[str, ...]]:
        """Who said so."""
        return {
            **super().took_part(),
            Part.DISMISSAL_ASKED: (self.dismissal.by,) if self.dismissal else (),
            Part.ALL_CLEAR_ASKED: (self.all_clear.by,) if self.all_clear else (),
            Part.CANCEL_ASKED: (self.cancel.by,) if self.cancel else (),
        }

    def involved(self) -> frozenset[str]:
        """The department that leads, and that of whoever warned: they see what came of it, and act no further."""
        warned = self.opening.actor.department
        return super().involved() | (frozenset() if warned is None else frozenset((warned,)))

    def labels(self) -> dict[str, str]:
        """What lists and indicators group warnings by."""
        return {"hazard": self.hazard, "level": self.level, "drill": "drill" if self.drill else "live"}


def _fresh(word: str, known: Collection[str]) -> str:
    number = 1
    while f"{word}-{number}" in known:
        number += 1
    return f"{word}-{number}"


def kept_points(points: Mapping[str, RiskPoint]) -> dict[str, Point]:
    """The risk points as a case keeps them: codes, and who leads; the words stand in the town's list."""
    return {
        code: Point(
            area=each.area,
            leader=each.leader,
            deputy=each.deputy,
            households=[AtRisk(code=home, zone=at.zone, heads=at.heads) for home, at in each.households.items()],
        )
        for code, each in points.items()
    }


def kept_shelters(shelters: Mapping[str, Shelter]) -> dict[str, Refuge]:
    """The shelters likewise."""
    return {code: Refuge(places=each.places, step_free=each.step_free) for code, each in shelters.items()}
