"""A file of ten years: it fits, its visits are due on the very day, and it goes on in new runs without losing a duty."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from audit.replay.replay import runs_of
from schemas.care import CARE, VISIT
from schemas.care_state import AlarmRaised, CareState, Stage
from schemas.care_terms import AlarmKind
from schemas.clocks.calendar import DAY, in_shanghai
from schemas.clocks.clocks import due_at
from tests.api_driver import ApiDriver, Step
from tests.bench_api import bench_door
from tests.case_bench import CaseBench, case_bench

PAYLOAD_BYTES_AT_MOST = 512 * 1024
"""Where Temporal begins to warn; it refuses four times as much."""

VISITED = Step("record_visit", "grid_worker", {"way": "home", "outcome": "well"})
DAILY = Step("reassess", "street_officer", {"need": "daily_check", "reason": "术后独居"})
MONTHLY = (
    Step("reassess", "street_officer", {"need": "monthly", "reason": "已康复"}),
    Step("confirm_lowering", "second_street"),
)


@pytest.fixture
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[CaseBench]:
    """A bench on which a run ends after some hundred events."""
    async with case_bench(tmp_path_factory.mktemp("years"), sandbox=False) as opened:
        opened.history_limit = 300
        yield opened


def file_of(bench: CaseBench, case_id: str) -> CareState:
    """A file as it last told of itself."""
    state = bench.state(case_id)
    assert isinstance(state, CareState)
    return state


async def lives(
    bench: CaseBench, door: ApiDriver, days: int, months: int
) -> tuple[str, list[tuple[datetime, datetime]]]:
    """A file with a visit on each of so many days, then every 29 days so many times; when each was, and the next due."""
    file = await door.start()
    await door.go(file, [Step("record_consent", "grid_worker"), DAILY])
    found = []
    for number in range(days + months):
        if number == days:
            await door.go(file, [*MONTHLY, VISITED])
        await bench.let_pass(DAY if number < days else 29 * DAY)
        await bench.between_tasks(file)
        await door.go(file, [VISITED])
        state = file_of(bench, file)
        due = due_at(state.clocks[VISIT], state.charter.calendar)
        assert state.seen_at is not None
        assert due is not None
        found.append((state.seen_at, due))
    return file, found


@pytest.mark.parametrize(
    ("days", "months"), [(8, 4), pytest.param(365, 112, marks=pytest.mark.long)], ids=["a while", "ten years"]
)
@pytest.mark.timeout(900)
async def test_a_file_of_ten_years_fits(bench: CaseBench, days: int, months: int) -> None:
    """A year of daily checks and nine of monthly visits: none is late, each is due on the very day, and it all fits."""
    door = bench_door(bench, CARE)
    file, visits = await lives(bench, door, days, months)
    runs = await runs_of(bench.client, file)
    state = file_of(bench, file)
    sent = runs[-1].events[0].workflow_execution_started_event_attributes.input.payloads

    assert (state.stage, state.visits, state.visits_late) == (Stage.ACTIVE, days + months + 1, 0)
    told = zip(bench.tables.kinds(file), bench.tables.facts(file), strict=True)
    assert VISIT not in {facts["clock"] for kind, facts in told if kind == "clock:breach"}
    assert [(in_shanghai(due).date() - in_shanghai(seen).date()).days for seen, due in visits] == [2] * days + [
        31
    ] * months
    assert max(len(each.data) for each in sent) < PAYLOAD_BYTES_AT_MOST
    assert len(state.clocks[VISIT].facts) == 1
    assert len(runs) > (days + months) // 40
    await door.go(file, [Step("end_file", "street_officer"), Step("confirm_end", "second_street")])
    await bench.until_ended(file)
    assert await bench.faults(file) == []


async def test_an_old_command_is_refused_rather_than_done_twice(bench: CaseBench) -> None:
    """What a file has forgotten it does not do again: a command of more than ninety days ago is told to be sent anew."""
    door = bench_door(bench, CARE)
    file = await door.start()
    await door.go(file, [Step("record_consent", "grid_worker")])
    first = await door.give(file, VISITED, key="old")
    for _ in range(4):
        await bench.let_pass(timedelta(days=25))
        await door.go(file, [VISITED])
    state, again = file_of(bench, file), await door.give(file, VISITED, key="old")

    assert first.status_code == 200
    assert again.json() == first.json() or again.status_code == 409
    assert file_of(bench, file).visits == state.visits == 5


def test_the_alarms_of_ten_years_fit() -> None:
    """Of an alarm that is over so little is kept that five hundred of them are nothing."""
    at = datetime(2027, 3, 5, 2, 10).astimezone()
    over = AlarmRaised(
        number=500, kinds=[AlarmKind.FALL], happened_at=at, raised_at=at, event="E-20270305-0077", device="wristband/SH-0042",
        started=True, heard=9, stage="closed", outcome="helped", over=True,
    )  # fmt: skip

    assert 500 * len(over.model_dump_json()) < PAYLOAD_BYTES_AT_MOST // 2
