"""Lists of cases, through the public door: filters, order, cursors; and what a caller who has an answer need not fetch."""

from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from tests.api_callers import REPORT, As, Caller

pytest_plugins = ("tests.api_fixture",)

PLACE = REPORT["location"]
CATEGORIES = ("环境卫生", "安全隐患", "劳动和社会保障", "突发险情", "邻里纠纷")


def at(area: str, category: str = "环境卫生") -> dict[str, Any]:
    """A report from an area."""
    return REPORT | {"location": PLACE | {"area": area}, "category": category}


async def listed(caller: Caller, limit: int = 2, **filters: Any) -> list[dict[str, Any]]:
    """All cases that a caller is shown, page by page."""
    items: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await caller.get("/api/v1/cases", limit=limit, **filters, **cursor)
        assert answer.status_code == 200, answer.text
        items += answer.json()["items"]
        if answer.json()["next_cursor"] is None:
            return items
        cursor = {"cursor": answer.json()["next_cursor"]}


def ids(items: list[dict[str, Any]]) -> list[str]:
    """Their numbers."""
    return [item["case_id"] for item in items]


@pytest.fixture(scope="module")
async def town(as_: As) -> list[dict[str, Any]]:
    """Five cases of one area, of different urgency, in the order in which they were reported; their orders have come in."""
    cases = [(await as_(subject="lister").report(at("810.1", category))).json() for category in CATEGORIES]
    return [
        (await as_("coordinator").get(f"/api/v1/cases/{case['case_id']}", wait="seq:3", timeout=30)).json()
        for case in cases
    ]


async def test_a_list_by_due_time_begins_with_what_is_due_first(as_: As, town: list[dict[str, Any]]) -> None:
    """Sorted by `due`, the earliest due time comes first, over pages too; each case comes once."""
    items = await listed(as_("coordinator"), area="810.1", sort="due")

    assert ids(items) == [case["case_id"] for case in sorted(town, key=lambda case: (case["due_at"], case["case_id"]))]


async def test_what_has_no_due_time_stands_last(as_: As) -> None:
    """A case without a running clock is in the list by due time, behind all that have one, and after a cursor too."""
    ended, running = [(await as_(subject="lister").report(at("811"))).json()["case_id"] for _ in range(2)]
    await as_("coordinator").command(ended, "reject", {"reason": "不属于公共事务"})

    assert ids(await listed(as_("coordinator"), limit=1, area="811", sort="due")) == [running, ended]


async def test_a_case_that_comes_meanwhile_hides_and_repeats_none(as_: As) -> None:
    """A cursor names a place: a case reported between two pages moves no other, in either order."""
    coordinator = as_("coordinator")
    before = {(await as_(subject="lister").report(at("812"))).json()["case_id"] for _ in range(3)}
    for sort in ("opened", "due"):
        first = (await coordinator.get("/api/v1/cases", area="812", limit=2, sort=sort)).json()
        late = (await as_(subject="lister").report(at("812", "突发险情"))).json()["case_id"]
        page = await coordinator.get("/api/v1/cases", area="812", limit=9, sort=sort, cursor=first["next_cursor"])
        rest = page.json()["items"]
        shown = ids(first["items"]) + ids(rest)
        assert len(shown) == len(set(shown))
        assert before <= set(shown)
        assert late not in shown  # the newest, and the first due: both lie before the cursor
        before.add(late)


async def test_a_cursor_is_good_for_its_own_order_only(as_: As, town: list[dict[str, Any]]) -> None:
    """A cursor of the list by opening is refused in the list by due time, as a fault of `cursor`."""
    page = (await as_("coordinator").get("/api/v1/cases", area="810.1", limit=2)).json()
    answer = await as_("coordinator").get("/api/v1/cases", area="810.1", sort="due", cursor=page["next_cursor"])

    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["faults"]] == ["cursor"]


async def test_a_range_of_times_has_its_beginning_and_not_its_end(as_: As, town: list[dict[str, Any]]) -> None:
    """`opened_from` is in the range and `opened_to` is not; the same for due times."""
    coordinator = as_("coordinator")
    one, three = town[1]["opened_at"], town[3]["opened_at"]
    opened = await listed(coordinator, area="810.1", opened_from=one, opened_to=three)
    moments = sorted({case["due_at"] for case in town})  # some fall together while the offices are closed
    due = await listed(coordinator, area="810.1", due_from=moments[0], due_to=moments[-1], sort="due")

    assert ids(opened) == [town[2]["case_id"], town[1]["case_id"]]
    assert len(moments) > 1
    assert [case["due_at"] for case in due] == sorted(case["due_at"] for case in town if case["due_at"] < moments[-1])


