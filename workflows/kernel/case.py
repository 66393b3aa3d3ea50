"""The case kernel: what every procedure has in common, so that a procedure holds nothing but its regulation.

A procedure derives from `Case`, tells its story in `run()` and its commands in methods marked `@command`. The kernel keeps
the ledger, answers repeats, refuses what the table forbids, runs the clocks and the errands beside the story, and carries
the case over into a new run when its history has grown long.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, ClassVar, Generic, TypeVar

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from schemas.kernel.case import ENGINE, Accepted, CaseOutcome, CaseState, Entry, Letter, Message, Processed, latest_of
from schemas.kernel.notice import Notice
from schemas.kernel.out_of_place import found_out_of_place
from schemas.kernel.procedure import Command, Procedure
from schemas.kernel.setting_aside import SetAside
from schemas.kernel.told import WriteAsked
from schemas.values.actor import Stamp
from schemas.values.canonical import digest
from schemas.values.refusals import Fault, Refusal, RefusalCode, say
from workflows.kernel import steps
from workflows.kernel.clock import Clocks
from workflows.kernel.law import Law
from workflows.kernel.ledger_keeper import LedgerKeeper
from workflows.kernel.wake_order import Priority, WakeOrder

StateT = TypeVar("StateT", bound=CaseState)
AnswerT = TypeVar("AnswerT")

_TELL = "tell/"

CLOCKS_ARE_HEARD_FIRST = "clocks-are-heard-first"
"""Patch: before, a command that came together with the timer of a broken clock stopped it, and no breach was told."""

CLOCKS_ARE_HEARD_BEFORE_ANSWERS = "clocks-are-heard-before-answers"
"""Patch: the same of what a source or the bank answers."""

MESSAGES_ARE_OF_CASES_IT_KNOWS = Law("messages-are-of-cases-it-knows")
"""Patch of cases from before: they heard every message, whoever it was of or for. Asked for only where one is refused."""

LATER_RUNS_KNOW_THE_FIRST = "later-runs-know-the-first"
"""Patch of cases from before: the state of a later run could be gone on with by a workflow of somebody's own."""


def command(handler: Callable[..., None]) -> Any:
    """Make the Temporal update of a command from its handler `def sign(self, command: Sign, by: Actor) -> None`.

    The validator refuses by the table; the handler changes the state, records entries and is synchronous: whatever takes
    time happens in `run()` or in an errand. The update takes the command and its `Stamp`, and answers `Accepted`; it
    raises as `refuse_unless_legal` does.
    """
    name = handler.__name__
    model = inspect.signature(handler, eval_str=True).parameters["command"].annotation

    def update(self: "Case[Any]", command: Command, stamp: Stamp) -> Accepted:
        self.ledger.hear(stamp.written)
        repeated = stamp.command_id in self.state.processed
        answer = self.carry_out(name, command, stamp.recorded(), handler)
        # Whoever asks once more, or somebody with a copy, may not write down what the case has to tell.
        return answer if repeated else self.ledger.tell_with(answer, stamp)

    def validate(self: "Case[Any]", command: Command, stamp: Stamp) -> None:
        self.refuse_unless_legal(name, command, stamp)

    update.__annotations__ = {"command": model, "stamp": Stamp, "return": Accepted}
    validate.__annotations__ = {"command": model, "stamp": Stamp, "return": None}
    update.__name__ = name
    update.__qualname__ = handler.__qualname__
    update.__doc__ = handler.__doc__
    definition = workflow.update(name=name)(update)
    definition.validator(validate)
    return definition


