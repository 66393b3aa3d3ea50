"""公示 postings: what a town means to decide is posted for a window; whoever objects is heard before it goes on.

    posted -> its end -> goes on                     objected: looked into, then posted anew for the whole window, or refused
       | ^
    objected                                         a later objection leaves the posting up, unless it names new grounds

Sources: 最低生活保障审核确认办法 (seven days for everybody to see, objections looked into, posted anew), L for later objections.
A procedure declares a `Posting`, puts its `lines()` into its table, gives its entries `PostingEntries`, its state `PostedState`
and its workflow `Postings` (workflows/parts/postings.py). Everybody sees it at `GET /public/notices`, by what it `shows`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from pydantic import Field, model_validator

from schemas.clocks.clocks import due_at
from schemas.clocks.limits import Limit
from schemas.kernel import people
from schemas.kernel.acts import Act, Step, act, also, step
from schemas.kernel.entries import entry
from schemas.kernel.parties import ANYBODY, GRID_WORKER, STREET_OFFICER, WINDOW_CLERK, desk_of
from schemas.kernel.procedure import Command
from schemas.kernel.reference_facts import Refers
from schemas.kernel.rules import By, Rule
from schemas.kernel.state import DeclaredState
from schemas.kernel.timers import LimitOf, Timer, TimerKind, duty, kind_at, window
from schemas.values.actor import Actor
from schemas.values.foreign_code import names_a_reference
from schemas.values.model import Model
from schemas.values.references import PersonReference, TextReference
from schemas.values.refusals import say

PUBLICITY = "publicity"
"""The clock of a posting. A notice is up while it runs."""

INVESTIGATE = "investigate"
"""The clock of whoever looks into an objection."""


class Object(Command):
    """异议: somebody says why it should not be so. The posting is taken down while it is looked into.

    A later one leaves it up, unless it names `new_grounds`, and in any case after as many postings as the policy allows.
    """

    reason: TextReference
    contact: TextReference
    new_grounds: TextReference | None = Field(
        default=None, exclude_if=lambda text: text is None
    )  # digests from before it


class Investigate(Command):
    """异议调查: what was found; an objection that is upheld refuses the application, else it is posted anew, or stays posted."""

    upheld: bool
    finding: TextReference
    appraisal: TextReference | None = None
    legal_basis: TextReference | None = None

    @model_validator(mode="after")
    def _a_refusal_names_its_law(self) -> Self:
        if self.upheld and self.legal_basis is None:
            raise ValueError("legal_basis: 异议成立须写明法律依据 (an objection that is upheld names the law)")
        return self


class PostingEntries:
    """What the ledger says of a posting: for `class Kind(PostingEntries, EntryKinds, procedure="NAME")`."""

    PUBLICISED = entry("publicised", "公示")
    OBJECTED = entry("publicity:objected", "公示异议", references={"reason": Refers.TEXT, "contact": Refers.TEXT})
    OBJECTED_AGAIN = entry(
        "publicity:objected_again",
        "再次异议,公示照常",
        references={"reason": Refers.TEXT, "contact": Refers.TEXT},
    )
    INVESTIGATED = entry(
        "publicity:investigated", "异议调查", references={"finding": Refers.TEXT, "appraisal": Refers.TEXT}
    )
    PUBLICITY_ENDED = entry("publicity:ended", "公示期满")


class PostingTerms(Model):
    """The town's rules for it, for `class NAMETerms(PostingTerms, Terms)`."""

    publicity: Limit
    investigate: Limit
    postings_at_most: int = Field(ge=1)


class PostedState(DeclaredState):
    """What a case remembers that is posted.

    `posting` counts its postings, `objections` all that came; `objections_beside` are looked into while the posting stays up.
    `investigators` are those who looked into one, `objectors` those of the town who objected.
    """

    reporter: PersonReference
    posting: int = 0
    objections: int = 0
    objections_beside: int = 0
    investigators: list[str] = []
    objectors: list[str] = []

    @property
    def postings_at_most(self) -> int:
        """How often new grounds take a posting down: the town's limit."""
        most: int = self.terms.postings_at_most
        return most

    def took_part(self) -> Mapping[people.Part, tuple[str, ...]]:
        """Whose matter it is, and who looked into an objection."""
        own = () if self.reporter_subject is None else (self.reporter_subject,)
        return {
            **super().took_part(),
            people.Part.APPLICANT: own,
            people.Part.INVESTIGATED: tuple(self.investigators),
            people.Part.OBJECTED: tuple(self.objectors),
        }


# ---- what else must hold ------------------------------------------------------------------------------------------------


def posting_is_up(state: PostedState, _actor: Actor, now: datetime) -> str | None:
    """An objection comes while the posting is up, not after."""
    due = due_at(state.clocks[PUBLICITY], state.charter.calendar)
    return None if due is None or now < due else say("公示期已满", "the posting is over")


def objection_is_open(state: PostedState, _actor: Actor, _now: datetime) -> str | None:
    """There is an objection to look into beside the posting."""
    return (
        None
        if state.objections_beside
        else say("没有待调查的异议,须先有人提出", "no objection waits to be looked into: somebody raises one first")
    )


