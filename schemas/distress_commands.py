"""distress 无档求助: what people and platforms say of a call for help that no file knows."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any

from schemas.care_terms import AlarmKind
from schemas.clocks.calendar import TownDatetime
from schemas.distress_state import DistressState, RuledOutBy
from schemas.kernel.answers import AnswerTo, RequestNumber
from schemas.kernel.case import CaseState
from schemas.kernel.choices import Bounds, Choices
from schemas.kernel.openings import OpeningBody
from schemas.kernel.people import Part
from schemas.kernel.procedure import Command
from schemas.values.account import AccountCode
from schemas.values.foreign_code import KeptCode
from schemas.values.location import AreaCode
from schemas.values.references import TextReference
from schemas.values.refusals import Fault, say
from schemas.words.field_words import FieldWords


class ReportDistress(OpeningBody):
    """无档求助: of what kind, and all that is known: what was heard, or the device. `last_file`: the file that had it last."""

    alarm_kind: Annotated[AlarmKind, FieldWords("呼叫类型", "kind of alarm")]
    words: TextReference | None = None
    platform: Annotated[KeptCode | None, FieldWords("设备平台", "platform of the device")] = None
    device: Annotated[KeptCode | None, FieldWords("设备编号", "device")] = None
    event: Annotated[KeptCode | None, FieldWords("事件编号", "event")] = None
    happened_at: TownDatetime | None = None
    last_file: Annotated[KeptCode | None, FieldWords("原档案编号", "the file that had the device last")] = None
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


class DeviceBound(Command):
    """设备已绑定: the device was bound to a file while it calls; whose it is, the town's door has looked up."""

    file: Annotated[KeptCode, FieldWords("档案编号", "number of the file")]


class Source(StrEnum):
    """Who knew where the call comes from."""

    PLATFORM = "platform"
    LAST_FILE = "last_file"
    POLICE = "police"
    CALLER = "caller"


class Locate(Command):
    """查明位置: where whoever calls is, and who knew it. `area`: the case goes there, for who is to go there is of that area."""

    where: Annotated[TextReference, FieldWords("地点", "where")]
    source: Annotated[Source, FieldWords("位置来源", "who knew where")]
    area: Annotated[AreaCode | None, FieldWords("所在区域", "area of the place")] = None


class Helper(StrEnum):
    """Who is sent."""

    GRID_WORKER = "grid_worker"
    MEDICAL = "medical_120"
    POLICE = "police_110"
    FIRE = "fire_119"

    @property
    def is_a_service(self) -> bool:
        """Whether it is one of those that are called, and have a number for each order."""
        return self is not Helper.GRID_WORKER


class SendHelp(Command):
    """派人: who goes; of an emergency service the number of its order. Nobody waits with it until the place is known."""

    helper: Annotated[Helper, FieldWords("派出人员", "who is sent")]
    order_number: Annotated[KeptCode | None, FieldWords("对方单号", "number of their order")] = None

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """That a service was called shows by the number of its order."""
        found = super().faults(state)
        if self.order_number is not None or not self.helper.is_a_service:
            return found
        said = say("转120、110、119须填写对方单号", "has to be there: a service that is called gives a number")
        return (*found, Fault(field="order_number", reason=said, remedy=say("请填写", "add it")))


class FoundThere(StrEnum):
    """What somebody who was there says of it."""

    HELPED = "helped"
    HOSPITAL = "hospital"
    DIED = "died"
    NOBODY_THERE = "nobody_there"


class ReportScene(Command):
    """现场情况: what whoever was sent has found there. Nobody there ends nothing; that somebody died, a second person says."""

    result: Annotated[FoundThere, FieldWords("现场情况", "what was found there")]
    what: TextReference


class RuleOut(Command):
    """申请排除: nobody needs help, by what that is known, and why. A second person says so too."""

    known_by: Annotated[RuledOutBy, FieldWords("依据", "known by")]
    reason: TextReference

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """By sight always; by voice where nothing was said after which somebody looks; not worn: no hand has pressed the button."""
        assert isinstance(state, DistressState)  # noqa: S101 - of such calls alone
        said = say(
            "跌倒、烟雾、体征呼叫须到场查看;按键求助不得以未佩戴排除",
            "after a fall, smoke or bad vitals somebody looks; and somebody has pressed the button",
        )
        return {"known_by": Choices(state.ruled_out_by, said)}


class OnDeath(AnswerTo):
    """A word of another person on whether somebody was found dead."""

    part = Part.DEATH_SAID
    request: RequestNumber


class ConfirmDeath(OnDeath):
    """确认去世: a second person says so; nobody waits for help any more."""


class RefuseDeath(OnDeath):
    """不确认去世: whoever is there goes on helping."""

    reason: TextReference


class OnRulingOut(AnswerTo):
    """A word of another person on whether nobody needs help."""

    part = Part.RULING_OUT_ASKED
    request: RequestNumber


class ConfirmRuledOut(OnRulingOut):
    """同意排除: nobody is looked for any more."""


class RefuseRuledOut(OnRulingOut):
    """不同意排除: whoever calls is still looked for."""

    reason: TextReference
