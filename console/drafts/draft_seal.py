"""How a draft is closed: AES-256-GCM by a key of its own, derived from the vault's master key and bound to whose and which it is.

A draft may hold whatever people tell of themselves, so it is closed as the vault's texts are. It lives for a day, so it needs no
key that outlives the master key: where that is taken away, the draft is gone.
"""

import json
import os
from collections.abc import Mapping, Sequence
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from engine.keys.key_ring import KeyRing
from engine.vault.vault_seal import NONCE_BYTES

KEY_BYTES = 32
_PURPOSE = "jiceng draft 1"

Texts = Mapping[str, Sequence[str]]
Sealed = tuple[str, bytes, bytes]
"""Id of the master key, nonce, ciphertext."""


def seal(ring: KeyRing, subject: str, draft: UUID, action: str, texts: Texts) -> Sealed:
    """Close what was written."""
    master_key_id, master = ring.current()
    nonce, bound = os.urandom(NONCE_BYTES), _bound(subject, draft, action)
    # A lone surrogate is no text, but a browser can send one; it must come back as it was written.
    plain = json.dumps({name: list(each) for name, each in texts.items()}).encode()
    return master_key_id, nonce, AESGCM(_key(master, bound)).encrypt(nonce, plain, bound)


def unseal(ring: KeyRing, subject: str, draft: UUID, action: str, sealed: Sealed) -> dict[str, list[str]] | None:
    """What was written; None: its master key was taken away, or the row was changed or exchanged."""
    master_key_id, nonce, ciphertext = sealed
    master, bound = ring.get(master_key_id), _bound(subject, draft, action)
    if master is None:
        return None
    try:
        plain = AESGCM(_key(master, bound)).decrypt(nonce, ciphertext, bound)
    except (InvalidTag, ValueError):
        return None
    texts: dict[str, list[str]] = json.loads(plain)
    return texts


def _key(master: bytes, bound: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=bound).derive(master)


def _bound(subject: str, draft: UUID, action: str) -> bytes:
    return json.dumps([_PURPOSE, subject, str(draft), action]).encode()
