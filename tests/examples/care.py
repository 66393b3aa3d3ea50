"""How files go: as their walks in words say (local/care_walks.py), and one whose alarm is answered on the way."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from schemas.alarm import ALARM
from schemas.care import CARE
from tests.api_driver import ApiDriver, Step, Walk
from tests.examples.incident import document
from tests.told_examples import told_examples
from tests.waiting import eventually

_told = told_examples(CARE)
PEOPLE, REPORTER, REPORT, BODIES = _told.PEOPLE, _told.REPORTER, _told.REPORT, _told.BODIES
MAIN, NOBODY_ANSWERS, ENDED_BY = _told.MAIN, _told.NOBODY_ANSWERS, _told.ENDED_BY
ASKS_OUTSIDE, EXPLAINED, prepared, shape = _told.ASKS_OUTSIDE, _told.EXPLAINED, _told.prepared, _told.shape
SPEED = 50_000
"""The ladder of an overdue visit takes some seconds."""

HELPED = (
    Step("arrive", "grid_worker"),
    Step("resolve", "grid_worker", {"result": "helped", "what": "扶起,无外伤"}),
    Step("follow_up", "grid_worker", {"finding": "精神良好"}),
)


async def help_comes(door: ApiDriver, case_id: str) -> None:
    """Somebody goes to the first alarm of a file, and looks in again; once however often it is asked.

    The file has heard the last of it then, and what came before where it came before.
    """
    alarm, there = f"{case_id}.alarm-1", replace(door, procedure=ALARM)

    await door.hears(case_id, "care:alarm:stands")
    for number, step in enumerate(HELPED):
        answer = await there.taken(alarm, step, key=f"{alarm}-{number}")
        assert answer.status_code in (200, 409), answer.text

    async def heard() -> bool:
        told = await door.facts(case_id, "care:alarm:reported")
        return any(each["alarm_stage"] == "closed" for each in told)

    await eventually(heard, within=60)


async def when_helped(door: ApiDriver, case_id: str, _by: str) -> Mapping[str, Any]:
    """A word that is said when help has come."""
    await help_comes(door, case_id)
    return {"text": "呼叫已处置"}


async def signed(door: ApiDriver, _case_id: str, by: str) -> Mapping[str, Any]:
    """A consent on paper."""
    return {**BODIES["record_consent"], "paper": await document(door, by)}


WALKS = (
    *_told.WALKS,
    Walk(
        "an alarm",
        (
            Step("record_consent", "clerk", signed),
            Step("raise_alarm", "applicant"),
            Step("raise_alarm", "clerk", {"alarm_kind": "fall", "words": "邻居来电"}),
            Step("comment", "grid_worker", when_helped),
        ),
        "active",
        waits=True,
    ),
)
