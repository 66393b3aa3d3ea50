"""An HTTP server that lives with others in one process: no signals, no access log, and it is told when to end."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from engine.runtime.local_names import THIS_MACHINE
from local.town.ports import LOOPBACK
from starter.http.known_hosts import KnownHosts

BACKLOG = 128
IDLE_SECONDS = 75
"""So long a connection stays open that nobody uses: longer than its callers keep one (httpx: 5)."""


class QuietServer(uvicorn.Server):
    """Several live in one process, so none may take its signals. Ends when `should_exit` is set."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the process."""
        yield


def quiet_server(app: Any, host: str = LOOPBACK) -> QuietServer:
    """A server for an ASGI app; give it its listener: `serve(sockets=[listener])`.

    `host`: where it listens. On this machine alone it is called as this machine calls itself, and by no page of a browser.
    """
    return QuietServer(
        uvicorn.Config(
            KnownHosts(app, THIS_MACHINE if host == LOOPBACK else ""),
            log_config=None,
            log_level="warning",
            access_log=False,
            lifespan="off",
            ws="none",
            timeout_keep_alive=IDLE_SECONDS,
            timeout_graceful_shutdown=1,
        )
    )


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; from here on callers wait instead of being refused. Raises OSError, naming the port."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise OSError(error.errno, f"port {port} of {host}: {error.strerror}") from error
    listener.listen(BACKLOG)
    return listener


def url_of(listener: socket.socket) -> str:
    """The address of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}"
