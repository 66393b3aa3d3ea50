"""对账: our payments of a month against the bank's own books. Pure: what differs is work for a person, never mended by itself.

Compared is what stands: a payment that came back on both sides is nothing. Both sides are put together by entitlement
(person, benefit, month), whatever the attempt, since that is what must be paid once.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from enum import StrEnum

from pydantic import Field

from schemas.model import Model
from schemas.payment import Month, PaymentKey, PayStatus, StatementLine, entitlement_of, is_payment_key
from schemas.refusals import say

PAID_KIND = "welfare:payment:paid"
RETURNED_KIND = "welfare:payment:returned"
"""The entries of the ledger that are our books: facts `key`, `amount_fen`, `bank_reference`."""


class DifferenceKind(StrEnum):
    """What is not as it should be with an entitlement."""

    MISSING_AT_BANK = "missing_at_bank"
    UNKNOWN_TO_US = "unknown_to_us"
    AMOUNT_DIFFERS = "amount_differs"
    RETURNED_AT_BANK = "returned_at_bank"
    NOT_RETURNED_AT_BANK = "not_returned_at_bank"
    PAID_TWICE = "paid_twice"
    BOOKED_TWICE = "booked_twice"


WORDS = {
    DifferenceKind.MISSING_AT_BANK: say(
        "台账记已发放,银行无此笔:核实后重新发放",
        "we have it as paid, the bank has no such payment: look, then pay again",
    ),
    DifferenceKind.UNKNOWN_TO_US: say(
        "银行已付,台账无记录:核实后补记", "the bank has paid, we have not booked it: look, then book it"
    ),
    DifferenceKind.AMOUNT_DIFFERS: say("金额不一致", "the amounts differ"),
    DifferenceKind.RETURNED_AT_BANK: say(
        "台账记已发放,银行已退回:联系本人更正账户后重发",
        "we have it as paid, it came back: mend the account, then pay again",
    ),
    DifferenceKind.NOT_RETURNED_AT_BANK: say(
        "台账记已退回,银行仍为已付:勿再发放", "we have it as returned, the bank has it as paid: do not pay again"
    ),
    DifferenceKind.PAID_TWICE: say("银行付了不止一次:追回多付", "the bank has paid more than once: claim it back"),
    DifferenceKind.BOOKED_TWICE: say("台账记了不止一次", "we have booked it more than once"),
}
"""What a person is told, and what to do first."""


class OurPayment(Model):
    """A payment in our books. `returned`: we have booked that it came back."""

    case_id: str
    payment_key: PaymentKey
    amount_fen: int
    bank_reference: str | None = None
    returned: bool = False


class Difference(Model):
    """One entitlement that is not as it should be: how much stands on each side, and what is the matter."""

    entitlement: str
    kinds: tuple[DifferenceKind, ...] = Field(min_length=1)
    case_ids: tuple[str, ...]
    payment_keys: tuple[str, ...]
    bank_references: tuple[str, ...]
    ours_fen: int
    bank_fen: int

    @property
    def words(self) -> list[str]:
        """What is the matter, for people."""
        return [WORDS[kind] for kind in self.kinds]


class Reconciliation(Model):
    """What came of a month. Without differences both sums are the same, to the fen and to the payment."""

    month: Month
    ours: int
    ours_fen: int
    bank: int
    bank_fen: int
    differences: tuple[Difference, ...]

    @property
    def even(self) -> bool:
        """Nothing is left for a person."""
        return not self.differences


class LedgerPayment(Model):
    """An entry of our books, as the ledger has it: PAID_KIND or RETURNED_KIND."""

    case_id: str
    seq: int
    kind: str
    key: str
    amount_fen: int
    bank_reference: str | None = None


def booked(entries: Iterable[LedgerPayment]) -> list[OurPayment]:
    """Our payments, from the entries of their cases. What was paid by hand has no key of the bank and is left out.

    A return takes back the latest payment under its key in the same case; one that takes back nothing is nothing.
    """
    standing: dict[tuple[str, str], list[OurPayment]] = defaultdict(list)
    for entry in sorted(entries, key=lambda each: (each.case_id, each.seq)):
        if not is_payment_key(entry.key):
            continue
        payments = standing[entry.case_id, entry.key]
        if entry.kind == PAID_KIND:
            payments.append(
                OurPayment(
                    case_id=entry.case_id,
                    payment_key=entry.key,
                    amount_fen=entry.amount_fen,
                    bank_reference=entry.bank_reference,
                )
            )
        elif payments:
            payments[-1] = payments[-1].model_copy(update={"returned": True})
    return [payment for payments in standing.values() for payment in payments]


def reconcile(month: Month, ours: Sequence[OurPayment], statement: Sequence[StatementLine]) -> Reconciliation:
    """Compare our payments of a month with the bank's statement of it, whatever the order of either."""
    our_books: dict[str, list[OurPayment]] = defaultdict(list)
    bank_books: dict[str, list[StatementLine]] = defaultdict(list)
    for payment in ours:
        our_books[entitlement_of(payment.payment_key)].append(payment)
    for line in statement:
        bank_books[entitlement_of(line.payment_key)].append(line)
    found = [
        _difference(entitlement, our_books[entitlement], bank_books[entitlement])
        for entitlement in sorted({*our_books, *bank_books})
    ]
    paid, moved = _standing_ours(ours), _standing_lines(statement)
    return Reconciliation(
        month=month,
        ours=len(paid),
        ours_fen=sum(each.amount_fen for each in paid),
        bank=len(moved),
        bank_fen=sum(each.amount_fen for each in moved),
        differences=tuple(difference for difference in found if difference is not None),
    )


