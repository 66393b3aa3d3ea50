"""incident 事件处置: extension 延期, suspension 挂账 and supervision 督办, each row as a rule, through the public door."""

from typing import Any

import asyncpg
import pytest

from schemas.incident import INCIDENT
from tests.api_driver import ApiDriver, OpenDoor, Step
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("worker")

SIGN = Step("sign", "officer")
ASK = Step("request_extension", "officer")
GRANT = Step("grant_extension", "supervisor")
ASK_PAUSE = Step("request_suspension", "officer")
PAUSE = Step("grant_suspension", "coordinator")
DAY = 86_400


@pytest.fixture
async def town(door: OpenDoor) -> ApiDriver:
    """A town in which time does not matter: real speed."""
    return await door(INCIDENT)


async def signed(town: ApiDriver) -> str:
    case_id = await town.start()
    await town.go(case_id, [SIGN])
    return case_id


async def clocks(town: ApiDriver, case_id: str) -> dict[str, dict[str, Any]]:
    return {clock["name"]: clock for clock in (await town.case(case_id))["clocks"]}


async def entries(town: ApiDriver, case_id: str) -> list[dict[str, Any]]:
    answer = await town.api.get(f"/api/v1/cases/{case_id}/timeline", headers=town.headers("auditor"))
    return list(answer.json()["items"])


async def told(pool: asyncpg.Pool, case_id: str, template: str) -> list[str]:
    rows = await pool.fetch(
        "select recipient from outbox where case_id = $1 and template = $2 order by notice_id", case_id, template
    )
    return [row["recipient"] for row in rows]


# ---- extension 延期 ------------------------------------------------------------------------------------------------


async def test_a_granted_extension_moves_finish_and_nothing_else(town: ApiDriver) -> None:
    """`finish` is due later by the working days that were granted; the other clocks and the stage stay."""
    case_id = await signed(town)
    before = await clocks(town, case_id)
    await town.go(case_id, [ASK])
    asked = await clocks(town, case_id)
    await town.go(case_id, [GRANT])
    after = await clocks(town, case_id)

    assert asked == before
    assert after["finish"]["due_at"] > before["finish"]["due_at"]
    assert after["respond"] == before["respond"]
    assert (await town.case(case_id))["stage"] == "handling"


async def test_a_refused_extension_moves_nothing_and_says_why(town: ApiDriver, pool: asyncpg.Pool) -> None:
    """The department is told, the limit stays, and it may ask again."""
    case_id = await signed(town)
    before = await clocks(town, case_id)
    await town.go(case_id, [ASK, Step("refuse_extension", "supervisor")])

    assert await clocks(town, case_id) == before
    assert await told(pool, case_id, "extension_refused") == ["department:urban-management"]
    assert "request_extension" in await town.legal(case_id, "officer")
    assert "grant_extension" not in await town.legal(case_id, "supervisor")


async def test_only_one_extension_is_asked_for_at_a_time(town: ApiDriver) -> None:
    """A second request before the answer is refused in words."""
    case_id = await signed(town)
    await town.go(case_id, [ASK])
    answer = await town.taken(case_id, ASK)

    assert answer.status_code == 409
    assert "已有延期申请" in answer.text


async def test_a_case_is_extended_by_ten_working_days_at_most_in_all(town: ApiDriver) -> None:
    """What goes beyond is a fault that names what is left; when nothing is left, asking is against the rules."""
    case_id = await signed(town)
    await town.go(case_id, [Step("request_extension", "officer", {"working_days": 7, "reason": "雨天"}), GRANT])
    too_many = await town.taken(case_id, Step("request_extension", "officer", {"working_days": 4, "reason": "雨天"}))
    await town.go(case_id, [Step("request_extension", "officer", {"working_days": 3, "reason": "雨天"}), GRANT])
    nothing_left = await town.taken(case_id, ASK)

    assert too_many.status_code == 422
    assert too_many.json()["faults"][0]["field"] == "working_days"
    assert "3" in too_many.json()["faults"][0]["remedy"]
    assert (nothing_left.status_code, "累计延期" in nothing_left.text) == (409, True)


