"""The law of sweeps: nobody is listed twice, nobody is missing, and of each household a person has said how it ended."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.policies.policies import load_policy
from engine.runtime.settings import PROJECT
from schemas.clocks.clocks import due_at
from schemas.kernel.case import Message
from schemas.kernel.visibility import may_see, shown_facts, sight_of
from schemas.sweep import SWEEP
from schemas.sweep_commands import RecordDoor
from schemas.sweep_state import (
    ENDS,
    SAFE,
    Household,
    HouseholdStage,
    Release,
    Stage,
    SweepState,
    drawn_to_recheck,
    limit_of_sweep,
)
from schemas.values.actor import OWN_CASES_ONLY, Actor, Role
from schemas.values.references import WITHHELD
from schemas.warning import WARNING
from schemas.warning_messages import (
    DoorStands,
    HouseholdsAdded,
    ItIsOver,
    LevelChanged,
    Listed,
    Released,
    Subject,
    SweepReport,
    WorseAgain,
)
from schemas.warning_state import WarningState
from schemas.warning_terms import WarningLevel, WarningPolicy, WarningTerms, Zone
from tests.api_driver import ApiDriver, Step
from tests.bench_api import bench_door
from tests.case_bench import CaseBench, case_bench
from tests.examples import warning
from tests.swept_town import ALONG, POINT, TEAM, back_body, door_body, facts_of, nobody_had_gone, of_sweeps, told
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(240)
NOW = datetime(2027, 7, 1, 2, 10, tzinfo=UTC)
ONE, TWO, THREE, RING = "riverside-01", "riverside-02", "riverside-03", "riverside-11"


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[CaseBench]:
    """A bench of this file's own."""
    async with case_bench(tmp_path_factory.mktemp("sweep"), sandbox=False) as opened:
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


def warned(bench: CaseBench, case_id: str) -> WarningState:
    """A warning as it last told of itself."""
    state = bench.state(case_id)
    assert isinstance(state, WarningState)
    return state


def swept(bench: CaseBench, case_id: str) -> SweepState:
    """A sweep likewise."""
    state = bench.state(case_id)
    assert isinstance(state, SweepState)
    return state


def stages(bench: CaseBench, sweep: str) -> dict[str, str]:
    """Where each household of a sweep stands."""
    return {each.code: each.stage for each in swept(bench, sweep).items}


async def ordered(door: ApiDriver, bench: CaseBench, *zones: str) -> tuple[str, str]:
    """A warning, and its first sweep."""
    case = await door.start()
    await door.go(case, [Step("order_move", "officer", {"zones": list(zones) or ["a"]})])
    await eventually(lambda: f"{case}.sweep-1" in bench.tables.rows)
    return case, f"{case}.sweep-1"


async def walks(door: ApiDriver, sweep: str, *doors: Mapping[str, Any]) -> None:
    """The team goes, and writes down these doors."""
    there = of_sweeps(door)
    await there.go(sweep, [TEAM, ALONG, *(Step("record_door", "grid_worker", each) for each in doors)])


async def refused(door: ApiDriver, case: str, step: Step) -> str:
    """A command that must be refused; why."""
    answer = await door.give(case, step)
    assert answer.status_code in {403, 404, 409, 422}, answer.text
    said = answer.json()
    return " ".join([said.get("detail", ""), *(each["reason"] for each in said.get("faults", ()))])


async def hears(bench: CaseBench, case: str, sender: str, number: int, subject: str, facts: Any) -> None:
    """A case hears another one say this."""
    message = Message(
        message_id=f"{sender}/told-{number}",
        sender=sender,
        to=case,
        subject=subject,
        facts=facts.model_dump(mode="json"),
    )
    await bench.client.get_workflow_handle(case).signal("message", message)


# ---- nobody twice, nobody missing ----------------------------------------------------------------------------------------


def union(bench: CaseBench, case: str) -> Counter[str]:
    """Who stands on a list of a sweep, and of how many that is not over."""
    state = warned(bench, case)
    running = [f"{case}.sweep-{each.number}" for each in state.sweeps if not (each.over or each.gone)]
    return Counter(each.code for sweep in running for each in swept(bench, sweep).items)


async def all_know(bench: CaseBench, case: str) -> None:
    """Wait until each sweep has heard of whoever is its own."""

    def known() -> bool:
        state = warned(bench, case)
        lists = {
            each.number: {item.code for item in swept(bench, f"{case}.sweep-{each.number}").items}
            for each in state.sweeps
            if f"{case}.sweep-{each.number}" in bench.tables.rows
        }
        return all(each.code in lists.get(each.sweep, ()) for each in state.households)

    await eventually(known)


async def test_red_while_orange_is_half_swept_lists_nobody_twice(door: ApiDriver, bench: CaseBench) -> None:
    """Graver, and one more found, and ordered again: each stands on one list, and what was done at a door stays done."""
    case, sweep = await ordered(door, bench)
    await walks(door, sweep, door_body(ONE, persons=3))
    await eventually(lambda: warned(bench, case).listed(ONE).stage == HouseholdStage.MOVED)  # type: ignore[union-attr]
    await door.go(case, [Step("raise_level", "street_officer"), Step("found_household", "grid_worker")])
    await door.go(case, [Step("order_move", "officer", {"zones": ["a", "b", "ring"]})])
    await all_know(bench, case)

    wanted = {ONE, TWO, THREE, RING, "found-1"}
    assert union(bench, case) == Counter(wanted)
    assert {each.code for each in warned(bench, case).households} == wanted
    assert stages(bench, sweep)[ONE] == HouseholdStage.MOVED
    assert {each.stage for each in warned(bench, case).households if each.code == ONE} == {HouseholdStage.MOVED}
    assert swept(bench, sweep).level is WarningLevel.RED
    await door.go(case, [Step("found_household", "officer")])
    assert warned(bench, case).listed("found-2") is not None, "the case gives the codes: no two are one"


