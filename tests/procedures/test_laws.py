"""The laws: written once, true of every procedure in the registry and of every way its cases can go.

They run on a bench (tests/case_bench.py): Temporal's time-skipping server, the sandbox, the real chain in memory. Each walk is
gone once, every command given twice; then the case is left alone until it has ended. tests/procedures/test_live_laws.py has
the same through the API, Postgres and the real server.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from temporalio.api.enums.v1 import EventType

from audit.replay.replay import runs_of
from schemas.clocks.clock_facts import Status
from schemas.kernel.case import CaseState
from schemas.kernel.declaration import DeclaredProcedure
from schemas.kernel.procedure import Procedure
from schemas.kernel.rules import By, Rule, Scope
from schemas.kernel.timers import Timer
from schemas.values.actor import Actor, Role
from schemas.values.refusals import RefusalCode
from tests.api_driver import Walk, examples
from tests.bench_api import bench_door
from tests.bench_tables import TOGETHER
from tests.case_bench import CaseBench, case_bench
from tests.entry_kinds import kinds_left_alone, kinds_of, left_of, told_left_alone, told_on, whom
from tests.every_procedure import EVERY_PROCEDURE, PROCEDURE_LIST, some_procedures
from tests.sampling import chosen
from tests.told_once import ToldOnce
from tests.until_it_ends import until_it_ends
from tests.waiting import eventually
from tests.who_waits import Ending, endings_of

EVERY_WALK = pytest.mark.parametrize(
    ("procedure", "walk"),
    [
        pytest.param(each, walk, id=f"{each.name}: {walk.name}")
        for each in PROCEDURE_LIST
        for walk in examples(each).WALKS
    ],
)
MOMENTS = ["warning", "breach", "tier:1", "tier:2", "tier:3"]
TIMER_STARTED = EventType.EVENT_TYPE_TIMER_STARTED
TIMER_OVER = (EventType.EVENT_TYPE_TIMER_FIRED, EventType.EVENT_TYPE_TIMER_CANCELED)


HEARS_ON_THE_REAL_SERVER = frozenset({"whistle"})
"""Whose main walk waits for what other cases tell while it goes on in a new run: this server was seen not to bring all of it."""


EVERY = [(each.name, walk.name) for each in PROCEDURE_LIST for walk in examples(each).WALKS]
AS_BEFORE = frozenset(chosen(EVERY, len(EVERY) // 2, "tells with no answer"))
"""Walks whose case tells the ledger by itself, as cases from before decision 0011 do for ever; the others by their answers."""


ALONE = [each for each in PROCEDURE_LIST if each.name not in HEARS_ON_THE_REAL_SERVER]


@dataclass
class Life:
    """What became of a case. `states`: as it stood before each step and after the last; `unlike`: repeats answered otherwise.

    `told_again`: how many messages of other cases came once more, before it was left alone. `hear_its_end`: who is told anything
    with the entries since it was closed, on the walk.
    """

    states: list[CaseState] = field(default_factory=list)
    unlike: list[str] = field(default_factory=list)
    stage: str = ""
    kinds: list[str] = field(default_factory=list)
    told_again: int = 0
    hear_its_end: set[str] = field(default_factory=set)
    last: CaseState | None = None
    kinds_at_end: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    told_at_end: list[str] = field(default_factory=list)
    moments: dict[str, list[str]] = field(default_factory=dict)
    timers: Counter[bool] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


Lived = Callable[[Procedure, Walk], Awaitable[Life]]


class Benches:
    """A bench for each procedure, in the sandbox: what is not deterministic in any walk fails there.

    A clock of its own for each: what the cases of one leave on a server that is to skip time holds up nobody else.
    """

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self._folders = folders
        self._closing = asyncio.Event()
        self._open: dict[str, tuple[asyncio.Task[None], asyncio.Future[CaseBench]]] = {}

    async def of(self, name: str) -> CaseBench:
        """Its bench, opened when it is first asked for."""
        if name not in self._open:
            opened: asyncio.Future[CaseBench] = asyncio.get_running_loop().create_future()
            self._open[name] = (asyncio.create_task(self._serve(name, opened)), opened)
        return await self._open[name][1]

    async def _serve(self, name: str, opened: "asyncio.Future[CaseBench]") -> None:
        """In a task of its own: what opens it is over before what closes it begins."""
        try:
            async with case_bench(self._folders.mktemp(f"bench-{name}")) as bench:
                opened.set_result(bench)
                await self._closing.wait()
        except Exception as fault:
            if opened.done():
                raise
            opened.set_exception(fault)  # whoever asked for it is told

    async def close(self) -> None:
        """Close all of them."""
        self._closing.set()
        await asyncio.gather(*(task for task, _ in self._open.values()))


@pytest.fixture(scope="module")
async def benches(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Benches]:
    """The benches of this process."""
    opened = Benches(tmp_path_factory)
    yield opened
    await opened.close()


@pytest.fixture
async def bench(request: pytest.FixtureRequest, benches: Benches) -> CaseBench:
    """That of the procedure that the law looks at."""
    return await benches.of(request.getfixturevalue("procedure").name)


@pytest.fixture(scope="module")
def lived(benches: Benches) -> Lived:
    """One case per walk, for all the laws that look at it."""
    lives: dict[tuple[str, str], Life] = {}

    async def life_of(procedure: Procedure, walk: Walk) -> Life:
        place, bench = (procedure.name, walk.name), await benches.of(procedure.name)
        if place not in lives:
            bench.tells_with_answers = place not in AS_BEFORE
            lives[place] = await live(bench, procedure, walk)
        return lives[place]

    return life_of


def state_of(bench: CaseBench, case_id: str) -> CaseState:
    """The case as it stands; it does stand."""
    state = bench.state(case_id)
    assert state is not None
    return state


async def live(bench: CaseBench, procedure: Procedure, walk: Walk) -> Life:
    """Take a case along a walk, everything twice, and then leave it alone until it has ended."""
    life, key, door = Life(), f"walk-{walk.name.replace(' ', '-')}", bench_door(bench, procedure)
    case_id = await door.start(key=key, body=walk.report, by=walk.by)
    if await door.start(key=key, body=walk.report, by=walk.by) != case_id:
        life.unlike.append("the start")
    for number, step in enumerate(walk.steps):
        life.states.append(state_of(bench, case_id))
        first = await door.give(case_id, step, key=f"key-{number}")
        second = await door.give(case_id, step, key=f"key-{number}")
        # Who does not see the case, or not any more, hears of their word alone: 202.
        assert {first.status_code, second.status_code} <= {200, 202}, f"{step}: {first.text} {second.text}"
        if first.json()["accepted"] != second.json()["accepted"]:
            life.unlike.append(step.command)
    await bench.at_rest(case_id)
    await _has_told(bench, case_id, procedure, walk)
    life.states.append(state_of(bench, case_id))
    life.stage, life.kinds, life.told = life.states[-1].stage, bench.tables.kinds(case_id), bench.tables.told(case_id)
    life.hear_its_end = _told_since(bench, case_id, life.states[-1].closed_at)
    life.told_again = await bench.tell_again(case_id)
    await until_it_ends(bench, door, case_id)
    life.last, life.kinds_at_end = bench.state(case_id), bench.tables.kinds(case_id)
    life.told_at_end = bench.tables.told(case_id)
    for facts in bench.tables.facts(case_id):
        if "moment" in facts:
            life.moments.setdefault(facts["clock"], []).append(facts["moment"])
    for run in await runs_of(bench.client, case_id):
        kinds = Counter(event.event_type for event in run.events)
        life.timers[True] += kinds[TIMER_STARTED]
        life.timers[False] += sum(kinds[each] for each in TIMER_OVER)
    life.faults = await bench.faults(case_id)
    return life


async def _has_told(bench: CaseBench, case_id: str, procedure: Procedure, walk: Walk) -> None:
    """Give the case a moment for what it tells by itself after the last command; what stands then is for the laws to judge."""
    if not walk.steps:
        return
    with suppress(AssertionError):
        await eventually(lambda: sorted(bench.tables.kinds(case_id)) == kinds_of(procedure, walk), within=10)


def _told_since(bench: CaseBench, case_id: str, moment: datetime | None) -> set[str]:
    """Who is told anything with the entries since a moment."""
    since = {
        entry["seq"]
        for entry in bench.tables.chain(case_id)
        if moment and datetime.fromisoformat(entry["at"]) >= moment
    }
    return {notice["recipient"] for (seq, _), notice in bench.tables.notices[case_id].items() if seq in since}


def left_alone(procedure: Procedure) -> Walk:
    """A walk on which nobody does anything."""
    return Walk("left alone from its opening on", (), examples(procedure).NOBODY_ANSWERS)


@EVERY_WALK
async def test_a_walk_leads_where_the_table_says(procedure: Procedure, walk: Walk, lived: Lived) -> None:
    """Every way a case can go ends at the stage it is to end at."""
    assert (await lived(procedure, walk)).stage == walk.stage


@EVERY_WALK
async def test_twice_is_once(procedure: Procedure, walk: Walk, lived: Lived) -> None:
    """A case whose every command is given twice has the entries that stand written for the walk, where each was given once."""
    life = await lived(procedure, walk)

    assert sorted(life.kinds) == kinds_of(procedure, walk)
    assert life.unlike == []


@EVERY_WALK
async def test_it_replays_and_its_chain_verifies(procedure: Procedure, walk: Walk, lived: Lived) -> None:
    """Every run of a case replays under today's code, its chain is whole, and history and ledger vouch for each other."""
    assert (await lived(procedure, walk)).faults == []


