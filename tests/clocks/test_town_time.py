"""Town time: scaled exactly, back and forth, without ever waking too early."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from schemas.clocks.calendar import SHANGHAI, NaiveTimeError, TownDatetime
from schemas.clocks.town_time import MICROSECOND, TownTime

REAL_NOW = datetime(2026, 11, 21, 3, 4, 5, 678901, tzinfo=UTC)
SPRING_FESTIVAL_EVE = datetime(2026, 2, 13, 16, tzinfo=SHANGHAI)

moments = st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1), timezones=st.sampled_from([UTC, SHANGHAI]))  # noqa: DTZ001 - hypothesis adds the zone
speeds = st.integers(1, 10**10)
town_times = st.builds(
    lambda town, real, speed: TownTime(town_epoch=town, real_epoch=real, speed_milli=speed), moments, moments, speeds
)
short = st.timedeltas(timedelta(days=-20), timedelta(days=2000))


def test_town_moves_its_speed_times_as_fast() -> None:
    """An hour a second: ten real seconds after the start the town's clock shows ten hours more."""
    town_time = TownTime.starting(SPRING_FESTIVAL_EVE, REAL_NOW, 3600)

    assert town_time.to_town(REAL_NOW) == SPRING_FESTIVAL_EVE
    assert town_time.to_town(REAL_NOW + timedelta(seconds=10)) == SPRING_FESTIVAL_EVE + timedelta(hours=10)
    assert town_time.to_real(SPRING_FESTIVAL_EVE + timedelta(days=1)) == REAL_NOW + timedelta(seconds=24)


@given(moments)
def test_production_shows_the_real_time(real: datetime) -> None:
    """The identity changes no moment, in either direction; the town's clock is written in Asia/Shanghai."""
    town = TownTime.identity().to_town(real)

    assert town == real == TownTime.identity().to_real(town)
    assert town.utcoffset() == timedelta(hours=8)


@given(town_times, short)
def test_timer_never_wakes_before_its_town_moment(town_time: TownTime, passed: timedelta) -> None:
    """At the real moment found for a town moment the town's clock shows that moment or a later one, not an earlier."""
    town = town_time.town_epoch + passed

    assert town_time.to_town(town_time.to_real(town)) >= town


@given(town_times, short)
def test_timer_wakes_at_the_first_possible_microsecond(town_time: TownTime, passed: timedelta) -> None:
    """One real microsecond before the moment found, the town moment had not come."""
    town = town_time.town_epoch + passed

    assert town_time.to_town(town_time.to_real(town) - MICROSECOND) < town


@given(
    town_times, st.timedeltas(timedelta(days=-1), timedelta(days=1)), st.timedeltas(timedelta(0), timedelta(hours=1))
)
def test_town_time_never_runs_back(town_time: TownTime, passed: timedelta, further: timedelta) -> None:
    """A later real moment is never an earlier town moment."""
    real = town_time.real_epoch + passed / 1000

    assert town_time.to_town(real) <= town_time.to_town(real + further)


@given(town_times, short, st.timedeltas(timedelta(0), timedelta(hours=1)))
def test_waiting_the_delay_reaches_the_moment(town_time: TownTime, ahead: timedelta, passed: timedelta) -> None:
    """After the delay the town moment has come; a moment that has passed needs no waiting, and never a negative one."""
    now = town_time.real_epoch + passed
    moment = town_time.town_epoch + ahead
    delay = town_time.real_delay(now, moment)

    assert town_time.to_town(now + delay) >= moment
    assert (delay == timedelta(0)) == (town_time.to_town(now) >= moment)
    assert delay >= timedelta(0)


@pytest.mark.parametrize("speed", ["0.5", Fraction(1, 2), Decimal("0.5")])
def test_speed_is_exact(speed: str | Fraction | Decimal) -> None:
    """Half speed is 500 thousandths, however it is written."""
    assert TownTime.starting(SPRING_FESTIVAL_EVE, REAL_NOW, speed).speed_milli == 500


@pytest.mark.parametrize("speed", [0, -1, "1/3", "0.0001"])
def test_speed_that_cannot_be_kept_exactly_is_refused(speed: int | str) -> None:
    """A speed that stands still, runs back or has no exact thousandths is refused."""
    with pytest.raises(ValueError, match=r"thousandth|greater than or equal"):
        TownTime.starting(SPRING_FESTIVAL_EVE, REAL_NOW, speed)


def test_town_time_json_has_no_float_and_comes_back() -> None:
    """The speed is an integer in JSON, and one instant has one spelling, whatever zone it was given in."""
    one = TownTime.starting(SPRING_FESTIVAL_EVE, REAL_NOW, "1.5")
    other = TownTime.starting(SPRING_FESTIVAL_EVE.astimezone(UTC), REAL_NOW.astimezone(SHANGHAI), Fraction(3, 2))

    assert one.model_dump(mode="json")["speed_milli"] == 1500
    assert one.model_dump_json() == other.model_dump_json()
    assert TownTime.model_validate_json(one.model_dump_json()) == one


def test_time_without_zone_is_refused() -> None:
    """A time without an offset is an error, in every direction."""
    naive = datetime(2026, 2, 13, 16)  # noqa: DTZ001 - the point
    town_time = TownTime.identity()

    for refuses in (town_time.to_town, town_time.to_real, lambda moment: town_time.real_delay(moment, REAL_NOW)):
        with pytest.raises(NaiveTimeError):
            refuses(naive)
    with pytest.raises(ValueError, match="timezone"):
        TownTime.starting(naive, REAL_NOW, 1)


@pytest.mark.parametrize("at", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"])
def test_a_moment_that_the_calendar_does_not_reach_is_a_fault_of_what_was_sent(at: str) -> None:
    """A clock that was never set says so: whoever reads it hears of a wrong value, and nothing dies of it."""
    with pytest.raises(ValidationError, match="very end or beginning"):
        TypeAdapter(TownDatetime).validate_json(f'"{at}"')
