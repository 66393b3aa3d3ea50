"""占用 reservations over cases: a share of a pool, an invoice, a room: asked for once, held, and spent or free again with the case.

    asked -> held -> spent                     used up for good: it stays so when the case is over
       |      +----> given up -> released      free for others; so is all that is not spent when the case is over
       +-> refused                             another case has it, or not so much is left: a person goes on

What is held is held by the town's table, under its locks, so that two cases never have the same and no pool is ever overdrawn
(schemas/contracts/reserved_units.py); what is spent is the case's own word, in its state, and the table goes by that when the
case ends. So a case asks before it lets anything happen that the unit is for, and spends when it has. A procedure gives its
entries `ReservationEntries`, its state `ReservingState` and its workflow `ReservationsCase` (workflows/parts/reservations.py).
"""

from enum import StrEnum

from schemas.contracts.reserved_units import Standing
from schemas.kernel.entries import entry
from schemas.kernel.reference_facts import Refers
from schemas.kernel.state import DeclaredState
from schemas.parts.payments import Remembered
from schemas.values.references import TextReference


class UnitStanding(StrEnum):
    """How far a unit is, as the case knows. The table reads HELD and SPENT in the row of a case that ends."""

    ASKED = "asked"
    REFUSED = "refused"
    GIVEN_UP = "given_up"
    HELD = Standing.HELD.value
    SPENT = Standing.SPENT.value
    RELEASED = Standing.RELEASED.value


class ReservedUnit(Remembered):
    """What the case reserves: of which kind, by a key or by the reference of a number, so much of a limit or the whole.

    `purpose` is that of one asking and ends in its number; `code` says why it was refused, `left` how much others could have.
    """

    number: int
    kind: str
    purpose: str
    key: str | None = None
    secret: TextReference | None = None
    amount: int | None = None
    limit: int | None = None
    standing: UnitStanding = UnitStanding.ASKED
    code: str = ""
    left: int | None = None

    @property
    def what_for(self) -> str:
        """The purpose without the number of the asking."""
        return self.purpose.rpartition("-")[0]


class ReservingState(DeclaredState):
    """What a case remembers that reserves. In order of asking; none is ever taken out, for the table is compared with it."""

    reserved_units: list[ReservedUnit] = []

    def unit_of(self, what_for: str) -> ReservedUnit | None:
        """What was asked for last for a purpose."""
        found = [unit for unit in self.reserved_units if unit.what_for == what_for]
        return found[-1] if found else None

    def holds(self, what_for: str) -> bool:
        """Whether it holds what is wanted for a purpose, or has spent it."""
        unit = self.unit_of(what_for)
        return unit is not None and unit.standing in {UnitStanding.HELD, UnitStanding.SPENT}


class ReservationEntries:
    """What the ledger says of it: for `class Kind(ReservationEntries, EntryKinds, procedure="NAME")`."""

    UNIT_ASKED = entry("unit:asked", "申请占用", references={"secret": Refers.TEXT})
    UNIT_HELD = entry("unit:held", "已占用")
    UNIT_REFUSED = entry("unit:refused", "未能占用")
    UNIT_SPENT = entry("unit:spent", "占用已使用")
    UNIT_UNSPENT = entry("unit:unspent", "占用未使用")
    UNIT_GIVEN_UP = entry("unit:given_up", "放弃占用")
    UNIT_RELEASED = entry("unit:released", "已释放占用")
