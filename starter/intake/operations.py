"""GET /api/v1/operations/stuck: for whoever runs the town - which cases do not get on, since when, for whom they wait."""

from fastapi import APIRouter
from temporalio.service import RPCError

from engine.keys.tokens import Principal
from engine.store.database import AWAY
from schemas.values.actor import Actor, Role
from schemas.values.model import Model
from schemas.values.refusals import Refusal, RefusalCode, say
from starter.cases.views import OperatorView
from starter.http.authentication import Caller, acting
from starter.http.database import PoolOf
from starter.http.documentation import SIGNED_IN, responses
from starter.http.problems import database_away, refused
from starter.intake.delivery import DeliveryOf, NotDelivered
from starter.intake.stuck import StuckCase, stuck_cases, undelivered_cases

OPERATORS = frozenset({Role.ADMIN, Role.SUPERVISOR})
ACTORS = frozenset({Role.SUPERVISOR})
"""Who does something about it: the reason goes into the case as a comment, which administrators write none of."""

router = APIRouter(prefix="/api/v1/operations", tags=["operation"])


class StuckCases(Model):
    """One line per case and reason. Not `complete`: Temporal does not answer, and only what waits for it is known."""

    complete: bool
    items: list[StuckCase]


@router.get(
    "/stuck",
    summary="停滞案件 Cases that do not get on",
    responses=responses({200: StuckCases}, *SIGNED_IN, "not-your-role", "database-away"),
)
async def read_stuck(caller: Caller, pool: PoolOf, delivery: DeliveryOf) -> StuckCases:
    """Codes only: no text of a case. For supervisors and administrators of the whole town."""
    refuse_unless_operator(caller, OPERATORS, "read_stuck")
    try:
        try:
            client = await delivery.client()
            return StuckCases(complete=True, items=await stuck_cases(pool, client))
        except (NotDelivered, RPCError):
            return StuckCases(complete=False, items=await undelivered_cases(pool))
    except AWAY as error:
        raise database_away() from error


@router.get(
    "/operator",
    summary="何人督办 Whether the caller may do something about what is stuck",
    responses=responses({200: OperatorView}, *SIGNED_IN, "not-your-role"),
)
async def read_operator(caller: Caller) -> OperatorView:
    """For whoever acts from a terminal and asks before anything is done. For supervisors of the whole town."""
    actor = refuse_unless_operator(caller, ACTORS, "act_on_stuck")
    return OperatorView(subject=caller.subject, role=actor.role)


def refuse_unless_operator(caller: Principal, roles: frozenset[Role], act: str) -> Actor:
    """The caller, who acts for the whole town in one of these roles. Raises Problem: kept as a refusal of `act`."""
    actor = acting(caller)
    if actor.role not in roles or actor.area is not None:
        named = "督办" if roles == ACTORS else "督办与系统管理员"
        english = "supervisors" if roles == ACTORS else "supervisors and administrators"
        detail = say(f"仅供全市{named}", f"this is for {english} of the whole town")
        raise refused(Refusal(code=RefusalCode.NOT_YOUR_ROLE, detail=detail, command=act))
    return actor
