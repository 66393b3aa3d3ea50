"""sweep 逐户转移: where a sweep and each of its households stand, and what it remembers."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import ClassVar

from schemas.clocks.limits import Limit, Unit
from schemas.kernel.participants import Participant
from schemas.kernel.people import Part, how_many
from schemas.kernel.words import DeclaredStage
from schemas.parts.drills import DrilledState
from schemas.parts.items import Item, ItemsState
from schemas.parts.unending import UnendingState
from schemas.values.references import TextReference
from schemas.warning_terms import Hazard, WarningLevel, WarningTerms, Zone

TEAM, LEADER = "team", "leader"
"""Kinds of seats: who goes from door to door, and whose team it is by the town's list."""


COMMANDS_REMEMBERED_DAYS = 7
"""So long a repeated command is known for one. Thousands are given in a flood, and what is entered late is of the last hours."""


class Stage(DeclaredStage):
    """Where a sweep stands."""

    SENT = "sent", "待出发", "转移队伍待出发", "a team is called"
    WALKING = "walking", "逐户转移", "正在逐户转移", "people are being moved, door by door"
    SWEPT = "swept", "转移完成", "已转移完成", "everybody who could be moved is"
    BACK = "back", "已返回", "各户均有着落", "of each household it is known how it ended"
    RECALLED = "recalled", "已撤回", "预警解除,未转移", "it was called off before anybody was moved"


OPEN = (Stage.SENT, Stage.WALKING, Stage.SWEPT)


class HouseholdStage(DeclaredStage):
    """Where a household stands, by somebody's word. Nobody answering is no ending, and neither is silence."""

    LISTED = "listed", "待转移", "待转移", "nobody was there yet"
    MOVED = "moved", "已转移", "已转移", "moved"
    WITH_RELATIVES = "with_relatives", "投亲靠友", "投亲靠友", "with relatives"
    AWAY_PROVED = "away_proved", "外出已核实", "外出已核实", "away, and somebody reached them"
    NOBODY = "nobody", "无人应答", "无人应答", "nobody answered"
    REFUSED = "refused", "拒绝转移", "拒绝转移", "does not want to go"
    MUST_BE_CARRIED = "must_be_carried", "须协助转移", "须协助转移", "must be carried"
    RETURNED = "returned", "已返回", "已返回", "back at home"
    REHOUSED = "rehoused", "已安置", "已安置", "rehoused"
    ELSEWHERE = "elsewhere", "在外居住", "在外居住", "stays elsewhere"
    WITH_POLICE = "with_police", "移交公安查找", "移交公安查找", "nobody found them; the police look for them"
    DEAD = "dead", "遇难", "遇难", "dead"


SAFE = (HouseholdStage.MOVED, HouseholdStage.WITH_RELATIVES, HouseholdStage.AWAY_PROVED)
UNSAFE = (HouseholdStage.NOBODY, HouseholdStage.REFUSED, HouseholdStage.MUST_BE_CARRIED)
ENDS = (
    HouseholdStage.RETURNED,
    HouseholdStage.REHOUSED,
    HouseholdStage.ELSEWHERE,
    HouseholdStage.WITH_POLICE,
    HouseholdStage.DEAD,
)


class Release(StrEnum):
    """How a household may end, by the word of whoever has inspected the place."""

    HOME = "home"
    REHOUSE = "rehouse"


class Household(Item):
    """A household on the list of one team. `code`: that of the town's register, or of its care file.

    `persons`: how many were moved, or are where it says. `address`: where somebody who was found on the way lives; of the
    others the town's list says it. `persuaded`: how often a second person asked; `refused_again`: they refused after that;
    `removal`: the number of the police's order to take them out; `searched`: two have been inside; `named`: whoever reported
    the sweep named it as not safe; `stayed`: as one to whom nobody came before it was over. `released`: since the place was
    inspected.
    """

    point: str
    zone: Zone
    heads: int
    persons: int = 0
    address: TextReference | None = None
    persuaded: int = 0
    refused_again: bool = False
    removal: str | None = None
    searched: bool = False
    named: bool = False
    stayed: bool = False
    released: Release | None = None


