"""The law of ballots: a case calls one vote at a time, hears its end once, and waits for none for ever.

A tiny procedure has the part (schemas/parts/ballots.py, workflows/ballot_parent.py): it calls a vote, and another when that is
over. The votes are the town's own, with a committee that does nothing.
"""

from collections.abc import AsyncIterator
from typing import ClassVar

import pytest

from engine.policies.policies import load_policy
from engine.runtime.settings import PROJECT
from schemas.council import COUNCIL
from schemas.council_policy import CouncilPolicy
from schemas.kernel.acts import Nothing, act, file_acts, step
from schemas.kernel.case import Message
from schemas.kernel.declaration import declare
from schemas.kernel.entries import EntryKinds, entry
from schemas.kernel.parties import COORDINATOR
from schemas.kernel.timers import last_limit
from schemas.kernel.words import DeclaredStage
from schemas.parts.ballots import (
    BallotAsked,
    BallotEntries,
    BallotingState,
    BallotingTerms,
    BallotOutcome,
    BallotSubject,
    ballot_lines,
    ballot_timers,
)
from schemas.parts.quorum import Base, QuorumClass
from tests.api_driver import Person
from tests.part_bench import PartBench, days, part_bench
from tests.waiting import eventually
from workflows.ballot_parent import Ballots
from workflows.kernel.procedure_workflow import procedure_workflow

pytestmark = pytest.mark.timeout(180)

CALLS = Person("coordinator-sun", "coordinator")
ASKED = BallotAsked(
    question=f"text:{'0' * 26}", text_digest="0" * 64, quorum_class=QuorumClass.SENSE, base=Base.HOUSEHOLDS
)


class Stage(DeclaredStage):
    """Where a tiny caller stands."""

    CALLING = "calling", "征求表决", "正在征求表决", "votes are called"
    OVER = "over", "已了结", "已了结", "no more votes"
    LAPSED = "lapsed", "逾期终结", "已终结", "ended"


class CallingState(BallotingState):
    """What a tiny caller remembers."""

    procedure: ClassVar[str] = "calling"
    stage: str = Stage.CALLING
    terms: BallotingTerms


class Kind(BallotEntries, EntryKinds, procedure="calling"):
    """What its ledger says."""

    OPENED = entry("opened", "立案")
    OVER = entry("over", "了结")
    LAPSED = entry("lapsed", "逾期终结")


CALLING = declare(
    "calling",
    "征求表决",
    parent="incident",
    state=CallingState,
    stages=Stage,
    entries=Kind,
    opened=Kind.OPENED,
    timers={**ballot_timers(), "final": last_limit("unresolved_after")},
    lines=(
        act(Nothing, "提请", name="call", meaning="a vote is called.", by=COORDINATOR, at=Stage.CALLING),
        act(Nothing, "撤销", name="call_off", meaning="it is called off.", by=COORDINATOR, at=Stage.CALLING),
        act(Nothing, "了结", name="end_it", meaning="nothing more is asked.", by=COORDINATOR, at=Stage.CALLING, to=Stage.OVER,
            entry=Kind.OVER),
        *ballot_lines(Kind, at=Stage.CALLING, to=Stage.OVER),
        step("expire", "逾期终结", at=Stage.CALLING, to=Stage.LAPSED, entry=Kind.LAPSED, clock="final"),
        *file_acts(Kind, by=(COORDINATOR,), at=Stage.CALLING, urged_by=(COORDINATOR,)),
    ),
)  # fmt: skip


@procedure_workflow
class Calling(Ballots[CallingState]):
    """Calls votes."""

    procedure = CALLING

    def reported(self) -> dict[str, object]:
        """Nothing to say."""
        return {}

    def begin(self) -> None:
        """Somebody has it."""
        self.move(Stage.CALLING, "role:coordinator")

    def call(self) -> None:
        """One at a time."""
        self.ask_for_ballot(ASKED)

    def call_off(self) -> None:
        """The one that is under way."""
        self.call_off_ballot()

    def ballot_has_ended(self, outcome: BallotOutcome) -> None:
        """The first is asked once more; then it is over."""
        if outcome.number > 1:
            self.finish_as(Stage.OVER, Kind.OVER, void=outcome.void)
        else:
            self.ask_for_ballot(ASKED)


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PartBench]:
    """A bench that knows it beside the town's procedures."""
    async with part_bench(tmp_path_factory.mktemp("ballots"), Calling) as opened:
        yield opened


