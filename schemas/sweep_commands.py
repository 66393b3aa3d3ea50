"""sweep 逐户转移: what people say at the doors, and of what was found there."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from schemas.clocks.calendar import TownDatetime
from schemas.kernel.case import CaseState
from schemas.kernel.choices import Bounds, Choices
from schemas.kernel.people import among, how_many, same_person
from schemas.kernel.procedure import Command
from schemas.parts.items import DatedOnItem, ItemCode, MovesItems, OnItem, date_faults
from schemas.sweep_state import ENDS, SAFE, UNSAFE, Household, HouseholdStage, Release, SweepState
from schemas.values.account import AccountCode
from schemas.values.actor import Actor
from schemas.values.foreign_code import KeptCode
from schemas.values.references import TextReference
from schemas.values.refusals import Fault, say
from schemas.words.field_words import FieldWords

TO_VISIT = (HouseholdStage.LISTED, *UNSAFE)
ALIVE = (HouseholdStage.LISTED, *SAFE, *UNSAFE)
CAN_COME_BACK = tuple(each for each in ENDS if each is not HouseholdStage.DEAD)
"""Who had ended stands at their door all the same, before anybody may go home."""


def sweep_of(state: CaseState) -> SweepState:
    """The state as that of a sweep."""
    assert isinstance(state, SweepState)  # noqa: S101 - of sweeps alone
    return state


def household_of(state: CaseState, code: str) -> Household | None:
    """The household of this code; None: it is not on the list."""
    return sweep_of(state).item_called(code)


class SetOut(Command):
    """出发: with whom, and when, where there was no signal. Nobody goes from door to door alone, and each says so themselves."""

    team: Annotated[tuple[AccountCode, ...], Field(max_length=20), FieldWords("同行人员", "who goes along")] = ()
    done_at: Annotated[TownDatetime | None, FieldWords("实际时间(不填即现在)", "when it was, if not now")] = None

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """When it is over only who had gone before that has set out."""
        found, sweep = super().faults(state), sweep_of(state)
        had_gone = self.done_at is not None and sweep.over_at is not None and self.done_at < sweep.over_at
        if had_gone or not sweep.is_called_off:
            return found
        said = say("预警已解除,未出发的队伍不再出发", "it is over: a team that has not gone does not go")
        remedy = say("解除前已出发的,请填写实际出发时间", "say when you set out, if that was before it was over")
        return (*found, Fault(field="done_at", reason=said, remedy=remedy))

    def not_theirs(self, state: CaseState, actor: Actor, now: datetime) -> tuple[Fault, ...]:
        """So many different people, with whoever says so and who goes already; not ahead, and not farther back than a door."""
        sweep = sweep_of(state)
        found = date_faults(self.done_at, sweep.terms.entered_within_hours, state.opened_at, now)
        least, people = sweep.terms.team_at_least, how_many((actor.subject, *self.team, *sweep.team))
        if people >= least:
            return found
        said = say(f"须至少{least}人同行", f"{least} people go at the least")
        return (*found, Fault(field="team", reason=said, remedy=say("请填写同行人员", "name who goes along")))


# ---- at the door --------------------------------------------------------------------------------------------------------


class DoorOutcome(StrEnum):
    """What was found at a door. `came_back`: who was moved is at home again, too early."""

    MOVED = "moved"
    WITH_RELATIVES = "with_relatives"
    AWAY_PROVED = "away_proved"
    NOBODY = "nobody"
    REFUSED = "refused"
    MUST_BE_CARRIED = "must_be_carried"
    CAME_BACK = "came_back"

    @property
    def stage(self) -> HouseholdStage:
        """Where the household stands by it."""
        return HouseholdStage.LISTED if self is DoorOutcome.CAME_BACK else HouseholdStage(self.value)


class Rest(StrEnum):
    """Where those of a household are of whom it does not say that they are safe."""

    NOBODY = "nobody"
    REFUSED = "refused"
    MUST_BE_CARRIED = "must_be_carried"


NEEDS_WORDS = {DoorOutcome.WITH_RELATIVES, DoorOutcome.AWAY_PROVED}
"""Where they are, and who says so: nobody is safe by a guess."""


class RecordDoor(DatedOnItem):
    """入户: what was found at this door, and when. Where there was no signal it is written down hours later."""

    stands_at = (*ALIVE, *CAN_COME_BACK)
    goes_to = ALIVE

    outcome: Annotated[DoorOutcome, FieldWords("入户结果", "what was found")]
    persons: Annotated[int, Field(strict=True, ge=0, le=500), FieldWords("人数", "how many people")]
    rest: Annotated[Rest | None, FieldWords("其余人员", "the others of the household")] = None
    words: TextReference | None = None

    @property
    def stage(self) -> HouseholdStage:
        """Where the household stands: safe when all of it are, by the graver of both words; who came back is listed again."""
        if self.rest is None or self.outcome is DoorOutcome.CAME_BACK:
            return self.outcome.stage
        return max(self.outcome.stage, HouseholdStage(self.rest.value), key=_how_grave)

    @property
    def leads_to(self) -> str:
        """As `stage`."""
        return self.stage

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Who is safe is somebody, and everybody; where they are is said; only who was moved comes back."""
        found = list(super().faults(state))
        if self.outcome.stage in SAFE and self.rest is None:
            found += some_lack(household_of(state, self.item), self.persons, self.words)
        if self.stage in SAFE and sweep_of(state).goes_alone:
            said = say("同行人尚未用本人账号登记出发", "whoever goes along has not said yet that they set out")
            remedy = say(
                "请同行人先登记出发,可补登实际时间",
                "let them say so by their own account, with the time if it was before",
            )
            found.append(Fault(field="outcome", reason=said, remedy=remedy))
        if self.outcome.stage in SAFE and self.persons == 0:
            said = say("须填写人数", "say how many people")
            found.append(Fault(field="persons", reason=said, remedy=say("至少1人", "one at the least")))
        if self.outcome in NEEDS_WORDS and self.words is None:
            said = say("须写明去向和由谁证实", "say where they are, and who says so")
            found.append(Fault(field="words", reason=said, remedy=say("请填写", "write it down")))
        item = household_of(state, self.item)
        came_back = self.outcome is DoorOutcome.CAME_BACK
        if item is None or self.is_overtaken(state):
            return tuple(found)
        if item.stage in ENDS and (not came_back or item.released is not None):
            said = say("此户已有着落", "of this household it is said already how it ended")
            remedy = say("未准返前回家请登记提前返回", "came_back, if it is at home before that is permitted")
            found.append(Fault(field="outcome", reason=said, remedy=remedy))
        if came_back and item.stage in TO_VISIT:
            said = say("此户未曾转移", "this household was not moved")
            found.append(
                Fault(field="outcome", reason=said, remedy=say("请登记入户结果", "say what was found at the door"))
            )
        return tuple(found)


