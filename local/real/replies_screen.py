"""What `jiceng replies` shows: a progress bar on a terminal, then indicators, limits and endings; or one JSON document."""

import asyncio
import json
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from engine.execution.temporal import connect
from engine.keys.keys import Keys
from engine.store.database import open_pool
from local.real.replies import ASSUMPTIONS, ReplyProgress, play_replies
from local.real.reply_file import ReplyColumns, ReplyFile, read_replies
from local.real.reply_record import PlayedReply, ReplyReport
from local.real.reply_stage import ReplyTown
from local.town.town import Town, TownOptions, open_town
from local.town.town_processes import PROCESSES
from starter.cases.views import IndicatorLine, Times
from workflows.registry import WORDS

LONGEST_SECONDS = 240.0
"""How long the longest case takes unless said: an hour of the town is then a tenth of a second or more."""

SIGNING = "签收超期源于重演速度 sign: late by the pace of the play, the file says nothing of it"
_HOUR, _DAY = 3600, 86_400


@dataclass(frozen=True)
class ReplyOptions:
    """What was asked for. `data` None: a temporary folder, gone afterwards."""

    file: Path
    columns: ReplyColumns
    seconds: float = LONGEST_SECONDS
    data: Path | None = None


async def run_replies(options: ReplyOptions, *, as_json: bool = False) -> int:
    """Play a file in a town of its own and show what came of it; the exit code is 0 only if all is well.

    Raises UnreadableFile, and what `open_town` raises.
    """
    file = read_replies(options.file, options.columns)
    console = Console(stderr=as_json)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with ExitStack() as stack:
        folder = options.data or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jiceng-replies-")))
        worker = tuple(process for process in PROCESSES if process.name == "worker")
        async with open_town(TownOptions(data=folder, processes=worker, durable=False)) as town:
            with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
                report = await _watched(town, file, options.seconds, _Bar(bars))
    if as_json:
        sys.stdout.write(json.dumps(_document(report), ensure_ascii=False) + "\n")
    else:
        _show(console, report)
    return 0 if report.well else 1


async def _watched(town: Town, file: ReplyFile, seconds: float, progress: ReplyProgress) -> ReplyReport:
    """Play, unless the town cannot go on: then the error says why."""
    playing = asyncio.create_task(_play(town, file, seconds, progress))
    watching = asyncio.create_task(town.supervisor.watch())
    try:
        await asyncio.wait([playing, watching], return_when=asyncio.FIRST_COMPLETED)
        if not playing.done():
            watching.result()
        return await playing
    finally:
        for task in (playing, watching):
            task.cancel()
        await asyncio.gather(playing, watching, return_exceptions=True)


async def _play(town: Town, file: ReplyFile, seconds: float, progress: ReplyProgress) -> ReplyReport:
    keys = Keys.of(town.settings)
    temporal = await connect(town.settings, keys)
    async with await open_pool(town.settings, process="jiceng replies") as pool:
        return await play_replies(file, ReplyTown(town.settings, keys, pool, temporal), seconds, progress)


