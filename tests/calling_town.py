"""A town whose alarms have their contacts called: a simulated gateway over HTTP, a worker and an API that know it, fast clocks."""

import itertools
import json
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from temporalio.client import Client

from engine.keys.counterpart_keys import Counterpart, found_counterpart_keys, key_file, load_counterpart_keys
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from local.simulation.call_server import RunningCallGateway, SimulatedCallGateway
from schemas.alarm import ALARM
from schemas.care import CARE
from schemas.clocks.town_time import TownTime
from schemas.contracts.calls import report_path
from schemas.contracts.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from starter.app import create_app
from tests.api_callers import api_of
from tests.api_driver import ApiDriver, Person, Step
from tests.department_town import serving
from tests.examples import care
from tests.waiting import eventually
from worker import town_worker

GATEWAY = "town-call-gateway"
CALLED_BY_PEOPLE = "contacts_called_by: people"
_numbers = itertools.count(1)


@dataclass
class CallingTown:
    """A town that calls. `api_url`: where the gateway reports, over HTTP."""

    door: ApiDriver
    url: str
    settings: Settings
    pool: asyncpg.Pool
    files: dict[str, str] = field(default_factory=dict)

    @property
    def alarms(self) -> ApiDriver:
        """The same town, for its alarms."""
        return replace(self.door, procedure=ALARM)

    async def calls_for_help(self, contacts: str) -> str:
        """An alarm of somebody with these contacts, one on each line, to which nobody goes."""
        name, lines = f"{GATEWAY}-{next(_numbers)}", contacts.splitlines()
        order = [{"relation": "family"} for _ in lines]
        body = {**care.REPORT, "emergency_contacts": contacts, "contact_order": order}
        file = await self.door.start(body=body, key=f"calls-{name}")
        await self.door.stands(file)
        said = {"alarm_kind": "sos", "words": "来电求助"}
        raised = await self.door.taken(file, Step("raise_alarm", "clerk", said), key=f"raise-{name}")
        assert raised.status_code == 200, raised.text
        return f"{file}.alarm-1"

    async def told(self, alarm: str, kind: str) -> list[dict[str, Any]]:
        """What the entries of a kind say, all of them."""
        rows = await self.pool.fetch("select body from chain_of($1) where kind = $2 order by seq", alarm, kind)
        return [json.loads(row["body"])["facts"] for row in rows]

    async def until(self, alarm: str, kind: str, times: int = 1) -> list[dict[str, Any]]:
        """The entries of a kind, once there are so many."""
        found: list[dict[str, Any]] = []

        async def there() -> bool:
            found[:] = await self.told(alarm, kind)
            return len(found) >= times

        await eventually(there, within=90)
        return found

    async def journal(self) -> dict[str, list[dict[str, Any]]]:
        """The gateway's own book."""
        async with httpx.AsyncClient(trust_env=False) as client:
            return dict((await client.get(f"{self.url}/{GATEWAY}/journal")).json())

    async def rings(self, alarm: str) -> list[str]:
        """Each time a telephone rang for an alarm."""
        return [each["call_id"] for each in (await self.journal())["rings"] if each["call_id"].startswith(f"{alarm}/")]

    async def texts(self, alarm: str) -> list[str]:
        """Each message that was sent for an alarm."""
        return [each["text_id"] for each in (await self.journal())["texts"] if each["text_id"].startswith(f"{alarm}/")]

    async def reports(self, report: dict[str, Any], key: bytes | None = None) -> httpx.Response:
        """Report as the gateway does, signed."""
        keys = load_counterpart_keys(self.settings.key_folder, [GATEWAY], Counterpart.CALL_GATEWAY)
        content, timestamp = json.dumps(report).encode(), str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            TIMESTAMP_HEADER: timestamp,
            SIGNATURE_HEADER: sign(key or keys.signing(GATEWAY), timestamp, content),
        }
        return await self.door.api.post(report_path(GATEWAY), content=content, headers=headers)


@dataclass
class _Forwarder:
    """Stands where the town's API listens: what the gateway sends there goes to the API of this test."""

    api: httpx.AsyncClient | None = None

    def app(self) -> Starlette:
        """Everything that comes."""
        return Starlette(routes=[Route("/{path:path}", self._forward, methods=["POST"])])

    async def _forward(self, request: Request) -> Response:
        assert self.api is not None
        headers = {
            name: value
            for name, value in request.headers.items()
            if name in {"content-type", TIMESTAMP_HEADER.lower(), SIGNATURE_HEADER.lower()}
        }
        answer = await self.api.post(request.url.path, content=await request.body(), headers=headers)
        return Response(answer.content, answer.status_code, media_type="application/json")


@asynccontextmanager
async def calling_town(
    settings: Settings,
    keys: Keys,
    temporal: Client,
    pool: asyncpg.Pool,
    folder: Path,
    *,
    token: Callable[[Person], str],
    speed: int,
) -> AsyncIterator[CallingTown]:
    """A town at this speed whose contacts are called by its gateway."""
    rules = Path(shutil.copytree(settings.policies, folder / "policies"))
    file = rules / "care.yaml"
    text = file.read_text(encoding="utf-8")
    assert CALLED_BY_PEOPLE in text
    file.write_text(text.replace(CALLED_BY_PEOPLE, "contacts_called_by: gateway"), encoding="utf-8")
    found_counterpart_keys(settings.key_folder, [GATEWAY], Counterpart.CALL_GATEWAY)
    gateway = RunningCallGateway(
        SimulatedCallGateway(
            code=GATEWAY,
            key_file=key_file(settings.key_folder, GATEWAY, Counterpart.CALL_GATEWAY),
            book=folder / "calls.sqlite",
            speed=speed,
        )
    )
    forwarder, now = _Forwarder(), datetime.now(UTC)
    try:
        async with serving(forwarder.app()) as reached:
            ours = settings.model_copy(
                update={
                    "policies": rules,
                    "call_gateway_url": gateway.url,
                    "api_url": reached,
                    "speed": speed,
                    "task_queue": f"calling-{next(_numbers)}",
                }
            )

            async def connected() -> Client:
                return temporal

            app = create_app(ours, keys, pool, connected, town_time=TownTime.starting(now, now, speed))
            async with town_worker(ours, keys, temporal, pool) as worker, worker, api_of(app) as api:
                forwarder.api = api
                yield CallingTown(ApiDriver(api, token, CARE), gateway.url, ours, pool)
    finally:
        gateway.stop()
        await gateway.task
