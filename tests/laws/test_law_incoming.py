"""The law of incoming money: the bank's word alone counts, each line once, in the case whose reference stands beside it.

A tiny fee waits for money (schemas/parts/incoming.py). How the bank is asked: tests/procedures/test_incoming.py.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import ClassVar

import pytest
from pydantic import TypeAdapter

from schemas.clocks.limits import Limit
from schemas.contracts.incoming import MoneyReference, money_reference
from schemas.contracts.payment import ReceiptLine
from schemas.contracts.reconciliation import INCOMING_KIND, DifferenceKind, RecoveryEntry, reconcile, with_recoveries
from schemas.kernel.acts import WithReason, act, file_acts, step
from schemas.kernel.declaration import declare
from schemas.kernel.entries import EntryKinds, entry
from schemas.kernel.parties import COORDINATOR, GRID_WORKER, STREET_OFFICER
from schemas.kernel.timers import duty, last_limit
from schemas.kernel.words import DeclaredStage
from schemas.parts.incoming import (
    ExpectedMoney,
    IncomingEntries,
    IncomingState,
    IncomingTerms,
    MoneyStanding,
    incoming_lines,
    incoming_timers,
)
from tests.api_driver import Person
from tests.case_bench import A_MONDAY
from tests.part_bench import PartBench, TinyTerms, days, part_bench
from tests.waiting import eventually
from workflows.kernel.procedure_workflow import procedure_workflow
from workflows.parts.incoming import IncomingCase

pytestmark = pytest.mark.timeout(120)

OFFICER = Person("street-fees", "street_officer")
WHY = {"reason": "另行追讨"}
FEE = 1_000


class Stage(DeclaredStage):
    """Where a tiny fee stands."""

    WAITING = "waiting", "待到账", "等待到账", "waited for"
    PAID = "paid", "已到账", "已到账", "it is there"
    DROPPED = "dropped", "终止", "已终止", "sought by other means"
    LAPSED = "lapsed", "逾期终结", "已终结", "ended without a word"


class Terms(IncomingTerms, TinyTerms):
    """Ten days to pay, asked again every second day; a month for all of it."""

    work: Limit = days(30)
    money: Limit = days(10)
    look_again: Limit = days(2)


class FeeState(IncomingState):
    """What it remembers."""

    procedure: ClassVar[str] = "fee"
    stage: str = Stage.WAITING
    terms: Terms = Terms()


class Kind(IncomingEntries, EntryKinds, procedure="fee"):
    """What its ledger says."""

    OPENED = entry("opened", "立案")
    PAID = entry("paid", "已到账")
    DROPPED = entry("dropped", "终止")
    LAPSED = entry("lapsed", "逾期终结")


FEE_PROCEDURE = declare(
    "fee",
    "小费",
    parent="incident",
    state=FeeState,
    stages=Stage,
    entries=Kind,
    opened=Kind.OPENED,
    timers={**incoming_timers(), "work": duty("办理", "work", "work"), "final": last_limit("unresolved_after")},
    lines=(
        *incoming_lines(Kind, by=(STREET_OFFICER,), at=(Stage.WAITING,)),
        act(
            WithReason, "不再等待", name="drop", meaning="it is sought by other means.", by=STREET_OFFICER,
            at=Stage.WAITING, to=Stage.DROPPED, entry=Kind.DROPPED,
        ),
        step("expire", "逾期终结", at=Stage.WAITING, to=Stage.LAPSED, entry=Kind.LAPSED, clock="final"),
        *file_acts(Kind, by=(GRID_WORKER,), at=Stage.WAITING, urged_by=(COORDINATOR,)),
    ),
)  # fmt: skip


@procedure_workflow
class Fee(IncomingCase[FeeState]):
    """A case that waits for its fee, and is over with it."""

    procedure = FEE_PROCEDURE

    def reported(self) -> dict[str, object]:
        """How much it is."""
        return {"amount_fen": FEE}

    def begin(self) -> None:
        """From now on."""
        self.start_clock("work")
        self.move(Stage.WAITING, "role:street_officer")
        self.expect_money("fee", FEE)

    def drop(self) -> None:
        """It is not waited for."""
        for money in self.state.waited_for_money():
            self.drop_money(money)
        self.apply()

    def money_has_come(self, money: ExpectedMoney) -> None:
        """With its money it is over."""
        self.finish_as(Stage.PAID, Kind.PAID, came_fen=money.came_fen)


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PartBench]:
    """A bench that knows fees."""
    async with part_bench(tmp_path_factory.mktemp("fees"), Fee) as opened:
        yield opened


def line(receipt: str, amount_fen: int) -> ReceiptLine:
    return ReceiptLine(receipt=receipt, amount_fen=amount_fen, at=A_MONDAY)


def comes_in(bench: PartBench, case: str, *lines: ReceiptLine, number: int = 1) -> None:
    """At the bank, under the reference of this case."""
    bench.bench.tables.incoming[money_reference(case, number)] += lines


def made(bench: PartBench, case: str) -> list[str]:
    """What its ledger says of money."""
    return [kind.removeprefix("incoming:") for kind, _ in bench.told(case) if kind.startswith("incoming:")]


async def looked(bench: PartBench, case: str) -> None:
    """Somebody says that it was paid, and the bank is asked."""
    before = made(bench, case)
    await bench.taken(case, "look_for_money", OFFICER)
    await eventually(lambda: len(made(bench, case)) > len(before) + 1)


async def test_the_bank_s_word_alone_counts_each_line_once(bench: PartBench) -> None:
    """Somebody's word moves nothing; a part counts once however often it is said; with the rest it is over, and no more counts."""
    case, other = await bench.open(FEE_PROCEDURE), await bench.open(FEE_PROCEDURE)
    await bench.until(case, "incoming:not_yet")
    await looked(bench, case)
    comes_in(bench, case, line("R1", 400), line("R1", 400))
    await looked(bench, case)
    await looked(bench, case)
    state = bench.state(case)
    assert [(each.receipt, each.amount_fen) for each in state.money[0].came] == [("R1", 400)]
    assert (state.stage, state.money[0].left_fen) == (Stage.WAITING, 600)

    comes_in(bench, case, line("R2", 601))
    await bench.taken(case, "look_for_money", OFFICER)
    await bench.until(case, "paid")
    assert bench.facts(case, "incoming:complete")[0]["over_fen"] == 1
    assert made(bench, case) == [
        "expected", "not_yet", "look_asked", "not_yet", "look_asked", "came", "not_yet", "look_asked", "not_yet",
        "look_asked", "came", "complete",
    ]  # fmt: skip
    assert bench.state(other).money[0].came == [], "what another case is paid is not this one's"
    await bench.taken(other, "drop", OFFICER, **WHY)
    for each in (case, other):
        await bench.left_alone(each)


