"""warning 预警, declared: a warning names who is in danger, somebody answers for each, door by door, until everybody is back.

Sources: 中国气象局令第16号 (levels), 002 of the seeds (households known before, workers at the door), 郑州7·20 report (calls
that nobody answered), L for the rest; every number is the town's (policies/warning.yaml). Each team's sweep is a case of its
own (`schemas/sweep.py`). What is more than a line stands in `workflows/warning.py`.
"""

from datetime import datetime

from schemas.kernel.acts import Nothing, Tells, WithReason, act, file_acts, step
from schemas.kernel.because import by_policy
from schemas.kernel.declaration import EndNotice, declare
from schemas.kernel.entries import EntryKinds, entry
from schemas.kernel.openings import Opens
from schemas.kernel.parties import (
    COORDINATOR,
    GRID_WORKER,
    HOLDING_DEPARTMENT,
    STREET_OFFICER,
    SUPERVISOR,
    THE_DEPARTMENT,
    WINDOW_CLERK,
    desk_of,
    in_its_parts,
    seated,
)
from schemas.kernel.people import Part, account_among, same_account
from schemas.kernel.rules import By
from schemas.kernel.timers import duty, last_limit, window
from schemas.parts.conditions import forbids
from schemas.parts.reservations import ReservationEntries
from schemas.parts.unending import nobody_acted_again, unending_line
from schemas.sweep_state import LEADER
from schemas.values.actor import Actor, Role
from schemas.values.refusals import say
from schemas.warning_commands import (
    AcknowledgeCall,
    AskAllClear,
    AskCancel,
    ConfirmAllClear,
    ConfirmCancel,
    ConfirmDismissal,
    DeclareAllClear,
    FoundHousehold,
    HearIssuer,
    InspectPlace,
    IssueWarning,
    NamePlace,
    OrderMove,
    PermitReturn,
    RaiseLevel,
    RefuseAllClear,
    RefuseCancel,
    RefuseDismissal,
    ReportCasualty,
    Review,
)
from schemas.warning_shelter_commands import CheckIn, CheckOut, CloseShelter, Headcount, OpenShelter
from schemas.warning_state import BEFORE_MOVING, KEEPER, OPEN, OUT, Source, Stage, WarningState
from schemas.warning_terms import WarningPolicy

STREET, GRID = desk_of(STREET_OFFICER), desk_of(GRID_WORKER)
KEEPS = tuple(seated(each.role, KEEPER) for each in (WINDOW_CLERK, GRID_WORKER))
"""Who keeps one of its shelters, wherever else they work; what their role does in a shelter they do in theirs."""

THE_STREETS, THE_CLERKS = in_its_parts(STREET_OFFICER, WINDOW_CLERK)
ON_SITE = (*in_its_parts(GRID_WORKER), seated(GRID_WORKER.role, LEADER))
"""Who works in it or in a part of it, and whoever leads at a risk point of it, wherever else they work."""


def the_issuer_has_ended_it(state: WarningState, _actor: Actor, now: datetime) -> str | None:
    """An official warning is over by its issuer's word, or when its time has run out."""
    if state.source is not Source.OFFICIAL or state.issuer_over is not None:
        return None
    if state.expires is not None and state.expires <= now:
        return None
    return say("须待发布机构解除或预警到期", "its issuer ends it first, or its time runs out")


def it_is_not_the_issuers(state: WarningState, _actor: Actor, _now: datetime) -> str | None:
    """What the issuer has said, nobody else takes back."""
    if state.source is Source.OFFICIAL:
        return say("官方预警只能由发布机构取消", "an official warning is cancelled by its issuer alone")
    return None


def it_is_ones_own_to_take_back(state: WarningState, actor: Actor, now: datetime) -> str | None:
    """Who has issued it takes it back alone."""
    if (objection := it_is_not_the_issuers(state, actor, now)) is not None:
        return objection
    if same_account(state.opening.actor.subject, actor.subject):
        return None
    return say(
        "须由发布人取消,或由两人提请和决定", "whoever issued it cancels it; else one asks, and another one decides"
    )


