"""Documents, acceptance, means checks and visits: everything that is found out before anybody judges.

applied <-> correcting          missing documents are named; the whole-case clock pauses until they are in
applied -> checking             every source is asked by itself, with a clock of its own; answers given are kept
checking -> surveyed            when all have answered and two people have visited
"""

from collections.abc import Iterable

from schemas.actor import Actor, Role
from schemas.clocks import Limit, Status, Unit
from schemas.means import CheckAnswer, CheckRequest, CheckStatus
from schemas.people import among, how_many, same_person
from schemas.welfare_commands import (
    Accept,
    AskAgain,
    AskCorrection,
    ConfirmMember,
    CorrectFacts,
    DeclareRelation,
    ExtendCase,
    HandIn,
    Identify,
    RecordCheck,
    RecordConsent,
    RecordVisit,
    SeesTheCard,
    WithdrawApplication,
)
from schemas.welfare_entries import Kind
from schemas.welfare_policy import Check, Fact
from schemas.welfare_rules import touched_checks
from schemas.welfare_state import CONSENT, LIVING, Checked, Question, Stage, Visit
from workflows import steps
from workflows.case import command
from workflows.welfare_duties import (
    ADULTS_OF_OLD_CASES_CONSENT,
    ANSWERS_ARE_ON_WHAT_WAS_SEEN,
    APPLICANT,
    CIVIL_AFFAIRS,
    CLERK,
    STREET,
    WHO_WITHDRAWS_FOR_OTHERS_TELLS_THEM,
)
from workflows.welfare_endings import Endings

HELD_WHILE_CORRECTING = ("whole", "accept", "survey", "review")


