"""Webhooks: whoever subscribes is told what happens, at least once, in order, under one id; and nothing of anybody."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import yaml
from typer.testing import CliRunner

from activities.ledger import Ledger
from cli import app
from engine.keys.counterpart_keys import Counterpart, load_counterpart_keys, new_counterpart_key
from engine.outside.webhooks import Webhooks
from engine.policies.policies import PolicyFaults
from engine.policies.webhook_policy import load_webhooks
from engine.runtime.guarded_http import outward_client
from engine.runtime.settings import PROJECT, Settings
from engine.store.webhook_books import SQL, NothingToSend, latest_events, resume, send_again, standings
from schemas.audit.ledger import Batch, Projection
from schemas.contracts.webhook import Event, Happened, WebhookPolicy, WebhookRegister, event_of
from schemas.incident import INCIDENT
from schemas.kernel.case import ENGINE, GENESIS, Entry
from schemas.values.actor import Role
from schemas.words.titles import title_of, words_for_residents
from tests.api_callers import REPORT, As, OwnTown, api_of, watching
from tests.canaries import Canaries
from tests.waiting import eventually
from tests.webhook_receiver import CODE, HANGS, MOVED, Receiver, notices_process, receiver_in
from workflows.registry import PROCEDURES

pytest_plugins = ("tests.api_fixture",)

NAMED = {case.procedure.name: case.procedure for case in PROCEDURES}
NAME = {"zh": "县平台", "en": "County"}
WAITING = """
insert into webhook_deliveries (subscription, event_id, case_id, seq, kind, body, next_at)
select $1, 'evt_' || number || '_' || seq, 'incident-20260302-' || lpad(number::text, 6, '0'), seq, 'incident:signed', '{}',
       clock_timestamp() + case when seq = 1 then interval '1 hour' else interval '0' end
from generate_series(1, $2::integer) as number, generate_series(1, $3::integer) as seq
"""
"""So many cases ($2) of so many events ($3), of which each first one was not taken and is to be sent later."""

OLD = timedelta(seconds=-1)
"""A delay that every entry has behind it."""

AREA = "320104.003.07.01"
WAITS_FOR_A_LOCK = (
    "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')"
)


def told_of(happened: Happened) -> Event:
    """What is told of an entry of an incident."""
    words = words_for_residents(happened.stage, INCIDENT)
    return event_of(happened, title_of(INCIDENT, happened.kind), words, "https://town.example")


def policy(url: str, **other: Any) -> WebhookPolicy:
    """A subscription with hardly any pause."""
    usual = {"first_pause_seconds": 0.001, "longest_pause_seconds": 0.001, "timeout_seconds": 0.3, "private": True}
    return WebhookPolicy(**{"code": CODE, "name": NAME, "url": url, "procedures": ["incident"]} | usual | other)


async def write(
    pool: asyncpg.Pool,
    case_id: str,
    seq: int = 1,
    *,
    kind: str = "incident:dispatched",
    after: Entry | None = None,
    task: int = 0,
) -> Entry:
    """What the flush of a case writes: one entry, with its row."""
    entry = Entry(
        case_id=case_id, seq=seq, at=datetime(2026, 3, 2, 1, task, tzinfo=UTC), actor=ENGINE, kind=kind,
        facts={"department": "urban-management"}, prev_hash=after.hash if after else GENESIS,
    ).sealed()  # fmt: skip
    projection = Projection(
        case_id=case_id, procedure="incident", stage="dispatched", area=AREA, department="urban-management",
        holder="department:urban-management", labels={"category": "环境卫生"}, opened_at=entry.at, closed_at=None, ended=False,
        due_at=None, due_clock=None, seq=seq, head_hash=entry.hash, clocks=[], snapshot={"orders": []},
    )  # fmt: skip
    at = entry.at + timedelta(seconds=seq)
    await Ledger(pool).write(Batch(row=projection.model_dump_json(), run_id="tests", task_at=at, entries=(entry,)))
    return entry


@pytest.fixture
async def receiver(own_town: OwnTown, tmp_path: Path) -> AsyncIterator[Receiver]:
    """A receiver with a key of its own."""
    (tmp_path / "keys").mkdir(mode=0o700)
    async with receiver_in(tmp_path / "keys") as opened:
        yield opened


Tells = Callable[..., Webhooks]


@pytest.fixture
async def tells(own_town: OwnTown, receiver: Receiver) -> AsyncIterator[Tells]:
    """Make who tells the receiver what happens in tables of the test's own; the subscription has begun."""
    async with outward_client() as client:

        def make(*webhooks: WebhookPolicy, delay: timedelta = OLD) -> Webhooks:
            register = WebhookRegister(webhooks=webhooks or (policy(receiver.url),))
            keys = load_counterpart_keys(receiver.key.parents[1], [CODE], Counterpart.WEBHOOK)
            return Webhooks(own_town.pool, register, keys, client, NAMED, source="https://town.example", delay=delay)

        await make().subscribe()
        yield make


