"""对账: our payments of a month against the bank's own books. Pure: what differs is work for a person, never mended by itself.

Compared is what stands: a payment that came back on both sides is nothing. Both sides are put together by entitlement
(person, benefit, month; the case of what is paid once), whatever the attempt, since that is what must be paid once.

What comes back is put together by receipt: what is booked as paid back and the bank does not know is a difference. So is an
advance that nobody has decided about within its limit.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from pydantic import Field

from schemas.contracts.payment import (
    PAID_CODE,
    Month,
    PaymentKey,
    PayStatus,
    ReceiptLine,
    StatementLine,
    entitlement_of,
    is_payment_key,
)
from schemas.values.model import Model
from schemas.values.refusals import say

DEMANDED_KIND = "recovery:demanded"
REPAID_PART_KIND = "recovery:repaid_part"
WRITTEN_OFF_KIND = "recovery:written_off"
UNRESOLVED_KIND = "recovery:unresolved"
RECOVERY_KINDS = (DEMANDED_KIND, REPAID_PART_KIND, WRITTEN_OFF_KIND, UNRESOLVED_KIND)
"""The entries that are our books of what is to come back: facts `amount_fen` (`left_fen` at an end), `receipt`."""

INCOMING_KIND = "incoming:came"
"""Money that a case waited for, of whatever procedure (schemas/parts/incoming.py): the same facts, by the bank's own receipt."""

_COME_IN = frozenset({REPAID_PART_KIND, INCOMING_KIND})


class DifferenceKind(StrEnum):
    """What is not as it should be with an entitlement."""

    MISSING_AT_BANK = "missing_at_bank"
    UNKNOWN_TO_US = "unknown_to_us"
    AMOUNT_DIFFERS = "amount_differs"
    RETURNED_AT_BANK = "returned_at_bank"
    NOT_RETURNED_AT_BANK = "not_returned_at_bank"
    PAID_TWICE = "paid_twice"
    BOOKED_TWICE = "booked_twice"
    REPAYMENT_NOT_PROVED = "repayment_not_proved"
    REPAYMENT_DIFFERS = "repayment_differs"
    REPAYMENT_UNKNOWN_TO_US = "repayment_unknown_to_us"
    ADVANCE_UNDECIDED = "advance_undecided"
    DEBT_UNRESOLVED = "debt_unresolved"
    BY_HAND_NOT_PROVED = "by_hand_not_proved"
    BY_HAND_DIFFERS = "by_hand_differs"
    VOUCHER_UNKNOWN_TO_US = "voucher_unknown_to_us"


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
    DifferenceKind.REPAYMENT_NOT_PROVED: say(
        "台账记已退款,银行无此收据:查验收据,未到账不得销账",
        "we have it as paid back, the bank knows no such receipt: look at it; without money the debt stands",
    ),
    DifferenceKind.REPAYMENT_DIFFERS: say(
        "同一收据的退款金额与银行不一致", "what we booked under this receipt is not what came in under it"
    ),
    DifferenceKind.REPAYMENT_UNKNOWN_TO_US: say(
        "银行已收款,台账无此退款:核实后登记", "money came in that we have not booked: look whose it is, then book it"
    ),
    DifferenceKind.ADVANCE_UNDECIDED: say(
        "先行支付后逾期未决定:尽快决定,或追回", "paid first, and not decided within its limit: decide, or ask it back"
    ),
    DifferenceKind.DEBT_UNRESOLVED: say(
        "追回逾期终结,款未退亦未核销:另行追讨,或报请核销",
        "the recovery has ended without the money, and nobody gave it up: claim it by other means, or have it written off",
    ),
    DifferenceKind.BY_HAND_NOT_PROVED: say(
        "台账记已另行发放,财政无此凭证:查验凭证,向领取人核实",
        "we have it as paid by hand, the treasury has no such voucher: look at it, and ask the payee",
    ),
    DifferenceKind.BY_HAND_DIFFERS: say(
        "同一凭证的另行发放金额与财政不一致", "what we booked under this voucher is not what was paid out under it"
    ),
    DifferenceKind.VOUCHER_UNKNOWN_TO_US: say(
        "财政已另行支付,台账无此凭证:核实后登记",
        "paid out by hand, and not booked by us: look whose it is, then book it",
    ),
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
    """One entitlement that is not as it should be: how much stands on each side, and what is the matter.

    Of money that came back, `entitlement` is the number of its receipt.
    """

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


