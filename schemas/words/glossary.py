"""The words of declared procedures as docs/GLOSSARY.md has them: drawn from the declarations, so that they are said once."""

from collections.abc import Iterable, Iterator

from schemas.kernel.procedure import Procedure

BEGIN = "<!-- made from the declarations by `jiceng docs`: do not edit between here -->"
END = "<!-- and here -->"


def with_words(page: str, procedures: Iterable[Procedure]) -> str:
    """The page with everything between the two marks drawn anew. Raises ValueError without them."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError("docs/GLOSSARY.md lacks the marks between which the words of declared procedures are drawn")
    drawn = "\n".join(line for each in procedures if each.stage_words for line in _words(each))
    return f"{head}{BEGIN}\n\n{drawn}\n{END}{tail}"


def _words(procedure: Procedure) -> Iterator[str]:
    titles = {rule.command: rule.title for rule in procedure.rules if not rule.automatic}
    yield f"### `{procedure.name}` {procedure.title}\n"
    yield from _table(
        ("stage", "中文", "for residents", "in English"),
        ((code, words.screen, words.zh, words.en) for code, words in procedure.stage_words.items()),
    )
    yield from _table(("command", "中文"), titles.items())
    yield from _table(
        ("clock", "中文", "in English"), ((code, words.zh, words.en) for code, words in procedure.clock_words.items())
    )


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield "|---" * len(heads) + "|"
    for code, *words in rows:
        yield f"| `{code}` | {' | '.join(words)} |"
    yield ""
