"""round 社区提案大赛: residents propose, a jury and the neighbours choose, the money follows proof, everybody has an answer.

    announced -> collecting -> judging -> shortlisted -> voting -> running -> closed
        |            |                         |            |        ^
        +------------+--------+----------------+            +--> drawing       also: unresolved
                              v
                          cancelled

1. It is announced with its money, what one proposal may cost, and its jury by name. Its share of the year's money is reserved over
   all rounds, without which it is called off; another person opens it, with the budget document.
2. Proposals are handed in until the window has passed, by a team of residents or by staff for them. Each is a case of its own
   (`proposal`): screened, judged blind, and posted there.
3. When the jury is done with all, those that reach the mark are the shortlist. Neighbours vote on it in a `ballot`; one alone
   needs no vote.
4. Jury and public rank it together; too few who voted, the jury alone. Equals: jury, public, cheaper, then a lot before two people.
5. Down the order each gets what it costs, while the pool lasts, and nobody is jumped over. The next ones wait: a place that comes
   free before its contract is theirs.
6. When each proposal has its answer, the round is reported on, and closed.

A round that nobody moves on belongs to the coordinator after the last tier, and ends as `unresolved`: so do its proposals that have
no contract yet; those that have one go on by themselves.
"""

from typing import Any

from schemas.kernel.acts import Step
from schemas.kernel.parties import COMMITTEE_OFFICER, STREET_OFFICER, desk_of
from schemas.parts.ballots import BallotOutcome
from schemas.parts.ranking import award
from schemas.parts.reservations import ReservedUnit, UnitStanding
from schemas.round import ROUND, Kind
from schemas.round_commands import CallVote, ConfirmLot, DrawLot, OpenRound, ReportRound
from schemas.round_messages import Subject
from schemas.round_state import POOL, LotDrawn, RoundState, Stage
from schemas.values.actor import Actor
from workflows.kernel.procedure_workflow import procedure_workflow
from workflows.parts.reservations import ReservationsCase
from workflows.round_proposals import Proposals

COMMITTEE, STREET = desk_of(COMMITTEE_OFFICER), desk_of(STREET_OFFICER)
YEARS_MONEY = "round-money"
"""The kind of unit under which the rounds of a year share its money."""


