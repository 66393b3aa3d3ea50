"""Two processes bring notices to one channel: in order, nobody twice, and one that is killed is followed by the other."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import asyncpg
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.outside.notices import Notices
from engine.runtime.settings import PROJECT, Settings
from tests.api_callers import OwnTown
from tests.department_town import serving
from tests.engine.test_notices import DEPARTMENTS, OLD, Channel, dispatched, policy, statuses, write
from tests.waiting import eventually
from tests.webhook_receiver import notices_process

pytest_plugins = ("tests.api_fixture",)

NOTICES = 8


@dataclass
class Group:
    """A group chat that gets what a channel says. What comes first it answers only when it is told to."""

    got: list[str] = field(default_factory=list)
    answers: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: Request) -> Response:
        self.got.append(json.loads(await request.body())["message"])
        if len(self.got) == 1:
            await self.answers.wait()
        return Response(None, 200)


@asynccontextmanager
async def group_of(settings: Settings, folder: Path) -> AsyncIterator[tuple[Group, Settings]]:
    """A group that is the channel of all departments, and the settings of a town in which it is."""
    shutil.copytree(PROJECT / "policies", folder / "policies")
    rules = folder / "policies" / "notices.yaml"
    text = rules.read_text(encoding="utf-8")
    for old, new in (("channels: {}", "channels: {group: group.url}"), ("department: [shown]", "department: [group]")):
        assert old in text
        text = text.replace(old, new, 1)
    rules.write_text(text, encoding="utf-8")
    group = Group()
    async with serving(Starlette(routes=[Route("/hook", group.take, methods=["POST"])])) as url:
        (folder / "keys" / "notices").mkdir(parents=True, mode=0o700)
        address = folder / "keys" / "notices" / "group.url"
        address.touch(mode=0o600)
        address.write_text(f"{url.replace('http://', 'json://')}/hook?cto=60&rto=60\n")
        try:
            told = {"policies": folder / "policies", "keys": folder / "keys", "notice_delay_seconds": 0.01}
            yield group, settings.model_copy(update=told)
        finally:
            group.answers.set()


async def test_what_a_killed_process_was_sending_another_sends_and_then_the_rest(
    own_town: OwnTown, tmp_path: Path
) -> None:
    """Killed with -9 between sending and noting it: that one comes twice, in its place, and every other one once, in order."""
    for number in range(1, NOTICES + 1):
        await write(own_town.pool, f"incident-2026112{number}-000001", dispatched())
    async with group_of(own_town.settings, tmp_path) as (group, settings), notices_process(settings) as dying:
        await eventually(lambda: len(group.got) == 1, within=60)
        began = await own_town.pool.fetchval("select clock_timestamp()")
        async with notices_process(settings):
            await eventually(lambda: looks_since(own_town.pool, began), within=60)
            dying.kill()
            await dying.wait()
            before = list(group.got)
            await own_town.pool.execute("update notice_deliveries set next_at = clock_timestamp()")
            await eventually(lambda: all_noted(own_town.pool), within=60)

    assert len(before) == 1
    assert group.got[1:] == sorted(set(group.got))
    assert len(group.got) == NOTICES + 1
    assert group.got[0] == group.got[1]
    assert await statuses(own_town.pool) == {"group": "delivered"}


async def looks_since(pool: asyncpg.Pool, began: datetime) -> bool:
    """Whether a process that was started since then looks for notices in this database."""
    query = """
        select exists (select from pg_stat_activity where datname = current_database()
                       and application_name = 'jiceng notices' and backend_start > $1)
    """
    return bool(await pool.fetchval(query, began))


async def all_noted(pool: asyncpg.Pool) -> bool:
    """Whether the channel has all of them."""
    query = "select count(*) from notice_deliveries where status = 'delivered'"
    return bool(await pool.fetchval(query) == NOTICES)


@pytest.mark.timeout(60)
async def test_one_at_a_time_puts_notices_before_their_channels(own_town: OwnTown) -> None:
    """While one is at it another does not run ahead with what came later."""
    one, other = (
        Notices(own_town.pool, policy(department=("one",)), DEPARTMENTS, {"one": Channel()}, OLD) for _ in "ab"
    )
    await write(own_town.pool, "incident-1", dispatched(1))
    async with own_town.pool.acquire() as connection, connection.transaction():
        await connection.execute("lock table notice_deliveries in share mode")
        slow = asyncio.create_task(one.take_ready())

        async def waits() -> bool:
            return bool(await own_town.pool.fetchval("select exists (select from pg_locks where not granted)"))

        await eventually(waits)
        await write(own_town.pool, "incident-2", dispatched(2))
        async with asyncio.timeout(4):
            meanwhile = await other.take_ready()
    taken = await slow, await other.take_ready()
    rows = await own_town.pool.fetch("select case_id from notice_deliveries order by delivery_id")

    assert (meanwhile, taken) == (0, (1, 1))
    assert [row["case_id"] for row in rows] == ["incident-1", "incident-2"]
