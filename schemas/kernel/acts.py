"""The lines of a procedure, declared: what people do, and what a case does by itself."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import create_model

from schemas.contracts.department import CallbackAct
from schemas.kernel.case_file import Attach, Comment, Replan, Urge, room_for_a_document
from schemas.kernel.entries import EntryKind, EntryKinds
from schemas.kernel.parties import ADMIN, ENGINE
from schemas.kernel.people import Part
from schemas.kernel.procedure import Command
from schemas.kernel.rules import By, Condition, Rule
from schemas.values.references import TextReference

Stages = StrEnum | Sequence[StrEnum]


class Nothing(Command):
    """A command that says nothing but its name."""


class WithReason(Command):
    """A command that is nothing but its reason."""

    reason: TextReference


@dataclass(frozen=True)
class Tells:
    """Who is told, by which template (policies/notices/), and which facts stand in it: of the entry, else of the case.

    `to`: `reporter`, `role:CODE`, `department:CODE`, or `department` for the one that holds the case.
    """

    to: str
    template: str
    facts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Act:
    """What people do: a command, its row in the table, and what comes of it where it has no method of its own.

    `stops`, `starts`: clocks, by their names in `timers`. `holder`: who has to act next, as `Tells.to`; None: who had before.
    `adds`: attributes of the case that the entry says besides what stands in the command. `reported_as`: how a department's own
    system says it.
    """

    model: type[Command]
    rule: Rule
    entry: EntryKind | None = None
    stops: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    holder: str | None = None
    tells: Tells | None = None
    adds: tuple[str, ...] = ()
    reported_as: CallbackAct | None = None


@dataclass(frozen=True)
class Step:
    """What a case does by itself. `clock`: it does it when that clock has passed, at the stages of the row."""

    rule: Rule
    entry: EntryKind | None = None
    clock: str | None = None
    adds: tuple[str, ...] = ()
    tells: Tells | None = None


def act(
    model: type[Command],
    title: str,
    *,
    by: By | Sequence[By],
    at: Stages,
    to: Stages = (),
    name: str = "",
    meaning: str = "",
    when: Condition | Sequence[Condition] = (),
    moves_money: bool = False,
    apart_from: Sequence[Part] = (),
    part: Part | None = None,
    answers: Sequence[Part] = (),
    entry: EntryKind | None = None,
    stops: Sequence[str] = (),
    starts: Sequence[str] = (),
    holder: str | None = None,
    tells: Tells | None = None,
    adds: Sequence[str] = (),
    reported_as: CallbackAct | None = None,
) -> Act:
    """One line of the regulation: who does what at which stages, and what comes of it.

    `name`: of the command, where it is not that of the model. `meaning`: what it says, where the model does not: the command
    then has a model of its own, with the fields of that one. What the other arguments are, `Rule` and `Act` say.
    """
    rule = also(
        name or snake(model.__name__),
        title,
        by=by,
        at=at,
        to=to,
        when=when,
        moves_money=moves_money,
        apart_from=apart_from,
        part=part,
        answers=answers,
    )
    return Act(
        _named(model, rule, meaning), rule, entry, tuple(stops), tuple(starts), holder, tells, tuple(adds), reported_as
    )


def also(
    name: str,
    title: str,
    *,
    by: By | Sequence[By],
    at: Stages,
    to: Stages = (),
    when: Condition | Sequence[Condition] = (),
    moves_money: bool = False,
    apart_from: Sequence[Part] = (),
    part: Part | None = None,
    answers: Sequence[Part] = (),
) -> Rule:
    """A further row of a command: by other people, at other stages or under other conditions. Its method tells them apart."""
    return Rule(
        name,
        title,
        (by,) if isinstance(by, By) else tuple(by),
        _stages(at),
        _stages(to),
        (when,) if callable(when) else tuple(when),
        moves_money,
        tuple(apart_from),
        part,
        tuple(answers),
    )


def step(
    name: str,
    title: str,
    *,
    at: Stages,
    to: Stages = (),
    moves_money: bool = False,
    entry: EntryKind | None = None,
    clock: str | None = None,
    adds: Sequence[str] = (),
    tells: Tells | None = None,
) -> Step:
    """One line of what the case does by itself. `clock`: its name in `timers`; the step is taken when that clock has passed."""
    return Step(
        Rule(name, title, (ENGINE,), _stages(at), _stages(to), moves_money=moves_money),
        entry,
        clock,
        tuple(adds),
        tells,
    )


def file_acts(kinds: type[EntryKinds], *, by: Sequence[By], at: Stages, urged_by: Sequence[By]) -> tuple[Act, ...]:
    """催办, 备注, 附件, 重排期限: the lines that every procedure has (workflows/kernel/case_file.py); only who may is its own."""
    return (
        act(Urge, "催办", by=urged_by, at=at, entry=kinds.URGED),
        act(Comment, "备注", by=by, at=at, entry=kinds.COMMENTED),
        act(Attach, "附件", by=by, at=at, when=room_for_a_document, entry=kinds.ATTACHED),
        act(Replan, "重排期限", by=ADMIN, at=at),
    )


def snake(name: str) -> str:
    """The command of a model: `ProposeWriteOff` is `propose_write_off`."""
    return "".join(f"_{each.lower()}" if each.isupper() else each for each in name).removeprefix("_")


def _named(model: type[Command], rule: Rule, meaning: str) -> type[Command]:
    """The model of a command that has none of its own: as people see it in the description of the API."""
    if not meaning:
        if model in {Nothing, WithReason}:
            raise TypeError(f"{rule.command}: say its meaning, {model.__name__} says none")
        return model
    name = "".join(part.capitalize() for part in rule.command.split("_"))
    return create_model(name, __base__=model, __doc__=f"{rule.title}: {meaning}", __module__=model.__module__)


def _stages(given: Stages) -> tuple[StrEnum, ...]:
    each: Iterable[StrEnum] = (given,) if isinstance(given, StrEnum) else given
    return tuple(each)
