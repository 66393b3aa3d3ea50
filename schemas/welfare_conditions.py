"""What else must hold before somebody may act on a welfare application: windows, and what is still open.

Who must be another person stands in the table itself (`Rule.apart_from`).
"""

from datetime import datetime

from schemas.actor import Actor
from schemas.clock_schedule import BREACH
from schemas.clocks import Status, due_at
from schemas.people import among
from schemas.refusals import say
from schemas.welfare_state import WelfareState


def relation_not_declared_yet(state: WelfareState, actor: Actor, _now: datetime) -> str | None:
    """A relation is declared once."""
    return say("已备案", "you have declared it already") if among(actor.subject, state.related) else None


def visits_are_made(state: WelfareState, _actor: Actor, _now: datetime) -> str | None:
    """Some benefits are granted without a visit."""
    if state.rules.visits or state.relation is not None:
        return None
    return say("该项救助不需入户调查", "nobody visits the household for this benefit")


def consent_is_missing(state: WelfareState, _actor: Actor, _now: datetime) -> str | None:
    """Each adult of the household consents once, for themselves."""
    if state.not_consenting():
        return None
    return say("家庭成员均已授权", "nobody's consent is missing")


def identity_is_open(state: WelfareState, _actor: Actor, _now: datetime) -> str | None:
    """It is not sure yet who applies."""
    return say("申请人身份已核实", "it is sure already who applies") if state.identified else None


def identity_is_sure(state: WelfareState, _actor: Actor, _now: datetime) -> str | None:
    """Nobody is asked about a person of whom nobody is sure that they applied."""
    if state.identified:
        return None
    return say(
        "申请人身份尚未核实:须实名账户,或由两人分别核验身份证",
        "it is not sure who applies: two people of the town have to see the card (identify)",
    )


def a_paper_is_to_be_seen(state: WelfareState, _actor: Actor, _now: datetime) -> str | None:
    """A consent or a document of the household waits for another person."""
    return None if state.to_be_confirmed() else say("没有待查验的材料", "no paper of the household waits to be seen")


def checks_are_open(state: WelfareState, _actor: Actor, _now: datetime) -> str | None:
    """There is something to ask again."""
    return None if state.unanswered() else say("核对均已答复", "every source has answered")


def checks_are_made(state: WelfareState, _actor: Actor, _now: datetime) -> str | None:
    """Some households need no check at all."""
    return None if state.checks_waited_for else say("该申请不需核对", "this application needs no check")


def may_still_be_extended(state: WelfareState, _actor: Actor, now: datetime) -> str | None:
    """A limit is extended before it is due, and only so far."""
    most = state.terms.extension_working_days_at_most
    if state.extended_working_days >= most:
        return say(f"累计延期已达{most}个工作日", f"the case was extended by {most} working days, the most allowed")
    clock = state.clocks["whole"]
    due = due_at(clock, state.charter.calendar)
    if clock.status not in (Status.RUNNING, Status.PAUSED) or BREACH in clock.fired or (due and now >= due):
        return say("全程期限已过,不得延期", "the limit has passed: it is extended before, not after")
    return None


def notice_is_to_be_served(state: WelfareState, _actor: Actor, _now: datetime) -> str | None:
    """A refusal is served once."""
    return say("已书面告知", "it was served already") if state.notice_served else None


def appeal_is_open(state: WelfareState, _actor: Actor, now: datetime) -> str | None:
    """Once, and inside the window."""
    if state.appeals:
        return say("已申诉过一次", "an appeal was made before; one is allowed")
    if not state.notice_served:
        return None  # the window begins anew when it is told
    clock = state.clocks["appeal"]
    due = due_at(clock, state.charter.calendar)
    if clock.status is not Status.RUNNING or (due is not None and now >= due):
        return say("申诉期已过", "the window for an appeal has passed")
    return None


def was_suspended_by_a_person(state: WelfareState, _actor: Actor, _now: datetime) -> str | None:
    """What was suspended because the reassessment is overdue goes on by a reassessment."""
    if state.overdue:
        return say("因逾期未复核停发,须先复核", "it was suspended for want of a reassessment: reassess it")
    return None


def nothing_was_advanced(state: WelfareState, _actor: Actor, _now: datetime) -> str | None:
    """没有先行发放: no money has left or is on its way, so that whoever takes an application back covers up nothing."""
    if state.paid or state.payments:
        return say("已先行发放,须由他人撤回", "money was paid first: somebody else than who entered it withdraws it")
    return None


def change_waits(state: WelfareState, _actor: Actor, _now: datetime) -> str | None:
    """Somebody has asked for a change that would pay more."""
    return (
        None
        if state.change
        else say("没有待审批的调整,须先有人提出", "no change waits to be decided on: somebody asks for one first")
    )


def change_is_to_be_reviewed(state: WelfareState, _actor: Actor, _now: datetime) -> str | None:
    """The registers have answered, and nobody has reviewed it yet."""
    if state.change is None:
        return say("没有待审批的调整,须先有人提出", "no change waits to be decided on: somebody asks for one first")
    if state.change.reviewed_by is not None:
        return say("该调整已初审", "it was reviewed already")
    if waiting := [checked.source for checked in state.change.unanswered()]:
        return say(f"尚待{len(waiting)}项核对答复", f"still to answer: {', '.join(waiting)}")
    return None


def change_is_to_be_confirmed(state: WelfareState, _actor: Actor, _now: datetime) -> str | None:
    """It was reviewed, and nobody has confirmed it yet."""
    if state.change is None:
        return say("没有待审批的调整,须先有人提出", "no change waits to be decided on: somebody asks for one first")
    if state.change.reviewed_by is None and state.change.stated:
        return say("该调整尚未初审,须先初审", "it is not reviewed yet: that comes first")
    return say("该调整已确认", "it was confirmed already") if state.change.confirmed_by is not None else None


def change_waits_for_signature(state: WelfareState, _actor: Actor, _now: datetime) -> str | None:
    """It was confirmed, and its amount takes a second signature."""
    confirmed = state.change is not None and state.change.confirmed_by is not None
    return (
        None
        if confirmed
        else say("没有待双签的调整,须先确认", "no change waits for a second signature: it is confirmed first")
    )


def end_is_asked(state: WelfareState, _actor: Actor, _now: datetime) -> str | None:
    """Somebody has reported why nothing is due any more."""
    return None if state.end_asked else say("没有待确认的终止", "no end waits to be confirmed")


def no_end_is_asked(state: WelfareState, _actor: Actor, _now: datetime) -> str | None:
    """While a reported end waits, nothing else lets payment go on."""
    if state.end_asked is not None:
        return say("已报告终止事由,须先确认或否定", "an end was reported: decide on that first")
    return None


def change_is_not_reviewed(state: WelfareState, _actor: Actor, _now: datetime) -> str | None:
    """What was reviewed is what is confirmed: what the registers told is not written otherwise in between."""
    if state.change is not None and state.change.reviewed_by is not None:
        return say("该调整已初审,核对结果不再更改", "the change is reviewed: what the registers told stays as it was")
    return None
