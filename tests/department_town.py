"""Real departments, a real gateway and a place that receives callbacks, all over HTTP on this machine, for tests."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import httpx
import yaml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.departments import UNAVAILABLE, Departments
from engine.keys.department_keys import DepartmentKeys, found_department_keys, key_file, load_department_keys
from engine.outside.gateways import HttpGateway, http_client
from engine.policies.department_policy import load_departments
from local.simulation.department_server import SimulatedDepartment
from local.simulation.departments import departments_open
from local.simulation.quiet_server import listen, quiet_server, url_of
from schemas.contracts.department import (
    CallbackAct,
    CallbackBody,
    OrderReceipt,
    PlaceOrder,
    ReworkCause,
    ReworkOrder,
    ReworkReceipt,
    callback_path,
    read_callback,
)
from schemas.contracts.department_policy import DepartmentRegister
from schemas.contracts.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, verify

NOON = datetime(2026, 11, 23, 12, tzinfo=timezone(timedelta(hours=8)))
HOURS_IN_A_BLINK = 72_000.0
"""A speed at which two town hours are a tenth of a second."""


@asynccontextmanager
async def serving(app: Starlette) -> AsyncIterator[str]:
    """The address of this app while the block runs."""
    with closing(listen("127.0.0.1", 0)) as listener:
        server = quiet_server(app)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield url_of(listener)
        finally:
            server.should_exit = True
            await task


def text(word: str) -> str:
    """A reference to a text in the vault, recognisable by a word of capitals."""
    return f"text:{word:0>26}"


class Vault:
    """The texts by reference, and who asked for them."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.readings: list[tuple[str, str]] = []

    def keep(self, reference: str, words: str) -> str:
        """Keep a text and give its reference back."""
        self.texts[reference] = words
        return reference

    async def read(self, references: Sequence[str], purpose: str, case_id: str) -> Mapping[str, str]:
        """What the activity is given to read texts with."""
        self.readings.append((purpose, case_id))
        return {reference: self.texts[reference] for reference in references}


@dataclass
class CallbackReceiver:
    """Stands where the town's API stands: believes only what is signed, and answers as the test has it."""

    keys: DepartmentKeys
    answer: Callable[[CallbackBody], int] = lambda _: 200
    received: list[CallbackBody] = field(default_factory=list)
    answered: list[tuple[str, CallbackAct, int]] = field(default_factory=list)

    def app(self) -> Starlette:
        """The one route."""
        return Starlette(routes=[Route(callback_path("{department}"), self._receive, methods=["POST"])])

    async def _receive(self, request: Request) -> Response:
        body = await request.body()
        secrets = self.keys.believed(request.path_params["department"])
        headers = request.headers
        if verify(secrets, headers.get(TIMESTAMP_HEADER), body, headers.get(SIGNATURE_HEADER), time.time()):
            return JSONResponse({}, 401)
        callback = read_callback(body)
        status = self.answer(callback)
        self.received.append(callback)
        self.answered.append((callback.order_id, callback.act, status))
        return JSONResponse({}, status)

    def acts(self, order_id: str) -> list[CallbackAct]:
        """What was acknowledged about an order, in the order of arrival."""
        return [act for order, act, status in self.answered if order == order_id and 200 <= status < 300]


