"""The keys under which others and the town sign for each other: one file per department, source or bank, mode 0600.

`KEYS/<kind>/<code>.keys` has one key per line in hex; the first signs, each is believed. To change a key, put the new one
on top, give it to the other side, and remove the old line when it has switched (docs/departments.md).
"""

import secrets
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

from engine.key_files import KeyFault, hold_folder, require_private, write_once
from schemas.signature import SHORTEST_SECRET, read_secrets


class Counterpart(StrEnum):
    """Whom we exchange signed messages with: the folder of their keys. A code may stand in several."""

    DEPARTMENT = "departments"
    SOURCE = "sources"
    BANK = "banks"


class CounterpartKeyFaults(ValueError):
    """Keys are missing or unusable. `faults` says for each file what to do."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class CounterpartKeys:
    """The keys of all counterparts of one kind, in memory. Never shown: not in a log, not in a repr."""

    def __init__(self, keys: dict[str, tuple[bytes, ...]]) -> None:
        self._keys = keys

    def believed(self, code: str) -> tuple[bytes, ...]:
        """The keys that a message of this counterpart may be signed with; none for one without: nothing verifies."""
        return self._keys.get(code, ())

    def signing(self, code: str) -> bytes:
        """The key that our messages to this counterpart are signed with. Raises KeyError for one without keys."""
        return self._keys[code][0]


def key_file(key_folder: Path, code: str, kind: Counterpart = Counterpart.DEPARTMENT) -> Path:
    """Where the keys of a counterpart lie."""
    return key_folder / kind / f"{code}.keys"


def load_counterpart_keys(key_folder: Path, codes: Iterable[str], kind: Counterpart) -> CounterpartKeys:
    """Read the key files of these. Raises CounterpartKeyFaults, naming every file that is missing or bad."""
    faults: list[str] = []
    keys: dict[str, tuple[bytes, ...]] = {}
    for code in codes:
        file = key_file(key_folder, code, kind)
        try:
            require_private(file)
            keys[code] = read_secrets(file.read_text(encoding="ascii"))
        except KeyFault as error:
            faults.append(str(error))
        except OSError as error:
            faults.append(f"{file}: {error.strerror}; make it readable for the user who runs this")
        except ValueError as error:
            faults.append(f"{file}: {'not plain text' if isinstance(error, UnicodeDecodeError) else error}")
    if faults:
        raise CounterpartKeyFaults(faults)
    return CounterpartKeys(keys)


def found_counterpart_keys(key_folder: Path, codes: Iterable[str], kind: Counterpart) -> None:
    """Make a key for each of these that has none: when a local town is founded. Keeps what is there."""
    with hold_folder(key_folder / kind):
        for code in codes:
            write_once(key_file(key_folder, code, kind), secrets.token_hex(SHORTEST_SECRET) + "\n")
