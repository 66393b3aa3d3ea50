"""Rings of keys that change while processes run: a new key is found without a restart.

A key that is asked for and not known is looked for at once, in a file that has been replaced since. The key for new things
is looked at once a second. So a rotation writes the file and nothing more, and nobody refuses what another process closed or
signed with a key that is a moment old. Made-up ids cost a look at the file's time, not a reading.
"""

import os
import shlex
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import structlog

from engine.keys.key_files import KeyFault, KeyFileBroken, RingText, read_ring, ring_of

log = structlog.get_logger()
LOOK_SECONDS = 1.0
"""So long a process may go on closing and signing with the key before."""

COMMAND_PAUSE_SECONDS = 5.0
COMMAND_PATIENCE_SECONDS = 10.0


class FileWatch:
    """Tells whether a file is another one than when it was looked at. Files of keys are replaced, never written into."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._seen = self._mark()

    def changed(self) -> bool:
        """Whether it was replaced since the last look."""
        mark = self._mark()
        if mark == self._seen:
            return False
        self._seen = mark
        return True

    def _mark(self) -> tuple[int, int, int] | None:
        try:
            found = os.stat(self.file)  # noqa: PTH116 - asked for with every unknown key
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size


class RingSource(Protocol):
    """Where the keys of a ring come from."""

    def changed(self, *, wanted: bool) -> bool:
        """Whether it is worth reading again; `wanted`: somebody asks for a key that is not known."""

    def read(self) -> RingText:
        """The active id and all keys. Raises KeyFault."""


class RingFile:
    """A ring in a file of the key folder."""

    def __init__(self, file: Path) -> None:
        self._watch = FileWatch(file)

    def changed(self, *, wanted: bool) -> bool:
        """Whether the file was replaced."""
        del wanted
        return self._watch.changed()

    def read(self) -> RingText:
        """Read it. Raises KeyMissing, KeyFileExposed, KeyFileBroken."""
        return read_ring(self._watch.file)


class RingGiven:
    """A ring that stands in the environment: `JICENG_VAULT_RING`. Another one needs a restart."""

    NAME = Path("JICENG_VAULT_RING")

    def __init__(self, text: str) -> None:
        self._text = text

    def changed(self, *, wanted: bool) -> bool:
        """Never: the environment of a process does not change."""
        del wanted
        return False

    def read(self) -> RingText:
        """Read it. Raises KeyFileBroken."""
        return ring_of(self._text, self.NAME)


class RingCommand:
    """A ring that a command prints: `JICENG_VAULT_RING_COMMAND`, such as that of a keeper of secrets.

    It is asked again when a key is not known, at most once in five seconds.
    """

    NAME = Path("JICENG_VAULT_RING_COMMAND")

    def __init__(self, command: str) -> None:
        """`command` is split as a shell would, and run without one."""
        self._command = shlex.split(command)
        self._next = 0.0

    def changed(self, *, wanted: bool) -> bool:
        """Whether it may be asked again."""
        return wanted and time.monotonic() >= self._next

    def read(self) -> RingText:
        """Ask. Raises KeyFileBroken: it failed, took too long, or printed no ring; never with what it printed."""
        self._next = time.monotonic() + COMMAND_PAUSE_SECONDS
        try:
            done = subprocess.run(  # noqa: S603 - the town's own setting
                self._command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=COMMAND_PATIENCE_SECONDS,
                check=True,
            )
        except (OSError, subprocess.SubprocessError, IndexError) as error:
            raise KeyFileBroken(self.NAME, f"the command gave no keys: {type(error).__name__}") from None
        return ring_of(done.stdout.decode(errors="replace"), self.NAME)


class KeyRing:
    """Secret or public keys of one purpose, by id. Prints its ids, never its keys."""

    def __init__(self, active_id: str, keys: Mapping[str, bytes], source: RingSource | None = None) -> None:
        """`active_id` is one of `keys`; every key has 32 bytes. `source`: where new keys are looked for."""
        # One value, so that id and key always belong together, whichever thread asks.
        self._held = (active_id, MappingProxyType(dict(keys)))
        self._source = source
        self._next_look = 0.0

    @classmethod
    def read(cls, file: Path) -> "KeyRing":
        """Read a ring file. Raises KeyFault when it is missing, exposed or broken."""
        return cls.of(RingFile(file))

    @classmethod
    def of(cls, source: RingSource) -> "KeyRing":
        """Read a ring from wherever it comes. Raises KeyFault."""
        return cls(*source.read(), source)

    def current(self) -> tuple[str, bytes]:
        """Id and key for new things, at most a second old."""
        if (now := time.monotonic()) >= self._next_look:
            self._next_look = now + LOOK_SECONDS
            self.look()
        active_id, keys = self._held
        return active_id, keys[active_id]

    @property
    def active_id(self) -> str:
        """The id of the key for new things. For id and key together, take `current`."""
        return self._held[0]

    @property
    def active(self) -> bytes:
        """The key for new things."""
        active_id, keys = self._held
        return keys[active_id]

    def get(self, key_id: str) -> bytes | None:
        """The key of that id, or None."""
        if key_id not in self._held[1]:
            self.look(wanted=True)
        return self._held[1].get(key_id)

    def __iter__(self) -> Iterator[str]:
        """Ids, the active one first."""
        active_id, keys = self._held
        yield active_id
        yield from (key_id for key_id in keys if key_id != active_id)

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(self)})"

    def look(self, *, wanted: bool = False) -> None:
        """Take what the source has now, if that has changed; `wanted`: somebody asks for a key that is not known."""
        if self._source is None or not self._source.changed(wanted=wanted):
            return
        try:
            active_id, keys = self._source.read()
        except KeyFault as fault:
            # The keys that were read before stay good.
            log.warning("key_ring_unreadable", error=type(fault).__name__)
        else:
            self._held = (active_id, MappingProxyType(keys))
