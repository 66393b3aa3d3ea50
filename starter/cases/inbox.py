"""GET /api/v1/inbox: what waits for the caller, what is due soon, what is overdue; from the projection."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query

from schemas.clocks.calendar import in_shanghai
from schemas.values.actor import FOR_THEMSELVES, Actor, Role
from starter.cases.case_lists import CaseLists, DueCounts, Filters, Sort
from starter.cases.reading import ReadingOf
from starter.cases.views import Inbox, InboxList
from starter.http.authentication import Caller, acting
from starter.http.documentation import SIGNED_IN, responses

INBOX_DEFAULT, INBOX_MAX = 20, 100
HOLDERS = frozenset(
    {Role.DEPARTMENT_OFFICER, Role.GRID_WORKER, Role.COORDINATOR, Role.COMMITTEE_OFFICER, *FOR_THEMSELVES}
)
"""Roles that hold cases. The others watch: what is due soon and overdue is, for them, all that they see."""

router = APIRouter(prefix="/api/v1/inbox", tags=["cases"])


@router.get(
    "", summary="待办 What waits for the caller", responses=responses({200: Inbox}, *SIGNED_IN, "bad-request", "database-away")
)  # fmt: skip
async def read_inbox(
    caller: Caller, reading: ReadingOf, limit: Annotated[int, Query(ge=1, le=INBOX_MAX)] = INBOX_DEFAULT
) -> Inbox:
    """Counts and the first page of each, the earliest due first; `list_url` and `next_cursor` lead on."""
    actor, now = acting(caller), reading.now()
    mine = Filters(holder=holder_of(actor))
    watched = mine if actor.role in HOLDERS else Filters(ended=False)

    due = (watched.narrowed(due_soon=True), watched.narrowed(overdue=True))

    async with CaseLists(reading.pool).transaction() as lists:
        # Whoever holds cases has few that are open: gone through once they are counted thrice. Who watches sees the whole town's.
        if watched is mine:
            counts = await lists.count_by_due(actor, mine, now)
        else:
            counts = DueCounts(*[await lists.count(actor, filters, now) for filters in (mine, *due)])

        async def list_of(filters: Filters, count: int) -> InboxList:
            rows, following = await lists.page(actor, filters, now, sort=Sort.DUE, after=None, limit=limit)
            return InboxList(
                count=count,
                items=rows,
                next_cursor=following.cursor(Sort.DUE) if following else None,
                list_url="/api/v1/cases?" + urlencode({"sort": Sort.DUE.value} | filters.query()),
            )

        return Inbox(
            as_of=in_shanghai(now),
            holder=holder_of(actor),
            mine=await list_of(mine, counts.whole),
            due_soon=await list_of(due[0], counts.due_soon),
            overdue=await list_of(due[1], counts.overdue),
        )


def holder_of(actor: Actor) -> str:
    """The code under which cases are this caller's to act on; with the caller's area or account beside it."""
    if actor.role is Role.DEPARTMENT_OFFICER:
        return f"department:{actor.department}"
    return "reporter" if actor.role in FOR_THEMSELVES else f"role:{actor.role}"
