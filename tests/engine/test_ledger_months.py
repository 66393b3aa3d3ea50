"""The ledger lies in partitions by the month in which a case was opened, readings by theirs: guarded, found, never missing."""

import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr

from activities.ledger import QUERIES, Ledger
from audit.archive.ledger_months import AHEAD, ClocksDiffer, agreed_now, make_months
from audit.archive.records import SQL
from audit.verify.verify import verify_cases
from engine.store.database import QUERIES as QUERY_FOLDER
from engine.store.database import Queries
from engine.store.migrations import FOLDER, migrate
from schemas.audit.ledger import Batch
from schemas.incident import INCIDENT
from schemas.kernel.case import GENESIS
from tests.api_callers import OwnTown, api_of, watching
from tests.api_driver import ApiDriver, OpenDoor
from tests.engine.test_ledger import batch_after, stands
from tests.own_databases import own_database

pytest_plugins = ("tests.api_fixture",)

NOBODY_MADE = "incident-20991115-000001"
ODD_NUMBERS = ("incident-20261301-000001", "incident-99999999-000001", "incident-20260001-000001")
A_PARTITION = "select inhrelid::regclass::text as name from pg_inherits where inhparent = $1::text::regclass order by 1"
LOOKS = """
    select relname, coalesce(seq_scan, 0) + coalesce(idx_scan, 0) as looks
    from pg_stat_xact_user_tables join pg_inherits on inhrelid = relid where inhparent = 'ledger'::regclass
"""
ENTRIES = """
    insert into ledger (case_id, seq, at, kind, actor, body, prev_hash, hash, run_id, task_at)
    select case_id, 1, now(), 'tests:entry', 'engine:engine', '{}', '', case_id, '', now() from unnest($1::text[]) as case_id
"""
A_PERSON = """
    with person as (insert into persons (person_id, wrapped_key, master_key_id) values ('person:1', 'x', 'k'))
    insert into vault_items (item_id, person_id, kind) values ('text:1', 'person:1', 'name')
"""
READINGS = """
    insert into vault_reads (at, who, role, person_id, item_id, purpose)
    select $1, 'officer', 'officer', 'person:1', 'text:1', 'show-timeline' from generate_series(1, $2::integer)
"""
OF_ALL_CASES = {
    "archive.runs_told_of", "audit.known_cases", "ledger.cases_with_ledger", "payments.payments_of_month",
    "payments.recoveries_of_month", "restore.begin_again",
}  # fmt: skip
"""Queries that ask about no case in particular; whoever asks about one says `ledger_of`."""
ASKS_ALL = re.compile(r"\b(?:from|join)\s+ledger\b(?!_)")
BEFORE_MONTHS = "20261205000060"


@pytest.fixture
async def town(door: OpenDoor) -> ApiDriver:
    """A town at real speed."""
    return await door(INCIDENT)


@asynccontextmanager
async def from_before(own_town: OwnTown, folder: Path) -> AsyncIterator[tuple[SecretStr, asyncpg.Pool]]:
    """A database as it was before there were months."""
    for file in FOLDER.glob("*.sql"):
        if file.name < BEFORE_MONTHS:
            shutil.copy(file, folder)
    async with own_database(own_town.settings, empty=True) as url, asyncpg.create_pool(url.get_secret_value()) as pool:
        await migrate(url, folder)
        yield url, pool


async def partitions_of(pool: asyncpg.Pool, table: str = "ledger") -> list[str]:
    return [row["name"] for row in await pool.fetch(A_PARTITION, table)]


async def batch_of(pool: asyncpg.Pool, town: ApiDriver, case_id: str) -> Batch:
    """The first words of a case with this number, as a case of the town would tell them."""
    like = await batch_after(pool, await stands(pool, await town.start()), timedelta())
    entry = like.entries[0].model_copy(update={"case_id": case_id, "seq": 1, "prev_hash": GENESIS}).sealed()
    row = like.projection.model_copy(update={"case_id": case_id, "seq": 1, "head_hash": entry.hash})
    return like.model_copy(update={"entries": (entry,), "row": row.model_dump_json()})


