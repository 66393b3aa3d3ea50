"""A case is the run that the town started: what else stands under its number, or goes on with its state, is not the case."""

import asyncio
import itertools
import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.common.v1 import Payload, RetryPolicy, WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.converter import WorkflowSerializationContext
from temporalio.service import RPCError

from audit.replay.replay import replay_cases
from audit.verify.verify import verify_archive, verify_cases
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from engine.store.archive import ArchiveStore
from schemas.incident import INCIDENT
from schemas.kernel.procedure import Procedure
from starter.intake.stuck import StuckAfter, stuck_cases
from tests.api_callers import OpenOwnTown, OwnTown, api_of, callers
from tests.api_driver import ApiDriver, Audited, OpenDoor, Step, examples
from tests.at_once import at_once
from tests.every_procedure import PROCEDURE_LIST, some_procedures
from tests.sampling import sampled
from tests.stranger import Stranger, complete, go_on
from tests.waiting import eventually
from worker import town_worker

pytest_plugins = ("tests.api_fixture",)
pytestmark = [pytest.mark.usefixtures("worker"), pytest.mark.timeout(400)]

SHORT = 20
"""So many events, and a case goes on in its next run."""

TAKEN = "select count(*) from refusals where case_id = $1 and command = 'number-taken' and code = 'out-of-place'"
PLAIN = Payload(metadata={"encoding": b"json/plain"}, data=b'{"seq": 0}')
EVERY_SECOND = "@every 1s"

Takes = Callable[[Stranger, str, str, str], Awaitable[str]]
"""`takes(stranger, procedure, number, queue of the town)`: leaves a run under a number; its id."""


async def another_workflow(stranger: Stranger, procedure: str, number: str, queue: str) -> str:
    """Runs for ever on a queue of nobody's."""
    return await stranger.start("anything", number, f"nobody-{queue}", [])


async def the_same_type_elsewhere(stranger: Stranger, procedure: str, number: str, queue: str) -> str:
    """Looks like the case in every list."""
    return await stranger.start(procedure, number, f"nobody-{queue}", [PLAIN])


async def made_up_start(stranger: Stranger, procedure: str, number: str, queue: str) -> str:
    """Is taken by a worker of the town, and fails."""
    return await stranger.start(procedure, number, queue, [PLAIN])


async def with_the_start_of_another_case(stranger: Stranger, procedure: str, number: str, queue: str) -> str:
    """Is begun as the town begins a case, with a genuine start that is not its own."""
    before = await stranger.read(number_after(number, -1))
    return await stranger.start(
        procedure, number, queue, next(each for each in before if each.kind == "start").payloads
    )


async def no_start_at_all(stranger: Stranger, procedure: str, number: str, queue: str) -> str:
    """Says nothing that a case could begin with; no worker looks at it, for its task would fail for ever."""
    return await stranger.start(procedure, number, f"nobody-{queue}", [])


async def delayed(stranger: Stranger, procedure: str, number: str, queue: str) -> str:
    """Begins in a year."""
    return await stranger.start(procedure, number, queue, [PLAIN], workflow_start_delay=Duration(seconds=31_536_000))


async def again_and_again(stranger: Stranger, procedure: str, number: str, queue: str) -> str:
    """Begins anew each second."""
    return await stranger.start(procedure, number, queue, [PLAIN], cron_schedule=EVERY_SECOND)


async def completed(stranger: Stranger, procedure: str, number: str, queue: str) -> str:
    """Has ended well, with a worker of the stranger's own."""
    run = await stranger.start(procedure, number, f"own-{number}", [PLAIN])
    await stranger.do(f"own-{number}", number, complete())
    await stranger.becomes(number, run, WorkflowExecutionStatus.COMPLETED)
    return run


async def terminated(stranger: Stranger, procedure: str, number: str, queue: str) -> str:
    """Was ended by who started it."""
    run = await stranger.start(procedure, number, f"nobody-{queue}", [PLAIN])
    await stranger.ended(number)
    return run


