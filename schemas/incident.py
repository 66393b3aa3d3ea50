"""incident 事件处置: its facts and the table of who may do what, when.

Sources: the seed documents (dispatch by type, refusal without type, place or description), the responsibility list of the
town (policies/incident.yaml). The diagram and the table in docs/procedures/incident.md are made from `RULES`.
Its policy, state and commands stand beside it: `incident_policy`, `incident_state`, `incident_commands`.
"""

from datetime import datetime

from schemas.actor import Actor, Role
from schemas.case_file import Attach, Comment, Replan, Urge, room_for_a_document
from schemas.clock_schedule import BREACH
from schemas.clocks import Clock, due_at
from schemas.department import CallbackAct
from schemas.incident_audit import EXPLANATIONS, limits_under
from schemas.incident_commands import (
    AnswerSupervision,
    Arbitrate,
    Arrive,
    AskWhistle,
    CloseUnresolved,
    Finish,
    GrantExtension,
    GrantSuspension,
    Merge,
    Rate,
    Redispatch,
    RefuseExtension,
    RefuseSuspension,
    Reject,
    Reopen,
    RequestExtension,
    RequestSuspension,
    Resume,
    ReturnOrder,
    Sign,
    StopWaiting,
    Supervise,
    Verify,
    Withdraw,
)
from schemas.incident_entries import REFERENCES, TITLES, Kind
from schemas.incident_messages import DEALT_WITH, OVER
from schemas.incident_policy import (
    IncidentPolicy,
    IncidentTerms,
    Limits,
    Responsibility,
    Urgency,
)
from schemas.incident_state import (
    FINAL,
    HELD,
    OPEN,
    WITH_DEPARTMENT,
    IncidentState,
    Order,
    Satisfied,
    Solved,
    Stage,
)
from schemas.people import same_person
from schemas.procedure import Procedure
from schemas.refusals import say
from schemas.rules import By, Rule, RulesTable, Scope

__all__ = [
    "FINAL",
    "HELD",
    "INCIDENT",
    "OFF_THE_LIST",
    "OPEN",
    "RULES",
    "TITLES",
    "WITH_DEPARTMENT",
    "AnswerSupervision",
    "Arbitrate",
    "Arrive",
    "AskWhistle",
    "CloseUnresolved",
    "Finish",
    "GrantExtension",
    "GrantSuspension",
    "IncidentPolicy",
    "IncidentState",
    "IncidentTerms",
    "Kind",
    "Limits",
    "Merge",
    "Order",
    "Rate",
    "Redispatch",
    "RefuseExtension",
    "RefuseSuspension",
    "Reject",
    "Reopen",
    "RequestExtension",
    "RequestSuspension",
    "Responsibility",
    "Resume",
    "ReturnOrder",
    "Satisfied",
    "Sign",
    "Solved",
    "Stage",
    "StopWaiting",
    "Supervise",
    "Urgency",
    "Verify",
    "Withdraw",
]  # fmt: skip

OFF_THE_LIST = "清单外事项"
"""The category of what is not on the responsibility list. What the reporter called it is free text, so the vault has it."""

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


def _not_by_the_finisher(state: IncidentState, actor: Actor, _now: datetime) -> str | None:
    if same_person(state.order.finished_by, actor.subject):
        return say("不得核查自己办结的事项", "nobody verifies what they finished themselves")
    return None


def _inside_reopen_window(state: IncidentState, _actor: Actor, now: datetime) -> str | None:
    due = due_at(state.clocks["reopen"], state.charter.calendar)
    if due is not None and now < due:
        return None
    return say("已超过重启期限", "the time for reopening has passed")


def _no_extension_asked(state: IncidentState, _actor: Actor, _now: datetime) -> str | None:
    if state.extension is not None:
        return say("已有延期申请待审批", "an extension is asked for already and not yet answered")
    if state.extended_working_days >= state.terms.extension_working_days_at_most:
        most = state.terms.extension_working_days_at_most
        return say(f"累计延期已达{most}个工作日", f"the case was extended by {most} working days, the most allowed")
    return None


def _extension_asked(state: IncidentState, _actor: Actor, _now: datetime) -> str | None:
    return (
        None
        if state.extension
        else say("没有待审批的延期申请,须先由部门申请", "no extension is asked for: the department asks first")
    )


def _before_finish_is_due(state: IncidentState, _actor: Actor, now: datetime) -> str | None:
    clock = state.clocks["finish"]
    due = due_at(clock, state.charter.calendar)
    if BREACH in clock.fired or (due is not None and now >= due):
        return say("办结期限已过,不得延期", "the limit for finishing has passed: it is extended before, not after")
    return None


def _no_suspension_asked(state: IncidentState, _actor: Actor, _now: datetime) -> str | None:
    return say("已有挂账申请待审批", "a suspension is asked for already") if state.suspension else None


