"""A matter of all: any resident joins in and speaks by the number of a motion, and sees nothing of its file."""

import json

import asyncpg
import pytest

from tests.api_callers import As
from tests.waiting import eventually

pytest_plugins = ("tests.api_fixture",)
pytestmark = pytest.mark.usefixtures("worker")

HE, SONG = "resident-he", "resident-song"
OPINION = {"opinion": "晚归车辆停放怎么办"}


@pytest.fixture
async def motion(as_: As) -> str:
    """A motion of resident He that stands."""
    body = {"motion": "小区主干道单侧停车", "topic": "facilities", "area": "320104.003.01"}
    case_id = str((await as_("resident", HE).post("/api/v1/motions", body)).json()["case_id"])

    async def stands() -> bool:
        return bool((await as_("auditor").get(f"/api/v1/cases/{case_id}")).json().get("seq", 0) >= 1)

    await eventually(stands)
    return case_id


async def test_a_neighbour_joins_in_once_and_does_not_see_the_case(as_: As, motion: str) -> None:
    """The word of the case comes with the submission; nothing of the case does, and only what is for neighbours is taken."""
    song = as_("resident", SONG)
    joined = await song.command(motion, "support", {})
    again = await song.command(motion, "support", {})
    comment = await song.command(motion, "comment", {"text": "我也同意"})

    assert joined.status_code == 202
    assert joined.json()["accepted"]["command"] == "support"
    assert "clocks" not in joined.json()
    assert (again.status_code, again.json()["code"]) == (409, "against-the-rules")
    assert (comment.status_code, comment.json()["code"]) == (404, "unknown-case")
    assert (await song.get(f"/api/v1/cases/{motion}")).status_code == 404
    assert (await as_("resident", HE).command(motion, "support", {})).status_code == 409


async def test_what_a_neighbour_writes_is_not_kept_with_whose_motion_it_is(
    as_: As, motion: str, pool: asyncpg.Pool
) -> None:
    """Erasing the one person leaves the words of the other; staff read them in the case."""
    assert (await as_("committee_officer").command(motion, "admit", {})).status_code == 200
    assert (await as_("resident", SONG).command(motion, "opine", OPINION)).status_code == 202
    own = await as_("resident", HE).command(motion, "opine", {"opinion": "请尽快表决"})
    said = await pool.fetch("select body from chain_of($1) where kind = 'council:opinion:given' order by seq", motion)
    texts = [json.loads(row["body"])["facts"]["opinion"] for row in said]
    people = [await pool.fetchval("select person_id from vault_items where item_id = $1", text) for text in texts]
    answer = {"request": 1, "taken": "taken", "reason": "已采纳"}

    assert own.status_code == 200
    assert len(people) == 2
    assert None not in people
    assert people[0] != people[1]
    assert (await as_("committee_officer").command(motion, "answer_opinion", answer)).status_code == 200