async def test_a_day_in_a_range_is_the_whole_day_of_the_town(as_: As, town: list[dict[str, Any]]) -> None:
    """A day as `opened_to` still counts; the day begins at 0:00 in Asia/Shanghai."""
    day = datetime.fromisoformat(town[0]["opened_at"]).date()
    same = await listed(as_("coordinator"), area="810.1", opened_from=day, opened_to=day + timedelta(days=1))
    earlier = await listed(as_("coordinator"), area="810.1", opened_to=day - timedelta(days=1))

    assert (len(same), earlier) == (5, [])


@pytest.mark.parametrize(
    "given", ["yesterday", "2026-11-21T09:00:00", "2026-02-30", "9999-12-31", "0001-01-01T00:00:00Z"]
)
async def test_a_time_without_meaning_is_a_fault(given: str, as_: As) -> None:
    """What is neither day nor time with offset, or lies beyond all calendars, is named with its remedy."""
    answer = await as_("coordinator").get("/api/v1/cases", opened_to=given)

    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["faults"]] == ["opened_to"]


async def test_any_part_of_a_case_number_finds_the_case(as_: As, town: list[dict[str, Any]]) -> None:
    """Who remembers the end of a number, or its day, finds the case; signs of patterns mean themselves."""
    wanted = town[2]["case_id"]
    whole = await listed(as_("coordinator"), number=wanted.upper())
    tail = await listed(as_("coordinator"), area="810.1", number=wanted[-8:])
    pattern = await listed(as_("coordinator"), area="810.1", number="%")

    assert (ids(whole), ids(tail), pattern) == ([wanted], [wanted], [])


async def test_the_category_narrows_a_list(as_: As, town: list[dict[str, Any]]) -> None:
    """`category` leaves the cases of one line of the responsibility list."""
    assert ids(await listed(as_("coordinator"), area="810.1", category="突发险情")) == [town[3]["case_id"]]


async def test_areas_are_whole_parts_of_a_code(as_: As) -> None:
    """Area 813.1 has 813.1 and 813.1.2 in it, and neither 813.10 nor 813.1-2."""
    areas = ("813.1", "813.1.2", "813.10", "813.1-2")
    cases = {area: (await as_(subject="lister").report(at(area))).json()["case_id"] for area in areas}

    wanted = {cases["813.1"], cases["813.1.2"]}
    assert set(ids(await listed(as_("coordinator"), area="813.1"))) == wanted
    assert set(ids(await listed(as_("coordinator", area="813.1")))) == wanted


async def test_what_was_not_asked_for_is_not_filtered(as_: As, town: list[dict[str, Any]], pool: asyncpg.Pool) -> None:
    """Without filters, somebody for the whole town is shown every case there is."""
    shown = ids(await listed(as_("coordinator"), limit=200))

    assert set(shown) >= {case["case_id"] for case in town}
    assert len(shown) == len(set(shown))


async def test_an_unchanged_case_is_answered_without_a_body(as_: As, town: list[dict[str, Any]]) -> None:
    """With the ETag of the last answer in If-None-Match: 304 while nothing changed, the case when something did."""
    resident, path = as_(subject="lister"), f"/api/v1/cases/{town[0]['case_id']}"
    first = await resident.get(path)
    resident.headers |= {"If-None-Match": first.headers["etag"]}
    same = await resident.get(path)
    await as_("supervisor").command(town[0]["case_id"], "urge")
    changed = await resident.get(path)

    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", first.headers["etag"])
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"


async def test_two_callers_do_not_share_an_etag(as_: As, town: list[dict[str, Any]]) -> None:
    """What is legal differs by caller, so an ETag of one says nothing about what another is shown."""
    path = f"/api/v1/cases/{town[1]['case_id']}"

    assert (await as_(subject="lister").get(path)).headers["etag"] != (await as_("auditor").get(path)).headers["etag"]


async def test_waiting_for_a_case_that_is_not_there_ends_at_once(as_: As) -> None:
    """A case that the caller may not see is 404 at once, not after the patience of a wait."""
    answer = await as_().get("/api/v1/cases/incident-19990101-000001", wait="ended", timeout=60)

    assert answer.status_code == 404
    assert answer.elapsed < timedelta(seconds=10)
