"""Cases of declared procedures (schemas/kernel/): what their lines say is done here, whatever the procedure.

A command without a method of its own does what its line says: clocks stop and start, the case goes on, its entry is made, and
who is named is told. A method that is called like a command is in charge of it; `self.apply()` in it does what the line says.
A method that is called like a step of the case's own is in charge of that step.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, TypeVar, cast

from schemas.clocks.clock_schedule import BREACH, WARNING, last_moment
from schemas.clocks.limits import Limit
from schemas.kernel.acts import Act, Step
from schemas.kernel.case import Message
from schemas.kernel.declaration import DeclaredProcedure
from schemas.kernel.entries import EntryKind
from schemas.kernel.parties import THE_DEPARTMENT
from schemas.kernel.procedure import Command
from schemas.kernel.state import DeclaredState
from schemas.kernel.timers import Timer, TimerKind
from schemas.values.actor import Actor
from schemas.values.model import Model
from workflows.kernel.case_file import CaseFile
from workflows.kernel.law import Law

WHO_OWES_IT_IS_TOLD = Law("who-owes-it-is-told")
"""Patch: before, whoever held the case was told that a duty was late, whosever it was, and nobody where nobody held it."""

StateT = TypeVar("StateT", bound=DeclaredState)


@dataclass(frozen=True)
class CurrentCommand:
    """The command that is being carried out."""

    act: Act
    command: Command
    by: Actor


class DeclaredCase(CaseFile[StateT]):
    """A case of a declared procedure. `owner_after_last_tier`: who holds it after the last tier; None: who held it before.

    `MESSAGE_HANDLERS`: what other cases tell it, by subject: the shape of the facts (None: there are none) and the name of the
    method that takes them in.
    """

    procedure: ClassVar[DeclaredProcedure]
    owner_after_last_tier: ClassVar[str | None] = "role:coordinator"
    MESSAGE_HANDLERS: ClassVar[Mapping[str, tuple[type[Model] | None, str]]] = {}
    _current: CurrentCommand | None = None

    # ---- the story ------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Make the first entry: what the case is opened with, and under which rules."""
        charter = self.state.charter
        self.record(
            self.procedure.opened,
            **self.reported(),
            policy=charter.policy_version,
            calendar=charter.calendar.version,
        )
        self.on_opened()

    def on_opened(self) -> None:
        """Tell whoever is to know that the case stands. Nobody, unless the procedure says."""

    def reported(self) -> dict[str, Any]:
        """Return what the first entry says, as `record` takes it: what was sent to open the case, or what the procedure says."""
        opens = self.procedure.opens
        if opens is None or opens.body is None:
            raise NotImplementedError
        names = set(opens.body.model_fields) - opens.body.unsaid
        return {
            **self.state.model_dump(mode="json", include=names),
            "on_behalf": getattr(self.state, "on_behalf", False),
        }

    def begin(self) -> None:
        """Take the first step, as the line says that opens the case."""
        opens = self.procedure.opens
        if opens is None:
            return
        for clock in opens.starts:
            self.start_clock(clock)
        if opens.holder:
            self.move(self.state.stage, self.address_of(opens.holder))
        if opens.tells is not None:
            facts = {name: getattr(self.state, name) for name in opens.tells.facts}
            self.notify(self.address_of(opens.tells.to), opens.tells.template, **facts)

    @property
    def over(self) -> bool:
        """Whether nothing more can happen."""
        return self.state.stage in self.procedure.final

    async def story(self) -> None:
        """Wait until nothing more can happen."""
        await self.until(lambda: self.state.ended or self.over)

    # ---- commands -------------------------------------------------------------------------------------------------

    def apply(self, /, **facts: Any) -> None:
        """Do what the line of this command says. `facts` go into its entry, besides what stands in the command.

        Raises:
            RuntimeError: no command is being carried out, or its line has no entry to end the case with.
        """
        current = self._in_hand()
        act, rule = current.act, current.act.rule
        target = rule.to[0] if len(rule.to) == 1 else None
        if target in self.procedure.final:
            self.finish_as(target, self.entry_of(act), **self._said(current), **facts)
            return
        for clock in act.stops:
            self.clocks.stop(clock, current.by.subject)
        for clock in act.starts:
            self.start_clock(clock)
        if target is not None:
            self.move(target, self.state.holder if act.holder is None else self.address_of(act.holder))
        said = {**self._said(current), **facts}
        if act.entry is not None:
            self.record(act.entry, **said)
        self.inform(act, said)

    def record_command(self, /, **facts: Any) -> None:
        """Make the entry of this command, and nothing else: what stands in it, and `facts`. Raises RuntimeError as `apply`."""
        current = self._in_hand()
        self.record(self.entry_of(current.act), **self._said(current), **facts)

    def move(self, stage: str, holder: str) -> None:
        """Go to a stage. Somebody has acted: the last limit does not run any more, unless it is declared to run on."""
        last = self.procedure.last_limit
        if not self.timer_of(last).runs_on:
            self.clocks.stop(last, "engine")
        super().move(stage, holder)

    def inform(self, line: Act | Step, said: Mapping[str, Any], to: str | None = None) -> None:
        """Tell whom a line says, if it says so; what is not among `said`, the facts of its entry, is that of the case.

        `to`: somebody else who is told the same.
        """
        if (tells := line.tells) is not None:
            facts = {name: said[name] if name in said else getattr(self.state, name) for name in tells.facts}
            self.notify(self.address_of(tells.to if to is None else to), tells.template, **facts)

    def carry_out_act(self, current: CurrentCommand, method: Callable[..., None] | None) -> None:
        """Carry out a command by its method, or by its line."""
        self._current = current
        try:
            if method is None:
                self.apply()
            else:
                given = {"command": current.command, "by": current.by}
                method(self, **{name: given[name] for name in taken_by(method)})
        finally:
            self._current = None

    def address_of(self, code: str) -> str:
        """Whom a code stands for: `department` for the one that holds the case (`department:CODE`), every other for itself."""
        return f"department:{self.state.department}" if code == THE_DEPARTMENT else code

    def _in_hand(self) -> CurrentCommand:
        if self._current is None:
            raise RuntimeError("outside of a command there is no line to go by")
        return self._current

    def _said(self, current: CurrentCommand) -> dict[str, Any]:
        said = current.command.model_dump(mode="json")
        return said | {name: getattr(self.state, name) for name in current.act.adds}

    def entry_of(self, line: Act | Step) -> EntryKind:
        """Return the entry that a line makes. Raises RuntimeError: it makes none."""
        if line.entry is None:
            raise RuntimeError(f"{line.rule.command} makes no entry")
        return line.entry

    # ---- clocks ---------------------------------------------------------------------------------------------------

    def start_clock(
        self, name: str, by: str = "engine", *, limit: Limit | None = None, since: datetime | None = None
    ) -> None:
        """Start a clock as it is declared, or start it anew. `by`: whose act starts it. Of several of a kind: `check:tax`.

        `limit`: of a clock that is declared without one. `since`: a moment that has passed, from which it counts (town time); only
        of a clock that recurs. Raises TypeError: a clock without a limit, and none is given; `since` of one that does not recur.
        """
        timer, terms = self.timer_of(name), self.state.terms
        if since is not None and not timer.recurs:
            raise TypeError(f"{name} does not recur: it counts from the moment at which it starts")
        limit, tiers = limit or timer.limit_under(terms, self.state), timer.tiers_under(terms, self.state)
        self.clocks.start(
            name, limit, by, tiers=tiers, warn_percent=timer.warn_percent, since=since, forgets=timer.recurs
        )

    def timer_of(self, clock: str) -> Timer:
        """Return how a clock is declared: of `check:tax`, how every `check` is."""
        return self.procedure.timers[clock.partition(":")[0]]

    def warned_of(self, clock: str) -> str | None:
        """Return who is warned by a clock, as a code; None: whoever holds the case."""
        return self.timer_of(clock).warned

    def on_clock(self, clock: str, milestone: str, recipient: str) -> None:
        """Duties remind and climb the tiers, and then the last limit runs; what a clock decides is decided when it passes.

        The arguments are those of `Case.on_clock`.
        """
        timer = self.timer_of(clock)
        is_duty = timer.kind is TimerKind.DUTY
        if not is_duty and milestone == BREACH:
            self.on_clock_passed(clock)
        elif timer.warns or (is_duty and milestone != WARNING):
            super().on_clock(clock, milestone, self._told(clock, milestone, recipient))
            if is_duty:
                self.on_duty_milestone(clock, milestone)

    def told_unheld(self, clock: str) -> str:
        """Return who is told of a clock while nobody holds the case: whoever is warned by it, unless the procedure says more."""
        return self.warned_of(clock) or ""

    def _told(self, clock: str, milestone: str, recipient: str) -> str:
        """Who is told of a milestone: of a warning and of a duty that is late whoever owes it. A word to nobody is none."""
        owes = self.warned_of(clock)
        told = owes or recipient if milestone == WARNING else recipient
        is_late = milestone == BREACH and recipient == self.state.holder  # where the policy names somebody, that is so
        instead = (owes if is_late else None) or told or self.told_unheld(clock)
        return instead if instead != told and self.law_holds_here(WHO_OWES_IT_IS_TOLD) else told

    def on_duty_milestone(self, clock: str, milestone: str) -> None:
        """A duty that is broken brings about what is declared of it; after its last tier nobody further is told."""
        if milestone == BREACH:
            self.on_duty_broken(clock)
        if milestone == last_moment(self.state.clocks[clock].tiers):
            self.after_last_tier(clock)

    def on_duty_broken(self, clock: str) -> None:
        """Take the step that is declared for a duty of which the time is over, if one is; it goes on climbing its tiers."""
        self.take_step_of(clock)

    def on_clock_passed(self, clock: str) -> None:
        """Take the step that is declared for the end of this clock at this stage, if one is."""
        self.take_step_of(clock)

    def take_step_of(self, clock: str) -> None:
        """Take the step that a clock brings about at this stage; none, if none is declared."""
        here = (each for each in self.procedure.steps if each.clock == clock and self.state.stage in each.rule.at)
        step = next(here, None)
        if step is None:
            return
        method = getattr(self, step.rule.command, None)
        if method is None:
            facts = {name: getattr(self.state, name) for name in step.adds}
            self.finish_as(step.rule.to[0], self.entry_of(step), **facts)
        else:
            method(step)

    def after_last_tier(self, clock: str) -> None:
        """Nobody further is told: the case is its last owner's, and the last limit runs; not for a duty beside the matter."""
        if self.timer_of(clock).beside:
            return
        self.state.holder = self.owner_after_last_tier or self.state.holder
        last = self.procedure.last_limit
        if not self.clocks.runs(last):
            self.start_clock(last)
            self.record("clock:final_limit", holder=self.state.holder)

    # ---- what other cases tell --------------------------------------------------------------------------------------

    def on_message(self, message: Message, *, repeated: bool) -> None:
        """Take in what another case tells, once, while anything can happen here. What nobody here knows of is let go.

        Raises:
            ValidationError: the facts do not have the shape that goes with the subject; the workflow task fails.
        """
        known = self.MESSAGE_HANDLERS.get(message.subject)
        if known is None or repeated or self.state.ended or self.state.stage in self.procedure.final:
            return
        shape, method = known
        getattr(self, method)(*([] if shape is None else [shape.model_validate(message.facts)]))

    # ---- the end --------------------------------------------------------------------------------------------------

    def finish_as(self, stage: str, entry: EntryKind, /, **facts: Any) -> None:
        """The case is final: nothing counts any more, and whom it concerns is told."""
        self.is_final_at(stage)
        said = {**self.outcome(), **facts}
        self.record(entry, **said)
        if (notice := self.procedure.end_notice) is not None and notice.tells_of(stage):
            named = {name: said[name] for name in notice.facts.get(stage, ())}
            self.notify(self.address_of(notice.to), self.procedure.end_template(stage), **named)
        self.on_finished()

    def is_final_at(self, stage: str) -> None:
        """Nothing can happen any more. Its entry was made before, or is made by whoever asks for this."""
        self.stop_everything()
        self.move(stage, "")

    def stop_everything(self) -> None:
        """Nothing is to be done any more."""
        self.clocks.stop_all()
        self.state.closed_at = self.now()

    def outcome(self) -> dict[str, Any]:
        """Return what the last entry says of how it went, whatever the end: facts as `record` takes them."""
        return {}

    def on_finished(self) -> None:
        """Tell other cases. Nobody, unless the procedure says."""


def taken_by(method: Callable[..., None]) -> tuple[str, ...]:
    """Which of `command` and `by` a method takes. Raises TypeError where it takes anything else."""
    code = cast("Any", method).__code__
    names: tuple[str, ...] = code.co_varnames[1 : code.co_argcount]
    if strange := set(names) - {"command", "by"}:
        raise TypeError(
            f"{method.__qualname__} takes {', '.join(sorted(strange))}: a command's method takes command and by"
        )
    return names
