"""Where the public keys come from that tokens are checked with: a file, or the address of an issuer.

An issuer publishes its keys as a JWKS (RFC 7517) and changes them when it likes. A key that is asked for and not known is
looked for again, but not oftener than the issuer can bear: whoever sends tokens with made-up key ids makes nobody fetch. While
the issuer is away the keys it gave last stay good, for a day.
"""

import asyncio
import json
import stat
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx
import jwt
import structlog

from engine.keys.key_files import KeyFault, KeyFileExposed, KeyMissing
from engine.keys.key_ring import FileWatch
from engine.keys.token_errors import IssuerAway
from engine.runtime.bounded_http import ask

log = structlog.get_logger()

PublicKeys = dict[tuple[str, str], jwt.PyJWK]
"""By key id and algorithm: a key that names none serves every pinned algorithm of its kind."""

FAMILIES = {
    "OKP": frozenset({"EdDSA"}),
    "EC": frozenset({"ES256", "ES384"}),
    "RSA": frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
}
ASYMMETRIC = frozenset[str]().union(*FAMILIES.values())
CURVES = {"P-256": "ES256", "P-384": "ES384"}
RSA_BITS_MIN = 2048
JWKS_BYTES_MAX = 256 * 1024
PAUSE_SECONDS = 10.0
"""Between two questions to the issuer, whoever asks for whatever key."""

FRESH_SECONDS = 600.0
"""So old may keys be before the issuer is asked again of itself: a key that it took away goes."""

KEPT_SECONDS = 24 * 3600.0
"""So long are keys believed that an issuer gave and can no longer be asked about."""


class TokenKeys(Protocol):
    """Where public keys of tokens come from."""

    def find(self, key_id: str, algorithm: str) -> jwt.PyJWK | None:
        """The key, of those that are known now."""

    async def freshen(self) -> None:
        """Look whether the keys have become too old to be believed without asking."""

    async def look_again(self) -> bool:
        """Look for a key that is not known; whether it was worth it. Raises IssuerAway."""


def pinned(algorithms: frozenset[str]) -> frozenset[str]:
    """The algorithms that tokens may have. Raises KeyFault: one that needs a shared secret, or that is none."""
    if not algorithms or (weak := algorithms - ASYMMETRIC):
        raise KeyFault(f"These algorithms are not for a public key: {', '.join(sorted(weak)) if algorithms else '-'}.")
    return algorithms


def keys_of(text: str, algorithms: frozenset[str]) -> PublicKeys:
    """The keys of a JWKS that may be used: named, public, for signatures, of a pinned algorithm. Raises ValueError."""
    written = json.loads(text)
    entries = written.get("keys") if isinstance(written, dict) else None
    if not isinstance(entries, list):
        raise ValueError("no keys")  # noqa: TRY004 - one kind of fault, whatever is wrong with the text
    found: PublicKeys = {}
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(key_id := entry.get("kid"), str) or not key_id:
            continue
        if entry.get("use", "sig") != "sig" or "d" in entry:
            continue
        for algorithm in _algorithms_of(entry) & algorithms:
            try:
                key = jwt.PyJWK(entry, algorithm=algorithm)
            except (jwt.PyJWTError, ValueError, TypeError, KeyError, AttributeError):
                continue  # one that cannot be read keeps nobody else out
            if getattr(key.key, "key_size", RSA_BITS_MIN) >= RSA_BITS_MIN or entry["kty"] != "RSA":
                found[key_id, algorithm] = key
    return found


def _algorithms_of(entry: dict[str, Any]) -> frozenset[str]:
    kind = entry.get("kty")
    family = FAMILIES.get(kind, frozenset()) if isinstance(kind, str) else frozenset()
    if kind == "EC":
        family &= {CURVES.get(str(entry.get("crv")), "")}
    said = entry.get("alg")
    return family if said is None else family & {str(said)}


