"""Laws of postings, for whoever composes them: a procedure that has never heard of welfare is posted, objected to and goes on.

Two forms of it: one that goes on by itself when the window has passed, and one at which another stage hears late objections.
"""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from schemas.clocks.clock_schedule import Tier
from schemas.clocks.limits import Limit, Unit
from schemas.kernel.acts import Act, Step, act, file_acts, step
from schemas.kernel.declaration import DeclaredProcedure, declare
from schemas.kernel.entries import EntryKinds, entry
from schemas.kernel.parties import GRID_WORKER, REPORTER, STREET_OFFICER, SUPERVISOR, desk_of
from schemas.kernel.people import Part
from schemas.kernel.procedure import Command, Procedure
from schemas.kernel.rules import Rule
from schemas.kernel.timers import last_limit
from schemas.kernel.words import DeclaredStage
from schemas.parts.postings import PostedState, Posting, PostingEntries, Shown, objections_are_settled, posting_timers
from schemas.values.actor import Actor
from schemas.values.model import Model
from schemas.values.references import TextReference
from starter.intake.public_notices import POSTED
from tests.api_driver import Person
from tests.case_bench import CaseBench, case_bench
from tests.every_procedure import PROCEDURE_LIST
from tests.named_people import NamedPeople
from workflows.kernel.procedure_workflow import procedure_workflow
from workflows.parts.postings import Postings
from workflows.registry import PROCEDURES

WEEK = Limit(amount=7, unit=Unit.NATURAL_DAYS)


class Stage(DeclaredStage):
    """Where a grove of trees stands that somebody wants to fell."""

    DRAWN_UP = "drawn_up", "拟公示", "等待公示", "about to be posted"
    POSTED = "posted", "公示中", "正在公示", "posted"
    DOUBTED = "doubted", "调查中", "正在调查", "looked into"
    SIGNING = "signing", "待签", "等待签批", "about to be signed"
    FELLED = "felled", "已伐", "已采伐", "felled"
    SPARED = "spared", "不伐", "不予采伐", "spared"
    FORGOTTEN = "forgotten", "逾期", "逾期终结", "forgotten"


class Kind(PostingEntries, EntryKinds, procedure="grove"):
    """What its ledger says, beside its posting."""

    DRAWN_UP = entry("drawn_up", "拟定")
    SIGNED = entry("signed", "签批")
    FELLED = entry("felled", "采伐")
    SPARED = entry("spared", "不伐")
    FORGOTTEN = entry("forgotten", "逾期")


class Terms(Model):
    """The town's terms for it."""

    publicity: Limit = WEEK
    investigate: Limit = Limit(amount=3, unit=Unit.NATURAL_DAYS)
    ended_after: Limit = Limit(amount=60, unit=Unit.NATURAL_DAYS)
    postings_at_most: int = 2
    tiers: tuple[Tier, ...] = ()
    documents_at_most: int = 3
    reminders_a_day: int = 1


class GroveState(PostedState):
    """What it remembers."""

    procedure: ClassVar[str] = "grove"

    stage: str = Stage.DRAWN_UP
    terms: Terms = Terms()
    trees: int = 40


class Sign(Command):
    """签批."""

    opinion: TextReference


def posting(**changed: Any) -> Posting:
    """Its posting."""
    said: dict[str, Any] = {
        "kinds": Kind,
        "posted": Stage.POSTED,
        "objected": Stage.DOUBTED,
        "after": (Stage.FELLED,),
        "refused": Stage.SPARED,
        "by": (STREET_OFFICER, SUPERVISOR),
        "desk": desk_of(STREET_OFFICER),
        "shows": (Shown("trees", "棵数", lambda state: str(state.trees)),),
    }
    return Posting(**said | changed)


def grove(part: Posting, *lines: Act | Step | Rule, **changed: Any) -> DeclaredProcedure:
    """The procedure, with its posting and further lines."""
    said: dict[str, Any] = {
        "parent": "incident",
        "state": GroveState,
        "stages": Stage,
        "entries": Kind,
        "opened": Kind.DRAWN_UP,
        "parts": (part,),
        "timers": {**posting_timers(), "final": last_limit("ended_after")},
        "lines": (
            step("begin", "公示", at=Stage.DRAWN_UP, to=Stage.POSTED),
            *part.lines(),
            *lines,
            step("expire", "逾期", at=(Stage.POSTED, Stage.DOUBTED, Stage.SIGNING), to=Stage.FORGOTTEN,
                 entry=Kind.FORGOTTEN, clock="final"),
            *file_acts(Kind, by=(REPORTER,), at=Stage.POSTED, urged_by=(REPORTER,)),
        ),
    }  # fmt: skip
    return declare("grove", "林木采伐", **said | changed)


