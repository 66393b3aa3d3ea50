"""The stories of welfare in `jiceng demo`: benefits as data, granted, refused, paid for a year, and paid too much."""

from dataclasses import dataclass
from datetime import datetime

from local.simulation.pictures import PICTURE
from local.simulation.townspeople import GRID_WORKERS, Persona
from local.stories.scenes import Gives
from local.stories.story import ChildExpectation, OwnClock, Repertoire, Story, Title
from local.welfare_scenes import (
    ACCEPT,
    ANOTHER,
    APPLICANT,
    CIVIL_AFFAIRS,
    IDENTIFY,
    REASSESS,
    REVIEW,
    STREET,
    VISITS,
    Consents,
    HandsIn,
    PaysBack,
    ReviewsRaise,
    ToldLate,
    confirm,
    identity_number,
)
from schemas.clocks.calendar import SHANGHAI
from schemas.recovery import Kind as RecoveryKind
from schemas.welfare_application import Applicant, Member, Paper, WelfareApplication
from schemas.welfare_entries import Kind
from schemas.welfare_state import FINAL, Stage
from starter.client import Started, TownClient

A_DAY, A_MONTH = 86_400, 30 * 86_400
SPRING = datetime(2026, 3, 9, 9, tzinfo=SHANGHAI)
"""A Monday without a holiday near it."""

APPLIED, CHECKING, SURVEYED, PUBLICISED, CONFIRMING, PAYING, ENDED = (
    Stage.APPLIED, Stage.CHECKING, Stage.SURVEYED, Stage.PUBLICISED, Stage.CONFIRMING, Stage.PAYING, Stage.ENDED,
)  # fmt: skip
GRANTED = (APPLIED, CHECKING, SURVEYED, CONFIRMING, PAYING)
POSTED = (APPLIED, CHECKING, SURVEYED, PUBLICISED)
ONCE = dict.fromkeys((Kind.APPLIED, Kind.ACCEPTED, Kind.GRANTED, Kind.ENDED), 1)


@dataclass(frozen=True, kw_only=True)
class WelfareStory(Story):
    """An application. `papers`: the documents that come with it; `bank`: how the bank treats this person.

    `household`: who else lives there, by name, day of birth and order of the identity number.
    """

    benefit: str = "old-age-allowance"
    born: str = "19400615"
    order: int
    income_fen: int = 0
    papers: tuple[str, ...] = ("identity-card",)
    bank: str = ""
    household: tuple[tuple[str, str, int], ...] = ()
    reporter: Persona = APPLICANT
    never: frozenset[str] = frozenset()

    async def open(self, client: TownClient, key: str, born_of: str | None) -> Started:  # noqa: ARG002 - of applications none is
        """Upload the documents, and apply."""
        kept = [await client.send_document(PICTURE + kind.encode() * 4, "image/png") for kind in self.papers]
        application = WelfareApplication(
            benefit=self.benefit,
            applicant=Applicant(name=f"王秀英{self.bank}", identity_number=identity_number(self.born, key)),
            household=tuple(
                Member(name=name, identity_number=identity_number(born, f"{key}/{order}"))
                for name, born, order in self.household
            ),
            monthly_income_fen=self.income_fen,
            area=f"{self.area}",
            address=self.address,
            account=f"6222{self.order:015d}",
            reason=self.description,
            consent=True,
            documents=tuple(
                Paper(kind=kind, document=document) for kind, document in zip(self.papers, kept, strict=True)
            ),
        )
        return await client.apply_for_benefit(application, key)


BASIS = {"reason": "复核属实", "legal_basis": "《社会救助暂行办法》第九条"}
NEGATIVE = {"positive": False, "opinion": "材料存疑", "legal_basis": BASIS["legal_basis"]}
THREE_PAPERS = ("identity-card", "household-register", "income-statement")

