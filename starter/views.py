"""What the API answers with."""

from datetime import datetime
from typing import Any

from pydantic import Field

from schemas.actor import Channel, Role
from schemas.calendar import TownDatetime
from schemas.case import Accepted
from schemas.clocks import ClockView
from schemas.model import Model
from schemas.refusals import Refusal
from starter.postbox import Status


class CaseRow(Model):
    """A case in a list. Times are town times; `due_at` is the earliest due time that still runs."""

    case_id: str = Field(examples=["incident-20261121-000017"])
    procedure: str
    stage: str
    holder: str
    area: str
    department: str | None
    opened_at: TownDatetime
    closed_at: TownDatetime | None
    ended: bool
    due_at: TownDatetime | None
    due_clock: str | None
    seq: int
    labels: dict[str, str]


class CaseView(CaseRow):
    """One case for this caller. `seq` 0: accepted, and not yet standing. `labels` are codes such as the category."""

    title: str
    clocks: list[ClockView]
    legal_commands: tuple[str, ...]


class CommandAnswer(CaseView):
    """The case after a command, and the case's word for it; a repeat gets the word of the first time."""

    accepted: Accepted


class CasePage(Model):
    """A page of cases, newest first; the next one begins at `next_cursor`."""

    items: list[CaseRow]
    next_cursor: str | None


class TimelineActor(Model):
    """Who it was, by role: accounts stay in the ledger."""

    role: Role
    department: str | None
    channel: Channel


class TimelineEntry(Model):
    """One entry, readable. Texts that the caller may not read are withheld; erased ones say since when."""

    seq: int
    at: TownDatetime
    actor: TimelineActor
    kind: str
    title: str
    facts: dict[str, Any]
    hash: str


class Timeline(Model):
    """The entries of a case, in order; the next page begins after `next_cursor`."""

    case_id: str
    items: list[TimelineEntry]
    next_cursor: str | None


class SubmissionView(Model):
    """How far something that was accepted has come. `repeated`, in a 202: it had been accepted before under this key."""

    submission: str
    kind: str
    command: str
    case_id: str
    status: Status
    attempts: int
    received_at: datetime
    settled_at: datetime | None
    status_url: str
    case_url: str
    repeated: bool = False
    accepted: Accepted | None = None
    refusal: Refusal | None = None
