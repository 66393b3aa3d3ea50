"""约定义务 duties with a date: once or again and again, proved by one side and accepted by another; missed, cured, broken, waived.

    due -> proved -> kept                    accepted by the other side, or nobody objected in time
     |  ^    |
     |  +----+ not accepted, and the day has not come yet
     +-> missed -> proved                    cured, within its time
            +-> broken                       not cured
    from anywhere: waived                    this time, or for good

What is agreed on has a first day and comes again every week, month, quarter or year, on the same day of it (on the last one of
a shorter month); it is due by 24:00 of that day, and each time is settled by itself. Silence of who accepts: the clock
`accept_duty` is a duty (somebody is late) or a window (nobody objected), as the procedure says.

Both sides may owe: `counter_duty_lines()` are those of the other one, and each side accepts what the other has proved. What hangs
on the other side's duty rests while that is missed, broken or reported: its day passes, and nobody was late. `figure_lines()`:
shares of a figure, which one side states and somebody else checks, before the sum is due. `waiver_lines()`: on two people's word,
so often a year and never of money; a gift in hardship likewise.

Sources: 人民调解法 (what was agreed on is performed, and somebody sees to it), 民法典 (a month without that day ends on its last
one; who is late is given time to cure), L for silence. A procedure puts `duty_lines()` into its table, gives its entries
`DutyEntries`, its clocks `duty_timers()`, its state `DutiesState` and its workflow `DatedDuties` (workflows/parts/duties.py).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import Field

from schemas.contracts.department import Code
from schemas.contracts.payment import Fen
from schemas.kernel.acts import Act, Stages, Step, act, step
from schemas.kernel.answers import AnswerTo, RequestNumber
from schemas.kernel.case import CaseState
from schemas.kernel.choices import Bounds, Choices
from schemas.kernel.entries import entry
from schemas.kernel.people import Part
from schemas.kernel.procedure import Command
from schemas.kernel.reference_facts import Refers
from schemas.kernel.rules import By
from schemas.kernel.state import DeclaredState
from schemas.kernel.timers import LimitOf, Timer, duty, window
from schemas.parts.agreed import OPEN, DatedDuty, Side, Standing
from schemas.values.actor import Actor
from schemas.values.document import Document
from schemas.values.foreign_code import KeptCode
from schemas.values.references import TextReference
from schemas.values.refusals import Fault, say
from schemas.words.field_words import FieldWords

DUTY, CURE, ACCEPT = "duty", "cure", "accept_duty"
"""The clocks of each duty, `duty:CODE`: until its day, for curing what was missed, and of who accepts what was proved."""

LOOK_INTO_REPORT = "look_into_report"
"""The clock of whoever looks into what one side says of the other, `look_into_report:CODE`."""


class DutiesState(DeclaredState):
    """A case with dated duties. `proofs_given`: how often something was proved in it, `duty_requests` what else was asked.

    `receipts`: the lines of the bank by which sums were proved, but for those that nobody accepted.
    """

    duties: list[DatedDuty] = []
    receipts: list[str] = []
    proofs_given: int = 0
    duty_requests: int = 0

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

    def may_prove(self, duty: DatedDuty, actor: Actor) -> bool:  # noqa: ARG002 - most ask the table alone
        """Whether this very person may prove this duty, whom the table lets: everybody, unless sides owe each other."""
        return True

    def may_accept(self, duty: DatedDuty, actor: Actor) -> bool:  # noqa: ARG002 - as above
        """The same of accepting or rejecting what was proved, and of waiving it."""
        return True

    def duties_owed_by(self, side: Side) -> tuple[DatedDuty, ...]:
        """What one side owes."""
        return tuple(each for each in self.duties if each.agreed.side is side)

    def rests(self, duty: DatedDuty) -> bool:
        """Whether it rests, because the other side has not done what it hangs on."""
        return any(each.fails for each in self.duties if each.code in duty.agreed.rests_on)

    def may_be_waived(self, duty: DatedDuty) -> bool:
        """Whether a time of it may be waived: never of money, and not more often in the year of its day than the town says."""
        return (
            duty.open
            and not duty.agreed.is_money
            and duty.waiver is None
            and duty.waived_in.count(duty.due_on.year) < getattr(self.terms, "waivers_a_year", 0)
        )

    def _proved(self, side: Side) -> tuple[DatedDuty, ...]:
        return tuple(each for each in self.duties_being(Standing.PROVED) if each.agreed.side is side)

    @property
    def _stated(self) -> tuple[DatedDuty, ...]:
        return tuple(each for each in self.duties if each.figure is not None and not each.figure.checked)

    def requests(self) -> Mapping[Part, tuple[int, ...]]:
        """What was proved and waits for the other side's word; waivers that were asked for, and figures that were stated."""
        return {
            **super().requests(),
            Part.DUTY_PROVED: tuple(each.proof for each in self._proved(Side.PARTY) if each.proof),
            Part.COUNTER_DUTY_PROVED: tuple(each.proof for each in self._proved(Side.COUNTERPARTY) if each.proof),
            Part.WAIVER_ASKED: tuple(each.waiver.number for each in self.duties if each.waiver),
            Part.FIGURE_STATED: tuple(each.figure.number for each in self._stated if each.figure),
        }

    def took_part(self) -> Mapping[Part, tuple[str, ...]]:
        """Who proved, asked for or stated what waits: they do not answer it."""
        return {
            **super().took_part(),
            Part.DUTY_PROVED: tuple(each.proved_by for each in self._proved(Side.PARTY) if each.proved_by),
            Part.COUNTER_DUTY_PROVED: tuple(
                each.proved_by for each in self._proved(Side.COUNTERPARTY) if each.proved_by
            ),
            Part.WAIVER_ASKED: tuple(each.waiver.asked_by for each in self.duties if each.waiver),
            Part.FIGURE_STATED: tuple(each.figure.stated_by for each in self._stated if each.figure),
        }


