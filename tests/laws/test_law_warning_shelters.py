"""The law of shelters: one gym is one crowd, and whoever is in it stands in one list, whatever warning they come of."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.policies.policies import load_policy
from engine.runtime.settings import PROJECT
from schemas.warning import WARNING
from schemas.warning_shelter_commands import CheckIn, CheckOut, CloseShelter, Headcount
from schemas.warning_state import Refuge, WarningState
from schemas.warning_terms import Shelter, WarningPolicy
from tests.api_driver import ApiDriver, Step
from tests.bench_api import bench_door
from tests.case_bench import CaseBench, case_bench
from tests.examples import warning
from tests.swept_town import facts_of, nobody_had_gone, told
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(240)
HALL = "community-hall"
OPEN, CLOSE = Step("open_shelter", "clerk"), Step("close_shelter", "clerk")


@pytest.fixture
async def shared(tmp_path: Path) -> AsyncIterator[CaseBench]:
    """A bench of a town in which a shelter has one list, as in the town's own rules."""
    async with case_bench(tmp_path, sandbox=False) as bench:
        known = bench.policies["warning"]
        assert isinstance(known, WarningPolicy)
        terms = known.terms.model_copy(update={"one_book_per_shelter": True, "one_team_per_list": True})
        bench.policies = {**bench.policies, "warning": known.model_copy(update={"terms": terms})}
        yield bench


def state(bench: CaseBench, case: str) -> WarningState:
    """A warning as it last told of itself."""
    found = bench.state(case)
    assert isinstance(found, WarningState)
    return found


def guests(household: str, persons: int = 1) -> dict[str, object]:
    """Who comes."""
    return {"shelter": HALL, "household": household, "persons": persons}


def leaving(household: str, persons: int = 1) -> dict[str, object]:
    """Who goes."""
    return {**guests(household, persons), "where": "回家"}


async def other_hazard(door: ApiDriver, **more: object) -> str:
    """Another warning of the same place."""
    return await door.start(body={**warning.REPORT, "hazard": "landslide", **more})


async def test_one_gym_is_in_one_list(shared: CaseBench) -> None:
    """The second warning opens it in vain, and says where its people are listed; a drill is apart; closed, it is the other's."""
    door = bench_door(shared, WARNING)
    rain, slope = await door.start(), await other_hazard(door)
    drill = await other_hazard(door, drill=True)
    await door.go(rain, [OPEN, Step("check_in", "clerk", guests("riverside-01", 2))])
    await told(door, rain, "warning:unit:held")
    await door.go(slope, [OPEN])
    await told(door, slope, "warning:shelter:elsewhere")
    refused = await door.give(slope, Step("check_in", "clerk", guests("slope-01")))
    assert "another warning has opened it" in refused.text
    recipients = {
        each["recipient"]
        for each in shared.tables.notices[slope].values()
        if each["template"] == "warning_shelter_elsewhere"
    }
    assert recipients == {"role:street_officer", "role:grid_worker", "role:window_clerk", "participant:clerk-qian"}
    await door.go(rain, [Step("check_in", "clerk", guests("slope-01", 3))])
    await door.go(rain, [Step("headcount", "clerk", {"shelter": HALL, "counted": 4})])
    assert (state(shared, rain).missing, state(shared, slope).missing) == (1, 0)
    await door.go(drill, [OPEN])
    await told(door, drill, "warning:unit:held")
    await door.go(rain, [Step("headcount", "clerk", {"shelter": HALL, "counted": 5})])
    out = [Step("check_out", "clerk", leaving("riverside-01", 2)), Step("check_out", "clerk", leaving("slope-01", 3))]
    await door.go(rain, [*out, CLOSE])
    await told(door, rain, "warning:unit:released")
    await door.go(slope, [OPEN, Step("check_in", "clerk", guests("slope-01", 3))])
    await told(door, slope, "warning:unit:held")

    assert state(shared, slope).shelters[HALL].guests == {"slope-01": 3}
    assert not state(shared, slope).shelters[HALL].book_elsewhere


