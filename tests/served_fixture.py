"""The fixture `serve`: an API that listens on a real port."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from tests.api_callers import BuildApp
from tests.served_api import Serve, Served, listening


@pytest.fixture
def serve(build_app: BuildApp, settings: Settings, keys: Keys) -> Serve:
    """Open an API on a port of its own, with other settings than usual."""

    @asynccontextmanager
    async def open_api(**other: object) -> AsyncIterator[Served]:
        ours = settings.model_copy(update={"api_port": 0, **other})
        async with listening(build_app(over=ours), ours, keys) as served:
            yield served

    return open_api
