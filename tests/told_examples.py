"""The examples of a procedure whose walks are written in words (local/stories/walks.py): as tests/examples/NAME.py."""

from collections.abc import Awaitable, Callable, Mapping
from types import SimpleNamespace
from typing import Any

from local.stories.walks import A_DOCUMENT, Walks, WalkStep, walk, walks_of, with_documents
from schemas.kernel.procedure import Procedure
from schemas.kernel.rules import Scope
from tests.api_driver import ApiDriver, Person, Step, Walk
from tests.examples.incident import document

Given = Callable[[ApiDriver, str, str], Awaitable[Mapping[str, Any]]]

SPEED = 250_000
"""At which walks are recorded (tests/histories.py): a week for everybody to see is two seconds and a half."""

NO_DOCUMENT_OF_THEIR_OWN = ("admin", "auditor")


_TOLD: dict[str, Any] = {}


def told_examples(procedure: Procedure) -> Any:
    """People, bodies and walks, the same each time. Raises LookupError: nobody has written how cases of the procedure go."""
    if procedure.name not in _TOLD:
        _TOLD[procedure.name] = _read(procedure)
    return _TOLD[procedure.name]


def _read(procedure: Procedure) -> Any:
    walks = walks_of(procedure)
    if walks is None:
        raise LookupError(f"write local/{procedure.name}_walks.py or tests/examples/{procedure.name}.py")
    told = [
        Walk(
            each.name,
            tuple(Step(step.command, step.by, _given(procedure, walks, step)) for step in each.steps),
            each.stage,
            each.opening,
            waits=any(step.after is not None for step in each.steps),
        )
        for each in walks.walks
        if not (each.bank or each.staged)
    ]
    return SimpleNamespace(
        __name__=f"walks of {procedure.name}",
        PEOPLE={
            name: Person(each.subject, each.role.value, each.department, each.area)
            for name, each in walks.people.items()
        },
        REPORTER=walks.starter,
        REPORT=dict(walks.opening),
        BODIES={command: _given(procedure, walks, WalkStep("", command)) for command in procedure.commands},
        MAIN=told[0],
        WALKS=tuple(told),
        NOBODY_ANSWERS=walks.left_alone,
        ENDED_BY=tuple(
            Step(step.command, step.by, _given(procedure, walks, step))
            for step in walk("ended", walks.ended_by, "").steps
        ),
        SPEED=SPEED,
        ASKS_OUTSIDE=walks.asks_outside,
        EXPLAINED=walks.explained,
        prepared=_prepared,
        shape=lambda command: walks.body_of(procedure, WalkStep("", command)),
    )


def _given(procedure: Procedure, walks: Walks, step: WalkStep) -> Mapping[str, Any] | Given:
    """The body of a step, with documents uploaded, after the entry that it waits for; a plain one as it is."""
    body = walks.body_of(procedure, step)
    if step.after is None and not _has_documents(body):
        return body

    async def given(door: ApiDriver, case_id: str, by: str) -> Mapping[str, Any]:
        if step.after is not None:
            await door.passes(case_id, *step.after)
        return await _sent(door, body, by)

    return given


async def _prepared(door: ApiDriver, body: Mapping[str, Any] | None, by: str, _key: str) -> Mapping[str, Any]:
    return await _sent(door, body or door.examples.REPORT, by)


async def _sent(door: ApiDriver, body: Mapping[str, Any], by: str) -> Mapping[str, Any]:
    async def send() -> Mapping[str, Any]:
        if door.examples.PEOPLE[by].role in NO_DOCUMENT_OF_THEIR_OWN:
            return await _shown(door)
        return await document(door, by)

    found: Mapping[str, Any] = await with_documents(body, send)
    return found


async def _shown(door: ApiDriver) -> Mapping[str, Any]:
    """A document that stands in a case, for those who may send none."""
    who = who_attaches(door.procedure, door.examples.PEOPLE)
    kept = await document(door, who)
    await door.give(await door.start(), Step("attach", who, {"document": kept}))
    return kept


def who_attaches(procedure: Procedure, people: Mapping[str, Person]) -> str:
    """One of the people who may show a document to any case of their area."""
    roles = {
        by.role for rule in procedure.rules if rule.command == "attach" for by in rule.by if by.scope is Scope.AREA
    }
    return next(name for name, person in people.items() if person.role in roles and person.area is None)


def _has_documents(body: Any) -> bool:
    if body == A_DOCUMENT:
        return True
    inside = body.values() if isinstance(body, Mapping) else body if isinstance(body, list | tuple) else ()
    return any(_has_documents(each) for each in inside)