async def outcomes(pool: asyncpg.Pool) -> list[tuple[str, int, str | None]]:
    """Status, attempts and the last outcome of every event, in the order in which they happened."""
    found = await latest_events(pool, CODE)
    return [(each.status, each.attempts, each.outcome) for each in reversed(found)]


async def test_an_event_is_believed_by_a_library_of_others(own_town: OwnTown, tells: Tells, receiver: Receiver) -> None:
    """Signed by Standard Webhooks, in the structured form of CloudEvents, with what happened and how the case stands."""
    await write(own_town.pool, "incident-20260302-000001")
    webhooks = tells()
    assert (await webhooks.take_entries(), await webhooks.send_due(CODE)) == (1, 1)
    [got] = receiver.got
    event = got.event

    assert got.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert event.pop("id") == got.headers["webhook-id"]
    assert "." not in got.headers["webhook-id"]
    assert event == {
        "specversion": "1.0", "source": "https://town.example", "type": "jiceng.incident.dispatched",
        "subject": "incident-20260302-000001", "time": "2026-03-02T09:00:00+08:00", "datacontenttype": "application/json",
        "sequence": "0000000001",
        "data": {
            "case_id": "incident-20260302-000001", "procedure": "incident", "seq": 1, "kind": "incident:dispatched",
            "title": "派单",
            "case": {
                "seq": 1, "stage": "dispatched", "stage_zh": INCIDENT.stage_words["dispatched"].zh,
                "stage_en": INCIDENT.stage_words["dispatched"].en, "area": "320104.003.07", "department": "urban-management",
                "labels": {"category": "环境卫生"}, "opened_at": "2026-03-02T09:00:00+08:00", "closed_at": None,
            },
        },
    }  # fmt: skip
    assert await outcomes(own_town.pool) == [("delivered", 1, "http-204")]


async def test_what_is_not_taken_comes_again_under_its_id(own_town: OwnTown, tells: Tells, receiver: Receiver) -> None:
    """Failing, hanging, redirecting: the same bytes come again, a redirect is not followed, and no answer of others is trusted."""
    await write(own_town.pool, "incident-20260302-000001")
    webhooks = tells()
    await webhooks.take_entries()
    receiver.planned = [503, HANGS, 302, 400]
    told = []
    for _ in range(5):
        await own_town.pool.execute("update webhook_deliveries set next_at = clock_timestamp()")
        await webhooks.send_due(CODE)
        told += await outcomes(own_town.pool)

    assert told == [
        ("waiting", 1, "http-503"),
        ("waiting", 2, "timeout"),
        ("waiting", 3, "http-302"),
        ("waiting", 4, "http-400"),
        ("delivered", 5, "http-204"),
    ]
    assert len({(each.headers["webhook-id"], each.body) for each in receiver.got}) == 1
    assert MOVED not in {each.path for each in receiver.got}


