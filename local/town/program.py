"""Run a program to its end and read what it said."""

import asyncio
from collections.abc import Mapping
from pathlib import Path


async def run_program(
    argv: tuple[str, ...], environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> tuple[int, str]:
    """Exit code and output (both streams) of a program without input. It does not outlive whoever waits for it."""
    process = await asyncio.create_subprocess_exec(
        *argv,
        env=None if environment is None else dict(environment),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    return process.returncode or 0, output.decode(errors="replace").strip()
