"""A Temporal worker with one procedure, which waits for a word: the stand-in for `jiceng worker`."""

import asyncio
import os
import signal
from datetime import timedelta

from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import Worker


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


async def main() -> None:
    """Work until SIGTERM."""
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    client = await Client.connect(os.environ["JICENG_TEMPORAL_ADDRESS"])
    async with Worker(
        client,
        task_queue=os.environ["JICENG_TASK_QUEUE"],
        workflows=[Waiting],
        # A worker that was killed keeps its cases for so long.
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=1),
    ):
        await stopped.wait()


if __name__ == "__main__":
    asyncio.run(main())