async def test_of_one_case_what_happened_first_comes_first(own_town: OwnTown, tells: Tells, receiver: Receiver) -> None:
    """While an event of a case is not taken the later ones of that case wait; other cases go on."""
    first = await write(own_town.pool, "incident-20260302-000001")
    await write(own_town.pool, "incident-20260302-000001", 2, kind="incident:signed", after=first)
    await write(own_town.pool, "incident-20260302-000002")
    webhooks = tells(policy(receiver.url, concurrent_calls=1))
    await webhooks.take_entries()
    receiver.planned = [500]
    tried = 0
    while tried < 4:
        tried += await webhooks.send_due(CODE)
    one, other = "incident-20260302-000001", "incident-20260302-000002"

    assert [each for each in receiver.places if each[0] == one] == [(one, 1), (one, 1), (one, 2)]
    assert receiver.places.index((other, 1)) < receiver.places.index((one, 2))


async def test_two_processes_beside_each_other_keep_the_order(
    own_town: OwnTown, tells: Tells, receiver: Receiver
) -> None:
    """While one looks at the first entry of a case the other does not run ahead with the second."""
    case_id = "incident-20260302-000001"
    first = await write(own_town.pool, case_id)
    await write(own_town.pool, case_id, 2, kind="incident:signed", after=first)
    other = tells()
    async with own_town.pool.acquire() as connection, connection.transaction():
        await connection.fetch("select from webhook_entries where seq = 1 for update")  # as whoever looks at it does
        looking = asyncio.create_task(other.take_entries())

        async def has_looked() -> bool:
            return looking.done() or bool(await own_town.pool.fetchval(WAITS_FOR_A_LOCK))

        await eventually(has_looked)
        await other.send_due(CODE)
        ahead = list(receiver.places)
    await looking
    while await other.send_due(CODE):
        pass

    assert (ahead, receiver.places) == ([], [(case_id, 1), (case_id, 2)])


async def test_what_waits_behind_another_costs_nothing(own_town: OwnTown, tells: Tells) -> None:
    """A receiver that is away for days keeps no database busy: events that cannot be sent yet are not looked at."""
    await tells().subscribe()
    await own_town.pool.execute(WAITING, CODE, 50, 6)
    [(plan,)] = await own_town.pool.fetch(f"explain (analyze, format json) {SQL.claim}", CODE, 4, timedelta(seconds=7))
    looked_at = max(rows_of(plan[0]["Plan"]))

    assert looked_at <= 4


EVENT = """
insert into webhook_deliveries (subscription, event_id, case_id, seq, kind, body)
values ($1, 'evt_' || $2::integer, 'incident-20260302-000001', $2::integer, 'incident:signed', '{}')
"""


async def claimed(pool: asyncpg.Pool) -> list[int]:
    """The events of the case that are due now, by their number."""
    return [row["seq"] for row in await pool.fetch(SQL.claim, CODE, 4, timedelta(seconds=-1))]


@pytest.mark.parametrize("ends_first", [True, False], ids=["ends-first", "begins-first"])
async def test_no_event_is_left_behind_one_that_ends_meanwhile(
    own_town: OwnTown, tells: Tells, *, ends_first: bool
) -> None:
    """While one process settles an event another queues the next of its case: whoever is later sees what the other did."""
    await tells().subscribe()
    await own_town.pool.execute(EVENT, CODE, 1)
    [delivery_id] = [row["delivery_id"] for row in await own_town.pool.fetch(SQL.claim, CODE, 4, timedelta(seconds=-1))]
    ends, begins = (SQL.confirm, (delivery_id, "http-204")), (EVENT, (CODE, 2))
    (sooner, said), (later, told) = (ends, begins) if ends_first else (begins, ends)
    async with own_town.pool.acquire() as connection, connection.transaction():
        await connection.execute(sooner, *said)
        waiting = asyncio.create_task(own_town.pool.execute(later, *told))

        async def waits() -> bool:
            return waiting.done() or bool(await own_town.pool.fetchval(WAITS_FOR_A_LOCK))

        await eventually(waits)
    await waiting

    assert await claimed(own_town.pool) == [2]


