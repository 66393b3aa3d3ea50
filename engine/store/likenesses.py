"""Likenesses: what living cases have of each other, kept and found in the database."""

from collections.abc import Collection, Mapping

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from engine.store.database import Queries
from schemas.contracts.likeness import Likeness
from schemas.values.references import PersonReference

Connection = asyncpg.Connection | PoolConnectionProxy


class LikenessQueries(Queries):
    """engine/queries/likenesses.sql."""

    keep: str
    same_person: str
    possibly_same: str
    same_file: str
    same_matter: str


SQL = LikenessQueries.load("likenesses")


async def keep_likenesses(connection: Connection, case_id: str, stated: Mapping[PersonReference, bytes]) -> None:
    """Keep what a new case states of its people, as keyed digests."""
    await connection.execute(SQL.keep, case_id, list(stated.values()), list(stated))


async def alike(
    connection: Connection,
    case_id: str,
    files: Collection[str],
    keys: Collection[str] = (),
    fields: Collection[str] = (),
) -> dict[Likeness, tuple[str, ...]]:
    """The living cases that have something of this one, by what it is.

    `files`: the digests of its files; `keys`: what it is about to hold, where it holds nothing yet; `fields`: in which a case of
    the same matter is the same, none where no procedure says.
    """
    found = {
        Likeness.SAME_PERSON: await connection.fetch(SQL.same_person, case_id, list(keys)),
        Likeness.POSSIBLY_SAME: await connection.fetch(SQL.possibly_same, case_id),
        Likeness.SAME_FILE: await connection.fetch(SQL.same_file, case_id, list(files)),
        Likeness.SAME_MATTER: await connection.fetch(SQL.same_matter, case_id, list(fields)) if fields else [],
    }
    return {kind: tuple(row["case_id"] for row in rows) for kind, rows in found.items() if rows}
