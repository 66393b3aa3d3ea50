"""hall 居民议事厅, declared: a community's hall of a year sits every month, and what it said is published.

Sources: 村民委员会组织法 25 (a delegate for 5 to 15 households, at least a third of them women), 002 of the seeds (monthly), L.
Motions stand beside it, each a case of its own (`schemas/council.py`): docs/procedures/hall.md says why. What is more than a line
stands in `workflows/hall.py`.
"""

from collections.abc import Mapping
from datetime import datetime, time
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from schemas.clocks.clocks import due_at
from schemas.clocks.limits import Limit
from schemas.kernel.acts import Tells, WithReason, act, file_acts, step
from schemas.kernel.case import CaseState
from schemas.kernel.choices import Choices
from schemas.kernel.declaration import EndNotice, declare
from schemas.kernel.entries import EntryKinds, entry
from schemas.kernel.openings import OpeningBody, Opens
from schemas.kernel.parties import COMMITTEE_OFFICER, GRID_WORKER, STREET_OFFICER, SUPERVISOR, WINDOW_CLERK, desk_of
from schemas.kernel.procedure import Command
from schemas.kernel.state import OpenedState
from schemas.kernel.terms import Terms, TermsPolicy
from schemas.kernel.timers import duty, last_limit, window
from schemas.kernel.words import DeclaredStage
from schemas.parts.monthly import MonthlyEntries, MonthlyState, monthly_lines, monthly_timers
from schemas.values.actor import Actor, Role
from schemas.values.case_number import MotionNumber
from schemas.values.fractions import Share
from schemas.values.references import TextReference
from schemas.values.refusals import Fault, say
from schemas.words.field_words import FieldWords

AGENDA, MINUTES = "agenda", "minutes"
"""Clocks: how long the agenda is out before the sitting, and `minutes:NUMBER`, until those of a sitting are published."""

Heads = Annotated[int, Field(strict=True, ge=1, le=100_000)]


class Stage(DeclaredStage):
    """Where a hall stands."""

    OPEN = "open", "闭会期间", "议事厅已设立", "the hall is set up"
    SITTING = "sitting", "会议已召集", "议事厅会议已召集", "the hall is called to sit"
    CLOSED = "closed", "本年度结束", "本年度议事厅已结束", "the hall of this year is closed"
    DISSOLVED = "dissolved", "已撤销", "议事厅已撤销", "the hall is dissolved"
    UNRESOLVED = "unresolved", "逾期终结", "议事厅已终结", "the hall has ended"


SITTINGS = (Stage.OPEN, Stage.SITTING)


class HallTerms(Terms):
    """The town's rules: who sits in a hall, how early its agenda is out, when people can come."""

    households_a_delegate_at_least: int = Field(ge=1)
    households_a_delegate_at_most: int = Field(ge=1)
    women: Share
    evening: time
    agenda: Limit
    members: Limit
    minutes: Limit


class HallPolicy(TermsPolicy):
    """policies/hall.yaml."""

    WINDOWS = TermsPolicy.WINDOWS | {AGENDA}

    terms: HallTerms


class Sitting(BaseModel):
    """A sitting that was closed. `after_work`: it ended in the evening or on a day off; `published`: its minutes are."""

    model_config = ConfigDict(extra="forbid")

    number: int
    present: int
    after_work: bool
    published: bool = False


class HallState(MonthlyState, OpenedState):
    """What a hall remembers: of which year it is, who sits in it in numbers, and its sittings."""

    procedure: ClassVar[str] = "hall"

    stage: str = Stage.OPEN
    terms: HallTerms
    households: int
    year: int = 0
    delegates: int = 0
    women: int = 0
    called: int = 0
    motions: list[str] = []
    sittings: list[Sitting] = []

    @property
    def unpublished(self) -> tuple[int, ...]:
        """The sittings of which the minutes are still to come."""
        return tuple(each.number for each in self.sittings if not each.published)


# ---- what people do ---------------------------------------------------------------------------------------------------


class OpenHall(OpeningBody):
    """设立议事厅: of a community, for the year; `households`: how many it has, by which the number of delegates is judged."""

    households: Heads


