"""`jiceng audit export` and `jiceng audit check`: a case as one file, and whether such a file is whole."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from temporalio.service import RPCError

from audit.archive.archiver import Archiver
from audit.bundle.bundle import CannotExport, export_case
from audit.bundle.check_bundle import main as check_bundle
from engine.execution.temporal import connect
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from engine.store.archive import open_archive
from engine.store.database import open_pool
from local.commands.audit_commands import LEDGER_AND_HISTORIES, TOWN, Data, audit_app, console
from local.town.cli_errors import errors, run_told, told_town
from local.town.typed_codes import typed_number


@audit_app.command()
def export(
    case: Annotated[str, typer.Argument(callback=typed_number, help="a case number")],
    out: Annotated[Path, typer.Option("--out", help="the zip file to write; one that exists is not replaced")],
    data: Data = TOWN,
) -> None:
    """导出 Write a sealed bundle of a case: histories, ledger, seals, proofs, keys and a timeline to print."""
    if out.exists():
        raise typer.BadParameter(f"{out} exists")
    bundle = run_told(_bundle(told_town(data, *LEDGER_AND_HISTORIES), case))
    out.write_bytes(bundle)
    console.print(f"{out}: {len(bundle)} bytes; check it with `jiceng audit check {out}`", soft_wrap=True)


@audit_app.command()
def check(
    bundle: Annotated[Path, typer.Argument(help="a bundle that `jiceng audit export` wrote")],
    keys: Annotated[Path | None, typer.Option("--keys", help="public keys, as `jiceng audit keys` prints them")] = None,
) -> None:
    """检验 Check a bundle without server, database or keys of the town."""
    raise typer.Exit(check_bundle([str(bundle), *(("--keys", str(keys)) if keys else ())]))


async def _bundle(settings: Settings, case_id: str) -> bytes:
    keys = await asyncio.to_thread(Keys.of, settings)
    store = open_archive(settings)
    async with await open_pool(settings, process="jiceng audit") as pool:
        try:
            # What Temporal has by now comes along; what it does not have any more the archive has.
            await Archiver(await connect(settings, keys), pool, keys, store).archive_case(case_id)
        except (LookupError, RPCError, RuntimeError) as fault:
            errors.print(f"not archived anew: {type(fault).__name__}: {fault}", soft_wrap=True)
        try:
            return await export_case(pool, keys, store, settings, case_id)
        except CannotExport as fault:
            errors.print(f"✗ {fault}", soft_wrap=True)
            raise typer.Exit(1) from None
