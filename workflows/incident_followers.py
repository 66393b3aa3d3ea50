"""Who follows a case 并案后的跟踪: reports of the same matter, each with somebody who waits to hear what became of it.

    this one was taken in:   it is told how the other goes, tells its reporter, and passes it on to those that went into it
    others were taken in:    they are told; one reporter of several who takes back the report does so for themselves alone
    the other one is over:   for as long as a closed case can be reopened, this one can go on alone

A case that was taken in lives as long as that. It asks now and then whether the other one still does, so that it does not wait
for ever for a case that was ended from outside.
"""

from schemas.clocks.calendar import in_shanghai
from schemas.incident import Kind
from schemas.incident_messages import OVER, FollowedTold, FollowerActed, Subject, Told
from schemas.incident_state import OPEN, Stage
from schemas.kernel.case import Letter, Message
from schemas.kernel.parties import THE_REPORTER
from schemas.values.actor import Actor
from workflows.incident_whistles import Whistles
from workflows.kernel.law import Law
from workflows.parts.orders import COORDINATOR

FOLLOWERS_HEAR_THE_END = Law("followers-hear-the-end")
"""Patch: before, the workflow of a case that was merged ended with that, and its reporter heard nothing more, whatever came."""


class Followers(Whistles):
    """The part of an incident that tells those who follow it, and hears those it follows."""

    # ---- others follow this one -----------------------------------------------------------------------------------

    def tell_followers(self, told: Told, case: str | None = None) -> None:
        """Tell every case that went into this one what became of it, or of the one at the end of all merges."""
        if self.state.followers and self.law_holds_here(FOLLOWERS_HEAR_THE_END):
            for follower in self.state.followers:
                self.tell_follower(follower, told, case)

    def tell_follower(self, follower: str, told: Told, case: str | None = None) -> None:
        """Tell one of them."""
        facts = FollowedTold(case=case or self.state.case_id, told=told)
        self.tell(follower, Subject.FOLLOWED, **facts.model_dump(mode="json"))

    def reporter_leaves(self, reason: str) -> None:
        """撤回本人上报: the matter is others' too, so it goes on for them; the reporter has no more say in it."""
        self.record(Kind.REPORTER_LEFT, reason=reason, reports=len(self.state.followers))
        self.notify(THE_REPORTER, "incident_left")
        self.state.reporter_left = True
        if self.state.holder:
            self.notify(self.state.holder, "reporter_left", reports=len(self.state.followers))
        self.tell_followers(Told.GOES_ON)

    def follower_left(self, follower: str) -> None:
        """A report of the matter was taken back, or goes on alone. With the last one the matter is nobody's any more."""
        self.state.left_reports.append(follower)
        if follower in self.state.merged_reports:
            self.state.merged_reports.remove(follower)
        self.record(Kind.REPORT_LEFT, case=follower, reports=self.state.reports)
        if self.state.stage in OPEN:
            self.notify(self.state.holder, "report_left", case=follower)
        if not self.state.reports:
            self.nobody_reports()

    def nobody_reports(self) -> None:
        """Every reporter has taken back the report."""
        raise NotImplementedError

    def follower_acted(self, follower: str, act: str) -> None:
        """What is said to the case that was taken in is meant for this one; the words stand where they were said."""
        if self.state.stage == Stage.MERGED:
            self.pass_on(act)
        elif self.state.stage not in OPEN:
            return
        elif act == "urge":
            reminded = self.state.take_urge(in_shanghai(self.now()).date(), self.urged())
            self.record(
                Kind.URGED, case=follower, holder=self.state.holder, urges=self.state.urges, reminded=bool(reminded)
            )
            for told in reminded:
                self.notify(told, "urged", by="resident")
        else:
            self.record(Kind.REPORT_ADDED, case=follower, act=act)
            self.notify(self.state.holder, "report_added", case=follower)

    def urged(self) -> tuple[str, ...]:
        """Whoever has to act; of a case that was taken in, nobody here."""
        return (self.state.holder,) if self.state.holder else ()

    # ---- this one follows another ---------------------------------------------------------------------------------

    def follows(self) -> None:
        """Follow the case that took this one in, to its end."""
        if not self.law_holds_here(FOLLOWERS_HEAR_THE_END):
            return
        self.state.follows = True
        if self.state.followed not in OVER:
            self.ask_later()
        self.tell_followers(Told.MERGED, self.state.merged_into)

    def ask_later(self) -> None:
        """Begin to wait: nobody's duty, so nobody is warned."""
        self.start_clock("follow")

    def hear_followed(self, heard: FollowedTold) -> None:
        """所并案件进展: told to the reporter, and to those that went into this one."""
        self.state.followed = heard.told
        self.state.followed_rated = self.state.followed_rated and heard.told is Told.CLOSED
        if heard.told in OVER:
            self.clocks.stop("follow", "engine")
            self.start_clock("reopen")
        elif self.clocks.runs("reopen"):
            self.clocks.stop("reopen", "engine")
            self.ask_later()
        self.record(Kind.FOLLOWED, case=heard.case, told=heard.told)
        self.notify(THE_REPORTER, f"followed_{heard.told}", into=heard.case)
        self.tell_followers(heard.told, heard.case)

    def goes_on_alone(self, by: str) -> None:
        """Not part of the other one any more: back to the department that had it, with new clocks."""
        into, self.state.merged_into = self.state.merged_into, None
        self.state.follows, self.state.followed, self.state.merge, self.state.closed_at = False, None, None, None
        self.state.followed_rated = False
        for clock in ("follow", "reopen"):
            self.clocks.stop(clock, by)
        for clock in ("respond", "finish"):
            self.start_clock(clock)
        had = self.state.order.department if self.state.orders else self.state.responsibility.department
        self.give_order(had)
        if into is not None:
            self.tell(into, Subject.FOLLOWER_LEFT)
        self.tell_followers(Told.GOES_ON)

    def pass_on(self, act: str) -> None:
        """Something was said here that is meant for the case that took this one in."""
        if self.state.stage == Stage.MERGED and self.state.merged_into is not None:
            self.tell(self.state.merged_into, Subject.FOLLOWER_ACTED, **FollowerActed(act=act).model_dump(mode="json"))

    def is_it_still_there(self) -> None:
        """The limit has passed: ask whether the other case still lives, and wait on."""
        if self.state.merged_into is not None:
            self.tell(self.state.merged_into, Subject.FOLLOWING)
        self.ask_later()
        self.record(Kind.FOLLOWING, case=self.state.merged_into)

    def on_undeliverable(self, letter: Letter) -> None:
        """The case that took this one in has gone without a word: this one goes on alone, and its reporter is told."""
        super().on_undeliverable(letter)
        if letter.message.subject == Subject.FOLLOWING and self.state.follows and letter.to == self.state.merged_into:
            self.goes_on_alone("engine")
            self.record(Kind.FOLLOWS_NO_MORE, case=letter.to)
            self.notify(THE_REPORTER, "follows_no_more", into=letter.to)
            self.notify(COORDINATOR, "follows_no_more", into=letter.to)

    # ---- hearing ----------------------------------------------------------------------------------------------------

    def knows(self, message: Message) -> bool:
        """The case that took this one in, and those that went into this one, also when they are out of it again."""
        if message.subject == Subject.FOLLOWED:
            return message.sender == self.state.merged_into
        if message.subject in {Subject.FOLLOWER_LEFT, Subject.FOLLOWER_ACTED, Subject.FOLLOWING}:
            return message.sender in {*self.state.followers, *self.state.left_reports}
        return super().knows(message)

    def on_message(self, message: Message, *, repeated: bool) -> None:
        """Hear the case that took this one in, and those that went into this one; nobody else."""
        super().on_message(message, repeated=repeated)
        if repeated:
            return
        of_mine = message.sender in self.state.followers
        match message.subject:
            case Subject.FOLLOWED if self.state.stage == Stage.MERGED and message.sender == self.state.merged_into:
                self.hear_followed(FollowedTold.model_validate(message.facts))
            case Subject.FOLLOWER_LEFT if of_mine:
                self.follower_left(message.sender)
            case Subject.FOLLOWER_ACTED if of_mine:
                self.follower_acted(message.sender, FollowerActed.model_validate(message.facts).act)
            case _:
                pass  # of another matter, or of a case that has no say here

    def notify(self, to: str, template: str, /, **facts: object) -> None:
        """Tell somebody; a reporter who took back the report is not told any more."""
        if to != THE_REPORTER or not self.state.reporter_left:
            super().notify(to, template, **facts)

    def on_urged(self, by: Actor) -> None:  # noqa: ARG002 - whoever it was
        """What is urged here is the case that took this one in."""
        self.pass_on("urge")

    def on_commented(self, by: Actor) -> None:  # noqa: ARG002 - whoever it was
        """Whoever deals with the matter is told that there is a word."""
        self.pass_on("comment")
