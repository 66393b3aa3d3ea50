"""Notices: whoever has to know is told, by every channel of theirs, in words, once."""

import asyncio
import json
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from activities.ledger import Ledger
from engine.keys.key_files import KeyFault
from engine.keys.keys import Keys
from engine.outside.notice_channels import read_channels
from engine.outside.notices import LEASE, Notices, latest_notices
from engine.policies.department_policy import load_departments
from engine.policies.notice_templates import load_notice_policy, templates_used, with_names
from engine.policies.policies import PolicyFaults
from engine.runtime.settings import PROJECT, Settings
from local.commands.notice_commands import notices_app
from schemas.audit.ledger import Batch, Projection
from schemas.contracts.notice import SHOWN, NoticePolicy, word_of
from schemas.kernel.case import ENGINE, GENESIS, Entry
from schemas.kernel.notice import Notice
from schemas.values.actor import Role
from tests.api_callers import As, OwnTown, api_of, callers
from tests.waiting import eventually
from workflows.registry import PROCEDURES

pytest_plugins = ("tests.api_fixture",)

POLICIES = PROJECT / "policies"
PROCEDURE_LIST = [case.procedure for case in PROCEDURES]
POLICY = load_notice_policy(POLICIES, PROCEDURE_LIST)
DEPARTMENTS = load_departments(POLICIES / "departments.yaml")
OLD = timedelta(seconds=-1)
"""A delay that every notice has behind it."""


class Channel:
    """A channel that notes what it got, and fails as long as it is told to."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.tried = 0
        self.fails = False

    async def __call__(self, text: str) -> bool:
        self.tried += 1
        if self.fails:
            return False
        self.got.append(text)
        return True


def policy(**recipients: tuple[str, ...]) -> NoticePolicy:
    """The town's rules, with two channels and other recipients, and hardly any pause."""
    patience = POLICY.patience.model_copy(update={"first_pause_seconds": 0.001, "longest_pause_seconds": 0.001})
    return POLICY.model_copy(
        update={
            "channels": {"one": "one.url", "two": "two.url"},
            "recipients": {**POLICY.recipients, **{name.replace("__", ":"): to for name, to in recipients.items()}},
            "patience": patience,
        }
    )


Told = Callable[..., Notices]


@pytest.fixture
def told(own_town: OwnTown) -> Told:
    """Make the deliverer over a database of the test's own."""

    def make(rules: NoticePolicy = POLICY, delay: timedelta = OLD, **channels: Channel) -> Notices:
        return Notices(own_town.pool, rules, DEPARTMENTS, channels, delay)

    return make


async def write(
    pool: asyncpg.Pool,
    case_id: str,
    *notices: Notice,
    seq: int = 1,
    prev: str = GENESIS,
    task: int = 0,
    kind: str = "tests:entry",
    area: str = "320104.003.01",
    procedure: str = "incident",
) -> Entry:
    """What the flush of a case writes: one entry with its notices."""
    entry = Entry(
        case_id=case_id, seq=seq, at="2026-03-02T01:00:00Z", actor=ENGINE, kind=kind, facts={}, prev_hash=prev
    ).sealed()  # fmt: skip
    projection = Projection(
        case_id=case_id, procedure=procedure, stage="handling", area=area, department="urban-management",
        holder="department:urban-management", labels={}, opened_at=entry.at, closed_at=None, ended=False, due_at=None,
        due_clock=None, seq=seq, head_hash=entry.hash, clocks=[],
        snapshot={"reporter_subject": f"resident-of-{case_id}", "orders": []},
    )  # fmt: skip
    at = entry.at + timedelta(seconds=task)
    await Ledger(pool).write(
        Batch(row=projection.model_dump_json(), run_id="tests", task_at=at, entries=(entry,), notices=notices)
    )
    return entry


def dispatched(order: int = 1) -> Notice:
    return Notice(to="department:urban-management", template="order_dispatched", facts={"order": order})


