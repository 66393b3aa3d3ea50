"""The page of operators: what does not get on, and what they do about it, each with a reason that the case keeps."""

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx
import pytest

from console.forms.sheet import CHECKED
from console.operators.acts import ACTS
from console.operators.words import REASONS, acts_for, reason_of
from console.sign_in.sessions import Sessions
from engine.keys.keys import Keys
from engine.keys.tokens import Principal
from schemas.values.actor import Role
from starter.intake.stuck import TASK_FAILS, UNTAKEN, StuckCase
from tests.api_callers import OwnTown, api_of, callers
from tests.console_browser import Browser, main_form, signed_in

pytest_plugins = ("tests.api_fixture",)

GIVEN_UP = (
    "insert into notice_deliveries (case_id, seq, position, content, channel, recipient, template, text, at, status, attempts,"
    " settled_at) values ($1, 1, $2, 'x', 'group', 'role:coordinator', 'breach', '逾期', now(), 'given_up', 5, now())"
    " returning delivery_id"
)


@pytest.fixture
async def api(own_town: OwnTown) -> AsyncIterator[httpx.AsyncClient]:
    """A town where no worker runs: what comes in waits."""
    async with api_of(own_town.build()) as client:
        yield client


@pytest.fixture
async def supervisor(api: httpx.AsyncClient, own_town: OwnTown) -> Browser:
    """A supervisor of the whole town who has signed in."""
    return await _somebody(api, own_town.pool, Role.SUPERVISOR)


async def _somebody(api: httpx.AsyncClient, pool: asyncpg.Pool, role: Role) -> Browser:
    said = {"department": None, "area": None, "token_id": None, "expires_at": datetime.now(UTC) + timedelta(hours=1)}
    return await signed_in(api, Sessions(pool), Principal(subject=f"{role}-stuck", role=role, **said))


async def waiting(api: httpx.AsyncClient, keys: Keys) -> tuple[str, str]:
    """A case that nobody has taken up, and the submission of a command to it that waits."""
    as_ = callers(api, keys)
    case_id = str((await as_(Role.COORDINATOR).report()).json()["case_id"])
    sent = await as_(Role.SUPERVISOR).command(case_id, "comment", {"text": "等待"})
    assert sent.status_code == 202, sent.text
    return case_id, sent.headers["location"].rpartition("/")[2]


async def notes(pool: asyncpg.Pool, case_id: str) -> int:
    return int(await pool.fetchval("select count(*) from intake where case_id = $1 and command = 'comment'", case_id))


def stuck(why: str, submission: str | None = None) -> StuckCase:
    return StuckCase(
        case_id="incident-20261121-000001", procedure=None, stage=None, why=why, waits_for="engineer", attempts=1, since=None,
        submission=submission,
    )  # fmt: skip


def test_what_is_the_matter_is_said_in_words_with_what_can_be_done() -> None:
    """Each reason that the list can name has words and a remedy of its own; only what can be done there is offered."""
    told = {
        "place_order gets no answer": ["retry"],
        "sign was set aside: s-1": ["again", "set-aside"],
        "sign lets its workflow task fail: s-1": ["set-aside"],
        "sign is accepted and not taken up": [],
        "the signal message (event 9) is closed with a key that nobody has": [],
        "somebody turned it back to an earlier state: reset its run r": [],
        UNTAKEN: [],
        TASK_FAILS: [],
    }
    found = {why: reason_of(stuck(why)) for why in told}

    assert list(found.values()) == list(REASONS)
    assert all(each.zh and each.remedy for each in found.values())
    assert {why: [act for act, _ in acts_for(stuck(why, "s-1" if "s-1" in why else None))] for why in told} == told
    assert {act for acts in told.values() for act in acts} < set(ACTS)


async def test_a_command_that_waits_is_set_aside_after_a_second_look(
    api: httpx.AsyncClient, own_town: OwnTown, keys: Keys, supervisor: Browser
) -> None:
    """It is listed; without a reason nothing happens; looked at once more, it is set aside, and the case has the reason."""
    case_id, submission = await waiting(api, keys)
    await own_town.pool.execute("update intake set failing_since = clock_timestamp() where submission = $1", submission)
    listed = (await supervisor.get("/stuck")).text
    form = await supervisor.form(f"/stuck/set-aside/{submission}", 1)
    blank = await supervisor.send(form)
    form.fill({"text": ["程序修复前不再办理"]})
    check = await supervisor.send(form)
    status = "select status from intake where submission = $1"
    before = await own_town.pool.fetchval(status, submission), await notes(own_town.pool, case_id)
    done = await supervisor.send(main_form(check.text), (CHECKED, "1"))
    twice = await supervisor.send(main_form(check.text), (CHECKED, "1"))
    after = await own_town.pool.fetchval(status, submission), await notes(own_town.pool, case_id)

    assert "操作使案件任务失败" in listed
    assert f'href="/stuck/set-aside/{submission}"' in listed
    assert (blank.status_code, check.status_code) == (422, 200)
    assert "提交前请核对" in check.text
    assert "程序修复前不再办理" in check.text
    assert before == ("waiting", 1)
    assert [(each.status_code, each.headers["location"]) for each in (done, twice)] == [
        (303, "/stuck?done=set-aside")
    ] * 2
    assert after == ("set_aside", 2)
    assert "已暂存" in (await supervisor.get("/stuck?done=set-aside")).text


