"""The relay: what was accepted reaches Temporal, in order per case, whatever dies on the way.

    accepted, leased by the accepting process --> delivered | refused
                   |  no answer: postponed, growing pauses
                   |  its case's task fails with it and not without it: set aside (starter/intake/setting_aside.py)
                   |  process killed: the lease runs out
                   +--> claimed by any process's relay --> ...

A submission is only ever the first of its case that waits, so a later command never overtakes an earlier one. Only the
latest attempt may settle a row; Temporal deduplicates what is sent twice.
"""

import asyncio
from datetime import UTC, datetime, timedelta

import structlog

from engine.store.database import AWAY
from schemas.values.refusals import Refusal
from starter.cases.announcements import CASES, INTAKE, Announcements
from starter.cases.case_states import CaseStates
from starter.http.counts import Counts
from starter.intake.delivery import Delivered, Delivery, NotDelivered
from starter.intake.postbox import NotWritten, Postbox, SetAsideAnswer, Settled, Submission
from starter.intake.setting_aside import town_is_sick

log = structlog.get_logger()

LOOK_SECONDS = 0.5
LOOK_AFTER_STARTS_SECONDS = 10.0
STARTS_AT_ONCE = 16
AT_ONCE = 64
PAUSE_FIRST = timedelta(milliseconds=250)
PAUSE_MAX = timedelta(seconds=4)
PAUSE_OF_SUSPECTS = timedelta(milliseconds=500)
TRIED_OFTEN = 40
ASKED_AGAIN_AFTER = 32
"""Attempts, at the most, until a case is asked once more to write what its answer told."""
PAUSE_WHEN_UNEXPECTED = timedelta(seconds=30)


