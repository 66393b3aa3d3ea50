"""Who may do what at which address: one line for each route of the API, and the oracle that says what must come of it.

What a command's role and scope are stands in the rules table of its procedure; what somebody sees is said here once more, in
other words than the API's own, so that a hole in the one is not a hole in the other.
"""

import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from local.simulation.pictures import PICTURE
from schemas.kernel.declaration import DeclaredProcedure
from schemas.kernel.procedure import Procedure
from schemas.kernel.rules import Scope
from schemas.values.actor import Role
from tests.every_procedure import PROCEDURE_LIST

AREA = "777001.002.03"
OWN_AREA, OTHER_AREA, WHOLE_TOWN = "777001.002", "777001.00", None
"""The other area's code begins like the own one's and is no area above it."""

OWN_DEPARTMENT, OTHER_DEPARTMENT = "urban-management", "water-supply"
OUTSIDE = frozenset({Role.RESIDENT, Role.MEDIATOR, Role.SPECIALIST, Role.PARTNER})
STAFF = frozenset(Role) - OUTSIDE - {Role.ENGINE}
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
        if who.role in OUTSIDE:
            # of partners also what they are a party to, and what stands open to all of them
            party = {"open-to:partner", f"partner:{who.subject}"} & self.departments
            return who.subject == self.reporter or (who.role is Role.PARTNER and bool(party))
        near = who.area is None or (AREA + ".").startswith(who.area + ".")
        return near and (who.role is not Role.DEPARTMENT_OFFICER or who.department in self.departments)

    def refuses(self, command: str, who: Who) -> str | None:
        """What must come of a command, as far as it is a matter of who gives it; None when the case itself decides."""
        if who.role is None:
            return "401 token-missing"
        by = [
            each for rule in self.procedure.rules if rule.command == command and not rule.automatic for each in rule.by
        ]
        granted = [each.scope for each in by if each.role is who.role]
        if not self.seen_by(who) and Scope.NEIGHBOUR not in granted:
            return "404 unknown-case"
        if not granted:
            return "403 not-your-role"
        own = {Scope.HOLDER: who.department == self.holder, Scope.REPORTER: who.subject == self.reporter}
        if not any(own.get(scope, True) for scope in granted):
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


def _audits_unrecorded(world: World, who: Who) -> set[str]:
    """As for what nobody has asked for yet."""
    right = _audits_incident(world, who)
    return {"404 not-recorded"} if right == {"200"} else right


def _audits_nothing(world: World, who: Who) -> set[str]:
    wrong = _roles(_AUDITORS)(world, who)
    return {"404 unknown-case"} if wrong == {"200"} else wrong


def _staff_sees_incident(world: World, who: Who) -> set[str]:
    """What a model proposed is for staff, of what they see."""
    if who.role in OUTSIDE:
        return {"403 not-your-role"}
    return _sees_incident()(world, who)


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
_FIND_PEOPLE = frozenset(
    {
        Role.GRID_WORKER,
        Role.WINDOW_CLERK,
        Role.STREET_OFFICER,
        Role.COORDINATOR,
        Role.CIVIL_AFFAIRS_OFFICER,
    }
)
"""Who reads a phone or an identity number whole in a case, and so may look for people by it."""

_PNG = PICTURE + b"matrix".ljust(40, b"\0")
_AUDITORS = frozenset({Role.AUDITOR})
_OPERATORS = frozenset({Role.SUPERVISOR, Role.ADMIN})
_AREA = {"params": {"area": AREA, "limit": "200"}}
_EMPTY: dict[str, Any] = {"json": {}, "headers": {"Idempotency-Key": "matrix"}}
_PAGE = frozenset({Role.CIVIL_AFFAIRS_OFFICER, Role.SUPERVISOR, Role.AUDITOR})

_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
_BLANK: dict[str, Any] = {"content": b"", "headers": _FORM}
"""A form of a page of this site, with nothing in it."""


def _page(expect: Expect, *, sent: bool = False) -> Expect:
    """As at the API, by status alone; whoever is not signed in is led to where one signs in, or told so."""

    def expected(world: World, who: Who) -> set[str]:
        if who.role is None:
            return {"401" if sent else "303"}
        return {each[:3] for each in expect(world, who)}

    return expected


