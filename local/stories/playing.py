"""Plays stories against a town that runs: reports, follows, kills where the story says so, and gathers the evidence."""

import asyncio
import os
import signal
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

import httpx

from local.simulation.journals import Journal
from local.simulation.people import TokenFor
from local.simulation.townspeople import AUDITOR, Persona
from local.stories.scenes import NotAsTold
from local.stories.schedule import Schedule
from local.stories.stories import REPERTOIRES, repertoire_of
from local.stories.story import OwnClock, Story
from local.stories.verdict import Evidence, Killing, Verdict, judge
from schemas.clocks.town_time import TownTime
from schemas.contracts.payment import ReceiptLine
from schemas.incident import Kind
from schemas.kernel.findings import Finding
from starter.cases.views import PublicCase, TimelineEntry
from starter.client import ApiError, TownClient

WAIT_SECONDS = 10.0
SUCCESSOR_SECONDS = 60.0
REHEARSAL_SECONDS = 15.0
JOURNAL_SECONDS = 20.0
LOOK_SECONDS = 0.2

REHEARSALS = tuple(each.rehearsal for each in REPERTOIRES.values() if each.rehearsal is not None)

PidOf = Callable[[str], int | None]
"""The process id of a part of the town; None between death and restart."""

Audit = Callable[[Sequence[str]], AsyncIterator[Finding]]
"""Verifies the chains of these cases and replays them."""


@dataclass(frozen=True)
class Entrance:
    """An API and the clock of the cases that are reported there."""

    api_url: str
    http: httpx.AsyncClient
    clock: TownTime


EntranceOf = Callable[[OwnClock], AbstractAsyncContextManager[Entrance]]
"""Opens an entrance into the same town by another clock, for a story that has its own."""


class Narrator(Protocol):
    """Who is told what happens, as it happens."""

    def happened(self, story: Story, case_id: str, entry: TimelineEntry, since_report: timedelta) -> None:
        """A new entry stands in the ledger of a story's case, so much town time after the first."""

    def over(self, performance: "Performance") -> None:
        """A story has been played, as far as it went."""

    def noted(self, story: Story, chinese: str, english: str) -> None:
        """Something happened that the ledger does not tell, such as a killing."""


@dataclass(frozen=True)
class PlayedTown:
    """Where stories are played: the town's addresses and keys."""

    entrance: Entrance
    entrance_of: EntranceOf
    departments_url: str
    departments: Sequence[str]
    bank_url: str
    token_for: TokenFor
    pid_of: PidOf
    http: httpx.AsyncClient
    patience_seconds: float = 120.0


@dataclass
class Performance:
    """A story that was played. `also`: its further cases."""

    story: Story
    case_id: str = ""
    code: str = ""
    entries: list[TimelineEntry] = field(default_factory=list)
    glimpses: list[PublicCase] = field(default_factory=list)
    also: list["Performance"] = field(default_factory=list)
    killing: Killing | None = None
    fault: str | None = None
    seconds: float = 0.0
    verdict: Verdict | None = None

    @property
    def case_ids(self) -> list[str]:
        """Its case, and those that this one started."""
        return [self.case_id, *(repertoire_of(self.entries).started(self.entries) if self.entries else ())]

    @property
    def ok(self) -> bool:
        """It was played to its end, and all was as told; in its further cases too."""
        own = self.fault is None and self.verdict is not None and self.verdict.ok
        return own and all(each.ok for each in self.also)

    @property
    def faults(self) -> list[str]:
        """What was not as told, those of further cases with their story's name."""
        return [
            *([self.fault] if self.fault else []),
            *(self.verdict.faults if self.verdict else ()),
            *(f"{each.story.name}: {fault}" for each in self.also for fault in each.faults),
        ]

    @property
    def merely_late(self) -> bool:
        """Something was late, and nothing else was wrong in any of its cases."""
        verdicts = [each.verdict for each in (self, *self.also) if each.fault is None and each.verdict is not None]
        whole = len(verdicts) == 1 + len(self.also)
        return not self.ok and whole and all(verdict.ok or verdict.merely_late for verdict in verdicts)

    @property
    def over(self) -> bool:
        """It has gone as far as the story goes, or another way."""
        return bool(self.entries) and repertoire_of(self.entries).over(self.story, self.entries)


async def play(stories: Sequence[Story], where: PlayedTown, narrator: Narrator) -> list[Performance]:
    """Play all of them, as far as they do not disturb each other. One that fails says so and stops no other."""
    order = Schedule(stories)
    rehearsal = asyncio.create_task(_rehearse(where, order))
    try:
        return await asyncio.gather(*(_play_one(story, where, narrator, order) for story in stories))
    finally:
        rehearsal.cancel()
        await asyncio.gather(rehearsal, return_exceptions=True)


