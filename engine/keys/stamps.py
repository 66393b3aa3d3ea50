"""The API's word for who gave a command. Temporal does not know who acted; the stamp in the payload does."""

import base64
import binascii
from typing import Protocol

from cryptography.exceptions import InvalidSignature

from engine.keys.keys import Keys, public_key
from schemas.values.actor import Stamp, Written


class StampSigner:
    """Signs stamps with the active stamp key."""

    def __init__(self, keys: Keys) -> None:
        """Raises KeyMissing in a process that has no private stamp key."""
        keys.stamp_key()
        self._keys = keys

    def sign(self, stamp: Stamp, written: Written | None = None) -> Stamp:
        """The same stamp with key id and signature. `written`, how far the ledger has its case, goes with it, signed too."""
        key_id, key = self._keys.stamp_key()
        named = stamp.model_copy(
            update={"key_id": key_id, "signature": "", "written_digest": written.digest() if written else ""}
        )
        signature = base64.b64encode(key.sign(named.signed_text())).decode()
        return named.model_copy(update={"signature": signature, "written": written})


class KnownKeys(Protocol):
    """Public keys by id: `Keys.stamp_ring`, which finds new ones by itself, or what somebody exported."""

    def get(self, key_id: str) -> bytes | None:
        """The key of that id, or None."""


def verify(stamp: Stamp, ring: KnownKeys) -> bool:
    """Whether a key of the public ring (`Keys.stamp_ring`) signed exactly this stamp, and what travels with it.

    Takes about 0.1 ms.
    """
    raw = ring.get(stamp.key_id)
    if raw is None or (stamp.written is not None and stamp.written.digest() != stamp.written_digest):
        return False
    try:
        signature = base64.b64decode(stamp.signature, validate=True)
        public_key(raw).verify(signature, stamp.signed_text())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    # base64 has spare bits: another spelling of the same signature would be another digest of the same command.
    return base64.b64encode(signature).decode() == stamp.signature
