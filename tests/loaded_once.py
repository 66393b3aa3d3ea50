"""Temporal's sandbox, with the code of each procedure loaded once for all of its cases.

The SDK loads it anew for every case, which takes as long as the case itself, and guards against what one case leaves in a module
for another. A town runs without the sandbox (docs/decisions/0002), so there a module remembers nothing for any case:
tests/test_determinism.py reads that. What else the sandbox guards against, a look at a clock, at chance or at the machine, it
guards against here as there. Cases in the SDK's own are played in tests/procedures/test_live_laws.py.
"""

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.worker.workflow_sandbox._importer import Importer
from temporalio.worker.workflow_sandbox._restrictions import RestrictionContext
from temporalio.worker.workflow_sandbox._runner import (
    _Instance,  # the SDK has no public way to say what a case is loaded from
)

from engine.execution.temporal import workflow_runner


class _Moment(RestrictionContext):
    """Whether a case runs or is loaded: here a matter of the thread, for several run at a time."""

    def __init__(self) -> None:
        self._of_thread = threading.local()

    @property
    def is_runtime(self) -> bool:
        return getattr(self._of_thread, "is_runtime", False)

    @is_runtime.setter
    def is_runtime(self, now: bool) -> None:
        self._of_thread.is_runtime = now

    @property
    def in_activation(self) -> bool:
        return getattr(self._of_thread, "in_activation", False)

    @in_activation.setter
    def in_activation(self, now: bool) -> None:
        self._of_thread.in_activation = now


class _Loaded(_Instance):
    """A case in a sandbox that has loaded its procedure already."""

    def __init__(self, details: WorkflowInstanceDetails, runner: "LoadedOnce") -> None:
        self.instance_details = details
        self.runner_class = runner.runner_class
        self._current_thread_id = None
        self.globals_and_locals = {"__file__": "workflow_sandbox.py"}
        with runner.importer_of(self._workflow_module_name()) as self.importer:
            self._create_instance()


@dataclass(frozen=True)
class LoadedOnce(SandboxedWorkflowRunner):
    """Runs cases in the sandbox."""

    importers: dict[str, Importer] = field(default_factory=dict)
    loading: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def importer_of(self, module: str) -> Iterator[Importer]:
        """What has loaded a module, or is to; one case is made at a time, so that nobody finds half of it."""
        with self.loading:
            if module not in self.importers:
                self.importers[module] = Importer(self.restrictions, _Moment(), workflow_module_name=module)
            yield self.importers[module]

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """A case that begins."""
        return _Loaded(det, self)


@functools.cache
def sandbox_loaded_once() -> LoadedOnce:
    """With the restrictions that cases of a town have in the sandbox. One for all of a process: each bench has every procedure."""
    usual = workflow_runner(sandbox=True)
    assert isinstance(usual, SandboxedWorkflowRunner)
    restrictions: SandboxRestrictions = usual.restrictions
    return LoadedOnce(restrictions=restrictions)
