"""What the supervisor runs, as data: children (processes that stay) and steps (work to be done once, in its turn)."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

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


class Running(Protocol):
    """A process of ours that lives, or has ended: then `returncode` is its exit code, or minus the signal that ended it."""

    @property
    def pid(self) -> int: ...  # noqa: D102 - as the system knows it

    @property
    def returncode(self) -> int | None: ...  # noqa: D102 - None as long as it lives

    def send_signal(self, number: int, /) -> None: ...  # noqa: D102 - raises ProcessLookupError when it has ended

    def kill(self) -> None: ...  # noqa: D102 - the same

    async def wait(self) -> int: ...  # noqa: D102 - until it has ended


async def begin_program(child: "Child", output: int | None, entry: int = asyncio.subprocess.DEVNULL) -> Running:
    """Start a child's program in a session of its own; it writes to `output`, or where we write, and reads from `entry`."""
    return await asyncio.create_subprocess_exec(
        *child.identity.command(None, child.argv),
        env=dict(child.environment),
        cwd=child.folder,
        stdin=entry,
        stdout=output,
        stderr=output,
        # Ctrl-C in the terminal is for the town, which stops its children in order.
        start_new_session=True,
    )


@dataclass(frozen=True)
class Child:
    """A process that stays for as long as the town, started again when it dies.

    `after` names the parts that must be ready first. `prepare` runs before every start, and `begin` starts it. `grace_seconds` is
    the time from the stop signal to the kill. A child not ready within `ready_within_seconds` is stopped and started anew.
    """

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    folder: Path
    ready: Probe = is_started
    after: tuple[str, ...] = ()
    prepare: Callable[[], Awaitable[None]] = nothing_to_prepare
    begin: "Callable[[Child, int | None], Awaitable[Running]]" = begin_program
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
