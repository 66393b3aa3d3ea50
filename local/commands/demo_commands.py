"""`jiceng demo` and `jiceng replies`: stories and the past, played in a town of their own."""

from pathlib import Path
from typing import Annotated

import typer

from local.commands.up_commands import Json
from local.real.replies_screen import LONGEST_SECONDS, ReplyOptions, run_replies
from local.real.reply_file import CATEGORY, ReplyColumns
from local.stories.demo import DemoOptions, run_demo
from local.stories.stories import named
from local.town.cli_errors import run_told


def demo(
    once: Annotated[bool, typer.Option("--once", help="leave afterwards; exit code 0 only if all is well")] = False,
    only: Annotated[str | None, typer.Option(help="names of stories, separated by commas")] = None,
    data: Annotated[
        Path | None, typer.Option(help="play in this folder and keep it; otherwise in a temporary one")
    ] = None,
    speed: Annotated[float | None, typer.Option(help="town seconds per real second")] = None,
    as_json: Json = False,
) -> None:
    """演示 Bring up a town, play the stories, verify and replay them, and show what came of it."""
    try:
        named(only)
    except ValueError as unknown:
        raise typer.BadParameter(str(unknown)) from None
    raise typer.Exit(run_told(run_demo(DemoOptions(data=data, once=once, only=only, json=as_json, speed=speed))))


def replies(
    file: Annotated[Path, typer.Argument(help="a CSV file of messages with their replies and both dates")],
    seconds: Annotated[
        float, typer.Option(min=10, help="real seconds that the longest case may take")
    ] = LONGEST_SECONDS,
    category: Annotated[str, typer.Option(help="what rows without a category are reported as")] = CATEGORY,
    data: Annotated[
        Path | None, typer.Option("--data", help="play in this folder and keep it; otherwise in a temporary one")
    ] = None,
    as_json: Json = False,
) -> None:
    """答复重演 Play answered messages at their real dates, in a town of their own: which limits would they have broken?"""
    options = ReplyOptions(file, ReplyColumns(default_category=category), seconds, data)
    raise typer.Exit(run_told(run_replies(options, as_json=as_json)))
