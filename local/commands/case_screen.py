"""Cases on a terminal: a list, one case with its clocks, a timeline that reads like a file note. Chinese first, codes beside.

Texts are what people typed somewhere else, so nothing in them may steer the terminal or the layout.
"""

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from schemas.clocks.clocks import ClockView, Status
from schemas.kernel.procedure import Procedure
from schemas.kernel.screen_words import MILESTONES, holder_words, role_words
from schemas.words.fact_words import FACT_WORDS, STATUS_WORDS
from starter.cases.views import CaseRow, CaseView, TimelineEntry
from starter.client import Refused
from workflows.registry import PROCEDURES, WORDS

_PROCEDURES: Mapping[str, Procedure] = {case.procedure.name: case.procedure for case in PROCEDURES}
_LATE, _CODE = "bold red", "dim"
_CLOCKS = "clocks"

_STEERING = frozenset({"Cc", "Cs", "Zl", "Zp"})
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def cases_table(rows: Sequence[CaseRow], now: datetime) -> Table:
    """A list of cases; what is overdue at `now` (town time) is marked."""
    table = Table(title=f"案件 cases: {len(rows)}", title_justify="left", pad_edge=False)
    table.add_column("案件 case", no_wrap=True)
    for heading in ("环节 stage", "责任方 holder", "类别 category", "最近到期 next due", "立案 opened", "区域 area"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(
            row.case_id,
            WORDS.stage(row.stage, row.procedure),
            holder_words(row.holder),
            plain(row.labels.get("category", "")),
            _next_due(row, now),
            _minute(row.opened_at),
            plain(row.area),
        )
    return table


def case_page(case: CaseView, timeline: Sequence[TimelineEntry], now: datetime) -> RenderableType:
    """One case: where it stands, its clocks, what the reader may do, and what happened."""
    facts = Table.grid(padding=(0, 2))
    labels = " · ".join(plain(value) for value in case.labels.values())
    for name, value in (
        ("案件 case", f"{case.case_id}  {case.title}"),
        ("环节 stage", WORDS.stage(case.stage, case.procedure)),
        ("责任方 holder", holder_words(case.holder)),
        ("类别 labels", labels),
        ("区域 area", plain(case.area)),
        ("立案 opened", _minute(case.opened_at)),
        ("结案 closed", _minute(case.closed_at)),
        ("可办操作 you may", commands_words(case.procedure, case.legal_commands)),
    ):
        facts.add_row(Text(name, style="bold"), Text(value))
    if case.wanting:
        facts.add_row(Text("待补 wanting", style="bold"), Text(" · ".join(map(plain, case.wanting))))
    parts: list[RenderableType] = [facts, Text(), _clocks_table(case.clocks, now)]
    if timeline:
        parts += [Text(), Text("办理过程 what happened", style="bold"), *(_entry(entry) for entry in timeline)]
    return Group(*parts)


def refusal_page(refusal: Refused, procedure: str) -> RenderableType:
    """Why the town said no, each fault with its remedy, and what is legal instead."""
    lines = [Text(f"未受理 refused ({refusal.code}): {plain(refusal.detail)}", style=_LATE)]
    lines += [Text(f"  {plain(each.field)}: {plain(each.reason)}; {plain(each.remedy)}") for each in refusal.faults]
    if refusal.stage:
        lines.append(Text(f"环节 stage: {WORDS.stage(refusal.stage, procedure)}"))
    if refusal.stage or refusal.legal_commands:
        legal = commands_words(procedure, refusal.legal_commands)
        lines.append(Text(f"现在可办 legal now: {legal}"))
    return Group(*lines)


def commands_words(procedure: str, commands: Sequence[str]) -> str:
    """`签收 sign · 退单 return_order`; a dash for none."""
    known = [each for each in _PROCEDURES.values() if procedure in {each.name, each.parent}]
    titles = {rule.command: rule.title for each in known for rule in each.rules}
    return " · ".join(f"{titles[each]} {each}" if each in titles else each for each in commands) or "-"


def plain(text: object) -> str:
    """A text that cannot move the cursor, colour the screen or turn the direction of writing; lines and width stay."""
    return "".join("�" if _steers(letter) else letter for letter in str(text))


def _steers(letter: str) -> bool:
    return letter != "\n" and (unicodedata.category(letter) in _STEERING or letter in _TURNING)


def _next_due(row: CaseRow, now: datetime) -> Text:
    if row.due_at is None:
        return Text("-")
    late = row.due_at < now
    return Text(
        f"{_minute(row.due_at)} {WORDS.clock(row.due_clock or '')}{' 逾期 late' if late else ''}", _LATE if late else ""
    )


def _clocks_table(clocks: Sequence[ClockView], now: datetime) -> Table:
    table = Table(title="期限 clocks", title_justify="left", pad_edge=False)
    for heading in ("期限 clock", "状态 status", "开始 started", "到期 due", "停止 stopped", "已触发 fired"):
        table.add_column(heading, overflow="fold")
    for clock in sorted(clocks, key=lambda each: (each.status is not Status.RUNNING, _minute(each.due_at))):
        late = clock.breached or (clock.status is Status.RUNNING and clock.due_at is not None and clock.due_at < now)
        table.add_row(
            WORDS.clock(clock.name),
            f"{STATUS_WORDS[clock.status]} {clock.status}",
            _minute(clock.started_at),
            Text(_minute(clock.due_at) + (" 逾期 late" if late else ""), _LATE if late else ""),
            _minute(clock.stopped_at),
            ", ".join(_moment(fired) for fired in clock.fired),
        )
    return table


def _entry(entry: TimelineEntry) -> RenderableType:
    department = f" {entry.actor.department}" if entry.actor.department else ""
    head = Text.assemble(
        (f"{entry.seq:>3}  {_minute(entry.at)}  ", _CODE),
        (plain(entry.title), "bold"),
        (f"  {role_words(entry.actor.role)}{department}", ""),
        (f"  {entry.kind}", _CODE),
    )
    facts = [Padding(Text(line), (0, 0, 0, 5), expand=False) for line in fact_lines(entry.facts)]
    return Group(head, *facts)


def fact_lines(facts: Mapping[str, Any]) -> Iterator[str]:
    """The facts that say something, a line each; then the clocks that changed."""
    for name, value in facts.items():
        if name != _CLOCKS and value is not None and value != "":
            words = _CODES.get(name, _value)
            yield f"{FACT_WORDS.get(name, name)}: {plain(words(value))}"
    clocks: Mapping[str, Mapping[str, Any]] = facts.get(_CLOCKS) or {}
    for name, clock in clocks.items():
        status = STATUS_WORDS[Status(clock["status"])]
        due = clock.get("due_at")
        yield f"期限 {WORDS.clock(name)}: {status}" + (f",到期 {_minute(datetime.fromisoformat(due))}" if due else "")


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, Mapping):
        return ", ".join(f"{_value(each)}" for each in value.values() if each is not None)
    if isinstance(value, list):
        return ", ".join(_value(each) for each in value)
    return str(value)


def _moment(moment: str) -> str:
    kind, _, number = moment.partition(":")
    return f"{MILESTONES.get(kind, kind)}{number}"


_CODES: Mapping[str, Callable[[Any], str]] = {
    "clock": WORDS.clock,
    "moment": _moment,
    "told": holder_words,
    "holder": holder_words,
    "stage": WORDS.stage,
}


def _minute(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else "-"
