"""What a town has in Postgres, in memory, for a bench (tests/case_bench.py): the tables, asked by the town's own queries."""

import asyncio
import hashlib
import itertools
import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from activities.children import SQL as CHILDREN
from activities.ledger import QUERIES as LEDGER
from audit.bundle.check_bundle import chain_of
from engine.store.likenesses import SQL as LIKENESSES
from engine.store.refusals import KEEP
from engine.vault.person_identity import PersonIdentity
from engine.vault.vault import Kept, PersonDetails
from schemas.contracts.payment import ReceiptLine
from schemas.kernel.row_change import RowChange
from schemas.values.references import PersonReference, TextReference, Tombstone, Withheld
from starter.intake.postbox import SQL as INTAKE

Values = dict[str, Any]

_BESIDE = ("task_at", "first_run_id", "row_digest")
"""What the table of cases has beside what a case tells of itself."""

BY_ITSELF = "by itself"
TOGETHER = "together"
ENDED = "case:ended"


@dataclass
class Tables:
    """For `Ledger`, the guard, deliveries and openings, and for who looks. Asked something that it does not know, it fails.

    Entries and rows by case, refusals, flushes that were tried again, and the likenesses of who is spoken of. `made`: rows that
    came out of a change, each with the name that its case gave it. `incoming`: what came in at the bank, by reference.
    """

    entries: dict[str, dict[tuple[int, str], Values]] = field(default_factory=lambda: defaultdict(dict))
    rows: dict[str, Values] = field(default_factory=dict)
    notices: dict[str, dict[tuple[int, int], Values]] = field(default_factory=lambda: defaultdict(dict))
    refusals: list[tuple[Any, ...]] = field(default_factory=list)
    retries: dict[str, int] = field(default_factory=dict)
    likenesses: set[tuple[bytes, str, str]] = field(default_factory=set)
    made: dict[str, list[tuple[str, Values]]] = field(default_factory=lambda: defaultdict(list))
    incoming: dict[str, list[ReceiptLine]] = field(default_factory=lambda: defaultdict(list))
    written: asyncio.Event = field(default_factory=asyncio.Event)

    async def execute(self, query: str, *row: Any) -> None:
        """Keep a refusal, a flush that is tried again, or what a case states of its people."""
        if query == KEEP:
            self.refusals.append(row)
        elif query == LEDGER.note_retry:
            self.retries[row[0]] = row[1]
        elif query == LIKENESSES.keep:
            case_id, digests, people = row
            self.likenesses |= {(digest, person, case_id) for digest, person in zip(digests, people, strict=True)}
        else:
            raise LookupError(query)

    async def fetchval(self, query: str, *asked: Any) -> Any:
        """Write a batch, or say whose child a case is, or whether it stands. A case of today has a first run."""
        if query == LEDGER.write_case:
            return self._flush(*asked)
        if query == CHILDREN.parent_of:
            row = self.rows.get(asked[0])
            return None if row is None else row["snapshot"]["parent"]
        if query == INTAKE.case_stands:
            return asked[0] in self.rows
        raise LookupError(query)

    async def fetchrow(self, query: str, *asked: Any) -> Values:
        """Write what was told with an answer, and say how its submission is settled; nothing waits behind one here."""
        settled = {"word": "written", "settled_at": datetime.now(UTC), "more": False, "version": None, "snapshot": None}
        if query == INTAKE.settle:
            return settled
        if query == INTAKE.settle_told:
            _, _, _, case_id, whole, change, onto, *told, _ = asked
            word = self._tell(case_id, change, onto, *told) if whole is None else self._flush_told(whole, *told)
            return settled | {"word": word}
        raise LookupError(query)

    async def fetch(self, query: str, case_id: str, *named: Collection[str]) -> list[Values]:
        """The living cases that have something of this one. Nothing is reserved here, so nobody is found by that."""
        if query == LIKENESSES.same_person:
            return []
        if query == LIKENESSES.possibly_same:
            found = self._possibly_same(case_id)
        elif query == LIKENESSES.same_file:
            found = self._same_file(case_id, named[0])
        else:
            raise LookupError(query)
        return [{"case_id": each} for each in sorted(found)]

    def head(self, case_id: str) -> tuple[int, str]:
        """Seq and hash that the row names."""
        return self.rows[case_id]["seq"], self.rows[case_id]["head_hash"]

    def chain(self, case_id: str) -> list[Values]:
        """The entries from the first to the head."""
        return chain_of(list(self.entries[case_id].values()), self.head(case_id))

    def kinds(self, case_id: str) -> list[str]:
        """Their kinds."""
        return [entry["kind"] for entry in self.chain(case_id)]

    def facts(self, case_id: str) -> list[Values]:
        """Their facts."""
        return [json.loads(entry["body"])["facts"] for entry in self.chain(case_id)]

    def told(self, case_id: str) -> list[str]:
        """Who was told what: `AFTER: RECIPIENT TEMPLATE`, first by commands in their order, then, sorted, `by itself`.

        After which entry: the first that a command, or the opening, has made. Answers from outside, clocks and other cases come in
        any order, and several in one task, so that none of them is named. `together`: a command came in one task with such.
        """
        chain, said = {entry["seq"]: entry for entry in self.chain(case_id)}, []
        for (first, _), notice in sorted(self.notices[case_id].items()):
            told = [chain[seq] for seq in range(first, notice["last"] + 1)]
            said.append(f"{_after(told)}: {notice['recipient']} {notice['template']}")
        by_itself = [line for line in said if line.startswith(BY_ITSELF)]
        return [*(line for line in said if line not in by_itself), *sorted(by_itself)]

    def _flush(
        self,
        told: str,
        entries: Sequence[Values],
        notices: Sequence[Values],
        run_id: str,
        task_at: datetime,
        first_run_id: str | None,
        after_reset: bool,  # noqa: FBT001 - as write_case has it
        digest: str,
    ) -> str:
        """`write_case` of 20261201000001_told_with_answers.sql, for cases of today in a town never restored."""
        row = json.loads(told)
        case_id, first, kept = row["case_id"], entries[0], self.entries[row["case_id"]]
        follows = (first["seq"] - 1, first["prev_hash"])
        if first["seq"] > 1 and follows not in kept:
            return "broken"
        if (known := self.rows.get(case_id)) is not None:
            if known["first_run_id"] != first_run_id:
                return "foreign"
            if (known["task_at"], known["seq"]) > (task_at, row["seq"]):
                return "written" if (entries[-1]["seq"], entries[-1]["hash"]) in kept else "stale"
            if not after_reset and self._puts_aside(case_id, follows, run_id):
                return "turned-back"
        self.rows[case_id] = {**row, "task_at": task_at, "first_run_id": first_run_id, "row_digest": digest}
        self._put(case_id, entries, notices, run_id, task_at)
        return "written"

    def _flush_told(
        self, whole: str, digest: str, entries: Sequence[Values], notices: Sequence[Values], run_id: str, task_at: datetime,
        first_run_id: str, after_reset: bool,  # noqa: FBT001 - as settle_told has it
    ) -> str:  # fmt: skip
        """The same, its arguments in the order of `settle_told`."""
        return self._flush(whole, entries, notices, run_id, task_at, first_run_id, after_reset, digest)

    def _tell(
        self,
        case_id: str,
        change: Mapping[str, Any],
        onto: Sequence[str],
        digest: str,
        entries: Sequence[Values],
        notices: Sequence[Values],
        run_id: str,
        task_at: datetime,
        first_run_id: str,
        _after_reset: bool,  # noqa: FBT001 - as settle_told has it
    ) -> str:
        """`tell_case`, as the same migration has it."""
        known, last = self.rows[case_id], (entries[-1]["seq"], entries[-1]["hash"])
        if last in self.entries[case_id]:
            return "written"
        if known["row_digest"] not in onto or known["first_run_id"] != first_run_id or known["task_at"] > task_at:
            return "unlike"
        row = {name: value for name, value in known.items() if name not in _BESIDE}
        made = RowChange(digest=digest, onto=tuple(onto), **change).put_onto(row)
        self.made[case_id].append((digest, made))
        self.rows[case_id] = {**made, "task_at": task_at, "first_run_id": first_run_id, "row_digest": digest}
        self._put(case_id, entries, notices, run_id, task_at)
        return "written"

    def _put(
        self, case_id: str, entries: Sequence[Values], notices: Sequence[Values], run_id: str, task_at: datetime
    ) -> None:
        """`put_told`: nobody is told of a notice here, so that of what was to be told only the last word stands."""
        first_seq, kept, outbox = entries[0]["seq"], self.entries[case_id], self.notices[case_id]
        for entry in entries:
            plain = {**entry, "at": entry["at"].isoformat(), "task_at": task_at.isoformat(), "run_id": run_id}
            kept.setdefault((entry["seq"], entry["hash"]), {"case_id": case_id, **plain})
        before = {place: outbox.pop(place) for place in [place for place in outbox if place[0] >= first_seq]}
        for notice in notices:
            place = (notice["seq"] or first_seq, notice["position"])
            told_first_with = before.get(place, {}).get("last", entries[-1]["seq"])
            outbox[place] = {**notice, "last": told_first_with}
        self.written.set()
        self.written = asyncio.Event()

    def _puts_aside(self, case_id: str, follows: tuple[int, str], by_run: str) -> bool:
        """Whether what another run told would not lead to the head any more; nothing is put aside by what follows the head."""
        if follows == self.head(case_id):
            return False
        kept = chain_of(list(self.entries[case_id].values()), follows)
        return any(
            entry["run_id"] != by_run and entry["kind"] not in {"case:terminated", "case:reset"}
            for entry in self.chain(case_id)
            if entry not in kept
        )

    def _lives(self, case_id: str) -> bool:
        row = self.rows.get(case_id)
        return row is None or (not row["ended"] and row["closed_at"] is None)

    def _possibly_same(self, case_id: str) -> set[str]:
        mine = {(digest, person) for digest, person, case in self.likenesses if case == case_id}
        digests = {digest for digest, _ in mine}
        return {
            case
            for digest, person, case in self.likenesses
            if case != case_id and digest in digests and (digest, person) not in mine and self._lives(case)
        }

    def _same_file(self, case_id: str, files: Collection[str]) -> set[str]:
        return {
            case
            for case, row in self.rows.items()
            if case != case_id
            and row["procedure"] == "welfare"
            and self._lives(case)
            and any(document["sha256"] in files for document in row["snapshot"]["documents"])
        }


