"""The law of a panel: each member once, nobody on their own matter, and what it comes to is counted exactly.

Two tiny procedures have the part (schemas/parts/panel.py, workflows/parts/panel.py): one scores within a window, by whoever has
the role; in the other a named jury votes, and is late as others are.
"""

from collections.abc import AsyncIterator
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.clocks.limits import Limit
from schemas.kernel.acts import file_acts, step
from schemas.kernel.declaration import DeclaredProcedure, declare
from schemas.kernel.entries import EntryKinds, entry
from schemas.kernel.parties import COORDINATOR, GRID_WORKER, STREET_OFFICER
from schemas.kernel.people import Part
from schemas.kernel.timers import duty, last_limit, window
from schemas.kernel.words import DeclaredStage
from schemas.parts.panel import PanelEntries, PanelState, PanelTerms, Tally, Turnout, mean_of, panel_lines, turnout
from tests.api_driver import Person
from tests.part_bench import PartBench, TinyTerms, days, part_bench
from workflows.kernel.procedure_workflow import procedure_workflow
from workflows.parts.panel import PanelCase

pytestmark = pytest.mark.timeout(120)

GRID = [Person(f"grid-{number}", "grid_worker") for number in range(6)]
STREET = Person("street-feng", "street_officer")
OWNER = "grid-0"
NOT_YET, COMPLETE, QUORUM, SHORT = Turnout


class Stage(DeclaredStage):
    """Where a tiny case stands."""

    JUDGING = "judging", "评审中", "正在评审", "a panel judges it"
    PASSED = "passed", "通过", "已通过", "passed"
    FAILED = "failed", "未通过", "未通过", "not passed"
    DEFERRED = "deferred", "缓议", "缓议", "put off: too few have judged"
    LAPSED = "lapsed", "逾期终结", "已终结", "ended without a judgment"


class Terms(TinyTerms):
    """Three judge it, two at least."""

    panel: PanelTerms = PanelTerms(members=3, quorum=2, mark=80, reason_below=60)
    judge: Limit = days(2)


class ScoredState(PanelState):
    """What it remembers."""

    procedure: ClassVar[str] = "scored"
    stage: str = Stage.JUDGING
    terms: Terms = Terms()


class VotedState(PanelState):
    """What it remembers."""

    procedure: ClassVar[str] = "voted"
    stage: str = Stage.JUDGING
    terms: Terms = Terms()


class ScoredKind(PanelEntries, EntryKinds, procedure="scored"):
    """What its ledger says."""

    OPENED = entry("opened", "立案")
    PASSED = entry("passed", "通过")
    FAILED = entry("failed", "未通过")
    DEFERRED = entry("deferred", "缓议")
    LAPSED = entry("lapsed", "逾期终结")


class VotedKind(PanelEntries, EntryKinds, procedure="voted"):
    """What its ledger says."""

    OPENED = entry("opened", "立案")
    PASSED = entry("passed", "通过")
    FAILED = entry("failed", "未通过")
    DEFERRED = entry("deferred", "缓议")
    LAPSED = entry("lapsed", "逾期终结")


ENDS = (Stage.PASSED, Stage.FAILED, Stage.DEFERRED)

SCORED = declare(
    "scored",
    "评分小事",
    parent="incident",
    state=ScoredState,
    stages=Stage,
    entries=ScoredKind,
    opened=ScoredKind.OPENED,
    timers={"judge": window("评审", "judging", "judge"), "final": last_limit("unresolved_after")},
    lines=(
        *panel_lines(ScoredKind, by=(GRID_WORKER, STREET_OFFICER), at=Stage.JUDGING, to=ENDS),
        *file_acts(ScoredKind, by=(GRID_WORKER,), at=Stage.JUDGING, urged_by=(COORDINATOR,)),
    ),
)
VOTED = declare(
    "voted",
    "表决小事",
    parent="incident",
    state=VotedState,
    stages=Stage,
    entries=VotedKind,
    opened=VotedKind.OPENED,
    timers={"judge": duty("评审", "judging", "judge"), "final": last_limit("unresolved_after")},
    lines=(
        *panel_lines(VotedKind, by=GRID_WORKER, at=Stage.JUDGING, to=ENDS, votes=True, apart_from=(Part.RELATED,)),
        step("expire", "逾期终结", at=Stage.JUDGING, to=Stage.LAPSED, entry=VotedKind.LAPSED, clock="final"),
        *file_acts(VotedKind, by=(GRID_WORKER,), at=Stage.JUDGING, urged_by=(COORDINATOR,)),
    ),
)