async def in_its_second_run(stranger: Stranger, procedure: str, number: str, queue: str) -> str:
    """Has gone on to a run that looks as those of the town do."""
    run = await stranger.start("anything", number, f"own-{number}", [])
    await stranger.do(f"own-{number}", number, go_on(procedure, queue, [PLAIN]))
    return run


WAYS: Sequence[Takes] = (
    another_workflow, the_same_type_elsewhere, made_up_start, with_the_start_of_another_case, no_start_at_all, delayed,
    again_and_again, completed, terminated, in_its_second_run,
)  # fmt: skip


@pytest.fixture(scope="module")
async def stranger(settings: Settings) -> Stranger:
    """Somebody with Temporal's address and no key."""
    return Stranger(await Client.connect(settings.temporal_address, namespace=settings.temporal_namespace))


def number_after(case_id: str, by: int = 1) -> str:
    """The number that the next case of this kind will have: whoever knows one case knows it."""
    head, dot, child = case_id.partition(".")
    stem, _, number = head.rpartition("-")
    return f"{stem}-{int(number) + by:06d}{dot}{child}"


async def is_the_case(town: ApiDriver, pool: asyncpg.Pool, stranger: Stranger, case_id: str, taken: str) -> None:
    """A case stands whose workflow is not the one that took its number, and the taking is on record."""

    async def stands() -> bool:
        return bool(await pool.fetchval("select seq from cases where case_id = $1", case_id))

    await eventually(stands)
    first = await pool.fetchval("select first_run_id from cases where case_id = $1", case_id)
    assert first != taken
    described = await stranger.client.get_workflow_handle(case_id, run_id=taken).describe()
    assert described.status != WorkflowExecutionStatus.RUNNING
    assert await pool.fetchval(TAKEN, case_id) >= 1


CHILDREN = [procedure for procedure in PROCEDURE_LIST if procedure.parent is not None]
OTHERS = [procedure for procedure in PROCEDURE_LIST if procedure is not INCIDENT and procedure not in CHILDREN]
TAKEN_WAYS = [
    *((INCIDENT, takes) for takes in WAYS),
    *sampled(itertools.product(CHILDREN, WAYS), 6, "numbers of children that are taken"),
    *sampled(((procedure, another_workflow) for procedure in OTHERS), 1, "numbers that are taken"),
]
"""Of which procedure, and how. How a report reaches Temporal is the same for all: one procedure tries every way."""


@pytest.mark.parametrize("taken", TAKEN_WAYS, ids=lambda taken: f"{taken[0].name}-{taken[1].__name__}")
async def test_a_number_that_was_taken_is_taken_back(
    taken: tuple[Procedure, Takes],
    door: OpenDoor,
    stranger: Stranger,
    settings: Settings,
    pool: asyncpg.Pool,
    audited: Audited,
) -> None:
    """Whatever stands under the number of a case that is still to come, reported by people or begun by a case: the case stands."""
    procedure, takes = taken
    town: ApiDriver = await door(procedure)
    expected = number_after(await town.start())
    run = await takes(stranger, procedure.name, expected, settings.task_queue)
    assert await town.start() == expected
    await is_the_case(town, pool, stranger, expected, run)
    await town.go(expected, town.examples.MAIN.steps[:1])
    assert [each.detail for each in await audited(expected) if not each.ok and each.check != "replay"] == []


async def test_a_number_that_is_taken_again_and_again_is_the_case_s_in_the_end(
    door: OpenDoor, stranger: Stranger, pool: asyncpg.Pool
) -> None:
    """Who takes a number each time that it is taken back delays a case, and no report counts as delivered meanwhile."""
    town: ApiDriver = await door(INCIDENT, patience=0.1)
    expected = number_after(await town.start())
    taken: list[str] = []

    async def retake() -> None:
        while True:
            with suppress(RPCError):
                taken.append(await another_workflow(stranger, INCIDENT.name, expected, "again"))
            await asyncio.sleep(0)

    taking = asyncio.create_task(retake())
    await eventually(lambda: bool(taken))
    assert await town.start() == expected

    async def fought() -> bool:
        again = await pool.fetchval(TAKEN, expected) >= 2
        return bool(again or await stands())  # whoever is slow to take it again has lost it

    async def stands() -> bool:
        return bool(await pool.fetchval("select seq from cases where case_id = $1", expected))

    await eventually(fought)
    status = await pool.fetchval("select status from intake where case_id = $1 and kind = 'start'", expected)
    taking.cancel()
    # Nobody else can begin under it while ours runs, which may have told nothing yet.
    assert status == "waiting" or await run_of(stranger.client, expected) not in taken
    await eventually(stands, within=90)
    assert await pool.fetchval("select first_run_id from cases where case_id = $1", expected) not in taken


