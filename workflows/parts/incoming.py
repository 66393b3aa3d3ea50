"""到账: a case waits for money under a reference of its own, and asks the bank until it has come (schemas/parts/incoming.py).

A procedure that waits for money derives from `IncomingCase`, begins with `expect_money(...)`, tells the payer the reference, and
goes on in `money_has_come`. What is late climbs the tiers of its clock; the procedure may drop it (`drop_money`).
"""

from typing import TypeVar

from schemas.contracts.incoming import IncomingAnswer, IncomingAsk, money_reference
from schemas.parts.incoming import (
    LOOK_AGAIN,
    MONEY,
    ExpectedMoney,
    IncomingEntries,
    IncomingState,
    MoneyCame,
    MoneyStanding,
)
from workflows.kernel import steps
from workflows.kernel.declared import DeclaredCase

StateT = TypeVar("StateT", bound=IncomingState)


class IncomingCase(DeclaredCase[StateT]):
    """The part of a case that waits for money."""

    # ---- for procedures -------------------------------------------------------------------------------------------

    def money_has_come(self, money: ExpectedMoney) -> None:
        """Go on: all of it is there; what came beyond it (`came_fen` over `amount_fen`) is to be given back."""
        raise NotImplementedError

    def money_came_in_part(self, money: ExpectedMoney) -> None:
        """A part has come. Nothing, unless the procedure says."""

    # ---- waiting --------------------------------------------------------------------------------------------------

    def expect_money(self, what_for: str, amount_fen: int) -> ExpectedMoney:
        """Wait for money from now on, by its clock. `what_for`: a code."""
        number = len(self.state.money) + 1
        money = ExpectedMoney(
            number=number,
            what_for=what_for,
            amount_fen=amount_fen,
            reference=money_reference(self.state.case_id, number),
        )
        self.state.money.append(money)
        if not self.clocks.runs(MONEY):
            self.start_clock(MONEY)
        self._record_money(IncomingEntries.MONEY_EXPECTED, money, amount_fen=amount_fen, reference=money.reference)
        self.errand("look_for_money", number)
        return money

    def look_for_money(self) -> None:
        """查询到账: at once, whatever was going to be asked later."""
        self.apply()
        self._look_at_all()

    def on_clock_passed(self, clock: str) -> None:
        """再次查询: the bank is asked about all that is waited for."""
        if clock == LOOK_AGAIN:
            self.clocks.stop(LOOK_AGAIN, "engine")
            self._look_at_all()
        else:
            super().on_clock_passed(clock)

    def _look_at_all(self) -> None:
        for money in self.state.waited_for_money():
            if f"look_for_money/{money.number}" not in self.state.errands:
                self.errand("look_for_money", money.number)

    async def errand_look_for_money(self, number: int) -> None:
        """Ask the bank what has come in under the reference."""
        money = self.state.money[number - 1]
        asked = IncomingAsk(case_id=self.state.case_id, reference=money.reference)
        self._hear_the_bank(money, await self.answer_after_due_clocks(steps.incoming(asked)))

    def _hear_the_bank(self, money: ExpectedMoney, answer: IncomingAnswer) -> None:
        """Count what is new, each line once. What comes after the case is over, or is not waited for, stands in the books too."""
        known = {each.receipt for each in money.came}
        lines = answer.lines if answer.said and answer.reference == money.reference else ()
        new = list({line.receipt: line for line in lines if line.receipt not in known}.values())
        for line in new:
            money.came.append(MoneyCame(receipt=line.receipt, amount_fen=line.amount_fen, at=line.at))
            self._record_money(
                IncomingEntries.MONEY_CAME,
                money,
                amount_fen=line.amount_fen,
                receipt=line.receipt,
                left_fen=money.left_fen,
            )
        if money.standing is MoneyStanding.EXPECTED and not self.over:
            self._go_on_waiting(money, answer, came=bool(new))

    def _go_on_waiting(self, money: ExpectedMoney, answer: IncomingAnswer, *, came: bool) -> None:
        if not money.left_fen:
            self._is_complete(money)
            return
        if not self.clocks.runs(LOOK_AGAIN):
            self.start_clock(LOOK_AGAIN)
        self._record_money(
            IncomingEntries.MONEY_NOT_YET, money, left_fen=money.left_fen, code="" if answer.said else answer.code
        )
        if came:
            self.money_came_in_part(money)

    def expect_instead(self, money: ExpectedMoney, amount_fen: int) -> None:
        """应到金额变更: another sum is waited for under the same reference; what has come of it counts."""
        if money.standing is not MoneyStanding.EXPECTED or money.amount_fen == amount_fen:
            return
        money.amount_fen = amount_fen
        self._record_money(IncomingEntries.MONEY_EXPECTED, money, amount_fen=amount_fen, reference=money.reference)
        if not money.left_fen:
            self._is_complete(money)

    def _is_complete(self, money: ExpectedMoney) -> None:
        money.standing = MoneyStanding.COME
        self._nothing_waits()
        self._record_money(IncomingEntries.MONEY_COMPLETE, money, over_fen=money.came_fen - money.amount_fen)
        self.money_has_come(money)

    def drop_money(self, money: ExpectedMoney) -> None:
        """不再等待: it is sought by other means. What has come of it stays; come in whole, nothing changes."""
        if money.standing is MoneyStanding.EXPECTED:
            money.standing = MoneyStanding.DROPPED
            self._nothing_waits()
            self._record_money(IncomingEntries.MONEY_DROPPED, money, left_fen=money.left_fen)

    def _nothing_waits(self) -> None:
        """With the last of what is waited for its clocks stop."""
        if not self.state.waited_for_money():
            self.clocks.stop(MONEY, "engine")
            self.clocks.stop(LOOK_AGAIN, "engine")

    def _record_money(self, kind: str, money: ExpectedMoney, **facts: object) -> None:
        self.record(f"{self.procedure.name}:{kind}", number=money.number, purpose=money.what_for, **facts)
