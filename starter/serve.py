"""`jiceng api`: the starter API as a process."""

import socket

import uvicorn
from fastapi import FastAPI

from engine.execution.temporal import connect
from engine.keys.keys import Keys
from engine.runtime.logging import configure_logging
from engine.runtime.settings import Settings
from engine.runtime.town_clock import read_town_time
from engine.store.database import open_pool
from starter.app import MakePages, create_app, no_pages
from starter.cases.reading import Reading
from starter.http.connection_guard import IDLE_SECONDS, guarded_protocol
from starter.http.dependencies import provided
from starter.http.known_hosts import KnownHosts

GRACE_SECONDS = 10


class ApiServer(uvicorn.Server):
    """Asked to stop, it answers whoever waits for a case at once: a wait may be longer than its grace, and would be cut off."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._announcements = provided(app, Reading).announcements

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more requests, answer those that are here, and stop."""
        self._announcements.end()
        await super().shutdown(sockets)


async def run_api(settings: Settings, pages: MakePages = no_pages) -> None:
    """Run until SIGTERM or SIGINT. Raises what keys, policies, clock and database say when they are not usable."""
    with configure_logging("api", settings.log_level):
        keys = Keys.of(settings)
        town_time = read_town_time(settings)
        async with await open_pool(settings, process="jiceng api") as pool:
            app = create_app(settings, keys, pool, lambda: connect(settings, keys), town_time=town_time, pages=pages)
            await ApiServer(config_of(app, settings), app).serve()


def config_of(app: FastAPI, settings: Settings) -> uvicorn.Config:
    """How the API is served."""
    return uvicorn.Config(
        KnownHosts(app, settings.hosts),
        host=settings.api_host,
        port=settings.api_port,
        log_config=None,
        access_log=False,  # a path with a query is not for a log; the app writes a line of its own
        server_header=False,
        http=guarded_protocol(settings),
        ws="none",  # there are none, and an upgrade would leave the guard behind
        forwarded_allow_ips=settings.trusted_proxies,  # uvicorn alone would believe whoever comes from this machine
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
