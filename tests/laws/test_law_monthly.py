"""The law of what is due every month: done in the month or a gap for ever, and no month is skipped or counted twice.

A tiny rota has the part (schemas/parts/monthly.py); it ends with the third month.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.clocks.calendar import DAY
from schemas.clocks.months import end_of_month, month_at, next_month
from schemas.kernel.acts import Nothing, act, file_acts, step
from schemas.kernel.declaration import declare
from schemas.kernel.entries import EntryKinds, entry
from schemas.kernel.parties import COORDINATOR, GRID_WORKER, desk_of
from schemas.kernel.timers import last_limit
from schemas.kernel.words import DeclaredStage
from schemas.parts.monthly import MonthKept, MonthlyEntries, MonthlyState, monthly_lines, monthly_timers
from tests.api_driver import Person
from tests.case_bench import A_MONDAY
from tests.part_bench import PartBench, TinyTerms, part_bench
from workflows.kernel.procedure_workflow import procedure_workflow
from workflows.parts.monthly import EveryMonth

pytestmark = pytest.mark.timeout(120)

WORKER = Person("grid-zhao", "grid_worker")


class Stage(DeclaredStage):
    """Where a tiny rota stands."""

    RUNNING = "running", "进行中", "进行中", "under way"
    DONE = "done", "结束", "已结束", "over"


class RotaState(MonthlyState):
    """What it remembers."""

    procedure: ClassVar[str] = "rota"
    stage: str = Stage.RUNNING
    terms: TinyTerms = TinyTerms()


class Kind(MonthlyEntries, EntryKinds, procedure="rota"):
    """What its ledger says."""

    OPENED = entry("opened", "开始")
    DONE_ONCE = entry("done_once", "履行")
    DONE = entry("done", "结束")
    LAPSED = entry("lapsed", "终结")


ROTA = declare(
    "rota",
    "每月小事",
    parent="incident",
    state=RotaState,
    stages=Stage,
    entries=Kind,
    opened=Kind.OPENED,
    timers={
        **monthly_timers("每月一次", "once a month", warned=desk_of(GRID_WORKER)),
        "final": last_limit("unresolved_after"),
    },
    lines=(
        act(
            Nothing,
            "履行",
            name="do",
            meaning="it is done, this month.",
            by=GRID_WORKER,
            at=Stage.RUNNING,
            entry=Kind.DONE_ONCE,
        ),
        *monthly_lines(at=Stage.RUNNING),
        step("finish", "结束", at=Stage.RUNNING, to=Stage.DONE),
        step("lapse", "终结", at=Stage.RUNNING, to=Stage.DONE, entry=Kind.LAPSED, clock="final"),
        *file_acts(Kind, by=(COORDINATOR,), at=Stage.RUNNING, urged_by=(COORDINATOR,)),
    ),
)


@procedure_workflow
class Rota(EveryMonth[RotaState]):
    """Three months of it."""

    procedure = ROTA

    def reported(self) -> dict[str, Any]:
        """Nothing was sent."""
        return {}

    def begin(self) -> None:
        """With the month in which it is opened."""
        self.begin_month(month_at(self.now()))

    def do(self, by: Any) -> None:
        """履行."""
        self.done_this_month(by.subject)
        self.record_command(month=self.state.months[-1].month)

    def month_is_over(self, month: MonthKept) -> bool:
        """The third is the last."""
        if len(self.state.months) < 3:
            return True
        self.finish_as(Stage.DONE, Kind.DONE, last=month.month, gaps=list(self.state.gaps))
        return False


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PartBench]:
    """A bench with the tiny rota."""
    async with part_bench(tmp_path_factory.mktemp("monthly"), Rota) as found:
        yield found


async def test_a_month_without_it_is_a_gap_and_the_next_one_begins(bench: PartBench) -> None:
    """Done twice in the first month, not in the second nor in the last: two gaps, each on the record once, and told upwards."""
    case = await bench.open(ROTA)
    first = month_at(A_MONDAY)
    await bench.taken(case, "do", WORKER)
    await bench.taken(case, "do", WORKER)
    await bench.left_alone(case)
    second = next_month(first)
    state = bench.state(case)

    assert [facts["month"] for facts in bench.facts(case, "month:missed")] == [second, next_month(second)]
    assert [(each.times, each.missed, each.over) for each in state.months] == [
        (2, False, True),
        (0, True, True),
        (0, True, True),
    ]
    assert bench.facts(case, "done")[0]["gaps"] == [second, next_month(second)]
    warned = {facts["clock"] for _, facts in bench.told(case) if facts.get("moment") == "breach"}
    assert f"monthly:{first}" not in warned
    assert f"monthly:{second}" in warned


@given(st.dates(min_value=A_MONDAY.date(), max_value=A_MONDAY.date() + timedelta(days=9_000)))
def test_a_month_is_over_at_midnight_after_its_last_day(day: Any) -> None:
    """The moment belongs to the next month, and the minute before it to this one."""
    month = f"{day:%Y-%m}"

    assert month_at(end_of_month(month)) == next_month(month)
    assert month_at(end_of_month(month) - timedelta(minutes=1)) == month
    assert (end_of_month(month) - DAY).date().strftime("%Y-%m") == month
