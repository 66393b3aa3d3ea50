"""起因: a case that another one led to. The one it is born of hears that it stands and how it ended, and no word of it.

A procedure whose cases may be born of others takes the number in its opening, in a field that names a case (so whoever opens it
sees that case), and tells it by `BornCase` (workflows/parts/origins.py). A procedure that hears of it takes `OriginEntries` into
its entries and derives from `OriginCase`. Neither waits for the other: a department that wants to asks for a suspension.
"""

from enum import StrEnum

from schemas.kernel.entries import entry
from schemas.values.model import Model


class OriginSubject(StrEnum):
    """What a message is about."""

    LED_TO = "led_to"
    LED_CASE_ENDED = "led_case_ended"


class LedTo(Model):
    """A case to the one it is born of: it stands."""

    procedure: str


class LedCaseEnded(Model):
    """A case to the one it is born of: at which stage it ended. Its texts stay with it."""

    procedure: str
    stage: str


class OriginEntries:
    """What the ledger says of it: for `class Kind(OriginEntries, EntryKinds, procedure="NAME")`."""

    LED_TO = entry("led:to", "转出案件立案")
    LED_CASE_ENDED = entry("led:ended", "转出案件了结")
