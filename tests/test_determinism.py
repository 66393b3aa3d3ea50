"""What runs in a workflow must give the same every time: in the sandbox that is checked, passed-through code is read here."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from workflows.registry import PROCEDURES

PROJECT = Path(__file__).resolve().parent.parent
ROOMS = ("schemas", "workflows")
# Modules through which time, chance or the machine come in. `datetime` and `hashlib` are fine, their clocks are not.
FORBIDDEN_MODULES = {
    "random", "secrets", "uuid", "os", "io", "pathlib", "socket", "subprocess", "threading", "multiprocessing", "tempfile",
    "time", "shutil", "sys", "platform", "glob", "signal", "logging", "zoneinfo", "urllib", "http", "sqlite3", "locale",
}  # fmt: skip
FORBIDDEN_CALLS = {"now", "utcnow", "today", "open", "input", "print", "id", "hash", "eval", "exec", "urandom"}
FORBIDDEN_IN_WORKFLOWS = {"sleep", "wait", "as_completed", "to_thread", "run_in_executor", "wait_for"}


def modules() -> list[Path]:
    return [file for room in ROOMS for file in sorted((PROJECT / room).rglob("*.py"))]


def called(node: ast.Call) -> tuple[str, str]:
    """The name a call ends in, and what stands before it."""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr, ast.unparse(node.func.value)
    return getattr(node.func, "id", ""), ""


def breaches(source: str, room: str) -> list[str]:
    """Everything in a source text that could give another result the next time."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.partition(".")[0] in FORBIDDEN_MODULES]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in FORBIDDEN_MODULES:
            found.append(node.module or "")
        elif isinstance(node, ast.Call):
            name, owner = called(node)
            ours = owner in ("workflow", "self", "self._state", "case") or owner.startswith("workflow")
            if (name in FORBIDDEN_CALLS and not ours) or (
                room == "workflows" and name in FORBIDDEN_IN_WORKFLOWS and owner == "asyncio"
            ):
                found.append(f"{owner}.{name}() in line {node.lineno}".lstrip("."))
        elif isinstance(node, ast.For | ast.comprehension) and isinstance(node.iter, ast.Set | ast.SetComp):
            found.append("iteration over a set: sort it")
    return found


@pytest.mark.parametrize("file", modules(), ids=lambda file: str(file.relative_to(PROJECT)))
def test_no_clock_no_chance_no_machine(file: Path) -> None:
    """Neither `schemas` nor `workflows` reads a clock, chance, a file or the machine: a replay would differ."""
    assert breaches(file.read_text(), file.relative_to(PROJECT).parts[0]) == []


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import datetime\ndatetime.now()",
        "import uuid",
        "from random import choice",
        "from os import environ",
        "for item in {1, 2}: pass",
        "open('x')",
        "hash('x')",
    ],
)
def test_each_way_out_of_determinism_is_seen(source: str) -> None:
    """The reader itself finds what it is there for."""
    assert breaches(source, "schemas")


def state_of_a_module(source: str) -> list[str]:
    """What a module could remember from one case to the next."""
    tree = ast.parse(source)
    changeable = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
    found = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Global | ast.Nonlocal)]
    holders: list[ast.Module | ast.ClassDef] = [
        tree,
        *(each for each in ast.walk(tree) if isinstance(each, ast.ClassDef)),
    ]
    for node in [each for holder in holders for each in holder.body]:
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, changeable):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if not ast.unparse(target).isupper() and not ast.unparse(target).startswith("_"):
                found.append(ast.unparse(target))
    return found


@pytest.mark.parametrize("file", sorted((PROJECT / "workflows").rglob("*.py")), ids=lambda file: file.name)
def test_a_module_of_a_procedure_remembers_nothing(file: Path) -> None:
    """Outside the sandbox all cases of a worker share the modules: what one left there, another would find."""
    assert state_of_a_module(file.read_text()) == []


def test_what_a_module_could_remember_is_seen() -> None:
    """The reader itself finds what it is there for."""
    assert state_of_a_module("seen = []\nclass Case:\n    known: dict = {}\ndef f():\n    global seen") == [
        "global seen",
        "seen",
        "known",
    ]


def test_a_case_reloads_the_kernel_and_nothing_more() -> None:
    """Inside the sandbox only the procedure and the kernel beside it are loaded anew; the rest passes through on purpose."""
    program = (
        "import asyncio, dataclasses, warnings\n"
        "from temporalio import workflow\n"
        "from engine.temporal import workflow_runner\n"
        "from workflows.registry import PROCEDURES\n"
        "runner = workflow_runner()\n"
        "policy = workflow.SandboxImportNotificationPolicy.WARN_ON_UNINTENTIONAL_PASSTHROUGH\n"
        "runner = dataclasses.replace(runner, restrictions=runner.restrictions.with_import_notification_policy(policy))\n"
        "async def load():\n"
        "    for case in PROCEDURES:\n"
        "        runner.prepare_workflow(workflow._Definition.must_from_class(case))\n"
        "with warnings.catch_warnings(record=True) as seen:\n"
        "    warnings.simplefilter('always')\n"
        "    asyncio.run(load())\n"
        "print(*sorted({str(warning.message).split()[1] for warning in seen}))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=PROJECT, check=False)

    kernel = {"workflows"} | {
        f"workflows.{name}" for name in ("boundary", "case", "case_file", "clock", "orders", "steps", "turns")
    }
    shared = ("workflows.kernel", "workflows.parts")
    procedures = tuple(f"workflows.{case.procedure.name}_" for case in PROCEDURES)
    reloaded = set(done.stdout.split())

    assert done.returncode == 0, done.stderr[-2000:]
    assert reloaded
    assert {name for name in reloaded - kernel if not name.startswith((*shared, *procedures))} == set()
