"""The law: a port of a local town that a web page can reach does nothing for it."""

import ast
import asyncio
import http.client
import json
import uuid
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus

from engine.runtime.local_names import THIS_MACHINE
from engine.runtime.settings import PROJECT, Settings
from local.simulation.quiet_server import listen, quiet_server
from local.town.data_folder import DataFolder
from local.town.town import PORTS
from schemas.incident import INCIDENT
from tests.api_driver import OpenDoor
from tests.served_api import Serve
from tests.waiting import eventually

pytest_plugins = ("tests.api_fixture", "tests.served_fixture")

HTTP_API = "/api/v1/namespaces/default"
PAGE = {"Origin": "http://evil.example", "Content-Type": "text/plain"}
"""What a browser sends for a page of somebody else's, without asking first."""

HOSTS = ["127.0.0.1", "127.0.0.1:{port}", "localhost", "localhost:{port}", "evil.example", "[::1]", "", None]

DONE = frozenset({
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
})  # fmt: skip
"""What Temporal would have on record if one of them had been heard."""


def port_of(settings: Settings, name: str) -> int:
    """A port of the town's."""
    return int(DataFolder(settings.data).remembered_ports()[name])


def asked(
    port: int, method: str, path: str, host: str | None, body: Any = None, headers: dict[str, str] | None = None
) -> int:
    """The status of an answer to a request with this Host, or with none at all."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.putrequest(method, path, skip_host=True)
        content = json.dumps(body).encode() if body is not None else b""
        if host is not None:
            connection.putheader("Host", host.format(port=port))
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(content)))
        connection.endheaders(content)
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize("host", HOSTS)
async def test_temporals_http_port_serves_no_host(settings: Settings, temporal: Client, host: str | None) -> None:
    """Temporal's HTTP API, which nothing of ours uses, answers nobody, whatever the request says it wants."""
    port = port_of(settings, "temporal_http")
    refused = 400 if host is None else 403  # without a host it is no request of HTTP/1.1
    statuses = {
        asked(port, method, f"{HTTP_API}{path}", host)
        for method, path in (("GET", "/workflows"), ("GET", ""), ("GET", "/schedules"), ("POST", "/batch-operations/x"))
    }

    assert statuses == {refused}
    assert await temporal.service_client.check_health(retry=True)  # connections of a certain age are closed


@pytest.mark.usefixtures("worker")
async def test_a_page_in_a_browser_ends_no_case(settings: Settings, temporal: Client, door: OpenDoor) -> None:
    """A cross-site request to any port of Temporal's ends, signals or changes no case, one by one or all at once."""
    town = await door(INCIDENT)
    case_id = await town.start()
    await town.stands(case_id)
    before = list((await temporal.get_workflow_handle(case_id).fetch_history()).events)
    batch = {
        "jobId": str(uuid.uuid4()), "reason": "x", "visibilityQuery": "WorkflowType = 'incident'", "terminationOperation": {},
    }  # fmt: skip
    attempts = [
        (f"{HTTP_API}/workflows/{case_id}/terminate", {"reason": "x"}),
        (f"{HTTP_API}/workflows/{case_id}/cancel", {}),
        (f"{HTTP_API}/workflows/{case_id}/signal/message", {"input": []}),
        (f"{HTTP_API}/batch-operations/{batch['jobId']}", batch),
    ]
    answered = {
        (name, asked(port_of(settings, name), "POST", path, host, body, PAGE))
        for name in ("temporal_http", "temporal_ui")
        for path, body in attempts
        for host in ("127.0.0.1:{port}", "evil.example")
    }
    described = await temporal.get_workflow_handle(case_id).describe()
    after = list((await temporal.get_workflow_handle(case_id).fetch_history()).events)
    new = after[len(before) :]

    assert {status for name, status in answered if name == "temporal_http"} == {403}
    assert {status for name, status in answered if name == "temporal_ui"} == {400}  # no token of its own page
    assert described.status is WorkflowExecutionStatus.RUNNING
    assert after[: len(before)] == before
    assert [event for event in new if event.event_type in DONE] == []


# ---- ports of our own -------------------------------------------------------------------------------------------------

NOT_OURS = {
    "temporal": "gRPC: no page speaks it",
    "temporal_ui": "Temporal's own, which answers any host: docs/running.md says who must not surf",
    "temporal_http": "serves no host: see above",
    "temporal_metrics": "Temporal's own: counts, and no case",
    "postgres": "no HTTP, and a password",
}
"""Ports behind which no server of ours stands, and why a page gets nothing of a case there."""

