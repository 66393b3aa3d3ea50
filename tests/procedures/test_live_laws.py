"""The laws on a real server and through the public door: the main walk of every procedure, the others in `make test-all`.

Every walk has them at every commit on a bench (tests/procedures/test_laws.py). What the bench cannot show stands here whole.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any

import asyncpg
import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from audit.replay.replay import runs_of
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from schemas.clocks.calendar import SHANGHAI
from schemas.kernel.declaration import DeclaredProcedure
from schemas.kernel.procedure import Procedure
from schemas.kernel.visibility import may_see, sight_of
from schemas.values.actor import Actor, Role
from tests.api_driver import ApiDriver, Audited, OpenDoor, Step, Walk, examples
from tests.case_bench import TODAY
from tests.doors import Doors
from tests.entry_kinds import kinds_of, told_on, whom
from tests.every_procedure import EVERY_PROCEDURE, PROCEDURE_LIST, some_procedures
from tests.procedures.test_random_sequences import acts_of_people
from tests.sampling import chosen
from tests.until_it_ends import end_it
from tests.waiting import eventually
from worker import town_worker

EVERY_WALK = pytest.mark.parametrize(
    ("procedure", "walk"),
    [
        pytest.param(
            procedure,
            walk,
            id=f"{procedure.name}: {walk.name}",
            marks=[] if walk is examples(procedure).MAIN else pytest.mark.long,
        )
        for procedure in PROCEDURE_LIST
        for walk in examples(procedure).WALKS
        if not walk.waits
    ],
)

# A letter that has arrived leaves no entry, nor does a register that knows of no death: a row may name them for longer than they
# are under way.
AT_REST = """
    select bool_and(not exists (select from jsonb_array_elements_text(snapshot -> 'errands') as errands (errand)
                                where errand not like all (array['tell/%', 'ask_of_death/%'])))
    from cases where case_id = any($1)
"""

# A thousand commands of one test are half a minute on a machine that is not busy.
pytestmark = [pytest.mark.usefixtures("worker"), pytest.mark.timeout(400)]


Walked = Callable[[Procedure, Walk], Awaitable[tuple[ApiDriver, str]]]
LeftAlone = Callable[[Procedure], Awaitable[tuple[ApiDriver, str]]]

PARENTS_SPEED = 1_500_000
"""At the most, for a procedure whose cases are started by others: those must not have ended before they come to it."""

SANDBOX = "sandbox"


@pytest.fixture(scope="module")
async def door(
    door: OpenDoor, settings: Settings, keys: Keys, temporal: Client, pool: asyncpg.Pool
) -> AsyncIterator[OpenDoor]:
    """The door of the town, to cases in Temporal's sandbox: what is not deterministic in any walk fails there."""
    guarded = settings.model_copy(update={"sandbox": True, "task_queue": SANDBOX})
    async with town_worker(guarded, keys, temporal, pool) as worker, worker:
        yield partial(door, task_queue=SANDBOX, patience=settings.delivery_patience_seconds)


@pytest.fixture(scope="module")
def walked(door: OpenDoor) -> Walked:
    """One case per walk for all the laws that only look at it: the walk is gone once, everything given twice."""
    cases: dict[tuple[str, str], str] = {}

    async def case_of(procedure: Procedure, walk: Walk) -> tuple[ApiDriver, str]:
        town = await door(procedure)
        place = (procedure.name, walk.name)
        if place not in cases:
            cases[place] = await twice(town, walk)
        return town, cases[place]

    return case_of


async def twice(town: ApiDriver, walk: Walk) -> str:
    """A case that was taken along a walk, everything given twice under its key and answered as the first time; its id."""
    key = f"same-{walk.name.replace(' ', '-')}"
    case_id = await town.start(key=key, body=walk.report, by=walk.by)
    assert await town.start(key=key, body=walk.report, by=walk.by) == case_id
    for number, step in enumerate(walk.steps):
        first = await town.taken(case_id, step, key=f"key-{number}")
        second = await town.give(case_id, step, key=f"key-{number}")

        # Who does not see the case any more sees the word of it: 202 with the submission, delivered.
        seen = 202 if first.json().get("status") == "delivered" else 200
        assert (first.status_code, second.status_code) == (seen, seen), second.text
        assert first.json()["accepted"] == second.json()["accepted"]
    return case_id


def as_fast(procedure: Procedure, speed: int) -> int:
    """The speed, if cases of the procedure come about at it."""
    return speed if procedure.parent is None else min(speed, PARENTS_SPEED)


