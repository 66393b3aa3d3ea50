"""Intake and relay: what was accepted is delivered exactly once, in order, whatever is away."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
import httpx
import pytest
from pydantic import SecretStr
from temporalio.client import Client

from engine.keys.keys import Keys
from schemas.incident import INCIDENT
from schemas.values.actor import Role
from starter.app import create_app
from starter.cases.announcements import INTAKE, Announcements
from starter.cases.case_states import CaseStates
from starter.http.counts import Counts
from starter.intake.delivery import Delivery
from starter.intake.postbox import Postbox, Status, Submission
from starter.intake.relay import Relay
from tests.api_callers import OwnTown, api_of, callers, watching
from tests.waiting import eventually
from worker import town_worker

pytest_plugins = ("tests.api_fixture",)

OFFICER = {"role": Role.DEPARTMENT_OFFICER, "department": "urban-management"}
NEVER = 60.0
REASON = {"reason": "不属于本部门职责", "legal_basis": "条例第三条"}


class Switch:
    """Temporal as a caller meets it: there or away."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.there = False

    async def __call__(self) -> Client:
        """Connect."""
        if not self.there:
            raise RuntimeError("connection refused")
        return self._client


@pytest.fixture
def switch(temporal: Client) -> Switch:
    """A way to Temporal that is cut until somebody mends it."""
    return Switch(temporal)


@asynccontextmanager
async def working(town: OwnTown, keys: Keys, temporal: Client) -> AsyncIterator[None]:
    """A worker of this town, for as long as the block runs."""
    async with town_worker(town.settings, keys, temporal, town.pool) as worker, worker:
        yield


async def follow(caller: Callable[[str], Awaitable[httpx.Response]], answer: httpx.Response, status: str) -> None:
    """Follow a 202 by its status link until it says so."""
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == answer.json()["status_url"]

    async def has_come() -> bool:
        return bool((await caller(answer.json()["status_url"])).json()["status"] == status)

    await eventually(has_come, within=60)  # an attempt without an answer is given up after seven seconds


async def test_while_temporal_is_away_a_report_is_accepted_and_later_delivered_once(
    own_town: OwnTown, switch: Switch, keys: Keys, temporal: Client
) -> None:
    """Without Temporal the answer is 202 with a status link; when it is back, the relay starts the case, once."""
    async with api_of(own_town.build(connect_temporal=switch)) as http, working(own_town, keys, temporal):
        resident = callers(http, keys)()
        answer = await resident.report(key="once")
        again = await resident.report(key="once")
        assert again.json()["case_id"] == answer.json()["case_id"]
        assert [each.json()["repeated"] for each in (answer, again)] == [False, True]
        assert (await http.get("/healthz")).status_code == 200

        async def temporal_is_missed() -> bool:  # a busy machine may not find the database in time either
            ready = await http.get("/readyz", headers=watching(own_town.settings))
            assert ready.status_code == 503
            return bool(ready.json()["missing"] == ["temporal"])

        await eventually(temporal_is_missed)

        switch.there = True
        await follow(resident.get, answer, "delivered")
        case = await resident.get(answer.json()["case_url"], wait="stage:dispatched")

    assert case.json()["stage"] == "dispatched"
    assert await own_town.pool.fetchval("select count(*) from intake") == 1
    assert await own_town.pool.fetchval("select count(*) from ledger where kind = 'incident:reported'") == 1


async def test_while_workers_are_away_reports_and_commands_wait_in_order(
    own_town: OwnTown, keys: Keys, temporal: Client
) -> None:
    """Without a worker a report and the commands on it are accepted; when one comes, all are done, in order."""
    async with api_of(own_town.build()) as http:
        as_ = callers(http, keys)
        reported = await as_().report()
        case = reported.json()["case_id"]
        answers = [
            reported,
            await as_("coordinator").command(case, "redispatch", {"department": "transport", "reason": "道路"}),
            await as_(Role.DEPARTMENT_OFFICER, department="transport").command(case, "sign"),
        ]
        assert [answer.status_code for answer in answers] == [202, 202, 404]
        urged = await as_().command(case, "urge")
        assert urged.status_code == 202

        async with working(own_town, keys, temporal):
            await follow(as_().get, urged, "delivered")

    kinds = [
        row["kind"]
        for row in await own_town.pool.fetch("select kind from ledger where case_id = $1 order by seq", case)
    ]
    told = [kind for kind in kinds if kind in {"incident:dispatched", "incident:redispatched", "incident:urged"}]
    assert told == ["incident:dispatched", "incident:redispatched", "incident:urged"]


