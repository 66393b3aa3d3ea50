"""Signing in at the town's issuer by OpenID Connect: a real one, by HTTP; and whoever tries to get somebody in otherwise."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI
from starlette.responses import Response

from console.sign_in.begun import Begun, SignInsBegun
from console.sign_in.issuer import CodeRefused, Issuer
from console.sign_in.issuer_client import IssuerClient
from console.sign_in.issuer_document import IssuerOdd, read_document
from console.sign_in.sessions import Sessions
from console.sign_in.signed_in import SECURE_COOKIE
from engine.keys.key_files import KeyFault
from engine.keys.keys import Keys
from engine.keys.token_errors import IssuerAway, TokenRefused
from engine.keys.tokens import Verifier
from engine.runtime.settings import Settings
from schemas.values.actor import Role
from tests.api_callers import BuildApp
from tests.console_browser import SAME_ORIGIN
from tests.openid_issuer import BACK, CLIENT, SECRET, OpenIdIssuer, open_issuer, signed

pytest_plugins = ("tests.api_fixture",)

TOWN = "https://town.example"
COOKIE = "__Host-jiceng-sign-in"
OTHER_KEY = Ed25519PrivateKey.generate()


@pytest.fixture(scope="module")
async def listening() -> AsyncIterator[OpenIdIssuer]:
    """The issuer of this file."""
    async with open_issuer() as opened:
        yield opened


@pytest.fixture
def issuer(listening: OpenIdIssuer) -> OpenIdIssuer:
    """The issuer, as it is usually."""
    listening.usual()
    return listening


@pytest.fixture(scope="module")
def at_issuer(listening: OpenIdIssuer, settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The settings of a town whose people sign in there."""
    secret = tmp_path_factory.mktemp("issuer") / "secret"
    secret.write_text(f"{SECRET}\n")
    secret.chmod(0o600)
    return settings.model_copy(
        update={
            "local_issuer": False,
            "token_issuer": listening.url,
            "token_jwks": f"{listening.url}/jwks",
            "sign_in_client": CLIENT,
            "sign_in_secret_file": secret,
            "site_url": TOWN,
        }
    )


@pytest.fixture(scope="module")
def app(at_issuer: Settings, build_app: BuildApp) -> FastAPI:
    """The pages of that town."""
    return build_app(over=at_issuer)


def browser_of(app: FastAPI) -> httpx.AsyncClient:
    """A browser with cookies of its own."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=TOWN)


@pytest.fixture
async def browser(app: FastAPI, issuer: OpenIdIssuer) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody's browser."""
    async with browser_of(app) as opened:
        yield opened


async def sent_to(browser: httpx.AsyncClient, wanted: str = "") -> str:
    """Where somebody is sent who begins to sign in."""
    answer = await browser.get("/sign-in/issuer", params={"next": wanted})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def agreed(at: str) -> str:
    """Where the issuer sends a browser back to whose owner has agreed."""
    async with httpx.AsyncClient() as there:
        answer = await there.get(at)
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


def is_in(browser: httpx.AsyncClient) -> bool:
    """Whether a browser has a session."""
    return SECURE_COOKIE in browser.cookies


async def test_whoever_signs_in_at_the_issuer_goes_on_where_they_wanted(
    browser: httpx.AsyncClient, issuer: OpenIdIssuer, pool: asyncpg.Pool
) -> None:
    """With a session as long as ours are, though the token is good for five minutes; and with the way back taken from them."""
    page = await browser.get("/sign-in", params={"next": "/cases?stage=open"})
    at = await sent_to(browser, "/cases?stage=open")
    asked = parse_qs(urlsplit(at).query)
    entered = await browser.get(await agreed(at))
    inbox = await browser.get("/inbox")
    ends_at = await pool.fetchval("select max(expires_at) from sessions where subject = 'zhang-3'")

    assert "/sign-in/issuer?next=%2Fcases%3Fstage%3Dopen" in page.text
    assert at.startswith(f"{issuer.url}/authorize?")
    assert (asked["response_type"], asked["client_id"], asked["redirect_uri"]) == (["code"], [CLIENT], [BACK])
    assert (asked["scope"], asked["code_challenge_method"]) == (["openid"], ["S256"])
    assert (entered.status_code, entered.headers["location"]) == (303, "/cases?stage=open")
    assert (inbox.status_code, "zhang-3" in inbox.text) == (200, True)
    assert ends_at - datetime.now(UTC) > timedelta(hours=7)
    assert COOKIE not in browser.cookies


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "/\\evil.example", "https://evil.example/", "/a\nb", "/" + "a" * 3000]
)
async def test_the_way_leads_to_no_other_site(wanted: str, browser: httpx.AsyncClient) -> None:
    """Whatever stands in the address by which somebody began."""
    entered = await browser.get(await agreed(await sent_to(browser, wanted)))

    assert (entered.status_code, entered.headers["location"]) == (303, "/inbox")


