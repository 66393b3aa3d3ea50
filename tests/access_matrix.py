"""Who may do what at which address: one line for each route of the API, and the oracle that says what must come of it.

What a command's role and scope are stands in the rules table of its procedure; what somebody sees is said here once more, in
other words than the API's own, so that a hole in the one is not a hole in the other.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from schemas.kernel.declaration import DeclaredProcedure
from schemas.kernel.procedure import Procedure
from schemas.kernel.rules import Scope
from schemas.values.actor import Role
from tests.every_procedure import PROCEDURE_LIST

AREA = "777001.002.03"
OWN_AREA, OTHER_AREA, WHOLE_TOWN = "777001.002", "777001.00", None
"""The other area's code begins like the own one's and is no area above it."""

OWN_DEPARTMENT, OTHER_DEPARTMENT = "urban-management", "water-supply"
STAFF = frozenset(Role) - {Role.RESIDENT, Role.ENGINE}
UI = "http://127.0.0.1:8233"


@dataclass(frozen=True)
class Who:
    """Somebody with a token; without a role, somebody with none."""

    role: Role | None
    subject: str = ""
    area: str | None = None
    department: str = OTHER_DEPARTMENT

    def __str__(self) -> str:
        return f"{self.role or 'nobody'} {self.subject} area={self.area or 'town'} department={self.department}"


@dataclass(frozen=True)
class Known:
    """A case of the matrix' town."""

    case_id: str
    procedure: Procedure
    reporter: str | None
    departments: frozenset[str]
    holder: str | None
    ended: bool

    def seen_by(self, who: Who) -> bool:
        """Whether somebody sees it: the oracle of all lists, pages and documents."""
        if who.role is None:
            return False
        if who.role is Role.RESIDENT:
            return who.subject == self.reporter
        near = who.area is None or (AREA + ".").startswith(who.area + ".")
        return near and (who.role is not Role.DEPARTMENT_OFFICER or who.department in self.departments)

    def refuses(self, command: str, who: Who) -> str | None:
        """What must come of a command, as far as it is a matter of who gives it; None when the case itself decides."""
        if who.role is None:
            return "401 token-missing"
        if not self.seen_by(who):
            return "404 unknown-case"
        by = [
            each for rule in self.procedure.rules if rule.command == command and not rule.automatic for each in rule.by
        ]
        granted = [each.scope for each in by if each.role is who.role]
        if not granted:
            return "403 not-your-role"
        own = who.department == self.holder
        if not any(scope is not Scope.HOLDER or own for scope in granted):
            return "403 not-your-case"
        return "409 case-ended" if self.ended else None


@dataclass
class World:
    """The cases of the matrix' town and what belongs to them: two of each procedure, one that goes on and one that ended."""

    cases: list[Known]
    documents: Mapping[str, str]
    submission: str
    submitter: str
    next_number: int = 0
    bodies: dict[tuple[str, str], Any] = field(default_factory=dict)

    def of(self, procedure: str, *, ended: bool = False) -> Known:
        """The case of a procedure."""
        return next(each for each in self.cases if (each.procedure.name, each.ended) == (procedure, ended))

    @property
    def incident(self) -> Known:
        """The incident that goes on."""
        return self.of("incident")

    def seen_by(self, who: Who) -> set[str]:
        """The numbers of the cases that somebody sees."""
        return {case.case_id for case in self.cases if case.seen_by(who)}


Ask = Callable[[World, Who], tuple[str, dict[str, Any]]]
"""Path and further parts of the request."""

Expect = Callable[[World, Who], set[str]]
"""The outcomes that are right: a status, with the code of the problem if it is one."""

Check = Callable[[World, Who, httpx.Response], bool]
"""Whether a 200 shows what it should and nothing else."""


@dataclass(frozen=True)
class Line:
    """One route: what is asked, what must come of it, and what the answer may show."""

    ask: Ask
    expect: Expect
    shows: Check | None = None

    @property
    def open(self) -> bool:
        """Whether it is the same for everybody, so that areas make no difference."""
        return isinstance(self.expect, Anybody)


