"""What a procedure is to the rest of the house: its name, its state, its table and the shape of its commands."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, TypeVar, get_origin

from schemas.clocks.limits import Limit
from schemas.contracts.department import CallbackAct
from schemas.contracts.reservation import Reserves
from schemas.kernel.case import CaseState
from schemas.kernel.choices import Bounds, Choices
from schemas.kernel.explanation import Explain
from schemas.kernel.participants import AUDIENCE, hears
from schemas.kernel.policy import Policy
from schemas.kernel.reference_facts import References, Refers, declared_by
from schemas.kernel.rules import RulesTable
from schemas.kernel.screen_words import ScreenWords, words_of
from schemas.kernel.visibility import ELECTED
from schemas.kernel.words import ClockWords, StageWords
from schemas.values.actor import Actor, Role
from schemas.values.model import Model
from schemas.values.refusals import Fault

PartT = TypeVar("PartT")


class Command(Model):
    """The body of what a person or department does. Texts in it are references into the vault."""

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:  # noqa: ARG003 - most need no look at the case
        """Return what may stand in which field now, where the type of the field does not say it all."""
        return {}

    @classmethod
    def choices(cls, field: str, state: CaseState) -> tuple[Any, ...] | None:
        """Return the values that may be named in a field now; None where the case has no say in it."""
        found = cls.allowed(state).get(field)
        return found.values if isinstance(found, Choices) else None

    @classmethod
    def bounds(cls, field: str, state: CaseState) -> tuple[int | str | None, int | str | None] | None:
        """Return the least and the most that a field may be now, both included: whole numbers (money in fen), or months as YYYY-MM.

        None on one side: no bound there. None alone: the case has no say in it.
        """
        found = cls.allowed(state).get(field)
        return (found.at_least, found.at_most) if isinstance(found, Bounds) else None

    def not_theirs(self, state: CaseState, actor: Actor, now: datetime) -> tuple[Fault, ...]:  # noqa: ARG002 - most ask the table
        """Say what in the body is not for this very person to say, or not at this time of the town; empty when all is."""
        return ()

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Say what in the body does not fit this very case, all at once; empty when all does.

        A field is asked by what may stand in it (`allowed`); a command adds what its fields say only together.
        """
        said = ((field, allowed, getattr(self, field)) for field, allowed in type(self).allowed(state).items())
        return tuple(
            fault for field, allowed, value in said if value is not None for fault in allowed.faults(field, value)
        )

    @classmethod
    def listed(cls, policy: Policy | None) -> Mapping[str, Sequence[str]]:  # noqa: ARG003 - most fields hold nothing of a list
        """Return the codes of the town's own lists that may be named, by field; whoever names another one is told them."""
        return {}

    @classmethod
    def choices_by_field(cls, state: CaseState, policy: Policy | None) -> Mapping[str, Sequence[Any]]:
        """Return all that may be named now: by the case, and by the town's lists. `documents.*` is each of a list.

        `policy` is that of the case's procedure, or of its parent's.
        """
        of_case = {name: each.values for name, each in cls.allowed(state).items() if isinstance(each, Choices)}
        return cls.by_place({**cls.listed(policy), **of_case})

    @classmethod
    def by_place(cls, named: Mapping[str, Sequence[Any]]) -> Mapping[str, Sequence[Any]]:
        """The same, by where each stands in a body."""
        return {cls._place(name): values for name, values in named.items()}

    @classmethod
    def _place(cls, field: str) -> str:
        """The name of a field, or of each in a list of it."""
        return f"{field}.*" if get_origin(cls.model_fields[field].annotation) is tuple else field

    def not_what_was_seen(self, state: CaseState) -> Fault | None:  # noqa: ARG002 - only answers name what was seen
        """Say that it answers something else than what waits in this very case; None when it does not."""
        return None