@EVERY_WALK
async def test_no_timer_is_left(procedure: Procedure, walk: Walk, lived: Lived) -> None:
    """A case that has ended has fired or cancelled every timer it ever started."""
    timers = (await lived(procedure, walk)).timers

    assert timers[True] > 0
    assert timers[True] == timers[False]


@EVERY_WALK
async def test_it_ends_once_wherever_it_is_left(procedure: Procedure, walk: Walk, lived: Lived) -> None:
    """Wherever people leave a case, it ends by itself and says so once; what it tells till then stands written for the walk.

    That is so too when all that other cases told it comes a second time.
    """
    life = await lived(procedure, walk)
    alone = Counter(life.kinds_at_end) - Counter(life.kinds)

    assert life.last is not None
    assert life.last.ended
    assert Counter(life.kinds_at_end)["case:ended"] == 1
    assert sorted(alone.elements()) == kinds_left_alone(procedure, walk)


@EVERY_WALK
async def test_who_is_told_is_told_what_and_when_stands_written(procedure: Procedure, walk: Walk, lived: Lived) -> None:
    """Whoever is told anything on a walk, and after it, is told that and nothing else: after which command, or by itself.

    A command may come in one task with an answer from outside; then nobody can tell after which of them it was.
    """
    life = await lived(procedure, walk)
    alone = left_of(life.told_at_end, life.told)

    assert not [each for each in whom(life.told_at_end) if each.startswith(" ")], "a word to nobody"
    assert whom(life.told) == whom(told_on(procedure, walk))
    assert whom(alone) == whom(told_left_alone(procedure, walk))
    if not any(line.startswith(TOGETHER) for line in life.told_at_end):
        assert life.told == told_on(procedure, walk)
        assert alone == told_left_alone(procedure, walk)


