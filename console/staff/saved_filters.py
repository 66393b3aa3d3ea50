"""Filters of lists under a name: what a list is narrowed by is its address; here it is kept, and shared with one's own role."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

import asyncpg

from engine.keys.tokens import Principal
from engine.store.database import Queries
from schemas.values.account import is_number_of_a_person
from schemas.values.actor import Role
from schemas.values.model import Model
from schemas.values.refusals import Fault, say
from schemas.values.tidy_text import tidy
from starter.http.database import database, reading
from starter.http.dependencies import dependency
from starter.http.problems import bad_request
from starter.intake.town_rules import TownRules

FILTERS_AT_MOST = 50
NAME_CHARACTERS_MAX = 20
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DIGITS = re.compile(r"[0-9]{5}")
_YES_NO = frozenset({"true", "false"})
_DAYS = ("opened_from", "opened_to", "due_from", "due_to")
_HELD_BY_NOBODY_NAMED = frozenset({"reporter", "duty_leader", "supervisor", "district_office"})


class FilterQueries(Queries):
    """engine/queries/saved_filters.sql."""

    keep_filter: str
    filters_of: str
    drop_filter: str


SQL = FilterQueries.load("saved_filters")


class SavedFilter(Model):
    """A filter under its name. `own`: it can be deleted by whoever sees it here."""

    filter_id: int
    name: str
    query: str
    shared: bool
    own: bool


@dataclass(frozen=True)
class SavedFilters:
    """Keeps, lists and deletes filters. Raises Problem 503 without Postgres."""

    pool: asyncpg.Pool

    async def keep(self, caller: Principal, name: str, query: str, *, shared: bool) -> None:
        """Keep a filter, in place of the caller's own of this name; residents share with nobody. Raises Problem: too many."""
        shared = shared and may_share(caller)
        arguments = (caller.subject, caller.role.value, caller.department, name, query, shared, FILTERS_AT_MOST)
        async with database(self.pool) as connection:
            kept = await connection.fetchval(SQL.keep_filter, *arguments)
        if kept is None:
            reason = say(f"最多保存{FILTERS_AT_MOST}个筛选", f"nobody keeps more than {FILTERS_AT_MOST} filters")
            remedy = say("请先删除不用的筛选", "delete one that you do not need")
            raise bad_request([Fault(field="name", reason=reason, remedy=remedy)])

    async def of(self, caller: Principal) -> Sequence[SavedFilter]:
        """The caller's own filters, then those shared with their role."""
        async with reading(self.pool) as connection:
            rows = await connection.fetch(SQL.filters_of, caller.subject, caller.role.value, caller.department)
        return [SavedFilter.model_validate(dict(row)) for row in rows]

    async def drop(self, caller: Principal, filter_id: int) -> bool:
        """Delete a filter of the caller's own; False: there is none of this number."""
        async with database(self.pool) as connection:
            return await connection.fetchval(SQL.drop_filter, filter_id, caller.subject) is not None


SavedFiltersOf = Annotated[SavedFilters, dependency(SavedFilters)]


def may_share(caller: Principal) -> bool:
    """Whether there are others of the caller's role whose work is the same: of residents there are not."""
    return caller.role is not Role.RESIDENT


def name_of(given: str) -> str:
    """The name of a filter, in one form. Raises Problem: blank, too long, or with a number that may be somebody's."""
    name = tidy(given)
    names_somebody = _DIGITS.search(name) is not None or is_number_of_a_person(name)
    if name and name.isprintable() and len(name) <= NAME_CHARACTERS_MAX and not names_somebody:
        return name
    reason = say(
        f"名称应为1至{NAME_CHARACTERS_MAX}个字,不得含有号码",
        f"a name has 1 to {NAME_CHARACTERS_MAX} characters and no number of a person",
    )
    remedy = say("请填写简短名称,不要写人名", "write a short name of the list, and nobody's name")
    raise bad_request([Fault(field="name", reason=reason, remedy=remedy)])


def query_of(town: TownRules, pairs: Iterable[tuple[str, str]]) -> str:
    """What of an address is a filter to keep: codes that the town has, days, yes or no. Raises Problem for anything else.

    A part of a case number is left out: it finds one case today, and may be a number of something else.
    """
    given = {name: text for name, text in pairs if text and name not in {"cursor", "number"}}
    known = _known(town)
    wrong = [name for name, text in given.items() if name not in known or not _fits(known[name], text)]
    if wrong or not given.keys() - {"sort"}:
        reason = say("不是可保存的筛选条件", "is nothing that a filter can keep")
        remedy = say("请在列表页筛选后保存", "narrow a list first, then keep it")
        raise bad_request(
            [
                Fault(field=name if name in known else "query", reason=reason, remedy=remedy)
                for name in wrong or ["query"]
            ]
        )
    return urlencode(given)


def _known(town: TownRules) -> Mapping[str, Any]:
    """The names that a filter has, and what may stand in each: codes, or None for days."""
    stages = {stage.value for each in town.procedures.values() for stage in each.stages}
    departments = {each.code for each in town.departments.departments}
    held = {f"department:{code}" for code in departments} | {f"role:{role}" for role in Role}
    return {
        "procedure": town.procedures.keys(),
        "stage": stages,
        "department": departments,
        "area": town.areas.names.keys(),
        "holder": held | _HELD_BY_NOBODY_NAMED,
        "category": {each for policy in town.policies.values() for each in policy.searched()},
        "sort": {"due", "opened"},
        **dict.fromkeys(("ended", "overdue", "due_soon"), _YES_NO),
        **dict.fromkeys(_DAYS),
    }


def _fits(codes: Any, text: str) -> bool:
    return _DAY.fullmatch(text) is not None if codes is None else text in codes
