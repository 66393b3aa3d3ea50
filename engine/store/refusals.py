"""The record of refused attempts: one statement, for the API, the guard of the worker and the ledger alike."""

from engine.store.database import Queries
from schemas.values.refusals import RefusalCode

UNKNOWN = "unknown"
"""Who acts without a stamp may call himself anything."""


class RefusalQueries(Queries):
    """engine/queries/refusals.sql."""

    keep: str


KEEP = RefusalQueries.load("refusals").keep


def unstamped(case_id: str, command: str) -> tuple[str | None, ...]:
    """The row of an attempt that did not come through the API: the arguments of `KEEP`, in its order."""
    return (case_id, command, UNKNOWN, UNKNOWN, None, RefusalCode.NOT_STAMPED, "")


def out_of_place(case_id: str, what: str) -> tuple[str | None, ...]:
    """The row of something that was written for another place: a start, a signal, what an activity answered or is asked."""
    return (case_id, what, UNKNOWN, UNKNOWN, None, RefusalCode.OUT_OF_PLACE, "")