class _Bar(ReplyProgress):
    """Cases that have been played."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._task = bars.add_task("答复 replies", total=None)

    def begun(self, cases: int) -> None:
        """Set the length."""
        self._bars.update(self._task, total=cases)

    def over(self, played: PlayedReply) -> None:  # noqa: ARG002 - only that it is over
        """One on."""
        self._bars.advance(self._task)


def _document(report: ReplyReport) -> dict[str, object]:
    return {
        "ok": report.well,
        "cases": len(report.played),
        "seconds": report.seconds,
        "file_median_days": report.median_days,
        "assumptions": [english for _, english in ASSUMPTIONS],
        "indicators": report.indicators.model_dump(mode="json"),
        "limits": report.limits(),
        "under_final_limit": report.under_final_limit,
        "stages": report.stages,
        "too_late": sum(each.too_late for each in report.played),
        "off_their_days": sum(not each.on_its_days for each in report.played),
        "chains_verified": sum(bool(each.finding and each.finding.ok) for each in report.played),
        "provisional_days": list(report.provisional),
        "refused": [vars(fault) for fault in report.refused],
        "replies": [each.as_json() for each in report.played],
    }


def _show(console: Console, report: ReplyReport) -> None:
    for fault in report.refused:
        line = f"第{fault.line}行 line {fault.line} {fault.field}: {fault.reason}; {fault.remedy}"
        console.print(escape(line), soft_wrap=True, highlight=False)
    for table in (_sums(report), _indicators(report), _limits(report)):
        console.print(table)
    if report.provisional:
        runs = ", ".join(report.provisional)
        line = f"暂定日历,放假通知尚未发布 provisional, their notice is not out: {runs}"
        console.print(escape(line), soft_wrap=True, highlight=False)
    console.print(SIGNING, soft_wrap=True, highlight=False)
    console.print("假设 assumed:", highlight=False)
    for chinese, english in ASSUMPTIONS:
        console.print(f"- {chinese} {english}", soft_wrap=True, highlight=False)
    for each in report.played:
        if each.too_late or not each.well:
            console.print(escape(_line(each)), soft_wrap=True, highlight=False)


def _sums(report: ReplyReport) -> Table:
    table = Table(title="案件 cases", title_justify="left", show_header=False)
    off = max((each.off_by_seconds for each in report.played), default=0.0)
    for name, value in {
        "案件 cases": str(len(report.played)),
        "退回行 lines refused": str(len({fault.line for fault in report.refused})),
        **{WORDS.stage(stage): str(number) for stage, number in report.stages.items()},
        "最终期限已启动 the final limit ran": str(report.under_final_limit),
        "答复时已终结 ended before the reply came": str(sum(each.too_late for each in report.played)),
        "链已核验 chains verified": str(sum(bool(each.finding and each.finding.ok) for each in report.played)),
        "日期不符 off their days": str(sum(not each.on_its_days for each in report.played)),
        "时刻最大偏差 hours off at the most": f"{off / _HOUR:.1f} h",
        "文件中位数 median by the file, all rows": f"{report.median_days} d",
        "实际秒数 real seconds": f"{report.seconds:g}",
    }.items():
        table.add_row(name, value)
    return table


def _indicators(report: ReplyReport) -> Table:
    whole = report.indicators.whole
    table = Table(title="指标 indicators", title_justify="left", show_header=False)
    for name, value in {
        "响应率 response rate": _rate(whole.response_rate, whole.responded_in_time, whole.response_judged),
        "解决率 resolution rate (assumed)": _rate(whole.resolution_rate, whole.solved, whole.outcome_known),
        "满意率 satisfaction rate (assumed)": _rate(whole.satisfaction_rate, _content(whole), whole.opinions),
        "按期办结率 finish rate": _rate(whole.finish_rate, whole.finished_in_time, whole.finish_judged),
        "响应时长 response, median / 90 %": _times(whole.response_seconds),
        "办理时长 handling, median / 90 %": _times(whole.handling_seconds),
    }.items():
        table.add_row(name, value)
    return table


def _limits(report: ReplyReport) -> Table:
    table = Table(title="期限 limits", title_justify="left")
    columns = list(dict.fromkeys(column for counts in report.limits().values() for column in counts))
    table.add_column("期限 clock")
    for column in columns:
        table.add_column(column, justify="right")
    for clock, counts in report.limits().items():
        table.add_row(WORDS.clock(clock), *(str(counts.get(column, 0)) for column in columns))
    return table


def _content(whole: IndicatorLine) -> int:
    return whole.satisfied + whole.basically_satisfied


def _rate(rate: float | None, part: int, of: int) -> str:
    return "-" if rate is None else f"{rate:.2%} ({part}/{of})"


def _times(times: Times | None) -> str:
    return "-" if times is None else f"{times.median / _DAY:.2f} d / {times.percentile_90 / _DAY:.2f} d"


def _line(each: PlayedReply) -> str:
    days = each.answered.length.days
    told = [f"第{each.answered.message.line}行 line {each.answered.message.line}: {days} d"]
    if each.case is not None:
        told.append(f"{each.case.case_id} {each.case.stage}")
    if each.too_late and each.case is not None and each.case.closed_at is not None:
        after = (each.case.closed_at - each.answered.submitted_at).days
        told.append(f"第{after}天终结,答复已迟 ended on day {after}, the reply was refused: {each.refusal}")
    if not each.on_its_days:
        told.append("日期不符 not on its days")
    if each.finding is not None and not each.finding.ok:
        told.append(each.finding.detail)
    if each.fault:
        told.append(each.fault)
    return " · ".join(told)
