"""What a history says against a command: only what fails with it and not without it, again and again."""

import pytest
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent

from starter.intake.postbox import Elsewhere
from starter.intake.setting_aside import judged, town_is_sick

UNHANDLED = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE
BAD_SIGNAL = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_SIGNAL_WORKFLOW_EXECUTION_ATTRIBUTES
OTHER_CODE = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR
RESET = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW


def event(letter: str) -> HistoryEvent:
    """An event by a letter: Completed, Failed, refused (B), of other code (N), reset (R), Timed out, Scheduled."""
    kinds = {
        "C": EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED, "T": EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
        "S": EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
    }  # fmt: skip
    causes = {"F": UNHANDLED, "B": BAD_SIGNAL, "N": OTHER_CODE, "R": RESET}
    if letter in kinds:
        return HistoryEvent(event_type=kinds[letter])
    made = HistoryEvent(event_type=EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED)
    failed = made.workflow_task_failed_event_attributes
    failed.cause = causes[letter]
    if letter == "F":
        failed.failure.message = "王小明 13800000001"
        failed.failure.application_failure_info.type = "RuntimeError"
    return made


@pytest.mark.parametrize(
    ("history", "convicts"),
    [
        ("SFSFSCSFSF", True),  # the exception of a handler: two rounds of two
        ("SBSCSBSCSBSCSB", True),  # what the server refuses: four rounds of one
        ("SFSF", False),  # once
        ("SFSFSFSFSFSF", False),  # never without it: the case is sick, or its worker
        ("SFSCSF", False),  # twice: a coincidence
        ("STSTSCSTSTSCSTST", False),  # workers that are killed
        ("SSSS", False),  # nobody there
        ("SFSFSCSFSN", False),  # another code: no word about what was sent
        ("SRSCSRSCSRSCSR", False),  # somebody resets it
        ("SCSCSC", False),
        ("", False),
    ],
)
def test_only_what_fails_with_a_command_and_not_without_it_speaks_against_it(history: str, *, convicts: bool) -> None:
    """Two rounds, four failures, and a task that went well between them; what outages leave behind is no evidence."""
    assert judged(map(event, history)).convicts is convicts


def test_the_kind_of_failure_is_a_name_and_never_words() -> None:
    """Of an exception its type, of what the server refused the cause; nothing of what either says."""
    odd = event("F")
    odd.workflow_task_failed_event_attributes.failure.application_failure_info.type = "王小明 says"

    assert judged([event("F")]).failure == "RuntimeError"
    assert judged([event("B")]).failure == "BAD_SIGNAL_WORKFLOW_EXECUTION_ATTRIBUTES"
    assert judged([odd]).failure == "WORKFLOW_WORKER_UNHANDLED_FAILURE"


@pytest.mark.parametrize(
    ("failing", "well", "sick"), [(0, 0, False), (2, 0, False), (3, 0, True), (9, 0, True), (9, 1, False)]
)
def test_where_everything_fails_nothing_is_anybodys_fault(failing: int, well: int, *, sick: bool) -> None:
    """Three others that fail while nothing goes through anywhere are the town's own trouble."""
    assert town_is_sick(Elsewhere(failing, well)) is sick
