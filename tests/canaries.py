"""Words that stand nowhere else: planted in what people tell, looked for wherever they must not lie open."""

import base64
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from typing import Any

import asyncpg

BIRD = "金丝雀"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
CODES = frozenset({"category", "document"})
"""Fields whose Chinese words are codes of policy, not texts of people."""

PERSONAL = frozenset({"phone", "contact", "identity_number", "account"})
"""Fields that are digits: they are canaries themselves."""


class Canaries:
    """Plants words, and looks for them in every form in which they could lie somewhere.

    All words begin alike, as nothing else does: where that beginning stands in no form, none of the words does.
    """

    def __init__(self) -> None:
        self._beginning = secrets.token_hex(6)
        self.planted: list[str] = []
        self.addressed: set[str] = set()
        """Words in the path or in the name of a field: an answer tells whoever sent them where the fault is."""

    def word(self, *, addressed: bool = False) -> str:
        self.planted.append(f"{BIRD}{self._beginning}{secrets.token_hex(6)}")
        if addressed:
            self.addressed.add(self.planted[-1])
        return self.planted[-1]

    def plant(self, value: Any, name: str = "") -> Any:
        """The same body with a canary of its own in each text; numbers of people are taken down as they are."""
        if isinstance(value, dict):
            return {key: item if key in CODES else self.plant(item, key) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.plant(item, name) for item in value]
        if isinstance(value, str) and name in PERSONAL and value[:6].isdigit():  # an account to sign in with is a code
            self.planted.append(value)
            return value
        return f"{value}{self.word()}" if isinstance(value, str) and CHINESE.search(value) else value

    def found_in(self, content: bytes) -> list[str]:
        """The canaries that stand in it, in whatever form."""
        words = any(beginning in content for beginning in beginnings_of(self._beginning))
        return sorted(
            canary
            for canary in dict.fromkeys(self.planted)
            if (words or not canary.startswith(BIRD)) and any(form in content for form in forms_of(core_of(canary)))
        )


def core_of(canary: str) -> str:
    """The random part alone: whoever cuts or escapes the word around it has still told it."""
    return canary.removeprefix(BIRD)


def forms_of(core: str) -> Iterator[bytes]:
    """Something as bytes: as it is, as JSON and Postgres escape it, in UTF-16, in hexadecimal and in base64."""
    yield from (core.encode(), core.encode("utf-16-le"), core.encode().hex().encode())
    for shift in range(3):
        yield base64.b64encode(bytes(shift) + core.encode())[4:-4]


def beginnings_of(beginning: str) -> Iterator[bytes]:
    """With what each form of every text begins that begins so."""
    for one, other in zip(forms_of(f"{beginning}000000"), forms_of(f"{beginning}zzzzzz"), strict=True):
        yield bytes(byte for byte, _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=True)))


async def tables_of(pool: asyncpg.Pool) -> dict[str, bytes]:
    """Every value of every table, as text: what a dump would hold, but for its form."""
    tables = await pool.fetch(
        "select format('%I.%I', table_schema, table_name) as name from information_schema.tables "
        "where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')"
    )
    return {
        table["name"]: b"\n".join(
            value if isinstance(value, bytes) else str(value).encode()
            for row in await pool.fetch(f"select * from {table['name']}")  # noqa: S608 - names of our own tables
            for value in row.values()
        )
        for table in tables
    }


def files_of(folder: Path) -> dict[Path, bytes]:
    """Every file of the town: Temporal's database, Postgres' own files and its journal, logs, keys, documents, archive.

    The town goes on meanwhile: what one of its programs has taken away before it is read lies nowhere any more.
    """
    found = {}
    for place, _, names in os.walk(folder):
        for file in (Path(place, name) for name in names):
            with suppress(FileNotFoundError):
                if file.is_file():
                    found[file] = file.read_bytes()
    return found
