"""care 特殊群体一人一档: what people say of a file, and what a device says."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from schemas.care_state import CareState, ContactOrder, Stage
from schemas.care_terms import CHILDREN, AlarmKind, ConsentScope, Group, Need
from schemas.clocks.calendar import TownDatetime
from schemas.contracts.department import Code
from schemas.kernel.answers import AnswerTo, RequestNumber
from schemas.kernel.case import CaseState
from schemas.kernel.choices import Bounds, Choices
from schemas.kernel.openings import OpeningBody
from schemas.kernel.people import Part, same_account
from schemas.kernel.procedure import Command
from schemas.values.account import AccountCode
from schemas.values.actor import Actor, Role
from schemas.values.document import Document
from schemas.values.foreign_code import KeptCode
from schemas.values.free_text import PersonName
from schemas.values.references import TextReference
from schemas.values.refusals import Fault, say
from schemas.words.field_words import FieldWords

DEVICE_EVENT = "device_event"
"""The command that a platform's signed event becomes."""


class OpenFile(OpeningBody):
    """建档: for whom, why, how often they are to be seen, who visits and who stands in, and whom to call."""

    unsaid = OpeningBody.unsaid | {"person"}
    person_name = "person"

    person: Annotated[PersonName, Field(repr=False), FieldWords("姓名", "name")]
    address: TextReference
    group: Annotated[Group, FieldWords("人群", "group")]
    need: Annotated[Need, FieldWords("服务需求", "need")]
    emergency_contacts: TextReference
    contact_order: Annotated[ContactOrder, FieldWords("紧急联系人顺序", "contacts in order")]
    worker: Annotated[AccountCode, FieldWords("责任人", "worker")]
    deputy: Annotated[AccountCode, FieldWords("替补责任人", "deputy")]

    def town_faults(self, policy: Any) -> Iterator[Fault]:  # noqa: ARG002 - the same in every town
        """Who stands in is somebody else."""
        if same_account(self.worker, self.deputy):
            said = say("责任人与替补须为不同的人", "the deputy is another person than the worker")
            yield Fault(field="deputy", reason=said, remedy=say("请另选替补", "name somebody else"))


# ---- consent ----------------------------------------------------------------------------------------------------------


class ConsentBy(StrEnum):
    """Whose word it is."""

    PERSON = "person"
    GUARDIAN = "guardian"


Scopes = Annotated[tuple[ConsentScope, ...], Field(min_length=1, max_length=3), FieldWords("同意范围", "scopes")]


class RecordConsent(Command):
    """同意: to what, each by itself; of a child the guardian. Without the file there is nothing else to agree to."""

    by: Annotated[ConsentBy, FieldWords("由谁同意", "by whom")]
    scopes: Scopes
    paper: Annotated[Document | None, FieldWords("签字件", "signed paper")] = None

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """The first consent is to the file; of a child it is the guardian's."""
        found = super().faults(state)
        if _care(state).group in CHILDREN and self.by is not ConsentBy.GUARDIAN:
            said = say("未成年人须由监护人同意", "of a child the guardian consents")
            return (*found, Fault(field="by", reason=said, remedy=say("由监护人签字", "let the guardian sign")))
        if found or ConsentScope.FILE in (*self.scopes, *_care(state).consent):
            return found
        said = say("须先同意建档", "the file comes first")
        return (Fault(field="scopes", reason=said, remedy=say("请加上“建档走访”", "add file")),)

    def not_theirs(self, state: CaseState, actor: Actor, now: datetime) -> tuple[Fault, ...]:  # noqa: ARG002 - at any time
        """Nobody knows whether a resident who opened a file is the person: consent to it is a paper that staff enter."""
        if state.opening.actor.role is not Role.RESIDENT or (
            actor.role is not Role.RESIDENT and self.paper is not None
        ):
            return ()
        said = say(
            "居民建档的,须由工作人员登记签字件", "of a file that a resident opened, staff enter the signed paper"
        )
        return (Fault(field="paper", reason=said, remedy=say("请由工作人员登记", "let staff enter it")),)


class WithdrawConsent(Command):
    """撤回同意: of these scopes; of the file, it ends. What was done before stands."""

    scopes: Scopes

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """What was agreed to."""
        return {"scopes": Choices(tuple(_care(state).consent), say("未曾同意", "was not agreed to"))}


# ---- visits -----------------------------------------------------------------------------------------------------------


class VisitWay(StrEnum):
    """How somebody was seen or heard."""

    HOME = "home"
    VIDEO = "video"
    PHONE = "phone"


class VisitOutcome(StrEnum):
    """How they are."""

    WELL = "well"
    NEEDS_HELP = "needs_help"
    WORSE = "worse"


