"""Every route x every role x own or other area x own or other department: nobody gets in where they do not belong."""

import json
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import product
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import APIRouter, FastAPI
from starlette.routing import Route

from console.sign_in.sessions import Sessions
from console.sign_in.signed_in import LOCAL_COOKIE
from engine.keys.keys import Keys
from engine.keys.tokens import Principal, issue
from local.simulation.pictures import PICTURE
from local.stories.walks import A_DOCUMENT, made_body
from schemas.kernel.answers import AnswerTo
from schemas.kernel.case import is_case_of
from schemas.kernel.procedure import Procedure
from schemas.values.actor import Role
from starter.intake.commands import _PATH as COMMANDS
from tests.access_matrix import (
    AREA,
    LINES,
    OTHER_AREA,
    OTHER_DEPARTMENT,
    OWN_AREA,
    OWN_DEPARTMENT,
    WHOLE_TOWN,
    Known,
    Who,
    World,
    outcome,
)
from tests.api_callers import BuildApp, api_of
from tests.api_driver import ApiDriver, OpenDoor, Walk, examples
from tests.every_procedure import some_procedures
from tests.sampling import chosen
from tests.told_examples import who_attaches
from tests.waiting import eventually
from workflows.registry import PROCEDURES

pytest_plugins = ("tests.api_fixture",)
pytestmark = pytest.mark.timeout(600)  # thousands of requests, on a machine that may do much else

ROLES = tuple(role for role in Role if role is not Role.ENGINE)
NAMED = {case.procedure.name: case.procedure for case in PROCEDURES}
WHOLE = pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.long)], ids=["sampled", "whole"])

PLACES_AT_EACH_COMMIT = 1
"""Of the areas and departments that somebody may be of: so many for each role and each thing that is asked, by the seed."""

PARTS = ("", "/timeline", "/commands")
"""What of a case is read. One of them at every commit, by the seed: who sees the case sees each."""


def everybody(cases: list[Known], areas: tuple[str | None, ...], what: str, *, whole: bool) -> Iterator[Who]:
    """Every role by area and department; residents also as the one who reported; and somebody without a token.

    Unless `whole`, of some of the areas and departments, by the seed and by what is asked; where the department counts, of all.
    """
    yield Who(None)
    reporters = sorted({case.reporter for case in cases if case.reporter is not None})
    for role in ROLES:
        places = list(product(areas, (OWN_DEPARTMENT, OTHER_DEPARTMENT)))
        if not whole and role is not Role.DEPARTMENT_OFFICER:
            places = chosen(places, PLACES_AT_EACH_COMMIT, f"{what} {role}")
        for area, department in places:
            for subject in (f"matrix-{role}", *(reporters if role is Role.RESIDENT else ())):
                yield Who(role, subject, area, department)


@pytest.fixture(scope="module")
async def world(door: OpenDoor, pool: asyncpg.Pool) -> World:
    """One case of each procedure that goes on, and one that ended, all in one area that no other test has."""
    cases: list[Known] = []
    documents: dict[str, Mapping[str, Any]] = {}
    for procedure in NAMED.values():
        opened = await door(procedure)
        ended = min(
            (
                walk
                for walk in examples(procedure).WALKS
                if _ends(procedure, walk) and not walk.waits and walk.by is None
            ),
            key=lambda walk: len(walk.steps),
        )
        for walk in (Walk("", (), ""), ended):
            case_id = await opened.start(body=_placed(procedure, walk))
            documents[case_id] = await _attached(opened, case_id)
            for step in walk.steps:
                await _done(partial(opened.give, case_id, step, str(uuid.uuid4())))
            if walk.steps:
                await _ended(pool, case_id)
            cases.append(await _known(pool, procedure, case_id))
    assert [case.ended for case in cases] == [False, True] * len(NAMED)
    submission = await pool.fetchrow(
        "select submission, subject from intake where case_id = $1 and kind = 'start'", cases[0].case_id
    )
    assert submission is not None
    found = World(cases, {cases[0].procedure.name: str(documents[cases[0].case_id]["reference"])}, *submission)
    for case in cases:
        for command in case.procedure.commands:
            found.bodies[case.case_id, command] = _body(case, command, documents[case.case_id], found)
    return found


