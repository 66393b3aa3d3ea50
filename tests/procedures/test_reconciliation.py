"""对账: whatever differs between our books and the bank's is found, and nothing else; and both sums say the same of it."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.contracts.payment import PAID_CODE, RETURNED_CODE, PayStatus, StatementLine, entitlement_of, payment_key
from schemas.contracts.reconciliation import (
    WORDS,
    Difference,
    DifferenceKind,
    LedgerPayment,
    OurPayment,
    booked,
    reconcile,
)
from tests.department_town import NOON
from tests.outside_town import person

MONTH = "2026-12"
PAID_KIND, RETURNED_KIND = f"grove:{PAID_CODE}", f"grove:{RETURNED_CODE}"
"""Of a procedure that nobody has: the books go by what the part says."""


def key(who: int, attempt: int = 1) -> str:
    """A payment's key."""
    return payment_key(person(f"{who}"), "subsistence-allowance", MONTH, attempt)


def ours(who: int, fen: int = 100, *, attempt: int = 1, returned: bool = False, case: int | None = None) -> OurPayment:
    """A payment in our books."""
    number = who if case is None else case
    return OurPayment(
        case_id=f"welfare-20261123-{number:06d}", payment_key=key(who, attempt), amount_fen=fen, returned=returned
    )


def line(who: int, fen: int = 100, *, attempt: int = 1, returned: bool = False, twice: bool = False) -> StatementLine:
    """A movement in the bank's books."""
    return StatementLine(
        payment_key=key(who, attempt),
        amount_fen=fen,
        status=PayStatus.RETURNED if returned else PayStatus.PAID,
        bank_reference=f"B{who}.{attempt}{'-2' if twice else ''}",
        at=NOON,
    )


@pytest.mark.parametrize(
    ("our_side", "bank_side", "kinds"),
    [
        ([ours(1)], [line(1)], []),
        ([], [], []),
        ([], [line(1, returned=True)], []),
        ([ours(1, returned=True)], [line(1, returned=True)], []),
        ([ours(1, returned=True), ours(1, attempt=2)], [line(1, returned=True), line(1, attempt=2)], []),
        ([ours(1)], [], ["missing_at_bank"]),
        ([], [line(1)], ["unknown_to_us"]),
        ([ours(1)], [line(1, 101)], ["amount_differs"]),
        ([ours(1)], [line(1, returned=True)], ["returned_at_bank"]),
        ([ours(1, returned=True)], [line(1)], ["not_returned_at_bank"]),
        ([ours(1, returned=True)], [], []),
        ([ours(1)], [line(1), line(1, twice=True)], ["paid_twice"]),
        ([ours(1)], [line(1, returned=True), line(1, twice=True)], []),
        ([ours(1), ours(1, case=2)], [line(1)], ["booked_twice"]),
        ([ours(1), ours(1, attempt=2)], [line(1), line(1, attempt=2)], ["paid_twice", "booked_twice"]),
        ([ours(1, attempt=2)], [line(1), line(1, attempt=2)], ["unknown_to_us", "paid_twice"]),
        ([ours(1, attempt=2)], [line(1)], ["missing_at_bank", "unknown_to_us"]),
    ],
)
def test_each_difference_is_called_what_it_is(
    our_side: list[OurPayment], bank_side: list[StatementLine], kinds: list[str]
) -> None:
    """The table of docs/payments.md, row by row, and what is no difference: what came back on both sides."""
    found = reconcile(MONTH, our_side, bank_side)

    assert [kind.value for each in found.differences for kind in each.kinds] == kinds
    assert found.even is (not kinds)


PEOPLE = st.integers(1, 4)
AMOUNTS = st.integers(1, 3)
ATTEMPTS = st.integers(1, 3)
OURS = st.lists(
    st.builds(ours, PEOPLE, AMOUNTS, attempt=ATTEMPTS, returned=st.booleans(), case=st.integers(1, 2)), max_size=8
)
LINES = st.lists(
    st.builds(line, PEOPLE, AMOUNTS, attempt=ATTEMPTS, returned=st.booleans(), twice=st.booleans()), max_size=8
)


