"""mediation 人民调解 · 三级调解: a dispute is talked out by somebody neutral, agreed by every side for itself, and kept.

    applied -> consulting -> accepted -> mediating -> signing -> performing -> closed
       |           |             ^       ^ |  ^  ^       |  |       |  ^
       v           v             +-------+ |  |  +-------+  |       v  | kept after all, varied
    not_accepted declined      replaced    v  |             |     breached -> closed (remedy told) | mediating
                                        paused              v
    failed: from accepted on                             in force          also: withdrawn, transferred, unresolved

1. The committee takes it up; every side consents for itself, or nothing begins. Who does not answer is visited first.
2. The sides choose who mediates, else the committee appoints. A tie is disclosed: all accept it in writing, or they go.
3. Inviting, the next level, more time, an oral agreement, other duties: put to every side, done when all agree.
4. Sessions together, or apart; what is said apart is heard by that side and the mediators, and by nobody else.
5. A danger is told at once, without anybody's consent; no joint session until it is cleared.
6. In force with every side's signature, the mediator's and the seal; its parts sum to what it says.
7. Duties are proved by who owes them and accepted by whom they are owed to; of what is broken the remedies are told.
8. Confirmation by the court, if every side asks for itself within 30 days.
9. Somebody who did not mediate asks afterwards, twice. Failed, it leaves guidance.

The street, departments, supervisors and auditors see where it stands and what its clocks say, and hear no word.
"""

from typing import Any

from schemas.contracts.work_orders import Matter
from schemas.kernel.acts import Step
from schemas.mediation import MEDIATION, CourtConfirms, CourtRefuses, Kind
from schemas.mediation_agreement import AskConfirmation, TakeBack, Transfer
from schemas.mediation_state import APPLICANT_SIDE, COURT, Confirmation, MediationState, Stage
from schemas.parts.participants import PARTY
from schemas.values.actor import Actor, Role
from workflows.kernel.procedure_workflow import procedure_workflow
from workflows.mediation_agreement import MediationAgreement
from workflows.parts.origins import BornCase


@procedure_workflow
class Mediation(MediationAgreement, BornCase[MediationState]):
    """One dispute, from the application to the last follow-up."""

    procedure = MEDIATION

    def reported(self) -> dict[str, Any]:
        """申请: whoever applied has the first seat, before anything is said."""
        self.seat(PARTY, self.state.reporter_subject, side=APPLICANT_SIDE)
        if self.state.opening.actor.role is Role.RESIDENT:
            self.state.consented.append(APPLICANT_SIDE)
        if self.state.wished_mediator is not None:
            self.state.wishes[APPLICANT_SIDE] = self.state.wished_mediator
        facts = super().reported()
        if self.state.incident is None:
            facts.pop("incident")  # as it stood before disputes could come of incidents: what was recorded replays
        return facts

    def begin(self) -> None:
        """The committee has it; a danger that was stated goes out before anybody has looked at the case."""
        self.start_clock("accept")
        self.move(Stage.APPLIED, "role:committee_officer")
        self.notify("role:committee_officer", "mediation_applied")
        self.tell_origin_it_stands()
        for told in self.all_addresses():
            self.notify(told, "mediation_received")
        if self.state.danger:
            self.danger_comes_up()

    async def story(self) -> None:
        """As long as it is open, then until the court has let go of what was filed."""
        await super().story()
        await self.order_let_go()

    # ---- 8. confirmation --------------------------------------------------------------------------------------------

    def matter(self) -> Matter:
        """What the court is asked: whether what was agreed is valid."""
        assert self.state.agreement is not None  # noqa: S101 - it is in force
        return Matter(category=self.state.category, urgency="ordinary", description=self.state.agreement)

    def ask_confirmation(self, command: AskConfirmation, by: Actor) -> None:
        """申请司法确认: filed when the last side has asked for itself."""
        side = command.said_by(self.state, by)
        self.take_down(command, by, side)
        if side not in self.state.confirmation_asked:
            self.state.confirmation_asked.append(side)
        self.state.confirmation = Confirmation.ASKED
        self.record(Kind.CONFIRMATION_ASKED, side=side)
        if set(self.state.sides) <= set(self.state.confirmation_asked):
            self.state.confirmation, self.state.department = Confirmation.FILED, COURT
            self.start_clock("court")
            self.record(Kind.CONFIRMATION_FILED, order=self.next_order(COURT))

    def take_back(self, command: TakeBack, by: Actor) -> None:
        """撤回: any side may, as long as the court has not answered."""
        self.take_down(command, by, command.said_by(self.state, by))
        self.not_before_the_court()
        self.record(Kind.CONFIRMATION_TAKEN_BACK)

    def court_accepts(self) -> None:
        """法院受理: it rules in its own time."""
        self.record_command()

    def court_refuses(self, command: CourtRefuses) -> None:  # noqa: ARG002 - its entry says all
        """法院驳回: what it refused can be varied, and asked for anew."""
        self.record_command()
        self.court_has_answered(Confirmation.REJECTED)

    def court_confirms(self, command: CourtConfirms) -> None:
        """司法确认: what is not kept now is enforced."""
        for document in command.documents:
            self.keep_document(document)
        self.record_command()
        self.court_has_answered(Confirmation.CONFIRMED)

    def court_has_answered(self, confirmation: Confirmation) -> None:
        """Every side hears of it, and who mediates."""
        self.clocks.stop("court", "engine")
        self.state.confirmation, self.state.department = confirmation, None
        for told in (*self.all_addresses(), *self.mediator_addresses()):
            self.notify(told, "mediation_court", confirmation=confirmation)

    def way_is_closed(self, step: Step) -> None:
        """司法确认期满: not every side has asked in time; the agreement binds all the same."""
        if self.state.confirmation in {Confirmation.NONE, Confirmation.ASKED}:
            self.state.confirmation = Confirmation.WAY_CLOSED
            self.record(self.entry_of(step))

    # ---- 9. how it ends ---------------------------------------------------------------------------------------------

    def transfer(self, command: Transfer) -> None:
        """移送: whoever can decide it is told."""
        self.apply()
        self.notify(f"department:{command.department}", "mediation_sent_on")

    def outcome(self) -> dict[str, Any]:
        """At which level it ended, and whether a court has confirmed it."""
        return {"level": self.state.level, "confirmation": self.state.confirmation}

    def on_finished(self) -> None:
        """Every side hears how it ended, and whoever sent it here; the court lets go of what it still has."""
        for told in dict.fromkeys((*self.all_addresses(), *self.mediator_addresses())):
            self.notify(told, f"mediation_{self.state.stage}")
        if self.state.sent_by is not None:
            self.notify(f"department:{self.state.sent_by}", "mediation_outcome", outcome=self.state.stage)
        self.tell_origin_it_has_ended()
        if self.state.confirmation == Confirmation.FILED:
            self.take_back_the_order()

    def born_of(self) -> str | None:
        """The incident that led to it hears how it ended, and no word."""
        return self.state.incident
