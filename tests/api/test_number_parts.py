"""Lists by a part of a number read no more of the town than there is to find, however wrong Postgres guesses how many that is."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import asyncpg
import pytest

from schemas.clocks.calendar import SHANGHAI
from schemas.values.actor import Actor, Role
from starter.cases.case_lists import CaseLists, Filters, ListsTransaction, Sort
from starter.cases.case_queries import SQL
from starter.cases.number_parts import FEW
from tests.api_callers import OpenOwnTown

pytest_plugins = ("tests.api_fixture",)

CASES = 12_000
FIRST = datetime(2025, 1, 1, tzinfo=SHANGHAI)
NOW = FIRST + timedelta(hours=CASES)
PAGE = 25
SOME = 1000
CITY = Actor(subject="c", role=Role.COORDINATOR)

# One an hour, all of them ended; of 50 areas.
FILL = """
insert into cases (case_id, procedure, stage, area, holder, labels, opened_at, closed_at, ended, seq, head_hash, clocks, snapshot,
                   task_at)
select 'incident-' || to_char(opened at time zone 'Asia/Shanghai', 'YYYYMMDD') || '-' || lpad(n::text, 6, '0'),
       'incident', 'closed', '900.' || n % 50, '', '{}', opened, opened, true, 1, '', '[]', '{}', opened
from (select n, $1::timestamptz + n * interval '1 hour' as opened from generate_series(0, $2::integer - 1) as numbers (n)) as made
"""
GUESSED_FROM = """
select histogram_bounds::text::text[] from pg_stats where tablename = 'searched_numbers' and attname = 'case_id'
"""
READ_OF_CASES = """
select coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) from pg_stat_xact_user_tables where relname = 'cases'
"""
"""Rows of the table that this connection has looked at in this transaction, and in those before that are not added up yet."""


@pytest.fixture(scope="module")
async def old_town(open_own_town: OpenOwnTown) -> AsyncIterator[asyncpg.Pool]:
    """Tables with many cases in them."""
    async with open_own_town() as town:
        await town.pool.execute(FILL, FIRST, CASES)
        await town.pool.execute("vacuum analyze cases, searched_numbers")
        yield town.pool


async def page_of(pool: asyncpg.Pool, part: str, sort: Sort) -> tuple[list[str], int]:
    """The first page of a list, and how many rows of the table were looked at for it."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(SQL.plan_for_what_is_asked)
        lists, filters = ListsTransaction(connection), Filters(number=part)
        before = await connection.fetchval(READ_OF_CASES)
        rows, _ = await lists.page(CITY, filters, NOW, sort=sort, after=None, limit=PAGE)
        return [row.case_id for row in rows], await connection.fetchval(READ_OF_CASES) - before


@pytest.mark.parametrize("sort", Sort)
async def test_what_is_rare_is_not_looked_for_in_the_whole_town(old_town: asyncpg.Pool, sort: Sort) -> None:
    """What has a number from which Postgres guesses seems a hundred times as common as it is, and is found at once all the same."""
    guessed_from = await old_town.fetchval(GUESSED_FROM)
    asked = [number for number in guessed_from[1:-1:20] if number is not None]
    found = {number: await page_of(old_town, number[-6:], sort) for number in asked}

    assert len(asked) >= 3
    assert found == {number: ([number], 1) for number in asked}


@pytest.mark.parametrize(
    ("sort", "month"), [(Sort.OPENED, "202501"), (Sort.DUE, f"{NOW - timedelta(days=31):%Y%m}")]
)  # each the last in its order
async def test_a_month_is_found_and_then_put_in_order(old_town: asyncpg.Pool, sort: Sort, month: str) -> None:
    """What lies together at the end of a list is not looked for from its beginning on."""
    having = await old_town.fetchval("select count(*) from cases where strpos(case_id, $1) > 0", month)
    first = "opened_at desc" if sort is Sort.OPENED else "case_id"
    wanted = await old_town.fetch(
        f"select case_id from cases where strpos(case_id, $1) > 0 order by {first} limit {PAGE}",  # noqa: S608 - two known words
        month,
    )
    found, read = await page_of(old_town, month, sort)

    assert found == [row["case_id"] for row in wanted]
    assert PAGE < read <= having < FEW


@pytest.mark.parametrize("sort", Sort)
async def test_what_many_have_is_found_on_the_way(old_town: asyncpg.Pool, sort: Sort) -> None:
    """Where too many have a part, the list is gone through in its order until there is a page."""
    found, read = await page_of(old_town, "incident-20", sort)

    assert len(set(found)) == PAGE
    assert read <= 2 * PAGE


@pytest.mark.parametrize("sort", Sort)
async def test_the_beginning_of_a_number_is_looked_for_by_its_order(old_town: asyncpg.Pool, sort: Sort) -> None:
    """A case lies beside those that it has started, a day's cases lie together; what begins within a name is a part like others."""
    whole = await old_town.fetchval("select max(case_id) from cases")
    day, under = whole[: -len("-000001")], f"{whole}."
    plan = await old_town.fetchval(f"explain (format json) {SQL.numbers_with_beginning}", under, FEW)

    assert [(await page_of(old_town, part, sort))[0] for part in (whole.upper(), whole[3:])] == [[whole], [whole]]
    assert (await page_of(old_town, under, sort)) == ([], 0)
    assert all(number.startswith(day) for number in (await page_of(old_town, day, sort))[0])
    assert "searched_numbers_by_beginning" in str(plan)


async def test_what_many_have_is_counted_as_far_as_asked_and_else_to_the_end(old_town: asyncpg.Pool) -> None:
    """Of many that have a part some are looked at first; where the other filters leave too few of those, all are counted."""
    async with CaseLists(old_town).transaction() as lists:
        everywhere = await lists.count_some(CITY, Filters(number="incident"), NOW, SOME)
        in_one_area = await lists.count_some(CITY, Filters(number="incident", area="900.7"), NOW, SOME)
        short = await lists.count_some(CITY, Filters(number="20"), NOW, CASES + 1)
        nowhere = await lists.count_some(CITY, Filters(number="no-such-part"), NOW, SOME)

    assert (everywhere, in_one_area, short, nowhere) == (SOME, CASES // 50, CASES, 0)
