"""incident 事件处置: each row of the table as a rule, through the public door."""

from typing import Any

import pytest
from temporalio.client import Client

from schemas.incident import INCIDENT
from tests.api_driver import ApiDriver, OpenDoor, Step
from tests.examples.incident import FAILED, FINISHED, NOT_SOLVED, RATED
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("worker")

RETURN = Step("return_order", "officer")
DAYS_PASS = 250_000
"""A speed at which a week is two or three seconds, and the final limit of what came late twenty: time for each step."""
BACK = Step("redispatch", "coordinator", {"department": "urban-management", "reason": "确属城管"})


@pytest.fixture
async def town(door: OpenDoor) -> ApiDriver:
    """A town in which time does not matter: real speed."""
    return await door(INCIDENT)


async def clocks(town: ApiDriver, case_id: str) -> dict[str, dict[str, Any]]:
    return {clock["name"]: clock for clock in (await town.case(case_id))["clocks"]}


async def test_a_report_is_dispatched_at_once_by_the_responsibility_list(town: ApiDriver) -> None:
    """Sanitation goes to the urban management bureau, and the clocks start at dispatch, not when the order is signed."""
    case_id = await town.start()
    shown = await town.case(case_id)
    running = await clocks(town, case_id)

    assert (shown["stage"], shown["department"]) == ("dispatched", "urban-management")
    assert {"sign", "respond", "finish"} == {name for name, clock in running.items() if clock["status"] == "running"}
    assert (await town.kinds(case_id))[:2] == ["incident:reported", "incident:dispatched"]


async def test_a_category_not_on_the_list_goes_to_the_coordination_centre(town: ApiDriver) -> None:
    """What nobody answers for is never lost: the coordination centre gets it."""
    case_id = await town.start(body=town.examples.REPORT | {"category": "外星人登陆"})

    assert (await town.case(case_id))["department"] == "coordination-centre"


async def test_only_the_department_that_holds_the_order_signs(town: ApiDriver) -> None:
    """An officer of another department is refused, whatever the stage."""
    case_id = await town.start()
    answer = await town.give(case_id, Step("sign", "other_officer"))

    assert answer.status_code == 404
    assert (await town.case(case_id))["stage"] == "dispatched"


async def test_a_third_return_is_refused(town: ApiDriver) -> None:
    """At most two returns per case; the refusal says so and what is legal now."""
    case_id = await town.start()
    await town.go(case_id, [RETURN, BACK, RETURN, BACK])
    answer = await town.give(case_id, RETURN)

    assert answer.status_code == 409
    assert answer.json()["type"].endswith("against-the-rules")
    assert "sign" in answer.json()["legal_commands"]


async def test_a_ruling_binds(town: ApiDriver) -> None:
    """After an arbitration the department does not return the order again."""
    case_id = await town.start()
    await town.go(case_id, [RETURN, Step("arbitrate", "coordinator")])
    answer = await town.give(case_id, RETURN)

    assert answer.status_code == 409
    assert "裁定" in answer.text


async def test_a_signed_order_is_returned_only_soon_after_signing(door: OpenDoor) -> None:
    """Two hours after signing the order stays with the department."""
    town = await door(INCIDENT, speed=36_000)
    case_id = await town.start()
    await town.go(case_id, [Step("sign", "officer")])

    async def too_late() -> bool:
        return "return_order" not in (await town.case(case_id, by="officer"))["legal_commands"]

    await eventually(too_late)
    answer = await town.give(case_id, RETURN)

    assert answer.status_code == 409
    assert (await town.case(case_id))["stage"] == "handling"


async def test_a_redispatch_starts_sign_anew_and_lets_finish_go_on(town: ApiDriver) -> None:
    """The new department gets the whole time for signing; the resident's time goes on."""
    case_id = await town.start()
    before = await clocks(town, case_id)
    await town.go(case_id, [RETURN, Step("redispatch", "coordinator")])
    after = await clocks(town, case_id)

    assert after["sign"]["started_at"] > before["sign"]["started_at"]
    assert after["sign"]["due_at"] >= before["sign"]["due_at"]  # the same where the offices are closed now
    assert after["finish"]["due_at"] == before["finish"]["due_at"]
    assert after["finish"]["status"] == "running"


async def test_a_redispatch_to_nobody_is_refused(town: ApiDriver) -> None:
    """A department that the town does not have is a fault of the request, named with its remedy."""
    case_id = await town.start()
    answer = await town.give(case_id, Step("redispatch", "coordinator", {"department": "moon-base", "reason": "?"}))

    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["faults"]] == ["department"]


async def test_arriving_stops_respond_and_nothing_else(town: ApiDriver) -> None:
    """Turning up stops `respond`; the stage stays, `finish` goes on."""
    case_id = await town.start()
    await town.go(case_id, [Step("sign", "officer"), Step("arrive", "officer")])
    now = await clocks(town, case_id)

    assert (now["respond"]["status"], now["finish"]["status"]) == ("stopped", "running")
    assert (await town.case(case_id))["stage"] == "handling"


async def test_nobody_verifies_what_they_finished_themselves(town: ApiDriver) -> None:
    """A coordinator who finished at the desk of the centre does not verify it; a colleague may."""
    people = town.examples.PEOPLE
    body = town.examples.REPORT | {"category": "外星人登陆"}
    case_id = await town.start(body=body)
    same = people["coordinator"].subject
    people["desk"] = type(people["officer"])(same, "department_officer", department="coordination-centre")
    try:
        await town.go(case_id, [Step("sign", "desk"), Step("finish", "desk")])
    finally:
        del people["desk"]
    refused = await town.give(case_id, Step("verify", "coordinator"))
    allowed = await town.give(case_id, Step("verify", "grid_worker"))

    assert (refused.status_code, allowed.status_code) == (409, 200)


