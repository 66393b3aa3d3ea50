"""The law of dated duties: each time is settled once, on its own day; one side proves, the other accepts, and silence is said.

A tiny agreement has the part (schemas/parts/duties.py): what was agreed on stands in its first state. In another one nobody has to
accept: who does not object in time has.
"""

from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.clocks.calendar import SHANGHAI
from schemas.clocks.limits import Limit, Unit
from schemas.kernel.acts import file_acts, step
from schemas.kernel.declaration import DeclaredProcedure, declare
from schemas.kernel.entries import EntryKinds, entry
from schemas.kernel.parties import COORDINATOR, GRID_WORKER, STREET_OFFICER, desk_of
from schemas.kernel.timers import last_limit
from schemas.kernel.words import DeclaredStage
from schemas.parts.agreed import Agreed, DatedDuty, Recurs, Standing, day_of_round, limit_until
from schemas.parts.duties import DutiesState, DutyEntries, duty_lines, duty_timers
from tests.api_driver import Person
from tests.case_bench import A_MONDAY
from tests.part_bench import PartBench, TinyTerms, days, part_bench
from workflows.kernel.procedure_workflow import procedure_workflow
from workflows.parts.duties import DatedDuties

pytestmark = pytest.mark.timeout(120)

DEBTOR, CREDITOR, LEAD = (
    Person("grid-debtor", "grid_worker"),
    Person("street-creditor", "street_officer"),
    Person("coordinator-sun", "coordinator"),
)
BOTH = Person("grid-debtor", "street_officer")
"""The account of who proves, with the role of who accepts."""

WHAT = "text:" + "0" * 26
FRIDAY = A_MONDAY.date() + timedelta(days=4)
SEEN = {"proof": "已按约定办理"}
WHY = {"reason": "双方另有约定"}


class Stage(DeclaredStage):
    """Where a tiny agreement stands."""

    RUNNING = "running", "履行中", "正在履行", "being performed"
    DONE = "done", "履行完毕", "已履行", "performed"
    LAPSED = "lapsed", "逾期终结", "已终结", "ended without a word"


class Terms(TinyTerms):
    """Three days to cure, two to accept."""

    cure: Limit = days(3)
    accept_duty: Limit = days(2)


class AgreementState(DutiesState):
    """What it remembers."""

    procedure: ClassVar[str] = "agreement"
    stage: str = Stage.RUNNING
    terms: Terms = Terms()
    agreed: tuple[Agreed, ...] = ()


class SilentState(AgreementState):
    """The same of an agreement in which silence accepts."""

    procedure: ClassVar[str] = "silent"


class AgreementKind(DutyEntries, EntryKinds, procedure="agreement"):
    """What its ledger says."""

    OPENED = entry("opened", "订立")
    DONE = entry("done", "履行完毕")
    LAPSED = entry("lapsed", "逾期终结")


class SilentKind(DutyEntries, EntryKinds, procedure="silent"):
    """What its ledger says."""

    OPENED = entry("opened", "订立")
    DONE = entry("done", "履行完毕")
    LAPSED = entry("lapsed", "逾期终结")


def agreement(name: str, state: type[AgreementState], kinds: Any, *, silence_accepts: bool) -> DeclaredProcedure:
    return declare(
        name,
        "约定小事",
        parent="incident",
        state=state,
        stages=Stage,
        entries=kinds,
        opened=kinds.OPENED,
        timers={
            **duty_timers(
                owed_by=desk_of(GRID_WORKER), accepted_by=desk_of(STREET_OFFICER), silence_accepts=silence_accepts
            ),
            "final": last_limit("unresolved_after"),
        },
        lines=(
            *duty_lines(
                kinds,
                at=Stage.RUNNING,
                to=Stage.DONE,
                proved_by=(GRID_WORKER,),
                accepted_by=(STREET_OFFICER,),
                waived_by=(COORDINATOR,),
            ),
            step("expire", "逾期终结", at=Stage.RUNNING, to=Stage.LAPSED, entry=kinds.LAPSED, clock="final"),
            *file_acts(kinds, by=(GRID_WORKER,), at=Stage.RUNNING, urged_by=(COORDINATOR,)),
        ),
    )


AGREEMENT = agreement("agreement", AgreementState, AgreementKind, silence_accepts=False)
SILENT = agreement("silent", SilentState, SilentKind, silence_accepts=True)


class Performed(DatedDuties[AgreementState]):
    """A case that is nothing but its duties, and over with the last of them."""

    kinds: ClassVar[Any]
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
            self.finish_as(Stage.DONE, self.kinds.DONE, last=duty.code, ended_as=ended_as)


@procedure_workflow
class Agreement(Performed):
    """Somebody accepts."""

    procedure = AGREEMENT
    kinds = AgreementKind


