"""The load under which a town is disturbed: crowds of cases, each a pure function of seed and number."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from local.simulation.townspeople import AUDITOR, Persona
from starter.client import NotSettled, Refused, Started, TownClient

SETTLE_SECONDS = 120.0
WAIT_SECONDS = 20.0
LOOK_SECONDS = 1.0

ClientOf = Callable[[Persona, int], TownClient]
"""`client_of(persona, entrance)`: the way of a person to the first or the second API. Who waits does it as the auditor."""


@dataclass
class Responses:
    """What the town said to all that was sent. `pairs`: by key, the case number that each of its senders was told."""

    pairs: dict[str, list[str]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    @property
    def cases(self) -> dict[str, str]:
        """The number of each case, by key."""
        return {key: numbers[0] for key, numbers in self.pairs.items()}


@dataclass
class Crowd(ABC):
    """Many cases of one sort, each followed until its people have done what is theirs."""

    seed: int
    client_of: ClientOf
    told: Responses
    name: ClassVar[str]

    @property
    def called(self) -> str:
        """Whose keys these are: no two crowds have the same."""
        return self.name

    async def send(self, numbers: Sequence[int], pace_seconds: float = 0.0) -> None:
        """Begin one after the other at this pace, whatever has become of those before; return when all is done."""
        async with asyncio.TaskGroup() as tasks:
            for number in numbers:
                tasks.create_task(self.begin(number, number % 2))
                await asyncio.sleep(pace_seconds)

    async def begin(self, number: int, entrance: int) -> None:
        """Play the case with this number through one of the APIs; a refusal is noted."""
        key = f"chaos:{self.seed}:{self.called}:{number}"
        try:
            await self.play(number, key, entrance)
        except Refused as refused:
            self.told.refused[key] = refused.code

    @abstractmethod
    async def play(self, number: int, key: str, entrance: int) -> None:
        """Start the case with this number under this key, and do what its people do."""

    def stands(self, key: str, started: Started) -> str:
        """Note what the town has told, and return the number of the case."""
        self.told.pairs.setdefault(key, []).append(started.case.case_id)
        return started.case.case_id

    async def reached(self, case_id: str, stage: str, entrance: int) -> None:
        """Wait for a stage; accepted while workers are away, a case does not even stand yet."""
        client = self.client_of(AUDITOR, entrance)
        while True:
            try:
                if (await client.case(case_id, f"stage:{stage}", WAIT_SECONDS)).stage == stage:
                    return
            except Refused as refused:
                if refused.code != "unknown-case":
                    raise
                await asyncio.sleep(LOOK_SECONDS)

    async def give(
        self, client: TownClient, case_id: str, command: str, body: Mapping[str, Any], about: str = ""
    ) -> None:
        """Give a command, and the same again while it is accepted and not carried out."""
        while True:
            try:
                await client.command(case_id, command, body, f"{case_id}:{command}:{about}", SETTLE_SECONDS)
            except NotSettled:
                continue
            return
