"""Which entries each walk makes, and which come by themselves when people leave the case there: tests/histories/NAME/WALK.kinds.

One kind a line, sorted; a line between the two parts.

    python -m tests.entry_kinds             writes what is missing
    python -m tests.entry_kinds --anew      writes all of them again: the difference is what a change does to the ledger

They are written by cases to which every command is given once. A case to which each is given twice, and one that goes
through the API, Postgres and the real server, must have the same.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from schemas.kernel.procedure import Procedure
from tests.api_driver import Walk, examples
from tests.bench_api import bench_door
from tests.case_bench import CaseBench, case_bench
from tests.every_procedure import PROCEDURE_LIST
from tests.waiting import eventually

FOLDER = Path(__file__).parent / "histories"
BETWEEN = "-- left alone"
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


def _parts(procedure: Procedure, walk: Walk) -> tuple[list[str], list[str]]:
    file = file_of(procedure, walk)
    assert file.exists(), f"{file.name} of {procedure.name} is missing: python -m tests.entry_kinds writes it"
    walked, _, alone = file.read_text(encoding="utf-8").partition(f"{BETWEEN}\n")
    return walked.splitlines(), alone.splitlines()


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
                    case_id = await bench_door(bench, procedure).walk(walk)
                    await _quiet(bench, case_id)
                    walked = bench.tables.kinds(case_id)
                    await bench.until_ended(case_id)
                    alone = bench.tables.kinds(case_id)[len(walked) :]
                    lines = "".join(f"{kind}\n" for kind in (*sorted(walked), BETWEEN, *sorted(alone)))
                    file_of(procedure, walk).parent.mkdir(exist_ok=True)
                    file_of(procedure, walk).write_text(lines, encoding="utf-8")
                    print(file_of(procedure, walk))  # noqa: T201 - what is run by hand says what it did


if __name__ == "__main__":
    asyncio.run(write(anew="--anew" in sys.argv[1:]))
