"""distress 无档求助, declared: a call for help that no file knows is traced by the duty desk, and silence ends nothing.

Sources: 001 of the seeds (一键报警), UK telecare code (answered in 60 s), 个人信息保护法 13 (no consent before a life is saved),
L for the order of steps. It stands alone, and asks for a file (`schemas/care.py`) when somebody was found. What is more than a
line stands in `workflows/distress.py`, how devices come to it in `starter/care_unfiled.py`.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from schemas.contracts.department_policy import Name
from schemas.contracts.reservation import Claim, Hold, Reserves
from schemas.distress_commands import (
    CallAgain,
    ConfirmDeath,
    ConfirmRuledOut,
    DeviceBound,
    Locate,
    RefuseDeath,
    RefuseRuledOut,
    ReportDistress,
    ReportScene,
    RuleOut,
    SendHelp,
)
from schemas.distress_state import CALLING_DEVICE, OPEN, DistressState, DistressTerms, Stage
from schemas.kernel.acts import Nothing, Tells, WithReason, act, also, file_acts, step
from schemas.kernel.because import by_policy
from schemas.kernel.declaration import EndNotice, declare
from schemas.kernel.entries import EntryKinds, entry
from schemas.kernel.openings import Opens
from schemas.kernel.parties import (
    CIVIL_AFFAIRS_OFFICER,
    COORDINATOR,
    GRID_WORKER,
    STREET_OFFICER,
    SUPERVISOR,
    WINDOW_CLERK,
    desk_of,
)
from schemas.kernel.people import Part, same_account
from schemas.kernel.policy import Duty, OnCall
from schemas.kernel.rules import By
from schemas.kernel.terms import TermsPolicy
from schemas.kernel.timers import duty, last_limit, window
from schemas.parts.unending import nobody_helped_again, unending_line
from schemas.values.actor import Actor, Role
from schemas.values.refusals import say

CALL_AGAIN, DEVICE_BOUND = "call_again", "device_bound"
"""The commands that a platform gives: the device goes on calling; it is bound to a file by now."""


class DistressPolicy(TermsPolicy):
    """policies/distress.yaml. Everybody is on call for each of its duties."""

    WINDOWS = TermsPolicy.WINDOWS | {"again_after", "told_again_after"}

    terms: DistressTerms

    def duties(self) -> Iterator[Duty]:
        """They count at any hour, each with tiers of its own."""
        for each in super().duties():
            yield each._replace(on_call=OnCall.EVERYBODY, tiers=getattr(self.terms, f"{each.name}_tiers"))

    def areas_named(self) -> Mapping[str, str]:
        """The area of the duty desk."""
        return {"terms.desk_area": self.terms.desk_area}


# ---- what else must hold ----------------------------------------------------------------------------------------------


def claims_of(state: DistressState, _sure: bool) -> tuple[Claim, ...]:  # noqa: FBT001 - the shape of all claims
    """The device that calls is this case's; a call of a person reserves nothing."""
    return () if state.device is None else (Claim(key=f"{state.platform}/{state.device}", hold=Hold.OWN),)


def nothing_is_asked(state: DistressState, _actor: Actor, _now: datetime) -> str | None:
    """One answer at a time."""
    return say("已有待确认的排除申请", "a second person is asked already") if state.ruling_out else None


def is_there(state: DistressState, actor: Actor, _now: datetime) -> str | None:
    """What was found says whoever is with the person, and nobody from a desk."""
    if state.stage == Stage.ON_SITE and same_account(actor.subject, state.responder):
        return None
    return say("须由到场人员办理", "whoever is there says so; who comes to relieve them arrives first")


def is_not_there_yet(state: DistressState, actor: Actor, now: datetime) -> str | None:
    """Who comes to relieve somebody arrives once."""
    return say("您已到场", "you are there already") if is_there(state, actor, now) is None else None


def a_service_went(state: DistressState, _actor: Actor, _now: datetime) -> str | None:
    """For an ambulance, the fire brigade or the police somebody at a desk says what they found."""
    return (
        None if state.a_service_went else say("未派救援单位,须由到场人员办理", "no service went: who is there says so")
    )


def nobody_goes_yet(state: DistressState, _actor: Actor, _now: datetime) -> str | None:
    """The first who says so goes."""
    return None if state.responder is None else say("已有人出发", "somebody goes already")


def is_the_one_who_goes(state: DistressState, actor: Actor, _now: datetime) -> str | None:
    """Nobody says for another one that they cannot come."""
    if same_account(actor.subject, state.responder):
        return None
    return say("须由出发人员本人改派", "whoever went says so")


# ---- the declaration --------------------------------------------------------------------------------------------------


