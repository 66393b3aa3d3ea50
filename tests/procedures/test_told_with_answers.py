"""The ledger follows the history: what a command records goes out with its answer, and whoever delivers it writes it down."""

import asyncio
import uuid
from typing import Any

import asyncpg
import httpx
import pytest
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from engine.keys.keys import Keys
from engine.keys.stamps import StampSigner
from engine.runtime.settings import Settings
from schemas.incident import INCIDENT
from schemas.kernel.case import Message
from schemas.summons import SUMMONS
from starter.intake.postbox import NotWritten, Postbox
from tests.api_callers import BuildApp, OwnTown, api_of, callers
from tests.api_driver import ApiDriver, OpenDoor, Step
from tests.bench_api import submission_of
from tests.refused_flush import refuse_flushes, take_flushes
from tests.stranger import Stranger
from tests.told_town import (
    ACCEPTED,
    ASKED,
    COMPLETED,
    CONTINUED,
    FIRED,
    MARKER,
    SIGNALED,
    ToldTown,
    send,
    since,
    stamped,
    stands,
    task_of,
)
from tests.waiting import eventually
from worker import town_worker

pytest_plugins = ("tests.api_fixture", "tests.told_fixture")
pytestmark = [pytest.mark.usefixtures("worker"), pytest.mark.timeout(200)]

SIGN, URGE = Step("sign", "officer"), Step("urge", "reporter")
URGED = "incident:urged"
A_SECOND_AN_HOUR = 3600
ANSWER = "answer to a command"


@pytest.fixture
async def town(door: OpenDoor) -> ApiDriver:
    """A town at real speed."""
    return await door(INCIDENT)


async def follows(town: ApiDriver, case_id: str, step: Step, key: str) -> httpx.Response:
    """Give a command again under its key until there is an answer."""
    answers: list[httpx.Response] = []

    async def answered() -> bool:
        answers.append(await town.give(case_id, step, key))
        return answers[-1].status_code not in (202, 503)

    await eventually(answered, within=60)
    return answers[-1]


# ---- who writes -----------------------------------------------------------------------------------------------------


async def test_a_command_is_written_by_whoever_delivers_it(town: ApiDriver, told: ToldTown) -> None:
    """No flush of the case's own for any command of the main walk: each answer tells what it recorded, and that is written."""
    case_id = await stands(town, told)
    before = await told.counts(case_id)
    await town.go(case_id, town.examples.MAIN.steps)
    after = await told.counts(case_id)

    assert after[COMPLETED] == len(town.examples.MAIN.steps)
    assert before[MARKER] == after[MARKER]
    assert [bool(answer.told and answer.told.entries) for answer in await told.answers(case_id)] == [True] * after[
        COMPLETED
    ]
    assert await told.faults(case_id) == []


async def test_an_answer_says_what_changed_and_not_the_row(town: ApiDriver, told: ToldTown) -> None:
    """The history does not keep the row with each answer: after the first, only what changed since is told."""
    case_id = await stands(town, told)
    await town.go(case_id, town.examples.MAIN.steps)
    changes = [answer.told.row for answer in await told.answers(case_id) if answer.told]

    assert [change.whole for change in changes] == [""] * len(changes)
    assert all(change.columns["seq"] and "charter" not in change.snapshot for change in changes)


async def test_what_makes_somebody_outside_act_is_written_before_they_hear_of_it(
    town: ApiDriver, told: ToldTown
) -> None:
    """A command with an order: the case writes it in the workflow task whose end lets the order out, not whoever delivers."""
    case_id = await stands(town, told)
    orders = (await told.counts(case_id))[ASKED]
    await town.go(case_id, [SIGN, Step("redispatch", "coordinator")])
    await told.rests(case_id)
    after = since(await told.events(case_id), COMPLETED, 2)
    asked = next(event for event in after if event.event_type == ASKED)
    written = next(event for event in after if event.event_type == MARKER)

    assert (await told.counts(case_id))[ASKED] > orders
    assert task_of(written) <= task_of(asked)
    assert [answer.told is None for answer in await told.answers(case_id)] == [False, True]
    assert await told.faults(case_id) == []


