"""A case, a moment of it, a reason, other limits: as an auditor reads them on a terminal. Chinese first, codes beside."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from local.commands.case_screen import fact_lines, plain
from schemas.audit.case_record import CaseRecord, ClockLine, Line, StateAt, What, Who
from schemas.audit.what_if import WhatIf
from schemas.clocks.clocks import Status
from schemas.kernel.explanation import Explanation, Permission
from schemas.kernel.screen_words import holder_words, role_words
from schemas.values.actor import Role
from schemas.words.day_count_words import chinese_length, moment
from schemas.words.fact_words import STATUS_WORDS
from workflows.registry import WORDS

_LATE, _CODE, _REFUSED, _READ = "bold red", "dim", "yellow", "cyan"


def record_page(record: CaseRecord) -> RenderableType:
    """A case whole: where it stands, its clocks, and every line of what happened."""
    lines: list[RenderableType] = []
    day = None
    for line in record.lines:
        if line.at.date() != day:
            day = line.at.date()
            lines.append(Text(f"── {day} ──", style=_CODE))
        lines.append(_line(line))
    counts = f"{record.entries} 条记录, {record.refused} 次拒绝, {record.readings} 次查阅个人信息"
    if record.beside_the_chain:
        counts += f", 链外 {record.beside_the_chain} 条 beside the chain"
    parent = [("来自 parent", record.parent)] if record.parent else []
    return Group(
        _grid(
            ("案件 case", f"{record.case_id}  {record.title}"),
            *parent,
            ("环节 stage", WORDS.stage(record.stage, record.procedure)),
            ("责任方 holder", holder_words(record.holder)),
            ("部门 department", record.department or "-"),
            ("区域 area", record.area),
            ("立案 opened", moment(record.opened_at)),
            ("结案 closed", moment(record.closed_at) if record.closed_at else "-"),
            ("规则版本 rules", f"{record.policy_version}, 日历 calendar {record.calendar_version}"),
            ("共 in all", counts),
        ),
        Text(),
        _clocks(record.clocks, record.as_of),
        Text(),
        *lines,
    )


def state_page(state: StateAt) -> RenderableType:
    """How a case stood at a moment."""
    vouched = "与台账一致 agrees with the ledger" if state.in_ledger else "台账无此记录 NOT in the ledger"
    rows = [
        ("时刻 moment", moment(state.at)),
        ("环节 stage", WORDS.stage(state.stage, state.procedure)),
        ("责任方 holder", holder_words(state.holder)),
        ("部门 department", state.department or "-"),
        ("已终结 ended", "是 yes" if state.ended else "否 no"),
        ("台账 ledger", f"第{state.seq}条 {state.head_hash[:16]}… {vouched}"),
        ("历史 history", f"第{state.run}段运行,重放得出 (run {state.run}, rebuilt by replay)"),
    ]
    if state.untold:
        numbers = ", ".join(str(number) for number in state.untold)
        rows.append(("其后补记 told later", f"{numbers}"))
    return Group(_grid(*rows), Text(), _clocks(state.clocks, state.at))


def explanation_page(why: Explanation) -> RenderableType:
    """One entry, with its rule, its version, its inputs and its arithmetic."""
    source = "由历史重放得出" if why.from_history else "历史已不可得,取自现存状态 (no history: as the row has it)"
    rows = [
        ("案件 case", f"{why.case_id} 第{why.seq}条"),
        ("记录 entry", f"{why.title} {why.kind}"),
        ("时间 at", moment(why.at)),
        ("经办 by", _who(Who(subject=why.actor.subject, role=why.actor.role, department=why.actor.department))),
        ("规则 rule", plain(why.rule)),
        ("内容 it says", plain(why.says)),
        ("依据 legal basis", plain(why.legal_basis or "-")),
        ("版本 version", f"规则 policy {why.policy_version}, 日历 calendar {why.calendar_version}"),
        ("状态来源 state", source),
        ("哈希 hash", why.hash),
    ]
    inputs = [Text(f"  {name}: {plain(_value(value))}") for name, value in why.inputs.items() if value is not None]
    sums = [Text(f"  {plain(line)}") for line in why.arithmetic]
    rights = [Text(f"  {line}") for permission in why.permitted_by for line in _permission(permission)]
    parts: list[RenderableType] = [_grid(*rows)]
    for heading, part in (
        ("输入 inputs", inputs),
        ("计算 arithmetic", sums),
        ("权限 who may", rights),
    ):
        if part:
            parts += [Text(), Text(heading, style="bold"), *part]
    return Group(*parts)


def what_if_page(found: WhatIf) -> RenderableType:
    """How many clocks would have been broken under other limits, against how many were."""
    table = Table(title="假设检验 What other limits would have made of recorded clocks", title_justify="left")
    for heading in ("业务", "部门 department", "期限 clock", "原限 limit", "假设 other"):
        table.add_column(heading, overflow="fold")
    for heading in ("计时 judged", "实际逾期 breached", "假设逾期 would", "新增 newly", "免除 spared"):
        table.add_column(heading, justify="right")
    for line in found.lines:
        table.add_row(
            line.procedure,
            line.department or "-",
            WORDS.clock(line.clock),
            ", ".join(line.limits),
            ", ".join(line.other_limits),
            *(str(number) for number in (line.judged, line.breached, line.would_breach, line.newly, line.spared)),
        )
    versions = ", ".join(f"{name} {version}" for name, version in found.policies.items())
    counts = (found.judged, found.breached, found.would_breach, found.newly, found.spared)
    return Group(
        table,
        Text(f"{found.cases} 个案件, 计时 {counts[0]}, 实际逾期 {counts[1]}, 假设逾期 {counts[2]} (+{counts[3]} -{counts[4]})"),
        Text(f"规则 policy: {versions}"),
        Text("人的行为按记录不变,仅期限不同 (what people did stays as recorded; only the limits differ)", style=_CODE),
    )  # fmt: skip


def _line(line: Line) -> RenderableType:
    style = {What.ENTRY: "bold", What.REFUSED: _REFUSED, What.READ: _READ}[line.what]
    number = f"{line.seq:>4}" if line.seq is not None else "   ✗" if line.what is What.REFUSED else "   ◉"
    head = Text.assemble(
        (f"{number}  {line.at:%H:%M:%S}  ", _CODE),
        (plain(line.title), style),
        (f"  {_who(line.who)}", ""),
        (f"  {line.kind}", _CODE),
    )
    below = [Text(each) for each in (_reading(line) if line.what is What.READ else fact_lines(line.facts))]
    below += [_clock(clock) for clock in line.clocks]
    return Group(head, *(Padding(each, (0, 0, 0, 6), expand=False) for each in below))


def _reading(line: Line) -> Iterator[str]:
    items = ", ".join(f"{kind} {count}" for kind, count in line.facts["items"].items())
    yield f"{line.facts['persons']} 人, 内容 items: {items}, 所属案件 case: {', '.join(line.facts['cases']) or '-'}"


def _clock(clock: ClockLine) -> Text:
    due = f"到期 {moment(clock.due_at)}" if clock.due_at else "无到期时间 no due time"
    stopped = f", 停于 {moment(clock.stopped_at)}" if clock.stopped_at else ""
    late = f", {_late(clock)}" if clock.breached else ""
    return Text(
        f"期限 {WORDS.clock(clock.clock)}: {STATUS_WORDS[clock.status]}, {due}{stopped}{late}",
        _LATE if clock.breached and clock.duty else "",
    )


def _late(clock: ClockLine) -> str:
    if not clock.duty:
        return "期满 ran out"
    return f"逾期 late {chinese_length(timedelta(seconds=clock.late_seconds))}"


def _clocks(clocks: tuple[ClockLine, ...], now: datetime) -> Table:
    table = Table(title=f"期限 clocks, {moment(now)}", title_justify="left", pad_edge=False)
    for heading in ("期限 clock", "限期 limit", "状态 status", "开始 started", "到期 due", "停止 stopped", "逾期 late"):
        table.add_column(heading, overflow="fold")
    for clock in sorted(clocks, key=lambda each: (each.status is not Status.RUNNING, each.clock)):
        late = _late(clock) if clock.breached or clock.late_seconds else "-"
        times = [moment(at) if at else "-" for at in (clock.started_at, clock.due_at, clock.stopped_at)]
        words = f"{STATUS_WORDS[clock.status]} {clock.status}"
        style = _LATE if late != "-" and clock.duty else ""
        table.add_row(WORDS.clock(clock.clock), clock.limit or "", words, *times, Text(late, style))
    return table


def _grid(*rows: tuple[str, str]) -> Table:
    grid = Table.grid(padding=(0, 2))
    for name, value in rows:
        grid.add_row(Text(name, style="bold"), Text(value))
    return grid


def _who(who: Who) -> str:
    department = f" {who.department}" if who.department else ""
    channel = f" ({who.channel})" if who.channel and who.role != Role.ENGINE else ""
    return plain(f"{role_words(who.role)}{department} {who.subject}{channel}")


def _permission(permission: Permission) -> Iterator[str]:
    to = f" → {', '.join(permission.to)}" if permission.to else ""
    yield f"{permission.title} {permission.command}: {', '.join(permission.by)}; {', '.join(permission.at)}{to}"
    if permission.conditions:
        yield f"  条件 conditions: {', '.join(permission.conditions)}"


def _value(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