class Judged(PanelCase[PanelState]):
    """A case that is nothing but a panel."""

    kinds: ClassVar[type[ScoredKind] | type[VotedKind]]

    def reported(self) -> dict[str, object]:
        """Nothing besides the rules."""
        return {}

    def begin(self) -> None:
        """The panel has it."""
        self.convene(*self.state.jury)
        self.move(Stage.JUDGING, "role:grid_worker")

    def panel_has_judged(self, tally: Tally, outcome: Turnout) -> None:
        """By the mark."""
        passed = tally.reaches(self.state.panel_terms.mark)
        stage, kind = (Stage.PASSED, self.kinds.PASSED) if passed else (Stage.FAILED, self.kinds.FAILED)
        self.finish_as(stage, kind, outcome=outcome)

    def panel_is_short(self, tally: Tally) -> None:
        """Put off."""
        self.finish_as(Stage.DEFERRED, self.kinds.DEFERRED, judged=tally.judged)


@procedure_workflow
class Scored(Judged):
    """Scores, within a window."""

    procedure = SCORED
    kinds = ScoredKind


@procedure_workflow
class Voted(Judged):
    """Votes of a named jury, by a duty."""

    procedure = VOTED
    kinds = VotedKind


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PartBench]:
    """A bench that knows both."""
    async with part_bench(tmp_path_factory.mktemp("panel"), Scored, Voted) as opened:
        yield opened


def concluded(bench: PartBench, case: str) -> dict[str, object]:
    """What the panel came to, by its ledger; once."""
    (facts,) = bench.facts(case, "panel:concluded")
    return {name: facts[name] for name in ("outcome", "judged", "total", "mean_hundredths", "recused")}


# ---- counted exactly ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scores", "points", "hundredths"),
    [((), None, None), ((80, 80, 80), 80, 8000), ((80, 80, 81), 80, 8033), ((79, 80), 80, 7950), ((0, 0, 1), 0, 33)],
)
def test_a_mean_is_rounded_half_up_in_whole_numbers(
    scores: tuple[int, ...], points: int | None, hundredths: int | None
) -> None:
    """In points and in hundredths; nobody's word has none."""
    assert (mean_of(scores), mean_of(scores, 100)) == (points, hundredths)
    assert Tally(judged=len(scores), total=sum(scores)).mean_hundredths == hundredths


@given(scores=st.lists(st.integers(0, 100), max_size=9), mark=st.integers(0, 100))
def test_a_mark_is_reached_by_what_was_given_and_not_by_rounding(scores: list[int], mark: int) -> None:
    """Exactly when the scores are the mark each, in sum; whatever the mean is rounded to."""
    reached = Tally(judged=len(scores), total=sum(scores)).reaches(mark)

    assert reached is (bool(scores) and sum(score - mark for score in scores) >= 0)


@pytest.mark.parametrize(
    ("came", "awaited", "at_quorum", "said"),
    [
        (3, True, False, COMPLETE), (2, True, False, NOT_YET), (2, True, True, QUORUM), (2, False, False, QUORUM),
        (1, True, True, NOT_YET), (1, False, True, SHORT), (4, False, False, COMPLETE), (0, False, False, SHORT),
    ],
)  # fmt: skip
def test_a_quorum_is_enough_when_nobody_is_awaited(came: int, awaited: bool, at_quorum: bool, said: Turnout) -> None:  # noqa: FBT001
    """Or at once, where the rule says so; fewer are too few, and only when nobody else can come."""
    assert turnout(members=3, came=came, quorum=2, awaited=awaited, at_quorum=at_quorum) is said


