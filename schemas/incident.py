"""incident 事件处置: something is reported, and dealt with by the department that answers for it; who may do what, when.

Sources: the seed documents (dispatch by type, refusal without type, place or description), the responsibility list of the
town (policies/incident.yaml). Its policy, state and commands stand beside it: `incident_policy`, `incident_state`,
`incident_commands`; what is more than a line in `workflows/incident.py`.
"""

from datetime import datetime

from schemas.clocks.clock_schedule import Tier
from schemas.clocks.clocks import Clock, due_at
from schemas.incident_audit import (
    limits_under,
    why_arbitrated,
    why_dispatched,
    why_redispatched,
    why_returned,
    why_screened,
    why_unresolved,
)
from schemas.incident_commands import (
    AnswerSupervision,
    Arbitrate,
    Finish,
    Merge,
    Rate,
    Redispatch,
    ReturnOrder,
    Supervise,
    Verify,
)
from schemas.incident_messages import DEALT_WITH, OVER
from schemas.incident_policy import IncidentPolicy, IncidentTerms
from schemas.incident_report import AS_REPORTED, REPORT, REPORTERS, IncidentReport
from schemas.incident_state import HELD, LOOKED_AT, OPEN, WITH_DEPARTMENT, IncidentState, Stage
from schemas.kernel.acts import Nothing, Tells, WithReason, act, also, step
from schemas.kernel.case_file import Attach, Comment, Replan, Urge, room_for_a_document
from schemas.kernel.declaration import EndNotice, declare
from schemas.kernel.entries import EntryKinds, entry
from schemas.kernel.openings import Opens, Question
from schemas.kernel.parties import (
    ADMIN,
    COORDINATOR,
    GRID_WORKER,
    HOLDING_DEPARTMENT,
    REPORTER,
    STREET_OFFICER,
    SUPERVISOR,
    THE_REPORTER,
    WINDOW_CLERK,
    desk_of,
)
from schemas.kernel.people import Part
from schemas.kernel.reference_facts import Refers
from schemas.kernel.timers import duty, last_limit, window
from schemas.kernel.words import Promise
from schemas.parts.conditions import forbids, needs
from schemas.parts.extension import ExtensionEntries, SuspensionEntries, extension_lines, suspension_lines
from schemas.parts.orders import ReworkEntries, arriving, finishing, giving_back, signing
from schemas.parts.origins import OriginEntries
from schemas.values.actor import Actor, Role
from schemas.values.refusals import say

TEXT = Refers.TEXT


class Kind(ReworkEntries, ExtensionEntries, SuspensionEntries, OriginEntries, EntryKinds, procedure="incident"):
    """What the ledger says happened; `results` are texts of the departments that a whistle called."""

    REPORTED = entry(
        "reported",
        "受理",
        references={"category_given": TEXT, "description": TEXT, "address": TEXT, "reporter": Refers.PERSON},
    )
    SCREENED = entry("screened", "待核实", why_screened)
    ADMITTED = entry("admitted", "核实受理")
    DISPATCHED = entry("dispatched", "派单", why_dispatched)
    REDISPATCHED = entry("redispatched", "改派", why_redispatched)
    SIGNED = entry("signed", "签收")
    RETURNED = entry("returned", "退单", why_returned)
    ARBITRATED = entry("arbitrated", "裁定", why_arbitrated)
    ARRIVED = entry("arrived", "到场")
    FINISHED = entry("finished", "办结")
    VERIFIED = entry("verified", "核查通过")
    VERIFICATION_FAILED = entry("verification_failed", "核查不通过", references={"reason": TEXT})
    RATED = entry("rated", "评价")
    NOT_RATED = entry("not_rated", "逾期未评价")
    CLOSED = entry("closed", "结案")
    REOPENED = entry("reopened", "重启")
    WITHDRAWN = entry("withdrawn", "撤回")
    REJECTED = entry("rejected", "不予受理")
    UNRESOLVED = entry("unresolved", "终结", why_unresolved)
    SUPERVISED = entry("supervised", "督办")
    SUPERVISION_ANSWERED = entry("supervision_answered", "督办反馈")
    MERGED = entry("merged", "并案")
    MERGE_TAKEN = entry("merge:taken", "并案完成")
    MERGE_REFUSED = entry("merge:refused", "并案未成")
    REPORT_MERGED = entry("report_merged", "并入他案上报")
    REPORT_LEFT = entry("report_left", "并入的上报退出")
    REPORT_ADDED = entry("report_added", "并入的上报有补充")
    REPORTER_LEFT = entry("reporter_left", "撤回本人上报", references={"reason": TEXT})
    FOLLOWED = entry("followed", "所并案件进展")
    FOLLOWING = entry("following", "继续跟踪所并案件")
    FOLLOWS_NO_MORE = entry("follows_no_more", "所并案件中断,恢复单独办理")
    WHISTLE_ASKED = entry("whistle:asked", "请求吹哨")
    WHISTLED = entry("whistle:waits", "等候吹哨结果")
    NOT_WAITING = entry("whistle:goes_on", "不再等候吹哨")
    WHISTLE_ENDED = entry("whistle:ended", "吹哨结束", references={"results.*": TEXT})


