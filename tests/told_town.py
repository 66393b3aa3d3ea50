"""What becomes of a command between the history and the ledger, for tests of who writes it down (decision 0011)."""

import uuid
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.update.v1 import UpdateRef, WaitPolicy
from temporalio.api.workflowservice.v1 import PollWorkflowExecutionUpdateRequest
from temporalio.client import Client
from temporalio.service import RPCError

from audit.replay.replay import runs_of
from engine.keys.keys import Keys
from engine.keys.stamps import StampSigner
from schemas.audit.ledger import facts_of, row_of, verify_chain
from schemas.incident import INCIDENT
from schemas.kernel.case import Accepted, Entry
from schemas.values.actor import Actor, Role, Stamp, Written
from schemas.values.canonical import digest
from starter.http.database import Connection
from tests.api_driver import ApiDriver
from tests.every_procedure import PROCEDURE_LIST
from tests.waiting import eventually

RESIDENT = Actor(subject="resident-wang", role=Role.RESIDENT)
ACCEPTED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED
COMPLETED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED
MARKER = EventType.EVENT_TYPE_MARKER_RECORDED
SIGNALED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
ASKED = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
CONTINUED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW
FIRED = EventType.EVENT_TYPE_TIMER_FIRED
AS_TOLD_WHOLE = """
    select to_jsonb(jsonb_populate_record(known, $2::text::jsonb - 'clocks' - 'snapshot')) = to_jsonb(known)
    from cases as known where case_id = $1
"""
STATES = {procedure.name: procedure.state for procedure in PROCEDURE_LIST}
_UNDER_WAY = (EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED)
_OVER = (
    EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
)


@dataclass(frozen=True)
class ToldTown:
    """The two places in which a command leaves its trace."""

    temporal: Client
    pool: asyncpg.Pool

    async def events(self, case_id: str) -> list[HistoryEvent]:
        """The history of a case, over all its runs."""
        return [event for run in await runs_of(self.temporal, case_id) for event in run.events]

    async def counts(self, case_id: str) -> Counter[int]:
        """How many events there are of each type."""
        return Counter(event.event_type for event in await self.events(case_id))

    async def rests(self, case_id: str) -> None:
        """Wait until the case has nothing to do by itself, and no workflow task is under way."""

        async def nothing_to_do() -> bool:
            state = await self.pool.fetchval("select snapshot from cases where case_id = $1", case_id)
            if state is None or state["errands"]:
                return False
            tasks = [each.event_type for each in await self.events(case_id) if each.event_type in (*_UNDER_WAY, *_OVER)]
            return tasks[-1] in _OVER

        await eventually(nothing_to_do, within=60)

    async def carried_out(self, case_id: str, commands: int) -> None:
        """Wait until so many commands of a case stand in its history, whether they are written or not."""

        async def stand() -> bool:
            return (await self.counts(case_id))[COMPLETED] == commands

        await eventually(stand, within=60)

    async def waits_at_temporal(self, case_id: str, command_id: str) -> None:
        """Wait until Temporal has a command that no worker has looked at."""
        asked = PollWorkflowExecutionUpdateRequest(
            namespace=self.temporal.namespace,
            update_ref=UpdateRef(workflow_execution=WorkflowExecution(workflow_id=case_id), update_id=command_id),
            wait_policy=WaitPolicy(),
        )

        async def waits() -> bool:
            with suppress(RPCError):  # it is not there yet
                return bool(await self.temporal.workflow_service.poll_workflow_execution_update(asked))
            return False

        await eventually(waits)

    async def answers(self, case_id: str) -> list[Accepted]:
        """What the case answered to its commands, in order, with all that it told."""
        found: list[Accepted] = []
        for run in await runs_of(self.temporal, case_id):
            handle = self.temporal.get_workflow_handle(case_id, run_id=run.run_id)
            for event in run.events:
                if event.event_type == ACCEPTED:
                    command = event.workflow_execution_update_accepted_event_attributes.accepted_request.meta.update_id
                    found.append(await handle.get_update_handle(command, result_type=Accepted).result())
        return found

    async def kinds(self, case_id: str) -> list[str]:
        """The kinds of all that the ledger has of a case, what stands beside the chain included."""
        rows = await self.pool.fetch("select kind from ledger where case_id = $1 order by seq, hash", case_id)
        return [row["kind"] for row in rows]

    async def notices(self, case_id: str, template: str) -> int:
        """How often somebody is told something by a case."""
        sql = "select count(*) from outbox where case_id = $1 and template = $2"
        return int(await self.pool.fetchval(sql, case_id, template))

    async def faults(self, case_id: str) -> list[str]:
        """What does not agree: the chain, the row, the intake, and what the case told with its answers."""
        rows = await self.pool.fetch("select body, hash from ledger where case_id = $1 order by seq, hash", case_id)
        entries = [Entry.model_validate_json(row["body"]).model_copy(update={"hash": row["hash"]}) for row in rows]
        head = verify_chain(entries)  # which says where it is broken; nothing stands beside it
        case = await self.pool.fetchrow("select * from cases where case_id = $1", case_id)
        assert case is not None
        found = await self._row_faults(case_id, case)
        if (case["seq"], case["head_hash"]) != (len(entries), head) or case["snapshot"]["head_hash"] != head:
            found.append(f"the row stands at {case['seq']}, the chain at {len(entries)}")
        waiting = "select count(*) from intake where case_id = $1 and status = 'waiting'"
        if left := await self.pool.fetchval(waiting, case_id):
            found.append(f"{left} submissions still wait")
        hashes = {entry.hash for entry in entries}
        found += [
            f"what was told with {answer.command} is not written"
            for answer in await self.answers(case_id)
            if answer.told is not None and answer.told.head_hash not in hashes
        ]
        return found

    async def _row_faults(self, case_id: str, case: "asyncpg.Record") -> list[str]:
        """Where the row says something else than the state in it, told whole, would say. Clocks may be shown in another order."""
        state = STATES[case["procedure"]].model_validate(case["snapshot"])
        facts = facts_of(state)
        found = (
            []
            if await self.pool.fetchval(AS_TOLD_WHOLE, case_id, row_of(state, facts))
            else ["columns of the row differ"]
        )
        shown = {view["name"]: view for view in case["clocks"]}
        if shown != {view.name: view.model_dump(mode="json") for view in facts["clocks"]}:
            found.append("the clocks are shown otherwise than they stand")
        return found

    @asynccontextmanager
    async def held(self, case_id: str) -> AsyncIterator[Connection]:
        """Nobody but who has this connection writes the row of a case in this block; reading it goes on."""
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute("select from cases where case_id = $1 for update", case_id)
            yield connection