async def test_the_cookie_on_the_way_is_of_this_host_and_no_script_s(browser: httpx.AsyncClient) -> None:
    """For ten minutes; it comes along when the issuer leads back, so it is lax and not strict."""
    answer = await browser.get("/sign-in/issuer")
    said = {part.strip() for part in answer.headers["set-cookie"].split(";")[1:]}

    assert answer.headers["set-cookie"].startswith(f"{COOKIE}=")
    assert said == {"HttpOnly", "Secure", "Path=/", "SameSite=lax", "Max-Age=600"}
    assert answer.headers["referrer-policy"] == "no-referrer"


async def test_an_answer_is_good_once(browser: httpx.AsyncClient, issuer: OpenIdIssuer) -> None:
    """The same address again signs nobody in, and the issuer is not even asked."""
    back = await agreed(await sent_to(browser))
    first = await browser.get(back, headers={"Cookie": f"{COOKIE}={browser.cookies[COOKIE]}"})
    browser.cookies.delete(SECURE_COOKIE)
    asked = issuer.asked.count("token")
    again = await browser.get(back, headers={"Cookie": f"{COOKIE}={first.request.headers['cookie'].partition('=')[2]}"})

    assert (first.status_code, again.status_code) == (303, 403)
    assert issuer.asked.count("token") == asked
    assert "重新登录" in again.text


async def test_an_answer_is_for_the_browser_that_asked(app: FastAPI, browser: httpx.AsyncClient) -> None:
    """Sent to somebody else it signs nobody in: neither without a cookie nor with one of a sign-in of their own.

    And whoever tries takes nothing from whom it is for.
    """
    back = await agreed(await sent_to(browser))
    async with browser_of(app) as without, browser_of(app) as other:
        await sent_to(other)
        refused = [(await each.get(back)).status_code for each in (without, other)]
        let_in = [is_in(each) for each in (without, other)]
    entered = await browser.get(back)

    assert (refused, let_in) == ([403, 403], [False, False])
    assert entered.status_code == 303


async def test_two_windows_of_a_browser_sign_in_at_once(browser: httpx.AsyncClient) -> None:
    """What the second begins does not end what the first has begun."""
    first, second = await sent_to(browser, "/new"), await sent_to(browser, "/cases")
    cookie = {"Cookie": f"{COOKIE}={browser.cookies[COOKIE]}"}
    entered = [(await browser.get(await agreed(each), headers=cookie)).headers["location"] for each in (first, second)]

    assert entered == ["/new", "/cases"]


async def test_a_code_of_another_sign_in_is_worth_nothing(app: FastAPI, browser: httpx.AsyncClient) -> None:
    """Whoever puts a code of their own into somebody's address does not sign them in as themselves: it has another challenge."""
    async with browser_of(app) as attacker:
        theirs = parse_qs(urlsplit(await agreed(await sent_to(attacker))).query)["code"][0]
    mine = parse_qs(urlsplit(await sent_to(browser)).query)["state"][0]
    answer = await browser.get("/sign-in/back", params={"code": theirs, "state": mine})

    assert (answer.status_code, is_in(browser)) == (403, False)


@pytest.mark.parametrize(
    "said",
    [
        {"code": "made-up"},
        {"error": "access_denied", "error_description": "<b>call 110-evil</b>"},
        {"error": "<script>evil</script>"},
        {"code": "x" * 5000},
        {"iss": "https://evil.example", "code": "stolen"},
        {},
    ],
)
async def test_an_odd_answer_signs_nobody_in_and_is_not_repeated(
    said: dict[str, str], browser: httpx.AsyncClient
) -> None:
    """What stands in an address is anybody's: none of its words come onto our page."""
    state = parse_qs(urlsplit(await sent_to(browser)).query)["state"][0]
    answer = await browser.get("/sign-in/back", params={"state": state} | said)

    assert (answer.status_code, is_in(browser)) == (403, False)
    assert "evil" not in answer.text
    assert "/sign-in" in answer.text