async def test_a_command_outlives_the_time_without_a_worker(own_town: OwnTown, keys: Keys, temporal: Client) -> None:
    """A command that reaches Temporal while no worker is up is answered with 202, and done once when one comes."""
    async with api_of(own_town.build()) as http:
        as_ = callers(http, keys)
        async with working(own_town, keys, temporal):
            case = (await as_().report()).json()["case_id"]
        urged = await as_().command(case, "urge", key="urge")
        again = await as_().command(case, "urge", key="urge")
        assert (again.status_code, again.json()["submission"]) == (202, urged.json()["submission"])
        async with working(own_town, keys, temporal):
            await follow(as_().get, urged, "delivered")
            final = await as_().command(case, "urge", key="urge")

    assert final.status_code == 200
    assert await own_town.pool.fetchval("select count(*) from ledger where kind = 'incident:urged'") == 1


async def test_what_a_killed_api_left_another_one_delivers(
    own_town: OwnTown, switch: Switch, keys: Keys, temporal: Client
) -> None:
    """An API that ends with things undelivered leaves them whole: the next one delivers them without being asked."""
    async with api_of(own_town.build(connect_temporal=switch)) as http:
        answers = [await callers(http, keys)().report() for _ in range(3)]
    assert {answer.status_code for answer in answers} == {202}

    async with working(own_town, keys, temporal), api_of(own_town.build()) as http:
        for answer in answers:
            await follow(callers(http, keys)().get, answer, "delivered")
            await callers(http, keys)().get(answer.json()["case_url"], wait="stage:dispatched")

    assert await own_town.pool.fetchval("select count(distinct case_id) from ledger") == 3


async def test_a_process_that_dies_while_delivering_loses_its_lease(own_town: OwnTown) -> None:
    """A lease keeps others away while it runs and nobody after it; the late attempt of the dead one settles nothing."""
    await _accepted(own_town, 1)
    postbox = Postbox(own_town.pool)
    [first] = await postbox.claim(5)
    assert await postbox.claim(5) == []

    await own_town.pool.execute("update intake set leased_until = clock_timestamp()")
    [second] = await postbox.claim(5)
    await postbox.delivered(first, None)
    assert await own_town.pool.fetchval("select status from intake") == "waiting"

    await postbox.delivered(second, None)
    assert await own_town.pool.fetchval("select status from intake") == "delivered"


async def test_who_waits_in_the_process_that_delivers_is_told_at_once(
    own_town: OwnTown, keys: Keys, switch: Switch
) -> None:
    """A delivery that succeeds at a later attempt wakes who waits for it beside: here nobody would ever look again."""
    async with api_of(own_town.build(connect_temporal=switch)) as http:
        assert (await callers(http, keys)().report()).status_code == 202
    await own_town.pool.execute("update intake set leased_until = clock_timestamp()")
    states = CaseStates({INCIDENT.name: INCIDENT})
    announcements = Announcements(own_town.settings, states, look_again_seconds=NEVER)
    postbox = Postbox(own_town.pool)
    delivery = Delivery(switch, own_town.settings.task_queue, {INCIDENT.name: INCIDENT}, postbox)
    relay = Relay(postbox, delivery, Counts(), states, announcements)
    [waiting] = await postbox.claim(1)
    looked = asyncio.Event()

    async def settled() -> Submission | None:
        found = await postbox.find(waiting.submission)
        looked.set()
        return found if found and found.status is not Status.WAITING else None

    async with asyncio.timeout(NEVER / 2), asyncio.TaskGroup() as tasks:
        told = tasks.create_task(announcements.until(INTAKE, waiting.submission, settled, NEVER))
        await looked.wait()
        switch.there = True
        relay.take(waiting)
    await relay.stop()

    assert (ended := told.result()) is not None
    assert ended.status is Status.DELIVERED