# ---- what people do ---------------------------------------------------------------------------------------------------


class OfDuty(Command):
    """A command about one duty, by its code."""

    duty: Code

    @classmethod
    def is_about(cls, duty: DatedDuty, state: DutiesState) -> bool:  # noqa: ARG003 - some look at the case besides
        """Whether it may be about this duty now."""
        return duty.open

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """The duties that are so far."""
        if not isinstance(state, DutiesState):
            return {}
        codes = tuple(each.code for each in state.duties if cls.is_about(each, state))
        return {"duty": Choices(codes, say("不是现在可办理的义务", "is no duty about which this can be done now"))}


class ProveDuty(OfDuty):
    """举证履行: somebody says that it is done, and shows it; the other side accepts it or does not.

    `held`: of a level, how many are held on its day. Of a sum: `amount_fen`, which is the very sum, and the number of the bank's
    line, `receipt`.
    """

    side: ClassVar[Side] = Side.PARTY

    proof: TextReference
    documents: Annotated[tuple[Document, ...], Field(max_length=10)] = ()
    held: Annotated[int | None, Field(strict=True, ge=0, le=10_000), FieldWords("保持数", "held")] = None
    amount_fen: Fen | None = None
    receipt: KeptCode | None = None

    @classmethod
    def is_about(cls, duty: DatedDuty, state: DutiesState) -> bool:  # noqa: ARG003 - of every procedure
        """What this side owes, is due, or was missed and can still be cured; a share only when its figure is checked."""
        ready = not duty.agreed.is_money or duty.sum_fen is not None
        return duty.agreed.side is cls.side and duty.standing in (Standing.DUE, Standing.MISSED) and ready

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Refuse a proof of less than was agreed: it would prove that it is not done."""
        found = super().faults(state)
        if found or not isinstance(state, DutiesState):
            return found
        duty = state.duty_of(self.duty)
        return (
            *_level_faults(self.held, duty.agreed.level),
            *_sum_faults(self.amount_fen, self.receipt, duty.sum_fen),
            *_receipt_faults(self.receipt, state),
        )

    def not_theirs(self, state: CaseState, actor: Actor, now: datetime) -> tuple[Fault, ...]:  # noqa: ARG002 - at any time
        """Who owes it proves it."""
        return _not_theirs("duty", (_by_code(state, self.duty),), lambda case, duty: case.may_prove(duty, actor), state)


def _level_faults(held: int | None, level: int | None) -> Iterator[Fault]:
    if level is not None and (held is None or held < level):
        yield Fault(
            field="held",
            reason=say(f"须保持{level},所报不足", f"{level} are to be held, and this says less"),
            remedy=say("达到后再举证", "prove it when they are"),
        )


def _sum_faults(amount_fen: int | None, receipt: str | None, due_fen: int | None) -> Iterator[Fault]:
    if due_fen is None:
        return
    if amount_fen != due_fen:
        yield Fault(
            field="amount_fen",
            reason=say(f"应付{due_fen}分", f"{due_fen} fen are due, and this is another sum"),
            remedy=say("请足额支付后举证", "pay the whole sum, then prove it"),
        )
    if receipt is None:
        yield Fault(
            field="receipt",
            reason=say("须写明入账流水号", "money is proved by the line of the bank"),
            remedy=say("请填写流水号", "name the number of the line"),
        )


def _receipt_faults(receipt: str | None, state: DutiesState) -> Iterator[Fault]:
    """One line of the bank is one sum."""
    if receipt is not None and receipt in state.receipts:
        yield Fault(
            field="receipt",
            reason=say("该流水号已用于另一次举证", "this line of the bank has proved another sum"),
            remedy=say("请填写本次入账的流水号", "name the line of this very sum"),
        )


class ProveCounterDuty(ProveDuty):
    """对方举证履行: the same of what the other side owes."""

    side = Side.COUNTERPARTY


class AcceptDuty(AnswerTo):
    """认可履行: the other side has seen it. `request`: what was proved, by its number."""

    part = Part.DUTY_PROVED
    request: RequestNumber

    def not_theirs(self, state: CaseState, actor: Actor, now: datetime) -> tuple[Fault, ...]:  # noqa: ARG002 - at any time
        """Whoever it is owed to accepts it."""
        return _not_theirs(
            "request", _proved_as(state, self.request), lambda case, duty: case.may_accept(duty, actor), state
        )


class RejectDuty(AnswerTo):
    """不予认可: it is not done; it is due on its day, or to be cured."""

    part = Part.DUTY_PROVED
    request: RequestNumber
    reason: TextReference

    def not_theirs(self, state: CaseState, actor: Actor, now: datetime) -> tuple[Fault, ...]:  # noqa: ARG002 - at any time
        """Whoever it is owed to does not accept it."""
        return _not_theirs(
            "request", _proved_as(state, self.request), lambda case, duty: case.may_accept(duty, actor), state
        )


class AcceptCounterDuty(AcceptDuty):
    """认可对方履行: the same of what the other side owes."""

    part = Part.COUNTER_DUTY_PROVED


class RejectCounterDuty(RejectDuty):
    """不予认可对方履行: the same of what the other side owes."""

    part = Part.COUNTER_DUTY_PROVED


class WaiveDuty(OfDuty):
    """免除: nobody asks for it any more, this time or (`for_good`) at all."""

    reason: TextReference
    for_good: bool = False

    def not_theirs(self, state: CaseState, actor: Actor, now: datetime) -> tuple[Fault, ...]:  # noqa: ARG002 - at any time
        """Whoever it is owed to gives it up."""
        return _not_theirs(
            "duty", (_by_code(state, self.duty),), lambda case, duty: case.may_accept(duty, actor), state
        )


def _by_code(state: CaseState, code: str) -> DatedDuty | None:
    duties = state.duties if isinstance(state, DutiesState) else []
    return next((each for each in duties if each.code == code), None)


def _proved_as(state: CaseState, number: int) -> tuple[DatedDuty, ...]:
    duties = state.duties_being(Standing.PROVED) if isinstance(state, DutiesState) else ()
    return tuple(each for each in duties if each.proof == number)


def _not_theirs(
    field: str, duties: Sequence[DatedDuty | None], may: Callable[[DutiesState, DatedDuty], bool], state: CaseState
) -> tuple[Fault, ...]:
    """What speaks against it that somebody says this of a duty that is another's."""
    said = say("不是您一方的义务或权利", "is owed neither by your side nor to it")
    return tuple(
        Fault(field=field, reason=said, remedy=say("由该方办理", "it is for that side"))
        for duty in duties
        if duty is not None and isinstance(state, DutiesState) and not may(state, duty)
    )


