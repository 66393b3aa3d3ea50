"""The law of items: listed once, moved by a person's word and by nothing else, and the later word on each counts.

A tiny inspection has the part (schemas/parts/items.py): rooms are looked at one by one, and it is closed when each is done.
"""

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar

import pytest
from pydantic import Field

from schemas.clocks.limits import Limit
from schemas.kernel.acts import Nothing, act, file_acts, step
from schemas.kernel.case import CaseState
from schemas.kernel.declaration import declare
from schemas.kernel.entries import EntryKinds, entry
from schemas.kernel.parties import COORDINATOR, GRID_WORKER
from schemas.kernel.procedure import Command
from schemas.kernel.state import DeclaredState
from schemas.kernel.timers import duty, last_limit
from schemas.kernel.words import DeclaredStage
from schemas.parts.items import (
    ITEMS_AT_MOST,
    DatedOnItem,
    Item,
    Items,
    ItemsState,
    OnItem,
    OnItems,
    all_items_at,
    is_overtaken,
    items_state,
    listing_faults,
)
from schemas.values.actor import Actor
from schemas.values.refusals import Fault
from tests.api_driver import Person
from tests.part_bench import PartBench, TinyTerms, days, part_bench
from workflows.kernel.procedure_workflow import procedure_workflow
from workflows.parts.items import ItemsCase

pytestmark = pytest.mark.timeout(120)

WALKER = Person("grid-zhao", "grid_worker")
OTHER = Person("grid-qian", "grid_worker")
DESK = Person("coordinator-sun", "coordinator")


class Stage(DeclaredStage):
    """Where a tiny inspection stands."""

    OPEN = "open", "检查中", "检查中", "under way"
    CLOSED = "closed", "结束", "已结束", "over"


class RoomStage(DeclaredStage):
    """Where a room stands."""

    LISTED = "listed", "待查", "待查", "not looked at"
    LOCKED = "locked", "锁着", "锁着", "locked"
    SEEN = "seen", "已查", "已查", "seen"
    SEALED = "sealed", "已封", "已封", "sealed"


class Terms(TinyTerms):
    """How far back a word may lie, and when it should be over."""

    entered_within_hours: int = 6
    look: Limit = days(1)


class InspectionState(ItemsState[Item]):
    """What it remembers."""

    procedure: ClassVar[str] = "inspection"
    stage: str = Stage.OPEN
    terms: Terms = Terms()
    rooms: tuple[str, ...]


class Look(DatedOnItem):
    """A room was found open, or locked."""

    stands_at = (RoomStage.LISTED, RoomStage.LOCKED, RoomStage.SEEN)
    goes_to = (RoomStage.LOCKED, RoomStage.SEEN)

    open_door: bool


class Seal(OnItems):
    """Locked rooms are sealed."""

    stands_at = (RoomStage.LOCKED,)
    goes_to = (RoomStage.SEALED,)


class Knock(OnItem):
    """Said of a locked room; it stays locked."""

    stands_at = (RoomStage.LOCKED,)


class AddRooms(Command):
    """Further rooms."""

    rooms: Annotated[tuple[str, ...], Field(max_length=ITEMS_AT_MOST)]

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """None twice."""
        return (*super().faults(state), *listing_faults(items_state(state), self.rooms, "rooms"))


class Kind(EntryKinds, procedure="inspection"):
    """What its ledger says."""

    OPENED = entry("opened", "开始")
    LOOKED = entry("looked", "查看")
    KNOCKED = entry("knocked", "敲门")
    SEALED = entry("sealed", "封门")
    ADDED = entry("added", "补充")
    CLOSED = entry("closed", "结束")
    LAPSED = entry("lapsed", "终结")


