"""The law of warnings: an official red is not waited with, a call is answered, and nobody is cleared over who was not counted."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.keys.key_files import KeyFileExposed
from engine.policies.notice_templates import load_notice_policy
from engine.policies.policies import PolicyFaults
from engine.runtime.settings import PROJECT, Settings
from schemas.kernel.rules import Rule
from schemas.values.actor import Role
from schemas.warning import WARNING
from schemas.warning_commands import HearIssuer, MessageType
from schemas.warning_issuer import counts
from schemas.warning_state import (
    BEFORE_MOVING,
    OPEN,
    Asked,
    AtRisk,
    ListedHousehold,
    Point,
    Refuge,
    Source,
    Stage,
    WarningState,
)
from schemas.warning_terms import LevelRule, RiskPoint, WarningLevel, WarningPolicy, Zone
from starter.warning_areas import is_of_a_part, places_of
from starter.warning_houses import FILE as HOUSES
from starter.warning_houses import load_houses
from tests.api_driver import ApiDriver, Step
from tests.bench_api import bench_door
from tests.case_bench import CaseBench, case_bench
from tests.every_procedure import PROCEDURE_LIST
from tests.examples import warning
from tests.swept_town import ALONG, TEAM, back_body, door_body, of_sweeps
from tests.swept_town import told as told_in
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(240)
HALL, GYM = "community-hall", "school-gym"


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[CaseBench]:
    """A bench of this file's own."""
    async with case_bench(tmp_path_factory.mktemp("warning"), sandbox=False) as opened:
        yield opened


@pytest.fixture
def door(bench: CaseBench) -> ApiDriver:
    """The door of warnings."""
    return bench_door(bench, WARNING)


def state(bench: CaseBench, case: str) -> WarningState:
    """A warning as it last told of itself."""
    found = bench.state(case)
    assert isinstance(found, WarningState)
    return found


async def refused(door: ApiDriver, case: str, step: Step) -> str:
    """A command that must be refused; why, and what to do."""
    answer = await door.give(case, step)
    assert answer.status_code in {403, 409, 422}, answer.text
    said = answer.json()
    return " ".join(
        [said.get("detail", ""), *(f"{each['reason']} {each['remedy']}" for each in said.get("faults", ()))]
    )


def told(bench: CaseBench, case: str, template: str) -> list[str]:
    """Who was told something, in order."""
    notices = sorted(bench.tables.notices[case].items())
    return [each["recipient"] for _, each in notices if each["template"] == template]


# ---- whose word it is ----------------------------------------------------------------------------------------------------


def _official(stage: Stage, **more: Any) -> WarningState:
    known = {"stage": stage, "source": Source.OFFICIAL, "area": "320104", "department": "emergency-management", **more}
    return WarningState.model_construct(**known)


def test_nobody_of_the_town_takes_an_official_warning_back() -> None:
    """Neither cancelled nor cleared before its issuer has spoken; it is never looked at first, so that nobody can dismiss it."""
    rows: list[Rule] = [
        each
        for each in WARNING.rules
        if each.command in {"cancel_warning", "ask_cancel", "confirm_cancel", "stop_watching", "declare_all_clear"}
    ]
    now = warning_time()
    for row in rows:
        objections = [each(_official(Stage(str(row.at[0]))), None, now) for each in row.conditions]  # type: ignore[arg-type]
        assert any(objections), row.command
    dismissed = [each for each in WARNING.rules if Stage.DISMISSED in each.to]
    assert {each.at for each in dismissed} == {(Stage.ISSUED,)}


def warning_time() -> Any:
    """A moment of town time."""
    return datetime(2027, 7, 1, 2, 10, tzinfo=UTC)


def test_no_clock_ends_a_warning_under_which_somebody_is_out() -> None:
    """What the case does by itself leads on, never to an end; and people's words end it only when all are back, or nobody went."""
    ends = {"closed", "dismissed", "cancelled"}
    by_itself = [each for each in WARNING.rules if each.automatic and {str(to) for to in each.to} & ends]
    by_people = {
        str(at) for each in WARNING.rules for at in each.at if not each.automatic and {str(to) for to in each.to} & ends
    }

    assert by_itself == []
    issuer = [each for each in WARNING.rules if each.command == "hear_issuer"]
    assert [by.role for each in issuer for by in each.by] == [Role.ENGINE]
    others = {
        str(at)
        for each in WARNING.rules
        for at in each.at
        if each.command != "hear_issuer" and {str(to) for to in each.to} & ends
    }
    assert others == {*map(str, BEFORE_MOVING), "reviewing"}
    assert by_people >= others
    assert set(map(str, OPEN)) >= by_people


# ---- minutes -------------------------------------------------------------------------------------------------------------


