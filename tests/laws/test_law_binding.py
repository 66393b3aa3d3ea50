"""A ciphertext is good in one place: whatever somebody at Temporal's port copies to another one is refused, told and named."""

import asyncio
import importlib
import pkgutil
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.converter import ActivitySerializationContext
from temporalio.service import RPCError
from temporalio.worker import Worker

import schemas
from activities.ledger import Ledger
from audit.archive.archiver import Archiver
from audit.replay.replay import replay_cases
from audit.verify.verify import verify_archive
from engine.execution.codec import EncryptionCodec, data_converter, judging
from engine.execution.stamp_guard import Forgeries, StampGuard
from engine.execution.temporal import IDENTITY, workflow_runner
from engine.keys.key_files import hold_folder, read_ring, replace_file, ring_text
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from engine.store.archive import ArchiveStore
from schemas.contracts.department import Gateway, OrderReceipt
from schemas.incident import INCIDENT
from schemas.kernel.case import Message
from schemas.kernel.procedure import Procedure
from schemas.kernel.setting_aside import SetAside
from schemas.recovery import RECOVERY
from schemas.summons_state import Stage as SummonsStage
from schemas.welfare import WELFARE
from schemas.whistle import WHISTLE
from schemas.whistle_call import summons_id
from schemas.whistle_messages import Subject, SummonsReport
from tests.api_driver import ApiDriver, OpenDoor, Walk, examples
from tests.every_procedure import PROCEDURE_LIST, some_procedures
from tests.old_payloads import closed_before
from tests.sampling import chosen
from tests.stranger import Copied, Stranger, one_of_each
from tests.waiting import eventually
from worker import beside
from workflows.recovery import TOLD
from workflows.registry import PROCEDURES

pytestmark = [pytest.mark.usefixtures("worker"), pytest.mark.timeout(400)]

SHORT = 60
"""So many events, and a case goes on in its next run."""

QUIET_SECONDS = 1.0
"""A case that was told nothing new for so long, and has no work under way, tells nothing more by itself."""

OPENED = [procedure for procedure in PROCEDURE_LIST if procedure.parent is None]
ASK_OUTSIDE = (INCIDENT, WELFARE, RECOVERY)
"""Whose cases, or whose parents', ask a department, a source and the bank."""

SOURCES = [*ASK_OUTSIDE, *chosen([each for each in PROCEDURE_LIST if each not in ASK_OUTSIDE], 2, "copied cases")]
"""Of whose cases something is copied at every commit: what it is bound to is the same for all; in `make test-all` of all."""

WHOLE = pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.long)], ids=["of some", "of all"])
SUBJECTS = sorted({
    TOLD, *(str(subject) for each in pkgutil.walk_packages(schemas.__path__, "schemas.")
            for subject in getattr(importlib.import_module(each.name), "Subject", ())),
})  # fmt: skip
"""What cases tell each other, all of it: also what procedures to come will tell, in their `Subject`."""

Genuine = Callable[[Procedure], Awaitable["Source"]]
REFUSED = "select count(*) from refusals where case_id = $1 and code = 'out-of-place'"


@dataclass
class Source:
    """A case that went its way, and everything that its history holds."""

    case_id: str
    copies: list[Copied]


@dataclass
class CaseSnapshot:
    """All that the town has of a case."""

    entries: list[str]
    row: tuple[Any, ...]

    @classmethod
    async def of(cls, pool: asyncpg.Pool, case_id: str) -> "CaseSnapshot":
        """As it is now."""
        entries = [
            row["hash"]
            for row in await pool.fetch("select hash from ledger where case_id = $1 order by seq, hash", case_id)
        ]
        row = await pool.fetchrow(
            "select stage, holder, ended, seq, head_hash, snapshot from cases where case_id = $1", case_id
        )
        return cls(entries, () if row is None else tuple(row))


