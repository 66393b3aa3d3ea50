"""What `jiceng demo` shows: a table that moves on a terminal, plain lines elsewhere, one JSON document on request.

The sentences are Chinese with English beside; an entry's Chinese title is the API's own.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from local.playing import Performance
from local.story import Story
from local.town import TownAddresses
from local.verdict import STAGE_AFTER
from schemas.incident import Kind, Stage
from schemas.whistle import Kind as WhistleKind
from schemas.whistle import Stage as WhistleStage
from starter.views import TimelineEntry

ENGLISH: Mapping[str, str] = {
    Kind.REPORTED: "reported",
    Kind.DISPATCHED: "dispatched",
    Kind.REDISPATCHED: "sent to another department",
    Kind.ORDER_RECEIVED: "order received",
    Kind.ORDER_REFUSED: "order not delivered",
    Kind.ORDER_RECALLED: "order taken back",
    Kind.SIGNED: "signed",
    Kind.RETURNED: "returned",
    Kind.ARBITRATED: "ruled on",
    Kind.ARRIVED: "on the spot",
    Kind.FINISHED: "finished",
    Kind.VERIFIED: "verified",
    Kind.VERIFICATION_FAILED: "verification failed",
    Kind.RATED: "rated",
    Kind.NOT_RATED: "not rated in time",
    Kind.CLOSED: "closed",
    Kind.REOPENED: "reopened",
    Kind.URGED: "urged",
    Kind.WITHDRAWN: "withdrawn",
    Kind.REJECTED: "rejected",
    Kind.UNRESOLVED: "ended unresolved",
    Kind.REWORK_RECEIVED: "rework received",
    Kind.REWORK_REFUSED: "rework not delivered",
    Kind.EXTENSION_REQUESTED: "extension asked for",
    Kind.EXTENSION_GRANTED: "extended",
    Kind.EXTENSION_REFUSED: "extension refused",
    Kind.SUSPENSION_REQUESTED: "suspension asked for",
    Kind.SUSPENSION_GRANTED: "suspended",
    Kind.SUSPENSION_REFUSED: "suspension refused",
    Kind.SUSPENSION_ENDED: "suspension over",
    Kind.REQUEST_LAPSED: "request lapsed",
    Kind.RESUMED: "resumed",
    Kind.SUPERVISED: "supervised",
    Kind.SUPERVISION_ANSWERED: "supervisor answered",
    Kind.COMMENTED: "commented",
    Kind.ATTACHED: "document attached",
    Kind.MERGED: "merged into another",
    Kind.MERGE_TAKEN: "taken in by the other",
    Kind.MERGE_REFUSED: "merge undone",
    Kind.REPORT_MERGED: "another report merged in",
    Kind.WHISTLE_ASKED: "a whistle asked for",
    Kind.WHISTLED: "waits for a whistle",
    Kind.NOT_WAITING: "waits no longer",
    Kind.WHISTLE_ENDED: "the whistle is over",
    WhistleKind.BLOWN: "whistle blown",
    WhistleKind.SUMMONED: "departments called",
    WhistleKind.SUMMONS_STANDS: "summons stands",
    WhistleKind.REPORTED: "department reported",
    WhistleKind.GATHERED: "gathered",
    WhistleKind.WORK_BEGUN: "work begun",
    WhistleKind.ALL_SETTLED: "all settled",
    WhistleKind.SCORED: "scored",
    WhistleKind.EVALUATED: "evaluated",
    WhistleKind.CLOSED: "closed",
    WhistleKind.INCIDENT_WAITS: "the incident waits",
    "clock:warning": "due soon",
    "clock:breach": "late",
    "clock:tier": "reported one level up",
    "clock:final_limit": "now the coordinator's",
}
STAGES: Mapping[str, tuple[str, str]] = {
    Stage.REPORTED: ("受理", "reported"),
    Stage.DISPATCHED: ("派单", "dispatched"),
    Stage.RETURNED: ("退回", "returned"),
    Stage.HANDLING: ("办理", "handling"),
    Stage.SUSPENDED: ("挂账", "suspended"),
    Stage.VERIFYING: ("核查", "verifying"),
    Stage.CALLING_BACK: ("回访", "calling back"),
    Stage.CLOSED: ("结案", "closed"),
    Stage.MERGED: ("并案", "merged"),
    Stage.WITHDRAWN: ("撤回", "withdrawn"),
    Stage.REJECTED: ("不予受理", "rejected"),
    Stage.UNRESOLVED: ("终结", "unresolved"),
    Stage.WHISTLED: ("等候吹哨", "waits for a whistle"),
    WhistleStage.BLOWN: ("吹哨", "blown"),
    WhistleStage.SUMMONING: ("召集", "summoning"),
    WhistleStage.GATHERED: ("集结", "gathered"),
    WhistleStage.WORKING: ("联合处置", "working"),
    WhistleStage.EVALUATED: ("评价", "evaluated"),
    WhistleStage.CANCELLED: ("撤销", "cancelled"),
}
WIDTH_WITHOUT_TERMINAL = 150
_TELLING = ("department", "clock", "moment", "told", "solved")


def words_of(entry: TimelineEntry) -> str:
    """An entry in a line: its Chinese title, English, and the codes that matter."""
    codes = " ".join(str(entry.facts[name]) for name in _TELLING if entry.facts.get(name))
    return f"{entry.title} {ENGLISH.get(entry.kind, entry.kind)}" + (f" ({codes})" if codes else "")


def in_words(duration: timedelta) -> str:
    """Town time in days, hours and minutes."""
    hours, minutes = divmod(int(duration.total_seconds()) // 60, 60)
    days, hours = divmod(hours, 24)
    return f"{days}d {hours:02}:{minutes:02}" if days else f"{hours:02}:{minutes:02}"


class DemoScreen:
    """Says nothing. The base of the three ways to show a demo."""

    def preparing(self, folder: Path) -> None:
        """The town is being brought up in this folder."""

    @contextmanager
    def live(self, stories: Sequence[Story]) -> Iterator[None]:  # noqa: ARG002 - nothing to show
        """While the stories are played."""
        yield

    def happened(self, story: Story, case_id: str, entry: TimelineEntry, since_report: timedelta) -> None:
        """A new entry stands in the ledger."""

    def noted(self, story: Story, chinese: str, english: str) -> None:
        """Something happened that the ledger does not tell."""

    def over(self, performance: Performance) -> None:
        """A story has been played."""

    def auditing(self) -> None:
        """Ledgers are verified and cases replayed."""

    def again(self, performance: Performance) -> None:
        """A story that was late, and nothing else, is played once more."""

    def verdicts(self, performances: Sequence[Performance]) -> None:
        """How it went."""

    def staying(self, performances: Sequence[Performance], addresses: TownAddresses) -> None:
        """The town goes on until Ctrl-C: where to look."""


class JsonScreen(DemoScreen):
    """One JSON document, when the stories have been played and judged."""

    def verdicts(self, performances: Sequence[Performance]) -> None:
        """Print it."""
        document = {
            "ok": all(performance.ok for performance in performances),
            "stories": [_as_json(performance) for performance in performances],
        }
        sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
        sys.stdout.flush()


class LinesScreen(DemoScreen):
    """A line for everything that happens: for logs, and for screens that cannot move."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def preparing(self, folder: Path) -> None:
        """Say so."""
        self._say(f"正在启动 bringing up a town in {folder}")

    def happened(self, story: Story, case_id: str, entry: TimelineEntry, since_report: timedelta) -> None:
        """One line."""
        self._say(f"{in_words(since_report):>9}  {story.name:<20} {case_id}  {words_of(entry)}")

    def noted(self, story: Story, chinese: str, english: str) -> None:
        """One line."""
        self._say(f"{'':>9}  {story.name:<20} {chinese} {english}")

    def over(self, performance: Performance) -> None:
        """Only what went wrong: a story that came to its end has said so itself."""
        if performance.fault:
            self._say(f"{'':>9}  {performance.story.name:<20} {performance.fault}")

    def again(self, performance: Performance) -> None:
        """Say so, and why."""
        faults = "; ".join(performance.faults)
        self._say(f"机器繁忙,重演 the machine was busy, once more: {performance.story.name} ({faults})")

    def auditing(self) -> None:
        """Say so."""
        self._say("核验台账并重放 verifying the ledger and replaying every case")

    def verdicts(self, performances: Sequence[Performance]) -> None:
        """The table, then whatever was not as told."""
        self._console.print(_verdict_table(performances))
        used = dict.fromkeys(stage for each in performances if each.verdict for stage in each.verdict.path)
        self._say(" · ".join(" ".join(STAGES[stage]) for stage in used))
        for performance in performances:
            for fault in performance.faults:
                self._say(f"✗ {performance.story.name} {performance.case_id}: {fault}")

    def staying(self, performances: Sequence[Performance], addresses: TownAddresses) -> None:
        """The addresses, one a line."""
        for line in _where_to_look(performances, addresses):
            self._say(line)
        self._say("按 Ctrl-C 结束 the town stays until Ctrl-C")

    def _say(self, line: str) -> None:
        self._console.print(escape(line), soft_wrap=True, highlight=False)


