"""A worker that dies at the worst moment: when the ledger has a batch and Temporal does not yet know of it.

python -m tests.dying_worker N     dies with its Nth flush, after the commit
"""

import asyncio
import os
import signal
import sys

from activities.ledger import Ledger
from engine.database import open_pool
from engine.keys import Keys
from engine.settings import Settings
from engine.temporal import connect
from schemas.ledger import Batch, FlushReceipt
from worker import town_worker


class DyingLedger(Ledger):
    """The real ledger, until its last flush is written."""

    flushes_left = int(sys.argv[1]) if len(sys.argv) > 1 else 1

    async def write(self, batch: Batch) -> FlushReceipt:
        receipt = await super().write(batch)
        DyingLedger.flushes_left -= 1
        if not DyingLedger.flushes_left:
            os.kill(os.getpid(), signal.SIGKILL)
        return receipt


async def main() -> None:
    settings = Settings()
    keys = Keys.load(settings.key_folder)
    client = await connect(settings, keys)
    async with (
        await open_pool(settings) as pool,
        town_worker(settings, keys, client, pool, DyingLedger(pool)) as worker,
    ):
        await worker.run()


if __name__ == "__main__":
    asyncio.run(main())
