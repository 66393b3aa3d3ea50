"""Lists of cases: what a caller sees, filtered, in pages by opening or by due time; and how many there are.

A cursor names the place of the last row shown, not a page number: cases that come or go meanwhile neither repeat nor
hide another. A page is one short transaction, so a slow reader of an export holds no connection.
"""

import base64
import binascii
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, NamedTuple

import asyncpg
from fastapi import Depends, Query

from schemas.clocks.calendar import SHANGHAI
from schemas.kernel.visibility import involved_as
from schemas.values.actor import OWN_CASES_ONLY, Actor, Role
from schemas.values.refusals import Fault, say
from starter.cases.case_queries import SQL
from starter.cases.number_parts import ANY_NUMBER, FEW, FEW_FOR_SOME, NumberPart
from starter.cases.views import CaseRow
from starter.http.database import Connection, database
from starter.http.parameters import CASE_ID, CodeText, DayText, LastDayText, within_bounds
from starter.http.problems import bad_request
from workflows.registry import PROCEDURES

EXPORT_PAGE = 1000
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Sort(StrEnum):
    """By what a list is ordered."""

    OPENED = "opened"  # the newest first
    DUE = "due"  # the earliest due time first, what has none last


PAGES = {
    Sort.OPENED: f"with matching as ({SQL.matching}) {SQL.page_by_opening}",
    Sort.DUE: f"with matching as ({SQL.matching}) {SQL.page_by_due}",
}
PAGES_OF_FEW = {
    Sort.OPENED: f"with matching as materialized ({SQL.matching}) {SQL.page_by_opening}",
    Sort.DUE: f"with matching as materialized ({SQL.matching}) {SQL.page_by_due}",
}
"""The same where few match: all are found, then put in order. In one go Postgres might look for them in the order of the list."""

COUNT = f"with matching as ({SQL.matching}) {SQL.count_matching}"
COUNT_BY_DUE = f"with matching as ({SQL.matching}) {SQL.count_by_due}"
COUNT_SOME = f"with matching as ({SQL.matching}) {SQL.count_some_matching}"


@dataclass(frozen=True)
class Filters:
    """What a list is narrowed by; None leaves all. Ranges are half open: from inclusive, before exclusive."""

    procedure: str | None = None
    stage: str | None = None
    department: str | None = None
    area: str | None = None
    holder: str | None = None
    category: str | None = None
    ended: bool | None = None
    overdue: bool | None = None
    due_soon: bool | None = None
    opened_from: datetime | None = None
    opened_before: datetime | None = None
    due_from: datetime | None = None
    due_before: datetime | None = None
    number: str | None = None

    def narrowed(self, **other: str | bool | None) -> "Filters":
        """The same with some of them set."""
        return replace(self, **other)  # type: ignore[arg-type]

    def query(self) -> dict[str, str]:
        """Those that are set, as a caller would write them; times not among them."""
        named = {name: getattr(self, name) for name in ("holder", "ended", "overdue", "due_soon")}
        return {name: str(value).lower() for name, value in named.items() if value is not None}

    def values(self, part: NumberPart = ANY_NUMBER) -> tuple[object, ...]:
        """In the order of the parameters of `matching`, from the fifth on. `part`: what was found of `number`."""
        return (
            self.procedure, self.stage, self.department, self.area, self.holder, self.category, self.ended, self.overdue,
            self.due_soon, self.opened_from, self.opened_before, self.due_from, self.due_before, *part.values(),
        )  # fmt: skip


def _filters(  # noqa: PLR0917 - query parameters
    procedure: CodeText = None,
    stage: CodeText = None,
    department: CodeText = None,
    area: CodeText = None,
    holder: CodeText = None,
    category: CodeText = None,
    ended: bool | None = None,  # noqa: FBT001 - a query parameter
    overdue: bool | None = None,  # noqa: FBT001 - a query parameter
    due_soon: bool | None = None,  # noqa: FBT001 - a query parameter
    opened_from: DayText = None,
    opened_to: LastDayText = None,
    due_from: DayText = None,
    due_to: LastDayText = None,
    number: Annotated[CodeText, Query(description="any part of the case number")] = None,
) -> Filters:
    return Filters(
        procedure=procedure,
        stage=stage,
        department=department,
        area=area,
        holder=holder,
        category=category,
        ended=ended,
        overdue=overdue,
        due_soon=due_soon,
        opened_from=beginning("opened_from", opened_from),
        opened_before=end("opened_to", opened_to),
        due_from=beginning("due_from", due_from),
        due_before=end("due_to", due_to),
        number=number,
    )


