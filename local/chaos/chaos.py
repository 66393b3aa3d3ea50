"""`make chaos`: a whole town of its own, disturbed under load by a schedule that a seed gives, then counted at rest.

    python -m local.chaos.chaos --faults 30 --seed 7 --cases 300

The exit code is 0 only if every report accepted is a case, nothing was done twice, no chain is broken, no case is stuck
and every moment of every clock was told once.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import asyncpg
import httpx
import psutil
import structlog
from temporalio.client import Client

from audit.archive.archiving import archive_once
from engine.execution.temporal import connect
from engine.keys.keys import Keys
from engine.runtime.logging import configure_logging
from engine.runtime.settings import Settings
from engine.store.database import NOT_DONE, open_pool
from local.chaos.chaos_count import Count, count
from local.chaos.chaos_incident import Incidents
from local.chaos.chaos_load import Responses
from local.chaos.chaos_release import release
from local.chaos.chaos_schedule import SAME_KEY_PAIRS, SECOND_API, Disturbance, FaultKind, schedule
from local.chaos.chaos_walks import crowds
from local.chaos.chaos_welfare import differences, movements, paid_more_than_once
from local.simulation.journals import journals_of, still_to_say
from local.simulation.simulation import token_source, tokens
from local.simulation.townspeople import AUDITOR, Persona
from local.town.ports import LOOPBACK, hold_ports
from local.town.probes import answers_http
from local.town.town import Town, TownOptions, open_town
from local.town.town_processes import PROCESSES, TownProcess
from starter.client import TownClient, http_client
from workflows.registry import NAMES

SPEED = 3000.0
"""Town seconds per real second: the 72 hours in which a closed case can be opened anew are a minute and a half."""

LOOK_SECONDS = 1.0
CONNECTIONS = 60
WAITING = 160
"""Everybody waits for their own case: with fewer the crowd waits for each other, with more the API does nothing but tell them."""

AWAY = (*NOT_DONE, httpx.HTTPError)
log = structlog.get_logger()


@dataclass(frozen=True)
class ChaosOptions:
    """What was asked for. `crowds`: how many cases of which other procedures come at once.

    `to_the_end`: wait until every case has ended; else until each is closed or has ended. `processes`: the town's own.
    """

    seed: int = 1
    faults: int = 12
    cases: int = 120
    crowds: Mapping[str, int] = field(default_factory=dict)
    gap_seconds: float = 4.0
    rest_seconds: float = 420.0
    speed: float = SPEED
    to_the_end: bool = True
    data: Path | None = None
    processes: Sequence[TownProcess] = PROCESSES


@dataclass
class ChaosReport:
    """What was done and what was counted. `missed`: faults whose target did not run at that moment."""

    seed: int
    faults: dict[str, int] = field(default_factory=dict)
    missed: int = 0
    restarts: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    load_seconds: float = 0.0
    at_rest: bool = False
    count: Count = field(default_factory=Count)

    @property
    def well(self) -> bool:
        """All came to rest, and nothing is wrong."""
        return self.at_rest and self.count.well and not self.refused


async def run_chaos(options: ChaosOptions) -> ChaosReport:
    """Bring a town up, disturb it, let it come to rest, count. Raises what `open_town` raises."""
    with tempfile.TemporaryDirectory(prefix="jiceng-chaos-") as folder, hold_ports([SECOND_API], None, {}) as ports:
        port = ports[SECOND_API]
        processes = (*(swapped(each) for each in options.processes), second_api(port))
        data = options.data or Path(folder)
        town_options = TownOptions(data=data, speed=options.speed, demo=True, durable=False, processes=processes)
        async with open_town(town_options) as town:
            watching = asyncio.create_task(town.supervisor.watch())
            disturbing = asyncio.create_task(_disturb(town, options, f"http://{LOOPBACK}:{port}"))
            try:
                await asyncio.wait([watching, disturbing], return_when=asyncio.FIRST_COMPLETED)
                if watching.done():
                    watching.result()
                return disturbing.result()
            finally:
                for task in (watching, disturbing):
                    task.cancel()
                await asyncio.gather(watching, disturbing, return_exceptions=True)


def swapped(process: TownProcess) -> TownProcess:
    """The process as it is, but a worker that is of the next release once that is released."""
    argv = (sys.executable, "-P", "-m", "local.chaos.chaos_release")
    return replace(process, argv=argv) if process.name == "worker" else process


def second_api(port: int) -> TownProcess:
    """One more API on the same books, as a town has that runs two: they must not get into each other's way."""
    argv = ("/usr/bin/env", f"JICENG_API_PORT={port}", sys.executable, "-P", "-m", "cli", "api")
    return TownProcess(SECOND_API, argv, lambda _: answers_http(f"http://{LOOPBACK}:{port}/healthz"), demo=True)


