"""Work that was reported done and is not reaches the department's own system, which does it again."""

from pathlib import Path

import pytest
from starlette.responses import JSONResponse, PlainTextResponse, Response
from temporalio.exceptions import ApplicationError

from activities.departments import UNAVAILABLE
from schemas.contracts.department import CallbackAct, PlaceOrder, RecallOrder, Rework, rework_key
from tests.department_town import NOON, DepartmentTown, department_town, serving, town_over
from tests.engine.test_department_gateway import OddDepartment
from tests.waiting import eventually

HAPPY = [CallbackAct.SIGNED, CallbackAct.ARRIVED, CallbackAct.FINISHED]
PATIENT = 20.0
"""Longer than a busy machine stands still: a department that answers is not given up."""

RECEIPT = {"receipt": "A-17.1", "accepted_at": NOON.isoformat()}


async def reported(town: DepartmentTown, order: PlaceOrder, acts: list[CallbackAct]) -> None:
    await eventually(lambda: town.receiver.acts(order.order_id) == acts)


async def test_a_rework_is_done_again_and_reported_under_a_new_id(tmp_path: Path) -> None:
    """A department that is asked for rework works once more and sends `finished` with another callback id."""
    async with department_town(tmp_path, {"urban-management": "prompt"}, timeout_seconds=PATIENT) as town:
        order = town.order("urban-management")
        await town.place_until_answered(order)
        await reported(town, order, HAPPY)
        receipt = await town.ask_again_until_answered(town.rework(order))
        await reported(town, order, [*HAPPY, CallbackAct.FINISHED])
        written = (await town.journal("urban-management"))[order.order_id]
        finished = [each.callback_id for each in town.receiver.received if each.act is CallbackAct.FINISHED]

    assert (receipt.accepted, receipt.lost) == (True, False)
    assert (written["work_done"], written["reworks"]) == (2, [1])
    assert len(set(finished)) == 2
    assert ("rework-urban-management", order.case_id) in town.vault.readings
    assert town.calls[-1] == ("urban-management", "rework", "done")


async def test_a_rework_asked_for_twice_is_done_once_and_the_next_is_another(tmp_path: Path) -> None:
    """The number tells a repeat from the next rework, whatever the reason says."""
    async with department_town(tmp_path, {"urban-management": "prompt"}, timeout_seconds=PATIENT) as town:
        order = town.order("urban-management")
        await town.place_until_answered(order)
        await reported(town, order, HAPPY)
        first = await town.ask_again_until_answered(town.rework(order))
        again = await town.ask_again_until_answered(town.rework(order))
        await reported(town, order, [*HAPPY, CallbackAct.FINISHED])
        await town.ask_again_until_answered(town.rework(order, number=2))
        await reported(town, order, [*HAPPY, CallbackAct.FINISHED, CallbackAct.FINISHED])
        written = (await town.journal("urban-management"))[order.order_id]

    assert first == again
    assert (written["work_done"], written["reworks"]) == (3, [1, 2])


async def test_another_rework_under_a_known_number_is_refused(tmp_path: Path) -> None:
    """Two bodies under one key are a fault of the town, which the coordination centre has to see."""
    async with department_town(tmp_path, {"urban-management": "silent"}, timeout_seconds=PATIENT) as town:
        order = town.order("urban-management")
        await town.place_until_answered(order)
        await town.ask_again_until_answered(town.rework(order))
        other = await town.ask_again_until_answered(town.rework(order, words="另一原因"))

    assert (other.accepted, other.lost, other.code) == (False, False, "another-rework-under-this-key")


async def test_a_flaky_department_does_a_rework_once(tmp_path: Path) -> None:
    """An error, then an answer lost after the work was done: asked again and again, the work is done once more only."""
    async with department_town(tmp_path, {"urban-management": "flaky"}) as town:
        order = town.order("urban-management")
        await town.place_until_answered(order)
        await reported(town, order, HAPPY)
        receipt = await town.ask_again_until_answered(town.rework(order))
        await reported(town, order, [*HAPPY, CallbackAct.FINISHED])
        written = (await town.journal("urban-management"))[order.order_id]

    assert receipt.accepted
    assert written["work_done"] == 2
    # Whatever is asked beyond the third time was answered too slowly by a busy machine.
    outcomes = [each["outcome"] for each in written["requests"] if each["method"] == "REWORK"]
    assert outcomes == ["new", "new", *["known"] * (len(outcomes) - 2)]
    assert len(outcomes) >= 3


async def test_a_department_that_lost_the_order_says_so_and_that_is_no_error(tmp_path: Path) -> None:
    """404 for an order it never had, 410 for one that was taken back: the case hears `lost` and can order anew."""
    async with department_town(tmp_path, {"urban-management": "prompt"}, timeout_seconds=PATIENT) as town:
        never = town.order("urban-management", number=1)
        recalled = town.order("urban-management", number=2)
        await town.activity.recall_order(
            RecallOrder(case_id=recalled.case_id, step=recalled.step, department=recalled.department)
        )
        receipts = [await town.ask_again(town.rework(order)) for order in (never, recalled)]

    assert [(each.accepted, each.lost) for each in receipts] == [(False, True), (False, True)]
    assert town.calls[-1] == ("urban-management", "rework", "lost")


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (JSONResponse(RECEIPT, 201), (True, False, None)),
        (JSONResponse(RECEIPT, 200), (True, False, None)),
        (PlainTextResponse("", 404), (False, True, None)),
        (PlainTextResponse("", 410), (False, True, None)),
        (JSONResponse({"code": "not-again"}, 422), (False, False, "not-again")),
        (PlainTextResponse("张三", 409), (False, False, "http-409")),
    ],
    ids=lambda value: str(getattr(value, "status_code", "")),
)
async def test_each_final_answer_to_a_rework_is_a_fact(
    tmp_path: Path, answer: Response, outcome: tuple[bool, bool, str | None]
) -> None:
    """It is asked once, at the address of the order and under the key of the rework, and the answer comes back as data."""
    odd = OddDepartment(answer)
    async with serving(odd.app()) as url, town_over(tmp_path, {"transport": url}) as town:
        order = town.order("transport")
        receipt = await town.ask_again(town.rework(order))
        sent = Rework.model_validate_json(odd.bodies[0])

    assert (receipt.accepted, receipt.lost, receipt.code) == outcome
    assert odd.asked == [("POST", f"/work-orders/{order.order_id}/reworks")]
    assert rework_key(sent.case_id, sent.step, sent.number) == f"{order.case_id}/{order.step}/rework-1"
    assert (sent.reason, sent.callback_url.endswith("/transport/callbacks")) == ("现场仍有垃圾", True)


@pytest.mark.parametrize("answer", [PlainTextResponse("", 503), JSONResponse({}, 201)], ids=["503", "no receipt"])
async def test_an_answer_to_a_rework_that_is_none_is_tried_again(tmp_path: Path, answer: Response) -> None:
    """A fault of the other side is an error that Temporal retries, not a fact of the case."""
    with pytest.raises(ApplicationError) as unavailable:
        async with serving(OddDepartment(answer).app()) as url, town_over(tmp_path, {"transport": url}) as town:
            await town.ask_again(town.rework(town.order("transport")))

    assert unavailable.value.type == UNAVAILABLE


async def test_a_desk_is_not_asked_over_the_wire(tmp_path: Path) -> None:
    """Where people work in the town's screens the case itself tells them; nothing is sent, no text is read."""
    async with town_over(tmp_path, {}) as town:
        receipt = await town.ask_again(town.rework(town.order("coordination-centre")))

    assert receipt.accepted
    assert town.vault.readings == []
