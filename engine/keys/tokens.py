"""Who is calling: tokens (JWT) of the local issuer, and their check at the door of the API.

A production town has its own issuer, any that speaks OIDC, and names its keys by file or address (engine/keys/token_keys.py);
only the check is ours then. Tokens live in real time, not in town time.
"""

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import jwt

from engine.keys.keys import KeyFault, Keys
from engine.keys.token_errors import (
    RoleUnknown,
    TokenExpired,
    TokenKeyUnknown,
    TokenMalformed,
    TokenMissing,
    TokenNotYetValid,
    TokenRefused,
    TokenSignatureWrong,
    TokenWrongAudience,
    TokenWrongIssuer,
)
from engine.keys.token_keys import JwksAddress, JwksFile, TokenKeys, algorithms_named, pinned
from engine.keys.token_memory import TokenMemory
from engine.policies.token_policy import load_roles
from engine.runtime.settings import Settings
from schemas.values.account import is_guest, is_number_of_a_person
from schemas.values.actor import Actor, Channel, Role
from schemas.values.model import Model
from schemas.values.tidy_text import is_blank

LOCAL_ISSUER = "jiceng-local"
AUDIENCE = "jiceng"
ALGORITHM = "EdDSA"
CLOCK_SKEW = timedelta(seconds=30)
TOKEN_BYTES_MAX = 8192
CLAIM_CHARACTERS_MAX = 255
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
"""In no account, role, department or area, and nothing that the database could hold."""

JudgedT = TypeVar("JudgedT")
REQUIRED = ["exp", "iat", "aud", "iss", "sub"]


@dataclass(frozen=True)
class Claims:
    """Where an issuer writes what we must know: names of claims, with dots where one stands inside another.

    `roles` says what the issuer's words for roles mean here; without it its words are ours.
    """

    role: str = "role"
    department: str = "department"
    area: str = "area"
    identity: str = "verified_identity"
    roles: Mapping[str, Role] = field(default_factory=lambda: {role.value: role for role in Role})


class Principal(Model):
    """The person behind a verified token. `identity`: who that is by the issuer's word, as `verified_identity` writes it."""

    subject: str
    role: Role
    department: str | None
    area: str | None
    token_id: str | None
    expires_at: datetime
    identity: str | None = None

    def actor(self, channel: Channel) -> Actor:
        """This person, acting by that way."""
        return Actor(subject=self.subject, role=self.role, department=self.department, area=self.area, channel=channel)


def issue(
    keys: Keys,
    *,
    subject: str,
    role: Role,
    department: str | None = None,
    area: str | None = None,
    identity: str | None = None,
    lifetime: timedelta = timedelta(hours=12),
    issuer: str = LOCAL_ISSUER,
    audience: str = AUDIENCE,
) -> str:
    """A token of the local town. Raises KeyMissing, and ValueError for what the check would refuse anyway.

    Args:
        keys: of the town; its token key signs.
        subject: the code of the account; never a name, never a person's number.
        role: what the bearer may do.
        department: its code; needed for a department officer.
        area: its code; None: the whole town.
        identity: who it is, as `verified_identity` writes it; None: not a real-name account.
        lifetime: in real time.
        issuer: the claim `iss`.
        audience: the claim `aud`.
    """
    if is_blank(subject):
        raise ValueError("A token needs a subject: the code of an account.")
    if is_number_of_a_person(subject):
        raise ValueError("The subject stands open in the ledger: the code of an account, never a person's number.")
    if is_guest(subject):
        raise ValueError("The subject begins like one of those who have no account: nobody signs in as one of them.")
    if role is Role.ENGINE:
        raise ValueError("The engine acts by rule, not by token.")
    if role is Role.DEPARTMENT_OFFICER and not department:
        raise ValueError("A department officer acts for one department: say which.")
    key_id, key = keys.token_key()
    now = datetime.now(UTC)
    claims = {
        "iss": issuer,
        "aud": audience,
        "sub": subject,
        "role": role.value,
        "department": department,
        "area": area,
        "iat": now,
        "exp": now + lifetime,
        "jti": secrets.token_urlsafe(16),
    } | ({} if identity is None else {Claims.identity: identity})
    return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": key_id})


