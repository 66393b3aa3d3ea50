"""The payload codec: everything that goes into Temporal is encrypted before it leaves the process, for one place.

AES-256-GCM with a random nonce of 12 bytes. Inside are one byte (0 plain, 1 zlib) and the whole original payload, metadata
included; a model's name is among it. Outside stand the key's id and the place: the workflow, and the type of the activity for
what an activity is asked or answers. A codec server sees nothing else of a case. What stands outside is bound as associated
data, so that neither the id nor the place nor the encoding can be exchanged.

A payload is good in one place (docs/decisions/0008-payloads-are-bound-to-their-place.md). The SDK tells the codec for which
place it writes and reads; whoever reads for another place, or as another model, is refused. Who knows no place - a codec
server, an auditor - opens all of them, and sees for which each was written. Names of workflows, activities and models are
therefore part of what stands in Temporal: a model that histories hold keeps its name. Payloads from before had no place;
they are taken under the keys of that time only (`takes_no_place`), and keys made since are not among them.

A payload that is not ours, or not of this place, is refused, not passed through. All writers of a namespace share one factory,
so plain payloads come only from somebody without the key. Clients raise; a worker gives the case an `OutOfPlace` instead of
the value: a start fails, a signal is not heard, an activity has not answered. So nothing that is sent can stop a case, but
for a payload whose key this worker does not have: that waits until the ring has it, for what is dropped cannot be taken back.
`temporal workflow signal` by hand needs `--codec-endpoint`, and is not heard all the same: it is bound to no place.
"""

import copy
import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf.message import DecodeError
from pydantic import BaseModel
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticJSONPlainPayloadConverter, PydanticPayloadConverter
from temporalio.converter import (
    ActivitySerializationContext,
    CompositePayloadConverter,
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    EncodingPayloadConverter,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)

from engine.keys.key_files import takes_no_place
from engine.keys.keys import KeyRing, Keys
from schemas.kernel.out_of_place import OutOfPlace

ENCODING = b"binary/encrypted"
KEY_ID = "encryption-key-id"
WORKFLOW, ACTIVITY = "bound-to-workflow", "bound-to-activity"
MODEL = "model"
NONCE_BYTES = 12
PLAIN, ZLIB = b"\x00", b"\x01"
PLACES_KEPT = 4096
"""For so many places a process keeps the converter ready: one for each case that a worker holds, and its activities."""

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


class PayloadOutOfPlace(PayloadFault):
    """A payload was written for another place than the one where it stands.

    Somebody copied it: `jiceng audit verify` names the place, and what stands there does not count.
    """

    def __init__(self, about: str = "", of: str = "") -> None:
        """`of`: the workflow that it was written for, empty when it was written for none."""
        super().__init__(about)
        self.of = of


class PayloadPlace(NamedTuple):
    """Where a payload belongs. `activity`: the type of the activity that is asked or answers; empty for all the rest."""

    workflow: str
    activity: str = ""

    @classmethod
    def of(cls, context: SerializationContext) -> "PayloadPlace | None":
        """The place that the SDK names; None where it names none."""
        match context:
            case ActivitySerializationContext():
                return cls(context.workflow_id or "", context.activity_type or "")
            case WorkflowSerializationContext():
                return cls(context.workflow_id)
            case _:
                return None

    def __str__(self) -> str:
        return f"{self.activity} of {self.workflow}" if self.activity else self.workflow or "no place"


NOWHERE = PayloadPlace("")
"""What is written without a place: a header, for which the SDK names none. It may be read anywhere, and is never a model."""


def place_of(payload: Payload) -> PayloadPlace | None:
    """The place that a payload says it was written for; None when it is from before."""
    metadata = payload.metadata
    if WORKFLOW not in metadata:
        return None
    activity = metadata[ACTIVITY].decode(errors="replace") if ACTIVITY in metadata else ""
    return PayloadPlace(metadata[WORKFLOW].decode(errors="replace"), activity)


