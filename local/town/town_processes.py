"""Our own processes in a town on one machine, as data: what runs, after what, and how it is known to be ready."""

import os
import sys
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from pydantic import SecretStr

from engine.runtime.settings import Settings
from local.town.child import Child, Probe, Running, begin_program, is_started
from local.town.forked_process import ForkServer, can_fork
from local.town.probes import accepts_connections, answers_http, polls_task_queue

FEWEST_FORKED = 2
"""With fewer there is nobody to share with."""


@dataclass(frozen=True)
class TownProcess:
    """One of our own processes. `ready` makes the probe from the town's settings; `demo` ones run with --demo only."""

    name: str
    argv: tuple[str, ...]
    ready: Callable[[Settings], Probe] = lambda _: is_started
    after: tuple[str, ...] = ()
    demo: bool = False
    grace_seconds: float = 30.0


def worker_polls(our: Settings) -> Probe:
    """The probe of a worker: it asks the town's task queue for work."""
    return polls_task_queue(our.temporal_address, our.temporal_namespace, our.task_queue)


def jiceng(*command: str) -> tuple[str, ...]:
    """Our own command line, as a process of its own."""
    # -P: a file in the data folder must not be taken for one of our modules.
    return (sys.executable, "-P", "-m", "cli", *command)


def _words(process: TownProcess) -> tuple[str, ...] | None:
    """Those that it gives to `jiceng`; None where it is another program."""
    ours = jiceng()
    return process.argv[len(ours) :] if process.argv[: len(ours)] == ours else None


PROCESSES = (
    TownProcess("worker", jiceng("worker"), worker_polls),
    TownProcess("api", jiceng("api"), lambda our: answers_http(f"{our.api_url}/healthz")),
    TownProcess("notices", jiceng("notices")),
    TownProcess("archiver", jiceng("archiver")),
    TownProcess(
        "departments", jiceng("departments"), lambda our: accepts_connections(f"{our.departments_url}"), demo=True
    ),
    TownProcess("sources", jiceng("sources"), lambda our: answers_http(f"{our.sources_url}/healthz"), demo=True),
    TownProcess("bank", jiceng("bank"), lambda our: answers_http(f"{our.bank_url}/healthz"), demo=True),
    TownProcess(
        "ballot-box", jiceng("ballot-box"), lambda our: answers_http(f"{our.ballot_box_url}/healthz"), demo=True
    ),
    TownProcess(
        "call-gateway", jiceng("call-gateway"), lambda our: answers_http(f"{our.call_gateway_url}/healthz"), demo=True
    ),
    TownProcess("people", jiceng("people"), after=("worker", "api", "departments"), demo=True),
)


def fork_server_of(processes: Iterable[TownProcess], settings: Settings) -> ForkServer | None:
    """What forks those that are `jiceng`; None where there are not two of them to share anything, or this system cannot."""
    words = [words[0] for process in processes if (words := _words(process))]
    if len(words) < FEWEST_FORKED or not can_fork():
        return None
    return ForkServer(tuple(words), _environment(settings), settings.data)


def children_of(
    processes: Iterable[TownProcess],
    settings: Settings,
    after: tuple[str, ...],
    fork_server: ForkServer | None = None,
) -> list[Child]:
    """The processes as the supervisor runs them: after the parts named, with every setting in their environment.

    With a `fork_server` those that are `jiceng` are forked; it must have been made of the same processes and settings.
    """
    processes = list(processes)
    present = {process.name for process in processes}
    environment = _environment(settings)
    return [
        Child(
            name=process.name,
            argv=process.argv,
            environment=environment,
            folder=settings.data,
            ready=process.ready(settings),
            after=(*after, *(name for name in process.after if name in present)),
            begin=_forked(fork_server, words) if fork_server and (words := _words(process)) else begin_program,
            grace_seconds=process.grace_seconds,
        )
        for process in processes
    ]


def _forked(fork_server: ForkServer, words: tuple[str, ...]) -> Callable[[Child, int | None], Awaitable[Running]]:
    async def begin(_: Child, output: int | None) -> Running:
        return await fork_server.fork(words, output)

    return begin


def _environment(settings: Settings) -> dict[str, str]:
    return {**os.environ, "PYTHONUNBUFFERED": "1", **environment_of(settings)}


def environment_of(settings: Settings) -> dict[str, str]:
    """The settings as the JICENG_* variables of a process; those that are None stay away."""
    values = {name: value for name, value in settings.model_dump().items() if value is not None}
    return {
        f"JICENG_{name.upper()}": value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in values.items()
    }
