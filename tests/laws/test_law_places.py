"""提案名额: a place in a round is taken by a proposal that is there, and nobody takes all of them (schemas/round_commands.py)."""

from typing import Any, cast

import pytest

from engine.policies.policies import load_policy
from engine.runtime.settings import PROJECT
from local.round_walks import ENTRY
from schemas.round import ROUND
from schemas.round_commands import Submit
from schemas.round_policy import RoundPolicy, RoundTerms
from schemas.round_state import Entrant, RoundState
from schemas.values.actor import Actor, Role, Stamp

TEXT = "text:" + "0" * 26
TERMS: RoundTerms = cast("RoundPolicy", load_policy(ROUND, PROJECT / "policies", ())).terms
OPENING: Any = {"actor": Actor(subject="committee-yu", role=Role.COMMITTEE_OFFICER)}


def entrant(number: int, lead: str, *, over: bool, by: str | None = None) -> Entrant:
    """One that was handed in, for a team of its own, by whoever speaks for it unless it says."""
    stamped: Any = {"actor": Actor(subject=by or lead, role=Role.RESIDENT)}
    team = (lead, f"second-{number}", f"third-{number}")
    said: dict[str, Any] = {"number": number, "team": team, "over": over}
    said["stamp"] = Stamp.model_construct(**stamped)
    return Entrant.model_construct(**said)


def refused(entrants: list[Entrant], **terms: Any) -> list[str]:
    """What is wrong with one more, of resident-he, in a round of two places."""
    said: dict[str, Any] = {
        "terms": TERMS.model_copy(update={"proposals_at_most": 2, **terms}),
        "entrants": entrants,
        "jury": ("juror-1",),
        "cap_fen": 150000,
        "opening": Stamp.model_construct(**OPENING),
    }
    state = RoundState.model_construct(**said)
    body = {**ENTRY, **dict.fromkeys(("need", "plan", "site", "carrier_name", "account"), TEXT)}
    return [fault.reason for fault in Submit.model_validate(body).faults(state)]


def test_what_was_withdrawn_takes_nobodys_place() -> None:
    """However many somebody handed in and withdrew, the next one has a place; those that live take theirs."""
    gone = [entrant(number, f"resident-{number}", over=True) for number in range(1, 60)]

    assert refused(gone) == []
    assert refused([*gone, entrant(60, "resident-x", over=False)]) == []
    full = refused([entrant(60, "resident-x", over=False), entrant(61, "resident-y", over=False)])
    assert ["there are 2, the most" in each for each in full] == [True]


@pytest.mark.parametrize("lead", ["resident-he", "department:urban-management/resident-he"])
def test_nobody_takes_one_place_after_the_other(lead: str) -> None:
    """Three are handed in by one person; the fourth waits for the next round, and others do not."""
    own = [entrant(number, lead, over=True) for number in range(1, 4)]

    assert ["each hands in 3" in each for each in refused(own)] == [True]
    assert refused(own[:2]) == []
    assert refused([entrant(number, "resident-wan", over=True) for number in range(1, 4)]) == []


def test_nobody_is_barred_by_what_others_hand_in_in_their_name() -> None:
    """Entered by staff with somebody as its lead, who never said so and withdrew it, it is no try of theirs."""
    of_staff = [entrant(number, "resident-he", over=True, by="clerk-qian") for number in range(1, 9)]

    assert refused(of_staff) == []
    assert len(refused([*of_staff, *(entrant(number, "resident-he", over=True) for number in range(9, 12))])) == 1


def test_a_round_from_before_counts_nobodys_tries() -> None:
    """Its rules knew no such number: what they took stays right."""
    own = [entrant(number, "resident-he", over=True) for number in range(1, 9)]

    assert refused(own, submissions_at_most=None) == []
    assert RoundTerms.model_validate(TERMS.model_dump(exclude={"submissions_at_most"})).submissions_at_most is None
