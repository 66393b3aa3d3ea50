"""Attacks on decision 0011: what the database takes, and what an API keeps of it."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from audit.replay.replay import live_histories
from audit.verify.rebuild import rebuild_rows
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from schemas.incident import INCIDENT
from schemas.kernel.case import Accepted, CaseState
from schemas.kernel.told import Told
from starter.cases.case_states import CaseStates, CaseText
from starter.intake.postbox import NotWritten, Postbox, Submission
from tests.api_driver import ApiDriver, OpenDoor, Step
from tests.bench_api import submission_of
from tests.told_town import ToldTown, send, stamped, stands

pytest_plugins = ("tests.api_fixture", "tests.told_fixture")
pytestmark = [pytest.mark.usefixtures("worker"), pytest.mark.timeout(200)]


@pytest.fixture
async def town(door: OpenDoor) -> ApiDriver:
    """A town at real speed."""
    return await door(INCIDENT)


def telling(answer: Accepted) -> Told:
    """What an answer tells the ledger."""
    assert answer.told is not None
    return answer.told


async def unwritten(town: ApiDriver, told: ToldTown, keys: Keys) -> tuple[str, CaseState, Accepted, Submission]:
    """A case with a command that is carried out and not written; the case, the answer, and what delivers it."""
    case_id = await stands(town, told)
    assert (await town.taken(case_id, Step("urge", "reporter"))).status_code == 200
    stamp = await stamped(told, keys, case_id, "urge")
    answer = await send(told.temporal, case_id, "urge", INCIDENT.commands["urge"](), stamp)
    state = INCIDENT.state.model_validate(
        await told.pool.fetchval("select snapshot from cases where case_id = $1", case_id)
    )
    given = submission_of("command", "urge", state, {"command": {}, "stamp": stamp.model_dump(mode="json")})
    return case_id, state, answer, given


async def test_an_answer_is_not_written_behind_a_hole(town: ApiDriver, told: ToldTown, keys: Keys) -> None:
    """The last entry was taken out of the ledger, its row left: what follows it is not put there, somebody is told."""
    case_id, _, answer, given = await unwritten(town, told, keys)
    async with told.pool.acquire() as connection, connection.transaction():
        await connection.execute("alter table ledger disable trigger ledger_only_grows")
        await connection.execute(
            "delete from ledger where case_id = $1 and seq = $2", case_id, telling(answer).after_seq
        )
        await connection.execute("alter table ledger enable always trigger ledger_only_grows")
    with pytest.raises(NotWritten) as refused:
        await Postbox(told.pool).delivered(given, answer)

    assert refused.value.word in {"broken", "unlike"}


async def test_a_row_changed_by_hand_is_told_whole_whatever_hand(town: ApiDriver, told: ToldTown, keys: Keys) -> None:
    """Who may write rows changes one and puts its digest back: the next answer is not put onto it."""
    case_id, _, answer, given = await unwritten(town, told, keys)
    known = await told.pool.fetchval("select row_digest from cases where case_id = $1", case_id)
    await told.pool.execute(
        "update cases set snapshot = jsonb_set(snapshot, '{reporter_subject}', '\"somebody\"') where case_id = $1",
        case_id,
    )
    await told.pool.execute("update cases set row_digest = $2 where case_id = $1", case_id, known)
    try:
        await Postbox(told.pool).delivered(given, answer)
    except NotWritten:
        return
    kept = await told.pool.fetchval("select snapshot ->> 'reporter_subject' from cases where case_id = $1", case_id)
    assert kept != "somebody"


async def test_what_an_api_keeps_of_an_answer_is_the_row_that_stands(
    town: ApiDriver, told: ToldTown, keys: Keys
) -> None:
    """The entry stands already, in a row told later or changed by hand: the API does not keep what the answer told for it."""
    case_id, state, answer, given = await unwritten(town, told, keys)
    row = await told.pool.fetchrow(
        "select row_digest, head_hash || ' ' || xmin::text as version from cases where case_id = $1", case_id
    )
    assert row is not None
    await Postbox(told.pool).delivered(given, answer)  # another API has written it
    await told.pool.execute(
        "update cases set snapshot = jsonb_set(snapshot, '{holder}', '\"elsewhere\"'), holder = 'elsewhere' where case_id = $1",
        case_id,
    )
    states = CaseStates({"incident": INCIDENT})
    states.learn(
        case_id,
        CaseText(
            "incident",
            row["version"],
            state.model_dump_json(exclude={"processed", "entries", "notices"}),
            row["row_digest"],
        ),
    )
    number = await told.pool.fetchval(
        "insert into intake (submission, kind, command, procedure, case_id, subject, scope, key, body_digest, payload, status,"
        " attempts, leased_until)"  # no relay is to take it meanwhile
        " values ($1, 'command', 'urge', 'incident', $2, 's', 's', $3, $4, '{}', 'waiting', 1, now() + interval '1 hour')"
        " returning intake_id",
        f"x-{case_id}",
        case_id,
        case_id.encode(),
        b"x" * 32,
    )
    settled = await Postbox(told.pool).delivered(
        replace(given, intake_id=number, attempts=1), answer, knows_row=lambda change: states.knows(case_id, change)
    )
    assert settled.submission is not None
    if settled.case is not None and settled.change is not None:
        states.learn_change(case_id, settled.case, settled.change)
    elif settled.case is not None:
        states.learn(case_id, settled.case)
    async with told.pool.acquire() as connection:
        found = await states.standing(connection, case_id)
    assert found is not None
    assert found.holder == "elsewhere"


async def test_an_answer_of_the_future_is_not_taken(town: ApiDriver, told: ToldTown, keys: Keys) -> None:
    """Who has the payload key answers in a worker's place, with genuine entries and the time of a far day: the case goes on."""
    case_id, _, answer, given = await unwritten(town, told, keys)
    far = telling(answer).model_copy(update={"task_at": datetime(2099, 1, 1, tzinfo=UTC)})
    try:
        await Postbox(told.pool).delivered(given, answer.model_copy(update={"told": far}))
    except NotWritten:
        return
    ahead = await told.pool.fetchval(
        "select task_at > clock_timestamp() + interval '1 hour' from cases where case_id = $1", case_id
    )
    assert not ahead, "every later flush is stale, every later answer unlike, for ever"


