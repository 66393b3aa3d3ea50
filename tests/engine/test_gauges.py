"""When a gauge opens an incident: one an episode, however it trembles, and in whatever order its readings come."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.policies.gauge_policy import load_gauges
from engine.policies.policies import PolicyFaults
from schemas.contracts.gauges import GaugeRule, GaugeState, heard

MORNING = datetime(2026, 11, 30, 0, 0, tzinfo=UTC)
RULE = GaugeRule.model_validate(
    {
        "name": {"zh": "桶", "en": "bin"},
        "unit": {"zh": "%", "en": "%"},
        "opens_above": 90,
        "armed_below": 60,
        "category": "环境卫生",
        "repair_category": "环境卫生",
    }
)
Reading = tuple[int, int]
"""Minutes since the morning, and the value."""


def episodes(readings: Iterable[Reading], rule: GaugeRule = RULE) -> list[int]:
    """Since which minutes episodes began."""
    state: GaugeState | None = None
    found = []
    for minutes, value in readings:
        state, episode = heard(state, value, MORNING + timedelta(minutes=minutes), rule)
        if episode is not None:
            found.append(int((episode - MORNING) / timedelta(minutes=1)))
    return found


@pytest.mark.parametrize(
    ("readings", "begun"),
    [
        ([(0, 95)], []),
        ([(0, 95), (9, 95)], []),
        ([(0, 95), (10, 95)], [0]),
        ([(0, 90), (10, 90)], []),
        ([(0, 95), (5, 80), (10, 95)], []),
        ([(0, 95), (10, 95), (20, 89), (30, 91), (45, 91), (50, 89), (60, 95), (75, 95)], [0]),
        ([(0, 95), (10, 95), (20, 60), (30, 95), (40, 95)], [0]),
        ([(0, 95), (10, 95), (20, 59), (30, 95), (40, 95)], [0, 30]),
        ([(0, 95), (0, 95), (10, 95), (10, 95), (0, 95), (10, 95)], [0]),
    ],
    ids=[
        "one reading", "too soon", "two, ten minutes apart", "at the limit", "lower between", "it trembles",
        "not well below", "emptied, and full again", "each comes again",
    ],
)  # fmt: skip
def test_an_episode_is_one(readings: list[Reading], begun: list[int]) -> None:
    """So many above the limit, so long apart, with nothing lower between; the next one after it was well below."""
    assert episodes(readings) == begun


@pytest.mark.parametrize(
    ("readings", "begun"),
    [
        ([(0, 95), (20, 95), (30, 95), (25, 20), (45, 95)], [0, 30]),
        ([(0, 95), (9, 95), (5, 20), (12, 95), (20, 95)], [9]),
        ([(0, 95), (10, 95), (20, 30), (30, 95), (40, 95), (20, 30), (5, 20), (60, 95)], [0, 30]),
    ],
    ids=["it was emptied meanwhile", "it was not above all the time", "what is told late of before changes nothing"],
)
def test_a_late_reading_says_what_was(readings: list[Reading], begun: list[int]) -> None:
    """A bin that was emptied while its platform was away is full anew, and one that was not above all the time is not yet."""
    assert episodes(readings) == begun


def test_so_many_incidents_a_day() -> None:
    """The fourth episode of a town day waits until the day is over, and is not forgotten."""
    full = [reading for hour in range(4) for reading in ((hour * 60, 95), (hour * 60 + 15, 95), (hour * 60 + 30, 10))]
    lasting = [*full[:-1], (12 * 60, 95), (17 * 60, 95)]  # the town day ends at 16:00 of this clock

    assert episodes(full) == [0, 60, 120]
    assert episodes(lasting) == [0, 60, 120, 180]


@given(st.lists(st.tuples(st.integers(0, 600), st.integers(0, 100)), max_size=40, unique_by=lambda each: each[0]))
def test_between_two_episodes_it_was_well_below(said: list[Reading]) -> None:
    """Whatever a gauge shows, in order: at the beginning of each but the first episode it has been below since the last one."""
    readings = sorted(said)
    began = episodes(readings)

    assert all(
        any(value < RULE.armed_below for minutes, value in readings if before < minutes < after)
        for before, after in pairwise(began)
    )
    assert episodes([each for each in readings for _ in range(3)]) == began


def test_what_is_wrong_in_the_file_is_told_at_once(tmp_path: Path) -> None:
    """A kind that is never full again, matters and places that are none, a gauge of nobody: each by its place."""
    kind = "{name: {zh: 桶, en: bin}, unit: {zh: '%', en: '%'}, opens_above: 50, armed_below: 60, "
    kind += "category: 无, repair_category: 无}"
    gauge = "{code: b-1, platform: nobody, kind: none, address: 街口, area: '1', lat: 1.0}"
    (tmp_path / "gauges.yaml").write_text(f"platforms: [bins]\nkinds: {{bin: {kind}}}\ngauges: [{gauge}, {gauge}]\n")

    with pytest.raises(PolicyFaults) as wrong:
        load_gauges(tmp_path, None, frozenset({"环境卫生"}))

    told = "\n".join(wrong.value.faults)
    for place in ("armed_below", "category", "repair_category", "platform", "kind", "lat", "gauges.1.code"):
        assert place in told
