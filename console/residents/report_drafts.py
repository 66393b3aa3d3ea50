"""Reports that are being written: kept between two pages, so that going back, loading again and a lost connection lose nothing.

What was written lies closed in Postgres. Its key is made of the secret in the browser's cookie, which is kept nowhere else: no
text and no name stands in an address, and nobody reads a report that was not sent.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated
from uuid import uuid4

import asyncpg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from console.http.cookies import Cookie
from engine.store.database import Queries
from engine.vault.vault_seal import NONCE_BYTES
from schemas.values.model import Model
from schemas.values.refusals import say
from starter.http.database import database, reading
from starter.http.dependencies import dependency
from starter.http.problems import Problem, ProblemCode, too_many_requests
from starter.http.rates import Rates
from starter.http.senders import address_of
from starter.intake.guests import Guest

KEPT = timedelta(hours=24)
KEPT_AFTER_SENDING = timedelta(minutes=30)
"""So long the receipt can be looked at again: at a machine that many people use, not for a day."""

BYTES_MAX = 256 * 1024
LOCAL_COOKIE = "jiceng-report"
_SECRET = Cookie(LOCAL_COOKIE, KEPT)
_SECRET_BYTES = 32


class DraftQueries(Queries):
    """engine/queries/report_drafts.sql."""

    begin_draft: str
    find_draft: str
    hold_draft: str
    keep_draft: str
    end_draft: str


SQL = DraftQueries.load("report_drafts")


class Draft(Model):
    """What was written so far. `guest` and `key`: as whom and under which key it will be sent, each made for it alone.

    `texts` by the place of their field; `words`: those by which a category was looked for. `case_id`: what it has become.
    """

    procedure: str
    guest: str = Field(default_factory=lambda: Guest.new().subject)
    key: str = Field(default_factory=lambda: str(uuid4()))
    texts: dict[str, list[str]] = {}
    words: str = ""
    case_id: str | None = None


@dataclass(frozen=True)
class Begun:
    """A draft of this browser. `age_seconds`: since it was begun."""

    secret: str
    draft: Draft
    age_seconds: float


@dataclass(frozen=True)
class ReportDrafts:
    """Begins, finds, keeps and ends drafts. Raises Problem 503 without Postgres, 413 for one that is too long.

    `beginning`: how often an address may begin one.
    """

    pool: asyncpg.Pool
    beginning: Rates

    async def begin(self, request: Request, draft: Draft) -> Begun:
        """A new one. Its secret is for the cookie alone. Raises Problem 429: too many were begun at this address."""
        if (pause := self.beginning.take(address_of(request.scope))) is not None:
            raise too_many_requests(pause)
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        async with database(self.pool) as connection:
            await connection.execute(SQL.begin_draft, _digest(secret), _closed(secret, draft), KEPT)
        return Begun(secret, draft, 0)

    async def find(self, request: Request, procedure: str) -> Begun | None:
        """The one of this browser; None: it has none of this procedure, or has had it for too long."""
        secret = _SECRET.of(request)
        if not secret:
            return None
        async with reading(self.pool) as connection:
            row = await connection.fetchrow(SQL.find_draft, _digest(secret))
        draft = None if row is None else _opened(secret, row["sealed"])
        if row is None or draft is None or draft.procedure != procedure:
            return None
        return Begun(secret, draft, row["age_seconds"])

    async def keep(self, begun: Begun, draft: Draft) -> Begun:
        """What was written by now; what became of it. What was sent meanwhile, with another window, stays so."""
        kept = KEPT if draft.case_id is None else KEPT_AFTER_SENDING
        async with database(self.pool) as connection:
            sealed = await connection.fetchval(SQL.hold_draft, _digest(begun.secret))
            stands = None if sealed is None else _opened(begun.secret, sealed)
            if stands is not None and stands.case_id is not None:
                return Begun(begun.secret, stands, begun.age_seconds)
            await connection.execute(SQL.keep_draft, _digest(begun.secret), _closed(begun.secret, draft), kept)
        return Begun(begun.secret, draft, begun.age_seconds)

    async def end(self, begun: Begun) -> None:
        """Forget it."""
        async with database(self.pool) as connection:
            await connection.execute(SQL.end_draft, _digest(begun.secret))


ReportDraftsOf = Annotated[ReportDrafts, dependency(ReportDrafts)]


def set_draft(request: Request, answer: Response, begun: Begun) -> None:
    """Give the browser the secret. A link from elsewhere leads on where somebody was; nothing is done by GET."""
    _SECRET.give(request, answer, begun.secret)


def forget_draft(request: Request, answer: Response) -> None:
    """Take it back."""
    _SECRET.forget(request, answer)


def _closed(secret: str, draft: Draft) -> bytes:
    plain = draft.model_dump_json().encode()
    if len(plain) > BYTES_MAX:
        raise Problem(ProblemCode.BODY_TOO_LARGE, say("填写的内容过长,请缩短", "this is too long; make it shorter"))
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(_key(secret)).encrypt(nonce, plain, _digest(secret))


def _opened(secret: str, sealed: bytes) -> Draft | None:
    try:
        plain = AESGCM(_key(secret)).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _digest(secret))
        return Draft.model_validate_json(plain)
    except (InvalidTag, ValidationError):
        return None  # of another secret, or of a release before


def _key(secret: str) -> bytes:
    return hashlib.sha256(b"jiceng report draft key 1\0" + secret.encode("utf-8", "surrogatepass")).digest()


def _digest(secret: str) -> bytes:
    return hashlib.sha256(b"jiceng report draft 1\0" + secret.encode("utf-8", "surrogatepass")).digest()
