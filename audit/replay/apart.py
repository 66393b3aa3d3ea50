"""A replay of one case in a process of its own: `python -m audit.replay.apart`, which reads from stdin what to replay.

Whoever serves people must not think for minutes with the core that answers them, and what a forged history makes of the one who
replays it must end there. The process is nice to others, its seconds of the processor are limited, and it is killed when its
time is over. It prints one finding, as JSON; its logs go to stderr.
"""

import asyncio
import os
import resource
import sys
from typing import Any

import structlog
from pydantic import SecretStr

from audit.replay.kept_histories import live_or_archived
from audit.replay.replay import replay_cases
from engine.execution.temporal import connect
from engine.keys.keys import Keys
from engine.runtime.logging import configure_logging
from engine.runtime.settings import Settings
from engine.store.archive import open_archive
from engine.store.database import open_pool
from schemas.kernel.findings import Finding
from schemas.values.model import Model

log = structlog.get_logger()
SECONDS = 120
"""So long a replay takes at the most. The longest histories of a town, some thousand events in several runs, take a tenth."""

NICE = 10
MODULE = "audit.replay.apart"


class NotReplayed(Exception):
    """It could not be found out: the process ended without a finding, or took too long. The message says which."""


class Order(Model):
    """What is replayed, and by which settings. It goes through a pipe, for there are secrets in it."""

    case_id: str
    settings: dict[str, Any]


async def replayed_apart(settings: Settings, case_id: str, seconds: float = SECONDS) -> Finding:
    """Replay one case in a process of its own. Raises NotReplayed; cancelled, it takes the process with it."""
    order = Order(case_id=case_id, settings=_told(settings)).model_dump_json().encode()
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", MODULE), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
    except OSError as error:
        raise NotReplayed(f"not-checked: {case_id}: no process could be started ({error.strerror})") from None
    try:
        said, _ = await asyncio.wait_for(process.communicate(order), seconds)
    except TimeoutError:
        raise NotReplayed(f"not-checked: {case_id}: it took more than {seconds:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise NotReplayed(f"not-checked: {case_id}: the process ended with {process.returncode}; its log says where")
    return Finding.model_validate_json(said)


def _told(settings: Settings) -> dict[str, Any]:
    """The settings as plain values, those that are secret as they are."""
    secret = {name: value.get_secret_value() for name, value in settings if isinstance(value, SecretStr)}
    return settings.model_dump(mode="json") | secret


async def _replayed(order: Order) -> Finding:
    settings = Settings(**order.settings)
    keys = Keys.of(settings)
    client = await connect(settings, keys)
    async with await open_pool(settings, process="jiceng replay") as pool:
        kept = live_or_archived(client, pool, keys, open_archive(settings))
        [finding] = [each async for each in replay_cases(client, keys, settings, pool, [order.case_id], kept)]
    return finding


def main() -> None:
    """Read the order, replay, print the finding. Exit code 1: it could not be done; the log says where."""
    os.nice(NICE)
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    with configure_logging("replay", "INFO", sys.stderr):
        try:
            finding = asyncio.run(_replayed(Order.model_validate_json(sys.stdin.buffer.read())))
        except Exception:
            log.exception("replay_broke_off")  # kind and place alone: what an error says of itself may quote secrets
            sys.exit(1)
    sys.stdout.write(finding.model_dump_json())


if __name__ == "__main__":
    main()
