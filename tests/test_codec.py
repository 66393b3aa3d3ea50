"""The payload codec and the key files: what goes into Temporal is closed, and nothing but the right key opens it."""

import json
import os
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
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
from engine.key_files import KeyFault, KeyFileBroken, KeyFileExposed, KeyMissing
from engine.keys import KeyRing, Keys, ensure_keys
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
        payload.data not in closed.SerializeToString()
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


def test_keys_are_made_once(tmp_path: Path) -> None:
    """Asking for the keys again gives the same ones, in files that only their owner can read."""
    folder = tmp_path / "keys"
    first, second = ensure_keys(folder), ensure_keys(folder)

    assert second.payload.active == first.payload.active
    assert second.callback_secret("urban-management") == first.callback_secret("urban-management")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}


def test_processes_that_start_at_once_get_the_same_keys(tmp_path: Path) -> None:
    """Eight that found a town at the same moment all hold the keys that lie in the folder afterwards."""
    folder, found = tmp_path / "keys", list[Keys]()
    threads = [threading.Thread(target=lambda: found.append(ensure_keys(folder))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    kept = Keys.load(folder)
    assert len(found) == 8
    assert {keys.payload.active for keys in found} == {kept.payload.active}
    assert {keys.stamp_ring.active for keys in found} == {kept.stamp_ring.active}
    assert not [file.name for file in folder.iterdir() if file.name.startswith(".") and file.name != ".lock"]


@pytest.mark.parametrize("name", ["payload.json", "tokens.json", "stamp-ring.json", ""])
def test_keys_open_to_others_are_refused(tmp_path: Path, name: str) -> None:
    """A key file, or the folder, that others may read is refused, with the command that mends it."""
    folder = tmp_path / "keys"
    ensure_keys(folder)
    (folder / name).chmod(0o750 if name == "" else 0o640)

    with pytest.raises(KeyFileExposed, match=r"chmod [67]00"):
        Keys.load(folder)
    with pytest.raises(KeyFileExposed):
        ensure_keys(folder)


def test_a_missing_key_file_is_named(tmp_path: Path) -> None:
    """Loading says which file is missing; a process without the private files starts, and cannot sign."""
    folder = tmp_path / "keys"
    ensure_keys(folder)
    for name in ("stamps.json", "tokens.json"):
        (folder / name).unlink()
    with pytest.raises(KeyMissing, match=r"stamps\.json"):
        Keys.load(folder).stamp_key()

    (folder / "vault.json").unlink()
    with pytest.raises(KeyMissing, match=r"vault\.json"):
        Keys.load(folder)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SECRETSECRET",
        "[]",
        '{"active": "a", "keys": {}}',
        '{"active": "a", "keys": {"a": "SECRETSECRET"}}',
        '{"active": "a", "keys": {"a": 7}}',
        '{"active": "a", "keys": ["SECRETSECRET"]}',
    ],
)
def test_a_broken_key_file_is_refused_without_quoting_it(tmp_path: Path, text: str) -> None:
    """A key file that makes no sense is named as such, and nothing of its content is shown."""
    folder = tmp_path / "keys"
    ensure_keys(folder)
    (folder / "payload.json").write_text(text)

    with pytest.raises(KeyFileBroken, match=r"payload\.json") as refusal:
        Keys.load(folder)
    assert "SECRET" not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_a_stamp_ring_without_the_active_key_is_refused(tmp_path: Path) -> None:
    """Signing with a key that nobody could verify is refused at the start, not noticed at an audit."""
    folder, other = tmp_path / "keys", tmp_path / "other"
    ensure_keys(folder)
    ensure_keys(other)
    (folder / "stamp-ring.json").write_bytes((other / "stamp-ring.json").read_bytes())

    with pytest.raises(KeyFileBroken, match=r"stamp-ring\.json"):
        Keys.load(folder)


def test_keys_do_not_print_themselves(keys: Keys) -> None:
    """No key material shows in how keys, rings or codecs print."""
    printed = (
        f"{keys!r} {keys} {keys.payload!r} {keys.vault} {EncryptionCodec(keys.payload)!r} {data_converter(keys)!r}"
    )
    secrets = [keys.payload.active, keys.vault.active, keys.blind_index.active, *keys.callback_secret("justice")]

    assert keys.payload.active_id in printed
    assert not [secret for secret in secrets if secret.hex() in printed or repr(secret)[2:12] in printed]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(one=st.from_regex(r"[a-z]{1,9}", fullmatch=True), other=st.from_regex(r"[a-z]{1,9}", fullmatch=True))
def test_departments_have_secrets_of_their_own(keys: Keys, one: str, other: str) -> None:
    """A department's callback secret is stable and differs from every other's."""
    assert (keys.callback_secret(one) == keys.callback_secret(other)) == (one == other)


def test_two_callback_secrets_are_valid_while_one_is_changed(tmp_path: Path) -> None:
    """A file of its own stands before the derived secret, the active secret comes first, and three are refused."""
    folder = tmp_path / "keys"
    ensure_keys(folder)
    (folder / "callbacks").mkdir(mode=0o700)
    ring = {"active": "new", "keys": {"old": "A" * 43, "new": "Q" * 42 + "A"}}
    file = folder / "callbacks" / "justice.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps(ring))

    new, old = Keys.load(folder).callback_secret("justice")
    assert (old, new[0]) == (bytes(32), 0x41)
    file.write_text(json.dumps(ring | {"keys": ring["keys"] | {"third": "A" * 43}}))  # type: ignore[operator]
    with pytest.raises(KeyFileBroken, match="two"):
        Keys.load(folder)


@pytest.mark.parametrize("department", ["", "../payload", "a/b", "Justice", "司法所", "a\n"])
def test_a_callback_secret_needs_a_department_code(keys: Keys, department: str) -> None:
    """What is no department's code gets no secret."""
    with pytest.raises(KeyFault, match="code"):
        keys.callback_secret(department)