def _suspension_asked(state: IncidentState, _actor: Actor, _now: datetime) -> str | None:
    return (
        None
        if state.suspension
        else say("没有待审批的挂账申请,须先由部门申请", "no suspension is asked for: the department asks first")
    )


def _not_supervised(state: IncidentState, _actor: Actor, _now: datetime) -> str | None:
    return say("督办中,尚未反馈", "it is supervised already and not yet answered") if state.supervised else None


def _supervised(state: IncidentState, _actor: Actor, _now: datetime) -> str | None:
    return (
        None
        if state.supervised
        else say("没有待反馈的督办,须先有督办", "no supervisor's order is to be answered: one is given first")
    )


def _has_not_left(state: IncidentState, actor: Actor, _now: datetime) -> str | None:
    if state.reporter_left and actor.role is Role.RESIDENT:
        return say("您已撤回本人的上报", "you have taken back your report: the case goes on for the others")
    return None


def _others_follow(state: IncidentState, _actor: Actor, _now: datetime) -> str | None:
    return None if state.followers else say("没有并入的上报", "no other report was merged into it")


def _nobody_follows(state: IncidentState, _actor: Actor, _now: datetime) -> str | None:
    return say("尚有他人的上报", "others have reported it too") if state.followers else None


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


_reporter = By(Role.RESIDENT, Scope.REPORTER)
_department = By(Role.DEPARTMENT_OFFICER, Scope.HOLDER)
_coordinator = By(Role.COORDINATOR)
_grid_worker = By(Role.GRID_WORKER)
_clerk = By(Role.WINDOW_CLERK)
_supervisor = By(Role.SUPERVISOR)
_street_officer = By(Role.STREET_OFFICER)
_admin = By(Role.ADMIN)
_engine = By(Role.ENGINE, Scope.ENGINE)
_everybody = (_reporter, _grid_worker, _clerk, _street_officer, _department, _coordinator, _supervisor)
_DISPATCHED = (Stage.DISPATCHED,)
_HANDLING = (Stage.HANDLING,)
_SUSPENDED = (Stage.SUSPENDED,)
_WHISTLED = (Stage.WHISTLED,)
_MERGED = (Stage.MERGED,)

