"""Tokens of an issuer that publishes its keys by HTTP, as any that speaks OIDC does: a real one, on a port of its own."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from engine.keys.key_files import KeyFault
from engine.keys.keys import Keys, ensure_keys
from engine.keys.token_errors import (
    IssuerAway,
    RoleUnknown,
    TokenExpired,
    TokenKeyUnknown,
    TokenMalformed,
    TokenRefused,
    TokenSignatureWrong,
    TokenWrongAudience,
    TokenWrongIssuer,
)
from engine.keys.token_keys import FRESH_SECONDS, KEPT_SECONDS, PAUSE_SECONDS, JwksAddress, safe_address
from engine.keys.tokens import Verifier, issue
from engine.policies.policies import PolicyFaults
from engine.runtime.settings import Settings
from schemas.values.actor import Role
from tests.api_callers import BuildApp, api_of

pytest_plugins = ("tests.api_fixture",)

NAME = "https://login.example"
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
RSA_NEXT = rsa.generate_private_key(public_exponent=65537, key_size=2048)
RSA_WEAK = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - the key that is refused
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()
KINDS: Mapping[type, Any] = {
    rsa.RSAPrivateKey: jwt.algorithms.RSAAlgorithm,
    ec.EllipticCurvePrivateKey: jwt.algorithms.ECAlgorithm,
    ed25519.Ed25519PrivateKey: jwt.algorithms.OKPAlgorithm,
}


def public(key_id: str, key: Any, **said: str) -> dict[str, Any]:
    """The public part of a key, as a JWKS shows it."""
    [kind] = [kind for base, kind in KINDS.items() if isinstance(key, base)]
    return {**json.loads(kind.to_jwk(key.public_key())), "kid": key_id, "use": "sig", **said}


class Issuer:
    """A little HTTP server that shows keys, and counts who asks."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = []
        self.answer: bytes | None = None
        self.asked = 0
        # Held for as long as the issuer lives: while it is away nobody else on this machine gets its port.
        self._place = socket.socket()
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._place.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._place.getsockname()[1]}/jwks.json"
        self._server: asyncio.Server | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Issuer"]:
        """Serve until the end of the block, or until `leave`."""
        await self.come()
        try:
            yield self
        finally:
            await self.leave()
            self._place.close()

    async def come(self) -> None:
        host, port = self._place.getsockname()
        self._server = await asyncio.start_server(self._serve, host, port, reuse_port=True)

    async def leave(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        body = json.dumps({"keys": self.keys}).encode()
        writer.write(self.answer or b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        writer.close()


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    """An issuer with one RSA key."""
    async with Issuer().open() as opened:
        opened.keys = [public("k1", RSA_KEY, alg="RS256")]
        yield opened


def token(key: Any = RSA_KEY, key_id: str = "k1", algorithm: str = "RS256", **changes: Any) -> str:
    """A token of this issuer; a claim that is None is left out."""
    now = datetime.now(UTC)
    claims = {"iss": NAME, "aud": "jiceng", "sub": "u-1", "role": "grid_worker", "iat": now}
    claims |= {"exp": now + timedelta(hours=1)} | changes
    kept = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(kept, key, algorithm, {"kid": key_id})


def verifier(issuer: Issuer, keys: Keys, algorithms: str = "RS256", **more: Any) -> Verifier:
    """The check as the settings make it."""
    settings = Settings(token_issuer=NAME, token_jwks=issuer.url, token_algorithms=algorithms, **more)
    return Verifier.of(settings, keys)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """Keys of a town of our own, which count for nothing where another issuer is named."""
    return ensure_keys(tmp_path_factory.mktemp("town") / "keys")


class Hand:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.mark.parametrize(
    ("key", "algorithm", "said"),
    [(RSA_KEY, "RS256", {"alg": "RS256"}), (RSA_KEY, "PS512", {}), (EC_KEY, "ES256", {}), (ED_KEY, "EdDSA", {})],
)
async def test_an_issuer_of_any_kind_of_key_is_believed(
    key: Any, algorithm: str, said: dict[str, str], issuer: Issuer, local: Keys
) -> None:
    """RSA, elliptic curves, Edwards curves: whatever the town pins; whether the key names its algorithm or not."""
    issuer.keys = [public("k1", key, **said)]
    caller = await verifier(issuer, local, algorithm).check(token(key, algorithm=algorithm, department="d", area="32"))

    assert (caller.subject, caller.role, caller.department, caller.area) == ("u-1", Role.GRID_WORKER, "d", "32")


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"aud": "elsewhere"}, TokenWrongAudience),
        ({"iss": "https://other.example"}, TokenWrongIssuer),
        ({"exp": datetime.now(UTC) - timedelta(minutes=2)}, TokenExpired),
        ({"key": RSA_NEXT}, TokenSignatureWrong),
        ({"algorithm": "RS512"}, TokenMalformed),
        ({"role": "mayor"}, RoleUnknown),
        ({"role": "engine"}, RoleUnknown),
        ({"role": ["grid_worker", "admin"]}, RoleUnknown),
        ({"role": None}, TokenMalformed),
        ({"role": "department_officer"}, TokenMalformed),
    ],
)
async def test_what_does_not_fit_is_refused(
    changes: dict[str, Any], refusal: type[TokenRefused], issuer: Issuer, local: Keys
) -> None:
    """Audience, issuer, expiry, signature, algorithm and role are each checked, whoever the issuer is."""
    with pytest.raises(refusal):
        await verifier(issuer, local).check(token(**changes))


