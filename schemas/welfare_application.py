"""The application that opens a welfare case: what people send, what is wrong with it, and the state the case starts with."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from schemas.clocks.calendar import in_shanghai
from schemas.contracts.department import Code
from schemas.contracts.likeness import Likeness
from schemas.kernel.case import Charter
from schemas.values.account import AccountCode
from schemas.values.actor import Actor, Channel, Role, Stamp
from schemas.values.bank_account import WrittenAccount, is_account
from schemas.values.canonical import digest
from schemas.values.document import Document
from schemas.values.free_text import FreeText, PersonName, ShortText, StatedPhone
from schemas.values.identity_document import CardIdentity, DocumentKind, IdentityDocument, identity_faults, identity_of
from schemas.values.location import AreaCode
from schemas.values.model import Model
from schemas.values.references import PersonReference, TextReference
from schemas.values.refusals import Fault, say
from schemas.values.tidy_text import tidy
from schemas.values.verified_identity import verified_identity
from schemas.welfare_commands import DISABILITY_LEVELS
from schemas.welfare_policy import WelfarePolicy
from schemas.welfare_state import OTHERS_PAPER, HouseholdMember, WelfareState

APPLY = "apply"
"""The name of the opening in stamps; it is no command, for there is no case yet."""

APPLICANTS = frozenset({Role.RESIDENT, Role.WINDOW_CLERK, Role.GRID_WORKER})
"""Who may apply: the person, or a window clerk or grid worker for them (domain: welfare)."""

INCOME_FEN_MAX = 10**9
"""Ten million yuan a month: beyond it stands a slip of the pen."""


class Stated(Model):
    """Somebody of the household, by the identity number of a citizen or by another document. Prints nothing of them."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: PersonName = Field(repr=False)
    identity_number: str | None = Field(default=None, max_length=40, repr=False, examples=["320104194803077311"])
    identity_document: IdentityDocument | None = None

    @property
    def identity(self) -> CardIdentity:
        """By what they are known; of an application without faults."""
        return identity_of(self.identity_number, self.identity_document)

    @property
    def name_and_birth(self) -> tuple[str, date]:
        """What one person has in every document of theirs, as far as a document says it in the same script."""
        return "".join(tidy(self.name).casefold().split()), self.identity.birth


class Applicant(Stated):
    """Who applies."""

    phone: StatedPhone | None = Field(default=None, repr=False)


class Member(Stated):
    """Somebody who lives with the applicant.

    `consent`: the paper by which they let the town ask the registers about them; an adult signs one of their own, before
    or after the application (command `record_consent`). For minors the applicant's consent counts.
    """

    consent: Document | None = None


class Paper(Model):
    """A document that was uploaded before, and of which kind it is."""

    kind: Code
    document: Document