def _comments(right: str) -> Expect:
    """What comes of a comment on the incident, as the rules table has it."""
    return lambda world, who: {world.incident.refuses("comment", who) or right}


def _named_in_page(world: World, answer: httpx.Response) -> set[str]:
    # A child's number begins with its parent's.
    return {case.case_id for case in world.cases if re.search(rf"/cases/{re.escape(case.case_id)}[^.\w]", answer.text)}


def _page_only_seen(world: World, who: Who, answer: httpx.Response) -> bool:
    return _named_in_page(world, answer) <= world.seen_by(who)


def _list_of_one(world: World, who: Who) -> tuple[str, dict[str, Any]]:
    """A page of what goes on of one procedure, which is another one for another caller: a page has no room for all."""
    names = sorted({each.procedure.name for each in world.cases})
    procedure = names[zlib.crc32(repr(who).encode()) % len(names)]
    return "/cases", {"params": {"area": AREA, "ended": "false", "procedure": procedure}}


def _page_shows_what_goes_on(world: World, who: Who, answer: httpx.Response) -> bool:
    procedure = answer.request.url.params["procedure"]
    going_on = [each for each in world.cases if not each.ended and each.procedure.name == procedure]
    return _named_in_page(world, answer) == {each.case_id for each in going_on if each.seen_by(who)}


def _ticked(path: str) -> Ask:
    """The incident, ticked in a list."""
    return lambda world, _who: (path, {"content": f"_case={world.incident.case_id}".encode(), "headers": _FORM})


def _comments_on_many(world: World, who: Who) -> set[str]:
    """A form for whoever may comment on every case that was ticked; for others there is none."""
    return {"404" if world.incident.refuses("comment", who) else "200"}


def _page_only_audited(world: World, who: Who, answer: httpx.Response) -> bool:
    """The rows of an auditor's list lead to cases that this auditor sees; what was asked for stands in its form besides."""
    shown = {case.case_id for case in world.cases if f"/audit/cases/{case.case_id}" in answer.text}
    return shown <= world.seen_by(who)


def _map_counts(world: World, who: Who, answer: httpx.Response) -> bool:
    """The matrix' area is on the map of whoever sees the incident that goes on there, and of nobody else."""
    return ("777001.002" in answer.text) is any(case.seen_by(who) for case in world.cases if not case.ended)


def _follow_without_code(world: World, who: Who) -> tuple[str, dict[str, Any]]:
    number = _case_without_code(world, who)[0].rpartition("/")[2]
    return "/follow", {"content": f"number={number}&code=WRONG".encode(), "headers": _FORM}


