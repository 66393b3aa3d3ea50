"""A sealed bundle: whole as exported, checked without us, and whatever is changed in it is found."""

import base64
import copy
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import asyncpg
import cryptography
import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from audit.archive.archiver import Archiver
from audit.bundle import check_bundle
from audit.bundle.bundle import CannotExport, export_case
from audit.bundle.check_bundle import LISTING, SIGNATURE, TYPES, bundle_faults, canonical, check, main
from engine.keys.keys import Keys, ensure_keys
from engine.runtime.settings import Settings
from engine.store.archive import ArchiveStore
from schemas.audit.merkle import inclusion_path, merkle_root
from schemas.incident import INCIDENT
from tests.api_driver import OpenDoor, Step

pytestmark = pytest.mark.usefixtures("worker")
Files = dict[str, bytes]


@dataclass(frozen=True)
class Bundle:
    """An exported case of several runs."""

    case_id: str
    packed: bytes
    keys: Keys

    @property
    def files(self) -> Files:
        """Its files, to be changed at will."""
        with zipfile.ZipFile(io.BytesIO(self.packed)) as bundle:
            return {name: bundle.read(name) for name in bundle.namelist()}

    def runs(self) -> list[str]:
        """Its runs, the first one first."""
        manifests = [json.loads(content) for name, content in self.files.items() if name.startswith("manifests/")]
        return [each["run_id"] for each in sorted(manifests, key=lambda each: str(each["started_at"]))]

    def signed_again(self, files: Files) -> Files:
        """As somebody would list and sign it who holds the key for seals and has changed a file."""
        key_id, key = self.keys.seal_key()
        listing = json.loads(files[LISTING]) | {"key_id": key_id}
        listing["files"] = {
            name: sha256(content).hexdigest() for name, content in files.items() if name not in {LISTING, SIGNATURE}
        }
        text = canonical(listing)
        return files | {LISTING: text, SIGNATURE: base64.b64encode(key.sign(text))}


@pytest.fixture(scope="module")
async def bundle(door: OpenDoor, temporal: Client, pool: asyncpg.Pool, keys: Keys, settings: Settings) -> Bundle:
    """A case that has ended after two runs, archived and exported; Temporal is not asked for the export.

    By what people did: a clock that is faster than they are would fill the first run before the first command.
    """
    town = await door(INCIDENT, history_limit=20)
    case_id = await town.start()
    await town.go(case_id, [*town.examples.MAIN.steps[:4], Step("close_unresolved", "coordinator")])
    await temporal.get_workflow_handle(case_id).result()
    await Archiver(temporal, pool, keys, ArchiveStore(None)).archive_case(case_id)
    return Bundle(case_id, await export_case(pool, keys, ArchiveStore(None), settings, case_id), keys)


def written(folder: Path, files: Files) -> Path:
    """The files as a bundle."""
    file = folder / "bundle.zip"
    with zipfile.ZipFile(file, "w") as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return file


