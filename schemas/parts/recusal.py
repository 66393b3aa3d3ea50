"""近亲属备案 recusal: whoever is related to whom a case is of says so, and takes no part in it any more.

Source: 社会救助暂行办法 (relations of officers are put on record). A procedure puts `recusal_line()` into its table, gives its
entries `RecusalEntries`, its state `RecusedState` and its workflow `Recusals`. Whom a relation keeps from what stands in each line:
`apart_from=(Part.RELATED, …)`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from schemas.kernel.acts import Act, Stages, act
from schemas.kernel.entries import entry
from schemas.kernel.people import Part, among
from schemas.kernel.procedure import Command
from schemas.kernel.rules import By
from schemas.kernel.state import DeclaredState
from schemas.values.actor import Actor
from schemas.values.references import TextReference
from schemas.values.refusals import say


class RecusedState(DeclaredState):
    """A case of which some take no part. `related`: their accounts; `relation`: the first that was put on record."""

    related: list[str] = []
    relation: TextReference | None = None

    def took_part(self) -> Mapping[Part, tuple[str, ...]]:
        """Who is related."""
        return {**super().took_part(), Part.RELATED: tuple(self.related)}


class DeclareRelation(Command):
    """近亲属备案: an officer is related to the household, and takes no part in its case any more."""

    relation: TextReference


class RecusalEntries:
    """What the ledger says of it."""

    RELATION_DECLARED = entry("relation_declared", "近亲属备案")


def relation_not_declared_yet(state: RecusedState, actor: Actor, _now: datetime) -> str | None:
    """A relation is declared once."""
    return say("已备案", "you have declared it already") if among(actor.subject, state.related) else None


def recusal_line(kinds: type[RecusalEntries], *, by: Sequence[By], at: Stages) -> Act:
    """The line by which somebody withdraws from a case."""
    return act(
        DeclareRelation,
        "近亲属备案",
        by=by,
        at=at,
        when=relation_not_declared_yet,
        part=Part.RELATED,
        entry=kinds.RELATION_DECLARED,
    )