def answers_for_a_place(state: WarningState, actor: Actor, _now: datetime) -> str | None:
    """Of the grid, whoever leads there or stands in."""
    if actor.role is not Role.GRID_WORKER or account_among(
        actor.subject, (each.subject for each in state.seats() if each.kind == LEADER)
    ):
        return None
    return say("须由该处责任人或替补应答", "who leads there answers, or who stands in")


def it_is_moved_or_the_issuers(state: WarningState, _actor: Actor, _now: datetime) -> str | None:
    """Before anybody is moved the town cancels its own warning; two end an official one whose issuer says nothing.

    Where somebody is in a shelter, missing or hurt nothing is cancelled: then two end the town's own too.
    """
    if state.source is Source.OFFICIAL or state.stage not in BEFORE_MOVING or state.somebody_is_cared_for:
        return None
    return say("尚未转移的本地预警请取消", "nobody is moved yet: cancel it, for it is the town's own")


def the_department_is_one_of_both(state: WarningState, actor: Actor, _now: datetime) -> str | None:
    """Two others end what its issuer leaves open; the town's own warning is over by the department's word, first or second."""
    if state.source is Source.OFFICIAL or (state.all_clear is not None and state.all_clear.of_the_department):
        return None
    if actor.role is Role.DEPARTMENT_OFFICER:
        return None
    return say("本地预警须由承办部门提请或同意解除", "of the town's own warning one of both is of the department")


def nobody_more_lacks(state: WarningState, _actor: Actor, _now: datetime) -> str | None:
    """What was asked when fewer lacked says nothing of those who lack now."""
    if state.all_clear is None or set(state.lacking) <= set(state.all_clear.lacking):
        return None
    return say(
        "提请之后又有人未脱险或失踪,请重新提请", "others are not safe or missing than when it was asked: ask anew"
    )


def somebody_is_out(state: WarningState, _actor: Actor, _now: datetime) -> str | None:
    """Before anybody is moved or taken in, one person ends nothing by the all clear: it is taken back, or two end it."""
    if state.stage in OUT or state.somebody_is_cared_for:
        return None
    return say("尚无人转移,请取消或两人提请解除", "nobody is moved: it is taken back, or two people end it")


nobody_is_cared_for = forbids(
    "nobody_is_cared_for",
    lambda state: state.somebody_is_cared_for,
    "有人在避难场所、失踪或伤亡,须经解除和复盘结束",
    "somebody is in a shelter, missing, hurt or dead: it ends by the all clear and the review",
)
no_cancel_is_asked = forbids(
    "no_cancel_is_asked",
    lambda state: state.cancel,
    "已提请,待另一人决定",
    "it is asked already, and waits for another person",
)
no_all_clear_is_asked = forbids(
    "no_all_clear_is_asked",
    lambda state: state.all_clear,
    "已提请,待另一人决定",
    "it is asked already, and waits for another person",
)
nothing_is_asked = forbids(
    "nothing_is_asked",
    lambda state: state.dismissal,
    "已提请,待另一人决定",
    "it is asked already, and waits for another person",
)