def test_a_bundle_is_whole_as_it_was_exported(
    bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is found in a bundle that nobody touched; the checker says what it holds and whose keys it believed."""
    file = tmp_path / "case.zip"
    file.write_bytes(bundle.packed)
    trusted = tmp_path / "keys.json"
    trusted.write_bytes(bundle.files["keys.json"])

    assert check(file) == []
    assert main([str(file), "--keys", str(trusted)]) == 0
    assert main([str(file)]) == 0
    said = capsys.readouterr().out
    assert f"✓ {bundle.case_id}: " in said
    assert f"  seals {bundle.keys.seal_key()[0]} " in said


def test_the_checker_needs_nothing_of_ours(bundle: Bundle, tmp_path: Path) -> None:
    """The check.py of a bundle runs where only Python and `cryptography` are: no package of ours, none of Temporal's."""
    bare = tmp_path / "bare"
    bare.mkdir()
    libraries = Path(cryptography.__file__).parent.parent
    for library in (libraries / "cryptography", *libraries.glob("_cffi_backend*")):
        (bare / library.name).symlink_to(library)
    file, program = tmp_path / "case.zip", tmp_path / "check.py"
    file.write_bytes(bundle.packed)
    program.write_bytes(bundle.files["check.py"])
    start = (
        f"import sys, runpy; sys.path.append({str(bare)!r}); "
        "missing = [name for name in ('schemas', 'audit', 'temporalio', 'pydantic', 'google') if not __import__('importlib.util')"
        ".util.find_spec(name)]; assert len(missing) == 5, missing; "
        f"sys.argv = ['check.py', {str(file)!r}]; runpy.run_path({str(program)!r}, run_name='__main__')"
    )
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-c", start], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert (ran.returncode, ran.stderr) == (0, "")
    assert f"✓ {bundle.case_id}: " in ran.stdout


def test_every_changed_file_is_found(bundle: Bundle) -> None:
    """One byte changed in any file, a file more, a file less: the signed list of files says so."""
    whole = bundle.files
    for name, content in whole.items():
        place = len(content) // 2
        changed = whole | {name: content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]}
        try:
            faults = list(bundle_faults(changed))
        except (ValueError, KeyError, TypeError):
            faults = ["unreadable"]
        assert faults, name
        if name not in {LISTING, SIGNATURE} and not faults[0].startswith("unreadable"):
            assert any(fault.startswith(f"file-changed: {name}:") for fault in faults), (name, faults)
    extra = list(bundle_faults(whole | {"histories/more.json": b"{}"}))
    less = list(bundle_faults({name: content for name, content in whole.items() if name != "timeline.html"}))

    assert any(fault.startswith("file-added: histories/more.json") for fault in extra)
    assert less == ["file-missing: timeline.html: it is listed"]


