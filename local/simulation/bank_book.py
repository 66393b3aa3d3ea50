"""The books of the simulated bank, in one SQLite file: payments, every movement of money, notices and how they went.

They survive a kill at any moment: a payment, its movement and what will be said about it are written in one transaction.
This file is the truth that the town's payments are reconciled with. Names and accounts are not kept, only a keyed digest.
"""

from dataclasses import dataclass
from typing import Any

from local.simulation.book import Book
from local.simulation.department_book import DepartmentReport

_TABLES = """
CREATE TABLE IF NOT EXISTS payments (
  payment_key TEXT PRIMARY KEY, digest TEXT NOT NULL, amount_fen INTEGER NOT NULL, month TEXT NOT NULL,
  refused TEXT, bank_reference TEXT NOT NULL, at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS payment_cases (payment_key TEXT PRIMARY KEY, case_id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS receipts (
  receipt TEXT PRIMARY KEY, amount_fen INTEGER NOT NULL, month TEXT NOT NULL, at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS receipt_references (receipt TEXT PRIMARY KEY, reference TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS vouchers (voucher TEXT NOT NULL, amount_fen INTEGER NOT NULL, month TEXT NOT NULL, at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS superseded (payment_key TEXT PRIMARY KEY);
-- Without a key on purpose: money that moved twice must be seen, not refused.
CREATE TABLE IF NOT EXISTS movements (
  number INTEGER PRIMARY KEY AUTOINCREMENT, payment_key TEXT NOT NULL, amount_fen INTEGER NOT NULL,
  month TEXT NOT NULL, bank_reference TEXT NOT NULL, at TEXT NOT NULL,
  returns_at_real REAL, returns_at TEXT, return_code TEXT);
CREATE TABLE IF NOT EXISTS requests (payment_key TEXT NOT NULL, act TEXT NOT NULL, outcome TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS notices (
  payment_key TEXT NOT NULL, position INTEGER NOT NULL, notice_id TEXT NOT NULL, body BLOB NOT NULL,
  url TEXT NOT NULL, due_real REAL NOT NULL, acknowledged INTEGER NOT NULL DEFAULT 0, stopped TEXT,
  PRIMARY KEY (payment_key, position));
CREATE TABLE IF NOT EXISTS sendings (notice_id TEXT NOT NULL, answer TEXT NOT NULL);
"""


@dataclass(frozen=True)
class Movement:
    """Money that left, and when it comes back if it does. `returns_at_real`: Unix seconds."""

    number: int
    payment_key: str
    amount_fen: int
    bank_reference: str
    at: str
    returns_at_real: float | None
    returns_at: str | None
    return_code: str | None

    def returned(self, now: float) -> bool:
        """Whether it has come back by now."""
        return self.returns_at_real is not None and self.returns_at_real <= now


@dataclass(frozen=True)
class BookedPayment:
    """A payment as it is kept; `refused` is the code of a refusal. One that is not refused has a movement."""

    payment_key: str
    digest: str
    amount_fen: int
    month: str
    refused: str | None
    bank_reference: str
    at: str
    case_id: str | None = None
    """Whose payment it is; None in books from before."""


