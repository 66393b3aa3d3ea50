"""Who is calling: tokens (JWT) of the local issuer, and their check at the door of the API.

A production town has its own issuer and gives its JWKS file; only the check is ours then. Tokens live in real time, not
in town time.
"""

import secrets
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import structlog

from engine.key_files import KeyFileExposed, KeyMissing
from engine.key_ring import FileWatch
from engine.keys import KeyFault, Keys
from engine.token_errors import (
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
from schemas.actor import Actor, Channel, Role
from schemas.model import Model

log = structlog.get_logger()

LOCAL_ISSUER = "jiceng-local"
AUDIENCE = "jiceng"
ALGORITHM = "EdDSA"
ASYMMETRIC = frozenset({"EdDSA", "ES256", "ES384", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
CLOCK_SKEW = timedelta(seconds=30)
TOKEN_BYTES_MAX = 8192
REQUIRED = ["exp", "iat", "aud", "iss", "sub", "role"]


class Principal(Model):
    """The person behind a verified token."""

    subject: str
    role: Role
    department: str | None
    area: str | None
    token_id: str | None
    expires_at: datetime

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
    lifetime: timedelta = timedelta(hours=12),
    issuer: str = LOCAL_ISSUER,
    audience: str = AUDIENCE,
) -> str:
    """A token of the local town. Raises KeyMissing, and ValueError for what the check would refuse anyway."""
    if not subject.strip():
        raise ValueError("A token needs a subject: the code of an account.")
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
    }
    return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": key_id})


class Verifier:
    """Checks tokens against a JWKS file, which is read again when it was replaced: new keys count at once, old ones go."""

    def __init__(
        self,
        jwks_file: Path,
        issuer: str = LOCAL_ISSUER,
        audience: str = AUDIENCE,
        algorithms: frozenset[str] | None = None,
    ) -> None:
        """`algorithms` are pinned here, never taken from a token. Raises KeyFault for a file of no use."""
        self._file, self._issuer, self._audience = jwks_file, issuer, audience
        self._algorithms = sorted(algorithms or {ALGORITHM})
        if weak := set(self._algorithms) - ASYMMETRIC:
            raise KeyFault(f"These algorithms are not for a public key: {', '.join(sorted(weak))}.")
        self._watch = FileWatch(jwks_file)
        self._keys: dict[str, jwt.PyJWK] = {}
        self._read()

    def verify(self, token: str | None) -> Principal:
        """The person behind a token. Raises TokenRefused, one kind for each reason."""
        if not token or not token.strip():
            raise TokenMissing
        if len(token) > TOKEN_BYTES_MAX or not token.isascii():
            raise TokenMalformed
        try:
            claims = jwt.decode(
                token,
                self._key_of(token),
                algorithms=self._algorithms,
                audience=self._audience,
                issuer=self._issuer,
                leeway=CLOCK_SKEW,
                options={"require": REQUIRED},
            )
        except jwt.PyJWTError as error:
            # Not chained: PyJWT quotes what it could not read.
            raise _refusal(error) from None
        return _principal(claims)

    def _key_of(self, token: str) -> jwt.PyJWK:
        key_id = jwt.get_unverified_header(token).get("kid")
        if not isinstance(key_id, str):
            raise TokenMalformed("kid")
        # Whoever sends tokens with made-up key ids does not make us read the file each time.
        if self._watch.changed():
            self._reread()
        if key_id not in self._keys:
            raise TokenKeyUnknown
        return self._keys[key_id]

    def _reread(self) -> None:
        try:
            self._read()
        except (KeyFault, OSError) as error:
            # The keys that were read before stay good: a half-made file must not send everybody away.
            log.warning("jwks_not_read", reason=str(error))

    def _read(self) -> None:
        try:
            mode = self._file.stat().st_mode
            text = self._file.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise KeyMissing(self._file) from None
        if mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise KeyFileExposed(self._file, "644")  # who can write here can be anybody
        try:
            keys = jwt.PyJWKSet.from_json(text).keys
        except (ValueError, KeyError, TypeError, AttributeError, jwt.PyJWTError):
            raise KeyFault(f"{self._file} is not a JWKS file with a key of use.") from None
        self._keys = {key.key_id: key for key in keys if key.key_id and key.algorithm_name in self._algorithms}


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


def _principal(claims: dict[str, object]) -> Principal:
    known = {role.value for role in Role} - {Role.ENGINE.value}  # the engine acts by rule, never by token
    if str(claims["role"]) not in known:
        raise RoleUnknown
    role = Role(str(claims["role"]))
    subject, department, area, token_id = (_text(claims, name) for name in ("sub", "department", "area", "jti"))
    if subject is None:
        raise TokenMalformed("sub")
    if role is Role.DEPARTMENT_OFFICER and department is None:
        raise TokenMalformed("department")
    try:
        expires_at = datetime.fromtimestamp(float(str(claims["exp"])), UTC)
    except (ValueError, OverflowError, OSError):
        raise TokenMalformed("exp") from None
    return Principal(
        subject=subject, role=role, department=department, area=area, token_id=token_id, expires_at=expires_at
    )


def _text(claims: dict[str, object], name: str) -> str | None:
    value = claims.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip():
        raise TokenMalformed(name)
    return value
