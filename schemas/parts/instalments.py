"""分期拨付 instalments: what was promised is done in milestones; each is claimed, verified by another person, and then paid.

    running -> claim_milestone -> claimed -> verify_milestone: accepted, its instalment is paid, and the next one runs
       ^                             |                         not accepted: the time for it goes on from where it stood
       +-----------------------------+                         the last one accepted: the procedure goes on

Whoever claims does not verify, nor whose matter it is, nor who entered it: verifying moves money. The instalments are payments
like all others (schemas/parts/payments.py): a procedure declares `Paying` besides, and its state and workflow derive from these.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import Field

from schemas.clocks.limits import Limit
from schemas.contracts.payment import Fen
from schemas.kernel.acts import Act, Step, Tells, act
from schemas.kernel.answers import UNNAMED, AnswerTo, SeenNumber
from schemas.kernel.entries import entry
from schemas.kernel.parties import GRID_WORKER, REPORTER, STREET_OFFICER, WINDOW_CLERK
from schemas.kernel.people import Part
from schemas.kernel.procedure import Command
from schemas.kernel.reference_facts import Refers
from schemas.kernel.rules import By, Rule
from schemas.kernel.state import DeclaredState
from schemas.kernel.timers import LimitOf, Timer, TimerKind, duty
from schemas.parts.payments import PaidState, PaymentTerms, own_payments_are_settled
from schemas.values.document import Document
from schemas.values.model import Model
from schemas.values.references import TextReference

MILESTONE = "milestone"
VERIFY = "verify"
DOCUMENTS_AT_ONCE = 10


class Milestone(Model):
    """A part of what was promised, and what it gets. A procedure that says more of it derives from this."""

    amount_fen: Fen


class InstalmentTerms(PaymentTerms):
    """The town's rules for them: how long a milestone takes, and how long somebody has to look at it."""

    milestone: Limit
    verify: Limit


class InstalmentsState(PaidState):
    """What a case remembers that is paid in instalments.

    `reached` counts the milestones that were accepted; `claimed_by` says that the next one is reached, `milestone_claims` counts
    that.
    """

    milestones: tuple[Milestone, ...]
    reached: int = 0
    claimed_by: str | None = None
    milestone_claims: int = 0

    @property
    def budget_fen(self) -> int:
        """What all of it costs."""
        return sum(each.amount_fen for each in self.milestones)

    @property
    def instalments_paid_fen(self) -> int:
        """What has been paid of it."""
        return sum(self.paid_fen().values())

    def took_part(self) -> Mapping[Part, tuple[str, ...]]:
        """Who says that a milestone is reached, besides."""
        claimed = () if self.claimed_by is None else (self.claimed_by,)
        return {**super().took_part(), Part.MILESTONE_CLAIMED: claimed}

    def requests(self) -> Mapping[Part, tuple[int, ...]]:
        """What waits for another person's word: a milestone that somebody says is reached, besides."""
        waiting = () if self.claimed_by is None else (self.milestone_claims,)
        return {**super().requests(), Part.MILESTONE_CLAIMED: waiting}


class ClaimMilestone(Command):
    """申报完成: a milestone is reached: what was done, with documents that show it."""

    result: TextReference
    documents: tuple[Document, ...] = Field(min_length=1, max_length=DOCUMENTS_AT_ONCE)


class VerifyMilestone(AnswerTo):
    """验收: somebody else has looked whether it is. `request`: the claim that was looked at."""

    part = Part.MILESTONE_CLAIMED
    request: SeenNumber = UNNAMED
    passed: bool
    finding: TextReference


class InstalmentEntries:
    """What the ledger says of milestones: for `class Kind(InstalmentEntries, PaymentEntries, EntryKinds, procedure="NAME")`."""

    MILESTONE_CLAIMED = entry("milestone:claimed", "申报完成")
    MILESTONE_ACCEPTED = entry("milestone:accepted", "验收通过")
    MILESTONE_NOT_ACCEPTED = entry("milestone:not_accepted", "验收不通过", references={"finding": Refers.TEXT})


@dataclass(frozen=True, kw_only=True)
class Instalments:
    """The instalments of a procedure.

    `running`, `claimed`: its stages; `after`: where it goes when the last milestone is accepted. `claims`: who says that one is
    reached; `by`: who verifies, `desk` who of them is told; from it are kept besides `apart_from`.
    """

    kinds: type[InstalmentEntries]
    running: StrEnum
    claimed: StrEnum
    after: tuple[StrEnum, ...]
    claims: tuple[By, ...] = (REPORTER, WINDOW_CLERK, GRID_WORKER)
    by: tuple[By, ...] = (GRID_WORKER, STREET_OFFICER)
    desk: str = "role:grid_worker"
    apart_from: tuple[Part, ...] = ()

    def lines(self) -> tuple[Act | Rule | Step, ...]:
        """The lines of the table, in the order of the regulation."""
        return (
            act(
                ClaimMilestone, "申报完成",
                by=self.claims, at=self.running, to=self.claimed, when=own_payments_are_settled,
                part=Part.MILESTONE_CLAIMED, entry=self.kinds.MILESTONE_CLAIMED,
                stops=(MILESTONE,), starts=(VERIFY,), holder=self.desk, tells=Tells(self.desk, "milestone_to_verify"),
            ),
            act(
                VerifyMilestone, "验收",
                by=self.by, at=self.claimed, to=(self.running, *self.after), moves_money=True,
                apart_from=(Part.APPLICANT, Part.ENTERED, *self.apart_from, Part.MILESTONE_CLAIMED),
                answers=(Part.MILESTONE_CLAIMED,), entry=self.kinds.MILESTONE_ACCEPTED,
            ),
        )  # fmt: skip

    def faults(
        self, state: type[DeclaredState], timers: Mapping[str, Timer], lines: Sequence[Act | Step | Rule]
    ) -> Iterator[str]:
        """Say what does not fit: at import, where somebody who composes it sees it."""
        if not issubclass(state, InstalmentsState):
            yield "instalments need an InstalmentsState"
        for clock in (MILESTONE, VERIFY):
            if clock not in timers or timers[clock].kind is not TimerKind.DUTY:
                yield f"instalments need the duty {clock} (instalment_timers)"
        rules = [line if isinstance(line, Rule) else line.rule for line in lines]
        if not any(rule.command == "verify_milestone" for rule in rules):
            yield "instalments need their lines()"
        if not any(rule.command == "retry_payment" and self.running in rule.at for rule in rules):
            yield f"instalments are payments: Paying has to stand in parts, and its lines at {self.running}"


def instalment_timers(milestone: str | LimitOf = MILESTONE, verify: str | LimitOf = VERIFY) -> Mapping[str, Timer]:
    """The clocks of instalments: for `timers={**instalment_timers(), **payment_timers(), …}`."""
    return {
        MILESTONE: duty("里程碑", "milestone", milestone),
        VERIFY: duty("验收", "verification", verify),
    }
