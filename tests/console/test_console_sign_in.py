"""Signing in: by a link, a token or as somebody of a demonstration; sessions that end when they should, and at once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from console.http.forms import URLENCODED
from console.sign_in.demo_people import demo_people
from console.sign_in.sessions import Sessions, keep_link
from console.sign_in.signed_in import LOCAL_COOKIE, SECURE_COOKIE
from engine.keys.keys import Keys
from engine.keys.tokens import Principal, issue
from engine.runtime.settings import Settings
from local.backup.restore import SQL as RESTORE
from schemas.values.actor import Role
from starter.http.dependencies import provided
from starter.intake.town_rules import TownRules
from tests.api_callers import BuildApp, OwnTown
from tests.console_browser import SAME_ORIGIN, Browser, main_form, signed_in

pytest_plugins = ("tests.api_fixture",)


def somebody(subject: str = "window_clerk-7", role: Role = Role.WINDOW_CLERK, **other: Any) -> Principal:
    ends_at = datetime.now(UTC) + timedelta(hours=1)
    said = {"department": None, "area": None, "token_id": None, "expires_at": ends_at} | other
    return Principal(subject=subject, role=role, **said)


async def post(http: httpx.AsyncClient, address: str, content: str, **headers: str) -> httpx.Response:
    return await http.post(
        address, content=content.encode(), headers={"Content-Type": URLENCODED} | SAME_ORIGIN | headers
    )


def client_of(app: Any, host: str = "127.0.0.1", scheme: str = "http") -> httpx.AsyncClient:
    """A client at an address of this machine, or at another one."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, client=(host, 1)), base_url=f"{scheme}://127.0.0.1")


async def test_a_link_lets_one_browser_in_once(http: httpx.AsyncClient, pool: asyncpg.Pool) -> None:
    """Looked at it is not used up; pressed, it signs in as whom it was made for, and nobody ever after."""
    code = await keep_link(pool, somebody("street_officer-9", Role.STREET_OFFICER, area="320104.003"))
    for _ in range(2):
        looked = await http.get("/sign-in/once", params={"code": code})
        assert "street_officer-9" in looked.text
    form = main_form(looked.text)
    entered = await Browser(http).send(form)
    again = await Browser(http).send(form)
    session = entered.cookies[LOCAL_COOKIE]
    http.cookies.clear()
    inbox = await Browser(http, session).get(entered.headers["location"])

    assert (entered.status_code, again.status_code) == (303, 403)
    assert "street_officer-9" in inbox.text
    assert "HttpOnly" in entered.headers["set-cookie"]
    assert "SameSite=lax" in entered.headers["set-cookie"]


async def test_a_link_is_good_for_a_minute(http: httpx.AsyncClient, pool: asyncpg.Pool) -> None:
    """Whoever finds it in a scrollback later gets in by it no more."""
    code = await keep_link(pool, somebody("late-link"))
    left = await pool.fetchval("select expires_at - clock_timestamp() from sign_in_links where subject = 'late-link'")
    await pool.execute("update sign_in_links set expires_at = clock_timestamp() where subject = 'late-link'")

    assert timedelta(seconds=50) < left <= timedelta(seconds=60)
    assert (await http.get("/sign-in/once", params={"code": code})).status_code == 403
    assert (await post(http, "/sign-in/once", f"code={code}")).status_code == 403


async def test_a_token_of_the_issuer_signs_in(http: httpx.AsyncClient, keys: Keys) -> None:
    """Judged as at the API: a right one opens a session that ends with it, a wrong one is told why."""
    token = issue(keys, subject="clerk-token", role=Role.WINDOW_CLERK, lifetime=timedelta(minutes=5))
    entered = await post(http, "/sign-in/token", f"token={token}&next=/new")
    refused = await post(http, "/sign-in/token", "token=nonsense")
    http.cookies.clear()

    assert (entered.status_code, entered.headers["location"]) == (303, "/new")
    assert (refused.status_code, "登录凭证" in refused.text) == (401, True)


