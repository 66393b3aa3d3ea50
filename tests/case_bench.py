"""Cases by themselves: Temporal's time-skipping server and our own worker, and in memory what else a town has in Postgres.

The workflows, the doers, the codec, the stamps and their guard, the making of a batch and every check of a chain are the
town's own. In memory are only the tables: ledger, rows, vault, intake. A case is walked while the clock runs as in life;
`until_ended` lets it skip, so that a window of weeks costs a moment.

What must be seen on the real server is not tested here: a slow ledger, dying workers, wake order, the size of a run.
"""

import asyncio
import itertools
import json
import sys
import time
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.api.testservice.v1 import LockTimeSkippingRequest, UnlockTimeSkippingRequest
from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from activities.ballots import BallotBoxes
from activities.calls import Calls
from activities.children import Children
from activities.departments import Departments
from activities.incoming import Incoming
from activities.ledger import Ledger
from activities.means import MeansChecks
from activities.payments import Payments
from activities.reservations import Reservations
from audit.archive.decoded import decoded_events
from audit.archive.manifest import manifest_of
from audit.archive.records import raw_keys
from audit.bundle.check_bundle import (
    current_runs,
    history_faults,
    ledger_against_history,
    ledger_faults,
    place_faults,
    run_chain_faults,
)
from audit.replay.questions import question_faults
from audit.replay.replay import Replay, broken_run_chain, runs_of, strict_replay
from engine.execution.codec import data_converter
from engine.execution.stamp_guard import Forgeries, StampGuard
from engine.execution.temporal import build_worker, connect
from engine.keys.keys import Keys, ensure_keys
from engine.keys.stamps import StampSigner
from engine.policies.areas import load_areas
from engine.policies.ballot_box_policy import FILE as BALLOT_BOX_FILE
from engine.policies.ballot_box_policy import load_ballot_box
from engine.policies.bank_policy import load_bank
from engine.policies.call_gateway_policy import NO_CALL_GATEWAY
from engine.policies.department_policy import load_departments
from engine.policies.office_hours import load_town_calendar
from engine.policies.policies import load_policy
from engine.policies.source_policy import load_sources
from engine.runtime.settings import Settings
from schemas.advice.advice_policy import AdvicePolicy, DispatchHelpRules
from schemas.audit.ledger import facts_of, row_of
from schemas.clocks.calendar import SHANGHAI
from schemas.clocks.clock_facts import Status
from schemas.clocks.clock_schedule import BREACH
from schemas.clocks.clocks import ClockView, milestones
from schemas.clocks.town_time import TownTime
from schemas.kernel.case import CaseState, Charter
from schemas.kernel.policy import Policy
from schemas.kernel.procedure import Procedure
from schemas.kernel.row_change import row_digest
from schemas.values.actor import Written
from schemas.values.search_attributes import SEARCH_ATTRIBUTES
from starter.cases.dispatch_help import DispatchHelp
from starter.http.command_bodies import CommandBody as CommandDoor
from starter.http.command_bodies import command_body_of
from starter.intake.delivery import Delivery
from starter.intake.postbox import Postbox, Submission
from starter.warning_houses import load_houses
from tests.bench_bank import BenchBank, SayingBank
from tests.bench_tables import OpenVault, Tables, Values
from tests.bench_units import BenchUnitBooks
from tests.loaded_once import sandbox_loaded_once
from tests.town_policies import open_to_neighbours
from tests.waiting import eventually
from worker import beside
from workflows.kernel.case import Case
from workflows.registry import PROCEDURES

SERVER = Path(sys.executable).parent / "temporal-test-server"
NAMESPACE = "default"
QUEUE = "bench"
A_MONDAY = datetime(2026, 6, 1, 9, tzinfo=SHANGHAI)
"""When every case begins by its own clock: the offices are open."""

TODAY = {name: not each.default for name, each in Charter.model_fields.items() if each.annotation is bool}
"""The flags of a case of today: each says that it is not as cases from before were. A live case is compared with it."""

STRETCH = timedelta(hours=12)
"""So much time is let pass with one call."""

STANDS_STILL_SECONDS = 4.0
"""So long a clock that may skip goes on as in life only while something is under way outside of the cases."""

LEAVES_NO_ENTRY = ("tell/", "ask_of_death/")
"""Errands that may be over and still stand in a row: a letter that has arrived, a register that knows of no death."""

NOT_TOLD = "signal-copied:"
"""This server leaves out which case sent a signal; on the real one it is asked for (audit/bundle/check_bundle.py)."""


