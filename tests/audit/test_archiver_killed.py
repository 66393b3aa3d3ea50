"""The archiver dies whenever it likes: nothing is missing afterwards, nothing stands twice."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256

import asyncpg
import pytest
from pydantic import SecretStr
from temporalio.client import Client, WorkflowExecutionStatus

from audit.archive.archiver import Archiver
from audit.archive.manifest import canonical_bytes
from audit.verify.verify import verify_archive
from audit.verify.verify_seals import verify_seals
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from engine.store.archive import ArchiveStore
from schemas.incident import INCIDENT
from tests.api_driver import ApiDriver, OpenDoor, Step
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("worker")
MORE_BETWEEN_KILLS = 6


def environment(settings: Settings) -> dict[str, str]:
    """The settings of the town for another process, in a hurry."""
    ours = settings.model_copy(update={"archiver_pause_seconds": 0.2, "seal_seconds": 0.5})
    values = {name: value for name, value in ours.model_dump().items() if value is not None}
    return {**os.environ} | {
        f"JICENG_{name.upper()}": value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in values.items()
    }


@asynccontextmanager
async def archiver_process(settings: Settings) -> AsyncIterator[asyncio.subprocess.Process]:
    """`jiceng archiver`, killed with -9 at the end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "cli", "archiver"),
        env=environment(settings),
        cwd=settings.data,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
        assert process.returncode is None, "the archiver ended by itself"
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
            await process.wait()


async def close_cases(town: ApiDriver, temporal: Client, number: int, into: list[str]) -> None:
    """Start cases and end them, a few at a time; a busy machine may take a command later."""
    places = asyncio.Semaphore(4)

    async def one() -> None:
        async with places:
            case_id = await town.start()
            into.append(case_id)
            answer = await town.give(case_id, Step("reject", "coordinator"))
            assert answer.status_code in {200, 202}, answer.text
            await temporal.get_workflow_handle(case_id).result()

    await asyncio.gather(*(one() for _ in range(number)))


@pytest.mark.timeout(400)
@pytest.mark.parametrize(("number", "kills"), [(15, 2), pytest.param(110, 8, marks=pytest.mark.long)])
async def test_a_killed_archiver_loses_and_doubles_nothing(
    number: int, kills: int, door: OpenDoor, temporal: Client, pool: asyncpg.Pool, keys: Keys, settings: Settings
) -> None:
    """Killed with -9 in the middle of its passes while cases close, it has each closed run once, byte for byte."""
    cases: list[str] = []

    async def stored() -> int:
        return int(
            await pool.fetchval("select count(*) from archive where case_id = any($1) and closed_at is not null", cases)
        )

    # Other tests leave runs behind that nobody can store: this town's are the ones that count.
    others = await Archiver(temporal, pool, keys, ArchiveStore(None)).one_pass(full=True)
    closing = asyncio.create_task(close_cases(await door(INCIDENT), temporal, number, cases))
    for _ in range(kills):
        before = await stored()
        async with archiver_process(settings):

            async def goes_on(before: int = before) -> bool:
                return await stored() >= min(before + MORE_BETWEEN_KILLS, number)

            await eventually(goes_on, within=90)
    await closing
    async with archiver_process(settings):

        async def all_there() -> bool:
            return await stored() == number

        await eventually(all_there, within=90)
    left = await Archiver(temporal, pool, keys, ArchiveStore(None)).one_pass(full=True)

    rows = await pool.fetch("select * from archive where case_id = any($1)", cases)
    assert len(cases) == number
    assert sorted(row["case_id"] for row in rows) == sorted(cases)
    assert len({row["run_id"] for row in rows}) == number
    for row in rows:
        handle = temporal.get_workflow_handle(row["case_id"])
        assert (await handle.describe()).status is WorkflowExecutionStatus.COMPLETED
        live = canonical_bytes(list((await handle.fetch_history()).events))
        assert (row["sha256"], json.loads(row["manifest"])["run_id"]) == (sha256(live).hexdigest(), row["run_id"])
    assert left.left <= others.left  # one of theirs may have been out of reach for a moment
    assert left.lost == others.lost
    archived = [each async for each in verify_archive(pool, keys, ArchiveStore(None), cases)]
    sealed = [each async for each in verify_seals(pool, keys, cases[:3])]
    assert [each for each in (*archived, *sealed) if not each.ok] == []