def test_who_was_listed_before_the_answer_came_stays_listed() -> None:
    """Nobody drops out of a list by an answer: whoever it has is moved over by people, and nobody more comes in."""
    known = Refuge(places=9, step_free=True, opened=True, guests={"slope-01": 2}, book_elsewhere=True)

    assert [each.among(known) for each in (CheckIn, Headcount, CheckOut)] == [False, False, True]
    assert not CloseShelter.among(known)


async def test_opened_again_at_once_it_is_still_ones_own(shared: CaseBench) -> None:
    """What is given up is free before the same is asked for again; so it is with lists that are let go at the all clear."""
    door = bench_door(shared, WARNING)
    case = await door.start()
    await door.go(case, [OPEN])
    await told(door, case, "warning:unit:held")
    await door.go(case, [CLOSE, OPEN, Step("order_move", "officer")])
    await told(door, case, "warning:sweep:stands")
    await door.go(case, [Step("declare_all_clear", "officer"), Step("order_move", "officer")])
    await eventually(lambda: all(each.standing != "asked" for each in state(shared, case).reserved_units))

    kinds = shared.tables.kinds(case)
    assert "warning:unit:refused" not in kinds
    assert state(shared, case).shelters[HALL].opened


async def test_a_gym_that_nobody_closed_is_open_to_the_next_warning(shared: CaseBench) -> None:
    """It is empty, its warning is looked back on for weeks, and the next flood's people stand before it."""
    door = bench_door(shared, WARNING)
    case = await door.start()
    mine = Step("open_shelter", "clerk", {"shelter": HALL, "keeper": "clerk-qian"})
    await door.go(case, [mine, Step("check_in", "clerk", guests("riverside-01"))])
    await told(door, case, "warning:unit:held")
    await door.go(case, [Step("order_move", "officer")])
    await told(door, case, "warning:sweep:stands")
    await door.go(case, [Step("declare_all_clear", "officer")])
    await nobody_had_gone(door, f"{case}.sweep-1")
    await eventually(lambda: all(each.over for each in state(shared, case).sweeps))
    assert state(shared, case).shelters[HALL].opened, "somebody is in it"
    await door.go(case, [Step("check_out", "clerk", leaving("riverside-01"))])
    await told(door, case, "warning:unit:released", times=2)
    assert (state(shared, case).stage, state(shared, case).shelters[HALL].opened) == ("reviewing", False)
    closed = [each for each in shared.tables.notices[case].values() if each["template"] == "warning_shelter_closed"]
    assert [each["recipient"] for each in closed] == ["participant:clerk-qian"]

    other = await other_hazard(door)
    await door.go(other, [OPEN])
    await told(door, other, "warning:unit:held")
    await door.go(other, [Step("check_in", "clerk", guests("riverside-01"))])
    assert state(shared, other).shelters[HALL].people == 1


async def test_a_family_that_was_split_is_listed_in_both(shared: CaseBench) -> None:
    """Three live there: two here and one there; a fourth would be somebody who is listed twice."""
    door = bench_door(shared, WARNING)
    case = await door.start()
    gym = {"shelter": "school-gym", "household": "riverside-01", "persons": 1}
    await door.go(case, [OPEN, Step("open_shelter", "clerk", {"shelter": "school-gym", "keeper": "clerk-qian"})])
    await door.go(case, [Step("check_in", "clerk", guests("riverside-01", 2)), Step("check_in", "clerk", gym)])
    answer = await door.give(case, Step("check_in", "clerk", gym))

    assert "is in another one" in answer.text
    assert [each.guests for each in state(shared, case).shelters.values()] == [{"riverside-01": 1}, {"riverside-01": 2}]


async def test_a_count_on_paper_is_held_against_no_later_list(shared: CaseBench) -> None:
    """Two were there and counted; two more came; then the paper is entered: nobody lacks by it, and a count of now is due."""
    door = bench_door(shared, WARNING)
    case = await door.start()
    await door.go(case, [OPEN, Step("check_in", "clerk", guests("riverside-01", 2))])
    first = state(shared, case).shelters[HALL].last_at
    assert first is not None
    await shared.let_pass(timedelta(minutes=30))
    await door.go(case, [Step("check_in", "clerk", guests("riverside-02", 2))])
    paper = {"shelter": HALL, "counted": 2, "done_at": (first + timedelta(minutes=5)).isoformat()}
    await door.go(case, [Step("headcount", "clerk", paper)])
    assert (state(shared, case).missing, state(shared, case).shelters[HALL].counts) == (0, 0)
    now = {**paper, "done_at": (first + timedelta(minutes=31)).isoformat()}
    await shared.let_pass(timedelta(minutes=5))
    await door.go(case, [Step("headcount", "clerk", now)])

    assert (state(shared, case).missing, state(shared, case).shelters[HALL].counts) == (2, 1)
    assert [each["counts"] for each in await facts_of(door, case, "warning:shelter:counted") if "counts" in each] == [
        False
    ]


