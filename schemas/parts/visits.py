"""入户调查 visits: so many different people of the town go and see, each once, and write down what they found.

Source: 最低生活保障审核确认办法 (two people visit the household), L that one of them is of another office where it matters.
A procedure puts `visit_line()` into its table, gives its entries `VisitEntries`, its clocks `visit_timers()`, its state
`VisitedState` and its workflow `Visits` (workflows/parts/visits.py). How many visit, and of which offices, is its own rule.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from schemas.kernel.acts import Act, Stages, act
from schemas.kernel.entries import entry
from schemas.kernel.people import Part, how_many
from schemas.kernel.procedure import Command
from schemas.kernel.rules import By, Condition
from schemas.kernel.state import DeclaredState
from schemas.kernel.timers import LimitOf, Timer, duty
from schemas.values.actor import Actor, Role
from schemas.values.model import Model
from schemas.values.references import TextReference
from schemas.values.refusals import say

SURVEY = "survey"
"""The clock of those who have to visit."""


class Visit(Model):
    """入户调查: who visited, as what, when, and what they found."""

    by: str
    role: str
    at: datetime
    finding: TextReference


class VisitedState(DeclaredState):
    """A case for which somebody is visited."""

    visits: list[Visit] = []

    @property
    def visits_wanted(self) -> int:
        """How many different people visit: two, unless the procedure says otherwise. None: nobody has to."""
        return 2

    @property
    def visitors_wanted(self) -> frozenset[Role]:
        """Of which offices somebody is among them; of any, unless the procedure says otherwise."""
        return frozenset()

    @property
    def visits_done(self) -> bool:
        """Enough different people have visited, of every office that has to."""
        came = {visit.role for visit in self.visits}
        return how_many(visit.by for visit in self.visits) >= self.visits_wanted and self.visitors_wanted <= came

    def took_part(self) -> Mapping[Part, tuple[str, ...]]:
        """Who has visited: the next visit is somebody else's."""
        return {**super().took_part(), Part.VISITED: tuple(visit.by for visit in self.visits)}


class RecordVisit(Command):
    """入户调查: what somebody found who visited."""

    finding: TextReference


class VisitEntries:
    """What the ledger says of it."""

    VISITED = entry("visited", "入户调查")


def a_visit_is_wanted(state: VisitedState, _actor: Actor, _now: datetime) -> str | None:
    """Some cases are decided without a visit."""
    return None if state.visits_wanted else say("本案不需入户调查", "nobody visits in this case")


def visit_timers(limit: str | LimitOf = SURVEY) -> dict[str, Timer]:
    """The clock of those who have to visit; its limit stands at this place of the terms."""
    return {SURVEY: duty("入户调查", "visit", limit)}


def visit_line(
    kinds: type[VisitEntries],
    *,
    by: Sequence[By],
    at: Stages,
    to: Stages = (),
    model: type[RecordVisit] = RecordVisit,
    when: Condition = a_visit_is_wanted,
    moves_money: bool = False,
    apart_from: Sequence[Part] = (Part.APPLICANT, Part.ENTERED, Part.RELATED),
    answers: Sequence[Part] = (),
) -> Act:
    """The line of a visit: nobody twice, and nobody of the own case. `model`: where a visit says more than what was found."""
    return act(
        model,
        "入户调查",
        name="record_visit",
        by=by,
        at=at,
        to=to,
        when=when,
        moves_money=moves_money,
        apart_from=(Part.VISITED, *apart_from),
        part=Part.VISITED,
        answers=answers,
        entry=kinds.VISITED,
    )
