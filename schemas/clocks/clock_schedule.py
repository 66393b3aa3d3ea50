"""The moments of a clock's course: its warning, its due time and the tiers after it."""

from datetime import datetime, timedelta
from typing import NamedTuple

from schemas.clocks.calendar import Calendar
from schemas.clocks.clock_facts import Course
from schemas.clocks.limits import Limit
from schemas.clocks.walk import Position, Walk
from schemas.values.model import Model

WARNING = "warning"
BREACH = "breach"


class Tier(Model):
    """A step of escalation: so long after the due time, `to` is told and holds the matter. Zero: at the breach.

    `to`: `duty_leader` (of the department that holds the case), `supervisor`, `district_office`, `role:CODE`, `department:CODE`.
    """

    after: Limit
    to: str


def tier_name(number: int) -> str:
    """The moment of the n-th tier after the breach, from 1."""
    return f"tier:{number}"


def last_moment(tiers: tuple[Tier, ...]) -> str:
    """The moment of a clock with these tiers after which nobody further is told."""
    later = sum(bool(tier.after.amount) for tier in tiers)
    return tier_name(later) if later else BREACH


def moment_names(tiers: tuple[Tier, ...]) -> set[str]:
    """All names that the moments of a clock with these tiers can have."""
    later = sum(bool(tier.after.amount) for tier in tiers)
    return {WARNING, BREACH, *(tier_name(number) for number in range(1, later + 1))}


class ScheduledMoment(NamedTuple):
    """A moment, fired or not. `at` None: it lies behind an open pause. `to` None: the holder is told."""

    name: str
    at: datetime | None
    to: str | None


class Schedule:
    """Walks one course by a calendar."""

    __slots__ = ("legs", "start", "walk")

    def __init__(self, limit: Limit, course: Course, calendar: Calendar) -> None:
        self.legs = (limit, *course.extensions)
        self.start = Position(course.started_at, course.started_at.date())
        self.walk = Walk(calendar, course.gaps)

    def due(self) -> datetime | None:
        """The end of the limit and its extensions."""
        end = self._end()
        return end.at if end else None

    def warning(self, percent: int) -> datetime | None:
        """When so much of the counted time, in percent of it, is used up; rounded down to the microsecond."""
        left = sum((limit.counted for limit in self.legs), timedelta(0)) * percent // 100
        position: Position | None = self.start
        for limit in self.legs:
            if position is None:
                return None
            if left < limit.counted:
                return self.walk.part(position, limit, left) if left else position.at
            position = self.walk.whole(position, limit)
            left -= limit.counted
        return position.at if position else None

    def moments(self, percent: int, tiers: tuple[Tier, ...]) -> list[ScheduledMoment]:
        """Warning, breach and the tiers after it, in this order, whatever their times."""
        due = self._end()
        at_breach = next((tier.to for tier in tiers if not tier.after.amount), None)
        found = [
            ScheduledMoment(WARNING, self.warning(percent), None),
            ScheduledMoment(BREACH, due.at if due else None, at_breach),
        ]
        later = (tier for tier in tiers if tier.after.amount)
        for number, tier in enumerate(later, start=1):
            end = self.walk.whole(due, tier.after) if due else None
            found.append(ScheduledMoment(tier_name(number), end.at if end else None, tier.to))
        return found

    def _end(self) -> Position | None:
        position: Position | None = self.start
        for limit in self.legs:
            position = self.walk.whole(position, limit) if position else None
        return position
