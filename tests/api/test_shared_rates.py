"""How often an account may ask over all APIs: what two let through together, what that costs, and what without the database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg
import httpx

from engine.keys.keys import Keys
from engine.store.database import open_pool
from schemas.values.actor import Role
from starter.http.shared_rates import AWAY_SECONDS, DRAWS, SharedRates
from tests.api_callers import OwnTown, api_of, callers
from tests.waiting import eventually

pytest_plugins = ("tests.api_fixture",)

MOST = 3 * DRAWS
SLOW = 0.001
"""Requests a second: nothing comes back while a test looks."""


def rates(own_town: OwnTown, keys: Keys, kind: str = "request", per_second: float = SLOW) -> SharedRates:
    """What one API counts with: so many at once, and then for a long time nothing."""
    return SharedRates(keys, own_town.pool, kind, per_second, MOST / per_second)


async def let_through(one: SharedRates, whose: str = "busy", at_most: int = 2 * MOST) -> int:
    """How many requests an API lets through until it says no."""
    for number in range(at_most):
        if await one.take(whose) is not None:
            return number
    return at_most


async def test_two_apis_let_through_as_much_as_one(own_town: OwnTown, keys: Keys) -> None:
    """By turns, each with some drawn already; another account, and another kind of rate, have a bucket of their own."""
    one, other = rates(own_town, keys), rates(own_town, keys)
    taken = [await each.take("busy") for _ in range(10) for each in (one, other)]
    rest = [await let_through(each) for each in (one, other)]
    pause = await one.take("busy")

    assert taken == [None] * 20
    assert 20 + sum(rest) == MOST
    assert pause is not None
    assert 990 <= pause <= 1000
    assert await let_through(one, "somebody else") == MOST
    assert await let_through(rates(own_town, keys, "refused upload")) == MOST


async def test_all_at_one_moment_are_no_more_than_one_by_one(own_town: OwnTown, keys: Keys) -> None:
    """Whoever asks while another draws for the same account has of that."""
    one, other = rates(own_town, keys), rates(own_town, keys)
    answers = await asyncio.gather(*(each.take("busy") for _ in range(MOST) for each in (one, other)))

    assert sum(each is None for each in answers) == MOST


async def test_a_bucket_fills_evenly_and_never_over(own_town: OwnTown, keys: Keys) -> None:
    """After the time of five there are five; after a week as many as at first."""
    counts = []
    for waited in (timedelta(), timedelta(seconds=5 / SLOW), timedelta(days=7)):
        await own_town.pool.execute("update rates set drawn_at = drawn_at - $1::interval", waited)
        # One that was started since: what an API knows that said no, it knows for as long as it said.
        counts.append(await let_through(rates(own_town, keys)))

    assert counts == [MOST, 5, MOST]


async def test_looking_draws_nothing_also_in_many_apis(own_town: OwnTown, keys: Keys) -> None:
    """Whoever only asks leaves the bucket as it is, in each process that asks; where it is empty, it says so."""
    looked = {await rates(own_town, keys).left("busy") for _ in range(MOST)}
    through = await let_through(rates(own_town, keys))

    assert (looked, through) == ({None}, MOST)
    assert 990 <= (await rates(own_town, keys).left("busy") or 0) <= 1000


async def test_looking_takes_none(own_town: OwnTown, keys: Keys) -> None:
    """Whether there is one can be asked as often as one likes."""
    one = rates(own_town, keys)
    looked = {await one.left("busy") for _ in range(2 * MOST)}
    through = await let_through(one)

    assert looked == {None}
    assert through == MOST
    assert await one.left("busy") is not None


async def left_are(pool: asyncpg.Pool, number: int) -> bool:
    """Whether so many buckets are kept."""
    return bool(await pool.fetchval("select count(*) = $1::integer from rates", number))


@asynccontextmanager
async def held(pool: asyncpg.Pool) -> AsyncIterator[None]:
    """Whoever draws from a bucket that there is waits."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("select from rates for update")
        yield


