"""The bank of a bench, as far as it is asked what has come in: the lines that a test has put there."""

from schemas.contracts.incoming import MoneyReference
from schemas.contracts.payment import BankPolicy, ReceiptLine
from tests.bench_tables import Tables


class BenchBank:
    """For `Incoming`. Nobody is called."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def incoming(self, _bank: BankPolicy, reference: MoneyReference) -> tuple[ReceiptLine, ...]:
        """Everything that has come in under a reference."""
        return tuple(self._tables.incoming[reference])