class RecoveryEntry(Model):
    """An entry of a recovery's chain, of RECOVERY_KINDS. `by`: the role that gave it."""

    case_id: str
    seq: int
    kind: str
    month: Month
    amount_fen: int
    receipt: str | None = None
    by: str = ""


class StatedRepayment(Model):
    """Money that we have as paid back in the month, and by whose word. `proved` None: the bank says nothing of what comes in."""

    case_id: str
    seq: int
    receipt: str
    amount_fen: int
    by: str
    proved: bool | None


class Recoveries(Model):
    """What of the money that was paid too much was asked back, came back and was given up in the month.

    `not_proved_fen`: what of it came back by our own word alone.
    """

    asked: int = 0
    asked_fen: int = 0
    repaid: int = 0
    repaid_fen: int = 0
    not_proved_fen: int = 0
    written_off: int = 0
    written_off_fen: int = 0
    unresolved: int = 0
    unresolved_fen: int = 0


class Advance(Model):
    """Money that was paid first, and is not decided though the limit of its case has passed."""

    case_id: str
    keys: tuple[str, ...]
    amount_fen: int


class Reconciliation(Model):
    """What came of a month. Without differences both sums are the same, to the fen and to the payment.

    `repayments`: each that was booked in the month, and whether the bank knows it. `by_hand`: what was paid by hand, beside these
    sums; `by_hand_not_proved_fen` of it by our own word alone.
    """

    month: Month
    ours: int
    ours_fen: int
    bank: int
    bank_fen: int
    differences: tuple[Difference, ...]
    recoveries: Recoveries = Recoveries()
    repayments: tuple[StatedRepayment, ...] = ()
    by_hand: int = 0
    by_hand_fen: int = 0
    by_hand_not_proved_fen: int = 0

    @property
    def even(self) -> bool:
        """Nothing is left for a person."""
        return not self.differences


class LedgerPayment(Model):
    """An entry of our books, as the ledger has it: PAID_CODE or RETURNED_CODE (schemas/contracts/payment.py).

    `entitlement`, `voucher`: of a payment by hand.
    """

    case_id: str
    seq: int
    kind: str
    key: str
    amount_fen: int
    bank_reference: str | None = None
    entitlement: str | None = None
    voucher: str | None = None

    @property
    def code(self) -> str:
        """What it is, without the name of its procedure."""
        return self.kind.partition(":")[2]


def booked(entries: Iterable[LedgerPayment]) -> list[OurPayment]:
    """Our payments by the bank, from the entries of their cases. What was paid by hand: `reconciliation_by_hand`.

    A return takes back the latest payment under its key in the same case; one that takes back nothing is nothing.
    """
    standing: dict[tuple[str, str], list[OurPayment]] = defaultdict(list)
    for entry in sorted(entries, key=lambda each: (each.case_id, each.seq)):
        if not is_payment_key(entry.key):
            continue
        payments = standing[entry.case_id, entry.key]
        if entry.code == PAID_CODE:
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


# ---- what comes back --------------------------------------------------------------------------------------------------


