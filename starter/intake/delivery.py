"""Delivering to Temporal: one attempt, and what it came to. Sending the same again is always safe.

A start is deduplicated by the case id, a command by its update id; after a crash in between the relay sends the very
same payload again. That a run stands under the number of a case is not enough: whoever reaches Temporal can take a number
before its case is there. A start is delivered when the run is ours, or the case stands in our books; what else stands
there is ended, and the case begun in its place, for its number has been told to people.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

import structlog
from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import (
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from engine.execution.case_runs import CaseStart, RunFound, run_under, take_back
from engine.execution.codec import PayloadFault
from schemas.kernel.case import Accepted
from schemas.kernel.procedure import Procedure
from schemas.kernel.setting_aside import SetAside
from schemas.kernel.temporal_display import TASK_TIMEOUT, details_of, first_keywords_of, summary_of
from schemas.kernel.told import WriteAsked
from schemas.values.actor import Stamp
from schemas.values.refusals import Refusal, RefusalCode, say
from starter.http.dependencies import dependency
from starter.intake.postbox import LEASE, Postbox, Submission
from starter.intake.setting_aside import FailureEvidence, evidence_of

log = structlog.get_logger()

ATTEMPT = timedelta(seconds=7)
"""Less than the lease: an attempt that is still under way is nobody else's yet."""
assert ATTEMPT < LEASE  # noqa: S101 - a fault of the program, found at import

ATTEMPT_OF_SUSPECTS = timedelta(seconds=3)
"""Its case's task fails at once, or it does not; what waits behind it waits as long."""

TAKEN_BACK_AT_MOST = 8
"""So often a number is taken back in one attempt: somebody may take it again in between. Then there is another attempt."""

ConnectTemporal = Callable[[], Awaitable[Client]]