class Verifier:
    """Checks tokens. Keys may change at any time, in a file or at an issuer; neither needs a restart."""

    def __init__(
        self,
        keys: Path | TokenKeys,
        issuer: str = LOCAL_ISSUER,
        audience: str = AUDIENCE,
        algorithms: frozenset[str] | None = None,
        *,
        skew: timedelta = CLOCK_SKEW,
        claims: Claims | None = None,
    ) -> None:
        """`keys`: a JWKS file, or wherever they come from; `algorithms` are pinned here, never taken from a token.

        Raises KeyFault for a file of no use.
        """
        self._algorithms = sorted(pinned(algorithms or frozenset({ALGORITHM})))
        self._keys = JwksFile(keys, frozenset(self._algorithms)) if isinstance(keys, Path) else keys
        self._issuer, self._audience, self._skew, self._claims = issuer, audience, skew, claims or Claims()
        self._checked = TokenMemory[Principal]()

    @classmethod
    def of(cls, settings: Settings, keys: Keys) -> "Verifier":
        """The check that the settings ask for. Raises KeyFault, PolicyFaults.

        The local issuer, whose private key lies in the town's own folder, is believed in a local town and nowhere else.
        """
        algorithms = algorithms_named(settings.token_algorithms)
        source: TokenKeys
        if settings.token_jwks is None:
            if not settings.local_issuer:
                raise KeyFault(
                    "Nobody signs tokens for this town: name its issuer and where its keys are, in JICENG_TOKEN_ISSUER and "
                    "JICENG_TOKEN_JWKS. Only a local town (`jiceng up`) believes tokens of its own making."
                )
            source = JwksFile(keys.jwks_file, algorithms)
        elif settings.token_issuer == LOCAL_ISSUER:
            raise KeyFault(
                f"JICENG_TOKEN_ISSUER is {LOCAL_ISSUER}, the issuer of local towns: name the one behind the keys."
            )
        elif "://" in settings.token_jwks:
            source = JwksAddress(settings.token_jwks, algorithms)
        else:
            source = JwksFile(Path(settings.token_jwks), algorithms)
        return cls(
            source,
            settings.token_issuer,
            settings.token_audience,
            algorithms,
            skew=timedelta(seconds=settings.token_clock_skew_seconds),
            claims=Claims(
                role=settings.token_role_claim,
                department=settings.token_department_claim,
                area=settings.token_area_claim,
                identity=settings.token_identity_claim,
                roles=load_roles(settings.policies),
            ),
        )

    def for_audience(self, audience: str) -> "Verifier":
        """The same check by the same keys, for tokens that are meant for another than the API, such as ID tokens."""
        return Verifier(
            self._keys, self._issuer, audience, frozenset(self._algorithms), skew=self._skew, claims=self._claims
        )

    async def check(self, token: str | None) -> Principal:
        """The person behind a token; its key is asked for where it is not known. Raises TokenRefused, IssuerAway."""
        return await self._asking(lambda: self.verify(token))

    async def read(self, token: str | None) -> Mapping[str, object]:
        """What a token says: signature, issuer, audience and times are judged, and nothing else. Raises as `check`."""
        return await self._asking(lambda: self._read(_written(token))[0])

    def principal_of(self, claims: Mapping[str, object]) -> Principal:
        """The person of whom a token says this. Raises TokenMalformed, RoleUnknown."""
        return _principal(claims, self._claims)

    async def _asking(self, judge: Callable[[], JudgedT]) -> JudgedT:
        """Judge a token by fresh keys, once more where its key was not known."""
        await self._keys.freshen()
        try:
            return judge()
        except TokenKeyUnknown:
            if not await self._keys.look_again():
                raise
            return judge()

    def verify(self, token: str | None) -> Principal:
        """The person behind a token, by the keys that are known. Raises TokenRefused, a subclass for each reason."""
        token = _written(token)
        known = self._checked.find(token, self._keys, datetime.now(UTC) - self._skew)
        return known if known is not None else self._check_signature(token)

    def _check_signature(self, token: str) -> Principal:
        claims, key_id, algorithm, key = self._read(token)
        principal = _principal(claims, self._claims)
        ends_at = principal.expires_at.replace(microsecond=0)  # whole seconds, as PyJWT counts them
        self._checked.keep(token, principal, key_id=key_id, algorithm=algorithm, key=key, ends_at=ends_at)
        return principal

    def _read(self, token: str) -> tuple[Mapping[str, object], str, str, jwt.PyJWK]:
        """What a token says, and the key that signed it."""
        try:
            key_id, algorithm, key = self._key_of(token)
            claims = jwt.decode(
                token,
                key,
                algorithms=self._algorithms,
                audience=self._audience,
                issuer=self._issuer,
                leeway=self._skew,
                options={"require": REQUIRED},
            )
        except jwt.PyJWTError as error:
            # Not chained: PyJWT quotes what it could not read.
            raise _refusal(error) from None
        return claims, key_id, algorithm, key

    def _key_of(self, token: str) -> tuple[str, str, jwt.PyJWK]:
        header = jwt.get_unverified_header(token)
        key_id, algorithm = header.get("kid"), header.get("alg")
        if not isinstance(key_id, str):
            raise TokenMalformed("kid")
        if not isinstance(algorithm, str) or algorithm not in self._algorithms:
            raise TokenMalformed("alg")  # the issuer is not asked for a key that would not be believed
        key = self._keys.find(key_id, algorithm)
        if key is None:
            raise TokenKeyUnknown
        return key_id, algorithm, key


