"""Residents vote in a browser: the ballot is taken on a page of the town, the choice is made on a page of the ballot box."""

import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

import asyncpg
import httpx
import pytest
from playwright.async_api import Browser as Chromium
from playwright.async_api import Page, Request
from temporalio.client import Client

from console.http.assets import address_of
from console.http.pages import shown_moment
from console.sign_in.sessions import Sessions
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from engine.store.voters import Voter
from local.ballot_box.voter import Ballot, key_of
from schemas.contracts.ballot_box import Tally
from schemas.values.actor import Role
from tests.api_driver import ApiDriver, Step
from tests.browsing import needs_browser
from tests.console_browser import Form, signed_in
from tests.console_looks import principal, window
from tests.console_story import Seen
from tests.local.test_blind_rsa import INVERSE, MESSAGE, SALT, N, is_of_the_vector
from tests.voting_town import VotingTown, voting_town
from tests.waiting import eventually

pytest_plugins = ("tests.browser_fixture",)
pytestmark = [needs_browser, pytest.mark.timeout(240)]
OWN, PROXIED, NEXT_DOOR = "0-001", "0-002", "0-003"
RECEIPT = re.compile(r"[0-9a-f]{64}")


@pytest.fixture(scope="module")
async def town(
    settings: Settings, keys: Keys, temporal: Client, pool: asyncpg.Pool, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[VotingTown]:
    """A town with a ballot box."""
    async with voting_town(settings, keys, temporal, pool, tmp_path_factory.mktemp("votes")) as opened:
        yield opened


async def takes(page: Page, unit: str | None = None, code: str = "") -> None:
    """Take the ballot on the page that stands there."""
    if unit is not None:
        await page.fill("#unit", unit)
        await page.fill("#code", code)
    await page.click("#take button")
    await page.wait_for_selector("#taken:not([hidden]), #said:not([hidden]), [data-said=no-answer]:not([hidden])")


async def chooses(page: Page, choice: str) -> None:
    """Go to the box and cast, after a look at what was chosen."""
    async with page.expect_navigation():
        await page.click("#there")
    await page.check(f"[name=choice][value='{choice}']")
    await page.click("#ballot button")
    await page.click("#cast")


async def test_blinding_in_the_browser_comes_out_as_the_rfc_says(town: VotingTown, chromium: Chromium) -> None:
    """RFC 9474, A.3: what the browser encodes and blinds, and what it makes of the signature, is that of the vector."""
    context = await chromium.new_context(base_url=town.url, bypass_csp=True)
    async with context:
        page = await context.new_page()
        await page.goto("/votes")
        said = await page.evaluate(
            "([file, ...rest]) => import(file).then(found => found.blind(...rest))",
            [address_of("vote_taking.js"), f"{N:x}", MESSAGE.hex(), SALT.hex(), f"{INVERSE:x}"],
        )
        drawn = await page.evaluate(
            "async ([file, key, message]) => {"
            " const made = await import(file);"
            " return [await made.blind(key, message), await made.blind(key, message)]; }",
            [address_of("vote_taking.js"), f"{N:x}", MESSAGE.hex()],
        )

    assert is_of_the_vector("encoded", bytes.fromhex(said["encoded"]))
    assert is_of_the_vector("blinded", bytes.fromhex(said["blinded"]))
    assert len({each["blinded"] for each in drawn} | {said["blinded"]}) == 3


async def test_a_resident_votes_by_account_and_the_town_never_has_the_choice(
    town: VotingTown, chromium: Chromium
) -> None:
    """The register names the unit; the ballot is taken; the box counts the choice. What went to the town holds neither."""
    case_id = await town.opened()
    await town.registers(case_id, (OWN, Voter(account="resident-votes")))
    session = await Sessions(town.pool).open(principal(Role.RESIDENT, "resident-votes"))
    sent: list[Request] = []
    async with window(chromium, town.url, session=session) as eyes:
        page = eyes.page
        page.on("request", lambda request: sent.append(request))  # noqa: PLW0108 - it marks what it is given
        await page.goto("/votes")
        await page.click(f"a[href='/votes/{case_id}']")
        await page.wait_for_selector("#take:not([hidden])")
        assert await page.locator("#take [name=unit]").get_attribute("value") == OWN
        await takes(page)
        ballot = await page.input_value("#address")
        await chooses(page, "approve")
        await page.wait_for_selector("#done:not([hidden])")
        receipt = await page.inner_text("#receipt")
        left = page.url
    serial, signature = ballot.partition("#")[2].split(".")
    to_town = [f"{each.url} {each.post_data or ''} {each.headers}" for each in sent if each.url.startswith(town.url)]
    to_box = [each for each in sent if each.url.startswith(town.box.url)]
    tally = await town.box.close()

    assert any("blinded=" in each for each in to_town)
    assert [each for each in to_town for word in (serial, signature, receipt, "approve") if word in each] == []
    assert not [each.url for each in to_box if serial in each.url or OWN in f"{each.url} {each.post_data}"]
    assert not [
        each.url
        for each in to_box
        if "cookie" in each.headers or ("referer" in each.headers and town.url in each.headers["referer"])
    ]
    assert serial not in left
    assert isinstance(tally, Tally)
    assert (tally.totals, tally.count, tally.issued) == ({"approve": 1, "oppose": 0}, 1, 1)
    proof = await town.box.http.get(f"{town.box.base}/ballots/{case_id}/proofs/{receipt}")
    assert proof.json()["choices"] == "approve"
    by_serial = await town.box.http.get(f"{town.box.base}/ballots/{case_id}/proofs/{serial}")
    assert by_serial.status_code == 404


async def test_a_slip_is_as_good_as_an_account_and_good_for_its_unit_alone(
    town: VotingTown, chromium: Chromium
) -> None:
    """Without an account: unit and code. Another unit's code, a second ballot of a unit, and a stranger's account get none."""
    case_id = await town.opened()
    await town.registers(case_id, (NEXT_DOOR, Voter(account="resident-votes")))
    session = await Sessions(town.pool).open(principal(Role.RESIDENT, "resident-from-elsewhere"))
    async with window(chromium, town.url) as eyes:
        page = eyes.page
        await page.goto(f"/votes/{case_id}")
        said_before = [each for each in await page.locator("[data-said], #said").all() if await each.is_visible()]
        until = await page.inner_text("main p:has-text('正在投票')")
        await takes(page, OWN, town.slip(case_id, PROXIED))
        refused = await page.inner_text("#said")
        await takes(page, OWN, town.slip(case_id, OWN).lower())
        await chooses(page, "")
        await page.wait_for_selector("#done:not([hidden])")
    async with window(chromium, town.url, session=session) as eyes:
        page = eyes.page
        await page.goto(f"/votes/{case_id}")
        no_unit = await page.inner_text("#take")
        await takes(page, OWN, town.slip(case_id, OWN))
        again = await page.inner_text("#said")
    tally = await town.box.close()

    assert said_before == []
    assert shown_moment(await town.due_at(case_id, "window")) in until
    assert "领票码不符" in refused
    assert "登记簿上没有" in no_unit
    assert "每户一票" in again
    assert isinstance(tally, Tally)
    assert (tally.count, tally.abstained, tally.issued) == (1, 1, 1)


async def test_what_is_lost_on_the_way_is_asked_again_and_counts_once(town: VotingTown, chromium: Chromium) -> None:
    """The town's answer is lost, then the box's: the same ballot comes again, and the same vote is the same one."""
    case_id = await town.opened()
    async with window(chromium, town.url) as eyes:
        page, lost = eyes.page, []

        async def lose(route: object) -> None:
            lost.append(await route.fetch())  # type: ignore[attr-defined]  # done there, and never answered
            await route.abort()  # type: ignore[attr-defined]

        await page.route("**/taken", lose, times=1)
        await page.goto(f"/votes/{case_id}")
        await takes(page, OWN, town.slip(case_id, OWN))
        assert await page.is_visible("[data-said=no-answer]")
        await page.reload()
        await takes(page, OWN, town.slip(case_id, OWN))
        await page.route("**/ballots/*/votes", lose, times=1)
        await chooses(page, "oppose")
        await page.wait_for_selector("[data-said=no-answer]:not([hidden])")
        await page.reload()  # the ballot stands in the address still
        await page.check("[name=choice][value=oppose]")
        await page.click("#ballot button")
        await page.click("#cast")
        await page.wait_for_selector("#done:not([hidden])")
    tally = await town.box.close()

    assert [each.status for each in lost] == [200, 201]
    assert isinstance(tally, Tally)
    assert (tally.totals["oppose"], tally.count, tally.issued) == (1, 1, 1)


async def test_a_ballot_votes_once_whatever_is_chosen_the_second_time(town: VotingTown, chromium: Chromium) -> None:
    """Whoever kept the address of a ballot that was cast learns nothing by it, not even by choosing the same."""
    case_id = await town.opened()
    async with window(chromium, town.url) as eyes:
        await eyes.page.goto(f"/votes/{case_id}")
        await takes(eyes.page, OWN, town.slip(case_id, OWN))
        ballot = await eyes.page.input_value("#address")
        await chooses(eyes.page, "approve")
        await eyes.page.wait_for_selector("#done:not([hidden])")
        receipt = await eyes.page.inner_text("#receipt")
    for choice in ("approve", "oppose"):
        async with window(chromium, town.url) as eyes:
            page = eyes.page
            await page.goto(ballot)
            await page.check(f"[name=choice][value={choice}]")
            await page.click("#ballot button")
            await page.click("#cast")
            await page.wait_for_selector("[data-said=voted-already]:not([hidden])")
    tally = await town.box.close()

    said, seen = {}, Seen()
    async with window(chromium, town.url) as eyes:
        await eyes.page.goto(f"{town.box.base}/vote/{case_id}")
        for held, code in ((receipt, "counted"), ("0" * 64, "not-counted")):
            await eyes.page.fill("#held", held)
            await eyes.page.click("#find button")
            await eyes.page.wait_for_selector(f"[data-said={code}]:not([hidden])")
            said[code] = await eyes.page.inner_text("main")
        eyes.reported.clear()  # a browser calls an answer of 404 an error of its own
        await seen.look(eyes)
        await eyes.page.route("**/tally", lambda route: route.fulfill(json={"merkle_root": "0" * 64}))
        await eyes.page.fill("#held", receipt)
        await eyes.page.click("#find button")
        await eyes.page.wait_for_selector("[data-said=wrong]:not([hidden])")

    assert isinstance(tally, Tally)
    assert tally.totals == {"approve": 1, "oppose": 0}
    assert "同意" in said["counted"]
    assert tally.merkle_root in said["counted"]
    assert seen.faults == []


async def test_the_pages_of_a_vote_are_for_everybody(town: VotingTown, chromium: Chromium) -> None:
    """On a phone and on a desk, usual and in the 长辈版, in one language alone; without a script they say what else there is."""
    case_id = await town.opened()
    seen = Seen()
    async with window(chromium, town.url) as eyes:
        page = eyes.page
        for address in ("/votes", f"/votes/{case_id}"):
            await page.goto(address)
            await seen.look_in_each_look(eyes)
        await page.wait_for_selector("#take:not([hidden])")
        await takes(page, OWN, town.slip(case_id, OWN))
        await seen.look(eyes)
        ballot = await page.input_value("#address")
        for query in ("", "?lang=zh", "?lang=en", "?look=elder"):
            await page.goto("about:blank")  # an address that differs behind # alone is the same page to a browser
            await page.goto(ballot.replace("#", f"{query}#"))
            eyes.elder = "elder" in query
            await seen.look(eyes)
        await page.check("[name=choice][value=approve]")
        await page.click("#ballot button")
        await seen.look(eyes)
        await page.click("#cast")
        await page.wait_for_selector("#done:not([hidden])")
        await seen.look(eyes)
    async with window(chromium, town.url, scripts=False) as plain:
        await plain.page.goto(f"/votes/{case_id}")
        told = await plain.page.inner_text("main")
        hidden = await plain.page.is_visible("#take")
        await plain.page.goto(ballot)
        at_the_box = await plain.page.inner_text("main")

    assert "请用纸票" in told
    assert not hidden
    assert "您可以领纸票" in at_the_box
    assert seen.faults == [], "\n".join(seen.faults)


async def test_the_register_goes_with_its_vote_and_knows_nobody_in_two(town: VotingTown) -> None:
    """The same account is another one in each vote; when a vote has ended nothing says any more who might have voted."""
    one, other = await town.posted(), await town.posted()
    for each in (one, other):
        await town.registers(each, (OWN, Voter(account="resident-votes")))
    kept = await town.pool.fetch("select person from voters where case_id = any($1)", [one, other])
    await town.door.go(one, [Step("call_off", "grid_worker", {"reason": "居民要求先行协商"})])

    async def forgotten() -> bool:
        return not await town.pool.fetch("select unit from voters where case_id = $1", one)

    await eventually(forgotten)

    assert len({row["person"] for row in kept}) == len(kept) == 2
    assert await town.pool.fetchval("select count(*) from voters where case_id = $1", other) == 1


async def test_a_proxy_takes_the_ballot_of_the_unit_that_gave_it_and_of_no_other(town: VotingTown) -> None:
    """In writing, one unit votes for another: it is offered to who stands in the register for the proxy; the next door is not."""
    case_id = await town.posted()
    await town.registers(case_id, (OWN, Voter(account="resident-votes")))

    async def in_writing(door: ApiDriver, case: str, by: str) -> Mapping[str, Any]:
        shown = await door.examples.BODIES["name_proxy"](door, case, by)
        return {**shown, "unit": PROXIED, "by": OWN}

    await town.door.go(case_id, [Step("name_proxy", "clerk", in_writing)])
    await town.door.passes(case_id, "ballot:box:opened", 1)
    browser = await signed_in(town.door.api, Sessions(town.pool), principal(Role.RESIDENT, "resident-votes"))
    page = (await browser.get(f"/votes/{case_id}")).text
    blank = Ballot(await key_of(town.box.http, town.box.base, case_id))
    answers = [
        await browser.send(
            Form(f"/votes/{case_id}/taken", {"unit": [unit], "code": [""], "blinded": [blank.blinded.message.hex()]})
        )
        for unit in (NEXT_DOOR, PROXIED)
    ]

    assert [unit for unit in (OWN, PROXIED, NEXT_DOOR) if f'value="{unit}"' in page] == [OWN, PROXIED]
    assert [each.status_code for each in answers] == [403, 200]
    blank.signed(httpx.Response(200, json=answers[1].json()))
    assert (await blank.cast(town.box.http, town.box.base, case_id, "approve")).status_code == 201
