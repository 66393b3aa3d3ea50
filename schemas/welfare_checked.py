"""What registers are asked and are known to say; and what waits for others: a change that pays more, a reported end."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from schemas.contracts.means import CheckStatus


class Part(BaseModel):
    """A part of the state that the case changes."""

    model_config = ConfigDict(extra="forbid")


class Question(Part):
    """One asking of a source. `anew`: the number that the source is asked under; `status` None while it is under way.

    `about`: the numbers of the members it was about; None of cases from before, where it was about everybody.
    """

    number: int
    source: str
    anew: int
    asked_at: datetime
    facts: dict[str, int]
    about: list[int] | None = None
    status: CheckStatus | None = None


class Checked(Part):
    """What a source is known to say. `status` None: not answered, or what it was asked has changed since.

    `question` is the asking whose answer counts; `by_hand`: a person took the answer down. `asks` counts the asking again
    by itself.
    """

    source: str
    question: int = 0
    asks: int = 0
    status: CheckStatus | None = None
    facts: dict[str, int] = {}
    by_hand: bool = False

    @property
    def answered(self) -> bool:
        """The source has said what it knows, or a person has for it."""
        return self.status in (CheckStatus.CLEAR, CheckStatus.FOUND)


class ChangeAsked(Part):
    """调整申请: a change that would pay more, until two people have decided on it; the old amount is paid meanwhile.

    `stated` are the facts as they were stated, `months` the left-out months that are to be paid (then nothing need be stated).
    `amount_fen`: of a month, or of these months together. `checked`: the registers that are asked anew. Nothing of it counts
    before it is confirmed.
    """

    number: int
    cause: str
    since: str
    stated: dict[str, int] = {}
    months: list[str] = []
    before_fen: int
    amount_fen: int
    asked_by: str
    asked_at: datetime
    checked: dict[str, Checked] = {}
    checked_by: list[str] = []
    reviewed_by: str | None = None
    confirmed_by: str | None = None

    def unanswered(self) -> list[Checked]:
        """The registers that have not answered yet."""
        return [checked for checked in self.checked.values() if not checked.answered]


class EndReported(Part):
    """终止事由报告: somebody says why nothing is due any more; payment rests until another person, or a register, says so too.

    `last_due`: the last month that would be due. `stated`: the facts by which nothing is due; they count with it, not before.
    `rests`: payment rests because of it, and goes on when it is found untrue.
    """

    number: int
    cause: str
    last_due: str
    stated: dict[str, int] = {}
    asked_by: str
    asked_at: datetime
    rests: bool