@pytest.mark.parametrize(
    ("table", "column", "key"), [("ledger", "kind", "(case_id, seq, hash)"), ("vault_reads", "who", "(read_id)")]
)
async def test_each_partition_is_guarded_and_has_its_key(table: str, column: str, key: str, own_town: OwnTown) -> None:
    """Nobody gets round the guard by naming a partition, in no kind of session; each keeps an entry from standing twice."""
    pool = own_town.pool
    await make_months(pool, datetime(2030, 5, 1, tzinfo=UTC))
    partitions = await partitions_of(pool, table)

    assert {f"{table}_first", f"{table}_other"} < set(partitions)
    for partition in partitions:
        for change in ("delete from {}", "truncate {}", "update {} set {} = null"):
            with pytest.raises(asyncpg.RaiseError, match="only ever added"):
                await pool.execute(change.format(partition, column))
        always = (
            "select tgenabled = 'A' from pg_trigger where tgrelid = $1::text::regclass and tgname like '%only_grow%'"
        )
        assert await pool.fetchval(always, partition)
        made = "select pg_get_indexdef(indexrelid) from pg_index where indrelid = $1::text::regclass and indisprimary"
        assert str(await pool.fetchval(made, partition)).endswith(key)


@pytest.mark.usefixtures("worker")
async def test_a_month_that_nobody_made_is_kept_like_any_other(
    town: ApiDriver, pool: asyncpg.Pool, own_town: OwnTown
) -> None:
    """Its entries are taken once, read and verified; it stays where it is, and the months after it are made."""
    batch = await batch_of(pool, town, NOBODY_MADE)
    for _ in range(2):
        await Ledger(own_town.pool).write(batch)
    [lies] = await own_town.pool.fetch("select tableoid::regclass::text as partition from ledger")
    found = await anext(verify_cases(own_town.pool, [NOBODY_MADE]))

    assert (lies["partition"], found.ok) == ("ledger_other", True)
    assert await make_months(own_town.pool, datetime(2099, 11, 1, tzinfo=UTC)) >= AHEAD
    made = {name for name in await partitions_of(own_town.pool) if name > "ledger_2099" and name != "ledger_first"}
    assert made == {"ledger_209912", "ledger_210001", "ledger_210002", "ledger_other"}
    assert await make_months(own_town.pool, datetime(2099, 11, 1, tzinfo=UTC)) == 0
    [same] = await own_town.pool.fetch(SQL.entries_of_case, NOBODY_MADE)
    assert same["hash"] == batch.entries[0].hash


async def _written(connection: Any, batch: Batch) -> None:
    await Ledger(connection).write(batch)


async def _chain(connection: Any, batch: Batch) -> None:
    await connection.fetch(QUERIES.entries_of_case, batch.entries[0].case_id)


async def _all(connection: Any, batch: Batch) -> None:
    await connection.fetch(SQL.entries_of_case, batch.entries[0].case_id)


async def _head(connection: Any, batch: Batch) -> None:
    await connection.fetch(SQL.run_of_head, batch.entries[0].case_id)


async def test_a_clock_that_stood_years_ahead_keeps_no_month_from_being_made(own_town: OwnTown) -> None:
    """Some parts far ahead are there to no use; those of the present are made in their time, also between the others."""
    pool = own_town.pool
    await make_months(pool, datetime(2036, 1, 1, tzinfo=UTC))
    assert await make_months(pool, datetime(2030, 11, 1, tzinfo=UTC)) == AHEAD + 1
    assert await make_months(pool, datetime(2030, 9, 1, tzinfo=UTC)) == 2
    assert await make_months(pool, datetime(2030, 10, 1, tzinfo=UTC)) == 0
    partitions = await partitions_of(pool)
    assert {"ledger_203009", "ledger_203010", "ledger_203102", "ledger_203601"} < set(partitions)


