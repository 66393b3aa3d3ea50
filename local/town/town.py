"""`jiceng up`: a whole town on one machine, in one process tree.

    temporal -> namespace ------------------.
    postgres -> database -> migrations -----+-> worker, api, departments, sources, bank, ballot-box, call-gateway -> people
    fork-server -> keys --------------------'

Our own processes are listed in `local/town/town_processes.py`; what runs all of them is `local/town/supervisor.py`.
"""

import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from pathlib import Path

from pydantic import SecretStr

from engine.runtime.local_names import CODEC_PATH, THIS_MACHINE
from engine.runtime.operator_error import OperatorError
from engine.runtime.settings import Settings
from engine.runtime.unfinished_restore import require_restored
from engine.store.migrations import migrate
from local.town.child import Child, Step
from local.town.data_folder import DataFolder, TownRecord, birth
from local.town.fork_server import FOUND, FOUNDING
from local.town.forked_process import NAME, ForkServer
from local.town.memory import ChildMemory
from local.town.ports import LOOPBACK, hold_ports
from local.town.postgres import open_postgres
from local.town.supervisor import Supervisor
from local.town.temporal_server import LocalTemporal
from local.town.town_processes import PROCESSES, TownProcess, children_of, fork_server_of
from schemas.clocks.town_time import REAL_SPEED_MILLI
from schemas.values.model import Model
from schemas.values.search_attributes import SEARCH_ATTRIBUTES

# In the order of --port-base N: the API on N, Temporal on N+1, and so on. New names go to the end.
PORTS = ("api", "temporal", "temporal_ui", "postgres", "departments", "temporal_http", "temporal_metrics", "sources",
         "bank", "ballot_box", "call_gateway")  # fmt: skip


@dataclass(frozen=True)
class TownOptions:
    """What `jiceng up` was asked for. `speed` None: as founded, or 1. Not `durable`: faster; a power cut loses data.

    `simulated`: with `demo`, those whose systems the town has the addresses of; the work of the others belongs to the desks.
    """

    data: Path
    port_base: int | None = None
    speed: float | None = None
    demo: bool = False
    simulated: Sequence[str] = ("departments", "sources", "bank", "ballot_box", "call_gateway")
    database_url: SecretStr | None = None
    durable: bool = True
    processes: Sequence[TownProcess] = PROCESSES
    search_attributes: Mapping[str, str] = field(default_factory=lambda: dict(SEARCH_ATTRIBUTES))


class TownAddresses(Model):
    """Where the town can be reached: what `jiceng up --json` prints. `postgres` holds the password."""

    api: str
    temporal: str
    temporal_ui: str
    postgres: str
    data: str


@dataclass(frozen=True)
class Town:
    """A town that runs."""

    addresses: TownAddresses
    settings: Settings
    supervisor: Supervisor


async def run_town(options: TownOptions, announce: Callable[[TownAddresses], None]) -> int:
    """Run a town until SIGTERM, SIGINT or SIGHUP; then exit code 0. A second signal stops it without grace.

    Raises:
        TownHeld, FoundedOtherwise, PortTaken, NobodyCanRunPostgres, PostgresUnusable, TemporalUnusable, ChildFailed,
        MigrationFailed: the town could not start; the message says what to do.
    """
    hurry = asyncio.Event()
    life = asyncio.create_task(_live(options, announce, hurry))
    signals = 0

    def stop() -> None:
        nonlocal signals
        signals += 1
        # Cancelling twice would cut off the stopping itself, and leave children behind.
        if signals == 1:
            life.cancel()
        else:
            hurry.set()

    loop = asyncio.get_running_loop()
    caught = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    for number in caught:
        loop.add_signal_handler(number, stop)
    try:
        with suppress(asyncio.CancelledError):
            await life
    finally:
        for number in caught:
            loop.remove_signal_handler(number)
    return 0


async def _live(options: TownOptions, announce: Callable[[TownAddresses], None], hurry: asyncio.Event) -> None:
    async with open_town(options, hurry) as town:
        announce(town.addresses)
        await town.supervisor.watch()


