"""A device that is in no file calls for help: the duty desk hears of it, once for each event, and nothing ends it but people."""

import asyncio
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from temporalio.client import Client

from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from schemas.care import CARE
from schemas.care_commands import EventKind
from schemas.distress import DISTRESS
from starter.care_unfiled import OPENING_RATE, Call, UnfiledCalls
from starter.http.problems import Problem
from tests.api_driver import ApiDriver, OpenDoor, Step
from tests.device_platform import PLATFORM, Platform, bind, opened_platform
from tests.waiting import eventually
from worker import town_worker
from workflows.distress import Distress

pytestmark = [pytest.mark.timeout(300), pytest.mark.usefixtures("worker")]
TOWN_DESK = "320104"


@dataclass
class Desk:
    """The platform, and the duty desk that has the calls without a file."""

    platform: Platform
    door: ApiDriver
    pool: asyncpg.Pool

    async def calls(self, event: str, device: str, **more: Any) -> int:
        """Call for help until the town has taken it or refuses it for good; the status."""
        answers: list[int] = []
        at = more.pop("at", None) or datetime.now(UTC)

        async def answered() -> bool:
            answers.append((await self.platform.says(event, device, at=at, **more)).status_code)
            return answers[-1] != 503

        await eventually(answered)
        return answers[-1]

    async def cases(self, device: str) -> list[str]:
        """The cases that a device has, in order."""
        key = f"{PLATFORM}/{device}"
        rows = await self.pool.fetch(
            "select case_id from reservations where kind = 'calling-device' and key = $1 order by place", key
        )
        return [row["case_id"] for row in rows]

    async def case(self, device: str) -> str:
        """The only case of a device, once it stands."""
        (case_id,) = await self.cases(device)
        await self.door.passes(case_id, "distress:raised")
        return case_id

    async def notices(self, case_id: str) -> set[tuple[str, str]]:
        """Who is told what of a case."""
        rows = await self.pool.fetch("select recipient, template from outbox where case_id = $1", case_id)
        return {(row["recipient"], row["template"]) for row in rows}

    async def is_ruled_out(self, case_id: str) -> None:
        """Two people say that nobody is in need."""
        await self.door.go(case_id, [Step("rule_out", "coordinator"), Step("confirm_ruled_out", "second_street")])
        await self.door.passes(case_id, "case:ended")


@pytest.fixture
async def desk(door: OpenDoor, settings: Settings, pool: asyncpg.Pool) -> Desk:
    """The town's desk, and its platform of wristbands."""
    platform = await opened_platform(door, settings, pool)
    return Desk(platform, await door(DISTRESS), pool)


async def test_a_call_of_a_device_that_no_file_ever_had_is_the_desks(desk: Desk) -> None:
    """The platform's call is taken, the desk of the town is told at once, its first minute runs, and nobody is named."""
    assert await desk.calls("Q-1-a", "Q-1", kind="fall") == 200
    case_id = await desk.case("Q-1")
    shown = await desk.door.case(case_id)
    (raised,) = await desk.platform.told(case_id, "distress:raised")

    assert (shown["stage"], shown["holder"]) == ("raised", "role:coordinator")
    assert "take" in json.dumps(shown["clocks"])
    assert (raised["area"], raised["alarm_kind"], raised["device"], raised["event"]) == (
        TOWN_DESK,
        "fall",
        "Q-1",
        "Q-1-a",
    )
    assert raised["last_file"] is None
    assert await desk.notices(case_id) == {("role:coordinator", "distress_raised")}


async def test_the_same_event_is_one_word_for_ever(desk: Desk) -> None:
    """Sent often and at once, again while the case is open and again when it is over: one case, and no further call."""
    at = datetime.now(UTC)
    first = await asyncio.gather(*(desk.calls("Q-2-a", "Q-2", at=at) for _ in range(5)))
    case_id = await desk.case("Q-2")
    further = [await desk.calls("Q-2-b", "Q-2", at=at) for _ in range(3)]
    await desk.is_ruled_out(case_id)
    again = [await desk.calls(event, "Q-2", at=at) for event in ("Q-2-a", "Q-2-b")]

    assert [*first, *further, *again] == [200] * 10
    assert await desk.cases("Q-2") == [case_id]
    assert [each["event"] for each in await desk.platform.told(case_id, "distress:called_again")] == ["Q-2-b"]


