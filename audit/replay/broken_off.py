"""A check that breaks off is a finding of its case, and the next case is looked at: one case is no way to hide the others."""

from collections.abc import Awaitable

import structlog
from temporalio.service import RPCError

from engine.keys.key_files import KeyFault
from engine.runtime.logging import where
from engine.store.archive import ArchiveAway
from engine.store.database import AWAY
from schemas.kernel.findings import Finding

log = structlog.get_logger()

NOT_CHECKED = "not-checked"
"""The class of such a finding."""

OF_THE_TOWN = (*AWAY, RPCError, ArchiveAway, KeyFault)
"""What no case can help: without database, Temporal, archive or keys nobody can check anything."""


async def finding_of(case_id: str, check: str, look: Awaitable[Finding]) -> Finding:
    """What a check found of a case, or that it broke off. Raises what is the matter with the town and not with the case."""
    try:
        return await look
    except OF_THE_TOWN:
        raise
    except Exception as fault:  # noqa: BLE001 - whatever somebody has made of this case, the others are looked at
        return broken_off(case_id, check, fault)


def broken_off(case_id: str, check: str, fault: Exception) -> Finding:
    """Say of a case that nobody knows how it is, and where the check came to grief; the words of the fault may quote the case."""
    place = where(fault)
    log.error("check_broken_off", case_id=case_id, check=check, error=type(fault).__name__, where=place)
    detail = f"{NOT_CHECKED}: {case_id}: the check broke off with {type(fault).__name__} at {place}"
    return Finding(case_id=case_id, check=check, ok=False, detail=detail)
