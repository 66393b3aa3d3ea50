"""The law: a call that no file knows is ended by nobody alone, and nobody puts it off; whoever calls once more is heard."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from schemas.clocks.clock_facts import Status
from schemas.distress import DISTRESS, is_there
from schemas.distress_state import OPEN, DistressState, Stage
from schemas.values.actor import Role
from tests.api_driver import ApiDriver, Person, Step
from tests.bench_api import bench_door
from tests.case_bench import A_MONDAY, CaseBench, case_bench

pytestmark = pytest.mark.timeout(240)
COMMUNITY = "320104.003.02"
PEOPLE = {
    "platform": Person("platform:wristband", Role.ENGINE),
    "worker_there": Person("grid-bound", Role.GRID_WORKER, area=COMMUNITY),
    "street_there": Person("street-bound", Role.STREET_OFFICER, area="320104.003"),
}
"""The platform, which has no token, and people who are bound to an area, as everybody is in a town."""

POLICE = {"helper": "police_110", "order_number": "110-1"}
NOBODY = {"result": "nobody_there", "what": "未见求助人"}
DEAD = {"result": "died", "what": "无生命体征"}


@dataclass
class Desk(ApiDriver):
    """The door of such calls, for these people too."""

    def headers(self, who: str, key: str | None = None, body: Mapping[str, Any] | None = None) -> dict[str, str]:
        """As everywhere, and who has no token."""
        if who not in PEOPLE:
            return super().headers(who, key, body)
        return {"Authorization": f"Bearer {self.token(PEOPLE[who])}"} | ({"Idempotency-Key": key} if key else {})


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[CaseBench]:
    """A bench of this file's own."""
    async with case_bench(tmp_path_factory.mktemp("distress"), sandbox=False) as opened:
        yield opened


@pytest.fixture
def desk(bench: CaseBench) -> Desk:
    """The desk."""
    door = bench_door(bench, DISTRESS)
    return Desk(door.api, door.token, door.procedure, let_time_pass=door.let_time_pass)


def state_of(bench: CaseBench, case_id: str) -> DistressState:
    """A call as it last told of itself."""
    state = bench.state(case_id)
    assert isinstance(state, DistressState)
    return state


def running(bench: CaseBench, case_id: str) -> dict[str, datetime | None]:
    """The clocks that run, and when they are due."""
    return {each.name: each.due_at for each in state_of(bench, case_id).clock_views() if each.status is Status.RUNNING}


def told(bench: CaseBench, case_id: str, template: str) -> list[str]:
    """To whom a template was told, in order."""
    lines = [line.partition(": ")[2].split() for line in bench.tables.told(case_id)]
    return [whom for whom, what in lines if what == template]


def calls(number: int, kind: str = "sos") -> Step:
    """The device calls once more."""
    said = {"platform": "wristband", "device": "D-1", "event": f"E-{number}", "alarm_kind": kind}
    return Step("call_again", "platform", {**said, "at": A_MONDAY.isoformat()})


async def opened(desk: Desk, **more: Any) -> str:
    """A call that the desk has opened."""
    return await desk.start(body={"area": COMMUNITY, "alarm_kind": "sos", **more})


# ---- nobody ends it alone ----------------------------------------------------------------------------------------------


def test_every_way_out_is_of_who_is_there_or_of_two() -> None:
    """A row that ends the waiting is a person's, who is there, or who is kept apart from whoever acted before."""
    ways = [rule for rule in DISTRESS.rules if set(rule.at) & set(OPEN) and set(rule.to) - set(OPEN)]

    assert {rule.command for rule in ways} == {"report_scene", "confirm_death", "confirm_ruled_out"}
    assert all(rule.apart_from or rule.conditions == (is_there,) for rule in ways)


async def test_who_sent_help_does_not_say_that_it_helped(desk: Desk, bench: CaseBench) -> None:
    """Of a service another person says so; without one only whoever is there does; a service has the number of its order."""
    case_id = await opened(desk)
    unnumbered = await desk.give(case_id, Step("send_help", "coordinator", {"helper": "medical_120"}))
    await desk.go(case_id, [Step("send_help", "coordinator", {"helper": "grid_worker"})])
    without = await desk.give(case_id, Step("report_scene", "street_officer"))
    await desk.go(case_id, [Step("send_help", "coordinator", POLICE)])
    alone = await desk.give(case_id, Step("report_scene", "coordinator"))
    absent = await desk.give(case_id, Step("report_scene", "grid_worker"))
    await desk.go(case_id, [Step("report_scene", "street_officer")])

    assert [each.status_code for each in (without, alone, absent)] == [409] * 3
    assert unnumbered.status_code == 422, unnumbered.text
    assert bench.tables.kinds(case_id).count("distress:help_sent") == 2
    assert state_of(bench, case_id).stage == Stage.HELPED


async def test_two_people_say_that_somebody_died(desk: Desk, bench: CaseBench) -> None:
    """Until a second one says so nothing has ended and every clock runs; who said so first does not confirm it."""
    case_id = await opened(desk)
    await desk.go(case_id, [Step("send_help", "coordinator", POLICE), Step("report_scene", "street_officer", DEAD)])
    said, clocks = state_of(bench, case_id), running(bench, case_id)
    by_the_same = await desk.give(case_id, Step("confirm_death", "street_officer"))
    await desk.go(case_id, [Step("confirm_death", "coordinator")])

    assert (said.stage, "resolve" in clocks) == (Stage.SENT, True)
    assert by_the_same.status_code == 409
    assert state_of(bench, case_id).stage == Stage.DIED


