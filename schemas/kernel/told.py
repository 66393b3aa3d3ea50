"""What a case tells the ledger with the answer to a command, and what a command tells a case of the ledger (decision 0011).

    command --> case:  how far the ledger had it when the command was accepted (`Written`)
    case --> answer:   all that the ledger is not known to have: entries, notices, what changed of the row (`Told`)

The answer stands in the history before anybody writes it down. So it is kept short: what an entry has of the command that is
answered is not said again, and of the row only what changed since the ledger is known to have had it.
"""

from datetime import datetime
from typing import Any

from pydantic import Field

from schemas.kernel.notice import Notice
from schemas.kernel.row_change import RowChange
from schemas.values.actor import Stamp
from schemas.values.model import Model


class EntryTold(Model):
    """An entry without what follows from its place and from the command that is answered.

    `own`: it is of the command that is answered. Else `stamp` and `command_digest` are those of another command; None: the case
    did it by itself.
    """

    at: datetime
    kind: str
    facts: dict[str, Any] = {}
    own: bool = True
    stamp: Stamp | None = Field(default=None, exclude_if=lambda stamp: stamp is None)
    command_digest: str = Field(default="", exclude_if=lambda digest: not digest)


class Told(Model):
    """All that the ledger is not known to have. `after_seq` and `after_hash` are of the entry that it is known to have.

    `head_hash` is that of the last entry, and all others lead to it. `command_digest` is that of the command that is answered, as
    its entries have it; empty where none of them is new. `notices` have their places. Runs and `task_at` are as in `Batch`
    (schemas/audit/ledger.py).
    """

    after_seq: int
    after_hash: str
    head_hash: str
    entries: tuple[EntryTold, ...]
    command_digest: str = Field(default="", exclude_if=lambda digest: not digest)
    notices: tuple[Notice, ...] = Field(default=(), exclude_if=lambda notices: not notices)
    row: RowChange
    task_at: datetime
    run_id: str
    first_run_id: str
    made_by_reset: bool = Field(default=False, exclude_if=lambda made: not made)

    @property
    def seq(self) -> int:
        """The number of the last entry."""
        return self.after_seq + len(self.entries)


class WriteAsked(Model):
    """Somebody could not write what the case with this number told with an answer: it is to do it itself, up to entry `seq`."""

    case_id: str
    seq: int
