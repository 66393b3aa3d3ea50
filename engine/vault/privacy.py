"""What the town does with persons as such: gives out what it holds of them, erases them, says who is due for it.

Erasing destroys the person's key, and with it every text and document; references stay, and read as tombstones. So cases,
their histories and chains stay as they are. Whoever stands in a case that still runs is not erased: it may need them.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import asyncpg

from engine.policies.privacy_policy import years_by_procedure
from engine.store.database import Queries
from engine.vault.documents import Documents
from engine.vault.person_identity import PersonIdentity
from engine.vault.privacy_log import entries, note
from engine.vault.vault import DETAILS, DOCUMENT, Connection, PersonDetails, PersonUnknown, Vault
from engine.vault.vault_seal import VaultFault
from schemas.kernel.privacy import (
    ERASED,
    EXPORTED,
    REFUSED,
    CaseOfPerson,
    Due,
    Erasure,
    KeptDocument,
    KeptText,
    NamedAs,
    PersonExport,
    PersonReading,
    PrivacyPolicy,
    roles_in,
)
from schemas.kernel.procedure import Procedure
from schemas.values.actor import Actor
from schemas.values.person_views import masked_name
from schemas.values.references import PersonReference, TextReference, Tombstone, Withheld

EXPORT_PURPOSE = "privacy-export"


class PrivacyQueries(Queries):
    """engine/queries/privacy.sql."""

    hold_person: str
    cases_of_person: str
    accounts_of_person: str
    on_the_way: str
    items_of_person: str
    items_in_case: str
    entries_away: str
    documents_of_person: str
    readings_of_person: str
    note_erasing: str
    due: str


SQL = PrivacyQueries.load("privacy")


class NotInCase(VaultFault):
    """This person does not stand in that case."""


class StillNeeded(VaultFault):
    """Cases of this person still run, and what they sent may be needed there. Close them first, and wait until they have ended."""

    def __init__(self, cases: Sequence[CaseOfPerson], submissions: Sequence[str]) -> None:
        """`submissions`: what was accepted and is still to be delivered."""
        named = [f"{case.case_id} ({case.stage or 'starting'})" for case in cases]
        super().__init__(", ".join([*named, *(f"submission {each}" for each in submissions)]))
        self.cases, self.submissions = tuple(cases), tuple(submissions)


class Persons:
    """Gives out and erases. Each method is a transaction of its own, recorded with who did it."""

    def __init__(self, pool: asyncpg.Pool, vault: Vault, documents: Documents) -> None:
        self._pool = pool
        self._vault = vault
        self._documents = documents

    async def erase(self, person: PersonReference, by: Actor, basis: str, at: datetime) -> Erasure:
        """Erase a person for ever; a second time says what the first one did. `basis`: the law, no personal data.

        Raises PersonUnknown; StillNeeded, which stands in the log too; DocumentsAway: the person is erased, their files, noise
        without the key, are still in the object store, and the same command takes them away.
        """
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                erasure = await self._erase(connection, person, by, basis, at)
        except StillNeeded as needed:
            async with self._pool.acquire() as connection, connection.transaction():
                cases = [case.case_id for case in needed.cases]
                facts = {"basis": basis, "cases": cases, "submissions": list(needed.submissions)}
                await note(connection, REFUSED, person=person, by=by, facts=facts, at=at)
            raise
        while await self._documents.clear_erased(self._pool):
            pass
        return erasure

    async def named_as(self, person: PersonReference, by: Actor) -> tuple[NamedAs, ...]:
        """What each case calls a person, masked: a phone number may be a family's. That it was read is recorded."""
        async with self._pool.acquire() as connection, connection.transaction():
            await _hold(connection, person)
            stated = await self._stated_in(connection, person)
            words = await self._vault.read_texts(connection, list(stated.values()), by, EXPORT_PURPOSE, None)
        names = {case_id: name for case_id, reference in stated.items() if (name := _name(words[reference]))}
        different = list(dict.fromkeys(names.values()))
        return tuple(
            NamedAs(case_id=case_id, name=masked_name(name), who=different.index(name) + 1)
            for case_id, name in names.items()
        )

    async def export(
        self, person: PersonReference, by: Actor, at: datetime, only_case: str | None = None
    ) -> PersonExport:
        """All that is held of a person, or what of them stands in one case: where several people share a phone number.

        That it was read is recorded. Raises PersonUnknown, VaultFault; NotInCase.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            row = await _hold(connection, person)
            items = await connection.fetch(SQL.items_of_person, person)
            cases, stated_in = await _cases(connection, person), await self._stated_in(connection, person)
            documents = await connection.fetch(SQL.documents_of_person, person)
            readings = await connection.fetch(SQL.readings_of_person, person)
            away = None
            if only_case is not None:
                away = await connection.fetchval(SQL.entries_away, only_case)
                cases = [case for case in cases if case.case_id == only_case]
                if not cases:
                    raise NotInCase(only_case)
                here = {each["item_id"] for each in await connection.fetch(SQL.items_in_case, person, only_case)}
                here |= {stated_in[only_case]} if only_case in stated_in else set()
                items = [item for item in items if item["item_id"] in here]
                documents = [document for document in documents if document["document_id"] in here]
                readings = [reading for reading in readings if reading["item_id"] in here]
            # The key of a document is no text; the document stands in its own list.
            texts = [item for item in items if item["kind"] != DOCUMENT]
            words = await self._vault.read_texts(
                connection, [item["item_id"] for item in texts], by, EXPORT_PURPOSE, None
            )
            facts = {"references": [item["item_id"] for item in items]}
            await note(connection, EXPORTED, person=person, by=by, facts=facts, at=at)
            return PersonExport(
                person=person,
                also=() if only_case else await self._also(connection, person),
                shared=len({_name(words[item["item_id"]]) for item in texts if item["kind"] == DETAILS} - {None}) > 1,
                only_case=only_case,
                entries_away=away,
                known_since=row["created_at"],
                erased_at=row["erased_at"],
                details=tuple(
                    {
                        "reference": item["item_id"],
                        "kept_at": item["created_at"],
                        "stated_in": [case for case, reference in stated_in.items() if reference == item["item_id"]],
                        **_details(words[item["item_id"]]),
                    }
                    for item in texts
                    if item["kind"] == DETAILS
                ),
                texts=tuple(
                    KeptText(
                        reference=item["item_id"],
                        kind=item["kind"],
                        kept_at=item["created_at"],
                        text=str(words[item["item_id"]]),
                    )
                    for item in texts
                    if item["kind"] != DETAILS
                ),
                documents=tuple(map(_document, documents)),
                cases=tuple(cases),
                readings=tuple(map(_reading, readings)),
                log=()
                if only_case
                else tuple(entry.model_dump(mode="json") for entry in await entries(connection, person)),
            )

    async def due(
        self, policy: PrivacyPolicy, procedures: Iterable[Procedure], now: datetime, limit: int = 1000
    ) -> list[Due]:
        """Whose time of keeping has passed at a town time, the longest ago first; at most `limit` of them."""
        years = years_by_procedure(policy, procedures)
        days = policy.keep_days_without_case
        async with self._pool.acquire() as connection:
            rows = await connection.fetch(SQL.due, list(years), list(years.values()), now, days, limit)
        return [Due(person=row["person_id"], due_since=row["due_since"], cases=tuple(row["cases"])) for row in rows]

    async def _erase(
        self, connection: Connection, person: PersonReference, by: Actor, basis: str, at: datetime
    ) -> Erasure:
        row = await _hold(connection, person)
        items = await connection.fetch(SQL.items_of_person, person)
        documents = sum(item["kind"] == DOCUMENT for item in items)
        counts: dict[str, Any] = {"person": person, "texts": len(items) - documents, "documents": documents}
        if row["erased_at"] is not None:
            done = {"erased_at": row["erased_at"], "erased_by": row["erased_by"], "basis": row["erasure_basis"]}
            return Erasure(**counts, **done, repeated=True)
        running = [case for case in await _cases(connection, person) if not case.ended]
        on_the_way = await connection.fetch(SQL.on_the_way, person)
        if running or on_the_way:
            raise StillNeeded(running, [each["submission"] for each in on_the_way])
        also = await self._also(connection, person)
        await connection.execute(SQL.note_erasing, person, by.subject, by.role)
        erased_at = await self._vault.erase(connection, person, by, basis)
        facts = {"basis": basis, "references": [item["item_id"] for item in items]}
        await note(connection, ERASED, person=person, by=by, facts=facts, at=at)
        return Erasure(**counts, also=also, erased_at=erased_at, erased_by=by.subject, basis=basis)

    async def _stated_in(self, connection: Connection, person: PersonReference) -> dict[str, TextReference]:
        """By case, the statement about a person that was made in it."""
        found = {}
        for row in await connection.fetch(SQL.cases_of_person, person):
            snapshot = row["snapshot"] or {}
            statement = snapshot.get("statements", {}).get(person)
            if statement is None and not snapshot.get("charter", {}).get("people_as_stated"):
                statement = await self._vault.stated_at_start(connection, person, row["case_id"])
            if statement is not None:
                found[row["case_id"]] = statement
        return found

    async def _also(self, connection: Connection, person: PersonReference) -> tuple[str, ...]:
        """Who stands in the vault by the accounts from which this person's own cases came."""
        rows = await connection.fetch(SQL.accounts_of_person, person)
        found = [
            await self._vault.find_person(connection, PersonIdentity.account(row["reporter_subject"])) for row in rows
        ]
        return tuple(sorted({other for other in found if other is not None and other != person}))