async def test_whoever_is_found_when_the_team_was_done_is_gone_to_by_the_team(
    door: ApiDriver, bench: CaseBench
) -> None:
    """A sweep that is swept goes on: the household is on its list, and the warning is not sheltered any more."""
    case, sweep = await ordered(door, bench)
    await walks(door, sweep, door_body(ONE), door_body(TWO))
    await of_sweeps(door).go(sweep, [Step("report_swept", "grid_worker", {})])
    await told(door, case, "warning:swept")
    await door.go(case, [Step("found_household", "grid_worker")])
    await all_know(bench, case)

    assert swept(bench, sweep).stage == Stage.WALKING
    assert stages(bench, sweep)["found-1"] == HouseholdStage.LISTED
    assert warned(bench, case).stage == "moving"


async def test_a_sweep_that_has_broken_off_leaves_nobody_behind(door: ApiDriver, bench: CaseBench) -> None:
    """Its case does not run any more: whoever had not ended is on the list of another team, as nobody had been there."""
    case, sweep = await ordered(door, bench)
    await walks(door, sweep, door_body(ONE))
    await bench.client.get_workflow_handle(sweep).terminate()
    await door.go(case, [Step("raise_level", "officer")])
    await told(door, case, "warning:sweep:gone")
    await eventually(lambda: f"{case}.sweep-2" in bench.tables.rows)
    await all_know(bench, case)

    assert union(bench, case) == Counter({ONE, TWO, THREE, RING})
    assert set(stages(bench, f"{case}.sweep-2").values()) == {HouseholdStage.LISTED}
    assert [each.gone for each in warned(bench, case).sweeps] == [True, False]


async def test_older_news_of_a_door_loses_and_each_sweep_speaks_for_itself(door: ApiDriver, bench: CaseBench) -> None:
    """A word that was overtaken, one of another sweep, one of a stranger: the warning knows what was said last."""
    case, sweep = await ordered(door, bench)
    await walks(door, sweep, door_body(ONE))
    await eventually(lambda: warned(bench, case).listed(ONE).stage == HouseholdStage.MOVED)  # type: ignore[union-attr]
    heard = warned(bench, case).listed(ONE).heard  # type: ignore[union-attr]
    old = SweepReport(number=1, stage="walking", heard=heard - 1, doors=(DoorStands(code=ONE, stage="listed"),))
    other = SweepReport(number=1, stage="back", heard=99, doors=(DoorStands(code=TWO, stage="moved"),), over=True)
    await hears(bench, case, sweep, 1, Subject.SWEEP_REPORTED, old)
    await hears(bench, case, f"{case}.sweep-2", 2, Subject.SWEEP_REPORTED, other)
    await hears(bench, case, "warning-20260601-999999.sweep-1", 3, Subject.SWEEP_REPORTED, other)
    await door.go(case, [Step("comment", "officer")])

    assert {each.code: each.stage for each in warned(bench, case).households} == {ONE: "moved", TWO: "listed"}
    assert not warned(bench, case).sweeps[0].over


async def test_worse_again_moves_who_is_home_by_another_sweep_and_nobody_twice(
    door: ApiDriver, bench: CaseBench
) -> None:
    """One is at home and one on the way: the first is moved by a new list, the second by the old one."""
    case, sweep = await ordered(door, bench)
    there = of_sweeps(door)
    await walks(door, sweep, door_body(ONE), door_body(TWO))
    await there.go(sweep, [Step("report_swept", "grid_worker", {})])
    await door.go(case, [Step("declare_all_clear", "officer", {}), *warning.INSPECTED])
    await told(door, sweep, "sweep:released")
    await there.go(sweep, [Step("confirm_back", "grid_worker", back_body(ONE))])
    await eventually(lambda: warned(bench, case).listed(ONE).stage == HouseholdStage.RETURNED)  # type: ignore[union-attr]
    await door.go(case, [Step("order_move", "officer", {"zones": ["a"]})])
    await told(door, sweep, "sweep:worse_again")
    refusal = await refused(there, sweep, Step("confirm_back", "grid_worker", back_body(TWO)))

    assert "not released" in refusal
    assert [each.sweep for each in warned(bench, case).households] == [1, 1]
    await eventually(lambda: stages(bench, sweep).get(ONE) == HouseholdStage.LISTED)


# ---- a person's word, and nothing else ------------------------------------------------------------------------------------


def test_no_row_of_the_engine_ends_a_sweep_that_has_begun() -> None:
    """Back is what people say; only a team that has not gone is called off."""
    automatic = [
        rule for rule in SWEEP.rules if rule.automatic and {str(each) for each in rule.to} & {"back", "recalled"}
    ]

    assert [(rule.command, rule.at) for rule in automatic] == [("stand_down", (Stage.SENT,))]


