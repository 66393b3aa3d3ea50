"""Indicators: every figure of a small town against what the same cases' timelines say, counted by hand."""

import statistics
from collections import Counter
from datetime import datetime, time, timedelta
from typing import Any

import pytest

from schemas.incident import INCIDENT
from tests.api_driver import ApiDriver, OpenDoor, Step
from tests.every_procedure import PROCEDURE_LIST
from tests.examples.incident import FINISHED, NOT_SOLVED
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("worker")

VERIFIED = Step("verify", "grid_worker")
CONTENT = {"solved": "partly", "satisfied": "basically"}
HOUR_A_SECOND = 3600
WEEKS = 150_000
"""A speed at which a resident is waited for a few seconds, and a department for half a minute."""


def report(door: ApiDriver, area: str, category: str = "环境卫生") -> dict[str, Any]:
    """A report from an area."""
    body: dict[str, Any] = door.examples.REPORT
    return body | {"category": category, "location": body["location"] | {"area": area}}


async def indicators(door: ApiDriver, who: str = "auditor", **query: Any) -> dict[str, Any]:
    """What the API says."""
    answer = await door.api.get("/api/v1/indicators/incidents", headers=door.headers(who), params=query)
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


async def seconds_until(door: ApiDriver, case_id: str, kind: str, place: int = 0) -> float:
    """From the report to the entry of this kind, by the timeline."""
    answer = await door.api.get(f"/api/v1/cases/{case_id}/timeline", headers=door.headers("auditor"))
    items = answer.json()["items"]
    opened = (await door.case(case_id))["opened_at"]
    moments = [entry["at"] for entry in items if entry["kind"] == kind]
    return (datetime.fromisoformat(moments[place]) - datetime.fromisoformat(opened)).total_seconds()


def ninetieth(values: list[float]) -> float:
    """The 90th percentile, between neighbours by proportion."""
    return statistics.quantiles(values, n=10, method="inclusive")[8]


@pytest.fixture(scope="module")
async def town(door: OpenDoor) -> dict[str, str]:
    """Seven cases of area 830 by their stories. One stays open, in the real time: no clock of it runs out."""
    slow, fast, real = (
        await door(INCIDENT, speed=HOUR_A_SECOND),
        await door(INCIDENT, speed=WEEKS),
        await door(INCIDENT),
    )
    cases = {
        name: await slow.start(body=report(slow, area, category))
        for name, area, category in (
            ("solved", "830.1.1", "环境卫生"),
            ("partly", "830.1.2", "环境卫生"),
            ("unresolved", "830.1.2", "环境卫生"),
            ("withdrawn", "830.2.1", "环境卫生"),
        )
    }
    cases["open"] = await real.start(body=report(real, "830.2.1", "邻里纠纷"))
    await slow.go(cases["solved"], [Step("sign", "officer"), Step("arrive", "officer"), Step("finish", "officer")])
    await slow.go(cases["solved"], [VERIFIED, Step("rate", "reporter")])
    await slow.go(cases["partly"], [*FINISHED, VERIFIED, Step("rate", "reporter", CONTENT)])
    await slow.go(cases["unresolved"], [*FINISHED, VERIFIED, Step("rate", "reporter", NOT_SOLVED)])
    await slow.go(cases["unresolved"], [Step("close_unresolved", "coordinator")])
    await slow.go(cases["withdrawn"], [Step("withdraw", "reporter")])
    cases["late"] = await slow.start(body=report(slow, "830.2.2", "突发险情"))
    cases["not rated"] = await fast.start(body=report(fast, "830.2.2"))
    await fast.go(cases["not rated"], [*FINISHED, VERIFIED])

    async def all_is_told() -> bool:
        late, silent = await slow.case(cases["late"]), await slow.case(cases["not rated"])
        broken = {clock["name"]: clock["breached"] for clock in late["clocks"]}
        return bool(broken["respond"] and broken["finish"] and silent["stage"] == "closed")

    await eventually(all_is_told, within=60)
    return cases


async def kept(door: ApiDriver, case_id: str, clock: str) -> bool:
    """Whether a clock of a case was kept, by the case itself."""
    clocks = {each["name"]: each for each in (await door.case(case_id))["clocks"]}
    return not clocks[clock]["breached"]


