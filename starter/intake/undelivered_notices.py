"""Notices that a channel does not take: given up after the last attempt, or still tried; and what an operator does about them."""

from datetime import datetime

import asyncpg

from engine.store.database import Queries
from schemas.values.model import Model
from starter.http.database import database
from starter.intake.stuck_acts import Note

TRIED_OFTEN = 3
LISTED_AT_MOST = 200


class UndeliveredQueries(Queries):
    """engine/queries/undelivered_notices.sql."""

    undelivered: str
    notice_case: str
    send_again: str
    look_at: str


SQL = UndeliveredQueries.load("undelivered_notices")


class UndeliveredNotice(Model):
    """A notice for one channel. `recipient` is a code such as `role:coordinator`; its words are not shown. Times are real times."""

    number: int
    case_id: str
    channel: str
    recipient: str
    template: str
    status: str
    attempts: int
    attempted_at: datetime | None
    next_at: datetime


async def undelivered_notices(pool: asyncpg.Pool) -> list[UndeliveredNotice]:
    """The newest first. Raises Problem 503 without Postgres, as all here."""
    async with database(pool) as connection:
        rows = await connection.fetch(SQL.undelivered, TRIED_OFTEN, LISTED_AT_MOST)
    return [UndeliveredNotice(**dict(row)) for row in rows]


async def case_of_notice(pool: asyncpg.Pool, number: int) -> str | None:
    """The case of a notice that was given up and waits for an operator; None: there is no such notice."""
    async with database(pool) as connection:
        found: str | None = await connection.fetchval(SQL.notice_case, number)
    return found


async def send_again(pool: asyncpg.Pool, number: int, reason: str, note: Note) -> bool:
    """Note why in its case, then have a notice that was given up tried anew; False: it was not given up. Raises as `note`."""
    return await _settled(pool, SQL.send_again, number, f"重发通知:{reason}", note)


async def look_at(pool: asyncpg.Pool, number: int, reason: str, note: Note) -> bool:
    """Note in its case what was done instead, then take a notice that was given up off the list; as `send_again`."""
    return await _settled(pool, SQL.look_at, number, f"通知未送达,已处理:{reason}", note)


async def _settled(pool: asyncpg.Pool, statement: str, number: int, text: str, note: Note) -> bool:
    case_id = await case_of_notice(pool, number)
    if case_id is None:
        return False
    await note(case_id, text)
    async with database(pool) as connection:
        return await connection.fetchval(statement, number) is not None
