"""Reservations over cases: the doer that reserves a unit or a share for a case, and gives it up; `judge` decides."""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import asyncpg
import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from engine.store.reserved_units import CaseNotWritten, release_unit, reserve_unit
from schemas.contracts.reserved_units import ReleaseAsk, ReleaseReceipt, ReserveAsk, ReserveReceipt, ReserveStatus
from schemas.values.references import TextReference, Tombstone, Withheld

log = structlog.get_logger()

ReadTexts = Callable[[Sequence[TextReference], str, str], Awaitable[Mapping[TextReference, str | Tombstone | Withheld]]]
"""`read_texts(references, purpose, case_id)`: the texts by reference, of this case only; the vault records each reading."""

NOT_WRITTEN = "CaseNotWritten"
FOREIGN = "ForeignRun"


class UnitBooks(Protocol):
    """Where units stand: the table of reservations, under its locks."""

    async def reserve(self, asked: ReserveAsk, key: str) -> ReserveReceipt:
        """Reserve once by case and purpose. Raises CaseNotWritten."""

    async def release(self, asked: ReleaseAsk) -> None:
        """Give up, once and for all."""


class TownUnitBooks:
    """The books of a town."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def reserve(self, asked: ReserveAsk, key: str) -> ReserveReceipt:
        """As `UnitBooks`."""
        return await reserve_unit(self._pool, asked, key)

    async def release(self, asked: ReleaseAsk) -> None:
        """As `UnitBooks`."""
        await release_unit(self._pool, asked)


class Reservations:
    """The doer of reservations. Asked twice for one purpose of a case it does once, and answers alike."""

    def __init__(self, books: UnitBooks, read_texts: ReadTexts, index_key: bytes) -> None:
        """`index_key`: of the blind index under which a number stands that nobody is to read in a key."""
        self._books = books
        self._read_texts = read_texts
        self._index_key = index_key

    @activity.defn
    async def reserve(self, asked: ReserveAsk) -> ReserveReceipt:
        """Reserve for the case that asks, or say why not. Raises ApplicationError, to be tried again: CaseNotWritten."""
        _is_its_own(asked.case_id)
        key = asked.key or await self._blind(asked)
        if key is None:
            return ReserveReceipt(purpose=asked.purpose, status=ReserveStatus.UNREADABLE)
        try:
            receipt = await self._books.reserve(asked, key)
        except CaseNotWritten:
            raise ApplicationError(f"{asked.case_id}: the case has no row yet", type=NOT_WRITTEN) from None
        log.info("reserved", case_id=asked.case_id, code=asked.kind, purpose=asked.purpose, status=receipt.status.value)
        return receipt

    @activity.defn
    async def release(self, asked: ReleaseAsk) -> ReleaseReceipt:
        """Give up what the case that asks has reserved."""
        _is_its_own(asked.case_id)
        await self._books.release(asked)
        log.info("released", case_id=asked.case_id, code=asked.kind, purpose=asked.purpose)
        return ReleaseReceipt(purpose=asked.purpose)

    async def _blind(self, asked: ReserveAsk) -> str | None:
        """The key of a number that the vault keeps: it finds the same number again, and tells nothing. None: it is not readable."""
        assert asked.secret is not None, "the model has a key or a secret"  # noqa: S101
        text = (await self._read_texts([asked.secret], f"reserve-{asked.kind}", asked.case_id))[asked.secret]
        if isinstance(text, Tombstone | Withheld):
            return None
        return blind_key(self._index_key, asked.kind, text)


def blind_key(index_key: bytes, kind: str, number: str) -> str:
    """The key of a number: HMAC-SHA256 over kind and number, however the number is spaced or spelt in width and case."""
    tidy = re.sub(r"[\s\-]", "", unicodedata.normalize("NFKC", number)).upper()
    return hmac.new(index_key, f"jiceng reserved 1 {kind} {tidy}".encode(), hashlib.sha256).hexdigest()


def _is_its_own(case_id: str) -> None:
    """Nobody reserves in the name of another case. Raises ApplicationError, not to be tried again."""
    if activity.info().workflow_id != case_id:
        raise ApplicationError(f"{case_id}: another workflow asks in its name", type=FOREIGN, non_retryable=True)
