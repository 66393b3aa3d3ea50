"""The payload codec: what goes into Temporal is closed, and nothing but the right key opens it."""

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio import activity, workflow
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.client import Client, Interceptor, OutboundInterceptor, StartWorkflowInput, WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from engine.codec import (
    EncryptionCodec,
    PayloadDamaged,
    PayloadFault,
    PayloadKeyUnknown,
    PayloadNotEncrypted,
    data_converter,
)
from engine.keys import KeyRing, Keys
from schemas.actor import Actor, Role

CANARY = "金丝雀小区3号楼王五"
PAYLOADS = st.builds(
    Payload,
    metadata=st.dictionaries(st.text(max_size=12), st.binary(max_size=20), max_size=4),
    data=st.one_of(st.binary(max_size=400), st.text(max_size=60).map(lambda text: text.encode() * 40)),
)


@pytest.fixture(scope="module")
def codec(keys: Keys) -> EncryptionCodec:
    return EncryptionCodec(keys.payload)


@given(payloads=st.lists(PAYLOADS, max_size=3))
async def test_what_was_encoded_decodes_to_itself(codec: EncryptionCodec, payloads: list[Payload]) -> None:
    """Any payload, metadata included, comes back as it was, and its data does not stand in what was stored."""
    stored = await codec.encode(payloads)

    assert await codec.decode(stored) == payloads
    assert all(
        payload.data not in closed.data
        for payload, closed in zip(payloads, stored, strict=True)
        if len(payload.data) > 8
    )


@given(payload=PAYLOADS, where=st.integers(min_value=0), bit=st.integers(min_value=0, max_value=7))
async def test_one_changed_bit_is_noticed(codec: EncryptionCodec, payload: Payload, where: int, bit: int) -> None:
    """A payload with any bit of its data flipped is refused as damaged, never read as something else."""
    (closed,) = await codec.encode([payload])
    data = bytearray(closed.data)
    data[where % len(data)] ^= 1 << bit
    closed.data = bytes(data)

    with pytest.raises(PayloadDamaged):
        await codec.decode([closed])


@given(payload=PAYLOADS, keep=st.integers(min_value=0))
async def test_a_truncated_payload_is_noticed(codec: EncryptionCodec, payload: Payload, keep: int) -> None:
    """A payload cut short anywhere, even to nothing, is refused as damaged."""
    (closed,) = await codec.encode([payload])
    closed.data = closed.data[: keep % len(closed.data)]

    with pytest.raises(PayloadDamaged):
        await codec.decode([closed])


@given(metadata=st.dictionaries(st.text(max_size=20), st.binary(max_size=30), max_size=3), data=st.binary(max_size=99))
async def test_garbage_is_refused_by_name(
    codec: EncryptionCodec, keys: Keys, metadata: dict[str, bytes], data: bytes
) -> None:
    """Whatever stands in Temporal, decoding ends in a named fault: never a crash, never a made-up value."""
    ours = {"encoding": b"binary/encrypted", "encryption-key-id": keys.payload.active_id.encode()}
    for garbage in (Payload(metadata=metadata, data=data), Payload(metadata=ours | metadata, data=data)):
        with pytest.raises(PayloadFault):
            await codec.decode([garbage])


async def test_a_plain_payload_is_refused(codec: EncryptionCodec) -> None:
    """A payload that was not written with the town's key is not believed, and the fault does not quote it."""
    plain = Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(CANARY, ensure_ascii=False).encode())

    with pytest.raises(PayloadNotEncrypted, match="codec-endpoint") as refusal:
        await codec.decode([plain])
    assert CANARY not in str(refusal.value)


async def test_the_key_id_is_bound(keys: Keys) -> None:
    """A payload does not open under another key id, even where both ids stand for the same key."""
    twin = KeyRing("payload-one", {"payload-one": keys.payload.active, "payload-two": keys.payload.active})
    codec = EncryptionCodec(twin)
    (closed,) = await codec.encode([Payload(data=b"one")])
    closed.metadata["encryption-key-id"] = b"payload-two"

    with pytest.raises(PayloadDamaged):
        await codec.decode([closed])


async def test_an_older_key_still_opens(keys: Keys) -> None:
    """After a change of the active key, old payloads open and new ones use the new key; without it, its id is named."""
    (old,) = await EncryptionCodec(keys.payload).encode([Payload(data=b"old")])
    ring = KeyRing("payload-new", {"payload-new": os.urandom(32), keys.payload.active_id: keys.payload.active})
    codec = EncryptionCodec(ring)
    (new,) = await codec.encode([Payload(data=b"new")])

    assert [payload.data for payload in await codec.decode([old, new])] == [b"old", b"new"]
    with pytest.raises(PayloadKeyUnknown, match="payload-new"):
        await EncryptionCodec(keys.payload).decode([new])