async def test_silence_ends_no_household_and_no_sweep(tmp_path: Path) -> None:
    """A team of which nobody hears again: days later each door is as it was, and everybody was called again and again."""
    async with case_bench(tmp_path, sandbox=False) as bench:
        door = bench_door(bench, WARNING)
        case, sweep = await ordered(door, bench)
        await walks(door, sweep, door_body(TWO, "nobody", 0))
        await bench.let_pass(timedelta(days=3))
        await bench.at_rest(sweep)

        assert stages(bench, sweep) == {ONE: HouseholdStage.LISTED, TWO: HouseholdStage.NOBODY}
        assert swept(bench, sweep).stage == Stage.WALKING
        assert bench.tables.kinds(sweep).count("sweep:called_again") > 10
        assert "sweep_called_again" in {each["template"] for each in bench.tables.notices[sweep].values()}
        assert warned(bench, case).stage == "moving"


async def test_who_is_not_safe_is_somebodys_duty_until_they_are(tmp_path: Path) -> None:
    """Also after the sweep is reported, and whoever else sets out meanwhile: the duty is late, and everybody is called again."""
    async with case_bench(tmp_path, sandbox=False) as bench:
        door = bench_door(bench, WARNING)
        case, sweep = await ordered(door, bench)
        there = of_sweeps(door)
        await walks(door, sweep, door_body(ONE, "must_be_carried", 3), door_body(TWO))
        await there.go(sweep, [Step("report_swept", "grid_worker", {"unsafe": [ONE]})])
        begun = swept(bench, sweep).clocks["unsafe:1"].facts[0].at
        await there.go(sweep, [Step("record_door", "grid_worker", door_body(ONE, "nobody", 0))])
        assert [each.at for each in swept(bench, sweep).clocks["unsafe:1"].facts] == [begun]
        await bench.let_pass(timedelta(hours=6))
        await there.go(sweep, [Step("set_out", "other_worker", {"team": ["grid-he"]})])
        called = bench.tables.kinds(sweep).count("sweep:called_again")
        await bench.let_pass(timedelta(hours=6))
        await bench.at_rest(sweep)
        assert bench.tables.kinds(sweep).count("sweep:called_again") > called > 0
        assert warned(bench, case).clocks["sheltered"].status == "running"
        await there.go(sweep, [Step("record_door", "grid_worker", door_body(ONE))])

        assert {swept(bench, sweep).clocks[each].status for each in ("final", "unsafe:1")} == {"stopped"}


async def test_swept_names_each_who_is_not_safe_and_leaves_no_door_out(door: ApiDriver, bench: CaseBench) -> None:
    """One door left, one name too few, one too many: refused; exactly those: swept. Nobody inside is not safe."""
    _, sweep = await ordered(door, bench)
    there = of_sweeps(door)
    await walks(door, sweep, door_body(ONE, "nobody", 0))
    assert "nobody was at 1 doors" in await refused(
        there, sweep, Step("report_swept", "grid_worker", {"unsafe": [ONE]})
    )
    assert "door to door" in await refused(there, sweep, Step("search_house", "other_worker"))
    await there.go(sweep, [Step("record_door", "grid_worker", door_body(TWO)), Step("search_house", "grid_worker")])
    for wrong in ([], [ONE, TWO], [TWO], [ONE, ONE]):
        said = await refused(there, sweep, Step("report_swept", "grid_worker", {"unsafe": wrong}))
        assert "name each one" in said
    assert "until the all clear" in await refused(
        there, sweep, Step("report_swept", "grid_worker", {"unsafe": [ONE], "stayed": [TWO]})
    )
    await there.go(sweep, [Step("report_swept", "grid_worker", {"unsafe": [ONE]})])

    (entry,) = await facts_of(there, sweep, "sweep:swept")
    assert entry["households"] == {"listed": 0, "safe": 1, "unsafe": 1, "done": 0}
    assert stages(bench, sweep)[ONE] == HouseholdStage.NOBODY


async def test_half_a_household_is_not_safe(door: ApiDriver, bench: CaseBench) -> None:
    """Three live there: one moved says nothing of two; who refuses keeps it unsafe; all three, or said where they are, is safe."""
    case, sweep = await ordered(door, bench)
    there = of_sweeps(door)
    one = {"item": ONE, "outcome": "moved", "persons": 1}
    await walks(door, sweep, door_body(TWO))
    assert "3 live there, and 1" in await refused(there, sweep, Step("record_door", "grid_worker", one))
    await walks(door, sweep, {**one, "rest": "refused"})
    assert stages(bench, sweep)[ONE] == HouseholdStage.REFUSED
    await there.go(sweep, [Step("report_swept", "grid_worker", {"unsafe": [ONE]})])
    await told(door, case, "warning:swept")

    (entry,) = await facts_of(there, sweep, "sweep:swept")
    assert entry["people"] == {"heads": 4, "accounted_for": 2}
    (said,) = await facts_of(door, case, "warning:swept")
    assert (said["heads"], said["accounted_for"], said["unsafe"]) == (4, 2, 1)
    await walks(door, sweep, {**one, "persons": 3})
    assert stages(bench, sweep)[ONE] == HouseholdStage.MOVED


