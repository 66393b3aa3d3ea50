"""The law of children: each is started once and heard once a word, older news loses, and nobody is waited for for ever.

Two tiny procedures have the part (schemas/parts/children.py, workflows/parts/children.py): one asks several people, each in a case
of its own, and goes on when all have answered, or without those who have not.
"""

from collections.abc import AsyncIterator
from typing import ClassVar

import pytest

from schemas.clocks.limits import Limit
from schemas.kernel.acts import Nothing, act, file_acts, step
from schemas.kernel.case import CaseState, Message
from schemas.kernel.declaration import declare
from schemas.kernel.entries import EntryKinds, entry
from schemas.kernel.parties import COORDINATOR, GRID_WORKER
from schemas.kernel.state import DeclaredState
from schemas.kernel.timers import last_limit, window
from schemas.kernel.words import DeclaredStage
from schemas.parts.children import Child, ChildrenEntries, ChildReport, ParentState, Subject, children_lines, open_child
from tests.api_driver import Person
from tests.part_bench import PartBench, TinyTerms, days, part_bench
from tests.waiting import eventually
from workflows.kernel.procedure_workflow import procedure_workflow
from workflows.parts.children import ChildCase, ParentCase

pytestmark = pytest.mark.timeout(120)

ANSWERS = Person("grid-zhao", "grid_worker")
ASKS = Person("coordinator-sun", "coordinator")


class Stage(DeclaredStage):
    """Where a tiny parent stands."""

    ASKING = "asking", "征询中", "正在征询", "people are being asked"
    ANSWERED = "answered", "已了结", "已了结", "all have answered, or are not waited for any more"
    LAPSED = "lapsed", "逾期终结", "已终结", "ended"


class ChildStage(DeclaredStage):
    """Where a tiny child stands."""

    ASKED = "asked", "待答复", "待答复", "asked"
    READ = "read", "已阅", "已阅", "read, and not yet answered"
    ANSWERED = "answered", "已答复", "已答复", "answered"
    LET_GO = "let_go", "不再征询", "不再征询", "not asked any more"


class Terms(TinyTerms):
    """How long people have."""

    children: Limit = days(7)


class AskingState(ParentState):
    """What a tiny parent remembers."""

    procedure: ClassVar[str] = "asking"
    stage: str = Stage.ASKING
    terms: Terms = Terms()
    people: tuple[str, ...]


class AskedState(DeclaredState):
    """What a tiny child remembers."""

    procedure: ClassVar[str] = "asked"
    stage: str = ChildStage.ASKED
    terms: Terms


class Kind(ChildrenEntries, EntryKinds, procedure="asking"):
    """What the ledger of a parent says."""

    OPENED = entry("opened", "立案")
    REMINDED = entry("reminded", "提醒")
    ANSWERED = entry("answered", "征询了结")
    LAPSED = entry("lapsed", "逾期终结")


class ChildKind(EntryKinds, procedure="asked"):
    """What the ledger of a child says."""

    OPENED = entry("opened", "征询")
    READ = entry("read", "已阅")
    ANSWERED = entry("answered", "答复")
    LET_GO = entry("let_go", "不再征询")


ASKING = declare(
    "asking",
    "征询小事",
    parent="incident",
    state=AskingState,
    stages=Stage,
    entries=Kind,
    opened=Kind.OPENED,
    timers={"children": window("征询", "answers", "children"), "final": last_limit("unresolved_after")},
    lines=(
        *children_lines(Kind, at=Stage.ASKING, to=Stage.ANSWERED),
        act(
            Nothing, "提醒", name="remind", meaning="whoever has not answered is reminded.",
            by=COORDINATOR, at=Stage.ASKING, entry=Kind.REMINDED,
        ),
        step("expire", "逾期终结", at=Stage.ASKING, to=Stage.LAPSED, entry=Kind.LAPSED, clock="final"),
        *file_acts(Kind, by=(COORDINATOR,), at=Stage.ASKING, urged_by=(COORDINATOR,)),
    ),
)  # fmt: skip

