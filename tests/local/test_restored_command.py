"""`jiceng restored`: says that nothing was lost only of those that it has asked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from typer.testing import CliRunner, Result

from cli import app as whole_app
from engine.runtime.settings import Settings
from local.simulation.quiet_server import listen, quiet_server, url_of
from local.town.ports import LOOPBACK, hold_ports
from local.town.town_processes import environment_of

UNKNOWN = "incident-20261121-999999"
POLICY = """departments:
  - {{code: coordination-centre, name: {{zh: 综合协调中心, en: Coordination centre}}, gateway: desk, duty_leader: centre.duty}}
  - {{code: urban-management, name: {{zh: 城管局, en: Urban management}}, gateway: http, url: "{{departments}}/urban-management",
      duty_leader: urban-management.duty}}
{more}"""
REAL = """  - {code: water-supply, name: {zh: 供水公司, en: Water supply}, gateway: http, url: "https://water.example/jiceng",
      duty_leader: water-supply.duty}
"""


@asynccontextmanager
async def journals(*orders: str) -> AsyncIterator[str]:
    """The address of departments whose journals hold these orders, each of a case of its own."""

    async def journal(_: Request) -> Response:
        shown = [{"order_id": f"{case}.order-1", "case_id": case, "reports": []} for case in orders]
        return JSONResponse({"orders": shown})

    server = quiet_server(Starlette(routes=[Route("/{code}/journal", journal)]))
    listener = listen(LOOPBACK, 0)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield url_of(listener)
    finally:
        server.should_exit = True
        await running


async def restored(settings: Settings, folder: Path, departments_url: str | None, more: str = "") -> Result:
    """Run the command with departments of the test's own; in a thread, for it has a loop of its own."""
    (folder / "departments.yaml").write_text(POLICY.format(more=more), encoding="utf-8")
    over = {"data": folder / "elsewhere", "policies": folder, "departments_url": departments_url}
    return await asyncio.to_thread(
        CliRunner(env=environment_of(settings.model_copy(update=over))).invoke, whole_app(), ["restored"]
    )


@pytest.mark.parametrize(
    ("lost", "more", "exit_code", "says"),
    [
        ((), "", 0, "1 departments asked: they know nothing"),
        ((UNKNOWN,), "", 2, f"cases we do not know: {UNKNOWN}"),
        ((), REAL, 1, "not asked: water-supply"),
        ((UNKNOWN,), REAL, 2, "not asked: water-supply"),
    ],
    ids=["nothing lost", "a case lost", "a real department", "both"],
)
async def test_who_was_asked_and_who_was_not_is_said(
    settings: Settings, tmp_path: Path, lost: tuple[str, ...], more: str, exit_code: int, says: str
) -> None:
    """All is well only where every department was asked; one with an address of its own keeps no journal that we could ask for."""
    async with journals(*lost) as address:
        ended = await restored(settings, tmp_path, address, more)

    assert (ended.exit_code, says in ended.stdout) == (exit_code, True), ended.stdout + ended.stderr


async def test_where_nobody_can_be_asked_nothing_is_well(settings: Settings, tmp_path: Path) -> None:
    """Without simulated departments the command says that it has asked nobody, and who has to."""
    ended = await restored(settings, tmp_path, None)
    real = await restored(settings, tmp_path, None, REAL)

    assert (ended.exit_code, "no department was asked" in ended.stdout, "✓" in ended.stdout) == (1, True, False)
    assert "operations.md#restore" in ended.stdout
    assert (real.exit_code, "not asked: water-supply" in real.stdout) == (1, True)


async def test_a_department_that_does_not_answer_is_named(settings: Settings, tmp_path: Path) -> None:
    """A journal that is not to be had is no empty one."""
    with hold_ports(["nobody"], None, {}) as ports:
        ended = await restored(settings, tmp_path, f"http://{LOOPBACK}:{ports['nobody']}")

    assert (ended.exit_code, "urban-management" in ended.stderr, "command_died" in ended.stderr) == (1, True, False)
