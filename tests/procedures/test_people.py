"""What simulated people decide: the same for the same case, one act a round, and nothing that is not theirs."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from local.simulation.townspeople import (
    CLERK,
    COORDINATOR,
    COORDINATOR_HOLDS,
    GRID_WORKERS,
    REFERRALS,
    RESIDENTS,
    Act,
    Happening,
    Matter,
    Whim,
    decide,
    officer,
    whims_of,
)
from schemas.incident import Kind
from schemas.incident_state import Stage
from schemas.kernel.entries import EntryKind

NOON = datetime(2026, 11, 23, 12, tzinfo=timezone(timedelta(hours=8)))
DESKS = frozenset({"coordination-centre"})
GRID_WORKER, RESIDENT = GRID_WORKERS[0], RESIDENTS[0]
URBAN = officer("urban-management")
TO_THE_FINISH = (Kind.REPORTED, Kind.DISPATCHED, Kind.SIGNED, Kind.FINISHED)


def happenings(*kinds: EntryKind | tuple[EntryKind, dict[str, Any]]) -> list[Happening]:
    """One entry an hour."""
    pairs = [kind if isinstance(kind, tuple) else (kind, {}) for kind in kinds]
    return [Happening(kind, NOON + timedelta(hours=hour), facts) for hour, (kind, facts) in enumerate(pairs)]


def matter(stage: Stage, *kinds: EntryKind | tuple[EntryKind, dict[str, Any]], **changes: Any) -> Matter:
    """A case at a stage, after these entries, as usual unless said otherwise."""
    fields: dict[str, Any] = {
        "case_id": "incident-20261123-000001",
        "stage": stage,
        "holder": "",
        "department": "urban-management",
        "area": GRID_WORKER.area,
        "urgency": "ordinary",
        "on_behalf": False,
        "description": "小区垃圾堆积未清理〔人物:照常〕〔剧本:按时〕",
        "happenings": happenings(*kinds),
    }
    return Matter(**(fields | changes))


def directed(*whims: Whim) -> str:
    """A description with a stage direction for people."""
    return f"小区垃圾堆积未清理〔人物:{';'.join(whims)}〕〔剧本:按时〕"


def act_of(found: Act | None) -> Act:
    assert found is not None, "an act was expected"
    return found


NOT_SOLVED = (Kind.RATED, {"solved": "not"})


def test_a_case_goes_the_same_way_however_often_it_is_looked_at() -> None:
    """Decisions come from the number of the case and its entries, never from chance."""
    case = matter(Stage.VERIFYING, *TO_THE_FINISH, description="路灯不亮", case_id="incident-20261123-000042")

    assert len({repr(decide(GRID_WORKER, case, DESKS)) for _ in range(20)}) == 1


def test_most_cases_go_as_usual_and_some_do_not() -> None:
    """Without a story about one case in ten has something out of the ordinary; never all, never none."""
    whims = [whims_of(f"incident-20261123-{number:06d}", "路灯不亮") for number in range(1000)]
    odd = [found for found in whims if found]

    assert 50 <= len(odd) <= 150
    assert {whim for found in odd for whim in found} == {Whim.FAILS_VERIFICATION, Whim.NOT_SOLVED_ONCE}


@pytest.mark.parametrize("text", ["〔人物:胡言乱语〕", "〔人物:〕", "〔人物:照常〕", "〔人物:照常〕〔剧本:沉默〕"])
def test_words_that_nobody_knows_are_only_text(text: str) -> None:
    """Anybody may write anything into a report: an unknown word neither stops the people nor changes what they do."""
    assert whims_of("incident-20261123-000001", f"路灯不亮{text}") == frozenset()


def test_verification_fails_once_and_passes_in_the_next_round() -> None:
    """A failed verification is told to fail in the first round only, with a reason; each round is an act of its own."""
    description = directed(Whim.FAILS_VERIFICATION)
    first = act_of(decide(GRID_WORKER, matter(Stage.VERIFYING, *TO_THE_FINISH, description=description), DESKS))
    again = (*TO_THE_FINISH, Kind.VERIFICATION_FAILED, Kind.FINISHED)
    second = act_of(decide(GRID_WORKER, matter(Stage.VERIFYING, *again, description=description), DESKS))

    assert (first.body["passed"], bool(first.body["reason"]), first.round) == (False, True, 1)
    assert (second.body, second.round) == ({"passed": True}, 2)


@pytest.mark.parametrize(
    ("whim", "answers"),
    [(Whim.NOT_SOLVED_ONCE, ["not", "solved"]), (Whim.NOT_SOLVED_TWICE, ["not", "not", "solved"])],
)
def test_a_resident_says_not_solved_as_often_as_told(whim: Whim, answers: list[str]) -> None:
    """Not solved once or twice, then solved: counted from the ratings in the timeline, so a restart changes nothing."""
    entries: list[Any] = [*TO_THE_FINISH, Kind.VERIFIED]
    given = []
    for _ in answers:
        case = matter(Stage.CALLING_BACK, *entries, description=directed(whim))
        act = act_of(decide(RESIDENT, case, DESKS))
        given.append((act.body["solved"], act.round))
        entries += [NOT_SOLVED, Kind.FINISHED, Kind.VERIFIED]

    assert given == [(answer, round_) for round_, answer in enumerate(answers, start=1)]


def test_the_clerk_calls_who_has_no_account_and_leaves_the_others_three_days() -> None:
    """A case entered on behalf of somebody is rated by the clerk, soon; one of an account only after three days."""
    entries = (*TO_THE_FINISH, Kind.VERIFIED)
    own = matter(Stage.CALLING_BACK, *entries)
    on_behalf = matter(Stage.CALLING_BACK, *entries, on_behalf=True)
    verified_at = own.happenings[-1].at

    assert decide(RESIDENT, on_behalf, DESKS) is None
    assert act_of(decide(CLERK, on_behalf, DESKS)).due - verified_at < timedelta(hours=1)
    assert act_of(decide(CLERK, own, DESKS)).due - verified_at >= timedelta(days=3)
    assert act_of(decide(RESIDENT, own, DESKS)).due - verified_at < timedelta(hours=1)


def test_the_coordinator_sends_a_returned_case_elsewhere_and_rules_on_the_second_return() -> None:
    """The first return is sent on to the department it is referred to; the second is ruled on, which binds."""
    once = matter(Stage.RETURNED, Kind.REPORTED, Kind.DISPATCHED, Kind.RETURNED)
    kinds = (Kind.REPORTED, Kind.DISPATCHED, Kind.RETURNED, Kind.REDISPATCHED, Kind.RETURNED)
    twice = matter(Stage.RETURNED, *kinds, department="ecology-environment")
    first, second = (act_of(decide(COORDINATOR, each, DESKS)) for each in (once, twice))

    assert (first.command, first.body["department"]) == ("redispatch", REFERRALS["urban-management"])
    assert (second.command, second.body["department"]) == ("arbitrate", REFERRALS["ecology-environment"])
    assert first.round != second.round


def test_the_coordinator_takes_over_only_what_the_tiers_have_brought() -> None:
    """An order that nobody answers is another's as long as the tiers climb; then the coordinator sends it on."""
    kinds = (Kind.REPORTED, Kind.DISPATCHED)
    late = matter(Stage.DISPATCHED, *kinds, holder="district_office")
    brought = matter(Stage.DISPATCHED, *kinds, holder=COORDINATOR_HOLDS)

    assert decide(COORDINATOR, late, DESKS) is None
    assert act_of(decide(COORDINATOR, brought, DESKS)).command == "redispatch"


