"""追回: what was paid too much becomes a recovery case, started from here; it reports back by messages.

A procedure that asks back derives from `Recoveries` and calls `recover(...)` (schemas/recovery_parent.py).
"""

from collections.abc import Mapping
from typing import TypeVar

from schemas.kernel.case import CaseState, Message
from schemas.kernel.parties import THE_REPORTER
from schemas.parts.children import open_child
from schemas.recovery import RECOVERY
from schemas.recovery_parent import Recovering, RecoveringState, RecoveryAsked, RecoveryEntries
from schemas.recovery_state import RecoveryState, RecoveryTerms
from schemas.welfare_policy import WelfareTerms
from workflows.kernel.declared import DeclaredCase
from workflows.kernel.law import Law
from workflows.parts.children import ChildrenCase

RECOVERY_TOLD = "recovery_told"

A_RECOVERY_KNOWS_WHO_ENTERED = Law("a-recovery-knows-who-entered")
"""Patch: before, a recovery did not know who had entered the case that paid."""

WHO_IS_KEPT_AWAY_STAYS_AWAY = Law("who-is-kept-away-stays-away")
"""Patch: before, who was kept from the money of a case decided on what was asked back of it."""


StateT = TypeVar("StateT", bound=RecoveringState)


class Recoveries(ChildrenCase[StateT, RecoveryAsked], DeclaredCase[StateT]):
    """The part of a case that asks back."""

    child_procedure = RECOVERY
    child_errand = "recover"

    def recovered_for(self) -> str:
        """Return for what it was paid, as a code: the procedure, unless it pays for more than one thing."""
        return self.procedure.name

    def recovery_terms(self) -> RecoveryTerms | WelfareTerms:
        """Return the terms that a recovery goes by: those of this case that it needs."""
        return RecoveryTerms.model_validate(
            {name: getattr(self.state.terms, name) for name in RecoveryTerms.model_fields}
        )

    def kept_from_its_money(self) -> tuple[str, ...]:
        """Return who is kept from every word on money here, besides whose case it is and who entered it: from the recovery too."""
        return ()

    def paid_organisation(self) -> dict[str, str | None]:
        """Return the organisation that was paid and who speaks for it (`payer`, `payer_person`); mostly none."""
        return {}

    def recover(
        self, cause: str, months: Mapping[str, int], payer: str | None = None, payer_person: str | None = None
    ) -> None:
        """Ask back what was paid too much by month; what was asked back before is not asked back again.

        `payer`, `payer_person`: the organisation that owes it and who speaks for it, where that is not who is paid now.
        """
        before = self.state.demanded_back()
        net = {month: fen - before.get(month, 0) for month, fen in months.items() if fen > before.get(month, 0)}
        if not net:
            return
        number = len(self.state.recoveries) + 1
        total = sum(net.values())
        asked = RecoveryAsked(
            number=number,
            cause=cause,
            amount_fen=total,
            months=net,
            stamp=self.stamp,
            asked_at=self.now(),
            payer=payer,
            payer_person=payer_person,
        )
        self.state.recoveries.append(asked)
        self.record(
            self._recovery_kinds.RECOVERY_ASKED, case=self.id_of(asked), cause=cause, amount_fen=total, months=net
        )
        self.notify(THE_REPORTER, "recovery_asked", yuan=total // 100, fen=total % 100)
        self.ask_for_child(asked)

    async def errand_recover(self, number: int) -> None:
        """Start a recovery."""
        await self.start_child(number)

    def children(self) -> list[RecoveryAsked]:
        """Every recovery of this case."""
        return self.state.recoveries

    def code_of(self, child: RecoveryAsked) -> str:
        """A case has several."""
        return f"recovery-{child.number}"

    def opening_of(self, child: RecoveryAsked) -> RecoveryState:
        """What is to come back, and from whom."""
        kept = self.kept_from_its_money()
        entered_by = self.state.opening.actor.subject if self.law_holds(A_RECOVERY_KNOWS_WHO_ENTERED) else None
        return open_child(
            RecoveryState,
            self.state,
            self.code_of(child),
            stamp=child.stamp,
            at=child.asked_at,
            department=self.state.department,
            reporter_subject=self.state.reporter_subject,
            terms=self.recovery_terms(),
            benefit=self.recovered_for(),
            cause=child.cause,
            reporter=self.state.reporter,
            statements=self.state.statements_of(self.state.reporter),
            amount_fen=child.amount_fen,
            months=child.months,
            entered_by=entered_by,
            kept_from=kept if kept and self.law_holds_here(WHO_IS_KEPT_AWAY_STAYS_AWAY) else (),
            **(
                self.paid_organisation()
                if child.payer is None
                else {"payer": child.payer, "payer_person": child.payer_person}
            ),
        )

    def child_stands(self, child: RecoveryAsked, opening: CaseState, *, anew: bool) -> None:  # noqa: ARG002 - by its number
        """追回立案."""
        self.record(self._recovery_kinds.RECOVERY_OPENED, case=opening.case_id, started=anew)

    def on_message(self, message: Message, *, repeated: bool) -> None:
        """A recovery tells how far it is, also when this case is over."""
        if message.subject != RECOVERY_TOLD:
            super().on_message(message, repeated=repeated)
        elif not repeated:
            self.recovery_has_told(message)

    def recovery_has_told(self, message: Message) -> None:
        """How much has come back, and whether it is over."""
        asked = self.child_called(message.sender)
        if asked is not None:
            asked.repaid_fen = int(message.facts["repaid_fen"])
            asked.ended_as = str(message.facts["stage"])
            self.record(self._recovery_kinds.RECOVERY_TOLD, case=message.sender, **message.facts)

    @property
    def _recovery_kinds(self) -> type[RecoveryEntries]:
        return self.procedure.part(Recovering).kinds
