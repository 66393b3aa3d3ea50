"""mediation 人民调解, declared: a dispute is talked out by somebody neutral, agreed by every side for itself, and kept.

Sources: 人民调解法 (the article stands beside its line), 人民调解工作若干规定 (grounds), 法释〔2011〕5号 (confirmation); the
numbers are the town's (policies/mediation.yaml). What is more than a line stands in `workflows/mediation*.py`.
"""

from datetime import datetime

from schemas.contracts.department import CallbackAct
from schemas.kernel.acts import Nothing, WithReason, act, also, file_acts, step
from schemas.kernel.because import by_policy, nobody_acted
from schemas.kernel.declaration import declare
from schemas.kernel.entries import EntryKinds, entry
from schemas.kernel.openings import Opens
from schemas.kernel.parties import (
    COMMITTEE_OFFICER,
    COORDINATOR,
    GRID_WORKER,
    HOLDING_DEPARTMENT,
    SUPERVISOR,
    WINDOW_CLERK,
    desk_of,
    seated,
)
from schemas.kernel.people import Part
from schemas.kernel.reference_facts import Refers
from schemas.kernel.timers import duty, last_limit, window
from schemas.kernel.words import Promise
from schemas.mediation_agreement import (
    Acknowledge,
    AskConfirmation,
    DraftAgreement,
    EndWithGuidance,
    FollowUp,
    GuideRemedy,
    RecordOral,
    RefuseCase,
    RefuseSign,
    Sign,
    TakeBack,
    Transfer,
    Vary,
)
from schemas.mediation_sides import (
    AcceptMediator,
    AddParty,
    AgreeTo,
    Apply,
    AppointAgent,
    AppointMediator,
    ChooseMediator,
    Consent,
    Decline,
    DisagreeWith,
    Disclose,
    ObjectMediator,
    RevokeAgent,
    VisitParty,
)
from schemas.mediation_state import (
    AGREED,
    APPLICANT_SIDE,
    OPEN,
    TALKING,
    Confirmation,
    MediationPolicy,
    MediationState,
    Stage,
)
from schemas.mediation_talks import (
    CallSession,
    ClearDanger,
    Escalate,
    GiveOpinion,
    Invite,
    PassOn,
    RecordSession,
    ReferDanger,
    ReportDanger,
)
from schemas.parts.conditions import forbids, needs, while_open
from schemas.parts.duties import DutyEntries, duty_lines, duty_timers
from schemas.parts.orders import GiveBack, OrderEntries, ReportDone
from schemas.parts.participants import AGENT, MEDIATOR, PARTY, SPECIALIST, participant_timers
from schemas.values.actor import Actor, Role
from schemas.values.refusals import say

_party, _agent = seated(Role.RESIDENT, PARTY), seated(Role.RESIDENT, AGENT)
_mediator, _specialist = seated(Role.MEDIATOR, MEDIATOR), seated(Role.SPECIALIST, SPECIALIST)
_side = (_party, _agent)
_side_or_window = (*_side, WINDOW_CLERK)
_neutral = (Part.SEATED,)


COMMITTEE = desk_of(COMMITTEE_OFFICER)
"""Who is told where nobody else can be."""

FOLLOW_UPS = 2
"""Once soon, to see that it began; once later, to see that it lasted (domain: 7 and 30 days)."""


class CourtRefuses(GiveBack):
    """法院裁定驳回或不予受理: by which ground (民事诉讼法解释)."""


class CourtConfirms(ReportDone):
    """法院裁定确认有效: its number, and the ruling."""


