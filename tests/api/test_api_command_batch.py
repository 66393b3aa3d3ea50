"""Many commands at once: each line is a command given alone, and no line suffers for another."""

import asyncio
import uuid
from typing import Any

import asyncpg
import pytest

from schemas.values.actor import Role
from tests.api_callers import As, Caller
from tests.waiting import eventually

pytest_plugins = ("tests.api_fixture",)

PATH = "/api/v1/commands:batch"


def line(case_id: str, text: str = "已电话告知", key: str | None = None, command: str = "comment") -> dict[str, Any]:
    """A line of a batch."""
    return {
        "idempotency_key": key or str(uuid.uuid4()),
        "case_id": case_id,
        "command": command,
        "body": {"text": text},
    }


async def send(caller: Caller, *lines: Any) -> list[dict[str, Any]]:
    """The results of a batch that was taken."""
    answer = await caller.post(PATH, {"lines": list(lines)})
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


async def cases(as_: As, count: int) -> list[str]:
    """So many new incidents."""
    return [(await as_(Role.WINDOW_CLERK).report()).json()["case_id"] for _ in range(count)]


async def texts(as_: As, case_id: str) -> list[str]:
    """What was said in comments, in their order."""
    timeline = (await as_(Role.AUDITOR).get(f"/api/v1/cases/{case_id}/timeline")).json()["items"]
    return [entry["facts"]["text"] for entry in timeline if entry["kind"].endswith(":commented")]


async def test_good_lines_are_not_held_up_by_bad_ones(as_: As) -> None:
    """Each line has the status that it would have had alone, in order; the good ones are done."""
    first, second = await cases(as_, 2)
    bad = [
        line(first, text=" "), "no line", line("incident-20200101-000001"), line(first, command="no_such"),
        line(first, key="键"), {"case_id": first}, line(second, command="sign") | {"body": {}},
    ]  # fmt: skip
    results = await send(as_(Role.COORDINATOR), line(first, "一"), *bad, line(second, "二"))

    assert [result["status"] for result in results] == [200, 422, 422, 404, 404, 422, 422, 403, 200]
    assert [result["line"] for result in results] == list(range(1, 10))
    assert results[1]["problem"]["faults"][0]["field"] == "text"
    assert results[7]["problem"]["code"] == "not-your-role"
    assert [results[place]["case"]["case_id"] for place in (0, 8)] == [first, second]
    assert (await texts(as_, first), await texts(as_, second)) == (["一"], ["二"])


async def test_the_same_batch_again_is_the_same_acts(as_: As) -> None:
    """Each line is recognised by its key and gets its first answer; also when it is sent twice at once."""
    lines = [line(case_id) for case_id in await cases(as_, 2)]
    caller = as_(Role.COORDINATOR)
    once, twice = await asyncio.gather(send(caller, *lines), send(caller, *lines))
    again = await send(caller, *lines)

    told = [[result["case"]["accepted"]["seq"] for result in each] for each in (once, twice, again)]
    assert told[0] == told[1] == told[2]
    assert [await texts(as_, each["case_id"]) for each in lines] == [["已电话告知"]] * 2


async def test_lines_about_one_case_are_given_in_their_order(as_: As) -> None:
    """One after the other, whatever stands between them; a key that was used with another body is a fault of its line."""
    first, second = await cases(as_, 2)
    key = str(uuid.uuid4())
    results = await send(
        as_(Role.COORDINATOR),
        *(line(first, "甲", key), line(second, "乙"), line(first, "丙"), line(first, "丁", key), line(first, "戊")),
    )

    assert [result["status"] for result in results] == [200, 200, 200, 422, 200]
    assert results[3]["problem"]["code"] == "key-reused"
    assert await texts(as_, first) == ["甲", "丙", "戊"]


async def test_a_case_hears_its_lines_in_the_order_of_the_batch(as_: As) -> None:
    """However many they are: the next one is accepted when the one before it has its answer."""
    [case_id] = await cases(as_, 1)
    said = [f"第{number}句" for number in range(24)]
    results = await send(as_(Role.COORDINATOR), *(line(case_id, text) for text in said))

    assert [result["status"] for result in results] == [200] * len(said)
    assert await texts(as_, case_id) == said


async def test_what_is_not_theirs_is_kept_as_of_a_single_command(as_: As, pool: asyncpg.Pool) -> None:
    """Who asks in a batch for cases that they may not see, or for others' acts, stands in the record of refusals."""
    [case_id] = await cases(as_, 1)
    results = await send(as_(Role.RESIDENT, "resident-batch"), line(case_id))
    acts = await send(as_(Role.WINDOW_CLERK, "clerk-batch"), line(case_id, command="arbitrate"))

    async def kept() -> bool:
        rows = await pool.fetch(
            "select subject, command, code from refusals where case_id = $1 and subject like '%-batch' order by subject",
            case_id,
        )
        return [tuple(row) for row in rows] == [
            ("clerk-batch", "arbitrate", "not-your-role"),
            ("resident-batch", f"POST {PATH}", "not-your-case"),
        ]

    assert (results[0]["problem"]["code"], acts[0]["status"]) == ("unknown-case", 422)
    results = await send(
        as_(Role.WINDOW_CLERK, "clerk-batch"), line(case_id, command="arbitrate") | {"body": arbitration()}
    )
    assert results[0]["problem"]["code"] == "not-your-role"
    await eventually(kept)


def arbitration() -> dict[str, Any]:
    """A body of the right shape."""
    return {"department": "urban-management", "reason": "职责清单"}


@pytest.mark.parametrize(
    "body", [[], {}, {"lines": []}, {"lines": {}}, {"lines": [1], "more": 1}, {"lines": [{}] * 101}]
)
async def test_a_batch_is_a_list_of_1_to_100_lines(body: Any, as_: As) -> None:
    """What concerns the whole is a fault of the whole, and nothing is given."""
    answer = await as_(Role.COORDINATOR).post(PATH, body)

    assert (answer.status_code, answer.json()["code"]) == (422, "bad-request")
    assert [fault["field"] for fault in answer.json()["faults"]] == ["lines"]
