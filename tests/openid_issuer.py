"""A little issuer that speaks OpenID Connect over real HTTP: it signs tokens, keeps challenges, and takes a code once."""

import asyncio
import base64
import hashlib
import json
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode

import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.waiting import eventually

CLIENT, SECRET = "console", "s3:cret/%+"
BACK = "https://town.example/sign-in/back"
KEY = Ed25519PrivateKey.generate()
KEY_ID = "k1"


def signed(claims: Mapping[str, Any], key: Any = KEY, algorithm: str = "EdDSA") -> str:
    """A token of this issuer."""
    return jwt.encode(dict(claims), key, algorithm=algorithm, headers={"kid": KEY_ID})


@dataclass
class OpenIdIssuer:
    """The issuer. `claims`: what it says of whoever signs in; those that are None it leaves out. `sign` makes the ID token."""

    url: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    access_claims: dict[str, Any] = field(default_factory=dict)
    document: dict[str, Any] = field(default_factory=dict)
    sign: Callable[[Mapping[str, Any]], str] = signed
    names_itself: str | None = None
    answer: Callable[[], Response] | None = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def usual(self) -> None:
        """Forget what a test wanted otherwise."""
        self.claims = {"sub": "zhang-3", "role": "window_clerk", "aud": CLIENT}
        self.access_claims = {}
        self.document, self.sign, self.names_itself, self.answer = {}, signed, None, None

    def describes(self) -> dict[str, Any]:
        """What it says of itself."""
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "end_session_endpoint": f"{self.url}/logout",
            "jwks_uri": f"{self.url}/jwks",
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["plain", "S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        } | self.document

    def code_for(self, asked: Mapping[str, str]) -> str:
        """A code for somebody who has just agreed."""
        code = secrets.token_urlsafe(16)
        self.codes[code] = dict(asked)
        return code

    async def _document(self, _: Request) -> Response:
        self.asked.append("document")
        return JSONResponse(self.describes())

    async def _jwks(self, _: Request) -> Response:
        key = json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(KEY.public_key()))
        return JSONResponse({"keys": [key | {"kid": KEY_ID, "use": "sig", "alg": "EdDSA"}]})

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        if asked["client_id"] != CLIENT or asked["redirect_uri"] != BACK or asked["code_challenge_method"] != "S256":
            return Response("not our client", 400)
        said = {"code": self.code_for(asked), "state": asked["state"]}
        said |= {} if self.names_itself is None else {"iss": self.names_itself}
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(said)}", 302)

    async def _token(self, request: Request) -> Response:
        self.asked.append("token")
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        if self.answer is not None:
            return self.answer()
        if proof_of(request, form) != (CLIENT, SECRET):
            return JSONResponse({"error": "invalid_client"}, 401)
        asked = self.codes.pop(form.get("code", ""), None)  # once, whatever comes of it
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if (
            asked is None
            or form.get("redirect_uri") != asked["redirect_uri"]
            or base64.urlsafe_b64encode(verifier).rstrip(b"=").decode() != asked["code_challenge"]
        ):
            return JSONResponse({"error": "invalid_grant", "error_description": "<b>words</b>"}, 400)
        now = datetime.now(UTC)
        usual = {"iss": self.url, "iat": now, "exp": now + timedelta(minutes=5)}
        said = usual | {"nonce": asked["nonce"]} | self.claims
        access = usual | {"sub": said["sub"], "aud": "jiceng"} | self.access_claims
        return JSONResponse(
            {
                "token_type": "Bearer",
                "access_token": signed({name: value for name, value in access.items() if value is not None}),
                "id_token": self.sign({name: value for name, value in said.items() if value is not None}),
            }
        )


def proof_of(request: Request, form: Mapping[str, str]) -> tuple[str, str]:
    """Who asks, by the header or the form."""
    scheme, _, proof = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        name, _, secret = base64.b64decode(proof).decode().partition(":")
        return unquote(name), unquote(secret)
    return form.get("client_id", ""), form.get("client_secret", "")


@asynccontextmanager
async def open_issuer() -> AsyncIterator[OpenIdIssuer]:
    """An issuer on a port of its own, until the end of the block."""
    issuer = OpenIdIssuer()
    issuer.usual()
    app = Starlette(
        routes=[
            Route("/.well-known/openid-configuration", issuer._document),  # noqa: SLF001 - its own addresses
            Route("/jwks", issuer._jwks),  # noqa: SLF001
            Route("/authorize", issuer._authorize),  # noqa: SLF001
            Route("/token", issuer._token, methods=["POST"]),  # noqa: SLF001
        ]
    )
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", ws="none"))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        issuer.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        running = asyncio.create_task(server.serve([listening]))
        await eventually(lambda: server.started)
        try:
            yield issuer
        finally:
            server.should_exit = True
            await running
