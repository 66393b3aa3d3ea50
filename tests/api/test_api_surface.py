"""The surface of the API: its description, problems, health, metrics and logs."""

import ast
import io
import json
import logging
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from fastapi import FastAPI

from engine.keys.keys import Keys
from engine.keys.token_errors import TokenRefused
from engine.runtime.logging import ALLOWED, configure_logging
from engine.runtime.settings import Settings
from schemas.incident import INCIDENT
from schemas.values.refusals import RefusalCode
from starter.http.dependencies import provided
from starter.http.health import Watch
from starter.http.problems import KINDS, ProblemCode
from tests.api_callers import REPORT, As, BuildApp, OwnTown, api_of, callers, watching
from tests.waiting import eventually

pytest_plugins = ("tests.api_fixture",)

PROJECT = Path(__file__).parents[2]
ROOMS = ("activities", "audit", "console", "engine", "local", "schemas", "starter", "workflows")


@pytest.fixture(scope="module")
def description(build_app: BuildApp) -> dict[str, Any]:
    """The OpenAPI description."""
    return dict(build_app().openapi())


def test_every_command_has_a_described_body(description: dict[str, Any]) -> None:
    """Each command is an operation of its own, with the key as a parameter and the fields of its body."""
    for command, model in INCIDENT.commands.items():
        operation = description["paths"][f"/api/v1/cases/{{case_id}}/commands/{command}"]["post"]
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        named = [each["$ref"].rpartition("/")[2] for each in schema.get("anyOf", [schema])]
        bodies = [description["components"]["schemas"][name].get("properties", {}) for name in named]
        assert set(model.model_fields) in [set(body) for body in bodies]
        assert "Idempotency-Key" in {parameter["name"] for parameter in operation["parameters"]}


def test_the_description_points_nowhere(description: dict[str, Any]) -> None:
    """Every reference in the description leads to a schema that is in it."""
    text = json.dumps(description)
    named = {part.partition('"')[0] for part in text.split('"$ref": "#/components/schemas/')[1:]}
    assert named <= set(description["components"]["schemas"])
    assert "#/$defs" not in text


def test_problems_are_described_with_examples(description: dict[str, Any]) -> None:
    """A reader of the description sees which problems an operation has, each by example."""
    responses = description["paths"]["/api/v1/incidents"]["post"]["responses"]
    assert {"200", "201", "202", "401", "403", "413", "415", "422", "503"} <= set(responses)
    examples = responses["422"]["content"]["application/problem+json"]["examples"]
    assert set(examples) == {"bad-request", "key-reused"}


def _token_codes(kind: type[TokenRefused] = TokenRefused) -> set[str]:
    return {kind.code}.union(*(_token_codes(each) for each in kind.__subclasses__()))


@pytest.mark.parametrize("code", sorted({*RefusalCode, *ProblemCode, *_token_codes()}))
def test_every_problem_is_documented(code: str) -> None:
    """docs/problems.md has a heading for each code that an answer can carry."""
    assert f"\n### {code}\n" in (PROJECT / "docs" / "problems.md").read_text(encoding="utf-8")


def test_every_refusal_and_problem_has_a_status() -> None:
    """No code is answered with the status of another by accident."""
    assert set(KINDS) == {*RefusalCode, *ProblemCode}


def test_every_route_is_documented(description: dict[str, Any]) -> None:
    """docs/api.md names each address, or the page of its procedure how a case is opened; of the commands, their common form."""
    pages = [PROJECT / "docs" / "api.md", *sorted((PROJECT / "docs" / "procedures").glob("*.md"))]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    paths = {path for path in description["paths"] if "/commands/" not in path}
    assert [path for path in sorted(paths) if path not in text] == []
    assert "/api/v1/cases/{case_id}/commands/{command}" in text


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not-found"),
        ("DELETE", "/api/v1/cases", 405, "method-not-allowed"),
        ("GET", "/api/v1/incidents", 405, "method-not-allowed"),
        ("POST", "/api/v1/cases/incident-20261121-000001", 405, "method-not-allowed"),
    ],
)
async def test_a_wrong_address_or_method_is_a_problem_too(
    method: str, path: str, status: int, code: str, http: httpx.AsyncClient
) -> None:
    """What the API does not have is answered in the same form as everything else."""
    answer = await http.request(method, path)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert status != 405 or answer.headers["allow"]


async def test_a_head_request_is_answered_by_status_alone(http: httpx.AsyncClient) -> None:
    """HEAD is not one of our methods: 405, declared as a problem."""
    answer = await http.head("/api/v1/cases")

    assert answer.status_code == 405
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/api/v1/cases"])
async def test_every_answer_has_a_request_id(path: str, http: httpx.AsyncClient) -> None:
    """Good or bad, an answer names its request; the caller's own id is taken over when it has the right form."""
    own = await http.get(path)
    given = await http.get(path, headers={"X-Request-Id": "trace-12345678"})
    forged = await http.get(path, headers={"X-Request-Id": "a b\tc"})

    assert len(own.headers["x-request-id"]) == 32
    assert given.headers["x-request-id"] == "trace-12345678"
    assert forged.headers["x-request-id"] != "a b\tc"
    if own.status_code >= 400:
        assert own.json()["request_id"] == own.headers["x-request-id"]


