"""Where the programs of Temporal's server come from: named, on the PATH, or built by Go at the version of the compose file."""

import asyncio
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.runtime.operator_error import OperatorError
from local.town.program import run_program

SERVER, SQL_TOOL = "temporal-server", "temporal-sql-tool"
MODULE = "go.temporal.io/server/cmd"
BUILT_FROM: Mapping[str, str] = {SERVER: "server", SQL_TOOL: "tools/sql"}
"""Which command of the module each program is."""
NAMED_BY: Mapping[str, str] = {SERVER: "TEMPORAL_SERVER", SQL_TOOL: "TEMPORAL_SQL_TOOL"}
KEPT = Path(sys.prefix) / "cluster"
"""Beside the packages: built once for all rehearsals of this folder."""


class NoServer(OperatorError):
    """There is no Temporal server of the version that the town is to run with, and none can be built here."""


@dataclass(frozen=True)
class Binaries:
    """The programs, all of one version."""

    server: Path
    sql_tool: Path


async def find_binaries(version: str, kept: Path = KEPT) -> Binaries:
    """Find both programs, or build them into the folder `kept`. Building takes minutes, once.

    Raises:
        NoServer: neither is possible, or what was named cannot be run or is of another version. One sentence says what would help.
    """
    found = {name: _found(name, kept) for name in BUILT_FROM}
    missing = [name for name, path in found.items() if path is None]
    if missing:
        await asyncio.to_thread(kept.mkdir, parents=True, exist_ok=True)
        for name in missing:
            found[name] = await _built(name, version, kept)
    for name, path in found.items():
        try:
            _, said = await run_program((str(path), "--version"))
        except OSError as error:
            raise NoServer(
                f"{path} cannot be run ({error.strerror}): is it what {NAMED_BY[name]} is to name? Leave it out, and the PATH is "
                "looked through."
            ) from None
        if version not in said.split():
            raise NoServer(f"{path} says {said.strip()!r}; docker-compose.yml runs {version}: take that one.")
    return Binaries(*(path for name in (SERVER, SQL_TOOL) if (path := found[name])))


def _found(name: str, kept: Path) -> Path | None:
    named = os.environ.get(NAMED_BY[name]) or shutil.which(name)
    built = kept / name
    return Path(named) if named else built if built.exists() else None


async def _built(name: str, version: str, kept: Path) -> Path:
    go = shutil.which("go")
    if go is None:
        raise NoServer(
            f"No Temporal server {version} here: name one in {NAMED_BY[SERVER]} and its tool in {NAMED_BY[SQL_TOOL]}, put both on "
            "the PATH, or install Go, which builds them."
        )
    sys.stderr.write(f"go builds {name} {version}; this takes minutes, once\n")
    # Into a folder of its own: `go install` names a program after the last part of its path.
    folder = kept / f"{name}.built"
    environment = {**os.environ, "GOBIN": str(folder), "GOFLAGS": "-p=2 -buildvcs=false"}
    code, said = await run_program((go, "install", f"{MODULE}/{BUILT_FROM[name]}@v{version}"), environment)
    if code != 0:
        raise NoServer(f"Go could not build {name} {version}: {said.splitlines()[-1] if said else code}")
    return (folder / Path(BUILT_FROM[name]).name).replace(kept / name)
