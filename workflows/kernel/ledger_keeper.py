"""How a case keeps its ledger: what it records is written down by whoever gets its answers, or by itself (decision 0011).

    a command          --> its answer tells all that the ledger is not known to have; the API writes it, then answers
    all that is not in an answer, and what makes somebody outside act --> a local activity of the case's own

Either tells all since the entry that the ledger is known to have, so that nothing is lost whoever writes first, and
nothing is written twice. What the ledger has is known by a receipt, or by the next command (`Written`).
Cases from before write everything by themselves.
"""

from typing import Any

from temporalio import workflow

from schemas.audit.ledger import Batch, facts_of, row_of
from schemas.clocks.clocks import ClockView
from schemas.kernel.case import Accepted, CaseState, Entry
from schemas.kernel.notice import Notice
from schemas.kernel.procedure import Procedure
from schemas.kernel.row_change import RowChange, RowTold, change_of
from schemas.kernel.temporal_display import keywords_of
from schemas.kernel.told import EntryTold, Told
from schemas.values.actor import Stamp, Written
from workflows.kernel import steps
from workflows.kernel.task_marker import TaskMarker
from workflows.kernel.wake_order import Priority, WakeOrder

MOST_TOLD = 16
"""Entries that go out with an answer: of more, commands that waited together would each tell all before them, over and over."""


