"""What the routes work with, built once in `create_app`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import asyncpg
import httpx
from fastapi import Depends
from starlette.requests import Request

from audit.replay.reading import Auditing
from engine.keys.counterpart_keys import CounterpartKeys
from engine.keys.department_keys import DepartmentKeys
from engine.keys.tokens import Verifier
from engine.outside.banks import BankGateway
from engine.runtime.settings import Settings
from engine.vault.documents import Documents
from engine.vault.vault import Vault
from schemas.contracts.department_policy import DepartmentRegister
from schemas.contracts.payment import BankPolicy
from schemas.kernel.case import Charter
from schemas.kernel.policy import Policy
from schemas.kernel.procedure import Procedure
from schemas.values.areas import Areas
from starter.cases.announcements import Announcements
from starter.cases.case_reading import CaseReader
from starter.cases.resident_codes import ResidentCodes
from starter.http.command_bodies import CommandBody
from starter.http.counts import Counts
from starter.http.rates import Rates
from starter.http.upload_memory import UploadMemory
from starter.intake.choices import Names
from starter.intake.delivery import Delivery
from starter.intake.intake import Intake
from starter.intake.postbox import Postbox
from starter.intake.relay import Relay


@dataclass(frozen=True)
class Parts:
    """The parts of the API."""

    settings: Settings
    pool: asyncpg.Pool
    vault: Vault
    verifier: Verifier
    rates: Rates
    refused_uploads: Rates
    upload_memory: UploadMemory
    department_keys: DepartmentKeys
    bank: BankPolicy
    bank_keys: CounterpartKeys
    bank_client: httpx.AsyncClient
    bank_gateway: BankGateway
    policies: Mapping[str, Policy]
    departments: DepartmentRegister
    names: Names
    synonyms: Mapping[str, tuple[str, ...]]
    charters: Mapping[str, Charter]
    procedures: Mapping[str, Procedure]
    doors: Mapping[str, Mapping[str, CommandBody]]
    intake: Intake
    postbox: Postbox
    delivery: Delivery
    relay: Relay
    announcements: Announcements
    reader: CaseReader
    codes: ResidentCodes
    documents: Documents
    areas: Areas
    counts: Counts
    auditing: Auditing


async def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


PartsOf = Annotated[Parts, Depends(_parts)]