class AskWaiver(OfDuty):
    """申请免除一次: this time it need not be done; a second person says so too, and everybody reads why."""

    reason: TextReference

    @classmethod
    def is_about(cls, duty: DatedDuty, state: DutiesState) -> bool:
        """Never money, and only so often a year."""
        return state.may_be_waived(duty)


class ClaimHardship(OfDuty):
    """困难说明: who promised a gift has come into need, and shows it (Civil Code, article 666); other sums stay due."""

    reason: TextReference
    documents: Annotated[tuple[Document, ...], Field(min_length=1, max_length=10)]

    @classmethod
    def is_about(cls, duty: DatedDuty, state: DutiesState) -> bool:  # noqa: ARG003 - of every procedure
        """A gift that is still open."""
        return duty.open and duty.agreed.gift and duty.waiver is None


class GrantWaiver(AnswerTo):
    """批准免除: the second person's word on a waiver, or on a hardship."""

    part = Part.WAIVER_ASKED
    request: RequestNumber


class RefuseWaiver(AnswerTo):
    """不予免除: it stays due."""

    part = Part.WAIVER_ASKED
    request: RequestNumber
    reason: TextReference


class StateFigure(OfDuty):
    """申报经营数据: the figure of a share, this time; a loss is a stated 0, and not nothing."""

    figure_fen: Annotated[
        int, Field(strict=True, ge=0, le=10**12), FieldWords("数据(分),亏损填0", "figure in fen; of a loss 0")
    ]
    documents: Annotated[tuple[Document, ...], Field(min_length=1, max_length=10)]

    @classmethod
    def is_about(cls, duty: DatedDuty, state: DutiesState) -> bool:  # noqa: ARG003 - of every procedure
        """A share of which no figure was stated this time."""
        return (
            duty.agreed.percent is not None and duty.figure is None and duty.standing in (Standing.DUE, Standing.MISSED)
        )


