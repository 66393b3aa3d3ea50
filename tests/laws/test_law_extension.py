"""The law of extension and suspension: more time only before the due time and only so far; nothing rests for ever.

A tiny procedure has the part (schemas/parts/extension.py, workflows/parts/extension.py): a department works, asks for more time
or for a pause, and is done.
"""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import ClassVar

import pytest

from schemas.clocks.clocks import Status
from schemas.clocks.limits import Limit, Unit
from schemas.kernel.acts import Nothing, act, file_acts, step
from schemas.kernel.declaration import declare
from schemas.kernel.entries import EntryKinds, entry
from schemas.kernel.parties import COORDINATOR, HOLDING_DEPARTMENT, SUPERVISOR, THE_DEPARTMENT
from schemas.kernel.timers import duty, last_limit, window
from schemas.kernel.words import DeclaredStage
from schemas.parts.extension import (
    ExtensionEntries,
    RequestsState,
    SuspensionEntries,
    extension_lines,
    suspension_lines,
)
from tests.api_driver import Person
from tests.part_bench import PartBench, TinyTerms, days, part_bench
from workflows.kernel.procedure_workflow import procedure_workflow
from workflows.parts.extension import RequestsCase

pytestmark = pytest.mark.timeout(120)

OFFICER = Person("officer-cheng", "department_officer", department="urban-management")
ELSEWHERE = Person("officer-si", "department_officer", department="justice-office")
GRANTS_TIME = Person("supervisor-zhou", "supervisor")
GRANTS_REST = Person("coordinator-sun", "coordinator")
WHY = {"reason": "等待配件"}


class Stage(DeclaredStage):
    """Where a tiny case stands."""

    WORKING = "working", "办理中", "正在办理", "a department is at work"
    RESTING = "resting", "已挂账", "暂缓办理", "put off"
    DONE = "done", "已办结", "已办结", "done"
    LAPSED = "lapsed", "逾期终结", "已终结", "ended unfinished"


class Terms(TinyTerms):
    """Ten days by the clock, five working days more at most, three days of rest at most."""

    finish: Limit = Limit(amount=240, unit=Unit.HOURS)
    suspension: Limit = days(3)
    extension_working_days_at_most: int = 5


class PausedState(RequestsState):
    """What it remembers."""

    procedure: ClassVar[str] = "paused"
    stage: str = Stage.WORKING
    terms: Terms = Terms()


class Kind(ExtensionEntries, SuspensionEntries, EntryKinds, procedure="paused"):
    """What its ledger says."""

    OPENED = entry("opened", "立案")
    DONE = entry("done", "办结")
    LAPSED = entry("lapsed", "逾期终结")


PAUSED = declare(
    "paused",
    "可延小事",
    parent="incident",
    state=PausedState,
    stages=Stage,
    entries=Kind,
    opened=Kind.OPENED,
    timers={
        "finish": duty("办结", "completion", "finish"),
        "suspension": window("挂账", "suspension", "suspension", warns=True),
        "final": last_limit("unresolved_after"),
    },
    lines=(
        *extension_lines(Kind, by=HOLDING_DEPARTMENT, granted_by=SUPERVISOR, at=Stage.WORKING),
        *suspension_lines(Kind, by=HOLDING_DEPARTMENT, granted_by=COORDINATOR, at=Stage.WORKING, suspended=Stage.RESTING),
        act(
            Nothing, "办结", name="finish", meaning="the work is done.",
            by=HOLDING_DEPARTMENT, at=Stage.WORKING, to=Stage.DONE, entry=Kind.DONE,
        ),
        step("expire", "逾期终结", at=(Stage.WORKING, Stage.RESTING), to=Stage.LAPSED, entry=Kind.LAPSED, clock="final"),
        *file_acts(Kind, by=(HOLDING_DEPARTMENT,), at=(Stage.WORKING, Stage.RESTING), urged_by=(SUPERVISOR,)),
    ),
)  # fmt: skip