async def test_a_device_has_one_open_case_and_then_another(desk: Desk) -> None:
    """Many calls at once open one case, which counts the others in every kind; when that is over, the next opens one."""
    kinds = ("sos", "sos", "smoke", "fall")
    answers = await asyncio.gather(
        *(desk.calls(f"Q-3-{number}", "Q-3", kind=kind) for number, kind in enumerate(kinds))
    )
    case_id = await desk.case("Q-3")
    state = await desk.pool.fetchval("select snapshot from cases where case_id = $1", case_id)
    await desk.is_ruled_out(case_id)
    after = await desk.calls("Q-3-after", "Q-3")
    heard = [
        each["event"]
        for kind in ("distress:raised", "distress:called_again")
        for each in await desk.platform.told(case_id, kind)
    ]

    assert [*answers, after] == [200] * 5
    assert sorted(heard) == [f"Q-3-{number}" for number in range(4)]
    assert {state["alarm_kind"], *state["kinds_further"]} == {"sos", "smoke", "fall"}
    assert len(await desk.cases("Q-3")) == 2


async def test_a_call_after_the_file_has_ended_is_told_to_who_had_it(desk: Desk) -> None:
    """It is held in the area of that file, names it, and its worker, deputy and community are told; they see the case."""
    file = await desk.platform.wearer("Q-4")
    await desk.platform.door.go(file, [Step("withdraw_consent", "applicant", {"scopes": ["file"]})])
    await desk.platform.door.passes(file, "case:ended")
    assert await desk.calls("Q-4-a", "Q-4") == 200
    case_id = await desk.case("Q-4")
    (raised,) = await desk.platform.told(case_id, "distress:raised")

    assert (raised["last_file"], raised["area"]) == (file, "320104.003.01")
    assert await desk.notices(case_id) == {
        ("role:coordinator", "distress_raised"),
        ("participant:grid-zhao", "distress_of_your_file"),
        ("participant:grid-qian", "distress_of_your_file"),
        ("role:grid_worker", "distress_of_your_file"),
    }


async def test_a_device_that_is_bound_meanwhile_calls_its_file(desk: Desk) -> None:
    """While its case is open the device is bound to a file: with its next word both hear of each other; its calls are alarms."""
    assert await desk.calls("Q-5-a", "Q-5") == 200
    case_id = await desk.case("Q-5")
    file = await desk.platform.wearer("Q-5")
    assert [await desk.calls(f"Q-5-{kind}", "Q-5", kind=kind) for kind in ("test", "well")] == [200, 200]
    assert [said["event"] for said in await desk.platform.told(file, "care:device:said")] == [
        "Q-5-a",
        "Q-5-test",
        "Q-5-well",
    ]
    assert [said["file"] for said in await desk.platform.told(case_id, "distress:device_bound")] == [file]
    assert ("role:coordinator", "distress_device_bound") in await desk.notices(case_id)
    assert await desk.calls("Q-5-b", "Q-5") == 200
    await desk.platform.door.passes(file, "care:alarm:raised")

    assert [each["event"] for each in await desk.platform.told(file, "care:alarm:raised")] == ["Q-5-b"]
    assert await desk.platform.told(case_id, "distress:called_again") == []