async def test_silence_is_gone_on_without_in_minutes(tmp_path: Path) -> None:
    """Nobody looks, nobody answers, nobody orders: it goes on, who stands in is called, and the lists of its level are moved."""
    async with case_bench(tmp_path, sandbox=False) as bench:
        door = bench_door(bench, WARNING)
        case = await door.start(by="grid_worker", body={**warning.REPORT, "level": "red"})
        begun = state(bench, case).opened_at
        await door.passes(case, "warning:went_on")
        await door.passes(case, "warning:ordered_by_itself")
        found = state(bench, case)
        chain = {each["kind"]: each["at"] for each in bench.tables.chain(case)}
        minutes = {
            kind: (parsed(chain[kind]) - begun).total_seconds() // 60
            for kind in ("warning:went_on", "warning:ordered_by_itself")
        }

        assert minutes == {"warning:went_on": 10, "warning:ordered_by_itself": 25}
        assert found.stage == Stage.MOVING
        assert {each.code for each in found.households} == {f"riverside-{each}" for each in ("01", "02", "03", "11")}
        assert told(bench, case, "warning_call") == ["participant:grid-zhao", "participant:grid-qian"]
        assert told(bench, case, "warning_went_on") == ["role:supervisor"]
        assert found.unanswered


def parsed(at: str) -> Any:
    """A moment as entries have it."""
    return datetime.fromisoformat(at)


async def test_a_call_is_answered_by_whoever_leads_there(door: ApiDriver, bench: CaseBench) -> None:
    """Not by somebody else of the grid; the street can; once answered it waits no more."""
    case = await door.start()
    answer = Step("acknowledge_call", "other_worker")
    assert "who leads there" in await refused(door, case, answer)
    await door.go(case, [Step("acknowledge_call", "deputy")])

    assert state(bench, case).calls[0].answered_by == "grid-qian"
    assert "no call of this place" in await refused(door, case, Step("acknowledge_call", "street_officer"))


async def test_who_leads_elsewhere_does_not_answer_for_a_place(door: ApiDriver, bench: CaseBench) -> None:
    """A place of the same warning has its own people; and an order before any call calls them all the same."""
    case = await door.start()
    named = {"leader": "grid-li", "deputy": "grid-he", "where": "河滩"}
    await door.go(case, [Step("name_place", "officer", named)])
    assert "who leads there" in await refused(door, case, Step("acknowledge_call", "other_worker"))
    await door.go(case, [Step("acknowledge_call", "other_worker", {"point": "place-1"})])
    unlooked = await door.start(by="grid_worker")
    await door.go(unlooked, [Step("order_move", "officer")])

    assert told(bench, unlooked, "warning_call") == ["participant:grid-zhao"]
    assert [each.point for each in state(bench, unlooked).unanswered] == ["riverside-low"]


async def test_a_shelter_is_counted_often_at_first_and_less_later(tmp_path: Path) -> None:
    """Within two hours of the first guest and of each count; twelve hours later within six."""
    async with case_bench(tmp_path, sandbox=False) as bench:
        door = bench_door(bench, WARNING)
        case = await door.start()
        await door.go(case, [Step("open_shelter", "clerk"), Step("check_in", "clerk"), Step("headcount", "clerk")])
        assert str(state(bench, case).clocks[f"headcount:{HALL}"].limit.counted) == "2:00:00"
        await bench.let_pass(timedelta(hours=13))
        await door.go(case, [Step("headcount", "clerk")])

        assert str(state(bench, case).clocks[f"headcount:{HALL}"].limit.counted) == "6:00:00"


async def test_that_it_is_nothing_say_two(door: ApiDriver, bench: CaseBench) -> None:
    """Who asked does not decide; until the second has spoken the minutes run on."""
    case = await door.start(by="grid_worker")
    await door.go(case, [Step("dismiss", "coordinator")])
    assert "asked" in await refused(door, case, Step("confirm_dismissal", "coordinator"))
    await door.passes(case, "warning:went_on")

    assert state(bench, case).stage == Stage.CALLING
    assert state(bench, case).dismissal is None


async def test_an_order_under_which_no_team_goes_is_looked_at(door: ApiDriver, bench: CaseBench) -> None:
    """No household of that list stands in the area: somebody decides in time, and it does not stand still."""
    case = await door.start(body={**warning.REPORT, "area": "320104.003.02"})
    await door.go(case, [Step("order_move", "officer", {"zones": ["ring"]})])

    assert (state(bench, case).stage, state(bench, case).sweeps) == (Stage.MOVING, [])
    assert state(bench, case).clocks["sheltered"].status == "running"


async def test_what_was_asked_of_less_does_not_hold_for_more(door: ApiDriver, bench: CaseBench) -> None:
    """Dismissed or cancelled is what was asked for: graver, it is asked anew; and whoever leads says so at once."""
    yellow = {**warning.REPORT, "level": "yellow"}
    reported = await door.start(by="grid_worker", body=yellow)
    await door.go(reported, [Step("dismiss", "coordinator"), Step("raise_level", "street_officer")])
    assert state(bench, reported).stage == Stage.CALLING, "the word of the street is looked at by nobody"
    assert state(bench, reported).clocks["confirm"].status == "stopped"
    assert (await door.give(reported, Step("confirm_dismissal", "supervisor"))).status_code in {403, 409, 422}
    watched = await door.start(body=yellow)
    await door.go(watched, [Step("ask_cancel", "street_officer"), Step("raise_level", "officer")])
    assert (await door.give(watched, Step("confirm_cancel", "supervisor"))).status_code in {403, 409, 422}

    assert state(bench, watched).stage == Stage.CALLING


