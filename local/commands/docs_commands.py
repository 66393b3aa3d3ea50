"""`jiceng docs`: the parts of docs/ that are drawn from the tables of the procedures."""

from rich.console import Console

from engine.runtime.settings import PROJECT
from schemas.words.diagram import with_pictures
from schemas.words.glossary import with_words
from workflows.registry import PROCEDURES

console = Console()


def docs() -> None:
    """Draw the generated parts of docs/ anew from the tables of the procedures."""
    glossary = PROJECT / "docs" / "GLOSSARY.md"
    declared = [case.procedure for case in PROCEDURES]
    glossary.write_text(with_words(glossary.read_text(encoding="utf-8"), declared), encoding="utf-8")
    console.print(f"docs/{glossary.name}")
    for case in PROCEDURES:
        page = PROJECT / "docs" / "procedures" / f"{case.procedure.name}.md"
        page.write_text(with_pictures(page.read_text(encoding="utf-8"), case.procedure), encoding="utf-8")
        console.print(f"docs/procedures/{page.name}")
