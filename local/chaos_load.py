"""The load under which a town is disturbed: incidents of every sort, as a pure function of seed and number."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, ClassVar

from local.townspeople import AREAS, AUDITOR, RESIDENTS, Persona
from schemas.incident_report import IncidentReport
from schemas.location import Location
from starter.client import NotSettled, Refused, Started, TownClient

CATEGORIES = ("环境卫生", "邻里纠纷", "安全隐患", "证件办理", "城乡建设", "环境保护", "供水供电", "突发险情")
DIRECTIONS = ("", "", "", "", "〔剧本:时断时续〕", "〔剧本:重复〕", "〔剧本:重复〕", "〔剧本:退单〕", "〔剧本:拖延〕",
              "〔剧本:逾期〕", "〔剧本:urban-management 拒收〕",
              "〔剧本:urban-management 沉默〕", "〔人物:撤回〕〔剧本:拖延〕", "〔人物:核查不通过〕〔剧本:重复〕",
              "〔人物:未解决〕", "〔人物:重启〕")  # fmt: skip
"""How departments and people treat a case: mostly as usual, and each of the ways in which a department disturbs.

Silent and refusing are departments that have a neighbour to turn to: a case that everybody refuses goes to and fro until
its final limit, sixty days.
"""

SETTLE_SECONDS = 120.0
WAIT_SECONDS = 20.0
LOOK_SECONDS = 1.0

ClientOf = Callable[[Persona, int], TownClient]
"""`client_of(persona, entrance)`: the way of a person to the first or the second API."""


@dataclass
class Load:
    """What was sent and what the town said to it. `pairs`: what both callers of one key were told."""

    seed: int
    client_of: ClientOf
    accepted: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    pairs: dict[str, list[str]] = field(default_factory=dict)

    async def send(self, numbers: Sequence[int], pace_seconds: float) -> None:
        """Send these reports one after the other at this pace, whether or not those before have been answered."""
        async with asyncio.TaskGroup() as tasks:
            for number in numbers:
                tasks.create_task(self._send_one(f"chaos:{self.seed}:{number}", number, number % 2))
                await asyncio.sleep(pace_seconds)

    async def send_twice(self, name: str, numbers: Sequence[int]) -> None:
        """Send each of these through both APIs at once, under one key."""
        async with asyncio.TaskGroup() as tasks:
            for number in numbers:
                for entrance in (0, 1):
                    tasks.create_task(self._send_one(f"chaos:{self.seed}:{name}:{number}", number, entrance))

    async def _send_one(self, key: str, number: int, entrance: int) -> None:
        client = self.client_of(RESIDENTS[number % len(RESIDENTS)], entrance)
        try:
            case_id = (await client.report(report_of(self.seed, number), key)).case.case_id
        except Refused as refused:
            self.refused[key] = refused.code
            return
        self.pairs.setdefault(key, []).append(case_id)
        self.accepted[key] = case_id


def report_of(seed: int, number: int) -> IncidentReport:
    """The report with this number: the same for the same seed."""
    random = Random(f"{seed}/{number}")
    description = f"第{number}号事项需要处理{random.choice(DIRECTIONS)}"
    location = Location(address=f"幸福路{number}号", area=random.choice(AREAS))
    return IncidentReport(category=random.choice(CATEGORIES), description=description, location=location)


@dataclass
class Crowd:
    """Many cases of one sort at once, each followed until its people have done what is theirs.

    `pairs`: by key, the case numbers told; those that one case starts count as told by it.
    """

    seed: int
    client_of: ClientOf
    pairs: dict[str, list[str]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    name: ClassVar[str]

    async def send(self, numbers: Sequence[int]) -> None:
        """Begin all at once, and return when everybody has done their part."""
        async with asyncio.TaskGroup() as tasks:
            for number in numbers:
                tasks.create_task(self._play(number, f"chaos:{self.seed}:{self.name}:{number}"))

    async def _play(self, number: int, key: str) -> None:
        try:
            await self.play(number, key)
        except Refused as refused:
            self.refused[key] = refused.code

    async def play(self, number: int, key: str) -> None:
        """Start the case with this number under this key, and do what its people do."""
        raise NotImplementedError

    def client(self, persona: Persona, number: int) -> TownClient:
        """The way of a person to one of the APIs."""
        return self.client_of(persona, number % 2)

    def stands(self, key: str, started: Started) -> str:
        """Note what the town has told, and return the number of the case."""
        self.pairs[key] = [started.case.case_id]
        return started.case.case_id

    async def reached(self, case_id: str, stage: str, number: int) -> None:
        """Wait for a stage; accepted while workers are away, a case does not even stand yet."""
        client = self.client(AUDITOR, number)
        while True:
            try:
                if (await client.case(case_id, f"stage:{stage}", WAIT_SECONDS)).stage == stage:
                    return
            except Refused as refused:
                if refused.code != "unknown-case":
                    raise
                await asyncio.sleep(LOOK_SECONDS)

    async def give(  # noqa: PLR0917 - who, where and what
        self, number: int, persona: Persona, case_id: str, command: str, body: Mapping[str, Any], about: str = ""
    ) -> None:
        """Give a command, and the same again while it is accepted and not carried out."""
        client, key = self.client(persona, number), f"{case_id}:{command}:{about}"
        while True:
            try:
                await client.command(case_id, command, body, key, SETTLE_SECONDS)
            except NotSettled:
                continue
            return