async def test_an_extension_is_asked_for_and_granted_before_the_due_time_only(door: OpenDoor) -> None:
    """Once `finish` is overdue neither the department can ask nor the supervisor grant; refusing is still possible."""
    town = await door(INCIDENT, speed=DAY)
    asked = await town.start()
    await town.go(asked, [SIGN, ASK])
    never_asked = await town.start()
    await town.go(never_asked, [SIGN])

    async def overdue(case_id: str) -> bool:
        return bool((await clocks(town, case_id))["finish"]["breached"])

    for case_id in (never_asked, asked):
        await eventually(lambda case_id=case_id: overdue(case_id))  # type: ignore[misc]
    request = await town.taken(never_asked, ASK)
    grant = await town.taken(asked, GRANT)
    refuse = await town.taken(asked, Step("refuse_extension", "supervisor"))

    assert (request.status_code, "办结期限已过" in request.text) == (409, True)
    assert (grant.status_code, "办结期限已过" in grant.text) == (409, True)
    assert refuse.status_code == 200


@pytest.mark.parametrize(
    "step",
    [
        Step("request_extension", "other_officer"),
        Step("request_extension", "coordinator"),
        Step("grant_extension", "officer"),
        Step("grant_extension", "coordinator"),
        Step("grant_suspension", "officer"),
        Step("grant_suspension", "supervisor"),
        Step("refuse_suspension", "officer"),
    ],
    ids=lambda step: f"{step.by} {step.command}",
)
async def test_who_asks_does_not_grant(town: ApiDriver, step: Step) -> None:
    """The department asks; an extension is the supervisor's to grant, a suspension the coordinator's."""
    case_id = await signed(town)
    await town.go(case_id, [ASK_PAUSE] if "suspension" in step.command else [])

    # To who does not see the case there is none.
    assert (await town.taken(case_id, step)).status_code == (404 if step.by == "other_officer" else 403)


@pytest.mark.parametrize(
    ("over", "stage"),
    [
        (Step("finish", "officer"), "verifying"),
        (Step("return_order", "officer"), "returned"),
        (Step("redispatch", "coordinator"), "dispatched"),
        (Step("withdraw", "reporter"), "withdrawn"),
    ],
    ids=lambda value: getattr(value, "command", ""),
)
async def test_a_request_lapses_with_the_work_it_was_made_for(town: ApiDriver, over: Step, stage: str) -> None:
    """What nobody answered before the order was finished, returned, given away or void is recorded as lapsed."""
    case_id = await signed(town)
    await town.go(case_id, [ASK, ASK_PAUSE, over])
    lapsed = [each["facts"]["request"] for each in await entries(town, case_id) if each["kind"].endswith("lapsed")]

    assert lapsed == ["extension", "suspension"]
    assert (await town.case(case_id))["stage"] == stage


# ---- suspension 挂账 -----------------------------------------------------------------------------------------------


async def test_a_suspension_pauses_finish_and_respond_and_resuming_lets_them_go_on(town: ApiDriver) -> None:
    """While it is suspended nothing of the department's runs but the suspension's own limit; either side resumes."""
    for who in ("officer", "coordinator"):
        case_id = await signed(town)
        await town.go(case_id, [ASK_PAUSE, PAUSE])
        held = await clocks(town, case_id)
        await town.go(case_id, [Step("resume", who)])
        going = await clocks(town, case_id)

        assert (held["finish"]["status"], held["respond"]["status"]) == ("paused", "paused")
        assert (held["suspension"]["status"], going["suspension"]["status"]) == ("running", "stopped")
        assert (going["finish"]["status"], going["respond"]["status"]) == ("running", "running")
        assert (await town.case(case_id))["stage"] == "handling"


async def test_a_suspension_leaves_a_stopped_clock_stopped(town: ApiDriver) -> None:
    """`respond` was answered by arriving: neither suspending nor resuming starts it again."""
    case_id = await signed(town)
    await town.go(case_id, [Step("arrive", "officer"), ASK_PAUSE, PAUSE])
    held = (await clocks(town, case_id))["respond"]["status"]
    await town.go(case_id, [Step("resume", "officer")])

    assert (held, (await clocks(town, case_id))["respond"]["status"]) == ("stopped", "stopped")


async def test_a_refused_suspension_leaves_the_clocks_running(town: ApiDriver, pool: asyncpg.Pool) -> None:
    """The case stays in handling, the department is told, and it may ask again."""
    case_id = await signed(town)
    before = await clocks(town, case_id)
    await town.go(case_id, [ASK_PAUSE, Step("refuse_suspension", "coordinator")])

    assert await clocks(town, case_id) == before
    assert await told(pool, case_id, "suspension_refused") == ["department:urban-management"]
    assert "request_suspension" in await town.legal(case_id, "officer")