async def _disturb(town: Town, options: ChaosOptions, second_url: str) -> ChaosReport:
    began = time.monotonic()
    report = ChaosReport(options.seed)
    settings = town.settings
    keys = Keys.of(settings)
    token_for = tokens(settings, keys)
    async with http_client(CONNECTIONS) as http, http_client(WAITING) as watching:
        urls = (settings.api_url, second_url)

        def client_of(persona: Persona, entrance: int) -> TownClient:
            # Who has something to say does not stand behind hundreds that only wait.
            way = watching if persona is AUDITOR else http
            return TownClient(urls[entrance], token_source(token_for, persona), way, patience_seconds=None)

        answers = Responses()
        incidents = Incidents(options.seed, client_of, answers)
        others = crowds(options.crowds, options.seed, client_of, answers)
        planned = schedule(options.seed, options.faults, options.gap_seconds)
        # The load lasts as long as the faults do, and a little longer: the last fault hits cases under way.
        pace = (planned[-1].at_seconds + 5) / options.cases if planned and options.cases else 0.1
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(incidents.send(range(options.cases), pace))
            for name, crowd in others.items():
                tasks.create_task(crowd.send(range(options.crowds[name])))
            tasks.create_task(_inflict(town, planned, incidents, report, options.cases))
        report.load_seconds = round(time.monotonic() - began, 1)
        async with await open_pool(settings, process="jiceng chaos") as pool:
            report.at_rest = await come_to_rest(pool, http, settings, options)
            client = await connect(settings, keys)
            await _histories_closed(client, pool)
            await archive_once(settings, keys, pool)
            journals = await journals_of(http, settings)
            report.refused = answers.refused
            report.count = await count(pool, client, keys, settings, answers.pairs, journals)
            moved = await movements(http, settings)
            report.count.payments = len(moved)
            report.count.doubled += paid_more_than_once(moved)
            report.count.uneven = await differences(client_of(AUDITOR, 0), moved)
    report.seconds = round(time.monotonic() - began, 1)
    return report


async def _inflict(
    town: Town, planned: tuple[Disturbance, ...], incidents: Incidents, report: ChaosReport, cases: int
) -> None:
    began = time.monotonic()
    done: Counter[str] = Counter()
    async with asyncio.TaskGroup() as tasks:
        for number, fault in enumerate(planned):
            await asyncio.sleep(max(0.0, began + fault.at_seconds - time.monotonic()))
            if fault.kind is FaultKind.SAME_KEY:
                first = cases + number * SAME_KEY_PAIRS
                tasks.create_task(incidents.send_twice(range(first, first + SAME_KEY_PAIRS)))
            elif not _strike(town, fault, tasks):
                report.missed += 1
                log.warning("fault_missed", task=fault.target)
                continue
            done[f"{fault.kind} {fault.target}"] += 1
            log.info("fault", reason=f"{fault.kind} {fault.target}", seconds=fault.at_seconds)
    report.faults = dict(sorted(done.items()))


def _strike(town: Town, fault: Disturbance, tasks: asyncio.TaskGroup) -> bool:
    """Do it to the process that runs now; False when there is none."""
    pid = town.supervisor.pid_of(fault.target)
    if pid is None:
        return False
    try:
        match fault.kind:
            case FaultKind.KILL:
                os.kill(pid, signal.SIGKILL)
            case FaultKind.LEAVE:
                os.kill(pid, signal.SIGTERM)
            case FaultKind.RELEASE:
                release(town.settings.data)
                os.kill(pid, signal.SIGTERM)
            case FaultKind.SLOW:
                tasks.create_task(_slow(psutil.Process(pid), fault.for_seconds))
            case _:
                tasks.create_task(_pause(psutil.Process(pid), fault.for_seconds))
    except (ProcessLookupError, psutil.NoSuchProcess):
        return False
    return True


