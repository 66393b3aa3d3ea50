"""Real sources and a real bank, the activities that ask them, and a place that receives notices, over HTTP, for tests."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.means import MeansChecks
from activities.payments import Payments
from engine.keys.counterpart_keys import (
    Counterpart,
    CounterpartKeys,
    found_counterpart_keys,
    key_file,
    load_counterpart_keys,
)
from engine.outside.banks import BankGateway
from engine.outside.signed_calls import http_client
from engine.outside.sources import SourceGateway
from engine.vault.vault import PersonDetails
from local.simulation.bank_server import RunningBank, SimulatedBank
from local.simulation.source_server import RunningSources, SimulatedSource
from schemas.contracts.department import Gateway
from schemas.contracts.department_policy import Name
from schemas.contracts.means import CheckAnswer, CheckRequest, SourcePolicy, SourceRegister
from schemas.contracts.payment import BankPolicy, PayReceipt, PayRequest, ReturnNotice, notice_path
from schemas.contracts.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, verify
from schemas.values.references import Tombstone
from tests.department_town import NOON, serving

BANK = "town-bank"
CASE = "welfare-20261123-000017"
FACTS = {"tax": ("monthly_income_fen",), "property": ("properties",), "civil-affairs": ("death_registered",)}
DAYS_IN_A_BLINK = 864_000.0
"""A speed at which a town day is a tenth of a second."""


def person(word: str) -> str:
    """A reference to a person, recognisable by a word of capitals and digits."""
    return f"person:{word:0>26}"


def account(word: str) -> str:
    """A reference to the account of a person."""
    return f"text:{word:0>26}"


class People:
    """What the vault would give, and who asked for what."""

    def __init__(self) -> None:
        self.details: dict[str, PersonDetails | Tombstone | None] = {}
        self.stated: dict[str, PersonDetails | Tombstone | None] = {}
        self.texts: dict[str, str | Tombstone] = {}
        self.readings: list[tuple[str, str, str]] = []

    def live(self, word: str, name: str = "王小明", number: str | None = "110101195003070012", at: str = "6222") -> str:
        """Somebody with a name, an identity number and an account."""
        self.details[person(word)] = PersonDetails(name=name, identity_number=number)
        self.texts[account(word)] = at
        return person(word)

    def erase(self, word: str) -> None:
        """They are erased."""
        self.details[person(word)] = self.texts[account(word)] = Tombstone(erased_at=NOON)

    async def read_person(
        self, reference: str, statement: str | None, purpose: str, case_id: str
    ) -> PersonDetails | Tombstone | None:
        """What the activities read people with: what was stated in the case, where that is something of its own."""
        self.readings.append((reference, purpose, case_id))
        return self.stated[statement] if statement is not None else self.details[reference]

    async def read_texts(self, references: Sequence[str], purpose: str, case_id: str) -> Mapping[str, str | Tombstone]:
        """What the activities read accounts with."""
        self.readings.extend((reference, purpose, case_id) for reference in references)
        return {reference: self.texts[reference] for reference in references}


@dataclass
class NoticeReceiver:
    """Stands where the town's API stands: believes only what is signed."""

    keys: CounterpartKeys
    answer: Callable[[ReturnNotice], int] = lambda _: 200
    received: list[ReturnNotice] = field(default_factory=list)

    def app(self) -> Starlette:
        """The one route."""
        return Starlette(routes=[Route(notice_path("{bank}"), self._receive, methods=["POST"])])

    async def _receive(self, request: Request) -> Response:
        body, headers = await request.body(), request.headers
        secrets = self.keys.believed(request.path_params["bank"])
        if verify(secrets, headers.get(TIMESTAMP_HEADER), body, headers.get(SIGNATURE_HEADER), time.time()):
            return JSONResponse({}, 401)
        notice = ReturnNotice.model_validate_json(body)
        self.received.append(notice)
        return JSONResponse({}, self.answer(notice))


@dataclass
class OutsideTown:
    """What a test needs of it."""

    means: MeansChecks
    payments: Payments
    bank: BankPolicy
    bank_gateway: BankGateway
    bank_keys: CounterpartKeys
    people: People
    receiver: NoticeReceiver
    client: httpx.AsyncClient
    calls: list[tuple[str, ...]]
    sources_url: str

    def check(self, check: str = "tax", who: str = "A", number: int = 1, **changes: Any) -> CheckRequest:
        """A question about somebody."""
        return CheckRequest.model_validate(
            {"case_id": CASE, "check": check, "number": number, "person": person(who), "as_of": NOON, **changes}
        )

    def payment(self, who: str = "A", amount_fen: int = 60_000, **changes: Any) -> PayRequest:
        """A payment to somebody."""
        return PayRequest.model_validate(
            {"case_id": CASE, "payee": person(who), "account": account(who), "amount_fen": amount_fen,
             "benefit": "subsistence-allowance", "month": "2026-12", "as_of": NOON, **changes}
        )  # fmt: skip

    async def ask(self, request: CheckRequest) -> CheckAnswer:
        """One attempt."""
        return await ActivityEnvironment().run(self.means.ask_source, request)

    async def pay(self, request: PayRequest) -> PayReceipt:
        """One attempt."""
        return await ActivityEnvironment().run(self.payments.pay, request)

    async def ask_until_answered(self, request: CheckRequest, attempts: int = 40) -> tuple[CheckAnswer, list[str]]:
        """Attempt after attempt with the same input, as Temporal does; with the errors on the way."""
        return await _until_answered(lambda: self.ask(request), attempts)

    async def pay_until_answered(self, request: PayRequest, attempts: int = 40) -> tuple[PayReceipt, list[str]]:
        """Attempt after attempt with the same input, as Temporal does; with the errors on the way."""
        return await _until_answered(lambda: self.pay(request), attempts)

    async def books(self) -> dict[str, Any]:
        """The bank's own."""
        answer = await self.client.get(f"{self.bank.url}/journal")
        return dict(answer.json())

    async def moved(self) -> list[str]:
        """The keys for which money moved, once for each time it did."""
        return [each["payment_key"] for each in (await self.books())["movements"]]

    async def asked(self, source: str = "tax") -> list[dict[str, Any]]:
        """What a source wrote down."""
        answer = await self.client.get(f"{self.sources_url}/{source}/journal")
        return list(answer.json()["checks"])


