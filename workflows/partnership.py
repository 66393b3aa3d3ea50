"""partnership 社区合伙人 · 城乡结对 · 乡贤认领: a partner gets space, name or access, and both sides owe dated duties.

    proposed -> offered -> vetting -> judging -> choosing -> negotiating -> publicised -> active <-> curing
        |          |          |         |                                   objected         |  ^  suspended, breached
        v          v          v         v                                                    v  |      |
     refused   no_partner   refused   refused        also: withdrawn           renewing ------- |      v
                                                     before the agreement         +-> ended, or terminating -> ended

1. The committee, or a partner with an idea, proposes; the committee offers it to all, with its worth and the owner's consent.
2. Partners apply. One person takes down what the registers say, another one admits; a panel gives points; the best is chosen.
   Kin of the committee, a dear space or a tie is for the households: nobody can choose.
3. Both sides' duties are drafted; the committee proposes them, the partner agrees, and the agreement is posted.
4. Each side proves what it owes, and the other one accepts. What hangs on the other side's duty rests while that is not done.
5. Broken too often, or on a grave ground: one proposes a breach, the partner is heard, another one declares it. Then notice or
   amends.
6. From so many days before its end it can be renewed, by an act of each side. Without it the term ends, and the partnership.

What is left open at the end is asked back by a case of its own (schemas/recovery.py).
"""

from typing import Any

from schemas.kernel.acts import Step
from schemas.kernel.parties import COMMITTEE_OFFICER, THE_REPORTER, desk_of
from schemas.partnership import PARTNERSHIP, Kind
from schemas.partnership_commands import (
    Agree,
    Apply,
    Choose,
    ConfirmVetting,
    DeclineAgreement,
    DraftDuty,
    DropDuty,
    Offer,
    Vet,
)
from schemas.partnership_state import Application, Asked, PartnershipState, Stage
from schemas.parts.panel import Tally, Turnout
from schemas.parts.postings import Investigate
from schemas.values.actor import Actor
from workflows.kernel.procedure_workflow import procedure_workflow
from workflows.partnership_endings import Endings
from workflows.parts.panel import PanelCase
from workflows.parts.recusal import Recusals

COMMITTEE = desk_of(COMMITTEE_OFFICER)


