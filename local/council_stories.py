"""The stories of motions: those of their walks (local/council_walks.py), and two that are voted on.

The vote is a case of its own, held on paper here, with its people.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from local.council_walks import PEOPLE, TALKED, WALKS
from local.stories.scenes import OnStage, Scene, gives
from local.stories.story import SPRING, ChildExpectation, OwnClock, Repertoire, Story, Title
from local.stories.walk_stories import Goes, WalkStory, answering, repertoire_of
from local.stories.walks import Walks, walk
from schemas.clocks.calendar import in_shanghai
from schemas.council import COUNCIL
from schemas.council_entries import Kind
from schemas.council_stages import Stage

SPEED = 200_000
ROLL = {"digest": "ab" * 32, "units": 120, "voters": 120}
EMPTY = {"unit": "5-1-101", "reason": "独居老人去世,无其他家庭成员"}
GIVEN = {"box": "hall", "given": 84}
THREE_FIFTHS = {"boxes": [{"box": "hall", "votes": [50, 30], "papers": 84, "abstained": 2, "spoilt": 2}]}
A_TIE = {"boxes": [{"box": "hall", "votes": [42, 42], "papers": 84}]}
MARKED = {"duty": "signs"}


@dataclass(frozen=True, kw_only=True)
class HoldsVote:
    """The vote on a motion: its roll, a household that died out, a sealed box, and two tellers who find the same."""

    sheet: Mapping[str, Any]

    async def play(self, stage: OnStage) -> None:
        """Hold it, until the motion hears its end."""
        await stage.seen(Kind.BALLOT_STANDS)
        vote = f"{stage.case_id}.ballot-1"
        await gives(stage, vote, PEOPLE["grid_worker"], "post_roll", ROLL)
        await gives(stage, vote, PEOPLE["grid_worker"], "strike_unit", EMPTY)
        await stage.client(PEOPLE["clerk"]).case(vote, wait="stage:open")
        await gives(stage, vote, PEOPLE["clerk"], "seal_box", GIVEN)
        await stage.client(PEOPLE["clerk"]).case(vote, wait="stage:counting")
        await gives(stage, vote, PEOPLE["grid_worker"], "count", self.sheet)
        await gives(stage, vote, PEOPLE["coordinator"], "count", self.sheet)
        await stage.seen(Kind.BALLOT_ENDED)


@dataclass(frozen=True, kw_only=True)
class DoesWhatWasDecided:
    """One task: assigned, reported, shown, seen by the proposer, accepted by a watcher; then everybody judges."""

    async def play(self, stage: OnStage) -> None:
        """Do it, once the decision is in force."""
        adopted = await stage.seen(Kind.ADOPTED)
        due = (in_shanghai(adopted.at) + timedelta(days=60)).date().isoformat()
        task = {"task": "signs", "what": "安装单侧停车标识", "holder": PEOPLE["grid_worker"].subject, "due": due}
        for by, command, body in (
            ("committee", "assign_task", task),
            ("grid_worker", "report_task", {**MARKED, "progress": "标识已订制"}),
            ("grid_worker", "prove_duty", {**MARKED, "proof": "标识已安装"}),
            ("applicant", "vouch_task", {}),
            ("supervisor", "accept_duty", {}),
            ("committee", "conclude", {"result": "停车有序"}),
            ("applicant", "evaluate", {"done": "done", "worth_it": True}),
        ):
            seen = await answering(stage.client(PEOPLE[by]), COUNCIL, stage.case_id, command, body)
            await gives(stage, stage.case_id, PEOPLE[by], command, seen)


@dataclass(frozen=True, kw_only=True)
class Answers:
    """A vote that was not passed is answered, in writing."""

    async def play(self, stage: OnStage) -> None:
        """Answer it, when the motion has heard of the vote."""
        await stage.seen(Kind.NOT_PASSED)
        body = {"ground": "no_agreement", "reason": "42比42未通过;停车方案另行协商"}
        await gives(stage, stage.case_id, PEOPLE["committee"], "answer", body)


def _voted(name: str, title: Title, *, stage: Stage, sheet: Mapping[str, Any], then: Scene, ends_with: str) -> Story:
    """A motion that is talked over, put to the vote, and goes on from there."""
    way = walk(name, f"{TALKED}, committee call_ballot", stage)
    walks: Walks = replace(WALKS, stories={name: (title.zh, title.en)}, walks=(way,), speed=SPEED)
    return WalkStory(
        name=f"council-{name.replace(' ', '-')}",
        title=title,
        procedure=COUNCIL,
        opening=WALKS.opening,
        path=(stage,),
        counts={Kind.BALLOT_CALLED: 1, Kind.BALLOT_ENDED: 1},
        never=frozenset({Kind.ANNULLED, Kind.WITHDRAWN}),
        scenes=(Goes(procedure=COUNCIL, walks=walks, walk=way), HoldsVote(sheet=sheet), then),
        children={"ballot-1": ChildExpectation(("ballot:sheets:agree", "ballot:declared", "ballot:certified"))},
        ends_with=ends_with,
        clock=OwnClock(SPRING, SPEED),
        reporter=PEOPLE["applicant"],
        asked_for=True,
    )


_told = repertoire_of(COUNCIL, WALKS)
REPERTOIRE: Repertoire = replace(
    _told,
    stories=(
        *_told.stories,
        _voted(
            "three fifths are for it",
            Title(zh="单侧停车六成同意,办成、评议", en="parking: three fifths for it, done and judged"),
            stage=Stage.CLOSED, sheet=THREE_FIFTHS, then=DoesWhatWasDecided(), ends_with=Kind.CLOSED,
        ),
        _voted(
            "a tie",
            Title(zh="42比42未通过,书面答复", en="42 to 42: not passed, and answered"),
            stage=Stage.ANSWERED, sheet=A_TIE, then=Answers(), ends_with="case:ended",
        ),
    ),
    stage_after={**_told.stage_after, Kind.CLOSED: Stage.CLOSED},
    starts={Kind.BALLOT_STANDS: "ballot"},
)  # fmt: skip
"""Where a motion is done it stands open for a year, in which it may be annulled: a story does not wait for that."""
