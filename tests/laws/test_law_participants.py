"""The law of seats: a row is for who has a seat of its kind in this very case, as long as they have it; for nobody by role alone.

And of an audience: an entry is for those whom it names, by side, kind of seat or role, and says nothing to anybody else.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from schemas.clocks.calendar import SHANGHAI
from schemas.kernel.case import Entry
from schemas.kernel.participants import AUDIENCE, Participant, hears, kind_code, role_code, side_code
from schemas.kernel.parties import seated
from schemas.kernel.visibility import CONFIDENTIAL, Sight, may_see, unheard
from schemas.parts.participants import MEDIATOR, PARTY, ParticipantsState
from schemas.values.actor import OWN_CASES_ONLY, Actor, Role
from schemas.values.references import WITHHELD

NOW = datetime(2026, 3, 9, 9, tzinfo=SHANGHAI)
LEFT = Participant(number=3, kind=MEDIATOR, subject="lu", left_at=NOW)
SEATS = (
    Participant(number=1, kind=PARTY, subject="he", side="a"),
    Participant(number=2, kind=PARTY, subject="qin", side="b1"),
    LEFT,
    Participant(number=4, kind=MEDIATOR, subject="chen"),
    Participant(number=5, kind=PARTY, side="b2"),
)


def case() -> ParticipantsState:
    """One between three sides, of whom one has no account; a mediator has left."""
    known: dict[str, Any] = {"participants": list(SEATS), "area": "320104.003"}
    return ParticipantsState.model_construct(**known)


def somebody(subject: str, role: Role = Role.RESIDENT) -> Actor:
    return Actor(subject=subject, role=role)


@dataclass(frozen=True)
class Granted:
    """Who may act under which row."""

    role: Role
    kind: str
    subject: str
    granted: bool


@pytest.mark.parametrize(
    "given",
    [
        Granted(Role.RESIDENT, PARTY, "he", granted=True),
        Granted(Role.RESIDENT, PARTY, "li", granted=False),
        Granted(Role.RESIDENT, MEDIATOR, "he", granted=False),
        Granted(Role.MEDIATOR, MEDIATOR, "chen", granted=True),
        Granted(Role.MEDIATOR, MEDIATOR, "lu", granted=False),
        Granted(Role.MEDIATOR, MEDIATOR, "gu", granted=False),
    ],
    ids=str,
)
def test_a_seat_is_ones_own_and_of_its_kind(given: Granted) -> None:
    """Neither the role nor another seat is enough, and whoever has left has none."""
    by = seated(given.role, given.kind)

    assert by.covers(case(), somebody(given.subject, given.role)) is given.granted


def test_nobody_is_whoever_has_no_account() -> None:
    """A seat without an account is covered by no subject, also not by an empty one."""
    assert not seated(Role.RESIDENT, PARTY).covers(case(), somebody(""))
    assert case().accounts_on("b2") == ()
    assert case().sides == ("a", "b1", "b2")


@pytest.mark.parametrize("role", sorted(OWN_CASES_ONLY))
def test_an_outsider_sees_where_they_sit_and_nothing_else(role: Role) -> None:
    """Whatever their area is: no case by area, and every one in which they have a seat."""
    sight = Sight(area="320104.003", reporter_subject="he", departments=frozenset(), seated=frozenset({"he", "qin"}))

    assert may_see(sight, Actor(subject="qin", role=role, area="110000"))
    assert not may_see(sight, Actor(subject="li", role=role, area="320104.003"))
    assert not may_see(sight, Actor(subject="li", role=role))


def test_who_works_in_an_area_sees_where_they_sit_too() -> None:
    """A seat elsewhere is seen by who has it; a department sees by what it holds, and by no seat."""
    sight = Sight(area="320104.003", reporter_subject=None, departments=frozenset(), seated=frozenset({"he"}))
    elsewhere: dict[str, Any] = {"area": "320104.004"}

    assert may_see(sight, Actor(subject="he", role=Role.GRID_WORKER, **elsewhere))
    assert not may_see(sight, Actor(subject="li", role=Role.GRID_WORKER, **elsewhere))
    assert not may_see(sight, Actor(subject="he", role=Role.DEPARTMENT_OFFICER, department="tax", **elsewhere))


@pytest.mark.parametrize(
    ("audience", "hearers"),
    [
        ([side_code("a"), kind_code(MEDIATOR)], {"he", "chen"}),
        ([side_code("b1")], {"qin"}),
        ([kind_code(PARTY)], {"he", "qin"}),
        ([role_code(Role.STREET_OFFICER)], {"feng"}),
        ([], set()),
        (None, set()),
        (side_code("a"), set()),
    ],
    ids=str,
)
def test_an_entry_is_heard_by_its_audience_and_nobody_else(audience: Any, hearers: set[str]) -> None:
    """What names no audience is heard by nobody; who has left the seat hears no more."""
    people = {each: somebody(each) for each in ("he", "qin", "chen", "lu", "li")}
    people["feng"] = somebody("feng", Role.STREET_OFFICER)

    assert {name for name, actor in people.items() if hears(audience, actor, case().seats())} == hearers


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ENGINE])
def test_who_does_not_hear_learns_no_more_than_a_clock(role: Role) -> None:
    """Every other fact is withheld; to whoever is in it for their own sake, also what the entry is, who made it, and its clock."""
    facts = {"text": "text:1", "side": "a", AUDIENCE: ["side:a"], "nested": {"amount_fen": 1}, "clock": "whole"}
    known: dict[str, Any] = {
        "kind": "mediation:danger:reported",
        "facts": facts,
        "actor": somebody("sun", Role.COORDINATOR),
    }
    entry: Any = Entry.model_construct(**known)
    shown = unheard(entry, somebody("x", role))

    inside = role in OWN_CASES_ONLY
    assert shown.facts == {name: value if name == "clock" and not inside else WITHHELD for name, value in facts.items()}
    assert (shown.kind == CONFIDENTIAL) is inside
    assert (shown.actor.role is Role.COORDINATOR) is not inside


def test_a_side_is_told_apart_by_who_sits_there() -> None:
    """An agent speaks for a side; who mediates is on none."""
    state = case()
    state.participants.append(Participant(number=6, kind="agent", subject="zhou", side="b2"))

    assert (state.side_of("zhou"), state.side_of("chen"), state.side_of("li")) == ("b2", None, None)
    assert state.all_sides() == ("side:a", "side:b1", "side:b2")