@procedure_workflow
class Partnership(Endings[PartnershipState], PanelCase[PartnershipState], Recusals[PartnershipState]):
    """One partnership, from the proposal to the last renewal that nobody asked for."""

    procedure = PARTNERSHIP

    # ---- 1. the offer -----------------------------------------------------------------------------------------------

    def offer(self, command: Offer) -> None:
        """发布: to all partners alike; whose idea it was has to apply like everybody."""
        self.state.worth_fen, self.state.owner_agrees = command.worth_fen, command.owner_agrees
        self.state.space = command.space or self.state.space
        self.state.reporter_subject = None
        if command.owner_agrees is not None:
            self.keep_document(command.owner_agrees)
        self.apply()

    # ---- 2. who applies ---------------------------------------------------------------------------------------------

    def close_offer(self, step: Step) -> None:  # noqa: ARG002 - there is one such step
        """招募截止: the registers are asked about whoever applied."""
        if not self.state.applications:
            self.finish_as(Stage.NO_PARTNER, Kind.NO_PARTNER)
            return
        self.clocks.stop("offer", "engine")
        self.start_clock("vet")
        self.move(Stage.VETTING, COMMITTEE)
        self.record(Kind.OFFER_CLOSED, applications=len(self.state.applications))
        self.notify(COMMITTEE, "partnership_to_vet", applications=len(self.state.applications))

    def vet(self, command: Vet, by: Actor) -> None:
        """资格审核: taken down by one; nothing is decided by it."""
        found = self.state.application(command.application)
        found.registered, found.barred, found.receipt = command.registered, command.barred, command.receipt
        found.vetted_by = by.subject
        self.record_command()

    def confirm_vetting(self, command: ConfirmVetting) -> None:
        """资格复核: admitted by another one. When all are looked at, the panel judges those that were."""
        self.state.application(command.request).admitted = command.admitted
        self.record_command()
        if self.state.unvetted or self.state.to_confirm:
            return
        self.clocks.stop("vet", "engine")
        if self.state.to_judge:
            self.judge_next()
        else:
            self.finish_as(Stage.REFUSED, Kind.REFUSED, admitted=0)

    def judge_next(self) -> None:
        """The panel judges one application after the other."""
        self.state.judged = self.state.to_judge[0].number
        self.move(Stage.JUDGING, "")
        self.convene()

    def panel_has_judged(self, tally: Tally, outcome: Turnout) -> None:  # noqa: ARG002 - the entry before says it
        """Its points are for everybody to see."""
        self.give_points(tally.mean_hundredths or 0)

    def panel_is_short(self, tally: Tally) -> None:  # noqa: ARG002 - too few have judged for any points
        """Too few may judge it: it gets no points."""
        self.give_points(0)

    def give_points(self, points: int) -> None:
        """评分公布: then the next one, or the choice among those that reach the mark."""
        self.state.application(self.state.judged).points = points
        self.record(Kind.POINTS_GIVEN, application=self.state.judged, mean_hundredths=points)
        if self.state.to_judge:
            self.judge_next()
        elif self.state.best:
            self.start_clock("choose")
            self.move(Stage.CHOOSING, COMMITTEE)
        else:
            self.finish_as(Stage.REFUSED, Kind.REFUSED, admitted=len(self.state.applications))

    def choose(self, command: Choose) -> None:
        """择优: from now on it is theirs."""
        chosen = self.state.application(command.application)
        self.state.partner, self.state.reporter_subject = chosen.number, chosen.subject
        self.apply()

    def apply_for(self, command: Apply, by: Actor) -> None:
        """One more who wants it."""
        number = len(self.state.applications) + 1
        for document in command.documents:
            self.keep_document(document)
        self.state.applications.append(
            Application(number=number, subject=by.subject, name=command.name, plan=command.plan, kin=command.kin)
        )
        self.record_command(application=number)

    # ---- 3. the agreement -------------------------------------------------------------------------------------------

    def draft_duty(self, command: DraftDuty) -> None:
        """拟定义务: by whichever side."""
        self.state.drafts.append(command.draft())
        self.draft_has_changed()

    def drop_duty(self, command: DropDuty) -> None:
        """删去拟定义务."""
        self.state.drafts = [each for each in self.state.drafts if each.code != command.code]
        self.draft_has_changed()

    def draft_has_changed(self) -> None:
        """Whoever signs it names the version that they saw."""
        self.state.draft_version += 1
        self.record_command(version=self.state.draft_version)

    def propose_agreement(self, by: Actor) -> None:
        """提出协议: the draft stands still until the partner has spoken."""
        self.state.asked += 1
        self.state.agreement = Asked(number=self.state.asked, by=by.subject)
        self.record_command(
            request=self.state.asked, duties=[each.model_dump(mode="json") for each in self.state.drafts]
        )
        self.notify(THE_REPORTER, "partnership_to_agree")

    def decline_agreement(self, command: DeclineAgreement) -> None:  # noqa: ARG002 - it stands in the entry
        """不同意草案: it can be changed again."""
        self.state.agreement = None
        self.record_command()

    def agree(self, command: Agree) -> None:  # noqa: ARG002 - it stands in the entry
        """签约: nothing is in force before everybody has seen it."""
        self.state.agreement = None
        self.clocks.stop("negotiate", "engine")
        self.record_command(duties=[each.code for each in self.state.drafts])
        self.publicise()

    def posted(self) -> dict[str, Any]:
        """公示: the duties of both sides, by code, and without persons."""
        return {
            "worth_fen": self.state.worth_fen,
            "rivals": len(self.state.applications),
            "duties": [each.code for each in self.state.drafts] or [each.code for each in self.state.duties],
        }

    def objection_is_upheld(self, command: Investigate, by: Actor) -> None:  # noqa: ARG002 - the entry before says who
        """异议成立: no agreement; of a renewal, none, and the term that runs goes on to its end."""
        if not self.state.duties:
            self.finish_as(Stage.REFUSED, Kind.REFUSED, legal_basis=command.legal_basis)
            return
        self.state.renewed_months, self.state.renewal = 0, None
        self.move(Stage.RENEWING, COMMITTEE)
        self.record(Kind.RENEWAL_REFUSED, legal_basis=command.legal_basis)

    def publicity_has_ended(self) -> None:
        """In force from the day after; a renewal, from the end of the term that runs."""
        if self.state.duties:
            self.go_on_performing()
        else:
            self.begin_term(self.state.months)
