"""partnership 社区合伙人 · 城乡结对 · 乡贤认领, declared: a partner gets space, name or access and owes dated duties, seen by all.

Source: domain (offered to all, both sides owe, ends without an act); 民法典 第五百六十三条 to 第五百六十五条 (notice),
第六百六十条 and 第六百六十六条 (gifts); the numbers are the town's (policies/partnership.yaml). What is more than a line stands in
`workflows/partnership.py`.
"""

from datetime import datetime
from typing import Any

from schemas.kernel.acts import Tells, WithReason, act, file_acts, step
from schemas.kernel.because import by_policy, nobody_acted
from schemas.kernel.case import Entry
from schemas.kernel.declaration import EndNotice, declare
from schemas.kernel.entries import EntryKinds, entry
from schemas.kernel.explanation import Because
from schemas.kernel.openings import Opens
from schemas.kernel.parties import (
    ANY_PARTNER,
    COMMITTEE_OFFICER,
    COORDINATOR,
    GRID_WORKER,
    PARTNER,
    STREET_OFFICER,
    SUPERVISOR,
    THE_REPORTER,
    WINDOW_CLERK,
    desk_of,
)
from schemas.kernel.people import Part, among
from schemas.kernel.reference_facts import Refers
from schemas.kernel.timers import duty, last_limit, window
from schemas.kernel.words import Promise
from schemas.partnership_commands import (
    AcceptAmends,
    Agree,
    AgreeRenewal,
    AnswerBreach,
    Apply,
    Choose,
    ConfirmHandBack,
    ConfirmVetting,
    DeclareBreach,
    DeclineAgreement,
    DraftDuty,
    DropBreach,
    DropDuty,
    Evaluate,
    HandBack,
    Offer,
    Propose,
    ProposeAgreement,
    ProposeBreach,
    ProposeRenewal,
    Suspend,
    Vet,
)
from schemas.partnership_state import (
    BEFORE_AGREEMENT,
    LIVING,
    OPEN,
    PERFORMED,
    POSTED,
    RESTING,
    PartnershipPolicy,
    PartnershipState,
    Stage,
)
from schemas.parts.agreed import Side
from schemas.parts.conditions import forbids, needs
from schemas.parts.duties import (
    CounterDutyEntries,
    counter_duty_lines,
    duty_lines,
    duty_timers,
    figure_lines,
    report_lines,
    report_timers,
    waiver_lines,
)
from schemas.parts.duty_board import DutyBoard
from schemas.parts.panel import PanelEntries, panel_lines
from schemas.parts.postings import Posting, PostingEntries, Shown, posting_timers
from schemas.parts.recusal import RecusalEntries, recusal_line
from schemas.recovery_parent import Recovering, RecoveryEntries
from schemas.values.actor import Actor, Role
from schemas.values.refusals import say

# ---- what else must hold ------------------------------------------------------------------------------------------------


def applies_once(state: PartnershipState, actor: Actor, _now: datetime) -> str | None:
    """A partner applies once."""
    applied = among(actor.subject, [each.subject for each in state.applications])
    return say("您已应征", "you have applied already") if applied else None


def both_sides_owe(state: PartnershipState, _actor: Actor, _now: datetime) -> str | None:
    """Duties of both sides stand in the agreement: so many of the community at least, and one of the partner."""
    ours = sum(each.side is Side.COUNTERPARTY for each in state.drafts)
    number = state.terms.community_duties_at_least
    if ours >= number and len(state.drafts) > ours:
        return None
    return say(
        f"协议须有合伙方的义务,并至少有{number}项社区的义务",
        f"an agreement has duties of the partner, and {number} of the community at least",
    )


nothing_is_proposed = forbids(
    "nothing_is_proposed",
    lambda state: state.agreement,
    "草案已送对方,待其答复",
    "the other side has the draft, and the word",
)
no_breach_is_proposed = forbids(
    "no_breach_is_proposed",
    lambda state: state.breach,
    "已有人提议,待另一人决定",
    "one is proposed, and waits for another person",
)
a_breach_is_proposed = needs(
    "a_breach_is_proposed", lambda state: state.breach, "没有人提议认定违约", "nobody has proposed a breach"
)
partner_was_heard = needs(
    "partner_was_heard",
    lambda state: state.breach is not None and (state.breach.heard or "hear" not in running(state)),
    "须先听取合伙方申辩,或待申辩期满",
    "the partner is heard first, or lets the time for it pass",
)
was_evaluated = needs("was_evaluated", lambda state: state.evaluated, "须先评价", "it is evaluated first")
no_renewal_waits = forbids(
    "no_renewal_waits",
    lambda state: state.renewal or state.renewed_months,
    "续约已提出",
    "a renewal is proposed, or agreed on",
)
not_handed_back = forbids(
    "not_handed_back",
    lambda state: state.handed_back,
    "已登记交还,待确认",
    "it was handed back, and is to be confirmed",
)