class Kind(ReservationEntries, EntryKinds, procedure="warning"):
    """What the ledger says happened."""

    ISSUED = entry("issued", "发布预警")
    CONFIRMED = entry("confirmed", "核定")
    WENT_ON = entry(
        "went_on",
        "超时自动启动",
        by_policy(
            "warning",
            "confirm",
            "{limit}内无人核定,自动启动",
            "nobody looked at it within {limit}, so it goes on by itself",
        ),
    )
    DISMISS_ASKED = entry("dismissal:asked", "提请不予发布")
    DISMISSAL_REFUSED = entry("dismissal:refused", "不同意不予发布")
    DISMISSED = entry("dismissed", "不予发布")
    CANCEL_ASKED = entry("cancel:asked", "提请取消")
    CANCEL_REFUSED = entry("cancel:refused", "不同意取消")
    WATCHED = entry("watched", "值守")
    CALLED = entry("called", "叫应")
    ANSWERED = entry("answered", "应答")
    ORDERED = entry("ordered", "下令转移")
    ORDERED_BY_ITSELF = entry(
        "ordered_by_itself",
        "超时自动转移",
        by_policy(
            "warning",
            "order",
            "{limit}内无人下令,按等级自动转移",
            "nobody ordered within {limit}: the lists of its level are moved",
        ),
    )
    LEVEL = entry("level", "等级变更")
    MOVED_BY_LEVEL = entry("moved_by_level", "升级转移")
    PLACE_NAMED = entry("place_named", "新增地点")
    FOUND = entry("found", "补充")
    LISTS_ASKED = entry(
        "lists_asked",
        "再次申请名单",
        by_policy(
            "warning",
            "lists",
            "另一预警的队伍在转移,每{limit}再次申请",
            "another warning's team is there: it is asked again every {limit}",
        ),
    )
    SWEEP_STANDS = entry("sweep:stands", "转移队伍立案")
    SWEEP_REPORTED = entry("sweep:reported", "转移进展")
    SWEEP_GONE = entry("sweep:gone", "转移案件中断")
    SWEPT = entry("swept", "转移完成")
    OPENED_SHELTER = entry("shelter:opened", "启用避难场所")
    SHELTER_ELSEWHERE = entry("shelter:elsewhere", "避难场所由另一预警登记")
    CLOSED_SHELTER = entry("shelter:closed", "关闭避难场所")
    CHECKED_IN = entry("shelter:checked_in", "登记入住")
    CHECKED_OUT = entry("shelter:checked_out", "离开")
    COUNTED = entry("shelter:counted", "清点")
    CASUALTY = entry("casualty", "伤亡")
    ISSUER_SAID = entry("issuer_said", "发布机构消息")
    ISSUER_OVER = entry("issuer_over", "发布机构解除")
    RUN_OUT = entry(
        "run_out",
        "预警到期",
        by_policy(
            "warning",
            "all_clear",
            "发布机构给定的失效时间已过,{limit}内请决定",
            "its time has passed: decide within {limit}",
        ),
    )
    ALL_CLEAR_ASKED = entry("all_clear:asked", "提请解除")
    ALL_CLEAR_REFUSED = entry("all_clear:refused", "不同意解除")
    ALL_CLEAR = entry("all_clear", "解除")
    INSPECTED = entry("inspected", "评估")
    PERMITTED = entry("permitted", "准返")
    ALL_BACK = entry("all_back", "各户均有着落")
    CALLED_AGAIN = entry("called_again", "再次上报", nobody_acted_again("warning"))
    CANCELLED = entry("cancelled", "取消")
    UNWATCHED = entry("unwatched", "结束值守")
    CLOSED = entry("closed", "复盘办结")


_ISSUER = By(Role.ENGINE)  # its signed message vouches for it; no token has this role
_LEADS = (HOLDING_DEPARTMENT, STREET_OFFICER)
_ADDS = (HOLDING_DEPARTMENT, THE_STREETS)
"""Who has more people moved. Taken back, raised or ended is the whole, by nobody of a part."""

_MOVABLE = (Stage.ISSUED, Stage.WATCHING, Stage.CALLING, *OUT)
_IN_SHELTERS = (Stage.WATCHING, Stage.CALLING, *OUT)
_ENDED_HERE = (Stage.WATCHING, Stage.CALLING, Stage.MOVING, Stage.SHELTERED)

