"""What people do with an application before it is decided. A text is a reference into the vault; at the door it is a text."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from schemas.answers import UNNAMED, AnswerTo, RequestNumber
from schemas.case import CaseState
from schemas.choices import Bounds, Choices
from schemas.department import Code
from schemas.document import Document
from schemas.means import CheckStatus, FactName, FactNumber
from schemas.people import Part
from schemas.policy import Policy
from schemas.procedure import Command
from schemas.references import TextReference
from schemas.refusals import Fault, say
from schemas.welfare_policy import Fact, Money, WelfarePolicy
from schemas.welfare_rules import obstacles
from schemas.welfare_state import WelfareState

DISABILITY_LEVELS = 4
"""残疾等级 1 (the most severe) to 4."""

NamedFact = Annotated[FactName, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
HouseholdSize = Annotated[int, Field(strict=True, ge=1, le=20)]
DisabilityLevel = Annotated[int, Field(strict=True, ge=1, le=DISABILITY_LEVELS)]


class SeesTheCard(Command):
    """An act by which somebody of the town meets the applicant. `card_seen`: with the identity card; who has not, says so."""

    card_seen: bool = Field(default=True, exclude_if=bool)  # digests from before it


class Accept(SeesTheCard, AnswerTo):
    """受理: the application is complete; the checks start, once it is sure who applies. `request`: the edition that was seen."""

    part = Part.ENTERED
    request: RequestNumber | None = UNNAMED


class Identify(Command):
    """核验身份: somebody of the town has seen the applicant with their identity card, at the window or at home."""


class AskCorrection(Command):
    """通知补正: names what is missing beyond what the engine found by itself. The whole-case clock pauses."""

    documents: tuple[Code, ...] = Field(min_length=1, max_length=10)
    reason: TextReference

    @classmethod
    def listed(cls, policy: Policy | None) -> Mapping[str, Sequence[str]]:
        """The kinds of documents that the town has a word for."""
        return {"documents": list(policy.documents)} if isinstance(policy, WelfarePolicy) else {}


class HandIn(Command):
    """补交材料: one document that was missing."""

    kind: Code
    document: Document

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """The documents that are still missing."""
        if not isinstance(state, WelfareState):
            return {}
        reason = say("不在待补材料之列", "is not among the missing documents")
        return {"kind": Choices(tuple(state.missing()), reason)}

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Refuse a kind of document that nobody asked for, and a consent that is no paper of its own."""
        if not isinstance(state, WelfareState):
            return ()
        unasked = super().faults(state)
        consent = not unasked and _is_a_consent(self.document, state)
        return own_paper_faults(self.document, state) if consent else unasked


class CorrectFacts(Command):
    """更正信息: only the checks whose answers depend on what changed are asked anew."""

    household_size: HouseholdSize | None = None
    monthly_income_fen: Money | None = None
    disability_level: DisabilityLevel | None = None
    income_stable: bool | None = None
    reason: TextReference

    def changed(self, state: WelfareState) -> tuple[Fact, ...]:
        """The facts that are other than before."""
        return tuple(
            fact for fact in Fact if getattr(self, fact) is not None and getattr(self, fact) != getattr(state, fact)
        )


class RecordConsent(Command):
    """登记同意: an adult of the household lets the town ask the registers about them; their signed paper stands in the case.

    `member`: the number in the application, counted from 1.
    """

    member: Annotated[int, Field(strict=True, ge=1, le=20)]
    document: Document

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """The members whose consent is missing."""
        if not isinstance(state, WelfareState):
            return {}
        reason = say("不需要该成员的授权书", "is no member whose consent is missing")
        return {"member": Choices(tuple(member.number for member in state.not_consenting()), reason)}

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Refuse a member whose consent is not missing, and a paper that is no consent of theirs."""
        if not isinstance(state, WelfareState):
            return ()
        return super().faults(state) or own_paper_faults(self.document, state)


class ConfirmMember(Command):
    """查验家庭成员材料: another person has seen the consent that was recorded, or the document of who was stated as a minor."""

    member: Annotated[int, Field(strict=True, ge=1, le=20)]

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """The members of whom a paper waits to be seen."""
        if not isinstance(state, WelfareState):
            return {}
        reason = say("该成员没有待查验的材料", "is no member of whom a paper waits to be seen")
        return {"member": Choices(tuple(member.number for member in state.to_be_confirmed()), reason)}


class DeclareRelation(Command):
    """近亲属备案: an officer is related to the household, and takes no part in its case any more."""

    relation: TextReference


class AskAgain(Command):
    """再次核对: the sources that have not answered are asked again; those that have are not. None named: all of them."""

    source: Code | None = None

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """The sources that have not answered."""
        if not isinstance(state, WelfareState):
            return {}
        return {"source": _sources(checked.source for checked in state.unanswered())}


class RecordCheck(Command):
    """人工核对: what a source told by other means, on paper for instance; it counts instead of any other answer."""

    source: Code
    found: bool = False
    facts: dict[FactName, FactNumber] = Field(default={}, max_length=20)
    note: TextReference

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """The sources that this application is checked with."""
        if not isinstance(state, WelfareState):
            return {}
        return {"source": _sources(state.checks_waited_for)}

    @property
    def status(self) -> CheckStatus:
        """As a source would say it."""
        return CheckStatus.FOUND if self.found else CheckStatus.CLEAR


def _sources(known: Iterable[str]) -> Choices:
    return Choices(tuple(known), say("不是本案可核对的来源", "is no source that can be given here"))


class RecordVisit(SeesTheCard):
    """入户调查: what somebody found who visited the household."""

    finding: TextReference


class WithBasis(Command):
    """A decision with its reason and legal basis."""

    reason: TextReference
    legal_basis: TextReference


class Review(Command):
    """初审: the street office's opinion; the amount follows from the rule of the benefit. A negative one names its law."""

    positive: bool
    opinion: TextReference
    legal_basis: TextReference | None = None

    @model_validator(mode="after")
    def _a_refusal_names_its_law(self) -> Self:
        if not self.positive and self.legal_basis is None:
            raise ValueError("legal_basis: 不予通过须写明法律依据 (a negative opinion names its law)")
        return self

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """A positive opinion only where the rules of the benefit are met; each that is not is told by itself."""
        if not isinstance(state, WelfareState) or not _grant_faults(state, "positive"):
            return {}
        return {"positive": Choices((False,), say("不符合条件", "does not qualify"))}

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Refuse a positive opinion against the rules of the benefit."""
        return _grant_faults(state, "positive") if self.positive else ()


class Confirm(AnswerTo):
    """审核确认: civil affairs grants; above the amount of the policy a second person signs. `request`: the review that was seen."""

    part = Part.REVIEWED
    request: RequestNumber | None = UNNAMED
    opinion: TextReference

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Refuse a grant against the rules of the benefit."""
        return _grant_faults(state, "opinion")