def _standing_ours(payments: Iterable[OurPayment]) -> list[OurPayment]:
    return [each for each in payments if not each.returned]


def _standing_lines(lines: Iterable[StatementLine]) -> list[StatementLine]:
    return [each for each in lines if each.status == PayStatus.PAID]


def _difference(entitlement: str, payments: Sequence[OurPayment], lines: Sequence[StatementLine]) -> Difference | None:
    """What is the matter with one entitlement; None when nothing is."""
    paid, moved = _standing_ours(payments), _standing_lines(lines)
    kinds = set()
    keys = {each.payment_key for each in payments} | {each.payment_key for each in lines}
    for key in keys:
        kinds |= _of_key(
            [each for each in payments if each.payment_key == key], [each for each in lines if each.payment_key == key]
        )
    if len(moved) > 1:
        kinds.add(DifferenceKind.PAID_TWICE)
    if len(paid) > 1:
        kinds.add(DifferenceKind.BOOKED_TWICE)
    if not kinds:
        return None
    return Difference(
        entitlement=entitlement,
        kinds=tuple(kind for kind in DifferenceKind if kind in kinds),
        case_ids=tuple(sorted({each.case_id for each in payments})),
        payment_keys=tuple(sorted(keys)),
        bank_references=tuple(sorted({each.bank_reference for each in lines})),
        ours_fen=sum(each.amount_fen for each in paid),
        bank_fen=sum(each.amount_fen for each in moved),
    )


def _of_key(payments: Sequence[OurPayment], lines: Sequence[StatementLine]) -> set[DifferenceKind]:
    """What is the matter under one key."""
    paid, moved = _standing_ours(payments), _standing_lines(lines)
    if paid and not moved:
        return {DifferenceKind.RETURNED_AT_BANK if lines else DifferenceKind.MISSING_AT_BANK}
    if moved and not paid:
        return {DifferenceKind.NOT_RETURNED_AT_BANK if payments else DifferenceKind.UNKNOWN_TO_US}
    if {each.amount_fen for each in paid} != {each.amount_fen for each in moved}:
        return {DifferenceKind.AMOUNT_DIFFERS}
    return set()
