"""The data folder of a town on one machine: what lies in it, who holds it, when it was founded.

town.lock       held by the running town; its process id, and since when
town.json       addresses of the running town, with the database's password; only while it runs
founding.json   the town's clock: two epochs and the speed; never changes
ports.json      the ports of the last run
children.json   the processes of the running town
keys/           the keys (`engine/keys/keys.py`)
postgres/       the database cluster and its passwords
temporal.db     Temporal's database (and its -wal, -shm)
logs/           one log per process, rotated
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import psutil
from pydantic import AwareDatetime, SecretStr, ValidationError

from engine.runtime.operator_error import OperatorError
from local.town.private_file import write_private
from schemas.clocks.town_time import REAL_SPEED_MILLI, TownTime
from schemas.values.model import Model

_SAME_BIRTH_SECONDS = 2.0  # the system's clock may have been set right in between


class TownHeld(OperatorError):
    """Another `jiceng up` runs on the same data folder."""


class FoundedOtherwise(OperatorError):
    """The town was founded with another speed, and open cases reckon with it."""


class TownRecord(Model):
    """What `town.json` tells other commands about the running town. The addresses are those of `jiceng up --json`."""

    pid: int
    born: float
    since: AwareDatetime
    api: str
    temporal: str
    temporal_ui: str
    postgres: str
    data: str
    departments: str | None
    sources: str | None = None
    bank: str | None = None
    ballot_box: str | None = None
    call_gateway: str | None = None
    temporal_namespace: str

    @property
    def database_url(self) -> SecretStr:
        """The database's address, guarded against printing."""
        return SecretStr(self.postgres)


class DataFolder:
    """Reads and writes the files that belong to the town as a whole."""

    def __init__(self, path: Path) -> None:
        """`path` need not exist yet."""
        self.path = path.resolve()
        self._lock = self.path / "town.lock"
        self._record = self.path / "town.json"
        self._founding = self.path / "founding.json"
        self._ports = self.path / "ports.json"

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Make the folder (0700) where it is missing and hold it alone; the system lets go when the process dies.

        Raises:
            TownHeld: another process has it; the message says which, since when, and where it can be reached.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise TownHeld(self._holder()) from None
            os.ftruncate(descriptor, 0)
            since = datetime.now(UTC).astimezone().isoformat(timespec="seconds")
            os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "since": since}).encode(), 0)
            yield
        finally:
            os.close(descriptor)

    def found(self, speed: float | None) -> TownTime:
        """The town's clock. The first call founds the town: its clock shows the real time and runs at `speed` (or 1).

        Raises:
            FoundedOtherwise: the town exists and runs at another speed.
        """
        founded = self.clock()
        if founded is None:
            now = datetime.now(UTC)
            # By way of its decimal spelling: 0.1 as a float is not a tenth.
            founded = TownTime.starting(now, now, Fraction(str(1.0 if speed is None else speed)))
            write_private(self._founding, founded.model_dump_json())
        if speed is not None and Fraction(str(speed)) * REAL_SPEED_MILLI != founded.speed_milli:
            raise FoundedOtherwise(
                f"The town in {self.path} was founded on {founded.real_epoch:%Y-%m-%d} with speed "
                f"{founded.speed_milli / REAL_SPEED_MILLI:g}; with {speed:g} the due times of its open cases would "
                "jump. Leave --speed out, or found another town with another --data."
            )
        return founded

    def clock(self) -> TownTime | None:
        """The town's clock; None before the town is founded."""
        if not self._founding.exists():
            return None
        return TownTime.model_validate_json(self._founding.read_text(encoding="utf-8"))

    def remembered_ports(self) -> dict[str, int]:
        """The ports of the last run; none for a new town."""
        if not self._ports.exists():
            return {}
        ports: dict[str, int] = json.loads(self._ports.read_text(encoding="utf-8"))
        return ports

    def remember_ports(self, ports: Mapping[str, int]) -> None:
        """For the next run, so that bookmarks and clients go on working."""
        write_private(self._ports, json.dumps(dict(ports)))

    def write_record(self, record: TownRecord) -> None:
        """From now on other commands find the town."""
        write_private(self._record, record.model_dump_json(indent=1))

    def remove_record(self) -> None:
        """From now on no command finds the town."""
        self._record.unlink(missing_ok=True)

    def record(self) -> TownRecord | None:
        """What the last town wrote; it may have been killed since, see `is_alive`."""
        try:
            return TownRecord.model_validate_json(self._record.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValidationError):
            return None

    def _holder(self) -> str:
        try:
            holder = json.loads(self._lock.read_text(encoding="utf-8"))
            who = f"process {holder['pid']}, since {holder['since']}"
        except ValueError:
            who = "another process, which is just starting"
        record = self.record()
        where = (
            f" It answers at {record.api} (Temporal UI {record.temporal_ui})." if record else " It is not ready yet."
        )
        return f"A town already runs on {self.path}: {who}.{where} Use it, stop it, or choose another --data."


def is_alive(record: TownRecord) -> bool:
    """Whether the process that wrote the record still runs: same id, same birth."""
    born = birth(record.pid)
    return born is not None and abs(born - record.born) < _SAME_BIRTH_SECONDS


def birth(pid: int) -> float | None:
    """When a process was born, in seconds of real time; None when there is no such process."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return None
