"""`jiceng backup`, `jiceng restore`, `jiceng restored`."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from engine.runtime.settings import Settings
from engine.store.database import open_pool
from local.backup.backup import BackupListing, NotBackedUp, back_up
from local.backup.production import back_up_production, is_of_production, restore_production
from local.backup.restore import Forgotten, forgotten, restore
from local.commands.audit_commands import TOWN, Data
from local.simulation.journals import journals_of, with_journals
from local.town.cli_errors import run_told, told_town
from local.town.running_town import runs_here
from starter.client import http_client

DIFFERENT = 2
console = Console(soft_wrap=True, highlight=False)


def backup(
    target: Annotated[Path, typer.Argument(help="a folder that does not exist or is empty")],
    histories_at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="in production: when the copy of Temporal's databases was begun, with its offset"
        ),
    ] = None,
    data: Data = TOWN,
) -> None:
    """备份 Back up a town while it runs. It holds the keys too: who has it can read everything."""
    listing = run_told(_backed_up(target, histories_at, data))
    console.print(f"✓ {target}: 历史 histories {listing.histories_at:%F %T}Z, 台账 ledger {listing.ledger_at:%F %T}Z")
    console.print("含密钥,请与数据分开妥善保管 it contains the keys: lock it away")


async def _backed_up(target: Path, histories_at: str | None, data: Path) -> BackupListing:
    settings = told_town(data)
    if runs_here(data):
        return await back_up(data, target)
    if histories_at is None:
        raise NotBackedUp(
            "Copy Temporal's databases first, by their own tools; then say when that was begun: --histories-at "
            "2026-11-28T02:00+08:00 (docs/production.md). A ledger that is older than the histories cannot go on."
        )
    return await back_up_production(settings, target, _moment(histories_at))


def _moment(given: str) -> datetime:
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise typer.BadParameter(
            "write a time with its offset, such as 2026-11-28T02:00+08:00", param_hint="--histories-at"
        )
    return moment


def restore_town(
    target: Annotated[Path, typer.Argument(help="a backup")],
    data: Annotated[Path, typer.Option("--data", help="a folder that does not exist or is empty")],
) -> None:
    """恢复 Make a town from a backup; then start it (one on this machine: `jiceng up --data`), then `jiceng restored --data`."""
    production = is_of_production(target)
    done = run_told(restore_production(target, told_town(data)) if production else restore(target, data))
    console.print(f"✓ {data}: {done.cases} 案 cases, 台账截至 ledger as of {done.ledger_at:%F %T}Z")
    console.print(f"  重新投递 delivered again: {done.again}; 重新归档 will end again: {done.endings}")
    console.print("  此后发生的一切均未保存 whatever happened after that is not in it: see `jiceng restored`")


def restored(data: Data = TOWN) -> None:
    """核对 Compare a restored town that runs with the journals of simulated departments. Exit code 2: they know more than we do.

    Exit code 1: there are departments that nobody could ask; whoever restores asks them.
    """
    settings = told_town(data)
    asked, unasked = with_journals(settings)
    found = run_told(_compared(settings)) if asked else Forgotten(cases=(), orders=(), reports=())
    for words, names in (
        ("部门有而我方无的案件 cases we do not know", found.cases),
        ("部门有而我方无的派单 orders we do not know", found.orders),
        ("部门已报而我方无的回报 reports we took in and do not have", found.reports),
    ):
        for name in names:
            console.print(f"✗ {words}: {name}")
    if asked and found.nothing:
        console.print(f"✓ 已询问部门所知均在台账 {len(asked)} departments asked: they know nothing that we do not")
    if unasked or not asked:
        console.print(
            f"✗ 未询问 not asked: {', '.join(unasked)}" if unasked else "✗ 未询问任何部门 no department was asked"
        )
        console.print("  only simulated departments keep a journal; ask the others yourselves (operations.md#restore)")
    if not found.nothing:
        raise typer.Exit(DIFFERENT)
    if unasked or not asked:
        raise typer.Exit(1)


async def _compared(settings: Settings) -> Forgotten:
    async with http_client() as http, await open_pool(settings, process="jiceng restored") as pool:
        return await forgotten(pool, await journals_of(http, settings))
