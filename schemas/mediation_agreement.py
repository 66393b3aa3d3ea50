"""mediation 人民调解: what is agreed and signed, confirmed and kept; and where everybody goes whom it did not help."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from schemas.clocks.calendar import in_shanghai
from schemas.contracts.payment import Fen
from schemas.kernel.case import CaseState
from schemas.kernel.choices import Bounds, Choices
from schemas.kernel.policy import Policy
from schemas.kernel.procedure import Command
from schemas.mediation_sides import OfOneSide, one_of
from schemas.mediation_state import Clause, Confirmation, MediationState
from schemas.parts.departments import ToDepartment
from schemas.parts.duties import OfDuty
from schemas.values.actor import Actor, Role
from schemas.values.references import TextReference
from schemas.values.refusals import Fault, say

TEN_YEARS = timedelta(days=3650)
"""As far ahead as days are agreed on; the longest that a clock counts is eleven years."""


class WithClauses(Command):
    """What is agreed: in words, and each duty in figures. `total_fen`: what all of it comes to."""

    text: TextReference
    clauses: Annotated[tuple[Clause, ...], Field(min_length=1, max_length=40)]

    @classmethod
    def choices_by_field(cls, state: CaseState, policy: Policy | None) -> Mapping[str, Sequence[Any]]:
        """Who owes something, and to whom: one of the sides."""
        sides = tuple(state.sides) if isinstance(state, MediationState) else ()
        return {**super().choices_by_field(state, policy), "clauses.*.debtor": sides, "clauses.*.creditor": sides}

    total_fen: Fen | None = None

    def not_theirs(self, state: CaseState, actor: Actor, now: datetime) -> tuple[Fault, ...]:  # noqa: ARG002 - of everybody
        """Days that come, and not too late for anybody to wait for."""
        today = in_shanghai(now).date()
        return tuple(
            Fault(
                field=f"clauses.{number}.first_on",
                reason=say("日期已过,或在十年以后", "has passed, or is more than ten years from now"),
                remedy=say("请写将来的日期", "write a day to come"),
            )
            for number, each in enumerate(self.clauses)
            if each.first_on is not None and not today <= each.first_on <= today + TEN_YEARS
        )

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Sides of the case, each duty by a name of its own, a sum that is the sum, and over the limit a lawyer was heard."""
        assert isinstance(state, MediationState)  # noqa: S101 - of mediation
        return (
            *self._side_faults(state),
            *self._code_faults(state),
            *self._sum_faults(),
            *self._lawyer_faults(state),
        )

    def _lawyer_faults(self, state: MediationState) -> Iterator[Fault]:
        limit = state.terms.lawyer_over_fen
        if (self.total_fen or 0) > limit and not state.lawyer_heard:
            said = say(f"超过{limit}分须有律师意见", f"over {limit} fen a lawyer is heard first")
            yield Fault(field="total_fen", reason=said, remedy=say("请邀请律师", "invite a lawyer"))

    def _side_faults(self, state: MediationState) -> Iterator[Fault]:
        for number, each in enumerate(self.clauses):
            place = f"clauses.{number}"
            for field in ("debtor", "creditor"):
                if getattr(each, field) not in state.sides:
                    yield one_of(f"{place}.{field}", getattr(each, field), state.sides)
            if each.debtor == each.creditor:
                said = say("义务人与权利人是同一方", "nobody owes anything to their own side")
                yield Fault(field=f"{place}.creditor", reason=said, remedy=say("请核对", "name another side"))

    def _code_faults(self, state: MediationState) -> Iterator[Fault]:
        used = [each.code for each in state.duties]
        for number, each in enumerate(self.clauses):
            if each.code in used:
                said = say("条款编号重复", "there is another one of this code")
                yield Fault(field=f"clauses.{number}.code", reason=said, remedy=say("请另编", "choose another"))
            used.append(each.code)

    def _sum_faults(self) -> Iterator[Fault]:
        summed = sum(each.total_fen for each in self.clauses)
        if summed != (self.total_fen or 0):
            said = say(
                f"各期合计{summed}分,与总额{self.total_fen or 0}分不符",
                f"its parts come to {summed} fen, and the whole is said to be {self.total_fen or 0}",
            )
            yield Fault(field="total_fen", reason=said, remedy=say("请核对各期金额", "mend the parts or the whole"))


class DraftAgreement(WithClauses):
    """协议草案: what every side will sign. `acceleration`: with one time missed, the rest falls due."""

    acceleration: bool = False


