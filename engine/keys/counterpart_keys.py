"""The keys under which others and the town sign for each other: one file per department, source, bank or webhook, mode 0600.

`KEYS/<kind>/<code>.keys` has one key per line in hex; the first signs, each is believed. Changing a key (docs/keys.md): the
new one comes last, and is believed; given to the other side, it comes first, and signs; the old one goes when they have it.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from pathlib import Path

import structlog

from engine.keys.key_files import KeyFault, hold_folder, replace_file, require_private, write_once
from engine.keys.key_ring import FileWatch
from engine.runtime.operator_error import OperatorError
from schemas.contracts.signature import KEYS_AT_ONCE, SHORTEST_SECRET, read_secrets

log = structlog.get_logger()


class Counterpart(StrEnum):
    """Whom we exchange signed messages with: the folder of their keys. A code may stand in several."""

    DEPARTMENT = "departments"
    SOURCE = "sources"
    BANK = "banks"
    WEBHOOK = "webhooks"
    OPEN311 = "open311"
    BALLOT_BOX = "ballot_boxes"
    PLATFORM = "platforms"
    CALL_GATEWAY = "call_gateways"
    ISSUER = "issuers"
    GAUGE = "gauges"


class CounterpartKeyFaults(OperatorError, ValueError):
    """Keys are missing or unusable. `faults` says for each file what to do."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class CounterpartKeyRefused(KeyFault):
    """The keys of a counterpart cannot be changed like that."""


class CounterpartKeys:
    """The keys of all counterparts of one kind. Never shown: not in a log, not in a repr.

    A file that was replaced since counts at once, so a key is changed without a restart; one that was spoilt does not.
    """

    def __init__(self, keys: dict[str, tuple[bytes, ...]], watched: Mapping[str, FileWatch] | None = None) -> None:
        """`watched`: the files that the keys came from."""
        self._keys = keys
        self._watched = watched or {}

    def believed(self, code: str) -> tuple[bytes, ...]:
        """The keys that a message of this counterpart may be signed with; none for one without: nothing verifies."""
        self._look(code)
        return self._keys.get(code, ())

    def signing(self, code: str) -> bytes:
        """The key that our messages to this counterpart are signed with. Raises KeyError for one without keys."""
        self._look(code)
        return self._keys[code][0]

    def _look(self, code: str) -> None:
        if code not in self._watched or not self._watched[code].changed():
            return
        try:
            self._keys[code] = _read(self._watched[code].file)
        except (KeyFault, OSError, ValueError) as fault:
            log.warning("counterpart_keys_unreadable", department=code, error=type(fault).__name__)


def key_file(key_folder: Path, code: str, kind: Counterpart = Counterpart.DEPARTMENT) -> Path:
    """Where the keys of a counterpart lie."""
    return key_folder / kind / f"{code}.keys"


def load_counterpart_keys(key_folder: Path, codes: Iterable[str], kind: Counterpart) -> CounterpartKeys:
    """Read the key files of these. Raises CounterpartKeyFaults, naming every file that is missing or bad."""
    faults: list[str] = []
    keys: dict[str, tuple[bytes, ...]] = {}
    watched: dict[str, FileWatch] = {}
    for code in codes:
        file = key_file(key_folder, code, kind)
        watched[code] = FileWatch(file)
        try:
            keys[code] = _read(file)
        except KeyFault as error:
            faults.append(str(error))
        except OSError as error:
            faults.append(f"{file}: {error.strerror}; make it readable for the user who runs this")
        except ValueError as error:
            faults.append(f"{file}: {'not plain text' if isinstance(error, UnicodeDecodeError) else error}")
    if faults:
        raise CounterpartKeyFaults(faults)
    return CounterpartKeys(keys, watched)


def found_counterpart_keys(key_folder: Path, codes: Iterable[str], kind: Counterpart) -> None:
    """Make a key for each of these that has none: when a local town is founded. Keeps what is there."""
    with hold_folder(key_folder / kind):
        for code in codes:
            write_once(key_file(key_folder, code, kind), secrets.token_hex(SHORTEST_SECRET) + "\n")


def new_counterpart_key(key_folder: Path, code: str, kind: Counterpart) -> str:
    """Put a new key last: believed from now on, not signing yet. Returns its mark. Raises CounterpartKeyRefused: too many."""
    key = secrets.token_hex(SHORTEST_SECRET)

    def one_more(lines: list[str]) -> list[str]:
        if len(lines) >= KEYS_AT_ONCE:
            raise CounterpartKeyRefused(f"{code} has {len(lines)} keys, the most there may be: drop an old one first")
        return [*lines, key]

    _rewrite(key_folder, code, kind, one_more)
    return mark_of(key)


def sign_with(key_folder: Path, code: str, kind: Counterpart, mark: str) -> None:
    """Put a key first: our messages are signed with it from now on. Raises CounterpartKeyRefused: no such mark."""
    _rewrite(key_folder, code, kind, lambda lines: [*_marked(lines, mark), *_others(lines, mark)])


def drop_counterpart_key(key_folder: Path, code: str, kind: Counterpart, mark: str) -> None:
    """Believe a key no longer. Raises CounterpartKeyRefused: no such mark, or it is the last one."""

    def without(lines: list[str]) -> list[str]:
        _marked(lines, mark)
        if not (left := _others(lines, mark)):
            raise CounterpartKeyRefused(f"{mark} is the only key of {code}: make a new one first")
        return left

    _rewrite(key_folder, code, kind, without)


def marks_of(key_folder: Path, code: str, kind: Counterpart) -> list[str]:
    """The marks of the keys, the signing one first. Raises KeyFault: not private; ValueError: not keys; OSError: not there."""
    return [mark_of(key.hex()) for key in _read(key_file(key_folder, code, kind))]


def mark_of(key: str) -> str:
    """What a key, in hex digits, is called where it is not shown: the first eight hex digits of its SHA-256."""
    return hashlib.sha256(bytes.fromhex(key)).hexdigest()[:8]


def _rewrite(key_folder: Path, code: str, kind: Counterpart, change: Callable[[list[str]], list[str]]) -> None:
    file = key_file(key_folder, code, kind)
    with hold_folder(key_folder / kind):
        lines = change([key.hex() for key in _read(file)])
        replace_file(file, "".join(f"{line}\n" for line in lines))


def _marked(lines: list[str], mark: str) -> list[str]:
    if not (found := [line for line in lines if mark_of(line) == mark]):
        raise CounterpartKeyRefused(f"{mark[:80]} is none of these keys: {', '.join(map(mark_of, lines))}")
    return found


def _others(lines: list[str], mark: str) -> list[str]:
    return [line for line in lines if mark_of(line) != mark]


def _read(file: Path) -> tuple[bytes, ...]:
    require_private(file)
    return read_secrets(file.read_text(encoding="ascii"))
