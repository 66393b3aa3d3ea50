"""What `jiceng import` shows: a progress bar on a terminal, the faults by line, the sums; or one JSON document."""

import json
import sys
from dataclasses import asdict

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from local.real.importer import ImportOptions, ImportProgress, ImportReport, import_file
from local.real.message_file import LineFault

FAULTS_SHOWN_MAX = 50


async def run_import(options: ImportOptions, *, as_json: bool = False) -> int:
    """Import and show; the exit code is 0 only if every row has its case. Raises UnreadableFile."""
    console = Console(stderr=as_json)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        report = await import_file(options, Bars(bars))
    if as_json:
        document = {**asdict(report), "cases_per_second": report.cases_per_second, "ok": report.well}
        sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    else:
        _show(console, report)
    return 0 if report.well else 1


class Bars(ImportProgress):
    """Two bars: rows sent, cases closed."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._sending = bars.add_task("提交 sent", total=None)
        self._closing = bars.add_task("结案 closed", total=None, visible=False)

    def begun(self, rows: int) -> None:
        """Set the length of the first bar."""
        self._bars.update(self._sending, total=rows)

    def sent(self) -> None:
        """One on."""
        self._bars.advance(self._sending)

    def waiting(self, closed: int, total: int) -> None:
        """Move the second bar."""
        self._bars.update(self._closing, completed=closed, total=total, visible=True)


def _show(console: Console, report: ImportReport) -> None:
    _show_lines(console, report.refused)
    if report.warnings:
        console.print("已导入,但有内容未能读取 imported without what could not be read:", highlight=False)
        _show_lines(console, report.warnings)
    table = Table(show_header=False)
    sums = {
        "行 rows": report.rows,
        "新立案 started": report.started,
        "已导入 known": report.known,
        "退回行 lines refused": len({fault.line for fault in report.refused}),
        "有警告的行 lines with a warning": len({fault.line for fault in report.warnings}),
        "未提交,请再次运行 not sent, run it again": report.not_sent,
        "结案 closed": report.closed,
        **{f"其他结果 ended as {stage}": number for stage, number in report.ended_otherwise.items()},
        "秒 seconds": report.seconds,
        "每秒案件 cases per second": report.cases_per_second,
    }
    for name, number in sums.items():
        table.add_row(name, f"{number:g}")
    console.print(table)


def _show_lines(console: Console, faults: list[LineFault]) -> None:
    for fault in faults[:FAULTS_SHOWN_MAX]:
        line = f"第{fault.line}行 line {fault.line} {fault.field}: {fault.reason}; {fault.remedy}"
        console.print(escape(line), soft_wrap=True, highlight=False)
    if len(faults) > FAULTS_SHOWN_MAX:
        console.print(f"… {len(faults) - FAULTS_SHOWN_MAX} more; --json names all", highlight=False)
