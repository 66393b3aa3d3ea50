"""The law of reservations: asked once and answered alike, never over the limit, a number once over all cases, free with the case.

A tiny prize takes its share of a pool and shows an invoice (schemas/parts/reservations.py). The rule is tried by chance, the
table with real locks in tests/engine/test_reserved_units.py.
"""

from collections.abc import AsyncIterator
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from activities.reservations import blind_key
from schemas.clocks.limits import Limit
from schemas.contracts.reserved_units import (
    ReserveAsk,
    ReserveStatus,
    Standing,
    UnitRow,
    judge,
)
from schemas.kernel.acts import WithReason, act, file_acts, step
from schemas.kernel.declaration import declare
from schemas.kernel.entries import EntryKinds, entry
from schemas.kernel.parties import COORDINATOR, GRID_WORKER, STREET_OFFICER
from schemas.kernel.procedure import Command
from schemas.kernel.timers import duty, last_limit
from schemas.kernel.words import DeclaredStage
from schemas.parts.reservations import ReservationEntries, ReservedUnit, ReservingState, UnitStanding
from schemas.values.references import TextReference
from tests.api_driver import Person
from tests.part_bench import PartBench, TinyTerms, days, part_bench
from tests.waiting import eventually
from workflows.kernel.procedure_workflow import procedure_workflow
from workflows.parts.reservations import ReservationsCase

pytestmark = pytest.mark.timeout(120)

OFFICER = Person("street-pool", "street_officer")
POOL = 1_000
CASES = ("prize-20260601-000001", "prize-20260601-000002", "prize-20260601-000003")


# ---- the rule -----------------------------------------------------------------------------------------------------------


def asking(case: str, amount: int | None = None, purpose: str = "award-1", limit: int = POOL) -> ReserveAsk:
    """Asking for a share of the pool, or for the whole unit."""
    return ReserveAsk(
        case_id=case, kind="prize", purpose=purpose, key="2026", amount=amount, limit=None if amount is None else limit
    )


def row_of(asked: ReserveAsk, standing: Standing = Standing.HELD) -> UnitRow:
    return UnitRow(
        case_id=asked.case_id,
        key=str(asked.key),
        purpose=asked.purpose,
        amount=asked.amount,
        limit=asked.limit,
        standing=standing,
    )


ASKINGS = st.lists(st.tuples(st.sampled_from(CASES), st.integers(1, 6), st.integers(1, 700)), max_size=30)
ENDS = st.lists(st.tuples(st.sampled_from(CASES), st.integers(1, 6), st.sampled_from(Standing)), max_size=30)


@given(askings=ASKINGS, ends=ENDS)
def test_no_pool_is_overdrawn(askings: list[tuple[str, int, int]], ends: list[tuple[str, int, Standing]]) -> None:
    """However many ask, and whatever is given up or spent between: what is held and spent never passes the limit."""
    rows: dict[tuple[str, str], UnitRow] = {}
    for step_number, (case, number, amount) in enumerate(askings):
        asked = asking(case, amount, f"award-{number}")
        place = (case, asked.purpose)
        receipt = judge(asked, "2026", rows.values())
        if receipt.status is ReserveStatus.HELD and place not in rows:
            rows[place] = row_of(asked)
        if step_number < len(ends):
            ended, which, standing = ends[step_number]
            if (known := rows.get((ended, f"award-{which}"))) is not None and known.standing is Standing.HELD:
                rows[ended, f"award-{which}"] = known.model_copy(update={"standing": standing})
        used = sum(row.amount or 0 for row in rows.values() if row.standing is not Standing.RELEASED)

        assert used <= POOL
        assert receipt.left is None or 0 <= receipt.left <= POOL


