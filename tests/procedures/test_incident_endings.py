"""incident 事件处置: withdrawn, rejected, unresolved, merged; words and documents; through the public door."""

from typing import Any

import asyncpg
import pytest
from temporalio.client import Client

from schemas.incident import INCIDENT
from tests.api_driver import ApiDriver, OpenDoor, Step
from tests.examples.incident import document
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("worker")

SIGN = Step("sign", "officer")
EVIDENCE = {"category": "居住证明"}


@pytest.fixture
async def town(door: OpenDoor) -> ApiDriver:
    """A town in which time does not matter: real speed."""
    return await door(INCIDENT)


async def entries(town: ApiDriver, case_id: str, kind: str) -> list[dict[str, Any]]:
    answer = await town.api.get(f"/api/v1/cases/{case_id}/timeline", headers=town.headers("auditor"))
    return [entry for entry in answer.json()["items"] if entry["kind"] == kind]


async def snapshot(pool: asyncpg.Pool, case_id: str) -> dict[str, Any]:
    return dict(await pool.fetchval("select snapshot from cases where case_id = $1", case_id))


# ---- the order is taken back ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "stage"),
    [
        ([Step("withdraw", "reporter")], "withdrawn"),
        ([Step("reject", "coordinator")], "rejected"),
        ([SIGN, Step("close_unresolved", "coordinator")], "unresolved"),
        (
            [
                SIGN,
                Step("request_suspension", "officer"),
                Step("grant_suspension", "coordinator"),
                Step("withdraw", "reporter"),
            ],
            "withdrawn",
        ),
    ],
    ids=["withdraw", "reject", "close_unresolved", "suspended, then withdraw"],
)
async def test_the_order_of_a_case_that_ends_is_taken_back(
    town: ApiDriver, temporal: Client, steps: list[Step], stage: str
) -> None:
    """The case is final with the command; its workflow ends when the department has let go, and no clock runs meanwhile."""
    case_id = await town.start()
    await town.go(case_id, steps)
    shown = await town.case(case_id)
    await temporal.get_workflow_handle(case_id).result()
    recalled = await entries(town, case_id, "incident:order_recalled")

    assert shown["stage"] == stage
    assert [clock["status"] for clock in shown["clocks"] if clock["status"] != "stopped"] == []
    assert [each["facts"]["done"] for each in recalled] == [True]
    assert (await town.kinds(case_id))[-2:] == ["incident:order_recalled", "case:ended"]


async def test_work_that_was_reported_done_is_not_taken_back(town: ApiDriver, temporal: Client) -> None:
    """A case that a person closes as unresolved while it is verified has no order out: nothing is recalled."""
    case_id = await town.start()
    await town.go(case_id, [SIGN, Step("finish", "officer"), Step("close_unresolved", "coordinator")])
    await temporal.get_workflow_handle(case_id).result()

    assert await entries(town, case_id, "incident:order_recalled") == []


async def test_the_final_limit_takes_the_order_back_too(door: OpenDoor, temporal: Client) -> None:
    """A department that was silent to the end is told that the order is void."""
    town = await door(INCIDENT, speed=8_640_000)
    case_id = await town.start()
    await temporal.get_workflow_handle(case_id).result()

    assert (await town.kinds(case_id))[-3:] == ["incident:unresolved", "incident:order_recalled", "case:ended"]


# ---- merging 并案 --------------------------------------------------------------------------------------------------


