"""Which processes a town started, so that the next start can end those that outlived a killed town."""

import contextlib
import json
import signal
from pathlib import Path

import psutil
import structlog

from local.town.child import Child, Started
from local.town.private_file import write_private

_SAME_BIRTH_SECONDS = 2.0
_PATIENCE_SECONDS = 10.0
_logger = structlog.get_logger()


class ChildMemory:
    """`children.json`: per child its process id, its birth, and the signal that stops it.

    On Linux children die with the town (`local/town/launch.py`), and clearing only waits until they are gone; elsewhere it
    is what ends them. A process id alone proves nothing, for ids are used again; id and birth together do.
    """

    def __init__(self, file: Path) -> None:
        """`file` need not exist."""
        self._file = file
        self._lives: dict[str, dict[str, float]] = {}

    def remember(self, child: Child, started: Started) -> None:
        """Note the present life of a child."""
        with contextlib.suppress(psutil.NoSuchProcess):
            born = psutil.Process(started.pid).create_time()
            self._lives[child.name] = {"pid": started.pid, "born": born, "signal": int(child.stop_signal)}
            write_private(self._file, json.dumps(self._lives))

    def forget(self) -> None:
        """All children are gone."""
        self._file.unlink(missing_ok=True)

    def clear(self) -> None:
        """End the children of an earlier run; returns when none is left. Blocks for up to 20 s."""
        if not self._file.exists():
            return
        left = []
        for name, life in json.loads(self._file.read_text(encoding="utf-8")).items():
            with contextlib.suppress(psutil.NoSuchProcess):
                process = psutil.Process(int(life["pid"]))
                if abs(process.create_time() - life["born"]) < _SAME_BIRTH_SECONDS:
                    _logger.warning("leftover_ended", task=name, pid=process.pid)
                    process.send_signal(signal.Signals(int(life["signal"])))
                    left.append(process)
        _, stubborn = psutil.wait_procs(left, timeout=_PATIENCE_SECONDS)
        for process in stubborn:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(stubborn, timeout=_PATIENCE_SECONDS)
        self.forget()
