"""Scenes of whistles: the street scores, the coordinator rules on a decline, a whistle comes up in an incident."""

from collections.abc import Mapping
from dataclasses import dataclass

from local.simulation.townspeople import COORDINATOR, Persona
from local.stories.scenes import SETTLE_SECONDS, OnStage
from schemas.summons_state import Stage as SummonsStage
from schemas.values.actor import Role
from schemas.whistle import Kind

STREET = Persona("street-officer-1", Role.STREET_OFFICER)


@dataclass(frozen=True, kw_only=True)
class Scores:
    """The street scores every department, when all is settled; a low mark with its reason."""

    marks: Mapping[str, int]
    by: Persona = STREET

    async def play(self, stage: OnStage) -> None:
        """Wait, and give one score after the other."""
        await stage.seen(Kind.ALL_SETTLED)
        for department, score in self.marks.items():
            body = {"department": department, "score": score} | ({"reason": "未按时到场"} if score < 60 else {})  # noqa: PLR2004 - the town's mark
            key = f"scene:{stage.case_id}:score:{department}"
            await stage.client(self.by).command(stage.case_id, "score", body, key, SETTLE_SECONDS)


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The coordinator rules on the decline of one department."""

    department: str
    upheld: bool

    async def play(self, stage: OnStage) -> None:
        """Wait until the whistle hears of the decline, and rule on the summons."""
        number = 0
        while True:
            number += 1
            facts = (await stage.seen(Kind.REPORTED, number)).facts
            if (facts["department"], facts["stage"]) == (self.department, SummonsStage.DECLINED):
                break
        body = {"upheld": self.upheld, "reason": "属于该部门法定职责"}
        summons = f"{stage.case_id}.{self.department}"
        await stage.client(COORDINATOR).command(summons, "arbitrate", body, f"scene:{summons}:rules", SETTLE_SECONDS)


@dataclass(frozen=True, kw_only=True)
class ComesUp:
    """A further case of the story begins, after an entry."""

    after: str
    number: int = 0

    async def play(self, stage: OnStage) -> None:
        """Wait, and let it begin."""
        await stage.seen(self.after)
        await stage.comes_up(self.number)
