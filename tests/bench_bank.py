"""The bank of a bench: what has come in by the lines that a test has put there, and what it says of payments."""

from schemas.contracts.incoming import MoneyReference
from schemas.contracts.payment import BankPayment, BankPolicy, PaymentBody, PaymentKey, PayStatus, ReceiptLine
from tests.bench_tables import Tables


class BenchBank:
    """For `Incoming`. Nobody is called."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def incoming(self, _bank: BankPolicy, reference: MoneyReference) -> tuple[ReceiptLine, ...]:
        """Everything that has come in under a reference."""
        return tuple(self._tables.incoming[reference])


class SayingBank:
    """For `Payments`: it refuses what it is told to pay but for `pays`; `found` is what it says when it is asked of a key."""

    def __init__(self) -> None:
        self.pays: set[str] = set()
        self.found: dict[PaymentKey, PayStatus] = {}
        self.told: dict[PaymentKey, PaymentBody] = {}
        self.asked: list[PaymentKey] = []

    async def pay(self, _bank: BankPolicy, body: PaymentBody) -> BankPayment:
        """Paid where the key is one of an organisation that it pays."""
        self.told[body.payment_key] = body
        pays = any(code in body.payment_key for code in self.pays)
        return self._of(body.payment_key, PayStatus.PAID if pays else PayStatus.REFUSED)

    async def status(self, _bank: BankPolicy, key: PaymentKey) -> BankPayment | None:
        """What became of a payment."""
        self.asked.append(key)
        return self._of(key, self.found.get(key, PayStatus.REFUSED)) if key in self.told else None

    def _of(self, key: PaymentKey, status: PayStatus) -> BankPayment:
        body = self.told[key]
        return BankPayment.model_validate(
            {
                "payment_key": key,
                "status": status,
                "amount_fen": body.amount_fen,
                "bank_reference": "b1",
                "at": body.as_of,
                "code": "account-closed",
            }
        )
