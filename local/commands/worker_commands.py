"""`jiceng worker`: one process, or as many as there are cores to use."""

from typing import Annotated

import typer

from engine.runtime.settings import Settings
from local.town.process import run_process
from local.town.worker_processes import run_workers
from worker import run_worker


def worker(
    processes: Annotated[
        int | None,
        typer.Option(min=1, max=64, help="工作进程数 How many; each uses one core. Default: JICENG_WORKER_PROCESSES"),
    ] = None,
) -> None:
    """Run the worker alone, configured by JICENG_* variables."""
    settings = Settings()
    count = processes or settings.worker_processes
    run_process(run_worker(settings) if count == 1 else run_workers(settings, count), "worker", settings)
