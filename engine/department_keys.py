"""The keys under which departments and the town sign for each other: one file per department, mode 0600.

`KEYS/departments/<code>.keys` has one key per line in hex; the first signs, each is believed. To change a key, put the
new one on top, give it to the department, and remove the old line when it has switched (docs/departments.md).
"""

import secrets
from collections.abc import Iterable
from pathlib import Path

from engine.key_files import KeyFault, hold_folder, require_private, write_once
from schemas.signature import SHORTEST_SECRET, read_secrets


class DepartmentKeyFaults(ValueError):
    """Keys are missing or unusable. `faults` says for each file what to do."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class DepartmentKeys:
    """The keys of all departments, in memory. Never shown: not in a log, not in a repr."""

    def __init__(self, keys: dict[str, tuple[bytes, ...]]) -> None:
        self._keys = keys

    def believed(self, department: str) -> tuple[bytes, ...]:
        """The keys that a message of this department may be signed with; none for one without: nothing verifies."""
        return self._keys.get(department, ())

    def signing(self, department: str) -> bytes:
        """The key that our messages to this department are signed with. Raises KeyError for one without keys."""
        return self._keys[department][0]


def key_file(key_folder: Path, department: str) -> Path:
    """Where the keys of a department lie."""
    return key_folder / "departments" / f"{department}.keys"


def load_department_keys(key_folder: Path, departments: Iterable[str]) -> DepartmentKeys:
    """Read the key files of these departments. Raises DepartmentKeyFaults, naming every file that is missing or bad."""
    faults: list[str] = []
    keys: dict[str, tuple[bytes, ...]] = {}
    for department in departments:
        file = key_file(key_folder, department)
        try:
            require_private(file)
            keys[department] = read_secrets(file.read_text(encoding="ascii"))
        except KeyFault as error:
            faults.append(str(error))
        except OSError as error:
            faults.append(f"{file}: {error.strerror}; make it readable for the user who runs this")
        except ValueError as error:
            faults.append(f"{file}: {'not plain text' if isinstance(error, UnicodeDecodeError) else error}")
    if faults:
        raise DepartmentKeyFaults(faults)
    return DepartmentKeys(keys)


def found_department_keys(key_folder: Path, departments: Iterable[str]) -> None:
    """Make a key for each of these departments that has none: when a local town is founded. Keeps what is there."""
    with hold_folder(key_folder / "departments"):
        for department in departments:
            write_once(key_file(key_folder, department), secrets.token_hex(SHORTEST_SECRET) + "\n")
