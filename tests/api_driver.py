"""The public door, as tests use it: start a case and give commands over HTTP, each as a person with a token."""

import importlib
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import Any

import httpx

from engine.keys.keys import Keys
from engine.keys.tokens import issue
from schemas.kernel.answers import AnswerTo
from schemas.kernel.declaration import DeclaredProcedure
from schemas.kernel.findings import Finding
from schemas.kernel.procedure import Procedure
from schemas.values.actor import Role
from starter.intake.filing import Filing
from tests.guest_driver import guest_gives, guest_opens
from tests.waiting import eventually


@dataclass(frozen=True)
class Person:
    """Somebody with an account. `identity`: whose it is by the issuer's word (schemas/values/verified_identity.py)."""

    subject: str
    role: str
    department: str | None = None
    area: str | None = None
    identity: str | None = None


Body = Mapping[str, Any] | Callable[["ApiDriver", str, str], Awaitable[Mapping[str, Any]]]
"""A body, or how to come by one that names something else in the town: (door, case_id, by), the same every time."""


@dataclass(frozen=True)
class Step:
    """One command of a walk: its name, who gives it, and its body if not the usual one."""

    command: str
    by: str
    body: Body | None = None


@dataclass(frozen=True)
class Walk:
    """A way a case can go, and the stage at which it stands then. `report`: how it starts, if not in the usual way; `by`: who.

    `waits`: for a window of days to pass. On a bench it does at once; where time is real nobody can go this way.
    """

    name: str
    steps: tuple[Step, ...]
    stage: str
    report: Mapping[str, Any] | None = None
    waits: bool = False
    by: str | None = None


def examples(procedure: Procedure) -> Any:
    """How cases of a procedure go: tests/examples/NAME.py, else what its walks say (local/NAME_walks.py)."""
    if find_spec(f"tests.examples.{procedure.name}") is None:
        return importlib.import_module("tests.told_examples").told_examples(procedure)
    return importlib.import_module(f"tests.examples.{procedure.name}")


def path_of(procedure: Procedure) -> str:
    """Where a case of it is started, as it declares."""
    assert isinstance(procedure, DeclaredProcedure)
    assert procedure.opens is not None
    return procedure.opens.path


def token_of(keys: Keys) -> Callable[[Person], str]:
    """How the people of a town that signs its own tokens get theirs."""

    def token(person: Person) -> str:
        return issue(
            keys,
            subject=person.subject,
            role=Role(person.role),
            department=person.department,
            area=person.area,
            identity=person.identity,
        )

    return token


def _is_on_its_way(answer: httpx.Response) -> bool:
    return answer.status_code == 202 and bool(answer.json()["status"] == "waiting")