class RecordVisit(Command):
    """记录走访: how and when the person was seen, and how they are. A late one can always be entered."""

    way: Annotated[VisitWay, FieldWords("走访方式", "way")]
    outcome: Annotated[VisitOutcome, FieldWords("走访情况", "how they are")]
    visited_at: Annotated[TownDatetime | None, FieldWords("走访时间(不填即现在)", "visited at, if not now")] = None
    note: TextReference | None = None

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """A call is a visit only where somebody is checked on every day."""
        found, care = super().faults(state), _care(state)
        if found or self.way is not VisitWay.PHONE or care.need is Need.DAILY_CHECK:
            return found
        said = say("仅每日巡查可用电话", "a call counts only for a daily check")
        return (Fault(field="way", reason=said, remedy=say("请上门或视频", "go there, or see them by video")),)

    def not_theirs(self, state: CaseState, actor: Actor, now: datetime) -> tuple[Fault, ...]:  # noqa: ARG002 - whoever it is
        """Nobody has visited tomorrow, and what lies longer back than the town says is no visit of now."""
        care = _care(state)
        if self.visited_at is None:
            return ()
        back = timedelta(hours=care.terms.visit_entered_within_hours)
        if care.stage == Stage.SEARCHING and care.searched_since is not None and self.visited_at < care.searched_since:
            said = say(
                "须在查找开始之后见到本人", "the person was looked for since: it takes a later visit to find them"
            )
            return (Fault(field="visited_at", reason=said, remedy=say("请更正时间", "mend the time")),)
        if now - back <= self.visited_at <= now:
            return ()
        hours = back // timedelta(hours=1)
        said = say(
            f"走访时间须在{hours}小时以内,且不晚于现在", f"a visit lies at most {hours} hours back, and not ahead"
        )
        return (Fault(field="visited_at", reason=said, remedy=say("请更正时间", "mend the time")),)


class ReportNoAnswer(Command):
    """无人应答: so many tries, and the neighbours were asked. Somebody is looked for from now on."""

    tries: Annotated[int, Field(strict=True, ge=2, le=50), FieldWords("尝试次数", "tries")]
    neighbours_asked: Annotated[bool, FieldWords("是否已问邻居", "neighbours were asked")]

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """The neighbours are asked first: most often they know."""
        found = super().faults(state)
        if found or self.neighbours_asked:
            return found
        said = say("须先询问邻居", "the neighbours are asked first")
        return (Fault(field="neighbours_asked", reason=said, remedy=say("请询问后再报", "ask them, then report")),)


class EntryBy(StrEnum):
    """Who opens the door."""

    KEY_HOLDER = "key_holder"
    POLICE = "police"


class RequestEntry(Command):
    """请求开门: two people go in, by a key or with the police, and why."""

    opened_by: Annotated[EntryBy, FieldWords("由谁开门", "who opens")]
    second: Annotated[AccountCode, FieldWords("同行人", "second person")]
    reason: TextReference

    def not_theirs(self, state: CaseState, actor: Actor, now: datetime) -> tuple[Fault, ...]:  # noqa: ARG002 - at any time
        """Nobody goes in alone."""
        if not same_account(self.second, actor.subject):
            return ()
        said = say("须两人同行", "two people go in")
        return (Fault(field="second", reason=said, remedy=say("请填写另一人", "name the other one")),)


class FoundHow(StrEnum):
    """How somebody was found."""

    WELL_AT_HOME = "well_at_home"
    HURT_AT_HOME = "hurt_at_home"
    ELSEWHERE = "elsewhere"
    HOSPITAL = "hospital"
    DIED = "died"


STAGE_FOUND: Mapping[FoundHow, Stage] = {
    FoundHow.WELL_AT_HOME: Stage.ACTIVE,
    FoundHow.HURT_AT_HOME: Stage.ACTIVE,
    FoundHow.ELSEWHERE: Stage.ABSENT,
    FoundHow.HOSPITAL: Stage.ABSENT,
    FoundHow.DIED: Stage.SEARCHING,
}
"""Dead is who two people say is dead: until the second one does, the search goes on."""


class Find(Command):
    """找到: where, and how they are."""

    how: Annotated[FoundHow, FieldWords("找到时情况", "how they were found")]
    where: Annotated[TextReference, FieldWords("地点", "where")]


# ---- away -------------------------------------------------------------------------------------------------------------


class AbsenceCause(StrEnum):
    """Why somebody is away."""

    FAMILY = "family"
    HOSPITAL = "hospital"
    CARE_HOME = "care_home"
    TRAVEL = "travel"


class SetAbsence(Command):
    """暂离: why, and for how many days after today; then they are seen within a day. For long, or overdue, on two people's word."""

    cause: Annotated[AbsenceCause, FieldWords("暂离原因", "cause")]
    days: Annotated[int, Field(strict=True, ge=1, le=366), FieldWords("天数", "days")]