async def test_a_number_that_stood_for_something_else_is_heard(desk: Desk) -> None:
    """The platform counts anew: refused, and told to the desk; where its case or file is over, that opens another one."""
    assert await desk.calls("Q-6-a", "Q-6", kind="fall") == 200
    case_id = await desk.case("Q-6")
    assert await desk.calls("Q-6-b", "Q-6", kind="fall") == 200
    while_open = [await desk.calls(f"Q-6-{each}", "Q-6", kind="sos") for each in ("a", "b")]
    unclear = [each["event"] for each in await desk.platform.told(case_id, "distress:called_again") if each["unclear"]]
    await desk.is_ruled_out(case_id)
    when_over = await desk.calls("Q-6-b", "Q-6", kind="smoke")

    file = await desk.platform.wearer("Q-7")
    assert await desk.calls("Q-7-a", "Q-7") == 200
    await desk.platform.door.go(file, [Step("withdraw_consent", "applicant", {"scopes": ["file"]})])
    await desk.platform.door.passes(file, "case:ended")
    of_a_file = await desk.calls("Q-7-a", "Q-7", kind="fall")

    assert [*while_open, when_over, of_a_file] == [422] * 4
    assert unclear == ["Q-6-a", "Q-6-b"]
    assert [len(await desk.cases(device)) for device in ("Q-6", "Q-7")] == [2, 1]


async def test_a_number_that_stood_for_a_further_call_is_heard(desk: Desk) -> None:
    """Another device says it, one of a living file says it, its own device when its case is over: refused, and told each time."""
    file = await desk.platform.wearer("Q-12-worn")
    assert [await desk.calls(f"Q-12-{each}", "Q-12") for each in "ab"] == [200, 200]
    case_id = await desk.case("Q-12")
    of_others = [await desk.calls("Q-12-b", each) for each in ("Q-12-other", "Q-12-worn")]
    await desk.is_ruled_out(case_id)
    when_over = await desk.calls("Q-12-b", "Q-12", kind="smoke")

    assert [*of_others, when_over] == [422] * 3
    assert [facts["unclear"] for facts in await desk.platform.told(file, "care:device:said")] == [True]
    assert [len(await desk.cases(each)) for each in ("Q-12", "Q-12-other", "Q-12-worn")] == [2, 1, 1]


async def test_the_word_of_another_device_is_no_repeat(desk: Desk) -> None:
    """Two devices that count alike by clocks that were set back say the very same: both are heard."""
    at = datetime(1970, 1, 1, tzinfo=UTC)
    counted = [await desk.calls(f"Q-13-{each}", "Q-13", at=at) for each in ("1", "2", "2")]
    other = await desk.calls("Q-13-2", "Q-13-other", at=at)

    assert (counted, other) == ([200] * 3, 422)
    assert len(await desk.cases("Q-13-other")) == 1


async def test_whoever_has_a_device_that_nobody_has_now_gets_the_first_minute(desk: Desk) -> None:
    """It was unbound from a file that lives: the desk has a case of it, by which that file is named, and the file hears."""
    file = await desk.platform.wearer("Q-14")
    await desk.platform.door.go(file, [Step("unbind_device", "clerk", bind("Q-14").body)])
    await desk.platform.door.passes(file, "care:unit:released")
    answer = await desk.calls("Q-14-a", "Q-14")
    case_id = await desk.case("Q-14")
    (raised,) = await desk.platform.told(case_id, "distress:raised")

    assert (answer, raised["last_file"]) == (200, file)
    assert "take" in json.dumps((await desk.door.case(case_id))["clocks"])
    assert [facts["event"] for facts in await desk.platform.told(file, "care:device:said")] == ["Q-14-a"]


async def test_an_unclear_call_of_a_file_gets_the_first_minute(desk: Desk) -> None:
    """It comes late from before the device was bound here, or under a number that is used again: the file is told, and the desk."""
    for device in ("Q-15", "Q-16"):
        await desk.platform.wearer(device)
    late = [await desk.calls("Q-15-a", "Q-15", at=datetime(2026, 1, 1, tzinfo=UTC)) for _ in range(2)]
    first, reused = await desk.calls("Q-16-a", "Q-16"), await desk.calls("Q-16-a", "Q-16", kind="fall")

    assert (late, first, reused) == ([200, 200], 200, 422)
    assert [len(await desk.cases(device)) for device in ("Q-15", "Q-16")] == [1, 1]
    assert await desk.platform.told(await desk.case("Q-15"), "distress:called_again") == []


