"""Our books of payments, and of what is to come back, as the ledger has them, and whose they are.

Whose entries are books is what a procedure is composed of (schemas/parts/payments.py): none is named here.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from engine.store.database import Queries
from schemas.clocks.calendar import midnight
from schemas.clocks.months import next_month
from schemas.contracts.payment import Month, payee_of
from schemas.contracts.reconciliation import (
    Advance,
    Difference,
    LedgerPayment,
    OurPayment,
    Reconciliation,
    RecoveryEntry,
    booked,
)
from schemas.contracts.reconciliation_by_hand import PaymentByHand, booked_by_hand
from schemas.kernel.procedure import Procedure
from schemas.parts.payments import Paying

Connection = asyncpg.Connection | PoolConnectionProxy


class PaymentQueries(Queries):
    """The SQL of payments."""

    payments_of_month: str
    recoveries_of_month: str
    undecided_advances: str
    cases_of_people: str


SQL = PaymentQueries.load("payments")


Payers = Mapping[str, Paying]
"""How each procedure pays that does, by its name."""


def payers_of(procedures: Iterable[Procedure]) -> Payers:
    """Return which of these procedures pay, and how."""
    found = {procedure.name: procedure.part_or_none(Paying) for procedure in procedures}
    return {name: paying for name, paying in found.items() if paying is not None}


async def payments_of_month(
    connection: Connection, payers: Payers, month: Month
) -> tuple[list[OurPayment], list[PaymentByHand]]:
    """Every payment of a month that stands in the chains of our cases: by the bank, and by hand."""
    rows = await connection.fetch(SQL.payments_of_month, month, list(payers))
    entries = [LedgerPayment.model_validate(dict(row)) for row in rows]
    return booked(entries), booked_by_hand(entries)


async def recoveries_of_month(connection: Connection, month: Month, receipts: Iterable[str]) -> list[RecoveryEntry]:
    """What was asked back, came back and was given up in a month, and every repayment under one of these receipts."""
    begins, ends = (midnight(date(int(each[:4]), int(each[5:]), 1)) for each in (month, next_month(month)))
    rows = await connection.fetch(SQL.recoveries_of_month, begins, ends, sorted(receipts))
    return [RecoveryEntry.model_validate(dict(row)) for row in rows]


async def undecided_advances(connection: Connection, payers: Payers, month: Month, now: datetime) -> list[Advance]:
    """What was paid first for a month, and is not decided though the case's limit has passed."""
    places = [(name, stage.value, each.decided_by) for name, each in payers.items() for stage in each.advances_at]
    procedures, stages, clocks = ([place[at] for place in places] for at in range(3))
    rows = await connection.fetch(SQL.undecided_advances, month, stages, now, procedures, clocks)
    return [Advance.model_validate(dict(row) | {"keys": tuple(row["keys"])}) for row in rows]


async def with_cases(connection: Connection, payers: Payers, found: Reconciliation) -> Reconciliation:
    """The same, with the cases of the people whose payments no case of ours has booked."""
    nameless = [each for each in found.differences if not each.case_ids]
    if not nameless:
        return found
    rows = await connection.fetch(SQL.cases_of_people, sorted({_person(each) for each in nameless}), list(payers))
    named = [
        each if each.case_ids else each.model_copy(update={"case_ids": _cases(rows, each)})
        for each in found.differences
    ]
    return found.model_copy(update={"differences": tuple(named)})


def _person(difference: Difference) -> str:
    """Whose it would be. A voucher or a receipt is nobody's: no case has such a payee."""
    return payee_of(difference.entitlement)


def _cases(rows: Iterable[asyncpg.Record], difference: Difference) -> tuple[str, ...]:
    return tuple(row["case_id"] for row in rows if row["person"] == _person(difference))
