"""Simulated people: they look at their lists through the API, and act. They know the wire only.

Nobody acts twice: the idempotency key of an act is made from the case, the command and the round (how often the case
has come to this point), so an answer that was lost, a restart of the API or of the people themselves changes nothing.
What each would do stands in `local/simulation/townspeople.py`.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog

from local.simulation.townspeople import (
    CLERK,
    COORDINATOR,
    COORDINATOR_HOLDS,
    GRID_WORKERS,
    RESIDENTS,
    Act,
    Happening,
    Matter,
    Persona,
    decide,
    officer,
)
from schemas.clocks.town_time import TownTime
from schemas.incident import INCIDENT
from schemas.incident_state import Stage
from schemas.values.actor import Role
from schemas.values.location import AREA_UNKNOWN
from starter.cases.views import CaseRow
from starter.client import NotSettled, Refused, TownClient, http_client

log = structlog.get_logger()

TokenFor = Callable[[Persona], str]
"""Gives a token that is valid now. Made by whoever holds the town's keys; the people do not."""

LOOK_EVERY = timedelta(minutes=10)
LOOK_EVERY_SECONDS_LEAST, LOOK_EVERY_SECONDS_MOST = 0.4, 5.0
QUIETER_AT_MOST = 4
ENTRIES_BEFORE_REWORK = 7
"""Reported, dispatched, received, signed, arrived, finished, sent back: no case with fewer entries has come back."""


@dataclass(frozen=True)
class Neighbourhood:
    """Where and when the people live. `departments` are all of the town, `desks` those without a system of their own.

    `at_once` bounds the requests of all people together.
    """

    api_url: str
    token_for: TokenFor
    clock: TownTime
    departments: Sequence[str]
    desks: frozenset[str]
    at_once: int = 8

    @property
    def look_every_seconds(self) -> float:
        """How often somebody looks at their list, in real seconds: every ten minutes of the town, within reason.

        A pause and not the long poll: that waits for one case, and a person waits for cases not known yet.
        """
        speed = self.clock.speed_milli / 1000
        return min(max(LOOK_EVERY.total_seconds() / speed, LOOK_EVERY_SECONDS_LEAST), LOOK_EVERY_SECONDS_MOST)


async def live(neighbourhood: Neighbourhood) -> None:
    """Let everybody live until cancelled. A fault in one of them ends all, visibly."""
    officers = [officer(code) for code in neighbourhood.departments]
    personas = [*RESIDENTS, *GRID_WORKERS, COORDINATOR, CLERK, *officers]
    places = asyncio.Semaphore(neighbourhood.at_once)
    async with http_client() as http, asyncio.TaskGroup() as tasks:
        for persona in personas:
            client = TownClient(
                neighbourhood.api_url, _tokens(neighbourhood.token_for, persona), http, patience_seconds=None
            )
            person = Person(persona, client, neighbourhood, places, tasks)
            tasks.create_task(person.live(), name=persona.subject)


def _tokens(token_for: TokenFor, persona: Persona) -> Callable[[], str]:
    return lambda: token_for(persona)


@dataclass
class Person:
    """One person with their lists."""

    persona: Persona
    client: TownClient
    neighbourhood: Neighbourhood
    places: asyncio.Semaphore
    tasks: asyncio.TaskGroup
    _in_hand: set[str] = field(default_factory=set)
    _nothing_to_do_at: dict[str, int] = field(default_factory=dict)

    async def live(self) -> None:
        """Look at the lists again and again; the quieter it is, the less often."""
        quiet = 1
        while True:
            found = await self.look()
            # A desk has an hour to sign: there nobody dozes off.
            quiet = 1 if found or self._at_a_desk else min(quiet + 1, QUIETER_AT_MOST)
            await asyncio.sleep(self.neighbourhood.look_every_seconds * quiet)

    async def look(self) -> int:
        """Take in hand what is new in the lists; the number of such cases."""
        found = 0
        for filters in self._lists():
            async with self.places:
                rows = [row async for row in self.client.cases(procedure=INCIDENT.name, **filters)]
            for row in rows:
                if self._is_new(row):
                    found += 1
                    self._in_hand.add(row.case_id)
                    self.tasks.create_task(self._attend(row), name=f"{self.persona.subject} {row.case_id}")
        return found

    async def _attend(self, row: CaseRow) -> None:
        """Read the case, decide, and act when the time has come; unless the case has moved on by then."""
        try:
            async with self.places:
                matter = await self._read(row)
            act = decide(self.persona, matter, self.neighbourhood.desks)
            if act is None:
                self._nothing_to_do_at[row.case_id] = row.seq
                return
            await asyncio.sleep(self.neighbourhood.clock.real_delay(datetime.now(UTC), act.due).total_seconds())
            async with self.places:
                if (await self.client.case(row.case_id)).seq == row.seq:
                    await self._give(row, act)
        except Refused as refused:
            # Somebody was faster, or the case is out of sight; if it changes again, it is looked at again.
            log.info("not_done", case_id=row.case_id, role=self.persona.role, code=refused.code)
            self._nothing_to_do_at[row.case_id] = row.seq
        finally:
            self._in_hand.discard(row.case_id)

    async def _give(self, row: CaseRow, act: Act) -> None:
        key = f"people:{row.case_id}:{act.command}:{act.round}"
        try:
            await self.client.command(row.case_id, act.command, act.body, key)
        except NotSettled:
            # The town has it and will do it. Waiting here would keep others from acting; when it is done the case has
            # changed, and is looked at again.
            log.info("accepted", case_id=row.case_id, command=act.command)
            self._nothing_to_do_at[row.case_id] = row.seq
        else:
            log.info("done", case_id=row.case_id, role=self.persona.role, command=act.command, number=act.round)

    async def _read(self, row: CaseRow) -> Matter:
        entries = await self.client.timeline(row.case_id)
        opening = entries[0].facts
        return Matter(
            case_id=row.case_id,
            stage=row.stage,
            holder=row.holder,
            department=row.department,
            area=row.area,
            urgency=str(opening["urgency"]),
            on_behalf=bool(opening["on_behalf"]),
            description=str(opening["description"]),
            happenings=[Happening(entry.kind, entry.at, entry.facts) for entry in entries],
        )

    def _is_new(self, row: CaseRow) -> bool:
        if row.case_id in self._in_hand or self._nothing_to_do_at.get(row.case_id) == row.seq:
            return False
        if self.persona.role is Role.DEPARTMENT_OFFICER and not self._at_a_desk:
            return row.seq >= ENTRIES_BEFORE_REWORK
        return True

    @property
    def _at_a_desk(self) -> bool:
        return self.persona.department in self.neighbourhood.desks

    def _lists(self) -> Sequence[Mapping[str, str]]:
        match self.persona.role:
            case Role.GRID_WORKER:
                return ({"stage": Stage.VERIFYING},)
            case Role.WINDOW_CLERK:
                return ({"stage": Stage.CALLING_BACK},)
            case Role.COORDINATOR:
                late = {"holder": COORDINATOR_HOLDS, "ended": "false"}
                return ({"stage": Stage.RETURNED}, late, {"stage": Stage.VERIFYING, "area": AREA_UNKNOWN})
            case Role.DEPARTMENT_OFFICER:
                own = {"department": str(self.persona.department)}
                sent_back = {"stage": Stage.HANDLING, **own}
                return ({"stage": Stage.DISPATCHED, **own}, sent_back) if self._at_a_desk else (sent_back,)
            case _:
                return ({"ended": "false"},)
