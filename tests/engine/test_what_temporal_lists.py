"""What Temporal's own lists say of a case, and what a command leaves in its history (docs/decisions/0004)."""

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from schemas.incident import INCIDENT
from schemas.values.search_attributes import AREA, DEPARTMENT
from tests.api_driver import ApiDriver, OpenDoor, Step
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("worker")

COMMANDS = [Step("sign", "officer"), Step("finish", "officer"), Step("verify", "grid_worker")]


@pytest.fixture
async def town(door: OpenDoor) -> ApiDriver:
    """A town in which time does not matter: real speed."""
    return await door(INCIDENT)


async def test_a_command_leaves_no_more_in_a_history_than_itself_and_its_receipt(
    town: ApiDriver, temporal: Client
) -> None:
    """Each command is taken, answered and written down. Nothing is listed anew: not by a command, not by the case itself.

    Its department it knew from the start; what it did by itself, with the department's receipt, a timer marks (decision 0005).
    """
    case_id = await town.start()
    await town.go(case_id, COMMANDS)
    await town.case(case_id, wait=f"seq:{len(COMMANDS) + 3}")
    history = await temporal.get_workflow_handle(case_id).fetch_history()
    left = [event.event_type for event in history.events]

    assert left.count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED) == len(COMMANDS)
    assert EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES not in left


async def test_a_case_is_listed_by_area_and_by_the_department_that_holds_it(town: ApiDriver, temporal: Client) -> None:
    """Also when another department has got it; how far it has come is on its own page, and in our lists."""
    report = town.examples.REPORT
    case_id = await town.start(body=report | {"location": report["location"] | {"area": "877.1"}})
    back = Step("redispatch", "coordinator", {"department": "justice-office", "reason": "属司法所职责"})
    await town.go(case_id, [Step("return_order", "officer"), back])

    async def listed() -> list[dict[str, object]]:
        runs = [each async for each in temporal.list_workflows(f'{AREA} = "877.1" and {DEPARTMENT} = "justice-office"')]
        return [{pair.key.name: pair.value for pair in each.typed_search_attributes} for each in runs]

    async def moved() -> bool:
        return bool(await listed())

    await eventually(moved)
    [attributes] = await listed()

    assert attributes | {AREA: "877.1", DEPARTMENT: "justice-office"} == attributes
    assert [name for name in attributes if name.startswith("Jiceng")] == sorted({AREA, DEPARTMENT})