def test_of_what_was_found_and_the_rest_the_graver_counts() -> None:
    """Who must be carried does not become one who refuses; who came back too early is listed again, whatever the others do."""
    found = {
        ("must_be_carried", "refused"): "must_be_carried", ("nobody", "refused"): "refused", ("moved", "nobody"): "nobody",
        ("refused", "must_be_carried"): "must_be_carried", ("came_back", "refused"): "listed", ("moved", None): "moved",
    }  # fmt: skip
    for (outcome, rest), stage in found.items():
        said = RecordDoor.model_validate({"item": ONE, "outcome": outcome, "persons": 1, "rest": rest})
        assert (said.stage, said.leads_to) == (stage, stage), (outcome, rest)


async def test_who_goes_in_is_of_the_team(door: ApiDriver, bench: CaseBench) -> None:
    """A name that nobody answers to is no second person."""
    _, sweep = await ordered(door, bench)
    there = of_sweeps(door)
    await walks(door, sweep, door_body(ONE, "nobody", 0))
    looks = there.examples.BODIES["search_house"]
    assert "nobody of the team" in await refused(
        there, sweep, Step("search_house", "grid_worker", {**looks, "second": "grid-he"})
    )
    await there.go(sweep, [Step("search_house", "grid_worker", looks)])

    assert swept(bench, sweep).items[0].searched


async def test_nobody_goes_alone_and_nobody_sees_their_own_work_again(door: ApiDriver, bench: CaseBench) -> None:
    """Two go; at the doors the team speaks; the drawn doors are seen by others, and by nobody of the team."""
    _, sweep = await ordered(door, bench)
    there = of_sweeps(door)
    assert "2 people" in await refused(there, sweep, Step("set_out", "grid_worker", {"team": ["grid-zhao"]}))
    await there.go(sweep, [TEAM])
    safe, refuses = Step("record_door", "grid_worker", door_body(ONE)), door_body(ONE, "refused", 0)
    assert "whoever goes along has not said" in await refused(there, sweep, safe)
    assert "sets out first" in await refused(there, sweep, Step("record_door", "deputy", door_body(ONE)))
    await there.go(
        sweep, [Step("record_door", "grid_worker", refuses), Step("set_out", "grid_worker", {"team": ["li"]})]
    )
    assert "whoever goes along has not said" in await refused(there, sweep, safe), "no one account is two people"
    notices = sorted(bench.tables.notices[sweep].items())
    asked = [each["recipient"] for _, each in notices if each["template"] == "sweep_say_so"]
    assert asked == ["participant:grid-qian", "participant:grid-qian", "participant:li"]
    await walks(door, sweep, door_body(ONE))
    assert "door to door" in await refused(there, sweep, Step("record_door", "other_worker", door_body(TWO)))
    await there.go(sweep, [Step("record_door", "deputy", door_body(TWO)), Step("report_swept", "deputy", {})])
    (drawn,) = swept(bench, sweep).to_recheck
    other = TWO if drawn == ONE else ONE
    body = {"item": drawn, "as_written": False}
    assert "not of the team" in await refused(there, sweep, Step("recheck", "deputy", body))
    assert "drawn" in await refused(there, sweep, Step("recheck", "other_worker", {**body, "item": other}))
    await there.go(sweep, [Step("recheck", "other_worker", body)])

    assert stages(bench, sweep) == {drawn: HouseholdStage.LISTED, other: HouseholdStage.MOVED}
    assert swept(bench, sweep).stage == Stage.WALKING


async def test_taken_out_only_after_a_second_person_asked_and_under_a_law(door: ApiDriver, bench: CaseBench) -> None:
    """Who was refused does not persuade; without persuasion no removal; ordered is not safe; a door says that they are out."""
    _, sweep = await ordered(door, bench)
    there = of_sweeps(door)
    await walks(door, sweep, door_body(ONE, "refused", 3))
    assert "second person" in await refused(there, sweep, Step("persuade", "grid_worker"))
    assert "second person" in await refused(there, sweep, Step("order_removal", "street_officer"))
    await there.go(sweep, [Step("persuade", "deputy")])
    assert "written down anew" in await refused(there, sweep, Step("order_removal", "street_officer"))
    await there.go(sweep, [Step("record_door", "grid_worker", door_body(ONE, "refused", 3))])
    await there.go(sweep, [Step("order_removal", "street_officer")])
    assert stages(bench, sweep)[ONE] == HouseholdStage.REFUSED
    await there.go(sweep, [Step("record_door", "grid_worker", door_body(ONE, persons=3))])

    assert stages(bench, sweep)[ONE] == HouseholdStage.MOVED
    (rule,) = [each for each in SWEEP.rules if each.command == "order_removal"]
    without = policy().terms.model_copy(update={"removal_law": None})
    known: dict[str, Any] = {"stage": Stage.WALKING, "terms": without, "area": "320104", "items": []}
    state = SweepState.model_construct(**known)
    (condition,) = rule.conditions
    assert condition(state, None, NOW) is not None  # type: ignore[arg-type]


