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
from temporalio.converter import ActivitySerializationContext, SerializationContext, WorkflowSerializationContext
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from engine.execution.codec import (
    EncryptionCodec,
    PayloadDamaged,
    PayloadFault,
    PayloadKeyUnknown,
    PayloadNotEncrypted,
    PayloadOutOfPlace,
    data_converter,
    judging,
)
from engine.keys.key_files import ring_text
from engine.keys.keys import KeyRing, Keys, ensure_keys
from schemas.kernel.case import Accepted, Message
from schemas.kernel.out_of_place import OutOfPlace
from schemas.values.actor import Actor, Role
from tests.old_payloads import closed_before

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


def case(workflow_id: str) -> WorkflowSerializationContext:
    return WorkflowSerializationContext(namespace="default", workflow_id=workflow_id)


def doer(workflow_id: str, activity_type: str) -> ActivitySerializationContext:
    return ActivitySerializationContext(
        namespace="default", activity_id="1", activity_type=activity_type, activity_task_queue="q",
        workflow_id=workflow_id, workflow_type="incident", is_local=False,
    )  # fmt: skip


PLACES = (case("incident-1"), case("incident-2"), case("pay of incident-1"), doer("incident-1", "pay"),
          doer("incident-1", "ask_source"), doer("incident-2", "pay"), doer("incident-1p", "ay"))  # fmt: skip
MESSAGE = Message(message_id="incident-2/letter-1", sender="incident-2", subject="told")


@pytest.mark.parametrize("written", PLACES, ids=str)
async def test_a_payload_opens_in_its_place_alone(written: SerializationContext, keys: Keys) -> None:
    """What was written for one workflow, or one activity of it, is read there, and by whoever knows no place; nowhere else."""
    converter = data_converter(keys)
    stored = await converter.with_context(written).encode([MESSAGE])

    assert await converter.decode(stored, [Message]) == [MESSAGE]
    for place in PLACES:
        if place == written:
            assert await converter.with_context(place).decode(stored, [Message]) == [MESSAGE]
            continue
        with pytest.raises(PayloadOutOfPlace):
            await converter.with_context(place).decode(stored, [Message])
        [given] = await judging(converter).with_context(place).decode(stored, [Message])
        assert isinstance(given, OutOfPlace)


async def test_the_place_cannot_be_exchanged_or_taken_away(keys: Keys) -> None:
    """The place that stands beside a payload is bound to it: another one, or none, opens nothing."""
    codec = EncryptionCodec(keys.payload)
    for metadata in ({"bound-to-workflow": b"incident-2"}, {"bound-to-activity": b"pay"}, {}):
        [closed] = await codec.with_context(case("incident-1")).encode([Payload(data=b"one")])
        if not metadata:
            del closed.metadata["bound-to-workflow"]
        for name, value in metadata.items():
            closed.metadata[name] = value
        with pytest.raises((PayloadDamaged, PayloadOutOfPlace)):
            await codec.decode([closed])


async def test_a_model_is_read_as_itself_alone(keys: Keys) -> None:
    """What was written as a message is not read as an answer, though it stands where answers do."""
    converter = data_converter(keys).with_context(case("incident-1"))
    stored = await converter.encode([MESSAGE])

    with pytest.raises(PayloadOutOfPlace, match="Message"):
        await converter.decode(stored, [Accepted])
    [given] = await judging(data_converter(keys)).with_context(case("incident-1")).decode(stored, [Accepted])
    assert isinstance(given, OutOfPlace)


async def test_what_is_from_before_opens_under_its_own_keys_alone(keys: Keys) -> None:
    """A payload without a place is taken under a key of that time, wherever it stands, and under no key made since."""
    old, new = b"o" * 32, b"n" * 32
    codec = EncryptionCodec(KeyRing("payload-1f7881d8", {"payload-1f7881d8": old, "payload-2-1f7881d8": new}))
    placed = codec.with_context(case("incident-1"))

    [opened] = await placed.decode([closed_before(Payload(data=b"one"), "payload-1f7881d8", old)])
    assert opened.data == b"one"
    with pytest.raises(PayloadOutOfPlace):
        await placed.decode([closed_before(Payload(data=b"one"), "payload-2-1f7881d8", new)])
    [written] = await codec.with_context(case("incident-2")).encode([Payload(data=b"two")])
    with pytest.raises(PayloadOutOfPlace):  # new payloads have a place under an old key too
        await placed.decode([written])


def test_the_first_start_makes_a_key_that_takes_nothing_from_before(tmp_path: Path) -> None:
    """A key folder from before gets a payload key for new things once; the old one stays, and opens what it closed."""
    folder = tmp_path / "keys"
    ensure_keys(folder)
    file = folder / "payload.json"
    file.write_text(ring_text("payload-1f7881d8", {"payload-1f7881d8": b"o" * 32}), encoding="utf-8")
    first, again = ensure_keys(folder), ensure_keys(folder)

    assert first.payload.active_id.startswith("payload-2-")
    assert again.payload.active_id == first.payload.active_id
    assert again.payload.get("payload-1f7881d8") == b"o" * 32


async def test_a_worker_is_not_stopped_by_what_it_refuses_but_by_a_key_that_it_lacks(keys: Keys) -> None:
    """Plain, cut or foreign payloads are given as out of place; one whose key may still come stops the task until it has."""
    converter = judging(data_converter(keys)).with_context(case("incident-1"))
    [cut] = await converter.encode([MESSAGE])
    cut.data = cut.data[:-1]
    plain = Payload(metadata={"encoding": b"json/plain"}, data=b"{}")
    for payload in (
        cut,
        plain,
        Payload(),
        closed_before(Payload(data=b"1"), keys.payload.active_id, keys.payload.active),
    ):
        [given] = await converter.decode([payload], [Message])
        assert isinstance(given, OutOfPlace)
    foreign = closed_before(Payload(data=b"1"), "payload-2-00000000", b"f" * 32)
    with pytest.raises(PayloadKeyUnknown):
        await converter.decode([foreign], [Message])


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
