"""The law of documents, visits and recusal: what is missing is asked for by name, and nobody's time runs meanwhile.

Visits are different people's.

A tiny permit has the three parts (schemas/parts/documents.py, visits.py, recusal.py) and nothing else of any procedure.
"""

import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from schemas.clocks.clocks import Status
from schemas.clocks.limits import Limit
from schemas.kernel.acts import file_acts, step
from schemas.kernel.declaration import declare
from schemas.kernel.entries import EntryKinds, entry
from schemas.kernel.parties import (
    CIVIL_AFFAIRS_OFFICER,
    COORDINATOR,
    GRID_WORKER,
    STREET_OFFICER,
    WINDOW_CLERK,
    desk_of,
)
from schemas.kernel.people import Part
from schemas.kernel.timers import duty, last_limit
from schemas.kernel.words import DeclaredStage
from schemas.parts.documents import CorrectedState, CorrectionEntries, correction_lines, correction_timers
from schemas.parts.recusal import RecusalEntries, RecusedState, recusal_line
from schemas.parts.visits import VisitedState, VisitEntries, visit_line, visit_timers
from schemas.values.actor import Actor, Role
from tests.api_driver import Person
from tests.part_bench import PartBench, TinyTerms, days, part_bench
from workflows.kernel.procedure_workflow import procedure_workflow
from workflows.parts.documents import Corrections
from workflows.parts.recusal import Recusals
from workflows.parts.visits import Visits

pytestmark = pytest.mark.timeout(120)

CLERK, GRID, OTHER_GRID = (
    Person("clerk-qian", "window_clerk"),
    Person("grid-1", "grid_worker"),
    Person("grid-2", "grid_worker"),
)
STREET, COUNTY = Person("street-feng", "street_officer"), Person("civil-wu", "civil_affairs_officer")
AGAIN = Person("department:urban-management/grid-1", "grid_worker")
"""The account of who has visited, by another way."""

FOUND = {"finding": "与申请一致"}
ASKED = {"documents": ["identity-card", "lease"], "reason": "字迹不清"}


class Stage(DeclaredStage):
    """Where a tiny permit stands."""

    FILED = "filed", "待审查", "正在审查", "looked at"
    WAITING = "waiting", "补正中", "请补交材料", "waiting for your documents"
    DECIDED = "decided", "已决定", "已决定", "decided"
    LAPSED = "lapsed", "逾期终结", "已终结", "ended without a decision"


class Terms(TinyTerms):
    """Ten days to look, five to bring, five to visit."""

    look: Limit = days(10)
    correct: Limit = days(5)
    survey: Limit = days(5)


class PermitState(CorrectedState, VisitedState, RecusedState):
    """What it remembers. `needs` are the documents without which nothing is looked at."""

    procedure: ClassVar[str] = "permit"
    stage: str = Stage.FILED
    terms: Terms = Terms()
    needs: tuple[str, ...] = ()

    def missing(self) -> tuple[str, ...]:
        """By its rules, and what was asked for."""
        return (*(kind for kind in self.needs if kind not in self.papers), *super().missing())

    @property
    def visitors_wanted(self) -> frozenset[Role]:
        """The county, where somebody is related."""
        return frozenset({Role.CIVIL_AFFAIRS_OFFICER}) if self.related else frozenset()


class Kind(CorrectionEntries, VisitEntries, RecusalEntries, EntryKinds, procedure="permit"):
    """What its ledger says."""

    OPENED = entry("opened", "申请")
    DECIDED = entry("decided", "决定")
    LAPSED = entry("lapsed", "逾期终结")