async def statuses(pool: asyncpg.Pool) -> dict[str, str]:
    rows = await pool.fetch("select channel, status from notice_deliveries order by delivery_id")
    return {row["channel"]: row["status"] for row in rows}


async def test_whoever_has_to_know_is_shown_it_in_words(own_town: OwnTown, told: Told) -> None:
    """Department, role and duty leader by name, with the codes in words; then nothing waits any more."""
    await write(
        own_town.pool, "incident-1", dispatched(2),
        Notice(to="duty_leader", template="clock_breach", facts={"clock": "sign"}),
        Notice(to="role:coordinator", template="order_returned", facts={"department": "urban-management"}),
    )  # fmt: skip
    assert await told().take_ready() == 3
    shown = await latest_notices(own_town.pool)

    assert [notice.text for notice in reversed(shown)] == [
        "事件incident-1已派给贵单位(第2次派单),请按时签收 (incident-1: order 2 is yours; please sign in time)",
        "案件incident-1的签收已逾期 (incident-1: the signing limit is broken)",
        "城管局退回事件incident-1的派单,请裁定 (incident-1: Urban management bureau returned the order; please rule)",
    ]  # fmt: skip
    assert {notice.status for notice in shown} == {"delivered"}
    assert await own_town.pool.fetchval("select count(*) from outbox where delivered_at is null") == 0
    assert await told().take_ready() == 0


def test_what_a_procedures_own_rules_name_is_said_in_words() -> None:
    """A risk point and a shelter in a warning, and in its sweep; elsewhere a code stays one, and words of the town's go before."""
    codes = [each.code for each in DEPARTMENTS.departments]
    named = with_names(POLICY, PROCEDURE_LIST, POLICIES, codes)
    call = {"hazard": "flood", "level": "red", "point": "riverside-low"}

    assert "滨河低洼片" in named.text("warning_call", "warning-20260601-000001", call, {})
    assert "riverside-low" in POLICY.text("warning_call", "warning-20260601-000001", call, {})
    opened = {"shelter": "school-gym", "places": 120}
    assert "Gym of the first school is open, 120" in named.text("warning_shelter_open", "warning-1", opened, {})
    sweep = named.text("sweep_refused", "warning-20260601-000001.sweep-1", {"household": "slope-south"}, {})
    assert "南坡切坡建房点" in sweep
    assert "riverside-low" in named.text("warning_call", "incident-20260601-000001", call, {})
    own = with_names(
        POLICY.model_copy(update={"words": {"warning/a": POLICY.words["b"]}}), PROCEDURE_LIST, POLICIES, codes
    )
    assert own.words["warning/a"] == POLICY.words["b"]


async def test_everybody_reads_their_own(as_: As, pool: asyncpg.Pool, settings: Settings) -> None:
    """From report to order: the reporter, the officers of that department and nobody else; each duty leader by account."""
    mine = as_(subject="resident-notices")
    case_id = (await mine.report()).json()["case_id"]
    notices = Notices(pool, POLICY, load_departments(settings.policies / "departments.yaml"), {}, timedelta(0))
    officer = as_(Role.DEPARTMENT_OFFICER, department="urban-management")

    async def seen(who: Any) -> list[str]:
        await take_all(notices)
        items = (await who.get("/api/v1/notices", limit=200)).json()["items"]
        return [item["template"] for item in items if item["case_id"] == case_id]

    await eventually(lambda: _has(seen, officer, "order_dispatched"))
    assert await seen(mine) == ["incident_reported"]
    others = (
        as_(subject="resident-2"), as_("coordinator"), as_("department_officer", department="health"), as_("auditor"),
    )  # fmt: skip
    assert [await seen(other) for other in others] == [[]] * 4


async def take_all(notices: Notices) -> None:
    """Take whatever is ready, however much other tests have left in the town's outbox."""
    while await notices.take_ready():
        pass


async def _has(seen: Callable[[Any], Any], who: Any, template: str) -> bool:
    return template in await seen(who)