@procedure_workflow
class Silent(Performed):
    """Who does not object accepts."""

    procedure = SILENT
    kinds = SilentKind


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PartBench]:
    """A bench that knows both."""
    async with part_bench(tmp_path_factory.mktemp("duties"), Agreement, Silent) as opened:
        yield opened


def once(code: str = "fence", on: date = FRIDAY) -> Agreed:
    return Agreed(code=code, what=WHAT, first_on=on)


def monthly(times: int) -> Agreed:
    return Agreed(code="rent", what=WHAT, first_on=FRIDAY, recurs=Recurs.MONTHLY, times=times)


def made(bench: PartBench, case: str) -> list[str]:
    """What its ledger says of duties."""
    return [kind.removeprefix("duty:") for kind, _ in bench.told(case) if kind.startswith("duty:")]


# ---- days -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "recurs", "number", "day"),
    [
        (date(2026, 1, 31), Recurs.MONTHLY, 2, date(2026, 2, 28)),
        (date(2026, 1, 31), Recurs.MONTHLY, 3, date(2026, 3, 31)),
        (date(2027, 11, 30), Recurs.QUARTERLY, 2, date(2028, 2, 29)),
        (date(2028, 2, 29), Recurs.YEARLY, 2, date(2029, 2, 28)),
        (date(2028, 2, 29), Recurs.YEARLY, 5, date(2032, 2, 29)),
        (date(2026, 12, 15), Recurs.MONTHLY, 2, date(2027, 1, 15)),
        (date(2026, 12, 30), Recurs.WEEKLY, 3, date(2027, 1, 13)),
    ],
)
def test_a_day_that_a_month_lacks_is_its_last(first: date, recurs: Recurs, number: int, day: date) -> None:
    """And the month after has it again: it is reckoned from the first day, never from the last one."""
    assert day_of_round(first, recurs, number) == day


@given(first=st.dates(date(2026, 1, 1), date(2040, 1, 1)), number=st.integers(1, 200))
def test_each_month_has_one_time(first: date, number: int) -> None:
    """No month is left out, and none comes twice."""
    this, following = (day_of_round(first, Recurs.MONTHLY, each) for each in (number, number + 1))

    assert (following.year * 12 + following.month) - (this.year * 12 + this.month) == 1


@given(days_ahead=st.integers(-3, 4000), seconds=st.integers(0, 86_399))
def test_a_limit_ends_with_its_day(days_ahead: int, seconds: int) -> None:
    """Never before the day is over; within 69 days to the minute, beyond to the hour."""
    now = datetime(2026, 6, 1, tzinfo=SHANGHAI) + timedelta(seconds=seconds)
    moment = datetime(2026, 6, 1, tzinfo=SHANGHAI) + timedelta(days=days_ahead)
    limit = limit_until(now, moment)
    late = now + limit.counted - moment

    assert late >= timedelta(0)
    if moment > now:
        assert late < (timedelta(minutes=1) if limit.unit is Unit.MINUTES else timedelta(hours=1))
    assert (limit.unit is Unit.MINUTES) is (days_ahead <= 69)


def test_what_does_not_come_again_has_one_time() -> None:
    """Twice of something that is done once is a slip of the pen."""
    with pytest.raises(ValueError, match="times"):
        Agreed(code="fence", what=WHAT, first_on=FRIDAY, times=2)


# ---- proved by one, accepted by the other -------------------------------------------------------------------------------


async def test_one_side_proves_and_the_other_accepts(bench: PartBench) -> None:
    """Not the same account in both roles; and by the number of what was proved, not of something else."""
    case = await bench.open(AGREEMENT, agreed=(once(),))
    assert bench.state(case).clocks["duty:fence"].limit == Limit(amount=(5 * 24 - 9) * 60, unit=Unit.MINUTES)
    await bench.taken(case, "prove_duty", DEBTOR, duty="fence", **SEEN)
    own = await bench.refused(case, "accept_duty", BOTH, request=1)
    other = await bench.refused(case, "accept_duty", CREDITOR, request=2)
    twice = await bench.refused(case, "prove_duty", DEBTOR, duty="fence", **SEEN)
    await bench.taken(case, "accept_duty", CREDITOR, request=1)

    assert "who proved it leaves accepting it to somebody else" in own
    assert "it has changed since you looked" in other
    assert "no duty about which this can be done now" in twice
    assert made(bench, case) == ["agreed", "proved", "accepted"]
    assert bench.state(case).stage == Stage.DONE
    await bench.left_alone(case)


