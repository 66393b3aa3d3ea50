"""The feed of an issuer of warnings: believed by signature, each message once for ever, whatever order they come in."""

import asyncio
import itertools
import json
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import asyncpg
import httpx
import pytest

from engine.keys.counterpart_keys import Counterpart, load_counterpart_keys
from engine.runtime.settings import Settings
from schemas.contracts.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from schemas.warning import WARNING
from tests.api_driver import ApiDriver, OpenDoor, Step
from tests.examples.warning import INSPECTED
from tests.swept_town import TEAM, all_are_walked, back_body, facts_of, first_sweep, nobody_had_gone, of_sweeps, told
from tests.waiting import eventually

pytestmark = [pytest.mark.timeout(300), pytest.mark.usefixtures("worker")]
ISSUER = "weather-bureau"
AREA = "320104.003.01"
_numbers = itertools.count(1)


@dataclass
class Issuer:
    """An issuer that posts what it says."""

    door: ApiDriver
    key: bytes
    pool: asyncpg.Pool

    async def says(self, identifier: str, **said: Any) -> httpx.Response:
        """Post a message, signed; usually an alert in orange, sent now."""
        usual = {
            "sent": datetime.now(UTC).isoformat(),
            "type": "alert",
            "hazard": "rainstorm",
            "level": "orange",
            "areas": [AREA],
            "headline": "三小时雨量将达五十毫米",
        }
        return await self.posts(json.dumps({**usual, "identifier": identifier, **said}).encode())

    async def posts(self, content: bytes, key: bytes | None = None, issuer: str = ISSUER) -> httpx.Response:
        """Post a body, signed with a key."""
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            TIMESTAMP_HEADER: timestamp,
            SIGNATURE_HEADER: sign(key or self.key, timestamp, content),
        }
        return await self.door.api.post(f"/api/v1/alerts/{issuer}", content=content, headers=headers)

    async def cases(self, *identifiers: str) -> set[str]:
        """Which warnings began, or were told, by these messages."""
        rows = await self.pool.fetch(
            "select distinct case_id from issuer_messages where identifier = any($1::text[]) and case_id is not null",
            list(identifiers),
        )
        return {row["case_id"] for row in rows}

    async def begun(self, *identifiers: str) -> int:
        """How many cases were begun under these numbers, whatever is remembered of them."""
        return int(
            await self.pool.fetchval(
                "select count(*) from intake where kind = 'start' and procedure = 'warning' "
                "and exists (select 1 from unnest($1::text[]) as known(each) where payload::text like '%' || known.each || '%')",
                list(identifiers),
            )
        )

    async def taken(self, identifier: str, **said: Any) -> None:
        """Post until it is acknowledged, as an issuer does."""

        async def acknowledged() -> bool:
            answer = await self.says(identifier, **said)
            assert answer.status_code in (200, 503), answer.text
            return answer.status_code == 200

        await eventually(acknowledged, within=60)

    async def told(self, case: str, template: str) -> int:
        """How many were told this of a case."""
        found = "select count(*) from outbox where case_id = $1 and template = $2"
        return int(await self.pool.fetchval(found, case, template))

    async def stage(self, identifier: str) -> str:
        """Where the one warning of a message stands."""
        (case,) = await self.cases(identifier)
        return str((await self.door.case(case))["stage"])


def number() -> str:
    """A message's number."""
    return f"QX-{uuid.uuid4().hex[:8]}-{next(_numbers)}"


@pytest.fixture
async def issuer(door: OpenDoor, settings: Settings, pool: asyncpg.Pool) -> Issuer:
    """The issuer of the town."""
    key = load_counterpart_keys(settings.key_folder, [ISSUER], Counterpart.ISSUER).signing(ISSUER)
    return Issuer(await door(WARNING), key, pool)


async def test_only_the_issuers_own_key_is_believed(issuer: Issuer) -> None:
    """Another key, another issuer, no signature: nothing is taken, and nothing begins."""
    message = json.dumps({"identifier": number()}).encode()

    assert (await issuer.posts(message, key=b"x" * 32)).status_code == 401
    assert (await issuer.posts(message, issuer="wristband")).status_code == 401
    json_only = {"Content-Type": "application/json"}
    unsigned = await issuer.door.api.post(f"/api/v1/alerts/{ISSUER}", content=message, headers=json_only)
    assert unsigned.status_code == 401
    faults = (await issuer.posts(message)).json()
    assert {"sent", "type", "hazard", "level", "areas", "headline"} <= {each["field"] for each in faults["faults"]}