_PAGES: Mapping[str, Line] = {
    "GET /": Line(_at("/"), Anybody("200")),
    "GET /follow": Line(_at("/follow"), Anybody("200")),
    "POST /follow": Line(_follow_without_code, Anybody("404")),
    # Who only has the number, or nothing, is asked for the code; the pages of a report begin on the first one.
    "POST /follow/{command}": Line(_at("/follow/rate", **_BLANK), Anybody("403")),
    "GET /report": Line(_at("/report"), Anybody("303")),
    "GET /report/{procedure}/check": Line(_at("/report/incident/check"), Anybody("303")),
    "POST /report/{procedure}/check": Line(_at("/report/incident/check", **_BLANK), Anybody("303")),
    "GET /report/{procedure}/receipt": Line(_at("/report/incident/receipt"), Anybody("303")),
    "POST /report/{procedure}/receipt": Line(_at("/report/incident/receipt", **_BLANK), Anybody("303")),
    "GET /report/{procedure}/{number}": Line(_at("/report/incident/1"), Anybody("200")),
    # Nobody applies for money without an account; what is kept of a report is tests/console/test_console_report.py's.
    "POST /report/{procedure}/{number}": Line(_at("/report/welfare/1", **_BLANK), Anybody("404")),
    "GET /progress": Line(_at("/progress"), Anybody("200")),
    "GET /notices": Line(_at("/notices"), Anybody("200")),
    "GET /boards": Line(_at("/boards"), Anybody("200")),
    "GET /votes": Line(_at("/votes"), Anybody("200")),
    "GET /votes/{vote}": Line(_at("/votes/none"), Anybody("404")),
    "POST /votes/{vote}/taken": Line(_at("/votes/none/taken", **_BLANK), Anybody("404")),
    "GET /notices/{notice}/object": Line(_at("/notices/none/object"), Anybody("404")),
    "POST /notices/{notice}/object": Line(_at("/notices/none/object", **_BLANK), Anybody("422")),
    "GET /forms": Line(_at("/forms"), Anybody("200")),
    "GET /forms/{procedure}": Line(_at("/forms/incident"), Anybody("200")),
    "POST /look": Line(_at("/look", **_BLANK), Anybody("303")),
    "GET /assets/{name}": Line(_at("/assets/none.css"), Anybody("404 not-found")),
    "GET /sign-in": Line(_at("/sign-in"), Anybody("200")),
    "POST /sign-in/token": Line(_at("/sign-in/token", **_BLANK), Anybody("401")),
    "GET /sign-in/issuer": Line(_at("/sign-in/issuer"), Anybody("404")),
    "GET /sign-in/back": Line(_at("/sign-in/back", params={"code": "c", "state": "s"}), Anybody("404")),
    "GET /signed-out": Line(_at("/signed-out"), Anybody("404")),
    "GET /sign-in/once": Line(_at("/sign-in/once", params={"code": "none"}), Anybody("403")),
    "POST /sign-in/once": Line(_at("/sign-in/once", **_BLANK), Anybody("403")),
    "POST /sign-in/person": Line(_at("/sign-in/person", **_BLANK), Anybody("403")),
    # From a page of another site: nobody is signed out by that.
    "POST /sign-out": Line(_at("/sign-out", content=b"", headers=_FORM | {"Sec-Fetch-Site": "cross-site"}), Anybody("403")),
    "GET /inbox": Line(_at("/inbox"), _page(_signed_in()), _page_only_seen),
    "GET /inbox/counts": Line(_at("/inbox/counts", params={"seen": "none"}), _page(_signed_in())),
    "GET /drafts": Line(_at("/drafts"), _page(_signed_in())),
    "POST /drafts/drop": Line(_at("/drafts/drop", **_BLANK), _page(_signed_in("303"), sent=True)),
    "GET /cases": Line(_list_of_one, _page(_signed_in()), _page_shows_what_goes_on),
    "GET /cases/filter": Line(_at("/cases/filter", params={"area": AREA, "stage": ""}), _page(_signed_in("303"))),
    "GET /cases/{case_id}": Line(_of_incident("/cases/{case_id}"), _page(_sees_incident())),
    "GET /cases/{case_id}/paper/{kind}": Line(_of_incident("/cases/{case_id}/paper/receipt"), _page(_sees_incident())),
    "GET /cases/{case_id}/{command}": Line(_of_incident("/cases/{case_id}/comment"), _page(_comments("200"))),
    "POST /cases/{case_id}/{command}": Line(
        _of_incident("/cases/{case_id}/comment", **_BLANK), _page(_comments("422"), sent=True)
    ),
    "GET /new": Line(_at("/new"), _page(_signed_in())),
    "GET /new/{procedure}": Line(_at("/new/incident"), _page(_roles(_REPORTERS))),
    "POST /new/{procedure}": Line(_at("/new/incident", **_BLANK), _page(_roles(_REPORTERS, _STARTS), sent=True)),
    "GET /submissions/{submission}": Line(lambda world, _who: (f"/submissions/{world.submission}", {}), _page(_own_submission)),
    "GET /documents/{reference}": Line(
        lambda world, _who: (f"/documents/{world.documents['incident']}", {}),
        _page(_sees_incident(missing="404", without=frozenset({Role.ADMIN, Role.COMMITTEE_OFFICER}))),
    ),
    "GET /cases/{case_id}/similar": Line(
        _of_incident("/cases/{case_id}/similar"), _page(_sees_incident()), _page_only_seen
    ),
    "GET /search": Line(_at("/search"), _page(_signed_in())),
    "POST /search": Line(_at("/search", **_BLANK), _page(_signed_in("422"), sent=True)),
    "GET /filters": Line(_at("/filters"), _page(_signed_in())),
    "POST /filters": Line(_at("/filters", **_BLANK), _page(_signed_in("422"), sent=True)),
    "POST /filters/{filter_id}/delete": Line(
        _at(f"/filters/{2**62}/delete", **_BLANK), _page(_signed_in("404"), sent=True)
    ),
    "GET /bulk": Line(_at("/bulk"), _page(_signed_in("303"))),
    "GET /bulk/{command}": Line(_at("/bulk/comment"), _page(_signed_in("303"))),
    "POST /bulk": Line(_ticked("/bulk"), _page(_sees_incident(), sent=True), _page_only_seen),
    "POST /bulk/{command}": Line(_ticked("/bulk/comment"), _page(_comments_on_many, sent=True), _page_only_seen),
    "GET /wall": Line(_at("/wall"), _page(_roles(STAFF))),
    "GET /indicators": Line(_at("/indicators"), _page(_roles(STAFF))),
    "GET /indicators/{name}": Line(_at("/indicators/cases"), _page(_roles(STAFF))),
    "GET /indicators/{name}/{number}.csv": Line(_at("/indicators/cases/1.csv"), _page(_roles(STAFF))),
    "GET /hot-spots": Line(_at("/hot-spots"), _page(_roles(STAFF - {Role.ADMIN}))),
    "GET /audit/cases/{case_id}": Line(_of_incident("/audit/cases/{case_id}"), _page(_audits_incident)),
    "GET /audit/cases/{case_id}/entries/{seq}": Line(
        _of_incident("/audit/cases/{case_id}/entries/1"), _page(_audits_incident)
    ),
    "GET /audit/cases/{case_id}/replay": Line(_of_incident("/audit/cases/{case_id}/replay"), _page(_audits_incident)),
    # From a page of another site: no replay of a whole history for each cell.
    "POST /audit/cases/{case_id}/replay": Line(
        _of_incident("/audit/cases/{case_id}/replay", content=b"", headers=_FORM | {"Sec-Fetch-Site": "cross-site"}),
        Anybody("403"),
    ),
    "GET /audit/readings": Line(
        lambda world, _who: ("/audit/readings", {"params": {"case_id": world.incident.case_id}}),
        _page(_roles(_AUDITORS)),
        _page_only_audited,
    ),
    "GET /audit/readings/filter": Line(_at("/audit/readings/filter", params={"who": ""}), _page(_signed_in("303"))),
    "GET /audit/refusals": Line(
        lambda world, _who: ("/audit/refusals", {"params": {"case_id": world.incident.case_id}}),
        _page(_roles(_AUDITORS)),
        _page_only_audited,
    ),
    "GET /audit/refusals/filter": Line(_at("/audit/refusals/filter", params={"who": ""}), _page(_signed_in("303"))),
    "GET /map": Line(_at("/map"), _page(_roles(STAFF)), _map_counts),
    "GET /stuck": Line(_at("/stuck"), _page(_roles(_OPERATORS, whole_town=True))),
    "GET /stuck/{act}/{target}": Line(
        _of_incident("/stuck/retry/{case_id}"), _page(_roles(frozenset({Role.SUPERVISOR}), whole_town=True))
    ),
    "POST /stuck/{act}/{target}": Line(
        _of_incident("/stuck/retry/{case_id}", **_BLANK),
        _page(_roles(frozenset({Role.SUPERVISOR}), "422", whole_town=True), sent=True),
    ),
    # Its document is no PDF, so whoever sees the case is told so, and no picture is drawn for each cell.
    "GET /documents/{reference}/{shown}": Line(
        lambda world, who: (
            f"/documents/{world.documents['incident']}/{'pdf' if world.incident.seen_by(who) else 'thumbnail'}",
            {},
        ),
        _page(_sees_incident("415", missing="404", without=frozenset({Role.ADMIN, Role.COMMITTEE_OFFICER}))),
    ),
    "GET /sessions": Line(_at("/sessions"), _page(_roles(frozenset({Role.ADMIN}), whole_town=True))),
    "POST /sessions/end": Line(
        _at("/sessions/end", content=b"subject=nobody", headers=_FORM),
        _page(_roles(frozenset({Role.ADMIN}), "303", whole_town=True), sent=True),
    ),
}  # fmt: skip
"""The console's: the same people with a session instead of a token, and what the rules table says to the API it says to them."""


