"""Which story is played when, so that they do not disturb each other."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from local.stories.story import Story

AT_ONE_TIME = 4
"""Stories with clocks that must not run out: on two cores more of them make each other late at the demo's speed."""


CLOCKS_AT_ONE_TIME = 12
"""Stories with clocks of their own: a clock of weeks in a second runs on while the others' reports are taken in."""


class Schedule:
    """Which story is played when.

    Those that do not mind delay begin at once; with a clock of their own, which runs fast, after the rehearsal, and not all at
    one time. The others wait for it too, so that no clock of theirs runs while new processes load their code, and are few at a
    time; those in a hurry go first. One that kills goes last: a clock that nobody looks at while the worker is dead tells its
    moments late, and one that runs fast tells those of two months at once.
    """

    def __init__(self, stories: Sequence[Story]) -> None:
        self._minding = {story.name for story in stories if story.minds_delay or story.moments or story.clock}
        self._hurrying = {story.name for story in stories if story.in_a_hurry}
        self._places, self._clocks = asyncio.Semaphore(AT_ONE_TIME), asyncio.Semaphore(CLOCKS_AT_ONE_TIME)
        self._warm, self._unhurried, self._quiet = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._look()

    @asynccontextmanager
    async def turn_of(self, story: Story) -> AsyncIterator[None]:
        """The time of this story."""
        if story.kills_worker:
            await self._quiet.wait()
        elif story.minds_delay:
            await self._warm.wait()
            if not story.in_a_hurry:
                await self._unhurried.wait()
            await self._places.acquire()
        elif story.clock is not None:
            await self._warm.wait()
            await self._clocks.acquire()
        try:
            yield
        finally:
            if story.minds_delay and not story.kills_worker:
                self._places.release()
            elif story.clock is not None and not story.kills_worker:
                self._clocks.release()
            self._minding.discard(story.name)
            self._hurrying.discard(story.name)
            self._look()

    def rehearsed(self) -> None:
        """Worker, API and departments have all done their part once."""
        self._warm.set()

    def _look(self) -> None:
        if not self._hurrying:
            self._unhurried.set()
        if not self._minding:
            self._quiet.set()
