"""As whom PostgreSQL runs: it refuses to run as root, and initdb refuses a user without a name in /etc/passwd.

For such a user the first choice is a user namespace: PostgreSQL sees an ordinary user, and its files stay ours, so the
data may lie under a folder that only root can enter. Where namespaces are forbidden (many containers), root gives the
files to an ordinary user that can reach them. Folders above the town's own are never touched.
"""

import asyncio
import os
import pwd
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from engine.runtime.operator_error import OperatorError
from local.town.program import run_program

LAUNCHER = Path(__file__).with_name("launch.py")
_logger = structlog.get_logger()
_ROOT = 0
_MAY_PASS = stat.S_IXGRP | stat.S_IXOTH


class NobodyCanRunPostgres(OperatorError):
    """No identity was found under which PostgreSQL can run here."""


@dataclass(frozen=True)
class Identity:
    """Who a child is: `launcher` as `launch.py` reads it, and the owner of its files as seen from here."""

    launcher: str
    uid: int
    gid: int

    def command(self, folder: Path | None, argv: tuple[str, ...]) -> tuple[str, ...]:
        """The command that starts `argv` as this identity, tied to the life of this process."""
        where = "-" if folder is None else str(folder)
        return (sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), self.launcher, where, *argv)


OURSELVES = Identity("same", os.geteuid(), os.getegid())


async def find_identity(folder: Path, program: Path) -> Identity:
    """The first identity that can run `program` (`--version`) and write in `folder`, which then belongs to it.

    Raises:
        NobodyCanRunPostgres: none can; the message says what was tried and what to do.
    """
    refusals: list[str] = []
    # Who owns the files already goes first, so that they do not change hands at every start.
    owner = await asyncio.to_thread(lambda: folder.stat().st_uid)
    for identity in sorted(_candidates(folder), key=lambda candidate: candidate.uid != owner):
        _give(folder, identity)
        refusal = await _refusal(identity, folder, program)
        if refusal is None:
            _logger.debug("postgres_identity", kind=identity.launcher)
            return identity
        refusals.append(f"  {identity.launcher}: {refusal}")
    _give(folder, OURSELVES)
    tried = "\n".join(refusals)
    raise NobodyCanRunPostgres(
        f"PostgreSQL does not run as {_name(os.geteuid())}, and no other identity can use {folder}:\n{tried}\n"
        "Remedies: run as an ordinary user; or choose a folder that ordinary users can reach with --data "
        "(for example below /var/lib, with the program installed outside root's home); "
        "or use a database of your own with --database-url."
    )


def _candidates(folder: Path) -> Iterator[Identity]:
    uid = os.geteuid()
    if uid != _ROOT and _is_named(uid):
        yield OURSELVES
        return
    # initdb looks the user up in /etc/passwd, so inside the namespace we must be somebody who stands there.
    named = next((entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid != _ROOT), None)
    if named is not None:
        yield Identity(f"namespace:{named}", uid, os.getegid())
    if uid != _ROOT:
        return
    owner = folder.parent.parent.stat().st_uid
    for name in (*([_name(owner)] if owner != _ROOT and _is_named(owner) else []), "postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        yield Identity(f"user:{entry.pw_uid}:{entry.pw_gid}", entry.pw_uid, entry.pw_gid)


async def _refusal(identity: Identity, folder: Path, program: Path) -> str | None:
    """Why this identity cannot run the program, None when it can. Tried, not guessed: much can forbid it."""
    code, output = await run_program(identity.command(folder, (str(program), "--version")))
    return None if code == 0 else output or f"exit {code}"


def _give(folder: Path, identity: Identity) -> None:
    """Let the folder and all in it belong to the identity. Only root can give files away."""
    if os.geteuid() != _ROOT:
        return
    if identity.launcher.startswith("user:"):
        # Pass through, not read: what lies in the town's folder is readable by its owner only.
        town = folder.parent
        town.chmod(stat.S_IMODE(town.stat().st_mode) | _MAY_PASS)
    if folder.stat().st_uid == identity.uid:
        return
    # The folder itself last: whoever is interrupted here begins again.
    for path in (*folder.rglob("*"), folder):
        os.chown(path, identity.uid, identity.gid, follow_symlinks=False)


def _is_named(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _name(uid: int) -> str:
    return pwd.getpwuid(uid).pw_name if _is_named(uid) else f"user {uid}, who has no name in /etc/passwd"
