"""Which code a worker runs, for histories and their manifests (docs/audit.md).

The SDK would work it out by reading every module that is loaded, libraries too: two seconds of CPU at each start, and
forty megabytes of memory that a forked process no longer shares (docs/bench.md).
"""

import sys
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from engine.runtime.settings import PROJECT

DECIDES = ("schemas", "workflows", "activities", "engine", "worker.py")
"""What a case's history may depend on: the rooms that a worker runs, and its wiring."""

LIBRARIES = ("temporalio", "pydantic", "pydantic-core")
"""Those that turn code into histories; their versions count."""

LENGTH = 32


@cache
def own_build() -> str:
    """The build of this process: the same on every machine with the same code and libraries."""
    libraries = [f"{each} {version(each)}" for each in LIBRARIES]
    return build_of(PROJECT, [sys.version, *libraries])


def build_of(folder: Path, beside: list[str]) -> str:
    """A digest over code and queries below a folder, by their paths there, and over what stands `beside` them."""
    digest = sha256()
    for file in _files(folder):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(folder).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    for each in beside:
        digest.update(f"{each}\n".encode())
    return digest.hexdigest()[:LENGTH]


def _files(folder: Path) -> list[Path]:
    places = [folder / name for name in DECIDES]
    found = [file for place in places for ending in ("*.py", "*.sql") for file in place.rglob(ending)]
    return sorted({*found, *(place for place in places if place.is_file())})
