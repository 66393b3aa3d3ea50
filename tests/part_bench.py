"""Cases of procedures that no town has, on a bench: made up by a test to compose a part, without any other procedure.

They have no policy and no address. A case is opened with its state, as the API would hand it over; commands come as people's do.
"""

import itertools
import json
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from schemas.actor import LAWS, Actor, Role, Stamp
from schemas.case import CaseState, case_id
from schemas.procedure import Procedure
from schemas.town_time import TownTime
from starter.postbox import Status, Submission
from tests.bench_api import BenchApi, token
from tests.bench_tables import Values
from tests.case_bench import A_MONDAY, CaseBench
from tests.door import Person
from tests.waiting import eventually

AREA = "320104.003.01"
_keys = itertools.count(1)

Given = Callable[..., CaseState]
"""`(case_id=, charter=, opening=, opened_at=, area=)` -> the state with which a case begins."""


class PartBench:
    """A procedure on a bench, its people by name."""

    def __init__(self, bench: CaseBench, procedure: Procedure, people: Mapping[str, Person]) -> None:
        self.bench = bench
        self._procedure = procedure
        self._people = people
        self._api = BenchApi(bench).client()

    def actor(self, who: str) -> Actor:
        """Somebody, as a stamp names them."""
        person = self._people[who]
        return Actor(subject=person.subject, role=Role(person.role), department=person.department, area=person.area)

    async def open(self, by: str, given: Given) -> str:
        """Open a case on that Monday and wait until it has told of itself."""
        bench = self.bench
        number = case_id(self._procedure.name, f"{A_MONDAY:%Y%m%d}", next(bench.numbers))
        charter = next(iter((await bench.parts()).charters.values()))
        charter = charter.model_copy(
            update={"time": TownTime.starting(A_MONDAY, await bench.environment.get_current_time(), 1)}
        )
        stamp = Stamp(
            case_id=number,
            command="open",
            command_id=f"open-{number}",
            actor=self.actor(by),
            at=A_MONDAY,
            digest="0" * 64,
            laws=LAWS,
        )
        opening = bench.signer.sign(stamp)
        state = given(case_id=number, charter=charter, opening=opening, opened_at=A_MONDAY, area=AREA)
        await bench.delivery.attempt(
            Submission(
                intake_id=0,
                submission=f"start-{number}",
                kind="start",
                command="",
                procedure=state.procedure,
                case_id=number,
                subject="",
                body_digest=b"",
                payload=state.model_dump(mode="json"),
                status=Status.WAITING,
                answer=None,
                attempts=0,
                leased=True,
                received_at=A_MONDAY,
                settled_at=None,
            )
        )
        await eventually(lambda: number in bench.tables.rows)
        return number

    async def give(self, case: str, command: str, by: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        """Give a command, legal or not."""
        headers = {"Authorization": f"Bearer {token(self._people[by])}", "Idempotency-Key": f"key-{next(_keys)}"}
        return await self._api.post(f"/api/v1/cases/{case}/commands/{command}", json=body or {}, headers=headers)

    async def do(self, case: str, command: str, by: str, body: Mapping[str, Any] | None = None) -> None:
        """Give a command that is legal."""
        answer = await self.give(case, command, by, body)
        assert answer.status_code == 200, f"{command} by {by}: {answer.text}"

    async def refused(self, case: str, command: str, by: str, body: Mapping[str, Any] | None = None) -> str:
        """Give a command that is refused, and return the code."""
        answer = await self.give(case, command, by, body)
        assert answer.status_code != 200, f"{command} by {by} is taken"
        return str(answer.json()["code"])

    def state(self, case: str) -> Any:
        """The case as it last told of itself."""
        return self.bench.state(case)

    def kinds(self, case: str) -> list[str]:
        """Its entries, without those of its clocks and without the name of the procedure."""
        made = self.bench.tables.kinds(case)
        return [kind.removeprefix(f"{self._procedure.name}:") for kind in made if not kind.startswith("clock:")]

    def facts(self, case: str, kind: str) -> list[Values]:
        """The facts of its entries of a kind, without the clocks that changed with them."""
        return [
            {name: value for name, value in json.loads(entry["body"])["facts"].items() if name != "clocks"}
            for entry in self.bench.tables.chain(case)
            if entry["kind"] == f"{self._procedure.name}:{kind}"
        ]

    def told(self, case: str) -> list[tuple[str, str]]:
        """Who was told, by which template."""
        return [(each["recipient"], each["template"]) for _, each in sorted(self.bench.tables.notices[case].items())]
