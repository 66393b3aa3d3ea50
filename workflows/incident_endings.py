"""How an incident ends without being rated: withdrawn, rejected, unresolved, merged into another.

The case is final at once. Its workflow ends when the department has let go of the order, or could not be reached for it.
A merge is final when the other case has taken this one; if it cannot, this one goes on where it stood. How a case that was
taken in goes on hearing stands in `incident_followers`.
"""

from temporalio import workflow

from schemas.clocks.clocks import Status
from schemas.incident import INCIDENT, Kind
from schemas.incident_commands import Merge
from schemas.incident_messages import Subject, Told
from schemas.incident_state import HELD, LOOKED_AT, Merging, Stage
from schemas.kernel.acts import WithReason
from schemas.kernel.case import Message, is_case_of
from schemas.kernel.parties import THE_REPORTER
from schemas.kernel.visibility import may_see, sight_of
from schemas.values.actor import Actor
from workflows.incident_followers import FOLLOWERS_HEAR_THE_END, Followers
from workflows.kernel import steps
from workflows.kernel.law import Law
from workflows.parts.orders import COORDINATOR

ORDERS_ARE_RECALLED_AT_THE_END = "orders-are-recalled-at-the-end"
"""Patch: before, a department was only told on its screens that an order was void."""

OFFERS_NAME_THEIR_GIVER = Law("merge-offers-name-their-giver")
"""Patch: before, a case took in whatever offered itself, also by the word of somebody who could not see it."""


