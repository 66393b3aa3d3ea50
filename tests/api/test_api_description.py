"""The description of the API: every operation with examples that are right, and with every problem that comes."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from pydantic import BaseModel, ValidationError

from engine.keys.keys import Keys
from schemas.incident_report import IncidentReport
from schemas.kernel.declaration import DeclaredProcedure
from schemas.values.actor import Role
from schemas.values.refusals import RefusalCode
from starter.cases import views
from starter.http.dependencies import provided
from starter.http.documentation import SIGNED_IN
from starter.http.problems import KINDS, ProblemCode
from starter.intake import submission_views
from starter.intake.town_rules import TownRules
from tests.api_callers import As, BuildApp
from tests.every_procedure import PROCEDURE_LIST
from tests.sampling import chosen, sampled

pytest_plugins = ("tests.api_fixture",)

PROBLEM = "application/problem+json"
JSON = "application/json"
OF_EVERY_ADDRESS = {ProblemCode.METHOD_NOT_ALLOWED, ProblemCode.UNKNOWN_HOST}
"""They are answered before any operation is looked for, so none can announce them."""

OF_PAGES = {ProblemCode.BOX_AWAY}
"""Met on pages alone, which are not in the description: a ballot is taken by a person."""

BORDERS = ("\x00", "0001-01-01", "9999-12-31", "9" * 30, "-1", "\u202ex")
"""Where the types of addresses end; each of them in each place alone is the matter of tests/laws/test_law_borders.py."""

THE_TOWN = "town"
"""Whose the operations are that no procedure has for itself."""

SEND_EVERY_KIND = (0, 5)
"""A resident and somebody of the staff."""

Operation = tuple[str, str, dict[str, Any]]


@pytest.fixture(scope="module")
def description(build_app: BuildApp) -> dict[str, Any]:
    """The OpenAPI description."""
    return dict(build_app().openapi())


def operations(description: dict[str, Any]) -> Iterator[Operation]:
    """Every operation: method, path, what is said of it."""
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def announced(operation: dict[str, Any], status: int | None = None) -> set[str]:
    """The codes of the problems that an operation names by example, of one status or all."""
    return {
        code
        for told, answer in operation["responses"].items()
        if status is None or told == str(status)
        for code in answer.get("content", {}).get(PROBLEM, {}).get("examples", {})
    }


def test_every_operation_says_what_it_is_for(description: dict[str, Any]) -> None:
    """Summary, a tag, and answers with a description; no answer in the framework's own form."""
    for method, path, operation in operations(description):
        assert operation.get("summary"), f"{method} {path}"
        assert operation.get("tags"), f"{method} {path}"
        assert all(answer.get("description") for answer in operation["responses"].values()), f"{method} {path}"
    assert "HTTPValidationError" not in json.dumps(description["paths"])


def test_every_body_and_every_answer_has_an_example(description: dict[str, Any]) -> None:
    """Whatever is JSON, sent or answered, is shown once."""
    bare = [
        f"{method} {path} {status}"
        for method, path, operation in operations(description)
        for status, said in {"body": operation.get("requestBody", {}), **operation["responses"]}.items()
        if JSON in said.get("content", {}) and not {"example", "examples"} & set(said["content"][JSON])
    ]

    assert bare == []


def test_every_command_example_is_a_right_body(description: dict[str, Any], build_app: BuildApp) -> None:
    """Who copies the example of a command sends what its door takes: each door has one, and each is one for some door."""
    doors: dict[str, list[type[BaseModel]]] = {}
    for of_procedure in provided(build_app(), TownRules).doors.values():
        for name, door in of_procedure.items():
            doors.setdefault(name, []).append(door.model)
    wrong = []
    for name, models in doors.items():
        said = description["paths"][f"/api/v1/cases/{{case_id}}/commands/{name}"]["post"]["requestBody"]["content"][
            JSON
        ]
        examples = [said["example"]] if "example" in said else [each["value"] for each in said["examples"].values()]
        takes = [[_takes(model, example) for example in examples] for model in models]
        if not all(map(any, takes)) or not all(map(any, zip(*takes, strict=True))):
            wrong.append((name, examples))

    assert wrong == []


def _takes(model: type[BaseModel], example: Any) -> bool:
    try:
        model.model_validate_json(json.dumps(example), strict=True)
    except ValidationError:
        return False
    return True


def test_every_answer_example_is_a_right_answer(description: dict[str, Any]) -> None:
    """An example of an answer can be read as what it is an example of."""
    read = 0
    for _, _, operation in operations(description):
        for answer in operation["responses"].values():
            said = answer.get("content", {}).get(JSON, {})
            name = said.get("schema", {}).get("$ref", "").rpartition("/")[2]
            model = getattr(views, name, getattr(submission_views, name, None))
            if model is not None:
                model.model_validate_json(json.dumps(said["example"]))
                read += 1

    assert read > 15