FiltersOf = Annotated[Filters, Depends(_filters)]


def beginning(field: str, given: str | None) -> datetime | None:
    """Where a range begins: a day at its 0:00 in the town. Raises Problem for what is neither day nor time."""
    return None if given is None else _moment(field, given, timedelta(0))


def end(field: str, given: str | None) -> datetime | None:
    """Before what a range ends: a day still counts. Raises Problem for what is neither day nor time."""
    return None if given is None else _moment(field, given, timedelta(days=1))


def _moment(field: str, given: str, later: timedelta) -> datetime:
    try:
        if _DAY.fullmatch(given):
            return _bounded(datetime.combine(date.fromisoformat(given), time(0), SHANGHAI) + later)
        # A plus sign in an address is a space unless it is escaped; nothing else in a time is one.
        moment = datetime.fromisoformat(given.replace(" ", "+"))
        if moment.tzinfo is not None:
            return _bounded(moment).astimezone(SHANGHAI)
        reason = say("时间缺少时区", "is a time without its offset")
    except (ValueError, OverflowError):
        reason = say("不是日期或时间", "is neither a day nor a time")
    remedy = say("例如 2026-11-21 或 2026-11-21T09:00:00+08:00", "write 2026-11-21 or 2026-11-21T09:00:00+08:00")
    raise bad_request([Fault(field=field, reason=reason, remedy=remedy)])


def _bounded(moment: datetime) -> datetime:
    if not within_bounds(moment):
        raise ValueError("no town can mean this")
    return moment


class DueCounts(NamedTuple):
    """How many cases there are, and how many of them are due soon and overdue."""

    whole: int
    due_soon: int
    overdue: int


@dataclass(frozen=True)
class PagePlace:
    """Where a page begins: after the row with this time and number."""

    at: datetime | None
    case_id: str

    def cursor(self, sort: Sort) -> str:
        """The place as a caller gets it."""
        plain = json.dumps([sort, self.at.isoformat() if self.at else None, self.case_id])
        return base64.urlsafe_b64encode(plain.encode()).decode()


def place_of(cursor: str | None, sort: Sort) -> PagePlace | None:
    """The place that a cursor names. Raises Problem: not ours, or of a list in another order."""
    if cursor is None:
        return None
    try:
        sorted_by, at, case_id = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        place = PagePlace(datetime.fromisoformat(at) if at is not None else None, case_id)
        usable = sorted_by == sort and CASE_ID.fullmatch(case_id) is not None
        usable = usable and (_usable(place.at) if place.at else sort is Sort.DUE)
    except (ValueError, TypeError, OverflowError, binascii.Error, RecursionError):
        usable = False
    if usable:
        return place
    raise bad_request(
        [
            Fault(
                field="cursor",
                reason=say("不是此列表的有效游标", "is no cursor of this list"),
                remedy=say("请使用上一页给出的下一页标记", "use the next_cursor of the page before, in the same order"),
            )
        ]
    )


def _usable(moment: datetime) -> bool:
    return moment.tzinfo is not None and within_bounds(moment)


