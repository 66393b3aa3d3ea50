"""Waiting for what another process does: Postgres tells us over one connection, and we look again by ourselves too.

Postgres tells of cases. How a submission ended is told inside the process that delivered it, where almost everybody who
waits for it waits; in another process it is found by looking again: every announcement through Postgres costs a commit
that no other announcing transaction may share.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

import asyncpg
import structlog

from engine.runtime.settings import Settings
from engine.store.database import NOT_DONE
from starter.cases.case_states import CaseStates

log = structlog.get_logger()
T = TypeVar("T")

CASES = "cases"
INTAKE = "intake"
_CHANNEL = "told"
"""Postgres's: the number of a case and the hash of its last entry; without one, somebody else than the case had a hand in it."""
LOOK_AGAIN_SECONDS = 0.5
"""A wait looks again after so long: an announcement is a hint, and one may be lost while the connection is away."""

_RECONNECT_SECONDS = 1.0
_PING_SECONDS = 5.0


class Announcements:
    """Listens to the database and to this process's relay, and wakes whoever waits for a case or a submission."""

    def __init__(self, settings: Settings, states: CaseStates, look_again_seconds: float = LOOK_AGAIN_SECONDS) -> None:
        """`states` forget a case that has told more."""
        self._look_again_seconds = look_again_seconds
        self._states = states
        self._url = settings.database_url.get_secret_value()
        self._waiting: defaultdict[tuple[str, str], set[asyncio.Event]] = defaultdict(set)
        self._ended = False

    async def until(
        self,
        channel: str,
        about: str,
        look: Callable[[], Awaitable[T | None]],
        patience_seconds: float,
        *,
        at_once: bool = True,
    ) -> T | None:
        """What `look` finds, as soon as it finds something; None when patience is over, or this process goes.

        Without `at_once` it waits to be told first: what has only just been set going is not there yet. Holds no connection.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + patience_seconds
        with self._listening(channel, about) as event:
            while True:
                event.clear()
                found = await look() if at_once else None
                at_once = True
                left = end - loop.time()
                if found is not None or left <= 0 or self._ended:
                    return found
                try:
                    await asyncio.wait_for(event.wait(), min(left, self._look_again_seconds))
                except TimeoutError:
                    continue  # look again; the loop ends by its own clock

    def tell(self, channel: str, about: str) -> None:
        """Wake whoever waits for it in this process."""
        for event in self._waiting.get((channel, about), ()):
            event.set()

    def end(self) -> None:
        """Nobody waits here any more: all are told what there is, and ask elsewhere if they want to wait on."""
        self._ended = True
        self._wake_all()

    async def run(self) -> None:
        """Listen until cancelled. While the database is away, waits go on looking by themselves."""
        while True:
            try:
                async with self._connection() as connection:
                    self._states.forget_all()
                    self._wake_all()
                    while not connection.is_closed():
                        await asyncio.sleep(_PING_SECONDS)
                        await connection.execute("select 1")
            except NOT_DONE as error:
                log.warning("announcements_away", error=type(error).__name__)
            await asyncio.sleep(_RECONNECT_SECONDS)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
        connection = await asyncpg.connect(
            self._url, timeout=5, command_timeout=5, server_settings={"application_name": "jiceng announcements"}
        )
        try:
            await connection.add_listener(_CHANNEL, self._on_announcement)
            yield connection
        finally:
            connection.terminate()

    def _on_announcement(self, _connection: object, _pid: int, _channel: str, about: object) -> None:
        case_id, _, head_hash = str(about).partition(" ")
        self._states.forget(case_id, head_hash)
        self.tell(CASES, case_id)

    def _wake_all(self) -> None:
        for events in self._waiting.values():
            for event in events:
                event.set()

    @contextmanager
    def _listening(self, channel: str, about: str) -> Iterator[asyncio.Event]:
        key, event = (channel, about), asyncio.Event()
        self._waiting[key].add(event)
        try:
            yield event
        finally:
            self._waiting[key].discard(event)
            if not self._waiting[key]:
                del self._waiting[key]
