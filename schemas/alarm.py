"""alarm 紧急呼叫, declared: a call for help is answered within a minute, somebody goes, and silence ends nothing.

Sources: UK telecare code and Shanghai's lines (answered in 60 s), 001 of the seeds (一键报警), L for the order of calls. A child of
the file (`schemas/care.py`): by its rules, with clocks and a timeline of its own. What is more than a line stands in
`workflows/alarm.py`.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from schemas.alarm_state import ALIVE, WAITING, AlarmOutcome, AlarmState, ContactAnswer, Said, Service, Stage
from schemas.clocks.calendar import TownDatetime
from schemas.contracts.calls import CallResult
from schemas.kernel.acts import Nothing, Tells, WithReason, act, also, file_acts, step
from schemas.kernel.case import CaseState
from schemas.kernel.choices import Bounds, Choices
from schemas.kernel.declaration import EndNotice, declare
from schemas.kernel.entries import EntryKinds, entry
from schemas.kernel.parties import COORDINATOR, GRID_WORKER, STREET_OFFICER, SUPERVISOR, desk_of
from schemas.kernel.people import same_account
from schemas.kernel.procedure import Command
from schemas.kernel.reference_facts import Refers
from schemas.kernel.rules import By
from schemas.kernel.timers import duty, last_limit, window
from schemas.parts.unending import nobody_helped_again, unending_line
from schemas.values.actor import Actor, Role
from schemas.values.foreign_code import KeptCode
from schemas.values.references import TextReference
from schemas.values.refusals import say
from schemas.words.field_words import FieldWords

# ---- what people say ----------------------------------------------------------------------------------------------------


class Answer(Command):
    """接警: what was heard when the person was called back. Nothing at all is a call for help."""

    said: Annotated[Said, FieldWords("通话情况", "what was heard")]


class CallEmergency(Command):
    """转120 110 119: whom, and the number of their order. The worker still goes."""

    service: Annotated[Service, FieldWords("救援单位", "service")]
    order_number: Annotated[KeptCode, FieldWords("对方单号", "number of their order")]


class CallContact(Command):
    """联系紧急联系人: the next one in order, and what came of it."""

    contact: Annotated[int, Field(strict=True, ge=1, le=5), FieldWords("第几联系人", "which contact")]
    result: Annotated[ContactAnswer, FieldWords("联系结果", "what came of it")]

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """In the order in which they stand; after the last the first once more."""
        assert isinstance(state, AlarmState)  # noqa: S101 - of alarms alone
        following = state.contacts_called % len(state.contact_order) + 1
        return {"contact": Choices((following,), say("须按顺序联系", "contacts are called in order"))}


class ContactReported(Command):
    """联系人应答: what became of a call of the gateway. Of each call the first word counts; a late one counts all the same."""

    number: Annotated[int, Field(strict=True, ge=1), FieldWords("第几次呼叫", "which call")]
    result: Annotated[CallResult, FieldWords("通话结果", "what became of the call")]
    at: Annotated[TownDatetime, FieldWords("发生时间", "at")]

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """One of the calls that were made."""
        assert isinstance(state, AlarmState)  # noqa: S101 - of alarms alone
        made = tuple(range(1, len(state.contact_calls) + 1))
        return {"number": Choices(made, say("没有这次呼叫", "there was no such call"))}


class OnSite(StrEnum):
    """What somebody who is there says of it."""

    HELPED = "helped"
    HOSPITAL = "hospital"
    DIED = "died"
    NOT_FOUND = "not_found"

    @property
    def outcome(self) -> AlarmOutcome:
        """The same as what the alarm came to."""
        return AlarmOutcome(self.value)


class Resolve(Command):
    """处置: what somebody who is there has found and done."""

    result: Annotated[OnSite, FieldWords("处置结果", "result")]
    what: TextReference


class KnownBy(StrEnum):
    """How it is known that nothing is the matter."""

    VOICE = "voice"
    SIGHT = "sight"


class MarkFalse(Command):
    """误报: the person said so by voice, and their name; or somebody who is there sees it. "Cancel" of a device is no word."""

    known_by: Annotated[KnownBy, FieldWords("依据", "known by")]
    name_asked: Annotated[bool, FieldWords("是否核对姓名", "the name was asked")]

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """By voice where nobody is there; by sight where somebody is. And the name was asked."""
        there = state.stage == Stage.ON_SITE
        way = KnownBy.SIGHT if there else KnownBy.VOICE
        said = say(
            "到场后须眼见为准,未到场须本人通话", "by sight where somebody is there, else by the person's own voice"
        )
        asked = say("须核对本人姓名", "the person says their name")
        return {"known_by": Choices((way,), said), "name_asked": Choices((True,), asked)}


class FollowUp(Command):
    """回访: somebody looked in the next day."""

    finding: TextReference


def said_that_nothing_is_the_matter(state: AlarmState, _actor: Actor, _now: datetime) -> str | None:
    """By voice, and only where a voice is enough: whoever has fallen says that they are well."""
    if not state.voice_is_enough:
        return say("此类呼叫须到场查看", "of this kind somebody goes and looks")
    return None if state.said is Said.NO_DANGER else say("本人未表示无事", "the person did not say that all is well")


def is_there(state: AlarmState, actor: Actor, _now: datetime) -> str | None:
    """What is the matter says whoever is with the person, and nobody from a desk."""
    if same_account(actor.subject, state.responder):
        return None
    return say("须由到场人员办理", "whoever is there says so; who comes to relieve them arrives first")


def is_the_one_who_goes(state: AlarmState, actor: Actor, _now: datetime) -> str | None:
    """Nobody says for another one that they cannot come."""
    if same_account(actor.subject, state.responder):
        return None
    return say("须由出发人员本人改派", "whoever went says so")


def is_not_there_yet(state: AlarmState, actor: Actor, _now: datetime) -> str | None:
    """Who comes to relieve somebody arrives once."""
    return say("您已到场", "you are there already") if is_there(state, actor, _now) is None else None


def nobody_has_heard(state: AlarmState, _actor: Actor, _now: datetime) -> str | None:
    """Who goes without an answer leaves the call to be answered; and who calls again is heard again."""
    return None if state.said is None else say("已接警", "it is answered already")


# ---- the declaration ----------------------------------------------------------------------------------------------------


class Kind(EntryKinds, procedure="alarm"):
    """What the ledger says happened."""

    RAISED = entry(
        "raised",
        "呼叫",
        references={"address": Refers.TEXT, "emergency_contacts": Refers.TEXT},
    )
    CALLED_FURTHER = entry("further", "重复呼叫")
    ANSWERED = entry("answered", "接警")
    UNANSWERED = entry("unanswered", "无人接警")
    ACCEPTED = entry("accepted", "出发")
    NOBODY_GOES = entry("nobody_goes", "无人出发")
    EMERGENCY_WANTED = entry("emergency_wanted", "须转救援")
    PASSED_ON = entry("passed_on", "改派")
    ARRIVED = entry("arrived", "到场")
    EMERGENCY_CALLED = entry("emergency_called", "转救援")
    CONTACT_CALLED = entry("contact_called", "联系紧急联系人")
    CONTACT_DIALLED = entry("contact_dialled", "网关拨打联系人")
    CONTACT_REPORTED = entry("contact_reported", "联系人应答")
    CONTACT_SILENT = entry("contact_silent", "通话结果未回")
    CONTACT_TEXTED = entry("contact_texted", "短信通知联系人")
    CONTACTS_UNREACHED = entry("contacts_unreached", "联系人均未应答")
    GATEWAY_AWAY = entry("gateway_away", "呼叫网关不可用")
    RESOLVED = entry("resolved", "处置")
    WORKER_CHANGED = entry("worker_changed", "责任人变更")
    FALSE_ALARM = entry("false_alarm", "误报")
    CALLED_AGAIN = entry("called_again", "再次上报", nobody_helped_again("care", "alarm_again_after"))
    CLOSED = entry("closed", "回访")


_GRID = desk_of(GRID_WORKER)
_operators = (COORDINATOR, STREET_OFFICER, GRID_WORKER)
_CALL_GATEWAY = By(Role.ENGINE)  # its signed report vouches for it; no token has this role

ALARM = declare(
    "alarm",
    "紧急呼叫",
    parent="care",
    state=AlarmState,
    stages=Stage,
    entries=Kind,
    opened=Kind.RAISED,
    timers={
        "answer": duty("接警", "answer", "answer", "answer_tiers", warns=False),
        "accept": duty("出发", "somebody to go", "accept", "accept_tiers", warns=False, recurs=True),
        "arrive": duty("到场", "arrival", "arrive", "arrive_tiers", warns=False),
        "resolve": duty("处置", "help", "resolve", "resolve_tiers"),
        "follow_up": duty("回访", "follow-up", "follow_up", "follow_up_tiers"),
        "contact": window("联系人应答", "word of a contact", "contact_answer"),
        "final": last_limit("alarm_again_after", warns=False, recurs=True),
    },
    lines=(
        # ---- 1. answered: the person is called back
        act(Answer, "接警", by=_operators, at=Stage.RAISED, to=Stage.ANSWERED, stops=["answer"], starts=["accept"],
            holder=_GRID, entry=Kind.ANSWERED, tells=Tells(_GRID, "alarm_go", ("kinds",))),
        also("answer", "接警(已派人)", by=_operators, at=(Stage.ANSWERED, Stage.RESPONDING), when=nobody_has_heard),
        step("ring_the_next", "无人接警", at=Stage.RAISED, entry=Kind.UNANSWERED, clock="answer"),
        # ---- 2. somebody goes
        act(Nothing, "出发", name="accept_call", meaning="somebody goes; the others are told.", by=GRID_WORKER,
            at=(Stage.RAISED, Stage.ANSWERED), to=Stage.RESPONDING, stops=["accept"], starts=["arrive"],
            entry=Kind.ACCEPTED, tells=Tells(_GRID, "alarm_taken", ("kinds",))),
        act(WithReason, "改派", name="pass_on", meaning="whoever went cannot come; somebody else goes.",
            by=GRID_WORKER, at=Stage.RESPONDING, to=Stage.ANSWERED, when=is_the_one_who_goes, stops=["arrive"],
            entry=Kind.PASSED_ON, tells=Tells(_GRID, "alarm_go", ("kinds",))),
        step("nobody_goes", "无人出发", at=(Stage.RAISED, Stage.ANSWERED), entry=Kind.NOBODY_GOES, clock="accept"),
        act(Nothing, "到场", name="arrive", meaning="somebody is with the person, or at the door.", by=GRID_WORKER,
            at=(Stage.RAISED, Stage.ANSWERED, Stage.RESPONDING), to=Stage.ON_SITE,
            stops=["answer", "accept", "arrive"], starts=["resolve"], entry=Kind.ARRIVED),
        also("arrive", "到场(接替)", by=GRID_WORKER, at=Stage.ON_SITE, when=is_not_there_yet),
        # ---- 3. who is called besides
        act(CallEmergency, "转120 110 119", by=_operators, at=WAITING, entry=Kind.EMERGENCY_CALLED),
        act(CallContact, "联系紧急联系人", by=_operators, at=WAITING, entry=Kind.CONTACT_CALLED),
        act(ContactReported, "联系人应答", by=_CALL_GATEWAY, at=ALIVE, entry=Kind.CONTACT_REPORTED),
        step("ask_for_the_word", "通话结果未回", at=ALIVE, entry=Kind.CONTACT_SILENT),
        # ---- 4. resolved by whoever is there, or by the person's own voice; never by silence
        act(Resolve, "处置", by=GRID_WORKER, at=Stage.ON_SITE, to=(Stage.ON_SITE, Stage.RESOLVED), when=is_there,
            entry=Kind.RESOLVED),
        act(MarkFalse, "误报", by=(COORDINATOR, GRID_WORKER), at=Stage.ANSWERED, to=Stage.RESOLVED,
            when=said_that_nothing_is_the_matter, stops=["answer", "accept", "resolve"], starts=["follow_up"],
            entry=Kind.FALSE_ALARM),
        also("mark_false", "误报(现场)", by=GRID_WORKER, at=Stage.ON_SITE, to=Stage.RESOLVED, when=is_there),
        act(FollowUp, "回访", by=GRID_WORKER, at=Stage.RESOLVED, to=Stage.CLOSED, entry=Kind.CLOSED),
        # ---- 5. silence ends nothing
        unending_line(Kind.CALLED_AGAIN, "alarm_called_again", at=ALIVE, facts=("kinds",)),
        *file_acts(
            Kind, by=(GRID_WORKER, STREET_OFFICER, COORDINATOR, SUPERVISOR), at=ALIVE, urged_by=(STREET_OFFICER, SUPERVISOR)
        ),
    ),
    end_notice=EndNotice(_GRID, {Stage.CLOSED: ("outcome",)}),
)  # fmt: skip
