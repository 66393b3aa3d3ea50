"""What becomes of every answer a department can give, and that a slow department is nobody else's trouble."""

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from temporalio import workflow
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.departments import UNAVAILABLE, Departments
from engine.outside.gateways import LONGEST_ANSWER_BYTES, WAITING_PER_PLACE
from schemas.contracts.department import Gateway, OrderReceipt, PlaceOrder, RecallOrder
from tests.department_town import NOON, DepartmentTown, department_town, serving, town_over
from tests.waiting import eventually

RECEIPT = {"receipt": "A-17", "accepted_at": "2026-11-23T12:00:01+08:00"}


class OddDepartment:
    """Answers as it is told, and keeps what it was asked."""

    def __init__(self, answer: Response) -> None:
        self.answer = answer
        self.asked: list[tuple[str, str]] = []
        self.bodies: list[bytes] = []
        self.open = asyncio.Event()
        self.open.set()

    def app(self) -> Starlette:
        """Every path and method."""
        return Starlette(routes=[Route("/{path:path}", self._answer, methods=["GET", "POST", "DELETE"])])

    async def _answer(self, request: Request) -> Response:
        self.asked.append((request.method, request.url.path))
        self.bodies.append(await request.body())
        await self.open.wait()
        return self.answer


async def _drops() -> AsyncIterator[bytes]:
    while True:
        yield b" "
        await asyncio.sleep(0.05)


async def attempt(tmp_path: Path, odd: OddDepartment, **options: Any) -> tuple[OrderReceipt, DepartmentTown]:
    """One attempt to place an order there."""
    async with serving(odd.app()) as url, town_over(tmp_path, {"transport": url}, **options) as town:
        return await town.place(town.order("transport")), town


@pytest.mark.parametrize("status", [200, 201])
async def test_receipt_of_the_department_is_what_the_workflow_gets(tmp_path: Path, status: int) -> None:
    """Number and time of the department's receipt stand in the result; fields we do not know are ignored."""
    receipt, town = await attempt(tmp_path, OddDepartment(JSONResponse({**RECEIPT, "floor": 3}, status)))

    assert (receipt.accepted, receipt.receipt, receipt.gateway) == (True, "A-17", Gateway.HTTP)
    assert receipt.accepted_at is not None
    assert receipt.accepted_at - NOON == timedelta(seconds=1)
    assert town.calls == [("transport", "place", "done")]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (JSONResponse({"code": "wrong-category"}, 422), "wrong-category"),
        (JSONResponse({"code": "张三 13800000000"}, 422), "http-422"),
        (JSONResponse({"code": 7}, 400), "http-400"),
        (PlainTextResponse("张三 never lived here", 404), "http-404"),
        (PlainTextResponse("", 401), "http-401"),
        (PlainTextResponse("", 409), "http-409"),
        (Response(status_code=302, headers={"Location": "http://127.0.0.1:1/"}), "http-302"),
    ],
)
async def test_final_answer_is_a_fact_without_the_words_of_the_department(
    tmp_path: Path, answer: Response, code: str
) -> None:
    """4xx and redirects are asked once and come back as data; only a bare code is taken over, never free text."""
    odd = OddDepartment(answer)
    receipt, town = await attempt(tmp_path, odd)

    assert (receipt.accepted, receipt.code) == (False, code)
    assert "张三" not in receipt.model_dump_json()
    assert odd.asked == [("POST", "/work-orders")]
    assert town.calls == [("transport", "place", "refused")]


@pytest.mark.parametrize(
    "answer",
    [
        *(PlainTextResponse("张三", status) for status in (500, 502, 503, 504, 408, 425, 429)),
        PlainTextResponse("OK 张三", 200),
        JSONResponse({"receipt": "", "accepted_at": RECEIPT["accepted_at"]}, 201),
        JSONResponse({"receipt": "张三", "accepted_at": RECEIPT["accepted_at"]}, 201),
        JSONResponse({"receipt": "A-17", "accepted_at": "2026-11-23T12:00:01"}, 201),
        PlainTextResponse("x" * (LONGEST_ANSWER_BYTES + 1), 200),
        StreamingResponse(_drops(), 200),
    ],
    ids=lambda answer: f"{answer.status_code}",
)
async def test_answer_that_is_none_is_tried_again(tmp_path: Path, answer: Response) -> None:
    """Faults of the other side, unreadable receipts and answers in drops raise, and tell nothing of their content."""
    with pytest.raises(ApplicationError) as unavailable:
        await attempt(tmp_path, OddDepartment(answer), timeout_seconds=0.5)

    assert unavailable.value.type == UNAVAILABLE
    assert not unavailable.value.non_retryable
    assert "张三" not in str(unavailable.value)
    assert unavailable.value.__cause__ is None


