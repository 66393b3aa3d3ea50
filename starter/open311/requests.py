"""GET of service requests: what everybody may know of cases of published matters, and who reported one of that one.

A case is shown by number, matter, stage, department, community and days. Neither text nor address nor coordinates, nor the hour:
together they would name whoever reported it. Filters are as coarse as what is shown, or asking often would tell the rest.
"""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any

import asyncpg

from engine.keys.tokens import Principal
from engine.store.database import Queries
from schemas.clocks.calendar import SHANGHAI, in_shanghai
from schemas.values.area import around
from schemas.values.refusals import Fault, say
from schemas.values.tidy_text import tidy
from schemas.words.titles import words_for_residents
from starter.cases.case_lists import beginning, end
from starter.http.database import database
from starter.http.parameters import CASE_ID
from starter.http.problems import Problem, ProblemCode, bad_request
from starter.open311.door import Open311
from starter.open311.forms import Row
from starter.open311.services import Service

SPAN = timedelta(days=90)
ROWS_AT_MOST = 1000
PAGES_AT_MOST = 100
COMMUNITY_PARTS = 3
DAY = timedelta(days=1)

Asked = Mapping[str, str]


class RequestQueries(Queries):
    """engine/queries/open311.sql."""

    listed: str
    named: str


SQL = RequestQueries.load("open311")


async def named_requests(door: Open311, numbers: list[str], caller: Principal | None) -> list[Row]:
    """The cases of these numbers that this caller may know of. Raises Problem: too many, or Postgres is away."""
    if len(numbers) > ROWS_AT_MOST:
        raise bad_request(
            [_fault("service_request_id", "过多", f"names more than {ROWS_AT_MOST}", "分批查询", "ask in parts")]
        )
    services = door.services
    reported = sorted({each.procedure.name for each in services.values()})
    wanted = [each for each in (tidy(number).lower() for number in numbers) if CASE_ID.fullmatch(each)]
    pairs = _pairs(door, services, None)
    async with database(door.pool) as connection:
        told = caller.subject if caller else None
        rows = await connection.fetch(SQL.named, *pairs, wanted, reported, told, *_screened(services))
    return [_shown(door, services, row) for row in rows]


async def listed_requests(door: Open311, asked: Asked) -> list[Row]:
    """A page of the cases of published matters, newest first. Raises Problem: what is asked makes no sense, or Postgres is away."""
    services = door.services
    first, before = days_asked(asked, door.filing.intake.now())
    statuses = _words(asked.get("status", ""))
    page = _number(asked, "page", 1, PAGES_AT_MOST)
    size = _number(asked, "page_size" if "page_size" in asked else "max_requests", ROWS_AT_MOST, ROWS_AT_MOST)
    if set(statuses) - {"open", "closed"}:
        raise bad_request(
            [_fault("status", "不在可选范围内", "is none of the choices", "open、closed", "open or closed")]
        )
    closed = None if len(set(statuses)) != 1 else statuses[0] == "closed"
    pairs = _pairs(door, services, _words(asked.get("service_code", "")) or None)
    async with database(door.pool) as connection:
        rows = await connection.fetch(
            SQL.listed, *pairs, first, before, closed, size, (page - 1) * size, *_screened(services)
        )
    return [_shown(door, services, row) for row in rows]


def _pairs(door: Open311, services: Mapping[str, Service], codes: list[str] | None) -> tuple[list[str], list[str]]:
    """Procedure and matter of what is published, of these codes alone if any are named. Raises Problem: no such service."""
    wanted = services.keys() if codes is None else [tidy(each) for each in codes]
    if any(each not in services for each in wanted):
        raise no_service()
    published = {tidy(each) for each in door.policy.published}
    found = [services[each] for each in wanted if each in published]
    return [each.procedure.name for each in found], [each.code for each in found]


