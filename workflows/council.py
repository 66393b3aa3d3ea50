"""council 居民议事 · 村民议事: what concerns all is proposed, talked over, voted on, posted, done and accounted for.

    proposed -> admitted -> deliberating -> voting -> posted <-> objected -> executing -> evaluating -> closed -> archived
    before a vote:            answered, merged, passed on, withdrawn
    back to deliberating:     not passed; an objection upheld; a correction ordered
    from posted to closed:    annulled                                                      also: unresolved

1. A resident proposes, or staff for them. It is admitted by the committee, by a share of the people who join in it, or when nobody
   has answered within seven days; not admitted, it gets an answer that says why.
2. It is talked over in two rounds at least. Whoever says something is answered - taken, partly, not, and why - before anything is
   voted on. A text that is changed is posted again, and talked over once more; what the law asks for is reviewed.
3. The posted text, frozen by its digest, is put to the vote (`ballot`). Not passed, it is talked over again, and voted on after 90
   days at the earliest.
4. Passed, it is posted for seven days. An objection that is upheld, or an order that names the article, brings it back.
5. Tasks are assigned with a day, reported on monthly, seen by the proposer's side and accepted by a watcher; never by silence, and
   nobody accepts the own task.
6. Everybody judges the result. Decision and result stand; for a year it can be annulled by a ruling.

A motion that nobody moves on belongs to the coordinator after the last tier, and ends as `unresolved`.
"""

from typing import Any

from schemas.clocks.windows import long_enough
from schemas.council import COUNCIL
from schemas.council_commands import (
    Admit,
    Amend,
    Annul,
    AssignTask,
    Attend,
    CallBallot,
    Done,
    EnterSignatures,
    Evaluate,
    FileRuling,
    Invite,
    LegalReview,
    RecordRound,
    ReportTask,
    VouchTask,
)
from schemas.council_entries import Kind
from schemas.council_stages import Stage
from schemas.council_state import CouncilState, Invitation
from schemas.kernel.acts import Step
from schemas.kernel.parties import COMMITTEE_OFFICER, STREET_OFFICER, THE_REPORTER, desk_of
from schemas.parts.agreed import OPEN, Agreed, DatedDuty, Standing
from schemas.parts.ballots import BallotOutcome
from schemas.parts.duties import AcceptDuty
from schemas.parts.postings import Investigate
from schemas.values.actor import Actor
from workflows.ballot_parent import Ballots
from workflows.kernel.procedure_workflow import procedure_workflow
from workflows.parts.duties import DatedDuties
from workflows.parts.opinions import Opinions
from workflows.parts.origins import OriginCase
from workflows.parts.postings import Postings

COMMITTEE = desk_of(COMMITTEE_OFFICER)
EVALUATE, REPORT = "evaluate", "report"


