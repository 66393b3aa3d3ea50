"""GET /api/v1/cases: lists, one case, its timeline."""

import base64
import binascii
import json
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from schemas.refusals import Fault, say
from starter.announcements import CASES
from starter.authentication import Caller, acting
from starter.case_reading import CASE_ID
from starter.documentation import responses
from starter.parts import PartsOf
from starter.problems import bad_request
from starter.views import CasePage, CaseView, Timeline

PAGE_DEFAULT, PAGE_MAX = 50, 200
ENTRIES_MAX = 500
WAIT_DEFAULT_SECONDS, WAIT_MAX_SECONDS = 30.0, 60.0

router = APIRouter(prefix="/api/v1/cases", tags=["cases"])
_Filter = Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00]*$")]


@router.get("", summary="案件列表 Cases that the caller sees", responses=responses({}, "token-missing", "bad-request"))
async def list_cases(  # noqa: PLR0917 - query parameters
    caller: Caller,
    parts: PartsOf,
    procedure: _Filter = None,
    stage: _Filter = None,
    department: _Filter = None,
    area: _Filter = None,
    holder: _Filter = None,
    ended: bool | None = None,  # noqa: FBT001 - a query parameter
    overdue: bool | None = None,  # noqa: FBT001 - a query parameter
    cursor: Annotated[str | None, Query(max_length=400)] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = PAGE_DEFAULT,
) -> CasePage:
    """Newest first. The cursor stays good while cases come and change: it names a place, not a page number."""
    filters = {
        "procedure": procedure,
        "stage": stage,
        "department": department,
        "area": area,
        "holder": holder,
        "ended": ended,
        "overdue": overdue,
    }
    rows = await parts.reader.page(acting(caller), filters, parts.intake.now(), _place(cursor), limit + 1)
    more = len(rows) > limit
    last = rows[limit - 1] if more else None
    return CasePage(items=rows[:limit], next_cursor=_cursor(last.opened_at, last.case_id) if last else None)


@router.get(
    "/{case_id}", summary="案件 One case, with what the caller may do now", responses=responses({}, "unknown-case")
)
async def read_case(
    case_id: str,
    caller: Caller,
    parts: PartsOf,
    wait: Annotated[str | None, Query(pattern=r"^(stage:[a-z_]{1,40}|seq:[0-9]{1,9}|ended)$")] = None,
    timeout: Annotated[float, Query(ge=0, le=WAIT_MAX_SECONDS)] = WAIT_DEFAULT_SECONDS,  # noqa: ASYNC109 - the caller's
) -> CaseView:
    """With `wait=stage:closed`, `wait=seq:5` or `wait=ended`: as soon as it is so, or after `timeout` seconds."""
    actor = acting(caller)
    state = await parts.reader.state(case_id, actor)
    view = parts.reader.view(state, actor, parts.intake.now())
    if wait is None:
        return view

    async def look() -> CaseView | None:
        now = parts.reader.view(await parts.reader.state(case_id, actor), actor, parts.intake.now())
        return now if _has_come(now, wait) else None

    if (come := await parts.announcements.until(CASES, case_id, look, timeout)) is not None:
        return come
    return parts.reader.view(await parts.reader.state(case_id, actor), actor, parts.intake.now())


@router.get("/{case_id}/timeline", summary="办理过程 What happened, readable", responses=responses({}, "unknown-case"))
async def read_timeline(
    case_id: str,
    caller: Caller,
    parts: PartsOf,
    cursor: Annotated[int, Query(ge=0, le=10**9)] = 0,
    limit: Annotated[int, Query(ge=1, le=ENTRIES_MAX)] = ENTRIES_MAX,
) -> Timeline:
    """In order, from the entry after `cursor`. Whoever reads texts is recorded."""
    actor = acting(caller)
    await parts.reader.state(case_id, actor)
    entries = await parts.reader.timeline(case_id, actor, cursor, limit + 1)
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


def _cursor(opened_at: datetime, case_id: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([opened_at.isoformat(), case_id]).encode()).decode()


def _place(cursor: str | None) -> tuple[datetime, str] | None:
    if cursor is None:
        return None
    try:
        opened_at, case_id = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        moment = datetime.fromisoformat(opened_at)
        usable = CASE_ID.fullmatch(case_id) is not None and moment.tzinfo is not None
    except (ValueError, TypeError, binascii.Error, RecursionError):
        usable = False
    if not usable:
        raise bad_request(
            [
                Fault(
                    field="cursor",
                    reason=say("不是有效的游标", "is no cursor of ours"),
                    remedy=say("请使用上一页的 next_cursor", "use the next_cursor of the page before"),
                )
            ]
        )
    return moment, case_id
