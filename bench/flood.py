"""A flood: orange, then red while teams are at the doors, calls that nobody answers, a worker that dies. Is anybody lost?

    python -m bench.flood [--households 500] [--grids 40] [--teams 30] [--kills 2]

An issuer sends each message three times, and the orange once more after the red. One in ten who lead answers no call, one in ten
leaves it to the deputy; one in ten households refuses, one in thirteen does not answer, one in eleven is carried, one in nine is
written down late. Exit code 1 if a household stands on two lists or on none, has no ending that a person entered, or a case stays
open. Times are of the real clock, from the signal on.
"""

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from bench.ballot import percentile
from bench.contender import cpu_seconds
from bench.flood_course import Flood
from bench.flood_teams import Board, Course
from bench.flooded_lists import places_of
from bench.flooded_town import WAITED_SECONDS, open_flooded_town
from bench.processes import pids_of
from bench.waiting import until
from schemas.sweep import SWEEP
from schemas.sweep import Kind as SweepKind

SERVING = ("temporal", "postgres", "api")


@dataclass(frozen=True)
class Form:
    """How large it is."""

    households: int
    grids: int
    teams: int
    kills: int


async def judge(flood: Flood) -> None:
    """Nobody twice, nobody missing, each ended by somebody's word; every case has ended."""
    everybody = {code for each in flood.places for code in each.households}
    sent = await flood.town.facts(SWEEP, SweepKind.SENT, SweepKind.ADDED)
    listed = Counter(str(home["code"]) for each in sent for home in each["households"])
    flood.faults += [f"{code} stands on {times} lists" for code, times in listed.items() if times > 1]
    flood.faults += [f"{code} stands on no list" for code in sorted(everybody - set(listed))]
    flood.faults += [f"{code} is nobody of this town" for code in sorted(set(listed) - everybody)]
    ended = {str(each["item"]) for each in await flood.town.facts(SWEEP, SweepKind.CONFIRMED) if each["counts"]}
    flood.faults += [f"nobody says how {code} has ended" for code in sorted(everybody - ended)]

    async def all_ended() -> bool:
        return not await flood.town.pool.fetchval("select count(*) from cases where not ended")

    with suppress(TimeoutError):  # what stays open is named below
        await until(all_ended, WAITED_SECONDS)
    rows = await flood.town.pool.fetch("select case_id, stage from cases where not ended")
    flood.faults += [f"{row['case_id']} stays {row['stage']}" for row in rows]
    flood.now("every case has ended")


async def run(form: Form) -> Flood:
    """Have it happen in a town of its own, and judge it."""
    places = places_of(form.grids, form.teams, form.households)
    with tempfile.TemporaryDirectory(prefix="jiceng-flood-") as folder:
        async with open_flooded_town(Path(folder), places) as town:
            serving = pids_of(town.town, *SERVING)
            before = cpu_seconds(serving)
            flood = Flood(town, places, Board(town), Course(), form.kills)
            try:
                await flood.happen()
            except TimeoutError as late:
                flood.faults.append(f"it does not go on: {late}")
            flood.cpu = {name: each - before[name] for name, each in cpu_seconds(serving).items()}
            await judge(flood)
            return flood


def report(form: Form, flood: Flood) -> None:
    """For people."""
    console, course = Console(width=150), flood.course
    console.print(
        f"{form.households} households, {form.grids} grids, {form.teams} teams, worker killed {form.kills} times"
    )
    first = sorted(course.first_doors.values())
    console.print(
        f"first door of all {first[0]:.1f} s after the signal; of each place: p50 {percentile(first, 0.5) / 1000:.1f} s, "
        f"p95 {percentile(first, 0.95) / 1000:.1f} s, last {first[-1]:.1f} s"
    )
    for command, took in sorted(flood.town.asked.took.items()):
        console.print(
            f"{command}: {len(took)} times, p50 {percentile(took, 0.5):.0f} ms, p95 {percentile(took, 0.95):.0f}, "
            f"longest {max(took):.1f} s"
        )
    spent = ", ".join(f"{name} {each:.0f} s" for name, each in flood.cpu.items())
    console.print(f"asked again {flood.town.asked.again} times; CPU without the worker, which died: {spent}")
    for fault in flood.faults[:20]:
        console.print(f"[red]{fault}[/red]")
    console.print("nobody twice, nobody missing" if not flood.faults else f"{len(flood.faults)} faults")


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--households", type=int, default=500)
    parser.add_argument("--grids", type=int, default=40)
    parser.add_argument("--teams", type=int, default=30)
    parser.add_argument("--kills", type=int, default=2)
    given = parser.parse_args()
    form = Form(given.households, given.grids, given.teams, given.kills)
    flood = asyncio.run(run(form))
    report(form, flood)
    sys.exit(1 if flood.faults else 0)


if __name__ == "__main__":
    main()
