"""What comes of a pass of the archiver, and the runs it looks at, a page at a time: however many there are, few are in memory."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import asyncpg
from temporalio.client import Client

from engine.store.archive import SQL

OVERLAP = timedelta(minutes=10)
"""Temporal's list is written a little after the close itself, and its hosts' clocks differ."""

PAGE = 500
"""So many runs, or cases, are in memory at once."""

FAILURES_MAX = 10_000
"""So many that cannot be stored are no fault of theirs: the pass ends, and the next one begins anew."""


@dataclass(frozen=True)
class Run:
    """A run as a witness names it. `closed_at` is None where the ledger does."""

    case_id: str
    run_id: str
    closed_at: datetime | None = None


@dataclass
class Pass:
    """What came of a pass. `left`: runs that could not be stored; `lost`: those that Temporal does not have any more.

    `held`: those that another archiver was storing meanwhile; what closed before `closed_until` is stored, or one of `left`.
    """

    archived: int = 0
    left: int = 0
    lost: int = 0
    held: int = 0
    marked: int = 0
    closed_until: datetime | None = None
    _tried: set[str] = field(default_factory=set, repr=False)
    _held_since: datetime | None = field(default=None, repr=False)
    _held_somewhere: bool = field(default=False, repr=False)

    @property
    def hopeless(self) -> bool:
        """Whether so much could not be stored that going on makes no sense."""
        return self.left >= FAILURES_MAX

    @property
    def complete(self) -> bool:
        """Whether the next pass may begin where this one ended: nothing is left behind, or only what it will see again."""
        return not self.left and not self._held_somewhere

    def saw(self, page: Sequence[Run]) -> None:
        """Note how late the latest of these runs closed."""
        closed = [run.closed_at for run in page if run.closed_at is not None]
        self.closed_until = max([*closed, *([self.closed_until] if self.closed_until else [])], default=None)

    def has_tried(self, run: Run) -> bool:
        """Whether the other witness named this run before, and it could not be stored."""
        return run.run_id in self._tried

    def leave(self, run: Run) -> None:
        """This run could not be stored."""
        self.left += 1
        self._note_tried(run)

    def lose(self, run: Run) -> None:
        """Temporal does not have this run any more."""
        self.lost += 1
        self._note_tried(run)

    def _note_tried(self, run: Run) -> None:
        # What the ledger alone knows of is named once.
        if run.closed_at is not None:
            self._tried.add(run.run_id)

    def leave_to_another(self, run: Run) -> None:
        """Somebody else is storing this run: should they be killed, a later pass has to come by it once more."""
        self.held += 1
        if run.closed_at is None:
            self._held_somewhere = True
        else:
            self._held_since = min(self._held_since or run.closed_at, run.closed_at)

    def seen_until(self) -> datetime | None:
        """The latest close up to which a later pass need not look again."""
        if self.closed_until is None or self._held_since is None:
            return self.closed_until
        return min(self.closed_until, self._held_since)


async def closed_runs(client: Client, since: datetime | None, size: int) -> AsyncIterator[list[Run]]:
    """What Temporal lists as closed, from a while before `since`, or all that it still has."""
    query = 'ExecutionStatus != "Running"'
    if since is not None:
        query += f' AND CloseTime >= "{(since - OVERLAP).isoformat()}"'
    async for page in _listed(client, query, size):
        yield page


async def open_runs_unknown(client: Client, pool: asyncpg.Pool, size: int) -> AsyncIterator[list[Run]]:
    """Open runs of cases of which the archive has runs, and none that leads to them."""
    async for page in _listed(client, 'ExecutionStatus = "Running"', size):
        rows = await pool.fetch(SQL.runs_unknown, [run.case_id for run in page], [run.run_id for run in page])
        if rows:
            yield [Run(row["case_id"], row["run_id"]) for row in rows]


async def runs_told_of(pool: asyncpg.Pool, size: int) -> AsyncIterator[list[Run]]:
    """Runs that the ledger knows of, that have ended, and that the archive does not have."""
    after = ""
    while cases := [row["case_id"] for row in await pool.fetch(SQL.cases_after, after, size)]:
        after = cases[-1]
        if rows := await pool.fetch(SQL.runs_told_of, cases):
            yield [Run(row["case_id"], row["run_id"]) for row in rows]


async def _listed(client: Client, query: str, size: int) -> AsyncIterator[list[Run]]:
    page = []
    async for run in client.list_workflows(query, page_size=size):
        page.append(Run(run.id, run.run_id, run.close_time))
        if len(page) == size:
            yield page
            page = []
    if page:
        yield page