async def test_a_merged_report_is_counted_where_it_went(town: ApiDriver, pool: asyncpg.Pool) -> None:
    """The other case records it once, this one keeps where it went, its order is taken back and its reporter told.

    It lives on as long as its reporter may hear something of the other one, with a window that is nobody's duty.
    """
    first, second = await town.start(), await town.start()
    await town.go(second, [SIGN, Step("merge", "coordinator", {"into": first, "reason": "同一堆垃圾"})])

    async def taken_back() -> bool:
        return (await town.kinds(second))[-1] == "incident:order_recalled"

    await eventually(taken_back)
    shown = await town.case(second)

    async def has_counted() -> bool:  # after it has answered, so maybe after the end of the other
        return bool(await entries(town, first, "incident:report_merged"))

    await eventually(has_counted)
    counted = await entries(town, first, "incident:report_merged")
    told = await pool.fetch("select facts from outbox where case_id = $1 and template = 'incident_merged'", second)

    assert (shown["stage"], shown["ended"]) == ("merged", False)
    assert [clock["name"] for clock in shown["clocks"] if clock["status"] == "running"] == ["follow"]
    assert (await snapshot(pool, second))["merged_into"] == first
    assert [(each["facts"]["case"], each["facts"]["reports"]) for each in counted] == [(second, 2)]
    assert [row["facts"]["into"] for row in told] == [first]
    steps = [kind for kind in await town.kinds(second) if kind != "incident:order_received"]  # that comes when it comes
    assert steps[-2:] == ["incident:merge:taken", "incident:order_recalled"]
    assert (await town.case(first))["stage"] == "dispatched"


async def test_a_merge_into_a_case_that_is_over_is_undone(
    town: ApiDriver, temporal: Client, pool: asyncpg.Pool
) -> None:
    """The case goes on where it stood, with its clocks, and the coordinator is told: nothing is lost in a dead case."""
    over, case_id = await town.start(), await town.start()
    await town.go(over, [Step("withdraw", "reporter")])
    await temporal.get_workflow_handle(over).result()
    await town.go(case_id, [SIGN])
    before = await town.case(case_id)
    await town.give(case_id, Step("merge", "coordinator", {"into": over}))

    async def undone() -> bool:
        return "incident:merge:refused" in await town.kinds(case_id)

    await eventually(undone)
    after = await town.case(case_id)
    statuses = {clock["name"]: clock["status"] for clock in after["clocks"]}

    assert (after["stage"], after["holder"], after["closed_at"]) == ("handling", before["holder"], None)
    assert statuses == {clock["name"]: clock["status"] for clock in before["clocks"]}
    assert (await snapshot(pool, case_id))["merged_into"] is None
    assert "finish" in await town.legal(case_id, "officer")


async def test_a_closed_case_takes_no_reports_in(town: ApiDriver) -> None:
    """Its workflow still lives, for the reopen window; merging into it is undone all the same."""
    closed = await town.walk(town.examples.MAIN)
    case_id = await town.start()
    await town.give(case_id, Step("merge", "coordinator", {"into": closed}))

    async def undone() -> bool:
        return "incident:merge:refused" in await town.kinds(case_id)

    await eventually(undone)

    assert await entries(town, closed, "incident:report_merged") == []


async def test_two_cases_do_not_vanish_into_each_other(town: ApiDriver) -> None:
    """Each merged into the other at once: whatever comes of it, not both are gone, and what was taken in is open."""
    one, other = await town.start(), await town.start()
    await town.taken(one, Step("merge", "coordinator", {"into": other}))
    await town.taken(other, Step("merge", "coordinator", {"into": one}))

    async def settled() -> bool:
        kinds = [kind for case in (one, other) for kind in await town.kinds(case) if ":merge:" in kind]
        merged = [case for case in (one, other) if "incident:merged" in await town.kinds(case)]
        return len(kinds) == len(merged)

    await eventually(settled)
    stages = [(await town.case(case))["stage"] for case in (one, other)]

    assert stages.count("merged") <= 1


@pytest.mark.parametrize(
    "into", ["incident-2026", "whistle-20261121-000001", "", None], ids=["no id", "another procedure", "blank", "null"]
)
async def test_what_is_no_incident_is_nothing_to_merge_into(town: ApiDriver, into: str | None) -> None:
    """The id of an incident is asked for; anything else is a fault of the field."""
    case_id = await town.start()
    answer = await town.taken(case_id, Step("merge", "coordinator", {"into": into}))

    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["faults"]] == ["into"]


async def test_a_case_is_not_merged_into_itself(town: ApiDriver) -> None:
    """The fault says so and asks for another open case."""
    case_id = await town.start()
    answer = await town.taken(case_id, Step("merge", "coordinator", {"into": case_id}))

    assert answer.status_code == 422
    assert (await town.case(case_id))["stage"] == "dispatched"


