"""Waiting for what another process does."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from engine.runtime.settings import Settings
from starter.cases.announcements import CASES, Announcements
from starter.cases.case_states import CaseStates
from tests.waiting import eventually

NEVER = 60.0


@pytest.fixture
async def announcements(settings: Settings) -> AsyncIterator[Announcements]:
    """Announcements that look again by themselves only after the test has long failed."""
    made = Announcements(settings, CaseStates({}), look_again_seconds=NEVER)
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


class Looking:
    """Somebody who finds something at the fourth look: one is the first, one may come when listening begins."""

    def __init__(self) -> None:
        self.looks = 0

    async def __call__(self) -> str | None:
        """Look."""
        self.looks += 1
        return "found" if self.looks > 3 else None


async def test_an_announcement_wakes_who_waits_for_it(announcements: Announcements, pool: asyncpg.Pool) -> None:
    """Whoever waits looks again at once when the database announces what they wait for, and not for anything else."""
    looking = Looking()
    waiting = asyncio.create_task(announcements.until(CASES, "case-1", looking, NEVER))
    await eventually(lambda: _announced(pool, waiting, "case-1"))

    assert await waiting == "found"


async def test_an_announcement_for_another_wakes_nobody(announcements: Announcements, pool: asyncpg.Pool) -> None:
    """What is announced of one case does not make the others' callers look."""
    other, mine = Looking(), Looking()
    waiting = asyncio.create_task(announcements.until(CASES, "case-2", mine, NEVER))
    waiting_too = asyncio.create_task(announcements.until(CASES, "case-3", other, NEVER))
    await eventually(lambda: mine.looks + other.looks >= 2)
    looked_before = other.looks
    await eventually(lambda: _announced(pool, waiting, "case-2"))

    # Only the beginning of listening, which wakes everybody once, may have come in between.
    assert other.looks <= looked_before + 1
    waiting_too.cancel()


async def test_patience_has_an_end(settings: Settings) -> None:
    """Without any announcement a wait ends when its patience is over, after a last look."""

    async def nothing() -> str | None:
        return None

    assert await Announcements(settings, CaseStates({})).until(CASES, "case-4", nothing, 0.05) is None


async def _announced(pool: asyncpg.Pool, waiting: asyncio.Task[str | None], about: str) -> bool:
    await pool.execute("select pg_notify('told', $1)", about)
    await asyncio.sleep(0)
    return waiting.done()
