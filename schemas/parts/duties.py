"""约定义务 duties with a date: once or again and again, proved by one side and accepted by another; missed, cured, broken, waived.

    due -> proved -> kept                    accepted by the other side, or nobody objected in time
     |  ^    |
     |  +----+ not accepted, and the day has not come yet
     +-> missed -> proved                    cured, within its time
            +-> broken                       not cured
    from anywhere: waived                    this time, or for good

What is agreed on has a first day and comes again every month, quarter or year, on the same day of the month (on the last one of
a shorter month); it is due by 24:00 of that day, and each time is settled by itself. Silence of who accepts: the clock
`accept_duty` is a duty (somebody is late) or a window (nobody objected), as the procedure says.

Sources: 人民调解法 (what was agreed on is performed, and somebody sees to it), 民法典 (a month without that day ends on its last
one; who is late is given time to cure), L for silence. A procedure puts `duty_lines()` into its table, gives its entries
`DutyEntries`, its clocks `duty_timers()`, its state `DutiesState` and its workflow `DatedDuties` (workflows/parts/duties.py).
"""

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from schemas.contracts.department import Code
from schemas.kernel.acts import Act, Stages, Step, act, step
from schemas.kernel.answers import AnswerTo, RequestNumber
from schemas.kernel.case import CaseState
from schemas.kernel.choices import Bounds, Choices
from schemas.kernel.entries import entry
from schemas.kernel.people import Part
from schemas.kernel.procedure import Command
from schemas.kernel.rules import By
from schemas.kernel.state import DeclaredState
from schemas.kernel.timers import LimitOf, Timer, duty, window
from schemas.parts.agreed import OPEN, DatedDuty, Standing
from schemas.values.document import Document
from schemas.values.references import TextReference
from schemas.values.refusals import say

DUTY, CURE, ACCEPT = "duty", "cure", "accept_duty"
"""The clocks of each duty, `duty:CODE`: until its day, for curing what was missed, and of who accepts what was proved."""


class DutiesState(DeclaredState):
    """A case with dated duties. `proofs_given`: how often something was proved in it."""

    duties: list[DatedDuty] = []
    proofs_given: int = 0

    def duty_of(self, code: str) -> DatedDuty:
        """The duty of a code. Raises LookupError: there is none."""
        found = next((each for each in self.duties if each.code == code), None)
        if found is None:
            raise LookupError(code)
        return found

    def duties_being(self, *standings: Standing) -> tuple[DatedDuty, ...]:
        """Those that are so far."""
        return tuple(each for each in self.duties if each.standing in standings)

    @property
    def duties_settled(self) -> bool:
        """Whether nothing is to be done about any of them any more."""
        return not self.duties_being(*OPEN)

    def requests(self) -> Mapping[Part, tuple[int, ...]]:
        """What was proved and waits for the other side's word."""
        waiting = (each.proof for each in self.duties_being(Standing.PROVED))
        return {**super().requests(), Part.DUTY_PROVED: tuple(proof for proof in waiting if proof is not None)}

    def took_part(self) -> Mapping[Part, tuple[str, ...]]:
        """Who proved what waits: they do not accept it."""
        proved = (each.proved_by for each in self.duties_being(Standing.PROVED))
        return {**super().took_part(), Part.DUTY_PROVED: tuple(who for who in proved if who)}


# ---- what people do ---------------------------------------------------------------------------------------------------


class OfDuty(Command):
    """A command about one duty, by its code."""

    duty: Code

    @classmethod
    def about(cls) -> tuple[Standing, ...]:
        """Which duties it may be about."""
        return OPEN

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """The duties that are so far."""
        if not isinstance(state, DutiesState):
            return {}
        codes = tuple(each.code for each in state.duties_being(*cls.about()))
        return {"duty": Choices(codes, say("不是现在可办理的义务", "is no duty about which this can be done now"))}


class ProveDuty(OfDuty):
    """举证履行: somebody says that it is done, and shows it; the other side accepts it or does not."""

    proof: TextReference
    documents: Annotated[tuple[Document, ...], Field(max_length=10)] = ()

    @classmethod
    def about(cls) -> tuple[Standing, ...]:
        """What is due, and what was missed and can still be cured."""
        return (Standing.DUE, Standing.MISSED)


class AcceptDuty(AnswerTo):
    """认可履行: the other side has seen it. `request`: what was proved, by its number."""

    part = Part.DUTY_PROVED
    request: RequestNumber


class RejectDuty(AnswerTo):
    """不予认可: it is not done; it is due on its day, or to be cured."""

    part = Part.DUTY_PROVED
    request: RequestNumber
    reason: TextReference


class WaiveDuty(OfDuty):
    """免除: nobody asks for it any more, this time or (`for_good`) at all."""

    reason: TextReference
    for_good: bool = False


class DutyEntries:
    """What the ledger says of it."""

    DUTY_AGREED = entry("duty:agreed", "约定义务")
    DUTY_PROVED = entry("duty:proved", "举证履行")
    DUTY_ACCEPTED = entry("duty:accepted", "认可履行")
    DUTY_UNCONTESTED = entry("duty:uncontested", "逾期未异议,视为认可")
    DUTY_REJECTED = entry("duty:rejected", "不予认可")
    DUTY_MISSED = entry("duty:missed", "到期未履行")
    DUTY_BROKEN = entry("duty:broken", "逾期未补救")
    DUTY_WAIVED = entry("duty:waived", "免除义务")


def duty_timers(
    *, owed_by: str, accepted_by: str, silence_accepts: bool, cure: str | LimitOf = CURE, accept: str | LimitOf = ACCEPT
) -> dict[str, Timer]:
    """Its clocks. `owed_by`, `accepted_by`: who is warned, as codes. `silence_accepts`: who does not object in time accepts."""
    of_acceptance = "认可履行", "acceptance of a duty", accept
    accepts = (
        window(*of_acceptance, warns=True, warned=accepted_by)
        if silence_accepts
        else duty(*of_acceptance, warned=accepted_by)
    )
    return {
        DUTY: duty("约定义务", "agreed duty", None, warned=owed_by, beside=True),
        CURE: window("补救", "time to cure", cure, warns=True, warned=owed_by),
        ACCEPT: accepts,
    }


def duty_lines(
    kinds: type[DutyEntries],
    *,
    at: Stages,
    proved_by: Sequence[By],
    accepted_by: Sequence[By],
    waived_by: Sequence[By],
    to: Stages = (),
    apart_from: Sequence[Part] = (),
) -> tuple[Act | Step, ...]:
    """The lines of it. `to`: where a case may stand when something is settled.

    `apart_from`: who does not accept, besides who proved.
    """
    others = (Part.DUTY_PROVED, *apart_from)
    return (
        act(
            ProveDuty,
            "举证履行",
            by=proved_by,
            at=at,
            part=Part.DUTY_PROVED,
            entry=kinds.DUTY_PROVED,
        ),
        act(
            AcceptDuty,
            "认可履行",
            by=accepted_by,
            at=at,
            to=to,
            apart_from=others,
            answers=(Part.DUTY_PROVED,),
            entry=kinds.DUTY_ACCEPTED,
        ),
        act(
            RejectDuty,
            "不予认可",
            by=accepted_by,
            at=at,
            apart_from=others,
            answers=(Part.DUTY_PROVED,),
            entry=kinds.DUTY_REJECTED,
        ),
        act(WaiveDuty, "免除义务", by=waived_by, at=at, to=to, entry=kinds.DUTY_WAIVED),
        step("miss_duty", "到期未履行", at=at),
        step("break_duty", "逾期未补救", at=at, to=to),
    )