async def at_rest(pool: asyncpg.Pool, case_id: str) -> CaseSnapshot:
    """A case when it does nothing more by itself: for a while nothing was written, and no work is under way."""
    seen: list[tuple[CaseSnapshot, float]] = []

    async def rests() -> bool:
        snapshot, now = await CaseSnapshot.of(pool, case_id), time.monotonic()
        if not seen or seen[-1][0] != snapshot:
            seen.append((snapshot, now))
        row = snapshot.row
        under_way = [each for each in row[5]["errands"] if not each.startswith("tell/")] if row else ["start"]
        return not under_way and now - seen[-1][1] > QUIET_SECONDS

    await eventually(rests)
    return seen[-1][0]


def new_number(procedure: Procedure) -> str:
    """A number that no case has."""
    return f"{procedure.name}-20990101-{uuid.uuid4().int % 10**6:06d}"


def reported(procedure: Procedure) -> list[Walk]:
    """Walks of cases that start in another way than usual; they ask other doers. Not those that wait for weeks of the town."""
    return [walk for walk in examples(procedure).WALKS if walk.report is not None and not walk.waits][:2]


@pytest.fixture(scope="module")
async def stranger(settings: Settings) -> Stranger:
    """Somebody with Temporal's address and no key."""
    return Stranger(await Client.connect(settings.temporal_address, namespace=settings.temporal_namespace))


@pytest.fixture(scope="module")
def genuine(door: OpenDoor, stranger: Stranger) -> Genuine:
    """For each procedure a case that went its main way in short runs, read by the stranger once."""
    known: dict[str, Source] = {}

    async def source(procedure: Procedure) -> Source:
        if procedure.name not in known:
            town: ApiDriver = await door(procedure, history_limit=SHORT)
            case_id = await town.walk(town.examples.MAIN)
            copies = await stranger.read(case_id)
            if (parent := case_id.partition(".")[0]) != case_id:
                copies += await stranger.read(parent)
            # Cases that start in another way ask other doers.
            for walk in reported(procedure):
                copies += await stranger.read(await town.walk(walk))
            known[procedure.name] = Source(case_id, copies)
        return known[procedure.name]

    return source


async def copied_from(genuine: Genuine, *, whole: bool) -> list[Copied]:
    """All that the histories of such cases hold."""
    return [one for each in (PROCEDURE_LIST if whole else SOURCES) for one in (await genuine(each)).copies]


async def named(client: Client, keys: Keys, settings: Settings, pool: asyncpg.Pool, case_id: str) -> tuple[str, str]:
    """What verification and replay say of a case."""
    verified = [each async for each in verify_archive(pool, keys, ArchiveStore(None), [case_id], client)]
    replayed = [each async for each in replay_cases(client, keys, settings, pool, [case_id])]
    return "; ".join(each.detail for each in verified), "; ".join(each.detail for each in replayed)


@some_procedures("copies that start")
async def test_no_copy_starts_a_case(
    procedure: Procedure,
    genuine: Genuine,
    stranger: Stranger,
    settings: Settings,
    keys: Keys,
    temporal: Client,
    pool: asyncpg.Pool,
) -> None:
    """Nothing that a case was started with, told, asked or answered starts a workflow under another number."""
    source = await genuine(procedure)
    before = await at_rest(pool, source.case_id)
    refused = await pool.fetchval(REFUSED, source.case_id)
    copied = [(new_number(procedure), each) for each in one_of_each(source.copies)]
    for workflow_id, each in copied:
        run = await stranger.start(procedure.name, workflow_id, settings.task_queue, each.payloads[:1])
        await stranger.becomes(workflow_id, run, WorkflowExecutionStatus.FAILED)

    assert {each.kind for _, each in copied} >= {"start", "command", "receipt"}
    assert await CaseSnapshot.of(pool, source.case_id) == before
    ids = [workflow_id for workflow_id, _ in copied]
    assert await pool.fetchval("select count(*) from ledger where case_id = any($1)", ids) == 0
    assert await pool.fetchval("select count(*) from cases where case_id = any($1)", ids) == 0

    async def told() -> bool:
        return bool(await pool.fetchval(REFUSED, source.case_id) > refused)

    await eventually(told)
    verified, replayed = await named(temporal, keys, settings, pool, ids[0])
    assert "start-copied" in verified
    assert "start-copied" in replayed


