"""The house: who may import whom (docs/ARCHITECTURE.md), and one basename per procedure in every room."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from schemas.kernel.declaration import DeclaredProcedure
from schemas.kernel.procedure import Procedure
from tests.every_procedure import EVERY_PROCEDURE, PROCEDURE_LIST

PROJECT = Path(__file__).resolve().parent.parent
ROOMS = {
    "schemas": {"pydantic", "pydantic_core"},
    "workflows": {"schemas", "temporalio"},
    "engine": {"schemas"},
    "activities": {"schemas", "engine"},
    "starter": {"schemas", "engine", "workflows", "audit"},
    "audit": {"schemas", "engine", "workflows", "activities"},
    "console": {"schemas", "engine", "starter"},
}
OURS = {"schemas", "workflows", "engine", "activities", "starter", "audit", "console", "local", "worker", "cli"}
ONLY_SCHEMAS_AND_WORKFLOWS = {"schemas", "workflows"}  # rooms whose third-party imports are closed too


def modules() -> list[Path]:
    return [file for room in ROOMS for file in sorted((PROJECT / room).rglob("*.py"))]


@cache
def imports(file: Path) -> tuple[ast.Import | ast.ImportFrom, ...]:
    """Every import of a file, wherever it stands in it: each file is read once for all these rules."""
    walked = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    return tuple(node for node in walked if isinstance(node, ast.Import | ast.ImportFrom))


def imported(file: Path) -> set[str]:
    found: set[str] = set()
    for node in imports(file):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        else:
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("file", modules(), ids=lambda file: str(file.relative_to(PROJECT)))
def test_no_arrow_points_backwards(file: Path) -> None:
    """A room imports only the rooms it may; `schemas` and `workflows` only the libraries named here, too."""
    room = file.relative_to(PROJECT).parts[0]
    allowed = ROOMS[room] | {room}
    if file.name == "steps.py" and room == "workflows":
        allowed |= {"activities"}
    tops = {name.partition(".")[0] for name in imported(file)}

    wrong = (tops & OURS) - allowed
    if room in ONLY_SCHEMAS_AND_WORKFLOWS:
        wrong |= tops - OURS - allowed - set(sys.stdlib_module_names)

    assert set() == wrong


def test_no_procedure_loads_the_registry() -> None:
    """Inside the sandbox the registry would load every procedure for every case: no workflow file imports it."""
    guilty = [
        file.name for file in sorted((PROJECT / "workflows").rglob("*.py")) if "workflows.registry" in imported(file)
    ]

    assert guilty == []


def test_the_kernel_knows_no_procedure() -> None:
    """What is of every procedure is a procedure's own nowhere: no folder imports one.

    `local` alone has people and streams of messages who act on incidents by name.
    """
    names = tuple(f"{room}.{each.name}" for room in ("schemas", "workflows", "starter") for each in PROCEDURE_LIST)
    guilty = [
        f"{file.relative_to(PROJECT)}: {module}"
        for room in ("schemas", "workflows", "engine", "starter", "audit", "console")
        for file in sorted((PROJECT / room).glob("*/*.py"))
        for module in imported(file)
        if module in names or module.startswith(tuple(f"{name}_" for name in names))
    ]

    assert guilty == []


# What stands flat in a room, besides files of procedures: its doors, which wire or list what the folders hold.
FLAT = {
    "schemas": set[str](),
    "workflows": {"registry"},
    "engine": set[str](),
    "starter": {"app", "client", "serve", "wiring"},
    "audit": set[str](),
    "console": {"pages", "serve"},
    "local": set[str](),
}


@pytest.mark.parametrize("room", sorted(FLAT))
def test_a_flat_file_is_a_procedure(room: str) -> None:
    """Whatever is no procedure's stands in a folder that says what it is; a folder's face imports nothing."""
    names = tuple(each.name for each in PROCEDURE_LIST)
    flat = {file.stem for file in (PROJECT / room).glob("*.py")} - {"__init__"} - FLAT[room]
    faces = [file for file in (PROJECT / room).glob("*/__init__.py") if imported(file)]

    assert {
        stem for stem in flat if stem not in names and not stem.startswith(tuple(f"{name}_" for name in names))
    } == set()
    assert faces == []


@pytest.mark.parametrize("room", sorted(FLAT))
def test_no_two_folders_import_each_other(room: str) -> None:
    """Between two folders of a room all arrows point one way; the flat files stand above the folders."""
    arrows = {arrow: names for arrow, names in folder_arrows(room).items() if arrow[0] != arrow[1]}
    both_ways = {arrow: names for arrow, names in arrows.items() if arrow[::-1] in arrows}

    assert both_ways == {}


def folder_arrows(room: str) -> dict[tuple[str, str], list[str]]:
    """Return which folders of a room import which, with the files that do; "" is what stands flat."""
    files = {".".join(file.relative_to(PROJECT).with_suffix("").parts): file for file in (PROJECT / room).rglob("*.py")}
    found: dict[tuple[str, str], list[str]] = {}
    for name, file in files.items():
        for other in sorted(imported_modules(file) & files.keys()):
            found.setdefault((folder_of(name), folder_of(other)), []).append(f"{name} -> {other}")
    return found


def folder_of(module: str) -> str:
    """Return the folder of a module within its room; "" for a flat one."""
    return module.split(".")[1] if module.count(".") > 1 else ""


def imported_modules(file: Path) -> set[str]:
    """Return what a file may import as modules: `from a import b` may mean `a` or `a.b`."""
    found = imported(file)
    for node in imports(file):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


@EVERY_PROCEDURE
def test_a_procedure_has_one_basename_in_every_room(procedure: Procedure) -> None:
    """`git ls-files '*incident*'` lists the whole feature: schema, procedure, routes, policy, examples and doc.

    What cases of another procedure start has no address and no policy of its own; what its declaration opens, no file for that.
    """
    name = procedure.name
    walks = f"local/{name}_walks.py"
    told = walks if (PROJECT / walks).is_file() else f"tests/examples/{name}.py"
    wanted = [f"schemas/{name}.py", f"workflows/{name}.py", f"docs/procedures/{name}.md", told]
    if procedure.parent is None:
        derived = isinstance(procedure, DeclaredProcedure) and procedure.opens is not None and procedure.opens.body
        wanted += [f"policies/{name}.yaml", *([] if derived else [f"starter/{name}.py"])]

    assert [path for path in wanted if not (PROJECT / path).is_file()] == []


def test_the_workflows_package_is_empty() -> None:
    """Whatever `workflows/__init__.py` imported would be loaded again for every case."""
    assert (PROJECT / "workflows" / "__init__.py").read_text() == ""


def test_no_screen_is_a_procedure_s() -> None:
    """Forms, options and words of a procedure come from its declaration: no page, module or style of the console names one."""
    names = tuple(each.name for each in PROCEDURE_LIST)
    files = [file for file in (PROJECT / "console").rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    named = [file.name for file in files if any(name in file.stem.split("_") for name in names)]
    told = [
        f"{file.name}: {name}"
        for file in files
        if file.suffix in {".html", ".py"}
        for name in names
        if re.search(rf"""["'(]{name}["':.)]""", file.read_text(encoding="utf-8"))
    ]

    assert len(files) > 40
    assert (named, told) == ([], [])


def test_what_watches_a_town_loads_nothing_of_what_the_town_does() -> None:
    """It stays for as long as the town runs, and whatever it loads with it: fifty megabytes for what a server needs."""
    code = "import sys, local.commands.up_commands; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, check=True, capture_output=True, text=True
    ).stdout

    assert {*loaded.split()} & {"fastapi", "starlette", "jinja2", "httpx", "schemas.care", "temporalio.client"} == set()


def test_what_pytest_loads_as_a_plugin_nobody_imports() -> None:
    """Whoever is collected first would have it loaded before its asserts are rewritten: an error, in some orders of the files."""
    tests = sorted((PROJECT / "tests").rglob("*.py"))
    lines = [file.read_text().partition("pytest_plugins = (")[2].partition(")")[0] for file in tests]
    plugins = {name for line in lines for name in re.findall(r'"([\w.]+)"', line)}
    by_name = {(file.name, name) for file in tests for name in imported(file) & plugins}

    assert "tests.api_fixture" in plugins
    assert set() == by_name