async def test_a_role_is_told_in_its_area_and_a_duty_leader_by_account(
    own_town: OwnTown, told: Told, keys: Keys
) -> None:
    """A grid worker of another grid is not told; the duty leader is the one of the department that holds the case."""
    await write(
        own_town.pool, "incident-1", Notice(to="role:grid_worker", template="verification_due"),
        Notice(to="duty_leader", template="clock_breach", facts={"clock": "finish"}),
        Notice(to="supervisor", template="clock_tier", facts={"clock": "finish"}),
        Notice(to="participant:grid-zhao", template="warning_call", facts={"hazard": "flood", "level": "red", "point": "a"}),
    )  # fmt: skip
    await told().take_ready()
    async with api_of(own_town.build()) as client:
        make = callers(client, keys)

        async def templates(role: str, **claims: Any) -> list[str]:
            page = (await make(role, **claims).get("/api/v1/notices")).json()
            return [item["template"] for item in page["items"]]

        assert await templates("grid_worker", area="320104.003.01") == ["verification_due"]
        assert await templates("grid_worker", area="320104.003.02") == []
        assert await templates("grid_worker", area="320104.003.02", subject="grid-zhao") == ["warning_call"]
        leader = {"subject": "urban-management.duty", "department": "urban-management"}
        assert await templates("department_officer", **leader) == ["clock_breach"]
        assert await templates("department_officer", department="urban-management") == []
        assert await templates("supervisor", area="320104") == ["clock_tier"]


async def test_who_works_in_a_part_of_a_warning_is_told(own_town: OwnTown, told: Told, keys: Keys) -> None:
    """Of a warning of the district; of no other procedure, and nobody of an area outside."""
    moved = Notice(to="role:grid_worker", template="verification_due")
    await write(own_town.pool, "warning-1", moved, area="320104", procedure="warning")
    await write(own_town.pool, "incident-1", moved, area="320104")
    await told().take_ready()
    async with api_of(own_town.build()) as client:
        make = callers(client, keys)

        async def cases(area: str) -> list[str]:
            page = (await make("grid_worker", area=area).get("/api/v1/notices")).json()
            return [item["case_id"] for item in page["items"]]

        assert await cases("320104.003.01") == ["warning-1"]
        assert await cases("320105") == []
        assert await cases("32010") == []
        assert sorted(await cases("320104")) == ["incident-1", "warning-1"]


async def test_a_young_notice_waits_for_its_task(own_town: OwnTown, told: Told) -> None:
    """A workflow task may still be lost: its notice waits, until it is old enough or a later task has built on it."""
    first = await write(own_town.pool, "incident-1", dispatched())
    young = told(delay=timedelta(hours=1))

    assert await young.take_ready() == 0
    await write(own_town.pool, "incident-1", seq=2, prev=first.hash, task=1)
    assert await young.take_ready() == 1


async def test_what_a_lost_task_wrote_is_told_to_nobody(own_town: OwnTown, told: Told) -> None:
    """The case tells the entry anew, and differently: only what it says now is told, also where the first waited already."""
    one = Channel()
    one.fails = True
    notices = told(policy(department=("one",)), one=one)
    await write(own_town.pool, "incident-1", dispatched(1), task=0)
    await notices.take_ready()
    await notices.send_next("one")
    await write(own_town.pool, "incident-1", dispatched(2), task=1, kind="tests:anew")
    one.fails = False
    while await notices.take_ready() or await notices.send_next("one"):
        pass

    assert len(one.got) == 1
    assert "第2次派单" in one.got[0]


