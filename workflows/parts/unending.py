"""再次上报: everybody is called again, and it is waited for again (schemas/parts/unending.py)."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from schemas.kernel.acts import Step
from schemas.parts.unending import FINAL, UnendingState
from workflows.kernel.declared import DeclaredCase

StateT = TypeVar("StateT", bound=UnendingState)


class Unending(DeclaredCase[StateT]):
    """The part of a case that no silence ends."""

    def everybody(self) -> Sequence[str]:
        """Whom it calls again beside the supervisor."""
        raise NotImplementedError

    def called_again_facts(self) -> Mapping[str, Any]:
        """What the entry says besides how often it was: who has the case."""
        return {"holder": self.state.holder}

    def call_everybody_again(self, step: Step) -> None:
        """再次上报: nobody acted after the last tier; whoever can is told again, and again."""
        self.state.rounds += 1
        self.start_clock(FINAL)
        self.record(self.entry_of(step), rounds=self.state.rounds, **self.called_again_facts())
        self.inform(step, {})
        for told in self.everybody():
            self.inform(step, {}, told)
