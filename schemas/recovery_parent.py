"""追回 recoveries: what was paid too much is asked back by a case of its own (schemas/recovery.py), whoever paid it.

A procedure that asks back declares `Recovering`, gives its entries `RecoveryEntries`, its state `RecoveringPayer`
(`RecoveringState`, where it pays nothing itself) and its workflow `Recoveries`
(workflows/recovery_parent.py). A recovery goes by the terms of the case that paid: those that `RecoveryTerms` names.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import get_origin

from schemas.kernel.acts import Act, Step
from schemas.kernel.entries import entry
from schemas.kernel.rules import Rule
from schemas.kernel.state import DeclaredState
from schemas.kernel.timers import Timer, kind_at
from schemas.parts.payments import PaidState, Remembered
from schemas.recovery_state import RecoveryTerms
from schemas.values.account import AccountCode
from schemas.values.actor import Stamp
from schemas.values.organisation import OrganisationCode
from schemas.values.references import PersonReference


class RecoveryAsked(Remembered):
    """多领款项: what is to come back, why, and what came of it. Its case is `CASE.recovery-NUMBER`.

    `payer`: the organisation that owes it, `payer_person`: who speaks for it, where a case has paid more than one.
    """

    number: int
    cause: str
    amount_fen: int
    months: dict[str, int] = {}
    stamp: Stamp
    asked_at: datetime
    payer: OrganisationCode | None = None
    payer_person: AccountCode | None = None
    repaid_fen: int = 0
    ended_as: str = ""


class RecoveringState(DeclaredState):
    """What a case remembers that asks something back, whether it was paid by it or is left open between two sides."""

    reporter: PersonReference
    recoveries: list[RecoveryAsked] = []

    def demanded_back(self) -> dict[str, int]:
        """What of each month was asked back before."""
        demanded: dict[str, int] = {}
        for asked in self.recoveries:
            for month, fen in asked.months.items():
                demanded[month] = demanded.get(month, 0) + fen
        return demanded


class RecoveringPayer(RecoveringState, PaidState):
    """What a case remembers that pays, and asks back."""


class RecoveryEntries:
    """What the ledger says of it: for `class Kind(RecoveryEntries, EntryKinds, procedure="NAME")`."""

    RECOVERY_ASKED = entry("recovery:asked", "追回多领款项")
    RECOVERY_OPENED = entry("recovery:opened", "追回立案")
    RECOVERY_TOLD = entry("recovery:told", "追回结果")


@dataclass(frozen=True, kw_only=True)
class Recovering:
    """That a procedure asks back what it paid too much."""

    kinds: type[RecoveryEntries]

    def faults(
        self,
        state: type[DeclaredState],
        timers: Mapping[str, Timer],  # noqa: ARG002 - its clocks are those of the recovery
        lines: Sequence[Act | Step | Rule],  # noqa: ARG002 - and so are its lines
    ) -> Iterator[str]:
        """Say what does not fit: a recovery would have no limits to go by."""
        if not issubclass(state, RecoveringState):
            yield "recoveries need a RecoveringState"
        terms = state.model_fields["terms"].annotation
        for name, field in RecoveryTerms.model_fields.items():
            try:
                found = kind_at(terms, name)
            except TypeError:
                yield f"recoveries need {name} among the terms"
                continue
            if (get_origin(found) or found) is not (get_origin(field.annotation) or field.annotation):
                yield f"recoveries need another kind of {name} among the terms"
