"""Scenes: what single persons do in a story besides what everybody in town does by themselves.

A scene waits for what it needs to see in the ledger and for its time, and acts through the API like everybody else. That
it took place proves nothing: the story is judged by the ledger as any other (`local/stories/verdict.py`).
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from local.simulation.townspeople import Persona
from starter.cases.views import PublicCase, TimelineEntry
from starter.client import Refused, TownClient

SETTLE_SECONDS = 10.0
LOOK_SECONDS = 0.1
"""How often it is looked whether a case stands."""


class NotAsTold(Exception):
    """A scene could not be played: the town gave another answer than the story needs."""


class OnStage(Protocol):
    """What a scene sees of its case, and where it can act."""

    @property
    def case_id(self) -> str:
        """The number of the case."""

    @property
    def code(self) -> str:
        """The code that the reporter got with the number."""

    def client(self, persona: Persona) -> TownClient:
        """The way of a person to the API."""

    async def seen(self, kind: str, times: int = 1) -> TimelineEntry:
        """The entry of this kind that came so many-th, once it stands in the ledger."""

    async def more(self, entries: int) -> int:
        """How many entries there are, once there are more than so many or the case is over."""

    async def pays_in(self, receipt: str, amount_fen: int, at: datetime) -> None:
        """Pay money in at the counter of the bank, which gives this receipt for it."""

    async def until(self, moment: datetime) -> None:
        """Wait for a moment of the story's clock."""

    @property
    def over(self) -> bool:
        """The case has come to the end of its story."""

    def glimpsed(self, shown: PublicCase) -> None:
        """Keep for the judge what somebody with number and code was shown."""

    async def comes_up(self, number: int) -> "OnStage":
        """Report the case of this number in the story's `also`; the stage of that case."""


async def stands(client: TownClient, case_id: str) -> None:
    """Wait until a case that another one starts has told of itself: before that nobody sees it."""
    while True:
        try:
            await client.case(case_id)
        except Refused as refused:
            if refused.code != "unknown-case":
                raise
            await asyncio.sleep(LOOK_SECONDS)
        else:
            return


async def has_told(client: TownClient, case_id: str, kind: str) -> TimelineEntry:
    """The first entry of this kind of a case that another one has started, once it stands in the ledger."""
    while True:
        told = [entry for entry in await client.timeline(case_id) if entry.kind == kind]
        if told:
            return told[0]
        await asyncio.sleep(LOOK_SECONDS)


async def gives(  # noqa: PLR0917 - who does what where
    stage: OnStage, case_id: str, by: Persona, command: str, body: Mapping[str, Any], time: str = ""
) -> None:
    """Somebody acts in the case of the story, or in one that it has started: once, and at another `time` once more."""
    key = f"scene:{case_id}:{command}:{by.subject}:{time}"
    await stage.client(by).command(case_id, command, dict(body), key, SETTLE_SECONDS)


class Scene(Protocol):
    """Something that happens in a story."""

    async def play(self, stage: OnStage) -> None:
        """Play it. Raises NotAsTold, and ApiError when the town refuses."""


@dataclass(frozen=True, kw_only=True)
class Gives:
    """Somebody gives a command: after an entry, `later` by the story's clock, and not before a certain moment."""

    by: Persona
    command: str
    after: str
    body: Mapping[str, Any] = field(default_factory=dict)
    times: int = 1
    later: timedelta = timedelta(0)
    not_before: datetime | None = None

    async def play(self, stage: OnStage) -> None:
        """Wait and give it. The key is made of case, command and the entry waited for: once is once."""
        entry = await stage.seen(self.after, self.times)
        moment = entry.at + self.later
        await stage.until(moment if self.not_before is None else max(moment, self.not_before))
        key = f"scene:{stage.case_id}:{self.command}:{entry.seq}"
        await stage.client(self.by).command(stage.case_id, self.command, dict(self.body), key, SETTLE_SECONDS)