async def test_how_far_clocks_may_differ_is_a_setting(issuer: Issuer, local: Keys) -> None:
    """A token that ended a minute ago is good where the town allows two, and expired where it allows none."""
    ended = token(exp=datetime.now(UTC) - timedelta(minutes=1))

    assert (await verifier(issuer, local, token_clock_skew_seconds=120).check(ended)).subject == "u-1"
    with pytest.raises(TokenExpired):
        await verifier(issuer, local, token_clock_skew_seconds=0).check(ended)


async def test_keys_change_without_a_restart(issuer: Issuer, local: Keys) -> None:
    """A key the issuer adds is asked for with the first token it signs, but no sooner than the pause after the last question."""
    clock = Hand()
    keys = JwksAddress(issuer.url, frozenset({"RS256"}), elapsed=clock)
    check = Verifier(keys, NAME, algorithms=frozenset({"RS256"})).check
    await check(token())
    issuer.keys.append(public("k2", RSA_NEXT))
    with pytest.raises(TokenKeyUnknown):
        await check(token(RSA_NEXT, "k2"))
    clock.seconds += PAUSE_SECONDS

    assert (await check(token(RSA_NEXT, "k2"))).subject == "u-1"
    assert issuer.asked == 2


async def test_made_up_key_ids_make_nobody_ask(issuer: Issuer, local: Keys) -> None:
    """A thousand tokens with keys that do not exist are one question; those of the wrong algorithm are none."""
    check = Verifier(
        JwksAddress(issuer.url, frozenset({"RS256"}), elapsed=Hand()), NAME, algorithms=frozenset({"RS256"})
    ).check
    forged = [token(RSA_NEXT, f"made-up-{number}") for number in range(20)] * 10
    answers = await asyncio.gather(*(check(each) for each in forged), return_exceptions=True)

    assert {type(answer) for answer in answers} == {TokenKeyUnknown}
    assert issuer.asked == 1
    with pytest.raises(TokenMalformed):
        await check(token(EC_KEY, "other", "ES256"))


async def test_a_key_that_the_issuer_took_away_goes(issuer: Issuer) -> None:
    """Keys are asked for anew after a while: what the issuer shows no more is believed no more."""
    clock = Hand()
    keys = JwksAddress(issuer.url, frozenset({"RS256"}), elapsed=clock)
    check = Verifier(keys, NAME, algorithms=frozenset({"RS256"})).check
    await check(token())
    issuer.keys = [public("k2", RSA_NEXT)]
    clock.seconds += FRESH_SECONDS + 1

    with pytest.raises(TokenKeyUnknown):
        await check(token())


async def test_known_keys_stay_good_while_the_issuer_is_away(issuer: Issuer) -> None:
    """Nobody is sent away because the issuer does not answer; a new key cannot be judged; and after a day it is over."""
    clock = Hand()
    keys = JwksAddress(issuer.url, frozenset({"RS256"}), elapsed=clock)
    check = Verifier(keys, NAME, algorithms=frozenset({"RS256"})).check
    await check(token())
    await issuer.leave()
    clock.seconds = FRESH_SECONDS + 1
    assert (await check(token())).subject == "u-1"
    with pytest.raises(IssuerAway):
        await check(token(RSA_NEXT, "k2"))
    clock.seconds = KEPT_SECONDS + 1
    with pytest.raises(IssuerAway):
        await check(token())
    await issuer.come()
    clock.seconds += PAUSE_SECONDS

    assert (await check(token())).subject == "u-1"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/jwks.json\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnope",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
        b'HTTP/1.1 200 OK\r\n\r\n{"keys": [' + b" " * 400_000 + b"]}",
        b"nonsense\r\n\r\n",
    ],
)
async def test_an_answer_that_is_none_brings_no_key(answer: bytes, issuer: Issuer, local: Keys) -> None:
    """A redirect is followed nowhere; an error, a text, a flood: the issuer counts as away."""
    issuer.answer = answer
    with pytest.raises(IssuerAway):
        await verifier(issuer, local).check(token())


