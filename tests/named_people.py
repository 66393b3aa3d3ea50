"""A tiny procedure on a bench (tests/part_bench.py) with people by name: for tests in which many of them have a word."""

from collections.abc import Mapping
from typing import Any

import httpx

from schemas.kernel.declaration import DeclaredProcedure
from schemas.values.actor import Actor, Role
from tests.api_driver import Person
from tests.bench_tables import Values
from tests.case_bench import A_MONDAY, CaseBench
from tests.part_bench import PartBench

AREA = "320104.003.01"


class NamedPeople:
    """Cases of one procedure, and who acts in them, by name. Each case begins on that Monday."""

    def __init__(self, bench: CaseBench, procedure: DeclaredProcedure, people: Mapping[str, Person]) -> None:
        self._part = PartBench(bench, bench.numbers)
        self._procedure = procedure
        self._people = people

    async def open(self, by: str, **facts: Any) -> str:
        """Open a case with these facts in its state; its id."""
        person = self._people[by]
        actor = Actor(subject=person.subject, role=Role(person.role), department=person.department, area=person.area)
        return await self._part.open(self._procedure, actor, A_MONDAY, area=AREA, **facts)

    async def give(self, case: str, command: str, by: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        """Give a command, legal or not."""
        return await self._part.give(case, command, self._people[by], **(body or {}))

    async def do(self, case: str, command: str, by: str, body: Mapping[str, Any] | None = None) -> None:
        """Give a command that is legal."""
        await self._part.taken(case, command, self._people[by], **(body or {}))

    async def refused(self, case: str, command: str, by: str, body: Mapping[str, Any] | None = None) -> str:
        """Give a command that is refused, and return the code."""
        answer = await self.give(case, command, by, body)
        assert answer.status_code != 200, f"{command} by {by} is taken"
        return str(answer.json()["code"])

    def state(self, case: str) -> Any:
        """The case as it last told of itself."""
        return self._part.state(case)

    def kinds(self, case: str) -> list[str]:
        """Its entries, without those of its clocks and without the name of the procedure."""
        made = self._part.bench.tables.kinds(case)
        return [kind.removeprefix(f"{self._procedure.name}:") for kind in made if not kind.startswith("clock:")]

    def facts(self, case: str, kind: str) -> list[Values]:
        """The facts of its entries of a kind, without the clocks that changed with them."""
        made = self._part.facts(case, kind)
        return [{name: value for name, value in each.items() if name != "clocks"} for each in made]

    def told(self, case: str) -> list[tuple[str, str]]:
        """Who was told, by which template."""
        notices = self._part.bench.tables.notices[case]
        return [(each["recipient"], each["template"]) for _, each in sorted(notices.items())]
