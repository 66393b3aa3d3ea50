"""What is asked of the cluster at rest, by the commands that whoever runs it has: as processes, with the variables of its own.

Each has to end as it says here. So a command that knows only a town of `jiceng up` does not come through.
"""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from engine.keys.keys import Keys
from engine.runtime.settings import PROJECT, Settings
from local.cluster.cluster import Cluster
from local.cluster.tokens import token_file
from local.simulation.simulation import tokens
from local.simulation.townspeople import AUDITOR, CLERK, COORDINATOR, SUPERVISOR, Persona
from local.town.private_file import write_private
from local.town.program import run_program
from local.town.town_processes import jiceng

AT_ONCE = 2
IN_TURN = 2
"""So many go first, one after the other: they read every case, and have the machine to themselves."""
PYTHON = sys.executable
MESSAGES = "message_id,text,category\nrehearsal-1,路灯不亮,环境卫生\n"


@dataclass(frozen=True)
class Asked:
    """A command, as whom it calls the API where it does, and how it has to end. `without`: variables that it is not given."""

    argv: tuple[str, ...]
    account: Persona | None = None
    exit_code: int = 0
    says: str = ""
    without: tuple[str, ...] = ()
    own: Mapping[str, str] | None = None

    @property
    def name(self) -> str:
        """As people write it."""
        said = " ".join(Path(each).name if "/" in each else each for each in self.argv)
        return f"{said} (without {', '.join(self.without)})" if self.without else said


@dataclass(frozen=True)
class Answered:
    """How it ended, with the end of what it said where that is not as it has to be."""

    name: str
    well: bool
    said: str = ""


def asked_of(cluster: Cluster, months: Sequence[str], processes: int) -> Sequence[Asked]:
    """All of them; those that look at every case first."""
    messages, folder = cluster.folder / "messages.csv", str(cluster.environment["JICENG_DATA"])
    write_private(messages, MESSAGES)
    worker_token = {"JICENG_TEMPORAL_TOKEN_FILE": str(token_file(cluster.secrets, "worker"))}
    return (
        Asked(("audit", "verify"), says="0 个有问题"),
        Asked(("audit", "replay", "--processes", str(processes)), says="0 个有问题"),
        Asked(("import", str(messages)), CLERK, says="started"),
        Asked(("stuck",), says="没有停滞案件"),
        Asked(("stuck",), exit_code=1, says="JICENG_TEMPORAL_TOKEN_FILE", without=("JICENG_TEMPORAL_TOKEN_FILE",)),
        Asked(("audit", "rebuild", "--check"), says="0 个有问题"),
        Asked(("audit", "seal"), says="leaves"),
        Asked(("audit", "replay", "--open"), says="0 个有问题"),
        *(Asked(("payments", "reconcile", month), AUDITOR, says="差异 0 项") for month in months),
        Asked(("case", "list", "--json"), COORDINATOR, says="case_id"),
        Asked(("case", "list"), exit_code=3, says="JICENG_API_TOKEN_FILE"),
        Asked(
            ("stuck", "again", "00000000-0000-4000-8000-000000000000", "--reason", "x"), SUPERVISOR, 1, "没有此项可办"
        ),
        Asked(("backup", f"{cluster.folder}/backup", "--histories-at", datetime.now(UTC).isoformat()), says="✓"),
        Asked(("notices", "show")),
        Asked(("webhooks",)),
        Asked(("privacy", "log"), says="chain"),
        Asked(("keys", "list"), says="payload"),
        Asked(("where", "api"), says="http://"),
        Asked(("login",), says="/sign-in"),
        Asked(("archiver", "--once", "--data", folder), says="0 could not be", own=worker_token),
        Asked((PYTHON, "deploy/check_worker.py", "2"), says="workers", own=worker_token),
        Asked((PYTHON, "deploy/check_notices.py")),
        Asked((PYTHON, "deploy/check_notices.py", "jiceng archiver")),
    )


async def answers_of(
    cluster: Cluster, settings: Settings, months: Sequence[str], processes: int = AT_ONCE
) -> list[Answered]:
    """Ask all: the first in turn, the others two at a time. `months`: those in which money was moved."""
    token_for = tokens(settings, Keys.of(settings))
    all_asked = asked_of(cluster, months, processes)
    turns = asyncio.Semaphore(AT_ONCE)

    async def answered(number: int, asked: Asked) -> Answered:
        async with turns:
            environment = {**cluster.environment, "PYTHONPATH": str(PROJECT), "COLUMNS": "200", **(asked.own or {})}
            if asked.account is not None:
                file = cluster.folder / f"token-{number}"
                write_private(file, token_for(asked.account))
                environment["JICENG_API_TOKEN_FILE"] = str(file)
            for name in asked.without:
                environment.pop(name)
            argv = asked.argv if asked.argv[0] == PYTHON else jiceng(*asked.argv)
            code, said = await run_program(argv, environment, PROJECT)
            well = code == asked.exit_code and asked.says in said and "Traceback" not in said
            return Answered(asked.name, well, "" if well else f"{code}: {said[-1500:]}")

    first = [await answered(number, asked) for number, asked in enumerate(all_asked[:IN_TURN])]
    rest = enumerate(all_asked[IN_TURN:], start=IN_TURN)
    return first + list(await asyncio.gather(*(answered(number, asked) for number, asked in rest)))
