"""The law: nobody waits in an empty house, an overdue visit is always somebody's, and nothing goes on without consent."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from types import SimpleNamespace
from typing import Any

import pytest

from engine.policies.policies import load_policy
from engine.runtime.settings import PROJECT
from schemas.alarm import ALARM, KnownBy, MarkFalse, is_there
from schemas.alarm_state import WAITING, AlarmState, Said, Service
from schemas.alarm_state import Stage as AlarmStage
from schemas.care import CARE, VISIT, Kind
from schemas.care_commands import DEVICE_EVENT, ConsentBy, RecordConsent
from schemas.care_state import KEPT, CareState, Stage
from schemas.care_terms import AlarmKind, CarePolicy, ConsentScope, Group, Need, worst_first
from schemas.clocks.clocks import due_at
from schemas.kernel.case import Accepted, CaseState, Processed, latest_of
from schemas.kernel.rules import Rule
from schemas.kernel.visibility import shown_facts
from schemas.values.actor import Actor, Channel, Role
from schemas.values.references import WITHHELD
from tests.api_driver import ApiDriver, Step
from tests.bench_api import bench_door
from tests.case_bench import CaseBench, case_bench
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(240)
ENDS_WAITING = (AlarmStage.RESOLVED, AlarmStage.CLOSED)


@pytest.fixture
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[CaseBench]:
    """A bench of each test's own: files that others left open would live through the days that it lets pass."""
    async with case_bench(tmp_path_factory.mktemp("care"), sandbox=False) as opened:
        yield opened


@pytest.fixture
def door(bench: CaseBench) -> ApiDriver:
    """The door of files."""
    return bench_door(bench, CARE)


def policy() -> CarePolicy:
    """The town's rules as they are delivered."""
    found = load_policy(CARE, PROJECT / "policies", ())
    assert isinstance(found, CarePolicy)
    return found


def file_of(bench: CaseBench, case_id: str) -> CareState:
    """A file as it last told of itself."""
    state = bench.state(case_id)
    assert isinstance(state, CareState)
    return state


def facts_of(bench: CaseBench, case_id: str, kind: str) -> list[Mapping[str, Any]]:
    """What the entries of a kind say, in order."""
    told = zip(bench.tables.kinds(case_id), bench.tables.facts(case_id), strict=True)
    return [facts for each, facts in told if each == kind]


# ---- nobody waits in an empty house ------------------------------------------------------------------------------------


def _ways_out() -> list[Rule]:
    return [rule for rule in ALARM.rules if set(rule.at) & set(WAITING) and set(rule.to) & set(ENDS_WAITING)]


def test_no_clock_and_no_other_case_resolves_an_alarm() -> None:
    """Every row that ends the waiting is a command of a person."""
    assert {rule.command for rule in _ways_out()} == {"resolve", "mark_false"}
    assert not any(rule.automatic for rule in ALARM.rules if set(rule.to) & set(ENDS_WAITING))


def test_help_is_reported_by_whoever_is_there() -> None:
    """Only somebody on site resolves; a mistake is known by sight there, and else by the person's own voice."""
    (resolve,) = [rule for rule in ALARM.rules if rule.command == "resolve"]

    assert resolve.at == (AlarmStage.ON_SITE,)
    assert resolve.conditions == (is_there,)
    for stage, way in ((AlarmStage.ON_SITE, KnownBy.SIGHT), (AlarmStage.ANSWERED, KnownBy.VOICE)):
        assert MarkFalse.choices("known_by", alarm_at(stage)) == (way,)
        assert MarkFalse.choices("name_asked", alarm_at(stage)) == (True,)


def alarm_at(stage: AlarmStage, *kinds: AlarmKind, said: Said | None = Said.NO_DANGER, **more: Any) -> AlarmState:
    """As much of an alarm as its rules look at."""
    known = {"kinds": worst_first(kinds or (AlarmKind.SOS,)), "said": said, "area": "320104.003.01", **more}
    return AlarmState.model_construct(stage=stage, **known)