@pytest.mark.parametrize("ending", [each for of in PROCEDURE_LIST for each in endings_of(of)], ids=str)
async def test_who_waits_for_a_case_hears_its_end(ending: Ending, lived: Lived) -> None:
    """With the entry that ends a case goes a notice to whoever it is for, on every walk of every procedure."""
    told = (await lived(*ending)).hear_its_end

    assert any(map(ending.is_heard_by, told)), told


async def test_messages_were_told_again(lived: Lived) -> None:
    """Among the walks are some whose cases hear of others: there the law of the second telling has something to judge."""
    whistle = next(each for each in PROCEDURE_LIST if each.name == "whistle")
    again = [(await lived(whistle, walk)).told_again for walk in examples(whistle).WALKS]

    assert max(again) > 1


@EVERY_PROCEDURE
async def test_a_case_nobody_answers_ends(procedure: Procedure, lived: Lived) -> None:
    """Whoever is silent, a case does not run for ever: after the last tier and the final limit it ends by itself."""
    life = await lived(procedure, left_alone(procedure))

    assert life.last is not None
    assert (life.last.stage, life.last.ended) == (examples(procedure).NOBODY_ANSWERS, True)
    assert Counter(life.kinds_at_end)["case:ended"] == 1
    assert life.faults == []


@EVERY_PROCEDURE
async def test_each_tier_fires_once_in_order(procedure: Procedure, lived: Lived) -> None:
    """A clock warns, breaches and climbs its tiers in this order, each once."""
    life = await lived(procedure, left_alone(procedure))

    assert life.moments
    for clock, fired in life.moments.items():
        expected = moments_of(declared(procedure).timers[clock.partition(":")[0]])
        assert expected[: len(fired)] == fired


