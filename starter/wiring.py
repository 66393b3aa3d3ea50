"""What an API is made of: read and built once, before it answers anything."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import asyncpg
import httpx

from audit.replay.reading import Auditing
from engine.keys.counterpart_keys import Counterpart, load_counterpart_keys
from engine.keys.department_keys import load_department_keys
from engine.keys.key_ring import KeyRing
from engine.keys.keys import Keys
from engine.keys.tokens import Verifier
from engine.outside.ballot_boxes import BallotBoxGateway
from engine.outside.banks import BankGateway
from engine.outside.signed_calls import http_client
from engine.policies.advice_policy import load_advice
from engine.policies.area_shapes import load_area_shapes
from engine.policies.areas import load_areas
from engine.policies.ballot_box_policy import FILE as BALLOT_BOX_FILE
from engine.policies.ballot_box_policy import load_ballot_box
from engine.policies.bank_policy import load_bank
from engine.policies.call_gateway_policy import FILE as CALL_GATEWAY_FILE
from engine.policies.call_gateway_policy import load_call_gateway
from engine.policies.department_policy import load_departments
from engine.policies.document_policy import load_document_policy
from engine.policies.gauge_policy import load_gauges
from engine.policies.office_hours import load_town_calendar
from engine.policies.policies import load_policy
from engine.policies.source_policy import load_sources
from engine.runtime.settings import Settings
from engine.store.announcer import Announcer
from engine.store.payment_books import payers_of
from engine.store.voters import VoterRegister
from engine.vault.documents import Documents, open_store
from engine.vault.vault import Vault
from schemas.clocks.town_time import TownTime
from schemas.contracts.ballot_box import BallotBoxPolicy
from schemas.contracts.department import Gateway
from schemas.contracts.department_policy import DepartmentRegister, Name
from schemas.contracts.means import SourceRegister
from schemas.kernel.case import Charter
from schemas.kernel.policy import Policy
from schemas.kernel.procedure import Procedure
from schemas.values.areas import AreaName, Areas
from starter.auditors.audit import auditing_of
from starter.auditors.replays import Replays
from starter.care_platforms import load_platform_keys
from starter.cases.announcements import Announcements
from starter.cases.case_reading import CaseReader
from starter.cases.dispatch_help import DispatchHelp
from starter.cases.documents import Attachments
from starter.cases.passes import Passes
from starter.cases.public import Residents
from starter.cases.reading import Reading
from starter.cases.resident_codes import ResidentCodes
from starter.counterparts.reconciliations import Books
from starter.counterparts.signatures import Signers
from starter.http.authentication import Guard
from starter.http.command_bodies import command_body_of
from starter.http.counts import Counts
from starter.http.health import Watch
from starter.http.shared_rates import SharedRates
from starter.http.upload_memory import UploadMemory
from starter.incident_gauge_keys import load_gauge_keys
from starter.intake.answers import Answering
from starter.intake.category_search import load_synonyms
from starter.intake.delivery import ConnectTemporal, Delivery
from starter.intake.filing import Filing
from starter.intake.intake import Intake
from starter.intake.postbox import Postbox
from starter.intake.public_notices import NoticeBoard
from starter.intake.relay import Relay
from starter.intake.town_rules import TownRules
from starter.intake.votes import Polls
from starter.open311.door import Open311, open_311
from starter.warning_houses import load_houses
from starter.warning_issuers import load_issuer_keys
from workflows.registry import PROCEDURES

HOUR_SECONDS = 3600.0


@dataclass(frozen=True)
class ApiServices:
    """One of each kind: what routes ask for (starter/http/dependencies.py), and what runs beside them."""

    pool: asyncpg.Pool
    guard: Guard
    watch: Watch
    town: TownRules
    reading: Reading
    attachments: Attachments
    residents: Residents
    answering: Answering
    filing: Filing
    notice_board: NoticeBoard
    delivery: Delivery
    signers: Signers
    books: Books
    auditing: Auditing
    replays: Replays
    open311: Open311
    polls: Polls
    vault_ring: KeyRing
    """The vault's master keys, for who closes texts beside the vault (console/drafts/)."""

    announcer: Announcer
    """Tells APIs of what this one has written; for its last words."""

    bank_client: httpx.AsyncClient
    """The connections of the gateways to bank and ballot box, for closing."""

    def of_routes(self) -> tuple[object, ...]:
        """What routes ask for."""
        return (
            self.pool, self.guard, self.watch, self.town, self.reading, self.attachments, self.residents, self.answering,
            self.filing, self.notice_board, self.delivery, self.signers, self.books, self.auditing, self.replays, self.open311,
            self.polls,
        )  # fmt: skip


