"""Nobody goes to an alarm: its contacts are called in order by the gateway, whatever it and they do; no number is ever told."""

import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from temporalio.client import Client

from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from schemas.contracts.calls import call_key, number_on
from tests.api_driver import Step, token_of
from tests.at_once import at_once
from tests.calling_town import CallingTown, calling_town
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(300)

SPEED = 60
"""A minute is a second: nobody has gone after five of them, and somebody has a second and a half to answer a call."""

WANG, LI = "王强 13900001111", "李秀兰 13900002222"


@pytest.fixture(scope="module")
async def town(
    settings: Settings, keys: Keys, temporal: Client, pool: asyncpg.Pool, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[CallingTown]:
    """A town that calls, once for this file."""
    folder = tmp_path_factory.mktemp("calls")
    async with calling_town(settings, keys, temporal, pool, folder, token=token_of(keys), speed=SPEED) as opened:
        yield opened


def lines(first: str, second: str) -> str:
    """Two contacts, each with a stage direction behind the number, or none."""
    return f"{WANG}{first}\n{LI}{second}"


def said(word: str) -> str:
    """A stage direction."""
    return f"〔剧本:{word}〕"


async def notices(town: CallingTown, alarm: str) -> set[str]:
    """What is told of an alarm to anybody."""
    return {row["template"] for row in await town.pool.fetch("select template from outbox where case_id = $1", alarm)}


async def who_comes(town: CallingTown, alarm: str) -> list[int]:
    """Which contact the desk is told of, once it is told of one."""
    found: list[int] = []

    async def told() -> bool:
        rows = await town.pool.fetch(
            "select facts from outbox where case_id = $1 and template = 'alarm_contact_comes' and recipient = $2",
            alarm,
            "role:coordinator",
        )
        found[:] = [row["facts"]["contact"] for row in rows]
        return bool(found)

    await eventually(told, within=60)
    return found


async def results(town: CallingTown, alarm: str) -> list[tuple[int, str]]:
    """Which contact, and what became of the call: in the order in which it was heard."""
    return [(each["contact"], each["result"]) for each in await town.told(alarm, "alarm:contact_reported")]


@at_once
@pytest.mark.parametrize(
    ("first", "second", "heard", "comes", "texts"),
    [
        pytest.param("应答", "应答", [(1, "acknowledged")], True, 0, id="answers"),
        pytest.param("不接", "应答", [(1, "no_answer"), (2, "acknowledged")], True, 1, id="rings out"),
        pytest.param("挂断", "重报", [(1, "hung_up"), (2, "acknowledged")], True, 1, id="hangs up, and reported twice"),
        pytest.param(
            "空号", "时断时续", [(2, "acknowledged")], True, 0, id="no such number, and a gateway that falters"
        ),
        pytest.param("默应", "不接", [(1, "acknowledged")], True, 0, id="the report is lost"),
        pytest.param(
            "占线",
            "关机",
            [(1, "busy"), (2, "switched_off")] * 2,
            False,
            2,
            id="busy, switched off, and both once more",
        ),
    ],
)
async def test_contacts_are_called_in_order_until_one_comes(
    town: CallingTown, first: str, second: str, heard: list[tuple[int, str]], *, comes: bool, texts: int
) -> None:
    """Each telephone rings once for each call; only a key that was pressed is an answer; who was not reached gets one message."""
    alarm = await town.calls_for_help(lines(said(first), said(second)))
    if comes:
        await town.until(alarm, "alarm:contact_reported", len(heard))
    else:
        await town.until(alarm, "alarm:contacts_unreached")
    await town.until(alarm, "alarm:contact_texted", texts)

    assert await results(town, alarm) == heard
    rings = await town.rings(alarm)
    assert len(rings) == len(set(rings)) == len(heard)
    assert len(await town.texts(alarm)) == texts
    told = await notices(town, alarm)
    assert ("alarm_contact_comes" in told, "alarm_contacts_unreached" in told) == (comes, not comes)
    assert "alarm_emergency_wanted" in told


async def test_whoever_presses_another_key_has_not_answered(town: CallingTown) -> None:
    """A wrong key is no answer, and the next one is called."""
    alarm = await town.calls_for_help(lines(said("按错"), said("应答")))
    await town.until(alarm, "alarm:contact_reported", 2)

    assert await results(town, alarm) == [(1, "wrong_key"), (2, "acknowledged")]


async def test_a_word_that_comes_late_counts(town: CallingTown) -> None:
    """The gateway says that it still rings; the next ones are called meanwhile; then the first one's word comes, and they come."""
    alarm = await town.calls_for_help(lines(said("迟报"), said("不接")))
    await town.until(alarm, "alarm:contact_silent")

    async def has_come() -> bool:
        return (1, "acknowledged") in await results(town, alarm)

    await eventually(has_come, within=60)
    late = [each["late"] for each in await town.told(alarm, "alarm:contact_reported") if each["contact"] == 1]

    assert late[0] is True
    assert "alarm_contact_comes" in await notices(town, alarm)


async def test_a_gateway_that_is_down_leaves_it_to_people(town: CallingTown) -> None:
    """It is given up within a minute, the desk is told to call by hand, and what people do goes on in the order."""
    alarm = await town.calls_for_help(lines(said("中断"), said("应答")))
    (away,) = await town.until(alarm, "alarm:gateway_away")
    by_hand = await town.alarms.give(alarm, Step("call_contact", "coordinator", {"contact": 2, "result": "coming"}))

    assert away["status"] == "unreachable"
    assert await town.rings(alarm) == []
    assert "alarm_call_by_hand" in await notices(town, alarm)
    assert by_hand.status_code == 200, by_hand.text


async def test_nobody_is_called_once_somebody_goes(town: CallingTown) -> None:
    """Who is on the way calls whom they want; the gateway calls nobody any more."""
    alarm = await town.calls_for_help(lines(said("不接"), said("应答")))
    await town.until(alarm, "alarm:contact_dialled")
    await town.alarms.go(alarm, [Step("accept_call", "grid_worker")])
    await town.until(alarm, "alarm:contact_texted")

    assert await results(town, alarm) == [(1, "no_answer")]
    assert await town.rings(alarm) == [call_key(alarm, 1)]


async def test_a_report_is_the_gateways_own_and_of_a_call_that_was_made(town: CallingTown) -> None:
    """Another key, a call that was never made, a case that calls nobody, a number with another word: each is refused."""
    alarm = await town.calls_for_help(lines(said("默应"), said("默应")))
    await town.until(alarm, "alarm:contact_dialled")
    report: dict[str, Any] = {
        "report_id": "R-forged-1", "call_id": call_key(alarm, 1), "result": "busy", "as_of": "2026-12-01T10:00:00+08:00"
    }  # fmt: skip
    of_nobody = {**report, "call_id": call_key("care-20261201-999999.alarm-1", 1)}
    refused = [
        await town.reports(report, key=bytes(32)),
        await town.reports({**report, "report_id": "R-forged-9", "call_id": call_key(alarm, 9)}),
        await town.reports(of_nobody),
        await town.reports({**report, "result": "王强"}),
    ]
    taken = [await town.reports(report) for _ in range(3)]
    other = await town.reports({**report, "result": "acknowledged"})
    second = await town.reports({**report, "report_id": "R-forged-2", "result": "acknowledged"})
    of_the_first = [each for each in await town.told(alarm, "alarm:contact_reported") if each["number"] == 1]
    (comes,) = await who_comes(town, alarm)

    assert [answer.status_code for answer in refused] == [401, 422, 404, 422]
    assert "王强" not in refused[-1].text
    assert [answer.status_code for answer in taken] == [200] * 3
    assert (other.status_code, other.json()["code"]) == (422, "key-reused")
    assert second.status_code == 200
    assert [(each["result"], each["repeated"]) for each in of_the_first] == [("busy", False), ("acknowledged", True)]
    assert comes == 2


async def test_no_number_leaves_the_vault_but_to_be_dialled(
    town: CallingTown, temporal: Client, capfd: pytest.CaptureFixture[str]
) -> None:
    """No entry, notice, row, history or log of a town that calls holds a number of those it calls; the vault says who read it."""
    alarm = await town.calls_for_help("周平 13955556666〔剧本:空号〕\n吴芳 13977778888")
    await town.until(alarm, "alarm:contact_reported")
    kept = [
        row["said"]
        for table in ("ledger", "outbox", "cases", "intake")
        for row in await town.pool.fetch(f"select to_jsonb(kept)::text as said from {table} as kept")  # noqa: S608 - our own names
    ]
    history = await temporal.get_workflow_handle(alarm).fetch_history()
    payloads = [
        payload
        for event in history.events
        for _, value in event.ListFields()
        if hasattr(value, "input")
        for payload in value.input.payloads
    ]
    plain = b"".join(each.data for each in await temporal.data_converter.payload_codec.decode(payloads))  # type: ignore[union-attr]
    printed = capfd.readouterr()
    everything = "\n".join([*kept, plain.decode(errors="replace"), printed.out, printed.err])
    readings = await town.pool.fetch("select who, purpose from vault_reads where case_id = $1", alarm)

    assert b'"line":2' in plain.replace(b" ", b"")
    assert [number for number in ("13955556666", "13977778888") if number in everything] == []
    assert ("engine:worker", "dial") in {(row["who"], row["purpose"]) for row in readings}
    assert json.dumps(await town.journal()).count("1397777") == 0


@pytest.mark.parametrize(
    ("text", "line", "number"),
    [
        ("王强 13900001111\n李秀兰 010-88886666", 2, "010-88886666"),
        ("\n王强   13900001111  \n", 1, "13900001111"),
        ("王强 +8613900001111", 1, "+8613900001111"),
        ("王强 13900001111〔剧本:不接〕", 1, "13900001111〔剧本:不接〕"),
        ("王强", 1, None),
        ("13900001111 王强", 1, None),
        ("王强 13900001111", 2, None),
        ("王强 13900001111", 0, None),
    ],
)
def test_the_number_is_the_last_word_of_its_line(text: str, line: int, number: str | None) -> None:
    """As people write it; where no number stands there, none is dialled."""
    assert number_on(text, line) == number
