"""The book of the simulated call gateway, in one SQLite file: calls, messages, reports and how they went.

It survives a kill at any moment: a call and what will be said about it are written in one transaction. Numbers and words are not
kept, only a keyed digest: nothing here has to be erased.
"""

from dataclasses import dataclass
from typing import Any

from local.simulation.book import Book
from local.simulation.call_characters import CallPlan
from local.simulation.department_book import DepartmentReport
from schemas.contracts.calls import CallResult

_TABLES = """
CREATE TABLE IF NOT EXISTS calls (
  call_id TEXT PRIMARY KEY, digest TEXT NOT NULL, refused TEXT, result TEXT, over_real REAL);
-- Without a key on purpose: a telephone that rang twice for one call must be seen, not refused.
CREATE TABLE IF NOT EXISTS rings (call_id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS texts (text_id TEXT PRIMARY KEY, digest TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS requests (key TEXT NOT NULL, act TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS reports (
  call_id TEXT NOT NULL, position INTEGER NOT NULL, report_id TEXT NOT NULL, act TEXT NOT NULL, body BLOB NOT NULL,
  url TEXT NOT NULL, due_real REAL NOT NULL, acknowledged INTEGER NOT NULL DEFAULT 0, stopped TEXT,
  PRIMARY KEY (call_id, position));
CREATE TABLE IF NOT EXISTS sendings (report_id TEXT NOT NULL, answer TEXT NOT NULL);
"""


@dataclass(frozen=True)
class BookedCall:
    """A call as it is kept; `refused` is the code of a refusal, and one that is not refused has a result."""

    call_id: str
    digest: str
    refused: str | None
    result: CallResult | None
    over_real: float | None


class CallBook(Book):
    """The book of one gateway. One process at a time."""

    tables = _TABLES

    def call(self, call_id: str) -> BookedCall | None:
        """A call that came in."""
        row = self._one("SELECT * FROM calls WHERE call_id = ?", call_id)
        if row is None:
            return None
        result = None if row["result"] is None else CallResult(row["result"])
        return BookedCall(row["call_id"], row["digest"], row["refused"], result, row["over_real"])

    def refuse(self, call_id: str, digest: str, code: str) -> None:
        """Write down a call that is never made."""
        self._connection.execute("INSERT INTO calls VALUES (?, ?, ?, NULL, NULL)", (call_id, digest, code))

    def accept(self, call_id: str, digest: str, plan: CallPlan, reports: list[DepartmentReport], url: str) -> None:
        """Write a call, that it rings, and what will be said about it: all or nothing."""
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute(
                "INSERT INTO calls VALUES (?, ?, NULL, ?, ?)", (call_id, digest, plan.result, plan.over_real)
            )
            self._connection.execute("INSERT INTO rings VALUES (?)", (call_id,))
            self._connection.executemany(
                "INSERT INTO reports VALUES (?, ?, ?, ?, ?, ?, ?, 0, NULL)",
                [
                    (each.order_id, each.position, each.callback_id, each.act, each.body, url, each.due_real)
                    for each in reports
                ],
            )

    def text(self, text_id: str, digest: str) -> str:
        """Write down a message; the digest that stands under its number."""
        self._connection.execute("INSERT OR IGNORE INTO texts VALUES (?, ?)", (text_id, digest))
        row = self._one("SELECT digest FROM texts WHERE text_id = ?", text_id)
        return str(row["digest"]) if row else ""

    def note_request(self, key: str, act: str) -> int:
        """Write down that a believed request came in; how many of its kind there were so far."""
        self._connection.execute("INSERT INTO requests VALUES (?, ?)", (key, act))
        row = self._one("SELECT count(*) AS n FROM requests WHERE key = ? AND act = ?", key, act)
        return int(row["n"]) if row else 0

    # ---- reports, as local/simulation/department_post.py sends them ---------------------------------------------------

    def unfinished(self) -> list[str]:
        """The calls about which there is something to tell, oldest first."""
        rows = self._connection.execute(
            "SELECT call_id FROM reports WHERE NOT acknowledged AND stopped IS NULL"
            " GROUP BY call_id ORDER BY min(rowid)"
        )
        return [row["call_id"] for row in rows]

    def next_report(self, call_id: str) -> tuple[DepartmentReport, str] | None:
        """The first report about a call that was not acknowledged, and where it goes; None when there is none."""
        row = self._one(
            "SELECT * FROM reports WHERE call_id = ? AND NOT acknowledged AND stopped IS NULL"
            " ORDER BY position LIMIT 1",
            call_id,
        )
        if row is None:
            return None
        report = DepartmentReport(call_id, row["position"], row["report_id"], row["act"], row["body"], row["due_real"])
        return report, row["url"]

    def note_sending(
        self, report: DepartmentReport, answer: str, *, acknowledged: bool = False, stopped: bool = False
    ) -> None:
        """Write down how a sending went; a stopped report is left for a person to look at."""
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute("INSERT INTO sendings VALUES (?, ?)", (report.callback_id, answer))
            self._connection.execute(
                "UPDATE reports SET acknowledged = ?, stopped = ? WHERE call_id = ? AND position = ?",
                (acknowledged, answer if stopped else None, report.order_id, report.position),
            )

    def journal(self) -> dict[str, Any]:
        """Everything, for tests and stories."""
        queries = {
            "calls": "SELECT call_id, refused, result FROM calls ORDER BY rowid",
            "rings": "SELECT call_id FROM rings ORDER BY rowid",
            "texts": "SELECT text_id FROM texts ORDER BY rowid",
            "requests": "SELECT key, act FROM requests ORDER BY rowid",
            "sendings": "SELECT report_id, answer FROM sendings ORDER BY rowid",
        }
        return {name: [dict(row) for row in self._connection.execute(query)] for name, query in queries.items()}