async def test_a_town_with_a_fast_clock_has_a_part_for_a_year(own_town: OwnTown) -> None:
    """What no part has of this year, and the years after it, each once; its cases lie in them."""
    pool = own_town.pool
    await make_months(pool, datetime(2030, 3, 1, tzinfo=UTC), ahead=0)
    assert await make_months(pool, datetime(2030, 6, 1, tzinfo=UTC), ahead=2, by_years=True) == 3
    assert await make_months(pool, datetime(2030, 6, 1, tzinfo=UTC), ahead=2, by_years=True) == 0
    await pool.execute(ENTRIES, ["incident-20301231-000001", "incident-20310101-000001"])
    lies = await pool.fetch("select tableoid::regclass::text as partition from ledger order by case_id")
    assert [row["partition"] for row in lies] == ["ledger_203004", "ledger_203101"]


async def test_months_are_made_by_the_database_s_clock_and_not_against_it(own_town: OwnTown) -> None:
    """A machine of which the clock stands years away is told so; some hours are nothing."""
    now = await agreed_now(own_town.pool, datetime.now(UTC) + timedelta(hours=9))
    with pytest.raises(ClocksDiffer) as far:
        await agreed_now(own_town.pool, datetime.now(UTC) + timedelta(days=3650))

    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)
    assert far.value.seconds > timedelta(days=3000).total_seconds()


async def test_whoever_watches_sees_that_entries_lie_in_no_month(own_town: OwnTown) -> None:
    """An alert asks for this number."""
    await own_town.pool.execute(ENTRIES, [NOBODY_MADE])
    async with api_of(own_town.build()) as http:
        shown = (await http.get("/metrics", headers=watching(own_town.settings))).text

    assert "jiceng_ledger_other_entries 1.0" in shown


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("look", [_written, _chain, _all, _head])
@pytest.mark.parametrize("plans", ["force_custom_plan", "force_generic_plan"])
async def test_one_case_is_looked_for_in_one_part(
    look: Any, plans: str, town: ApiDriver, pool: asyncpg.Pool, own_town: OwnTown
) -> None:
    """However many months there are, what is done with one case looks into the one where it lies, also by a plan made for all."""
    batch = await batch_of(pool, town, "incident-20300615-000001")
    await make_months(own_town.pool, datetime(2030, 5, 1, tzinfo=UTC))
    await Ledger(own_town.pool).write(batch)
    following = await batch_after(own_town.pool, batch.entries[0].case_id, timedelta(seconds=1))
    async with own_town.pool.acquire() as connection, connection.transaction():
        await connection.execute(f"set local plan_cache_mode = {plans}")
        before = {(row["relname"], row["looks"]) for row in await connection.fetch(LOOKS)}
        await look(connection, following)
        looked_into = {row["relname"] for row in await connection.fetch(LOOKS) if tuple(row) not in before}

    assert looked_into == {"ledger_203006"}


async def test_a_ledger_from_before_becomes_the_first_part(own_town: OwnTown, tmp_path: Path) -> None:
    """Migrated while it holds cases, it keeps every entry and takes new ones of old cases; cases of later months lie apart."""
    async with from_before(own_town, tmp_path) as (url, pool):
        await pool.execute(ENTRIES, ["incident-20261101-000001", "welfare-20270103-000001", "no-number"])
        await pool.execute(ENTRIES, [*ODD_NUMBERS])
        await pool.execute("grant select on ledger to public")
        stood = await pool.fetch("select * from ledger order by case_id")
        await migrate(url)

        assert await pool.fetch("select * from ledger order by case_id") == stood
        assert await pool.fetchval("select count(*) from ledger_first") == len(stood)
        # A town that goes back to the release before, as the next step did not come through, takes cases for a year.
        assert await pool.fetchval(
            "select months_of('ledger_first'::regclass) @> to_char(now() + interval '1 year', 'YYYYMM')::integer"
        )
        await pool.execute(ENTRIES, ["welfare-20270103-000002", "welfare-20301231-000001"])
        lies = await pool.fetch("select case_id, tableoid::regclass::text as partition from ledger where not case_id = any($1)",
                                [row["case_id"] for row in stood])  # fmt: skip
        assert {row["case_id"]: row["partition"] for row in lies} == {
            "welfare-20270103-000002": "ledger_first",
            "welfare-20301231-000001": "ledger_other",
        }
        with pytest.raises(asyncpg.UniqueViolationError):
            await pool.execute(ENTRIES, ["welfare-20270103-000002"])
        may = await pool.fetchrow(
            "select has_table_privilege('public', 'ledger', 'select'), has_table_privilege('public', 'ledger', 'insert')"
        )
        assert may is not None
        assert tuple(may) == (True, False)


