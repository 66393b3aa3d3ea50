"""What the street does with a whistle. Texts are vault references; what does not fit is told all at once."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TypeGuard

from pydantic import Field

from schemas.case import CaseState
from schemas.choices import Bounds, Choices
from schemas.department import Code
from schemas.parts.panel import low_score_faults
from schemas.procedure import Command
from schemas.references import TextReference
from schemas.refusals import Fault, say
from schemas.whistle_state import Summoned, WhistleState


class SummonMore(Command):
    """增派: further departments are called on the way."""

    departments: tuple[Code, ...] = Field(min_length=1)
    reason: TextReference | None = None

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """One of the town's departments that was not called yet."""
        return {"departments": _to_be_called(state.departments, _called(state))} if _is_whistle(state) else {}

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Refuse departments that are unknown, named twice, called already, or too many."""
        if not _is_whistle(state):
            return ()
        most = state.terms.departments_at_most
        return tuple(departments_faults(self.departments, state.departments, _called(state), most))


class HandOverLead(Command):
    """移交牵头: another of the departments leads, with all the duties that go with it."""

    department: Code
    reason: TextReference

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """A department that can lead: called, not released, not scored, and not leading already."""
        if not _is_whistle(state):
            return {}
        able = [each.department for each in state.counted() if each.score is None and each.department != state.lead]
        leads, other = (
            say("该部门已是牵头部门", "leads already"),
            say("该部门未被召集、已免于报到或已评分", "was not called, is released, or is scored already"),
        )
        return {
            "department": Choices(
                tuple(able),
                reason=lambda department: leads if department == state.lead else other,
                remedy=say(f"可选:{'、'.join(able)}", f"one of: {', '.join(able)}; or summon it first"),
            )
        }


class Score(Command):
    """评分: the street scores one department, 0 to 100; under the town's mark with a reason."""

    department: Code
    score: int = Field(ge=0, le=100)
    reason: TextReference | None = None

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """A department that has finished its task, or was given up, and is not scored yet."""
        if not _is_whistle(state):
            return {}
        able = [each.department for each in state.counted() if each.settled and each.score is None]
        names = ", ".join(able) or "-"
        return {
            "department": Choices(
                tuple(able),
                reason=lambda department: _not_to_be_scored(state.find(department)),
                remedy=say(f"可选:{names}", f"one of: {names}, to be scored now"),
            )
        }

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Refuse a score for who cannot be scored now, and a low one without its reason."""
        if not _is_whistle(state):
            return ()
        return (*super().faults(state), *low_score_faults(self.score, self.reason, state.terms.reason_below))


def departments_faults(
    named: Sequence[str], known: Collection[str], already: Sequence[str], most: int
) -> Iterator[Fault]:
    """What is wrong with a list of departments to be called, each fault with its place in the list."""
    choices = _to_be_called(known, already)
    for number, department in enumerate(named):
        yield from choices.faults(f"departments.{number}", department)
        if department in named[:number]:
            yield Fault(
                field=f"departments.{number}",
                reason=say("部门重复", "is named twice"),
                remedy=say("每个部门只写一次", "name each department once"),
            )
    if len({*already, *named}) > most:
        yield Fault(
            field="departments",
            reason=say(f"一次吹哨最多召集{most}个部门", f"a whistle calls {most} departments at most"),
            remedy=say("请减少部门", "name fewer"),
        )


def _to_be_called(known: Collection[str], already: Collection[str]) -> Choices:
    """A department of the town that this whistle has not called yet."""
    open_to_call = tuple(each for each in known if each not in already)
    called = say("本次吹哨已召集该部门,可催办", "was called by this whistle already; urge it instead")
    return Choices(
        open_to_call,
        reason=lambda code: called if code in known else say("没有此部门", "is no department of this town"),
    )


def _called(state: WhistleState) -> list[str]:
    return [each.department for each in state.summoned]


def _is_whistle(state: CaseState) -> TypeGuard[WhistleState]:
    return isinstance(state, WhistleState)


def _not_to_be_scored(summoned: Summoned | None) -> str:
    if summoned is None:
        return say("本次吹哨未召集该部门", "was not called by this whistle")
    if summoned.score is not None:
        return say("该部门已评分", "is scored already")
    if summoned.released:
        return say("该部门免于报到", "is released, and not scored")
    return say("该部门任务未办结", "has not finished its task")
