"""What proving costs: archiving, sealing, verifying and strict replay of a town's closed cases, against the bare replayer.

python -m bench.audit_pace TOWN [--rounds R] [--processes N]

TOWN is the data folder of a local town that does not run now, such as `python -m local.chaos.chaos --data TOWN` leaves; its
archive is emptied and filled anew. The bare
replayer gets the same histories out of the same archive, in turns with the strict one: only the ratio counts.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median

import asyncpg
from temporalio.client import WorkflowHistory

from audit.archive.archiver import Archiver
from audit.archive.seals import make_seal
from audit.replay.kept_histories import archived_histories
from audit.replay.replay import RunsOf, replay_cases
from audit.verify.verify import verify_archive, verify_cases
from audit.verify.verify_projection import verify_projection
from audit.verify.verify_seals import verify_seals
from engine.execution.temporal import build_replayer, connect
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from engine.store.archive import open_archive
from engine.store.database import open_pool
from local.commands.archive_commands import verify_all
from local.town.town import Town, TownOptions, open_town
from schemas.kernel.findings import Finding
from workflows.registry import PROCEDURES

CLOSED = "select case_id from cases where ended order by case_id"


async def bare(keys: Keys, settings: Settings, source: RunsOf, cases: Sequence[str]) -> int:
    """Replay with the SDK's replayer alone; the number of runs."""
    replayed = 0

    async def histories() -> AsyncIterator[WorkflowHistory]:
        for case_id in cases:
            for run in await source(case_id):
                yield run

    async with build_replayer(keys, settings, PROCEDURES).workflow_replay_iterator(histories()) as results:
        async for result in results:
            if result.replay_failure is not None:
                raise result.replay_failure
            replayed += 1
    return replayed


async def well(findings: AsyncIterator[Finding]) -> int:
    """The number of findings. Raises RuntimeError: one that is not well."""
    number = 0
    async for finding in findings:
        if not finding.ok:
            raise RuntimeError(finding)
        number += 1
    return number


async def timed(name: str, act: Callable[[], Awaitable[int]], times: dict[str, list[float]]) -> int:
    """How long it takes, kept under its name."""
    began = time.perf_counter()
    number = await act()
    times.setdefault(name, []).append(time.perf_counter() - began)
    return number


async def measured(town: Town, options: argparse.Namespace) -> dict[str, object]:
    """Every figure of a town."""
    settings, keys = town.settings, Keys.of(town.settings)
    client = await connect(settings, keys)
    store = open_archive(settings)
    times: dict[str, list[float]] = {}
    async with await open_pool(settings, process="bench") as pool:
        cases = [row["case_id"] for row in await pool.fetch(CLOSED)]
        await forget_archive(pool)
        archiver = Archiver(client, pool, keys, store)
        await timed("archive", lambda: _pass(archiver), times)
        await timed("seal", lambda: _sealed(pool, keys), times)
        source = archived_histories(pool, keys, store)
        runs = 0
        for _ in range(options.rounds):
            runs = await timed("bare replay", lambda: bare(keys, settings, source, cases), times)
            await timed("strict replay", lambda: well(replay_cases(client, keys, settings, pool, cases, source)), times)
        checks = {
            "verify ledger": lambda: well(verify_cases(pool, cases, keys.stamp_ring)),
            "verify archive": lambda: well(verify_archive(pool, keys, store, cases)),
            "verify seals": lambda: well(verify_seals(pool, keys)),
            "verify rows": lambda: well(verify_projection(pool)),
            "verify all": lambda: well(verify_all(settings, keys, pool, None)),
        }
        for name, check in checks.items():
            await timed(name, check, times)
        events = await pool.fetchval("select sum(events) from archive")
    for processes in (1, options.processes):
        await timed(f"jiceng audit replay --processes {processes}", partial(_command, settings, processes), times)
    seconds = {name: round(median(each), 2) for name, each in times.items()}
    ratio = median(a / b for a, b in zip(times["bare replay"], times["strict replay"], strict=True))
    return {
        "cases": len(cases),
        "runs": runs,
        "events": events,
        "strict/bare speed": round(ratio, 2),
        "seconds": seconds,
    }


async def forget_archive(pool: asyncpg.Pool) -> None:
    """Empty the archive, as only the owner of the database can: what is archived anew is the same to the byte."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("alter table archive disable trigger user")
        await connection.execute("delete from archive")
        await connection.execute("alter table archive enable trigger user")


async def _pass(archiver: Archiver) -> int:
    done = await archiver.one_pass(full=True)
    if done.left or done.lost:
        raise RuntimeError(done)
    return done.archived


async def _sealed(pool: asyncpg.Pool, keys: Keys) -> int:
    return (await make_seal(pool, keys)).number


async def _command(settings: Settings, processes: int) -> int:
    command = ("-m", "cli", "audit", "replay", "--data", str(settings.data), "--processes", str(processes), "--json")
    child = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
    printed, _ = await child.communicate()
    if child.returncode:
        raise RuntimeError(printed[-2000:])
    return len(printed)


async def run(options: argparse.Namespace) -> dict[str, object]:
    """Open the town with nothing but its servers, and measure."""
    async with open_town(TownOptions(data=options.town, processes=(), durable=False)) as town:
        return await measured(town, options)


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("town", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--processes", type=int, default=2)
    sys.stdout.write(json.dumps(asyncio.run(run(parser.parse_args())), indent=2) + "\n")


if __name__ == "__main__":
    main()
