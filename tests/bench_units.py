"""The table of reserved units in memory, for a bench: judged by the same rule, freed by the rows of cases as by the trigger."""

from engine.store.reserved_units import CaseNotWritten
from schemas.contracts.reserved_units import (
    ReleaseAsk,
    ReserveAsk,
    ReserveReceipt,
    ReserveStatus,
    Standing,
    UnitRow,
    judge,
)
from tests.bench_tables import Tables


class BenchUnitBooks:
    """Rows by case, kind and purpose. One at a time asks, for nothing here waits.

    The first answer to each asking is lost after it was written down, as when a worker is killed between the two.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._rows: dict[tuple[str, str, str], UnitRow] = {}
        self._lost: set[str] = set()

    def _lose_the_first_answer(self, question: str) -> None:
        if question not in self._lost:
            self._lost.add(question)
            raise ConnectionError("the worker is gone, and what it wrote is there")

    async def reserve(self, asked: ReserveAsk, key: str) -> ReserveReceipt:
        """As `reserve_unit` of engine/store/reserved_units.py."""
        row = self._tables.rows.get(asked.case_id)
        if row is None:
            raise CaseNotWritten(asked.case_id)
        if row["ended"] or row["closed_at"] is not None:
            return ReserveReceipt(purpose=asked.purpose, status=ReserveStatus.CASE_OVER)
        place = (asked.case_id, asked.kind, asked.purpose)
        of_kind = [self._now(each) for where, each in self._rows.items() if where[1] == asked.kind]
        receipt = judge(asked, key, [each for each in of_kind if each.key == key or each == self._rows.get(place)])
        if receipt.status is ReserveStatus.HELD and place not in self._rows:
            self._rows[place] = UnitRow(
                case_id=asked.case_id,
                key=key,
                purpose=asked.purpose,
                amount=asked.amount,
                limit=asked.limit,
                standing=Standing.HELD,
            )
        self._lose_the_first_answer(asked.question)
        return receipt

    async def release(self, asked: ReleaseAsk) -> None:
        """As `release_unit`."""
        place = (asked.case_id, asked.kind, asked.purpose)
        never = UnitRow(
            case_id=asked.case_id, key="given-up", purpose=asked.purpose, amount=None, limit=None,
            standing=Standing.RELEASED,
        )  # fmt: skip
        self._rows[place] = self._rows.get(place, never).model_copy(update={"standing": Standing.RELEASED})
        self._lose_the_first_answer(asked.question)

    def _now(self, unit: UnitRow) -> UnitRow:
        row = self._tables.rows[unit.case_id]
        if unit.standing is not Standing.HELD or not (row["ended"] or row["closed_at"] is not None):
            return unit
        said = {each["purpose"]: each["standing"] for each in row["snapshot"]["reserved_units"]}
        standing = Standing.SPENT if said.get(unit.purpose) == "spent" else Standing.RELEASED
        return unit.model_copy(update={"standing": standing})
