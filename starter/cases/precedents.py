"""GET /api/v1/cases/{case_id}/precedents: who had such matters before, and how often they were given back."""

from datetime import timedelta

from fastapi import APIRouter

from schemas.clocks.calendar import TownDatetime, in_shanghai
from schemas.contracts.department import CallbackAct
from schemas.kernel.declaration import DeclaredProcedure
from schemas.kernel.procedure import Procedure
from schemas.values.actor import OWN_CASES_ONLY
from schemas.values.model import Model
from starter.cases.case_lists import sight
from starter.cases.case_queries import SQL
from starter.cases.reading import ReadingOf
from starter.http.authentication import Caller, acting
from starter.http.database import database
from starter.http.documentation import SIGNED_IN, responses

WITHIN = timedelta(days=365)
CASES_AT_MOST = 500
router = APIRouter(prefix="/api/v1/cases", tags=["cases"])


class Precedent(Model):
    """What became of such cases with one department: how many it had, how often it gave one back, how many were closed with it."""

    department: str
    cases: int
    returned: int
    closed: int


class Precedents(Model):
    """Who had the newest cases of the same category, at most 500 since `opened_from`; who had most first. No case is named."""

    case_id: str
    category: str | None
    opened_from: TownDatetime
    looked_at: int
    departments: list[Precedent]


@router.get(
    "/{case_id}/precedents",
    summary="承办参考 Who had such matters before, and how often they gave them back",
    responses=responses({200: Precedents}, *SIGNED_IN, "unknown-case", "database-away"),
)
async def precedents(case_id: str, caller: Caller, reading: ReadingOf) -> Precedents:
    """Of the cases that the caller sees. A hint for whoever dispatches; residents are told nothing."""
    actor = acting(caller)
    state = await reading.reader.state(case_id, actor)
    category, since = state.labels().get("category"), reading.now() - WITHIN
    if actor.role in OWN_CASES_ONLY or category is None:
        return Precedents(
            case_id=state.case_id, category=category, opened_from=in_shanghai(since), looked_at=0, departments=[]
        )
    told = _given_back(reading.reader.procedures[state.procedure])
    area, reporter, department = sight(actor)
    async with database(reading.pool) as connection:
        await connection.execute(SQL.plan_for_what_is_asked)
        arguments = (state.case_id, since, area, reporter, department, CASES_AT_MOST, told)
        rows = await connection.fetch(SQL.precedents, *arguments)
    return Precedents(
        case_id=state.case_id,
        category=category,
        opened_from=in_shanghai(since),
        looked_at=rows[0]["looked_at"] if rows else 0,
        departments=[Precedent.model_validate({name: row[name] for name in Precedent.model_fields}) for row in rows],
    )


def _given_back(procedure: Procedure) -> list[str]:
    """The entries by which a case tells that a department gave the work back."""
    command = procedure.callbacks.get(CallbackAct.RETURNED)
    if command is None or not isinstance(procedure, DeclaredProcedure):
        return []
    return [str(procedure.acts[command].entry)]