async def test_commands_that_come_together_through_two_apis_are_each_written_once(
    town: ApiDriver, door: OpenDoor, told: ToldTown
) -> None:
    """Many at once, through two APIs: each is answered when it stands, in one chain, and nobody is told twice."""
    other = await door(INCIDENT, patience=29.0)
    case_id = await stands(town, told)
    urges = [each.give(case_id, URGE) for _ in range(5) for each in (town, other)]
    answers = await asyncio.gather(*urges)

    assert {answer.status_code for answer in answers} == {200}
    assert (await told.kinds(case_id)).count(URGED) == len(answers)
    assert await told.notices(case_id, "urged") == 1  # a department is told of the first of a day
    assert await told.faults(case_id) == []


async def test_a_clocks_entry_and_a_commands_in_one_task_go_out_together(
    door: OpenDoor, told: ToldTown, settings: Settings, keys: Keys, temporal: Client, pool: asyncpg.Pool
) -> None:
    """A timer and a command wait for the same worker: what the clock has to tell goes out before the command's, in its answer."""
    alone = settings.model_copy(update={"task_queue": "told-late"})
    town = await door(INCIDENT, speed=A_SECOND_AN_HOUR, task_queue=alone.task_queue)
    async with town_worker(alone, keys, temporal, pool) as worker, worker:
        case_id = await stands(town, told)
    fired = (await told.counts(case_id))[FIRED]

    async def one_more_fired() -> bool:
        return (await told.counts(case_id))[FIRED] > fired

    await eventually(one_more_fired)
    key = str(uuid.uuid4())
    assert (await town.give(case_id, SIGN, key)).status_code == 202
    async with town_worker(alone, keys, temporal, pool) as worker, worker:
        assert (await follows(town, case_id, SIGN, key)).status_code == 200
        [answer] = await told.answers(case_id)
        faults = await told.faults(case_id)
    assert answer.told is not None
    kinds = [(entry.kind.partition(":")[0], entry.own, entry.stamp is None) for entry in answer.told.entries]
    hashes = await pool.fetch(
        "select task_at from ledger where case_id = $1 and seq > $2", case_id, answer.told.after_seq
    )

    assert kinds[0] == ("clock", False, True)
    assert kinds[-1] == ("incident", True, True)
    assert len({row["task_at"] for row in hashes[: len(kinds)]}) == 1
    assert faults == []


async def test_several_commands_of_one_task_are_written_in_whatever_order_their_answers_come(
    door: OpenDoor, told: ToldTown, settings: Settings, keys: Keys, temporal: Client, pool: asyncpg.Pool
) -> None:
    """Three commands are taken up together: each answer tells all since the ledger; the last is written first, then the others."""
    alone = settings.model_copy(update={"task_queue": "told-together"})
    town = await door(INCIDENT, task_queue=alone.task_queue)
    async with town_worker(alone, keys, temporal, pool) as worker, worker:
        case_id = await stands(town, told)
    command, stamps = INCIDENT.commands["urge"](), [await stamped(told, keys, case_id, "urge") for _ in range(3)]
    sent = []
    for stamp in stamps:
        sent.append(asyncio.create_task(send(temporal, case_id, "urge", command, stamp)))
        await told.waits_at_temporal(case_id, stamp.command_id)
    async with town_worker(alone, keys, temporal, pool) as worker, worker:
        answers = await asyncio.gather(*sent)
        await told.rests(case_id)
    state = INCIDENT.state.model_validate(await pool.fetchval("select snapshot from cases where case_id = $1", case_id))
    written = [
        submission_of("command", "urge", state, {"command": {}, "stamp": stamp.model_dump(mode="json")})
        for stamp in stamps
    ]
    tells = {answer.told.task_at for answer in answers if answer.told is not None}
    for place in sorted(range(3), key=lambda place: -answers[place].seq):
        await Postbox(pool).delivered(written[place], answers[place])

    assert len(tells) == 1
    assert (await told.kinds(case_id)).count(URGED) == 3
    assert await told.notices(case_id, "urged") == 1
    assert await told.faults(case_id) == []