@given(our_side=OURS, bank_side=LINES)
def test_even_means_that_the_same_money_stands_on_both_sides_once(
    our_side: list[OurPayment], bank_side: list[StatementLine]
) -> None:
    """No difference exactly when what stands is the same on both sides, key by key, and no entitlement stands twice."""
    standing = sorted((each.payment_key, each.amount_fen) for each in our_side if not each.returned)
    moved = sorted((each.payment_key, each.amount_fen) for each in bank_side if each.status is PayStatus.PAID)
    entitlements = [entitlement_of(each) for each, _ in standing]

    found = reconcile(MONTH, our_side, bank_side)

    assert found.even is (standing == moved and len(set(entitlements)) == len(entitlements))


@given(our_side=OURS, bank_side=LINES)
def test_the_differences_account_for_every_fen(our_side: list[OurPayment], bank_side: list[StatementLine]) -> None:
    """What both sums differ by is what the differences differ by: nothing is lost between them, and none is told twice."""
    found = reconcile(MONTH, our_side, bank_side)

    between = sum(each.ours_fen - each.bank_fen for each in found.differences)
    assert found.ours_fen - found.bank_fen == between
    entitlements = [each.entitlement for each in found.differences]
    assert entitlements == sorted(set(entitlements))


@given(our_side=OURS, bank_side=LINES, seed=st.integers())
def test_the_order_of_the_books_makes_no_difference(
    our_side: list[OurPayment], bank_side: list[StatementLine], seed: int
) -> None:
    """Books read in another order are the same books."""
    shuffled_ours, shuffled_bank = [*our_side], [*bank_side]
    random.Random(seed).shuffle(shuffled_ours)  # noqa: S311 - an order, not a secret
    random.Random(seed).shuffle(shuffled_bank)  # noqa: S311 - an order, not a secret

    assert reconcile(MONTH, shuffled_ours, shuffled_bank) == reconcile(MONTH, our_side, bank_side)


@given(our_side=OURS, bank_side=LINES)
def test_a_difference_of_one_does_not_touch_another(our_side: list[OurPayment], bank_side: list[StatementLine]) -> None:
    """The differences of a town are those of each person taken alone."""

    def of(who: str) -> tuple[Difference, ...]:
        mine = [each for each in our_side if each.payment_key.startswith(who)]
        theirs = [each for each in bank_side if each.payment_key.startswith(who)]
        return reconcile(MONTH, mine, theirs).differences

    keys = [each.payment_key for each in our_side] + [each.payment_key for each in bank_side]
    people = sorted({each.partition(".")[0] for each in keys})
    alone = [difference for who in people for difference in of(who)]

    assert list(reconcile(MONTH, our_side, bank_side).differences) == alone


def entry(seq: int, kind: str, payment: str, case: int = 1) -> LedgerPayment:
    """An entry of the ledger."""
    return LedgerPayment(
        case_id=f"welfare-20261123-{case:06d}", seq=seq, kind=kind, key=payment, amount_fen=100, bank_reference="B1"
    )


def test_our_books_follow_from_the_entries_in_their_order() -> None:
    """A return takes back the payment of its key in its case; what a person paid by hand is not the bank's."""
    entries = [
        entry(9, RETURNED_KIND, key(1)),
        entry(7, PAID_KIND, key(1)),
        entry(12, PAID_KIND, key(1, 2)),
        entry(3, PAID_KIND, "by-hand-4"),
        entry(2, RETURNED_KIND, key(2)),
        entry(5, PAID_KIND, key(1), case=2),
    ]

    assert [(each.case_id[-1], each.payment_key, each.returned) for each in booked(entries)] == [
        ("1", key(1), True),
        ("1", key(1, 2), False),
        ("2", key(1), False),
    ]


def test_every_difference_has_words_for_a_person() -> None:
    """Chinese and English, for each kind."""
    assert set(WORDS) == set(DifferenceKind)
    (difference,) = reconcile(MONTH, [ours(1)], []).differences
    assert difference.words == [WORDS[DifferenceKind.MISSING_AT_BANK]]
