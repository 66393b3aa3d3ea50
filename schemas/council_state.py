"""What a motion remembers, and the pure rules on it."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from schemas.clocks.clocks import Clock, due_at
from schemas.contracts.payment import Fen
from schemas.council_policy import CouncilTerms, Joined, Topic
from schemas.council_stages import Stage
from schemas.kernel.people import Part
from schemas.kernel.state import OpenedState
from schemas.parts.ballots import BallotingState
from schemas.parts.departments import KnowsDepartments
from schemas.parts.duties import DutiesState
from schemas.parts.opinions import OpinionsState
from schemas.parts.postings import PostedState
from schemas.parts.quorum import APPROVE, QuorumClass
from schemas.values.canonical import digest
from schemas.values.references import TextReference


class Invited(StrEnum):
    """Who is asked to come to the talks."""

    OWNERS = "owners"
    PROPERTY_FIRM = "property_firm"
    DEPARTMENT = "department"
    EXPERT = "expert"
    PARTY_BRANCH = "party_branch"


class Invitation(BaseModel):
    """One who was asked to come. `came`: they did."""

    model_config = ConfigDict(extra="forbid")

    number: int
    kind: Invited
    came: bool = False


class Score(BaseModel):
    """What people say of the result."""

    model_config = ConfigDict(extra="forbid")

    done: int = 0
    partly: int = 0
    not_done: int = 0
    worth_it: int = 0


class CouncilState(KnowsDepartments, BallotingState, PostedState, OpinionsState, DutiesState, OpenedState):
    """A motion: its text and how often that changed, who stands behind it, the rounds, the vote, the tasks.

    `base`: of how many people a share brings it onto the agenda; None: nobody has said, so the committee looks at it in any case.
    `supporters` are accounts, `signatures` those on paper. `rounds_wanted`: before it can be voted on. `review_passed`: of this
    very text; None: nobody has looked. `voted_at`: when the last vote that counted was not passed. `vouched`: tasks that the
    proposer's side has seen done, by the number of the proof. `task_holders`: by the code of the task.
    """

    procedure: ClassVar[str] = "council"

    stage: str = Stage.PROPOSED
    terms: CouncilTerms
    topic: Topic
    joined: Joined
    motion: TextReference
    cost_fen: Fen | None = None
    base: int | None = None
    supporters: list[str] = []
    signatures: int = 0
    text: TextReference | None = None
    version: int = 0
    rounds: int = 0
    rounds_wanted: int = 0
    present: int = 0
    invitations: list[Invitation] = []
    review_passed: bool | None = None
    reviewers: list[str] = []
    prolonged: bool = False
    voted_at: datetime | None = None
    filed: bool = False
    vouched: dict[int, str] = {}
    task_holders: dict[str, str] = {}
    evaluated_by: list[str] = []
    rulings: int = 0
    ruling_filed_by: str | None = None
    score: Score = Score()

    @property
    def behind_it(self) -> int:
        """How many stand behind it: whoever proposed it, who joined, and the signatures on paper."""
        own = 1 if self.reporter_subject is not None else 0
        return own + len(self.supporters) + self.signatures

    @property
    def has_enough_behind_it(self) -> bool:
        """Whether those who join in it bring it onto the agenda by themselves."""
        share = self.terms.joined.get(self.joined)
        return self.base is not None and share is not None and share.reached(self.behind_it, self.base)

    @property
    def text_digest(self) -> str:
        """What is posted, in one number: the case, the version, and the text in the vault, which never changes there."""
        return digest({"case": self.case_id, "version": self.version, "text": self.text or self.motion})

    @property
    def classes(self) -> tuple[QuorumClass, ...]:
        """By which rules it may be voted on: those that the town names for its matter, else every one by which something passes."""
        rules = self.terms.ballot.classes
        named = self.terms.votes.get(self.topic) or tuple(rules)
        return tuple(each for each in named if rules[each].passed is not None)

    @property
    def votes_for(self) -> str:
        """How many were for it in the last vote; `-` where so few were that it is not told (`min_cell`)."""
        last = self.ballots[-1].outcome if self.ballots else None
        return str(last.totals.get(APPROVE, "-")) if last is not None else "-"

    @property
    def votes_cast(self) -> str:
        """How many took part in it, of how many."""
        last = self.ballots[-1].outcome if self.ballots else None
        return f"{last.took_part}/{last.of_how_many}" if last is not None else "-"

    @property
    def needs_review(self) -> bool:
        """Whether the law asks for a look at it before the vote."""
        return self.topic in self.terms.reviewed

    @property
    def must_be_filed(self) -> bool:
        """公约 are put on file with the street (村组法 27)."""
        return self.topic is Topic.CONVENTION

    def votable_again_at(self) -> datetime | None:
        """When it can be voted on again; None: now."""
        if self.voted_at is None:
            return None
        again = Clock(name="revote", limit=self.terms.revote_after).start(self.voted_at, "engine")
        return due_at(again, self.charter.calendar)

    def requests(self) -> Mapping[Part, tuple[int, ...]]:
        """A task waits for the proposer's side first, then for a watcher."""
        found = dict(super().requests())
        proved = found.get(Part.DUTY_PROVED, ())
        found[Part.TASK_PROVED] = tuple(each for each in proved if each not in self.vouched)
        found[Part.RULING_FILED] = (self.rulings,) if self.ruling_filed_by is not None else ()
        found[Part.TASK_VOUCHED] = tuple(each for each in proved if each in self.vouched)
        return found

    def took_part(self) -> Mapping[Part, tuple[str, ...]]:
        """Who joined, vouched for a task, holds one, or has evaluated."""
        waiting = {each.proof for each in self.duties if each.proof is not None}
        return {
            **super().took_part(),
            Part.SUPPORTED: tuple(self.supporters),
            Part.TASK_PROVED: tuple(each.proved_by for each in self.duties if each.proved_by is not None),
            Part.TASK_VOUCHED: tuple(who for proof, who in self.vouched.items() if proof in waiting),
            Part.TASK_HELD: tuple(self.task_holders.values()),
            Part.EVALUATED: tuple(self.evaluated_by),
            Part.LEGALLY_REVIEWED: tuple(self.reviewers),
            Part.RULING_FILED: () if self.ruling_filed_by is None else (self.ruling_filed_by,),
        }
