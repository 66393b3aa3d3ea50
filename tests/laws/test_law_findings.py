"""A case that a check cannot get through is a finding of its own, and the cases after it are looked at all the same."""

import json

import asyncpg
import pytest
from temporalio.client import Client, WorkflowHistory

from audit.replay.broken_off import NOT_CHECKED
from audit.replay.replay import live_histories, replay_cases
from audit.verify.verify import verify_archive, verify_cases
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from engine.store.archive import ArchiveStore
from schemas.incident import INCIDENT
from tests.api_driver import ApiDriver, OpenDoor
from tests.tampering import OneConnection, as_owner
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("worker")

BODIES = (
    '{"actor": {}, "seq": 1}',
    '{"actor": null, "seq": 1}',
    '{"seq": "one", "actor": {"role": 1}}',
    "[]",
    '"text"',
)
"""What an entry can be made to say that is JSON and no entry."""

RECEIVED = 3
"""Entries of a case whose department has its order: reported, dispatched, received."""


@pytest.fixture(scope="module")
async def pair(door: OpenDoor, temporal: Client) -> tuple[str, str]:
    """Two cases: one for somebody to spoil, and one that nobody touches."""
    town: ApiDriver = await door(INCIDENT)
    spoiled, well = await town.start(), await town.start()
    for each in (spoiled, well):
        # Their orders have their receipts: what somebody sees of the database below stands still, and so must they.
        assert (await town.case(each, wait=f"seq:{RECEIVED}", timeout="60"))["seq"] == RECEIVED

        async def rests(case_id: str = each) -> bool:
            described = (await temporal.get_workflow_handle(case_id).describe()).raw_description
            return not described.pending_activities and not described.HasField("pending_workflow_task")

        await eventually(rests)
    return spoiled, well


@pytest.mark.parametrize("body", BODIES)
async def test_an_entry_that_is_none_stops_no_verification(
    body: str, pair: tuple[str, str], pool: asyncpg.Pool, keys: Keys, temporal: Client
) -> None:
    """Whatever an entry was made to say, verification names its case and says of the next one that it is well."""
    async with as_owner(pool) as connection:
        await connection.execute("update ledger set body = $2 where case_id = $1 and seq = 1", pair[0], body)
        alone = OneConnection(connection)
        ledger = [each async for each in verify_cases(alone, pair, keys.stamp_ring)]  # type: ignore[arg-type]
        history = [each async for each in verify_archive(alone, keys, ArchiveStore(None), pair, temporal)]  # type: ignore[arg-type]

    for found in (ledger, history):
        assert [each.case_id for each in found] == list(pair)
        assert found[1].ok, found[1].detail
    assert not ledger[0].ok
    assert json.dumps(body)[1:-1] not in ledger[0].detail


async def test_a_history_that_is_none_stops_no_replay(
    pair: tuple[str, str], pool: asyncpg.Pool, keys: Keys, settings: Settings, temporal: Client
) -> None:
    """A case whose history cannot be replayed at all is named as not checked, and the next case is replayed."""
    spoiled, well = pair
    live = live_histories(temporal, pool)

    async def source(case_id: str) -> list[WorkflowHistory]:
        return [WorkflowHistory(case_id, [])] if case_id == spoiled else await live(case_id)

    found = [
        each async for each in replay_cases(temporal, keys, settings, pool, [spoiled, well, spoiled, well], source)
    ]

    assert [each.case_id for each in found] == [spoiled, well, spoiled, well]
    assert [each.ok for each in found] == [False, True, False, True], found
    assert found[0].detail.startswith(f"{NOT_CHECKED}: {spoiled}")
