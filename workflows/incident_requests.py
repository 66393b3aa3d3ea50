"""What a supervisor orders of an incident 督办: an account of the matter, with a clock of its own.

any time: supervise -> answer_supervision | finish
"""

from schemas.values.actor import Actor
from workflows.incident_orders import Orders


class Requests(Orders):
    """The part of an incident that is supervised."""

    @property
    def their_department(self) -> str:
        """The department that holds the case, as one who is told."""
        return f"department:{self.state.department}"

    # ---- supervision 督办 -----------------------------------------------------------------------------------------

    def supervise(self) -> None:
        """督办: a formal order to whoever holds the case and to the department, with its own clock."""
        self.state.supervised = True
        self.start_clock("supervise")
        self.record_command(holder=self.state.holder)
        for told in dict.fromkeys((self.their_department, self.state.holder)):
            self.notify(told, "supervised")

    def answer_supervision(self, by: Actor) -> None:
        """督办反馈: the department's account; finishing the work is an answer too."""
        self.supervision_is_answered(by.subject)
        self.apply()

    def supervision_is_answered(self, by: str) -> None:
        """The supervisor's clock stops."""
        self.state.supervised = False
        self.clocks.stop("supervise", by)
