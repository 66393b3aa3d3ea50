"""The addresses of the API that the examples of a procedure use, in front of a bench: `ApiDriver(bench_client(bench), …)`.

What comes in is made into what a case gets by the API's own doors, stamps and delivery. Not asked here is what the API asks
before it lets something in: tokens, faults of a body against the town, reservations. That is tested at the API itself.
"""

import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import httpx
from pydantic import ValidationError

from schemas.clocks.calendar import in_shanghai
from schemas.kernel.case import CaseState, case_id
from schemas.kernel.procedure import Procedure
from schemas.kernel.visibility import may_see, sight_of
from schemas.values.actor import LAWS, Actor, Role, Stamp
from schemas.values.canonical import digest
from schemas.values.refusals import Refusal
from starter.cases.case_reading import CaseReader
from starter.http.problems import KINDS
from starter.intake.delivery import Delivered, NotDelivered
from starter.intake.intake import Sender, command_id_of
from starter.intake.openings import opening_of
from starter.intake.postbox import NotWritten, Status, Submission
from starter.intake.starts import Opening
from tests.api_driver import ApiDriver, Person, path_of
from tests.case_bench import A_MONDAY, CaseBench
from tests.waiting import eventually

_COMMAND = re.compile(r"/api/v1/cases/([^/]+)/commands/([a-z_]+)")
_TIMELINE = re.compile(r"/api/v1/cases/([^/]+)/timeline")
_CASE = re.compile(r"/api/v1/cases/([^/]+)")


def token(person: Person) -> str:
    """Who somebody is, as the bench reads it."""
    said = {"subject": person.subject, "role": person.role, "department": person.department, "area": person.area}
    return json.dumps({**said, "identity": person.identity})


def bench_door(bench: CaseBench, procedure: Procedure) -> ApiDriver:
    """The door of a procedure, with the people of its examples, to a bench."""
    return ApiDriver(BenchApi(bench).client(), token, procedure, let_time_pass=bench.until_told)


@dataclass(frozen=True)
class _Answer:
    status: int
    body: Mapping[str, Any]


Routes = dict[str | re.Pattern[str], Callable[..., Awaitable[_Answer]]]