ASKED = declare(
    "asked",
    "被征询",
    parent="asking",
    state=AskedState,
    stages=ChildStage,
    entries=ChildKind,
    opened=ChildKind.OPENED,
    timers={"final": last_limit("unresolved_after")},
    lines=(
        act(
            Nothing, "已阅", name="read", meaning="it was read.",
            by=GRID_WORKER, at=ChildStage.ASKED, to=ChildStage.READ, entry=ChildKind.READ,
        ),
        act(
            Nothing, "答复", name="answer", meaning="it is answered.",
            by=GRID_WORKER, at=(ChildStage.ASKED, ChildStage.READ), to=ChildStage.ANSWERED, entry=ChildKind.ANSWERED,
        ),
        step("let_go", "不再征询", at=(ChildStage.ASKED, ChildStage.READ), to=ChildStage.LET_GO, entry=ChildKind.LET_GO),
        *file_acts(ChildKind, by=(GRID_WORKER,), at=(ChildStage.ASKED, ChildStage.READ), urged_by=(COORDINATOR,)),
    ),
)  # fmt: skip


@procedure_workflow
class Asking(ParentCase[AskingState]):
    """Asks several people."""

    procedure = ASKING
    child_procedure = ASKED

    def reported(self) -> dict[str, object]:
        """Whom it asks."""
        return {"people": self.state.people}

    def begin(self) -> None:
        """All at once."""
        self.move(Stage.ASKING, "role:coordinator")
        self.start_children(self.state.people)

    def opening_of(self, child: Child) -> CaseState:
        """By the same terms."""
        return open_child(
            AskedState, self.state, child.code,
            stamp=child.stamp, at=child.asked_at, department=None, terms=self.state.terms,
        )  # fmt: skip

    def remind(self) -> None:
        """Tell whoever has not answered."""
        self.tell_children(self.state.waited_for(), "reminded")
        self.apply()

    def children_are_over(self) -> None:
        """Done, with or without some of them."""
        silent = [each.code for each in self.state.children if each.silent]
        self.finish_as(Stage.ANSWERED, Kind.ANSWERED, silent=silent)


@procedure_workflow
class Asked(ChildCase[AskedState]):
    """Is asked, and answers."""

    procedure = ASKED
    MESSAGE_HANDLERS = {Subject.PARENT_OVER: (None, "is_let_go")}

    def reported(self) -> dict[str, object]:
        """By whom."""
        return {"parent": self.state.parent}

    def begin(self) -> None:
        """Somebody has it."""
        self.move(ChildStage.ASKED, "role:grid_worker")

    def read(self) -> None:
        """Not the last word."""
        self.apply()
        self.report_to_parent()

    def answer(self) -> None:
        """The last word."""
        self.apply()
        self.report_to_parent(over=True)

    def is_let_go(self) -> None:
        """Nobody waits for it."""
        self.finish_as(ChildStage.LET_GO, ChildKind.LET_GO)


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PartBench]:
    """A bench that knows both."""
    async with part_bench(tmp_path_factory.mktemp("children"), Asking, Asked) as opened:
        yield opened


async def asking(bench: PartBench, *people: str) -> str:
    """A parent whose children stand."""
    case = await bench.open(ASKING, people=people)
    await eventually(lambda: len(bench.facts(case, "child:stands")) == len(people))
    await eventually(lambda: all(f"{case}.{each}" in bench.bench.tables.rows for each in people))
    return case


async def heard(bench: PartBench, case: str, words: int) -> None:
    """Wait until a parent has heard so many words of its children."""
    await eventually(lambda: len(bench.facts(case, "child:reported")) == words)


async def test_each_child_is_a_case_of_its_own_and_the_last_word_of_the_last_ends_the_waiting(bench: PartBench) -> None:
    """Started by its parent's rules under the stamp of whoever asked; a word that is not the last is heard and waited on."""
    case = await asking(bench, "li", "wang")
    child = bench.state(f"{case}.li")
    assert (child.parent, child.charter, child.area) == (case, bench.state(case).charter, bench.state(case).area)
    assert child.opening == bench.state(case).opening
    await bench.taken(f"{case}.li", "read", ANSWERS)
    await heard(bench, case, 1)
    await bench.taken(f"{case}.li", "answer", ANSWERS)
    await heard(bench, case, 2)
    assert bench.state(case).stage == Stage.ASKING
    assert [each.code for each in bench.state(case).waited_for()] == ["wang"]
    await bench.taken(f"{case}.wang", "answer", ANSWERS)
    await heard(bench, case, 3)

    assert bench.state(case).stage == Stage.ANSWERED
    assert [each.stage for each in bench.state(case).children] == ["answered", "answered"]
    (over,) = bench.facts(case, "answered")
    assert over["silent"] == []
    await bench.left_alone(case)
    await bench.left_alone(f"{case}.li")


