"""`make cluster`: a town in production rehearsed on this machine: load, one kill -9 of each role, then everything is counted.

    python -m local.cluster.rehearsal --cases 160

The exit code is 0 only if all that was sent is there, none of it lost or doubled, nothing is stuck, each application was paid
twice and no payment made twice, everybody who was killed is back, the renewed token was taken by who was not, and every
command that whoever runs such a town has came through; 1 where not; 77 where there is no Temporal server and none can be built.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from engine.keys.keys import Keys
from engine.runtime.logging import configure_logging
from engine.runtime.metrics_token import metrics_token_file
from engine.runtime.operator_error import OperatorError
from engine.runtime.settings import Settings
from engine.store.database import open_pool
from local.chaos.chaos import ChaosOptions, come_to_rest
from local.chaos.chaos_count import Count, count_books
from local.chaos.chaos_incident import Incidents
from local.chaos.chaos_load import Responses
from local.chaos.chaos_walks import crowds
from local.chaos.chaos_welfare import differences, movements, paid_more_than_once
from local.cluster.binaries import KEPT, NoServer, find_binaries
from local.cluster.cluster import Cluster, open_cluster
from local.cluster.commands import Answered, answers_of
from local.cluster.compose import Compose
from local.cluster.expectations import ends_within, not_back, shortfalls, too_silent
from local.cluster.faults import EVERY_SECONDS, KILLED, Struck, measured, strike
from local.cluster.neighbours import seen_of_each_other
from local.cluster.tokens import not_renewed, renew_late
from local.simulation.journals import journals_of
from local.simulation.simulation import token_source, tokens
from local.simulation.townspeople import AUDITOR, Persona
from schemas.contracts.payment import month_of
from starter.client import TownClient, http_client

LEFT_OUT = 77
"""As test runners take it: what was asked for cannot be done here, and nothing is wrong."""
AS_USUAL = ("", "", "", "〔剧本:重复〕", "〔剧本:时断时续〕")
"""How departments treat the cases: as usual, for what is tried here are machines and not people."""
LOAD_SECONDS = 600.0
"""The load lasts a minute and a half, and its people wait two more; after this nobody waits any longer."""
REST_SECONDS = 240.0
CONNECTIONS = 60
WAITING = 160


@dataclass
class Report:
    """What was done, and what was counted."""

    version: str
    ready_seconds: float = 0.0
    load_seconds: float = 0.0
    rest_seconds: float = 0.0
    asked_seconds: float = 0.0
    at_rest: bool = False
    struck: list[Struck] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    count: Count = field(default_factory=Count)
    answered: list[Answered] = field(default_factory=list)
    amiss: list[str] = field(default_factory=list)

    @property
    def well(self) -> bool:
        """All came to rest, nothing is wrong in the books, nothing is amiss, and every command ended as it has to."""
        answered = bool(self.answered) and all(each.well for each in self.answered)
        return self.at_rest and self.count.well and not self.refused and not self.amiss and answered


async def rehearse(cases: int, applications: int, seed: int, kept: Path = KEPT) -> Report:
    """Bring the cluster up, load it, kill, let it come to rest, count and ask. Raises NoServer and what `open_cluster` raises."""
    compose = Compose()
    report = Report(compose.temporal_version)
    binaries = await find_binaries(report.version, kept)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="jiceng-cluster-") as folder:
        async with open_cluster(Path(folder), binaries, compose) as cluster:
            report.ready_seconds = time.monotonic() - began
            watching = asyncio.create_task(cluster.supervisor.watch())
            working = asyncio.create_task(_work(cluster, report, cases, applications, seed))
            try:
                await asyncio.wait([watching, working], return_when=asyncio.FIRST_COMPLETED)
                if watching.done():
                    watching.result()
                working.result()
            finally:
                for task in (watching, working):
                    task.cancel()
                await asyncio.gather(watching, working, return_exceptions=True)
    return report


async def _work(cluster: Cluster, report: Report, cases: int, applications: int, seed: int) -> None:
    os.environ.update(cluster.environment)
    settings = Settings()
    token_for = tokens(settings, Keys.of(settings))
    answers = Responses()
    began = time.monotonic()
    async with http_client(CONNECTIONS) as http, http_client(WAITING) as watching:

        def client_of(persona: Persona, _: int) -> TownClient:
            # Who has something to say does not stand behind hundreds that only wait.
            way = watching if persona is AUDITOR else http
            return TownClient(settings.api_url, token_source(token_for, persona), way, patience_seconds=None)

        lasts = EVERY_SECONDS * (len(KILLED) + 1)
        incidents = Incidents(seed, client_of, answers, AS_USUAL)
        welfare = crowds({"welfare": applications}, seed, client_of, answers)["welfare"]

        async def load() -> None:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(incidents.send(range(cases), lasts / cases))
                tasks.create_task(welfare.send(range(applications), lasts / applications / 2))
                tasks.create_task(renew_late(cluster.secrets, report.amiss))
                tasks.create_task(strike(cluster.supervisor, report.struck))

        if not await ends_within(load(), LOAD_SECONDS):
            report.amiss.append(
                f"after {LOAD_SECONDS:.0f} s somebody waits still: a case stands where its people wait for it"
            )
        report.amiss += await not_back(cluster.supervisor, report.struck, cluster.probes)
        report.load_seconds = time.monotonic() - began
        async with await open_pool(settings, process="jiceng rehearsal") as pool:
            began = time.monotonic()
            options = ChaosOptions(to_the_end=False, rest_seconds=REST_SECONDS)
            report.at_rest = await come_to_rest(pool, http, settings, options)
            report.rest_seconds = time.monotonic() - began
            report.struck = await measured(pool, report.struck)
            report.refused = answers.refused
            report.count = await count_books(pool, answers.pairs, await journals_of(http, settings))
            moved = await movements(http, settings)
            report.count.payments = len(moved)
            report.count.doubled += paid_more_than_once(moved)
            report.count.uneven = await differences(client_of(AUDITOR, 0), moved)
        report.amiss += await _amiss(cluster, report, cases, applications, settings, http)
        report.amiss += await seen_of_each_other(cluster, http)
        began = time.monotonic()
        months = sorted({month_of(each["payment_key"]) for each in moved})
        report.answered = await answers_of(cluster, settings, months)
        report.asked_seconds = time.monotonic() - began


async def _amiss(  # noqa: PLR0917 - the parts of a rehearsal
    cluster: Cluster, report: Report, cases: int, applications: int, settings: Settings, http: httpx.AsyncClient
) -> list[str]:
    found = [*shortfalls(report.count, cases, applications), *too_silent(report.struck, KILLED)]
    watching = metrics_token_file(settings).read_text(encoding="utf-8").strip()
    return found + await not_renewed(http, cluster.folder / "logs", cluster.figures, watching)


def told(report: Report) -> Iterator[str]:
    """The report for people, as lines of plain text."""
    counted = report.count
    lines = {
        "Temporal": report.version,
        **{
            f"  kill -9 {each.target}: 台账最长静默 ledger silent, seconds": each.silence_seconds
            for each in report.struck
        },
        "受理 reports accepted": counted.accepted,
        "案件 cases": counted.cases,
        "派单 orders in departments' books": counted.orders,
        "发放 payments in the bank's books": counted.payments,
        "退回 refused": len(report.refused),
        "丢失 lost": len(counted.lost),
        "重复 doubled": len(counted.doubled),
        "停滞 stuck": len(counted.stuck),
        "时钟不符 clocks amiss": len(counted.clocks),
        "对账差异 payments that differ": len(counted.uneven),
        "静止 came to rest": "是 yes" if report.at_rest else "否 NO",
        "命令 commands that came through": f"{sum(each.well for each in report.answered)} / {len(report.answered)}",
        "秒 seconds: ready, load, rest, asked": (
            f"{report.ready_seconds:.0f} + {report.load_seconds:.0f} + {report.rest_seconds:.0f} + {report.asked_seconds:.0f}"
        ),
    }
    yield from (f"{name:<72}{value:>18}" for name, value in lines.items())
    yield from counted.faults()
    yield from (f"amiss: {each}" for each in report.amiss)
    yield from (f"refused: {key}: {code}" for key, code in report.refused.items())
    yield from (f"{each.name}: {each.said}" for each in report.answered if not each.well)


def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=160)
    parser.add_argument("--applications", type=int, default=8, help="for urgent aid: two payments each")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--binaries", type=Path, default=KEPT, help="where programs that Go built are kept")
    given = parser.parse_args()
    with configure_logging("cluster", "ERROR", sys.stderr):
        try:
            report = asyncio.run(rehearse(given.cases, given.applications, given.seed, given.binaries))
        except OperatorError as fault:
            sys.stderr.write(f"{fault}\n")
            return LEFT_OUT if isinstance(fault, NoServer) else 1
    sys.stdout.write("\n".join(told(report)) + "\n")
    return 0 if report.well else 1


if __name__ == "__main__":
    sys.exit(main())