class JwksFile:
    """Keys in a file, read again when it was replaced: new keys count at once, old ones go."""

    def __init__(self, file: Path, algorithms: frozenset[str]) -> None:
        """Raises KeyFault for a file of no use."""
        self._file, self._algorithms = file, algorithms
        self._watch = FileWatch(file)
        self._keys = self._read()

    def find(self, key_id: str, algorithm: str) -> jwt.PyJWK | None:
        """The key, of those that stand in the file now."""
        # Whoever sends tokens with made-up key ids does not make us read the file each time.
        if self._watch.changed():
            try:
                self._keys = self._read()
            except (KeyFault, OSError) as error:
                # The keys that were read before stay good: a half-made file must not send everybody away.
                log.warning("jwks_not_read", reason=str(error))
        return self._keys.get((key_id, algorithm))

    async def freshen(self) -> None:
        """Nothing: the file is looked at with every token."""

    async def look_again(self) -> bool:
        """Nothing more is to be found."""
        return False

    def _read(self) -> PublicKeys:
        try:
            mode = self._file.stat().st_mode
            text = self._file.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise KeyMissing(self._file) from None
        if mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise KeyFileExposed(self._file, "644")  # who can write here can be anybody
        try:
            keys = keys_of(text, self._algorithms)
        except (ValueError, RecursionError):
            keys = {}
        if not keys:
            raise KeyFault(f"{self._file} is not a JWKS file with a key of use.")
        return keys


class JwksAddress:
    """Keys that an issuer publishes at an address. Nothing is fetched before the first token."""

    def __init__(self, url: str, algorithms: frozenset[str], *, elapsed: Callable[[], float] = time.monotonic) -> None:
        """`elapsed` counts seconds. Raises KeyFault for an address that anybody on the way could answer for."""
        if not safe_address(url):
            raise KeyFault("JICENG_TOKEN_JWKS is a file, an https address, or one of this machine (http://127.0.0.1…).")
        self._url, self._algorithms, self._elapsed = url, algorithms, elapsed
        self._keys: PublicKeys = {}
        self._got_at: float | None = None
        self._asked_at: float | None = None
        self._away = False
        self._asking = asyncio.Lock()

    def find(self, key_id: str, algorithm: str) -> jwt.PyJWK | None:
        """The key, of those that the issuer gave last; none of them when it has been away for too long."""
        if self._got_at is None or self._elapsed() - self._got_at > KEPT_SECONDS:
            return None
        return self._keys.get((key_id, algorithm))

    async def freshen(self) -> None:
        """Ask again when the keys are older than they should be; who comes meanwhile does not wait."""
        old = self._got_at is not None and self._elapsed() - self._got_at > FRESH_SECONDS
        if old and not self._asking.locked():
            await self._ask()

    async def look_again(self) -> bool:
        """Ask the issuer for a key that is not known. Raises IssuerAway: it could not be asked."""
        asked = await self._ask()
        if self._away:
            raise IssuerAway
        return asked

    async def _ask(self) -> bool:
        before = self._asked_at
        async with self._asking:
            if self._asked_at != before:
                return True  # somebody else asked while we waited
            if before is not None and self._elapsed() - before < PAUSE_SECONDS:
                return False
            try:
                self._keys = keys_of(await self._fetch(), self._algorithms)
            except (httpx.HTTPError, TimeoutError, ValueError, RecursionError) as error:
                self._away = True
                log.warning("jwks_not_fetched", error=type(error).__name__)
            else:
                self._away, self._got_at = False, self._elapsed()
            self._asked_at = self._elapsed()
            return True

    async def _fetch(self) -> str:
        """What stands there. Raises httpx.HTTPError, TimeoutError, ValueError; a redirect is followed nowhere."""
        status, body = await ask(self._url, longest=JWKS_BYTES_MAX)
        if status != httpx.codes.OK:
            raise ValueError(f"status {status}")
        return body.decode()


def safe_address(url: str) -> bool:
    """Whether nobody on the way can answer in the place of the one who is asked: https, or this very machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if parts.username or parts.fragment or not url.isascii() or any(character.isspace() for character in url):
        return False
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and _loopback(parts.hostname)))


def _loopback(host: str | None) -> bool:
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False


def _names(text: str) -> Iterator[str]:
    yield from (name.strip() for name in text.split(",") if name.strip())


def algorithms_named(text: str) -> frozenset[str]:
    """The algorithms that a setting names, with commas between them. Raises KeyFault."""
    return pinned(frozenset(_names(text)))