async def test_an_official_orange_calls_without_anybodys_leave(issuer: Issuer) -> None:
    """It stands, those who lead are called, and nobody of the town takes it back."""
    one = number()
    await issuer.taken(one)
    (case,) = await issuer.cases(one)

    assert await issuer.stage(one) == "calling"
    refused = await issuer.door.taken(case, Step("cancel_warning", "officer"))
    assert refused.status_code == 409
    assert "issuer" in refused.json()["detail"]


async def test_a_message_counts_once_however_often_and_at_once_it_comes(issuer: Issuer) -> None:
    """The same alert eight times at once, and again later: one warning, and one entry of each word."""
    one, later = number(), number()
    await asyncio.gather(*(issuer.taken(one) for _ in range(8)))
    await issuer.taken(one)
    for _ in range(3):
        await issuer.taken(later, type="update", level="red", references=[one])
    (case,) = await issuer.cases(one, later)
    kinds = await issuer.door.kinds(case)

    assert await issuer.begun(one) == 1
    assert kinds.count("warning:issued") == 1
    assert kinds.count("warning:issuer_said") == 1


async def test_a_cancel_that_overtakes_its_alert_lets_it_start_nothing(issuer: Issuer) -> None:
    """Also when both come at the same time, there is never a warning that goes on; and the alert is acknowledged."""
    one, cancel = number(), number()
    await issuer.taken(cancel, type="cancel", references=[one])
    await issuer.taken(one, sent=(datetime.now(UTC) - timedelta(minutes=1)).isoformat())
    assert await issuer.cases(one, cancel) == set()
    assert await issuer.begun(one) == 0

    one, cancel = number(), number()
    early = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    await asyncio.gather(issuer.taken(one, sent=early), issuer.taken(cancel, type="cancel", references=[one]))
    for case in await issuer.cases(one, cancel):
        assert (await issuer.door.case(case))["stage"] == "cancelled"


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=lambda order: "".join(map(str, order)))
async def test_alert_update_and_cancel_in_any_order_end_as_the_last_word_says(
    issuer: Issuer, order: tuple[int, ...]
) -> None:
    """Nobody is called by what was called off: it is cancelled, or it never began."""
    now, numbers = datetime.now(UTC), [number() for _ in range(3)]
    messages: list[dict[str, Any]] = [
        {"type": "alert"},
        {"type": "update", "level": "red", "references": numbers[:1]},
        {"type": "cancel", "references": numbers[:2]},
    ]
    for which in order:
        sent = (now - timedelta(minutes=3 - which)).isoformat()
        await issuer.taken(numbers[which], sent=sent, **messages[which])

    cases = await issuer.cases(*numbers)
    assert len(cases) <= 1
    for case in cases:
        assert (await issuer.door.case(case))["stage"] == "cancelled"


async def test_an_update_that_overtakes_its_alert_stands_for_it(issuer: Issuer) -> None:
    """One warning, in red; the alert in orange comes too late to make it less."""
    now, one, later = datetime.now(UTC), number(), number()
    await issuer.taken(later, type="update", level="red", references=[one], sent=now.isoformat())
    await issuer.taken(one, sent=(now - timedelta(minutes=5)).isoformat())
    (case,) = await issuer.cases(one, later)
    shown = await issuer.door.case(case)

    assert shown["labels"]["level"] == "red"
    assert await issuer.begun(one, later) == 1


async def test_only_what_was_sent_later_begins_another_warning(issuer: Issuer) -> None:
    """After the cancel of all comes what is older than its alert, or was called off too: nothing begins; one of later does."""
    now, one, cancel, old, off, new = datetime.now(UTC), *(number() for _ in range(5))
    sent = [(now - timedelta(minutes=each)).isoformat() for each in (9, 3, 10, 5, 1)]
    await issuer.taken(one, sent=sent[0])
    await issuer.taken(cancel, type="cancel", references=[one, off], sent=sent[1])
    await issuer.taken(old, type="update", level="red", references=[one], sent=sent[2])
    await issuer.taken(off, type="update", level="red", references=[one], sent=sent[3])
    (case,) = await issuer.cases(one, cancel, old, off)
    assert await issuer.begun(one, cancel, old, off) == 1
    await issuer.taken(new, type="update", level="red", references=[one], sent=sent[4])

    (another,) = await issuer.cases(new)
    assert another != case
    assert (await issuer.door.case(another))["stage"] == "calling"


