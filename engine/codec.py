"""The payload codec: everything that goes into Temporal is encrypted before it leaves the process.

AES-256-GCM with a random nonce of 12 bytes. The key's id stands in the payload's metadata, for a codec server sees
nothing else of a case. Inside are one byte (0 plain, 1 zlib) and the whole original payload, metadata included. What
stands outside is bound as associated data, so that neither the id nor the encoding can be exchanged.

A payload that is not ours is refused, not passed through. All writers of a namespace share one factory, so plain
payloads come only from somebody without the key: refusing them makes the codec vouch for every signal and result that
has no stamp of its own. The price: `temporal workflow signal` by hand needs `--codec-endpoint`, and a plain signal sent
all the same stops its case visibly until it is reset to before that signal.
"""

import os
import zlib
from collections.abc import Sequence
from typing import ClassVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf.message import DecodeError
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    PayloadCodec,
)

from engine.keys import KeyRing, Keys

ENCODING = b"binary/encrypted"
KEY_ID = "encryption-key-id"
NONCE_BYTES = 12
PLAIN, ZLIB = b"\x00", b"\x01"
COMPRESS_FROM_BYTES = 256  # below, zlib seldom wins and its own header costs
ZLIB_LEVEL = 1  # level 6 costs a fifth more and saves less than a hundredth of a case's JSON


class PayloadFault(Exception):
    """A payload from Temporal cannot be read."""

    def __init__(self, about: str = "") -> None:
        """`about` names the key, never content."""
        super().__init__(" ".join(f"{self.__doc__} {about}".split()))


class PayloadNotEncrypted(PayloadFault):
    """A payload that this town's codec did not write.

    Somebody wrote to Temporal without it: give the CLI `--codec-endpoint`, and reset the case to before that event.
    """


class PayloadKeyUnknown(PayloadFault):
    """The key that closed this payload is not in payload.json: put it back there, for no other key opens it."""


class PayloadDamaged(PayloadFault):
    """A payload was changed or cut short after it was written.

    Restore Temporal's database from a copy, and look for who changed it.
    """


class EncryptionCodec(PayloadCodec):
    """Encrypts with the active key of a ring; decrypts with any of its keys."""

    def __init__(self, ring: KeyRing) -> None:
        """`ring` is the payload ring of the town; its keys may change while this lives."""
        self._ring = ring
        self._ciphers: dict[str, AESGCM] = {}

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encrypt each payload whole, metadata included."""
        return [self._encrypt(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decrypt each payload. Raises PayloadFault: not encrypted by us, key unknown, or damaged."""
        return [self._decrypt(payload) for payload in payloads]

    def _encrypt(self, payload: Payload) -> Payload:
        nonce, (key_id, key) = os.urandom(NONCE_BYTES), self._ring.current()
        cipher = self._ciphers.get(key_id) or self._ciphers.setdefault(key_id, AESGCM(key))
        sealed = cipher.encrypt(nonce, _pack(payload.SerializeToString()), _bound(key_id))
        return Payload(metadata={"encoding": ENCODING, KEY_ID: key_id.encode()}, data=nonce + sealed)

    def _cipher(self, key_id: str) -> AESGCM | None:
        if key_id not in self._ciphers and (key := self._ring.get(key_id)) is not None:
            self._ciphers[key_id] = AESGCM(key)
        return self._ciphers.get(key_id)

    def _decrypt(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCODING:
            raise PayloadNotEncrypted
        key_id = payload.metadata.get(KEY_ID, b"").decode(errors="replace")
        cipher = self._cipher(key_id)
        if cipher is None:
            raise PayloadKeyUnknown(f"Its id: {key_id!r:.80}")
        nonce, sealed = payload.data[:NONCE_BYTES], payload.data[NONCE_BYTES:]
        try:
            return Payload.FromString(_unpack(cipher.decrypt(nonce, sealed, _bound(key_id))))
        except (InvalidTag, ValueError, zlib.error, DecodeError):
            raise PayloadDamaged(f"Its key: {key_id}") from None


class CasePayloadConverter(CompositePayloadConverter):
    """Temporal's converter for pydantic models, of which the SDK makes one for every run of a case and every call.

    What it knows of types is kept by the part that turns them to and from JSON; that is one and the same for all.
    """

    _parts: ClassVar = tuple(PydanticPayloadConverter().converters.values())

    def __init__(self) -> None:
        """Share the parts."""
        super().__init__(*self._parts)


def data_converter(keys: Keys) -> DataConverter:
    """The one way in which values become payloads: pydantic models, encrypted; failures with their stack trace too.

    Headers are a matter of the client and the replayer: give both `header_codec_behavior=HeaderCodecBehavior.CODEC`.
    """
    return DataConverter(
        payload_converter_class=CasePayloadConverter,
        payload_codec=EncryptionCodec(keys.payload),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )


def _bound(key_id: str) -> bytes:
    return b"jiceng payload 1\x00" + ENCODING + b"\x00" + key_id.encode()


def _pack(plain: bytes) -> bytes:
    if len(plain) >= COMPRESS_FROM_BYTES:
        packed = zlib.compress(plain, ZLIB_LEVEL)
        if len(packed) < len(plain):
            return ZLIB + packed
    return PLAIN + plain


def _unpack(packed: bytes) -> bytes:
    return zlib.decompress(packed[1:]) if packed[:1] == ZLIB else packed[1:]
