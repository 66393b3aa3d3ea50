"""Is what an activity answered the answer to what it was asked? Each answer names its question (schemas/contracts/question.py)."""

from collections.abc import Iterator, Sequence
from functools import cache

from pydantic import ValidationError

from audit.bundle.check_bundle import Values
from audit.replay.activity_models import activity_questions
from schemas.contracts.question import Question


def question_faults(case_id: str, run_id: str, events: Sequence[Values]) -> Iterator[str]:
    """The answers in an opened run that name another question of this case than the one that was asked there."""
    asked = {event["id"]: event["attributes"] for event in events if event["type"] == "ACTIVITY_TASK_SCHEDULED"}
    for event in events:
        if event["type"] != "ACTIVITY_TASK_COMPLETED":
            continue
        request = _asked(asked.get(int(event["attributes"]["scheduled_event_id"])))
        named = _named(event["attributes"])
        if request is not None and named is not None and named != request.question:
            place = f"{case_id} run {run_id} event {event['id']}"
            yield f"answer-copied: {place}: it is the answer to {named}, asked was {request.question}"


def _asked(scheduled: Values | None) -> Question | None:
    if scheduled is None:
        return None
    model = _questions().get(scheduled["activity_type"]["name"])
    payloads = scheduled.get("input", {}).get("payloads", [])
    if model is None or len(payloads) != 1:
        return None
    try:
        return model.model_validate(payloads[0].get("value"))
    except ValidationError:
        return None  # not readable as what it is: `audit replay` says so


def _named(completed: Values) -> str | None:
    for payload in completed.get("result", {}).get("payloads", []):
        answer = payload.get("value")
        if isinstance(answer, dict) and answer.get("question") is not None:
            return str(answer["question"])
    return None


@cache
def _questions() -> dict[str, type[Question]]:
    return activity_questions()