class BankBook(Book):
    """The books of one bank. One process at a time."""

    tables = _TABLES

    def payment(self, key: str) -> BookedPayment | None:
        """A payment by its key."""
        row = self._one("SELECT * FROM payments LEFT JOIN payment_cases USING (payment_key) WHERE payment_key = ?", key)
        return None if row is None else BookedPayment(**dict(row))

    def movement(self, key: str) -> Movement | None:
        """The first movement of a payment."""
        return next(iter(self.movements("payment_key = ? ORDER BY number LIMIT 1", key)), None)

    def movements(self, where: str, *values: str | int) -> list[Movement]:
        """Movements of money; `where` is SQL of our own."""
        fields = "number, payment_key, amount_fen, bank_reference, at, returns_at_real, returns_at, return_code"
        rows = self._connection.execute(f"SELECT {fields} FROM movements WHERE {where}", values)  # noqa: S608 - our own text
        return [Movement(**dict(row)) for row in rows]

    def month(self, month: str, after: int, limit: int) -> list[Movement]:
        """The movements for a month, oldest first, from a number on."""
        return self.movements("month = ? AND number > ? ORDER BY number LIMIT ?", month, after, limit)

    def pay_in(self, receipt: str, amount_fen: int, month: str, at: str) -> None:
        """Take in money at the counter; the same receipt again is the same money."""
        self._connection.execute("INSERT OR IGNORE INTO receipts VALUES (?, ?, ?, ?)", (receipt, amount_fen, month, at))

    def name_receipt(self, receipt: str, reference: str) -> None:
        """Write down what stood beside a transfer; what stood there first stays."""
        self._connection.execute("INSERT OR IGNORE INTO receipt_references VALUES (?, ?)", (receipt, reference))

    def incoming(self, reference: str) -> list[dict[str, Any]]:
        """What came in under a reference, the oldest first."""
        rows = self._connection.execute(
            "SELECT receipt, amount_fen, at FROM receipts JOIN receipt_references USING (receipt) WHERE reference = ?"
            " ORDER BY receipts.rowid",
            (reference,),
        )
        return [dict(row) for row in rows]

    def receipts(self, month: str) -> list[dict[str, Any]]:
        """What was paid in during a month."""
        rows = self._connection.execute(
            "SELECT receipt, amount_fen, at FROM receipts WHERE month = ? ORDER BY rowid", (month,)
        )
        return [dict(row) for row in rows]

    def pay_out(self, voucher: str, amount_fen: int, month: str, at: str) -> None:
        """Pay out by hand, for a month; a voucher that is paid out twice stands there twice."""
        self._connection.execute("INSERT INTO vouchers VALUES (?, ?, ?, ?)", (voucher, amount_fen, month, at))

    def vouchers(self, month: str) -> list[dict[str, Any]]:
        """What was paid out by hand for a month."""
        rows = self._connection.execute(
            "SELECT voucher, amount_fen, at FROM vouchers WHERE month = ? ORDER BY rowid", (month,)
        )
        return [dict(row) for row in rows]

    def superseded(self, key: str) -> bool:
        """Whether a later attempt came before this one."""
        return self._one("SELECT 1 FROM superseded WHERE payment_key = ?", key) is not None

    def supersede(self, key: str) -> None:
        """A later attempt has taken the place of one that never came: should it come now, it is refused."""
        self._connection.execute("INSERT OR IGNORE INTO superseded VALUES (?)", (key,))

    def accept(
        self, payment: BookedPayment, movements: list[Movement], notices: list[DepartmentReport], url: str
    ) -> None:
        """Write a payment, the money that moves for it and what will be said about it: all or nothing."""
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute(
                "INSERT INTO payments VALUES (?, ?, ?, ?, ?, ?, ?)",
                (payment.payment_key, payment.digest, payment.amount_fen, payment.month, payment.refused,
                 payment.bank_reference, payment.at),
            )  # fmt: skip
            if payment.case_id is not None:
                whose = (payment.payment_key, payment.case_id)
                self._connection.execute("INSERT INTO payment_cases VALUES (?, ?)", whose)
            self._connection.executemany(
                "INSERT INTO movements (payment_key, amount_fen, month, bank_reference, at, returns_at_real, returns_at,"
                " return_code) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [(each.payment_key, each.amount_fen, payment.month, each.bank_reference, each.at, each.returns_at_real,
                  each.returns_at, each.return_code) for each in movements],
            )  # fmt: skip
            self._connection.executemany(
                "INSERT INTO notices VALUES (?, ?, ?, ?, ?, ?, 0, NULL)",
                [(each.order_id, each.position, each.callback_id, each.body, url, each.due_real) for each in notices],
            )

    def note_request(self, key: str, act: str, outcome: str) -> int:
        """Write down that a believed request came in; how many of its kind there were for this payment so far."""
        self._connection.execute("INSERT INTO requests VALUES (?, ?, ?)", (key, act, outcome))
        row = self._one("SELECT count(*) AS n FROM requests WHERE payment_key = ? AND act = ?", key, act)
        return int(row["n"]) if row else 0

    # ---- notices, as local/simulation/department_post.py sends them ------------------------------------------------------------

    def unfinished(self) -> list[str]:
        """The payments about which there is something to tell, oldest first."""
        rows = self._connection.execute(
            "SELECT payment_key FROM notices WHERE NOT acknowledged AND stopped IS NULL"
            " GROUP BY payment_key ORDER BY min(rowid)"
        )
        return [row["payment_key"] for row in rows]

    def next_report(self, key: str) -> tuple[DepartmentReport, str] | None:
        """The first notice about a payment that was not acknowledged, and where it goes; None when there is none."""
        row = self._one(
            "SELECT * FROM notices WHERE payment_key = ? AND NOT acknowledged AND stopped IS NULL"
            " ORDER BY position LIMIT 1",
            key,
        )
        if row is None:
            return None
        report = DepartmentReport(key, row["position"], row["notice_id"], "returned", row["body"], row["due_real"])
        return report, row["url"]

    def note_sending(
        self, report: DepartmentReport, answer: str, *, acknowledged: bool = False, stopped: bool = False
    ) -> None:
        """Write down how a sending went; a stopped notice is left for a person to look at."""
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute("INSERT INTO sendings VALUES (?, ?)", (report.callback_id, answer))
            self._connection.execute(
                "UPDATE notices SET acknowledged = ?, stopped = ? WHERE payment_key = ? AND position = ?",
                (acknowledged, answer if stopped else None, report.order_id, report.position),
            )

    def journal(self) -> dict[str, Any]:
        """Everything, for tests and stories."""
        return {
            "payments": self._all(
                "SELECT payment_key, amount_fen, refused, bank_reference FROM payments ORDER BY rowid"
            ),
            "movements": self._all("SELECT payment_key, amount_fen, bank_reference FROM movements ORDER BY number"),
            "requests": self._all("SELECT payment_key, act, outcome FROM requests ORDER BY rowid"),
            "sendings": self._all("SELECT notice_id, answer FROM sendings ORDER BY rowid"),
        }

    def _all(self, query: str) -> list[dict[str, Any]]:
        return [dict(row) for row in self._connection.execute(query)]
