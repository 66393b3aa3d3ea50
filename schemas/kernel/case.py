"""What every case remembers: its charter, stage, clocks, answered commands and the entries not yet in the ledger."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from schemas.clocks.calendar import Calendar
from schemas.clocks.clocks import Clock, ClockView, view
from schemas.clocks.town_time import TownTime
from schemas.kernel.notice import Notice
from schemas.kernel.participants import Participant
from schemas.kernel.people import Part
from schemas.kernel.told import Told
from schemas.values.actor import Actor, Role, Stamp
from schemas.values.canonical import digest
from schemas.values.model import Model
from schemas.values.references import PersonReference, TextReference

GENESIS = "0" * 64
ENGINE = Actor(subject="engine", role=Role.ENGINE)


def case_id(procedure: str, day: str, number: int) -> str:
    """`incident-20261121-000017`: the id of a case and of its workflow.

    Args:
        procedure: its name.
        day: the town's date as YYYYMMDD.
        number: which case of this procedure and day, from 1; six digits, more where six are too few.
    """
    return f"{procedure}-{day}-{number:06d}"


def child_id(parent: str, code: str) -> str:
    """`whistle-20261121-000004.urban-management`: a child's id embeds its parent's. No slash: ids stand in URLs.

    `code` tells the children of one parent apart: a department's code, or `recovery-1`.
    """
    return f"{parent}.{code}"


def ruled_by(case: str) -> str:
    """The procedure whose policy a case goes by: that of the case that all of it began with, which its number begins with."""
    return case.partition("-")[0]


CASE_ID_CHARACTERS_MAX = 500
"""Half of what Temporal takes (1,000 bytes); the longest of ours, a grandchild's with two department codes, has some 130."""


def can_be_case_id(text: str) -> bool:
    """Whether a text can be the id of a case at all. What cannot would make the task of whoever uses it fail for ever."""
    return 0 < len(text) <= CASE_ID_CHARACTERS_MAX and text.isascii() and text.isprintable() and " " not in text


def is_case_of(text: str, procedure: str) -> bool:
    """Whether this is the number of a case of a procedure that people start."""
    return re.fullmatch(rf"{re.escape(procedure)}-\d{{8}}-\d{{6,}}", text) is not None


class Charter(Model):
    """The rules a case started with and keeps: versions, calendar, and how its town time runs."""

    policy_version: str
    calendar: Calendar
    time: TownTime
    history_limit: int = Field(default=4000, description="events after which the case continues as a new run")
    tells_tasks_apart: bool = Field(
        default=False, description="what it does by itself leaves a command (decision 0003); not in cases from before"
    )
    marks_by_timer: bool = Field(
        default=False,
        description="that command is a timer's (decision 0005); of cases from before, of what they are listed by",
    )
    takes_turns: bool = Field(
        default=False,
        description="what runs beside each other in it goes on in one order for ever (decision 0006); not in cases from before",
    )
    once_keys_name_case: bool = Field(
        default=False,
        description="the key of what is paid once has its own occasion, the case; not in cases from before",
    )
    people_as_stated: bool = Field(
        default=False,
        description="it keeps what was stated of its people, and adults consent for themselves; not in cases from before",
    )
    keeps_place: bool = Field(
        default=False,
        description="its messages name their addressee, its answers their question (decision 0008); not in cases from before",
    )
    knows_first_run: bool = Field(
        default=False,
        description="its later runs know the first one, and begin as no other workflow; not in cases from before",
    )
    people_are_identified: bool = Field(
        default=False,
        description="no register is asked before it is sure who applies (decision 0009); not in cases from before",
    )
    tells_with_answers: bool = Field(
        default=False,
        exclude_if=lambda tells: not tells,
        description="what a command records goes out with its answer (decision 0011); not in cases from before",
    )
    lists_stage: bool = Field(
        default=True, description="Temporal's lists have stage and holder too: only of cases from before decision 0004"
    )


class Entry(Model):
    """One fact of a case, chained to the one before. `at` is town time; `facts` hold codes, numbers and references only.

    `command_digest` covers the whole command with its stamp; empty for what the engine does by itself.
    """

    case_id: str
    seq: int
    at: datetime
    actor: Actor
    kind: str
    facts: dict[str, Any]
    stamp: Stamp | None = None
    command_digest: str = ""
    prev_hash: str
    hash: str = ""

    def sealed(self) -> "Entry":
        """Return the entry with its hash: SHA-256 over the canonical form of everything else."""
        return self.model_copy(update={"hash": digest(self.model_dump(mode="json", exclude={"hash"}))})


class Message(Model):
    """What one case tells another, by signal. `message_id` is unique for ever: told twice, it counts once.

    `message_id` is `CASE/letter-NUMBER`, `sender` the number of the case that tells. `to` is that of the case that it is for;
    None in histories from before. `subject` is a code, by which the receiver knows the shape of `facts`.
    """

    message_id: str
    sender: str
    to: str | None = None
    subject: str
    facts: dict[str, Any] = {}


class Letter(Model):
    """A message on its way to another case, whose number is `to`. `number` counts the letters of its sender, from 1."""

    number: int
    to: str
    message: Message


class Accepted(Model):
    """The answer to a command: where the case stands after it. A repeat gets the very same answer.

    `command_id` is that of its stamp, `seq` the number of the case's last entry, `at` town time. `told` is for the ledger, and
    goes no further: whoever gets the answer from the case writes it down before anybody else hears of it.
    """

    case_id: str
    command: str
    command_id: str
    stage: str
    seq: int
    at: datetime
    told: Told | None = Field(default=None, exclude_if=lambda told: told is None)