def moments_of(timer: Timer) -> list[str]:
    """What a clock says, in order; one that does not warn begins with its breach."""
    return MOMENTS if timer.warns else MOMENTS[1:]


@some_procedures("who writes it down")
async def test_the_same_people_are_told_the_same_whoever_writes_it_down(procedure: Procedure, bench: CaseBench) -> None:
    """A case that tells the ledger with its answers, and one that writes all by itself: the same entries, the same notices."""
    walk, told = examples(procedure).MAIN, []
    for with_answers in (True, False):
        bench.tells_with_answers = with_answers
        case_id = await bench_door(bench, procedure).walk(walk)
        await bench.at_rest(case_id)
        await _has_told(bench, case_id, procedure, walk)
        notices = Counter((each["recipient"], each["template"]) for each in bench.tables.notices[case_id].values())
        told.append((Counter(bench.tables.kinds(case_id)), notices, bool(bench.tables.made[case_id])))
    (kinds, notices, changes), (kinds_before, notices_before, changes_before) = told

    assert kinds == kinds_before
    assert notices == notices_before
    assert (
        changes or procedure.parent is not None
    )  # all that a child does, its parent is told of: that it writes by itself
    assert not changes_before


def declared(procedure: Procedure) -> DeclaredProcedure:
    """The procedure as it is declared; all are."""
    assert isinstance(procedure, DeclaredProcedure)
    return procedure


def runs_on(procedure: Procedure) -> bool:
    """Whether its last limit is declared to run on when the case goes to another stage."""
    return declared(procedure).timers[declared(procedure).last_limit].runs_on


def comes_to_it(procedure: Procedure) -> bool:
    """Whether a case of it that is left alone comes to its last limit. A hall's year is over before, whoever is silent."""
    nobody = examples(procedure).NOBODY_ANSWERS
    return any(nobody in rule.to for rule in procedure.rules if rule.automatic and rule.command == "expire")


LAST_LIMIT_STOPS = [each for each in PROCEDURE_LIST if not runs_on(each) and comes_to_it(each)]
RUNS_ON_AT_WORK = next(each for each in PROCEDURE_LIST if each.name == "incident")
"""Its last limit is declared to run on, and does while people go on; the others of these have methods that stop it."""


@pytest.mark.parametrize("procedure", [*LAST_LIMIT_STOPS, RUNS_ON_AT_WORK], ids=lambda each: each.name)
async def test_the_last_limit_stops_with_the_next_stage(procedure: Procedure, bench: CaseBench) -> None:
    """Somebody acts at last, and the case goes on: it does not end while they are at it, unless its limit is declared to run on."""
    door, last = bench_door(bench, procedure), declared(procedure).last_limit
    case_id = await door.start(key="late")

    async def its_last_limit_runs() -> bool:
        if "clock:final_limit" not in bench.tables.kinds(case_id):
            await bench.let_pass(timedelta(days=1))
        return "clock:final_limit" in bench.tables.kinds(case_id)

    await eventually(its_last_limit_runs)
    late = state_of(bench, case_id)
    for step in examples(procedure).MAIN.steps:
        now = state_of(bench, case_id).stage
        if now == late.stage and any(rule.command == step.command and now in rule.at for rule in procedure.rules):
            await door.go(case_id, [step])  # what came by itself while nobody acted is not done again
    status = [state_of(bench, case_id).clocks[last].status, late.clocks[last].status]

    assert state_of(bench, case_id).stage != late.stage
    assert status == [Status.RUNNING if runs_on(procedure) else Status.STOPPED, Status.RUNNING]


@pytest.fixture
def short_runs(bench: CaseBench) -> Iterator[CaseBench]:
    """The same bench, where a run ends after a few commands: Temporal knows nothing then of what the run before was told."""
    usual, bench.history_limit, bench.tells_with_answers = bench.history_limit, 14, True
    yield bench
    bench.history_limit = usual