def _ends(procedure: Procedure, walk: Walk) -> bool:
    return not any(walk.stage in rule.at for rule in procedure.rules)


def _placed(procedure: Procedure, walk: Walk) -> dict[str, Any]:
    """How the case starts, in the matrix' area; a child case through its parent."""
    told = examples(procedure)
    report = dict(walk.report or getattr(told, "PARENTS_REPORT", None) or told.REPORT)
    return report | ({"location": report["location"] | {"area": AREA}} if "location" in report else {"area": AREA})


async def _attached(opened: ApiDriver, case_id: str) -> Mapping[str, Any]:
    """A document that stands in the case."""
    who = who_attaches(opened.procedure, opened.examples.PEOPLE)
    content = PICTURE + case_id.encode().ljust(60, b"\0")
    headers = opened.headers(who, str(uuid.uuid4()))
    sent = await opened.api.post("/api/v1/documents", content=content, headers=headers | {"Content-Type": "image/png"})
    body = {"document": sent.json()}
    await _done(partial(opened.api.post, f"/api/v1/cases/{case_id}/commands/attach", json=body, headers=headers))
    return dict(sent.json())


async def _done(give: Callable[[], Awaitable[httpx.Response]]) -> None:
    """Give a command, under the same key until the case has answered: a machine that does much else takes its time."""

    async def accepted() -> bool:
        answer = await give()
        assert answer.status_code in {200, 202}, answer.text
        return answer.status_code == 200

    await eventually(accepted, within=60)


async def _ended(pool: asyncpg.Pool, case_id: str) -> None:
    """Wait until the case has told of its end."""

    async def told() -> bool:
        return bool(await pool.fetchval("select ended from cases where case_id = $1", case_id))

    await eventually(told, within=60)


async def _known(pool: asyncpg.Pool, procedure: Procedure, case_id: str) -> Known:
    row = await pool.fetchrow(
        "select area, department, involved, ended, snapshot ->> 'reporter_subject' as reporter from cases where case_id = $1",
        case_id,
    )
    assert row is not None
    assert row["area"] == AREA
    involved = frozenset(row["involved"])
    return Known(case_id, procedure, row["reporter"], involved, row["department"], row["ended"])


def _body(case: Known, command: str, document: Mapping[str, Any], world: World) -> Mapping[str, Any]:
    """A body of the right shape that anybody who sees the case could send: the examples' own, else one made of its shape."""
    written = getattr(examples(case.procedure), "shape", examples(case.procedure).BODIES.__getitem__)(command)
    body: dict[str, Any] = _here(made_body(case.procedure, command) if callable(written) else written, document, world)
    others = [each.case_id for each in world.cases if each.procedure is case.procedure and each is not case]
    body = {
        name: others[0] if isinstance(value, str) and others and is_case_of(value, case.procedure.name) else value
        for name, value in body.items()
    }  # what is named besides is another one of its kind
    model = case.procedure.commands[command]
    return {model.number_in: 1, **body} if issubclass(model, AnswerTo) else body


def _here(body: Any, document: Mapping[str, Any], world: World) -> Any:
    """The same about what there is: a document that stands in the case, and an incident of this town."""
    if body == A_DOCUMENT:
        return document
    if isinstance(body, Mapping):
        return {name: _here(each, document, world) for name, each in body.items()}
    if isinstance(body, list | tuple):
        return [_here(each, document, world) for each in body]
    if isinstance(body, str) and is_case_of(body, world.incident.procedure.name):
        return world.incident.case_id
    return body


