"""`jiceng`: the list of processes and tools."""

import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, TypeVar

import asyncpg
import typer
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table
from temporalio.client import Client

from engine.keys import Keys
from engine.settings import PROJECT, Settings
from engine.tokens import issue
from local.archive_commands import archiver
from local.audit_reading import audit_app
from local.backup_commands import backup, restore_town, restored
from local.case_commands import case_app
from local.category_map import read_category_map, read_column_map
from local.data_folder import DataFolder
from local.demo import DemoOptions, run_demo
from local.found import NoTown, find_town
from local.import_screen import run_import
from local.importer import NOT_STATED, ImportOptions
from local.key_commands import keys_app
from local.message_file import ColumnMap
from local.notice_commands import notices_app
from local.payment_commands import payments_app
from local.policy_commands import policy_app
from local.privacy_commands import privacy_app
from local.replies_screen import LONGEST_SECONDS, ReplyOptions, run_replies
from local.reply_file import CATEGORY, ReplyColumns
from local.simulation import run_bank, run_departments, run_people, run_sources, tokens
from local.stories import named
from local.stuck_commands import stuck_app
from local.telling import run_told
from local.town import TownAddresses, TownOptions, run_town
from local.townspeople import Persona
from schemas.actor import Role
from schemas.diagram import with_pictures
from schemas.findings import Finding
from starter.serve import run_api
from worker import run_worker
from workflows.registry import PROCEDURES

T = TypeVar("T")
Findings = AsyncIterator[Finding]
Audit = Callable[[Settings, Keys, Client, asyncpg.Pool, list[str] | None], Findings]

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Jiceng 基层: a durable case engine for grassroots governance."
)
app.command()(archiver)
app.add_typer(audit_app, name="audit")
app.add_typer(case_app, name="case")
app.add_typer(policy_app, name="policy")
app.add_typer(notices_app, name="notices")
app.add_typer(keys_app, name="keys")
app.add_typer(privacy_app, name="privacy")
app.add_typer(payments_app, name="payments")
app.add_typer(stuck_app, name="stuck")
app.command()(backup)
app.command("restore")(restore_town)
app.command()(restored)

Data = Annotated[Path, typer.Option("--data", envvar="JICENG_DATA", help="folder of the local town")]
Json = Annotated[bool, typer.Option("--json", help="print JSON instead of a table")]
Case = Annotated[str | None, typer.Argument(help="a case number; all cases without it")]
TOWN = Path("town")

console = Console()


# ---- the town -------------------------------------------------------------------------------------------------------


@app.command()
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

    raise typer.Exit(run_told(run_town(options, announce), "town", "INFO"))


@app.command()
def worker() -> None:
    """Run the worker alone, configured by JICENG_* variables."""
    settings = Settings()
    run_told(run_worker(settings), "worker", settings.log_level)


@app.command()
def api() -> None:
    """Run the starter API alone, configured by JICENG_* variables."""
    run_told(run_api(Settings()))


@app.command()
def departments() -> None:
    """模拟部门 Play the departments that have systems of their own, configured by JICENG_* variables."""
    settings = Settings()
    run_told(run_departments(settings), "departments", settings.log_level)


@app.command()
def sources() -> None:
    """模拟核对来源 Play the sources of the means check, configured by JICENG_* variables."""
    settings = Settings()
    run_told(run_sources(settings), "sources", settings.log_level)


@app.command()
def bank() -> None:
    """模拟银行 Play the bank that pays, configured by JICENG_* variables."""
    settings = Settings()
    run_told(run_bank(settings), "bank", settings.log_level)


@app.command()
def people() -> None:
    """模拟居民与工作人员 Play residents and staff, configured by JICENG_* variables."""
    settings = Settings()
    run_told(run_people(settings), "people", settings.log_level)


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="leave afterwards; exit code 0 only if all is well")] = False,
    only: Annotated[str | None, typer.Option(help="names of stories, separated by commas")] = None,
    data: Annotated[
        Path | None, typer.Option(help="play in this folder and keep it; otherwise in a temporary one")
    ] = None,
    speed: Annotated[float | None, typer.Option(help="town seconds per real second")] = None,
    as_json: Json = False,
) -> None:
    """演示 Bring up a town, play the stories, verify and replay them, and show what came of it."""
    try:
        named(only)
    except ValueError as unknown:
        raise typer.BadParameter(str(unknown)) from None
    raise typer.Exit(run_told(run_demo(DemoOptions(data=data, once=once, only=only, json=as_json, speed=speed))))


