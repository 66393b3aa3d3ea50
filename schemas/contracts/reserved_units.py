"""Units 占用: what a case reserves over all cases by an activity of its own: a share of a pool, an invoice, a room, a slot.

    a unit      one key that one case has at a time: an invoice number, a room on a day
    a share     so much of a limit that all cases with this key share: fen of a prize pool

What a case may have of a person is asked at the door (schemas/contracts/reservation.py). What comes up while a case runs is
asked by the case, once by its number and purpose: to ask again changes nothing and is answered alike. The rows are those of the
same table, which frees what a case held in the writing that tells of its end, but for what the case says it has spent.

A key tells nothing of anybody: codes, or the blind index of a number that only the vault knows (`secret`).
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from schemas.contracts.department import Code
from schemas.contracts.question import Answer, Question
from schemas.contracts.reservation import ReservedKey
from schemas.values.model import Model
from schemas.values.references import TextReference

Amount = Annotated[int, Field(strict=True, gt=0, le=10**12)]
"""How much of a limit: whole fen, places, hours."""

Purpose = Annotated[str, StringConstraints(pattern=r"^[a-z]+(-[a-z0-9]+)*$", max_length=60)]
"""For what a case reserves, once: `award-1`, `invoice-3`."""


class Standing(StrEnum):
    """How a unit stands. SPENT: used up for good, by a case that lives or has ended. RELEASED: free for others again."""

    HELD = "held"
    SPENT = "spent"
    RELEASED = "released"


class ReserveStatus(StrEnum):
    """What came of asking.

    HELD         it is the case's; also when it was before, and when it has spent it
    TAKEN        another case has it, or has spent it
    OVER_LIMIT   not so much is left
    OTHER_ASKED  this purpose of this case stands for something else already
    RELEASED     this case has given it up; another purpose is another asking
    CASE_OVER    the case holds nothing any more
    UNREADABLE   the number behind the reference is erased or not of this case
    NOT_SAID     what was answered was no answer to this
    """

    HELD = "held"
    TAKEN = "taken"
    OVER_LIMIT = "over-limit"
    OTHER_ASKED = "other-asked"
    RELEASED = "released"
    CASE_OVER = "case-over"
    UNREADABLE = "unreadable"
    NOT_SAID = "not-said"


class ReserveAsk(Question):
    """What a case asks for. Of `key` and `secret` one: a code, or the reference of a number that stands in no key.

    `amount` of `limit`: a share; neither: the whole unit. The limit is that of the rules by which this case goes: where the town
    has changed it meanwhile, each case is held to its own, and what all of them hold counts for each.
    """

    case_id: str
    kind: Code
    purpose: Purpose
    key: ReservedKey | None = None
    secret: TextReference | None = None
    amount: Amount | None = None
    limit: Amount | None = None

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if (self.key is None) == (self.secret is None):
            raise ValueError("a key or a secret, and not both")
        if (self.amount is None) != (self.limit is None):
            raise ValueError("a share is an amount of a limit")
        return self

    @property
    def question(self) -> str:
        """By case and purpose."""
        return f"{self.case_id}/reserve {self.kind} {self.purpose}"


class ReserveReceipt(Answer):
    """What came of it. `left`: how much of the limit is left to others, where the limit was looked at."""

    purpose: str
    status: ReserveStatus
    left: int | None = None


class ReleaseAsk(Question):
    """Give up what a case reserved; what was never reserved is never reserved afterwards by an asking that comes late."""

    case_id: str
    kind: Code
    purpose: Purpose

    @property
    def question(self) -> str:
        """By case and purpose."""
        return f"{self.case_id}/release {self.kind} {self.purpose}"


class ReleaseReceipt(Answer):
    """It is free for others."""

    purpose: str


class UnitRow(Model):
    """A row of the table: of this key, or of this purpose of this case."""

    case_id: str
    key: str
    purpose: str
    amount: int | None
    limit: int | None
    standing: Standing


def judge(asked: ReserveAsk, key: str, rows: Iterable[UnitRow]) -> ReserveReceipt:
    """What comes of asking, while nobody else can ask for the key. HELD and no row of its own: it is to be written.

    Args:
        asked: what is asked.
        key: the key as the table has it, the blind index in place of a secret.
        rows: every row of the key that holds or has spent, and whatever stands for this purpose of this case.
    """
    known = list(rows)
    own = next((row for row in known if (row.case_id, row.purpose) == (asked.case_id, asked.purpose)), None)
    others = [row for row in known if row is not own and row.key == key and row.standing is not Standing.RELEASED]
    used = sum(row.amount or 0 for row in others)
    if own is not None:
        return ReserveReceipt(purpose=asked.purpose, status=_of_own(asked, key, own))
    if asked.amount is None or asked.limit is None:
        return ReserveReceipt(purpose=asked.purpose, status=ReserveStatus.TAKEN if others else ReserveStatus.HELD)
    if any(row.amount is None for row in others):
        return ReserveReceipt(purpose=asked.purpose, status=ReserveStatus.TAKEN)
    fits = used + asked.amount <= asked.limit
    left = max(asked.limit - used, 0) - (asked.amount if fits else 0)
    return ReserveReceipt(
        purpose=asked.purpose, status=ReserveStatus.HELD if fits else ReserveStatus.OVER_LIMIT, left=left
    )


def _of_own(asked: ReserveAsk, key: str, own: UnitRow) -> ReserveStatus:
    """What is answered to whoever has asked for this purpose before."""
    if own.standing is Standing.RELEASED:
        return ReserveStatus.RELEASED
    same = (own.key, own.amount, own.limit) == (key, asked.amount, asked.limit)
    return ReserveStatus.HELD if same else ReserveStatus.OTHER_ASKED
