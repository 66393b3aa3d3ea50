"""Walks in words, `local/NAME_walks.py`: the ways a case can go, once for tests, for the stories of the demo and for chaos.

    walk("main", "applicant comment, street accept, (contest:awarded), applicant claim, street verify", "closed")

Who, what; in brackets the entry that is waited for, however many days the town takes until then. A body that nobody writes is
made of the shape of its command. `A_DOCUMENT` in a body stands for a document that whoever gives it uploads first.
"""

import importlib
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from local.simulation.townspeople import Persona
from schemas.kernel.answers import AnswerTo
from schemas.kernel.declaration import DeclaredProcedure
from schemas.kernel.procedure import Procedure
from schemas.values.actor import Role
from starter.http.command_bodies import command_body_of
from starter.http.samples import sample

A_DOCUMENT: Mapping[str, str] = {"document": "uploaded first"}
"""Stands where a document is to be; replaced by one of the giver's own before the body is sent."""

USUAL_PEOPLE: Mapping[str, Persona] = {
    "applicant": Persona("resident-he", Role.RESIDENT),
    "stranger": Persona("resident-li", Role.RESIDENT),
    "clerk": Persona("clerk-qian", Role.WINDOW_CLERK),
    "grid_worker": Persona("grid-zhao", Role.GRID_WORKER),
    "street_officer": Persona("street-feng", Role.STREET_OFFICER),
    "officer": Persona("officer-cheng", Role.DEPARTMENT_OFFICER, department="urban-management"),
    "coordinator": Persona("coordinator-sun", Role.COORDINATOR),
    "committee": Persona("committee-yu", Role.COMMITTEE_OFFICER),
    "partner": Persona("partner-chen", Role.PARTNER),
    "civil": Persona("civil-wu", Role.CIVIL_AFFAIRS_OFFICER),
    "supervisor": Persona("supervisor-zhou", Role.SUPERVISOR),
    "admin": Persona("admin-wu", Role.ADMIN),
    "auditor": Persona("auditor-zheng", Role.AUDITOR),
}
"""One of each role; a procedure adds only whom it has twice."""

SendDocument = Callable[[], Awaitable[Mapping[str, Any]]]
"""Uploads a file as whoever gives the body, and gives what the town answers."""


@dataclass(frozen=True)
class WalkStep:
    """One command: who gives it, and its body if not the usual one. `after`: the entry, and its how many-th, waited for before."""

    by: str
    command: str
    body: Mapping[str, Any] | None = None
    after: tuple[str, int] | None = None


@dataclass(frozen=True)
class WrittenWalk:
    """A way, and the stage at which the case stands then. `opening`: how it starts, if not in the usual way.

    `bank`: it goes on when a bank has paid. Tests have none, people settle there by hand; it is for the demo and for chaos.
    `staged`: a longer way to an end, which a story tells and no test goes. `orders`: which departments with a system of their own
    got one in a story, and what each reported; `told`: entries that stand there more often than their commands were given.
    """

    name: str
    steps: tuple[WalkStep, ...]
    stage: str
    opening: Mapping[str, Any] | None = None
    bank: bool = False
    staged: bool = False
    orders: tuple[tuple[str, tuple[str, ...]], ...] = ()
    told: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Walks:
    """The walks of a procedure. The first is the main one; it waits for nothing, so that it can be gone in real time.

    `opening`, `bodies`: the usual ones; `left_alone`: where a case stands in the end that nobody looks at. `stories`: the
    walks that the demo plays, by name, with their titles in Chinese and English; `asked_for`: those that it plays when somebody
    asks for them by name; `speed` of their clocks. `explained`: what the explanation of an entry says to auditors, by walk and
    kind. `asks_outside`: on a walk that waits for nothing a case asks a department, a source or the bank. `ended_by`: the steps by
    which people end a case that silence does not end, as in a walk: those that can be taken where it stands.
    """

    starter: str
    opening: Mapping[str, Any]
    left_alone: str
    walks: tuple[WrittenWalk, ...]
    people: Mapping[str, Persona] = field(default_factory=lambda: USUAL_PEOPLE)
    bodies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    stories: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    asked_for: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    speed: int = 20_000
    asks_outside: bool = False
    explained: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    ended_by: str = ""

    def body_of(self, procedure: Procedure, step: WalkStep) -> Mapping[str, Any]:
        """What is sent, but for documents: that of the step, else the usual one, else one made of the command's shape."""
        if step.body is not None:
            return step.body
        written = self.bodies.get(step.command)
        return made_body(procedure, step.command) if written is None else written


