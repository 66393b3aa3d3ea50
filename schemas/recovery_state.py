"""What a recovery remembers: how much is to come back, what has, and who gave up the rest."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from schemas.case_file import FiledState
from schemas.model import Model
from schemas.references import PersonReference, TextReference
from schemas.welfare_policy import WelfareTerms


class Stage(StrEnum):
    """Where a recovery stands."""

    DEMANDED = "demanded"
    WRITING_OFF = "writing_off"
    REPAID = "repaid"
    WRITTEN_OFF = "written_off"
    UNRESOLVED = "unresolved"


OPEN = (Stage.DEMANDED, Stage.WRITING_OFF)


class Repayment(Model):
    """A part that came back. `receipt` is the number of the treasury's receipt."""

    amount_fen: int
    receipt: str
    at: datetime


class RecoveryState(FiledState):
    """What a recovery remembers. `months` is what was paid too much, by month; `written_off_by` who proposed to give up."""

    procedure: ClassVar[str] = "recovery"

    stage: str = Stage.DEMANDED
    terms: WelfareTerms
    benefit: str
    cause: str
    reporter: PersonReference
    amount_fen: int
    months: dict[str, int] = {}
    repayments: list[Repayment] = []
    written_off_by: str | None = None
    write_off_reason: TextReference | None = None

    @property
    def documents_at_most(self) -> int:
        """The town's limit."""
        return self.terms.documents_at_most

    @property
    def reminders_a_day(self) -> int:
        """The town's limit."""
        return self.terms.reminders_a_day

    @property
    def repaid_fen(self) -> int:
        """What has come back."""
        return sum(part.amount_fen for part in self.repayments)

    @property
    def left_fen(self) -> int:
        """What is still to come back."""
        return self.amount_fen - self.repaid_fen

    def labels(self) -> dict[str, str]:
        """Return what lists group recoveries by."""
        return {"benefit": self.benefit, "cause": self.cause}
