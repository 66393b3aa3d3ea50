"""A declared opening: what people send becomes a case, its texts go into the vault, and what does not fit is told at once."""

from typing import Any

import asyncpg
import pytest

from schemas.contest import CONTEST
from starter.intake.openings import opening_of
from tests.api_driver import ApiDriver, OpenDoor, Step, examples
from tests.every_procedure import PROCEDURE_LIST

pytestmark = pytest.mark.usefixtures("worker")

PLAN = "楼道微更新:粉刷墙面、增设扶手"


@pytest.fixture
async def town(door: OpenDoor) -> ApiDriver:
    """The door of the contest."""
    return await door(CONTEST)


def proposal(**changed: Any) -> dict[str, Any]:
    """A right one, but for what a test changes."""
    return {**examples(CONTEST).REPORT, "plan": PLAN, **changed}


async def faults_of(town: ApiDriver, by: str, **changed: Any) -> set[str]:
    """The fields that are refused."""
    answer = await town.api.post("/api/v1/contests", json=proposal(**changed), headers=town.headers(by, "faulty"))
    assert answer.status_code == 422, answer.text
    return {each["field"] for each in answer.json()["faults"]}


async def test_what_is_sent_is_kept_where_it_belongs(town: ApiDriver, pool: asyncpg.Pool) -> None:
    """A case of whoever sent it, in its first stage and by its first step; texts are references, the name in the vault alone."""
    case_id = await town.start(body=proposal(), key="kept")
    shown = await town.case(case_id)
    snapshot = await pool.fetchval("select snapshot from cases where case_id = $1", case_id)
    entry = await pool.fetchval("select body from ledger where case_id = $1 and seq = 1", case_id)

    assert await town.start(body=proposal(), key="kept") == case_id
    assert (shown["stage"], shown["holder"]) == ("proposed", "role:street_officer")
    assert [clock["name"] for clock in shown["clocks"] if clock["status"] == "running"] == ["accept"]
    assert snapshot["reporter_subject"] == examples(CONTEST).PEOPLE["applicant"].subject
    assert snapshot["plan"].startswith("text:")
    assert PLAN not in str(snapshot) + str(entry)
    assert snapshot["account"] in str(entry)
    assert proposal()["payee"] not in str(snapshot) + str(entry)
    assert list(snapshot["statements"]) == [snapshot["reporter"]]
    assert snapshot["opening"]["digest"] in str(entry)


async def test_nobody_names_the_account_for_somebody_else(town: ApiDriver) -> None:
    """Whoever answers for the money says where it goes: staff open no project for a resident."""
    answer = await town.api.post(
        "/api/v1/contests", json=proposal(on_behalf_of="resident-li"), headers=town.headers("clerk", "for-somebody")
    )

    assert (answer.status_code, answer.json()["code"]) == (403, "not-your-role")


async def test_what_does_not_fit_is_told_all_at_once(town: ApiDriver) -> None:
    """The town's own rules, the area and who may act for whom are told together; what has not the shape is told by its field."""
    dear = [{"amount_fen": 4_000_000}, {"amount_fen": 4_000_000}]

    assert await faults_of(town, "applicant", milestones=dear, area="320104.999", on_behalf_of="resident-li") == {
        "milestones",
        "area",
        "on_behalf_of",
    }
    assert await faults_of(town, "applicant", milestones=[{"amount_fen": 1}] * 6) == {"milestones"}
    assert await faults_of(town, "applicant", account="somewhere", plan="") == {"account", "plan"}


async def test_staff_see_the_same_project_twice_in_one_community(town: ApiDriver) -> None:
    """As many milestones at the same prices in one area, while both are open, whoever proposes it; residents hear nothing of it."""
    prices = [{"amount_fen": 123_400 + len(PLAN)}, {"amount_fen": 567_800}]
    first = await town.start(body=proposal(milestones=prices))
    again = await town.start(body=proposal(milestones=prices, plan="换一个说法"), by="stranger")
    others = [
        await town.start(body=proposal(milestones=list(reversed(prices)))),
        await town.start(body=proposal(milestones=prices[:1])),
        await town.start(body=proposal(milestones=prices, area="320104.003.02")),
    ]

    assert await alike(town, first, "clerk") == {"same_matter": [again]}
    assert await alike(town, again, "clerk") == {"same_matter": [first]}
    assert [await alike(town, each, "clerk") for each in others] == [{}] * 3
    assert await alike(town, first, "applicant") == {}
    await town.go(again, [Step("withdraw", "stranger")])
    assert await alike(town, first, "clerk") == {}


async def alike(town: ApiDriver, case_id: str, who: str) -> dict[str, list[str]]:
    """What other open cases have of this one, by what it is, as somebody reads it."""
    await town.stands(case_id)
    answer = await town.api.get(f"/api/v1/cases/{case_id}/alike", headers=town.headers(who))
    assert answer.status_code == 200, answer.text
    return {item["kind"]: item["cases"] for item in answer.json()["items"]}


@pytest.mark.parametrize(
    "procedure", [each for each in PROCEDURE_LIST if each.parent is None], ids=lambda each: each.name
)
def test_every_procedure_that_people_start_has_one_opening(procedure: Any) -> None:
    """What the declaration says of it is what the address takes: its act, its starters, its title."""
    opening = opening_of(procedure)

    assert (opening.act, opening.starters) == (procedure.opens.name, procedure.opens.by)
    assert (opening.title.zh, opening.title.en) == (procedure.opens.zh, procedure.opens.en)
