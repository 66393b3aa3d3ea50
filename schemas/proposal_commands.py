"""What people do about a proposal, beside what the parts bring: screen, score, sign, show invoices, change, settle."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from schemas.contracts.department import Code
from schemas.contracts.payment import Fen
from schemas.kernel.answers import AnswerTo, RequestNumber
from schemas.kernel.case import CaseState
from schemas.kernel.choices import Bounds, Choices
from schemas.kernel.people import Part, among, how_many, same_account
from schemas.kernel.policy import Policy
from schemas.kernel.procedure import Command
from schemas.parts.instalments import VerifyMilestone
from schemas.parts.ranking import FULL
from schemas.proposal_carrier import NAMED_BY_NOBODY, faults_of_person, of_carrier_person
from schemas.proposal_state import ProposalState, Stage
from schemas.round_policy import Criterion, RoundPolicy
from schemas.values.account import AccountCode
from schemas.values.actor import Actor
from schemas.values.bank_account import AccountReference
from schemas.values.document import Document
from schemas.values.organisation import OrganisationCode
from schemas.values.references import TextReference, WrittenAs
from schemas.values.refusals import Fault, say
from schemas.values.typed_code import Tidied
from schemas.words.field_words import FieldWords

InvoiceNumber = Annotated[
    str, StringConstraints(pattern=r"^[0-9]{8,20}$"), Tidied, Field(examples=["25322000000012345678"])
]
"""The number of an invoice 发票号码 as it stands on it. It stands in the vault, and by its blind index once over all cases."""

Points = Annotated[int, Field(strict=True, ge=0, le=100)]


class RefuseByList(Command):
    """初筛不通过: what it asks for stands on the negative list, and why."""

    ground: Annotated[Code, FieldWords("负面清单条目", "line of the negative list")]
    reason: TextReference

    @classmethod
    def listed(cls, policy: Policy | None) -> Mapping[str, tuple[str, ...]]:
        """The lines of the town's list."""
        return {"ground": tuple(policy.terms.negative_list)} if isinstance(policy, RoundPolicy) else {}

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """The lines of the list by which its round goes."""
        if not isinstance(state, ProposalState):
            return {}
        reason = say("不在负面清单之列", "is no line of the negative list")
        return {"ground": Choices(tuple(state.terms.negative_list), reason)}


class Revise(Command):
    """补正: another plan, in answer to what was asked for. Costs, carrier and team stay as they are."""

    plan: TextReference


class Score(Command):
    """评分: one juror's points by criterion; nobody else of the jury sees them."""

    need: Annotated[Points, FieldWords("需求", "need")]
    feasible: Annotated[Points, FieldWords("可行性", "feasible")]
    takes_part: Annotated[Points, FieldWords("居民参与", "residents take part")]
    cost: Annotated[Points, FieldWords("经费合理", "cost")]
    lasting: Annotated[Points, FieldWords("可持续", "lasting")]
    novel: Annotated[Points, FieldWords("创新", "new")]

    @property
    def points(self) -> dict[Criterion, int]:
        """All of them."""
        return {each: getattr(self, each) for each in Criterion}

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """No more than a criterion is worth."""
        if not isinstance(state, ProposalState):
            return {}
        most = {each.value: state.terms.weight_of(each) for each in Criterion}
        return {
            name: Bounds(
                0, worth, say(f"该项最高{worth}分", f"it is worth {worth} points"), say("请核对分值", "look again")
            )
            for name, worth in most.items()
        }