@procedure_workflow
class Round(Proposals[RoundState], ReservationsCase[RoundState]):
    """One round, from its announcement to its report."""

    procedure = ROUND

    # ---- 1. the money ---------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """占用年度资金: over all rounds of the year in this street."""
        super().begin()
        self.reserve_unit(
            YEARS_MONEY,
            POOL,
            key=self.state.years_money,
            amount=self.state.pool_fen,
            limit=self.state.terms.pool_at_most_fen,
        )

    def unit_is_held(self, unit: ReservedUnit) -> None:  # noqa: ARG002 - it reserves nothing else
        """Nobody else has it: whoever opens it hears so."""
        self.notify(STREET, "round_to_open")

    def unit_is_refused(self, unit: ReservedUnit) -> None:
        """年度资金不足: there is no round without its money, also if it was opened while that was being asked."""
        self.finish_as(Stage.CANCELLED, Kind.CANCELLED, cause=unit.code, left_fen=unit.left)

    def open_round(self, command: OpenRound) -> None:
        """开赛: with the document by which it has the money."""
        self.state.budget = command.budget
        self.keep_document(command.budget)
        self.apply()

    # ---- 2. collecting --------------------------------------------------------------------------------------------

    def close_collecting(self, step: Step) -> None:  # noqa: ARG002 - there is one such step
        """征集截止: what was screened is judged; nothing handed in, there is no round."""
        self.clocks.stop("collect", "engine")
        if not self.state.entrants:
            self.finish_as(Stage.CANCELLED, Kind.CANCELLED, cause="nobody")
            return
        self.move(Stage.JUDGING, "")
        self.record(Kind.CLOSED_FOR_PROPOSALS, proposals=len(self.state.entrants))
        for entrant in self.state.living:
            self.tell_entrant(entrant, Subject.JUDGING_BEGINS, self.teams())
        self.look_at_jury()

    # ---- 3. the shortlist, and the vote -----------------------------------------------------------------------------

    def proposal_has_told(self) -> None:
        """A proposal stands elsewhere, or is over."""
        self.look_at_jury()
        self.look_at_lot()
        self.fill_places()
        self.look_at_answers()

    def look_at_jury(self) -> None:
        """入围: when the jury is done with all, those that reach the mark."""
        state = self.state
        if state.stage != Stage.JUDGING or not state.all_are_judged:
            return
        mark = state.terms.mark
        reach = [each for each in state.living if each.jury is not None and each.jury.mean >= mark]
        state.shortlist = tuple(each.code for each in reach)
        for entrant in state.living:
            if entrant.code not in state.shortlist:
                entrant.answered = True
                self.tell_entrant(entrant, Subject.NOT_SHORTLISTED)
        if len(reach) > 1:
            self.start_clock("call_vote")
            self.move(Stage.SHORTLISTED, COMMITTEE)
            self.record(Kind.SHORTLISTED, shortlist=list(state.shortlist))
            self.notify(COMMITTEE, "round_shortlisted", proposals=len(reach))
        else:
            self.record(Kind.SHORTLISTED, shortlist=list(state.shortlist))
            self.rank_them()

    def call_vote(self, command: CallVote) -> None:
        """提请公众投票."""
        self.apply()
        self.ask_for_ballot(command.asked(self.state))

    def ballot_has_ended(self, outcome: BallotOutcome) -> None:  # noqa: ARG002 - it stands with the vote that was called
        """Void, or by too few, it leaves the ranking to the jury."""
        self.rank_them()

    # ---- 4. one order ---------------------------------------------------------------------------------------------

    def rank_them(self) -> None:
        """排名: as far as the rule decides; for the rest a lot is drawn."""
        if self.state.to_draw:
            self.start_clock("draw_lot")
            self.move(Stage.DRAWING, COMMITTEE)
            self.notify(COMMITTEE, "round_to_draw", proposals=len(self.state.to_draw))
            return
        self.clocks.stop("draw_lot", "engine")
        self.give_awards()

    def draw_lot(self, command: DrawLot, by: Actor) -> None:
        """抽签: it counts when another person has seen it."""
        self.state.lots_drawn += 1
        self.state.lot = LotDrawn(number=self.state.lots_drawn, order=command.order, by=by.subject)
        self.record_command(request=self.state.lots_drawn)
        self.notify(STREET, "round_lot_drawn")

    def confirm_lot(self, command: ConfirmLot) -> None:
        """见证抽签: in this order; another group of equals has a lot of its own."""
        lot, self.state.lot = self.state.lot, None
        self.record_command(order=[] if lot is None else list(lot.order))
        if lot is not None and command.right:
            self.state.lots.append(lot.order)
            self.rank_them()
        self.look_at_lot()

    def look_at_lot(self) -> None:
        """不再同分: who was equal has gone, so that there is nothing to draw; a lot that waits for its witness is heard first."""
        if self.state.stage == Stage.DRAWING and self.state.lot is None and not self.state.to_draw:
            self.rank_them()

    # ---- 5. the awards --------------------------------------------------------------------------------------------

    def give_awards(self) -> None:
        """确定获奖: each hears where it stands, and the money is offered down the order."""
        state = self.state
        standings, ranking, terms = state.standings(), state.ranking(), state.terms
        given = award(ranking, standings, state.pool_fen, terms.ranking, terms.mark)
        for place, code in enumerate(ranking.order, start=1):
            state.entrant(code).place = place
        self.move(Stage.RUNNING, "")
        self.record(
            Kind.RANKED,
            ballots=state.turnout.ballots,
            roll=state.turnout.roll,
            order=list(ranking.order),
            awarded=list(given.awarded),
            reserve=list(given.reserve),
            left_fen=given.left_fen,
        )
        unit = state.unit_of(POOL)
        if given.awarded and unit is not None and unit.standing is UnitStanding.HELD:
            self.spend_unit(unit)
        for code in given.awarded:
            self.offer_to(state.entrant(code))
        for code in given.reserve:
            self.tell_entrant(state.entrant(code), Subject.RESERVED, self.placed(state.entrant(code)))
        for code in given.others:
            self.refuse_to(state.entrant(code))
        self.fill_places()
        self.look_at_answers()

    def fill_places(self) -> None:
        """递补: what comes free goes to the first who waits; when nothing can come free any more, nobody waits."""
        state = self.state
        if state.stage != Stage.RUNNING:
            return
        while state.reserve and state.reserve[0].cost_fen <= state.left_fen:
            self.offer_to(state.reserve[0])
        if state.places_are_settled:
            for entrant in state.reserve:
                self.refuse_to(entrant)

    # ---- 6. the report --------------------------------------------------------------------------------------------

    def look_at_answers(self) -> None:
        """均有答复: the street reports on it."""
        if self.state.stage == Stage.RUNNING and self.state.is_answered and "report_round" not in self.state.clocks:
            self.start_clock("report_round")
            self.move(Stage.RUNNING, STREET)
            self.record(Kind.ALL_ANSWERED, **self.outcome())
            self.notify(STREET, "round_to_report")

    def report_round(self, command: ReportRound) -> None:
        """总结公布."""
        for document in command.documents:
            self.keep_document(document)
        self.apply()

    def outcome(self) -> dict[str, Any]:
        """How it went: how many were handed in, won, and have a contract."""
        entrants = self.state.entrants
        return {
            "proposals": len(entrants),
            "offered_in_number": sum(each.offered for each in entrants),
            "contracted": sum(each.contracted for each in entrants),
            "left_fen": self.state.left_fen,
        }

    def stop_everything(self) -> None:
        """The round is over: whoever has no contract yet hears it."""
        super().stop_everything()
        for entrant in self.state.living:
            if not entrant.contracted:
                self.tell_entrant(entrant, Subject.ROUND_OVER)
