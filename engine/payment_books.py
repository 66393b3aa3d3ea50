"""Our books of payments, as the ledger has them, and whose they are."""

from collections.abc import Iterable

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from engine.database import Queries
from schemas.payment import Month
from schemas.reconciliation import Difference, LedgerPayment, OurPayment, Reconciliation, booked

Connection = asyncpg.Connection | PoolConnectionProxy


class PaymentQueries(Queries):
    """The SQL of payments."""

    payments_of_month: str
    cases_of_people: str


SQL = PaymentQueries.load("payments")


async def payments_of_month(connection: Connection, month: Month) -> list[OurPayment]:
    """Every payment of a month that stands in the chains of our cases."""
    rows = await connection.fetch(SQL.payments_of_month, month)
    return booked(LedgerPayment.model_validate(dict(row)) for row in rows)


async def with_cases(connection: Connection, found: Reconciliation) -> Reconciliation:
    """The same, with the cases of the people whose payments no case of ours has booked."""
    nameless = [each for each in found.differences if not each.case_ids]
    if not nameless:
        return found
    rows = await connection.fetch(SQL.cases_of_people, sorted({_person(each) for each in nameless}))
    named = [
        each if each.case_ids else each.model_copy(update={"case_ids": _cases(rows, each)})
        for each in found.differences
    ]
    return found.model_copy(update={"differences": tuple(named)})


def _person(difference: Difference) -> str:
    return f"person:{difference.entitlement.partition('.')[0]}"


def _cases(rows: Iterable[asyncpg.Record], difference: Difference) -> tuple[str, ...]:
    return tuple(row["case_id"] for row in rows if row["person"] == _person(difference))
