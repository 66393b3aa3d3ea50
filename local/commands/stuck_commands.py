"""`jiceng stuck`: cases that do not get on, and a try at once for what waits.

Whoever lets a case try again says why: the reason goes into the case's ledger as a comment, before anything is tried, like
every other act. To give a case to somebody else or to end it, there are the commands of its procedure (docs/operations.md).
"""

import json
import uuid
from collections.abc import Coroutine
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from temporalio.service import RPCError, RPCStatusCode

from engine.execution.temporal import connect
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from engine.store.database import open_pool
from local.commands.audit_commands import TOWN, Data, Json
from local.commands.terminal_caller import tokens_as
from local.simulation.townspeople import Persona
from local.town.cli_errors import run_told, told_town
from local.town.typed_codes import typed_number
from schemas.values.actor import Role
from starter.client import NotSettled, Refused, TownClient, Unavailable, http_client
from starter.intake import stuck_acts
from starter.intake.delivery import Delivery
from starter.intake.postbox import Postbox
from starter.intake.stuck import StuckCase, stuck_cases

FOUND = 1
PATIENCE_SECONDS = 10.0
SETTLE_SECONDS = 40.0
WIDTH_WITHOUT_TERMINAL = 190

stuck_app = typer.Typer(help="停滞 Cases that do not get on.", invoke_without_command=True)
Sent = Annotated[str, typer.Argument(help="the submission, as the list names it")]
Reason = Annotated[str, typer.Option(help="why; it stands in the case's ledger")]
Who = Annotated[str, typer.Option("--as", help="the account of the supervisor who does it")]
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
    found = run_told(_stuck(told_town(data)))
    if as_json:
        typer.echo(json.dumps([each.model_dump(mode="json") for each in found], ensure_ascii=False, indent=1))
    else:
        _print(found)
    raise typer.Exit(FOUND if found else 0)


@stuck_app.command()
def retry(
    case: Retry,
    reason: Reason,
    who: Who = "supervisor-1",
    data: Data = TOWN,
) -> None:
    """立即重试 Note the reason in the case, then let its outside work be tried now and not at the next pause's end."""
    console = Console()
    try:
        tried = run_told(_retry(told_town(data), case, reason, who))
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


@stuck_app.command()
def again(submission: Sent, reason: Reason, who: Who = "supervisor-1", data: Data = TOWN) -> None:
    """重新办理 Note the reason in the case, then deliver once more what was set aside: after the worker was mended."""
    _told(take_up_again(told_town(data), submission, reason, who), "将重新办理 it is delivered again")


@stuck_app.command("set-aside")
def set_aside(submission: Sent, reason: Reason, who: Who = "supervisor-1", data: Data = TOWN) -> None:
    """暂存 Lay a command aside that lets its case's task fail, or say that one that was has been looked at; the reason is noted."""
    _told(lay_aside(told_town(data), submission, reason, who), "已暂存 it is set aside; the case goes on")


def _told(act: Coroutine[Any, Any, bool], done: str) -> None:
    """Do it and say what came of it; exit code 1 where nothing did."""
    console = Console()
    try:
        found = run_told(act)
    except Refused as refused:
        console.print(f"✗ {refused.detail}", soft_wrap=True, highlight=False)
        raise typer.Exit(1) from None
    except (Unavailable, NotSettled) as error:
        why = (
            "已受理,理由尚未入案 done; the reason waits to be noted"
            if isinstance(error, NotSettled)
            else "系统无应答 the town does not answer"
        )
        console.print(f"✗ {why}", soft_wrap=True, highlight=False)
        raise typer.Exit(1) from None
    console.print(f"✓ {done}" if found else "✗ 没有此项可办 there is no such submission that this can be done with")
    if not found:
        raise typer.Exit(1)


async def take_up_again(settings: Settings, submission: str, reason: str, subject: str) -> bool:
    """Note why in the case, then have what was set aside delivered once more; False: nothing was. Raises what the API says."""
    async with await open_pool(settings, process="jiceng stuck") as pool:
        return await stuck_acts.take_up_again(Postbox(pool), submission, reason, _noting(settings, subject))


async def lay_aside(settings: Settings, submission: str, reason: str, subject: str) -> bool:
    """Lay aside a command that waits, or say that one that was has been looked at; False: there is none. The reason is noted."""
    async with await open_pool(settings, process="jiceng stuck") as pool:
        postbox = Postbox(pool)
        delivery = Delivery(lambda: connect(settings, Keys.of(settings)), settings.task_queue, {}, postbox)
        return await stuck_acts.lay_aside(postbox, delivery, submission, reason, _noting(settings, subject))


def _noting(settings: Settings, subject: str) -> stuck_acts.Note:
    """Puts reasons into the ledger of cases, as whoever does it."""

    async def note(case_id: str, text: str) -> None:
        await _comment(settings, case_id, text, subject)

    return note


async def _comment(settings: Settings, case_id: str, text: str, subject: str) -> None:
    """Put a reason into a case's ledger, as whoever does it."""
    token = tokens_as(settings, Persona(subject, Role.SUPERVISOR))
    async with http_client() as http:
        town = TownClient(settings.api_url, token, http, PATIENCE_SECONDS)
        await town.command(case_id, "comment", {"text": text}, f"stuck:{uuid.uuid4()}", SETTLE_SECONDS)


async def _stuck(settings: Settings) -> list[StuckCase]:
    client = await connect(settings, Keys.of(settings))
    async with await open_pool(settings, process="jiceng stuck") as pool:
        return await stuck_cases(pool, client)


async def _retry(settings: Settings, case_id: str, reason: str, subject: str) -> int:
    client = await connect(settings, Keys.of(settings))
    return await stuck_acts.retry_with_reason(client, case_id, reason, _noting(settings, subject))


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
