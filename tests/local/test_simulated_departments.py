"""The contract from end to end: the real activity, real departments, real HTTP; each character plays its part."""

import ast
import asyncio
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from temporalio.exceptions import ApplicationError

from activities.departments import UNAVAILABLE
from local.simulation.characters import WORDS, Character, UnreadableDirection, character_for, plan
from local.simulation.department_bus import bus_open
from local.simulation.department_server import SimulatedDepartment
from local.simulation.departments import departments_open
from local.simulation.quiet_server import quiet_server, url_of
from schemas.contracts.department import CallbackAct, Place, RecallOrder, WorkOrder, idempotency_key, order_id
from schemas.contracts.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from tests.department_town import NOON, DepartmentTown, department_town, serving, simulated, town_over
from tests.waiting import eventually

HAPPY = [CallbackAct.SIGNED, CallbackAct.ARRIVED, CallbackAct.FINISHED]
PROJECT = Path(__file__).resolve().parents[2]
PATIENT = 30.0
"""Seconds for a call to a department that answers: on a busy machine too it is made once."""


def work_order(**changes: Any) -> WorkOrder:
    return WorkOrder.model_validate(
        {
            "order_id": "incident-20261123-000001.dispatch-1",
            "case_id": "incident-20261123-000001",
            "step": "dispatch-1",
            "procedure": "incident",
            "category": "环境卫生",
            "urgency": "ordinary",
            "description": "小区垃圾堆积未清理",
            "location": Place(),
            "due": {"sign": NOON + timedelta(hours=1), "finish": NOON + timedelta(days=2)},
            "as_of": NOON,
            "callback_url": "http://127.0.0.1:1/callbacks",
            **changes,
        }
    )


async def post_signed(town: DepartmentTown, code: str, order: WorkOrder, **headers: str) -> httpx.Response:
    """Send an order by hand, rightly signed unless a header says otherwise."""
    body = order.model_dump_json().encode()
    timestamp = headers.pop(TIMESTAMP_HEADER, str(int(time.time())))
    signature = sign(town.keys.signing(code), timestamp, body)
    return await town.client.post(
        f"{town.register.get(code).url}/work-orders",
        content=body,
        headers={
            "Idempotency-Key": idempotency_key(order.case_id, order.step),
            TIMESTAMP_HEADER: timestamp,
            SIGNATURE_HEADER: signature,
            **headers,
        },
    )


async def all_reported(town: DepartmentTown, department: str, order: str) -> bool:
    """Whether the department has nothing left to say about an order."""
    reports = (await town.journal(department))[order]["reports"]
    return all(report["acknowledged"] for report in reports)


async def test_prompt_department_signs_arrives_and_finishes_in_order(tmp_path: Path) -> None:
    """An order to a prompt department comes back signed, arrived and finished, each once, in town time."""
    async with department_town(tmp_path, {"urban-management": "prompt"}, timeout_seconds=PATIENT) as town:
        order = town.order("urban-management")
        receipt = await town.place_until_answered(order)
        await eventually(lambda: len(town.receiver.acts(order.order_id)) == 3)

        assert receipt.accepted
        assert receipt.receipt == f"urban-management:{order.order_id}"
        assert town.receiver.acts(order.order_id) == HAPPY
        assert [callback.as_of - NOON for callback in town.receiver.received] == [
            timedelta(minutes=10),
            timedelta(minutes=25),
            timedelta(hours=2),
        ]
        assert {callback.by for callback in town.receiver.received} == {"urban-management.officer-1"}
        assert town.vault.readings == [("work-order-urban-management", order.case_id)]


async def test_flaky_department_does_the_work_once_though_asked_again_and_again(tmp_path: Path) -> None:
    """An error, then an answer lost after the work was done, then a slow one: one work, one set of reports."""
    async with department_town(tmp_path, {"urban-management": "flaky"}) as town:
        order = town.order("urban-management")
        receipt = await town.place_until_answered(order)
        await eventually(lambda: all_reported(town, "urban-management", order.order_id))
        written = (await town.journal("urban-management"))[order.order_id]

        assert receipt.accepted
        assert written["work_done"] == 1
        assert [request["outcome"] for request in written["requests"]][:3] == ["new", "new", "known"]
        assert [outcome for _, _, outcome in town.calls][:2] == ["unavailable", "unavailable"]
        assert town.receiver.acts(order.order_id) == HAPPY


