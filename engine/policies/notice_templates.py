"""Which templates the procedures send, with which facts: declared, or read from their source; no list can be out of date."""

import ast
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from engine.policies.policies import PolicyFaults, load_policy
from engine.policies.policy_files import PolicyFile
from engine.runtime.settings import PROJECT
from schemas.contracts.notice import CASE, NoticePolicy, ProcedureNotices, Wording, word_of
from schemas.kernel.procedure import Procedure

SOURCES = PROJECT / "workflows"
FILE = "notices.yaml"
FOLDER = "notices"
"""Beside it: a file of templates for each procedure that has its own, `notices/NAME.yaml`."""

ANY = "*"
"""Stands for what is filled in when the notice is sent: `incident_*`."""


def templates_used(procedures: Iterable[Procedure] = ()) -> dict[str, set[str]]:
    """Every template that a procedure sends, `*` for what is filled in, with the names of the facts it may have.

    What methods send is read from `workflows/`; what a line sends is declared.
    """
    used = {template: set(facts) for each in procedures for template, facts in each.notices.items()}
    for file in sorted(SOURCES.rglob("*.py")):
        for call in _notify_calls(ast.parse(file.read_text(encoding="utf-8"))):
            for template in _templates(call.args[1]):
                facts = {keyword.arg for keyword in call.keywords if keyword.arg is not None}
                used.setdefault(template, set()).update(facts)
    return used


def load_notice_policy(folder: Path, procedures: Iterable[Procedure] = ()) -> NoticePolicy:
    """Return policies/notices.yaml with the templates of policies/notices/, checked against what the procedures send.

    Raises PolicyFaults with all faults. Clocks of declared procedures are called as they are declared, unless the town's own
    file calls them otherwise.
    """
    procedures = tuple(procedures)
    files = [PolicyFile(folder / FILE), *map(PolicyFile, sorted((folder / FOLDER).glob("*.yaml")))]
    policy, own = files[0].read(NoticePolicy), [file.read(ProcedureNotices).templates for file in files[1:]]
    written = [policy.templates, *own]
    faults = [
        file.placed(f"templates.{name}: stands in another file too; remove one of them")
        for number, file in enumerate(files)
        for name in written[number]
        if any(name in templates for templates in written[:number])
    ]
    policy = policy.model_copy(
        update={"templates": {name: said for each in reversed(written) for name, said in each.items()}}
    )
    faults += [_placed(fault, files, written) for fault in policy.faults()]
    if not faults:
        faults += [_placed(fault, files, written) for fault in _template_faults(policy, templates_used(procedures))]
    if faults:
        raise PolicyFaults(faults)
    return policy.model_copy(update={"words": _clocks_in_words(procedures, policy.words) | policy.words})


def with_names(
    policy: NoticePolicy, procedures: Iterable[Procedure], folder: Path, departments: Sequence[str]
) -> NoticePolicy:
    """The same with what a procedure's own rules call by a code: a risk point, a shelter. Raises PolicyFaults.

    Of each procedure apart, for the codes of two may be alike; where the town's own file says a word of one, that is said.
    """
    known = tuple(procedures)
    rules = {each.name: load_policy(each, folder, departments).names() for each in known if each.policy is not None}
    found = {
        word_of(each.name, code): Wording(zh=name.zh, en=name.en)
        for each in known
        for code, name in rules.get(each.name if each.policy is not None else each.parent or "", {}).items()
    }
    return policy.model_copy(update={"words": found | policy.words})


def _placed(fault: str, files: Sequence[PolicyFile], written: Sequence[Mapping[str, Wording]]) -> str:
    """A fault of a template with its own file and line; every other stands in the town's own file."""
    template = fault.partition(":")[0].removeprefix("templates.")
    return next((file for file, each in zip(files, written, strict=True) if template in each), files[0]).placed(fault)


def _clocks_in_words(procedures: Iterable[Procedure], own: Container[str]) -> dict[str, Wording]:
    """Clocks by procedure, for two may mean something else by one code; and by code alone, as the first that has it says."""
    found: dict[str, Wording] = {}
    for each in procedures:
        for clock, words in each.clock_words.items():
            said = Wording(zh=words.zh, en=words.en)
            found.setdefault(clock, said)
            if clock not in own:
                found[word_of(each.name, clock)] = said
    return found


def _template_faults(policy: NoticePolicy, used: dict[str, set[str]]) -> Iterator[str]:
    for template in used:
        if not any(_is(template, name) for name in policy.templates):
            yield f"templates.{template}: the procedures send it; write zh and en"
    for name, wording in policy.templates.items():
        senders = [facts for template, facts in used.items() if template != ANY and _is(template, name)]
        facts = {CASE}.union(*senders)
        for field in sorted(wording.fields() - facts):
            if senders:
                yield f"templates.{name}: {{{field}}} is no fact of it; use {', '.join(sorted(facts))}"


def _is(template: str, name: str) -> bool:
    if ANY not in template:
        return template == name
    before, _, after = template.partition(ANY)
    return name.startswith(before) and name.endswith(after)


def _notify_calls(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "notify"
            and len(node.args) > 1
        ):
            yield node


def _templates(argument: ast.expr) -> Iterator[str]:
    match argument:
        case ast.Constant(value=str() as text):
            yield text
        case ast.JoinedStr(values=values):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else ANY for part in values)
        case ast.IfExp(body=body, orelse=orelse):
            yield from _templates(body)
            yield from _templates(orelse)
        case _:
            yield ANY  # a name from elsewhere: any template may be meant