@app.command("import")
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
    settings = run_told(_town(data))
    account = Persona("importer-1", Role.WINDOW_CLERK)
    token_for = tokens(settings, Keys.of(settings))
    options = ImportOptions(
        file=file,
        api_url=settings.api_url,
        token=lambda: token_for(account),
        columns=read_column_map(columns) if columns else ColumnMap(),
        categories=read_category_map(categories) if categories else {},
        default_location=default_location,
        wait=wait,
    )
    raise typer.Exit(run_told(run_import(options, as_json=as_json)))


@app.command()
def replies(
    file: Annotated[Path, typer.Argument(help="a CSV file of messages with their replies and both dates")],
    seconds: Annotated[
        float, typer.Option(min=10, help="real seconds that the longest case may take")
    ] = LONGEST_SECONDS,
    category: Annotated[str, typer.Option(help="what rows without a category are reported as")] = CATEGORY,
    data: Annotated[
        Path | None, typer.Option("--data", help="play in this folder and keep it; otherwise in a temporary one")
    ] = None,
    as_json: Json = False,
) -> None:
    """答复重演 Play answered messages at their real dates, in a town of their own: which limits would they have broken?"""
    options = ReplyOptions(file, ReplyColumns(default_category=category), seconds, data)
    raise typer.Exit(run_told(run_replies(options, as_json=as_json)))


@app.command()
def token(
    role: Annotated[Role, typer.Option(help="what the bearer may do")],
    subject: Annotated[str | None, typer.Option(help="the account; default: the role with -1")] = None,
    department: Annotated[str | None, typer.Option(help="code of the department, for department officers")] = None,
    area: Annotated[str | None, typer.Option(help="code of the area; the whole town without it")] = None,
    hours: Annotated[int, typer.Option(min=1, max=24 * 30, help="how long it is valid")] = 12,
    data: Data = TOWN,
) -> None:
    """令牌 Sign a token for the local town."""
    settings = run_told(_town(data))
    if not settings.local_issuer:
        raise typer.BadParameter("this town believes its own issuer (JICENG_TOKEN_JWKS): get a token there")
    keys = Keys.of(settings)
    account = subject or f"{role}-1"
    lifetime = timedelta(hours=hours)
    typer.echo(issue(keys, subject=account, role=role, department=department, area=area, lifetime=lifetime))


@app.command()
def where(
    what: Annotated[str, typer.Argument(help="api, temporal, temporal_ui, postgres or data")] = "",
    data: Data = TOWN,
) -> None:
    """地址 Print an address of the town that runs, or all of them."""
    addresses = run_told(_addresses_of(data))
    if what and what not in TownAddresses.model_fields:
        raise typer.BadParameter(f"choose one of {', '.join(TownAddresses.model_fields)}")
    typer.echo(getattr(addresses, what) if what else json.dumps(addresses.model_dump(), ensure_ascii=False, indent=2))


@app.command()
def docs() -> None:
    """Draw the generated parts of docs/ anew from the tables of the procedures."""
    for case in PROCEDURES:
        page = PROJECT / "docs" / "procedures" / f"{case.procedure.name}.md"
        page.write_text(with_pictures(page.read_text(encoding="utf-8"), case.procedure), encoding="utf-8")
        console.print(f"docs/procedures/{page.name}")


async def _town(data: Path) -> Settings:
    return find_town(data)


async def _addresses_of(data: Path) -> TownAddresses:
    find_town(data)
    record = DataFolder(data).record()
    if record is None:
        raise NoTown(f"The town on {data} has just stopped.")
    return TownAddresses(**record.model_dump(include=set(TownAddresses.model_fields)))


def _addresses(addresses: TownAddresses) -> Table:
    table = Table(title="基层 Jiceng", show_header=False)
    for name, address in addresses.model_dump(exclude={"postgres"}).items():
        table.add_row(name, address)
    return table


if __name__ == "__main__":
    app()