async def test_echoing_department_says_everything_twice_under_the_same_id(tmp_path: Path) -> None:
    """A doubled callback carries the id of the first, which is how the town can tell."""
    async with department_town(tmp_path, {"urban-management": "echoing"}, timeout_seconds=PATIENT) as town:
        order = town.order("urban-management")
        await town.place_until_answered(order)
        await eventually(lambda: len(town.receiver.received) == 6)

        assert town.receiver.acts(order.order_id) == [act for act in HAPPY for _ in range(2)]
        assert set(Counter(callback.callback_id for callback in town.receiver.received).values()) == {2}


async def test_silent_department_takes_the_order_and_has_nothing_to_report(tmp_path: Path) -> None:
    """A silent department gives its receipt and plans no report at all."""
    async with department_town(tmp_path, {"urban-management": "silent"}, timeout_seconds=PATIENT) as town:
        order = town.order("urban-management")
        receipt = await town.place_until_answered(order)
        written = (await town.journal("urban-management"))[order.order_id]

        assert receipt.accepted
        assert (written["work_done"], written["reports"]) == (1, [])


async def test_bouncing_department_returns_a_case_once_and_then_obeys(tmp_path: Path) -> None:
    """The first order of a case comes back with reason and legal basis; the ruling that sends it again binds."""
    async with department_town(tmp_path, {"urban-management": "bouncing"}, timeout_seconds=PATIENT) as town:
        first = town.order("urban-management")
        again = town.order("urban-management", step="dispatch-2")
        await town.place_until_answered(first)
        await eventually(lambda: town.receiver.acts(first.order_id) == [CallbackAct.RETURNED])
        await town.place_until_answered(again)
        await eventually(lambda: town.receiver.acts(again.order_id) == HAPPY)

        returned = town.receiver.received[0]
        assert returned.act is CallbackAct.RETURNED
        assert returned.reason
        assert returned.legal_basis


async def test_slow_department_signs_after_the_limit(tmp_path: Path) -> None:
    """A slow department reports everything, but later than the sign clock allows."""
    async with department_town(tmp_path, {"urban-management": "slow"}, timeout_seconds=PATIENT) as town:
        order = town.order("urban-management")
        await town.place_until_answered(order)
        await eventually(lambda: town.receiver.acts(order.order_id) == HAPPY)

        assert town.receiver.received[0].as_of > order.due["sign"]


async def test_late_department_is_prompt_until_it_finishes(tmp_path: Path) -> None:
    """A late department signs and arrives in time, and reports its work done after the limit it was told."""
    async with department_town(tmp_path, {"urban-management": "late"}, timeout_seconds=PATIENT) as town:
        order = town.order("urban-management")
        await town.place_until_answered(order)
        await eventually(lambda: town.receiver.acts(order.order_id) == HAPPY)
        signed, _, finished = town.receiver.received

        assert signed.as_of < order.due["sign"]
        assert finished.as_of > order.due["finish"]


async def test_refusing_department_is_asked_once_and_its_no_is_a_fact(tmp_path: Path) -> None:
    """An answer of the 4xx kind comes back as data, not as an error that would be tried for ever."""
    async with department_town(tmp_path, {"urban-management": "refusing"}, timeout_seconds=PATIENT) as town:
        order = town.order("urban-management")
        receipt = await town.place_until_answered(order)
        written = (await town.journal("urban-management"))[order.order_id]

        assert not receipt.accepted
        assert receipt.code == "not-our-kind-of-order"
        assert (len(written["requests"]), written["work_done"]) == (1, 0)


async def test_story_tells_one_department_how_to_treat_one_order(tmp_path: Path) -> None:
    """A stage direction at the end of the text overrides the usual character, for that order and department only."""
    characters = {"urban-management": "prompt", "transport": "prompt"}
    async with department_town(tmp_path, characters, timeout_seconds=PATIENT) as town:
        words = "小区垃圾堆积〔剧本:urban-management 退单〕"
        bounced = town.order("urban-management", 1, words)
        taken = town.order("transport", 1, words, step="dispatch-2")
        await town.place_until_answered(bounced)
        await town.place_until_answered(taken)

        await eventually(lambda: town.receiver.acts(bounced.order_id) == [CallbackAct.RETURNED])
        await eventually(lambda: town.receiver.acts(taken.order_id) == HAPPY)


