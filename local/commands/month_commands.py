"""`jiceng audit months` and `detach`: the partitions of the ledger, and how one is taken away when its cases are over for long.

Exit codes: 0 done; 1 it is not taken away, and why; 2 the command line is wrong.
"""

import getpass
import os
import re
from typing import Annotated

import structlog
import typer
from rich.table import Table

from audit.archive.ledger_months import SQL
from engine.policies.privacy_policy import load_privacy_policy, years_by_procedure
from engine.runtime.settings import Settings
from engine.runtime.town_clock import read_town_time
from engine.store.database import open_pool
from local.commands.audit_commands import TOWN, Data, audit_app, console
from local.town.cli_errors import run_told, told_town
from workflows.registry import PROCEDURES

log = structlog.get_logger()

FIRST = "first"
COUNTED_FOR_SECONDS = 3600.0
"""How long all entries of a partition may take to be counted, while everybody reads and all other cases write."""
REFUSALS = {
    "unknown": "账本没有此分区 (the ledger has no such partition: `jiceng audit months` lists them)",
    "running": "该月尚未结束 (its month is not over)",
    "alive": "{cases}个案件尚未办结 ({cases} of its cases have not ended, or have no row)",
    "unarchived": "{cases}个案件未归档完毕 ({cases} of its cases are not in the archive to their end: `jiceng archiver --once`)",
    "kept": "{cases}个案件未满保存年限 ({cases} of its cases are kept longer by policies/privacy.yaml)",
    "untold": "{cases}个案件的通知未送出 (notices of {cases} of its cases have not been sent: `jiceng notices`, or wait)",
}


def _month(typed: str) -> int:
    """202612 of `2026-12`, 0 of `first`."""
    if typed == FIRST:
        return 0
    if re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", typed) is None:
        raise typer.BadParameter("a month is written 2026-12; the partition with all from before is `first`")
    return int(typed.replace("-", ""))


def _account() -> str:
    """Whose account of this machine it is; in a container the number may have no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"account {os.getuid()}"


@audit_app.command()
def months(data: Data = TOWN) -> None:
    """月份 The partitions of the ledger by the month in which cases were opened, and those that were taken away from it."""
    run_told(show_months(told_town(data)))


@audit_app.command()
def detach(
    month: Annotated[
        str, typer.Argument(metavar="MONTH", help="2026-12, or `first`: all from before there were partitions")
    ],
    data: Data = TOWN,
) -> None:
    """移出 Take a month away from the ledger whose cases are all over, archived and kept long enough. Its table stays, beside."""
    run_told(detach_month(told_town(data), _month(month)))


async def show_months(settings: Settings) -> None:
    """Print the partitions, with about how many entries each has."""
    table = Table("分区 partition", "月份 months", "条目 entries", "移出 taken away")
    async with await open_pool(settings, process="jiceng audit") as pool:
        for row in await pool.fetch(SQL.partitions):
            bounds = row["bounds"].removeprefix("FOR VALUES ").replace("'", "")
            table.add_row(row["partition"], bounds, str(row["entries"]), str(row["detached_at"] or "")[:10])
    console.print(table)


async def detach_month(settings: Settings, month: int) -> None:
    """Take a month away, 0 the first partition. Raises Exit where it has to stay, having said why."""
    policy = load_privacy_policy(settings.policies, [each.procedure for each in PROCEDURES])
    years = years_by_procedure(policy, [each.procedure for each in PROCEDURES])
    clock = read_town_time(settings)
    async with (
        await open_pool(settings, process="jiceng audit") as pool,
        pool.acquire() as connection,
        connection.transaction(),
    ):
        await connection.execute("set local statement_timeout = 0")
        # Not by the clock of whoever's machine this is: it says what is over.
        town_now = clock.to_town(await connection.fetchval(SQL.real_now))
        values = (month, dict(years), town_now, _account())
        [done] = await connection.fetch(SQL.detach, *values, timeout=COUNTED_FOR_SECONDS)
    if done["word"] != "detached":
        console.print(f"✗ {REFUSALS[done['word']].format(cases=done['cases'])}", soft_wrap=True)
        raise typer.Exit(1)
    log.info("ledger_month_taken_away", code=month, count=done["cases"])
    console.print(
        f"✓ 已移出{done['cases']}个案件、{done['entries']}条 (taken away; the table stands beside the ledger)"
    )
