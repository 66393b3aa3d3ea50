"""What the routes work with, built once in `create_app`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import asyncpg
import httpx
from fastapi import Depends
from starlette.requests import Request

from audit.reading import Auditing
from engine.banks import BankGateway
from engine.counterpart_keys import CounterpartKeys
from engine.department_keys import DepartmentKeys
from engine.documents import Documents
from engine.settings import Settings
from engine.tokens import Verifier
from engine.vault import Vault
from schemas.areas import Areas
from schemas.case import Charter
from schemas.department_policy import DepartmentRegister
from schemas.payment import BankPolicy
from schemas.policy import Policy
from schemas.procedure import Procedure
from starter.announcements import Announcements
from starter.case_reading import CaseReader
from starter.choices import Names
from starter.counts import Counts
from starter.delivery import Delivery
from starter.doors import Door
from starter.intake import Intake
from starter.postbox import Postbox
from starter.rates import Rates
from starter.relay import Relay
from starter.resident_codes import ResidentCodes
from starter.upload_memory import UploadMemory


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
    doors: Mapping[str, Mapping[str, Door]]
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
