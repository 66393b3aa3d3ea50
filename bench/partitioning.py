"""What people wait for while the ledger of an old town is laid into months: one writes and one reads all the while.

    python -m bench.partitioning [CASES …]     100,000 by default; 1,000,000 take half an hour and 20 GB

A database as it was before, filled in SQL with the entries of one real case, is migrated to today. The writer takes down entries of
open cases by the function by which workers do, the reader reads chains; both as processes would that were started before.
"""

import asyncio
import random
import secrets
import shutil
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from bench.fill import OPEN, grow
from bench.shape import REPORT
from engine.keys.keys import Keys
from engine.keys.tokens import issue
from engine.runtime.settings import Settings
from engine.store.database import open_pool
from engine.store.migrations import FOLDER, migrate
from local.town.postgres import passwords_of
from local.town.town import TownOptions, open_town
from schemas.values.actor import Role

FIRST_NEW = "20261205000060"
ENTRIES = 9
"""Of each case, as in bench/fill.py."""
BESIDE_SECONDS = 10.0
"""Before and after the migration."""
PAUSE_SECONDS = 0.002
P99 = 98
RUN = "bench"

FILL = """
insert into ledger (case_id, seq, at, kind, actor, body, prev_hash, hash, run_id, task_at)
select case_id, number, opened_at, kind, actor, replace(body, $4, case_id),
       md5(case_id || number - 1) || md5(case_id || number - 1),
       case when number = $3 then head_hash else md5(case_id || number) || md5(case_id || number) end, $5, task_at
from (select * from cases order by case_id limit $1 offset $2) as each cross join generate_series(1, $3::integer) as number
join unnest($6::text[], $7::text[], $8::text[]) with ordinality as told (kind, actor, body, place)
    on place = 1 + number % cardinality($6::text[])
"""
_WORKERS_BEFORE = ("ledger_notes_documents", "ledger_notes_persons", "ledger_queues_for_webhooks")
BATCH = 20_000
WRITE = "select write_case($1, $2, '[]', $3, $4, $3, false, null)"
READ = "select seq, body, hash from chain_of($1)"


@dataclass
class Waited:
    """What one who goes on has waited each time, in milliseconds, by what was done meanwhile."""

    by_time: dict[str, list[float]] = field(default_factory=dict)

    def note(self, while_: str, began: float) -> None:
        """Write down how long it took since `began`."""
        self.by_time.setdefault(while_, []).append((time.perf_counter() - began) * 1000)


class Town:
    """The database of an old town, and those who use it."""

    def __init__(self, pool: asyncpg.Pool, cases: list[asyncpg.Record]) -> None:
        self._pool = pool
        self._heads = {row["case_id"]: [row["told"], ENTRIES, row["head_hash"]] for row in cases}
        self.now = "before"
        self.writer, self.reader = Waited(), Waited()

    async def write(self) -> None:
        """Take down one entry after the other."""
        while True:
            case_id = random.choice(list(self._heads))  # noqa: S311 - nothing secret
            told, seq, head = self._heads[case_id]
            new = secrets.token_hex(32)
            now = datetime.now(UTC)
            entry = {"seq": seq + 1, "at": now, "kind": "incident:urged", "actor": "engine:engine", "body": "{}",
                     "prev_hash": head, "hash": new}  # fmt: skip
            began = time.perf_counter()
            word = await self._pool.fetchval(WRITE, told | {"seq": seq + 1, "head_hash": new}, [entry], RUN, now)
            self.writer.note(self.now, began)
            if word != "written":
                raise AssertionError(f"an entry was not taken: {word}")
            self._heads[case_id][1:] = [seq + 1, new]
            await asyncio.sleep(PAUSE_SECONDS)

    async def read(self) -> None:
        """Read one chain after the other."""
        while True:
            case_id = random.choice(list(self._heads))  # noqa: S311 - nothing secret
            known = self._heads[case_id][1]
            began = time.perf_counter()
            chain = await self._pool.fetch(READ, case_id)
            self.reader.note(self.now, began)
            if len(chain) < known:
                raise AssertionError(f"{known} entries were written, {len(chain)} are read")
            await asyncio.sleep(PAUSE_SECONDS)


async def run(sizes: list[int]) -> None:
    """Measure at each size, in a database of its own."""
    with tempfile.TemporaryDirectory(prefix="jiceng-partitioning-") as folder:
        async with open_town(TownOptions(data=Path(folder))) as town:
            real, entries = await _one_case(town.settings)
            for size in sizes:
                await _measured(town.settings, size, real, entries)