class Case(Generic[StateT]):
    """One case of a procedure. Its state is one model; its outside world are the verbs of `steps`."""

    procedure: ClassVar[Procedure]

    def __new__(cls, state: StateT) -> Any:
        """Make the case, or what fails in its place; asked before any procedure looks at what it is given.

        A case that has begun goes on in a run that its last run made, and none begins there. Temporal says so of no other run
        but those of a cron or a retry, which no case has, and those that somebody's own workflow made: it has another first run.
        """
        info = workflow.info()
        foreign = found_out_of_place(state)
        if foreign is None and _is_run_of(state, info):
            return super().__new__(cls)
        steps.tell_refused((foreign.of if foreign else "") or info.workflow_id, "start")
        return _Copy()

    def __init__(self, state: StateT) -> None:
        self.state = state
        self._wake_order = WakeOrder(state)
        self.clocks = Clocks(state, self.now, self._wake_order, self.procedure.words)
        self._cause: tuple[Stamp, str] | None = None
        self._running_errands: dict[str, asyncio.Task[None]] = {}
        self.ledger = LedgerKeeper(state, self.procedure, self._wake_order)
        if state.seq == 0:
            self._cause = (state.opening, state.opening.digest)
            self.open()
            self._cause = None
            self.begin()

    # ---- for procedures: what a case is made of -------------------------------------------------------------------

    def open(self) -> None:
        """Record what was reported. The first entry of every case; called once, before any command."""
        raise NotImplementedError

    def begin(self) -> None:
        """Take the first step that the case takes by itself, before any command is looked at."""

    def on_clock(self, clock: str, milestone: str, recipient: str) -> None:
        """A clock has reached a milestone: say so to whoever is to be told.

        `clock` is its name, `milestone` is `warning`, `breach` or `tier:NUMBER`, `recipient` an address as in `Notice`.
        """
        self.record(f"clock:{milestone.partition(':')[0]}", clock=clock, moment=milestone, told=recipient)
        self.notify(recipient, f"clock_{milestone.partition(':')[0]}", clock=clock)

    def on_message(self, message: Message, *, repeated: bool) -> None:
        """Another case tells this one something; `repeated` when it was heard before. Synchronous, like a command."""

    def knows(self, message: Message) -> bool:
        """Whether the case that a message is of has to do with this one: its parent, unless the procedure says more."""
        return message.sender == self.state.parent

    def on_undeliverable(self, letter: Letter) -> None:
        """The case that a letter was for does not run any more. Nothing, unless the procedure has something to say."""

    # ---- for procedures: what a case can do -------------------------------------------------------------------------

    @property
    def stamp(self) -> Stamp:
        """Under whose word the case acts: that of the command it carries out; by itself, that of its opening."""
        return self._cause[0] if self._cause else self.state.opening

    def law_holds(self, law: Law) -> bool:
        """Whether what happens now goes by a law that came when the case may have lived already.

        A command goes by the laws of the API that stamped it. Temporal's patches alone would not do: what a run has once
        answered for a command of an earlier day, it answers for all later ones, so that one harmless command before an
        upgrade kept the old law for the rest of the run. What a case does by itself goes by `law_holds_here`.
        """
        stamp = self._cause[0] if self._cause else None
        return (stamp is not None and stamp.laws >= law.since) or self.law_holds_here(law)

    def law_holds_here(self, law: Law) -> bool:
        """The same of what a clock, an answer or another case brings about: by the entry that the case has come to.

        A run that passed such a place before an upgrade has answered "not patched" for the rest of its life. So it is asked
        once more, under a name that only this place of its history has: there nobody has answered yet.
        """
        return workflow.patched(law.patch) or workflow.patched(f"{law.patch}/{self.state.seq}")

    def now(self) -> datetime:
        """Town time, with its offset; it never runs back, also when the server's own clock was set back."""
        now = self.state.charter.time.to_town(workflow.now())
        return now if self.state.last_at is None else max(now, self.state.last_at)

    def record(self, kind: str, /, **facts: Any) -> None:
        """Add an entry to the case's chain. Changed clocks are added by itself.

        Args:
            kind: `PROCEDURE:WORD`, such as `incident:signed`; the kernel's own are `case:WORD` and `clock:WORD`.
            **facts: codes, whole numbers, town times as text, and references: what canonical JSON can hold, and no texts.

        Raises:
            NotCanonical: a fact has no canonical form, such as a float.
        """
        stamp, command_digest = self._cause or (None, "")
        if changed := self.clocks.take_changes():
            facts["clocks"] = changed
        entry = Entry(
            case_id=self.state.case_id,
            seq=self.state.seq + 1,
            at=self.now(),
            actor=stamp.actor if stamp else ENGINE,
            kind=kind,
            facts=facts,
            stamp=stamp,
            command_digest=command_digest,
            prev_hash=self.state.head_hash,
        ).sealed()
        self.state.entries.append(entry)
        self.state.seq, self.state.head_hash, self.state.last_at = entry.seq, entry.hash, entry.at
        self.ledger.recorded(entry)

    def notify(self, to: str, template: str, /, **facts: Any) -> None:
        """Put a notice into the outbox; it is written together with the entries. `to` and `template` as in `Notice`."""
        self.state.notices.append(Notice(to=to, template=template, facts=facts))

    def move(self, stage: str, holder: str) -> None:
        """Go to a stage. `holder` is who has to act there, in a form of `CaseState.holder`; empty: nobody."""
        self.state.stage, self.state.holder = stage, holder

    def end(self) -> None:
        """Nothing can happen to this case any more: clocks and errands stop, the workflow completes."""
        self.state.ended = True
        self.state.holder = ""
        self.state.errands = [errand for errand in self.state.errands if errand.startswith(_TELL)]
        self.clocks.stop_all()
        self.record("case:ended", stage=self.state.stage)

    def errand(self, name: str, number: int) -> None:
        """Ask for outside work: the method `errand_<name>(number)` runs beside the story, also after continue-as-new.

        `number` tells errands of one name apart: of the order, the payment, the letter it is about.
        """
        self.state.errands.append(f"{name}/{number}")
        self.ledger.acts_outside()

    def tell(self, to: str, subject: str, **facts: Any) -> None:
        """Tell another case something: by signal, beside the story, counted once there, and before this case has gone.

        Args:
            to: the number of that case.
            subject: a code that the other procedure knows.
            **facts: codes, whole numbers and references, in the shape that goes with the subject.
        """
        self.state.letters_sent += 1
        number = self.state.letters_sent
        message_id = f"{self.state.case_id}/letter-{number}"
        message = Message(message_id=message_id, sender=self.state.case_id, subject=subject, facts=facts)
        self.state.letters.append(Letter(number=number, to=to, message=message))
        self.errand("tell", number)

    async def errand_tell(self, number: int) -> None:
        """Bring the letter with this number to the case it is for."""
        for letter in [letter for letter in self.state.letters if letter.number == number]:
            heard = await steps.tell_case(letter.to, letter.message)
            self.state.letters.remove(letter)
            if not heard:
                self.on_undeliverable(letter)

    async def while_at(self, *stages: str) -> None:
        """Wait until the case stands at none of these stages, or has ended."""
        await self.until(lambda: self.state.ended or self.state.stage not in stages)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something about the case: for its story."""
        await self._wake_order.until(condition, Priority.STORY)

    async def errand_done(self, name: str, number: int) -> None:
        """Wait until an errand asked for earlier is no longer under way."""
        key = f"{name}/{number}"
        await self._wake_order.until(lambda: key not in self.state.errands, Priority.ERRAND_WAITING, key)

    # ---- commands ---------------------------------------------------------------------------------------------------

    def refuse_unless_legal(self, name: str, command: Command, stamp: Stamp) -> None:
        """Refuse what the table or the case forbids. A repeat is recognised before the stage is looked at.

        Raises:
            ApplicationError: of type `Refusal`, never retried; its detail is the `Refusal` as JSON.
        """
        known = self.state.processed.get(stamp.command_id)
        if known is not None:
            if known.digest != stamp.digest:
                raise _refusal_error(self._key_reused(name))
            return
        if self._is_forgotten(stamp.at):
            raise _refusal_error(self._too_old(name))
        if (refusal := self._objection(name, command, stamp)) is not None:
            raise _refusal_error(refusal)

    def _objection(self, name: str, command: Command, stamp: Stamp) -> Refusal | None:
        refusal = self.procedure.rules.check(self.state, name, stamp.actor, self.now())
        if refusal is None and (unseen := command.not_what_was_seen(self.state)) is not None:
            return Refusal(
                code=RefusalCode.NOT_WHAT_YOU_SAW,
                detail=say("不是您查看的那一项,请重新查看", "this is not what you saw: look again"),
                command=name,
                stage=self.state.stage,
                legal_commands=self.procedure.rules.legal(self.state, stamp.actor, self.now()),
                faults=(unseen,),
            )
        if refusal is None and (faults := self._faults(command, stamp)):
            return Refusal(
                code=RefusalCode.BAD_COMMAND,
                detail=say("内容与本案不符", "the command does not fit this case"),
                command=name,
                stage=self.state.stage,
                faults=faults,
            )
        return refusal

    def _faults(self, command: Command, stamp: Stamp) -> tuple[Fault, ...]:
        """What in a body does not fit the case, and what is not for whoever sends it to say."""
        return (*command.faults(self.state), *command.not_theirs(self.state, stamp.actor, self.now()))

    def catch_up(self) -> bool:
        """Tell what the clocks have to tell before anything else happens; True when there was something.

        After an outage a timer and a command arrive together, and the command would stop a clock that was broken before.
        """
        if not (self.clocks.overdue and workflow.patched(CLOCKS_ARE_HEARD_FIRST)):
            return False
        self.clocks.catch_up(self._on_clock)
        return True

    async def answer_after_due_clocks(self, asked: Awaitable[AnswerT]) -> AnswerT:
        """What somebody outside answers, after the clocks have told what came before it.

        After an outage a timer and an answer arrive together, and the answer would stop a clock that was broken before.
        """
        answer = await asked
        if self.clocks.overdue and workflow.patched(CLOCKS_ARE_HEARD_BEFORE_ANSWERS):
            self.clocks.catch_up(self._on_clock)
        return answer

    def carry_out(self, name: str, command: Command, stamp: Stamp, handler: Callable[..., None]) -> Accepted:
        """Carry out a command once; its repeat gets the answer of the first time.

        Raises:
            ApplicationError: as `refuse_unless_legal`, where a clock that was due has changed what is legal.
        """
        known = self.state.processed.get(stamp.command_id)
        if known is not None:
            return known.answer
        if self.catch_up() and (refusal := self._objection(name, command, stamp)) is not None:
            raise _refusal_error(refusal)
        whole = {"command": command.model_dump(mode="json"), "stamp": stamp.model_dump(mode="json")}
        self._cause = (stamp, digest(whole))
        try:
            handler(self, command, stamp.actor)
        finally:
            self._cause = None
        answer = Accepted(
            case_id=self.state.case_id,
            command=name,
            command_id=stamp.command_id,
            stage=self.state.stage,
            seq=self.state.seq,
            at=self.now(),
        )
        self.state.processed[stamp.command_id] = Processed(digest=stamp.digest, answer=answer)
        if self.state.remembers_commands_days is not None:
            kept = {each: done for each, done in self.state.processed.items() if not self._is_forgotten(done.answer.at)}
            self.state.processed = kept
        if (most := self.state.remembers_at_most.get(name)) is not None:
            self.state.processed = latest_of(self.state.processed, name, most)
        return answer

    def _is_forgotten(self, moment: datetime) -> bool:
        """Whether a command of this moment may have been carried out, and nobody here would know."""
        days = self.state.remembers_commands_days
        return days is not None and moment < self.now() - timedelta(days=days)

    def _too_old(self, name: str) -> Refusal:
        return Refusal(
            code=RefusalCode.AGAINST_THE_RULES,
            detail=say("指令已过期,请重新办理", "this was sent too long ago: look again, and send it anew"),
            command=name,
            stage=self.state.stage,
        )

    def _key_reused(self, name: str) -> Refusal:
        return Refusal(
            code=RefusalCode.KEY_REUSED,
            detail=say("同一幂等键已用于另一内容", "this idempotency key was used with another body"),
            command=name,
            stage=self.state.stage,
        )

    @workflow.signal
    def message(self, message: Message) -> None:
        """Hear another case, if it is for this one and of one it knows. What is told twice is taken in once."""
        if self._is_strange(message):
            steps.tell_refused(self.state.case_id, "message")
            return
        self.catch_up()
        repeated = message.message_id in self.state.messages
        if not repeated:
            self.state.messages.append(message.message_id)
        self.on_message(message, repeated=repeated)

    @workflow.signal
    def write(self, asked: WriteAsked) -> None:
        """Write by itself what an answer told, if the ledger does not have it yet: whoever got the answer could not."""
        if found_out_of_place(asked) is not None or asked.case_id != self.state.case_id:
            steps.tell_refused(self.state.case_id, "write")
            return
        self.ledger.asked(asked.seq)

    @workflow.signal
    def set_aside(self, told: SetAside) -> None:
        """Record that a command of this case was laid aside: its task failed with it, so nothing else of it stands here.

        The entry also takes the place of what such a task may have told the ledger before it failed.
        """
        if found_out_of_place(told) is not None:
            steps.tell_refused(self.state.case_id, "set_aside")
            return
        if told.case_id != self.state.case_id or told.number in self.state.messages or self.state.ended:
            return
        self.catch_up()
        self.state.messages.append(told.number)
        self.ledger.laid_aside(told.command)
        self.record("case:set_aside", command=told.command, failure=told.failure)

    def _is_strange(self, message: Message) -> bool:
        """Whether a message was not written for this case, or is of one that has nothing to do with it."""
        if found_out_of_place(message) is not None:
            return True
        keeps_place = self.state.charter.keeps_place
        named = message.to == self.state.case_id or (message.to is None and not keeps_place)
        if named and self.knows(message):
            return False
        return keeps_place or self.law_holds_here(MESSAGES_ARE_OF_CASES_IT_KNOWS)

    # ---- the life of a case -----------------------------------------------------------------------------------------

    async def live(self, story: Callable[[], Awaitable[None]]) -> CaseOutcome:
        """Run the story with clocks, errands and ledger beside it, until it ends or the history has grown long.

        All are watched together: an exception in any of them fails the workflow task visibly instead of vanishing. A case that
        has not ended leaves by continue-as-new, which Temporal raises.

        Raises:
            RuntimeError: the ledger acknowledged another head than the case has; the workflow task fails until that is mended.
        """
        flusher = asyncio.create_task(self.ledger.keep())
        others = [
            asyncio.create_task(self._tell(story)),
            asyncio.create_task(self.clocks.run(self._on_clock)),
            asyncio.create_task(self._run_errands()),
            asyncio.create_task(workflow.wait_condition(self._history_is_long)),
        ]
        waking = asyncio.create_task(self._wake_order.run())
        done, _ = await workflow.wait([flusher, waking, *others], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        for task in [*others, *self._running_errands.values()]:
            task.cancel()
        await asyncio.gather(*others, *self._running_errands.values(), return_exceptions=True)
        await workflow.wait_condition(workflow.all_handlers_finished)
        self.ledger.stop()
        await flusher
        waking.cancel()
        await asyncio.gather(waking, return_exceptions=True)
        await self.ledger.drop_marker()
        if not self.state.ended:
            self.state.runs += 1
            if self.state.charter.knows_first_run or workflow.patched(LATER_RUNS_KNOW_THE_FIRST):
                self.state.first_run = workflow.info().first_execution_run_id
            workflow.continue_as_new(self.state)
        return CaseOutcome(
            case_id=self.state.case_id, stage=self.state.stage, seq=self.state.seq, head_hash=self.state.head_hash
        )

    async def _tell(self, story: Callable[[], Awaitable[None]]) -> None:
        await story()
        if not self.state.ended:
            self.end()
        if self.state.letters:
            await self.until(lambda: not self.state.letters)

    def _history_is_long(self) -> bool:
        info = workflow.info()
        return (
            info.get_current_history_length() >= self.state.charter.history_limit or info.is_continue_as_new_suggested()
        )

    def _on_clock(self, clock: str, moment: str, to: str | None) -> None:
        self.on_clock(clock, moment, to or self.state.holder)

    async def _run_errands(self) -> None:
        running = self._running_errands
        while True:
            for key in self.state.errands:
                if key not in running:
                    running[key] = asyncio.create_task(self._run_errand(key))
            await self._wake_order.until(
                lambda: (
                    any(task.done() for task in running.values())
                    or any(key not in running for key in self.state.errands)
                ),
                Priority.ERRAND_DISPATCH,
            )
            for key in [key for key, task in running.items() if task.done()]:
                running.pop(key).result()

    async def _run_errand(self, key: str) -> None:
        name, _, number = key.partition("/")
        await getattr(self, f"errand_{name}")(int(number))
        if key in self.state.errands:
            self.state.errands.remove(key)


def _is_run_of(state: CaseState, info: workflow.Info) -> bool:
    """Whether Temporal says of a run that a case begins in it, or goes on."""
    if info.cron_schedule or info.retry_policy is not None:
        return False
    if (state.seq == 0) is not (info.continued_run_id is None):
        return False
    return state.first_run is None or state.first_run == info.first_execution_run_id


class _Copy:
    """Stands where a case would, in a workflow that was started with what was written for another one: it fails at once.

    One with the start of a case from before payloads were bound fails at its first flush (activities/ledger.py).
    """

    def __getattr__(self, name: str) -> Any:
        raise ApplicationError("its start was written for another place", type="ForeignStart", non_retryable=True)


def _refusal_error(refusal: Refusal) -> ApplicationError:
    return ApplicationError(refusal.detail, refusal.model_dump(mode="json"), type="Refusal", non_retryable=True)
