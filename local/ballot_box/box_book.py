"""What the ballot box keeps, in one SQLite file that survives a kill at any moment: marks by unit, votes by serial.

Nothing joins the two, and neither has a time or an order: rows lie by unit and by serial, not as they came. A mark keeps what the
unit was answered, so that an answer that was lost is given again; that is the blind signature, which nobody can join with a vote.
A vote that came with a receipt is found by that alone, and its leaf of the tree holds it: whoever knows a serial, for they gave the
ballot out, cannot try which choice fits.

What SQLite itself remembers of the order goes with the close: its log of writes has the changes as they came, and in a page of a
table rows lie as they came, whatever their key. So the file is written anew, by unit and by serial, before the tally is told.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from local.simulation.book import Book
from schemas.audit.merkle import MerkleTree, merkle_root
from schemas.contracts.ballot_box import Channel, RollLine, Tally

_TABLES = """
PRAGMA synchronous=FULL;
PRAGMA secure_delete=ON;
CREATE TABLE IF NOT EXISTS ballots (
  ballot TEXT PRIMARY KEY, body TEXT NOT NULL, private_key BLOB NOT NULL, public_key BLOB NOT NULL, tally TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rolls (ballot TEXT PRIMARY KEY, digest TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS too_few (ballot TEXT PRIMARY KEY, question TEXT NOT NULL, issued INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS units (ballot TEXT NOT NULL, unit TEXT NOT NULL, PRIMARY KEY (ballot, unit)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS marks (
  ballot TEXT NOT NULL, unit TEXT NOT NULL, channel TEXT NOT NULL, blinded TEXT, blind_signature TEXT,
  PRIMARY KEY (ballot, unit)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS votes (
  ballot TEXT NOT NULL, serial TEXT NOT NULL, choices TEXT NOT NULL, receipt TEXT NOT NULL,
  PRIMARY KEY (ballot, serial)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS forgotten (ballot TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS words (ballot TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
"""

CLOSED_KEPT = 8
"""Of so many closed votes the tree is kept in memory: 50,000 votes are some 30 MB."""


@dataclass(frozen=True)
class KeptBallot:
    """A vote as it was opened. `tally`: as JSON, once it is closed."""

    body: str
    private_key: bytes
    public_key: bytes
    tally: str | None


@dataclass(frozen=True)
class Mark:
    """What a unit has taken."""

    channel: Channel
    blinded: str | None
    blind_signature: str | None


class Taken(StrEnum):
    """What became of a vote that was cast."""

    NOW = "now"
    BEFORE = "before"
    OTHERWISE = "otherwise"
    CLOSED = "closed"


@dataclass(frozen=True)
class _Vote:
    serial: str
    choices: str
    receipt: str

    @property
    def leaf(self) -> str:
        return f"{self.serial}:{self.choices}:{self.receipt}" if self.receipt else f"{self.serial}:{self.choices}"


@dataclass(frozen=True)
class _Closed:
    """The votes of a ballot that is closed, by serial; where each stands, by what its voter holds; and their tree."""

    votes: Sequence[_Vote]
    places: Mapping[str, int]
    tree: MerkleTree

    @classmethod
    def of(cls, votes: Sequence[_Vote]) -> "_Closed":
        """Reckon it."""
        places = {each.receipt or each.serial: place for place, each in enumerate(votes)}
        return cls(votes, places, MerkleTree(_leaves(votes)))


class BoxBook(Book):
    """The book of a ballot box. One process at a time."""

    tables = _TABLES

    def __init__(self, file: Path) -> None:
        super().__init__(file)
        self._closed: dict[str, _Closed] = {}
        file.chmod(0o600)
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute("PRAGMA temp_store=MEMORY")  # what is written anew is in no other file meanwhile

    # ---- the vote ---------------------------------------------------------------------------------------------------

    def keep_roll(self, ballot: str, digest: str, lines: Iterable[RollLine]) -> None:
        """Keep the units of a roll, in place of those before."""
        with self._transaction():
            self._connection.execute("DELETE FROM units WHERE ballot = ?", (ballot,))
            self._connection.executemany("INSERT INTO units VALUES (?, ?)", [(ballot, each.unit) for each in lines])
            self._connection.execute("INSERT OR REPLACE INTO rolls VALUES (?, ?)", (ballot, digest))

    def roll_of(self, ballot: str) -> tuple[str, int] | None:
        """The digest of its roll, and how many units it has; None: there is none yet."""
        row = self._one("SELECT digest FROM rolls WHERE ballot = ?", ballot)
        units = self._one("SELECT count(*) AS n FROM units WHERE ballot = ?", ballot)
        return None if row is None or units is None else (str(row["digest"]), int(units["n"]))

    def open(self, ballot: str, body: str, private_key: bytes, public_key: bytes) -> None:
        """Open a vote, unless it is."""
        self._connection.execute(
            "INSERT OR IGNORE INTO ballots VALUES (?, ?, ?, ?, NULL)", (ballot, body, private_key, public_key)
        )

    def ballot(self, ballot: str) -> KeptBallot | None:
        """A vote; None: there is none of that name."""
        row = self._one("SELECT body, private_key, public_key, tally FROM ballots WHERE ballot = ?", ballot)
        return None if row is None else KeptBallot(*row)

    def keep_words(self, ballot: str, body: str) -> str:
        """Keep the question in words, unless there are some; those that are kept."""
        self._connection.execute("INSERT OR IGNORE INTO words VALUES (?, ?)", (ballot, body))
        row = self._one("SELECT body FROM words WHERE ballot = ?", ballot)
        return body if row is None else str(row["body"])

    def words_of(self, ballot: str) -> str | None:
        """The question in words; None: nobody has given any."""
        row = self._one("SELECT body FROM words WHERE ballot = ?", ballot)
        return None if row is None else str(row["body"])

    # ---- units ------------------------------------------------------------------------------------------------------

    def has_unit(self, ballot: str, unit: str) -> bool:
        """Whether the roll has it."""
        return self._one("SELECT 1 FROM units WHERE ballot = ? AND unit = ?", ballot, unit) is not None

    def mark_of(self, ballot: str, unit: str) -> Mark | None:
        """What a unit has taken; None: nothing."""
        row = self._one(
            "SELECT channel, blinded, blind_signature FROM marks WHERE ballot = ? AND unit = ?", ballot, unit
        )
        return None if row is None else Mark(Channel(row["channel"]), row["blinded"], row["blind_signature"])

    def mark(self, ballot: str, unit: str, mark: Mark) -> Mark | None:
        """Mark a unit, once over all channels; what it had taken before stays. None: the vote is closed."""
        with self._transaction():
            if self._is_closed(ballot):
                return None
            self._connection.execute(
                "INSERT OR IGNORE INTO marks VALUES (?, ?, ?, ?, ?)",
                (ballot, unit, mark.channel, mark.blinded, mark.blind_signature),
            )
            return self.mark_of(ballot, unit)

    def issued(self, ballot: str, channel: Channel) -> int:
        """How many ballots were given out by a channel."""
        row = self._one("SELECT count(*) AS n FROM marks WHERE ballot = ? AND channel = ?", ballot, channel)
        return 0 if row is None else int(row["n"])

    def note_too_few(self, ballot: str, question: str, issued: int) -> None:
        """Remember that a question was answered: too few had come."""
        self._connection.execute("INSERT OR REPLACE INTO too_few VALUES (?, ?, ?)", (ballot, question, issued))

    def too_few_then(self, ballot: str, question: str) -> int | None:
        """How many had come when this very question was answered so; None: it was not."""
        row = self._one("SELECT issued FROM too_few WHERE ballot = ? AND question = ?", ballot, question)
        return None if row is None else int(row["issued"])

    # ---- votes ------------------------------------------------------------------------------------------------------

    def cast(self, ballot: str, serial: str, choices: Sequence[str], receipt: str = "") -> Taken:
        """Take a vote, once a serial; the same one again is the same one.

        With another receipt it is not the same, whatever was chosen: or whoever has the serial would learn that by trying.
        """
        said = ",".join(sorted(choices))
        with self._transaction():
            before = self._one("SELECT choices, receipt FROM votes WHERE ballot = ? AND serial = ?", ballot, serial)
            if before is not None:
                return Taken.BEFORE if (before["choices"], before["receipt"]) == (said, receipt) else Taken.OTHERWISE
            if self._is_closed(ballot):
                return Taken.CLOSED
            self._connection.execute("INSERT INTO votes VALUES (?, ?, ?, ?)", (ballot, serial, said, receipt))
        return Taken.NOW

    def close(self, ballot: str, choices: Sequence[str]) -> Tally:
        """Close a vote and count it, once: closed again it says the same. Whatever the file knew of an order is gone then."""
        with self._transaction():
            tally = self._counted(ballot, choices)
        # By a note of its own: the process may die between the two, and whoever asked may have given up waiting.
        if self._one("SELECT 1 FROM forgotten WHERE ballot = ?", ballot) is None:
            self._forget_order(ballot)
        return tally

    def _counted(self, ballot: str, choices: Sequence[str]) -> Tally:
        row = self._one("SELECT tally FROM ballots WHERE ballot = ?", ballot)
        if row is not None and row["tally"] is not None:
            return Tally.model_validate_json(row["tally"])
        votes = self._votes(ballot)
        cast = [each.choices.split(",") if each.choices else [] for each in votes]
        tally = Tally(
            totals={choice: sum(choice in each for each in cast) for choice in choices},
            abstained=sum(not each for each in cast),
            count=len(cast),
            issued=self.issued(ballot, Channel.ONLINE),
            paper=self.issued(ballot, Channel.PAPER),
            merkle_root=merkle_root(_leaves(votes)),
        )
        self._connection.execute(
            "UPDATE ballots SET tally = ?, private_key = x'' WHERE ballot = ?", (tally.model_dump_json(), ballot)
        )
        return tally

    def _forget_order(self, ballot: str) -> None:
        self._connection.execute("VACUUM")
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.execute("INSERT INTO forgotten VALUES (?)", (ballot,))
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def proof(self, ballot: str, held: str) -> dict[str, object] | None:
        """Where a vote stands in the tree of all, and the way to its root; None: no such vote, or not closed.

        `held`: what its voter has of it, which is the receipt, or the serial of a vote that came without one.
        """
        closed = self._closed_votes(ballot)
        index = None if closed is None else closed.places.get(held)
        if closed is None or index is None:
            return None
        vote = closed.votes[index]
        return {
            "index": index,
            "size": len(closed.votes),
            "choices": vote.choices,
            "leaf": vote.leaf,
            "path": closed.tree.path(index),
        }

    def _closed_votes(self, ballot: str) -> "_Closed | None":
        """Of the votes asked for last, read once: everybody may ask at this door, and none of that holds up who votes."""
        if ballot not in self._closed and self._has_tally(ballot):
            while len(self._closed) >= CLOSED_KEPT:
                self._closed.pop(next(iter(self._closed)))
            self._closed[ballot] = _Closed.of(self._votes(ballot))
        return self._closed.get(ballot)

    def _votes(self, ballot: str) -> list["_Vote"]:
        rows = self._connection.execute(
            "SELECT serial, choices, receipt FROM votes WHERE ballot = ? ORDER BY serial", (ballot,)
        )
        return [_Vote(row["serial"], row["choices"], row["receipt"]) for row in rows]

    def _is_closed(self, ballot: str) -> bool:
        """Whether it takes nothing more; also of one that never was."""
        kept = self.ballot(ballot)
        return kept is None or kept.tally is not None

    def _has_tally(self, ballot: str) -> bool:
        kept = self.ballot(ballot)
        return kept is not None and kept.tally is not None

    def _transaction(self) -> "_Transaction":
        return _Transaction(self._connection)


class _Transaction:
    """All of it or nothing; the connection commits each statement by itself otherwise."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._connection.execute("COMMIT" if kind is None else "ROLLBACK")


def _leaves(votes: Iterable[_Vote]) -> list[bytes]:
    return [each.leaf.encode() for each in votes]
