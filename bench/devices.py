"""What devices say, in any order and three times each, while the worker dies: is each event taken once, and what does it cost?

    python -m bench.devices [--files 20] [--events 10] [--kills 1] [--at-once 8]

Each file has a wristband. Its events lie eleven minutes of the town apart, which are two alarms and not one; the platform was down
for as long, and sends them all at once, mixed. The ratio is what an event costs that the town has had before, against a new one.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import asyncpg
import httpx
from rich.console import Console

from bench.ballot import percentile
from bench.contender import cpu_seconds
from bench.processes import pids_of
from bench.waiting import until
from engine.keys.counterpart_keys import Counterpart, load_counterpart_keys
from engine.keys.keys import Keys
from engine.runtime.town_clock import read_town_time
from engine.store.database import open_pool
from local.care_walks import PEOPLE, WALKS
from local.simulation.simulation import token_source, tokens
from local.town.town import Town, TownOptions, open_town
from local.town.town_processes import PROCESSES
from schemas.care import CARE
from schemas.contracts.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from starter.client import TownClient

RUN = ("worker", "api")
SERVING = ("temporal", "postgres", "worker", "api")
SPEED = 600.0
PLATFORM = "wristband"
APART = timedelta(minutes=11)
TIMES = 3
SEED = 20261130
OPENING_AT_ONCE = 8
SETTLE_SECONDS = 60.0
WAITED_SECONDS = 300.0
HEARD = ("care:alarm:raised", "care:alarm:further", "care:device:said")
"""Where an event stands in the ledger: an alarm, one more word of an alarm that stands, or a word that raises none."""


class Event(NamedTuple):
    """What a device says."""

    number: str
    device: str
    at: datetime


@dataclass
class Course:
    """How it went: seconds an answer took, by whether it was the first one of its event; how often it had to come again."""

    first: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)
    asked_again: Counter[int] = field(default_factory=Counter)


@dataclass(frozen=True)
class Desk:
    """The platform, the town that it posts to, and its books."""

    town: Town
    http: httpx.AsyncClient
    pool: asyncpg.Pool
    key: bytes

    async def says(self, event: Event, course: Course) -> int:
        """Send an event until the town has taken it; the answer's status. Raises HTTPStatusError: it is refused."""
        body = json.dumps(
            {"event_id": event.number, "device": event.device, "kind": "sos", "at": event.at.isoformat()}
        ).encode()
        while True:
            timestamp = str(int(time.time()))
            signed = {
                "Content-Type": "application/json",
                TIMESTAMP_HEADER: timestamp,
                SIGNATURE_HEADER: sign(self.key, timestamp, body),
            }
            answer = await self.http.post(f"/api/v1/devices/{PLATFORM}/events", content=body, headers=signed)
            if answer.status_code not in {429, 503}:
                return answer.raise_for_status().status_code
            course.asked_again[answer.status_code] += 1
            await asyncio.sleep(min(2.0, float(answer.headers.get("Retry-After", "1"))))

    async def heard(self) -> Counter[str]:
        """How often each event stands in the ledger."""
        rows = await self.pool.fetch(
            "select body::jsonb -> 'facts' ->> 'event' as event from ledger where kind = any($1)", list(HEARD)
        )
        return Counter(row["event"] for row in rows)

    async def told(self, kind: str) -> int:
        """How many entries of a kind there are."""
        return int(await self.pool.fetchval("select count(*) from ledger where kind = $1", kind))


@asynccontextmanager
async def open_desk(folder: Path) -> AsyncIterator[Desk]:
    """A town in an empty folder, without anybody who acts by himself."""
    processes = [each for each in PROCESSES if each.name in RUN]
    async with AsyncExitStack() as stack:
        town = await stack.enter_async_context(open_town(TownOptions(data=folder, processes=processes, speed=SPEED)))
        pool = await stack.enter_async_context(await open_pool(town.settings, process="bench"))
        http = await stack.enter_async_context(
            httpx.AsyncClient(base_url=town.settings.api_url, trust_env=False, timeout=30)
        )
        keys = load_counterpart_keys(town.settings.key_folder, [PLATFORM], Counterpart.PLATFORM)
        watching = asyncio.create_task(town.supervisor.watch())
        try:
            yield Desk(town, http, pool, keys.signing(PLATFORM))
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


async def wearers(desk: Desk, files: int) -> list[str]:
    """So many files, each with a device that is ready; the devices."""
    settings = desk.town.settings
    token_for = tokens(settings, Keys.load(settings.key_folder))
    turns = asyncio.Semaphore(OPENING_AT_ONCE)

    def client(who: str) -> TownClient:
        return TownClient(settings.api_url, token_source(token_for, PEOPLE[who]), desk.http, None)

    async def wears(number: int) -> str:
        async with turns:
            device = f"B-{number:04}"
            opening = {**WALKS.opening, "person": f"测试{number}"}
            case_id = (await client(WALKS.starter).start(CARE, opening, str(uuid.uuid4()))).case.case_id
            worker = client("grid_worker")
            for command, body in (
                ("record_consent", WALKS.bodies["record_consent"]),
                ("bind_device", {"platform": PLATFORM, "device": device}),
            ):
                await worker.command(case_id, command, body, str(uuid.uuid4()), SETTLE_SECONDS)
            return device

    devices = await asyncio.gather(*(wears(number) for number in range(1, files + 1)))

    async def all_ready() -> bool:
        return await desk.told("care:device:ready") >= files

    await until(all_ready, WAITED_SECONDS)
    return list(devices)