def may(state: CaseState, command: str, role: Role, subject: str = "li") -> bool:
    """Whether the table lets somebody of this role give a command."""
    table = {each.name: each for each in (ALARM, CARE)}[state.procedure].rules
    now = datetime(2027, 3, 5, tzinfo=UTC)
    actor = Actor(subject=subject, role=role, channel=Channel.GRID)
    rows = [each for each in table if each.command == command and state.stage in each.at and each.grants(state, actor)]
    return any(each.objection(state, actor, now) is None for each in rows)


@pytest.mark.parametrize("kinds", list(combinations(AlarmKind, 2)), ids="-".join)
def test_of_two_kinds_neither_hides_the_other(kinds: tuple[AlarmKind, AlarmKind]) -> None:
    """A voice is enough only where it is for both, and whoever either kind needs is called."""
    state = alarm_at(AlarmStage.ANSWERED, *kinds)
    alone = [alarm_at(AlarmStage.ANSWERED, each) for each in kinds]

    assert may(state, "mark_false", Role.COORDINATOR) is all(each.voice_is_enough for each in kinds)
    assert set(state.services) == {each for one in alone for each in one.services}
    assert (Service.FIRE in state.services) is (AlarmKind.SMOKE in kinds)


async def test_a_call_by_hand_does_not_hide_smoke(door: ApiDriver, bench: CaseBench) -> None:
    """Smoke, then a call by hand, then a voice that all is well: somebody goes, the desk hears both, and a fire is a fire."""
    alarm = await raised(door, AlarmKind.SMOKE)
    await door.go(alarm.partition(".")[0], [Step("raise_alarm", "coordinator", {"alarm_kind": "sos"})])
    await eventually(lambda: "alarm:further" in bench.tables.kinds(alarm))
    there = replace(door, procedure=ALARM)
    await there.go(alarm, [Step("answer", "coordinator", {"said": "no_danger"})])
    refused = await there.give(alarm, Step("mark_false", "coordinator"))
    state = bench.state(alarm)

    assert refused.status_code == 409, refused.text
    assert isinstance(state, AlarmState)
    assert state.services == [Service.MEDICAL, Service.FIRE]
    assert facts_of(bench, alarm, "alarm:further")[0]["alarm_kinds"] == ["sos", "smoke"]


@pytest.mark.parametrize("kind", [each for each in AlarmKind if not each.voice_is_enough])
@pytest.mark.parametrize("said", ["help", "unclear", "no_voice", "no_danger"])
async def test_a_voice_is_not_enough_after_a_fall(kind: AlarmKind, said: str, door: ApiDriver) -> None:
    """Of smoke, a fall or bad vital signs no word by voice makes a mistake: somebody looks."""
    alarm = await raised(door, kind)
    there = replace(door, procedure=ALARM)
    await there.go(alarm, [Step("answer", "coordinator", {"said": said})])
    refused = await there.give(alarm, Step("mark_false", "coordinator"))

    assert refused.status_code == 409, refused.text


def test_only_who_is_there_says_what_it_came_to() -> None:
    """Neither a colleague nor the desk resolves, or sees by sight; who relieves the one who is there arrives first."""
    state = alarm_at(AlarmStage.ON_SITE, responder="li")
    way = alarm_at(AlarmStage.RESPONDING, responder="li", said=None)

    assert [may(state, each, Role.GRID_WORKER) for each in ("resolve", "mark_false", "arrive")] == [True, True, False]
    assert [may(state, each, Role.GRID_WORKER, "sun") for each in ("resolve", "mark_false", "arrive")] == [
        False,
        False,
        True,
    ]
    assert not may(state, "mark_false", Role.COORDINATOR)
    assert [may(way, "pass_on", Role.GRID_WORKER, each) for each in ("li", "sun")] == [True, False]


def test_a_tap_does_not_answer_a_call() -> None:
    """Who goes without an answer leaves the call to be answered: the duty of the first minute runs on, and can be done."""
    assert "answer" not in ALARM.acts["accept_call"].stops
    for stage in (AlarmStage.RAISED, AlarmStage.ANSWERED, AlarmStage.RESPONDING):
        assert may(alarm_at(stage, said=None), "answer", Role.COORDINATOR)
    assert not may(alarm_at(AlarmStage.RESPONDING), "answer", Role.COORDINATOR)