def _after(told: Sequence[Values]) -> str:
    """After what the notices came that were written with these entries."""
    stamped = [json.loads(entry["body"])["stamp"] is not None for entry in told if entry["kind"] != ENDED]
    if not any(stamped):
        return BY_ITSELF
    return str(told[0]["kind"]) if all(stamped) or told[0]["seq"] == 1 else TOGETHER


class OpenVault:
    """Gives references as the vault does, and closes nothing: no text leaves the memory of the test."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._people: dict[bytes, PersonReference] = {}
        self.texts: dict[str, str] = {}

    def _reference(self, kind: str) -> str:
        return f"{kind}:{next(self._numbers):026d}"

    async def keep(  # the parameters of engine.vault.vault.Vault.keep
        self,
        _connection: object,
        identity: PersonIdentity | None,
        texts: Mapping[str, str],
        details: PersonDetails | None = None,
        *,
        case_id: str | None,
    ) -> Kept:
        """Keep a person and texts."""
        index = identity.blind_index(bytes(32)) if identity else self._reference("nobody").encode()
        person = self._people.setdefault(index, self._reference("person"))
        stated = None if details is None else self._reference("text")
        return Kept(person=person, texts=await self.keep_texts(None, person, texts, case_id=case_id), details=stated)

    async def keep_texts(
        self, _connection: object, _person: PersonReference, texts: Mapping[str, str], *, case_id: str | None
    ) -> dict[str, TextReference]:
        """Keep texts of somebody."""
        del case_id
        references = {kind: self._reference("text") for kind in texts}
        self.texts |= {references[kind]: text for kind, text in texts.items()}
        return references

    async def read_texts(
        self, references: Sequence[TextReference], _purpose: str, _case_id: str
    ) -> dict[TextReference, str | Tombstone | Withheld]:
        """The texts that were kept."""
        return {each: self.texts.get(each, Withheld()) for each in references}

    def likeness(self, name: str, birth: date) -> bytes:
        """A digest of a name and a day of birth."""
        return hashlib.sha256(f"{birth.isoformat()} {name}".encode()).digest()

    def document(self) -> str:
        """The reference of a new document."""
        return self._reference("document")
