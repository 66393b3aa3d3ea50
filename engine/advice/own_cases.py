"""What a town learns from: its own closed cases, as people settled them. Every text that is read for it is on record."""

from collections.abc import Collection

import asyncpg

from engine.advice.examples import Example
from engine.store.dispatch_models import SQL
from engine.vault.vault import Vault
from schemas.values.actor import Actor, Role

CASES_AT_MOST = 20_000
PURPOSE = "learn-dispatch"
LEARNER = Actor(subject="jiceng-learn", role=Role.ENGINE)
_AT_ONCE = 500
_STREET_PARTS = 2
_LONG, _SHORT = 200, 50


async def closed_cases(
    pool: asyncpg.Pool, vault: Vault, procedure: str, categories: Collection[str]
) -> tuple[list[Example], int]:
    """The newest closed cases whose category still stands on the list, and of how many nothing was left, for they were erased."""
    async with pool.acquire() as connection:
        rows = await connection.fetch(SQL.closed_cases, procedure, CASES_AT_MOST)
    rows = [row for row in rows if row["category"] in categories and row["description"]]
    examples: list[Example] = []
    for begin in range(0, len(rows), _AT_ONCE):
        some = rows[begin : begin + _AT_ONCE]
        async with pool.acquire() as connection, connection.transaction():
            wanted = [(row["case_id"], row["description"]) for row in some]
            texts = await vault.read_texts_of_cases(connection, wanted, LEARNER, PURPOSE)
        examples += [_example(row, text) for row in some if isinstance(text := texts[row["description"]], str)]
    return examples, len(rows) - len(examples)


def _example(row: asyncpg.Record, text: str) -> Example:
    return Example(
        text=text,
        category=row["category"],
        who=row["who"],
        area=".".join(row["area"].split(".")[:_STREET_PARTS]),
        groups={
            "channel": row["channel"],
            "entered": "for_them" if row["on_behalf"] else "no_account" if row["unsigned"] else "by_themselves",
            "length": length_of(text),
        },
    )


def length_of(text: str) -> str:
    """Who writes little is to be helped as well as who writes much."""
    return "short" if len(text) < _SHORT else "long" if len(text) > _LONG else "middle"