@pytest.mark.parametrize(
    ("direction", "character"),
    [
        *((f"〔剧本:{word}〕", character) for word, character in WORDS.items()),
        ("〔剧本:transport 退单; urban-management 沉默〕\n", Character.SILENT),
        ("〔剧本:transport 退单〕", Character.PROMPT),
        ("〔剧本:沉默〕还有别的话", Character.PROMPT),
        ("", Character.PROMPT),
    ],
)
def test_stage_direction_is_read_at_the_end_of_the_text_only(direction: str, character: Character) -> None:
    """Every word is known, a direction for another department or in the middle of a text does nothing."""
    order = work_order(description=f"垃圾{direction}")

    assert character_for(order, "urban-management", Character.PROMPT) is character


@pytest.mark.parametrize("direction", ["〔剧本:跳舞〕", "〔剧本:transport 跳舞〕", "〔剧本:〕", "〔剧本:a b 沉默〕"])
def test_misspelt_stage_direction_is_not_taken_for_nothing(direction: str) -> None:
    """A story with a word that nobody knows fails at once instead of playing another story."""
    with pytest.raises(UnreadableDirection):
        character_for(work_order(description=f"垃圾{direction}"), "urban-management", Character.PROMPT)


def test_prompt_department_keeps_the_limits_of_an_emergency() -> None:
    """Half an hour to respond and two hours to finish are kept too, and the acts stay in order."""
    due = {"sign": timedelta(hours=1), "respond": timedelta(minutes=30), "finish": timedelta(hours=2)}
    order = work_order(due={clock: NOON + limit for clock, limit in due.items()})
    signed, arrived, finished = plan(order, Character.PROMPT, already_returned=False)

    assert signed.at <= arrived.at <= finished.at
    assert arrived.at < order.due["respond"]
    assert finished.at < order.due["finish"]


async def test_callbacks_are_sent_again_until_acknowledged_and_never_overtake(tmp_path: Path) -> None:
    """While the town answers 503 and 429 about a signing, the finishing waits; then all come, in order."""
    async with department_town(tmp_path, {"urban-management": "prompt"}, timeout_seconds=PATIENT) as town:
        bad_days = iter([503, 429, 408, 202])
        town.receiver.answer = lambda callback: next(bad_days, 200) if callback.act is CallbackAct.SIGNED else 200
        order = town.order("urban-management")
        await town.place_until_answered(order)
        await eventually(lambda: town.receiver.acts(order.order_id) == HAPPY)

        signed = CallbackAct.SIGNED
        await eventually(lambda: all_reported(town, "urban-management", order.order_id))

        assert [act for _, act, _ in town.receiver.answered] == [signed, signed, signed, *HAPPY]
        sendings = (await town.journal("urban-management"))[order.order_id]["sendings"]
        assert [sending["answer"] for sending in sendings] == ["503", "429", "408", "202", "200", "200"]


@pytest.mark.parametrize("status", [409, 302])
async def test_callback_that_is_refused_for_good_stops_the_order_and_is_shown(tmp_path: Path, status: int) -> None:
    """After a final refusal nothing more is sent about that order, and the journal shows it; other orders go on."""
    async with department_town(tmp_path, {"urban-management": "prompt"}, timeout_seconds=PATIENT) as town:
        stopped, other = town.order("urban-management", 1), town.order("urban-management", 2)
        town.receiver.answer = lambda callback: status if callback.order_id == stopped.order_id else 200
        await town.place_until_answered(stopped)
        await town.place_until_answered(other)
        await eventually(lambda: town.receiver.acts(other.order_id) == HAPPY)
        await eventually(lambda: is_stopped(town, stopped.order_id))
        written = (await town.journal("urban-management"))[stopped.order_id]

        assert written["stopped"] == str(status)
        assert len(written["sendings"]) == 1