async def test_the_bank_is_asked_again_by_itself(bench: PartBench) -> None:
    """Nobody has to say anything: it is found within the time after which the bank is asked again."""
    case = await bench.open(FEE_PROCEDURE)
    await bench.until(case, "incoming:not_yet")
    comes_in(bench, case, line("R9", FEE))
    await bench.skip(case, timedelta(days=3))
    await bench.until(case, "paid")

    assert made(bench, case) == ["expected", "not_yet", "came", "complete"]
    await bench.left_alone(case)


async def test_what_never_comes_climbs_and_ends(bench: PartBench) -> None:
    """Somebody is late, and it is said; the case ends without the money, and never as if it had come."""
    case = await bench.open(FEE_PROCEDURE)
    await bench.left_alone(case)

    assert bench.state(case).stage == Stage.LAPSED
    assert bench.state(case).money[0].standing is MoneyStanding.EXPECTED
    assert any(facts.get("clock") == "money" and facts.get("moment") == "breach" for _, facts in bench.told(case))
    assert set(made(bench, case)) == {"expected", "not_yet"}


def test_a_reference_is_one_case_s_and_one_purpose_s() -> None:
    """Two cases, a child and another number never have the same; and each can be written beside a transfer."""
    cases = ("fee-20260601-000001", "fee-20260601-000002", "fee-20260601-000001.child")
    made_of = {money_reference(case, number) for case in cases for number in (1, 2, 11)}

    assert len(made_of) == len(cases) * 3
    assert all(TypeAdapter(MoneyReference).validate_python(each) == each for each in made_of)


@pytest.mark.parametrize(
    ("theirs", "kinds"),
    [
        ([line("R1", 400)], []),
        ([line("R1", 399)], [DifferenceKind.REPAYMENT_DIFFERS]),
        ([], [DifferenceKind.REPAYMENT_NOT_PROVED]),
        ([line("R1", 400), line("R2", 1)], [DifferenceKind.REPAYMENT_UNKNOWN_TO_US]),
    ],
)
def test_what_came_in_stands_in_the_books(theirs: list[ReceiptLine], kinds: list[DifferenceKind]) -> None:
    """By its receipt, against the bank's own lines of the month; and it is no repayment of a debt."""
    ours = RecoveryEntry(case_id="fee-1", seq=3, kind=INCOMING_KIND, month="2026-06", amount_fen=400, receipt="R1")
    found = with_recoveries(reconcile("2026-06", [], []), [ours], {"2026-06": theirs}, [])

    assert [kind for each in found.differences for kind in each.kinds] == kinds
    assert (found.recoveries.repaid, found.repayments) == (0, ())
