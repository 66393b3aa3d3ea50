"""An API that is asked to stop, as in a rolling change: nobody who waits for a case is cut off."""

import asyncio
from contextlib import closing

import httpx

from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from local.simulation.quiet_server import listen, url_of
from starter.serve import ApiServer, config_of
from tests.api_callers import BuildApp, api_of, callers
from tests.waiting import eventually

pytest_plugins = ("tests.api_fixture",)
GRACE_SECONDS = 20
"""Less than the wait, and more than a busy machine needs to answer."""


async def test_who_waits_for_a_case_is_answered_when_the_api_stops(
    build_app: BuildApp, keys: Keys, settings: Settings, worker: None
) -> None:
    """A wait of half a minute ends at once, with how the case stands: never with an error, and never after the grace."""
    async with api_of(build_app()) as inside:
        case_id = (await callers(inside, keys)().report()).json()["case_id"]
    app = build_app()
    config = config_of(app, settings)
    config.timeout_graceful_shutdown = GRACE_SECONDS
    server = ApiServer(config, app)
    with closing(listen("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await eventually(lambda: server.started)
        async with httpx.AsyncClient(base_url=url_of(listener), trust_env=False, timeout=40) as http:
            waiting = asyncio.create_task(
                callers(http, keys)().get(f"/api/v1/cases/{case_id}", wait="stage:closed", timeout="30")
            )
            await eventually(lambda: bool(server.server_state.tasks))
            server.should_exit = True
            answer = await waiting
        await serving

    assert (answer.status_code, answer.json()["stage"]) == (200, "dispatched")


def test_a_connection_is_never_closed_before_its_user_would_close_it(build_app: BuildApp, settings: Settings) -> None:
    """Clients and proxies give up what they have not used for a minute at most: the API waits longer, and cuts nobody off."""
    nginx, ours = 60, httpx.Limits().keepalive_expiry or 0

    assert config_of(build_app(), settings).timeout_keep_alive > max(nginx, ours)
