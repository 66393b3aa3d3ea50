"""A recorded run as plain values: every event, every payload opened, each with the hash of what Temporal holds.

Bytes that are JSON become values, what nobody can open stays closed and says so. It is what the ledger is compared with
and what goes into a bundle, where no key and no library of Temporal's is at hand.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.converter import PayloadCodec

from audit.archive.manifest import payloads
from engine.execution.codec import ENCODING, KEY_ID, MODEL, PayloadFault, place_of


async def decoded_events(events: Sequence[HistoryEvent], codec: PayloadCodec) -> list[dict[str, Any]]:
    """Every event: id, type, time, the hash of its bytes, and what it says."""
    return [await _event(event, codec) for event in events]


async def _event(event: HistoryEvent, codec: PayloadCodec) -> dict[str, Any]:
    raw = event.SerializeToString(deterministic=True)
    opened = {
        payload.SerializeToString(deterministic=True): await _opened(payload, codec) for payload in payloads(event)
    }
    attributes = event.WhichOneof("attributes")
    said: dict[str, Any] = {
        "id": event.event_id,
        "type": EventType.Name(event.event_type).removeprefix("EVENT_TYPE_"),
        "time": event.event_time.ToJsonString(),
        "raw_sha256": sha256(raw).hexdigest(),
        "attributes": _plain(getattr(event, attributes), opened) if attributes else {},
    }
    if event.HasField("user_metadata"):
        said["user_metadata"] = _plain(event.user_metadata, opened)
    return said


async def _opened(payload: Payload, codec: PayloadCodec) -> dict[str, Any]:
    said: dict[str, Any] = {"payload_sha256": sha256(payload.SerializeToString(deterministic=True)).hexdigest()}
    if payload.metadata.get("encoding") == ENCODING:
        said["key"] = payload.metadata.get(KEY_ID, b"").decode(errors="replace")
        if (place := place_of(payload)) is not None:
            said["bound_to"] = place._asdict()
        try:
            (payload,) = await codec.decode([payload])
        except PayloadFault as fault:
            return said | {"closed": type(fault).__name__}
        if MODEL in payload.metadata:
            said["model"] = payload.metadata[MODEL].decode(errors="replace")
    if payload.metadata.get("encoding") == b"binary/null":
        return said | {"value": None}
    try:
        return said | {"value": json.loads(payload.data)}
    except ValueError:
        return said | {"base64": base64.b64encode(payload.data).decode()}


def _plain(message: Message, opened: Mapping[bytes, dict[str, Any]]) -> Any:
    """A message as plain values, with its payloads as they were opened."""
    if isinstance(message, Payload):
        return opened[message.SerializeToString(deterministic=True)]
    if isinstance(message, Timestamp | Duration):
        return message.ToJsonString()
    return {field.name: _field(field, value, opened) for field, value in message.ListFields()}


def _field(field: FieldDescriptor, value: Any, opened: Mapping[bytes, dict[str, Any]]) -> Any:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        of = field.message_type.fields_by_name["value"]
        return {str(name): _value(of, value[name], opened) for name in sorted(value)}
    if field.is_repeated:
        return [_value(field, each, opened) for each in value]
    return _value(field, value, opened)


def _value(field: FieldDescriptor, value: Any, opened: Mapping[bytes, dict[str, Any]]) -> Any:
    if field.message_type is not None:
        return _plain(value, opened)
    if field.enum_type is not None:
        named = field.enum_type.values_by_number.get(value)
        return named.name if named else value
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value