async def is_stopped(town: DepartmentTown, order: str) -> bool:
    """Whether the department has put the order before a person."""
    return (await town.journal("urban-management"))[order]["stopped"] is not None


async def test_recalled_order_is_reported_on_no_more(tmp_path: Path) -> None:
    """After a recall the department is silent about the order; recalling again, or what never came, is as good."""
    async with department_town(tmp_path, {"urban-management": "prompt"}, timeout_seconds=PATIENT) as town:
        town.receiver.answer = lambda _: 503
        order = town.order("urban-management")
        await town.place_until_answered(order)
        await eventually(lambda: bool(town.receiver.received))
        recall = RecallOrder(case_id=order.case_id, step=order.step, department=order.department)
        never_came = RecallOrder(case_id=order.case_id, step="dispatch-9", department=order.department)

        assert [(await town.activity.recall_order(each)).done for each in (recall, recall, never_came)] == [True] * 3
        before = len((await town.journal("urban-management"))[order.order_id]["sendings"])
        next_order = town.order("urban-management", 2)
        town.receiver.answer = lambda _: 200
        await town.place_until_answered(next_order)
        await eventually(lambda: town.receiver.acts(next_order.order_id) == HAPPY)
        # One that was under way when the recall came in may still arrive and be written down; nothing follows it.
        assert len((await town.journal("urban-management"))[order.order_id]["sendings"]) <= before + 1
        assert town.receiver.acts(order.order_id) in ([], [CallbackAct.SIGNED])


async def test_order_that_comes_in_after_its_recall_is_not_taken(tmp_path: Path) -> None:
    """A late order, overtaken by its recall on the way, is refused as gone, and no work is done."""
    async with department_town(tmp_path, {"urban-management": "prompt"}, timeout_seconds=PATIENT) as town:
        order = town.order("urban-management")
        recall = RecallOrder(case_id=order.case_id, step=order.step, department=order.department)
        await town.activity.recall_order(recall)
        receipt = await town.place_until_answered(order)

        assert (receipt.accepted, receipt.code) == (False, "recalled")
        assert (await town.journal("urban-management"))[order.order_id]["work_done"] == 0


async def test_forged_old_or_changed_order_is_not_believed(tmp_path: Path) -> None:
    """A wrong signature, a timestamp outside the window and a changed body are 401, and nothing is written down."""
    async with department_town(
        tmp_path, {"urban-management": "prompt", "transport": "prompt"}, timeout_seconds=PATIENT
    ) as town:
        order = work_order()
        old = str(int(time.time()) - 301)
        now = str(int(time.time()))
        changed = work_order(urgency="emergency").model_dump_json().encode()
        of_another_department = sign(town.keys.signing("transport"), now, order.model_dump_json().encode())
        answers = [
            await post_signed(town, "urban-management", order, **{TIMESTAMP_HEADER: old}),
            await post_signed(town, "urban-management", order, **{SIGNATURE_HEADER: f"v1={'0' * 64}"}),
            await post_signed(
                town, "urban-management", order, **{TIMESTAMP_HEADER: now, SIGNATURE_HEADER: of_another_department}
            ),
            await post_signed(
                town,
                "urban-management",
                order,
                **{
                    TIMESTAMP_HEADER: now,
                    SIGNATURE_HEADER: sign(town.keys.signing("urban-management"), now, changed),
                },
            ),
        ]

        assert [answer.status_code for answer in answers] == [401] * 4
        assert await town.journal("urban-management") == {}


async def test_signature_of_one_recall_takes_back_no_other_order(tmp_path: Path) -> None:
    """A recall has no body, so its signature covers the order's id: an overheard one serves for that order only."""
    async with department_town(tmp_path, {"urban-management": "prompt"}, timeout_seconds=PATIENT) as town:
        timestamp = str(int(time.time()))
        overheard = sign(town.keys.signing("urban-management"), timestamp, b"incident-20261123-000001.dispatch-1")
        answer = await town.client.delete(
            f"{town.register.get('urban-management').url}/work-orders/incident-20261123-000002.dispatch-1",
            headers={TIMESTAMP_HEADER: timestamp, SIGNATURE_HEADER: overheard},
        )

        assert answer.status_code == 401