def test_where_no_grid_worker_walks_the_coordinator_verifies() -> None:
    """A case without a place is verified by the coordinator, one with a place by the grid worker who walks there."""
    here = matter(Stage.VERIFYING, *TO_THE_FINISH)
    nowhere = matter(Stage.VERIFYING, *TO_THE_FINISH, area="unassigned")

    assert decide(COORDINATOR, here, DESKS) is None
    assert act_of(decide(COORDINATOR, nowhere, DESKS)).command == "verify"


def test_a_department_with_a_system_never_works_at_the_desk() -> None:
    """Its own system signs and finishes, and what is sent back comes to the same system as rework."""
    entries = (Kind.REPORTED, Kind.DISPATCHED, Kind.SIGNED)
    back = (*entries, Kind.FINISHED, Kind.VERIFICATION_FAILED)

    assert decide(URBAN, matter(Stage.DISPATCHED, *entries[:2]), DESKS) is None
    assert decide(URBAN, matter(Stage.HANDLING, *entries), DESKS) is None
    assert decide(URBAN, matter(Stage.HANDLING, *back), DESKS) is None


def test_a_desk_signs_and_finishes_and_each_return_to_it_is_a_round_of_its_own() -> None:
    """A department without a system does all through the API; every time a case comes back is a new round."""
    desk = officer("coordination-centre")
    entries = (Kind.REPORTED, Kind.DISPATCHED)
    sign = act_of(decide(desk, matter(Stage.DISPATCHED, *entries, department="coordination-centre"), DESKS))
    rounds = [
        act_of(decide(desk, matter(Stage.HANDLING, *entries, Kind.SIGNED, *more), DESKS)).round
        for more in ((), (Kind.FINISHED, Kind.VERIFICATION_FAILED), (Kind.FINISHED, Kind.VERIFIED, NOT_SOLVED))
    ]

    assert sign.command == "sign"
    assert rounds[0] < rounds[1]
    assert rounds[0] < rounds[2]


def test_where_a_story_says_so_nobody_acts_at_any_stage() -> None:
    """Neither the desk, nor the coordinator when the case has become theirs: it is left to its clocks."""
    ignored = directed(Whim.NOBODY_ACTS)
    theirs = matter(Stage.DISPATCHED, *TO_THE_FINISH[:2], description=ignored, holder="role:coordinator")
    verifying = matter(Stage.VERIFYING, *TO_THE_FINISH, description=ignored)

    assert decide(COORDINATOR, theirs, DESKS) is None
    assert decide(GRID_WORKER, verifying, DESKS) is None


def test_nobody_acts_on_a_case_that_is_over() -> None:
    """At the final stages nobody has anything to do, unless a story says that it is reopened, and then once."""
    over = (*TO_THE_FINISH, Kind.VERIFIED, Kind.RATED, Kind.CLOSED)
    everybody = (RESIDENT, GRID_WORKER, COORDINATOR, CLERK, URBAN, officer("coordination-centre"))
    reopening = directed(Whim.REOPENED)
    again = (*over, Kind.REOPENED, Kind.SIGNED, Kind.FINISHED, Kind.VERIFIED, Kind.RATED, Kind.CLOSED)

    assert [decide(person, matter(Stage.CLOSED, *over), DESKS) for person in everybody] == [None] * 6
    assert act_of(decide(RESIDENT, matter(Stage.CLOSED, *over, description=reopening), DESKS)).command == "reopen"
    assert decide(RESIDENT, matter(Stage.CLOSED, *again, description=reopening), DESKS) is None