async def test_what_was_called_off_or_has_run_out_begins_nothing(issuer: Issuer) -> None:
    """A cancel of both comes first, then an update of before it; and a message after its time."""
    now, one, cancel, update, late = datetime.now(UTC), *(number() for _ in range(4))
    sent = [(now - timedelta(minutes=each)).isoformat() for each in (5, 2)]
    await issuer.taken(cancel, type="cancel", references=[one, update], sent=sent[1])
    await issuer.taken(update, type="update", level="red", references=[one], sent=sent[0])
    await issuer.taken(late, sent=sent[0], expires=sent[1])

    assert await issuer.begun(cancel, update, late) == 0


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=lambda order: "".join(map(str, order)))
async def test_a_cancel_of_what_was_replaced_calls_off_nothing(issuer: Issuer, order: tuple[int, ...]) -> None:
    """Orange, red in its place, and the old signal lifted: in any order red holds, and its own cancel ends it."""
    now, numbers = datetime.now(UTC), [number() for _ in range(3)]
    messages: list[dict[str, Any]] = [
        {"type": "alert"},
        {"type": "update", "level": "red", "references": numbers[:1]},
        {"type": "cancel", "references": numbers[:1]},
    ]
    for which in order:
        sent = (now - timedelta(minutes=3 - which)).isoformat()
        await issuer.taken(numbers[which], sent=sent, **messages[which])

    open_cases = {case for case in await issuer.cases(*numbers) if await stage_of(issuer, case) != "cancelled"}
    (case,) = open_cases
    shown = await issuer.door.case(case)
    assert (shown["stage"], shown["labels"]["level"]) == ("calling", "red")
    if order == (0, 1, 2):
        assert await issuer.told(case, "warning_cancel_not_counted") == 1
    await issuer.taken(number(), type="cancel", references=numbers[1:2])
    assert await stage_of(issuer, case) == "cancelled"


async def stage_of(issuer: Issuer, case: str) -> str:
    """Where a case stands."""
    return str((await issuer.door.case(case))["stage"])


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=lambda order: "".join(map(str, order)))
async def test_of_one_moment_the_graver_word_counts(issuer: Issuer, order: tuple[int, ...]) -> None:
    """An alert, its update in red and a cancel of the alert, all of one minute: red holds in whatever order they come."""
    moment, numbers = (datetime.now(UTC) - timedelta(minutes=2)).isoformat(), [number() for _ in range(3)]
    messages: list[dict[str, Any]] = [
        {"type": "alert"},
        {"type": "update", "level": "red", "references": numbers[:1]},
        {"type": "cancel", "references": numbers[:1]},
    ]
    for which in order:
        await issuer.taken(numbers[which], sent=moment, **messages[which])

    cases = {case for case in await issuer.cases(*numbers) if await stage_of(issuer, case) != "cancelled"}
    assert [(await issuer.door.case(case))["labels"]["level"] for case in cases] == ["red"]


async def test_what_is_sent_from_the_future_is_not_believed(issuer: Issuer) -> None:
    """A clock that is fast, a year mistyped: said to its issuer at once, and what comes then is heard."""
    one, ahead = number(), number()
    await issuer.taken(one, level="yellow")
    answer = await issuer.says(
        ahead, type="update", references=[one], sent=(datetime.now(UTC) + timedelta(minutes=40)).isoformat()
    )
    assert (answer.status_code, [each["field"] for each in answer.json()["faults"]]) == (422, ["sent"])
    assert await issuer.cases(ahead) == set()
    await issuer.taken(number(), type="update", level="red", references=[one])

    assert await issuer.stage(one) == "calling"


async def test_a_drill_changes_nothing_in_earnest(issuer: Issuer) -> None:
    """A cancel that is a drill cancels nothing, an update in red that is one begins a drill of its own."""
    one, cancel, red = number(), number(), number()
    await issuer.taken(one)
    await issuer.taken(cancel, type="cancel", references=[one], drill=True)
    assert await issuer.stage(one) == "calling"
    (case,) = await issuer.cases(one)
    await issuer.taken(red, type="update", level="red", references=[one], drill=True)
    (drill,) = await issuer.cases(red)

    assert case != drill
    assert (await issuer.door.case(drill))["labels"]["drill"] == "drill"
    assert (await issuer.door.case(case))["labels"]["level"] == "orange"