def outcome(answer: httpx.Response) -> str:
    """A status, with the code of the problem if it is one."""
    problem = answer.headers.get("content-type", "").startswith("application/problem+json")
    return f"{answer.status_code} {answer.json()['code']}" if problem else str(answer.status_code)


def _at(path: str, **parts: Any) -> Ask:
    return lambda _world, _who: (path, parts)


def _of_incident(path: str, **parts: Any) -> Ask:
    return lambda world, _who: (path.replace("{case_id}", world.incident.case_id), parts)


class Anybody:
    """The same for everybody, signed in or not."""

    def __init__(self, *outcomes: str) -> None:
        self._outcomes = set(outcomes)

    def __call__(self, _world: World, _who: Who) -> set[str]:
        return self._outcomes


def _roles(roles: frozenset[Role], right: str = "200", *, whole_town: bool = False) -> Expect:
    """Signed in, of a role, and bound to no area where the matter has none."""

    def expect(_world: World, who: Who) -> set[str]:
        if who.role is None:
            return {"401 token-missing"}
        fits = who.role in roles and not (whole_town and who.area is not None)
        return {right if fits else "403 not-your-role"}

    return expect


def _sees_incident(
    right: str = "200", missing: str = "404 unknown-case", without: frozenset[Role] = frozenset()
) -> Expect:
    def expect(world: World, who: Who) -> set[str]:
        if who.role is None:
            return {"401 token-missing"}
        return {right if world.incident.seen_by(who) and who.role not in without else missing}

    return expect


def _audits_incident(world: World, who: Who) -> set[str]:
    wrong = _roles(frozenset({Role.AUDITOR}))(world, who)
    return _sees_incident()(world, who) if wrong == {"200"} else wrong


def _only_seen(rows: Callable[[Any], list[Any]]) -> Check:
    """Every case that is shown is one that this caller sees."""

    def check(world: World, who: Who, answer: httpx.Response) -> bool:
        shown = {row["case_id"] for row in rows(answer.json())}
        return shown & {case.case_id for case in world.cases} <= world.seen_by(who)

    return check


def _just_seen(world: World, who: Who, answer: httpx.Response) -> bool:
    """The list of the area's cases has those that this caller sees, each of them, and no other."""
    shown = {row["case_id"] for row in answer.json()["items"]}
    return shown & {case.case_id for case in world.cases} == world.seen_by(who)


def _file_just_seen(world: World, who: Who, answer: httpx.Response) -> bool:
    shown = {case.case_id for case in world.cases if f"{case.case_id}," in answer.text}
    return shown == world.seen_by(who)


def _counts(world: World, who: Who, answer: httpx.Response) -> bool:
    """Figures of the area count what this caller sees, and nothing elsewhere."""
    near = world.incident.seen_by(Who(Role.SUPERVISOR, area=who.area))
    held = who.role is not Role.DEPARTMENT_OFFICER or who.department == OWN_DEPARTMENT
    return (answer.json()["whole"]["reported"] > 0) is (near and held)


def _counts_cases(world: World, who: Who, answer: httpx.Response) -> bool:
    """The cases of a procedure are counted that this caller sees, and no other: of the incidents two are the matrix' own."""
    [line] = answer.json()["procedures"]
    seen = [case for case in world.cases if case.procedure.name == "incident" and case.seen_by(who)]
    return bool(line["opened"]) is bool(seen) and sum(each["cases"] for each in line["stages"]) == line["opened"]


def _readings(world: World, who: Who, answer: httpx.Response) -> bool:
    return {row["case_id"] for row in answer.json()["items"]} <= world.seen_by(who)


def _document(world: World, _who: Who) -> tuple[str, dict[str, Any]]:
    return f"/api/v1/documents/{world.documents['incident']}", {}


def _own_submission(world: World, who: Who) -> set[str]:
    if who.role is None:
        return {"401 token-missing"}
    return {"200" if who.subject == world.submitter else "404 unknown-submission"}


def _case_without_code(world: World, _who: Who) -> tuple[str, dict[str, Any]]:
    world.next_number += 1  # a number of its own for everybody: who tries one too often is told to wait
    return f"/public/cases/incident-20200101-{world.next_number:06d}", {"params": {"code": "WRONG"}}


