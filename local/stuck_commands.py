"""`jiceng stuck`: cases that do not get on, and a try at once for what waits.

Whoever lets a case try again says why: the reason goes into the case's ledger as a comment, before anything is tried, like
every other act. To give a case to somebody else or to end it, there are the commands of its procedure (docs/operations.md).
"""

import json
import uuid
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from temporalio.service import RPCError, RPCStatusCode

from engine.database import open_pool
from engine.keys import Keys
from engine.settings import Settings
from engine.temporal import connect
from engine.tokens import issue
from local.audit_commands import TOWN, Data, Json
from local.found import town_or_settings
from local.telling import run_told
from local.typed_codes import typed_number
from schemas.actor import Role
from starter.client import Refused, TownClient, Unavailable, http_client
from starter.stuck import StuckCase, retry_now, stuck_cases

FOUND = 1
PATIENCE_SECONDS = 10.0
SETTLE_SECONDS = 20.0
WIDTH_WITHOUT_TERMINAL = 190

stuck_app = typer.Typer(help="停滞 Cases that do not get on.", invoke_without_command=True)
Retry = Annotated[str, typer.Argument(callback=typed_number, help="the number of the case")]


@stuck_app.callback()
def stuck(
    context: typer.Context,
    data: Data = TOWN,
    as_json: Json = False,  # noqa: FBT002 - an option
) -> None:
    """停滞 List cases whose task fails, whose outside work gets no answer, whose command waits. Exit code 1: there are."""
    if context.invoked_subcommand is not None:
        return
    found = run_told(_stuck(town_or_settings(data)))
    if as_json:
        typer.echo(json.dumps([each.model_dump(mode="json") for each in found], ensure_ascii=False, indent=1))
    else:
        _print(found)
    raise typer.Exit(FOUND if found else 0)


@stuck_app.command()
def retry(
    case: Retry,
    reason: Annotated[str, typer.Option(help="why; it stands in the case's ledger")],
    who: Annotated[str, typer.Option("--as", help="the account of the supervisor who does it")] = "supervisor-1",
    data: Data = TOWN,
) -> None:
    """立即重试 Note the reason in the case, then let its outside work be tried now and not at the next pause's end."""
    console = Console()
    try:
        tried = run_told(_retry(town_or_settings(data), case, reason, who))
    except Refused as refused:
        console.print(f"✗ {refused.detail}", soft_wrap=True, highlight=False)
        raise typer.Exit(1) from None
    except (Unavailable, RPCError) as error:
        missing = isinstance(error, RPCError) and error.status is RPCStatusCode.NOT_FOUND
        why = "案件没有运行 the case does not run" if missing else "系统无应答 the town does not answer"
        console.print(f"✗ {why}", soft_wrap=True, highlight=False)
        raise typer.Exit(1) from None
    console.print(
        f"✓ {tried} 项立即重试 tried now" if tried else "- 没有等待重试的外部办理 nothing waits for a next try"
    )


async def _stuck(settings: Settings) -> list[StuckCase]:
    client = await connect(settings, Keys.of(settings))
    async with await open_pool(settings, process="jiceng stuck") as pool:
        return await stuck_cases(pool, client)


async def _retry(settings: Settings, case_id: str, reason: str, subject: str) -> int:
    keys = Keys.of(settings)
    async with http_client() as http:
        town = TownClient(
            settings.api_url, lambda: issue(keys, subject=subject, role=Role.SUPERVISOR), http, PATIENCE_SECONDS
        )
        await town.command(case_id, "comment", {"text": f"立即重试:{reason}"}, f"retry:{uuid.uuid4()}", SETTLE_SECONDS)
    return await retry_now(await connect(settings, keys), case_id)


def _print(found: list[StuckCase]) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH_WITHOUT_TERMINAL)
    if not found:
        console.print("没有停滞案件 no case is stuck")
        return
    table = Table(
        "案件 case",
        "环节 stage",
        "原因 why",
        "等待 waits for",
        "次数 tries",
        "自 since",
        "下次 next try",
        "到期 next due",
    )
    for each in found:
        since = f"{each.since:%m-%d %H:%M:%S}" if each.since else "-"
        next_try = f"{each.next_try:%m-%d %H:%M:%S}" if each.next_try else "-"
        due = f"{each.next_timer} {each.next_due:%m-%d %H:%M}" if each.next_due else "-"
        row = (each.case_id, each.stage or "-", each.why, each.waits_for, str(each.attempts), since, next_try, due)
        table.add_row(*row)
    console.print(table)