@pytest.fixture(scope="module")
async def api(build_app: BuildApp, worker: None) -> AsyncIterator[httpx.AsyncClient]:
    """The API of the town."""
    async with api_of(build_app()) as client:
        yield client


def _principal(who: Who, role: Role) -> Principal:
    ends_at = datetime.now(UTC) + timedelta(hours=1)
    return Principal(
        subject=who.subject, role=role, department=who.department, area=who.area, token_id=None, expires_at=ends_at
    )


class Asking:
    """Sends requests as anybody, by token and by session, and keeps what was not as it should be."""

    def __init__(self, api: httpx.AsyncClient, keys: Keys, pool: asyncpg.Pool) -> None:
        self._api, self._keys, self._sessions = api, keys, Sessions(pool)
        self._tokens: dict[Who, tuple[str, str]] = {}
        self.cells: Counter[str] = Counter()
        self.wrong: list[str] = []

    async def ask(self, who: Who, method: str, path: str, **parts: Any) -> httpx.Response:
        headers = dict(parts.pop("headers", {}))
        if who.role is not None:
            if who not in self._tokens:
                token = issue(self._keys, subject=who.subject, role=who.role, department=who.department, area=who.area)
                self._tokens[who] = token, await self._sessions.open(_principal(who, who.role))
            token, session = self._tokens[who]
            headers |= {"Authorization": f"Bearer {token}", "Cookie": f"{LOCAL_COOKIE}={session}"}
        self._api.cookies.clear()
        return await self._api.request(method, path, headers=headers, **parts)

    def judge(self, kind: str, what: str, who: Who, got: str, expected: set[str]) -> None:
        self.cells[kind] += 1
        if got not in expected:
            self.wrong.append(f"{what} as {who}: {got}, not {' or '.join(sorted(expected))}")


def routes_of(app: FastAPI | APIRouter) -> Iterator[str]:
    """Method and path of every route, also of those that were included."""
    for route in app.routes:
        if (included := getattr(route, "original_router", None)) is not None:
            yield from routes_of(included)
            continue
        assert isinstance(route, Route), route
        for method in route.methods or ():
            if method != "HEAD":
                yield f"{method} {route.path}"


def test_every_route_has_a_line(build_app: BuildApp) -> None:
    """A new address without a line in the matrix fails the build, as does a line whose address is gone.

    Commands have theirs in the rules table: each is of a procedure, and each procedure's command is an address.
    """
    routes = set(routes_of(build_app()))
    commands = {f"POST {COMMANDS}/{name}" for procedure in NAMED.values() for name in procedure.commands}

    assert commands <= routes
    assert routes - commands == set(LINES)


@WHOLE
async def test_who_asks_gets_what_is_theirs(
    whole: bool,  # noqa: FBT001 - whether somebody of every area and department asks
    api: httpx.AsyncClient,
    keys: Keys,
    pool: asyncpg.Pool,
    world: World,
) -> None:
    """Each address answers each role, of the own area, another or the whole town, of either department, as its line says."""
    asking = Asking(api, keys, pool)
    for name, line in LINES.items():
        method = name.partition(" ")[0]
        areas = (OWN_AREA,) if line.open else (OWN_AREA, OTHER_AREA, WHOLE_TOWN)
        for who in everybody([world.incident], areas, name, whole=whole):
            path, parts = line.ask(world, who)
            answer = await asking.ask(who, method, path, **parts)
            asking.judge(name, name, who, outcome(answer), line.expect(world, who))
            if answer.status_code == 200 and line.shows is not None and not line.shows(world, who, answer):
                asking.wrong.append(f"{name} as {who} shows what it should not, or hides what it should show")
    print(f"access matrix: {len(LINES)} routes, {asking.cells.total()} cells")  # noqa: T201 - the count is asked for

    assert asking.wrong == []


