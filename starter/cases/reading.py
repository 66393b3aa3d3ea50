"""What lists, single cases and figures are read with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import asyncpg

from engine.vault.vault import Vault
from starter.cases.announcements import Announcements
from starter.cases.case_reading import CaseReader
from starter.cases.dispatch_help import DispatchHelp
from starter.http.dependencies import dependency


@dataclass(frozen=True)
class Reading:
    """Built once. `now` says town time; the rules of `dispatch_help` are those of policies/advice.yaml."""

    pool: asyncpg.Pool
    vault: Vault
    reader: CaseReader
    announcements: Announcements
    now: Callable[[], datetime]
    dispatch_help: DispatchHelp


ReadingOf = Annotated[Reading, dependency(Reading)]