def _how_grave(stage: HouseholdStage) -> int:
    return SweepState.graver.index(stage) + 1 if stage in SweepState.graver else 0


def some_lack(item: Household | None, persons: int, words: TextReference | None) -> tuple[Fault, ...]:
    """Fewer than live there, and nothing is said of the others."""
    if item is None or persons >= item.heads or words is not None:
        return ()
    said = say(f"此户{item.heads}人,仅{persons}人有着落", f"{item.heads} live there, and {persons} are accounted for")
    remedy = say("请写明其余人员去向和由谁证实", "say where the others are, and who says so")
    return (Fault(field="words", reason=said, remedy=remedy),)


class Persuade(OnItem):
    """劝导: another person than who was refused asks once more; then the door is written down anew."""

    stands_at = (HouseholdStage.REFUSED,)

    words: TextReference | None = None

    def not_theirs(self, state: CaseState, actor: Actor, now: datetime) -> tuple[Fault, ...]:  # noqa: ARG002 - at any time
        """A second person."""
        item = household_of(state, self.item)
        if item is None or not same_person(item.by, actor.subject):
            return ()
        said = say("须由另一人劝导", "a second person asks")
        return (Fault(field="item", reason=said, remedy=say("请由另一人办理", "leave it to somebody else")),)


class OrderRemoval(OnItem):
    """带离: under the law that the town names, with the police; only who was asked twice."""

    stands_at = (HouseholdStage.REFUSED,)

    police_order: Annotated[KeptCode, FieldWords("110单号", "number of the police's order")]
    reason: TextReference

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """A second person has asked before; and there is a law."""
        found = list(super().faults(state))
        item = household_of(state, self.item)
        if not found and item is not None and not item.persuaded:
            said = say("须先由另一人劝导", "a second person asks first")
            found.append(Fault(field="item", reason=said, remedy=say("请先劝导", "let somebody ask once more")))
        elif not found and item is not None and not item.refused_again:
            said = say("劝导后须再次入户登记", "the door is written down anew after that")
            found.append(Fault(field="item", reason=said, remedy=say("请先登记入户", "say first what they answered")))
        return tuple(found)


