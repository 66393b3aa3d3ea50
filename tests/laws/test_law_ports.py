"""The law: a port of a local town that a web page can reach does nothing for it."""

import http.client
import json
import uuid
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus

from engine.settings import Settings
from local.data_folder import DataFolder
from schemas.incident import INCIDENT
from tests.door import OpenDoor

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
    assert await temporal.service_client.check_health()


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