async def test_nobody_is_out_of_danger_by_a_word_from_a_desk(door: ApiDriver, bench: CaseBench) -> None:
    """Who was at no door says nothing; a door first, a search before the police; all elsewhere before the all clear is no end."""
    case, sweep = await ordered(door, bench)
    there = of_sweeps(door)
    await walks(door, sweep, door_body(ONE, "refused", 3))
    assert "door to door" in await refused(
        there, sweep, Step("confirm_back", "other_worker", back_body(ONE, "elsewhere"))
    )
    for household in (ONE, TWO):
        said = await refused(there, sweep, Step("confirm_back", "grid_worker", back_body(household, "elsewhere")))
        assert "not out of danger" in said
    police = {**back_body(ONE, "with_police"), "persons": 0, "police_order": "JJ-2027-0040"}
    assert "two go in first" in await refused(there, sweep, Step("confirm_back", "grid_worker", police))
    await walks(door, sweep, door_body(ONE), door_body(TWO))
    await there.go(sweep, [Step("confirm_back", "grid_worker", back_body(each, "elsewhere")) for each in (ONE, TWO)])
    assert swept(bench, sweep).stage == Stage.WALKING
    await door.go(case, [Step("declare_all_clear", "officer", {})])
    await told(door, case, "warning:all_back")

    assert swept(bench, sweep).stage == Stage.BACK


async def test_who_comes_back_too_early_is_listed_again(door: ApiDriver, bench: CaseBench) -> None:
    """The sweep goes on, and the street hears; nobody comes back who was not moved."""
    case, sweep = await ordered(door, bench)
    there = of_sweeps(door)
    await walks(door, sweep, door_body(ONE))
    assert "was not moved" in await refused(
        there, sweep, Step("record_door", "grid_worker", door_body(TWO, "came_back"))
    )
    await there.go(sweep, [Step("record_door", "grid_worker", door_body(TWO)), Step("report_swept", "grid_worker", {})])
    await there.go(sweep, [Step("record_door", "grid_worker", door_body(ONE, "came_back"))])
    await eventually(lambda: warned(bench, case).stage == "moving")

    assert (swept(bench, sweep).stage, stages(bench, sweep)[ONE]) == (Stage.WALKING, HouseholdStage.LISTED)
    assert "sweep_came_back" in {each["template"] for each in bench.tables.notices[sweep].values()}


# ---- what the warning says, in any order ------------------------------------------------------------------------------------

WORDS = (
    (Subject.LEVEL_CHANGED, LevelChanged(level=WarningLevel.RED, heard=90)),
    (Subject.IT_IS_OVER, ItIsOver(by="officer-em", heard=91)),
    (Subject.WORSE_AGAIN, WorseAgain(heard=92)),
    (Subject.RELEASED, Released(points=(POINT,), release=Release.HOME, heard=93)),
)


@pytest.mark.parametrize("order", list(permutations(range(4))), ids=lambda order: "".join(map(str, order)))
async def test_words_of_the_warning_in_any_order_leave_the_same(
    order: tuple[int, ...], door: ApiDriver, bench: CaseBench
) -> None:
    """Whichever is overtaken: graver, and released last, so that it is over; nobody is home by it."""
    case, sweep = await ordered(door, bench)
    await walks(door, sweep, door_body(ONE))
    for number in order:
        await hears(bench, sweep, case, 100 + number, *WORDS[number])
    await of_sweeps(door).go(sweep, [Step("comment", "officer")])
    state = swept(bench, sweep)

    assert (state.level, state.is_over) == (WarningLevel.RED, True)
    assert {each.released for each in state.items} == {Release.HOME}
    assert stages(bench, sweep) == {ONE: HouseholdStage.MOVED, TWO: HouseholdStage.LISTED}


async def test_whoever_leads_in_a_grid_walks_the_sweep_of_a_wider_warning(door: ApiDriver, bench: CaseBench) -> None:
    """The warning is of a community, the leader of one grid, the deputy of another: both go, and others of that grid do not."""
    case, sweep = await ordered(door, bench)
    there = of_sweeps(door)
    assert (warned(bench, case).area, swept(bench, sweep).area) == ("320104.003.01", "320104.003.01.01")
    await there.go(sweep, [Step("set_out", "bound_worker", TEAM.body), ALONG])
    await there.go(sweep, [Step("record_door", "bound_worker", door_body(ONE))])
    await there.go(sweep, [Step("record_door", "deputy", door_body(TWO)), Step("report_swept", "deputy", {})])
    await door.go(case, [Step("acknowledge_call", "bound_worker"), Step("comment", "deputy")])
    other = Actor(subject="grid-he", role=Role.GRID_WORKER, area="320104.003.02.01")

    assert swept(bench, sweep).stage == Stage.SWEPT
    assert not SWEEP.rules.legal(swept(bench, sweep), other, NOW)
    assert not may_see(sight_of(swept(bench, sweep)), other)


async def test_found_unsafe_after_the_permit_stops_who_goes_home(door: ApiDriver, bench: CaseBench) -> None:
    """Nobody is home yet: the release is taken back, the sweep and the grid hear; safe after all is said by both again."""
    case, sweep = await ordered(door, bench)
    there = of_sweeps(door)
    await walks(door, sweep, door_body(ONE, persons=3), door_body(TWO))
    await door.go(case, [Step("declare_all_clear", "officer"), *warning.INSPECTED])
    await told(door, sweep, "sweep:released")
    await door.go(case, [Step("inspect_place", "grid_worker", warning.NOT_SAFE)])
    await told(door, sweep, "sweep:taken_back")
    assert "not released" in await refused(there, sweep, Step("confirm_back", "grid_worker", back_body(TWO)))
    assert warned(bench, case).points[POINT].released is None
    (entry,) = await facts_of(there, sweep, "sweep:taken_back")
    assert (entry["at_home"], warned(bench, case).stage) == (0, "returning")
    notices = bench.tables.notices[case].values()
    told_so = {each["recipient"] for each in notices if each["template"] == "warning_taken_back"}
    assert told_so == {"department:emergency-management", "role:grid_worker", "participant:grid-zhao"}
    await door.go(case, [Step("inspect_place", "grid_worker")])
    said = await refused(door, case, Step("permit_return", "officer"))
    assert "look at it first" in said
    await door.go(case, [Step("inspect_place", "officer"), Step("permit_return", "officer")])
    await told(door, sweep, "sweep:released", times=2)

    await there.go(sweep, [Step("confirm_back", "grid_worker", back_body(each)) for each in (ONE, TWO)])
    assert swept(bench, sweep).stage == Stage.BACK


