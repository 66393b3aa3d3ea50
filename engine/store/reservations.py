"""Reservations: asked for and written in the transaction of who accepts, under locks."""

from collections.abc import Mapping, Sequence

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from engine.store.database import Queries
from schemas.contracts.reservation import Claim, Debts, Hold, Occasion, ReservedCase, in_the_way, taken, unsure
from schemas.kernel.visibility import Sight

Connection = asyncpg.Connection | PoolConnectionProxy


class ReservationQueries(Queries):
    """engine/queries/reservations.sql."""

    lock: str
    still_lives: str
    standing: str
    complete: str
    reserve: str
    sights: str
    owed: str


SQL = ReservationQueries.load("reservations")


async def reserve(
    connection: Connection, kind: str, case_id: str, claims: Sequence[Claim], occasion: Occasion
) -> tuple[str, ...]:
    """Reserve for a case, or name the cases that stand in its way: then nothing was written. Idempotent.

    Who asks at the same moment for one of the same keys waits until this transaction has ended, and then finds what it wrote.
    Returns the numbers of those cases; empty: it is reserved, or the case is over.
    """
    keys = [claim.key for claim in claims]
    await connection.execute(SQL.lock, kind, keys)
    if await connection.fetchval(SQL.still_lives, case_id) is False:
        return ()  # the case says itself that it is over
    rows = await connection.fetch(SQL.standing, kind, keys)
    held = {row["key"]: Hold(row["hold"]) for row in rows if row["case_id"] == case_id}
    place = min((row["place"] for row in rows if row["case_id"] == case_id), default=None)
    others = [ReservedCase.model_validate(dict(row)) for row in rows if row["case_id"] != case_id]
    found = in_the_way(claims, others, place, occasion, held)
    if occasion is Occasion.SURE and found:
        claims, found = unsure(claims), ()
    if not found:
        kept = taken(claims, occasion)
        await connection.execute(
            SQL.reserve, kind, case_id, [claim.key for claim in kept], [claim.hold for claim in kept]
        )
    return found


async def complete(connection: Connection, kind: str, pairs: Mapping[str, Sequence[str]]) -> None:
    """Let living cases hold also what came to be held with their benefit after they had come: `pairs` by benefit. Idempotent."""
    told = [(benefit, pair) for benefit, those in pairs.items() for pair in those]
    if not told:
        return
    async with connection.transaction():
        await connection.execute("lock table reservations in share row exclusive mode")
        await connection.execute(SQL.complete, kind, *map(list, zip(*told, strict=True)))


async def owed(connection: Connection, case_id: str, debts: Debts) -> tuple[str, ...]:
    """The living cases, but those of this one, by which somebody owes something."""
    rows = await connection.fetch(SQL.owed, debts.procedure, debts.benefit, list(debts.people), case_id)
    return tuple(row["case_id"] for row in rows)


async def sights_of(connection: Connection, case_ids: Sequence[str]) -> dict[str, Sight]:
    """What decides who sees these cases."""
    rows = await connection.fetch(SQL.sights, list(case_ids))
    return {
        row["case_id"]: Sight(
            area=row["area"], reporter_subject=row["reporter_subject"], departments=frozenset(row["involved"])
        )
        for row in rows
    }
