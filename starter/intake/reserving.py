"""Reserving at the door: what only one living case may have is reserved in the transaction that accepts what decides of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel

from engine.store.reservations import complete, owed, reserve, sights_of
from schemas.contracts.department_policy import Name
from schemas.contracts.reservation import Occasion
from schemas.kernel.case import CaseState
from schemas.kernel.policy import Policy
from schemas.kernel.procedure import Procedure
from schemas.kernel.visibility import Sight, may_see
from schemas.values.actor import Actor
from schemas.values.refusals import Refusal, RefusalCode, say
from starter.http.database import Connection
from starter.http.problems import Attempt, Problem


@dataclass(frozen=True)
class Deciding:
    """What a command decides about what is held; `sure`: whether it is sure then whose it is."""

    occasion: Occasion
    sure: bool


class Reserving:
    """Reserves what a procedure's cases claim. Raises Problem 409: then the whole transaction is undone."""

    def __init__(self, procedures: Mapping[str, Procedure], policies: Mapping[str, Policy]) -> None:
        """`policies` by procedure: what a case from before does not know of itself is said by today's."""
        self._procedures, self._policies = procedures, policies

    async def complete(self, connection: Connection) -> None:
        """Let living cases hold what they did not know of when they came; once, when an API starts."""
        for name, procedure in self._procedures.items():
            if procedure.reserves is not None and name in self._policies:
                await complete(connection, procedure.reserves.kind, procedure.reserves.pairs(self._policies[name]))

    async def open(self, connection: Connection, state: CaseState, actor: Actor, act: str) -> None:
        """Reserve for a new case."""
        if (reserves := self._procedures[state.procedure].reserves) is not None:
            deciding = Deciding(Occasion.DOOR, sure=reserves.sure(state, act, None, actor))
            await self._ask(connection, state, actor, act, deciding)

    async def decide(
        self, connection: Connection, state: CaseState, actor: Actor, command: str, deciding: Deciding
    ) -> None:
        """Reserve for a case that a command decides of."""
        await self._ask(connection, state, actor, command, deciding)

    def deciding(
        self, state: CaseState, command: str, given: BaseModel, actor: Actor, now: datetime
    ) -> Deciding | None:
        """What a command decides. What the case will refuse anyway makes nobody count, and nobody sure."""
        procedure = self._procedures[state.procedure]
        if (reserves := procedure.reserves) is None:
            return None
        found = reserves.occasion(state, command, given)
        if found is None:
            return None
        if procedure.rules.check(state, command, actor, now) is None:
            sure = reserves.sure(state, command, given, actor)
            given_now = found is not Occasion.ADVANCED or sure
            return Deciding(found if given_now else Occasion.DECIDED, sure=sure)
        before = reserves.sure(state, "", None, actor)
        return None if found is Occasion.SURE else Deciding(Occasion.DECIDED, sure=before)

    async def _ask(
        self, connection: Connection, state: CaseState, actor: Actor, command: str, deciding: Deciding
    ) -> None:
        reserves, occasion = self._procedures[state.procedure].reserves, deciding.occasion
        if reserves is None:
            return
        claims = reserves.claims(reserves.completed(state, self._policies.get(state.procedure)), deciding.sure)
        found = await reserve(connection, reserves.kind, state.case_id, claims, occasion)
        if (debts := reserves.debts(state, command, occasion)) is not None:
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
