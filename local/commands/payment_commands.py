"""`jiceng payments reconcile MONTH`: our payments of a month against the bank's own books, through the town's API."""

import json
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from local.commands.terminal_caller import tokens_as
from local.simulation.townspeople import AUDITOR
from local.town.cli_errors import run_told, told_town
from schemas.values.money import yuan

NOT_RECONCILED = 1
DIFFERENT = 2
PATIENCE_SECONDS = 60.0
WIDTH_WITHOUT_TERMINAL = 170

payments_app = typer.Typer(no_args_is_help=True, help="发放 Payments of benefits.")


@payments_app.callback()
def payments() -> None:
    """发放 Payments of benefits."""


@payments_app.command()
def reconcile(
    month: Annotated[str, typer.Argument(help="a month of town time, such as 2026-11")],
    data: Annotated[Path, typer.Option("--data", envvar="JICENG_DATA", help="folder of the local town")] = Path("town"),
    as_json: Annotated[bool, typer.Option("--json", help="print JSON instead of a table")] = False,  # noqa: FBT002 - an option
) -> None:
    """对账 Compare with the bank's books. Exit code 2: something differs; 1: it could not be reconciled."""
    status, found = run_told(_reconcile(data, month))
    if status != httpx.codes.OK:
        said = [
            str(found.get("detail", status)),
            *(f"{each['field']}: {each['reason']}" for each in found.get("faults") or []),
        ]
        Console(stderr=True).print(f"[red]{escape(chr(10).join(said))}[/red]", soft_wrap=True)
        raise typer.Exit(NOT_RECONCILED)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        _print(found)
    raise typer.Exit(0 if found["even"] else DIFFERENT)


async def _reconcile(data: Path, month: str) -> tuple[int, dict[str, Any]]:
    settings = told_town(data, "api_url")
    headers = {"Authorization": f"Bearer {tokens_as(settings, AUDITOR)()}"}
    async with httpx.AsyncClient(base_url=settings.api_url, timeout=PATIENCE_SECONDS, trust_env=False) as api:
        try:
            answer = await api.get(f"/api/v1/reconciliations/{month}", headers=headers)
        except httpx.TransportError as error:
            return httpx.codes.SERVICE_UNAVAILABLE, {
                "detail": f"无应答 the town does not answer ({type(error).__name__})"
            }
    return answer.status_code, answer.json()


def _print(found: dict[str, Any]) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH_WITHOUT_TERMINAL)
    console.print(
        f"{found['month']}  台账 {found['ours']} 笔 {_yuan(found['ours_fen'])} 元  银行 {found['bank']} 笔 "
        f"{_yuan(found['bank_fen'])} 元  差异 {len(found['differences'])} 项"
    )
    back = found["recoveries"]
    console.print(
        f"追回  通知 {back['asked']} 笔 {_yuan(back['asked_fen'])} 元  退款 {back['repaid']} 笔 "
        f"{_yuan(back['repaid_fen'])} 元(银行未证实 {_yuan(back['not_proved_fen'])} 元)  核销 {back['written_off']} 笔 "
        f"{_yuan(back['written_off_fen'])} 元"
    )
    if found["even"]:
        return
    table = Table("案件", "发放键", "台账(元)", "银行(元)", "差异与处理", show_lines=True)
    for each in found["differences"]:
        table.add_row(
            "\n".join(each["case_ids"]) or "-",
            "\n".join(each["payment_keys"]) or each["entitlement"],
            _yuan(each["ours_fen"]),
            _yuan(each["bank_fen"]),
            escape("\n".join(each["words"])),
        )
    console.print(table)


def _yuan(fen: int) -> str:
    return yuan(fen, grouped=True)
