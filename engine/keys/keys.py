"""The keys of a town: made once, kept in files of mode 0600, changed by `jiceng keys` (engine/keys/key_rotation.py).

    payload.json       AES-256 ring: everything that goes into Temporal (engine/execution/codec.py)
    vault.json         AES-256 ring: wraps the key of each person (engine/vault/vault.py)
    blind-index.json   HMAC key: finds the same person again; exactly one, for another key finds nobody
    stamps.json        Ed25519, private: the API's word for who gave a command (engine/keys/stamps.py)
    stamp-ring.json    Ed25519, public: all that ever signed, for workers and auditors
    tokens.json        Ed25519, private: signs the tokens of the local town (engine/keys/tokens.py)
    jwks.json          its public part, as the API reads it
    seals.json         Ed25519, private: signs the seals (audit/archive/seals.py); `jiceng keys rotate seals` changes it
    seal-ring.json     Ed25519, public: all that ever signed a seal, for auditors

The departments' HMAC secrets lie beside them, one file each (engine/keys/department_keys.py).

A ring is `{"active": id, "keys": {id: base64url}}`: the active key is for new things, the others still open old ones. Processes
that run find new keys by themselves (engine/keys/key_ring.py). The ring of the vault may lie outside: see `Settings.vault_ring`.
A process that needs no private keys (a worker) starts without stamps.json, tokens.json and seals.json.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from engine.keys.key_files import (
    KEY_BYTES,
    KeyFault,
    KeyFileBroken,
    KeyMissing,
    hold_folder,
    new_key_id,
    new_ring,
    read_ring,
    replace_file,
    require_private,
    ring_text,
    takes_no_place,
    to_text,
    write_once,
)
from engine.keys.key_ring import KeyRing, RingCommand, RingFile, RingGiven, RingSource
from engine.runtime.settings import Settings

JWKS_FILE = "jwks.json"
KEYS_KEPT = 32
"""As many keys a process keeps ready to sign or check with: to read one takes longer than to use it."""


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
    def of(cls, settings: Settings) -> "Keys":
        """The keys of a process, the ring of the vault from where the settings say. Raises as `load`."""
        return cls.load(settings.key_folder, vault_outside(settings))

    @classmethod
    def load(cls, folder: Path, vault: RingSource | None = None) -> "Keys":
        """Read the key folder. Raises KeyFault (missing, exposed or broken), with the remedy in its words.

        `vault`: where the ring of the vault is, if not in vault.json.
        """
        require_private(folder)
        stamp_keys = _read_private(folder / "stamps.json")
        stamp_ring = KeyRing.read(folder / "stamp-ring.json")
        _require_public(folder / "stamp-ring.json", stamp_ring, stamp_keys)
        seal_keys, seal_ring = _read_private(folder / "seals.json"), _read_private(folder / "seal-ring.json")
        _require_public(folder / "seal-ring.json", seal_ring, seal_keys)
        return cls(
            payload=KeyRing.read(folder / "payload.json"),
            vault=KeyRing.of(vault or RingFile(folder / "vault.json")),
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


def vault_outside(settings: Settings) -> RingSource | None:
    """Where the ring of the vault is when it does not lie in the key folder: in the environment, or with a command."""
    if settings.vault_ring is not None:
        return RingGiven(settings.vault_ring.get_secret_value())
    return RingCommand(settings.vault_ring_command) if settings.vault_ring_command is not None else None


def ensure_keys(folder: Path, vault: RingSource | None = None) -> Keys:
    """Make what is missing in the key folder, and load it. An existing key is never replaced.

    A payload key from before payloads were bound to their place stays, and is followed by one that takes no other.

    Two processes that start at once get the same keys: the second waits for the first. Raises KeyFault.
    """
    with hold_folder(folder):
        for name in ("payload", "blind-index", *(() if vault else ("vault",))):
            write_once(folder / f"{name}.json", new_ring(name))
        _close_for_places(folder / "payload.json")
        for name in ("stamps", "tokens", "seals"):
            write_once(folder / f"{name}.json", new_ring(name, Ed25519PrivateKey.generate().private_bytes_raw()))
        for private, public in (("stamps.json", "stamp-ring.json"), ("seals.json", "seal-ring.json")):
            write_once(folder / public, _public_ring(KeyRing.read(folder / private)))
        write_once(folder / JWKS_FILE, json.dumps({"keys": jwks(read_ring(folder / "tokens.json")[1])}, indent=1))
    return Keys.load(folder, vault)


def _close_for_places(file: Path) -> None:
    """Let new payloads be closed with a key that opens none without a place. The folder is held."""
    active, keys = read_ring(file)
    if takes_no_place(active):
        key_id = new_key_id("payload")
        replace_file(file, ring_text(key_id, {**keys, key_id: secrets.token_bytes(KEY_BYTES)}))


def public_keys(ring: KeyRing) -> dict[str, str]:
    """The keys of a public ring as text, by id, for export."""
    return {key_id: to_text(key) for key_id in ring if (key := ring.get(key_id))}


def _read_private(file: Path) -> KeyRing | None:
    return KeyRing.read(file) if file.exists() else None


def _require_public(file: Path, public: KeyRing | None, private: KeyRing | None) -> None:
    if private and (public is None or public.get(private.active_id) != public_part(private.active)):
        raise KeyFileBroken(file, f"the active key of the private file, {private.active_id}, is not in it")


def _signing_key(ring: KeyRing | None, name: str) -> tuple[str, Ed25519PrivateKey]:
    if ring is None:
        raise KeyMissing(Path(name))
    key_id, raw = ring.current()
    return key_id, _private_key(raw)


@lru_cache(KEYS_KEPT)
def _private_key(raw: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(raw)


def public_part(private: bytes) -> bytes:
    """The public half of a raw Ed25519 key."""
    return Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def _public_ring(private: KeyRing) -> str:
    return ring_text(private.active_id, {private.active_id: public_part(private.active)})


def jwks(tokens: Mapping[str, bytes]) -> list[dict[str, str]]:
    """Token keys, by id, as jwks.json shows them: their public parts."""
    form = {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA"}
    return [form | {"kid": key_id, "x": to_text(public_part(key))} for key_id, key in tokens.items()]


@lru_cache(KEYS_KEPT)
def public_key(raw: bytes) -> Ed25519PublicKey:
    """An Ed25519 public key of a public ring."""
    return Ed25519PublicKey.from_public_bytes(raw)


__all__ = [
    "KeyFault", "KeyFileBroken", "KeyMissing", "KeyRing", "Keys", "ensure_keys", "jwks", "public_key", "public_keys",
    "public_part", "vault_outside",
]  # fmt: skip
