"""ballot 表决: one vote, from the roll to the certified result. Who chose what is nowhere in it.

    preparing -> roll_posted -> open -> counting -> declared <-> challenged -> certified | void

1. The committee posts the roll by unit for its days. What is objected is answered; then it is frozen. A unit in which nobody is
   left is struck later too, and leaves the base.
   A roll that is corrected is posted anew, for the whole window. A unit is struck on the word of two.
2. The vote is open: online in the ballot box outside, and on paper always. Too few at the end: once longer.
3. It is closed. The box outside tells its tally; two tellers count the papers apart, and their sheets have to be equal. A box with
   more papers than were given is void, the others count.
4. The result is declared, and may be challenged for its days. Where what is doubtful could turn it, it is void.
5. Certified or void, whoever called the vote hears it, once.

Where nobody acts, the last limit makes it void.
"""

from schemas.ballot import BALLOT, HOST, Kind
from schemas.ballot_commands import (
    ConfirmStrike,
    CorrectRoll,
    Count,
    NameProxy,
    PostRoll,
    RevokeProxy,
    Rule,
    SealBox,
    StrikeUnit,
)
from schemas.ballot_state import (
    BallotState,
    BoxSheet,
    OnlineBox,
    Proxy,
    SealedBox,
    Stage,
    StrikeAsked,
    Struck,
    TellerSheets,
)
from schemas.clocks.clock_schedule import BREACH
from schemas.contracts.ballot_box import BoxStatus, CloseVote, OpenVote, StrikeInBox, VoteTally
from schemas.kernel.acts import Step, WithReason
from schemas.kernel.parties import STREET_OFFICER, desk_of
from schemas.kernel.people import among
from schemas.parts.ballots import BallotOutcome, BallotSubject, Void
from schemas.parts.quorum import Cast, area_margin, margin
from schemas.values.actor import Actor
from workflows.kernel import steps
from workflows.kernel.procedure_workflow import procedure_workflow
from workflows.parts.children import ChildCase

STREET = desk_of(STREET_OFFICER)

NEVER_OPENED = "no-such-ballot"
"""What the box says of a vote that it never opened: nothing was given out there."""
NO_SUCH_UNIT = "no-such-unit"
"""What it says of a unit that is not on the roll: striking it makes no base smaller."""