async def _one_case(settings: Settings) -> tuple[dict[str, Any], list[asyncpg.Record]]:
    """A case that somebody really reported: its row and its entries."""
    resident = issue(Keys.load(settings.key_folder), subject="resident-bench", role=Role.RESIDENT)
    headers = {"Authorization": f"Bearer {resident}", "Idempotency-Key": "partitioning"}
    async with (
        httpx.AsyncClient(base_url=settings.api_url, trust_env=False, timeout=120) as http,
        await open_pool(settings, process="bench") as pool,
    ):
        answer = await http.post("/api/v1/incidents", json=REPORT, headers=headers)
        case_id = answer.raise_for_status().json()["case_id"]
        await http.get(f"/api/v1/cases/{case_id}", headers=headers, params={"wait": "stage:dispatched"})
        row = await pool.fetchrow("select * from cases where case_id = $1", case_id)
        return dict(row or {}), await pool.fetch("select kind, actor, body from chain_of($1)", case_id)


async def _measured(settings: Settings, size: int, real: dict[str, Any], entries: list[asyncpg.Record]) -> None:
    url = await _database(settings, f"before_{size}")
    with tempfile.TemporaryDirectory(prefix="jiceng-before-") as older:
        for file in FOLDER.glob("*.sql"):
            if file.name < FIRST_NEW:
                shutil.copy(file, older)
        await migrate(url, Path(older))
    async with await open_pool(settings.model_copy(update={"database_url": url}), process="bench") as pool:
        began = time.perf_counter()
        await grow(pool, real, 1, size)
        await _fill_ledger(pool, size, str(real["case_id"]), entries)
        filled = time.perf_counter() - began
        open_cases = await pool.fetch("select case_id, head_hash, to_jsonb(cases) as told from cases where not ended")
        town = Town(pool, open_cases)
        going_on = [asyncio.create_task(town.write()), asyncio.create_task(town.read())]
        await asyncio.sleep(BESIDE_SECONDS)
        town.now = "during"
        began = time.perf_counter()
        await migrate(url, wait_seconds=60)
        took = time.perf_counter() - began
        town.now = "after"
        await asyncio.sleep(BESIDE_SECONDS)
        for task in going_on:
            if task.done():
                task.result()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        held = await pool.fetchval("select sum(pg_total_relation_size(relid)) from pg_partition_tree('ledger')")
    report(size, filled, took, int(held), town)


async def _database(settings: Settings, name: str) -> SecretStr:
    place = urlsplit(settings.database_url.get_secret_value())
    password = passwords_of(settings.data / "postgres")["postgres"]
    connection = await asyncpg.connect(
        host=place.hostname, port=place.port, user="postgres", password=password, database="postgres", ssl=False
    )
    try:
        await connection.execute(f"create database {name} owner {place.username}")
    finally:
        await connection.close()
    return SecretStr(place._replace(path=f"/{name}").geturl())


async def _fill_ledger(pool: asyncpg.Pool, size: int, real_id: str, entries: list[asyncpg.Record]) -> None:
    told = [[row[name] for row in entries] for name in ("kind", "actor", "body")]
    async with pool.acquire() as connection:
        await connection.execute("set statement_timeout = 0; set synchronous_commit = off")
        for trigger in _WORKERS_BEFORE:
            await connection.execute(f"alter table ledger disable trigger {trigger}")
        for begin in range(0, size, BATCH):
            await connection.execute(FILL, BATCH, begin, ENTRIES, real_id, RUN, *told, timeout=600)
        for trigger in _WORKERS_BEFORE:
            await connection.execute(f"alter table ledger enable trigger {trigger}")
        await connection.execute("update cases set first_run_id = $1 where not ended", RUN, timeout=600)
        await connection.execute("vacuum analyze ledger", timeout=3600)
        await connection.execute("reset statement_timeout; reset synchronous_commit")


def report(size: int, filled: float, took: float, held: int, town: Town) -> None:
    """A table for people."""
    table = Table(
        title=f"{size:,} cases, {size * ENTRIES:,} entries, {held / 2**30:.1f} GiB (filled in {filled:.0f} s), {OPEN} open; "
        f"migrated in {took:.1f} s"
    )
    for column in ("who", "while", "times", "median ms", "p99 ms", "longest ms"):
        table.add_column(column)
    for who, waited in (("writer", town.writer), ("reader", town.reader)):
        for when, taken in waited.by_time.items():
            table.add_row(
                who,
                when,
                f"{len(taken):,}",
                f"{median(taken):.2f}",
                f"{quantiles(taken, n=100)[P99]:.1f}",
                f"{max(taken):.0f}",
            )
    Console(width=120).print(table)


if __name__ == "__main__":
    asyncio.run(run([int(given) for given in sys.argv[1:]] or [100_000]))