@procedure_workflow
class Paused(RequestsCase[PausedState]):
    """A case that is nothing but work."""

    procedure = PAUSED

    def reported(self) -> dict[str, object]:
        """Nothing besides the rules."""
        return {}

    def begin(self) -> None:
        """The department has it."""
        self.start_clock("finish")
        self.move(Stage.WORKING, self.address_of(THE_DEPARTMENT))

    def finish(self) -> None:
        """Done: what was asked for is asked no more."""
        self.drop_requests()
        self.apply()


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PartBench]:
    """A bench that knows it."""
    async with part_bench(tmp_path_factory.mktemp("extension"), Paused) as opened:
        yield opened


async def opened(bench: PartBench) -> str:
    """A case that a department holds."""
    return await bench.open(PAUSED, department="urban-management")


def due(bench: PartBench, case: str) -> datetime:
    """When the work is due now."""
    (view,) = [view for view in bench.state(case).clock_views() if view.name == "finish"]
    assert isinstance(view.due_at, datetime)
    return view.due_at


def told(bench: PartBench, case: str, template: str) -> list[str]:
    """Who was told by this template."""
    notices = [notice for _, notice in sorted(bench.bench.tables.notices[case].items())]
    return [notice["recipient"] for notice in notices if notice["template"] == template]


# ---- extension ------------------------------------------------------------------------------------------------------


async def test_granted_the_clock_grows_by_what_was_asked_for(bench: PartBench) -> None:
    """By working days, counted in all; asked for it is not yet granted, and the answer goes to who asked."""
    case = await opened(bench)
    before = due(bench, case)
    await bench.taken(case, "request_extension", OFFICER, working_days=2, **WHY)
    assert due(bench, case) == before
    await bench.taken(case, "grant_extension", GRANTS_TIME)

    clock = bench.state(case).clocks["finish"]
    assert due(bench, case) > before
    assert clock.facts[-1].limit == Limit(amount=2, unit=Unit.WORKING_DAYS)
    (granted,) = bench.facts(case, "extension:granted")
    assert (granted["working_days"], granted["in_all"]) == (2, 2)
    assert told(bench, case, "extension_requested") == ["role:supervisor"]
    assert told(bench, case, "extension_granted") == ["department:urban-management"]
    await bench.left_alone(case)


async def test_no_more_days_than_are_left_and_one_request_at_a_time(bench: PartBench) -> None:
    """Five in all: six are refused, after three only two are left, and none can be asked for when all are used."""
    case = await opened(bench)
    too_many = await bench.refused(case, "request_extension", OFFICER, working_days=6, **WHY)
    await bench.taken(case, "request_extension", OFFICER, working_days=3, **WHY)
    second = await bench.refused(case, "request_extension", OFFICER, working_days=1, **WHY)
    await bench.taken(case, "grant_extension", GRANTS_TIME)
    more_than_left = await bench.refused(case, "request_extension", OFFICER, working_days=3, **WHY)
    await bench.taken(case, "request_extension", OFFICER, working_days=2, **WHY)
    await bench.taken(case, "grant_extension", GRANTS_TIME)
    used_up = await bench.refused(case, "request_extension", OFFICER, working_days=1, **WHY)

    assert "5 working days at most" in too_many
    assert "asked for already" in second
    assert "5 working days at most" in more_than_left
    assert "the most allowed" in used_up
    assert bench.state(case).extended_working_days == 5


async def test_refused_the_limit_stays_and_it_can_be_asked_for_again(bench: PartBench) -> None:
    """Nobody grants what was not asked for, nor what was refused; another department asks for nothing here."""
    case = await opened(bench)
    before = due(bench, case)
    nothing_asked = await bench.refused(case, "grant_extension", GRANTS_TIME)
    elsewhere = await bench.give(case, "request_extension", ELSEWHERE, working_days=1, **WHY)
    await bench.taken(case, "request_extension", OFFICER, working_days=1, **WHY)
    await bench.taken(case, "refuse_extension", GRANTS_TIME, reason="不予同意")
    refused = await bench.refused(case, "grant_extension", GRANTS_TIME)
    await bench.taken(case, "request_extension", OFFICER, working_days=1, **WHY)

    assert "no extension is asked for" in nothing_asked
    assert "no extension is asked for" in refused
    assert elsewhere.status_code in {403, 404}
    assert due(bench, case) == before