async def test_what_is_not_accepted_is_due_on_its_day_as_before(bench: PartBench) -> None:
    """Its day has not moved by that, and another proof is another request."""
    case = await bench.open(AGREEMENT, agreed=(once(),))
    due = next(each.due_at for each in bench.state(case).clock_views() if each.name == "duty:fence")
    await bench.taken(case, "prove_duty", DEBTOR, duty="fence", **SEEN)
    await bench.taken(case, "reject_duty", CREDITOR, request=1, **WHY)
    duty = bench.state(case).duty_of("fence")
    again = next(each.due_at for each in bench.state(case).clock_views() if each.name == "duty:fence")

    assert (duty.standing, duty.late, duty.proof) == (Standing.DUE, False, None)
    assert abs(again - due) < timedelta(minutes=1)
    await bench.taken(case, "prove_duty", DEBTOR, duty="fence", **SEEN)
    assert "it has changed since you looked" in await bench.refused(case, "accept_duty", CREDITOR, request=1)
    await bench.taken(case, "accept_duty", CREDITOR, request=2)
    assert bench.state(case).duty_of("fence").ended_as == [Standing.KEPT]


async def test_where_silence_accepts_nobody_has_to_speak(bench: PartBench) -> None:
    """Who does not object in time has accepted, and the ledger says that it was silence."""
    case = await bench.open(SILENT, agreed=(once(),))
    await bench.taken(case, "prove_duty", DEBTOR, duty="fence", **SEEN)
    await bench.left_alone(case)

    assert made(bench, case) == ["agreed", "proved", "uncontested"]
    assert bench.state(case).stage == Stage.DONE


async def test_where_it_does_not_somebody_is_late(bench: PartBench) -> None:
    """Nothing is accepted by itself: it is reported upwards, and the case ends without a word."""
    case = await bench.open(AGREEMENT, agreed=(once(),))
    await bench.taken(case, "prove_duty", DEBTOR, duty="fence", **SEEN)
    await bench.left_alone(case)

    warned = [facts["told"] for _, facts in bench.told(case) if facts.get("moment") == "warning"]

    assert made(bench, case) == ["agreed", "proved"]
    assert bench.state(case).stage == Stage.LAPSED
    assert warned[0] == "role:street_officer", "who accepts is warned, and not who holds the case"


# ---- missed, cured, broken, waived --------------------------------------------------------------------------------------


async def test_what_was_missed_can_be_cured(bench: PartBench) -> None:
    """Both sides hear that it was missed; proved within the time, it is kept, and late for ever."""
    case = await bench.open(AGREEMENT, agreed=(once(),))
    await bench.skip(case, timedelta(days=5), "breach")
    assert bench.state(case).duty_of("fence").standing is Standing.MISSED
    told = [(each["recipient"], each["template"]) for each in bench.bench.tables.notices[case].values()]
    await bench.taken(case, "prove_duty", DEBTOR, duty="fence", **SEEN)
    await bench.taken(case, "accept_duty", CREDITOR, request=1)

    assert {("role:grid_worker", "duty_missed"), ("role:street_officer", "duty_missed")} <= set(told)
    assert made(bench, case) == ["agreed", "missed", "proved", "accepted"]
    assert bench.facts(case, "duty:accepted")[0]["late"] is True


async def test_what_is_not_cured_is_broken(bench: PartBench) -> None:
    """After its time, once; and nothing can be proved any more."""
    case = await bench.open(AGREEMENT, agreed=(once(), once("wall", FRIDAY + timedelta(days=60))))
    await bench.skip(case, timedelta(days=9), "breach")
    await bench.until(case, "duty:broken")

    assert bench.state(case).duty_of("fence").ended_as == [Standing.BROKEN]
    assert "no duty about which" in await bench.refused(case, "prove_duty", DEBTOR, duty="fence", **SEEN)
    assert bench.state(case).stage == Stage.RUNNING
    await bench.left_alone(case)
    assert made(bench, case).count("broken") == 2


async def test_each_time_of_what_comes_again_is_settled_by_itself(bench: PartBench) -> None:
    """One is kept, one is waived, and of the rest nobody does anything: three times, on three days, and no fourth."""
    case = await bench.open(AGREEMENT, agreed=(monthly(3),))
    await bench.taken(case, "prove_duty", DEBTOR, duty="rent", **SEEN)
    await bench.taken(case, "accept_duty", CREDITOR, request=1)
    await bench.taken(case, "waive_duty", LEAD, duty="rent", **WHY)
    await bench.left_alone(case)
    rounds = [(facts["round"], facts.get("due_on")) for facts in bench.facts(case, "duty:missed")]

    assert bench.state(case).duty_of("rent").ended_as == [Standing.KEPT, Standing.WAIVED, Standing.BROKEN]
    assert rounds == [(3, "2026-08-05")]
    assert made(bench, case) == ["agreed", "proved", "accepted", "waived", "missed", "broken"]


async def test_what_is_waived_for_good_does_not_come_again(bench: PartBench) -> None:
    """Whatever was still to come."""
    case = await bench.open(AGREEMENT, agreed=(monthly(12),))
    await bench.taken(case, "waive_duty", LEAD, duty="rent", for_good=True, **WHY)

    assert bench.state(case).stage == Stage.DONE
    assert bench.state(case).duty_of("rent").ended_as == [Standing.WAIVED]
    await bench.left_alone(case)