class SetMembers(Command):
    """设定代表: how many there are, and how many of them are women. Who they are stands with the committee, not here."""

    delegates: Annotated[Heads, FieldWords("代表人数", "number of delegates")]
    women: Annotated[Annotated[int, Field(strict=True, ge=0, le=100_000)], FieldWords("其中妇女", "of them women")]

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Too few or too many for the households, or too few women."""
        if not isinstance(state, HallState):
            return ()
        terms, found = state.terms, list(super().faults(state))
        low, high = terms.households_a_delegate_at_least, terms.households_a_delegate_at_most
        if not low * self.delegates <= state.households <= high * self.delegates:
            reason = say(f"每{low}至{high}户推选一名代表", f"a delegate stands for {low} to {high} households")
            least, most = -(-state.households // high), state.households // low
            remedy = say(f"{state.households}户应有{least}至{most}名代表", f"{least} to {most} for {state.households}")
            found.append(Fault(field="delegates", reason=reason, remedy=remedy))
        if self.women > self.delegates or not terms.women.reached(self.women, self.delegates):
            reason = say(f"妇女代表{terms.women.chinese}", f"{terms.women.english} of the delegates are women")
            remedy = say(
                f"应不少于{terms.women.least(self.delegates)}人", f"{terms.women.least(self.delegates)} or more"
            )
            found.append(Fault(field="women", reason=reason, remedy=remedy))
        return tuple(found)


class CallSitting(Command):
    """召集会议: what is on the agenda, and which motions are; it stands for a while before the hall sits."""

    agenda: TextReference
    motions: Annotated[tuple[MotionNumber, ...], FieldWords("议案编号", "numbers of the motions")] = Field(
        default=(), max_length=20
    )


class CloseSitting(Command):
    """散会: how many were there."""

    present: Annotated[Heads, FieldWords("到会人数", "how many were present")]


class PublishMinutes(Command):
    """发布纪要: of which sitting; for everybody to read, without the names of residents."""

    sitting: Annotated[Heads, FieldWords("会次", "sitting")]
    minutes: TextReference

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices]:
        """Those of which none are published yet."""
        if not isinstance(state, HallState):
            return {}
        return {"sitting": Choices(state.unpublished, say("该次会议没有待发布的纪要", "no minutes of it are awaited"))}


# ---- what else must hold ----------------------------------------------------------------------------------------------


def members_are_set(state: HallState, _actor: Actor, _now: datetime) -> str | None:
    """A hall without delegates does not sit."""
    return None if state.delegates else say("须先设定代表", "its members are set first")


def agenda_was_out(state: HallState, _actor: Actor, now: datetime) -> str | None:
    """Whoever wants to come knows of it in time."""
    due = due_at(state.clocks[AGENDA], state.charter.calendar)
    if due is None or now >= due:
        return None
    return say(
        f"议程公布未满{state.terms.agenda.chinese}", f"the agenda has not been out for {state.terms.agenda.english}"
    )


def minutes_are_awaited(state: HallState, _actor: Actor, _now: datetime) -> str | None:
    """There is a sitting without minutes."""
    return None if state.unpublished else say("没有待发布的纪要", "no minutes are awaited")


# ---- the declaration --------------------------------------------------------------------------------------------------


class Kind(MonthlyEntries, EntryKinds, procedure="hall"):
    """What the ledger says happened."""

    OPENED = entry("opened", "设立议事厅")
    MEMBERS_SET = entry("members_set", "设定代表")
    CALLED = entry("called", "召集会议")
    AGENDA_STOOD = entry("agenda_stood", "议程公布期满")
    SAT = entry("sat", "散会")
    MINUTES_PUBLISHED = entry("minutes_published", "发布纪要")
    CLOSED = entry("closed", "年度结束")
    DISSOLVED = entry("dissolved", "撤销")
    UNRESOLVED = entry("unresolved", "逾期终结")


_committee = desk_of(COMMITTEE_OFFICER)

HALL = declare(
    "hall",
    "居民议事厅",
    policy=HallPolicy,
    state=HallState,
    stages=Stage,
    entries=Kind,
    opens=Opens(
        OpenHall, "open_hall", "设立议事厅", "open the hall of a year",
        frozenset({Role.COMMITTEE_OFFICER, Role.STREET_OFFICER}), "halls",
        holder=_committee, tells=Tells(_committee, "hall_opened"),
    ),
    opened=Kind.OPENED,
    keep_years=10,
    alike=("year",),
    timers={
        **monthly_timers("每月议事", "the sitting of the month", warned=_committee),
        "members": duty("设定代表", "setting of its members", "members", warned=_committee, beside=True),
        AGENDA: window("议程公布", "agenda", AGENDA),
        MINUTES: duty("发布纪要", "minutes", MINUTES, warned=_committee, beside=True),
        "final": last_limit("unresolved_after"),
    },
    lines=(
        act(SetMembers, "设定代表", by=COMMITTEE_OFFICER, at=SITTINGS, stops=["members"], entry=Kind.MEMBERS_SET),
        act(
            CallSitting, "召集会议", by=COMMITTEE_OFFICER, at=Stage.OPEN, to=Stage.SITTING, when=members_are_set,
            starts=[AGENDA], entry=Kind.CALLED,
        ),
        act(
            CloseSitting, "散会", by=COMMITTEE_OFFICER, at=Stage.SITTING, to=Stage.OPEN, when=agenda_was_out,
            stops=[AGENDA], entry=Kind.SAT,
        ),
        act(
            PublishMinutes, "发布纪要", by=COMMITTEE_OFFICER, at=SITTINGS, when=minutes_are_awaited,
            entry=Kind.MINUTES_PUBLISHED,
        ),
        step("let_it_sit", "议程公布期满", at=Stage.SITTING, entry=Kind.AGENDA_STOOD, clock=AGENDA),
        *monthly_lines(at=SITTINGS),
        step("close_year", "年度结束", at=SITTINGS, to=Stage.CLOSED, entry=Kind.CLOSED),
        act(
            WithReason, "撤销", name="dissolve", meaning="communities are joined, or it was opened twice.",
            by=STREET_OFFICER, at=SITTINGS, to=Stage.DISSOLVED, entry=Kind.DISSOLVED,
        ),
        step("expire", "逾期终结", at=SITTINGS, to=Stage.UNRESOLVED, entry=Kind.UNRESOLVED, clock="final"),
        *file_acts(
            Kind,
            by=(COMMITTEE_OFFICER, GRID_WORKER, WINDOW_CLERK, STREET_OFFICER, SUPERVISOR),
            at=SITTINGS,
            urged_by=(STREET_OFFICER, SUPERVISOR),
        ),
    ),
    end_notice=EndNotice(_committee, {Stage.CLOSED: ("held", "missed")}),
)  # fmt: skip