async def test_children_tell_with_their_answers_too(door: OpenDoor, told: ToldTown) -> None:
    """A case that another one starts goes by its parent's charter: what is done at its desk goes out with the answer."""
    town = await door(SUMMONS)
    case_id = await stands(town, told)
    state = await told.pool.fetchval("select snapshot from cases where case_id = $1", case_id)
    await town.go(case_id, [Step("comment", "officer"), *town.examples.MAIN.steps])
    with_answers = [answer.command for answer in await told.answers(case_id) if answer.told is not None]

    assert state["charter"]["tells_with_answers"]
    assert with_answers == ["comment"]  # what else is done there, the parent is told of
    assert await told.faults(case_id) == []


# ---- what could not be written at once ------------------------------------------------------------------------------


async def test_what_an_api_could_not_write_its_relay_writes_later(town: ApiDriver, told: ToldTown) -> None:
    """The row is locked longer than anybody waits: nobody hears that the command stands; then the same is written, once."""
    case_id, key = await stands(town, told), str(uuid.uuid4())
    row = "select seq, head_hash from cases where case_id = $1"
    attempts = "select attempts from intake where case_id = $1 and command = 'urge'"
    before = await told.pool.fetchrow(row, case_id)
    async with told.held(case_id):
        asked = asyncio.create_task(town.give(case_id, URGE, key))
        await told.carried_out(case_id, 1)

        async def given_up_and_tried_again() -> bool:
            return bool(await told.pool.fetchval(attempts, case_id) > 1)

        await eventually(given_up_and_tried_again, within=40)
        assert await told.pool.fetchrow(row, case_id) == before
        assert not asked.done()
    answer = await follows(town, case_id, URGE, key)

    assert answer.status_code == 200
    assert (await told.kinds(case_id)).count(URGED) == 1
    assert await told.notices(case_id, "urged") == 1
    assert (await told.counts(case_id))[SIGNALED] == 0
    assert await told.faults(case_id) == []
    await asked


async def test_a_row_changed_by_somebody_elses_hand_is_told_whole_by_its_case(town: ApiDriver, told: ToldTown) -> None:
    """What an answer says of the row fits no other: the case is asked and writes the whole row; the caller hears that it stands."""
    case_id = await stands(town, told)
    before = await told.counts(case_id)
    async with told.held(case_id) as connection:
        asked = asyncio.create_task(town.give(case_id, URGE))
        await told.carried_out(case_id, 1)
        await connection.execute(
            "update cases set snapshot = jsonb_set(snapshot, '{holder}', to_jsonb('somebody'::text)) where case_id = $1",
            case_id,
        )
    answer = await asked
    after = await told.counts(case_id)
    holder = await told.pool.fetchval("select snapshot ->> 'holder' from cases where case_id = $1", case_id)

    assert answer.status_code == 200, answer.text
    assert after[SIGNALED] - before[SIGNALED] == 1
    assert after[MARKER] - before[MARKER] == 1
    assert holder == "department:urban-management"
    assert (await told.kinds(case_id)).count(URGED) == 1
    assert await told.notices(case_id, "urged") == 1
    assert await told.faults(case_id) == []
    await town.go(case_id, [SIGN])
    assert (await told.counts(case_id))[MARKER] == after[MARKER]  # from there on the answers are enough again


