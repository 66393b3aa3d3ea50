"""A vote in a whole town: a motion is talked over and put to the vote by its people, its roll posted, its box opened.

Everything is the town's own: its processes, its Postgres and its Temporal, and the ballot box as a process of its own. Only two
limits are shorter than in policies/council.yaml, those in which nothing happens here: the posting of the roll and the challenge.
"""

import os
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from bench.waiting import until
from engine.keys.counterpart_keys import Counterpart, key_file
from engine.keys.keys import Keys
from engine.keys.tokens import issue
from engine.policies.ballot_box_policy import FILE, load_ballot_box
from engine.runtime.settings import PROJECT
from engine.store.database import open_pool
from engine.store.voters import Voter, VoterRegister
from local.ballot_box.roll_file import roll_of
from local.ballot_box.voter import TownSide
from local.council_walks import PEOPLE, WALKS
from local.simulation.pictures import PICTURE
from local.town.town import Town, TownOptions, open_town
from local.town.town_processes import PROCESSES
from schemas.contracts.ballot_box import BallotBoxPolicy, RollLine
from schemas.contracts.signature import read_secrets

RUN = ("worker", "api", "archiver", "ballot-box")
"""The processes of the town that a vote needs, and whatever keeps it afterwards."""

WINDOW_DAYS = 7
"""As policies/council.yaml has it."""

SHORTER = (("roll: 7 natural_days", "roll: 1 hours"), ("challenge: 7 natural_days", "challenge: 1 hours"))
WAITED_SECONDS = 120


@dataclass(frozen=True)
class Poll:
    """A vote that is open, and who may take part in it."""

    town: Town
    keys: Keys
    pool: asyncpg.Pool
    http: httpx.AsyncClient
    box: BallotBoxPolicy
    ballot: str
    key_digest: str

    @property
    def motion(self) -> str:
        """The case that called it."""
        return self.ballot.rpartition(".")[0]

    @property
    def box_book(self) -> Path:
        """The file of the ballot box."""
        return self.town.settings.data / "ballot_boxes" / f"{self.box.code}.sqlite"

    async def entries(self, case_id: str) -> list[dict[str, Any]]:
        """What a case has told, straight from the ledger."""
        return await told(self.pool, case_id)

    async def facts(self, kind: str) -> Mapping[str, Any]:
        """What the first entry of a kind of this vote says; it is waited for."""

        async def found() -> Mapping[str, Any] | None:
            return next((each["facts"] for each in await self.entries(self.ballot) if each["kind"] == kind), None)

        return await until(found, WAITED_SECONDS)

    async def certified(self, within_seconds: float) -> Mapping[str, Any]:
        """Wait until its window is over and nobody has challenged it; its last state."""

        async def ended() -> Mapping[str, Any] | None:
            row = await self.pool.fetchrow("select ended, snapshot from cases where case_id = $1", self.ballot)
            return None if row is None or not row["ended"] else dict(row["snapshot"])

        return await until(ended, within_seconds)

    async def annul_motion(self) -> None:
        """End the motion too, by a ruling and on the word of two, so that nothing of it is left open."""
        people = People(self.keys, self.http)

        async def decided() -> bool:
            return any(each["kind"] == "council:publicised" for each in await self.entries(self.motion))

        await until(decided, WAITED_SECONDS)
        paper = await people.document(self.motion, "clerk")
        ruling = {"legal_basis": "《村民委员会组织法》第三十六条", "reason": "判决撤销", "documents": [paper]}
        await people.give(self.motion, "file_ruling", "clerk", ruling)
        await people.give(self.motion, "annul", "supervisor", {"request": 1, "reason": "据生效裁判撤销"})

    async def archived(self) -> None:
        """Wait until the archive has motion and vote."""

        async def kept() -> bool:
            found = await self.pool.fetchval(
                "select count(distinct case_id) from archive where case_id = any($1)", [self.motion, self.ballot]
            )
            return bool(found == 2)  # noqa: PLR2004 - the two of the line above

        await until(kept, WAITED_SECONDS)