_UNDER_WAY = (EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED)
_OF_A_TASK = (
    *_UNDER_WAY,
    EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
)


@dataclass(frozen=True)
class BenchRules:
    """What an opening asks of the town's rules (starter/intake/town_rules.py)."""

    policies: Mapping[str, Policy]
    charters: Mapping[str, Charter]
    houses: Mapping[str, str]


@dataclass(frozen=True)
class BenchFiling:
    """What an opening asks of what it is taken in with (starter/intake/filing.py)."""

    vault: OpenVault
    town: BenchRules
    dispatch_help: DispatchHelp


NOTHING_LEARNED = AdvicePolicy(dispatch_help=DispatchHelpRules(offered=False))
"""A town that wants no proposals: there is no database in which a model could lie."""


@dataclass(
    repr=False
)  # asyncio spells out what a fixture has returned, three times, and there everything that was declared
class CaseBench:
    """A server whose time skips, a worker, and the tables."""

    environment: WorkflowEnvironment
    client: Client
    settings: Settings
    keys: Keys
    tables: Tables
    vault: OpenVault
    policies: Mapping[str, Policy]
    replay: Replay
    procedures: Mapping[str, Procedure]
    taken_in: dict[tuple[str, str, str], Submission] = field(default_factory=dict)
    documents: dict[str, Values] = field(default_factory=dict)
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    history_limit: int = Charter.model_fields["history_limit"].default
    tells_with_answers: bool = True
    _looked_at: set[str] = field(default_factory=set)
    _read: dict[str, tuple[Values, CaseState]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        async def connected() -> Client:
            return self.client

        self.signer = StampSigner(self.keys)
        self.postbox = Postbox(self.tables)  # type: ignore[arg-type]
        self.delivery = Delivery(connected, QUEUE, self.procedures, self.postbox)
        self.areas = load_areas(self.settings.policies)
        self.doors: Mapping[str, Mapping[str, CommandDoor]] = {
            name: {command: command_body_of(model) for command, model in procedure.commands.items()}
            for name, procedure in self.procedures.items()
        }
        self._calendar = load_town_calendar(self.settings.policies)

    def state(self, case_id: str) -> CaseState | None:
        """A case as it last told of itself."""
        row = self.tables.rows.get(case_id)
        if row is None:
            return None
        if case_id not in self._read or self._read[case_id][0] is not row:
            self._read[case_id] = row, self.procedures[row["procedure"]].state.model_validate(row["snapshot"])
        return self._read[case_id][1]

    def written(self, state: CaseState) -> Written | None:
        """What a command that comes in now says of the ledger (starter/intake/intake.py)."""
        if not state.charter.tells_with_answers:
            return None
        seq, head_hash = self.tables.head(state.case_id)
        return Written(seq=seq, head_hash=head_hash, row=self.tables.rows[state.case_id]["row_digest"])

    async def filing(self) -> BenchFiling:
        """For a case that begins now: by its own clock it is that Monday."""
        time = TownTime.starting(A_MONDAY, await self.environment.get_current_time(), 1)
        charters = {
            name: Charter(
                policy_version=policy.version,
                calendar=self._calendar,
                time=time,
                history_limit=self.history_limit,
                **TODAY | {"tells_with_answers": self.tells_with_answers},
            )
            for name, policy in self.policies.items()
        }
        return BenchFiling(
            self.vault, BenchRules(self.policies, charters, load_houses(self.settings)), DispatchHelp(NOTHING_LEARNED)
        )

    async def now(self, state: CaseState) -> datetime:
        """Town time, by the clock of a case."""
        return state.charter.time.to_town(await self.environment.get_current_time())

    async def at_rest(self, case_id: str) -> None:
        """Wait until nothing is under way that the case does outside; what is on its way to other cases may be."""

        def resting() -> bool:
            state = self.state(case_id)
            return state is not None and all(errand.startswith(LEAVES_NO_ENTRY) for errand in state.errands)

        await eventually(resting)

    async def between_tasks(self, case_id: str) -> None:
        """Wait until no workflow task of a case is under way.

        This server fails a task that continues as new when an update comes meanwhile; what the ledger was told is then told anew,
        and the update is judged before that.
        """

        async def none_under_way() -> bool:
            events = (await self.client.get_workflow_handle(case_id).fetch_history()).events
            last = next((each.event_type for each in reversed(events) if each.event_type in _OF_A_TASK), None)
            return last not in _UNDER_WAY

        await eventually(none_under_way)

    async def tell_again(self, case_id: str) -> int:
        """Send a case that goes on whatever other cases have told it, once more as it came; how much that was."""
        told = [
            event.workflow_execution_signaled_event_attributes
            for run in await runs_of(self.client, case_id)
            for event in run.events
            if event.HasField("workflow_execution_signaled_event_attributes")
        ]
        if self.tables.rows[case_id]["ended"]:
            return 0
        for message in told:
            await self.client.workflow_service.signal_workflow_execution(
                SignalWorkflowExecutionRequest(
                    namespace=NAMESPACE,
                    workflow_execution=WorkflowExecution(workflow_id=case_id),
                    signal_name=message.signal_name,
                    input=message.input,
                    request_id=uuid.uuid4().hex,
                )
            )
        return len(told)

    async def let_pass(self, duration: timedelta) -> None:
        """Let so much time pass, and no more: a stretch after the other, as the server must answer within its own time.

        Cases that were left to themselves before may end meanwhile, and hold the clock.
        """
        until = await self.environment.get_current_time() + duration
        while (left := until - await self.environment.get_current_time()) > timedelta(0):
            asleep = asyncio.ensure_future(self.environment.sleep(min(left, STRETCH)))
            await eventually(partial(self._is_over, asleep), within=60)
            await asleep

    async def _is_over(self, asleep: "asyncio.Future[None]") -> bool:
        if not asleep.done():
            await self._let_go()
        return asleep.done()

    async def until_told(self, case_id: str, kind: str, times: int = 1) -> None:
        """Let as much time pass as the case's clocks take until it has told an entry of this kind so many times."""
        passed: list[datetime] = []

        async def told() -> bool:
            await self.at_rest(case_id)
            if self.tables.kinds(case_id).count(kind) >= times:
                return True
            state = self.state(case_id)
            now = await self.now(state) if state is not None else None
            running = [] if state is None else [each for each in state.clock_views() if each.status is Status.RUNNING]
            if state is not None and now is not None and _still_to_tell(state, running, now):
                return False  # what has passed stands in no row yet: the next clock may be one that it starts
            due = [each.due_at for each in running if each.due_at is not None]
            later = min((each for each in due if now is not None and each > now), default=None)
            if later is None and state is not None and now is not None:
                later = _next_moment(state, now)
            if later is not None and now is not None and later not in passed:
                passed.append(later)
                await self.let_pass(later - now)
            return False

        await eventually(told, within=60)

    async def until_ended(self, case_id: str) -> None:
        """Let time skip until the case has ended, of itself if nobody does anything."""
        stands_since = [(await self.environment.get_current_time(), time.monotonic())]

        async def told() -> bool:
            if not self.tables.rows[case_id]["ended"]:
                await self._let_go()
                await self._let_go_on(stands_since)
            return bool(self.tables.rows[case_id]["ended"])

        service = self.environment.client.test_service
        await service.unlock_time_skipping(UnlockTimeSkippingRequest())
        try:
            await eventually(told)
        finally:
            await service.lock_time_skipping(LockTimeSkippingRequest())
        await eventually(partial(self._completed, case_id))

    def _row_faults(self, case_id: str) -> list[str]:
        """Where a row that came out of a change is another one than its case would have told whole at that moment."""
        faults: list[str] = []
        for digest, made in self.tables.made[case_id]:
            state = self.procedures[made["procedure"]].state.model_validate(made["snapshot"])
            whole = row_of(state, facts_of(state))
            if json.loads(whole) != made or row_digest(whole) != digest:
                faults.append(f"row-changed: entry {made['seq']}: what came out of the change is not the row")
        return faults

    async def _let_go_on(self, stands_since: list[tuple[datetime, float]]) -> None:
        """Take one more hold from a clock that has not skipped for a while: this server keeps some of what it should forget."""
        (moment, looked), now = stands_since[-1], await self.environment.get_current_time()
        waited = time.monotonic() - looked
        if now - moment > timedelta(seconds=2 * waited + 1):
            stands_since.append((now, time.monotonic()))
        elif waited > STANDS_STILL_SECONDS:
            stands_since.append((now, time.monotonic()))
            with suppress(RPCError):  # nothing holds it
                await self.environment.client.test_service.unlock_time_skipping(UnlockTimeSkippingRequest())

    async def _let_go(self) -> None:
        """Take from the clock what this server forgets to: a child that ends after its parent holds it for ever."""
        for case_id, row in list(self.tables.rows.items()):
            parent = row["snapshot"].get("parent")
            if parent is None or case_id in self._looked_at or not row["ended"]:
                continue
            if not (
                self.tables.rows[parent]["ended"] and await self._completed(parent) and await self._completed(case_id)
            ):
                continue
            self._looked_at.add(case_id)
            events = [event for run in await runs_of(self.client, parent) for event in run.events]
            if not any(
                event.child_workflow_execution_completed_event_attributes.workflow_execution.workflow_id == case_id
                for event in events
            ):
                await self.environment.client.test_service.unlock_time_skipping(UnlockTimeSkippingRequest())

    async def _completed(self, case_id: str) -> bool:
        described = await self.client.get_workflow_handle(case_id).describe()
        return described.status is WorkflowExecutionStatus.COMPLETED

    async def faults(self, case_id: str) -> list[str]:
        """What the checks of the town find wrong with a case that has ended: chain, history, both together, strict replay.

        And what the guard, the ledger or a delivery took for somebody else's: here there is nobody else.
        """
        chain, codec = self.tables.chain(case_id), data_converter(self.keys).payload_codec
        assert codec is not None
        found = list(
            ledger_faults(
                case_id,
                list(self.tables.entries[case_id].values()),
                self.tables.head(case_id),
                raw_keys(self.keys.stamp_ring),
            )
        )
        runs = await runs_of(self.client, case_id)
        found += broken_run_chain(runs)
        manifests: list[Values] = []
        decoded: dict[str, list[Values]] = {}
        for number, run in enumerate(runs, start=1):
            events = list(run.events)
            started = events[0].workflow_execution_started_event_attributes
            started.workflow_id, run_id = (
                case_id,
                started.original_execution_run_id,
            )  # this server leaves out whose start it is
            manifest = (await manifest_of(case_id, run_id, events, None, codec)).model_dump(mode="json")
            manifest["previous_sha256"] = manifests[-1]["sha256"] if manifests else None
            plain = await decoded_events(events, codec)
            found += history_faults(case_id, manifest, plain)
            found += [fault for fault in place_faults(case_id, run_id, plain) if not fault.startswith(NOT_TOLD)]
            found += question_faults(case_id, run_id, plain)
            replayed = await self.replay(case_id, run, True)
            found += [f"run {number}: {fault}" for fault in replayed if not fault.startswith(NOT_TOLD)]
            manifests.append(manifest)
            decoded[run_id] = plain
        found += run_chain_faults(case_id, manifests, ended=True)
        current = [(manifest, decoded[manifest["run_id"]]) for manifest in current_runs(manifests)]
        found += self._row_faults(case_id)
        found += [f"put on record as {row[1]}" for row in self.tables.refusals if row[0] == case_id]
        now = await self.environment.get_current_time()
        return [*found, *ledger_against_history(case_id, chain, current, now)]


def _next_moment(state: CaseState, now: datetime) -> datetime | None:
    """When a clock of a case says something next, once none is due any more: a tier of one that is broken."""
    coming = (each.at for clock in state.clocks.values() for each in milestones(clock, state.charter.calendar))
    return min((each for each in coming if each > now), default=None)


def _still_to_tell(state: CaseState, running: Sequence[ClockView], now: datetime) -> bool:
    """Whether the time of a clock is over, and the case as it last told of itself says nothing of that."""
    over = (each.name for each in running if each.due_at is not None and each.due_at <= now)
    return any(BREACH not in state.clocks[name].fired for name in over)


@asynccontextmanager
async def case_bench(
    folder: Path,
    *,
    sandbox: bool = True,
    cases: Sequence[type[Case[Any]]] = PROCEDURES,
    ballots: BallotBoxes | None = None,
    calls: Calls | None = None,
    bank: SayingBank | None = None,
) -> AsyncIterator[CaseBench]:
    """A bench with keys and rules of its own, in an empty folder. `cases`: what its worker knows; those of the town.

    `ballots`: how the ballot box is asked; None: there is none, and votes are on paper. `calls`: the call gateway; None: none.
    `bank`: what it says of payments; None: there is none, and each is a person's.
    """
    keys = ensure_keys(folder / "keys")
    settings = Settings(
        data=folder,
        policies=open_to_neighbours(folder),
        temporal_namespace=NAMESPACE,
        task_queue=QUEUE,
        sandbox=sandbox,
    )
    async with AsyncExitStack() as stack:
        environment = await stack.enter_async_context(await time_skipping_server())
        settings = settings.model_copy(
            update={"temporal_address": environment.client.service_client.config.target_host}
        )
        client = await connect(settings, keys)
        await register_search_attributes(client)
        tables, vault = Tables(), OpenVault()
        # As a town replays: the sandbox has watched over the case while it was played.
        outside = settings.model_copy(update={"sandbox": False})
        replay = await stack.enter_async_context(strict_replay(keys, outside, cases))
        register = load_departments(settings.policies / "departments.yaml", None)
        codes = tuple(each.code for each in register.departments)
        policies = {
            each.procedure.name: load_policy(each.procedure, settings.policies, codes)
            for each in PROCEDURES
            if each.procedure.parent is None
        }
        forgeries = Forgeries(tables, lambda: None)  # type: ignore[arg-type]
        await stack.enter_async_context(beside(forgeries.run()))
        worker = build_worker(
            client,
            settings,
            cases,
            _doers(settings, keys, client, tables, vault, ballots, calls, bank),
            [StampGuard(keys.stamp_ring, forgeries, forgeries.foreign)],
            runner=sandbox_loaded_once() if sandbox else None,
        )
        await stack.enter_async_context(worker)
        procedures = {each.procedure.name: each.procedure for each in cases}
        yield CaseBench(environment, client, settings, keys, tables, vault, policies, replay, procedures)


def _doers(
    settings: Settings,
    keys: Keys,
    client: Client,
    tables: Tables,
    vault: OpenVault,
    ballots: BallotBoxes | None,
    calls: Calls | None,
    saying: SayingBank | None,
) -> list[Any]:
    """The town's own doers. Everybody outside is at their desk, so nobody is called and nothing is read for a call."""
    nobody: Any = None

    def uncounted(*_what: str) -> None:
        pass

    ledger = Ledger(tables, keys.stamp_ring)  # type: ignore[arg-type]
    children = Children(client, tables, uncounted)  # type: ignore[arg-type]
    departments = Departments(
        load_departments(settings.policies / "departments.yaml", None), nobody, nobody, settings.api_url, uncounted
    )
    means = MeansChecks(load_sources(settings.policies / "sources.yaml", None), nobody, nobody, uncounted)
    payments = Payments(
        load_bank(settings.policies / "banks.yaml", None if saying is None else "http://127.0.0.1:9"),
        saying or nobody,  # type: ignore[arg-type]
        read_person=nobody,
        read_texts=vault.read_texts,
        notice_base=settings.api_url,
        count_call=uncounted,
    )
    ballots = ballots or BallotBoxes(load_ballot_box(settings.policies / BALLOT_BOX_FILE, None), nobody, uncounted)
    calls = calls or Calls(NO_CALL_GATEWAY, nobody, read_texts=nobody, report_base="", count_call=uncounted)
    bank = load_bank(
        settings.policies / "banks.yaml", "http://127.0.0.1:9"
    )  # never called: its lines lie in the tables
    incoming = Incoming(bank, BenchBank(tables), uncounted)  # type: ignore[arg-type]
    reservations = Reservations(BenchUnitBooks(tables), vault.read_texts, bytes(32))
    return [
        ledger.flush,
        children.free_child_number,
        departments.place_order,
        departments.recall_order,
        departments.rework_order,
        means.ask_source,
        payments.pay,
        payments.payment_status,
        ballots.open_vote,
        ballots.close_vote,
        incoming.incoming,
        reservations.reserve,
        reservations.release,
        ballots.strike_in_box,
        calls.dial,
        calls.call_word,
        calls.send_text,
    ]


async def time_skipping_server() -> WorkflowEnvironment:
    """A time-skipping server. The SDK gives one five seconds to listen: on a busy machine another may be quicker."""
    environments: list[WorkflowEnvironment] = []

    async def listens() -> bool:
        try:
            started = await WorkflowEnvironment.start_time_skipping(test_server_existing_path=str(SERVER))
        except RuntimeError:
            return False
        environments.append(started)
        return True

    await eventually(listens)
    return environments[0]


async def register_search_attributes(client: Client) -> None:
    """What the town registers, on a server that knows none yet."""
    kinds = {
        name: IndexedValueType.Value(f"INDEXED_VALUE_TYPE_{kind.upper()}") for name, kind in SEARCH_ATTRIBUTES.items()
    }
    request = AddSearchAttributesRequest(namespace=NAMESPACE, search_attributes=kinds)
    await client.operator_service.add_search_attributes(request)
