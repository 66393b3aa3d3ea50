"""Makes the Temporal workflow of a declared procedure: its name, its start and its run, and an update of every command."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar, cast

from temporalio import workflow

from schemas.kernel.acts import Act
from schemas.kernel.case import CaseOutcome, CaseState
from schemas.kernel.declaration import DeclaredProcedure
from schemas.kernel.procedure import Command
from schemas.values.actor import Actor
from workflows.kernel.case import command
from workflows.kernel.declared import CurrentCommand, DeclaredCase, taken_by

CaseT = TypeVar("CaseT", bound=type[DeclaredCase[Any]])


def procedure_workflow(case: CaseT) -> CaseT:
    """Make a workflow of a class. Raises TypeError, at import, where a method does not fit the line that it is called like."""
    procedure = case.procedure
    for name, act in procedure.acts.items():
        if not _is_update(getattr(case, name, None)):
            setattr(case, name, command(_handler(name, act, _own_method(case, name, act))))
    _start_and_run(case, procedure)
    return workflow.defn(name=procedure.name)(case)


def _own_method(case: CaseT, name: str, act: Act) -> Callable[..., None] | None:
    """The method that is in charge of a command; None where its line says all."""
    method = getattr(case, name, None)
    if method is None:
        if act.entry is None:
            raise TypeError(f"{case.__name__}: {name} has neither a method nor an entry")
        return None
    if hasattr(DeclaredCase, name):
        raise TypeError(f"{case.__name__}: {name} is a word of every case, and cannot be a command")
    given = inspect.get_annotations(method, eval_str=True)
    if "command" in taken_by(method) and not issubclass(act.model, given["command"]):
        raise TypeError(f"{case.__name__}.{name} takes another command than {act.model.__name__}, which is declared")
    return cast("Callable[..., None]", method)


def _handler(name: str, act: Act, method: Callable[..., None] | None) -> Callable[..., None]:
    def handler(self: DeclaredCase[Any], command: Command, by: Actor) -> None:
        self.carry_out_act(CurrentCommand(act, command, by), method)

    handler.__name__ = name
    handler.__qualname__ = name if method is None else method.__qualname__
    handler.__doc__ = act.rule.title if method is None else method.__doc__
    handler.__annotations__ = {"command": act.model, "by": Actor, "return": None}
    return handler


def _start_and_run(case: CaseT, procedure: DeclaredProcedure) -> None:
    """Temporal asks that both stand on the class itself, under its name, with the very state of the procedure."""

    def start(self: Any, state: CaseState) -> None:
        super(cast("type[Any]", case), self).__init__(state)

    async def run(self: Any, state: CaseState) -> CaseOutcome:  # noqa: ARG001 - taken by __init__
        outcome: CaseOutcome = await self.live(self.story)
        return outcome

    for function, name in ((start, "__init__"), (run, "run")):
        function.__name__, function.__qualname__ = name, f"{case.__qualname__}.{name}"
        function.__module__ = case.__module__
        function.__annotations__ = {"state": procedure.state, "return": function.__annotations__["return"]}
    setattr(case, "__init__", workflow.init(start))  # noqa: B010 - mypy lets nobody assign to it
    setattr(case, "run", workflow.run(run))  # noqa: B010 - nor to this


def _is_update(method: object) -> bool:
    """Whether it is the update of a command already: those of every case's file are."""
    return hasattr(method, "validator")