class SearchHouse(OnItem):
    """查看: nobody answers; after so many calls and the contacts two people go in, with the police. Empty is not safe."""

    stands_at = (HouseholdStage.NOBODY,)

    calls: Annotated[int, Field(strict=True, ge=1, le=50), FieldWords("拨打次数", "how often they were called")]
    contacts_asked: Annotated[bool, FieldWords("是否已问联系人和邻居", "contacts and neighbours were asked")]
    second: Annotated[AccountCode, FieldWords("同行人", "second person")]
    police_order: Annotated[KeptCode, FieldWords("110单号", "number of the police's order")]
    finding: TextReference

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """So many calls, and the contacts, come before the door is opened."""
        least = sweep_of(state).terms.search_calls_at_least
        said = say(f"须先拨打至少{least}次", f"they are called {least} times first")
        asked = say("须先询问联系人和邻居", "contacts and neighbours are asked first")
        remedy = say("请拨打后再登记", "call, then write it down")
        return {
            **super().allowed(state),
            "calls": Bounds(least, 50, said, remedy),
            "contacts_asked": Choices((True,), asked),
        }

    def not_theirs(self, state: CaseState, actor: Actor, now: datetime) -> tuple[Fault, ...]:  # noqa: ARG002 - at any time
        """Nobody goes in alone, and both are of the team."""
        if same_person(self.second, actor.subject):
            said = say("须两人同行", "two people go in")
            return (Fault(field="second", reason=said, remedy=say("请填写另一人", "name the other one")),)
        if not among(self.second, sweep_of(state).gone):
            said = say("同行人不在已出发的队员中", "is nobody of the team who has set out")
            remedy = say("请该同行人先登记出发", "let them set out by their own account first")
            return (Fault(field="second", reason=said, remedy=remedy),)
        return ()


# ---- done, and seen again -------------------------------------------------------------------------------------------------


Households = Annotated[tuple[ItemCode, ...], Field(max_length=500)]


