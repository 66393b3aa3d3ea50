"""`jiceng webhooks`: who of other systems is told what happens, what waits, what was given up; and sending it again.

Exit codes: 0 done; 1 there is nothing to do it with; 2 the command line is wrong.
"""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from engine.runtime.settings import Settings
from engine.store.database import open_pool
from engine.store.webhook_books import Standing, WebhookDelivery, latest_events, resume, send_again, standings
from local.town.cli_errors import run_told, told_town

Data = Annotated[Path, typer.Option("--data", envvar="JICENG_DATA", help="folder of the local town")]
Code = Annotated[str, typer.Argument(help="code of the subscription, as in policies/webhooks.yaml")]
Json = Annotated[bool, typer.Option("--json", help="print JSON instead of a table")]
TOWN = Path("town")
WIDTH_WITHOUT_TERMINAL = 170

webhooks_app = typer.Typer(invoke_without_command=True, help="推送 Webhooks: who is told what happens, and what waits.")


class Wanted(StrEnum):
    """Which events."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


@webhooks_app.callback()
def webhooks(context: typer.Context, data: Data = TOWN, as_json: Json = False) -> None:  # noqa: FBT002 - an option
    """推送 How every subscription stands."""
    if context.invoked_subcommand is not None:
        return
    found = run_told(_standings(told_town(data)))
    if as_json:
        _print_json([each.model_dump(mode="json") for each in found])
        return
    table = Table("订阅 subscription", "待送 waiting", "最久 oldest", "已停 given up", "状态 state")
    for each in found:
        state = "进行中 goes on" if each.ended_by is None else f"已结束 ended by the {each.ended_by}"
        counts = (str(each.waiting), f"{each.oldest_seconds:.0f} s", str(each.given_up))
        table.add_row(each.subscription, *counts, state)
    _console().print(table if found else "没有订阅 (no subscriptions: docs/webhooks.md)")


@webhooks_app.command()
def show(
    code: Code,
    status: Annotated[Wanted | None, typer.Option(help="those alone")] = None,
    data: Data = TOWN,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="how many, the newest first")] = 50,
    as_json: Json = False,  # noqa: FBT002 - an option
) -> None:
    """显示 The latest events of a subscription, and what became of them."""
    found = run_told(_latest(told_town(data), code, status, limit))
    if as_json:
        _print_json([each.model_dump(mode="json") for each in found])
        return
    table = Table("事件 event", "案件 case", "内容 kind", "状态 status", "次数 attempts", "结果 outcome")
    for each in found:
        table.add_row(
            each.event_id, f"{each.case_id} {each.seq}", each.kind, each.status, str(each.attempts), each.outcome or ""
        )
    _console().print(table if found else "没有事件 (no events)")


@webhooks_app.command()
def again(
    code: Code,
    event: Annotated[str | None, typer.Argument(help="one event; all that were given up without it")] = None,
    data: Data = TOWN,
) -> None:
    """重发 Send what was given up once more, under the same ids."""
    number = run_told(_again(told_town(data), code, event))
    _console().print(f"将重发{number}个事件 ({number} to be sent again)")


@webhooks_app.command("resume")
def resume_webhook(code: Code, data: Data = TOWN) -> None:
    """恢复 Send to a receiver again that answered 410; `again` also sends what was given up meanwhile."""
    run_told(_resume(told_town(data), code))
    _console().print("已恢复 (it goes on from now)")


async def _standings(settings: Settings) -> list[Standing]:
    async with await open_pool(settings, process="jiceng webhooks") as pool:
        return await standings(pool)


async def _latest(settings: Settings, code: str, status: str | None, limit: int) -> list[WebhookDelivery]:
    async with await open_pool(settings, process="jiceng webhooks") as pool:
        return await latest_events(pool, code, status, limit)


async def _again(settings: Settings, code: str, event: str | None) -> int:
    async with await open_pool(settings, process="jiceng webhooks") as pool:
        return await send_again(pool, code, event)


async def _resume(settings: Settings, code: str) -> None:
    async with await open_pool(settings, process="jiceng webhooks") as pool:
        await resume(pool, code)


def _print_json(rows: list[dict[str, object]]) -> None:
    typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=WIDTH_WITHOUT_TERMINAL)