class LedgerKeeper:
    """What of a case is written, what is told, and what is still to be told. One of each run of a case."""

    def __init__(self, state: CaseState, procedure: Procedure, wake_order: WakeOrder) -> None:
        self._state = state
        self._procedure = procedure
        self._wake_order = wake_order
        self._task_marker = TaskMarker(state)
        self._shown: dict[str, str] = {} if state.charter.lists_stage else keywords_of(state)
        self._may_stop = False
        self._flushing = False
        self._acts_outside = False  # an errand was asked for of which nothing has told
        self._is_asked = False  # somebody could not write what an answer told
        self._nobody_asks: set[str] = set()  # commands laid aside: if one comes all the same, nobody gets its answer
        self._answered = 0  # the last entry that went out with an answer
        self._placed = state.seq  # the last entry that went out at all: later notices have later places
        self._rows: list[RowTold] = []  # all since the ledger was last known to have one of them

    # ---- what happens in the case -----------------------------------------------------------------------------------

    def recorded(self, entry: Entry) -> None:
        """An entry was added; one of the case's own while a flush is under way is told apart from its heartbeats."""
        if self._flushing and entry.stamp is None and self._state.charter.tells_tasks_apart:
            self._task_marker.ensure_command()

    def acts_outside(self) -> None:
        """The case asks somebody outside to act: the ledger has it before they hear of it."""
        self._acts_outside = True

    def laid_aside(self, command: str) -> None:
        """Nobody delivers a command of this name any more; Temporal may still bring it, and nobody gets its answer then."""
        self._nobody_asks.add(command)

    def hear(self, written: Written | None) -> None:
        """How far the ledger had the case when a command came in. Another chain than ours is a lost task's: no news."""
        if written is None:
            return
        if any(entry.seq == written.seq and entry.hash == written.head_hash for entry in self._state.entries):
            self._is_written(written.seq)
        known = [place for place, told in enumerate(self._rows) if told.digest == written.row]
        if known:
            self._rows = self._rows[known[-1] :]
        elif self._rows and self._rows[0].seq <= written.seq:
            self._rows = []  # it is not as this case has told it; told whole, it is again

    def asked(self, seq: int) -> None:
        """Somebody could not write what an answer told up to this entry, for the row is another one: the case writes all of it."""
        if self._state.entries and self._state.entries[0].seq <= seq:
            self._is_asked = True

    def stop(self) -> None:
        """Nothing is recorded any more: what is left is written, and `keep` ends."""
        self._may_stop = True

    async def drop_marker(self) -> None:
        """No timer is left behind."""
        await self._task_marker.drop()

    # ---- telling with an answer -------------------------------------------------------------------------------------

    def tell_with(self, answer: Accepted, stamp: Stamp) -> Accepted:
        """The answer to a command, with all that the ledger is not known to have.

        Not what makes somebody outside act, nor anything while somebody does, and not the end: those the case writes in this very
        task. Nor its first entry, whose stamp is judged where it is written. All that decides is what the history tells: code of
        another day decides as well.
        """
        state = self._state
        if not state.charter.tells_with_answers or not state.entries or state.entries[0].seq == 1:
            return answer
        if self._acts_outside or state.errands or self._is_asked or state.ended:
            return answer
        if len(state.entries) > MOST_TOLD or answer.command in self._nobody_asks:
            return answer
        facts = facts_of(state)
        change = self._change(row_of(state, facts))
        self._place_notices()
        self._answered = state.seq
        self._shown = steps.show(self._procedure, state, facts["clocks"], self._shown)
        return answer.model_copy(update={"told": self._told(change, stamp)})

    def _change(self, text: str) -> RowChange:
        now = RowTold.of(self._state.seq, text)
        change = change_of(self._rows, now) or RowChange(digest=now.digest, whole=text)
        self._rows.append(now)
        return change

    def _told(self, change: RowChange, stamp: Stamp) -> Told:
        pending, first = self._state.entries, self._state.entries[0]
        return Told(
            after_seq=first.seq - 1,
            after_hash=first.prev_hash,
            head_hash=self._state.head_hash,
            entries=tuple(_entry_told(entry, own=_is_own(entry, stamp)) for entry in pending),
            command_digest=next((each.command_digest for each in pending if _is_own(each, stamp)), ""),
            notices=self._notices_to_tell(),
            row=change,
            **_this_task(),
        )

    # ---- writing by itself ------------------------------------------------------------------------------------------

    async def keep(self) -> None:
        """Write what nobody else does, until `stop`.

        Raises:
            RuntimeError: the ledger acknowledged another head than the case has; the workflow task fails until that is mended.
        """
        while True:
            await self._wake_order.until(lambda: self._is_to_write or self._may_stop, Priority.LEDGER)
            if self._is_to_write:
                await self._flush()
            elif self._may_stop:
                return

    @property
    def _is_to_write(self) -> bool:
        """Whether something is pending that nobody else writes, or that the ledger is to have before somebody outside acts."""
        alone = self._may_stop or self._state.ended or self._acts_outside or self._is_asked
        return bool(self._state.entries) and (alone or self._state.seq > self._answered)

    async def _flush(self) -> None:
        state, tells = self._state, self._state.charter.tells_with_answers
        facts = facts_of(state)
        row = row_of(state, facts)
        if tells:
            self._place_notices()
            self._rows.append(RowTold.of(state.seq, row))
        notices = self._notices_to_tell() if tells else tuple(state.notices)
        batch = Batch(row=row, entries=tuple(state.entries), notices=notices, **_this_task())
        if state.charter.tells_tasks_apart:
            self._show_before(batch, facts["clocks"])
        self._acts_outside = self._is_asked = False
        self._flushing = True
        receipt = await steps.flush(batch)
        self._flushing = False
        of_this_case = receipt.case_id == state.case_id or (receipt.case_id is None and not state.charter.keeps_place)
        if receipt.head_hash != facts["head_hash"] or not of_this_case:
            raise RuntimeError(f"the ledger has another head than the case at entry {receipt.seq}")
        if tells:
            self._is_written(receipt.seq)
            self._rows = [told for told in self._rows if told.seq >= receipt.seq]
        else:
            del state.entries[: len(batch.entries)]
            del state.notices[: len(batch.notices)]
        if not state.charter.tells_tasks_apart:
            self._shown = steps.show(self._procedure, state, facts["clocks"], self._shown)

    def _show_before(self, batch: Batch, clocks: list[ClockView]) -> None:
        """Show where the case stands; what it did by itself leaves a command in this workflow task in any case.

        Its first task starts clocks, and a task with an update accepts it: those have one already.
        """
        before = self._shown
        self._shown = steps.show(self._procedure, self._state, clocks, before)
        new = [entry for entry in batch.entries if entry.seq > self._answered]
        by_itself = batch.entries[0].seq > 1 and any(entry.stamp is None for entry in new)
        if (by_itself or self._is_asked) and self._shown == before:
            self._task_marker.ensure_command()

    # ---- what is pending --------------------------------------------------------------------------------------------

    def _place_notices(self) -> None:
        """Give notices that go out for the first time their places: those of the first entry that goes out with them."""
        first = next((entry.seq for entry in self._state.entries if entry.seq > self._placed), None)
        if first is None:
            return
        new = [notice for notice in self._state.notices if not notice.seq]
        self._state.notices = [notice for notice in self._state.notices if notice.seq] + [
            notice.model_copy(update={"seq": first, "position": place}) for place, notice in enumerate(new)
        ]
        self._placed = self._state.seq

    def _notices_to_tell(self) -> tuple[Notice, ...]:
        """Those that have a place; what was said after the last entry goes out with the next one."""
        return tuple(notice for notice in self._state.notices if notice.seq)

    def _is_written(self, seq: int) -> None:
        """The ledger has the case up to this entry."""
        self._state.entries = [entry for entry in self._state.entries if entry.seq > seq]
        self._state.notices = [notice for notice in self._state.notices if not 0 < notice.seq <= seq]


def _this_task() -> dict[str, Any]:
    """Which run tells in which workflow task, as `Batch` and `Told` have it."""
    info = workflow.info()
    return {
        "run_id": info.run_id,
        "first_run_id": info.first_execution_run_id,
        "made_by_reset": info.run_id != info.original_execution_run_id,
        "task_at": workflow.now(),
    }


def _is_own(entry: Entry, stamp: Stamp) -> bool:
    """Whether an entry is of the command that is answered."""
    return entry.stamp is not None and entry.stamp.command_id == stamp.command_id and bool(entry.command_digest)


def _entry_told(entry: Entry, *, own: bool) -> EntryTold:
    if own:
        return EntryTold(at=entry.at, kind=entry.kind, facts=entry.facts)
    return EntryTold(
        at=entry.at,
        kind=entry.kind,
        facts=entry.facts,
        own=False,
        stamp=entry.stamp,
        command_digest=entry.command_digest,
    )