def test_no_more_are_asked_for_than_there_are() -> None:
    """A quorum above the members would never be there."""
    with pytest.raises(ValueError, match="quorum"):
        PanelTerms(members=2, quorum=3, mark=50)


# ---- each once, nobody on their own matter ----------------------------------------------------------------------------


async def test_the_last_member_concludes_it(bench: PartBench) -> None:
    """Three have judged, each once: by the mean in hundredths it passes, and nothing is left to do."""
    case = await bench.open(SCORED)
    await bench.taken(case, "judge", GRID[1], score=80)
    said_twice = await bench.refused(case, "judge", GRID[1], score=100)
    await bench.taken(case, "judge", STREET, score=79)
    assert bench.state(case).stage == Stage.JUDGING
    await bench.taken(case, "judge", GRID[2], score=82)

    assert "each does so once" in said_twice
    assert concluded(bench, case) == {
        "outcome": "complete", "judged": 3, "total": 241, "mean_hundredths": 8033, "recused": 0,
    }  # fmt: skip
    assert [each["judged"] for each in bench.facts(case, "panel:judged")] == [1, 2, 3]
    assert bench.state(case).stage == Stage.PASSED
    await bench.left_alone(case)


async def test_one_account_is_one_member_by_whatever_way(bench: PartBench) -> None:
    """Who has judged at a desk does not judge again through a department's system; nor does whose matter it is."""
    case = await bench.open(SCORED, reporter_subject=OWNER)
    await bench.taken(case, "judge", GRID[1], score=90)
    again = await bench.refused(case, "judge", Person("department:urban-management/grid-1", "grid_worker"), score=90)
    own = await bench.refused(case, "judge", GRID[0], score=100)

    assert "each does so once" in again
    assert "nobody acts on the own application" in own


async def test_a_low_score_says_why(bench: PartBench) -> None:
    """Under the town's mark with its reason; the mark itself needs none, and more than all there is cannot be given."""
    case = await bench.open(SCORED)
    without = await bench.refused(case, "judge", GRID[1], score=59)
    too_much = await bench.give(case, "judge", GRID[1], score=101)
    await bench.taken(case, "judge", GRID[1], score=59, reason="预算说明不清")
    await bench.taken(case, "judge", GRID[2], score=60)

    assert "a score under 60 needs a reason" in without
    assert too_much.status_code == 422
    assert bench.state(case).tally == Tally(judged=2, total=119)


# ---- its time is over -------------------------------------------------------------------------------------------------


async def test_at_the_end_of_its_window_a_quorum_is_enough(bench: PartBench) -> None:
    """Two of three, and the mean is just under the mark: rounded it would be the mark."""
    case = await bench.open(SCORED)
    await bench.taken(case, "judge", GRID[1], score=79)
    await bench.taken(case, "judge", GRID[2], score=80)
    await bench.left_alone(case)

    assert concluded(bench, case) == {
        "outcome": "quorum", "judged": 2, "total": 159, "mean_hundredths": 7950, "recused": 0,
    }  # fmt: skip
    assert bench.state(case).stage == Stage.FAILED


async def test_too_few_conclude_nothing(bench: PartBench) -> None:
    """One of three, and its time is over: the procedure says what then."""
    case = await bench.open(SCORED)
    await bench.taken(case, "judge", GRID[1], score=100)
    await bench.left_alone(case)

    assert concluded(bench, case)["outcome"] == "short"
    assert bench.state(case).stage == Stage.DEFERRED


