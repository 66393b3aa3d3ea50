"""The law of duties of both sides: each accepts what the other proves, what hangs on the other side rests, money is never waived.

A tiny pact has the part (schemas/parts/duties.py, workflows/parts/counter_duties.py): one owes, the other owes back.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from schemas.clocks.limits import Limit
from schemas.kernel.acts import file_acts, step
from schemas.kernel.declaration import declare
from schemas.kernel.entries import EntryKinds, entry
from schemas.kernel.parties import COORDINATOR, GRID_WORKER, STREET_OFFICER, SUPERVISOR, desk_of
from schemas.kernel.timers import last_limit
from schemas.kernel.words import DeclaredStage
from schemas.parts.agreed import Agreed, DatedDuty, Recurs, Side, Standing
from schemas.parts.duties import (
    CounterDutyEntries,
    DutiesState,
    counter_duty_lines,
    duty_lines,
    duty_timers,
    figure_lines,
    report_lines,
    report_timers,
    waiver_lines,
)
from tests.api_driver import Person
from tests.case_bench import A_MONDAY
from tests.part_bench import PartBench, TinyTerms, days, part_bench
from workflows.kernel.procedure_workflow import procedure_workflow
from workflows.parts.counter_duties import CounterDuties

pytestmark = pytest.mark.timeout(120)

PARTY, OTHER = Person("grid-party", "grid_worker"), Person("street-other", "street_officer")
LEAD, WATCHER = Person("coordinator-sun", "coordinator"), Person("supervisor-zhou", "supervisor")
TURNCOAT = Person("grid-party", "street_officer")
"""The account of who proves, with the role of who accepts."""

WHAT = "text:" + "0" * 26
FRIDAY = A_MONDAY.date() + timedelta(days=4)
SEEN, WHY = {"proof": "已办理"}, {"reason": "另有约定"}


class Stage(DeclaredStage):
    """Where a tiny pact stands."""

    RUNNING = "running", "履行中", "正在履行", "being performed"
    DONE = "done", "履行完毕", "已履行", "performed"
    LAPSED = "lapsed", "逾期终结", "已终结", "ended without a word"


class Terms(TinyTerms):
    """Three days to cure, two to accept, one waiver of a duty a year."""

    cure: Limit = days(3)
    accept_duty: Limit = days(2)
    look_into_report: Limit = days(2)
    waivers_a_year: int = 1


class PactState(DutiesState):
    """What it remembers."""

    procedure: ClassVar[str] = "pact"
    stage: str = Stage.RUNNING
    terms: Terms = Terms()
    agreed: tuple[Agreed, ...] = ()


class Kind(CounterDutyEntries, EntryKinds, procedure="pact"):
    """What its ledger says."""

    OPENED = entry("opened", "订立")
    DONE = entry("done", "履行完毕")
    LAPSED = entry("lapsed", "逾期终结")


PACT = declare(
    "pact",
    "双方约定",
    parent="incident",
    state=PactState,
    stages=Stage,
    entries=Kind,
    opened=Kind.OPENED,
    timers={
        **duty_timers(owed_by=desk_of(GRID_WORKER), accepted_by=desk_of(STREET_OFFICER), silence_accepts=False),
        **report_timers(looked_into_by=desk_of(SUPERVISOR)),
        "final": last_limit("unresolved_after"),
    },
    lines=(
        *duty_lines(Kind, at=Stage.RUNNING, to=Stage.DONE, proved_by=(GRID_WORKER,), accepted_by=(STREET_OFFICER,)),
        *counter_duty_lines(
            Kind, at=Stage.RUNNING, to=Stage.DONE, proved_by=(STREET_OFFICER,), accepted_by=(GRID_WORKER,)
        ),
        *report_lines(Kind, at=Stage.RUNNING, reported_by=(GRID_WORKER,), cleared_by=(SUPERVISOR,)),
        *waiver_lines(
            Kind,
            at=Stage.RUNNING,
            to=Stage.DONE,
            asked_by=(STREET_OFFICER,),
            granted_by=(COORDINATOR, STREET_OFFICER),
            in_hardship=(GRID_WORKER,),
        ),
        *figure_lines(Kind, at=Stage.RUNNING, to=Stage.DONE, stated_by=(GRID_WORKER,), checked_by=(STREET_OFFICER,)),
        step("expire", "逾期终结", at=Stage.RUNNING, to=Stage.LAPSED, entry=Kind.LAPSED, clock="final"),
        *file_acts(Kind, by=(GRID_WORKER,), at=Stage.RUNNING, urged_by=(COORDINATOR,)),
    ),
)


@procedure_workflow
class Pact(CounterDuties[PactState]):
    """A case that is nothing but its duties, and over with the last of them."""

    procedure = PACT
    duties_owed_by = desk_of(GRID_WORKER)
    duties_accepted_by = desk_of(STREET_OFFICER)

    def reported(self) -> dict[str, object]:
        """Nothing besides the rules."""
        return {}

    def begin(self) -> None:
        """What was agreed on is due."""
        self.move(Stage.RUNNING, self.duties_owed_by)
        self.agree_on(self.state.agreed)

    def on_duty_settled(self, duty: DatedDuty, ended_as: Standing) -> None:
        """With the last one it is over."""
        if self.state.duties_settled:
            self.finish_as(Stage.DONE, Kind.DONE, last=duty.code, ended_as=ended_as)


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PartBench]:
    """A bench that knows it."""
    async with part_bench(tmp_path_factory.mktemp("counter"), Pact) as opened:
        yield opened


def room(**said: Any) -> Agreed:
    """What the other side owes: on Friday, and each month again."""
    monthly = {"recurs": Recurs.MONTHLY, "times": 3, "side": Side.COUNTERPARTY}
    return Agreed(**{"code": "room", "what": WHAT, "first_on": FRIDAY, **monthly, **said})


def sittings(**said: Any) -> Agreed:
    """What the party owes: two each month, while the room is open."""
    return Agreed(
        **{
            "code": "sittings",
            "what": WHAT,
            "first_on": FRIDAY,
            "recurs": Recurs.MONTHLY,
            "times": 3,
            "each_time": 2,
            **said,
        }
    )


def standing(bench: PartBench, case: str, code: str) -> list[Standing]:
    """How the times of a duty ended so far, and how it stands."""
    duty = bench.state(case).duty_of(code)
    return [*duty.ended_as, duty.standing]


async def test_each_side_accepts_what_the_other_has_proved(bench: PartBench) -> None:
    """Nobody proves what the other owes, nor accepts what is their own, in whichever role; two proofs make one time."""
    case = await bench.open(PACT, agreed=(room(times=1, recurs=Recurs.ONCE), sittings(times=1, recurs=Recurs.ONCE)))
    assert "no duty about which" in await bench.refused(case, "prove_duty", PARTY, duty="room", **SEEN)
    assert "no duty about which" in await bench.refused(case, "prove_counter_duty", OTHER, duty="sittings", **SEEN)
    await bench.taken(case, "prove_duty", PARTY, duty="sittings", **SEEN)
    assert "who proved it leaves" in await bench.refused(case, "accept_duty", TURNCOAT, request=1)
    await bench.taken(case, "accept_duty", OTHER, request=1)
    assert standing(bench, case, "sittings") == [Standing.DUE]
    await bench.taken(case, "prove_duty", PARTY, duty="sittings", **SEEN)
    await bench.taken(case, "accept_duty", OTHER, request=2)
    assert standing(bench, case, "sittings") == [Standing.KEPT, Standing.KEPT]
    await bench.taken(case, "prove_counter_duty", OTHER, duty="room", **SEEN)
    assert "your role may not do this" in await bench.refused(case, "accept_counter_duty", OTHER, request=3)
    await bench.taken(case, "accept_counter_duty", PARTY, request=3)

    assert bench.state(case).stage == Stage.DONE
    await bench.left_alone(case)


async def test_what_hangs_on_the_other_side_rests_while_that_is_not_done(bench: PartBench) -> None:
    """Reported, its day passes and nobody was late; found to be done, it is due again, and then it can be missed."""
    case = await bench.open(PACT, agreed=(room(first_on=FRIDAY + timedelta(days=80)), sittings(rests_on=("room",))))
    await bench.taken(case, "report_other_side", PARTY, duty="room", **WHY)
    twice = await bench.refused(case, "report_other_side", PARTY, duty="room", **WHY)
    await bench.bench.let_pass(timedelta(days=5))
    await bench.until(case, "duty:rested")
    assert bench.state(case).clocks["look_into_report:room"].status == "running"
    await bench.taken(case, "clear_report", WATCHER, duty="room", finding="已开放")
    assert bench.state(case).clocks["look_into_report:room"].status == "stopped"
    assert standing(bench, case, "sittings") == [Standing.RESTED, Standing.DUE]
    await bench.bench.let_pass(timedelta(days=31))
    await bench.until(case, "duty:missed")

    assert "no duty about which" in twice
    assert standing(bench, case, "sittings") == [Standing.RESTED, Standing.MISSED]
    assert bench.facts(case, "duty:reported")[0]["rests"] == ["sittings"]


async def test_what_the_other_side_missed_lets_it_rest_without_a_word(bench: PartBench) -> None:
    """Both stand on the board: the one missed, the other not late."""
    case = await bench.open(PACT, agreed=(room(), sittings(rests_on=("room",))))
    await bench.bench.let_pass(timedelta(days=5))
    await bench.until(case, "duty:rested")

    assert standing(bench, case, "room") == [Standing.MISSED]
    assert standing(bench, case, "sittings") == [Standing.RESTED, Standing.DUE]
    told = [(each["recipient"], each["template"]) for each in bench.bench.tables.notices[case].values()]
    assert ("role:street_officer", "duty_missed") in told


async def test_a_waiver_needs_two_and_is_never_of_money(bench: PartBench) -> None:
    """Once a year here; a sum is not among what may be waived, nor does who asked for it grant it."""
    fee = Agreed(code="fee", what=WHAT, first_on=FRIDAY, amount_fen=100)
    case = await bench.open(PACT, agreed=(sittings(), fee))
    assert "no duty about which" in await bench.refused(case, "ask_waiver", OTHER, duty="fee", **WHY)
    assert "no duty about which" in await bench.refused(
        case, "claim_hardship", PARTY, duty="fee", documents=[await _document(bench)], **WHY
    )
    await bench.taken(case, "ask_waiver", OTHER, duty="sittings", **WHY)
    assert "who asked to waive it" in await bench.refused(case, "grant_waiver", OTHER, request=1)
    await bench.taken(case, "grant_waiver", LEAD, request=1)

    assert standing(bench, case, "sittings") == [Standing.WAIVED, Standing.DUE]
    assert "no duty about which" in await bench.refused(case, "ask_waiver", OTHER, duty="sittings", **WHY)


async def test_a_proof_of_less_than_was_agreed_is_none(bench: PartBench) -> None:
    """Two jobs of three, a part of the sum, money without the line of the bank."""
    jobs = Agreed(code="jobs", what=WHAT, first_on=FRIDAY, level=3)
    fee = Agreed(code="fee", what=WHAT, first_on=FRIDAY, amount_fen=100)
    case = await bench.open(PACT, agreed=(jobs, fee))
    two = await bench.refused(case, "prove_duty", PARTY, duty="jobs", held=2, **SEEN)
    part = await bench.refused(case, "prove_duty", PARTY, duty="fee", amount_fen=99, receipt="L-1", **SEEN)
    no_line = await bench.refused(case, "prove_duty", PARTY, duty="fee", amount_fen=100, **SEEN)
    await bench.taken(case, "prove_duty", PARTY, duty="jobs", held=3, **SEEN)

    assert "3 are to be held" in two
    assert "100 fen are due" in part
    assert "the line of the bank" in no_line


async def test_a_share_waits_for_its_figure_and_of_a_loss_nothing_is_due(bench: PartBench) -> None:
    """Nothing is proved before somebody else has looked at the books; a stated 0 is an answer, and that time is kept."""
    share = Agreed(code="share", what=WHAT, first_on=FRIDAY, recurs=Recurs.YEARLY, times=2, percent=10)
    case = await bench.open(PACT, agreed=(share,))
    early = await bench.refused(case, "prove_duty", PARTY, duty="share", amount_fen=1, receipt="L-1", **SEEN)
    books = {"duty": "share", "documents": [await _document(bench)]}
    await bench.taken(case, "state_figure", PARTY, figure_fen=0, **books)
    assert standing(bench, case, "share") == [Standing.DUE], "a figure that nobody has checked settles nothing"
    assert "who stated the figure" in await bench.refused(
        case, "check_figure", TURNCOAT, request=1, right=True, finding="对"
    )
    await bench.taken(case, "check_figure", OTHER, request=1, right=True, finding="与报表一致")
    assert standing(bench, case, "share") == [Standing.KEPT, Standing.DUE]
    await bench.taken(case, "state_figure", PARTY, figure_fen=1_009, **books)
    await bench.taken(case, "check_figure", OTHER, request=2, right=True, finding="与报表一致")
    await bench.taken(case, "prove_duty", PARTY, duty="share", amount_fen=100, receipt="L-2", **SEEN)

    assert "no duty about which" in early
    assert [facts["due_fen"] for facts in bench.facts(case, "duty:figure_checked")] == [0, 100]


async def _document(bench: PartBench) -> dict[str, Any]:
    """A document as somebody would have sent it."""
    number = f"document:{'0' * 26}"
    return {"reference": number, "sha256": "0" * 64, "size_bytes": 1, "media_type": "image/png"}
