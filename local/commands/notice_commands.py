"""`jiceng notices` brings notices to people and events to other systems; `show` prints what became of the notices."""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from engine.keys.counterpart_keys import CounterpartKeyFaults
from engine.keys.key_files import KeyFault
from engine.outside.notices import latest_notices
from engine.outside.telling import run_notices
from engine.policies.department_policy import DepartmentPolicyFaults
from engine.policies.policies import PolicyFaults
from engine.runtime.settings import Settings
from engine.store.database import open_pool
from local.town.cli_errors import run_told, told_town
from local.town.typed_codes import typed_number
from schemas.contracts.notice import Delivery
from workflows.registry import PROCEDURES

UNUSABLE = 1
WIDTH_WITHOUT_TERMINAL = 170

notices_app = typer.Typer(invoke_without_command=True, help="通知 Bring waiting notices to people; `show` prints them.")


@notices_app.callback()
def notices(context: typer.Context) -> None:
    """通知 Bring waiting notices to people, and events to other systems, configured by JICENG_* variables."""
    if context.invoked_subcommand is not None:
        return
    try:
        asyncio.run(run_notices(Settings(), [case.procedure for case in PROCEDURES]))
    except (PolicyFaults, DepartmentPolicyFaults, KeyFault, CounterpartKeyFaults) as fault:
        Console(stderr=True).print(f"[red]{escape(str(fault))}[/red]", soft_wrap=True)
        raise typer.Exit(UNUSABLE) from None


@notices_app.command()
def show(
    case: Annotated[
        str | None, typer.Argument(callback=typed_number, help="the number of a case; all cases without it")
    ] = None,
    data: Annotated[Path, typer.Option("--data", envvar="JICENG_DATA", help="folder of the local town")] = Path("town"),
    limit: Annotated[int, typer.Option(min=1, max=1000, help="how many, the newest first")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON instead of a table")] = False,  # noqa: FBT002 - an option
) -> None:
    """显示 What was told to whom, by which channel, and what still waits."""
    settings = told_town(data)
    found = run_told(_latest(settings, limit, case))
    if as_json:
        typer.echo(json.dumps([each.model_dump(mode="json") for each in found], ensure_ascii=False, indent=2))
    else:
        _print(found)


async def _latest(settings: Settings, limit: int, case: str | None) -> list[Delivery]:
    async with await open_pool(settings, process="jiceng notices show") as pool:
        return await latest_notices(pool, limit, case)


def _print(found: list[Delivery]) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH_WITHOUT_TERMINAL)
    table = Table("时间 at", "收件 to", "渠道 by", "状态 status", "内容 text", title="通知 Notices")
    for each in found:
        table.add_row(f"{each.at:%m-%d %H:%M}", each.recipient, each.channel, each.status, escape(each.text))
    console.print(table if found else "没有通知 (no notices)")
