"""distress 无档求助, declared: a call for help that no file knows is traced by the duty desk, and silence ends nothing.

Sources: 001 of the seeds (一键报警), UK telecare code (answered in 60 s), 个人信息保护法 13 (no consent before a life is saved),
L for the order of steps. It stands alone, and asks for a file (`schemas/care.py`) when somebody was found. What is more than a
line stands in `workflows/distress.py`, how devices come to it in `starter/care_unfiled.py`.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from schemas.care_terms import AlarmKind
from schemas.clocks.calendar import TownDatetime
from schemas.contracts.department_policy import Name
from schemas.contracts.reservation import Claim, Hold, Reserves
from schemas.distress_state import CALLING_DEVICE, OPEN, DistressState, DistressTerms, RuledOutBy, Stage
from schemas.kernel.acts import Nothing, Tells, act, also, file_acts, step
from schemas.kernel.answers import AnswerTo, RequestNumber
from schemas.kernel.because import by_policy
from schemas.kernel.declaration import EndNotice, declare
from schemas.kernel.entries import EntryKinds, entry
from schemas.kernel.openings import OpeningBody, Opens
from schemas.kernel.parties import COORDINATOR, GRID_WORKER, STREET_OFFICER, SUPERVISOR, WINDOW_CLERK, desk_of
from schemas.kernel.people import Part
from schemas.kernel.policy import Duty, OnCall
from schemas.kernel.procedure import Command
from schemas.kernel.rules import By
from schemas.kernel.terms import TermsPolicy
from schemas.kernel.timers import duty, last_limit
from schemas.values.account import AccountCode
from schemas.values.actor import Actor, Role
from schemas.values.case_number import CaseNumber
from schemas.values.foreign_code import KeptCode
from schemas.values.references import TextReference
from schemas.values.refusals import Fault, say
from schemas.words.field_words import FieldWords

CALL_AGAIN = "call_again"
"""The command that a platform gives when the device goes on calling."""


class DistressPolicy(TermsPolicy):
    """policies/distress.yaml. Everybody is on call for each of its duties."""

    WINDOWS = TermsPolicy.WINDOWS | {"again_after"}

    terms: DistressTerms

    def duties(self) -> Iterator[Duty]:
        """They count at any hour, each with tiers of its own."""
        for each in super().duties():
            yield each._replace(on_call=OnCall.EVERYBODY, tiers=getattr(self.terms, f"{each.name}_tiers"))

    def areas_named(self) -> Mapping[str, str]:
        """The area of the duty desk."""
        return {"terms.desk_area": self.terms.desk_area}


# ---- what people and platforms say ------------------------------------------------------------------------------------


class ReportDistress(OpeningBody):
    """无档求助: of what kind, and all that is known: what was heard, or the device. `last_file`: the file that had it last."""

    alarm_kind: Annotated[AlarmKind, FieldWords("呼叫类型", "kind of alarm")]
    words: TextReference | None = None
    platform: Annotated[KeptCode | None, FieldWords("设备平台", "platform of the device")] = None
    device: Annotated[KeptCode | None, FieldWords("设备编号", "device")] = None
    event: Annotated[KeptCode | None, FieldWords("事件编号", "event")] = None
    happened_at: TownDatetime | None = None
    last_file: CaseNumber | None = None
    last_worker: AccountCode | None = None
    last_deputy: AccountCode | None = None

    def town_faults(self, policy: Any) -> Iterator[Fault]:  # noqa: ARG002 - every town wants to know whose device it is
        """A device is one of a platform."""
        if (self.platform is None) != (self.device is None):
            missing = "platform" if self.platform is None else "device"
            said = say("须同时写明平台与设备编号", "a device is named with its platform")
            remedy = say("请补充", "name both, or none of them")
            yield Fault(field=missing, reason=said, remedy=remedy)


class CallAgain(Command):
    """再次呼叫: the device goes on calling. `unclear`: the number of the event stood for something else before.

    The device stands in it, so that the same word of another one is no repeat.
    """

    platform: Annotated[KeptCode, FieldWords("设备平台", "platform of the device")]
    device: Annotated[KeptCode, FieldWords("设备编号", "device")]
    event: Annotated[KeptCode, FieldWords("事件编号", "event")]
    unclear: Annotated[bool, FieldWords("编号内容不符", "its number was used for something else")] = False
    alarm_kind: Annotated[AlarmKind, FieldWords("呼叫类型", "kind of alarm")]
    at: Annotated[TownDatetime, FieldWords("发生时间", "at")]


class Source(StrEnum):
    """Who knew where the call comes from."""

    PLATFORM = "platform"
    LAST_FILE = "last_file"
    POLICE = "police"
    CALLER = "caller"


class Locate(Command):
    """查明位置: where whoever calls is, and who knew it."""

    where: Annotated[TextReference, FieldWords("地点", "where")]
    source: Annotated[Source, FieldWords("位置来源", "who knew where")]


class Helper(StrEnum):
    """Who is sent."""

    GRID_WORKER = "grid_worker"
    MEDICAL = "medical_120"
    POLICE = "police_110"
    FIRE = "fire_119"


class SendHelp(Command):
    """派人: who goes; of an emergency service the number of its order. Nobody waits with it until the place is known."""

    helper: Annotated[Helper, FieldWords("派出人员", "who is sent")]
    order_number: Annotated[KeptCode | None, FieldWords("对方单号", "number of their order")] = None


class FoundThere(StrEnum):
    """What somebody who was there says of it."""

    HELPED = "helped"
    HOSPITAL = "hospital"
    DIED = "died"
    NOBODY_THERE = "nobody_there"


class ReportScene(Command):
    """现场情况: what whoever was sent has found there. Nobody there ends nothing: whoever calls is somewhere else."""

    result: Annotated[FoundThere, FieldWords("现场情况", "what was found there")]
    what: TextReference


class RuleOut(Command):
    """申请排除: nobody needs help, by what that is known, and why. A second person says so too."""

    known_by: Annotated[RuledOutBy, FieldWords("依据", "known by")]
    reason: TextReference


class OnRulingOut(AnswerTo):
    """A word of another person on whether nobody needs help."""

    part = Part.END_ASKED
    request: RequestNumber


class ConfirmRuledOut(OnRulingOut):
    """同意排除: nobody is looked for any more."""


class RefuseRuledOut(OnRulingOut):
    """不同意排除: whoever calls is still looked for."""

    reason: TextReference


# ---- what else must hold ----------------------------------------------------------------------------------------------


def claims_of(state: DistressState, _sure: bool) -> tuple[Claim, ...]:  # noqa: FBT001 - the shape of all claims
    """The device that calls is this case's; a call of a person reserves nothing."""
    return () if state.device is None else (Claim(key=f"{state.platform}/{state.device}", hold=Hold.OWN),)


