"""Files that hold keys: who may read them, and how they are written so that no half-written key is ever seen."""

import base64
import binascii
import fcntl
import json
import os
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from engine.runtime.operator_error import OperatorError

KEY_BYTES = 32

RingText = tuple[str, dict[str, bytes]]
"""A ring as it is read: the active id, and all keys."""


class KeyFault(OperatorError):
    """The keys of the town cannot be used."""


class KeyMissing(KeyFault):
    """A key file is missing: `jiceng up` makes those of a local town; elsewhere put your own into JICENG_KEYS."""

    def __init__(self, file: Path) -> None:
        """`file` is the one that is not there."""
        super().__init__(f"{file}: {self.__doc__}")


class KeyFileExposed(KeyFault):
    """A key file or its folder is open to others."""

    def __init__(self, path: Path, mode: str) -> None:
        """`mode` is what the path should have, in octal digits."""
        super().__init__(
            f"{path} can be read or changed by others. Say: chmod {mode} {path}; if others had it, change the key."
        )


class KeyFileBroken(KeyFault):
    """A key file is broken. Restore it from its copy; a new key does not open what the old one closed."""

    def __init__(self, file: Path, reason: str) -> None:
        """`reason` names the fault, never the content."""
        super().__init__(f"{file}: {reason}. {self.__doc__}")


@contextmanager
def hold_folder(folder: Path) -> Iterator[None]:
    """Make the folder (0700) and hold it alone: another process that makes keys waits."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    require_private(folder)
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def require_private(path: Path) -> None:
    """Refuse a file or folder that others can read, change or list. Raises KeyMissing, KeyFileExposed."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise KeyMissing(path) from None
    if mode & 0o077:
        raise KeyFileExposed(path, "700" if path.is_dir() else "600")


def write_once(file: Path, text: str) -> None:
    """Write a file whole (mode 0600) or not at all; one that exists stays as it is."""
    if file.exists():
        return
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # mkstemp makes it 0600
    try:
        with os.fdopen(descriptor, "w") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        with suppress(FileExistsError):
            os.link(name, file)  # unlike a rename, a link never replaces a key that opens something
    finally:
        Path(name).unlink()
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def replace_file(file: Path, text: str, mode: int = 0o600) -> None:
    """Write a file whole in the place of the one that is there. Hold the folder; keep what it held."""
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    Path(name).chmod(mode)
    Path(name).replace(file)


_FOR_A_PLACE = "payload-2-"


def new_key_id(purpose: str) -> str:
    """A key id that was never used before. It stands in plain beside what the key closed, so it tells nothing."""
    made = secrets.token_hex(4)
    return f"{_FOR_A_PLACE}{made}" if purpose == "payload" else f"{purpose}-{made}"


def takes_no_place(key_id: str) -> bool:
    """Whether a payload key is from before payloads were bound to their place: what it closed then names none."""
    return not key_id.startswith(_FOR_A_PLACE)


def new_ring(purpose: str, key: bytes | None = None) -> str:
    """The text of a ring file with one key, random unless given."""
    key_id = new_key_id(purpose)
    return ring_text(key_id, {key_id: key or secrets.token_bytes(KEY_BYTES)})


def ring_text(active_id: str, keys: Mapping[str, bytes]) -> str:
    """The text of a ring file."""
    return json.dumps({"active": active_id, "keys": {name: to_text(key) for name, key in keys.items()}}, indent=1)


def read_ring(file: Path) -> RingText:
    """The active id and all keys of a ring file. Raises KeyMissing, KeyFileExposed, KeyFileBroken."""
    require_private(file)
    try:
        text = file.read_text()
    except UnicodeDecodeError:
        raise KeyFileBroken(file, "it is not text") from None
    return ring_of(text, file)


def ring_of(text: str, file: Path) -> RingText:
    """The active id and all keys of a ring's text; `file` names where it came from. Raises KeyFileBroken."""
    try:
        ring = json.loads(text)
        active, keys = str(ring["active"]), {str(key_id): from_text(key) for key_id, key in ring["keys"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        # Not chained: the cause may quote the line that holds the key.
        raise KeyFileBroken(file, 'it is not {"active": id, "keys": {id: base64url}}') from None
    if active not in keys:
        raise KeyFileBroken(file, "its active id is not among its keys")
    if wrong := [key_id for key_id, key in keys.items() if len(key) != KEY_BYTES]:
        raise KeyFileBroken(file, f"not {KEY_BYTES} bytes long: {', '.join(wrong)}")
    return active, keys


def to_text(key: bytes) -> str:
    """base64url without padding, as in a JWK."""
    return base64.urlsafe_b64encode(key).rstrip(b"=").decode()


def from_text(text: str) -> bytes:
    """The key that `to_text` wrote. Raises ValueError."""
    try:
        return base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError("not base64url") from None