async def test_the_response_rate_is_of_those_whose_time_for_it_is_over(door: OpenDoor, town: dict[str, str]) -> None:
    """Responded in time by those judged: withdrawn ones are set aside, those still in their time do not count."""
    slow = await door(INCIDENT, speed=HOUR_A_SECOND)
    whole = (await indicators(slow, area="830"))["whole"]
    judged = ["solved", "partly", "unresolved", "late", "not rated"]
    kept_ones = [name for name in judged if await kept(slow, town[name], "respond")]

    assert (whole["reported"], whole["set_aside"]) == (7, 1)
    assert (whole["response_judged"], whole["responded_in_time"]) == (5, len(kept_ones))
    assert whole["response_rate"] == round(len(kept_ones) / 5, 4)
    assert "late" not in kept_ones


async def test_cases_of_every_procedure_are_counted_by_stage(door: OpenDoor, town: dict[str, str]) -> None:
    """Each case stands at one stage and is counted there, of each procedure of the town; one that has no case has none."""
    slow = await door(INCIDENT, speed=HOUR_A_SECOND)
    shown = [await slow.case(case_id) for case_id in town.values()]
    path = "/api/v1/indicators/cases"
    answer = await slow.api.get(path, headers=slow.headers("auditor"), params={"area": "830"})
    lines = {line["procedure"]: line for line in answer.json()["procedures"]}
    stages = {each["stage"]: each["cases"] for each in lines["incident"]["stages"]}

    assert set(lines) == {each.name for each in PROCEDURE_LIST}
    assert (lines["incident"]["opened"], lines["whistle"]["opened"]) == (7, 0)
    assert lines["incident"]["open"] == sum(each["closed_at"] is None for each in shown)
    assert stages == Counter(each["stage"] for each in shown)
    assert lines["incident"]["closing_seconds"]["median"] > 0


async def test_the_resolution_rate_counts_the_unresolved_and_not_the_unasked(
    door: OpenDoor, town: dict[str, str]
) -> None:
    """One solved, one partly, one closed as unresolved: a third. Whoever did not answer is in no rate."""
    whole = (await indicators(await door(INCIDENT), area="830"))["whole"]

    assert (whole["solved"], whole["partly_solved"], whole["not_solved"], whole["outcome_known"]) == (1, 1, 1, 3)
    assert whole["resolution_rate"] == 0.3333


async def test_the_satisfaction_rate_is_of_those_who_answered(door: OpenDoor, town: dict[str, str]) -> None:
    """Satisfied and basically satisfied of all who answered and whose case is closed: two of two."""
    whole = (await indicators(await door(INCIDENT), area="830"))["whole"]

    assert (whole["opinions"], whole["satisfied"], whole["basically_satisfied"]) == (2, 1, 1)
    assert whole["satisfaction_rate"] == 1.0


async def test_times_are_those_of_the_timelines(door: OpenDoor, town: dict[str, str]) -> None:
    """Response: to the first arrival or result; handling: to the last result of closed cases; median and 90th percentile."""
    slow = await door(INCIDENT, speed=HOUR_A_SECOND)
    whole = (await indicators(slow, area="830"))["whole"]
    kinds = {"solved": "incident:arrived", "partly": "incident:finished", "unresolved": "incident:finished"}
    responses = [await seconds_until(slow, town[name], kind) for name, kind in kinds.items()]
    responses.append(await seconds_until(slow, town["not rated"], "incident:finished"))
    handling = [
        await seconds_until(slow, town[name], "incident:finished", -1) for name in ("solved", "partly", "not rated")
    ]

    assert whole["response_seconds"]["median"] == pytest.approx(statistics.median(responses), abs=1)
    assert whole["response_seconds"]["percentile_90"] == pytest.approx(ninetieth(responses), abs=1)
    assert whole["handling_seconds"]["median"] == pytest.approx(statistics.median(handling), abs=1)
    assert whole["handling_seconds"]["percentile_90"] == pytest.approx(ninetieth(handling), abs=1)


async def test_groups_are_told_apart_and_make_up_the_whole(door: OpenDoor, town: dict[str, str]) -> None:
    """By area cut to two parts and by category: each case is in one line; the counts of the lines make the whole's."""
    said = await indicators(await door(INCIDENT), area="830", by=["area", "category"], area_parts=2)
    lines = {(line["area"], line["category"]): line["reported"] for line in said["lines"]}

    assert lines == {
        ("830.1", "环境卫生"): 3, ("830.2", "环境卫生"): 2, ("830.2", "邻里纠纷"): 1, ("830.2", "突发险情"): 1,
    }  # fmt: skip
    assert sum(lines.values()) == said["whole"]["reported"]


