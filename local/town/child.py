"""What the supervisor runs, as data: children (processes that stay) and steps (work to be done once, in its turn)."""

import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from local.town.identity import OURSELVES, Identity


@dataclass(frozen=True)
class Started:
    """One life of a child: its process id and when it began (real time, UTC)."""

    pid: int
    at: datetime


Probe = Callable[[Started], Awaitable[bool]]
"""Asks whether this life of a child is ready. Called again and again; it says no as long as nothing answers."""


async def is_started(_: Started) -> bool:
    """The probe of a child that nothing can be asked of: it is ready when it runs."""
    return True


async def nothing_to_prepare() -> None:
    """What most children need before a start."""


@dataclass(frozen=True)
class Child:
    """A process that stays for as long as the town, started again when it dies.

    `after` names the parts that must be ready first. `prepare` runs before every start. `grace_seconds` is the time
    from the stop signal to the kill. A child not ready within `ready_within_seconds` is stopped and started anew.
    """

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    folder: Path
    ready: Probe = is_started
    after: tuple[str, ...] = ()
    prepare: Callable[[], Awaitable[None]] = nothing_to_prepare
    identity: Identity = OURSELVES
    stop_signal: signal.Signals = signal.SIGTERM
    grace_seconds: float = 15.0
    ready_within_seconds: float = 60.0


@dataclass(frozen=True)
class Step:
    """Work done once between the starts of children, such as migrations. A failure ends the start."""

    name: str
    run: Callable[[], Awaitable[None]]
    after: tuple[str, ...] = ()
