"""Gauges 测点: what bins and water levels of the town say by themselves, and when that opens an incident: one an episode.

GaugeRule, Gauge, GaugePolicy    policies/gauges.yaml: when a kind of gauge opens an incident; each gauge, and where it is
GaugeState                       what is known of a gauge by its readings
heard                            what one more reading makes of that, and whether an episode begins with it

An episode begins with so many readings above the limit, so long apart, and with nothing lower between them; the next one not before
the gauge has been well below (services.md, section 2, 垃圾满溢): a gauge that trembles about its limit opens one incident.
A reading is known by its time. One that comes again, or late, changes only what it says of its own time.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Annotated, NamedTuple

from pydantic import Field

from schemas.clocks.calendar import in_shanghai
from schemas.contracts.department import Code
from schemas.contracts.department_policy import Name
from schemas.values.areas import Areas
from schemas.values.foreign_code import ForeignCode
from schemas.values.free_text import ShortText
from schemas.values.location import AreaCode, Location
from schemas.values.model import Model
from schemas.values.typed_code import Category

Value = Annotated[int, Field(strict=True, ge=-1_000_000, le=1_000_000)]
"""What a gauge shows, in whole units of its kind: percent, millimetres."""


class GaugeRule(Model):
    """When gauges of a kind open an incident.

    `unit`: of its values, for people. Above `opens_above` in `readings` readings, the first and the last `apart_minutes` apart, an
    episode begins; below `armed_below` it is over. `per_day`: so many incidents of a gauge in a town day. `silent_hours`: after
    so long without a reading it is to be mended; None: nobody looks. `category`, `repair_category`: lines of
    the responsibility list.
    """

    name: Name
    unit: Name
    opens_above: Value
    armed_below: Value
    readings: int = Field(default=2, ge=1, le=20)
    apart_minutes: int = Field(default=10, ge=0, le=24 * 60)
    per_day: int = Field(default=3, ge=1, le=100)
    silent_hours: int | None = Field(default=24, ge=1, le=24 * 60)
    category: Category
    repair_category: Category

    @property
    def apart(self) -> timedelta:
        """How long it is to have been above."""
        return timedelta(minutes=self.apart_minutes)

    @property
    def silence(self) -> timedelta | None:
        """How long it may say nothing."""
        return None if self.silent_hours is None else timedelta(hours=self.silent_hours)


class Gauge(Model):
    """A gauge: which platform speaks for it, by which code, of what kind it is, and where."""

    code: ForeignCode
    platform: Code
    kind: Code
    address: ShortText
    area: AreaCode
    lat: float | None = None
    lon: float | None = None

    @property
    def location(self) -> Location:
        """Where an incident of it is."""
        return Location(address=self.address, lat=self.lat, lon=self.lon, area=self.area)


class GaugePolicy(Model):
    """policies/gauges.yaml. A town without one has no gauges, and believes none. `platforms`: who signs readings.

    `away_minutes`: after so long without any reading a platform was away; no gauge of its is taken for broken by that.
    """

    platforms: tuple[Code, ...] = ()
    away_minutes: int = Field(default=60, ge=1, le=24 * 60)
    kinds: dict[Code, GaugeRule] = {}
    gauges: tuple[Gauge, ...] = ()

    @property
    def away(self) -> timedelta:
        """After how long without any reading a platform was away."""
        return timedelta(minutes=self.away_minutes)

    def gauge(self, platform: str, code: str) -> Gauge | None:
        """A platform's gauge by its code; None: it has no such one."""
        return next((each for each in self.gauges if (each.platform, each.code) == (platform, code)), None)

    def faults(self, areas: Areas | None = None, categories: frozenset[str] | None = None) -> Iterator[str]:
        """Say, as "place: what; remedy", what is wrong though well formed. `areas`, `categories` of the town; None: not asked."""
        for code, rule in self.kinds.items():
            if rule.armed_below > rule.opens_above:
                yield f"kinds.{code}.armed_below: is above opens_above; write a lower one, or a full gauge is never full again"
            for place in ("category", "repair_category"):
                named = getattr(rule, place)
                if categories is not None and named not in categories:
                    yield f"kinds.{code}.{place}: {named!r} is on no list of incident.yaml; write a line of it"
        seen: set[tuple[str, str]] = set()
        for number, each in enumerate(self.gauges):
            yield from self._faults(f"gauges.{number}", each, areas)
            if (each.platform, each.code) in seen:
                yield f"gauges.{number}.code: {each.code!r} stands twice; keep one"
            seen.add((each.platform, each.code))

    def _faults(self, place: str, gauge: Gauge, areas: Areas | None) -> Iterator[str]:
        if gauge.platform not in self.platforms:
            yield f"{place}.platform: {gauge.platform!r} is none of platforms; add it there, or mend it"
        if gauge.kind not in self.kinds:
            yield f"{place}.kind: {gauge.kind!r} is none of kinds; write one of {', '.join(self.kinds) or 'them first'}"
        if areas is not None and not areas.exists(gauge.area):
            yield f"{place}.area: {gauge.area} is no area of areas.yaml; write one of {', '.join(areas.nearest(gauge.area))}"
        if (gauge.lat is None) != (gauge.lon is None):
            yield f"{place}.lat: lat and lon come together; write both or neither"


class GaugeState(Model):
    """What is known of a gauge. `above_since`, `above`: since when and how often it has been above without anything lower between.

    `armed`: it has been well below since its last episode, which began to be seen at `opened_at`; `opened`: so many on `day`.
    """

    last_at: datetime
    value: Value
    above_since: datetime | None = None
    above: int = 0
    armed: bool = True
    opened_at: datetime | None = None
    day: date | None = None
    opened: int = 0


class Heard(NamedTuple):
    """What a reading makes of a gauge, and since when it has been above, where an episode begins with it."""

    state: GaugeState
    episode: datetime | None = None


def heard(known: GaugeState | None, value: int, at: datetime, rule: GaugeRule) -> Heard:
    """Return what one more reading makes of what is known of a gauge (None: nothing yet)."""
    if known is None:
        state = GaugeState(last_at=at, value=value)
    elif at <= known.last_at:
        return Heard(_late(known, value, at, rule))
    else:
        state = known.model_copy(update={"last_at": at, "value": value})
    if value <= rule.opens_above:
        return Heard(
            state.model_copy(update={"above_since": None, "above": 0, "armed": state.armed or value < rule.armed_below})
        )
    since = state.above_since or at
    state = state.model_copy(update={"above_since": since, "above": state.above + 1})
    today = in_shanghai(at).date()
    opened = state.opened if state.day == today else 0
    if not state.armed or state.above < rule.readings or at - since < rule.apart or opened >= rule.per_day:
        return Heard(state)
    return Heard(state.model_copy(update={"armed": False, "opened_at": at, "day": today, "opened": opened + 1}), since)


def _late(known: GaugeState, value: int, at: datetime, rule: GaugeRule) -> GaugeState:
    """Of a reading that comes late, only this counts: what it was above was not above all the time, and an episode was over."""
    if value > rule.opens_above:
        return known
    changed = known
    if known.above_since is not None and known.above_since < at < known.last_at:
        changed = changed.model_copy(update={"above_since": known.last_at, "above": 1})
    if value < rule.armed_below and known.opened_at is not None and known.opened_at < at:
        changed = changed.model_copy(update={"armed": True})
    return changed