async def test_who_was_called_hears_that_it_is_graver(door: ApiDriver, bench: CaseBench) -> None:
    """Called for orange, also who has answered; and where no list was to be moved before, the order is due now."""
    known = bench.policies["warning"]
    assert isinstance(known, WarningPolicy)
    levels = {**known.terms.levels, WarningLevel.ORANGE: LevelRule(calls=True)}
    terms = known.terms.model_copy(update={"levels": levels})
    bench.policies = {**bench.policies, "warning": known.model_copy(update={"terms": terms})}
    try:
        case = await door.start()
    finally:
        bench.policies = {**bench.policies, "warning": known}
    assert "order" not in state(bench, case).clocks
    await door.go(case, [Step("acknowledge_call", "deputy"), Step("raise_level", "officer")])
    called = ["participant:grid-zhao", "participant:grid-qian"]
    assert told(bench, case, "warning_graver") == [*called, "role:street_officer", "department:emergency-management"]
    await door.passes(case, "warning:ordered_by_itself")

    assert state(bench, case).stage == Stage.MOVING


async def test_after_the_last_answer_nobody_is_called_again(tmp_path: Path) -> None:
    """Every two hours everybody was, and with the answer that lacked it ends."""
    async with case_bench(tmp_path, sandbox=False) as bench:
        known = bench.policies["warning"]
        assert isinstance(known, WarningPolicy)
        levels = {**known.terms.levels, WarningLevel.ORANGE: LevelRule(calls=True)}
        terms = known.terms.model_copy(update={"levels": levels})
        bench.policies = {**bench.policies, "warning": known.model_copy(update={"terms": terms})}
        door = bench_door(bench, WARNING)
        case = await door.start()
        await door.passes(case, "warning:called_again")
        assert state(bench, case).clocks["final"].status == "running"
        await door.go(case, [Step("acknowledge_call", "deputy")])

        assert state(bench, case).clocks["final"].status == "stopped"


async def test_whoever_issued_it_takes_it_back_or_two_do(door: ApiDriver, bench: CaseBench) -> None:
    """What waits to be looked at is cancelled by nobody; later another one asks, and a second one says so too."""
    case = await door.start(by="grid_worker")
    answer = await door.give(case, Step("cancel_warning", "officer"))
    assert answer.status_code == 409
    await door.go(case, [Step("confirm_warning", "officer")])
    assert "whoever issued it" in await refused(door, case, Step("cancel_warning", "officer"))
    asked = Step("ask_cancel", "officer")
    await door.go(case, [asked])
    assert state(bench, case).stage == Stage.CALLING
    assert "does not decide" in await refused(door, case, Step("confirm_cancel", "officer"))
    assert "waits for another person" in await refused(door, case, asked)
    await door.go(case, [Step("refuse_cancel", "supervisor"), asked, Step("confirm_cancel", "street_officer")])

    assert state(bench, case).stage == Stage.CANCELLED
    called_off = ["role:grid_worker", "participant:grid-zhao", "participant:grid-qian"]
    assert told(bench, case, "warning_called_off") == called_off
    own = await door.start()
    assert "nobody is moved" in await refused(door, own, Step("declare_all_clear", "officer", {}))
    await door.go(own, [Step("cancel_warning", "officer")])
    assert state(bench, own).stage == Stage.CANCELLED


async def test_who_is_found_and_of_no_list_that_is_moved_is_told_of(door: ApiDriver, bench: CaseBench) -> None:
    """No team goes there by itself: the street decides; of a list that is moved a team goes."""
    case = await door.start()
    found = {**warning.BODIES["found_household"], "zone": "ring"}
    await door.go(case, [Step("order_move", "officer"), Step("found_household", "grid_worker", found)])
    assert told(bench, case, "warning_found_waits") == ["role:street_officer"]
    assert state(bench, case).listed("found-1") is None
    await door.go(case, [Step("order_move", "officer", {"zones": ["ring"]})])

    assert state(bench, case).listed("found-1") is not None


async def test_less_grave_calls_nobody_back(door: ApiDriver, bench: CaseBench) -> None:
    """A level can only be raised by people; and what is graver adds lists."""
    case = await door.start()
    await door.go(case, [Step("order_move", "officer")])
    said = await refused(door, case, Step("raise_level", "officer", {"level": "yellow", "reason": "雨势减弱"}))
    assert "graver" in said
    await door.go(case, [Step("raise_level", "officer")])

    assert state(bench, case).level is WarningLevel.RED
    assert len(state(bench, case).households) == 4


# ---- shelters, and the all clear -----------------------------------------------------------------------------------------