class SeatJuror(Command):
    """增补评委: somebody judges in place of whoever recused themselves, or did not come in time; another person confirms it."""

    juror: Annotated[AccountCode, FieldWords("评委账号", "account of the juror")]
    of_street: Annotated[bool, FieldWords("是否街道人员", "of the street")] = False

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Nobody twice, nobody of a team of the round or tied to it; no more than were announced, nor more of the street."""
        found = list(super().faults(state))
        if not isinstance(state, ProposalState):
            return tuple(found)
        carriers = [person for _, person in state.carriers]
        if among(self.juror, (*state.jury, *state.related, *state.team, *state.rivals, *carriers)):
            found.append(_of_juror(say("已是评委,或属参赛团队,或应回避", "is of the jury, of a team, or tied to it")))
        if not state.seats_free:
            found.append(_of_juror(say("评委已满额", "the jury is as large as it was announced")))
        street = how_many(each for each in state.jurors if among(each, state.street_jurors)) + self.of_street
        if self.of_street and FULL * street > state.terms.street_percent * (len(state.jurors) + 1):
            most = state.terms.street_percent
            found.append(
                _of_juror(say(f"街道人员不得超过{most}%", f"{most} % of a jury are of the street at the most"))
            )
        return tuple(found)


def _of_juror(reason: str) -> Fault:
    return Fault(field="juror", reason=reason, remedy=say("请另选评委", "name another one"))


class ConfirmJuror(AnswerTo):
    """确认增补评委: another person than who named them; `right`: they judge it, else somebody else is named."""

    part = Part.JUROR_NAMED
    request: RequestNumber
    right: Annotated[bool, FieldWords("是否同意", "agreed")]

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Right only while it still is: a seat may have been filled, and the share of the street another one by now."""
        found = super().faults(state)
        if (
            not isinstance(state, ProposalState)
            or not self.right
            or state.seat is None
            or not state.seat.looked_at_anew
        ):
            return found
        named = SeatJuror(juror=state.seat.juror, of_street=state.seat.of_street)
        return (*found, *(fault.model_copy(update={"field": "right"}) for fault in named.faults(state)))


class OfferContract(Command):
    """拟定协议: milestones, instalments, proof, and when the money stops; the team has the word."""

    text: TextReference
    document: Document


class SignContract(AnswerTo):
    """签约: whoever speaks for the team agrees to this very contract."""

    part = Part.AGREEMENT_PROPOSED
    request: RequestNumber


class DeclineContract(AnswerTo):
    """不同意协议: and why; another one may be drawn up in the time that is left."""

    part = Part.AGREEMENT_PROPOSED
    request: RequestNumber
    reason: TextReference


class FileInvoice(Command):
    """登记发票: what is said to be spent, by an invoice; it counts when another person has accepted it."""

    invoice: Annotated[TextReference, WrittenAs(InvoiceNumber), FieldWords("发票号码", "number of the invoice")]
    amount_fen: Fen
    document: Document
    of_carrier: Annotated[
        OrganisationCode | None,
        Field(default=None, exclude_if=lambda code: code is None),
        FieldWords("原承接方统一社会信用代码", "code of a carrier before, whose money was spent"),
    ] = None

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """Who was paid: the carrier that stands now, unless another one is named."""
        if not isinstance(state, ProposalState):
            return {}
        return {"of_carrier": Choices(state.payers, say("不是本案承接方", "was no carrier of this proposal"))}

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """So many and no more; and whose money was spent, where more than one carrier had some."""
        found = super().faults(state)
        if not isinstance(state, ProposalState):
            return found
        if state.paid_before and self.of_carrier is None:
            found = (*found, _OF_WHICH_CARRIER)
        if len(state.invoices) < state.terms.invoices_at_most:
            return found
        said = say(f"发票已达{state.terms.invoices_at_most}张", f"there are {state.terms.invoices_at_most}, the most")
        return (*found, Fault(field="invoice", reason=said, remedy=say("请合并开具", "have them put together")))


_OF_WHICH_CARRIER = Fault(
    field="of_carrier",
    reason=say(
        "本案更换过承接方,须写明所用资金属于哪一承接方",
        "more than one carrier was paid: whose money was spent is named",
    ),
    remedy=say("请填写该承接方统一社会信用代码", "give the code of that carrier, also of the present one"),
)


class ConfirmMilestone(VerifyMilestone):
    """复核验收: a second person, of the street or over it, has looked; only now its instalment is paid, or it is claimed anew."""

    part = Part.MILESTONE_VERIFIED


class AcceptInvoice(AnswerTo):
    """认可发票: another person has seen the invoice and what was bought; only now it shows that money was spent."""

    part = Part.INVOICE_FILED
    request: RequestNumber


class RefuseInvoice(AnswerTo):
    """不予认可发票: and why; it shows nothing, and its number is free again for a right one."""

    part = Part.INVOICE_FILED
    request: RequestNumber
    reason: TextReference