def _screened(services: Mapping[str, Service]) -> tuple[list[str], list[str]]:
    """Procedure and stage at which nobody of the town has looked at a case yet: a stranger's words are not the town's."""
    found = sorted(
        {(each.procedure.name, stage.value) for each in services.values() for stage in each.fields.screened_at}
    )
    return [procedure for procedure, _ in found], [stage for _, stage in found]


def no_service() -> Problem:
    """There is nothing of this code to report."""
    return Problem(ProblemCode.NOT_FOUND, say("没有此服务(service_code)", "service_code provided was not found"))


def _shown(door: Open311, services: Mapping[str, Service], row: asyncpg.Record) -> Row:
    procedure = door.filing.town.procedures[row["procedure"]]
    service = services.get(tidy(row["category"] or ""))
    words = words_for_residents(row["stage"], procedure)
    names = door.filing.town.names
    department = names.get(row["department"] or "")
    due = [each["due_at"] for each in row["clocks"] if service and each["name"] == service.fields.done]
    return {
        "service_request_id": row["case_id"],
        "status": "open" if row["closed_at"] is None else "closed",
        "status_notes": say(words.zh, words.en),
        "service_name": row["category"],
        "service_code": service.code if service else None,
        "description": None,
        "agency_responsible": department.zh if department else None,
        "service_notice": None,
        "requested_datetime": _day(row["opened_at"]),
        "updated_datetime": _day(row["changed_at"]),
        "expected_datetime": _day(datetime.fromisoformat(due[0]), ends=True) if due and due[0] else None,
        "address": _community(door, row["area"]),
        "address_id": None,
        "zipcode": None,
        "lat": None,
        "long": None,
        "media_url": None,
    }


def _community(door: Open311, area: str) -> str | None:
    """The names of the community and what it lies in; nothing finer, and nothing of an area that the town does not have."""
    names = door.filing.town.areas.names
    return "".join(names[each].zh for each in around(area)[:COMMUNITY_PARTS] if each in names) or None


def _day(moment: datetime, *, ends: bool = False) -> str:
    """The beginning of its day in the town, or the end."""
    day = datetime.combine(in_shanghai(moment).date(), time(0), SHANGHAI)
    return (day + DAY if ends and in_shanghai(moment) != day else day).isoformat()


def days_asked(asked: Asked, now: datetime) -> tuple[datetime, datetime]:
    """The days that are asked for, whole: by themselves the last ninety, never more."""
    first, last = beginning("start_date", asked.get("start_date")), end("end_date", asked.get("end_date"))
    if last is not None:
        last = datetime.fromisoformat(_day(last, ends=True))
    if first is not None:
        first = datetime.fromisoformat(_day(first))
    if first is None:
        last = last or datetime.fromisoformat(_day(now)) + DAY
        return last - SPAN, last
    if last is None:
        return first, first + SPAN
    if last - first > SPAN + DAY:
        raise bad_request([_fault("end_date", "跨度超过90天", "is more than 90 days away", "缩短跨度", "ask for less")])
    return first, last


def _number(asked: Asked, name: str, default: int, most: int) -> int:
    given = asked.get(name, "").strip()
    if not given:
        return default
    if not given.isascii() or not given.isdecimal() or not 1 <= int(given[:9]) <= most or len(given) > 9:  # noqa: PLR2004
        raise bad_request([_fault(name, f"应为1至{most}的整数", f"is no number from 1 to {most}", "请更正", "mend it")])
    return int(given)


def _words(given: str) -> list[str]:
    return [each.strip() for each in given.split(",") if each.strip()]


def _fault(field: str, zh: str, en: str, remedy_zh: str, remedy_en: str) -> Fault:
    return Fault(field=field, reason=say(zh, en), remedy=say(remedy_zh, remedy_en))


def plain_query(query: Any) -> dict[str, str]:
    """What is asked, each name once: of several the last one counts."""
    return {str(name): str(value) for name, value in query.items()}
