"""Money that comes in, found by its reference: what a case asks the bank, and what the bank says (docs/payments.md).

    IncomingAsk -> IncomingAnswer        what the workflow asks of the activity
    IncomingPage                         what goes over the wire

Whoever has to pay writes the reference beside the transfer. It is made of the number of the case that waits for the money, so
that a line at the bank counts in one case and nowhere else; it tells nothing of anybody.
"""

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from schemas.contracts.department import Code
from schemas.contracts.payment import ReceiptLine
from schemas.contracts.question import Answer, Question
from schemas.values.model import Model

LINES_MAX = 500

MoneyReference = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)+$", max_length=120)]
"""What a payer writes beside a transfer: `contest-20261121-000017-2`."""


def money_reference(case_id: str, number: int) -> MoneyReference:
    """The reference of the money that a case waits for as its so-manieth."""
    return f"{case_id.replace('.', '-')}-{number}"


class IncomingAsk(Question):
    """What has come in under a reference?"""

    case_id: str
    reference: MoneyReference

    @property
    def question(self) -> str:
        """By case and reference."""
        return f"{self.case_id}/incoming {self.reference}"


class IncomingAnswer(Answer):
    """Everything that has come in under it so far. `said`: the bank has answered; else `code` says why it has not."""

    reference: MoneyReference
    said: bool
    lines: tuple[ReceiptLine, ...] = ()
    code: Code | None = None


class IncomingPage(Model):
    """The answer to `GET {url}/incoming/{reference}`: every line, the oldest first; none: nothing has come."""

    model_config = ConfigDict(extra="ignore")

    reference: MoneyReference
    lines: tuple[ReceiptLine, ...] = Field(max_length=LINES_MAX)
