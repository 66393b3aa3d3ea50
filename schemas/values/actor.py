"""Who acts: roles, the person behind a token, and the stamp under which a command enters a case."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from schemas.values.canonical import canonical_json, digest
from schemas.values.model import Model


class Role(StrEnum):
    """What a person may be in the town (domain: roles). `ENGINE` is the case itself acting by rule."""

    RESIDENT = "resident"
    GRID_WORKER = "grid_worker"
    WINDOW_CLERK = "window_clerk"
    STREET_OFFICER = "street_officer"
    DEPARTMENT_OFFICER = "department_officer"
    COORDINATOR = "coordinator"
    CIVIL_AFFAIRS_OFFICER = "civil_affairs_officer"
    COMMITTEE_OFFICER = "committee_officer"
    MEDIATOR = "mediator"
    SPECIALIST = "specialist"
    PARTNER = "partner"
    SUPERVISOR = "supervisor"
    AUDITOR = "auditor"
    ADMIN = "admin"
    ENGINE = "engine"


OWN_CASES_ONLY = frozenset({Role.RESIDENT, Role.MEDIATOR, Role.SPECIALIST, Role.PARTNER})
"""Who works in no area of the town: they see the cases that are their own, or in which they have a seat, and no other."""

FOR_THEMSELVES = frozenset({Role.RESIDENT, Role.PARTNER})
"""Who acts in their own matters alone, and never on behalf of somebody else."""


class Channel(StrEnum):
    """The way by which a report or a command came in."""

    APP = "app"
    HOTLINE = "hotline"
    WINDOW = "window"
    GRID = "grid"
    DEVICE = "device"
    OPEN311 = "open311"
    GATEWAY = "gateway"


class Actor(Model):
    """One who acts. `subject` is the account's code from the token, never a name.

    `area` is the code of the area a person is bound to, a prefix of all areas inside it ("320104.003" covers
    "320104.003.07"); None means the whole town. `department` is the code of the department an officer acts for.
    """

    subject: str
    role: Role
    department: str | None = None
    area: str | None = None
    channel: Channel = Channel.APP


LAWS = 5
"""The laws by which an API of this release has commands carried out, counted up with every one that changes what a command does.

1: money needs two people; urges and postings have bounds.
2: an answer is on what was seen; by hand it is paid, and by report it ends, on the word of two;
an account that nobody has bound to its payee decides nothing alone; who is not known to have entered may be anybody.
3: an advance is for those whom the application names by a number; a withdrawal by others is told to the applicant.
4: who objected to a posting does not look into it.
5: a case that nobody holds reminds nobody, and says so.
"""


class Written(Model):
    """The API's word for how far the ledger had a case when a command for it was accepted (decision 0011).

    `row` is the digest of the case's row as it stood then (schemas/kernel/row_change.py), None where nobody has told it. It
    travels beside the stamp of the command, which names its digest and so signs it.
    """

    seq: int
    head_hash: str
    row: str | None = None

    def digest(self) -> str:
        """The first 128 bits of the SHA-256 of its canonical form, as hex digits."""
        return digest(self)[:32]


class Stamp(Model):
    """The API's word for who gave a command: Temporal does not know who acted, so the payload must.

    `command_id` identifies the command (a hash of subject, case and idempotency key), `digest` is the SHA-256 of the
    command's canonical JSON, `at` is town time. `signature` is Ed25519 over `signed_text()`, base64; `key_id` names the key.
    `written` travels with it, and `written_digest` is its digest: of a command the stamp is recorded without it (`recorded`).
    """

    case_id: str
    command: str
    command_id: str
    actor: Actor
    at: datetime
    digest: str
    laws: int = Field(default=0, exclude_if=lambda laws: not laws, description="none of commands from before `LAWS`")
    key_id: str = ""
    written_digest: str = Field(default="", exclude_if=lambda digest: not digest)
    signature: str = ""
    written: Written | None = Field(default=None, exclude_if=lambda written: written is None)

    def signed_text(self) -> bytes:
        """What the signature is over: all of the stamp but the signature, as canonical JSON, marked as a stamp."""
        return b"jiceng stamp 1\n" + canonical_json(self.model_dump(mode="json", exclude={"signature", "written"}))

    def recorded(self) -> "Stamp":
        """The stamp as entries keep it: without what the API said of the ledger."""
        return self if self.written is None else self.model_copy(update={"written": None})