# ---- Rules ------------------------------------------------------------------------------------------------------------


def _may_still_return(state: IncidentState, _actor: Actor, _now: datetime) -> str | None:
    if state.order.binding:
        return say("裁定具有约束力,不得再退单", "the ruling binds: no further return")
    if state.returns >= state.terms.returns_at_most:
        return say(
            f"本案已退单{state.returns}次,不得再退", f"this case was returned {state.returns} times, the most allowed"
        )
    return None


def _soon_after_signing(state: IncidentState, _actor: Actor, now: datetime) -> str | None:
    signed = state.order.signed_at
    window = state.terms.return_within
    if signed is not None:
        end = due_at(Clock(name="return_window", limit=window).start(signed, "engine"), state.charter.calendar)
        if end is not None and now < end:
            return None
    return say(f"签收已超过{window.chinese},不得退单", f"more than {window.english} have passed since signing")


def _inside_reopen_window(state: IncidentState, _actor: Actor, now: datetime) -> str | None:
    due = due_at(state.clocks["reopen"], state.charter.calendar)
    if due is not None and now < due:
        return None
    return say("已超过重启期限", "the time for reopening has passed")


_not_supervised = forbids(
    "_not_supervised",
    lambda state: state.supervised,
    "督办中,尚未反馈",
    "it is supervised already and not yet answered",
)

_supervised = needs(
    "_supervised",
    lambda state: state.supervised,
    "没有待反馈的督办,须先有督办",
    "no supervisor's order is to be answered: one is given first",
)


def _has_not_left(state: IncidentState, actor: Actor, _now: datetime) -> str | None:
    if state.reporter_left and actor.role is Role.RESIDENT:
        return say("您已撤回本人的上报", "you have taken back your report: the case goes on for the others")
    return None


_others_follow = needs(
    "_others_follow",
    lambda state: state.followers,
    "没有并入的上报",
    "no other report was merged into it",
)

_nobody_follows = forbids(
    "_nobody_follows",
    lambda state: state.followers,
    "尚有他人的上报",
    "others have reported it too",
)


def _merge_has_settled(state: IncidentState, _actor: Actor, _now: datetime) -> str | None:
    if state.stage != Stage.MERGED or state.follows:
        return None
    return say("并案尚未完成,须待对方案件并入本案", "the other case has not yet taken this one in: that comes first")


def _followed_is_dealt_with(state: IncidentState, _actor: Actor, _now: datetime) -> str | None:
    if state.followed not in DEALT_WITH:
        return say(
            "所并案件尚未办结,须待其办结", "the case that it was merged into is not dealt with yet: that comes first"
        )
    return say("已评价", "it was rated already") if state.followed_rated else None


def _followed_is_over(state: IncidentState, _actor: Actor, _now: datetime) -> str | None:
    return None if state.followed in OVER else say("所并案件仍在办理", "the case that it was merged into goes on")


# ---- The declaration ------------------------------------------------------------------------------------------------


def _tiers(terms: IncidentTerms, state: IncidentState) -> tuple[Tier, ...]:
    return terms.tiers_of(state.urgency)


_everybody = (REPORTER, GRID_WORKER, WINDOW_CLERK, STREET_OFFICER, HOLDING_DEPARTMENT, COORDINATOR, SUPERVISOR)
_at_hand = (*OPEN, Stage.MERGED)
_before_work = (Stage.REPORTED, Stage.SCREENING, *HELD, Stage.MERGED)
_supervisor = desk_of(SUPERVISOR)