@dataclass
class _Row:
    story: Story
    stage: str = "…"
    town_time: str = ""
    latest: str = "等待 waiting"
    over: bool = False


@dataclass
class _Board:
    """The moving table: made anew from its rows whenever the screen is drawn."""

    rows: dict[str, _Row] = field(default_factory=dict)

    def __rich__(self) -> Table:
        table = Table(title="基层故事 stories", expand=True)
        for heading in ("故事 story", "环节 stage", "镇上时间 town time", "刚刚 just now"):
            table.add_column(heading, no_wrap=True, overflow="ellipsis")
        for row in self.rows.values():
            style = "dim" if row.over or not row.town_time else ""
            name = f"{row.story.title.zh} [cyan]{row.story.name}[/cyan]"
            table.add_row(name, row.stage, row.town_time, escape(row.latest), style=style)
        return table


class MovingScreen(LinesScreen):
    """A table that moves, for a terminal."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._board = _Board()

    @contextmanager
    def live(self, stories: Sequence[Story]) -> Iterator[None]:
        """Show the board while the stories are played."""
        self._board.rows = {story.name: _Row(story) for story in stories}
        with Live(self._board, console=self._console, refresh_per_second=8):
            yield

    def happened(self, story: Story, case_id: str, entry: TimelineEntry, since_report: timedelta) -> None:  # noqa: ARG002
        """Bring the story's row up to date."""
        row = self._board.rows[story.name]
        row.stage = str(STAGE_AFTER.get(entry.kind, row.stage))
        row.town_time, row.latest = in_words(since_report), words_of(entry)

    def noted(self, story: Story, chinese: str, english: str) -> None:
        """Bring the story's row up to date."""
        self._board.rows[story.name].latest = f"{chinese} {english}"

    def over(self, performance: Performance) -> None:
        """Dim the row."""
        row = self._board.rows[performance.story.name]
        row.over, row.latest = True, performance.fault or row.latest