def objections_are_settled(state: PostedState, _actor: Actor, _now: datetime) -> str | None:
    """An objection that came while the posting stayed up is looked into before anybody confirms."""
    if state.objections_beside:
        return say("尚有异议未调查", "an objection is still being looked into")
    return None


# ---- what a procedure declares ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """A field of the notice that everybody sees: its name in the API, its column on the page, and what of the case it says.

    `money`: fen, shown as yuan. `on_page` False: only in the API, such as the code beside its words.
    """

    name: str
    zh: str
    of: Callable[[Any], str | int]
    money: bool = False
    on_page: bool = True

    @property
    def kind(self) -> type[str | int]:
        """What the API says it is."""
        return int if self.money else str

    def value(self, state: DeclaredState) -> str | int:
        """What it says of a case. Raises ValueError for a reference: nothing of the vault is posted by its number."""
        said = self.of(state)
        if isinstance(said, str) and names_a_reference(said):
            raise ValueError(f"{self.name} of a public notice is a reference")
        return said


@dataclass(frozen=True, kw_only=True)
class Posting:
    """The posting of a procedure.

    `posted`, `objected`: its stages; `after`: where a case goes when nobody objected, `refused` when an objection is upheld.
    `by`: who looks into objections, `desk` who of them is told; kept from it are whose matter it is and who entered it, and
    `apart_from`. `objectors`: who may object, besides who it is about. `settled_at`: stages after the posting at which an
    objection may still be looked into; the line that leads on from there has the condition `objections_are_settled`. None: the
    posting does not end before. `otherwise`: where else a case goes by an objection that is upheld, where it had gone on before.
    """

    kinds: type[PostingEntries]
    posted: StrEnum
    objected: StrEnum
    after: tuple[StrEnum, ...]
    refused: StrEnum
    by: tuple[By, ...]
    desk: str
    shows: tuple[Shown, ...]
    apart_from: tuple[people.Part, ...] = ()
    objectors: tuple[By, ...] = (ANYBODY, WINDOW_CLERK, GRID_WORKER)
    settled_at: tuple[StrEnum, ...] = ()
    otherwise: tuple[StrEnum, ...] = ()

    def lines(self) -> tuple[Act | Rule | Step, ...]:
        """The lines of the table, in the order of the regulation."""
        apart = (people.Part.APPLICANT, people.Part.ENTERED, people.Part.OBJECTED, *self.apart_from)
        on = self.settled_at or self.after
        return (
            act(
                Object,
                "公示异议",
                by=self.objectors,
                at=self.posted,
                to=(self.objected, self.posted),
                when=posting_is_up,
                apart_from=(people.Part.APPLICANT,),
                part=people.Part.OBJECTED,
            ),
            act(
                Investigate,
                "异议调查",
                by=self.by,
                at=self.objected,
                to=(self.posted, self.refused, *self.otherwise),
                apart_from=apart,
                part=people.Part.INVESTIGATED,
            ),
            also(
                "investigate",
                "异议调查",
                by=self.by,
                at=(self.posted, *self.settled_at),
                to=tuple(dict.fromkeys((self.posted, *on, self.refused, *self.otherwise))),
                when=objection_is_open,
                apart_from=apart,
                part=people.Part.INVESTIGATED,
            ),
            step("end_publicity", "公示期满", at=self.posted, to=self.after, clock=PUBLICITY),
        )

    def faults(
        self, state: type[DeclaredState], timers: Mapping[str, Timer], lines: Sequence[Act | Step | Rule]
    ) -> Iterator[str]:
        """Say what does not fit: at import, where somebody who composes it sees it."""
        if not issubclass(state, PostedState):
            yield "a posting needs a PostedState"
        for clock, kind in ((PUBLICITY, TimerKind.WINDOW), (INVESTIGATE, TimerKind.DUTY)):
            if clock not in timers or timers[clock].kind is not kind:
                yield f"a posting needs the {kind} {clock} (posting_timers)"
        try:
            kind_at(state.model_fields["terms"].annotation, "postings_at_most")
        except TypeError:
            yield "a posting needs postings_at_most among the terms"
        rules = [line if isinstance(line, Rule) else line.rule for line in lines]
        if not any(rule.command == "end_publicity" for rule in rules):
            yield "a posting needs its lines()"
        for rule in rules:
            only_there = set(rule.at) <= set(self.settled_at)
            if only_there and rule.moves_money and objections_are_settled not in rule.conditions:
                yield f"{rule.command} moves money and does not wait until objections are settled"


def posting_timers(
    publicity: str | LimitOf = PUBLICITY, investigate: str | LimitOf = INVESTIGATE
) -> Mapping[str, Timer]:
    """The clocks of a posting: for `timers={**posting_timers(), …}`; the arguments say where in the terms they stand."""
    return {
        PUBLICITY: window("公示", "publicity", publicity),
        INVESTIGATE: duty("异议调查", "investigation", investigate, warned=desk_of(STREET_OFFICER)),
    }
