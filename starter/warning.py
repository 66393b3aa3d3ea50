"""POST /api/v1/warnings: as declared; where whom it names lives goes into the vault with it (starter/warning_houses.py)."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from schemas.warning import WARNING
from schemas.warning_state import WarningState
from starter.http.database import Connection
from starter.intake.filing import Filing
from starter.intake.intake import OpenCase, Sender
from starter.intake.openings import derived_opening, router_of
from starter.intake.starts import Opening
from starter.warning_houses import with_addresses

_DECLARED = derived_opening(WARNING)


def _opens(filing: Filing, sender: Sender, given: Any) -> OpenCase:
    return addressed(filing, _DECLARED.opens(filing, sender, given))


def addressed(filing: Filing, opens: OpenCase) -> OpenCase:
    """The same opening, with the addresses of its places."""

    async def open_case(connection: Connection, case_id: str, command_id: str, at: datetime) -> WarningState:
        state = await opens(connection, case_id, command_id, at)
        assert isinstance(state, WarningState)  # noqa: S101 - a warning is opened
        return await with_addresses(filing, connection, state)

    return open_case


OPENING: Opening[Any] = replace(_DECLARED, opens=_opens)
router = router_of(WARNING, OPENING)
