"""Temporal's server as a cluster runs it: each service a process of its own, the three that carry the load twice."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from local.cluster.compose import Compose
from local.town.child import Child
from local.town.ports import LOOPBACK
from local.town.postgres import LocalPostgres
from local.town.probes import accepts_connections

SERVICE = "temporal"
ALONE = "temporal-history-1"
"""Who starts first, alone: of several that find an empty database each writes the cluster's record, and all but one end."""


@dataclass(frozen=True)
class Member:
    """One process of the server. `service` as TEMPORAL_SERVICES names it."""

    service: str
    number: int

    @property
    def name(self) -> str:
        """As its log and the fault that kills it are called."""
        return f"temporal-{self.service}-{self.number}"

    @property
    def ports(self) -> tuple[str, ...]:
        """The names of what it listens on."""
        kinds = ("grpc", "membership", "metrics", *(("http",) if self.service.endswith("frontend") else ()))
        return tuple(f"{self.name}/{kind}" for kind in kinds)


MEMBERS = tuple(
    Member(service, number)
    for service, often in (("history", 2), ("matching", 2), ("frontend", 2), ("internal-frontend", 1), ("worker", 1))
    for number in range(1, often + 1)
)


def members_of(
    compose: Compose, server: Path, *, folder: Path, database: LocalPostgres, ports: Mapping[str, int], jwks: str
) -> Iterator[Child]:
    """The processes as the supervisor runs them, by the environment of the file's service. `jwks`: where the public keys are."""
    dynamic = Path(compose.file).parent / "deploy" / "dynamic-config.yaml"
    instead = {
        "POSTGRES_SEEDS": LOOPBACK,
        "DB_PORT": str(database.port),
        "BIND_ON_IP": LOOPBACK,
        "DYNAMIC_CONFIG_FILE_PATH": str(dynamic),
        "TEMPORAL_JWT_KEY_SOURCE1": jwks,
    }
    for member in MEMBERS:
        own = {
            "TEMPORAL_SERVICES": member.service,
            "PROMETHEUS_ENDPOINT": f"{LOOPBACK}:{ports[f'{member.name}/metrics']}",
        }
        known_as = member.service.replace("-", "_").upper()
        listens = {
            f"{known_as}_{kind.upper()}_PORT": str(ports[name])
            for name in member.ports
            if (kind := name.rpartition("/")[2]) != "metrics"
        }
        environment = compose.environment(SERVICE, instead | own)
        child = Child(
            name=member.name,
            argv=(str(server), "start"),
            environment={**environment, **listens, "POSTGRES_PWD": database.passwords[database.role]},
            folder=folder,
            ready=accepts_connections(f"http://{LOOPBACK}:{ports[f'{member.name}/membership']}"),
            after=("temporal-schema", "temporal-jwks"),
            ready_within_seconds=90,
        )
        yield child if member.name == ALONE else replace(child, after=(*child.after, ALONE))
