"""States of cases as they stood in recorded histories: at the start of each run of each walk, so at many stages."""

from collections.abc import Iterator
from pathlib import Path

from temporalio.api.enums.v1 import EventType

from engine.execution.codec import data_converter
from engine.keys.keys import Keys
from schemas.kernel.case import CaseState
from schemas.kernel.procedure import Procedure
from tests.every_procedure import PROCEDURE_LIST
from tests.histories import FOLDER, read


async def recorded_states(keys: Keys, procedure: Procedure) -> list[CaseState]:
    """The state that each recorded run of a procedure began with."""
    converter = data_converter(keys)
    states: list[CaseState] = []
    for file in _runs(procedure):
        first = read(file).events[0]
        if first.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
            given = first.workflow_execution_started_event_attributes.input.payloads
            states += await converter.decode(given, [procedure.state])
    return states


def _runs(procedure: Procedure) -> Iterator[Path]:
    assert procedure in PROCEDURE_LIST
    yield from sorted((FOLDER / procedure.name).glob("*.history"))
