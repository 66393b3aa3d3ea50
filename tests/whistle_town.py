"""What tests of whistles do in a town: read both kinds of case, let a department act, wait for what a message brings."""

from typing import Any

import asyncpg
import httpx

from schemas.summons import SUMMONS
from schemas.whistle import WHISTLE
from tests.api_driver import ApiDriver, OpenDoor, Step
from tests.examples import summons as summons_examples
from tests.examples.whistle import LEAD, OFFICERS, OTHER, THIRD, blow, report_in, stands
from tests.waiting import eventually

__all__ = ["LEAD", "OTHER", "THIRD", "WhistleTown"]


class WhistleTown:
    """A town seen from both sides of a whistle: `street` gives commands to the whistle, `desk` to a summons."""

    def __init__(self, street: ApiDriver, desk: ApiDriver, pool: asyncpg.Pool) -> None:
        self.street, self.desk, self.pool = street, desk, pool

    @classmethod
    async def open(cls, door: OpenDoor, pool: asyncpg.Pool, speed: int = 1) -> "WhistleTown":
        return cls(await door(WHISTLE, speed=speed), await door(SUMMONS, speed=speed), pool)

    async def blow(self, **other: Any) -> str:
        """Blow a whistle for a joint enforcement, if not for something else; its id, when every summons stands."""
        whistle = await blow(self.street, **{"type": "enforcement"} | other)
        for department in other.get("departments", (LEAD, OTHER)):
            await stands(self.street, whistle, department)
        return whistle

    async def reports(self, whistle: str, department: str, *commands: str) -> None:
        """Let a department act, and the whistle hear of it."""
        await report_in(self.street, whistle, department, *commands)

    async def at_desk(
        self, whistle: str, department: str, command: str, body: Any = None, by: str = ""
    ) -> httpx.Response:
        """Give one command on a summons, legal or not."""
        given = summons_examples.BODIES[command] if body is None else body
        step = Step(command, by or OFFICERS[department], given)
        return await self.desk.give(f"{whistle}.{department}", step)

    async def give(self, whistle: str, command: str, by: str = "street_officer", body: Any = None) -> httpx.Response:
        """Give one command on a whistle, legal or not."""
        return await self.street.give(whistle, Step(command, by, body))

    async def done(self, whistle: str, command: str, by: str = "street_officer", body: Any = None) -> None:
        """Give one command on a whistle that must be accepted."""
        answer = await self.give(whistle, command, by, body)
        assert answer.status_code == 200, answer.text

    async def case(self, case_id: str) -> dict[str, Any]:
        """What an auditor is shown of a case."""
        return await self.street.case(case_id)

    async def clocks(self, case_id: str) -> dict[str, dict[str, Any]]:
        """The clocks of a case by name."""
        return {clock["name"]: clock for clock in (await self.case(case_id))["clocks"]}

    async def entries(self, case_id: str, kind: str) -> list[dict[str, Any]]:
        """The facts of every entry of a kind."""
        return await self.street.facts(case_id, kind)

    async def comes(self, case_id: str, kind: str, within: float = 30.0) -> dict[str, Any]:
        """Wait for an entry of a kind; the facts of the last one."""

        async def came() -> bool:
            return bool(await self.entries(case_id, kind))

        await eventually(came, within)
        return (await self.entries(case_id, kind))[-1]

    async def stands_at(self, case_id: str, stage: str, within: float = 30.0) -> None:
        """Wait until a case stands at a stage."""

        async def there() -> bool:
            return bool((await self.case(case_id))["stage"] == stage)

        await eventually(there, within)

    async def told(self, case_id: str, template: str) -> list[str]:
        """Who got a notice, in order."""
        rows = await self.pool.fetch(
            "select recipient from outbox where case_id = $1 and template = $2 order by notice_id", case_id, template
        )
        return [row["recipient"] for row in rows]