@pytest.mark.parametrize("amount", [None, 400])
def test_asked_again_is_answered_alike_and_writes_nothing(amount: int | None) -> None:
    """Its own row stands: with what it is alone in, and where the rest would not be enough for it a second time."""
    asked = asking(CASES[0], amount)
    full = row_of(asking(CASES[1], 600)) if amount else row_of(asking(CASES[1]), Standing.RELEASED)

    for standing in (Standing.HELD, Standing.SPENT):
        assert judge(asked, "2026", [row_of(asked, standing), full]).status is ReserveStatus.HELD


@pytest.mark.parametrize(
    ("other", "standing", "status"),
    [
        (asking(CASES[1]), Standing.HELD, ReserveStatus.TAKEN),
        (asking(CASES[1]), Standing.SPENT, ReserveStatus.TAKEN),
        (asking(CASES[1]), Standing.RELEASED, ReserveStatus.HELD),
        (asking(CASES[0], purpose="award-2"), Standing.HELD, ReserveStatus.TAKEN),
    ],
)
def test_a_unit_is_one_case_s_and_one_purpose_s(other: ReserveAsk, standing: Standing, status: ReserveStatus) -> None:
    """Spent is for ever; given up is free; the same invoice twice in one case is twice, too."""
    assert judge(asking(CASES[0]), "2026", [row_of(other, standing)]).status is status


def test_to_the_last_fen_and_not_one_more() -> None:
    """What is left is said to whoever is refused."""
    held = row_of(asking(CASES[1], 600))
    last, more = judge(asking(CASES[0], 400), "2026", [held]), judge(asking(CASES[0], 401), "2026", [held])

    assert (last.status, last.left) == (ReserveStatus.HELD, 0)
    assert (more.status, more.left) == (ReserveStatus.OVER_LIMIT, 400)


def test_what_does_not_fit_together_is_a_person_s() -> None:
    """A whole that others share; a purpose that stood for something else, or that was given up before."""
    first = asking(CASES[0], 100)

    assert judge(asking(CASES[1]), "2026", [row_of(first)]).status is ReserveStatus.TAKEN
    assert judge(first, "2026", [row_of(asking(CASES[1]))]).status is ReserveStatus.TAKEN
    assert judge(asking(CASES[0], 101), "2026", [row_of(first)]).status is ReserveStatus.OTHER_ASKED
    assert judge(first, "2027", [row_of(first)]).status is ReserveStatus.OTHER_ASKED
    assert judge(first, "2026", [row_of(first, Standing.RELEASED)]).status is ReserveStatus.RELEASED


def test_where_the_town_has_changed_the_limit_each_case_is_held_to_its_own() -> None:
    """What the others hold counts, whatever limit they go by; under a lower one that is passed already nothing is left."""
    held = row_of(asking(CASES[1], 600))
    raised, lowered = asking(CASES[0], 500, limit=1_100), asking(CASES[0], 1, limit=500)

    assert judge(raised, "2026", [held]).status is ReserveStatus.HELD
    assert (judge(lowered, "2026", [held]).status, judge(lowered, "2026", [held]).left) == (ReserveStatus.OVER_LIMIT, 0)


@pytest.mark.parametrize("fields", [{}, {"key": "a", "secret": "text:" + "0" * 26}, {"key": "a", "amount": 1}])
def test_an_asking_is_of_one_thing(fields: dict[str, object]) -> None:
    """A key or the reference of a number; an amount only of a limit."""
    with pytest.raises(ValidationError):
        ReserveAsk.model_validate({"case_id": CASES[0], "kind": "invoice", "purpose": "invoice-1", **fields})


def test_a_number_is_found_again_however_it_is_written_and_cannot_be_read() -> None:
    """Wide letters, spaces, hyphens, small letters; of another kind it is another; under another key it is nothing."""
    key = blind_key(bytes(32), "invoice", "2433 2000 0001-abc")

    assert (
        key
        == blind_key(bytes(32), "invoice", "243320000001ABC")
        == blind_key(bytes(32), "invoice", "２４３３20000001abc")
    )
    assert key != blind_key(bytes(32), "receipt", "243320000001ABC")
    assert key != blind_key(bytes([1] * 32), "invoice", "243320000001ABC")
    assert "2433" not in key


