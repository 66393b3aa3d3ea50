"""Payments: reads payee and account at the last moment, asks the bank, returns its word. Never says more than the bank does."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.means import ReadPerson
from engine.outside.banks import BankGateway, PaymentConflict, PaymentOutcome
from engine.outside.payment_batches import PaymentBatches
from engine.outside.signed_calls import GatewayUnavailable
from schemas.contracts.department import Gateway
from schemas.contracts.payment import (
    BankPolicy,
    PaymentBody,
    PaymentStatus,
    PayReceipt,
    PayRequest,
    PayStatus,
    StatusRequest,
    notice_path,
)
from schemas.values.organisation import code_of
from schemas.values.references import TextReference, Tombstone, Withheld

log = structlog.get_logger()

UNAVAILABLE = "BankUnavailable"
PENDING = "BankNotReady"
"""The types of the errors that Temporal retries. After either of them the money may have moved."""

NO_BANK = "no-bank"

ReadTexts = Callable[[Sequence[TextReference], str, str], Awaitable[Mapping[TextReference, str | Tombstone | Withheld]]]
"""`read_texts(references, purpose, case_id)`: the texts by reference, of this case only; the vault records each reading."""

CountCall = Callable[[str, str, str], None]
"""`count_call(bank, act, outcome)`: for the metrics; codes only."""


class Payments:
    """The doers for payments. Idempotent by the payment's key; what the bank says is a result, its absence is an error."""

    def __init__(
        self,
        bank: BankPolicy,
        gateway: BankGateway,
        *,
        read_person: ReadPerson,
        read_texts: ReadTexts,
        notice_base: str,
        count_call: CountCall,
    ) -> None:
        self._bank = bank
        self._gateway = gateway
        self._batches = PaymentBatches(gateway, bank)
        self._read_person = read_person
        self._read_texts = read_texts
        self._notice_url = notice_base.rstrip("/") + notice_path(bank.code)
        self._count_call = count_call

    @activity.defn
    async def pay(self, request: PayRequest) -> PayReceipt:
        """Pay once. Raises ApplicationError(type=BankUnavailable or BankNotReady) to be tried again under the same key."""
        key = request.payment_key
        if self._bank.gateway is Gateway.DESK:
            self._count_call(self._bank.code, "pay", "no-bank")
            return PayReceipt(payment_key=key, status=PayStatus.REFUSED, code=NO_BANK)
        try:
            body = await self._body(request)
            if isinstance(body, str):
                return await self._unpayable(request, body)
            outcome = await self._batches.pay(body)
        except GatewayUnavailable as error:
            raise self._unavailable("pay", request.case_id, error) from None
        receipt = _receipt(key, outcome)
        self._tell("pay", request.case_id, receipt.status)
        return receipt

    @activity.defn
    async def payment_status(self, request: StatusRequest) -> PaymentStatus:
        """Ask what became of a payment. Raises ApplicationError as `pay`."""
        key = request.payment_key
        if self._bank.gateway is Gateway.DESK:
            return PaymentStatus(payment_key=key, status=PayStatus.UNKNOWN, code=NO_BANK)
        try:
            payment = await self._gateway.status(self._bank, key)
        except GatewayUnavailable as error:
            raise self._unavailable("status", request.case_id, error) from None
        status = PayStatus.UNKNOWN if payment is None else payment.status
        self._tell("status", request.case_id, status)
        if payment is None:
            return PaymentStatus(payment_key=key, status=status)
        return PaymentStatus(
            payment_key=key,
            status=payment.status,
            amount_fen=payment.amount_fen,
            bank_reference=payment.bank_reference,
            at=payment.at,
            code=payment.code,
        )

    async def _body(self, request: PayRequest) -> PaymentBody | str:
        """What goes to the bank, or the code of why nothing can."""
        purpose = f"pay-{request.benefit}"
        name = await self._name_of(request, purpose)
        account = (await self._read_texts([request.account], purpose, request.case_id))[request.account]
        if name is None or isinstance(account, Tombstone):
            return "person-erased"
        if isinstance(account, Withheld):
            return "account-withheld"
        return PaymentBody(
            payment_key=request.payment_key,
            case_id=request.case_id,
            name=name,
            account=account,
            amount_fen=request.amount_fen,
            benefit=request.benefit,
            month=request.month,
            replaces=request.replaces,
            as_of=request.as_of,
            notice_url=self._notice_url,
        )

    async def _name_of(self, request: PayRequest, purpose: str) -> str | None:
        """What the bank is told that the payee is called; empty: nobody has said. None: whose name it was is erased."""
        if code_of(request.payee) is None:
            details = await self._read_person(request.payee, request.statement, purpose, request.case_id)
            return None if isinstance(details, Tombstone) else (details and details.name) or ""
        if request.payee_name is None:
            return ""
        name = (await self._read_texts([request.payee_name], purpose, request.case_id))[request.payee_name]
        return None if isinstance(name, Tombstone) else "" if isinstance(name, Withheld) else name

    async def _unpayable(self, request: PayRequest, code: str) -> PayReceipt:
        """Nobody is there to be paid, or no account; but an earlier try may have paid, and only the bank knows."""
        key = request.payment_key
        payment = await self._gateway.status(self._bank, key)
        receipt = (
            PayReceipt(payment_key=key, status=PayStatus.REFUSED, code=code)
            if payment is None
            else _receipt(key, payment)
        )
        self._tell("pay", request.case_id, receipt.status)
        return receipt

    def _unavailable(self, act: str, case_id: str, error: GatewayUnavailable) -> ApplicationError:
        self._count_call(self._bank.code, act, "pending" if error.pending else "unavailable")
        log.warning("bank unavailable", bank=self._bank.code, act=act, case_id=case_id, reason=error.reason)
        return ApplicationError(
            f"{self._bank.code}: {error.reason}",
            type=PENDING if error.pending else UNAVAILABLE,
            next_retry_delay=error.retry_after,
        )

    def _tell(self, act: str, case_id: str, status: PayStatus) -> None:
        self._count_call(self._bank.code, act, status.value)
        log.info("bank answered", bank=self._bank.code, act=act, case_id=case_id, status=status.value)


def _receipt(key: str, outcome: PaymentOutcome) -> PayReceipt:
    if isinstance(outcome, PaymentConflict):
        return PayReceipt(payment_key=key, status=PayStatus.CONFLICT, code=outcome.code)
    return PayReceipt(
        payment_key=key,
        status=outcome.status,
        bank_reference=outcome.bank_reference,
        paid_at=outcome.at,
        code=outcome.code,
    )
