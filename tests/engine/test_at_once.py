"""How the tests are played: laws at once, files by fast clocks first and with precedence."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from xdist.remote import Producer  # type: ignore[import-untyped]

from tests.at_once import at_once
from tests.scheduling import FAST, FAST_AT_ONCE, LONGEST, SPLIT, InGroups

TESTS = Path(__file__).resolve().parents[1]
SIDE_BY_SIDE = 3


@pytest.fixture(scope="module")
async def all_there() -> asyncio.Barrier:
    """Lets nobody through before all are there."""
    return asyncio.Barrier(SIDE_BY_SIDE)


@at_once
@pytest.mark.parametrize("number", [0, 1, pytest.param(2, marks=pytest.mark.xfail(strict=True, raises=AssertionError))])
async def test_cases_of_a_law_are_played_beside_each_other_and_judged_alone(
    number: int, all_there: asyncio.Barrier
) -> None:
    """Played one after the other none of them would come through; the last fails, and no other with it."""
    async with asyncio.timeout(30):
        await all_there.wait()

    assert number != SIDE_BY_SIDE - 1


@dataclass(eq=False)
class Process:
    """A process that plays tests, as the scheduler sees it."""

    tests: list[str]
    played: list[str] = field(default_factory=list)
    shutting_down: bool = False
    gateway: Any = field(default_factory=lambda: SimpleNamespace(id="gw"))

    def send_runtest_some(self, places: list[int]) -> None:
        """Take tests on."""
        self.played += [self.tests[place] for place in places]

    def shutdown(self) -> None:
        """Take nothing more on."""
        self.shutting_down = True


def test_few_processes_play_by_fast_clocks_and_every_test_is_played_once() -> None:
    """However many processes there are, files by fast clocks are played by the first ones alone, and nothing is left over."""
    tests = [f"tests/{name}.py::test_{number}" for name in (*FAST, *LONGEST, "test_areas") for number in range(5)]
    tests = list(dict.fromkeys(tests))
    processes: list[Any] = [Process(tests) for _ in range(6)]
    config: Any = SimpleNamespace(
        getvalue=lambda _name: ["popen"] * len(processes), option=SimpleNamespace(loadscopereorder=False)
    )
    schedule = InGroups(config, Producer("tests", enabled=False))
    for each in processes:
        schedule.add_node(each)
        schedule.add_node_collection(each, tests)
    schedule.schedule()
    while done := [(each, test) for each in processes for test in each.played if not _is_over(schedule, each, test)]:
        for each, test in done:
            schedule.mark_test_complete(each, tests.index(test))

    assert sorted(test for each in processes for test in each.played) == sorted(tests)
    for each in processes[FAST_AT_ONCE:]:
        assert not [test for test in each.played if Path(test.partition("::")[0]).stem in FAST]


def _is_over(schedule: InGroups, process: Any, test: str) -> bool:
    return any(work.get(test, False) for work in schedule.assigned_work[process].values())


def test_every_file_that_the_schedule_names_is_there() -> None:
    """A file that was renamed would be played with the others, and late."""
    assert {*FAST, *LONGEST, *SPLIT} <= {file.stem for file in TESTS.rglob("test_*.py")}
