"""Pictures of people made small enough to be shown, in a process of their own (engine/vault/draw_small.py)."""

import asyncio
import sys
from pathlib import Path

SHOWN_TYPES = frozenset({"image/jpeg", "image/png", "image/webp"})
"""What can be drawn. HEIC of phones is not among it: to open it takes another library."""

DRAWN_TYPE = "image/jpeg"
THUMBNAIL_EDGE = 240
SCREEN_EDGE = 1600
LIMIT_SECONDS = 15.0

_PROGRAM = Path(__file__).with_name("draw_small.py")
_TOO_LARGE = 3
"""Its exit code for too many pixels; it is not imported here, for it loads what opens pictures."""


class NotDrawn(Exception):
    """There is nothing to show: no picture, one that is broken, or one that takes too long."""


class TooManyPixels(NotDrawn):
    """It claims more pixels than are opened: a scan of a whole wall, or a file made to fill the memory of who opens it."""


async def draw_small(content: bytes, edge: int, limit_seconds: float = LIMIT_SECONDS) -> bytes:
    """A picture as a JPEG with no edge longer than `edge` pixels, and nothing of the file but what it shows.

    Raises NotDrawn, TooManyPixels. Cancelled, it takes its process with it.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", str(_PROGRAM), str(edge)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={},
        )
    except OSError as error:
        raise NotDrawn from error
    try:
        made, _ = await asyncio.wait_for(process.communicate(content), limit_seconds)
    except TimeoutError:
        raise NotDrawn from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode == _TOO_LARGE:
        raise TooManyPixels
    if process.returncode != 0:
        raise NotDrawn
    return made