def task_of(event: HistoryEvent) -> int:
    """The workflow task that a marker or a question to a doer came out of."""
    if event.event_type == MARKER:
        return event.marker_recorded_event_attributes.workflow_task_completed_event_id
    return event.activity_task_scheduled_event_attributes.workflow_task_completed_event_id


def since(events: Sequence[HistoryEvent], type_: int, number: int) -> list[HistoryEvent]:
    """The events from the nth of a type on, counted from 1."""
    places = [place for place, event in enumerate(events) if event.event_type == type_]
    return list(events[places[number - 1] :])


async def stands(town: ApiDriver, told: ToldTown) -> str:
    """A new case that has done all that it does by itself."""
    case_id = await town.start()
    await told.rests(case_id)
    return case_id


async def stamped(told: ToldTown, keys: Keys, case_id: str, command: str) -> Stamp:
    """What the API would stamp, with what it says of the ledger."""
    row = await told.pool.fetchrow("select seq, head_hash, row_digest from cases where case_id = $1", case_id)
    assert row is not None
    written = Written(seq=row["seq"], head_hash=row["head_hash"], row=row["row_digest"])
    stamp = Stamp(
        case_id=case_id, command=command, command_id=uuid.uuid4().hex, actor=RESIDENT, at=datetime.now(UTC),
        digest=digest(INCIDENT.commands[command]()),
    )  # fmt: skip
    return StampSigner(keys).sign(stamp, written)


async def send(temporal: Client, case_id: str, name: str, command: object, stamp: Stamp) -> Accepted:
    """Send an update as somebody who can reach Temporal and has the payload keys."""
    answer: Accepted = await temporal.get_workflow_handle(case_id).execute_update(
        name, args=[command, stamp], id=stamp.command_id, result_type=Accepted
    )
    return answer
