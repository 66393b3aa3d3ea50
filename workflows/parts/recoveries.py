"""追回: what was paid too much becomes a recovery case, started from here; it reports back by messages.

A procedure that asks back derives from `Recoveries` and calls `recover(...)` (schemas/parts/recoveries.py).
"""

from collections.abc import Mapping
from typing import TypeVar

from schemas.kernel.case import Message, child_id
from schemas.kernel.parties import THE_REPORTER
from schemas.parts.recoveries import Recovering, RecoveringPayer, RecoveryAsked
from schemas.recovery import RECOVERY
from schemas.recovery_state import RecoveryState, RecoveryTerms
from schemas.welfare_policy import WelfareTerms
from workflows.kernel import steps
from workflows.kernel.law import Law
from workflows.parts.accounts import Accounts

RECOVERY_TOLD = "recovery_told"

A_RECOVERY_KNOWS_WHO_ENTERED = Law("a-recovery-knows-who-entered")
"""Patch: before, a recovery did not know who had entered the case that paid."""


StateT = TypeVar("StateT", bound=RecoveringPayer)


class Recoveries(Accounts[StateT]):
    """The part of a case that asks back."""

    def recovered_for(self) -> str:
        """Return for what it was paid, as a code: the procedure, unless it pays for more than one thing."""
        return self.procedure.name

    def recovery_terms(self) -> RecoveryTerms | WelfareTerms:
        """Return the terms that a recovery goes by: those of this case that it needs."""
        return RecoveryTerms.model_validate(
            {name: getattr(self.state.terms, name) for name in RecoveryTerms.model_fields}
        )

    def recover(self, cause: str, months: Mapping[str, int]) -> None:
        """Ask back what was paid too much by month; what was asked back before is not asked back again."""
        before = self.state.demanded_back()
        net = {month: fen - before.get(month, 0) for month, fen in months.items() if fen > before.get(month, 0)}
        if not net:
            return
        number = len(self.state.recoveries) + 1
        total = sum(net.values())
        self.state.recoveries.append(
            RecoveryAsked(
                number=number, cause=cause, amount_fen=total, months=net, stamp=self.stamp, asked_at=self.now()
            )
        )
        self.record(
            self.procedure.part(Recovering).kinds.RECOVERY_ASKED,
            case=self.recovery_id(number),
            cause=cause,
            amount_fen=total,
            months=net,
        )
        self.notify(THE_REPORTER, "recovery_asked", yuan=total // 100, fen=total % 100)
        self.errand("recover", number)

    def recovery_id(self, number: int) -> str:
        """The case of a recovery."""
        return child_id(self.state.case_id, f"recovery-{number}")

    async def errand_recover(self, number: int) -> None:
        """Start the recovery case; it lives on by itself, also after this one."""
        asked = self.state.recoveries[number - 1]
        entered_by = self.state.opening.actor.subject if self.law_holds(A_RECOVERY_KNOWS_WHO_ENTERED) else None
        started = await steps.start_case(
            RECOVERY,
            RecoveryState(
                case_id=self.recovery_id(number),
                parent=self.state.case_id,
                charter=self.state.charter,
                opening=asked.stamp,
                area=self.state.area,
                department=self.state.department,
                reporter_subject=self.state.reporter_subject,
                opened_at=asked.asked_at,
                terms=self.recovery_terms(),
                benefit=self.recovered_for(),
                cause=asked.cause,
                reporter=self.state.reporter,
                statements=self.state.statements_of(self.state.reporter),
                amount_fen=asked.amount_fen,
                months=asked.months,
                entered_by=entered_by,
            ),
        )
        self.record(
            self.procedure.part(Recovering).kinds.RECOVERY_OPENED, case=self.recovery_id(number), started=started
        )

    def knows(self, message: Message) -> bool:
        """The recoveries of this case, besides."""
        mine = {self.recovery_id(asked.number) for asked in self.state.recoveries}
        return message.sender in mine or super().knows(message)

    def on_message(self, message: Message, *, repeated: bool) -> None:
        """A recovery tells how far it is, also when this case is over."""
        if message.subject != RECOVERY_TOLD:
            super().on_message(message, repeated=repeated)
        elif not repeated:
            self.recovery_has_told(message)

    def recovery_has_told(self, message: Message) -> None:
        """How much has come back, and whether it is over."""
        for asked in self.state.recoveries:
            if self.recovery_id(asked.number) == message.sender:
                asked.repaid_fen = int(message.facts["repaid_fen"])
                asked.ended_as = str(message.facts["stage"])
                self.record(self.procedure.part(Recovering).kinds.RECOVERY_TOLD, case=message.sender, **message.facts)