class AskChange(Command):
    """申请变更: more time for the milestone that runs, or another carrier with its account; never more money.

    Another carrier is the team's own wish: whoever signed the contract asks for it, and nobody of the town. `carrier_person` speaks
    for it, and agrees itself; alone, it is another person of the same carrier, of which code and account stay as they are.
    """

    reason: TextReference
    carrier: OrganisationCode | None = None
    carrier_name: TextReference | None = None
    account: AccountReference | None = None
    carrier_person: AccountCode | None = NAMED_BY_NOBODY

    @model_validator(mode="after")
    def _a_carrier_is_named_whole(self) -> Self:
        if len({each is None for each in (self.carrier, self.carrier_name, self.account)}) > 1:
            raise ValueError(
                "carrier: 更换承接方须同时写明代码、名称和账户 (another carrier has its code, name and account)"
            )
        return self

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Besides: whoever speaks for a carrier is named with it, and is of neither team nor jury.

        Where nobody speaks for the present one, nobody need be named: what was taken before there was such a word stays right
        when it is heard anew (a late clock beside it has the case look at its faults once more).
        """
        found = list(super().faults(state))
        if not isinstance(state, ProposalState):
            return tuple(found)
        if state.stage == Stage.ACCOUNTING and (self.carrier or self.carrier_person) is None:
            found.append(_NO_MORE_TIME)
        if state.carrier_person is None:
            if self.carrier is None and self.carrier_person is not None:
                found.append(
                    of_carrier_person(say("本案无承接方代表", "nobody speaks for the carrier of this proposal"))
                )
        elif self.carrier is not None and self.carrier_person is None:
            said = say("更换承接方须写明其代表账号", "another carrier is named with whoever speaks for it")
            found.append(of_carrier_person(said))
        elif self.carrier == state.carrier:
            found.append(_OF_THE_SAME_CARRIER)
        elif self.carrier_person is not None and same_account(self.carrier_person, state.carrier_person):
            found.append(of_carrier_person(say("现任代表即是此人", "they speak for the present carrier")))
        if self.carrier_person is not None:
            found.extend(
                faults_of_person(self.carrier_person, team=state.team, jury=state.jury, opener=state.announced_by)
            )
        return tuple(found)

    def not_theirs(self, state: CaseState, actor: Actor, now: datetime) -> tuple[Fault, ...]:
        """Staff ask for time alone."""
        found = super().not_theirs(state, actor, now)
        if (self.carrier or self.carrier_person) is None or same_account(actor.subject, state.reporter_subject):
            return found
        said = say("更换承接方须由签约人本人提出", "another carrier is asked for by whoever signed for the team")
        return (*found, Fault(field="carrier", reason=said, remedy=say("请由团队申请", "let the team ask for it")))


_NO_MORE_TIME = Fault(
    field="carrier",
    reason=say("里程碑均已验收,无须延期", "all milestones are reached: no more time is needed"),
    remedy=say("请写明另一承接方或其代表", "name another carrier, or another person of it"),
)
_OF_THE_SAME_CARRIER = Fault(
    field="carrier",
    reason=say("与现承接方为同一单位", "it is the present carrier"),
    remedy=say(
        "仅更换代表的不填代码、名称和账户;账户另行申请变更",
        "leave out code, name and account where another person speaks for it; ask for another account by change_account",
    ),
)


class GrantChange(AnswerTo):
    """同意变更: another person than who asked for it."""

    part = Part.CHANGE_ASKED
    request: RequestNumber


class RefuseChange(AnswerTo):
    """不同意变更: and why; it goes on as it was agreed."""

    part = Part.CHANGE_ASKED
    request: RequestNumber
    reason: TextReference


class GoOn(AnswerTo):
    """恢复: another person than who halted it has seen that it may go on; the time in between is not counted."""

    part = Part.HALTED
    request: RequestNumber
    reason: TextReference


class Terminate(AnswerTo):
    """终止: another person than who halted it calls it off; what is not shown to be spent comes back."""

    part = Part.HALTED
    request: RequestNumber
    reason: TextReference


class Account(Command):
    """决算: what was done in all; what was spent is what its invoices show."""

    result: TextReference
    documents: tuple[Document, ...] = Field(min_length=1, max_length=10)


class SettleAccount(AnswerTo):
    """核定决算: another person has looked at place and papers. Not `accepted`, it is handed in again."""

    part = Part.ACCOUNTED
    request: RequestNumber
    accepted: Annotated[bool, FieldWords("是否核定", "accepted")]
    finding: TextReference