class Grove(Postings[GroveState]):
    """It is felled when nobody objects."""

    procedure = grove(posting())

    def reported(self) -> dict[str, Any]:
        """How many trees."""
        return {"trees": self.state.trees}

    def begin(self) -> None:
        """Post it."""
        self.publicise()

    def posted(self) -> dict[str, Any]:
        """How many trees."""
        return {"trees": self.state.trees}

    def publicity_has_ended(self) -> None:
        """Fell it."""
        self.finish_as(Stage.FELLED, Kind.FELLED)

    def objection_is_upheld(self, command: Any, by: Actor) -> None:
        """Spare it."""
        self.finish_as(Stage.SPARED, Kind.SPARED, by=by.role, legal_basis=command.legal_basis)


@procedure_workflow
class GoesOn(Grove):
    """The form that goes on by itself."""


PEOPLE = {
    "owner": Person("resident:owner", "resident"),
    "clerk": Person("staff:clerk", "window_clerk", area="320104"),
    "grid": Person("staff:grid", "grid_worker", area="320104"),
    "street": Person("staff:street", "street_officer", area="320104"),
    "entered": Person("staff:entered", "street_officer", area="320104"),
    "supervisor": Person("staff:supervisor", "supervisor", area="320104"),
}
OBJECTION = {"reason": "有鸟巢", "contact": "13800000000"}
GROUNDS = {**OBJECTION, "new_grounds": "另有古树"}
STANDS = {"upheld": False, "finding": "无鸟巢"}
UPHELD = {"upheld": True, "finding": "有鸟巢", "legal_basis": "森林法第五十六条"}


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[CaseBench]:
    """A bench that knows this procedure too."""
    async with case_bench(tmp_path_factory.mktemp("groves"), sandbox=False, cases=(*PROCEDURES, GoesOn)) as opened:
        yield opened


@pytest.fixture
def town(bench: CaseBench) -> NamedPeople:
    """The procedure and its people."""
    return NamedPeople(bench, GoesOn.procedure, PEOPLE)


async def posted(town: NamedPeople) -> str:
    """A case that is posted."""
    return await town.open("entered", reporter=f"person:{'0' * 26}", reporter_subject="resident:owner")


async def test_it_is_posted_for_the_window_and_goes_on(town: NamedPeople, bench: CaseBench) -> None:
    """Nobody objects: after exactly the window it goes on by itself, and its chain, history and replay are in order."""
    case = await posted(town)
    up = town.state(case)
    await bench.until_ended(case)
    begins, ends = (
        entry["at"] for entry in bench.tables.chain(case) if entry["kind"].split(":")[1] in {"publicised", "publicity"}
    )

    assert (up.stage, up.posting) == ("posted", 1)
    assert town.kinds(case) == ["drawn_up", "publicised", "publicity:ended", "felled", "case:ended"]
    assert town.facts(case, "publicised") == [{"posting": 1, "trees": 40}]
    assert (ends[:10], begins[:10]) == ("2026-06-09", "2026-06-01")  # at the end of the seventh day after this one
    assert await bench.faults(case) == []


async def test_an_objection_takes_it_down_and_it_is_posted_anew(town: NamedPeople) -> None:
    """The first takes it down; who looks into it is told; found wanting, it is posted anew for the whole window."""
    case = await posted(town)
    await town.do(case, "object", "clerk", OBJECTION)
    down = town.state(case)
    await town.do(case, "investigate", "street", STANDS)
    anew = town.state(case)

    assert (down.stage, down.holder, anew.stage, anew.posting) == ("doubted", "role:street_officer", "posted", 2)
    assert ("role:street_officer", "objection_made") in town.told(case)
    assert anew.investigators == ["staff:street"]
    assert anew.clocks["publicity"].status == "running"


async def test_an_objection_that_is_upheld_refuses(town: NamedPeople, bench: CaseBench) -> None:
    """With its law, on the word of who looked into it."""
    case = await posted(town)
    await town.do(case, "object", "grid", OBJECTION)
    without = await town.give(case, "investigate", "street", {**UPHELD, "legal_basis": None})
    await town.do(case, "investigate", "street", UPHELD)
    await bench.until_ended(case)

    assert without.status_code == 422
    assert town.state(case).stage == "spared"
    assert await bench.faults(case) == []


async def test_whose_matter_it_is_and_who_entered_it_look_into_nothing(town: NamedPeople) -> None:
    """Whoever entered it does not look into an objection; whose matter it is does not object."""
    case = await posted(town)
    await town.do(case, "object", "clerk", OBJECTION)

    assert await town.refused(case, "investigate", "entered", STANDS) == "against-the-rules"
    assert await town.refused(await posted(town), "object", "owner", OBJECTION) == "against-the-rules"