class Checks(Endings):
    """The part of a case that finds out."""

    # ---- documents ------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """申请: what was stated stands in the first entry."""
        stated = self.state
        self.record(
            Kind.APPLIED,
            benefit=stated.benefit,
            applicant=stated.reporter,
            members=list(stated.members),
            birth=stated.birth,
            household_size=stated.household_size,
            monthly_income_fen=stated.monthly_income_fen,
            income_stable=stated.income_stable,
            disability_level=stated.disability_level,
            area=stated.area,
            address=stated.address,
            account=stated.account,
            reason=stated.reason,
            consent=stated.consent,
            relation=stated.relation,
            documents=dict(stated.papers) | self.consent_papers(),
            channel=stated.channel,
            on_behalf=stated.on_behalf,
            policy=stated.charter.policy_version,
            calendar=stated.charter.calendar.version,
            **self.consents_stated(),
            **self.who_vouches(),
        )
        self.notify(APPLICANT, "welfare_applied")

    def begin(self) -> None:
        """The clock of the whole case starts; what is missing is named at once, by the policy of the benefit."""
        self.start_duty("whole", self.state.terms.whole)
        self.tell_of_missing_consents()
        if self.state.alike:
            self.notify(STREET, "alike_found", kinds=", ".join(self.state.alike))
        if self.state.missing():
            self.wait_for_documents(Stage.APPLIED)
            self.record(Kind.CORRECTION_ASKED, missing=list(self.state.missing()))
        else:
            self.await_acceptance()

    def await_acceptance(self) -> None:
        """The documents are there; the application is to be accepted."""
        self.start_duty("accept", self.state.terms.accept)
        self.goes_to(Stage.APPLIED, STREET)
        self.notify(STREET, "acceptance_due")

    def wait_for_documents(self, back_to: Stage) -> None:
        """补正: the clocks of those who wait for the documents pause."""
        clocks = self.state.clocks
        held = [name for name in HELD_WHILE_CORRECTING if name in clocks and clocks[name].status is Status.RUNNING]
        for name in held:
            self.clocks.pause(name, "engine", reason="correcting")
        self.state.paused, self.state.corrected_from = held, back_to
        self.start_duty("correct", self.state.terms.correct)
        self.goes_to(Stage.CORRECTING, APPLICANT)
        self.notify(APPLICANT, "correction_asked", documents=len(self.state.missing()))

    @command
    def ask_correction(self, command: AskCorrection, by: Actor) -> None:
        """通知补正: a document that is missing, or not to be read, is asked for by name."""
        self.another_edition()
        for kind in command.documents:
            self.state.papers.pop(kind, None)
            if kind not in self.state.asked_for:
                self.state.asked_for.append(kind)
        self.wait_for_documents(Stage(self.state.stage))
        self.record(Kind.CORRECTION_ASKED, missing=list(self.state.missing()), reason=command.reason, by=by.role)

    @command
    def hand_in(self, command: HandIn, by: Actor) -> None:
        """补交材料: with the last one the case goes on where it stood, and its clocks with it."""
        self.another_edition()
        self.state.papers[command.kind] = command.document.reference
        self.keep_document(command.document)
        missing = self.state.missing()
        self.record(
            Kind.HANDED_IN,
            document_kind=command.kind,
            document=command.document.model_dump(mode="json"),
            missing=list(missing),
            by=by.role,
        )
        if not missing:
            self.go_on_with_the_documents()

    def go_on_with_the_documents(self) -> None:
        """补正完成: the time in between is not counted."""
        self.clocks.stop("correct", "engine")
        for name in self.state.paused:
            self.clocks.go_on(name, "engine")
        back_to, accepting = self.state.corrected_from or Stage.APPLIED, "accept" in self.state.paused
        self.state.paused, self.state.corrected_from = [], None
        if back_to is Stage.APPLIED and not accepting:
            self.await_acceptance()
        else:
            self.goes_to(back_to, STREET)
        self.record(Kind.CORRECTED, stage=back_to)
        self.survey_may_be_complete()

    # ---- consent of the household 授权 -----------------------------------------------------------------------------

    def consent_papers(self) -> dict[str, str]:
        """The papers by which adults of the household consented, by whose they are."""
        return {
            f"{CONSENT}{member.number}": member.consent
            for member in self.state.household_members
            if member.consent is not None
        }

    def consents_stated(self) -> dict[str, list[int]]:
        """Whose consent is missing; cases from before did not ask."""
        if not self.state.charter.people_as_stated:
            return {}
        return {"without_consent": [member.number for member in self.state.not_consenting()]}

    def tell_of_missing_consents(self) -> None:
        """The applicant brings the papers; meanwhile the application goes on, and registers are asked about the others."""
        if missing := self.state.not_consenting():
            self.notify(APPLICANT, "consent_missing", members=len(missing))

    @command
    def record_consent(self, command: RecordConsent, by: Actor) -> None:
        """登记同意: what the registers said without this member does not count any more; they are asked about all anew."""
        self.another_edition()
        to_be_seen = self.is_to_be_seen(by)
        for member in self.state.household_members:
            if member.number == command.member:
                member.consent = command.document.reference
                member.consent_by = by.subject if to_be_seen else None
        self.keep_document(command.document)
        again = [] if to_be_seen else self.checks_that_count()
        self.record(
            Kind.CONSENT_RECORDED,
            member=command.member,
            document=command.document.model_dump(mode="json"),
            asked_again=[check.source for check in again],
            by=by.role,
            **self.consents_stated(),
        )
        if to_be_seen:
            self.notify(STREET, "member_to_be_seen")
        self.a_member_counts(again)

    def is_to_be_seen(self, by: Actor) -> bool:
        """A paper of an adult that an unknown account brings, or who entered the case, is looked at by another person."""
        if not self.state.charter.people_are_identified:
            return False
        entered = by.role is Role.RESIDENT or same_person(by.subject, self.state.opening.actor.subject)
        return entered and not self.state.account_bound

    def checks_that_count(self) -> list[Check]:
        """The registers whose answers are, or were, without somebody: of an entitlement, those of a change that waits."""
        if self.state.stage not in LIVING:
            return self.checks_of(self.state.checked)
        change = self.state.change
        return [] if change is None or change.reviewed_by is not None else self.checks_of(change.checked)

    @command
    def confirm_member(self, command: ConfirmMember, by: Actor) -> None:
        """查验家庭成员材料: another person has seen it; from now on registers are asked about this member too."""
        for member in self.state.household_members:
            if member.number == command.member:
                member.consent_by, member.age_shown = None, True
        again = self.checks_that_count()
        self.record(
            Kind.MEMBER_CONFIRMED,
            member=command.member,
            asked_again=[check.source for check in again],
            by=by.role,
            **self.consents_stated(),
        )
        self.a_member_counts(again)

    def a_member_counts(self, again: list[Check]) -> None:
        """Registers are asked anew; what was surveyed without this member is surveyed again."""
        if not self.state.not_consenting():
            self.stop_duty("consent", "engine")
        if self.state.stage in LIVING:
            self.ask(again)
            return
        if again and self.state.stage == Stage.SURVEYED:
            self.clocks.stop("review", "engine")
            self.goes_to(Stage.CHECKING, STREET)
        elif again and self.state.corrected_from is Stage.SURVEYED:
            self.state.paused = [name for name in self.state.paused if name != "review"]
            self.clocks.stop("review", "engine")
            self.state.corrected_from = Stage.CHECKING
        self.ask(again)

    # ---- acceptance, more time, withdrawal ------------------------------------------------------------------------

    @command
    def accept(self, command: Accept, by: Actor) -> None:
        """受理: the visits are due; once it is sure who applies the sources are asked, and urgent aid is paid first."""
        self.clocks.stop("accept", by.subject)
        self.state.accepted_at = self.now()
        self.goes_to(Stage.CHECKING, STREET)
        needed = self.state.needed(self.now())
        self.state.checked = {check.source: Checked(source=check.source) for check in needed}
        if self.state.rules.visits or self.state.relation is not None:
            self.start_duty("survey", self.state.terms.survey)
        if command.card_seen:
            self.saw_the_papers(by)
        self.record(
            Kind.ACCEPTED,
            checks=[check.source for check in needed],
            visits=self.state.rules.visits,
            **self.what_is_said_of_the_card(command),
        )
        self.notify(APPLICANT, "welfare_accepted")
        if self.state.identified:
            self.who_applies_is_sure(needed)
        else:
            self.await_identification()
        self.survey_may_be_complete()

    # ---- who applies 核验身份 ---------------------------------------------------------------------------------------

    def who_vouches(self) -> dict[str, bool | int]:
        """Whether the issuer vouches for the account, and how many have seen the card; cases from before did not ask."""
        if not self.state.charter.people_are_identified:
            return {}
        return {"account_bound": self.state.account_bound, "cards_seen": how_many(self.state.card_seen_by)}

    def what_is_said_of_the_card(self, command: SeesTheCard) -> dict[str, bool]:
        """What somebody says of the card, as a fact; cases from before did not ask."""
        return {"card_seen": command.card_seen} if self.state.charter.people_are_identified else {}

    def saw_the_papers(self, by: Actor) -> None:
        """Who accepts has the card and the consents on the table, and is another one than who entered them."""
        self.saw_the_card(by)
        for member in self.state.household_members:
            member.consent_by = None

    def saw_the_card(self, by: Actor) -> None:
        """One more of the town has seen it; the same one again is still one."""
        if self.state.charter.people_are_identified and not among(by.subject, self.state.card_seen_by):
            self.state.card_seen_by.append(by.subject)

    def await_identification(self) -> None:
        """Somebody else sees the card, at the window or at home; until then no register is asked, and nothing is paid first."""
        self.start_duty("identify", self.state.terms.identify)
        self.notify(APPLICANT, "identity_to_be_shown")
        self.notify(STREET, "identification_due")

    @command
    def identify(self, command: Identify, by: Actor) -> None:  # noqa: ARG002 - says nothing but its name
        """核验身份: with the second one the application goes on."""
        self.saw_the_card(by)
        self.record(Kind.IDENTIFIED, by=by.role, **self.who_vouches())
        self.identity_may_be_sure()

    def identity_may_be_sure(self) -> None:
        """Accepted and sure: the sources are asked now."""
        if self.state.identified and self.state.accepted_at is not None and self.clocks.runs("identify"):
            self.clocks.stop("identify", "engine")
            self.who_applies_is_sure(
                self.checks_of(each.source for each in self.state.checked.values() if not each.answered)
            )
        self.survey_may_be_complete()

    def who_applies_is_sure(self, checks: Iterable[Check]) -> None:
        """The sources are asked; urgent aid is paid first."""
        self.ask(checks)
        self.pay_first()

    @command
    def extend_case(self, command: ExtendCase, by: Actor) -> None:
        """延期: with its reason, up to what the policy allows."""
        self.state.extended_working_days += command.working_days
        longer = Limit(amount=command.working_days, unit=Unit.WORKING_DAYS)
        self.clocks.extend("whole", longer, by.subject, reason=command.reason)
        self.record(
            Kind.EXTENDED,
            working_days=command.working_days,
            in_all=self.state.extended_working_days,
            reason=command.reason,
        )
        self.notify(APPLICANT, "welfare_extended", working_days=command.working_days)

    @command
    def withdraw_application(self, command: WithdrawApplication, by: Actor) -> None:
        """撤回申请: before it is decided; an advance comes back. Of another's word the applicant hears."""
        if by.role is not Role.RESIDENT and self.law_holds(WHO_WITHDRAWS_FOR_OTHERS_TELLS_THEM):
            self.notify(APPLICANT, "welfare_withdrawn")
        self.comes_to_rest(Stage.WITHDRAWN)
        self.record(Kind.WITHDRAWN, reason=command.reason, by=by.role)
        self.wind_up()

    # ---- checks 核对 ----------------------------------------------------------------------------------------------

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
            self.start_duty(f"check:{check.source}", self.state.terms.check)
            self.errand("ask", number)
            asked.append(check.source)
        if asked:
            self.record(Kind.CHECK_ASKED, sources=asked, **self.whom_it_is_about())

    def whom_it_is_about(self) -> dict[str, list[int]]:
        """The numbers of the members whom a source is asked about; cases from before did not tell."""
        if not self.tells_whom_it_asks_about:
            return {}
        return {"asked_about": self.state.asked_about()}

    @property
    def tells_whom_it_asks_about(self) -> bool:
        """Adults are asked about when they have consented: of cases from before, those that have come to know their people."""
        return self.state.charter.people_as_stated or bool(self.state.household_members)

    def demand_old_consents(self) -> None:
        """补交授权书: of an application from before nobody knows who is of age; nobody is asked about who has not consented."""
        state = self.state
        old = not state.charter.people_as_stated and state.members and not state.household_members
        if not old or not self.law_holds(ADULTS_OF_OLD_CASES_CONSENT):
            return
        state.count_everybody_as_adult()
        self.start_duty("consent", state.terms.consent)
        self.record(Kind.CONSENT_DEMANDED, without_consent=[member.number for member in state.not_consenting()])
        self.tell_of_missing_consents()
        self.notify(CLERK, "consent_missing", members=len(state.not_consenting()))

    def facts_for(self, check: Check) -> dict[str, int]:
        """The stated facts that a source has to know: those of a change that waits, where it states any."""
        stated = self.state.change.stated if self.state.change is not None else {}
        known = {fact: stated.get(fact, getattr(self.state, fact)) for fact in check.inputs}
        return {fact: value for fact, value in known.items() if value is not None}

    async def errand_ask(self, number: int) -> None:
        """Ask a source, once by this number, and take in its answer."""
        question = self.state.questions[number - 1]
        others = self.state.members if question.about is None else self.state.people(question.about)
        answer = await self.heard(
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
            self.start_window("ask_again", self.state.terms.ask_again)

    def ask_those_not_reached(self) -> None:
        """再次核对 by itself: only those that were not reached."""
        if self.state.stage not in (Stage.CHECKING, Stage.CORRECTING) and self.state.change is None:
            return
        waited_for = self.state.checks_waited_for.values()
        again = [checked for checked in waited_for if checked.status is CheckStatus.UNREACHABLE]
        for checked in again:
            checked.asks += 1
        self.ask(self.checks_of(checked.source for checked in again))

    def checks_of(self, sources: Iterable[str]) -> list[Check]:
        """The checks of some sources."""
        named = list(sources)
        return [check for check in self.state.rules.checks if check.source in named]

    @command
    def ask_again(self, command: AskAgain, by: Actor) -> None:  # noqa: ARG002 - the entry names the actor
        """再次核对: the sources that have not answered, or one of them."""
        open_ones = [checked.source for checked in self.state.unanswered()]
        self.ask(self.checks_of([command.source] if command.source else open_ones))

    @command
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

    def answers_may_be_complete(self) -> None:
        """What is waited for may have come: for the survey of an application, or for a change that is asked for."""
        self.survey_may_be_complete()
        self.change_may_be_reviewed()

    def change_may_be_reviewed(self) -> None:
        """A change that is asked for waits for the registers that it touches."""
        raise NotImplementedError

    @command
    def correct_facts(self, command: CorrectFacts, by: Actor) -> None:
        """更正信息: only the checks that what changed touches are asked anew."""
        self.another_edition()
        self.wrote(self.state.correctors, by)
        changed = command.changed(self.state)
        before = {fact.value: getattr(self.state, fact) for fact in changed}
        for fact in changed:
            setattr(self.state, fact, getattr(command, fact))
        if command.income_stable is not None:
            self.state.income_stable = command.income_stable
        again = self.checks_touched(changed)
        self.record(
            Kind.FACTS_CORRECTED,
            before=before,
            after={fact.value: getattr(self.state, fact) for fact in changed},
            asked_again=[check.source for check in again],
            reason=command.reason,
            by=by.role,
        )
        if again:
            self.clocks.stop("review", "engine")
            self.goes_to(Stage.CHECKING, STREET)
        self.ask(again)

    def checks_touched(self, changed: Iterable[Fact]) -> list[Check]:
        """What is to be asked anew; a check that is needed now is added, one that is not needed any more is dropped."""
        needed = self.state.needed(self.now())
        sources = [check.source for check in needed]
        for source in [source for source in self.state.checked if source not in sources]:
            del self.state.checked[source]
            self.clocks.stop(f"check:{source}", "engine")
        new = [check for check in needed if check.source not in self.state.checked]
        for check in new:
            self.state.checked[check.source] = Checked(source=check.source)
        touched = touched_checks(needed, changed)
        return [check for check in needed if check in touched or check in new]

    # ---- visits 入户调查 ------------------------------------------------------------------------------------------

    @command
    def record_visit(self, command: RecordVisit, by: Actor) -> None:
        """入户调查: two different people; one of them from civil affairs where a relation was declared."""
        self.state.visits.append(Visit(by=by.subject, role=by.role, at=self.now(), finding=command.finding))
        if command.card_seen:
            self.saw_the_card(by)
        self.record(
            Kind.VISITED,
            number=len(self.state.visits),
            by=by.role,
            finding=command.finding,
            **self.what_is_said_of_the_card(command),
        )
        self.identity_may_be_sure()

    @command
    def declare_relation(self, command: DeclareRelation, by: Actor) -> None:
        """近亲属备案: the officer decides nothing here; while the survey goes on, civil affairs visits too."""
        self.state.related.append(by.subject)
        county_visit = self.state.stage in (Stage.APPLIED, Stage.CORRECTING, Stage.CHECKING)
        if county_visit and self.state.relation is None:
            self.state.relation = command.relation
        self.record(Kind.RELATION_DECLARED, relation=command.relation, by=by.role, county_visit=county_visit)

    def survey_may_be_complete(self) -> None:
        """调查核对完成: all sources have answered and everybody has visited who has to."""
        waits = self.state.unanswered() or not self.state.visits_done or not self.state.identified
        if self.state.stage != Stage.CHECKING or waits:
            return
        self.clocks.stop("survey", "engine")
        self.clocks.stop("ask_again", "engine")
        self.start_duty("review", self.state.terms.review)
        self.goes_to(Stage.SURVEYED, STREET)
        amount = self.state.assessed(self.now())
        self.record(
            Kind.SURVEYED,
            amount_fen=amount.amount_fen,
            arithmetic=amount.arithmetic,
            against=[each.model_dump(mode="json") for each in self.state.obstacles(self.now())],
        )
        self.tell_of_missing_consents()
        self.notify(STREET, "review_due")
