"""`jiceng policy check|diff`: are the town's rules good, and what would new ones change?

Exit codes: 0 good, or compared; 1 there are faults, each told; 2 the command line is wrong.
"""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from engine.policies.areas import read_areas
from engine.policies.calendars import CalendarFaultsError
from engine.policies.department_policy import DepartmentPolicyFaults, load_departments
from engine.policies.gauge_policy import FILE as GAUGES
from engine.policies.gauge_policy import load_gauges
from engine.policies.open311_policy import FILE as OPEN311
from engine.policies.open311_policy import load_open311
from engine.policies.policies import PolicyFaults, load_policy
from engine.policies.policy_check import PolicyReport, check_policies
from engine.policies.policy_diff import diff_policies
from engine.policies.policy_files import PolicyFile
from engine.policies.token_policy import FILE as ROLES
from engine.policies.token_policy import read_roles
from engine.runtime.settings import Settings
from schemas.audit.policy_change import PolicyDiff
from schemas.incident import INCIDENT
from starter.intake.category_search import load_synonyms
from starter.open311.services import reported_by, reporters_of
from workflows.registry import PROCEDURES

FAULTY = 1
WIDTH_WITHOUT_TERMINAL = 170
ALL = tuple(case.procedure for case in PROCEDURES)
RULED = tuple(procedure for procedure in ALL if procedure.parent is None)

policy_app = typer.Typer(no_args_is_help=True, help="规则 The town's rules: check them, compare two versions.")
Json = Annotated[bool, typer.Option("--json", help="print JSON instead of a table")]


@policy_app.command()
def check(
    folder: Annotated[Path | None, typer.Argument(help="folder of the rules; that of the settings without it")] = None,
    as_json: Json = False,  # noqa: FBT002 - an option
) -> None:
    """检查 Check all files of the town's rules: every fault by file, line and remedy."""
    report = check_policies(
        folder or Settings().policies,
        ALL,
        [("synonyms.yaml", _read_synonyms), (ROLES, read_roles), (OPEN311, _read_open311), (GAUGES, _read_gauges)],
    )
    if as_json:
        typer.echo(json.dumps({"ok": report.ok, **vars(report)}, ensure_ascii=False, indent=2))
    else:
        _show_report(report)
    if not report.ok:
        raise typer.Exit(FAULTY)


@policy_app.command()
def diff(
    old: Annotated[Path, typer.Argument(help="folder of the rules as they are")],
    new: Annotated[Path, typer.Argument(help="folder of the rules as they would be")],
    as_json: Json = False,  # noqa: FBT002 - an option
) -> None:
    """比较 What new rules would change for new cases; open ones keep those they started with."""
    try:
        found = diff_policies(old, new, RULED)
    except (PolicyFaults, DepartmentPolicyFaults, CalendarFaultsError) as faults:
        _console(stderr=True).print(f"[red]{escape(str(faults))}[/red]", soft_wrap=True)
        _console(stderr=True).print("先运行 jiceng policy check (mend it first: jiceng policy check FOLDER)")
        raise typer.Exit(FAULTY) from None
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        _show_diff(found)


def _read_synonyms(file: Path) -> None:
    categories = PolicyFile(file.parent / f"{INCIDENT.name}.yaml").content.get("categories")
    load_synonyms(file.parent, categories if isinstance(categories, dict) else ())


def _read_open311(file: Path) -> None:
    load_open311(file.parent, _matters(file.parent), reporters_of(ALL))


def _read_gauges(file: Path) -> None:
    try:
        areas = read_areas(file.parent).areas
    except PolicyFaults:
        areas = None
    load_gauges(file.parent, areas, _matters(file.parent))


def _matters(folder: Path) -> frozenset[str] | None:
    """The matters of what is reported by; None: another file is faulty, that is told there, and not asked here."""
    try:
        codes = tuple(each.code for each in load_departments(folder / "departments.yaml").departments)
        reported = [load_policy(procedure, folder, codes) for procedure, _, _ in reported_by(ALL)]
    except (PolicyFaults, DepartmentPolicyFaults):
        return None
    return frozenset(matter for policy in reported for matter in policy.searched())


def _show_report(report: PolicyReport) -> None:
    console = _console()
    for fault in report.faults:
        console.print(f"[red]✗[/red] {escape(fault)}", soft_wrap=True)
    for warning in report.warnings:
        console.print(f"[yellow]![/yellow] {escape(warning)}", soft_wrap=True)
    files, faults, warnings = len(report.files), len(report.faults), len(report.warnings)
    console.print(
        f"{files}个文件, {faults}处错误, {warnings}处提醒 ({files} files, {faults} faults, {warnings} warnings)"
    )


def _show_diff(found: PolicyDiff) -> None:
    console = _console()
    table = Table(
        "规则 section", "条目 place", "原 before", "新 after", title="对新案件的改变 What changes for new cases"
    )
    for change in found.changes:
        table.add_row(change.section, escape(change.place), escape(change.before or "—"), escape(change.after or "—"))
    console.print(table if found.changes else "规则相同 (the rules are the same)")
    for file in found.unnumbered:
        console.print(f"[yellow]![/yellow] {file}: 内容已变而版本号未变 (changed under the same version; count it up)")


def _console(*, stderr: bool = False) -> Console:
    console = Console(stderr=stderr)
    return console if console.is_terminal else Console(stderr=stderr, width=WIDTH_WITHOUT_TERMINAL)
