"""Nobody acts past the API: an update that reaches Temporal without the API's stamp on this very command is refused.

Nor does a doer do what was not asked here: an activity whose input was written for another place is not carried out, and an
answer names its question.

The guard stands in the worker, before the validator of the case. It is not asked at replay, so the ring of stamp keys may
change; a case never reads a key. Starts are judged where their first entry is written (activities/ledger.py).
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import asyncpg
import structlog
from pydantic import BaseModel
from temporalio import activity, workflow
from temporalio.exceptions import ApplicationError
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    HandleSignalInput,
    HandleUpdateInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

from engine.keys.stamps import KnownKeys, verify
from engine.store.database import NOT_DONE
from engine.store.refusals import KEEP, out_of_place, unstamped
from schemas.contracts.question import Answer, Question
from schemas.kernel.out_of_place import TELLS_REFUSED, found_out_of_place
from schemas.values.actor import Stamp
from schemas.values.canonical import digest
from schemas.values.refusals import Refusal, RefusalCode, say

log = structlog.get_logger()

FOUND_AT_MOST = 1000

OnForged = Callable[[str, str], None]
"""`on_forged(case_id, command)`: for the metrics and the record of refusals; must not block."""


class Forgeries:
    """Keeps attempts past the API in `refusals`, beside the cases: a validator must not wait for a database."""

    def __init__(self, pool: asyncpg.Pool, count: Callable[[], None]) -> None:
        """`count` is called for each of them, from whatever thread."""
        self._pool = pool
        self._count = count
        self._loop = asyncio.get_running_loop()
        self._found: asyncio.Queue[tuple[str | None, ...]] = asyncio.Queue(FOUND_AT_MOST)

    def __call__(self, case_id: str, command: str) -> None:
        """Note a command, from whatever thread; a flood of them is counted and no longer kept."""
        self._take(unstamped(case_id, command))

    def foreign(self, case_id: str, what: str) -> None:
        """Note something that was written for another place, likewise."""
        self._take(out_of_place(case_id, what))

    def _take(self, row: tuple[str | None, ...]) -> None:
        self._count()
        self._loop.call_soon_threadsafe(self._note, row)

    def _note(self, row: tuple[str | None, ...]) -> None:
        if not self._found.full():
            self._found.put_nowait(row)

    async def run(self) -> None:
        """Write them down as they come, until cancelled."""
        while True:
            row = await self._found.get()
            try:
                await self._pool.execute(KEEP, *row)
            except NOT_DONE as error:
                log.warning("forgery_not_kept", case_id=row[0], command=row[1], error=type(error).__name__)


def forgery(stamp: Stamp, ring: KnownKeys, *, case_id: str, command: str, body: BaseModel) -> str | None:
    """Why a command is not the one that the API stamped; None when it is. Words of ours, nothing of the command's."""
    if not verify(stamp, ring):
        return "no key of this town signed the stamp"
    if stamp.case_id != case_id:
        return "the stamp is of another case"
    if stamp.command != command:
        return "the stamp is of another command"
    if stamp.digest != digest(body):
        return "the stamp is of another body"
    return None


class StampGuard(Interceptor):
    """Put before every case and every doer of a worker."""

    def __init__(self, ring: KnownKeys, on_forged: OnForged, on_foreign: OnForged) -> None:
        """`on_foreign` is told of what was written for another place, as `on_forged` of commands."""
        self._ring = ring
        self._on_forged = on_forged
        self._on_foreign = on_foreign

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - Temporal's
        """The guard of the doers."""
        return _DoerGuard(next, self._on_foreign)

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002 - Temporal's name
    ) -> type[WorkflowInboundInterceptor]:
        """The guard of one case, with the keys of this worker."""
        input.unsafe_extern_functions[TELLS_REFUSED] = self._on_foreign
        ring, on_forged = self._ring, self._on_forged

        class Guard(WorkflowInboundInterceptor):
            def handle_update_validator(self, input: HandleUpdateInput) -> None:  # noqa: A002 - Temporal's name
                _refuse_forged(input.update, input.args, ring, on_forged)
                super().handle_update_validator(input)

        return Guard


class SignalGuard(Interceptor):
    """Put before every case of a worker, and of a replayer: a signal that has not one content is not heard.

    Whoever reaches Temporal without a key can send one with none or with many; a handler would fail the case's task for ever.
    What one content is, the codec and the kernel judge.
    """

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002 - Temporal's name
    ) -> type[WorkflowInboundInterceptor]:
        """The guard of one case."""
        del input

        class Guard(WorkflowInboundInterceptor):
            async def handle_signal(self, input: HandleSignalInput) -> None:  # noqa: A002 - Temporal's name
                if len(input.args) == 1:
                    await super().handle_signal(input)
                    return
                tells = workflow.extern_functions().get(TELLS_REFUSED)
                if tells is not None and not workflow.unsafe.is_replaying():
                    tells(workflow.info().workflow_id, input.signal)

        return Guard


class _DoerGuard(ActivityInboundInterceptor):
    def __init__(self, following: ActivityInboundInterceptor, on_foreign: OnForged) -> None:
        super().__init__(following)
        self._on_foreign = on_foreign

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - Temporal's name
        for given in input.args:
            if (found := found_out_of_place(given)) is not None:
                info = activity.info()
                case_id = found.of or info.workflow_id or ""
                log.warning("asked_out_of_place", case_id=case_id, activity=info.activity_type, fault=found.fault)
                self._on_foreign(case_id, info.activity_type)
                raise ApplicationError("it was not asked here", type="OutOfPlace", non_retryable=True)
        answer = await super().execute_activity(input)
        asked = input.args[0] if input.args else None
        return answer.to(asked) if isinstance(answer, Answer) and isinstance(asked, Question) else answer


def _refuse_forged(command: str, given: Iterable[Any], ring: KnownKeys, on_forged: OnForged) -> None:
    case_id = workflow.info().workflow_id
    body, stamp, *_ = [*given, None, None]
    why = (
        forgery(stamp, ring, case_id=case_id, command=command, body=body)
        if isinstance(body, BaseModel) and isinstance(stamp, Stamp)
        else "it has no stamp"
    )
    if why is None:
        return
    log.warning("command_not_stamped", case_id=case_id, command=command, reason=why)
    on_forged(case_id, command)
    refusal = Refusal(
        code=RefusalCode.NOT_STAMPED,
        detail=say("此操作未经本系统受理", f"this did not come through the API: {why}"),
        command=command,
    )
    raise ApplicationError(refusal.detail, refusal.model_dump(mode="json"), type="Refusal", non_retryable=True)