async def test_the_all_clear_waits_for_whoever_was_not_counted(door: ApiDriver, bench: CaseBench) -> None:
    """One lacks: refused; said by whom and why, or counted again, or gone and signed out: then."""
    case = await door.start()
    await door.go(
        case,
        [
            Step("order_move", "officer"),
            Step("open_shelter", "clerk"),
            Step("check_in", "clerk"),
            Step("headcount", "clerk", {"shelter": HALL, "counted": 2}),
        ],
    )
    assert told(bench, case, "warning_missing") == ["role:grid_worker", "role:street_officer", "role:coordinator"]
    said = await refused(door, case, Step("declare_all_clear", "officer", {}))
    assert "1 people lack" in said
    leaving = {"shelter": HALL, "household": "riverside-01", "persons": 1, "where": "在卫生院"}
    assert "lack in the last" in await refused(door, case, Step("check_out", "clerk", {**leaving, "found": 2}))
    await door.go(case, [Step("check_out", "clerk", {**leaving, "found": 1})])
    assert state(bench, case).missing == 0
    await door.go(case, [Step("headcount", "clerk", {"shelter": HALL, "counted": 1})])
    await door.go(case, [Step("declare_all_clear", "officer", {"despite": "该户主在卫生院,已电话联系"})])
    clear = [
        facts
        for kind, facts in zip(bench.tables.kinds(case), bench.tables.facts(case), strict=True)
        if kind == "warning:all_clear"
    ]

    assert [each["missing"] for each in clear] == [1]
    assert clear[0]["despite"].startswith("text:")
    assert state(bench, case).stage == Stage.CLEARING


async def test_two_people_end_what_its_issuer_does_not(door: ApiDriver, bench: CaseBench) -> None:
    """Who asked does not decide; refused it goes on; another person says so too, and the word of one is not enough."""
    case = await door.start()
    asked = Step("ask_all_clear", "officer")
    await door.go(case, [Step("order_move", "officer"), asked])
    assert "asked" in await refused(door, case, Step("confirm_all_clear", "officer"))
    assert "waits for another person" in await refused(door, case, asked)
    await door.go(case, [Step("refuse_all_clear", "supervisor")])
    assert state(bench, case).stage == Stage.MOVING
    await door.go(case, [asked, Step("confirm_all_clear", "supervisor")])
    assert state(bench, case).stage in {Stage.CLEARING, Stage.REVIEWING}
    (row,) = [each for each in WARNING.rules if each.command == "confirm_all_clear"]
    silent = _official(Stage.MOVING, issuer_over=None, expires=None)

    assert not any(condition(silent, None, warning_time()) for condition in row.conditions)  # type: ignore[arg-type]


async def test_the_towns_own_warning_is_not_over_without_the_department(door: ApiDriver, bench: CaseBench) -> None:
    """Others end what an issuer leaves open; the town's own is ended by the department too, or cancelled."""
    case, asked = await door.start(), Step("ask_all_clear", "coordinator")
    assert "cancel it" in await refused(door, case, asked)
    await door.go(case, [Step("order_move", "officer"), asked])
    assert "of the department" in await refused(door, case, Step("confirm_all_clear", "supervisor"))
    assert state(bench, case).stage == Stage.MOVING
    await door.go(case, [Step("confirm_all_clear", "officer")])

    assert state(bench, case).stage in {Stage.CLEARING, Stage.REVIEWING}


async def test_full_is_sent_on_and_nobody_is_sent_away(door: ApiDriver, bench: CaseBench) -> None:
    """The next one with room is named; where none has, it takes them all the same. It is closed when it is empty."""
    case = await door.start(body={**warning.REPORT, "area": "320104.003.01"})
    await door.go(case, [Step("open_shelter", "clerk"), Step("check_in", "clerk", _guests("riverside-01", 38))])
    await door.go(case, [Step("open_shelter", "clerk", {"shelter": GYM, "keeper": "clerk-qian"})])
    assert f"go to: {GYM}" in await refused(door, case, Step("check_in", "clerk", _guests("riverside-02", 3)))
    await door.go(case, [Step("check_in", "clerk", {**_guests("riverside-02", 119), "shelter": GYM})])
    await door.go(case, [Step("check_in", "clerk", _guests("riverside-03", 3))])
    assert state(bench, case).shelters[HALL].people == 41
    assert "cannot be said" in await refused(door, case, Step("close_shelter", "clerk"))


def _guests(household: str, persons: int) -> dict[str, Any]:
    return {"shelter": HALL, "household": household, "persons": persons}


async def test_who_leaves_is_not_whoever_lacks(door: ApiDriver, bench: CaseBench) -> None:
    """Two of one household leave, one of another lacks: still looked for, and the shelter is not closed over them."""
    case = await door.start()
    await door.go(case, [Step("open_shelter", "clerk"), Step("check_in", "clerk", _guests("riverside-01", 2))])
    await door.go(case, [Step("check_in", "clerk", _guests("riverside-02", 1))])
    await door.go(case, [Step("headcount", "clerk", {"shelter": HALL, "counted": 2})])
    leaving = {"shelter": HALL, "household": "riverside-01", "persons": 2, "where": "回娘家"}
    await door.go(case, [Step("check_out", "clerk", leaving)])

    assert (state(bench, case).shelters[HALL].people, state(bench, case).missing) == (1, 1)
    await door.go(case, [Step("headcount", "clerk", {"shelter": HALL, "counted": 1})])
    assert state(bench, case).missing == 0


