"""The verbs by which a case asks sources and the bank: a day of trying, and then the case goes on and says what it knows."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from temporalio import workflow
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from schemas.contracts.means import CheckAnswer, CheckRequest, CheckStatus
from schemas.contracts.payment import PaymentStatus, PayReceipt, PayRequest, PayStatus, StatusRequest
from tests.department_town import serving
from tests.outside_town import CASE, OutsideTown, outside_town, town_over
from workflows.kernel import steps

SERVER = Path(sys.executable).parent / "temporal-test-server"
QUEUE = "outside"


@workflow.defn
class Asking:
    """Asks a source, as a procedure does."""

    @workflow.run
    async def run(self, request: CheckRequest) -> CheckAnswer:
        """Ask."""
        return await steps.ask_source(request)


@workflow.defn
class Paying:
    """Pays, as a procedure does."""

    @workflow.run
    async def run(self, request: PayRequest) -> PayReceipt:
        """Pay."""
        return await steps.pay(request)


@workflow.defn
class Looking:
    """Asks what became of a payment."""

    @workflow.run
    async def run(self, request: StatusRequest) -> PaymentStatus:
        """Ask."""
        return await steps.payment_status(request)


@dataclass
class Case:
    """What asks: a case for each verb, side by side."""

    client: Client
    town: OutsideTown

    async def asks(self) -> CheckAnswer:
        """Ask the tax office."""
        return await self.client.execute_workflow(Asking.run, self.town.check(), id="ask", task_queue=QUEUE)

    async def pays(self) -> PayReceipt:
        """Pay."""
        return await self.client.execute_workflow(Paying.run, self.town.payment(), id="pay", task_queue=QUEUE)

    async def looks(self) -> PaymentStatus:
        """Ask what became of the payment."""
        request = StatusRequest(case_id=CASE, payment_key=self.town.payment().payment_key)
        return await self.client.execute_workflow(Looking.run, request, id="look", task_queue=QUEUE)


@asynccontextmanager
async def working(town: OutsideTown) -> AsyncIterator[tuple[Case, WorkflowEnvironment]]:
    """A time-skipping server with a worker that has this town's activities."""
    async with (
        await WorkflowEnvironment.start_time_skipping(
            test_server_existing_path=str(SERVER), data_converter=pydantic_data_converter
        ) as environment,
        Worker(
            environment.client,
            task_queue=QUEUE,
            workflows=[Asking, Paying, Looking],
            activities=[town.means.ask_source, town.payments.pay, town.payments.payment_status],
            workflow_runner=UnsandboxedWorkflowRunner(),
        ),
    ):
        yield Case(environment.client, town), environment


async def _not_ready(_: Request) -> Response:
    return JSONResponse({}, 202, headers={"Retry-After": "300"})


@pytest.mark.long
async def test_nobody_answers_for_a_day(tmp_path: Path) -> None:
    """A source and a bank that are away come back as unreachable after a day of trying, never as a failed case."""
    nowhere = "http://127.0.0.1:9"
    async with town_over(tmp_path, nowhere, nowhere) as town, working(town) as (case, environment):
        town.people.live("A")
        began = await environment.get_current_time()
        answer = await case.asks()
        hours = (await environment.get_current_time() - began).total_seconds() / 3600
        receipt, status = await case.pays(), await case.looks()

    assert (answer.status, answer.code) == (CheckStatus.UNREACHABLE, "unreachable")
    assert 23 <= hours <= 24.2
    assert (receipt.status, receipt.code, receipt.paid) == (PayStatus.UNREACHABLE, "unreachable", False)
    assert (status.status, status.code) == (PayStatus.UNREACHABLE, "unreachable")


@pytest.mark.long
async def test_who_is_at_work_on_it_is_not_away(tmp_path: Path) -> None:
    """A source that says 202 for a whole day is pending: it has the question."""
    app = Starlette(routes=[Route("/{path:path}", _not_ready, methods=["GET", "POST"])])
    async with serving(app) as url, town_over(tmp_path, url, url) as town, working(town) as (case, _):
        town.people.live("A")
        answer = await case.asks()

    assert (answer.status, answer.code) == (CheckStatus.UNREACHABLE, "pending")


async def test_temporal_brings_a_payment_through_a_flaky_bank_once(tmp_path: Path) -> None:
    """5xx, then a timeout after the money moved, then an answer: the case sees one payment, and the bank has made one."""
    async with outside_town(tmp_path) as town, working(town) as (case, _):
        town.people.live("A", "王小明〔剧本:monthly_income_fen=1;tax 时断时续〕", at="6222〔剧本:时断时续〕")
        answer, receipt = await case.asks(), await case.pays()
        status = await case.looks()
        moved = await town.moved()

    assert answer.facts == {"monthly_income_fen": 1}
    assert (receipt.status, status.status) == (PayStatus.PAID, PayStatus.PAID)
    assert status.bank_reference == receipt.bank_reference
    assert moved == [receipt.payment_key]
