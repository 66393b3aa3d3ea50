"""The API's word for who gave a command. Temporal does not know who acted; the stamp in the payload does."""

import base64
import binascii
import time
from pathlib import Path
from typing import Protocol

import structlog
from cryptography.exceptions import InvalidSignature

from engine.key_files import KeyFault
from engine.keys import KeyRing, Keys, public_key
from schemas.actor import Stamp

log = structlog.get_logger()
LOOK_SECONDS = 1.0


class StampSigner:
    """Signs stamps with the active stamp key."""

    def __init__(self, keys: Keys) -> None:
        """Raises KeyMissing in a process that has no private stamp key."""
        self._key_id, self._key = keys.stamp_key()

    def sign(self, stamp: Stamp) -> Stamp:
        """The same stamp with key id and signature."""
        named = stamp.model_copy(update={"key_id": self._key_id, "signature": ""})
        signature = base64.b64encode(self._key.sign(named.signed_text())).decode()
        return named.model_copy(update={"signature": signature})


class KnownKeys(Protocol):
    """Public keys by id."""

    def get(self, key_id: str) -> bytes | None:
        """The key of that id, or None."""


class StampRing:
    """The public ring of a process that runs for months: a key it does not know is looked for in the file again.

    So a new stamp key may be used by the API before workers start again. At most one look a second: stamps with made-up
    keys are no way to keep a worker busy.
    """

    def __init__(self, file: Path, ring: KeyRing) -> None:
        self._file = file
        self._ring = ring
        self._next_look = 0.0

    @classmethod
    def of(cls, keys: Keys) -> "StampRing":
        """The ring of a process's keys."""
        return cls(keys.jwks_file.parent / "stamp-ring.json", keys.stamp_ring)

    def get(self, key_id: str) -> bytes | None:
        """The key of that id, or None."""
        known = self._ring.get(key_id)
        if known is None and time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + LOOK_SECONDS
            try:
                self._ring = KeyRing.read(self._file)
            except KeyFault as fault:
                log.warning("stamp_ring_unreadable", error=type(fault).__name__)
            known = self._ring.get(key_id)
        return known


def verify(stamp: Stamp, ring: KnownKeys) -> bool:
    """Whether a key of the public ring (`Keys.stamp_ring`) signed exactly this stamp. Takes about 0.1 ms."""
    raw = ring.get(stamp.key_id)
    if raw is None:
        return False
    try:
        signature = base64.b64decode(stamp.signature, validate=True)
        public_key(raw).verify(signature, stamp.signed_text())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    # base64 has spare bits: another spelling of the same signature would be another digest of the same command.
    return base64.b64encode(signature).decode() == stamp.signature