async def test_two_states_in_an_answer_are_none(browser: httpx.AsyncClient) -> None:
    """Who reads the first and who reads the last would not agree on whose it is."""
    back = await agreed(await sent_to(browser))

    assert (await browser.get(f"{back}&state=other")).status_code == 403


async def test_an_answer_that_is_too_late_is_over(browser: httpx.AsyncClient, pool: asyncpg.Pool) -> None:
    """Ten minutes; and what nobody came back from is forgotten when the next one begins."""
    at = await sent_to(browser)
    await pool.execute("update sign_ins_begun set expires_at = clock_timestamp() - interval '1 second'")
    late = await browser.get(await agreed(at))
    await sent_to(browser)

    assert late.status_code == 403
    assert await pool.fetchval("select count(*) from sign_ins_begun where expires_at < clock_timestamp()") == 0


async def test_the_table_of_sign_ins_finishes_none(pool: asyncpg.Pool) -> None:
    """It holds digests: neither the state nor the secret, the nonce or the verifier stands there."""
    begun = await SignInsBegun(pool).begin(None, "/cases")
    row = str([dict(each) for each in await pool.fetch("select * from sign_ins_begun where wanted = '/cases'")])

    assert "/cases" in row
    assert not [each for each in (begun.state, begun.secret, begun.nonce, begun.verifier) if each in row]
    assert len({begun.state, begun.secret, begun.nonce, begun.verifier}) == 4


async def test_the_issuer_is_known_by_its_name(browser: httpx.AsyncClient, issuer: OpenIdIssuer) -> None:
    """An answer of another issuer is refused before its code is sent to anybody; ours may name itself."""
    issuer.names_itself = "http://127.0.0.1:9"
    asked = issuer.asked.count("token")
    mixed_up = await browser.get(await agreed(await sent_to(browser)))
    sent = issuer.asked.count("token") - asked
    issuer.names_itself = issuer.url
    named = await browser.get(await agreed(await sent_to(browser)))

    assert (mixed_up.status_code, sent, named.status_code) == (403, 0, 303)


async def test_a_new_session_ends_the_one_before(browser: httpx.AsyncClient, pool: asyncpg.Pool) -> None:
    """Whoever knew the id that this browser had is not signed in with the new one, and not with the old one any more."""
    await browser.get(await agreed(await sent_to(browser)))
    before = browser.cookies[SECURE_COOKIE]
    await browser.get(await agreed(await sent_to(browser)))
    after = browser.cookies[SECURE_COOKIE]

    assert before != after
    assert [await Sessions(pool).find(each) is None for each in (before, after)] == [True, False]


async def test_signing_out_here_leads_to_signing_out_there(browser: httpx.AsyncClient, issuer: OpenIdIssuer) -> None:
    """By a page of ours, for the answer to a form may lead to no other site; a link of another site signs nobody out there."""
    await browser.get(await agreed(await sent_to(browser)))
    out = await browser.post("/sign-out", headers=SAME_ORIGIN)
    page = await browser.get(out.headers["location"], headers=SAME_ORIGIN)
    linked = await browser.get(out.headers["location"], headers={"Sec-Fetch-Site": "cross-site"})

    assert out.headers["location"] == "/signed-out"
    assert page.headers["refresh"].startswith(
        f"0; url={issuer.url}/logout?client_id={CLIENT}&post_logout_redirect_uri="
    )
    assert "form-action 'self'" in page.headers["content-security-policy"]
    assert "refresh" not in linked.headers


