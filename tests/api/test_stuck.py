"""Cases that do not get on are found, by what is the matter with them; a try at once is possible."""

import asyncio
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from temporalio.api.common.v1 import Payload, WorkflowExecution
from temporalio.api.enums.v1 import ResetReapplyExcludeType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client

from activities.ledger import NOTED_FROM
from engine.execution.codec import ENCODING, KEY_ID
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from schemas.incident import INCIDENT
from starter.intake.stuck import UNTAKEN, StuckAfter, StuckCase, retry_now, stuck_cases
from tests.api_callers import As
from tests.api_driver import OpenDoor, Step
from tests.refused_flush import refuse_flushes, take_flushes
from tests.stranger import Stranger
from tests.waiting import eventually
from worker import town_worker

pytest_plugins = ("tests.api_fixture",)
AT_ONCE = StuckAfter(
    task_attempts=1, activity_attempts=1, undelivered=timedelta(0), untaken=timedelta(0), under_way=timedelta(0)
)
PAST = "insert into flush_retries values ($1, 9, now() - interval '1 day', now() - interval '2 minutes')"


async def found(pool: asyncpg.Pool, temporal: Client, case_id: str) -> list[StuckCase]:
    return [each for each in await stuck_cases(pool, temporal, AT_ONCE) if each.case_id == case_id]


async def test_a_case_whose_worker_is_away_is_stuck(
    door: OpenDoor, pool: asyncpg.Pool, temporal: Client, settings: Settings
) -> None:
    """A report that nobody takes up stands in the list, with the time since when, and leaves it when it is taken up."""
    alone = settings.model_copy(update={"task_queue": "stuck-without-worker"})
    town = await door(INCIDENT, task_queue=alone.task_queue)
    case_id = await town.start()
    stuck: list[StuckCase] = []

    async def listed() -> bool:
        stuck[:] = await found(pool, temporal, case_id)
        return bool(stuck)

    await eventually(listed)

    assert [each.waits_for for each in stuck] == ["worker"]
    assert stuck[0].since is not None


async def test_a_case_whose_department_does_not_answer_is_stuck_and_can_be_tried_at_once(
    door: OpenDoor, pool: asyncpg.Pool, temporal: Client, settings: Settings, keys: Keys
) -> None:
    """An order that no department takes is named with its department, tries and next try; `retry_now` tries it now."""
    nobody = settings.model_copy(
        update={"task_queue": "stuck-department", "departments_url": "http://127.0.0.1:9", "api_url": "http://town"}
    )
    town = await door(INCIDENT, task_queue=nobody.task_queue)
    async with town_worker(nobody, keys, temporal, pool) as worker, worker:
        case_id = await town.start()

        tries: list[StuckCase] = []

        async def tried_often() -> bool:  # so often that the tries which count anew take seconds to become as many
            tries[:] = [each for each in await found(pool, temporal, case_id) if each.attempts > 3]
            return bool(tries)

        await eventually(tried_often)
        [stuck] = tries
        tried = await retry_now(temporal, case_id)
        described = await temporal.get_workflow_handle(case_id).describe()

    assert stuck.why == "place_order gets no answer"
    assert (stuck.stage, stuck.waits_for) == ("dispatched", "urban-management")
    assert tried == 1
    assert described.raw_description.pending_activities[0].attempt <= stuck.attempts


@pytest.mark.usefixtures("worker")
async def test_a_case_whose_ledger_takes_nothing_more_is_stuck(
    door: OpenDoor, pool: asyncpg.Pool, temporal: Client
) -> None:
    """Temporal shows nothing of it: the tries themselves say so, those of now and no earlier ones. Mended, it goes on by itself."""
    town = await door(INCIDENT)
    case_id = await town.start()
    await pool.execute(PAST, case_id)
    before = await found(pool, temporal, case_id)
    await refuse_flushes(pool, case_id)
    given = asyncio.create_task(town.give(case_id, Step("sign", "officer")))
    stuck: list[StuckCase] = []

    async def listed() -> bool:
        stuck[:] = [each for each in await found(pool, temporal, case_id) if each.why == UNTAKEN]
        return bool(stuck)

    await eventually(listed)
    within_patience = await stuck_cases(pool, temporal, replace(AT_ONCE, untaken=timedelta(minutes=2)))
    await take_flushes(pool, case_id)
    answer = await given

    async def goes_on() -> bool:
        return bool(await pool.fetchval("select stage = 'handling' from cases where case_id = $1", case_id))

    await eventually(goes_on)

    assert answer.is_success
    assert UNTAKEN not in [each.why for each in before]
    assert UNTAKEN not in [each.why for each in within_patience if each.case_id == case_id]
    assert [(each.waits_for, each.stage) for each in stuck] == [("engineer", "dispatched")]
    assert stuck[0].attempts >= NOTED_FROM
    assert stuck[0].since is not None
    assert stuck[0].since > datetime.now(UTC) - timedelta(hours=1)


@pytest.mark.usefixtures("worker")
async def test_only_who_runs_the_whole_town_sees_the_list(as_: As) -> None:
    """A supervisor and an administrator read it; a resident, a coordinator and a supervisor of one area do not."""
    path = "/api/v1/operations/stuck"
    allowed = [await as_(role).get(path) for role in ("supervisor", "admin")]
    others = [as_("resident"), as_("coordinator"), as_("supervisor", area="320104.003")]
    refused = [await other.get(path) for other in others]

    assert [(answer.status_code, answer.json()["complete"]) for answer in allowed] == [(200, True)] * 2
    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(403, "not-your-role")] * 3


async def test_a_signal_that_no_key_opens_is_named_and_where_to_reset_to(
    door: OpenDoor, pool: asyncpg.Pool, temporal: Client, settings: Settings, keys: Keys
) -> None:
    """Who closes a signal with a key id of his own making stops a case until somebody acts: the list says which signal, and how."""
    alone = settings.model_copy(update={"task_queue": "stuck-signal"})
    town = await door(INCIDENT, task_queue=alone.task_queue)
    async with town_worker(alone, keys, temporal, pool) as worker, worker:
        case_id = await town.start()
        await town.stands(case_id)
        made_up = {"encoding": ENCODING, KEY_ID: b"payload-2-00000000", "bound-to-workflow": case_id.encode()}
        stranger = Stranger(temporal)
        await stranger.signal(case_id, [Payload(metadata=made_up, data=b"x" * 40)])
        named: list[str] = []

        async def is_named() -> bool:
            named[:] = [each.why for each in await found(pool, temporal, case_id) if "signal" in each.why]
            return bool(named)

        await eventually(is_named)
        shown = re.search(
            r"signal message \(event (\d+)\).* payload-2-00000000: .* event (\d+), without signals", named[0]
        )
        assert shown is not None, named
        await temporal.workflow_service.reset_workflow_execution(
            ResetWorkflowExecutionRequest(
                namespace=temporal.namespace,
                workflow_execution=WorkflowExecution(workflow_id=case_id),
                reason="made up",
                workflow_task_finish_event_id=int(shown[2]),
                reset_reapply_exclude_types=[ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL],
                request_id=case_id,
            )
        )
        answer = await town.taken(case_id, Step("sign", "officer"))
    assert answer.status_code == 200, answer.text
