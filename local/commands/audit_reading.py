"""`jiceng audit show|explain|what-if`: what auditors read from the terminal.

Exit codes: 0 read; 1 there is nothing to read, or it cannot be had, told in words; 2 the command line is wrong.
"""

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import asyncpg
import typer
from rich.console import Console, RenderableType
from rich.markup import escape

from audit.replay.moments import CannotRebuild, town_histories
from audit.replay.reading import Auditing, UnknownCase
from audit.replay.what_if import what_if as judge_cases
from engine.execution.temporal import connect
from engine.keys.keys import Keys
from engine.policies.department_policy import DepartmentPolicyFaults, load_departments
from engine.policies.policies import PolicyFaults, load_policy, load_policy_file
from engine.runtime.settings import Settings
from engine.runtime.town_clock import read_town_time
from engine.store.archive import open_archive
from engine.store.database import open_pool
from engine.vault.vault import Vault
from local.commands import archive_commands  # noqa: F401 - its commands join those of `jiceng audit`
from local.commands.audit_commands import LEDGER_AND_HISTORIES, TOWN, Data, Json, audit_app
from local.commands.audit_screen import explanation_page, record_page, state_page, what_if_page
from local.town.cli_errors import run_told, told_town
from local.town.typed_codes import typed_number
from schemas.audit.case_record import CaseRecord, StateAt
from schemas.audit.what_if import WhatIf
from schemas.clocks.calendar import SHANGHAI, in_shanghai
from schemas.kernel.policy import Policy
from schemas.values.actor import Actor, Role
from schemas.values.model import Model
from schemas.values.refusals import say
from schemas.words.titles import title_of
from starter.cases.case_reading import CaseReader
from starter.http.problems import Problem
from workflows.registry import PROCEDURES

__all__ = ["audit_app"]

FAULTY = 1
WIDTH_WITHOUT_TERMINAL = 160
T = TypeVar("T")

OneCase = Annotated[str, typer.Argument(callback=typed_number, help="a case number")]
At = Annotated[str | None, typer.Option("--at", metavar="TIME", help="a town time, such as 2026-11-21T09:30")]
Texts = Annotated[bool, typer.Option("--texts", help="open what people wrote; the vault records that you read it")]
Reader = Annotated[
    str | None, typer.Option("--as", metavar="ACCOUNT", help="with --texts: your account; default: login")
]


class CaseAudit(Model):
    """What `show --json` prints: the case, and with --at how it stood then."""

    record: CaseRecord
    state: StateAt | None = None


@audit_app.command()
def show(  # noqa: PLR0917 - options
    case: OneCase,
    at: At = None,
    texts: Texts = False,  # noqa: FBT002 - an option
    reader: Reader = None,
    data: Data = TOWN,
    as_json: Json = False,  # noqa: FBT002 - an option
) -> None:
    """查阅 Everything that happened in a case, who was refused and who read personal data; with --at, how it stood then."""
    moment = _town_moment("--at", at)
    account = reader or f"terminal:{getpass.getuser()}"

    async def read(auditing: Auditing) -> CaseAudit:
        record = await auditing.record(case, datetime.now(UTC), moment)
        if texts:
            record = await _with_texts(auditing, record, account)
        return CaseAudit(record=record, state=await auditing.state_at(case, moment) if moment else None)

    found = _read(data, read)
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
        return
    _print(record_page(found.record))
    if found.state is not None:
        _print("")
        _print(state_page(found.state))


@audit_app.command()
def explain(
    case: OneCase,
    seq: Annotated[int, typer.Argument(min=1, help="number of the entry, as `show` has it")],
    data: Data = TOWN,
    as_json: Json = False,  # noqa: FBT002 - an option
) -> None:
    """释明 Why an entry is as it is: the rule, its version, its inputs and its arithmetic."""
    why = _read(data, lambda auditing: auditing.explanation(case, seq))
    if as_json:
        typer.echo(why.model_dump_json(indent=2))
    else:
        _print(explanation_page(why))


