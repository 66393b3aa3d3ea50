"""What stories of incidents are made of: the ways a case takes, and how often each entry stands in the ledger then."""

from schemas.incident import Kind
from schemas.incident_state import Stage

URBAN, ECOLOGY, EMERGENCY = "urban-management", "ecology-environment", "emergency-management"
HOUSING = "housing-construction"
REPORTED, DISPATCHED, RETURNED, HANDLING, VERIFYING, CALLING_BACK, CLOSED = (
    Stage.REPORTED, Stage.DISPATCHED, Stage.RETURNED, Stage.HANDLING, Stage.VERIFYING, Stage.CALLING_BACK, Stage.CLOSED,
)  # fmt: skip
TO_THE_DEPARTMENT = (REPORTED, DISPATCHED)
TO_THE_CLOSE = (HANDLING, VERIFYING, CALLING_BACK, CLOSED)
AGAIN = (HANDLING, VERIFYING)
STRAIGHT = (*TO_THE_DEPARTMENT, *TO_THE_CLOSE)

WORK = (Kind.SIGNED, Kind.ARRIVED, Kind.FINISHED)
SETTLED = (Kind.VERIFIED, Kind.RATED, Kind.CLOSED)
EACH_ONCE = dict.fromkeys((Kind.REPORTED, Kind.DISPATCHED, Kind.ORDER_RECEIVED, *WORK, *SETTLED), 1)
NO_WORK = dict.fromkeys((Kind.SIGNED, Kind.FINISHED, Kind.CLOSED), 0)