async def test_department_that_is_not_there_is_tried_again(tmp_path: Path) -> None:
    """Nobody listening is an absence, not a refusal."""
    async with serving(Starlette()) as gone:
        pass
    async with town_over(tmp_path, {"transport": gone}) as town:
        with pytest.raises(ApplicationError) as unavailable:
            await town.place(town.order("transport"))

    assert unavailable.value.type == UNAVAILABLE


@pytest.mark.parametrize(("asked", "granted"), [("7", 7), ("999999", 300), ("Mon, 23 Nov 2026 12:00:00 GMT", None)])
async def test_pause_that_a_department_asks_for_is_kept_within_reason(
    tmp_path: Path, asked: str, granted: int | None
) -> None:
    """Retry-After in seconds sets when Temporal tries again, five minutes at the most."""
    answer = PlainTextResponse("", 429, headers={"Retry-After": asked})
    with pytest.raises(ApplicationError) as unavailable:
        await attempt(tmp_path, OddDepartment(answer))

    assert unavailable.value.next_retry_delay == (None if granted is None else timedelta(seconds=granted))


@pytest.mark.parametrize(
    ("status", "done"), [(200, True), (204, True), (404, True), (410, True), (403, False), (302, False)]
)
async def test_recall_is_done_when_the_department_does_not_have_the_order(
    tmp_path: Path, status: int, *, done: bool
) -> None:
    """Taken back now, before, or never there is all the same; any other final answer is a fact."""
    odd = OddDepartment(Response(status_code=status))
    async with serving(odd.app()) as url, town_over(tmp_path, {"transport": url}) as town:
        recall = RecallOrder(case_id="incident-20261123-000001", step="dispatch-1", department="transport")
        receipt = await town.activity.recall_order(recall)

    assert receipt.done is done
    assert odd.asked == [("DELETE", "/work-orders/incident-20261123-000001.dispatch-1")]


async def test_desk_is_given_its_order_without_a_call(tmp_path: Path) -> None:
    """People at a desk find the order in their inbox: a receipt at once, and nobody reads a text for it."""
    async with town_over(tmp_path, {}) as town:
        order = town.order("coordination-centre")
        receipt = await town.place(order)
        recall = RecallOrder(case_id=order.case_id, step=order.step, department=order.department)

        assert (receipt.accepted, receipt.gateway, receipt.accepted_at) == (True, Gateway.DESK, order.as_of)
        assert (await town.activity.recall_order(recall)).done
        assert town.vault.readings == []


async def test_body_is_the_same_in_every_attempt(tmp_path: Path) -> None:
    """What is sent under one key does not change from try to try, whatever the time."""
    odd = OddDepartment(PlainTextResponse("", 503))
    async with serving(odd.app()) as url, town_over(tmp_path, {"transport": url}) as town:
        for _ in range(2):
            with pytest.raises(ApplicationError):
                await town.place(town.order("transport"))

    assert len(odd.bodies) == 2
    assert len(set(odd.bodies)) == 1


async def test_slow_department_does_not_hold_up_another(tmp_path: Path) -> None:
    """While one department holds every call, another is done with as many orders; then the first goes on."""
    hanging, quick = OddDepartment(JSONResponse(RECEIPT)), OddDepartment(JSONResponse(RECEIPT))
    hanging.open.clear()
    finished: list[str] = []
    async with (
        serving(hanging.app()) as slow_url,
        serving(quick.app()) as quick_url,
        town_over(
            tmp_path, {"transport": slow_url, "health": quick_url}, concurrent_calls=2, timeout_seconds=30
        ) as town,
    ):

        async def place(department: str, number: int) -> None:
            await town.place(town.order(department, number))
            finished.append(department)

        async with asyncio.TaskGroup() as tasks:
            for number in range(6):
                tasks.create_task(place("transport", number))
            await eventually(lambda: len(hanging.asked) == 2)
            for number in range(6):
                tasks.create_task(place("health", number))
            await eventually(lambda: finished.count("health") == 6)
            calls_while_hanging = len(hanging.asked)
            hanging.open.set()

    assert finished == ["health"] * 6 + ["transport"] * 6
    assert calls_while_hanging == 2