DONE = (RoomStage.SEEN, RoomStage.SEALED)
EVERY_ROOM = all_items_at("every_room", *DONE, zh="须逐间查完", en="each room is looked at")
ROOMS = Items(stages=RoomStage, begins=RoomStage.LISTED, ends=DONE)
_LINES = (
    act(Look, "查看", by=GRID_WORKER, at=Stage.OPEN, entry=Kind.LOOKED),
    act(Knock, "敲门", by=GRID_WORKER, at=Stage.OPEN, entry=Kind.KNOCKED),
    act(Seal, "封门", by=GRID_WORKER, at=Stage.OPEN, entry=Kind.SEALED),
    act(AddRooms, "补充", by=COORDINATOR, at=Stage.OPEN, entry=Kind.ADDED),
    act(
        Nothing, "结束", name="close", meaning="each room is done.",
        by=COORDINATOR, at=Stage.OPEN, to=Stage.CLOSED, when=EVERY_ROOM, entry=Kind.CLOSED,
    ),
    step("expire", "终结", at=Stage.OPEN, to=Stage.CLOSED, entry=Kind.LAPSED, clock="final"),
    *file_acts(Kind, by=(COORDINATOR,), at=Stage.OPEN, urged_by=(COORDINATOR,)),
)  # fmt: skip
TIMERS = {"look": duty("查看", "a look", "look"), "final": last_limit("unresolved_after")}


def declared(**said: Any) -> Any:
    """The tiny inspection, with what a test says otherwise."""
    usual: dict[str, Any] = {
        "parent": "incident",
        "state": InspectionState,
        "stages": Stage,
        "entries": Kind,
        "opened": Kind.OPENED,
        "timers": TIMERS,
        "lines": _LINES,
        "parts": (ROOMS,),
    }
    return declare("inspection", "检查小事", **usual | said)


INSPECTION = declared()


@procedure_workflow
class Inspection(ItemsCase[InspectionState, Item]):
    """Looks at rooms."""

    procedure = INSPECTION

    def reported(self) -> dict[str, object]:
        """Which rooms."""
        return {"rooms": self.state.rooms}

    def begin(self) -> None:
        """All of them, once each."""
        self.move(Stage.OPEN, "role:grid_worker")
        self.start_clock("look")
        for room in self.state.rooms:
            self.list_item(Item(number=0, code=room, stage=RoomStage.LISTED, since=self.now()))

    def look(self, command: Look, by: Actor) -> None:
        """By the later word."""
        to = RoomStage.SEEN if command.open_door else RoomStage.LOCKED
        item = self.item(command.item)
        counts = self.say_of(item, to, command.said_of(self.now()), by)
        self.record_command(counts=counts, stands=item.stage)

    def seal(self, command: Seal, by: Actor) -> None:
        """Several at once."""
        for code in command.items:
            self.say_of(self.item(code), RoomStage.SEALED, self.now(), by)
        self.record_command()

    def add_rooms(self, command: AddRooms) -> None:
        """Further ones."""
        for room in command.rooms:
            self.list_item(Item(number=0, code=room, stage=RoomStage.LISTED, since=self.now()))
        self.record_command()


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PartBench]:
    """A bench that knows it."""
    async with part_bench(tmp_path_factory.mktemp("items"), Inspection) as opened:
        yield opened


def stages(bench: PartBench, case: str) -> list[str]:
    """Where each room stands."""
    return [each.stage for each in bench.state(case).items]


async def passes(bench: PartBench, case: str, time: timedelta) -> datetime:
    """Let so much time pass; the town's time then."""
    await bench.skip(case, time)
    await bench.taken(case, "comment", DESK, text="看一下")
    moment: datetime = bench.state(case).last_at
    return moment


async def test_a_word_moves_the_item_it_names_and_no_other(bench: PartBench) -> None:
    """The entry says which; by whom and when stands with the item."""
    case = await bench.open(INSPECTION, rooms=("a", "b", "c"))
    await bench.taken(case, "look", WALKER, item="b", open_door=True)

    assert stages(bench, case) == ["listed", "seen", "listed"]
    (looked,) = bench.facts(case, "looked")
    assert (looked["item"], looked["counts"]) == ("b", True)
    assert bench.state(case).items[1].by == WALKER.subject
    assert bench.state(case).items[0].by is None


