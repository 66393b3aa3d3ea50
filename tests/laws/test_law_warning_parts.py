"""The law of wide warnings: who works in a part of it sees, acts and is told, and ends nothing of the whole."""

from collections.abc import AsyncIterator

import pytest

from schemas.kernel.visibility import may_see, sight_of
from schemas.sweep_state import SweepState
from schemas.values.actor import Actor, Role
from schemas.warning import WARNING
from schemas.warning_state import Stage, WarningState
from tests.api_driver import ApiDriver, Step
from tests.bench_api import bench_door
from tests.case_bench import CaseBench, case_bench
from tests.examples import warning
from tests.swept_town import door_body, of_sweeps
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(240)
TOWN, ELSEWHERE = "320104", "320105.001"
PLACE = {"leader": "grid-li", "deputy": "grid-qian", "where": "河滩露营地"}
TENT = {"point": "place-1", "zone": "a", "heads": 1, "address": "1号帐篷"}


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[CaseBench]:
    """A bench of this file's own."""
    async with case_bench(tmp_path_factory.mktemp("parts"), sandbox=False) as opened:
        yield opened


@pytest.fixture
def door(bench: CaseBench) -> ApiDriver:
    """The door of warnings."""
    return bench_door(bench, WARNING)


async def warned(door: ApiDriver) -> str:
    """A warning of the whole town, by the department."""
    return await door.start(by="officer", body={**warning.REPORT, "area": TOWN})


async def test_the_people_of_a_street_act_in_a_warning_of_the_town(door: ApiDriver, bench: CaseBench) -> None:
    """They order, open, take in, count and find; a place of another street they do not answer for."""
    case = await warned(door)
    for command, who in (
        ("acknowledge_call", "bound_street"), ("order_move", "bound_street"), ("open_shelter", "clerk_of_003"),
        ("check_in", "clerk_of_003"), ("headcount", "worker_of_02"), ("found_household", "worker_of_02"),
        ("report_casualty", "bound_street"), ("comment", "clerk_of_003"),
    ):  # fmt: skip
        await door.go(case, [Step(command, who)])
    state = bench.state(case)
    assert isinstance(state, WarningState)

    assert (state.stage, state.shelters["community-hall"].people) == (Stage.MOVING, 3)
    answer = await door.give(case, Step("acknowledge_call", "street_of_002", {"point": "slope-south"}))
    assert "another street" in answer.text
    assert [each.point for each in state.unanswered] == ["slope-south"]


async def test_nobody_of_a_part_takes_back_raises_or_ends_the_whole(door: ApiDriver) -> None:
    """Neither the street's officer, whose word in a warning of the street itself it is."""
    watched = await door.start(by="officer", body={**warning.REPORT, "area": TOWN, "level": "yellow"})
    case = await warned(door)
    for number, command in (
        (watched, "stop_watching"),
        (case, "cancel_warning"),
        (case, "ask_cancel"),
        (case, "raise_level"),
    ):
        answer = await door.give(number, Step(command, "bound_street"))
        assert (answer.status_code, answer.json()["code"]) == (403, "not-your-case"), command


async def test_at_a_place_in_no_plan_the_street_persuades_and_sees_again(door: ApiDriver, bench: CaseBench) -> None:
    """It lies somewhere in the whole area, and so does its sweep."""
    case = await warned(door)
    steps = [
        Step("name_place", "bound_street", PLACE),
        Step("found_household", "bound_street", TENT),
        Step("order_move", "officer"),
    ]
    await door.go(case, steps)
    sweeps = {each.point: f"{case}.sweep-{each.number}" for each in _state(bench, case).sweeps}
    sweep = sweeps["place-1"]
    await eventually(lambda: sweep in bench.tables.rows)
    there, refuses = of_sweeps(door), door_body("found-1", "refused", 0)
    team = Step("set_out", "worker_of_02", {"team": ["grid-li"]})
    await there.go(sweep, [team, Step("record_door", "worker_of_02", refuses)])
    await there.go(sweep, [Step("persuade", "bound_street", {"item": "found-1", "words": "水已到帐篷"})])

    found = bench.state(sweep)
    assert isinstance(found, SweepState)
    assert found.items[0].persuaded == 1


def _state(bench: CaseBench, case: str) -> WarningState:
    found = bench.state(case)
    assert isinstance(found, WarningState)
    return found


async def test_who_works_outside_sees_nothing(door: ApiDriver, bench: CaseBench) -> None:
    """Another town's people, and in a warning of one street those of another one."""
    state = _state(bench, await warned(door))
    for role in (Role.STREET_OFFICER, Role.GRID_WORKER, Role.WINDOW_CLERK):
        assert may_see(sight_of(state), Actor(subject="li", role=role, area="320104.002"))
        assert not may_see(sight_of(state), Actor(subject="li", role=role, area=ELSEWHERE))
    street = sight_of(state).model_copy(update={"area": "320104.003"})
    assert not may_see(street, Actor(subject="li", role=Role.STREET_OFFICER, area="320104.002"))