async def test_what_was_set_aside_is_delivered_again(
    api: httpx.AsyncClient, own_town: OwnTown, keys: Keys, supervisor: Browser
) -> None:
    """Only what was set aside can be; the reason goes into the case first, and it waits as if it had just come."""
    case_id, submission = await waiting(api, keys)
    early = await supervisor.get(f"/stuck/again/{submission}")
    await own_town.pool.execute(
        "update intake set status = 'set_aside', settled_at = now(), answer = '{\"failure\": \"RuntimeError\"}'"
        " where submission = $1",
        submission,
    )
    listed = (await supervisor.get("/stuck")).text
    form = await supervisor.form(f"/stuck/again/{submission}", 1)
    form.fill({"text": ["程序已修复"]})
    done = await supervisor.send(form)

    assert early.status_code == 404
    assert "操作已暂存待查" in listed
    assert "RuntimeError" in listed
    assert (done.status_code, done.headers["location"]) == (303, "/stuck?done=again")
    assert await own_town.pool.fetchval("select status from intake where submission = $1", submission) == "waiting"
    assert await notes(own_town.pool, case_id) == 2


async def test_a_notice_that_was_given_up_is_sent_again_or_dealt_with(
    api: httpx.AsyncClient, own_town: OwnTown, keys: Keys, supervisor: Browser
) -> None:
    """Sent again it is tried from the first attempt; dealt with otherwise it leaves the list. Its words are not shown."""
    case_id, _ = await waiting(api, keys)
    one, other = [await own_town.pool.fetchval(GIVEN_UP, case_id, position) for position in (1, 2)]
    listed = (await supervisor.get("/stuck")).text
    again = await supervisor.form(f"/stuck/send-again/{one}", 1)
    again.fill({"text": ["群机器人已恢复"]})
    sent = await supervisor.send(again)
    seen = await supervisor.form(f"/stuck/seen/{other}", 1)
    seen.fill({"text": ["已电话告知"]})
    check = await supervisor.send(seen)
    dealt = await supervisor.send(main_form(check.text), (CHECKED, "1"))
    rows = await own_town.pool.fetch("select status, attempts, looked_at from notice_deliveries order by delivery_id")
    left = (await supervisor.get("/stuck")).text

    assert listed.count("已放弃 given up") == 2
    assert "逾期" not in listed.partition('id="notices"')[2]
    assert [each.headers["location"] for each in (sent, dealt)] == ["/stuck?done=send-again", "/stuck?done=seen"]
    assert [(row["status"], row["attempts"], row["looked_at"] is not None) for row in rows] == [
        ("waiting", 0, False),
        ("given_up", 5, True),
    ]
    assert left.count("given up") == 0
    assert await notes(own_town.pool, case_id) == 3
    assert (await supervisor.get(f"/stuck/seen/{other}")).status_code == 404
    assert (await supervisor.get("/stuck/seen/nonsense")).status_code == 404


async def test_a_retry_of_a_case_that_waits_for_nothing_says_so(
    api: httpx.AsyncClient, own_town: OwnTown, keys: Keys, supervisor: Browser
) -> None:
    """The reason is noted, and that there was nothing to try is told; an act that does not exist is no address."""
    case_id, _ = await waiting(api, keys)
    form = await supervisor.form(f"/stuck/retry/{case_id}", 1)
    form.fill({"text": ["部门已恢复"]})
    done = await supervisor.send(form)
    page = (await supervisor.get(done.headers["location"])).text

    assert (done.status_code, done.headers["location"]) == (303, "/stuck?done=nothing")
    assert "已没有可办的事项" in page
    assert (await supervisor.get(f"/stuck/terminate/{case_id}")).status_code == 404
    assert (await supervisor.get(f"/stuck/retry/incident-20200101-{uuid.uuid4().int % 10**6:06d}")).status_code == 404


async def test_an_administrator_reads_and_does_nothing(api: httpx.AsyncClient, own_town: OwnTown, keys: Keys) -> None:
    """The list is theirs too; what goes into a case is not, and what they try is kept."""
    case_id, submission = await waiting(api, keys)
    await own_town.pool.execute("update intake set failing_since = clock_timestamp() where submission = $1", submission)
    admin = await _somebody(api, own_town.pool, Role.ADMIN)
    listed, tried = await admin.get("/stuck"), await admin.get(f"/stuck/retry/{case_id}")
    kept = await own_town.pool.fetch("select command, code from refusals where subject = 'admin-stuck'")

    assert (listed.status_code, tried.status_code) == (200, 403)
    assert "操作使案件任务失败" in listed.text
    assert "/stuck/set-aside/" not in listed.text
    assert [tuple(row) for row in kept] == [("act_on_stuck", "not-your-role")]


async def test_an_order_that_no_system_has_is_listed(
    api: httpx.AsyncClient, own_town: OwnTown, supervisor: Browser
) -> None:
    """The latest order of an open case counts: one that was given to somebody else since, or that is dealt with, does not."""
    lost = {"department": "urban-management", "refused": "unreachable", "dispatched_at": "2026-03-01T09:00:00+08:00"}
    taken = {"department": "water-supply", "refused": None, "dispatched_at": "2026-03-02T09:00:00+08:00"}
    done = lost | {"result": "text:00000000000000000000000000"}
    orders = {"000001": [lost], "000002": [lost, taken], "000003": [done], "000004": [taken, lost]}
    for number, given in orders.items():
        await own_town.pool.execute(
            "insert into cases (case_id, procedure, stage, area, holder, labels, opened_at, ended, seq, head_hash, clocks,"
            " snapshot, task_at) values ($1, 'incident', 'dispatched', '320104', 'role:coordinator', '{}', now(), false, 1, $2,"
            " '[]', $3, now())",
            f"incident-20260301-{number}", "0" * 64, {"orders": given},
        )  # fmt: skip
    page = (await supervisor.get("/stuck")).text
    listed = page.partition('id="orders"')[2].partition('id="notices"')[0]

    assert [number for number in orders if number in listed] == ["000001", "000004"]
    assert "对方系统无应答" in listed
    assert "城管局" in listed or "城市管理" in listed
