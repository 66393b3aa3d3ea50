"""Random people do random things: what the table allows happens, what it does not allow leaves no trace."""

from datetime import datetime

import asyncpg
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from temporalio.client import Client

from schemas.clocks.calendar import SHANGHAI
from schemas.kernel.procedure import Procedure
from schemas.kernel.visibility import may_see, sight_of
from schemas.values.actor import Actor, Role
from tests.api_driver import ApiDriver, Audited, OpenDoor, Person, Step
from tests.every_procedure import EVERY_PROCEDURE, some_procedures
from tests.sampling import settle_seed
from tests.waiting import eventually

pytestmark = [
    pytest.mark.usefixtures("worker"),
    # A procedure is a long argument: that is no reason to hide what has gone wrong with it.
    pytest.mark.filterwarnings("ignore:Generating overly large repr"),
]

REFUSED = (403, 404, 409)
# A case takes seconds: a failing draw is told as it is, not looked for a shorter one for half an hour.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
# Each draw is a choice: among what is legal for anybody now, or among everything (which is mostly refused).
DRAWS = st.lists(st.tuples(st.booleans() | st.just(value=True), st.integers(0, 10**6)), min_size=4, max_size=14)


async def pairs(
    town: ApiDriver, pool: asyncpg.Pool, case_id: str
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Who could give which command: what the table says is legal as the case stands, and everything.

    That the API tells everybody the same is asked once a draw, of whoever acts.
    """
    people: dict[str, Person] = town.examples.PEOPLE
    snapshot = await pool.fetchval("select snapshot from cases where case_id = $1", case_id)
    state, now = town.procedure.state.model_validate(snapshot), datetime.now(SHANGHAI)
    actors = {
        who: Actor(subject=each.subject, role=Role(each.role), department=each.department, area=each.area)
        for who, each in people.items()
    }
    legal = [
        (who, command)
        for who, actor in actors.items()
        if may_see(sight_of(state), actor)
        for command in town.procedure.rules.legal(state, actor, now)
    ]
    return legal, [(who, command) for who in people for command in town.procedure.commands]


async def play(town: ApiDriver, temporal: Client, pool: asyncpg.Pool, draws: list[tuple[bool, int]]) -> str:
    """One case, played; every answer is what the table promised."""
    case_id = await town.start()
    await town.stands(case_id)

    async def at_rest() -> bool:
        # What the engine does by itself, such as paying, may make a command legal between a promise and its test.
        described = (await temporal.get_workflow_handle(case_id).describe()).raw_description
        return not described.pending_activities and not described.HasField("pending_workflow_task")

    for turn, (sensible, number) in enumerate(draws):
        await eventually(at_rest)
        legal, everything = await pairs(town, pool, case_id)
        choices = legal if sensible and legal else everything
        who, command = choices[number % len(choices)]
        assert sorted(await town.legal(case_id, who)) == sorted(each for by, each in legal if by == who)
        before = await acts_of_people(town, case_id)
        answer = await town.give(case_id, Step(command, who), key=f"key-{turn}")  # a repeat would be answered as before
        after = await acts_of_people(town, case_id)
        if (who, command) in legal and answer.json().get("code") == "bad-command":
            # The command is legal; the body of the examples names what this very case has already.
            assert after == before, f"{who} {command} did not fit and left a trace"
        elif (who, command) in legal:
            assert answer.status_code == 200, f"{who} {command} was promised: {answer.text}"
        else:
            assert answer.status_code in REFUSED, answer.text
            assert after == before, f"{who} {command} was refused and left a trace"
    return case_id


async def acts_of_people(town: ApiDriver, case_id: str) -> list[tuple[str, int]]:
    """The entries that people caused: what the engine does by itself meanwhile is not their doing."""
    answer = await town.api.get(f"/api/v1/cases/{case_id}/timeline", headers=town.headers("auditor"))
    return [(entry["kind"], entry["seq"]) for entry in answer.json()["items"] if entry["actor"]["role"] != "engine"]


SLOW = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]


@some_procedures("random sequences")
@given(draws=DRAWS)
@seed(settle_seed())
@settings(max_examples=4, phases=PHASES, suppress_health_check=SLOW)
async def test_a_random_case_keeps_the_table(
    procedure: Procedure,
    door: OpenDoor,
    temporal: Client,
    pool: asyncpg.Pool,
    audited: Audited,
    draws: list[tuple[bool, int]],
) -> None:
    """Legal commands are accepted, illegal ones refused without a trace, and the case verifies and replays.

    By the seed of the commit; more of them below. What the table says in every cell is asked in tests/procedures/test_laws.py.
    """
    assert await faults_of(await play(await door(procedure), temporal, pool, draws), audited) == []


@pytest.mark.long
@pytest.mark.timeout(1200)
@EVERY_PROCEDURE
@given(draws=DRAWS)
@settings(max_examples=24, phases=PHASES, suppress_health_check=SLOW)
async def test_many_random_cases_keep_the_table(
    procedure: Procedure,
    door: OpenDoor,
    temporal: Client,
    pool: asyncpg.Pool,
    audited: Audited,
    draws: list[tuple[bool, int]],
) -> None:
    """The same, by chance and not by the seed."""
    assert await faults_of(await play(await door(procedure), temporal, pool, draws), audited) == []


async def faults_of(case_id: str, audited: Audited) -> list[str]:
    """What ledger and replay find wrong with a case."""
    return [finding.detail for finding in await audited(case_id) if not finding.ok]
