"""Incidents under disturbance: reports of every sort, one after the other, and some of them through two APIs at once."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from local.chaos.chaos_load import Crowd
from local.simulation.townspeople import AREAS, RESIDENTS
from schemas.incident_report import IncidentReport
from schemas.values.location import Location

CATEGORIES = ("环境卫生", "邻里纠纷", "安全隐患", "证件办理", "城乡建设", "环境保护", "供水供电", "突发险情")
DIRECTIONS = ("", "", "", "", "〔剧本:时断时续〕", "〔剧本:重复〕", "〔剧本:重复〕", "〔剧本:退单〕", "〔剧本:拖延〕",
              "〔剧本:逾期〕", "〔剧本:urban-management 拒收〕",
              "〔剧本:urban-management 沉默〕", "〔人物:撤回〕〔剧本:拖延〕", "〔人物:核查不通过〕〔剧本:重复〕",
              "〔人物:未解决〕", "〔人物:重启〕")  # fmt: skip
"""How departments and people treat a case: mostly as usual, and each of the ways in which a department disturbs.

Silent and refusing are departments that have a neighbour to turn to: a case that everybody refuses goes to and fro until
its final limit, sixty days.
"""


@dataclass
class Incidents(Crowd):
    """Incidents, on which departments and people act by themselves."""

    name: ClassVar[str] = "report"
    directions: Sequence[str] = DIRECTIONS

    async def play(self, number: int, key: str, entrance: int) -> None:
        """Report it."""
        client = self.client_of(RESIDENTS[number % len(RESIDENTS)], entrance)
        self.stands(key, await client.report(report_of(self.seed, number, self.directions), key))

    async def send_twice(self, numbers: Sequence[int]) -> None:
        """Send each of these through both APIs at once, under one key."""
        async with asyncio.TaskGroup() as tasks:
            for number in numbers:
                for entrance in (0, 1):
                    tasks.create_task(self.begin(number, entrance))


def report_of(seed: int, number: int, directions: Sequence[str] = DIRECTIONS) -> IncidentReport:
    """The report with this number: the same for the same seed. `directions`: how departments and people may treat it."""
    random = Random(f"{seed}/{number}")
    description = f"第{number}号事项需要处理{random.choice(directions)}"
    location = Location(address=f"幸福路{number}号", area=random.choice(AREAS))
    return IncidentReport(category=random.choice(CATEGORIES), description=description, location=location)