async def test_the_example_of_a_report_becomes_a_case(as_: As, description: dict[str, Any]) -> None:
    """Copied and sent, the example of the first operation works."""
    body = description["paths"]["/api/v1/incidents"]["post"]["requestBody"]["content"][JSON]["example"]
    IncidentReport.model_validate(body)
    answer = await as_("coordinator").report(body)

    assert answer.status_code in {201, 202}, answer.text


def test_every_problem_is_announced_by_some_operation(description: dict[str, Any]) -> None:
    """No code can be met that the description does not show; and it shows none that does not exist."""
    shown = set().union(*(announced(operation) for _, _, operation in operations(description)))

    assert {*KINDS, *SIGNED_IN} - shown == OF_EVERY_ADDRESS | OF_PAGES
    assert shown <= {*RefusalCode, *ProblemCode, *SIGNED_IN}


def test_problems_of_all_are_announced_by_all(description: dict[str, Any]) -> None:
    """Whatever asks for a token names all that can be wrong with one; every operation names a fault of ours."""
    for method, path, operation in operations(description):
        assert ProblemCode.INTERNAL in announced(operation, 500), f"{method} {path}"
        if operation.get("security"):
            assert set(SIGNED_IN) <= announced(operation, 401), f"{method} {path}"


def requests_of(method: str, path: str, operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Wrong requests of every kind: bodies, types, keys, parameters."""
    filled = re.sub(r"\{case_id\}", "incident-19990101-000001", path)
    filled = re.sub(r"\{[a-z_]+\}", "nonsense", filled)
    key, kind = {"Idempotency-Key": "k"}, {"Content-Type": JSON}
    names = [each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"]
    yield {"method": method, "url": filled}
    for odd in ("\x00nonsense" * 60, *BORDERS):
        yield {"method": method, "url": filled, "params": dict.fromkeys(names, odd)}
    for content in (b"", b"{", b"[]", b"{}", b'{"nonsense": 1}', b"x" * 200_000):
        yield {"method": method, "url": filled, "content": content, "headers": key | kind}
    yield {"method": method, "url": filled, "content": b"{}", "headers": {"Content-Type": "text/plain"} | key}
    yield {"method": method, "url": filled, "content": b"{}", "headers": kind}


def whose(path: str) -> str:
    """The procedure of an operation: what only one opens, or the youngest that has the command; else the town."""
    name = path.rpartition("/")[2]
    by = [
        each.name
        for each in PROCEDURE_LIST
        if name in each.commands
        or (isinstance(each, DeclaredProcedure) and each.opens is not None and each.opens.path == path)
    ]
    return by[-1] if by else THE_TOWN


@pytest.mark.timeout(400)
@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.long)], ids=["half", "whole"])
@pytest.mark.parametrize("of", [THE_TOWN, *sampled([each.name for each in PROCEDURE_LIST], 4, "problems announced")])
async def test_every_problem_that_comes_was_announced(
    of: str,
    whole: bool,  # noqa: FBT001 - whether every wrong request is sent to every operation
    as_: As,
    http: httpx.AsyncClient,
    keys: Keys,
    description: dict[str, Any],
) -> None:
    """Wrong requests to every operation, by every role, by nobody and with a bad token: each answer is one it names.

    Two roles send every kind; at every commit each sends half of them to an operation, by the seed, and those of the town's own
    and of some procedures are asked.
    """
    people = [as_(role, department="health" if role is Role.DEPARTMENT_OFFICER else None).headers for role in Role
              if role is not Role.ENGINE]  # fmt: skip
    strangers = [{}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic x"}]
    unannounced, answered = set(), 0
    theirs = [each for each in operations(description) if whose(each[1]) == of]
    for method, path, operation in theirs:
        wrong = list(requests_of(method, path, operation))
        for number, headers in enumerate((*people, *strangers)):
            sent = wrong if whole else chosen(wrong, len(wrong) // 2, f"{method} {path} {number}")
            for request in sent if number in SEND_EVERY_KIND else wrong[:1]:
                answer = await http.request(**request | {"headers": request.get("headers", {}) | headers})
                answered += 1
                if answer.status_code < 400 or answer.headers["content-type"] != PROBLEM:
                    continue
                code = answer.json()["code"]
                if code not in announced(operation, answer.status_code):
                    unannounced.add(f"{method} {path}: {answer.status_code} {code}")

    assert unannounced == set()
    assert answered > 20 * len(theirs) > 0
