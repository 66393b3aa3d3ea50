"""Whoever renews the file of a token restarts nothing: each client looks at it, and shows the new one once Temporal takes it."""

import asyncio
import math
import time
import weakref
from collections.abc import Mapping
from datetime import timedelta

import structlog
from temporalio.client import Client
from temporalio.service import RPCError, ServiceClient

from engine.execution.temporal_token import (
    SAID_WHEN_REFUSED,
    TOKEN_DAYS,
    TOKEN_DAYS_WORDS,
    NotLetIn,
    authorization,
    days_of,
    is_let_in,
    note_whether_good,
    why_refused,
)
from engine.runtime.metrics import usual_runtime
from engine.runtime.settings import Settings

ASK_EVERY_LOOKS = 120
"""How often, every hour, it asks whether the token that it shows is still taken: the key may have been replaced."""
WARN_DAYS = 30.0
TELL_SECONDS = timedelta(days=1).total_seconds()
"""So often the same is told again."""

NOT_GOOD = "temporal_token_not_good"

log = structlog.get_logger()
_following = set[asyncio.Task[None]]()


def follow(client: Client, settings: Settings) -> None:
    """Show the newest token that Temporal takes, for as long as the client lives."""
    if settings.temporal_token_file is None:
        return
    follower = _Follower(weakref.ref(client.service_client), settings)
    task = asyncio.create_task(follower.run())
    _following.add(task)
    task.add_done_callback(_following.discard)


class _Follower:
    """One client and the file of its token."""

    def __init__(self, client: "weakref.ref[ServiceClient]", settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self._looks_until_asked = 0
        self._told: dict[str, tuple[str, float]] = {}
        self._measured = False

    async def run(self) -> None:
        """Look again and again, whatever one look meets."""
        while (service := self._client()) is not None:
            try:
                days = await self._look(service)
            except Exception as fault:  # noqa: BLE001 - a task that has ended says nothing, and its figure stands still
                self._not_good(service, fault)
            else:
                self._good(service, days)
            del service  # who waits here must not keep it alive
            await asyncio.sleep(self._settings.temporal_token_seconds)
        self._note_file(good=True)  # nobody is left who is refused

    async def _look(self, service: ServiceClient) -> float:
        """Show what the file holds, if it is another one than is shown and is taken; how many days what is shown lasts."""
        found = await asyncio.to_thread(authorization, self._settings)
        new = found != service.config.rpc_metadata
        self._looks_until_asked -= 1
        if new or self._looks_until_asked <= 0:
            try:
                let_in = await is_let_in(service, self._settings.temporal_namespace, found)
            except RPCError:
                return days_of(service.config.rpc_metadata)  # Temporal is away: the next look asks again
            except RuntimeError as error:
                _show(service, found)  # it has not connected yet, and does so with what it shows: nothing is lost by it
                if SAID_WHEN_REFUSED.search(str(error)):
                    raise NotLetIn(why_refused(self._settings)) from None
                return days_of(found)
            if not let_in:
                self._looks_until_asked = 0
                raise NotLetIn(why_refused(self._settings))
            self._looks_until_asked = ASK_EVERY_LOOKS
        if new:
            _show(service, found)
            log.info("temporal_token_renewed")
        return days_of(found)

    def _good(self, service: ServiceClient, days: float) -> None:
        self._note(service, days, good=True)
        self._told.pop(NOT_GOOD, None)
        if days < WARN_DAYS:
            lasts = days > 0
            if self._is_news("ends" if lasts else "ended"):
                log.warning("temporal_token_ends" if lasts else "temporal_token_ended", number=math.floor(days))

    def _not_good(self, service: ServiceClient, fault: Exception) -> None:
        """What was shown before is shown still: it may last. The alert rings all the same."""
        self._note(service, 0.0, good=False)
        reason = str(fault) if isinstance(fault, NotLetIn) else ""
        if self._is_news(NOT_GOOD, reason):
            log.error("temporal_token_not_good", error=type(fault).__name__, reason=reason)

    def _note(self, service: ServiceClient, days: float, *, good: bool) -> None:
        self._note_file(good=good)
        if days < math.inf or self._measured:  # who never had one that ends shows no figure
            meter = (service.config.runtime or usual_runtime()).metric_meter
            meter.create_gauge_float(TOKEN_DAYS, TOKEN_DAYS_WORDS).set(max(days, 0.0))
            self._measured = True

    def _note_file(self, *, good: bool) -> None:
        if (file := self._settings.temporal_token_file) is not None:
            note_whether_good(file, good=good)

    def _is_news(self, event: str, reason: str = "") -> bool:
        before, told_at = self._told.get(event, ("", -math.inf))
        now = time.monotonic()
        if reason == before and now < told_at + TELL_SECONDS:
            return False
        self._told[event] = reason, now
        return True


def _show(service: ServiceClient, found: Mapping[str, str | bytes]) -> None:
    service.update_rpc_metadata(found)
    service.config.rpc_metadata = found