async def test_a_ledger_that_refuses_for_long_does_not_fill_the_history(town: ApiDriver, told: ToldTown) -> None:
    """The command is delivered again and again, and its case asked to write ever more seldom; mended, it stands, once."""
    case_id, key = await stands(town, told), str(uuid.uuid4())
    await refuse_flushes(told.pool, case_id)
    asked = asyncio.create_task(town.give(case_id, URGE, key))

    async def tried_often() -> bool:
        sql = "select attempts from intake where case_id = $1 and command = 'urge'"
        return int(await told.pool.fetchval(sql, case_id) or 0) >= 6

    await eventually(tried_often, within=60)
    signals = (await told.counts(case_id))[SIGNALED]
    await take_flushes(told.pool, case_id)
    answer = await follows(town, case_id, URGE, key)
    await asked

    assert 1 <= signals <= 3
    assert answer.status_code == 200
    assert (await told.kinds(case_id)).count(URGED) == 1
    assert await told.notices(case_id, "urged") == 1
    assert await told.faults(case_id) == []


async def test_a_row_that_is_not_as_told_before_a_command_hinders_nobody(town: ApiDriver, told: ToldTown) -> None:
    """Changed by hand before a command comes: its answer tells the row whole, and nobody needs to ask for it."""
    case_id = await stands(town, told)
    before = await told.counts(case_id)
    await told.pool.execute("update cases set holder = holder where case_id = $1", case_id)
    await town.case(case_id)  # whoever takes the command in has read the row since: nobody announces what a hand does
    await town.go(case_id, [URGE, SIGN])
    first, second = [answer.told for answer in await told.answers(case_id)]
    after = await told.counts(case_id)

    assert first is not None
    assert second is not None
    assert (bool(first.row.whole), bool(second.row.whole)) == (True, False)
    assert (after[SIGNALED], after[MARKER]) == (before[SIGNALED], before[MARKER])
    assert await told.faults(case_id) == []


async def test_what_nobody_waits_for_any_more_is_written_within_seconds(
    town: ApiDriver, build_app: BuildApp, told: ToldTown
) -> None:
    """Whoever delivered the last command of a case goes before it is written, and nothing more comes: another's relay has it."""
    case_id = await stands(town, told)
    async with told.held(case_id), api_of(build_app()) as leaving:
        asked = asyncio.create_task(ApiDriver(leaving, town.token, INCIDENT).give(case_id, URGE))
        await told.carried_out(case_id, 1)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)

    async def written() -> bool:
        return URGED in await told.kinds(case_id)

    await eventually(written, within=20)  # a lease is for ten seconds

    assert (await told.counts(case_id))[COMPLETED] == 1
    assert await told.notices(case_id, "urged") == 1
    assert await told.faults(case_id) == []


ELSEWHERE = Message(message_id="1", sender="incident-20990101-000001", subject="told")
HELD = """
    create function wait_for_the_test() returns trigger language plpgsql as
        $$ begin perform pg_advisory_xact_lock(1); return new; end $$;
    create trigger held before update on intake for each row when (new.status = 'delivered' and new.command = 'urge')
        execute function wait_for_the_test();
"""
"""What is settled waits for the test, and takes what was written with it back when it has waited too long."""


async def reported(http: httpx.AsyncClient, keys: Keys, told: ToldTown) -> str:
    """An incident that has done all that it does by itself."""
    case_id = str((await callers(http, keys)().report()).json()["case_id"])
    await told.rests(case_id)
    return case_id


