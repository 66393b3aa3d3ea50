"""What `jiceng demo` shows: a table that moves on a terminal, plain lines elsewhere, one JSON document on request.

The sentences are Chinese with English beside; an entry's Chinese title is the API's own.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from local.stories.playing import Performance
from local.stories.stories import repertoire_of
from local.stories.story import Story
from local.town.town import TownAddresses
from schemas.kernel.screen_words import stage_name
from starter.cases.views import TimelineEntry

WIDTH_WITHOUT_TERMINAL = 150
_TELLING = ("department", "clock", "moment", "told", "solved")


def words_of(entry: TimelineEntry) -> str:
    """An entry in a line: its Chinese title, English, and the codes that matter."""
    codes = " ".join(str(entry.facts[name]) for name in _TELLING if entry.facts.get(name))
    english = entry.kind.partition(":")[2].replace("_", " ").replace(":", " ")
    return f"{entry.title} {english}" + (f" ({codes})" if codes else "")


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
        self._say(_legend(performances))
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
    entries: list[TimelineEntry] = field(default_factory=list)


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
        row.entries.append(entry)
        row.stage = next(reversed(repertoire_of(row.entries).path_of(row.entries)), row.stage)
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
            " ".join(stage_name(stage).zh for stage in verdict.path) if verdict else "",
            in_words(verdict.town_time) if verdict else "",
            "[green]✓[/green]" if performance.ok else "[red]✗[/red]",
        )
    return table


def _legend(performances: Sequence[Performance]) -> str:
    """Each stage in the word of its procedure, with its code: one code is called otherwise in another procedure."""
    used = (stage for each in performances if each.verdict for stage in each.verdict.path)
    return " · ".join(dict.fromkeys(f"{stage_name(stage).zh} {stage}" for stage in used))


def _where_to_look(performances: Sequence[Performance], addresses: TownAddresses) -> list[str]:
    """Lines and no table: an address must never be cut."""
    first = next((each for each in performances if each.case_id), None)
    history = f"{addresses.temporal_ui}/namespaces/default/workflows/{first.case_id}" if first else ""
    return [
        f"网页 console      {addresses.api}/sign-in",
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