PERMIT = declare(
    "permit",
    "许可小事",
    parent="incident",
    state=PermitState,
    stages=Stage,
    entries=Kind,
    opened=Kind.OPENED,
    timers={
        "look": duty("审查", "looking", "look"),
        **correction_timers(),
        **visit_timers(),
        "final": last_limit("unresolved_after"),
    },
    lines=(
        *correction_lines(
            Kind,
            at=Stage.FILED,
            during=Stage.WAITING,
            found_at=Stage.FILED,
            asked_by=(STREET_OFFICER,),
            brought_by=(WINDOW_CLERK,),
            once=True,
        ),
        visit_line(
            Kind, by=(GRID_WORKER, STREET_OFFICER, CIVIL_AFFAIRS_OFFICER), at=Stage.FILED, to=Stage.DECIDED,
            apart_from=(Part.ENTERED, Part.RELATED),
        ),
        recusal_line(Kind, by=(GRID_WORKER, STREET_OFFICER), at=Stage.FILED),
        step("expire", "逾期终结", at=(Stage.FILED, Stage.WAITING), to=Stage.LAPSED, entry=Kind.LAPSED, clock="final"),
        *file_acts(Kind, by=(WINDOW_CLERK,), at=(Stage.FILED, Stage.WAITING), urged_by=(COORDINATOR,)),
    ),
)  # fmt: skip


@procedure_workflow
class Permit(Corrections[PermitState], Visits[PermitState], Recusals[PermitState]):
    """Looked at when all is there, and decided when everybody has visited."""

    procedure = PERMIT
    HELD_WHILE_CORRECTING = ("look", "survey")
    corrections_go_to = desk_of(STREET_OFFICER)

    def reported(self) -> dict[str, object]:
        """What it needs."""
        return {"needs": list(self.state.needs)}

    def begin(self) -> None:
        """The clocks of who looks and who visits start; what is missing is named at once."""
        self.start_clock("look")
        self.await_visits()
        if not self.ask_for_what_is_missing(Stage.FILED):
            self.move(Stage.FILED, self.corrections_go_to)

    def on_visited(self) -> None:
        """Decided with the last visit."""
        if self.state.visits_done:
            self.finish_as(Stage.DECIDED, Kind.DECIDED)


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PartBench]:
    """A bench that knows it."""
    async with part_bench(tmp_path_factory.mktemp("permit"), Permit) as opened:
        yield opened


def paper(bench: PartBench, content: str) -> dict[str, Any]:
    """A document that was uploaded."""
    digest = hashlib.sha256(content.encode()).hexdigest()
    size = len(content)
    return {"reference": bench.bench.vault.document(), "sha256": digest, "size_bytes": size, "media_type": "image/png"}


def status(bench: PartBench, case: str, clock: str) -> Status:
    return Status(bench.state(case).clocks[clock].status)


# ---- documents --------------------------------------------------------------------------------------------------------


async def test_what_is_missing_is_named_at_once_and_nobody_s_time_runs(bench: PartBench) -> None:
    """The clocks of who waits pause, by name; with the last document they go on where they stood, and so does the case."""
    case = await bench.open(PERMIT, needs=("identity-card", "lease"))
    due = {view.name: view.due_at for view in bench.state(case).clock_views()}
    assert (bench.state(case).stage, bench.state(case).holder) == (Stage.WAITING, "reporter")
    assert [status(bench, case, name) for name in ("look", "survey", "correct")] == ["paused", "paused", "running"]
    await bench.skip(case, timedelta(days=2))
    await bench.taken(case, "hand_in", CLERK, kind="identity-card", document=paper(bench, "card"))
    assert bench.state(case).stage == Stage.WAITING
    await bench.taken(case, "hand_in", CLERK, kind="lease", document=paper(bench, "lease"))
    after = {view.name: view.due_at for view in bench.state(case).clock_views()}

    assert due == {"look": None, "survey": None, "correct": due["correct"]}
    assert [facts.get("missing") for facts in bench.facts(case, "handed_in")] == [["lease"], []]
    assert (bench.state(case).stage, bench.state(case).holder) == (Stage.FILED, "role:street_officer")
    assert [status(bench, case, name) for name in ("look", "survey", "correct")] == ["running", "running", "stopped"]
    assert after["look"] is not None
    assert (after["look"].date() - bench.state(case).opened_at.date()).days >= 12
    assert len(bench.state(case).documents) == 2


