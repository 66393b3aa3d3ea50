"""A contender: something that carries cases of a shape. And how any of them is driven and measured."""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import psutil
from temporalio.client import Client

from bench.shape import Shape, Step

WAITED_SECONDS = 120
PAUSE_SECONDS = 0.02
"""Before it is asked again whether something has come about that nothing announces."""


class Contender(Protocol):
    """Starts cases and gives them commands; every answer means that it stands durably."""

    name: str

    async def start(self, number: int) -> str:
        """Start a case and return its id when it is dispatched."""

    async def ready(self, case: str, step: Step) -> None:
        """Return when what the step comes after has come about."""

    async def command(self, case: str, step: Step, key: str) -> None:
        """Give one command and return when the case has taken it. `key` is its own: a repeat has the same."""

    async def rest(self) -> None:
        """Return when the contender does nothing more for the cases."""

    async def weigh(self, cases: list[str]) -> Mapping[str, float]:
        """What a case leaves behind: events, bytes of history, rows."""

    def processes(self) -> Mapping[str, int]:
        """The process ids whose time counts, by name."""


@dataclass
class Measured:
    """What a run of one contender came to. Times are real seconds; CPU is milliseconds per case."""

    name: str
    cases: int
    seconds: float
    cpu: dict[str, float]
    commands: list[float] = field(repr=False)
    weight: dict[str, float] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        """Cases in a second."""
        return self.cases / self.seconds

    def percentile(self, part: float) -> float:
        """Milliseconds that so large a part of the commands stayed under."""
        ordered = sorted(self.commands)
        return ordered[min(len(ordered) - 1, int(part * len(ordered)))] * 1000


async def drive(contender: Contender, shape: Shape, numbers: Sequence[int], at_once: int, pause: float) -> Measured:
    """Carry cases with these numbers from start to last command, `at_once` of them, `pause` seconds between two commands.

    No number may have been driven before: a start that is sent again starts nothing, and its commands are repeats.
    """
    before = cpu_seconds(contender.processes())
    gate = asyncio.Semaphore(at_once)
    took: list[float] = []
    ids: list[str] = []

    async def one(number: int) -> None:
        async with gate:
            case = await contender.start(number)
            ids.append(case)
            for place, step in enumerate(shape.steps):
                if pause:
                    await asyncio.sleep(pause)
                async with asyncio.timeout(WAITED_SECONDS):
                    await contender.ready(case, step)
                began = time.perf_counter()
                await contender.command(case, step, f"{case}-{place}")
                took.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(one(number) for number in numbers))
    seconds = time.perf_counter() - began
    await contender.rest()
    after = cpu_seconds(contender.processes())
    cpu = {name: (after[name] - spent) * 1000 / len(numbers) for name, spent in before.items()}
    return Measured(contender.name, len(numbers), seconds, cpu, took, dict(await contender.weigh(ids)))


def with_parts(cases: Iterable[str], shape: Shape) -> list[str]:
    """The ids of cases and of their children."""
    return [each for case in cases for each in (case, *(f"{case}.{part}" for part in shape.parts))]


async def history_of(client: Client, cases: list[str], shape: Shape) -> dict[str, float]:
    """Events and bytes of history per case with its children, over at most a hundred of them."""
    seen = cases[:100]
    ids = with_parts(seen, shape)
    found = await asyncio.gather(*(client.get_workflow_handle(each).describe() for each in ids))
    events = sum(each.history_length for each in found) / len(seen)
    size = sum(each.raw_description.workflow_execution_info.history_size_bytes for each in found) / len(seen)
    return {"events": events, "history_bytes": size}


def cpu_seconds(processes: Mapping[str, int]) -> dict[str, float]:
    """Seconds of CPU by name, children included: Postgres has one for each connection."""
    return {name: _spent(psutil.Process(pid)) for name, pid in processes.items()}


def _spent(process: psutil.Process) -> float:
    total = 0.0
    for each in [process, *process.children(recursive=True)]:
        times = each.cpu_times()
        total += times.user + times.system + times.children_user + times.children_system
    return total