async def test_what_is_told_anew_in_the_same_words_is_told_once(own_town: OwnTown, told: Told) -> None:
    """A notice that a channel confirmed is not sent again when its workflow task is run again."""
    one, two = Channel(), Channel()
    two.fails = True
    notices = told(policy(department=("one", "two")), one=one, two=two)
    await write(own_town.pool, "incident-1", dispatched(), task=0)
    await notices.take_ready()
    await notices.send_next("one")
    await notices.send_next("two")
    await write(own_town.pool, "incident-1", dispatched(), task=1, kind="tests:anew")
    two.fails = False
    await notices.take_ready()
    await eventually(lambda: _sent(notices, two))
    await notices.send_next("one")

    assert (len(one.got), len(two.got)) == (1, 1)
    assert await own_town.pool.fetchval("select count(*) from outbox") == 1


async def _sent(notices: Notices, channel: Channel) -> bool:
    await notices.send_next("two")
    return len(channel.got) > 0


async def test_a_failing_channel_does_not_hold_up_the_others(own_town: OwnTown, told: Told) -> None:
    """While one fails, the other and the screens get everything, in order; when it is well again it gets all, in order."""
    one, two = Channel(), Channel()
    one.fails = True
    notices = told(policy(department=("one", "two", SHOWN)), one=one, two=two)
    for number in range(1, 4):
        await write(own_town.pool, f"incident-{number}", dispatched(number))
    running = asyncio.create_task(notices.run())
    try:
        await eventually(lambda: len(two.got) == 3 and one.tried > 1)
        assert one.got == []
        one.fails = False
        await eventually(lambda: len(one.got) == 3)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    assert one.got == two.got
    assert [text[: text.index("已")] for text in one.got] == [f"事件incident-{number}" for number in range(1, 4)]


async def test_a_channel_that_never_answers_is_given_up(own_town: OwnTown, told: Told) -> None:
    """After the last attempt a notice is given up, visibly, and the next one has its turn."""
    one = Channel()
    one.fails = True
    rules = policy(department=("one",))
    rules = rules.model_copy(update={"patience": rules.patience.model_copy(update={"attempts_at_most": 2})})
    notices = told(rules, one=one)
    await write(own_town.pool, "incident-1", dispatched(1))
    await notices.take_ready()
    await eventually(lambda: _given_up(notices, own_town.pool))

    assert one.tried == 2


async def _given_up(notices: Notices, pool: asyncpg.Pool) -> bool:
    await notices.send_next("one")
    return await statuses(pool) == {"one": "given_up"}


async def test_the_attempt_is_recorded_before_it_is_made(own_town: OwnTown, told: Told) -> None:
    """A process that dies while it sends leaves its attempt behind, and nobody else sends the same meanwhile."""
    started, seen = asyncio.Event(), []

    async def hangs(text: str) -> bool:
        seen.append(text)
        started.set()
        await asyncio.Event().wait()
        return True

    notices = Notices(own_town.pool, policy(department=("one",)), DEPARTMENTS, {"one": hangs}, OLD)
    await write(own_town.pool, "incident-1", dispatched())
    await notices.take_ready()
    dying = asyncio.create_task(notices.send_next("one"))
    await started.wait()
    other = Channel()
    assert await told(policy(department=("one",)), one=other).send_next("one") == 0
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    row = await own_town.pool.fetchrow(
        "select attempts, status, next_at - attempted_at as lease from notice_deliveries"
    )

    assert row is not None
    assert (row["attempts"], row["status"], other.got) == (1, "waiting", [])
    assert row["lease"] > LEASE / 2
    await own_town.pool.execute("update notice_deliveries set next_at = now()")
    assert await told(policy(department=("one",)), one=other).send_next("one") == 1


@given(st.text() | st.dictionaries(st.text(), st.text()) | st.floats() | st.lists(st.text()) | st.none())
def test_no_free_text_gets_into_a_notice(fact: Any) -> None:
    """Whatever a procedure puts into a fact, a notice holds numbers and codes only."""
    text = POLICY.text("urged", "incident-1", {"by": fact}, {})
    said = text.partition("催办")[0]
    given, words = fact if isinstance(fact, list) else [fact], {word.zh for word in POLICY.words.values()}

    assert all(each == "…" or (each.isascii() and each in given) or each in words for each in said.split("、"))