@audit_app.command("what-if")
def what_if(  # noqa: PLR0917 - options
    policy: Annotated[Path, typer.Option(help="other rules: a file such as incident.yaml, or a folder of them")],
    since: Annotated[str | None, typer.Option(metavar="DAY", help="cases opened from this day on")] = None,
    before: Annotated[str | None, typer.Option(metavar="DAY", help="cases opened before this day")] = None,
    procedure: Annotated[str | None, typer.Option(help="only this procedure; for a file, whose rules it holds")] = None,
    data: Data = TOWN,
    as_json: Json = False,  # noqa: FBT002 - an option
) -> None:
    """假设 The recorded clocks of real cases under other limits: how many would have been broken, and how many were."""
    opened_since, opened_before = _town_moment("--since", since), _town_moment("--before", before)

    async def judged(auditing: Auditing) -> WhatIf:
        policies = _policies(auditing.settings, policy, procedure)
        procedures = [
            each.procedure for each in PROCEDURES if procedure in {None, each.procedure.name, each.procedure.parent}
        ]
        real_now = datetime.now(UTC)
        now = read_town_time(auditing.settings).to_town(real_now)
        return await judge_cases(
            auditing.pool, procedures, policies, real_now=real_now, now=now, since=opened_since, before=opened_before
        )

    found = _read(data, judged)
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        _print(what_if_page(found))


def _policies(settings: Settings, given: Path, only: str | None) -> dict[str, Policy]:
    """Other rules by procedure. A file holds those of the procedure that it is named after, or that was named."""
    ruled = {each.procedure.name: each.procedure for each in PROCEDURES if each.procedure.parent is None}
    parents = {each.procedure.name: each.procedure.parent for each in PROCEDURES}
    only = parents.get(only) or only if only else None
    beside = given if given.is_dir() else given.parent
    register = beside / "departments.yaml"
    departments = load_departments(register if register.is_file() else settings.policies / "departments.yaml")
    codes = tuple(each.code for each in departments.departments)
    if given.is_dir():
        named = [name for name in ruled if only in {None, name} and (given / f"{name}.yaml").is_file()]
        if not named:
            raise PolicyFaults([f"{given}: has the rules of no procedure: {', '.join(ruled)}"])
        return {name: load_policy(ruled[name], given, codes) for name in named}
    name = only or given.stem
    if name not in ruled:
        raise PolicyFaults([f"{given}: whose rules are these? Say --procedure, one of: {', '.join(ruled)}"])
    return {name: load_policy_file(ruled[name], given, codes)}


async def _with_texts(auditing: Auditing, record: CaseRecord, account: str) -> CaseRecord:
    """The record with what people wrote. The vault keeps who read it."""
    vault = Vault(auditing.keys)
    procedures = {each.procedure.name: each.procedure for each in PROCEDURES}
    reader = Actor(subject=account, role=Role.AUDITOR)
    entries = await CaseReader(auditing.pool, vault, procedures).timeline(record.case_id, reader, 0, record.entries)
    return record.with_facts({entry.seq: entry.facts for entry in entries})


def _read(data: Path, read: Callable[[Auditing], Awaitable[T]]) -> T:
    """Run a reading on the town of a data folder; what cannot be read is told, and ends the command."""

    async def reading() -> T:
        settings = told_town(data, *LEDGER_AND_HISTORIES)
        keys = Keys.of(settings)
        client = await connect(settings, keys)
        pool: asyncpg.Pool
        async with await open_pool(settings, process="jiceng audit") as pool:
            histories = town_histories(client, pool, keys, open_archive(settings))
            return await read(Auditing(pool, keys, settings, histories, title_of, asyncio.Semaphore(1)))

    try:
        return run_told(reading())
    except (UnknownCase, CannotRebuild) as fault:
        said = say("没有此记录", str(fault))
    except (Problem, PolicyFaults, DepartmentPolicyFaults) as fault:
        said = str(fault)
    Console(stderr=True).print(f"[red]{escape(said)}[/red]", soft_wrap=True)
    raise typer.Exit(FAULTY)


def _town_moment(option: str, given: str | None) -> datetime | None:
    """A day or a time of the town; without an offset it is the town's own."""
    if given is None:
        return None
    try:
        moment = datetime.fromisoformat(given)
        return moment.replace(tzinfo=SHANGHAI) if moment.tzinfo is None else in_shanghai(moment)
    except ValueError:
        raise typer.BadParameter(f"{option}: write 2026-11-21 or 2026-11-21T09:30") from None


def _print(page: RenderableType) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH_WITHOUT_TERMINAL)
    console.print(page)