async def test_a_wider_area_is_warned_street_by_street_with_the_streets_own_people(issuer: Issuer) -> None:
    """A whole city, and a community of it too: no home stands twice, and who works in the street acts in it."""
    one = number()
    answer = await issuer.says(one, areas=["320100", AREA], level="yellow")
    await issuer.taken(one, areas=["320100", AREA], level="yellow")
    (case,) = await issuer.cases(one)

    assert answer.status_code == 503 or answer.json()["areas"] == ["320104"]
    assert (await issuer.door.case(case))["area"] == "320104.003"
    await issuer.door.go(case, [Step("open_shelter", "bound_street")])


async def test_an_update_that_names_more_is_heard_and_begins_one_for_the_rest(issuer: Issuer) -> None:
    """The community's warning is raised; the street gets another one without that community; a cancel of both ends both."""
    one, wider, cancel = number(), number(), number()
    await issuer.taken(one, level="yellow")
    (case,) = await issuer.cases(one)
    await issuer.taken(wider, type="update", references=[one], areas=["320104.003"])
    (rest,) = await issuer.cases(wider) - {case}
    (begun,) = await facts_of(issuer.door, rest, "warning:issued")

    assert "riverside-low" not in begun["points"]
    assert "slope-south" in begun["points"]
    assert (await issuer.door.case(case))["stage"] == "calling", "it has heard the update too"
    await issuer.taken(cancel, type="cancel", references=[one, wider], areas=["320104.003"])
    assert {(await issuer.door.case(each))["stage"] for each in (case, rest)} == {"cancelled"}


async def test_a_place_that_does_not_answer_keeps_a_red_from_no_other_one(issuer: Issuer) -> None:
    """What was said of the first street began a case that does not stand: the second street is warned, and it is sent again."""
    one, red = number(), number()
    stands_nowhere = f"warning-20990101-{next(_numbers):06}"
    await issuer.pool.execute(
        "insert into issuer_messages (issuer, identifier, area, case_id, heard) values ($1, $2, $3, $4, true)",
        ISSUER, one, "320104.002", stands_nowhere,
    )  # fmt: skip
    said: dict[str, Any] = {"references": [one], "type": "update", "level": "red", "areas": ["320104.002", AREA]}
    answers = [await issuer.says(red, **said) for _ in range(3)]

    assert {each.status_code for each in answers} == {503}
    assert await issuer.begun(red) == 1


async def test_less_in_a_part_is_not_less_in_the_whole(issuer: Issuer) -> None:
    """One community down to yellow, or called off: the street is called as before, the department hears; up to red: all hear."""
    one, less, off, more = number(), number(), number(), number()
    await issuer.taken(one, areas=["320104.003"])
    (case,) = await issuer.cases(one)
    await issuer.taken(less, type="update", level="yellow", references=[one], areas=[AREA])
    assert (await issuer.stage(one), await issuer.told(case, "warning_message_not_counted")) == ("calling", 1)
    await issuer.taken(off, type="cancel", references=[one], areas=[AREA])
    assert (await issuer.stage(one), await issuer.told(case, "warning_cancel_not_counted")) == ("calling", 1)
    await issuer.taken(more, type="update", level="red", references=[one], areas=["320104.003.02"])
    assert (await issuer.door.case(case))["labels"]["level"] == "red"
    await issuer.taken(number(), type="cancel", references=[more], areas=["320104.003"])
    assert await issuer.stage(one) == "calling", "what stood for the whole stands beside it"
    await issuer.taken(number(), type="cancel", references=[one], areas=["320104"])

    assert await issuer.stage(one) == "cancelled"


async def test_each_area_of_the_town_gets_its_own_and_other_towns_none(issuer: Issuer) -> None:
    """Two areas of this town and one of another: two warnings, and the message is acknowledged with those two."""
    one = number()
    await issuer.taken(one, areas=[AREA, "320104.003.02", "999999"], level="yellow")
    cases = await issuer.cases(one)
    assert {(await issuer.door.case(case))["area"] for case in cases} == {AREA, "320104.003.02"}
    nowhere = number()
    answer = await issuer.says(nowhere, areas=["999999"])

    assert (answer.status_code, answer.json()["areas"]) == (200, [])
    assert await issuer.cases(nowhere) == set()