class NotDelivered(Exception):
    """Temporal or its workers did not answer. `expected`: they are away, which is nobody's fault here."""

    def __init__(self, reason: str, *, expected: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.expected = expected


@dataclass(frozen=True)
class Delivered:
    """It stands. A command has its answer."""

    accepted: Accepted | None = None


class Delivery:
    """Brings submissions to Temporal. The connection is made when it is first needed, so the API starts without."""

    def __init__(
        self,
        connect: ConnectTemporal,
        task_queue: str,
        procedures: Mapping[str, Procedure],
        postbox: Postbox,
        count_taken: Callable[[], None] = lambda: None,
    ) -> None:
        """`count_taken` is told of each run of somebody else's that stood under the number of a case."""
        self._postbox = postbox
        self._count_taken = count_taken
        self._connect = connect
        self._task_queue = task_queue
        self._procedures = procedures
        self._client: Client | None = None
        self._connecting = asyncio.Lock()

    async def attempt(self, submission: Submission) -> Delivered | Refusal:
        """Try once, for `ATTEMPT` (seven real seconds) at the most.

        Returns:
            Delivered: it stands in Temporal. A Refusal: the case refused the command.

        Raises:
            NotDelivered: try again later.
        """
        limit = ATTEMPT if submission.failing_since is None else ATTEMPT_OF_SUSPECTS
        try:
            async with asyncio.timeout(limit.total_seconds()):
                client = await self.client()
                if submission.kind == "start":
                    return await self._start(client, submission)
                return await self._command(client, submission)
        except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError) as error:
            raise NotDelivered("no answer in time", expected=True) from error
        except RPCError as error:
            raise NotDelivered(f"rpc {error.status.name}", expected=error.status in _AWAY) from error
        except PayloadFault as error:
            # Somebody at Temporal's port answered in the worker's place. Nothing is known of the command but that.
            raise NotDelivered("an answer that nobody of this town wrote", expected=False) from error

    async def stands(self, submission: Submission) -> bool:
        """Whether a start that was delivered still stands: its own run waits to be taken up, or the case has told of itself.

        Raises NotDelivered while Temporal is away.
        """
        try:
            found = await run_under(await self.client(), self._as_started(submission))
        except RPCError as error:
            raise NotDelivered(f"rpc {error.status.name}", expected=error.status in _AWAY) from error
        return _is_begun(found) or await self._postbox.case_stands(submission.case_id)

    async def reachable(self) -> bool:
        """Whether Temporal answers now."""
        try:
            async with asyncio.timeout(2):
                return await (await self.client()).service_client.check_health(retry=True, timeout=timedelta(seconds=2))
        except (NotDelivered, RPCError, TimeoutError):
            return False

    async def client(self) -> Client:
        """The client, connected. Raises NotDelivered while Temporal cannot be reached."""
        async with self._connecting:
            if self._client is None:
                try:
                    self._client = await self._connect()
                except (RuntimeError, OSError) as error:
                    raise NotDelivered("cannot connect", expected=True) from error
            return self._client

    async def evidence(self, submission: Submission, since: datetime) -> FailureEvidence:
        """What the history of a case says against a command that was tried since then; nothing while Temporal is away."""
        try:
            return await evidence_of(await self.client(), submission.case_id, since)
        except (NotDelivered, RPCError, TimeoutError):
            return FailureEvidence()

    async def tell_set_aside(self, submission: Submission, failure: str) -> None:
        """Tell a case that a command of it was laid aside. Raises NotDelivered: its record does not say so then."""
        number = f"set-aside/{submission.submission}/{submission.attempts}"
        told = SetAside(case_id=submission.case_id, number=number, command=submission.command, failure=failure)
        try:
            handle = (await self.client()).get_workflow_handle(submission.case_id)
            await handle.signal("set_aside", told, rpc_timeout=ATTEMPT)
        except RPCError as error:
            raise NotDelivered(f"rpc {error.status.name}", expected=error.status in _AWAY) from error

    async def ask_to_write(self, submission: Submission, seq: int) -> None:
        """Have a case write by itself what its answer told, up to entry `seq`.

        Raises NotDelivered: it was not asked; where it does not run any more, the archiver writes what it told.
        """
        try:
            handle = (await self.client()).get_workflow_handle(submission.case_id)
            await handle.signal("write", WriteAsked(case_id=submission.case_id, seq=seq), rpc_timeout=ATTEMPT)
        except RPCError as error:
            raise NotDelivered(f"rpc {error.status.name}", expected=error.status in _AWAY) from error

    async def _start(self, client: Client, submission: Submission) -> Delivered:
        """Begin a case, unless it is begun. Raises NotDelivered: its number was taken again and again.

        The look at the run comes before the look into the books: a case that has ended meanwhile stands in them.
        """
        if await self._begin(client, submission, WorkflowIDReusePolicy.REJECT_DUPLICATE):
            return Delivered()
        start = self._as_started(submission)
        for _ in range(TAKEN_BACK_AT_MOST):
            found = await run_under(client, start)
            if _is_begun(found) or await self._postbox.case_stands(submission.case_id):
                log.info("case_started_before", case_id=submission.case_id)  # by an attempt whose answer was lost
                return Delivered()
            if found is not None and found.fault is not None:
                await self._tell_taken(submission, found.fault)
            if found is not None:
                await take_back(client, start, found)
            if await self._begin(client, submission, WorkflowIDReusePolicy.ALLOW_DUPLICATE):
                return Delivered()
        raise NotDelivered("its number is taken again and again", expected=False)

    async def _begin(self, client: Client, submission: Submission, reuse: WorkflowIDReusePolicy) -> bool:
        """Start the workflow of a case; False when there is one under its number, running or (by `reuse`) ended."""
        state = self._procedures[submission.procedure].state.model_validate(submission.payload)
        try:
            await client.start_workflow(
                submission.procedure,
                state,
                id=submission.case_id,
                task_queue=self._task_queue,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                id_reuse_policy=reuse,
                task_timeout=TASK_TIMEOUT,
                static_summary=summary_of(self._procedures[submission.procedure].title, state),
                static_details=details_of(state),
                search_attributes=_search_attributes(first_keywords_of(state)),
                rpc_timeout=ATTEMPT,
            )
        except WorkflowAlreadyStartedError:
            return False
        return True

    def _as_started(self, submission: Submission) -> CaseStart:
        opening = Stamp.model_validate(submission.payload["opening"])
        return CaseStart(submission.case_id, submission.procedure, self._task_queue, opening)

    async def _tell_taken(self, submission: Submission, fault: str) -> None:
        log.error("number_taken", case_id=submission.case_id, fault=fault)
        self._count_taken()
        await self._postbox.note_number_taken(submission.case_id)

    async def _command(self, client: Client, submission: Submission) -> Delivered | Refusal:
        model = self._procedures[submission.procedure].commands[submission.command]
        command = model.model_validate(submission.payload["command"])
        stamp = Stamp.model_validate(submission.payload["stamp"])
        try:
            accepted = await client.get_workflow_handle(submission.case_id).execute_update(
                submission.command,
                args=[command, stamp],
                id=stamp.command_id,
                result_type=Accepted,
                rpc_timeout=ATTEMPT,
            )
        except WorkflowUpdateFailedError as error:
            return _refusal(submission, error)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND or not await _is_over(client, submission.case_id):
                raise
            try:
                found = await _answer_before_the_end(client, submission.case_id, stamp.command_id)
            except WorkflowUpdateFailedError as refused:
                return _refusal(submission, refused)
            if found is None:
                return ended(submission.command)
            accepted = found
        asked = (submission.case_id, submission.command, stamp.command_id)
        if (accepted.case_id, accepted.command, accepted.command_id) != asked:
            raise NotDelivered("an answer to another command", expected=False)
        return Delivered(accepted)