def _written(token: str | None) -> str:
    """A token that can be read at all. Raises TokenMissing, TokenMalformed."""
    if not token or is_blank(token):
        raise TokenMissing
    if len(token) > TOKEN_BYTES_MAX or not token.isascii():
        raise TokenMalformed
    return token


_REFUSALS: list[tuple[type[jwt.PyJWTError], type[TokenRefused]]] = [
    (jwt.ExpiredSignatureError, TokenExpired),
    (jwt.ImmatureSignatureError, TokenNotYetValid),
    (jwt.InvalidAudienceError, TokenWrongAudience),
    (jwt.InvalidIssuerError, TokenWrongIssuer),
    (jwt.InvalidSignatureError, TokenSignatureWrong),
]


def _refusal(error: jwt.PyJWTError) -> TokenRefused:
    if isinstance(error, jwt.MissingRequiredClaimError):
        return TokenMalformed(error.claim)
    return next((refusal() for kind, refusal in _REFUSALS if isinstance(error, kind)), TokenMalformed())


def _principal(claims: Mapping[str, object], named: Claims) -> Principal:
    role = _role(_at(claims, named.role), named)
    subject, token_id = _text(claims.get("sub"), "sub"), _text(claims.get("jti"), "jti")
    department = _text(_at(claims, named.department), named.department)
    area = _text(_at(claims, named.area), named.area)
    identity = _text(_at(claims, named.identity), named.identity)
    if subject is None or is_guest(subject):  # whoever has no account has no token either
        raise TokenMalformed("sub")
    if role is Role.DEPARTMENT_OFFICER and department is None:
        raise TokenMalformed(named.department)
    try:
        expires_at = datetime.fromtimestamp(float(str(claims["exp"])), UTC)
    except (ValueError, OverflowError, OSError):
        raise TokenMalformed("exp") from None
    return Principal(
        subject=subject,
        role=role,
        department=department,
        area=area,
        token_id=token_id,
        expires_at=expires_at,
        identity=identity,
    )


def _role(said: object, named: Claims) -> Role:
    """The one role that a token gives; an issuer that lists several must mean one of ours and no more."""
    if said is None:
        raise TokenMalformed(named.role)
    words = said if isinstance(said, list) else [said]
    known = {named.roles[word] for word in words if isinstance(word, str) and word in named.roles}
    if len(known) != 1 or Role.ENGINE in known:  # the engine acts by rule, never by token
        raise RoleUnknown
    return known.pop()


def _at(claims: Mapping[str, object], path: str) -> object:
    """What stands under a claim; a name with dots that is no claim itself leads into the claims inside."""
    if path in claims:
        return claims[path]
    found: object = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _text(value: object, name: str) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or is_blank(value) or len(value) > CLAIM_CHARACTERS_MAX or _CONTROL.search(value):
        raise TokenMalformed(name)
    return value