async def test_a_household_is_in_one_shelter_and_its_later_word_counts(door: ApiDriver, bench: CaseBench) -> None:
    """Who comes later is added; nobody is counted twice; what was on paper first and comes after their leaving makes no ghost."""
    case = await door.start()
    await door.go(case, [Step("open_shelter", "clerk")])
    await door.go(case, [Step("open_shelter", "clerk", {"shelter": GYM, "keeper": "clerk-qian"})])
    await door.go(case, [Step("check_in", "clerk", _guests("riverside-01", each)) for each in (1, 2)])
    assert state(bench, case).shelters[HALL].guests == {"riverside-01": 3}
    assert "is in another one" in await refused(
        door, case, Step("check_in", "clerk", {**_guests("riverside-01", 1), "shelter": GYM})
    )
    leaving = {"shelter": HALL, "household": "riverside-02", "persons": 1, "where": "回家取药"}
    early = {**_guests("riverside-02", 1), "done_at": state(bench, case).opened_at.isoformat()}
    await door.go(case, [Step("check_out", "clerk", leaving), Step("check_in", "clerk", early)])

    assert state(bench, case).shelters[HALL].guests == {"riverside-01": 3}


def test_the_dead_are_moved_by_no_order() -> None:
    """Whoever has ended and is in danger again is listed again; a household that is dead is not."""
    homes = [AtRisk(code=code, zone=Zone.A, heads=1) for code in ("a", "b")]
    listed = [
        ListedHousehold(code=code, point="p", zone=Zone.A, heads=1, sweep=1, stage=stage)
        for code, stage in (("a", "returned"), ("b", "dead"))
    ]
    point = Point(area="320104", leader="li", deputy="qian", households=homes)
    known: dict[str, Any] = {"points": {"p": point}, "households": listed, "sweeps": []}

    assert [home.code for _, home in WarningState.model_construct(**known).to_move([Zone.A])] == ["a"]


def test_who_is_in_a_shelter_is_reckoned() -> None:
    """By household, and by nothing else."""
    assert Refuge(places=3, step_free=True, guests={"a": 2, "b": 1}).people == 3


async def test_casualties_are_told_before_any_name_and_stay(door: ApiDriver, bench: CaseBench) -> None:
    """To the supervisor and the district at once; nobody is no casualty; a later one is another one."""
    case = await door.start()
    assert "say how many" in await refused(
        door, case, Step("report_casualty", "officer", {"dead": 0, "missing": 0, "hurt": 0, "where": "无"})
    )
    await door.go(case, [Step("report_casualty", "grid_worker"), Step("report_casualty", "officer")])

    assert told(bench, case, "warning_casualty") == ["supervisor", "district_office"] * 2
    assert [each.hurt for each in state(bench, case).casualties] == [1, 1]


async def test_every_word_of_a_drill_says_that_it_is_one(door: ApiDriver, bench: CaseBench) -> None:
    """Those of its sweep and of its clocks too; a warning in earnest says nothing of that."""
    policy = load_notice_policy(PROJECT / "policies", PROCEDURE_LIST)
    for drill in (True, False):
        case = await door.start(body={**warning.REPORT, "drill": drill})
        await door.go(case, [Step("order_move", "officer"), Step("urge", "supervisor")])
        await door.passes(f"{case}.sweep-1", "clock:breach")
        notices = [each for number in (case, f"{case}.sweep-1") for each in bench.tables.notices[number].values()]
        texts = [policy.text(each["template"], case, each["facts"], {}) for each in notices]

        assert {"clock_breach", "urged", "sweep_sent"} <= {each["template"] for each in notices}
        assert {text.startswith("【演练】") for text in texts} == {drill}


# ---- two warnings of one place ---------------------------------------------------------------------------------------------


async def test_nobody_stands_before_the_teams_of_two_warnings(tmp_path: Path) -> None:
    """What one warning moves another one waits for, and goes on with when that one is over; the other lists it moves at once."""
    async with case_bench(tmp_path, sandbox=False) as bench:
        shared = bench.policies["warning"]
        assert isinstance(shared, WarningPolicy)
        terms = shared.terms.model_copy(update={"one_team_per_list": True})
        bench.policies = {**bench.policies, "warning": shared.model_copy(update={"terms": terms})}
        door = bench_door(bench, WARNING)
        rain, slope = await door.start(), await door.start(body={**warning.REPORT, "hazard": "landslide"})
        drill = await door.start(body={**warning.REPORT, "drill": True})
        for case, zones in ((rain, ["a"]), (slope, ["a", "b"]), (drill, ["a"])):
            await door.go(case, [Step("order_move", "officer", {"zones": zones})])
            await told_in(door, case, "warning:sweep:stands")
        await eventually(lambda: f"{rain}.sweep-1" in bench.tables.rows)
        await told_in(door, slope, "warning:unit:refused")

        assert homes(bench, rain) == {"riverside-01": 1, "riverside-02": 1}
        assert homes(bench, slope) == {"riverside-01": 0, "riverside-02": 0, "riverside-03": 1}
        assert homes(bench, drill) == {"riverside-01": 1, "riverside-02": 1}
        assert told(bench, slope, "warning_list_taken") == ["role:street_officer", "department:emergency-management"]
        await door.passes(slope, "warning:lists_asked")
        assert homes(bench, slope)["riverside-01"] == 0
        there = of_sweeps(door)
        await there.go(
            f"{rain}.sweep-1", [TEAM, ALONG, Step("record_door", "grid_worker", door_body("riverside-01", persons=3))]
        )
        await door.go(rain, [Step("declare_all_clear", "officer", {"despite": "雨停,未动身的在高处"})])
        await told_in(door, rain, "warning:unit:released")
        assert state(bench, rain).stage == Stage.CLEARING, "its team has not brought anybody home"
        await door.passes(slope, "warning:lists_asked", times=2)

        await eventually(
            lambda: homes(bench, slope) == dict.fromkeys(("riverside-01", "riverside-02", "riverside-03"), 1)
        )


