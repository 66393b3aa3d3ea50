"""What a warning and its sweeps tell each other. Each word says how much its sender knew, so that older news loses."""

from datetime import datetime
from enum import StrEnum

from schemas.sweep_state import HouseholdStage, Release
from schemas.values.model import Model
from schemas.values.references import TextReference
from schemas.warning_terms import WarningLevel, Zone


class Subject(StrEnum):
    """What a message is about."""

    SWEEP_REPORTED = "sweep_reported"
    HOUSEHOLDS_ADDED = "households_added"
    LEVEL_CHANGED = "level_changed"
    IT_IS_OVER = "it_is_over"
    WORSE_AGAIN = "worse_again"
    RELEASED = "released"
    TAKEN_BACK = "taken_back"
    NOT_TAKEN = "not_taken"


class Listed(Model):
    """A household for a team's list. `stage`, `persons`: where it stands, if somebody was there before this team."""

    code: str
    point: str
    zone: Zone
    heads: int
    address: TextReference | None = None
    stage: HouseholdStage = HouseholdStage.LISTED
    persons: int = 0


class HouseholdsAdded(Model):
    """Warning to sweep: these stand on its list too. Told twice, or late, they are listed once."""

    households: tuple[Listed, ...]


class LevelChanged(Model):
    """Warning to sweep: it is graver, or begins at another time. `heard`: how many entries the warning had."""

    level: WarningLevel
    onset: datetime | None = None
    heard: int


class WorseAgain(Model):
    """Warning to sweep: the all clear does not hold any more, nor what was released. `heard`: how many entries the warning had."""

    heard: int


class ItIsOver(Model):
    """Warning to sweep: the all clear was given, by this account. A team that has not gone does not go."""

    by: str
    heard: int


class Released(Model):
    """Warning to sweep: how the households of these risk points may end. The later word on one counts."""

    points: tuple[str, ...]
    release: Release
    heard: int


class TakenBack(Model):
    """Warning to sweep: these risk points are not released any more: somebody has found them unsafe.

    `moves`: somebody is home there, and is moved again: there the all clear does not hold.
    """

    points: tuple[str, ...]
    moves: bool = False
    heard: int


class DoorStands(Model):
    """A household, where somebody has said that it stands, and how many of it are there."""

    code: str
    stage: str
    persons: int = 0


class SweepReport(Model):
    """Sweep to warning: where it stands, and the doors of which something was said. `heard`: how many entries it had.

    `over`: nothing more is to come.
    """

    number: int
    stage: str
    heard: int
    doors: tuple[DoorStands, ...] = ()
    over: bool = False


class NotTaken(Model):
    """Sweep to warning: these were to stand on its list when it was over already."""

    number: int
    codes: tuple[str, ...]