# ---- between delivery and ledger ------------------------------------------------------------------------------------


async def reported(own_town: OwnTown, http: Any, keys: Keys) -> tuple[str, str]:
    """A report that was delivered and that no worker has taken up: its number, and its run."""
    answer = await callers(http, keys)().report()
    assert answer.status_code == 202, answer.text
    case_id = str(answer.json()["case_id"])

    async def delivered() -> bool:
        return bool(await own_town.pool.fetchval("select status = 'delivered' from intake where case_id = $1", case_id))

    await eventually(delivered)
    return case_id, case_id


async def run_of(temporal: Client, case_id: str) -> str:
    """The latest run under a number."""
    return str((await temporal.get_workflow_handle(case_id).describe()).run_id)


async def test_a_start_that_is_delivered_twice_is_begun_once(own_town: OwnTown, keys: Keys, temporal: Client) -> None:
    """After a crash between the start and the word that it was made the run of before counts: nothing is ended, nothing told."""
    async with api_of(own_town.build()) as http:
        case_id, _ = await reported(own_town, http, keys)
        run = await run_of(temporal, case_id)
        await own_town.pool.execute("update intake set status = 'waiting', settled_at = null, leased_until = null")

        async def settled() -> bool:
            return bool(await own_town.pool.fetchval("select attempts = 2 and status = 'delivered' from intake"))

        await eventually(settled)
    assert await run_of(temporal, case_id) == run
    assert await own_town.pool.fetchval("select count(*) from refusals") == 0


async def test_a_run_that_looks_like_ours_is_none_of_ours(
    own_town: OwnTown, keys: Keys, temporal: Client, stranger: Stranger
) -> None:
    """What begins a run counts, not only how: while no worker looks at it, a made-up start runs like a genuine one."""
    for payload in ("made up", "copied", "of another report"):
        async with api_of(own_town.build()) as http:
            before, _ = await reported(own_town, http, keys)
            expected, queue = number_after(before), own_town.settings.task_queue
            copied = next(each for each in await stranger.read(before) if each.kind == "start")
            payloads = {"made up": (PLAIN,), "copied": copied.payloads}.get(payload) or (
                await with_the_number_of_another(temporal, copied.payloads, before, expected)
            )
            taken = await stranger.start(INCIDENT.name, expected, queue, payloads)
            assert (await reported(own_town, http, keys))[0] == expected
        assert await run_of(temporal, expected) != taken
        assert await own_town.pool.fetchval(TAKEN, expected) == 1


async def with_the_number_of_another(
    temporal: Client, payloads: Sequence[Payload], case_id: str, other: str
) -> Sequence[Payload]:
    """A start as the town's keys would write it under a number that it gave twice: right but for the report that it is of."""
    [state] = await temporal.data_converter.with_context(in_workflow(temporal, case_id)).decode(payloads)
    return await temporal.data_converter.with_context(in_workflow(temporal, other)).encode([state | {"case_id": other}])


def in_workflow(temporal: Client, case_id: str) -> WorkflowSerializationContext:
    """The place of what is written for a workflow."""
    return WorkflowSerializationContext(namespace=temporal.namespace, workflow_id=case_id)


async def ended_before_it_began(stranger: Stranger, case_id: str, queue: str) -> None:
    """Its run is ended before a worker has it."""
    await stranger.ended(case_id)


async def exchanged_before_it_began(stranger: Stranger, case_id: str, queue: str) -> None:
    """Its run is ended, and its number taken."""
    await stranger.ended(case_id)
    await another_workflow(stranger, INCIDENT.name, case_id, queue)