def test_every_template_that_a_procedure_sends_has_words() -> None:
    """Read from the procedures themselves: each `notify(…, "template")` is in policies/notices.yaml, with its facts."""
    used = templates_used(PROCEDURE_LIST)

    assert {"incident_reported", "order_dispatched", "clock_*", "incident_closed"} <= set(used)
    assert {"incident_withdrawn", "incident_rejected", "incident_unresolved"} <= set(used)
    assert {"summons_declined", "summons_scored", "summons_released"} <= set(used)
    assert load_notice_policy(POLICIES, PROCEDURE_LIST).templates.keys() >= {name for name in used if "*" not in name}
    assert {"clock_warning", "clock_breach", "clock_tier"} <= set(POLICY.templates)


def test_a_declared_clock_is_called_in_notices_as_it_is_declared() -> None:
    """A clock of a declared procedure has its words without the town's file; what that file says goes before.

    Two procedures may call another clock by one code: each has its own word.
    """
    alone = load_notice_policy(POLICIES)
    declared = {(each.name, clock): words.zh for each in PROCEDURE_LIST for clock, words in each.clock_words.items()}

    assert {
        (name, clock): (POLICY.words.get(word_of(name, clock)) or POLICY.words[clock]).zh for name, clock in declared
    } == {
        (name, clock): alone.words[clock].zh if clock in alone.words else zh for (name, clock), zh in declared.items()
    }
    assert "sign" not in alone.words
    assert (POLICY.words["rate"].zh, declared["incident", "rate"]) == ("回访评价", "评价")
    of_two = [
        POLICY.text("clock_breach", f"{name}-20261121-000001", {"clock": "sign"}, {})
        for name in ("incident", "mediation")
    ]
    assert ["签收" in of_two[0], "签署" in of_two[1]] == [True, True]


def changed(folder: Path, *changes: tuple[str, str]) -> list[str]:
    """The faults of the town's own file, changed here and there."""
    text = (POLICIES / "notices.yaml").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (folder / "notices.yaml").write_text(text, encoding="utf-8")
    shutil.copytree(POLICIES / "notices", folder / "notices")
    with pytest.raises(PolicyFaults) as refused:
        load_notice_policy(folder)
    return refused.value.faults


def test_a_procedure_has_its_templates_in_a_file_of_its_own(tmp_path: Path) -> None:
    """What stands in notices/NAME.yaml is a template like any other; what stands twice, or does not fit, is told there."""
    shutil.copytree(POLICIES / "notices", tmp_path / "notices")
    shutil.copy(POLICIES / "notices.yaml", tmp_path)
    own = tmp_path / "notices" / "carpentry.yaml"
    own.write_text("templates:\n  carpentry_held: {zh: '收到{case_id}', en: received}\n", encoding="utf-8")
    text = load_notice_policy(tmp_path).text("carpentry_held", "carpentry-1", {}, {})
    own.write_text("templates:\n  urged: {zh: '催', en: urged}\n  carpentry_held: {zh: '{', en: a}\n", encoding="utf-8")
    with pytest.raises(PolicyFaults) as refused:
        load_notice_policy(tmp_path)

    assert text == "收到carpentry-1 (received)"
    assert [fault.partition(": ")[0] for fault in refused.value.faults] == [f"{own}:2", f"{own}:3"]
    assert "stands in another file too" in refused.value.faults[0]


def test_all_faults_of_the_notices_are_told_at_once(tmp_path: Path) -> None:
    """A channel that there is not, residents on somebody's channel, a missing kind: each with line and remedy."""
    found = changed(
        tmp_path,
        ("reporter: [shown]", "reporter: [duty-group]"),
        ("  supervisor: [shown]\n", ""),
        ("zh: 回访评价, en: rating", "zh: '回访评价{', en: rating"),
    )

    assert len(found) == 4
    assert all(fault.startswith(f"{tmp_path}/notices.yaml:") and ";" in fault for fault in found)
    assert any("residents read their own" in fault for fault in found)