class People:
    """Those of the walks of a motion, with their tokens: what they send is sent until the case has it."""

    def __init__(self, keys: Keys, http: httpx.AsyncClient) -> None:
        self._http = http
        self._tokens = {
            name: issue(keys, subject=each.subject, role=each.role, department=each.department, area=each.area)
            for name, each in PEOPLE.items()
        }

    async def open(self, body: Mapping[str, Any], by: str) -> str:
        """Propose a motion; its number."""
        return str((await self._sent("/api/v1/motions", body, by, "open"))["case_id"])

    async def give(self, case_id: str, command: str, by: str, body: Mapping[str, Any], number: int = 0) -> None:
        """Give a command; the `number` tells apart what is given twice."""
        path = f"/api/v1/cases/{case_id}/commands/{command}"
        await self._sent(path, body, by, f"{case_id}-{command}-{number}")

    async def document(self, case_id: str, by: str) -> Mapping[str, Any]:
        """Upload a paper of a case."""
        headers = self._headers(by, f"{case_id}-paper") | {"Content-Type": "image/png"}
        answer = await self._http.post(
            "/api/v1/documents", params={"case_id": case_id}, content=PICTURE, headers=headers
        )
        kept: Mapping[str, Any] = answer.raise_for_status().json()
        return kept

    async def _sent(self, path: str, body: Mapping[str, Any], by: str, key: str) -> Mapping[str, Any]:
        async def done() -> Mapping[str, Any] | None:
            answer = await self._http.post(path, json=body, headers=self._headers(by, key))
            if answer.is_client_error:
                raise RuntimeError(f"{path}: {answer.text}")
            return None if answer.status_code == httpx.codes.ACCEPTED else dict(answer.raise_for_status().json())

        return await until(done, WAITED_SECONDS)

    def _headers(self, by: str, key: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._tokens[by]}", "Idempotency-Key": key}


async def told(pool: asyncpg.Pool, case_id: str) -> list[dict[str, Any]]:
    """The entries of a case: kind and facts, in order."""
    rows = await pool.fetch("select kind, body::jsonb -> 'facts' as facts from chain_of($1) order by seq", case_id)
    return [dict(row) for row in rows]


@asynccontextmanager
async def open_poll(
    folder: Path, lines: Sequence[RollLine], voters: Sequence[tuple[str, Voter]], minutes: float
) -> AsyncIterator[Poll]:
    """A town in an empty folder, with a vote whose window lasts so many real minutes. `voters`: the committee's register."""
    processes = [each for each in PROCESSES if each.name in RUN]
    speed = WINDOW_DAYS * 24 * 60 / minutes
    options = TownOptions(
        data=folder / "town", processes=processes, demo=True, simulated=("ballot_box",), speed=round(speed, 3)
    )
    async with AsyncExitStack() as stack:
        with _shorter_limits(folder):
            town = await stack.enter_async_context(open_town(options))
        pool = await stack.enter_async_context(await open_pool(town.settings, process="bench"))
        http = await stack.enter_async_context(
            httpx.AsyncClient(base_url=town.settings.api_url, trust_env=False, timeout=30)
        )
        keys = Keys.load(town.settings.key_folder)
        box = load_ballot_box(town.settings.policies / FILE, town.settings.ballot_box_url)
        ballot = await _put_to_vote(People(keys, http), pool)
        async with pool.acquire() as connection, connection.transaction():
            await VoterRegister(keys).keep(connection, ballot, voters)
        secret = read_secrets(
            key_file(town.settings.key_folder, box.code, Counterpart.BALLOT_BOX).read_text(encoding="ascii")
        )[0]
        (await TownSide(http, f"{box.url}", secret).keep_roll(ballot, lines)).raise_for_status()
        roll = roll_of(lines)
        posted = {"digest": roll.digest, "units": roll.units, "voters": roll.voters}
        await People(keys, http).give(ballot, "post_roll", "grid_worker", posted)
        poll = Poll(town, keys, pool, http, box, ballot, "")
        opened = await poll.facts("ballot:box:opened")
        yield Poll(town, keys, pool, http, box, ballot, str(opened["key_digest"]))


async def _put_to_vote(people: People, pool: asyncpg.Pool) -> str:
    """Talk a motion over twice and call its vote; the number of the vote, which stands."""
    motion = await people.open(WALKS.opening, WALKS.starter)
    await people.give(motion, "admit", "committee", WALKS.bodies["admit"])
    for number in range(2):
        await people.give(motion, "record_round", "committee", WALKS.bodies["record_round"], number)
    await people.give(motion, "call_ballot", "committee", WALKS.bodies["call_ballot"])
    ballot = f"{motion}.ballot-1"
    await until(partial(_stands, pool, ballot), WAITED_SECONDS)
    return ballot


async def _stands(pool: asyncpg.Pool, case_id: str) -> bool:
    return bool(await told(pool, case_id))


@contextmanager
def _shorter_limits(folder: Path) -> Iterator[None]:
    """The town's own policies, but for the two limits: its processes are started with them."""
    policies = shutil.copytree(PROJECT / "policies", folder / "policies")
    council = policies / "council.yaml"
    text = council.read_text(encoding="utf-8")
    for long, short in SHORTER:
        if f"    {long}" not in text:
            raise LookupError(f"policies/council.yaml does not say: {long}")
        text = text.replace(f"    {long}", f"    {short}")
    council.write_text(text, encoding="utf-8")
    before = os.environ.get("JICENG_POLICIES")
    os.environ["JICENG_POLICIES"] = str(policies)
    try:
        yield
    finally:
        os.environ.pop("JICENG_POLICIES")
        if before is not None:
            os.environ["JICENG_POLICIES"] = before
