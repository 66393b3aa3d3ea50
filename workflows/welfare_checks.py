"""核对 means checks: every source is asked by itself, with a clock of its own; answers given are kept.

    asked -> answered                     counts while it is the one that is waited for
          -> not reached: asked again     so often by itself, then taken down by a person
          -> asked anew                   where a fact that it depends on has changed; a late answer is superseded

When all have answered and everybody has visited who has to, the survey is complete.
"""

from collections.abc import Iterable

from schemas.contracts.means import CheckAnswer, CheckRequest, CheckStatus
from schemas.values.actor import Actor
from schemas.welfare_commands import AskAgain, RecordCheck
from schemas.welfare_entries import Kind
from schemas.welfare_policy import Check
from schemas.welfare_state import (
    LIVING,
    Checked,
    Question,
    Stage,
)
from workflows.kernel import steps
from workflows.welfare_consents import Consents
from workflows.welfare_duties import (
    ANSWERS_ARE_ON_WHAT_WAS_SEEN,
    CIVIL_AFFAIRS,
    STREET,
)


class Checks(Consents):
    """The part of a case that asks registers."""

    # ---- asked ------------------------------------------------------------------------------------------------------

    def ask(self, checks: Iterable[Check]) -> None:
        """Ask each source by itself; what others have answered stays. About whom nobody is sure, nobody is asked."""
        if not self.state.identified:
            return
        self.demand_old_consents()
        asked = []
        for check in checks:
            anew = 1 + sum(question.source == check.source for question in self.state.questions)
            number = len(self.state.questions) + 1
            question = Question(
                number=number,
                source=check.source,
                anew=anew,
                asked_at=self.now(),
                facts=self.facts_for(check),
                about=self.state.asked_about() if self.tells_whom_it_asks_about else None,
            )
            self.state.questions.append(question)
            checked = self.state.checks_waited_for[check.source]
            checked.question, checked.status, checked.facts, checked.by_hand = number, None, {}, False
            self.start_clock(f"check:{check.source}")
            self.errand("ask", number)
            asked.append(check.source)
        if asked:
            self.record(Kind.CHECK_ASKED, sources=asked, **self.whom_it_is_about())

    def facts_for(self, check: Check) -> dict[str, int]:
        """The stated facts that a source has to know: those of a change that waits, where it states any."""
        stated = self.state.change.stated if self.state.change is not None else {}
        known = {fact: stated.get(fact, getattr(self.state, fact)) for fact in check.inputs}
        return {fact: value for fact, value in known.items() if value is not None}

    async def errand_ask(self, number: int) -> None:
        """Ask a source, once by this number, and take in its answer."""
        question = self.state.questions[number - 1]
        others = self.state.members if question.about is None else self.state.people(question.about)
        answer = await self.answer_after_due_clocks(
            steps.ask_source(
                CheckRequest(
                    case_id=self.state.case_id,
                    check=question.source,
                    number=question.anew,
                    person=self.state.reporter,
                    others=others,
                    statements=self.state.statements_of(self.state.reporter, *others),
                    facts=dict(question.facts),
                    as_of=question.asked_at,
                )
            )
        )
        question.status = answer.status
        self.take_answer(question, answer)

    def checks_of(self, sources: Iterable[str]) -> list[Check]:
        """The checks of some sources."""
        named = list(sources)
        return [check for check in self.state.rules.checks if check.source in named]

    # ---- answered ---------------------------------------------------------------------------------------------------

    def take_answer(self, question: Question, answer: CheckAnswer) -> None:
        """An answer counts while it is the one that is waited for."""
        checked = self.state.checks_waited_for.get(question.source)
        facts = {"source": question.source, "number": question.anew, "status": answer.status}
        if (
            checked is None
            or checked.question != question.number
            or self.state.stage in (Stage.WITHDRAWN, Stage.UNRESOLVED)
        ):
            self.record(Kind.CHECK_SUPERSEDED, **facts)
            return
        checked.status = answer.status
        if not answer.answered:
            self.record(Kind.CHECK_FAILED, **facts, code=answer.code)
            self.what_to_do_about(checked)
            return
        checked.facts = dict(answer.facts)
        self.clocks.stop(f"check:{question.source}", "engine")
        self.record(Kind.CHECK_ANSWERED, **facts, facts=dict(answer.facts), receipt=answer.receipt)
        self.answers_may_be_complete()

    def what_to_do_about(self, checked: Checked) -> None:
        """A source that was not reached is asked again by itself; one without a system, or that refuses, is a person's."""
        by_itself = checked.status is CheckStatus.UNREACHABLE and checked.asks < self.state.terms.asks_at_most
        if not by_itself:
            self.notify(CIVIL_AFFAIRS, "check_by_hand", source=checked.source)
        elif not self.clocks.runs("ask_again"):
            self.start_clock("ask_again")

    def ask_those_not_reached(self) -> None:
        """再次核对 by itself: only those that were not reached."""
        if self.state.stage not in (Stage.CHECKING, Stage.CORRECTING) and self.state.change is None:
            return
        waited_for = self.state.checks_waited_for.values()
        again = [checked for checked in waited_for if checked.status is CheckStatus.UNREACHABLE]
        for checked in again:
            checked.asks += 1
        self.ask(self.checks_of(checked.source for checked in again))

    def answers_may_be_complete(self) -> None:
        """What is waited for may have come: for the survey of an application, or for a change that is asked for."""
        self.survey_may_be_complete()
        self.change_may_be_reviewed()

    def survey_may_be_complete(self) -> None:
        """调查核对完成: all sources have answered and everybody has visited who has to."""
        waits = self.state.unanswered() or not self.state.visits_done or not self.state.identified
        if self.state.stage != Stage.CHECKING or waits:
            return
        self.clocks.stop("survey", "engine")
        self.clocks.stop("ask_again", "engine")
        self.start_clock("review")
        self.move(Stage.SURVEYED, STREET)
        amount = self.state.assessed(self.now())
        self.record(
            Kind.SURVEYED,
            amount_fen=amount.amount_fen,
            arithmetic=amount.arithmetic,
            against=[each.model_dump(mode="json") for each in self.state.obstacles(self.now())],
        )
        self.tell_of_missing_consents()
        self.notify(STREET, "review_due")

    # ---- what people do about it ------------------------------------------------------------------------------------

    def ask_again(self, command: AskAgain) -> None:
        """再次核对: the sources that have not answered, or one of them."""
        open_ones = [checked.source for checked in self.state.unanswered()]
        self.ask(self.checks_of([command.source] if command.source else open_ones))

    def record_check(self, command: RecordCheck, by: Actor) -> None:
        """人工核对: an answer taken down by a person counts instead of any other."""
        checked = self.state.checks_waited_for[command.source]
        checked.question, checked.by_hand = 0, True
        checked.status, checked.facts = command.status, dict(command.facts)
        self.clocks.stop(f"check:{command.source}", by.subject)
        self.record(
            Kind.CHECK_RECORDED,
            source=command.source,
            status=command.status,
            facts=dict(command.facts),
            note=command.note,
            **self.written_for_a_change(by),
        )
        self.answers_may_be_complete()

    def written_for_a_change(self, by: Actor) -> dict[str, int]:
        """Whoever wrote down an answer does not decide on what it comes to; and a change with another answer is another request."""
        change = self.state.change if self.state.stage in LIVING else None
        if change is None:
            self.wrote(self.state.checkers, by)
            return {}
        if not self.law_holds(ANSWERS_ARE_ON_WHAT_WAS_SEEN):
            return {}
        self.wrote(change.checked_by, by)
        self.state.changes_asked += 1
        change.number = self.state.changes_asked
        return {"change": change.number}
