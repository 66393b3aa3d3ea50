"""Units and shares that cases reserve (schemas/contracts/reserved_units.py): judged and written under a lock, once by purpose."""

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from engine.store.database import Queries
from schemas.contracts.reservation import ReservedKey
from schemas.contracts.reserved_units import ReleaseAsk, ReserveAsk, ReserveReceipt, ReserveStatus, UnitRow, judge

Connection = asyncpg.Connection | PoolConnectionProxy


class CaseNotWritten(LookupError):
    """The case that asks has no row yet: it is asked again when it has one."""


class UnitQueries(Queries):
    """engine/queries/reserved_units.sql."""

    lock: str
    still_lives: str
    units: str
    hold_unit: str
    never_unit: str
    release_unit: str
    units_of_case: str
    cases_with_units: str
    units_over_limit: str


SQL = UnitQueries.load("reserved_units")


async def reserve_unit(pool: asyncpg.Pool, asked: ReserveAsk, key: ReservedKey) -> ReserveReceipt:
    """Reserve for a case, or say why not: then nothing was written. Idempotent by case and purpose.

    Who asks for the same key at the same moment waits until this transaction has ended, and then finds what it wrote. The case
    does not end meanwhile. Raises CaseNotWritten.
    """
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(SQL.lock, asked.kind, [key])
        lives = await connection.fetchval(SQL.still_lives, asked.case_id)
        if lives is None:
            raise CaseNotWritten(asked.case_id)
        if not lives:
            return ReserveReceipt(purpose=asked.purpose, status=ReserveStatus.CASE_OVER)
        receipt, known = await _judged(connection, asked, key)
        if receipt.status is not ReserveStatus.HELD or known:
            return receipt
        written = (asked.kind, key, asked.case_id, asked.purpose, asked.amount, asked.limit)
        if await connection.fetchval(SQL.hold_unit, *written):
            return receipt
        return (await _judged(connection, asked, key))[0]  # it was given up at the same moment


async def _judged(connection: Connection, asked: ReserveAsk, key: ReservedKey) -> tuple[ReserveReceipt, bool]:
    """What comes of it, and whether this purpose of the case has a row already."""
    found = await connection.fetch(SQL.units, asked.kind, key, asked.case_id, asked.purpose)
    rows = [UnitRow.model_validate(dict(row)) for row in found]
    known = any((row.case_id, row.purpose) == (asked.case_id, asked.purpose) for row in rows)
    return judge(asked, key, rows), known


async def release_unit(pool: asyncpg.Pool, asked: ReleaseAsk) -> None:
    """Give up what a purpose of a case holds; what it never held, it never will. Idempotent."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(SQL.never_unit, asked.kind, asked.case_id, asked.purpose)
        await connection.execute(SQL.release_unit, asked.case_id, asked.kind, asked.purpose)
