"""Payments: the contract by which a bank pays out, and says afterwards what became of it (docs/payments.md).

BankPolicy                               policies/banks.yaml
PayRequest -> PayReceipt                 what the workflow asks of the activity; payee and account by reference only
StatusRequest -> PaymentStatus           what became of a payment, in the bank's word
PaymentBody -> BankPayment               what goes over the wire, alone or in a batch; what the bank answers
StatementPage, StatementLine             the bank's own books of a month: what went out
ReceiptLine                              and what came in
VoucherLine                              and what the treasury paid out by hand
ReturnNotice                             what the bank reports later: the money came back

One payee, one purpose, one period, one payment: the key is made of these, and the bank pays a key once, to the case that asked
first. The payee is a person, of whom it tells nothing, or an organisation, by its public code; the period is the month for which
it is due. What is paid once may be needed again in the same month: its key has the occasion too, the case.
"""

import re
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from schemas.contracts.department import Code, Gateway, StrictTime
from schemas.contracts.department_policy import Name
from schemas.contracts.question import Answer, Question
from schemas.values.case_number import CaseNumber
from schemas.values.foreign_code import ForeignCode, KeptCode, SaidCode
from schemas.values.model import Model
from schemas.values.organisation import IN_KEYS, OrganisationReference, code_of, organisation
from schemas.values.references import OPAQUE, PersonReference, TextReference
from schemas.values.typed_code import Tidied

LONGEST_NOTICE_BYTES = 64 * 1024
BATCH_MAX = 100
STATEMENT_PAGE = 500
_PLAIN_PARTS = 3
PAYMENT_RETURNED = "payment_returned"
"""The command of a case that a notice of a returned payment becomes."""

Month = Annotated[str, StringConstraints(pattern=r"^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])$"), Tidied]
"""A month of town time: `2026-11`; of years that a calendar holds (1900 to 2199)."""

Fen = Annotated[int, Field(strict=True, gt=0, le=10**10)]
"""Money in whole fen, more than none; a hundred million yuan at the most."""

_OCCASION = r"[a-z]+(-[a-z0-9]+)+"
_PAYEE = rf"({OPAQUE}|{IN_KEYS}[0-9A-Z]{{18}})"
_KEY = rf"^{_PAYEE}\.[a-z0-9]+(-[a-z0-9]+)*\.[0-9]{{4}}-(0[1-9]|1[0-2])(\.{_OCCASION})?(\.[1-9][0-9]?)?$"
PaymentKey = Annotated[str, StringConstraints(pattern=_KEY, max_length=160)]
"""`PAYEE.PURPOSE.PERIOD`, or `PAYEE.PURPOSE.PERIOD.CASE` of what is paid once; `.2`, `.3` for a later attempt.

Fit for a URL, opaque about a person; an organisation is `org-` and its code.
"""

PayeeReference = PersonReference | OrganisationReference
"""Whose money it is: a person whom the vault knows, or an organisation, whom everybody does."""


def payment_key(payee: PayeeReference, benefit: str, month: str, attempt: int = 1, occasion: str | None = None) -> str:
    """The key under which a payee is paid for a purpose and a period, once, however often it is asked for.

    Args:
        payee: whose money it is, a person or an organisation.
        benefit: for what, as a code: a benefit, a milestone.
        month: the period, YYYY-MM.
        attempt: from 1; it goes up only when the bank has paid nothing under the one before.
        occasion: the number of the case, for what is paid once and may be needed again.
    """
    code = code_of(payee)
    whose = payee.removeprefix("person:") if code is None else f"{IN_KEYS}{code}"
    key = f"{whose}.{benefit}.{month}"
    key = key if occasion is None else f"{key}.{occasion}"
    return key if attempt == 1 else f"{key}.{attempt}"


def entitlement_of(key: PaymentKey) -> str:
    """What a key pays for, without the attempt: two keys of one entitlement must not both be paid."""
    parts = key.split(".")
    return ".".join(parts[:-1] if len(parts) > _PLAIN_PARTS and parts[-1].isdecimal() else parts)


def payee_of(key: PaymentKey) -> PayeeReference:
    """The person or the organisation that a key pays."""
    whose = key.split(".")[0]
    return organisation(whose.removeprefix(IN_KEYS)) if whose.startswith(IN_KEYS) else f"person:{whose}"


def benefit_of(key: PaymentKey) -> str:
    """The purpose that a key pays for: a benefit, a part of it, a milestone."""
    return key.split(".")[1]


def month_of(key: PaymentKey) -> Month:
    """The month a key pays for."""
    return key.split(".")[2]


def notice_path(bank: str) -> str:
    """Where on our API a bank reports; the key that must have signed follows from the code."""
    return f"/api/v1/banks/{bank}/notices"


