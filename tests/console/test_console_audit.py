"""The pages of auditors: the record of a case, what vouches for it, a replay on request, and the lists of readings and refusals."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx
import psutil
import pytest

from audit.replay.apart import NotReplayed, replayed_apart
from console.auditors.record_page import town_moment
from console.sign_in.sessions import Sessions
from engine.keys.tokens import Principal
from engine.runtime.settings import Settings
from schemas.clocks.calendar import SHANGHAI
from schemas.values.actor import Role
from starter.http.problems import Problem
from tests.api_callers import REPORT, As
from tests.console_browser import Browser, Forms, signed_in
from tests.waiting import eventually, lives

pytest_plugins = ("tests.api_fixture",)


@pytest.fixture
async def auditor(http: httpx.AsyncClient, pool: asyncpg.Pool) -> Browser:
    """An auditor of the whole town who has signed in."""
    return await signed_in(http, Sessions(pool), _principal("auditor-record"))


def _principal(subject: str) -> Principal:
    ends_at = datetime.now(UTC) + timedelta(hours=1)
    return Principal(subject=subject, role=Role.AUDITOR, department=None, area=None, token_id=None, expires_at=ends_at)


async def reported(as_: As) -> str:
    answer = await as_(Role.WINDOW_CLERK).report(REPORT)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["case_id"])


@asynccontextmanager
async def exchanged(pool: asyncpg.Pool, case_id: str) -> AsyncIterator[None]:
    """While the block runs, the last entry of a case has another hash: somebody with the database owner's rights did it."""
    row = await pool.fetchrow("select seq, hash from ledger where case_id = $1 order by seq desc limit 1", case_id)
    assert row is not None
    await _put(pool, case_id, row["seq"], "0" * 64)
    try:
        yield
    finally:
        await _put(pool, case_id, row["seq"], row["hash"])


async def _put(pool: asyncpg.Pool, case_id: str, seq: int, content: str) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("alter table ledger disable trigger ledger_only_grows")
        await connection.execute("update ledger set hash = $3 where case_id = $1 and seq = $2", case_id, seq, content)
        await connection.execute("alter table ledger enable always trigger ledger_only_grows")


async def done(auditor: Browser, address: str) -> str:
    """Wait as the page of a replay does, until there is a verdict."""
    pages: list[httpx.Response] = []

    async def is_done() -> bool:
        pages.append(await auditor.get(address))
        return "Refresh" not in pages[-1].headers

    await eventually(is_done, within=90)
    return pages[-1].text


async def test_a_record_is_read_whole_and_its_texts_by_a_click(auditor: Browser, as_: As, pool: asyncpg.Pool) -> None:
    """Entries, the attempt that was refused and who read stand there; a text, and the auditor's own reading, after a click."""
    case_id = await reported(as_)
    await as_(Role.WINDOW_CLERK, "clerk-refused").command(case_id, "sign")
    await as_(Role.STREET_OFFICER, "street-reads").get(f"/api/v1/cases/{case_id}/timeline")
    own = "select count(*) from vault_reads where who = 'auditor-record' and case_id = $1"
    closed = (await auditor.get(f"/audit/cases/{case_id}")).text
    before = await pool.fetchval(own, case_id)
    opened = (await auditor.get(f"/audit/cases/{case_id}?texts=open")).text
    after = await pool.fetchval(own, case_id)

    for told in (
        "clerk-refused",
        "角色无权限",
        "street-reads",
        "查阅个人信息",
        'id="entry-1"',
        "怎么算的",
        "7个自然日 (7 natural days)",
    ):
        assert told in closed, told
    assert closed.count("有异常") == 0
    assert closed.count("无异常") == 2
    assert (REPORT["description"] in closed, REPORT["description"] in opened) == (False, True)
    assert (before, after > 0) == (0, True)
    assert f"/audit/cases/{case_id}" in (await auditor.get(f"/cases/{case_id}")).text


async def test_a_record_says_how_it_stood_and_why(auditor: Browser, as_: As, pool: asyncpg.Pool) -> None:
    """A moment as a browser writes it is one of the town; what came later is not told; each entry leads to its reason."""
    case_id = await reported(as_)
    rows = await pool.fetch("select seq, at from ledger where case_id = $1 order by seq", case_id)
    first = rows[0]["at"].astimezone(SHANGHAI)
    then = (
        await auditor.get(
            f"/audit/cases/{case_id}",
        )
    ).text
    at = f"{first + timedelta(seconds=1):%Y-%m-%dT%H:%M:%S}"
    page = await auditor.get(f"/audit/cases/{case_id}?at={at}")
    long_before = await auditor.get(f"/audit/cases/{case_id}?at=2020-01-01T00:00")
    why = (await auditor.get(f"/audit/cases/{case_id}/entries/2")).text

    assert page.status_code == 200
    assert "由历史重放得出" not in then
    assert "重放得出" in page.text
    assert f'value="{at}"' in page.text
    assert long_before.status_code == 404
    assert "没有此记录" in long_before.text
    assert 'id="entry-1"' in long_before.text
    assert "policies/incident.yaml" in why or "责任清单" in why
    assert "entry-2" in why