async def test_only_the_first_of_a_case_is_ever_claimed(own_town: OwnTown) -> None:
    """However many look at once, each case's earliest is claimed by exactly one, and its later ones by nobody."""
    await _accepted(own_town, 4)
    await own_town.pool.execute(_THREE_COMMANDS_EACH)
    postbox = Postbox(own_town.pool)

    claimed = [each for part in await asyncio.gather(*(postbox.claim(3) for _ in range(8))) for each in part]

    assert sorted(each.kind for each in claimed) == ["start"] * 4
    assert len({each.case_id for each in claimed}) == 4
    await postbox.delivered(claimed[0], None)
    [following] = await postbox.claim(9)
    assert (following.case_id, following.command) == (claimed[0].case_id, "urge1")


async def test_what_ended_a_case_is_told_as_done_also_when_its_answer_was_lost(
    own_town: OwnTown, keys: Keys, temporal: Client
) -> None:
    """A command took effect and its case has ended, but whoever delivered it died before it was settled: it was no refusal."""
    async with working(own_town, keys, temporal), api_of(own_town.build()) as http:
        resident, auditor = callers(http, keys)(), callers(http, keys)("auditor")
        case = (await resident.report()).json()["case_id"]
        done = await resident.command(case, "withdraw", {"reason": "自行清理了"}, key="once")
        assert done.status_code == 200, done.text
        await temporal.get_workflow_handle(case).result()

        await own_town.pool.execute(_ANSWER_LOST)

        async def settled_again() -> bool:
            row = await own_town.pool.fetchrow("select status, attempts from intake where command = 'withdraw'")
            return row is not None and row["status"] != "waiting" and row["attempts"] > 1

        await eventually(settled_again)
        again = await resident.command(case, "withdraw", {"reason": "自行清理了"}, key="once")
        kinds = [each["kind"] for each in (await auditor.get(f"/api/v1/cases/{case}/timeline")).json()["items"]]

    assert (again.status_code, again.json()["accepted"]) == (200, done.json()["accepted"])
    assert kinds.count("incident:withdrawn") == 1


async def test_two_apis_deliver_each_report_once_and_in_order(own_town: OwnTown, keys: Keys, temporal: Client) -> None:
    """Two API processes over one database share the work: nothing is lost, doubled or overtaken."""
    async with (
        working(own_town, keys, temporal),
        api_of(own_town.build()) as one,
        api_of(own_town.build()) as other,
    ):
        doors = [callers(one, keys), callers(other, keys)]
        cases = [
            answer.json()["case_id"]
            for answer in await asyncio.gather(*(doors[i % 2]().report(key=f"report-{i // 2}") for i in range(16)))
        ]
        assert len(set(cases)) == 8
        answers = await asyncio.gather(
            *(doors[i % 2]().command(case, "urge", key=f"urge-{i // 2}") for case in set(cases) for i in range(6))
        )
        for answer in answers:
            if answer.status_code == 202:
                await follow(doors[0]().get, answer, "delivered")

    pool = own_town.pool
    # By their place in a case: a task that a busy machine loses is told anew, and stands beside the chain.
    told = "select count(distinct (case_id, seq)) from ledger where kind = $1"
    assert await pool.fetchval(told, "incident:reported") == 8
    assert await pool.fetchval(told, "incident:urged") == 24
    assert await pool.fetchval(_OVERTAKEN) == 0


async def test_while_postgres_is_away_nothing_is_half_done(own_town: OwnTown, keys: Keys) -> None:
    """Without the database the answer is 503 with Retry-After, and the same key works afterwards."""
    nowhere = own_town.settings.model_copy(update={"database_url": SecretStr("postgresql://jiceng@127.0.0.1:1/jiceng")})
    pool = asyncpg.create_pool(nowhere.database_url.get_secret_value(), min_size=0, timeout=1)
    async with pool, api_of(own_town.build(connections=pool, over=nowhere)) as http:
        resident = callers(http, keys)()
        answers = [
            await resident.report(key="when-back"),
            await resident.get("/api/v1/cases"),
            await resident.get("/api/v1/cases/incident-20261121-000001"),
            await resident.command("incident-20261121-000001", "urge"),
            await resident.get("/api/v1/submissions/x"),
        ]
        assert (await http.get("/healthz")).status_code == 200
        assert "database" in (await http.get("/readyz", headers=watching(own_town.settings))).json()["missing"]
        assert (await http.get("/metrics", headers=watching(own_town.settings))).status_code == 200
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (503, "database-away")
        assert int(answer.headers["retry-after"]) > 0

    async with api_of(own_town.build()) as http:
        assert (await callers(http, keys)().report(key="when-back")).status_code == 202