@pytest.fixture(scope="module")
def left_alone(door: OpenDoor, temporal: Client) -> LeftAlone:
    """One case per procedure that nobody has answered, and that has ended."""
    cases: dict[str, str] = {}

    async def case_of(procedure: Procedure) -> tuple[ApiDriver, str]:
        town = await door(procedure, speed=as_fast(procedure, 8_640_000))
        if procedure.name not in cases:
            case_id = await town.start()
            await end_it(town, case_id)
            await temporal.get_workflow_handle(case_id).result()
            cases[procedure.name] = case_id
        return town, cases[procedure.name]

    return case_of


@EVERY_WALK
async def test_a_walk_leads_where_the_table_says(procedure: Procedure, walk: Walk, walked: Walked) -> None:
    """Every way a case can go ends at the stage it is to end at, and the lists know it at once."""
    town, case_id = await walked(procedure, walk)

    assert walk.stage == (await town.case(case_id))["stage"]


@EVERY_WALK
async def test_twice_is_once(procedure: Procedure, walk: Walk, walked: Walked, pool: asyncpg.Pool) -> None:
    """A case whose every command is given twice under its key has the entries that stand written for the walk."""
    town, case_id = await walked(procedure, walk)

    async def the_same() -> bool:
        # What the engine does by itself after the last command, such as taking an order back, takes a moment.
        at_rest = await pool.fetchval(AT_REST, [case_id])
        return bool(at_rest and sorted(await town.kinds(case_id)) == kinds_of(procedure, walk))

    await eventually(the_same)


@EVERY_WALK
async def test_who_is_told_is_told_what_stands_written(
    procedure: Procedure, walk: Walk, walked: Walked, pool: asyncpg.Pool
) -> None:
    """In the outbox of the town stand the notices that stand written for the walk: the same people, the same templates."""
    _, case_id = await walked(procedure, walk)
    wanted = whom(told_on(procedure, walk))

    async def told() -> list[str]:
        # Whether another case is alike, what else was played in this town decides.
        sql = "select recipient, template from outbox where case_id = $1 and template <> 'alike_found'"
        rows = await pool.fetch(sql, case_id)
        return sorted(f"{row['recipient']} {row['template']}" for row in rows)

    async def the_same() -> bool:
        return await told() == wanted

    with suppress(AssertionError):
        await eventually(the_same)
    assert await told() == wanted


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.long)], ids=["one of each", "whole"])
@EVERY_PROCEDURE
async def test_illegal_commands_change_nothing(
    procedure: Procedure,
    whole: bool,  # noqa: FBT001 - how much of the table
    doors: Doors,
    pool: asyncpg.Pool,
) -> None:
    """At every stage of the main walk, every command that somebody may not give there is refused and leaves no trace.

    Here one for each stage and kind of refusal, by the seed; what the table says in every cell: tests/procedures/test_laws.py.
    """
    town = await doors.open(procedure)  # what is refused at the door is nothing of the sandbox
    case_id = await town.start()
    refused: Counter[str] = Counter()

    async def at_rest() -> bool:
        # What the engine does by itself meanwhile, such as bringing an order, is not what this law is about.
        return bool(await pool.fetchval(AT_REST, [case_id]))

    for number, step in enumerate((*town.examples.MAIN.steps, None)):
        await eventually(at_rest)
        snapshot = await pool.fetchval("select snapshot from cases where case_id = $1", case_id)
        before = await acts_of_people(town, case_id)
        for code, who, command in _refused(procedure, snapshot, f"{number}", whole=whole):
            answer = await town.give(case_id, Step(command, who))
            refused[code] += 1

            assert answer.status_code in (403, 404, 409), f"{who} {command}: {answer.status_code} {answer.text}"
        assert before == await acts_of_people(town, case_id)
        if step is not None:
            await town.go(case_id, [step])
    print(f"{procedure.name}: refused {dict(refused)}")  # noqa: T201 - the count is asked for

    assert len(refused) >= 3
    assert not whole or refused.total() > len(procedure.commands) * len(town.examples.PEOPLE)


def _refused(procedure: Procedure, snapshot: Any, what: str, *, whole: bool) -> Iterator[tuple[str, str, str]]:
    """Kind of refusal, who, command: all that is refused to the people of the examples as the case stands, or one of each kind."""
    state, found = procedure.state.model_validate(snapshot), defaultdict(list)
    for who, person in examples(procedure).PEOPLE.items():
        actor = Actor(subject=person.subject, role=Role(person.role), department=person.department, area=person.area)
        for command in procedure.commands:
            refusal = procedure.rules.check(state, command, actor, datetime.now(SHANGHAI))
            if refusal is not None:
                code = refusal.code if may_see(sight_of(state), actor) else "unknown-case"
                found[code].append((code, who, command))
    for code, cells in found.items():
        yield from cells if whole else chosen(cells, 1, f"{procedure.name} {what} {code}")


