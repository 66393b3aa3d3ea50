"""The law of late words: what a team did where there was no signal, and what one did whose case broke off, is not lost."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from schemas.sweep_state import HouseholdStage, Stage
from schemas.warning import WARNING
from schemas.warning_messages import NotTaken, Subject
from tests.api_driver import ApiDriver, Step
from tests.bench_api import bench_door
from tests.case_bench import CaseBench, case_bench
from tests.examples import warning
from tests.laws.test_law_sweep import ONE, TWO, hears, ordered, refused, stages, swept, walks, warned
from tests.swept_town import TEAM, back_body, door_body, nobody_had_gone, of_sweeps, told
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[CaseBench]:
    """A bench of this file's own."""
    async with case_bench(tmp_path_factory.mktemp("late"), sandbox=False) as opened:
        yield opened


@pytest.fixture
def door(bench: CaseBench) -> ApiDriver:
    """The door of warnings."""
    return bench_door(bench, WARNING)


async def test_a_team_that_had_gone_without_a_signal_is_heard_after_the_all_clear(tmp_path: Path) -> None:
    """It set out and moved one before it was over: written down hours later, and who was moved is seen home."""
    async with case_bench(tmp_path, sandbox=False) as bench:
        door = bench_door(bench, WARNING)
        case, sweep = await ordered(door, bench)
        there, opened = of_sweeps(door), swept(bench, sweep).opened_at
        await bench.let_pass(timedelta(minutes=5))
        await door.go(case, [Step("declare_all_clear", "officer"), *warning.INSPECTED])
        await told(door, sweep, "sweep:released")
        over = swept(bench, sweep).over_at
        assert over is not None
        assert (swept(bench, sweep).stage, warned(bench, case).stage) == (Stage.SENT, "returning")
        await bench.let_pass(timedelta(hours=2))
        gone = {**TEAM.body, "done_at": (opened + timedelta(minutes=1)).isoformat()}  # type: ignore[dict-item]
        for late in ({**TEAM.body}, {**TEAM.body, "done_at": (over + timedelta(minutes=1)).isoformat()}):  # type: ignore[dict-item]
            assert "does not go" in await refused(there, sweep, Step("set_out", "grid_worker", late))
        found = {**door_body(ONE, persons=3), "done_at": (opened + timedelta(minutes=2)).isoformat()}
        along = Step("set_out", "deputy", {"done_at": gone["done_at"]})
        await there.go(sweep, [Step("set_out", "grid_worker", gone), along, Step("record_door", "grid_worker", found)])
        assert stages(bench, sweep) == {ONE: HouseholdStage.MOVED, TWO: HouseholdStage.LISTED}
        assert swept(bench, sweep).clocks["go_back"].status == "running"
        await bench.let_pass(timedelta(hours=8))
        assert swept(bench, sweep).stage == Stage.WALKING, "who has gone is not called off"
        home = [Step("confirm_back", "grid_worker", back_body(each)) for each in (ONE, TWO)]
        await there.go(sweep, [Step("report_swept", "grid_worker", {"stayed": [TWO]}), *home])
        await told(door, case, "warning:all_back")

        assert swept(bench, sweep).stage == Stage.BACK


async def test_a_team_of_which_nobody_hears_is_called_off_when_no_door_could_be_entered(tmp_path: Path) -> None:
    """Six hours after the all clear: until then its households are waited for."""
    async with case_bench(tmp_path, sandbox=False) as bench:
        door = bench_door(bench, WARNING)
        case, sweep = await ordered(door, bench)
        await door.go(case, [Step("declare_all_clear", "officer")])
        await told(door, sweep, "sweep:over")
        assert {swept(bench, sweep).clocks[each].status for each in ("first_door", "sweep")} == {"stopped"}
        await bench.let_pass(timedelta(hours=5, minutes=50))
        assert (swept(bench, sweep).stage, warned(bench, case).stage) == (Stage.SENT, "clearing")
        await bench.let_pass(timedelta(minutes=20))
        await told(door, case, "warning:all_back")

        assert swept(bench, sweep).stage == Stage.RECALLED
        assert {each.stage for each in warned(bench, case).households} == {HouseholdStage.LISTED}


async def test_worse_again_sends_a_team_that_was_called_off(door: ApiDriver, bench: CaseBench) -> None:
    """The same one, with all its time; nobody is listed twice."""
    case, sweep = await ordered(door, bench)
    await door.go(case, [Step("declare_all_clear", "officer")])
    await told(door, sweep, "sweep:over")
    await door.go(case, [Step("order_move", "officer", {"zones": ["a"]})])
    await told(door, sweep, "sweep:worse_again")
    state = swept(bench, sweep)

    assert {each: state.clocks[each].status for each in ("first_door", "sweep", "late_words")} == {
        "first_door": "running", "sweep": "running", "late_words": "stopped",
    }  # fmt: skip
    await walks(door, sweep, door_body(ONE, persons=3))
    assert {each.sweep for each in warned(bench, case).households} == {1}
    assert len(warned(bench, case).sweeps) == 1


async def test_whoever_was_moved_by_a_team_whose_case_broke_off_is_seen_home(door: ApiDriver, bench: CaseBench) -> None:
    """It is noticed after the all clear: another team has them as they stand, is not called off, and goes to nobody's door."""
    case, sweep = await ordered(door, bench)
    await walks(door, sweep, door_body(ONE, persons=3))
    await eventually(lambda: warned(bench, case).listed(ONE).stage == HouseholdStage.MOVED)  # type: ignore[union-attr]
    await bench.client.get_workflow_handle(sweep).terminate()
    await door.go(case, [Step("declare_all_clear", "officer")])
    await told(door, case, "warning:sweep:gone")
    follower = f"{case}.sweep-2"
    await eventually(lambda: follower in bench.tables.rows)
    await told(door, follower, "sweep:over")
    assert stages(bench, follower) == {ONE: HouseholdStage.MOVED, TWO: HouseholdStage.LISTED}
    assert {each.code: (each.sweep, each.stage) for each in warned(bench, case).households} == {
        ONE: (2, "moved"), TWO: (2, "listed"),
    }  # fmt: skip
    await door.go(case, [*warning.INSPECTED])
    await told(door, follower, "sweep:released")
    home = [Step("confirm_back", "grid_worker", back_body(each)) for each in (ONE, TWO)]
    await of_sweeps(door).go(follower, [TEAM, *home])
    await told(door, case, "warning:all_back")

    assert swept(bench, follower).stage == Stage.BACK


async def test_after_the_all_clear_nobody_is_sent_to_whom_nobody_had_gone(door: ApiDriver, bench: CaseBench) -> None:
    """A word that was on its way to a team that was called off sends no other one."""
    case, sweep = await ordered(door, bench)
    await door.go(
        case, [Step("open_shelter", "clerk"), Step("check_in", "clerk"), Step("declare_all_clear", "officer")]
    )
    await nobody_had_gone(door, sweep)
    await eventually(lambda: warned(bench, case).sweeps[0].over)
    await hears(bench, case, sweep, 90, Subject.NOT_TAKEN, NotTaken(number=1, codes=(ONE, TWO)))
    await door.go(case, [Step("comment", "officer")])

    assert warned(bench, case).stage == "clearing", "somebody is in the shelter"
    assert len(warned(bench, case).sweeps) == 1