def test_a_template_without_words_or_with_a_fact_that_it_has_not_is_told(tmp_path: Path) -> None:
    """The town does not start with a notice that would say nothing."""
    found = changed(
        tmp_path, ("  order_void:", "  order_voided:"), ("第{order}次派单),请按时", "第{phone}次派单),请按时")
    )

    assert len(found) == 2
    assert "templates.order_void: the procedures send it" in found[1] + found[0]
    assert "{phone} is no fact of it" in found[0] + found[1]


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """A folder for the addresses of channels."""
    tmp_path.chmod(0o700)
    return tmp_path


def secret(folder: Path, text: str, mode: int = 0o600) -> None:
    """Write the address of the channel `one`."""
    file = folder / "one.url"
    file.write_text(text)
    file.chmod(mode)


@asynccontextmanager
async def webhook() -> AsyncIterator[tuple[int, list[dict[str, Any]]]]:
    """A web hook on this machine, and what it got."""
    got: list[dict[str, Any]] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length:")[2].split("\r\n")[0])
        got.append(json.loads(await reader.readexactly(length)))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], got


async def test_a_real_web_hook_gets_the_words(own_town: OwnTown, secrets: Path) -> None:
    """By apprise, from an address in a file that only its owner reads."""
    async with webhook() as (port, got):
        secret(secrets, f"json://127.0.0.1:{port}/secret-token?cto=30&rto=30\n")
        channels = read_channels({"one": "one.url"}, secrets)
        notices = Notices(own_town.pool, policy(department=("one",)), DEPARTMENTS, channels, OLD)
        await write(own_town.pool, "incident-1", dispatched())
        await notices.take_ready()
        assert await notices.send_next("one") == 1

    assert "事件incident-1已派给贵单位" in got[0]["message"]
    assert await statuses(own_town.pool) == {"one": "delivered"}


@pytest.mark.parametrize(("text", "mode"), [("json://127.0.0.1/secret-token", 0o644), ("nonsense secret-token", 0o600)])
def test_an_address_that_is_exposed_or_none_is_refused(secrets: Path, text: str, mode: int) -> None:
    """What others can read, or what is no address, is refused without being quoted."""
    secret(secrets, text, mode)
    with pytest.raises(KeyFault) as refused:
        read_channels({"one": "one.url"}, secrets)

    assert "secret-token" not in str(refused.value)


async def test_a_failure_does_not_log_the_address(secrets: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A web hook that does not answer is a failure, and its address, which is a secret, stays out of the log."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        secret(secrets, f"json://127.0.0.1:{closed.getsockname()[1]}/secret-token")
        assert await read_channels({"one": "one.url"}, secrets)["one"]("text") is False

    assert "secret-token" not in caplog.text


async def test_the_town_shows_what_became_of_its_notices(as_: As, pool: asyncpg.Pool, settings: Settings) -> None:
    """`jiceng notices show CASE` prints to whom, by which channel, and the words, from a town that runs."""
    case_id = (await as_(subject="resident-shown").report()).json()["case_id"]
    notices = Notices(pool, POLICY, DEPARTMENTS, {}, OLD)
    arguments = ["show", case_id, "--data", str(settings.data)]

    async def shown() -> bool:
        await take_all(notices)
        return len(await latest_notices(pool, case_id=case_id)) > 1

    await eventually(shown)
    table = await asyncio.to_thread(CliRunner().invoke, notices_app, arguments)
    plain = await asyncio.to_thread(CliRunner().invoke, notices_app, [*arguments, "--json"])

    assert (table.exit_code, plain.exit_code) == (0, 0), table.output
    assert "department:urban-management" in table.output
    assert {"incident_reported", "order_dispatched"} <= {each["template"] for each in json.loads(plain.output)}
    assert {each["status"] for each in json.loads(plain.output)} == {"delivered"}