async def led_away(stranger: Stranger, case_id: str, queue: str) -> None:
    """Somebody takes its first task and lets it go on where no worker is, with its own start."""
    start = next(each for each in await stranger.read(case_id) if each.kind == "start")
    await stranger.do(queue, case_id, go_on(INCIDENT.name, f"nobody-{queue}", start.payloads))


async def copied_with_a_cron(stranger: Stranger, case_id: str, queue: str) -> None:
    """Its own start, genuine, and begun anew each second."""
    start = next(each for each in await stranger.read(case_id) if each.kind == "start")
    await stranger.ended(case_id)
    await stranger.start(INCIDENT.name, case_id, queue, start.payloads, cron_schedule=EVERY_SECOND)


async def copied_to_be_tried_again(stranger: Stranger, case_id: str, queue: str) -> None:
    """Its own start, genuine, with a retry policy."""
    start = next(each for each in await stranger.read(case_id) if each.kind == "start")
    await stranger.ended(case_id)
    await stranger.start(INCIDENT.name, case_id, queue, start.payloads, retry_policy=RetryPolicy(maximum_attempts=1000))


@at_once
@pytest.mark.parametrize(
    "lose",
    [ended_before_it_began, exchanged_before_it_began, led_away, copied_with_a_cron, copied_to_be_tried_again],
    ids=lambda lose: lose.__name__,
)
async def test_a_start_that_was_lost_before_the_ledger_heard_of_it_is_made_again(
    lose: Callable[[Stranger, str, str], Awaitable[None]],
    open_own_town: OpenOwnTown,
    keys: Keys,
    temporal: Client,
    stranger: Stranger,
) -> None:
    """What becomes of a delivered start is looked after until its case has told of itself: who was told a number has a case."""
    async with open_own_town() as own_town:
        quick = own_town.settings.model_copy(update={"untaken_seconds": 0.5})
        async with api_of(own_town.build(over=quick)) as http:
            case_id, _ = await reported(own_town, http, keys)
            await lose(stranger, case_id, quick.task_queue)
            lost = await run_of(temporal, case_id)

            async def begun_again() -> bool:
                return await run_of(temporal, case_id) != lost and not (await cron_of(stranger, case_id))

            await eventually(begun_again, within=60)
            async with town_worker(quick, keys, temporal, own_town.pool) as worker, worker:

                async def stands() -> bool:
                    return bool(await own_town.pool.fetchval("select seq from cases where case_id = $1", case_id))

                await eventually(stands, within=60)
                case = await callers(http, keys)().get(f"/api/v1/cases/{case_id}", wait="stage:dispatched")
                assert case.json()["stage"] == "dispatched"


async def cron_of(stranger: Stranger, case_id: str) -> str:
    """The cron by which the latest run under a number was started."""
    events = (await stranger.client.get_workflow_handle(case_id).fetch_history()).events
    return events[0].workflow_execution_started_event_attributes.cron_schedule


async def test_a_copy_with_a_cron_or_a_retry_policy_does_not_live(
    own_town: OwnTown, keys: Keys, temporal: Client, stranger: Stranger
) -> None:
    """A case has neither: a run that has fails at once, though its start is genuine, and the ledger hears nothing of it."""
    for lose in (copied_with_a_cron, copied_to_be_tried_again):
        async with api_of(own_town.build()) as http:
            case_id, _ = await reported(own_town, http, keys)
        await lose(stranger, case_id, own_town.settings.task_queue)
        copy = await run_of(temporal, case_id)
        async with town_worker(own_town.settings, keys, temporal, own_town.pool) as worker, worker:
            await stranger.becomes(case_id, copy, WorkflowExecutionStatus.FAILED)
        assert await own_town.pool.fetchval("select count(*) from ledger where case_id = $1", case_id) == 0
        with suppress(RPCError):
            await stranger.ended(case_id)


# ---- a state of an earlier run --------------------------------------------------------------------------------------


MORE = 12
"""So many comments lead any case into a later run."""


