"""The law of what no silence ends: after the last tier everybody is called again, and again, and it is still there.

A tiny watch has the part (schemas/parts/unending.py): somebody is to look, and nobody does.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from schemas.clocks.limits import Limit
from schemas.kernel.acts import Nothing, act, file_acts
from schemas.kernel.declaration import declare
from schemas.kernel.entries import EntryKinds, entry
from schemas.kernel.parties import COORDINATOR
from schemas.kernel.timers import duty, last_limit
from schemas.kernel.words import DeclaredStage
from schemas.parts.unending import UnendingState, nobody_acted_again, unending_line
from tests.api_driver import Person
from tests.part_bench import PartBench, TinyTerms, days, part_bench
from workflows.kernel.procedure_workflow import procedure_workflow
from workflows.parts.unending import Unending

pytestmark = pytest.mark.timeout(120)

DESK = Person("coordinator-sun", "coordinator")
ROUNDS = 3


class Stage(DeclaredStage):
    """Where a tiny watch stands."""

    OPEN = "open", "值守中", "值守中", "under way"
    CLOSED = "closed", "结束", "已结束", "over"


class Terms(TinyTerms):
    """When somebody should have looked, and how often everybody is called again."""

    look: Limit = days(1)
    again_after: Limit = days(2)


class WatchState(UnendingState):
    """What it remembers."""

    procedure: ClassVar[str] = "watch"
    stage: str = Stage.OPEN
    terms: Terms = Terms()
    place: str = "桥头"


class Kind(EntryKinds, procedure="watch"):
    """What its ledger says."""

    OPENED = entry("opened", "开始")
    CALLED_AGAIN = entry("called_again", "再次上报", nobody_acted_again("watch"))
    CLOSED = entry("closed", "结束")


WATCH = declare(
    "watch", "值守小事", parent="incident", state=WatchState, stages=Stage, entries=Kind, opened=Kind.OPENED,
    timers={"look": duty("查看", "a look", "look"), "final": last_limit("again_after", warns=False, recurs=True)},
    lines=(
        act(
            Nothing, "结束", name="close", meaning="somebody has looked.",
            by=COORDINATOR, at=Stage.OPEN, to=Stage.CLOSED, entry=Kind.CLOSED,
        ),
        unending_line(Kind.CALLED_AGAIN, "watch_called_again", at=Stage.OPEN, facts=("place",)),
        *file_acts(Kind, by=(COORDINATOR,), at=Stage.OPEN, urged_by=(COORDINATOR,)),
    ),
)  # fmt: skip


@procedure_workflow
class Watch(Unending[WatchState]):
    """Waits for somebody."""

    procedure = WATCH

    def reported(self) -> dict[str, Any]:
        """Where."""
        return {"place": self.state.place}

    def begin(self) -> None:
        """Somebody of the grid is to look."""
        self.move(Stage.OPEN, "role:grid_worker")
        self.start_clock("look")

    def everybody(self) -> Sequence[str]:
        """The grid, and the desk."""
        return ("role:grid_worker", "role:coordinator")


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PartBench]:
    """A bench that knows it."""
    async with part_bench(tmp_path_factory.mktemp("unending"), Watch) as opened:
        yield opened


def called(bench: PartBench, case: str) -> list[tuple[str, Mapping[str, Any]]]:
    """Who was called again, in order, and what it said."""
    outbox = bench.bench.tables.notices[case]
    return [
        (each["recipient"], each["facts"])
        for _, each in sorted(outbox.items())
        if each["template"] == "watch_called_again"
    ]


async def test_silence_calls_everybody_again_and_ends_nothing(bench: PartBench) -> None:
    """Nobody looks: after the last tier all hear the same again and again, the supervisor first."""
    case = await bench.open(WATCH, place="桥头")
    await bench.bench.until_told(case, str(Kind.CALLED_AGAIN), ROUNDS)
    rounds = bench.facts(case, "called_again")

    assert [each["rounds"] for each in rounds] == [*range(1, ROUNDS + 1)]
    assert {each["holder"] for each in rounds} == {"role:coordinator"}
    assert [who for who, _ in called(bench, case)] == [
        "role:supervisor",
        "role:grid_worker",
        "role:coordinator",
    ] * ROUNDS
    assert {facts["place"] for _, facts in called(bench, case)} == {"桥头"}
    assert not bench.state(case).closed_at


async def test_whoever_acts_ends_the_calling(bench: PartBench) -> None:
    """Somebody has looked after the first round: nobody is called any more."""
    case = await bench.open(WATCH)
    await bench.bench.until_told(case, str(Kind.CALLED_AGAIN))
    await bench.taken(case, "close", DESK)
    await bench.skip(case, timedelta(days=10))

    assert len(bench.facts(case, "called_again")) == 1
    assert bench.state(case).stage == Stage.CLOSED