async def test_an_area_that_the_town_does_not_know_is_warned_around_it(issuer: Issuer) -> None:
    """Its own cancel ends that; another cancel of it does not call off the whole street."""
    one, unknown = number(), number()
    await issuer.taken(unknown, areas=["320104.003.99"])
    (case,) = await issuer.cases(unknown)
    assert (await issuer.door.case(case))["area"] == "320104.003"
    await issuer.taken(number(), type="cancel", references=[unknown], areas=["320104.003.99"])
    assert await issuer.stage(unknown) == "cancelled"
    await issuer.taken(one, areas=["320104003000"])
    await issuer.taken(number(), type="cancel", references=[one], areas=["320104.003.99"])

    assert await issuer.stage(one) == "calling"


@pytest.mark.parametrize("level", ["yellow", "orange"])
async def test_what_its_issuer_leaves_open_end_two_before_anybody_is_moved(issuer: Issuer, level: str) -> None:
    """No `expires`, and no cancel: nobody has to be moved on no danger for it to be over; who was called hears it."""
    one = number()
    await issuer.taken(one, level=level)
    (case,) = await issuer.cases(one)
    ended = await issuer.door.taken(case, Step("stop_watching", "street_officer"))
    assert ended.status_code == 409
    await issuer.door.go(case, [Step("ask_all_clear", "coordinator"), Step("confirm_all_clear", "supervisor")])

    assert (await issuer.stage(one), await running(issuer, case)) == ("reviewing", {"review"})
    assert await issuer.told(case, "warning_called_off") == (0 if level == "yellow" else 3)


async def test_that_its_time_has_passed_is_told(issuer: Issuer) -> None:
    """To the department, and the all clear is due when people are moved."""
    one = number()
    await issuer.taken(one, expires=(datetime.now(UTC) + timedelta(seconds=25)).isoformat())
    (case,) = await issuer.cases(one)
    await issuer.door.go(case, [Step("order_move", "officer")])
    await told(issuer.door, case, "warning:run_out")
    shown = await issuer.door.case(case)

    assert await issuer.told(case, "warning_run_out") == 1
    assert "all_clear" in {each["name"] for each in shown["clocks"] if each["status"] == "running"}


async def test_what_its_issuer_renews_stops_who_goes_home(issuer: Issuer) -> None:
    """After the all clear the same level again, and no graver one: nobody goes home, whoever is there is moved."""
    one, cancel, again = number(), number(), number()
    await issuer.taken(one)
    (case,) = await issuer.cases(one)
    await issuer.door.go(case, [Step("order_move", "officer")])
    sweep = await first_sweep(issuer.door, case)
    await of_sweeps(issuer.door).go(sweep, [TEAM])
    await issuer.taken(cancel, type="cancel", references=[one])
    await issuer.door.go(case, [Step("declare_all_clear", "officer")])
    assert await issuer.stage(one) == "clearing"
    await issuer.taken(again, type="update", references=[one])

    assert await issuer.stage(again) == "moving"
    await told(issuer.door, sweep, "sweep:worse_again")


async def test_what_its_issuer_renews_moves_whoever_is_home_already(issuer: Issuer) -> None:
    """The town had moved a list beyond the level; one of it is home when the same level comes again: moved once more."""
    one, cancel, again = number(), number(), number()
    await issuer.taken(one)
    (case,) = await issuer.cases(one)
    await issuer.door.go(case, [Step("order_move", "officer", {"zones": ["a", "b"]})])
    await first_sweep(issuer.door, case)
    await all_are_walked(issuer.door, case)
    await issuer.taken(cancel, type="cancel", references=[one])
    await issuer.door.go(case, [Step("declare_all_clear", "officer"), *INSPECTED])
    sweep, there = f"{case}.sweep-1", of_sweeps(issuer.door)
    await told(issuer.door, sweep, "sweep:released")
    await there.go(sweep, [Step("confirm_back", "grid_worker", back_body("riverside-03"))])
    await told_of(issuer.door, case, "riverside-03", "returned")
    await issuer.taken(again, type="update", references=[one])

    (moved,) = await facts_of(issuer.door, case, "warning:moved_by_level")
    assert moved["zones"] == ["a", "b"]
    assert "riverside-03" in moved["listed"]
    assert await issuer.stage(again) == "moving"


