"""Payloads as they were closed before they were bound to their place."""

import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload


def closed_before(payload: Payload, key_id: str, key: bytes) -> Payload:
    """What the codec of that time made of a payload."""
    nonce = os.urandom(12)
    bound = b"jiceng payload 1\x00binary/encrypted\x00" + key_id.encode()
    sealed = AESGCM(key).encrypt(nonce, b"\x00" + payload.SerializeToString(), bound)
    return Payload(
        metadata={"encoding": b"binary/encrypted", "encryption-key-id": key_id.encode()}, data=nonce + sealed
    )