class Kind(EntryKinds, procedure="distress"):
    """What the ledger says happened."""

    RAISED = entry("raised", "无档求助")
    CALLED_AGAIN = entry("called_again", "再次呼叫")
    DEVICE_BOUND = entry("device_bound", "设备已绑定")
    AGAIN_TOLD = entry(
        "again_told",
        "再次呼叫汇总",
        by_policy(
            "distress",
            "told_again_after",
            "再次呼叫每{limit}汇总告知一次",
            "what goes on calling is told together every {limit}",
        ),
    )
    TAKEN = entry("taken", "接办")
    LOCATED = entry("located", "查明位置")
    HELP_SENT = entry("help_sent", "派人")
    ACCEPTED = entry("accepted", "出发")
    PASSED_ON = entry("passed_on", "改派")
    ARRIVED = entry("arrived", "到场")
    SCENE_REPORTED = entry("scene_reported", "现场情况")
    DEATH_CONFIRMED = entry("death:confirmed", "确认去世")
    DEATH_REFUSED = entry("death:refused", "不确认去世")
    RULING_OUT_ASKED = entry("ruling_out:asked", "申请排除")
    RULING_OUT_REFUSED = entry("ruling_out:refused", "不同意排除")
    RULED_OUT = entry("ruled_out", "排除")
    EVERYBODY_CALLED = entry("everybody_called", "再次上报", nobody_helped_again("distress"))


_DESK, _GRID, _STREET = desk_of(COORDINATOR), desk_of(GRID_WORKER), desk_of(STREET_OFFICER)
_operators = (COORDINATOR, STREET_OFFICER)
_whoever_knows = (COORDINATOR, STREET_OFFICER, GRID_WORKER)
_PLATFORM = By(Role.ENGINE)  # its signed event vouches for it; no token has this role

