"""sweep 逐户转移, declared: one team goes from door to door, and of each household somebody says how it ended.

Sources: 002 of the seeds (workers at the door), 郑州7·20 and 密云 reports (homes on no list, doors nobody came to), 陕西 2021
and 河北 (by which law somebody is taken out), L for the order of steps. A child of the warning (`schemas/warning.py`): by its
rules, with clocks and a timeline of its own. What is more than a line stands in `workflows/sweep.py`.
"""

from datetime import datetime

from schemas.kernel.acts import Nothing, Tells, act, also, file_acts, step
from schemas.kernel.declaration import EndNotice, declare
from schemas.kernel.entries import EntryKinds, entry
from schemas.kernel.parties import (
    COORDINATOR,
    GRID_WORKER,
    HOLDING_DEPARTMENT,
    STREET_OFFICER,
    SUPERVISOR,
    desk_of,
    in_its_parts,
    seated,
)
from schemas.kernel.people import Part, account_among, among
from schemas.kernel.reference_facts import Refers
from schemas.kernel.timers import duty, last_limit, window
from schemas.parts.conditions import needs
from schemas.parts.items import Items
from schemas.parts.unending import nobody_acted_again, unending_line
from schemas.sweep_commands import (
    ConfirmBack,
    OrderRemoval,
    Persuade,
    Recheck,
    RecordDoor,
    ReportSwept,
    SearchHouse,
    SetOut,
)
from schemas.sweep_state import ENDS, LEADER, OPEN, TEAM, HouseholdStage, Stage, SweepState
from schemas.values.actor import Actor
from schemas.values.refusals import say

GRID, STREET = desk_of(GRID_WORKER), desk_of(STREET_OFFICER)
(THE_STREETS,) = in_its_parts(STREET_OFFICER)
AT_THE_DOORS = (*in_its_parts(GRID_WORKER), seated(GRID_WORKER.role, LEADER), seated(GRID_WORKER.role, TEAM))
"""Who works there, also in a part of it alone, and whoever leads or goes along, wherever else they work."""


def is_of_the_team(state: SweepState, actor: Actor, _now: datetime) -> str | None:
    """At the doors speak those who are there, by their own word and not by that of a companion."""
    if among(actor.subject, state.gone):
        return None
    return say(
        "须由入户队员登记;同行和增援请先登记出发", "who goes from door to door says so; who goes along sets out first"
    )


def leads_the_team(state: SweepState, actor: Actor, _now: datetime) -> str | None:
    """Whoever leads knows whether anybody has gone; others of the grid may not have seen them."""
    if account_among(actor.subject, (state.leader, state.deputy)):
        return None
    return say("须由该队责任人或替补登记", "who leads the team says so, or who stands in")


there_is_a_law = needs(
    "there_is_a_law",
    lambda state: state.terms.removal_law,
    "本地没有强制带离的法律依据",
    "no law here lets anybody be taken out",
)


it_was_called_off = needs(
    "it_was_called_off",
    lambda state: state.is_called_off,
    "预警未解除,或已有人出发",
    "it is not over, or somebody has gone",
)


class Kind(EntryKinds, procedure="sweep"):
    """What the ledger says happened."""

    SENT = entry("sent", "派出", references={"households[].address": Refers.TEXT})
    ADDED = entry("added", "补充", references={"households[].address": Refers.TEXT})
    SET_OUT = entry("set_out", "出发")
    DOOR = entry("door", "入户")
    PERSUADED = entry("persuaded", "劝导")
    REMOVAL_ORDERED = entry("removal_ordered", "带离")
    SEARCHED = entry("searched", "查看")
    SWEPT = entry("swept", "转移完成")
    RECHECKED = entry("rechecked", "复核")
    LEVEL_CHANGED = entry("level_changed", "等级变更")
    OVER = entry("over", "解除")
    WORSE_AGAIN = entry("worse_again", "再次加重")
    RELEASED = entry("released", "准许返回")
    TAKEN_BACK = entry("taken_back", "撤销准返")
    CONFIRMED = entry("confirmed", "返回确认")
    CALLED_AGAIN = entry("called_again", "再次上报", nobody_acted_again("warning"))
    BACK = entry("back", "办结")
    RECALLED = entry("recalled", "撤回")


