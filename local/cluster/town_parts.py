"""One town's side of a cluster: its secrets, its namespace, its database, its processes, as docker-compose.yml has them.

Two towns stand on one Temporal and one Postgres: nothing here belongs to both but those servers and the key that Temporal believes.
"""

import shutil
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from local.cluster.compose import Compose
from local.cluster.tokens import LOOK_SECONDS, token_file
from local.town.child import Child, Probe, Step
from local.town.ports import LOOPBACK
from local.town.postgres import LocalPostgres
from local.town.private_file import write_private
from local.town.probes import accepts_connections, answers_http
from local.town.town_processes import jiceng

SIMULATED = ("departments", "sources", "bank")
SPEED = 8000.0
"""Town seconds per real second: the ten days until a second payment are as long as the load."""
TEMPORALS_OWN = ("temporal-signing-key.pem", "temporal-jwks")
"""What of the secrets belongs to Temporal, and so to all towns on it."""

Run = Callable[[tuple[str, ...], Mapping[str, str]], Awaitable[None]]
"""Runs a one-shot to its end."""


@dataclass(frozen=True)
class TownParts:
    """What one town has in a cluster.

    `name`: before the names of its processes and ports, empty for the first. `folder`: its own. `often`: which services run, and
    how often. `inherited`: what its processes get of this one's variables. `signed_by`: the secrets of the town whose key Temporal
    believes, for one that comes to a Temporal that is there.
    """

    name: str
    folder: Path
    compose: Compose
    ports: Mapping[str, int]
    database: LocalPostgres
    often: tuple[tuple[str, int], ...]
    inherited: Mapping[str, str]
    run: Run
    namespace: str = "jiceng"
    signed_by: Path | None = None

    @property
    def secrets(self) -> Path:
        """Where make_secrets.py has put them."""
        return self.folder / "secrets"

    @property
    def town(self) -> Path:
        """The folder of its processes."""
        return self.folder / "town"

    @staticmethod
    def port_names(name: str, often: tuple[tuple[str, int], ...]) -> tuple[str, ...]:
        """The ports that a town of this name needs; `api` is where its people call."""
        single = [_numbered(name, service, number, times) for service, times in often for number in range(1, times + 1)]
        whole = [_named(name, each) for each in ("api", *SIMULATED)]
        return tuple(dict.fromkeys((*whole, *(each for each in single if "notices" not in each))))

    def named(self, part: str) -> str:
        """A part as it is called in this cluster."""
        return _named(self.name, part)

    def parts(self, after_secrets: tuple[str, ...] = ()) -> list[Child | Step]:
        """All that is this town's alone."""
        return [
            Step(self.named("secrets"), self._make_secrets, after=after_secrets),
            Step(self.named("temporal-namespace"), self._namespace, after=("temporal", self.named("secrets"))),
            Step(self.named("database"), self.database.create_database, after=("postgres", self.named("secrets"))),
            Step(self.named("town-preparation"), self._preparation, after=(self.named("database"),)),
            *self._our_processes(),
            *self._others(),
        ]

    @cached_property
    def settings(self) -> dict[str, str]:
        """What a command of the terminal is given: the variables of the API."""
        place = {"JICENG_API_HOST": LOOPBACK, "JICENG_API_PORT": str(self.ports[self._first("api")])}
        token = {"JICENG_TEMPORAL_TOKEN_FILE": str(token_file(self.secrets, "api"))}
        return self.compose.environment("api", {**self._instead, **place, **token}) | self._rehearsal

    def url(self, part: str) -> str:
        """Where a part of this town answers."""
        return f"http://{LOOPBACK}:{self.ports[self.named(part)]}"

    # ---- once -------------------------------------------------------------------------------------------------------

    async def _make_secrets(self) -> None:
        """By the script; the password is that of the database here, which it leaves as it is."""
        self.secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.town.mkdir(mode=0o700)
        if self.signed_by is not None:
            for each in TEMPORALS_OWN:
                source = self.signed_by / each
                if source.is_dir():
                    shutil.copytree(source, self.secrets / each)
                else:
                    shutil.copy2(source, self.secrets / each)
        write_private(self.secrets / "jiceng_database_password", self.database.passwords[self.database.role])
        await self.run((sys.executable, "deploy/make_secrets.py", str(self.secrets), self.namespace), {})

    async def _namespace(self) -> None:
        place = {
            "TEMPORAL_ADDRESS": self._temporal,
            "TOKEN_FILE": str(self.secrets / "temporal_token_setup"),
            "NAMESPACE": self.namespace,
        }
        await self.run(("sh", "deploy/temporal-namespace.sh"), self.compose.environment("temporal-namespace", place))

    async def _preparation(self) -> None:
        password = self.secrets / "jiceng_database_password"
        environment = self.compose.environment("town-preparation", self._instead) | self._rehearsal
        await self.run((sys.executable, "deploy/prepare_town.py", str(password)), environment)

    # ---- processes --------------------------------------------------------------------------------------------------

    @property
    def _temporal(self) -> str:
        return f"{LOOPBACK}:{self.ports['temporal']}"

    @property
    def _instead(self) -> dict[str, str]:
        role, (database, *_) = self.database.role, self.database.databases
        return {
            "JICENG_DATA": str(self.town),
            "JICENG_TEMPORAL_ADDRESS": self._temporal,
            "JICENG_TEMPORAL_NAMESPACE": self.namespace,
            "JICENG_DATABASE_URL": f"postgresql://{role}@{LOOPBACK}:{self.ports['postgres']}/{database}",
            "JICENG_API_URL": self.url("api"),
            "JICENG_TOKEN_ISSUER": "https://login.rehearsal.example",
            "JICENG_TOKEN_JWKS": str(self.town / "keys" / "jwks.json"),
            "JICENG_TOKEN_ALGORITHMS": "EdDSA",
            "JICENG_TOKEN_AUDIENCE": "jiceng",
            "PGPASSFILE": str(self.town / "pgpass"),
        }

    @property
    def _rehearsal(self) -> dict[str, str]:
        """What the file does not say: the clock, who is simulated, and no limits by address."""
        simulated = {f"JICENG_{part.upper()}_URL": self.url(part) for part in SIMULATED}
        limits = ("REQUESTS_PER_TOKEN", "REQUESTS_PER_ADDRESS", "CONNECTIONS_PER_ADDRESS")
        look = {"JICENG_TEMPORAL_TOKEN_SECONDS": str(LOOK_SECONDS)}
        return {"JICENG_SPEED": str(SPEED), **look, **simulated, **{f"JICENG_{each}": "0" for each in limits}}

    def _first(self, service: str) -> str:
        return _numbered(self.name, service, 1, dict(self.often)[service])

    def _our_processes(self) -> list[Child]:
        return [
            self._service(service, _numbered(self.name, service, number, times))
            for service, times in self.often
            for number in range(1, times + 1)
        ]

    def _service(self, service: str, name: str) -> Child:
        """A service of the file: its command, its variables."""
        said = self.compose.services[service]
        own: dict[str, str] = {}
        ready: Probe | None = None
        if service == "api":
            own = {"JICENG_API_HOST": LOOPBACK, "JICENG_API_PORT": str(self.ports[name])}
            ready = answers_http(f"http://{LOOPBACK}:{self.ports[name]}/healthz")
        if service in {"worker", "archiver"}:
            own = {f"JICENG_{service.upper()}_METRICS": f"{LOOPBACK}:{self.ports[name]}"}
            ready = answers_http(f"http://{LOOPBACK}:{self.ports[name]}/metrics")
        if token := said["environment"].get("JICENG_TEMPORAL_TOKEN_FILE"):
            own["JICENG_TEMPORAL_TOKEN_FILE"] = str(self.compose.place_of(service, token, self.secrets))
        environment = self.compose.environment(service, self._instead | own) | self._rehearsal
        after = (self.named("town-preparation"), self.named("temporal-namespace"))
        child = Child(
            name,
            jiceng(*said["command"][1:]),
            {**self.inherited, **environment},
            self.town,
            after=after,
            grace_seconds=30,
        )
        return replace(child, ready=ready) if ready else child

    def _others(self) -> list[Child]:
        environment = {**self.inherited, **self.settings}
        prepared = (self.named("town-preparation"),)
        counterparts = [
            Child(
                self.named(part),
                jiceng(part),
                environment,
                self.town,
                accepts_connections(self.url(part)),
                after=prepared,
            )
            for part in SIMULATED
        ]
        people = Child(
            self.named("people"),
            jiceng("people"),
            environment,
            self.town,
            after=(self._first("api"), self._first("worker")),
        )
        return [*counterparts, people]


def _named(town: str, part: str) -> str:
    return f"{town}-{part}" if town else part


def _numbered(town: str, service: str, number: int, times: int) -> str:
    return _named(town, f"{service}-{number}" if times > 1 else service)