def screen_for(*, as_json: bool) -> DemoScreen:
    """The screen that fits: JSON if asked for, a moving table on a terminal, else lines."""
    if as_json:
        return JsonScreen()
    console = Console()
    return MovingScreen(console) if console.is_terminal else LinesScreen(Console(width=WIDTH_WITHOUT_TERMINAL))


def _verdict_table(performances: Sequence[Performance]) -> Table:
    table = Table(title="结果 how the stories went")
    table.add_column("故事 story")
    table.add_column("案件 case", no_wrap=True)
    table.add_column("环节 stage path", ratio=1)
    table.add_column("镇上时间 town time", justify="right")
    table.add_column("ok")
    for performance in performances:
        verdict = performance.verdict
        table.add_row(
            f"{performance.story.title.zh} [cyan]{performance.story.name}[/cyan]",
            performance.case_id,
            " ".join(STAGES[stage][0] for stage in verdict.path) if verdict else "",
            in_words(verdict.town_time) if verdict else "",
            "[green]✓[/green]" if performance.ok else "[red]✗[/red]",
        )
    return table


def _where_to_look(performances: Sequence[Performance], addresses: TownAddresses) -> list[str]:
    """Lines and no table: an address must never be cut."""
    first = next((each for each in performances if each.case_id), None)
    history = f"{addresses.temporal_ui}/namespaces/default/workflows/{first.case_id}" if first else ""
    return [
        f"接口文档 API      {addresses.api}/docs",
        f"Temporal          {addresses.temporal_ui}",
        *([f"{first.story.title.zh} {first.story.name}   {history}"] if first else []),
        f"数据 data         {addresses.data}",
    ]


def _as_json(performance: Performance) -> dict[str, Any]:
    verdict = performance.verdict
    return {
        "story": performance.story.name,
        "case": performance.case_id,
        "path": list(verdict.path) if verdict else [],
        "town_seconds": round(verdict.town_time.total_seconds()) if verdict else None,
        "seconds": performance.seconds,
        "ok": performance.ok,
        "faults": performance.faults,
    }