SWEEP = declare(
    "sweep",
    "逐户转移",
    parent="warning",
    state=SweepState,
    stages=Stage,
    entries=Kind,
    opened=Kind.SENT,
    timers={
        "first_door": duty("首户", "the first door", "first_door", "sweep_tiers", warns=False),
        "sweep": duty("逐户转移", "the sweep", None, "sweep_tiers", recurs=True),
        "persuade": duty("劝导", "persuasion", "persuade", "doors", warns=False, recurs=True),
        "removal": duty("带离", "removal", "removal", "doors", recurs=True),
        "unsafe": duty("脱险", "getting out of danger", "unsafe", "sweep_tiers", recurs=True),
        "recheck": duty("复核", "a second look", "recheck", "doors", recurs=True),
        "late_words": window("补登出发", "word of a team that had gone", None, recurs=True),
        "go_back": duty("返回确认", "coming back", "go_back", "way_back", recurs=True),
        "final": last_limit("again_after", warns=False, recurs=True, runs_on=True),
    },
    parts=(Items(stages=HouseholdStage, begins=HouseholdStage.LISTED, ends=ENDS),),
    lines=(
        # ---- 1. nobody goes alone
        act(SetOut, "出发", by=(*AT_THE_DOORS, THE_STREETS), at=Stage.SENT, to=Stage.WALKING, holder=GRID,
            part=Part.AT_THE_DOORS, entry=Kind.SET_OUT),
        also("set_out", "出发(同行、增援)", by=(*AT_THE_DOORS, THE_STREETS), at=(Stage.WALKING, Stage.SWEPT)),
        # ---- 2. door by door
        act(RecordDoor, "入户", by=AT_THE_DOORS, at=Stage.WALKING, when=is_of_the_team, entry=Kind.DOOR),
        also("record_door", "补记入户或提前返回", by=AT_THE_DOORS, at=Stage.SWEPT, to=(Stage.SWEPT, Stage.WALKING),
             when=is_of_the_team),
        act(Persuade, "劝导", by=(THE_STREETS, *AT_THE_DOORS), at=(Stage.WALKING, Stage.SWEPT), entry=Kind.PERSUADED),
        act(OrderRemoval, "带离", by=THE_STREETS, at=(Stage.WALKING, Stage.SWEPT), when=there_is_a_law,
            entry=Kind.REMOVAL_ORDERED, tells=Tells("department", "sweep_removal")),
        act(SearchHouse, "查看", by=AT_THE_DOORS, at=(Stage.WALKING, Stage.SWEPT), when=is_of_the_team, entry=Kind.SEARCHED),
        # ---- 3. swept, and seen again by others
        act(ReportSwept, "转移完成", by=AT_THE_DOORS, at=Stage.WALKING, to=Stage.SWEPT, when=is_of_the_team, entry=Kind.SWEPT),
        act(Recheck, "复核", by=(THE_STREETS, *AT_THE_DOORS), at=Stage.SWEPT, to=(Stage.SWEPT, Stage.WALKING),
            apart_from=(Part.AT_THE_DOORS,), entry=Kind.RECHECKED),
        # ---- 4. over, and back
        act(Nothing, "未出发", name="report_not_gone", meaning="it was over before anybody of the team had gone.",
            by=AT_THE_DOORS, at=Stage.SENT, to=Stage.RECALLED, when=(it_was_called_off, leads_the_team), entry=Kind.RECALLED),
        step("stand_down", "解除", at=Stage.SENT, to=Stage.RECALLED, entry=Kind.RECALLED, clock="late_words"),
        step("list_further", "补充入户", at=(Stage.SENT, Stage.SWEPT), to=(Stage.SENT, Stage.WALKING), entry=Kind.ADDED),
        act(ConfirmBack, "返回确认", by=AT_THE_DOORS, at=(Stage.WALKING, Stage.SWEPT), to=(Stage.WALKING, Stage.SWEPT, Stage.BACK),
            when=is_of_the_team, entry=Kind.CONFIRMED),
        # ---- 5. silence ends nothing
        unending_line(Kind.CALLED_AGAIN, "sweep_called_again", at=OPEN, facts=("hazard",)),
        *file_acts(
            Kind, by=(*AT_THE_DOORS, THE_STREETS, COORDINATOR, HOLDING_DEPARTMENT, SUPERVISOR), at=OPEN,
            urged_by=(THE_STREETS, HOLDING_DEPARTMENT, SUPERVISOR),
        ),
    ),
    end_notice=EndNotice(STREET),
)  # fmt: skip
