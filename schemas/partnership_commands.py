"""What people do about a partnership, as they send it (schemas/partnership.py)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, model_validator

from schemas.clocks.moments import DayOfYear
from schemas.contracts.department import Code
from schemas.contracts.payment import Fen
from schemas.kernel.answers import AnswerTo, RequestNumber
from schemas.kernel.case import CaseState
from schemas.kernel.choices import Bounds, Choices
from schemas.kernel.openings import OpeningBody
from schemas.kernel.people import Part
from schemas.kernel.policy import Policy
from schemas.kernel.procedure import Command
from schemas.partnership_drafts import DutyDraft
from schemas.partnership_state import PartnerKind, PartnershipPolicy, PartnershipState, PartnershipTerms
from schemas.parts.agreed import Recurs, Side
from schemas.values.document import Document
from schemas.values.foreign_code import KeptCode
from schemas.values.references import TextReference
from schemas.values.refusals import Fault, say
from schemas.words.field_words import FieldWords

REPEATED = "repeated"
"""The ground of a breach that is no grave one: duties were broken too often."""

NOT_OF_THE_OTHER = say("不是对方的义务", "is no duty of the other side")

Space = Annotated[KeptCode | None, FieldWords("场地编号", "number of the space")]
# The shape is wider than any town's limit: that one is policy, and says why and what to do
Months = Annotated[int, Field(strict=True, ge=1, le=120), FieldWords("期限(月)", "term in months")]


class Propose(OpeningBody):
    """提出合作: a space, a project or a need, and what is wanted for it. Of a partner it is an idea, to be offered."""

    partner_kind: PartnerKind
    title: TextReference
    gives: TextReference
    wants: TextReference
    space: Space = None
    months: Months

    def town_faults(self, policy: Any) -> Iterator[Fault]:
        """Longer than the town lets an agreement run."""
        terms: PartnershipTerms = policy.terms
        if self.months > (most := terms.months_at_most):
            said = say(f"期限超过{most}个月", f"runs longer than {most} months")
            yield Fault(field="months", reason=said, remedy=say("到期可续约", "it can be renewed at its end"))


class Offer(Command):
    """发布: to everybody, with what it is worth; of a space its number, and the written consent of whose it is."""

    worth_fen: Annotated[Fen, FieldWords("估值(分)", "worth in fen")]
    space: Space = None
    owner_agrees: Annotated[Document | None, FieldWords("产权人书面同意", "written consent of the owner")] = None

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Refuse a space without number or consent: rooms that nobody registered are given to nobody."""
        if not isinstance(state, PartnershipState):
            return ()
        space, found = self.space or state.space, list(super().faults(state))
        if space is None and state.partner_kind is PartnerKind.FIRM:
            said = say("须写明场地编号", "a firm gets a space, and it has no number")
            found.append(Fault(field="space", reason=said, remedy=say("先登记场地", "have the space registered first")))
        if space is not None and self.owner_agrees is None:
            said = say("须有产权人书面同意", "the owner of the space has not agreed in writing")
            found.append(Fault(field="owner_agrees", reason=said, remedy=say("请附同意书", "add their consent")))
        return tuple(found)


class Apply(Command):
    """应征: a partner says who they are and what they would do. `kin`: somebody of the committee is a relation of theirs."""

    name: Annotated[TextReference, FieldWords("单位或姓名", "name")]
    plan: Annotated[TextReference, FieldWords("方案", "plan")]
    kin: Annotated[bool, FieldWords("是否与居(村)委会干部有亲属关系", "kin of a committee officer")]
    documents: Annotated[tuple[Document, ...], Field(max_length=10)] = ()


