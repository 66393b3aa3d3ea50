"""Months as YYYY-MM: of a moment in town, and one from another."""

from datetime import date, datetime

from schemas.clocks.calendar import in_shanghai, midnight


def month_at(moment: datetime) -> str:
    """The town's month of a moment, "2026-11"."""
    return f"{in_shanghai(moment):%Y-%m}"


def next_month(month: str) -> str:
    """The month after."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year + number // 12:04d}-{number % 12 + 1:02d}"


def month_before(month: str) -> str:
    """The month before."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year - (number == 1):04d}-{(number - 2) % 12 + 1:02d}"


def months_back(month: str, count: int) -> str:
    """The month so many months before."""
    for _ in range(count):
        month = month_before(month)
    return month


def end_of_month(month: str) -> datetime:
    """24:00 of its last day: the moment at which the month is over."""
    following = next_month(month)
    return midnight(date(int(following[:4]), int(following[5:]), 1))
