"""占用: a case reserves over all cases, once by purpose, and spends it or gives it up (schemas/parts/reservations.py).

A procedure that reserves derives from `ReservationsCase`, asks with `reserve_unit(...)` and goes on in `unit_is_held` or
`unit_is_refused`; what a unit is for happens only after it is held.
"""

from typing import TypeVar

from schemas.contracts.reserved_units import ReleaseAsk, ReserveAsk, ReserveReceipt, ReserveStatus
from schemas.parts.reservations import ReservationEntries, ReservedUnit, ReservingState, UnitStanding
from schemas.values.references import TextReference
from workflows.kernel import steps
from workflows.kernel.declared import DeclaredCase

StateT = TypeVar("StateT", bound=ReservingState)


class ReservationsCase(DeclaredCase[StateT]):
    """The part of a case that reserves."""

    # ---- for procedures -------------------------------------------------------------------------------------------

    def unit_is_held(self, unit: ReservedUnit) -> None:
        """Go on: nobody else has it from now on, until this case is over, gives it up, or for ever when it is spent."""
        raise NotImplementedError

    def unit_is_refused(self, unit: ReservedUnit) -> None:
        """Go on without it: `unit.code` says why (`ReserveStatus`)."""
        raise NotImplementedError

    # ---- asking ---------------------------------------------------------------------------------------------------

    def reserve_unit(
        self, kind: str, what_for: str, *, key: str | None = None, secret: TextReference | None = None,
        amount: int | None = None, limit: int | None = None,
    ) -> ReservedUnit:  # fmt: skip
        """Ask for a unit, or for `amount` of what `limit` all cases share; the answer comes beside the story.

        Args:
            kind: of what, as a code: `prize-pool`, `invoice`.
            what_for: for what in this case, as a code; asked for again after a refusal, it is another asking.
            key: which one, in codes.
            secret: in place of a key: the reference of a number that stands in no key, such as that of an invoice.
            amount: whole fen, places, hours; with `limit`.
            limit: how much there is of it, in all.
        """
        number = len(self.state.reserved_units) + 1
        unit = ReservedUnit(
            number=number, kind=kind, purpose=f"{what_for}-{number}", key=key, secret=secret, amount=amount, limit=limit
        )
        self.state.reserved_units.append(unit)
        self._record_unit(
            ReservationEntries.UNIT_ASKED, unit, **({} if secret is None else {"secret": secret}), limit=limit
        )
        self.errand("reserve", number)
        return unit

    async def errand_reserve(self, number: int) -> None:
        """Ask the table, once by this purpose; it waits while Postgres is away."""
        unit = self.state.reserved_units[number - 1]
        asked = ReserveAsk(
            case_id=self.state.case_id,
            kind=unit.kind,
            purpose=unit.purpose,
            key=unit.key,
            secret=unit.secret,
            amount=unit.amount,
            limit=unit.limit,
        )
        self._take_answer(unit, await self.answer_after_due_clocks(steps.reserve(asked)))

    def _take_answer(self, unit: ReservedUnit, receipt: ReserveReceipt) -> None:
        """What the table said. A case that was over meanwhile, or gave it up, holds nothing."""
        if unit.standing is not UnitStanding.ASKED:
            return
        unit.left = receipt.left
        if receipt.status is ReserveStatus.HELD and not self.over:
            unit.standing = UnitStanding.HELD
            self._record_unit(ReservationEntries.UNIT_HELD, unit, left=unit.left)
            self.unit_is_held(unit)
            return
        unit.standing = UnitStanding.REFUSED
        unit.code = ReserveStatus.CASE_OVER if self.over else receipt.status
        self._record_unit(ReservationEntries.UNIT_REFUSED, unit, code=unit.code, left=unit.left)
        if not self.over:
            self.unit_is_refused(unit)

    # ---- spending and giving up -----------------------------------------------------------------------------------

    def spend_unit(self, unit: ReservedUnit) -> None:
        """使用: it is used up for good, also when this case is over. Raises ValueError: the case does not hold it."""
        if unit.standing is not UnitStanding.HELD:
            raise ValueError(f"{unit.purpose} is {unit.standing}, and only what is held is spent")
        unit.standing = UnitStanding.SPENT
        self._record_unit(ReservationEntries.UNIT_SPENT, unit)

    def unspend_unit(self, unit: ReservedUnit) -> None:
        """未使用: it was not used up after all, while the case lives: held as before. Raises ValueError: it was not spent."""
        if unit.standing is not UnitStanding.SPENT or self.over:
            raise ValueError(
                f"{unit.purpose} is {unit.standing}, and only what is spent in a living case is not spent after all"
            )
        unit.standing = UnitStanding.HELD
        self._record_unit(ReservationEntries.UNIT_UNSPENT, unit)

    def give_up_unit(self, unit: ReservedUnit) -> None:
        """释放: others may have it; what was asked for and is not answered yet, too. Spent or refused, nothing changes."""
        if unit.standing not in {UnitStanding.HELD, UnitStanding.ASKED}:
            return
        unit.standing = UnitStanding.GIVEN_UP
        self._record_unit(ReservationEntries.UNIT_GIVEN_UP, unit)
        self.errand("release", unit.number)

    async def errand_release(self, number: int) -> None:
        """Tell the table, after it has answered what was asked of it."""
        await self.errand_done("reserve", number)
        unit = self.state.reserved_units[number - 1]
        await steps.release(ReleaseAsk(case_id=self.state.case_id, kind=unit.kind, purpose=unit.purpose))
        unit.standing = UnitStanding.RELEASED
        self._record_unit(ReservationEntries.UNIT_RELEASED, unit)

    def _record_unit(self, kind: str, unit: ReservedUnit, **facts: object) -> None:
        self.record(
            f"{self.procedure.name}:{kind}",
            number=unit.number,
            unit=unit.kind,
            purpose=unit.what_for,
            amount=unit.amount,
            **facts,
        )