class Vet(Command):
    """资格审核: what the register of firms and the barred list answer, under the register's number; a second one confirms."""

    application: Annotated[int, Field(strict=True, ge=1), FieldWords("应征序号", "number of the application")]
    registered: Annotated[bool, FieldWords("是否登记在册", "registered")]
    barred: Annotated[bool, FieldWords("是否失信或被禁", "barred")]
    receipt: KeptCode
    finding: TextReference

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """Those that nobody has vetted."""
        if not isinstance(state, PartnershipState):
            return {}
        reason = say("不在待审之列", "is no application that waits to be vetted")
        return {"application": Choices(tuple(each.number for each in state.unvetted), reason)}


class ConfirmVetting(AnswerTo):
    """资格复核: the second word. `admitted`: it may be judged; who is barred, or stands in no register, may not."""

    part = Part.VETTED
    request: RequestNumber
    admitted: Annotated[bool, FieldWords("是否通过", "admitted")]
    reason: TextReference

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Refuse to admit whom the registers do not let in."""
        found = super().faults(state)
        if found or not isinstance(state, PartnershipState) or not self.admitted:
            return found
        application = next((each for each in state.applications if each.number == self.request), None)
        if application is None or (application.registered and not application.barred):
            return ()  # another number than what waits is refused as not what was seen
        said = say("未登记或已被列入名单,不得通过", "is not registered, or barred, and cannot be admitted")
        return (Fault(field="admitted", reason=said, remedy=say("请不予通过", "do not admit it")),)


class Choose(Command):
    """择优: the one with the most points. Kin, a dear space or a tie is for the households, and no officer decides it."""

    application: Annotated[int, Field(strict=True, ge=1), FieldWords("应征序号", "number of the application")]

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """The best one; nobody where a ballot has to decide."""
        if not isinstance(state, PartnershipState):
            return {}
        if state.needs_ballot:
            reason = say(
                "有亲属关系、估值超限或得分并列,须由户代表投票(表决)决定",
                "kin of the committee, a space over the limit or a tie: this needs a ballot of the households",
            )
            return {
                "application": Choices((), reason, say("请另行组织表决", "have a ballot held, or withdraw the offer"))
            }
        reason = say("不是得分最高的", "is not the one with the most points")
        return {"application": Choices(tuple(each.number for each in state.best), reason)}


class DraftDuty(Command):
    """拟定义务: what one side is to do, and by which days of the term: of each month, quarter or year, or once in so many.

    A share is due each year, on the town's own day.
    """

    code: Annotated[Code, FieldWords("义务代码", "code of the duty")]
    what: Annotated[TextReference, FieldWords("义务内容", "what is to be done")]
    side: Annotated[Side, FieldWords("义务方", "who owes it")]
    recurs: Annotated[Recurs, FieldWords("周期", "how often")] = Recurs.ONCE
    within_days: Annotated[int | None, Field(strict=True, ge=1, le=366), FieldWords("生效后几日内", "within days")] = (
        None
    )
    day: Annotated[int | None, Field(strict=True, ge=1, le=31), FieldWords("每月(季)几日", "day of the month")] = None
    day_of_year: Annotated[DayOfYear | None, FieldWords("每年几月几日", "day of the year")] = None
    each_time: Annotated[int, Field(strict=True, ge=1, le=31), FieldWords("每期次数", "times in a period")] = 1
    level: Annotated[int | None, Field(strict=True, ge=1, le=10_000), FieldWords("须保持数", "level to hold")] = None
    amount_fen: Fen | None = None
    percent: Annotated[int | None, Field(strict=True, ge=1, le=100), FieldWords("比例(%)", "percent")] = None
    gift: Annotated[bool, FieldWords("是否捐赠", "a gift")] = False
    rests_on: Annotated[
        tuple[Code, ...], Field(max_length=10), FieldWords("以对方义务为前提", "hangs on duties of the other")
    ] = ()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        try:
            self.draft()
        except ValidationError as error:
            [first, *_] = error.errors(include_url=False, include_input=False)
            raise ValueError(str(first.get("ctx", {}).get("error", first["msg"]))) from None
        return self

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """It hangs on what was drafted before."""
        if not isinstance(state, PartnershipState):
            return {}
        drafted = tuple(each.code for each in state.drafts)
        remedy = "" if drafted else say("请先拟定对方义务", "draft that one first")
        return {"rests_on": Choices(drafted, NOT_OF_THE_OTHER, remedy)}

    def draft(self) -> DutyDraft:
        """The draft that it is. Raises ValidationError: its fields do not fit together."""
        return DutyDraft(**{name: getattr(self, name) for name in type(self).model_fields})

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Refuse a code that is taken, what hangs on nothing of the other side, and a share due on another day than the town's."""
        if not isinstance(state, PartnershipState):
            return ()
        return (*super().faults(state), *self._faults(state))

    def _faults(self, state: PartnershipState) -> Iterator[Fault]:
        taken = {each.code: each.side for each in state.drafts}
        if self.code in taken:
            said = say("已有此代码", "there is a duty of this code")
            yield Fault(field="code", reason=said, remedy=say("请换一个", "take another one"))
        for number, code in enumerate(self.rests_on):
            if taken.get(code) is self.side:
                remedy = say("请选对方的义务", "name one that the other side owes")
                yield Fault(field=f"rests_on.{number}", reason=NOT_OF_THE_OTHER, remedy=remedy)
        due = state.terms.figure_due
        if self.percent is not None and self.day_of_year != due:
            said = say(f"按比例的义务于每年{due}到期", f"a share is due on {due} of each year")
            yield Fault(field="day_of_year", reason=said, remedy=say(f"请写{due}", f"name {due}"))


