"""What a proposal remembers: whose it is, how it was judged and ranked, its contract, its milestones, and its money."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from schemas.clocks.clocks import due_at
from schemas.contracts.payment import PayStatus
from schemas.kernel.participants import Participant
from schemas.kernel.people import Part, among, same_account
from schemas.kernel.words import DeclaredStage
from schemas.parts.incoming import ExpectedMoney, IncomingState
from schemas.parts.instalments import InstalmentsState
from schemas.parts.payments import OrganisationPaid, Payment, Remembered
from schemas.parts.postings import PostedState
from schemas.parts.ranking import Trimmed, trimmed
from schemas.parts.recusal import RecusedState
from schemas.parts.reservations import ReservingState, UnitStanding
from schemas.recovery_parent import RecoveringPayer
from schemas.round_messages import Placed
from schemas.round_policy import Criterion, RoundTerms
from schemas.values.account import AccountCode
from schemas.values.actor import Actor, Role, Stamp
from schemas.values.model import Model
from schemas.values.organisation import OrganisationCode
from schemas.values.references import TextReference

JUROR_SEAT, TEAM_SEAT = "juror", "team"
"""Kinds of seats: who judges it, while it is judged and no longer; and who wants it."""

DECLINED_SEAT = "declined"
"""Who was named and has said no: until the judging begins they see that they are out, and nothing more is theirs."""

CARRIER_SEAT, NEW_CARRIER_SEAT = "carrier", "new-carrier"
"""Who speaks for the organisation that carries it, from the contract on; and for the one that is asked to take over."""

INVOICE = "invoice"
"""For what an invoice is reserved, over all cases."""


class Stage(DeclaredStage):
    """Where a proposal stands."""

    SUBMITTED = "submitted", "待初筛", "您的提案已收到", "your proposal is received"
    CORRECTING = "correcting", "待补正", "请修改提案", "please amend your proposal"
    SCREENED = "screened", "初筛通过", "您的提案通过初筛,待评审", "your proposal may be judged"
    JUDGING = "judging", "评审中", "您的提案正在评审", "the jury judges your proposal"
    JUDGED = "judged", "已评审", "您的提案已评审,待排名", "your proposal is judged; the ranking comes next"
    RESERVE = "reserve", "候补", "您的提案列入候补", "your proposal waits for a place that comes free"
    AWARDED = "awarded", "拟入选", "您的提案拟入选", "your proposal is to be awarded"
    POSTED = "posted", "公示中", "您的提案正在公示", "your proposal is posted for everybody to see"
    OBJECTED = "objected", "异议调查", "公示有异议,正在调查", "somebody objected; it is looked into"
    CONTRACTING = (
        "contracting",
        "待拟协议",
        "您的提案入选,正在拟定协议",
        "your proposal is awarded; the contract is being drawn up",
    )
    SIGNING = "signing", "待签约", "协议已拟定,请签约", "please sign the contract"
    RUNNING = "running", "实施中", "您的提案实施中", "your proposal is under way"
    CLAIMED = "claimed", "待验收", "正在验收", "a milestone is being looked at"
    HALTED = "halted", "已停拨", "已停拨,正在处理", "the money is halted; it is looked into"
    ACCOUNTING = "accounting", "待决算", "请提交决算", "your final account is waited for"
    SETTLING = "settling", "决算核定", "正在核定决算", "your final account is being settled"
    REFUNDING = "refunding", "待退回结余", "请退回未用资金", "please send back what was not spent"
    CLOSED = "closed", "已结项", "您的提案已结项", "your proposal is closed"
    TERMINATED = "terminated", "已终止", "您的提案已终止", "your proposal is called off"
    NOT_AWARDED = "not_awarded", "未入选", "您的提案未入选", "your proposal is not selected"
    REFUSED = "refused", "初筛未通过", "您的提案未通过初筛", "your proposal is not admitted"
    LAPSED = "lapsed", "逾期未签约", "逾期未签约,名额已递补", "no contract was signed in time"
    WITHDRAWN = "withdrawn", "已撤回", "您的提案已撤回", "your proposal is withdrawn"
    CANCELLED = "cancelled", "大赛终止", "大赛已终止,提案随之结束", "the round is over, and the proposal with it"
    UNRESOLVED = "unresolved", "未解决终结", "未能办结,已终结", "it ended without a decision"


SCREENING = (Stage.SUBMITTED, Stage.CORRECTING)
BEFORE_JUDGING = (*SCREENING, Stage.SCREENED)
BEFORE_AWARD = (*BEFORE_JUDGING, Stage.JUDGING, Stage.JUDGED, Stage.RESERVE)
SELECTED = (Stage.CONTRACTING, Stage.SIGNING)
BEFORE_CONTRACT = (*BEFORE_AWARD, Stage.AWARDED, Stage.POSTED, Stage.OBJECTED, *SELECTED)
WORKING = (Stage.RUNNING, Stage.CLAIMED)
CHANGING = (Stage.RUNNING, Stage.ACCOUNTING)
"""Where a change is asked for and granted: no milestone is looked at, and no account."""
ANSWERING = (*WORKING, Stage.HALTED, Stage.ACCOUNTING, Stage.SETTLING)
"""Where one that is asked for is answered with a no, or with a word that alone changes nothing."""
CONTRACTED = (*WORKING, Stage.HALTED, Stage.ACCOUNTING, Stage.SETTLING, Stage.REFUNDING)
RESTING = (Stage.HALTED, Stage.REFUNDING)
"""Where nothing is paid."""
OPEN = (*BEFORE_CONTRACT, *CONTRACTED)


class Sheet(Model):
    """评分表: what one juror gives, by criterion."""

    by: str
    points: dict[Criterion, int]
    at: datetime

    @property
    def total(self) -> int:
        """All of it."""
        return sum(self.points.values())


class Asked(Remembered):
    """What waits for another person's word, by its number."""

    number: int
    by: str


