"""Those who vote: each takes the ballot of its unit at the town's door and casts it at the box's, later and in another order.

Nine of ten have the slip of their unit, the tenth an account that the register names; each household has an address of its own.
Every tenth is greedy: it asks for a second ballot and tries to choose otherwise. Who gets no answer, or is told to come later,
asks again: so a box that is killed loses nobody's vote.
"""

import asyncio
import random
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
from cryptography.hazmat.primitives.asymmetric import rsa

from bench.poll import Poll
from console.sign_in.sessions import Sessions
from console.sign_in.signed_in import LOCAL_COOKIE
from engine.keys.tokens import Principal
from engine.store.voters import Voter as Registered
from local.ballot_box.voter import Ballot, key_of
from schemas.contracts.ballot_box import CastBody, RollLine
from schemas.values.actor import Role
from starter.cases.resident_codes import ResidentCodes
from starter.intake.votes import slip_code

CHOICES = ("approve", "approve", "approve", "approve", "oppose", "")
EVERY = 10
"""One in so many votes by account, one in so many is greedy."""

AGAIN_SECONDS = 0.1
LATER = frozenset({httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.TOO_MANY_REQUESTS, httpx.codes.BAD_GATEWAY})
FROM_THIS_SITE = {"Sec-Fetch-Site": "same-origin"}


class Refused(Exception):
    """The town or the box said no to somebody who may vote."""


@dataclass
class Voter:
    """A household, what it chooses (nothing: abstains), and what it holds when it has voted. `account`: or it has a slip."""

    unit: str
    choice: str
    account: str | None = None
    greedy: bool = False
    ballot: Ballot | None = None
    receipt: str = field(default_factory=lambda: secrets.token_hex(32))
    slip: str = ""

    @property
    def held(self) -> Ballot:
        """Its ballot. Raises LookupError: it has taken none."""
        if self.ballot is None:
            raise LookupError(self.unit)
        return self.ballot

    @property
    def leaf(self) -> bytes:
        """Its leaf in the tree of all votes (docs/ballot-box.md)."""
        return f"{self.held.serial.hex()}:{self.choice}:{self.receipt}".encode()

    def body(self, choice: str) -> bytes:
        """What it casts."""
        chosen = (choice,) if choice else ()
        body = CastBody(
            serial=self.held.serial.hex(), signature=self.held.signature.hex(), choices=chosen, receipt=self.receipt
        )
        return body.model_dump_json().encode()


@dataclass
class Course:
    """How a vote went. Times in seconds from first asking to the answer, whatever lay between; orders as they came."""

    issue: list[float] = field(default_factory=list)
    vote: list[float] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    cast: list[str] = field(default_factory=list)
    asked_again: int = 0
    second_ballots_refused: int = 0
    second_votes_refused: int = 0
    seconds: float = 0.0


def lines_of(units: int) -> tuple[RollLine, ...]:
    """A roll of so many households, whose codes nothing else in a town is taken for."""
    return tuple(RollLine(unit=f"B{number % 40}-hx{number:05}q") for number in range(units))


def electorate(units: int, votes: int, seed: int) -> list[Voter]:
    """Who comes, in the order in which they do."""
    chance = random.Random(seed)  # noqa: S311 - the same each time
    coming = chance.sample([line.unit for line in lines_of(units)], votes)
    return [
        Voter(
            unit=unit,
            choice=chance.choice(CHOICES),
            account=f"resident-of-{unit.lower()}" if number % EVERY == 0 else None,
            greedy=number % EVERY == EVERY // 2,
        )
        for number, unit in enumerate(coming)
    ]


def register_of(voters: Sequence[Voter]) -> list[tuple[str, Registered]]:
    """The committee's register: who may take the ballot of which unit by account."""
    return [(each.unit, Registered(account=each.account)) for each in voters if each.account is not None]


