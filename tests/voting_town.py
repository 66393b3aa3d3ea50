"""A town with a ballot box beside it: its pages on a port, its worker on a queue of its own, and a vote that is open in the box."""

import asyncio
import itertools
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import httpx
from temporalio.client import Client

from console.pages import console_pages
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from engine.store.voters import Voter, VoterRegister
from local.ballot_box.box_server import BallotBoxSettings, RunningBallotBox
from local.ballot_box.roll_file import roll_of
from schemas.ballot import BALLOT
from schemas.clocks.town_time import TownTime
from starter.app import create_app
from starter.cases.resident_codes import ResidentCodes
from starter.intake.votes import slip_code
from starter.serve import ApiServer, config_of
from tests.api_driver import ApiDriver, Step, token_of
from tests.box_town import CODE, KEY_BITS, BoxTown, key_in, lines, town_over
from tests.doors import A_MONDAY
from tests.waiting import eventually
from worker import town_worker

SPEED = 600
"""The roll, which is posted for an hour here, takes six seconds; the window of seven days a quarter of an hour."""

UNITS = 20
_numbers = itertools.count(1)


@dataclass(frozen=True)
class VotingTown:
    """What a test needs of it. `door` gives commands on the vote, `box` is the box's other side."""

    url: str
    door: ApiDriver
    box: BoxTown
    pool: asyncpg.Pool
    keys: Keys
    box_folder: Path

    async def posted(self) -> str:
        """A vote whose roll is posted, and whose units the box has."""
        case_id, roll = await self.door.start(), roll_of(lines(UNITS))
        self.box.ballot, self.box.ballots = case_id, {}
        assert (await self.box.town.keep_roll(case_id, lines(UNITS))).status_code == 200
        body = {"digest": roll.digest, "units": roll.units, "voters": roll.voters}
        await self.door.go(case_id, [Step("post_roll", "grid_worker", body)])
        return case_id

    async def opened(self) -> str:
        """The same, open online."""
        case_id = await self.posted()
        await self.door.passes(case_id, "ballot:box:opened", 1)
        return case_id

    async def due_at(self, case_id: str, clock: str) -> datetime | None:
        """When a clock of the vote ends."""
        snapshot = await self.pool.fetchval("select snapshot from cases where case_id = $1", case_id)
        views = BALLOT.state.model_validate(snapshot).clock_views()
        return next(each.due_at for each in views if each.name == clock)

    async def registers(self, case_id: str, *may: tuple[str, Voter]) -> None:
        """The committee's register says who may take the ballot of which unit."""
        async with self.pool.acquire() as connection, connection.transaction():
            await VoterRegister(self.keys).keep(connection, case_id, may)

    def slip(self, case_id: str, unit: str) -> str:
        """The code on the slip of a unit."""
        return slip_code(ResidentCodes(self.keys, self.pool), case_id, unit)


@asynccontextmanager
async def voting_town(
    settings: Settings, keys: Keys, temporal: Client, pool: asyncpg.Pool, folder: Path, speed: int = SPEED
) -> AsyncIterator[VotingTown]:
    """Open it over the tables of the town of the tests."""
    policies = shutil.copytree(settings.policies, folder / "policies")
    council = policies / "council.yaml"
    text = council.read_text(encoding="utf-8")
    assert "roll: 7 natural_days" in text.replace("post_roll: 5 working_days", "")
    council.write_text(text.replace("    roll: 7 natural_days", "    roll: 1 hours"), encoding="utf-8")
    book = folder / "box" / "box.sqlite"
    key = key_in(settings.key_folder)
    box = RunningBallotBox(BallotBoxSettings(code=CODE, key_file=key, book=book, key_bits=KEY_BITS))
    ours = settings.model_copy(
        update={
            "policies": policies,
            "ballot_box_url": box.url,
            "task_queue": f"voting-{next(_numbers)}",
            "speed": speed,
            "api_port": 0,
        }
    )

    async def connected() -> Client:
        return temporal

    time = TownTime.starting(A_MONDAY, datetime.now(UTC), speed)
    app = create_app(ours, keys, pool, connected, town_time=time, pages=console_pages)
    server = ApiServer(config_of(app, ours), app)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        serving = asyncio.create_task(server.serve([listening]))
        try:
            await eventually(lambda: server.started)
            async with (
                town_worker(ours, keys, temporal, pool) as running,
                running,
                town_over(settings.key_folder, box.url) as other_side,
                httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as http,
            ):
                door = ApiDriver(http, token_of(keys), BALLOT)
                yield VotingTown(url, door, other_side, pool, keys, book.parent)
        finally:
            server.config.timeout_graceful_shutdown = 1
            server.should_exit = True
            await serving
            box.stop()
            await box.task
