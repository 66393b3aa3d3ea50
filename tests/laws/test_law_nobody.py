"""Nobody is forgotten: who is told "accepted" can find the case, who follows one hears its end, and nobody is shut out."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

import asyncpg
import httpx
import pytest

from engine.keys.keys import Keys
from engine.keys.tokens import issue
from schemas.clocks.calendar import SHANGHAI
from schemas.incident import INCIDENT
from schemas.kernel.procedure import Procedure
from schemas.values.actor import Role
from schemas.whistle import WHISTLE
from starter.http.senders import FREE
from starter.intake.openings import opening_of
from tests.api_callers import As, BuildApp, Caller, api_of
from tests.api_driver import ApiDriver, OpenDoor, Person, Step, examples, path_of
from tests.every_procedure import PROCEDURE_LIST, some_procedures
from tests.sampling import chosen, sampled
from tests.waiting import eventually
from tests.who_waits import WAITS_FOR, Ending, soon_of

pytest_plugins = ("tests.api_fixture",)
pytestmark = [pytest.mark.usefixtures("worker"), pytest.mark.timeout(300)]

OWN, OTHER = "320104.003.01", "320104.003.02"
REPORTER = "reporter"
RECEIPT = {"case_id", "code", "procedure", "title", "stage", "opened_at"}

# ---- whoever was told "accepted" gets number and code ----------------------------------------------------------------

REFUSES_ANOTHER_AREA = {WHISTLE.name}
"""A street calls departments to its own area: refused before anything is kept."""


def openings() -> Iterator[Any]:
    """Every opening of the registry, for each area with one of the roles that start such cases, by the seed."""
    for procedure in PROCEDURE_LIST:
        if procedure.parent is None:
            roles = sorted(opening_of(procedure).starters - {Role.RESIDENT})
            for area in (OWN, OTHER):
                now = chosen(roles, 1, f"who is told accepted {procedure.name} {area}")
                for role in roles:
                    marks = () if role in now else pytest.mark.long
                    yield pytest.param(procedure, role, area, id=f"{procedure.name}-{role}-{area}", marks=marks)


async def body_in(procedure: Procedure, area: str, caller: Caller, http: httpx.AsyncClient) -> dict[str, Any]:
    """A right body for a place in an area; its documents are the caller's own."""
    told = examples(procedure)
    body = dict(told.REPORT)
    if "location" in body:
        return body | {"location": {**body["location"], "area": area}}
    if not hasattr(told, "DOCUMENTS"):
        return body | {"area": area}
    documents = []
    for kind in told.DOCUMENTS[body["benefit"]]:
        content = told.PHOTO + f"{kind} {uuid.uuid4()}".encode()
        sent = await http.post(
            "/api/v1/documents", content=content, headers=caller.headers | {"Content-Type": "image/png"}
        )
        documents.append({"kind": kind, "document": sent.json()})
    number = told.identity_number("19400615", uuid.uuid4().int % 1000)
    return body | {
        "area": area,
        "documents": documents,
        "applicant": {**body["applicant"], "identity_number": number},
    }


async def cases_of(pool: asyncpg.Pool, subject: str) -> int:
    return int(await pool.fetchval("select count(*) from intake where subject = $1 and kind = 'start'", subject))