async def test_an_answer_that_does_not_come_out_hinders_nobody_once_its_case_has_written(
    town: ApiDriver, told: ToldTown, keys: Keys
) -> None:
    """An outcome stands in the history for ever: made up, or told by a worker whose entries have a field more than the API's.

    Its case was asked, and the ledger has the entry that it names: it is settled, and what waits behind it goes on.
    """
    _, _, answer, given = await unwritten(town, told, keys)
    await Postbox(told.pool).delivered(given, answer)  # stands for the flush of the case's own
    entry = telling(answer).entries[0]
    other = entry.model_copy(update={"facts": {**entry.facts, "new": "field"}})
    changed = telling(answer).model_copy(update={"entries": (other,)})
    await Postbox(told.pool).delivered(given, answer.model_copy(update={"told": changed}))


async def test_a_hole_in_the_ledger_is_mended_by_rebuild_after_the_next_command(
    town: ApiDriver, told: ToldTown, keys: Keys, settings: Settings
) -> None:
    """What the message of `audit verify` says: the history has it, and it is written again."""
    case_id, _, answer, given = await unwritten(town, told, keys)
    async with told.pool.acquire() as connection, connection.transaction():
        await connection.execute("alter table ledger disable trigger ledger_only_grows")
        await connection.execute(
            "delete from ledger where case_id = $1 and seq = $2", case_id, telling(answer).after_seq
        )
        await connection.execute("alter table ledger enable always trigger ledger_only_grows")
    with suppress(NotWritten):
        await Postbox(told.pool).delivered(given, answer)
    histories = live_histories(told.temporal, told.pool)
    async for _ in rebuild_rows(told.pool, keys, settings, histories, [case_id], write=True):
        pass
    await told.rests(case_id)
    assert await told.faults(case_id) == []
