"""意见 opinions: whoever has something to say says it, and each is answered - taken, taken in part, or not, and why.

    given -> waits -> answered: taken | partly | not_taken, with the reason        before that, nothing is decided

Source: 000 of the seeds (residents who never hear an answer stay away). Authors and texts stay in the vault; what everybody reads
are numbers. A procedure puts `opinion_lines()` into its table, gives its entries `OpinionEntries`, its terms `OpinionTerms`, its
state `OpinionsState` and its workflow `Opinions` (workflows/parts/opinions.py). `opinions_are_answered` is a condition of whatever
decides.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from schemas.clocks.limits import Limit
from schemas.kernel.acts import Act, Stages, act
from schemas.kernel.answers import AnswerTo, RequestNumber
from schemas.kernel.entries import entry
from schemas.kernel.people import Part, how_many
from schemas.kernel.procedure import Command
from schemas.kernel.rules import By
from schemas.kernel.state import DeclaredState
from schemas.kernel.timers import Timer, duty
from schemas.values.actor import Actor, Role
from schemas.values.model import Model
from schemas.values.references import TextReference
from schemas.values.refusals import say

ANSWER = "answer_opinion"
"""The clock of whoever answers: until the oldest one that waits has to be answered."""


class Taken(StrEnum):
    """What became of an opinion."""

    TAKEN = "taken"
    PARTLY = "partly"
    NOT_TAKEN = "not_taken"


class OpinionTerms(Model):
    """The town's rules: how long an answer may take, and how many opinions a case and one account in it may give."""

    answer_opinion: Limit
    opinions_at_most: int = Field(default=500, ge=1)
    opinions_of_one_at_most: int = Field(default=5, ge=1)


class OpinionWaiting(BaseModel):
    """One that has no answer yet. `own`: whoever has it said it under their own account, and is told there that it was answered."""

    model_config = ConfigDict(extra="forbid")

    number: int
    by: str
    given_at: datetime
    own: bool = False


class OpinionsState(DeclaredState):
    """What a case remembers: how many were given, by account, and which wait; what became of the others, in numbers."""

    opinions_waiting: list[OpinionWaiting] = []
    opinions_of: dict[str, int] = {}
    opinions_answered: dict[Taken, int] = {}

    @property
    def opinions_given(self) -> int:
        """How many there are."""
        return sum(self.opinions_of.values())

    @property
    def people_heard(self) -> int:
        """How many different people gave them."""
        return how_many(self.opinions_of)

    def requests(self) -> Mapping[Part, tuple[int, ...]]:
        """Those that wait for an answer."""
        return {**super().requests(), Part.OPINED: tuple(each.number for each in self.opinions_waiting)}

    def took_part(self) -> Mapping[Part, tuple[str, ...]]:
        """Whose opinion waits: they do not answer it."""
        return {**super().took_part(), Part.OPINED: tuple(each.by for each in self.opinions_waiting)}


# ---- what people do ---------------------------------------------------------------------------------------------------


class Opine(Command):
    """意见: what somebody has to say on it."""

    opinion: TextReference


class AnswerOpinion(AnswerTo):
    """答复意见: whether it is taken, and why. `request`: the opinion, by its number."""

    part = Part.OPINED
    request: RequestNumber
    taken: Taken
    reason: TextReference


class OpinionEntries:
    """What the ledger says of it."""

    OPINED = entry("opinion:given", "提出意见")
    OPINION_ANSWERED = entry("opinion:answered", "答复意见")


# ---- what else must hold ------------------------------------------------------------------------------------------------


def room_for_an_opinion(state: OpinionsState, actor: Actor, _now: datetime) -> str | None:
    """So many of one resident's account, and of all; a case is no letter box. Staff write down what many say."""
    terms: OpinionTerms = state.terms
    if actor.role is Role.RESIDENT and state.opinions_of.get(actor.subject, 0) >= terms.opinions_of_one_at_most:
        most = terms.opinions_of_one_at_most
        return say(f"每人至多{most}条意见", f"{most} opinions are the most of one person")
    if state.opinions_given >= terms.opinions_at_most:
        return say(
            f"本案意见已达{terms.opinions_at_most}条", f"the case has {terms.opinions_at_most} opinions, the most"
        )
    return None


def opinions_are_answered(state: OpinionsState, _actor: Actor, _now: datetime) -> str | None:
    """Nothing is decided while somebody waits for an answer."""
    if not state.opinions_waiting:
        return None
    numbers = "、".join(str(each.number) for each in state.opinions_waiting[:5])
    return say(
        f"尚有{len(state.opinions_waiting)}条意见未答复(第{numbers}条)",
        f"{len(state.opinions_waiting)} opinions wait for an answer (number {numbers.replace('、', ', ')})",
    )


def opinion_timers(warned: str) -> dict[str, Timer]:
    """Its clock. `warned`: who answers, as a code."""
    return {ANSWER: duty("答复意见", "answer to an opinion", ANSWER, warned=warned, beside=True)}


def opinion_lines(
    kinds: type[OpinionEntries], *, at: Stages, by: Sequence[By], answered_by: Sequence[By], answered_at: Stages = ()
) -> tuple[Act, ...]:
    """The lines of it. `answered_at`: where what was said before is still answered; not said: where opinions are given."""
    return (
        act(Opine, "提出意见", by=by, at=at, when=room_for_an_opinion, part=Part.OPINED, entry=kinds.OPINED),
        act(
            AnswerOpinion,
            "答复意见",
            by=answered_by,
            at=answered_at or at,
            apart_from=(Part.OPINED,),
            answers=(Part.OPINED,),
            entry=kinds.OPINION_ANSWERED,
        ),
    )
