"""What else must hold before somebody may act on a welfare application: separate people, windows, what is still open."""

from datetime import datetime

from schemas.actor import Actor
from schemas.clock_schedule import BREACH
from schemas.clocks import Status, due_at
from schemas.people import among, same_person
from schemas.refusals import say
from schemas.welfare_state import WelfareState


def not_the_applicant(state: WelfareState, actor: Actor, _now: datetime) -> str | None:
    """Nobody decides on, visits or objects to the own application."""
    if same_person(actor.subject, state.reporter_subject):
        return say("不得办理本人的申请", "nobody acts on the own application")
    return None


def not_related(state: WelfareState, actor: Actor, _now: datetime) -> str | None:
    """回避: who declared a relation takes no part."""
    if among(actor.subject, state.related):
        return say("已备案近亲属关系,应当回避", "you declared a relation to this household: somebody else decides")
    return None


def relation_not_declared_yet(state: WelfareState, actor: Actor, _now: datetime) -> str | None:
    """A relation is declared once."""
    return say("已备案", "you have declared it already") if among(actor.subject, state.related) else None


def visits_are_made(state: WelfareState, _actor: Actor, _now: datetime) -> str | None:
    """Some benefits are granted without a visit."""
    if state.rules.visits or state.relation is not None:
        return None
    return say("该项救助不需入户调查", "nobody visits the household for this benefit")


def has_not_visited(state: WelfareState, actor: Actor, _now: datetime) -> str | None:
    """入户调查由不同的人进行: one person's second visit is no second person's."""
    if among(actor.subject, (visit.by for visit in state.visits)):
        return say("您已入户,须由另一人调查", "you have visited: the second visit is somebody else's")
    return None


def consent_is_missing(state: WelfareState, _actor: Actor, _now: datetime) -> str | None:
    """Each adult of the household consents once, for themselves."""
    if state.not_consenting():
        return None
    return say("家庭成员均已授权", "nobody's consent is missing")


def checks_are_open(state: WelfareState, _actor: Actor, _now: datetime) -> str | None:
    """There is something to ask again."""
    return None if state.unanswered() else say("核对均已答复", "every source has answered")


def checks_are_made(state: WelfareState, _actor: Actor, _now: datetime) -> str | None:
    """Some households need no check at all."""
    return None if state.checked else say("该申请不需核对", "this application needs no check")


def not_the_reviewer(state: WelfareState, actor: Actor, _now: datetime) -> str | None:
    """初审与确认由不同的人: who reviewed does not confirm."""
    if same_person(actor.subject, state.reviewed_by):
        return say("初审人不得审核确认", "who reviewed it does not confirm it")
    return None


def not_the_confirmer(state: WelfareState, actor: Actor, _now: datetime) -> str | None:
    """双签: the second signature is a second person's."""
    if same_person(actor.subject, state.confirmed_by):
        return say("第二签须由另一人", "the second signature is another person's")
    return None


def did_not_refuse(state: WelfareState, actor: Actor, _now: datetime) -> str | None:
    """申诉由他人决定: who refused before decides no more in this case."""
    if among(actor.subject, state.refusers):
        return say("原决定人应当回避", "who refused it before does not decide again")
    return None


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


def posting_is_up(state: WelfareState, _actor: Actor, now: datetime) -> str | None:
    """An objection comes while the posting is up, not after."""
    due = due_at(state.clocks["publicity"], state.charter.calendar)
    return None if due is None or now < due else say("公示期已满", "the posting is over")


def a_payment_waits(state: WelfareState, _actor: Actor, _now: datetime) -> str | None:
    """There is a payment that the machine has given up."""
    return None if state.waiting_payments() else say("没有待人工处理的发放", "no payment waits for a person")


def was_suspended_by_a_person(state: WelfareState, _actor: Actor, _now: datetime) -> str | None:
    """What was suspended because the reassessment is overdue goes on by a reassessment."""
    if state.overdue:
        return say("因逾期未复核停发,须先复核", "it was suspended for want of a reassessment: reassess it")
    return None