class EncryptionCodec(PayloadCodec, WithSerializationContext):
    """Encrypts with the active key of a ring; decrypts with any of its keys. With a place: only what is of this place."""

    def __init__(self, ring: KeyRing) -> None:
        """`ring` is the payload ring of the town; its keys may change while this lives."""
        self._ring = ring
        self._ciphers: dict[str, AESGCM] = {}
        self._place: PayloadPlace | None = None
        self._judges = False

    def with_context(self, context: SerializationContext) -> Self:
        """The same for the place that the SDK names."""
        place = PayloadPlace.of(context)
        return self if place is None else self.at(place)

    def at(self, place: PayloadPlace) -> Self:
        """The same for a place; keys and ciphers are shared."""
        other = copy.copy(self)
        other.__dict__["_place"] = place
        return other

    def judging(self) -> Self:
        """The same for a worker: what is not ours, or not of this place, is given as `OUT_OF_PLACE` instead of raised."""
        other = copy.copy(self)
        other.__dict__["_judges"] = True
        return other

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encrypt each payload whole, metadata included."""
        return [self._encrypt(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decrypt each payload. Raises PayloadFault: not encrypted by us, key unknown, damaged, or of another place."""
        return [self._judged(payload) if self._judges else self._decrypt(payload) for payload in payloads]

    def _encrypt(self, payload: Payload) -> Payload:
        nonce, (key_id, key) = os.urandom(NONCE_BYTES), self._ring.current()
        place = self._place or NOWHERE
        cipher = self._ciphers.get(key_id) or self._ciphers.setdefault(key_id, AESGCM(key))
        sealed = cipher.encrypt(nonce, _pack(payload.SerializeToString()), _bound(key_id, place))
        metadata = {"encoding": ENCODING, KEY_ID: key_id.encode(), WORKFLOW: place.workflow.encode()}
        if place.activity:
            metadata[ACTIVITY] = place.activity.encode()
        return Payload(metadata=metadata, data=nonce + sealed)

    def _cipher(self, key_id: str) -> AESGCM | None:
        if key_id not in self._ciphers and (key := self._ring.get(key_id)) is not None:
            self._ciphers[key_id] = AESGCM(key)
        return self._ciphers.get(key_id)

    def _judged(self, payload: Payload) -> Payload:
        try:
            return self._decrypt(payload)
        except PayloadOutOfPlace as fault:
            found = OutOfPlace(fault=type(fault).__name__, of=fault.of)
        except (PayloadNotEncrypted, PayloadDamaged) as fault:
            found = OutOfPlace(fault=type(fault).__name__)
        return Payload(metadata={"encoding": OUT_OF_PLACE}, data=found.model_dump_json().encode())

    def _decrypt(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCODING:
            raise PayloadNotEncrypted
        key_id = payload.metadata.get(KEY_ID, b"").decode(errors="replace")
        cipher = self._cipher(key_id)
        if cipher is None:
            raise PayloadKeyUnknown(f"Its id: {key_id!r:.80}")
        place = place_of(payload)
        if place is None and not takes_no_place(key_id):
            raise PayloadOutOfPlace("It names no place.")
        nonce, sealed = payload.data[:NONCE_BYTES], payload.data[NONCE_BYTES:]
        try:
            opened = Payload.FromString(_unpack(cipher.decrypt(nonce, sealed, _bound(key_id, place))))
        except (InvalidTag, ValueError, zlib.error, DecodeError):
            raise PayloadDamaged(f"Its key: {key_id}") from None
        if (
            self._place is None
            or place is None
            or place == self._place
            or (place == NOWHERE and MODEL not in opened.metadata)
        ):
            return opened
        raise PayloadOutOfPlace(f"Written for {place}, found at {self._place}.", place.workflow)


OUT_OF_PLACE = b"jiceng/out-of-place"
"""The encoding by which a worker's codec tells its converter what it refused. It never leaves the process."""


class _OutOfPlaceConverter(EncodingPayloadConverter):
    """Gives the case an OutOfPlace instead of a value."""

    @property
    def encoding(self) -> str:
        return OUT_OF_PLACE.decode()

    def to_payload(self, value: Any) -> Payload | None:
        del value
        return None  # nothing is ever written so

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        del type_hint
        return OutOfPlace.model_validate_json(payload.data)


class _ModelConverter(PydanticJSONPlainPayloadConverter):
    """To and from JSON, with the name of the model: what was written as a question is not read as an answer."""

    _judges: ClassVar[bool] = False

    def to_payload(self, value: Any) -> Payload | None:
        payload = super().to_payload(value)
        if payload is not None and isinstance(value, BaseModel):
            payload.metadata[MODEL] = type(value).__name__.encode()
        return payload

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        written = payload.metadata.get(MODEL)
        read = type_hint.__name__ if isinstance(type_hint, type) and issubclass(type_hint, BaseModel) else None
        if written is not None and read is not None and written != read.encode():
            fault = PayloadOutOfPlace(f"Written as {written.decode(errors='replace')}, read as {read}.")
            if not self._judges:
                raise fault
            return OutOfPlace(fault=type(fault).__name__)
        return super().from_payload(payload, type_hint)


class _JudgingModelConverter(_ModelConverter):
    _judges = True


def _parts(models: EncodingPayloadConverter) -> tuple[EncodingPayloadConverter, ...]:
    """Temporal's parts for pydantic models, with ours for models in the place of theirs."""
    theirs = PydanticPayloadConverter().converters.values()
    return (*(models if part.encoding == models.encoding else part for part in theirs), _OutOfPlaceConverter())


class CasePayloadConverter(CompositePayloadConverter):
    """Temporal's converter for pydantic models, of which the SDK makes one for every run of a case and every call.

    What it knows of types is kept by the part that turns them to and from JSON; that is one and the same for all.
    """

    _parts: ClassVar = _parts(_ModelConverter())

    def __init__(self) -> None:
        """Share the parts."""
        super().__init__(*self._parts)


class JudgingPayloadConverter(CasePayloadConverter):
    """The same for workers and replays: what was written as another model becomes an OutOfPlace."""

    _parts: ClassVar = _parts(_JudgingModelConverter())


@dataclass(frozen=True)
class CaseDataConverter(DataConverter):
    """Converter and codec, one for each place. The SDK asks for a place at every visit of a payload, so they are kept."""

    def __post_init__(self) -> None:
        """Make room for the places."""
        super().__post_init__()
        object.__setattr__(self, "_at", lru_cache(PLACES_KEPT)(self._placed))

    def with_context(self, context: SerializationContext) -> Self:
        """The same for the place that the SDK names."""
        place = PayloadPlace.of(context)
        if place is None:
            return self
        placed: Self = self._at(place)  # type: ignore[attr-defined]
        return placed

    def _placed(self, place: PayloadPlace) -> Self:
        other = copy.copy(self)
        if isinstance(self.payload_codec, EncryptionCodec):
            object.__setattr__(other, "payload_codec", self.payload_codec.at(place))
        return other


def data_converter(keys: Keys) -> DataConverter:
    """The one way in which values become payloads: pydantic models, encrypted; failures with their stack trace too.

    Headers are a matter of the client and the replayer: give both `header_codec_behavior=HeaderCodecBehavior.CODEC`.
    """
    return CaseDataConverter(
        payload_converter_class=CasePayloadConverter,
        payload_codec=EncryptionCodec(keys.payload),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )


def judging(converter: DataConverter) -> DataConverter:
    """The same for whoever runs or replays cases: what is out of place is told to the case, and stops nobody."""
    codec = converter.payload_codec
    if not isinstance(codec, EncryptionCodec):
        return converter
    return CaseDataConverter(
        payload_converter_class=JudgingPayloadConverter,
        payload_codec=codec.judging(),
        failure_converter_class=converter.failure_converter_class,
    )


def _bound(key_id: str, place: PayloadPlace | None) -> bytes:
    if place is None:
        return b"jiceng payload 1\x00" + ENCODING + b"\x00" + key_id.encode()
    workflow = place.workflow.encode()
    return b"\x00".join(
        (b"jiceng payload 2", ENCODING, key_id.encode(), b"%d" % len(workflow), workflow, place.activity.encode())
    )


def _pack(plain: bytes) -> bytes:
    if len(plain) >= COMPRESS_FROM_BYTES:
        packed = zlib.compress(plain, ZLIB_LEVEL)
        if len(packed) < len(plain):
            return ZLIB + packed
    return PLAIN + plain


def _unpack(packed: bytes) -> bytes:
    return zlib.decompress(packed[1:]) if packed[:1] == ZLIB else packed[1:]
