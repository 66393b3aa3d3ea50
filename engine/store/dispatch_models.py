"""Models of dispatch, kept for ever: by version and digest, each with its scores. The bytes are canonical JSON, never code."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from pydantic import ValidationError

from engine.store.archive import ArchiveDamaged, pack, unpack
from engine.store.database import Queries
from schemas.advice.dispatch_model import DispatchModel
from schemas.values.canonical import canonical_json
from schemas.values.model import Model

Connection = asyncpg.Connection | PoolConnectionProxy
Source = Literal["cases", "file"]


class ModelDamaged(Exception):
    """What is kept under a model's digest is not that model."""


class DispatchModelQueries(Queries):
    """engine/queries/dispatch_models.sql."""

    lock: str
    keep: str
    newest: str
    bytes_of: str
    listed: str
    named_and_gone: str
    closed_cases: str


SQL = DispatchModelQueries.load("dispatch_models")


@dataclass(frozen=True)
class KeptModel:
    """A model with the version and the digest by which entries name it."""

    version: int
    sha256: str
    model: DispatchModel


class ModelRecord(Model):
    """What is known of a model that is kept: from what it was learned, and how well it did on what it had not seen."""

    version: int
    sha256: str
    learned_at: datetime
    source: Source
    source_sha256: str | None
    texts: int
    scores: dict[str, Any]
    bytes: int


async def keep_model(  # noqa: PLR0917 - what stands beside it
    connection: Connection,
    model: DispatchModel,
    scores: dict[str, Any],
    texts: int,
    learned_at: datetime,
    source: Source,
    source_sha256: str | None = None,
) -> int | None:
    """Keep a model as the one in use; its version. None: the very same one is kept already."""
    async with connection.transaction():
        await connection.execute(SQL.lock)
        version: int | None = await connection.fetchval(
            SQL.keep, model.sha256, learned_at, source, source_sha256, texts, scores, pack(canonical_json(model))
        )
    return version


async def newest_model(connection: Connection) -> tuple[int, str] | None:
    """Version and digest of the model in use; None: none was learned."""
    row = await connection.fetchrow(SQL.newest)
    return None if row is None else (row["version"], row["sha256"])


async def kept_model(connection: Connection, sha256: str) -> KeptModel | None:
    """A model by its digest, which is asked of its bytes again. Raises ModelDamaged."""
    row = await connection.fetchrow(SQL.bytes_of, sha256)
    if row is None:
        return None
    try:
        plain = unpack(row["model"])
    except ArchiveDamaged as damaged:
        raise ModelDamaged from damaged
    if hashlib.sha256(plain).hexdigest() != sha256:
        raise ModelDamaged
    try:
        return KeptModel(row["version"], sha256, DispatchModel.model_validate_json(plain))
    except ValidationError as damaged:
        raise ModelDamaged from damaged


async def list_models(connection: Connection) -> list[ModelRecord]:
    """Every model, the newest first."""
    return [ModelRecord.model_validate(dict(row)) for row in await connection.fetch(SQL.listed)]