class Kind(OrderEntries, DutyEntries, EntryKinds, procedure="mediation"):
    """What the ledger says happened. Who hears which entry, the entry says (`audience`)."""

    APPLIED = entry("applied", "申请调解")
    ACCEPTED = entry("accepted", "受理", references={"matter": Refers.TEXT})
    NOT_ACCEPTED = entry("not_accepted", "不予受理")
    VISIT_WANTED = entry("visit_wanted", "须上门告知")
    VISITED = entry("visited", "上门告知")
    CONSENTED = entry("consented", "同意调解")
    TAKEN_DOWN = entry("taken_down", "窗口代为登记", references={"paper.reference": Refers.DOCUMENT})
    DECLINED = entry("declined", "拒绝调解")
    NOT_REACHED = entry(
        "not_reached",
        "未能取得同意",
        by_policy(
            "mediation",
            "reach",
            "上门后{limit}仍未取得各方同意",
            "not every side was reached within {limit} of the visit",
        ),
    )
    MEDIATOR_CHOSEN = entry("mediator:chosen", "选择调解员")
    APPOINTMENT_DUE = entry("mediator:to_be_appointed", "须指定调解员")
    MEDIATOR_APPOINTED = entry("mediator:appointed", "确定调解员")
    TIE_DISCLOSED = entry("mediator:tie_disclosed", "披露")
    MEDIATOR_ACCEPTED = entry("mediator:accepted", "书面接受")
    MEDIATOR_OBJECTED = entry("mediator:objected", "申请更换")
    MEDIATOR_REPLACED = entry("mediator:replaced", "更换调解员")
    AGENT_APPOINTED = entry("agent_appointed", "委托代理")
    AGENT_WRITTEN = entry("agent_written", "委托书", references={"paper.reference": Refers.DOCUMENT})
    AGENT_REVOKED = entry("agent_revoked", "撤销委托")
    PARTY_ADDED = entry("party:added", "追加当事人")
    PARTY_LEFT = entry("party:left", "退出")
    PUT_TO_ALL = entry("put_to_all", "征求各方意见", references={"text": Refers.TEXT})
    AGREED = entry("agreed", "一方同意")
    DISAGREED = entry("disagreed", "一方不同意")
    NOT_ALL_SPOKE = entry(
        "not_all_spoke",
        "征求意见期满",
        by_policy("mediation", "put_to_all", "{limit}内未获各方同意", "not every side agreed within {limit}"),
    )
    INVITED = entry("invited", "邀请到位")
    INVITATION_ENDED = entry("invitation_ended", "邀请期满")
    OPINION = entry("opinion", "专业意见")
    SESSION_CALLED = entry("session:called", "约调")
    SESSION_CALLED_OFF = entry("session:called_off", "取消约调")
    SESSION_RECORDED = entry("session:recorded", "笔录")
    TOLD = entry("told", "转告")
    ESCALATED = entry("escalated", "提级")
    LEVEL_OVER = entry("level_over", "本级调解期满")
    EXTENDED = entry("extended", "延长调解期限")
    PAUSED = entry("paused", "中止")
    RESUMED = entry("resumed", "恢复")
    DANGER_REPORTED = entry("danger:reported", "风险报告")
    DANGER_REFERRED = entry("danger:referred", "联系处置")
    DANGER_CLEARED = entry("danger:cleared", "解除风险")
    DRAFTED = entry("drafted", "协议草案")
    SIGNED = entry("signed", "签署")
    NOT_SIGNED = entry("not_signed", "未签署")
    IN_FORCE = entry("in_force", "协议生效", references={"text": Refers.TEXT})
    CONFIRMATION_ASKED = entry("confirmation:asked", "申请司法确认")
    CONFIRMATION_FILED = entry("confirmation:filed", "提交法院")
    CONFIRMATION_TAKEN_BACK = entry("confirmation:taken_back", "撤回司法确认")
    CONFIRMATION_LAPSED = entry(
        "confirmation:lapsed",
        "司法确认期满",
        by_policy(
            "mediation",
            "confirm_window",
            "协议生效后{limit}内须各方共同申请",
            "every side asks within {limit} of the agreement",
        ),
    )
    COURT_ACCEPTED = entry("court:accepted", "法院受理")
    COURT_HEARS = entry("court:hears", "法院审查")
    COURT_REFUSED = entry("court:refused", "法院驳回")
    CONFIRMED = entry("court:confirmed", "司法确认")
    LOOK_WANTED = entry("look_wanted", "须查看履行")
    BREACHED = entry(
        "breached",
        "违约",
        by_policy("mediation", "cure", "补救期{limit}内未履行", "not done within {limit} to cure it"),
    )
    ACKNOWLEDGED = entry("acknowledged", "确认已履行")
    VARIED = entry("varied", "变更协议", references={"text": Refers.TEXT})
    TAKEN_UP_AGAIN = entry("taken_up_again", "再次调解")
    REMEDY_TOLD = entry("remedy_told", "告知救济")
    FAILED = entry("failed", "调解不成")
    TIME_OVER = entry(
        "time_over", "调解期满", by_policy("mediation", "whole", "调解期限{limit}", "mediation takes {limit}")
    )
    TRANSFERRED = entry("transferred", "移送")
    WITHDRAWN = entry("withdrawn", "撤回")
    FOLLOWED_UP = entry("followed_up", "回访")
    CLOSED = entry("closed", "结案")
    UNRESOLVED = entry("unresolved", "逾期终结", nobody_acted("mediation"))