async def test_over_before_a_team_stands_calls_it_off_too(door: ApiDriver, bench: CaseBench) -> None:
    """The all clear before its case stands, and a release that overtakes the all clear: who has not gone does not go."""
    case = await door.start()
    await door.go(case, [Step("order_move", "officer"), Step("declare_all_clear", "officer")])
    await eventually(lambda: f"{case}.sweep-1" in bench.tables.rows)
    await nobody_had_gone(door, f"{case}.sweep-1")
    await told(door, case, "warning:all_back")
    assert swept(bench, f"{case}.sweep-1").stage == Stage.RECALLED

    case, sweep = await ordered(door, bench)
    await hears(bench, sweep, case, 1, *WORDS[3])
    await nobody_had_gone(door, sweep)


async def test_a_last_word_that_was_on_its_way_when_it_got_worse_loses_nobody(
    door: ApiDriver, bench: CaseBench
) -> None:
    """A team was called off, and one household was home: people are moved again, and another team has both."""
    case, sweep = await ordered(door, bench)
    last = SweepReport(
        number=1, stage="back", heard=99, doors=(DoorStands(code=ONE, stage="returned", persons=3),), over=True
    )
    await hears(bench, case, sweep, 1, Subject.SWEEP_REPORTED, last)
    await eventually(lambda: f"{case}.sweep-2" in bench.tables.rows)
    await eventually(lambda: {*stages(bench, f"{case}.sweep-2")} == {ONE, TWO})

    assert warned(bench, case).stage == "moving"
    assert {each.sweep for each in warned(bench, case).households} == {2}


async def test_who_is_named_again_is_said_to_stand_where_they_stand(door: ApiDriver, bench: CaseBench) -> None:
    """Listed by older news who is moved: the sweep lists nobody twice, and says so, or nobody is ever sheltered."""
    case, sweep = await ordered(door, bench)
    await walks(door, sweep, door_body(ONE, persons=3))
    await eventually(lambda: warned(bench, case).listed(ONE).stage == HouseholdStage.MOVED)  # type: ignore[union-attr]
    told_before = (await door.kinds(case)).count("warning:sweep:reported")
    again = HouseholdsAdded(households=(Listed(code=ONE, point=POINT, zone=Zone.A, heads=3),))
    await hears(bench, sweep, case, 1, Subject.HOUSEHOLDS_ADDED, again)
    await told(door, case, "warning:sweep:reported", times=told_before + 1)
    said = (await facts_of(door, case, "warning:sweep:reported"))[-1]

    assert said["doors"] == [{"code": ONE, "stage": "moved", "persons": 3}]
    assert "sweep:added" not in bench.tables.kinds(sweep)


async def test_what_is_said_of_a_level_never_gives_more_time(tmp_path: Path) -> None:
    """Red shortly before the end of orange leaves that end; an onset at the same level brings it forward, and no list is moved."""
    async with case_bench(tmp_path, sandbox=False) as bench:
        door = bench_door(bench, WARNING)
        case, sweep = await ordered(door, bench)
        due = _due(bench, sweep)
        await bench.let_pass(timedelta(minutes=110))
        await hears(bench, sweep, case, 1, Subject.LEVEL_CHANGED, LevelChanged(level=WarningLevel.RED, heard=90))
        await told(door, sweep, "sweep:level_changed")
        assert _due(bench, sweep) == due
        onset = due + timedelta(minutes=25)
        sooner = LevelChanged(level=WarningLevel.RED, onset=onset, heard=91)
        await hears(bench, sweep, case, 2, Subject.LEVEL_CHANGED, sooner)
        await told(door, sweep, "sweep:level_changed", times=2)

        assert timedelta(minutes=-6) <= _due(bench, sweep) - due < timedelta(0)


async def test_graver_moves_whom_its_level_names_and_says_so(door: ApiDriver, bench: CaseBench) -> None:
    """By an entry of its own, with the lists of that level; who is home of another list stays on no list."""
    case, _ = await ordered(door, bench)
    await door.go(case, [Step("raise_level", "officer")])
    kinds = await door.kinds(case)
    (entry,) = await facts_of(door, case, "warning:moved_by_level")

    assert entry["zones"] == ["a", "b", "ring"]
    assert set(entry["listed"]) == {THREE, RING}
    assert "warning:ordered_by_itself" not in kinds


def _due(bench: CaseBench, sweep: str) -> datetime:
    state = swept(bench, sweep)
    found = due_at(state.clocks["sweep"], state.charter.calendar)
    assert found is not None
    return found


