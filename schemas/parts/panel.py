"""评审 panel: several people judge a case, each once; what their words come to is a pure rule, in whole numbers.

A member gives a score of 0 to 100, or votes: a vote for it is 100, one against it 0, so that one mark judges both - the mean of
scores, or the percentage that is for it. Who has an interest in the matter recuses themselves, and their word is taken back.
What the workflow does with it stands in `workflows/parts/panel.py`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from pydantic import Field, model_validator

from schemas.kernel.acts import Act, Stages, Step, WithReason, act, step
from schemas.kernel.case import CaseState, Entry
from schemas.kernel.entries import entry
from schemas.kernel.explanation import Because
from schemas.kernel.people import Part, among, same_account
from schemas.kernel.procedure import Command
from schemas.kernel.rules import By
from schemas.kernel.state import DeclaredState
from schemas.values.actor import Actor
from schemas.values.model import Model
from schemas.values.references import TextReference
from schemas.values.refusals import Fault, say

FULL_SCORE = 100


# ---- what words come to ---------------------------------------------------------------------------------------------


def mean_of(scores: Iterable[int], parts: int = 1) -> int | None:
    """The mean in whole `parts` of a point, rounded half up: 86.666 is 87, and 8667 in hundredths. None: nobody has scored."""
    given = tuple(scores)
    return _half_up(sum(given) * parts, len(given)) if given else None


def _half_up(total: int, count: int) -> int:
    return (2 * total + count) // (2 * count)


def low_score_faults(score: int, reason: TextReference | None, reason_below: int) -> Iterator[Fault]:
    """Refuse a score under the town's mark that does not say why."""
    if score < reason_below and reason is None:
        yield Fault(
            field="reason",
            reason=say(f"低于{reason_below}分必须说明理由", f"a score under {reason_below} needs a reason"),
            remedy=say("请填写理由", "say why"),
        )


class Turnout(StrEnum):
    """Whether all have come, or have spoken, who have to. `short`: whoever still could has, and they are too few."""

    NOT_YET = "not_yet"
    COMPLETE = "complete"
    QUORUM = "quorum"
    SHORT = "short"


def turnout(*, members: int, came: int, quorum: int, awaited: bool, at_quorum: bool = False) -> Turnout:
    """How many of `members` came. A quorum is enough when nobody is `awaited` any more; `at_quorum`: as soon as it is there."""
    if came >= members:
        return Turnout.COMPLETE
    if came >= quorum and (at_quorum or not awaited):
        return Turnout.QUORUM
    return Turnout.NOT_YET if awaited else Turnout.SHORT


class Tally(Model):
    """What the words come to. `total` of all scores; exact, whereas a mean is rounded and only shown."""

    judged: int
    total: int

    @property
    def mean_hundredths(self) -> int | None:
        """The mean in hundredths of a point, rounded half up."""
        return _half_up(100 * self.total, self.judged) if self.judged else None

    def reaches(self, mark: int) -> bool:
        """Whether the mean is the mark at least. 79.99 does not reach 80, whatever it is rounded to; nobody's word reaches none."""
        return self.judged > 0 and self.total >= mark * self.judged


# ---- what the town and a case say of it -------------------------------------------------------------------------------


class PanelTerms(Model):
    """The town's rules for a panel, as `panel` in the terms.

    So many `members` have to judge; when their time is over a `quorum` of them is enough. `mark`: what the mean has to be at
    least. `reason_below`: a score under it says why.
    """

    members: int = Field(ge=1)
    quorum: int = Field(ge=1)
    mark: int = Field(ge=0, le=FULL_SCORE)
    reason_below: int = Field(default=0, ge=0, le=FULL_SCORE)

    @model_validator(mode="after")
    def _no_more_than_there_are(self) -> Self:
        if self.quorum > self.members:
            raise ValueError("quorum: 法定人数不得多于成员数 (no more than there are members)")
        return self


class Opinion(Model):
    """The word of one member."""

    by: str
    score: int
    reason: TextReference | None = None
    at: datetime