async def test_one_can_go_back_to_one_table_and_again_to_months(own_town: OwnTown) -> None:
    """While no month was taken away: each migration undone, the last one first, and done once more, with every entry kept."""
    pool = own_town.pool
    await pool.execute(ENTRIES, ["incident-20261101-000001", NOBODY_MADE, "no-number"])
    stood = await pool.fetch("select * from ledger order by case_id")
    for file in sorted((each for each in FOLDER.glob("*.sql") if each.name >= BEFORE_MONTHS), reverse=True):
        await pool.execute(file.read_text().split("-- migrate:down")[1])
    assert await pool.fetchval("select relkind::text from pg_class where oid = 'ledger'::regclass") == "r"
    assert await pool.fetch("select * from ledger order by case_id") == stood
    await pool.execute("delete from schema_migrations where version >= $1", BEFORE_MONTHS)
    await migrate(own_town.settings.database_url)

    assert await pool.fetch("select * from ledger order by case_id") == stood
    assert await pool.fetchval("select count(*) from ledger_first") == len(stood)


async def test_readings_from_before_keep_their_numbers_and_new_ones_follow(own_town: OwnTown, tmp_path: Path) -> None:
    """Migrated while it has readings, the record keeps each and gives the next its number; one of a missing month is taken."""
    async with from_before(own_town, tmp_path) as (url, pool):
        await pool.execute(A_PERSON)
        await pool.execute(READINGS, datetime.now(UTC), 3)
        stood = await pool.fetch("select * from vault_reads order by read_id")
        await migrate(url)
        await pool.execute(READINGS, datetime.now(UTC), 1)
        await pool.execute(READINGS, datetime(2099, 11, 1, tzinfo=UTC), 1)
        now = await pool.fetch("select *, tableoid::regclass::text as partition from vault_reads order by read_id")

        assert [tuple(row)[:-1] for row in now[:3]] == [tuple(row) for row in stood]
        assert [row["read_id"] for row in now] == [1, 2, 3, 4, 5]
        assert [row["partition"] for row in now] == ["vault_reads_first"] * 4 + ["vault_reads_other"]
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            await pool.execute(READINGS.replace("'text:1'", "'text:2'"), datetime.now(UTC), 1)


async def test_who_asks_about_one_case_asks_one_partition(own_town: OwnTown) -> None:
    """No query, and no function in the database, looks through all months for a case that it can name."""
    queries = {file.stem: Queries.load(file.stem).texts for file in QUERY_FOLDER.glob("*.sql")}
    functions = await own_town.pool.fetch(
        "select proname, prosrc from pg_proc where pronamespace = 'public'::regnamespace"
    )

    assert {
        f"{file}.{name}" for file, texts in queries.items() for name, text in texts.items() if ASKS_ALL.search(text)
    } == OF_ALL_CASES
    assert {row["proname"] for row in functions if ASKS_ALL.search(row["prosrc"])} == {
        "ledger_of", "ledger_of_before", "chain_of_before",
    }  # fmt: skip
