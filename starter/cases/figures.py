"""Whose figures somebody gets, of which period, and how they are written: for the indicators of every procedure."""

from datetime import datetime, timedelta

from engine.keys.tokens import Principal
from schemas.clocks.calendar import in_shanghai, midnight
from schemas.values.actor import OWN_CASES_ONLY, Role
from schemas.values.refusals import Fault, Refusal, RefusalCode, say
from starter.cases.case_lists import beginning, end
from starter.cases.views import Times
from starter.http.authentication import acting
from starter.http.problems import bad_request, refused

LINES_MAX = 5000
YEAR = timedelta(days=365)


def period(opened_from: str | None, opened_to: str | None, now: datetime) -> tuple[datetime | None, datetime | None]:
    """Which cases count, by when they were reported; those of the last year unless something is asked for.

    All that there ever was is nobody's question every day, and the only one that takes longer the older the town is.
    """
    if opened_from is None and opened_to is None:
        return midnight(in_shanghai(now).date() - YEAR), None
    return beginning("opened_from", opened_from), end("opened_to", opened_to)


def figures_for(caller: Principal) -> tuple[str | None, str | None]:
    """The area and the department whose figures somebody gets; None for all. Raises Problem: who acts for themselves gets none."""
    actor = acting(caller)
    if actor.role in OWN_CASES_ONLY:
        detail = say("指标仅供工作人员查看", "indicators are for staff")
        raise refused(Refusal(code=RefusalCode.NOT_YOUR_ROLE, detail=detail, command="read_indicators"))
    return actor.area, (actor.department or "") if actor.role is Role.DEPARTMENT_OFFICER else None


def rate(part: int, whole: int) -> float | None:
    """A share to four places; None of nothing, for 0 would be a judgement."""
    return round(part / whole, 4) if whole else None


def times(percentiles: list[float] | None) -> Times | None:
    """Half and nine in ten, in whole seconds."""
    return None if percentiles is None else Times(median=round(percentiles[0]), percentile_90=round(percentiles[1]))


def too_many_lines(lines: int, field: str) -> None:
    """Raises Problem: more lines than anybody reads; `field` is what made so many."""
    if lines <= LINES_MAX + 1:
        return
    reason = say(f"结果超过{LINES_MAX}行", f"makes more than {LINES_MAX} lines")
    remedy = say("请缩小范围或减少分组", "narrow the period or the area, or group by less")
    raise bad_request([Fault(field=field, reason=reason, remedy=remedy)])