@dataclass
class DepartmentTown:
    """What a test needs of it."""

    activity: Departments
    register: DepartmentRegister
    keys: DepartmentKeys
    gateway: HttpGateway
    client: httpx.AsyncClient
    vault: Vault
    receiver: CallbackReceiver
    calls: list[tuple[str, str, str]]

    def order(self, department: str, number: int = 1, words: str = "小区垃圾堆积未清理", **changes: Any) -> PlaceOrder:
        """An order in plain words: noon, an hour to sign, two days to finish."""
        reference = self.vault.keep(text(f"{number}"), words)
        return PlaceOrder.model_validate(
            {
                "case_id": f"incident-20261123-{number:06d}",
                "step": "dispatch-1",
                "department": department,
                "procedure": "incident",
                "category": "环境卫生",
                "urgency": "ordinary",
                "description": reference,
                "due": {"sign": NOON + timedelta(hours=1), "finish": NOON + timedelta(days=2)},
                "as_of": NOON,
                **changes,
            }
        )

    async def place(self, order: PlaceOrder) -> OrderReceipt:
        """One attempt of the activity."""
        return await ActivityEnvironment().run(self.activity.place_order, order)

    async def place_until_answered(self, order: PlaceOrder, attempts: int = 20) -> OrderReceipt:
        """Attempt after attempt with the same input, as Temporal does."""
        for _ in range(attempts - 1):
            try:
                return await self.place(order)
            except ApplicationError as error:
                if error.type != UNAVAILABLE:
                    raise
        return await self.place(order)

    def rework(self, order: PlaceOrder, number: int = 1, words: str | None = "现场仍有垃圾") -> ReworkOrder:
        """The work of an order again, a day later."""
        return ReworkOrder(
            case_id=order.case_id,
            step=order.step,
            number=number,
            department=order.department,
            cause=ReworkCause.VERIFICATION_FAILED,
            reason=None if words is None else self.vault.keep(text(f"R{number}"), words),
            due={"finish": NOON + timedelta(days=2)},
            as_of=NOON + timedelta(days=1),
        )

    async def ask_again(self, rework: ReworkOrder) -> ReworkReceipt:
        """One attempt to have work done again."""
        return await ActivityEnvironment().run(self.activity.rework_order, rework)

    async def ask_again_until_answered(self, rework: ReworkOrder, attempts: int = 20) -> ReworkReceipt:
        """Attempt after attempt with the same input, as Temporal does."""
        for _ in range(attempts - 1):
            try:
                return await self.ask_again(rework)
            except ApplicationError as error:
                if error.type != UNAVAILABLE:
                    raise
        return await self.ask_again(rework)

    async def journal(self, department: str) -> dict[str, Any]:
        """What the department wrote down, by order."""
        answer = await self.client.get(f"{self.register.get(department).url}/journal")
        return {order["order_id"]: order for order in answer.json()["orders"]}


def simulated(folder: Path, code: str, **options: Any) -> SimulatedDepartment:
    """A simulated department with its key and book in this folder."""
    found_department_keys(folder / "keys", [code])
    return SimulatedDepartment.model_validate(
        {
            "code": code,
            "key_file": key_file(folder / "keys", code),
            "book": folder / "departments" / f"{code}.sqlite",
            "speed": HOURS_IN_A_BLINK,
            **options,
        }
    )


@asynccontextmanager
async def town_over(folder: Path, urls: Mapping[str, str], **options: Any) -> AsyncIterator[DepartmentTown]:
    """A town whose departments answer at these addresses, with a coordination centre at its desk."""
    found_department_keys(folder / "keys", urls)
    keys = load_department_keys(folder / "keys", urls)
    desk = {"code": "coordination-centre", "gateway": "desk"}
    entries = [
        desk,
        *({"code": code, "gateway": "http", "url": url, "private": True, **options} for code, url in urls.items()),
    ]
    for entry in entries:
        entry |= {"name": {"zh": entry["code"], "en": entry["code"]}, "duty_leader": f"{entry['code']}.duty"}
    file = folder / "departments.yaml"
    file.write_text(yaml.safe_dump({"departments": entries}), encoding="utf-8")
    register = load_departments(file)
    receiver = CallbackReceiver(keys)
    vault = Vault()
    calls: list[tuple[str, str, str]] = []
    async with (
        serving(receiver.app()) as callback_base,
        http_client() as outward,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        gateway = HttpGateway(outward, keys)
        activity = Departments(
            register,
            gateway,
            vault.read,
            callback_base,
            lambda department, act, outcome: calls.append((department, act, outcome)),
        )
        yield DepartmentTown(activity, register, keys, gateway, client, vault, receiver, calls)


@asynccontextmanager
async def department_town(folder: Path, characters: Mapping[str, str], **options: Any) -> AsyncIterator[DepartmentTown]:
    """A town with simulated departments of these characters."""
    departments = [simulated(folder, code, character=character) for code, character in characters.items()]
    async with departments_open(departments) as running:
        urls = {code: department.url for code, department in running.items()}
        async with town_over(folder, urls, **{"timeout_seconds": 3.0, **options}) as town:
            yield town
