"""pytest in several processes that load the tests once: python -m tests.side_by_side TOWNS [what pytest is told].

To load the tests, the libraries and the house takes a process longer than to collect them once they are there. So they are
loaded here, and the processes of pytest-xdist are forked from what is loaded then:

    this process loads all --fork--> a nursery (tests/nursery.py) waits at a socket <--.
         '--> pytest with xdist --> tests/from_nursery.py, for each process: hands its pipes over, and goes with the forked one

Processes of towns that tests open are forked from the same nursery (tests/forked.py).

`pytest --numprocesses 6` does the same with processes that load for themselves.
"""

import contextlib
import gc
import io
import os
import shlex
import shutil
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from tests import nursery
from tests.forked import NURSERY, from_nursery, listening_in

TOGETHER = ("--dist", "loadfile", "--no-loadscope-reorder")


def load(told: list[str]) -> None:
    """Collect the tests, which loads all that they need. What goes wrong is said by the run itself: there it goes wrong again."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        pytest.main(["--collect-only", "-qq", *told])
    nursery.load(nursery.of_a_town())


def main(towns: int, told: list[str]) -> int:
    """Play what pytest is told in so many processes; its exit code."""
    load(told)
    assert threading.active_count() == 1, "who is forked has one thread: a test file begins another when it is loaded"
    gc.collect()
    gc.freeze()
    folder = Path(tempfile.mkdtemp())
    listener = listening_in(str(folder))
    os.environ[NURSERY] = f"{folder}/nursery"
    end, life = os.pipe()
    keeper = os.fork()
    if keeper == 0:
        os.close(life)
        run = nursery.stand_by(listener, end)
        if run is not None:
            run()
        return 0
    os.close(end)
    listener.close()
    try:
        process = f"popen//python={shlex.join(from_nursery('tests.nursery:play'))}"
        return int(pytest.main([*told, *TOGETHER, "--tx", f"{towns}*{process}"]))
    finally:
        os.close(life)
        os.waitpid(keeper, 0)
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
