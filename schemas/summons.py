"""summons 部门报到: one department that a whistle calls, declared: what it and others do, and what comes of it.

A child of the whistle: started by it, with an id, clocks and a timeline of its own, and no policy but the whistle's. What is
more than a line stands in `workflows/summons.py`.
"""

from datetime import datetime

from schemas.kernel.acts import Tells, act, file_acts, step
from schemas.kernel.case import Entry
from schemas.kernel.declaration import EndNotice, declare
from schemas.kernel.entries import EntryKinds, entry
from schemas.kernel.explanation import Because
from schemas.kernel.parties import (
    COORDINATOR,
    GRID_WORKER,
    HOLDING_DEPARTMENT,
    STREET_OFFICER,
    SUPERVISOR,
    THE_DEPARTMENT,
)
from schemas.kernel.procedure import Command
from schemas.kernel.reference_facts import Refers
from schemas.kernel.timers import duty, last_limit, window
from schemas.parts.orders import GiveBack, OrderEntries, ReportDone, arriving, finishing, giving_back, signing
from schemas.summons_state import OPEN, SETTLED, Stage, SummonsState
from schemas.values.actor import Actor
from schemas.values.references import TextReference
from schemas.values.refusals import say

# ---- what people say ----------------------------------------------------------------------------------------------


class Decline(GiveBack):
    """反哨: the department says that the summons is not its own to answer, why, and by which law. Once."""


class Ruling(Command):
    """裁定: the coordinator upholds the decline and releases the department, or says that it has to come."""

    upheld: bool
    reason: TextReference


class Finish(ReportDone):
    """办结: the department reports its own task done."""


def _may_still_decline(state: SummonsState, _actor: Actor, _now: datetime) -> str | None:
    return say("裁定具有约束力,须按时报到", "the ruling binds: the department has to come") if state.binding else None


def _whistle_not_over(state: SummonsState, _actor: Actor, _now: datetime) -> str | None:
    return say("吹哨已结束", "the whistle is over") if state.over else None


# ---- why an entry is as it is ---------------------------------------------------------------------------------------


def _declined(entry: Entry, state: SummonsState) -> Because:
    return Because(
        rule=say("部门报到权限表:反哨", "the table of summons: decline"),
        says=say(
            "部门可反哨一次,须说明理由和依据,由综合协调裁定", "once, with reason and legal basis; the coordinator rules"
        ),
        legal_basis=entry.facts.get("legal_basis"),
        inputs={"department": state.department, "reason": entry.facts.get("reason")},
    )


def _ruled(entry: Entry, state: SummonsState) -> Because:
    upheld = entry.facts.get("upheld")
    bound = say("必须报到,不得再反哨", "it has to come; the ruling binds")
    return Because(
        rule=f"policies/whistle.yaml terms.types.{state.type}.arbitrate",
        says=say("反哨成立,免于报到", "it need not come") if upheld else bound,
        inputs={"department": state.department, "upheld": upheld, "reason": entry.facts.get("reason")},
    )


def _given_up(entry: Entry, state: SummonsState) -> Because:
    after = state.limits.given_up_after
    return Because(
        rule=f"policies/whistle.yaml terms.types.{state.type}.given_up_after",
        says=say(
            f"末级上报后 {after.chinese} 仍未到场或办结,不再等候",
            f"no longer waited for {after.english} after the last tier",
        ),
        inputs={
            "department": state.department,
            "late": list(state.late),
            "responded_at": state.responded_at,
            "arrived_at": state.arrived_at,
            "by_itself": entry.stamp is None,
        },
    )


def _scored(entry: Entry, state: SummonsState) -> Because:
    return Because(
        rule=say("街道在吹哨案件中评分", "the street scored it on the whistle"),
        says=say(f"评分见吹哨案件 {state.parent}", f"the score stands in the whistle {state.parent}"),
        inputs={"score": entry.facts.get("score"), "reason": entry.facts.get("reason"), "late": list(state.late)},
    )


# ---- the declaration ------------------------------------------------------------------------------------------------


