"""GET /api/v1/cases: lists, one case, its timeline."""

from typing import Annotated

from fastapi import APIRouter, Header, Query
from starlette.responses import Response

from starter.cases.announcements import CASES
from starter.cases.case_lists import CaseLists, FiltersOf, Sort, place_of
from starter.cases.reading import ReadingOf
from starter.cases.views import CasePage, CaseView, Timeline
from starter.http.authentication import Caller, acting
from starter.http.documentation import SIGNED_IN, responses
from starter.http.json_answers import NOT_MODIFIED, with_etag

PAGE_DEFAULT, PAGE_MAX = 50, 200
ENTRIES_MAX = 500
WAIT_DEFAULT_SECONDS, WAIT_MAX_SECONDS = 30.0, 60.0

router = APIRouter(prefix="/api/v1/cases", tags=["cases"])


@router.get(
    "",
    summary="案件列表 Cases that the caller sees",
    responses=responses({200: CasePage}, *SIGNED_IN, "bad-request", "database-away"),
)
async def list_cases(  # noqa: PLR0917 - query parameters
    caller: Caller,
    reading: ReadingOf,
    filters: FiltersOf,
    sort: Sort = Sort.OPENED,
    cursor: Annotated[str | None, Query(max_length=400)] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = PAGE_DEFAULT,
) -> CasePage:
    """The newest first, or the earliest due. The cursor stays good while cases come and change: it names a place."""
    lists, now = CaseLists(reading.pool), reading.now()
    rows, following = await lists.page(
        acting(caller), filters, now, sort=sort, after=place_of(cursor, sort), limit=limit
    )
    return CasePage(items=rows, next_cursor=following.cursor(sort) if following else None)


@router.get(
    "/{case_id}",
    summary="案件 One case, with what the caller may do now",
    response_model=CaseView,
    responses=responses({200: CaseView}, *SIGNED_IN, "unknown-case", "bad-request", "database-away") | NOT_MODIFIED,
)
async def read_case(  # noqa: PLR0917 - query parameters
    case_id: str,
    caller: Caller,
    reading: ReadingOf,
    wait: Annotated[str | None, Query(pattern=r"^(stage:[a-z_]{1,40}|seq:[0-9]{1,9}|ended)$")] = None,
    timeout: Annotated[float, Query(ge=0, le=WAIT_MAX_SECONDS)] = WAIT_DEFAULT_SECONDS,  # noqa: ASYNC109 - the caller's
    if_none_match: Annotated[str | None, Header(description="the ETag of an answer that you still have")] = None,
) -> Response:
    """With `wait=stage:closed`, `wait=seq:5` or `wait=ended`: as soon as it is so, or after `timeout` seconds.

    The ETag changes with whatever this caller is shown, so also when a command becomes legal by the passing of time.
    """
    actor = acting(caller)

    async def look() -> CaseView | None:
        now = reading.reader.view(await reading.reader.state(case_id, actor), actor, reading.now())
        return now if wait is None or _has_come(now, wait) else None

    view = await look()  # a case that is not there is not waited for
    if view is None:
        view = await reading.announcements.until(CASES, case_id, look, timeout)
    if view is None:
        view = reading.reader.view(await reading.reader.state(case_id, actor), actor, reading.now())
    return with_etag(view, if_none_match)


@router.get(
    "/{case_id}/timeline",
    summary="办理过程 What happened, readable",
    responses=responses({200: Timeline}, *SIGNED_IN, "unknown-case", "bad-request", "database-away"),
)
async def read_timeline(
    case_id: str,
    caller: Caller,
    reading: ReadingOf,
    cursor: Annotated[int, Query(ge=0, le=10**9)] = 0,
    limit: Annotated[int, Query(ge=1, le=ENTRIES_MAX)] = ENTRIES_MAX,
) -> Timeline:
    """In order, from the entry after `cursor`. Whoever reads texts is recorded."""
    actor = acting(caller)
    entries = await reading.reader.timeline(case_id, actor, cursor, limit + 1)
    more = len(entries) > limit
    items = entries[:limit]
    return Timeline(case_id=case_id, items=items, next_cursor=str(items[-1].seq) if more else None)


def _has_come(view: CaseView, wait: str) -> bool:
    what, _, value = wait.partition(":")
    return {
        "stage": view.stage == value,
        "seq": view.seq >= int(value) if what == "seq" else False,
        "ended": view.ended,
    }[what]