async def test_nobody_is_sent_to_an_issuer_in_the_open(app: FastAPI) -> None:
    """Over plain http the way back could be read on the way."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://town.example") as plain:
        answer = await plain.get("/sign-in/issuer")

    assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)


# From here on: what comes of a code, asked of the issuer itself.


@pytest.fixture
def ours(at_issuer: Settings, keys: Keys, issuer: OpenIdIssuer) -> Issuer:
    """The issuer as the console has it."""
    client = IssuerClient.of(at_issuer)
    assert client is not None
    return Issuer(client, Verifier.of(at_issuer, keys))


async def who(ours: Issuer, issuer: OpenIdIssuer) -> Any:
    """Who signs in, with a code for a sign-in of one's own."""
    begun = Begun("state", "secret")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(await ours.way_in(begun)).query).items()}
    return await ours.who_has(issuer.code_for(asked), begun)


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another"},
        {"aud": [CLIENT, "another"]},
        {"aud": [CLIENT, "another"], "azp": "another"},
        {"azp": "another"},
        {"iss": "https://evil.example"},
        {"exp": datetime(2026, 1, 1, tzinfo=UTC)},
        {"iat": datetime.now(UTC) + timedelta(hours=1)},
        {"sub": None},
        {"role": None},
        {"role": "engine"},
        {"role": ["window_clerk", "admin"]},
        {"role": "department_officer"},
    ],
)
async def test_a_token_that_is_not_for_this_is_refused(
    claims: dict[str, Any], ours: Issuer, issuer: OpenIdIssuer
) -> None:
    """By the check of the API, and by what belongs to a sign-in: nonce, client, times."""
    issuer.claims |= claims

    with pytest.raises(TokenRefused):
        await who(ours, issuer)


@pytest.mark.parametrize(
    "sign",
    [
        lambda claims: jwt.encode(dict(claims), "", algorithm="none", headers={"kid": "k1"}),
        lambda claims: signed(claims, OTHER_KEY),
        lambda claims: signed(claims, "s" * 64, "HS256"),
        lambda claims: signed(claims)[:-8] + "AAAAAAAA",
        lambda _: "not.a.token",
        lambda _: "",
    ],
)
async def test_a_token_that_the_issuer_did_not_sign_is_refused(
    sign: Callable[[Any], str], ours: Issuer, issuer: OpenIdIssuer
) -> None:
    """Without a signature, with another key, with a shared secret, changed, or nothing at all."""
    issuer.sign = sign

    with pytest.raises(TokenRefused):
        await who(ours, issuer)


async def test_several_audiences_name_for_whom_it_is(ours: Issuer, issuer: OpenIdIssuer) -> None:
    """Then the token is for our client."""
    issuer.claims |= {"aud": [CLIENT, "another"], "azp": CLIENT, "area": "320104.003"}
    principal = await who(ours, issuer)

    assert (principal.subject, principal.role, principal.area) == ("zhang-3", Role.WINDOW_CLERK, "320104.003")


async def test_roles_may_stand_in_the_access_token(ours: Issuer, issuer: OpenIdIssuer) -> None:
    """Judged as at the API; of the same account as the ID token, which is still asked for the nonce."""
    ours.client = replace(ours.client, token="access_token")
    issuer.claims["role"] = None
    issuer.access_claims = {"role": "coordinator"}
    principal = await who(ours, issuer)
    for said in ({"aud": "another"}, {"role": None}, {"role": "engine"}, {"sub": "somebody-else"}):
        issuer.access_claims = {"role": "coordinator"} | said
        with pytest.raises(TokenRefused):
            await who(ours, issuer)
    issuer.access_claims = {"role": "coordinator"}
    issuer.claims["nonce"] = "another"
    with pytest.raises(TokenRefused):
        await who(ours, issuer)

    assert (principal.subject, principal.role) == ("zhang-3", Role.COORDINATOR)


@pytest.mark.parametrize(
    "ways", [["client_secret_basic"], ["client_secret_post"], ["private_key_jwt", "client_secret_post"]]
)
async def test_the_client_proves_itself_as_the_issuer_takes_it(
    ways: list[str], ours: Issuer, issuer: OpenIdIssuer
) -> None:
    """With a secret of whatever characters; with a wrong one nobody gets in, and that is not the fault of who signs in."""
    issuer.document = {"token_endpoint_auth_methods_supported": ways}
    principal = await who(ours, issuer)
    ours.client = replace(ours.client, secret="wrong")

    assert principal.subject == "zhang-3"
    with pytest.raises(IssuerAway):
        await who(ours, issuer)


