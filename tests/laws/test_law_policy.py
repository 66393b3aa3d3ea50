"""Policy as delivered must not shame a town: whom it wakes at night, and what it asks to be signed too late."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from engine.policies.department_policy import load_departments
from engine.policies.office_hours import load_town_calendar
from engine.policies.policies import load_policy
from engine.runtime.settings import PROJECT
from schemas.clocks.calendar import SHANGHAI, Calendar
from schemas.clocks.clocks import Clock, due_at, milestones
from schemas.clocks.limits import Limit, Unit
from schemas.incident_policy import IncidentPolicy, Urgency
from schemas.kernel.policy import Duty, OnCall, Policy
from schemas.kernel.procedure import Procedure
from schemas.values.model import Model
from tests.every_procedure import PROCEDURE_LIST

FOLDER = PROJECT / "policies"
WITH_POLICY = [procedure for procedure in PROCEDURE_LIST if procedure.policy is not None]
EVERY_POLICY = pytest.mark.parametrize("procedure", WITH_POLICY, ids=[procedure.name for procedure in WITH_POLICY])
AROUND_THE_CLOCK = (Unit.MINUTES, Unit.HOURS)
FRIDAY = datetime(2026, 2, 13, tzinfo=SHANGHAI)
STARTS = [FRIDAY + timedelta(minutes=37 * number) for number in range(14 * 24)]
"""Every hour of nine days, and of the day of the week, before and in the Spring Festival with its make-up days."""


@pytest.fixture(scope="module")
def calendar() -> Calendar:
    """The calendar of the town as delivered, with its office hours."""
    return load_town_calendar(FOLDER)


def delivered(procedure: Procedure) -> Policy:
    """The policy of a procedure as it is delivered."""
    departments = [each.code for each in load_departments(FOLDER / "departments.yaml").departments]
    return load_policy(procedure, FOLDER, departments)


def _limits(value: object, place: str = "") -> Iterator[tuple[str, Limit]]:
    """Every limit that stands in a policy, but those of the tiers, which belong to their duty."""
    if isinstance(value, Limit):
        yield place, value
    elif isinstance(value, Model):
        for name, each in value:
            if not name.endswith("tiers"):
                yield from _limits(each, name)
    elif isinstance(value, dict):
        for each in value.values():
            yield from _limits(each, place)


def _started(duty: Duty, at: datetime) -> Clock:
    return Clock(name="duty", limit=duty.limit, tiers=duty.tiers).start(at, "engine")


def _is_open(calendar: Calendar, at: datetime) -> bool:
    """The end of an opening belongs to it: a limit in working hours may end there."""
    return any(start <= at <= end for start, end in calendar.openings(at.date()))


@EVERY_POLICY
def test_every_limit_is_a_duty_or_a_window(procedure: Procedure) -> None:
    """No limit of a policy is forgotten by the laws below: it is somebody's duty, or a window that is nobody's."""
    policy = delivered(procedure)

    named, found = {duty.name for duty in policy.duties()} | policy.WINDOWS, {name for name, _limit in _limits(policy)}

    assert list(policy.duties())
    assert set() < found <= named


@EVERY_POLICY
def test_ordinary_duties_count_while_offices_are_open(procedure: Procedure) -> None:
    """What is not for those on call counts in working hours or in days, never around the clock."""
    counted_at_night = [
        duty.place
        for duty in delivered(procedure).duties()
        if duty.on_call is OnCall.NOBODY and duty.limit.unit in AROUND_THE_CLOCK
    ]

    assert counted_at_night == []


@EVERY_POLICY
def test_nobody_above_the_duty_leader_is_woken(procedure: Procedure, calendar: Calendar) -> None:
    """Whenever a duty begins, whoever stands above the duty leader hears of its breach in office hours; emergencies apart."""
    woken = {
        (duty.place, moment.to, moment.at)
        for duty in set(delivered(procedure).duties())
        if duty.on_call is not OnCall.EVERYBODY
        for start in STARTS
        for moment in milestones(_started(duty, start), calendar)
        if moment.to not in (None, "duty_leader") and not _is_open(calendar, moment.at)
    }

    assert set() == woken


def test_an_order_is_signed_before_its_response_is_due(calendar: Calendar) -> None:
    """Whatever the urgency and whenever it comes in, the signing is due before the response."""
    incident = next(procedure for procedure in WITH_POLICY if procedure.name == "incident")
    policy = delivered(incident)
    assert isinstance(policy, IncidentPolicy)
    for urgency in Urgency:
        sign, respond = policy.terms.sign_within(urgency), policy.terms.urgencies[urgency].respond
        for start in STARTS:
            signed_by = due_at(_started(Duty("sign", sign, ()), start), calendar)
            responded_by = due_at(_started(Duty("respond", respond, ()), start), calendar)
            assert signed_by is not None
            assert responded_by is not None
            assert signed_by < responded_by, f"{urgency} at {start}"
