"""What a whistle, its summonses and the incident it was born of tell each other: subjects, and the facts of each."""

from enum import StrEnum

from schemas.clocks.calendar import Calendar
from schemas.values.model import Model
from schemas.values.references import TextReference
from schemas.whistle_policy import IncidentClocks, WhistleType


class Subject(StrEnum):
    """What a message is about."""

    SUMMONS_REPORTED = "summons_reported"
    LEAD_CHANGED = "whistle_lead_changed"
    SCORED = "whistle_scored"
    CANCELLED = "whistle_cancelled"
    OVER = "whistle_over"
    CALENDAR_CHANGED = "whistle_calendar_changed"
    BLOWN = "whistle_blown"
    ENDED = "whistle_ended"
    INCIDENT_ANSWERED = "incident_answered"


class SummonsReport(Model):
    """A summons to its whistle: where it stands. `heard` is how many entries it had, so that older news loses."""

    department: str
    stage: str
    heard: int
    late: tuple[str, ...] = ()
    was_absent: bool = False
    result: TextReference | None = None


class LeadChanged(Model):
    """A whistle to its summonses: who leads now. `heard` counts the whistle's entries."""

    lead: str
    heard: int


class Scored(Model):
    """A whistle to a summons: what the street gave."""

    score: int
    reason: TextReference | None = None


class CalendarChanged(Model):
    """A whistle to its summonses: the calendar that open clocks go by from now on."""

    calendar: Calendar


class Blown(Model):
    """A whistle to the incident it was born of: it is to wait, with its clocks paused or running."""

    type: WhistleType
    clocks: IncidentClocks


class Ended(Model):
    """A whistle to the incident that waits for it: how it ended, and what each department reported."""

    stage: str
    results: dict[str, TextReference]


class IncidentAnswered(Model):
    """An incident to a whistle: whether it waits."""

    waits: bool
    stage: str
