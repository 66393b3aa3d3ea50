"""到账 incoming money: a case waits for money under a reference of its own, and believes nobody but the bank that it has come.

    expected -> came in part -> come in whole      by lines of the bank, each counted once
        |            |
        +------------+-> not waited for any more   the procedure goes on by other means, such as a recovery

The reference is made of the number of the case (schemas/contracts/incoming.py). The bank is asked at once, again after a while,
and whenever somebody says that it was paid: their word moves nothing. What comes in is in the books, by its receipt
(schemas/contracts/reconciliation.py). A procedure gives its entries `IncomingEntries`, its state `IncomingState`, its table
`incoming_lines`, and its workflow `IncomingCase` (workflows/parts/incoming.py).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from schemas.clocks.limits import Limit
from schemas.kernel.acts import Act, Nothing, act
from schemas.kernel.entries import entry
from schemas.kernel.rules import By
from schemas.kernel.state import DeclaredState
from schemas.kernel.timers import LimitOf, Timer, duty, window
from schemas.parts.payments import Remembered
from schemas.values.actor import Actor
from schemas.values.model import Model
from schemas.values.refusals import say

MONEY = "money"
LOOK_AGAIN = "look_again"


class MoneyCame(Model):
    """A line of the bank. `receipt` is the bank's number of it."""

    receipt: str
    amount_fen: int
    at: datetime


class MoneyStanding(StrEnum):
    """How money that is waited for stands."""

    EXPECTED = "expected"
    COME = "come"
    DROPPED = "dropped"


class ExpectedMoney(Remembered):
    """Money that is waited for: for what, as a code, how much, and what has come of it."""

    number: int
    what_for: str
    amount_fen: int
    reference: str
    came: list[MoneyCame] = []
    standing: MoneyStanding = MoneyStanding.EXPECTED

    @property
    def came_fen(self) -> int:
        """What has come."""
        return sum(each.amount_fen for each in self.came)

    @property
    def left_fen(self) -> int:
        """What is still to come."""
        return max(self.amount_fen - self.came_fen, 0)


class IncomingTerms(Model):
    """The town's rules: by when money has to be there, and after how long the bank is asked again."""

    money: Limit
    look_again: Limit


class IncomingState(DeclaredState):
    """What a case remembers that waits for money, in order of waiting."""

    money: list[ExpectedMoney] = []

    def waited_for_money(self) -> list[ExpectedMoney]:
        """What has not come in whole."""
        return [each for each in self.money if each.standing is MoneyStanding.EXPECTED]


class IncomingEntries:
    """What the ledger says of it: for `class Kind(IncomingEntries, EntryKinds, procedure="NAME")`."""

    MONEY_EXPECTED = entry("incoming:expected", "等待到账")
    MONEY_CAME = entry("incoming:came", "到账")
    MONEY_COMPLETE = entry("incoming:complete", "全额到账")
    MONEY_NOT_YET = entry("incoming:not_yet", "尚未全额到账")
    MONEY_DROPPED = entry("incoming:dropped", "不再等待到账")
    LOOK_ASKED = entry("incoming:look_asked", "请求查询到账")


def money_is_waited_for(state: IncomingState, _actor: Actor, _now: datetime) -> str | None:
    """There is money that has not come in whole."""
    return None if state.waited_for_money() else say("没有待到账的款项", "no money is waited for")


def incoming_lines(kinds: type[IncomingEntries], *, by: Sequence[By], at: Sequence[StrEnum]) -> tuple[Act, ...]:
    """The lines of the table. `by`: who may have the bank asked."""
    return (
        act(
            Nothing, "查询到账", name="look_for_money",
            meaning="somebody says that it was paid: the bank is asked at once, and its word alone counts.",
            by=by, at=at, when=money_is_waited_for, entry=kinds.LOOK_ASKED,
        ),
    )  # fmt: skip


def incoming_timers(
    money: str | LimitOf = MONEY, look_again: str | LimitOf = LOOK_AGAIN, *, warned: str | None = None
) -> Mapping[str, Timer]:
    """The clocks of incoming money: for `timers={**incoming_timers(), …}`. `warned`: who is told before it is late."""
    return {
        MONEY: duty("到账", "incoming money", money, warned=warned, beside=True),
        LOOK_AGAIN: window("再次查询到账", "asking the bank again", look_again),
    }
