"""`jiceng import`: messages of residents from a file."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from engine.runtime.settings import Settings
from local.commands.terminal_caller import tokens_as
from local.commands.up_commands import TOWN, Data, Json
from local.real.category_map import read_category_map, read_column_map
from local.real.import_screen import run_import
from local.real.importer import NOT_STATED, ImportOptions
from local.real.message_file import ColumnMap
from local.simulation.townspeople import Persona
from local.town.cli_errors import run_told, told_town
from schemas.values.actor import Role


def import_messages(
    file: Annotated[Path, typer.Argument(help="a CSV file of residents' messages")],
    columns: Annotated[Path | None, typer.Option("--map", help="YAML: which column is which")] = None,
    categories: Annotated[Path | None, typer.Option(help="CSV or YAML: foreign category to ours")] = None,
    default_location: Annotated[str, typer.Option(help="for messages that name no place")] = NOT_STATED,
    wait: Annotated[bool, typer.Option("--wait", help="wait until every case is closed")] = False,
    data: Data = TOWN,
    as_json: Json = False,
) -> None:
    """导入 Import messages as incidents: each row once, however often it is run."""
    settings = told_town(data, "api_url")
    token = run_told(_token(settings))
    options = ImportOptions(
        file=file,
        api_url=settings.api_url,
        token=token,
        columns=read_column_map(columns) if columns else ColumnMap(),
        categories=read_category_map(categories) if categories else {},
        default_location=default_location,
        wait=wait,
    )
    raise typer.Exit(run_told(run_import(options, as_json=as_json)))


async def _token(settings: Settings) -> Callable[[], str]:
    return tokens_as(settings, Persona("importer-1", Role.WINDOW_CLERK))
