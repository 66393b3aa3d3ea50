"""care 特殊群体一人一档, declared: who may come to harm unnoticed has a file, one named worker, and visits in time.

Sources: 002 of the seeds (二.2.2: profile, visits, next visit), 001 (wristband, 一键报警), 个人信息保护法 13, 29, 31, L for the
steps of a search. Alarms are cases of their own (`schemas/alarm.py`). What is more than a line stands in `workflows/care.py`.
"""

from typing import Any

from schemas.care_commands import (
    AcceptHandover,
    BindDevice,
    ConfirmAbsence,
    ConfirmEnd,
    ConfirmLowering,
    DeclineHandover,
    DeviceEvent,
    EndFile,
    Find,
    HandOver,
    NameDeputy,
    OpenFile,
    RaiseAlarm,
    Reassess,
    RecordConsent,
    RecordVisit,
    RefuseAbsence,
    RefuseEnd,
    RefuseLowering,
    ReportNoAnswer,
    RequestEntry,
    SetAbsence,
    UnbindDevice,
    UpdateProfile,
    WithdrawConsent,
    a_handover_is_theirs,
    nothing_is_handed_over,
)
from schemas.care_state import AT_HOME_OR_AWAY, KEPT, OPEN, CareState, Stage
from schemas.care_terms import CarePolicy
from schemas.clocks.limits import Limit
from schemas.kernel.acts import Nothing, Tells, WithReason, act, also, file_acts, step
from schemas.kernel.because import nobody_acted
from schemas.kernel.declaration import EndNotice, declare
from schemas.kernel.entries import EntryKinds, entry
from schemas.kernel.openings import Opens
from schemas.kernel.parties import (
    CIVIL_AFFAIRS_OFFICER,
    COORDINATOR,
    GRID_WORKER,
    REPORTER,
    STREET_OFFICER,
    SUPERVISOR,
    WINDOW_CLERK,
    desk_of,
)
from schemas.kernel.people import Part
from schemas.kernel.reference_facts import Refers
from schemas.kernel.rules import By
from schemas.kernel.timers import duty, last_limit, window
from schemas.parts.reservations import ReservationEntries
from schemas.parts.unending import nobody_acted_again, unending_line
from schemas.values.actor import Role

VISIT = "visit"
"""The clock of the next visit: it counts from when the person was last seen, and from nothing else."""

GRID = desk_of(GRID_WORKER)
_PLATFORM = By(Role.ENGINE)  # its signed event vouches for it; no token has this role


class Kind(ReservationEntries, EntryKinds, procedure="care"):
    """What the ledger says happened."""

    OPENED = entry("opened", "建档")
    CONSENTED = entry("consented", "同意")
    DECLINED = entry("declined", "不同意建档")
    WITHDRAWN = entry("withdrawn", "撤回同意")
    VISITED = entry("visited", "走访")
    NO_ANSWER = entry("no_answer", "无人应答")
    ENTRY_REQUESTED = entry("entry_requested", "请求开门")
    FOUND = entry("found", "找到")
    NOT_FOUND = entry("not_found", "未找到")
    ABSENT = entry("absent", "暂离")
    ABSENCE_CONFIRMED = entry("absence:confirmed", "同意长期暂离")
    ABSENCE_REFUSED = entry("absence:refused", "不同意长期暂离")
    RETURNED = entry("returned", "返回")
    ABSENCE_OVER = entry("absence_over", "暂离期满")
    HANDOVER_ASKED = entry("handover:asked", "移交")
    HANDED_OVER = entry("handover:accepted", "接收")
    HANDOVER_DECLINED = entry("handover:declined", "不接收")
    HANDOVER_TAKEN_BACK = entry("handover:taken_back", "撤回移交")
    DEPUTY_NAMED = entry("deputy_named", "更换替补")
    UPDATED = entry("updated", "更新档案")
    REASSESSED = entry("reassessed", "需求评估")
    REASSESSMENT_DUE = entry("reassessment_due", "须重新评估")
    LOWERING_CONFIRMED = entry("lowering:confirmed", "同意减少走访")
    LOWERING_REFUSED = entry("lowering:refused", "不同意减少走访")
    DEVICE_BOUND = entry("device:bound", "绑定设备")
    DEVICE_READY = entry("device:ready", "设备可用,待测试")
    DEVICE_TAKEN = entry("device:taken", "设备已被他人绑定")
    DEVICE_TESTED = entry("device:tested", "设备测试通过")
    DEVICE_TROUBLE = entry("device:trouble", "设备异常")
    DEVICE_WELL = entry("device:well", "设备恢复")
    DEVICE_UNBOUND = entry("device:unbound", "解绑设备")
    DEVICE_SAID = entry("device:said", "设备上报")
    ALARM_RAISED = entry("alarm:raised", "呼叫")
    CALLED_FURTHER = entry("alarm:further", "重复呼叫", references={"words": Refers.TEXT})
    ALARM_STANDS = entry("alarm:stands", "呼叫立案")
    ALARM_REPORTED = entry("alarm:reported", "呼叫进展")
    CALLED_AGAIN = entry("called_again", "再次上报", nobody_acted_again("care"))
    END_ASKED = entry("end:asked", "申请销档")
    END_REFUSED = entry("end:refused", "不同意销档")
    ENDED = entry("ended", "销档")
    REOPENED = entry("reopened", "恢复档案")
    CLOSED = entry("closed", "归档")
    UNRESOLVED = entry("unresolved", "逾期终结", nobody_acted("care"))


