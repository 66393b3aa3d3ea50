"""care 特殊群体一人一档: the codes of a file, and the town's numbers for files and for the alarms that come of them.

Sources: 002 of the seeds (daily, weekly, monthly visits), 民政 探访关爱 practice (everybody every month), UK telecare code and
Shanghai's lines (60 s to answer), L for the rest; every number is a default of policies/care.yaml.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from pydantic import Field

from schemas.clocks.clock_schedule import Tier
from schemas.clocks.limits import Limit, Unit
from schemas.contracts.department import Code
from schemas.contracts.department_policy import Name
from schemas.kernel.policy import Duty, OnCall
from schemas.kernel.terms import Terms, TermsPolicy


class Group(StrEnum):
    """Why somebody may come to harm unnoticed."""

    LIVES_ALONE = "lives_alone"
    EMPTY_NEST = "empty_nest"
    DISABLED = "disabled"
    LEFT_BEHIND_CHILD = "left_behind_child"
    CHILD_IN_HARDSHIP = "child_in_hardship"
    MENTAL_ILLNESS = "mental_illness"
    LOST_ONLY_CHILD = "lost_only_child"


CHILDREN = frozenset({Group.LEFT_BEHIND_CHILD, Group.CHILD_IN_HARDSHIP})
"""For whom their guardian speaks."""


class Need(StrEnum):
    """How often somebody is seen, the most often first."""

    DAILY_CHECK = "daily_check"
    WEEKLY_VISIT = "weekly_visit"
    MONTHLY = "monthly"

    def is_less_than(self, other: "Need") -> bool:
        """Whether it means fewer visits."""
        order = list(Need)
        return order.index(self) > order.index(other)


class ConsentScope(StrEnum):
    """What somebody agrees to, each by itself (个人信息保护法 29): the file with its visits, what is known of health, a device."""

    FILE = "file"
    HEALTH = "health"
    DEVICE = "device"


class AlarmKind(StrEnum):
    """What an alarm says, the worst first."""

    SOS = "sos"
    SMOKE = "smoke"
    FALL = "fall"
    VITALS = "vitals"
    NO_WATER = "no_water"
    LEFT_AREA = "left_area"

    @property
    def voice_is_enough(self) -> bool:
        """Whether a word by voice can say that nothing is the matter; after a fall, smoke or bad vitals somebody looks."""
        return self in {AlarmKind.SOS, AlarmKind.NO_WATER, AlarmKind.LEFT_AREA}


def worst_first(kinds: Iterable[AlarmKind]) -> list[AlarmKind]:
    """Each kind that was said, once, the worst first. None replaces another: who falls and then calls has fallen all the same."""
    said = set(kinds)
    return [each for each in AlarmKind if each in said]


class CallsBy(StrEnum):
    """Who calls the emergency contacts when nobody goes. Where the gateway does, people may call all the same."""

    PEOPLE = "people"
    GATEWAY = "gateway"


class CareTerms(Terms):
    """The town's rules: how often people are seen, how soon an alarm is answered, and who hears when it is not.

    `platforms`: whose devices may be bound, by code; each signs what they say with a key of its own. `contacts_called_by`: where it
    is the gateway, each is given `contact_answer`, and all of them are called `contact_rounds` times.
    """

    platforms: tuple[Code, ...] = ()
    intervals: dict[Need, Limit]
    visit_tiers: tuple[Tier, ...]
    visit_entered_within_hours: int = Field(ge=1, le=168)
    absence_days_by_one: int = Field(ge=1, le=366)
    consent: Limit
    handover: Limit
    reassess: Limit
    search: Limit
    search_tiers: tuple[Tier, ...]
    device_trouble: Limit
    device_tiers: tuple[Tier, ...]
    reassess_soon: Limit
    hospital: Limit
    reopen: Limit
    again_after: Limit
    answer: Limit
    answer_tiers: tuple[Tier, ...]
    accept: Limit
    accept_tiers: tuple[Tier, ...]
    arrive: Limit
    arrive_tiers: tuple[Tier, ...]
    resolve: Limit
    resolve_tiers: tuple[Tier, ...]
    follow_up: Limit
    follow_up_tiers: tuple[Tier, ...]
    alarm_again_after: Limit
    battery_low_percent: int = Field(ge=1, le=50)
    one_alarm_minutes: int = Field(ge=0, le=60)
    false_alarms_at_most: int = Field(ge=1)
    false_alarm_days: int = Field(ge=1)
    contacts_called_by: CallsBy = CallsBy.PEOPLE
    contact_answer: Limit = Limit(amount=90, unit=Unit.SECONDS)
    contact_rounds: int = Field(default=2, ge=1, le=10)


AROUND_THE_CLOCK = {
    "search": "search_tiers",
    "device_trouble": "device_tiers",
    "answer": "answer_tiers",
    "accept": "accept_tiers",
    "arrive": "arrive_tiers",
    "resolve": "resolve_tiers",
    "follow_up": "follow_up_tiers",
}
"""Duties on which a life may hang, each with its tiers: everybody is on call for them."""


class CarePolicy(TermsPolicy):
    """policies/care.yaml. `names_of_platforms`: what the platforms of its terms are called."""

    WINDOWS = TermsPolicy.WINDOWS | {"reopen", "hospital", "again_after", "alarm_again_after", "contact_answer"}

    names_of_platforms: dict[Code, Name]
    terms: CareTerms

    def names(self) -> Mapping[str, Name]:
        """The platforms in words."""
        return self.names_of_platforms

    def duties(self) -> Iterator[Duty]:
        """Visits, searches and alarms count at any hour; what is done at a desk, while the offices are open."""
        for each in super().duties():
            tiers = AROUND_THE_CLOCK.get(each.name)
            yield each if tiers is None else each._replace(on_call=OnCall.EVERYBODY, tiers=getattr(self.terms, tiers))
        for limit in self.terms.intervals.values():
            yield Duty("terms.intervals", limit, self.terms.visit_tiers, OnCall.EVERYBODY)

    def faults(self) -> Iterator[str]:
        """An interval for each need, in calendar days, and the more often the more is needed."""
        yield from super().faults()
        intervals = self.terms.intervals
        yield from (
            f"terms.intervals.{need}: is missing; say how many calendar_days" for need in Need if need not in intervals
        )
        yield from (
            f"terms.intervals.{need}: count it in calendar_days, for no holiday moves a visit"
            for need, limit in intervals.items()
            if limit.unit is not Unit.CALENDAR_DAYS
        )
        amounts = [intervals[need].amount for need in Need if need in intervals]
        if amounts != sorted(amounts):
            yield "terms.intervals: whoever needs more is seen more often; write the fewest days for daily_check"