# ---- a case -------------------------------------------------------------------------------------------------------------


class Stage(DeclaredStage):
    """Where a tiny prize stands."""

    RUNNING = "running", "办理中", "正在办理", "under way"
    DONE = "done", "办结", "已办结", "done"
    CALLED_OFF = "called_off", "终止", "已终止", "called off"
    LAPSED = "lapsed", "逾期终结", "已终结", "ended without a word"


class Terms(TinyTerms):
    """A month to do it."""

    work: Limit = days(30)


class PrizeState(ReservingState):
    """What it remembers."""

    procedure: ClassVar[str] = "prize"
    stage: str = Stage.RUNNING
    terms: Terms = Terms()
    amount_fen: int = 400


class Kind(ReservationEntries, EntryKinds, procedure="prize"):
    """What its ledger says."""

    OPENED = entry("opened", "登记")
    SHOWN = entry("shown", "出示发票")
    GIVEN_UP = entry("given_up", "放弃")
    AGAIN = entry("again", "再次申请")
    DONE = entry("done", "办结")
    CALLED_OFF = entry("called_off", "终止")
    LAPSED = entry("lapsed", "逾期终结")


class ShowInvoice(Command):
    """出示发票: its number stands in the vault."""

    invoice: TextReference


PRIZE = declare(
    "prize",
    "小奖",
    parent="incident",
    state=PrizeState,
    stages=Stage,
    entries=Kind,
    opened=Kind.OPENED,
    timers={"work": duty("办理", "work", "work"), "final": last_limit("unresolved_after")},
    lines=(
        act(ShowInvoice, "出示发票", by=STREET_OFFICER, at=Stage.RUNNING, entry=Kind.SHOWN),
        act(
            WithReason, "放弃", name="give_up", meaning="others may have it.", by=STREET_OFFICER,
            at=Stage.RUNNING, entry=Kind.GIVEN_UP,
        ),
        act(
            WithReason, "再次申请", name="ask_again", meaning="it is asked for once more.", by=STREET_OFFICER,
            at=Stage.RUNNING, entry=Kind.AGAIN,
        ),
        act(
            WithReason, "办结", name="spend", meaning="it is used.", by=STREET_OFFICER, at=Stage.RUNNING, to=Stage.DONE,
            entry=Kind.DONE,
        ),
        act(
            WithReason, "终止", name="call_off", meaning="nothing comes of it.", by=STREET_OFFICER, at=Stage.RUNNING,
            to=Stage.CALLED_OFF, entry=Kind.CALLED_OFF,
        ),
        step("expire", "逾期终结", at=Stage.RUNNING, to=Stage.LAPSED, entry=Kind.LAPSED, clock="final"),
        *file_acts(Kind, by=(GRID_WORKER,), at=Stage.RUNNING, urged_by=(COORDINATOR,)),
    ),
)  # fmt: skip


@procedure_workflow
class Prize(ReservationsCase[PrizeState]):
    """A case that takes its share, and shows invoices."""

    procedure = PRIZE

    def reported(self) -> dict[str, object]:
        """How much it wants."""
        return {"amount_fen": self.state.amount_fen}

    def begin(self) -> None:
        """Its share of the pool."""
        self.start_clock("work")
        self.move(Stage.RUNNING, "role:street_officer")
        self.want_a_share()

    def ask_again(self) -> None:
        """Once more."""
        self.apply()
        self.want_a_share()

    def want_a_share(self) -> None:
        """Of the pool of all prizes."""
        self.reserve_unit("prize", "award", key="2026", amount=self.state.amount_fen, limit=POOL)

    def show_invoice(self, command: ShowInvoice) -> None:
        """Its number, once over all cases."""
        self.apply()
        self.reserve_unit("invoice", "invoice", secret=command.invoice)

    def give_up(self) -> None:
        """Whatever it holds or has asked for."""
        self.apply()
        for unit in self.state.reserved_units:
            self.give_up_unit(unit)

    def spend(self) -> None:
        """It is used, and so are the invoices."""
        for unit in self.state.reserved_units:
            if unit.standing is UnitStanding.HELD:
                self.spend_unit(unit)
        self.apply()

    def unit_is_held(self, unit: ReservedUnit) -> None:
        """It can go on."""

    def unit_is_refused(self, unit: ReservedUnit) -> None:
        """A person goes on."""


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PartBench]:
    """A bench that knows prizes."""
    async with part_bench(tmp_path_factory.mktemp("prizes"), Prize) as opened:
        yield opened


