"""What a round and its proposals tell each other. A message may be overtaken on its way: each says how much its sender knew."""

from enum import StrEnum

from pydantic import Field

from schemas.parts.ranking import Trimmed
from schemas.values.account import AccountCode
from schemas.values.model import Model


class Subject(StrEnum):
    """What a message is about."""

    PROPOSAL_REPORTED = "proposal_reported"
    JUDGING_BEGINS = "judging_begins"
    AWARDED = "proposal_awarded"
    RESERVED = "proposal_reserved"
    NOT_AWARDED = "proposal_not_awarded"
    NOT_SHORTLISTED = "proposal_not_shortlisted"
    ROUND_OVER = "round_over"


class ProposalReport(Model):
    """A proposal to its round: where it stands. `heard`: how many entries it had, so that older news loses.

    `jury`: what its sheets come to, once they do. `team`: who is of it now; None: as it was named, nobody was asked.
    `contracted`: there was a contract, so that its money is its own.
    """

    number: int
    stage: str
    heard: int
    over: bool = False
    jury: Trimmed | None = None
    contracted: bool = False
    team: tuple[AccountCode, ...] | None = Field(default=None, exclude_if=lambda team: team is None)


class JudgingBegins(Model):
    """A round to a proposal: it is judged from now on; nobody who wants the same money, or carries it, is seated in its jury."""

    teams: tuple[AccountCode, ...]


class Placed(Model):
    """A round to a proposal: how it was ranked. `votes` None: there was no vote, or fewer than may be told.

    `points_hundredths`: of jury and public. None beside votes that may not be told: with them it would tell how many they were.
    """

    place: int
    points_hundredths: int | None
    votes: int | None = None