def who_comments(town: ApiDriver) -> Step:
    """A word that somebody may say again and again, for a case whose main way is short."""
    roles = {by.role for rule in town.procedure.rules if rule.command == "comment" for by in rule.by}
    who = sorted(town.examples.PEOPLE.items(), key=lambda each: each[1].area is not None)
    return Step("comment", next(name for name, each in who if each.role in roles), {"text": "补充说明"})


async def in_short_runs(town: ApiDriver, stranger: Stranger) -> tuple[str, list[tuple[Payload, ...]]]:
    """A case that has gone on in later runs and lives; the states with which its runs began, the second first."""
    case_id = await town.start()
    states: list[tuple[Payload, ...]] = []
    more = who_comments(town)
    steps = town.examples.MAIN.steps
    if town.examples.MAIN.stage not in town.procedure.rules.open_stages:
        steps = steps[:-1]
    for step in itertools.chain(steps, itertools.repeat(more, MORE)):
        if step is more and more.command not in await town.legal(case_id, more.by):
            break
        await town.go(case_id, [step])
        states = [each.payloads for each in await stranger.read(case_id) if each.kind == "next run"]
        if len(states) > 1:
            break
    return case_id, states


@some_procedures("states gone on with")
async def test_a_state_is_gone_on_with_in_its_own_workflow_alone(
    procedure: Procedure, door: OpenDoor, stranger: Stranger, settings: Settings, pool: asyncpg.Pool
) -> None:
    """The state of a later run does nothing in a workflow of somebody's own that goes on in it, by its own hand or a cron's."""
    town: ApiDriver = await door(procedure, history_limit=SHORT)
    case_id, states = await in_short_runs(town, stranger)
    with suppress(RPCError):
        await stranger.ended(case_id)
    before = await pool.fetchrow("select seq, head_hash, snapshot from cases where case_id = $1", case_id)

    await stranger.start("anything", case_id, f"own-{case_id}", [])
    await stranger.do(f"own-{case_id}", case_id, go_on(procedure.name, settings.task_queue, states[0]))
    handle = stranger.client.get_workflow_handle(case_id)

    async def failed() -> bool:
        return (await handle.describe()).status == WorkflowExecutionStatus.FAILED

    await eventually(failed)
    kinds = {event.event_type for event in (await handle.fetch_history()).events}
    assert EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED not in kinds
    assert EventType.EVENT_TYPE_MARKER_RECORDED not in kinds

    first = await stranger.start(procedure.name, case_id, settings.task_queue, states[0], cron_schedule=EVERY_SECOND)
    await stranger.becomes(case_id, first, WorkflowExecutionStatus.FAILED)

    async def second_failed() -> bool:
        described = await handle.describe()
        past = stranger.client.get_workflow_handle(case_id, run_id=first)
        following = (
            (await past.fetch_history()).events[-1].workflow_execution_failed_event_attributes.new_execution_run_id
        )
        second = (await stranger.client.get_workflow_handle(case_id, run_id=following).describe()).status
        return described.run_id != first and second == WorkflowExecutionStatus.FAILED

    await eventually(second_failed)
    await stranger.ended(case_id)
    assert await pool.fetchrow("select seq, head_hash, snapshot from cases where case_id = $1", case_id) == before


