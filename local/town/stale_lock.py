"""What a PostgreSQL server that was killed leaves behind, and how the next one is kept from stumbling over it."""

import contextlib
import signal
from pathlib import Path

import psutil
import structlog

_LEFTOVER_PATIENCE_SECONDS = 10
_logger = structlog.get_logger()


def clear_stale_lock(cluster: Path) -> None:
    """Make sure that no server of an earlier life runs on the cluster, and that its lock file blocks nobody.

    PostgreSQL believes a lock file whose process id is alive. After kill -9 that id may belong to anybody (in a
    container, where ids are small, soon will), and the server would refuse to start for ever. We hold the town's lock,
    so: whoever still works in the cluster's folder is ended; then a lock naming a living stranger is removed. One that
    names a dead process stays, because PostgreSQL uses it to look for shared memory that is still held.
    """
    lock = cluster / "postmaster.pid"
    if not lock.exists():
        return
    ours = [process for process in psutil.process_iter() if _works_in(process, cluster)]
    for process in ours:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGQUIT)
    _, stubborn = psutil.wait_procs(ours, timeout=_LEFTOVER_PATIENCE_SECONDS)
    if stubborn:
        # The server itself will refuse to start beside them, and be tried again.
        _logger.warning("cluster_still_in_use", number=len(stubborn))
        return
    with contextlib.suppress(FileNotFoundError, ValueError, IndexError):
        if psutil.pid_exists(int(lock.read_text(encoding="ascii").splitlines()[0])):
            lock.unlink()


def _works_in(process: psutil.Process, cluster: Path) -> bool:
    """Every process of a PostgreSQL server has the cluster's folder as its working folder."""
    try:
        return process.name() == "postgres" and Path(process.cwd()) == cluster
    except psutil.Error:
        return False
