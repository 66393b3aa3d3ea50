"""Town time: the one place where time is scaled, so that stories play real calendars in seconds on a real server."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Self

from pydantic import Field

from schemas.clocks.calendar import TownDatetime, in_shanghai
from schemas.values.model import Model

MICROSECOND = timedelta(microseconds=1)
REAL_SPEED_MILLI = 1000


class TownTime(Model):
    """How the town's clock runs against the real one: town = town_epoch + (real - real_epoch) x speed.

    `speed_milli` is town milliseconds per real second (1000 = as in life, 86 400 000 = a day a second): an integer,
    because canonical JSON has no floats and a replay must find the same microsecond. Given to a case at its start.
    """

    town_epoch: TownDatetime
    real_epoch: TownDatetime
    speed_milli: int = Field(default=REAL_SPEED_MILLI, ge=1, le=10**10, strict=True)

    @classmethod
    def identity(cls) -> Self:
        """Town time is real time: production."""
        epoch = datetime(2025, 1, 1, tzinfo=UTC)
        return cls(town_epoch=epoch, real_epoch=epoch)

    @classmethod
    def starting(cls, town_epoch: datetime, real_now: datetime, speed: int | str | Fraction | Decimal) -> Self:
        """A town whose clock shows `town_epoch` at `real_now` and runs `speed` times as fast as the real one.

        Raises:
            ValueError: a speed that is not positive or finer than a thousandth; a time without an offset.
        """
        milli = Fraction(speed) * REAL_SPEED_MILLI
        if milli.denominator != 1:
            raise ValueError(f"A speed of {speed} is finer than a thousandth: give at most three decimals.")
        return cls(town_epoch=town_epoch, real_epoch=real_now, speed_milli=milli.numerator)

    def to_town(self, real: datetime) -> datetime:
        """What the town's clock shows at a real moment, in Asia/Shanghai, rounded down to the microsecond."""
        real_passed = (in_shanghai(real) - self.real_epoch) // MICROSECOND
        return self.town_epoch + MICROSECOND * (real_passed * self.speed_milli // REAL_SPEED_MILLI)

    def to_real(self, town: datetime) -> datetime:
        """The first real moment (UTC) at which the town's clock shows `town` or later.

        Rounded up to the microsecond: a timer armed for it never wakes before the town moment.
        """
        town_passed = (in_shanghai(town) - self.town_epoch) // MICROSECOND
        real_passed = -(-town_passed * REAL_SPEED_MILLI // self.speed_milli)
        return (self.real_epoch + MICROSECOND * real_passed).astimezone(UTC)

    def real_delay(self, now_real: datetime, town_moment: datetime) -> timedelta:
        """How long to wait, from now, for a town moment; zero when it has passed."""
        return max(timedelta(0), self.to_real(town_moment) - in_shanghai(now_real))