async def test_passing_on_does_not_begin_anew(door: ApiDriver, bench: CaseBench) -> None:
    """Twelve minutes after the call whoever went cannot come: that nobody goes is known at once, to the last tier."""
    alarm = await raised(door)
    there = replace(door, procedure=ALARM)
    await there.go(alarm, [Step("answer", "coordinator"), Step("accept_call", "grid_worker")])
    await bench.let_pass(timedelta(minutes=12))
    await bench.at_rest(alarm)
    assert "alarm:emergency_wanted" not in bench.tables.kinds(alarm)
    await there.go(alarm, [Step("pass_on", "grid_worker")])
    await eventually(lambda: "alarm:emergency_wanted" in bench.tables.kinds(alarm))


async def test_who_is_not_found_is_looked_for(door: ApiDriver, bench: CaseBench) -> None:
    """Of a file without consent too: the alarm stays open, street and desk are told, and it ends when somebody is found."""
    alarm = await raised(door)
    there = replace(door, procedure=ALARM)
    await there.go(
        alarm,
        [Step("arrive", "grid_worker"), Step("resolve", "grid_worker", {"result": "not_found", "what": "家中无人"})],
    )
    state = bench.state(alarm)
    assert state is not None
    assert (state.stage, state.clocks["resolve"].status) == (AlarmStage.ON_SITE, "running")
    told = {line for line in bench.tables.told(alarm) if "alarm_came_to" in str(line)}
    assert len(told) == 2
    await there.go(alarm, [Step("resolve", "grid_worker", {"result": "helped", "what": "在邻居家"})])
    assert bench.tables.rows[alarm]["stage"] == AlarmStage.RESOLVED


async def raised(door: ApiDriver, kind: str = "sos") -> str:
    """An alarm of a file without consent."""
    file = await door.start()
    await door.go(file, [Step("raise_alarm", "clerk", {"alarm_kind": kind})])
    alarm = f"{file}.alarm-1"

    async def stands() -> bool:
        answer = await door.api.get(f"/api/v1/cases/{alarm}", headers=door.headers("auditor"))
        return answer.status_code == 200

    await eventually(stands)
    return alarm


async def test_silence_resolves_no_alarm(door: ApiDriver, bench: CaseBench) -> None:
    """A week in which nobody acts: the alarm stands where it stood, and everybody was called again, every two hours."""
    alarm = await raised(door)
    await bench.let_pass(timedelta(days=7))
    await bench.at_rest(alarm)
    state = bench.state(alarm)
    kinds = bench.tables.kinds(alarm)

    assert state is not None
    assert (state.stage, state.ended) == (AlarmStage.RAISED, False)
    assert kinds.count("alarm:called_again") >= 80
    assert kinds.index("alarm:unanswered") < kinds.index("alarm:nobody_goes") < kinds.index("alarm:emergency_wanted")
    assert state.holder == "role:coordinator"


async def test_an_alarm_outlives_its_file(door: ApiDriver, bench: CaseBench) -> None:
    """The person takes back the consent while somebody is on the way: the file closes, and help comes all the same."""
    file = await door.start()
    steps = [Step("record_consent", "grid_worker"), Step("raise_alarm", "applicant")]
    await door.go(file, [*steps, Step("withdraw_consent", "applicant", {"scopes": ["file"]})])
    there, alarm = replace(door, procedure=ALARM), f"{file}.alarm-1"
    await eventually(lambda: alarm in bench.tables.rows)
    await there.go(alarm, [Step("arrive", "grid_worker"), Step("resolve", "grid_worker")])

    assert file_of(bench, file).stage == Stage.CLOSED
    assert bench.tables.rows[alarm]["stage"] == AlarmStage.RESOLVED


