"""演练 drills: every notice of the case, also those of its clocks, says that it is one (schemas/parts/drills.py)."""

from typing import Any, TypeVar

from schemas.contracts.notice import DRILL
from schemas.parts.drills import DrilledState
from workflows.kernel.declared import DeclaredCase

StateT = TypeVar("StateT", bound=DrilledState)


class DrilledCase(DeclaredCase[StateT]):
    """The part of a case that may be a drill."""

    def notify(self, to: str, template: str, /, **facts: Any) -> None:
        """The same, marked. A notice that is in earnest is as it always was."""
        super().notify(to, template, **facts, **({DRILL: True} if self.state.drill else {}))
