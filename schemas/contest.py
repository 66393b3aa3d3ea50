"""contest 社区微项目, declared: a project is proposed, judged by a panel, posted, and paid milestone by milestone.

Source: domain (at most 50,000 yuan, a jury, seven days for everybody to see, money follows proof); the numbers are the town's
(policies/contest.yaml). What is more than a line stands in `workflows/contest.py`.
"""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

from pydantic import Field

from schemas.clocks.limits import Limit
from schemas.contracts.payment import Fen
from schemas.kernel.acts import Tells, WithReason, act, file_acts, step
from schemas.kernel.because import by_policy, nobody_acted
from schemas.kernel.declaration import EndNotice, declare
from schemas.kernel.entries import EntryKinds, entry
from schemas.kernel.openings import OpeningBody, Opens
from schemas.kernel.parties import (
    CIVIL_AFFAIRS_OFFICER,
    COORDINATOR,
    GRID_WORKER,
    REPORTER,
    STREET_OFFICER,
    SUPERVISOR,
    THE_REPORTER,
    WINDOW_CLERK,
    desk_of,
)
from schemas.kernel.people import Part
from schemas.kernel.procedure import Command
from schemas.kernel.reference_facts import Refers
from schemas.kernel.state import OpenedState
from schemas.kernel.terms import Terms, TermsPolicy
from schemas.kernel.timers import duty, last_limit
from schemas.kernel.words import DeclaredStage, Promise
from schemas.parts.instalments import (
    InstalmentEntries,
    Instalments,
    InstalmentsState,
    InstalmentTerms,
    Milestone,
    instalment_timers,
)
from schemas.parts.panel import PanelEntries, PanelState, PanelTerms, panel_lines
from schemas.parts.payments import Paying, PaymentEntries, payment_timers, payments_are_settled
from schemas.parts.postings import PostedState, Posting, PostingEntries, PostingTerms, Shown, posting_timers
from schemas.values.actor import Role
from schemas.values.bank_account import AccountReference
from schemas.values.document import Document
from schemas.values.free_text import PersonName
from schemas.values.references import TextReference
from schemas.values.refusals import Fault, say
from schemas.words.field_words import FieldWords


class Stage(DeclaredStage):
    """Where a project stands."""

    PROPOSED = "proposed", "待受理", "您的项目已收到", "your project is received"
    JUDGING = "judging", "评审中", "您的项目正在评审", "a panel judges your project"
    POSTED = "posted", "公示中", "您的项目正在公示", "your project is posted for everybody to see"
    OBJECTED = "objected", "异议调查", "公示有异议,正在调查", "somebody objected; it is looked into"
    RUNNING = "running", "实施中", "您的项目实施中", "your project is under way"
    CLAIMED = "claimed", "待验收", "正在验收", "a milestone is being looked at"
    ACCOUNTING = "accounting", "待决算", "请提交决算", "your final account is waited for"
    CLOSED = "closed", "已结项", "您的项目已结项", "your project is closed"
    NOT_AWARDED = "not_awarded", "未入选", "您的项目未入选", "your project is not selected"
    REJECTED = "rejected", "不予受理", "您的项目未获受理", "your project is not accepted"
    WITHDRAWN = "withdrawn", "已撤回", "您的项目已撤回", "your project is withdrawn"
    CANCELLED = "cancelled", "已终止", "您的项目已终止", "your project is called off"
    UNRESOLVED = "unresolved", "未解决终结", "未能办结,已终结", "it ended without a decision"


BEFORE_AWARD = (Stage.PROPOSED, Stage.JUDGING, Stage.POSTED, Stage.OBJECTED)
AWARDED = (Stage.RUNNING, Stage.CLAIMED, Stage.ACCOUNTING)
OPEN = (*BEFORE_AWARD, *AWARDED)


class ContestTerms(PostingTerms, InstalmentTerms, Terms):
    """The town's rules: what a project may cost, who judges it, and how long everybody has."""

    budget_at_most_fen: Fen
    milestones_at_most: int = Field(ge=1, le=12)
    panel: PanelTerms
    accept: Limit
    judge: Limit
    account: Limit


class ContestPolicy(TermsPolicy):
    """policies/contest.yaml."""

    WINDOWS = TermsPolicy.WINDOWS | {"publicity", "pay_again"}

    terms: ContestTerms


class ContestState(PostedState, PanelState, InstalmentsState, OpenedState):
    """What a project remembers: its plan, and what the parts remember that it is made of."""

    procedure: ClassVar[str] = "contest"

    stage: str = Stage.PROPOSED
    terms: ContestTerms
    plan: TextReference


class Propose(OpeningBody):
    """申报: the plan, and what each milestone of it costs; name and account of whoever answers for the money."""

    unsaid = OpeningBody.unsaid | {"payee"}
    person_name = "payee"

    plan: TextReference
    payee: PersonName = Field(repr=False)
    account: AccountReference
    milestones: tuple[Milestone, ...] = Field(min_length=1, max_length=12)

    def town_faults(self, policy: Any) -> Iterator[Fault]:
        """Too expensive, or in too many parts."""
        terms: ContestTerms = policy.terms
        total, most = sum(each.amount_fen for each in self.milestones), terms.budget_at_most_fen
        if total > most:
            said = say(f"预算{total}分,超过{most}分", f"costs {total} fen; at most {most} are given")
            yield Fault(field="milestones", reason=said, remedy=say("请缩小项目", "make the project smaller"))
        if len(self.milestones) > (parts := terms.milestones_at_most):
            said = say(f"里程碑超过{parts}个", f"has more than {parts} milestones")
            yield Fault(field="milestones", reason=said, remedy=say("请合并", "put some of them together"))