WHY = {"reason": "双方约定"}


async def answered(bench: PartBench, case: str) -> list[str]:
    """How everything that it asked for stands, once all of it is answered."""
    under_way = {UnitStanding.ASKED, UnitStanding.GIVEN_UP}
    await eventually(lambda: all(unit.standing not in under_way for unit in bench.state(case).reserved_units))
    return [f"{unit.what_for} {unit.code or unit.standing}" for unit in bench.state(case).reserved_units]


async def shows(bench: PartBench, case: str, invoice: str) -> str:
    await bench.taken(case, "show_invoice", OFFICER, invoice=invoice)
    return (await answered(bench, case))[-1]


async def test_shares_invoices_and_their_ends(bench: PartBench) -> None:
    """The pool is for two of three, an invoice for one; what is given up is free, what ends unspent too, what is spent never."""
    first, second = await bench.open(PRIZE), await bench.open(PRIZE)
    assert [await answered(bench, case) for case in (first, second)] == [["award held"]] * 2
    third = await bench.open(PRIZE)
    assert await answered(bench, third) == ["award over-limit"]
    assert bench.facts(third, "unit:refused")[0]["left"] == 200
    assert await shows(bench, first, "2433 2000 0001") == "invoice held"
    assert await shows(bench, second, "24332000-0001") == "invoice taken"
    assert await shows(bench, first, "243320000001") == "invoice taken", "in one case it is used twice, too"

    await bench.taken(second, "give_up", OFFICER, **WHY)
    await answered(bench, second)
    await bench.taken(third, "ask_again", OFFICER, **WHY)
    assert await answered(bench, third) == ["award over-limit", "award held"]
    await bench.taken(second, "ask_again", OFFICER, **WHY)
    assert (await answered(bench, second))[-1] == "award over-limit"

    await bench.taken(third, "call_off", OFFICER, **WHY)
    await bench.taken(first, "spend", OFFICER, **WHY)
    await bench.taken(second, "ask_again", OFFICER, **WHY)
    assert (await answered(bench, second))[-1] == "award held", "what a case held that was called off is free"
    fourth = await bench.open(PRIZE, amount_fen=201)
    assert await answered(bench, fourth) == ["award over-limit"], "what was spent is never free"
    assert await shows(bench, fourth, "243320000001") == "invoice taken"

    told = [kind for kind, _ in bench.told(first) if kind.startswith("unit:")]
    assert told == [
        "unit:asked", "unit:held", "unit:asked", "unit:held", "unit:asked", "unit:refused", "unit:spent", "unit:spent",
    ]  # fmt: skip
    for case in (first, second, third, fourth):
        assert all("24332" not in str(facts) for _, facts in bench.told(case)), "a number stands in no entry"
        await bench.left_alone(case)


async def test_given_up_before_it_was_answered_is_not_held(bench: PartBench) -> None:
    """Through many runs of one case, each of which goes on with what the one before had asked for."""
    case = await bench.open(PRIZE, amount_fen=1, history_limit=40)
    for asked in range(1, 9):
        await bench.taken(case, "give_up", OFFICER, **WHY)
        assert set(await answered(bench, case)) == {"award released"}
        await bench.taken(case, "ask_again", OFFICER, **WHY)
        assert (await answered(bench, case))[asked] == "award held"

    assert bench.state(case).runs > 1, "the history grew long enough to go on in a new run"
    await bench.left_alone(case)
