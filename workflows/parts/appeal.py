"""不予确认与申诉 refusal and appeal, as a case does it (schemas/parts/appeal.py)."""

from typing import ClassVar, TypeVar

from schemas.kernel.parties import THE_REPORTER
from schemas.parts.appeal import (
    APPEAL,
    DECIDE,
    SERVE,
    AppealedState,
    AppealEntries,
    DecideAppeal,
    Outcome,
    Refuse,
)
from schemas.values.actor import Actor
from schemas.values.references import TextReference
from workflows.kernel.declared import DeclaredCase

StateT = TypeVar("StateT", bound=AppealedState)


class Appeals(DeclaredCase[StateT]):
    """The part of a case that may be refused.

    `STOPPED_BY_A_REFUSAL`: the clocks of the matter itself, which go on when the refusal is overturned. `appeals_go_to`: who holds
    the case while an appeal is decided on.
    """

    STOPPED_BY_A_REFUSAL: ClassVar[tuple[str, ...]] = ()
    appeals_go_to: ClassVar[str]

    # ---- for procedures -------------------------------------------------------------------------------------------

    def goes_on_overturned(self, refused_at: str) -> None:
        """Go on where it was refused."""
        raise NotImplementedError

    def remembers_who_decided(self) -> bool:
        """Whether who decides on the appeal is kept apart from what comes after; cases from before did not know."""
        return True

    def on_refusal_stands(self) -> None:
        """Wind up what was begun before the refusal. Nothing, unless the procedure says."""

    # ---- the refusal ----------------------------------------------------------------------------------------------

    def refuse(self, command: Refuse, by: Actor) -> None:
        """不予确认: with its reason and legal basis."""
        for clock in self.procedure.acts["refuse"].stops:
            self.clocks.stop(clock, by.subject)
        self.refuse_as(by, command.reason, command.legal_basis)

    def refuse_as(self, by: Actor, reason: TextReference, legal_basis: TextReference | None) -> None:
        """The refusal, whoever decides it: served within its limit, appealed against within its window, once."""
        line = self.procedure.acts["refuse"]
        self.state.refused_at, self.state.refusal = self.state.stage, reason
        self.state.refusers.append(by.subject)
        for clock in self.STOPPED_BY_A_REFUSAL:
            self.clocks.stop(clock, "engine")
        self.move(line.rule.to[0], THE_REPORTER)
        self.record(self.entry_of(line), at=self.state.refused_at, reason=reason, legal_basis=legal_basis)
        self.inform(line, {})
        self.state.notice_served = self.state.reporter_subject is not None
        if self.state.notice_served:
            self.record(self.entry_of(self.procedure.acts["serve_notice"]), by="account")
        else:
            self.start_clock(SERVE)
        if not self.state.appeals:
            self.start_clock(APPEAL)
        elif self.state.notice_served:
            self.refusal_stands()

    def serve_notice(self, by: Actor) -> None:
        """书面告知: to who has no account to be told by."""
        self.state.notice_served = True
        self.clocks.stop(SERVE, by.subject)
        self.record_command(by=by.role)
        if self.state.appeals:
            self.refusal_stands()
        else:
            self.start_clock(APPEAL)  # it counts from the day on which it was told

    def refusal_stands(self) -> None:
        """Nothing can be done about the refusal any more."""
        self.state.refusal_final = True
        self.is_final_at(self.procedure.acts["refuse"].rule.to[0])
        self.on_refusal_stands()

    # ---- the appeal -----------------------------------------------------------------------------------------------

    def appeal(self, by: Actor) -> None:
        """申诉: linked to the decision, and decided by somebody else."""
        self.state.appeals += 1
        self.clocks.stop(APPEAL, by.subject)
        self.start_clock(DECIDE)
        self.move(self.procedure.acts["appeal"].rule.to[0], self.appeals_go_to)
        self.record_command(against=self.state.refusal, by=by.role)
        self.notify(self.appeals_go_to, "appeal_made")

    def decide_appeal(self, command: DecideAppeal, by: Actor) -> None:
        """申诉决定: the refusal stands, or the application goes on where it was refused."""
        self.clocks.stop(DECIDE, by.subject)
        if self.remembers_who_decided():
            self.state.appeal_decided_by = by.subject
        self.record_command()
        self.notify(THE_REPORTER, "appeal_decided", outcome=command.outcome)
        if command.outcome is Outcome.UPHELD:
            self.state.notice_served = True  # the decision on the appeal is told with it
            self.move(self.procedure.acts["refuse"].rule.to[0], "")
            self.refusal_stands()
            return
        self.state.notice_served = False
        self.clocks.stop(SERVE, "engine")
        for clock in self.STOPPED_BY_A_REFUSAL:
            self.clocks.go_on(clock, "engine")
        self.goes_on_overturned(self.state.refused_at or "")

    def appeal_has_lapsed(self) -> None:
        """申诉期满: a refusal that was told stands. One that nobody was told of waits for that; then the window begins anew."""
        if self.state.notice_served:
            self.record(f"{self.procedure.name}:{AppealEntries.APPEAL_LAPSED}")
            self.refusal_stands()

    def nobody_was_told(self) -> None:
        """未能书面告知: nobody served the refusal until the last limit; it stands as it is."""
        self.record(f"{self.procedure.name}:{AppealEntries.NOTICE_NOT_SERVED}")
        self.refusal_stands()

    # ---- clocks ---------------------------------------------------------------------------------------------------

    @property
    def is_refused(self) -> bool:
        """Whether it stands refused now."""
        return self.state.stage == self.procedure.acts["refuse"].rule.to[0]

    @property
    def over(self) -> bool:
        """Whether nothing more can happen: also where a refusal stands."""
        return self.state.refusal_final or super().over

    def on_clock_passed(self, clock: str) -> None:
        """The end of the window; and the last limit of a refusal that nobody was told of."""
        if clock == APPEAL:
            self.clocks.stop(APPEAL, "engine")
            self.appeal_has_lapsed()
        elif clock == self.procedure.last_limit and self.is_refused:
            self.nobody_was_told()
        else:
            super().on_clock_passed(clock)
