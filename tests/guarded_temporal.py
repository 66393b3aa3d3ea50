"""A Temporal that asks for tokens: the real server, alone and in memory, where `make cluster` has built one or one is named."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import yaml
from cryptography.hazmat.primitives.asymmetric import ec
from google.protobuf.duration_pb2 import Duration
from jwt.algorithms import ECAlgorithm
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from local.cluster.binaries import KEPT, NAMED_BY, SERVER
from local.town.ports import LOOPBACK, hold_ports
from tests.waiting import eventually

NAMESPACE = "guarded"
ROLES = ("frontend", "internal-frontend", "history", "matching")
KEY = ec.generate_private_key(ec.SECP256R1())


def token(*permissions: str, lasts: timedelta = timedelta(days=366), key: ec.EllipticCurvePrivateKey = KEY) -> str:
    """A token as deploy/make_secrets.py makes them."""
    claims = {"sub": "jiceng-worker", "permissions": list(permissions), "exp": datetime.now(UTC) + lasts}
    return jwt.encode(claims, key, algorithm="ES256", headers={"kid": "temporal-1"})


def server_program() -> Path | None:
    """Where there is one; nothing is built for a test."""
    named = os.environ.get(NAMED_BY[SERVER]) or shutil.which(SERVER)
    built = KEPT / SERVER
    return Path(named) if named else built if built.exists() else None


@dataclass(frozen=True)
class Guarded:
    """Where it listens, and the file of the keys that it believes, which it reads every second. Its namespace is `NAMESPACE`."""

    address: str
    keys: Path

    def believe(self, key: ec.EllipticCurvePrivateKey) -> None:
        """Believe this key, and no other."""
        public = json.loads(ECAlgorithm.to_jwk(key.public_key()))
        public |= {"kid": "temporal-1", "use": "sig", "alg": "ES256"}
        self.keys.write_text(json.dumps({"keys": [public]}), encoding="utf-8")


@asynccontextmanager
async def guarded_temporal(program: Path, folder: Path) -> AsyncIterator[Guarded]:
    """Run it while the block runs."""
    names = [f"{role}/{kind}" for role in ROLES for kind in ("grpc", "membership", "http")]
    with hold_ports(names, None, {}) as ports:
        guarded = Guarded(f"{LOOPBACK}:{ports['frontend/grpc']}", folder / "jwks.json")
        guarded.believe(KEY)
        config = folder / "temporal.yaml"
        config.write_text(yaml.safe_dump(_config(ports.__getitem__, guarded.keys)), encoding="utf-8")
        started = [word for role in ROLES for word in ("--service", role)]
        log = (folder / "temporal.log").open("wb")
        process = await asyncio.create_subprocess_exec(
            *(str(program), "--config-file", str(config), "start", *started), stdout=log, stderr=log
        )
        try:
            await _prepared(guarded.address)
            yield guarded
        finally:
            process.kill()
            await process.wait()
            log.close()


async def _prepared(address: str) -> None:
    admin = {"authorization": f"Bearer {token('temporal-system:admin')}"}

    async def made() -> bool:
        try:
            client = await Client.connect(address, rpc_metadata=admin)
            retention = Duration(seconds=86_400)
            request = RegisterNamespaceRequest(namespace=NAMESPACE, workflow_execution_retention_period=retention)
            await client.workflow_service.register_namespace(request)
        except (RPCError, RuntimeError):
            return False
        return True

    async def known() -> bool:
        client = await Client.connect(address, rpc_metadata=admin)
        try:
            await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=NAMESPACE))
        except RPCError:
            return False
        return True

    await eventually(made, within=60)
    await eventually(known)


def _config(port: Callable[[str], int], jwks: Path) -> dict[str, Any]:
    store = {
        "sql": {
            "pluginName": "sqlite",
            "databaseName": "default",
            "connectAddr": "localhost",
            "connectProtocol": "tcp",
            "connectAttributes": {"mode": "memory", "cache": "private"},
            "maxConns": 1,
            "maxIdleConns": 1,
        }
    }
    services = {
        role: {
            "rpc": {
                "grpcPort": port(f"{role}/grpc"),
                "membershipPort": port(f"{role}/membership"),
                "bindOnLocalHost": True,
                **({"httpPort": port(f"{role}/http")} if role.endswith("frontend") else {}),
            }
        }
        for role in ROLES
    }
    here = {"enabled": True, "initialFailoverVersion": 1, "rpcName": "frontend", "rpcAddress": f"{LOOPBACK}:1"}
    return {
        "log": {"stdout": True, "level": "warn"},
        "persistence": {
            "defaultStore": "default",
            "visibilityStore": "visibility",
            "numHistoryShards": 1,
            "datastores": {"default": store, "visibility": store},
        },
        "global": {
            "membership": {"maxJoinDuration": "30s", "broadcastAddress": LOOPBACK},
            "authorization": {
                "jwtKeyProvider": {"keySourceURIs": [jwks.as_uri()], "refreshInterval": "1s"},
                "permissionsClaimName": "permissions",
                "authorizer": "default",
                "claimMapper": "default",
            },
        },
        "services": services,
        "clusterMetadata": {
            "enableGlobalNamespace": False,
            "failoverVersionIncrement": 10,
            "masterClusterName": "active",
            "currentClusterName": "active",
            "clusterInformation": {"active": here},
        },
        "dcRedirectionPolicy": {"policy": "noop"},
    }
