"""The sandbox that tests play cases in guards as the SDK's own does, but for one thing that a town does not have either."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from temporalio.api.common.v1 import Payloads
from temporalio.api.failure.v1 import Failure
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.converter import DataConverter, DefaultFailureConverter, DefaultPayloadConverter
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner
from temporalio.worker.workflow_sandbox._runner import _fake_info  # the SDK's own, for trying whether a workflow loads
from temporalio.workflow import _Definition

from engine.execution.temporal import workflow_runner
from tests.loaded_once import sandbox_loaded_once
from tests.looking_out import LooksOut


def looked(runner: WorkflowRunner, where: str) -> str:
    """What becomes of a case that looks somewhere: what it returned, else why it was stopped."""
    details = WorkflowInstanceDetails(
        payload_converter_factory=DefaultPayloadConverter,
        failure_converter_class=DefaultFailureConverter,
        interceptor_classes=[],
        defn=_Definition.must_from_class(LooksOut),
        info=_fake_info,
        randomness_seed=1,
        extern_functions={},
        disable_eager_activity_execution=False,
        worker_level_failure_exception_types=[],
        patch_activation_callback=None,
        last_completion_result=Payloads(),
        last_failure=Failure(),
    )
    begins = WorkflowActivation(run_id="run")
    started = begins.jobs.add().initialize_workflow
    started.workflow_id, started.workflow_type = "case", "LooksOut"
    started.arguments.extend(DataConverter.default.payload_converter.to_payloads([where]))

    async def made() -> WorkflowInstance:
        return runner.create_instance(details)

    return _said(asyncio.run(made()).activate(begins))


def _said(completion: WorkflowActivationCompletion) -> str:
    if completion.HasField("failed"):
        return completion.failed.failure.message
    [done] = [each.complete_workflow_execution.result for each in completion.successful.commands]
    return done.data.decode()


@pytest.mark.parametrize("where", ["the clock", "chance", "the machine"])
def test_a_case_that_looks_out_is_stopped_each_time(where: str) -> None:
    """The first case of a procedure and every one after it, in the words of the SDK's own sandbox."""
    runner = sandbox_loaded_once()
    stopped = [looked(runner, where) for _ in range(3)]

    assert "Cannot access" in stopped[0]
    assert stopped == [looked(workflow_runner(sandbox=True), where)] * 3


def test_cases_that_run_at_one_time_are_guarded_each() -> None:
    """One that is loaded, or has ended, takes the guard from no other."""
    runner = sandbox_loaded_once()
    ways = ["the clock", "nothing"] * 50
    with ThreadPoolExecutor(8) as threads:
        became = list(threads.map(lambda where: "Cannot access" in looked(runner, where), ways))

    assert became == [True, False] * 50


def test_the_code_is_loaded_once_for_all_cases_as_in_a_town() -> None:
    """What one leaves in a module another finds, as outside the sandbox; in the SDK's own it is loaded for each."""
    once, usual = sandbox_loaded_once(), workflow_runner(sandbox=True)

    assert [looked(once, "another case") for _ in range(3)] == ["1", "2", "3"]
    assert [looked(usual, "another case") for _ in range(3)] == ["1", "1", "1"]
