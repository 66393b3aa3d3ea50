"""The docs say what the code does: drawn tables are up to date, every procedure, kind, clock and setting is written down."""

import ast
import re
from pathlib import Path

import pytest

from engine.runtime.settings import Settings
from schemas.kernel.procedure import Procedure
from schemas.words.diagram import with_pictures
from schemas.words.glossary import with_words
from tests.every_procedure import PROCEDURE_LIST

PROJECT = Path(__file__).resolve().parent.parent


def page(name: str) -> str:
    return (PROJECT / "docs" / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("procedure", PROCEDURE_LIST, ids=lambda procedure: procedure.name)
def test_the_drawn_table_is_the_table(procedure: Procedure) -> None:
    """The stage diagram and the table of a procedure's page are those of its rules: run `jiceng docs` after a change."""
    written = page(f"procedures/{procedure.name}.md")

    assert with_pictures(written, procedure) == written


@pytest.mark.parametrize("procedure", PROCEDURE_LIST, ids=lambda procedure: procedure.name)
def test_every_procedure_and_stage_is_in_the_glossary(procedure: Procedure) -> None:
    """A word of a procedure that stands in the data stands in docs/GLOSSARY.md, with its Chinese term."""
    glossary = page("GLOSSARY.md")

    assert [
        word for word in (procedure.name, *procedure.stages, *procedure.commands) if f"`{word}`" not in glossary
    ] == []


def test_the_words_of_declared_procedures_are_drawn_from_them() -> None:
    """What the glossary says of a declared procedure is what it declares: run `jiceng docs` after a change."""
    written = page("GLOSSARY.md")

    assert with_words(written, PROCEDURE_LIST) == written


def test_every_setting_is_documented() -> None:
    """Each JICENG_ variable is explained in docs/settings.md."""
    written = page("settings.md")

    assert [name for name in Settings.model_fields if f"`JICENG_{name.upper()}`" not in written] == []


def test_every_test_states_its_rule() -> None:
    """A test is a rule: its docstring says it in a sentence."""
    silent = [
        f"{file.name}: {node.name}"
        for file in sorted((PROJECT / "tests").rglob("test_*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
    ]

    assert silent == []


def test_links_between_pages_lead_somewhere() -> None:
    """A relative link in README, CONTRIBUTING, CHANGELOG or docs/ names a file that exists."""
    pages = [*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md")]
    broken = [
        f"{file.relative_to(PROJECT)}: {link}"
        for file in pages
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", file.read_text(encoding="utf-8"))
        if not (file.parent / link).exists()
    ]

    assert broken == []