@dataclass
class ApiDriver:
    """An API and the people of a procedure's examples."""

    api: httpx.AsyncClient
    token: Callable[[Person], str]
    procedure: Procedure
    put_off: set[str] = field(default_factory=set)
    """Cases whose start was accepted, and was still on its way when the API had waited its two seconds."""

    named: dict[str, int] = field(default_factory=dict)
    """The request that an answer named, by its key."""

    filing: Filing | None = None
    """What cases are taken in with in this process: for those who have no account (tests/guest_driver.py)."""

    let_time_pass: Callable[[str, str, int], Awaitable[None]] | None = None
    """(case, kind, times): makes it later, until the case has told that; where nobody can, time passes by itself."""

    @property
    def examples(self) -> Any:
        return examples(self.procedure)

    def headers(self, who: str, key: str | None = None, body: Mapping[str, Any] | None = None) -> dict[str, str]:
        """Who sends it, under a key. A resident who opens a case with a `body` has a real-name account, if examples know of it."""
        person = self.examples.PEOPLE.get(who) or self.examples.GUESTS[who]  # on a bench; elsewhere they have no token
        verified = getattr(self.examples, "verified", None)
        if body is not None and verified is not None and person.role == "resident":
            person = replace(person, identity=verified(body))
        headers = {"Authorization": f"Bearer {self.token(person)}"}
        return headers | ({"Idempotency-Key": key} if key else {})

    def guest(self, who: str) -> str | None:
        """The account of somebody of the examples who has none to sign in with."""
        person = getattr(self.examples, "GUESTS", {}).get(who)
        return None if person is None else str(person.subject)

    async def start(
        self, *, body: Mapping[str, Any] | None = None, by: str | None = None, key: str | None = None
    ) -> str:
        """Start a case and return its id, whether it stands already or is still to be delivered.

        Examples of a procedure whose cases another case starts say how one comes about, in a `start` of their own; those
        whose body names something in the town, or somebody of their own, say how it is `prepared`: the same for the same key.
        """
        if (start := getattr(self.examples, "start", None)) is not None:
            return str(await start(self, body=body, by=by, key=key))
        by, key = by or self.examples.REPORTER, key or str(uuid.uuid4())
        if self.filing is not None and (guest := self.guest(by)) is not None:
            case_id, stands = await guest_opens(self.filing, self.procedure, guest, key, body or self.examples.REPORT)
            self.put_off |= set() if stands else {case_id}
            return case_id
        if (prepared := getattr(self.examples, "prepared", None)) is not None:
            body = await prepared(self, body, by, key)
        answer = await self.api.post(
            path_of(self.procedure),
            json=body or self.examples.REPORT,
            headers=self.headers(by, key, body or self.examples.REPORT),
        )
        assert answer.status_code in (200, 201, 202), answer.text
        case_id = str(answer.json()["case_id"])
        if answer.status_code == 202:
            self.put_off.add(case_id)
        return case_id

    async def stands(self, case_id: str) -> None:
        """Wait until a case whose start was put off has told of itself: before that nobody sees whose it is."""

        async def told() -> bool:
            answer = await self.api.get(f"/api/v1/cases/{case_id}", headers=self.headers("auditor"))
            return bool(answer.json()["seq"])

        if case_id in self.put_off:
            await eventually(told)
            self.put_off.discard(case_id)

    async def comes(self, case_id: str) -> None:
        """Wait until a case stands that another one starts."""

        async def stands() -> bool:
            answer = await self.api.get(f"/api/v1/cases/{case_id}", headers=self.headers("auditor"))
            return answer.status_code == 200

        await eventually(stands, within=60)

    async def hears(self, case_id: str, kind: str, times: int = 1) -> None:
        """Wait until a case has told something that it hears of by itself: no time passes for it."""

        async def told() -> bool:
            return (await self.kinds(case_id)).count(kind) >= times

        await eventually(told, within=60)

    async def give(self, case_id: str, step: Step, key: str | None = None) -> httpx.Response:
        """Give a command once, legal or not, and return the answer: 202 when the machine is too busy to carry it out at once."""
        body = self.examples.BODIES[step.command] if step.body is None else step.body
        if callable(body):
            body = await body(self, case_id, step.by)
        key = key or str(uuid.uuid4())
        body = await self.naming_what_waits(case_id, step.command, body, key)
        if self.filing is not None and (guest := self.guest(step.by)) is not None:
            return await guest_gives(self.filing, guest, case_id, step.command, key, body)
        return await self.api.post(
            f"/api/v1/cases/{case_id}/commands/{step.command}",
            json=body,
            headers=self.headers(step.by, key),
        )

    async def naming_what_waits(
        self, case_id: str, command: str, body: Mapping[str, Any], key: str
    ) -> Mapping[str, Any]:
        """The body with the request that the case shows now, where it is an answer and names none: whoever answers has looked.

        Sent again under its key it names what it named.
        """
        model = self.procedure.commands.get(command)
        if model is None or not issubclass(model, AnswerTo) or model.number_in in body:
            return body
        if key in self.named:
            return {**body, model.number_in: self.named[key]}
        answer = await self.api.get(f"/api/v1/cases/{case_id}", headers=self.headers("auditor"))
        waiting = answer.json().get("requests", {}).get(command, ()) if answer.status_code == 200 else ()
        self.named[key] = next(iter(waiting), 1)
        return {**body, model.number_in: self.named[key]}

    async def taken(self, case_id: str, step: Step, key: str | None = None) -> httpx.Response:
        """Give a command as clients do: one that is accepted and still on its way is sent again, until the case has it."""
        await self.stands(case_id)
        key = key or str(uuid.uuid4())
        answers: list[httpx.Response] = []

        async def answered() -> bool:
            answers.append(await self.give(case_id, step, key))
            return not _is_on_its_way(answers[-1])

        await eventually(answered, within=60)
        return answers[-1]

    async def go(self, case_id: str, steps: Sequence[Step]) -> None:
        """Give commands that must be accepted."""
        for step in steps:
            answer = await self.taken(case_id, step)
            gone = answer.status_code == 202  # who does not see the case any more sees the word of it
            assert answer.status_code == 200 or gone, f"{step}: {answer.text}"

    async def walk(self, walk: Walk) -> str:
        """Start a case and take it along a walk; its id."""
        case_id = await self.start(body=walk.report, by=walk.by)
        await self.go(case_id, walk.steps)
        return case_id

    async def case(self, case_id: str, by: str = "auditor", **query: str) -> dict[str, Any]:
        """What the API shows of a case."""
        await self.stands(case_id)
        answer = await self.api.get(f"/api/v1/cases/{case_id}", headers=self.headers(by), params=query, timeout=70)
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    async def legal(self, case_id: str, who: str) -> list[str]:
        """The commands the API says are legal for somebody now; none where they may not even see the case."""
        await self.stands(case_id)
        answer = await self.api.get(f"/api/v1/cases/{case_id}", headers=self.headers(who))
        assert answer.status_code in (200, 404), answer.text
        return list(answer.json()["legal_commands"]) if answer.status_code == 200 else []

    async def passes(self, case_id: str, kind: str, times: int = 1) -> None:
        """Wait until the case has told an entry of this kind so many times, however long that is by its clock."""
        if self.let_time_pass is not None:
            await self.let_time_pass(case_id, kind, times)
            return

        async def told() -> bool:
            return (await self.kinds(case_id)).count(kind) >= times

        await eventually(told, within=60)

    async def kinds(self, case_id: str) -> list[str]:
        """The kinds of the case's entries, in order."""
        return [entry["kind"] for entry in await self.entries(case_id)]

    async def facts(self, case_id: str, kind: str) -> list[dict[str, Any]]:
        """What the case's entries of a kind say, in order."""
        return [entry["facts"] for entry in await self.entries(case_id) if entry["kind"] == kind]

    async def entries(self, case_id: str) -> list[dict[str, Any]]:
        """The case's entries, in order, as an auditor reads them."""
        await self.stands(case_id)
        answer = await self.api.get(
            f"/api/v1/cases/{case_id}/timeline", headers=self.headers("auditor"), params={"limit": 200}
        )
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])


OpenDoor = Callable[..., Coroutine[None, None, ApiDriver]]
"""The fixture `door`: open_door(procedure, *, speed=1, task_queue=None, history_limit=4000, tells_with_answers=True)."""

Audited = Callable[[str], Coroutine[None, None, list[Finding]]]
"""The fixture `audited`: the findings of ledger and replay for one case."""
