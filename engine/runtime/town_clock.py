"""The town's clock, as whoever founded the town wrote it down; every process must have the same one."""

from pathlib import Path

from pydantic import ValidationError

from engine.runtime.operator_error import OperatorError
from engine.runtime.settings import Settings
from schemas.clocks.town_time import REAL_SPEED_MILLI, TownTime

FOUNDING = "founding.json"


class TownClockFault(OperatorError, ValueError):
    """The town's clock cannot be read, or does not run as the settings say: the message says what to do."""


def read_town_time(settings: Settings) -> TownTime:
    """The clock of this town: as founded in the data folder, or real time where no town was founded (production).

    Raises:
        TownClockFault: the file is missing or unreadable, or says another speed than the settings.
    """
    file: Path = settings.data / FOUNDING
    if not file.exists():
        if settings.speed != 1:
            raise TownClockFault(
                f"JICENG_SPEED is {settings.speed:g}, but {file} is missing: only a founded town has its own clock. "
                "Leave JICENG_SPEED out, or set JICENG_DATA to the folder of the town."
            )
        return TownTime.identity()
    try:
        clock = TownTime.model_validate_json(file.read_text(encoding="utf-8"))
    except ValidationError as error:
        raise TownClockFault(f"{file} is not the clock of a town: put back the file that belongs there.") from error
    if clock.speed_milli != round(settings.speed * REAL_SPEED_MILLI):
        raise TownClockFault(
            f"{file} was founded with speed {clock.speed_milli / REAL_SPEED_MILLI:g}, JICENG_SPEED says "
            f"{settings.speed:g}: with it the due times of open cases would jump. Leave JICENG_SPEED out."
        )
    return clock