class IncidentEndings(Followers):
    """The part of an incident that ends it."""

    def withdraw(self, command: WithReason) -> None:
        """撤回: the reporter takes the report back; where others reported the matter too, for themselves alone."""
        if self.state.followers and self.law_holds_here(FOLLOWERS_HEAR_THE_END):
            self.reporter_leaves(command.reason)
        else:
            self.is_withdrawn(command.reason)

    def is_withdrawn(self, reason: str | None) -> None:
        """Nobody reports the matter any more; a case that took this one in is told."""
        into = self.state.merged_into if self.state.follows else None
        self.finish_as(Stage.WITHDRAWN, Kind.WITHDRAWN, reason=reason)
        if into is not None:
            self.state.merged_into, self.state.follows = None, False
            self.tell(into, Subject.FOLLOWER_LEFT)

    def nobody_reports(self) -> None:
        """The last reporter has taken back the report: what is not done yet is not done any more."""
        if self.state.stage in (Stage.REPORTED, Stage.SCREENING, *HELD, Stage.MERGED):
            self.is_withdrawn(None)

    def stop_everything(self) -> None:
        """Nothing is to be done any more; a department that holds an order is told, and so is its system."""
        held = self.state.department is not None and self.state.stage in HELD
        if held:
            self.notify(f"department:{self.state.department}", "order_void")
        if workflow.patched(ORDERS_ARE_RECALLED_AT_THE_END):
            self.drop_requests()
            self.clocks.stop_all()
            if held:
                self.take_back_the_order()
        self.state.closed_at = self.now()

    def on_finished(self) -> None:
        """Tell those who reported the same matter, and a whistle that goes on."""
        self.tell_followers(Told(self.state.stage))
        self.leave_whistle()

    @property
    def unfinished_business(self) -> list[str]:
        """The errands for which a final case still waits."""
        return [
            errand
            for errand in self.state.errands
            if errand == f"recall_order/{self.state.last_recall}"
            or errand.startswith(("offer_merge/", "answer_merge/"))
        ]

    async def farewell(self) -> None:
        """Wait until a final case has nothing more to do outside."""
        if self.unfinished_business:
            await self.until(lambda: not self.unfinished_business)
        if self.state.follows:
            await self.while_at(Stage.MERGED)

    # ---- merging 并案: this case goes into another ----------------------------------------------------------------

    def merge(self, command: Merge, by: Actor) -> None:
        """并案: offered to the other case, which says whether it can take this one. The reporter follows the other."""
        self.state.merges += 1
        running = [name for name, clock in self.state.clocks.items() if clock.status is Status.RUNNING]
        self.state.merge = Merging(
            number=self.state.merges,
            into=command.into,
            stage=Stage(self.state.stage),
            holder=self.state.holder,
            clocks=running,
            by=by if self.law_holds_here(OFFERS_NAME_THEIR_GIVER) else None,
        )
        self.state.merged_into = command.into
        for name in running:
            self.clocks.stop(name, by.subject)
        self.state.closed_at = self.now()
        self.move(Stage.MERGED, "")
        self.record_command()
        self.errand("offer_merge", self.state.merges)

    async def errand_offer_merge(self, number: int) -> None:
        """Offer this case to the other one and act on its answer."""
        merge = self.state.merge
        assert merge is not None, "an offer is of a merge"  # noqa: S101 - the errand was asked for by the command
        offer = Message(
            message_id=self.offer_id(number),
            sender=self.state.case_id,
            subject=Subject.MERGE_OFFERED,
            facts={} if merge.by is None else {"by": merge.by.model_dump(mode="json")},
        )
        if merge.taken is None and await steps.tell_case(merge.into, offer):
            await steps.case_answered(lambda: merge.taken is not None)
        if merge.taken:
            self.is_merged(merge)
        else:
            self.is_not_merged(merge)

    def offer_id(self, number: int) -> str:
        """What an offer of this case is known by, also when it is told twice."""
        return f"{self.state.case_id}/merge-{number}"

    def is_merged(self, merge: Merging) -> None:
        """The other case has taken this one: its order is void, and its reporter follows the other."""
        self.drop_requests()
        self.follows()
        self.record(Kind.MERGE_TAKEN, into=merge.into)
        if self.state.orders:
            self.notify(f"department:{self.state.department}", "order_void")
        self.notify(THE_REPORTER, "incident_merged", into=merge.into)
        if self.state.orders:
            self.take_back_the_order()

    def is_not_merged(self, merge: Merging) -> None:
        """The other case is not open any more: this one goes on where it stood."""
        self.state.merged_into, self.state.closed_at, self.state.merge = None, None, None
        for name in merge.clocks:
            self.clocks.go_on(name, "engine")
        self.move(merge.stage, merge.holder)
        self.record(Kind.MERGE_REFUSED, into=merge.into)
        self.notify(COORDINATOR, "merge_refused", into=merge.into)

    # ---- merging: another case comes into this one ----------------------------------------------------------------

    def knows(self, message: Message) -> bool:
        """Any incident may offer itself; the one that this was offered to alone answers."""
        if message.subject == Subject.MERGE_OFFERED:
            return is_case_of(message.sender, INCIDENT.name)
        if message.subject == Subject.MERGE_ANSWERED:
            return self.state.merge is not None and message.sender == self.state.merge.into
        return super().knows(message)

    def on_message(self, message: Message, *, repeated: bool) -> None:
        """A case offers itself, or answers this one's offer; a whistle has something to say."""
        super().on_message(message, repeated=repeated)
        if message.subject == Subject.MERGE_OFFERED:
            if not repeated:
                self.take_in(message)
            known = [told for _, told, _ in self.state.merge_answers]
            self.errand("answer_merge", 1 + known.index(message.message_id))
        merge = self.state.merge
        about_this_offer = merge is not None and message.facts.get("offer") == self.offer_id(merge.number)
        if message.subject == Subject.MERGE_ANSWERED and merge is not None and about_this_offer:
            merge.taken = bool(message.facts["taken"])

    def take_in(self, offer: Message) -> None:
        """Decide: yes if this case is open, looked at, not on its way into another one itself, and the giver may see it."""
        taken = self.state.stage in LOOKED_AT and self.is_seen_by_giver(offer)
        self.state.merge_answers.append((offer.sender, offer.message_id, taken))
        if taken and offer.sender in self.state.left_reports:
            self.state.left_reports.remove(offer.sender)

    def is_seen_by_giver(self, offer: Message) -> bool:
        """Whether whoever gave the merge may see this case too; one that names nobody is told to go on by itself."""
        if not self.law_holds_here(OFFERS_NAME_THEIR_GIVER):
            return True
        by = offer.facts.get("by")
        return by is not None and may_see(sight_of(self.state), Actor.model_validate(by))

    async def errand_answer_merge(self, number: int) -> None:
        """Tell the other case what became of its offer, and count its report here."""
        sender, offer, taken = self.state.merge_answers[number - 1]
        answer = Message(
            message_id=f"{offer}/answer",
            sender=self.state.case_id,
            subject=Subject.MERGE_ANSWERED,
            facts={"offer": offer, "taken": taken},
        )
        await steps.tell_case(sender, answer)
        if taken and sender in self.state.followers and sender not in self.state.merged_reports:
            self.state.merged_reports.append(sender)
            self.record(
                Kind.REPORT_MERGED, case=sender, reports=len(self.state.merged_reports) + (not self.state.reporter_left)
            )
            self.notify(self.state.holder, "report_merged", case=sender)