@pytest.mark.parametrize("wanted", ["//evil.example", "/\\evil.example", "https://evil.example/", "evil", "/a\nb", ""])
async def test_after_signing_in_one_stays_here(wanted: str, http: httpx.AsyncClient, keys: Keys) -> None:
    """Where somebody wanted to go is an address of this site, or it is the inbox."""
    token = issue(keys, subject="clerk-wanted", role=Role.WINDOW_CLERK)
    entered = await http.post("/sign-in/token", data={"token": token, "next": wanted}, headers=SAME_ORIGIN)
    http.cookies.clear()

    assert entered.headers["location"] == "/inbox"


async def test_the_table_holds_no_session_that_could_be_used(pool: asyncpg.Pool) -> None:
    """What is kept is a digest: with it nobody gets in."""
    sessions = Sessions(pool)
    session = await sessions.open(somebody("digest-only"))
    row = await pool.fetchrow("select * from sessions where subject = 'digest-only'")
    assert row is not None

    assert session not in str(dict(row))
    assert session.encode() not in row["digest"]
    assert await sessions.find(row["digest"].hex()) is None
    assert (await sessions.find(session)) == somebody("digest-only", expires_at=row["expires_at"])


@pytest.mark.parametrize(
    "past",
    [
        "seen_at = clock_timestamp() - interval '31 minutes'",
        "expires_at = clock_timestamp()",
        "ended_at = clock_timestamp()",
    ],
)
async def test_a_session_ends(past: str, http: httpx.AsyncClient, pool: asyncpg.Pool) -> None:
    """After half an hour of nothing, at its end, or when somebody ended it, it leads to where one signs in."""
    browser = await signed_in(http, Sessions(pool), somebody(subject := f"ends-{hash(past)}"))
    before = await browser.get("/inbox")
    await pool.execute(f"update sessions set {past} where subject = $1", subject)  # noqa: S608 - written above
    after = await browser.get("/inbox?x=1")

    assert before.status_code == 200
    assert (after.status_code, after.headers["location"]) == (303, "/sign-in?next=%2Finbox%3Fx%3D1")


async def test_a_session_is_no_longer_than_its_token_and_eight_hours(pool: asyncpg.Pool) -> None:
    """The earlier of both ends it."""
    now = datetime.now(UTC)
    for subject, ends_at in (("short", now + timedelta(minutes=3)), ("long", now + timedelta(days=3))):
        await Sessions(pool).open(somebody(f"{subject}-token", expires_at=ends_at))
    short, long = [
        await pool.fetchval("select expires_at from sessions where subject = $1", f"{subject}-token")
        for subject in ("short", "long")
    ]

    assert short == now + timedelta(minutes=3)
    assert timedelta(hours=7, minutes=59) < long - now < timedelta(hours=8, minutes=1)


async def test_who_signs_out_is_out(http: httpx.AsyncClient, pool: asyncpg.Pool) -> None:
    """In the table too: a copy of the cookie is worth nothing afterwards."""
    browser = await signed_in(http, Sessions(pool), somebody("out"))
    form = await browser.form("/inbox")
    answer = await browser.send(form)

    assert form.action == "/sign-out"
    assert (answer.status_code, 'jiceng=""' in answer.headers["set-cookie"]) == (303, True)
    assert (await browser.get("/inbox")).status_code == 303


async def test_nobody_is_signed_in_to_a_town_that_was_restored(own_town: OwnTown) -> None:
    """A backup holds sessions that were ended after it: none of them lives on. One from before there were any is restored too."""
    session = await Sessions(own_town.pool).open(somebody("before-the-restore"))
    await own_town.pool.execute(RESTORE.sign_everybody_out)
    found = await Sessions(own_town.pool).find(session)
    await own_town.pool.execute("drop table sessions")
    await own_town.pool.execute(RESTORE.sign_everybody_out)

    assert found is None


