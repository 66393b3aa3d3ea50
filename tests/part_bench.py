"""Tiny procedures on a bench: a part of schemas/parts/ and workflows/parts/ stands without the procedure that it came from.

A tiny procedure declares no way of its own to be opened, so its cases are opened here, under a stamp of the bench; commands
come in by the API's own doors, and everything else is the bench's (tests/case_bench.py).
"""

import itertools
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from schemas.clocks.clock_schedule import Tier
from schemas.clocks.limits import Limit, Unit
from schemas.clocks.town_time import TownTime
from schemas.kernel.case import CaseState, case_id
from schemas.kernel.declaration import DeclaredProcedure
from schemas.values.actor import LAWS, Actor, Role, Stamp
from schemas.values.model import Model
from tests.api_driver import Person
from tests.bench_api import BenchApi, submission_of, token
from tests.case_bench import A_MONDAY, CaseBench, case_bench
from tests.waiting import eventually
from workflows.kernel.case import Case
from workflows.registry import PROCEDURES


def days(number: int) -> Limit:
    """A limit in natural days."""
    return Limit(amount=number, unit=Unit.NATURAL_DAYS)


class TinyTerms(Model):
    """What every declared procedure asks of its terms."""

    tiers: tuple[Tier, ...] = (Tier(after=days(1), to="role:coordinator"),)
    unresolved_after: Limit = days(3)
    documents_at_most: int = 5
    reminders_a_day: int = 3


AREA = "330100"
OPENER = Actor(subject="clerk-opens", role=Role.WINDOW_CLERK)


@dataclass
class PartBench:
    """A bench on which cases of tiny procedures are opened, commanded and read."""

    bench: CaseBench
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    async def open(
        self,
        procedure: DeclaredProcedure,
        by: Actor = OPENER,
        on: datetime | None = None,
        history_limit: int | None = None,
        **facts: Any,
    ) -> str:
        """Open a case in this state; its id. `on`: when, in a town time of its own; None: in that of the bench.

        `history_limit`: after so many events it continues as new; None: as in a town.
        """
        bench = self.bench
        number = case_id(procedure.name, f"{A_MONDAY:%Y%m%d}", next(self.numbers))
        charter = (await bench.filing()).town.charters["incident"]
        now = await bench.environment.get_current_time()
        if on is not None:
            charter = charter.model_copy(update={"time": TownTime.starting(on, now, 1)})
        if history_limit is not None:
            charter = charter.model_copy(update={"history_limit": history_limit})
        at = charter.time.to_town(now) if on is None else on
        stamp = Stamp(
            case_id=number, command="open", command_id=f"{number}/open", actor=by, at=at, digest="", laws=LAWS
        )
        state: CaseState = procedure.state.model_validate(
            {"area": AREA, "case_id": number, "charter": charter, "opening": bench.signer.sign(stamp), "opened_at": at}
            | facts
        )
        await bench.delivery.attempt(submission_of("start", "", state, state.model_dump(mode="json")))
        await eventually(lambda: number in bench.tables.rows)
        return number

    async def give(self, case: str, command: str, by: Person, **body: Any) -> httpx.Response:
        """Give a command, legal or not."""
        headers = {"Authorization": f"Bearer {token(by)}", "Idempotency-Key": str(uuid.uuid4())}
        async with BenchApi(self.bench).client() as api:
            return await api.post(f"/api/v1/cases/{case}/commands/{command}", json=body, headers=headers)

    async def taken(self, case: str, command: str, by: Person, **body: Any) -> None:
        """Give a command that must be accepted."""
        answer = await self.give(case, command, by, **body)
        assert answer.status_code == 200, f"{command}: {answer.text}"

    async def refused(self, case: str, command: str, by: Person, **body: Any) -> str:
        """Give a command that must be refused; why, with the fields that are at fault. Nothing has changed by it."""
        before = self.bench.tables.kinds(case)
        answer = await self.give(case, command, by, **body)
        assert answer.status_code in {403, 409, 422}, f"{command}: {answer.status_code} {answer.text}"
        assert self.bench.tables.kinds(case) == before
        refusal = answer.json()
        return " ".join([refusal["detail"], *(each["reason"] for each in refusal.get("faults", ()))])

    def state(self, case: str) -> Any:
        """A case as it last told of itself."""
        return self.bench.state(case)

    def told(self, case: str) -> list[tuple[str, Mapping[str, Any]]]:
        """Its entries: without the procedure, and what each says."""
        chain = zip(self.bench.tables.kinds(case), self.bench.tables.facts(case), strict=True)
        return [(kind.partition(":")[2], facts) for kind, facts in chain]

    def facts(self, case: str, kind: str) -> list[Mapping[str, Any]]:
        """What the entries of a kind say, in order."""
        return [facts for each, facts in self.told(case) if each == kind]

    async def until(self, case: str, kind: str) -> None:
        """Wait for an entry that the case makes by itself, without skipping time."""
        await eventually(lambda: any(each == kind for each, _ in self.told(case)))

    async def skip(self, case: str, time: timedelta, moment: str | None = None) -> None:
        """Let so much time pass, until the case has told of the moment of a clock that comes meanwhile."""
        await self.bench.let_pass(time)
        if moment is not None:
            await eventually(lambda: any(facts.get("moment") == moment for _, facts in self.told(case)))

    async def left_alone(self, case: str) -> None:
        """Let time skip until the case has ended; chain, history and strict replay are whole."""
        await self.bench.until_ended(case)
        assert await self.bench.faults(case) == []


@asynccontextmanager
async def part_bench(folder: Path, *cases: type[Case[Any]]) -> AsyncIterator[PartBench]:
    """A bench with these procedures beside those of the town.

    Not in the sandbox, which would load a test's module anew; the parts themselves are loaded there with the procedures.
    """
    async with case_bench(folder, sandbox=False, cases=(*PROCEDURES, *cases)) as bench:
        yield PartBench(bench)