PAID_CODE = "payment:paid"
RETURNED_CODE = "payment:returned"
"""What the entries of a payment are called that the books count, of whatever procedure."""


class PayStatus(StrEnum):
    """What became of a payment.

    PAID         the money has left
    RETURNED     it left and came back: the account does not take it. A new attempt needs a new key
    REFUSED      it never left, and never will under this key
    CONFLICT     nothing was paid by this request, and the bank holds something else: another amount, account or case under
                 this key, or the attempt that it replaces was paid after all. A person must look; no new attempt by itself
    UNKNOWN      the bank never had this key, so nothing was paid under it (only an answer to the question for a status)
    UNREACHABLE  no usable answer within the time for it: THE MONEY MAY HAVE MOVED. Ask for the status, or pay again under
                 the very same key; never under another one
    """

    PAID = "paid"
    RETURNED = "returned"
    REFUSED = "refused"
    CONFLICT = "conflict"
    UNKNOWN = "unknown"
    UNREACHABLE = "unreachable"


class PayRequest(Question):
    """What the workflow asks for. The same key is one payment, however often it is asked for.

    `statement`: what the case was told of the payee; None of cases from before. `payee_name`: what an organisation is called at
    its bank, where the payee is one: nothing else is read of it. `occasion` stands in the key of what is paid
    once: the case. `attempt` is counted up only when the bank has said RETURNED or REFUSED of the attempt before; the bank is
    told which key it replaces and refuses when that one was paid after all.
    """

    case_id: str
    payee: PayeeReference
    payee_name: TextReference | None = Field(
        default=None, exclude_if=lambda name: name is None
    )  # histories from before it
    statement: TextReference | None = None
    account: TextReference
    amount_fen: Fen
    benefit: Code
    month: Month
    occasion: Annotated[str, StringConstraints(pattern=rf"^{_OCCASION}$", max_length=60)] | None = None
    attempt: int = Field(default=1, ge=1, le=99)
    as_of: StrictTime

    @property
    def payment_key(self) -> str:
        """The idempotency key."""
        return payment_key(self.payee, self.benefit, self.month, self.attempt, self.occasion)

    @property
    def replaces(self) -> str | None:
        """The key of the attempt before."""
        if self.attempt == 1:
            return None
        return payment_key(self.payee, self.benefit, self.month, self.attempt - 1, self.occasion)

    @property
    def question(self) -> str:
        """Which question this is."""
        return f"{self.case_id}/{self.payment_key}"


class PayReceipt(Answer):
    """How asking for a payment ended, for the procedure. `bank_reference` and `paid_at` are the bank's.

    `code` is set for REFUSED (the bank's bare code, `person-erased`, `account-withheld`), CONFLICT, RETURNED (the bank's bare
    codes) and UNREACHABLE (`unreachable`, or `pending`). REFUSED is the bank's recorded word; a bank that does not believe us or
    does not understand us has said nothing about the money, and that is UNREACHABLE.
    """

    payment_key: PaymentKey
    status: PayStatus
    bank_reference: str | None = None
    paid_at: StrictTime | None = None
    code: str | None = None

    @property
    def paid(self) -> bool:
        """The money has left and has not come back."""
        return self.status is PayStatus.PAID


class StatusRequest(Question):
    """Ask what became of a payment."""

    case_id: str
    payment_key: PaymentKey

    @property
    def question(self) -> str:
        """Which question this is."""
        return f"{self.case_id}/{self.payment_key}"


class PaymentStatus(Answer):
    """What became of a payment, in the bank's word. `at` is when it got this status."""

    payment_key: PaymentKey
    status: PayStatus
    amount_fen: int | None = None
    bank_reference: str | None = None
    at: StrictTime | None = None
    code: str | None = None


# ---- the wire -------------------------------------------------------------------------------------------------------


class PaymentBody(Model):
    """The body of `POST {url}/payments`, and a line of `POST {url}/payment-batches`.

    `replaces`: the key of an attempt that was returned or refused. The bank never pays both: it answers 409 when that one is
    paid, and refuses it should it come in later.
    """

    model_config = ConfigDict(extra="ignore")

    payment_key: PaymentKey
    case_id: str
    name: str = Field(repr=False)
    account: str = Field(repr=False)
    amount_fen: Fen
    benefit: Code
    month: Month
    replaces: PaymentKey | None = None
    as_of: StrictTime
    notice_url: str


