"""What a simulated department remembers, in one SQLite file: orders, work done, reports to be sent and how they went.

It survives a kill at any moment: an order, the work for it and every report about it are written in one transaction.
Texts of the order are not kept, only their digest: nothing here has to be erased.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from local.simulation.book import Book

_TABLES = """
CREATE TABLE IF NOT EXISTS orders (
  order_id TEXT PRIMARY KEY, case_id TEXT NOT NULL, digest TEXT NOT NULL, character TEXT NOT NULL,
  receipt TEXT NOT NULL, accepted_at TEXT NOT NULL, callback_url TEXT NOT NULL, returned INTEGER NOT NULL,
  stopped TEXT);
CREATE TABLE IF NOT EXISTS recalled (order_id TEXT PRIMARY KEY);
-- Without a key on purpose: work done twice must be seen, not refused.
CREATE TABLE IF NOT EXISTS work (order_id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS requests (order_id TEXT NOT NULL, method TEXT NOT NULL, outcome TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS reworks (
  order_id TEXT NOT NULL, number INTEGER NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (order_id, number));
CREATE TABLE IF NOT EXISTS reports (
  order_id TEXT NOT NULL, position INTEGER NOT NULL, callback_id TEXT NOT NULL, act TEXT NOT NULL, body BLOB NOT NULL,
  due_real REAL NOT NULL, acknowledged INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (order_id, position));
CREATE TABLE IF NOT EXISTS sendings (
  order_id TEXT NOT NULL, position INTEGER NOT NULL, callback_id TEXT NOT NULL, answer TEXT NOT NULL);
"""

_OPEN = "stopped IS NULL AND order_id NOT IN (SELECT order_id FROM recalled)"
"""An order about which we still report."""


class OrderStatus(StrEnum):
    """How an incoming order relates to what is in the book."""

    NEW = "new"
    KNOWN = "known"
    DIFFERENT = "different"
    RECALLED = "recalled"


@dataclass(frozen=True)
class DepartmentReport:
    """One callback to be sent: the bytes as they were first written, due at a real time in Unix seconds."""

    order_id: str
    position: int
    callback_id: str
    act: str
    body: bytes
    due_real: float


@dataclass(frozen=True)
class BookedOrder:
    """An order as it is kept."""

    order_id: str
    case_id: str
    digest: str
    character: str
    receipt: str
    accepted_at: str
    callback_url: str
    returned: bool


class DepartmentBook(Book):
    """The book of one department. One process at a time."""

    tables = _TABLES

    def standing(self, order_id: str, digest: str) -> OrderStatus:
        """Whether an order is new, known, another one under a known id, or was recalled, even before it came."""
        if self._one("SELECT 1 FROM recalled WHERE order_id = ?", order_id):
            return OrderStatus.RECALLED
        known = self._one("SELECT digest FROM orders WHERE order_id = ?", order_id)
        if known is None:
            return OrderStatus.NEW
        return OrderStatus.KNOWN if known["digest"] == digest else OrderStatus.DIFFERENT

    def rework_standing(self, order_id: str, number: int, digest: str) -> OrderStatus:
        """Whether a rework of a known order is new, known, or another one under a known number."""
        known = self._one("SELECT digest FROM reworks WHERE order_id = ? AND number = ?", order_id, number)
        if known is None:
            return OrderStatus.NEW
        return OrderStatus.KNOWN if known["digest"] == digest else OrderStatus.DIFFERENT

    def receipt(self, order_id: str) -> tuple[str, str]:
        """The receipt of a known order and when it was accepted, both as first given."""
        row = self._one("SELECT receipt, accepted_at FROM orders WHERE order_id = ?", order_id)
        assert row is not None, "the order is known"  # noqa: S101 - asked only for known orders
        return row["receipt"], row["accepted_at"]

    def accept(self, order: BookedOrder, reports: list[DepartmentReport]) -> None:
        """Write a new order, the work for it and all reports that will follow: all or nothing."""
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute(
                "INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)",
                (
                    order.order_id,
                    order.case_id,
                    order.digest,
                    order.character,
                    order.receipt,
                    order.accepted_at,
                    order.callback_url,
                    order.returned,
                ),
            )
            self._write_work(order.order_id, reports)

    def accept_rework(self, order_id: str, number: int, digest: str, reports: list[DepartmentReport]) -> None:
        """Write down a rework, the work for it and all reports that will follow: all or nothing.

        What was still to be said about the work before is said no more: the town knows already that it was not enough.
        """
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute("INSERT INTO reworks VALUES (?, ?, ?)", (order_id, number, digest))
            self._connection.execute("DELETE FROM reports WHERE order_id = ? AND NOT acknowledged", (order_id,))
            self._connection.execute("UPDATE orders SET stopped = NULL WHERE order_id = ?", (order_id,))
            self._write_work(order_id, reports)

    def next_position(self, order_id: str) -> int:
        """The position that the next report about an order takes."""
        row = self._one("SELECT max(position) AS last FROM reports WHERE order_id = ?", order_id)
        return 1 + (row["last"] or 0 if row else 0)

    def character(self, order_id: str) -> str:
        """How the department treats a known order."""
        row = self._one("SELECT character FROM orders WHERE order_id = ?", order_id)
        assert row is not None, "the order is known"  # noqa: S101 - asked only for known orders
        return str(row["character"])

    def order_standing(self, order_id: str) -> OrderStatus:
        """Whether an order is known, was recalled, or is NEW to this department."""
        if self._one("SELECT 1 FROM recalled WHERE order_id = ?", order_id):
            return OrderStatus.RECALLED
        return OrderStatus.KNOWN if self._one("SELECT 1 FROM orders WHERE order_id = ?", order_id) else OrderStatus.NEW

    def _write_work(self, order_id: str, reports: list[DepartmentReport]) -> None:
        self._connection.execute("INSERT INTO work VALUES (?)", (order_id,))
        self._connection.executemany(
            "INSERT INTO reports VALUES (?, ?, ?, ?, ?, ?, 0)",
            [(r.order_id, r.position, r.callback_id, r.act, r.body, r.due_real) for r in reports],
        )

    def moved(self, order_id: str, callback_url: str) -> None:
        """Keep the newest address for reports: the town may have moved between two tries."""
        self._connection.execute("UPDATE orders SET callback_url = ? WHERE order_id = ?", (callback_url, order_id))

    def recall(self, order_id: str) -> bool:
        """Take an order out for good, also one that is yet to come; True if it was there."""
        self._connection.execute("INSERT OR IGNORE INTO recalled VALUES (?)", (order_id,))
        return self._one("SELECT 1 FROM orders WHERE order_id = ?", order_id) is not None

    def returned_before(self, case_id: str) -> bool:
        """Whether an order of this case was returned already."""
        return self._one("SELECT 1 FROM orders WHERE case_id = ? AND returned = 1", case_id) is not None

    def note_request(self, order_id: str, method: str, outcome: str) -> int:
        """Write down that a request came in and what became of it; the number of such requests for the order so far."""
        self._connection.execute("INSERT INTO requests VALUES (?, ?, ?)", (order_id, method, outcome))
        return self.requests(order_id, method)

    def requests(self, order_id: str, method: str) -> int:
        """How many believed requests of a method came in for an order."""
        row = self._one("SELECT count(*) AS n FROM requests WHERE order_id = ? AND method = ?", order_id, method)
        return int(row["n"]) if row else 0

    def unfinished(self) -> list[str]:
        """The orders about which there is something to report, oldest first."""
        rows = self._connection.execute(
            f"SELECT order_id FROM orders WHERE {_OPEN} AND order_id IN"  # noqa: S608 - our own text
            " (SELECT order_id FROM reports WHERE NOT acknowledged) ORDER BY rowid"
        )
        return [row["order_id"] for row in rows]

    def next_report(self, order_id: str) -> tuple[DepartmentReport, str] | None:
        """The first report of an order that was not acknowledged, and where it goes; None when there is none."""
        row = self._one(
            "SELECT * FROM reports JOIN orders USING (order_id)"  # noqa: S608 - our own text
            f" WHERE order_id = ? AND NOT acknowledged AND {_OPEN} ORDER BY position LIMIT 1",
            order_id,
        )
        if row is None:
            return None
        fields = ("order_id", "position", "callback_id", "act", "body", "due_real")
        return DepartmentReport(**{name: row[name] for name in fields}), row["callback_url"]

    def note_sending(
        self, report: DepartmentReport, answer: str, *, acknowledged: bool = False, stopped: bool = False
    ) -> None:
        """Write down how a sending went; a stopped order is left for a person to look at."""
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            key = (report.order_id, report.position)
            self._connection.execute("INSERT INTO sendings VALUES (?, ?, ?, ?)", (*key, report.callback_id, answer))
            if acknowledged:
                self._connection.execute("UPDATE reports SET acknowledged = 1 WHERE order_id = ? AND position = ?", key)
            if stopped:
                self._connection.execute("UPDATE orders SET stopped = ? WHERE order_id = ?", (answer, report.order_id))

    def journal(self) -> list[dict[str, Any]]:
        """Every order that was ever asked for, with requests, work done, reports and sendings; no texts."""
        ids = self._connection.execute("SELECT order_id FROM requests GROUP BY order_id ORDER BY min(rowid)")
        return [self._journal_of(row["order_id"]) for row in ids.fetchall()]

    def _journal_of(self, order_id: str) -> dict[str, Any]:
        order = self._one("SELECT * FROM orders WHERE order_id = ?", order_id)
        return {
            "order_id": order_id,
            "case_id": order["case_id"] if order else None,
            "character": order["character"] if order else None,
            "receipt": order["receipt"] if order else None,
            "requests": self._all("SELECT method, outcome FROM requests WHERE order_id = ? ORDER BY rowid", order_id),
            "work_done": len(self._all("SELECT order_id FROM work WHERE order_id = ?", order_id)),
            "reworks": [
                row["number"] for row in self._all("SELECT number FROM reworks WHERE order_id = ? ORDER BY 1", order_id)
            ],
            "recalled": self._one("SELECT 1 FROM recalled WHERE order_id = ?", order_id) is not None,
            "stopped": order["stopped"] if order else None,
            "reports": self._all(
                "SELECT position, callback_id, act, acknowledged FROM reports WHERE order_id = ? ORDER BY 1",
                order_id,
            ),
            "sendings": self._all(
                "SELECT position, callback_id, answer FROM sendings WHERE order_id = ? ORDER BY rowid", order_id
            ),
        }

    def _all(self, query: str, *values: str) -> list[dict[str, Any]]:
        return [dict(row) for row in self._connection.execute(query, values)]
