"""What a recovery remembers: how much is to come back, what has, and who gave up the rest."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from schemas.clocks.clock_schedule import Tier, last_moment
from schemas.clocks.limits import Limit
from schemas.kernel.participants import Participant
from schemas.kernel.people import Part
from schemas.kernel.state import DeclaredState
from schemas.kernel.words import DeclaredStage
from schemas.values.account import AccountCode
from schemas.values.model import Model
from schemas.values.organisation import OrganisationCode
from schemas.values.references import PersonReference, TextReference
from schemas.welfare_policy import WelfareTerms


class Stage(DeclaredStage):
    """Where a recovery stands."""

    DEMANDED = "demanded", "待退款", "请退回多领款项", "please pay back what was paid too much"
    WRITING_OFF = "writing_off", "核销审批", "正在审批核销", "whether the rest is given up is being decided"
    REPAID = "repaid", "已退清", "已退清", "all is paid back"
    WRITTEN_OFF = "written_off", "已核销", "已核销", "the rest is given up"
    UNRESOLVED = "unresolved", "未解决终结", "未能解决,已终结", "ended without a solution"


PAYER_SEAT = "payer"
OPEN = (Stage.DEMANDED, Stage.WRITING_OFF)


class Repayment(Model):
    """A part that came back. `receipt` is the number of the treasury's receipt."""

    amount_fen: int
    receipt: str
    at: datetime


class RepaymentClaim(Model):
    """退款登记: somebody says that so much came back; it counts when another person has confirmed it.

    `seen_by`: who has confirmed it, where two others have to.
    """

    number: int
    amount_fen: int
    receipt: str
    by: str
    at: datetime
    seen_by: list[str] = []


class RecoveryTerms(Model):
    """The terms that a recovery goes by: of the case that paid, whatever its procedure."""

    repay: Limit
    confirm_repayment: Limit
    countersign: Limit
    unresolved_after: Limit
    tiers: tuple[Tier, ...]
    documents_at_most: int
    reminders_a_day: int

    @property
    def last_tier(self) -> str:
        """The moment of a clock after which nobody else is left to be told."""
        return last_moment(self.tiers)


class RecoveryState(DeclaredState):
    """What a recovery remembers. `terms`: those of welfare whole, as its cases have always had them, or what it needs of others.

    `months` is what was paid too much, by month; `written_off_by` who proposed to give up.
    `entered_by`: who entered the case that paid; None: from before, it may have been anybody, so that two others have to
    confirm what one would. `agreed_by`: who agreed to give up, and is not enough. `claims` wait to be confirmed; of all that
    were ever made, `claims_made`. `write_offs` counts the proposals to give up.
    `kept_from`: whom the case that paid kept from every word on its money, besides: they have none on what it asks back.
    `payer`: the organisation that was paid and owes it, `payer_person`: who speaks for it; whose case it is is then its contact.
    """

    procedure: ClassVar[str] = "recovery"

    stage: str = Stage.DEMANDED
    terms: WelfareTerms | RecoveryTerms
    benefit: str
    cause: str
    reporter: PersonReference
    amount_fen: int
    months: dict[str, int] = {}
    repayments: list[Repayment] = []
    entered_by: str | None = None
    kept_from: tuple[str, ...] = ()
    payer: OrganisationCode | None = None
    payer_person: AccountCode | None = None
    claims: list[RepaymentClaim] = []
    claims_made: int = 0
    written_off_by: str | None = None
    write_off_reason: TextReference | None = None
    write_offs: int = 0
    agreed_by: list[str] = []

    @property
    def repaid_fen(self) -> int:
        """What has come back."""
        return sum(part.amount_fen for part in self.repayments)

    @property
    def left_fen(self) -> int:
        """What is still to come back."""
        return self.amount_fen - self.repaid_fen

    @property
    def claimed_fen(self) -> int:
        """What is said to have come back, and nobody has confirmed yet."""
        return sum(claim.amount_fen for claim in self.claims)

    def seats(self) -> tuple[Participant, ...]:
        """Who speaks for the organisation that owes it sees what is asked of it."""
        return () if self.payer_person is None else (Participant(number=1, kind=PAYER_SEAT, subject=self.payer_person),)

    def took_part(self) -> Mapping[Part, tuple[str, ...]]:
        """Who owes, who entered the case that paid, who recorded what waits, and who proposed to give up."""
        entered = (self.entered_by,) if self.entered_by is not None else super().took_part()[Part.ENTERED]
        each = {
            Part.ENTERED: entered,
            Part.DEBTOR: (self.reporter_subject, self.payer_person),
            Part.KEPT_FROM_IT: self.kept_from,
            Part.REPAYMENT_CLAIMED: tuple(claim.by for claim in self.claims),
            Part.WRITE_OFF_PROPOSED: (self.written_off_by,),
            Part.REPAYMENT_SEEN: tuple(each for claim in self.claims for each in claim.seen_by),
            Part.WRITE_OFF_AGREED: tuple(self.agreed_by),
        }
        return {part: tuple(who for who in whom if who) for part, whom in each.items()}

    def requests(self) -> Mapping[Part, tuple[int, ...]]:
        """What waits for another person's word: repayments that were recorded, and a proposal to give up."""
        waiting = {Part.REPAYMENT_CLAIMED: tuple(claim.number for claim in self.claims)}
        if self.written_off_by is not None:
            waiting[Part.WRITE_OFF_PROPOSED] = (max(self.write_offs, 1),)
        return waiting

    @property
    def words_needed(self) -> int:
        """How many others have to confirm: of two different people at least one did not enter the case."""
        return 1 if self.entered_by is not None else 2

    def labels(self) -> dict[str, str]:
        """Return what lists group recoveries by."""
        return {"benefit": self.benefit, "cause": self.cause}
