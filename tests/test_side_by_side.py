"""Processes that are forked from one that has loaded the tests play them as those that load for themselves."""

import os
import subprocess
import sys
from pathlib import Path

import psutil

PROJECT = Path(__file__).parents[1]
TESTS = """
import os, signal
from pathlib import Path
LOADED_IN = os.getpid()
def note(name):
    Path(__file__).with_name(f"{name}.{LOADED_IN}.{os.getpid()}").touch()
"""
GOES_WELL = "def test_goes_well(): note('well')\n"
GOES_WRONG = "def test_goes_wrong(): note('wrong'); assert 'what was' == 'what should be'\n"
DIES = """
def test_dies():
    first = not list(Path(__file__).parent.glob("dies.*"))
    note("dies")
    if first:
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_each_is_played_by_a_process_of_its_own_that_loaded_nothing(tmp_path: Path) -> None:
    """What goes wrong is said; who dies is said too, and another plays it in its place; and nobody is left when the run is over."""
    for name, test in {"well": GOES_WELL, "wrong": GOES_WRONG, "dies": DIES}.items():
        (tmp_path / f"test_{name}.py").write_text(TESTS + test)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    told = ("-c", tmp_path / "pytest.ini", "-p", "no:cacheprovider", "-p", "no:schemathesis", "-rA", tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "tests.side_by_side", "3", *map(str, told)],
        cwd=PROJECT,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST")},
        capture_output=True,
        text=True,
        check=False,
    )
    played = [each.name.split(".") for each in tmp_path.iterdir() if each.suffix.strip(".").isdigit()]
    names, loaded, players = zip(*played, strict=True)

    assert done.returncode == 1, done.stderr
    assert "2 failed, 2 passed" in done.stdout
    assert "AssertionError: assert 'what was' == 'what should be'" in done.stdout
    assert "crashed while running 'test_dies.py::test_dies'" in done.stdout
    assert sorted(names) == ["dies", "dies", "well", "wrong"]
    assert len(set(loaded)) == 1, "loaded once"
    assert len(set(players)) >= 3
    assert set(loaded).isdisjoint(players)
    assert [each for each in {*loaded, *players} if psutil.pid_exists(int(each))] == []
