"""What the routes of Open311 share: the town's rules for it, its services, and who is behind a key."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

import asyncpg
from starlette.requests import Request

from engine.keys.counterpart_keys import Counterpart, CounterpartKeys, load_counterpart_keys
from engine.keys.token_errors import IssuerAway, TokenMissing, TokenRefused
from engine.keys.tokens import Principal
from engine.policies.open311_policy import load_open311
from engine.runtime.settings import Settings
from schemas.contracts.open311 import Open311Policy
from schemas.values.actor import Role
from schemas.values.refusals import say
from starter.http.authentication import Guard
from starter.http.dependencies import dependency
from starter.http.problems import Problem, ProblemCode, issuer_away, too_many_requests
from starter.intake.filing import Filing
from starter.open311.services import Service, reporters_of, services_of

API_KEY = "api_key"
JURISDICTION = "jurisdiction_id"
_ONE_REQUEST = timedelta(minutes=5)
"""A client of ours has no token that ends; as who it is it is known for one request."""


@dataclass(frozen=True)
class Open311:
    """Built once. `keys`: those of the clients. `api_url`: where the API is reached. `services`: as `services_of` has them.

    `reporters`: who may report anything.
    """

    pool: asyncpg.Pool
    policy: Open311Policy
    keys: CounterpartKeys
    guard: Guard
    filing: Filing
    api_url: str
    services: Mapping[str, Service]
    reporters: frozenset[Role]

    def refuse_elsewhere(self, said: str | None) -> None:
        """Raises Problem: what was asked is not of this town."""
        if said and self.policy.jurisdiction not in {None, said}:
            detail = say("没有此管辖区(jurisdiction_id)", "jurisdiction_id provided was not found")
            raise Problem(ProblemCode.NOT_FOUND, detail)

    async def caller(self, request: Request, api_key: str | None) -> Principal | None:
        """Who asks: a client by its key, anybody by a token, in the header or in the place of the key. None: who shows neither.

        Raises:
            Problem: what is shown does not hold, too much is asked, or the issuer is away.
        """
        scheme, _, bearer = request.headers.get("authorization", "").strip().partition(" ")
        shown = api_key or (bearer.strip() if scheme.lower() == "bearer" else None)
        if not shown:
            return None
        principal = self._client(shown) or await self._signed_in(shown)
        if (pause := await self.guard.rates.take(principal.subject)) is not None:
            raise too_many_requests(pause)
        request.state.principal = principal  # for the record of refusals, as at the API's other doors
        return principal

    async def sender(self, request: Request, api_key: str | None) -> Principal:
        """The same, for what nobody unknown may do. Raises Problem."""
        if (principal := await self.caller(request, api_key)) is None:
            raise Problem(TokenMissing.code, say("请提供 api_key", "show an api_key: that of a client, or a token"))
        return principal

    def _client(self, shown: str) -> Principal | None:
        found = None
        for client in self.policy.clients:  # every one is compared, so that the time tells nothing
            if any(
                hmac.compare_digest(key.hex().encode(), shown.lower().encode())
                for key in self.keys.believed(client.code)
            ):
                found = client
        if found is None:
            return None
        return Principal(
            subject=found.subject,
            role=found.role,
            department=None,
            area=found.area,
            token_id=None,
            expires_at=datetime.now(UTC) + _ONE_REQUEST,
        )

    async def _signed_in(self, shown: str) -> Principal:
        try:
            return await self.guard.verifier.check(shown)
        except IssuerAway:
            raise issuer_away() from None
        except TokenRefused as refusal:
            raise Problem(refusal.code, str(refusal)) from None


def open_311(pool: asyncpg.Pool, guard: Guard, filing: Filing, settings: Settings) -> Open311:
    """Read the town's rules for it, and the keys of the clients. Raises PolicyFaults, CounterpartKeyFaults."""
    services = services_of(filing.town)
    codes, starters = [each.code for each in services.values()], reporters_of(filing.town.procedures.values())
    policy = load_open311(settings.policies, codes, starters)
    keys = load_counterpart_keys(settings.key_folder, [each.code for each in policy.clients], Counterpart.OPEN311)
    return Open311(pool, policy, keys, guard, filing, settings.api_url, services, starters)


Open311Of = Annotated[Open311, dependency(Open311)]
