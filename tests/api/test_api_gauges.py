"""Gauges at the public door: believed by signature, one incident an episode, one silence one order to mend."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from engine.keys.counterpart_keys import Counterpart, load_counterpart_keys
from engine.policies.gauge_policy import load_gauges
from engine.runtime.settings import Settings
from schemas.contracts.gauges import GaugePolicy
from schemas.contracts.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from schemas.incident import INCIDENT
from tests.api_driver import ApiDriver, OpenDoor
from tests.waiting import eventually

pytestmark = [pytest.mark.timeout(300), pytest.mark.usefixtures("worker")]
PLATFORM = "bins"
APART = timedelta(minutes=11)


@dataclass
class Bins:
    """A platform that posts what its gauges show."""

    door: ApiDriver
    key: bytes
    pool: asyncpg.Pool
    policy: GaugePolicy

    async def shows(self, gauge: str, value: Any, at: datetime, **more: Any) -> httpx.Response:
        """Post a reading, signed."""
        return await self.posts(json.dumps({"gauge": gauge, "value": value, "at": at.isoformat(), **more}).encode())

    async def posts(self, content: bytes, key: bytes | None = None, platform: str = PLATFORM) -> httpx.Response:
        """Post a body, signed with a key."""
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            TIMESTAMP_HEADER: timestamp,
            SIGNATURE_HEADER: sign(key or self.key, timestamp, content),
        }
        return await self.door.api.post(f"/api/v1/gauges/{platform}/readings", content=content, headers=headers)

    async def opened(self) -> set[str]:
        """The incidents that its gauges have opened."""
        rows = await self.pool.fetch(
            "select case_id from intake where kind = 'start' and subject = $1", f"gauges:{PLATFORM}"
        )
        return {row["case_id"] for row in rows}


@pytest.fixture
async def bins(door: OpenDoor, settings: Settings, pool: asyncpg.Pool) -> AsyncIterator[Bins]:
    """The town's platform of bins, of which nothing is known yet."""
    key = load_counterpart_keys(settings.key_folder, [PLATFORM], Counterpart.GAUGE).signing(PLATFORM)
    await pool.execute("truncate gauges, gauge_platforms")
    yield Bins(await door(INCIDENT), key, pool, load_gauges(Path(settings.policies)))
    await pool.execute("truncate gauges, gauge_platforms")


async def test_only_the_platforms_own_key_is_believed(bins: Bins) -> None:
    """Another key, another platform, no such gauge, a time to come, half a reading: nothing is kept."""
    now = datetime.now(UTC)
    reading = json.dumps({"gauge": "bin-0001", "value": 95, "at": now.isoformat()}).encode()

    assert (await bins.posts(reading, key=b"x" * 32)).status_code == 401
    assert (await bins.posts(reading, platform="wristband")).status_code == 401
    assert (await bins.shows("bin-9999", 95, now)).status_code == 404
    faults = (await bins.shows("bin-0001", 95.5, now + timedelta(hours=1))).json()["faults"]
    assert [each["field"] for each in faults] == ["value"]
    faults = (await bins.shows("bin-0001", 95, now + timedelta(hours=1))).json()["faults"]
    assert [each["field"] for each in faults] == ["at"]
    assert await bins.pool.fetchval("select count(*) from gauges") == 0


async def test_an_episode_is_one_incident_however_often_it_is_told(bins: Bins) -> None:
    """Many readings at once, each several times, tell of one full bin: one incident, at its place; then of another."""
    began = datetime.now(UTC) - timedelta(hours=5)
    before = await bins.opened()
    assert (await bins.shows("bin-0001", 95, began)).json() == {"gauge": "bin-0001", "opened": False}

    async def again(minutes: int, value: int) -> None:
        async def taken() -> bool:
            answer = await bins.shows("bin-0001", value, began + timedelta(minutes=minutes))
            assert answer.status_code in (200, 503), answer.text
            return answer.status_code == 200

        await eventually(taken)

    await asyncio.gather(*(again(11 + number % 3, 96) for number in range(12)))
    (case,) = await bins.opened() - before
    await bins.door.comes(case)
    shown = await bins.door.case(case)
    assert (shown["procedure"], shown["area"]) == ("incident", bins.policy.gauges[0].area)

    await again(60, 10)
    await again(70, 95)
    await again(90, 95)
    assert len(await bins.opened() - before) == 2


async def test_a_silent_gauge_is_mended_once_and_not_where_its_platform_was_away(bins: Bins) -> None:
    """While the others speak, who has said nothing for a day is to be mended, once; after a pause of all, nobody is."""
    now = datetime.now(UTC)
    before = await bins.opened()
    await bins.shows("bin-0002", 10, now - timedelta(hours=30))
    await bins.shows("bin-0001", 10, now - timedelta(minutes=5))
    assert await bins.opened() == before  # the platform has only begun to speak

    await bins.pool.execute("update gauge_platforms set speaking_since = $1", now - timedelta(hours=40))
    await bins.shows("bin-0001", 11, now - timedelta(minutes=4))
    await bins.shows("bin-0001", 12, now - timedelta(minutes=3))
    assert len(await bins.opened() - before) == 1

    await bins.pool.execute("update gauge_platforms set heard_at = $1", now - timedelta(hours=2))
    await bins.shows("bin-0002", 10, now - timedelta(hours=29))
    await bins.shows("bin-0001", 13, now - timedelta(minutes=2))
    assert len(await bins.opened() - before) == 1


async def test_a_reading_that_was_lost_on_its_way_opens_the_same_incident(bins: Bins) -> None:
    """The incident was kept and the gauge's row was not: the reading comes again, and there is one incident."""
    began = datetime.now(UTC) - timedelta(hours=3)
    before = await bins.opened()
    await bins.shows("bin-0001", 95, began)
    kept: Any = await bins.pool.fetchrow("select state, last_at from gauges where gauge = 'bin-0001'")
    assert (await bins.shows("bin-0001", 97, began + APART)).json()["opened"] is True
    await bins.pool.execute("update gauges set state = $1, last_at = $2", kept["state"], kept["last_at"])

    assert (await bins.shows("bin-0001", 97, began + APART)).json()["opened"] is True
    assert len(await bins.opened() - before) == 1