# ---- who is sent goes, and nobody puts it off --------------------------------------------------------------------------


async def test_who_is_sent_is_told_and_says_that_they_go(desk: Desk, bench: CaseBench) -> None:
    """The community is told; where nobody goes within minutes the desk hears; the place is still asked for."""
    case_id = await opened(desk)
    await desk.go(case_id, [Step("send_help", "coordinator", {"helper": "grid_worker"})])
    clocks = set(running(bench, case_id))
    await bench.until_told(case_id, "clock:breach")
    await desk.go(case_id, [Step("accept_call", "grid_worker")])

    assert told(bench, case_id, "distress_go") == ["role:grid_worker"]
    assert clocks == {"accept", "resolve", "locate"}
    assert set(running(bench, case_id)) == {"arrive", "resolve", "locate"}


async def test_nobody_there_gives_nobody_time(desk: Desk, bench: CaseBench) -> None:
    """They are looked for anew at once; the time for help goes on from the first sending; the second time the supervisor hears."""
    case_id = await opened(desk)
    await desk.go(case_id, [Step("send_help", "coordinator", POLICE)])
    first = running(bench, case_id)["resolve"]
    stages: list[tuple[str, bool]] = []
    supervisors: list[int] = []
    for _ in range(2):
        await bench.let_pass(timedelta(minutes=5))
        await desk.go(case_id, [Step("report_scene", "street_officer", NOBODY)])
        state = state_of(bench, case_id)
        stages.append((state.stage, "locate" in running(bench, case_id)))
        supervisors.append(told(bench, case_id, "distress_nobody_there").count("role:supervisor"))
        await desk.go(case_id, [Step("send_help", "coordinator", POLICE)])

    assert stages == [(Stage.TAKEN, True)] * 2
    assert supervisors == [0, 1]
    assert running(bench, case_id)["resolve"] == first


async def test_the_case_goes_to_where_somebody_is(desk: Desk, bench: CaseBench) -> None:
    """Of the desk of a district nobody below it sees the case; once the place is known, its people are told and go."""
    case_id = await opened(desk, area="320104")
    unseen = await desk.give(case_id, Step("arrive", "worker_there"))
    await desk.go(case_id, [Step("send_help", "coordinator", {"helper": "grid_worker"})])
    place = {"where": "和平社区2号楼", "source": "police", "area": COMMUNITY}
    await desk.go(case_id, [Step("locate", "coordinator", place)])
    await desk.go(case_id, [Step(each, "worker_there") for each in ("accept_call", "arrive", "report_scene")])

    assert unseen.status_code == 404
    assert (state_of(bench, case_id).stage, state_of(bench, case_id).area) == (Stage.HELPED, COMMUNITY)
    assert told(bench, case_id, "distress_go") == ["role:grid_worker"] * 2


# ---- whoever calls once more is heard ----------------------------------------------------------------------------------


async def test_a_call_makes_what_was_asked_void(desk: Desk, bench: CaseBench) -> None:
    """Smoke comes after the question whether nobody is in need: no second person answers that, and no voice is enough."""
    case_id = await opened(desk, platform="wristband", device="D-1")
    await desk.go(case_id, [Step("rule_out", "coordinator", {"known_by": "voice", "reason": "本人来电"})])
    await desk.go(case_id, [calls(1, "smoke")])
    void = await desk.give(case_id, Step("confirm_ruled_out", "supervisor", {"request": 1}))
    by_voice = await desk.give(case_id, Step("rule_out", "coordinator", {"known_by": "voice", "reason": "本人来电"}))
    not_worn = await desk.give(case_id, Step("rule_out", "coordinator", {"known_by": "not_worn", "reason": "在库房"}))
    await desk.go(case_id, [Step("rule_out", "coordinator"), Step("refuse_ruled_out", "coordinator")])

    assert void.status_code == 409, void.text
    assert [each.status_code for each in (by_voice, not_worn)] == [422, 422]
    assert told(bench, case_id, "distress_ruling_out_void") == ["role:coordinator", "role:street_officer"]
    assert state_of(bench, case_id).stage == Stage.RAISED


async def test_the_last_press_is_told(desk: Desk, bench: CaseBench) -> None:
    """The first call after somebody has acted is told at once, what follows together some minutes later; then it is quiet."""
    case_id = await opened(desk, platform="wristband", device="D-1")
    heard: list[int] = []
    for step in (calls(1), calls(2), Step("take", "coordinator"), calls(3), calls(4)):
        await desk.go(case_id, [step])
        heard.append(len(told(bench, case_id, "distress_again")))
    await bench.until_told(case_id, "distress:again_told")
    (counted,) = [
        facts
        for kind, facts in zip(bench.tables.kinds(case_id), bench.tables.facts(case_id), strict=True)
        if kind == "distress:again_told"
    ]

    assert heard == [1, 1, 1, 2, 2]
    assert (counted["further"], counted["untold"]) == (4, 1)
    assert len(told(bench, case_id, "distress_again")) == 3
