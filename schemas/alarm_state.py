"""alarm 紧急呼叫: where an alarm stands, and what it remembers. Person, place and terms are those of the file that it is of."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from schemas.care_state import DEPUTY, WORKER, ContactOrder
from schemas.care_terms import AlarmKind, CareTerms
from schemas.contracts.calls import CallResult, CallStatus
from schemas.kernel.participants import Participant
from schemas.kernel.words import DeclaredStage
from schemas.parts.unending import UnendingState
from schemas.values.references import TextReference


class Stage(DeclaredStage):
    """Where an alarm stands."""

    RAISED = "raised", "待接警", "呼叫已发出", "help is called"
    ANSWERED = "answered", "已接警", "呼叫已接听,正在派人", "your call is answered, somebody is being sent"
    RESPONDING = "responding", "已出发", "人员已出发", "somebody is on the way to you"
    ON_SITE = "on_site", "已到场", "人员已到场", "somebody is with you"
    RESOLVED = "resolved", "已处置", "已处置,将回访", "it is dealt with; somebody looks in again"
    CLOSED = "closed", "已办结", "呼叫已办结", "it is closed"


WAITING = (Stage.RAISED, Stage.ANSWERED, Stage.RESPONDING, Stage.ON_SITE)
"""Somebody waits for help."""

ALIVE = (*WAITING, Stage.RESOLVED)


class Said(StrEnum):
    """What whoever answered heard. Nothing at all counts as a call for help."""

    HELP = "help"
    UNCLEAR = "unclear"
    NO_VOICE = "no_voice"
    NO_DANGER = "no_danger"


class Service(StrEnum):
    """Who comes besides."""

    MEDICAL = "medical_120"
    POLICE = "police_110"
    FIRE = "fire_119"


class ContactAnswer(StrEnum):
    """What came of calling a contact."""

    COMING = "coming"
    KNOWS = "knows"
    NO_ANSWER = "no_answer"
    SWITCHED_OFF = "switched_off"


class AlarmOutcome(StrEnum):
    """What it came to."""

    HELPED = "helped"
    HOSPITAL = "hospital"
    DIED = "died"
    NOT_FOUND = "not_found"
    FALSE_ALARM = "false_alarm"


class EmergencyCall(BaseModel):
    """转120 110 119: whom, and the number of their order."""

    model_config = ConfigDict(extra="forbid")

    service: Service
    order_number: str


SERVICE_FOR = {
    AlarmKind.SMOKE: Service.FIRE,
    AlarmKind.SOS: Service.MEDICAL,
    AlarmKind.FALL: Service.MEDICAL,
    AlarmKind.VITALS: Service.MEDICAL,
}
"""Who is called when nobody goes; for everything else the police, who may open a door."""


class ContactCall(BaseModel):
    """A call of the gateway to a contact. `status`: how far it is; `result`: what became of it, None as long as nobody knows."""

    model_config = ConfigDict(extra="forbid")

    contact: int
    status: CallStatus | None = None
    result: CallResult | None = None
    lost: bool = False

    @property
    def open(self) -> bool:
        """Whether its word is waited for."""
        return self.result is None and not self.lost and self.status in {None, CallStatus.RINGING}


class AlarmState(UnendingState):
    """What an alarm remembers. `happened_at` is what the caller says; `event`, `device`: the platform's numbers, if one called.

    `kinds`: all that was said, the worst first. `further`: how often the person called again while somebody was on it. `said`: what
    was heard after the last call; `responder`: who went. `emergency_wanted`: the operator was asked to call further help.
    `contact_calls`: those of the gateway, each at its place; `gateway_away`: it did not answer, and people call.
    """

    procedure: ClassVar[str] = "alarm"

    stage: str = Stage.RAISED
    terms: CareTerms
    number: int
    kinds: list[AlarmKind]
    happened_at: datetime
    event: str | None = None
    device: str | None = None
    address: TextReference
    emergency_contacts: TextReference
    contact_order: ContactOrder
    worker: str
    deputy: str
    people_heard: int = 0
    further: int = 0
    said: Said | None = None
    responder: str | None = None
    calls: list[EmergencyCall] = []
    contacts_called: int = 0
    contact_calls: list[ContactCall] = []
    contact_comes: bool = False
    gateway_away: bool = False
    answered_at: datetime | None = None
    arrived_at: datetime | None = None
    emergency_wanted: bool = False
    outcome: AlarmOutcome | None = None

    @property
    def kind(self) -> AlarmKind:
        """The worst that was said."""
        return self.kinds[0]

    @property
    def voice_is_enough(self) -> bool:
        """Whether a word by voice can say that nothing is the matter: only where that is so of all that was said."""
        return all(each.voice_is_enough for each in self.kinds)

    @property
    def services(self) -> list[Service]:
        """Who is called where nobody goes: for each kind that was said."""
        return list(dict.fromkeys(SERVICE_FOR.get(each, Service.POLICE) for each in self.kinds))

    def seats(self) -> tuple[Participant, ...]:
        """The worker and the deputy of the file."""
        kinds = ((WORKER, self.worker), (DEPUTY, self.deputy))
        return tuple(
            Participant(number=number, kind=kind, subject=subject) for number, (kind, subject) in enumerate(kinds, 1)
        )

    def labels(self) -> dict[str, str]:
        """What lists and indicators group alarms by."""
        return {"kind": self.kind} | ({} if self.outcome is None else {"outcome": self.outcome})