async def test_who_calls_again_after_help_was_there_is_another_alarm(door: ApiDriver, bench: CaseBench) -> None:
    """Twice within minutes is one alarm, the worse kind counts; after the first is resolved it is a second one."""
    file = await door.start()
    await door.go(file, [Step("raise_alarm", "clerk", {"alarm_kind": "no_water"})])
    there, alarm = replace(door, procedure=ALARM), f"{file}.alarm-1"
    await eventually(lambda: alarm in bench.tables.rows)
    await door.go(file, [Step("raise_alarm", "clerk", {"alarm_kind": "fall"})])
    await eventually(lambda: "alarm:further" in bench.tables.kinds(alarm))
    await there.go(alarm, [Step("arrive", "grid_worker"), Step("resolve", "grid_worker")])
    await eventually(lambda: bool(file_of(bench, file).alarms[0].outcome))
    await door.go(file, [Step("raise_alarm", "clerk", {"alarm_kind": "sos"})])
    await eventually(lambda: f"{file}.alarm-2" in bench.tables.rows)

    assert bench.tables.rows[alarm]["labels"]["kind"] == "fall"
    assert facts_of(bench, alarm, "alarm:further")[0]["alarm_kinds"] == ["fall", "no_water"]
    assert len(file_of(bench, file).alarms) == 2


# ---- an overdue visit is always somebody's -----------------------------------------------------------------------------


async def test_an_overdue_visit_is_always_somebodys(door: ApiDriver, bench: CaseBench) -> None:
    """Day after day without a visit: somebody holds the file at every entry, and everybody is called again."""
    file = await door.start()
    await door.go(file, [Step("record_consent", "grid_worker")])
    holders = []
    for _ in range(16):
        await bench.let_pass(timedelta(hours=12))
        await bench.at_rest(file)
        state = file_of(bench, file)
        holders.append(state.holder)
        assert state.stage == Stage.ACTIVE
        assert state.clocks[VISIT].status == "running"

    assert all(holders)
    assert list(dict.fromkeys(holders)) == [
        "role:grid_worker", "role:street_officer", "supervisor", "role:coordinator",
    ]  # fmt: skip
    assert bench.tables.kinds(file).count(Kind.CALLED_AGAIN) >= 3


def test_silence_ends_no_file_with_consent() -> None:
    """From a stage with consent the case leads itself to no final stage."""
    ends = [rule for rule in CARE.rules if rule.automatic and set(rule.at) & set(KEPT) and set(rule.to) & CARE.final]

    assert ends == []


def test_needs_are_in_calendar_days() -> None:
    """Whoever needs more is seen more often, and no holiday moves a visit."""
    intervals = policy().terms.intervals

    assert all(str(each).endswith("calendar_days") for each in intervals.values())
    assert [intervals[each].amount for each in Need] == [1, 7, 30]


async def test_the_next_visit_counts_from_when_the_person_was_seen(door: ApiDriver, bench: CaseBench) -> None:
    """A visit of two days ago, entered today: the next one is due a week after that, and an older one changes nothing."""
    file = await door.start()
    await door.go(file, [Step("record_consent", "grid_worker")])
    await bench.let_pass(timedelta(hours=60))
    now = await bench.now(file_of(bench, file))
    dues = []
    for hours in (48, 55):
        body = {"way": "home", "outcome": "well", "visited_at": (now - timedelta(hours=hours)).isoformat()}
        await door.go(file, [Step("record_visit", "grid_worker", body)])
        state = file_of(bench, file)
        dues.append(due_at(state.clocks[VISIT], state.charter.calendar))
    seen = (now - timedelta(hours=48)).date()

    assert dues[0] is not None
    assert dues[0].date() == seen + timedelta(days=8)
    assert dues[0] == dues[1]
    assert file_of(bench, file).holder == "role:grid_worker"


