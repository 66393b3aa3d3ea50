"""care 特殊群体一人一档: where a file stands, and what it remembers. It may live for decades: visits stand in the ledger."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from schemas.care_terms import AlarmKind, CareTerms, ConsentScope, Group, Need
from schemas.kernel.participants import Participant
from schemas.kernel.people import Part
from schemas.kernel.state import OpenedState
from schemas.kernel.words import DeclaredStage
from schemas.parts.reservations import ReservingState
from schemas.parts.unending import UnendingState
from schemas.values.account import AccountCode
from schemas.values.actor import Stamp
from schemas.values.model import Model
from schemas.values.references import TextReference
from schemas.words.field_words import FieldWords

WORKER, DEPUTY = "worker", "deputy"
"""Kinds of seats: who visits, and who does when they cannot."""

EVENTS_REMEMBERED = 300
"""How many events of devices a file recognises by itself; the door knows each of them for ever (starter/care_devices.py)."""

COMMANDS_REMEMBERED_DAYS = 90
"""How long a file recognises the repeat of a command by itself; an older one is refused (schemas/kernel/case.py)."""


class Stage(DeclaredStage):
    """Where a file stands."""

    OPENED = "opened", "待同意", "已建档,待您同意", "the file waits for your consent"
    ACTIVE = "active", "在档", "已列入定期走访", "you are visited regularly"
    ABSENT = "absent", "暂离", "您暂时离家,走访暂停", "you are away, and visits rest"
    SEARCHING = "searching", "查找", "无人应答,正在查找", "nobody answered; you are being looked for"
    ENDED = "ended", "已销档", "您的档案已销", "your file is ended"
    CLOSED = "closed", "已归档", "您的档案已归档", "your file is closed"
    DECLINED = "declined", "不同意建档", "您未同意建档", "you did not agree to a file"
    UNRESOLVED = "unresolved", "逾期终结", "未取得同意,已终结", "nobody asked for your consent in time"


AT_HOME_OR_AWAY = (Stage.ACTIVE, Stage.ABSENT)
KEPT = (*AT_HOME_OR_AWAY, Stage.SEARCHING)
"""The stages of a file with consent."""

OPEN = (Stage.OPENED, *KEPT)


class Relation(StrEnum):
    """Who a contact is."""

    FAMILY = "family"
    NEIGHBOUR = "neighbour"
    FRIEND = "friend"
    GUARDIAN = "guardian"
    VOLUNTEER = "volunteer"


class Contact(Model):
    """紧急联系人: who it is to the person. Names and phones stand in the vault as one text, one a line, in the same order."""

    relation: Annotated[Relation, FieldWords("关系", "relation")]
    holds_key: Annotated[bool, FieldWords("是否持有钥匙", "holds a key")] = False


ContactOrder = Annotated[tuple[Contact, ...], Field(min_length=1, max_length=5)]
"""Those who are called, the first first."""

DEVICE_UNIT = "care-device"
"""What a file reserves over all files: a device is one person's."""


def device_key(platform: str, device: str) -> str:
    """Under what a device is one in the whole town."""
    return f"{platform}/{device}"


class DeviceStanding(StrEnum):
    """How far a device is. It protects only after a test alarm came through; an alarm of any is answered."""

    ASKED = "asked"
    TAKEN = "taken"
    UNTESTED = "untested"
    PROTECTS = "protects"
    TROUBLE = "trouble"
    UNBOUND = "unbound"


class Device(BaseModel):
    """设备: of a platform, under that one's code. `last_at`: the latest of what it said of itself; older news loses.

    `bound_at`: since when what it says is of this person; before, somebody else may have worn it.
    """

    model_config = ConfigDict(extra="forbid")

    number: int
    platform: str
    code: str
    standing: DeviceStanding = DeviceStanding.ASKED
    tested: bool = False
    bound_at: datetime | None = None
    last_at: datetime | None = None

    @property
    def key(self) -> str:
        """Under what it is one device in the whole town."""
        return device_key(self.platform, self.code)

    @property
    def bound(self) -> bool:
        """Whether what it sends is of this person."""
        return self.standing in {DeviceStanding.UNTESTED, DeviceStanding.PROTECTS, DeviceStanding.TROUBLE}


