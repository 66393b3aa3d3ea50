"""Connections go back to the pool as they are: so nobody may leave anything in one."""

import re

import asyncpg
import pytest

from engine.runtime.settings import PROJECT
from engine.store.database import Queries

INSIDE = re.compile(r"\bpg_(try_)?advisory_lock\b|\bset_config\((?:[^()]|\([^()]*\))*,\s*false\s*\)", re.IGNORECASE)
STATEMENT = re.compile(r"(set(?!\s+local\b)|listen|prepare|declare|create\s+temp\w*)\b", re.IGNORECASE)


def left_behind(query: str) -> bool:
    """Whether a query would leave a setting, a lock or a listener in its session."""
    return bool(INSIDE.search(query) or STATEMENT.match(query.strip()))


def test_no_query_leaves_anything_in_its_session() -> None:
    """Settings and locks end with the transaction: no query sets, locks, listens or prepares for the session."""
    files = sorted((PROJECT / "engine" / "queries").glob("*.sql"))
    guilty = [
        f"{file.name}: {name}"
        for file in files
        for name, query in Queries.load(file.stem).texts.items()
        if left_behind(query)
    ]

    assert len(files) > 5
    assert guilty == []


@pytest.mark.parametrize(
    "query",
    [
        "select pg_advisory_lock(1)",
        "select set_config('plan_cache_mode', 'force_custom_plan', false)",
        "set search_path to other",
        "listen cases",
        "create temp table t (a int)",
    ],
)
def test_what_would_be_left_is_seen(query: str) -> None:
    """The reader itself finds what it is there for."""
    assert left_behind(query)


async def interrupted(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("select set_config('jiceng.left', 'behind', true)")
        raise RuntimeError("in the middle")


async def test_an_open_transaction_does_not_outlive_its_user(pool: asyncpg.Pool) -> None:
    """Whoever is interrupted in a transaction leaves none behind, and nothing of what it did."""
    with pytest.raises(RuntimeError, match="in the middle"):
        await interrupted(pool)
    async with pool.acquire() as connection:
        left = await connection.fetchval("select current_setting('jiceng.left', true)")
        open_still = connection.is_in_transaction()

    assert left in (None, "")
    assert not open_still


async def test_limits_are_said_in_the_session_and_not_at_its_start(pool: asyncpg.Pool) -> None:
    """A pooler refuses a connection that begins with limits, or drops them without a word: so the session sets them."""
    limits = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    rows = await pool.fetch("select name, source from pg_settings where name = any($1)", limits)

    assert {row["name"]: row["source"] for row in rows} == dict.fromkeys(limits, "session")