async def test_what_cannot_be_said_of_an_item_is_refused_and_says_why(bench: PartBench) -> None:
    """One that is none; an item that stands elsewhere; among several the one at fault is named. Nothing moves."""
    case = await bench.open(INSPECTION, rooms=("a", "b"))
    assert "no such one" in await bench.refused(case, "look", WALKER, item="c", open_door=True)
    assert "not looked at" in await bench.refused(case, "knock", WALKER, item="a")
    await bench.taken(case, "look", WALKER, item="a", open_door=False)
    assert "not looked at" in await bench.refused(case, "seal", WALKER, items=["a", "b"])
    assert stages(bench, case) == ["locked", "listed"]
    await bench.taken(case, "seal", WALKER, items=["a"])
    assert "sealed" in await bench.refused(case, "look", WALKER, item="a", open_door=True)

    assert stages(bench, case) == ["sealed", "listed"]


async def test_of_two_words_the_later_one_counts_whatever_order_they_come_in(bench: PartBench) -> None:
    """What was seen earlier and is written down later stands in the ledger, and changes nothing; the same at another stage."""
    case = await bench.open(INSPECTION, rooms=("a",))
    now = await passes(bench, case, timedelta(hours=3))
    await bench.taken(case, "look", WALKER, item="a", open_door=True, done_at=(now - timedelta(hours=1)).isoformat())
    await bench.taken(case, "look", OTHER, item="a", open_door=False, done_at=(now - timedelta(hours=2)).isoformat())
    assert stages(bench, case) == ["seen"]
    assert [each["counts"] for each in bench.facts(case, "looked")] == [True, False]
    await bench.taken(case, "look", OTHER, item="a", open_door=False)
    await bench.taken(case, "seal", OTHER, items=["a"])
    await bench.taken(case, "look", WALKER, item="a", open_door=True, done_at=(now - timedelta(minutes=30)).isoformat())

    assert stages(bench, case) == ["sealed"]
    assert bench.facts(case, "looked")[-1]["counts"] is False


async def test_every_order_of_the_same_words_leads_to_the_same_list(bench: PartBench) -> None:
    """Words from several phones, in any order: where the items stand is what was seen last, and no word is lost."""
    said = [(minutes, room, minutes % 40 == 0) for minutes in range(10, 170, 20) for room in ("a", "b")]
    ends = []
    for seed in (1, 2, 3):
        case = await bench.open(INSPECTION, rooms=("a", "b"))
        now = await passes(bench, case, timedelta(hours=4))
        for minutes, room, seen in random.Random(seed).sample(said, len(said)):  # noqa: S311 - any order will do
            at = (now - timedelta(minutes=minutes)).isoformat()
            await bench.taken(case, "look", WALKER, item=room, open_door=seen, done_at=at)
        ends.append([(each.stage, now - each.since) for each in bench.state(case).items])
        assert len(bench.facts(case, "looked")) == len(said)

    assert ends == [[(RoomStage.LOCKED, timedelta(minutes=10))] * 2] * 3


async def test_a_word_lies_so_far_back_and_no_farther(bench: PartBench) -> None:
    """Nobody has looked tomorrow, before there was a list, or longer ago than the town says."""
    case = await bench.open(INSPECTION, rooms=("a",))
    early = bench.state(case).opened_at
    for before in (early - timedelta(seconds=1), early + timedelta(hours=1)):
        said = await bench.refused(case, "look", WALKER, item="a", open_door=True, done_at=before.isoformat())
        assert "6 hours back" in said
    now = await passes(bench, case, timedelta(hours=8))
    late = now - timedelta(hours=6, seconds=1)
    assert "6 hours" in await bench.refused(case, "look", WALKER, item="a", open_door=True, done_at=late.isoformat())
    within = now - timedelta(hours=5, minutes=59)
    await bench.taken(case, "look", WALKER, item="a", open_door=True, done_at=within.isoformat())

    assert bench.state(case).items[0].since == within


