"""Every procedure of the registry with one thing added: a command that is on a list makes its workflow task fail."""

from collections.abc import Callable
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey

from schemas.kernel.case import Accepted, CaseOutcome
from schemas.kernel.procedure import Command
from schemas.values.actor import Stamp
from workflows.kernel.case import Case
from workflows.registry import PROCEDURES

RAISES: set[str] = set()
"""Ids of commands whose handler raises in the middle, having changed the case."""

REFUSED_BY_THE_SERVER: set[str] = set()
"""Ids of commands after which the server refuses what the task wants: the ledger has their entries by then."""

TELLS_A_LONG_ID: set[str] = set()
"""Ids of commands after which the case tells something to a case whose number is longer than Temporal takes."""

WORDS = "王小明 13800000001"
"""What such a failure says: nothing of it may come out anywhere."""


def poisoned(case: type[Case[Any]]) -> type[Case[Any]]:
    """The procedure, with the poison."""
    state_type = case.procedure.state

    class Poisoned(case):  # type: ignore[valid-type, misc]
        def carry_out(self, name: str, command: Command, stamp: Stamp, handler: Callable[..., None]) -> Accepted:
            accepted: Accepted = super().carry_out(name, command, stamp, handler)
            if stamp.command_id in RAISES:
                raise RuntimeError(WORDS)
            if stamp.command_id in REFUSED_BY_THE_SERVER:
                workflow.upsert_search_attributes([SearchAttributeKey.for_keyword("NoSuchAttribute").value_set("x")])
            if stamp.command_id in TELLS_A_LONG_ID:
                self.tell("incident-20261128-" + "0" * 1200, "nothing")
            return accepted

    def init(self: Any, state: Any) -> None:
        case.__init__(self, state)

    async def run(self: Any, state: Any) -> CaseOutcome:
        outcome: CaseOutcome = await case.run(self, state)  # type: ignore[attr-defined]
        return outcome

    for method, name in ((init, "__init__"), (run, "run")):
        method.__name__, method.__qualname__ = name, f"Poisoned{case.__name__}.{name}"
        method.__annotations__ = {"state": state_type, "return": None if name == "__init__" else CaseOutcome}
    Poisoned.__init__ = workflow.init(init)  # type: ignore[method-assign, assignment]
    Poisoned.run = workflow.run(run)
    Poisoned.__name__ = Poisoned.__qualname__ = f"Poisoned{case.__name__}"
    return workflow.defn(name=case.procedure.name)(Poisoned)


POISONED = tuple(poisoned(case) for case in PROCEDURES)