def events_of(devices: Sequence[str], each: int, last: datetime) -> list[Event]:
    """So many of each device, the latest at `last`."""
    return [
        Event(f"{device}-{number}", device, last - APART * (each - number))
        for device in devices
        for number in range(1, each + 1)
    ]


async def send(desk: Desk, mixed: Sequence[Event], at_once: int, course: Course) -> None:
    """Send all, so many at once."""
    turns, known = asyncio.Semaphore(at_once), set[str]()

    async def one(event: Event) -> None:
        async with turns:
            times = course.again if event.number in known else course.first
            known.add(event.number)
            began = time.perf_counter()
            await desk.says(event, course)
            times.append(time.perf_counter() - began)

    await asyncio.gather(*(one(event) for event in mixed))


async def kill_worker(desk: Desk, times: int, apart_seconds: float) -> None:
    """Kill -9, so often."""
    for _ in range(times):
        await asyncio.sleep(apart_seconds)
        pid = desk.town.supervisor.pid_of("worker")
        if pid is not None:
            os.kill(pid, signal.SIGKILL)


async def run(files: int, each: int, kills: int, at_once: int) -> list[str]:
    """Do it in a town of its own and print it; what did not come out right."""
    with tempfile.TemporaryDirectory(prefix="jiceng-devices-") as folder:
        async with open_desk(Path(folder) / "town") as desk:
            devices = await wearers(desk, files)
            bound, clock = datetime.now(UTC), read_town_time(desk.town.settings)
            await asyncio.sleep(clock.real_delay(bound, clock.to_town(bound) + APART * (each + 1)).total_seconds())
            events = events_of(devices, each, clock.to_town(datetime.now(UTC)))
            mixed = [event for event in events for _ in range(TIMES)]
            random.Random(SEED).shuffle(mixed)  # noqa: S311 - an order, and no secret
            course = Course()
            killing = asyncio.create_task(kill_worker(desk, kills, 5.0))
            began = time.perf_counter()
            await send(desk, mixed, at_once, course)
            seconds = time.perf_counter() - began
            await killing
            faults = await _amiss(desk, events)
            costs = await _costs(desk, events, at_once)
            report(events, course, seconds, costs, faults, await desk.told("care:alarm:raised"))
            return faults


async def _amiss(desk: Desk, events: Sequence[Event]) -> list[str]:
    """Events that do not stand in the ledger once, and alarms that are not cases, or more than one."""
    wanted = Counter(event.number for event in events)

    async def all_heard() -> bool:
        return (await desk.heard()).total() >= wanted.total()

    with suppress(TimeoutError):  # what is missing then is named below
        await until(all_heard, WAITED_SECONDS)
    heard, raised = await desk.heard(), await desk.told("care:alarm:raised")

    faults = [f"{number} was sent, and stands nowhere" for number in wanted - heard]
    faults += [f"{number} stands {heard[number]} times" for number in heard - wanted]

    async def cases() -> int:
        return int(await desk.pool.fetchval("select count(*) from cases where procedure = 'alarm'"))

    async def all_stand() -> bool:
        return await cases() >= raised

    with suppress(TimeoutError):
        await until(all_stand, WAITED_SECONDS)
    if (found := await cases()) != raised:
        faults.append(f"{raised} alarms were raised, and {found} are cases")
    return faults


async def _costs(desk: Desk, events: Sequence[Event], at_once: int) -> Mapping[str, float]:
    """CPU in milliseconds an event: of new ones, and of those same ones once more."""

    async def all_run() -> Mapping[str, int] | None:
        running = pids_of(desk.town, *SERVING)
        return running if len(running) == len(SERVING) else None

    serving = await until(all_run, WAITED_SECONDS)
    later = [
        event._replace(number=f"{event.number}-new", at=event.at + timedelta(seconds=30)) for event in events[:400]
    ]
    found = {}
    for name in ("new", "again"):
        before = sum(cpu_seconds(serving).values())
        await send(desk, later, at_once, Course())
        found[name] = (sum(cpu_seconds(serving).values()) - before) * 1000 / len(later)
    return found


def report(  # noqa: PLR0917 - what there is to say
    events: Sequence[Event],
    course: Course,
    seconds: float,
    costs: Mapping[str, float],
    faults: Sequence[str],
    raised: int,
) -> None:
    """For people."""
    console = Console(width=150)
    sent = len(course.first) + len(course.again)
    console.print(
        f"{len(events)} events, {sent} times sent in {seconds:.0f} s: {sent / seconds:.0f} a second; {raised} alarms"
    )
    for name, took in (("the first time", course.first), ("once more", course.again)):
        console.print(
            f"{name}: p50 {percentile(took, 0.5):.0f} ms, p95 {percentile(took, 0.95):.0f}, longest {max(took):.1f} s"
        )
    console.print(f"had to come again: {dict(course.asked_again)}")
    console.print(
        f"CPU ms: new {costs['new']:.1f}, once more {costs['again']:.1f}; ratio {costs['again'] / costs['new']:.2f}"
    )
    for fault in faults[:20]:
        console.print(f"[red]{fault}[/red]")
    console.print("each event stands once" if not faults else f"{len(faults)} faults")


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=20)
    parser.add_argument("--events", type=int, default=10, help="of each device")
    parser.add_argument("--kills", type=int, default=1)
    parser.add_argument("--at-once", type=int, default=8)
    given = parser.parse_args()
    sys.exit(1 if asyncio.run(run(given.files, given.events, given.kills, given.at_once)) else 0)


if __name__ == "__main__":
    main()
