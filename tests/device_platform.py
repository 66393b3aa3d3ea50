"""A platform of devices at the door of the town: it signs what they say, and reads what the files made of it."""

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx

from engine.keys.counterpart_keys import Counterpart, load_counterpart_keys
from engine.runtime.settings import Settings
from schemas.care import CARE
from schemas.contracts.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from tests.api_driver import ApiDriver, OpenDoor, Step

PLATFORM = "wristband"


@dataclass
class Platform:
    """A platform that posts what its devices say."""

    door: ApiDriver
    key: bytes
    pool: asyncpg.Pool

    async def says(self, event: str, device: str, *, kind: str = "sos", at: datetime | None = None, **more: Any) -> Any:
        """Post an event, signed."""
        moment = (at or datetime.now(UTC)).isoformat()
        sent = {"event_id": event, "device": device, "kind": kind, "at": moment, **more}
        return await self.posts(json.dumps(sent).encode())

    async def posts(self, content: bytes, key: bytes | None = None, platform: str = PLATFORM) -> httpx.Response:
        """Post a body, signed with a key."""
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            TIMESTAMP_HEADER: timestamp,
            SIGNATURE_HEADER: sign(key or self.key, timestamp, content),
        }
        return await self.door.api.post(f"/api/v1/devices/{platform}/events", content=content, headers=headers)

    async def wearer(self, device: str) -> str:
        """A file to which this device is bound."""
        file = await self.door.start()
        await self.door.go(file, [Step("record_consent", "grid_worker"), bind(device)])
        await self.door.passes(file, "care:device:ready")
        return file

    async def told(self, file: str, kind: str) -> list[dict[str, Any]]:
        """What the entries of a kind say, all of them."""
        rows = await self.pool.fetch("select body from chain_of($1) where kind = $2 order by seq", file, kind)
        return [json.loads(row["body"])["facts"] for row in rows]


def bind(device: str) -> Step:
    """Bind a device to a file."""
    return Step("bind_device", "grid_worker", {"platform": PLATFORM, "device": device})


async def opened_platform(door: OpenDoor, settings: Settings, pool: asyncpg.Pool) -> Platform:
    """The town's platform of wristbands, on the key that the town was founded with."""
    keys = load_counterpart_keys(settings.key_folder, [PLATFORM], Counterpart.PLATFORM)
    return Platform(await door(CARE), keys.signing(PLATFORM), pool)
