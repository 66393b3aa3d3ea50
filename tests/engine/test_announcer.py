"""Telling of what was written, afterwards: every API hears it, the commit of the writing holds no announcement."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from temporalio.client import Client

from activities.ledger import Ledger
from bench.same_ledger import opened
from engine.keys.keys import Keys
from engine.store.announcer import Announcer
from schemas.audit.ledger import Batch, facts_of, row_of
from schemas.kernel.case import ENGINE, GENESIS, Entry
from starter.cases.announcements import CASES, Announcements
from starter.cases.case_states import CaseStates
from tests.api_callers import OwnTown, api_of, callers
from tests.waiting import eventually
from worker import town_worker

pytest_plugins = ("tests.api_fixture",)

NEVER = 60.0
CASE = "incident-20261123-000001"


@pytest.fixture
async def heard(own_town: OwnTown) -> AsyncIterator[list[str]]:
    """What Postgres tells who listens as an API does."""
    words: list[str] = []
    listener = await asyncpg.connect(own_town.settings.database_url.get_secret_value())
    await listener.add_listener("told", lambda *word: words.append(str(word[-1])))
    yield words
    await listener.close()


async def test_what_was_written_is_told_with_its_head(own_town: OwnTown, heard: list[str]) -> None:
    """Whoever writes with an announcer tells it afterwards, once; without one the commit does, as of a worker from before."""
    first = _batch(1, GENESIS)
    async with Announcer(own_town.pool) as announcer:
        receipt = await Ledger(own_town.pool, announcer=announcer).write(first)
        second = _batch(2, receipt.head_hash)
        await Ledger(own_town.pool).write(second)

    expected = sorted(f"{CASE} {batch.entries[0].hash}" for batch in (first, second))
    await eventually(lambda: sorted(heard) == expected)


async def test_many_words_at_once_are_few_transactions_and_none_is_lost(own_town: OwnTown, heard: list[str]) -> None:
    """What is written while one announcement is under way is told by the next one; of one case the last word only."""
    calls = _Counted(own_town.pool)
    async with Announcer(calls) as announcer:  # type: ignore[arg-type] # it asks no more of a pool
        for number in range(200):
            announcer.tell(f"case-{number % 100}", f"head-{number}")
            if number == 149:
                await asyncio.sleep(0)
    last_words = {f"case-{number % 100} head-{number}" for number in range(100, 200)}
    await eventually(lambda: last_words <= set(heard))

    assert calls.count == 2
    assert len(heard) == 100 + 50, "of the half that had another word meanwhile, both"


async def test_a_word_that_cannot_be_said_disturbs_nobody(own_town: OwnTown) -> None:
    """While Postgres is away words are lost; whoever writes goes on, and each later word is tried."""
    nowhere = asyncpg.create_pool("postgresql://jiceng@127.0.0.1:1/jiceng", min_size=0, timeout=1)
    async with nowhere:
        calls = _Counted(nowhere)
        announcer = Announcer(calls)  # type: ignore[arg-type] # it asks no more of a pool
        for head in ("first", "second"):
            announcer.tell("case-1", head)
            await announcer.stop()

    assert calls.count == 2


async def test_in_a_town_no_commit_of_a_case_announces_and_who_waits_hears_at_once(
    own_town: OwnTown, keys: Keys, temporal: Client
) -> None:
    """Worker and API tell afterwards: what a case does by itself, and what it told with an answer, wakes who waits elsewhere."""
    await own_town.pool.execute(_NOTED)
    async with (
        town_worker(own_town.settings, keys, temporal, own_town.pool) as worker,
        worker,
        api_of(own_town.build()) as http,
        _listening(own_town) as announcements,
    ):
        resident = callers(http, keys)()
        case = (await resident.report()).json()["case_id"]

        async def has(kind: str) -> bool:
            found = "select exists (select from ledger where case_id = $1 and kind = $2)"
            return bool(await own_town.pool.fetchval(found, case, kind))

        async def urged() -> bool | None:
            return await has("incident:urged") or None

        await eventually(lambda: has("incident:reported"))
        waiting = asyncio.create_task(announcements.until(CASES, case, urged, NEVER))
        await asyncio.sleep(0)
        assert (await resident.command(case, "urge")).status_code in {200, 202}
        async with asyncio.timeout(NEVER / 2):
            assert await waiting

    noted = await own_town.pool.fetch("select distinct announced from noted")
    assert [row["announced"] for row in noted] == ["later"]


class _Counted:
    """A pool that counts what is asked of it."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool, self.count = pool, 0

    async def execute(self, query: str, *asked: object) -> str:
        """Ask, and count."""
        self.count += 1
        return str(await self._pool.execute(query, *asked))


@asynccontextmanager
async def _listening(town: OwnTown) -> AsyncIterator[Announcements]:
    """An API's ear that never looks again by itself."""
    states = CaseStates({})
    made = Announcements(town.settings, states, look_again_seconds=NEVER)
    running = asyncio.create_task(made.run())
    try:
        await eventually(lambda: _listens(town.pool))
        yield made
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _listens(pool: asyncpg.Pool) -> bool:
    return bool(await pool.fetchval(f"select count(*) > 1 {_EARS}"))


def _batch(seq: int, before: str) -> Batch:
    state = opened()
    entry = Entry(
        case_id=CASE, seq=seq, at=state.opened_at, actor=ENGINE, kind="tests:entry", facts={}, prev_hash=before
    ).sealed()
    state = state.model_copy(update={"case_id": CASE, "seq": seq, "head_hash": entry.hash, "last_at": entry.at})
    row = row_of(state, facts_of(state))
    return Batch(row=row, run_id="tests", first_run_id="tests", task_at=state.opened_at, entries=(entry,))


_EARS = "from pg_stat_activity where application_name = 'jiceng announcements' and datname = current_database()"
_NOTED = """
    create table noted (announced text);
    create function note() returns trigger language plpgsql as
        $$ begin insert into noted values (current_setting('jiceng.announced', true)); return null; end $$;
    create trigger noted after insert on ledger for each row execute function note();
"""
