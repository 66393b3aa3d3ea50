"""How fast the town's clock runs for one case of the past, and what stays true however fast it runs.

Months must pass in minutes, while a request takes some tens of milliseconds: at 10,000 times that is ten minutes of the
town. So the hour of an act may be off by a little, but never its day: limits in days start and end with days. What
really happened shortly before or after midnight is aimed at a moment that far from it.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.clocks.calendar import DAY, in_shanghai, midnight

SLOWEST = 7200
"""Town seconds per real second: an hour of the town takes half a second at the most."""

EARLY, LATE = timedelta(milliseconds=150), timedelta(milliseconds=900)
"""Real time by which an act may come early or late and still be on its day. A busy machine makes things late."""


@dataclass(frozen=True)
class Pace:
    """The pace of one case: `speed` in town seconds per real second."""

    speed: int

    @classmethod
    def fitted(cls, length: timedelta, seconds: float) -> "Pace":
        """So that `length` of town time passes in so many real seconds, or in fewer."""
        return cls(max(SLOWEST, math.ceil(length.total_seconds() / seconds)))

    def aim(self, moment: datetime) -> datetime:
        """The moment itself, or the nearest one on its day that is not too near to midnight.

        Where a day is over sooner than somebody is late, the room before and after is shared out.
        """
        moment = in_shanghai(moment)
        begin = midnight(moment.date())
        share = min(1.0, DAY / ((EARLY + LATE) * self.speed))
        early, late = (room * self.speed * share for room in (EARLY, LATE))
        return min(max(moment, begin + early), begin + DAY - late)
