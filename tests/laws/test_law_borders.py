"""The law: whatever stands in an address or a header, the answer is one that was meant: never a fault of ours."""

import base64
import itertools
import json
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import jwt
import pytest

from engine.keys.keys import Keys
from engine.keys.tokens import AUDIENCE, LOCAL_ISSUER
from schemas.incident import INCIDENT
from schemas.values.actor import Role
from tests.api_callers import REPORT, As, BuildApp
from tests.api_driver import OpenDoor
from tests.sampling import chosen

pytest_plugins = ("tests.api_fixture",)
pytestmark = pytest.mark.timeout(600)

SAMPLED = 9
PROBLEM = "application/problem+json"
CASE = "incident-19990101-000001"
TEXTS = (
    "",
    "\x00", "a\x00b", "\x7f", "\n", "\u202e\u2066x", "\ufeff", "\U0001f6be", "-1", "0", str(2**31), str(2**63), str(-(2**63) - 1),
    "1" + "0" * 30, "1e999", "nan", "NaN", "inf", "-0.0", "0x10", "١٢", "１", "0001-01-01", "9999-12-31", "0000-00-00",
    "1899-12-31", "0000-01", "0001-01", "9999-12", "2026-13", "1899-12", "2200-01",
    "2201-01-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-02-30", "2026-11-21T09:00:00", "x" * 10_000,
    "%", "_", "\\", "' or 1=1--", "null", "[]", "true", "../../x", "..", ".",
)  # fmt: skip
"""The ends of what types hold, and what is none of them."""

RAW = ("%ED%A0%80", "%C0%80", "%FF", "%00", "%u0000", "%25%30%30", "%E2%80%AE")
"""As they may stand in an address already: half a character, NUL in too many bytes, no UTF-8 at all, a control of direction."""

CURSORS = tuple(
    base64.urlsafe_b64encode(json.dumps([sort, at, number]).encode()).decode()
    for sort, at, number in itertools.product(
        ("opened", "due"),
        ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-01", None, 5, ["x"]),
        (CASE, "incident-19990101-999999999999", "\x00", None),
    )
)  # fmt: skip


@pytest.fixture(scope="module")
def description(build_app: BuildApp) -> dict[str, Any]:
    """The OpenAPI description: the law is about every parameter that stands in it, also of addresses to come."""
    return dict(build_app().openapi())


def places(description: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """Every parameter of every operation: method, path, operation, parameter."""
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            for parameter in operation.get("parameters", ()):
                yield method.upper(), path, operation, parameter


def filled(path: str, but: str | None = None, value: str = "") -> str:
    """An address with a usable value in each place, but in one."""
    parts = []
    for part in path.split("/"):
        if part.startswith("{"):
            name = part.strip("{}")
            usable = {"case_id": CASE, "seq": "1", "month": "2026-11"}.get(name, "nonsense")
            parts.append(value if name == but else usable)
        else:
            parts.append(part)
    return "/".join(parts)


def values_of(parameter: dict[str, Any]) -> tuple[str, ...]:
    """The borders of one parameter, as they stand in an address."""
    plain = TEXTS + (CURSORS if parameter["name"] == "cursor" else ())
    return tuple(quote(each, safe="") for each in plain) + RAW


def requests_at(
    method: str, path: str, operation: dict[str, Any], parameter: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """Each border in one place of one operation."""
    name, where = parameter["name"], parameter["in"]
    body: dict[str, Any] = {"content": b"{}"} if operation.get("requestBody") else {}
    kind = {"Content-Type": "application/json"} if body else {}
    key = {"Idempotency-Key": uuid.uuid4().hex} if method == "POST" else {}
    required = {
        each["name"]: str(each.get("example", "x"))
        for each in operation.get("parameters", ())
        if each["in"] == "query" and each.get("required") and each["name"] != name
    }
    query = "&".join(f"{each}={quote(value)}" for each, value in required.items())
    if where == "header":
        for value in TEXTS:
            if value.isprintable() and value.isascii():
                yield {"method": method, "url": filled(path), "headers": kind | key | {name: value}} | body
        return
    for value in values_of(parameter):
        if where == "path":
            url = f"{filled(path, name, value)}?{query}"
        else:
            url = f"{filled(path)}?{'&'.join(filter(None, (query, f'{name}={value}')))}"
        yield {"method": method, "url": url, "headers": kind | key} | body


def fault_of(answer: httpx.Response) -> str | None:
    """What is wrong with an answer: a fault of ours, an error that is no problem, or one that no door has looked at."""
    if answer.status_code >= 500:
        return f"{answer.status_code} {answer.text[:200]}"
    if answer.status_code >= 400 and answer.headers.get("content-type") != PROBLEM:
        return f"{answer.status_code} as {answer.headers.get('content-type')}"
    if answer.status_code == 422 and "request" in {each["field"] for each in answer.json().get("faults", ())}:
        return "refused by the database alone, and nobody is told which field it is"
    return None


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.long)], ids=["sampled", "whole"])
async def test_no_parameter_of_any_address_makes_a_fault(
    whole: bool,  # noqa: FBT001 - how many of the borders
    http: httpx.AsyncClient,
    as_: As,
    description: dict[str, Any],
) -> None:
    """The borders in every parameter of every operation, by who may use it: never a 500, and every error is a problem.

    At every commit each parameter gets a few of them, by the seed, each by one of those who may; all by all in `make test-all`.
    """
    people = [as_(role).headers for role in (Role.AUDITOR, Role.SUPERVISOR, Role.RESIDENT)]
    found, sent = set(), 0
    for method, path, operation, parameter in places(description):
        what = f"{method} {path} {parameter['name']}"
        requests = list(requests_at(method, path, operation, parameter))
        for number, request in enumerate(requests if whole else chosen(requests, SAMPLED, what)):
            by = people[: 1 if path.startswith("/public/") else None]
            for person in by if whole else [by[number % len(by)]]:
                answer = await http.request(**request | {"headers": person | request["headers"]})
                sent += 1
                if wrong := fault_of(answer):
                    found.add(f"{method} {path} {parameter['name']}={request['url'][:120]!r}: {wrong}")

    assert found == set()
    assert sent > (5000 if whole else 500)


