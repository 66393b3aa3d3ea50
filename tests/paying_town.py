"""A town with a bank and sources that answer: simulated over HTTP, as in a local town; its cases run on a queue of their own."""

import itertools
import json
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from temporalio.client import Client

from engine.keys.counterpart_keys import Counterpart, found_counterpart_keys, key_file, load_counterpart_keys
from engine.keys.keys import Keys
from engine.policies.source_policy import load_sources
from engine.runtime.settings import Settings
from local.simulation.bank_server import RunningBank, SimulatedBank
from local.simulation.source_server import RunningSources, SimulatedSource
from schemas.clocks.town_time import TownTime
from schemas.contracts.payment import entitlement_of, notice_path
from schemas.contracts.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from schemas.welfare import WELFARE
from starter.app import create_app
from tests.api_callers import api_of
from tests.api_driver import ApiDriver, Person
from worker import town_worker

BANK = "town-bank"
NOBODY = "http://127.0.0.1:9"
FINAL_LIMIT = "unresolved_after: 60 natural_days"
_numbers = itertools.count(1)


@dataclass
class Outside:
    """The bank and the sources of a town, and the settings that lead to them."""

    settings: Settings
    bank_url: str

    async def movements(self, benefit: str | None = None) -> list[dict[str, Any]]:
        """Every movement of money in the bank's own books."""
        async with httpx.AsyncClient(trust_env=False) as client:
            books = (await client.get(f"{self.bank_url}/{BANK}/journal")).json()
        return [each for each in books["movements"] if benefit is None or benefit in each["payment_key"]]

    async def paid_entitlements(self) -> list[str]:
        """Who was paid which benefit for which month, once for each time the money moved."""
        return [entitlement_of(each["payment_key"]) for each in await self.movements()]


@asynccontextmanager
async def outside(settings: Settings, folder: Path, *, speed: float, bank: str = "prompt") -> AsyncIterator[Outside]:
    """Open a bank of this character and all sources, which answer at once; a bank that is silent is given up soon."""
    rules = Path(shutil.copytree(settings.policies, folder / "policies"))
    banks = rules / "banks.yaml"
    banks.write_text(banks.read_text(encoding="utf-8") + "    timeout_seconds: 1\n", encoding="utf-8")
    register = load_sources(rules / "sources.yaml", "http://127.0.0.1:9")
    codes = [source.code for source in register.sources]
    found_counterpart_keys(settings.key_folder, codes, Counterpart.SOURCE)
    found_counterpart_keys(settings.key_folder, [BANK], Counterpart.BANK)
    simulated = {
        source.code: SimulatedSource(
            code=source.code,
            key_file=key_file(settings.key_folder, source.code, Counterpart.SOURCE),
            facts=source.facts,
        )
        for source in register.sources
    }
    running = RunningSources(simulated, folder / "sources.sqlite", speed=speed)
    file = key_file(settings.key_folder, BANK, Counterpart.BANK)
    paying = RunningBank(
        SimulatedBank.model_validate(
            {"code": BANK, "key_file": file, "book": folder / "bank.sqlite", "character": bank, "speed": speed}
        )
    )
    try:
        ours = settings.model_copy(
            update={"policies": rules, "sources_url": running.url, "bank_url": paying.url, "speed": speed}
        )
        yield Outside(settings=ours, bank_url=paying.url)
    finally:
        paying.stop()
        running.stop()
        await paying.task
        await running.task


@dataclass
class PayingTown:
    """A town that pays."""

    door: ApiDriver
    outside: Outside
    pool: asyncpg.Pool

    async def snapshot(self, case_id: str) -> dict[str, Any]:
        """The state of a case as the projection keeps it."""
        return dict(await self.pool.fetchval("select snapshot from cases where case_id = $1", case_id))

    async def paid_months(self, case_id: str) -> list[str]:
        """The months that the case has in its books as paid."""
        return sorted((await self.snapshot(case_id))["paid"])

    async def notify(self, notice: dict[str, Any]) -> httpx.Response:
        """Send a notice as the bank does, signed."""
        secret = load_counterpart_keys(self.outside.settings.key_folder, [BANK], Counterpart.BANK).signing(BANK)
        content, timestamp = json.dumps(notice).encode(), str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            TIMESTAMP_HEADER: timestamp,
            SIGNATURE_HEADER: sign(secret, timestamp, content),
        }
        return await self.door.api.post(notice_path(BANK), content=content, headers=headers)


@asynccontextmanager
async def paying_town(
    settings: Settings,
    keys: Keys,
    temporal: Client,
    pool: asyncpg.Pool,
    folder: Path,
    *,
    token: Callable[[Person], str],
    speed: int,
    bank: str = "prompt",
    bank_away: bool = False,
    reassess: str | None = None,
) -> AsyncIterator[PayingTown]:
    """A town whose worker and API know a bank and sources, at this speed. `reassess`: another limit for that.

    `bank_away`: the worker looks for the bank where nobody answers.

    An application is decided in some seconds of a busy machine, which are months here: no final limit ends it meanwhile.
    """
    async with outside(settings, folder, speed=speed, bank=bank) as around:
        file = around.settings.policies / "welfare.yaml"
        text = file.read_text(encoding="utf-8")
        assert FINAL_LIMIT in text
        text = text.replace(FINAL_LIMIT, "unresolved_after: 3650 natural_days")
        if reassess is not None:
            text = text.replace("reassess: 365 natural_days", f"reassess: {reassess}")
        file.write_text(text, encoding="utf-8")
        ours = around.settings.model_copy(update={"task_queue": f"paying-{next(_numbers)}"})
        now = datetime.now(UTC)

        async def connected() -> Client:
            return temporal

        app = create_app(ours, keys, pool, connected, town_time=TownTime.starting(now, now, speed))
        paying = ours.model_copy(update={"bank_url": NOBODY}) if bank_away else ours
        async with town_worker(paying, keys, temporal, pool) as worker, worker, api_of(app) as api:
            yield PayingTown(door=ApiDriver(api, token, WELFARE), outside=around, pool=pool)
