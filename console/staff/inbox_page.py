"""待办: what waits for whoever is signed in, what is due soon, what is overdue."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from console.http.pages import AS_PAGES, HEADERS, page
from console.sign_in.signed_in import SignedIn, SignedInUnseen
from console.staff.rows import shown_rows
from starter.cases.inbox import read_inbox
from starter.cases.reading import ReadingOf
from starter.cases.views import Inbox, InboxList
from starter.intake.town_rules import TownRulesOf

ROWS_A_LIST = 15
"""So many, that a page of three full lists stays within what a first visit may take (docs/bench.md)."""

router = APIRouter(include_in_schema=False, dependencies=[AS_PAGES])


@router.get("/inbox")
async def inbox_page(request: Request, caller: SignedIn, reading: ReadingOf, town: TownRulesOf) -> Response:
    """The three lists of the API's inbox, the earliest due first."""
    inbox = await read_inbox(caller, reading, ROWS_A_LIST)
    counts = _counts(inbox)
    lists = [
        (*each, shown_rows(town, each[-1].items, inbox.as_of), each[-1].list_url.removeprefix("/api/v1"))
        for each in counts
    ]
    return page(request, "inbox.html", lists=lists, counts=counts, seen=_seen(counts), as_of=inbox.as_of)


@router.get("/inbox/counts")
async def inbox_counts(
    request: Request, caller: SignedInUnseen, reading: ReadingOf, seen: Annotated[str, Query(max_length=80)] = ""
) -> Response:
    """The counts alone, for a page that is looked at; nothing where they are those that it shows.

    Asked for by the page and by nobody, so a session is no longer for it.
    """
    counts = _counts(await read_inbox(caller, reading, 1))
    if seen == _seen(counts):
        return Response(status_code=HTTPStatus.NO_CONTENT, headers=HEADERS)
    return page(request, "counts.html", counts=counts, seen=_seen(counts))


def _counts(inbox: Inbox) -> list[tuple[str, str, str, InboxList]]:
    return [
        ("overdue", "已逾期", "Overdue", inbox.overdue),
        ("due_soon", "即将到期", "Due soon", inbox.due_soon),
        ("mine", "待我办理", "Waiting for me", inbox.mine),
    ]


def _seen(counts: list[tuple[str, str, str, InboxList]]) -> str:
    return "-".join(str(each[-1].count) for each in counts)