@pytest.mark.parametrize(("procedure", "role", "area"), list(openings()))
async def test_who_is_told_accepted_gets_number_and_code(
    procedure: Procedure, role: Role, area: str, as_: As, http: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    """201 with number and code wherever the place lies, or 422 before anything is kept; sent again, 200 with the same."""
    subject = f"nobody-{uuid.uuid4().hex[:8]}"
    department = "court" if role is Role.DEPARTMENT_OFFICER else None
    caller = as_(role, subject, area=OWN, department=department)
    body = await body_in(procedure, area, caller, http)
    path, key = path_of(procedure), str(uuid.uuid4())
    answer = await caller.post(path, body, key=key)
    if area == OTHER and procedure.name in REFUSES_ANOTHER_AREA:
        assert (answer.status_code, await cases_of(pool, subject)) == (422, 0), answer.text
        return
    told = answer.json()
    again = await caller.post(path, body, key=key)
    row = await pool.fetchrow("select submission from intake where case_id = $1 and kind = 'start'", told["case_id"])
    assert row is not None
    submission = (await caller.get(f"/api/v1/submissions/{row['submission']}")).json()
    followed = await http.get(f"/public/cases/{told['case_id']}", params={"code": told["code"]})
    seen = await caller.get(f"/api/v1/cases/{told['case_id']}")

    assert answer.status_code == 201, answer.text
    assert (again.status_code, again.json()["case_id"], again.json()["code"]) == (200, told["case_id"], told["code"])
    assert (submission["case_id"], submission["code"]) == (told["case_id"], told["code"])
    assert followed.status_code == 200
    # The answer to one's own start widens nobody's sight: a partner has a seat of it, a mediator and the court have none yet.
    unseated = procedure.confidential and role in {Role.MEDIATOR, Role.DEPARTMENT_OFFICER}
    sees = role is Role.PARTNER or (area == OWN and not unseated)
    assert (seen.status_code, set(told) == RECEIPT) == ((200, False) if sees else (404, True))


async def test_a_batch_tells_number_and_code_too(as_: As) -> None:
    """In a batch a line for a place outside of the sender's area is accepted, with a receipt, and the same again."""
    caller = as_(Role.GRID_WORKER, "nobody-batch", area=OWN)
    report = examples(INCIDENT).REPORT
    lines = [
        {
            "idempotency_key": f"nobody-{area}-{uuid.uuid4()}",
            "report": {**report, "location": {**report["location"], "area": area}},
        }
        for area in (OWN, OTHER)
    ]
    first = (await caller.post("/api/v1/incidents:batch", {"lines": lines})).json()
    again = (await caller.post("/api/v1/incidents:batch", {"lines": lines})).json()

    assert (first["accepted"], first["not_accepted"]) == (2, 0)
    assert [(each["status"], bool(each["code"])) for each in first["results"]] == [(201, True)] * 2
    assert set(first["results"][1]["case"]) == RECEIPT
    assert [each["code"] for each in again["results"]] == [each["code"] for each in first["results"]]


# ---- whoever followed a case hears what became of it -------------------------------------------------------------------

SIGN, FINISH = Step("sign", "officer"), Step("finish", "officer")
VERIFY, RATE = Step("verify", "grid_worker"), Step("rate", REPORTER)
WITHDRAW = Step("withdraw", REPORTER)


@pytest.fixture
async def town(door: OpenDoor) -> ApiDriver:
    """A town at real speed."""
    return await door(INCIDENT)


@pytest.fixture(scope="module", autouse=True)
def others() -> Iterator[None]:
    """More residents than the examples have: each report of a matter is somebody else's."""
    people = examples(INCIDENT).PEOPLE
    known = dict(people)
    people |= {name: Person(f"resident-{name}", "resident") for name in ("first", "second", "third")}
    yield
    people.clear()
    people |= known


async def told(pool: asyncpg.Pool, case_id: str) -> list[str]:
    """What the reporter of a case was told, in order."""
    rows = await pool.fetch(
        "select template from outbox where case_id = $1 and recipient = 'reporter' order by seq, position", case_id
    )
    return [row["template"] for row in rows]


async def is_told(pool: asyncpg.Pool, case_id: str, template: str) -> None:
    """Wait until the reporter of a case is told something."""

    async def has() -> bool:
        return template in await told(pool, case_id)

    await eventually(has)


async def merged(town: ApiDriver, pool: asyncpg.Pool, case: str, into: str) -> None:
    """Merge a case into another, and wait until both know of it."""
    assert (await town.taken(case, Step("merge", "coordinator", {"into": into}))).status_code == 200
    await is_told(pool, case, "incident_merged")

    async def counted() -> bool:
        return case in (await snapshot(pool, into))["merged_reports"]

    await eventually(counted)


async def snapshot(pool: asyncpg.Pool, case_id: str) -> Mapping[str, Any]:
    return dict(await pool.fetchval("select snapshot from cases where case_id = $1", case_id))


async def stands_at(town: ApiDriver, case_id: str, stage: str) -> None:
    """Wait until a case has come to a stage."""

    async def there() -> bool:
        return bool((await town.case(case_id))["stage"] == stage)

    await eventually(there)


@pytest.mark.parametrize(
    ("steps", "templates"),
    [
        ([Step("reject", "coordinator")], ["followed_rejected"]),
        ([SIGN, Step("close_unresolved", "coordinator")], ["followed_unresolved"]),
        ([SIGN, FINISH, VERIFY, Step("rate", "second")], ["followed_rating", "followed_closed"]),
        ([Step("withdraw", "second")], ["followed_goes_on"]),
    ],
    ids=["rejected", "unresolved", "closed", "its reporter leaves"],
)
async def test_who_was_merged_hears_what_became_of_the_other(
    town: ApiDriver, pool: asyncpg.Pool, steps: list[Step], templates: list[str]
) -> None:
    """However the case that took others in comes to something, each of their reporters is told what."""
    first, second, third = [await town.start(by=who) for who in ("first", "second", "third")]
    await merged(town, pool, first, second)
    await merged(town, pool, third, second)
    await town.go(second, steps)

    for follower in (first, third):
        await is_told(pool, follower, templates[-1])
        assert (await told(pool, follower))[-len(templates) :] == templates


async def test_the_end_is_told_along_a_chain(town: ApiDriver, pool: asyncpg.Pool) -> None:
    """A went into B, B into C: both hear of B's going on and of C's end, by the number of C."""
    first, second, third = [await town.start(by=who) for who in ("first", "second", "third")]
    await merged(town, pool, first, second)
    await merged(town, pool, second, third)
    await is_told(pool, first, "followed_merged")
    await town.go(third, [Step("reject", "coordinator")])
    for follower in (first, second):
        await is_told(pool, follower, "followed_rejected")
    facts = await pool.fetch(
        "select case_id, facts from outbox where template = 'followed_rejected' and case_id = any($1)", [first, second]
    )

    assert {row["case_id"]: row["facts"]["into"] for row in facts} == {first: third, second: third}


async def test_one_reporter_of_several_withdraws_alone(town: ApiDriver, pool: asyncpg.Pool) -> None:
    """The case goes on for the others, who are told; its own reporter has no more say; the last to leave ends it."""
    first, second = [await town.start(by=who) for who in ("first", "second")]
    await merged(town, pool, first, second)
    await town.go(second, [SIGN, Step("withdraw", "second")])
    await is_told(pool, first, "followed_goes_on")
    after = await town.case(second)
    again = await town.taken(second, Step("withdraw", "second"))
    legal = set(await town.legal(second, "second"))
    await town.go(first, [Step("withdraw", "first")])
    await stands_at(town, second, "withdrawn")

    assert (after["stage"], after["holder"]) == ("handling", "department:urban-management")
    assert again.status_code == 409
    assert not legal & {"withdraw", "rate", "reopen", "urge"}
    assert (await town.case(first))["stage"] == "withdrawn"
    # Told of their own leaving, and of nothing after it.
    assert (await told(pool, second))[-1] == "incident_left"


async def test_who_was_merged_withdraws_for_themselves(town: ApiDriver, pool: asyncpg.Pool) -> None:
    """The report of one who was merged is withdrawn; the case that took it in goes on for its own reporter."""
    first, second = [await town.start(by=who) for who in ("first", "second")]
    await merged(town, pool, first, second)
    await town.go(first, [Step("withdraw", "first")])

    async def let_go() -> bool:
        state = await snapshot(pool, second)
        return not state["merged_reports"] and state["left_reports"] == [first]

    await eventually(let_go)
    await town.go(second, [Step("withdraw", "second")])

    assert (await town.case(first))["stage"] == "withdrawn"
    assert (await town.case(second))["stage"] == "withdrawn"
    assert "followed_withdrawn" not in await told(pool, first)


async def test_who_was_merged_and_finds_it_not_solved_goes_on_alone(town: ApiDriver, pool: asyncpg.Pool) -> None:
    """When the other is closed its followers may rate and reopen; "not solved" has the own report dealt with again."""
    first, second, third = [await town.start(by=who) for who in ("first", "second", "third")]
    await merged(town, pool, first, second)
    await merged(town, pool, third, second)
    before = set(await town.legal(first, "first"))
    await town.go(second, [SIGN, FINISH, VERIFY, Step("rate", "second")])
    for follower in (first, third):
        await is_told(pool, follower, "followed_closed")
    then = set(await town.legal(first, "first"))
    await town.go(first, [Step("rate", "first", {"solved": "not", "satisfied": "not", "comment": "还在"})])
    await town.go(third, [Step("rate", "third", {"solved": "solved", "satisfied": "satisfied"})])
    shown, other = await town.case(first), await town.case(second)

    assert before == {"withdraw", "urge", "comment", "attach"}
    assert then == before | {"rate", "reopen"}
    assert (shown["stage"], shown["department"], shown["closed_at"]) == ("dispatched", "urban-management", None)
    assert {each["name"] for each in shown["clocks"] if each["status"] == "running"} == {"sign", "respond", "finish"}
    assert other["stage"] == "closed"
    assert (await town.case(third))["stage"] == "merged"
    await town.go(first, [SIGN, FINISH, VERIFY, Step("rate", "first")])
    assert (await town.case(first))["stage"] == "closed"


async def test_what_is_said_to_a_merged_case_reaches_who_deals_with_it(town: ApiDriver, pool: asyncpg.Pool) -> None:
    """A word and an urge of who was merged are told to the holder of the case that took it in."""
    first, second = [await town.start(by=who) for who in ("first", "second")]
    await merged(town, pool, first, second)
    await town.go(first, [Step("comment", "first", {"text": "又多了一堆"}), Step("urge", "first")])

    async def reached() -> bool:
        rows = await pool.fetch(
            "select template from outbox where case_id = $1 and recipient = 'department:urban-management'", second
        )
        return {"report_added", "urged"} <= {row["template"] for row in rows}

    await eventually(reached)


async def test_who_has_no_account_follows_by_the_code(
    town: ApiDriver, pool: asyncpg.Pool, http: httpx.AsyncClient, as_: As
) -> None:
    """A merged report that came by telephone: its page shows how the other goes, to the end of a chain, and its end."""
    called = (await as_(Role.WINDOW_CLERK).report(dict(examples(INCIDENT).REPORT))).json()
    second, third = [await town.start(by=who) for who in ("second", "third")]
    await merged(town, pool, called["case_id"], second)
    await merged(town, pool, second, third)
    await town.go(third, [SIGN, Step("close_unresolved", "coordinator")])
    page = (await http.get(f"/public/cases/{called['case_id']}", params={"code": called["code"]})).json()

    assert (page["stage"], page["follows"]["case_id"], page["follows"]["stage"]) == ("merged", third, "unresolved")
    assert page["follows"]["closed_at"] is not None


async def test_a_case_that_follows_ends_when_nothing_more_can_come(door: OpenDoor, pool: asyncpg.Pool) -> None:
    """Nobody answers: the other ends at its limit, the follower is told, and ends when its own window has passed."""
    town = await door(INCIDENT, speed=2_000_000)
    first, second = [await town.start(by=who) for who in ("first", "second")]
    assert (await town.taken(first, Step("merge", "coordinator", {"into": second}))).status_code == 200

    async def over() -> bool:
        return bool((await town.case(first))["ended"])

    await eventually(over, within=120)

    assert (await town.case(first))["stage"] in {"merged", "unresolved"}
    assert {"followed_unresolved", "incident_unresolved"} & set(await told(pool, first))


# ---- whoever waits for a case hears its end: every procedure ------------------------------------------------------------


@pytest.mark.parametrize(
    "ending",
    sampled([each for procedure in PROCEDURE_LIST for each in soon_of(procedure)], 4, "ends that are heard"),
    ids=str,
)
async def test_who_waits_for_a_case_hears_its_end(ending: Ending, door: OpenDoor, pool: asyncpg.Pool) -> None:
    """With the entry that ends a case goes a notice to whoever it is for; no procedure is left out.

    Here on some walks, by the seed; every walk of every procedure is gone on a bench (tests/procedures/test_laws.py).
    """
    town = await door(ending.procedure)
    case_id = await town.walk(ending.walk)
    ended_at = await pool.fetchval("select closed_at from cases where case_id = $1", case_id)
    rows = await pool.fetch(
        """select recipient, template from outbox join ledger using (case_id, seq)
           where case_id = $1 and ledger.at >= $2""",
        case_id,
        ended_at,
    )

    assert any(ending.is_heard_by(row["recipient"]) for row in rows), [tuple(row) for row in rows]


def test_every_procedure_says_who_waits_and_has_an_end_to_try() -> None:
    """A procedure that joins the registry says who waits for its cases, and its examples have a way to an end."""
    assert set(WAITS_FOR) == {procedure.name for procedure in PROCEDURE_LIST}
    assert all(soon_of(procedure) for procedure in PROCEDURE_LIST)


async def test_summonses_and_incident_hear_that_their_whistle_is_over(door: OpenDoor, pool: asyncpg.Pool) -> None:
    """A whistle that is called off: every summons ends and its department is told, and the incident goes on."""
    incidents, whistles = await door(INCIDENT), await door(WHISTLE)
    incident = await incidents.start()
    whistle = await whistles.start(body={**examples(WHISTLE).REPORT, "incident": incident})

    async def waits() -> bool:
        children = await pool.fetchval("select count(*) from cases where case_id like $1 || '.%'", whistle)
        return children == 2 and "incident:whistle:waits" in await incidents.kinds(incident)

    await eventually(waits)
    await whistles.go(whistle, [Step("cancel", "street_officer")])

    async def heard() -> bool:
        ended = await pool.fetch(
            "select stage from cases where case_id like $1 || '.%' and stage = 'cancelled'", whistle
        )
        rows = await pool.fetch(
            "select 1 from outbox where case_id like $1 || '.%' and template = 'summons_cancelled'", whistle
        )
        return len(ended) == len(rows) == 2 and "incident:whistle:ended" in await incidents.kinds(incident)

    await eventually(heard)


# ---- urges have bounds --------------------------------------------------------------------------------------------------

URGED = [procedure for procedure in PROCEDURE_LIST if "urge" in procedure.rules.commands]


@some_procedures("urges", URGED)
async def test_a_case_reminds_its_holder_once_a_day(procedure: Procedure, door: OpenDoor, pool: asyncpg.Pool) -> None:
    """Every urge is accepted, counted and shown; the holder is reminded so often a day as the rules say, and not more."""
    town = await door(procedure)
    case_id = await town.start()
    await town.stands(case_id)
    people = [name for name in examples(procedure).PEOPLE if "urge" in await town.legal(case_id, name)]
    answers = await asyncio.gather(*(town.taken(case_id, Step("urge", people[0])) for _ in range(12)))
    notices = await pool.fetch(
        "select recipient, count(*) from outbox where case_id = $1 and template = 'urged' group by recipient", case_id
    )
    urged = await pool.fetch(
        "select at from ledger where case_id = $1 and kind = $2 order by seq", case_id, f"{procedure.name}:urged"
    )
    days = {row["at"].astimezone(SHANGHAI).date() for row in urged}  # at midnight the test goes on into another

    assert {answer.status_code for answer in answers} == {200}
    assert (await town.case(case_id))["urges"] == 12
    assert notices
    assert {row["count"] for row in notices} == {len(days)}
    assert len(urged) == 12


# ---- wrong codes slow whoever sends them --------------------------------------------------------------------------------

At = Callable[[str], httpx.AsyncClient]


@pytest.fixture(scope="module")
async def at(build_app: BuildApp) -> AsyncIterator[At]:
    """The town's API as it is reached from an address."""
    app = build_app()
    async with api_of(app):
        yield lambda address: httpx.AsyncClient(
            transport=httpx.ASGITransport(app, client=(address, 1)), base_url="http://town", timeout=60
        )


async def test_wrong_codes_slow_the_sender_and_never_the_number(at: At, as_: As, keys: Keys) -> None:
    """However many strangers try a number, the right code from elsewhere, or of an account, works at once."""
    reported = (await as_().report()).json()
    path, right = f"/public/cases/{reported['case_id']}", {"code": reported["code"]}
    for stranger in range(12):
        client = at(f"203.0.113.{stranger}")
        statuses = [(await client.get(path, params={"code": "AAAAAAAA"})).status_code for _ in range(FREE + 1)]
        assert statuses == [404] * FREE + [429]
    token = issue(keys, subject="resident-1", role=Role.RESIDENT)
    stopped = at("203.0.113.99")
    for _ in range(FREE + 1):
        await stopped.get(path, params={"code": "AAAAAAAA"})

    assert (await stopped.get(path, params=right)).status_code == 429  # at once: the first pause is short
    assert (await at("203.0.113.200").get(path, params=right)).status_code == 200
    with_account = await stopped.get(path, params=right, headers={"Authorization": f"Bearer {token}"})
    assert with_account.status_code == 200


async def test_an_address_is_not_kept(at: At, pool: asyncpg.Pool) -> None:
    """Who asked is no list of addresses: a keyed digest stands in the table, 32 bytes and nothing to read."""
    await at("203.0.113.250").get("/public/cases/incident-19990105-000005", params={"code": "AAAAAAAA"})
    rows = await pool.fetch("select sender from code_senders")

    assert rows
    assert all(len(row["sender"]) == 32 and b"203.0.113" not in row["sender"] for row in rows)


# ---- what is typed is what it means -------------------------------------------------------------------------------------

MEANT = ("环境卫生 ", " 环境卫生", "环境卫生\n", "环境卫生\u200b", "环\u00ad境卫生", "　环境卫生　")


@pytest.mark.parametrize("typed", MEANT, ids=ascii)
async def test_a_category_is_what_it_means(typed: str, as_: As) -> None:
    """Blanks, line ends and invisible characters around and in a category do not take it off the list."""
    report = {**examples(INCIDENT).REPORT, "category": typed}
    shown = (await as_().report(report)).json()

    assert (shown["labels"]["category"], shown["department"]) == ("环境卫生", "urban-management")


async def test_the_same_meant_is_the_same_request(as_: As) -> None:
    """A repeat under its key that is typed otherwise and means the same gets the same case; another meaning is refused."""
    key, report = str(uuid.uuid4()), examples(INCIDENT).REPORT
    caller = as_()
    first = await caller.report(report, key=key)
    again = await caller.report({**report, "category": f" {report['category']}\u200b"}, key=key)
    other = await caller.report({**report, "category": "邻里纠纷"}, key=key)

    assert (again.status_code, again.json()["case_id"]) == (200, first.json()["case_id"])
    assert other.json()["code"] == "key-reused"


WIDE = {narrow: narrow + 0xFEE0 for narrow in range(0x21, 0x7F)}


async def test_codes_in_full_width_are_what_they_mean(as_: As, town: ApiDriver) -> None:
    """Area, account, department and case number typed in full width reach what they name."""
    report = examples(INCIDENT).REPORT
    wide = {
        **report,
        "location": {**report["location"], "area": f"{OWN.translate(WIDE)} "},
        "on_behalf_of": f"{'resident-1'.translate(WIDE)}\u200b",
    }
    answer = await as_(Role.WINDOW_CLERK).report(wide)
    case_id = answer.json()["case_id"]
    redispatched = await as_(Role.COORDINATOR).command(
        case_id, "redispatch", {"department": f" {'justice-office'.translate(WIDE)}", "reason": "改派"}
    )
    other = await town.start()
    merging = await as_(Role.COORDINATOR).command(case_id, "merge", {"into": f"{other.translate(WIDE)}\n"})

    assert (answer.status_code, answer.json()["area"]) == (201, OWN)
    assert (await as_().get(f"/api/v1/cases/{case_id}")).status_code == 200
    assert (redispatched.status_code, redispatched.json()["department"]) == (200, "justice-office")
    assert merging.status_code == 200, merging.text


# ---- what one person sends again is found -------------------------------------------------------------------------------


async def test_what_one_person_sends_again_is_found(as_: As) -> None:
    """Ten equal reports without coordinates are proposed to each other; another's, and other words elsewhere, are not."""
    me, area = as_(subject=f"again-{uuid.uuid4().hex[:8]}"), OTHER
    report = {**examples(INCIDENT).REPORT, "location": {"address": "幸福小区3号楼", "area": area}}
    del report["reporter"]
    cases = [(await me.report(report)).json()["case_id"] for _ in range(9)]
    typed = {**report, "description": f" {report['description']}\u200b", "category": "邻里纠纷"}
    cases.append((await me.report(typed)).json()["case_id"])
    elsewhere = {**report, "description": "井盖破损", "location": {"address": "界河边", "area": area}}
    await me.report(elsewhere)
    await as_(subject="again-other").report(report)
    shown = (await as_(Role.COORDINATOR).get(f"/api/v1/cases/{cases[0]}/similar")).json()["items"]
    hidden = await as_(Role.COORDINATOR, area=OWN).get(f"/api/v1/cases/{cases[0]}/similar")

    assert {each["case_id"] for each in shown} == set(cases[1:])
    assert {each["distance_metres"] for each in shown} == {None}
    assert hidden.status_code == 404


async def test_what_one_person_tells_by_telephone_again_is_found(as_: As) -> None:
    """The same for who has no account: the telephone says that it is the same person."""
    phone = f"025-{uuid.uuid4().int % 10**8:08d}"
    report = {**examples(INCIDENT).REPORT, "location": {"address": "幸福小区3号楼"}, "reporter": {"phone": phone}}
    clerk = as_(Role.WINDOW_CLERK)
    one, again = [(await clerk.report(report)).json()["case_id"] for _ in range(2)]
    shown = (await as_(Role.COORDINATOR).get(f"/api/v1/cases/{one}/similar")).json()["items"]

    assert [each["case_id"] for each in shown] == [again]
