"""The town's clock, as every process reads it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.runtime.settings import Settings
from engine.runtime.town_clock import FOUNDING, TownClockFault, read_town_time
from schemas.clocks.town_time import TownTime

EPOCH = datetime(2026, 2, 13, tzinfo=UTC)
FAST = TownTime.starting(EPOCH, EPOCH, 3600)


def test_a_town_that_was_never_founded_runs_on_real_time(tmp_path: Path) -> None:
    """Production has no founding: town time is real time."""
    assert read_town_time(Settings(data=tmp_path)) == TownTime.identity()


def test_a_founded_town_keeps_its_clock(tmp_path: Path) -> None:
    """Epoch and speed are those of the founding, whenever a process starts."""
    (tmp_path / FOUNDING).write_text(FAST.model_dump_json(), encoding="utf-8")

    assert read_town_time(Settings(data=tmp_path, speed=3600)) == FAST


@pytest.mark.parametrize(("founding", "speed"), [(None, 60), (FAST.model_dump_json(), 60), ("{", 1)])
def test_a_clock_that_cannot_be_right_stops_the_process(founding: str | None, speed: float, tmp_path: Path) -> None:
    """Another speed than the founding's, a speed without a founding, and a broken file are each refused in words."""
    if founding is not None:
        (tmp_path / FOUNDING).write_text(founding, encoding="utf-8")

    with pytest.raises(TownClockFault, match=FOUNDING):
        read_town_time(Settings(data=tmp_path, speed=speed))
