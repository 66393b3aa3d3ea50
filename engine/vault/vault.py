"""The vault: names, addresses, phones and free texts, each closed with the key of the person it belongs to.

A master key closes the person's key, the person's key closes their texts, and each text is bound to its own
reference, person and kind: a row that is exchanged for another does not open. Erasing a person destroys their key. All
methods work inside the caller's transaction, so what is kept and who read it stand or fall with what the caller does.
"""

import hashlib
import hmac
import os
import re
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from pydantic import BaseModel, ConfigDict, Field

from engine.keys.keys import Keys
from engine.store.database import Queries
from engine.vault.person_identity import PersonIdentity
from engine.vault.vault_seal import VaultFault, new_person_key, seal, unseal, unwrap, wrap
from schemas.values.actor import Actor
from schemas.values.case_number import wholes_of
from schemas.values.document import DocumentReference
from schemas.values.references import PersonReference, TextReference, Tombstone, Withheld

Connection = asyncpg.Connection | PoolConnectionProxy
DETAILS = "person_details"
DOCUMENT = "document"
ATTEMPTS_MAX = 5
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_KIND = re.compile(r"[a-z][a-z0-9_]{0,39}")
_PURPOSE = re.compile(r"[a-z][a-z0-9_-]{0,63}")


class PersonUnknown(VaultFault):
    """There is no such person in the vault."""


class PersonErased(VaultFault):
    """This person was erased: nothing more can be kept of them. Find or create them anew."""


class TextUnknown(VaultFault):
    """There is no such text in the vault."""


class PurposeMissing(VaultFault):
    """A read needs a purpose that the record can hold: a code such as `show-case`, of a-z, 0-9, `-` and `_`."""


class KindUnusable(VaultFault):
    """A kind is a code such as `description`, of a-z, 0-9 and `_`, at most 40 characters."""


