"""Crowds of other procedures under disturbance: of `local/chaos/chaos_NAME.py`, else they go the walks of its stories."""

import asyncio
import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import ClassVar

from local.chaos.chaos_load import LOOK_SECONDS, WAIT_SECONDS, ClientOf, Crowd, Responses
from local.simulation.townspeople import AUDITOR
from local.stories.walk_stories import answering, sent_by
from local.stories.walks import Walks, WrittenWalk, opened_by, walks_of
from schemas.kernel.declaration import DeclaredProcedure
from starter.client import Refused
from workflows.registry import workflow_of


@dataclass
class WalkCrowd(Crowd):
    """Cases that go the walks of a procedure's stories, one after the other."""

    name: ClassVar[str] = "walk"
    procedure: DeclaredProcedure = field(kw_only=True)
    walks: Walks = field(kw_only=True)

    @property
    def called(self) -> str:
        """Its procedure, whose keys these are."""
        return self.procedure.name

    async def play(self, number: int, key: str, entrance: int) -> None:
        """Open the case, and let the people of its walk act."""
        told = [walk for walk in self.walks.walks if walk.name in self.walks.stories]
        walk = told[number % len(told)]
        starter = self.client_of(self.walks.people[self.walks.starter], entrance)
        body = await sent_by(starter, walk.opening or self.walks.opening, key)
        case_id = self.stands(key, await starter.start(self.procedure, body, key))
        await self._goes(walk, case_id, entrance)

    async def _goes(self, walk: WrittenWalk, case_id: str, entrance: int) -> None:
        await self._has_told(case_id, self.procedure.opened, 1, entrance)
        for number, step in enumerate(walk.steps):
            if step.after is not None:
                await self._has_told(case_id, *step.after, entrance)
            client = self.client_of(self.walks.people[step.by], entrance)
            body = await sent_by(client, self.walks.body_of(self.procedure, step), f"{case_id}:{number}")
            body = await answering(client, self.procedure, case_id, step.command, body)
            await self.give(client, case_id, step.command, body, f"{number}")

    async def _has_told(self, case_id: str, kind: str, times: int, entrance: int) -> None:
        """Wait for an entry; a case that has ended tells no more, and the next command says so."""
        auditor = self.client_of(AUDITOR, entrance)
        seq = 0
        while True:
            try:
                case = await auditor.case(case_id, f"seq:{seq + 1}", WAIT_SECONDS)
                told = [entry.kind for entry in await auditor.timeline(case_id)]
            except Refused as refused:
                if refused.code != "unknown-case":
                    raise
                await asyncio.sleep(LOOK_SECONDS)  # accepted while workers are away, it does not even stand yet
                continue
            if told.count(kind) >= times or case.ended:
                return
            seq = case.seq


def crowds(asked: Mapping[str, int], seed: int, client_of: ClientOf, told: Responses) -> Mapping[str, Crowd]:
    """The crowd of each procedure that is asked for. Raises ValueError: nobody knows how its cases go under disturbance."""
    return {name: _crowd_of(name, seed, client_of, told) for name in asked}


def _crowd_of(name: str, seed: int, client_of: ClientOf, told: Responses) -> Crowd:
    if find_spec(f"local.chaos.chaos_{name}") is not None:
        own: type[Crowd] = importlib.import_module(f"local.chaos.chaos_{name}").CROWD
        return own(seed, client_of, told)
    procedure = workflow_of(name).procedure
    walks = walks_of(procedure)
    if walks is None or not walks.stories:
        raise ValueError(f"{name} has no local/chaos/chaos_{name}.py, and no walks with stories")
    return WalkCrowd(seed, client_of, told, procedure=opened_by(procedure), walks=walks)
