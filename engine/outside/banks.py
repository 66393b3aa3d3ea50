"""How the bank is reached over HTTP (docs/payments.md). Signature, limits and lanes: engine/outside/signed_calls.py.

Money is told apart more finely than orders are. Only what the bank has recorded is a refusal; that it does not believe or
understand us says nothing about money that an earlier call may have moved, so those calls are tried again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import httpx
from pydantic import ValidationError

from engine.keys.counterpart_keys import CounterpartKeys
from engine.outside.signed_calls import BARE_CODE, NOT_READY, Answer, GatewayUnavailable, SignedCalls, refusal_code
from schemas.contracts.incoming import IncomingPage, MoneyReference
from schemas.contracts.payment import (
    BankPayment,
    BankPolicy,
    BatchAnswer,
    BatchBody,
    BatchLine,
    Month,
    PaymentBody,
    PaymentKey,
    PayStatus,
    ReceiptLine,
    Statement,
    StatementLine,
    StatementPage,
    VoucherLine,
)

LONGEST_PAGE_BYTES = 512 * 1024
PAGES_MAX = 2000
"""A million lines of a statement: above that the bank repeats itself."""

TAKEN = frozenset({200, 201})
REFUSED = 422
CONFLICT = 409
NOT_FOUND = 404


@dataclass(frozen=True)
class PaymentConflict:
    """The bank holds something else under the key, or has paid the attempt that this one replaces. `code` is bare."""

    code: str


PaymentOutcome = BankPayment | PaymentConflict


class BankGateway:
    """Our side of the contract. One for the whole process."""

    def __init__(self, client: httpx.AsyncClient, keys: CounterpartKeys) -> None:
        self._calls = SignedCalls(client, keys, "bank")

    async def pay(self, bank: BankPolicy, body: PaymentBody) -> PaymentOutcome:
        """Pay, or learn what became of this payment before. Raises GatewayUnavailable: the money may have moved."""
        answer = await self._calls.post(bank, "/payments", body.model_dump_json().encode(), body.payment_key)
        if (not_ready := self._calls.not_ready(answer)) is not None:
            raise not_ready
        if answer.status == CONFLICT:
            return PaymentConflict(refusal_code(answer))
        return _judged(body, answer.status, _payment(answer))

    async def pay_together(
        self, bank: BankPolicy, key: str, bodies: Sequence[PaymentBody]
    ) -> list[PaymentOutcome | GatewayUnavailable]:
        """Pay several, each judged by itself; in the order given. Raises GatewayUnavailable for all of them.

        `key` is for this sending only: what makes a payment one payment is its own key.
        """
        content = BatchBody(payments=tuple(bodies)).model_dump_json().encode()
        answer = await self._calls.post(bank, "/payment-batches", content, key)
        if answer.status not in TAKEN:
            raise GatewayUnavailable(f"the bank answered {answer.status} to a batch")
        try:
            lines = {line.payment_key: line for line in BatchAnswer.model_validate_json(answer.body).lines}
        except ValidationError:
            raise GatewayUnavailable("the bank's answer to a batch is not readable") from None
        return [_line_outcome(body, lines.get(body.payment_key)) for body in bodies]

    async def status(self, bank: BankPolicy, key: PaymentKey) -> BankPayment | None:
        """What became of a payment; None when the bank never had it. Raises GatewayUnavailable."""
        answer = await self._calls.call(bank, "GET", f"/payments/{key}", signed=key.encode())
        if answer.status == NOT_FOUND and refusal_code(answer) == "no-such-payment":
            # A bare 404 may come from anything between us: only the bank's own word is that it has no such payment.
            return None
        if answer.status != 200:  # noqa: PLR2004 - HTTP's own number
            raise self._calls.not_ready(answer) or GatewayUnavailable(f"the bank answered {answer.status}")
        payment = _payment(answer)
        if payment.payment_key != key:
            raise GatewayUnavailable("the bank answered about another payment")
        return payment

    async def incoming(self, bank: BankPolicy, reference: MoneyReference) -> tuple[ReceiptLine, ...]:
        """Everything that has come in under a reference. Raises GatewayUnavailable: the bank has not said."""
        answer = await self._calls.call(
            bank, "GET", f"/incoming/{reference}", signed=reference.encode(), longest_answer=LONGEST_PAGE_BYTES
        )
        if answer.status != 200:  # noqa: PLR2004 - HTTP's own number
            raise self._calls.not_ready(answer) or GatewayUnavailable(
                f"the bank answered {answer.status} for a reference"
            )
        try:
            page = IncomingPage.model_validate_json(answer.body)
        except ValidationError:
            raise GatewayUnavailable("what the bank says of a reference is not readable") from None
        if page.reference != reference:
            raise GatewayUnavailable("the bank answered about another reference")
        return page.lines

    async def statement(self, bank: BankPolicy, month: Month) -> Statement:
        """The bank's own books of a month, page by page. Raises GatewayUnavailable."""
        lines: list[StatementLine] = []
        receipts: list[ReceiptLine] | None = None
        vouchers: list[VoucherLine] | None = None
        after: str | None = None
        for _ in range(PAGES_MAX):
            page = await self._page(bank, month, after)
            lines.extend(page.lines)
            if page.receipts is not None:
                receipts = [*(receipts or ()), *page.receipts]
            if page.vouchers is not None:
                vouchers = [*(vouchers or ()), *page.vouchers]
            if page.next is None:
                return Statement(
                    month=month,
                    lines=tuple(lines),
                    receipts=None if receipts is None else tuple(receipts),
                    vouchers=None if vouchers is None else tuple(vouchers),
                )
            if page.next == after:
                break
            after = page.next
        raise GatewayUnavailable("the bank's statement has no end")

    async def _page(self, bank: BankPolicy, month: Month, after: str | None) -> StatementPage:
        place = month if after is None else f"{month}?after={after}"
        answer = await self._calls.call(
            bank, "GET", f"/statements/{place}", signed=place.encode(), longest_answer=LONGEST_PAGE_BYTES
        )
        if answer.status != 200:  # noqa: PLR2004 - HTTP's own number
            raise GatewayUnavailable(f"the bank answered {answer.status} for its statement")
        try:
            page = StatementPage.model_validate_json(answer.body)
        except ValidationError:
            raise GatewayUnavailable("the bank's statement is not readable") from None
        if page.month != month:
            raise GatewayUnavailable("the bank's statement is of another month")
        return page


