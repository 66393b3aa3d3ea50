"""The heads of a recorded run: how far the ledger had the case by its own word, and how far the case had told it with answers."""

from datetime import datetime
from typing import NamedTuple

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory

from audit.archive.decoded import decoded_events
from audit.bundle.check_bundle import answers, is_late, last_of, receipts
from engine.execution.codec import data_converter
from engine.keys.keys import Keys

WHERE_HEADS_STAND = (
    EventType.EVENT_TYPE_MARKER_RECORDED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED,
)


class Head(NamedTuple):
    """The last entry that was told, and its hash. `told_at`: when an answer told it; None: the ledger gave its word for it."""

    seq: int
    head_hash: str
    told_at: str | None = None

    def is_on_its_way(self, now: datetime) -> bool:
        """Whether the ledger may still be without it: an answer stands in the history before anybody writes it down."""
        return self.told_at is not None and not is_late(self.told_at, now)


async def heads_of(run: WorkflowHistory, keys: Keys) -> list[Head]:
    """Every head in a run: by the ledger's word first, then by the case's, each in order."""
    codec = data_converter(keys).payload_codec
    if codec is None:
        raise TypeError("the town's data converter has a codec")
    events = await decoded_events([each for each in run.events if each.event_type in WHERE_HEADS_STAND], codec)
    by_ledger = [Head(seq, head) for _, seq, head in receipts(events)]
    return [*by_ledger, *(Head(*last_of(told), event["time"]) for event, told in answers(events))]
