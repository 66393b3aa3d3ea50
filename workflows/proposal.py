"""proposal 社区提案: one proposal of a round, from the day on which it is handed in to the last of its money.

    submitted <-> correcting
        v
    screened -> judging -> judged -> awarded -> posted <-> objected
                             v        ^           v
                           reserve ---+       contracting -> running <-> claimed -> accounting <-> settling -> closed
                                                              v  ^                                    v          ^
                                                             halted -------------------------> refunding -------+
                                                              +------------------------------------+---> terminated
    before a contract: refused, not_awarded, lapsed, withdrawn, cancelled                   also: unresolved

1. Committee or street look whether anything of it stands on the negative list. What is wrong with the plan is said once, and
   amended. Each who is named in the team has a time of their own to say whether they are of it; too few, it is not judged.
2. When that is over and the round collects no more, its jury judges it by criteria, each juror alone and without knowing whose
   it is. Who is tied to the team leaves it, by their own word or by that of two others, and another one may be seated. Five sheets
   at least, best and worst off; too far apart, they talk, and score anew.
3. The round says how it was ranked. Awarded, its share of the pool is reserved, a part for each milestone; then it is posted for
   all to see. Who shows a hidden tie, or a lie, puts it out; taste is not judged again.
4. The committee draws up the contract; the team and the carrier sign it, each for itself. Not signed in time, the place is free.
5. Each milestone is claimed with documents, and accepted by two people who are neither of the team nor of its jury; then its
   instalment is paid to the carrier, an organisation. An invoice counts once over all
   cases, and only when another person has accepted it.
6. It may be changed by two, never for more money; to another carrier, or another account of it, only with its own word. It is
   halted by one, gone on with or called off by another.
7. The final account is handed in and settled by another person. What is not shown to be spent comes back by its reference, or is
   asked back by a case of its own.

A proposal that nobody moves on belongs to the coordinator after the last tier, and ends as `unresolved`; money that is out comes
back first.
"""

from typing import Any

from schemas.kernel.acts import Step
from schemas.kernel.parties import COMMITTEE_OFFICER, STREET_OFFICER, THE_REPORTER, desk_of
from schemas.kernel.people import among, same_person
from schemas.parts.postings import Investigate
from schemas.parts.recusal import DeclareRelation
from schemas.parts.reservations import ReservedUnit
from schemas.proposal import PROPOSAL, Kind
from schemas.proposal_commands import ConfirmJuror, Revise, Score, SeatJuror
from schemas.proposal_state import BEFORE_CONTRACT, INVOICE, JurorAsked, ProposalState, PutOut, Sheet, Stage, TieNamed
from schemas.proposal_ties import ConfirmTie, NameTie
from schemas.round_messages import JudgingBegins, Placed, ProposalReport, Subject
from schemas.values.actor import Actor
from workflows.kernel.law import Law
from workflows.kernel.procedure_workflow import procedure_workflow
from workflows.parts.children import ChildCase
from workflows.parts.postings import Postings
from workflows.parts.recusal import Recusals
from workflows.proposal_endings import Endings
from workflows.proposal_members import Members

COMMITTEE, STREET = desk_of(COMMITTEE_OFFICER), desk_of(STREET_OFFICER)
A_JURY_IS_NOT_CHOSEN_BY_TWO = Law("a-jury-is-not-chosen-by-two")
"""Patch: before, who put a juror out named and confirmed another one, as often as they wished."""
A_SEAT_IS_LOOKED_AT_ANEW = Law("a-seat-is-looked-at-anew")
"""Patch: before, a juror who was named could be confirmed to a seat that was filled since."""
A_LATE_JUROR_FREES_ONE_SEAT = Law("a-late-juror-frees-one-seat")
"""Patch: before, one who was late and found tied besides was replaced for both."""
SHARE = "round-share"
"""The kind of unit under which the proposals of a round share its pool."""


