"""The key files: made once, private, and never shown."""

import threading
from pathlib import Path

import pytest

from engine.execution.codec import EncryptionCodec, data_converter
from engine.keys.key_files import KeyFileBroken, KeyFileExposed, KeyMissing
from engine.keys.keys import Keys, ensure_keys


def test_keys_are_made_once(tmp_path: Path) -> None:
    """Asking for the keys again gives the same ones, in files that only their owner can read."""
    folder = tmp_path / "keys"
    first, second = ensure_keys(folder), ensure_keys(folder)

    assert second.payload.active == first.payload.active
    assert second.stamp_ring.active == first.stamp_ring.active
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}


def test_processes_that_start_at_once_get_the_same_keys(tmp_path: Path) -> None:
    """Eight that found a town at the same moment all hold the keys that lie in the folder afterwards."""
    folder, found = tmp_path / "keys", list[Keys]()
    threads = [threading.Thread(target=lambda: found.append(ensure_keys(folder))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    kept = Keys.load(folder)
    assert len(found) == 8
    assert {keys.payload.active for keys in found} == {kept.payload.active}
    assert {keys.stamp_ring.active for keys in found} == {kept.stamp_ring.active}
    assert not [file.name for file in folder.iterdir() if file.name.startswith(".") and file.name != ".lock"]


@pytest.mark.parametrize("name", ["payload.json", "tokens.json", "stamp-ring.json", ""])
def test_keys_open_to_others_are_refused(tmp_path: Path, name: str) -> None:
    """A key file, or the folder, that others may read is refused, with the command that mends it."""
    folder = tmp_path / "keys"
    ensure_keys(folder)
    (folder / name).chmod(0o750 if name == "" else 0o640)

    with pytest.raises(KeyFileExposed, match=r"chmod [67]00"):
        Keys.load(folder)
    with pytest.raises(KeyFileExposed):
        ensure_keys(folder)


def test_a_missing_key_file_is_named(tmp_path: Path) -> None:
    """Loading says which file is missing; a process without the private files starts, and cannot sign."""
    folder = tmp_path / "keys"
    ensure_keys(folder)
    for name in ("stamps.json", "tokens.json"):
        (folder / name).unlink()
    with pytest.raises(KeyMissing, match=r"stamps\.json"):
        Keys.load(folder).stamp_key()

    (folder / "vault.json").unlink()
    with pytest.raises(KeyMissing, match=r"vault\.json"):
        Keys.load(folder)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SECRETSECRET",
        "[]",
        '{"active": "a", "keys": {}}',
        '{"active": "a", "keys": {"a": "SECRETSECRET"}}',
        '{"active": "a", "keys": {"a": 7}}',
        '{"active": "a", "keys": ["SECRETSECRET"]}',
    ],
)
def test_a_broken_key_file_is_refused_without_quoting_it(tmp_path: Path, text: str) -> None:
    """A key file that makes no sense is named as such, and nothing of its content is shown."""
    folder = tmp_path / "keys"
    ensure_keys(folder)
    (folder / "payload.json").write_text(text)

    with pytest.raises(KeyFileBroken, match=r"payload\.json") as refusal:
        Keys.load(folder)
    assert "SECRET" not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_a_stamp_ring_without_the_active_key_is_refused(tmp_path: Path) -> None:
    """Signing with a key that nobody could verify is refused at the start, not noticed at an audit."""
    folder, other = tmp_path / "keys", tmp_path / "other"
    ensure_keys(folder)
    ensure_keys(other)
    (folder / "stamp-ring.json").write_bytes((other / "stamp-ring.json").read_bytes())

    with pytest.raises(KeyFileBroken, match=r"stamp-ring\.json"):
        Keys.load(folder)


def test_keys_do_not_print_themselves(keys: Keys) -> None:
    """No key material shows in how keys, rings or codecs print."""
    printed = (
        f"{keys!r} {keys} {keys.payload!r} {keys.vault} {EncryptionCodec(keys.payload)!r} {data_converter(keys)!r}"
    )
    secrets = [keys.payload.active, keys.vault.active, keys.blind_index.active]

    assert keys.payload.active_id in printed
    assert not [secret for secret in secrets if secret.hex() in printed or repr(secret)[2:12] in printed]