@some_procedures("cases turned back")
async def test_a_case_is_not_turned_back(
    procedure: Procedure,
    door: OpenDoor,
    stranger: Stranger,
    settings: Settings,
    keys: Keys,
    temporal: Client,
    pool: asyncpg.Pool,
) -> None:
    """With the state of an earlier run for an answer nothing is put aside: the case stands still, is named, and can be reset."""
    queue = f"turned-back-{procedure.name}"
    own = settings.model_copy(update={"task_queue": queue})
    # A case that writes by itself has runs enough before its end; who writes makes no difference to the state of a run.
    town: ApiDriver = await door(
        procedure, task_queue=queue, history_limit=SHORT, patience=2.0, tells_with_answers=False
    )
    async with town_worker(own, keys, temporal, pool) as worker, worker:
        case_id, states = await in_short_runs(town, stranger)
        ways = [town.examples.MAIN, *town.examples.WALKS]
        said = {step.command: step for way in ways for step in way.steps}.values()
        # What names something that only a case further on has, nobody waits for here.
        left = [each for each in said if not callable(each.body or town.examples.BODIES[each.command])]

        async def rests() -> bool:
            # Temporal's word: the row is that of the last entry, and what was asked for may have come back since without one.
            described = (await temporal.get_workflow_handle(case_id).describe()).raw_description
            return not described.pending_activities and not described.HasField("pending_workflow_task")

        await eventually(rests)
    if (await temporal.get_workflow_handle(case_id).describe()).status != WorkflowExecutionStatus.RUNNING:
        pytest.fail("the example's case ends before it has two later runs: it cannot be turned back")
    chain = [row["hash"] for row in await pool.fetch("select hash from chain_of($1)", case_id)]
    good = await run_of(temporal, case_id)
    lost = await lost_tasks(pool, keys, case_id)  # a busy machine may lose one, and tells of it

    await stranger.signal(case_id, [PLAIN])
    await stranger.do(queue, case_id, go_on(procedure.name, queue, states[0]))
    turned = await run_of(temporal, case_id)
    assert turned != good

    refused = "select count(*) from refusals where case_id = $1 and command = 'turned-back'"
    async with town_worker(own, keys, temporal, pool) as worker, worker:

        async def told() -> bool:
            for step in left:
                await town.give(case_id, step)
                if await pool.fetchval(refused, case_id):
                    return True
            return False

        town.api.timeout = 60
        await eventually(told, within=90)
        now = [row["hash"] for row in await pool.fetch("select hash from chain_of($1)", case_id)]
        assert now[: len(chain)] == chain
        verified = [each async for each in verify_archive(pool, keys, ArchiveStore(None), [case_id], temporal)]
        assert "turned-back" in verified[0].detail
        assert await lost_tasks(pool, keys, case_id) == lost

        named = await named_to_reset(pool, temporal, case_id)
        assert named == good
        events = (await temporal.get_workflow_handle(case_id, run_id=named).fetch_history()).events
        tasks = [each.event_id for each in events if each.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED]
        await temporal.workflow_service.reset_workflow_execution(
            ResetWorkflowExecutionRequest(
                namespace=temporal.namespace,
                workflow_execution=WorkflowExecution(workflow_id=case_id, run_id=named),
                reason="turned back",
                workflow_task_finish_event_id=tasks[-1],
                request_id=case_id,
            )
        )

        async def goes_on() -> bool:
            for step in left:  # under one key each: what waits is not told more and more meanwhile
                if (await town.give(case_id, step, key=f"goes-on-{step.command}")).status_code == 202:
                    return False
            return True

        await eventually(goes_on, within=90)
    replayed = [each async for each in replay_cases(temporal, keys, settings, pool, [case_id])]
    assert replayed
    after = [row["hash"] for row in await pool.fetch("select hash from chain_of($1)", case_id)]
    assert after[: len(chain)] == chain


async def lost_tasks(pool: asyncpg.Pool, keys: Keys, case_id: str) -> int:
    """How many batches beside the chain the ledger says to be of tasks that were lost."""
    [ledger] = [each async for each in verify_cases(pool, [case_id], keys.stamp_ring)]
    told = re.search(r"(\d+) from tasks that were lost", ledger.detail)
    return int(told[1]) if told else 0


async def named_to_reset(pool: asyncpg.Pool, temporal: Client, case_id: str) -> str:
    """The run of a case that was turned back which `jiceng stuck` tells people to reset."""
    found: list[str] = []

    async def named() -> bool:
        stuck = await stuck_cases(pool, temporal, StuckAfter(untaken=timedelta(0)))
        whys = [each.why for each in stuck if each.case_id == case_id]
        found.extend(run for why in whys for run in re.findall(r"turned it back .*: reset its run (\S+) ", why))
        return bool(found)

    await eventually(named, within=60)
    return found[0]


def test_every_child_has_an_example() -> None:
    """Procedures whose cases other cases begin are among those whose numbers are taken here."""
    assert {procedure.name for procedure in CHILDREN} >= {"summons", "recovery"}
    assert all(examples(procedure).MAIN.steps for procedure in CHILDREN)
