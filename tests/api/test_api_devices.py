"""Devices at the public door: believed by signature, each event one alarm for ever, whatever order and however often they come."""

import asyncio
import json
import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from starlette.responses import Response

from engine.runtime.settings import Settings
from schemas.care_commands import EventKind
from starter.care_devices import EventSent, acknowledged, wait_your_turn
from starter.http.problems import Problem
from tests.api_driver import OpenDoor, Step
from tests.device_platform import PLATFORM, Platform, bind, opened_platform
from tests.sampling import settle_seed
from tests.waiting import eventually

pytestmark = [pytest.mark.timeout(300), pytest.mark.usefixtures("worker")]
APART = timedelta(minutes=11)
"""So far from each other two events are two alarms."""

AT_ONCE = 8


@pytest.fixture
async def platform(door: OpenDoor, settings: Settings, pool: asyncpg.Pool) -> Platform:
    """The town's platform of wristbands."""
    return await opened_platform(door, settings, pool)


@pytest.mark.parametrize(
    ("files", "each"), [(2, 5), pytest.param(14, 15, marks=pytest.mark.long)], ids=["some", "two hundred"]
)
async def test_an_event_three_times_in_any_order_is_one_alarm(platform: Platform, files: int, each: int) -> None:
    """Each of so many events comes three times, mixed and many at once: each is one alarm, or one word of before it was bound."""
    marks = [f"O-{files}-{number}" for number in range(files)]
    worn = [await platform.wearer(device) for device in marks]
    began = datetime.now(UTC)
    sent = [(f"{device}-E{number}", device, began - APART * number) for device in marks for number in range(each)]
    mixed = [event for event in sent for _ in range(3)]
    random.Random(settle_seed()).shuffle(mixed)  # noqa: S311 - an order, and no secret
    turns = asyncio.Semaphore(AT_ONCE)

    async def says(event: str, device: str, at: datetime) -> int:
        async with turns:
            answer = await platform.says(event, device, at=at)
            if answer.status_code == 503:
                return await says(event, device, at)
            assert answer.status_code == 200, answer.text
            assert answer.json() == {"event_id": event}
            return int(answer.status_code)

    await asyncio.gather(*(says(*event) for event in mixed))

    async def all_stand() -> bool:
        stand = [await platform.told(file, "care:alarm:stands") for file in worn]
        return sum(map(len, stand)) >= files

    await eventually(all_stand, within=120)
    raised = [await platform.told(file, "care:alarm:raised") for file in worn]
    unclear = [await platform.told(file, "care:device:said") for file in worn]
    heard = [facts["event"] for of_file in (*raised, *unclear) for facts in of_file]

    assert Counter(heard) == Counter(event for event, _, _ in sent)
    assert [[(facts["event"], facts["device"]) for facts in of_file] for of_file in raised] == [
        [(f"{mark}-E0", f"{PLATFORM}/{mark}")] for mark in marks
    ]
    assert [await platform.told(file, "care:alarm:further") for file in worn] == [[]] * files


async def test_an_event_is_remembered_after_the_file_has_ended(platform: Platform) -> None:
    """The same event comes again when the file is over and the device somebody else's: the first answer, and no second alarm.

    What the device says of itself meanwhile is nobody's, and is asked anew.
    """
    first, at = await platform.wearer("R-1"), datetime.now(UTC)
    assert (await platform.says("R-1-a", "R-1", at=at)).status_code == 200
    await platform.door.passes(first, "care:alarm:stands")
    await platform.door.go(first, [Step("withdraw_consent", "applicant", {"scopes": ["file"]})])
    await platform.door.passes(first, "case:ended")
    unbound = await platform.says("R-1-b", "R-1", kind="test")
    second = await platform.wearer("R-1")
    again = await platform.says("R-1-a", "R-1", at=at)
    tested, fresh = await platform.says("R-1-b", "R-1", kind="test"), await platform.says("R-1-c", "R-1")
    await platform.door.passes(second, "care:alarm:raised")

    assert (unbound.status_code, unbound.json()["code"]) == (404, "unknown-device")
    assert (again.status_code, tested.status_code, fresh.status_code) == (200, 200, 200)
    assert len(await platform.told(first, "care:alarm:raised")) == 1
    assert [facts["event"] for facts in await platform.told(second, "care:alarm:raised")] == ["R-1-c"]