async def test_a_month_is_a_month_of_the_town(door: OpenDoor, town: dict[str, str]) -> None:
    """By month: the month of the report in Asia/Shanghai; by department: who holds the case now."""
    slow = await door(INCIDENT)
    month = (await indicators(slow, area="830", by="month"))["lines"]
    shown = {(await slow.case(case_id))["opened_at"][:7] for case_id in town.values()}
    departments = (await indicators(slow, area="830", by="department"))["lines"]

    assert {line["month"] for line in month} == shown
    assert {line["department"] for line in departments} == {
        "urban-management",
        "justice-office",
        "emergency-management",
    }


async def test_an_open_case_whose_last_answer_was_no_is_not_yet_judged(door: OpenDoor) -> None:
    """*Not solved* sends a case back to work: it counts when the case is closed, by the answer of then."""
    town = await door(INCIDENT)
    case_id = await town.start(body=report(town, "831"))
    await town.go(case_id, [*FINISHED, VERIFIED, Step("rate", "reporter", NOT_SOLVED)])
    before = (await indicators(town, area="831"))["whole"]
    await town.go(case_id, [Step("finish", "officer"), VERIFIED, Step("rate", "reporter")])
    after = (await indicators(town, area="831"))["whole"]

    assert (before["outcome_known"], before["resolution_rate"]) == (0, None)
    assert (after["resolution_rate"], after["satisfaction_rate"]) == (1.0, 1.0)


async def test_an_old_no_is_no_answer_to_the_new_question(door: OpenDoor) -> None:
    """A case closed without an answer is not rated, also when it had been rated *not solved* before."""
    town = await door(INCIDENT, speed=WEEKS)
    case_id = await town.start(body=report(town, "832"))
    await town.go(case_id, [*FINISHED, VERIFIED])
    answer = await town.taken(case_id, Step("rate", "reporter", NOT_SOLVED))
    if answer.status_code == 200:
        await town.go(case_id, [Step("finish", "officer"), VERIFIED])

    async def closed() -> bool:
        return bool((await town.case(case_id))["stage"] == "closed")

    await eventually(closed, within=60)
    assert (await indicators(town, area="832"))["whole"]["outcome_known"] == 0


async def test_a_period_is_that_of_the_reports(door: OpenDoor, town: dict[str, str]) -> None:
    """A case counts in the period in which it was opened; outside there is nothing, and rates of nothing are null."""
    slow = await door(INCIDENT)
    first = (await slow.case(town["solved"]))["opened_at"]
    inside = await indicators(slow, area="830.1.1", opened_from=first)
    outside = await indicators(slow, area="830.1.1", opened_to=first)

    assert (inside["whole"]["reported"], outside["whole"]["reported"]) == (1, 0)
    assert outside["whole"]["response_rate"] is None
    assert outside["whole"]["handling_seconds"] is None


async def test_without_a_period_the_last_year_counts(door: OpenDoor, town: dict[str, str]) -> None:
    """So that the question of every day does not take longer the older the town is; whoever wants all of it says so."""
    slow = await door(INCIDENT)
    opened = datetime.fromisoformat((await slow.case(town["solved"]))["opened_at"])
    usual = await indicators(slow, area="830.1.1")
    since, as_of = (datetime.fromisoformat(usual[name]) for name in ("opened_from", "as_of"))
    everything = await indicators(slow, area="830.1.1", opened_from="2000-01-01")
    to_a_day = await indicators(slow, area="830.1.1", opened_to=f"{opened:%Y-%m-%d}")

    assert since == datetime.combine(as_of.date() - timedelta(days=365), time(0), as_of.tzinfo)
    assert usual["whole"] == everything["whole"]
    assert to_a_day["opened_from"] is None


async def test_a_department_gets_its_own_figures_and_residents_none(door: OpenDoor, town: dict[str, str]) -> None:
    """An officer's whole is their department's; a resident is refused."""
    slow = await door(INCIDENT)
    own = (await indicators(slow, "other_officer", area="830", by="department"))["lines"]
    answer = await slow.api.get("/api/v1/indicators/incidents", headers=slow.headers("reporter"))

    assert [line["department"] for line in own] == ["justice-office"]
    assert (answer.status_code, answer.json()["code"]) == (403, "not-your-role")
