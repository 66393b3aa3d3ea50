"""The wide shapes in bare Temporal: as many calls over HTTP, as many updates, one timer a workflow. None of ours.

python -m bench.bare_wide ADDRESS OUTSIDE_URL     runs their worker
"""

import asyncio
import sys
from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity, workflow

with workflow.unsafe.imports_passed_through():
    import httpx

    from bench.bare_case import Order, serve

LIMIT = timedelta(days=7)
CALL = timedelta(seconds=30)
TOLD = {"gathered": "arrive", "settled": "finish"}
CHILD_UPDATES = 2
WELFARE_UPDATES = 4


@dataclass
class Wide(Order):
    """What opens a case, and whom it asks."""

    asked: list[str]


@dataclass
class Errand(Order):
    """What one of those who are asked is told. `parent`: the workflow that it belongs to."""

    code: str
    parent: str


class Outside:
    """The two activities."""

    def __init__(self, url: str, calls: httpx.AsyncClient) -> None:
        self._url, self._calls = url, calls

    @activity.defn
    async def summon(self, errand: Errand) -> str:
        """Give a department its order."""
        return await self._post(f"{errand.code}/work-orders", errand)

    @activity.defn
    async def check(self, errand: Errand) -> str:
        """Ask a source."""
        return await self._post(f"{errand.code}/checks", errand)

    async def _post(self, path: str, errand: Errand) -> str:
        body = {"order_id": errand.order_id, "check_id": errand.order_id, "description": errand.description}
        answer = await self._calls.post(f"{self._url}/{path}", json=body)
        return str(answer.raise_for_status().json()["receipt"])


@workflow.defn(name="bare-whistle")
class BareWhistle:
    """A case with the shape of a whistle: a child for each who is called, work begun, a score for each."""

    def __init__(self) -> None:
        self.called = 0
        self.heard: list[str] = []
        self.done: list[str] = []

    @workflow.run
    async def run(self, whistle: Wide) -> str:
        """Call everybody, then wait for the commands under one timer."""
        self.called = len(whistle.asked)
        await asyncio.gather(*(self._call(whistle, code) for code in whistle.asked))
        await workflow.wait_condition(lambda: len(self.done) > self.called, timeout=LIMIT)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self.done[-1]

    async def _call(self, whistle: Wide, code: str) -> None:
        case = f"{whistle.order_id}.{code}"
        await workflow.start_child_workflow(
            BareSummons.run,
            Errand(case, whistle.description, code, whistle.order_id),
            id=case,
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
        )

    @workflow.signal
    def hear(self, command: str) -> None:
        """Hear what a child has done."""
        self.heard.append(command)

    @workflow.query
    def has_come(self, what: str) -> bool:
        """Whether all have told so."""
        return self.heard.count(TOLD[what]) == self.called > 0

    @workflow.update
    def command(self, name: str) -> str:
        """Take one command."""
        self.done.append(name)
        return name


@workflow.defn(name="bare-summons")
class BareSummons:
    """A child: one call over HTTP, two commands under one timer, and its parent told of each."""

    def __init__(self) -> None:
        self.told = 0
        self.done: list[str] = []

    @workflow.run
    async def run(self, errand: Errand) -> str:
        """Call and listen at the same time."""
        parent = workflow.get_external_workflow_handle(errand.parent)
        called = workflow.start_activity_method(Outside.summon, errand, start_to_close_timeout=CALL)
        async with asyncio.timeout(LIMIT.total_seconds()):
            while self.told < CHILD_UPDATES:
                await workflow.wait_condition(lambda: len(self.done) > self.told)
                await parent.signal(BareWhistle.hear, self.done[self.told])
                self.told += 1
        await called
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self.done[-1]

    @workflow.update
    def command(self, name: str) -> str:
        """Take one command."""
        self.done.append(name)
        return name


@workflow.defn(name="bare-welfare")
class BareWelfare:
    """A case with the shape of an application: accepted, checked by all at once, visited twice, reviewed."""

    def __init__(self) -> None:
        self.checked = False
        self.done: list[str] = []

    @workflow.run
    async def run(self, application: Wide) -> str:
        """Ask everybody once it is accepted; all commands under one timer."""
        async with asyncio.timeout(LIMIT.total_seconds()):
            await workflow.wait_condition(lambda: bool(self.done))
            await asyncio.gather(*(self._ask(application, code) for code in application.asked))
            self.checked = True
            await workflow.wait_condition(lambda: len(self.done) >= WELFARE_UPDATES)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self.done[-1]

    async def _ask(self, application: Wide, code: str) -> None:
        errand = Errand(f"{application.order_id}.{code}", application.description, code, application.order_id)
        await workflow.execute_activity_method(Outside.check, errand, start_to_close_timeout=CALL)

    @workflow.query
    def has_come(self, what: str) -> bool:
        """Whether all have answered: before the review nothing else is asked for."""
        return what == "surveyed" and self.checked

    @workflow.update
    def command(self, name: str) -> str:
        """Take one command."""
        self.done.append(name)
        return name


async def main(address: str, outside: str) -> None:
    """Run the worker."""
    async with httpx.AsyncClient(trust_env=False) as calls:
        asked = Outside(outside, calls)
        await serve(address, [BareWhistle, BareSummons, BareWelfare], [asked.summon, asked.check])


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