class Crowd:
    """So many at once, until all have voted."""

    def __init__(self, poll: Poll, voters: Sequence[Voter], at_once: int, seed: int) -> None:
        self._poll, self._voters, self._at_once = poll, voters, at_once
        self._chance = random.Random(seed)  # noqa: S311 - the same each time
        self._coming, self._pocket = list(reversed(voters)), list[Voter]()
        self.course = Course()

    async def vote(self) -> Course:
        """Everybody takes a ballot, and casts it when others have taken theirs."""
        poll = self._poll
        codes = ResidentCodes(poll.keys, poll.pool)
        for voter in self._voters:
            voter.slip = "" if voter.account else slip_code(codes, poll.ballot, voter.unit)
        key = await key_of(poll.http, str(poll.box.url), poll.ballot, poll.key_digest)
        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for number in range(self._at_once):
                group.create_task(self._come(number, key))
        self.course.seconds = time.perf_counter() - began
        return self.course

    async def _come(self, number: int, key: rsa.RSAPublicKey) -> None:
        async with _doors(self._poll, number) as (town, box):
            while self._coming or self._pocket:
                waiting = len(self._pocket) >= self._at_once
                if self._pocket and (not self._coming or (waiting and self._chance.choice((True, False)))):
                    await self._casts(box, self._pocket.pop(self._chance.randrange(len(self._pocket))))
                elif self._coming:
                    voter = self._coming.pop()
                    await self._takes(town, voter, key)
                    self._pocket.append(voter)

    async def _takes(self, town: httpx.AsyncClient, voter: Voter, key: rsa.RSAPublicKey) -> None:
        voter.ballot = Ballot(key)
        cookies = {}
        if voter.account is not None:
            ends_at = datetime.now(UTC) + timedelta(hours=1)
            who = Principal(
                subject=voter.account, role=Role.RESIDENT, department=None, area=None, token_id=None, expires_at=ends_at
            )
            cookies = {"Cookie": f"{LOCAL_COOKIE}={await Sessions(self._poll.pool).open(who)}"}

        async def ask(ballot: Ballot) -> httpx.Response:
            form = {"unit": voter.unit, "code": voter.slip, "blinded": ballot.blinded.message.hex()}
            path = f"/votes/{self._poll.ballot}/taken"
            return await town.post(path, data=form, headers=FROM_THIS_SITE | cookies)

        began = time.perf_counter()
        answer = await self._answered(lambda: ask(voter.held))
        self.course.issue.append(time.perf_counter() - began)
        if answer.status_code != httpx.codes.OK:
            raise Refused(f"{voter.unit}: {answer.status_code} {answer.text}")
        voter.held.signed(answer)
        self.course.taken.append(voter.unit)
        if voter.greedy:
            second = await self._answered(lambda: ask(Ballot(key)))
            self.course.second_ballots_refused += second.is_client_error

    async def _casts(self, box: httpx.AsyncClient, voter: Voter) -> None:
        path = f"{self._poll.box.url}/ballots/{self._poll.ballot}/votes"
        began = time.perf_counter()
        answer = await self._answered(lambda: box.post(path, content=voter.body(voter.choice)))
        self.course.vote.append(time.perf_counter() - began)
        if answer.status_code not in {httpx.codes.CREATED, httpx.codes.OK}:
            raise Refused(f"{voter.unit}: {answer.status_code} {answer.text}")
        self.course.cast.append(voter.unit)
        if voter.greedy:
            other = "oppose" if voter.choice != "oppose" else "approve"
            second = await self._answered(lambda: box.post(path, content=voter.body(other)))
            self.course.second_votes_refused += second.status_code == httpx.codes.CONFLICT

    async def _answered(self, ask: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
        """As a page does that says: no answer, try again."""
        while True:
            try:
                answer = await ask()
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code not in LATER:
                return answer
            self.course.asked_again += 1
            await asyncio.sleep(AGAIN_SECONDS)


@asynccontextmanager
async def _doors(poll: Poll, number: int) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    """The town's and the box's, from a household's own address: wrong codes are counted by address."""
    async with AsyncExitStack() as stack:
        opened = []
        for base in (poll.town.settings.api_url, str(poll.box.url)):
            transport = httpx.AsyncHTTPTransport(local_address=f"127.0.1.{number + 1}")
            client = httpx.AsyncClient(transport=transport, base_url=base, timeout=30)
            opened.append(await stack.enter_async_context(client))
        yield opened[0], opened[1]