async def _rehearse(where: PlayedTown, order: Schedule) -> None:
    """Let one case, which belongs to no story, come back from a department."""
    try:
        for each in REHEARSALS:
            started = await each.story.open(_client(where, each.story.reporter), f"rehearsal:{uuid.uuid4()}", None)
            await _client(where, AUDITOR).case(started.case.case_id, each.until, REHEARSAL_SECONDS)
    except ApiError:
        pass  # the stories will say what is the matter
    finally:
        order.rehearsed()


async def _play_one(story: Story, where: PlayedTown, narrator: Narrator, order: Schedule) -> Performance:
    performance = Performance(story)
    async with order.turn_of(story):
        began = time.monotonic()
        try:
            async with asyncio.timeout(where.patience_seconds), _entrance(story, where) as entrance:
                await Run(performance, where, entrance, narrator).play()
        except TimeoutError:
            stood = performance.entries[-1].kind if performance.entries else "nothing"
            performance.fault = f"not over after {where.patience_seconds:.0f} s; last: {stood}"
        except (ApiError, NotAsTold, httpx.HTTPError, OSError) as error:
            performance.fault = f"{type(error).__name__}: {error}"
        performance.seconds = round(time.monotonic() - began, 1)
        narrator.over(performance)
    return performance


@asynccontextmanager
async def _entrance(story: Story, where: PlayedTown) -> AsyncIterator[Entrance]:
    """Where the story's case is reported: at the town's door, or at one with the story's own clock."""
    if story.clock is None:
        yield where.entrance
    else:
        async with where.entrance_of(story.clock) as entrance:
            yield entrance


class Run:
    """One case of a story while it is played: what its scenes see and where they act (`local.stories.scenes.OnStage`)."""

    def __init__(
        self,
        performance: Performance,
        where: PlayedTown,
        entrance: Entrance,
        narrator: Narrator,
        born_of: str | None = None,
    ) -> None:
        self._performance, self._where, self._entrance, self._narrator = performance, where, entrance, narrator
        self._born_of = born_of
        self._news = asyncio.Condition()
        self._followers: list[asyncio.Task[None]] = []

    async def play(self) -> None:
        """Report the case, follow it to the end of its story, and play the scenes beside."""
        await self._report()
        scenes = [asyncio.create_task(self._scenes())]
        following = asyncio.create_task(self._follow())
        try:
            await asyncio.gather(following, *scenes)
            await asyncio.gather(*self._followers)
        finally:
            for task in (following, *scenes, *self._followers):
                task.cancel()
            await asyncio.gather(following, *scenes, *self._followers, return_exceptions=True)

    async def _report(self) -> None:
        story = self._performance.story
        key = f"story:{story.name}:{uuid.uuid4()}"
        started = await story.open(self.client(story.reporter), key, self._born_of)
        self._performance.case_id, self._performance.code = started.case.case_id, started.code or ""

    async def _scenes(self) -> None:
        for scene in self._performance.story.scenes:
            await scene.play(self)

    async def _follow(self) -> None:
        """Watch what becomes of the case, until it has gone as far as the story goes, or another way."""
        performance, where, narrator = self._performance, self._where, self._narrator
        story, auditor = performance.story, _client(where, AUDITOR)
        while not performance.over:
            seen = len(performance.entries)
            await auditor.case(performance.case_id, wait=f"seq:{seen + 1}", wait_seconds=WAIT_SECONDS)
            performance.entries = await auditor.timeline(performance.case_id)
            for entry in performance.entries[seen:]:
                narrator.happened(story, performance.case_id, entry, entry.at - performance.entries[0].at)
            async with self._news:
                self._news.notify_all()
            if story.kills_worker and performance.killing is None and _received(performance.entries):
                performance.killing = await _kill_worker(performance, where, narrator)

    # ---- what scenes see and do -----------------------------------------------------------------------------------

    @property
    def case_id(self) -> str:
        """The number of the case."""
        return self._performance.case_id

    @property
    def code(self) -> str:
        """The code that the reporter got with the number."""
        return self._performance.code

    @property
    def over(self) -> bool:
        """The case has come to the end of its story."""
        return self._performance.over

    async def pays_in(self, receipt: str, amount_fen: int, at: datetime) -> None:
        """Pay money in at the counter of the bank, which gives this receipt for it."""
        paid_in = ReceiptLine(receipt=receipt, amount_fen=amount_fen, at=at).model_dump(mode="json")
        answer = await self._where.http.post(f"{self._where.bank_url}/receipts", json=paid_in)
        answer.raise_for_status()

    def client(self, persona: Persona) -> TownClient:
        """The way of a person to the API, by the story's clock."""
        return _client(self._where, persona, self._entrance)

    async def seen(self, kind: str, times: int = 1) -> TimelineEntry:
        """The entry of this kind that came so many-th, once it stands in the ledger."""
        async with self._news:
            while True:
                found = [entry for entry in self._performance.entries if entry.kind == kind]
                if len(found) >= times:
                    return found[times - 1]
                await self._news.wait()

    async def more(self, entries: int) -> int:
        """How many entries there are, once there are more than so many or the case is over."""
        async with self._news:
            await self._news.wait_for(lambda: len(self._performance.entries) > entries or self.over)
            return len(self._performance.entries)

    async def until(self, moment: datetime) -> None:
        """Wait for a moment of the story's clock."""
        await asyncio.sleep(self._entrance.clock.real_delay(datetime.now(UTC), moment).total_seconds())

    def glimpsed(self, shown: PublicCase) -> None:
        """Keep for the judge what somebody with number and code was shown."""
        self._performance.glimpses.append(shown)

    async def comes_up(self, number: int) -> "Run":
        """Report a further case of the story and follow it too."""
        performance = Performance(self._performance.story.also[number])
        self._performance.also.append(performance)
        run = Run(performance, self._where, self._entrance, self._narrator, born_of=self.case_id)
        await run._report()
        self._followers += [asyncio.create_task(scene.play(run)) for scene in performance.story.scenes]
        self._followers.append(asyncio.create_task(run._follow()))
        return run


