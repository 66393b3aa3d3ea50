"""The worker: wiring only. It builds the doers with what they need and runs the procedures of the registry."""

import asyncio
import signal
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
from temporalio.client import Client
from temporalio.worker import Worker

from activities.ballots import BallotBoxes
from activities.calls import Calls
from activities.children import Children
from activities.departments import Departments
from activities.incoming import Incoming
from activities.ledger import Ledger
from activities.means import MeansChecks
from activities.payments import Payments
from activities.reservations import Reservations, TownUnitBooks
from engine.execution.stamp_guard import Forgeries, StampGuard
from engine.execution.temporal import build_worker, connect
from engine.keys.counterpart_keys import Counterpart, load_counterpart_keys
from engine.keys.department_keys import load_department_keys
from engine.keys.keys import Keys
from engine.outside.ballot_boxes import BallotBoxGateway
from engine.outside.banks import BankGateway
from engine.outside.call_gateways import CallGateway
from engine.outside.gateways import HttpGateway, http_client
from engine.outside.sources import SourceGateway
from engine.policies.ballot_box_policy import FILE as BALLOT_BOX_FILE
from engine.policies.ballot_box_policy import load_ballot_box
from engine.policies.bank_policy import load_bank
from engine.policies.call_gateway_policy import FILE as CALL_GATEWAY_FILE
from engine.policies.call_gateway_policy import load_call_gateway
from engine.policies.department_policy import load_departments
from engine.policies.source_policy import load_sources
from engine.runtime.metrics import WorkerCounts, measured_runtime
from engine.runtime.settings import Settings
from engine.store.announcer import Announcer
from engine.store.database import open_pool
from engine.store.fact_references import declare_references
from engine.vault.vault import PersonDetails, Vault
from schemas.contracts.department import Gateway
from schemas.values.actor import Actor, Role
from schemas.values.references import PersonReference, TextReference, Tombstone, Withheld
from workflows.kernel.case import Case
from workflows.registry import PROCEDURES

WORKER = Actor(subject="engine:worker", role=Role.ENGINE)


@asynccontextmanager
async def town_worker(  # noqa: PLR0917 - the parts of a town
    settings: Settings,
    keys: Keys,
    client: Client,
    pool: asyncpg.Pool,
    ledger: Ledger | None = None,
    procedures: Sequence[type[Case[Any]]] = PROCEDURES,
) -> AsyncIterator[Worker]:
    """Build the worker with everything its activities need, and close that again afterwards."""
    register = load_departments(settings.policies / "departments.yaml", settings.departments_url)
    served = [department.code for department in register.departments if department.gateway is Gateway.HTTP]
    department_keys = load_department_keys(settings.key_folder, served)
    sources = load_sources(settings.policies / "sources.yaml", settings.sources_url)
    asked = [source.code for source in sources.sources if source.gateway is Gateway.HTTP]
    source_keys = load_counterpart_keys(settings.key_folder, asked, Counterpart.SOURCE)
    bank = load_bank(settings.policies / "banks.yaml", settings.bank_url)
    banks = [bank.code] if bank.gateway is Gateway.HTTP else []
    bank_keys = load_counterpart_keys(settings.key_folder, banks, Counterpart.BANK)
    box = load_ballot_box(settings.policies / BALLOT_BOX_FILE, settings.ballot_box_url)
    boxes = [box.code] if box.gateway is Gateway.HTTP else []
    box_keys = load_counterpart_keys(settings.key_folder, boxes, Counterpart.BALLOT_BOX)
    by_phone = load_call_gateway(settings.policies / CALL_GATEWAY_FILE, settings.call_gateway_url)
    phones = [by_phone.code] if by_phone.gateway is Gateway.HTTP else []
    phone_keys = load_counterpart_keys(settings.key_folder, phones, Counterpart.CALL_GATEWAY)
    vault = Vault(keys)

    async def read_kept(
        references: Sequence[TextReference], purpose: str, case_id: str
    ) -> Mapping[TextReference, str | Tombstone | Withheld]:
        async with pool.acquire() as connection:
            return await vault.read_texts(connection, references, WORKER, purpose, case_id)

    async def read_texts(
        references: Sequence[TextReference], purpose: str, case_id: str
    ) -> Mapping[TextReference, str]:
        texts = await read_kept(references, purpose, case_id)
        return {reference: str(text) for reference, text in texts.items()}

    async def read_person(
        person: PersonReference, statement: TextReference | None, purpose: str, case_id: str
    ) -> PersonDetails | Tombstone | None:
        async with pool.acquire() as connection:
            return await vault.read_statement(connection, person, statement, WORKER, purpose=purpose, case_id=case_id)

    counts = WorkerCounts(client)
    announcer = Announcer(pool)
    ledger = ledger or Ledger(pool, keys.stamp_ring, counts.flush_retry, announcer)
    forgeries = Forgeries(pool, counts.forged_command)
    children = Children(client, pool, counts.number_taken)
    reservations = Reservations(TownUnitBooks(pool), read_kept, keys.blind_index.active)
    await declare_references(pool, [each.procedure for each in procedures])
    async with http_client() as calls, beside(forgeries.run()), announcer:
        gateway = HttpGateway(calls, department_keys)
        departments = Departments(register, gateway, read_texts, settings.api_url, counts.department_call)
        means = MeansChecks(sources, SourceGateway(calls, source_keys), read_person, counts.source_call)
        at_the_bank = BankGateway(calls, bank_keys)
        incoming = Incoming(bank, at_the_bank, counts.bank_call)
        payments = Payments(
            bank,
            at_the_bank,
            read_person=read_person,
            read_texts=read_kept,
            notice_base=settings.api_url,
            count_call=counts.bank_call,
        )
        ballots = BallotBoxes(box, BallotBoxGateway(calls, box_keys), counts.ballot_box_call)
        telephone = Calls(
            by_phone,
            CallGateway(calls, phone_keys),
            read_texts=read_kept,
            report_base=settings.api_url,
            count_call=counts.call_gateway_call,
        )
        yield build_worker(
            client,
            settings,
            procedures,
            [
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
                telephone.dial,
                telephone.call_word,
                telephone.send_text,
            ],
            [StampGuard(keys.stamp_ring, forgeries, forgeries.foreign)],
        )


@asynccontextmanager
async def beside(task: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run something beside a block, until the block ends."""
    running = asyncio.create_task(task)
    try:
        yield
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running  # its own fault is told, and does not vanish with the block


async def run_worker(settings: Settings, procedures: Sequence[type[Case[Any]]] = PROCEDURES) -> None:
    """Run until SIGTERM, or until cancelled."""
    keys = Keys.of(settings)
    client = await connect(settings, keys, runtime=measured_runtime(settings.worker_metrics))
    async with (
        await open_pool(settings, process="jiceng worker") as pool,
        town_worker(settings, keys, client, pool, procedures=procedures) as worker,
        worker,
    ):
        # Asked to stop, a worker finishes what it has taken in; killed, its cases lose nothing but a few seconds.
        stopped = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
        await stopped.wait()
