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
import secrets
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
from local.cluster.town_parts import TownParts
from local.town.child import Child, Probe, Step
from local.town.ports import LOOPBACK, hold_ports
from local.town.postgres import LocalPostgres, open_postgres
from local.town.private_file import write_private
from local.town.probes import accepts_connections, answers_http
from local.town.process_runner import Pace
from local.town.program import run_program
from local.town.supervisor import Supervisor

OURS = (("worker", 2), ("api", 2), ("notices", 2), ("archiver", 2))
"""Services of the file, and how often each runs here."""
NEIGHBOUR, NEIGHBOURS = "neighbour", (("worker", 1), ("api", 1), ("archiver", 1))
"""Another town on the same Temporal and the same Postgres, with a namespace, a database and keys of its own."""
PORTS = (
    "temporal-postgres",
    "postgres",
    "temporal-jwks",
    "temporal",
    *(port for member in MEMBERS for port in member.ports),
    *TownParts.port_names("", OURS),
    *TownParts.port_names(NEIGHBOUR, NEIGHBOURS),
)
"""`temporal` and `api` are the balancers before frontends and APIs; of workers and archiver a port is where their figures are."""


class StepFailed(OperatorError):
    """A one-shot service of the file did not come through; the message has the end of what it said."""


@dataclass(frozen=True)
class Cluster:
    """A cluster that is ready. `environment`: the JICENG_* variables of its processes, for commands and clients.

    `neighbour`: those of the other town; `neighbour_secrets`: its secrets. `probes`: of each process the question whether it is
    ready.
    """

    supervisor: Supervisor
    environment: Mapping[str, str]
    neighbour: Mapping[str, str]
    neighbour_secrets: Path
    secrets: Path
    ports: Mapping[str, int]
    folder: Path
    probes: Mapping[str, Probe]

    @property
    def figures(self) -> dict[str, str]:
        """By process that shows a token to Temporal, where its figures are."""
        names = [f"{name}-{number}" for name, often in OURS if name != "notices" for number in range(1, often + 1)]
        return {name: f"http://{LOOPBACK}:{self.ports[name]}/metrics" for name in names}


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
            mine, other = parts.town, parts.neighbour
            yield Cluster(supervisor, mine.settings, other.settings, other.secrets, mine.secrets, ports, folder, probes)
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

    @cached_property
    def town(self) -> TownParts:
        return TownParts("", self.folder, self.compose, self.ports, self.ours, OURS, _inherited(), self._ran)

    @cached_property
    def neighbour(self) -> TownParts:
        passwords = {**self.ours.passwords, NEIGHBOUR: secrets.token_urlsafe(24)}
        database = replace(self.ours, role=NEIGHBOUR, databases=(NEIGHBOUR,), passwords=passwords)
        return TownParts(
            NEIGHBOUR, self.folder / NEIGHBOUR, self.compose, self.ports, database, NEIGHBOURS, _inherited(), self._ran,
            namespace=NEIGHBOUR, signed_by=self.town.secrets,
        )  # fmt: skip

    def all(self) -> list[Child | Step]:
        return [
            Step("passwords", self._passwords),
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
            replace(self.ours.child(), after=("secrets",)),
            *self.town.parts(after_secrets=("passwords",)),
            self._balancer("api", "api", after=("api-1", "api-2")),
            *self.neighbour.parts(after_secrets=("secrets",)),
        ]

    # ---- Temporal's side ---------------------------------------------------------------------------------------------

    async def _passwords(self) -> None:
        """Temporal's own; the script leaves it as it is."""
        self.town.secrets.mkdir(mode=0o700)
        (self.folder / "bin").mkdir()
        (self.folder / "bin" / SQL_TOOL).symlink_to(self.binaries.sql_tool)  # however whoever named it calls it
        write_private(self.town.secrets / "temporal_database_password", self.theirs.passwords[self.theirs.role])

    async def _schema(self) -> None:
        place = {
            "SQL_HOST": LOOPBACK,
            "SQL_PORT": str(self.theirs.port),
            "PASSWORD_FILE": str(self.town.secrets / "temporal_database_password"),
        }
        await self._ran(("sh", "deploy/temporal-schema.sh"), self.compose.environment("temporal-schema", place))

    def _jwks(self) -> Child:
        port, public = self.ports["temporal-jwks"], self.town.secrets / "temporal-jwks"
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