async def test_an_event_that_is_sent_again_goes_before_those_behind_it(own_town: OwnTown, tells: Tells) -> None:
    """Given up, it lets the next one go; sent again, it is the first once more, and the next one waits for it."""
    await tells().subscribe()
    for number in (1, 2, 3):
        await own_town.pool.execute(EVENT, CODE, number)
    [first] = await own_town.pool.fetch(SQL.claim, CODE, 4, timedelta(seconds=-1))
    await own_town.pool.execute(SQL.postpone, first["delivery_id"], "http-503", timedelta(0), True)
    after, _ = await claimed(own_town.pool), await send_again(own_town.pool, CODE)

    assert (after, await claimed(own_town.pool)) == ([2], [1])


def rows_of(plan: dict[str, Any]) -> Iterator[int]:
    """How many rows each step of a plan has made."""
    yield int(plan["Actual Rows"] * plan["Actual Loops"])
    for each in plan.get("Plans", ()):
        yield from rows_of(each)


async def test_a_receiver_that_is_gone_ends_its_subscription(
    own_town: OwnTown, tells: Tells, receiver: Receiver
) -> None:
    """After a 410 nothing is sent and nothing kept for it, until an operator says that it goes on; then what was given up can."""
    await write(own_town.pool, "incident-20260302-000001")
    await write(own_town.pool, "incident-20260302-000002")
    webhooks = tells(policy(receiver.url, concurrent_calls=1))
    await webhooks.take_entries()
    receiver.planned = [410]
    await webhooks.send_due(CODE)
    await webhooks.subscribe()
    await write(own_town.pool, "incident-20260302-000003")
    with pytest.raises(NothingToSend):
        await send_again(own_town.pool, CODE)
    [ended] = await standings(own_town.pool)
    silent = (await webhooks.take_entries(), await webhooks.send_due(CODE))
    await resume(own_town.pool, CODE)
    assert await send_again(own_town.pool, CODE) == 2
    while await webhooks.send_due(CODE):
        pass

    assert (ended.ended_by, ended.waiting, ended.given_up) == ("receiver", 0, 2)
    assert silent == (0, 0)
    assert [each.answer for each in receiver.got] == [410, 204, 204]
    assert await outcomes(own_town.pool) == [("delivered", 1, "http-204")] * 2
    with pytest.raises(NothingToSend):
        await resume(own_town.pool, CODE)


async def test_what_is_given_up_is_seen_and_can_be_sent_again(
    own_town: OwnTown, tells: Tells, receiver: Receiver
) -> None:
    """After the days of the policy an event is given up: the metric counts it, the terminal lists it and sends it again."""
    await write(own_town.pool, "incident-20260302-000001")
    webhooks = tells(policy(receiver.url, give_up_after_days=1e-9))
    await webhooks.take_entries()
    receiver.planned = [500]
    await webhooks.send_due(CODE)
    shown = await _jiceng(own_town.settings, "webhooks", "show", CODE, "--status", "given_up", "--json")
    async with api_of(own_town.build()) as http:
        metrics = (await http.get("/metrics", headers=watching(own_town.settings))).text
    again = await _jiceng(own_town.settings, "webhooks", "again", CODE)
    await webhooks.send_due(CODE)

    assert [(each["status"], each["outcome"]) for each in json.loads(shown)] == [("given_up", "http-500")]
    assert f'jiceng_webhooks_given_up{{subscription="{CODE}"}} 1.0' in metrics
    assert "1 to be sent again" in again
    assert [each.headers["webhook-id"] for each in receiver.got] == [json.loads(shown)[0]["event_id"]] * 2
    assert CODE in await _jiceng(own_town.settings, "webhooks")


async def _jiceng(settings: Settings, *words: str) -> str:
    """What a command of the terminal says about these tables."""
    environment = {"JICENG_DATABASE_URL": settings.database_url.get_secret_value(), "JICENG_DATA": "/nowhere"}
    ended = await asyncio.to_thread(CliRunner().invoke, app(words[0]), list(words), env=environment)
    assert ended.exit_code == 0, ended.output
    return ended.stdout


