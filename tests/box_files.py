"""What a ballot box has on disk: its rows, its bytes, and in which order they lie there."""

import contextlib
import sqlite3
from collections.abc import Iterable
from pathlib import Path


def everything_in(file: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table of a box."""
    with contextlib.closing(sqlite3.connect(file)) as book:
        names = [name for (name,) in book.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: book.execute(f"SELECT * FROM {name}").fetchall() for name in names}  # noqa: S608 - its own names


def bytes_in(folder: Path) -> bytes:
    """All that a box has on disk, with what its log of writes may still have."""
    return b"".join(file.read_bytes() for file in folder.glob("box.sqlite*"))


def by_place(file: Path, words: Iterable[str]) -> list[str]:
    """Words of a file, in the order in which they lie there."""
    raw = file.read_bytes()
    return sorted(words, key=lambda word: raw.index(word.encode()))


def put_in_order(file: Path, copy: Path) -> Path:
    """A copy of a book into which the same marks and votes were written in the order of their keys."""
    with contextlib.closing(sqlite3.connect(file)) as book, contextlib.closing(sqlite3.connect(copy)) as other:
        book.backup(other)
        for table in ("marks", "votes"):
            rows = sorted(other.execute(f"SELECT * FROM {table}").fetchall())  # noqa: S608 - its own names
            other.execute(f"DELETE FROM {table}")  # noqa: S608
            other.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)  # noqa: S608
        other.commit()
        other.execute("VACUUM")
    return copy
