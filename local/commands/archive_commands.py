"""`jiceng archiver`, and of `jiceng audit` what keeps and proves: archive, seal, verify, rebuild, keys."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import asyncpg
import typer
from temporalio.client import Client

from audit.archive.archiver import Archiver
from audit.archive.archiving import archive_once, run_archiver
from audit.archive.passes import Pass
from audit.archive.records import SQL
from audit.archive.seals import make_seal
from audit.replay.kept_histories import live_or_archived
from audit.verify.rebuild import rebuild_rows
from audit.verify.verify import verify_archive, verify_cases
from audit.verify.verify_dispatch_models import verify_dispatch_models
from audit.verify.verify_months import verify_months
from audit.verify.verify_projection import verify_projection
from audit.verify.verify_reservations import verify_reservations
from audit.verify.verify_seals import verify_seals
from engine.execution.temporal import connect
from engine.keys.keys import Keys, public_keys
from engine.runtime.settings import Settings
from engine.store.archive import open_archive
from engine.store.database import open_pool
from local.commands import bundle_commands, month_commands  # noqa: F401 - their commands join those of `jiceng audit`
from local.commands.audit_commands import (
    LEDGER_AND_HISTORIES,
    TOWN,
    Case,
    Data,
    Findings,
    Json,
    audit_app,
    console,
    report,
)
from local.town.cli_errors import run_told, told_town
from local.town.typed_codes import typed_number
from schemas.kernel.findings import Finding

AllCases = Annotated[bool, typer.Option("--all", help="all cases: the same as naming none")]
Once = Annotated[bool, typer.Option("--once", help="one full pass over everything that has closed, then leave")]
Witness = Annotated[
    str | None, typer.Option("--seal", metavar="NUMBER:HASH", help="a seal that you know: it must be there")
]


def archiver(
    once: Once = False,  # noqa: FBT002 - an option
    data: Annotated[Path | None, typer.Option("--data", help="with --once: folder of a local town")] = None,
) -> None:
    """归档 Store closed runs and seal, configured by JICENG_* variables."""
    if not once:
        settings = Settings()
        run_told(run_archiver(settings), "archiver", settings.log_level)
        return
    settings = told_town(data or Settings().data, *LEDGER_AND_HISTORIES)
    done = run_told(_once(settings))
    console.print(f"{done.archived} archived, {done.left} could not be, {done.lost} were gone already")
    if done.left or done.lost:
        raise typer.Exit(1)


async def _once(settings: Settings) -> Pass:
    keys = Keys.of(settings)
    async with await open_pool(settings, process="jiceng archiver") as pool:
        return await archive_once(settings, keys, pool)


@audit_app.command()
def verify(
    case: Case = None,
    every: AllCases = False,  # noqa: FBT002 - an option
    seal: Witness = None,
    data: Data = TOWN,
    as_json: Json = False,  # noqa: FBT002 - an option
) -> None:
    """核验 Verify ledger, archive, seals and rows of a case, or of all: nothing changed, nothing missing."""
    if every and case:
        raise typer.BadParameter("name a case or say --all")
    number, _, known = (seal or "").partition(":")
    if seal and not (number.isdigit() and known):
        raise typer.BadParameter("a seal is named NUMBER:HASH")
    witness = (int(number), known) if seal else None

    def verified(
        settings: Settings, keys: Keys, client: Client, pool: asyncpg.Pool, cases: list[str] | None
    ) -> Findings:
        return verify_all(settings, keys, pool, cases, witness, client)

    run_told(report(data, as_json, case, verified))


async def verify_all(  # noqa: PLR0917 - the parts of a town
    settings: Settings,
    keys: Keys,
    pool: asyncpg.Pool,
    cases: list[str] | None,
    witness: tuple[int, str] | None = None,
    client: Client | None = None,
) -> AsyncIterator[Finding]:
    """Everything that `jiceng audit verify` looks at. `client`: what is not archived yet is asked of Temporal."""
    async for finding in verify_cases(pool, cases, keys.stamp_ring):
        yield finding
    async for finding in verify_archive(pool, keys, open_archive(settings), cases, client):
        yield finding
    async for finding in verify_seals(pool, keys, cases, witness):
        yield finding
    async for finding in verify_months(pool, whole=cases is None):
        yield finding
    async for finding in verify_projection(pool, cases):
        yield finding
    async for finding in verify_dispatch_models(pool, cases):
        yield finding
    async for finding in verify_reservations(pool, cases):
        yield finding


@audit_app.command()
def rebuild(
    case: Case = None,
    check: Annotated[bool, typer.Option("--check", help="only say what differs")] = False,  # noqa: FBT002 - an option
    data: Data = TOWN,
    as_json: Json = False,  # noqa: FBT002 - an option
) -> None:
    """重建 Make the rows of lists and inboxes anew from the recorded histories, where they differ."""

    async def rebuilt(
        settings: Settings, keys: Keys, client: Client, pool: asyncpg.Pool, cases: list[str] | None
    ) -> Findings:
        sources = live_or_archived(client, pool, keys, open_archive(settings))
        wanted = cases or [row["case_id"] for row in await pool.fetch(SQL.known_cases)]
        async for finding in rebuild_rows(pool, keys, settings, sources, wanted, write=not check):
            yield finding

    run_told(report(data, as_json, case, rebuilt))


@audit_app.command()
def archive(
    case: Annotated[str, typer.Argument(callback=typed_number, help="a case number")], data: Data = TOWN
) -> None:
    """存档 Store every run of a case now, the open one as far as it is."""

    async def stored(settings: Settings) -> None:
        keys = Keys.of(settings)
        client = await connect(settings, keys)
        async with await open_pool(settings, process="jiceng audit") as pool:
            try:
                manifests = await Archiver(client, pool, keys, open_archive(settings)).archive_case(case)
            except LookupError as error:
                console.print(f"✗ {error}")
                raise typer.Exit(1) from None
        for manifest in manifests:
            console.print(
                f"✓ {manifest.run_id} {manifest.status}, {manifest.events} events, SHA-256 {manifest.sha256}",
                soft_wrap=True,
            )

    run_told(stored(told_town(data, *LEDGER_AND_HISTORIES)))


@audit_app.command()
def seal(data: Data = TOWN) -> None:
    """封印 Seal what stands now, and print the seal: keep its number and hash in another place."""

    async def sealed(settings: Settings) -> None:
        keys = Keys.of(settings)
        async with await open_pool(settings, process="jiceng audit") as pool:
            made = await make_seal(pool, keys)
        said = made.facts
        console.print(f"{made.number}:{made.hash}", soft_wrap=True)
        console.print(
            f"{said['leaves']} leaves ({said['heads']} heads), root {said['root']}, key {said['key_id']}",
            soft_wrap=True,
        )

    run_told(sealed(told_town(data)))


@audit_app.command()
def keys(data: Data = TOWN) -> None:
    """公钥 Print the public keys by which seals, bundles and stamps are checked; give them to auditors by another way."""

    async def exported() -> str:
        kept = Keys.of(Settings(data=data))
        rings = {"seals": kept.seal_ring, "stamps": kept.stamp_ring}
        return json.dumps({name: public_keys(ring) for name, ring in rings.items() if ring}, indent=1)

    typer.echo(run_told(exported()))