class CaseLists:
    """Pages and counts of what a caller sees. Raises Problem 503 without Postgres."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def page(
        self, actor: Actor, filters: Filters, now: datetime, *, sort: Sort, after: PagePlace | None, limit: int
    ) -> tuple[list[CaseRow], PagePlace | None]:
        """A page, and where the next one begins; None when this was the last. `now` is town time, `limit` the most rows of it."""
        async with self.transaction() as lists:
            return await lists.page(actor, filters, now, sort=sort, after=after, limit=limit)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["ListsTransaction"]:
        """Several pages and counts in one transaction: for each by itself a connection would be had and given back."""
        async with database(self._pool) as connection:
            await connection.execute(SQL.plan_for_what_is_asked)
            yield ListsTransaction(connection)

    async def count_some(self, actor: Actor, filters: Filters, now: datetime, at_most: int) -> int:
        """How many there are, or `at_most` where there are as many or more."""
        async with self.transaction() as lists:
            return await lists.count_some(actor, filters, now, at_most)

    async def all(
        self, actor: Actor, filters: Filters, now: datetime, sort: Sort, page_size: int = EXPORT_PAGE
    ) -> AsyncIterator[list[CaseRow]]:
        """Every page, one short transaction each."""
        after: PagePlace | None = None
        while True:
            rows, after = await self.page(actor, filters, now, sort=sort, after=after, limit=page_size)
            yield rows
            if after is None:
                return


_HUSHED = frozenset(case.procedure.name for case in PROCEDURES if case.procedure.hushed)


def _without_hushed(row: CaseRow, reader: Actor) -> CaseRow:
    """A row without its due time, where that could be of a clock of which residents learn nothing; the case shows the others."""
    if reader.role is not Role.RESIDENT or row.procedure not in _HUSHED:
        return row
    return row.model_copy(update={"due_at": None, "due_clock": None})


class ListsTransaction:
    """Pages and counts in a transaction that is open."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._parts: dict[tuple[str | None, int], NumberPart] = {}

    async def page(
        self, actor: Actor, filters: Filters, now: datetime, *, sort: Sort, after: PagePlace | None, limit: int
    ) -> tuple[list[CaseRow], PagePlace | None]:
        """A page, as `CaseLists.page`."""
        place = (after.at, after.case_id) if after else (None, None)
        part = await self._part_of(actor, filters)
        arguments = (*sight(actor), now, *filters.values(part), *place, limit + 1)
        found = await self._connection.fetch((PAGES_OF_FEW if part.few else PAGES)[sort], *arguments)
        rows = [CaseRow.model_validate(dict(row)) for row in found]
        if len(rows) <= limit:
            return [_without_hushed(row, actor) for row in rows], None
        last = rows[limit - 1]
        return [_without_hushed(row, actor) for row in rows[:limit]], PagePlace(
            last.opened_at if sort is Sort.OPENED else last.due_at, last.case_id
        )

    async def count(self, actor: Actor, filters: Filters, now: datetime) -> int:
        """How many there are."""
        part = await self._part_of(actor, filters)
        return int(await self._connection.fetchval(COUNT, *sight(actor), now, *filters.values(part)))

    async def count_some(self, actor: Actor, filters: Filters, now: datetime, at_most: int) -> int:
        """How many there are, as `CaseLists.count_some`."""
        part = await self._part_of(actor, filters)
        if part.many:  # mostly there are enough among those that were found
            asked = (*sight(actor), now, *filters.values(part.only(at_most)), at_most)
            if await self._connection.fetchval(COUNT_SOME, *asked) == at_most:
                return at_most
        return int(await self._connection.fetchval(COUNT_SOME, *sight(actor), now, *filters.values(part), at_most))

    async def count_by_due(self, actor: Actor, filters: Filters, now: datetime) -> DueCounts:
        """How many there are, how many of them are due soon and how many overdue; it goes through all of them once."""
        part = await self._part_of(actor, filters)
        [row] = await self._connection.fetch(COUNT_BY_DUE, *sight(actor), now, *filters.values(part))
        return DueCounts(row["whole"], row["due_soon"], row["overdue"])

    async def _part_of(self, actor: Actor, filters: Filters) -> NumberPart:
        """What is found of a part of the number, looked for once in a transaction."""
        few = FEW if sight(actor) == (None, None, None) else FEW_FOR_SOME
        asked = (filters.number, few)
        if asked not in self._parts:
            self._parts[asked] = await NumberPart.look_for(self._connection, *asked)
        return self._parts[asked]


def sight(actor: Actor) -> tuple[str | None, str | None, list[str] | None]:
    """What an actor sees, as `matching` takes it: area, account, and whom it involves, one of which is enough; None: not narrowed.

    Says what `may_see` says.
    """
    own, involved = actor.role in OWN_CASES_ONLY, involved_as(actor)
    return (
        None if own else actor.area,
        actor.subject if own else None,
        None if involved is None else list(involved),
    )