async def test_a_case_that_goes_on_in_a_new_run_before_it_is_written_answers_the_same(
    own_town: OwnTown, keys: Keys, temporal: Client
) -> None:
    """The run that answered is over before anybody could write: it has flushed by itself, and its next run answers a repeat."""
    told, ours = ToldTown(temporal, own_town.pool), own_town.settings
    async with town_worker(ours, keys, temporal, own_town.pool) as worker, worker:
        async with api_of(own_town.build()) as http:
            length = len(await told.events(await reported(http, keys, told)))
        short = ours.model_copy(update={"history_limit": length + 12})
        async with api_of(own_town.build(over=short)) as http:
            case_id = await reported(http, keys, told)
            await own_town.pool.execute(HELD)
            async with own_town.pool.acquire() as connection, connection.transaction():
                await connection.execute("select pg_advisory_xact_lock(1)")
                asked = asyncio.create_task(callers(http, keys)().command(case_id, "urge", key="once"))

                await told.carried_out(case_id, 1)

                async def went_on() -> bool:  # what is not for it makes a history long, and adds no entry
                    await temporal.get_workflow_handle(case_id).signal("message", ELSEWHERE)
                    return (await told.counts(case_id))[CONTINUED] > 0

                await eventually(went_on, within=60)
                in_the_first_run = len(await told.answers(case_id))
                status = await own_town.pool.fetchval("select status from intake where command = 'urge'")
            await asked

            async def settled() -> bool:
                return bool(
                    await own_town.pool.fetchval("select status = 'delivered' from intake where command = 'urge'")
                )

            await eventually(settled, within=60)
            again = await callers(http, keys)().command(case_id, "urge", key="once")
        first, *others = await told.answers(case_id)
        faults = await told.faults(case_id)

    assert in_the_first_run >= 1
    assert status == "waiting"
    assert again.status_code == 200
    assert again.json()["accepted"] == first.model_dump(mode="json", exclude={"told"})
    assert [other.model_copy(update={"told": None}) for other in others] == [first.model_copy(update={"told": None})]
    assert (await told.kinds(case_id)).count(URGED) == 1
    assert await told.notices(case_id, "urged") == 1
    assert faults == []


async def test_a_repeat_in_a_later_run_has_the_first_answer(door: OpenDoor, told: ToldTown) -> None:
    """The run that carried a command out is long over: the same key gets the same answer, and nothing is told anew."""
    town = await door(INCIDENT, history_limit=20)
    case_id = await stands(town, told)
    first = await town.taken(case_id, URGE, key="once")
    while (await told.counts(case_id))[CONTINUED] < 2:
        assert (await town.taken(case_id, URGE)).status_code == 200
    await told.pool.execute(
        "update intake set status = 'waiting', answer = null, settled_at = null, leased_until = clock_timestamp()"
        " where case_id = $1 and command = 'urge' and intake_id = (select min(intake_id) from intake where case_id = $1"
        " and command = 'urge')",
        case_id,
    )
    before = await told.kinds(case_id)
    again = await follows(town, case_id, URGE, "once")

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json()["accepted"] == first.json()["accepted"]
    assert await told.kinds(case_id) == before
    assert await told.faults(case_id) == []


# ---- cases of before, and towns that do not want it -----------------------------------------------------------------


async def test_a_town_that_does_not_want_it_opens_cases_as_before(
    town: ApiDriver, build_app: BuildApp, settings: Settings, told: ToldTown
) -> None:
    """No word of it in the charter and in commands, which an older worker would not understand; such a case goes on so for ever."""
    over = settings.model_copy(update={"tells_with_answers": False})
    async with api_of(build_app(over=over)) as http:
        case_id = await ApiDriver(http, town.token, INCIDENT).start()
        await told.rests(case_id)
    before = await told.counts(case_id)
    await town.go(case_id, [URGE, SIGN])
    after = await told.counts(case_id)
    payloads = await told.pool.fetch("select payload from intake where case_id = $1 order by intake_id", case_id)
    start, *commands = [row["payload"] for row in payloads]

    assert "tells_with_answers" not in start["charter"]
    assert ["written" in command["stamp"] for command in commands] == [False, False]
    assert [answer.told for answer in await told.answers(case_id)] == [None, None]
    assert after[MARKER] - before[MARKER] == 2
    assert await told.faults(case_id) == []


