"""What the street does with a whistle. Texts are vault references; what does not fit is told all at once."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from pydantic import Field

from schemas.case import CaseState
from schemas.department import Code
from schemas.policy import Policy
from schemas.procedure import Command
from schemas.references import TextReference
from schemas.refusals import Fault, say
from schemas.whistle_state import Summoned, WhistleState


class BeginWork(Command):
    """开展处置: whoever had to come has come, and the work begins."""


class SummonMore(Command):
    """增派: further departments are called on the way."""

    departments: tuple[Code, ...] = Field(min_length=1)
    reason: TextReference | None = None

    @classmethod
    def choices(cls, state: CaseState, policy: Policy | None) -> Mapping[str, Sequence[str]]:  # noqa: ARG003 - the case knows
        """The departments that were not called yet."""
        if not isinstance(state, WhistleState):
            return {}
        already = {each.department for each in state.summoned}
        return {"departments.*": [each for each in state.departments if each not in already]}

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Refuse departments that are unknown, named twice, called already, or too many."""
        if not isinstance(state, WhistleState):
            return ()
        already = [each.department for each in state.summoned]
        return tuple(departments_faults(self.departments, state.departments, already, state.terms.departments_at_most))


class HandOverLead(Command):
    """移交牵头: another of the departments leads, with all the duties that go with it."""

    department: Code
    reason: TextReference

    @classmethod
    def choices(cls, state: CaseState, policy: Policy | None) -> Mapping[str, Sequence[str]]:  # noqa: ARG003 - the case knows
        """The other departments that were called and are not scored."""
        if not isinstance(state, WhistleState):
            return {}
        able = (each.department for each in state.counted() if each.score is None)
        return {"department": [each for each in able if each != state.lead]}

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Refuse a department that cannot lead: not called, released, scored already, or leading already."""
        if not isinstance(state, WhistleState):
            return ()
        able = self.choices(state, None)["department"]
        if self.department in able:
            return ()
        if self.department == state.lead:
            reason = say("该部门已是牵头部门", "leads already")
        else:
            reason = say("该部门未被召集、已免于报到或已评分", "was not called, is released, or is scored already")
        remedy = say(f"可选:{'、'.join(able)}", f"one of: {', '.join(able)}; or summon it first")
        return (Fault(field="department", reason=reason, remedy=remedy),)


class Score(Command):
    """评分: the street scores one department, 0 to 100; under the town's mark with a reason."""

    department: Code
    score: int = Field(ge=0, le=100)
    reason: TextReference | None = None

    @classmethod
    def choices(cls, state: CaseState, policy: Policy | None) -> Mapping[str, Sequence[str]]:  # noqa: ARG003 - the case knows
        """The departments that have settled their task and have no score."""
        return {"department": _to_be_scored(state)} if isinstance(state, WhistleState) else {}

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Refuse a score for who cannot be scored now, and a low one without its reason."""
        if not isinstance(state, WhistleState):
            return ()
        return (*_not_to_be_scored(self.department, state), *self._without_reason(state))

    def _without_reason(self, state: WhistleState) -> Iterator[Fault]:
        mark = state.terms.reason_below
        if self.score < mark and self.reason is None:
            yield Fault(
                field="reason",
                reason=say(f"低于{mark}分必须说明理由", f"a score under {mark} needs a reason"),
                remedy=say("请填写理由", "say why"),
            )


class Cancel(Command):
    """撤销吹哨: nobody has to come any more; everybody is told."""

    reason: TextReference


def departments_faults(
    named: Sequence[str], known: Collection[str], already: Sequence[str], most: int
) -> Iterator[Fault]:
    """What is wrong with a list of departments to be called, each fault with its place in the list."""
    for number, department in enumerate(named):
        field = f"departments.{number}"
        if department not in known:
            yield Fault(
                field=field,
                reason=say("没有此部门", "is no department of this town"),
                remedy=say(f"可选:{'、'.join(known)}", f"one of: {', '.join(known)}"),
            )
        elif department in already:
            yield Fault(
                field=field,
                reason=say("本次吹哨已召集该部门", "was called by this whistle already"),
                remedy=say("请删除;可催办该部门", "leave it out; urge the department instead"),
            )
        if department in named[:number]:
            yield Fault(
                field=field,
                reason=say("部门重复", "is named twice"),
                remedy=say("每个部门只写一次", "name each department once"),
            )
    if len({*already, *named}) > most:
        yield Fault(
            field="departments",
            reason=say(f"一次吹哨最多召集{most}个部门", f"a whistle calls {most} departments at most"),
            remedy=say("请减少部门", "name fewer"),
        )


def _not_to_be_scored(department: str, state: WhistleState) -> Iterator[Fault]:
    summoned = state.find(department)
    objection = _objection(summoned)
    if objection is not None:
        names = ", ".join(_to_be_scored(state)) or "-"
        yield Fault(
            field="department",
            reason=objection,
            remedy=say(f"可选:{names}", f"one of: {names}, to be scored now"),
        )


def _to_be_scored(state: WhistleState) -> list[str]:
    return [each.department for each in state.counted() if each.settled and each.score is None]


def _objection(summoned: Summoned | None) -> str | None:
    if summoned is None:
        return say("本次吹哨未召集该部门", "was not called by this whistle")
    if summoned.score is not None:
        return say("该部门已评分", "is scored already")
    if summoned.released:
        return say("该部门免于报到", "is released, and not scored")
    if not summoned.settled:
        return say("该部门任务未办结", "has not finished its task")
    return None
