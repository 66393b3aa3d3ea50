"""Who is let in, through the public door."""

from datetime import timedelta

import httpx
import pytest

from engine.keys.keys import Keys, ensure_keys
from engine.keys.tokens import issue
from schemas.values.actor import Role
from tests.waiting import eventually

pytest_plugins = ("tests.api_fixture",)

PATH = "/api/v1/cases"


async def ask(http: httpx.AsyncClient, authorization: str | None) -> httpx.Response:
    """Ask for the list of cases."""
    return await http.get(PATH, headers={"Authorization": authorization} if authorization is not None else {})


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        (None, "token-missing"),
        ("", "token-missing"),
        ("Bearer", "token-missing"),
        ("Basic dXNlcjpwYXNz", "token-malformed"),
        ("Bearer nonsense", "token-malformed"),
        ("Bearer a.b.c", "token-malformed"),
    ],
)
async def test_who_is_not_signed_in_is_told_why(authorization: str | None, code: str, http: httpx.AsyncClient) -> None:
    """No token and no real token are told apart, in words, with the challenge that HTTP asks for."""
    answer = await ask(http, authorization)

    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith('Bearer realm="jiceng"')


async def test_an_expired_token_is_told_as_expired(http: httpx.AsyncClient, keys: Keys) -> None:
    """A token past its time and the leeway is refused as expired."""
    token = issue(keys, subject="r", role=Role.RESIDENT, lifetime=timedelta(minutes=-5))
    answer = await ask(http, f"Bearer {token}")

    assert (answer.status_code, answer.json()["code"]) == (401, "token-expired")
    assert "token-expired" in answer.headers["www-authenticate"]
    assert "过期" in answer.json()["detail"]


async def test_a_token_of_another_town_is_refused(
    http: httpx.AsyncClient, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A token signed with keys that this town does not know opens nothing."""
    strange = ensure_keys(tmp_path_factory.mktemp("strange") / "keys")
    answer = await ask(http, f"Bearer {issue(strange, subject='r', role=Role.ADMIN)}")

    assert (answer.status_code, answer.json()["code"]) == (401, "token-key-unknown")


async def test_a_token_for_another_system_is_refused(http: httpx.AsyncClient, keys: Keys) -> None:
    """The audience of a token is checked."""
    answer = await ask(http, f"Bearer {issue(keys, subject='r', role=Role.ADMIN, audience='elsewhere')}")

    assert (answer.status_code, answer.json()["code"]) == (401, "token-wrong-audience")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/openapi.json"])
async def test_what_operators_read_needs_no_token(path: str, http: httpx.AsyncClient) -> None:
    """Health and the description are open: they hold nothing of anybody."""

    async def is_given() -> bool:
        answer = await http.get(path)
        assert answer.status_code in {200, 503}  # of readiness, when a busy machine misses something for a moment
        return answer.status_code == 200

    await eventually(is_given)