class DropDuty(Command):
    """删去拟定义务: it is not in the agreement."""

    code: Annotated[Code, FieldWords("义务代码", "code of the duty")]

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """The duties that were drafted, and on which no other one hangs."""
        if not isinstance(state, PartnershipState):
            return {}
        held = {code for each in state.drafts for code in each.rests_on}
        free = tuple(each.code for each in state.drafts if each.code not in held)
        return {"code": Choices(free, say("不是可删去的拟定义务", "is no drafted duty that can be dropped"))}


class ProposeAgreement(Command):
    """提出协议: the committee signs the draft that it saw, by its version; the partner has the word."""

    version: Annotated[int, Field(strict=True, ge=1), FieldWords("草案版次", "version of the draft")]

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """The draft as it stands now: either side may have changed it since."""
        if not isinstance(state, PartnershipState):
            return {}
        newest = say("草案已修改,请重新查看后再提出", "the draft has changed since: look at it again")
        return {"version": Choices((state.draft_version,), newest)}


class Agree(AnswerTo):
    """签约: the partner agrees to the very draft that was proposed."""

    part = Part.AGREEMENT_PROPOSED
    request: RequestNumber


class DeclineAgreement(AnswerTo):
    """不同意草案: it is written anew."""

    part = Part.AGREEMENT_PROPOSED
    request: RequestNumber
    reason: TextReference


class _OnGrounds(Command):
    """A command on one of the town's grave grounds."""

    ground: Annotated[Code, FieldWords("事由", "ground")]
    reason: TextReference

    @classmethod
    def listed(cls, policy: Policy | None) -> Mapping[str, Sequence[str]]:
        """The grounds that the town has a word for."""
        return {"ground": list(policy.terms.grave_grounds)} if isinstance(policy, PartnershipPolicy) else {}

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """Those of the rules that this case goes by."""
        if not isinstance(state, PartnershipState):
            return {}
        return {"ground": Choices(tuple(state.terms.grave_grounds), say("不是法定事由", "is no ground of the town"))}


class Suspend(_OnGrounds):
    """暂停: at once, with the reason that everybody reads; all duties rest meanwhile."""