@some_procedures("copies that begin once more")
async def test_a_case_is_not_begun_once_more(
    procedure: Procedure,
    door: OpenDoor,
    stranger: Stranger,
    settings: Settings,
    keys: Keys,
    temporal: Client,
    pool: asyncpg.Pool,
) -> None:
    """A case whose workflow is gone is not begun anew under its own number, by its own start or that of a later run."""
    town: ApiDriver = await door(procedure, history_limit=SHORT)
    case_id = await town.walk(town.examples.MAIN)
    copied = await stranger.read(case_id)
    await at_rest(pool, case_id)
    with suppress(RPCError):  # it may have ended
        await stranger.client.get_workflow_handle(case_id).terminate("by a stranger")
    before = await CaseSnapshot.of(pool, case_id)
    starts = [each for each in copied if each.kind in {"start", "next run"}]
    for each in starts:
        run = await stranger.start(procedure.name, case_id, settings.task_queue, each.payloads)
        await stranger.becomes(case_id, run, WorkflowExecutionStatus.FAILED)

    assert await CaseSnapshot.of(pool, case_id) == before
    assert await pool.fetchval(REFUSED, case_id) >= len(starts)
    verified, replayed = await named(temporal, keys, settings, pool, case_id)
    assert "foreign-run" in verified
    assert "foreign-run" in replayed

    # Nor does the archiver take the end of a copy for that of the case.
    archiver = Archiver(temporal, pool, keys, ArchiveStore(None))
    await archiver.archive_case(case_id)
    await archiver.one_pass(full=True)
    ends = await pool.fetchval("select count(*) from ledger where case_id = $1 and kind = 'case:terminated'", case_id)
    assert ends <= 1
    after = (await CaseSnapshot.of(pool, case_id)).entries
    assert after[: len(before.entries)] == before.entries != []
    assert await pool.fetchval("select ended from cases where case_id = $1", case_id)

    # Nor the reset of a copy for one of the case.
    await stranger.becomes(case_id, await stranger.reset(case_id, run), WorkflowExecutionStatus.FAILED)
    await archiver.archive_case(case_id)
    await archiver.one_pass(full=True)
    assert (await CaseSnapshot.of(pool, case_id)).entries == after


@WHOLE
@some_procedures("copies that are heard")
async def test_no_copy_is_heard(
    procedure: Procedure,
    whole: bool,  # noqa: FBT001 - of whose cases
    door: OpenDoor,
    genuine: Genuine,
    stranger: Stranger,
    settings: Settings,
    keys: Keys,
    temporal: Client,
    pool: asyncpg.Pool,
) -> None:
    """Nothing that was told, asked or answered elsewhere is heard as a message, nor what is plain; and the case goes on."""
    town: ApiDriver = await door(procedure)
    case_id = await town.start()
    await town.stands(case_id)
    before = await at_rest(pool, case_id)
    sent = [each.payloads[:1] for each in one_of_each(await copied_from(genuine, whole=whole))]
    sent.append((Payload(metadata={"encoding": b"json/plain"}, data=b'{"message_id": "1"}'),))
    for payloads in sent:
        await stranger.signal(case_id, payloads)

    async def told() -> bool:
        return bool(await pool.fetchval(REFUSED, case_id) >= len(sent))

    await eventually(told)
    assert await at_rest(pool, case_id) == before
    verified, replayed = await named(temporal, keys, settings, pool, case_id)
    assert "signal-copied" in verified
    assert "signal-copied" in replayed
    first = town.examples.MAIN.steps[0]
    answer = await town.taken(case_id, first)
    assert answer.status_code == 200, answer.text