# ---- whoever means harm ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "forged", ["another entry", "another row", "of another case", "with its digest", "where there was none"]
)
async def test_a_forged_word_of_what_is_written_is_refused_and_leaves_nothing(
    forged: str, town: ApiDriver, told: ToldTown, keys: Keys, temporal: Client
) -> None:
    """Nobody makes a case forget what is not written: a command with such a word is none of the API's."""
    case_id = await stands(town, told)
    stamp = await stamped(told, keys, case_id, "urge")
    elsewhere = await stamped(told, keys, await stands(town, told), "urge")
    assert stamp.written is not None
    later = stamp.written.model_copy(update={"seq": stamp.written.seq + 1})
    changes: dict[str, dict[str, Any]] = {
        "another entry": {"written": later},
        "another row": {"written": stamp.written.model_copy(update={"row": "0" * 24})},
        "of another case": {"written": elsewhere.written},
        "with its digest": {"written": later, "written_digest": later.digest()},
        "where there was none": {"written": stamp.written},
    }
    genuine = StampSigner(keys).sign(stamp) if forged == "where there was none" else stamp
    before = await told.kinds(case_id)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await send(temporal, case_id, "urge", INCIDENT.commands["urge"](), genuine.model_copy(update=changes[forged]))

    assert isinstance(refused.value.cause, ApplicationError)
    assert refused.value.cause.details[0]["code"] == "not-stamped"
    assert (await told.kinds(case_id), (await told.counts(case_id))[ACCEPTED]) == (before, 0)
    assert (await send(temporal, case_id, "urge", INCIDENT.commands["urge"](), stamp)).command_id == stamp.command_id


@pytest.mark.parametrize("of", ["another command", "another case"])
async def test_an_answer_to_something_else_is_not_taken(
    of: str, door: OpenDoor, told: ToldTown, settings: Settings, keys: Keys, temporal: Client, pool: asyncpg.Pool
) -> None:
    """Whoever polls in a worker's place and answers with a copy writes nothing: the command waits on, for an engineer to see."""
    alone = settings.model_copy(update={"task_queue": f"told-copied-{of[-4:]}"})
    town = await door(INCIDENT, task_queue=alone.task_queue)
    stranger = Stranger(await Client.connect(settings.temporal_address, namespace=settings.temporal_namespace))
    async with town_worker(alone, keys, temporal, pool) as worker, worker:
        case_id, other = await stands(town, told), await stands(town, told)
        for each in (case_id, other):
            assert (await town.taken(each, SIGN)).status_code == 200
    [copied] = [each for each in await stranger.read(other if of == "another case" else case_id) if each.kind == ANSWER]
    before = await told.kinds(case_id)
    giving = asyncio.create_task(town.give(case_id, URGE))
    await stranger.answer_command(alone.task_queue, case_id, copied.payloads)

    async def put_off_for_long() -> bool:
        sql = """
            select count(*) from intake where case_id = $1 and command = 'urge' and status = 'waiting'
              and leased_until > clock_timestamp() + interval '15 seconds'
        """
        return bool(await pool.fetchval(sql, case_id))

    await eventually(put_off_for_long)

    assert (await giving).status_code == 202
    assert await told.kinds(case_id) == before
    assert await told.notices(case_id, "urged") == 0


async def test_an_answer_that_does_not_come_out_as_its_case_had_it_is_not_written(
    town: ApiDriver, told: ToldTown, keys: Keys, temporal: Client
) -> None:
    """One word of an entry changed on the way: it does not have the hash that the answer names, and nothing is written."""
    case_id = await stands(town, told)
    stamp = await stamped(told, keys, case_id, "urge")
    answer = await send(temporal, case_id, "urge", INCIDENT.commands["urge"](), stamp)
    state = INCIDENT.state.model_validate(
        await told.pool.fetchval("select snapshot from cases where case_id = $1", case_id)
    )
    given = submission_of("command", "urge", state, {"command": {}, "stamp": stamp.model_dump(mode="json")})
    assert answer.told is not None
    entry = answer.told.entries[0]
    changed = answer.told.model_copy(
        update={"entries": (entry.model_copy(update={"facts": {**entry.facts, "by": "somebody"}}),)}
    )
    before = await told.kinds(case_id)
    with pytest.raises(NotWritten) as refused:
        await Postbox(told.pool).delivered(given, answer.model_copy(update={"told": changed}))
    after = await told.kinds(case_id)
    await Postbox(told.pool).delivered(given, answer)

    assert refused.value.word == "BrokenChain"
    assert after == before
    assert await told.faults(case_id) == []