async def test_what_nobody_asked_for_is_not_handed_in(bench: PartBench) -> None:
    """The kinds that are missing can be named, and no other."""
    case = await bench.open(PERMIT, needs=("lease",))
    said = await bench.refused(case, "hand_in", CLERK, kind="identity-card", document=paper(bench, "card"))

    assert "is not among the missing documents" in said


async def test_what_was_not_to_be_read_is_asked_for_once_more(bench: PartBench) -> None:
    """A paper that is there does not count any more; a clock that had not begun to run does not run after it either."""
    case = await bench.open(PERMIT, needs=("lease",))
    await bench.taken(case, "hand_in", CLERK, kind="lease", document=paper(bench, "a lease"))
    await bench.taken(case, "ask_correction", STREET, **ASKED)
    assert set(bench.state(case).missing()) == {"identity-card", "lease"}
    assert bench.facts(case, "correction:asked")[-1]["by"] == "street_officer"
    for kind in ("lease", "identity-card"):
        await bench.taken(case, "hand_in", CLERK, kind=kind, document=paper(bench, f"{kind} anew"))
    more = await bench.refused(case, "ask_correction", STREET, documents=["tax"], reason="还缺一份")

    assert "nothing more is" in more, "people ask once, and for all of it"
    assert bench.facts(case, "correction:done")[-1]["stage"] == Stage.FILED
    assert bench.state(case).stage == Stage.FILED


async def test_what_nobody_brings_is_reported_upwards(bench: PartBench) -> None:
    """A case does not wait for ever: the clock of who has to bring it is a duty like others."""
    case = await bench.open(PERMIT, needs=("lease",))
    await bench.left_alone(case)

    assert bench.state(case).stage == Stage.LAPSED
    assert [facts["clock"] for _, facts in bench.told(case) if facts.get("moment") == "breach"] == ["correct"]


# ---- visits -----------------------------------------------------------------------------------------------------------


async def test_two_different_people_visit(bench: PartBench) -> None:
    """The same account by another way is the same person; who entered the case does not visit."""
    case = await bench.open(PERMIT)
    await bench.taken(case, "record_visit", GRID, **FOUND)
    again = await bench.refused(case, "record_visit", AGAIN, **FOUND)
    assert bench.state(case).stage == Stage.FILED
    await bench.taken(case, "record_visit", OTHER_GRID, **FOUND)

    assert "the second visit is somebody else's" in again
    assert [facts["number"] for facts in bench.facts(case, "visited")] == [1, 2]
    assert bench.state(case).stage == Stage.DECIDED


async def test_who_entered_the_case_does_not_visit(bench: PartBench) -> None:
    """Nor does who is related, and a relation is declared once."""
    case = await bench.open(PERMIT, by=Actor(subject="grid-9", role=Role.GRID_WORKER))
    own = await bench.refused(case, "record_visit", Person("grid-9", "grid_worker"), **FOUND)
    await bench.taken(case, "declare_relation", GRID, relation="申请人是本人表兄")
    related = await bench.refused(case, "record_visit", AGAIN, **FOUND)
    twice = await bench.refused(case, "declare_relation", AGAIN, relation="又一次")

    assert "who entered the case leaves this to somebody else" in own
    assert "you declared a relation to this household" in related
    assert "you have declared it already" in twice


async def test_an_office_that_has_to_visit_is_waited_for(bench: PartBench) -> None:
    """Where somebody is related two of the street are not enough: the county is among them."""
    case = await bench.open(PERMIT)
    await bench.taken(case, "declare_relation", GRID, relation="申请人是本人表兄")
    await bench.taken(case, "record_visit", OTHER_GRID, **FOUND)
    await bench.taken(case, "record_visit", STREET, **FOUND)
    assert bench.state(case).stage == Stage.FILED
    await bench.taken(case, "record_visit", COUNTY, **FOUND)

    assert bench.state(case).stage == Stage.DECIDED
    await bench.left_alone(case)