async def test_one_word_does_not_stop_visits_for_a_year(door: ApiDriver, bench: CaseBench) -> None:
    """A long absence, or one while a visit is overdue, is a second person's word too; the street hears of every one."""
    file = await door.start()
    long, short = ({"cause": "family", "days": days} for days in (366, 3))
    await door.go(file, [Step("record_consent", "grid_worker"), Step("set_absence", "grid_worker", long)])
    state = file_of(bench, file)
    assert (state.stage, state.clocks[VISIT].status) == (Stage.ACTIVE, "running")
    await door.go(file, [Step("refuse_absence", "street_officer")])
    await bench.let_pass(timedelta(days=3))
    await door.go(file, [Step("set_absence", "grid_worker", short)])
    assert file_of(bench, file).stage == Stage.ACTIVE
    assert not may(file_of(bench, file), "confirm_absence", Role.GRID_WORKER)
    await door.go(file, [Step("confirm_absence", "street_officer")])
    assert file_of(bench, file).stage == Stage.ABSENT
    assert sum(line.endswith("role:street_officer care_absent") for line in bench.tables.told(file)) == 2


async def test_to_go_and_come_back_gains_no_day(door: ApiDriver, bench: CaseBench) -> None:
    """Due within a day of consent; away and back on the next day too: what was left of the time goes on, and no day is added."""
    file = await door.start()
    away = [Step("set_absence", "grid_worker", {"cause": "family", "days": 2}), Step("return_home", "grid_worker")]
    await door.go(file, [Step("record_consent", "grid_worker")])
    dues = []
    for hours in (0, 12, 12):
        await bench.let_pass(timedelta(hours=hours))
        await door.go(file, away if hours else [])
        state = file_of(bench, file)
        dues.append(due_at(state.clocks[VISIT], state.charter.calendar))

    assert dues[0] is not None
    assert all(each is not None and each <= dues[0] + timedelta(hours=1) for each in dues)


async def test_a_handover_to_nobody_is_taken_back(door: ApiDriver, bench: CaseBench) -> None:
    """Whoever it went to never answers: the street takes it back, names a deputy, and open alarms know the people of now."""
    file = await door.start()
    await door.go(
        file, [Step("record_consent", "grid_worker"), Step("raise_alarm", "clerk"), Step("hand_over", "grid_worker")]
    )
    alarm = f"{file}.alarm-1"
    await eventually(lambda: Kind.ALARM_STANDS in bench.tables.kinds(file))
    assert not may(file_of(bench, file), "take_back_handover", Role.GRID_WORKER, "grid-other")
    await door.go(file, [Step("take_back_handover", "street_officer"), Step("name_deputy", "street_officer")])
    await door.go(file, [Step("hand_over", "street_officer"), Step("accept_handover", "next_worker")])
    await eventually(lambda: bench.tables.kinds(alarm).count("alarm:worker_changed") == 2)
    state = bench.state(alarm)

    assert isinstance(state, AlarmState)
    assert (state.worker, state.deputy) == ("grid-sun", "grid-li")


async def test_who_is_helped_at_home_is_not_away(door: ApiDriver, bench: CaseBench) -> None:
    """An alarm is answered at home while the file says that nobody is there: visits go on."""
    file = await door.start()
    await door.go(
        file, [Step("record_consent", "grid_worker"), Step("set_absence", "grid_worker"), Step("raise_alarm", "clerk")]
    )
    there, alarm = replace(door, procedure=ALARM), f"{file}.alarm-1"
    await eventually(lambda: alarm in bench.tables.rows)
    await there.go(alarm, [Step("arrive", "grid_worker"), Step("resolve", "grid_worker")])
    await eventually(lambda: Kind.RETURNED in bench.tables.kinds(file))
    state = file_of(bench, file)

    assert (state.stage, state.clocks[VISIT].status) == (Stage.ACTIVE, "running")


def file_with(**known: Any) -> CareState:
    """As much of a file as is looked at."""
    return CareState.model_construct(**known)


def consents(by: ConsentBy, group: Group, opened_by: Role, actor: Role) -> list[str]:
    """Which fields speak against a consent without a paper."""
    opening = SimpleNamespace(actor=SimpleNamespace(role=opened_by))
    state = file_with(group=group, consent=[], opening=opening)
    command, now = RecordConsent(by=by, scopes=(ConsentScope.FILE,)), datetime(2027, 3, 5, tzinfo=UTC)
    who = Actor(subject="li", role=actor, channel=Channel.GRID)
    return [fault.field for fault in (*command.faults(state), *command.not_theirs(state, who, now))]


