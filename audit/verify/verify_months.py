"""Are the months that were taken away from the ledger those that were, whole, and not there after all (docs/operations.md)?

Whoever deletes entries could claim that they went with their month. So the record of such a month is held by the seals, and what
it says is compared: the ledger has no part for it, as many cases are known of it as went, nothing was written of it since,
and its table, as long as it stands here or is put back, has the very entries.
"""

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from audit.archive.records import SQL, one_moment
from audit.archive.seals import SQL as SEALS
from audit.archive.seals import Seal, all_seals
from audit.verify.verify import finding
from audit.verify.verify_seals import MONTH
from schemas.kernel.findings import Finding

CHECK = "ledger"
CLOCKS_APART = timedelta(minutes=10)
"""The record has the database's time, a seal the archiver's."""


async def verify_months(pool: asyncpg.Pool, *, whole: bool) -> AsyncIterator[Finding]:
    """One finding for each month that was taken away, by the name of its table.

    `whole` False: single cases are looked at. Only what is wrong is said then, and no table is read whole.
    """
    async with one_moment(pool) as connection:
        months = await connection.fetch(SQL.detached_months)
        seals = await all_seals(connection)
        sealed = {
            (row["place"], row["hash"]): row["first_seal"]
            for row in await connection.fetch(SEALS.all_leaves)
            if row["kind"] == MONTH
        }
        digests = {
            row["partition"]: await connection.fetchval(SQL.entries_digest, row["partition"])
            for row in months
            if whole and row["stands"]
        }
    for row in months:
        faults = [*_faults(row, digests.get(row["partition"])), *_seal_faults(row, sealed, seals)]
        if whole or faults:
            yield finding(row["partition"], CHECK, faults, _words(row))
    for partition in sorted({place for place, _ in sealed} - {row["partition"] for row in months}):
        fault = f"months-changed: {partition}: a seal holds that it was taken away, and there is no record of it"
        yield finding(partition, CHECK, [fault], "")


def _faults(row: Any, digest: str | None) -> Iterator[str]:
    place = f"months-changed: {row['partition']}"
    if row["is_part"]:
        yield f"{place}: it is said to be taken away, and the ledger has a part with its months"
    if row["cases_known"] != row["cases"]:
        yield f"{place}: {row['cases']} cases were taken away with it, and {row['cases_known']} are known of its months"
    if row["written_since"]:
        yield f"{place}: the ledger has {row['written_since']} entries of its months"
    if digest is not None and digest != row["digest"]:
        yield f"{place}: its table has other entries than were taken away"


def _seal_faults(row: Any, sealed: dict[tuple[str, str], int], seals: Sequence[Seal]) -> Iterator[str]:
    held = {hash_: seal for (place, hash_), seal in sealed.items() if place == row["partition"]}
    if others := {hash_: seal for hash_, seal in held.items() if hash_ != row["hash"]}:
        yield f"months-changed: {row['partition']}: seal {min(others.values())} holds another record of it"
    since = [seal.number for seal in seals if _made_at(seal) > row["detached_at"] + CLOCKS_APART]
    if not held and since:
        yield f"months-changed: {row['partition']}: seal {min(since)} was made since, and does not hold that it was taken away"


def _made_at(seal: Seal) -> datetime:
    return datetime.fromisoformat(json.loads(seal.body)["at"])


def _words(row: Any) -> str:
    where = "its table stands beside the ledger" if row["stands"] else "its table is not in this database"
    return f"{row['cases']} cases, {row['entries']} entries, taken away on {row['detached_at']:%Y-%m-%d}; {where}"