async def test_an_entry_told_anew_is_the_same_event(own_town: OwnTown, tells: Tells, receiver: Receiver) -> None:
    """A lost workflow task and the one that ran again tell of one fact: whoever heard of the first is not told of the second."""
    lost = await write(own_town.pool, "incident-20260302-000001")
    webhooks = tells()
    await webhooks.take_entries()
    await webhooks.send_due(CODE)
    anew = await write(own_town.pool, "incident-20260302-000001", task=2)
    await webhooks.take_entries()

    assert lost.hash != anew.hash
    assert await webhooks.send_due(CODE) == 0
    assert len(receiver.got) == 1


async def test_what_is_in_doubt_waits_and_what_was_lost_is_not_told(
    own_town: OwnTown, tells: Tells, receiver: Receiver
) -> None:
    """Until the case has gone on or the delay is over an entry may be a lost task's; one that came to nothing is told to nobody."""
    await write(own_town.pool, "incident-20260302-000001", kind="incident:returned")
    doubting = tells(delay=timedelta(minutes=1))
    assert await doubting.take_entries() == 0
    first = await write(own_town.pool, "incident-20260302-000001", task=2)
    await write(own_town.pool, "incident-20260302-000001", 2, kind="incident:signed", after=first, task=3)
    assert await doubting.take_entries() == 1
    await tells().take_entries()
    while await doubting.send_due(CODE):
        pass

    assert [each.event["type"] for each in receiver.got] == ["jiceng.incident.dispatched", "jiceng.incident.signed"]


async def test_who_has_not_subscribed_is_told_nothing_and_nothing_is_kept(own_town: OwnTown, tells: Tells) -> None:
    """What was written before a subscription began, or after it left the policy, is no event of it."""
    await own_town.pool.execute("delete from webhook_subscriptions")
    await write(own_town.pool, "incident-20260302-000001")
    kept_before = await own_town.pool.fetchval("select count(*) from webhook_entries")
    webhooks = tells()
    await webhooks.subscribe()
    await write(own_town.pool, "incident-20260302-000002")
    await webhooks.take_entries()
    waited = await outcomes(own_town.pool)
    await tells(policy("http://127.0.0.1:9/", code="another")).subscribe()
    [_, left] = sorted(await standings(own_town.pool), key=lambda each: each.subscription != "another")

    assert (kept_before, waited) == (0, [("waiting", 0, None)])
    assert (left.ended_by, left.waiting, left.given_up) == ("policy", 0, 1)


async def test_a_private_address_is_called_only_where_policy_says_so(
    own_town: OwnTown, tells: Tells, receiver: Receiver
) -> None:
    """The town's own network is nobody's receiver by accident, whatever the name leads to."""
    await write(own_town.pool, "incident-20260302-000001")
    webhooks = tells(policy(receiver.url.replace("127.0.0.1", "localhost"), private=False))
    await webhooks.take_entries()
    await webhooks.send_due(CODE)

    assert await outcomes(own_town.pool) == [("waiting", 1, "connect-error")]
    assert receiver.got == []


async def test_while_a_key_is_changed_both_are_signed_with(own_town: OwnTown, tells: Tells, receiver: Receiver) -> None:
    """A receiver that has the old key and one that has the new believe the same attempt; no restart is needed."""
    webhooks = tells()
    new_counterpart_key(receiver.key.parents[1], CODE, Counterpart.WEBHOOK)
    await write(own_town.pool, "incident-20260302-000001")
    await webhooks.take_entries()
    await webhooks.send_due(CODE)
    [got] = receiver.got

    assert len(receiver.secrets()) == 2
    assert len(got.headers["webhook-signature"].split(" ")) == 2


