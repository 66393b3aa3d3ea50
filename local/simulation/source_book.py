"""What the simulated sources remember, in one SQLite file: who was asked what, when first, and what the answer was.

It survives a kill at any moment. Of people it keeps nothing: a keyed digest tells one question from another.
"""

from dataclasses import dataclass
from typing import Any

from local.simulation.book import Book

_TABLES = """
CREATE TABLE IF NOT EXISTS asked (
  source TEXT NOT NULL, check_id TEXT NOT NULL, digest TEXT NOT NULL, first_real REAL NOT NULL, answer TEXT,
  PRIMARY KEY (source, check_id));
CREATE TABLE IF NOT EXISTS requests (source TEXT NOT NULL, check_id TEXT NOT NULL, outcome TEXT NOT NULL);
"""


@dataclass(frozen=True)
class AskedQuestion:
    """A question as it is kept. `first_real`: Unix seconds when it first came."""

    digest: str
    first_real: float
    answer: str | None


class SourceBook(Book):
    """The book of all sources of a town. One process at a time."""

    tables = _TABLES

    def ask(self, source: str, check_id: str, digest: str, now: float) -> AskedQuestion:
        """Write a question down, unless it is known, and return it as it stands."""
        self._connection.execute(
            "INSERT OR IGNORE INTO asked VALUES (?, ?, ?, ?, NULL)", (source, check_id, digest, now)
        )
        row = self._connection.execute(
            "SELECT digest, first_real, answer FROM asked WHERE source = ? AND check_id = ?", (source, check_id)
        ).fetchone()
        return AskedQuestion(row["digest"], row["first_real"], row["answer"])

    def answer(self, source: str, check_id: str, answer: str) -> None:
        """Keep the answer: asked again, the question gets the very same."""
        self._connection.execute(
            "UPDATE asked SET answer = ? WHERE source = ? AND check_id = ?", (answer, source, check_id)
        )

    def note_request(self, source: str, check_id: str, outcome: str) -> int:
        """Write down that a request came in; how many there were for this question so far."""
        self._connection.execute("INSERT INTO requests VALUES (?, ?, ?)", (source, check_id, outcome))
        row = self._connection.execute(
            "SELECT count(*) AS n FROM requests WHERE source = ? AND check_id = ?", (source, check_id)
        ).fetchone()
        return int(row["n"])

    def journal(self, source: str) -> list[dict[str, Any]]:
        """Every question to a source, with how often it came and whether it was answered."""
        rows = self._connection.execute(
            "SELECT check_id, answer IS NOT NULL AS answered, (SELECT count(*) FROM requests"
            " WHERE requests.source = asked.source AND requests.check_id = asked.check_id) AS requests"
            " FROM asked WHERE source = ? ORDER BY rowid",
            (source,),
        )
        return [{**dict(row), "answered": bool(row["answered"])} for row in rows]