EVERYWHERE = "0.0.0.0"  # noqa: S104 - a name in a request, and where containers listen
OWN = ("127.0.0.1", "127.0.0.1:{port}", "localhost", "LOCALHOST:{port}", "[::1]:{port}")
FOREIGN = (
    EVERYWHERE, "evil.example", "evil.example:{port}", "127.0.0.1.evil.example", "evil.example#127.0.0.1",
    "127.0.0.1@evil.example", "", "127.0.0.2", "localhost.evil.example", "x:y:z", "[::1", "127.0.0.1, evil.example",
)  # fmt: skip
ORIGINS = (
    "http://evil.example",
    "null",
    "",
    "https://127.0.0.1.evil.example",
    "file://",
    "http://127.0.0.1@evil.example",
)


def test_every_port_of_a_town_is_either_ours_or_named() -> None:
    """A port that a town opens one day has a server that looks at names, or a reason to have none."""
    assert set(PORTS) - NOT_OURS.keys() == {"api", "departments", "sources", "bank", "ballot_box", "call_gateway"}


async def answers(port: int, path: str, own: int) -> None:
    """What a server says to names of this machine, and to others."""
    for host in OWN:
        assert await asyncio.to_thread(asked, port, "GET", path, host) == own, host
        origin = {"Origin": f"http://{host.format(port=port)}"}
        assert await asyncio.to_thread(asked, port, "GET", path, "127.0.0.1", None, origin) == own, host
    for host in FOREIGN:
        assert await asyncio.to_thread(asked, port, "GET", path, host) in {400, 421}, host
    for origin_of in ORIGINS:
        assert await asyncio.to_thread(asked, port, "GET", path, "127.0.0.1", None, {"Origin": origin_of}) == 421, (
            origin_of
        )


async def test_the_api_of_a_local_town_is_called_as_this_machine_is(serve: Serve) -> None:
    """Foreign names and pages get 421 at every address of the API, whether they have a token or not; in one form."""
    async with serve(hosts=THIS_MACHINE) as served:
        for path in ("/healthz", "/public/notices", "/docs"):
            await answers(served.port, path, 200)
        async with served.client("resident-1") as somebody:
            refused = await somebody.get("/api/v1/cases", headers={"Host": "evil.example"})
        assert (refused.status_code, refused.json()["code"]) == (421, "unknown-host")
        assert "evil" not in refused.text


async def test_without_names_the_api_is_called_by_any(serve: Serve) -> None:
    """A town in production is called by the name that its proxy gives it, until the town says which."""
    async with serve(hosts="") as served, served.client("resident-1") as somebody:
        assert (await somebody.get("/healthz", headers={"Host": "town.example"})).status_code == 200
    async with serve(hosts="town.example") as served, served.client("resident-1") as somebody:
        assert (await somebody.get("/healthz", headers={"Host": "Town.Example:443"})).status_code == 200
        assert (await somebody.get("/healthz")).status_code == 421


@pytest.mark.parametrize(("host", "stranger"), [("127.0.0.1", 421), (EVERYWHERE, 200)])
async def test_simulated_counterparts_are_called_as_this_machine_is(host: str, stranger: int) -> None:
    """Departments, sources and bank of a demonstration stand behind one server: it looks at names where it listens here alone."""
    app = Starlette(routes=[Route("/healthz", lambda _: PlainTextResponse("ok"))])
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    server = quiet_server(app, host)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    await eventually(lambda: server.started)
    try:
        if host != EVERYWHERE:
            await answers(port, "/healthz", 200)
        assert await asyncio.to_thread(asked, port, "GET", "/healthz", "departments:8000") == stranger
    finally:
        server.should_exit = True
        await running
        listener.close()


COUNTERPARTS = (
    "simulation/department_server", "simulation/department_bus", "simulation/source_server", "simulation/bank_server",
    "ballot_box/box_server", "simulation/call_server",
)  # fmt: skip


@pytest.mark.parametrize("module", COUNTERPARTS)
def test_every_counterpart_says_where_it_listens(module: str) -> None:
    """Whoever opens such a server tells it its host: one that is left out could not be reached from another machine."""
    source = (PROJECT / "local" / f"{module}.py").read_text(encoding="utf-8")
    calls = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "quiet_server"
    ]

    assert [len(call.args) for call in calls] == [2]
