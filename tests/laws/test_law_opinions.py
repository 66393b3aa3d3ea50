"""The law of opinions: each is answered once, by somebody else, in its own time; nothing is decided before, and none is lost.

A tiny talk has the part (schemas/parts/opinions.py): whoever closes it waits until everybody has an answer.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from schemas.clocks.clocks import due_at
from schemas.clocks.limits import Limit
from schemas.kernel.acts import Nothing, act, file_acts, step
from schemas.kernel.declaration import declare
from schemas.kernel.entries import EntryKinds, entry
from schemas.kernel.parties import COORDINATOR, GRID_WORKER, STREET_OFFICER, WINDOW_CLERK, desk_of
from schemas.kernel.timers import last_limit
from schemas.kernel.words import DeclaredStage
from schemas.parts.opinions import (
    ANSWER,
    OpinionEntries,
    OpinionsState,
    opinion_lines,
    opinion_timers,
    opinions_are_answered,
    room_for_an_opinion,
)
from schemas.values.actor import Actor, Role
from tests.api_driver import Person
from tests.part_bench import PartBench, TinyTerms, days, part_bench
from workflows.kernel.procedure_workflow import procedure_workflow
from workflows.parts.opinions import Opinions

pytestmark = pytest.mark.timeout(120)

ONE, OTHER = Person("grid-zhao", "grid_worker"), Person("clerk-qian", "window_clerk")
STREET, AS_STREET = Person("street-feng", "street_officer"), Person("grid-zhao", "street_officer")
SAID = {"opinion": "晚归车辆停放怎么办"}
WHY = {"taken": "not_taken", "reason": "车位不足"}


class Stage(DeclaredStage):
    """Where a tiny talk stands."""

    OPEN = "open", "征求意见", "征求意见", "say what you think"
    DONE = "done", "结束", "已结束", "over"


class Terms(TinyTerms):
    """Five days for an answer; three opinions in all, two of one person."""

    answer_opinion: Limit = days(5)
    opinions_at_most: int = 3
    opinions_of_one_at_most: int = 2


class TalkState(OpinionsState):
    """What it remembers."""

    procedure: ClassVar[str] = "talk"
    stage: str = Stage.OPEN
    terms: Terms = Terms()


class Kind(OpinionEntries, EntryKinds, procedure="talk"):
    """What its ledger says."""

    OPENED = entry("opened", "开始")
    DONE = entry("done", "结束")
    LAPSED = entry("lapsed", "终结")


TALK = declare(
    "talk",
    "征求意见小事",
    parent="incident",
    state=TalkState,
    stages=Stage,
    entries=Kind,
    opened=Kind.OPENED,
    timers={**opinion_timers(desk_of(STREET_OFFICER)), "final": last_limit("unresolved_after")},
    lines=(
        *opinion_lines(Kind, at=Stage.OPEN, by=(GRID_WORKER, WINDOW_CLERK), answered_by=(STREET_OFFICER,)),
        act(
            Nothing,
            "结束",
            name="close",
            meaning="it is decided.",
            by=STREET_OFFICER,
            at=Stage.OPEN,
            to=Stage.DONE,
            when=opinions_are_answered,
            entry=Kind.DONE,
        ),
        step("lapse", "终结", at=Stage.OPEN, to=Stage.DONE, entry=Kind.LAPSED, clock="final"),
        *file_acts(Kind, by=(COORDINATOR,), at=Stage.OPEN, urged_by=(COORDINATOR,)),
    ),
)


@procedure_workflow
class Talk(Opinions[TalkState]):
    """One talk."""

    procedure = TALK

    def reported(self) -> dict[str, Any]:
        """Nothing was sent."""
        return {}

    def begin(self) -> None:
        """Anybody may speak."""


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PartBench]:
    """A bench with the tiny talk."""
    async with part_bench(tmp_path_factory.mktemp("opinions"), Talk) as found:
        yield found


async def test_nothing_is_decided_until_each_has_its_answer_from_somebody_else(bench: PartBench) -> None:
    """In any order; who gave it does not answer it in another role either, and no opinion is answered twice."""
    case = await bench.open(TALK)
    await bench.taken(case, "opine", ONE, **SAID)
    await bench.taken(case, "opine", OTHER, **SAID)
    await bench.refused(case, "answer_opinion", AS_STREET, request=2, **WHY)
    await bench.taken(case, "answer_opinion", STREET, request=2, **WHY)
    await bench.refused(case, "answer_opinion", STREET, request=2, **WHY)
    assert "1" in await bench.refused(case, "close", STREET)
    await bench.taken(case, "answer_opinion", STREET, request=1, taken="taken", reason="已采纳")
    state = bench.state(case)
    await bench.taken(case, "close", STREET)

    assert (state.opinions_given, state.people_heard, state.opinions_answered) == (2, 2, {"not_taken": 1, "taken": 1})
    await bench.left_alone(case)


async def test_the_one_that_has_waited_longest_keeps_its_own_time(bench: PartBench) -> None:
    """Answering another one gives nobody more time; when all are answered, no clock runs."""
    case = await bench.open(TALK)
    await bench.taken(case, "opine", ONE, **SAID)
    first = due_at(bench.state(case).clocks[ANSWER], bench.state(case).charter.calendar)
    await bench.skip(case, timedelta(days=2))
    await bench.taken(case, "opine", OTHER, **SAID)
    await bench.taken(case, "answer_opinion", STREET, request=2, **WHY)
    again = due_at(bench.state(case).clocks[ANSWER], bench.state(case).charter.calendar)
    await bench.taken(case, "answer_opinion", STREET, request=1, **WHY)

    assert first is not None
    assert again is not None
    assert abs(again - first) < timedelta(minutes=1)
    assert bench.state(case).clocks[ANSWER].status == "stopped"
    await bench.taken(case, "close", STREET)


async def test_a_case_takes_so_many_and_so_many_of_one(bench: PartBench) -> None:
    """A resident who has said enough leaves room for others, staff write down what many say, and a case is no letter box."""
    case = await bench.open(TALK)
    await bench.taken(case, "opine", ONE, **SAID)
    await bench.taken(case, "opine", ONE, **SAID)
    said = bench.state(case).model_copy(update={"opinions_of": {"resident-li": 2}})
    residents, staff = (Actor(subject="resident-li", role=role) for role in (Role.RESIDENT, Role.WINDOW_CLERK))
    assert "2" in (room_for_an_opinion(said, residents, said.opened_at) or "")
    assert room_for_an_opinion(said, staff, said.opened_at) is None
    await bench.taken(case, "opine", OTHER, **SAID)
    assert "3" in await bench.refused(case, "opine", OTHER, **SAID)
