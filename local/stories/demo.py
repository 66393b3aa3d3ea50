"""`jiceng demo`: brings up a town, plays the stories, verifies and replays every case, and says where to look."""

import asyncio
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import httpx
from temporalio.client import Client

from audit.archive.records import SQL
from audit.replay.replay import replay_cases
from audit.verify.verify import verify_cases
from engine.execution.temporal import connect
from engine.keys.keys import Keys
from engine.policies.bank_policy import load_bank
from engine.policies.department_policy import load_departments
from engine.runtime.settings import Settings
from engine.runtime.town_clock import read_town_time
from engine.store.database import open_pool
from local.simulation.simulation import tokens
from local.stories.demo_screen import DemoScreen, screen_for
from local.stories.playing import Audit, Entrance, EntranceOf, Performance, PlayedTown, judge_all, play
from local.stories.stories import named
from local.stories.story import OwnClock, Story
from local.town.data_folder import DataFolder
from local.town.town import Town, TownOptions, open_town
from schemas.clocks.town_time import TownTime
from schemas.contracts.department import Gateway
from schemas.kernel.findings import Finding
from starter.app import create_app
from starter.client import REQUEST_TIMEOUT_SECONDS, http_client

DEMO_SPEED = 2000.0
"""Town seconds per real second. Faster, and an emergency's half hour is shorter than a busy machine's hesitation;
slower, and the silent department, which needs 25 hours, takes more than a minute. Measured: docs/demo.md."""

OPENING = timedelta(seconds=2)
"""How long it takes to open an entrance with a clock of its own; the clock begins when it is open."""


@dataclass(frozen=True)
class DemoOptions:
    """What was asked for. `data` None: a temporary folder, gone afterwards. `only`: names of stories, by commas."""

    data: Path | None = None
    once: bool = False
    only: str | None = None
    json: bool = False
    speed: float | None = None


async def run_demo(options: DemoOptions) -> int:
    """Play the stories. The exit code is 0 only if every one of them went as told; without `once` it comes at Ctrl-C.

    A second Ctrl-C stops the town without grace. Raises ValueError for a story that does not exist, and what
    `open_town` raises.
    """
    stories = named(options.only)
    screen = screen_for(as_json=options.json)
    stop, hurry = asyncio.Event(), asyncio.Event()
    with ExitStack() as stack, _signals(stop, hurry):
        folder = options.data or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jiceng-demo-")))
        screen.preparing(folder)
        return await _perform(folder, stories, screen, options, stop=stop, hurry=hurry)
    raise AssertionError("the block above returns")


async def _perform(
    folder: Path,
    stories: Sequence[Story],
    screen: DemoScreen,
    options: DemoOptions,
    *,
    stop: asyncio.Event,
    hurry: asyncio.Event,
) -> int:
    founded = DataFolder(folder).clock() is not None
    speed = options.speed or (None if founded else DEMO_SPEED)
    async with open_town(TownOptions(data=folder, speed=speed, demo=True, durable=False), hurry) as town:
        watching = asyncio.create_task(town.supervisor.watch())
        stopping = asyncio.create_task(stop.wait())
        playing = asyncio.create_task(_play(town, stories, screen))
        try:
            await asyncio.wait([watching, stopping, playing], return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                watching.result()  # the town cannot go on: the error says why
            if not playing.done():
                return 1
            performances = playing.result()
            screen.verdicts(performances)
            if not options.once:
                screen.staying(performances, town.addresses)
                await asyncio.wait([watching, stopping], return_when=asyncio.FIRST_COMPLETED)
            return 0 if all(each.ok for each in performances) else 1
        finally:
            for task in (watching, stopping, playing):
                task.cancel()
            await asyncio.gather(watching, stopping, playing, return_exceptions=True)


@contextmanager
def _signals(stop: asyncio.Event, hurry: asyncio.Event) -> Iterator[None]:
    """The first SIGINT or SIGTERM sets `stop`, the next `hurry`."""

    def on_signal() -> None:
        (hurry if stop.is_set() else stop).set()

    loop = asyncio.get_running_loop()
    caught = (signal.SIGINT, signal.SIGTERM)
    for number in caught:
        loop.add_signal_handler(number, on_signal)
    try:
        yield
    finally:
        for number in caught:
            loop.remove_signal_handler(number)


async def _play(town: Town, stories: Sequence[Story], screen: DemoScreen) -> list[Performance]:
    async with stage_of(town) as (played_town, audit):
        with screen.live(stories):
            performances = await play(stories, played_town, screen)
        screen.auditing()
        await judge_all(performances, played_town, audit)
        # Half an hour of the town is a second here: a machine that was busy elsewhere for that second is no fault of
        # the town's. Whoever was late, and nothing else, plays once more with the machine to themselves.
        for number, performance in enumerate(performances):
            if performance.merely_late:
                screen.again(performance)
                [performances[number]] = await play([performance.story], played_town, screen)
                await judge_all(performances[number : number + 1], played_town, audit)
    return performances


@asynccontextmanager
async def stage_of(town: Town) -> AsyncIterator[tuple[PlayedTown, Audit]]:
    """What is needed to play in a town that runs, and to audit it afterwards."""
    settings = town.settings
    keys = Keys.of(settings)
    client = await connect(settings, keys)
    register = load_departments(settings.policies / "departments.yaml", settings.departments_url)
    async with await open_pool(settings, process="jiceng demo") as pool, http_client() as http:

        async def audit(case_ids: Sequence[str]) -> AsyncIterator[Finding]:
            async for finding in verify_cases(pool, case_ids, keys.stamp_ring):
                yield finding
            for row in await pool.fetch(
                SQL.ended_among, list(case_ids)
            ):  # the ledger knows of the end a moment before the history does
                await client.get_workflow_handle(row["case_id"]).result()
            async for finding in replay_cases(client, keys, settings, pool, case_ids):
                yield finding

        yield (
            PlayedTown(
                entrance=Entrance(settings.api_url, http, read_town_time(settings)),
                entrance_of=_entrance_of(settings, keys, pool, client),
                departments_url=str(settings.departments_url),
                bank_url=load_bank(settings.policies / "banks.yaml", settings.bank_url).url or "",
                departments=[each.code for each in register.departments if each.gateway is Gateway.HTTP],
                token_for=tokens(settings, keys),
                pid_of=town.supervisor.pid_of,
                http=http,
            ),
            audit,
        )


def _entrance_of(settings: Settings, keys: Keys, pool: asyncpg.Pool, client: Client) -> EntranceOf:
    """The same API once more inside this process, but its cases live by a story's own clock."""

    async def connected() -> Client:
        return client

    @asynccontextmanager
    async def opened(clock: OwnClock) -> AsyncIterator[Entrance]:
        begins = datetime.now(UTC) + OPENING
        time = TownTime.starting(clock.begins, begins, clock.speed)
        app = create_app(settings, keys, pool, connected, town_time=time)
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, timeout=REQUEST_TIMEOUT_SECONDS) as http,
        ):
            await asyncio.sleep(time.real_delay(datetime.now(UTC), clock.begins).total_seconds())
            yield Entrance("http://own-clock", http, time)

    return opened
