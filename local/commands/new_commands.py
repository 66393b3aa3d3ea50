"""`jiceng new procedure NAME`: the files of a small procedure, made from a template, and its line in the registry."""

import keyword
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from engine.runtime.operator_error import OperatorError
from engine.runtime.settings import PROJECT
from local.town.cli_errors import errors

TEMPLATE = Path(__file__).parents[1] / "procedure_template"
ROOMS = ("schemas", "workflows", "starter", "local", "policies")
"""Where a procedure's files are found by its name."""

FILES: Mapping[str, str] = {
    "schemas.py.txt": "schemas/{name}.py",
    "workflows.py.txt": "workflows/{name}.py",
    "policies.yaml.txt": "policies/{name}.yaml",
    "notices.yaml.txt": "policies/notices/{name}.yaml",
    "walks.py.txt": "local/{name}_walks.py",
    "docs.md.txt": "docs/procedures/{name}.md",
}
"""Where each file of the template goes: one basename in every room."""

REGISTRY = "workflows/registry.py"
NEXT = """Next, in this order:
    .venv/bin/jiceng docs                              draws its table and its words
    .venv/bin/python -m tests.entry_kinds              writes down which entries each walk makes
    .venv/bin/python -m tests.histories {name}   records its walks, for ever
    make test                                          the laws run on it
Then write the regulation: CONTRIBUTING.md, "Adding a procedure"."""

new_app = typer.Typer(no_args_is_help=True, help="新建 Begin something new from a template.", callback=lambda: None)
console = Console()


class NotNew(OperatorError):
    """The name is no name, or is taken."""


@new_app.command("procedure")
def procedure(
    name: Annotated[str, typer.Argument(help="in lower case: `contest`")],
    title: Annotated[str, typer.Option(help="what it is called in Chinese")] = "新业务",
) -> None:
    """新业务流程 Make the files of a procedure that is whole and passes every law, and its line in the registry."""
    try:
        for file in make_procedure(PROJECT, name, title):
            console.print(file)
    except NotNew as fault:
        errors.print(f"[red]{escape(str(fault))}[/red]")
        raise typer.Exit(1) from None
    console.print(NEXT.format(name=name))


def make_procedure(project: Path, name: str, title: str) -> list[str]:
    """Write the files and the line; their paths. Raises NotNew, and then nothing is written."""
    if not re.fullmatch(r"[a-z][a-z0-9]{1,30}", name):
        raise NotNew(f"{name!r} is no name of a procedure: write one word in lower case letters, such as contest")
    if keyword.iskeyword(name) or (in_the_way := [room for room in ROOMS if _stands(project / room / name)]):
        where = "Python" if keyword.iskeyword(name) else ", ".join(in_the_way)
        raise NotNew(f"{name} means something else already in {where}; choose another name")
    files = {path.format(name=name): _filled(TEMPLATE / template, name, title) for template, path in FILES.items()}
    if taken := [path for path in files if (project / path).exists()]:
        raise NotNew(f"{', '.join(taken)} is there already; choose another name")
    registry = project / REGISTRY
    text = registry.read_text(encoding="utf-8")
    head, end, rest = text.partition("\n)\n")
    if not end or "NAMES = (" not in head:
        raise NotNew(f"{REGISTRY} has no list of NAMES to add a line to; add it by hand")
    for path, content in files.items():
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_text(content, encoding="utf-8")
    registry.write_text(f'{head}\n    "{name}",{end}{rest}', encoding="utf-8")
    return [*files, REGISTRY]


def _stands(place: Path) -> bool:
    """Whether a folder or a module of this name is there."""
    return place.is_dir() or place.with_suffix(".py").exists()


def _filled(template: Path, name: str, title: str) -> str:
    text = template.read_text(encoding="utf-8")
    words = {"{{name}}": name, "{{Name}}": name.capitalize(), "{{NAME}}": name.upper(), "{{title}}": title}
    for mark, word in words.items():
        text = text.replace(mark, word)
    return text