def running(state: PartnershipState) -> tuple[str, ...]:
    """The clocks that count now."""
    return tuple(name for name, clock in state.clocks.items() if clock.status == "running")


# ---- what its entries say -----------------------------------------------------------------------------------------------


def _why_breached(entry: Entry, state: Any) -> Because:
    rule = state.terms.breach_rule
    return Because(
        rule="policies/partnership.yaml terms.breach_rule",
        says=say(
            f"同一义务{rule.within_months}个月内{rule.one_duty}次,或任何义务{rule.any_within_months}个月内{rule.any_duty}次未补救,或有重大事由;"
            "由另一人在听取申辩后认定",
            f"one duty {rule.one_duty} times in {rule.within_months} months, any {rule.any_duty} in {rule.any_within_months}, or a "
            "grave ground; by another person, after the partner was heard",
        ),
        inputs={name: entry.facts.get(name) for name in ("ground", "heard")},
    )


def _why_renewed(entry: Entry, state: Any) -> Because:
    return Because(
        rule="policies/partnership.yaml terms.renew_at_percent",
        says=say(
            f"履行至少{state.terms.renew_at_percent}%,双方各自同意并公示;无人办理则到期终止",
            f"{state.terms.renew_at_percent} % of the duties kept at least, by both sides and posted; without an act it ends",
        ),
        inputs={name: entry.facts.get(name) for name in ("kept", "counted", "months", "term_last")},
    )


class Kind(
    PanelEntries,
    PostingEntries,
    CounterDutyEntries,
    RecusalEntries,
    RecoveryEntries,
    EntryKinds,
    procedure="partnership",
):
    """What the ledger says happened, beside what the parts say."""

    PROPOSED = entry("proposed", "提出合作")
    OFFERED = entry("offered", "发布")
    APPLIED = entry("applied", "应征")
    OFFER_CLOSED = entry("offer_closed", "招募截止")
    NO_PARTNER = entry(
        "no_partner",
        "无人应征",
        by_policy("partnership", "offer", "公开{limit}无人应征", "offered for {limit}, and nobody applied"),
    )
    VETTED = entry("vetted", "资格审核")
    VETTING_CONFIRMED = entry("vetting_confirmed", "资格复核")
    POINTS_GIVEN = entry("points_given", "评分公布")
    CHOSEN = entry("chosen", "择优")
    REFUSED = entry("refused", "未通过", references={"legal_basis": Refers.TEXT})
    DUTY_DRAFTED = entry("duty_drafted", "拟定义务")
    DUTY_DROPPED = entry("duty_dropped", "删去拟定义务")
    AGREEMENT_PROPOSED = entry("agreement_proposed", "提出协议", references={"duties[].what": Refers.TEXT})
    AGREEMENT_DECLINED = entry("agreement_declined", "不同意草案")
    AGREED = entry("agreed", "签约")
    TERM_BEGUN = entry("term_begun", "协议生效", _why_renewed)
    SUSPENDED = entry("suspended", "暂停")
    RESUMED = entry("resumed", "恢复")
    BREACH_DUE = entry("breach:due", "达到违约标准")
    BREACH_PROPOSED = entry("breach:proposed", "提议认定违约")
    BREACH_ANSWERED = entry("breach:answered", "申辩")
    BREACH_DROPPED = entry("breach:dropped", "不予认定")
    BREACHED = entry("breach:declared", "认定违约", _why_breached)
    NOTICE_GIVEN = entry("notice_given", "解除")
    AMENDS_ACCEPTED = entry("amends_accepted", "接受整改")
    HANDED_BACK = entry("handed_back", "交还")
    RENEWAL_OPENED = entry(
        "renewal:opened",
        "可以续约",
        by_policy(
            "partnership",
            "renew_before_days",
            "到期前{limit}日起可续约",
            "it can be renewed from {limit} days before its end",
        ),
    )
    EVALUATED = entry("evaluated", "评价")
    RENEWAL_PROPOSED = entry("renewal:proposed", "提议续约")
    RENEWAL_AGREED = entry("renewal:agreed", "同意续约")
    RENEWAL_REFUSED = entry("renewal:refused", "异议成立,不予续约", references={"legal_basis": Refers.TEXT})
    LAPSED = entry("lapsed", "到期未续约")
    ENDED = entry("ended", "终止")
    WITHDRAWN = entry("withdrawn", "撤回")
    UNRESOLVED = entry("unresolved", "逾期终结", nobody_acted("partnership"))