async def test_full_lane_says_so_at_once(tmp_path: Path) -> None:
    """More calls than may wait for a hanging department are told to come again, and hold no place in the worker."""
    hanging = OddDepartment(JSONResponse(RECEIPT))
    hanging.open.clear()
    room = 1 + WAITING_PER_PLACE
    async with (
        serving(hanging.app()) as url,
        town_over(tmp_path, {"transport": url}, concurrent_calls=1, timeout_seconds=30) as town,
    ):
        async with asyncio.TaskGroup() as tasks:
            waiting = [tasks.create_task(town.place(town.order("transport", number))) for number in range(room)]
            await eventually(lambda: len(town.vault.readings) == room and len(hanging.asked) == 1)
            with pytest.raises(ApplicationError, match="too many calls"):
                await town.place(town.order("transport", room))
            hanging.open.set()

        assert all(task.result().accepted for task in waiting)
        assert (await town.place(town.order("transport", room))).accepted


async def test_call_that_waits_too_long_for_its_place_comes_again(tmp_path: Path) -> None:
    """Behind a call that hangs, the next gives its place in the worker back after the time a call may take."""
    hanging = OddDepartment(JSONResponse(RECEIPT))
    hanging.open.clear()
    async with (
        serving(hanging.app()) as url,
        town_over(tmp_path, {"transport": url}, concurrent_calls=1, timeout_seconds=0.3) as town,
    ):
        answers = await asyncio.gather(
            *(town.place(town.order("transport", number)) for number in range(2)), return_exceptions=True
        )
        hanging.open.set()

        assert all(isinstance(answer, ApplicationError) and answer.type == UNAVAILABLE for answer in answers)
        assert (await town.place_until_answered(town.order("transport"), attempts=100)).accepted


@workflow.defn
class Placing:
    """Places one order, as a procedure does."""

    @workflow.run
    async def run(self, order: PlaceOrder) -> OrderReceipt:
        """Place it with Temporal's retries."""
        return await workflow.execute_activity_method(
            Departments.place_order,
            order,
            start_to_close_timeout=timedelta(seconds=10),
            schedule_to_close_timeout=timedelta(seconds=60),
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=50), backoff_coefficient=1),
        )


async def test_temporal_tries_an_absence_again_and_a_refusal_never(tmp_path: Path) -> None:
    """On a real server a flaky department gets its order once done, and a refusing one is asked a single time."""
    characters = {"transport": "flaky", "health": "refusing"}
    temporal = Path(sys.executable).parent / "temporal"
    async with (
        department_town(tmp_path, characters, timeout_seconds=3.0) as town,
        await WorkflowEnvironment.start_local(
            dev_server_existing_path=str(temporal), data_converter=pydantic_data_converter
        ) as environment,
        Worker(
            environment.client,
            task_queue="departments",
            workflows=[Placing],
            activities=[town.activity.place_order, town.activity.recall_order],
            workflow_runner=UnsandboxedWorkflowRunner(),
        ),
    ):
        taken, refused = await asyncio.gather(
            *(_place_by_workflow(environment.client, town.order(code, n)) for n, code in enumerate(characters))
        )
        at_transport = (await town.journal("transport"))[taken.order_id]
        at_health = (await town.journal("health"))[refused.order_id]

    assert taken.accepted
    assert at_transport["work_done"] == 1
    # Whatever is asked beyond the third time was answered too slowly by a busy machine.
    assert [request["outcome"] for request in at_transport["requests"]][:3] == ["new", "new", "known"]
    assert (refused.accepted, refused.code) == (False, "not-our-kind-of-order")
    assert len(at_health["requests"]) == 1


async def _place_by_workflow(client: Client, order: PlaceOrder) -> OrderReceipt:
    return await client.execute_workflow(Placing.run, order, id=order.order_id, task_queue="departments")