class JurorAsked(Asked):
    """增补评委: who is to judge it too; `of_street`: of the street, whose share of a jury is limited.

    `looked_at_anew`: it is looked at once more when it is confirmed (False: named before that was so).
    """

    juror: AccountCode
    of_street: bool
    looked_at_anew: bool = False


class TieNamed(Asked):
    """提请回避: who of the jury is said to be tied to it."""

    juror: AccountCode


class PutOut(Remembered):
    """确认回避: who of the jury is out by the word of two others, and who these were."""

    juror: AccountCode
    by: list[str]


class ChangeAsked(Asked):
    """变更申请: another carrier with its account, or more time; never more money.

    `carrier_person` speaks for that carrier; without a carrier, from now on for the present one. `signed`: they have agreed.
    `confirmed_by`: who of the town has looked at their authority.
    `released`: the present one has agreed to it, or two of the town act for it as it is silent: who said so, by account.
    `kept`: the present one has said that it does not. `goes_over`: the payments that the wish said would go over with it (None: a
    wish from before any did; there one person may look at the authority and find the present one silent).
    """

    carrier: OrganisationCode | None = None
    carrier_name: TextReference | None = None
    account: TextReference | None = None
    carrier_person: AccountCode | None = None
    signed: bool = False
    released: str | None = None
    confirmed_by: str | None = None
    kept: bool = False
    goes_over: list[int] | None = None

    @property
    def vouched_by(self) -> list[str]:
        """On whose word of the town the change stands, each of another person."""
        said = () if self.goes_over is None else (self.released, self.confirmed_by)
        return [each for each in said if each is not None]


class PaidBefore(Remembered):
    """原承接方: it was paid by these keys, and answers for that. `person` spoke for it."""

    carrier: OrganisationCode
    person: AccountCode
    keys: list[str]


class Invoice(Remembered):
    """发票: what it is of. It counts once its number stands in no other case, and another person than `by` has accepted it.

    `carrier`: whose money it shows to be spent; None: that of the one that stands now.
    """

    number: int
    amount_fen: int
    unit: int
    by: str
    accepted: bool | None = None
    carrier: OrganisationCode | None = None