class BankPayment(Model):
    """What the bank says of a payment: the answer to a payment, to the question for one, and a line of a statement.

    `at` is when it was paid, or when it came back. `code` is bare (small letters, digits, hyphens), no name, no text.
    """

    model_config = ConfigDict(extra="ignore")

    payment_key: PaymentKey
    status: Literal[PayStatus.PAID, PayStatus.RETURNED, PayStatus.REFUSED]
    amount_fen: Fen
    bank_reference: ForeignCode
    at: StrictTime
    code: Code | None = None


class BatchBody(Model):
    """The body of `POST {url}/payment-batches`: payments of different keys, each judged by itself."""

    model_config = ConfigDict(extra="ignore")

    payments: tuple[PaymentBody, ...] = Field(min_length=1, max_length=BATCH_MAX, repr=False)


class BatchLine(Model):
    """What became of one line of a batch: the status and the answer that it would have got alone."""

    model_config = ConfigDict(extra="ignore")

    payment_key: PaymentKey
    http_status: int = Field(ge=200, le=599)
    payment: BankPayment | None = None
    code: SaidCode = ""


class BatchAnswer(Model):
    """The bank's answer to a batch. A line that is not in it has no answer: it is asked for again, alone."""

    model_config = ConfigDict(extra="ignore")

    lines: tuple[BatchLine, ...] = Field(max_length=BATCH_MAX)


class StatementLine(Model):
    """One movement of money in the bank's own books: what was paid for a month, and what of it came back."""

    model_config = ConfigDict(extra="ignore")

    payment_key: PaymentKey
    amount_fen: Fen
    status: Literal[PayStatus.PAID, PayStatus.RETURNED]
    bank_reference: ForeignCode
    at: StrictTime


class ReceiptLine(Model):
    """Money that came in: paid back by somebody to whom too much was paid. `receipt` is the number that they were given."""

    model_config = ConfigDict(extra="ignore")

    receipt: ForeignCode
    amount_fen: Fen
    at: StrictTime


class VoucherLine(Model):
    """Money that the treasury paid out by hand, for the month of the statement. `voucher` is the number under which it did."""

    model_config = ConfigDict(extra="ignore")

    voucher: ForeignCode
    amount_fen: Fen
    at: StrictTime


class StatementPage(Model):
    """A page of `GET {url}/statements/{month}`. `next` is where the next page begins; null on the last one.

    `receipts`: what came in during the month, on whichever page; left out by a bank that does not keep the account for it.
    `vouchers`: what was paid out by hand for the month, in the same way.
    """

    model_config = ConfigDict(extra="ignore")

    month: Month
    lines: tuple[StatementLine, ...] = Field(max_length=STATEMENT_PAGE)
    receipts: tuple[ReceiptLine, ...] | None = Field(default=None, max_length=STATEMENT_PAGE)
    vouchers: tuple[VoucherLine, ...] | None = Field(default=None, max_length=STATEMENT_PAGE)
    next: ForeignCode | None = None


class Statement(Model):
    """The bank's books of a month, all pages. A refused payment is not in it: no money moved.

    `receipts` None: the bank says nothing of money that comes in. `vouchers` None: nor of what is paid out by hand.
    """

    month: Month
    lines: tuple[StatementLine, ...]
    receipts: tuple[ReceiptLine, ...] | None = None
    vouchers: tuple[VoucherLine, ...] | None = None


class ReturnNotice(Model):
    """The body of `POST {notice_url}`: a payment came back. It may come more than once, always with the same `notice_id`.

    Fields we do not know are refused, so that a misspelt one is not lost. `code` says why, bare: `account-closed`.
    """

    notice_id: ForeignCode
    act: Literal["returned"]
    payment_key: PaymentKey
    case_id: CaseNumber
    amount_fen: Fen
    bank_reference: ForeignCode
    code: Code
    as_of: StrictTime


class ReturnedPayment(Model):
    """The fields of the command `payment_returned` as a notice gives them: a procedure that pays has a command with these."""

    payment_key: PaymentKey
    amount_fen: Fen
    bank_reference: KeptCode
    code: Code
    returned_at: StrictTime


# ---- the register ---------------------------------------------------------------------------------------------------


class BankPolicy(Model):
    """The bank that pays. `desk`: none is connected, and every payment is refused with `no-bank`.

    `batch_max`: how many payments that are due at one time go out together; 1 for one by one.
    """

    code: Code
    name: Name
    gateway: Gateway
    url: str | None = None
    private: bool = False
    """Whether its address may lie in a private network: nobody is called there by accident (docs/SECURITY.md)."""

    concurrent_calls: int = Field(default=8, ge=1, le=64)
    timeout_seconds: float = Field(default=10.0, gt=0, le=20)
    batch_max: int = Field(default=1, ge=1, le=BATCH_MAX)


def is_payment_key(text: str) -> bool:
    """Say whether this can be the key of a payment."""
    return re.fullmatch(_KEY, text) is not None