@dataclass(frozen=True, eq=False)
class Procedure:
    """One of the town's procedures 业务流程, equal to itself alone. `name` is the basename of its files in every room.

    `titles` are what its entries are called on screens, by kind; `references` which of their facts refer to texts, persons and
    documents: no other is opened, whatever it looks like. `policy`: the shape of policies/NAME.yaml. `parent`: the
    procedure whose cases start cases of this one; it then has no policy and no address to start it, and goes by its
    parent's. `callbacks`: which command a report of a department's own system becomes. `reserves`: what only one living
    case of it may have at a time. `alike`: the fields of its state that are the same in two living cases of one area where both
    may be about one matter (冲突提示, schemas/contracts/likeness.py).

    For auditors: `explanations` say why an entry is as it is, by kind; `limits` (state, policy) are those of the clocks that
    are somebody's duty, as such a case would get them under a policy.

    As it is declared (schemas/kernel/): `stage_words` and `clock_words`, what they are called. `notices`: the templates that
    its lines send, each with the facts that stand in it; what its methods send is read from them
    (engine/policies/notice_templates.py). `keep_years`: for how many years after closing its people are kept where the town
    does not say otherwise (policies/privacy.yaml). `parts`: what it is composed of (schemas/parts/); whoever deals with a part
    in every procedure, such as public notices or the books of payments, asks for it, and for no procedure by name.
    `confidential`: an entry is for its audience alone (schemas/kernel/participants.py); of the others, whoever sees the case
    learns where it stands and what its clocks say, and no word. `hushed`: the clocks of which residents learn nothing there.
    """

    name: str
    title: str
    state: type[CaseState]
    stages: type[StrEnum]
    rules: RulesTable
    commands: Mapping[str, type[Command]]
    titles: Mapping[str, str]
    references: References
    policy: type[Policy] | None = None
    parent: str | None = None
    callbacks: Mapping[CallbackAct, str] = field(default_factory=dict)
    reserves: Reserves | None = None
    alike: tuple[str, ...] = ()
    explanations: Mapping[str, Explain] = field(default_factory=dict)
    limits: Callable[[Any, Any], Mapping[str, Limit]] | None = None
    stage_words: Mapping[str, StageWords] = field(default_factory=dict)
    clock_words: Mapping[str, ClockWords] = field(default_factory=dict)
    notices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    keep_years: int | None = None
    parts: tuple[object, ...] = ()
    confidential: bool = False
    hushed: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """A table and its commands that do not match are a fault of the program, found at import."""
        unmatched = set(self.rules.commands) ^ set(self.commands)
        if unmatched:
            raise TypeError(f"{self.name}: in the table or in the commands, but not in both: {sorted(unmatched)}")
        if unknown := set(self.callbacks.values()) - set(self.commands):
            raise TypeError(f"{self.name}: departments report what is no command: {sorted(unknown)}")
        if self.reserves is not None and self.parent is not None:
            raise TypeError(f"{self.name}: what it reserves is reserved at the door, and its cases come by none")
        if strange := set(self.references) - set(self.titles):
            raise TypeError(f"{self.name}: facts are declared of what is no entry: {sorted(strange)}")
        if (self.policy is None) == (self.parent is None):
            raise TypeError(f"{self.name}: a procedure has a policy of its own, or a parent whose policy it goes by")

    def part(self, kind: type[PartT]) -> PartT:
        """Return its part of a kind. Raises TypeError: it is not composed of one."""
        found = self.part_or_none(kind)
        if found is None:
            raise TypeError(f"{self.name} declares no {kind.__name__}")
        return found

    def part_or_none(self, kind: type[PartT]) -> PartT | None:
        """Return its part of a kind, if it is composed of one."""
        return next((each for each in self.parts if isinstance(each, kind)), None)

    def is_heard_by(self, actor: Actor, facts: Mapping[str, Any], state: CaseState) -> bool:
        """Say whether somebody who sees the case may learn what stands in an entry of it. `facts` are those of the entry."""
        if self.is_hushed(facts.get("clock"), actor) or not self.concerns(actor):
            return False
        return not self.confidential or hears(facts.get(AUDIENCE), actor, state.seats())

    def concerns(self, actor: Actor) -> bool:
        """Say whether it is a matter of this role's. Of whoever is elected it is where the table has a row for them."""
        return actor.role not in ELECTED or any(each.role is actor.role for rule in self.rules for each in rule.by)

    def is_hushed(self, clock: object, actor: Actor) -> bool:
        """Say whether somebody learns nothing of a clock, such as `attend:1`: it tells of what they do not hear."""
        return actor.role is Role.RESIDENT and isinstance(clock, str) and clock.partition(":")[0] in self.hushed

    @cached_property
    def words(self) -> ScreenWords:
        """What its codes are called on screens."""
        return words_of(self)

    def all_references(self) -> Mapping[str, Mapping[str, Refers]]:
        """What holds references in its cases: by kind of entry, and under its own name in the state of a case."""
        return {**self.references, self.name: declared_by(self.state)}
