"""The clocks of a case as they run: one timer for the earliest next thing to happen, re-armed only when something comes sooner.

How long a clock runs is a pure function in `schemas/clocks/clocks.py`; here is only the waiting.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from temporalio import workflow

from schemas.clocks.calendar import Calendar
from schemas.clocks.clocks import Clock, Limit, Milestone, Status, Tier, milestones, view
from schemas.kernel.case import CaseState
from schemas.kernel.screen_words import ScreenWords
from workflows.kernel.wake_order import Priority, WakeOrder


class Clocks:
    """The clocks of one case. Every change is remembered until the next entry takes it into the ledger.

    In every method `name` is the clock's (`finish`, or `check:tax` of one of several of a kind) and `by` whose act it is: the
    subject of an account, or `engine`. What a clock does not allow raises as the verbs of `Clock` do.
    """

    def __init__(
        self, state: CaseState, now: Callable[[], datetime], wake_order: WakeOrder, words: ScreenWords
    ) -> None:
        self._state = state
        self._wake_order = wake_order
        self._now = now
        self._words = words
        self._changed: dict[str, None] = {}
        self._known: dict[str, tuple[Clock, Calendar, Milestone | None]] = {}

    def start(
        self,
        name: str,
        limit: Limit,
        by: str,
        tiers: tuple[Tier, ...] = (),
        warn_percent: int = 80,
        *,
        since: datetime | None = None,
        forgets: bool = False,
    ) -> None:
        """Start a clock, or start it anew.

        `warn_percent`: after how much of its time it warns; 100: the clock is a window, not a duty, and warns nobody.
        `forgets`: its earlier courses stand in the ledger and not here; such a clock may count from a moment before (`since`).
        """
        known = self._state.clocks.get(name)
        facts = known.facts if known and not forgets else ()
        clock = Clock(name=name, limit=limit, tiers=tiers, warn_percent=warn_percent, facts=facts)
        self._keep(clock.start(since or self._now(), by))

    def stop(self, name: str, by: str) -> None:
        """Stop a clock that still counts; one already stopped stays as it was."""
        clock = self._state.clocks.get(name)
        if clock is not None and clock.status in (Status.RUNNING, Status.PAUSED):
            self._keep(clock.stop(self._now(), by))

    def runs(self, name: str) -> bool:
        """Whether a clock counts now."""
        return name in self._state.clocks and self._state.clocks[name].status is Status.RUNNING

    def go_on(self, name: str, by: str) -> None:
        """Let a stopped or paused clock go on; the time in between is not counted. Raises KeyError: it never ran."""
        self._keep(self._state.clocks[name].resume(self._now(), by))

    def pause(self, name: str, by: str, reason: str | None = None) -> None:
        """Stop counting for a stated reason, until the clock goes on. Raises KeyError: it never ran."""
        self._keep(self._state.clocks[name].pause(self._now(), by, reason=reason))

    def extend(self, name: str, limit: Limit, by: str, reason: str | None = None) -> None:
        """Add time, granted by somebody, before the due time. Raises KeyError: it never ran; OverdueError: it is too late."""
        calendar = self._state.charter.calendar
        self._keep(self._state.clocks[name].extend(self._now(), by, limit, calendar, reason=reason))

    def replan(self, calendar: Calendar, by: str) -> None:
        """Move every clock to another calendar, keeping the due time it had as a fact; a stopped one is judged by that."""
        before = self._state.charter.calendar
        calendar = calendar.keeping_hours_of(before)
        self._state.charter = self._state.charter.model_copy(update={"calendar": calendar})
        for clock in list(self._state.clocks.values()):
            if clock.status is not Status.IDLE:
                self._keep(clock.replan(self._now(), by, before, calendar))

    def stop_all(self) -> None:
        """Stop whatever still counts: the case has ended."""
        for name in self._state.clocks:
            self.stop(name, "engine")

    def take_changes(self) -> dict[str, Any]:
        """Return the clocks changed since the last entry, by name, as the ledger keeps them: a `ClockView` as JSON without None."""
        calendar = self._state.charter.calendar
        changes = {
            name: view(self._state.clocks[name], calendar).model_dump(mode="json", exclude_none=True)
            for name in self._changed
        }
        self._changed.clear()
        return changes

    @property
    def overdue(self) -> bool:
        """A moment has come and was not told yet: the timer and something else arrived together."""
        return self._next is not None and self._next.at <= self._now()

    def catch_up(self, on_clock: Callable[[str, str, str | None], None]) -> None:
        """Tell every moment that has come, the earliest first.

        `on_clock(clock, moment, to)`: the names of both, and the address that is told; None: the holder.
        """
        while self.overdue and self._next is not None:
            self._fire(self._next, on_clock)

    async def run(self, on_clock: Callable[[str, str, str | None], None]) -> None:
        """Wait for one moment after the other and report each once, as `catch_up` does."""
        while True:
            moment = self._next
            if moment is None:
                await self._wake_order.until(lambda: self._next is not None, Priority.CLOCKS)
            elif moment.at <= self._now():
                self._fire(moment, on_clock)
            else:
                await self._wait_for(moment)

    async def _wait_for(self, moment: Milestone) -> None:
        delay = self._state.charter.time.real_delay(workflow.now(), moment.at)
        called = self._words.moment(moment.clock, moment.name, self._state.procedure)
        try:
            await workflow.wait_condition(
                lambda: self._next is not None and self._next.at < moment.at,
                timeout=delay,
                timeout_summary=f"{called} {moment.at:%Y-%m-%d %H:%M}",
            )
        except TimeoutError:
            # The armed moment may have gone meanwhile: firing early and arming again costs fewer events than
            # cancelling the timer at every command.
            return

    def _fire(self, moment: Milestone, on_clock: Callable[[str, str, str | None], None]) -> None:
        self._state.clocks[moment.clock] = self._state.clocks[moment.clock].mark_fired(moment.name)
        on_clock(moment.clock, moment.name, moment.to)

    def _keep(self, clock: Clock) -> None:
        self._state.clocks[clock.name] = clock
        self._changed[clock.name] = None

    @property
    def _next(self) -> Milestone | None:
        """The earliest moment ahead."""
        ahead = [moment for clock in self._state.clocks.values() if (moment := self._first(clock)) is not None]
        return min(ahead, key=lambda moment: (moment.at, moment.clock), default=None)

    def _first(self, clock: Clock) -> Milestone | None:
        """The first moment ahead of one clock; for one that has not changed, as it was found before."""
        calendar = self._state.charter.calendar
        known = self._known.get(clock.name)
        if known is not None and known[0] is clock and known[1] is calendar:
            return known[2]
        first = next(iter(milestones(clock, calendar)), None)
        self._known[clock.name] = (clock, calendar, first)
        return first