async def test_it_comes_before_the_due_time_and_not_after(bench: PartBench) -> None:
    """What was asked for in time is not granted when the limit has passed, and nothing is asked for any more."""
    case = await opened(bench)
    await bench.taken(case, "request_extension", OFFICER, working_days=1, **WHY)
    await bench.skip(case, timedelta(days=10, hours=1), "breach")
    late = await bench.refused(case, "grant_extension", GRANTS_TIME)
    await bench.taken(case, "refuse_extension", GRANTS_TIME, reason="已逾期")
    too_late = await bench.refused(case, "request_extension", OFFICER, working_days=1, **WHY)

    assert "extended before, not after" in late
    assert "extended before, not after" in too_late


async def test_what_was_asked_for_lapses_with_the_work(bench: PartBench) -> None:
    """Done with an extension and a pause still asked for: both lapse, on the record, and the case is over."""
    case = await opened(bench)
    await bench.taken(case, "request_extension", OFFICER, working_days=1, **WHY)
    await bench.taken(case, "request_suspension", OFFICER, **WHY)
    await bench.taken(case, "finish", OFFICER)

    assert [facts["request"] for facts in bench.facts(case, "request_lapsed")] == ["extension", "suspension"]
    assert (bench.state(case).extension, bench.state(case).suspension) == (None, None)
    await bench.left_alone(case)


# ---- suspension -----------------------------------------------------------------------------------------------------


async def test_what_rests_is_not_counted(bench: PartBench) -> None:
    """Two days of rest make the due time two days later; who granted it may say that it goes on."""
    case = await opened(bench)
    before = due(bench, case)
    await bench.taken(case, "request_suspension", OFFICER, **WHY)
    assert bench.state(case).clocks["finish"].status is Status.RUNNING
    await bench.taken(case, "grant_suspension", GRANTS_REST)
    assert bench.state(case).stage == Stage.RESTING
    assert bench.state(case).clocks["finish"].status is Status.PAUSED
    await bench.skip(case, timedelta(days=2))
    await bench.taken(case, "resume", GRANTS_REST)

    assert bench.state(case).stage == Stage.WORKING
    assert timedelta(days=2) <= due(bench, case) - before < timedelta(days=2, hours=1)
    assert bench.state(case).clocks["suspension"].status is Status.STOPPED
    assert bench.state(case).paused == []
    await bench.left_alone(case)


async def test_nothing_rests_for_ever(bench: PartBench) -> None:
    """After its own limit the work goes on by itself; who asked and who granted are told, and silence ends the case."""
    case = await opened(bench)
    await bench.taken(case, "request_suspension", OFFICER, **WHY)
    await bench.taken(case, "grant_suspension", GRANTS_REST)
    await bench.left_alone(case)

    (ended,) = bench.facts(case, "suspension:ended")
    assert ended["limit"] == str(Terms().suspension)
    assert ended["clocks"]["finish"]["status"] == "running"
    assert told(bench, case, "suspension_ended") == ["department:urban-management", "role:coordinator"]
    assert bench.state(case).stage == Stage.LAPSED


async def test_refused_the_work_goes_on(bench: PartBench) -> None:
    """Nothing pauses; it can be asked for again, once at a time, and nobody grants it unasked."""
    case = await opened(bench)
    unasked = await bench.refused(case, "grant_suspension", GRANTS_REST)
    await bench.taken(case, "request_suspension", OFFICER, **WHY)
    twice = await bench.refused(case, "request_suspension", OFFICER, **WHY)
    await bench.taken(case, "refuse_suspension", GRANTS_REST, reason="可以继续办理")
    await bench.taken(case, "request_suspension", OFFICER, **WHY)

    assert "no suspension is asked for" in unasked
    assert "asked for already" in twice
    assert bench.state(case).clocks["finish"].status is Status.RUNNING