def test_a_bundle_that_cannot_be_read_is_said_to_be(bundle: Bundle, tmp_path: Path) -> None:
    """A zip that is damaged or holds a name twice, or a file in it that is no JSON, is a finding, never a stack of frames."""
    broken = tmp_path / "broken.zip"
    broken.write_bytes(bundle.packed[: len(bundle.packed) // 2])
    twice = written(tmp_path, bundle.files)
    with zipfile.ZipFile(twice, "a") as packed, pytest.warns(UserWarning, match="Duplicate"):
        packed.writestr("ledger.json", b"[]")
    readable = (tmp_path / "other").resolve()
    readable.mkdir()
    no_json = written(readable, bundle.files | {"ledger.json": b"["})

    assert [check(file)[0].partition(":")[0] for file in (broken, twice)] == ["unreadable"] * 2
    assert any(fault.startswith("unreadable") for fault in check(no_json))
    assert check(written(readable, {})) != []


# ---- by who holds the key for seals: each check by itself -----------------------------------------------------------


def as_json(files: Files, name: str, change: Callable[[Any], Any]) -> Files:
    """The files with one of them changed."""
    value = json.loads(files[name])
    change(value)
    return files | {name: json.dumps(value).encode()}


def history(change: Callable[[list[dict[str, Any]]], Any]) -> Callable[[Bundle, Files], Files]:
    """Change the opened history of the first run."""
    return lambda bundle, files: as_json(files, f"histories/{bundle.runs()[0]}.json", change)


def part(name: str, change: Callable[[Any], Any]) -> Callable[[Bundle, Files], Files]:
    """Change one of the JSON files."""
    return lambda _, files: as_json(files, name, change)


def first(events: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    return next(event for event in events if event["type"] == kind)


def another_receipt(events: list[dict[str, Any]]) -> None:
    first(events, "MARKER_RECORDED")["attributes"]["details"]["result"]["payloads"][0]["value"]["head_hash"] = "0" * 64


def another_payload(events: list[dict[str, Any]]) -> None:
    first(events, "MARKER_RECORDED")["attributes"]["details"]["result"]["payloads"][0]["payload_sha256"] = "0" * 64


def another_type(events: list[dict[str, Any]]) -> None:
    first(events, "MARKER_RECORDED")["type"] = "TIMER_FIRED"


def another_fact(rows: list[dict[str, Any]]) -> None:
    rows[1]["body"] = rows[1]["body"].replace("incident", "accident")


def another_root(seals: list[dict[str, Any]]) -> None:
    seals[0]["body"] = seals[0]["body"].replace('"heads":', '"heads":1')


def another_command(events: list[dict[str, Any]]) -> None:
    request = first(events, "WORKFLOW_EXECUTION_UPDATE_ACCEPTED")["attributes"]["accepted_request"]
    request["input"]["args"]["payloads"][1]["value"]["at"] = "2026-01-01T00:00:00+08:00"


def rewritten(_: Bundle, files: Files) -> Files:
    """A ledger with fresh hashes from the second entry on."""
    rows, before = json.loads(files["ledger.json"]), None
    for row in rows:
        entry = json.loads(row["body"])
        if entry["seq"] == 2:
            entry["facts"]["code"] = "changed"
        entry["prev_hash"] = row["prev_hash"] if before is None else before
        row |= {"body": canonical(entry).decode(), "prev_hash": entry["prev_hash"]}
        row["hash"] = before = sha256(row["body"].encode()).hexdigest()
    case = json.loads(files["case.json"]) | {"head_hash": before}
    return files | {"ledger.json": json.dumps(rows).encode(), "case.json": json.dumps(case).encode()}


def without_the_first_run(bundle: Bundle, files: Files) -> Files:
    return {name: content for name, content in files.items() if bundle.runs()[0] not in name}


def without_the_opened_history(bundle: Bundle, files: Files) -> Files:
    return {name: content for name, content in files.items() if name != f"histories/{bundle.runs()[0]}.json"}


def runs_only(proofs: list[dict[str, Any]]) -> None:
    proofs[:] = [proof for proof in proofs if proof["leaf"]["kind"] == "run"]


def another_history(bundle: Bundle, files: Files) -> Files:
    """The second run's history in the place of the first's."""
    one, two = bundle.runs()[:2]
    return files | {f"histories/{one}.{kind}": files[f"histories/{two}.{kind}"] for kind in ("pb", "json")}


def flipped(bundle: Bundle, files: Files) -> Files:
    name = f"histories/{bundle.runs()[0]}.pb"
    return files | {name: files[name][:-3] + bytes([files[name][-3] ^ 1]) + files[name][-2:]}


def other_rules(bundle: Bundle, files: Files) -> Files:
    name = f"manifests/{bundle.runs()[0]}.json"
    return files | {name: canonical(json.loads(files[name]) | {"policy_version": "2099.9"})}


def another_api(keys: dict[str, Any]) -> None:
    keys["stamps"] = dict.fromkeys(keys["stamps"], "A" * 43)


CHANGES: dict[str, tuple[Callable[[Bundle, Files], Files], str]] = {
    "entry changed": (part("ledger.json", another_fact), "entry-changed"),
    "entry removed": (part("ledger.json", lambda rows: rows.pop(1)), "entry-deleted"),
    "chain rewritten": (rewritten, "chain-rewritten"),
    "head turned back": (part("case.json", lambda case: case.update(seq=case["seq"] - 1)), "entry-deleted"),
    "actor exchanged": (part("keys.json", another_api), "actor-exchanged"),
    "seal changed": (part("seals.json", another_root), "seal-changed"),
    "seal removed": (part("seals.json", lambda seals: seals.pop(0)), "seal-removed"),
    "newest seal removed": (part("seals.json", lambda seals: seals.pop()), "seal-removed"),
    "seal signed by nobody": (part("seals.json", lambda seals: seals[-1].update(signature="A" * 86 + "==")), "seal-forged"),
    "proof changed": (part("proofs.json", lambda proofs: proofs[0].update(index=proofs[0]["index"] + 1)), "not-sealed"),
    "proofs removed": (part("proofs.json", lambda proofs: proofs.clear()), "not-sealed"),
    "head not proved": (part("proofs.json", runs_only), "not-sealed"),
    "history left out": (without_the_opened_history, "file-missing"),
    "raw bytes changed": (flipped, "archive-changed"),
    "history exchanged": (another_history, "history-of-another-case"),
    "manifest changed": (other_rules, "not-sealed"),
    "run removed": (without_the_first_run, "run-missing"),
    "receipt changed": (history(another_receipt), "chain-rewritten"),
    "command changed": (history(another_command), "command-changed"),
    "event removed": (history(lambda events: events.pop(3)), "decoded-differs"),
    "event of another type": (history(another_type), "decoded-differs"),
    "event exchanged": (history(lambda events: events[1].update(raw_sha256=events[2]["raw_sha256"])), "decoded-differs"),
    "payload of elsewhere": (history(another_payload), "decoded-differs"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_each_check_finds_by_itself(name: str, bundle: Bundle) -> None:
    """Also who could list and sign the files anew does not get past the checks of what is in them."""
    change, kind = CHANGES[name]
    faults = list(bundle_faults(bundle.signed_again(change(bundle, copy.deepcopy(bundle.files)))))

    assert any(fault.startswith(f"{kind}: ") for fault in faults), faults
    assert not any(fault.startswith(("file-", "bundle-forged")) for fault in faults if kind != "file-missing")


def test_the_keys_of_another_town_are_recognised(bundle: Bundle, tmp_path: Path) -> None:
    """A bundle listed and signed with another key is believed by itself alone only; with the town's keys it is found."""
    other = ensure_keys(tmp_path / "keys")
    forged = Bundle(bundle.case_id, bundle.packed, other)
    key_id, _ = other.seal_key()
    ring = other.seal_ring
    assert ring is not None
    raw = ring.get(key_id)
    assert raw is not None
    keys = json.loads(bundle.files["keys.json"])
    keys["seals"][key_id] = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    files = forged.signed_again(bundle.files | {"keys.json": json.dumps(keys).encode()})

    assert list(bundle_faults(files)) == []
    assert [fault.partition(":")[0] for fault in bundle_faults(files, json.loads(bundle.files["keys.json"]))] == [
        "bundle-forged"
    ]


# ---- what is in it --------------------------------------------------------------------------------------------------


class Tags(HTMLParser):
    """Collects what a page is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [name for name, _ in attrs if name in {"href", "src", "onclick", "onload"}]


def test_the_timeline_can_be_read_and_printed(bundle: Bundle) -> None:
    """The page is Chinese, names every entry, has no script, and loads nothing from anywhere."""
    page = bundle.files["timeline.html"].decode()
    tags = Tags()
    tags.feed(page)
    kinds = {json.loads(row["body"])["kind"] for row in json.loads(bundle.files["ledger.json"])}

    assert {kind for kind in kinds if INCIDENT.titles.get(kind, kind) not in page} - {"case:ended"} == set()
    assert ("script" in tags.tags, tags.links) == (False, [])
    assert '<html lang="zh-CN">' in page
    assert "@media print" in page


def test_a_bundle_holds_the_rules_that_the_case_went_by(bundle: Bundle) -> None:
    """The policy of the case's version and its calendar come along, and the manifest names the same versions."""
    policy = json.loads(bundle.files["policy.json"])
    manifest = json.loads(bundle.files[f"manifests/{bundle.runs()[0]}.json"])

    assert policy["policy"]["version"] == policy["charter"]["policy_version"] == manifest["policy_version"]
    assert policy["charter"]["calendar"]["version"] == manifest["calendar_version"]


async def test_a_case_without_archive_is_not_exported(
    pool: asyncpg.Pool, keys: Keys, settings: Settings, door: OpenDoor
) -> None:
    """What cannot be proved is not exported; the message says what to do."""
    town = await door(INCIDENT)
    case_id = await town.start()
    assert (await town.case(case_id, wait="seq:1", timeout="60"))["seq"]
    with pytest.raises(CannotExport, match=f"jiceng audit archive {case_id}"):
        await export_case(pool, keys, ArchiveStore(None), settings, case_id)
    with pytest.raises(CannotExport, match="no such case"):
        await export_case(pool, keys, ArchiveStore(None), settings, "incident-20200101-000001")


def test_the_checker_knows_temporals_numbers() -> None:
    """The types of events that the checker looks into have the numbers of Temporal's protocol."""
    assert {name: EventType.Value(f"EVENT_TYPE_{name}") for name in TYPES} == TYPES


@given(st.lists(st.binary(max_size=9), min_size=1, max_size=40), st.data())
def test_the_checker_walks_trees_as_the_maker_grows_them(leaves: list[bytes], data: st.DataObject) -> None:
    """The proof of any leaf leads the checker, too, to the root."""
    index = data.draw(st.integers(0, len(leaves) - 1))

    assert check_bundle.root_by_path(leaves[index], index, len(leaves), inclusion_path(leaves, index)) == merkle_root(
        leaves
    )
