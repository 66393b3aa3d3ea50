"""评审 panel: its members judge, each once; when all have, or their time is over, the case goes on by what they came to.

    judge, vote      counted; the last one concludes it
    recuse           the member's word is taken back, and where a jury is named it is one fewer
    its time is over a quorum is enough; fewer are too few, and the procedure says what then

Who may, and what is enough, stands in `schemas/parts/panel.py`.
"""

from typing import ClassVar, TypeVar

from schemas.kernel.acts import Step, WithReason
from schemas.kernel.people import same_person
from schemas.parts.panel import FULL_SCORE, Judge, Opinion, PanelState, Tally, Turnout, Vote
from schemas.values.actor import Actor
from schemas.values.references import TextReference
from workflows.kernel.declared import DeclaredCase

StateT = TypeVar("StateT", bound=PanelState)


class PanelCase(DeclaredCase[StateT]):
    """The part of a case that a panel judges. `panel_clock`: how long it has, as its lines say."""

    panel_clock: ClassVar[str] = "judge"

    # ---- for procedures -------------------------------------------------------------------------------------------

    def panel_has_judged(self, tally: Tally, outcome: Turnout) -> None:
        """Go on by what it came to. `outcome`: all have judged, or a quorum in time."""
        raise NotImplementedError

    def panel_is_short(self, tally: Tally) -> None:
        """Too few have judged, or may: convene another one, or give up."""
        raise NotImplementedError

    def convene(self, *jury: str) -> None:
        """Begin a round: nobody has judged yet, and the time for it runs. `jury`: its members; none: whoever the table lets.

        Who recused themselves stays so. Stage and holder are the procedure's.
        """
        self.state.jury, self.state.opinions = jury, []
        self.start_clock(self.panel_clock)

    # ---- what its members say ---------------------------------------------------------------------------------------

    def judge(self, command: Judge, by: Actor) -> None:
        """评审: with a score."""
        self.take_opinion(command.score, command.reason, by)

    def vote(self, command: Vote, by: Actor) -> None:
        """表决: for it or against it."""
        self.take_opinion(FULL_SCORE if command.positive else 0, command.reason, by)

    def take_opinion(self, score: int, reason: TextReference | None, by: Actor) -> None:
        """Count a word; the last one concludes it."""
        self.state.opinions.append(Opinion(by=by.subject, score=score, reason=reason, at=self.now()))
        self.record_command(judged=len(self.state.opinions))
        self.look_at_panel(over=False)

    def recuse(self, command: WithReason, by: Actor) -> None:  # noqa: ARG002 - its reason stands in the entry
        """回避: also after the own word, which is taken back then."""
        left = [each for each in self.state.opinions if not same_person(each.by, by.subject)]
        taken_back = len(left) < len(self.state.opinions)
        self.state.opinions = left
        self.state.recused.append(by.subject)
        self.record_command(judged=len(left), taken_back=taken_back)
        self.look_at_panel(over=False)

    # ---- what it comes to -------------------------------------------------------------------------------------------

    def on_duty_broken(self, clock: str) -> None:
        """A duty concludes no panel: it climbs its tiers until whoever has not judged does."""
        if clock != self.panel_clock:
            super().on_duty_broken(clock)

    def conclude_panel(self, step: Step) -> None:  # noqa: ARG002 - it is known which
        """评审截止: its time is over."""
        self.look_at_panel(over=True)

    def look_at_panel(self, *, over: bool) -> None:
        """Conclude it when all have judged, or its time is over, or too few are left who may."""
        outcome = self.state.panel_turnout(over=over)
        if outcome is Turnout.NOT_YET:
            return
        self.clocks.stop(self.panel_clock, "engine")
        tally = self.state.tally
        self.record(
            f"{self.procedure.name}:panel:concluded",
            outcome=outcome,
            **tally.model_dump(mode="json"),
            mean_hundredths=tally.mean_hundredths,
            recused=len(self.state.recused),
        )
        if outcome is Turnout.SHORT:
            self.panel_is_short(tally)
        else:
            self.panel_has_judged(tally, outcome)