async def test_who_had_ended_stands_at_the_door_all_the_same(tmp_path: Path) -> None:
    """Elsewhere, and at home too early: listed again. Home when it was permitted, and written down after it got worse: so too."""
    async with case_bench(tmp_path, sandbox=False) as bench:
        door = bench_door(bench, WARNING)
        case, sweep = await ordered(door, bench)
        there = of_sweeps(door)
        await walks(door, sweep, door_body(ONE, persons=3), door_body(TWO))
        await there.go(sweep, [Step("report_swept", "grid_worker", {})])
        await there.go(sweep, [Step("confirm_back", "grid_worker", back_body(ONE, "elsewhere"))])
        said = await refused(there, sweep, Step("record_door", "grid_worker", door_body(ONE, persons=3)))
        assert "how it ended" in said
        await there.go(sweep, [Step("record_door", "grid_worker", door_body(ONE, "came_back", 3))])
        assert stages(bench, sweep)[ONE] == HouseholdStage.LISTED
        await walks(door, sweep, door_body(ONE, persons=3))
        await there.go(sweep, [Step("report_swept", "grid_worker", {})])
        await door.go(case, [Step("declare_all_clear", "officer"), *warning.INSPECTED])
        await told(door, sweep, "sweep:released")
        at_home = swept(bench, sweep).items[1].since
        await bench.let_pass(timedelta(minutes=10))
        await door.go(case, [Step("order_move", "officer", {"zones": ["a"]})])
        await told(door, sweep, "sweep:worse_again")
        dated = {**back_body(TWO), "done_at": (at_home + timedelta(minutes=5)).isoformat()}
        await there.go(sweep, [Step("confirm_back", "grid_worker", dated)])

        assert stages(bench, sweep)[TWO] == HouseholdStage.LISTED
        assert swept(bench, sweep).stage == Stage.WALKING
        await eventually(lambda: warned(bench, case).stage == "moving")


@pytest.mark.parametrize("role", [each for each in Role if each is not Role.ENGINE])
def test_where_somebody_lives_is_for_who_moves_them(role: Role) -> None:
    """Address, heads and who refuses: for who goes there or judges it; nobody else reads any of it."""
    reader = Actor(subject="x", role=role)
    household = {"code": "found-1", "address": "text:1", "heads": 2}
    sent = shown_facts("sweep:sent", {"households": [household]}, reader)["households"][0]
    doors = shown_facts("warning:sweep:reported", {"doors": [{"code": ONE, "stage": "refused"}]}, reader)["doors"]
    door = shown_facts("sweep:door", {"item": ONE, "outcome": "refused", "persons": 2}, reader)
    kinds = ("persuaded", "removal_ordered", "searched")
    named = [shown_facts(f"sweep:{kind}", {"item": ONE, "police_order": "JJ-1"}, reader)["item"] for kind in kinds]
    works = role not in {
        *OWN_CASES_ONLY, Role.COMMITTEE_OFFICER, Role.ADMIN, Role.WINDOW_CLERK, Role.CIVIL_AFFAIRS_OFFICER,
    }  # fmt: skip

    assert (door["outcome"], door["persons"]) == (("refused", 2) if works else (WITHHELD, WITHHELD))
    assert sent == (household if works else {"code": "found-1", "address": WITHHELD, "heads": WITHHELD})
    assert (doors != WITHHELD) is works
    assert named == [ONE if works else WITHHELD] * 3, "what the entry is says that they refuse, or that nobody opened"


@pytest.mark.parametrize("how", ["at_home", "dead"])
async def test_over_is_no_end_for_whom_nobody_came_to(how: str, door: ApiDriver, bench: CaseBench) -> None:
    """The all clear says why it is over their heads; each is seen, dead is a casualty too, and the last word counts them all."""
    case, sweep = await ordered(door, bench)
    there = of_sweeps(door)
    await walks(door, sweep, door_body(ONE, "nobody", 0))
    said = await refused(door, case, Step("declare_all_clear", "officer", {}))
    assert "2 households are not safe" in said
    await door.go(case, [Step("declare_all_clear", "officer"), *warning.INSPECTED])
    await told(door, sweep, "sweep:released")
    await there.go(sweep, [Step("report_swept", "grid_worker", {"unsafe": [ONE], "stayed": [TWO]})])
    dead = {**back_body(ONE, "dead"), "police_order": "JJ-2027-0041"}
    assert swept(bench, sweep).stage == Stage.SWEPT
    unseen = {**back_body(TWO, "dead"), "police_order": "JJ-2027-0042"}
    confirmed = [back_body(TWO), dead] if how == "at_home" else [unseen, dead]
    await there.go(sweep, [Step("confirm_back", "grid_worker", each) for each in confirmed])
    await eventually(lambda: warned(bench, case).sweeps[0].over)
    assert warned(bench, case).stage == "returning"
    notices = {each["template"] for each in bench.tables.notices[case].values()}
    assert "warning_dead_not_reported" in notices
    casualty = {"dead": 1 if how == "at_home" else 2, "missing": 0, "hurt": 0, "where": "滨河路1号"}
    await door.go(case, [Step("report_casualty", "officer", casualty)])
    await told(door, case, "warning:all_back")

    (entry,) = await facts_of(door, case, "warning:all_back")
    assert entry["stages"] == ({"dead": 1, "returned": 1} if how == "at_home" else {"dead": 2})