class CheckFigure(AnswerTo):
    """核对经营数据: somebody else has looked at the books. Not right: it is to be stated anew."""

    part = Part.FIGURE_STATED
    request: RequestNumber
    right: Annotated[bool, FieldWords("是否属实", "it is right")]
    finding: TextReference


class ReportOtherSide(OfDuty):
    """报告对方未履行: the other side's duty is not done; what hangs on it rests from now on."""

    side: ClassVar[Side] = Side.COUNTERPARTY

    reason: TextReference

    @classmethod
    def is_about(cls, duty: DatedDuty, state: DutiesState) -> bool:  # noqa: ARG003 - of every procedure
        """What the other side owes, and was not reported before."""
        return duty.open and duty.agreed.side is cls.side and not duty.reported


class ClearReport(OfDuty):
    """核查报告: somebody of neither side has looked. Else it is done, or always was; what hangs on it is due again."""

    is_so: Annotated[bool, FieldWords("是否属实", "it is so")] = False
    finding: TextReference

    @classmethod
    def is_about(cls, duty: DatedDuty, state: DutiesState) -> bool:  # noqa: ARG003 - of every procedure
        """What was reported."""
        return duty.reported


class DutyEntries:
    """What the ledger says of it."""

    DUTY_AGREED = entry("duty:agreed", "约定义务", references={"what": Refers.TEXT})
    DUTY_PROVED = entry("duty:proved", "举证履行")
    DUTY_ACCEPTED = entry("duty:accepted", "认可履行")
    DUTY_UNCONTESTED = entry("duty:uncontested", "逾期未异议,视为认可")
    DUTY_REJECTED = entry("duty:rejected", "不予认可")
    DUTY_MISSED = entry("duty:missed", "到期未履行")
    DUTY_BROKEN = entry("duty:broken", "逾期未补救")
    DUTY_WAIVED = entry("duty:waived", "免除义务")


