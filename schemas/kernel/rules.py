"""The table of a procedure: stage x command x role. It is the only place where a permission stands.

The workflow validates with it, the API reports legal commands from it, the docs draw their diagram from it, and the
tests generate legal and illegal sequences from it.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cache, cached_property
from typing import Any, Protocol

from schemas.kernel.participants import Participant
from schemas.kernel.people import KEPT_FROM, Part, among, same_account
from schemas.kernel.screen_words import role_name, stage_name
from schemas.values.actor import Actor, Role
from schemas.values.area import inside
from schemas.values.refusals import Refusal, RefusalCode, say

Condition = Callable[[Any, Actor, datetime], str | None]
"""(state, actor, town time) -> None when it holds, else why not, for people."""


class Standing(Protocol):
    """What the table must know of a case to judge a command."""

    @property
    def stage(self) -> str:
        """Where the case stands."""

    @property
    def ended(self) -> bool:
        """No command can be given any more."""

    @property
    def area(self) -> str:
        """Code of the area the case lies in."""

    @property
    def department(self) -> str | None:
        """Code of the department that holds it."""

    @property
    def reporter_subject(self) -> str | None:
        """Account of the resident who reported it."""

    def took_part(self) -> Mapping[Part, tuple[str, ...]]:
        """The accounts of who took which part in it so far."""

    def seats(self) -> tuple[Participant, ...]:
        """Who has a seat in it now."""

    def requests(self) -> Mapping[Part, tuple[int, ...]]:
        """The numbers of what waits for another person's word."""


class Scope(StrEnum):
    """Whose cases a role may act on."""

    AREA = "area"  # the case lies in the area the actor is bound to
    HOLDER = "holder"  # the case is with the actor's department
    REPORTER = "reporter"  # the actor reported it
    ANYBODY = "anybody"  # whoever it is: the matter is posted for everybody
    NEIGHBOUR = "neighbour"  # any resident: a matter of all, of which nobody but its reporter sees the file
    PARTICIPANT = "participant"  # the actor has a seat of that kind in the case
    ENGINE = "engine"  # nobody: the case does it by itself


@dataclass(frozen=True)
class By:
    """A role and the cases it may act on. `seat`: the kind of seat that they have there, of `Scope.PARTICIPANT`.

    `parts`: also whoever works in a part of the area that the case lies in, and not in all of it.
    """

    role: Role
    scope: Scope = Scope.AREA
    seat: str | None = None
    parts: bool = False

    def covers(self, state: Standing, actor: Actor) -> bool:
        """Say whether this case is one of the actor's."""
        if self.scope in {Scope.ANYBODY, Scope.NEIGHBOUR}:
            return True
        if self.scope is Scope.PARTICIPANT:
            return any(seat.kind == self.seat and same_account(actor.subject, seat.subject) for seat in state.seats())
        if self.scope is Scope.REPORTER:
            return same_account(actor.subject, state.reporter_subject)
        if self.scope is Scope.HOLDER and actor.department != state.department:
            return False
        if actor.area is None or inside(state.area, actor.area):
            return True
        return self.parts and inside(actor.area, state.area)


