"""`jiceng up`: a town on this machine.

This process watches the town for as long as it runs: it loads what that needs, and nothing of what the town does.
"""

import json
from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from local.town.cli_errors import errors, run_told
from local.town.machine_memory import memory_shortage
from local.town.town import TownAddresses, TownOptions, run_town

Data = Annotated[Path, typer.Option("--data", envvar="JICENG_DATA", help="folder of the local town")]
Json = Annotated[bool, typer.Option("--json", help="print JSON instead of a table")]
TOWN = Path("town")

console = Console()


def up(
    data: Data = TOWN,
    demo: Annotated[bool, typer.Option("--demo", help="simulated departments and people too")] = False,
    port_base: Annotated[int | None, typer.Option(help="use the ports from this one on")] = None,
    speed: Annotated[
        float | None, typer.Option(help="town seconds per real second; fixed when the town is founded")
    ] = None,
    database_url: Annotated[str | None, typer.Option(help="a Postgres of your own")] = None,
    as_json: Json = False,
) -> None:
    """启动 Bring up a whole town on this machine and keep it running until Ctrl-C."""
    options = TownOptions(
        data=data,
        port_base=port_base,
        speed=speed,
        demo=demo,
        database_url=SecretStr(database_url) if database_url else None,
    )

    def announce(addresses: TownAddresses) -> None:
        if as_json:
            typer.echo(json.dumps(addresses.model_dump()))
        else:
            console.print(_addresses(addresses))

    if shortage := memory_shortage(demo=demo):
        errors.print(f"[yellow]{escape(shortage)}[/yellow]", soft_wrap=True)
    raise typer.Exit(run_told(run_town(options, announce), "town", "INFO"))


def _addresses(addresses: TownAddresses) -> Table:
    table = Table(title="基层 Jiceng", show_header=False)
    for name, address in addresses.model_dump(exclude={"postgres"}).items():
        table.add_row(name, address)
    return table