class PersonDetails(BaseModel):
    """What was stated of a person in one place. Lives in the vault only; prints nothing of itself.

    `document_kind`: of which document `identity_number` is the number; None: the identity number of a citizen.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: str | None = Field(default=None, repr=False)
    phone: str | None = Field(default=None, repr=False)
    identity_number: str | None = Field(default=None, repr=False)
    document_kind: str | None = Field(default=None, repr=False)
    address: str | None = Field(default=None, repr=False)


@dataclass(frozen=True)
class Kept:
    """What came of keeping a person with texts: references, fit to stand in a case. `details`: of this statement alone."""

    person: PersonReference
    texts: Mapping[str, TextReference]
    details: TextReference | None


class VaultQueries(Queries):
    """The SQL of the vault."""

    find_or_insert_person: str
    find_person: str
    open_person: str
    insert_items: str
    read_items: str
    read_items_of_cases: str
    read_statement: str
    stated_at_start: str
    erase_person: str
    empty_items_of_person: str


SQL = VaultQueries.load("vault")


class Vault:
    """Keeps and gives personal data. Holds keys only; every method takes the connection of the caller's transaction."""

    def __init__(self, keys: Keys) -> None:
        """`keys` gives the master keys and the key of the blind index."""
        self._masters = keys.vault
        self._blind_key = keys.blind_index.active

    async def find_or_create_person(self, connection: Connection, identity: PersonIdentity | None) -> PersonReference:
        """The person of that identity, made when there is none; with None always a new one, whom nobody can find again.

        Two callers at once get the same person. One round trip. Raises VaultFault.
        """
        return (await self._open_or_create(connection, identity))[0]

    async def find_person(self, connection: Connection, identity: PersonIdentity) -> PersonReference | None:
        """The person of that identity, if the vault has one; never makes one."""
        found: PersonReference | None = await connection.fetchval(
            SQL.find_person, identity.blind_index(self._blind_key)
        )
        return found

    def likeness(self, name: str, birth: date) -> bytes:
        """A keyed digest of a name and a day of birth, in one form: the same ones have the same, and it tells nothing else."""
        return hmac.new(
            self._blind_key, f"jiceng likeness 1 {birth.isoformat()} {name}".encode(), hashlib.sha256
        ).digest()

    async def is_erased(self, connection: Connection, person: PersonReference) -> bool:
        """Whether a person was erased; held until the transaction ends. Raises PersonUnknown, VaultFault."""
        try:
            await self._open(connection, person)
        except PersonErased:
            return True
        return False

    async def keep(
        self,
        connection: Connection,
        identity: PersonIdentity | None,
        texts: Mapping[str, str],
        details: PersonDetails | None = None,
        *,
        case_id: str | None,
    ) -> Kept:
        """Keep a person, their details and texts by kind, all in two round trips. Raises VaultFault.

        `case_id`: the case in which the texts are kept, and for which alone they will be given; None: for no case.
        """
        person, person_key = await self._open_or_create(connection, identity)
        items = dict(texts)
        if details is not None:
            items[DETAILS] = details.model_dump_json(exclude_none=True)
        kept = await self._insert(connection, person, person_key, items, case_id)
        return Kept(person=person, details=kept.pop(DETAILS, None), texts=kept)

    async def keep_texts(
        self, connection: Connection, person: PersonReference, texts: Mapping[str, str], *, case_id: str | None
    ) -> dict[str, TextReference]:
        """Keep texts by kind of a known person, in two round trips; `case_id` as in `keep`.

        Raises PersonUnknown, PersonErased, VaultFault.
        """
        return await self._insert(connection, person, await self._open(connection, person), texts, case_id)

    async def keep_text(
        self, connection: Connection, person: PersonReference, kind: str, text: str, *, case_id: str | None
    ) -> TextReference:
        """Keep one text. As `keep_texts`."""
        return (await self.keep_texts(connection, person, {kind: text}, case_id=case_id))[kind]

    async def keep_document_key(
        self, connection: Connection, person: PersonReference, content_key: bytes
    ) -> DocumentReference:
        """Keep the key of one document; the reference it gets is the document's. Raises as `keep_text`.

        It belongs to no case: in which cases a document stands, their entries say.
        """
        person_key, reference = await self._open(connection, person), _new_reference(DOCUMENT)
        nonce, ciphertext = seal(person_key, reference, person, DOCUMENT, content_key.hex())
        await connection.execute(SQL.insert_items, person, [reference], [DOCUMENT], [nonce], [ciphertext], None)
        return reference

    async def read_texts(  # noqa: PLR0917 - who reads what, why, where
        self,
        connection: Connection,
        references: Sequence[TextReference],
        reader: Actor,
        purpose: str,
        case_id: str | None,
        told_by: Collection[str] = (),
    ) -> dict[TextReference, str | Tombstone | Withheld]:
        """Texts by reference, for a case; a tombstone where a person was erased. One round trip, which records who read.

        A case is given what was kept in it, in what it is a part of and in its own parts, and what the cases `told_by` told
        it; anything else is withheld, and so is what is not there. Without a case (`None`: the vault's own references,
        for whoever gives out or erases a person) everything is given.

        `purpose` is a code (`show-case`). Outside a transaction a fault while opening leaves the record of a read that
        gave nothing. Raises PurposeMissing, VaultKeyUnknown, VaultDamaged; without a case TextUnknown.
        """
        found = await self._read(connection, references, reader, purpose, case_id, _places(case_id, told_by))
        unknown = [reference for reference in references if reference not in found]
        if unknown and case_id is None:
            # Counted, not named: what is no reference may be a text that was put in its place.
            raise TextUnknown(f"Missing: {len(unknown)} of {len(references)} asked for.")
        return {**found, **dict.fromkeys(unknown, Withheld())}

    async def read_texts_of_cases(
        self, connection: Connection, wanted: Sequence[tuple[str, TextReference]], reader: Actor, purpose: str
    ) -> dict[TextReference, str | Tombstone | Withheld]:
        """Texts of many cases, each for the case that names it: what was kept in that very case, and nothing else of it.

        One round trip, which records each as read for its case. What is not there, or was kept in another case, is withheld.
        Raises PurposeMissing, VaultKeyUnknown, VaultDamaged.
        """
        if not _PURPOSE.fullmatch(purpose):
            raise PurposeMissing
        cases, references = [case for case, _ in wanted], [reference for _, reference in wanted]
        opened: dict[str, bytes] = {}
        rows = await connection.fetch(
            SQL.read_items_of_cases, references, cases, reader.subject, reader.role.value, purpose
        )
        found = {row["item_id"]: self._read_row(row, opened) for row in rows}
        return {reference: found.get(reference, Withheld()) for reference in references}

    async def read_document_key(
        self, connection: Connection, reference: DocumentReference, reader: Actor, purpose: str, case_id: str | None
    ) -> bytes | Tombstone:
        """The key of a document; who asks has found that the document stands in the case. Recorded as `read_texts`.

        Raises TextUnknown and as `read_texts`.
        """
        found = (await self._read(connection, [reference], reader, purpose, case_id, None)).get(reference)
        if found is None:
            raise TextUnknown("Missing: the key of a document.")
        return found if isinstance(found, Tombstone) else bytes.fromhex(found)

    async def stated_at_start(
        self, connection: Connection, person: PersonReference, case_id: str
    ) -> TextReference | None:
        """What was stated of a person where a case started that does not remember it: kept in one transaction with its texts."""
        found: TextReference | None = await connection.fetchval(SQL.stated_at_start, person, DETAILS, case_id)
        return found

    async def read_statement(
        self,
        connection: Connection,
        person: PersonReference,
        statement: TextReference | None,
        reader: Actor,
        *,
        purpose: str,
        case_id: str,
    ) -> PersonDetails | Tombstone | None:
        """What was stated of a person in a case, and nothing that anybody stated of them elsewhere; None: nothing was.

        Args:
            connection: of the caller's transaction.
            person: whom it is about.
            statement: the reference that the case keeps; None of a case from before cases kept it: then what was kept in
                the transaction of its own start.
            reader: who reads; recorded as in `read_texts`.
            purpose: a code.
            case_id: the case.

        Raises:
            PurposeMissing: the purpose is no code.
            VaultFault: it does not open.
        """
        if not _PURPOSE.fullmatch(purpose):
            raise PurposeMissing
        reference = statement or await self.stated_at_start(connection, person, case_id)
        if reference is None:
            return None
        arguments = (reference, person, DETAILS, reader.subject, reader.role.value, purpose, case_id)
        row = await connection.fetchrow(SQL.read_statement, *arguments)
        if row is None:
            return None
        found = self._read_row(row, {})
        return found if isinstance(found, Tombstone) else PersonDetails.model_validate_json(found)

    async def erase(self, connection: Connection, person: PersonReference, by: Actor, basis: str) -> datetime:
        """Destroy a person's key and texts for ever; returns when. `basis` is the legal basis, without personal data.

        Raises PersonUnknown, and PersonErased when it was done before.
        """
        async with connection.transaction():
            erased_at: datetime | None = await connection.fetchval(SQL.erase_person, person, by.subject, basis)
            if erased_at is None:
                await self._open(connection, person)  # says which of the two it is
                raise PersonErased(person)
            # A statement of its own: while the first one waited for the person, others may have kept more texts.
            await connection.execute(SQL.empty_items_of_person, person)
        return erased_at

    async def _read(  # noqa: PLR0917 - as read_texts
        self,
        connection: Connection,
        references: Sequence[str],
        reader: Actor,
        purpose: str,
        case_id: str | None,
        places: tuple[list[str], list[str]] | None,
    ) -> dict[str, str | Tombstone]:
        """What is found of these items, in these places only (`None`: wherever it was kept)."""
        if not _PURPOSE.fullmatch(purpose):
            raise PurposeMissing
        exact, wholes = places or (None, None)
        arguments = (list(references), reader.subject, reader.role.value, purpose, case_id, exact, wholes)
        opened: dict[str, bytes] = {}
        return {
            row["item_id"]: self._read_row(row, opened) for row in await connection.fetch(SQL.read_items, *arguments)
        }

    async def _open_or_create(
        self, connection: Connection, identity: PersonIdentity | None
    ) -> tuple[PersonReference, bytes]:
        blind_index = identity.blind_index(self._blind_key) if identity else None
        person, person_key = _new_reference("person"), new_person_key()
        arguments = (person, blind_index, *wrap(self._masters, person, person_key))
        for _ in range(ATTEMPTS_MAX):
            row = await connection.fetchrow(SQL.find_or_insert_person, *arguments)
            if row is not None:
                found = str(row["person_id"])
                return found, unwrap(self._masters, row["master_key_id"], found, row["wrapped_key"])
        raise VaultFault("A person was made and erased again and again by others: try once more.")

    async def _open(self, connection: Connection, person: PersonReference) -> bytes:
        row = await connection.fetchrow(SQL.open_person, person)
        if row is None:
            raise PersonUnknown
        if row["erased_at"] is not None:
            raise PersonErased(person)
        return unwrap(self._masters, row["master_key_id"], person, row["wrapped_key"])

    async def _insert(
        self,
        connection: Connection,
        person: PersonReference,
        person_key: bytes,
        texts: Mapping[str, str],
        case_id: str | None,
    ) -> dict[str, TextReference]:
        if any(not _KIND.fullmatch(kind) for kind in texts):
            raise KindUnusable
        if not texts:
            return {}
        references = {kind: _new_reference("text") for kind in texts}
        sealed = [seal(person_key, references[kind], person, kind, text) for kind, text in texts.items()]
        nonces, ciphertexts = zip(*sealed, strict=True)
        await connection.execute(
            SQL.insert_items,
            person,
            list(references.values()),
            list(references),
            list(nonces),
            list(ciphertexts),
            case_id,
        )
        return references

    def _read_row(self, row: asyncpg.Record, opened: dict[str, bytes]) -> str | Tombstone:
        if row["erased_at"] is not None:
            return Tombstone(erased_at=row["erased_at"])
        person = row["person_id"]
        if person not in opened:
            opened[person] = unwrap(self._masters, row["master_key_id"], person, row["wrapped_key"])
        sealed = (row["nonce"] or b"", row["ciphertext"] or b"")
        return unseal(opened[person], row["item_id"], person, row["kind"], sealed)


def _places(case_id: str | None, told_by: Collection[str]) -> tuple[list[str], list[str]] | None:
    """Where what a case may read was kept: in just these cases, or in a part of one of those."""
    if case_id is None:
        return None
    return [case_id, *wholes_of(case_id), *told_by], [case_id, *told_by]


def _new_reference(prefix: str) -> str:
    """A ULID: milliseconds, so that new rows lie side by side in the index, then 80 random bits."""
    number = time.time_ns() // 1_000_000 << 80 | int.from_bytes(os.urandom(10))
    return f"{prefix}:" + "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))
