"""The application that opens a welfare case: what people send, what is wrong with it, and the state the case starts with."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from schemas.account import AccountCode
from schemas.actor import Actor, Channel, Role, Stamp
from schemas.canonical import digest
from schemas.case import Charter
from schemas.department import Code
from schemas.document import Document
from schemas.free_text import FreeText, ShortText
from schemas.identity_number import birth_month, is_identity_number, tidy_identity_number
from schemas.location import AreaCode
from schemas.model import Model
from schemas.references import PersonReference, TextReference
from schemas.refusals import Fault, say
from schemas.welfare_commands import DISABILITY_LEVELS
from schemas.welfare_policy import WelfarePolicy
from schemas.welfare_state import WelfareState

APPLY = "apply"
"""The name of the opening in stamps; it is no command, for there is no case yet."""

APPLICANTS = frozenset({Role.RESIDENT, Role.WINDOW_CLERK, Role.GRID_WORKER})
"""Who may apply: the person, or a window clerk or grid worker for them (domain: welfare)."""

INCOME_FEN_MAX = 10**9
"""Ten million yuan a month: beyond it stands a slip of the pen."""

_ACCOUNT_DIGITS = range(8, 33)


class Citizen(Model):
    """Somebody of the household. Prints nothing of them."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: ShortText = Field(repr=False)
    identity_number: str = Field(max_length=40, repr=False, examples=["320104194803077311"])


class Applicant(Citizen):
    """Who applies."""

    phone: str | None = Field(default=None, max_length=40, repr=False)


class Paper(Model):
    """A document that was uploaded before, and of which kind it is."""

    kind: Code
    document: Document


class WelfareApplication(Model):
    """The body of `POST /api/v1/welfare-applications`. Money in fen; `household` are the other people of the household.

    `consent`: the applicant lets the town ask the registers; without it nothing can be checked. `relation_to_staff`: who of
    the town's staff is a relative, if anybody. `on_behalf_of`: the account of the resident for whom staff enter it.
    """

    benefit: Annotated[Code, Field(examples=["old-age-allowance"])]
    applicant: Applicant
    household: tuple[Citizen, ...] = Field(default=(), max_length=200)
    monthly_income_fen: int
    income_stable: bool = True
    disability_level: int | None = None
    area: AreaCode
    address: ShortText
    account: str = Field(max_length=64, repr=False, examples=["6222020000000000017"])
    reason: FreeText
    consent: bool = Field(examples=[True])
    relation_to_staff: FreeText | None = None
    documents: tuple[Paper, ...] = Field(default=(), max_length=20)
    channel: Channel = Channel.APP
    on_behalf_of: AccountCode | None = None

    def essence(self) -> dict[str, Any]:
        """What makes two applications the same."""
        return self.model_dump(mode="json")

    @property
    def people(self) -> tuple[Citizen, ...]:
        """The applicant first, then the household."""
        return (self.applicant, *self.household)

    def faults(self, policy: WelfarePolicy, today: date) -> Iterator[Fault]:
        """Everything that is wrong although each field has the right shape."""
        if self.benefit not in policy.benefits:
            choices = ", ".join(policy.benefits)
            yield _fault(
                "benefit", "没有此救助项目", "is no benefit of this town", f"可选:{choices}", f"one of: {choices}"
            )
        if not self.consent:
            yield _fault(
                "consent",
                "须同意核对家庭经济状况",
                "the means check needs consent",
                "请阅读并同意",
                "read and agree to it",
            )
        if self.channel is Channel.GATEWAY:
            yield _fault(
                "channel", "该渠道仅供部门接口使用", "is for departments only", "请填写其他渠道", "choose another"
            )
        yield from self._number_faults(policy.terms.household_at_most)
        yield from self._people_faults(today)
        yield from self._paper_faults(policy)

    def _number_faults(self, household_at_most: int) -> Iterator[Fault]:
        if not 0 <= self.monthly_income_fen <= INCOME_FEN_MAX:
            yield _fault(
                "monthly_income_fen",
                "月收入不在合理范围",
                "is negative or far too high",
                "请填写以分为单位的月收入",
                "write fen",
            )
        if len(self.people) > household_at_most:
            yield _fault(
                "household",
                f"家庭成员超过{household_at_most}人",
                f"a household has {household_at_most} people at the most",
                "请核对共同生活的家庭成员",
                "name those who live together",
            )
        if self.disability_level is not None and not 1 <= self.disability_level <= DISABILITY_LEVELS:
            yield _fault("disability_level", "残疾等级为1至4", "is 1 to 4", "请按残疾人证填写", "see the certificate")
        if len(self.account.strip()) not in _ACCOUNT_DIGITS or not self.account.strip().isdecimal():
            yield _fault(
                "account", "银行账号应为8至32位数字", "is not 8 to 32 digits", "请核对账号", "look at it again"
            )

    def _people_faults(self, today: date) -> Iterator[Fault]:
        seen: set[str] = set()
        for position, person in enumerate(self.people):
            field = "applicant" if not position else f"household.{position - 1}"
            number = tidy_identity_number(person.identity_number)
            if not is_identity_number(number, today):
                yield _fault(
                    f"{field}.identity_number",
                    "身份证号码有误",
                    "is no identity number: form, day of birth or check character do not fit",
                    "请核对18位号码",
                    "look at its 18 places again",
                )
            elif number in seen:
                yield _fault(
                    f"{field}.identity_number", "与他人重复", "stands twice", "每人只填写一次", "name everybody once"
                )
            seen.add(number)

    def _paper_faults(self, policy: WelfarePolicy) -> Iterator[Fault]:
        kinds = [paper.kind for paper in self.documents]
        for position, kind in enumerate(kinds):
            if kind not in policy.documents:
                known = ", ".join(policy.documents)
                yield _fault(
                    f"documents.{position}.kind",
                    "没有此类材料",
                    "is no kind of document",
                    f"可选:{known}",
                    f"one of: {known}",
                )
            elif kind in kinds[:position]:
                yield _fault(f"documents.{position}.kind", "同类材料重复", "stands twice", "请保留一份", "keep one")


