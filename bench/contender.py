"""A contender: something that carries the standard case. And how any of them is driven and measured."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import psutil

from bench.shape import COMMANDS


class Contender(Protocol):
    """Starts cases and gives them commands; every answer means that it stands durably."""

    name: str

    async def start(self, number: int) -> str:
        """Start a case and return its id when it is dispatched."""

    async def command(self, case: str, name: str) -> None:
        """Give one command and return when the case has taken it."""

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


async def drive(contender: Contender, cases: int, at_once: int, pause: float) -> Measured:
    """Carry so many cases from report to rating, `at_once` of them, `pause` seconds between two commands of a case."""
    before = _cpu(contender.processes())
    gate = asyncio.Semaphore(at_once)
    took: list[float] = []
    ids: list[str] = []

    async def one(number: int) -> None:
        async with gate:
            case = await contender.start(number)
            ids.append(case)
            for name in COMMANDS:
                if pause:
                    await asyncio.sleep(pause)
                began = time.perf_counter()
                await contender.command(case, name)
                took.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(one(number) for number in range(cases)))
    seconds = time.perf_counter() - began
    await contender.rest()
    after = _cpu(contender.processes())
    cpu = {name: (after[name] - spent) * 1000 / cases for name, spent in before.items()}
    return Measured(contender.name, cases, seconds, cpu, took, dict(await contender.weigh(ids)))


def _cpu(processes: Mapping[str, int]) -> dict[str, float]:
    """Seconds of CPU by name, children included: Postgres has one for each connection."""
    return {name: _spent(psutil.Process(pid)) for name, pid in processes.items()}


def _spent(process: psutil.Process) -> float:
    total = 0.0
    for each in [process, *process.children(recursive=True)]:
        times = each.cpu_times()
        total += times.user + times.system + times.children_user + times.children_system
    return total