@some_procedures("repeats in later runs", ALONE)
async def test_a_repeat_in_a_later_run_is_answered_as_the_first(procedure: Procedure, short_runs: CaseBench) -> None:
    """Whatever was given before comes again after each step, also in a later run: the answer is the first one, once it is done."""
    door, walk = bench_door(short_runs, procedure), examples(procedure).MAIN
    case_id = await door.start(key="short runs")
    firsts: list[object] = []
    for number, step in enumerate(walk.steps):
        given = await door.give(case_id, step, key=f"short-{number}")
        assert given.status_code == 200, f"{step}: {given.text}"
        firsts.append(given.json()["accepted"])
        for earlier, first in enumerate(firsts):
            if state_of(short_runs, case_id).ended or state_of(short_runs, case_id).stage == walk.stage:
                break  # it may end at any moment, and takes nothing then
            again = await door.give(case_id, walk.steps[earlier], key=f"short-{earlier}")
            assert (again.status_code, again.json().get("accepted")) == (200, first), again.text
    await _has_told(short_runs, case_id, procedure, walk)

    assert sorted(short_runs.tables.kinds(case_id)) == kinds_of(procedure, walk)
    assert len(await runs_of(short_runs.client, case_id)) > 1


@EVERY_PROCEDURE
async def test_the_table_judges_every_cell(procedure: Procedure, lived: Lived) -> None:
    """At each stage of each walk, whoever it is: a command is legal only by a row for the role and the stage, else refused.

    Role, scope, end, stage, conditions, in this order: of what is told first depends what somebody learns of a case.
    """
    seen: Counter[str] = Counter()
    lives = [await lived(procedure, walk) for walk in examples(procedure).WALKS]
    states = [state for life in lives for state in (*life.states, life.last) if state is not None]
    rules = ToldOnce(procedure.rules.rules)
    by_people = [rule for rule in rules if not rule.automatic]
    rows = {
        (command, role): [
            (rule, by) for rule in by_people if rule.command == command for by in rule.by if by.role is role
        ]
        for command in procedure.commands
        for role in Role
    }
    for state in {(state.stage, state.ended): state for state in states}.values():
        final = all(state.stage not in rule.at for rule in rules)
        seats = {(seat.kind, seat.subject) for seat in state.seats()}
        for actor in everybody(state):
            now = state.last_at or state.opened_at
            rules.forget()
            legal = rules.legal(state, actor, now)
            for command in procedure.commands:
                refusal, hangs_on = (
                    rules.check(state, command, actor, now),
                    expected(rows[command, actor.role], state, seats, actor, ended=state.ended or final),
                )
                seen[hangs_on] += 1

                assert (refusal is None) == (command in legal)
                assert (refusal.code if refusal else "") in _CODES[hangs_on]
    print(f"{procedure.name}: {seen.total()} cells, {dict(seen)}")  # noqa: T201 - the count is asked for

    assert seen.keys() == _CODES.keys()


Seats = set[tuple[str, str | None]]
"""Of what kind, and whose, the seats in a case are."""

_CODES: dict[str, set[str]] = {
    "role": {RefusalCode.NOT_YOUR_ROLE},
    "case": {RefusalCode.NOT_YOUR_CASE},
    "end": {RefusalCode.CASE_ENDED},
    "stage": {RefusalCode.NOT_NOW},
    "conditions": {"", RefusalCode.AGAINST_THE_RULES},
}


def everybody(state: CaseState) -> list[Actor]:
    """Every role, by area (its own, a wider one, others, none), department and account: also of whoever reported."""
    areas = (
        None,
        state.area,
        state.area.rpartition(".")[0] or None,
        "999999",
        f"{state.area}9",
        state.area[:-1] or None,
    )
    return [
        Actor(subject=subject, role=role, department=department, area=area)
        for role in Role
        if role is not Role.ENGINE
        for area in areas
        for department in (state.department, "water-supply")
        for subject in dict.fromkeys(
            ("somebody", state.reporter_subject or "somebody", *(seat.subject or "" for seat in state.seats()))
        )
    ]


def expected(mine: list[tuple[Rule, By]], state: CaseState, seats: Seats, actor: Actor, *, ended: bool) -> str:
    """What a command hangs on for somebody of whose role these rows are, said once more in other words than the table's own."""
    if not mine:
        return "role"
    near = actor.area is None or f"{state.area}.".startswith(f"{actor.area}.")
    fits = {
        "anybody": True,
        "neighbour": True,
        "reporter": state.reporter_subject is not None and actor.subject == state.reporter_subject,
        "holder": near and actor.department == state.department,
        "area": near,
    }
    granted = [
        rule
        for rule, by in mine
        if ((by.seat, actor.subject) in seats if by.scope is Scope.PARTICIPANT else fits[by.scope.value])
    ]
    if not granted:
        return "case"
    if ended:
        return "end"
    return "conditions" if any(state.stage in rule.at for rule in granted) else "stage"