async def _slow(process: psutil.Process, seconds: float) -> None:
    """Let a process and all its children run a tenth of the time, for so long."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends and process.is_running():
        await _pause(process, 0.45)
        await asyncio.sleep(0.05)


async def _pause(process: psutil.Process, seconds: float) -> None:
    """Stop a process and all its children for so long. One that is dead by then or dies meanwhile needs no waking."""
    try:
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        log.info("gone_meanwhile", pid=process.pid)
        return
    _to_all(family, psutil.Process.suspend)
    try:
        await asyncio.sleep(seconds)
    finally:
        _to_all(family, psutil.Process.resume)


def _to_all(family: list[psutil.Process], act: Callable[[psutil.Process], None]) -> None:
    for process in family:
        try:
            act(process)
        except psutil.NoSuchProcess:
            log.info("gone_meanwhile", pid=process.pid)


async def come_to_rest(pool: asyncpg.Pool, http: httpx.AsyncClient, settings: Settings, options: ChaosOptions) -> bool:
    """Wait until nothing is left to be done; False when that took too long."""
    open_cases = "select count(*) from cases where not ended"
    if not options.to_the_end:
        open_cases += " and stage <> 'closed'"
    deadline = time.monotonic() + options.rest_seconds
    while time.monotonic() < deadline:
        try:
            waiting = await pool.fetchval("select count(*) from intake where status = 'waiting'")
            going_on = await pool.fetchval(open_cases)
            known = {row["case_id"] for row in await pool.fetch("select case_id from cases")}
            journals = (await journals_of(http, settings)).values()
            # About a case that is not there a department goes on reporting for ever; the counting names it.
            unsaid = sum(still_to_say(journal) for journal in journals if journal["case_id"] in known)
        except AWAY as error:
            log.info("not_yet", error=type(error).__name__)
        else:
            log.info("coming_to_rest", waiting=waiting, count=going_on, number=unsaid)
            if not (waiting or going_on or unsaid):
                return True
        await asyncio.sleep(LOOK_SECONDS)
    return False


async def _histories_closed(client: Client, pool: asyncpg.Pool) -> None:
    """The ledger knows of the end of a case a moment before its history does."""
    for row in await pool.fetch("select case_id from cases where ended"):
        await client.get_workflow_handle(row["case_id"]).result()


def told(report: ChaosReport) -> str:
    """The report for people, as a table of plain text."""
    counted = report.count
    lines = {
        "种子 seed": report.seed,
        "故障 faults": sum(report.faults.values()),
        **{f"  {name}": often for name, often in report.faults.items()},
        "未命中 missed": report.missed,
        "受理 reports accepted": counted.accepted,
        "案件 cases": counted.cases,
        "终结 ended": counted.ended,
        "派单 orders in departments' books": counted.orders,
        "发放 payments in the bank's books": counted.payments,
        "时钟时刻 moments of clocks told": counted.moments,
        "链旁分支 cases with entries beside the chain": counted.beside,
        "退回 refused": len(report.refused),
        "丢失 lost": len(counted.lost),
        "重复 doubled": len(counted.doubled),
        "换版后结案 closed by the next release": counted.announced,
        "断链 broken": len(counted.broken),
        "停滞 stuck": len(counted.stuck),
        "时钟不符 clocks amiss": len(counted.clocks),
        "对账差异 payments that differ": len(counted.uneven),
        "静止 came to rest": "是 yes" if report.at_rest else "否 NO",
        "秒 seconds": f"{report.load_seconds:g} + {report.seconds - report.load_seconds:.1f}",
    }
    table = "\n".join(f"{name:<52}{value:>14}" for name, value in lines.items())
    return "\n".join([table, *counted.faults(), *(f"refused: {key}: {code}" for key, code in report.refused.items())])


async def _main(options: ChaosOptions, *, as_json: bool) -> int:
    with configure_logging("chaos", "INFO" if options.data else "ERROR", sys.stderr):
        report = await run_chaos(options)
    sys.stdout.write(json.dumps(asdict(report), ensure_ascii=False) + "\n" if as_json else told(report) + "\n")
    return 0 if report.well else 1


def _crowd(said: str) -> tuple[str, int]:
    name, _, number = said.partition("=")
    if name not in NAMES or not number.isdecimal():
        raise argparse.ArgumentTypeError(f"{said!r} is no crowd: write PROCEDURE=NUMBER, of {', '.join(NAMES)}")
    return name, int(number)


def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    usual = ChaosOptions()
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--faults", type=int, default=usual.faults)
    parser.add_argument("--cases", type=int, default=usual.cases)
    parser.add_argument(
        "--crowd",
        type=_crowd,
        action="append",
        default=[],
        metavar="PROCEDURE=NUMBER",
        help="so many cases of another procedure, all at once; may be given several times",
    )
    parser.add_argument("--gap", type=float, default=usual.gap_seconds, help="real seconds between faults, on average")
    parser.add_argument("--speed", type=float, default=usual.speed, help="town seconds per real second")
    parser.add_argument("--rest", type=float, default=usual.rest_seconds, help="real seconds until all must be at rest")
    parser.add_argument("--data", type=Path, help="use this folder and keep it; its log goes to stderr")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    options = ChaosOptions(
        seed=given.seed,
        faults=given.faults,
        cases=given.cases,
        crowds=dict(given.crowd),
        gap_seconds=given.gap,
        rest_seconds=given.rest,
        speed=given.speed,
        data=given.data,
    )
    return asyncio.run(_main(options, as_json=given.json))


if __name__ == "__main__":
    sys.exit(main())
