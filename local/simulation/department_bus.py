"""One address for all simulated departments, as a town's service bus is: `/<code>/…` goes on to that department."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.simulation.quiet_server import listen, quiet_server, url_of

PASSED_ON = frozenset({"content-type", "idempotency-key", "jiceng-timestamp", "jiceng-signature"})
PASSED_BACK = frozenset({"content-type", "retry-after"})


@dataclass(frozen=True)
class Bus:
    """An open bus: where it is, and the task that ends with it."""

    url: str
    task: asyncio.Task[None]


@asynccontextmanager
async def bus_open(addresses: Mapping[str, str], host: str, port: int) -> AsyncIterator[Bus]:
    """A bus to these departments while the block runs; port 0 lets the system choose. OSError: it is taken."""
    # No limit of time or number: the caller's patience ends a call, and no department is held up by another.
    client = httpx.AsyncClient(timeout=None, trust_env=False, limits=httpx.Limits(max_connections=None))  # noqa: S113
    with closing(listen(host, port)) as listener:
        async with client:
            relay = _Relay(client, addresses)
            route = Route("/{code}/{rest:path}", relay.pass_on, methods=["GET", "POST", "DELETE"])
            server = quiet_server(Starlette(routes=[route]), host)
            task = asyncio.create_task(server.serve(sockets=[listener]), name="department bus")
            try:
                yield Bus(url_of(listener), task)
            finally:
                server.should_exit = True
                await asyncio.wait([task])


class _Relay:
    def __init__(self, client: httpx.AsyncClient, addresses: Mapping[str, str]) -> None:
        self._client = client
        self._addresses = addresses

    async def pass_on(self, request: Request) -> Response:
        """Give the department's answer, 502 when it is down, and hang up on it when the caller hangs up."""
        address = self._addresses.get(request.path_params["code"])
        if address is None:
            return JSONResponse({"status": 404, "code": "no-such-department"}, 404)
        body = await request.body()
        call = asyncio.create_task(
            self._client.request(
                request.method,
                f"{address}/{request.path_params['rest']}",
                content=body,
                headers={name: value for name, value in request.headers.items() if name in PASSED_ON},
            )
        )
        hung_up = asyncio.create_task(_hung_up(request))
        try:
            await asyncio.wait([call, hung_up], return_when=asyncio.FIRST_COMPLETED)
            if not call.done():
                return Response(status_code=499)
            answer = call.result()
        except httpx.TransportError:
            return JSONResponse({"status": 502, "code": "department-down"}, 502)
        finally:
            call.cancel()
            hung_up.cancel()
        headers = {name: value for name, value in answer.headers.items() if name in PASSED_BACK}
        return Response(answer.content, answer.status_code, headers)


async def _hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