async def test_a_code_is_good_once_and_for_its_verifier(ours: Issuer, issuer: OpenIdIssuer) -> None:
    """At the issuer too: used before, or asked for by another sign-in, it is worth nothing."""
    mine, theirs = Begun("state", "secret"), Begun("state", "another")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(await ours.way_in(mine)).query).items()}
    code, other = issuer.code_for(asked), issuer.code_for(asked)
    await ours.who_has(code, mine)

    for given, begun in ((code, mine), (other, theirs), ("", mine), ("made-up", mine)):
        with pytest.raises((CodeRefused, IssuerAway)):
            await ours.who_has(given, begun)


@pytest.mark.parametrize(
    "answer",
    [
        lambda: Response(b'{"id_token":"' + b"x" * 70_000 + b'"}'),
        lambda: Response(b"<html>", 502),
        lambda: Response(b"[]"),
        lambda: Response(b"{}"),
        lambda: Response(b"[" * 60_000),
        lambda: Response(b"", 302, {"Location": "http://127.0.0.1:9/"}),
    ],
)
async def test_an_issuer_that_is_not_well_is_away(
    answer: Callable[[], Response], ours: Issuer, issuer: OpenIdIssuer
) -> None:
    """Too much, nothing, not JSON or elsewhere: whoever signs in may try again later."""
    issuer.answer = answer

    with pytest.raises(IssuerAway):
        await who(ours, issuer)


async def test_an_issuer_that_is_away_is_asked_little(at_issuer: Settings, keys: Keys, issuer: OpenIdIssuer) -> None:
    """What it said before stays good for as long as it is away; who never knew it waits, and does not make us ask each time."""
    client = IssuerClient.of(at_issuer)
    assert client is not None
    issuer.document = {"issuer": "https://evil.example"}
    strange, before = Issuer(client, Verifier.of(at_issuer, keys)), issuer.asked.count("document")
    for _ in range(3):
        with pytest.raises(IssuerAway):
            await strange.way_out()

    assert issuer.asked.count("document") - before == 1


@pytest.mark.parametrize(
    "odd",
    [
        {"issuer": "https://evil.example"},
        {"authorization_endpoint": "http://login.example/authorize"},
        {"token_endpoint": "file:///etc/passwd"},
        {"token_endpoint": None},
        {"end_session_endpoint": "javascript:alert(1)"},
        {"code_challenge_methods_supported": ["plain"]},
        {"response_types_supported": ["id_token"]},
    ],
)
def test_an_issuer_that_cannot_be_trusted_says_so_of_itself(odd: dict[str, Any]) -> None:
    """It speaks for another, leads over plain http, or knows no S256: nobody is sent there, and the log names the field."""
    described = OpenIdIssuer(url="https://login.example").describes()
    good = read_document("https://login.example", 200, httpx.Response(200, json=described).content)
    with pytest.raises(IssuerOdd) as caught:
        read_document("https://login.example", 200, httpx.Response(200, json=described | odd).content)

    assert good.token_endpoint == "https://login.example/token"
    assert str(caught.value) == next(iter(odd))


@pytest.mark.parametrize(
    ("odd", "named"),
    [
        ({"token_jwks": None}, "JICENG_TOKEN_JWKS"),
        ({"token_issuer": "http://login.example"}, "JICENG_TOKEN_ISSUER"),
        ({"site_url": "http://town.example"}, "JICENG_SITE_URL"),
        ({"sign_in_scopes": "profile"}, "JICENG_SIGN_IN_SCOPES"),
        ({"sign_in_secret_file": Path("/nowhere/secret")}, "/nowhere/secret"),
    ],
)
def test_settings_by_which_nobody_can_sign_in_say_what_to_do(
    odd: dict[str, Any], named: str, at_issuer: Settings
) -> None:
    """When the process starts, and not when somebody wants in."""
    with pytest.raises(KeyFault, match=named):
        IssuerClient.of(at_issuer.model_copy(update=odd))


def test_a_secret_that_others_can_read_is_none(at_issuer: Settings, tmp_path: Path) -> None:
    """As with every key; and it stands in no words about the client."""
    file = tmp_path / "secret"
    file.write_text("open")
    file.chmod(0o644)
    client = IssuerClient.of(at_issuer)

    assert SECRET not in repr(client)
    with pytest.raises(KeyFault, match="chmod"):
        IssuerClient.of(at_issuer.model_copy(update={"sign_in_secret_file": file}))