class BenchApi:
    """Answers requests. One per bench or many: what was taken in stands with the bench."""

    def __init__(self, bench: CaseBench) -> None:
        self._bench = bench
        self._openings: dict[str, Opening[Any]] = {}
        nothing_is_read: Any = None
        self._reader = CaseReader(nothing_is_read, nothing_is_read, bench.procedures)
        for procedure in bench.procedures.values():
            if procedure.parent is None:
                self._openings[path_of(procedure)] = opening_of(procedure)

    def client(self) -> httpx.AsyncClient:
        """A client whose requests are answered here."""
        return httpx.AsyncClient(transport=httpx.MockTransport(self._handle), base_url="http://bench")

    async def _handle(self, request: httpx.Request) -> httpx.Response:
        said = json.loads(request.headers["Authorization"].removeprefix("Bearer "))
        identity = said.pop("identity")
        actor = Actor(**{**said, "role": Role(said["role"])})
        path = request.url.path
        for pattern, answers in self._routes(request, actor, identity).items():
            if (found := re.fullmatch(pattern, path)) is not None:
                answer = await answers(*found.groups())
                return httpx.Response(answer.status, json=answer.body)
        raise LookupError(f"the bench has no {request.method} {path}")

    def _routes(self, request: httpx.Request, actor: Actor, identity: str | None) -> Routes:
        if request.method == "GET":
            return {_TIMELINE: lambda case: self._timeline(case, actor), _CASE: lambda case: self._case(case, actor)}
        if request.url.path == "/api/v1/documents":
            return {"/api/v1/documents": lambda: self._document(request)}
        body = json.loads(request.content)
        sender = Sender(actor.subject, request.headers["Idempotency-Key"], actor)
        applicant = replace(sender, identity=identity)
        openings: Routes = {path: self._starting(opening, applicant, body) for path, opening in self._openings.items()}
        commands: Routes = {_COMMAND: lambda case, name: self._command(case, name, sender, body)}
        return {**commands, **openings}

    def _starting(self, opening: Opening[Any], sender: Sender, body: Any) -> Callable[[], Awaitable[_Answer]]:
        return lambda: self._start(opening, sender, body)

    async def _start(self, opening: Opening[Any], sender: Sender, body: Any) -> _Answer:
        bench, kept = self._bench, self._bench.taken_in
        place = (sender.subject, opening.procedure, sender.key)
        if place not in kept:
            given = opening.model.model_validate(body)
            number = case_id(opening.procedure, f"{A_MONDAY:%Y%m%d}", next(bench.numbers))
            filing: Any = await bench.filing()
            time = filing.town.charters[opening.procedure].time
            at = time.to_town(await bench.environment.get_current_time())
            opens: Any = opening.opens(filing, sender, given)
            state = await opens(bench.tables, number, command_id_of(sender, number), at)
            state = state.model_copy(update={"opening": bench.signer.sign(state.opening)})
            kept[place] = submission_of("start", "", state, state.model_dump(mode="json"))
        repeated = kept[place].attempts > 0
        await self._deliver(place)
        await eventually(lambda: kept[place].case_id in bench.tables.rows)
        return _Answer(200 if repeated else 201, {"case_id": kept[place].case_id})

    async def _command(self, case: str, name: str, sender: Sender, body: Any) -> _Answer:
        bench, kept = self._bench, self._bench.taken_in
        place = (sender.subject, case, sender.key)
        # Who has given up a seat does not see the case any more, and hears the same of what they said before.
        state = self._seen(case, sender.actor) or (bench.state(case) if place in kept else None)
        if state is None:
            return _Answer(404, {"code": "unknown-case"})
        door = bench.doors[state.procedure].get(name)
        if door is None:
            return _Answer(404, {"code": "unknown-command"})
        if place not in kept:
            try:
                given = door.model.model_validate(body)
                texts = door.texts_of(given)
                command = door.to_command(given, await bench.vault.keep_texts(None, "", texts, case_id=case))
            except ValidationError as fault:
                return _Answer(422, {"code": "bad-request", "detail": str(fault)})
            stamp = Stamp(
                case_id=case,
                command=name,
                command_id=command_id_of(sender, case),
                actor=sender.actor,
                at=await bench.now(state),
                digest=digest(command),
                laws=LAWS,
            )
            payload = {
                "command": command.model_dump(mode="json"),
                "stamp": bench.signer.sign(stamp, bench.written(state)).model_dump(mode="json"),
            }
            kept[place] = submission_of("command", name, state, payload)
        await bench.between_tasks(case)
        outcome = await self._deliver(place)
        if isinstance(outcome, Refusal):
            return _Answer(KINDS[outcome.code].status, outcome.model_dump(mode="json"))
        accepted = outcome.accepted
        assert accepted is not None
        await eventually(lambda: bench.tables.rows[case]["seq"] >= accepted.seq)
        answer = accepted.model_dump(mode="json", exclude={"told"})
        return _Answer(200, {**await self._view(case, sender.actor), "accepted": answer})

    async def _deliver(self, place: tuple[str, str, str]) -> Delivered | Refusal:
        """Bring what was taken in to its case, each time that it is sent; as the relay does, until there is an answer.

        What the case tells with it is written before anybody hears of it.
        """
        bench, kept = self._bench, self._bench.taken_in
        outcomes: list[Delivered | Refusal] = []

        async def answered() -> bool:
            try:
                outcome = await bench.delivery.attempt(kept[place])
                if isinstance(outcome, Delivered):
                    await bench.postbox.delivered(kept[place], outcome.accepted)
                outcomes.append(outcome)
            except NotDelivered as away:
                if not away.expected:
                    raise
            except NotWritten as fault:
                await bench.delivery.ask_to_write(kept[place], fault.seq)
            return bool(outcomes)

        await eventually(answered)
        kept[place] = replace(kept[place], attempts=kept[place].attempts + 1)
        return outcomes[0]

    async def _case(self, case: str, actor: Actor) -> _Answer:
        if self._seen(case, actor) is None:
            return _Answer(404, {"code": "unknown-case"})
        return _Answer(200, await self._view(case, actor))

    async def _timeline(self, case: str, actor: Actor) -> _Answer:
        if self._seen(case, actor) is None:
            return _Answer(404, {"code": "unknown-case"})
        bodies = [json.loads(entry["body"]) for entry in self._bench.tables.chain(case)]
        return _Answer(200, {"items": [{**body, "at": _shown(body["at"])} for body in bodies], "next_cursor": None})

    async def _document(self, request: httpx.Request) -> _Answer:
        kept, content = self._bench.documents, request.content
        place = hashlib.sha256(content).hexdigest()
        fresh = place not in kept
        if fresh:
            kept[place] = {
                "reference": self._bench.vault.document(),
                "sha256": place,
                "size_bytes": len(content),
                "media_type": request.headers["Content-Type"],
            }
        return _Answer(201 if fresh else 200, kept[place])

    def _seen(self, case: str, actor: Actor) -> CaseState | None:
        state = self._bench.state(case)
        return state if state is not None and may_see(sight_of(state), actor) else None

    async def _view(self, case: str, actor: Actor) -> dict[str, Any]:
        state = self._bench.state(case)
        assert state is not None
        return self._reader.view(state, actor, await self._bench.now(state)).model_dump(mode="json")


def submission_of(kind: str, command: str, state: CaseState, payload: dict[str, Any]) -> Submission:
    """What the API would have put down for delivery."""
    return Submission(
        intake_id=0,
        submission=f"{kind}-{state.case_id}",
        kind=kind,
        command=command,
        procedure=state.procedure,
        case_id=state.case_id,
        subject="",
        body_digest=b"",
        payload=payload,
        status=Status.WAITING,
        answer=None,
        attempts=0,
        leased=True,
        received_at=datetime.now(UTC),
        settled_at=None,
    )


def _shown(at: str) -> str:
    return in_shanghai(datetime.fromisoformat(at)).isoformat()
