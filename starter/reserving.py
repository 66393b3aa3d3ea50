"""Reserving at the door: what only one living case may have is reserved in the transaction that accepts what decides of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import BaseModel

from engine.reservations import owed, reserve, sights_of
from schemas.actor import Actor
from schemas.case import CaseState
from schemas.department_policy import Name
from schemas.procedure import Procedure
from schemas.refusals import Refusal, RefusalCode, say
from schemas.reservation import Occasion
from schemas.visibility import Sight, may_see
from starter.database import Connection
from starter.problems import Attempt, Problem


class Reserving:
    """Reserves what a procedure's cases claim. Raises Problem 409: then the whole transaction is undone."""

    def __init__(self, procedures: Mapping[str, Procedure]) -> None:
        self._procedures = procedures

    async def open(self, connection: Connection, state: CaseState, actor: Actor, act: str) -> None:
        """Reserve for a new case."""
        await self._ask(connection, state, actor, act, Occasion.DOOR)

    async def decide(
        self, connection: Connection, state: CaseState, actor: Actor, command: str, occasion: Occasion
    ) -> None:
        """Reserve for a case that a command decides of."""
        await self._ask(connection, state, actor, command, occasion)

    def occasion(
        self, state: CaseState, command: str, given: BaseModel, actor: Actor, now: datetime
    ) -> Occasion | None:
        """On which occasion a command asks. What the case will refuse anyway makes nobody count."""
        procedure = self._procedures[state.procedure]
        found = None if procedure.reserves is None else procedure.reserves.occasion(state, command, given)
        if (
            found in {Occasion.TAKEN, Occasion.ADVANCED}
            and procedure.rules.check(state, command, actor, now) is not None
        ):
            return Occasion.DECIDED
        return found

    async def _ask(
        self, connection: Connection, state: CaseState, actor: Actor, command: str, occasion: Occasion
    ) -> None:
        reserves = self._procedures[state.procedure].reserves
        if reserves is None:
            return
        found = await reserve(connection, reserves.kind, state.case_id, reserves.claims(state), occasion)
        if (debts := reserves.debts(state, command)) is not None:
            found = (*found, *await owed(connection, state.case_id, debts))
        if found:
            stands = occasion is not Occasion.DOOR
            raise _held(
                reserves.says,
                _known_to(actor, await sights_of(connection, found)),
                command=command,
                case_id=state.case_id if stands else None,
                stage=state.stage if stands else "",
            )


def _known_to(actor: Actor, sights: Mapping[str, Sight]) -> tuple[str, ...]:
    """Those of the cases in the way that the caller sees anyway. Of the others is said only that there is one."""
    return tuple(case_id for case_id, sight in sorted(sights.items()) if may_see(sight, actor))


def _held(says: Name, named: Sequence[str], *, command: str, case_id: str | None, stage: str) -> Problem:
    where = ", ".join(named)
    chinese, english = (f":{where}", f": {where}") if named else (",可到窗口查询", "; ask at the window which")
    detail = say(says.zh + chinese, says.en + english)
    return Problem(
        RefusalCode.ALREADY_HELD,
        detail,
        refusal=Refusal(
            code=RefusalCode.ALREADY_HELD, detail=detail, command=command, stage=stage, in_the_way=tuple(named)
        ),
        attempt=Attempt(RefusalCode.ALREADY_HELD, command, case_id),
    )