class SweepState(UnendingState, DrilledState, ItemsState[Household]):
    """What a sweep remembers.

    `team`: who goes, by the word of one of them; `gone`: who says so themselves; `leader`, `deputy`: whose it is by the list.

    `heard`, `heard_of_level`: the entries that the warning had when it last said whether it is over, and how grave it is: older
    news loses. `onset`: when it begins. `to_recheck`: which doors somebody else sees again; `rechecked`: which were. `is_over`:
    the all clear was given; `over_at`: when that was heard. `worse_at`: when it last got worse again after that.
    """

    procedure: ClassVar[str] = "sweep"
    remembers_commands_days: ClassVar[int | None] = COMMANDS_REMEMBERED_DAYS
    seen_in_parts = True
    graver = (HouseholdStage.LISTED, *UNSAFE)

    stage: str = Stage.SENT
    terms: WarningTerms
    number: int
    hazard: Hazard
    level: WarningLevel
    onset: datetime | None = None
    leader: str
    deputy: str
    team: list[str] = []
    gone: list[str] = []
    heard: int = 0
    heard_of_level: int = 0
    to_recheck: list[str] = []
    rechecked: list[str] = []
    walks: int = 0
    is_over: bool = False
    over_at: datetime | None = None
    worse_at: datetime | None = None

    @property
    def all_are_done(self) -> bool:
        """Whether somebody has said of each household how it ended."""
        return all(each.stage in ENDS for each in self.items)

    @property
    def goes_alone(self) -> bool:
        """Whether fewer people than go at the least have said themselves that they set out."""
        return how_many(self.gone) < self.terms.team_at_least

    @property
    def is_called_off(self) -> bool:
        """Whether it was over before anybody is known to have gone: who had gone, without a signal, says so afterwards."""
        nobody_was_there = len(self.items) == len(self.items_at(HouseholdStage.LISTED))
        return self.is_over and self.stage == Stage.SENT and nobody_was_there

    @property
    def somebody_is_in_danger(self) -> bool:
        """Whether somebody still has to be found, or taken out, before it is over."""
        return not self.is_over and bool(self.items_at(HouseholdStage.LISTED, *UNSAFE))

    @property
    def left_to_recheck(self) -> list[str]:
        """Which doors somebody else still sees again."""
        return [each for each in self.to_recheck if each not in self.rechecked]

    def seats(self) -> tuple[Participant, ...]:
        """Who leads, and who goes."""
        kinds = [(LEADER, self.leader), (LEADER, self.deputy), *((TEAM, each) for each in self.team)]
        return tuple(
            Participant(number=number, kind=kind, subject=subject) for number, (kind, subject) in enumerate(kinds, 1)
        )

    def took_part(self) -> Mapping[Part, tuple[str, ...]]:
        """Who went from door to door: nobody sees their own work again."""
        return {**super().took_part(), Part.AT_THE_DOORS: tuple(self.team)}

    def labels(self) -> dict[str, str]:
        """What lists and indicators group sweeps by."""
        return {"hazard": self.hazard, "level": self.level, "drill": "drill" if self.drill else "live"}


def limit_of_sweep(terms: WarningTerms, level: WarningLevel, now: datetime, onset: datetime | None) -> Limit:
    """How long a sweep may take from now on: by its level, and until so long before it begins; a minute at the least."""
    limit = terms.sweep[level]
    if onset is None:
        return limit
    until_onset = int((onset - now).total_seconds()) // 60 - terms.before_onset_minutes
    minutes = min(int(limit.counted.total_seconds()) // 60, until_onset)
    return Limit(amount=max(1, minutes), unit=Unit.MINUTES)


def drawn_to_recheck(case_id: str, walk: int, households: Sequence[Household], percent: int, at: datetime) -> list[str]:
    """Which doors somebody else sees again: so many of a hundred, one at the least, drawn so that no team knows it before.

    `at`: when the sweep was taken in, to the microsecond: nothing that the team writes chooses a door.
    """
    wanted = max(1, -(-len(households) * percent // 100)) if households else 0
    ranked = sorted(
        households, key=lambda each: sha256(f"{case_id}/{walk}/{each.code}/{at.isoformat()}".encode()).hexdigest()
    )
    return sorted(each.code for each in ranked[:wanted])
