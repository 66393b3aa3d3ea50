"""The town's office hours from `policies/office_hours.yaml`, and the calendar of a town with them."""

from pathlib import Path

from engine.policies.calendars import load_calendar
from engine.policies.policy_files import PolicyFile
from schemas.clocks.calendar import Calendar
from schemas.clocks.office_hours import OfficeHours

FILE = "office_hours.yaml"


def load_office_hours(policies: Path) -> OfficeHours:
    """When the town's offices are open. Raises PolicyFaults with file, line and remedy of every fault."""
    return PolicyFile(policies / FILE).read(OfficeHours)


def load_town_calendar(policies: Path) -> Calendar:
    """What a case of this town counts by: all years found, with the office hours; the version names both.

    Raises:
        CalendarFaultsError: as `load_calendar`.
        PolicyFaults: as `load_office_hours`.
    """
    days, hours = load_calendar(policies / "calendars"), load_office_hours(policies)
    return days.model_copy(update={"version": f"{days.version}+hours-{hours.version}", "office_hours": hours})
