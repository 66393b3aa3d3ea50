"""The codec endpoint opens payloads for the Temporal UI of this town, for nobody else, and never falls over."""

import base64
import io
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload

from console.sign_in.sessions import Sessions
from console.sign_in.signed_in import LOCAL_COOKIE
from engine.execution.codec import EncryptionCodec
from engine.keys.keys import Keys
from engine.keys.tokens import Principal, issue
from engine.runtime.logging import configure_logging
from engine.runtime.settings import Settings
from schemas.values.actor import Role
from starter.auditors.codec_server import BODY_BYTES_MAX, READERS, SIGN_IN
from tests.api_callers import BuildApp

pytest_plugins = ("tests.api_fixture",)

UI = "http://127.0.0.1:8233"
HEADERS = {"Origin": UI, "X-Namespace": "default", "Content-Type": "application/json"}
SECRET = "期限 2026-11-22"
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["payloads", "metadata", "data", "x"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@pytest.fixture(scope="module")
async def ui(build_app: BuildApp, settings: Settings, keys: Keys) -> AsyncIterator[httpx.AsyncClient]:
    """The API of a town whose Temporal UI is at UI, as a browser there reaches it."""
    async with _client(build_app, settings.model_copy(update={"codec_origin": UI}), keys) as client:
        yield client


def _client(build_app: BuildApp, settings: Settings, keys: Keys) -> httpx.AsyncClient:
    """Somebody who may read timelines, at the UI."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(build_app(over=settings)),
        base_url="http://town",
        headers=HEADERS | {"Authorization": f"Bearer {issue(keys, subject='zhou', role=Role.SUPERVISOR)}"},
    )


@pytest.fixture
async def closed(keys: Keys) -> dict[str, Any]:
    """A payload as it stands in a history."""
    [payload] = await EncryptionCodec(keys.payload).encode(
        [Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(SECRET).encode())]
    )
    return dict(MessageToDict(payload))


def _data(payload: dict[str, Any]) -> str:
    return base64.b64decode(payload["data"]).decode()


async def test_the_ui_reads_what_the_codec_closed(ui: httpx.AsyncClient, closed: dict[str, Any]) -> None:
    """Payloads come back open, in order; what was never closed, such as a search attribute, comes back as it is."""
    plain = {
        "metadata": {"encoding": base64.b64encode(b"json/plain").decode()},
        "data": base64.b64encode(b'"x"').decode(),
    }
    answer = await ui.post("/codec/decode", json={"payloads": [closed, plain]})

    assert answer.status_code == 200
    first, second = answer.json()["payloads"]
    assert json.loads(_data(first)) == SECRET
    assert second == plain
    assert answer.headers["access-control-allow-origin"] == UI


async def test_a_browser_of_another_page_gets_nothing(ui: httpx.AsyncClient, closed: dict[str, Any]) -> None:
    """A page of another origin is refused at the preflight and at the request, without a header that lets it read."""
    foreign = {"Origin": "http://evil.example"}
    asked = await ui.options("/codec/decode", headers=foreign)
    sent = await ui.post("/codec/decode", json={"payloads": [closed]}, headers=foreign)

    assert (asked.status_code, sent.status_code) == (403, 403)
    assert "access-control-allow-origin" not in asked.headers
    assert "access-control-allow-origin" not in sent.headers
    assert "payloads" not in sent.text


async def test_the_ui_is_told_what_it_may_send(ui: httpx.AsyncClient) -> None:
    """The preflight of the UI names its own origin alone, POST, and the namespace's header."""
    answer = await ui.options("/codec/decode")

    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == UI
    assert answer.headers["access-control-allow-methods"] == "POST"
    assert "x-namespace" in answer.headers["access-control-allow-headers"]


@pytest.mark.parametrize("namespace", [None, "", "another"])
async def test_a_foreign_namespace_is_refused(
    namespace: str | None, ui: httpx.AsyncClient, closed: dict[str, Any]
) -> None:
    """Without the town's namespace in its header nothing is opened; so a form of a foreign page cannot be used either."""
    request = ui.build_request("POST", "/codec/decode", json={"payloads": [closed]})
    del request.headers["X-Namespace"]
    if namespace is not None:
        request.headers["X-Namespace"] = namespace

    assert (await ui.send(request)).status_code == 403


async def test_it_never_encodes(ui: httpx.AsyncClient) -> None:
    """Whoever could have a payload closed could forge a signal: encode is refused."""
    answer = await ui.post("/codec/encode", json={"payloads": []})

    assert (answer.status_code, "payloads" in answer.text) == (403, False)


async def test_it_is_off_unless_an_origin_is_set(
    build_app: BuildApp, settings: Settings, keys: Keys, closed: dict[str, Any]
) -> None:
    """Without `codec_origin` there is no such address."""
    async with _client(build_app, settings.model_copy(update={"codec_origin": None}), keys) as client:
        answers = [await client.post(f"/codec/{act}", json={"payloads": [closed]}) for act in ("decode", "encode")]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert Settings.model_fields["codec_origin"].default is None


async def test_a_body_has_a_limit_and_a_type(ui: httpx.AsyncClient) -> None:
    """More than Temporal itself lets through is 413; what is not declared as JSON is 415."""
    large = await ui.post("/codec/decode", content=b"[" * (BODY_BYTES_MAX + 1))
    text = await ui.post("/codec/decode", content=b"{}", headers={"Content-Type": "text/plain"})

    assert (large.status_code, text.status_code) == (413, 415)


@given(body=st.binary(max_size=200) | JSON_VALUES.map(lambda value: json.dumps(value).encode()))
async def test_garbage_is_a_bad_request(ui: httpx.AsyncClient, body: bytes) -> None:
    """Whatever is sent, the answer is 200 or 400, never a crash."""
    answer = await ui.post("/codec/decode", content=body)

    assert answer.status_code in {200, 400}
    assert set(answer.json()) <= {"payloads", "message"}


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"payloads":' + b'[{"metadata":' * 50_000, b"\xff\xfe", b"NaN", b'"x"']
)
async def test_nested_and_broken_json_is_a_bad_request(ui: httpx.AsyncClient, body: bytes) -> None:
    """Depth does not exhaust the reader, and bytes that are no text are told so."""
    assert (await ui.post("/codec/decode", content=body)).status_code == 400


@given(data=st.binary(max_size=60), key=st.sampled_from(["known", "unknown"]))
async def test_a_forged_payload_is_a_bad_request(ui: httpx.AsyncClient, keys: Keys, data: bytes, key: str) -> None:
    """What says that it is closed and does not open is refused whole: nothing beside it is opened either."""
    [good] = await EncryptionCodec(keys.payload).encode([Payload(data=SECRET.encode())])
    key_id = good.metadata["encryption-key-id"] if key == "known" else b"nobody's"
    forged = Payload(metadata={"encoding": b"binary/encrypted", "encryption-key-id": key_id}, data=data)
    answer = await ui.post("/codec/decode", json={"payloads": [MessageToDict(good), MessageToDict(forged)]})

    assert (answer.status_code, "payloads" in answer.json()) == (400, False)


async def test_every_decoding_is_counted_and_nothing_of_it_is_logged(
    build_app: BuildApp, settings: Settings, keys: Keys, closed: dict[str, Any]
) -> None:
    """The log says how many payloads were opened, and how often it was refused; never what was in them."""
    stream = io.StringIO()
    async with _client(build_app, settings.model_copy(update={"codec_origin": UI}), keys) as client:
        with configure_logging("test", "INFO", stream):
            await client.post("/codec/decode", json={"payloads": [closed, closed]})
            await client.post("/codec/decode", json={"payloads": [SECRET]})
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]

    assert [line["number"] for line in lines if line["event"] == "codec_decoded"] == [2]
    assert [line["status"] for line in lines if line["event"] == "codec_refused"] == [400]
    assert SECRET not in stream.getvalue()
    assert closed["data"] not in stream.getvalue()


@pytest.mark.parametrize(
    ("role", "claims", "status"),
    [
        *((role, {"department": "x"}, 403) for role in Role if role not in READERS | {Role.ENGINE}),
        (Role.SUPERVISOR, {"area": "320104.003"}, 403),
        (Role.AUDITOR, {"area": "320104"}, 403),
        (Role.SUPERVISOR, {}, 200),
        (Role.AUDITOR, {}, 200),
    ],
)
async def test_who_may_not_see_every_case_has_nothing_opened(
    role: Role, claims: dict[str, Any], status: int, ui: httpx.AsyncClient, keys: Keys, closed: dict[str, Any]
) -> None:
    """A payload does not say of which case it is: it is opened for supervisors and auditors whom no area binds."""
    token = issue(keys, subject="somebody", role=role, **claims)
    answer = await ui.post("/codec/decode", json={"payloads": [closed]}, headers={"Authorization": f"Bearer {token}"})

    assert (answer.status_code, "payloads" in answer.json()) == (status, status == 200)


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer nonsense", "Basic x"])
async def test_without_a_token_nothing_is_opened(
    authorization: str, ui: httpx.AsyncClient, closed: dict[str, Any]
) -> None:
    """Being at the UI's address is not enough; the answer says where to sign in, and the page there can read it."""
    answer = await ui.post("/codec/decode", json={"payloads": [closed]}, headers={"Authorization": authorization})

    assert (answer.status_code, "payloads" in answer.json()) == (401, False)
    assert SIGN_IN in answer.json()["message"]
    assert answer.headers["access-control-allow-origin"] == UI


@pytest.mark.parametrize(
    ("role", "area", "status"),
    [(Role.SUPERVISOR, None, 200), (Role.AUDITOR, "320104", 403), (Role.COORDINATOR, None, 403)],
)
async def test_a_browser_shows_the_session_of_the_console(
    role: Role, area: str | None, status: int, ui: httpx.AsyncClient, pool: asyncpg.Pool, closed: dict[str, Any]
) -> None:
    """Whoever has signed in there has payloads opened as with a token, until the session ends; a foreign page never has."""
    sessions, ends_at = Sessions(pool), datetime.now(UTC) + timedelta(hours=1)
    session = await sessions.open(
        Principal(subject="zhou", role=role, department=None, area=area, token_id=None, expires_at=ends_at)
    )
    headers = {"Authorization": "", "Cookie": f"{LOCAL_COOKIE}={session}"}

    async def asked(**other: str) -> httpx.Response:
        return await ui.post("/codec/decode", json={"payloads": [closed]}, headers=headers | other)

    opened = await asked()
    with_a_token = await asked(Authorization="Bearer nonsense")
    foreign = await asked(Origin="http://evil.example")
    await sessions.end(session, "zhou")
    ended = await asked()

    assert (opened.status_code, "payloads" in opened.json()) == (status, status == 200)
    assert [each.status_code for each in (with_a_token, foreign, ended)] == [401, 403, 401]


async def test_every_decoding_is_on_record(
    ui: httpx.AsyncClient, pool: asyncpg.Pool, keys: Keys, closed: dict[str, Any]
) -> None:
    """Who had how much opened is kept, for auditors of the whole town to read; nobody takes it out again."""
    token = issue(keys, subject="recorded-reader", role=Role.AUDITOR)
    await ui.post("/codec/decode", json={"payloads": [closed, closed]}, headers={"Authorization": f"Bearer {token}"})
    headers = {"Authorization": f"Bearer {token}"}
    kept = (await ui.get("/api/v1/audit/decodings", params={"who": "recorded-reader"}, headers=headers)).json()["items"]
    refused = await ui.get("/api/v1/audit/decodings")

    assert [(row["role"], row["payloads"]) for row in kept] == [("auditor", 2)]
    assert (refused.status_code, refused.json()["code"]) == (403, "not-your-role")
    for statement in ("delete from decodings", "update decodings set who = 'x'", "truncate decodings"):
        with pytest.raises(asyncpg.RaiseError, match="only ever added to"):
            await pool.execute(statement)