@asynccontextmanager
async def open_town(options: TownOptions, hurry: asyncio.Event | None = None) -> AsyncIterator[Town]:
    """A town that is ready; it is stopped at the end of the block. For programs that need a town inside themselves.

    Whoever holds it awaits `town.supervisor.watch()` beside their own work: it raises when the town cannot go on.
    """
    folder = DataFolder(options.data)
    with ExitStack() as held:
        held.enter_context(folder.hold())
        require_restored(folder.path)
        folder.remove_record()
        await asyncio.to_thread(ChildMemory(folder.path / "children.json").clear)
        unused = {"postgres"} if options.database_url else set()
        ports = held.enter_context(hold_ports(PORTS, options.port_base, folder.remembered_ports(), unused))
        folder.remember_ports({**folder.remembered_ports(), **ports})
        temporal = _temporal(options, folder.path, ports)
        database_url, database = await _database(options, folder.path, ports)
        settings = _settings(options, folder, ports, database_url)
        namespace = Step("namespace", temporal.prepare_namespace, after=("temporal",))
        processes = [process for process in options.processes if options.demo or not process.demo]
        fork_server = fork_server_of(processes, settings)
        keys = Step("keys", partial(_found, settings, fork_server), after=(NAME,) if fork_server else ())
        ours = children_of(processes, settings, ("namespace", "migrations", "keys"), fork_server)
        beside = [fork_server.child()] if fork_server else []
        supervisor = Supervisor(
            folder.path, [*beside, temporal.child(), namespace, *database, keys, *ours], hurry=hurry
        )
        addresses = TownAddresses(
            api=settings.api_url,
            temporal=settings.temporal_address,
            temporal_ui=f"http://{LOOPBACK}:{ports['temporal_ui']}",
            postgres=database_url.get_secret_value(),
            data=str(folder.path),
        )
        try:
            await supervisor.start()
            folder.write_record(_record(addresses, settings))
            yield Town(addresses, settings, supervisor)
        finally:
            folder.remove_record()
            await supervisor.stop()


def _temporal(options: TownOptions, folder: Path, ports: Mapping[str, int]) -> LocalTemporal:
    return LocalTemporal(
        folder=folder,
        port=ports["temporal"],
        ui_port=ports["temporal_ui"],
        http_port=ports["temporal_http"],
        metrics_port=ports["temporal_metrics"],
        durable=options.durable,
        namespace=Settings().temporal_namespace,
        search_attributes=options.search_attributes,
        codec_endpoint=f"http://{LOOPBACK}:{ports['api']}{CODEC_PATH}",
    )


async def _database(
    options: TownOptions, folder: Path, ports: Mapping[str, int]
) -> tuple[SecretStr, list[Child | Step]]:
    """The database's address, and the parts that make it ready: our own server, or the one that was given."""
    if options.database_url is not None:
        return options.database_url, [Step("migrations", partial(migrate, options.database_url))]
    postgres = await open_postgres(folder / "postgres", ports["postgres"], durable=options.durable)
    return postgres.url, [
        postgres.child(),
        Step("database", postgres.create_database, after=("postgres",)),
        Step("migrations", partial(migrate, postgres.url), after=("database",)),
    ]


def _settings(options: TownOptions, folder: DataFolder, ports: Mapping[str, int], database_url: SecretStr) -> Settings:
    """What every process of this town must know; what is not said here comes from the caller's JICENG_* variables."""
    clock = folder.found(options.speed)
    settings = Settings(
        data=folder.path,
        temporal_address=f"{LOOPBACK}:{ports['temporal']}",
        database_url=database_url,
        api_host=LOOPBACK,
        api_port=ports["api"],
        hosts=Settings().hosts or THIS_MACHINE,  # a tunnel may have a name of its own
        api_url=f"http://{LOOPBACK}:{ports['api']}",
        speed=clock.speed_milli / REAL_SPEED_MILLI,
        codec_origin=f"http://{LOOPBACK}:{ports['temporal_ui']}",
        local_issuer=Settings().token_jwks is None,
        demo_sign_in=options.demo,
        requests_per_token=0,  # on one machine everybody comes from one address, and stories are in a hurry
        requests_per_address=0,
        connections_per_address=0,
    )
    # Without simulated counterparts nobody would answer there, and their work belongs to the desks.
    simulated = options.simulated if options.demo else ()
    return settings.model_copy(update={f"{name}_url": f"http://{LOOPBACK}:{ports[name]}" for name in simulated})


async def _found(settings: Settings, fork_server: ForkServer | None) -> None:
    """The keys of the town (local/town/founding.py). Raises OperatorError: what a person has to mend."""
    if fork_server is None:
        founding = await asyncio.to_thread(import_module, FOUNDING)
        await asyncio.to_thread(founding.found_keys, settings)
        return
    with tempfile.TemporaryFile() as said:
        process = await fork_server.fork((FOUND,), said.fileno())
        if await process.wait() != 0:
            said.seek(0)
            raise OperatorError(said.read().decode(errors="replace").strip())


def _record(addresses: TownAddresses, settings: Settings) -> TownRecord:
    return TownRecord(
        **addresses.model_dump(),
        pid=os.getpid(),
        born=birth(os.getpid()) or 0.0,
        since=datetime.now(UTC),
        departments=settings.departments_url,
        sources=settings.sources_url,
        bank=settings.bank_url,
        ballot_box=settings.ballot_box_url,
        call_gateway=settings.call_gateway_url,
        temporal_namespace=settings.temporal_namespace,
    )
