"""A sealed bundle of one case: all that an auditor needs when the town is gone, in one zip file that is checked offline.

What is in it and how each part is checked: docs/audit.md. The list of its files is signed with the key for seals.
"""

import base64
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import asyncpg

from audit.archive.records import SQL, Run, entries_of, runs_of
from audit.archive.seals import Proof, Seal, all_seals, make_seal, proofs_of_case
from audit.bundle.check_bundle import LISTING, SIGNATURE, Values, chain_of
from audit.bundle.timeline_page import timeline_page
from engine.keys.keys import Keys, public_keys
from engine.runtime.settings import Settings
from engine.runtime.yaml_files import read_yaml
from engine.store.archive import ArchiveStore
from schemas.kernel.case import ruled_by
from schemas.kernel.procedure import Procedure
from schemas.values.canonical import canonical_json
from workflows.registry import PROCEDURES

FORMAT = "jiceng bundle 1"
ROOM = Path(__file__).parent
KINDS: Mapping[str, Procedure] = {case.procedure.name: case.procedure for case in PROCEDURES}


class CannotExport(LookupError):
    """There is nothing to export of a case, or not enough to prove it."""


@dataclass(frozen=True)
class _Parts:
    row: Values
    entries: list[Values]
    runs: list[Run]
    seals: list[Seal]
    proofs: list[Proof]
    restores: list[Values]


async def export_case(pool: asyncpg.Pool, keys: Keys, store: ArchiveStore, settings: Settings, case_id: str) -> bytes:
    """The bundle of a case as a zip file. What stands now is sealed first, so that all of it is proved.

    Raises CannotExport; KeyMissing in a process without the key for seals.
    """
    await make_seal(pool, keys)
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        row = await connection.fetchrow(SQL.row_of_case, case_id)
        if row is None:
            raise CannotExport(f"{case_id}: no such case")
        parts = _Parts(
            row=json.loads(json.dumps(dict(row), default=_iso)),
            entries=await entries_of(connection, case_id),
            runs=await runs_of(connection, keys, store, case_id),
            seals=await all_seals(connection),
            proofs=await proofs_of_case(connection, case_id),
            restores=[
                json.loads(json.dumps(dict(each), default=_iso)) for each in await connection.fetch(SQL.restores)
            ],
        )
    if not parts.runs:
        raise CannotExport(f"{case_id}: the archive has no run of it; `jiceng audit archive {case_id}` stores it")
    return _signed_zip(_files(parts, keys, settings), keys, case_id)


def _files(parts: _Parts, keys: Keys, settings: Settings) -> dict[str, bytes]:
    procedure = KINDS[parts.row["procedure"]]
    head = (parts.row["seq"], parts.row["head_hash"])
    rings = {"seals": keys.seal_ring, "stamps": keys.stamp_ring}
    manifests = [run.manifest for run in parts.runs]
    page = timeline_page(parts.row, procedure, chain_of(parts.entries, head), manifests, parts.seals[-1].plain())
    files = {
        "README.txt": (ROOM / "bundle_readme.txt").read_bytes(),
        "check.py": (ROOM / "check_bundle.py").read_bytes(),
        "timeline.html": page.encode(),
        "keys.json": _json({name: public_keys(ring) for name, ring in rings.items() if ring}),
        "case.json": _json(parts.row),
        "ledger.json": _json(parts.entries),
        "seals.json": _json([seal.plain() for seal in parts.seals]),
        "proofs.json": _json([proof.plain() for proof in parts.proofs]),
        "restores.json": _json(parts.restores),
        "policy.json": _json(policy_slice(parts.row, procedure, settings)),
    }
    for run in parts.runs:
        archived = run.plain()
        run_id = archived["run_id"]
        files[f"manifests/{run_id}.json"] = archived["manifest"].encode()
        files[f"histories/{run_id}.pb"] = run.raw
        files[f"histories/{run_id}.json"] = _json(run.events)
    return files


def policy_slice(row: Values, procedure: Procedure, settings: Settings) -> Values:
    """The rules that the case went by: its charter with its calendar, and its policy, if that version is still here."""
    charter = row["snapshot"]["charter"]
    file = settings.policies / f"{ruled_by(row['snapshot']['case_id'])}.yaml"
    policy = read_yaml(file) if file.is_file() else None
    here = isinstance(policy, dict) and policy.get("version") == charter["policy_version"]
    return {
        "procedure": procedure.name,
        "charter": charter,
        "policy": policy if here else None,
        "note": ""
        if here
        else f"version {charter['policy_version']} is not the one in force; look for it in the policy archive",
    }


def _signed_zip(files: Mapping[str, bytes], keys: Keys, case_id: str) -> bytes:
    key_id, key = keys.seal_key()
    listing = canonical_json({
        "format": FORMAT,
        "case_id": case_id,
        "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "key_id": key_id,
        "files": {name: sha256(content).hexdigest() for name, content in files.items()},
    })  # fmt: skip
    everything = {**files, LISTING: listing, SIGNATURE: base64.b64encode(key.sign(listing))}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name in sorted(everything):
            bundle.writestr(name, everything[name])
    return packed.getvalue()


def _json(value: Mapping[str, Any] | Sequence[Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True).encode()


def _iso(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)