async def test_a_fault_of_ours_tells_its_request_id_and_nothing_else(own_town: OwnTown, keys: Keys) -> None:
    """An unexpected exception is answered as `internal`; neither answer nor log quotes what was sent."""
    await own_town.pool.execute("alter table case_numbers rename column last to latest")
    stream = io.StringIO()
    with configure_logging("test", "INFO", stream):
        async with api_of(own_town.build()) as http:
            answer = await callers(http, keys)().report(REPORT | {"description": "秘密描述"})

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (500, "internal")
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert "latest" not in answer.text
    assert "case_numbers" not in answer.text
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    [failed] = [line for line in lines if line["event"] == "request_failed"]
    assert failed["error"] == "UndefinedColumnError"
    assert failed["request_id"] == problem["request_id"]
    assert "秘密" not in stream.getvalue()


async def test_metrics_name_routes_and_never_a_case(as_: As, http: httpx.AsyncClient, settings: Settings) -> None:
    """Labels are route templates and codes: no case, person or text is in them."""
    case = (await as_().report()).json()["case_id"]
    await as_().get(f"/api/v1/cases/{case}")
    await http.get(f"/{case}/secret")
    text = (await http.get("/metrics", headers=watching(settings))).text

    assert 'route="/api/v1/cases/{case_id}"' in text
    assert 'route="unmatched"' in text
    assert "jiceng_intake_waiting" in text
    assert case not in text
    assert "secret" not in text


async def test_readiness_says_what_is_there(http: httpx.AsyncClient, settings: Settings) -> None:
    """With database and Temporal there, the API is ready; a busy machine may miss one of them for a moment."""
    answers: list[httpx.Response] = []

    async def ready() -> bool:
        answers.append(await http.get("/readyz", headers=watching(settings)))
        return answers[-1].status_code == 200

    await eventually(ready)
    assert answers[-1].json()["missing"] == []


async def test_strangers_hear_whether_it_is_ready_and_no_figure(as_: As, http: httpx.AsyncClient) -> None:
    """Without the token of the town's watch, or with one of a person, /readyz says one word and /metrics nothing."""
    for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic x"}, as_("admin").headers):
        ready, metrics = await http.get("/readyz", headers=headers), await http.get("/metrics", headers=headers)

        assert set(ready.json()) == {"status"}
        assert (metrics.status_code, metrics.json()["code"]) == (401, "token-missing")
        assert "jiceng_" not in metrics.text


async def test_an_address_that_is_no_number_is_not_logged(as_: As, http: httpx.AsyncClient) -> None:
    """Whoever asks writes the address: what has not the form of a case number does not come into the log."""
    stream = io.StringIO()
    with configure_logging("test", "INFO", stream):
        await http.get("/api/v1/cases/PHONE-13712345678")
        await http.get("/public/cases/13712345678", params={"code": "x"})
        await as_().get("/api/v1/cases/incident-20261121-000001")

    assert "13712345678" not in stream.getvalue()
    assert stream.getvalue().count("request") >= 3


def test_a_log_line_holds_allowed_fields_only() -> None:
    """A field that is not on the list is withheld and named; an exception is told by type and place."""
    stream = io.StringIO()
    with configure_logging("test", "INFO", stream):
        log = structlog.get_logger()
        log.info("accepted", case_id="incident-1", phone="13800000001", description="secret")
        logging.getLogger("elsewhere").warning("from a library: %s", "x")
        try:
            int("secret")
        except ValueError:
            log.exception("broken")
            logging.getLogger("elsewhere").exception("broken too")

    own, foreign, broken, broken_too = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert (own["case_id"], own["withheld"], own["process"]) == ("incident-1", ["description", "phone"], "test")
    assert (foreign["event"], foreign["logger"], foreign["withheld"]) == ("library_message", "elsewhere", ["event"])
    assert broken["error"] == broken_too["error"] == "ValueError"
    assert "test_api_surface.py" in broken["where"]
    assert "secret" not in stream.getvalue()
    assert "13800000001" not in stream.getvalue()  # a shorter part of it may stand in the time of a line


def test_every_field_that_we_log_is_allowed() -> None:
    """No log call of the project carries a field that the log would withhold."""
    files = [file for room in ROOMS for file in (PROJECT / room).rglob("*.py")]
    used = {
        (file.name, call.lineno, keyword.arg)
        for file in files
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "log"
        for keyword in call.keywords
        if keyword.arg
    }
    assert {each for each in used if each[2] not in ALLOWED | {"exc_info"}} == set()


def test_two_apps_of_one_process_count_apart(build_app: BuildApp) -> None:
    """Building an API twice, as tests do, needs no registry to be cleared."""
    one, other = build_app(), build_app()
    assert isinstance(one, FastAPI)
    assert provided(one, Watch).counts is not provided(other, Watch).counts
