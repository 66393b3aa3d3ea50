"""Documents 附件: files of people, closed with a key of their own that lies in the vault, in an object store by URL.

A document is reserved in the database first and stored then: nothing lies in the object store that no row knows. The key
of a document is an item of the vault, so erasing the person closes the document for ever, and reading it is recorded
like any other reading.
"""

import asyncio
import hashlib
import hmac
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import asyncpg
import obstore
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, ObjectStore, from_url

from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from engine.store.database import Queries
from engine.vault.document_types import Examined, examine
from engine.vault.vault import Connection, Vault
from engine.vault.vault_seal import NONCE_BYTES, VaultDamaged
from schemas.values.actor import Actor
from schemas.values.document import Document, DocumentPolicy, DocumentReference
from schemas.values.references import PersonReference, Tombstone

CLEARED_AT_ONCE = 100
AT_ONCE = 8
"""Each file is in memory, twice while it is closed: so many at one time in a process are kept, and so many are read."""
LOOKED_INTO_AT_ONCE = 2
DRAWN_AT_ONCE = 2
"""That is work for a core, and others need it too."""

SHOW_DOCUMENT = "show-document"
"""What a file is read for, as the record of readings has it, unless whoever reads says something else."""


class DocumentsAway(Exception):
    """The object store of the documents does not answer."""


class TooManyWaiting(Exception):
    """This person has as many documents without a case as the town allows: attach or leave some."""


class DocumentQueries(Queries):
    """engine/queries/documents.sql."""

    find_same: str
    count_waiting: str
    one_at_a_time: str
    one_count_at_a_time: str
    insert_document: str
    mark_stored: str
    find_documents: str
    cases_of_document: str
    files_of_erased: str
    mark_cleared: str


SQL = DocumentQueries.load("documents")


@dataclass(frozen=True)
class Reserved:
    """A document that has its reference. `content_key` is None when the file is stored already."""

    document: Document
    content_key: bytes | None = field(repr=False)


@dataclass(frozen=True)
class Found:
    """A stored document, and who sent it."""

    document: Document
    uploader: str


def open_store(settings: Settings) -> ObjectStore:
    """The object store of the town: a folder that is made where it is missing, or any that obstore opens by URL."""
    if settings.documents_url is None:
        return LocalStore((settings.data / "documents").resolve(), mkdir=True)
    if settings.documents_url.startswith("file:"):
        return LocalStore.from_url(settings.documents_url, mkdir=True)
    return from_url(settings.documents_url)


