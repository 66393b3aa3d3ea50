"""The commands in the docs exist: every `jiceng …` and `make …` that somebody may copy, with its options and variables."""

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from cli import app
from local.stories.stories import named

PROJECT = Path(__file__).resolve().parent.parent
OF_THEIR_DAY = {"CHANGELOG.md", "decisions"}
"""What tells of another day, and is not written anew when a command gets another name."""
PAGES = sorted(
    page for page in [*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md")] if not OF_THEIR_DAY & {*page.parts}
)
MAKEFILE = (PROJECT / "Makefile").read_text(encoding="utf-8")

TARGETS = frozenset(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
VARIABLES = frozenset(re.findall(r"\$\(([A-Z_]+)\)", MAKEFILE)) | {"SEED"}
"""`SEED` too: what is sampled is drawn by it (tests/sampling.py)."""
JICENG = get_command(app())

_CODE_SPAN = re.compile(r"`([^`]+)`")
_REMARK = re.compile(r"\s#\s.*")
_END = re.compile(r"\s[|&;]\s|[);,。,;()]|\s&$")


def code_of(page: Path) -> Iterator[str]:
    """The lines of code blocks, and what stands between backticks elsewhere; without remarks, one line for a continued one."""
    fenced = False
    for line in page.read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif fenced or line.startswith("    "):
            yield _REMARK.sub("", line)
        else:
            yield from _CODE_SPAN.findall(line)


def said(program: str, page: Path) -> Iterator[list[str]]:
    """The words after each call of a program on a page; brackets, quotes and the options of `[…]` are words like others."""
    for code in code_of(page):
        for rest in re.split(rf"(?:^|[\s$(]){program}\s+", code)[1:]:
            yield re.sub(r"[\[\]'\"]", " ", _END.split(rest, maxsplit=1)[0]).split()


def faults_of(words: list[str]) -> list[str]:
    """What of a call of `jiceng` does not exist."""
    command: Any = JICENG
    called = "jiceng"
    for word in words:
        commands = getattr(command, "commands", {})
        if commands and re.fullmatch(r"[a-z][a-z-]*", word):
            if word not in commands:
                return [f"{called} has no command {word}"]
            command, called = commands[word], f"{called} {word}"
        elif word.startswith("--"):
            known = chain.from_iterable([*each.opts, *each.secondary_opts] for each in command.params)
            if word.partition("=")[0] not in {*known, "--help"}:
                return [f"{called} has no option {word}"]
    return []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_command_of_a_page_exists(page: Path) -> None:
    """Whoever copies a `jiceng` command from the docs calls one that there is, with options that it has."""
    assert [fault for words in said("jiceng", page) for fault in faults_of(words)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_target_of_a_page_is_in_the_makefile(page: Path) -> None:
    """Whoever copies a `make` command from the docs names a target, and variables, that the Makefile knows."""
    calls = [words for words in said("make", page) if words]

    assert [words[0] for words in calls if words[0] not in TARGETS] == []
    given = [word.partition("=")[0] for words in calls for word in words[1:] if "=" in word and word[0].isupper()]
    assert [name for name in given if name not in VARIABLES] == []


def test_the_docs_are_read_at_all() -> None:
    """The pages that people read first have commands, so that a reader of them that finds none is broken."""
    for name in ("README.md", "README.zh-CN.md", "docs/operations.md", "docs/api.md"):
        assert len(list(said("jiceng", PROJECT / name))) > 2, name
    assert faults_of(["audit", "verfy"]) == ["jiceng audit has no command verfy"]
    assert faults_of(["case", "list", "--late"]) == ["jiceng case list has no option --late"]


@pytest.mark.parametrize(
    ("page", "says"), [("README.md", r"play (\d+) stories"), ("README.zh-CN.md", r"自动演示(\d+)个故事")]
)
def test_the_demo_plays_as_many_stories_as_newcomers_are_told(page: str, says: str) -> None:
    """Who reads the first page of either language knows how much `make demo` plays."""
    assert re.findall(says, (PROJECT / page).read_text(encoding="utf-8")) == [str(len(named(None)))]
