"""Explains any entry of any case: by its procedure's own word, by that of clocks, or by the row of the table that allowed it."""

from schemas.audit.clock_explained import CLOCK_EXPLANATIONS, changed_clocks
from schemas.kernel.case import CaseState, Entry
from schemas.kernel.explanation import Because, Explanation, Permission
from schemas.kernel.procedure import Procedure
from schemas.kernel.rules import Rule
from schemas.values.refusals import say

_FACTS_SHOWN_APART = ("clocks",)


def explain(procedure: Procedure, entry: Entry, state: CaseState, *, title: str, from_history: bool) -> Explanation:
    """Explain an entry. `state`: the case as it stood after it; `title`: what the entry is called on screens."""
    because = _because(procedure, entry, state)
    return Explanation(
        **dict(because),
        case_id=entry.case_id,
        procedure=procedure.name,
        seq=entry.seq,
        kind=entry.kind,
        title=title,
        at=entry.at,
        actor=entry.actor,
        policy_version=state.charter.policy_version,
        calendar_version=state.charter.calendar.version,
        permitted_by=_permissions(procedure, entry),
        facts={name: value for name, value in entry.facts.items() if name not in _FACTS_SHOWN_APART},
        hash=entry.hash,
        from_history=from_history,
    )


def _because(procedure: Procedure, entry: Entry, state: CaseState) -> Because:
    """By the procedure's own word, by that of clocks, or by the table; what the entry did to clocks is told in any case."""
    own, of_clock = procedure.explanations.get(entry.kind), CLOCK_EXPLANATIONS.get(entry.kind)
    if own is None and of_clock is not None:
        return of_clock(entry, state, procedure.words)
    because = own(entry, state) if own else _plain(procedure, entry)
    lines = (*because.arithmetic, *changed_clocks(entry, state, procedure.words))
    return because if of_clock is not None else because.model_copy(update={"arithmetic": lines})


def _plain(procedure: Procedure, entry: Entry) -> Because:
    if entry.stamp is None:
        return Because(
            rule=say(f"{procedure.title}的流程", f"the procedure {procedure.name}"),
            says=say("由流程自行记录,无人操作", "the case recorded it by itself; nobody commanded it"),
        )
    return Because(
        rule=say(f"{procedure.title}的权限表", f"the table of {procedure.name}"),
        says=say("由有权限的人依表办理", "somebody whom the table allows it did it"),
        inputs={"command": entry.stamp.command, "command_digest": entry.command_digest},
    )


def _permissions(procedure: Procedure, entry: Entry) -> tuple[Permission, ...]:
    """The rows by which the command was legal for this role; of several, which one it was depends on the stage before."""
    if entry.stamp is None:
        return ()
    return tuple(
        _permission(rule)
        for rule in procedure.rules
        if rule.command == entry.stamp.command
        and not rule.automatic
        and any(by.role is entry.stamp.actor.role for by in rule.by)
    )


def _permission(rule: Rule) -> Permission:
    return Permission(
        command=rule.command,
        title=rule.title,
        by=tuple(f"{by.role}/{by.scope}" for by in rule.by),
        at=tuple(str(stage) for stage in rule.at),
        to=tuple(str(stage) for stage in rule.to),
        conditions=(
            *(f"apart_from:{part}" for part in rule.apart_from),
            *(condition.__name__.strip("_") for condition in rule.conditions),
        ),
    )
