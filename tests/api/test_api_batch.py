"""Many reports at once: one result per line, and no line suffers for another."""

import asyncio
import uuid
from typing import Any

import asyncpg
import pytest

from engine.keys.keys import Keys
from tests.api_callers import REPORT, As, Caller, OwnTown, api_of, callers

pytest_plugins = ("tests.api_fixture",)

PATH = "/api/v1/incidents:batch"


def line(key: str | None = None, **other: Any) -> dict[str, Any]:
    """A line of a batch."""
    return {"idempotency_key": key or str(uuid.uuid4()), "report": REPORT | other}


async def send(caller: Caller, *lines: Any) -> list[dict[str, Any]]:
    """The results of a batch that was taken."""
    answer = await caller.post(PATH, {"lines": list(lines)})
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


async def test_good_lines_are_not_held_up_by_bad_ones(as_: As) -> None:
    """Each line has its own status, in order: the good ones become cases, the bad ones are told all their faults."""
    bad = [line(description=" ", category=""), "no line", line(key="键"), {"report": REPORT}, line(on_behalf_of="x")]
    results = await send(as_(), line(), *bad, line())

    assert [result["status"] for result in results] == [201, 422, 422, 422, 422, 422, 201]
    assert [result["line"] for result in results] == list(range(1, 8))
    fields = [[fault["field"] for fault in result["problem"]["faults"]] for result in results[1:6]]
    assert fields == [
        ["report.category", "report.description"], ["body"], ["idempotency_key"], ["idempotency_key"], ["on_behalf_of"],
    ]  # fmt: skip
    for result in (results[0], results[-1]):
        assert (result["case"]["stage"], result["case"]["case_id"]) == ("dispatched", result["case_id"])
        assert len(result["code"]) == 8


async def test_the_same_batch_again_makes_no_new_cases(as_: As) -> None:
    """Each line is recognised by its key: 200 with the case of the first time."""
    lines = [line(), line()]
    first = await send(as_(), *lines)
    again = await send(as_(), *lines)

    assert [result["status"] for result in again] == [200, 200]
    assert [result["case_id"] for result in again] == [result["case_id"] for result in first]


async def test_two_lines_with_one_key_are_one_report_or_a_fault(as_: As) -> None:
    """Inside a batch too the first line with a key decides: the same again is a repeat, another body is key-reused."""
    key, caller = str(uuid.uuid4()), as_()
    results = await send(caller, line(key), line(key), line(key, description="另一件事"))
    single = await caller.report(key=key)

    assert [result["status"] for result in results] == [201, 200, 422]
    assert results[2]["problem"]["code"] == "key-reused"
    assert (single.status_code, single.json()["case_id"]) == (200, results[0]["case_id"])


async def test_numbers_follow_the_order_of_the_lines(as_: As) -> None:
    """Lines are accepted one after the other."""
    results = await send(as_(subject="batch-order"), *(line() for _ in range(8)))

    assert [result["case_id"] for result in results] == sorted(result["case_id"] for result in results)


async def test_two_batches_at_once_make_each_case_once(as_: As, pool: asyncpg.Pool) -> None:
    """The same batch from two clients at the same time: the same cases, each new for one of them only."""
    lines = [line() for _ in range(5)]
    one, other = await asyncio.gather(*(send(as_(subject="batch-twice"), *lines) for _ in range(2)))

    assert [result["case_id"] for result in one] == [result["case_id"] for result in other]
    statuses = [{first["status"], second["status"]} for first, second in zip(one, other, strict=True)]
    assert statuses == [{200, 201}] * 5
    assert await pool.fetchval("select count(*) from intake where subject = 'batch-twice'") == 5


@pytest.mark.parametrize(
    "body", [[], {}, {"lines": []}, {"lines": {}}, {"lines": [1], "more": 1}, {"lines": [{}] * 101}]
)
async def test_a_batch_is_a_list_of_1_to_100_lines(body: Any, as_: As) -> None:
    """What concerns the whole is a fault of the whole, and nothing is accepted."""
    answer = await as_().post(PATH, body)

    assert (answer.status_code, answer.json()["code"]) == (422, "bad-request")
    assert [fault["field"] for fault in answer.json()["faults"]] == ["lines"]


async def test_only_those_who_report_send_batches(as_: As) -> None:
    """The role is asked once, for all lines."""
    answer = await as_("auditor").post(PATH, {"lines": [line()]})

    assert (answer.status_code, answer.json()["code"]) == (403, "not-your-role")


async def test_a_hundred_lines_are_taken_at_once(as_: As) -> None:
    """The largest batch is answered whole: every line accepted, standing or on its way."""
    results = await send(as_(subject="batch-hundred"), *(line(description="🚮" * 4000) for _ in range(100)))

    assert {result["status"] for result in results} <= {201, 202}
    assert len({result["case_id"] for result in results}) == 100


async def test_lines_that_cannot_be_delivered_yet_are_accepted(own_town: OwnTown, keys: Keys) -> None:
    """With nobody to run the cases every good line is 202 with its status link; the bad one still has its fault."""
    async with api_of(own_town.build()) as http:
        results = await send(callers(http, keys)(), line(), line(category=""), line())

    assert [result["status"] for result in results] == [202, 422, 202]
    assert results[0]["submission"]["status_url"].endswith(results[0]["submission"]["submission"])
    assert results[0]["case"] is None


async def test_a_database_that_fails_fails_its_lines_only(own_town: OwnTown, keys: Keys) -> None:
    """When the database goes away, the lines are told so one by one: nothing of them was accepted."""
    async with api_of(own_town.build()) as http:
        await own_town.pool.execute("create function away() returns trigger language plpgsql as "
                                    "$$ begin raise exception using errcode = '57P01'; end $$")  # fmt: skip
        await own_town.pool.execute("create trigger away before insert on intake execute function away()")
        results = await send(callers(http, keys)(), line(), line())

    assert [(result["status"], result["problem"]["code"]) for result in results] == [(503, "database-away")] * 2