class OnAbsence(AnswerTo):
    """A word on a long absence, of another person than who said it."""

    part = Part.ABSENCE_ASKED
    request: RequestNumber


class ConfirmAbsence(OnAbsence):
    """同意长期暂离: visits rest from now on."""


class RefuseAbsence(OnAbsence):
    """不同意长期暂离: visits go on."""

    reason: TextReference


# ---- who visits, and how often ------------------------------------------------------------------------------------------


class HandOver(Command):
    """移交: to whom, and why. Every duty stays with who has it until the other one accepts."""

    to: Annotated[AccountCode, FieldWords("接收人", "to whom")]
    reason: TextReference

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """To somebody else, who is not the deputy: one person does not stand in for themselves."""
        found, care = super().faults(state), _care(state)
        if found or not any(same_account(self.to, each) for each in (care.worker, care.deputy)):
            return found
        said = say("接收人已是责任人或替补", "is the worker or the deputy already")
        return (Fault(field="to", reason=said, remedy=say("请另选接收人", "name somebody else")),)


class OnHandOver(AnswerTo):
    """A word on a hand-over: of whom it goes to, and of nobody else."""

    part = Part.HANDOVER_ASKED
    request: RequestNumber

    def not_theirs(self, state: CaseState, actor: Actor, now: datetime) -> tuple[Fault, ...]:  # noqa: ARG002 - at any time
        """For whoever it goes to."""
        asked = _care(state).handover
        if asked is None or same_account(actor.subject, asked.to):
            return ()
        said = say("须由接收人本人答复", "whoever it goes to says so")
        return (Fault(field="request", reason=said, remedy=say("由接收人办理", "leave it to them")),)


class AcceptHandover(OnHandOver):
    """接收: the file with all its duties, devices and alarms."""


class DeclineHandover(OnHandOver):
    """不接收: why; everything stays where it was."""

    reason: TextReference


class NameDeputy(Command):
    """更换替补: who stands in from now on; another person than the worker, and than whoever it is handed over to."""

    deputy: Annotated[AccountCode, FieldWords("替补责任人", "deputy")]

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """One person does not stand in for themselves."""
        found, care = super().faults(state), _care(state)
        taken = (care.worker, care.deputy, care.handover.to if care.handover else None)
        if found or not any(same_account(self.deputy, each) for each in taken):
            return found
        said = say("已是责任人、接收人或替补", "is the worker, the next one or the deputy already")
        return (Fault(field="deputy", reason=said, remedy=say("请另选替补", "name somebody else")),)


class UpdateProfile(Command):
    """更新档案: what changed. Health only with consent to that."""

    address: TextReference | None = None
    emergency_contacts: TextReference | None = None
    contact_order: Annotated[ContactOrder | None, FieldWords("紧急联系人顺序", "contacts in order")] = None
    health: TextReference | None = None

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Something changed; and without consent nothing of somebody's health is kept."""
        found = list(super().faults(state))
        if (self.emergency_contacts is None) != (self.contact_order is None):
            said = say("姓名电话与顺序须一并填写", "names and order are given together")
            found.append(Fault(field="contact_order", reason=said, remedy=say("请一并填写", "give both")))
        if self.address is None and self.emergency_contacts is None and self.health is None:
            said = say("没有变更内容", "nothing has changed")
            found.append(Fault(field="address", reason=said, remedy=say("请填写变更内容", "say what has")))
        if self.health is not None and ConsentScope.HEALTH not in _care(state).consent:
            found.append(_without_consent("health", say("未同意登记健康情况", "there is no consent to keep health")))
        return tuple(found)


class Reassess(Command):
    """需求评估: how often somebody has to be seen. More often holds at once; less often on two people's word."""

    need: Annotated[Need, FieldWords("服务需求", "need")]
    reason: TextReference


class OnLowering(AnswerTo):
    """A word on fewer visits, of another person than who asked."""

    part = Part.LOWERING_ASKED
    request: RequestNumber


class ConfirmLowering(OnLowering):
    """同意减少走访: from the next visit on."""


class RefuseLowering(OnLowering):
    """不同意减少走访: it stays as it is."""

    reason: TextReference


# ---- devices ------------------------------------------------------------------------------------------------------------


class DeviceCommand(Command):
    """A device, by its platform and that one's own code."""

    platform: Annotated[Code, FieldWords("设备平台", "platform")]
    device: Annotated[KeptCode, FieldWords("设备编号", "device")]

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """The platforms of the rules that the file goes by."""
        said = say("没有此设备平台", "is no platform of the town")
        return {"platform": Choices(_care(state).terms.platforms, said)}