@some_procedures("messages of strangers")
async def test_only_who_has_to_do_with_a_case_is_heard(
    procedure: Procedure, door: OpenDoor, temporal: Client, pool: asyncpg.Pool
) -> None:
    """A message that was written with the key, and is for another case or of one that this one does not know, is not heard.

    Nor that a command of another case was set aside.
    """
    town: ApiDriver = await door(procedure)
    case_id, other = await town.start(), await town.start()
    for each in (case_id, other):
        await town.stands(each)
    before = await at_rest(pool, case_id)
    messages = [
        Message(
            message_id=f"{other}/{subject}", sender=f"welfare-20990101-000001.{subject}", to=case_id, subject=subject
        )
        for subject in SUBJECTS
    ]
    messages.append(Message(message_id="1", sender=str(before.row[5].get("parent") or other), to=other, subject="told"))
    messages.append(Message(message_id="2", sender=str(before.row[5].get("parent") or other), subject="told"))
    handle = temporal.get_workflow_handle(case_id)
    await handle.signal("set_aside", SetAside(case_id=other, number="1", command="sign", failure="RuntimeError"))
    for message in messages:
        await handle.signal("message", message)

    async def told() -> bool:
        return bool(await pool.fetchval(REFUSED, case_id) >= len(messages))

    await eventually(told)
    assert await at_rest(pool, case_id) == before


def test_what_cases_tell_each_other_is_known() -> None:
    """The law above tries what is told today, of every procedure that tells something."""
    assert {"merge_offered", "merge_answered", "followed", "follower_left", "summons_reported", "whistle_blown"} < set(
        SUBJECTS
    )
    assert {"recovery_told", "incident_answered", "whistle_scored", "following"} < set(SUBJECTS)


async def test_a_summons_tells_of_its_own_department_alone(
    door: OpenDoor, temporal: Client, pool: asyncpg.Pool
) -> None:
    """A summons that its whistle knows, and that speaks for another department than its own, is not heard."""
    town: ApiDriver = await door(WHISTLE)
    case_id = await town.start()
    await town.stands(case_id)
    before = await at_rest(pool, case_id)
    one, other = (each["department"] for each in before.row[5]["summoned"])
    message = Message(
        message_id="1", sender=summons_id(case_id, one), to=case_id, subject=Subject.SUMMONS_REPORTED,
        facts=SummonsReport(department=other, stage=SummonsStage.DONE, heard=99).model_dump(mode="json"),
    )  # fmt: skip
    await temporal.get_workflow_handle(case_id).signal("message", message)

    async def told() -> bool:
        return bool(await pool.fetchval(REFUSED, case_id))

    await eventually(told)
    assert await at_rest(pool, case_id) == before


@pytest.fixture(scope="module")
async def unanswered(settings: Settings, keys: Keys, temporal: Client, pool: asyncpg.Pool) -> AsyncIterator[str]:
    """A queue whose worker runs cases and does none of what they ask for; its name."""
    queue = "unanswered"
    forgeries = Forgeries(pool, lambda: None)
    config = temporal.config()
    config["data_converter"] = judging(data_converter(keys))
    client = Client(**config)
    worker = Worker(
        client,
        task_queue=queue,
        workflows=PROCEDURES,
        activities=[Ledger(pool, keys.stamp_ring).flush],
        interceptors=[StampGuard(keys.stamp_ring, forgeries, forgeries.foreign)],
        workflow_runner=workflow_runner(sandbox=False),
        identity=IDENTITY,
        no_remote_activities=True,
    )
    async with beside(forgeries.run()), worker:
        yield queue


ASKING = [each for each in PROCEDURE_LIST if getattr(examples(each), "ASKS_OUTSIDE", True)]
"""Those whose cases ask a system outside before a window of days has passed."""