async def test_killed_between_sending_and_noting_it_is_sent_once_more(
    own_town: OwnTown, receiver: Receiver, tells: Tells
) -> None:
    """The process dies while the receiver has the event: the next one sends it again, with the same id and the same bytes."""
    folder = receiver.key.parents[2] / "policies"
    shutil.copytree(PROJECT / "policies", folder)
    written = {"webhooks": [policy(receiver.url, timeout_seconds=20).model_dump(mode="json")]}
    (folder / "webhooks.yaml").write_text(yaml.safe_dump(written), encoding="utf-8")
    told = {"policies": folder, "keys": receiver.key.parents[1], "notice_delay_seconds": 0.01}
    receiver.planned = [HANGS]
    await write(own_town.pool, "incident-20260302-000001")
    async with notices_process(own_town.settings.model_copy(update=told)) as dying:
        await eventually(lambda: len(receiver.got) == 1)
        dying.kill()
        await dying.wait()
    left = await outcomes(own_town.pool)
    leased = await tells().send_due(CODE)
    await own_town.pool.execute("update webhook_deliveries set next_at = clock_timestamp()")
    await tells().send_due(CODE)

    assert (left, leased) == ([("waiting", 1, None)], 0)
    assert await outcomes(own_town.pool) == [("delivered", 2, "http-204")]
    assert len({(each.headers["webhook-id"], each.body) for each in receiver.got}) == 1
    assert len(receiver.got) == 2


async def test_a_case_of_the_town_is_told_without_what_people_said(
    as_: As, pool: asyncpg.Pool, settings: Settings, tmp_path: Path
) -> None:
    """Of a real case every entry is told, in order; no text, name, number or account of anybody is in it."""
    canaries = Canaries()
    body = canaries.plant(REPORT | {"location": REPORT["location"] | {"area": "777009.001.01"}})
    (tmp_path / "keys").mkdir(mode=0o700)
    async with receiver_in(tmp_path / "keys") as receiver, outward_client() as client:
        keys = load_counterpart_keys(tmp_path / "keys", [CODE], Counterpart.WEBHOOK)
        only = policy(receiver.url, areas=["777009"], procedures=list(NAMED))
        webhooks = Webhooks(
            pool, WebhookRegister(webhooks=(only,)), keys, client, NAMED, source="https://town.example", delay=OLD
        )
        await webhooks.subscribe()
        case_id = (await as_().report(body)).json()["case_id"]
        officer = as_(Role.DEPARTMENT_OFFICER, department="urban-management", subject="officer-canary-7")
        assert (await officer.command(case_id, "sign")).status_code == 200
        while await webhooks.take_entries() or await webhooks.send_due(CODE):
            pass
        nobody = Webhooks(pool, WebhookRegister(), keys, client, NAMED, source="https://town.example", delay=OLD)
        await nobody.subscribe()
        kinds = await pool.fetch("select kind from chain_of($1)", case_id)

    assert [each.event["data"]["kind"] for each in receiver.got] == [row["kind"] for row in kinds]
    assert len(receiver.got) >= 3
    assert all(each.event["data"]["case"]["area"] == "777009.001.01" for each in receiver.got)
    for each in receiver.got:
        assert canaries.found_in(each.body) == []
        assert b"officer-canary-7" not in each.body
        assert b"resident-1" not in each.body
        assert not any(form in each.body for form in (b"text:", b"person:", b"document:"))


@pytest.mark.parametrize(
    ("procedure", "kind", "area", "told"),
    [
        ("incident", "incident:closed", "320104.003.07", True),
        ("incident", "incident:closed", "320104.0031", False),  # its code begins alike, and it lies elsewhere
        ("incident", "incident:signed", "320104.003.07", False),
        ("welfare", "incident:closed", "320104.003.07", False),
        ("incident", "incident:closed", "unassigned", False),
    ],
)
def test_a_subscription_is_told_what_it_names(procedure: str, kind: str, area: str, told: bool) -> None:  # noqa: FBT001
    """Its procedures, its kinds, its areas and what lies in them; where it names no kinds or areas, all."""
    narrow = policy("https://county.example/", kinds=["incident:closed"], areas=["320104.003"])

    assert narrow.wants(procedure, kind, area) is told
    assert policy("https://county.example/").wants("incident", kind, area)


