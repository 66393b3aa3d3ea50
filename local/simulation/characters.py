"""How simulated departments behave, and the stage directions by which a story tells one how to treat one order.

A stage direction stands at the end of an order's description:

    小区垃圾堆积未清理〔剧本:沉默〕                               whoever gets the order is silent
    小区垃圾堆积未清理〔剧本:urban-management 退单〕               only that department; others as they are
    小区垃圾堆积未清理〔剧本:urban-management 退单;transport 沉默〕  several

Only simulated departments read it; a real one would see it as text. All delays are in town time.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from schemas.contracts.department import CallbackAct, Rework, WorkOrder


class Character(StrEnum):
    """How a department treats an order."""

    PROMPT = "prompt"
    SLOW = "slow"
    LATE = "late"
    SILENT = "silent"
    BOUNCING = "bouncing"
    FLAKY = "flaky"
    ECHOING = "echoing"
    REFUSING = "refusing"


WORDS = {
    "按时": Character.PROMPT,
    "拖延": Character.SLOW,
    "逾期": Character.LATE,
    "沉默": Character.SILENT,
    "退单": Character.BOUNCING,
    "时断时续": Character.FLAKY,
    "重复": Character.ECHOING,
    "拒收": Character.REFUSING,
} | {character.value: character for character in Character}
"""The words of a stage direction: Chinese, or the character's code."""

_DIRECTION = re.compile(r"〔剧本[::]([^〔〕]*)〕\s*\Z")

SIGNS_AFTER = timedelta(minutes=10)
ARRIVES_AFTER = timedelta(minutes=25)
FINISHES_AFTER = timedelta(hours=2)
LATE_BY = timedelta(minutes=30)


class UnreadableDirection(ValueError):
    """A stage direction has a word that no simulated department knows."""


@dataclass(frozen=True)
class PlannedAct:
    """What the department will report, and when in town time. `twice`: it says it again with the same callback id."""

    act: CallbackAct
    at: datetime
    texts: dict[str, str]
    twice: bool = False


def character_for(order: WorkOrder, department: str, usual: Character) -> Character:
    """How this department treats this order: by stage direction if there is one. Raises UnreadableDirection."""
    found = _DIRECTION.search(order.description)
    if found is None:
        return usual
    for part in re.split(r"[;;]", found[1]):
        match part.split():
            case [word]:
                return _character(word)
            case [code, word] if code == department:
                return _character(word)
            case [_, word]:
                _character(word)
            case _:
                raise UnreadableDirection(f"write 〔剧本:WORD〕 or 〔剧本:DEPARTMENT WORD〕, not {part.strip()!r}")
    return usual


def plan(order: WorkOrder, character: Character, *, already_returned: bool) -> tuple[PlannedAct, ...]:
    """What the department will report about an order, in order.

    A prompt one keeps every limit it was told, also the half hour of an emergency. A slow one signs after the limit. A
    late one is prompt at first, and finishes half an hour after the limit it was told. A bouncing one returns a case
    once: sent to it again it obeys, since a ruling binds.
    """
    if character in {Character.SILENT, Character.REFUSING}:
        return ()
    if character is Character.BOUNCING and not already_returned:
        texts = {"reason": "不属于本单位职责范围", "legal_basis": "《部门权责清单》第三条"}
        return (PlannedAct(CallbackAct.RETURNED, _inside(order, "sign", SIGNS_AFTER), texts),)
    twice = character is Character.ECHOING
    signs = _inside(order, "sign", SIGNS_AFTER)
    arrives = max(signs, _inside(order, "respond", ARRIVES_AFTER))
    finishes = max(arrives, _inside(order, "finish", FINISHES_AFTER))
    if character is Character.SLOW:
        late = max(order.due.get("sign", order.as_of) + LATE_BY, signs)
        signs, arrives, finishes = late, late + ARRIVES_AFTER, late + FINISHES_AFTER
    if character is Character.LATE:
        finishes = max(order.due.get("finish", order.as_of) + LATE_BY, finishes)
    return (
        PlannedAct(CallbackAct.SIGNED, signs, {}, twice),
        PlannedAct(CallbackAct.ARRIVED, arrives, {}, twice),
        PlannedAct(CallbackAct.FINISHED, finishes, {"result": "已到现场处理完毕"}, twice),
    )


def plan_rework(rework: Rework, character: Character) -> tuple[PlannedAct, ...]:
    """What the department will report about work done again: that it is done. It was on the spot before.

    A slow or late one finishes half an hour after the limit; a silent one says nothing this time either.
    """
    if character in {Character.SILENT, Character.REFUSING}:
        return ()
    finishes = _inside(rework, "finish", FINISHES_AFTER)
    if character in {Character.SLOW, Character.LATE}:
        finishes = max(rework.due.get("finish", rework.as_of) + LATE_BY, finishes)
    twice = character is Character.ECHOING
    return (PlannedAct(CallbackAct.FINISHED, finishes, {"result": "已返工处理完毕"}, twice),)


def _character(word: str) -> Character:
    try:
        return WORDS[word]
    except KeyError:
        raise UnreadableDirection(f"no such word: {word!r}; write one of {'、'.join(WORDS)}") from None


def _inside(order: WorkOrder | Rework, clock: str, usual: timedelta) -> datetime:
    """The usual time, or half of what the clock leaves if that is less."""
    if clock not in order.due:
        return order.as_of + usual
    left = max(order.due[clock] - order.as_of, timedelta(0))
    return order.as_of + min(usual, left / 2)
