"""The log files of a town's children: what they print, in files that do not fill the disk."""

import shutil
from pathlib import Path

LIMIT_BYTES = 10_000_000
GENERATIONS = 3


def rotate(log: Path, limit_bytes: int = LIMIT_BYTES, generations: int = GENERATIONS) -> bool:
    """Move a log that has grown over the limit into `NAME.1`, the older ones on to `.2`, `.3`; the last is dropped.

    Copied and cut, not renamed, because the child goes on writing to the file it was given. What it prints in the
    microseconds between copy and cut is lost; the ledger is what must be complete, not the log.
    """
    if not log.exists() or log.stat().st_size <= limit_bytes:
        return False
    for age in range(generations - 1, 0, -1):
        older = _aged(log, age)
        if older.exists():
            older.replace(_aged(log, age + 1))
    with log.open("rb+") as current:
        with _aged(log, 1).open("wb") as copy:
            _aged(log, 1).chmod(0o600)
            shutil.copyfileobj(current, copy)
        current.truncate(0)
    return True


def tail(log: Path, lines: int = 12) -> str:
    """The last lines of a log, for an error that a person is to understand."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 8192))
        return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])


def _aged(log: Path, age: int) -> Path:
    return log.with_name(f"{log.name}.{age}")
