"""逐项 items: what stands in one case in great number, each by itself: households, papers, findings.

An item is named by its code in commands, has a small stage of its own, and is moved by a person's word and by nothing else: a
command says at which stages of the item it can be given (`stands_at`) and where the item may stand afterwards (`goes_to`). No clock
moves an item, no step of the case does, and none is listed twice: `code` is what it is in the whole case. Only to where items
begin a case may set one back by itself, because somebody has to go there again.

What is written down later than it was done says when it was done (`DatedOnItem`), so many hours back at the most. Of two words on
one item the later one counts, whatever order they come in: the older one stands in the ledger and changes nothing.
What the workflow does with it stands in `workflows/parts/items.py`.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from schemas.clocks.calendar import TownDatetime
from schemas.kernel.acts import Act, Step
from schemas.kernel.case import CaseState
from schemas.kernel.choices import Bounds, Choices
from schemas.kernel.procedure import Command
from schemas.kernel.rules import Condition, Rule
from schemas.kernel.state import DeclaredState
from schemas.kernel.timers import Timer
from schemas.kernel.words import DeclaredStage, StageWords
from schemas.values.account import NotOfAPerson
from schemas.values.actor import Actor
from schemas.values.refusals import Fault, say
from schemas.words.field_words import FieldWords

ITEMS_AT_MOST = 500
"""So many fit in one case: its state goes from run to run as one payload, and its row is written with every flush."""


class Item(BaseModel):
    """One of them. `number`: its place in the case, from 1. `code`: what it is; no two have the same.

    `stage`: where it stands; `since`: when what was last said of it was so, in town time, which may be before it was written
    down; `by`: the account of who said so; None: it is listed, and nobody has said anything of it.
    """

    model_config = ConfigDict(extra="forbid")

    number: int
    code: str
    stage: str
    since: datetime
    by: str | None = None


ItemT = TypeVar("ItemT", bound=Item)


class ItemsState(DeclaredState, Generic[ItemT]):
    """A case that has items; the one with number n stands at place n - 1."""

    graver: ClassVar[tuple[str, ...]] = ()
    """The stages of which somebody must not be talked out by a word of the same minute, the least grave first."""

    items: list[ItemT] = []

    def item_called(self, code: str) -> ItemT | None:
        """Return the item of this code; None: it is not listed."""
        return next((each for each in self.items if each.code == code), None)

    def items_at(self, *stages: str) -> list[ItemT]:
        """Return those that stand at one of these stages, in order of number."""
        return [each for each in self.items if each.stage in stages]

    def how_many_at(self) -> dict[str, int]:
        """Return how many stand where: for entries and lists."""
        stages = dict.fromkeys(each.stage for each in self.items)
        return {stage: len(self.items_at(stage)) for stage in sorted(stages)}


# ---- what people say of one ---------------------------------------------------------------------------------------------

ItemCode = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$"), NotOfAPerson]
"""What an item is called in the whole case: by the town's own lists, so that screens say it in words."""


class MovesItems(Command):
    """A word on items. `stands_at`: where they may stand; `goes_to`: where they may stand afterwards; empty: where they stood."""

    stands_at: ClassVar[tuple[str, ...]]
    goes_to: ClassVar[tuple[str, ...]] = ()


class OnItem(MovesItems):
    """A word on one item."""

    item: Annotated[ItemCode, FieldWords("清单项", "which one of the list")]

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """The items that stand where this can be said of them."""
        return {"item": _those_at(items_state(state), cls.stands_at)}


class OnItems(MovesItems):
    """A word on several items at once."""

    items: Annotated[
        tuple[ItemCode, ...], Field(max_length=ITEMS_AT_MOST), FieldWords("清单项(可多项)", "which of the list")
    ]

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """The items that stand where this can be said of them."""
        return {"items": _those_at(items_state(state), cls.stands_at)}