def test_a_moment_of_a_browser_is_one_of_the_town() -> None:
    """Without an offset it is the town's own time; a day and a time with its offset stay what they are; the rest is refused."""
    nine = datetime(2026, 11, 21, 9, 30, tzinfo=SHANGHAI)

    assert town_moment("2026-11-21T09:30") == town_moment("2026-11-21T09:30:00") == nine
    assert town_moment("2026-11-21T01:30:00+00:00") == nine
    assert town_moment("2026-11-21") == nine.replace(hour=0, minute=0)
    assert town_moment(" ") is None
    for wrong in ("yesterday", "2026-13-01T00:00", "2026-11-21T25:00"):
        with pytest.raises(Problem):
            town_moment(wrong)


async def test_one_replay_at_a_time_leads_where_it_led(auditor: Browser, as_: As, pool: asyncpg.Pool) -> None:
    """Asked for again while it runs, it is the same; another case waits. The verdict says who asked, and what was compared."""
    asking = as_(Role.AUDITOR, "auditor-asks")
    one, other = await reported(as_), await reported(as_)
    first = await asking.post(f"/api/v1/audit/cases/{one}/replay", {})
    again = await asking.post(f"/api/v1/audit/cases/{one}/replay", {})
    busy = await asking.post(f"/api/v1/audit/cases/{other}/replay", {})
    page = await done(auditor, f"/audit/cases/{one}/replay")
    told = await asking.get(f"/api/v1/audit/cases/{one}/replay")

    assert (first.status_code, again.status_code, busy.status_code) == (202, 202, 429)
    assert first.json()["number"] == again.json()["number"]
    assert int(busy.headers["retry-after"]) > 0
    assert (await asking.get(f"/api/v1/audit/cases/{other}/replay")).status_code == 404
    assert "与记录一致" in page
    assert re.search(r"\d+ events in 1 run", page)
    assert "auditor-asks" in page
    assert (told.json()["leads"], told.json()["running"]) == (True, False)
    assert await pool.fetchval("select count(*) from replays where case_id = any($1)", [one, other]) == 1


async def test_replays_that_are_asked_for_at_the_same_moment_are_one_at_a_time(as_: As, pool: asyncpg.Pool) -> None:
    """However close together auditors ask, one process works; the others are told to wait."""
    asking = as_(Role.AUDITOR, "auditor-in-a-hurry")
    cases = [await reported(as_) for _ in range(4)]
    answers = await asyncio.gather(*(asking.post(f"/api/v1/audit/cases/{each}/replay", {}) for each in cases))
    begun = await pool.fetchval("select count(*) from replays where case_id = any($1)", cases)

    assert sorted(each.status_code for each in answers) == [202, 429, 429, 429]
    assert begun == 1
    await eventually(lambda: _ended(pool, cases), within=90)


async def _ended(pool: asyncpg.Pool, cases: list[str]) -> bool:
    query = "select bool_and(ended_at is not null) from replays where case_id = any($1)"
    return bool(await pool.fetchval(query, cases))


async def test_a_replay_says_where_it_differs(auditor: Browser, as_: As, pool: asyncpg.Pool) -> None:
    """Asked for by a button, it runs beside the API. An exchanged entry is named at once by the page, and by the replay."""
    case_id = await reported(as_)
    address = f"/audit/cases/{case_id}"
    async with exchanged(pool, case_id):
        at_once = (await auditor.get(address)).text
        sent = await auditor.send(next(each for each in Forms(at_once).found if "replay" in each.action))
        differs = await done(auditor, sent.headers["location"])
    kept = await pool.fetch("select asked_by, leads from replays where case_id = $1", case_id)

    assert (sent.status_code, sent.headers["location"]) == (303, f"{address}/replay")
    assert "entry-changed" in at_once
    assert "与记录不符" in differs
    assert "ledger-differs" in differs
    assert [tuple(row) for row in kept] == [("auditor-record", False)]


async def test_a_replay_that_takes_too_long_is_ended(settings: Settings, as_: As) -> None:
    """When its time is over there is no verdict, and no process of it goes on."""
    case_id = await reported(as_)
    with pytest.raises(NotReplayed, match=r"more than 0\.01 s"):
        await replayed_apart(settings, case_id, 0.01)
    left = [each for each in psutil.Process().children(recursive=True) if lives(each) and _replays(each)]

    assert left == []


def _replays(process: psutil.Process) -> bool:
    try:
        return "audit.replay.apart" in process.cmdline()
    except psutil.Error:
        return False


async def test_lists_of_auditors_keep_their_filters_in_the_address(auditor: Browser, as_: As) -> None:
    """Blank fields are left out of the address; rows are those that were asked for, and lead to the record."""
    case_id = await reported(as_)
    await as_(Role.STREET_OFFICER, "street-list").get(f"/api/v1/cases/{case_id}/timeline")
    await as_(Role.RESIDENT, "curious-list").get(f"/api/v1/cases/{case_id}")
    filtered = await auditor.get(
        f"/audit/readings/filter?who=street-list&case_id=+{case_id}+&purpose=&person=&since=&until="
    )
    readings = (await auditor.get(filtered.headers["location"])).text
    refusals = (await auditor.get(f"/audit/refusals?case_id={case_id}&code=not-your-case")).text
    nobody = (await auditor.get("/audit/refusals?who=nobody-at-all")).text
    wrong = await auditor.get("/audit/readings?since=yesterday")

    assert filtered.headers["location"] == f"/audit/readings?who=street-list&case_id={case_id}"
    assert readings.count(f'href="/audit/cases/{case_id}"') >= 3
    assert "街道干部 street_officer street-list" in readings
    assert 'value="street-list"' in readings
    assert "curious-list" in refusals
    assert '<option value="not-your-case" selected>' in refusals
    assert "没有符合条件的记录" in nobody
    assert wrong.status_code == 422
