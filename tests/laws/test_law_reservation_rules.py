"""What stands in the way of what: the rules of reservations, without a town."""

import itertools
from types import SimpleNamespace
from typing import Any

import pytest

from schemas.contracts.reservation import Claim, Hold, Occasion, ReservedCase, in_the_way, taken
from schemas.welfare import WELFARE
from schemas.welfare_reservations import claims_of
from schemas.welfare_state import LIVING, WelfareState

ME, HER, CHILD = "b/me", "b/her", "b/child"
DECIDED = (Occasion.DECIDED, Occasion.TAKEN)
MINE = (Claim(key=ME, hold=Hold.OWN), Claim(key=HER, hold=Hold.NAMED))


def of(key: str, hold: Hold, case_id: str = "other", place: int = 2) -> ReservedCase:
    return ReservedCase(case_id=case_id, key=key, hold=hold, place=place)


def met(*others: ReservedCase, occasion: Occasion, place: int | None = 1, held: dict[str, Hold] | None = None) -> bool:
    return bool(in_the_way(MINE, others, place, occasion, held or {}))


@pytest.mark.parametrize(
    ("hold", "firm"),
    [(Hold.OWN, True), (Hold.CONSENTED, True), (Hold.COUNTED, False), (Hold.NAMED, False), (Hold.STATED, False)],
)
def test_at_the_door_only_who_has_it_or_consented_stands_in_the_way(hold: Hold, *, firm: bool) -> None:
    """Of the applicant; of the household nothing is asked at the door."""
    assert met(of(ME, hold), occasion=Occasion.DOOR, place=None) is firm
    assert met(of(HER, hold), occasion=Occasion.DOOR, place=None) is False


@pytest.mark.parametrize("occasion", [Occasion.DOOR, Occasion.SURE])
def test_whose_own_is_only_stated_meets_who_has_it_and_nobody_else(occasion: Occasion) -> None:
    """Of two who only say so both are taken; of one who is sure and one who says so, the sure one stands in the way."""
    says = (Claim(key=ME, hold=Hold.STATED),)

    assert in_the_way(says, [of(ME, Hold.OWN)], None, occasion, {}) == ("other",)
    assert in_the_way(says, [of(ME, Hold.STATED)], None, occasion, {}) == ()


def test_an_unknown_account_has_its_own_application_for_itself_and_bars_nobody() -> None:
    """The benefit is stated; what nobody else can have is the benefit by this very account."""
    me = f"person:{'A':0>26}"
    state = state_with(benefit="b", reserves=("b",), reporter=me, members=(), reporter_subject="resident-1")
    other = state.model_copy(update={"reporter_subject": "resident-2"})
    (stated, mine), (_, theirs) = claims_of(state, sure=False), claims_of(other, sure=False)

    assert (stated.key, stated.hold, mine.hold) == (f"b/{me}", Hold.STATED, Hold.OWN)
    assert mine.key != theirs.key


@pytest.mark.parametrize("occasion", DECIDED)
@pytest.mark.parametrize(("key", "hold"), list(itertools.product((ME, HER), Hold)))
def test_when_it_is_decided_all_but_the_named_and_the_stated_stand_in_the_way(
    occasion: Occasion, key: str, hold: Hold
) -> None:
    """Whoever it is of the household, and whichever came first."""
    firm = hold not in (Hold.NAMED, Hold.STATED)

    assert met(of(key, hold, place=0), occasion=occasion) is firm
    assert met(of(key, hold, place=9), occasion=occasion) is firm
    assert met(of(CHILD, hold), occasion=occasion) is False


@pytest.mark.parametrize("occasion", DECIDED)
def test_of_two_that_stand_on_each_other_exactly_one_goes_on(occasion: Occasion) -> None:
    """The earlier one, whichever asks; a case without a place comes last."""
    hers = (Claim(key=HER, hold=Hold.OWN), Claim(key=ME, hold=Hold.NAMED))
    mine_stands = [
        ReservedCase(case_id="mine", key=each.key, hold=each.hold, place=1 + n) for n, each in enumerate(MINE)
    ]
    hers_stands = [
        ReservedCase(case_id="hers", key=each.key, hold=each.hold, place=3 + n) for n, each in enumerate(hers)
    ]

    assert in_the_way(MINE, hers_stands, 1, occasion, {}) == ()
    assert in_the_way(hers, mine_stands, 3, occasion, {}) == ("mine",)
    assert in_the_way(MINE, hers_stands, None, occasion, {}) == ("hers",)


@pytest.mark.parametrize("occasion", DECIDED)
def test_who_counted_before_they_came_by_themselves_does_not_stop_the_household(occasion: Occasion) -> None:
    """It was decided with them; they meet it, and it does not meet them."""
    assert met(of(HER, Hold.OWN), occasion=occasion, held={HER: Hold.COUNTED}) is False
    assert met(of(HER, Hold.OWN, place=0), occasion=occasion, held={HER: Hold.COUNTED}) is True


def test_every_case_in_the_way_is_named_once() -> None:
    """All of them, in order, however many keys they share."""
    others = [of(ME, Hold.COUNTED, "c"), of(HER, Hold.OWN, "a"), of(ME, Hold.OWN, "a"), of(HER, Hold.NAMED, "b")]

    assert in_the_way(MINE, others, 1, Occasion.DECIDED, {}) == ("a", "c")


def test_a_decision_makes_count_whoever_was_named_and_weakens_nobody() -> None:
    """The applicant holds it as before."""
    assert [claim.hold for claim in taken((*MINE, Claim(key=CHILD, hold=Hold.CONSENTED)))] == [
        Hold.OWN, Hold.COUNTED, Hold.CONSENTED,
    ]  # fmt: skip


def state_with(**known: Any) -> WelfareState:
    """A state of which only this is known."""
    return WelfareState.model_construct(**known)


def test_every_word_that_grants_asks_and_makes_count() -> None:
    """Each command that brings a case from undecided to paying, of those that are there and those to come."""
    grants = {
        rule.command
        for rule in WELFARE.rules
        if set(rule.to) & set(LIVING) and not set(rule.at) <= set(LIVING) and rule.command in WELFARE.commands
    }
    state = state_with(rules=SimpleNamespace(pay_first_fen=0))

    assert grants
    assert WELFARE.reserves is not None
    assert {command: WELFARE.reserves.occasion(state, command, None) for command in grants} == dict.fromkeys(
        grants, Occasion.TAKEN
    )


def test_a_household_claims_everybody_once_and_the_applicant_firmly() -> None:
    """Each benefit that is held, of each person; whoever is named beside themselves is still the applicant."""
    me, her = f"person:{'A':0>26}", f"person:{'B':0>26}"
    state = state_with(benefit="b", reserves=("b", "a+b"), reporter=me, members=(her, me, her))

    assert {claim.key: claim.hold for claim in claims_of(state, sure=True)} == {
        f"b/{me}": Hold.OWN, f"a+b/{me}": Hold.OWN, f"b/{her}": Hold.NAMED, f"a+b/{her}": Hold.NAMED,
    }  # fmt: skip
    assert len(claims_of(state, sure=True)) == 4
    before = state_with(benefit="b", reserves=(), reporter=me, members=())
    assert [claim.key for claim in claims_of(before, sure=True)] == [f"b/{me}"]
