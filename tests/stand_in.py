"""A town whose own processes are small stand-ins: real programs that answer, work and end like those of Jiceng.

    python stand_in.py up '{"data": "…", "speed": 1}'   a town in this process; prints its addresses as one JSON line
    python stand_in.py api                              answers GET on JICENG_API_PORT
    python stand_in.py worker                           a Temporal worker with one procedure, which waits for a word
"""

import asyncio
import json
import os
import signal
import sys
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import structlog
from pydantic import SecretStr
from temporalio import workflow


@workflow.defn(sandboxed=False)
class Waiting:
    """Open until somebody says a word; then it ends with that word."""

    def __init__(self) -> None:
        """Nobody has said anything yet."""
        self.word: str | None = None

    @workflow.run
    async def run(self) -> str:
        """Wait."""
        await workflow.wait_condition(lambda: self.word is not None)
        return self.word or ""

    @workflow.signal
    def say(self, word: str) -> None:
        """Say the word."""
        self.word = word


async def up(options: dict[str, Any]) -> int:
    """Run a town with stand-ins for worker and API."""
    from local.probes import answers_http, polls_task_queue  # noqa: PLC0415 - the small programs need none of this
    from local.town import TownOptions, TownProcess, run_town  # noqa: PLC0415

    ourselves = (sys.executable, str(Path(__file__).resolve()))
    processes = (
        TownProcess(
            "worker",
            (*ourselves, "worker"),
            lambda our: polls_task_queue(our.temporal_address, our.temporal_namespace, our.task_queue),
        ),
        TownProcess("api", (*ourselves, "api"), lambda our: answers_http(our.api_url)),
    )
    data = Path(options.pop("data"))
    if "database_url" in options:
        options["database_url"] = SecretStr(options["database_url"])
    town = TownOptions(data=data, durable=False, processes=processes, **options)
    return await run_town(town, lambda addresses: print(addresses.model_dump_json(), flush=True))  # noqa: T201


async def worker() -> None:
    """Work until SIGTERM."""
    from temporalio.client import Client  # noqa: PLC0415
    from temporalio.worker import Worker  # noqa: PLC0415

    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    client = await Client.connect(os.environ["JICENG_TEMPORAL_ADDRESS"])
    async with Worker(
        client,
        task_queue=os.environ["JICENG_TASK_QUEUE"],
        workflows=[Waiting],
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=1),
    ):
        await stopped.wait()


class Answer(BaseHTTPRequestHandler):
    """Answers everything with 200."""

    def do_GET(self) -> None:  # noqa: N802 - the name http.server asks for
        """Answer."""
        self.send_response(200)
        self.end_headers()


def main() -> None:
    """Become what the first argument says."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    match sys.argv[1]:
        case "up":
            try:
                sys.exit(asyncio.run(up(json.loads(sys.argv[2]))))
            except Exception as error:  # noqa: BLE001 - what the command line does with an error: say it, exit code 1
                sys.exit(f"{type(error).__name__}: {error}")
        case "worker":
            asyncio.run(worker())
        case "api":
            ThreadingHTTPServer(("127.0.0.1", int(os.environ["JICENG_API_PORT"])), Answer).serve_forever()


if __name__ == "__main__":
    main()