# ---- conditions -------------------------------------------------------------------------------------------------------


def no_tie_is_open(state: MediationState, actor: Actor, _now: datetime) -> str | None:
    """A mediator with a tie does nothing until every side has accepted it in writing."""
    open_tie = state.tie_of(actor.subject) is not None
    said = say("您披露的关系尚未获各方书面接受", "not every side has accepted your tie in writing")
    return said if open_tie else None


def is_whoever_applied(state: MediationState, actor: Actor, _now: datetime) -> str | None:
    """The others end it by declining."""
    side = state.side_of(actor.subject)
    return (
        None
        if side == APPLICANT_SIDE
        else say("由申请人撤回;其他方可要求终止", "whoever applied withdraws; the others may decline")
    )


def not_consented_yet(state: MediationState, actor: Actor, _now: datetime) -> str | None:
    """Once is enough."""
    side = state.side_of(actor.subject)
    return say("本方已同意", "your side has consented") if side in state.consented else None


def not_signed_yet(state: MediationState, actor: Actor, _now: datetime) -> str | None:
    """Each signs once."""
    who = {Role.MEDIATOR: "mediator", Role.COMMITTEE_OFFICER: "seal"}.get(actor.role, state.side_of(actor.subject))
    return say("已签署", "this is signed already") if who in state.signed else None


def nobody_chosen_in_time(state: MediationState, _actor: Actor, _now: datetime) -> str | None:
    """The sides choose first."""
    clock = state.clocks.get("choose")
    waits = clock is not None and clock.status == "running"
    return say("各方仍在选择期内", "the sides still have time to choose") if waits else None


