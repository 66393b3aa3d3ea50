"""What an API is made of: read and built once, before it answers anything."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import asyncpg
import httpx

from audit.reading import Auditing
from engine.areas import load_areas
from engine.bank_policy import load_bank
from engine.banks import BankGateway
from engine.counterpart_keys import Counterpart, load_counterpart_keys
from engine.department_keys import load_department_keys
from engine.department_policy import load_departments
from engine.document_policy import load_document_policy
from engine.documents import Documents, open_store
from engine.keys import Keys
from engine.office_hours import load_town_calendar
from engine.policies import load_policy
from engine.settings import Settings
from engine.signed_calls import http_client
from engine.source_policy import load_sources
from engine.tokens import Verifier
from engine.vault import Vault
from schemas.areas import AreaName, Areas
from schemas.case import Charter
from schemas.department import Gateway
from schemas.department_policy import DepartmentRegister, Name
from schemas.means import SourceRegister
from schemas.policy import Policy
from schemas.procedure import Procedure
from schemas.town_time import TownTime
from starter.announcements import Announcements
from starter.answers import Answering
from starter.audit import auditing_of
from starter.authentication import Guard
from starter.case_reading import CaseReader
from starter.category_search import load_synonyms
from starter.counts import Counts
from starter.delivery import ConnectTemporal, Delivery
from starter.documents import Attachments
from starter.doors import door_of
from starter.filing import Filing
from starter.health import Watch
from starter.intake import Intake
from starter.postbox import Postbox
from starter.public import Residents
from starter.public_notices import NoticeBoard
from starter.rates import Rates
from starter.reading import Reading
from starter.reconciliations import Books
from starter.relay import Relay
from starter.resident_codes import ResidentCodes
from starter.signatures import Signers
from starter.town_rules import TownRules
from starter.upload_memory import UploadMemory
from workflows.registry import PROCEDURES

HOUR_SECONDS = 3600.0


@dataclass(frozen=True)
class Parts:
    """One of each kind: what routes ask for (starter/dependencies.py), and what runs beside them."""

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
    bank_client: httpx.AsyncClient
    """The gateway's own connections, for closing."""

    def of_routes(self) -> tuple[object, ...]:
        """What routes ask for."""
        return (
            self.pool, self.guard, self.watch, self.town, self.reading, self.attachments, self.residents, self.answering,
            self.filing, self.notice_board, self.delivery, self.signers, self.books, self.auditing,
        )  # fmt: skip


def build_parts(
    settings: Settings, keys: Keys, pool: asyncpg.Pool, connect_temporal: ConnectTemporal, town_time: TownTime
) -> Parts:
    """Read the town's rules and wire the parts. Raises as `create_app`."""
    town = read_town_rules(settings, town_time)
    vault, counts, documents_policy = Vault(keys), Counts(), load_document_policy(settings.policies)
    postbox = Postbox(pool)
    delivery = Delivery(connect_temporal, settings.task_queue, town.procedures, postbox, counts.number_taken)
    reader = CaseReader(pool, vault, town.procedures)
    announcements = Announcements(settings, reader.states)
    relay = Relay(postbox, delivery, counts, reader.states, announcements, settings.untaken_seconds)
    intake = Intake(pool, vault, keys, town_time, town.procedures, policies=town.policies)
    codes, verifier = ResidentCodes(keys, pool), Verifier.of(settings, keys)
    attachments = Attachments(
        pool=pool,
        vault=vault,
        reader=reader,
        documents=Documents(vault, keys, open_store(settings), documents_policy),
        refused_uploads=Rates(documents_policy.refused_per_hour / HOUR_SECONDS, HOUR_SECONDS),
        upload_memory=UploadMemory(documents_policy.bytes_max),
    )
    answering = Answering(
        reader, announcements, postbox, relay, codes, intake.now, patience_seconds=settings.delivery_patience_seconds
    )
    filing = Filing(town, vault, reader, attachments, intake, relay, answering)
    bank = load_bank(settings.policies / "banks.yaml", settings.bank_url)
    banks = [bank.code] if bank.gateway is Gateway.HTTP else []
    served = [each.code for each in town.departments.departments if each.gateway is Gateway.HTTP]
    signers = Signers(
        departments=load_department_keys(settings.key_folder, served),
        banks=load_counterpart_keys(settings.key_folder, banks, Counterpart.BANK),
    )
    bank_client = http_client()
    return Parts(
        pool=pool,
        guard=Guard(verifier, Rates(settings.requests_per_token, settings.burst_seconds)),
        watch=Watch(settings, pool, counts, intake.now, delivery.reachable, postbox.backlog),
        town=town,
        reading=Reading(pool, vault, reader, announcements, intake.now),
        attachments=attachments,
        residents=Residents(pool, vault, reader, town.procedures, codes, verifier),
        answering=answering,
        filing=filing,
        notice_board=NoticeBoard(pool, filing, codes, verifier),
        delivery=delivery,
        signers=signers,
        books=Books(pool, bank, BankGateway(bank_client, signers.banks), intake.now),
        auditing=auditing_of(pool, keys, settings, delivery),
        bank_client=bank_client,
    )


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
            lists_stage=False,
        )
        for name, policy in policies.items()
    }
    areas = load_areas(settings.policies)
    return TownRules(
        policies=policies,
        charters=charters,
        procedures=procedures,
        doors={
            name: {command: door_of(model) for command, model in procedure.commands.items()}
            for name, procedure in procedures.items()
        },
        departments=register,
        areas=areas,
        names=_names(
            register, load_sources(settings.policies / "sources.yaml", settings.sources_url), areas, policies.values()
        ),
        synonyms=load_synonyms(settings.policies, getattr(policies.get("incident"), "categories", ())),
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
