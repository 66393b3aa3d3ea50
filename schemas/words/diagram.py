"""The pictures of a procedure, drawn from its table and from nothing else, so that the docs cannot say something different."""

from schemas.kernel.declaration import DeclaredProcedure
from schemas.kernel.procedure import Procedure
from schemas.kernel.rules import By, Rule, Scope

BEGIN = "<!-- made from the table by `jiceng docs`: do not edit between here -->"
END = "<!-- and here -->"

_SCOPES = {
    Scope.REPORTER: " (本人)",
    Scope.HOLDER: " (承办部门)",
    Scope.AREA: "",
    Scope.ENGINE: "",
    Scope.ANYBODY: " (任何人)",
    Scope.NEIGHBOUR: " (任何居民)",
}


def mermaid(procedure: Procedure) -> str:
    """Return the stage diagram in Mermaid: an arrow per row and target, labelled with its command."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for rule in procedure.rules:
        for source in rule.at:
            for target in rule.to:
                arrows.setdefault((source.value, target.value), []).append(_label(rule))
    initial: str = next(iter(procedure.stages)).value
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {initial}"]
    for (start, end), labels in arrows.items():
        lines.append(f"    {start} --> {end}: {', '.join(dict.fromkeys(labels))}")
    left = {source for source, _ in arrows}
    lines += [f"    {stage.value} --> [*]" for stage in procedure.stages if stage.value not in left]
    return "\n".join([*lines, "```"])


def table(procedure: Procedure) -> str:
    """Return the table in Markdown: command, who, at which stages, to which; where people are kept apart, who from what."""
    apart = any(rule.apart_from or rule.moves_money for rule in procedure.rules)
    heads = ["command", "操作", "who", "from stage", "to stage", *(["not by who", "money"] if apart else [])]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for rule in procedure.rules:
        who = ", ".join(f"{entry.role}{_scope(entry)}" for entry in rule.by)
        target = ", ".join(rule.to) or "(unchanged)"
        cells = [_label(rule), rule.title, who, ", ".join(rule.at), target]
        if apart:
            cells += [", ".join(rule.apart_from), "moves" if rule.moves_money else ""]
        lines.append(f"| {' | '.join(cells)} |".replace("|  |", "| |"))
    return "\n".join(lines)


def opening(procedure: Procedure) -> str:
    """Return how a case is opened, as a sentence; of one that another case starts, by which procedure's."""
    opens = procedure.opens if isinstance(procedure, DeclaredProcedure) else None
    if opens is None:
        return f"Started by cases of `{procedure.parent}`."
    who = ", ".join(sorted(opens.by))
    return f"Opened with `POST {opens.path}` ({opens.zh}), by {who}."


def with_pictures(page: str, procedure: Procedure) -> str:
    """Return a page of docs/procedures with everything between the two marks drawn anew. Raises ValueError without them."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"docs/procedures/{procedure.name}.md lacks the marks between which the table is drawn")
    return f"{head}{BEGIN}\n\n{opening(procedure)}\n\n{mermaid(procedure)}\n\n{table(procedure)}\n\n{END}{tail}"


def _scope(entry: By) -> str:
    if entry.parts:
        return " (含片区)"
    return f" ({entry.seat})" if entry.scope is Scope.PARTICIPANT else _SCOPES[entry.scope]


def _label(rule: Rule) -> str:
    return f"({rule.command})" if rule.automatic else rule.command
