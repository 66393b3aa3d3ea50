"""Reading cases, through the public door: who sees what, lists, timelines, waiting."""

import asyncio
from typing import Any

import asyncpg
import pytest

from schemas.incident import INCIDENT, Kind
from schemas.incident_state import IncidentState
from schemas.kernel.visibility import may_see, sight_of
from schemas.values.actor import Actor, Role
from tests.api_callers import REPORT, As, Caller
from tests.waiting import eventually

pytest_plugins = ("tests.api_fixture",)

PLACE = REPORT["location"]


def at(area: str, **other: Any) -> dict[str, Any]:
    """A report from an area."""
    return REPORT | {"location": PLACE | {"area": area}} | other


async def entries_of(caller: Caller, case: str) -> list[dict[str, Any]]:
    """What stands in the timeline of a case."""
    return list((await caller.get(f"/api/v1/cases/{case}/timeline")).json()["items"])


async def every_id(caller: Caller, **filters: Any) -> list[str]:
    """All case ids that a caller sees, page by page."""
    ids: list[str] = []
    cursor = None
    while True:
        page = (await caller.get("/api/v1/cases", limit=7, **filters, **({"cursor": cursor} if cursor else {}))).json()
        ids += [item["case_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return ids


@pytest.fixture(scope="module")
async def some_cases(as_: As) -> list[str]:
    """Cases of two areas, three residents and two departments, one of them sent on; none has anything more to tell."""
    reports = [
        ("reader-1", at("710.1.1")),
        ("reader-2", at("710.1.2", category="邻里纠纷")),
        ("reader-2", at("710.10", category="邻里纠纷")),
        ("reader-3", at("720")),
    ]
    cases = [(await as_(subject=subject).report(body)).json()["case_id"] for subject, body in reports]
    body = {"department": "transport", "reason": "道路问题"}
    await as_("coordinator").command(cases[0], "redispatch", body)

    async def quiet() -> bool:
        kinds = [each["kind"] for case in cases for each in await entries_of(as_("coordinator"), case)]
        outside = ("incident:order_received", "incident:order_recalled")
        return [kinds.count(kind) for kind in outside] == [len(cases) + 1, 1]

    await eventually(quiet)
    return cases


ACTORS = [
    Actor(subject="reader-1", role=Role.RESIDENT),
    Actor(subject="reader-2", role=Role.RESIDENT, area="999"),
    Actor(subject="nobody", role=Role.RESIDENT),
    Actor(subject="o", role=Role.DEPARTMENT_OFFICER, department="urban-management"),
    Actor(subject="o", role=Role.DEPARTMENT_OFFICER, department="transport"),
    Actor(subject="o", role=Role.DEPARTMENT_OFFICER, department="health"),
    Actor(subject="g", role=Role.GRID_WORKER, area="710.1"),
    Actor(subject="g", role=Role.GRID_WORKER, area="710"),
    Actor(subject="c", role=Role.COORDINATOR),
    Actor(subject="a", role=Role.AUDITOR, area="720"),
    Actor(subject="x", role=Role.ADMIN, area="7"),
]


@pytest.mark.parametrize("actor", ACTORS, ids=lambda actor: f"{actor.role}-{actor.department or actor.area}")
async def test_the_list_shows_exactly_what_may_be_seen(
    actor: Actor, as_: As, some_cases: list[str], pool: asyncpg.Pool
) -> None:
    """The list in SQL and the one rule of visibility agree on every case there is; so does each case by itself."""

    async def told() -> dict[str, Any]:
        rows = await pool.fetch("select case_id, snapshot from cases where procedure = 'incident'")
        return {row["case_id"]: row["snapshot"] for row in rows}

    caller = as_(actor.role, actor.subject, department=actor.department, area=actor.area)
    before, listed, after = await told(), set(await every_id(caller)), await told()
    # What cases of other tests still do meanwhile is not judged.
    same = {case: snapshot for case, snapshot in before.items() if after.get(case) == snapshot}
    states = {case: IncidentState.model_validate(snapshot) for case, snapshot in same.items()}
    assert set(some_cases) <= set(states)
    assert listed & set(states) == {case for case, state in states.items() if may_see(sight_of(state), actor)}
    for case in some_cases:
        status = (await caller.get(f"/api/v1/cases/{case}")).status_code
        assert status == (200 if case in listed else 404)


async def test_a_department_still_sees_what_it_held(as_: As, some_cases: list[str]) -> None:
    """A case that was sent on stays visible to the department that had it, without any command on it."""
    former = as_(Role.DEPARTMENT_OFFICER, department="urban-management")
    case = (await former.get(f"/api/v1/cases/{some_cases[0]}")).json()

    assert (case["department"], case["legal_commands"]) == ("transport", [])


@pytest.mark.parametrize(
    ("filters", "places"),
    [
        ({"area": "710"}, [2, 1, 0]),
        ({"area": "710.1"}, [1, 0]),
        ({"area": "710", "department": "transport"}, [0]),
        ({"area": "710", "holder": "department:justice-office"}, [2, 1]),
        ({"area": "710", "stage": "dispatched", "procedure": "incident"}, [2, 1, 0]),
        ({"area": "710", "stage": "closed"}, []),
        ({"area": "720", "ended": "false"}, [3]),
        ({"area": "720", "ended": "true"}, []),
        ({"area": "720", "overdue": "true"}, []),
        ({"area": "720", "overdue": "false"}, [3]),
        ({"area": "710", "procedure": "whistle"}, []),
    ],
)
async def test_each_filter_leaves_its_cases(
    filters: dict[str, Any], places: list[int], as_: As, some_cases: list[str]
) -> None:
    """Filters narrow the list, together and alone; it is newest first."""
    assert await every_id(as_("coordinator"), **filters) == [some_cases[place] for place in places]


async def test_a_cursor_stays_good_while_cases_come(as_: As, some_cases: list[str]) -> None:
    """A page that begins at a cursor shows the same cases although new ones came meanwhile."""
    coordinator = as_("coordinator")
    first = (await coordinator.get("/api/v1/cases", area="710", limit=2)).json()
    await as_(subject="reader-late").report(at("710.99"))
    second = (await coordinator.get("/api/v1/cases", area="710", limit=2, cursor=first["next_cursor"])).json()

    assert [item["case_id"] for item in second["items"]] == [some_cases[0]]
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"cursor": "nonsense"}, "cursor"),
        ({"cursor": "WzEsMl0="}, "cursor"),
        ({"ended": "maybe"}, "ended"),
    ],
)
async def test_a_bad_parameter_is_named(query: dict[str, Any], field: str, as_: As) -> None:
    """A parameter that makes no sense is a fault with its name, not an empty list."""
    answer = await as_("coordinator").get("/api/v1/cases", **query)

    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["faults"]] == [field]


