"""A town whose restore did not come to its end: no process may run in it.

Between the load of its database and what puts it right (local/backup/restore.py) numbers could be given twice, and cases
stand still for ever. So the restore leaves a file in the data folder before it does anything, and takes it away at its end.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.runtime.operator_error import OperatorError

UNFINISHED = "restore-unfinished"


class RestoreUnfinished(OperatorError):
    """A restore was begun here and did not end; the message says what to do."""


def require_restored(data: Path) -> None:
    """Raises RestoreUnfinished: a town is being restored into this folder, or that broke off."""
    if begun(data):
        raise RestoreUnfinished(
            f"A restore into {data} is under way or broke off: its database may be loaded and is not put right, so nothing runs "
            "there. Restore again, in production into an empty database, elsewhere into an empty folder (docs/operations.md)."
        )


def begun(data: Path) -> bool:
    """Whether a restore into this folder was begun and did not come to its end."""
    return (data / UNFINISHED).exists()


@contextmanager
def unfinished(data: Path) -> Iterator[None]:
    """Until the block has come to its end, no process of a town runs on this folder: after a fault or a kill neither."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    (data / UNFINISHED).touch(mode=0o600)
    yield
    (data / UNFINISHED).unlink()
