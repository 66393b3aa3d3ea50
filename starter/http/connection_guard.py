"""Connections that only half exist: heads that are not sent, answers that are not read. Each has a deadline, and all have a bound.

uvicorn waits for the head of a request for as long as somebody likes. Here a head has a few seconds and a size, an answer that
nobody reads is given up, and one address has so many connections and, among them, so many heads that have only begun. Bodies have
their own rule (starter/http/slow_bodies.py), because what they hold is known only there.
"""

import asyncio
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import Any

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from engine.runtime.settings import Settings

log = structlog.get_logger()

HEAD_BYTES_MAX = 64 * 1024

IDLE_SECONDS = 75
"""So long a connection stays open that nobody uses: longer than clients keep one (httpx 5, nginx 60). Closed by us in the
very moment in which it is used again, it costs its user a request of which nobody knows the fate."""


@dataclass
class Connections:
    """What is open, by address. Bounds of 0: none. An answer of which nobody took a byte for `unread_seconds` is given up."""

    per_address: int
    half_sent: int
    head_seconds: float
    unread_seconds: float
    open: Counter[str] = field(default_factory=Counter)
    beginning: dict[str, "OrderedDict[GuardedProtocol, None]"] = field(default_factory=dict)

    def opened(self, address: str) -> bool:
        """Count a new one; False when the address has as many as it may."""
        self.open[address] += 1
        return not self.per_address or self.open[address] <= self.per_address

    def closed(self, address: str) -> None:
        """Forget one."""
        self.open[address] -= 1
        if self.open[address] <= 0:
            del self.open[address]

    def begins(self, connection: "GuardedProtocol") -> None:
        """A head has not come whole yet. Of too many of one address the oldest goes: the newest may be somebody else's."""
        those = self.beginning.setdefault(connection.address, OrderedDict())
        those[connection] = None
        if self.half_sent and len(those) > self.half_sent:
            oldest, _ = those.popitem(last=False)
            oldest.give_up("half_sent")

    def has_begun(self, connection: "GuardedProtocol") -> None:
        """It has come, or never will."""
        those = self.beginning.get(connection.address)
        if those is not None:
            those.pop(connection, None)
            if not those:
                del self.beginning[connection.address]


class GuardedProtocol(HttpToolsProtocol):
    """One connection, with deadlines."""

    guards: Connections

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A new connection: from now on its first head is waited for."""
        super().connection_made(transport)
        self.address = self.client[0] if self.client else ""
        self._head_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._head_bytes = self._unread = 0
        self._in_body = False
        if self.guards.opened(self.address):
            self._wait_for_head()
        else:
            self.give_up("too_many")

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._head_has_come()
        self._stop_looking()
        self.guards.closed(self.address)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Something came. Where it makes no request whole, and none is under way, the head's time and size count."""
        super().data_received(data)
        if self._under_way:
            self._head_has_come()
            return
        if self.transport.is_closing():
            return
        # What is left of a body that is answered already is drained for a while: cut off, its sender would not see the answer.
        self._head_bytes += 0 if self._in_body else len(data)
        if self._head_bytes > HEAD_BYTES_MAX:
            self.give_up("head_too_large")
        elif self._head_timer is None:
            self._wait_for_head()

    def on_headers_complete(self) -> None:
        """A head has come."""
        self._in_body = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """A request has come whole."""
        self._in_body = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """An answer is written; what of it is still unread must go on being read."""
        super().on_response_complete()
        if not self._under_way:
            self._head_bytes = 0
            if self._in_body and self._head_timer is None and not self.transport.is_closing():
                self._wait_for_head()  # the rest of a body that is answered already has no longer than a head
        self._look_at_unread(first=True)

    def give_up(self, reason: str) -> None:
        """Close it, whatever is still to come."""
        log.info("connection_given_up", reason=reason)
        self._head_has_come()
        self.transport.abort()

    @property
    def _under_way(self) -> bool:
        cycle: Any = self.cycle
        return cycle is not None and not cycle.response_complete

    def _wait_for_head(self) -> None:
        self._head_timer = self.loop.call_later(self.guards.head_seconds, self.give_up, "head_too_slow")
        self.guards.begins(self)

    def _head_has_come(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        self._head_bytes = 0
        self.guards.has_begun(self)

    def _look_at_unread(self, *, first: bool = False) -> None:
        self._stop_looking()
        unread = 0 if self.transport.is_closing() and first else self.transport.get_write_buffer_size()
        if not unread:
            return
        if not first and unread >= self._unread:
            self.give_up("answer_not_read")
            return
        self._unread = unread
        self._write_timer = self.loop.call_later(self.guards.unread_seconds, self._look_at_unread)

    def _stop_looking(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None


def guarded_protocol(settings: Settings) -> type[GuardedProtocol]:
    """The protocol of one server, whose connections are counted together."""
    guards = Connections(
        per_address=settings.connections_per_address,
        half_sent=settings.half_sent_per_address,
        head_seconds=settings.head_seconds,
        unread_seconds=settings.body_grace_seconds,
    )
    return type("GuardedProtocol", (GuardedProtocol,), {"guards": guards})
