"""What a partnership must never do: break somebody on one word, renew itself, give a room to kin, or hide what a side owes."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import httpx
import pytest

from schemas.clocks.calendar import SHANGHAI
from schemas.kernel.visibility import OPEN_TO_PARTNERS, Sight, involved_as, may_see, party_code, shown_facts
from schemas.partnership import PARTNERSHIP
from schemas.partnership_state import PartnershipState
from schemas.parts.agreed import Side
from schemas.parts.duty_board import lines_of
from schemas.values.actor import Actor, Role
from schemas.values.references import WITHHELD
from tests.api_driver import ApiDriver, Step, Walk, examples
from tests.bench_api import bench_door
from tests.case_bench import CaseBench, case_bench

pytestmark = pytest.mark.timeout(240)

NOW = datetime(2026, 6, 1, 9, tzinfo=SHANGHAI)
LET_ON = {"ground": "sublet", "reason": "房屋转租他人经营"}


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[CaseBench]:
    """A bench of its own."""
    async with case_bench(tmp_path_factory.mktemp("partnership"), sandbox=False) as opened:
        yield opened


@pytest.fixture
def door(bench: CaseBench) -> ApiDriver:
    """The door of partnerships."""
    return bench_door(bench, PARTNERSHIP)


def walked(name: str) -> Walk:
    """A walk of the examples."""
    found: Walk = next(walk for walk in examples(PARTNERSHIP).WALKS if walk.name == name)
    return found


async def gone(door: ApiDriver, name: str, until: str) -> str:
    """A case that has gone a walk up to the last time of a command, and not that one."""
    walk = walked(name)
    last = max(number for number, step in enumerate(walk.steps) if step.command == until)
    return await door.walk(replace(walk, steps=walk.steps[:last]))


def why(answer: httpx.Response) -> str:
    """Why it is refused, with the fields at fault."""
    assert answer.status_code in {403, 409, 422}, answer.text
    refusal = answer.json()
    return " ".join([refusal["detail"], *(each["reason"] for each in refusal.get("faults", ()))])


def state_of(bench: CaseBench, case_id: str) -> PartnershipState:
    """The case as it stands."""
    state = bench.state(case_id)
    assert isinstance(state, PartnershipState)
    return state


async def test_a_breach_takes_two_people_and_a_hearing(bench: CaseBench, door: ApiDriver) -> None:
    """Not by who proposed it, not before the partner was heard, and not for too many broken duties where there are none."""
    case_id = await gone(door, "room let on", "propose_breach")
    too_often = await door.give(case_id, Step("propose_breach", "committee", {**LET_ON, "ground": "repeated"}))
    await door.go(case_id, [Step("propose_breach", "committee", LET_ON)])
    declared = {"reason": "转租属实"}
    alone = await door.give(case_id, Step("declare_breach", "committee", declared))
    unheard = await door.give(case_id, Step("declare_breach", "street_officer", declared))
    assert "who proposed the breach does not declare it" in why(alone)
    assert "the partner is heard first" in why(unheard)
    assert "the rule for it is not met" in why(too_often)
    await door.go(case_id, [Step("answer_breach", "partner"), Step("declare_breach", "street_officer", declared)])

    assert state_of(bench, case_id).stage == "breached"
    assert bench.tables.facts(case_id)[-1]["heard"] is True


async def test_nothing_renews_by_itself(bench: CaseBench, door: ApiDriver) -> None:
    """One side has proposed it and the other says nothing: the term ends, and the partnership with it."""
    case_id = await gone(door, "a renewal objected to", "agree_renewal")
    own = await door.give(case_id, Step("agree_renewal", "committee", {}))
    await bench.until_ended(case_id)
    kinds = bench.tables.kinds(case_id)

    assert own.status_code == 403
    assert kinds.count("partnership:term_begun") == 1
    assert kinds.count("partnership:lapsed") == 1
    assert kinds.index("partnership:lapsed") < kinds.index("partnership:unresolved")


@pytest.mark.parametrize("change", ["kin", "dear"])
async def test_kin_and_a_dear_space_are_for_the_households(door: ApiDriver, change: str) -> None:
    """No officer chooses, whatever the points: the refusal says that it needs a ballot."""
    walk = walked("kin of the committee")
    [offer, apply_for, *rest] = walk.steps
    if change == "dear":
        plain = {"name": "陈家咖啡", "plan": "每日营业", "kin": False}
        offer, apply_for = _dearer(offer), replace(apply_for, body=plain)
    case_id = await door.walk(replace(walk, steps=(offer, apply_for, *rest[:-1])))
    refused = await door.give(case_id, Step("choose", "committee", {"application": 1}))

    assert "ballot of the households" in why(refused)


def _dearer(offer: Step) -> Step:
    async def body(door: ApiDriver, case_id: str, by: str) -> dict[str, Any]:
        usual = door.examples.BODIES["offer"]
        return {**await usual(door, case_id, by), "worth_fen": 5_000_001}

    return replace(offer, body=body)


async def test_no_room_is_offered_without_its_owner(door: ApiDriver) -> None:
    """A firm gets a space by its number, and whose it is has agreed in writing."""
    case_id = await door.start(body={**examples(PARTNERSHIP).REPORT, "space": None})
    nothing = await door.give(case_id, Step("offer", "committee", {"worth_fen": 1000}))
    no_owner = await door.give(case_id, Step("offer", "committee", {"worth_fen": 1000, "space": "A-102"}))

    assert "it has no number" in why(nothing)
    assert "the owner of the space has not agreed" in why(no_owner)


async def test_both_sides_stand_on_the_board_without_persons(bench: CaseBench, door: ApiDriver) -> None:
    """What each owes and how often it kept that; no account, no text and no number of the vault."""
    case_id = await gone(door, "one sitting made good", "accept_duty")
    lines = lines_of(state_of(bench, case_id))
    shown = json.dumps([each.model_dump(mode="json") for each in lines])

    assert {each.side for each in lines} == set(Side)
    assert {each.duty: each.kept for each in lines}["room"] == 1
    assert {each.duty: each.standing_zh for each in lines}["sittings"] == "待认可"
    assert not any(word in shown for word in ("text:", "person:", "partner-chen", "committee-yu"))


@pytest.mark.parametrize(
    ("involved", "sees"),
    [
        (frozenset(), False),
        (frozenset({OPEN_TO_PARTNERS}), True),
        (frozenset({party_code("partner-chen")}), True),
        (frozenset({party_code("partner-lin")}), False),
        (frozenset({"partner-chen"}), False),
    ],
)
def test_a_partner_sees_what_is_offered_and_what_is_their_own(involved: frozenset[str], sees: bool) -> None:  # noqa: FBT001
    """Wherever it lies; of agreements of others, of reports and of a department's cases nothing."""
    partner = Actor(subject="partner-chen", role=Role.PARTNER)
    sight = Sight(area="320104.003", reporter_subject=None, departments=involved)

    assert may_see(sight, partner) is sees
    assert set(involved_as(partner) or ()) == {OPEN_TO_PARTNERS, "partner:partner-chen"}


def test_rivals_do_not_read_each_other() -> None:
    """What somebody offers is for who decides; a partner reads that somebody applied."""
    facts = {"name": "text:1", "plan": "text:2", "application": 1}
    partner, officer = (Actor(subject="a", role=role) for role in (Role.PARTNER, Role.COMMITTEE_OFFICER))

    assert shown_facts("partnership:applied", facts, partner) == {"name": WITHHELD, "plan": WITHHELD, "application": 1}
    assert shown_facts("partnership:applied", facts, officer) == facts
