"""A living case goes by the laws of today from its next command on, whatever it did before; and no signal can stop one."""

import ast
import itertools
import uuid
from datetime import UTC, datetime

import asyncpg
import pytest
from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.client import Client

from engine.keys.keys import Keys
from engine.keys.stamps import StampSigner
from engine.runtime.settings import PROJECT, Settings
from schemas.clocks.calendar import SHANGHAI
from schemas.incident import INCIDENT
from schemas.incident_state import IncidentState
from schemas.kernel.case import CaseOutcome
from schemas.kernel.case_file import Urge
from schemas.kernel.procedure import Procedure
from schemas.values.actor import Actor, Role, Stamp
from schemas.values.canonical import digest
from tests.api_driver import ApiDriver, Audited, OpenDoor, Step
from tests.every_procedure import some_procedures
from tests.stranger import Stranger
from tests.waiting import eventually
from worker import town_worker
from workflows.incident import Incident
from workflows.kernel.law import Law
from workflows.registry import PROCEDURES

QUEUE = "laws-of-an-earlier-day"

ASKED_ONCE_A_RUN = frozenset({
    "CLOCKS_ARE_HEARD_FIRST", "CLOCKS_ARE_HEARD_BEFORE_ANSWERS", "FINAL_LIMIT_RUNS_AGAIN", "ORDERS_ARE_RECALLED_AT_THE_END",
    "REWORK_IS_ASKED_FOR", "ANSWERS_ARE_OF_THEIR_QUESTION", "LATER_RUNS_KNOW_THE_FIRST", "A_CHILD_IS_OF_ITS_PARENT",
})  # fmt: skip
"""Patches by which no law hangs: a run that once answered "not patched" to one of them keeps to it until it goes on in the next."""