async def test_same_key_with_another_order_is_a_conflict_but_a_moved_callback_address_is_not(tmp_path: Path) -> None:
    """409 protects the first order; a town that moved its API between two tries still gets its receipt."""
    async with department_town(tmp_path, {"urban-management": "silent"}, timeout_seconds=PATIENT) as town:
        first = await post_signed(town, "urban-management", work_order())
        moved = await post_signed(town, "urban-management", work_order(callback_url="http://127.0.0.1:2/callbacks"))
        other = await post_signed(town, "urban-management", work_order(category="安全隐患"))

        assert [first.status_code, moved.status_code, other.status_code] == [201, 200, 409]
        assert first.json() == moved.json()


async def test_key_that_does_not_fit_the_order_is_refused(tmp_path: Path) -> None:
    """The key stands in a header that is not signed; an order sent again under another key must not count as new."""
    async with department_town(tmp_path, {"urban-management": "silent"}, timeout_seconds=PATIENT) as town:
        answer = await post_signed(
            town, "urban-management", work_order(), **{"Idempotency-Key": "incident-20261123-000001/dispatch-2"}
        )

        assert answer.status_code == 400


async def test_department_killed_in_the_middle_goes_on_where_it_was(tmp_path: Path) -> None:
    """Killed with -9 while the town did not listen and started anew, it keeps its orders and finishes its callbacks."""
    department = simulated(tmp_path, "urban-management")
    with port_held() as base:
        await killed_in_the_middle(tmp_path, department, base)


async def killed_in_the_middle(tmp_path: Path, department: SimulatedDepartment, base: str) -> None:
    url = f"{base}/urban-management"
    async with town_over(tmp_path, {"urban-management": url}) as town:
        town.receiver.answer = lambda callback: 200 if callback.act is CallbackAct.SIGNED else 503
        order = town.order("urban-management")
        first_life = _process(department, base)
        try:
            await eventually(lambda: _up(town.client, url), within=60)
            await town.place_until_answered(order)
            await eventually(lambda: (order.order_id, CallbackAct.ARRIVED, 503) in town.receiver.answered)
        finally:
            first_life.send_signal(signal.SIGKILL)
            first_life.wait()
        town.receiver.answer = lambda _: 200
        second_life = _process(department, base)
        try:
            await eventually(lambda: _up(town.client, url), within=60)
            receipt = await town.place_until_answered(order)
            await eventually(lambda: all_reported(town, "urban-management", order.order_id))
            written = (await town.journal("urban-management"))[order.order_id]
        finally:
            second_life.send_signal(signal.SIGKILL)
            second_life.wait()

        assert receipt.receipt == f"urban-management:{order.order_id}"
        assert written["work_done"] == 1
        assert town.receiver.acts(order.order_id) == HAPPY


