"""A ballot box in this process or another, the town's side of it, and voters: for tests."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import httpx

from engine.keys.counterpart_keys import Counterpart, load_counterpart_keys
from engine.outside.ballot_boxes import BallotBoxGateway, TooFew
from engine.outside.signed_calls import GatewayRefused, GatewayUnavailable, http_client
from local.ballot_box.box_server import BallotBoxSettings, BoxCharacter, RunningBallotBox
from local.ballot_box.roll_file import roll_of
from local.ballot_box.voter import Ballot, TownSide, key_of
from schemas.contracts.ballot_box import BallotBody, BallotBoxPolicy, CloseBody, RollLine, Tally
from schemas.contracts.department import Gateway
from schemas.contracts.department_policy import Name

AnswerT = TypeVar("AnswerT")

TRIES = 1200
"""A minute and more: a box that was killed takes seconds to stand again."""

CODE = "town-ballot-box"
PROJECT = Path(__file__).resolve().parents[2]
BALLOT = "council-20261123-000017.ballot-1"
KEY_BITS = 2048
"""Shorter than a real one: a test opens many votes."""


def lines(units: int) -> tuple[RollLine, ...]:
    """A roll of so many households."""
    return tuple(RollLine(unit=f"{number // 100}-{number % 100:03}") for number in range(units))


@dataclass
class BoxTown:
    """A box, the town's side of it, and voters."""

    url: str
    http: httpx.AsyncClient
    town: TownSide
    gateway: BallotBoxGateway
    policy: BallotBoxPolicy
    ballots: dict[str, Ballot] = field(default_factory=dict)
    ballot: str = BALLOT

    @property
    def base(self) -> str:
        return f"{self.url}/{CODE}"

    async def open(self, units: int = 20) -> GatewayRefused | str:
        """Give the roll, then open the vote as the engine does."""
        roll = roll_of(lines(units))
        assert (await self.town.keep_roll(self.ballot, lines(units))).status_code == 200
        body = BallotBody(
            ballot_id=self.ballot,
            roll_digest=roll.digest,
            units=units,
            voters=units,
            choices=("approve", "oppose"),
            choices_at_most=1,
        )
        return await self.gateway.open(self.policy, body, f"{self.ballot}/box-1")

    async def take(self, unit: str) -> httpx.Response:
        """A unit takes its ballot online; asked again it shows the same blinded serial."""
        if unit not in self.ballots:
            self.ballots[unit] = Ballot(await key_of(self.http, self.base, self.ballot))
        answer = await self.town.issue(self.ballot, unit, self.ballots[unit].blinded.message)
        if answer.status_code == 200:
            self.ballots[unit].signed(answer)
        return answer

    async def vote(self, unit: str, *choices: str) -> httpx.Response:
        """Cast what a unit has taken."""
        return await self.ballots[unit].cast(self.http, self.base, self.ballot, *choices)

    async def close(self, unless_fewer: int = 0, number: int = 2) -> Tally | TooFew | GatewayRefused:
        """Close it as the engine does."""
        question = f"{self.ballot}/box-{number}"
        body = CloseBody(ballot_id=self.ballot, question=question, unless_fewer=unless_fewer)
        return await self.gateway.close(self.policy, self.ballot, body, question)


def key_in(folder: Path) -> Path:
    """The key between town and box."""
    file = folder / Counterpart.BALLOT_BOX / f"{CODE}.keys"
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True)
        file.touch(0o600)
        file.write_text(secrets.token_hex(32) + "\n", encoding="ascii")
    return file


@asynccontextmanager
async def town_over(folder: Path, url: str) -> AsyncIterator[BoxTown]:
    """The town's side of a box at this address."""
    secret = bytes.fromhex(key_in(folder).read_text(encoding="ascii").strip())
    policy = BallotBoxPolicy(
        code=CODE, name=Name(zh="票箱", en="box"), gateway=Gateway.HTTP, url=f"{url}/{CODE}", private=True
    )
    keys = load_counterpart_keys(folder, [CODE], Counterpart.BALLOT_BOX)
    async with http_client() as calls, httpx.AsyncClient(timeout=1, trust_env=False) as http:
        yield BoxTown(url, http, TownSide(http, f"{url}/{CODE}", secret), BallotBoxGateway(calls, keys), policy)


@asynccontextmanager
async def box_town(folder: Path, character: BoxCharacter = BoxCharacter.PROMPT) -> AsyncIterator[BoxTown]:
    """A box of this character in this process."""
    settings = BallotBoxSettings(
        code=CODE, key_file=key_in(folder), book=folder / "box.sqlite", character=character, key_bits=KEY_BITS
    )
    box = RunningBallotBox(settings)
    try:
        async with town_over(folder, box.url) as town:
            yield town
    finally:
        box.stop()
        await box.task


async def until_answered(ask: Callable[[], Awaitable[AnswerT]]) -> AnswerT:
    """Ask until there is an answer."""
    for _ in range(TRIES):
        with contextlib.suppress(httpx.TransportError):
            return await ask()
        await asyncio.sleep(0.05)
    raise AssertionError("the box never answered")


async def until_available(ask: Callable[[], Awaitable[AnswerT]]) -> AnswerT:
    """Ask as Temporal does, until there is a usable answer."""
    for _ in range(TRIES):
        with contextlib.suppress(GatewayUnavailable):
            return await ask()
        await asyncio.sleep(0.05)
    raise AssertionError("the box never answered")
