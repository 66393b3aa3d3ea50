"""A town under water, for `bench.flood`: its people with their tokens, its issuer, and the ways to it."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import yaml

from bench.flooded_lists import STREET, Place, houses_of, with_lists
from bench.waiting import until
from engine.keys.counterpart_keys import Counterpart, load_counterpart_keys
from engine.keys.key_files import replace_file
from engine.keys.keys import Keys
from engine.store.database import open_pool
from local.simulation.simulation import tokens
from local.simulation.townspeople import Persona
from local.town.town import Town, TownOptions, open_town
from local.town.town_processes import PROCESSES
from schemas.contracts.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from schemas.kernel.procedure import Procedure
from schemas.values.actor import Role
from starter.warning_houses import FILE as HOUSES

RUN = ("worker", "api")
ISSUER = "weather-bureau"
SPEED = 10.0
WAITED_SECONDS = 600.0
AGAIN = frozenset({429, 502, 503, 504})

OFFICER = Persona("officer-em", Role.DEPARTMENT_OFFICER, department="emergency-management")
STREET_OFFICER = Persona("street-feng", Role.STREET_OFFICER)
STRANGER = Persona("grid-elsewhere", Role.GRID_WORKER)


@dataclass
class Asked:
    """What was sent: seconds until it was taken, by command; how often it had to come again."""

    took: dict[str, list[float]] = field(default_factory=dict)
    again: int = 0


@dataclass(frozen=True)
class FloodedTown:
    """The town, and the ways to it."""

    town: Town
    http: httpx.AsyncClient
    pool: asyncpg.Pool
    issuers_key: bytes
    tokens: Mapping[str, str]
    asked: Asked = field(default_factory=Asked)

    async def gives(self, by: Persona, case_id: str, command: str, body: Mapping[str, Any]) -> int:
        """Give a command until the case has taken it, under one key; the status: 200, or that of a refusal.

        A team goes on where a connection breaks, as whoever stands in the rain does.
        """
        headers = {"Authorization": f"Bearer {self.tokens[by.subject]}", "Idempotency-Key": str(uuid.uuid4())}
        began = time.perf_counter()

        async def answered() -> httpx.Response | None:
            try:
                answer = await self.http.post(
                    f"/api/v1/cases/{case_id}/commands/{command}", json=dict(body), headers=headers
                )
            except httpx.TransportError:
                self.asked.again += 1
                return None
            if answer.status_code in AGAIN or answer.status_code == httpx.codes.ACCEPTED:
                self.asked.again += 1
                return None
            return answer

        answer = await until(answered, WAITED_SECONDS)
        if answer.is_success:
            self.asked.took.setdefault(command, []).append(time.perf_counter() - began)
        return answer.status_code

    async def told(self, by: Persona, case_id: str) -> list[Mapping[str, Any]]:
        """The entries of a case, as this person sees them; none, before it is shown."""
        headers = {"Authorization": f"Bearer {self.tokens[by.subject]}"}
        entries: list[Mapping[str, Any]] = []
        cursor: str | None = None
        while True:
            answer = await self.http.get(
                f"/api/v1/cases/{case_id}/timeline", params={"cursor": cursor} if cursor else {}, headers=headers
            )
            if not answer.is_success:
                return []
            page = answer.json()
            entries += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return entries

    async def says(self, identifier: str, **said: Any) -> None:
        """Post a message of the issuer, signed, until the town has taken it."""
        message = json.dumps({"identifier": identifier, "hazard": "rainstorm", "areas": [STREET], **said}).encode()

        async def taken() -> bool:
            timestamp = str(int(time.time()))
            headers = {
                "Content-Type": "application/json",
                TIMESTAMP_HEADER: timestamp,
                SIGNATURE_HEADER: sign(self.issuers_key, timestamp, message),
            }
            answer = await self.http.post(f"/api/v1/alerts/{ISSUER}", content=message, headers=headers)
            if answer.status_code not in AGAIN:
                answer.raise_for_status()
            return answer.is_success

        await until(taken, WAITED_SECONDS)

    async def facts(self, procedure: Procedure, *kinds: str) -> list[Mapping[str, Any]]:
        """What the entries of these kinds say, each with its case: straight from the chains, for what is told and for the judge."""
        rows = await self.pool.fetch(
            "select told.case_id, told.kind, told.body::jsonb -> 'facts' as facts from cases "
            "cross join lateral chain_of(cases.case_id) as told "
            "where cases.procedure = $1 and told.kind = any($2) order by told.case_id, told.seq",
            procedure.name,
            list(kinds),
        )
        return [{**row["facts"], "case": row["case_id"], "told": row["kind"]} for row in rows]


@asynccontextmanager
async def open_flooded_town(folder: Path, places: Sequence[Place]) -> AsyncIterator[FloodedTown]:
    """A town in an empty folder, without anybody who acts by himself; it is watched while the block runs."""
    processes = [each for each in PROCESSES if each.name in RUN]
    data = folder / "town"
    (data / "keys").mkdir(mode=0o700, parents=True)
    replace_file(data / "keys" / HOUSES, yaml.safe_dump(houses_of(places), allow_unicode=True))
    async with AsyncExitStack() as stack:
        with with_lists(folder, places):
            options = TownOptions(data=data, processes=processes, speed=SPEED)
            town = await stack.enter_async_context(open_town(options))
        pool = await stack.enter_async_context(await open_pool(town.settings, process="bench"))
        http = await stack.enter_async_context(
            httpx.AsyncClient(base_url=town.settings.api_url, trust_env=False, timeout=60)
        )
        key = load_counterpart_keys(town.settings.key_folder, [ISSUER], Counterpart.ISSUER).signing(ISSUER)
        token_for = tokens(town.settings, Keys.load(town.settings.key_folder))
        watching = asyncio.create_task(town.supervisor.watch())
        stack.push_async_callback(_ended, watching)
        people = {OFFICER, STREET_OFFICER, STRANGER, *(who for each in places for who in (each.leader, each.deputy))}
        yield FloodedTown(town, http, pool, key, {each.subject: token_for(each) for each in people})


async def _ended(watching: asyncio.Task[None]) -> None:
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
