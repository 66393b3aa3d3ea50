"""The law of an appeal: a refusal is told before it can stand, appealed against once and in time, and decided by somebody else.

A tiny licence has the part (schemas/parts/appeal.py) and nothing else of any procedure.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import ClassVar

import pytest

from schemas.clocks.clocks import Status
from schemas.clocks.limits import Limit
from schemas.kernel.acts import Nothing, act, file_acts, step
from schemas.kernel.declaration import declare
from schemas.kernel.entries import EntryKinds, entry
from schemas.kernel.parties import COORDINATOR, REPORTER, STREET_OFFICER, SUPERVISOR, WINDOW_CLERK, desk_of
from schemas.kernel.people import Part
from schemas.kernel.timers import duty, last_limit
from schemas.kernel.words import DeclaredStage
from schemas.parts.appeal import AppealedState, AppealEntries, appeal_lines, appeal_timers, refusal_line
from tests.api_driver import Person
from tests.part_bench import PartBench, TinyTerms, days, part_bench
from workflows.kernel.procedure_workflow import procedure_workflow
from workflows.parts.appeal import Appeals

pytestmark = pytest.mark.timeout(120)

OWNER = "resident-he"
APPLICANT, CLERK = Person(OWNER, "resident"), Person("clerk-qian", "window_clerk")
STREET, OTHER_STREET = Person("street-feng", "street_officer"), Person("street-zhu", "street_officer")
SUPERVISING, WHO_REFUSED = Person("supervisor-zhou", "supervisor"), Person("street-feng", "supervisor")
"""`WHO_REFUSED`: the account of the street officer, with the role of who decides on appeals."""

REASON = {"reason": "与规定不符"}
BASIS = {**REASON, "legal_basis": "条例第八条"}


class Stage(DeclaredStage):
    """Where a tiny licence stands."""

    ASKED = "asked", "待审查", "正在审查", "looked at"
    REFUSED = "refused", "不予许可", "不予许可", "refused"
    APPEALED = "appealed", "申诉中", "申诉正在审查", "your appeal is looked at"
    GRANTED = "granted", "准予", "准予许可", "granted"
    LAPSED = "lapsed", "逾期终结", "已终结", "ended without a decision"


class Terms(TinyTerms):
    """Ten days to look, two to tell, five to appeal, three to decide."""

    look: Limit = days(10)
    refusal_notice: Limit = days(2)
    appeal: Limit = days(5)
    decide_appeal: Limit = days(3)


class LicenceState(AppealedState):
    """What it remembers."""

    procedure: ClassVar[str] = "licence"
    stage: str = Stage.ASKED
    terms: Terms = Terms()


class Kind(AppealEntries, EntryKinds, procedure="licence"):
    """What its ledger says."""

    OPENED = entry("opened", "申请")
    GRANTED = entry("granted", "准予")
    LAPSED = entry("lapsed", "逾期终结")


LICENCE = declare(
    "licence",
    "执照小事",
    parent="incident",
    state=LicenceState,
    stages=Stage,
    entries=Kind,
    opened=Kind.OPENED,
    timers={"look": duty("审查", "looking", "look"), **appeal_timers(), "final": last_limit("unresolved_after")},
    lines=(
        act(
            Nothing,
            "准予",
            name="grant",
            meaning="it is granted.",
            by=STREET_OFFICER,
            at=Stage.ASKED,
            to=Stage.GRANTED,
            apart_from=(Part.REFUSED, Part.APPEAL_DECIDED),
            entry=Kind.GRANTED,
        ),
        refusal_line(Kind, by=STREET_OFFICER, at=Stage.ASKED, refused=Stage.REFUSED, apart_from=()),
        *appeal_lines(
            Kind,
            refused=Stage.REFUSED,
            appealed=Stage.APPEALED,
            goes_on_at=(Stage.ASKED,),
            served_by=(WINDOW_CLERK,),
            made_by=(REPORTER, WINDOW_CLERK),
            decided_by=(STREET_OFFICER, SUPERVISOR),
            apart_from=(),
        ),
        step("expire", "逾期终结", at=(Stage.ASKED, Stage.APPEALED), to=Stage.LAPSED, entry=Kind.LAPSED, clock="final"),
        *file_acts(Kind, by=(WINDOW_CLERK,), at=(Stage.ASKED, Stage.REFUSED), urged_by=(COORDINATOR,)),
    ),
)


@procedure_workflow
class Licence(Appeals[LicenceState]):
    """Asked for, and granted or refused."""

    procedure = LICENCE
    STOPPED_BY_A_REFUSAL = ("look",)
    appeals_go_to = desk_of(SUPERVISOR)

    def reported(self) -> dict[str, object]:
        """Nothing besides the rules."""
        return {}

    def begin(self) -> None:
        """Somebody looks at it."""
        self.start_clock("look")
        self.move(Stage.ASKED, desk_of(STREET_OFFICER))

    def goes_on_overturned(self, refused_at: str) -> None:
        """It is looked at anew."""
        self.move(refused_at, desk_of(STREET_OFFICER))


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PartBench]:
    """A bench that knows it."""
    async with part_bench(tmp_path_factory.mktemp("licence"), Licence) as opened:
        yield opened


def status(bench: PartBench, case: str, clock: str) -> Status:
    return Status(bench.state(case).clocks[clock].status)


def made(bench: PartBench, case: str) -> list[str]:
    """What its ledger says, without its clocks."""
    return [
        kind
        for kind, _ in bench.told(case)
        if kind.partition(":")[0] not in {"warning", "breach", "tier", "final_limit"}
    ]


async def test_who_has_an_account_is_told_by_it(bench: PartBench) -> None:
    """The refusal is served at once; nobody appeals in time, and it stands."""
    case = await bench.open(LICENCE, reporter_subject=OWNER)
    await bench.taken(case, "refuse", STREET, **BASIS)
    assert bench.facts(case, "notice_served") == [{"by": "account"}]
    assert [status(bench, case, name) for name in ("look", "appeal")] == ["stopped", "running"]
    await bench.left_alone(case)

    assert made(bench, case) == ["opened", "refused", "notice_served", "appeal_lapsed", "ended"]
    assert (bench.state(case).stage, bench.state(case).refusal_final) == (Stage.REFUSED, True)


async def test_the_window_counts_from_the_day_on_which_it_was_told(bench: PartBench) -> None:
    """Who has no account is told in writing, once; three days later than it was refused, the window is whole."""
    case = await bench.open(LICENCE)
    await bench.taken(case, "refuse", STREET, **BASIS)
    before = next(view.due_at for view in bench.state(case).clock_views() if view.name == "appeal")
    await bench.skip(case, timedelta(days=3), "breach")
    await bench.taken(case, "serve_notice", CLERK)
    after = next(view.due_at for view in bench.state(case).clock_views() if view.name == "appeal")
    twice = await bench.refused(case, "serve_notice", CLERK)

    assert (after - before).days >= 1
    assert "it was served already" in twice
    assert status(bench, case, "refusal_notice") == "stopped"


async def test_a_refusal_that_nobody_was_told_of_waits_for_that(bench: PartBench) -> None:
    """Its window ends and nothing is decided by that; the last limit ends it, and the ledger says that nobody was told."""
    case = await bench.open(LICENCE)
    await bench.taken(case, "refuse", STREET, **BASIS)
    await bench.left_alone(case)

    assert "appeal_lapsed" not in made(bench, case)
    assert made(bench, case)[-2:] == ["notice_not_served", "ended"]
    assert bench.state(case).stage == Stage.REFUSED


async def test_an_appeal_is_decided_by_somebody_else_and_made_once(bench: PartBench) -> None:
    """Overturned it goes on where it was refused, with its clock; refused again, it stands as soon as it was told."""
    case = await bench.open(LICENCE, reporter_subject=OWNER)
    await bench.taken(case, "refuse", STREET, **BASIS)
    await bench.taken(case, "appeal", APPLICANT, **REASON)
    own = await bench.refused(case, "decide_appeal", WHO_REFUSED, outcome="overturned", **BASIS)
    await bench.taken(case, "decide_appeal", OTHER_STREET, outcome="overturned", **BASIS)
    assert (bench.state(case).stage, status(bench, case, "look")) == (Stage.ASKED, "running")
    kept = [await bench.refused(case, "grant", who) for who in (STREET, OTHER_STREET)]
    again = await bench.refused(case, "refuse", STREET, **BASIS)
    await bench.taken(case, "refuse", OTHER_STREET, **BASIS)
    await bench.left_alone(case)

    assert "who refused it before does not decide again" in own
    assert "who refused it before does not decide again" in again
    assert "who refused it before" in kept[0]
    assert "who decided on the appeal leaves this to somebody else" in kept[1]
    assert bench.facts(case, "appealed")[0]["against"] == bench.facts(case, "refused")[0]["reason"]
    assert made(bench, case) == [
        "opened", "refused", "notice_served", "appealed", "appeal_decided", "refused", "notice_served", "ended",
    ]  # fmt: skip


async def test_an_appeal_that_is_upheld_is_the_end(bench: PartBench) -> None:
    """The refusal stands, and the applicant was told of it with the decision."""
    case = await bench.open(LICENCE, reporter_subject=OWNER)
    await bench.taken(case, "refuse", STREET, **BASIS)
    await bench.taken(case, "appeal", APPLICANT, **REASON)
    await bench.taken(case, "decide_appeal", SUPERVISING, outcome="upheld", **BASIS)
    await bench.left_alone(case)
    told = [(each["recipient"], each["template"]) for each in bench.bench.tables.notices[case].values()]

    assert (bench.state(case).stage, bench.state(case).notice_served) == (Stage.REFUSED, True)
    assert ("reporter", "appeal_decided") in told
    assert ("role:supervisor", "appeal_made") in told


async def test_an_appeal_comes_in_time(bench: PartBench) -> None:
    """An appeal that nobody decides does not make the refusal stand: it is reported upwards, and ends without a decision."""
    case = await bench.open(LICENCE, reporter_subject=OWNER)
    await bench.taken(case, "refuse", STREET, **BASIS)
    await bench.taken(case, "appeal", APPLICANT, **REASON)
    twice = await bench.refused(case, "appeal", APPLICANT, **REASON)
    await bench.left_alone(case)

    assert "appeal" in twice
    assert bench.state(case).stage == Stage.LAPSED


async def test_one_appeal_is_all(bench: PartBench) -> None:
    """Who is refused once more after an appeal hears of it in writing, and it stands with that."""
    case = await bench.open(LICENCE)
    await bench.taken(case, "refuse", STREET, **BASIS)
    await bench.taken(case, "appeal", CLERK, **REASON)
    await bench.taken(case, "decide_appeal", SUPERVISING, outcome="overturned", **BASIS)
    await bench.taken(case, "refuse", OTHER_STREET, **BASIS)
    again = await bench.refused(case, "appeal", CLERK, **REASON)
    assert not bench.state(case).refusal_final
    await bench.taken(case, "serve_notice", CLERK)

    assert "an appeal was made before; one is allowed" in again
    assert bench.state(case).refusal_final
    await bench.left_alone(case)
