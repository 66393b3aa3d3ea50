"""The proposals of a round: handed in, started as cases of their own, told how it goes on, and heard (workflows/round.py)."""

from typing import TypeVar

from schemas.kernel.case import Letter, Message, child_id
from schemas.parts.children import open_child
from schemas.parts.quorum import Count
from schemas.parts.ranking import place_of
from schemas.proposal import PROPOSAL
from schemas.proposal_state import ProposalState
from schemas.round import Kind
from schemas.round_commands import Submit
from schemas.round_messages import JudgingBegins, Placed, ProposalReport, Subject
from schemas.round_state import Entrant, RoundState, Stage
from schemas.values.model import Model
from workflows.ballot_parent import Ballots
from workflows.kernel import steps
from workflows.kernel.law import Law

A_PROPOSAL_KNOWS_WHO_ANNOUNCED = Law("a-proposal-knows-who-announced")
"""Patch: before, a proposal did not know who had announced its round."""

WHO_IS_GONE_BARS_NOBODY = Law("who-is-gone-bars-nobody")
"""Patch: before, whoever was named in a proposal that was withdrawn could be no substitute juror in the whole round."""

StateT = TypeVar("StateT", bound=RoundState)


class Proposals(Ballots[StateT]):
    """The part of a round that has proposals: beside its votes, which are its other children."""

    MESSAGE_HANDLERS = {Subject.PROPOSAL_REPORTED: (ProposalReport, "hear_proposal")}

    async def story(self) -> None:
        """As long as anything can happen, then until every case that was to be started stands, and has heard its end."""
        await super().story()
        await self.until(lambda: not self.state.errands)

    def proposal_has_told(self) -> None:
        """Go on: one stands elsewhere, or is over."""
        raise NotImplementedError

    # ---- handed in --------------------------------------------------------------------------------------------------

    def submit(self, command: Submit) -> None:
        """提交提案: it becomes a case of its own."""
        entrant = Entrant(
            number=len(self.state.entrants) + 1,
            stamp=self.stamp,
            **{name: getattr(command, name) for name in type(command).model_fields},
        )
        self.state.entrants.append(entrant)
        self.record_command(proposal=self.case_of(entrant))
        self.errand("start_proposal", entrant.number)

    async def errand_start_proposal(self, number: int) -> None:
        """Start its case; it lives on by itself."""
        entrant = self.state.entrants[number - 1]
        opening = self.proposal_of(entrant)
        anew = await steps.start_case(PROPOSAL, opening)
        entrant.started = True
        self.record(Kind.STANDS, proposal=opening.case_id, anew=anew)
        if self.over:
            self.tell_entrant(entrant, Subject.ROUND_OVER)
        elif self.state.stage == Stage.JUDGING:
            self.tell_entrant(entrant, Subject.JUDGING_BEGINS, self.teams())

    def teams(self) -> JudgingBegins:
        """Who wants something of this round, or speaks for who carries it; whoever has withdrawn wants nothing any more."""
        entrants = self.state.living if self.law_holds_here(WHO_IS_GONE_BARS_NOBODY) else self.state.entrants
        people = {each for entrant in entrants for each in (*entrant.team, entrant.carrier_person) if each is not None}
        return JudgingBegins(teams=tuple(sorted(people)))

    def proposal_of(self, entrant: Entrant) -> ProposalState:
        """The state that its case starts with: what was handed in, by the terms of this round, and with its jury."""
        state = self.state
        return open_child(
            ProposalState,
            state,
            entrant.code,
            stamp=entrant.stamp,
            at=entrant.stamp.at,
            department=None,
            reporter=state.reporter,
            reporter_subject=entrant.team[0],
            terms=state.terms,
            number=entrant.number,
            pool_fen=state.pool_fen,
            announced_by=state.opening.actor.subject if self.law_holds_here(A_PROPOSAL_KNOWS_WHO_ANNOUNCED) else None,
            jury=state.jury,
            jury_size=len(state.jury),
            street_jurors=state.street_jurors,
            related=list(entrant.kin),
            joined=entrant.joined,
            milestones=state.terms.milestones_of(entrant.cost_fen),
            **{
                name: getattr(entrant, name)
                for name in (
                    "team",
                    "need",
                    "plan",
                    "site",
                    "people_helped",
                    "carrier",
                    "carrier_name",
                    "account",
                    "carrier_person",
                )
            },
        )

    # ---- told and heard -----------------------------------------------------------------------------------------------

    def case_of(self, entrant: Entrant) -> str:
        """The number of its case."""
        return child_id(self.state.case_id, entrant.code)

    def entrant_called(self, case_id: str) -> Entrant | None:
        """Whose case this is; None: of none."""
        return next((each for each in self.state.entrants if self.case_of(each) == case_id), None)

    def tell_entrant(self, entrant: Entrant, subject: str, facts: Model | None = None) -> None:
        """Tell one of them something, once its case stands."""
        if entrant.started:
            self.tell(self.case_of(entrant), subject, **({} if facts is None else facts.model_dump(mode="json")))

    def knows(self, message: Message) -> bool:
        """Each proposal speaks for itself alone."""
        entrant = self.entrant_called(message.sender)
        if message.subject == Subject.PROPOSAL_REPORTED:
            return entrant is not None and entrant.number == message.facts.get("number")
        return entrant is not None or super().knows(message)

    def hear_proposal(self, report: ProposalReport) -> None:
        """Take in where one stands: older news loses."""
        entrant = self.state.entrants[report.number - 1]
        if entrant.over or report.heard <= entrant.heard:
            return
        entrant.heard, entrant.stage, entrant.over = report.heard, report.stage, report.over
        entrant.jury, entrant.contracted = report.jury, report.contracted
        entrant.team = entrant.team if report.team is None else report.team
        self.record(Kind.REPORTED, proposal=entrant.code, stage=report.stage, over=report.over)
        self.proposal_has_told()

    def on_undeliverable(self, letter: Letter) -> None:
        """A proposal that was told something has gone."""
        super().on_undeliverable(letter)
        entrant = self.entrant_called(letter.to)
        if entrant is not None and not entrant.over and not self.over:
            entrant.over = True
            self.record(Kind.REPORTED, proposal=entrant.code, stage=entrant.stage, over=True, gone=True)
            self.proposal_has_told()

    # ---- its answer ---------------------------------------------------------------------------------------------------

    def placed(self, entrant: Entrant) -> Placed:
        """How it was ranked, as it and everybody may know: no votes so few that they would tell of somebody."""
        state, told = self.state, self.state.outcome
        standing = next(each for each in state.standings() if each.case_id == entrant.code)
        place = place_of(standing, state.terms.ranking, state.turnout)
        votes: Count | None = None if told is None else told.totals.get(entrant.code)
        hidden = told is not None and votes is None
        points = None if hidden else int(place.points * 100)
        return Placed(place=entrant.place or 0, points_hundredths=points, votes=votes)

    def offer_to(self, entrant: Entrant) -> None:
        """获奖: the money is offered to it."""
        entrant.offered = True
        self.record(Kind.OFFERED, proposal=entrant.code, amount_fen=entrant.cost_fen, left_fen=self.state.left_fen)
        self.tell_entrant(entrant, Subject.AWARDED, self.placed(entrant))

    def refuse_to(self, entrant: Entrant) -> None:
        """未入选: for good, and it hears so."""
        entrant.answered = True
        self.tell_entrant(entrant, Subject.NOT_AWARDED, self.placed(entrant))
