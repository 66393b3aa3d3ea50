"""distress 无档求助: where a call for help stands that no file knows, and what it remembers."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from schemas.care_terms import AlarmKind, worst_first
from schemas.clocks.clock_schedule import Tier
from schemas.clocks.limits import Limit
from schemas.kernel.participants import Participant
from schemas.kernel.people import Part
from schemas.kernel.state import OpenedState
from schemas.kernel.terms import Terms
from schemas.kernel.words import DeclaredStage
from schemas.parts.unending import UnendingState
from schemas.values.account import AccountCode
from schemas.values.case_number import CaseNumber
from schemas.values.foreign_code import KeptCode
from schemas.values.location import AreaCode
from schemas.values.references import TextReference

CALLING_DEVICE = "calling-device"
"""What such a case reserves over all cases: of one device only one is open at a time."""

CALLS_REMEMBERED = 300
"""How many further calls a case recognises by itself; the door knows each of them for ever (starter/care_unfiled.py)."""

LAST_WORKER, LAST_DEPUTY = "last_worker", "last_deputy"
"""Kinds of seats: who had the file that had the device last."""


class Stage(DeclaredStage):
    """Where a call stands."""

    RAISED = "raised", "待接办", "求助已发出", "help is called"
    TAKEN = "taken", "查找位置", "正在查找求助人", "whoever calls is looked for"
    LOCATED = "located", "已查明位置", "已查明位置,正在派人", "it is known where, and somebody is sent"
    SENT = "sent", "已派人", "人员已派出", "somebody is on the way"
    ON_SITE = "on_site", "已到场", "人员已到场", "somebody is there"
    HELPED = "helped", "已到场处置", "已到场处置", "somebody was there"
    DIED = "died", "已去世", "现场人员已去世", "somebody was found dead"
    RULED_OUT = "ruled_out", "已排除", "已确认无人求助", "nobody was in need"


OPEN = (Stage.RAISED, Stage.TAKEN, Stage.LOCATED, Stage.SENT, Stage.ON_SITE)
"""Somebody may be waiting for help. No clock ends it."""


class RuledOutBy(StrEnum):
    """How it is known that nobody needs help."""

    VOICE = "voice"
    SIGHT = "sight"
    NOT_WORN = "not_worn"


class DistressTerms(Terms):
    """The town's rules: where nobody's calls are held until it is known where they come from, and how soon each step is due."""

    desk_area: AreaCode
    take: Limit
    take_tiers: tuple[Tier, ...]
    locate: Limit
    locate_tiers: tuple[Tier, ...]
    send: Limit
    send_tiers: tuple[Tier, ...]
    accept: Limit
    accept_tiers: tuple[Tier, ...]
    arrive: Limit
    arrive_tiers: tuple[Tier, ...]
    resolve: Limit
    resolve_tiers: tuple[Tier, ...]
    again_after: Limit
    told_again_after: Limit


class RulingOut(BaseModel):
    """What waits for a second person: who says that nobody needs help, and by what it is known."""

    model_config = ConfigDict(extra="forbid")

    number: int
    by: str
    known_by: RuledOutBy


class DeathSaid(BaseModel):
    """What waits for a second person: who says that somebody was found dead."""

    model_config = ConfigDict(extra="forbid")

    number: int
    by: str


class DistressState(UnendingState, OpenedState):
    """What a call remembers. `alarm_kind`: what was said first; `kinds_further`: what was said after that, often or once.

    `platform`, `device`, `event`: the numbers of others, where a device calls; `last_file`: the file that had that device last, and
    who had that file. `told_at`: when the desk was last told that it goes on calling, none since the last thing that somebody did;
    `untold`: how often it has called since then.

    `responder`: who goes, or is there. `senders`: who has sent somebody. `sent_at`: when somebody was first sent: from then on the
    time for help counts, whoever finds nobody.
    """

    procedure: ClassVar[str] = "distress"
    remembers_commands_days: ClassVar[int | None] = 90
    remembers_at_most: ClassVar[Mapping[str, int]] = {"call_again": CALLS_REMEMBERED}

    stage: str = Stage.RAISED
    terms: DistressTerms
    alarm_kind: AlarmKind
    words: TextReference | None = None
    platform: KeptCode | None = None
    device: KeptCode | None = None
    event: KeptCode | None = None
    happened_at: datetime | None = None
    last_file: CaseNumber | None = None
    last_worker: AccountCode | None = None
    last_deputy: AccountCode | None = None
    kinds_further: list[AlarmKind] = []
    further: int = 0
    told_at: datetime | None = None
    untold: int = 0
    located: bool = False
    sent_at: datetime | None = None
    senders: list[str] = []
    a_service_went: bool = False
    responder: str | None = None
    deaths_said: int = 0
    death: DeathSaid | None = None
    asked: int = 0
    ruling_out: RulingOut | None = None
    not_found: int = 0

    @property
    def kinds(self) -> list[AlarmKind]:
        """All that was said, the worst first."""
        return worst_first((self.alarm_kind, *self.kinds_further))

    @property
    def ruled_out_by(self) -> tuple[RuledOutBy, ...]:
        """By what it can be known that nobody needs help, after all that was said."""
        voice = (RuledOutBy.VOICE,) if all(each.voice_is_enough for each in self.kinds) else ()
        pressed = self.device is None or AlarmKind.SOS in self.kinds
        return (*voice, RuledOutBy.SIGHT, *(() if pressed else (RuledOutBy.NOT_WORN,)))

    def seats(self) -> tuple[Participant, ...]:
        """Who had the file of the device: they may know who has it now."""
        named = ((LAST_WORKER, self.last_worker), (LAST_DEPUTY, self.last_deputy))
        return tuple(
            Participant(number=number, kind=kind, subject=subject)
            for number, (kind, subject) in enumerate(named, 1)
            if subject is not None
        )

    def requests(self) -> Mapping[Part, tuple[int, ...]]:
        """That nobody needs help, and that somebody died, waits for a second person."""
        return {
            **super().requests(),
            Part.RULING_OUT_ASKED: (self.ruling_out.number,) if self.ruling_out else (),
            Part.DEATH_SAID: (self.death.number,) if self.death else (),
        }

    def took_part(self) -> Mapping[Part, tuple[str, ...]]:
        """Who said so first, and who sent somebody."""
        return {
            **super().took_part(),
            Part.RULING_OUT_ASKED: (self.ruling_out.by,) if self.ruling_out else (),
            Part.DEATH_SAID: (self.death.by,) if self.death else (),
            Part.HELP_SENT: tuple(self.senders),
        }

    def labels(self) -> dict[str, str]:
        """What lists are filtered by."""
        return {"kind": self.kinds[0]}
