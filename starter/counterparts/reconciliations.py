"""GET /api/v1/reconciliations/{month}: our payments of a month against the bank's own books (docs/payments.md)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import asyncpg
import structlog
from fastapi import APIRouter, Path
from pydantic import TypeAdapter, ValidationError

from engine.outside.banks import BankGateway
from engine.outside.signed_calls import GatewayUnavailable
from engine.store.payment_books import Payers, payments_of_month, recoveries_of_month, undecided_advances, with_cases
from schemas.clocks.calendar import in_shanghai
from schemas.clocks.months import month_before
from schemas.contracts.department import Gateway
from schemas.contracts.payment import BankPolicy, Month, Statement
from schemas.contracts.reconciliation import Difference, Reconciliation, reconcile, with_recoveries
from schemas.contracts.reconciliation_by_hand import with_payments_by_hand
from schemas.values.actor import Role
from schemas.values.refusals import Fault, Refusal, RefusalCode, say
from starter.cases.views import DifferenceView, ReconciliationView
from starter.http.authentication import Caller, acting
from starter.http.database import database
from starter.http.dependencies import dependency
from starter.http.documentation import SIGNED_IN, responses
from starter.http.problems import Problem, ProblemCode, bad_request, refused

RECONCILES = frozenset({Role.CIVIL_AFFAIRS_OFFICER, Role.SUPERVISOR, Role.AUDITOR})
RETRY_AFTER_SECONDS = 60
_MONTH: TypeAdapter[Month] = TypeAdapter(Month)
MonthOfPath = Annotated[str, Path(json_schema_extra={"pattern": r"^\d{4}-(0[1-9]|1[0-2])$"}, examples=["2026-11"])]
log = structlog.get_logger()
router = APIRouter(prefix="/api/v1/reconciliations", tags=["reconciliations"])


@dataclass(frozen=True)
class Books:
    """Our books and the bank's. `payers`: who pays, by procedure. `now` says town time."""

    pool: asyncpg.Pool
    payers: Payers
    bank: BankPolicy
    gateway: BankGateway
    now: Callable[[], datetime]


BooksOf = Annotated[Books, dependency(Books)]


@router.get(
    "/{month}",
    summary="对账 Our payments of a month against the bank's statement",
    responses=responses(
        {200: ReconciliationView}, *SIGNED_IN, "not-your-role", "bad-request", "bank-away", "database-away"
    ),
)
async def reconcile_month(month: MonthOfPath, caller: Caller, books: BooksOf) -> ReconciliationView:
    """What differs is work for a person. A payment that is on its way just now may show; asked again, it is gone.

    With what was asked back, came back and was given up in the month, and whether the bank knows of what came back.

    For civil affairs, supervisors and auditors who act for the whole town: the bank's books are not told apart by area.
    """
    actor = acting(caller)
    if actor.role not in RECONCILES or actor.area is not None:
        detail = say(
            "对账仅供全市民政、督办、审计人员",
            "reconciling is for civil affairs, supervision and audit of the whole town",
        )
        raise refused(Refusal(code=RefusalCode.NOT_YOUR_ROLE, detail=detail, command="reconcile"))
    try:
        month = _MONTH.validate_python(month)
    except ValidationError:
        raise bad_request([_no_month()]) from None
    found = await _reconciled(books, month)
    log.info("reconciled", count=len(found.differences))
    return ReconciliationView(
        as_of=in_shanghai(books.now()),
        **found.model_dump(exclude={"differences"}),
        even=found.even,
        differences=[_view(each) for each in found.differences],
    )


async def _reconciled(books: Books, month: Month) -> Reconciliation:
    if books.bank.gateway is Gateway.DESK:
        raise _bank_away()
    # Our books first: whatever stands in them, the bank must have by the time it is asked.
    async with database(books.pool) as connection:
        ours, by_hand = await payments_of_month(connection, books.payers, month)
    statement = await _statement(books, month)
    found = reconcile(month, ours, statement.lines)
    found = with_payments_by_hand(found, by_hand, ours, statement.lines, statement.vouchers)
    return await _with_what_comes_back(books, found, statement)


async def _with_what_comes_back(books: Books, found: Reconciliation, statement: Statement) -> Reconciliation:
    month, receipts = found.month, statement.receipts
    async with database(books.pool) as connection:
        entries = await recoveries_of_month(connection, month, [line.receipt for line in receipts or ()])
        advances = await undecided_advances(connection, books.payers, month, books.now())
        found = await with_cases(connection, books.payers, found)
    if receipts is None:
        return with_recoveries(found, entries, None, advances)
    known = {month: receipts}
    if {entry.receipt for entry in entries if entry.receipt} - {line.receipt for line in receipts}:
        before = month_before(month)
        known[before] = (await _statement(books, before)).receipts or ()
    return with_recoveries(found, entries, known, advances)


async def _statement(books: Books, month: Month) -> Statement:
    try:
        return await books.gateway.statement(books.bank, month)
    except GatewayUnavailable as error:
        log.warning("statement unavailable", reason=error.reason)
        raise _bank_away() from None


def _view(difference: Difference) -> DifferenceView:
    return DifferenceView(**difference.model_dump(), words=difference.words)


def _bank_away() -> Problem:
    return Problem(
        ProblemCode.BANK_AWAY,
        say("银行暂不可用,请稍后再试", "the bank is away; try again later"),
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


def _no_month() -> Fault:
    return Fault(
        field="month",
        reason=say("不是月份", "is no month"),
        remedy=say("写成 2026-11", "write it as 2026-11"),
    )