def _fault(field: str, chinese: str, english: str, remedy_chinese: str, remedy_english: str) -> Fault:
    return Fault(field=field, reason=say(chinese, english), remedy=say(remedy_chinese, remedy_english))


class KeptApplication(Model):
    """What the vault gave for the application."""

    person: PersonReference
    members: tuple[PersonReference, ...]
    account: TextReference
    address: TextReference
    reason: TextReference
    relation: TextReference | None


def open_welfare(
    application: WelfareApplication,
    kept: KeptApplication,
    *,
    case_id: str,
    command_id: str,
    actor: Actor,
    policy: WelfarePolicy,
    charter: Charter,
    at: datetime,
) -> WelfareState:
    """Return the state of the new case. Its opening is a stamp, not yet signed, whose digest covers all the rest."""
    own = actor.role is Role.RESIDENT
    unsigned = Stamp(case_id=case_id, command=APPLY, command_id=command_id, actor=actor, at=at, digest="")
    documents = [paper.document for paper in application.documents]
    state = WelfareState(
        case_id=case_id,
        charter=charter,
        opening=unsigned,
        area=application.area,
        department=policy.terms.authority,
        reporter_subject=actor.subject if own else application.on_behalf_of,
        opened_at=at,
        terms=policy.terms,
        benefit=application.benefit,
        rules=policy.benefits[application.benefit],
        reporter=kept.person,
        members=kept.members,
        account=kept.account,
        address=kept.address,
        reason=kept.reason,
        relation=kept.relation,
        birth=birth_month(tidy_identity_number(application.applicant.identity_number)),
        disability_level=application.disability_level,
        household_size=len(application.people),
        monthly_income_fen=application.monthly_income_fen,
        income_stable=application.income_stable,
        consent=application.consent,
        channel=application.channel,
        on_behalf=not own,
        papers={paper.kind: paper.document.reference for paper in application.documents},
        documents=documents,
    )
    return state.model_copy(update={"opening": unsigned.model_copy(update={"digest": start_digest(state)})})


def start_digest(state: WelfareState) -> str:
    """SHA-256 over the whole start of a case but its opening stamp: what the stamp, and by it entry 1, vouches for."""
    return digest(state.model_dump(mode="json", exclude={"opening"}))