async def test_an_unclear_word_is_one_word_for_ever(desk: Desk) -> None:
    """Told to an open case, or opening one: when two people have ruled that out, the same words open nothing."""
    at = datetime.now(UTC)
    assert await desk.calls("Q-17-a", "Q-17", at=at) == 200
    first = [await desk.calls("Q-17-a", "Q-17", kind="fall", at=at) for _ in range(2)]
    await desk.is_ruled_out(await desk.case("Q-17"))
    again = [await desk.calls("Q-17-a", "Q-17", kind=kind, at=at) for kind in ("fall", "smoke", "smoke")]
    await desk.is_ruled_out((await desk.cases("Q-17"))[1])
    at_last = [await desk.calls("Q-17-a", "Q-17", kind=kind, at=at) for kind in ("fall", "smoke")]

    assert {*first, *again, *at_last} == {422}
    assert len(await desk.cases("Q-17")) == 2


async def test_unclear_words_are_held_and_what_is_new_passes(desk: Desk) -> None:
    """A counter that stands still, and a button that is stuck: held as all calls are; the first word of smoke comes in."""
    moments = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=each) for each in range(30)]
    answers = [await desk.calls("0", "Q-18", at=each) for each in moments]
    told = await desk.pool.fetch("select template from outbox where case_id = $1", await desk.case("Q-18"))
    smoke = await desk.calls("Q-18-smoke", "Q-18", kind="smoke")

    assert (answers[0], set(answers[1:]), smoke) == (200, {422, 429}, 200)
    assert answers.count(422) <= 21
    assert [row["template"] for row in told] == ["distress_raised"]


async def test_what_a_file_refuses_is_the_desks_at_once(desk: Desk) -> None:
    """The door died between remembering and giving, and the file has ended since: the call is not sent away."""
    file = await desk.platform.wearer("Q-8")
    await desk.pool.execute(
        "insert into device_events (platform, event, case_id) values ($1, 'Q-8-a', $2)", PLATFORM, file
    )
    await desk.platform.door.go(file, [Step("withdraw_consent", "applicant", {"scopes": ["file"]})])
    await desk.platform.door.passes(file, "case:ended")
    at = datetime.now(UTC)
    answers = [await desk.calls("Q-8-a", "Q-8", at=at) for _ in range(2)]
    (raised,) = await desk.platform.told(await desk.case("Q-8"), "distress:raised")

    assert answers == [200, 200]
    assert (raised["event"], raised["last_file"]) == ("Q-8-a", file)


async def test_a_device_without_a_file_that_goes_wild_is_held(desk: Desk) -> None:
    """It calls on and on: its case counts the first ones, the rest is to be sent again later; the desk is told once."""
    assert await desk.calls("Q-9-first", "Q-9") == 200
    case_id = await desk.case("Q-9")
    answers = [await desk.calls(f"Q-9-{number}", "Q-9") for number in range(30)]
    told = await desk.pool.fetch("select template from outbox where case_id = $1", case_id)

    assert set(answers) == {200, 429}
    assert answers.count(200) == len(await desk.platform.told(case_id, "distress:called_again")) <= 21
    assert [row["template"] for row in told] == ["distress_raised"]


async def test_a_platform_that_makes_up_devices_is_held(desk: Desk) -> None:
    """More new cases than a town can look at are to be sent again; those of another platform come in."""
    calls = UnfiledCalls(replace(desk.door.filing), desk.pool) if desk.door.filing else None
    assert calls is not None
    while OPENING_RATE.take("made-up") is None:
        pass
    made_up = Call(platform="made-up", event="M-1", device="M-1", kind=EventKind.SOS, at=datetime.now(UTC), key="M-1")
    with pytest.raises(Problem) as held:
        await calls.take(made_up, 1, None)

    assert (held.value.kind.status, held.value.code) == (429, "too-many-requests")
    assert await desk.calls("Q-10-a", "Q-10") == 200