class Processed(Model):
    """A command already carried out, kept so that its repeat is recognised in later runs too. `digest` is that of its stamp."""

    digest: str
    answer: Accepted


class CaseOutcome(Model):
    """How a case ended."""

    case_id: str
    stage: str
    seq: int
    head_hash: str


def latest_of(processed: Mapping[str, Processed], command: str, most: int) -> dict[str, Processed]:
    """Return what a case still recognises: of one command the latest `most`, of every other one all."""
    given = [each for each, done in processed.items() if done.answer.command == command]
    forgotten = set(given[: max(0, len(given) - most)])
    return {each: done for each, done in processed.items() if each not in forgotten}


_NOT_IN_A_SNAPSHOT = {"processed", "entries", "notices"}


class CaseState(BaseModel):
    """Everything a case remembers. It is the only argument of the workflow, at the start and at continue-as-new.

    Only the case's own workflow changes it. Subclasses narrow `stage` to their procedure's StrEnum and add their facts.

    `holder`: who has to act now: `reporter`, `department:CODE`, `role:CODE`, or a tier's `duty_leader`, `supervisor`,
    `district_office`; empty: nobody. `department`: the code of the department that has the case. `parent`: the number of the
    case that started this one. `reporter_subject`: the account of the resident whose case it is.
    `statements`: what this case was told of its people, by person; nobody is shown, called, paid or asked about by anything else.
    `clocks` by name: `finish`, or `check:tax` of one of several of a kind. `processed` by command id.
    `messages`: the ids of the messages and set-asides that it has heard. `letters` are on their way to other cases,
    `letters_sent` counts them all. `errands`: the outside work under way, each as `NAME/NUMBER`.
    `entries` and `notices`: what the ledger has not acknowledged yet; `seq` and `head_hash` are those of the last entry made.
    `first_run`: the workflow's first run, which Temporal names for all later ones; None in the first, and in cases from before.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    procedure: ClassVar[str]
    remembers_commands_days: ClassVar[int | None] = None
    """For how many days a case recognises by itself that a command is a repeat; None: for ever. A case that lives for decades
    would not fit otherwise. What comes later than that is refused by the case; the API has the first answer for as long as it
    keeps what was sent."""

    seen_in_parts: ClassVar[bool] = False
    """Whether who works in a part of a case's area alone sees it too, by its number, and what is told of it to their role."""

    remembers_at_most: ClassVar[Mapping[str, int]] = {}
    """Of commands that machines give by themselves, by name: so many of the latest are recognised here, and all at the door."""

    case_id: str
    parent: str | None = None
    stage: str
    charter: Charter
    opening: Stamp
    area: str
    department: str | None = None
    holder: str = ""
    reporter_subject: str | None = None
    statements: dict[PersonReference, TextReference] = {}
    opened_at: datetime
    closed_at: datetime | None = None
    ended: bool = False
    seq: int = 0
    head_hash: str = GENESIS
    last_at: datetime | None = None
    runs: int = 1
    first_run: str | None = None
    clocks: dict[str, Clock] = {}
    processed: dict[str, Processed] = {}
    messages: list[str] = []
    letters: list[Letter] = []
    letters_sent: int = 0
    errands: list[str] = []
    entries: list[Entry] = []
    notices: list[Notice] = []

    def statements_of(self, *people: PersonReference) -> dict[PersonReference, TextReference]:
        """Return what this case was told of some of its people."""
        return {person: self.statements[person] for person in people if person in self.statements}

    def clock_views(self) -> list[ClockView]:
        """Every clock with its due time under the case's calendar."""
        return [view(clock, self.charter.calendar) for clock in self.clocks.values()]

    def wanting(self) -> tuple[str, ...]:
        """Return the codes of what the person whose case it is still has to bring."""
        return ()

    def labels(self) -> dict[str, str]:
        """Return the codes of this procedure that lists are filtered by, such as the category."""
        return {}

    def involved(self) -> frozenset[str]:
        """Return the codes of the departments that hold this case or held it, and therefore see it."""
        return frozenset() if self.department is None else frozenset((self.department,))

    def told_by(self) -> frozenset[str]:
        """Return the numbers of the cases, beside its whole and its parts, whose texts this one was told and may therefore show."""
        return frozenset()

    def took_part(self) -> Mapping[Part, tuple[str, ...]]:
        """Return the accounts of who took which part in the case, as far as a rule keeps people apart by it."""
        return {Part.ENTERED: (self.opening.actor.subject,)}

    def seats(self) -> tuple[Participant, ...]:
        """Return who has a seat in the case now (schemas/parts/participants.py)."""
        return ()

    def requests(self) -> Mapping[Part, tuple[int, ...]]:
        """Return the numbers of what waits for another person's word, by the part of who asked (schemas/kernel/answers.py)."""
        return {}

    def snapshot(self) -> dict[str, Any]:
        """Return the state as the projection keeps it: without what the ledger holds. It can be read back as a state."""
        return self.model_dump(mode="json", exclude=_NOT_IN_A_SNAPSHOT)

    def snapshot_json(self) -> str:
        """Return the same as JSON."""
        return self.model_dump_json(exclude=_NOT_IN_A_SNAPSHOT)