@procedure_workflow
class Ballot(ChildCase[BallotState]):
    """One vote."""

    procedure = BALLOT
    MESSAGE_HANDLERS = {BallotSubject.CALLED_OFF: (None, "is_called_off")}

    async def story(self) -> None:
        """As long as anything can happen, then until the box outside is closed too."""
        await super().story()
        await self.until(lambda: not any(each.startswith("close_box/") for each in self.state.errands))

    def reported(self) -> dict[str, object]:
        """准备表决: what is put to the vote, frozen, and by which rule."""
        asked = self.state.asked
        self.start_clock("post_roll")
        return {"parent": self.state.parent, **asked.model_dump(mode="json", exclude={"window"})}

    def begin(self) -> None:
        """The committee has it."""
        self.move(Stage.PREPARING, HOST)
        self.notify(HOST, "ballot_prepared")

    # ---- 1. the roll ----------------------------------------------------------------------------------------------

    def post_roll(self, command: PostRoll) -> None:
        """公示名册."""
        self.state.roll = command.roll
        self.apply()

    def object_to_roll(self) -> None:
        """名册异议: whoever objects hears an answer before the vote opens."""
        self.state.objections += 1
        self.apply(objection=self.state.objections)
        self.move(Stage.ROLL_POSTED, HOST)
        self.notify(HOST, "ballot_roll_objected")

    def keep_roll(self) -> None:
        """名册维持."""
        self.record_command()
        self.roll_is_answered()

    def correct_roll(self, command: CorrectRoll) -> None:
        """更正名册: everybody sees the one that is voted by: it is posted anew, for the whole window."""
        self.state.roll, self.state.objections = command.roll, 0
        self.apply()

    def roll_is_answered(self) -> None:
        """With the last answer, a roll that was posted long enough is frozen."""
        self.state.objections = 0
        self.clocks.stop("answer_objection", "engine")
        self.move(Stage.ROLL_POSTED, "")
        if self.has_passed("roll"):
            self.open_now()

    def open_vote(self, step: Step) -> None:  # noqa: ARG002 - there is one such step
        """公示期满: what was objected is answered first."""
        if not self.state.objections:
            self.open_now()

    def open_now(self) -> None:
        """开始投票: from now on nothing about the roll changes, but that units are struck."""
        base = self.state.base_roll
        self.start_clock("window")
        self.move(Stage.OPEN, HOST)
        self.record(
            Kind.OPENED, roll=base.digest, units=base.units, voters=base.voters, area_hundredths=base.area_hundredths
        )
        if self.state.has_box:
            self.state.online = OnlineBox.ASKED
            self.ask_outside("open_box")

    def strike_unit(self, command: StrikeUnit, by: Actor) -> None:
        """空户除名: whoever makes the base smaller brings a vote nearer to its quorum, so another person looks too."""
        self.state.strikes_made += 1
        self.state.strikes_asked.append(
            StrikeAsked(
                number=self.state.strikes_made,
                by=by.subject,
                unit=command.unit,
                voters=command.voters,
                area_hundredths=command.area_hundredths,
            )
        )
        self.record_command(request=self.state.strikes_made)

    def confirm_strike(self, command: ConfirmStrike) -> None:
        """复核除名: it leaves the base, and its proxy goes with it; or it stays."""
        asked = next(each for each in self.state.strikes_asked if each.number == command.request)
        self.state.strikes_asked = [each for each in self.state.strikes_asked if each.number != command.request]
        if not command.right:
            self.record(Kind.STRIKE_REFUSED, request=command.request, unit=asked.unit)
            return
        struck = Struck(unit=asked.unit, voters=asked.voters, area_hundredths=asked.area_hundredths)
        self.state.struck.append(struck)
        self.state.proxies = [each for each in self.state.proxies if not each.is_of(asked.unit)]
        self.record_command(**struck.model_dump(mode="json"))
        if self.state.online is OnlineBox.OPEN:
            self.errand("strike_in_box", len(self.state.struck))

    async def errand_strike_in_box(self, number: int) -> None:
        """Give it no ballot outside; one that has its ballot stays in the base, for it may have voted."""
        struck = self.state.struck[number - 1]
        request = StrikeInBox(ballot=self.state.case_id, number=number, unit=struck.unit, as_of=self.now())
        answer = await self.answer_after_due_clocks(steps.strike_in_box(request))
        if self.over:
            return
        if answer.taken:
            self.state.struck[number - 1] = Struck(unit=struck.unit, voters=0)
            self.record(Kind.UNIT_TOOK_BALLOT, unit=struck.unit)
            self.notify(HOST, "ballot_unit_took_ballot")
        elif answer.code == NO_SUCH_UNIT:
            self.state.struck[number - 1] = Struck(unit=struck.unit, voters=0)
            self.record(Kind.UNIT_UNKNOWN, unit=struck.unit)
            self.notify(HOST, "ballot_unit_unknown")
        else:
            self.record(Kind.UNIT_BARRED, unit=struck.unit, status=answer.status, code=answer.code)

    def name_proxy(self, command: NameProxy) -> None:
        """委托: what the voter signed is kept with the case."""
        self.keep_document(command.paper)
        self.state.proxies.append(Proxy(unit=command.unit, by=command.by, paper=command.paper.reference))
        self.apply()

    def revoke_proxy(self, command: RevokeProxy) -> None:
        """撤销委托."""
        self.state.proxies = [each for each in self.state.proxies if each.unit != command.unit]
        self.apply()

    # ---- 2. the box outside ---------------------------------------------------------------------------------------

    def ask_outside(self, errand: str) -> None:
        """Ask the box; each question is another one."""
        self.state.online_asked += 1
        self.errand(errand, self.state.online_asked)

    async def errand_open_box(self, number: int) -> None:
        """Open the vote outside; where that cannot be had, it is on paper alone."""
        base, asked = self.state.base_roll, self.state.asked
        request = OpenVote(
            ballot=self.state.case_id,
            number=number,
            roll_digest=base.digest,
            units=(self.state.roll or base).units,
            voters=(self.state.roll or base).voters,
            choices=asked.choices,
            choices_at_most=self.state.rule.choices_at_most,
            min_cell=self.state.rules.min_cell,
            as_of=self.now(),
        )
        answer = await self.answer_after_due_clocks(steps.open_vote(request))
        if self.over:
            return
        if self.state.online is not OnlineBox.ASKED:  # it was closed meanwhile, and opened after that
            if answer.status is BoxStatus.OPEN:
                self.ask_outside("close_box")
            return
        if answer.status is BoxStatus.OPEN:
            self.state.online, self.state.box_key = OnlineBox.OPEN, answer.key_digest
            self.record(Kind.BOX_OPENED, key_digest=answer.key_digest)
            for place in range(1, len(self.state.struck) + 1):
                self.errand("strike_in_box", place)
            return
        self.state.online = OnlineBox.NONE
        self.record(Kind.BOX_REFUSED, status=answer.status, code=answer.code)
        self.notify(HOST, "ballot_on_paper")

    async def errand_close_box(self, number: int) -> None:
        """Close the vote outside, and hear what was cast there."""
        unless_fewer = self.missing_online() if self.state.stage == Stage.OPEN and not self.state.extended else 0
        request = CloseVote(ballot=self.state.case_id, number=number, unless_fewer=unless_fewer, as_of=self.now())
        answer = await self.answer_after_due_clocks(steps.close_vote(request))
        if not self.over and self.state.online is OnlineBox.CLOSING:
            self.take_tally(answer)

    def missing_online(self) -> int:
        """How many have to have taken a ballot outside, so that with the papers of sealed boxes enough came."""
        state = self.state
        least = state.rule.turnout[state.asked.base].least(state.base_roll.voters)
        return max(least - sum(each.given for each in state.boxes), 0)

    def take_tally(self, answer: VoteTally) -> None:
        """线上票箱计票: totals and one root. A box that counts more than it gave out makes the vote void."""
        if answer.status is BoxStatus.TOO_FEW:
            self.state.online, self.state.issued = OnlineBox.OPEN, answer.issued
            self.extend()
            return
        if answer.code == NEVER_OPENED:
            self.state.online = OnlineBox.NONE
            self.record(Kind.BOX_REFUSED, status=answer.status, code=answer.code)
            self.close_on_paper()
            return
        if self.state.stage == Stage.OPEN:
            self.begin_count()
        if answer.status is not BoxStatus.TALLIED:
            self.state.online = OnlineBox.LOST
            self.record(Kind.BOX_LOST, status=answer.status, code=answer.code)
            self.notify(STREET, "ballot_box_lost")
            return
        self.state.issued, self.state.merkle_root = answer.issued, answer.merkle_root
        self.state.marked_for_paper = answer.paper
        self.state.online_cast = Cast(choices=answer.totals, papers=answer.count, abstained=answer.abstained)
        self.state.online = OnlineBox.TALLIED
        self.record(
            Kind.BOX_TALLIED,
            count=answer.count,
            issued=answer.issued,
            marked_for_paper=answer.paper,
            merkle_root=answer.merkle_root,
        )
        if answer.count > answer.issued or set(answer.totals) - set(self.state.asked.choices):
            self.be_void(Void.BOX_FAILED)
        else:
            self.look_at_count()

    def ask_box(self) -> None:
        """再查线上票箱."""
        self.state.online = OnlineBox.CLOSING
        self.ask_outside("close_box")

    def give_up_box(self, command: WithReason) -> None:
        """线上票箱失效: without its votes nobody knows the result."""
        self.be_void(Void.BOX_FAILED, reason=command.reason)

    # ---- 3. closing and counting ----------------------------------------------------------------------------------

    def close_vote(self, step: Step) -> None:  # noqa: ARG002 - there is one such step
        """投票截止: unless too few have come, and it may still be open for longer."""
        if self.state.online in {OnlineBox.OPEN, OnlineBox.ASKED}:
            self.state.online = OnlineBox.CLOSING
            self.ask_outside("close_box")
        else:
            self.close_on_paper()

    def close_on_paper(self) -> None:
        """Where nothing was given out online: papers that were given say how many came."""
        if self.state.stage != Stage.OPEN:
            self.look_at_count()
        elif self.state.enough_came or self.state.extended:
            self.begin_count()
        else:
            self.extend()

    def close_extended_vote(self, step: Step) -> None:  # noqa: ARG002 - there is one such step
        """延长期满: however many have come."""
        if self.state.online in {OnlineBox.OPEN, OnlineBox.ASKED}:
            self.state.online = OnlineBox.CLOSING
            self.ask_outside("close_box")
        else:
            self.begin_count()

    def extend(self) -> None:
        """人数不足,延长投票: once."""
        self.state.extended = True
        self.start_clock("extension")
        self.record(Kind.EXTENDED)
        self.notify(HOST, "ballot_extended")

    def seal_box(self, command: SealBox) -> None:
        """封箱: one of too few papers is counted with another one."""
        before = [*(each.box for each in self.state.boxes), command.box]
        self.state.boxes = self.state.boxes_with(SealedBox(box=command.box, given=command.given))
        counted = {each.box for each in self.state.boxes}
        self.state.poured += [each for each in before if each not in counted]
        self.apply(counted=sorted(counted))

    def begin_count(self) -> None:
        """投票截止: whatever comes now is too late."""
        self.start_clock("count")
        self.move(Stage.COUNTING, HOST)
        self.record(Kind.CLOSED, boxes=len(self.state.boxes), extended=self.state.extended)

    def count(self, command: Count, by: Actor) -> None:
        """计票: the first sheet says nothing to the second teller but that it is there."""
        boxes = tuple(sorted(command.boxes, key=lambda sheet: sheet.box))
        self.state.sheets.append(TellerSheets(by=by.subject, boxes=boxes, at=self.now()))
        if not among(by.subject, self.state.tellers):
            self.state.tellers.append(by.subject)
        # No digest of the sheet: so few figures are found again by trying, and the second teller would know the first one's.
        self.record(Kind.COUNTED, sheet=len(self.state.sheets), count=self.state.counts + 1)
        if len(self.state.sheets) > 1:
            self.compare_sheets()

    def compare_sheets(self) -> None:
        """两表相符: they are the count; else both are put aside and it is counted again."""
        first, second = (each.boxes for each in self.state.sheets[:2])
        self.state.sheets = []
        self.state.counts += 1
        if first != second:
            self.record(Kind.SHEETS_DIFFER, count=self.state.counts)
            self.notify(HOST, "ballot_sheets_differ")
            return
        given = {each.box: each.given for each in self.state.boxes}
        for sealed, sheet in zip(sorted(self.state.boxes, key=lambda each: each.box), first, strict=True):
            sealed.void = sheet.papers > sealed.given
        valid = [sheet for sheet in first if sheet.papers <= given[sheet.box]]
        self.state.paper_cast = self.sum_of(valid)
        void = [each.box for each in self.state.boxes if each.void]
        self.record(
            Kind.SHEETS_AGREE,
            count=self.state.counts,
            papers=sum(each.papers for each in valid),
            given=sum(given.values()),
            void_boxes=void,
        )
        self.look_at_count()

    def sum_of(self, sheets: list[BoxSheet]) -> Cast:
        """What is in the boxes that count."""
        total = Cast(choices={}, papers=0)
        for sheet in sheets:
            total += Cast(
                choices=dict(zip(self.state.asked.choices, sheet.votes, strict=True)),
                papers=sheet.papers,
                abstained=sheet.abstained,
                spoilt=sheet.spoilt,
                areas=dict(zip(self.state.asked.choices, sheet.areas, strict=False)),
                area_hundredths=sheet.area_hundredths,
            )
        return total

    def look_at_count(self) -> None:
        """公布结果: when all channels are counted."""
        if not self.state.counted:
            return
        self.clocks.stop("count", "engine")
        if self.state.overcounted:
            self.be_void(Void.OVERCOUNTED)
            return
        self.start_clock("challenge")
        if self.state.challenges_open:  # a recount answers no challenge: somebody rules on it
            self.start_clock("rule")
            self.move(Stage.CHALLENGED, STREET)
        else:
            self.move(Stage.DECLARED, "")
        self.record(Kind.DECLARED, **self.told())
        self.notify(HOST, "ballot_declared")

    def all_is_told(self) -> bool:
        """Whether no figure of the result is hidden."""
        cells = {**self.state.cast.choices, "abstained": self.state.cast.abstained, "spoilt": self.state.cast.spoilt}
        return set(self.state.result().totals) >= set(cells)

    def told(self) -> dict[str, object]:
        """What everybody may know of the result."""
        return self.state.result().model_dump(mode="json", exclude={"number", "void", "binding"})

    # ---- 4. challenge ---------------------------------------------------------------------------------------------

    def recount(self) -> None:
        """重计: of the papers; the box outside has nothing to count again."""
        self.clocks.stop("challenge", "engine")
        self.clocks.stop("rule", "engine")
        self.state.paper_cast = None
        self.start_clock("count")
        self.record_command()
        self.move(Stage.COUNTING, HOST)

    def challenge(self, by: Actor) -> None:
        """质疑结果: looked into by the street, which did not count."""
        self.state.challenges += 1
        self.state.challenges_open += 1
        self.state.challengers.append(by.subject)
        if not self.clocks.runs("rule"):
            self.start_clock("rule")
        self.apply(challenge=self.state.challenges)
        self.notify(STREET, "ballot_challenged")

    def rule(self, command: Rule) -> None:
        """裁定: void where what is doubtful could turn the result, by number or by area."""
        state = self.state
        turning = margin(state.rule, state.asked.base, state.base_roll, state.cast)
        by_area = area_margin(state.rule, state.base_roll, state.cast)
        void = command.doubtful_units >= turning or (
            by_area is not None and command.doubtful_area_hundredths >= by_area
        )
        self.clocks.stop("rule", "engine")
        state.challenges_open = 0
        # By the margin a hidden figure could be reckoned: it is told where all of them are.
        self.record_command(margin=turning if self.all_is_told() else None, void=void)
        if void:
            self.be_void(Void.CHALLENGED)
            return
        self.move(Stage.DECLARED, "")
        if self.has_passed("challenge"):
            self.certify_now()

    def certify(self, step: Step) -> None:  # noqa: ARG002 - there is one such step
        """质疑期满."""
        self.certify_now()

    def certify_now(self) -> None:
        """确认结果."""
        self.finish_as(Stage.CERTIFIED, Kind.CERTIFIED, **self.told())

    # ---- 5. the end -----------------------------------------------------------------------------------------------

    def call_off(self, command: WithReason) -> None:
        """撤销表决: before it opens, by who holds it."""
        self.be_void(Void.CALLED_OFF, reason=command.reason)

    def is_called_off(self) -> None:
        """撤销表决: by the case that called it."""
        self.be_void(Void.CALLED_OFF)

    def expire(self, step: Step) -> None:  # noqa: ARG002 - there is one such step
        """逾期终结."""
        self.be_void(Void.UNRESOLVED)

    def be_void(self, why: Void, **facts: object) -> None:
        """It counts for nothing. The box outside takes no more votes."""
        self.state.void = why
        if self.state.online in {OnlineBox.ASKED, OnlineBox.OPEN}:
            self.state.online = OnlineBox.CLOSING
            self.ask_outside("close_box")
        self.finish_as(Stage.VOID, Kind.VOID, why=why, **facts)

    def on_finished(self) -> None:
        """Whoever called it hears how it ended."""
        if self.state.void is None:
            outcome = self.state.result()
            if self.state.rule.passed is None:  # whoever ranks by it needs every vote, and tells none of them
                outcome = outcome.model_copy(update={"counted": dict(self.state.cast.choices)})
        else:
            outcome = BallotOutcome(
                number=self.state.number, passed=False, binding=self.state.rule.binding, void=self.state.void
            )
        self.tell_parent(BallotSubject.ENDED, outcome)

    def has_passed(self, clock: str) -> bool:
        """Whether a window was over, and decided nothing then."""
        return clock in self.state.clocks and BREACH in self.state.clocks[clock].fired