RULES = RulesTable(
    (
        Rule("dispatch", "派单", (_engine,), (Stage.REPORTED,), _DISPATCHED),
        Rule("dispatch_anew", "重新派单", (_engine,), _HANDLING, _DISPATCHED),
        Rule("redispatch", "改派", (_coordinator,), WITH_DEPARTMENT, _DISPATCHED),
        Rule("sign", "签收", (_department,), _DISPATCHED, (Stage.HANDLING,)),
        Rule("return_order", "退单", (_department,), _DISPATCHED, (Stage.RETURNED,), (_may_still_return,)),
        Rule(
            "return_order",
            "退单",
            (_department,),
            (Stage.HANDLING,),
            (Stage.RETURNED,),
            (_may_still_return, _soon_after_signing),
        ),
        Rule("arbitrate", "裁定", (_coordinator,), (Stage.RETURNED,), _DISPATCHED),
        Rule("arrive", "到场", (_department,), (Stage.HANDLING,)),
        Rule(
            "request_extension",
            "申请延期",
            (_department,),
            _HANDLING,
            conditions=(_before_finish_is_due, _no_extension_asked),
        ),
        Rule(
            "grant_extension",
            "同意延期",
            (_supervisor,),
            _HANDLING,
            conditions=(_extension_asked, _before_finish_is_due),
        ),
        Rule("refuse_extension", "不同意延期", (_supervisor,), _HANDLING, conditions=(_extension_asked,)),
        Rule("request_suspension", "申请挂账", (_department,), _HANDLING, conditions=(_no_suspension_asked,)),
        Rule("grant_suspension", "同意挂账", (_coordinator,), _HANDLING, _SUSPENDED, (_suspension_asked,)),
        Rule("refuse_suspension", "不同意挂账", (_coordinator,), _HANDLING, conditions=(_suspension_asked,)),
        Rule("resume", "恢复办理", (_department, _coordinator), _SUSPENDED, _HANDLING),
        Rule("stop_waiting", "不再等候", (_coordinator,), _WHISTLED, WITH_DEPARTMENT),
        Rule("end_suspension", "挂账到期", (_engine,), _SUSPENDED, _HANDLING),
        Rule("ask_whistle", "请求吹哨", (_grid_worker, _department), WITH_DEPARTMENT),
        Rule("wait_for_whistle", "等候吹哨", (_engine,), WITH_DEPARTMENT, _WHISTLED),
        Rule("go_on", "吹哨结束", (_engine,), _WHISTLED, WITH_DEPARTMENT),
        Rule("finish", "办结", (_department,), (Stage.HANDLING,), (Stage.VERIFYING,)),
        Rule(
            "verify",
            "核查",
            (_grid_worker, _coordinator),
            (Stage.VERIFYING,),
            (Stage.CALLING_BACK, Stage.HANDLING),
            (_not_by_the_finisher,),
        ),
        Rule(
            "rate",
            "评价",
            (_reporter, _clerk, _coordinator),
            (Stage.CALLING_BACK,),
            (Stage.CLOSED, Stage.HANDLING, Stage.RETURNED),
            (_has_not_left,),
        ),
        Rule(
            "rate",
            "评价",
            (_reporter,),
            _MERGED,
            (Stage.MERGED, Stage.DISPATCHED),
            (_has_not_left, _merge_has_settled, _followed_is_dealt_with),
        ),
        Rule("close", "到期办结", (_engine,), (Stage.CALLING_BACK,), (Stage.CLOSED,)),
        Rule(
            "reopen",
            "重启",
            (_reporter, _coordinator),
            (Stage.CLOSED,),
            _DISPATCHED,
            (_has_not_left, _inside_reopen_window),
        ),
        Rule(
            "reopen",
            "重启",
            (_reporter, _coordinator),
            _MERGED,
            _DISPATCHED,
            (_has_not_left, _merge_has_settled, _followed_is_over, _inside_reopen_window),
        ),
        Rule(
            "urge",
            "催办",
            (_reporter, _grid_worker, _supervisor),
            (*OPEN, *_MERGED),
            conditions=(_has_not_left, _merge_has_settled),
        ),
        Rule("supervise", "督办", (_supervisor,), OPEN, conditions=(_not_supervised,)),
        Rule("answer_supervision", "督办反馈", (_department,), OPEN, conditions=(_supervised,)),
        Rule("merge", "并案", (_coordinator,), (Stage.REPORTED, *WITH_DEPARTMENT), (Stage.MERGED,)),
        Rule("undo_merge", "并案未成", (_engine,), (Stage.MERGED,), WITH_DEPARTMENT),
        Rule("go_on_alone", "恢复单独办理", (_engine,), _MERGED, _DISPATCHED),
        Rule(
            "withdraw",
            "撤回",
            (_reporter,),
            (Stage.REPORTED, *HELD, *_MERGED),
            (Stage.WITHDRAWN,),
            (_has_not_left, _merge_has_settled, _nobody_follows),
        ),
        Rule(
            "withdraw",
            "撤回",
            (_reporter,),
            (Stage.REPORTED, *HELD, *_MERGED),
            conditions=(_has_not_left, _merge_has_settled, _others_follow),
        ),
        Rule(
            "reject", "不予受理", (_coordinator,), (Stage.REPORTED, Stage.DISPATCHED, Stage.RETURNED), (Stage.REJECTED,)
        ),
        Rule("close_unresolved", "终结", (_coordinator,), OPEN, (Stage.UNRESOLVED,)),
        Rule("expire", "逾期终结", (_engine,), OPEN, (Stage.UNRESOLVED,)),
        Rule("replan", "重排期限", (_admin,), OPEN),
        Rule("comment", "备注", _everybody, (*OPEN, *_MERGED), conditions=(_merge_has_settled,)),
        Rule(
            "attach",
            "附件",
            _everybody,
            (*OPEN, *_MERGED),
            conditions=(_merge_has_settled, room_for_a_document),
        ),
    )
)

INCIDENT = Procedure(
    name="incident",
    title="事件处置",
    state=IncidentState,
    policy=IncidentPolicy,
    titles=TITLES,
    references=REFERENCES,
    stages=Stage,
    rules=RULES,
    explanations=EXPLANATIONS,
    limits=limits_under,
    callbacks={
        CallbackAct.SIGNED: "sign",
        CallbackAct.RETURNED: "return_order",
        CallbackAct.ARRIVED: "arrive",
        CallbackAct.FINISHED: "finish",
    },
    commands={
        "redispatch": Redispatch,
        "sign": Sign,
        "return_order": ReturnOrder,
        "arbitrate": Arbitrate,
        "arrive": Arrive,
        "finish": Finish,
        "verify": Verify,
        "rate": Rate,
        "reopen": Reopen,
        "request_extension": RequestExtension,
        "grant_extension": GrantExtension,
        "refuse_extension": RefuseExtension,
        "request_suspension": RequestSuspension,
        "grant_suspension": GrantSuspension,
        "refuse_suspension": RefuseSuspension,
        "resume": Resume,
        "ask_whistle": AskWhistle,
        "stop_waiting": StopWaiting,
        "urge": Urge,
        "supervise": Supervise,
        "answer_supervision": AnswerSupervision,
        "comment": Comment,
        "attach": Attach,
        "merge": Merge,
        "withdraw": Withdraw,
        "reject": Reject,
        "close_unresolved": CloseUnresolved,
        "replan": Replan,
    },
)