async def test_keys_that_are_not_for_this_open_nothing(issuer: Issuer, local: Keys) -> None:
    """A key for encryption, one without a name, a weak one, one with its private half: none is a key of tokens."""
    private = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(RSA_KEY)) | {"kid": "k1"}
    for shown in (
        public("k1", RSA_KEY, use="enc"),
        public("", RSA_KEY),
        private,
        {"kid": "k1", "kty": "RSA", "n": "x"},
    ):
        issuer.keys = [shown, {"kty": ["x"]}, {"kid": 7}]
        with pytest.raises(TokenKeyUnknown):
            await verifier(issuer, local).check(token())
    issuer.keys = [public("k1", RSA_WEAK)]
    with pytest.raises(TokenKeyUnknown), pytest.warns(jwt.warnings.InsecureKeyLengthWarning):
        await verifier(issuer, local).check(token(RSA_WEAK))


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://login.example/jwks", True), ("http://127.0.0.1:8/jwks", True), ("http://localhost/j", True),
        ("http://[::1]/j", True), ("http://login.example/jwks", False), ("http://10.0.0.1/jwks", False),
        ("ftp://login.example/j", False), ("https://a:b@login.example/", False), ("https://", False),
        ("http://127.0.0.1.example/j", False), ("https://login.example/a b", False),
    ],
)  # fmt: skip
def test_nobody_on_the_way_answers_for_the_issuer(url: str, safe: bool, local: Keys) -> None:  # noqa: FBT001
    """Keys come by https; by plain http from this very machine only."""
    assert safe_address(url) is safe
    if not safe:
        with pytest.raises(KeyFault):
            Verifier.of(Settings(token_issuer=NAME, token_jwks=url), local)


def test_the_local_issuer_counts_in_a_local_town_only(local: Keys, tmp_path: Path) -> None:
    """A town that names no issuer does not start unless it is a local one; and no other issuer may take its name."""
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps({"keys": [public("k1", ED_KEY)]}))
    file.chmod(0o644)
    own = issue(local, subject="a", role=Role.ADMIN)

    assert Verifier.of(Settings(local_issuer=True), local).verify(own).subject == "a"
    for settings in (Settings(), Settings(token_issuer=NAME), Settings(token_jwks=str(file))):
        with pytest.raises(KeyFault):
            Verifier.of(settings, local)
    elsewhere = Verifier.of(Settings(token_issuer=NAME, token_jwks=str(file), local_issuer=True), local)
    with pytest.raises(TokenKeyUnknown):
        elsewhere.verify(own)
    assert elsewhere.verify(token(ED_KEY, algorithm="EdDSA")).subject == "u-1"


async def test_words_of_the_issuer_become_our_roles(issuer: Issuer, local: Keys, tmp_path: Path) -> None:
    """Where claims stand is a setting, what the words in them mean is policy; what policy does not name is no role."""
    (tmp_path / "tokens.yaml").write_text("roles: {street: street_officer, boss: supervisor}\n")
    named: dict[str, Any] = {
        "token_role_claim": "realm.roles",
        "token_area_claim": "https://x.example/area",
        "policies": tmp_path,
    }
    check = verifier(issuer, local, **named).check
    said: dict[str, Any] = {"role": None, "realm": {"roles": ["offline", "street"]}, "https://x.example/area": "320104"}
    caller = await check(token(**said))

    assert (caller.role, caller.area) == (Role.STREET_OFFICER, "320104")
    for roles in (["street", "boss"], ["street_officer"], "admin"):
        with pytest.raises(RoleUnknown):
            await check(token(**said | {"realm": {"roles": roles}}))


@pytest.mark.parametrize("text", ["roles: {x: engine}", "roles: {x: mayor}", "roles: []", "role: {}", "roles: {", "[]"])
def test_a_faulty_table_of_roles_keeps_the_town_from_starting(text: str, local: Keys, tmp_path: Path) -> None:
    """A role that people cannot have, or a file of another shape, is a fault with its place and its remedy."""
    (tmp_path / "tokens.yaml").write_text(text)
    with pytest.raises(PolicyFaults, match=r"tokens\.yaml"):
        Verifier.of(Settings(local_issuer=True, policies=tmp_path), local)


async def test_the_door_tells_an_absent_issuer_from_a_bad_token(
    issuer: Issuer, settings: Settings, build_app: BuildApp
) -> None:
    """A stranger's token is 401; while nobody can be asked it is 503 with a pause, and no log says the token."""
    over = settings.model_copy(update={"token_issuer": NAME, "token_jwks": issuer.url, "token_algorithms": "RS256"})
    async with api_of(build_app(over=over)) as http:

        async def ask(bearer: str) -> httpx.Response:
            return await http.get("/api/v1/cases", headers={"Authorization": f"Bearer {bearer}"})

        assert (await ask(token(role="supervisor"))).status_code == 200
        unknown = await ask(token(RSA_NEXT, "k2"))
    await issuer.leave()
    async with api_of(build_app(over=over)) as http:
        away = await http.get("/api/v1/cases", headers={"Authorization": f"Bearer {token()}"})

    assert (unknown.status_code, unknown.json()["code"]) == (401, "token-key-unknown")
    assert (away.status_code, away.json()["code"]) == (503, "issuer-away")
    assert away.headers["retry-after"] == "10"
