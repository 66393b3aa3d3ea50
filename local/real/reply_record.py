"""What came of playing answered messages: each case as the town recorded it, and the sums."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from local.real.message_file import LineFault
from local.real.reply_file import Answered
from schemas.clocks.calendar import DAY, Calendar, in_shanghai, intervals
from schemas.clocks.clock_schedule import BREACH, WARNING
from schemas.clocks.clocks import ClockView
from schemas.incident import Kind
from schemas.incident_state import Stage
from schemas.kernel.findings import Finding
from starter.cases.views import CaseView, Indicators, TimelineEntry

DUTIES = ("sign", "respond", "finish", "verify")
"""The clocks that somebody has to keep."""

_SECONDS_PER_DAY = 86_400


@dataclass
class PlayedReply:
    """One row that was played.

    `case` is what the API shows of it at the end. `refusal`: the reply came too late, and what the town said to it.
    `fault`: it could not be played to its end.
    """

    answered: Answered
    speed: int = 0
    case: CaseView | None = None
    reported_at: datetime | None = None
    finished_at: datetime | None = None
    refusal: str | None = None
    fault: str | None = None
    finding: Finding | None = None

    def opened(self, case: CaseView) -> None:
        """It was reported, and dispatched in the same moment."""
        self.case = case
        self.reported_at = self.clocks["finish"].started_at

    def ended(self, case: CaseView, entries: Sequence[TimelineEntry]) -> None:
        """Nothing more is done to it."""
        self.case = case
        self.finished_at = next((entry.at for entry in entries if entry.kind == Kind.FINISHED), None)

    @property
    def case_id(self) -> str:
        """The number of its case; empty before there is one."""
        return self.case.case_id if self.case else ""

    @property
    def department(self) -> str:
        """The department that has its order."""
        return str(self.case.department) if self.case else ""

    @property
    def clocks(self) -> Mapping[str, ClockView]:
        """The clocks of the case by name."""
        return {clock.name: clock for clock in self.case.clocks} if self.case else {}

    @property
    def too_late(self) -> bool:
        """The final limit had ended the case before its reply came."""
        return self.refusal is not None

    @property
    def reported_on_its_day(self) -> bool:
        """The report stands in the ledger on the day on which it really was."""
        return _same_day(self.reported_at, self.answered.submitted_at)

    @property
    def on_its_days(self) -> bool:
        """So does the reply, if it stands there."""
        return self.reported_on_its_day and (self.too_late or _same_day(self.finished_at, self.answered.replied_at))

    @property
    def off_by_seconds(self) -> float:
        """By how much the hours of report and reply differ from the file's, whichever differs more."""
        pairs = [(self.reported_at, self.answered.submitted_at), (self.finished_at, self.answered.replied_at)]
        return max((abs((one - other).total_seconds()) for one, other in pairs if one is not None), default=0.0)

    @property
    def well(self) -> bool:
        """It was played to its end, on its days, and its chain verifies."""
        return self.fault is None and self.on_its_days and self.finding is not None and self.finding.ok

    def as_json(self) -> dict[str, Any]:
        """Codes, dates and clocks; no text and no account."""
        return {
            "line": self.answered.message.line,
            "message_id": self.answered.message.message_id,
            "submitted_at": self.answered.submitted_at.isoformat(),
            "replied_at": self.answered.replied_at.isoformat(),
            "case_id": self.case_id or None,
            "stage": self.case.stage if self.case else None,
            "speed": self.speed,
            "reported_at": self.reported_at.isoformat() if self.reported_at else None,
            "finished_at": self.finished_at.isoformat() if self.finished_at else None,
            "too_late": self.refusal,
            "verified": self.finding.ok if self.finding else None,
            "fault": self.fault,
            "clocks": {name: clock.model_dump(mode="json", exclude={"name"}) for name, clock in self.clocks.items()},
        }


@dataclass
class ReplyReport:
    """What came of a file. `refused` are rows that could not be played, `indicators` what the API says of the others.

    `provisional`: days on which a case or one of its limits ran, and of which a notice may still say something else; in runs.
    """

    played: Sequence[PlayedReply]
    refused: Sequence[LineFault]
    indicators: Indicators
    seconds: float = 0.0
    provisional: Sequence[str] = ()
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def well(self) -> bool:
        """Every row was played as it really was, and every chain verifies."""
        return bool(self.played) and not self.refused and all(each.well for each in self.played)

    @property
    def median_days(self) -> float:
        """From message to reply by the file alone, over all rows that were played, late replies included."""
        return round(statistics.median(map(_days, self.played)), 2)

    def limits(self) -> dict[str, dict[str, int]]:
        """For each duty: how many cases had it, were warned, broke it, and reached each tier."""
        return {name: self._limit(name) for name in DUTIES}

    def _limit(self, name: str) -> dict[str, int]:
        clocks = [each.clocks[name] for each in self.played if name in each.clocks]
        tiers = sorted({moment for clock in clocks for moment in clock.fired if moment.startswith("tier:")})
        return {
            "cases": len(clocks),
            WARNING: sum(WARNING in clock.fired for clock in clocks),
            BREACH: sum(clock.breached for clock in clocks),
            **{tier: sum(tier in clock.fired for clock in clocks) for tier in tiers},
        }

    @property
    def under_final_limit(self) -> int:
        """Cases that had climbed through all tiers, so that the final limit ran."""
        return sum("final" in each.clocks for each in self.played)

    @property
    def stages(self) -> dict[str, int]:
        """How many cases ended at which stage."""
        stages = [each.case.stage for each in self.played if each.case]
        return {str(stage): stages.count(stage) for stage in Stage if stage in stages}


def provisional_days(played: Sequence[PlayedReply], calendar: Calendar) -> list[str]:
    """The days from a message to its reply, or to the last of its limits, that are not certain; runs as ISO 8601 intervals."""
    days: set[date] = set()
    for each in played:
        moments = [each.answered.replied_at, *(clock.due_at for clock in each.clocks.values() if clock.due_at)]
        first, last = in_shanghai(each.answered.submitted_at).date(), max(in_shanghai(one).date() for one in moments)
        days |= {first + DAY * number for number in range((last - first).days + 1)}
    return intervals(day for day in days if calendar.is_provisional(day))


def _same_day(recorded: datetime | None, real: datetime) -> bool:
    return recorded is not None and in_shanghai(recorded).date() == in_shanghai(real).date()


def _days(played: PlayedReply) -> float:
    return played.answered.length.total_seconds() / _SECONDS_PER_DAY
