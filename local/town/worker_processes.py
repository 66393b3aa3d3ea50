"""Several workers under one: Python thinks with one core, so a machine with more is used by more processes.

They share nothing but the task queue, from which Temporal gives each what it has room for.
"""

import asyncio
import signal

from engine.runtime.settings import Settings
from local.town.child import Child
from local.town.process_runner import Pace, ProcessRunner
from local.town.town_processes import TownProcess, children_of, jiceng, worker_polls

GRACE_SECONDS = 25.0
"""Less than the town gives to the one above them: nobody is killed who is about to end by itself."""


async def run_workers(settings: Settings, count: int) -> None:
    """Run so many until SIGTERM, or until cancelled; one that dies is started again, while the others go on.

    Raises:
        ChildFailed: a worker died again and again before it was ever ready; the others are ended then.
    """
    keepers = [ProcessRunner(_child(settings, number), None, Pace(), lambda *_: None) for number in range(count)]
    stopped = asyncio.create_task(_asked_to_stop())
    lives = [asyncio.create_task(keeper.keep()) for keeper in keepers]
    try:
        done, _ = await asyncio.wait([stopped, *lives], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in (stopped, *lives):
            task.cancel()
        await asyncio.gather(stopped, *lives, return_exceptions=True)
        await asyncio.gather(*(keeper.end(asyncio.Event()) for keeper in keepers))


async def _asked_to_stop() -> None:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    await stopped.wait()


def _child(settings: Settings, number: int) -> Child:
    """A worker as a town runs it, but that each shows its figures at a port of its own, one after the other."""
    ours: dict[str, object] = {"worker_processes": 1}
    if settings.worker_metrics is not None:
        host, _, port = settings.worker_metrics.rpartition(":")
        ours["worker_metrics"] = f"{host}:{int(port) + number}"
    process = TownProcess(f"worker-{number + 1}", jiceng("worker"), worker_polls, grace_seconds=GRACE_SECONDS)
    (child,) = children_of([process], settings.model_copy(update=ours), after=())
    return child