class ProposalState(
    PostedState, InstalmentsState, OrganisationPaid, ReservingState, IncomingState, RecusedState, RecoveringPayer
):
    """What a proposal remembers. Terms, pool and jury are those of its round, whose number is `parent`.

    `announced_by`: who announced its round (None: a case from before). `jury_size`: how many were announced, `missing`: how many of
    them did not score in time. `rivals`: the teams of its round.
    `seat`: a juror whom one person has named, `tie`: one whom one person says to be tied to it; another person confirms.
    `put_out`: jurors of whom two people have said so, who do not fill the place.

    `team`: accounts, first of whoever speaks for it; `joined`: who of them has said so (None: nobody was asked),
    `declined`: who has said no. `counted`: the team stands as it is, though it may not have been screened yet.
    `sheets` are of these scores, `talks` counts how often the jury talked and scored anew; `judged`: what they come to.
    `judging_open`: the round collects no more. `late`: the time for judging is over, so that enough sheets are enough. `placed`:
    how it was ranked. `contract`: waits for the word of both sides; `signed`: the word on it.
    `halt`: it is halted.
    `carrier_person` speaks for the carrier (None: a case from before anybody did), `carriers_before` did so once. `paid_before`:
    other organisations that were paid, each answers for its own; `refunds`: of each sum that is waited for, who owes it.
    `team_signed` and `carrier_signed`: of the two sides of the contract that waits, who has put their name to it. `authority`: of
    whoever signed for a carrier, waits to be looked at by the town; `authority_seen`: that on the contract was found right.
    `carrier_declined`: the carrier has said no once. `account_declined`: it wanted no other account for its money that lies, of
    those that others than the team asked for, and has named none since.
    `verified`: a milestone that one person accepted waits for the second; `verified_by` are all who did so.
    `accounted`: the final account waits to be settled. `ends_as`: what it is when what was not spent is back.
    """

    procedure: ClassVar[str] = "proposal"

    stage: str = Stage.SUBMITTED
    terms: RoundTerms
    number: int
    pool_fen: int
    need: TextReference
    plan: TextReference
    site: TextReference
    people_helped: int
    team: tuple[AccountCode, ...]
    joined: list[AccountCode] | None = None
    declined: list[AccountCode] = []
    counted: bool = False
    announced_by: AccountCode | None = None
    jury: tuple[AccountCode, ...]
    jury_size: int
    street_jurors: tuple[AccountCode, ...] = ()
    rivals: tuple[AccountCode, ...] = ()
    seat: JurorAsked | None = None
    tie: TieNamed | None = None
    put_out: list[PutOut] = []
    missing: int = 0
    returned: bool = False
    screened_by: list[str] = []
    judging_open: bool = False
    sheets: list[Sheet] = []
    talks: int = 0
    late: bool = False
    judged: Trimmed | None = None
    placed: Placed | None = None
    asked: int = 0
    carrier_person: AccountCode | None = None
    carriers_before: list[AccountCode] = []
    paid_before: list[PaidBefore] = []
    refunds: list[OrganisationCode] = []
    contract: Asked | None = None
    team_signed: bool = False
    carrier_signed: bool = False
    carrier_declined: bool = False
    account_declined: bool = False
    authority: Asked | None = None
    authority_seen: bool = False
    contracted_by: str | None = None
    contracted: bool = False
    signed: Stamp | None = None
    verified: Asked | None = None
    verified_by: list[str] = []
    invoices: list[Invoice] = []
    change: ChangeAsked | None = None
    halt: Asked | None = None
    accounted: Asked | None = None
    ends_as: str | None = None

    # ---- the team -------------------------------------------------------------------------------------------------

    @property
    def silent(self) -> tuple[str, ...]:
        """Who was named, and has not said that they are of the team."""
        return () if self.joined is None else tuple(each for each in self.team if not among(each, self.joined))

    @property
    def team_stands(self) -> bool:
        """Whether enough have said so, and whoever speaks for them is one of them."""
        if self.joined is None:
            return True
        return among(self.team[0], self.joined) and len(self.joined) >= self.terms.team_at_least

    # ---- the jury -------------------------------------------------------------------------------------------------

    @property
    def jurors(self) -> tuple[str, ...]:
        """Who of the jury judges it: nobody who is tied to it."""
        return tuple(each for each in self.jury if not among(each, (*self.related, *self.team)))

    @property
    def seats_free(self) -> int:
        """How many more may be seated: in place of who is tied to it, or did not come in time; never more than were announced."""
        return max(self.jury_size + self.missing - len(self.jurors), 0)

    @property
    def awaited(self) -> tuple[str, ...]:
        """Who of them has not scored."""
        return tuple(each for each in self.jurors if not among(each, [sheet.by for sheet in self.sheets]))

    @property
    def scores(self) -> Trimmed | None:
        """What the sheets come to, best and worst off; None: too few."""
        return trimmed((each.total for each in self.sheets), self.terms.ranking.valid_at_least)

    @property
    def jury_is_done(self) -> bool:
        """Whether all have scored and no tie is looked into, or enough when the time for it is over."""
        return self.scores is not None and (self.late or not (self.awaited or self.tie))

    def seats(self) -> tuple[Participant, ...]:
        """The team; the jury, which sees it while it judges, and neither before nor after; the carrier, from its contract on."""
        judges = self.jurors if self.stage == Stage.JUDGING else ()
        people = [(TEAM_SEAT, each) for each in self.team] + [(JUROR_SEAT, each) for each in judges]
        people += [(DECLINED_SEAT, each) for each in self.declined] if self.stage in BEFORE_JUDGING else []
        people += self.carriers if self.contracted or self.stage in SELECTED else []
        return tuple(
            Participant(number=number, kind=kind, subject=subject)
            for number, (kind, subject) in enumerate(people, start=1)
        )

    @property
    def carriers(self) -> list[tuple[str, str]]:
        """Who speaks for the carrier, and for another one that is asked to take over, each with their kind of seat."""
        asked = None if self.change is None else self.change.carrier_person
        named = (CARRIER_SEAT, self.carrier_person), (NEW_CARRIER_SEAT, asked)
        return [(kind, person) for kind, person in named if person is not None]

    @property
    def carriers_bound(self) -> tuple[str, ...]:
        """Who has given their word for an organisation that gets its money, now or before.

        Not who was merely named: the team would choose who of the town does not look at it, by naming them.
        """
        change = self.change
        present = self.carrier_person if self.carrier_signed else None
        asked = change.carrier_person if change is not None and change.signed else None
        return tuple(each for each in (present, asked, *self.carriers_before) if each is not None)

    # ---- the money ------------------------------------------------------------------------------------------------

    @property
    def account_awaits_payee(self) -> bool:
        """Another account is asked for, and whoever speaks for the carrier has not agreed."""
        return self.carrier_person is not None and self.account_asked is not None and not self.account_asked.agreed

    def keeps_own_wish_from(self, actor: Actor) -> bool:
        """The carrier's own: neither team nor window nor jury refuses it, nor who spoke for a carrier before, in whatever role.

        The carrier may take it back.
        """
        if self.account_asked is None or not self.account_asked.own or same_account(actor.subject, self.carrier_person):
            return False
        sides = (self.reporter_subject, *self.team, *self.related, *self.jury, *self.carriers_before)
        return actor.role not in (Role.STREET_OFFICER, Role.CIVIL_AFFAIRS_OFFICER) or among(actor.subject, sides)

    def owes_its_word(self, now: datetime) -> bool:
        """Whether an instalment lies for want of the carrier's own word, or of an account that takes it.

        It was asked for a word by the town, or on another one in its place, and said neither yes nor no in the time for it; or it
        wanted no other account, and named none; or the bank sent it back, and none that it agreed to waits for the town.
        """
        if self.carrier_person is None:
            return False
        change, asked = self.change, self.account_asked
        unanswered = (
            change is not None and change.carrier_person is not None and change.released is None and not change.kept
        )
        wished = asked is not None and not asked.agreed and not among(asked.asked_by, self.team)
        came_back = any(each.last == PayStatus.RETURNED for each in self.payable()) and (
            asked is None or not asked.agreed
        )
        silent = (unanswered and self.is_past("grant_change", now)) or (wished and self.is_past("confirm_account", now))
        return silent or came_back or self.account_declined

    def is_past(self, clock: str, now: datetime) -> bool:
        """Whether the time for an answer is over."""
        due = due_at(self.clocks[clock], self.charter.calendar) if clock in self.clocks else None
        return due is None or now >= due

    def goes_to_a_new_carrier(self) -> list[Payment]:
        """What lies with a person for good: the bank's last word is that it paid nothing, and nobody says that it was paid by hand.

        Not what the bank once held something else against: that may be what was paid, to another account of the same carrier.
        """
        return [
            payment
            for payment in self.payable()
            if payment.last in (PayStatus.REFUSED, PayStatus.RETURNED)
            and not payment.disputed
            and not payment.asked_first
        ]

    @property
    def proved_fen(self) -> int:
        """What is shown to be spent: by invoices that another person has accepted."""
        return sum(each.amount_fen for each in self.invoices if each.accepted)

    @property
    def unseen_invoices(self) -> list[Invoice]:
        """Those that stand in no other case, and wait for another person's look."""
        held = {unit.number for unit in self.reserved_units if unit.standing is UnitStanding.HELD}
        return [each for each in self.invoices if each.accepted is None and each.unit in held]

    @property
    def unspent_fen(self) -> int:
        """What was paid and is not shown to be spent, by all who were paid."""
        return sum(self.unspent_by(each) for each in self.payers)

    @property
    def payers(self) -> tuple[str, ...]:
        """The organisations that were paid, or may be: each answers for its own money, and for nobody else's."""
        return tuple(dict.fromkeys((*(each.carrier for each in self.paid_before), self.carrier)))

    def unspent_by(self, carrier: str) -> int:
        """What one of them was paid and has not shown to be spent."""
        whose = {key: each.carrier for each in self.paid_before for key in each.keys}
        parts = [each for parts in self.paid.values() for each in parts]
        paid = sum(each.amount_fen for each in parts if whose.get(each.key, self.carrier) == carrier)
        proved = [each for each in self.invoices if each.accepted and (each.carrier or self.carrier) == carrier]
        return max(paid - sum(each.amount_fen for each in proved), 0)

    def still_owed_by(self, carrier: str) -> int:
        """What of it has neither come back nor been asked back."""
        came = sum(each.came_fen for each in self.money if self.owes(each) == carrier)
        asked = sum(each.amount_fen for each in self.recoveries if (each.payer or self.carrier) == carrier)
        return max(self.unspent_by(carrier) - came - asked, 0)

    def paid_to_another(self, key: str) -> PaidBefore | None:
        """Who was paid by a key, and stands no more."""
        return next((each for each in self.paid_before if key in each.keys and each.carrier != self.carrier), None)

    def owes(self, money: ExpectedMoney) -> str:
        """Who owes a sum that is waited for."""
        return self.refunds[money.number - 1] if money.number <= len(self.refunds) else self.carrier

    def is_held_back(self, payment: Payment) -> bool:  # noqa: ARG002 - all alike
        """Halted or called off, nothing is paid: neither what is tried again by itself nor on a person's word."""
        return self.stage in RESTING

    @property
    def shown_mean(self) -> int | None:
        """What the jury gave it, in hundredths, for everybody; not beside votes that may not be told."""
        hidden = self.placed is not None and self.placed.points_hundredths is None
        return None if hidden or self.judged is None else self.judged.mean_hundredths

    @property
    def shown_votes(self) -> str:
        """The votes of the public, as everybody may see them."""
        votes = None if self.placed is None else self.placed.votes
        return "-" if votes is None else str(votes)

    # ---- for the house --------------------------------------------------------------------------------------------

    def took_part(self) -> Mapping[Part, tuple[str, ...]]:
        """Whose it is, who judged and screened it, and whose word waits for another person's."""
        asked = {
            Part.SCREENED: self.screened_by,
            Part.JUDGED: [each.by for each in self.sheets],
            Part.AGREEMENT_PROPOSED: [] if self.contract is None else [self.contract.by],
            Part.CONTRACTED: [] if self.contracted_by is None else [self.contracted_by],
            Part.CHANGE_ASKED: [] if self.change is None else [self.change.by],
            Part.HALTED: [] if self.halt is None else [self.halt.by],
            Part.ACCOUNTED: [] if self.accounted is None else [self.accounted.by],
            Part.MILESTONE_VERIFIED: self.verified_by,
            Part.JUROR_NAMED: [] if self.seat is None else [self.seat.by],
            Part.TIE_NAMED: [] if self.tie is None else [self.tie.by],
            Part.TIE_DECIDED: [each for out in self.put_out for each in out.by],
            Part.CARRIAGE_RELEASED: []
            if self.change is None or self.change.released is None
            else [self.change.released],
            Part.AUTHORITY_SHOWN: [] if self.authority is None else [self.authority.by],
            Part.AUTHORITY_CONFIRMED: []
            if self.change is None or self.change.confirmed_by is None
            else [self.change.confirmed_by],
            Part.CARRIAGE_VOUCHED: [] if self.change is None else self.change.vouched_by,
            Part.INVOICE_FILED: [each.by for each in self.unseen_invoices],
        }
        return {
            **super().took_part(),
            Part.TEAM: self.team,
            Part.CARRIER: self.carriers_bound,
            Part.JUROR: self.jury,
            **{part: tuple(who) for part, who in asked.items()},
        }

    def requests(self) -> Mapping[Part, tuple[int, ...]]:
        """What waits for another person's word."""
        waiting = {
            Part.AGREEMENT_PROPOSED: self.contract,
            Part.CHANGE_ASKED: self.change,
            Part.HALTED: self.halt,
            Part.ACCOUNTED: self.accounted,
            Part.MILESTONE_VERIFIED: self.verified,
            Part.JUROR_NAMED: self.seat,
            Part.TIE_NAMED: self.tie,
            Part.AUTHORITY_SHOWN: self.authority,
        }
        claimed = {} if self.verified is None else {Part.MILESTONE_CLAIMED: ()}
        return {
            **super().requests(),
            **claimed,
            **{part: () if asked is None else (asked.number,) for part, asked in waiting.items()},
            Part.INVOICE_FILED: tuple(each.number for each in self.unseen_invoices),
        }