def _received(entries: Sequence[TimelineEntry]) -> bool:
    return any(entry.kind == Kind.ORDER_RECEIVED for entry in entries)


async def _kill_worker(performance: Performance, where: PlayedTown, narrator: Narrator) -> Killing | None:
    killed = where.pid_of("worker")
    if killed is None:
        return None
    os.kill(killed, signal.SIGKILL)
    narrator.noted(performance.story, f"工作进程{killed}被强制终止", f"worker process {killed} killed with -9")
    deadline = time.monotonic() + SUCCESSOR_SECONDS
    while (successor := where.pid_of("worker")) in {None, killed}:
        if time.monotonic() > deadline:
            break
        await asyncio.sleep(LOOK_SECONDS)
    narrator.noted(performance.story, f"新工作进程{successor}接手", f"worker process {successor} takes over")
    return Killing(killed, successor, len(performance.entries))


def _client(where: PlayedTown, persona: Persona, entrance: Entrance | None = None) -> TownClient:
    entrance = entrance or where.entrance
    return TownClient(entrance.api_url, lambda: where.token_for(persona), entrance.http, where.patience_seconds)


async def judge_all(performances: Sequence[Performance], where: PlayedTown, audit: Audit) -> None:
    """Gather the evidence about every story that was played, and judge it."""
    played = [each for main in performances for each in (main, *main.also) if each.case_id]
    case_ids = [case_id for each in played for case_id in each.case_ids]
    journals = await _settled_journals(where, case_ids)
    auditor = _client(where, AUDITOR)
    findings = [finding async for finding in audit(case_ids)]
    for performance in played:
        case_id = performance.case_id
        evidence = Evidence(
            case_id=case_id,
            entries=await auditor.timeline(case_id),
            journals={
                order_id: (department, journal)
                for order_id, (department, journal) in journals.items()
                if order_id.startswith(f"{case_id}.")
            },
            findings=[finding for finding in findings if finding.case_id in performance.case_ids],
            children={child: await auditor.timeline(child) for child in performance.case_ids[1:]},
            killing=performance.killing,
            glimpses=performance.glimpses,
        )
        performance.verdict = judge(performance.story, evidence)


async def _settled_journals(where: PlayedTown, case_ids: Sequence[str]) -> Mapping[str, tuple[str, Journal]]:
    """The journals about these cases, once nobody has anything left to report: the last echo comes after the close."""
    deadline = time.monotonic() + JOURNAL_SECONDS
    while True:
        journals = await _journals(where, case_ids)
        unsaid = [
            order_id
            for order_id, (_, journal) in journals.items()
            if not (journal["recalled"] or journal["stopped"])
            and any(not report["acknowledged"] for report in journal["reports"])
        ]
        if not unsaid or time.monotonic() > deadline:
            return journals
        await asyncio.sleep(LOOK_SECONDS)


async def _journals(where: PlayedTown, case_ids: Sequence[str]) -> dict[str, tuple[str, Journal]]:
    found: dict[str, tuple[str, Journal]] = {}
    for department in where.departments:
        answer = await where.http.get(f"{where.departments_url}/{department}/journal")
        answer.raise_for_status()
        for order in answer.json()["orders"]:
            if order["case_id"] in case_ids:
                found[order["order_id"]] = (department, order)
    return found
