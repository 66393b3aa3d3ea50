"""Which entries each walk makes and who is told, there and when people leave the case: tests/histories/NAME/WALK.kinds.

Four parts, each but the first after a line of its own: the kinds of the walk and those that come by themselves afterwards, one a
line, sorted; then who is told what, after which entry (`Tables.told`), on the walk and afterwards.

    python -m tests.entry_kinds             writes what is missing
    python -m tests.entry_kinds --anew      writes all of them again: the difference is what a change does to the ledger

They are written by cases to which every command is given once. A case to which each is given twice must have the same; one that
goes through the API, Postgres and the real server has the same kinds, and tells the same people the same.
"""

import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from schemas.kernel.procedure import Procedure
from tests.api_driver import Walk, examples
from tests.bench_api import bench_door
from tests.case_bench import CaseBench, case_bench
from tests.every_procedure import PROCEDURE_LIST
from tests.until_it_ends import until_it_ends
from tests.waiting import eventually

FOLDER = Path(__file__).parent / "histories"
LEFT_ALONE = "-- left alone"
TOLD = "-- told"
TOLD_LEFT_ALONE = "-- told when left alone"
QUIET_SECONDS = 1.0


def file_of(procedure: Procedure, walk: Walk) -> Path:
    """Where the kinds of a walk stand."""
    return FOLDER / procedure.name / f"{walk.name.replace(' ', '-')}.kinds"


def kinds_of(procedure: Procedure, walk: Walk) -> list[str]:
    """The kinds of a walk, sorted. Fails, with the remedy, where nobody has written them."""
    return _parts(procedure, walk)[0]


def kinds_left_alone(procedure: Procedure, walk: Walk) -> list[str]:
    """The kinds of what comes after it until the case has ended, sorted. Fails as `kinds_of`."""
    return _parts(procedure, walk)[1]


def told_on(procedure: Procedure, walk: Walk) -> list[str]:
    """Who is told what on the walk, as `Tables.told`. Fails as `kinds_of`."""
    return _parts(procedure, walk)[2]


def told_left_alone(procedure: Procedure, walk: Walk) -> list[str]:
    """Who is told what after it until the case has ended. Fails as `kinds_of`."""
    return _parts(procedure, walk)[3]


def whom(told: Sequence[str]) -> list[str]:
    """Who was told what, sorted, whatever it came after."""
    return sorted(line.partition(": ")[2] for line in told)


def _parts(procedure: Procedure, walk: Walk) -> list[list[str]]:
    file = file_of(procedure, walk)
    assert file.exists(), f"{file.name} of {procedure.name} is missing: python -m tests.entry_kinds writes it"
    lines = file.read_text(encoding="utf-8").splitlines()
    assert TOLD_LEFT_ALONE in lines, f"{file.name} of {procedure.name} is of before: python -m tests.entry_kinds --anew"
    begins = [-1, *(lines.index(heading) for heading in (LEFT_ALONE, TOLD, TOLD_LEFT_ALONE)), len(lines)]
    return [lines[after + 1 : until] for after, until in pairwise(begins)]


def left_of(told: Sequence[str], before: Sequence[str]) -> list[str]:
    """What was told since."""
    return list((Counter(told) - Counter(before)).elements())


async def _quiet(bench: CaseBench, case_id: str) -> None:
    """Wait until the case has told nothing new for a while: what it does by itself is written down too."""
    told: list[tuple[int, float]] = [(0, time.monotonic())]

    def nothing_new() -> bool:
        seq = bench.tables.rows[case_id]["seq"]
        if seq != told[-1][0]:
            told.append((seq, time.monotonic()))
        return time.monotonic() - told[-1][1] > QUIET_SECONDS

    await bench.at_rest(case_id)
    await eventually(nothing_new)


async def write(*, anew: bool) -> None:
    """Walk what is missing, or everything, and write down the kinds."""
    with tempfile.TemporaryDirectory() as folder:
        async with case_bench(Path(folder), sandbox=False) as bench:
            for procedure in PROCEDURE_LIST:
                for walk in examples(procedure).WALKS:
                    if file_of(procedure, walk).exists() and not anew:
                        continue
                    door = bench_door(bench, procedure)
                    case_id = await door.walk(walk)
                    await _quiet(bench, case_id)
                    walked, told = bench.tables.kinds(case_id), bench.tables.told(case_id)
                    await until_it_ends(bench, door, case_id)
                    alone = bench.tables.kinds(case_id)[len(walked) :]
                    told_alone = left_of(bench.tables.told(case_id), told)
                    parts = (*sorted(walked), LEFT_ALONE, *sorted(alone), TOLD, *told, TOLD_LEFT_ALONE, *told_alone)
                    file_of(procedure, walk).parent.mkdir(exist_ok=True)
                    file_of(procedure, walk).write_text("".join(f"{each}\n" for each in parts), encoding="utf-8")
                    print(file_of(procedure, walk))  # noqa: T201 - what is run by hand says what it did


if __name__ == "__main__":
    asyncio.run(write(anew="--anew" in sys.argv[1:]))
