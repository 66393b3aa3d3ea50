"""The law of places that are found unsafe after they were released: whoever is home is moved, and elsewhere nobody is forgotten."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.policies.policies import load_policy
from engine.runtime.settings import PROJECT
from schemas.kernel.case import Message
from schemas.sweep_state import HouseholdStage, SweepState
from schemas.warning import WARNING
from schemas.warning_issuer import is_worse_again, renews
from schemas.warning_messages import DoorStands, Subject, SweepReport
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


async def one_of_two_is_home(door: ApiDriver, bench: CaseBench) -> tuple[str, str]:
    """A warning of one place, and its sweep, which still waits for the second household."""
    case = await door.start()
    await door.go(case, [Step("order_move", "officer", {"zones": ["a"]})])
    sweep = f"{case}.sweep-1"
    await eventually(lambda: sweep in bench.tables.rows)
    doors = [Step("record_door", "grid_worker", door_body(each, persons=3)) for each in RIVER]
    await of_sweeps(door).go(sweep, [TEAM, ALONG, *doors, Step("report_swept", "grid_worker", {})])
    await told(door, case, "warning:swept")
    await door.go(case, [Step("declare_all_clear", "officer", {}), *warning.INSPECTED])
    await told(door, sweep, "sweep:released")
    await of_sweeps(door).go(sweep, [Step("confirm_back", "grid_worker", back_body(RIVER[0]))])
    await eventually(lambda: stages(bench, case)[RIVER[0]] == HouseholdStage.RETURNED)
    return case, sweep


def stages(bench: CaseBench, case: str) -> dict[str, str]:
    """Where each household stands, as the warning has heard."""
    return {each.code: each.stage for each in warned(bench, case).households}


@pytest.mark.parametrize("last", ["moved", "elsewhere"])
async def test_who_is_home_already_is_moved_again_while_the_team_still_goes(
    last: str, door: ApiDriver, bench: CaseBench
) -> None:
    """The team of the place goes to them once more, whatever becomes of the last household; the place is over anew after that."""
    (case, sweep), there = await one_of_two_is_home(door, bench), of_sweeps(door)
    await door.go(case, [UNSAFE])
    assert warned(bench, case).stage == Stage.MOVING
    assert stages(bench, case)[RIVER[0]] == HouseholdStage.LISTED
    await eventually(lambda: swept(bench, sweep).items[0].stage == HouseholdStage.LISTED)
    assert (swept(bench, sweep).stage, swept(bench, sweep).is_over) == ("walking", False)
    if last == "elsewhere":
        await there.go(sweep, [Step("confirm_back", "grid_worker", back_body(RIVER[1], "elsewhere"))])
    assert swept(bench, sweep).clocks["sweep"].status == "running"
    doors = [
        Step("record_door", "grid_worker", door_body(RIVER[0], persons=3)),
        Step("report_swept", "grid_worker", {}),
    ]
    await there.go(sweep, doors)
    await told(door, case, "warning:swept", times=2)
    await door.go(case, [Step("declare_all_clear", "officer", {})])
    early = await door.give(case, Step("permit_return", "officer"))
    assert "look at it first" in early.text
    await door.go(case, [Step("inspect_place", "officer"), Step("inspect_place", "grid_worker", warning.NOT_SAFE)])
    await door.go(case, [Step("permit_return", "officer")])
    await told(door, sweep, "sweep:released", times=2)
    left = RIVER if last == "moved" else RIVER[:1]
    await there.go(sweep, [Step("confirm_back", "grid_worker", back_body(each, "rehoused")) for each in left])
    await told(door, case, "warning:all_back")

    assert HouseholdStage.RETURNED not in stages(bench, case).values()


async def test_a_word_that_was_on_its_way_when_a_place_was_taken_back_leaves_nobody_home(
    door: ApiDriver, bench: CaseBench
) -> None:
    """The second one came home before the team heard, and the warning hears it after."""
    case = await door.start()
    await door.go(case, [Step("order_move", "officer", {"zones": ["a"]})])
    sweep = f"{case}.sweep-1"
    await eventually(lambda: sweep in bench.tables.rows)
    doors = [Step("record_door", "grid_worker", door_body(each, persons=3)) for each in RIVER]
    await of_sweeps(door).go(sweep, [TEAM, ALONG, *doors, Step("report_swept", "grid_worker", {})])
    await told(door, case, "warning:swept")
    await door.go(case, [Step("declare_all_clear", "officer", {}), *warning.INSPECTED])
    await told(door, sweep, "sweep:released")
    await door.go(case, [UNSAFE])
    assert warned(bench, case).stage == Stage.RETURNING, "nobody is home by what it has heard"
    late = SweepReport(
        number=1, stage="swept", heard=99, doors=(DoorStands(code=RIVER[0], stage="returned", persons=3),)
    )
    message = Message(
        message_id=f"{sweep}/late", sender=sweep, to=case, subject=Subject.SWEEP_REPORTED,
        facts=late.model_dump(mode="json"),
    )  # fmt: skip
    await bench.client.get_workflow_handle(case).signal("message", message)
    await eventually(lambda: warned(bench, case).stage == Stage.MOVING)

    assert stages(bench, case)[RIVER[0]] == HouseholdStage.LISTED
    await eventually(lambda: not swept(bench, sweep).is_over)


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