@WHOLE
async def test_cases_are_seen_by_those_whose_they_are(
    whole: bool,  # noqa: FBT001 - whether somebody of every area and department asks
    api: httpx.AsyncClient,
    keys: Keys,
    pool: asyncpg.Pool,
    world: World,
) -> None:
    """Each case, its timeline and its commands show themselves to its area, its departments and its reporter alone."""
    asking = Asking(api, keys, pool)
    for case in world.cases:
        for who in everybody([case], (OWN_AREA, OTHER_AREA), case.procedure.name, whole=whole):
            expected = {"401 token-missing" if who.role is None else "200" if case.seen_by(who) else "404 unknown-case"}
            for part in PARTS if whole else chosen(PARTS, 1, f"{case.procedure.name} {case.ended} {who}"):
                path = f"/api/v1/cases/{case.case_id}{part}"
                asking.judge("read", path, who, outcome(await asking.ask(who, "GET", path)), expected)
    print(f"access matrix: {len(world.cases)} cases read, {asking.cells.total()} cells")  # noqa: T201 - as above

    assert asking.wrong == []


def names_documents_alone(answer: httpx.Response, body: dict[str, Any]) -> bool:
    """Whether a body is refused for nothing but documents that it names."""
    if answer.status_code != 422:
        return False
    faulty = {fault["field"].partition(".")[0] for fault in answer.json()["faults"]}
    return bool(faulty) and all("document:" in json.dumps(body.get(name)) for name in faulty)


def of_each_kind(procedure: Procedure) -> list[str]:
    """One command, by the seed, of those that the same roles may give to the same cases."""
    alike: dict[frozenset[tuple[str, str]], list[str]] = {}
    for command in procedure.commands:
        rows = [rule for rule in procedure.rules if rule.command == command and not rule.automatic]
        alike.setdefault(frozenset((by.role.value, by.scope.value) for rule in rows for by in rule.by), []).append(
            command
        )
    return [chosen(commands, 1, f"{procedure.name} {commands[0]}")[0] for commands in alike.values()]


@pytest.mark.parametrize(
    ("ended", "whole"),
    [
        (True, False),
        pytest.param(True, True, marks=pytest.mark.long),
        pytest.param(False, True, marks=pytest.mark.long),
    ],
    ids=["ended", "ended, every command", "goes on"],
)
@some_procedures("commands at the door")
async def test_commands_are_for_those_whose_they_are(
    procedure: Procedure,
    ended: bool,  # noqa: FBT001 - which case is asked
    whole: bool,  # noqa: FBT001 - whether every command is asked, also one that is for the same people as another
    api: httpx.AsyncClient,
    keys: Keys,
    pool: asyncpg.Pool,
    world: World,
) -> None:
    """Each command of each procedure is refused to every role, area and department that the rules table does not name.

    Those it does name are told by the case that has ended, so that no cell changes anything. Of some procedures, and of the
    commands that are for the same people one; what every table says of every one, in every cell, is asked in
    tests/procedures/test_laws.py.
    """
    asking = Asking(api, keys, pool)
    case = world.of(procedure.name, ended=ended)
    for command in case.procedure.commands if whole else of_each_kind(case.procedure):
        for who in everybody([case], (OWN_AREA, OTHER_AREA), command, whole=whole):
            expected = case.refuses(command, who)
            if expected is None:
                continue  # the case decides, and that would change it: this cell is asked of the one that has ended
            path = f"/api/v1/cases/{case.case_id}/commands/{command}"
            headers = {"Idempotency-Key": str(uuid.uuid4())}
            body = world.bodies[case.case_id, command]
            answer = await asking.ask(who, "POST", path, json=body, headers=headers)
            # To whom a document is none, a body that names it is wrong before it is asked who sends it.
            unseen = names_documents_alone(answer, body)
            asking.judge(command, path, who, outcome(answer), {expected, "422 bad-request"} if unseen else {expected})
    print(f"access matrix: {procedure.name}, {len(asking.cells)} commands, {asking.cells.total()} cells")  # noqa: T201 - as above

    assert asking.wrong == []
