"""`jiceng api`: the starter API as a process."""

import uvicorn

from engine.database import open_pool
from engine.keys import Keys
from engine.logging import configure_logging
from engine.settings import Settings
from engine.temporal import connect
from engine.town_clock import read_town_time
from starter.app import create_app

GRACE_SECONDS = 10


async def run_api(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT. Raises what keys, policies, clock and database say when they are not usable."""
    with configure_logging("api", settings.log_level):
        keys = Keys.of(settings)
        town_time = read_town_time(settings)
        async with await open_pool(settings, process="jiceng api") as pool:
            app = create_app(settings, keys, pool, lambda: connect(settings, keys), town_time=town_time)
            config = uvicorn.Config(
                app,
                host=settings.api_host,
                port=settings.api_port,
                log_config=None,
                access_log=False,  # a path with a query is not for a log; the app writes a line of its own
                server_header=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
            await uvicorn.Server(config).serve()
