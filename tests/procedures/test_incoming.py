"""Money that comes in is found at the bank by its reference, and of it only the bank's word is passed on."""

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.incoming import Incoming
from activities.payments import NO_BANK, UNAVAILABLE
from schemas.contracts.department import Gateway
from schemas.contracts.incoming import IncomingAnswer, IncomingAsk, money_reference
from tests.department_town import NOON, serving
from tests.outside_town import CASE, OutsideTown, outside_town, town_over

PATIENT = 20.0


async def ask(town: OutsideTown, number: int = 1) -> IncomingAnswer:
    """What has come in for a case."""
    doer = Incoming(town.bank, town.bank_gateway, lambda *_: None)
    asked = IncomingAsk(case_id=CASE, reference=money_reference(CASE, number))
    return await ActivityEnvironment().run(doer.incoming, asked)


async def pay_in(town: OutsideTown, receipt: str, amount_fen: int, reference: str | None) -> None:
    sent = {"receipt": receipt, "amount_fen": amount_fen, "at": NOON.isoformat(), "reference": reference}
    assert (await town.client.post(f"{town.bank.url}/receipts", json=sent)).status_code == 201


async def test_what_comes_in_is_found_by_its_reference_alone(tmp_path: Path) -> None:
    """Nothing at first; then every line under it once, the oldest first; nothing of another, and nothing without one."""
    async with outside_town(tmp_path, timeout_seconds=PATIENT) as town:
        before = await ask(town)
        for receipt, amount, number in (("R1", 400, 1), ("R2", 600, 1), ("R1", 400, 1), ("R3", 5, 11)):
            await pay_in(town, receipt, amount, money_reference(CASE, number))
        await pay_in(town, "R4", 7, None)
        after, other = await ask(town), await ask(town, 11)

    assert (before.said, before.lines) == (True, ())
    assert [(line.receipt, line.amount_fen) for line in after.lines] == [("R1", 400), ("R2", 600)]
    assert [line.receipt for line in other.lines] == ["R3"]


async def test_without_a_bank_nobody_has_said_anything(tmp_path: Path) -> None:
    """It is not said that nothing came."""
    async with outside_town(tmp_path, timeout_seconds=PATIENT) as town:
        doer = Incoming(town.bank.model_copy(update={"gateway": Gateway.DESK}), town.bank_gateway, lambda *_: None)
        asked = IncomingAsk(case_id=CASE, reference=money_reference(CASE, 1))
        answer = await ActivityEnvironment().run(doer.incoming, asked)

    assert (answer.said, answer.code, answer.lines) == (False, NO_BANK, ())


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (500, {}),
        (404, {"code": "no-such-reference"}),
        (200, {"reference": money_reference(CASE, 2), "lines": []}),
        (200, {"reference": money_reference(CASE, 1)}),
        (200, {"reference": money_reference(CASE, 1), "lines": [{"receipt": "R1", "amount_fen": -1, "at": "x"}]}),
    ],
)
async def test_what_is_no_answer_is_asked_again(tmp_path: Path, status: int, said: dict[str, object]) -> None:
    """A fault on the way, another reference, half of it, an amount that is none: nobody has said that nothing came."""

    async def answers(_: Request) -> Response:
        return JSONResponse(said, status)

    app = Starlette(routes=[Route("/{path:path}", answers)])
    async with serving(app) as url, town_over(tmp_path, url, url) as town:
        with pytest.raises(ApplicationError) as fault:
            await ask(town)

    assert fault.value.type == UNAVAILABLE
