"""The law of places that are found unsafe after they were released: whoever is home is moved, and elsewhere nobody is forgotten."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.policies.policies import load_policy
from engine.runtime.settings import PROJECT
from schemas.sweep_state import SweepState
from schemas.warning import WARNING
from schemas.warning_issuer import is_worse_again, renews
from schemas.warning_state import Source, Stage, WarningState
from schemas.warning_terms import WarningLevel, WarningPolicy
from tests.api_driver import ApiDriver, Step
from tests.bench_api import bench_door
from tests.case_bench import CaseBench, case_bench
from tests.examples import warning
from tests.swept_town import ALONG, POINT, TEAM, back_body, door_body, of_sweeps, told
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(240)
NOW = datetime(2027, 7, 1, 2, 10, tzinfo=UTC)
TOWN, SLOPE = "320104", "slope-south"
RIVER = ("riverside-01", "riverside-02")
UNSAFE = Step("inspect_place", "grid_worker", {**warning.NOT_SAFE, "second": "grid-qian"})
SEEN = {"point": SLOPE, "safe": True, "second": "officer-he", "finding": "坡体稳定"}
SLOPE_IS_SEEN = (Step("inspect_place", "officer", SEEN), Step("inspect_place", "grid_worker", SEEN))


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[CaseBench]:
    """A bench of this file's own."""
    async with case_bench(tmp_path_factory.mktemp("unsafe"), sandbox=False) as opened:
        yield opened


@pytest.fixture
def door(bench: CaseBench) -> ApiDriver:
    """The door of warnings."""
    return bench_door(bench, WARNING)


def policy() -> WarningPolicy:
    """The town's rules as they are delivered."""
    found = load_policy(WARNING, PROJECT / "policies", ("emergency-management",))
    assert isinstance(found, WarningPolicy)
    return found


def warned(bench: CaseBench, case: str) -> WarningState:
    """A warning as it last told of itself."""
    state = bench.state(case)
    assert isinstance(state, WarningState)
    return state


def swept(bench: CaseBench, sweep: str) -> SweepState:
    """A sweep likewise."""
    state = bench.state(sweep)
    assert isinstance(state, SweepState)
    return state


async def two_places_are_walked(door: ApiDriver, bench: CaseBench) -> dict[str, str]:
    """A warning of the town, whose all clear is given; the sweep of each place, in which everybody is moved."""
    case = await door.start(by="officer", body={**warning.REPORT, "area": TOWN})
    await door.go(case, [Step("order_move", "officer", {"zones": ["a"]})])
    sweeps = {each.point: f"{case}.sweep-{each.number}" for each in warned(bench, case).sweeps}
    await eventually(lambda: all(each in bench.tables.rows for each in sweeps.values()))
    there = of_sweeps(door)
    for point, homes in ((POINT, RIVER), (SLOPE, ("slope-01",))):
        await eventually(lambda homes=homes, point=point: len(swept(bench, sweeps[point]).items) == len(homes))  # type: ignore[misc]
        doors = [Step("record_door", "grid_worker", door_body(each, persons=3)) for each in homes]
        await there.go(sweeps[point], [TEAM, ALONG, *doors, Step("report_swept", "grid_worker", {})])
    await told(door, case, "warning:swept")
    await door.go(case, [Step("declare_all_clear", "officer", {})])
    for sweep in sweeps.values():
        await told(door, sweep, "sweep:over")
    return {"": case, **sweeps}


async def riverside_is_taken_back(door: ApiDriver, bench: CaseBench, sweeps: dict[str, str]) -> None:
    """All of the riverside are home, and it is found unsafe."""
    case, there = sweeps[""], of_sweeps(door)
    await door.go(case, [*warning.INSPECTED])
    await told(door, sweeps[POINT], "sweep:released")
    await there.go(sweeps[POINT], [Step("confirm_back", "grid_worker", back_body(each)) for each in RIVER])
    await eventually(lambda: any(each.over for each in warned(bench, case).sweeps))
    await door.go(case, [UNSAFE])
    assert warned(bench, case).stage == Stage.MOVING


@pytest.mark.parametrize("how", ["raised", "ordered"])
async def test_worse_again_after_one_place_was_taken_back_keeps_the_other_ones_from_going_home(
    how: str, door: ApiDriver, bench: CaseBench
) -> None:
    """At the riverside people are moved again; graver, the slope hears it too: its release holds no more."""
    sweeps = await two_places_are_walked(door, bench)
    case, there = sweeps[""], of_sweeps(door)
    await door.go(case, [*SLOPE_IS_SEEN, Step("permit_return", "officer", {"points": [SLOPE]})])
    await told(door, sweeps[SLOPE], "sweep:released")
    await riverside_is_taken_back(door, bench, sweeps)
    assert swept(bench, sweeps[SLOPE]).is_over, "at the slope it is over, whatever is found at the riverside"
    step = Step("raise_level", "officer", {"level": "red", "reason": "坡体开裂"})
    await door.go(case, [step if how == "raised" else Step("order_move", "officer", {"zones": ["a"]})])
    await told(door, sweeps[SLOPE], "sweep:worse_again")
    home = await there.give(sweeps[SLOPE], Step("confirm_back", "grid_worker", back_body("slope-01")))

    assert "not released" in home.text
    assert not warned(bench, case).points[SLOPE].inspected
    assert not swept(bench, sweeps[SLOPE]).is_over


@pytest.mark.parametrize("stage", [Stage.MOVING, Stage.SHELTERED])
def test_its_issuer_is_heard_though_people_are_moved_again(stage: Stage) -> None:
    """An update of no other level: where an all clear holds it is worse again; where none does, nobody was to go home."""
    moved: dict[str, Any] = {"stage": stage, "terms": policy().terms, "level": "red", "source": Source.OFFICIAL}
    called_off = WarningState.model_construct(**moved, issuer_over=NOW)
    taken_back = WarningState.model_construct(**moved, cleared_by="officer-he")
    by_their_own_word = WarningState.model_construct(**moved)

    assert is_worse_again(taken_back, WarningLevel.RED)
    assert not is_worse_again(taken_back, WarningLevel.YELLOW)
    assert renews(called_off, WarningLevel.RED)
    assert not is_worse_again(called_off, WarningLevel.RED)
    assert not is_worse_again(by_their_own_word, WarningLevel.RED)


async def test_a_place_is_inspected_and_released_while_another_one_is_moved_again(
    door: ApiDriver, bench: CaseBench
) -> None:
    """The slope waits for nobody; the riverside is over only after an all clear of its own, and is looked at anew then."""
    sweeps = await two_places_are_walked(door, bench)
    case, there = sweeps[""], of_sweeps(door)
    await riverside_is_taken_back(door, bench, sweeps)
    early = await door.give(case, Step("inspect_place", "officer"))
    assert "is not over there" in early.text
    await door.go(case, [*SLOPE_IS_SEEN])
    assert warned(bench, case).clocks["permit"].status == "running"
    await door.go(case, [Step("permit_return", "officer", {"points": [SLOPE]})])
    await told(door, sweeps[SLOPE], "sweep:released")
    await there.go(sweeps[SLOPE], [Step("confirm_back", "grid_worker", back_body("slope-01"))])
    await eventually(lambda: [each.over for each in warned(bench, case).sweeps if each.point == SLOPE] == [True])

    assert warned(bench, case).stage == Stage.MOVING
    await door.go(case, [Step("declare_all_clear", "officer")])
    assert warned(bench, case).points[POINT].inspected == {}
    assert warned(bench, case).points[SLOPE].released == "home"