@procedure_workflow
class Proposal(
    Members[ProposalState],
    Endings[ProposalState],
    Postings[ProposalState],
    Recusals[ProposalState],
    ChildCase[ProposalState],
):
    """One proposal."""

    procedure = PROPOSAL
    MESSAGE_HANDLERS = {
        Subject.JUDGING_BEGINS: (JudgingBegins, "is_to_be_judged"),
        Subject.AWARDED: (Placed, "is_awarded"),
        Subject.RESERVED: (Placed, "is_reserved"),
        Subject.NOT_AWARDED: (Placed, "is_not_awarded"),
        Subject.NOT_SHORTLISTED: (None, "is_not_shortlisted"),
        Subject.ROUND_OVER: (None, "is_over_with_its_round"),
    }

    def reported(self) -> dict[str, Any]:
        """提案: what was handed in."""
        self.start_clock("screen")
        self.await_members()
        names = {"number", "need", "plan", "site", "people_helped", "team", "related", "carrier", "carrier_name"}
        return {
            "round": self.state.parent,
            **self.state.model_dump(mode="json", include=names | {"account", "milestones"}),
            "budget_fen": self.state.budget_fen,
        }

    def begin(self) -> None:
        """The committee looks at it first."""
        self.move(Stage.SUBMITTED, COMMITTEE)
        self.notify(THE_REPORTER, "proposal_submitted")
        self.notify(COMMITTEE, "proposal_to_screen")
        self.ask_members()

    def report(self) -> None:
        """Tell the round where it stands; the last word counts, whatever order words arrive in."""
        state = self.state
        report = ProposalReport(
            number=state.number,
            stage=state.stage,
            heard=state.seq,
            over=self.over,
            jury=state.judged,
            contracted=state.contracted,
            team=None if state.joined is None else state.team,
        )
        self.tell_parent(Subject.PROPOSAL_REPORTED, report)

    def on_finished(self) -> None:
        """Its round hears its end."""
        super().on_finished()
        self.report()

    # ---- 1. screened ----------------------------------------------------------------------------------------------

    def return_plan(self) -> None:
        """退回补正: once."""
        self.state.returned = True
        self.apply()

    def revise(self, command: Revise) -> None:
        """补正: it is looked at again."""
        self.state.plan = command.plan
        self.apply()

    def screen(self, by: Actor) -> None:
        """通过初筛: judged as soon as the round collects no more."""
        self.wrote(self.state.screened_by, by)
        self.clocks.stop("screen", by.subject)
        self.move(Stage.SCREENED, "")
        self.record_command()
        self.notify(THE_REPORTER, "proposal_screened")
        self.look_at_members()

    def is_to_be_judged(self, begins: JudgingBegins) -> None:
        """征集截止: the round collects no more."""
        self.state.judging_open, self.state.rivals = True, begins.teams
        self.look_at_members()

    # ---- 2. judged ------------------------------------------------------------------------------------------------

    def begin_judging(self) -> None:
        """开始评审: each of the jury has it, and nobody who is tied to it; the team is who has said so."""
        if not self.count_members():
            return
        self.start_clock("judge")
        self.move(Stage.JUDGING, "")
        self.record(Kind.JUDGING, jurors=len(self.state.jurors), excused=len(self.state.jury) - len(self.state.jurors))
        for juror in self.state.jurors:
            self.notify(f"participant:{juror}", "proposal_to_judge")
        if self.state.joined is not None:
            self.report()

    def score(self, command: Score, by: Actor) -> None:
        """评分: the last one concludes it."""
        sheet = Sheet(by=by.subject, points=command.points, at=self.now())
        self.state.sheets.append(sheet)
        points = {str(each): given for each, given in sheet.points.items()}
        self.record(Kind.SCORED, sheets=len(self.state.sheets), sheet=points)
        self.look_at_scores()

    def declare_relation(self, command: DeclareRelation, by: Actor) -> None:
        """近亲属备案, 回避: the own sheet is taken back."""
        self.take_back_the_sheet(by.subject)
        super().declare_relation(command, by)
        self.look_at_scores()

    def take_back_the_sheet(self, juror: str) -> None:
        """What somebody gave who is tied to it counts no more; who was late besides is replaced once, and not for both."""
        late = self.state.missing and among(juror, self.state.jurors) and among(juror, self.state.awaited)
        if late and self.law_holds_here(A_LATE_JUROR_FREES_ONE_SEAT):
            self.state.missing -= 1
        self.state.sheets = [each for each in self.state.sheets if not same_person(each.by, juror)]

    def name_tie(self, command: NameTie, by: Actor) -> None:
        """提请评委回避: another person looks; until then, or until the time is over, the scores wait."""
        asked = self.next_asked(by)
        self.state.tie = TieNamed(**asked.model_dump(), juror=command.juror)
        self.apply(request=asked.number)

    def confirm_tie(self, command: ConfirmTie, by: Actor) -> None:
        """确认评委回避: out, as who says so themselves; or it was not so."""
        tie, self.state.tie = self.state.tie, None
        if tie is not None and command.right:
            self.take_back_the_sheet(tie.juror)
            if not among(tie.juror, self.state.related):
                self.state.related.append(tie.juror)
            if self.law_holds_here(A_JURY_IS_NOT_CHOSEN_BY_TWO):
                self.state.put_out.append(PutOut(juror=tie.juror, by=[tie.by, by.subject]))
            self.notify(f"participant:{tie.juror}", "proposal_excused")
        self.record_command(juror=None if tie is None else tie.juror, jurors=len(self.state.jurors))
        self.look_at_scores()

    def seat_juror(self, command: SeatJuror, by: Actor) -> None:
        """提名增补评委: another person confirms it."""
        asked = self.next_asked(by)
        self.state.seat = JurorAsked(
            **asked.model_dump(),
            juror=command.juror,
            of_street=command.of_street,
            looked_at_anew=self.law_holds_here(A_SEAT_IS_LOOKED_AT_ANEW),
        )
        self.apply(request=asked.number)

    def confirm_juror(self, command: ConfirmJuror) -> None:
        """增补评委: they judge it, if nobody has found a tie meanwhile."""
        seat, self.state.seat = self.state.seat, None
        if seat is not None and command.right:
            self.state.jury = (*self.state.jury, seat.juror)
            self.state.street_jurors += (seat.juror,) if seat.of_street else ()
            self.notify(f"participant:{seat.juror}", "proposal_to_judge")
        self.record_command(jurors=len(self.state.jurors))

    def conclude_judging(self, step: Step) -> None:  # noqa: ARG002 - there is one such step
        """评审逾期: enough sheets are enough from now on; fewer, and it climbs its tiers until somebody is seated."""
        self.state.late, self.state.missing = True, len(self.state.awaited)
        self.look_at_scores()

    def look_at_scores(self) -> None:
        """评审结果: best and worst off. Too far apart, they talk first."""
        scores = self.state.scores
        if self.state.stage != Stage.JUDGING or scores is None or not self.state.jury_is_done:
            return
        facts = {"sheets": len(self.state.sheets), "mean_hundredths": scores.mean_hundredths, "spread": scores.spread}
        rules = self.state.terms
        if scores.spread > rules.ranking.spread_at_most and self.state.talks < rules.talks_at_most:
            self.state.talks += 1
            self.state.sheets, self.state.late, self.state.missing = [], False, 0
            self.start_clock("judge")
            self.record(Kind.TALKED, **facts)
            for juror in self.state.jurors:
                self.notify(f"participant:{juror}", "proposal_to_judge_again")
            return
        self.clocks.stop("judge", "engine")
        self.state.judged, self.state.seat, self.state.tie = scores, None, None
        self.move(Stage.JUDGED, "")
        self.record(Kind.JUDGED, **facts)
        self.notify(THE_REPORTER, "proposal_judged")
        self.report()

    # ---- 3. how it was ranked -------------------------------------------------------------------------------------

    def is_awarded(self, placed: Placed) -> None:
        """拟入选: first its share of the pool, a part for each milestone, over all proposals of the round."""
        if self.state.stage not in (Stage.JUDGED, Stage.RESERVE):
            return
        self.state.placed = placed
        self.move(Stage.AWARDED, "")
        self.record(Kind.AWARDED, **placed.model_dump(mode="json"))
        for number, milestone in enumerate(self.state.milestones, start=1):
            self.reserve_unit(
                SHARE,
                f"milestone-{number}",
                key=self.state.parent,
                amount=milestone.amount_fen,
                limit=self.state.pool_fen,
            )

    def is_reserved(self, placed: Placed) -> None:
        """列入候补."""
        if self.state.stage == Stage.JUDGED:
            self.state.placed = placed
            self.move(Stage.RESERVE, "")
            self.record(Kind.RESERVED, **placed.model_dump(mode="json"))
            self.notify(THE_REPORTER, "proposal_in_reserve")

    def is_not_awarded(self, placed: Placed) -> None:
        """未入选, by its rank."""
        if self.state.stage in (Stage.JUDGED, Stage.RESERVE):
            self.state.placed = placed
            self.finish_as(Stage.NOT_AWARDED, Kind.NOT_AWARDED, cause="rank", **placed.model_dump(mode="json"))

    def is_not_shortlisted(self) -> None:
        """未入选, by the jury's mark."""
        if self.state.stage == Stage.JUDGED:
            self.finish_as(Stage.NOT_AWARDED, Kind.NOT_AWARDED, cause="mark")

    def is_over_with_its_round(self) -> None:
        """随大赛终止: what has a contract goes on by itself."""
        if self.state.stage in BEFORE_CONTRACT:
            self.finish_as(Stage.CANCELLED, Kind.CANCELLED)

    def unit_is_held(self, unit: ReservedUnit) -> None:
        """A share of the pool, or an invoice; with the last share it is posted."""
        if unit.kind == INVOICE:
            self.invoice_is_to_be_seen()
        elif self.state.stage == Stage.AWARDED and self.shares_are_held:
            self.publicise()
            self.notify(THE_REPORTER, "proposal_posted")

    def unit_is_refused(self, unit: ReservedUnit) -> None:
        """资金不足: the pool has not so much, whatever the round reckoned; or the invoice stands in another case."""
        if unit.kind == INVOICE:
            self.invoice_is_refused(unit)
        elif self.state.stage == Stage.AWARDED:
            self.finish_as(Stage.NOT_AWARDED, Kind.NOT_AWARDED, cause=unit.code)

    @property
    def shares_are_held(self) -> bool:
        """Whether the money of every milestone is kept for it."""
        return all(self.state.holds(f"milestone-{number}") for number in range(1, len(self.state.milestones) + 1))

    # ---- posted ---------------------------------------------------------------------------------------------------

    def posted(self) -> dict[str, Any]:
        """公示: what it costs, and how it was judged and ranked."""
        placed = {} if self.state.placed is None else self.state.placed.model_dump(mode="json")
        return {"budget_fen": self.state.budget_fen, "mean_hundredths": self.state.shown_mean, **placed}

    def objection_is_upheld(self, command: Investigate, by: Actor) -> None:  # noqa: ARG002 - the entry before says who
        """异议成立: a hidden tie, or a lie; the place is free."""
        self.finish_as(Stage.NOT_AWARDED, Kind.NOT_AWARDED, cause="objection", legal_basis=command.legal_basis)

    def publicity_has_ended(self) -> None:
        """入选: the contract comes next; the place is kept until the team has it before them."""
        self.start_clock("offer_contract")
        self.move(Stage.CONTRACTING, COMMITTEE)
        self.record(Kind.SELECTED, budget_fen=self.state.budget_fen)
        self.notify(THE_REPORTER, "proposal_selected")
        self.notify(COMMITTEE, "proposal_to_contract")
        self.report()