async def test_a_panel_that_has_a_duty_is_late_and_concludes_nothing_by_itself(bench: PartBench) -> None:
    """Its clock climbs the tiers, and then the last limit runs; whoever has voted is no panel."""
    case = await bench.open(VOTED, jury=("grid-1", "grid-2", "grid-3"))
    await bench.taken(case, "vote", GRID[1], positive=True)
    await bench.taken(case, "vote", GRID[2], positive=True)
    await bench.left_alone(case)

    assert bench.facts(case, "panel:concluded") == []
    assert bench.state(case).stage == Stage.LAPSED
    assert "tier:1" in [facts.get("moment") for _, facts in bench.told(case)]


# ---- recusal ----------------------------------------------------------------------------------------------------------


async def test_who_recuses_themselves_takes_back_the_word(bench: PartBench) -> None:
    """Their score does not count, they do not judge again, and somebody else takes the place."""
    case = await bench.open(SCORED)
    await bench.taken(case, "judge", GRID[1], score=100)
    await bench.taken(case, "judge", GRID[2], score=100)
    await bench.taken(case, "recuse", GRID[2], reason="申报人是本人亲属")
    again = await bench.refused(case, "judge", GRID[2], score=100)
    twice = await bench.refused(case, "recuse", GRID[2], reason="再次说明")
    await bench.taken(case, "judge", GRID[3], score=70)
    await bench.taken(case, "judge", GRID[4], score=70)

    assert "you have recused yourself" in again
    assert "you have recused yourself" in twice
    (recused,) = bench.facts(case, "panel:recused")
    assert (recused["judged"], recused["taken_back"]) == (1, True)
    assert concluded(bench, case) == {
        "outcome": "complete", "judged": 3, "total": 240, "mean_hundredths": 8000, "recused": 1,
    }  # fmt: skip
    assert bench.state(case).stage == Stage.PASSED


async def test_of_a_named_jury_nobody_else_votes_and_who_is_recused_is_not_waited_for(bench: PartBench) -> None:
    """Three were named and one has recused themselves: the two others are all; a vote against it says why."""
    case = await bench.open(VOTED, jury=("grid-1", "grid-2", "grid-3"))
    stranger = await bench.refused(case, "vote", GRID[4], positive=True)
    silent = await bench.give(case, "vote", GRID[1], positive=False)
    await bench.taken(case, "vote", GRID[1], positive=True)
    await bench.taken(case, "vote", GRID[2], positive=False, reason="影响通行")
    assert bench.state(case).stage == Stage.JUDGING
    await bench.taken(case, "recuse", GRID[3], reason="与申报人合伙")

    assert "you are not of the jury" in stranger
    assert silent.status_code == 422
    assert concluded(bench, case) == {
        "outcome": "complete", "judged": 2, "total": 100, "mean_hundredths": 5000, "recused": 1,
    }  # fmt: skip
    assert bench.state(case).stage == Stage.FAILED


async def test_a_jury_that_can_be_no_quorum_any_more_is_not_waited_for(bench: PartBench) -> None:
    """Two of three have recused themselves before anybody voted, and the third votes: that is too few, at once."""
    case = await bench.open(VOTED, jury=("grid-1", "grid-2", "grid-3"))
    await bench.taken(case, "recuse", GRID[2], reason="亲属")
    await bench.taken(case, "recuse", GRID[3], reason="亲属")
    assert bench.state(case).stage == Stage.JUDGING
    await bench.taken(case, "vote", GRID[1], positive=True)

    assert concluded(bench, case)["outcome"] == "short"
    assert bench.state(case).stage == Stage.DEFERRED
    await bench.left_alone(case)


@pytest.mark.parametrize("procedure", [SCORED, VOTED], ids=lambda procedure: procedure.name)
def test_its_lines_keep_apart_whom_the_law_keeps_apart(procedure: DeclaredProcedure) -> None:
    """Whoever judges is kept from the own matter and from judging twice: as data of the row, so that it is seen there."""
    (rule,) = [rule for rule in procedure.rules if rule.command in {"judge", "vote"}]

    assert rule.part is Part.JUDGED
    assert {Part.APPLICANT, Part.ENTERED, Part.JUDGED, Part.RECUSED} <= set(rule.apart_from)