class ProposeBreach(_OnGrounds):
    """提议认定违约: by one; the partner is heard, and another person decides. `repeated`: duties were broken too often."""

    @classmethod
    def listed(cls, policy: Policy | None) -> Mapping[str, Sequence[str]]:
        """Those, and that duties were broken too often."""
        return {name: [REPEATED, *codes] for name, codes in super().listed(policy).items()}

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """Too often only when it was."""
        if not isinstance(state, PartnershipState):
            return {}
        grounds = (*((REPEATED,) if state.breach_rule_met else ()), *state.terms.grave_grounds)
        return {
            "ground": Choices(
                grounds, say("未达到违约标准,或不是法定事由", "is no ground, or the rule for it is not met")
            )
        }


class AnswerBreach(Command):
    """申辩: the partner is heard before anybody decides."""

    answer: TextReference


class DeclareBreach(AnswerTo):
    """认定违约: the word of another person than proposed it, when the partner was heard or has let the time for it pass."""

    part = Part.BREACH_PROPOSED
    request: RequestNumber
    reason: TextReference


class DropBreach(AnswerTo):
    """不予认定: it goes on."""

    part = Part.BREACH_PROPOSED
    request: RequestNumber
    reason: TextReference


class AcceptAmends(Command):
    """接受整改: what the partner has done about it is enough; it goes on, and what was broken before does not count any more."""

    amends: Annotated[TextReference, FieldWords("整改情况", "amends")]


class HandBack(Command):
    """交还: the space, by its inventory; and what residents have prepaid and not had."""

    inventory: Annotated[TextReference, FieldWords("清单", "inventory")]
    open_fen: Annotated[
        int, Field(strict=True, ge=0, le=10**10), FieldWords("未消费预付款(分)", "prepaid and not had, in fen")
    ]
    documents: Annotated[tuple[Document, ...], Field(max_length=10)] = ()


class ConfirmHandBack(AnswerTo):
    """确认交还: by another person. `owed_fen`: what stays open in all; it is asked back by a case of its own."""

    part = Part.HANDED_BACK
    request: RequestNumber
    owed_fen: Annotated[int, Field(strict=True, ge=0, le=10**10), FieldWords("未结清(分)", "left open in fen")]
    finding: TextReference

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """No less than the sums that were due and did not come: who looks may find more, and remits nothing."""
        if not isinstance(state, PartnershipState):
            return {}
        least = state.open_sums_fen
        reason = say(f"约定款项尚有{least}分未付", f"{least} fen of what was agreed on are not paid")
        return {"owed_fen": Bounds(least, None, reason, say("请如实填写", "name what is open"))}


class Evaluate(Command):
    """评价: what it was worth to the community in this term; how many duties were kept stands beside it."""

    got_fen: Annotated[int, Field(strict=True, ge=0, le=10**10), FieldWords("社区所得估值(分)", "worth got, in fen")]
    finding: TextReference


class ProposeRenewal(Command):
    """提议续约: for so many months more; the other side agrees, and it is posted."""

    months: Months

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """No longer than the town lets an agreement run; not at all where too few duties were kept."""
        if not isinstance(state, PartnershipState):
            return {}
        if not state.kept(Side.PARTY).reaches(percent := state.terms.renew_at_percent):
            reason = say(
                f"履行不足{percent}%,须由户代表投票(表决)决定",
                f"under {percent} % of the duties were kept: this needs a ballot of the households",
            )
            return {"months": Bounds(1, 0, reason, say("请另行组织表决", "have a ballot held, or let it end"))}
        most = state.terms.months_at_most
        reason = say(f"期限须为1至{most}个月", f"a term is 1 to {most} months")
        return {"months": Bounds(1, most, reason, say("请缩短", "make it shorter"))}


class AgreeRenewal(AnswerTo):
    """同意续约: the other side's act; without it the agreement ends with its term."""

    part = Part.RENEWAL_PROPOSED
    request: RequestNumber


class Withdraw(Command):
    """撤回: no agreement comes of it."""

    reason: TextReference