@dataclass(frozen=True)
class Rule:
    """One row: who may give the command at which stages, where the case may stand afterwards, and what else must hold.

    `to` empty: the stage does not change. A row `by` the engine documents a step the case takes itself; nobody can command it.

    `moves_money`: it ends in a payment, a higher amount, another account or less debt. `apart_from`: who took one of these
    parts does not give it. `part`: what giving it makes of somebody. `answers`: parts that somebody must have taken before,
    because this is the word of a second person on theirs. Paths to money are walked over these (tests/laws/test_law_money.py).
    """

    command: str
    title: str
    by: tuple[By, ...]
    at: tuple[StrEnum, ...]
    to: tuple[StrEnum, ...] = ()
    conditions: tuple[Condition, ...] = field(default=())
    moves_money: bool = False
    apart_from: tuple[Part, ...] = ()
    part: Part | None = None
    answers: tuple[Part, ...] = ()

    @cached_property
    def automatic(self) -> bool:
        """The engine's own step, not a command."""
        return all(entry.scope is Scope.ENGINE for entry in self.by)

    def grants(self, state: Standing, actor: Actor) -> bool:
        """Role and scope fit."""
        return any(entry.role is actor.role and entry.covers(state, actor) for entry in self.by)

    def objection(self, state: Standing, actor: Actor, now: datetime) -> str | None:
        """What speaks against it, in words for people: a part the actor took, else the first condition that does not hold.

        An answer to what is asked by number waits for somebody who asks. `now` is town time. None: nothing speaks against it.
        """
        stands_against = (reason for condition in self.conditions if (reason := condition(state, actor, now)))
        return self._kept_apart(state, actor) or next(stands_against, None) or self._nothing_asked(state)

    def _nothing_asked(self, state: Standing) -> str | None:
        """Parts that are answered by the file itself have no numbers, and stand in no requests."""
        waiting = (
            [numbers for part, numbers in state.requests().items() if part in self.answers] if self.answers else []
        )
        return (
            say("现在没有待答复的事项", "nothing waits for this answer now") if waiting and not any(waiting) else None
        )

    def _kept_apart(self, state: Standing, actor: Actor) -> str | None:
        if not self.apart_from:
            return None
        took = state.took_part()
        return next(
            (KEPT_FROM[part] for part in self.apart_from if among(actor.subject, took.get(part, ()))),
            None,
        )


