"""When something happened of which another system tells: its clock may be a little ahead of the town's, and not more."""

from datetime import datetime, timedelta

from schemas.values.refusals import Fault, say

AHEAD_AT_MOST = timedelta(minutes=2)
"""So far may their clock be ahead. A time that is to come would make all that is said until then old news."""


def ahead_faults(field: str, at: datetime, now: datetime) -> list[Fault]:
    """What is wrong with a time of theirs, by the town's time now."""
    if at <= now + AHEAD_AT_MOST:
        return []
    return [
        Fault(
            field=field,
            reason=say("晚于本地当前时间", "is later than it is here now"),
            remedy=say("请校准时钟或改正时间后重发", "set the clock right, or mend the time, and send it again"),
        )
    ]