_STORIES: tuple[Story, ...] = (
    WelfareStory(
        name="welfare-straight",
        title=Title(zh="高龄津贴,按月发放", en="an old age allowance, straight through"),
        description="年满八十周岁,申请高龄津贴",
        order=101,
        path=(*GRANTED, ENDED),
        counts=ONCE,
        scenes=(ACCEPT, IDENTIFY, REVIEW, confirm(Kind.REVIEWED), ToldLate(payments=2, since=2)),
        clock=OwnClock(SPRING, A_MONTH // 2),
    ),
    WelfareStory(
        name="welfare-missing-document",
        title=Title(zh="材料不全,补正后办理", en="a document is missing: named, and handed in later"),
        description="身份证遗失,补办后提交",
        order=102,
        papers=(),
        path=(APPLIED, Stage.CORRECTING, *GRANTED, ENDED),
        counts=ONCE | {Kind.CORRECTION_ASKED: 1, Kind.HANDED_IN: 1},
        scenes=(
            HandsIn(kind="identity-card"),
            Gives(by=STREET, command="accept", after=Kind.CORRECTED),
            IDENTIFY,
            REVIEW,
            confirm(Kind.REVIEWED),
            ToldLate(payments=1, since=1),
        ),
        clock=OwnClock(SPRING, A_MONTH // 2),
    ),
    WelfareStory(
        name="welfare-objection",
        title=Title(
            zh="配偶授权核对;公示有异议,调查后重新公示",
            en="the spouse consents for herself; somebody objects: looked into, and posted anew",
        ),
        description="失业无收入,申请低保",
        household=(("李桂兰", "19810202", 123),),
        benefit="subsistence-allowance",
        born="19800101",
        order=103,
        papers=THREE_PAPERS,
        income_fen=30000,
        path=(*POSTED, Stage.OBJECTED, PUBLICISED, CONFIRMING, PAYING, ENDED),
        counts=ONCE
        | {
            Kind.CONSENT_RECORDED: 1,
            Kind.CHECK_ANSWERED: 5,
            Kind.VISITED: 2,
            Kind.PUBLICISED: 2,
            Kind.OBJECTED: 1,
        },
        scenes=(
            Consents(),
            Gives(by=STREET, command="accept", after=Kind.CONSENT_RECORDED),
            *VISITS,
            REVIEW,
            Gives(
                by=GRID_WORKERS[0],
                command="object",
                body={"reason": "其名下有出租房", "contact": "13800000000"},
                after=Kind.PUBLICISED,
            ),
            Gives(
                by=ANOTHER,
                command="investigate",
                body={"upheld": False, "finding": "房屋系其弟所有", "appraisal": "民主评议一致通过"},
                after=Kind.OBJECTED,
            ),
            confirm(Kind.PUBLICITY_ENDED),
            ToldLate(payments=1, since=1),
        ),
        clock=OwnClock(SPRING, 5 * A_DAY),
    ),
    WelfareStory(
        name="welfare-appeal",
        title=Title(zh="不予确认,申诉后撤销", en="refused, appealed against, and overturned by another officer"),
        description="户籍信息与申报不一致",
        order=104,
        path=(APPLIED, CHECKING, SURVEYED, Stage.REFUSED, Stage.APPEALED, *GRANTED[2:], ENDED),
        counts=ONCE | {Kind.REFUSED: 1, Kind.NOTICE_SERVED: 1, Kind.APPEALED: 1, Kind.APPEAL_DECIDED: 1},
        scenes=(
            ACCEPT,
            IDENTIFY,
            Gives(by=STREET, command="review", body=NEGATIVE, after=Kind.SURVEYED),
            Gives(by=APPLICANT, command="appeal", body={"reason": "户籍已更正"}, after=Kind.REFUSED),
            Gives(by=ANOTHER, command="decide_appeal", body={"outcome": "overturned", **BASIS}, after=Kind.APPEALED),
            Gives(
                by=Persona("street-officer-2", STREET.role),
                command="review",
                body={"positive": True, "opinion": "经复核符合条件"},
                after=Kind.APPEAL_DECIDED,
            ),
            Gives(by=CIVIL_AFFAIRS, command="confirm", body={"opinion": "同意"}, after=Kind.REVIEWED, times=2),
            ToldLate(payments=1, since=1),
        ),
        clock=OwnClock(SPRING, 5 * A_DAY),
    ),
    WelfareStory(
        name="welfare-urgent-aid",
        title=Title(zh="急难救助,先行发放", en="urgent aid: paid first, checked after"),
        description="突发火灾,房屋受损",
        benefit="temporary-aid",
        born="19750505",
        order=105,
        path=(*POSTED, CONFIRMING, PAYING),
        counts={
            Kind.ACCEPTED: 1,
            Kind.GRANTED: 1,
            Kind.PAID: 2,
            Kind.ENDED: 0,
            Kind.RECOVERY_ASKED: 0,
            "case:ended": 1,
        },
        scenes=(ACCEPT, VISITS[0], REVIEW, confirm(Kind.PUBLICITY_ENDED)),
        clock=OwnClock(SPRING, 2 * A_DAY),
    ),
    WelfareStory(
        name="welfare-twelve-payments",
        title=Title(
            zh="发放十二个月,第七月去世,追回多领", en="twelve payments, a death in month seven, and the rest paid back"
        ),
        description="独居老人,申请高龄津贴",
        order=106,
        path=(*GRANTED, ENDED),
        counts=ONCE | {Kind.REASSESSED: 1, Kind.CHANGE_REPORTED: 1},
        ends_with="case:ended",
        scenes=(
            ACCEPT,
            IDENTIFY,
            REVIEW,
            confirm(Kind.REVIEWED),
            REASSESS,
            ToldLate(payments=12, since=7, change={"change": "death"}),
            PaysBack(),
        ),
        children={
            "recovery-1": ChildExpectation(
                (
                    RecoveryKind.DEMANDED,
                    *(RecoveryKind.REPAYMENT_CLAIMED, RecoveryKind.REPAID_PART) * 2,
                    RecoveryKind.REPAID,
                )
            )
        },
        clock=OwnClock(SPRING, A_MONTH // 3),
    ),
    WelfareStory(
        name="welfare-raise",
        title=Title(
            zh="家庭添人,调高须两人审批", en="a child is born: the raise is asked for, and two others decide on it"
        ),
        description="失业无收入,申请低保",
        benefit="subsistence-allowance",
        born="19850303",
        order=109,
        papers=THREE_PAPERS,
        income_fen=30000,
        path=(*POSTED, CONFIRMING, PAYING, ENDED),
        counts=ONCE | {Kind.CHANGE_ASKED: 1, Kind.CHANGE_REVIEWED: 1, Kind.CHANGE_CONFIRMED: 1, Kind.ADJUSTED: 1},
        scenes=(
            ACCEPT,
            *VISITS,
            REVIEW,
            confirm(Kind.PUBLICITY_ENDED),
            ToldLate(payments=1, since=1, change={"change": "household", "household_size": 2}, by=APPLICANT),
            ReviewsRaise(),
            Gives(
                by=ANOTHER,
                command="confirm_change",
                body={"request": 1, "opinion": "同意调整"},
                after=Kind.CHANGE_REVIEWED,
            ),
            ToldLate(payments=2, since=2),
        ),
        clock=OwnClock(SPRING, 5 * A_DAY),
    ),
    WelfareStory(
        name="welfare-bank-timeout",
        title=Title(zh="银行付款后未答复", en="the bank pays and does not answer: asked again, paid once"),
        description="年满八十周岁,申请高龄津贴",
        order=107,
        bank="〔剧本:town-bank 超时〕",
        path=(*GRANTED, ENDED),
        counts=ONCE | {Kind.PAYMENT_WITH_A_PERSON: 0},
        scenes=(ACCEPT, IDENTIFY, REVIEW, confirm(Kind.REVIEWED), ToldLate(payments=1, since=1)),
        clock=OwnClock(SPRING, 2 * A_DAY),
    ),
    WelfareStory(
        name="welfare-source-down",
        title=Title(
            zh="核对来源中断数日",
            en="a source is down for days: the others' answers stay, its own is taken down in writing",
        ),
        description="残疾无业,申请低保",
        benefit="subsistence-allowance",
        born="19820202",
        order=108,
        papers=THREE_PAPERS,
        bank="〔剧本:tax 中断〕",
        path=(*POSTED, CONFIRMING, PAYING),
        counts={Kind.CHECK_ANSWERED: 4, Kind.CHECK_RECORDED: 1, Kind.GRANTED: 1},
        ends_with=Kind.GRANTED,
        scenes=(
            ACCEPT,
            *VISITS,
            Gives(
                by=ANOTHER,
                command="record_check",
                body={"source": "tax", "found": False, "facts": {}, "note": "税务书面答复:无收入记录"},
                after="clock:warning",
            ),
            REVIEW,
            confirm(Kind.PUBLICITY_ENDED),
        ),
        clock=OwnClock(SPRING, A_DAY),
    ),
)

REPERTOIRE = Repertoire(
    stories=_STORIES,
    stage_after={
        Kind.APPLIED: APPLIED,
        Kind.CORRECTION_ASKED: Stage.CORRECTING,
        Kind.CORRECTED: APPLIED,
        Kind.ACCEPTED: CHECKING,
        Kind.SURVEYED: SURVEYED,
        Kind.PUBLICISED: PUBLICISED,
        Kind.OBJECTED: Stage.OBJECTED,
        Kind.PUBLICITY_ENDED: CONFIRMING,
        Kind.CONFIRMED: lambda _facts, path: CONFIRMING if path[-1] == SURVEYED else None,  # what is not posted
        Kind.REFUSED: Stage.REFUSED,
        Kind.APPEALED: Stage.APPEALED,
        Kind.APPEAL_DECIDED: SURVEYED,
        Kind.GRANTED: PAYING,
        Kind.ENDED: ENDED,
    },
    endings=frozenset({*FINAL, Stage.REFUSED}),
    may_go_on=frozenset({Stage.REFUSED}),
    starts={Kind.RECOVERY_ASKED: "case"},
)
