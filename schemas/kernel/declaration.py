"""A procedure declared once. Its table, commands, titles, words, references, limits and explanations follow from its lines.

What is declared is form; what people's commands mean beyond it stands in methods of the workflow (workflows/kernel/).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Protocol

from schemas.clocks.limits import Limit
from schemas.contracts.department import CallbackAct
from schemas.contracts.reservation import Reserves
from schemas.kernel.acts import Act, Step
from schemas.kernel.entries import EntryKind, EntryKinds
from schemas.kernel.explanation import Explain
from schemas.kernel.openings import OpeningBody, Opens
from schemas.kernel.policy import Policy
from schemas.kernel.procedure import Procedure
from schemas.kernel.reference_facts import References, declared_by
from schemas.kernel.rules import Rule, RulesTable
from schemas.kernel.state import DeclaredState, OpenedState
from schemas.kernel.timers import Timer, TimerKind, kind_at
from schemas.kernel.words import ClockWords, DeclaredStage, StageWords


class ProcedurePart(Protocol):
    """What a procedure is composed of (schemas/parts/): its lines, clocks and fields stand in the declaration beside others."""

    def faults(
        self, state: type[DeclaredState], timers: Mapping[str, Timer], lines: Sequence[Act | Step | Rule]
    ) -> Iterator[str]:
        """Say what the part needs of the declaration, and does not find there."""


@dataclass(frozen=True)
class EndNotice:
    """Who is told of the end, by the template `PROCEDURE_STAGE`; `facts` of the last entry stand in it, by final stage.

    `to` is in a form of `Tells.to`.
    `stages`: the ends that are told so; None: every one.
    """

    to: str
    facts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    stages: tuple[str, ...] | None = None

    def tells_of(self, stage: str) -> bool:
        """Whether it is told of this end."""
        return self.stages is None or stage in self.stages


@dataclass(frozen=True, eq=False, kw_only=True)
class DeclaredProcedure(Procedure):
    """A procedure that was declared once. `final`: the stages at which nothing can happen any more."""

    acts: Mapping[str, Act]
    steps: tuple[Step, ...]
    timers: Mapping[str, Timer]
    opened: EntryKind
    end_notice: EndNotice | None
    final: frozenset[str]
    opens: Opens | None

    @property
    def last_limit(self) -> str:
        """The clock that runs after the last tier."""
        return next(name for name, timer in self.timers.items() if timer.kind is TimerKind.LAST)

    def end_template(self, stage: str) -> str:
        """The template of the notice that a case has ended at this stage."""
        return _end_template(self.name, stage)


def declare(
    name: str,
    title: str,
    *,
    state: type[DeclaredState],
    stages: type[DeclaredStage],
    entries: type[EntryKinds],
    opened: EntryKind,
    timers: Mapping[str, Timer],
    lines: Sequence[Act | Step | Rule],
    end_notice: EndNotice | None = None,
    policy: type[Policy] | None = None,
    parent: str | None = None,
    opens: Opens | None = None,
    limits: Callable[[Any, Any], Mapping[str, Limit]] | None = None,
    keep_years: int | None = None,
    reserves: Reserves | None = None,
    alike: Sequence[str] = (),
    parts: Sequence[ProcedurePart] = (),
    confidential: bool = False,
) -> DeclaredProcedure:
    """Make the procedure of its lines, in the order of the regulation.

    `opened`: its first entry; `opens`: who makes it. `end_notice` None: its methods tell of the end. `limits`: those of a
    case under other rules, where they are not simply those that its clocks name there. `parts`: what it is composed of.
    `confidential`: as `Procedure` says.

    Raises TypeError, at import, for lines that do not fit each other: see `_faults`.
    """
    acts = {line.rule.command: line for line in lines if isinstance(line, Act)}
    steps = tuple(line for line in lines if isinstance(line, Step))
    rules = RulesTable(tuple(line if isinstance(line, Rule) else line.rule for line in lines))
    of_parts = chain.from_iterable(part.faults(state, timers, lines) for part in parts)
    strange = (
        f"cases are alike by {name}, which the state has not" for name in alike if name not in state.model_fields
    )
    opening = [*_opening_faults(state, opens, timers), *_guest_faults(opens, rules)]
    if faults := [*_faults(state, timers, lines), *opening, *strange, *of_parts]:
        raise TypeError(f"{name}: {'; '.join(faults)}")
    final = _final(stages, rules)
    return DeclaredProcedure(
        name=name,
        title=title,
        state=state,
        stages=stages,
        rules=rules,
        commands={command: each.model for command, each in acts.items()},
        titles={str(kind): kind.called for kind in entries.kinds},
        references=_references(entries, acts.values(), opened, opens),
        policy=policy,
        parent=parent,
        callbacks=_callbacks(acts),
        reserves=reserves,
        alike=tuple(alike),
        keep_years=keep_years,
        parts=tuple(parts),
        confidential=confidential,
        hushed=frozenset(clock for clock, timer in timers.items() if timer.hushed),
        explanations=_explanations(entries),
        limits=limits or _limits_under(timers),
        stage_words=_stage_words(stages),
        clock_words=_clock_words(timers),
        notices=_notices(name, lines, final, end_notice, opens),
        acts=acts,
        steps=steps,
        timers=timers,
        opened=opened,
        end_notice=end_notice,
        final=final,
        opens=opens,
    )


def _faults(
    state: type[DeclaredState], timers: Mapping[str, Timer], lines: Sequence[Act | Step | Rule]
) -> Iterator[str]:
    """What does not fit: a command declared twice, a clock or a place in the terms that is not there."""
    commands = [line.rule.command for line in lines if isinstance(line, Act)]
    for command in dict.fromkeys(commands):
        if commands.count(command) > 1:
            yield f"{command} is declared twice"
    for line in (each for each in lines if not isinstance(each, Rule)):
        named = (*line.starts, *line.stops) if isinstance(line, Act) else filter(None, (line.clock,))
        yield from (f"{line.rule.command} names {clock}, which is no clock" for clock in named if clock not in timers)
    if sum(timer.kind is TimerKind.LAST for timer in timers.values()) != 1:
        yield "one clock is the last limit, and no more than one"
    terms = state.model_fields["terms"].annotation
    for clock, (path, wanted) in chain.from_iterable(
        ((clock, asked) for asked in timer.paths().items()) for clock, timer in timers.items()
    ):
        found = kind_at(terms, path)
        if getattr(found, "__origin__", found) is not wanted:
            yield f"{clock}: at {path} of the terms stands no {wanted.__name__}"


def _opening_faults(state: type[DeclaredState], opens: Opens | None, timers: Mapping[str, Timer]) -> Iterator[str]:
    """What does not fit in the line that opens a case: a clock that is none, a state that cannot hold what is sent."""
    if opens is None:
        return
    yield from (f"{opens.name} names {clock}, which is no clock" for clock in opens.starts if clock not in timers)
    yield from opens.question_faults()
    if opens.body is None:
        return
    if not issubclass(state, OpenedState):
        yield f"{opens.name} opens the case by its declaration, so its state is an OpenedState"
    lacking = set(opens.body.model_fields) - set(state.model_fields) - {"on_behalf_of", opens.body.person_name}
    yield from (f"{opens.name}: the state has no {name} to keep it in" for name in sorted(lacking))
    if opens.body.person_name is not None:
        yield from _name_faults(opens.body, opens.body.person_name, state)


def _guest_faults(opens: Opens | None, rules: RulesTable) -> Iterator[str]:
    """What must not be in a procedure that is opened without an account: nobody knows who they are, or whether they are many."""
    if opens is None or not opens.questions:
        return
    paid = dict.fromkeys(rule.command for rule in rules if rule.moves_money)
    yield from (f"{opens.name} asks for no account, and {command} moves money" for command in paid)


def _name_faults(body: type[OpeningBody], name: str, state: type[DeclaredState]) -> Iterator[str]:
    """Where the name of whose case it is would stand besides in the vault: plain text in history and ledger."""
    if name not in body.model_fields:
        yield f"{body.__name__} has no {name}, where the name is to be"
    if name in state.model_fields:
        yield f"{name} is kept with the person in the vault, so the state has no field for it"
    if name not in body.unsaid:
        yield f"{name} is kept with the person in the vault, so it is unsaid in the first entry"


def _references(entries: type[EntryKinds], acts: Iterable[Act], opened: EntryKind, opens: Opens | None) -> References:
    """Of each kind: what was declared of it, and the references of the command or the opening that makes it."""
    found: dict[str, dict[str, Any]] = {str(kind): dict(kind.references) for kind in entries.kinds}
    if opens is not None and opens.body is not None:
        said = declared_by(opens.body).items()
        found[str(opened)] |= {path: refers for path, refers in said if _field_of(path) not in opens.body.unsaid}
    for each in acts:
        if each.entry is not None:
            found[str(each.entry)] |= declared_by(each.model)
    return {kind: facts for kind, facts in found.items() if facts}


def _field_of(path: str) -> str:
    """The field in which a place is: `documents` of `documents[].reference`."""
    return path.partition(".")[0].removesuffix("[]")


def _notices(
    name: str,
    lines: Iterable[Act | Step | Rule],
    final: Iterable[str],
    end_notice: EndNotice | None,
    opens: Opens | None,
) -> Mapping[str, tuple[str, ...]]:
    """The templates of its lines, of its opening and of its ends."""
    told = {each.tells.template: each.tells.facts for each in lines if not isinstance(each, Rule) and each.tells}
    if opens is not None and opens.tells is not None:
        told[opens.tells.template] = opens.tells.facts
    if end_notice is None:
        return told
    ends = (stage for stage in sorted(final) if end_notice.tells_of(stage))
    return told | {_end_template(name, stage): end_notice.facts.get(stage, ()) for stage in ends}


def _end_template(name: str, stage: str) -> str:
    return f"{name}_{stage}"


def _callbacks(acts: Mapping[str, Act]) -> Mapping[CallbackAct, str]:
    return {each.reported_as: command for command, each in acts.items() if each.reported_as is not None}


def _explanations(entries: type[EntryKinds]) -> Mapping[str, Explain]:
    return {str(kind): kind.because for kind in entries.kinds if kind.because is not None}


def _stage_words(stages: type[DeclaredStage]) -> Mapping[str, StageWords]:
    return {stage.value: stage.words for stage in stages}


def _clock_words(timers: Mapping[str, Timer]) -> Mapping[str, ClockWords]:
    return {clock: timer.words for clock, timer in timers.items()}


def _final(stages: type[DeclaredStage], rules: RulesTable) -> frozenset[str]:
    """The stages at which no row begins."""
    rows: tuple[Rule, ...] = rules.rules
    return frozenset(stage.value for stage in stages) - {stage.value for rule in rows for stage in rule.at}


def _limits_under(timers: Mapping[str, Timer]) -> Callable[[Any, Any], Mapping[str, Limit]]:
    def limits(state: Any, policy: Any) -> Mapping[str, Limit]:
        return {
            name: timer.limit_under(policy.terms, state)
            for name, timer in timers.items()
            if timer.kind is TimerKind.DUTY and timer.limit is not None
        }

    return limits