class CounterDutyEntries(DutyEntries):
    """Besides, where both sides owe, or shares are owed."""

    DUTY_RESTED = entry("duty:rested", "对方未履行,本期中止")
    DUTY_EXCUSED = entry("duty:excused", "困难免除")
    DUTY_REPORTED = entry("duty:reported", "报告对方未履行")
    DUTY_CLEARED = entry("duty:cleared", "核销报告")
    WAIVER_ASKED = entry("duty:waiver_asked", "申请免除")
    HARDSHIP_CLAIMED = entry("duty:hardship_claimed", "困难说明")
    WAIVER_REFUSED = entry("duty:waiver_refused", "不予免除")
    FIGURE_STATED = entry("duty:figure_stated", "申报经营数据")
    FIGURE_CHECKED = entry("duty:figure_checked", "核对经营数据")


def duty_timers(
    *,
    owed_by: str,
    accepted_by: str,
    silence_accepts: bool,
    cure: str | LimitOf = CURE,
    accept: str | LimitOf = ACCEPT,
    accept_beside: bool = False,
) -> dict[str, Timer]:
    """Its clocks. `owed_by`, `accepted_by`: who is warned, as codes. `silence_accepts`: who does not object in time accepts.

    `accept_beside`: who has not accepted in time is reported upwards, and the case goes on all the same.
    """
    of_acceptance = "认可履行", "acceptance of a duty", accept
    accepts = (
        window(*of_acceptance, warns=True, warned=accepted_by)
        if silence_accepts
        else duty(*of_acceptance, warned=accepted_by, beside=accept_beside)
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
    waived_by: Sequence[By] = (),
    to: Stages = (),
    curing: Stages = (),
    apart_from: Sequence[Part] = (),
) -> tuple[Act | Step, ...]:
    """The lines of it. `to`: where a case may stand when something is settled, `curing` when something is missed, or proved then.

    `apart_from`: who does not accept, besides who proved. `waived_by` one person alone; nobody, where `waiver_lines()` stand.
    """
    others = (Part.DUTY_PROVED, *apart_from)
    waived = (act(WaiveDuty, "免除义务", by=waived_by, at=at, to=to, entry=kinds.DUTY_WAIVED),) if waived_by else ()
    return (
        act(
            ProveDuty,
            "举证履行",
            by=proved_by,
            at=at,
            to=curing,
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
            to=curing,
            apart_from=others,
            answers=(Part.DUTY_PROVED,),
            entry=kinds.DUTY_REJECTED,
        ),
        *waived,
        step("miss_duty", "到期未履行", at=at, to=curing),
        step("break_duty", "逾期未补救", at=at, to=to),
    )