def _decodes(_world: World, who: Who) -> set[str]:
    if who.role is None:
        return {"401"}
    return {"200" if who.role in {Role.SUPERVISOR, Role.AUDITOR} and who.area is None else "403"}


def _codec_page(_world: World, _who: Who) -> tuple[str, dict[str, Any]]:
    return "/codec/decode", {"json": {"payloads": []}, "headers": {"X-Namespace": "default"}}


def _signed_in(right: str = "200") -> Expect:
    return lambda _world, who: {"401 token-missing" if who.role is None else right}


_STARTS = "422 bad-request"
_KEEPS_DOCUMENTS = frozenset(Role) - {Role.ADMIN, Role.AUDITOR, Role.ENGINE}
_REPORTERS = frozenset({Role.RESIDENT, Role.GRID_WORKER, Role.WINDOW_CLERK, Role.STREET_OFFICER, Role.COORDINATOR})
_PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"matrix".ljust(40, b"\0")
_AUDITORS = frozenset({Role.AUDITOR})
_AREA = {"params": {"area": AREA, "limit": "200"}}
_EMPTY: dict[str, Any] = {"json": {}, "headers": {"Idempotency-Key": "matrix"}}
_PAGE = frozenset({Role.CIVIL_AFFAIRS_OFFICER, Role.SUPERVISOR, Role.AUDITOR})

_OPENINGS = {
    f"POST {opens.path}": Line(_at(opens.path, **_EMPTY), _roles(opens.by, _STARTS))
    for opens in (each.opens for each in PROCEDURE_LIST if isinstance(each, DeclaredProcedure))
    if opens is not None
}
"""Those of declared procedures: whose they are is said in the declaration."""