class RecordOral(WithClauses):
    """口头协议: put to every side, and in force as soon as all agree (Mediation Law, 28, 30). No instalments, and small sums."""

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Each duty once, and not much."""
        assert isinstance(state, MediationState)  # noqa: S101 - of mediation
        found, most = list(super().faults(state)), state.terms.oral_under_fen
        if any(each.times > 1 for each in self.clauses):
            said = say("分期履行须书面协议", "instalments are written down and signed")
            found.append(Fault(field="clauses", reason=said, remedy=say("请拟书面协议", "draft an agreement")))
        if (self.total_fen or 0) >= most:
            said = say(f"{most}分以上须书面协议", f"from {most} fen on it is written down and signed")
            found.append(Fault(field="total_fen", reason=said, remedy=say("请拟书面协议", "draft an agreement")))
        return tuple(found)


class Vary(WithClauses):
    """变更协议: other duties in place of those that are not settled, if every side agrees."""


class Sign(OfOneSide):
    """签署: each side for itself, the mediator, and the committee by its seal; in force with the last (Mediation Law, 29)."""

    def not_theirs(self, state: CaseState, actor: Actor, now: datetime) -> tuple[Fault, ...]:
        """Who is of no side signs as who they are."""
        of_no_side = {Role.MEDIATOR, Role.COMMITTEE_OFFICER}
        return () if actor.role in of_no_side and self.side is None else super().not_theirs(state, actor, now)


class RefuseSign(OfOneSide):
    """拒签: the draft is gone, and mediation goes on."""


class AskConfirmation(OfOneSide):
    """申请司法确认: each side by its own channel, within 30 days (Mediation Law, 33); filed when every side has asked."""


class TakeBack(OfOneSide):
    """撤回司法确认申请: any side may, until the court has answered."""


class Acknowledge(OfDuty):
    """确认已履行: whoever it was owed to says that it was done after all."""

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """The duties that were broken, and not made good since."""
        broken = tuple(dict.fromkeys(state.broken)) if isinstance(state, MediationState) else ()
        return {"duty": Choices(broken, say("没有逾期未补救的这项义务", "was not broken"))}

    def not_theirs(self, state: CaseState, actor: Actor, now: datetime) -> tuple[Fault, ...]:  # noqa: ARG002 - as declared
        """Only whoever it was owed to."""
        assert isinstance(state, MediationState)  # noqa: S101 - of mediation
        side = state.side_of(actor.subject)
        owed = any(each.code == self.duty and each.creditor == side for each in state.clauses)
        said = say("不是对您的义务", "it was not owed to your side")
        return () if owed else (Fault(field="duty", reason=said, remedy=say("由权利人确认", "they say so")),)


class ClosedListGround(StrEnum):
    """不予受理的法定情形 (人民调解工作若干规定): the list is closed."""

    AUTHORITY_ALONE = "authority_alone"
    LAW_FORBIDS = "law_forbids"
    SETTLED_OR_PENDING = "settled_or_pending"
    SIDE_REFUSES = "side_refuses"
    CRIME = "crime"
    AGAINST_AN_OFFICE = "against_an_office"


class WayOut(StrEnum):
    """救济途径: where somebody goes whom mediation did not help."""

    COURT = "court"
    ARBITRATION = "arbitration"
    AUTHORITY = "authority"
    POLICE = "police"
    LEGAL_AID = "legal_aid"
    PAYMENT_ORDER = "payment_order"
    ENFORCEMENT = "enforcement"


class RefuseCase(Command):
    """不予受理: by which ground of the closed list, and where to go instead."""

    ground: ClosedListGround
    way_out: WayOut
    explanation: TextReference


class EndWithGuidance(Command):
    """How it ends, and where everybody can go."""

    way_out: WayOut
    guidance: TextReference


class GuideRemedy(EndWithGuidance):
    """告知救济: it was not kept. What a court has confirmed is enforced; else there are suit and payment order."""

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Nothing is enforced that no court has confirmed."""
        confirmed = isinstance(state, MediationState) and state.confirmation == Confirmation.CONFIRMED
        if (self.way_out is WayOut.ENFORCEMENT) <= confirmed:
            return ()
        said = say("未经司法确认,不能申请强制执行", "no court has confirmed it: it is not enforced")
        return (Fault(field="way_out", reason=said, remedy=say("可起诉或申请支付令", "name suit or payment order")),)


class Transfer(ToDepartment):
    """移送: another authority has to decide it."""


class FollowUp(Command):
    """回访: by somebody who did not mediate. Was there such a dispute, is it kept, is anything new, are they content?"""

    was_so: bool
    kept: bool
    content: bool
    new_friction: bool
    finding: TextReference
