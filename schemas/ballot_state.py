"""What a ballot remembers: digests, totals and one root. Never who chose what, and of who came only how many."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from schemas.kernel.people import Part
from schemas.kernel.state import DeclaredState
from schemas.kernel.words import DeclaredStage
from schemas.parts.ballots import BallotAsked, BallotingTerms, BallotOutcome, BallotRules, Digest, UnitCode, Void
from schemas.parts.quorum import (
    NOTHING_CAST,
    AreaHundredths,
    Cast,
    ClassRule,
    Count,
    Roll,
    quorum_met,
    shown_cells,
    verdict,
)
from schemas.parts.shown_votes import ShownVote
from schemas.values.document import DocumentReference
from schemas.values.model import Model
from schemas.values.typed_code import Tidied


class Stage(DeclaredStage):
    """Where a vote stands."""

    PREPARING = "preparing", "准备中", "表决准备中", "the vote is being prepared"
    ROLL_POSTED = "roll_posted", "名册公示", "表决名册公示中", "the roll is posted for everybody to see"
    OPEN = "open", "投票中", "正在投票", "the vote is open"
    COUNTING = "counting", "计票中", "正在计票", "the votes are being counted"
    DECLARED = "declared", "结果公布", "表决结果已公布", "the result is declared"
    CHALLENGED = "challenged", "质疑处理", "结果受到质疑,正在核查", "the result is challenged"
    CERTIFIED = "certified", "已确认", "表决结果已确认", "the result is certified"
    VOID = "void", "无效", "本次表决无效", "the vote is void"


TOLD = (Stage.DECLARED, Stage.CHALLENGED, Stage.CERTIFIED)
SHOWN = (Stage.ROLL_POSTED, Stage.OPEN, Stage.COUNTING, *TOLD)
BEFORE_OPENING = (Stage.PREPARING, Stage.ROLL_POSTED)
RESULT = (Stage.DECLARED, Stage.CHALLENGED)
ALIVE = (*BEFORE_OPENING, Stage.OPEN, Stage.COUNTING, *RESULT)

BoxCode = Annotated[str, StringConstraints(pattern=r"^[a-z]+(-[0-9]{1,2})?$", max_length=40), Tidied]
"""A box for papers: `hall`, `mobile-1`."""


class OnlineBox(StrEnum):
    """Where the ballot box outside stands. `none`: this vote has none, it is on paper alone."""

    NONE = "none"
    ASKED = "asked"
    OPEN = "open"
    CLOSING = "closing"
    TALLIED = "tallied"
    LOST = "lost"


class Proxy(Model):
    """委托: one unit votes for another. `paper`: what the voter signed."""

    unit: UnitCode
    by: UnitCode
    paper: DocumentReference

    def is_of(self, unit: str) -> bool:
        """Whether a unit is one of the two."""
        two = (self.unit, self.by)
        return unit in two


class Struck(Model):
    """空户: a unit in which nobody is left who could vote; it leaves the base."""

    unit: UnitCode
    voters: Count
    area_hundredths: AreaHundredths = 0


class StrikeAsked(Struck):
    """除名申请: asked for by one; nothing has changed before another person has looked."""

    number: int
    by: str


class BoxSheet(Model):
    """What one teller found in one box: by choice, in the order of the choices. `areas` likewise, of an open vote by area."""

    box: BoxCode
    votes: tuple[Count, ...] = Field(min_length=2, max_length=100)
    papers: Count
    abstained: Count = 0
    spoilt: Count = 0
    areas: tuple[AreaHundredths, ...] = Field(default=(), max_length=100)
    area_hundredths: AreaHundredths = 0


class SealedBox(BaseModel):
    """A box for papers, sealed: how many papers were given for it. `void`: more were in it than were given."""

    model_config = ConfigDict(extra="forbid")

    box: BoxCode
    given: Count
    void: bool = False


class TellerSheets(Model):
    """What one teller found in all boxes."""

    by: str
    boxes: tuple[BoxSheet, ...]
    at: datetime


class BallotState(DeclaredState):
    """What a vote remembers.

    `asked` is what its parent put to it; `roll` is frozen when the vote opens, and after that units are only struck from it.
    `objections`: to the roll, that nobody has answered yet. `extended`: it was open for longer, once. `poured`: boxes of so few
    papers that they
    are counted with another one. `sheets` are of the tellers
    of this count, of `counts`; `tellers` of all. `issued`: how many ballots the box outside said it has given out;
    `online_asked`: how often it was asked; `box_key`: the digest of the key of this vote there, which is one for all;
    `marked_for_paper`: how many units were marked there for a paper. `challenges_open`: those on which nobody has ruled.
    """

    procedure: ClassVar[str] = "ballot"

    stage: str = Stage.PREPARING
    terms: BallotingTerms
    number: int
    asked: BallotAsked
    roll: Roll | None = None
    objections: int = 0
    struck: list[Struck] = []
    strikes_asked: list[StrikeAsked] = []
    strikes_made: int = 0
    proxies: list[Proxy] = []
    boxes: list[SealedBox] = []
    poured: list[str] = []
    sheets: list[TellerSheets] = []
    counts: int = 0
    tellers: list[str] = []
    extended: bool = False
    online: OnlineBox = OnlineBox.NONE
    online_asked: int = 0
    issued: int = 0
    online_cast: Cast | None = None
    paper_cast: Cast | None = None
    merkle_root: Digest | None = None
    box_key: Digest | None = None
    marked_for_paper: int | None = None
    challenges: int = 0
    challenges_open: int = 0
    challengers: list[str] = []
    void: Void | None = None

    @property
    def rules(self) -> BallotRules:
        """The town's rules for votes."""
        return self.terms.ballot

    @property
    def rule(self) -> ClassRule:
        """The rule of its class."""
        return self.rules.classes[self.asked.quorum_class]

    @property
    def has_box(self) -> bool:
        """Whether votes are taken online too."""
        return self.asked.box and self.rule.secret

    @property
    def base_roll(self) -> Roll:
        """The roll without the units that were struck. Raises ValueError: none was posted, or nobody is left."""
        if self.roll is None:
            raise ValueError("no roll was posted")
        return Roll(
            digest=self.roll.digest,
            units=self.roll.units - sum(each.voters > 0 or each.area_hundredths > 0 for each in self.struck),
            voters=self.roll.voters - sum(each.voters for each in self.struck),
            area_hundredths=self.roll.area_hundredths - sum(each.area_hundredths for each in self.struck),
        )

    @property
    def cast(self) -> Cast:
        """What was cast, as far as it is counted, all channels together."""
        return (self.paper_cast or NOTHING_CAST) + (self.online_cast or NOTHING_CAST)

    @property
    def enough_came(self) -> bool:
        """Whether, by the papers given and what the box gave out, enough seem to have come."""
        came = self.issued + sum(each.given for each in self.boxes)
        # By area nobody knows before the count: it is judged by number, and the count has the last word.
        by_number = ClassRule(turnout=self.rule.turnout, secret=self.rule.secret)
        return quorum_met(by_number, self.asked.base, self.base_roll, came, 0)

    @property
    def counted(self) -> bool:
        """Whether all channels are counted: the box outside, and the papers where there are some or no such box."""
        if self.online is OnlineBox.TALLIED:
            return self.paper_cast is not None or not self.boxes
        return self.online is OnlineBox.NONE and self.paper_cast is not None

    def result(self) -> BallotOutcome:
        """What the count comes to, as whoever called the vote hears it, and everybody."""
        cast, base = self.cast, self.base_roll
        found = verdict(self.rule, self.asked.base, base, cast)
        cells = {each: cast.choices.get(each, 0) for each in self.asked.choices}
        cells |= {"abstained": cast.abstained, "spoilt": cast.spoilt}
        return BallotOutcome(
            number=self.number,
            passed=found.passed,
            quorum=found.quorum,
            binding=self.rule.binding,
            took_part=cast.papers,
            of_how_many=base.voters,
            totals=shown_cells(cells, self.rules.min_cell),
            merkle_root=self.merkle_root,
        )

    def shown(self) -> ShownVote:
        """What everybody sees of it, while it is posted, open, counted, declared or certified."""
        return ShownVote(
            question=self.asked.question,
            choices=self.asked.choices,
            choices_at_most=self.rule.choices_at_most,
            secret=self.rule.secret,
            online=self.stage == Stage.OPEN and self.online is OnlineBox.OPEN,
            proxies={each.unit: each.by for each in self.proxies},
            struck=tuple(each.unit for each in self.struck if each.voters or each.area_hundredths),
            outcome=self.result() if self.stage in TOLD else None,
        )

    def boxes_with(self, box: SealedBox) -> list[SealedBox]:
        """The boxes as they are counted when this one is sealed too.

        A box of fewer papers than may be told by themselves (`min_cell`) is poured into the next larger one: what one bedridden
        neighbour put into a box that was carried to them would be known to whoever reads the sheet.
        """
        boxes = sorted((*self.boxes, box), key=lambda each: (each.given, each.box))
        while len(boxes) > 1 and boxes[0].given < self.rules.min_cell:
            least, into, *rest = boxes
            together = SealedBox(box=into.box, given=into.given + least.given)
            boxes = sorted((together, *rest), key=lambda each: (each.given, each.box))
        return sorted(boxes, key=lambda each: each.box)

    @property
    def overcounted(self) -> bool:
        """Whether more was counted than can be: more than there are voters, or more papers than units were marked for one."""
        unmarked = self.marked_for_paper is not None and self.paper_cast is not None
        papers = self.paper_cast.papers if self.paper_cast is not None else 0
        return self.cast.papers > self.base_roll.voters or (unmarked and papers > (self.marked_for_paper or 0))

    def requests(self) -> dict[Part, tuple[int, ...]]:
        """Units that one person has asked to strike."""
        return {**super().requests(), Part.STRIKE_ASKED: tuple(each.number for each in self.strikes_asked)}

    def took_part(self) -> dict[Part, tuple[str, ...]]:
        """Who counted, who challenged the count, and who asked to strike a unit."""
        return {
            **super().took_part(),
            Part.COUNTED: tuple(each.by for each in self.sheets),
            Part.TELLER: tuple(self.tellers),
            Part.CHALLENGED: tuple(self.challengers),
            Part.STRIKE_ASKED: tuple(each.by for each in self.strikes_asked),
        }