async def test_an_administrator_ends_all_sessions_of_an_account_at_once(
    http: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    """Two browsers of one account are out with the next thing they ask; it is written down who did it."""
    sessions = Sessions(pool)
    theirs = [await signed_in(http, sessions, somebody("dismissed")) for _ in range(2)]
    admin = await signed_in(http, sessions, somebody("admin-9", Role.ADMIN))
    page = await admin.get("/sessions")
    answer = await post(http, "/sessions/end", "subject=dismissed", Cookie=f"{LOCAL_COOKIE}={admin.session}")

    assert "dismissed" in page.text
    assert answer.status_code == 303
    assert [(await each.get("/inbox")).status_code for each in theirs] == [303, 303]
    assert await pool.fetchval("select array_agg(distinct ended_by) from sessions where subject = 'dismissed'") == [
        "admin-9"
    ]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "http://town"}, 303),
        ({"Origin": "https://town"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://town"}, 403),
    ],
)
async def test_only_pages_of_this_site_send_anything(
    headers: dict[str, str], status: int, http: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    """By the browser's own word of where a form is from; by the origin where it has no such word; else nothing is done."""
    session = await Sessions(pool).open(somebody("forged"))
    cookie = {"Cookie": f"{LOCAL_COOKIE}={session}", "Content-Type": URLENCODED}
    answer = await http.post("/sign-out", content=b"", headers=cookie | headers)

    assert answer.status_code == status
    assert (await Sessions(pool).find(session) is None) is (status == 303)


async def test_over_https_the_cookie_is_of_this_host_alone(build_app: BuildApp, keys: Keys) -> None:
    """Its name binds it to the host, and it is never sent in the open."""
    token = issue(keys, subject="secure", role=Role.WINDOW_CLERK)
    async with client_of(build_app(), scheme="https") as https:
        entered = await https.post("/sign-in/token", data={"token": token}, headers=SAME_ORIGIN)

    said = entered.headers["set-cookie"]
    assert said.startswith(f"{SECURE_COOKIE}=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= {part.strip() for part in said.split(";")}
    assert "Domain" not in said


async def test_a_town_with_an_issuer_of_its_own_signs_nobody_in_in_the_open(
    build_app: BuildApp, settings: Settings, keys: Keys
) -> None:
    """Over plain http a session could be read on the way: there it is not opened."""
    production = settings.model_copy(
        update={"local_issuer": False, "token_jwks": str(keys.jwks_file), "token_issuer": "https://login.example"}
    )
    token = issue(keys, subject="open", role=Role.WINDOW_CLERK, issuer="https://login.example")
    app = build_app(over=production)
    async with client_of(app) as plain, client_of(app, scheme="https") as https:
        refused = await plain.post("/sign-in/token", data={"token": token}, headers=SAME_ORIGIN)
        entered = await https.post("/sign-in/token", data={"token": token}, headers=SAME_ORIGIN)

    assert (refused.status_code, entered.status_code) == (403, 303)
    assert "set-cookie" not in refused.headers


async def test_people_of_a_demonstration_are_listed_on_this_machine_alone(
    build_app: BuildApp, settings: Settings
) -> None:
    """Only where the town is a demonstration of its own issuer, and only for whoever sits at it."""
    demo = settings.model_copy(update={"demo_sign_in": True})
    foreign = demo.model_copy(
        update={
            "local_issuer": False,
            "token_jwks": "https://login.example/jwks",
            "token_issuer": "https://login.example",
        }
    )
    outcomes = []
    for over, host in ((demo, "127.0.0.1"), (demo, "10.0.0.7"), (settings, "127.0.0.1"), (foreign, "127.0.0.1")):
        async with client_of(build_app(over=over), host) as client:
            page = await client.get("/sign-in")
            entered = await client.post("/sign-in/person", data={"person": "coordinator-1"}, headers=SAME_ORIGIN)
            outcomes.append(("coordinator-1" in page.text, entered.status_code))

    assert outcomes == [(True, 303), (False, 403), (False, 403), (False, 403)]


def test_a_demonstration_has_a_second_person_for_everything(build_app: BuildApp) -> None:
    """Two of each role that the rules keep apart, and a desk for each department."""
    town = provided(build_app(), TownRules)
    people = [each.principal for each in demo_people(town.departments).values()]
    roles = [each.role for each in people]

    assert {roles.count(role) for role in set(roles) - {Role.DEPARTMENT_OFFICER}} == {2}
    assert {each.department for each in people if each.role is Role.DEPARTMENT_OFFICER} == {
        each.code for each in town.departments.departments
    }