def counter_duty_lines(
    kinds: type[CounterDutyEntries],
    *,
    at: Stages,
    proved_by: Sequence[By],
    accepted_by: Sequence[By],
    to: Stages = (),
    curing: Stages = (),
    apart_from: Sequence[Part] = (),
) -> tuple[Act | Step, ...]:
    """The lines of what the other side owes, beside those of `duty_lines`, and in the same form."""
    others = (Part.COUNTER_DUTY_PROVED, *apart_from)
    answers = (Part.COUNTER_DUTY_PROVED,)
    return (
        act(
            ProveCounterDuty, "对方举证履行",
            by=proved_by, at=at, to=curing, part=Part.COUNTER_DUTY_PROVED, entry=kinds.DUTY_PROVED,
        ),
        act(
            AcceptCounterDuty, "认可对方履行",
            by=accepted_by, at=at, to=to, apart_from=others, answers=answers, entry=kinds.DUTY_ACCEPTED,
        ),
        act(
            RejectCounterDuty, "不予认可对方履行",
            by=accepted_by, at=at, to=curing, apart_from=others, answers=answers, entry=kinds.DUTY_REJECTED,
        ),
    )  # fmt: skip


def report_lines(
    kinds: type[CounterDutyEntries],
    *,
    at: Stages,
    reported_by: Sequence[By],
    cleared_by: Sequence[By],
    apart_from: Sequence[Part] = (),
) -> tuple[Act, ...]:
    """对方未履行: one side says that the other does not do its own; somebody of neither side finds whether that is so."""
    return (
        act(ReportOtherSide, "报告对方未履行", by=reported_by, at=at, entry=kinds.DUTY_REPORTED),
        act(ClearReport, "核查报告", by=cleared_by, at=at, apart_from=apart_from, entry=kinds.DUTY_CLEARED),
    )


def report_timers(*, looked_into_by: str, look: str | LimitOf = LOOK_INTO_REPORT) -> dict[str, Timer]:
    """Its clock: by their own word alone nobody rests for ever. `looked_into_by`: whose duty it is, as a code."""
    return {LOOK_INTO_REPORT: duty("核查报告", "look into a report", look, warned=looked_into_by, beside=True)}


def waiver_lines(
    kinds: type[CounterDutyEntries],
    *,
    at: Stages,
    asked_by: Sequence[By],
    granted_by: Sequence[By],
    in_hardship: Sequence[By],
    to: Stages = (),
    apart_from: Sequence[Part] = (),
) -> tuple[Act, ...]:
    """免除 on the word of two, in place of `waive_duty`; `in_hardship`: who promised gifts. Terms: `waivers_a_year`."""
    answers, apart = (Part.WAIVER_ASKED,), (Part.WAIVER_ASKED, *apart_from)
    return (
        act(AskWaiver, "申请免除", by=asked_by, at=at, part=Part.WAIVER_ASKED, entry=kinds.WAIVER_ASKED),
        act(ClaimHardship, "困难说明", by=in_hardship, at=at, part=Part.WAIVER_ASKED, entry=kinds.HARDSHIP_CLAIMED),
        act(
            GrantWaiver,
            "批准免除",
            by=granted_by,
            at=at,
            to=to,
            apart_from=apart,
            answers=answers,
            entry=kinds.DUTY_WAIVED,
        ),
        act(
            RefuseWaiver,
            "不予免除",
            by=granted_by,
            at=at,
            apart_from=apart,
            answers=answers,
            entry=kinds.WAIVER_REFUSED,
        ),
    )


def figure_lines(
    kinds: type[CounterDutyEntries],
    *,
    at: Stages,
    stated_by: Sequence[By],
    checked_by: Sequence[By],
    to: Stages = (),
    apart_from: Sequence[Part] = (),
) -> tuple[Act, ...]:
    """按比例 shares: one side states the figure, somebody else checks it; then the sum is due, and of nothing nothing is."""
    return (
        act(StateFigure, "申报经营数据", by=stated_by, at=at, part=Part.FIGURE_STATED, entry=kinds.FIGURE_STATED),
        act(
            CheckFigure, "核对经营数据", by=checked_by, at=at, to=to,
            apart_from=(Part.FIGURE_STATED, *apart_from), answers=(Part.FIGURE_STATED,), entry=kinds.FIGURE_CHECKED,
        ),
    )  # fmt: skip
