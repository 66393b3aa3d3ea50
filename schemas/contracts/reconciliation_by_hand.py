"""Payments by hand against what the treasury says that it paid out by hand. Pure, beside `reconciliation`.

A payment by hand has no key of the bank. It stands in our books beside its entitlement, under the number of the treasury's voucher.
Nothing but that voucher proves it: without one, or where the treasury's file lacks it, it is a difference; so is a voucher that
nobody booked, one with another sum, and an entitlement that the bank has paid too.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from schemas.contracts.payment import PayStatus, StatementLine, VoucherLine, entitlement_of
from schemas.contracts.reconciliation import Difference, DifferenceKind, LedgerPayment, OurPayment, Reconciliation
from schemas.values.model import Model

BY_HAND = "by-hand-"
"""With the number of a payment in its case: the key of what was paid by hand."""


class PaymentByHand(Model):
    """A payment by hand, in our books. `entitlement` None: booked before there was a second person and a voucher."""

    case_id: str
    key: str
    amount_fen: int
    entitlement: str | None = None
    voucher: str | None = None


def booked_by_hand(entries: Iterable[LedgerPayment]) -> list[PaymentByHand]:
    """Our payments by hand, from the entries of their cases."""
    return [
        PaymentByHand(
            case_id=entry.case_id,
            key=entry.key,
            amount_fen=entry.amount_fen,
            entitlement=None if entry.entitlement is None else entitlement_of(entry.entitlement),
            voucher=entry.voucher,
        )
        for entry in sorted(entries, key=lambda each: (each.case_id, each.seq))
        if entry.key.startswith(BY_HAND)
    ]


def with_payments_by_hand(
    found: Reconciliation,
    by_hand: Sequence[PaymentByHand],
    ours: Sequence[OurPayment],
    lines: Sequence[StatementLine],
    vouchers: Sequence[VoucherLine] | None,
) -> Reconciliation:
    """The same, with what was paid by hand for the month. `vouchers` None: the treasury says nothing of it, and proves nothing."""
    treasury: Counter[str] = Counter()
    for line in vouchers or ():
        treasury[line.voucher] += line.amount_fen
    by_voucher: dict[str, list[PaymentByHand]] = defaultdict(list)
    for payment in by_hand:
        by_voucher[payment.voucher or f"{payment.case_id}.{payment.key}"].append(payment)
    moved = Counter(entitlement_of(each.payment_key) for each in lines if each.status == PayStatus.PAID)
    stands = Counter(entitlement_of(each.payment_key) for each in ours if not each.returned)
    told = [
        *(_of_voucher(each, by_voucher[each], treasury) for each in sorted({*by_voucher, *treasury})),
        *_doubled(by_hand, moved, stands),
    ]
    proved = [each for each in by_hand if each.voucher is not None and each.voucher in treasury]
    return found.model_copy(
        update={
            "by_hand": len(by_hand),
            "by_hand_fen": sum(each.amount_fen for each in by_hand),
            "by_hand_not_proved_fen": sum(each.amount_fen for each in by_hand if each not in proved),
            "differences": (*found.differences, *(each for each in told if each is not None)),
        }
    )


def _of_voucher(number: str, booked: Sequence[PaymentByHand], treasury: Mapping[str, int]) -> Difference | None:
    """What is the matter with what was paid out under one voucher."""
    ours, theirs = sum(each.amount_fen for each in booked), treasury.get(number)
    if theirs is None:
        kind = DifferenceKind.BY_HAND_NOT_PROVED
    elif not booked:
        kind = DifferenceKind.VOUCHER_UNKNOWN_TO_US
    elif ours != theirs:
        kind = DifferenceKind.BY_HAND_DIFFERS
    else:
        return None
    return Difference(
        entitlement=number,
        kinds=(kind,),
        case_ids=tuple(sorted({each.case_id for each in booked})),
        payment_keys=tuple(sorted(each.key for each in booked)),
        bank_references=() if theirs is None else (number,),
        ours_fen=ours,
        bank_fen=theirs or 0,
    )


def _doubled(
    by_hand: Sequence[PaymentByHand], moved: Mapping[str, int], stands: Mapping[str, int]
) -> Iterable[Difference]:
    """Entitlements that were paid by hand and by the bank, or by hand twice."""
    of_entitlement: dict[str, list[PaymentByHand]] = defaultdict(list)
    for payment in by_hand:
        if payment.entitlement is not None:
            of_entitlement[payment.entitlement].append(payment)
    for entitlement, payments in sorted(of_entitlement.items()):
        kinds = []
        if moved.get(entitlement, 0):
            kinds.append(DifferenceKind.PAID_TWICE)
        if len(payments) + stands.get(entitlement, 0) > 1:
            kinds.append(DifferenceKind.BOOKED_TWICE)
        if kinds:
            yield Difference(
                entitlement=entitlement,
                kinds=tuple(kinds),
                case_ids=tuple(sorted({each.case_id for each in payments})),
                payment_keys=tuple(sorted(each.key for each in payments)),
                bank_references=(),
                ours_fen=sum(each.amount_fen for each in payments),
                bank_fen=0,
            )