class Kind(OrderEntries, EntryKinds, procedure="summons"):
    """What the ledger says happened."""

    SUMMONED = entry("summoned", "召集", references={"matter": Refers.TEXT, "address": Refers.TEXT})
    RESPONDED = entry("responded", "响应")
    DECLINED = entry("declined", "反哨", _declined)
    RULED = entry("ruled", "裁定", _ruled)
    ARRIVED = entry("arrived", "到场")
    FINISHED = entry("finished", "办结")
    ABSENT = entry("absent", "缺席", _given_up)
    UNFINISHED = entry("unfinished", "未办结", _given_up)
    RELEASED = entry("released", "免于报到", _ruled)
    LEAD_CHANGED = entry("lead_changed", "牵头变更")
    SCORED = entry("scored", "评分", _scored, references={"reason": Refers.TEXT})
    CANCELLED = entry("cancelled", "吹哨撤销")


_coming = (Stage.SUMMONED, Stage.RESPONDED)

SUMMONS = declare(
    "summons",
    "部门报到",
    parent="whistle",
    state=SummonsState,
    stages=Stage,
    entries=Kind,
    opened=Kind.SUMMONED,
    timers={
        "respond": duty("响应", "response", "types.{type}.respond", "types.{type}.tiers"),
        "arrive": duty("到场", "arrival", "types.{type}.arrive", "types.{type}.tiers"),
        "finish": duty("办结", "completion", "types.{type}.finish", "types.{type}.tiers"),
        "arbitrate": duty(
            "裁定", "ruling", "types.{type}.arbitrate", lambda terms, state: terms.street_tiers_of(state.type)
        ),
        "final": last_limit("types.{type}.given_up_after", runs_on=True),
        "unscored": window("待评分", "score", "unscored_after"),
    },
    lines=(
        signing(
            "respond", "响应", "the department says that it is coming.", Kind.RESPONDED,
            at=Stage.SUMMONED, to=Stage.RESPONDED, stops=["respond"],
        ),
        giving_back(
            Decline, "反哨", Kind.DECLINED, at=Stage.SUMMONED, to=Stage.DECLINED, when=_may_still_decline,
            stops=["respond"], starts=["arbitrate"], template="summons_declined",
        ),
        act(
            Ruling, "裁定", name="arbitrate", by=COORDINATOR, at=Stage.DECLINED, to=(Stage.RELEASED, Stage.SUMMONED),
            entry=Kind.RULED,
        ),
        arriving(
            Kind.ARRIVED, at=(*_coming, Stage.ABSENT), to=Stage.ARRIVED, when=_whistle_not_over,
            stops=["respond", "arrive"], starts=["finish"], holder=THE_DEPARTMENT,
        ),
        finishing(
            Finish, Kind.FINISHED, at=(Stage.ARRIVED, Stage.UNFINISHED), to=Stage.DONE, when=_whistle_not_over
        ),
        step("give_up", "缺席", at=_coming, to=Stage.ABSENT, entry=Kind.ABSENT, clock="final",
             tells=Tells(THE_DEPARTMENT, "summons_absent")),
        step("give_up", "未办结", at=Stage.ARRIVED, to=Stage.UNFINISHED, entry=Kind.UNFINISHED, clock="final",
             tells=Tells(THE_DEPARTMENT, "summons_unfinished")),
        step("release", "逾期未裁定,免于报到", at=Stage.DECLINED, to=Stage.RELEASED, entry=Kind.RELEASED, clock="final"),
        step("score", "评分(街道)", at=(Stage.ARRIVED, *SETTLED), to=Stage.SCORED, entry=Kind.SCORED),
        step("cancel", "吹哨撤销", at=OPEN, to=Stage.CANCELLED, entry=Kind.CANCELLED),
        *file_acts(
            Kind,
            by=(HOLDING_DEPARTMENT, STREET_OFFICER, COORDINATOR, SUPERVISOR, GRID_WORKER),
            at=OPEN,
            urged_by=(STREET_OFFICER, COORDINATOR, SUPERVISOR),
        ),
    ),
    end_notice=EndNotice(THE_DEPARTMENT, {Stage.SCORED: ("score",)}),
)  # fmt: skip