async def test_a_failed_verification_is_rework_and_finish_goes_on(town: ApiDriver) -> None:
    """The case goes back to handling with its old limit: the time of verifying is not counted, the time before is."""
    case_id = await town.start()
    await town.go(case_id, FINISHED)
    stopped = await clocks(town, case_id)
    await town.go(case_id, [Step("verify", "grid_worker", FAILED)])
    again = await clocks(town, case_id)

    assert (stopped["finish"]["status"], again["finish"]["status"]) == ("stopped", "running")
    assert (await town.case(case_id))["stage"] == "handling"


async def test_a_failed_verification_needs_a_reason(town: ApiDriver) -> None:
    """Without a reason it is refused, and the fault names the field."""
    case_id = await town.start()
    await town.go(case_id, FINISHED)
    answer = await town.give(case_id, Step("verify", "grid_worker", {"passed": False}))

    assert answer.status_code == 422
    assert "reason" in answer.text
    assert (await town.case(case_id))["stage"] == "verifying"


async def test_only_the_reporter_or_staff_on_their_behalf_rate(town: ApiDriver) -> None:
    """Another resident cannot even see the case; a window clerk may rate for the reporter."""
    case_id = await town.start()
    await town.go(case_id, [*FINISHED, Step("verify", "grid_worker")])
    stranger = await town.give(case_id, Step("rate", "stranger"))
    clerk = await town.give(case_id, Step("rate", "clerk"))

    assert stranger.status_code == 404
    assert clerk.status_code == 200


async def test_not_solved_goes_back_once_and_then_to_the_coordinator(town: ApiDriver) -> None:
    """The first *not solved* is rework; the second puts the case before the coordinator."""
    case_id = await town.start()
    await town.go(case_id, [*FINISHED, Step("verify", "grid_worker"), Step("rate", "reporter", NOT_SOLVED)])
    once = (await town.case(case_id))["stage"]
    await town.go(case_id, [Step("finish", "officer"), Step("verify", "grid_worker")])
    await town.go(case_id, [Step("rate", "reporter", NOT_SOLVED)])
    twice = await town.case(case_id)

    assert (once, twice["stage"]) == ("handling", "returned")
    assert twice["holder"] == "role:coordinator"


async def test_a_case_nobody_rates_is_closed_as_not_rated(door: OpenDoor, temporal: Client) -> None:
    """Seven days without an answer: not rated, closed; and the case ends when the reopen window has passed."""
    town = await door(INCIDENT, speed=DAYS_PASS)
    case_id = await town.start()
    await town.go(case_id, [*FINISHED, Step("verify", "grid_worker")])
    await temporal.get_workflow_handle(case_id).result()
    kinds = await town.kinds(case_id)

    assert kinds.index("incident:not_rated") + 1 == kinds.index("incident:closed")
    assert kinds[-1] == "case:ended"


async def test_a_closed_case_is_reopened_inside_the_window_only(door: OpenDoor, temporal: Client) -> None:
    """Within 72 hours it goes back to the department; afterwards the case has ended and the refusal says so."""
    town = await door(INCIDENT, speed=60_000)
    late = await town.walk(town.examples.MAIN)
    await temporal.get_workflow_handle(late).result()
    refused = await town.give(late, Step("reopen", "reporter"))
    slow = await door(INCIDENT)
    early = await slow.walk(town.examples.MAIN)
    await slow.go(early, [Step("reopen", "reporter")])

    assert refused.status_code == 409
    assert (await slow.case(early))["stage"] == "dispatched"


async def test_urging_tells_the_holder_and_moves_nothing(town: ApiDriver, pool: Any) -> None:
    """A reminder is a notice to whoever holds the case; stage and clocks stay as they are."""
    case_id = await town.start()
    before = await clocks(town, case_id)
    await town.go(case_id, [Step("urge", "reporter")])
    notice = await pool.fetchrow("select * from outbox where case_id = $1 and template = 'urged'", case_id)

    assert notice["recipient"] == "department:urban-management"
    assert before == await clocks(town, case_id)


async def test_a_report_is_withdrawn_only_before_verifying(town: ApiDriver) -> None:
    """Once the work is reported done, the reporter cannot take the report back."""
    case_id = await town.start()
    await town.go(case_id, FINISHED)

    assert (await town.give(case_id, Step("withdraw", "reporter"))).status_code == 409


async def test_a_silent_department_is_climbed_over_tier_by_tier(door: OpenDoor, pool: Any) -> None:
    """Nobody signs: duty leader at the breach, supervisor after 4 h, district after 24 h, each told once.

    Then the case is the coordinator's, who gives it to somebody else.
    """
    town = await door(INCIDENT, speed=72_000)
    case_id = await town.start()

    async def belongs_to_the_coordinator() -> bool:
        return bool((await town.case(case_id))["holder"] == "role:coordinator")

    await eventually(belongs_to_the_coordinator, within=30)
    told = await pool.fetch(
        "select recipient from outbox where case_id = $1 and facts ->> 'clock' = 'sign' order by notice_id", case_id
    )
    await town.go(case_id, [Step("redispatch", "coordinator"), Step("sign", "other_officer")])

    wanted = ["department:urban-management", "duty_leader", "supervisor", "district_office"]
    assert wanted == [row["recipient"] for row in told]
    assert (await town.case(case_id))["stage"] == "handling"


async def test_the_ratings_walk_is_complete(town: ApiDriver) -> None:
    """After a good rating the case is closed, and the closing time stands in the lists."""
    case_id = await town.start()
    await town.go(case_id, [*FINISHED, *RATED])
    shown = await town.case(case_id)

    assert (shown["stage"], shown["closed_at"] is not None) == ("closed", True)