def _payment(answer: Answer) -> BankPayment:
    try:
        return BankPayment.model_validate_json(answer.body)
    except ValidationError:
        raise GatewayUnavailable(f"the bank's answer ({answer.status}) is not readable") from None


def _line_outcome(body: PaymentBody, line: BatchLine | None) -> PaymentOutcome | GatewayUnavailable:
    if line is None:
        return GatewayUnavailable("the bank did not answer this line of the batch")
    if line.http_status == CONFLICT:
        return PaymentConflict(line.code if BARE_CODE.fullmatch(line.code) else f"http-{line.http_status}")
    if line.http_status == NOT_READY:
        return GatewayUnavailable("the bank is not ready", pending=True)
    try:
        return _judged(body, line.http_status, line.payment)
    except GatewayUnavailable as unavailable:
        return unavailable


def _judged(body: PaymentBody, status: int, payment: BankPayment | None) -> BankPayment:
    """The payment, when it is this one and its status goes with the answer's. Raises GatewayUnavailable."""
    fits = (
        payment is not None
        and payment.payment_key == body.payment_key
        and payment.amount_fen == body.amount_fen
        and (status == REFUSED if payment.status is PayStatus.REFUSED else status in TAKEN)
    )
    if payment is None or not fits:
        raise GatewayUnavailable(f"the bank's answer ({status}) is not about this payment")
    return payment
