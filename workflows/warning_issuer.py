"""Whose word a warning is, and who takes it back: its issuer, whoever has issued it in the town, or two people."""

from schemas.kernel.acts import Step
from schemas.kernel.parties import THE_DEPARTMENT
from schemas.values.actor import Actor
from schemas.warning import Kind
from schemas.warning_commands import HearIssuer, MessageType
from schemas.warning_issuer import counts, is_looked_at, is_worse_again, longer, still_stand, until_it_runs_out
from schemas.warning_state import BEFORE_MOVING, Asked, Stage
from workflows.warning_moves import Moves


class Issued(Moves):
    """The part of a warning that is somebody's word."""

    def hear_issuer(self, command: HearIssuer) -> None:
        """发布机构消息: by when it was sent; a number counts once. A cancel of what stands ends it while nobody is moved."""
        state = self.state
        is_new = command.identifier not in state.identifiers
        counted = is_new and counts(state, command)
        is_cancel = command.message_type is MessageType.CANCEL
        if is_new:
            state.identifiers.append(command.identifier)
        if is_cancel:
            holds = still_stand(state, command)
            state.called_off = [each for each in state.standing if each not in holds]
        self.record_command(counts=counted)
        if not counted:
            if is_new and is_looked_at(state, command):
                template = "warning_cancel_not_counted" if is_cancel else "warning_message_not_counted"
                self.notify(self.address_of(THE_DEPARTMENT), template, hazard=state.hazard, level=command.level)
            return
        again = is_worse_again(state, command.level)
        if not is_cancel:
            self._it_stands(command)
        if is_cancel or command.called_off:
            self._issuer_is_over()
            return
        self.level_is(command.level, command.onset, again=again)

    def _it_stands(self, command: HearIssuer) -> None:
        """It replaces what stood, from now on. Of a part, it stands beside that, which is over no earlier."""
        state = self.state
        expires = longer(state.expires, command.expires) if command.part else command.expires
        state.sent_at, state.expires = command.sent, expires
        holds = [each for each in state.standing if each not in state.called_off] if command.part else []
        state.standing, state.called_off = [*holds, command.identifier], []
        if command.called_off:
            state.called_off = [command.identifier]
            return
        self.its_time_runs()
        state.issuer_over, state.all_clear = None, None
        self.clocks.stop("all_clear", "engine")

    def its_time_runs(self) -> None:
        """Until it runs out, where its issuer has said when that is."""
        self.clocks.stop("expires", "engine")
        if self.state.expires is not None:
            self.start_clock("expires", limit=until_it_runs_out(self.now(), self.state.expires))

    def run_out(self, step: Step) -> None:
        """预警到期: nobody is called back by that; whoever leads decides, within the time for an all clear."""
        self.record(self.entry_of(step))
        self.inform(step, {})
        if self.state.stage in {Stage.MOVING, Stage.SHELTERED} and not self.clocks.runs("all_clear"):
            self.start_clock("all_clear")

    def _issuer_is_over(self) -> None:
        """发布机构解除: whoever was called hears that nobody is to go; people who are out wait for the all clear."""
        if self.state.stage in BEFORE_MOVING and not self.state.somebody_is_cared_for:
            self.whoever_was_called_hears()
            self.finish_as(Stage.CANCELLED, Kind.CANCELLED)
            return
        if self.state.stage in BEFORE_MOVING:
            self.nobody_is_to_go()
        self.state.issuer_over = self.now()
        if self.state.stage in (*BEFORE_MOVING, Stage.MOVING, Stage.SHELTERED):
            self.start_clock("all_clear")
        self.record(Kind.ISSUER_OVER)
        self.notify(self.address_of(THE_DEPARTMENT), "warning_issuer_over", hazard=self.state.hazard)

    def cancel_warning(self) -> None:
        """取消: by whoever issued it."""
        self._it_is_taken_back()

    def ask_cancel(self, by: Actor) -> None:
        """提请取消: until another person says so too, it goes on."""
        self.state.asked_to_cancel += 1
        self.state.cancel = Asked(number=self.state.asked_to_cancel, by=by.subject)
        self.apply()

    def confirm_cancel(self) -> None:
        """同意取消: two people say that it is none."""
        self.state.cancel = None
        self._it_is_taken_back()

    def refuse_cancel(self) -> None:
        """不同意取消: it can be asked again."""
        self.state.cancel = None
        self.apply()

    def _it_is_taken_back(self) -> None:
        """Whoever was called hears that nobody is to go."""
        self.whoever_was_called_hears()
        self.apply()