class WelfareApplication(Model):
    """The body of `POST /api/v1/welfare-applications`. Money in fen; `household` are the other people of the household.

    `consent`: the applicant lets the town ask the registers about themselves and about minors; without it nothing can be
    checked. `relation_to_staff`: who of
    the town's staff is a relative, if anybody. `on_behalf_of`: the account of the resident for whom staff enter it.
    """

    benefit: Annotated[Code, Field(examples=["old-age-allowance"])]
    applicant: Applicant
    household: tuple[Member, ...] = Field(default=(), max_length=200)
    monthly_income_fen: int
    income_stable: bool = True
    disability_level: int | None = None
    area: AreaCode
    address: ShortText
    account: WrittenAccount = Field(repr=False)
    reason: FreeText
    consent: bool = Field(examples=[True])
    relation_to_staff: FreeText | None = None
    documents: tuple[Paper, ...] = Field(default=(), max_length=20)
    channel: Channel = Channel.APP
    on_behalf_of: AccountCode | None = None

    def idempotency_content(self) -> dict[str, Any]:
        """What makes two applications the same."""
        return self.model_dump(mode="json")

    @property
    def people(self) -> tuple[Stated, ...]:
        """The applicant first, then the household."""
        return (self.applicant, *self.household)

    @property
    def files(self) -> tuple[str, ...]:
        """The digests of the files that come with it."""
        consents = [member.consent for member in self.household if member.consent is not None]
        return tuple(each.sha256 for each in (*(paper.document for paper in self.documents), *consents))

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
        yield from self._people_faults(policy, today)
        yield from self._paper_faults(policy)

    def _number_faults(self, household_at_most: int) -> Iterator[Fault]:
        if not 0 <= self.monthly_income_fen <= INCOME_FEN_MAX:
            yield _fault(
                "monthly_income_fen",
                "月收入不在合理范围",
                "is negative or far too high",
                "请填写以分为单位的月收入,例如1200.50元写作120050",
                "write fen: 1200.50 yuan is 120050",
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
        if not is_account(self.account):
            yield _fault(
                "account",
                "银行账号应为8至32位数字",
                "is not 8 to 32 digits",
                "请核对账号,只填数字",
                "look at it again, and write its digits only",
            )

    def _people_faults(self, policy: WelfarePolicy, today: date) -> Iterator[Fault]:
        seen: set[str] = set()
        known: dict[tuple[str, date], DocumentKind] = {}
        benefit = policy.benefits.get(self.benefit)
        for position, person in enumerate(self.people):
            field, allowed = f"household.{position - 1}", frozenset(DocumentKind)
            if not position:
                field = "applicant"
                allowed = allowed if benefit is None else benefit.documents_of_applicants
            below = policy.terms.none_yet_below_age
            found = list(
                identity_faults(
                    field, person.identity_number, person.identity_document, today, allowed, none_yet_below_age=below
                )
            )
            yield from found
            if found:
                continue
            identity, as_stated = person.identity, person.name_and_birth
            where = "identity_number" if person.identity_document is None else "identity_document.number"
            if identity.number is not None and identity.number in seen:
                yield _fault(f"{field}.{where}", "与他人重复", "stands twice", "每人只填写一次", "name everybody once")
            elif (before := known.get(as_stated)) and {before, identity.kind} != {DocumentKind.IDENTITY_NUMBER}:
                yield _fault(
                    f"{field}.name",
                    "与另一人姓名和出生日期相同,证件不同",
                    "has the name and the day of birth of somebody else here, by another document",
                    "同一人只填写一次,以一种证件填写",
                    "name everybody once, by one document",
                )
            seen |= {identity.number} if identity.number is not None else set()
            known.setdefault(as_stated, identity.kind)

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
        files = [paper.document.sha256 for paper in self.documents]
        for position, member in enumerate(self.household):
            if member.consent is None:
                continue
            if member.consent.sha256 in files:
                yield OTHERS_PAPER.model_copy(update={"field": f"household.{position}.consent"})
            files.append(member.consent.sha256)


def _fault(field: str, chinese: str, english: str, remedy_chinese: str, remedy_english: str) -> Fault:
    return Fault(field=field, reason=say(chinese, english), remedy=say(remedy_chinese, remedy_english))


class KeptApplication(Model):
    """What the vault gave for the application. `statements`: what it says of each person; `alike`: what other cases have of it."""

    person: PersonReference
    members: tuple[PersonReference, ...]
    statements: dict[PersonReference, TextReference]
    account: TextReference
    address: TextReference
    reason: TextReference
    relation: TextReference | None
    alike: tuple[Likeness, ...] = ()


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
    verified: str | None = None,
) -> WelfareState:
    """Return the state of the new case. Its opening is a stamp, not yet signed, whose digest covers all the rest.

    `verified`: whose account sends it by the issuer's word. Staff who enter it have the card on the table, but on the phone.
    """
    own = actor.role is Role.RESIDENT
    bound = own and verified is not None and verified == verified_identity(application.applicant.identity)
    sees_the_card = not own and application.channel is not Channel.HOTLINE
    unsigned = Stamp(case_id=case_id, command=APPLY, command_id=command_id, actor=actor, at=at, digest="")
    consents = [member.consent for member in application.household if member.consent is not None]
    documents = list(dict.fromkeys([*(paper.document for paper in application.documents), *consents]))
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
        reserves=policy.reserves(application.benefit),
        reporter=kept.person,
        members=kept.members,
        statements=kept.statements,
        household_members=[
            _member(number, stated, at, charter, None if bound else actor.subject)
            for number, stated in enumerate(application.household, start=1)
        ],
        account_bound=bound,
        card_seen_by=[actor.subject] if sees_the_card else [],
        alike=list(kept.alike),
        account=kept.account,
        address=kept.address,
        reason=kept.reason,
        relation=kept.relation,
        birth=application.applicant.identity.birth_month,
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


def _member(number: int, stated: Member, at: datetime, charter: Charter, unsure: str | None) -> HouseholdMember:
    """`unsure`: who stated it, where nobody vouches for that account; another person has to see what they brought."""
    identity = stated.identity
    adult = identity.is_adult(in_shanghai(at).date())
    stands = charter.people_are_identified
    return HouseholdMember(
        number=number,
        birth=identity.birth_month,
        adult=adult,
        numbered=identity.number is not None,
        consent=None if stated.consent is None else stated.consent.reference,
        consent_by=unsure if stands and stated.consent is not None else None,
        age_shown=not stands or adult or identity.number is None or identity.shows_birth,
    )


def start_digest(state: WelfareState) -> str:
    """SHA-256 over the whole start of a case but its opening stamp: what the stamp, and by it entry 1, vouches for."""
    return digest(state.model_dump(mode="json", exclude={"opening"}))