@pytest.mark.usefixtures("worker")
async def test_no_text_in_a_body_makes_a_fault(door: OpenDoor) -> None:
    """Every border in every text and number of a report and of each command's usual body is refused or taken, never a fault."""
    town = await door(INCIDENT)
    case_id = await town.start()
    await town.stands(case_id)
    bodies = {
        f"/api/v1/cases/{case_id}/commands/{name}": body
        for name, body in town.examples.BODIES.items()
        if isinstance(body, dict)
    }
    found, sent = set(), 0
    for path, body in ({"/api/v1/incidents": REPORT} | bodies).items():
        for changed in mutations(body):
            for who in ("officer", "coordinator"):
                content = json.dumps(changed)
                headers = town.headers(who, uuid.uuid4().hex) | {"Content-Type": "application/json"}
                answer = await town.api.post(path, content=content, headers=headers)
                sent += 1
                if wrong := fault_of(answer):
                    found.add(f"{path} {content[:120]}: {wrong}")

    assert found == set()
    assert sent > 200


def mutations(body: Any) -> Iterator[Any]:
    """The body with one value after another exchanged for something at a border."""
    odd: tuple[Any, ...] = (
        "\x00",
        "a\x00b",
        "\ud800",
        "\u202e",
        "x" * 10_000,
        "",
        -1,
        2**63,
        10**30,
        1e308,
        None,
        [],
        {},
        True,
    )
    if isinstance(body, dict):
        for name, value in body.items():
            yield from ({**body, name: changed} for changed in mutations(value))
        yield {**body, "\x00": "x"}
    elif isinstance(body, list):
        yield from (
            [*body[:number], changed, *body[number + 1 :]]
            for number, value in enumerate(body)
            for changed in mutations(value)
        )
    else:
        yield from odd


@pytest.mark.parametrize("claim", ["sub", "jti", "area"])
@pytest.mark.parametrize("value", ["a\x00b", "\ud800", "a\nb", "x" * 300, "", " ", 7, ["x"]])
async def test_a_token_that_names_nobody_is_refused(
    http: httpx.AsyncClient, keys: Keys, claim: str, value: Any
) -> None:
    """Whatever an issuer signs, an account, a token's id and an area are texts that the town's books can hold, or it is 401."""
    key_id, key = keys.token_key()
    claims = {"sub": "resident-1", "role": "auditor", "jti": "t", "iss": LOCAL_ISSUER, "aud": AUDIENCE, "iat": 1_700_000_000,
              "exp": 4_000_000_000} | {claim: value}  # fmt: skip
    token = jwt.encode(claims, key, algorithm="EdDSA", headers={"kid": key_id})
    for path in ("/api/v1/cases", "/api/v1/notices", "/api/v1/inbox"):
        answer = await http.get(path, headers={"Authorization": f"Bearer {token}"})

        assert (answer.status_code, answer.headers["content-type"]) == (401, PROBLEM)


async def test_two_keys_are_none(http: httpx.AsyncClient, as_: As) -> None:
    """Of two idempotency keys none is taken: 422, also when both are the same."""
    for second in ("k-1", "k-2"):
        headers = [*as_().headers.items(), ("Idempotency-Key", "k-1"), ("Idempotency-Key", second)]
        answer = await http.post("/api/v1/incidents", json=REPORT, headers=headers)

        assert (answer.status_code, answer.json()["faults"][0]["field"]) == (422, "Idempotency-Key")


async def test_no_address_sends_anybody_elsewhere(http: httpx.AsyncClient, as_: As) -> None:
    """A slash too many is no such address: a redirect would name a scheme and a host that a proxy in front does not have."""
    for path in ("/api/v1/cases/", "/healthz/", "/public/notices/", f"/api/v1/cases/{CASE}/"):
        answer = await http.get(path, headers=as_().headers, follow_redirects=False)

        assert (answer.status_code, answer.headers["content-type"]) == (404, PROBLEM)