LINES: Mapping[str, Line] = {
    **_OPENINGS,
    "POST /api/v1/incidents:batch": Line(_at("/api/v1/incidents:batch", **_EMPTY), _roles(_REPORTERS, _STARTS)),
    "GET /api/v1/inbox": Line(
        _at("/api/v1/inbox", params={"limit": "100"}),
        _signed_in(),
        _only_seen(lambda told: [*told["mine"]["items"], *told["due_soon"]["items"], *told["overdue"]["items"]]),
    ),
    "GET /api/v1/cases": Line(_at("/api/v1/cases", **_AREA), _signed_in(), _just_seen),
    "GET /api/v1/cases/export": Line(
        _at("/api/v1/cases/export", params={"area": AREA, "format": "csv"}), _signed_in(), _file_just_seen
    ),
    "GET /api/v1/cases/{case_id}": Line(_of_incident("/api/v1/cases/{case_id}"), _sees_incident()),
    "GET /api/v1/cases/{case_id}/commands": Line(_of_incident("/api/v1/cases/{case_id}/commands"), _sees_incident()),
    "GET /api/v1/cases/{case_id}/timeline": Line(_of_incident("/api/v1/cases/{case_id}/timeline"), _sees_incident()),
    "GET /api/v1/cases/{case_id}/similar": Line(
        _of_incident("/api/v1/cases/{case_id}/similar"), _sees_incident(), _only_seen(lambda told: list(told["items"]))
    ),
    "GET /api/v1/cases/{case_id}/alike": Line(_of_incident("/api/v1/cases/{case_id}/alike"), _sees_incident()),
    "POST /api/v1/cases/{case_id}/commands/{command}": Line(
        _of_incident("/api/v1/cases/{case_id}/commands/no_such_command", **_EMPTY),
        _sees_incident("404 unknown-command"),
    ),
    "GET /api/v1/categories": Line(_at("/api/v1/categories"), _signed_in()),
    "GET /api/v1/indicators/incidents": Line(
        _at("/api/v1/indicators/incidents", params={"area": AREA}), _roles(STAFF), _counts
    ),
    "GET /api/v1/indicators/cases": Line(
        _at("/api/v1/indicators/cases", params={"area": AREA, "procedure": "incident"}), _roles(STAFF), _counts_cases
    ),
    "GET /api/v1/indicators/whistles": Line(
        _at("/api/v1/indicators/whistles", params={"area": AREA}),
        _roles(STAFF),
        lambda _world, who, answer: (
            not answer.json()["streets"] or (who.area is None or (AREA + ".").startswith(who.area + "."))
        ),
    ),
    "GET /public/cases/{case_id}": Line(_case_without_code, Anybody("404 unknown-case")),
    "GET /public/notices": Line(_at("/public/notices"), Anybody("200")),
    "POST /public/notices/{notice}/objections": Line(
        _at("/public/notices/none/objections", **_EMPTY), Anybody("422 bad-request")
    ),
    "POST /api/v1/banks/{code}/notices": Line(_at("/api/v1/banks/b/notices", json={}), Anybody("401 not-believed")),
    "POST /api/v1/departments/{code}/callbacks": Line(
        _at(f"/api/v1/departments/{OWN_DEPARTMENT}/callbacks", json={}), Anybody("401 not-believed")
    ),
    "GET /api/v1/reconciliations/{month}": Line(
        _at("/api/v1/reconciliations/2026-01"), _roles(_PAGE, "503 bank-away", whole_town=True)
    ),
    "GET /api/v1/audit/cases/{case_id}": Line(_of_incident("/api/v1/audit/cases/{case_id}"), _audits_incident),
    "GET /api/v1/audit/cases/{case_id}/entries/{seq}": Line(
        _of_incident("/api/v1/audit/cases/{case_id}/entries/1"), _audits_incident
    ),
    "GET /api/v1/audit/readings": Line(
        lambda world, _who: ("/api/v1/audit/readings", {"params": {"case_id": world.incident.case_id}}),
        _roles(_AUDITORS),
        _readings,
    ),
    "GET /api/v1/audit/refusals": Line(
        lambda world, _who: ("/api/v1/audit/refusals", {"params": {"case_id": world.incident.case_id}}),
        _roles(_AUDITORS),
        _readings,
    ),
    "GET /api/v1/audit/decodings": Line(_at("/api/v1/audit/decodings"), _roles(_AUDITORS, whole_town=True)),
    "GET /api/v1/operations/stuck": Line(
        _at("/api/v1/operations/stuck"), _roles(frozenset({Role.SUPERVISOR, Role.ADMIN}), whole_town=True)
    ),
    "GET /api/v1/submissions/{submission}": Line(
        lambda world, _who: (f"/api/v1/submissions/{world.submission}", {}), _own_submission
    ),
    "POST /api/v1/documents": Line(
        _at("/api/v1/documents", content=_PNG, headers={"Content-Type": "image/png"}),
        lambda world, who: {"200", "201"} if who.role in _KEEPS_DOCUMENTS else _roles(_KEEPS_DOCUMENTS)(world, who),
    ),
    "GET /api/v1/documents/{reference}": Line(
        _document, _sees_incident(missing="404 unknown-document", without=frozenset({Role.ADMIN}))
    ),
    "GET /api/v1/notices": Line(
        _at("/api/v1/notices", params={"limit": "200"}), _signed_in(), _only_seen(lambda told: list(told["items"]))
    ),
    "OPTIONS /codec/decode": Line(_at("/codec/decode", headers={"Origin": "http://evil.example"}), Anybody("403")),
    "POST /codec/decode": Line(_codec_page, _decodes),
    "POST /codec/encode": Line(_at("/codec/encode", json={"payloads": []}), Anybody("403")),
    "GET /codec/sign-in": Line(_at("/codec/sign-in"), Anybody("200")),
    "POST /codec/sign-in": Line(_at("/codec/sign-in", json={}), Anybody("415")),
    "GET /healthz": Line(_at("/healthz"), Anybody("200")),
    "GET /readyz": Line(_at("/readyz"), Anybody("200")),
    "GET /metrics": Line(_at("/metrics"), Anybody("401 token-missing")),
    "GET /openapi.json": Line(_at("/openapi.json"), Anybody("200")),
    "GET /docs": Line(_at("/docs"), Anybody("200")),
}
"""Every route but the commands, which the rules tables have: method and path as the app has them."""