all_consented = needs(
    "all_consented", lambda state: state.all_consented, "尚有一方未同意", "not every side has consented"
)
may_extend = needs(
    "may_extend",
    lambda state: state.extensions < state.terms.extensions_at_most,
    "延期次数已满",
    "it was extended as often as it may",
)
waits_for_the_court = needs(
    "waits_for_the_court",
    lambda state: state.confirmation == Confirmation.FILED,
    "未提交司法确认",
    "nothing is before the court",
)
can_be_asked = needs(
    "can_be_asked",
    lambda state: state.confirmation in {Confirmation.NONE, Confirmation.ASKED} and state.in_force_at,
    "司法确认已提交或已失去期限",
    "the way to confirmation is closed, or it is asked for",
)
asked_for = needs(
    "asked_for",
    lambda state: state.confirmation in {Confirmation.ASKED, Confirmation.FILED},
    "没有申请司法确认",
    "nobody has asked for confirmation",
)
before_the_window_ends = while_open(
    "before_the_window_ends", "confirm_window", "申请期限已过", "the time to ask is over"
)
nothing_is_put_to_all = forbids(
    "nothing_is_put_to_all",
    lambda state: state.proposals,
    "已有一项待各方表态",
    "something waits for the word of every side",
)
is_nowhere_else = forbids(
    "is_nowhere_else",
    lambda state: state.elsewhere,
    "法院、仲裁或公安已受理,依法不予受理",
    "a court, an arbitrator or the police has it already: it is not accepted",
)
a_follow_up_is_due = needs(
    "a_follow_up_is_due", lambda state: state.follow_ups < FOLLOW_UPS, "回访已完成", "both follow-ups are done"
)
MEDIATION = declare(
    "mediation",
    "人民调解",
    policy=MediationPolicy,
    state=MediationState,
    stages=Stage,
    entries=Kind,
    confidential=True,
    opens=Opens(
        Apply, "apply", "申请调解", "apply for mediation",
        frozenset({
            Role.RESIDENT, Role.GRID_WORKER, Role.WINDOW_CLERK, Role.COMMITTEE_OFFICER, Role.MEDIATOR, Role.DEPARTMENT_OFFICER,
        }),
        "mediations",
    ),
    opened=Kind.APPLIED,
    keep_years=10,
    timers={
        "accept": duty("受理", "acceptance", "accept", promise=Promise("受理答复", "an answer whether it is accepted")),
        "consult": window("征求意见", "consent of every side", "consult", warns=True),
        "reach": window("上门告知", "a visit to who has not answered", "reach", warns=True),
        "choose": window("选择调解员", "choice of a mediator", "choose", warns=True),
        "appoint": duty("指定调解员", "appointment of a mediator", "choose"),
        "level": window("本级调解", "mediation at this level", lambda terms, state: terms.level_limits[state.level], warns=True),
        "whole": window("调解期限", "mediation", "whole", warns=True),
        "sign": window("签署", "signing", "sign", warns=True),
        "pause": duty("恢复调解", "going on after a pause", "pause"),
        "attend": duty("跟进", "attendance", "attend", "danger_tiers", beside=True, hushed=True),
        "on_site": duty("到场", "arrival", "on_site", "danger_tiers", beside=True, hushed=True),
        "put_to_all": window("征求各方意见", "word of every side", "put_to_all", warns=True),
        **duty_timers(owed_by="", accepted_by="", silence_accepts=True),
        "look": duty("查看履行", "a look whether it was done", "look"),
        "confirm_window": window("司法确认", "judicial confirmation", "confirm_window", warns=True),
        "court": duty("法院答复", "answer of the court", "court", beside=True),
        "remedy": duty("告知救济", "telling the remedies", "remedy"),
        "follow_up": duty("回访", "follow-up", lambda terms, state: (
            terms.follow_up_again if state.follow_ups else terms.follow_up
        )),
        **participant_timers(),
        "final": last_limit("unresolved_after"),
    },
    lines=(
        # ---- 1. applied and accepted: every side consents for itself (人民调解法 17, 23)
        act(WithReason, "受理", name="accept", meaning="the committee takes it up, and every side is asked.",
            by=COMMITTEE_OFFICER, at=Stage.APPLIED, to=Stage.CONSULTING, when=is_nowhere_else, apart_from=_neutral,
            entry=Kind.ACCEPTED),
        act(RefuseCase, "不予受理", by=COMMITTEE_OFFICER, at=(Stage.APPLIED, Stage.CONSULTING), to=Stage.NOT_ACCEPTED,
            apart_from=_neutral, entry=Kind.NOT_ACCEPTED),
        act(Consent, "同意调解", by=_side_or_window, at=Stage.CONSULTING, to=(Stage.CONSULTING, Stage.ACCEPTED),
            when=not_consented_yet, entry=Kind.CONSENTED),
        also("consent", "同意调解(追加的当事人)", by=_side_or_window, at=Stage.MEDIATING, when=not_consented_yet),
        act(Decline, "拒绝、要求终止", by=_side_or_window, at=Stage.CONSULTING, to=Stage.DECLINED),
        *(also("decline", "拒绝、要求终止", by=_side_or_window, at=each, to=(each, Stage.FAILED)) for each in TALKING),
        act(VisitParty, "上门告知", by=GRID_WORKER, at=Stage.CONSULTING, apart_from=_neutral, entry=Kind.VISITED),
        step("visit_is_wanted", "须上门告知", at=Stage.CONSULTING, entry=Kind.VISIT_WANTED, clock="consult"),
        step("not_reached", "未能取得同意", at=Stage.CONSULTING, to=Stage.DECLINED, entry=Kind.NOT_REACHED, clock="reach"),
        # ---- 2. who mediates: chosen by all, else appointed; a tie is accepted in writing, or they go (L 在线调解规则 10, 13)
        act(ChooseMediator, "选择调解员", by=_side_or_window, at=Stage.ACCEPTED, to=(Stage.ACCEPTED, Stage.MEDIATING),
            entry=Kind.MEDIATOR_CHOSEN),
        step("appointment_is_due", "须指定调解员", at=Stage.ACCEPTED, entry=Kind.APPOINTMENT_DUE, clock="choose"),
        act(AppointMediator, "指定调解员", by=COMMITTEE_OFFICER, at=Stage.ACCEPTED, to=Stage.MEDIATING,
            when=nobody_chosen_in_time, apart_from=_neutral, entry=Kind.MEDIATOR_APPOINTED),
        act(Disclose, "披露", by=_mediator, at=(Stage.MEDIATING, Stage.PAUSED, Stage.SIGNING), entry=Kind.TIE_DISCLOSED),
        act(AcceptMediator, "书面接受调解员", by=_side_or_window, at=(Stage.MEDIATING, Stage.PAUSED, Stage.SIGNING),
            entry=Kind.MEDIATOR_ACCEPTED),
        act(ObjectMediator, "申请更换调解员", by=_side_or_window, at=Stage.MEDIATING, to=(Stage.MEDIATING, Stage.ACCEPTED),
            entry=Kind.MEDIATOR_OBJECTED),
        *(also("object_mediator", "申请更换调解员", by=_side_or_window, at=each, to=(each, Stage.ACCEPTED))
          for each in (Stage.PAUSED, Stage.SIGNING)),
        act(AppointAgent, "委托代理人", by=_party, at=(Stage.CONSULTING, *TALKING, *AGREED), entry=Kind.AGENT_APPOINTED),
        act(RevokeAgent, "撤销委托", by=_party, at=(Stage.CONSULTING, *TALKING, *AGREED), entry=Kind.AGENT_REVOKED),
        act(AddParty, "追加当事人", by=_mediator, at=Stage.MEDIATING, when=no_tie_is_open, entry=Kind.PARTY_ADDED),
        # ---- 3. what every side has to agree to
        act(Invite, "邀请", by=_mediator, at=Stage.MEDIATING, when=(no_tie_is_open, nothing_is_put_to_all),
            part=Part.PROPOSED, entry=Kind.PUT_TO_ALL),
        act(Escalate, "提级联合调解", by=_mediator, at=Stage.MEDIATING, when=(no_tie_is_open, nothing_is_put_to_all),
            part=Part.PROPOSED, entry=Kind.PUT_TO_ALL),
        act(WithReason, "申请延期", name="ask_extension", meaning="more time is put to every side.",
            by=_mediator, at=Stage.MEDIATING, when=(no_tie_is_open, may_extend, nothing_is_put_to_all),
            part=Part.PROPOSED, entry=Kind.PUT_TO_ALL),
        act(RecordOral, "口头协议", by=_mediator, at=Stage.MEDIATING,
            when=(no_tie_is_open, all_consented, nothing_is_put_to_all), part=Part.PROPOSED, entry=Kind.PUT_TO_ALL),
        act(Vary, "变更协议", by=_mediator, at=AGREED, when=nothing_is_put_to_all, part=Part.PROPOSED, entry=Kind.PUT_TO_ALL),
        act(WithReason, "提请再调解", name="remediate", meaning="mediation once more is put to every side.",
            by=_mediator, at=Stage.BREACHED, when=nothing_is_put_to_all, part=Part.PROPOSED, entry=Kind.PUT_TO_ALL),
        act(AgreeTo, "同意该项", by=_side_or_window, at=Stage.MEDIATING, to=(Stage.MEDIATING, Stage.PERFORMING),
            apart_from=(Part.PROPOSED,), answers=(Part.PROPOSED,), entry=Kind.AGREED),
        also("agree_to", "同意该项", by=_side_or_window, at=AGREED, to=(*AGREED, Stage.MEDIATING),
             apart_from=(Part.PROPOSED,), answers=(Part.PROPOSED,)),
        act(DisagreeWith, "不同意该项", by=_side_or_window, at=(Stage.MEDIATING, *AGREED),
            apart_from=(Part.PROPOSED,), answers=(Part.PROPOSED,), entry=Kind.DISAGREED),
        step("not_all_spoke", "征求意见期满", at=(*TALKING, *AGREED), entry=Kind.NOT_ALL_SPOKE, clock="put_to_all"),
        act(GiveOpinion, "专业意见", by=_specialist, at=Stage.MEDIATING, entry=Kind.OPINION),
        # ---- 4. sessions: together, or apart; what is said apart stays there
        act(CallSession, "约调", by=_mediator, at=Stage.MEDIATING, when=no_tie_is_open, entry=Kind.SESSION_CALLED),
        act(RecordSession, "笔录", by=_mediator, at=Stage.MEDIATING, when=no_tie_is_open, entry=Kind.SESSION_RECORDED),
        act(PassOn, "转告", by=_mediator, at=(Stage.MEDIATING, Stage.SIGNING, *AGREED), when=no_tie_is_open, entry=Kind.TOLD),
        act(WithReason, "中止", name="pause", meaning="an appraisal or a death is waited for.",
            by=_mediator, at=Stage.MEDIATING, to=Stage.PAUSED, when=no_tie_is_open, entry=Kind.PAUSED),
        act(Nothing, "恢复", name="resume", meaning="it goes on.", by=(_mediator, COMMITTEE_OFFICER), at=Stage.PAUSED,
            to=Stage.MEDIATING, apart_from=_neutral, entry=Kind.RESUMED),
        step("level_is_over", "本级调解期满", at=Stage.MEDIATING, clock="level"),
        step("time_is_over", "调解期满", at=TALKING, to=Stage.FAILED, entry=Kind.TIME_OVER, clock="whole"),
        # ---- 5. danger goes out without anybody's consent (人民调解法 25)
        act(ReportDanger, "风险报告", by=(*_side, _mediator, _specialist, GRID_WORKER, WINDOW_CLERK, COMMITTEE_OFFICER), at=OPEN,
            entry=Kind.DANGER_REPORTED),
        act(ReferDanger, "联系处置", by=(COORDINATOR, _mediator), at=OPEN, entry=Kind.DANGER_REFERRED),
        act(ClearDanger, "解除风险", by=(COORDINATOR, _specialist), at=OPEN, apart_from=_neutral, entry=Kind.DANGER_CLEARED),
        # ---- 6. the agreement: in force with every side, the mediator and the seal (人民调解法 28, 29, 30)
        act(DraftAgreement, "协议草案", by=_mediator, at=Stage.MEDIATING, to=Stage.SIGNING,
            when=(no_tie_is_open, all_consented, nothing_is_put_to_all), entry=Kind.DRAFTED),
        act(Sign, "签署", by=_side_or_window, at=Stage.SIGNING, to=(Stage.SIGNING, Stage.PERFORMING), when=not_signed_yet,
            entry=Kind.SIGNED),
        also("sign", "签署(调解员)", by=_mediator, at=Stage.SIGNING, to=(Stage.SIGNING, Stage.PERFORMING),
             when=(not_signed_yet, no_tie_is_open), apart_from=_neutral),
        also("sign", "盖章", by=COMMITTEE_OFFICER, at=Stage.SIGNING, to=(Stage.SIGNING, Stage.PERFORMING), when=not_signed_yet,
             apart_from=(Part.SEATED, Part.MEDIATED)),
        act(RefuseSign, "拒签", by=_side_or_window, at=Stage.SIGNING, to=Stage.MEDIATING, entry=Kind.NOT_SIGNED),
        step("not_signed_in_time", "逾期未签署", at=Stage.SIGNING, to=Stage.MEDIATING, clock="sign"),
        # ---- 7. performing
        *duty_lines(
            Kind, at=AGREED, to=AGREED, proved_by=_side_or_window, accepted_by=(*_side, _mediator), waived_by=_side,
        ),
        act(Acknowledge, "确认已履行", by=_side, at=Stage.BREACHED, to=(Stage.BREACHED, Stage.PERFORMING), entry=Kind.ACKNOWLEDGED),
        act(GuideRemedy, "告知救济", by=(_mediator, COMMITTEE_OFFICER), at=Stage.BREACHED, to=Stage.CLOSED,
            apart_from=_neutral, entry=Kind.REMEDY_TOLD),
        # ---- 8. confirmation: every side by its own channel, within 30 days (人民调解法 33)
        act(AskConfirmation, "申请司法确认", by=_side_or_window, at=AGREED, when=(can_be_asked, before_the_window_ends),
            entry=Kind.CONFIRMATION_ASKED),
        act(TakeBack, "撤回司法确认", by=_side_or_window, at=AGREED, when=asked_for, entry=Kind.CONFIRMATION_TAKEN_BACK),
        act(Nothing, "法院受理", name="court_accepts", meaning="the court has it, and rules within 15 days.",
            by=HOLDING_DEPARTMENT, at=AGREED, when=waits_for_the_court, entry=Kind.COURT_ACCEPTED,
            reported_as=CallbackAct.SIGNED),
        act(Nothing, "法院审查", name="court_hears", meaning="the court looks into it, with every side.",
            by=HOLDING_DEPARTMENT, at=AGREED, when=waits_for_the_court, entry=Kind.COURT_HEARS,
            reported_as=CallbackAct.ARRIVED),
        act(CourtRefuses, "法院驳回", by=HOLDING_DEPARTMENT, at=AGREED, when=waits_for_the_court, entry=Kind.COURT_REFUSED,
            reported_as=CallbackAct.RETURNED),
        act(CourtConfirms, "司法确认", by=HOLDING_DEPARTMENT, at=AGREED, when=waits_for_the_court, entry=Kind.CONFIRMED,
            reported_as=CallbackAct.FINISHED),
        step("way_is_closed", "司法确认期满", at=AGREED, entry=Kind.CONFIRMATION_LAPSED, clock="confirm_window"),
        # ---- 9. how it ends
        act(FollowUp, "回访", by=(GRID_WORKER, COMMITTEE_OFFICER), at=Stage.PERFORMING, to=(Stage.PERFORMING, Stage.CLOSED),
            when=a_follow_up_is_due, apart_from=(Part.SEATED, Part.MEDIATED), entry=Kind.FOLLOWED_UP),
        also("follow_up", "回访", by=(GRID_WORKER, COMMITTEE_OFFICER), at=Stage.BREACHED,
             when=a_follow_up_is_due, apart_from=(Part.SEATED, Part.MEDIATED)),
        step("close", "结案", at=Stage.PERFORMING, to=Stage.CLOSED, entry=Kind.CLOSED),
        act(EndWithGuidance, "调解不成", name="fail", meaning="mediation has failed: where everybody can go now.",
            by=_mediator, at=TALKING, to=Stage.FAILED, entry=Kind.FAILED),
        act(Transfer, "移送", by=(_mediator, COMMITTEE_OFFICER), at=(Stage.APPLIED, Stage.CONSULTING, *TALKING),
            to=Stage.TRANSFERRED, apart_from=_neutral, entry=Kind.TRANSFERRED),
        act(WithReason, "撤回申请", name="withdraw", meaning="whoever applied does not want it any more.",
            by=_party, at=(Stage.APPLIED, Stage.CONSULTING, *TALKING), to=Stage.WITHDRAWN, when=is_whoever_applied,
            entry=Kind.WITHDRAWN),
        step("expire", "逾期终结", at=OPEN, to=Stage.UNRESOLVED, entry=Kind.UNRESOLVED, clock="final"),
        *file_acts(
            Kind, by=(*_side, _mediator, _specialist, COMMITTEE_OFFICER, WINDOW_CLERK, GRID_WORKER), at=OPEN,
            urged_by=(*_side, SUPERVISOR),
        ),
    ),
)  # fmt: skip