async def test_two_events_within_minutes_are_one_alarm(platform: Platform) -> None:
    """What happened within minutes of an alarm that somebody is on is counted there; a clock that runs ahead is taken for now."""
    file, at = await platform.wearer("T-1"), datetime.now(UTC)
    await platform.says("T-1-a", "T-1", kind="left_area", at=at)
    await platform.says("T-1-b", "T-1", kind="fall", at=at + timedelta(minutes=30))
    await platform.door.passes(file, "care:alarm:further")
    (further,) = await platform.told(file, "care:alarm:further")

    assert (further["event"], further["further"], further["alarm_kind"]) == ("T-1-b", 1, "fall")
    assert len(await platform.told(file, "care:alarm:raised")) == 1


async def test_a_device_protects_only_after_its_test(platform: Platform, pool: asyncpg.Pool) -> None:
    """Bound, tested, out of battery, well again: by the latest of its words; one of before it was bound here changes nothing."""

    async def standing(file: str) -> str:
        found: str = await pool.fetchval(
            "select snapshot -> 'devices' -> 0 ->> 'standing' from cases where case_id = $1", file
        )
        return found

    file, began = await platform.wearer("P-1"), datetime.now(UTC)
    seen = [await standing(file)]
    for number, (kind, minutes, battery) in enumerate(
        (("test", 10, 90), ("well", 20, 12), ("well", 40, 80), ("trouble", -30, 80))
    ):
        at = began + timedelta(minutes=minutes)
        answer = await platform.says(f"P-1-{number}", "P-1", kind=kind, at=at, battery_percent=battery)
        assert answer.status_code == 200, answer.text
        seen.append(await standing(file))

    assert seen == ["untested", "protects", "trouble", "protects", "protects"]
    assert (await platform.told(file, "care:device:said"))[-1]["old"] is True


async def test_only_the_platforms_own_key_is_believed(platform: Platform) -> None:
    """No signature, another key, a platform that the town does not have, one number with two bodies: each is refused."""
    file = await platform.wearer("B-1")
    body = {"event_id": "B-1-a", "device": "B-1", "kind": "sos", "at": datetime.now(UTC).isoformat()}
    content = json.dumps(body).encode()
    refused = [
        await platform.door.api.post(
            f"/api/v1/devices/{PLATFORM}/events", content=content, headers={"Content-Type": "application/json"}
        ),
        await platform.posts(content, key=bytes(32)),
        await platform.posts(content, platform="home-sensor"),
        await platform.posts(content, platform="nobodys"),
    ]
    taken = await platform.posts(content)
    other = await platform.posts(json.dumps({**body, "kind": "fall"}).encode())
    unreadable = await platform.posts(json.dumps({**body, "kind": "王桂英"}).encode())
    again = await platform.posts(content)

    assert [answer.status_code for answer in refused] == [401] * 4

    async def a_person_is_told() -> bool:
        return [facts["unclear"] for facts in await platform.told(file, "care:device:said")] == [True]

    await eventually(a_person_is_told)
    assert taken.status_code == 200
    assert (other.status_code, other.json()["code"]) == (422, "key-reused")
    assert (unreadable.status_code, "王桂英" in unreadable.text) == (422, False)
    assert again.status_code == 200


async def test_a_clock_that_was_never_set_is_a_fault_of_its_platform(platform: Platform) -> None:
    """At the end or the beginning of all time nothing happened: the platform hears which field it is; who called is heard."""
    file = await platform.wearer("Y-1")
    answers = [
        await platform.posts(json.dumps({"event_id": f"Y-1-{kind}", "device": "Y-1", "kind": kind, "at": at}).encode())
        for at in ("9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00")
        for kind in ("sos", "well")
    ]

    assert [answer.status_code for answer in answers] == [422] * 4
    assert {fault["field"] for answer in answers for fault in answer.json()["faults"]} == {"at"}
    assert [said["event"] for said in await platform.told(file, "care:device:said")] == ["Y-1-sos"]


