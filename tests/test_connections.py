"""Connections go back to the pool as they are: so nobody may leave anything in one."""

import re

import asyncpg
import pytest

from engine.settings import PROJECT

LEFT_BEHIND = re.compile(
    r"\bpg_(try_)?advisory_lock\b|\bset_config\((?:[^()]|\([^()]*\))*,\s*false\s*\)"
    r"|^\s*(set\s+(?!local)\w+\s*(=|to)|listen\s|prepare\s|declare\s.*\bwith hold\b|create\s+temp)",
    re.IGNORECASE | re.MULTILINE,
)


def test_no_query_leaves_anything_in_its_session() -> None:
    """Settings and locks end with the transaction: no query sets, locks, listens or prepares for the session."""
    guilty = [
        f"{file.name}: {found[0]}"
        for file in sorted((PROJECT / "engine" / "queries").glob("*.sql"))
        for found in LEFT_BEHIND.finditer(file.read_text(encoding="utf-8"))
    ]

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
    assert LEFT_BEHIND.search(query)


async def test_an_open_transaction_does_not_outlive_its_user(pool: asyncpg.Pool) -> None:
    """Whoever is interrupted in a transaction leaves none behind, and nothing of what it did."""
    with pytest.raises(RuntimeError, match="in the middle"):
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("select set_config('jiceng.left', 'behind', true)")
            raise RuntimeError("in the middle")
    async with pool.acquire() as connection:
        left = await connection.fetchval("select current_setting('jiceng.left', true)")

    assert left in (None, "")
    assert not connection.is_in_transaction()