_committee, _street = desk_of(COMMITTEE_OFFICER), desk_of(STREET_OFFICER)
_office = (COMMITTEE_OFFICER, STREET_OFFICER)
_watchers = (GRID_WORKER, COMMITTEE_OFFICER, STREET_OFFICER)
_out = (Part.RELATED, Part.RECUSED)
_own = (Part.APPLICANT, *_out)
_may_stand = (Stage.ACTIVE, Stage.CURING)
_goes_on = (*_may_stand, Stage.RENEWING)

POSTING = Posting(
    kinds=Kind,
    posted=Stage.PUBLICISED,
    objected=Stage.OBJECTED,
    after=(Stage.ACTIVE, Stage.CURING, Stage.RENEWING),
    refused=Stage.REFUSED,
    otherwise=(Stage.RENEWING,),
    by=(STREET_OFFICER, SUPERVISOR),
    desk=_street,
    apart_from=(*_out, Part.JUDGED),
    shows=(
        Shown("kind", "类型代码", lambda state: state.partner_kind, on_page=False),
        Shown("space", "场地", lambda state: state.space or "-"),
        Shown("worth_fen", "估值(元)", lambda state: state.worth_fen or 0, money=True),
        Shown("rivals", "应征数", lambda state: str(len(state.applications))),
        Shown("term", "第几期", lambda state: str(state.terms_begun + 1)),
        Shown("partner_duties", "合伙方义务(项)", lambda state: str(state.owed_in_number(Side.PARTY))),
        Shown("community_duties", "社区义务(项)", lambda state: str(state.owed_in_number(Side.COUNTERPARTY))),
    ),
)

BOARD = DutyBoard(
    at=(*PERFORMED, *POSTED, *RESTING, Stage.TERMINATING),
    shows=(
        Shown("kind", "类型代码", lambda state: state.partner_kind, on_page=False),
        Shown("space", "场地", lambda state: state.space or "-"),
        Shown("worth_fen", "估值(元)", lambda state: state.worth_fen or 0, money=True),
        Shown("rivals", "应征数", lambda state: str(len(state.applications))),
        Shown("term_first", "生效", lambda state: str(state.term_first or "-")),
        Shown("term_last", "到期", lambda state: str(state.term_last or "-")),
    ),
)

