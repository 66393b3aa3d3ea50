"""`jiceng audit …`: what auditors ask from the terminal. Exit code 0: all is well; 1: something is not, or nothing was seen."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import asyncpg
import typer
from rich.console import Console
from temporalio.client import Client

from activities.ledger import QUERIES
from audit.replay.kept_histories import live_or_archived
from audit.replay.replay import replay_cases
from audit.verify.verify_seals import ALL as ALL_SEALS
from engine.execution.temporal import connect
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from engine.store.archive import open_archive
from engine.store.database import open_pool
from local.town.cli_errors import run_told, told_town
from local.town.typed_codes import typed_number
from schemas.kernel.findings import Finding

TOWN = Path("town")
LEDGER_AND_HISTORIES = ("database_url", "temporal_address")
"""What a command has to be told that reads both."""

SLICE = 50
"""Cases that one process replays before it takes the next: small, so that no process ends long before the others."""

Data = Annotated[Path, typer.Option("--data", envvar="JICENG_DATA", help="folder of the local town")]
Json = Annotated[bool, typer.Option("--json", help="print JSON instead of a table")]
Case = Annotated[str | None, typer.Argument(callback=typed_number, help="a case number; all cases without it")]
Findings = AsyncIterator[Finding]
Audit = Callable[[Settings, Keys, Client, asyncpg.Pool, list[str] | None], Findings]

console = Console()
audit_app = typer.Typer(no_args_is_help=True, help="审计 What happened, and was anything altered?")


@audit_app.command()
def replay(
    case: Case = None,
    data: Data = TOWN,
    as_json: Json = False,  # noqa: FBT002 - an option
    only_open: Annotated[bool, typer.Option("--open", help="cases that still live: which would break?")] = False,  # noqa: FBT002 - an option
    processes: Annotated[int, typer.Option(min=1, max=64, help="replay on so many cores")] = 1,
) -> None:
    """重放 Replay the recorded history of a case, or of all, with today's code, and compare every content.

    With --open before a release: the live cases under the code that is about to be released.
    """
    chosen = _Chosen(data, case, only_open=only_open, processes=processes)
    run_told(report(data, as_json, case, chosen.findings, may_be_none=only_open))


class _Chosen:
    """Which cases are replayed, and on how many cores."""

    def __init__(self, data: Path, case: str | None, *, only_open: bool, processes: int) -> None:
        self._data, self._case, self._only_open, self._processes = data, case, only_open, processes

    async def findings(
        self, settings: Settings, keys: Keys, client: Client, pool: asyncpg.Pool, cases: list[str] | None
    ) -> Findings:
        if cases is None:
            rows = await pool.fetch(QUERIES.cases_with_ledger)
            cases = [row["case_id"] for row in rows if not (self._only_open and row["ended"])]
        if self._processes == 1:
            kept = live_or_archived(client, pool, keys, open_archive(settings))
            async for finding in replay_cases(client, keys, settings, pool, cases, kept):
                yield finding
            return
        loop = asyncio.get_running_loop()
        slices = [cases[start : start + SLICE] for start in range(0, len(cases), SLICE)]
        with ProcessPoolExecutor(self._processes, get_context("spawn")) as others:
            for done in asyncio.as_completed(
                [loop.run_in_executor(others, _replay_slice, self._data, each) for each in slices]
            ):
                for finding in await done:
                    yield finding


def _replay_slice(data: Path, cases: Sequence[str]) -> list[Finding]:
    """What another process does with its share."""

    async def findings() -> list[Finding]:
        settings = told_town(data, *LEDGER_AND_HISTORIES)
        keys = Keys.of(settings)
        client = await connect(settings, keys)
        async with await open_pool(settings, process="jiceng audit") as pool:
            kept = live_or_archived(client, pool, keys, open_archive(settings))
            return [finding async for finding in replay_cases(client, keys, settings, pool, cases, kept)]

    return asyncio.run(findings())


async def report(data: Path, as_json: bool, case: str | None, audit: Audit, *, may_be_none: bool = False) -> None:  # noqa: FBT001
    """Print what an audit finds. Ends the command with 1 where something is not well, or nothing was seen that had to be."""
    settings = told_town(data, *LEDGER_AND_HISTORIES)
    keys = Keys.of(settings)
    client = await connect(settings, keys)
    seen, wrong = set[str](), set[str]()
    async with await open_pool(settings, process="jiceng audit") as pool:
        async for finding in audit(settings, keys, client, pool, [case] if case else None):
            seen.add(finding.case_id)
            if not finding.ok:
                wrong.add(finding.case_id)
            if as_json:
                typer.echo(finding.model_dump_json())
            elif not finding.ok or case:
                console.print(
                    f"{'✓' if finding.ok else '✗'} {finding.case_id} {finding.check}: {finding.detail}", soft_wrap=True
                )
    if not as_json:
        total = len(seen - {ALL_SEALS})
        console.print(f"{total} 个案件, {len(wrong)} 个有问题 ({total} cases, {len(wrong)} not well)")
    if wrong or not (seen or may_be_none):
        raise typer.Exit(1)
