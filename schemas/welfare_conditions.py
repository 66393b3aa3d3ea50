"""What else must hold before somebody may act on a welfare application: windows, and what is still open.

Who must be another person stands in the table itself (`Rule.apart_from`).
"""

from datetime import datetime

from schemas.parts.conditions import forbids, needs
from schemas.values.actor import Actor
from schemas.values.refusals import say
from schemas.welfare_state import WelfareState

visits_are_made = needs(
    "visits_are_made",
    lambda state: state.visits_wanted,
    "该项救助不需入户调查",
    "nobody visits the household for this benefit",
)
"""Some benefits are granted without a visit."""

consent_is_missing = needs(
    "consent_is_missing",
    WelfareState.not_consenting,
    "家庭成员均已授权",
    "nobody's consent is missing",
)
"""Each adult of the household consents once, for themselves."""

identity_is_open = forbids(
    "identity_is_open",
    lambda state: state.identified,
    "申请人身份已核实",
    "it is sure already who applies",
)
"""It is not sure yet who applies."""

identity_is_sure = needs(
    "identity_is_sure",
    lambda state: state.identified,
    "申请人身份尚未核实:须实名账户,或由两人分别核验身份证",
    "it is not sure who applies: two people of the town have to see the card (identify)",
)
"""Nobody is asked about a person of whom nobody is sure that they applied."""

a_paper_is_to_be_seen = needs(
    "a_paper_is_to_be_seen",
    WelfareState.to_be_confirmed,
    "没有待查验的材料",
    "no paper of the household waits to be seen",
)
"""A consent or a document of the household waits for another person."""


checks_are_open = needs(
    "checks_are_open",
    WelfareState.unanswered,
    "核对均已答复",
    "every source has answered",
)
"""There is something to ask again."""

checks_are_made = needs(
    "checks_are_made",
    lambda state: state.checks_waited_for,
    "该申请不需核对",
    "this application needs no check",
)
"""Some households need no check at all."""


was_suspended_by_a_person = forbids(
    "was_suspended_by_a_person",
    lambda state: state.overdue,
    "因逾期未复核停发,须先复核",
    "it was suspended for want of a reassessment: reassess it",
)
"""What was suspended because the reassessment is overdue goes on by a reassessment."""


def nothing_was_advanced(state: WelfareState, _actor: Actor, _now: datetime) -> str | None:
    """没有先行发放: no money has left or is on its way, so that whoever takes an application back covers up nothing."""
    if state.paid or state.payments:
        return say("已先行发放,须由他人撤回", "money was paid first: somebody else than who entered it withdraws it")
    return None


change_waits = needs(
    "change_waits",
    lambda state: state.change,
    "没有待审批的调整,须先有人提出",
    "no change waits to be decided on: somebody asks for one first",
)
"""Somebody has asked for a change that would pay more."""


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


end_is_asked = needs(
    "end_is_asked",
    lambda state: state.end_asked,
    "没有待确认的终止",
    "no end waits to be confirmed",
)
"""Somebody has reported why nothing is due any more."""

no_end_is_asked = forbids(
    "no_end_is_asked",
    lambda state: state.end_asked,
    "已报告终止事由,须先确认或否定",
    "an end was reported: decide on that first",
)
"""While a reported end waits, nothing else lets payment go on."""


def change_is_not_reviewed(state: WelfareState, _actor: Actor, _now: datetime) -> str | None:
    """What was reviewed is what is confirmed: what the registers told is not written otherwise in between."""
    if state.change is not None and state.change.reviewed_by is not None:
        return say("该调整已初审,核对结果不再更改", "the change is reviewed: what the registers told stays as it was")
    return None
