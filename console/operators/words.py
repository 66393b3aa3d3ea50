"""Why a case does not get on, in words, and what helps (docs/operations.md); for whom it waits."""

from collections.abc import Iterator
from dataclasses import dataclass

from console.staff.rows import town_word
from schemas.values.both import Both
from starter.intake.stuck import TASK_FAILS, UNTAKEN, StuckCase
from starter.intake.town_rules import TownRules

NO_ANSWER = " gets no answer"
ASIDE = " was set aside"


@dataclass(frozen=True)
class Reason:
    """`told`: a piece of what `jiceng stuck` says, by which it is known."""

    told: str
    zh: str
    en: str
    remedy: str


REASONS = (
    Reason(
        NO_ANSWER,
        "外部办理无应答",
        "no answer from outside",
        Both("请联系对方;恢复后可立即重试", "call them; when they are back, retry at once"),
    ),
    Reason(
        ASIDE,
        "操作已暂存待查",
        "a command was set aside",
        Both("程序修复后重新办理,或标为已查明", "deliver it again after the fix, or say it was looked at"),
    ),
    Reason(
        "lets its workflow task fail",
        "操作使案件任务失败",
        "a command makes the case fail",
        Both("系统半分钟内自行暂存,也可立即暂存", "it is set aside by itself within half a minute, or by you now"),
    ),
    Reason(
        "is accepted and not taken up",
        "已受理,无人接办",
        "accepted, and nobody takes it up",
        Both("没有工作进程:请启动", "no worker runs: start one"),
    ),
    Reason(
        "signal",
        "收到无法打开的消息",
        "a message that cannot be opened",
        Both("见 docs/keys.md;该行写明如何重置", "see docs/keys.md; the line says what to reset"),
    ),
    Reason(
        "turned it back",
        "被人退回到较早状态",
        "turned back by somebody",
        Both("由工程师按该行重置", "an engineer resets it as the line says"),
    ),
    Reason(
        UNTAKEN,
        "台账未能写入",
        "the ledger cannot be written",
        Both("由工程师查看工作进程日志", "an engineer looks at the worker's log"),
    ),
    Reason(
        TASK_FAILS,
        "案件任务失败",
        "the case fails",
        Both("由工程师查看工作进程日志", "an engineer looks at the worker's log"),
    ),
)
_WAITS_FOR = {
    "engineer": Both("工程师", "engineer"),
    "worker": Both("工作进程", "worker"),
    "source": Both("信息来源单位", "source"),
    "bank": Both("银行", "bank"),
    "department": Both("部门", "department"),
}


def reason_of(stuck: StuckCase) -> Reason:
    """What is the matter, in words."""
    return next((each for each in REASONS if each.told in stuck.why), Reason("", "停滞", "it does not get on", ""))


def waits_for_words(town: TownRules, stuck: StuckCase) -> str:
    """Who has to do something."""
    return _WAITS_FOR.get(stuck.waits_for) or town_word(town, stuck.waits_for)


def acts_for(stuck: StuckCase) -> Iterator[tuple[str, str]]:
    """What can be done about it here: the act, and what it is done to."""
    if stuck.why.endswith(NO_ANSWER):
        yield "retry", stuck.case_id
    if stuck.submission is not None:
        if ASIDE in stuck.why:
            yield "again", stuck.submission
        yield "set-aside", stuck.submission
