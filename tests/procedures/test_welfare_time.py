"""Welfare in real-length time, on the time-skipping server: long holidays, and a source that is down for days."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from engine.keys.counterpart_keys import Counterpart, key_file
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from local.simulation.source_server import RunningSources, SimulatedSource
from schemas.welfare import WELFARE
from tests.api_driver import ApiDriver, Step
from tests.department_town import serving
from tests.examples.welfare import ACCEPT, CHECKED, POSTED, REASON, SUBSISTENCE, VISITED, application
from tests.paying_town import outside
from tests.skipping_town import SkippingTown, skipping_town
from tests.waiting import eventually


async def until(town: SkippingTown, moment: str) -> None:
    """Skip to a moment; the door that is opened there is that of welfare again."""
    await town.until(moment)
    town.door.procedure = WELFARE


async def due(door: ApiDriver, case_id: str) -> dict[str, str]:
    """When each clock is due, by minutes of the town's clock."""
    return {clock["name"]: str(clock["due_at"])[:16] for clock in (await door.case(case_id))["clocks"]}


@asynccontextmanager
async def port_of_nobody() -> AsyncIterator[int]:
    """A port at which nobody listens, and which nobody else is given; a server may open there later."""
    with socket.socket() as kept:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind(("127.0.0.1", 0))
        yield kept.getsockname()[1]


async def kinds(town: SkippingTown, case_id: str, kind: str) -> list[dict[str, Any]]:
    return [entry for entry in await town.entries(case_id) if entry["kind"] == kind]


async def test_limits_step_over_spring_festival(settings: Settings, keys: Keys) -> None:
    """Applied for on Thursday 12 February 2026: the 14th is worked, the 15th to the 23rd are not.

    Accepted in one working day, by the end of the 13th; visited in ten from the 14th on (14, 24 to 28 February, 2 to 5 March);
    thirty in all end on 1 April. Seven days of posting end on the 20th, inside the festival: it stays up until the end of the 24th.
    """
    async with skipping_town(settings, keys, "2026-02-12 09:00") as town:
        town.door.procedure = WELFARE
        case_id = await town.door.start(body=SUBSISTENCE)
        applied = await due(town.door, case_id)
        await until(town, "2026-02-13 09:00")
        await town.door.go(case_id, POSTED)
        posted = await due(town.door, case_id)
        await until(town, "2026-02-24 23:00")
        still = (await town.door.case(case_id))["stage"]
        await until(town, "2026-02-25 01:00")
        confirming = await due(town.door, case_id)
        shown = (await town.door.case(case_id))["stage"]

    assert (applied["accept"], applied["whole"]) == ("2026-02-14T00:00", "2026-04-02T00:00")
    assert posted["survey"] == "2026-03-06T00:00"
    assert posted["publicity"] == "2026-02-25T00:00"
    assert (still, shown) == ("publicised", "confirming")
    assert confirming["confirm"] == "2026-03-11T00:00"


async def test_a_source_that_is_down_for_days_is_asked_again_alone(
    settings: Settings, keys: Keys, tmp_path: Path
) -> None:
    """Tax does not answer for two days: everybody else's answer stays, tax alone is asked again daily, and answers."""
    async with port_of_nobody() as port, outside(settings, tmp_path, speed=1) as around:
        rules = around.settings.policies / "sources.yaml"
        text = rules.read_text(encoding="utf-8")
        rules.write_text(
            text.replace('"{sources}/tax"', f'"http://127.0.0.1:{port}/tax"\n    private: true'), encoding="utf-8"
        )
        async with skipping_town(around.settings, keys, "2026-11-02 09:00") as town:
            town.door.procedure = WELFARE
            case_id = await town.door.start(body=SUBSISTENCE)
            await town.door.go(case_id, [ACCEPT, *VISITED])

            async def others_have_answered() -> bool:
                return len(await kinds(town, case_id, "welfare:check:answered")) == len(CHECKED) - 1

            await eventually(others_have_answered, within=30)
            await until(town, "2026-11-04 20:00")
            asked = [entry["facts"]["sources"] for entry in await kinds(town, case_id, "welfare:check:asked")]
            failed = await kinds(town, case_id, "welfare:check:failed")
            stage = (await town.door.case(case_id))["stage"]
            source = SimulatedSource(
                code="tax",
                key_file=key_file(around.settings.key_folder, "tax", Counterpart.SOURCE),
                facts=("monthly_income_fen",),
            )
            tax = RunningSources({"tax": source}, tmp_path / "tax.sqlite", port=port)
            try:
                await until(town, "2026-11-06 20:00")
                after = await town.entries(case_id)
                surveyed = (await town.door.case(case_id))["stage"]
                await town.door.go(case_id, [Step("review", "street_officer")])
            finally:
                tax.stop()
                await tax.task

    answers = [entry["facts"]["source"] for entry in after if entry["kind"] == "welfare:check:answered"]
    assert asked[1:] == [["tax"]] * (len(asked) - 1)
    assert len(asked) >= 2
    assert {entry["facts"]["code"] for entry in failed} == {"unreachable"}
    assert (stage, surveyed) == ("checking", "surveyed")
    assert sorted(answers) == ["bank-balance", "property", "social-insurance", "tax", "vehicles"]


async def _paid_without_a_word(request: Request) -> JSONResponse:
    """A bank that moves the money, never answers who tells it to pay, and knows of it when it is asked."""
    if request.method == "POST":
        return JSONResponse({"code": "busy"}, 503)
    key = request.path_params["path"].rpartition("/")[2]
    paid = {"payment_key": key, "status": "paid", "amount_fen": 50000, "bank_reference": "B-1", "at": town_noon()}
    return JSONResponse(paid)


def town_noon() -> str:
    """Some moment, as the bank writes it."""
    return "2026-11-02T12:00:00+08:00"


async def test_money_that_may_have_moved_is_asked_for_when_the_application_is_withdrawn(
    settings: Settings, keys: Keys, tmp_path: Path
) -> None:
    """先行救助 without an answer of the bank for a day, then withdrawn: the bank is asked, had paid, and it is asked back."""
    stub = Starlette(routes=[Route("/{path:path}", _paid_without_a_word, methods=["GET", "POST"])])
    async with outside(settings, tmp_path, speed=1) as around, serving(stub) as url:
        own = around.settings.model_copy(update={"bank_url": url})
        async with skipping_town(own, keys, "2026-11-02 09:00") as town:
            town.door.procedure = WELFARE
            case_id = await town.door.start(body=application("temporary-aid", "19460101"))
            await town.door.go(case_id, [ACCEPT])
            await until(town, "2026-11-03 15:00")
            (payment,) = (await town.snapshot(case_id))["payments"]
            await town.door.go(case_id, [Step("withdraw_application", "applicant", REASON)])

            async def asked_back() -> bool:
                return bool(await kinds(town, case_id, "welfare:recovery:asked"))

            await eventually(asked_back, within=30)
            (asked,) = await kinds(town, case_id, "welfare:recovery:asked")
            settled = await kinds(town, case_id, "welfare:payment:settled")

    assert payment["uncertain"]
    assert asked["facts"]["amount_fen"] == 50000
    assert settled == []
