"""Where answered messages are played: one town, and in this process a starter API for every case, each with its own clock.

Nobody from outside can choose a clock: it is given to an API by whoever builds it, never by whoever calls it.
"""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx
from fastapi import FastAPI
from temporalio.client import Client

from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from local.real.importer import NOT_STATED
from local.simulation.people import TokenFor
from local.simulation.simulation import tokens
from local.simulation.townspeople import AUDITOR, Persona, officer
from schemas.clocks.calendar import Calendar
from schemas.clocks.town_time import TownTime
from schemas.incident import INCIDENT
from schemas.incident_policy import IncidentPolicy
from schemas.incident_report import IncidentReport
from schemas.values.actor import Role
from schemas.values.location import Location
from starter.app import create_app
from starter.cases.reading import Reading
from starter.cases.views import CaseView
from starter.client import TownClient
from starter.http.dependencies import provide, provided
from starter.intake.filing import Filing
from starter.intake.town_rules import TownRules

IMPORTER = Persona("importer-1", Role.WINDOW_CLERK)
ADDRESS = "http://town"
PATIENCE_SECONDS = 20.0
REHEARSALS = 3
LAG_AT_MOST = timedelta(milliseconds=100)


@dataclass(frozen=True)
class ReplyTown:
    """The town in which it is played: database, keys, Temporal with a worker."""

    settings: Settings
    keys: Keys
    pool: asyncpg.Pool
    temporal: Client


@dataclass(frozen=True)
class Lags:
    """Real time from sending a report or a command to its entry in the ledger, as it was in rehearsal."""

    report: timedelta
    command: timedelta


@dataclass(frozen=True)
class ReplyStage:
    """The APIs of one town, and the people who use them. `office` is the API whose clock is the real one."""

    town: ReplyTown
    calendar: Calendar
    office: FastAPI
    token_for: TokenFor
    broken: list[BaseException]
    run: str

    @property
    def policy(self) -> IncidentPolicy:
        """The town's rules for incidents."""
        policy = provided(self.office, TownRules).policies[INCIDENT.name]
        assert isinstance(policy, IncidentPolicy)  # noqa: S101 - the procedure says which policy is its own
        return policy

    def api(self, town_time: TownTime) -> httpx.AsyncClient:
        """An API with a clock and a calendar of its own. Relay and listener are the office's: eighty would be many."""
        app = _api(self.town, town_time, self.broken)
        reading, filing, office = provided(app, Reading), provided(app, Filing), provided(self.office, Filing)
        charters = {
            name: charter.model_copy(update={"calendar": self.calendar})
            for name, charter in filing.town.charters.items()
        }
        town, announcements = replace(filing.town, charters=charters), office.answering.announcements
        answering = replace(filing.answering, relay=office.relay, announcements=announcements)
        provide(
            app,
            town,
            replace(reading, announcements=announcements),
            answering,
            replace(filing, town=town, relay=office.relay, answering=answering),
        )
        return _client_of(app)

    def client(self, http: httpx.AsyncClient, who: Persona) -> TownClient:
        """Somebody's way to one of the APIs."""
        return TownClient(ADDRESS, lambda: self.token_for(who), http, PATIENCE_SECONDS)

    async def report(self, http: httpx.AsyncClient, report: IncidentReport, line: int, attempt: int = 1) -> CaseView:
        """Report something; the case, as soon as it stands. Raises ApiError."""
        client = self.client(http, IMPORTER)
        told = (await client.report(report, self._key(line, "report", attempt))).case
        case = told if isinstance(told, CaseView) else await client.case(told.case_id)
        while not case.seq:
            case = await self.client(http, IMPORTER).case(case.case_id, "seq:1")
        return case

    async def act(
        self, http: httpx.AsyncClient, who: Persona, case_id: str, command: str, body: dict[str, object], *, line: int
    ) -> None:
        """Give a command. Raises ApiError."""
        await self.client(http, who).command(case_id, command, body, self._key(line, command), PATIENCE_SECONDS)

    async def rehearse(self) -> Lags:
        """Let every process load its code, and see how long things take. The cases are of today, not of the file."""
        lags = Lags(timedelta(0), timedelta(0))
        something = IncidentReport(category="城乡建设", description="试运行", location=Location(address=NOT_STATED))
        async with _client_of(self.office) as http:
            for number in range(-REHEARSALS, 0):
                sent = datetime.now(UTC)
                case = await self.report(http, something, number)
                dispatched = next((clock.started_at for clock in case.clocks if clock.name == "finish"), None)
                signing, department = datetime.now(UTC), officer(str(case.department))
                await self.act(http, department, case.case_id, "sign", {}, line=number)
                signed = (await self.client(http, AUDITOR).timeline(case.case_id))[-1].at
                await self.act(http, department, case.case_id, "finish", {"result": "试运行"}, line=number)
                lags = Lags(*(min(lag, LAG_AT_MOST) for lag in ((dispatched or sent) - sent, signed - signing)))
        return lags

    def _key(self, line: int, act: str, attempt: int = 1) -> str:
        return f"replies:{self.run}:{line}:{act}:{attempt}"


@asynccontextmanager
async def reply_stage(town: ReplyTown, calendar: Calendar) -> AsyncIterator[ReplyStage]:
    """The stage, while it is needed. Raises what broke in the background, if something did."""
    broken: list[BaseException] = []
    office = _api(town, TownTime.identity(), broken)
    async with office.router.lifespan_context(office):
        yield ReplyStage(town, calendar, office, tokens(town.settings, town.keys), broken, uuid.uuid4().hex[:12])
    if broken:
        raise broken[0]


def _api(town: ReplyTown, town_time: TownTime, broken: list[BaseException]) -> FastAPI:
    async def connected() -> Client:
        return town.temporal

    return create_app(
        town.settings,
        town.keys,
        town.pool,
        connected,
        town_time=town_time,
        on_fatal=broken.append,
    )


def _client_of(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ADDRESS, timeout=60)