async def test_each_word_is_heard_once(bench: PartBench) -> None:
    """All that a child told comes once more, as it came: nothing is recorded twice, and nobody has answered but who has."""
    case = await asking(bench, "li", "wang")
    await bench.taken(f"{case}.li", "read", ANSWERS)
    await bench.taken(f"{case}.li", "answer", ANSWERS)
    await heard(bench, case, 2)
    again = await bench.bench.tell_again(case)
    await bench.taken(case, "remind", ASKS)
    await bench.bench.at_rest(case)

    assert again == 2
    assert len(bench.facts(case, "child:reported")) == 2
    assert bench.state(case).stage == Stage.ASKING


async def test_older_news_loses_and_each_speaks_for_itself_alone(bench: PartBench) -> None:
    """A word that was overtaken on its way changes nothing; nor does one child's word about another, or a stranger's."""
    case = await asking(bench, "li", "wang")
    await bench.taken(f"{case}.li", "read", ANSWERS)
    await heard(bench, case, 1)
    before = bench.state(case).find_child("li").heard

    async def told(number: int, sender: str, child: str, known: int) -> None:
        facts = ChildReport(child=child, stage="answered", heard=known, over=True).model_dump(mode="json")
        message = Message(
            message_id=f"word-{number}", sender=sender, to=case, subject=Subject.CHILD_REPORTED, facts=facts
        )
        await bench.bench.client.get_workflow_handle(case).signal("message", message)

    await told(1, f"{case}.li", "li", before)
    await told(2, f"{case}.li", "wang", 99)
    await told(3, f"{case}.chen", "chen", 99)
    await told(4, "asking-20260601-999999.li", "li", 99)
    await bench.taken(case, "comment", ASKS, text="看一下进展")

    assert [each.over for each in bench.state(case).children] == [False, False]
    assert len(bench.facts(case, "child:reported")) == 1
    await told(5, f"{case}.li", "li", before + 1)
    await heard(bench, case, 2)
    assert [each.over for each in bench.state(case).children] == [True, False]


async def test_a_child_that_never_answers_is_not_waited_for_for_ever(bench: PartBench) -> None:
    """After its window the parent goes on without it, on the record; the child hears that nobody waits, and ends."""
    case = await asking(bench, "li", "wang")
    await bench.taken(f"{case}.li", "answer", ANSWERS)
    await heard(bench, case, 1)
    await bench.left_alone(case)

    (silent,) = bench.facts(case, "child:silent")
    assert (silent["child"], silent["gone"]) == ("wang", False)
    (over,) = bench.facts(case, "answered")
    assert over["silent"] == ["wang"]
    await eventually(lambda: bench.state(f"{case}.wang").stage == ChildStage.LET_GO)
    assert bench.facts(f"{case}.li", "let_go") == []


async def test_a_child_that_has_gone_is_not_waited_for(bench: PartBench) -> None:
    """Its case was ended from outside: when it is told something, its parent learns that, at once and once."""
    case = await asking(bench, "li", "wang")
    await bench.bench.client.get_workflow_handle(f"{case}.wang").terminate()
    await bench.taken(case, "remind", ASKS)
    await bench.until(case, "child:silent")
    await bench.taken(case, "remind", ASKS)
    assert bench.state(case).stage == Stage.ASKING
    await bench.taken(f"{case}.li", "answer", ANSWERS)
    await heard(bench, case, 1)

    (silent,) = bench.facts(case, "child:silent")
    assert (silent["child"], silent["gone"]) == ("wang", True)
    assert bench.state(case).stage == Stage.ANSWERED