async def test_later_objections_leave_it_up_and_hold_it_back(town: NamedPeople, bench: CaseBench) -> None:
    """Without new grounds the posting stays up; but its window does not end it while nobody has looked into that."""
    case = await posted(town)
    await town.do(case, "object", "clerk", OBJECTION)
    await town.do(case, "investigate", "street", STANDS)
    await town.do(case, "object", "clerk", OBJECTION)
    beside = town.state(case)
    await bench.let_pass(timedelta(days=9))
    late = await town.refused(case, "object", "clerk", OBJECTION)
    waits = town.state(case)
    await town.do(case, "investigate", "supervisor", STANDS)

    assert (waits.stage, waits.objections_beside) == ("posted", 1)
    assert (beside.stage, beside.posting, beside.objections_beside) == ("posted", 2, 1)
    assert late == "against-the-rules"
    made = [kind for kind in town.kinds(case) if kind != "case:ended"]
    assert made[-4:] == ["publicity:objected_again", "publicity:investigated", "publicity:ended", "felled"]
    assert town.facts(case, "publicity:investigated")[-1]["objections"] == 1


async def test_new_grounds_take_it_down_only_so_often(town: NamedPeople) -> None:
    """As often as the town lets a case be posted; after that the posting stays up."""
    case = await posted(town)
    await town.do(case, "object", "clerk", OBJECTION)
    await town.do(case, "investigate", "street", STANDS)
    await town.do(case, "object", "clerk", GROUNDS)

    assert (town.state(case).stage, town.state(case).posting) == ("posted", 2)  # postings_at_most


# ---- what does not fit ------------------------------------------------------------------------------------------------


class BareTerms(Model):
    """Terms that do not say how often it is posted."""

    publicity: Limit = WEEK
    investigate: Limit = WEEK
    ended_after: Limit = WEEK
    tiers: tuple[Tier, ...] = ()


class Bare(PostedState):
    """A state that goes by them."""

    procedure: ClassVar[str] = "grove"

    terms: BareTerms


def declare_without_lines() -> DeclaredProcedure:
    """A posting that nobody can object to."""
    return grove(posting(), lines=(step("begin", "公示", at=Stage.DRAWN_UP, to=Stage.POSTED),))


SIGN = act(
    Sign, "签批", by=SUPERVISOR, at=Stage.SIGNING, to=Stage.FELLED, moves_money=True, apart_from=(Part.ENTERED,),
    entry=Kind.SIGNED,
)  # fmt: skip
LATE = {"after": (Stage.SIGNING,), "settled_at": (Stage.SIGNING,)}


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: grove(posting(), timers={"final": last_limit("ended_after")}), "needs the window publicity"),
        (lambda: grove(posting(), state=Bare), "needs postings_at_most"),
        (lambda: grove(posting(**LATE), SIGN), "does not wait until objections are settled"),
        (declare_without_lines, "needs its lines"),
    ],
)
def test_what_does_not_fit_is_found_at_import(make: Callable[[], Procedure], said: str) -> None:
    """Whoever leaves out a clock, a term, the lines, or lets money move past an objection, is told at import."""
    with pytest.raises(TypeError, match=said):
        make()


def test_where_late_objections_are_heard_money_waits_for_them() -> None:
    """With its condition the same line fits; and a late objection may be looked into there."""
    waits = act(
        Sign, "签批", by=SUPERVISOR, at=Stage.SIGNING, to=Stage.FELLED, moves_money=True, when=objections_are_settled,
        apart_from=(Part.ENTERED,), entry=Kind.SIGNED,
    )  # fmt: skip
    procedure = grove(posting(**LATE), waits)

    assert [rule.at for rule in procedure.rules if rule.command == "investigate"] == [
        (Stage.DOUBTED,),
        (Stage.POSTED, Stage.SIGNING),
    ]


def test_every_procedure_that_posts_is_shown_by_its_part() -> None:
    """Public notices know whoever declares a posting, and no procedure by name."""
    assert {each.name for each in PROCEDURE_LIST if each.part_or_none(Posting)} == set(POSTED)
    assert "welfare" in POSTED


@pytest.mark.parametrize("said", ["text:" + "0" * 26, "person:" + "0" * 26])
def test_no_reference_is_posted(said: str) -> None:
    """What a posting shows is no text and no person of the vault, not even by number."""
    state: Any = None

    with pytest.raises(ValueError, match="is a reference"):
        Shown("reason", "理由", lambda _state: said).value(state)
    assert GRID_WORKER in posting().objectors