def walk(
    name: str,
    way: str,
    stage: str,
    *,
    opening: Mapping[str, Any] | None = None,
    bank: bool = False,
    staged: bool = False,
    orders: tuple[tuple[str, tuple[str, ...]], ...] = (),
    told: Mapping[str, int] | None = None,
    **bodies: Mapping[str, Any] | Sequence[Mapping[str, Any]],
) -> WrittenWalk:
    """Read a walk. `bodies`: by command, where it is not the usual one; several, one for each time, the last one for all further.

    Raises ValueError for a step that is no step.
    """
    steps: list[WalkStep] = []
    waited: Counter[str] = Counter()
    given: Counter[str] = Counter()
    after: tuple[str, int] | None = None
    for said in filter(None, (each.strip() for each in way.split(","))):
        if said.startswith("("):
            waited[said.strip("()")] += 1
            after = said.strip("()"), waited[said.strip("()")]
            continue
        by, _, command = said.partition(" ")
        if not command.isidentifier():
            raise ValueError(f"{name}: {said!r} is neither who and what, nor an entry in brackets")
        steps.append(WalkStep(by, command, _of_time(bodies.get(command), given[command]), after))
        given[command] += 1
        after = None
    if after is not None:
        raise ValueError(f"{name}: nobody does anything after {after[0]}, so nobody waits for it")
    return WrittenWalk(name, tuple(steps), stage, opening, bank, staged, orders, told or {})


def _of_time(bodies: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None, number: int) -> Mapping[str, Any] | None:
    if bodies is None or isinstance(bodies, Mapping):
        return bodies
    return bodies[min(number, len(bodies) - 1)]


def walks_of(procedure: Procedure) -> Walks | None:
    """The walks of a procedure that has some: `local/NAME_walks.py`, found by its name."""
    name = f"local.{procedure.name}_walks"
    if find_spec(name) is None:
        return None
    walks: Walks = importlib.import_module(name).WALKS
    return walks


def made_body(procedure: Procedure, command: str) -> Mapping[str, Any]:
    """A body of the right shape, made of the schema of a command; of an answer, what it answers is left to whoever looks."""
    model = procedure.commands[command]
    schema = command_body_of(model).model.model_json_schema(ref_template="#/components/schemas/{model}")
    made: Mapping[str, Any] = _with_documents_to_send(sample(schema, schema.get("$defs", {})))
    seen = {model.number_in} if issubclass(model, AnswerTo) else set()
    return {name: value for name, value in made.items() if name not in seen}


async def with_documents(body: Any, send: SendDocument) -> Any:
    """The same with a document wherever one is to be."""
    if body == A_DOCUMENT:
        return await send()
    if isinstance(body, Mapping):
        return {name: await with_documents(each, send) for name, each in body.items()}
    if isinstance(body, list | tuple):
        return [await with_documents(each, send) for each in body]
    return body


def opened_by(procedure: Procedure) -> DeclaredProcedure:
    """The procedure, whose declaration says how people open its cases. Raises TypeError: they do not."""
    if not isinstance(procedure, DeclaredProcedure) or procedure.opens is None or procedure.opens.body is None:
        raise TypeError(f"{procedure.name}: walks are of procedures whose declaration opens their cases")
    return procedure


def _with_documents_to_send(body: Any) -> Any:
    if isinstance(body, dict):
        if {"reference", "sha256"} <= set(body):
            return A_DOCUMENT
        return {name: _with_documents_to_send(each) for name, each in body.items()}
    return [_with_documents_to_send(each) for each in body] if isinstance(body, list) else body