async def _until_answered(attempt: Callable[[], Any], attempts: int) -> tuple[Any, list[str]]:
    errors: list[str] = []
    for _ in range(attempts - 1):
        try:
            return await attempt(), errors
        except ApplicationError as error:
            errors.append(str(error.type))
            # Temporal would wait as long as it was asked to; the pauses of these towns are blinks.
            await asyncio.sleep(0.05)
    return await attempt(), errors


def sources_of(folder: Path, character: str = "prompt", speed: float = DAYS_IN_A_BLINK) -> RunningSources:
    """Simulated sources with keys and book in this folder."""
    found_counterpart_keys(folder / "keys", FACTS, Counterpart.SOURCE)
    simulated = {
        code: SimulatedSource.model_validate(
            {"code": code, "key_file": key_file(folder / "keys", code, Counterpart.SOURCE), "facts": facts,
             "character": character}
        )
        for code, facts in FACTS.items()
    }  # fmt: skip
    return RunningSources(simulated, folder / "sources.sqlite", speed=speed)


def bank_of(folder: Path, character: str = "prompt", speed: float = DAYS_IN_A_BLINK) -> RunningBank:
    """The simulated bank with key and books in this folder."""
    found_counterpart_keys(folder / "keys", [BANK], Counterpart.BANK)
    file = key_file(folder / "keys", BANK, Counterpart.BANK)
    bank = {"code": BANK, "key_file": file, "book": folder / "bank.sqlite", "character": character, "speed": speed}
    return RunningBank(SimulatedBank.model_validate(bank))


@asynccontextmanager
async def town_over(folder: Path, sources_url: str, bank_url: str | None, **options: Any) -> AsyncIterator[OutsideTown]:
    """A town whose sources and bank answer at these addresses."""
    found_counterpart_keys(folder / "keys", FACTS, Counterpart.SOURCE)
    found_counterpart_keys(folder / "keys", [BANK], Counterpart.BANK)
    source_keys = load_counterpart_keys(folder / "keys", FACTS, Counterpart.SOURCE)
    bank_keys = load_counterpart_keys(folder / "keys", [BANK], Counterpart.BANK)
    called = {"timeout_seconds": 3.0, **options}
    batch_max = called.pop("batch_max", 1)
    name, http = Name(zh="名", en="name"), {"gateway": Gateway.HTTP, "private": True, **called}
    register = SourceRegister(
        sources=tuple(
            SourcePolicy(code=code, name=name, facts=facts, url=f"{sources_url}/{code}", **http)
            for code, facts in FACTS.items()
        )
    )
    gateway = Gateway.DESK if bank_url is None else Gateway.HTTP
    bank = BankPolicy(
        code=BANK,
        name=name,
        batch_max=batch_max,
        url=bank_url and f"{bank_url}/{BANK}",
        **{**http, "gateway": gateway},
    )
    people, receiver = People(), NoticeReceiver(bank_keys)
    calls: list[tuple[str, ...]] = []
    async with (
        serving(receiver.app()) as notice_base,
        http_client() as outward,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        bank_gateway = BankGateway(outward, bank_keys)
        yield OutsideTown(
            means=MeansChecks(
                register, SourceGateway(outward, source_keys), people.read_person, lambda *call: calls.append(call)
            ),
            payments=Payments(
                bank,
                bank_gateway,
                read_person=people.read_person,
                read_texts=people.read_texts,
                notice_base=notice_base,
                count_call=lambda *call: calls.append(call),
            ),
            bank=bank,
            bank_gateway=bank_gateway,
            bank_keys=bank_keys,
            people=people,
            receiver=receiver,
            client=client,
            calls=calls,
            sources_url=sources_url,
        )


@asynccontextmanager
async def outside_town(
    folder: Path, *, sources: str = "prompt", bank: str = "prompt", speed: float = DAYS_IN_A_BLINK, **options: Any
) -> AsyncIterator[OutsideTown]:
    """A town with simulated sources and bank of these characters."""
    open_sources, open_bank = sources_of(folder, sources, speed), bank_of(folder, bank, speed)
    try:
        async with town_over(folder, open_sources.url, open_bank.url, **options) as town:
            yield town
    finally:
        open_sources.stop()
        open_bank.stop()
        await asyncio.gather(open_sources.task, open_bank.task)


def days_after(moment: datetime, days: int) -> datetime:
    """A moment so many days later."""
    return moment + timedelta(days=days)
