"""incident 事件处置: what each row of the table leaves running, running no more, and told to whom; through the public door."""

from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from schemas.incident import INCIDENT
from schemas.incident_state import IncidentState
from schemas.values.actor import Actor, Channel, Role
from schemas.values.document import Document
from schemas.values.refusals import RefusalCode
from tests.api_driver import ApiDriver, OpenDoor, Step
from tests.examples.incident import FAILED, FINISHED, MAIN, NOT_SOLVED, document

pytestmark = pytest.mark.usefixtures("worker")

SIGN = Step("sign", "officer")
VERIFIED = (*FINISHED, Step("verify", "grid_worker"))


@pytest.fixture
async def town(door: OpenDoor) -> ApiDriver:
    """A town in which time does not matter: real speed."""
    return await door(INCIDENT)


async def at(town: ApiDriver, *steps: Step) -> str:
    """A case that has come so far."""
    case_id = await town.start()
    await town.go(case_id, steps)
    return case_id


async def running(town: ApiDriver, case_id: str) -> set[str]:
    """The clocks that run."""
    return {clock["name"] for clock in (await town.case(case_id))["clocks"] if clock["status"] == "running"}


async def told(pool: asyncpg.Pool, case_id: str) -> list[tuple[str, str]]:
    rows = await pool.fetch("select recipient, template from outbox where case_id = $1 order by notice_id", case_id)
    return [(row["recipient"], row["template"]) for row in rows]


async def remembered(pool: asyncpg.Pool, case_id: str) -> IncidentState:
    """What the case itself remembers."""
    snapshot = await pool.fetchval("select snapshot from cases where case_id = $1", case_id)
    return IncidentState.model_validate(dict(snapshot))


@pytest.mark.parametrize(
    ("steps", "clocks"),
    [
        ((), {"sign", "respond", "finish"}),
        ((SIGN,), {"respond", "finish"}),
        ((SIGN, Step("arrive", "officer")), {"finish"}),
        ((Step("return_order", "officer"),), {"respond", "finish"}),
        ((Step("return_order", "officer"), Step("redispatch", "coordinator")), {"sign", "respond", "finish"}),
        (FINISHED, {"verify"}),
        (VERIFIED, {"rate"}),
        ((*FINISHED, Step("verify", "grid_worker", FAILED)), {"finish"}),
        ((*VERIFIED, Step("rate", "reporter", NOT_SOLVED)), {"finish"}),
        ((*VERIFIED, Step("rate", "reporter", NOT_SOLVED), Step("finish", "officer"), Step("verify", "coordinator"),
          Step("rate", "clerk", NOT_SOLVED)), {"finish"}),
        (MAIN.steps, {"reopen"}),
        ((*MAIN.steps, Step("reopen", "reporter")), {"sign", "respond", "finish"}),
    ],
    ids=[
        "dispatched", "signed", "on the spot", "returned", "sent elsewhere", "finished", "verified", "failed verification",
        "not solved", "not solved twice", "closed", "reopened",
    ],
)  # fmt: skip
async def test_only_the_clocks_of_the_stage_run(town: ApiDriver, steps: tuple[Step, ...], clocks: set[str]) -> None:
    """What a command is to stop does not run on, and what somebody owes now is counted."""
    assert await running(town, await at(town, *steps)) == clocks


@pytest.mark.parametrize(
    ("steps", "clock", "facts"),
    [
        ((*FINISHED, Step("verify", "grid_worker", FAILED)), "finish", ["started", "stopped", "resumed"]),
        ((*VERIFIED, Step("rate", "reporter", NOT_SOLVED)), "finish", ["started", "stopped", "resumed"]),
        ((SIGN, Step("request_suspension", "officer"), Step("grant_suspension", "coordinator"), Step("resume", "officer")),
         "finish", ["started", "paused", "resumed"]),
        ((Step("redispatch", "coordinator"),), "finish", ["started"]),
        ((Step("redispatch", "coordinator"),), "sign", ["started", "started"]),
        ((*MAIN.steps, Step("reopen", "reporter")), "finish", ["started", "stopped", "started"]),
    ],
    ids=["failed verification", "not solved", "resumed", "sent elsewhere: finish", "sent elsewhere: sign", "reopened"],
)  # fmt: skip
async def test_a_clock_goes_on_where_the_same_matter_goes_on(
    town: ApiDriver, pool: asyncpg.Pool, steps: tuple[Step, ...], clock: str, facts: list[str]
) -> None:
    """Rework and resumption use up what was left; only a new order's `sign`, and a reopened case, start from nothing."""
    state = await remembered(pool, await at(town, *steps))

    assert [fact.kind for fact in state.clocks[clock].facts] == facts


@pytest.mark.parametrize(
    ("steps", "holder"),
    [
        ((), "department:urban-management"),
        ((Step("return_order", "officer"),), "role:coordinator"),
        (FINISHED, "role:grid_worker"),
        (VERIFIED, "reporter"),
        ((*FINISHED, Step("verify", "grid_worker", FAILED)), "department:urban-management"),
        (MAIN.steps, ""),
        ((*MAIN.steps, Step("reopen", "reporter")), "department:urban-management"),
    ],
    ids=["dispatched", "returned", "finished", "verified", "failed verification", "closed", "reopened"],
)
async def test_a_case_is_held_by_who_has_to_act(town: ApiDriver, steps: tuple[Step, ...], holder: str) -> None:
    """At every stage one is named who has to do something now, and nobody when nothing is to be done."""
    assert (await town.case(await at(town, *steps)))["holder"] == holder


