"""The ballot box 线上票箱: the contract by which a vote is opened outside, closed there and tallied (docs/ballot-box.md).

BallotBoxPolicy                   policies/ballot_box.yaml
OpenVote -> VoteOpened            what the workflow asks of the activity
CloseVote -> VoteTally
StrikeInBox -> StruckInBox
BallotBody, CloseBody, Tally      what goes over the wire between engine and box, signed both of them by the town
IssueBody, Issued                 a unit takes its ballot: signed by the town, which knows that it may
VoteWords                         the question and the choices in words, for the page of the box, signed by the town
CastBody                          what goes between whoever votes and the box

The box never learns who votes, and the town never what for: a unit is marked when it takes a ballot, and the ballot is a serial
that the box signed blindly (RFC 9474). So nothing here joins a unit and a choice.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from schemas.contracts.department import Code, Gateway, StrictTime, idempotency_key
from schemas.contracts.department_policy import Name
from schemas.contracts.question import Answer, Question
from schemas.values.model import Model

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Choice = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Unit = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]+([.-][A-Za-z0-9]+)*$", max_length=40)]
Number = Annotated[int, Field(strict=True, ge=0, le=10**7)]
Serial = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""32 random bytes of the voter's own making, in hex. Only the voter knows it until the vote is cast."""
Hex = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{2})+$", max_length=1024)]

UNITS_MAX = 50_000


class BallotBoxPolicy(Model):
    """The ballot box of the town. `desk`: it has none, and votes are on paper alone.

    `voters_url`: where voters' browsers reach it, if not at `url`.
    """

    code: Code
    name: Name
    gateway: Gateway
    url: str | None = None
    voters_url: str | None = Field(default=None, pattern=r"^https?://[^\s?#]+[^\s?#/]$")
    private: bool = False
    """Whether its address may lie in a private network: nobody is called there by accident (docs/SECURITY.md)."""

    concurrent_calls: int = Field(default=8, ge=1, le=64)
    timeout_seconds: float = Field(default=10.0, gt=0, le=20)

    @property
    def for_voters(self) -> str | None:
        """Where its pages are; None: there is no box."""
        return self.voters_url or self.url


class BoxStatus(StrEnum):
    """How asking the box ended.

    OPEN         the vote is open there
    TALLIED      it is closed, and these are its totals
    TOO_FEW      it is open still: fewer came than were asked for
    REFUSED      it will never do this: `code` says why
    NO_BOX       the town has none
    UNREACHABLE  no usable answer within the time for it; the question stands
    """

    OPEN = "open"
    TALLIED = "tallied"
    TOO_FEW = "too_few"
    REFUSED = "refused"
    NO_BOX = "no_box"
    UNREACHABLE = "unreachable"


class OpenVote(Question):
    """Open a vote. The same roll, choices and bound are the same vote, however often it is asked for."""

    ballot: str
    number: int
    roll_digest: Digest
    units: Number
    voters: Number
    choices: tuple[Choice, ...]
    choices_at_most: int = Field(ge=1)
    min_cell: int = Field(ge=1)
    as_of: StrictTime

    @property
    def question(self) -> str:
        """Which question this is."""
        return idempotency_key(self.ballot, f"box-{self.number}")


class VoteOpened(Answer):
    """How it ended: OPEN, or why not. `key_digest`: of the key of this vote, which has to be the same for every voter."""

    ballot: str
    status: BoxStatus
    code: str | None = None
    key_digest: Digest | None = None


class CloseVote(Question):
    """Close a vote and say what was cast. `unless_fewer`: leave it open where fewer have taken a ballot than that."""

    ballot: str
    number: int
    unless_fewer: Number = 0
    as_of: StrictTime

    @property
    def question(self) -> str:
        """Which question this is."""
        return idempotency_key(self.ballot, f"box-{self.number}")


class VoteTally(Answer):
    """What was cast, when it is TALLIED. `issued`: ballots given out online; `paper`: units marked for a paper."""

    ballot: str
    status: BoxStatus
    code: str | None = None
    totals: dict[Choice, Number] = {}
    abstained: Number = 0
    count: Number = 0
    issued: Number = 0
    paper: Number = 0
    merkle_root: Digest | None = None


class StrikeInBox(Question):
    """Give no ballot to a unit in which nobody is left. `number`: which unit of those that were struck."""

    ballot: str
    number: int
    unit: Unit
    as_of: StrictTime

    @property
    def question(self) -> str:
        """Which question this is."""
        return idempotency_key(self.ballot, f"strike-{self.number}")


