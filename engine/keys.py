"""The keys of a town: made once, kept in files of mode 0600, read once when a process starts.

    payload.json       AES-256 ring: everything that goes into Temporal (engine/codec.py)
    vault.json         AES-256 ring: wraps the key of each person (engine/vault.py)
    blind-index.json   HMAC key: finds the same person again; exactly one, for another key finds nobody
    stamps.json        Ed25519, private: the API's word for who gave a command (engine/stamps.py)
    stamp-ring.json    Ed25519, public: all that ever signed, for workers and auditors
    tokens.json        Ed25519, private: signs the tokens of the local town (engine/tokens.py)
    jwks.json          its public part, as the API reads it
    seals.json         Ed25519, private: signs the seals over all cases (audit/seals.py); `jiceng audit new-seal-key` changes it
    seal-ring.json     Ed25519, public: all that ever signed a seal, for auditors

The departments' HMAC secrets lie beside them, one file each (engine/department_keys.py).

A ring is `{"active": id, "keys": {id: base64url}}`: the active key is for new things, the others still open old ones.
A process that needs no private keys (a worker) starts without stamps.json, tokens.json and seals.json.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from engine.key_files import (
    KeyFault,
    KeyFileBroken,
    KeyMissing,
    from_text,
    hold_folder,
    new_ring,
    read_ring,
    replace_file,
    require_private,
    ring_with_new_key,
    to_text,
    write_once,
)

JWKS_FILE = "jwks.json"


class KeyRing:
    """Secret keys of one purpose, by id. Prints its ids, never its keys."""

    def __init__(self, active_id: str, keys: Mapping[str, bytes]) -> None:
        """`active_id` is one of `keys`; every key has 32 bytes."""
        self.active_id = active_id
        self._keys = MappingProxyType(dict(keys))

    @classmethod
    def read(cls, file: Path) -> "KeyRing":
        """Read a ring file. Raises KeyFault when it is missing, exposed or broken."""
        return cls(*read_ring(file))

    @property
    def active(self) -> bytes:
        """The key for new things."""
        return self._keys[self.active_id]

    def get(self, key_id: str) -> bytes | None:
        """The key of that id, or None."""
        return self._keys.get(key_id)

    def __iter__(self) -> Iterator[str]:
        """Ids, the active one first."""
        yield self.active_id
        yield from (key_id for key_id in self._keys if key_id != self.active_id)

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(self)})"


@dataclass(frozen=True, repr=False)
class Keys:
    """All keys of a process. `stamp_keys`, `token_keys` and `seal_keys` are None where the private files are not given.

    `seal_ring` is None in a folder that was made before there were seals.
    """

    payload: KeyRing
    vault: KeyRing
    blind_index: KeyRing
    stamp_ring: KeyRing
    stamp_keys: KeyRing | None
    token_keys: KeyRing | None
    jwks_file: Path
    seal_keys: KeyRing | None = None
    seal_ring: KeyRing | None = None

    @classmethod
    def load(cls, folder: Path) -> "Keys":
        """Read the key folder. Raises KeyFault (missing, exposed or broken), with the remedy in its words."""
        require_private(folder)
        stamp_keys = _read_private(folder / "stamps.json")
        stamp_ring = KeyRing.read(folder / "stamp-ring.json")
        _require_public(folder / "stamp-ring.json", stamp_ring, stamp_keys)
        seal_keys, seal_ring = _read_private(folder / "seals.json"), _read_private(folder / "seal-ring.json")
        _require_public(folder / "seal-ring.json", seal_ring, seal_keys)
        return cls(
            payload=KeyRing.read(folder / "payload.json"),
            vault=KeyRing.read(folder / "vault.json"),
            blind_index=KeyRing.read(folder / "blind-index.json"),
            stamp_ring=stamp_ring,
            stamp_keys=stamp_keys,
            token_keys=_read_private(folder / "tokens.json"),
            jwks_file=folder / JWKS_FILE,
            seal_keys=seal_keys,
            seal_ring=seal_ring,
        )

    def stamp_key(self) -> tuple[str, Ed25519PrivateKey]:
        """Id and private key for new stamps. Raises KeyMissing in a process that has none."""
        return _signing_key(self.stamp_keys, "stamps.json")

    def token_key(self) -> tuple[str, Ed25519PrivateKey]:
        """Id and private key for new tokens. Raises KeyMissing in a process that has none."""
        return _signing_key(self.token_keys, "tokens.json")

    def seal_key(self) -> tuple[str, Ed25519PrivateKey]:
        """Id and private key for new seals. Raises KeyMissing in a process that has none."""
        return _signing_key(self.seal_keys, "seals.json")

    def __repr__(self) -> str:
        return f"Keys(payload={self.payload}, vault={self.vault}, stamps={self.stamp_ring})"


def ensure_keys(folder: Path) -> Keys:
    """Make what is missing in the key folder, and load it. An existing key is never replaced.

    Two processes that start at once get the same keys: the second waits for the first. Raises KeyFault.
    """
    with hold_folder(folder):
        for name in ("payload", "vault", "blind-index"):
            write_once(folder / f"{name}.json", new_ring(name))
        for name in ("stamps", "tokens", "seals"):
            write_once(folder / f"{name}.json", new_ring(name, Ed25519PrivateKey.generate().private_bytes_raw()))
        for private, public in (("stamps.json", "stamp-ring.json"), ("seals.json", "seal-ring.json")):
            write_once(folder / public, _public_ring(KeyRing.read(folder / private)))
        write_once(folder / JWKS_FILE, json.dumps(_jwks(KeyRing.read(folder / "tokens.json")), indent=1))
    return Keys.load(folder)


def new_seal_key(folder: Path) -> str:
    """Make a new key for seals, the active one from now on, and return its id. Old ones still open old seals.

    Processes that run sign with the old one until they start again, and that is well: it stays in the public ring.
    Raises KeyFault.
    """
    with hold_folder(folder):
        key_id, private = ring_with_new_key(
            folder / "seals.json", "seals", Ed25519PrivateKey.generate().private_bytes_raw()
        )
        public = KeyRing.read(folder / "seal-ring.json")
        keys = {name: to_text(key) for name in public if (key := public.get(name))}
        ring = json.loads(private)
        keys[key_id] = to_text(_public(from_text(ring["keys"][key_id])))
        # The public part first: whoever dies between the two leaves a key that nobody signs with, not the other way round.
        replace_file(folder / "seal-ring.json", json.dumps({"active": key_id, "keys": keys}, indent=1))
        replace_file(folder / "seals.json", private)
    return key_id


def public_keys(ring: KeyRing) -> dict[str, str]:
    """The keys of a public ring as text, by id, for export."""
    return {key_id: to_text(key) for key_id in ring if (key := ring.get(key_id))}


def _read_private(file: Path) -> KeyRing | None:
    return KeyRing.read(file) if file.exists() else None


def _require_public(file: Path, public: KeyRing | None, private: KeyRing | None) -> None:
    if private and (public is None or public.get(private.active_id) != _public(private.active)):
        raise KeyFileBroken(file, f"the active key of the private file, {private.active_id}, is not in it")


def _signing_key(ring: KeyRing | None, name: str) -> tuple[str, Ed25519PrivateKey]:
    if ring is None:
        raise KeyMissing(Path(name))
    return ring.active_id, Ed25519PrivateKey.from_private_bytes(ring.active)


def _public(private: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def _public_ring(private: KeyRing) -> str:
    return json.dumps(
        {"active": private.active_id, "keys": {private.active_id: to_text(_public(private.active))}}, indent=1
    )


def _jwks(tokens: KeyRing) -> dict[str, list[dict[str, str]]]:
    key = {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": tokens.active_id}
    return {"keys": [key | {"x": to_text(_public(tokens.active))}]}


def public_key(raw: bytes) -> Ed25519PublicKey:
    """An Ed25519 public key of a public ring."""
    return Ed25519PublicKey.from_public_bytes(raw)


__all__ = [
    "KeyFault", "KeyFileBroken", "KeyMissing", "KeyRing", "Keys", "ensure_keys", "new_seal_key", "public_key", "public_keys",
]  # fmt: skip