async def test_the_same_payload_is_never_stored_alike(codec: EncryptionCodec) -> None:
    """Two equal payloads look different when stored, so that nobody can tell which cases say the same."""
    closed = await codec.encode([Payload(data=b"same"), Payload(data=b"same")])

    assert closed[0].data != closed[1].data
    assert closed[0].data[:12] != closed[1].data[:12]


async def test_repetitive_payloads_are_stored_smaller(codec: EncryptionCodec) -> None:
    """What compresses is compressed before it is closed; what does not, grows by the seal and little more."""
    repetitive, random = Payload(data=b"clock " * 500), Payload(data=os.urandom(3000))
    small, large = await codec.encode([repetitive, random])

    assert len(small.data) < 200
    assert len(large.data) < len(random.data) + 40


async def test_failures_are_closed_with_message_and_stack(keys: Keys) -> None:
    """A failure written to Temporal shows neither its message nor its stack, and comes back with its details."""
    converter = data_converter(keys)
    failure = Failure()
    await converter.encode_failure(ApplicationError(CANARY, {"said": CANARY}, type="Refusal"), failure)

    assert CANARY.encode() not in failure.SerializeToString()
    assert failure.message == "Encoded failure"
    error = await converter.decode_failure(failure)
    assert isinstance(error, ApplicationError)
    assert (error.message, error.type, error.details) == (CANARY, "Refusal", ({"said": CANARY},))


async def test_models_travel_closed(keys: Keys) -> None:
    """A pydantic model goes through the converter and comes back equal, and is not legible on the way."""
    actor = Actor(subject=CANARY, role=Role.RESIDENT)
    stored = await data_converter(keys).encode([actor])

    assert CANARY.encode() not in stored[0].SerializeToString()
    assert await data_converter(keys).decode(stored, [Actor]) == [actor]


@activity.defn
async def complain(text: str) -> str:
    """Fails with what it was told, the way a careless client of a department might."""
    raise ApplicationError(text, {"said": text}, non_retryable=True)


@workflow.defn(sandboxed=False)  # the sandbox would import pytest for nothing; what is looked at is what goes out
class Canary:
    """A case that carries one text by every way there is into Temporal."""

    def __init__(self) -> None:
        self._told: str | None = None

    @workflow.run
    async def run(self, text: str) -> str:
        """Say the text everywhere; the result is the text, and what the failure said."""
        workflow.set_current_details(text)
        await workflow.wait_condition(lambda: self._told is not None, timeout_summary=text, timeout=60)
        await workflow.sleep(0.001, summary=text)
        try:
            await workflow.execute_activity(
                complain, text, start_to_close_timeout=timedelta(seconds=10), summary=text, activity_id="complain"
            )
        except Exception as failure:  # noqa: BLE001 - its cause is what the test is about
            return f"{text} {failure.__cause__}"
        return text

    @workflow.update
    def tell(self, text: str) -> str:
        """Take a text and give it back."""
        self._told = text
        return text


class HeaderSender(Interceptor):
    """Puts a text into a header of each start, as a tracing library would."""

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002 - the SDK's name
        """Stand before the client's own calls."""
        return HeaderOutbound(next)


class HeaderOutbound(OutboundInterceptor):
    """The outgoing half of HeaderSender."""

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:  # noqa: A002
        """Start with one more header."""
        header = Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(CANARY, ensure_ascii=False).encode())
        input.headers = {**input.headers, "who": header}
        return await super().start_workflow(input)


async def test_nothing_that_a_case_says_is_plain_in_temporal(temporal: Client, tmp_path: Path) -> None:
    """Inputs, results, updates, failures, headers, memo, summaries and details stand closed in a real history."""
    config = temporal.config()
    config["interceptors"] = [HeaderSender()]
    client = Client(**config)
    async with Worker(client, task_queue="canary", workflows=[Canary], activities=[complain]):
        handle = await client.start_workflow(
            Canary.run,
            CANARY,
            id=f"canary-{tmp_path.name}",
            task_queue="canary",
            memo={"note": CANARY},
            static_summary=CANARY,
            static_details=CANARY,
        )
        assert await handle.execute_update(Canary.tell, CANARY) == CANARY
        assert await handle.result() == f"{CANARY} {CANARY}"
    history = await handle.fetch_history()
    description = (await handle.describe()).raw_description
    start = history.events[0].workflow_execution_started_event_attributes
    stored = b"".join(event.SerializeToString() for event in history.events) + description.SerializeToString()

    assert start.header.fields["who"].metadata["encoding"] == b"binary/encrypted"
    assert len(stored) > 2000
    assert CANARY.encode() not in stored
    assert json.dumps(CANARY)[1:-1].encode() not in stored