async def test_work_is_not_reported_done_while_it_is_suspended(town: ApiDriver) -> None:
    """Suspended means that nobody works on it: first it is resumed."""
    case_id = await signed(town)
    await town.go(case_id, [ASK_PAUSE, PAUSE])
    answers = [await town.taken(case_id, Step(name, "officer")) for name in ("finish", "arrive", "return_order")]

    assert [answer.status_code for answer in answers] == [409, 409, 409]
    assert "resume" in answers[0].json()["legal_commands"]


async def test_a_suspension_ends_by_itself_at_its_limit(door: OpenDoor, pool: asyncpg.Pool) -> None:
    """Nobody resumes: at the limit of the policy the case goes on, and both who asked and who granted are told."""
    town = await door(INCIDENT, speed=4 * DAY)  # thirty days before the final limit of an order that was signed late
    case_id = await signed(town)
    await town.go(case_id, [ASK_PAUSE, PAUSE])

    async def goes_on() -> bool:
        return bool((await clocks(town, case_id))["suspension"]["status"] == "stopped")

    await eventually(goes_on)
    kinds = await town.kinds(case_id)

    assert "incident:suspension:ended" in kinds
    assert await told(pool, case_id, "suspension_ended") == ["department:urban-management", "role:coordinator"]


# ---- supervision 督办 ----------------------------------------------------------------------------------------------


async def test_a_supervisors_order_has_its_own_clock_and_moves_nothing(town: ApiDriver, pool: asyncpg.Pool) -> None:
    """The department is told, `supervise` runs, the stage and the other clocks stay: an urge is less than that."""
    case_id = await signed(town)
    before = await clocks(town, case_id)
    await town.go(case_id, [Step("supervise", "supervisor")])
    after = await clocks(town, case_id)

    assert after.pop("supervise")["status"] == "running"
    assert after == before
    assert await told(pool, case_id, "supervised") == ["department:urban-management"]
    assert (await town.case(case_id))["stage"] == "handling"


async def test_a_supervisors_order_is_answered_in_words_or_by_finishing(town: ApiDriver, pool: asyncpg.Pool) -> None:
    """Either stops its clock; words go to the supervisor."""
    answered, finished = await signed(town), await signed(town)
    for case_id, answer in ((answered, Step("answer_supervision", "officer")), (finished, Step("finish", "officer"))):
        await town.go(case_id, [Step("supervise", "supervisor"), answer])

        assert (await clocks(town, case_id))["supervise"]["status"] == "stopped"
        assert "answer_supervision" not in await town.legal(case_id, "officer")

    assert await told(pool, answered, "supervision_answered") == ["role:supervisor"]


async def test_one_supervisors_order_at_a_time(town: ApiDriver) -> None:
    """A second order before the answer is refused; after the answer it is a new one with the whole time."""
    case_id = await signed(town)
    await town.go(case_id, [Step("supervise", "supervisor")])
    second = await town.taken(case_id, Step("supervise", "supervisor"))
    await town.go(case_id, [Step("answer_supervision", "officer"), Step("supervise", "supervisor")])

    assert (second.status_code, "督办中" in second.text) == (409, True)
    assert (await clocks(town, case_id))["supervise"]["status"] == "running"


async def test_nobody_but_a_supervisor_supervises_and_nobody_but_the_department_answers(town: ApiDriver) -> None:
    """An urge is for residents and grid workers; a formal order is not theirs."""
    case_id = await signed(town)
    refused = [await town.taken(case_id, Step("supervise", who)) for who in ("reporter", "grid_worker", "coordinator")]
    await town.go(case_id, [Step("supervise", "supervisor")])
    answers = [await town.taken(case_id, Step("answer_supervision", who)) for who in ("coordinator", "other_officer")]

    assert {answer.status_code for answer in refused} == {403}
    assert [answer.status_code for answer in answers] == [403, 404]


async def test_an_unanswered_order_climbs_the_tiers(door: OpenDoor, pool: asyncpg.Pool) -> None:
    """The supervisor's clock is a duty like any other: its breach is told tier by tier."""
    town = await door(INCIDENT, speed=DAY)
    case_id = await signed(town)
    await town.go(case_id, [Step("supervise", "supervisor")])

    async def climbed() -> list[str]:
        rows = await pool.fetch(
            "select recipient from outbox where case_id = $1 and facts ->> 'clock' = 'supervise' order by notice_id",
            case_id,
        )
        return [row["recipient"] for row in rows]

    async def to_the_top() -> bool:
        return "district_office" in await climbed()

    await eventually(to_the_top)

    assert (await climbed())[1:] == ["duty_leader", "supervisor", "district_office"]