class StruckInBox(Answer):
    """How it ended. `taken`: it is too late, the unit has its ballot."""

    ballot: str
    status: BoxStatus
    code: str | None = None
    taken: bool = False


# ---- the wire: engine and box ---------------------------------------------------------------------------------------


class BallotBody(Model):
    """The body of `POST {url}/ballots`."""

    model_config = ConfigDict(extra="ignore")

    ballot_id: str = Field(min_length=1, max_length=200)
    roll_digest: Digest
    units: Number
    voters: Number
    choices: tuple[Choice, ...] = Field(min_length=2, max_length=100)
    choices_at_most: int = Field(default=1, ge=1, le=10)
    min_cell: int = Field(default=10, ge=1)


class OfBallot(Model):
    """A signed body about one ballot. It names it, for the signature is over the body: sent to another ballot it is refused."""

    model_config = ConfigDict(extra="ignore")

    ballot_id: str = Field(min_length=1, max_length=200)


class RollLine(Model):
    """One unit of a roll. `owner`: an opaque code of the roll, where one owner has several units; never a name."""

    unit: Unit
    owner: Unit | None = None
    area_hundredths: Annotated[int, Field(strict=True, ge=0, le=10**10)] = 0


class RollBody(OfBallot):
    """The body of `PUT {url}/ballots/{ballot_id}/roll`: units alone. It is taken if its digest is the one announced."""

    lines: tuple[RollLine, ...] = Field(min_length=1, max_length=UNITS_MAX)


class CloseBody(OfBallot):
    """The body of `POST {url}/ballots/{ballot_id}/close`. `question`: the same one again is answered the same, also "too few"."""

    question: str = Field(min_length=1, max_length=200)
    unless_fewer: Number = 0


class Tally(Model):
    """What the close answers, to the town alone.

    `GET {url}/ballots/{ballot_id}/tally` says the same to everybody without figures that are too small to be told, and without
    any choice where there were papers too: what the case tells of both, less this, would be the papers' own.
    """

    model_config = ConfigDict(extra="ignore")

    totals: dict[Choice, Number]
    abstained: Number
    count: Number
    issued: Number
    paper: Number
    merkle_root: Digest


# ---- the wire: whoever votes and the box ------------------------------------------------------------------------------


class Channel(StrEnum):
    """How a unit takes its ballot. `struck`: it takes none, for nobody is left in it."""

    ONLINE = "online"
    PAPER = "paper"
    STRUCK = "struck"


class IssueBody(OfBallot):
    """The body of `POST {url}/ballots/{ballot_id}/issues`, signed by the town, which knows that the unit may be voted for.

    `blinded`: the blinded serial, of an online ballot. The unit is marked once over all channels, whoever takes its ballot.
    """

    unit: Unit
    channel: Channel
    blinded: Hex | None = None


class Issued(Model):
    """What it answers: the blind signature over the serial; None for a paper."""

    model_config = ConfigDict(extra="ignore")

    blind_signature: Hex | None = None


class ChoiceWords(Model):
    """A choice in words."""

    zh: str = Field(min_length=1, max_length=200)
    en: str = Field(min_length=1, max_length=200)


class VoteWords(OfBallot):
    """The body of `PUT {url}/ballots/{ballot_id}/words`: what the box's page shows. The first that come stay."""

    question: str = Field(min_length=1, max_length=4000)
    choices: dict[Choice, ChoiceWords] = Field(max_length=100)


class OpenBallot(Model):
    """What `GET {url}/ballots/{ballot_id}` answers."""

    model_config = ConfigDict(extra="ignore")

    ballot_id: str
    choices: tuple[Choice, ...]
    choices_at_most: int
    open: bool
    public_key: str


class CastBody(Model):
    """The body of `POST {url}/ballots/{ballot_id}/votes`: no account, no unit, no time. No choice: abstained.

    `receipt`: 32 random bytes that only the page knows in which the choice was made. With one, nobody finds the vote by its
    serial any more: neither whoever gave the ballot out, nor a page of theirs that was tampered with.
    """

    model_config = ConfigDict(extra="ignore")

    serial: Serial
    signature: Hex
    choices: tuple[Choice, ...] = Field(max_length=10)
    receipt: Serial | None = None