def build_services(
    settings: Settings, keys: Keys, pool: asyncpg.Pool, connect_temporal: ConnectTemporal, town_time: TownTime
) -> ApiServices:
    """Read the town's rules and wire the services. Raises as `create_app`."""
    town = read_town_rules(settings, town_time)
    vault, counts, documents_policy = Vault(keys), Counts(), load_document_policy(settings.policies)
    announcer = Announcer(pool)
    postbox = Postbox(pool, announcer)
    delivery = Delivery(connect_temporal, settings.task_queue, town.procedures, postbox, counts.number_taken)
    reader = CaseReader(pool, vault, town.procedures)
    announcements = Announcements(settings, reader.states)
    relay = Relay(postbox, delivery, counts, reader.states, announcements, settings.untaken_seconds)
    intake = Intake(pool, vault, keys, town_time, town.procedures, policies=town.policies, states=reader.states)
    codes, verifier = ResidentCodes(keys, pool), Verifier.of(settings, keys)
    attachments = Attachments(
        pool=pool,
        vault=vault,
        reader=reader,
        documents=Documents(vault, keys, open_store(settings), documents_policy),
        refused_uploads=SharedRates(
            keys, pool, "refused upload", documents_policy.refused_per_hour / HOUR_SECONDS, HOUR_SECONDS
        ),
        upload_memory=UploadMemory(documents_policy.bytes_max),
    )
    answering = Answering(
        reader, announcements, postbox, relay, codes, intake.now, patience_seconds=settings.delivery_patience_seconds
    )
    dispatch_help = DispatchHelp(load_advice(settings.policies))
    filing = Filing(town, vault, reader, attachments, intake, relay, answering, dispatch_help)
    bank = load_bank(settings.policies / "banks.yaml", settings.bank_url)
    banks = [bank.code] if bank.gateway is Gateway.HTTP else []
    calls = load_call_gateway(settings.policies / CALL_GATEWAY_FILE, settings.call_gateway_url)
    calling = [calls.code] if calls.gateway is Gateway.HTTP else []
    served = [each.code for each in town.departments.departments if each.gateway is Gateway.HTTP]
    signers = Signers(
        departments=load_department_keys(settings.key_folder, served),
        banks=load_counterpart_keys(settings.key_folder, banks, Counterpart.BANK),
        platforms=load_platform_keys(settings),
        call_gateways=load_counterpart_keys(settings.key_folder, calling, Counterpart.CALL_GATEWAY),
        issuers=load_issuer_keys(settings),
        gauges=load_gauge_keys(settings),
    )
    bank_client = http_client()
    rates = SharedRates(keys, pool, "request", settings.requests_per_token, settings.burst_seconds)
    guard = Guard(verifier, rates)
    return ApiServices(
        pool=pool,
        guard=guard,
        watch=Watch(settings, pool, counts, intake.now, delivery.reachable, postbox.backlog),
        town=town,
        reading=Reading(pool, vault, reader, announcements, intake.now, dispatch_help),
        attachments=attachments,
        residents=Residents(pool, vault, reader, town.procedures, codes, Passes(keys), verifier),
        answering=answering,
        filing=filing,
        notice_board=NoticeBoard(pool, filing, codes, verifier),
        delivery=delivery,
        signers=signers,
        books=Books(
            pool, payers_of(town.procedures.values()), bank, BankGateway(bank_client, signers.banks), intake.now
        ),
        auditing=auditing_of(pool, keys, settings, delivery),
        replays=Replays(pool, keys, settings),
        open311=open_311(pool, guard, filing, settings),
        polls=Polls(pool, filing, codes, verifier, VoterRegister(keys), *_way_to_the_box(settings, bank_client)),
        vault_ring=keys.vault,
        announcer=announcer,
        bank_client=bank_client,
    )


def _way_to_the_box(settings: Settings, client: httpx.AsyncClient) -> tuple[BallotBoxPolicy, BallotBoxGateway]:
    """The town's ballot box, and its gateway; of a town without one nobody calls it."""
    box = load_ballot_box(settings.policies / BALLOT_BOX_FILE, settings.ballot_box_url)
    boxes = [box.code] if box.gateway is Gateway.HTTP else []
    return box, BallotBoxGateway(client, load_counterpart_keys(settings.key_folder, boxes, Counterpart.BALLOT_BOX))


def read_town_rules(settings: Settings, town_time: TownTime) -> TownRules:
    """Read what the town has decided. Raises the faults of policies, departments and calendars."""
    register = load_departments(settings.policies / "departments.yaml", settings.departments_url)
    procedures: Mapping[str, Procedure] = {each.procedure.name: each.procedure for each in PROCEDURES}
    codes = tuple(each.code for each in register.departments)
    policies = {
        name: load_policy(procedure, settings.policies, codes)
        for name, procedure in procedures.items()
        if procedure.parent is None
    }
    calendar = load_town_calendar(settings.policies)
    charters = {
        name: Charter(
            policy_version=policy.version,
            calendar=calendar,
            time=town_time,
            history_limit=settings.history_limit,
            tells_tasks_apart=True,
            marks_by_timer=True,
            takes_turns=True,
            once_keys_name_case=True,
            people_as_stated=True,
            keeps_place=True,
            knows_first_run=True,
            people_are_identified=True,
            tells_with_answers=settings.tells_with_answers,
            lists_stage=False,
        )
        for name, policy in policies.items()
    }
    areas = load_areas(settings.policies)
    matters = [each for policy in policies.values() for each in policy.searched()]
    return TownRules(
        policies=policies,
        charters=charters,
        procedures=procedures,
        doors={
            name: {command: command_body_of(model) for command, model in procedure.commands.items()}
            for name, procedure in procedures.items()
        },
        departments=register,
        areas=areas,
        names=_names(
            register, load_sources(settings.policies / "sources.yaml", settings.sources_url), areas, policies.values()
        ),
        shapes=load_area_shapes(settings.policies, areas),
        synonyms=load_synonyms(settings.policies, matters),
        houses=load_houses(settings),
        gauges=load_gauges(settings.policies, areas, frozenset(matters)),
    )


def _names(
    departments: DepartmentRegister, sources: SourceRegister, areas: Areas, policies: Iterable[Policy]
) -> dict[str, Name | AreaName]:
    """What the town calls what stands in it by code. A department that is a source too is called as the department."""
    names: dict[str, Name | AreaName] = {source.code: source.name for source in sources.sources}
    names |= {department.code: department.name for department in departments.departments}
    for policy in policies:
        names |= policy.names()
    return names | dict(areas.names)
