"""What goes from a case into Postgres in one transaction: ledger entries, the projection row and the outbox of notices."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic_core import to_json

from schemas.clocks.clocks import ClockView, Status
from schemas.kernel.case import ENGINE, GENESIS, Accepted, CaseState, Entry
from schemas.kernel.notice import Notice
from schemas.values.actor import Stamp
from schemas.values.model import Model


class Projection(Model):
    """The row of a case that inboxes, lists and indicators read. `due_at` is the earliest due time that still runs."""

    case_id: str
    procedure: str
    stage: str
    area: str
    department: str | None
    involved: tuple[str, ...] = ()
    holder: str
    labels: dict[str, str]
    opened_at: datetime
    closed_at: datetime | None
    ended: bool
    due_at: datetime | None
    due_clock: str | None
    seq: int
    head_hash: str
    clocks: list[ClockView]
    snapshot: dict[str, Any]


class Batch(Model):
    """All that is pending in a case, in one go. `task_at` is the real time of the workflow task that writes it.

    `first_run_id` is that of the case: continued as new or reset, it stays the same. `made_by_reset`: somebody with access to the
    server let the case go on from an earlier point, and what it told since is put aside.

    `row` is a `Projection` as JSON (`row_of`): Postgres takes it apart, and nobody on the way there.
    """

    run_id: str
    first_run_id: str | None = None
    made_by_reset: bool = False
    task_at: datetime
    entries: tuple[Entry, ...]
    notices: tuple[Notice, ...] = ()
    row: str

    @property
    def projection(self) -> Projection:
        """The row, taken apart."""
        return Projection.model_validate_json(self.row)


class FlushReceipt(Model):
    """The ledger's word for how far it has a case. It stands in the history: history and ledger vouch for each other.

    `case_id` is None in histories from before answers named their question.
    """

    case_id: str | None = None
    seq: int
    head_hash: str


class BrokenChain(ValueError):
    """The entries of a case do not follow one from the other."""


def entries_told(answer: Accepted, stamp: Stamp) -> tuple[Entry, ...]:
    """Return the entries that a case told with its answer to a command, made whole: sealed, and chained to the entry before them.

    Args:
        answer: what the case answered; without anything told there are none.
        stamp: of the command that it answers.

    Raises:
        BrokenChain: what comes out is not what the case had: the answer is of another command, or was changed.
    """
    told = answer.told
    if told is None:
        return ()
    entries: list[Entry] = []
    previous = told.after_hash
    for seq, each in enumerate(told.entries, start=told.after_seq + 1):
        by = stamp.recorded() if each.own else each.stamp
        entry = Entry(
            case_id=answer.case_id,
            seq=seq,
            at=each.at,
            actor=by.actor if by else ENGINE,
            kind=each.kind,
            facts=each.facts,
            stamp=by,
            command_digest=told.command_digest if each.own else each.command_digest,
            prev_hash=previous,
        ).sealed()
        entries.append(entry)
        previous = entry.hash
    if previous != told.head_hash:
        raise BrokenChain(f"{answer.case_id} entry {told.seq}: what its answer tells does not have the hash it names")
    return tuple(entries)


def projection_of(state: CaseState) -> Projection:
    """Return the row of a case as it stands."""
    return Projection(**facts_of(state), snapshot=state.snapshot())


def row_of(state: CaseState, facts: Mapping[str, Any]) -> str:
    """Return the same as JSON, for the ledger; `facts` are those of `facts_of`. No value of a state is checked once more."""
    return f'{to_json(facts).decode()[:-1]},"snapshot":{state.snapshot_json()}}}'


def earliest(views: Sequence[ClockView]) -> tuple[datetime | None, str | None]:
    """Return the earliest due time that still runs, and whose it is; none of either where none does."""
    running = [(view.due_at, view.name) for view in views if view.status is Status.RUNNING and view.due_at]
    return min(running, default=(None, None))


def facts_of(state: CaseState) -> dict[str, Any]:
    """Return what the row of a case says beside its snapshot, by the names of `Projection`."""
    views = state.clock_views()
    due_at, due_clock = earliest(views)
    return {
        "case_id": state.case_id,
        "procedure": state.procedure,
        "stage": state.stage,
        "area": state.area,
        "department": state.department,
        "involved": tuple(sorted(state.involved())),
        "holder": state.holder,
        "labels": state.labels(),
        "opened_at": state.opened_at,
        "closed_at": state.closed_at,
        "ended": state.ended,
        "due_at": due_at,
        "due_clock": due_clock,
        "seq": state.seq,
        "head_hash": state.head_hash,
        "clocks": views,
    }


def verify_chain(entries: list[Entry]) -> str:
    """Walk a case's chain from its first entry and return the head hash. Raises BrokenChain naming the place."""
    previous = GENESIS
    for position, entry in enumerate(entries, start=1):
        place = f"{entry.case_id} entry {entry.seq}"
        if entry.seq != position:
            raise BrokenChain(f"{place}: stands where entry {position} should stand")
        if entry.case_id != entries[0].case_id:
            raise BrokenChain(f"{place}: belongs to another case than entry 1 ({entries[0].case_id})")
        if entry.prev_hash != previous:
            raise BrokenChain(f"{place}: does not follow from the entry before (its prev_hash differs)")
        if entry.sealed().hash != entry.hash:
            raise BrokenChain(f"{place}: its content does not have the hash it carries")
        previous = entry.hash
    return previous
