"""Entries and notices as the functions of the ledger take them (engine/migrations/20261201000001_told_with_answers.sql)."""

from collections.abc import Iterable

from schemas.audit.ledger import entries_told
from schemas.kernel.case import Accepted, Entry
from schemas.kernel.notice import Notice
from schemas.kernel.told import Told
from schemas.values.actor import Stamp
from schemas.values.canonical import canonical_json


def entry_rows(entries: Iterable[Entry]) -> list[dict[str, object]]:
    """Entries as rows of the ledger; `body` is the canonical form of what their hash is over."""
    return [_row(entry) for entry in entries]


def notice_rows(notices: Iterable[Notice]) -> list[dict[str, object]]:
    """Notices as rows of the outbox. One without a place goes with the first entry of its batch, in the order given."""
    return [
        {
            "seq": notice.seq or None, "position": notice.position if notice.seq else place,
            "recipient": notice.to, "template": notice.template, "facts": notice.facts,
        }
        for place, notice in enumerate(notices)
    ]  # fmt: skip


def told_values(accepted: Accepted, told: Told, stamp: Stamp) -> tuple[object, ...]:
    """What `settle_told` takes of an answer: case, row or change, entries, notices, run. `stamp` is of the command it answers.

    Raises:
        BrokenChain: its entries do not come out as the case had them.
    """
    row = told.row
    parts = {"columns": row.columns, "snapshot": row.snapshot, "clocks": row.clocks, "views": row.views}
    return (
        accepted.case_id,
        row.whole or None,
        parts,
        list(row.onto),
        row.digest,
        entry_rows(entries_told(accepted, stamp)),
        notice_rows(told.notices),
        told.run_id,
        told.task_at,
        told.first_run_id,
        told.made_by_reset,
    )


def _row(entry: Entry) -> dict[str, object]:
    body = canonical_json(entry.model_dump(mode="json", exclude={"hash"})).decode()
    actor = f"{entry.actor.role}:{entry.actor.subject}"
    return {
        "seq": entry.seq, "at": entry.at, "kind": entry.kind, "actor": actor, "body": body,
        "prev_hash": entry.prev_hash, "hash": entry.hash,
    }  # fmt: skip