async def test_whoever_lacked_on_paper_is_looked_for(shared: CaseBench) -> None:
    """One of two lacked, two more came and one left; then the paper is entered: it is told, and a count of now is due soon."""
    door = bench_door(shared, WARNING)
    case = await door.start()
    await door.go(case, [OPEN, Step("check_in", "clerk", guests("riverside-01", 2))])
    first = state(shared, case).shelters[HALL].last_at
    assert first is not None
    await shared.let_pass(timedelta(minutes=30))
    await door.go(case, [Step("check_in", "clerk", guests("riverside-02", 2))])
    await door.go(case, [Step("check_out", "clerk", leaving("riverside-02"))])
    paper = {"shelter": HALL, "counted": 1, "done_at": (first + timedelta(minutes=5)).isoformat()}
    await door.go(case, [Step("headcount", "clerk", paper)])
    (said,) = await facts_of(door, case, "warning:shelter:counted")
    told_so = {each["recipient"] for each in _notices(shared, case, "warning_lacked")}

    assert (said["counts"], said["lacked"], state(shared, case).missing) == (False, 1, 0)
    assert told_so == {"role:grid_worker", "role:street_officer", "role:coordinator"}
    clock = state(shared, case).clocks[f"headcount:{HALL}"]
    assert clock.limit.counted == timedelta(minutes=30)
    await shared.let_pass(timedelta(minutes=1))
    await door.go(case, [Step("headcount", "clerk", {"shelter": HALL, "counted": 3})])
    await door.go(case, [Step("headcount", "clerk", paper)])
    assert len(_notices(shared, case, "warning_lacked")) == 3, "somebody has counted since"


def _notices(bench: CaseBench, case: str, template: str) -> list[dict[str, Any]]:
    return [each for each in bench.tables.notices[case].values() if each["template"] == template]


async def test_whoever_keeps_a_shelter_lists_who_is_in_it(shared: CaseBench) -> None:
    """Wherever else they work, and as long as it is open; told so by their account."""
    door = bench_door(shared, WARNING)
    case = await door.start()
    comes = Step("check_in", "clerk_of_002", guests("riverside-01"))
    assert (await door.give(case, comes)).status_code == 404
    await door.go(case, [Step("open_shelter", "clerk", {"shelter": HALL, "keeper": "clerk-002"}), comes])
    assert "participant:clerk-002" in {each["recipient"] for each in shared.tables.notices[case].values()}
    assert (await door.give(case, Step("open_shelter", "clerk_of_002"))).status_code == 403
    await door.go(
        case, [Step("check_out", "clerk_of_002", leaving("riverside-01")), Step("close_shelter", "clerk_of_002")]
    )

    assert (await door.give(case, comes)).status_code == 404


def test_the_shelters_of_the_street_around_are_those_of_a_warning() -> None:
    """Of a community without one, too; of a street without one those of the town."""
    policy = load_policy(WARNING, PROJECT / "policies", ("emergency-management",))
    assert isinstance(policy, WarningPolicy)
    far = Shelter.model_validate(
        {"name": {"zh": "远", "en": "far"}, "area": "320104.009.01", "places": 9, "step_free": True}
    )
    policy = policy.model_copy(update={"shelters": {**policy.shelters, "far": far}})
    near = {"school-gym", HALL}

    assert set(policy.shelters_in("320104.003.02")) == near
    assert set(policy.shelters_in("320104.003.01.01")) == near
    assert set(policy.shelters_in("320104.003")) == near
    assert set(policy.shelters_in("320104")) == {*near, "far"}
    assert set(policy.shelters_in("320104.009")) == {"far"}
    assert set(policy.shelters_in("320104.005.01")) == {*near, "far"}