async def test_everybody_concerned_is_told_of_their_turn(town: ApiDriver, pool: asyncpg.Pool) -> None:
    """Reporter, department, grid worker and reporter again: each once, when it is their turn or over."""
    assert await told(pool, await at(town, *MAIN.steps)) == [
        ("reporter", "incident_reported"),
        ("department:urban-management", "order_dispatched"),
        ("role:grid_worker", "verification_due"),
        ("reporter", "rating_asked"),
        ("reporter", "incident_closed"),
    ]


async def test_the_coordinator_is_told_of_a_return(town: ApiDriver, pool: asyncpg.Pool) -> None:
    """An order that comes back is somebody's to send on: it does not lie unseen."""
    case_id = await at(town, Step("return_order", "officer"))

    assert (await told(pool, case_id))[-1] == ("role:coordinator", "order_returned")


async def test_reworks_are_counted(town: ApiDriver, pool: asyncpg.Pool) -> None:
    """Each failed verification is one more, in the case and in what the department is told."""
    failed = Step("verify", "grid_worker", FAILED)
    case_id = await at(town, *FINISHED, failed, Step("finish", "officer"), failed)

    assert (await remembered(pool, case_id)).reworks == 2
    assert (await told(pool, case_id)).count(("department:urban-management", "rework")) == 2


async def test_what_is_reopened_is_closed_no_more(town: ApiDriver, pool: asyncpg.Pool) -> None:
    """The closing time stands while it is closed, and is gone when it is taken up again."""
    case_id = await at(town, *MAIN.steps)
    closed = (await remembered(pool, case_id)).closed_at
    await town.go(case_id, [Step("reopen", "reporter")])

    assert closed is not None
    assert (await remembered(pool, case_id)).closed_at is None


async def test_reopening_is_not_legal_once_the_window_has_passed(town: ApiDriver, pool: asyncpg.Pool) -> None:
    """By the clock and not by the workflow's end, which may come a moment later: 72 hours after the close it is over."""
    state = await remembered(pool, await at(town, *MAIN.steps))
    reporter = Actor(subject="resident-wang", role=Role.RESIDENT, channel=Channel.APP)
    assert state.closed_at is not None
    end = state.closed_at + timedelta(hours=72)

    assert "reopen" in INCIDENT.rules.legal(state, reporter, end - timedelta(seconds=1))
    assert "reopen" not in INCIDENT.rules.legal(state, reporter, end)


async def test_what_a_department_works_on_is_not_rejected(town: ApiDriver) -> None:
    """No public matter, no such place: said before somebody has taken it up, not afterwards."""
    for steps, status in (((), 200), ((Step("return_order", "officer"),), 200), ((SIGN,), 409), (FINISHED, 409)):
        assert (await town.give(await at(town, *steps), Step("reject", "coordinator"))).status_code == status


@pytest.mark.parametrize(
    ("steps", "status"),
    [
        ((Step("return_order", "officer"),), 200),
        ((SIGN, Step("request_suspension", "officer"), Step("grant_suspension", "coordinator")), 200),
        (FINISHED, 200),
        (VERIFIED, 200),
        (MAIN.steps, 409),
    ],
    ids=["returned", "suspended", "verifying", "calling back", "closed"],
)
async def test_who_waits_may_urge_while_the_case_is_open(town: ApiDriver, steps: tuple[Step, ...], status: int) -> None:
    """Whoever holds it, the reporter may remind them; when nothing is to be done any more there is nobody to remind."""
    assert (await town.give(await at(town, *steps), Step("urge", "reporter"))).status_code == status


async def test_nothing_is_granted_that_nobody_asked_for(town: ApiDriver) -> None:
    """An extension and a suspension answer a request, with yes or with no."""
    case_id = await at(town, SIGN)
    answers = [
        await town.give(case_id, Step(f"{answer}_{request}", by))
        for request, by in (("extension", "supervisor"), ("suspension", "coordinator"))
        for answer in ("grant", "refuse")
    ]

    assert [answer.status_code for answer in answers] == [409] * 4


async def test_a_case_has_room_for_so_many_documents(town: ApiDriver, pool: asyncpg.Pool) -> None:
    """With as many as the policy allows another one is against the rules, and in words."""
    case_id = await at(town, SIGN)
    shown: Any = {"document": await document(town, "officer")}
    await town.go(case_id, [Step("attach", "officer", shown)])
    state = await remembered(pool, case_id)
    one = Document.model_validate(state.documents[0].model_dump())
    officer = Actor(
        subject="officer-cheng", role=Role.DEPARTMENT_OFFICER, channel=Channel.APP, department="urban-management"
    )
    full = state.model_copy(update={"documents": [one] * state.terms.documents_at_most})
    refusal = INCIDENT.rules.check(full, "attach", officer, state.opened_at)

    assert INCIDENT.rules.check(state, "attach", officer, state.opened_at) is None
    assert refusal is not None
    assert (refusal.code, "附件已达" in refusal.detail) == (RefusalCode.AGAINST_THE_RULES, True)
