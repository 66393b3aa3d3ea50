"""`jiceng stuck`: cases that do not get on, and a try at once for what waits.

Whoever lets a case try again says why: the reason goes into the case's ledger as a comment, before anything is tried, like
every other act. To give a case to somebody else or to end it, there are the commands of its procedure (docs/operations.md).
"""

import json
from collections.abc import Coroutine
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.table import Table
from temporalio.service import RPCError, RPCStatusCode

from engine.execution.temporal import connect
from engine.keys.keys import Keys
from engine.runtime.operator_error import OperatorError
from engine.runtime.settings import Settings
from engine.store.database import open_pool
from local.commands.audit_commands import LEDGER_AND_HISTORIES, TOWN, Data, Json
from local.commands.terminal_operator import operator
from local.town.cli_errors import run_told, told_town
from local.town.typed_codes import typed_number
from starter.client import NotSettled, Refused, Unavailable
from starter.intake import stuck_acts
from starter.intake.delivery import Delivery
from starter.intake.postbox import Postbox
from starter.intake.stuck import StuckCase, stuck_cases

FOUND = 1
WIDTH_WITHOUT_TERMINAL = 190

T = TypeVar("T")

stuck_app = typer.Typer(help="停滞 Cases that do not get on.", invoke_without_command=True)
Sent = Annotated[str, typer.Argument(help="the submission, as the list names it")]
Reason = Annotated[str, typer.Option(help="why; it stands in the case's ledger")]
Who = Annotated[
    str | None,
    typer.Option(
        "--as",
        metavar="SUBJECT",
        help="the supervisor who does it, such as supervisor-2; where the town has an issuer, JICENG_API_TOKEN_FILE says it",
    ),
]
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
    found = run_told(_stuck(told_town(data, *LEDGER_AND_HISTORIES)))
    if as_json:
        typer.echo(json.dumps([each.model_dump(mode="json") for each in found], ensure_ascii=False, indent=1))
    else:
        _print(found)
    raise typer.Exit(FOUND if found else 0)


@stuck_app.command()
def retry(
    case: Retry,
    reason: Reason,
    who: Who = None,
    data: Data = TOWN,
) -> None:
    """立即重试 Note the reason in the case, then let its outside work be tried now and not at the next pause's end."""
    waits = "理由尚未入案,未重试 the reason waits to be noted; nothing was tried: give the same command later"
    tried = run_told(_answered(_retry(told_town(data, "api_url", "temporal_address"), case, reason, who), waits))
    Console().print(
        f"✓ {tried} 项立即重试 tried now" if tried else "- 没有等待重试的外部办理 nothing waits for a next try"
    )


@stuck_app.command()
def again(submission: Sent, reason: Reason, who: Who = None, data: Data = TOWN) -> None:
    """重新办理 Note the reason in the case, then deliver once more what was set aside: after the worker was mended."""
    waits = (
        "理由尚未入案,未重新办理 the reason waits to be noted; it is not delivered again: give the same command later"
    )
    _told(
        take_up_again(told_town(data, "api_url", "database_url"), submission, reason, who),
        "将重新办理 it is delivered again",
        waits,
    )


@stuck_app.command("set-aside")
def set_aside(submission: Sent, reason: Reason, who: Who = None, data: Data = TOWN) -> None:
    """暂存 Lay a command aside that lets its case's task fail, or say that one that was has been looked at; the reason is noted."""
    waits = "已暂存,理由尚未入案 it is set aside; the reason waits to be noted"
    settings = told_town(data, "api_url", *LEDGER_AND_HISTORIES)
    _told(lay_aside(settings, submission, reason, who), "已暂存 it is set aside; the case goes on", waits)


def _told(act: Coroutine[Any, Any, bool], done: str, waits: str) -> None:
    """Do it and say what came of it; exit code 1 where nothing did."""
    found = run_told(_answered(act, waits))
    Console().print(f"✓ {done}" if found else "✗ 没有此项可办 there is no such submission that this can be done with")
    if not found:
        raise typer.Exit(1)


async def _answered(act: Coroutine[Any, Any, T], waits: str) -> T:
    """What came of an act; else ends the command with 1 and says why not: `waits` while the reason is accepted and not noted."""
    try:
        return await act
    except Refused as refused:
        why = refused.detail
    except NotSettled:
        why = waits
    except Unavailable:
        why = "系统无应答,未办理 the town does not answer: it is not done"
    except RPCError as error:
        missing = error.status is RPCStatusCode.NOT_FOUND
        why = "案件没有运行 the case does not run" if missing else "系统无应答 the town does not answer"
    Console().print(f"✗ {why}", soft_wrap=True, highlight=False, markup=False)
    raise typer.Exit(1)


class ReasonRefused(OperatorError):
    """A command is set aside, and its case did not take the reason."""


async def take_up_again(settings: Settings, submission: str, reason: str, subject: str | None = None) -> bool:
    """Note why in the case, then have what was set aside delivered once more; False: nothing was.

    Raises as `operator` and `TerminalOperator.note`: it is not delivered again.
    """
    async with operator(settings, subject, reason) as known, await open_pool(settings, process="jiceng stuck") as pool:
        return await stuck_acts.take_up_again(Postbox(pool), submission, reason, known.note)


async def lay_aside(settings: Settings, submission: str, reason: str, subject: str | None = None) -> bool:
    """Lay aside a command that waits, or say that one that was has been looked at; False: there is none. The reason is noted.

    Raises:
        NotTheirs and what else `operator` raises: nothing was done, for nobody is known who may.
        Unavailable: nothing was done, for the town did not say who somebody is.
        NotSettled, ReasonRefused: it is laid aside; the reason waits, or was not taken.
    """
    async with operator(settings, subject, reason) as known, await open_pool(settings, process="jiceng stuck") as pool:
        postbox = Postbox(pool)
        found = await postbox.find(submission)
        if found is None:
            return False
        await known.require_theirs(found.case_id)
        delivery = Delivery(lambda: connect(settings, Keys.of(settings)), settings.task_queue, {}, postbox)
        try:
            return await stuck_acts.lay_aside(postbox, delivery, submission, reason, known.note)
        except Refused as refused:
            raise ReasonRefused(
                f"已暂存,理由未入案 it is set aside, its case took no reason: {refused.detail}"
            ) from None
        except Unavailable:
            raise ReasonRefused(
                "已暂存,理由未入案 it is set aside, and the town did not take the reason: give the same command again"
            ) from None


async def _stuck(settings: Settings) -> list[StuckCase]:
    client = await connect(settings, Keys.of(settings))
    async with await open_pool(settings, process="jiceng stuck") as pool:
        return await stuck_cases(pool, client)


async def _retry(settings: Settings, case_id: str, reason: str, subject: str | None) -> int:
    async with operator(settings, subject, reason) as known:
        client = await connect(settings, Keys.of(settings))
        return await stuck_acts.retry_with_reason(client, case_id, reason, known.note)


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
