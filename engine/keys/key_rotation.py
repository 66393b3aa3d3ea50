"""Changing keys while the town runs: a new key first becomes known everywhere, and is then the one for new things.

A new key comes into the ring, `activate` makes it the one for new things, `retire` takes an old one out. Where the files of
one folder serve all processes, `rotate` does the first two at once. Public parts are written before private ones: whoever
dies in between leaves a key that nobody signs with, and never a signature that nobody can check.
"""

import json
import secrets
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from engine.keys.key_files import KEY_BYTES, KeyFault, hold_folder, new_key_id, read_ring, replace_file, ring_text
from engine.keys.keys import JWKS_FILE, jwks, public_part


class Rotated(StrEnum):
    """The rings whose keys can be changed."""

    PAYLOAD = "payload"
    VAULT = "vault"
    STAMPS = "stamps"
    TOKENS = "tokens"
    SEALS = "seals"


LASTING = {
    "blind-index": "another key finds nobody again: every person would come back as somebody new, every code that a "
    "reporter holds would be wrong, and what was sent once could be sent twice",
}
"""What cannot be changed, and why."""

KEPT = {
    Rotated.PAYLOAD: "without it, what it closed, in Temporal and in the archive, would stay closed for ever",
    Rotated.STAMPS: "without it, the stamps that it signed stand in the ledger, and could not be checked any more",
    Rotated.SEALS: "without it, the seals that it signed could not be checked any more",
}
"""Old keys that stay, and why."""

_PUBLIC = {Rotated.STAMPS: "stamp-ring.json", Rotated.SEALS: "seal-ring.json"}


class KeyUnknown(KeyFault):
    """There is no such key in the ring: `jiceng keys list` shows those that there are."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"{key_id[:80]}: {self.__doc__}")


class KeyNeeded(KeyFault):
    """This key cannot be changed or taken away."""

    def __init__(self, key_id: str, why: str) -> None:
        """`why` says also what to do first."""
        super().__init__(f"{key_id[:80]}: {why}.")


def add_key(folder: Path, ring: Rotated) -> str:
    """Put a new key into a ring, not active yet; its id. For a town whose key folder is copied to several machines."""
    with hold_folder(folder):
        active_id, keys = read_ring(_file(folder, ring))
        key_id = new_key_id(ring)
        _write(folder, ring, active_id, {**keys, key_id: _NEW[ring]()})
    return key_id


def activate_key(folder: Path, ring: Rotated, key_id: str) -> None:
    """Make a key of the ring the one for new things. Raises KeyUnknown, KeyFault."""
    with hold_folder(folder):
        _, keys = read_ring(_file(folder, ring))
        if key_id not in keys:
            raise KeyUnknown(key_id)
        _write(folder, ring, key_id, keys)


def rotate_key(folder: Path, ring: Rotated) -> str:
    """Put a new key into a ring and make it the one for new things; its id. Raises KeyFault."""
    key_id = add_key(folder, ring)
    activate_key(folder, ring, key_id)
    return key_id


def retire_key(folder: Path, ring: Rotated, key_id: str) -> None:
    """Take a key out of a ring: nothing opens with it any more, no token of its is believed.

    Of the vault, ask first whether it still closes somebody's key (engine/vault/vault_rewrapping.py). Raises KeyUnknown, KeyNeeded.
    """
    if ring in KEPT:
        raise KeyNeeded(key_id, f"it stays: {KEPT[ring]}")
    with hold_folder(folder):
        active_id, keys = read_ring(_file(folder, ring))
        if key_id not in keys:
            raise KeyUnknown(key_id)
        if key_id == active_id:
            raise KeyNeeded(key_id, "it is the one for new things: rotate first")
        _write(folder, ring, active_id, {name: key for name, key in keys.items() if name != key_id})


def ids_of(folder: Path, ring: Rotated) -> tuple[str, list[str]]:
    """The active id, and all ids in the order in which they came. Raises KeyFault."""
    active_id, keys = read_ring(_file(folder, ring))
    return active_id, list(keys)


def new_seal_key(folder: Path) -> str:
    """Make a new key for seals, the active one from now on, and return its id. Old ones still check old seals."""
    return rotate_key(folder, Rotated.SEALS)


def _file(folder: Path, ring: Rotated) -> Path:
    return folder / f"{ring}.json"


def _secret() -> bytes:
    return secrets.token_bytes(KEY_BYTES)


def _signing() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes_raw()


_NEW: dict[Rotated, Callable[[], bytes]] = {
    Rotated.PAYLOAD: _secret,
    Rotated.VAULT: _secret,
    Rotated.STAMPS: _signing,
    Rotated.TOKENS: _signing,
    Rotated.SEALS: _signing,
}


def _write(folder: Path, ring: Rotated, active_id: str, keys: dict[str, bytes]) -> None:
    private = _file(folder, ring)
    if ring in _PUBLIC:
        public = folder / _PUBLIC[ring]
        # What the public ring alone still knows stays: a private key may have been thrown away, its signatures are there.
        known = read_ring(public)[1] | {name: public_part(key) for name, key in keys.items()}
        replace_file(public, ring_text(active_id, known))
    if ring is Rotated.TOKENS:
        _publish(folder / JWKS_FILE, keys, ours=frozenset(read_ring(private)[1]))
    replace_file(private, ring_text(active_id, keys))


def _publish(file: Path, keys: dict[str, bytes], ours: frozenset[str]) -> None:
    """Write jwks.json anew: the public parts of `keys`, and whatever keys of another issuer stand there."""
    mode = file.stat().st_mode & 0o777
    foreign = [key for key in json.loads(file.read_text(encoding="utf-8"))["keys"] if key.get("kid") not in ours]
    replace_file(file, json.dumps({"keys": [*foreign, *jwks(keys)]}, indent=1), mode)