def with_recoveries(
    found: Reconciliation,
    entries: Sequence[RecoveryEntry],
    receipts: Mapping[Month, Sequence[ReceiptLine]] | None,
    advances: Sequence[Advance],
) -> Reconciliation:
    """The same, with what was asked back, came back and was given up in the month, and what is the matter with it.

    `entries`: those of the month, and every repayment under a receipt of it. `receipts` by month, the month before too, since
    what comes in on a last day is booked on a first; None: the bank says nothing of what comes in.
    """
    of_month = [entry for entry in entries if entry.month == found.month]
    known = None if receipts is None else {line.receipt: line for lines in receipts.values() for line in lines}
    repayments = tuple(
        StatedRepayment(
            case_id=entry.case_id,
            seq=entry.seq,
            receipt=entry.receipt or "",
            amount_fen=entry.amount_fen,
            by=entry.by,
            proved=None if known is None else entry.receipt in known,
        )
        for entry in of_month
        if entry.kind == REPAID_PART_KIND
    )
    asked = [entry.amount_fen for entry in of_month if entry.kind == DEMANDED_KIND]
    given_up = [entry.amount_fen for entry in of_month if entry.kind == WRITTEN_OFF_KIND]
    unresolved = [entry for entry in of_month if entry.kind == UNRESOLVED_KIND]
    recoveries = Recoveries(
        asked=len(asked),
        asked_fen=sum(asked),
        repaid=len(repayments),
        repaid_fen=sum(each.amount_fen for each in repayments),
        not_proved_fen=sum(each.amount_fen for each in repayments if not each.proved),
        written_off=len(given_up),
        written_off_fen=sum(given_up),
        unresolved=len(unresolved),
        unresolved_fen=sum(entry.amount_fen for entry in unresolved),
    )
    booked_by_receipt: dict[str, list[RecoveryEntry]] = defaultdict(list)
    for entry in entries:
        if entry.kind in _COME_IN:
            booked_by_receipt[entry.receipt or ""].append(entry)
    differences = [*found.differences]
    if known is not None and receipts is not None:
        booked = {entry.receipt or "" for entry in of_month if entry.kind in _COME_IN}
        of_the_month = {line.receipt for line in receipts.get(found.month, ())} | booked
        told = [_of_receipt(each, booked_by_receipt[each], known.get(each)) for each in sorted(of_the_month)]
        differences += [difference for difference in told if difference is not None]
    differences += [_undecided(advance) for advance in advances]
    differences += [_unresolved(entry) for entry in unresolved]
    return found.model_copy(
        update={"recoveries": recoveries, "repayments": repayments, "differences": tuple(differences)}
    )


def _of_receipt(receipt: str, booked: Sequence[RecoveryEntry], line: ReceiptLine | None) -> Difference | None:
    """What is the matter with what came in under one receipt."""
    ours, theirs = sum(entry.amount_fen for entry in booked), 0 if line is None else line.amount_fen
    if ours == theirs:
        return None
    kind = DifferenceKind.REPAYMENT_DIFFERS
    if line is None:
        kind = DifferenceKind.REPAYMENT_NOT_PROVED
    elif not booked:
        kind = DifferenceKind.REPAYMENT_UNKNOWN_TO_US
    return Difference(
        entitlement=receipt,
        kinds=(kind,),
        case_ids=tuple(sorted({entry.case_id for entry in booked})),
        payment_keys=(),
        bank_references=() if line is None else (receipt,),
        ours_fen=ours,
        bank_fen=theirs,
    )


def _unresolved(entry: RecoveryEntry) -> Difference:
    return Difference(
        entitlement=entry.case_id,
        kinds=(DifferenceKind.DEBT_UNRESOLVED,),
        case_ids=(entry.case_id,),
        payment_keys=(),
        bank_references=(),
        ours_fen=entry.amount_fen,
        bank_fen=0,
    )


def _undecided(advance: Advance) -> Difference:
    return Difference(
        entitlement=entitlement_of(advance.keys[0]),
        kinds=(DifferenceKind.ADVANCE_UNDECIDED,),
        case_ids=(advance.case_id,),
        payment_keys=advance.keys,
        bank_references=(),
        ours_fen=advance.amount_fen,
        bank_fen=advance.amount_fen,
    )