async def test_legal_commands_are_the_callers_own(as_: As, some_cases: list[str]) -> None:
    """The same case tells each caller what that caller may do now."""
    case = some_cases[3]
    path = f"/api/v1/cases/{case}"
    legal = {
        name: (await caller.get(path)).json()["legal_commands"]
        for name, caller in {
            "resident": as_(subject="reader-3"),
            "officer": as_(Role.DEPARTMENT_OFFICER, department="urban-management"),
            "auditor": as_(Role.AUDITOR),
        }.items()
    }
    assert legal == {
        "resident": ["urge", "withdraw", "comment", "attach"],
        "officer": ["sign", "return_order", "ask_whistle", "comment", "attach"],
        "auditor": [],
    }


async def test_clocks_are_told_with_their_due_times(as_: As, some_cases: list[str]) -> None:
    """Each clock tells when it is due in the town's time zone; the case tells which is due first."""
    case = (await as_(subject="reader-3").get(f"/api/v1/cases/{some_cases[3]}")).json()

    due = {clock["name"]: clock["due_at"] for clock in case["clocks"]}
    assert case["due_clock"] == min(due, key=lambda name: due[name])
    assert all(moment.endswith("+08:00") for moment in due.values())


async def test_the_timeline_is_in_order_and_in_pages(as_: As, some_cases: list[str]) -> None:
    """Entries come in the order of the ledger; a page goes on where the one before ended."""
    path = f"/api/v1/cases/{some_cases[0]}/timeline"
    whole = (await as_("coordinator").get(path)).json()["items"]
    first = (await as_("coordinator").get(path, limit=2)).json()
    rest = (await as_("coordinator").get(path, cursor=first["next_cursor"])).json()

    assert [entry["seq"] for entry in whole] == list(range(1, len(whole) + 1))
    assert first["items"] + rest["items"] == whole
    assert whole[0]["title"] == "受理"
    assert whole[0]["actor"] == {"role": "resident", "department": None, "channel": "app"}


async def test_texts_are_read_on_the_record(as_: As, some_cases: list[str], pool: asyncpg.Pool) -> None:
    """Who reads what people wrote stands in `vault_reads`, with purpose and case."""
    await as_(Role.SUPERVISOR, "supervisor-7").get(f"/api/v1/cases/{some_cases[0]}/timeline")

    rows = await pool.fetch("select distinct purpose, case_id from vault_reads where who = 'supervisor-7'")
    assert [tuple(row) for row in rows] == [("show-timeline", some_cases[0])]


async def test_texts_and_persons_are_withheld_from_who_has_no_business_with_them(
    as_: As, some_cases: list[str], pool: asyncpg.Pool
) -> None:
    """An administrator sees no texts, a department not who reported; what is withheld is not read either."""
    path = f"/api/v1/cases/{some_cases[3]}/timeline"
    admin = (await as_(Role.ADMIN, "admin-7").get(path)).json()["items"][0]["facts"]
    department = as_(Role.DEPARTMENT_OFFICER, "officer-7", department="urban-management")
    officer = (await department.get(path)).json()["items"][0]["facts"]

    assert (admin["description"], admin["reporter"]) == ("〔不予显示〕", "〔不予显示〕")
    assert (officer["description"], officer["reporter"]) == (REPORT["description"], "〔不予显示〕")
    assert await pool.fetchval("select count(*) from vault_reads where who = 'admin-7'") == 0


async def test_a_timeline_of_somebody_elses_case_is_404(as_: As, some_cases: list[str]) -> None:
    """Residents read their own case only."""
    answer = await as_(subject="reader-2").get(f"/api/v1/cases/{some_cases[0]}/timeline")

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-case")


async def test_waiting_for_a_stage_ends_when_it_comes(as_: As) -> None:
    """A long-poll answers as soon as the case stands where the caller waits for it."""
    case = (await as_().report()).json()["case_id"]
    waiting = asyncio.create_task(as_().get(f"/api/v1/cases/{case}", wait="stage:handling", timeout=60))
    await as_(Role.DEPARTMENT_OFFICER, department="urban-management").command(case, "sign")

    answer = await asyncio.wait_for(waiting, 30)
    assert answer.json()["stage"] == "handling"


async def test_waiting_in_vain_is_answered_with_the_case_as_it_is(as_: As) -> None:
    """When patience is over, the case is told as it stands."""
    case = (await as_().report()).json()["case_id"]
    answer = await as_().get(f"/api/v1/cases/{case}", wait="ended", timeout=0.2)

    assert (answer.status_code, answer.json()["ended"]) == (200, False)


def test_every_kind_of_entry_has_a_title() -> None:
    """No entry is shown by its code."""
    assert set(Kind.kinds) == set(INCIDENT.titles)