@WHOLE
@some_procedures("copies that answer", ASKING)
async def test_no_copy_is_an_answer(
    procedure: Procedure,
    whole: bool,  # noqa: FBT001 - of whose cases
    door: OpenDoor,
    genuine: Genuine,
    stranger: Stranger,
    unanswered: str,
    settings: Settings,
    keys: Keys,
    temporal: Client,
    pool: asyncpg.Pool,
) -> None:
    """What an activity answered in another case is no answer here, whichever activity is asked: it counts as none."""
    copies = await copied_from(genuine, whole=whole)
    answers = {each.name: each for each in copies if each.kind == "answer"}
    assert {"place_order", "ask_source", "pay"} <= set(answers)
    told: list[tuple[str, str]] = []
    town: ApiDriver = await door(procedure, task_queue=unanswered)
    async with beside(stranger.answer(unanswered, answers, told)):
        for walk in (examples(procedure).MAIN, *reported(procedure)):
            with suppress(AssertionError, TimeoutError):  # without a right answer a case may not come that far
                async with asyncio.timeout(10):
                    case_id = await town.start(body=walk.report, key=uuid.uuid4().hex)
                    for step in walk.steps:
                        if told or (await town.taken(case_id, step)).status_code != 200:
                            break
            if told:
                break

        async def answered() -> bool:
            return bool(told)

        await eventually(answered)
    cases = {case for case, _ in told}
    for case_id in cases:
        wanted = sum(case == case_id for case, _ in told)

        async def kept(case_id: str = case_id, wanted: int = wanted) -> bool:
            return bool(await pool.fetchval(REFUSED, case_id) >= wanted)

        await eventually(kept)
        verified, replayed = await named(temporal, keys, settings, pool, case_id)
        assert verified.count("answer-copied") + verified.count("more") >= 1
        assert "answer-copied" in replayed


async def test_the_answer_to_another_question_is_none(
    door: OpenDoor, stranger: Stranger, unanswered: str, keys: Keys, pool: asyncpg.Pool
) -> None:
    """An answer that was written for this case and this activity, and names another question or none, counts as none."""
    town: ApiDriver = await door(PROCEDURE_LIST[0], task_queue=unanswered)
    for question in ("incident-20990101-000001.order-1", None):
        told: list[tuple[str, str]] = []
        case_id = await town.start()
        receipt = OrderReceipt(
            order_id="x", department="urban-management", gateway=Gateway.HTTP, accepted=True, receipt="copied-1",
            question=question,
        )  # fmt: skip
        context = ActivitySerializationContext("default", None, "place_order", unanswered, case_id, "incident", False)
        payloads = await data_converter(keys).with_context(context).encode([receipt])
        async with beside(stranger.answer(unanswered, {"place_order": Copied("", "", tuple(payloads))}, told)):

            async def kept(case_id: str = case_id) -> bool:
                return bool(await pool.fetchval(REFUSED, case_id))

            await eventually(kept)
        await at_rest(pool, case_id)
        bodies = await pool.fetch("select body from ledger where case_id = $1", case_id)
        assert not any("copied-1" in row["body"] for row in bodies)


@WHOLE
async def test_no_copy_is_a_question(
    whole: bool,  # noqa: FBT001 - of whose cases
    genuine: Genuine,
    stranger: Stranger,
    settings: Settings,
    pool: asyncpg.Pool,
) -> None:
    """What a case asked an activity is not carried out for another workflow: no order, no check, no payment."""
    questions = one_of_each([each for each in await copied_from(genuine, whole=whole) if each.kind == "question"])
    before = await pool.fetchval("select count(*) from refusals where code = 'out-of-place'")
    for each in questions:
        failure = await stranger.ask(settings.task_queue, each.name, each.payloads)
        assert (failure.application_failure_info.type, failure.application_failure_info.non_retryable) == (
            "OutOfPlace",
            True,
        )

    async def told() -> bool:
        now = await pool.fetchval("select count(*) from refusals where code = 'out-of-place'")
        return bool(now >= before + len(questions))

    assert {each.name for each in questions} >= {"place_order", "ask_source", "pay"}
    await eventually(told)


@pytest.fixture(scope="module")
def key_from_before(settings: Settings) -> tuple[str, bytes]:
    """A payload key of the time when payloads named no place; it is not the one for new things."""
    key_id, key = "payload-00000001", b"before" + b"0" * 26
    file = settings.key_folder / "payload.json"
    with hold_folder(settings.key_folder):
        active, known = read_ring(file)
        replace_file(file, ring_text(active, {**known, key_id: key}))
    return key_id, key