class ReportSwept(MovesItems):
    """完成: each household is safe, or named here as not safe; after the all clear also who stayed, because nobody came in time."""

    stands_at = (HouseholdStage.LISTED,)

    unsafe: Annotated[Households, FieldWords("未脱险的户", "those not safe")] = ()
    stayed: Annotated[Households, FieldWords("解除前未到的户", "those to whom nobody came")] = ()

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Exactly those: who reports a sweep has looked at each."""
        sweep = sweep_of(state)
        unsafe, listed = sweep.items_at(*UNSAFE), sweep.items_at(HouseholdStage.LISTED)
        found = [
            *super().faults(state),
            *_named(self.unsafe, unsafe, "unsafe", say("须逐一列明未脱险的户", "name each one that is not safe")),
        ]
        if sweep.is_over:
            said = say("须逐一列明未到的户", "name each one to whom nobody came")
            return (*found, *_named(self.stayed, listed, "stayed", said))
        if self.stayed:
            said = say("未解除前每户都须入户", "until the all clear somebody goes to each")
            found.append(Fault(field="stayed", reason=said, remedy=say("请逐户入户", "go to each door")))
        if listed:
            first = ", ".join(each.code for each in listed[:20])
            said = say(f"尚有{len(listed)}户未入户", f"nobody was at {len(listed)} doors yet")
            found.append(
                Fault(field="unsafe", reason=said, remedy=say(f"请先入户:{first}", f"go there first: {first}"))
            )
        return tuple(found)


def _named(codes: tuple[str, ...], wanted: list[Household], field: str, said: str) -> tuple[Fault, ...]:
    right = {each.code for each in wanted}
    if set(codes) == right and len(codes) == len(right):
        return ()
    named = ", ".join(sorted(right)) or "-"
    return (Fault(field=field, reason=said, remedy=say(f"应为:{named}", f"these are: {named}")),)


class Recheck(OnItem):
    """复核: a door that was drawn is seen again by somebody who is not of the team."""

    stands_at = (*SAFE, *UNSAFE)
    goes_to = (HouseholdStage.LISTED,)

    as_written: Annotated[bool, FieldWords("是否与登记一致", "it is as written")]
    words: TextReference | None = None

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """Those that were drawn, and not seen again yet."""
        left = tuple(sweep_of(state).left_to_recheck)
        return {"item": Choices(left, say("不在本次抽取的复核户中", "is not among those drawn to be seen again"))}


class BackHow(StrEnum):
    """How a household has ended."""

    AT_HOME = "at_home"
    REHOUSED = "rehoused"
    ELSEWHERE = "elsewhere"
    WITH_POLICE = "with_police"
    DEAD = "dead"

    @property
    def stage(self) -> HouseholdStage:
        """Where the household stands by it."""
        return HouseholdStage.RETURNED if self is BackHow.AT_HOME else HouseholdStage(self.value)


RELEASED_FOR = {BackHow.AT_HOME: Release.HOME, BackHow.REHOUSED: Release.REHOUSE}
"""What has to be said of the place before: nobody goes home to a house that nobody has looked at."""


class ConfirmBack(DatedOnItem):
    """返回确认: how a household has ended, seen by who says so: home, rehoused, elsewhere, looked for by the police, dead."""

    stands_at = (
        *ALIVE,
        HouseholdStage.RETURNED,
        HouseholdStage.REHOUSED,
        HouseholdStage.ELSEWHERE,
        HouseholdStage.WITH_POLICE,
        HouseholdStage.DEAD,
    )
    goes_to = (*ENDS, HouseholdStage.LISTED)

    how: Annotated[BackHow, FieldWords("去向", "how it ended")]
    persons: Annotated[int, Field(strict=True, ge=0, le=500), FieldWords("人数", "how many people")]
    words: TextReference | None = None
    police_order: Annotated[KeptCode | None, FieldWords("110单号", "number of the police's order")] = None

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Somebody was at the door; the place was looked at; who is elsewhere is said to be somewhere; the police have an order."""
        found = list(super().faults(state))
        item = household_of(state, self.item)
        before = self.is_before_it_got_worse(sweep_of(state))
        if not found and item is not None and not (before or self.is_overtaken(state)):
            found += self._too_early(sweep_of(state), item)
        wanted = None if before else RELEASED_FOR.get(self.how)
        if not found and item is not None and wanted is not None and item.released is not wanted:
            said = say("此处尚未准许这样办理", "the place was not released so")
            remedy = say("请等评估结论,或如实登记去向", "wait for the inspection, or say where they are")
            found.append(Fault(field="how", reason=said, remedy=remedy))
        if self.how is not BackHow.WITH_POLICE and self.persons == 0:
            said = say("须当面清点人数", "count them by eye")
            found.append(Fault(field="persons", reason=said, remedy=say("至少1人", "one at the least")))
        if self.how in RELEASED_FOR:
            found += some_lack(item, self.persons, self.words)
        if self.how in {BackHow.ELSEWHERE, BackHow.DEAD} and self.words is None:
            said = say("须写明去向和由谁证实", "say where they are, and who says so")
            found.append(Fault(field="words", reason=said, remedy=say("请填写", "write it down")))
        if self.how in {BackHow.WITH_POLICE, BackHow.DEAD} and self.police_order is None:
            said = say("须有公安单号", "the police have a number for it")
            found.append(Fault(field="police_order", reason=said, remedy=say("请先报警", "tell the police first")))
        return tuple(found)

    @property
    def leads_to(self) -> str:
        """How it has ended."""
        return self.how.stage

    def is_before_it_got_worse(self, sweep: SweepState) -> bool:
        """Whether they went home when that was permitted, and it is not any more: they are at home, and in danger."""
        at_home, worse = self.how is BackHow.AT_HOME, sweep.worse_at
        return at_home and self.done_at is not None and worse is not None and self.done_at < worse

    def _too_early(self, sweep: SweepState, item: Household) -> tuple[Fault, ...]:
        """Nobody is out of danger by a word from a desk: first somebody is at the door, or two have been inside."""
        if self.how is BackHow.WITH_POLICE:
            if item.stage == self.how.stage or (item.stage == HouseholdStage.NOBODY and item.searched):
                return ()
            said = say("须先由两人入户查看", "two go in first, and find nobody")
            return (Fault(field="how", reason=said, remedy=say("请先登记查看情况", "say first what they found")),)
        if self.how is BackHow.DEAD and (item.stage != HouseholdStage.LISTED or sweep.is_over):
            return ()
        was_seen = item.stage not in TO_VISIT
        if was_seen or (sweep.is_over and self.how in RELEASED_FOR):
            return ()
        said = say("此户未脱险", "this household is not out of danger")
        return (Fault(field="how", reason=said, remedy=say("请先入户登记", "somebody goes to the door first")),)