class Documents:
    """Keeps and gives documents. Methods with a connection work inside the caller's transaction."""

    def __init__(self, vault: Vault, keys: Keys, store: ObjectStore, policy: DocumentPolicy) -> None:
        """`keys` gives the key under which the same file of the same person is found again."""
        self.policy = policy
        self.keeping = asyncio.Semaphore(AT_ONCE)
        self.reading = asyncio.Semaphore(AT_ONCE)
        self.drawing = asyncio.Semaphore(DRAWN_AT_ONCE)
        self._looking = asyncio.Semaphore(LOOKED_INTO_AT_ONCE)
        self._vault = vault
        self._store = store
        self._digest_key = hmac.new(keys.blind_index.active, b"jiceng document 1", hashlib.sha256).digest()

    async def examine(self, content: bytes) -> Examined:
        """What a file is, and whether it would run something by itself; beside the event loop."""
        async with self._looking:
            return await asyncio.to_thread(examine, content)

    async def reserve(
        self, connection: Connection, person: PersonReference, by: Actor, content: bytes, media_type: str
    ) -> Reserved:
        """Give a file its reference; the same file of the same person by the same account has one already.

        Raises TooManyWaiting, VaultFault.
        """
        sha256 = await asyncio.to_thread(lambda: hashlib.sha256(content).hexdigest())
        file_digest = hmac.new(self._digest_key, f"{person}\0{sha256}".encode(), hashlib.sha256).digest()
        await connection.execute(SQL.one_at_a_time, file_digest)
        row = await connection.fetchrow(SQL.find_same, person, by.subject, file_digest)
        if row is None:
            await connection.execute(SQL.one_count_at_a_time, by.subject)
            if await connection.fetchval(SQL.count_waiting, by.subject) >= self.policy.waiting_at_most:
                raise TooManyWaiting
            content_key = AESGCM.generate_key(bit_length=256)
            reference = await self._vault.keep_document_key(connection, person, content_key)
            facts = (reference, person, by.subject, file_digest, sha256, len(content), media_type)
            return Reserved(_document(await connection.fetchrow(SQL.insert_document, *facts)), content_key)
        if row["stored_at"] is not None:
            return Reserved(_document(row), None)
        # Sent before, and lost on the way to the store: it is stored now, under the reference it has.
        key = await self._key_of(connection, row["document_id"], by, "store-document", None)
        return Reserved(_document(row), key if isinstance(key, bytes) else None)

    async def store(self, reserved: Reserved, content: bytes) -> None:
        """Bring a reserved file into the object store; again is harmless. Raises DocumentsAway."""
        if reserved.content_key is None:
            return
        closed = await asyncio.to_thread(_close, reserved.content_key, reserved.document, content)
        try:
            await obstore.put_async(self._store, _path(reserved.document.reference), closed)
        except (BaseError, OSError) as error:
            raise DocumentsAway from error

    async def mark_stored(self, connection: Connection, reference: DocumentReference) -> bool:
        """Say that the file lies in the object store: from now on it can be read. True for who says it first."""
        return await connection.fetchval(SQL.mark_stored, reference) is not None

    async def find(self, connection: Connection, references: Sequence[str]) -> dict[str, Found]:
        """What is known of documents; those that are not there, or not stored yet, are left out."""
        rows = await connection.fetch(SQL.find_documents, list(references))
        return {row["document_id"]: Found(document=_document(row), uploader=row["uploader"]) for row in rows}

    async def cases_of(self, connection: Connection, reference: DocumentReference) -> tuple[str, ...]:
        """The cases in which a document stands. The chain of each is walked: ask only where it matters."""
        return tuple(row["case_id"] for row in await connection.fetch(SQL.cases_of_document, reference))

    async def key_for_reading(
        self,
        connection: Connection,
        reference: DocumentReference,
        reader: Actor,
        case_id: str | None,
        purpose: str = SHOW_DOCUMENT,
    ) -> bytes | Tombstone:
        """The key of a document for this reader; the reading is recorded. A tombstone once the person was erased."""
        return await self._key_of(connection, reference, reader, purpose, case_id)

    async def open(self, document: Document, content_key: bytes) -> bytes:
        """The file as it was sent, or nothing of it. Raises DocumentsAway, VaultDamaged (changed, exchanged or gone)."""
        try:
            stored = await obstore.get_async(self._store, _path(document.reference))
            closed = bytes(await stored.bytes_async())
        except (NotFoundError, FileNotFoundError):
            raise VaultDamaged(document.reference) from None
        except (BaseError, OSError) as error:
            raise DocumentsAway from error
        return await asyncio.to_thread(_open, content_key, document, closed)

    async def clear_erased(self, pool: asyncpg.Pool) -> int:
        """Take the files of erased persons out of the object store, up to a hundred; how many. Raises DocumentsAway."""
        async with pool.acquire() as connection:
            rows = await connection.fetch(SQL.files_of_erased, CLEARED_AT_ONCE)
            for row in rows:
                try:
                    with suppress(NotFoundError, FileNotFoundError):  # gone is what is wanted
                        await obstore.delete_async(self._store, _path(row["document_id"]))
                except (BaseError, OSError) as error:
                    raise DocumentsAway from error
                await connection.execute(SQL.mark_cleared, row["document_id"])
        return len(rows)

    async def _key_of(
        self, connection: Connection, reference: str, reader: Actor, purpose: str, case_id: str | None
    ) -> bytes | Tombstone:
        return await self._vault.read_document_key(connection, reference, reader, purpose, case_id)


def _document(row: asyncpg.Record | None) -> Document:
    if row is None:
        raise LookupError("a document's row has gone inside its own transaction")
    return Document(
        reference=row["document_id"],
        sha256=row["sha256"],
        size_bytes=row["size_bytes"],
        media_type=row["media_type"],
    )


def _path(reference: str) -> str:
    opaque = reference.removeprefix("document:")
    return f"{opaque[:6]}/{opaque}"  # the first six change every day or so: no folder grows without end


def _close(content_key: bytes, document: Document, content: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(content_key).encrypt(nonce, content, _bound(document))


def _open(content_key: bytes, document: Document, closed: bytes) -> bytes:
    try:
        return AESGCM(content_key).decrypt(closed[:NONCE_BYTES], closed[NONCE_BYTES:], _bound(document))
    except (InvalidTag, ValueError):
        raise VaultDamaged(document.reference) from None


def _bound(document: Document) -> bytes:
    return f"jiceng document 1\0{document.reference}\0{document.media_type}\0{document.sha256}".encode()
