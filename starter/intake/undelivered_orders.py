"""Orders given up after a day, or refused by a department's system: the case goes on, and somebody has to bring them."""

import asyncpg

from engine.store.database import Queries
from schemas.clocks.calendar import TownDatetime
from schemas.values.model import Model
from starter.http.database import database

LISTED_AT_MOST = 200


class OrderQueries(Queries):
    """engine/queries/undelivered_orders.sql."""

    undelivered_orders: str


SQL = OrderQueries.load("undelivered_orders")


class UndeliveredOrder(Model):
    """The latest order of a case. `code`: `unreachable` where it was given up, else what the department's system said."""

    case_id: str
    procedure: str
    stage: str
    department: str
    code: str
    dispatched_at: TownDatetime


async def undelivered_orders(pool: asyncpg.Pool) -> list[UndeliveredOrder]:
    """Those that wait longest first. Raises Problem 503 without Postgres."""
    async with database(pool) as connection:
        rows = await connection.fetch(SQL.undelivered_orders, LISTED_AT_MOST)
    return [UndeliveredOrder(**dict(row)) for row in rows]