@dataclass(frozen=True)
class RulesTable:
    """All rows of a procedure."""

    rules: tuple[Rule, ...]

    def __iter__(self) -> Iterator[Rule]:
        """Iterate over the rows in the order they are written."""
        return iter(self.rules)

    @cached_property
    def commands(self) -> tuple[str, ...]:
        """Every command people can give, once each, in the order of the table."""
        return tuple(self._of_command)

    @cached_property
    def _of_command(self) -> Mapping[str, list[Rule]]:
        """The rows of each command that people can give."""
        rows: dict[str, list[Rule]] = {}
        for rule in self.rules:
            if not rule.automatic:
                rows.setdefault(rule.command, []).append(rule)
        return rows

    @cached_property
    def _roles_of(self) -> Mapping[str, tuple[Role, ...]]:
        """The roles that each of these commands is for, once each, in the order of the table."""
        return {
            command: tuple(dict.fromkeys(entry.role for rule in rows for entry in rule.by))
            for command, rows in self._of_command.items()
        }

    def is_for_neighbours(self, command: str, role: Role) -> bool:
        """Whether somebody of this role may give the command in a case that they do not see."""
        return any(
            entry.role is role and entry.scope is Scope.NEIGHBOUR
            for rule in self._of_command.get(command, ())
            for entry in rule.by
        )

    @cached_property
    def open_stages(self) -> frozenset[str]:
        """The stages at which anything can still be done."""
        return frozenset(stage for rule in self.rules for stage in rule.at)

    def legal(self, state: Standing, actor: Actor, now: datetime) -> tuple[str, ...]:
        """Return the commands this actor may give at this moment of town time, in the order of the table."""
        if state.ended:
            return ()
        return tuple(
            dict.fromkeys(
                rule.command
                for rule in self.rules
                if not rule.automatic
                and state.stage in rule.at
                and rule.grants(state, actor)
                and rule.objection(state, actor, now) is None
            )
        )

    def check(self, state: Standing, command: str, actor: Actor, now: datetime) -> Refusal | None:
        """Say why the command is refused, most basic reason first; None when it is legal. `now` is town time."""
        objection = self._first_objection(command, state, actor, now)
        if objection is None:
            return None
        code, detail = objection
        return Refusal(
            code=code,
            detail=detail,
            command=command,
            stage=state.stage,
            legal_commands=self.legal(state, actor, now),
        )

    def _first_objection(
        self, command: str, state: Standing, actor: Actor, now: datetime
    ) -> tuple[RefusalCode, str] | None:
        roles = self._roles_of.get(command, ())
        if actor.role not in roles:
            return RefusalCode.NOT_YOUR_ROLE, for_other_roles(roles)
        granted = [rule for rule in self._of_command[command] if rule.grants(state, actor)]
        if not granted:
            return RefusalCode.NOT_YOUR_CASE, say(
                "此案件不在您的部门、区域或名下", "this case is not with your department, in your area or your own"
            )
        if state.ended or state.stage not in self.open_stages:
            # A final stage: what the workflow still does outside, such as taking an order back, is nobody's to stop.
            return RefusalCode.CASE_ENDED, say("案件已经终结", "the case has ended")
        here = [rule for rule in granted if state.stage in rule.at]
        if not here:
            return RefusalCode.NOT_NOW, self._not_now(granted, state.stage)
        reasons = [rule.objection(state, actor, now) for rule in here]
        if any(reason is None for reason in reasons):
            return None
        return RefusalCode.AGAINST_THE_RULES, next(reason for reason in reasons if reason)

    def way(self, stage: str, goals: Collection[str]) -> tuple[Rule, ...] | None:
        """The fewest rows that bring a case from a stage to one of the goals, whoever takes them; None: it comes there no more."""
        asked = (stage, frozenset(goals))
        if asked not in self._ways:
            self._ways[asked] = self._found_way(stage, goals)
        return self._ways[asked]

    @cached_property
    def _ways(self) -> dict[tuple[str, frozenset[str]], tuple[Rule, ...] | None]:
        """Those that were asked for: as many as there are stages and commands at the most."""
        return {}

    def _found_way(self, stage: str, goals: Collection[str]) -> tuple[Rule, ...] | None:
        ways: dict[str, tuple[Rule, ...]] = {stage: ()}
        ahead = deque([stage])
        while ahead:
            here = ahead.popleft()
            if here in goals:
                return ways[here]
            for rule in self.rules:
                for there in rule.to if here in rule.at else ():
                    if there not in ways:
                        ways[there] = (*ways[here], rule)
                        ahead.append(there)
        return None

    @cached_property
    def _stages(self) -> Mapping[str, str]:
        """The stage of each code, with the words that it may bring."""
        return {each.value: each for rule in reversed(self.rules) for each in reversed((*rule.at, *rule.to))}

    def _not_now(self, granted: list[Rule], stage: str) -> str:
        """Where the case stands, where the command can be given, and what has to happen before."""
        stages = tuple(dict.fromkeys(each.value for rule in granted for each in rule.at))
        here, there = stage_name(self._stages.get(stage, stage)), [stage_name(self._stages[each]) for each in stages]
        chinese = f"案件处于“{here.zh}”环节,“{granted[0].title}”须在以下环节办理:"
        chinese += "、".join(each.zh for each in there)
        english = f"the case is at stage {here.en}; this can be done at: "
        english += ", ".join(each.en for each in there)
        way = self.way(stage, stages)
        if way is None:
            return say(f"{chinese};本案不会再到这些环节", f"{english}; it comes there no more")
        first = "、".join(f"{rule.title}({'或'.join(_names(rule, 'zh'))})" for rule in way)
        before = ", ".join(f"{_spaced(rule.command)} ({' or '.join(_names(rule, 'en'))})" for rule in way)
        return say(f"{chinese};尚待:{first}", f"{english}; still to come: {before}")


def for_other_roles(roles: Iterable[Role]) -> str:
    """That it is not for the caller's role, and for which it is."""
    return _for_others(tuple(roles))


@cache  # as many as there are rows: most refusals of a list of commands are of this kind
def _for_others(roles: tuple[Role, ...]) -> str:
    names = [role_name(role) for role in dict.fromkeys(roles)]
    return say(
        f"您的角色不能执行此操作,可执行的角色:{'、'.join(name.zh for name in names)}",
        f"your role may not do this; it is for: {', '.join(name.en for name in names)}",
    )


def _names(rule: Rule, language: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(getattr(role_name(entry.role), language) for entry in rule.by))


def _spaced(code: str) -> str:
    return code.replace("_", " ")