def _reports_by_open311(_world: World, who: Who) -> set[str]:
    """Whoever may report is told what is wrong with an empty report; who shows no key, or may not, is not believed."""
    return {"400" if who.role in _REPORTERS else "403"}


def _tells_no_more_than_it_may(world: World, _who: Who, answer: httpx.Response) -> bool:
    """Of a case of a published matter: its number, and nothing of what was said of it, for whoever asks."""
    [told] = answer.json()
    silent = all(told[name] is None for name in ("description", "address", "lat", "long", "media_url"))
    return silent and told["service_request_id"] == world.incident.case_id


_OPEN311: Mapping[str, Line] = {
    "GET /open311/discovery.{form}": Line(_at("/open311/discovery.json"), Anybody("200")),
    "GET /open311/v2/discovery.{form}": Line(_at("/open311/v2/discovery.xml"), Anybody("200")),
    "GET /open311/v2/services.{form}": Line(_at("/open311/v2/services.json"), Anybody("200")),
    "GET /open311/v2/services/{service_code}.{form}": Line(_at("/open311/v2/services/none.json"), Anybody("404")),
    "GET /open311/v2/requests.{form}": Line(_at("/open311/v2/requests.json"), Anybody("200")),
    "GET /open311/v2/requests/{service_request_id}.{form}": Line(
        _of_incident("/open311/v2/requests/{case_id}.json"), Anybody("200"), _tells_no_more_than_it_may
    ),
    "GET /open311/v2/tokens/{token}.{form}": Line(_at("/open311/v2/tokens/none.json"), Anybody("404")),
    "POST /open311/v2/requests.{form}": Line(
        _at("/open311/v2/requests.json", content=b"", headers={"Content-Type": "application/x-www-form-urlencoded"}),
        _reports_by_open311,
    ),
}
"""Those of Open311: by status alone, for its problems are GeoReport's errors."""

