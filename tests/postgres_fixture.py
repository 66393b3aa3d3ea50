"""A migrated Postgres for tests that need one: the same local Postgres that `jiceng up` runs, in a temporary folder."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from engine.migrations import migrate
from local.child import Started
from local.ports import choose_ports
from local.postgres import open_postgres


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def database_url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """Address of a database with our schema; it lives as long as the test run."""
    folder: Path = tmp_path_factory.mktemp("town") / "postgres"
    postgres = await open_postgres(folder, choose_ports(["postgres"], None, {})["postgres"], durable=False)
    child = postgres.child()
    process = await asyncio.create_subprocess_exec(
        *child.identity.command(child.folder, child.argv),
        env=dict(child.environment),
        cwd=child.folder,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        started = Started(pid=process.pid, at=datetime.now(UTC))
        async with asyncio.timeout(30):
            while not await child.ready(started):
                assert process.returncode is None, "Postgres ended while it was starting"
                await asyncio.sleep(0.05)
        await postgres.create_database()
        await migrate(postgres.url)
        yield postgres.url.get_secret_value()
    finally:
        if process.returncode is None:
            process.send_signal(child.stop_signal)
        await process.wait()