async def test_a_database_that_dies_in_the_middle_leaves_nothing(own_town: OwnTown, keys: Keys) -> None:
    """When the connection breaks after texts were kept, no text and no row remains, and the caller gets 503."""
    # The row is completed last: a lock there holds the transaction until its connection is ended.
    await own_town.pool.execute(_HELD_AT_THE_END)
    async with api_of(own_town.build()) as http, own_town.pool.acquire() as blocker, blocker.transaction():
        await blocker.execute("select pg_advisory_xact_lock(1)")
        asking = asyncio.create_task(callers(http, keys)().report(key="broken"))
        await eventually(lambda: _end_whoever_waits(own_town.pool))
        answer = await asking

    assert (answer.status_code, answer.json()["code"]) == (503, "database-away")
    for table in ("intake", "persons", "vault_items"):
        assert await own_town.pool.fetchval(f"select count(*) from {table}") == 0, table  # noqa: S608 - our own names


async def test_a_repeat_keeps_no_text_twice(own_town: OwnTown, keys: Keys, temporal: Client) -> None:
    """Texts go into the vault once, however often a report or a command is sent again."""
    patient = own_town.settings.model_copy(update={"delivery_patience_seconds": 30.0})
    async with working(own_town, keys, temporal), api_of(own_town.build(over=patient)) as http:
        as_ = callers(http, keys)
        case = (await as_().report(key="a")).json()["case_id"]
        officer = as_(**OFFICER)
        before = await own_town.pool.fetchval("select count(*) from vault_items")
        first = await officer.command(case, "return_order", REASON, key="b")
        again = await officer.command(case, "return_order", REASON, key="b")
        await as_().report(key="a")

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json()["accepted"] == first.json()["accepted"]
    assert await own_town.pool.fetchval("select count(*) from vault_items") == before + 2


async def test_a_dead_background_task_is_told(own_town: OwnTown, keys: Keys, switch: Switch) -> None:
    """An API whose relay dies of our own fault says so to whoever runs the process, instead of accepting in vain."""
    told: list[BaseException] = []
    await own_town.pool.execute("alter table intake rename column attempts to tries")
    app = create_app(own_town.settings, keys, own_town.pool, switch, town_time=own_town.town_time, on_fatal=told.append)
    async with app.router.lifespan_context(app):
        await eventually(lambda: bool(told))

    assert isinstance(told[0], asyncpg.UndefinedColumnError)


async def _accepted(town: OwnTown, count: int) -> None:
    """Rows as the API makes them, that nobody delivers."""
    await town.pool.execute(
        """insert into intake (submission, kind, command, procedure, case_id, subject, scope, key, body_digest, payload)
           select 's' || n, 'start', 'report', 'incident', 'incident-1-' || n, 'r', 'incident', n::text::bytea, '', '{}'
           from generate_series(1, $1::integer) as n""",
        count,
    )


_THREE_COMMANDS_EACH = """
    insert into intake (submission, kind, command, procedure, case_id, subject, scope, key, body_digest, payload)
    select case_id || n, 'command', 'urge' || n, 'incident', case_id, 'r', case_id, n::text::bytea, '', '{}'
    from generate_series(1, 3) as n, intake where kind = 'start' order by n
"""
_ANSWER_LOST = """
    update intake set status = 'waiting', answer = null, settled_at = null, leased_until = clock_timestamp()
    where command = 'withdraw'
"""
_OVERTAKEN = """
    select count(*) from intake as earlier join intake as later using (case_id)
    where earlier.intake_id < later.intake_id and earlier.settled_at > later.settled_at
"""
_HELD_AT_THE_END = """
    create function wait_for_the_test() returns trigger language plpgsql as
        $$ begin perform pg_advisory_xact_lock(1); return new; end $$;
    create trigger held before update on intake for each row execute function wait_for_the_test();
"""
_WAITING = """
    select pg_terminate_backend(pid) from pg_stat_activity
    where wait_event_type = 'Lock' and query like 'update intake%' and pid <> pg_backend_pid()
"""


async def _end_whoever_waits(pool: asyncpg.Pool) -> bool:
    return bool(await pool.fetch(_WAITING))
