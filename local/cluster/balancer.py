"""A balancer of connections, as every town has one before several frontends or APIs: a TCP proxy that skips who does not answer.

python -m local.cluster.balancer PORT BACKEND_PORT BACKEND_PORT
"""

import asyncio
import sys
from collections.abc import Sequence
from contextlib import suppress
from itertools import count

from local.town.ports import LOOPBACK

PIECE = 65_536
CONNECT_SECONDS = 1.0


async def balance(port: int, backends: Sequence[int]) -> None:
    """Listen until cancelled; each connection goes to the next backend that takes it. Raises OSError: the port is taken."""
    turns = count()
    serving = set[asyncio.Task[None]]()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(served(reader, writer))
        serving.add(task)
        task.add_done_callback(serving.discard)

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = next(turns)
        for number in range(len(backends)):
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    there = await asyncio.open_connection(LOOPBACK, backends[(first + number) % len(backends)])
            except (OSError, TimeoutError):
                continue
            await _join((reader, writer), there)
            return
        writer.close()

    server = await asyncio.start_server(begin, LOOPBACK, port)
    try:
        await server.serve_forever()
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


Way = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _join(here: Way, there: Way) -> None:
    """Both ways until one side ends: then both are closed, so that whoever called notices at once and calls again."""
    ways = [asyncio.create_task(_pass_on(here[0], there[1])), asyncio.create_task(_pass_on(there[0], here[1]))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        for _, writer in (here, there):
            writer.close()
        for _, writer in (here, there):
            with suppress(OSError):
                await writer.wait_closed()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(PIECE):
            writer.write(piece)
            await writer.drain()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(balance(int(sys.argv[1]), [int(each) for each in sys.argv[2:]]))