class PanelState(DeclaredState):
    """A case that a panel judges. `jury`: its members by account; empty: whoever the table lets, until so many have judged.

    `opinions` are of this round, `recused` of all rounds. Whose matter it is, and who entered it, are kept from it.
    """

    jury: tuple[str, ...] = ()
    opinions: list[Opinion] = []
    recused: list[str] = []

    @property
    def panel_terms(self) -> PanelTerms:
        """The town's rules for it."""
        terms: PanelTerms = self.terms.panel
        return terms

    @property
    def jury_left(self) -> tuple[str, ...]:
        """Who of the jury has not recused themselves."""
        return tuple(each for each in self.jury if not among(each, self.recused))

    @property
    def tally(self) -> Tally:
        """What the words come to so far."""
        return Tally(judged=len(self.opinions), total=sum(each.score for each in self.opinions))

    def panel_turnout(self, *, over: bool) -> Turnout:
        """Whether the panel has judged. `over`: its time is."""
        spoken = [each.by for each in self.opinions]
        awaited = not over and (not self.jury or any(not among(each, spoken) for each in self.jury_left))
        members = len(self.jury_left) if self.jury else self.panel_terms.members
        quorum = self.panel_terms.quorum
        return turnout(members=max(members, quorum), came=len(spoken), quorum=quorum, awaited=awaited)

    def took_part(self) -> Mapping[Part, tuple[str, ...]]:
        """Whose matter it is, who has judged and who must not."""
        whose = () if self.reporter_subject is None else (self.reporter_subject,)
        return {
            Part.APPLICANT: whose,
            **super().took_part(),
            Part.JUDGED: tuple(each.by for each in self.opinions),
            Part.RECUSED: tuple(self.recused),
        }


# ---- what its members say -------------------------------------------------------------------------------------------


class Judge(Command):
    """评审: one member's score, 0 to 100; under the town's mark with a reason."""

    score: int = Field(strict=True, ge=0, le=FULL_SCORE)
    reason: TextReference | None = None

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Refuse a low score without its reason."""
        if not isinstance(state, PanelState):
            return ()
        return (*super().faults(state), *low_score_faults(self.score, self.reason, state.panel_terms.reason_below))


class Vote(Command):
    """表决: one member is for it, or against it and says why."""

    positive: bool
    reason: TextReference | None = None

    @model_validator(mode="after")
    def _against_it_with_a_reason(self) -> Self:
        if not self.positive and self.reason is None:
            raise ValueError("reason: 不同意须说明理由 (a vote against it says why)")
        return self


# ---- its lines ------------------------------------------------------------------------------------------------------


def _why_concluded(entry: Entry, state: Any) -> Because:
    terms: PanelTerms = state.panel_terms
    return Because(
        rule=f"policies/{state.procedure}.yaml panel",
        says=say(
            f"应评{terms.members}人,到期至少{terms.quorum}人;平均{terms.mark}分通过",
            f"{terms.members} judge it, {terms.quorum} at least when the time is over; a mean of {terms.mark} is enough",
        ),
        inputs={name: entry.facts.get(name) for name in ("outcome", "judged", "total", "recused")},
    )


class PanelEntries:
    """The entries of a panel: `class Kind(PanelEntries, EntryKinds, procedure="NAME")`."""

    JUDGED = entry("panel:judged", "评审")
    RECUSED = entry("panel:recused", "回避")
    CONCLUDED = entry("panel:concluded", "评审结果", _why_concluded)


def _is_of_the_jury(state: PanelState, actor: Actor, _now: datetime) -> str | None:
    if not state.jury or any(same_account(actor.subject, each) for each in state.jury):
        return None
    return say("您不是本案评审成员", "you are not of the jury of this case")


def panel_lines(
    kinds: type[PanelEntries],
    *,
    by: By | Sequence[By],
    at: Stages,
    to: Stages,
    clock: str = "judge",
    votes: bool = False,
    apart_from: Sequence[Part] = (),
) -> tuple[Act | Step, ...]:
    """评审, 回避 and the end of it: each member once, nobody on their own matter.

    `votes`: they are for it or against it, else they score. `apart_from`: who else is kept from it. `clock`: how long they
    have for it; the end of a window concludes it with whoever has judged, a duty climbs the tiers until somebody does.
    """
    kept = tuple(dict.fromkeys((Part.APPLICANT, Part.ENTERED, *apart_from, Part.RECUSED)))
    return (
        act(
            Vote if votes else Judge, "表决" if votes else "评审",
            by=by, at=at, to=to, when=_is_of_the_jury, apart_from=(*kept, Part.JUDGED), part=Part.JUDGED,
            entry=kinds.JUDGED,
        ),
        act(
            WithReason, "回避", name="recuse",
            meaning="who has an interest in the matter leaves the panel, and the own word does not count.",
            by=by, at=at, to=to, when=_is_of_the_jury, apart_from=(Part.RECUSED,), part=Part.RECUSED, entry=kinds.RECUSED,
        ),
        step("conclude_panel", "评审截止", at=at, to=to, entry=kinds.CONCLUDED, clock=clock),
    )  # fmt: skip