class AlarmRaised(BaseModel):
    """呼叫: an alarm that was raised, a case of its own. `happened_at`: what the caller says; `event`: the platform's number.

    `stamp` is under whose word, until its case stands. `further`: how often it came; `kinds`: all that was said, the worst first.
    """

    model_config = ConfigDict(extra="forbid")

    number: int
    kinds: list[AlarmKind]
    happened_at: datetime
    raised_at: datetime
    event: str | None = None
    device: str | None = None
    stamp: Stamp | None = None
    started: bool = False
    further: int = 0
    heard: int = 0
    stage: str = ""
    outcome: str | None = None
    over: bool = False


class Asked(BaseModel):
    """What waits for another person's word: to whom it goes, which need would do, how long somebody is away, why a file ends."""

    model_config = ConfigDict(extra="forbid")

    number: int
    by: str
    to: AccountCode | None = None
    need: Need | None = None
    days: int | None = None
    cause: str | None = None


class CareState(UnendingState, ReservingState, OpenedState):
    """What a file remembers. `seen_at`: when somebody last saw or heard the person; the visit is due by that and nothing else.

    `due_from`: from when the running visit counts: `seen_at`, or when visits began, or began again; `begun_at`: that moment.
    """

    procedure: ClassVar[str] = "care"
    remembers_commands_days: ClassVar[int | None] = COMMANDS_REMEMBERED_DAYS
    remembers_at_most: ClassVar[Mapping[str, int]] = {"device_event": EVENTS_REMEMBERED}

    stage: str = Stage.OPENED
    terms: CareTerms
    group: Group
    need: Need
    address: TextReference
    emergency_contacts: TextReference
    contact_order: ContactOrder
    worker: AccountCode
    deputy: AccountCode
    health: TextReference | None = None
    consent: list[ConsentScope] = []
    seen_at: datetime | None = None
    due_from: datetime | None = None
    begun_at: datetime | None = None
    rests_since: datetime | None = None
    daily_until_assessed: bool = False
    visits: int = 0
    visits_late: int = 0
    searches: int = 0
    searched_since: datetime | None = None
    asked: int = 0
    handover: Asked | None = None
    lowering: Asked | None = None
    absence: Asked | None = None
    ending: Asked | None = None
    devices: list[Device] = []
    alarms: list[AlarmRaised] = []
    false_alarms: list[datetime] = []
    ended_at: datetime | None = None

    @property
    def need_now(self) -> Need:
        """While a device does not work that was to protect, somebody looks in every day; taken away so, until it is assessed."""
        failed = self.daily_until_assessed or any(each.standing is DeviceStanding.TROUBLE for each in self.devices)
        return Need.DAILY_CHECK if failed else self.need

    def device_of(self, platform: str, code: str) -> Device | None:
        """The device of this platform that is bound, or is asked for; None: there is none."""
        found = (each for each in self.devices if (each.platform, each.code) == (platform, code))
        return next((each for each in found if each.bound or each.standing is DeviceStanding.ASKED), None)

    @property
    def alarms_open(self) -> list[AlarmRaised]:
        """Those that are not over, as far as is known here."""
        return [each for each in self.alarms if not each.over]

    def seats(self) -> tuple[Participant, ...]:
        """Who visits, and who stands in."""
        kinds = ((WORKER, self.worker), (DEPUTY, self.deputy))
        return tuple(
            Participant(number=number, kind=kind, subject=subject) for number, (kind, subject) in enumerate(kinds, 1)
        )

    def requests(self) -> Mapping[Part, tuple[int, ...]]:
        """A hand-over that waits for the next worker; fewer visits, a long absence and an end that wait for a second person."""
        waiting = {
            Part.HANDOVER_ASKED: self.handover,
            Part.LOWERING_ASKED: self.lowering,
            Part.ABSENCE_ASKED: self.absence,
            Part.END_ASKED: self.ending,
        }
        numbers = {part: (asked.number,) if asked else () for part, asked in waiting.items()}
        return {**super().requests(), **numbers}

    def took_part(self) -> Mapping[Part, tuple[str, ...]]:
        """Who asked for what waits."""
        return {
            **super().took_part(),
            Part.HANDOVER_ASKED: (self.handover.by,) if self.handover else (),
            Part.LOWERING_ASKED: (self.lowering.by,) if self.lowering else (),
            Part.ABSENCE_ASKED: (self.absence.by,) if self.absence else (),
            Part.END_ASKED: (self.ending.by,) if self.ending else (),
        }

    def labels(self) -> dict[str, str]:
        """What lists are filtered by: never why somebody may come to harm."""
        return {"need": self.need_now}