async def test_only_the_coordinator_merges_and_only_before_the_work_is_done(town: ApiDriver) -> None:
    """A department cannot rid itself of an order by merging; what was reported done is verified."""
    case_id, other = await town.start(), await town.start()
    await town.go(case_id, [SIGN])
    by_department = await town.taken(case_id, Step("merge", "officer", {"into": other}))
    await town.go(case_id, [Step("finish", "officer")])
    too_late = await town.taken(case_id, Step("merge", "coordinator", {"into": other}))

    assert (by_department.status_code, too_late.status_code) == (403, 409)


# ---- words and documents -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["reporter", "grid_worker", "clerk", "officer", "coordinator", "supervisor"])
async def test_whoever_sees_a_case_may_comment_and_attach(town: ApiDriver, pool: asyncpg.Pool, who: str) -> None:
    """Stage and clocks stay; the words are in the vault, the case has their reference and the document's digest."""
    case_id = await town.start()

    async def dispatched() -> bool:
        return bool((await town.case(case_id))["stage"] == "dispatched")

    await eventually(dispatched)
    before = await town.case(case_id)
    await town.go(case_id, [Step("comment", who, {"text": "王小明又来过电话"}), Step("attach", who)])
    after = await town.case(case_id)
    kept = await snapshot(pool, case_id)

    assert (after["stage"], after["clocks"]) == (before["stage"], before["clocks"])
    assert len(kept["documents"]) == 1
    assert set(kept["documents"][0]) == {"reference", "sha256", "size_bytes", "media_type"}
    assert "王小明" not in str(kept)


@pytest.mark.parametrize(
    ("who", "status"), [("stranger", 404), ("other_officer", 404), ("auditor", 403), ("admin", 403)]
)
async def test_who_does_not_see_a_case_or_only_checks_adds_nothing_to_it(
    town: ApiDriver, who: str, status: int
) -> None:
    """Another resident, another department, the auditor and the administrator neither comment nor attach."""
    case_id = await town.start()
    answer = await town.taken(case_id, Step("comment", who))

    assert answer.status_code == status


async def test_a_document_stands_in_a_case_once(town: ApiDriver, pool: asyncpg.Pool) -> None:
    """Attached again it is another entry, but no second document."""
    case_id = await town.start()
    await town.go(case_id, [Step("attach", "reporter"), Step("attach", "reporter")])

    assert len((await snapshot(pool, case_id))["documents"]) == 1
    assert len(await entries(town, case_id, "incident:attached")) == 2


async def test_work_is_not_reported_done_without_evidence_where_the_list_asks_for_it(town: ApiDriver) -> None:
    """The fault names the field and what to do; with a document in the command it is accepted."""
    people = town.examples.PEOPLE
    people["issuer"] = type(people["officer"])("issuer-he", "department_officer", department="service-centre")
    case_id = await town.start(body=town.examples.REPORT | EVIDENCE)
    await town.go(case_id, [Step("sign", "issuer")])
    without = await town.taken(case_id, Step("finish", "issuer"))
    shown = await document(town, "issuer")
    await town.go(case_id, [Step("finish", "issuer", {"result": "证明已开具", "documents": [shown]})])

    assert without.status_code == 422
    assert [fault["field"] for fault in without.json()["faults"]] == ["documents"]
    assert (await entries(town, case_id, "incident:finished"))[0]["facts"]["documents"][0]["sha256"] == shown["sha256"]


async def test_what_the_department_attached_to_its_order_is_evidence_and_what_others_attached_is_not(
    town: ApiDriver,
) -> None:
    """A resident's photo of the trouble does not show the work; the department's own does, attached before finishing."""
    people = town.examples.PEOPLE
    people["issuer"] = type(people["officer"])("issuer-he", "department_officer", department="service-centre")
    case_id = await town.start(body=town.examples.REPORT | EVIDENCE)
    await town.go(case_id, [Step("sign", "issuer"), Step("attach", "reporter")])
    refused = await town.taken(case_id, Step("finish", "issuer"))
    await town.go(case_id, [Step("attach", "issuer"), Step("finish", "issuer")])

    assert refused.status_code == 422
    assert (await town.case(case_id))["stage"] == "verifying"