class Refuse(WithBasis):
    """不予确认: with its reason and legal basis."""


class Countersign(AnswerTo):
    """双签: a second person grants too. `request`: the confirmation that was seen."""

    part = Part.CONFIRMED
    request: RequestNumber | None = UNNAMED


class SendBack(Command):
    """双签退回: the second person does not sign; it is confirmed anew, or refused."""

    reason: TextReference


class ExtendCase(Command):
    """延期: the whole procedure gets more working days, before it is due."""

    working_days: int = Field(strict=True, ge=1)
    reason: TextReference

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """No more days than the case has left."""
        if not isinstance(state, WelfareState):
            return {}
        most = state.terms.extension_working_days_at_most
        left = most - state.extended_working_days
        reason = say(f"累计延期不得超过{most}个工作日", f"a case is extended by {most} working days at most")
        return {"working_days": Bounds(1, left, reason, say(f"最多还可延{left}个工作日", f"at most {left} are left"))}


class ServeNotice(Command):
    """书面告知: the refusal was handed over in writing."""


class Appeal(Command):
    """申诉: against a refusal, within its window, once."""

    reason: TextReference


class Outcome(StrEnum):
    """What an appeal comes to."""

    UPHELD = "upheld"
    OVERTURNED = "overturned"


class DecideAppeal(WithBasis):
    """申诉决定: by another officer. `upheld`: the refusal stands; `overturned`: the application goes on."""

    outcome: Outcome


class WithdrawApplication(Command):
    """撤回申请: the applicant takes it back before it is decided."""

    reason: TextReference


def _is_a_consent(document: Document, state: WelfareState) -> bool:
    consents = {member.consent for member in state.household_members}
    return any(each.sha256 == document.sha256 and each.reference in consents for each in state.documents)


def own_paper_faults(document: Document, state: WelfareState) -> tuple[Fault, ...]:
    """一人一份: a consent is a paper of its own, not the file of a card or of somebody else's consent."""
    if not state.charter.people_are_identified or document.sha256 not in {each.sha256 for each in state.documents}:
        return ()
    return (OTHERS_PAPER.model_copy(update={"field": "document"}),)


OTHERS_PAPER = Fault(
    field="consent",
    reason=say("该文件已作为其他材料提交", "is a file that stands in this case for something else already"),
    remedy=say("每名成年成员须各自签署并提交一份授权书", "each adult signs a paper of their own: send that"),
)


def _member_faults(state: WelfareState, field: str) -> tuple[Fault, ...]:
    return tuple(
        Fault(
            field=field,
            reason=say(
                f"第{member.number}位家庭成员以未成年人申报,证件未经查验",
                f"member {member.number} was stated as a minor, and nobody has seen the document",
            ),
            remedy=say("查验该成员的证件,或不予确认", "see the document (confirm_member), or refuse"),
        )
        for member in state.of_unknown_age()
    )


def _consent_faults(state: WelfareState, field: str) -> tuple[Fault, ...]:
    return tuple(
        Fault(
            field=field,
            reason=say(
                f"第{member.number}位家庭成员为成年人,尚未授权核对",
                f"member {member.number} of the household is an adult and has not consented to being checked",
            ),
            remedy=say(
                "登记其授权书、由另一人查验,或不予确认",
                "record their consent (record_consent), have it seen by another person (confirm_member), or refuse",
            ),
        )
        for member in state.not_consenting()
    )


def _grant_faults(state: CaseState, field: str) -> tuple[Fault, ...]:
    if not isinstance(state, WelfareState) or state.last_at is None:
        return ()
    found = obstacles(state.rules, state.household, state.facts_found, f"{state.last_at:%Y-%m}")
    return (
        _consent_faults(state, field)
        + _member_faults(state, field)
        + tuple(
            Fault(
                field=field,
                reason=each.words,
                remedy=say("更正信息或不予确认", "correct the facts, or refuse"),
            )
            for each in found
        )
    )
