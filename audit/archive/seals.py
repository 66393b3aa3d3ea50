"""Seals 封印: at a moment, one signed hash over the heads of all chains and all archived runs, each holding the one before.

A seal is made in one transaction: what changed since the last one goes into `sealed_leaves`, the tree is built over all
that stands, its root is signed. What was true at a seal can never be signed otherwise afterwards without breaking
every seal since: who holds the key can lie forward, not backward.
"""

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import asyncpg
import structlog

from engine.keys.keys import Keys
from engine.store.database import Queries
from schemas.audit.merkle import inclusion_path, merkle_root
from schemas.kernel.case import GENESIS
from schemas.values.canonical import canonical_json

log = structlog.get_logger()

FORMAT = "jiceng seal 1"


class SealQueries(Queries):
    """engine/queries/seals.sql."""

    hold_seals: str
    newest_seal: str
    all_seals: str
    insert_seal: str
    heads_and_runs: str
    live_leaves: str
    insert_leaf: str
    close_leaf: str
    all_leaves: str
    leaves_of_case: str
    leaves_of_seal: str


SQL = SealQueries.load("seals")
Leaf = tuple[str, str, str, str]
"""kind, case, place, hash."""


@dataclass(frozen=True)
class Seal:
    """One seal, as it stands in its table. `body` is canonical JSON."""

    number: int
    body: str
    signature: str
    hash: str

    @property
    def facts(self) -> dict[str, Any]:
        """What the seal says."""
        said: dict[str, Any] = json.loads(self.body)
        return said

    def plain(self) -> dict[str, Any]:
        """As it is exported."""
        return {"number": self.number, "body": self.body, "signature": self.signature, "hash": self.hash}


@dataclass(frozen=True)
class Proof:
    """That a leaf stands in the tree of a seal."""

    leaf: Leaf
    seal: int
    index: int
    size: int
    path: list[str]

    def plain(self) -> dict[str, Any]:
        """As it is exported."""
        leaf = json.loads(leaf_text(self.leaf))
        return {"leaf": leaf, "seal": self.seal, "index": self.index, "size": self.size, "path": self.path}


def leaf_text(leaf: Leaf) -> bytes:
    """A leaf as it is hashed."""
    kind, case_id, place, content = leaf
    return canonical_json({"kind": kind, "case_id": case_id, "place": place, "hash": content})


async def make_seal(pool: asyncpg.Pool, keys: Keys) -> Seal:
    """Seal what stands now. Raises KeyMissing in a process without the sealing key."""
    key_id, key = keys.seal_key()
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
        # The lock comes before the first read, so that the reads see what the seal before this one wrote.
        await connection.execute(SQL.hold_seals)
        newest = await connection.fetchrow(SQL.newest_seal)
        number = 1 if newest is None else newest["number"] + 1
        stands = {_leaf(row) for row in await connection.fetch(SQL.heads_and_runs)}
        sealed = {_leaf(row) for row in await connection.fetch(SQL.live_leaves)}
        await connection.executemany(SQL.insert_leaf, [(*leaf, number) for leaf in sorted(stands - sealed)])
        await connection.executemany(SQL.close_leaf, [(*leaf, number - 1) for leaf in sorted(sealed - stands)])
        body = canonical_json({
            "format": FORMAT,
            "number": number,
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "leaves": len(stands),
            "heads": sum(leaf[0] == "head" for leaf in stands),
            "root": merkle_root(sorted(leaf_text(leaf) for leaf in stands)),
            "previous": GENESIS if newest is None else newest["hash"],
            "key_id": key_id,
        })  # fmt: skip
        signature = base64.b64encode(key.sign(body)).decode()
        seal = Seal(number, body.decode(), signature, sha256(body + b"\n" + signature.encode()).hexdigest())
        await connection.execute(SQL.insert_seal, seal.number, seal.body, seal.signature, seal.hash)
    # Somebody who keeps the log apart from the database keeps a witness of every seal.
    log.info("sealed", number=seal.number, digest=seal.hash, count=len(stands))
    return seal


async def all_seals(connection: Any) -> list[Seal]:
    """Every seal, the first one first."""
    return [Seal(**dict(row)) for row in await connection.fetch(SQL.all_seals)]


async def proofs_of_case(connection: Any, case_id: str) -> list[Proof]:
    """That each head and each run of a case stands in a seal: in the first that held it, and in the newest as well."""
    newest = await connection.fetchval("select max(number) from seals")
    wanted: dict[int, list[Leaf]] = {}
    for row in await connection.fetch(SQL.leaves_of_case, case_id):
        wanted.setdefault(row["first_seal"], []).append(_leaf(row))
        if row["last_seal"] is None and newest is not None and newest != row["first_seal"]:
            wanted.setdefault(newest, []).append(_leaf(row))
    proofs: list[Proof] = []
    for number, leaves in sorted(wanted.items()):
        tree = sorted(leaf_text(_leaf(row)) for row in await connection.fetch(SQL.leaves_of_seal, number))
        for leaf in leaves:
            index = tree.index(leaf_text(leaf))
            proofs.append(Proof(leaf, number, index, len(tree), inclusion_path(tree, index)))
    return proofs


def _leaf(row: Any) -> Leaf:
    return row["kind"], row["case_id"], row["place"], row["hash"]