DeliveryOf = Annotated[Delivery, dependency(Delivery)]


def _is_begun(found: RunFound | None) -> bool:
    """Whether a run is the case's and goes on. One of ours that ended before the ledger heard of it was ended by somebody."""
    return found is not None and found.fault is None and found.running


async def _answer_before_the_end(client: Client, case_id: str, command_id: str) -> Accepted | None:
    """What an earlier run of a case that is over had answered to a command; None: the case never took it.

    Temporal gives the outcome of what the last run carried out, whether that is closed or not; each run before it has to be
    asked by itself. Raises WorkflowUpdateFailedError: the case had refused it.
    """
    run = client.get_workflow_handle(case_id)
    while run_id := await _continues(run):
        run = client.get_workflow_handle(case_id, run_id=run_id)
        try:
            answer: Accepted = await run.get_update_handle(command_id, result_type=Accepted).result(rpc_timeout=ATTEMPT)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
        else:
            return answer
    return None


async def _continues(run: WorkflowHandle[Any, Any]) -> str:
    """The run that a run continues; empty: it is the first one, or retention has taken it."""
    try:
        started = await anext(run.fetch_history_events(page_size=1))
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return ""
    return started.workflow_execution_started_event_attributes.continued_execution_run_id


async def _is_over(client: Client, case_id: str) -> bool:
    """Whether the workflow of a case has closed for good.

    Temporal says NOT_FOUND in several words: the update came after the end, or just before it and was dropped by the end.
    """
    described = await client.get_workflow_handle(case_id).describe(rpc_timeout=ATTEMPT)
    return described.status not in {WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.CONTINUED_AS_NEW}


_AWAY = {
    # The workflow task that was to take the update failed or was lost, often because something else happened to the
    # case at the same moment. The same update may be sent again at once.
    RPCStatusCode.FAILED_PRECONDITION,
    RPCStatusCode.UNAVAILABLE,
    RPCStatusCode.DEADLINE_EXCEEDED,
    RPCStatusCode.CANCELLED,
    RPCStatusCode.RESOURCE_EXHAUSTED,
    RPCStatusCode.ABORTED,
}


def ended(command: str, stage: str = "") -> Refusal:
    """The case takes no commands any more."""
    return Refusal(
        code=RefusalCode.CASE_ENDED, detail=say("案件已经终结", "the case has ended"), command=command, stage=stage
    )


def _refusal(submission: Submission, failed: WorkflowUpdateFailedError) -> Refusal:
    cause = failed.cause
    if isinstance(cause, ApplicationError) and cause.type == "Refusal":
        return Refusal.model_validate(cause.details[0])
    # Nothing else refuses by design. It is told and not tried again: what the case cannot take, it never will, and
    # whatever waits behind it is not to wait for ever.
    log.error("update_failed", case_id=submission.case_id, command=submission.command, error=_name(cause))
    return Refusal(
        code=RefusalCode.BAD_COMMAND,
        detail=say("案件无法处理此内容", "the case could not take this command"),
        command=submission.command,
    )


def _name(cause: BaseException | None) -> str:
    return (cause.type or "") if isinstance(cause, ApplicationError) else type(cause).__name__


def _search_attributes(keywords: Mapping[str, str]) -> TypedSearchAttributes:
    pairs = [SearchAttributePair(SearchAttributeKey.for_keyword(name), value) for name, value in keywords.items()]
    return TypedSearchAttributes(pairs)