@some_procedures("starts from before")
async def test_a_start_from_before_is_good_once(
    procedure: Procedure,
    genuine: Genuine,
    key_from_before: tuple[str, bytes],
    stranger: Stranger,
    settings: Settings,
    keys: Keys,
    pool: asyncpg.Pool,
) -> None:
    """A start that names no place starts nothing but its case: the ledger takes a case from the workflow of its number alone."""
    source = await genuine(procedure)
    start = next(each for each in source.copies if each.kind == "start")
    before, refused = await at_rest(pool, source.case_id), await pool.fetchval(REFUSED, source.case_id)
    [opened] = await EncryptionCodec(keys.payload).decode(start.payloads)
    workflow_id = new_number(procedure)
    run = await stranger.start(
        procedure.name, workflow_id, settings.task_queue, [closed_before(opened, *key_from_before)]
    )
    await stranger.becomes(workflow_id, run, WorkflowExecutionStatus.FAILED)

    assert await CaseSnapshot.of(pool, source.case_id) == before
    assert await pool.fetchval(REFUSED, source.case_id) > refused
    assert await pool.fetchval("select count(*) from ledger where case_id = $1", workflow_id) == 0


@some_procedures("starts from before that nobody has run", OPENED)
async def test_a_start_from_before_that_nobody_has_run_yet_begins_no_other_workflow(
    procedure: Procedure,
    door: OpenDoor,
    key_from_before: tuple[str, bytes],
    stranger: Stranger,
    settings: Settings,
    keys: Keys,
    pool: asyncpg.Pool,
) -> None:
    """While no row of a case says whose it is, a copy of its start under another number writes none: the ledger asks for it."""
    town: ApiDriver = await door(procedure, task_queue="nobody-works-here", patience=0.1)
    case_id = await town.start()

    async def waits() -> bool:
        with suppress(RPCError):  # it is on its way
            return bool(await stranger.read(case_id))
        return False

    await eventually(waits)
    (start,) = [each for each in await stranger.read(case_id) if each.kind == "start"]
    [opened] = await EncryptionCodec(keys.payload).decode(start.payloads)
    workflow_id = new_number(procedure)
    copied = [closed_before(opened, *key_from_before)]
    run = await stranger.start(procedure.name, workflow_id, settings.task_queue, copied)
    await stranger.becomes(workflow_id, run, WorkflowExecutionStatus.FAILED)

    assert await pool.fetchval(REFUSED, case_id) == 1
    assert await pool.fetchval("select count(*) from cases where case_id = any($1)", [case_id, workflow_id]) == 0
    assert await pool.fetchval("select count(*) from ledger where case_id = any($1)", [case_id, workflow_id]) == 0


@some_procedures("rows from before")
async def test_a_row_from_before_takes_its_own_run_alone(
    procedure: Procedure, door: OpenDoor, stranger: Stranger, settings: Settings, pool: asyncpg.Pool
) -> None:
    """A row that knows no first run takes that of the case with its next flush, in a later run too, and never another."""
    town: ApiDriver = await door(procedure, history_limit=SHORT)
    case_id = await town.start()
    await town.stands(case_id)
    await at_rest(pool, case_id)
    first = await pool.fetchval("select first_run_id from cases where case_id = $1", case_id)
    await pool.execute("update cases set first_run_id = null where case_id = $1", case_id)
    await town.go(case_id, town.examples.MAIN.steps)
    assert await pool.fetchval("select first_run_id from cases where case_id = $1", case_id) == first
    start = next(each for each in await stranger.read(case_id) if each.kind == "start")

    await at_rest(pool, case_id)
    with suppress(RPCError):  # it may have ended
        await stranger.client.get_workflow_handle(case_id).terminate("by a stranger")
    await pool.execute("update cases set first_run_id = null where case_id = $1", case_id)
    before = await CaseSnapshot.of(pool, case_id)
    run = await stranger.start(procedure.name, case_id, settings.task_queue, start.payloads)
    await stranger.becomes(case_id, run, WorkflowExecutionStatus.FAILED)
    assert await CaseSnapshot.of(pool, case_id) == before