class Relay:
    """Delivers in the background. `take` is for what this process has just accepted, `run` finds what others left."""

    def __init__(  # noqa: PLR0917 - the parts of a town
        self,
        postbox: Postbox,
        delivery: Delivery,
        counts: Counts,
        states: CaseStates,
        announcements: Announcements,
        untaken_seconds: float = 60,
    ) -> None:
        """`states` learn what came of a command, so that its answer need not ask for it; `announcements` are told that it ended.

        `untaken_seconds`: so long after its delivery a start is looked at that the ledger has not heard of.
        """
        self._untaken = timedelta(seconds=untaken_seconds)
        self._postbox = postbox
        self._states = states
        self._announcements = announcements
        self._delivery = delivery
        self._counts = counts
        self._under_way: set[asyncio.Task[None]] = set()
        self._asked: dict[str, asyncio.Future[Submission]] = {}
        self._failed: asyncio.Future[None] | None = None

    def take(self, submission: Submission) -> None:
        """Deliver a row that is leased to us, without waiting for it, and then what waits behind it.

        Its outcome can be had by `outcome` while it is under way.
        """
        self._asked[submission.submission] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._deliver_all(submission))
        self._under_way.add(task)
        task.add_done_callback(self._ended)

    async def outcome(self, submission: str, patience_seconds: float) -> Submission | None:
        """What this process's own delivery of it came to; None: not in that time, or it is not this process's."""
        asked = self._asked.get(submission)
        if asked is None:
            return None
        done, _ = await asyncio.wait([asked], timeout=patience_seconds)
        return asked.result() if done and not asked.cancelled() else None

    async def run(self) -> None:
        """Look for what is due, until cancelled. Raises whatever is our own fault, so that it is seen."""
        self._failed = asyncio.get_running_loop().create_future()
        while True:
            places = AT_ONCE - len(self._under_way)
            if places > 0:
                try:
                    for submission in await self._postbox.claim(places):
                        self.take(submission)
                except AWAY as error:
                    log.warning("intake_away", error=type(error).__name__)
            await asyncio.wait([self._failed], timeout=LOOK_SECONDS)
            if self._failed.done():
                self._failed.result()

    async def look_after_starts(self) -> None:
        """Look, until cancelled, whether what was delivered is still begun: between delivery and the ledger somebody can end it.

        Its number has been told to people, so the case is begun once more. Raises whatever is our own fault.
        """
        while True:
            try:
                for submission in await self._postbox.untaken_starts(STARTS_AT_ONCE, self._untaken):
                    if not await self._delivery.stands(submission):
                        log.error("start_lost", case_id=submission.case_id)
                        await self._postbox.deliver_again(submission)
            except AWAY as error:
                log.warning("intake_away", error=type(error).__name__)
            except NotDelivered as error:
                self._counts.attempt_failed(error.reason)
            await asyncio.sleep(LOOK_AFTER_STARTS_SECONDS)

    async def stop(self) -> None:
        """Stop delivering; what is not settled stays for whoever comes next."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("delivery_broken", error=type(error).__name__)
            if self._failed is not None and not self._failed.done():
                self._failed.set_exception(error)

    async def _deliver_all(self, first: Submission) -> None:
        waiting = [first]
        try:
            while waiting and await self._deliver(waiting[0]):
                waiting = await self._postbox.claim(1, first.case_id)
        except AWAY as error:
            # Not settled: the lease runs out, and the same is sent again.
            log.warning("not_settled", case_id=first.case_id, error=type(error).__name__)
        finally:
            self._tell(first.submission, None)

    async def _deliver(self, submission: Submission) -> bool:
        began = asyncio.get_running_loop().time()
        try:
            outcome = await self._delivery.attempt(submission)
        except NotDelivered as error:
            self._counts.attempt_failed(error.reason)
            tried_for = timedelta(seconds=asyncio.get_running_loop().time() - began)
            verdict = await self._judge(submission, tried_for)
            if isinstance(verdict, Settled):
                self._tell(submission.submission, verdict.submission)
                return verdict.more
            self._tell(submission.submission, None)
            await self._postbox.postpone(submission, verdict or _pause(submission, expected=error.expected))
            if not error.expected:
                log.error("not_delivered", case_id=submission.case_id, command=submission.command, reason=error.reason)  # noqa: TRY400 - no words of others
            return False
        try:
            settled = await self._settle(submission, outcome)
        except NotWritten as fault:
            self._tell(submission.submission, None)
            await self._have_written(submission, fault)
            return False
        if settled.case is not None and settled.change is not None:
            self._states.learn_change(submission.case_id, settled.case, settled.change)
        elif settled.case is not None:
            self._states.learn(submission.case_id, settled.case)
        self._tell(submission.submission, settled.submission)
        return settled.more

    async def _judge(self, submission: Submission, tried_for: timedelta) -> Settled | timedelta | None:
        """Lay a command aside with which its case's task fails again and again, or say how soon it is to be tried once more.

        Only the task's own failures count, as the history shows them: while Temporal, the workers or the database are away
        there are none, and nothing is laid aside.
        """
        if submission.kind != "command":
            return None
        since = submission.failing_since or datetime.now(UTC) - tried_for
        evidence = await self._delivery.evidence(submission, since)
        if not evidence.failures:
            return None
        if submission.failing_since is None or not evidence.convicts:
            await self._postbox.suspect(submission, tried_for)
            log.warning(
                "task_fails_with", case_id=submission.case_id, command=submission.command, error=evidence.failure
            )
            return PAUSE_OF_SUSPECTS if submission.attempts < TRIED_OFTEN else PAUSE_MAX
        if town_is_sick(await self._postbox.elsewhere(submission)):
            return None
        log.error("set_aside", case_id=submission.case_id, command=submission.command, error=evidence.failure)
        self._counts.settled(submission.kind, "set-aside")
        settled = await self._postbox.set_aside(submission, SetAsideAnswer(failure=evidence.failure))
        if settled.submission is not None:
            await self._note_in_case(submission, evidence.failure)
        return settled

    async def _note_in_case(self, submission: Submission, failure: str) -> None:
        """Let the case's own record say it. Where that fails the intake alone has it: nothing waits for this."""
        try:
            await self._delivery.tell_set_aside(submission, failure)
        except NotDelivered as error:
            log.warning("set_aside_not_noted", case_id=submission.case_id, reason=error.reason)

    async def _settle(self, submission: Submission, outcome: Delivered | Refusal) -> Settled:
        if isinstance(outcome, Refusal):
            self._counts.settled(submission.kind, outcome.code)
            return await self._postbox.refused(submission, outcome)
        settled = await self._postbox.delivered(
            submission,
            outcome.accepted,
            knows_row=lambda change: self._states.knows(submission.case_id, change),
        )
        self._counts.settled(submission.kind, "delivered")
        if outcome.accepted is not None:
            self._announcements.tell(CASES, submission.case_id)  # those of other processes are told by Postgres
        return settled

    async def _have_written(self, submission: Submission, fault: NotWritten) -> None:
        """Let the case write what its answer told, and look again: the same command has the same answer, which stands then.

        So what the ledger refuses is refused to a worker, which tries without an end and tells an operator. Asked once it does;
        it is asked again, ever more seldom, only because a word may be lost: each stands in the history.
        """
        self._counts.answer_not_written(fault.word)
        log.warning("answer_not_written", case_id=submission.case_id, command=submission.command, reason=fault.word)
        if submission.attempts.bit_count() == 1 or submission.attempts % ASKED_AGAIN_AFTER == 0:
            try:
                await self._delivery.ask_to_write(submission, fault.seq)
            except NotDelivered as error:
                log.warning("not_asked_to_write", case_id=submission.case_id, reason=error.reason)
        await self._postbox.postpone(submission, _pause(submission, expected=True))

    def _tell(self, submission: str, ended: Submission | None) -> None:
        """Tell whoever asked for the outcome; without one they look for themselves, and again when there is one."""
        if ended is not None:
            self._announcements.tell(INTAKE, submission)
        asked = self._asked.pop(submission, None)
        if asked is None or asked.done():
            return
        if ended is None:
            asked.cancel()
        else:
            asked.set_result(ended)


def _pause(submission: Submission, *, expected: bool) -> timedelta:
    """A short pause that grows while somebody is away; a long one for what should not happen."""
    if not expected:
        return PAUSE_WHEN_UNEXPECTED
    return min(PAUSE_FIRST * float(2 ** min(submission.attempts - 1, 10)), PAUSE_MAX)
