"""How a command of the terminal runs: its log to stderr, and what a person can mend as a sentence, not as frames."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import structlog
import typer
from rich.console import Console
from rich.markup import escape

from engine.runtime.logging import configure_logging, where
from engine.runtime.operator_error import OperatorError
from engine.runtime.settings import Settings
from local.town.running_town import NoTown, known_town

T = TypeVar("T")
log = structlog.get_logger()

errors = Console(stderr=True)


def run_told(
    task: Coroutine[Any, Any, T],
    process: str = "cli",
    level: str = "WARNING",
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> T:
    """Run a command, on a loop of its own kind where one is given; ends it with 1 where a person has something to mend.

    Of a fault of ours the log gets type and place: Python's own report would print its words, which may quote anything.
    """
    try:
        with configure_logging(process, level, sys.stderr):
            try:
                with asyncio.Runner(loop_factory=loop_factory) as runner:
                    return runner.run(task)
            except (OperatorError, typer.Exit, typer.Abort, typer.BadParameter):
                raise
            except Exception as error:  # noqa: BLE001 - the last one to catch it
                log.critical("command_died", error=type(error).__name__, where=where(error))
                raise typer.Exit(1) from None
    except OperatorError as fault:
        errors.print(f"[red]{escape(str(fault))}[/red]")
        raise typer.Exit(1) from None


def told_town(data: Path, *needed: str) -> Settings:
    """The town that a command is for (`known_town`); ends the command with 1 where there is none, and says what leads to one."""
    try:
        return known_town(data, *needed)
    except NoTown as none:
        errors.print(f"[red]{escape(str(none))}[/red]", soft_wrap=True)
        raise typer.Exit(1) from None