@contextmanager
def port_held() -> Iterator[str]:
    """The address of a port that nobody else is given meanwhile: bound and not listening, it lets the department in."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield url_of(held)


def _process(department: SimulatedDepartment, base: str) -> "subprocess.Popen[bytes]":
    code = (
        "import asyncio, sys\n"
        "from local.simulation.department_server import SimulatedDepartment\n"
        "from local.simulation.departments import serve_departments\n"
        "departments = [SimulatedDepartment.model_validate_json(sys.argv[1])]\n"
        "asyncio.run(serve_departments(departments, '127.0.0.1', int(sys.argv[2])))\n"
    )
    command = [sys.executable, "-c", code, department.model_dump_json(), base.rpartition(":")[2]]
    return subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL)


async def _up(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(f"{url}/healthz")).is_success
    except httpx.TransportError:
        return False


async def test_department_behind_the_bus_is_stopped_alone(tmp_path: Path) -> None:
    """A stopped department is unavailable through the bus; the others of the same process go on taking orders."""
    codes = ["urban-management", "transport"]
    async with (
        departments_open([simulated(tmp_path, code) for code in codes]) as running,
        bus_open({code: department.url for code, department in running.items()}, "127.0.0.1", 0) as bus,
        town_over(tmp_path, {code: f"{bus.url}/{code}" for code in codes}) as town,
    ):
        running["urban-management"].stop()
        await running["urban-management"].task
        with pytest.raises(ApplicationError, match="502") as absent:
            await town.place(town.order("urban-management", 1))
        receipt = await town.place_until_answered(town.order("transport", 2))

        assert absent.value.type == UNAVAILABLE
        assert receipt.accepted


async def test_flaky_department_behind_the_bus_is_no_different(tmp_path: Path) -> None:
    """The bus passes the hanging up on: work done once, and the order comes to its end."""
    async with (
        departments_open([simulated(tmp_path, "transport", character="flaky")]) as running,
        bus_open({"transport": running["transport"].url}, "127.0.0.1", 0) as bus,
        town_over(tmp_path, {"transport": f"{bus.url}/transport"}, timeout_seconds=1.0) as town,
    ):
        order = town.order("transport")
        receipt = await town.place_until_answered(order)
        await eventually(lambda: town.receiver.acts(order.order_id) == HAPPY)

        assert receipt.accepted
        assert (await town.journal("transport"))[order.order_id]["work_done"] == 1


async def test_bus_hangs_up_on_the_department_when_its_caller_does() -> None:
    """A caller that gives up is noticed behind the bus, so that no call is held there for ever."""
    asked, noticed = asyncio.Event(), asyncio.Event()

    async def never(request: Request) -> Response:
        await request.body()
        asked.set()
        while (await request.receive())["type"] != "http.disconnect":
            pass
        noticed.set()
        return Response()

    async with (
        serving(Starlette(routes=[Route("/work-orders", never, methods=["POST"])])) as url,
        bus_open({"transport": url}, "127.0.0.1", 0) as bus,
        httpx.AsyncClient(timeout=60, trust_env=False) as client,
    ):
        calling = asyncio.create_task(client.post(f"{bus.url}/transport/work-orders"))
        await eventually(asked.is_set)
        calling.cancel()
        await eventually(noticed.is_set)

    assert calling.cancelled()


def test_idle_connections_outlive_those_of_callers() -> None:
    """Closed in the very moment in which it is used again, a connection costs its caller a request of unknown fate."""
    assert quiet_server(None).config.timeout_keep_alive > (httpx.Limits().keepalive_expiry or 0)


@pytest.mark.parametrize(
    "module",
    [
        "characters",
        "department_book",
        "department_bus",
        "department_post",
        "department_server",
        "departments",
        "quiet_server",
    ],
)
def test_simulated_departments_know_the_wire_only(module: str) -> None:
    """Of our own code they import the published contract and each other, so that they prove it and nothing else.

    What serves them asks by which name it is called, as every port of a town does.
    """
    allowed = {"schemas.contracts.department", "schemas.contracts.signature"}
    if module == "quiet_server":
        allowed |= {"starter.http.known_hosts", "engine.runtime.local_names"}
    ours = {"activities", "audit", "engine", "schemas", "starter", "workflows", "worker", "cli"}
    imported: set[str] = set()
    for node in ast.walk(ast.parse((PROJECT / "local" / "simulation" / f"{module}.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module or "")

    assert {name for name in imported if name.partition(".")[0] in ours} <= allowed


def test_order_id_and_key_say_the_same() -> None:
    """The id for URLs and the key for headers are made from the same case and step."""
    assert order_id("incident-1", "dispatch-1") == "incident-1.dispatch-1"
    assert idempotency_key("incident-1", "dispatch-1") == "incident-1/dispatch-1"


async def test_many_orders_at_once_are_each_reported_on(tmp_path: Path) -> None:
    """Forty orders placed together to two departments all come to their end, each work done once."""
    async with department_town(
        tmp_path, {"urban-management": "echoing", "transport": "prompt"}, timeout_seconds=PATIENT
    ) as town:
        orders = [town.order(("urban-management", "transport")[n % 2], n) for n in range(40)]
        receipts = await asyncio.gather(*(town.place_until_answered(order) for order in orders))
        await eventually(
            lambda: all(town.receiver.acts(each.order_id)[-1:] == HAPPY[-1:] for each in orders), within=60
        )
        done = [*(await town.journal("urban-management")).values(), *(await town.journal("transport")).values()]

        assert all(receipt.accepted for receipt in receipts)
        assert [written["work_done"] for written in done] == [1] * 40