@pytest.mark.parametrize("wrong", [{"battery_percent": 101}, {"at": "昨天"}, {"firmware": "2.1"}], ids=str)
async def test_a_call_that_can_be_read_in_part_is_heard(
    platform: Platform, pool: asyncpg.Pool, wrong: dict[str, object]
) -> None:
    """Refused, with the field, as often as it comes; and a person finds out who calls, once, with a first minute."""
    device = f"Z-{'-'.join(wrong)}"
    await platform.wearer(device)
    sent = {"event_id": f"{device}-a", "device": device, "kind": "sos", "at": datetime.now(UTC).isoformat(), **wrong}
    answers = [await platform.posts(json.dumps(sent).encode()) for _ in range(2)]
    of_itself = await platform.posts(json.dumps({**sent, "event_id": f"{device}-b", "kind": "well"}).encode())
    opened = "select count(*) from reservations where kind = 'calling-device' and key = $1"

    assert [each.status_code for each in (*answers, of_itself)] == [422] * 3
    assert answers[0].json()["faults"][0]["field"] in wrong
    assert await pool.fetchval(opened, f"{PLATFORM}/{device}") == 1


async def test_a_call_from_before_it_was_bound_here_is_somebodys(platform: Platform, pool: asyncpg.Pool) -> None:
    """The last wearer's call and test come late: neither is the new one's, and the desk is told to find out whose the call is."""
    file, before = await platform.wearer("W-1"), datetime.now(UTC) - timedelta(hours=1)
    answers = [await platform.says(f"W-1-{kind}", "W-1", kind=kind, at=before) for kind in ("test", "sos")]
    said = await platform.told(file, "care:device:said")
    told = await pool.fetch("select recipient from outbox where case_id = $1 and template = 'care_unclear_call'", file)

    assert [answer.status_code for answer in answers] == [200, 200]
    assert [facts["old"] for facts in said] == [True, True]
    assert await platform.told(file, "care:alarm:raised") == await platform.told(file, "care:device:tested") == []
    assert "role:coordinator" in {row["recipient"] for row in told}


async def test_a_refused_event_can_come_again(platform: Platform, pool: asyncpg.Pool) -> None:
    """The door died between remembering and giving, and the device changed hands: refused, forgotten, and taken the next time."""
    first = await platform.wearer("N-1")
    await pool.execute("insert into device_events (platform, event, case_id) values ($1, 'N-1-a', $2)", PLATFORM, first)
    await platform.door.go(first, [Step("unbind_device", "clerk", bind("N-1").body)])
    await platform.door.passes(first, "care:unit:released")
    second, at = await platform.wearer("N-1"), datetime.now(UTC)
    refused, taken, again = [await platform.says("N-1-a", "N-1", kind="test", at=at) for _ in range(3)]

    assert (refused.status_code, taken.status_code, again.status_code) == (422, 200, 200)
    assert len(await platform.told(second, "care:device:tested")) == 1


async def test_a_call_of_a_device_that_was_unbound_is_looked_at(platform: Platform) -> None:
    """It is still on somebody's wrist: the file that had it last tells the desk; what it says of itself is nobody's."""
    file = await platform.wearer("U-1")
    await platform.door.go(file, [Step("unbind_device", "clerk", bind("U-1").body)])
    await platform.door.passes(file, "care:unit:released")
    answers = [await platform.says(f"U-1-{kind}", "U-1", kind=kind) for kind in ("sos", "well")]

    assert [answer.status_code for answer in answers] == [200, 404]
    assert [facts["event"] for facts in await platform.told(file, "care:device:said")] == ["U-1-sos"]


def test_what_is_not_known_to_be_taken_is_not_acknowledged() -> None:
    """The file's word takes too long: the platform sends again until it is known."""
    event = EventSent(event_id="K-1", device="K-1", kind=EventKind.SOS, at=datetime.now(UTC))

    assert acknowledged(event, Response(status_code=200)).status_code == 200
    with pytest.raises(Problem) as pending:
        acknowledged(event, Response(status_code=202))
    assert pending.value.kind.status == 503


def test_a_device_gone_wild_is_held_and_its_calls_are_heard() -> None:
    """What it says of itself a hundred times is refused from some time on; its calls for help have a count of their own."""
    answers = []
    for _ in range(100):
        try:
            wait_your_turn("wild/1", EventKind.WELL)
        except Problem as problem:
            answers.append(problem.kind.status)

    assert 70 < len(answers) <= 80
    assert set(answers) == {429}
    wait_your_turn("wild/1", EventKind.SOS)
