"""Writing the ledger: entries, the case's row and the outbox of notices, in one transaction."""

import asyncio
from collections.abc import Callable

import asyncpg
import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from engine.keys.stamps import KnownKeys, verify
from engine.store.announcer import Announcer
from engine.store.database import NOT_DONE, Queries
from engine.store.ledger_rows import entry_rows, notice_rows
from engine.store.refusals import KEEP, out_of_place, unstamped
from schemas.audit.ledger import Batch, FlushReceipt
from schemas.kernel.case import Entry
from schemas.kernel.row_change import row_digest

log = structlog.get_logger()


class LedgerQueries(Queries):
    """engine/queries/ledger.sql."""

    insert_entry: str
    write_case: str
    write_case_untold: str
    note_retry: str
    announce_case: str
    count_entries: str
    entries_of_case: str
    cases_with_ledger: str


QUERIES = LedgerQueries.load("ledger")
TURNED_BACK = "TurnedBack"
REFUSALS = {
    "broken": ("LedgerBroken", "{case_id}: entry {before} is not in the ledger"),
    "stale": ("StaleTask", "{case_id}: a later workflow task has written already"),
    "turned-back": (
        TURNED_BACK,
        "{case_id}: another run has told what comes after entry {before}, and nobody reset it",
    ),
}
"""What `write_case` says instead of "written", as error type and reason."""

FOREIGN = "foreign"
"""What it says to a workflow that is not the case: it was started with a copy of what started the case, or of a later run."""

NOTED_FROM = 5
"""The try from which on an operator is told: a second and a half after the first."""
NOTING_SECONDS = 2


class Ledger:
    """The doer of the ledger.

    Writing the same batch again changes nothing. A batch that follows an entry other than the head is a case that tells
    anew what a lost workflow task had told already: its branch becomes the chain, and the other stays as it is.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        stamps: KnownKeys | None = None,
        count_retry: Callable[[], None] = lambda: None,
        announcer: Announcer | None = None,
    ) -> None:
        """`stamps`: the keys that the API signs with; without them, whoever writes is believed.

        `count_retry` is told of each flush that is tried again. `announcer` tells the APIs of what was written; without one the
        commit does, and no other such commit goes on meanwhile.
        """
        self._announcer = announcer
        self._pool = pool
        self._stamps = stamps
        self._count_retry = count_retry

    @activity.defn(name="flush")
    async def flush(self, batch: Batch) -> FlushReceipt:
        """Write all that is pending in a case; what `write` says. That it is tried again is noted before the try.

        So a refusal, a fault and a database that takes too long are noted alike, and what goes well at once costs nothing.
        """
        info = activity.info()
        case_id = batch.entries[0].case_id
        if info.workflow_id != case_id:
            raise await self._foreign(case_id, f"the workflow {info.workflow_id} is not this case")
        if info.attempt > 1:
            self._count_retry()
        if info.attempt >= NOTED_FROM:
            await self._note_retry(case_id, info.attempt)
        try:
            return await self.write(batch)
        except ApplicationError as error:
            if error.type == TURNED_BACK and info.attempt == 1:
                log.error("turned_back", case_id=case_id, code=batch.run_id)  # noqa: TRY400 - the refusal says it all
                await self._pool.execute(KEEP, *out_of_place(case_id, "turned-back"))
            raise

    async def write(self, batch: Batch) -> FlushReceipt:
        """Write all that is pending in a case.

        Raises ApplicationError, retried without an end: LedgerBroken when the entry that the batch follows is not there,
        so that the case stands still, visibly, until a person has looked; StaleTask when a later workflow task has
        written already, so that a worker that was given up cannot turn the case back; TurnedBack when the run puts aside what
        another run of the case has told: somebody made it go on with the state of an earlier one, and it stands still. Not
        retried, and put into `refusals`: ForeignRun when another workflow than the case wants to write; that workflow fails,
        and nobody works for it any more.
        """
        first, last = batch.entries[0], batch.entries[-1]
        if first.seq == 1:
            await self._refuse_forged_start(first, batch)
        written = await self._pool.fetchval(
            QUERIES.write_case_untold if self._announcer else QUERIES.write_case,
            batch.row,
            entry_rows(batch.entries),
            notice_rows(batch.notices),
            batch.run_id,
            batch.task_at,
            batch.first_run_id,
            batch.made_by_reset,
            row_digest(batch.row),
        )
        if written == FOREIGN:
            raise await self._foreign(first.case_id, f"run {batch.run_id} does not come from its first run")
        if refusal := REFUSALS.get(written):
            kind, reason = refusal
            raise ApplicationError(reason.format(case_id=first.case_id, before=first.seq - 1), type=kind)
        if self._announcer is not None:
            self._announcer.tell(last.case_id, last.hash)
        return FlushReceipt(case_id=last.case_id, seq=last.seq, head_hash=last.hash)

    async def _foreign(self, case_id: str, why: str) -> ApplicationError:
        log.warning("foreign_run", case_id=case_id, reason=why)
        await self._pool.execute(KEEP, *out_of_place(case_id, "start"))
        return ApplicationError(f"{case_id}: {why}", type="ForeignRun", non_retryable=True)

    async def _note_retry(self, case_id: str, attempt: int) -> None:
        try:
            async with asyncio.timeout(NOTING_SECONDS):
                await self._pool.execute(QUERIES.note_retry, case_id, attempt)
        except NOT_DONE as fault:  # the flush itself is to go on, whatever the list of the stuck lacks
            log.warning("flush_retry_not_noted", case_id=case_id, attempt=attempt, reason=type(fault).__name__)

    async def _refuse_forged_start(self, first: Entry, batch: Batch) -> None:
        """Judge a start as the guard judges commands (engine/execution/stamp_guard.py): without a stamp for it there is no case.

        A key that this worker does not know yet is no forgery: the case waits until the ring has it.
        """
        if self._stamps is None:
            return
        opening = first.stamp
        of_this_case = opening is not None and opening.case_id in {
            first.case_id,
            batch.projection.snapshot.get("parent"),
        }
        if opening is None or not of_this_case or not verify(opening, self._stamps):
            if opening is not None and of_this_case and self._stamps.get(opening.key_id) is None:
                raise ApplicationError(f"{first.case_id}: the key of its stamp is not known", type="StampKeyUnknown")
            log.warning("start_not_stamped", case_id=first.case_id)
            await self._pool.execute(KEEP, *unstamped(first.case_id, "start"))
            raise ApplicationError(
                f"{first.case_id}: its start did not come through the API", type="NotStamped", non_retryable=True
            )