class Account(Command):
    """决算: what was spent in all, with the receipts. What was paid and not spent is on the record, and to come back."""

    spent_fen: Annotated[Fen, FieldWords("支出(分)", "spent in fen")]
    documents: tuple[Document, ...] = Field(min_length=1, max_length=10)


class Kind(PanelEntries, PostingEntries, InstalmentEntries, PaymentEntries, EntryKinds, procedure="contest"):
    """What the ledger says happened, beside what the parts say."""

    PROPOSED = entry("proposed", "申报", references={"account": Refers.TEXT})
    ACCEPTED = entry("accepted", "受理")
    REJECTED = entry("rejected", "不予受理")
    AWARDED = entry("awarded", "入选")
    NOT_AWARDED = entry(
        "not_awarded",
        "未入选",
        by_policy(
            "contest", "panel.mark", "平均分不足{limit}分,或异议成立", "a mean under {limit}, or an objection upheld"
        ),
        references={"legal_basis": Refers.TEXT},
    )
    CLOSED = entry("closed", "结项")
    WITHDRAWN = entry("withdrawn", "撤回")
    CANCELLED = entry("cancelled", "终止")
    UNRESOLVED = entry("unresolved", "逾期终结", nobody_acted("contest"))


_them = (REPORTER, WINDOW_CLERK, GRID_WORKER)
_jury = (GRID_WORKER, STREET_OFFICER, COORDINATOR, SUPERVISOR)
_own = (Part.APPLICANT, Part.ENTERED)
_street = desk_of(STREET_OFFICER)

POSTING = Posting(
    kinds=Kind,
    posted=Stage.POSTED,
    objected=Stage.OBJECTED,
    after=(Stage.RUNNING,),
    refused=Stage.NOT_AWARDED,
    by=(STREET_OFFICER, CIVIL_AFFAIRS_OFFICER),
    desk=_street,
    apart_from=(Part.JUDGED, Part.RECUSED),
    shows=(
        Shown("budget_fen", "预算(元)", lambda state: state.budget_fen, money=True),
        Shown("mean_score", "平均分", lambda state: "{}.{:02}".format(*divmod(state.tally.mean_hundredths or 0, 100))),
    ),
)
INSTALMENTS = Instalments(
    kinds=Kind,
    running=Stage.RUNNING,
    claimed=Stage.CLAIMED,
    after=(Stage.ACCOUNTING,),
    apart_from=(Part.JUDGED, Part.RECUSED, Part.INVESTIGATED),
)
PAYING = Paying(kinds=Kind, at=AWARDED, apart_from=(Part.RECUSED,))

CONTEST = declare(
    "contest",
    "社区微项目",
    policy=ContestPolicy,
    state=ContestState,
    stages=Stage,
    entries=Kind,
    parts=(POSTING, INSTALMENTS, PAYING),
    opens=Opens(
        Propose, "propose", "申报项目", "propose a project",
        frozenset({Role.RESIDENT}), "contests",  # whoever answers for the money names the account, and nobody for them
        starts=("accept",), holder=_street, tells=Tells(THE_REPORTER, "contest_proposed"),
    ),
    opened=Kind.PROPOSED,
    keep_years=10,
    alike=("milestones",),  # the same project once more in one community: as many parts, each at the same price
    timers={
        "accept": duty("受理", "acceptance", "accept", promise=Promise("受理答复", "an answer whether it is accepted")),
        "judge": duty("评审", "judging", "judge"),
        **posting_timers(),
        **instalment_timers(),
        **payment_timers(),
        "account": duty("决算", "final account", "account"),
        "final": last_limit("unresolved_after"),
    },
    lines=(
        act(
            WithReason, "受理", name="accept", meaning="the street takes the project to the panel.",
            by=STREET_OFFICER, at=Stage.PROPOSED, to=Stage.JUDGING, apart_from=_own,
            stops=["accept"], holder=_street, entry=Kind.ACCEPTED,
        ),
        act(
            WithReason, "不予受理", name="reject", meaning="the street does not take it, and says why.",
            by=STREET_OFFICER, at=Stage.PROPOSED, to=Stage.REJECTED, apart_from=_own, entry=Kind.REJECTED,
        ),
        *panel_lines(
            Kind, by=_jury, at=Stage.JUDGING, to=(Stage.JUDGING, Stage.POSTED, Stage.NOT_AWARDED),
        ),
        *POSTING.lines(),
        *INSTALMENTS.lines(),
        act(
            Account, "决算", by=_them, at=Stage.ACCOUNTING, to=Stage.CLOSED, when=payments_are_settled, entry=Kind.CLOSED,
        ),
        *PAYING.lines(),
        act(
            WithReason, "撤回", name="withdraw", meaning="whose project it is does not want it any more.",
            by=REPORTER, at=BEFORE_AWARD, to=Stage.WITHDRAWN, entry=Kind.WITHDRAWN,
        ),
        act(
            WithReason, "终止", name="cancel", meaning="it is called off; what was paid for milestones stays.",
            by=(STREET_OFFICER, CIVIL_AFFAIRS_OFFICER), at=AWARDED, to=Stage.CANCELLED,
            when=payments_are_settled, apart_from=(*_own, Part.RECUSED),
            entry=Kind.CANCELLED,
        ),
        step("expire", "逾期终结", at=OPEN, to=Stage.UNRESOLVED, entry=Kind.UNRESOLVED, clock="final"),
        *file_acts(
            Kind,
            by=(*_them, STREET_OFFICER, COORDINATOR, CIVIL_AFFAIRS_OFFICER, SUPERVISOR),
            at=OPEN,
            urged_by=(REPORTER, SUPERVISOR),
        ),
    ),
    end_notice=EndNotice(THE_REPORTER),
)  # fmt: skip