WARNING = declare(
    "warning",
    "预警",
    policy=WarningPolicy,
    state=WarningState,
    stages=Stage,
    entries=Kind,
    opens=Opens(
        IssueWarning, "issue_warning", "发布预警", "warn of a danger",
        frozenset({Role.STREET_OFFICER, Role.DEPARTMENT_OFFICER, Role.GRID_WORKER}), "warnings",
    ),
    opened=Kind.ISSUED,
    keep_years=10,
    timers={
        "watch": duty("值守", "watch", "watch", "doors", recurs=True),
        "confirm": duty("核定", "a look at it", "confirm", "call_tiers", warns=False, recurs=True),
        "order": duty("下令转移", "the order to move", "order", "call_tiers", warns=False, recurs=True),
        "call": duty("应答叫应", "an answer", "call", "call_tiers", warns=False, recurs=True),
        "lists": window("再次申请名单", "asking again for a list", "lists", recurs=True),
        "headcount": duty("清点", "a count", "headcount", "doors", recurs=True),
        "sheltered": duty("避险值守", "looking whether it is over", "sheltered", "doors", recurs=True),
        "all_clear": duty("解除", "the all clear", "all_clear", "doors", recurs=True),
        "inspect": duty("评估", "inspection", "inspect", "way_back", recurs=True),
        "permit": duty("准返", "leave to go back", "permit", "way_back", recurs=True),
        "review": duty("复盘", "review", "review"),
        "expires": window("预警失效", "the end of its time", None, recurs=True),
        "final": last_limit("again_after", warns=False, recurs=True, runs_on=True),
    },
    lines=(
        # ---- 1. whose word it is: a rule of the town asks first, an official red does not
        act(Nothing, "核定", name="confirm_warning", meaning="what a rule of the town has found is so.",
            by=(HOLDING_DEPARTMENT, COORDINATOR), at=Stage.ISSUED, to=(Stage.WATCHING, Stage.CALLING), stops=["confirm"],
            entry=Kind.CONFIRMED),
        step("go_on", "超时自动启动", at=Stage.ISSUED, to=(Stage.WATCHING, Stage.CALLING), entry=Kind.WENT_ON, clock="confirm",
             tells=Tells(desk_of(SUPERVISOR), "warning_went_on", ("hazard", "level"))),
        act(WithReason, "提请不予发布", name="dismiss", meaning="what a rule has found, or somebody has reported, is nothing.",
            by=(HOLDING_DEPARTMENT, COORDINATOR), at=Stage.ISSUED, when=nothing_is_asked, part=Part.DISMISSAL_ASKED,
            entry=Kind.DISMISS_ASKED, tells=Tells(THE_DEPARTMENT, "warning_dismiss_asked", ("hazard", "level"))),
        act(ConfirmDismissal, "同意不予发布", by=(HOLDING_DEPARTMENT, COORDINATOR, SUPERVISOR), at=Stage.ISSUED,
            to=Stage.DISMISSED, when=nobody_is_cared_for, apart_from=(Part.DISMISSAL_ASKED,), answers=(Part.DISMISSAL_ASKED,),
            entry=Kind.DISMISSED),
        act(RefuseDismissal, "不同意不予发布", by=(HOLDING_DEPARTMENT, COORDINATOR, SUPERVISOR), at=Stage.ISSUED,
            to=(Stage.WATCHING, Stage.CALLING), apart_from=(Part.DISMISSAL_ASKED,), answers=(Part.DISMISSAL_ASKED,),
            entry=Kind.DISMISSAL_REFUSED),
        act(Nothing, "结束值守", name="stop_watching", meaning="nothing came of it.", by=_LEADS, at=Stage.WATCHING, stops=["watch"],
            to=Stage.CLOSED, when=(the_issuer_has_ended_it, nobody_is_cared_for), entry=Kind.UNWATCHED),
        act(WithReason, "取消", name="cancel_warning", meaning="the town takes its own warning back, before anybody is moved.",
            by=_LEADS, at=(Stage.WATCHING, Stage.CALLING), to=Stage.CANCELLED,
            when=(it_is_ones_own_to_take_back, nobody_is_cared_for), entry=Kind.CANCELLED),
        act(AskCancel, "提请取消", by=_LEADS, at=(Stage.WATCHING, Stage.CALLING), when=(it_is_not_the_issuers, no_cancel_is_asked),
            part=Part.CANCEL_ASKED, entry=Kind.CANCEL_ASKED,
            tells=Tells(THE_DEPARTMENT, "warning_cancel_asked", ("hazard", "level"))),
        act(ConfirmCancel, "同意取消", by=(*_LEADS, SUPERVISOR), at=(Stage.WATCHING, Stage.CALLING), to=Stage.CANCELLED,
            when=(it_is_not_the_issuers, nobody_is_cared_for),
            apart_from=(Part.CANCEL_ASKED,), answers=(Part.CANCEL_ASKED,), entry=Kind.CANCELLED),
        act(RefuseCancel, "不同意取消", by=(*_LEADS, SUPERVISOR), at=(Stage.WATCHING, Stage.CALLING),
            apart_from=(Part.CANCEL_ASKED,), answers=(Part.CANCEL_ASKED,), entry=Kind.CANCEL_REFUSED),
        act(HearIssuer, "发布机构消息", by=_ISSUER, at=(*BEFORE_MOVING, *OUT),
            to=(Stage.WATCHING, Stage.CALLING, Stage.MOVING, Stage.CANCELLED), entry=Kind.ISSUER_SAID),
        # ---- 2. those who lead are called, and answer
        step("call_out", "叫应", at=BEFORE_MOVING, to=Stage.CALLING, entry=Kind.CALLED),
        act(AcknowledgeCall, "应答", by=(*ON_SITE, THE_STREETS, HOLDING_DEPARTMENT), at=(Stage.CALLING, *OUT),
            when=answers_for_a_place, entry=Kind.ANSWERED),
        # ---- 3. who is moved, by lists; by itself where nobody orders
        act(OrderMove, "下令转移", by=_ADDS, at=(*_MOVABLE,), to=Stage.MOVING, entry=Kind.ORDERED),
        step("order_by_itself", "超时自动转移", at=Stage.CALLING, to=Stage.MOVING, entry=Kind.ORDERED_BY_ITSELF, clock="order",
             tells=Tells(desk_of(SUPERVISOR), "warning_ordered_by_itself", ("hazard", "level"))),
        act(RaiseLevel, "升级", by=_LEADS, at=_MOVABLE, entry=Kind.LEVEL),
        act(NamePlace, "新增地点", by=_ADDS, at=_MOVABLE, entry=Kind.PLACE_NAMED),
        act(FoundHousehold, "补充", by=(*ON_SITE, THE_STREETS, HOLDING_DEPARTMENT), at=_MOVABLE, entry=Kind.FOUND),
        step("ask_again", "再次申请名单", at=(Stage.MOVING, Stage.SHELTERED), entry=Kind.LISTS_ASKED, clock="lists"),
        step("all_are_swept", "转移完成", at=Stage.MOVING, to=Stage.SHELTERED, entry=Kind.SWEPT),
        # ---- 4. shelters, and who is in them
        act(OpenShelter, "启用避难场所", by=(THE_STREETS, THE_CLERKS), at=_IN_SHELTERS, entry=Kind.OPENED_SHELTER),
        act(CheckIn, "登记入住", by=(THE_CLERKS, *ON_SITE, *KEEPS), at=_IN_SHELTERS, entry=Kind.CHECKED_IN),
        act(CheckOut, "离开", by=(THE_CLERKS, *ON_SITE, *KEEPS), at=(*_IN_SHELTERS, Stage.REVIEWING), entry=Kind.CHECKED_OUT),
        act(Headcount, "清点", by=(THE_CLERKS, *ON_SITE, *KEEPS), at=(*_IN_SHELTERS, Stage.REVIEWING), entry=Kind.COUNTED),
        act(CloseShelter, "关闭避难场所", by=(THE_STREETS, THE_CLERKS, KEEPS[0]), at=(*_IN_SHELTERS, Stage.REVIEWING),
            entry=Kind.CLOSED_SHELTER),
        act(ReportCasualty, "伤亡", by=(*ON_SITE, THE_STREETS, HOLDING_DEPARTMENT), at=OPEN, entry=Kind.CASUALTY,
            tells=Tells("supervisor", "warning_casualty", ("dead", "missing", "hurt"))),
        # ---- 5. over, inspected, back
        step("run_out", "预警到期", at=(*BEFORE_MOVING, *OUT), entry=Kind.RUN_OUT, clock="expires",
             tells=Tells(THE_DEPARTMENT, "warning_run_out", ("hazard", "level"))),
        act(DeclareAllClear, "解除", by=HOLDING_DEPARTMENT, at=_ENDED_HERE, to=Stage.CLEARING,
            when=(the_issuer_has_ended_it, somebody_is_out), stops=["order", "all_clear", "sheltered", "lists"],
            starts=["inspect"],
            holder=THE_DEPARTMENT, entry=Kind.ALL_CLEAR, tells=Tells(GRID, "warning_all_clear")),
        act(AskAllClear, "提请解除", by=(HOLDING_DEPARTMENT, COORDINATOR), at=_ENDED_HERE,
            when=(it_is_moved_or_the_issuers, no_all_clear_is_asked), part=Part.ALL_CLEAR_ASKED, entry=Kind.ALL_CLEAR_ASKED,
            tells=Tells(desk_of(SUPERVISOR), "warning_all_clear_asked", ("hazard", "level"))),
        act(ConfirmAllClear, "同意解除", by=(HOLDING_DEPARTMENT, SUPERVISOR), at=_ENDED_HERE,
            to=Stage.CLEARING, when=(nobody_more_lacks, the_department_is_one_of_both),
            apart_from=(Part.ALL_CLEAR_ASKED,), answers=(Part.ALL_CLEAR_ASKED,),
            stops=["order", "all_clear", "sheltered", "lists"], starts=["inspect"], holder=THE_DEPARTMENT, entry=Kind.ALL_CLEAR,
            tells=Tells(GRID, "warning_all_clear")),
        act(RefuseAllClear, "不同意解除", by=(HOLDING_DEPARTMENT, SUPERVISOR), at=_ENDED_HERE,
            apart_from=(Part.ALL_CLEAR_ASKED,), answers=(Part.ALL_CLEAR_ASKED,), entry=Kind.ALL_CLEAR_REFUSED),
        act(InspectPlace, "评估", by=(HOLDING_DEPARTMENT, *ON_SITE), at=(*OUT, Stage.REVIEWING),
            to=(*OUT, Stage.REVIEWING), entry=Kind.INSPECTED),
        act(PermitReturn, "准返", by=HOLDING_DEPARTMENT, at=OUT, to=(Stage.RETURNING, Stage.MOVING, Stage.SHELTERED),
            entry=Kind.PERMITTED),
        step("all_are_back", "各户均有着落", at=OUT, to=Stage.REVIEWING, entry=Kind.ALL_BACK),
        act(Review, "复盘", by=HOLDING_DEPARTMENT, at=Stage.REVIEWING, to=Stage.CLOSED, entry=Kind.CLOSED),
        # ---- 6. silence ends nothing
        unending_line(Kind.CALLED_AGAIN, "warning_called_again", at=OPEN, facts=("hazard", "level")),
        *file_acts(
            Kind, by=(*ON_SITE, THE_CLERKS, THE_STREETS, HOLDING_DEPARTMENT, COORDINATOR, SUPERVISOR), at=OPEN,
            urged_by=(THE_STREETS, SUPERVISOR),
        ),
    ),
    end_notice=EndNotice(STREET),
)  # fmt: skip