async def test_junk_of_a_platform_holds_no_device_that_was_somebodys(desk: Desk) -> None:
    """A device that was in a file is not made up: its call comes in, however many its platform has made up."""
    device = {"platform": "home-sensor", "device": "Q-19"}
    file = await desk.platform.door.start()
    await desk.platform.door.go(
        file, [Step("record_consent", "grid_worker"), Step("bind_device", "grid_worker", device)]
    )
    await desk.platform.door.passes(file, "care:device:ready")
    await desk.platform.door.go(file, [Step("unbind_device", "clerk", device)])
    await desk.platform.door.passes(file, "care:unit:released")
    while OPENING_RATE.take("home-sensor") is None:
        pass
    assert desk.door.filing is not None
    call = Call(event="Q-19-a", **device, kind=EventKind.SOS, at=datetime.now(UTC), key="Q-19-a")

    assert await UnfiledCalls(desk.door.filing, desk.pool).take(call, 1, None)


async def test_a_call_is_acknowledged_once_the_desk_has_it(
    desk: Desk, door: OpenDoor, settings: Settings, keys: Keys, temporal: Client
) -> None:
    """No worker is there: it is kept, and its platform sends it again, for nobody has heard of it; then it is one case."""
    alone = settings.model_copy(update={"task_queue": "unfiled-away"})
    away = replace(desk.platform, door=await door(CARE, task_queue=alone.task_queue, patience=1.0))
    at = datetime.now(UTC)
    unheard = [(await away.says("Q-20-a", "Q-20", at=at)).status_code for _ in range(2)]
    async with town_worker(alone, keys, temporal, desk.pool, procedures=[Distress]) as worker, worker:
        heard = await replace(desk, platform=away).calls("Q-20-a", "Q-20", at=at)

    assert (unheard, heard) == ([503, 503], 200)
    assert len(await desk.cases("Q-20")) == 1


async def test_only_its_own_word_is_refused_for_want_of_a_file(desk: Desk) -> None:
    """What a device says of itself is nobody's without a file, and opens nothing; nor does a call that nobody has signed."""
    of_itself = [await desk.calls(f"Q-11-{kind}", "Q-11", kind=kind) for kind in ("test", "trouble", "well")]
    content = json.dumps(
        {"event_id": "Q-11-x", "device": "Q-11", "kind": "sos", "at": datetime.now(UTC).isoformat()}
    ).encode()
    unsigned = await desk.platform.posts(content, key=bytes(32))

    assert (of_itself, unsigned.status_code) == ([404] * 3, 401)
    assert await desk.cases("Q-11") == []


async def test_two_people_end_it_and_nobody_there_does_not(desk: Desk) -> None:
    """Who said that nobody is in need does not confirm it; nobody at the place leaves the case and its clock running."""
    case_id = await desk.door.start()
    await desk.door.stands(case_id)
    await desk.door.go(case_id, [Step("rule_out", "street_officer")])
    by_the_same = await desk.door.give(case_id, Step("confirm_ruled_out", "street_officer"))
    nobody = {"result": "nobody_there", "what": "未见求助人"}
    await desk.door.go(case_id, [Step("arrive", "grid_worker"), Step("report_scene", "grid_worker", nobody)])
    shown = await desk.door.case(case_id)

    assert (by_the_same.status_code, by_the_same.json()["code"]) == (409, "against-the-rules")
    assert shown["stage"] == "taken"
    assert {"locate", "resolve"} <= {clock["name"] for clock in shown["clocks"]}


async def test_a_case_goes_to_no_area_that_is_none(desk: Desk) -> None:
    """Nobody would see it there: whoever mistypes an area hears so."""
    case_id = await desk.door.start()
    await desk.door.stands(case_id)
    place = {"where": "幸福里5号楼", "source": "caller", "area": "320104.003.99"}
    answer = await desk.door.give(case_id, Step("locate", "coordinator", place))

    assert (answer.status_code, [each["field"] for each in answer.json()["faults"]]) == (422, ["area"])
