"""The town's issuer, as the console speaks to it: OpenID Connect, by the code flow with PKCE (S256), state and nonce.

Authlib writes what is said; our own check judges the token that comes back, by the same keys and claims as at the API.
"""

import asyncio
import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import urlencode

import httpx
import structlog
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from fastapi import Depends

from console.sign_in.begun import Begun
from console.sign_in.issuer_client import IssuerClient
from console.sign_in.issuer_document import IssuerDocument, IssuerOdd, read_document
from engine.keys.token_errors import IssuerAway, TokenMalformed
from engine.keys.tokens import Principal, Verifier
from engine.runtime.bounded_http import ask
from schemas.values.model import Model
from schemas.values.refusals import say
from starter.http.dependencies import dependency
from starter.http.problems import Problem, ProblemCode

log = structlog.get_logger()
DISCOVERY = "/.well-known/openid-configuration"
DOCUMENT_BYTES_MAX = 256 * 1024
TOKENS_BYTES_MAX = 64 * 1024
FRESH_SECONDS = 600.0
PAUSE_SECONDS = 2.0
"""Between two questions to an issuer that is away: whoever opens the page again and again makes nobody ask."""


class CodeRefused(Exception):
    """The issuer gives no token for this code: it was used, is too old, or belongs to another sign-in."""


class _Tokens(Model):
    """What the issuer gives for a code."""

    id_token: str
    access_token: str | None = None


@dataclass
class Issuer:
    """The issuer. What it says of itself is asked for when it is first needed, and anew after ten minutes."""

    client: IssuerClient
    verifier: Verifier
    _document: IssuerDocument | None = field(default=None, init=False)
    _asked_at: float = field(default=-math.inf, init=False)
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def way_in(self, begun: Begun) -> str:
        """Where the browser goes to sign in. Raises IssuerAway."""
        document = await self._read()
        return str(
            prepare_grant_uri(
                document.authorization_endpoint,
                self.client.name,
                "code",
                redirect_uri=self.client.back,
                scope=self.client.scopes,
                state=begun.state,
                nonce=begun.nonce,
                code_challenge=create_s256_code_challenge(begun.verifier),
                code_challenge_method="S256",
            )
        )

    async def way_out(self) -> str | None:
        """Where the browser goes to sign out there too; None: the issuer offers no such thing. Raises IssuerAway."""
        end = (await self._read()).end_session_endpoint
        if end is None:
            return None
        said = {"client_id": self.client.name, "post_logout_redirect_uri": f"{self.client.site}/sign-in"}
        return f"{end}{'&' if '?' in end else '?'}{urlencode(said)}"

    async def names_itself(self, said: str | None) -> bool:
        """Whether an answer is from this issuer, by what stands in it (RFC 9207). Raises IssuerAway."""
        if said is None:
            return not (await self._read()).authorization_response_iss_parameter_supported
        return said == self.client.issuer

    async def who_has(self, code: str, begun: Begun) -> Principal:
        """Who has signed in, by the code that the browser brought back.

        Raises:
            CodeRefused: the issuer gives no token for it.
            TokenRefused: it gave one that is not for this sign-in, or not of a person of this town.
            IssuerAway: it could not be asked, or its answer is none.
        """
        tokens = await self._exchange(code, begun)
        said = await self.verifier.for_audience(self.client.name).read(tokens.id_token)
        if said.get("nonce") != begun.nonce:
            raise TokenMalformed("nonce")
        if not _is_for(said, self.client.name):
            raise TokenMalformed("azp")
        if self.client.token == "id_token":  # noqa: S105 - which one, not a token
            return self.verifier.principal_of(said)
        principal = await self.verifier.check(tokens.access_token)
        if principal.subject != said["sub"]:
            raise TokenMalformed("sub")
        return principal

    async def _read(self) -> IssuerDocument:
        """What the issuer says of itself; while it is away, what it said last. Raises IssuerAway."""
        async with self._asking:
            since = time.monotonic() - self._asked_at
            if since > (PAUSE_SECONDS if self._document is None else FRESH_SECONDS):
                await self._ask()
            if self._document is None:
                raise IssuerAway
            return self._document

    async def _ask(self) -> None:
        issuer = self.client.issuer
        try:
            status, body = await ask(f"{issuer.rstrip('/')}{DISCOVERY}", longest=DOCUMENT_BYTES_MAX)
            self._document = read_document(issuer, status, body)
        except (httpx.HTTPError, TimeoutError, ValueError) as error:
            # Only our own words say what is wrong; those of others may quote anything.
            reason = str(error) if isinstance(error, IssuerOdd) else type(error).__name__
            log.warning("issuer_document_not_read", reason=reason)
        self._asked_at = time.monotonic()

    async def _exchange(self, code: str, begun: Begun) -> _Tokens:
        question = prepare_token_request(
            "authorization_code", redirect_uri=self.client.back, code=code, code_verifier=begun.verifier
        )
        url, headers, form = self.client.signed(await self._read(), question)
        try:
            status, answer = await ask(url, content=form, headers=headers, longest=TOKENS_BYTES_MAX)
            said: Any = json.loads(answer)
            if status == httpx.codes.OK:
                return _Tokens.model_validate({name: said.get(name) for name in _Tokens.model_fields})
        except (httpx.HTTPError, TimeoutError, ValueError, AttributeError, RecursionError) as error:
            log.warning("code_not_exchanged", error=type(error).__name__)
            raise IssuerAway from None
        is_old = isinstance(said, Mapping) and said.get("error") == "invalid_grant"
        log.warning("code_refused", status=status, fault="invalid_grant" if is_old else "other")
        # Anything else, such as that it does not know our client, nobody who signs in can mend.
        raise CodeRefused if is_old else IssuerAway


@dataclass(frozen=True)
class Entrance:
    """Where people sign in besides here; None: nowhere."""

    issuer: Issuer | None


EntranceOf = Annotated[Entrance, dependency(Entrance)]


async def _issuer(entrance: EntranceOf) -> Issuer:
    if entrance.issuer is None:
        raise Problem(
            ProblemCode.NOT_FOUND,
            say("本系统未接入统一登录", "nobody signs in at an issuer here: see JICENG_SIGN_IN_CLIENT"),
        )
    return entrance.issuer


IssuerOf = Annotated[Issuer, Depends(_issuer)]
"""The issuer. Raises Problem 404 where people sign in at none."""


def _is_for(said: Mapping[str, object], client: str) -> bool:
    """Whether an ID token was made for our client, and not for another that shares it with us (OpenID Connect Core, 3.1.3.7)."""
    audience = said.get("aud")
    shared = isinstance(audience, list) and len(audience) > 1
    return said.get("azp", None if shared else client) == client