@pytest.mark.long
@EVERY_PROCEDURE
async def test_a_case_nobody_answers_ends(procedure: Procedure, left_alone: LeftAlone) -> None:
    """Whoever is silent, a case does not run for ever: after the last tier and the final limit it ends by itself."""
    town, case_id = await left_alone(procedure)
    shown = await town.case(case_id)
    kinds = Counter(await town.kinds(case_id))

    assert shown["ended"]
    assert shown["stage"] == town.examples.NOBODY_ANSWERS
    assert kinds["case:ended"] == 1


@pytest.mark.long
@EVERY_PROCEDURE
async def test_each_tier_fires_once_in_order(procedure: Procedure, left_alone: LeftAlone) -> None:
    """A clock warns, breaches and climbs its tiers in this order, each once."""
    town, case_id = await left_alone(procedure)
    answer = await town.api.get(f"/api/v1/cases/{case_id}/timeline", headers=town.headers("auditor"))
    moments: dict[str, list[str]] = {}
    for entry in answer.json()["items"]:
        if "moment" in entry["facts"]:
            moments.setdefault(entry["facts"]["clock"], []).append(entry["facts"]["moment"])

    assert moments
    assert isinstance(procedure, DeclaredProcedure)
    for clock, fired in moments.items():
        warns = procedure.timers[clock.partition(":")[0]].warns
        expected = ["warning", "breach", "tier:1", "tier:2", "tier:3"][not warns :]
        assert expected[: len(fired)] == fired


@EVERY_WALK
async def test_the_bench_has_the_flags_of_a_live_case(
    procedure: Procedure, walk: Walk, walked: Walked, pool: asyncpg.Pool
) -> None:
    """What the API gives a case of today stands in its charter as it does on the bench."""
    _, case_id = await walked(procedure, walk)
    charter = await pool.fetchval("select snapshot -> 'charter' from cases where case_id = $1", case_id)

    assert {name: charter[name] for name in TODAY} == TODAY


@EVERY_WALK
async def test_it_replays_and_its_chain_verifies(
    procedure: Procedure, walk: Walk, walked: Walked, audited: Audited
) -> None:
    """Every run of a case replays under today's code, its chain is whole, and history and ledger vouch for each other."""
    _, case_id = await walked(procedure, walk)
    findings = await audited(case_id)

    assert [finding.check for finding in findings] == ["ledger", "replay"]
    assert [finding.detail for finding in findings if not finding.ok] == []


@pytest.mark.long
@EVERY_WALK
async def test_no_timer_is_left(procedure: Procedure, walk: Walk, door: OpenDoor, temporal: Client) -> None:
    """A case that has ended has fired or cancelled every timer it ever started."""
    town = await door(procedure, speed=as_fast(procedure, 3_000_000))
    case_id = await town.start(body=walk.report, by=walk.by)
    ended = asyncio.create_task(temporal.get_workflow_handle(case_id).result())
    for step in walk.steps:
        # By this clock a case may end before its people are done: then they, and whom they wait for, come too late.
        giving = asyncio.create_task(town.give(case_id, step))
        await asyncio.wait([giving, ended], return_when=asyncio.FIRST_COMPLETED)
        giving.cancel()
        (outcome,) = await asyncio.gather(giving, return_exceptions=True)
        if isinstance(outcome, Exception) and not isinstance(outcome, AssertionError):
            raise outcome
    await end_it(town, case_id)
    await ended
    events = [event for run in await runs_of(temporal, case_id) for event in run.events]
    counts = Counter(event.event_type for event in events)

    assert counts[EventType.EVENT_TYPE_TIMER_STARTED] > 0
    assert counts[EventType.EVENT_TYPE_TIMER_STARTED] == (
        counts[EventType.EVENT_TYPE_TIMER_FIRED] + counts[EventType.EVENT_TYPE_TIMER_CANCELED]
    )


@some_procedures("long cases")
async def test_a_long_case_goes_on_in_a_new_run(
    procedure: Procedure, door: OpenDoor, temporal: Client, audited: Audited
) -> None:
    """With a low threshold a case continues as new in the middle; commands, repeats, clocks and chain carry over."""
    town = await door(procedure, history_limit=12)
    walk = town.examples.MAIN
    case_id = await town.start()
    for number, step in enumerate(walk.steps):
        first = await town.taken(case_id, step, key=f"key-{number}")
        assert first.status_code == 200, first.text
    for number, step in enumerate(walk.steps):
        repeat = await town.give(case_id, step, key=f"key-{number}")
        assert repeat.status_code == 200, repeat.text

    async def continued() -> bool:
        return len(await runs_of(temporal, case_id)) > 1

    await eventually(continued)
    findings = await audited(case_id)

    assert walk.stage == (await town.case(case_id))["stage"]
    assert [finding.ok for finding in findings] == [True, True], findings