def test_nobody_consents_for_a_neighbour_or_a_child() -> None:
    """Of a file that a resident opened only a paper counts that staff enter; of a child the guardian's word."""
    person, guardian, alone, child = ConsentBy.PERSON, ConsentBy.GUARDIAN, Group.LIVES_ALONE, Group.LEFT_BEHIND_CHILD

    assert consents(person, alone, Role.RESIDENT, Role.RESIDENT) == ["paper"]
    assert consents(person, alone, Role.RESIDENT, Role.GRID_WORKER) == ["paper"]
    assert consents(person, alone, Role.WINDOW_CLERK, Role.RESIDENT) == []
    assert consents(person, child, Role.WINDOW_CLERK, Role.GRID_WORKER) == ["by"]
    assert consents(guardian, child, Role.WINDOW_CLERK, Role.GRID_WORKER) == []


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.ADMIN, Role.DEPARTMENT_OFFICER, Role.COORDINATOR])
def test_health_and_the_group_are_for_who_cares(role: Role) -> None:
    """Nobody else reads them in a timeline, and no list is filtered by why somebody may come to harm."""
    reader = Actor(subject="li", role=role, channel=Channel.GRID)

    assert shown_facts("care:updated", {"health": "ref"}, reader) == {"health": WITHHELD}
    assert shown_facts("care:opened", {"group": "disabled"}, reader) == {"group": WITHHELD}
    assert (shown_facts("alarm:raised", {"address": "ref"}, reader)["address"] == "ref") is (role is Role.COORDINATOR)
    assert "group" not in file_with(need=Need.MONTHLY).labels()


def test_what_comes_round_again_is_not_kept() -> None:
    """A file and its alarms live long: the clock that calls everybody again keeps its last course, events a number of them."""
    assert all(each.timers[each.last_limit].recurs for each in (CARE, ALARM))
    at = datetime(2027, 3, 5, tzinfo=UTC)
    done = {}
    for number in range(1000):
        command = DEVICE_EVENT if number else "record_visit"
        said = Accepted(case_id="c", command=command, command_id=str(number), stage="active", seq=number, at=at)
        done[str(number)] = Processed(digest="", answer=said)
    kept = latest_of(done, DEVICE_EVENT, CareState.remembers_at_most[DEVICE_EVENT])
    assert (len(kept), "0" in kept, "999" in kept, "1" in kept) == (301, True, True, False)


async def test_a_visit_from_before_is_no_visit_of_now(door: ApiDriver, bench: CaseBench) -> None:
    """Somebody consents or comes back and is to be seen within a day: a visit of three days ago is recorded, and moves nothing."""
    file = await door.start()
    await bench.let_pass(timedelta(hours=72))
    await door.go(file, [Step("record_consent", "grid_worker")])
    state = file_of(bench, file)
    due, now = due_at(state.clocks[VISIT], state.charter.calendar), await bench.now(state)
    body = {"way": "home", "outcome": "well", "visited_at": (now - timedelta(hours=71)).isoformat()}
    await door.go(file, [Step("record_visit", "grid_worker", body)])
    state = file_of(bench, file)

    assert (state.visits, state.seen_at) == (1, None)
    assert due_at(state.clocks[VISIT], state.charter.calendar) == due


async def test_two_people_end_a_file(door: ApiDriver, bench: CaseBench) -> None:
    """One asks, and visits go on; not that one confirms; whoever it concerns hears, and help can still be called."""
    file = await door.start()
    await door.go(file, [Step("record_consent", "grid_worker"), Step("end_file", "street_officer")])
    state = file_of(bench, file)
    assert (state.stage, state.clocks[VISIT].status) == (Stage.ACTIVE, "running")
    assert (await door.give(file, Step("confirm_end", "street_officer"))).status_code == 409
    await door.go(file, [Step("confirm_end", "second_street")])
    told = " ".join(line for line in bench.tables.told(file) if line.endswith("care_ended"))

    assert file_of(bench, file).stage == Stage.ENDED
    assert all(each in told for each in ("grid-zhao", "grid-qian", "civil_affairs_officer", "reporter"))
    await door.go(file, [Step("raise_alarm", "clerk")])
    await eventually(lambda: f"{file}.alarm-1" in bench.tables.rows)


