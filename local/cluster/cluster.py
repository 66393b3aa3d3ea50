"""A town in production on one machine, without containers: what docker-compose.yml says, as processes of this machine.

    temporal-postgres -> temporal-schema -> history-1 -> history-2, matching, frontend, internal-frontend, worker -> balancer -.
    temporal-jwks ------------------------------^                                                                              |
    postgres -> town-preparation ------------------------------------ temporal-namespace <-------------------------------------'
                                                                         '-> worker x2, api x2, notices, archiver, simulated others

What differs from the file: ports and paths; the issuer, which is the town's own key set read as any issuer's is; limits by
address, for all callers come from one; and the clock of a rehearsal.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from engine.runtime.operator_error import OperatorError
from engine.runtime.settings import PROJECT
from local.cluster.binaries import SQL_TOOL, Binaries
from local.cluster.compose import Compose
from local.cluster.temporal_roles import MEMBERS, members_of
from local.cluster.tokens import LOOK_SECONDS, token_file
from local.town.child import Child, Probe, Step
from local.town.ports import LOOPBACK, hold_ports
from local.town.postgres import LocalPostgres, open_postgres
from local.town.private_file import write_private
from local.town.probes import accepts_connections, answers_http
from local.town.process_runner import Pace
from local.town.program import run_program
from local.town.supervisor import Supervisor
from local.town.town_processes import jiceng

OURS = (("worker", 2), ("api", 2), ("notices", 1), ("archiver", 1))
"""Services of the file, and how often each runs here."""
SIMULATED = ("departments", "sources", "bank")
NEEDED = ("temporal-postgres", "postgres", "temporal-jwks", "temporal", "api", "archiver", *SIMULATED)
PORTS = (
    *NEEDED,
    *(port for member in MEMBERS for port in member.ports),
    *(f"{name}-{number}" for name, often in OURS[:2] for number in range(1, often + 1)),
)
"""`temporal` and `api` are the balancers before frontends and APIs; of workers and archiver a port is where their figures are."""

SPEED = 8000.0
"""Town seconds per real second: the ten days until a second payment are as long as the load."""


class StepFailed(OperatorError):
    """A one-shot service of the file did not come through; the message has the end of what it said."""


@dataclass(frozen=True)
class Cluster:
    """A cluster that is ready. `environment`: the JICENG_* variables of its processes, for commands and clients.

    `probes`: of each process the question whether it is ready.
    """

    supervisor: Supervisor
    environment: Mapping[str, str]
    secrets: Path
    ports: Mapping[str, int]
    folder: Path
    probes: Mapping[str, Probe]

    @property
    def figures(self) -> dict[str, str]:
        """By process that shows a token to Temporal, where its figures are."""
        names = [f"{name}-{number}" for name, often in OURS[:2] for number in range(1, often + 1)]
        return {name: f"http://{LOOPBACK}:{self.ports[name]}/metrics" for name in (*names, "archiver")}


@asynccontextmanager
async def open_cluster(folder: Path, binaries: Binaries, compose: Compose | None = None) -> AsyncIterator[Cluster]:
    """Bring one up in an empty folder; it is stopped at the end of the block.

    Raises:
        ComposeFault, StepFailed, ChildFailed, PostgresUnusable: it could not be brought up; the message says why.
    """
    compose = compose or Compose()
    with hold_ports(PORTS, None, {}) as ports:
        options = compose.postgres_options("temporal-postgres")
        theirs = await open_postgres(
            folder / "temporal-postgres",
            ports["temporal-postgres"],
            role="temporal",
            databases=("temporal", "temporal_visibility"),
            options=options,
        )
        ours = await open_postgres(folder / "postgres", ports["postgres"], options=compose.postgres_options("postgres"))
        parts = _Parts(folder, binaries, compose, ports, theirs, ours)
        all_parts = parts.all()
        probes = {part.name: part.ready for part in all_parts if isinstance(part, Child)}
        supervisor = Supervisor(folder, all_parts, Pace(longest_pause_seconds=5.0))
        try:
            await supervisor.start()
            yield Cluster(supervisor, parts.settings, parts.secrets, ports, folder, probes)
        finally:
            await supervisor.stop()


@dataclass(frozen=True)
class _Parts:
    folder: Path
    binaries: Binaries
    compose: Compose
    ports: Mapping[str, int]
    theirs: LocalPostgres
    ours: LocalPostgres

    @property
    def secrets(self) -> Path:
        return self.folder / "secrets"

    @property
    def town(self) -> Path:
        return self.folder / "town"

    def all(self) -> list[Child | Step]:
        return [
            Step("secrets", self._make_secrets),
            replace(self.theirs.child(), name="temporal-postgres", after=("secrets",)),
            Step("temporal-databases", self.theirs.create_database, after=("temporal-postgres",)),
            Step("temporal-schema", self._schema, after=("temporal-databases",)),
            self._jwks(),
            *members_of(
                self.compose,
                self.binaries.server,
                folder=self.folder,
                database=self.theirs,
                ports=self.ports,
                jwks=f"{self._url('temporal-jwks')}/jwks.json",
            ),
            self._balancer("temporal", "temporal-frontend", after=tuple(member.name for member in MEMBERS)),
            Step("temporal-namespace", self._namespace, after=("temporal",)),
            replace(self.ours.child(), after=("secrets",)),
            Step("database", self.ours.create_database, after=("postgres",)),
            Step("town-preparation", self._preparation, after=("database",)),
            *self._our_processes(),
            self._balancer("api", "api", after=("api-1", "api-2")),
            *self._others(),
        ]

    # ---- Temporal's side ---------------------------------------------------------------------------------------------

    async def _make_secrets(self) -> None:
        """By the script; the passwords are those of the databases here, which it leaves as they are."""
        self.secrets.mkdir(mode=0o700)
        self.town.mkdir(mode=0o700)
        (self.folder / "bin").mkdir()
        (self.folder / "bin" / SQL_TOOL).symlink_to(self.binaries.sql_tool)  # however whoever named it calls it
        for name, database in (("temporal", self.theirs), ("jiceng", self.ours)):
            write_private(self.secrets / f"{name}_database_password", database.passwords[database.role])
        await self._ran((sys.executable, "deploy/make_secrets.py", str(self.secrets)), {})

    async def _schema(self) -> None:
        place = {
            "SQL_HOST": LOOPBACK,
            "SQL_PORT": str(self.theirs.port),
            "PASSWORD_FILE": str(self.secrets / "temporal_database_password"),
        }
        await self._ran(("sh", "deploy/temporal-schema.sh"), self.compose.environment("temporal-schema", place))

    async def _namespace(self) -> None:
        place = {
            "TEMPORAL_ADDRESS": f"{LOOPBACK}:{self.ports['temporal']}",
            "TOKEN_FILE": str(self.secrets / "temporal_token_setup"),
        }
        await self._ran(("sh", "deploy/temporal-namespace.sh"), self.compose.environment("temporal-namespace", place))

    def _jwks(self) -> Child:
        port, public = self.ports["temporal-jwks"], self.secrets / "temporal-jwks"
        serve = (sys.executable, "-m", "http.server", str(port), "--bind", LOOPBACK, "--directory", str(public))
        return Child(
            "temporal-jwks",
            serve,
            _inherited(),
            self.folder,
            answers_http(f"http://{LOOPBACK}:{port}/jwks.json"),
            after=("secrets",),
        )

    def _balancer(self, name: str, before: str, after: tuple[str, ...]) -> Child:
        backends = [
            str(port)
            for each, port in self.ports.items()
            if each in {f"{before}-{number}{kind}" for number in (1, 2) for kind in ("", "/grpc")}
        ]
        argv = (sys.executable, "-P", "-m", "local.cluster.balancer", str(self.ports[name]), *backends)
        return Child(name, argv, _inherited(), self.folder, accepts_connections(self._url(name)), after=after)

    # ---- our side ----------------------------------------------------------------------------------------------------

    async def _preparation(self) -> None:
        password = self.secrets / "jiceng_database_password"
        environment = self.compose.environment("town-preparation", self._instead) | self._rehearsal
        await self._ran((sys.executable, "deploy/prepare_town.py", str(password)), environment)

    @cached_property
    def settings(self) -> dict[str, str]:
        """What a command of the terminal is given: the variables of the API."""
        place = {"JICENG_API_HOST": LOOPBACK, "JICENG_API_PORT": str(self.ports["api-1"])}
        token = {"JICENG_TEMPORAL_TOKEN_FILE": str(token_file(self.secrets, "api"))}
        return self.compose.environment("api", {**self._instead, **place, **token}) | self._rehearsal

    @property
    def _instead(self) -> dict[str, str]:
        return {
            "JICENG_DATA": str(self.town),
            "JICENG_TEMPORAL_ADDRESS": f"{LOOPBACK}:{self.ports['temporal']}",
            "JICENG_DATABASE_URL": f"postgresql://jiceng@{LOOPBACK}:{self.ports['postgres']}/jiceng",
            "JICENG_API_URL": self._url("api"),
            "JICENG_TOKEN_ISSUER": "https://login.rehearsal.example",
            "JICENG_TOKEN_JWKS": str(self.town / "keys" / "jwks.json"),
            "JICENG_TOKEN_ALGORITHMS": "EdDSA",
            "JICENG_TOKEN_AUDIENCE": "jiceng",
            "PGPASSFILE": str(self.town / "pgpass"),
        }

    @property
    def _rehearsal(self) -> dict[str, str]:
        """What the file does not say: the clock, who is simulated, and no limits by address."""
        simulated = {f"JICENG_{name.upper()}_URL": self._url(name) for name in SIMULATED}
        limits = ("REQUESTS_PER_TOKEN", "REQUESTS_PER_ADDRESS", "CONNECTIONS_PER_ADDRESS")
        look = {"JICENG_TEMPORAL_TOKEN_SECONDS": str(LOOK_SECONDS)}
        return {"JICENG_SPEED": str(SPEED), **look, **simulated, **{f"JICENG_{name}": "0" for name in limits}}

    def _our_processes(self) -> list[Child]:
        return [
            self._service(service, f"{service}-{number}" if often > 1 else service)
            for service, often in OURS
            for number in range(1, often + 1)
        ]

    def _service(self, service: str, name: str) -> Child:
        """A service of the file: its command, its variables."""
        said = self.compose.services[service]
        own: dict[str, str] = {}
        ready: Probe | None = None
        if service == "api":
            own = {"JICENG_API_HOST": LOOPBACK, "JICENG_API_PORT": str(self.ports[name])}
            ready = answers_http(f"{self._url(name)}/healthz")
        if service == "worker":
            own = {"JICENG_WORKER_METRICS": f"{LOOPBACK}:{self.ports[name]}"}
            ready = answers_http(f"{self._url(name)}/metrics")
        if service == "archiver":
            own = {"JICENG_ARCHIVER_METRICS": f"{LOOPBACK}:{self.ports[name]}"}
            ready = answers_http(f"{self._url(name)}/metrics")
        if token := said["environment"].get("JICENG_TEMPORAL_TOKEN_FILE"):
            own["JICENG_TEMPORAL_TOKEN_FILE"] = str(self.compose.place_of(service, token, self.secrets))
        environment = self.compose.environment(service, self._instead | own) | self._rehearsal
        argv = jiceng(*said["command"][1:])
        child = Child(
            name,
            argv,
            _inherited() | environment,
            self.town,
            after=("town-preparation", "temporal-namespace"),
            grace_seconds=30,
        )
        return replace(child, ready=ready) if ready else child

    def _others(self) -> list[Child]:
        environment = _inherited() | self.settings
        counterparts = [
            Child(
                name,
                jiceng(name),
                environment,
                self.town,
                accepts_connections(self._url(name)),
                after=("town-preparation",),
            )
            for name in SIMULATED
        ]
        return [*counterparts, Child("people", jiceng("people"), environment, self.town, after=("api", "worker-1"))]

    def _url(self, name: str) -> str:
        return f"http://{LOOPBACK}:{self.ports[name]}"

    async def _ran(self, argv: tuple[str, ...], environment: Mapping[str, str]) -> None:
        """Run a one-shot; as compose does, again when it fails, for who it asks may only be starting."""
        for _ in range(5):
            code, said = await run_program(argv, {**_inherited(str(self.folder / "bin")), **environment}, PROJECT)
            if code == 0:
                return
            await asyncio.sleep(1)
        raise StepFailed(f"{' '.join(argv)} ended with {code}:\n{said[-2000:]}")


def _inherited(*folders: str) -> dict[str, str]:
    """What a process here gets of ours, and nothing that would lead it to another town. `folders`: where else its programs are."""
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "PYTHONPYCACHEPREFIX", "GOGC") if name in os.environ}
    path = ":".join((*folders, str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    return {**kept, "PATH": path, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(PROJECT)}
