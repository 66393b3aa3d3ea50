"""The signature under every message between the town and a department, both ways (docs/departments.md).

HMAC-SHA256 over `timestamp + "." + body` with the department's key, written `v1=<64 hex digits>`. The timestamp is real
time in whole Unix seconds: town time may run fast, a network does not. Two keys are valid while a key is being changed.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from enum import StrEnum

TIMESTAMP_HEADER = "Jiceng-Timestamp"
SIGNATURE_HEADER = "Jiceng-Signature"
WINDOW_SECONDS = 300
SHORTEST_SECRET = 32
KEYS_AT_ONCE = 2

_VERSION = "v1="
_SIGNATURE = re.compile(r"v1=[0-9a-f]{64}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


class SignatureFault(StrEnum):
    """Why a message is not believed. For logs and counters: the sender learns only that it was not."""

    MISSING = "missing"
    MALFORMED = "malformed"
    OUTSIDE_WINDOW = "outside_window"
    WRONG = "wrong"


def sign(secret: bytes, timestamp: str, body: bytes) -> str:
    """The signature of a body sent at `timestamp` (Unix seconds in decimal digits), as it stands in the header."""
    return _VERSION + hmac.new(secret, timestamp.encode("ascii") + b"." + body, hashlib.sha256).hexdigest()


def verify(
    secrets: Sequence[bytes],
    timestamp: str | None,
    body: bytes,
    signature: str | None,
    now: float,
    *,
    window_seconds: int = WINDOW_SECONDS,
) -> SignatureFault | None:
    """None if one of the keys made this signature within the window around `now`, else what is wrong.

    `now` is real time in Unix seconds, given by the caller. The window holds both ways, for clocks that run fast and
    slow. Every key is tried and the comparison takes constant time, so that the time of a refusal tells nothing.
    """
    if not timestamp or not signature:
        return SignatureFault.MISSING
    if not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
        return SignatureFault.MALFORMED
    matches = [hmac.compare_digest(sign(secret, timestamp, body), signature) for secret in secrets]
    if not any(matches):
        return SignatureFault.WRONG
    if abs(now - int(timestamp)) > window_seconds:
        return SignatureFault.OUTSIDE_WINDOW
    return None


def read_secrets(text: str) -> tuple[bytes, ...]:
    """The keys in a key file: one per line in hex, the first signs, each is believed; # starts a remark.

    Raises ValueError, naming the line and the remedy, for a file without a key, with too many, too short or not hex.
    """
    secrets = []
    for number, line in enumerate(text.splitlines(), start=1):
        written = line.strip()
        if not written or written.startswith("#"):
            continue
        try:
            secret = bytes.fromhex(written)
        except ValueError:
            raise ValueError(
                f"line {number}: not hex digits; write a key as {SHORTEST_SECRET * 2} hex digits"
            ) from None
        if len(secret) < SHORTEST_SECRET:
            raise ValueError(f"line {number}: the key is too short; write at least {SHORTEST_SECRET * 2} hex digits")
        secrets.append(secret)
    if not secrets:
        raise ValueError(f"no key; write one line of {SHORTEST_SECRET * 2} hex digits")
    if len(secrets) > KEYS_AT_ONCE:
        raise ValueError(f"{len(secrets)} keys; keep at most {KEYS_AT_ONCE}: the new one first, then the old one")
    return tuple(secrets)