async def test_what_was_drawn_is_spent_without_the_database(own_town: OwnTown, keys: Keys) -> None:
    """A twentieth of a bucket is drawn at once; and who is told to wait is told so without a question."""
    one, refusing = rates(own_town, keys), rates(own_town, keys)
    await one.take("busy")
    await let_through(refusing)
    async with held(own_town.pool), asyncio.timeout(0.5):
        spent = [await one.take("busy") for _ in range(MOST // DRAWS - 1)]
        told = await refusing.take("busy")

    assert spent == [None] * (MOST // DRAWS - 1)
    assert told is not None


async def test_a_database_that_does_not_answer_holds_nobody_up(own_town: OwnTown, keys: Keys) -> None:
    """It is waited for a second, then not asked for three, and each API counts by itself: everybody else goes on too.

    It goes on from what was left of the bucket; and whoever it knows nothing of gets what one draw would give.
    """
    one = rates(own_town, keys)
    await one.take("busy")
    async with held(own_town.pool):
        async with asyncio.timeout(AWAY_SECONDS):
            first = await let_through(one)
            second = await let_through(one, "somebody else")

    assert first == MOST - 1
    assert second == MOST // DRAWS


async def test_without_a_database_each_api_counts_by_itself(own_town: OwnTown, keys: Keys) -> None:
    """Nothing listens there: each API gives as much as one draw would, and from then on what comes back in time."""
    async with asyncpg.create_pool("postgresql://nobody@127.0.0.1:9/none", min_size=0) as nowhere:
        alone = SharedRates(keys, nowhere, "request", SLOW, MOST / SLOW)

        assert await let_through(alone) == MOST // DRAWS
        assert await alone.left("busy") is not None


async def test_no_account_stands_in_the_table_and_full_buckets_go(own_town: OwnTown, keys: Keys) -> None:
    """A digest with a key of the town, and not longer than it says anything."""
    await rates(own_town, keys).take("wang-xiaoming")
    rows = await own_town.pool.fetch("select rates::text as row from rates")
    await own_town.pool.execute("""
        insert into rates select sha256(n::text::bytea), 0, 0, now(), now() from generate_series(1, 2500) as n
    """)
    await own_town.pool.execute("update rates set full_at = now() - interval '1 second'")
    async with own_town.pool.acquire() as connection, connection.transaction():
        # One of them is drawn from just now: nobody waits for it, and it stays.
        await connection.execute("select from rates limit 1 for update")
        assert await rates(own_town, keys).take("somebody else") is None
        await eventually(lambda: left_are(own_town.pool, 2))

    assert len(rows) == 1
    assert "wang" not in rows[0]["row"]


async def test_an_account_asks_two_apis_as_often_as_one(own_town: OwnTown, keys: Keys) -> None:
    """Three requests by turns at two APIs, each with its own connections; then both say 429, and to another account neither."""
    over = own_town.settings.model_copy(update={"requests_per_token": 0.003, "burst_seconds": 1000.0})
    async with (
        await open_pool(own_town.settings) as second,
        api_of(own_town.build(over=over)) as http,
        api_of(own_town.build(over=over, connections=second)) as other_http,
    ):
        apis: tuple[httpx.AsyncClient, ...] = (http, other_http, http, other_http, http)
        busy = [await callers(api, keys)(Role.SUPERVISOR, "busy").get("/api/v1/categories") for api in apis]
        calm = await callers(other_http, keys)(Role.SUPERVISOR, "calm").get("/api/v1/categories")

    assert [each.status_code for each in busy] == [200, 200, 200, 429, 429]
    assert 1 <= int(busy[4].headers["retry-after"]) <= 334
    assert calm.status_code == 200


async def test_no_rate_asks_nobody(own_town: OwnTown, keys: Keys) -> None:
    """Zero is no limit, and no row."""
    free = SharedRates(keys, own_town.pool, "request", 0, 10)

    assert {await free.take("busy") for _ in range(100)} == {None}
    assert await own_town.pool.fetchval("select count(*) from rates") == 0
