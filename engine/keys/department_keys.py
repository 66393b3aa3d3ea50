"""The keys of departments: `KEYS/departments/<code>.keys` (docs/departments.md)."""

from collections.abc import Iterable
from pathlib import Path

from engine.keys.counterpart_keys import (
    Counterpart,
    CounterpartKeyFaults,
    CounterpartKeys,
    found_counterpart_keys,
    key_file,
    load_counterpart_keys,
)

__all__ = ["DepartmentKeyFaults", "DepartmentKeys", "found_department_keys", "key_file", "load_department_keys"]

DepartmentKeys = CounterpartKeys
DepartmentKeyFaults = CounterpartKeyFaults


def load_department_keys(key_folder: Path, departments: Iterable[str]) -> CounterpartKeys:
    """Read the key files of these departments. Raises DepartmentKeyFaults, naming every file that is missing or bad."""
    return load_counterpart_keys(key_folder, departments, Counterpart.DEPARTMENT)


def found_department_keys(key_folder: Path, departments: Iterable[str]) -> None:
    """Make a key for each of these departments that has none: when a local town is founded. Keeps what is there."""
    found_counterpart_keys(key_folder, departments, Counterpart.DEPARTMENT)
