"""Who is calling: the bearer token, and by which channel that person acts."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Security
from fastapi.security import HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials
from starlette.requests import Request

from engine.keys.token_errors import IssuerAway, TokenMalformed, TokenMissing, TokenRefused
from engine.keys.tokens import Principal, Verifier
from schemas.values.actor import Actor, Channel, Role
from starter.http.dependencies import dependency
from starter.http.problems import Problem, issuer_away, too_many_requests
from starter.http.shared_rates import SharedRates

CHANNELS = {Role.GRID_WORKER: Channel.GRID, Role.WINDOW_CLERK: Channel.WINDOW, Role.STREET_OFFICER: Channel.WINDOW}
"""By which channel a command of this role comes in; everybody else uses the app."""


@dataclass(frozen=True)
class Guard:
    """Who is let in, and how often."""

    verifier: Verifier
    rates: SharedRates


GuardOf = Annotated[Guard, dependency(Guard)]
_bearer = HTTPBearer(auto_error=False, bearerFormat="JWT", description="`jiceng token --role …` makes one locally")
_Documented = Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]


async def _principal(request: Request, guard: GuardOf, _documented: _Documented) -> Principal:
    try:
        principal = await guard.verifier.check(_token(request.headers.get("authorization")))
    except IssuerAway:
        raise issuer_away() from None
    except TokenRefused as refusal:
        challenge = 'Bearer realm="jiceng"'
        if not isinstance(refusal, TokenMissing):
            challenge += f', error="invalid_token", error_description="{refusal.code}"'
        raise Problem(refusal.code, str(refusal), headers={"WWW-Authenticate": challenge}) from None
    if (pause := await guard.rates.take(principal.subject)) is not None:
        raise too_many_requests(pause)
    request.state.principal = principal  # for the record of refusals: whoever is turned away is known by then
    return principal


def _token(header: str | None) -> str | None:
    if header is None or not header.strip():
        return None
    scheme, _, token = header.strip().partition(" ")
    if scheme.lower() != "bearer":
        raise TokenMalformed
    return token.strip()


Caller = Annotated[Principal, Depends(_principal)]


def acting(principal: Principal) -> Actor:
    """The caller acting on a case."""
    return principal.actor(CHANNELS.get(principal.role, Channel.APP))
