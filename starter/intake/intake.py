"""Intake: what people send is kept whole in one transaction, or not at all. From then on it is the relay's to deliver.

The transaction takes the key's place, puts texts into the vault and writes down the very payload that Temporal will get,
references only, stamped. Whoever comes second with the same key waits for it to end and finds the same row. The number of
a new case is leased before it begins (docs/decisions/0016-a-number-is-leased-before-its-case-is-kept.md): nobody else's
case waits for it to end.
"""

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg
from pydantic import BaseModel

from engine.keys.keys import Keys
from engine.keys.stamps import StampSigner
from engine.store.refusals import KEEP
from engine.vault.person_identity import PersonIdentity
from engine.vault.vault import PersonErased, Vault
from schemas.clocks.town_time import TownTime
from schemas.kernel.case import CaseState, case_id
from schemas.kernel.people import same_account
from schemas.kernel.policy import Policy
from schemas.kernel.procedure import Procedure
from schemas.values.actor import LAWS, Actor, Role, Stamp
from schemas.values.canonical import canonical_json, digest
from schemas.values.references import PersonReference
from schemas.values.refusals import Refusal, RefusalCode, say
from starter.cases.case_states import CaseStates
from starter.http.command_bodies import CommandBody
from starter.http.database import Connection, database, reading
from starter.http.problems import Attempt, Problem, refused
from starter.intake.postbox import LEASE, SQL, Submission, refusal_row
from starter.intake.reserving import Reserving

AGAIN_SECONDS = 2.0
ANYBODY = "anybody"
"""The subject of who needs no account: what they say is not kept with the person whose case it is."""


@dataclass(frozen=True)
class Sender:
    """Who sends, under which key. `subject` is whose keys these are: two people may choose the same one.

    `identity`: whose account it is by the issuer's word (schemas/values/verified_identity.py).
    """

    subject: str
    key: str
    actor: Actor
    identity: str | None = None


@dataclass(frozen=True)
class Entered:
    """A submission, and whether it had been accepted before."""

    submission: Submission
    repeated: bool


OpenCase = Callable[[Connection, str, str, datetime], Awaitable[CaseState]]
"""(connection, case id, command id, town time) -> the new state, its texts kept."""


