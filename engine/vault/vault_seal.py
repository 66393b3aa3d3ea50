"""How the vault closes and opens: AES-256-GCM, a random nonce each time, everything bound to what it belongs to."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from engine.keys.keys import KeyRing

NONCE_BYTES = 12
PERSON_KEY_BYTES = 32


class VaultFault(Exception):
    """The vault cannot do this."""

    def __init__(self, about: str = "") -> None:
        """`about` names references and key ids, never content."""
        super().__init__(" ".join(f"{self.__doc__} {about}".split()))


class VaultKeyUnknown(VaultFault):
    """The master key that closed this person's key is not in vault.json: put it back there, no other opens it."""


class VaultDamaged(VaultFault):
    """A row of the vault was changed, exchanged or cut short: stop and call whoever keeps the database."""


def new_person_key() -> bytes:
    """A key for one person."""
    return AESGCM.generate_key(bit_length=PERSON_KEY_BYTES * 8)


def wrap(ring: KeyRing, person_id: str, person_key: bytes) -> tuple[bytes, str]:
    """Close a person's key with the active master key: nonce and ciphertext in one, and the id of the master key."""
    nonce, (master_key_id, master) = os.urandom(NONCE_BYTES), ring.current()
    return nonce + AESGCM(master).encrypt(nonce, person_key, _person_bound(person_id, master_key_id)), master_key_id


def unwrap(ring: KeyRing, master_key_id: str, person_id: str, wrapped: bytes) -> bytes:
    """Open a person's key. Raises VaultKeyUnknown, VaultDamaged."""
    master = ring.get(master_key_id)
    if master is None:
        raise VaultKeyUnknown(f"Its id: {master_key_id}")
    try:
        bound = _person_bound(person_id, master_key_id)
        return AESGCM(master).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], bound)
    except (InvalidTag, ValueError):
        raise VaultDamaged(person_id) from None


def seal(person_key: bytes, item_id: str, person_id: str, kind: str, text: str) -> tuple[bytes, bytes]:
    """Close one text: nonce and ciphertext."""
    nonce = os.urandom(NONCE_BYTES)
    # A lone surrogate is no text, but JSON can carry one; it must come back as it was given.
    plain = text.encode(errors="surrogatepass")
    return nonce, AESGCM(person_key).encrypt(nonce, plain, _item_bound(item_id, person_id, kind))


def unseal(person_key: bytes, item_id: str, person_id: str, kind: str, sealed: tuple[bytes, bytes]) -> str:
    """Open what `seal` gave. Raises VaultDamaged."""
    try:
        plain = AESGCM(person_key).decrypt(*sealed, _item_bound(item_id, person_id, kind))
        return plain.decode(errors="surrogatepass")
    except (InvalidTag, ValueError):
        raise VaultDamaged(item_id) from None


def _person_bound(person_id: str, master_key_id: str) -> bytes:
    return f"jiceng person key 1\0{person_id}\0{master_key_id}".encode()


def _item_bound(item_id: str, person_id: str, kind: str) -> bytes:
    return f"jiceng vault item 1\0{item_id}\0{person_id}\0{kind}".encode()