def test_pauses_double_until_the_longest_and_keep_what_was_asked() -> None:
    """A receiver that asks for a pause gets it, but none longer than ours."""
    patient = policy("https://county.example/", first_pause_seconds=5, longest_pause_seconds=60)

    assert [patient.pause(attempts).total_seconds() for attempts in (1, 2, 3, 9, 10_000)] == [5, 10, 20, 60, 60]
    assert patient.pause(1, timedelta(seconds=30)).total_seconds() == 30
    assert patient.pause(1, timedelta(days=1)).total_seconds() == 60


def test_nothing_finer_than_a_community_is_told() -> None:
    """An area is told as far as its community, whatever it is; an unknown one stays unknown."""
    happened = {
        "case_id": "incident-20260302-000001", "seq": 1, "kind": "incident:closed", "at": datetime(2026, 3, 2, tzinfo=UTC),
        "procedure": "incident", "stage": "closed", "department": None, "labels": {}, "closed_at": None, "case_seq": 1,
        "opened_at": datetime(2026, 3, 2, tzinfo=UTC),
    }  # fmt: skip
    told = [
        told_of(Happened(**happened, area=area)).data.case.area
        for area in ("320104.003.07.01", "320104.003", "unassigned")
    ]

    assert told == ["320104.003.07", "320104.003", "unassigned"]


def test_the_example_of_the_page_is_what_is_sent() -> None:
    """Whoever reads docs/webhooks.md sees an event as it comes."""
    page = (PROJECT / "docs" / "webhooks.md").read_text(encoding="utf-8")
    example = page.partition("<!-- example: event -->")[2].partition("```json\n")[2].partition("\n```")[0]
    noon = datetime(2026, 11, 23, 4, tzinfo=UTC)
    happened = Happened(
        case_id="incident-20261123-000017", seq=2, kind="incident:dispatched", at=noon, procedure="incident",
        stage="dispatched", area=AREA, department="urban-management", opened_at=noon, closed_at=None, case_seq=2,
        labels={"category": "环境卫生", "urgency": "ordinary", "channel": "app"},
    )  # fmt: skip

    assert example == told_of(happened).model_dump_json()


def test_all_faults_of_the_webhooks_are_told_at_once(tmp_path: Path) -> None:
    """Each with its line and what to do: a code twice, no such procedure or kind, an address that is none or private."""
    file = tmp_path / "webhooks.yaml"
    entry = "  - {{code: {}, name: {{zh: 甲, en: A}}, url: '{}', procedures: [{}], kinds: [{}]}}\n"
    file.write_text(
        "webhooks:\n"
        + entry.format("one", "https://a.example/", "incident", "'incident:closed'")
        + entry.format("one", "http://127.0.0.1/", "incident", "'clock:breach'")
        + entry.format("two", "ftp://a.example", "no-such", "'incident:closd'")
        + entry.format("three", "http://a.example/", "incident", ""),
        encoding="utf-8",
    )
    with pytest.raises(PolicyFaults) as told:
        load_webhooks(tmp_path, NAMED.values())

    assert [fault.removeprefix(f"{file}:").partition(": ")[0] for fault in told.value.faults] == [
        "3", "4", "4", "3", "4", "5",
    ]  # fmt: skip
    assert all("; " in fault for fault in told.value.faults)
    assert load_webhooks(tmp_path / "none").webhooks == ()
    assert load_webhooks(PROJECT / "policies", NAMED.values()).webhooks == ()


@pytest.mark.parametrize("wrong", [{"timeout_seconds": 31}, {"procedures": []}, {"areas": ["a b"]}, {"secret": "x"}])
def test_a_subscription_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    """No secret stands in a policy, nobody is waited for longer than half a minute, nobody is told of everything by accident."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        policy("https://county.example/", **wrong)