async def test_nothing_is_listed_twice_and_there_is_room_for_so_many(bench: PartBench) -> None:
    """What is listed already is refused by its place; 500 fit, in one case that goes on in new runs; the next one does not."""
    case = await bench.open(INSPECTION, rooms=("a", "b", "a"), history_limit=100)
    assert [each.code for each in bench.state(case).items] == ["a", "b"]
    assert "listed already" in await bench.refused(case, "add_rooms", DESK, rooms=["c", "b"])
    assert "listed already" in await bench.refused(case, "add_rooms", DESK, rooms=["c", "c"])
    await bench.taken(case, "add_rooms", DESK, rooms=[f"room-{each}" for each in range(ITEMS_AT_MOST - 2)])
    assert "room for 500" in await bench.refused(case, "add_rooms", DESK, rooms=["one-more"])
    for number in range(30):
        await bench.taken(case, "look", WALKER, item=f"room-{number}", open_door=True)

    state = bench.state(case)
    assert [each.number for each in state.items] == list(range(1, ITEMS_AT_MOST + 1))
    assert state.how_many_at() == {"listed": ITEMS_AT_MOST - 30, "seen": 30}
    assert state.runs > 1
    await bench.left_alone(case)


async def test_silence_moves_no_item_and_none_is_done_that_nobody_spoke_of(bench: PartBench) -> None:
    """A case is not closed over an item that is not done; left alone, each stands where a person has left it."""
    case = await bench.open(INSPECTION, rooms=("a", "b", "c"))
    await bench.taken(case, "look", WALKER, item="a", open_door=True)
    await bench.taken(case, "look", WALKER, item="b", open_door=False)
    assert "2 are left" in await bench.refused(case, "close", DESK)
    await bench.left_alone(case)

    assert stages(bench, case) == ["seen", "locked", "listed"]
    assert [each.by for each in bench.state(case).items] == [WALKER.subject, WALKER.subject, None]


class NoStage(OnItem):
    """A word at a stage that items do not have."""

    stands_at = ("nowhere",)


@pytest.mark.parametrize(
    ("lines", "parts", "fault"),
    [
        (
            (*_LINES, act(NoStage, "无", by=GRID_WORKER, at=Stage.OPEN, entry=Kind.KNOCKED)),
            (ROOMS,),
            "no stage of an item",
        ),
        (tuple(each for each in _LINES if getattr(each, "model", None) is not Seal), (ROOMS,), "comes to sealed"),
        (
            _LINES,
            (Items(stages=RoomStage, begins=RoomStage.LISTED, ends=(RoomStage.SEEN,)),),
            "sealed comes to no end",
        ),
    ],
)
def test_items_that_do_not_fit_are_no_procedure(lines: Any, parts: Any, fault: str) -> None:
    """A stage that is none, an end that nobody comes to, a stage that nobody can leave: found at import."""
    with pytest.raises(TypeError, match=fault):
        declared(lines=lines, parts=parts)


def test_items_stand_in_a_state_that_has_them() -> None:
    """A state without a list of them is found at import too."""

    class Without(DeclaredState):
        procedure: ClassVar[str] = "inspection"
        stage: str = Stage.OPEN
        terms: Terms = Terms()

    with pytest.raises(TypeError, match="ItemsState"):
        declared(state=Without)


WATCH = datetime(2027, 7, 1, 10, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("known", "known_at", "said", "said_at", "late"),
    [
        ("moved", WATCH + timedelta(seconds=10), "refused", WATCH, False),
        ("refused", WATCH + timedelta(seconds=10), "moved", WATCH, True),
        ("refused", WATCH, "moved", WATCH, True),
        ("moved", WATCH, "refused", WATCH, False),
        ("refused", WATCH + timedelta(seconds=10), "moved", WATCH + timedelta(seconds=20), False),
        ("moved", WATCH + timedelta(minutes=1), "refused", WATCH, True),
    ],
)
def test_of_two_words_of_one_minute_the_graver_counts(
    known: str,
    known_at: datetime,
    said: str,
    said_at: datetime,
    late: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """In whatever order they come, if one was read from a watch; two that a machine has timed go by the second."""
    item = Item(number=1, code="a", stage=known, since=known_at, by="li")

    assert is_overtaken(item, said, said_at, ("refused",)) is late