def terms(**changed: object) -> BallotingTerms:
    """The council's, with other limits."""
    policy = load_policy(COUNCIL, PROJECT / "policies", ())
    assert isinstance(policy, CouncilPolicy)
    whole = {name: getattr(policy.terms, name) for name in BallotingTerms.model_fields}
    return BallotingTerms.model_validate(whole | {"ballot": policy.terms.ballot.model_copy(update=changed)})


async def calling(bench: PartBench, **changed: object) -> str:
    """A caller whose first vote stands."""
    case = await bench.open(CALLING, terms=terms(**changed).model_dump(mode="json"))
    await bench.taken(case, "call", CALLS)
    await bench.until(case, "ballot:stands")
    await eventually(lambda: f"{case}.ballot-1" in bench.bench.tables.rows)
    return case


async def test_each_vote_is_a_case_of_its_own_and_its_end_is_heard_once(bench: PartBench) -> None:
    """Nobody prepares them: each is void, told once, and the second is called when the first has ended; replay agrees."""
    case = await calling(bench)
    child = bench.state(f"{case}.ballot-1")
    assert (child.parent, child.number, child.asked) == (case, 1, ASKED)
    await bench.left_alone(case)

    ended = bench.facts(case, "ballot:ended")
    assert [each["void"] for each in ended] == ["unresolved", "unresolved"]
    assert [each["ballot"] for each in ended] == [f"{case}.ballot-1", f"{case}.ballot-2"]
    await bench.left_alone(f"{case}.ballot-2")


async def test_a_vote_that_never_says_anything_is_void(bench: PartBench) -> None:
    """Waited for so long and no longer; the silent one is called off."""
    case = await calling(bench, unheard=days(2))
    await bench.left_alone(case)

    assert [each["void"] for each in bench.facts(case, "ballot:ended")] == ["silent", "silent"]
    await eventually(lambda: bench.state(f"{case}.ballot-1").stage == "void")
    assert bench.facts(f"{case}.ballot-1", "void")[0]["why"] == "called_off"


async def test_each_vote_speaks_for_itself_alone(bench: PartBench) -> None:
    """The word of a stranger, and of a vote about another one, is not heard."""
    case = await calling(bench)
    told = BallotOutcome(number=1, passed=True).model_dump(mode="json")
    for number, (sender, facts) in enumerate(
        (
            ("calling-20260601-999999.ballot-1", told),
            (f"{case}.ballot-2", told),
            (f"{case}.ballot-1", told | {"number": 2}),
        )
    ):
        message = Message(message_id=f"word-{number}", sender=sender, to=case, subject=BallotSubject.ENDED, facts=facts)
        await bench.bench.client.get_workflow_handle(case).signal("message", message)
    await bench.taken(case, "comment", CALLS, text="看一下")

    assert bench.facts(case, "ballot:ended") == []


async def test_a_case_that_ends_calls_its_vote_off(bench: PartBench) -> None:
    """Also one that was only just asked for: it stands, and hears at once that nobody waits."""
    case = await bench.open(CALLING, terms=terms().model_dump(mode="json"))
    await bench.taken(case, "call", CALLS)
    await bench.taken(case, "end_it", CALLS)
    await eventually(lambda: f"{case}.ballot-1" in bench.bench.tables.rows)
    await eventually(lambda: bench.state(f"{case}.ballot-1").stage == "void")
    await bench.left_alone(case)

    assert bench.facts(f"{case}.ballot-1", "void")[0]["why"] == "called_off"
    assert bench.facts(case, "ballot:ended") == []
