"""The house: who may import whom (docs/ARCHITECTURE.md), and one basename per procedure in every room."""

import ast
import sys
from pathlib import Path

import pytest

from schemas.kernel.declaration import DeclaredProcedure
from schemas.procedure import Procedure
from tests.every_procedure import EVERY_PROCEDURE, PROCEDURE_LIST

PROJECT = Path(__file__).resolve().parent.parent
ROOMS = {
    "schemas": {"pydantic", "pydantic_core"},
    "workflows": {"schemas", "temporalio"},
    "engine": {"schemas"},
    "activities": {"schemas", "engine"},
    "starter": {"schemas", "engine", "workflows", "audit"},
    "audit": {"schemas", "engine", "workflows", "activities"},
}
OURS = {"schemas", "workflows", "engine", "activities", "starter", "audit", "local", "worker", "cli"}
ONLY_SCHEMAS_AND_WORKFLOWS = {"schemas", "workflows"}  # rooms whose third-party imports are closed too


def modules() -> list[Path]:
    return [file for room in ROOMS for file in sorted((PROJECT / room).rglob("*.py"))]


def imported(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
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
    """What is declared of every procedure is a procedure's own nowhere: `schemas/kernel` and `workflows/kernel` import none."""
    names = tuple(f"{room}.{each.name}" for room in ("schemas", "workflows") for each in PROCEDURE_LIST)
    guilty = [
        f"{file.relative_to(PROJECT)}: {module}"
        for room in ("schemas", "workflows")
        for file in sorted((PROJECT / room / "kernel").rglob("*.py"))
        for module in imported(file)
        if module in names or module.startswith(tuple(f"{name}_" for name in names))
    ]

    assert guilty == []


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
