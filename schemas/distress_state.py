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
    HELPED = "helped", "已到场处置", "已到场处置", "somebody was there"
    RULED_OUT = "ruled_out", "已排除", "已确认无人求助", "nobody was in need"


OPEN = (Stage.RAISED, Stage.TAKEN, Stage.LOCATED, Stage.SENT)
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
    resolve: Limit
    resolve_tiers: tuple[Tier, ...]
    again_after: Limit
    told_again_after_minutes: int = 10


class RulingOut(BaseModel):
    """What waits for a second person: who says that nobody needs help, and by what it is known."""

    model_config = ConfigDict(extra="forbid")

    number: int
    by: str
    known_by: RuledOutBy


class DistressState(OpenedState):
    """What a call remembers. `alarm_kind`: what was said first; `kinds_further`: what was said after that, often or once.

    `platform`, `device`, `event`: the numbers of others, where a device calls; `last_file`: the file that had that device last, and
    who had that file. `told_at`: when the desk was last told that it goes on calling.
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
    asked: int = 0
    ruling_out: RulingOut | None = None
    not_found: int = 0
    rounds: int = 0

    @property
    def kinds(self) -> list[AlarmKind]:
        """All that was said, the worst first."""
        return worst_first((self.alarm_kind, *self.kinds_further))

    def seats(self) -> tuple[Participant, ...]:
        """Who had the file of the device: they may know who has it now."""
        named = ((LAST_WORKER, self.last_worker), (LAST_DEPUTY, self.last_deputy))
        return tuple(
            Participant(number=number, kind=kind, subject=subject)
            for number, (kind, subject) in enumerate(named, 1)
            if subject is not None
        )

    def requests(self) -> Mapping[Part, tuple[int, ...]]:
        """That nobody needs help waits for a second person."""
        waiting = (self.ruling_out.number,) if self.ruling_out else ()
        return {**super().requests(), Part.END_ASKED: waiting}

    def took_part(self) -> Mapping[Part, tuple[str, ...]]:
        """Who said so first."""
        return {**super().took_part(), Part.END_ASKED: (self.ruling_out.by,) if self.ruling_out else ()}

    def labels(self) -> dict[str, str]:
        """What lists are filtered by."""
        return {"kind": self.kinds[0]}
