"""A case as an auditor reads it: what happened, who did it, when, which clock, how late; who was refused; who read of whom.

`schemas/audit/case_lines.py` makes it from the entries, the state, the refused attempts and the readings. Times are town times.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import Field

from schemas.clocks.calendar import TownDatetime
from schemas.clocks.clocks import Status
from schemas.values.model import Model


class What(StrEnum):
    """What a line of a record tells of."""

    ENTRY = "entry"
    REFUSED = "refused"
    READ = "read"


class Who(Model):
    """Who it was: the account, as it stands in the ledger."""

    subject: str
    role: str
    department: str | None = None
    channel: str | None = None


class ClockLine(Model):
    """A clock at a moment. `duty`: somebody has to keep it, for late it is reported; a window only runs out.

    `late_seconds`: by how much a duty was late then, pauses left out; 0 when it was not.
    """

    clock: str
    status: Status
    duty: bool
    limit: str | None = None
    started_at: TownDatetime | None
    due_at: TownDatetime | None
    stopped_at: TownDatetime | None
    breached: bool
    late_seconds: int


class Line(Model):
    """One line: an entry of the ledger (`seq`, `hash`), an attempt that was refused, or a reading of personal data."""

    at: TownDatetime
    what: What
    kind: str
    title: str
    who: Who
    seq: int | None = None
    facts: dict[str, Any] = {}
    clocks: tuple[ClockLine, ...] = ()
    hash: str | None = None


class CaseRecord(Model):
    """A case whole. `beside_the_chain`: entries of workflow tasks that were lost, which count for nothing but stay."""

    case_id: str
    procedure: str
    title: str
    parent: str | None
    stage: str
    holder: str
    department: str | None
    area: str
    opened_at: TownDatetime
    closed_at: TownDatetime | None
    ended: bool
    policy_version: str
    calendar_version: str
    as_of: TownDatetime
    entries: int
    beside_the_chain: int
    refused: int
    readings: int
    clocks: tuple[ClockLine, ...]
    lines: tuple[Line, ...]

    def with_facts(self, facts: Mapping[int, Mapping[str, Any]]) -> "CaseRecord":
        """The record with other facts for these entries: texts where references stood."""
        lines = tuple(
            line.model_copy(update={"facts": {name: facts[line.seq].get(name) for name in line.facts}})
            if line.seq is not None and line.seq in facts
            else line
            for line in self.lines
        )
        return self.model_copy(update={"lines": lines})


class StateAt(Model):
    """A case as it stood at a moment, rebuilt from its recorded history.

    `seq`, `head_hash`: the last entry it had told. `untold`: entries of that time that it could tell the ledger only later,
    because the database was away. `in_ledger`: the chain has that very entry. `run`: in which of its runs that was.
    """

    case_id: str
    procedure: str
    at: TownDatetime
    stage: str
    holder: str
    department: str | None
    ended: bool
    seq: int
    head_hash: str
    last_at: TownDatetime | None
    untold: tuple[int, ...] = ()
    in_ledger: bool
    run: int
    clocks: tuple[ClockLine, ...]
    state: dict[str, Any] = Field(description="everything the case remembered; texts and persons as references")


class RefusedAttempt(Model):
    """A row of `refusals`. `at` is real time."""

    at: datetime
    command: str
    subject: str
    role: str
    department: str | None
    code: str
    stage: str


class Reading(Model):
    """A row of `vault_reads`: an item of a person that somebody read. `at` is real time."""

    at: datetime
    who: str
    role: str
    person: str
    kind: str
    purpose: str
    case_id: str | None
