"""PDF of a page of paper, by WeasyPrint in a process of its own: it needs much memory, and gives it back."""

import asyncio
import sys
from importlib.util import find_spec
from pathlib import Path

import structlog

from schemas.values.refusals import say
from starter.http.problems import Problem, ProblemCode, too_many_requests

log = structlog.get_logger()
STYLES = Path(__file__).parents[1] / "assets" / "paper.css"
LONGEST_SECONDS = 60.0
WAITING_AT_MOST = 5
PAUSE_SECONDS = 10
"""A page of paper is seconds of computing: one at a time, so that nobody's reading waits for it, and few in a row."""


class Press:
    """Makes one PDF after the other. `there`: whether the extra `pdf` is installed."""

    def __init__(self, *, there: bool) -> None:
        self.there = there
        self._one = asyncio.Lock()
        self._waiting = 0

    @classmethod
    def installed(cls) -> "Press":
        """The press of this installation."""
        return cls(there=find_spec("weasyprint") is not None)

    async def pdf_of(self, page: bytes) -> bytes:
        """The page as PDF, with our styles of paper; it loads nothing. Raises Problem: 404 not installed, 429 too many wait."""
        if not self.there:
            raise _no_pdf()
        if self._waiting >= WAITING_AT_MOST:
            raise too_many_requests(PAUSE_SECONDS)
        self._waiting += 1
        try:
            async with self._one:
                return await _pressed(page)
        finally:
            self._waiting -= 1


async def _pressed(page: bytes) -> bytes:
    command = (sys.executable, "-m", "weasyprint", "--quiet", "--stylesheet", str(STYLES), "-", "-")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
    try:
        made, said = await asyncio.wait_for(process.communicate(page), LONGEST_SECONDS)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode or not made.startswith(b"%PDF"):
        log.error("pdf_failed", code=process.returncode, reason="no-pango" if b"pango" in said.lower() else "failed")
        raise _no_pdf()
    return made


def _no_pdf() -> Problem:
    return Problem(
        ProblemCode.NOT_FOUND,
        say(
            "本站未安装PDF组件。请用浏览器“打印”,可另存为PDF",
            "no PDF here: print with your browser, which can save it as PDF; administrators install jiceng[pdf] and Pango",
        ),
    )
