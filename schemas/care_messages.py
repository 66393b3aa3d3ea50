"""What a file and its alarms tell each other. Each word says how much its sender knew, so that older news loses."""

from datetime import datetime
from enum import StrEnum

from schemas.care_terms import AlarmKind
from schemas.values.account import AccountCode
from schemas.values.model import Model


class Subject(StrEnum):
    """What a message is about."""

    CALLED_FURTHER = "called_further"
    ALARM_REPORTED = "alarm_reported"
    CALLED_AGAIN = "called_again"
    WORKER_CHANGED = "worker_changed"


class CalledFurther(Model):
    """File to alarm: the same person called again, so often in all by now; all that was said, and what was said last."""

    further: int
    kinds: tuple[AlarmKind, ...]
    latest: AlarmKind


class AlarmReport(Model):
    """Alarm to file: where it stands. `heard` is how many entries it had. `outcome`: what was the matter, once that is known."""

    number: int
    stage: str
    heard: int
    outcome: str | None = None
    over: bool = False


class CalledAgain(Model):
    """Alarm to file: the person called again after somebody had helped. That is an alarm of its own."""

    number: int
    kind: AlarmKind
    at: datetime
    further: int


class WorkerChanged(Model):
    """File to alarm: who knows the person now. `heard` is how many entries the file had: older news loses."""

    worker: AccountCode
    deputy: AccountCode
    heard: int