_OPENINGS = {
    f"POST {opens.path}": Line(_at(opens.path, **_EMPTY), _roles(opens.by, _STARTS))
    for opens in (each.opens for each in PROCEDURE_LIST if isinstance(each, DeclaredProcedure))
    if opens is not None
}
"""Those of declared procedures: whose they are is said in the declaration."""

LINES: Mapping[str, Line] = {
    **_OPENINGS,
    **_PAGES,
    **_OPEN311,
    "POST /api/v1/incidents:batch": Line(_at("/api/v1/incidents:batch", **_EMPTY), _roles(_REPORTERS, _STARTS)),
    "POST /api/v1/commands:batch": Line(_at("/api/v1/commands:batch", **_EMPTY), _signed_in("422 bad-request")),
    "POST /api/v1/cases:find": Line(_at("/api/v1/cases:find", **_EMPTY), _roles(_FIND_PEOPLE, "422 bad-request")),
    "GET /api/v1/wall": Line(_at("/api/v1/wall"), _roles(STAFF)),
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
    "GET /api/v1/cases/{case_id}/precedents": Line(
        _of_incident("/api/v1/cases/{case_id}/precedents"), _sees_incident()
    ),
    "GET /api/v1/cases/{case_id}/alike": Line(_of_incident("/api/v1/cases/{case_id}/alike"), _sees_incident()),
    "POST /api/v1/cases/{case_id}/commands/{command}": Line(
        _of_incident("/api/v1/cases/{case_id}/commands/no_such_command", **_EMPTY),
        _sees_incident("404 unknown-command"),
    ),
    "GET /api/v1/cases/{case_id}/proposals": Line(
        _of_incident("/api/v1/cases/{case_id}/proposals"), _staff_sees_incident
    ),
    "POST /api/v1/incidents/proposals": Line(
        _at("/api/v1/incidents/proposals", **_EMPTY), _roles(STAFF, "422 bad-request")
    ),
    "GET /api/v1/dispatch-models": Line(_at("/api/v1/dispatch-models"), _roles(STAFF)),
    "GET /api/v1/hot-spots": Line(
        _at("/api/v1/hot-spots"),
        _roles(STAFF - {Role.ADMIN}),
        _only_seen(lambda told: [{"case_id": case} for spot in told["items"] for case in spot["cases"]]),
    ),
    "GET /api/v1/indicators/weak-points": Line(_at("/api/v1/indicators/weak-points"), _roles(STAFF)),
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
    "GET /public/boards": Line(_at("/public/boards"), Anybody("200")),
    "POST /public/notices/{notice}/objections": Line(
        _at("/public/notices/none/objections", **_EMPTY), Anybody("422 bad-request")
    ),
    "POST /api/v1/banks/{code}/notices": Line(_at("/api/v1/banks/b/notices", json={}), Anybody("401 not-believed")),
    "POST /api/v1/call-gateways/{code}/reports": Line(
        _at("/api/v1/call-gateways/g/reports", json={}), Anybody("401 not-believed")
    ),
    "POST /api/v1/devices/{platform}/events": Line(
        _at("/api/v1/devices/wristband/events", json={}), Anybody("401 not-believed")
    ),
    "POST /api/v1/gauges/{platform}/readings": Line(
        _at("/api/v1/gauges/bins/readings", json={}), Anybody("401 not-believed")
    ),
    "POST /api/v1/alerts/{issuer}": Line(_at("/api/v1/alerts/weather-bureau", json={}), Anybody("401 not-believed")),
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
    "GET /api/v1/audit/cases/{case_id}/proofs": Line(
        _of_incident("/api/v1/audit/cases/{case_id}/proofs"), _audits_incident
    ),
    "GET /api/v1/audit/cases/{case_id}/replay": Line(
        _of_incident("/api/v1/audit/cases/{case_id}/replay"), _audits_unrecorded
    ),
    "POST /api/v1/audit/cases/{case_id}/replay": Line(
        # Of a number that no case has: who is no auditor hears that first, and no history is replayed for each cell.
        _at("/api/v1/audit/cases/incident-20200101-000001/replay"),
        _audits_nothing,
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
    "GET /api/v1/operations/operator": Line(
        _at("/api/v1/operations/operator"), _roles(frozenset({Role.SUPERVISOR}), whole_town=True)
    ),
    "GET /api/v1/operations/stuck": Line(_at("/api/v1/operations/stuck"), _roles(_OPERATORS, whole_town=True)),
    "GET /api/v1/submissions/{submission}": Line(
        lambda world, _who: (f"/api/v1/submissions/{world.submission}", {}), _own_submission
    ),
    "POST /api/v1/documents": Line(
        _at("/api/v1/documents", content=_PNG, headers={"Content-Type": "image/png"}),
        lambda world, who: {"200", "201"} if who.role in _KEEPS_DOCUMENTS else _roles(_KEEPS_DOCUMENTS)(world, who),
    ),
    "GET /api/v1/documents/{reference}": Line(
        _document,
        _sees_incident(missing="404 unknown-document", without=frozenset({Role.ADMIN, Role.COMMITTEE_OFFICER})),
    ),
    "GET /api/v1/notices": Line(
        _at("/api/v1/notices", params={"limit": "200"}), _signed_in(), _only_seen(lambda told: list(told["items"]))
    ),
    "OPTIONS /codec/decode": Line(_at("/codec/decode", headers={"Origin": "http://evil.example"}), Anybody("403")),
    "POST /codec/decode": Line(_codec_page, _decodes),
    "POST /codec/encode": Line(_at("/codec/encode", json={"payloads": []}), Anybody("403")),
    "GET /healthz": Line(_at("/healthz"), Anybody("200")),
    "GET /readyz": Line(_at("/readyz"), Anybody("200")),
    "GET /metrics": Line(_at("/metrics"), Anybody("401 token-missing")),
    "GET /openapi.json": Line(_at("/openapi.json"), Anybody("200")),
    "GET /docs": Line(_at("/docs"), Anybody("200")),
}
"""Every route but the commands, which the rules tables have: method and path as the app has them."""