class DatedOnItem(OnItem):
    """A word on one item that may be written down later, where there was no signal: `done_at` is when it was so."""

    done_at: Annotated[TownDatetime | None, FieldWords("实际时间(不填即现在)", "when it was, if not now")] = None

    def said_of(self, now: datetime) -> datetime:
        """When it was so."""
        return now if self.done_at is None else self.done_at

    @classmethod
    def hours_back(cls, state: CaseState) -> int:
        """How far back it may lie: `entered_within_hours` of the town's terms."""
        hours: int = items_state(state).terms.entered_within_hours
        return hours

    def is_overtaken(self, state: CaseState) -> bool:
        """Whether something later is known of the item already."""
        cases = items_state(state)
        item = cases.item_called(self.item)
        if item is None or item.by is None or self.done_at is None:
            return False
        return is_overtaken(item, self.leads_to, self.done_at, cases.graver)

    @property
    def leads_to(self) -> str:
        """Where the item stands by this word."""
        return ""

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Where the item stands now says nothing against a word that is older: it is kept, and changes nothing."""
        found = super().faults(state)
        return tuple(each for each in found if each.field != "item") if self.is_overtaken(state) else found

    def not_theirs(self, state: CaseState, actor: Actor, now: datetime) -> tuple[Fault, ...]:  # noqa: ARG002 - whoever it is
        """Not ahead, not before the case was, and not farther back than the town says."""
        return date_faults(self.done_at, self.hours_back(state), state.opened_at, now)


def is_overtaken(item: Item, stage: str, at: datetime, graver: Sequence[str]) -> bool:
    """Whether a word comes too late to count: something later is known; or, of the same minute, something graver.

    Watches are read to the minute: which of two words of one minute was first nobody knows, if one of them was read from a watch.
    Then the graver one counts, whichever comes first.
    """
    minute, known = (each.replace(second=0, microsecond=0) for each in (at, item.since))
    ranks = {each: number for number, each in enumerate(graver, 1)}
    new, old = ranks.get(stage, 0), ranks.get(item.stage, 0)
    if minute != known or new == old or (at != minute and item.since != known):
        return at < item.since
    return new < old


def date_faults(done_at: datetime | None, hours: int, opened_at: datetime, now: datetime) -> tuple[Fault, ...]:
    """What speaks against the moment at which something was so. All are town time."""
    if done_at is None or max(now - timedelta(hours=hours), opened_at) <= done_at <= now:
        return ()
    said = say(
        f"实际时间须在{hours}小时以内、本案开始之后,且不晚于现在",
        f"it lies at most {hours} hours back, after this case began, and not ahead",
    )
    return (Fault(field="done_at", reason=said, remedy=say("请更正时间", "mend the time")),)


def items_state(state: CaseState) -> ItemsState[Any]:
    """The state as one that has items."""
    assert isinstance(state, ItemsState)  # noqa: S101 - the part looks at that when the procedure is declared
    return state


def listing_faults(state: ItemsState[Any], codes: Sequence[str], field: str) -> Iterator[Fault]:
    """Say what keeps something from being listed: it is already, or there is no room. `field`: where the codes were named."""
    known = {each.code for each in state.items}
    for number, code in enumerate(codes):
        if code in known:
            said = say("已在清单中", "is listed already")
            yield Fault(
                field=f"{field}.{number}", reason=said, remedy=say("请查看已有的一项", "look at the one that is")
            )
        known.add(code)
    if len(state.items) + len(codes) > ITEMS_AT_MOST:
        said = say(f"一案最多{ITEMS_AT_MOST}项", f"one case has room for {ITEMS_AT_MOST}")
        yield Fault(field=field, reason=said, remedy=say("请另立一案", "open another case for the others"))


def all_items_at(name: str, *stages: str, zh: str, en: str) -> Condition:
    """Only while every item stands at one of these stages; else it is said how many do not. `name`: as explanations call it."""

    def condition(state: Any, _actor: Actor, _now: datetime) -> str | None:
        left = len(state.items) - len(state.items_at(*stages))
        return say(f"{zh}:尚有{left}项", f"{en}: {left} are left") if left else None

    condition.__name__ = name
    return condition


def _words_of(stage: str, among: Collection[str]) -> StageWords:
    """A stage of items in words, which it shares with the others of its procedure."""
    of = next((type(each) for each in among if isinstance(each, DeclaredStage)), None)
    return StageWords(stage, stage, stage) if of is None else of(stage).words


def _those_at(state: ItemsState[Any], stages: Collection[str]) -> Choices:
    def reason(code: str) -> str:
        item = state.item_called(code)
        if item is None:
            return say("清单中没有此项", "there is no such one in the list")
        words = _words_of(item.stage, stages)
        return say(
            f"此项为“{words.screen}”,不能这样登记", f"of this one it stands written: {words.en}; this cannot follow"
        )

    here = tuple(each.code for each in state.items if each.stage in stages)
    return Choices(here, reason)


# ---- what a procedure declares --------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Items:
    """The items of a procedure, in its `parts`. `stages`: of an item; `begins`: of one that is listed; `ends`: of one that is done.

    What is done can be mended while the case is open, if a command says so: somebody has named the wrong door.
    """

    stages: type[DeclaredStage]
    begins: StrEnum
    ends: tuple[StrEnum, ...]

    def faults(
        self,
        state: type[DeclaredState],
        timers: Mapping[str, Timer],  # noqa: ARG002 - no clock moves an item
        lines: Sequence[Act | Step | Rule],
    ) -> Iterator[str]:
        """Say what does not fit: a stage that is none, one that nobody can leave, an end that nobody comes to."""
        if not issubclass(state, ItemsState):
            yield "items stand in an ItemsState"
        models = [each.model for each in lines if isinstance(each, Act) and issubclass(each.model, MovesItems)]
        known = {each.value for each in self.stages}
        for model in models:
            strange = {*model.stands_at, *model.goes_to} - known
            yield from (f"{model.__name__} names {each}, which is no stage of an item" for each in sorted(strange))
        moves = {stage: {to for model in models if stage in model.stands_at for to in model.goes_to} for stage in known}
        for stage in sorted(known - set(self.ends)):
            if not _reached(stage, moves) & set(self.ends):
                yield f"an item at {stage} comes to no end: nobody can say a word that leads there"
        yield from (
            f"no item ever comes to {each}" for each in sorted(known - _reached(self.begins, moves) - {self.begins})
        )


def _reached(stage: str, moves: Mapping[str, Iterable[str]]) -> set[str]:
    """Where an item may come to from here."""
    found: set[str] = set()
    ahead = [stage]
    while ahead:
        for to in moves.get(ahead.pop(), ()):
            if to not in found:
                found.add(to)
                ahead.append(to)
    return found