def _last(terms: Any, state: CareState) -> Limit:
    """Without consent there is nothing to keep; with it silence ends nothing, and everybody is called again."""
    limit: Limit = terms.unresolved_after if state.stage == Stage.OPENED else terms.again_after
    return limit


CARE = declare(
    "care",
    "特殊群体一人一档",
    policy=CarePolicy,
    state=CareState,
    stages=Stage,
    entries=Kind,
    opens=Opens(
        OpenFile, "open_file", "建档", "open a file for somebody who may come to harm unnoticed",
        frozenset({Role.RESIDENT, Role.GRID_WORKER, Role.WINDOW_CLERK, Role.STREET_OFFICER}), "care-files",
        starts=("consent",), holder=GRID, tells=Tells(GRID, "care_opened"),
    ),
    opened=Kind.OPENED,
    keep_years=5,
    timers={
        "consent": duty("取得同意", "consent", "consent"),
        VISIT: duty(
            "走访", "visit", lambda terms, state: terms.intervals[state.need_now], "visit_tiers", recurs=True,
        ),
        "search": duty("查找", "search", "search", "search_tiers", recurs=True),
        "absence": window("暂离", "absence", None),
        "handover": duty("接收移交", "acceptance of a hand-over", "handover", beside=True, recurs=True),
        "reassess": duty(
            "需求评估", "reassessment", "reassess", warned=desk_of(STREET_OFFICER), beside=True, recurs=True
        ),
        "device_trouble": duty("排除设备异常", "mending of a device", "device_trouble", "device_tiers", beside=True, recurs=True),
        "reopen": window("恢复档案", "reopening", "reopen"),
        "final": last_limit(_last, warns=False, recurs=True),
    },
    lines=(
        # ---- 1. consent, by scope (个人信息保护法 29, 31)
        act(RecordConsent, "同意", by=(REPORTER, WINDOW_CLERK, GRID_WORKER), at=Stage.OPENED, to=Stage.ACTIVE,
            stops=["consent"], starts=["reassess"], holder=GRID, entry=Kind.CONSENTED),
        also("record_consent", "同意(增加范围)", by=(REPORTER, WINDOW_CLERK, GRID_WORKER), at=AT_HOME_OR_AWAY),
        act(Nothing, "不同意建档", name="refuse_consent", meaning="the person does not want a file; nothing of it goes on.",
            by=(REPORTER, WINDOW_CLERK, GRID_WORKER), at=Stage.OPENED, to=Stage.DECLINED, entry=Kind.DECLINED),
        act(WithdrawConsent, "撤回同意", by=(REPORTER, WINDOW_CLERK), at=Stage.ACTIVE, to=(Stage.ACTIVE, Stage.CLOSED),
            entry=Kind.WITHDRAWN),
        also("withdraw_consent", "撤回同意", by=(REPORTER, WINDOW_CLERK), at=Stage.ABSENT, to=(Stage.ABSENT, Stage.CLOSED)),
        # ---- 2. visits, in time, by calendar days
        act(RecordVisit, "记录走访", by=(GRID_WORKER, STREET_OFFICER), at=Stage.ACTIVE, entry=Kind.VISITED),
        also("record_visit", "记录走访(查找中见到本人)", by=(GRID_WORKER, STREET_OFFICER), at=Stage.SEARCHING,
             to=(Stage.ACTIVE,)),
        # ---- 3. nobody answers: search, entry, found
        act(ReportNoAnswer, "无人应答", by=GRID_WORKER, at=Stage.ACTIVE, to=Stage.SEARCHING, stops=[VISIT],
            starts=["search"], holder=GRID, entry=Kind.NO_ANSWER, tells=Tells(desk_of(STREET_OFFICER), "care_search")),
        act(RequestEntry, "请求开门", by=(GRID_WORKER, STREET_OFFICER), at=Stage.SEARCHING, entry=Kind.ENTRY_REQUESTED),
        act(Find, "找到", by=(GRID_WORKER, STREET_OFFICER, COORDINATOR), at=Stage.SEARCHING,
            to=(Stage.ACTIVE, Stage.ABSENT, Stage.SEARCHING), part=Part.END_ASKED, entry=Kind.FOUND),
        step("person_is_not_found", "呼叫现场未找到本人", at=AT_HOME_OR_AWAY, to=Stage.SEARCHING, entry=Kind.NOT_FOUND),
        # ---- 4. away, and back
        act(SetAbsence, "暂离", by=(REPORTER, GRID_WORKER, WINDOW_CLERK), at=Stage.ACTIVE, to=(Stage.ACTIVE, Stage.ABSENT),
            part=Part.ABSENCE_ASKED, entry=Kind.ABSENT),
        act(ConfirmAbsence, "同意长期暂离", by=(STREET_OFFICER, CIVIL_AFFAIRS_OFFICER), at=Stage.ACTIVE, to=Stage.ABSENT,
            apart_from=(Part.ABSENCE_ASKED,), answers=(Part.ABSENCE_ASKED,), stops=[VISIT], holder=GRID,
            entry=Kind.ABSENCE_CONFIRMED),
        act(RefuseAbsence, "不同意长期暂离", by=(STREET_OFFICER, CIVIL_AFFAIRS_OFFICER), at=Stage.ACTIVE,
            apart_from=(Part.ABSENCE_ASKED,), answers=(Part.ABSENCE_ASKED,), entry=Kind.ABSENCE_REFUSED),
        act(Nothing, "返回", name="return_home", meaning="the person is back, and is seen within a day.",
            by=(REPORTER, GRID_WORKER, WINDOW_CLERK), at=Stage.ABSENT, to=Stage.ACTIVE, stops=["absence"],
            holder=GRID, entry=Kind.RETURNED),
        step("person_is_back", "呼叫现场本人在家", at=Stage.ABSENT, to=Stage.ACTIVE, entry=Kind.RETURNED),
        step("come_back", "暂离期满", at=Stage.ABSENT, to=Stage.ACTIVE, entry=Kind.ABSENCE_OVER, clock="absence"),
        step("go_to_hospital", "呼叫后送医", at=(Stage.ACTIVE, Stage.SEARCHING), to=Stage.ABSENT, entry=Kind.ABSENT),
        # ---- 5. one named worker: the duty stays until the next one accepts
        act(HandOver, "移交", by=(GRID_WORKER, STREET_OFFICER), at=AT_HOME_OR_AWAY, when=nothing_is_handed_over,
            part=Part.HANDOVER_ASKED, starts=["handover"], entry=Kind.HANDOVER_ASKED),
        act(AcceptHandover, "接收", by=GRID_WORKER, at=KEPT, apart_from=(Part.HANDOVER_ASKED,),
            answers=(Part.HANDOVER_ASKED,), stops=["handover"], entry=Kind.HANDED_OVER),
        act(DeclineHandover, "不接收", by=GRID_WORKER, at=KEPT, apart_from=(Part.HANDOVER_ASKED,),
            answers=(Part.HANDOVER_ASKED,), stops=["handover"], entry=Kind.HANDOVER_DECLINED),
        act(Nothing, "撤回移交", name="take_back_handover", meaning="whoever it went to never answers; it stays where it was.",
            by=(GRID_WORKER, STREET_OFFICER), at=KEPT, when=a_handover_is_theirs, stops=["handover"],
            entry=Kind.HANDOVER_TAKEN_BACK),
        act(NameDeputy, "更换替补", by=STREET_OFFICER, at=OPEN, entry=Kind.DEPUTY_NAMED),
        # ---- 6. what changes: the profile, and how often somebody is seen
        act(UpdateProfile, "更新档案", by=(REPORTER, GRID_WORKER, WINDOW_CLERK), at=AT_HOME_OR_AWAY, entry=Kind.UPDATED),
        act(Reassess, "需求评估", by=(STREET_OFFICER, CIVIL_AFFAIRS_OFFICER), at=AT_HOME_OR_AWAY,
            part=Part.LOWERING_ASKED, entry=Kind.REASSESSED),
        act(ConfirmLowering, "同意减少走访", by=(STREET_OFFICER, CIVIL_AFFAIRS_OFFICER), at=AT_HOME_OR_AWAY,
            apart_from=(Part.LOWERING_ASKED,), answers=(Part.LOWERING_ASKED,), entry=Kind.LOWERING_CONFIRMED),
        act(RefuseLowering, "不同意减少走访", by=(STREET_OFFICER, CIVIL_AFFAIRS_OFFICER), at=AT_HOME_OR_AWAY,
            apart_from=(Part.LOWERING_ASKED,), answers=(Part.LOWERING_ASKED,), entry=Kind.LOWERING_REFUSED),
        step("reassessment_is_due", "误报过多,须重新评估", at=KEPT, entry=Kind.REASSESSMENT_DUE),
        # ---- 7. devices: one person's alone, and trusted when it was tested
        act(BindDevice, "绑定设备", by=(GRID_WORKER, WINDOW_CLERK), at=AT_HOME_OR_AWAY, entry=Kind.DEVICE_BOUND),
        act(UnbindDevice, "解绑设备", by=(GRID_WORKER, WINDOW_CLERK), at=AT_HOME_OR_AWAY, entry=Kind.DEVICE_UNBOUND),
        act(DeviceEvent, "设备上报", by=_PLATFORM, at=(*OPEN, Stage.ENDED), entry=Kind.DEVICE_SAID),
        # ---- 8. alarms: without consent too (个人信息保护法 13)
        act(RaiseAlarm, "呼叫", by=(REPORTER, GRID_WORKER, WINDOW_CLERK, COORDINATOR), at=(*OPEN, Stage.ENDED),
            entry=Kind.ALARM_RAISED),
        # ---- 9. the end: by a person's word, and never by silence
        act(EndFile, "申请销档", by=(STREET_OFFICER, CIVIL_AFFAIRS_OFFICER), at=KEPT, part=Part.END_ASKED,
            entry=Kind.END_ASKED),
        act(ConfirmEnd, "同意销档", by=(STREET_OFFICER, CIVIL_AFFAIRS_OFFICER), at=KEPT, to=Stage.ENDED,
            apart_from=(Part.END_ASKED,), answers=(Part.END_ASKED,), holder=desk_of(STREET_OFFICER), entry=Kind.ENDED,
            tells=Tells(desk_of(CIVIL_AFFAIRS_OFFICER), "care_ended", ("cause",))),
        act(RefuseEnd, "不同意销档", by=(STREET_OFFICER, CIVIL_AFFAIRS_OFFICER), at=KEPT, apart_from=(Part.END_ASKED,),
            answers=(Part.END_ASKED,), entry=Kind.END_REFUSED),
        act(WithReason, "恢复档案", name="reopen_file", meaning="it was ended by mistake, or the person is back.",
            by=STREET_OFFICER, at=Stage.ENDED, to=Stage.ACTIVE, stops=["reopen"], starts=["reassess"], holder=GRID,
            entry=Kind.REOPENED),
        step("close_file", "归档", at=Stage.ENDED, to=Stage.CLOSED, entry=Kind.CLOSED, clock="reopen"),
        unending_line(Kind.CALLED_AGAIN, "care_called_again", at=KEPT),
        step("expire", "逾期终结", at=Stage.OPENED, to=Stage.UNRESOLVED, entry=Kind.UNRESOLVED, clock="final"),
        *file_acts(
            Kind,
            by=(REPORTER, GRID_WORKER, WINDOW_CLERK, STREET_OFFICER, COORDINATOR, CIVIL_AFFAIRS_OFFICER, SUPERVISOR),
            at=OPEN,
            urged_by=(REPORTER, STREET_OFFICER, SUPERVISOR),
        ),
    ),
    end_notice=EndNotice(GRID),
)  # fmt: skip
