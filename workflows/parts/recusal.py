"""近亲属备案 recusal, as a case takes it down (schemas/parts/recusal.py)."""

from collections.abc import Mapping
from typing import Any, TypeVar

from schemas.parts.recusal import DeclareRelation, RecusedState
from schemas.values.actor import Actor
from workflows.kernel.declared import DeclaredCase

StateT = TypeVar("StateT", bound=RecusedState)


class Recusals(DeclaredCase[StateT]):
    """The part of a case of which some take no part."""

    def relation_matters(self) -> Mapping[str, Any]:
        """Say in the entry what follows from a relation that is declared now. Nothing, unless the procedure says."""
        return {}

    @property
    def relation_counts(self) -> bool:
        """Whether a relation that is declared now still changes how the case is looked into."""
        return True

    def declare_relation(self, command: DeclareRelation, by: Actor) -> None:
        """近亲属备案: the officer decides nothing here any more."""
        self.state.related.append(by.subject)
        more = self.relation_matters()
        if self.relation_counts and self.state.relation is None:
            self.state.relation = command.relation
        self.apply(by=by.role, **more)
