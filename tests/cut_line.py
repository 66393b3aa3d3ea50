"""A line between a browser and a town that breaks once: what was sent has arrived, what was answered has not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

_CHUNK = 65536


@dataclass
class Line:
    """`breaks`: at the next answer to a POST. `broke`: how many answers were lost. `posts`: how often something was sent."""

    port: int = 0
    posts: int = 0
    breaks: bool = False
    broke: int = 0


@asynccontextmanager
async def cut_line(town_port: int) -> AsyncIterator[Line]:
    """A port that leads to the town's."""
    line, open_lines = Line(), set[asyncio.StreamWriter]()

    async def through(browser: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        answers, there = await asyncio.open_connection("127.0.0.1", town_port)
        open_lines.update((back, there))
        posted = False

        async def forth() -> None:
            nonlocal posted
            while data := await browser.read(_CHUNK):
                if data.startswith((b"POST ", b"GET ")):  # else it is the body of what came before
                    posted = data.startswith(b"POST ")
                    line.posts += posted
                there.write(data)
            there.close()

        async def home() -> None:
            while data := await answers.read(_CHUNK):
                if posted and line.breaks:
                    line.breaks, line.broke = False, line.broke + 1
                    back.transport.abort()
                    return
                back.write(data)
            back.close()

        await asyncio.gather(forth(), home(), return_exceptions=True)

    async with await asyncio.start_server(through, "127.0.0.1", 0) as server:
        line.port = server.sockets[0].getsockname()[1]
        yield line
        for each in open_lines:
            each.close()