def homes(bench: CaseBench, case: str) -> dict[str, int]:
    """Who is to be moved, and by which sweep."""
    return {each.code: each.sweep for each in state(bench, case).households}


# ---- of which places a message is --------------------------------------------------------------------------------------------


TOWN = (
    "320104",
    "320104.003",
    "320104.003.01",
    "320104.003.02",
    "320104.003.01.01",
    "320104.003.01.02",
    "320104.003.02.01",
)


def named(areas: str, *running: str, is_cancel: bool = False, homes: int = 1) -> dict[str, tuple[str, ...]]:
    """The places of a message, each with what it is without; so many homes stand in the one grid and one in the other."""

    def point(area: str, number: int) -> RiskPoint:
        households = {f"home-{each}": {"zone": "a", "heads": 1} for each in range(number)}
        name = {"zh": "点", "en": "point"}
        return RiskPoint.model_validate(
            {"name": name, "area": area, "leader": "li", "deputy": "qian", "households": households}
        )

    points = {
        f"p{number}": point(area, each)
        for number, (area, each) in enumerate(
            [*[("320104.003.01.01", 500)] * (homes // 500), ("320104.003.01.01", 1), ("320104.003.02.01", 1)]
        )
    }
    known: dict[str, Any] = {"risk_points": points}
    policy = WarningPolicy.model_construct(**known)
    return {each.area: each.without for each in places_of(areas.split(), running, TOWN, policy, is_cancel=is_cancel)}


def test_a_message_that_names_other_areas_makes_no_second_warning_of_the_same_homes() -> None:
    """Wider: the one that runs hears it, and another one is of the rest alone; narrower: only that one hears it."""
    street, one, other = "320104.003", "320104.003.01", "320104.003.02"
    assert named(street) == {street: ()}
    assert named(street, one) == {one: (), street: (one,)}
    assert named(street, one, other) == {one: (), other: ()}, "nothing of it is left"
    assert named(f"{one}.01", one, street) == {one: ()}, "the nearest one around it"
    assert named(other, one) == {other: ()}
    assert named(f"{one} {other}", street) == {street: ()}


def test_a_cancel_ends_only_what_lies_wholly_in_its_areas() -> None:
    """Of a narrower area the wider one hears that it is of a part; of a wider one it ends all in it, and what is still to come."""
    street, one, other = "320104.003", "320104.003.01", "320104.003.02"
    assert named(one, street, is_cancel=True) == {street: ()}
    assert is_of_a_part([one], street, TOWN)
    assert not any(is_of_a_part(areas, street, TOWN) for areas in ([street], ["320104"], [one, other]))
    assert named(street, one, is_cancel=True) == {one: (), street: (one,)}


def test_more_homes_than_fit_are_warned_part_by_part() -> None:
    """Each home in one of them, and no official warning is too big to begin."""
    assert named("320104") == {"320104.003": ()}, "a street's people act in their street"
    found = named("320104", homes=2000)
    assert found == {"320104.003.01.01": (), "320104.003.01.02": (), "320104.003.02": ()}
    assert named("320104.003.01.01", homes=2500) == {"320104.003.01.01": ()}, "no part is left: it begins all the same"


# ---- where they live -----------------------------------------------------------------------------------------------------------


async def test_where_a_household_lives_stands_in_no_policy_and_is_told_to_its_team(tmp_path: Path) -> None:
    """The file of houses is read by the API; the case has references, and the list of the team too."""
    async with case_bench(tmp_path, sandbox=False) as bench:
        file = bench.settings.key_folder / HOUSES
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text("riverside-01: 滨河路1号\n", encoding="utf-8")
        door = bench_door(bench, WARNING)
        case = await door.start()
        await door.go(case, [Step("order_move", "officer")])
        await eventually(lambda: f"{case}.sweep-1" in bench.tables.rows)
        sent = bench.tables.facts(f"{case}.sweep-1")[0]["households"]

        assert {each["code"]: (each["address"] or "")[:5] for each in sent} == {
            "riverside-01": "text:",
            "riverside-02": "",
        }
        assert "滨河路1号" not in str(state(bench, case).model_dump())
        assert "滨河路" not in (PROJECT / "policies" / "warning.yaml").read_text(encoding="utf-8")


def test_a_file_of_houses_that_others_can_read_is_not_read(tmp_path: Path) -> None:
    """As a key; and what is wrong with it is said without saying what stands in it."""
    folder = tmp_path / "keys"
    settings = Settings(data=tmp_path, keys=folder)
    assert load_houses(settings) == {}
    folder.mkdir(mode=0o700)
    file = settings.key_folder / HOUSES
    file.write_text("riverside-01: 滨河路1号\n某人: 滨河路2号\n", encoding="utf-8")
    file.chmod(0o644)
    with pytest.raises(KeyFileExposed):
        load_houses(settings)
    file.chmod(0o600)
    with pytest.raises(PolicyFaults) as found:
        load_houses(settings)

    assert "1 lines" in str(found.value)
    assert "滨河路" not in str(found.value)


# ---- what its issuer says last -------------------------------------------------------------------------------------------------


def _said(message: str, minute: int, level: WarningLevel = WarningLevel.ORANGE, **more: Any) -> HearIssuer:
    given: dict[str, Any] = {
        "identifier": f"Q-{message}-{minute}-{level}",
        "sent": warning_time() + timedelta(minutes=minute),
        "message_type": MessageType(message),
        "level": level,
        **more,
    }
    return HearIssuer.model_construct(**given)


def test_what_counts_of_an_issuers_messages() -> None:
    """The later one; of one moment the graver; of a part only what is graver; and a cancel of what still stands alone."""
    stands = _official(
        Stage.CALLING, level=WarningLevel.ORANGE, sent_at=warning_time(), identifiers=["Q-1", "Q-2"], standing=["Q-2"]
    )
    red, yellow = WarningLevel.RED, WarningLevel.YELLOW

    assert counts(stands, _said("update", 1, yellow))
    assert not counts(stands, _said("update", -1, red))
    assert counts(stands, _said("update", 0, red))
    assert not counts(stands, _said("update", 0, yellow))
    assert not counts(stands, _said("update", 0))
    assert counts(stands, _said("update", 0, references=("Q-2",))), "it names what stands"
    assert not counts(stands, _said("update", 1, yellow, part=True))
    assert counts(stands, _said("update", 1, red, part=True))
    assert not counts(stands, _said("cancel", 1, references=("Q-1",))), "another one has replaced it"
    assert counts(stands, _said("cancel", 1, references=("Q-1", "Q-2")))
    assert counts(stands, _said("cancel", -1, references=("Q-2",))), "in whatever order they come"
    assert not counts(stands, _said("cancel", 1, references=("Q-2",), part=True))


def test_an_all_clear_is_asked_of_those_who_lack_then() -> None:
    """One is found and another one gets lost: as many lack, and it says nothing of the second; who is safe since does not."""
    (row,) = [each for each in WARNING.rules if each.command == "confirm_all_clear"]
    one, two = (
        ListedHousehold(code=code, point="p", zone=Zone.A, heads=1, sweep=1, stage="refused") for code in ("a", "b")
    )
    shelter = Refuge(places=9, step_free=True, missing=1, counts=1)
    asked = _official(Stage.MOVING, households=[one, two], shelters={HALL: shelter}).lacking

    def objects(*homes: ListedHousehold, counts: int = 1) -> bool:
        now = shelter.model_copy(update={"counts": counts})
        request = Asked(number=1, by="officer-em", lacking=asked if len(homes) < 2 else asked[1:])
        state = _official(Stage.MOVING, households=list(homes), shelters={HALL: now}, all_clear=request)
        return any(each(state, None, warning_time()) for each in row.conditions)  # type: ignore[arg-type]

    assert not objects(one)
    assert objects(one, two), "a was safe when it was asked"
    assert objects(one, counts=2), "another count, and another one who lacks in it"


# ---- nobody is left behind by an end -------------------------------------------------------------------------------------------


async def test_who_is_in_a_shelter_is_not_cancelled(door: ApiDriver, bench: CaseBench) -> None:
    """People came by themselves before anybody ordered: it ends by the all clear and the review, when they have left."""
    case = await door.start()
    await door.go(case, [Step("open_shelter", "clerk"), Step("check_in", "clerk")])
    assert "in a shelter" in await refused(door, case, Step("cancel_warning", "officer"))
    await door.go(case, [Step("declare_all_clear", "officer", {})])
    assert state(bench, case).stage == Stage.CLEARING
    await door.go(case, [Step("check_out", "clerk")])

    assert state(bench, case).stage == Stage.REVIEWING


async def test_an_all_clear_asked_when_all_were_safe_is_not_given_when_one_lacks(
    door: ApiDriver, bench: CaseBench
) -> None:
    """Somebody is reported missing in between: asked anew; and whoever declares it says why."""
    case = await door.start()
    lost = {"dead": 0, "missing": 1, "hurt": 0, "where": "河滩"}
    await door.go(case, [Step("order_move", "officer"), Step("ask_all_clear", "officer")])
    await door.go(case, [Step("report_casualty", "officer", lost)])
    assert "ask anew" in await refused(door, case, Step("confirm_all_clear", "supervisor"))
    assert "reported missing" in await refused(door, case, Step("declare_all_clear", "officer", {}))
    await door.go(case, [Step("refuse_all_clear", "supervisor"), Step("ask_all_clear", "officer")])
    await door.go(case, [Step("confirm_all_clear", "supervisor")])

    assert state(bench, case).stage == Stage.CLEARING


async def test_who_is_in_a_shelter_while_it_is_only_watched_is_waited_for_by_two(
    door: ApiDriver, bench: CaseBench
) -> None:
    """The town's own warning is cancelled before anybody is moved; not where somebody has come by themselves."""
    case = await door.start(body={**warning.REPORT, "level": "yellow"})
    assert "cancel it" in await refused(door, case, Step("ask_all_clear", "officer"))
    await door.go(case, [Step("open_shelter", "clerk"), Step("check_in", "clerk")])
    await door.go(case, [Step("ask_all_clear", "officer"), Step("confirm_all_clear", "supervisor")])
    assert state(bench, case).stage == Stage.CLEARING
    await door.go(case, [Step("check_out", "clerk")])

    assert state(bench, case).stage == Stage.REVIEWING


async def test_nobody_finds_a_place_safe_for_both(door: ApiDriver, bench: CaseBench) -> None:
    """Who has looked for the department, or went along, does not look for the grid."""
    case = await door.start()
    over = Step("declare_all_clear", "officer", {"despite": "均在高处"})
    await door.go(case, [Step("order_move", "officer")])
    await eventually(lambda: f"{case}.sweep-1" in bench.tables.rows)
    await of_sweeps(door).go(f"{case}.sweep-1", [TEAM])
    await door.go(case, [over, Step("inspect_place", "officer")])
    own = {**warning.BODIES["inspect_place"], "second": "officer-em"}
    assert "different people" in await refused(door, case, Step("inspect_place", "grid_worker", own))


async def test_whoever_lacks_is_not_signed_out(door: ApiDriver, bench: CaseBench) -> None:
    """Three listed, one lacks: the three do not leave as listed; and who came in early on paper is listed beside the others."""
    case = await door.start()
    early = {**_guests("riverside-01", 1), "done_at": state(bench, case).opened_at.isoformat()}
    await door.go(case, [Step("open_shelter", "clerk"), Step("check_in", "clerk", _guests("riverside-01", 2))])
    await door.go(case, [Step("check_in", "clerk", early)])
    assert state(bench, case).shelters[HALL].guests == {"riverside-01": 3}
    await door.go(case, [Step("headcount", "clerk", {"shelter": HALL, "counted": 2})])
    leaving = {"shelter": HALL, "household": "riverside-01", "persons": 3, "where": "回家"}
    assert "they cannot leave" in await refused(door, case, Step("check_out", "clerk", leaving))
    await door.go(case, [Step("check_out", "clerk", {**leaving, "persons": 2})])

    assert (state(bench, case).shelters[HALL].people, state(bench, case).missing) == (1, 1)


async def test_found_unsafe_when_all_of_a_place_are_home_moves_them_again(door: ApiDriver, bench: CaseBench) -> None:
    """Its team was done: another one goes to them, and the all clear is said anew."""
    case = await door.start()
    await door.go(case, [Step("open_shelter", "clerk"), Step("check_in", "clerk")])
    await _all_are_home(door, bench, case)
    assert state(bench, case).stage == Stage.RETURNING, "somebody is in the shelter"
    await door.go(case, [Step("inspect_place", "grid_worker", {**warning.NOT_SAFE, "second": "grid-qian"})])

    assert state(bench, case).stage == Stage.MOVING
    assert state(bench, case).clocks["permit"].status == "stopped"
    assert homes(bench, case) == {"riverside-01": 2, "riverside-02": 2}
    await eventually(lambda: f"{case}.sweep-2" in bench.tables.rows)


async def test_found_unsafe_while_it_is_looked_back_on_moves_them_again(door: ApiDriver, bench: CaseBench) -> None:
    """The household is at home, and the file is nearly closed: safe is nothing to say then, unsafe is."""
    case = await door.start()
    await _all_are_home(door, bench, case)
    await told_in(door, case, "warning:all_back")
    assert "only a place that was released" in await refused(door, case, Step("inspect_place", "grid_worker"))
    await door.go(case, [Step("inspect_place", "grid_worker", {**warning.NOT_SAFE, "second": "grid-qian"})])

    assert state(bench, case).stage == Stage.MOVING
    assert state(bench, case).clocks["review"].status == "stopped"
    assert homes(bench, case) == {"riverside-01": 2, "riverside-02": 2}


async def _all_are_home(door: ApiDriver, bench: CaseBench, case: str) -> None:
    there, sweep = of_sweeps(door), f"{case}.sweep-1"
    await door.go(case, [Step("order_move", "officer")])
    await eventually(lambda: sweep in bench.tables.rows)
    doors = [
        Step("record_door", "grid_worker", door_body(each, persons=3)) for each in ("riverside-01", "riverside-02")
    ]
    await there.go(sweep, [TEAM, ALONG, *doors, Step("report_swept", "grid_worker", {})])
    await told_in(door, case, "warning:swept")
    await door.go(case, [Step("declare_all_clear", "officer", {}), *warning.INSPECTED])
    await told_in(door, sweep, "sweep:released")
    home = [Step("confirm_back", "grid_worker", back_body(each)) for each in ("riverside-01", "riverside-02")]
    await there.go(sweep, home)
    await eventually(lambda: all(each.over for each in state(bench, case).sweeps))
