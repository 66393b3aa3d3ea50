"""One factory for everything that must agree: client, worker and replayer options.

Replay needs the same converter, codec, runner and failure types as the worker had; whoever builds one of the three
elsewhere builds a history that cannot be read.
"""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from temporalio.client import Client, HeaderCodecBehavior
from temporalio.runtime import Runtime
from temporalio.service import GrpcCompression
from temporalio.worker import (
    Interceptor,
    PollerBehaviorAutoscaling,
    Replayer,
    UnsandboxedWorkflowRunner,
    Worker,
    WorkflowRunner,
)
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from engine.execution.activation_threads import THREADS
from engine.execution.codec import data_converter, judging
from engine.execution.own_build import own_build
from engine.execution.stamp_guard import SignalGuard
from engine.execution.temporal_token import (
    SAID_WHEN_REFUSED,
    NotLetIn,
    TemporalAway,
    ask_whether_let_in,
    authorization,
    not_let_in,
)
from engine.execution.token_follower import follow
from engine.keys.keys import Keys
from engine.runtime.metrics import usual_runtime
from engine.runtime.settings import Settings

# The real identity would be `pid@host`: plain text in every history.
IDENTITY = "jiceng"
WORKER_MARK_BYTES = 4
"""Chance that tells one worker from another, and says nothing else of it."""

# Re-importing our own models for every case would cost more than the case; what passes through is not guarded by the
# sandbox, so tests/test_determinism.py reads it. `workflows` itself never passes through.
PASSED_THROUGH = (
    "schemas", "activities", "engine", "cryptography", "_cffi_backend", "asyncpg", "httpx", "structlog", "pydantic_settings",
)  # fmt: skip

# A worker killed with -9 would stall its cases for ten seconds; with this and the task timeout it is under four.
STICKY_PATIENCE = timedelta(seconds=1)

# A worker thinks with one core: what it takes in waits there while its timeout runs. With the SDK's hundred, an import of
# 380 messages lost every fifth first task to the timeout, and each had to be done again. More cores: more workers.
WORKFLOW_TASKS_AT_ONCE = 12


async def connect(settings: Settings, keys: Keys, *, lazy: bool = False, runtime: Runtime | None = None) -> Client:
    """Open the client, on our usual runtime or on another; it shows its token, and the next one when that is renewed.

    Raises:
        TemporalAway: nothing answers there. Not where it is `lazy`.
        NotLetIn: Temporal refuses this process. Where it is `lazy`, only: its token cannot be read.
    """
    try:
        client = await _client(settings, keys, lazy=lazy, runtime=runtime or usual_runtime())
    except NotLetIn:
        raise
    except RuntimeError as error:
        if SAID_WHEN_REFUSED.search(str(error)):
            raise not_let_in(settings) from None
        raise TemporalAway(
            f"Temporal at {settings.temporal_address} does not answer: does it run, and is JICENG_TEMPORAL_ADDRESS right?"
        ) from error
    if not lazy:
        await ask_whether_let_in(client, settings)
    follow(client, settings)
    return client


async def _client(settings: Settings, keys: Keys, *, lazy: bool, runtime: Runtime) -> Client:
    metadata = await asyncio.to_thread(authorization, settings)
    return await Client.connect(
        settings.temporal_address,
        namespace=settings.temporal_namespace,
        data_converter=data_converter(keys),
        header_codec_behavior=HeaderCodecBehavior.CODEC,
        identity=IDENTITY,
        rpc_metadata=metadata,
        lazy=lazy,
        runtime=runtime,
        # What travels is encrypted, and was compressed before that: once more costs both ends and makes nothing smaller.
        grpc_compression=GrpcCompression.NONE,
    )


def workflow_runner(*, sandbox: bool = True) -> WorkflowRunner:
    """Return what runs cases, live and at replay: Temporal's sandbox, or the bare code (docs/decisions/0002)."""
    if not sandbox:
        return UnsandboxedWorkflowRunner()
    return SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH))


def build_worker(
    client: Client,
    settings: Settings,
    workflows: Sequence[type],
    activities: Sequence[Callable[..., Any]],
    interceptors: Sequence[Interceptor] = (),
    *,
    runner: WorkflowRunner | None = None,
) -> Worker:
    """Build the worker of a town; run it with `async with` or `run()`. `interceptors`: what guards its cases.

    Each has an identity of its own at Temporal, so that it can be counted how many ask for work (deploy/check_worker.py).
    `runner` where cases are not to be run as the settings say.
    """
    config = client.config()
    config["data_converter"] = judging(client.data_converter)
    return Worker(
        Client(**config),
        task_queue=settings.task_queue,
        workflows=workflows,
        activities=activities,
        interceptors=[SignalGuard(), *interceptors],
        workflow_runner=runner or workflow_runner(sandbox=settings.sandbox),
        identity=f"{IDENTITY} {secrets.token_hex(WORKER_MARK_BYTES)}",
        build_id=own_build(),
        max_cached_workflows=settings.workflow_cache,
        max_concurrent_workflow_tasks=WORKFLOW_TASKS_AT_ONCE,
        max_concurrent_local_activities=WORKFLOW_TASKS_AT_ONCE,
        sticky_queue_schedule_to_start_timeout=STICKY_PATIENCE,
        graceful_shutdown_timeout=timedelta(seconds=10),
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
    )


def build_replayer(
    keys: Keys, settings: Settings, workflows: Sequence[type], runner: WorkflowRunner | None = None
) -> Replayer:
    """Build the replayer of recorded cases; `runner` where somebody looks at what they do."""
    return Replayer(
        workflows=workflows,
        workflow_runner=runner or workflow_runner(sandbox=settings.sandbox),
        workflow_task_executor=THREADS,
        namespace=settings.temporal_namespace,
        data_converter=judging(data_converter(keys)),
        header_codec_behavior=HeaderCodecBehavior.CODEC,
        identity=IDENTITY,
        build_id=own_build(),
        interceptors=[SignalGuard()],
    )