DISTRESS = declare(
    "distress",
    "无档求助",
    policy=DistressPolicy,
    state=DistressState,
    stages=Stage,
    entries=Kind,
    opens=Opens(
        ReportDistress, "report_distress", "无档求助", "report a call for help of somebody who has no file",
        frozenset({Role.COORDINATOR, Role.STREET_OFFICER, Role.GRID_WORKER, Role.WINDOW_CLERK}), "distress-calls",
        starts=("take",), holder=_DESK, tells=Tells(_DESK, "distress_raised", ("kinds",)),
        unasked=frozenset({"event", "last_file", "last_worker", "last_deputy"}),
    ),
    opened=Kind.RAISED,
    keep_years=5,
    reserves=Reserves(
        CALLING_DEVICE,
        Name(zh="此设备的求助正在办理", en="a call of this device is being dealt with"),
        claims_of,
        occasion=lambda _state, _command, _body: None,
        sure=lambda _state, _command, _body, _actor: True,
    ),
    timers={
        "take": duty("接办", "somebody to take it", "take", "take_tiers", warns=False),
        "locate": duty("查明位置", "knowing where", "locate", "locate_tiers", warns=False),
        "send": duty("派人", "sending of somebody", "send", "send_tiers", warns=False),
        "accept": duty("出发", "somebody to go", "accept", "accept_tiers", warns=False, recurs=True),
        "arrive": duty("到场", "arrival", "arrive", "arrive_tiers", warns=False),
        "resolve": duty("到场处置", "help", "resolve", "resolve_tiers", recurs=True),
        "again": window("再次呼叫汇总", "telling of further calls", "told_again_after"),
        "final": last_limit("again_after", warns=False, recurs=True),
    },
    lines=(
        act(CallAgain, "再次呼叫", by=_PLATFORM, at=OPEN, entry=Kind.CALLED_AGAIN),
        act(DeviceBound, "设备已绑定", by=_PLATFORM, at=OPEN, entry=Kind.DEVICE_BOUND,
            tells=Tells(_DESK, "distress_device_bound", ("kinds",))),
        step("tell_what_was_counted", "再次呼叫汇总", at=OPEN, entry=Kind.AGAIN_TOLD, clock="again"),
        # ---- 1. somebody has it in hand, and finds out where
        act(Nothing, "接办", name="take", meaning="somebody of the desk sees to it.", by=_operators, at=Stage.RAISED,
            to=Stage.TAKEN, stops=["take"], starts=["locate"], holder=_DESK, entry=Kind.TAKEN),
        act(Locate, "查明位置", by=_whoever_knows, at=(Stage.RAISED, Stage.TAKEN), to=Stage.LOCATED,
            stops=["take", "locate"], starts=["send"], holder=_DESK, entry=Kind.LOCATED,
            tells=Tells(_DESK, "distress_located", ("kinds",))),
        also("locate", "查明位置(更正)", by=_whoever_knows, at=(Stage.LOCATED, Stage.SENT, Stage.ON_SITE)),
        # ---- 2. somebody goes
        act(SendHelp, "派人", by=_operators, at=(Stage.RAISED, Stage.TAKEN, Stage.LOCATED), to=Stage.SENT,
            part=Part.HELP_SENT, stops=["take", "send"], holder=_DESK, entry=Kind.HELP_SENT),
        also("send_help", "派人(增派)", by=_operators, at=(Stage.SENT, Stage.ON_SITE), part=Part.HELP_SENT),
        act(Nothing, "出发", name="accept_call", meaning="somebody goes; the others are told.", by=GRID_WORKER,
            at=Stage.SENT, when=nobody_goes_yet, stops=["accept"], starts=["arrive"], entry=Kind.ACCEPTED,
            tells=Tells(_GRID, "distress_somebody_goes", ("kinds",))),
        act(WithReason, "改派", name="pass_on", meaning="whoever went cannot come; somebody else goes.", by=GRID_WORKER,
            at=Stage.SENT, when=is_the_one_who_goes, stops=["arrive"], starts=["accept"], entry=Kind.PASSED_ON,
            tells=Tells(_GRID, "distress_go", ("kinds",))),
        act(Nothing, "到场", name="arrive", meaning="somebody is with the person, or at the place.", by=GRID_WORKER,
            at=(Stage.RAISED, Stage.TAKEN, Stage.LOCATED, Stage.SENT), to=Stage.ON_SITE,
            stops=["take", "locate", "send", "accept", "arrive"], holder=_DESK, entry=Kind.ARRIVED),
        also("arrive", "到场(接替)", by=GRID_WORKER, at=Stage.ON_SITE, when=is_not_there_yet),
        # ---- 3. by the word of whoever is there, or of a service; that somebody died, two people say
        act(ReportScene, "现场情况", by=GRID_WORKER, at=Stage.ON_SITE, to=(Stage.TAKEN, Stage.ON_SITE, Stage.HELPED),
            when=is_there, part=Part.DEATH_SAID, entry=Kind.SCENE_REPORTED),
        also("report_scene", "现场情况(救援单位)", by=_operators, at=Stage.SENT,
             to=(Stage.TAKEN, Stage.SENT, Stage.HELPED), when=a_service_went, apart_from=(Part.HELP_SENT,),
             part=Part.DEATH_SAID),
        also("report_scene", "现场情况(救援单位)", by=_operators, at=Stage.ON_SITE,
             to=(Stage.TAKEN, Stage.ON_SITE, Stage.HELPED), when=a_service_went, apart_from=(Part.HELP_SENT,),
             part=Part.DEATH_SAID),
        act(ConfirmDeath, "确认去世", by=(*_operators, SUPERVISOR, CIVIL_AFFAIRS_OFFICER),
            at=(Stage.SENT, Stage.ON_SITE), to=Stage.DIED, apart_from=(Part.DEATH_SAID,), answers=(Part.DEATH_SAID,),
            entry=Kind.DEATH_CONFIRMED),
        act(RefuseDeath, "不确认去世", by=(*_operators, SUPERVISOR, CIVIL_AFFAIRS_OFFICER),
            at=(Stage.SENT, Stage.ON_SITE), apart_from=(Part.DEATH_SAID,), answers=(Part.DEATH_SAID,),
            entry=Kind.DEATH_REFUSED),
        # ---- 4. nobody is in need, on the word of two; who said so first may take it back
        act(RuleOut, "申请排除", by=_operators, at=OPEN, when=nothing_is_asked, part=Part.RULING_OUT_ASKED,
            entry=Kind.RULING_OUT_ASKED),
        act(ConfirmRuledOut, "同意排除", by=(*_operators, SUPERVISOR), at=OPEN, to=Stage.RULED_OUT,
            apart_from=(Part.RULING_OUT_ASKED,), answers=(Part.RULING_OUT_ASKED,), entry=Kind.RULED_OUT),
        act(RefuseRuledOut, "不同意排除", by=(*_operators, SUPERVISOR), at=OPEN, answers=(Part.RULING_OUT_ASKED,),
            entry=Kind.RULING_OUT_REFUSED),
        # ---- 5. silence ends nothing
        unending_line(Kind.EVERYBODY_CALLED, "distress_everybody_called", at=OPEN, facts=("kinds",)),
        *file_acts(
            Kind, by=(GRID_WORKER, WINDOW_CLERK, STREET_OFFICER, COORDINATOR, SUPERVISOR), at=OPEN,
            urged_by=(STREET_OFFICER, SUPERVISOR),
        ),
    ),
    end_notice=EndNotice(_STREET, {Stage.HELPED: ("result",), Stage.DIED: (), Stage.RULED_OUT: ("known_by",)}),
)  # fmt: skip
