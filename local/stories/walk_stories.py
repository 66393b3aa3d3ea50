"""Walks as stories of the demo: the people of a walk act one after the other, and the case goes where the walk says."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.simulation.pictures import PICTURE
from local.stories.scenes import SETTLE_SECONDS, OnStage
from local.stories.story import LATE, NEVER, SPRING, OrderExpectation, OwnClock, Repertoire, Story, Title
from local.stories.walks import Walks, WrittenWalk, opened_by, with_documents
from schemas.kernel.answers import AnswerTo
from schemas.kernel.declaration import DeclaredProcedure
from schemas.kernel.procedure import Procedure
from starter.client import Started, TownClient

ENDED = "case:ended"


@dataclass(frozen=True, kw_only=True)
class WalkStory(Story):
    """A case of a declared procedure, opened by what people send for it."""

    procedure: DeclaredProcedure
    opening: Mapping[str, Any]

    async def open(self, client: TownClient, key: str, born_of: str | None) -> Started:  # noqa: ARG002 - of these none is
        """Send it, as whoever starts the walk."""
        return await client.start(self.procedure, await sent_by(client, self.opening, key), key)


@dataclass(frozen=True, kw_only=True)
class Goes:
    """The people of a walk, each when it is their turn."""

    procedure: DeclaredProcedure
    walks: Walks
    walk: WrittenWalk

    async def play(self, stage: OnStage) -> None:
        """Wait for what the walk waits for, and give one command after the other."""
        await stage.seen(self.procedure.opened)
        for number, step in enumerate(self.walk.steps):
            if step.after is not None:
                await stage.seen(*step.after)
            client = stage.client(self.walks.people[step.by])
            key = f"scene:{stage.case_id}:walk:{number}"
            body = await sent_by(client, self.walks.body_of(self.procedure, step), key)
            body = await answering(client, self.procedure, stage.case_id, step.command, body)
            await client.command(stage.case_id, step.command, body, key, SETTLE_SECONDS)


async def sent_by(client: TownClient, body: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """A body with documents of this person's own in it."""

    async def send() -> Mapping[str, Any]:
        content = PICTURE + hashlib.sha256(key.encode()).digest()
        return (await client.send_document(content, "image/png")).model_dump(mode="json")

    found: Mapping[str, Any] = await with_documents(body, send)
    return found


async def answering(
    client: TownClient, procedure: Procedure, case_id: str, command: str, body: Mapping[str, Any]
) -> Mapping[str, Any]:
    """The body with the number of what the case shows as waiting, where it is an answer: whoever answers has looked."""
    model = procedure.commands[command]
    if not issubclass(model, AnswerTo) or model.number_in in body:
        return body
    waiting = (await client.case(case_id)).requests.get(command, ())
    return {**body, model.number_in: next(iter(waiting), 1)}


def repertoire_of(procedure: Procedure, walks: Walks) -> Repertoire:
    """The stories of a procedure that has walks: each is told until its case has ended, and judged by what the walk says."""
    declared = opened_by(procedure)
    return Repertoire(
        stories=tuple(
            _story(declared, walks, walk) for walk in walks.walks if walk.name in {**walks.stories, **walks.asked_for}
        ),
        stage_after={ENDED: lambda facts, _path: declared.stages(facts["stage"])},
        endings=declared.final,
    )


def _story(procedure: DeclaredProcedure, walks: Walks, walk: WrittenWalk) -> WalkStory:
    zh, en = {**walks.stories, **walks.asked_for}[walk.name]
    given = Counter(step.command for step in walk.steps)
    return WalkStory(
        name=f"{procedure.name}-{walk.name.replace(' ', '-')}",
        title=Title(zh=zh, en=en),
        procedure=procedure,
        opening=walk.opening or walks.opening,
        path=(procedure.stages(walk.stage),),
        counts={str(entry): times for command, times in given.items() if (entry := _entry(procedure, command))}
        | dict(walk.told),
        orders=tuple(OrderExpectation(department=code, reports=reports) for code, reports in walk.orders),
        never=NEVER - LATE,
        scenes=(Goes(procedure=procedure, walks=walks, walk=walk),),
        ends_with=ENDED,
        clock=OwnClock(SPRING, walks.speed),
        reporter=walks.people[walks.starter],
        asked_for=walk.name in walks.asked_for,
    )


def _entry(procedure: DeclaredProcedure, command: str) -> str | None:
    """The entry that a command makes each time, where no other line makes it too."""
    entry = procedure.acts[command].entry
    lines = [*(act.entry for act in procedure.acts.values()), *(step.entry for step in procedure.steps)]
    return entry if lines.count(entry) == 1 else None