INCIDENT = declare(
    "incident",
    "事件处置",
    policy=IncidentPolicy,
    state=IncidentState,
    stages=Stage,
    entries=Kind,
    opened=Kind.REPORTED,
    opens=Opens(
        IncidentReport, REPORT, "上报事件", "report", REPORTERS, "incidents",
        areas=("location.area",),
        by_words="category",
        unasked=frozenset({"location.lat", "location.lon"}),  # nobody knows them by heart; there is no map to point at yet
        told_at=LOOKED_AT,
        reported=AS_REPORTED,
        questions=(
            Question("是什么问题?", "What is it about?", ("category",)),
            Question("在哪里?", "Where is it?", ("location.area", "location.address")),
            Question("是什么情况?", "What is the matter?", ("description",), documents=True),
            Question("怎样联系您?", "How can you be reached?", ("reporter.name", "reporter.phone")),
        ),
    ),
    limits=limits_under,
    keep_years=3,
    timers={
        "screen": duty("核实", "screening", lambda terms, state: terms.screen_within(state.urgency), _tiers,
                       promise=Promise("核实答复", "you hear whether it is taken on")),
        "sign": duty("签收", "signing", lambda terms, state: terms.sign_within(state.urgency), _tiers),
        "respond": duty("响应", "response", "urgencies.{urgency}.respond", _tiers,
                        promise=Promise("部门响应", "the department responds")),
        "finish": duty("办结", "completion", "urgencies.{urgency}.finish", _tiers,
                       promise=Promise("办理完毕", "it is dealt with")),
        "verify": duty("核查", "verification", "verify", _tiers, promise=Promise("核查完毕", "the result is verified")),
        "supervise": duty("督办", "supervision", "supervise", _tiers),
        "rate": window("评价", "rating", "rate", warns=True, promise=Promise("请您评价", "you say whether it is solved")),
        "suspension": window("挂账", "suspension", "suspension", warns=True),
        "reopen": window("可重启", "reopening", "reopen", promise=Promise("可要求重新办理", "you can have it taken up again")),
        "whistle": window("等候吹哨", "waiting for a whistle", "suspension"),
        "follow": window("跟踪所并案件", "following another case", "unresolved_after"),
        "final": last_limit("unresolved_after", runs_on=True),
    },
    lines=(
        step("dispatch", "派单", at=Stage.REPORTED, to=Stage.DISPATCHED),
        step("screen", "待核实", at=Stage.REPORTED, to=Stage.SCREENING),
        act(
            Nothing, "受理", name="admit",
            meaning="what came in without an account is a public matter, and is dispatched by the responsibility list.",
            by=COORDINATOR, at=Stage.SCREENING, to=Stage.DISPATCHED, entry=Kind.ADMITTED, stops=["screen"],
        ),
        step("dispatch_anew", "重新派单", at=Stage.HANDLING, to=Stage.DISPATCHED),
        act(Redispatch, "改派", by=COORDINATOR, at=WITH_DEPARTMENT, to=Stage.DISPATCHED, entry=Kind.REDISPATCHED),
        signing(
            "sign", "签收", "the department takes the order.", Kind.SIGNED,
            at=Stage.DISPATCHED, to=Stage.HANDLING, stops=["sign"],
        ),
        giving_back(
            ReturnOrder, "退单", Kind.RETURNED, at=Stage.DISPATCHED, to=Stage.RETURNED, when=_may_still_return,
            stops=["sign"], template="order_returned", adds=["returns"],
        ),
        also(
            "return_order", "退单",
            by=HOLDING_DEPARTMENT, at=Stage.HANDLING, to=Stage.RETURNED, when=(_may_still_return, _soon_after_signing),
        ),
        act(Arbitrate, "裁定", by=COORDINATOR, at=Stage.RETURNED, to=Stage.DISPATCHED, entry=Kind.ARBITRATED),
        arriving(Kind.ARRIVED, at=Stage.HANDLING, stops=["respond"]),
        *extension_lines(Kind, by=HOLDING_DEPARTMENT, granted_by=SUPERVISOR, at=Stage.HANDLING),
        *suspension_lines(
            Kind, by=HOLDING_DEPARTMENT, granted_by=COORDINATOR, at=Stage.HANDLING, suspended=Stage.SUSPENDED
        ),
        act(
            WithReason, "不再等候", name="stop_waiting",
            meaning="the case goes on without the result of the whistle that it waits for.",
            by=COORDINATOR, at=Stage.WHISTLED, to=WITH_DEPARTMENT, entry=Kind.NOT_WAITING,
        ),
        act(
            WithReason, "请求吹哨", name="ask_whistle",
            meaning="who is on the spot asks the street to call further departments.",
            by=(GRID_WORKER, HOLDING_DEPARTMENT), at=WITH_DEPARTMENT,
            entry=Kind.WHISTLE_ASKED, tells=Tells(desk_of(STREET_OFFICER), "whistle_asked", ("by", "department")),
        ),
        step("wait_for_whistle", "等候吹哨", at=WITH_DEPARTMENT, to=Stage.WHISTLED),
        step("go_on", "吹哨结束", at=Stage.WHISTLED, to=WITH_DEPARTMENT),
        finishing(
            Finish, Kind.FINISHED, at=Stage.HANDLING, to=Stage.VERIFYING,
            stops=["respond", "finish"], starts=["verify"], holder=desk_of(GRID_WORKER),
            tells=Tells(desk_of(GRID_WORKER), "verification_due"),
        ),
        act(
            Verify, "核查",
            by=(GRID_WORKER, COORDINATOR), at=Stage.VERIFYING, to=(Stage.CALLING_BACK, Stage.HANDLING),
            apart_from=(Part.FINISHED,),
        ),
        act(
            Rate, "评价",
            by=(REPORTER, WINDOW_CLERK, COORDINATOR), at=Stage.CALLING_BACK,
            to=(Stage.CLOSED, Stage.HANDLING, Stage.RETURNED), when=_has_not_left, entry=Kind.RATED,
        ),
        also(
            "rate", "评价",
            by=REPORTER, at=Stage.MERGED, to=(Stage.MERGED, Stage.DISPATCHED),
            when=(_has_not_left, _merge_has_settled, _followed_is_dealt_with),
        ),
        step("close", "到期办结", at=Stage.CALLING_BACK, to=Stage.CLOSED, entry=Kind.CLOSED),
        act(
            WithReason, "重启", name="reopen", meaning="it is not solved after all.",
            by=(REPORTER, COORDINATOR), at=Stage.CLOSED, to=Stage.DISPATCHED,
            when=(_has_not_left, _inside_reopen_window), entry=Kind.REOPENED,
        ),
        also(
            "reopen", "重启",
            by=(REPORTER, COORDINATOR), at=Stage.MERGED, to=Stage.DISPATCHED,
            when=(_has_not_left, _merge_has_settled, _followed_is_over, _inside_reopen_window),
        ),
        act(
            Urge, "催办",
            by=(REPORTER, GRID_WORKER, SUPERVISOR), at=_at_hand, when=(_has_not_left, _merge_has_settled), entry=Kind.URGED,
        ),
        act(Supervise, "督办", by=SUPERVISOR, at=LOOKED_AT, when=_not_supervised, entry=Kind.SUPERVISED),
        act(
            AnswerSupervision, "督办反馈",
            by=HOLDING_DEPARTMENT, at=LOOKED_AT, when=_supervised,
            entry=Kind.SUPERVISION_ANSWERED, tells=Tells(_supervisor, "supervision_answered", ("department",)),
        ),
        act(
            Merge, "并案",
            by=COORDINATOR, at=(Stage.REPORTED, Stage.SCREENING, *WITH_DEPARTMENT), to=Stage.MERGED, entry=Kind.MERGED,
        ),
        step("undo_merge", "并案未成", at=Stage.MERGED, to=(*WITH_DEPARTMENT, Stage.SCREENING)),
        step("go_on_alone", "恢复单独办理", at=Stage.MERGED, to=Stage.DISPATCHED),
        act(
            WithReason, "撤回", name="withdraw", meaning="the reporter takes the report back.",
            by=REPORTER, at=_before_work, to=Stage.WITHDRAWN,
            when=(_has_not_left, _merge_has_settled, _nobody_follows), entry=Kind.WITHDRAWN,
        ),
        also("withdraw", "撤回", by=REPORTER, at=_before_work, when=(_has_not_left, _merge_has_settled, _others_follow)),
        act(
            WithReason, "不予受理", name="reject", meaning="not a public matter, no such place and the like.",
            by=COORDINATOR, at=(Stage.REPORTED, Stage.SCREENING, Stage.DISPATCHED, Stage.RETURNED), to=Stage.REJECTED,
            entry=Kind.REJECTED,
        ),
        act(
            WithReason, "终结", name="close_unresolved", meaning="closed without a solution.",
            by=COORDINATOR, at=OPEN, to=Stage.UNRESOLVED, entry=Kind.UNRESOLVED,
        ),
        step("expire", "逾期终结", at=OPEN, to=Stage.UNRESOLVED, entry=Kind.UNRESOLVED),
        act(Replan, "重排期限", by=ADMIN, at=OPEN),
        act(Comment, "备注", by=_everybody, at=_at_hand, when=_merge_has_settled, entry=Kind.COMMENTED),
        act(
            Attach, "附件",
            by=_everybody, at=_at_hand, when=(_merge_has_settled, room_for_a_document), entry=Kind.ATTACHED,
        ),
    ),
    end_notice=EndNotice(THE_REPORTER),
)  # fmt: skip