async def test_who_is_seen_is_not_dead(door: ApiDriver, bench: CaseBench) -> None:
    """One person says that somebody died: the search goes on, and whoever sees them alive unsays it."""
    file = await door.start()
    dead = Step("find", "grid_worker", {"how": "died", "where": "家中"})
    await door.go(file, [Step("record_consent", "grid_worker"), Step("report_no_answer", "grid_worker"), dead])
    state = file_of(bench, file)
    assert (state.stage, state.clocks["search"].status) == (Stage.SEARCHING, "running")
    await door.go(file, [Step("record_visit", "grid_worker")])

    assert file_of(bench, file).ending is None
    assert (await door.give(file, Step("confirm_end", "second_street"))).status_code in (409, 422)


async def test_a_visit_lies_neither_ahead_nor_too_far_back(door: ApiDriver, bench: CaseBench) -> None:
    """Nobody has visited tomorrow, nor four days ago; who is looked for is not found by a visit from before."""
    file = await door.start()
    await door.go(file, [Step("record_consent", "grid_worker")])
    await bench.let_pass(timedelta(hours=5))
    now = await bench.now(file_of(bench, file))

    async def answer(hours: int) -> int:
        body = {"way": "home", "outcome": "well", "visited_at": (now - timedelta(hours=hours)).isoformat()}
        return (await door.give(file, Step("record_visit", "grid_worker", body))).status_code

    assert [await answer(hours) for hours in (-24, 96)] == [422, 422]
    await door.go(file, [Step("report_no_answer", "grid_worker")])
    assert await answer(2) == 422
    assert file_of(bench, file).stage == Stage.SEARCHING


# ---- consent ------------------------------------------------------------------------------------------------------------


async def test_without_consent_there_is_no_device_and_no_health(door: ApiDriver, bench: CaseBench) -> None:
    """With consent to the file alone neither is taken; and what is withdrawn goes at once, while visits go on."""
    file = await door.start()
    only = {"by": "person", "scopes": ["file"]}
    await door.go(file, [Step("record_consent", "grid_worker", only)])
    answers = [await door.give(file, Step(each, "grid_worker")) for each in ("bind_device", "update_profile")]
    assert [each.status_code for each in answers] == [422, 422]
    await door.go(file, [Step("record_consent", "clerk"), Step("bind_device", "grid_worker")])
    await eventually(lambda: Kind.DEVICE_READY in bench.tables.kinds(file))
    await door.go(file, [Step("update_profile", "clerk")])
    withdrawn = {"scopes": ["device", "health"]}
    await door.go(file, [Step("withdraw_consent", "applicant", withdrawn)])
    state = file_of(bench, file)

    assert not any(each.bound for each in state.devices)
    assert state.health is None
    assert (state.stage, state.clocks[VISIT].status) == (Stage.ACTIVE, "running")


async def test_a_device_is_one_persons(door: ApiDriver, bench: CaseBench) -> None:
    """Of two files that bind one device the first has it; when that one lets go, the other can have it."""
    band = Step("bind_device", "grid_worker", {"platform": "wristband", "device": "SH-7"})
    files = [await door.start() for _ in range(2)]
    for file, said in zip(files, (Kind.DEVICE_READY, Kind.DEVICE_TAKEN), strict=True):
        await door.go(file, [Step("record_consent", "grid_worker"), band])
        await eventually(lambda file=file, said=said: said in bench.tables.kinds(file))  # type: ignore[misc]
    await door.go(files[0], [Step("unbind_device", "clerk", band.body)])
    await eventually(lambda: "care:unit:released" in bench.tables.kinds(files[0]))
    await door.go(files[1], [band])
    await eventually(lambda: Kind.DEVICE_READY in bench.tables.kinds(files[1]))

    assert facts_of(bench, files[1], Kind.DEVICE_READY)[0]["device"] == "wristband/SH-7"