@procedure_workflow
class Council(
    OriginCase[CouncilState],
    Ballots[CouncilState],
    Postings[CouncilState],
    Opinions[CouncilState],
    DatedDuties[CouncilState],
):
    """One motion, from the proposal to the end of the time in which it can be annulled."""

    procedure = COUNCIL
    duties_owed_by = COMMITTEE
    duties_accepted_by = desk_of(STREET_OFFICER)
    leads_to = ("incident",)
    told_if_nobody_holds_it = COMMITTEE

    async def story(self) -> None:
        """Tell the procedure: as long as anything can happen, then until the votes that were called stand and were told."""
        await super().story()
        await self.until(lambda: not self.state.errands)

    # ---- 1. onto the agenda -----------------------------------------------------------------------------------------

    def support(self, by: Actor) -> None:
        """附议: once enough have, it is on the agenda."""
        self.state.supporters.append(by.subject)
        self.record_command(behind_it=self.state.behind_it)
        self.look_who_is_behind_it()

    def enter_signatures(self, command: EnterSignatures) -> None:
        """录入联名: those on paper count too."""
        for document in command.documents:
            self.keep_document(document)
        self.state.signatures += command.signatures
        self.record_command(behind_it=self.state.behind_it)
        self.look_who_is_behind_it()

    def look_who_is_behind_it(self) -> None:
        """够人数即立项: by the share of the law, exactly."""
        if self.state.has_enough_behind_it:
            self.put_on_agenda("supported")

    def admit(self, command: Admit) -> None:
        """立项: by the committee, in its words if it has better ones."""
        self.state.text = command.text
        self.put_on_agenda("committee")

    def admit_by_itself(self, step: Step) -> None:  # noqa: ARG002 - there is one such step
        """逾期视为立项: nobody said anything in time."""
        self.put_on_agenda("screen")

    def put_on_agenda(self, cause: str) -> None:
        """It is to be talked over, and its text is posted."""
        self.clocks.stop("screen", "engine")
        self.start_clock("start_rounds")
        self.move(Stage.ADMITTED, COMMITTEE)
        self.record(Kind.ADMITTED, cause=cause, behind_it=self.state.behind_it, base=self.state.base)
        self.post_text()
        self.notify(THE_REPORTER, "council_admitted")

    # ---- 2. talked over ---------------------------------------------------------------------------------------------

    def post_text(self) -> None:
        """文本公布: what is talked over, and voted on, word for word."""
        self.state.version += 1
        text = self.state.text or self.state.motion
        self.record(Kind.TEXT_POSTED, version=self.state.version, text=text, text_digest=self.state.text_digest)

    def invite(self, command: Invite) -> None:
        """邀请."""
        number = len(self.state.invitations) + 1
        self.state.invitations.append(Invitation(number=number, kind=command.invited))
        self.record_command(number=number)

    def attend(self, command: Attend) -> None:
        """登记到会."""
        found = next(each for each in self.state.invitations if each.number == command.invitation)
        found.came = True
        self.record_command(invited=found.kind)

    def record_round(self, command: RecordRound) -> None:
        """登记议事: with the first one, the time for all of them runs."""
        if self.state.stage == Stage.ADMITTED:
            self.start_clock("deliberate")
        self.state.rounds += 1
        self.state.present += command.present
        self.apply(round=self.state.rounds, version=self.state.version)

    def legal_review(self, command: LegalReview, by: Actor) -> None:
        """合法性审查: of the text as it stands."""
        self.state.review_passed = command.passed
        self.wrote(self.state.reviewers, by)
        self.record_command(version=self.state.version)

    def amend(self, command: Amend) -> None:
        """修改: posted again, talked over once more, and looked at anew."""
        self.state.text, self.state.review_passed = command.text, None
        self.state.rounds_wanted = self.state.rounds + 1
        self.record_command(before=self.state.version)
        self.post_text()
        self.notify(THE_REPORTER, "council_amended", version=self.state.version)

    def prolong(self) -> None:
        """延长协商: the time for it counts anew."""
        self.state.prolonged = True
        self.apply()

    # ---- 3. the vote ------------------------------------------------------------------------------------------------

    def call_ballot(self, command: CallBallot) -> None:
        """提请表决: what is posted is what is voted on."""
        self.apply()
        self.ask_for_ballot(command.asked(self.state))
        self.notify(THE_REPORTER, "council_voting")

    def ballot_has_ended(self, outcome: BallotOutcome) -> None:
        """Passed, it is posted; else it is talked over again. A void vote counts for nothing, not even for the time to the next."""
        if outcome.passed and outcome.binding:
            self.publicise()
            self.notify(THE_REPORTER, "council_passed")
            return
        if outcome.void is None and outcome.binding:
            self.state.voted_at = self.now()
        self.start_clock("deliberate")
        self.move(Stage.DELIBERATING, COMMITTEE)
        self.record(Kind.NOT_PASSED, void=outcome.void, quorum=outcome.quorum)
        self.notify(THE_REPORTER, "council_not_passed")

    # ---- 4. posted --------------------------------------------------------------------------------------------------

    def posted(self) -> dict[str, Any]:
        """公示: the text that was voted on, by its digest, and how many were there."""
        asked = self.state.ballots[-1].asked
        return {"text_digest": asked.text_digest, "took_part": self.state.votes_cast, "votes_for": self.state.votes_for}

    def publicity_has_ended(self) -> None:
        """生效: what is to be done is assigned; a convention is put on file."""
        self.start_clock("assign")
        if self.state.must_be_filed and not self.state.filed:
            self.start_clock("file")
        self.move(Stage.EXECUTING, COMMITTEE)
        self.record(Kind.ADOPTED, ballots=len(self.state.ballots), rounds=self.state.rounds)

    def file(self) -> None:
        """备案."""
        self.state.filed = True
        self.apply()

    def objection_is_upheld(self, command: Investigate, by: Actor) -> None:  # noqa: ARG002 - the entry before says it
        """异议成立: a round anew, and a vote."""
        self.back_to_talks()

    def order_correction(self) -> None:
        """责令改正: the same, by an order that names the article."""
        self.record_command(before=self.state.stage)
        self.call_off_ballot()
        self.back_to_talks()
        self.notify(THE_REPORTER, "council_corrected")

    def back_to_talks(self) -> None:
        """What was decided is not in force: nothing of it is done any more, and it is talked over once more before a vote."""
        self.move(Stage.DELIBERATING, COMMITTEE)
        for task in self.state.duties_being(*OPEN):
            self.stop_clocks_of(task, "engine")
            self.settle(task, Standing.WAIVED, for_good=True)
        for clock in ("publicity", "investigate", "file", "assign"):
            self.clocks.stop(clock, "engine")
        self.state.rounds_wanted, self.state.filed, self.state.objections_beside = self.state.rounds + 1, False, 0
        self.start_clock("deliberate")

    # ---- 5. done ----------------------------------------------------------------------------------------------------

    def assign_task(self, command: AssignTask, by: Actor) -> None:
        """派任务: by its day, and with a word on it every month."""
        self.clocks.stop("assign", by.subject)
        self.state.task_holders[command.task] = command.holder
        self.agree_on((Agreed(code=command.task, what=command.what, first_on=command.due),))
        self.start_clock(f"{REPORT}:{command.task}")

    def report_task(self, command: ReportTask) -> None:
        """报进展: the next one is due a month from now."""
        self.start_clock(f"{REPORT}:{command.duty}")
        self.record_command()

    def vouch_task(self, command: VouchTask, by: Actor) -> None:
        """提议人认可: a watcher has the word."""
        self.state.vouched[command.request] = by.subject
        self.record_command(duty=self.proved_as(command.request).code)
        self.notify(self.duties_accepted_by, "council_task_vouched")

    def accept_duty(self, command: AcceptDuty, by: Actor) -> None:
        """验收: by a watcher, after the proposer's side."""
        super().accept_duty(command, by)

    def on_duty_settled(self, duty: DatedDuty, ended_as: Standing) -> None:  # noqa: ARG002 - however it ended
        """No word on it is waited for any more; if nothing else is under way, the committee says what comes next."""
        self.clocks.stop(f"{REPORT}:{duty.code}", "engine")
        if self.state.stage == Stage.EXECUTING and self.state.duties_settled:
            self.start_clock("assign")

    def conclude(self) -> None:
        """执行完毕: everybody may say what they think of it, on days off too."""
        calendar, terms = self.state.charter.calendar, self.state.terms
        self.apply(tasks=len(self.state.duties))
        self.start_clock(EVALUATE, limit=long_enough(terms.evaluate, self.now(), calendar, terms.evaluate_holds))
        self.notify(THE_REPORTER, "council_evaluate")

    # ---- 6. judged --------------------------------------------------------------------------------------------------

    def evaluate(self, command: Evaluate, by: Actor) -> None:
        """评议: one word a person."""
        score = self.state.score
        score.done += command.done is Done.DONE
        score.partly += command.done is Done.PARTLY
        score.not_done += command.done is Done.NOT_DONE
        score.worth_it += command.worth_it
        self.state.evaluated_by.append(by.subject)
        self.record_command(evaluated=len(self.state.evaluated_by))

    def close(self, step: Step) -> None:  # noqa: ARG002 - there is one such step
        """办结: decision and result stand for everybody to see; it can still be annulled."""
        self.start_clock("annul")
        self.move(Stage.CLOSED, "")
        self.record(Kind.CLOSED, **self.outcome())
        self.notify(THE_REPORTER, "council_closed")

    def file_ruling(self, command: FileRuling, by: Actor) -> None:
        """登记裁判: it is kept, and waits for another person."""
        for document in command.documents:
            self.keep_document(document)
        self.state.rulings += 1
        self.state.ruling_filed_by = by.subject
        self.record_command(request=self.state.rulings)

    def annul(self, command: Annul) -> None:  # noqa: ARG002 - its entry says all
        """撤销: by two."""
        self.apply(before=self.state.stage)

    def outcome(self) -> dict[str, Any]:
        """How it went: rounds, opinions and what became of them, votes, tasks, and what people say."""
        kept = sum(each.standing is Standing.KEPT for each in self.state.duties)
        return {
            "rounds": self.state.rounds,
            "opinions": self.state.opinions_given,
            "taken": {str(taken): number for taken, number in self.state.opinions_answered.items()},
            "ballots": len(self.state.ballots),
            "tasks": len(self.state.duties),
            "tasks_kept": kept,
            "score": self.state.score.model_dump(mode="json"),
        }
