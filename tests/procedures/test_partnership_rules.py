"""The rules of a partnership that decide something: when it is broken, how much was kept, what is owed, and on which days."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.partnership_drafts import DutyDraft
from schemas.partnership_rules import BreachRule, Broken, breach_is_met, kept_of
from schemas.parts.agreed import Agreed, DatedDuty, Recurs, Side, Standing, day_of_round, share_of

RULE = BreachRule(one_duty=2, within_months=6, any_duty=3, any_within_months=12)
WHAT = "text:" + "0" * 26


NO_DUTIES: tuple[dict[str, Any], ...] = (
    {"rests_on": ("a",)},
    {"percent": 10, "amount_fen": 1},
    {"level": 3, "each_time": 2},
    {"gift": True},
)
NO_DRAFTS: tuple[dict[str, Any], ...] = (
    {},
    {"day": 3},
    {"within_days": 3, "day": 3},
    {"recurs": "monthly", "within_days": 3},
    {"recurs": "monthly", "day": 3, "percent": 1},
)


def broken(*days: tuple[str, str]) -> list[Broken]:
    return [Broken(duty=code, on=date.fromisoformat(day)) for code, day in days]


@pytest.mark.parametrize(
    ("times", "met"),
    [
        ((), False),
        ((("a", "2026-01-10"), ("a", "2026-07-09")), True),
        ((("a", "2026-01-10"), ("a", "2026-07-10")), False),
        ((("a", "2026-01-10"), ("b", "2026-02-10")), False),
        ((("a", "2026-01-10"), ("b", "2026-06-10"), ("c", "2027-01-09")), True),
        ((("a", "2026-01-10"), ("b", "2026-06-10"), ("c", "2027-01-10")), False),
        ((("a", "2026-07-09"), ("b", "2026-03-01"), ("a", "2026-01-10")), True),
    ],
)
def test_a_breach_is_two_of_one_in_six_months_or_three_in_twelve(times: tuple[tuple[str, str], ...], met: bool) -> None:  # noqa: FBT001
    """On the same day of the last month it is no more within them; the order in which it is told changes nothing."""
    assert breach_is_met(broken(*times), RULE) is met


@given(
    days=st.lists(st.dates(date(2026, 1, 1), date(2028, 1, 1)), max_size=6),
    more=st.dates(date(2026, 1, 1), date(2028, 1, 1)),
)
def test_one_more_broken_never_mends_it(days: list[date], more: date) -> None:
    """What is a breach stays one."""
    before = [Broken(duty=f"d{number % 2}", on=day) for number, day in enumerate(days)]

    assert breach_is_met([*before, Broken(duty="d0", on=more)], RULE) >= breach_is_met(before, RULE)


def test_eighty_percent_is_eighty_percent_at_least() -> None:
    """Four of five reach it, seven of nine do not; what was waived, rested or excused counts on neither side."""
    four = kept_of([Standing.KEPT] * 4 + [Standing.BROKEN] + [Standing.WAIVED, Standing.RESTED, Standing.EXCUSED] * 9)
    seven = kept_of([Standing.KEPT] * 7 + [Standing.BROKEN] * 2)

    assert (four.kept, four.counted, four.reaches(80)) == (4, 5, True)
    assert not seven.reaches(80)
    assert kept_of([]).reaches(100)


@given(figure=st.integers(0, 10**12), percent=st.integers(1, 100))
def test_a_share_is_exact_and_never_more_than_was_promised(figure: int, percent: int) -> None:
    """Less than one fen is dropped; of a loss nothing is due."""
    share = share_of(figure, percent)

    assert 100 * share <= percent * figure < 100 * (share + 1)
    assert share_of(-figure, percent) == 0


def test_nothing_hangs_on_itself_and_a_duty_is_of_one_kind() -> None:
    """A share is no fixed sum, a gift has one, and what is done once says within how many days."""
    said: dict[str, Any] = {"code": "a", "what": WHAT, "first_on": date(2026, 1, 1)}
    for wrong in NO_DUTIES:
        with pytest.raises(ValidationError):
            Agreed(**said, **wrong)
    for wrong in NO_DRAFTS:
        with pytest.raises(ValidationError):
            DutyDraft(code="a", what=WHAT, side=Side.PARTY, **wrong)


@given(
    first=st.dates(date(2026, 1, 1), date(2036, 1, 1)),
    day=st.integers(1, 31),
    recurs=st.sampled_from([Recurs.MONTHLY, Recurs.QUARTERLY]),
)
def test_the_first_time_comes_after_a_whole_period(first: date, day: int, recurs: Recurs) -> None:
    """Nobody owes two sittings of a month of which three days are left; and none but the first lies behind the term."""
    last = first + timedelta(days=364)
    agreed = DutyDraft(code="a", what=WHAT, side=Side.PARTY, recurs=recurs, day=day).agreed(first, last)
    days = [day_of_round(agreed.first_on, recurs, number) for number in range(1, agreed.times + 2)]

    assert agreed.first_on >= first + timedelta(days=27 if recurs is Recurs.MONTHLY else 88)
    assert agreed.first_on <= first + timedelta(days=31 + 31 if recurs is Recurs.MONTHLY else 92 + 31)
    assert all(each <= last for each in days[1:-1])
    assert days[-1] > last


def test_what_fails_lets_the_other_side_rest() -> None:
    """Missed, broken the last time, or reported; kept again, it does not any more."""
    duty = DatedDuty(agreed=Agreed(code="room", what=WHAT, first_on=date(2026, 1, 1), recurs=Recurs.MONTHLY, times=9))

    assert not duty.fails
    assert duty.model_copy(update={"reported": True}).fails
    assert duty.model_copy(update={"standing": Standing.MISSED}).fails
    assert duty.model_copy(update={"ended_as": [Standing.BROKEN]}).fails
    assert not duty.model_copy(update={"ended_as": [Standing.BROKEN, Standing.KEPT]}).fails
