"""The fixture `serve`: an API that listens on a real port."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from starter.serve import ApiServer, config_of
from tests.api_callers import BuildApp
from tests.served_api import Serve, Served
from tests.waiting import eventually


@pytest.fixture
def serve(build_app: BuildApp, settings: Settings, keys: Keys) -> Serve:
    """Open an API on a port of its own, with other settings than usual."""

    @asynccontextmanager
    async def open_api(**other: object) -> AsyncIterator[Served]:
        ours = settings.model_copy(update={"api_port": 0, **other})
        app = build_app(over=ours)
        server = ApiServer(config_of(app, ours), app)
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            running = asyncio.create_task(server.serve([listening]))
            await eventually(lambda: server.started)
            try:
                yield Served(listening.getsockname()[1], keys, lambda: len(server.server_state.connections))
            finally:
                server.config.timeout_graceful_shutdown = 1  # the silent ones are not waited for
                server.should_exit = True
                await running

    return open_api
