"""Two towns on one Temporal and one Postgres: what each tries to see of the other, by every way that there is."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
from temporalio.client import Client
from temporalio.converter import DataConverter
from temporalio.service import RPCError, RPCStatusCode

from engine.execution.codec import PayloadFault, data_converter
from engine.keys.keys import Keys
from engine.runtime.settings import PROJECT, Settings
from local.cluster.cluster import Cluster
from local.cluster.tokens import token_file
from local.simulation.simulation import tokens
from local.simulation.townspeople import COORDINATOR, RESIDENTS, SUPERVISOR, Persona
from local.town.program import run_program
from local.town.town_processes import jiceng
from schemas.incident_report import IncidentReport
from schemas.values.location import Location
from starter.client import Refused, TownClient

REPORTS = 3
DISPATCHED_SECONDS = 60.0
AUDITS = (("audit", "verify"), ("audit", "replay"))
_PREFIX = "JICENG_"


def settings_of(environment: Mapping[str, str]) -> Settings:
    """The settings that a process with these variables has."""
    given: dict[str, Any] = {
        name.removeprefix(_PREFIX).lower(): value for name, value in environment.items() if name.startswith(_PREFIX)
    }
    return Settings(**given)


class Town:
    """One of the two, as somebody at its edge has it."""

    def __init__(self, name: str, environment: Mapping[str, str], secrets: Path, http: httpx.AsyncClient) -> None:
        self.name, self.environment, self.secrets = name, environment, secrets
        self.settings = settings_of(environment)
        self.keys = Keys.of(self.settings)
        self._http, self._token_for = http, tokens(self.settings, self.keys)

    def client(self, persona: Persona, at: "Town | None" = None) -> TownClient:
        """The way of one of its people, with its own token, to the API of a town: its own one, or the other."""
        url = (at or self).settings.api_url
        return TownClient(url, lambda: self._token_for(persona), self._http, 20.0)

    async def temporal(self, namespace: str) -> Client:
        """Temporal, with the token of this town's API."""
        token = await asyncio.to_thread(token_file(self.secrets, "api").read_text, "ascii")
        return await Client.connect(
            self.settings.temporal_address,
            namespace=namespace,
            rpc_metadata={"authorization": f"Bearer {token.strip()}"},
            data_converter=DataConverter.default,
        )

    async def reported(self, number: int) -> tuple[str, str]:
        """A case of this town, once a department has it: its number and its code."""
        report = IncidentReport(
            category="环境卫生",
            description=f"{self.name}的第{number}件",
            location=Location(address="幸福小区3号楼", area="320104.003.01"),
        )
        started = await self.client(RESIDENTS[0]).report(report, str(uuid.uuid4()))
        await self.client(SUPERVISOR).case(started.case.case_id, "stage:dispatched", DISPATCHED_SECONDS)
        return started.case.case_id, started.code or ""


async def seen_of_each_other(cluster: Cluster, http: httpx.AsyncClient) -> list[str]:
    """Let the other town have cases of its own, and say what either sees of the other that it must not."""
    mine = Town("本镇", cluster.environment, cluster.secrets, http)
    other = Town("邻镇", cluster.neighbour, cluster.neighbour_secrets, http)
    theirs = dict([await other.reported(number) for number in range(1, REPORTS + 1)])
    faults = [fault async for fault in _seen(mine, other, theirs)]
    listed = {row.case_id async for row in other.client(SUPERVISOR).cases()}
    if listed != set(theirs):
        faults.append(f"the neighbour has {len(theirs)} cases, and its supervisor is shown {len(listed)}")
    for argv in AUDITS:
        environment = {**other.environment, "PYTHONPATH": str(PROJECT), "COLUMNS": "200"}
        code, said = await run_program(jiceng(*argv), environment, PROJECT)
        if code != 0 or f"{REPORTS} 个案件, 0 个有问题" not in said:
            faults.append(f"neighbour: {' '.join(argv)} ended with {code}: {said[-800:]}")
    return faults


async def _seen(mine: Town, other: Town, theirs: Mapping[str, str]) -> AsyncIterator[str]:
    for one, another in ((mine, other), (other, mine)):
        if (said := await _refusal(one.client(COORDINATOR, at=another).inbox())) != "401":
            yield f"the API of {another.name} answers a token of {one.name} with {said}"
        if fault := await _temporal_lets_in(one, another):
            yield fault
        if tables := await _read_by(one, another):
            yield f"the database role of {one.name} reads of {another.name}: {', '.join(tables)}"
    for case_id, code in theirs.items():
        if (said := await _refusal(mine.client(RESIDENTS[0]).follow(case_id, code))) != "404":
            yield f"{mine.name} answers number and code of {other.name} with {said}"
        if await _opened_by(mine, other, case_id):
            yield f"the keys of {mine.name} open the history of {case_id} of {other.name}"


async def _refusal(asked: Awaitable[object]) -> str:
    """The status of the refusal; "an answer" if there is none."""
    try:
        await asked
    except Refused as refused:
        return str(refused.status)
    return "an answer"


async def _temporal_lets_in(one: Town, another: Town) -> str | None:
    """Whether the token of the one reaches the namespace of the other."""
    try:
        client = await one.temporal(another.settings.temporal_namespace)
        await client.count_workflows()
    except RPCError as error:
        return None if error.status is RPCStatusCode.PERMISSION_DENIED else f"{one.name}: {error.status}"
    return f"the token of {one.name} for Temporal reads the namespace of {another.name}"


async def _read_by(one: Town, another: Town) -> list[str]:
    """The tables of the other's database that the role of the one may read."""
    place = urlsplit(another.settings.database_url.get_secret_value())
    me = urlsplit(one.settings.database_url.get_secret_value())
    password = await asyncio.to_thread((one.secrets / "jiceng_database_password").read_text, "ascii")
    try:
        connection = await asyncpg.connect(
            host=place.hostname, port=place.port, user=me.username, password=password.strip(), database=place.path[1:]
        )
    except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InsufficientPrivilegeError):
        return []
    try:
        rows = await connection.fetch(
            "select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace "
            "where n.nspname not in ('pg_catalog', 'information_schema') and c.relkind in ('r', 'p', 'v', 'm', 'S') "
            "and has_table_privilege(c.oid, 'select')"
        )
    finally:
        await connection.close()
    return [row["name"] for row in rows]


async def _opened_by(one: Town, another: Town, case_id: str) -> bool:
    """Whether the keys of the one open what the other wrote, if ever a history of it comes into their hands."""
    client = await another.temporal(another.settings.temporal_namespace)
    history = await client.get_workflow_handle(case_id).fetch_history()
    payloads = history.events[0].workflow_execution_started_event_attributes.input.payloads
    codec = data_converter(one.keys).payload_codec
    if codec is None or not payloads:
        return True
    try:
        await codec.decode(payloads)
    except PayloadFault:
        return False
    return True