async def test_a_team_that_has_not_gone_does_not_go_when_it_is_over(door: ApiDriver, bench: CaseBench) -> None:
    """Called off, and the warning is reviewed; one that has gone says first where everybody is."""
    case, sweep = await ordered(door, bench)
    there = of_sweeps(door)
    assert "somebody has gone" in await refused(there, sweep, Step("report_not_gone", "grid_worker"))
    await door.go(case, [Step("declare_all_clear", "officer")])
    await told(door, sweep, "sweep:over")
    assert "does not go" in await refused(there, sweep, TEAM)
    assert "who leads the team" in await refused(there, sweep, Step("report_not_gone", "other_worker"))
    await nobody_had_gone(door, sweep)
    await told(door, case, "warning:all_back")
    assert swept(bench, sweep).stage == Stage.RECALLED

    case, sweep = await ordered(door, bench)
    await walks(door, sweep, door_body(ONE))
    await door.go(case, [Step("declare_all_clear", "officer")])
    await told(door, sweep, "sweep:over")
    assert "to whom nobody came" in await refused(there, sweep, Step("report_swept", "grid_worker", {}))
    await there.go(sweep, [Step("report_swept", "grid_worker", {"stayed": [TWO]})])

    assert stages(bench, sweep) == {ONE: HouseholdStage.MOVED, TWO: HouseholdStage.LISTED}
    assert [each.code for each in swept(bench, sweep).items if each.stayed] == [TWO]
    assert swept(bench, sweep).stage == Stage.SWEPT
    assert warned(bench, case).stage == "clearing"


# ---- reckoned -----------------------------------------------------------------------------------------------------------


@given(level=st.sampled_from(WarningLevel), minutes=st.integers(-120, 600) | st.none())
def test_a_sweep_is_over_before_it_begins(level: WarningLevel, minutes: int | None) -> None:
    """By its level, and never later than half an hour before; where that has passed, at once."""
    terms: WarningTerms = policy().terms
    onset = None if minutes is None else NOW + timedelta(minutes=minutes)
    limit = limit_of_sweep(terms, level, NOW, onset).counted
    most = terms.sweep[level].counted

    assert timedelta(minutes=1) <= limit <= most
    if onset is not None and minutes is not None and minutes > terms.before_onset_minutes:
        assert NOW + limit <= onset - timedelta(minutes=terms.before_onset_minutes)


@given(count=st.integers(0, 500), percent=st.integers(1, 100), walk=st.integers(1, 3))
def test_so_many_doors_are_drawn_and_by_nobodys_choice(count: int, percent: int, walk: int) -> None:
    """At least so many of a hundred and one; the same at the same moment, whatever time the team writes; others a moment later."""
    homes = [
        Household(number=each, code=f"h-{each}", stage="moved", since=NOW, by="li", point=POINT, zone=Zone.A, heads=1)
        for each in range(1, count + 1)
    ]
    drawn = drawn_to_recheck("warning-20270701-000001.sweep-1", walk, homes, percent, NOW)

    assert drawn == drawn_to_recheck("warning-20270701-000001.sweep-1", walk, homes, percent, NOW)
    assert len(drawn) == len(set(drawn))
    assert len(drawn) * 100 >= count * percent
    assert (len(drawn) >= 1) is bool(count)
    if count >= 400 and percent <= 50:
        dated = [each.model_copy(update={"since": NOW + timedelta(seconds=1)}) for each in homes]
        assert drawn == drawn_to_recheck("warning-20270701-000001.sweep-1", walk, dated, percent, NOW)
        at = NOW + timedelta(microseconds=1)
        assert drawn != drawn_to_recheck("warning-20270701-000001.sweep-1", walk, homes, percent, at)


def test_every_outcome_at_a_door_is_a_stage_that_is_no_end() -> None:
    """What is found at a door is safe, not safe, or listed again; the end comes later, by another word."""
    assert set(RecordDoor.goes_to) & set(ENDS) == set()
    assert set(SAFE) & set(ENDS) == set()


@pytest.mark.parametrize("who", ["resident", "auditor"])
async def test_a_household_is_nobodys_to_speak_of_from_afar(who: str, door: ApiDriver, bench: CaseBench) -> None:
    """Neither residents nor auditors say anything at a door, and who works elsewhere does not either."""
    _, sweep = await ordered(door, bench)
    there = of_sweeps(door)
    people = {"resident": "applicant", "auditor": "auditor"}
    answer = await there.give(sweep, Step("record_door", people[who], door_body(ONE)))

    assert answer.status_code in {403, 404}
    assert replace(door).procedure is WARNING


async def test_when_a_team_set_out_is_written_down_later(door: ApiDriver, bench: CaseBench) -> None:
    """There was no signal: the entry says when it was; not ahead, nor before the team was sent."""
    _, sweep = await ordered(door, bench)
    there = of_sweeps(door)
    opened = swept(bench, sweep).opened_at
    for wrong in (opened - timedelta(minutes=1), opened + timedelta(days=1)):
        body = {"team": ["grid-qian"], "done_at": wrong.isoformat()}
        assert "6 hours" in await refused(there, sweep, Step("set_out", "grid_worker", body))
    await there.go(sweep, [Step("set_out", "grid_worker", {"team": ["grid-qian"], "done_at": opened.isoformat()})])

    (said,) = await facts_of(there, sweep, "sweep:set_out")
    assert datetime.fromisoformat(said["done_at"]) == opened