async def told_of(door: ApiDriver, case: str, household: str, stage: str) -> None:
    """Wait until a warning has heard where a household stands."""

    async def has() -> bool:
        said = await facts_of(door, case, "warning:sweep:reported")
        return {"code": household, "stage": stage} in [
            {"code": each["code"], "stage": each["stage"]} for report in said for each in report["doors"]
        ]

    await eventually(has, within=60)


async def test_what_comes_when_it_is_looked_back_on_begins_another_warning(issuer: Issuer) -> None:
    """Red while the first one is reviewed: people are called, by a case of its own."""
    one, cancel, red = number(), number(), number()
    await issuer.taken(one)
    (case,) = await issuer.cases(one)
    await issuer.door.go(case, [Step("order_move", "officer")])
    await issuer.door.passes(case, "warning:sweep:stands")
    await issuer.taken(cancel, type="cancel", references=[one])
    await issuer.door.go(case, [Step("declare_all_clear", "officer")])
    await nobody_had_gone(issuer.door, await first_sweep(issuer.door, case))
    await told(issuer.door, case, "warning:all_back")
    await issuer.taken(red, type="update", level="red", references=[one])
    (another,) = await issuer.cases(red)

    assert another != case
    assert (await issuer.door.case(another))["stage"] == "calling"


async def test_a_cancel_ends_a_warning_only_while_nobody_is_moved(issuer: Issuer) -> None:
    """Before, it is cancelled; afterwards the all clear is due, and people stay where they are."""
    one, cancel = number(), number()
    await issuer.taken(one)
    (case,) = await issuer.cases(one)
    await issuer.door.go(case, [Step("order_move", "officer")])
    await issuer.door.passes(case, "warning:sweep:stands")
    early = await issuer.door.taken(case, Step("declare_all_clear", "officer"))
    assert early.status_code == 409
    await issuer.taken(cancel, type="cancel", references=[one])

    shown = await issuer.door.case(case)
    assert shown["stage"] == "moving"
    assert "all_clear" in {each["name"] for each in shown["clocks"] if each["status"] == "running"}
    await issuer.door.go(case, [Step("declare_all_clear", "officer"), Step("order_move", "street_officer")])
    assert (await issuer.door.case(case))["stage"] == "moving"
    await issuer.door.go(case, [Step("declare_all_clear", "officer")])


async def test_a_cancel_waits_for_who_is_in_a_shelter_and_what_renews_it_calls_anew(issuer: Issuer) -> None:
    """Nobody is to go any more, and nobody is moved by itself; it is over by the all clear, or it is called as at first."""
    one, cancel, again = number(), number(), number()
    await issuer.taken(one)
    (case,) = await issuer.cases(one)
    await issuer.door.go(case, [Step("open_shelter", "clerk"), Step("check_in", "clerk")])
    await issuer.taken(cancel, type="cancel", references=[one])
    assert (await issuer.stage(one), await issuer.told(case, "warning_called_off")) == ("calling", 3)
    assert await running(issuer, case) & {"order", "all_clear"} == {"all_clear"}
    assert not any(each.startswith("call:") for each in await running(issuer, case))
    await issuer.taken(again, type="update", references=[one])

    assert await running(issuer, case) & {"order", "all_clear"} == {"order"}
    assert any(each.startswith("call:") for each in await running(issuer, case))


async def running(issuer: Issuer, case: str) -> set[str]:
    """The clocks of a case that run."""
    return {each["name"] for each in (await issuer.door.case(case))["clocks"] if each["status"] == "running"}


async def test_of_a_wider_warning_that_has_ended_each_part_that_is_named_begins_anew(issuer: Issuer) -> None:
    """The street is over; red in both of its communities: one warning of each, and none of the street."""
    one, cancel, red = number(), number(), number()
    await issuer.taken(one, areas=["320104.003"])
    await issuer.taken(cancel, type="cancel", references=[one], areas=["320104.003"])
    assert await issuer.stage(one) == "cancelled"
    parts = [AREA, "320104.003.02"]
    await issuer.taken(red, type="update", level="red", references=[one], areas=parts)

    begun = [await issuer.door.case(each) for each in await issuer.cases(red)]
    assert sorted(each["area"] for each in begun) == parts
    assert {each["stage"] for each in begun} == {"calling"}
