"""`jiceng new procedure NAME`: in a copy of the tree a new procedure stands, others are as they were, and the laws hold of it."""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

import pytest

from local.commands.new_commands import REGISTRY, NotNew, make_procedure

PROJECT = Path(__file__).resolve().parents[2]
NAME, TITLE = "petition", "信访"

OF_EACH = ("tests/procedures/test_laws.py",)
OF_ALL = ("tests/procedures/test_declaration.py", "tests/test_architecture.py", "tests/test_determinism.py", "tests/test_docs.py",
          "tests/api/test_doors.py", "tests/api/test_api_description.py", "tests/laws/test_law_policy.py",
          "tests/laws/test_law_people.py")  # fmt: skip
"""What is asked of every procedure by its walks, and by its declaration alone."""

OF_EACH_ALONE = ("test_laws", "announced", "woken")
"""What is dear and judges one procedure at a time: the others stand here as in the tree that this is a copy of."""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what git knows of, without histories, with a new procedure in it."""
    copy = tmp_path_factory.mktemp("tree")
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],  # noqa: S607 - the git of whoever runs the tests
        cwd=PROJECT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    for path in (each for each in listed if not each.endswith(".history") and (PROJECT / each).is_file()):
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PROJECT / path, copy / path)
    git(copy, "init", "--quiet")
    git(copy, "add", "--all")
    git(
        copy,
        "-c",
        "user.name=test",
        "-c",
        "user.email=test@town.example",
        "commit",
        "--quiet",
        "--message",
        "as it was",
    )
    run(copy, "-m", "cli", "new", "procedure", NAME, "--title", TITLE)
    return copy


def git(tree: Path, *arguments: str) -> str:
    """What git answers in a tree."""
    command = ["git", *arguments]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, check=True).stdout


def run(tree: Path, *arguments: str) -> str:
    """What Python says in a tree, with the code of that tree; it must end well."""
    command = [sys.executable, "-P", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONPYCACHEPREFIX": str(compiled(tree))}
    for name in [name for name in environment if name.startswith(("PYTEST_", "COV_", "PYTHONDONTWRITE"))]:
        del environment[name]
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(arguments)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def compiled(tree: Path) -> Path:
    """Where these processes keep what Python compiles: not in the tree; libraries where they are compiled already."""
    kept = tree.with_name(f"{tree.name}-compiled")
    for name in ("stdlib", "purelib") if sys.pycache_prefix is not None else ():
        library = Path(sysconfig.get_path(name)).relative_to("/")
        if not (kept / library).exists():
            (kept / library).parent.mkdir(parents=True, exist_ok=True)
            (kept / library).symlink_to(Path(str(sys.pycache_prefix)) / library)
    return kept


def laws(tree: Path, *what: str) -> Sequence[str]:
    """Run tests in a tree; they must pass. Their names."""
    said = run(tree, "-m", "pytest", "-q", "-rp", "-m", "not long", "-p", "no:cacheprovider", *what)
    return [line for line in said.splitlines() if line.startswith("PASSED")]


def test_it_touches_its_own_files_and_one_line(tree: Path) -> None:
    """Every file that is made is called like it; of those that were there, the registry has one line more."""
    changed = git(tree, "diff", "--numstat").splitlines()
    made = git(tree, "ls-files", "--others", "--exclude-standard").splitlines()

    assert changed == [f"1\t0\t{REGISTRY}"]
    assert len(made) == 6
    assert all(NAME in path for path in made)


@pytest.mark.timeout(400)
def test_the_laws_are_true_of_it(tree: Path) -> None:
    """Drawn, written down and linted, it keeps every law of procedures: at every step, left alone, given twice, replayed."""
    run(tree, "-m", "cli", "docs")
    run(tree, "-m", "tests.entry_kinds")
    written = [
        each for each in git(tree, "ls-files", "--others", "--exclude-standard").splitlines() if each.endswith(".py")
    ]
    run(tree, "-m", "ruff", "check", *written)
    run(tree, "-m", "ruff", "format", "--check", *written)
    passed = laws(tree, "-k", f"{NAME} or not ({' or '.join(OF_EACH_ALONE)})", *OF_EACH, *OF_ALL)

    assert sum(f"[{NAME}" in each and "test_laws.py" in each for each in passed) > 20
    assert len(passed) > 200


@pytest.mark.long
@pytest.mark.timeout(900)
def test_its_types_hold(tree: Path) -> None:
    """What is made is typed as everything else."""
    run(tree, "-m", "mypy")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Contest", "no name"),
        ("two_words", "no name"),
        ("whistle", "already"),
        ("audit", "already"),
        ("class", "Python"),
        ("app", "already"),
        ("", "no name"),
    ],
)
def test_a_name_that_cannot_be_is_refused(tree: Path, name: str, says: str) -> None:
    """A name is one word in lower case that no other procedure has; else nothing is written."""
    before = git(tree, "status", "--porcelain")
    with pytest.raises(NotNew, match=says):
        make_procedure(tree, name, TITLE)

    assert git(tree, "status", "--porcelain") == before