def nothing_is_asked(state: DistressState, _actor: Actor, _now: datetime) -> str | None:
    """One answer at a time."""
    return say("已有待确认的排除申请", "a second person is asked already") if state.ruling_out else None


# ---- the declaration --------------------------------------------------------------------------------------------------


class Kind(EntryKinds, procedure="distress"):
    """What the ledger says happened."""

    RAISED = entry("raised", "无档求助")
    CALLED_AGAIN = entry("called_again", "再次呼叫")
    TAKEN = entry("taken", "接办")
    LOCATED = entry("located", "查明位置")
    HELP_SENT = entry("help_sent", "派人")
    SCENE_REPORTED = entry("scene_reported", "现场情况")
    RULING_OUT_ASKED = entry("ruling_out:asked", "申请排除")
    RULING_OUT_REFUSED = entry("ruling_out:refused", "不同意排除")
    RULED_OUT = entry("ruled_out", "排除")
    EVERYBODY_CALLED = entry(
        "everybody_called",
        "再次上报",
        by_policy(
            "distress",
            "again_after",
            "末级上报后仍无人处置,每{limit}再次上报",
            "nobody helped: everybody is called again every {limit}",
        ),
    )


_DESK, _STREET = desk_of(COORDINATOR), desk_of(STREET_OFFICER)
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
        unasked=frozenset({"event", "last_worker", "last_deputy"}),
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
        "resolve": duty("到场处置", "help", "resolve", "resolve_tiers", recurs=True),
        "final": last_limit("again_after", warns=False, recurs=True),
    },
    lines=(
        act(CallAgain, "再次呼叫", by=_PLATFORM, at=OPEN, entry=Kind.CALLED_AGAIN),
        # ---- 1. somebody has it in hand, and finds out where
        act(Nothing, "接办", name="take", meaning="somebody of the desk sees to it.", by=_operators, at=Stage.RAISED,
            to=Stage.TAKEN, stops=["take"], starts=["locate"], holder=_DESK, entry=Kind.TAKEN),
        act(Locate, "查明位置", by=_whoever_knows, at=(Stage.RAISED, Stage.TAKEN), to=Stage.LOCATED,
            stops=["take", "locate"], starts=["send"], holder=_DESK, entry=Kind.LOCATED,
            tells=Tells(_DESK, "distress_located", ("kinds",))),
        also("locate", "查明位置(更正)", by=_whoever_knows, at=(Stage.LOCATED, Stage.SENT)),
        # ---- 2. somebody goes
        act(SendHelp, "派人", by=_operators, at=(Stage.RAISED, Stage.TAKEN, Stage.LOCATED), to=Stage.SENT,
            stops=["take", "locate", "send"], starts=["resolve"], holder=_DESK, entry=Kind.HELP_SENT),
        also("send_help", "派人(增派)", by=_operators, at=Stage.SENT),
        # ---- 3. by the word of somebody who was there; or nobody is in need, on the word of two
        act(ReportScene, "现场情况", by=_whoever_knows, at=Stage.SENT, to=(Stage.SENT, Stage.HELPED),
            entry=Kind.SCENE_REPORTED),
        act(RuleOut, "申请排除", by=_operators, at=OPEN, when=nothing_is_asked, part=Part.END_ASKED,
            entry=Kind.RULING_OUT_ASKED),
        act(ConfirmRuledOut, "同意排除", by=(*_operators, SUPERVISOR), at=OPEN, to=Stage.RULED_OUT,
            apart_from=(Part.END_ASKED,), answers=(Part.END_ASKED,), entry=Kind.RULED_OUT),
        act(RefuseRuledOut, "不同意排除", by=(*_operators, SUPERVISOR), at=OPEN, apart_from=(Part.END_ASKED,),
            answers=(Part.END_ASKED,), entry=Kind.RULING_OUT_REFUSED),
        # ---- 4. silence ends nothing
        step("call_everybody_again", "再次上报", at=OPEN, entry=Kind.EVERYBODY_CALLED, clock="final",
             tells=Tells(desk_of(SUPERVISOR), "distress_everybody_called", ("kinds",))),
        *file_acts(
            Kind, by=(GRID_WORKER, WINDOW_CLERK, STREET_OFFICER, COORDINATOR, SUPERVISOR), at=OPEN,
            urged_by=(STREET_OFFICER, SUPERVISOR),
        ),
    ),
    end_notice=EndNotice(_STREET, {Stage.HELPED: ("result",), Stage.RULED_OUT: ("known_by",)}),
)  # fmt: skip