class Intake:
    """Accepts starts and commands."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        vault: Vault,
        keys: Keys,
        town_time: TownTime,
        procedures: Mapping[str, Procedure],
        *,
        policies: Mapping[str, Policy],
        states: CaseStates,
    ) -> None:
        """`procedures` and their `policies` by name: what cases reserve is reserved with what is accepted.

        `states` know how far the ledger has a case that was read here.
        """
        self._states = states
        self._pool = pool
        self._reserving = Reserving(procedures, policies)
        self._confidential = frozenset(each.name for each in procedures.values() if each.confidential)
        self._vault = vault
        self._signer = StampSigner(keys)
        self._digest_key = hmac.new(keys.blind_index.active, b"jiceng intake 1", hashlib.sha256).digest()
        self._town_time = town_time

    async def complete_reservations(self) -> None:
        """Let living cases hold what rules that came later let them hold; while Postgres is away it is tried again."""
        done = False
        while not done:
            try:
                async with database(self._pool) as connection:
                    await self._reserving.complete(connection)
            except Problem:
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                done = True

    def now(self) -> datetime:
        """Town time."""
        return self._town_time.to_town(datetime.now(UTC))

    async def start(
        self, sender: Sender, procedure: str, idempotency_content: dict[str, Any], open_case: OpenCase, *, name: str
    ) -> Entered:
        """Accept a new case; `name` is that of its opening.

        Raises Problem: the key was used otherwise, another case holds what this one would, Postgres is away.
        """
        row = self._row(
            sender, kind="start", name=name, procedure=procedure, case=None, idempotency_content=idempotency_content
        )
        async with reading(self._pool) as connection:
            at = self.now()
            day = f"{at:%Y%m%d}"
            number = await connection.fetchval(SQL.lease_number, procedure, day, *row[5:8])
            if number is None:
                return await self._known(connection, row)
            # By the session that has the number, and by no other: what it was told may be lost with it, never with it alone.
            async with connection.transaction():
                accepted = await connection.fetchval(SQL.accept_start, *row)
                if accepted is None:
                    return await self._known(connection, row)
                case = case_id(procedure, day, number)
                state = await open_case(connection, case, command_id_of(sender, case), at)
                await self._reserving.open(connection, state, sender.actor, name)
                state = state.model_copy(update={"opening": self._signer.sign(state.opening)})
                return await self._filled(connection, accepted, case, state)

    async def command(
        self, sender: Sender, state: CaseState, name: str, door: CommandBody, given: BaseModel
    ) -> Entered:
        """Accept a command for a case.

        Raises Problem: the key was used with another body, another case holds what it decides about, Postgres is away.
        """
        case, idempotency_content = state.case_id, {"command": name, "body": given.model_dump(mode="json")}
        row = self._row(
            sender,
            kind="command",
            name=name,
            procedure=state.procedure,
            case=case,
            idempotency_content=idempotency_content,
        )
        texts, deciding = door.texts_of(given), self._reserving.deciding(state, name, given, sender.actor, self.now())
        try:
            # Where nothing is to be kept beside it, the acceptance is one statement and its own transaction.
            async with database(self._pool) if texts or deciding else reading(self._pool) as connection:
                if deciding and await connection.fetchrow(SQL.known, *row[5:8]) is None:
                    await self._reserving.decide(connection, state, sender.actor, name, deciding)
                command = door.to_command(given, await self._keep(connection, state, sender, texts))
                payload = {"command": command, "stamp": self._stamp(state, name, sender, digest(command))}
                return await self._accepted(connection, row, payload)
        except _AcceptedBefore as before:
            return Entered(_same(before.submission, row[8]), repeated=True)

    async def known(self, sender: Sender, case: str, name: str, given: BaseModel) -> Submission | None:
        """What was accepted earlier under this key for the case. Raises Problem as `command` does."""
        idempotency_content = {"command": name, "body": given.model_dump(mode="json")}
        row = self._row(
            sender, kind="command", name=name, procedure="", case=case, idempotency_content=idempotency_content
        )
        async with reading(self._pool) as connection:
            found = await connection.fetchrow(SQL.known, *row[5:8])
            return _same(Submission.read(found), row[8]) if found else None

    async def known_start(
        self, sender: Sender, procedure: str, idempotency_content: dict[str, Any], *, name: str
    ) -> Submission | None:
        """What was accepted earlier under this key as a new case of the procedure. Raises Problem as `start` does."""
        row = self._row(
            sender, kind="start", name=name, procedure=procedure, case=None, idempotency_content=idempotency_content
        )
        async with reading(self._pool) as connection:
            found = await connection.fetchrow(SQL.known, *row[5:8])
            return _same(Submission.read(found), row[8]) if found else None

    async def note_refusal(self, sender: Sender, case: str, name: str, refusal: Refusal) -> None:
        """Keep an attempt that was refused at the door, before it became a submission."""
        async with database(self._pool) as connection:
            stamp = Stamp(case_id=case, command=name, command_id="", actor=sender.actor, at=self.now(), digest="")
            await connection.execute(KEEP, *refusal_row(case, stamp, refusal))

    async def note_attempt(self, actor: Actor, attempt: Attempt) -> None:
        """Keep what somebody tried and may not do, outside of a case's commands."""
        row = (attempt.case_id, attempt.command, actor.subject, actor.role, actor.department, attempt.code, "")
        async with database(self._pool) as connection:
            await connection.execute(KEEP, *row)

    async def _accepted(self, connection: Connection, row: tuple[Any, ...], payload: object) -> Entered:
        (accepted,) = await connection.fetch(SQL.accept_command, *row, payload, LEASE)
        submission = Submission.read(accepted)
        if submission.submission != row[0]:
            raise _AcceptedBefore(submission)
        return Entered(submission, repeated=False)

    async def _filled(self, connection: Connection, number: int, case: str, payload: object) -> Entered:
        row = await connection.fetchrow(SQL.fill, number, case, payload, LEASE)
        if row is None:
            raise LookupError(f"intake row {number} has gone inside its own transaction")
        return Entered(Submission.read(row), repeated=False)

    async def _known(self, connection: Connection, row: tuple[Any, ...]) -> Entered:
        found = await connection.fetchrow(SQL.known, *row[5:8])
        if found is None:
            raise LookupError("a key is taken, but by nobody")
        return Entered(_same(Submission.read(found), row[8]), repeated=True)

    async def _keep(
        self, connection: Connection, state: CaseState, sender: Sender, texts: dict[str, str]
    ) -> dict[str, str]:
        """Keep texts with the case's reporter; with a person of the case's own when there is none, or no longer.

        In a confidential case with the resident who says them: who gets out or has erased what is theirs is no other side.
        """
        if not texts:
            return {}
        reporter: PersonReference | None = None if _is_of_another(sender, state) else getattr(state, "reporter", None)
        if state.procedure in self._confidential:
            own = sender.actor.role is Role.RESIDENT
            identity = PersonIdentity.account(sender.subject if own else f"case {state.case_id}")
            return dict((await self._vault.keep(connection, identity, texts, case_id=state.case_id)).texts)
        if reporter is not None:
            try:
                return await self._vault.keep_texts(connection, reporter, texts, case_id=state.case_id)
            except PersonErased:
                reporter = None
        stand_in = PersonIdentity.account(f"case {state.case_id}")
        return dict((await self._vault.keep(connection, stand_in, texts, case_id=state.case_id)).texts)

    def _stamp(self, state: CaseState, name: str, sender: Sender, command_digest: str) -> Stamp:
        stamp = Stamp(
            case_id=state.case_id,
            command=name,
            command_id=command_id_of(sender, state.case_id),
            actor=sender.actor,
            at=self.now(),
            digest=command_digest,
            laws=LAWS,
        )
        hears = state.seq > 0 and state.charter.tells_with_answers
        return self._signer.sign(stamp, self._states.written(state) if hears else None)

    def _row(
        self,
        sender: Sender,
        *,
        kind: str,
        name: str,
        procedure: str,
        case: str | None,
        idempotency_content: dict[str, Any],
    ) -> tuple[Any, ...]:
        """The first arguments of `accept_start` and `accept_command`; 5 to 8 are those of `known`, 8 is the digest of the body."""
        scope = case or procedure
        key = self._keyed("key", sender.key.encode())
        body = self._keyed("body", canonical_json(idempotency_content))
        return (secrets.token_urlsafe(16), kind, name, procedure, case, sender.subject, scope, key, body)

    def _keyed(self, what: str, content: bytes) -> bytes:
        return hmac.new(self._digest_key, what.encode() + b"\0" + content, hashlib.sha256).digest()


class _AcceptedBefore(Exception):
    """The key is known: what was kept for this repeat is not to stay."""

    def __init__(self, submission: Submission) -> None:
        super().__init__("accepted before")
        self.submission = submission


def command_id_of(sender: Sender, case: str) -> str:
    """The id of a command, and of its Temporal update: raw keys stand plain in the history, and two may be the same."""
    return digest(["command", sender.subject, case, sender.key])


def _is_of_another(sender: Sender, state: CaseState) -> bool:
    """Whether a resident says something in the case of somebody else: it is not kept with the person whose case it is."""
    own = same_account(sender.actor.subject, state.reporter_subject)
    return sender.subject == ANYBODY or (sender.actor.role is Role.RESIDENT and not own)


def _same(found: Submission, body_digest: bytes) -> Submission:
    if not hmac.compare_digest(found.body_digest, body_digest):
        raise refused(
            Refusal(
                code=RefusalCode.KEY_REUSED,
                detail=say(
                    "同一幂等键已用于另一内容", "this idempotency key was used with another body; take a new one"
                ),
                command=found.command,
            )
        )
    return found