class BindDevice(DeviceCommand):
    """绑定设备: with consent to it. It protects when a test alarm has come through, and not before."""

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """No device without consent, and none twice."""
        found, care = super().faults(state), _care(state)
        if ConsentScope.DEVICE not in care.consent:
            said = say("未同意使用设备", "there is no consent to a device")
            return (*found, _without_consent("device", said))
        if care.device_of(self.platform, self.device) is None:
            return found
        said = say("设备已绑定", "is bound already")
        return (*found, Fault(field="device", reason=said, remedy=say("请核对编号", "look at the number again")))


class UnbindDevice(DeviceCommand):
    """解绑设备: what it sends from now on is nobody's."""

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """One that is bound."""
        found = super().faults(state)
        if _care(state).device_of(self.platform, self.device) is not None:
            return found
        said = say("没有绑定此设备", "is not bound here")
        return (*found, Fault(field="device", reason=said, remedy=say("请核对编号", "look at the number again")))


class EventKind(StrEnum):
    """What a device says: an alarm, a test, or how it is itself."""

    SOS = "sos"
    SMOKE = "smoke"
    FALL = "fall"
    VITALS = "vitals"
    NO_WATER = "no_water"
    LEFT_AREA = "left_area"
    TEST = "test"
    TROUBLE = "trouble"
    WELL = "well"

    @property
    def alarm(self) -> AlarmKind | None:
        """The alarm that it is; None: it is none."""
        return AlarmKind(self.value) if self.value in set(AlarmKind) else None


class DeviceEvent(DeviceCommand):
    """设备上报: what a device said, and when. `event`: the platform's number of it, which makes one alarm for ever.

    `unclear`: that number stood for something else before, so that a person has to look what this is.
    """

    event: Annotated[KeptCode, FieldWords("事件编号", "event")]
    unclear: Annotated[bool, FieldWords("编号内容不符", "its number was used for something else")] = False
    event_kind: Annotated[EventKind, FieldWords("类型", "kind of event")]
    at: Annotated[TownDatetime, FieldWords("发生时间", "at")]
    battery_percent: Annotated[
        int | None, Field(strict=True, ge=0, le=100), FieldWords("电量(%)", "battery, in percent")
    ] = None

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Of a device that is bound to this person now. A call for help is taken from any: somebody looks whose it is."""
        found = super().faults(state)
        if self.event_kind.alarm is not None:
            return found
        device = _care(state).device_of(self.platform, self.device)
        if device is not None and device.bound:
            return found
        said = say("没有绑定此设备", "is not bound here")
        return (*found, Fault(field="device", reason=said, remedy=say("请核对编号", "look at the number again")))


class RaiseAlarm(Command):
    """呼叫: somebody calls for help, for themselves or for somebody else. Nobody asks for consent first (PIPL 13)."""

    alarm_kind: Annotated[AlarmKind, FieldWords("呼叫类型", "kind of alarm")]
    words: TextReference | None = None


# ---- the end ----------------------------------------------------------------------------------------------------------


class EndCause(StrEnum):
    """Why a file ends."""

    DIED = "died"
    MOVED = "moved"
    NO_NEED = "no_need"


class EndFile(Command):
    """销档: why. It ends when a second person says so; until then everything goes on. For a while it can be reopened."""

    cause: Annotated[EndCause, FieldWords("销档原因", "cause")]
    reason: TextReference


class OnEnding(AnswerTo):
    """A word on the end of a file, of another person than who asked for it."""

    part = Part.END_ASKED
    request: RequestNumber


class ConfirmEnd(OnEnding):
    """同意销档: nobody is visited any more; who visited, and whose the file is, are told."""


class RefuseEnd(OnEnding):
    """不同意销档: it stays as it is."""

    reason: TextReference


# ---- what else must hold ------------------------------------------------------------------------------------------------


def nothing_is_handed_over(state: CareState, _actor: Actor, _now: datetime) -> str | None:
    """One hand-over at a time."""
    return say("已有待接收的移交", "a hand-over waits already") if state.handover else None


def a_handover_is_theirs(state: CareState, actor: Actor, _now: datetime) -> str | None:
    """Whoever asked takes it back, or the street, so that none waits for somebody who never answers."""
    if state.handover is None:
        return say("没有待接收的移交", "no hand-over waits")
    if actor.role is Role.STREET_OFFICER or same_account(actor.subject, state.handover.by):
        return None
    return say("须由移交人或街道撤回", "who asked takes it back, or the street")


def _care(state: CaseState) -> CareState:
    assert isinstance(state, CareState)  # noqa: S101 - of files alone
    return state


def _without_consent(field: str, said: str) -> Fault:
    return Fault(field=field, reason=said, remedy=say("请先登记同意", "record the consent first"))