PARTNERSHIP = declare(
    "partnership",
    "社区合伙人",
    policy=PartnershipPolicy,
    state=PartnershipState,
    stages=Stage,
    entries=Kind,
    parts=(POSTING, BOARD, Recovering(kinds=Kind)),
    opens=Opens(
        Propose, "propose", "提出合作", "propose a partnership",
        frozenset({Role.COMMITTEE_OFFICER, Role.PARTNER}), "partnerships",
        starts=("answer",), holder=_committee, tells=Tells(_committee, "partnership_proposed"),
    ),
    opened=Kind.PROPOSED,
    keep_years=10,
    timers={
        "answer": duty("发布或答复", "offer or answer", "answer", promise=Promise("意向答复", "an answer to the proposal")),
        "offer": window("招募", "offer", "offer"),
        "vet": duty("资格审核", "vetting", "vet", warned=_committee),
        "judge": duty("评审", "judging", "judge", warned=_committee),
        "choose": duty("择优", "choice", "choose", warned=_committee),
        "negotiate": duty("协商签约", "agreement", "negotiate"),
        **posting_timers(),
        **duty_timers(owed_by=THE_REPORTER, accepted_by=_committee, silence_accepts=False, accept_beside=True),
        **report_timers(looked_into_by=_street),
        "renewal": window("可续约日", "renewal opens", None),
        "term": window("协议到期", "end of the term", None, warns=True, warned=_committee),
        "hear": window("申辩", "hearing", "hear", warns=True, warned=THE_REPORTER),
        "decide": duty("违约决定", "decision on a breach", "decide", warned=_committee, beside=True),
        "suspension": duty("暂停处理", "suspension", "suspension", beside=True),
        "notice": duty("解除或整改", "notice or amends", "notice"),
        "hand_back": duty("交还清算", "handing back", "hand_back"),
        "final": last_limit("unresolved_after"),
    },
    lines=(
        # ---- the offer
        act(
            Offer, "发布", by=COMMITTEE_OFFICER, at=Stage.PROPOSED, to=Stage.OFFERED, apart_from=_own,
            stops=["answer"], starts=["offer"], holder="", entry=Kind.OFFERED,
        ),
        act(
            WithReason, "谢绝意向", name="decline_idea", meaning="the committee does not offer it, and says why.",
            by=COMMITTEE_OFFICER, at=Stage.PROPOSED, to=Stage.REFUSED, apart_from=_own, entry=Kind.REFUSED,
        ),
        act(
            WithReason, "撤回", name="withdraw_offer", meaning="no agreement comes of it.",
            by=(COMMITTEE_OFFICER, PARTNER), at=BEFORE_AGREEMENT, to=Stage.WITHDRAWN, apart_from=_out, entry=Kind.WITHDRAWN,
        ),
        # ---- who applies
        act(Apply, "应征", name="apply_for", by=ANY_PARTNER, at=Stage.OFFERED, when=applies_once, entry=Kind.APPLIED),
        step("close_offer", "招募截止", at=Stage.OFFERED, to=(Stage.VETTING, Stage.NO_PARTNER), clock="offer"),
        act(Vet, "资格审核", by=_office, at=Stage.VETTING, apart_from=_own, part=Part.VETTED, entry=Kind.VETTED),
        act(
            ConfirmVetting, "资格复核", by=_office, at=Stage.VETTING, to=(Stage.VETTING, Stage.JUDGING, Stage.REFUSED),
            apart_from=(*_own, Part.VETTED), answers=(Part.VETTED,), entry=Kind.VETTING_CONFIRMED,
        ),
        *panel_lines(
            Kind, by=(GRID_WORKER, *_office, COORDINATOR), at=Stage.JUDGING, to=(Stage.JUDGING, Stage.CHOOSING, Stage.REFUSED),
            apart_from=(Part.RELATED,),
        ),
        act(
            Choose, "择优", by=COMMITTEE_OFFICER, at=Stage.CHOOSING, to=Stage.NEGOTIATING, apart_from=_own,
            stops=["choose"], starts=["negotiate"], holder=_committee, entry=Kind.CHOSEN,
            tells=Tells(THE_REPORTER, "partnership_chosen"),
        ),
        # ---- the agreement
        act(
            DraftDuty, "拟定义务", by=(COMMITTEE_OFFICER, PARTNER), at=Stage.NEGOTIATING, when=nothing_is_proposed,
            entry=Kind.DUTY_DRAFTED,
        ),
        act(
            DropDuty, "删去拟定义务", by=(COMMITTEE_OFFICER, PARTNER), at=Stage.NEGOTIATING, when=nothing_is_proposed,
            entry=Kind.DUTY_DROPPED,
        ),
        act(
            ProposeAgreement, "提出协议",
            by=COMMITTEE_OFFICER, at=Stage.NEGOTIATING, when=(nothing_is_proposed, both_sides_owe), apart_from=_own,
            part=Part.AGREEMENT_PROPOSED, entry=Kind.AGREEMENT_PROPOSED,
        ),
        act(
            Agree, "签约", by=PARTNER, at=Stage.NEGOTIATING, to=Stage.PUBLICISED,
            apart_from=(Part.AGREEMENT_PROPOSED,), answers=(Part.AGREEMENT_PROPOSED,), entry=Kind.AGREED,
        ),
        act(
            DeclineAgreement, "不同意草案", by=PARTNER, at=Stage.NEGOTIATING,
            apart_from=(Part.AGREEMENT_PROPOSED,), answers=(Part.AGREEMENT_PROPOSED,), entry=Kind.AGREEMENT_DECLINED,
        ),
        *POSTING.lines(),
        # ---- the duties of both sides
        *duty_lines(
            Kind, at=LIVING, to=_may_stand, curing=_may_stand, proved_by=(PARTNER,), accepted_by=_watchers, apart_from=_own,
        ),
        *counter_duty_lines(
            Kind, at=LIVING, to=_may_stand, curing=_may_stand, proved_by=(COMMITTEE_OFFICER,), accepted_by=(PARTNER,),
        ),
        *report_lines(
            Kind, at=LIVING, reported_by=(PARTNER,), cleared_by=(STREET_OFFICER, SUPERVISOR), apart_from=_own,
        ),
        *waiver_lines(
            Kind, at=LIVING, to=_may_stand, asked_by=(COMMITTEE_OFFICER,), granted_by=_watchers, in_hardship=(PARTNER,),
            apart_from=_own,
        ),
        *figure_lines(Kind, at=LIVING, to=_may_stand, stated_by=(PARTNER,), checked_by=_office, apart_from=_own),
        # ---- it does not go well
        act(
            Suspend, "暂停", by=_office, at=PERFORMED, to=Stage.SUSPENDED, apart_from=_own,
            starts=["suspension"], holder=_committee, entry=Kind.SUSPENDED, tells=Tells(THE_REPORTER, "partnership_suspended"),
        ),
        act(
            WithReason, "恢复", name="go_on", meaning="it is performed again; what fell due meanwhile was not to be done.",
            by=_office, at=Stage.SUSPENDED, to=_goes_on, apart_from=_own, when=no_breach_is_proposed, entry=Kind.RESUMED,
        ),
        act(
            ProposeBreach, "提议认定违约", by=_office, at=(*PERFORMED, Stage.SUSPENDED), when=no_breach_is_proposed,
            apart_from=_own, part=Part.BREACH_PROPOSED, entry=Kind.BREACH_PROPOSED,
        ),
        act(
            AnswerBreach, "申辩", by=PARTNER, at=(*PERFORMED, Stage.SUSPENDED), when=a_breach_is_proposed,
            entry=Kind.BREACH_ANSWERED,
        ),
        act(
            DeclareBreach, "认定违约", by=_office, at=(*PERFORMED, Stage.SUSPENDED), to=Stage.BREACHED, when=partner_was_heard,
            apart_from=(*_own, Part.BREACH_PROPOSED), answers=(Part.BREACH_PROPOSED,), entry=Kind.BREACHED,
        ),
        act(
            DropBreach, "不予认定", by=_office, at=(*PERFORMED, Stage.SUSPENDED), apart_from=(*_own, Part.BREACH_PROPOSED),
            answers=(Part.BREACH_PROPOSED,), entry=Kind.BREACH_DROPPED,
        ),
        act(
            WithReason, "解除", name="give_notice", meaning="the agreement ends; what was given is handed back.",
            by=(COMMITTEE_OFFICER, PARTNER), at=Stage.BREACHED, to=Stage.TERMINATING, apart_from=_out,
            entry=Kind.NOTICE_GIVEN,
        ),
        act(
            AcceptAmends, "接受整改", by=_office, at=Stage.BREACHED, to=_goes_on, apart_from=_own, entry=Kind.AMENDS_ACCEPTED,
        ),
        # ---- the end of the term
        step("open_renewal", "可以续约", at=_may_stand, to=Stage.RENEWING, clock="renewal"),
        act(Evaluate, "评价", by=COMMITTEE_OFFICER, at=Stage.RENEWING, apart_from=_own, entry=Kind.EVALUATED),
        act(
            ProposeRenewal, "提议续约", by=COMMITTEE_OFFICER, at=Stage.RENEWING, when=(was_evaluated, no_renewal_waits),
            apart_from=_own, part=Part.RENEWAL_PROPOSED, entry=Kind.RENEWAL_PROPOSED,
        ),
        act(
            AgreeRenewal, "同意续约", by=PARTNER, at=Stage.RENEWING, to=Stage.PUBLICISED,
            apart_from=(Part.RENEWAL_PROPOSED,), answers=(Part.RENEWAL_PROPOSED,), entry=Kind.RENEWAL_AGREED,
        ),
        step(
            "end_term", "协议到期", at=(*LIVING, *RESTING), to=(*_goes_on, Stage.TERMINATING, Stage.ENDED), clock="term",
        ),
        act(
            HandBack, "交还", by=(PARTNER, COMMITTEE_OFFICER), at=Stage.TERMINATING, when=not_handed_back,
            part=Part.HANDED_BACK, entry=Kind.HANDED_BACK,
        ),
        act(
            ConfirmHandBack, "确认交还", by=_office, at=Stage.TERMINATING, to=Stage.ENDED,
            apart_from=(*_own, Part.INVESTIGATED, Part.HANDED_BACK), answers=(Part.HANDED_BACK,), entry=Kind.ENDED,
        ),
        step(
            "expire", "逾期终结", at=(*BEFORE_AGREEMENT, *LIVING, *RESTING, Stage.TERMINATING), to=Stage.UNRESOLVED,
            entry=Kind.UNRESOLVED, clock="final",
        ),
        recusal_line(Kind, by=(*_watchers, COORDINATOR), at=OPEN),
        *file_acts(
            Kind, by=(PARTNER, WINDOW_CLERK, *_watchers, COORDINATOR, SUPERVISOR), at=OPEN, urged_by=(PARTNER, SUPERVISOR),
        ),
    ),
    end_notice=EndNotice(THE_REPORTER),
)  # fmt: skip