def asked_of_temporal_alone(tree: ast.AST) -> set[str]:
    """What is asked by `workflow.patched` itself, but in the two methods that ask for laws."""
    return {
        ast.unparse(node.args[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "workflow.patched"
    } - {"law.patch", "f'{law.patch}/{self.state.seq}'"}


def test_no_law_is_asked_for_once_a_run() -> None:
    """What came while cases lived is asked for by `law_holds` or `law_holds_here`: one answer of a run is not good for ever."""
    rooms = (PROJECT / "workflows").rglob("*.py")
    found = {name for file in rooms for name in asked_of_temporal_alone(ast.parse(file.read_text(encoding="utf-8")))}

    assert found == ASKED_ONCE_A_RUN
    assert asked_of_temporal_alone(ast.parse("workflow.patched(SOME_LAW)")) == {"SOME_LAW"}


@workflow.defn(name="incident")
class Earlier(Incident):
    """The incident of a release that knew none of the laws which came since."""

    @workflow.init
    def __init__(self, state: IncidentState) -> None:
        super().__init__(state)

    @workflow.run
    async def run(self, state: IncidentState) -> CaseOutcome:  # noqa: ARG002 - taken by __init__
        """Run the case as it was."""
        return await self.live(self.story)

    def law_holds(self, law: Law) -> bool:  # noqa: ARG002 - whichever it is
        """None of them: no patch was asked."""
        return False

    def law_holds_here(self, law: Law) -> bool:  # noqa: ARG002 - whichever it is
        """Nor of what others bring about."""
        return False


async def reminders(pool: asyncpg.Pool, case_id: str) -> int:
    """How often somebody was reminded."""
    return int(await pool.fetchval("select count(*) from outbox where case_id = $1 and template = 'urged'", case_id))


async def test_what_a_case_did_before_an_upgrade_keeps_no_law_from_it(
    settings: Settings, keys: Keys, temporal: Client, pool: asyncpg.Pool, door: OpenDoor, audited: Audited
) -> None:
    """Urged under the code of an earlier day, then under today's, in one run: the bound on reminders holds from then on."""
    alone = settings.model_copy(update={"task_queue": QUEUE})
    town = await door(INCIDENT, task_queue=QUEUE, patience=settings.delivery_patience_seconds)
    earlier = [Earlier if case is Incident else case for case in PROCEDURES]
    async with town_worker(alone, keys, temporal, pool, procedures=earlier) as worker, worker:
        case_id = await town.start()
        await town.case(case_id, wait="stage:dispatched", timeout="60")
        by = Actor(subject=town.examples.PEOPLE[town.examples.REPORTER].subject, role=Role.RESIDENT)
        urge = Urge()
        stamp = Stamp(
            case_id=case_id,
            command="urge",
            command_id=uuid.uuid4().hex,
            actor=by,
            at=datetime.now(UTC),
            digest=digest(urge),
        )
        signed = StampSigner(keys).sign(stamp)
        await temporal.get_workflow_handle(case_id).execute_update("urge", args=[urge, signed], id=stamp.command_id)
    async with town_worker(alone, keys, temporal, pool) as worker, worker:
        for _ in range(3):
            await town.go(case_id, [Step("urge", town.examples.REPORTER)])
        found = await audited(case_id)

        # One of the earlier release, and one of today's, or two where the test goes on over midnight: the rest is counted.
        at = await pool.fetch(
            "select at from ledger where case_id = $1 and kind = 'incident:urged' order by seq", case_id
        )
        days = {row["at"].astimezone(SHANGHAI).date() for row in at[1:]}
        assert (len(at), await reminders(pool, case_id)) == (4, 1 + len(days))
    assert [finding.detail for finding in found if not finding.ok] == []


async def test_what_a_case_told_nobody_before_an_upgrade_it_tells_after(
    settings: Settings, keys: Keys, temporal: Client, pool: asyncpg.Pool, door: OpenDoor, audited: Audited
) -> None:
    """A report of several, told nothing while the code was old: after it, who takes back a report does so for themselves alone.

    The case has passed the place in the same run before, and answered there that it knows no such law.
    """
    alone = settings.model_copy(update={"task_queue": QUEUE})
    town = await door(INCIDENT, task_queue=QUEUE, patience=settings.delivery_patience_seconds)
    earlier = [Earlier if case is Incident else case for case in PROCEDURES]
    async with town_worker(alone, keys, temporal, pool, procedures=earlier) as worker, worker:
        first, second = await town.start(), await town.start()
        for case_id in (first, second):
            await town.case(case_id, wait="stage:dispatched", timeout="60")
        await town.go(first, [Step("merge", "coordinator", {"into": second})])
        await eventually(lambda: _is_merged(pool, second))
        await town.go(second, BACK_AT_WORK)
        untold = await _told(pool, first)
    async with town_worker(alone, keys, temporal, pool) as worker, worker:
        await town.go(second, [Step("withdraw", town.examples.REPORTER)])
        stage = (await town.case(second))["stage"]
        again = await town.start()
        await town.case(again, wait="stage:dispatched", timeout="60")
        await town.go(again, [Step("merge", "coordinator", {"into": second})])
        await town.go(second, BACK_AT_WORK[1:-1])
        await eventually(lambda: _was_told(pool, again))
        found = [each for case_id in (second, again) for each in await audited(case_id)]

    assert untold == 0
    assert stage == "handling"
    assert [finding.detail for finding in found if not finding.ok] == []


BACK_AT_WORK = (
    Step("sign", "officer"),
    Step("finish", "officer", {"result": "已处理"}),
    Step("verify", "grid_worker", {"passed": True}),
    Step("rate", "coordinator", {"solved": "not", "satisfied": "not"}),
)


async def _is_merged(pool: asyncpg.Pool, case_id: str) -> bool:
    return bool(
        await pool.fetchval("select snapshot -> 'merged_reports' <> '[]' from cases where case_id = $1", case_id)
    )


async def _told(pool: asyncpg.Pool, case_id: str) -> int:
    return int(
        await pool.fetchval("select count(*) from ledger where case_id = $1 and kind = 'incident:followed'", case_id)
    )


async def _was_told(pool: asyncpg.Pool, case_id: str) -> bool:
    return await _told(pool, case_id) > 0


@pytest.mark.usefixtures("worker")
@some_procedures("signals of any shape")
async def test_no_signal_of_any_shape_stops_a_case(
    procedure: Procedure, settings: Settings, door: OpenDoor, pool: asyncpg.Pool
) -> None:
    """Every signal that cases have, with no content, with plain ones, with many: unheard, and the next command is carried out."""
    stranger = Stranger(await Client.connect(settings.temporal_address, namespace=settings.temporal_namespace))
    town: ApiDriver = await door(procedure)
    case_id = await town.start()
    await town.stands(case_id)
    plain = Payload(metadata={"encoding": b"json/plain"}, data=b'{"case_id": 1}')
    listed = Payload(metadata={"encoding": b"json/plain"}, data=b"[]")
    contents: tuple[list[Payload], ...] = ([], [plain], [listed], [plain, plain], [plain] * 50)
    for name, payloads in itertools.product(("message", "set_aside", "nobody-hears-this"), contents):
        await stranger.signal(case_id, payloads, name)
    first = town.examples.MAIN.steps[0]
    answer = await town.taken(case_id, first)

    async def told() -> bool:
        kept = "select count(*) from refusals where case_id = $1 and code = 'out-of-place'"
        return bool(await pool.fetchval(kept, case_id) >= 10)

    assert answer.status_code == 200, answer.text
    await eventually(told)