async def _hold(connection: Connection, person: PersonReference) -> asyncpg.Record:
    row = await connection.fetchrow(SQL.hold_person, person)
    if row is None:
        raise PersonUnknown
    return row


async def _cases(connection: Connection, person: PersonReference) -> list[CaseOfPerson]:
    return [
        CaseOfPerson(
            **{name: row[name] for name in ("case_id", "procedure", "stage", "opened_at", "closed_at")},
            ended=bool(row["ended"]),
            roles=roles_in(row["snapshot"], person),
        )
        for row in await connection.fetch(SQL.cases_of_person, person)
    ]


def _name(words: str | Tombstone | Withheld) -> str | None:
    """The name in a statement, so that two writings of one name are the same; None without a name."""
    if not isinstance(words, str):
        return None
    name = PersonDetails.model_validate_json(words).name
    return unicodedata.normalize("NFKC", name).strip() or None if name else None


def _details(words: str | Tombstone | Withheld) -> dict[str, Any]:
    if not isinstance(words, str):
        return {"erased": str(words)}
    return PersonDetails.model_validate_json(words).model_dump(exclude_none=True)


def _document(row: asyncpg.Record) -> KeptDocument:
    names = ("sha256", "size_bytes", "media_type", "received_at", "cleared_at")
    return KeptDocument(reference=row["document_id"], cases=tuple(row["cases"]), **{name: row[name] for name in names})


def _reading(row: asyncpg.Record) -> PersonReading:
    names = ("at", "who", "role", "purpose", "case_id")
    return PersonReading(reference=row["item_id"], **{name: row[name] for name in names})
