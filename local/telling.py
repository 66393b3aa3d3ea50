"""How a command of the terminal runs: its log to stderr, and what a person can mend as a sentence, not as frames."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

import typer
from rich.console import Console
from rich.markup import escape

from engine.calendars import CalendarFaultsError
from engine.counterpart_keys import CounterpartKeyFaults
from engine.key_files import KeyFault
from engine.logging import configure_logging
from engine.migrations import MigrationFailed
from engine.policies import PolicyFaults
from engine.registers import RegisterFaults
from engine.town_clock import TownClockFault
from local.csv_records import UnreadableFile
from local.data_folder import FoundedOtherwise, TownHeld
from local.found import NoTown
from local.identity import NobodyCanRunPostgres
from local.keeper import ChildFailed
from local.ports import PortTaken
from local.postgres import PostgresUnusable
from local.temporal_server import TemporalUnusable

T = TypeVar("T")

TOLD = (
    NoTown,
    TownHeld,
    FoundedOtherwise,
    PortTaken,
    NobodyCanRunPostgres,
    PostgresUnusable,
    TemporalUnusable,
    ChildFailed,
    MigrationFailed,
    KeyFault,
    RegisterFaults,
    CounterpartKeyFaults,
    PolicyFaults,
    CalendarFaultsError,
    TownClockFault,
    UnreadableFile,
)

errors = Console(stderr=True)


def run_told(task: Coroutine[Any, Any, T], process: str = "cli", level: str = "WARNING") -> T:
    """Run a command; ends it with 1 where a person has something to mend."""
    try:
        with configure_logging(process, level, sys.stderr):
            return asyncio.run(task)
    except TOLD as fault:
        errors.print(f"[red]{escape(str(fault))}[/red]")
        raise typer.Exit(1) from None
