"""Recorded histories: how they lie in tests/histories/, and how new ones are made.

    python -m tests.histories NAME...      records the walks of these procedures that are not recorded yet

A recorded history is never made again to turn the gate green: a change that breaks its replay needs `workflow.patched`.
The keys beside them open nothing else.
"""

import asyncio
import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import httpx
from temporalio.api.history.v1 import History
from temporalio.client import Client, WorkflowHistory

from audit.replay.replay import runs_of
from engine.execution.temporal import connect
from engine.keys.keys import Keys, ensure_keys
from engine.store.database import open_pool
from local.town.town import TownOptions, open_town
from schemas.clocks.town_time import TownTime
from schemas.kernel.procedure import Procedure
from starter.app import create_app
from starter.http.dependencies import provided
from starter.intake.filing import Filing
from tests.api_driver import ApiDriver, Walk, examples, token_of
from tests.town_policies import open_to_neighbours
from tests.until_it_ends import end_it
from worker import town_worker
from workflows.registry import PROCEDURES

FOLDER = Path(__file__).parent / "histories"
KEYS = FOLDER / "keys"
SPEED = 500_000
"""So fast that every clock runs out by itself while the case is recorded, and so slow that no step comes too late.

Examples whose steps take longer, because other cases act between them, have a `SPEED` of their own.
"""


FORMS = {
    "": 4000, " in short runs": 20, " told apart": 4000, " not listed": 4000, " marked by a timer": 4000, " taking turns": 4000,
    " telling with answers": 4000, " telling with answers in short runs": 20,
}  # fmt: skip
"""How each walk is recorded, by what its name ends with, and after how many events a run ends. The main walk alone once more
since workflow tasks are told apart (decision 0003), since stages are not listed (0004), since a timer marks (0005), since
what runs beside each other takes turns (0006) and since commands tell the ledger with their answers (0011)."""
MAIN_ALONE = (
    " told apart", " not listed", " marked by a timer", " taking turns", " telling with answers",
    " telling with answers in short runs",
)  # fmt: skip


def walks(procedure: Procedure, form: str) -> tuple[Walk, ...]:
    """The walks that are recorded in a form."""
    told = examples(procedure)
    return (told.MAIN,) if form in MAIN_ALONE else tuple(told.WALKS)


def recorded() -> Iterator[Path]:
    """Every recorded run."""
    yield from sorted(FOLDER.glob("*/*.history"))


def read(file: Path) -> WorkflowHistory:
    """One recorded run, under the number of its case: what was closed for that place opens nowhere else."""
    events = History.FromString(zlib.decompress(file.read_bytes())).events
    case_id = events[0].workflow_execution_started_event_attributes.workflow_id
    return WorkflowHistory(workflow_id=case_id or file.stem.rpartition(".")[0], events=list(events))


def keys_in(folder: Path) -> Keys:
    """The keys of the recorded histories, with the permissions that a checkout does not keep."""
    shutil.copytree(KEYS, folder)
    folder.chmod(0o700)
    for file in folder.rglob("*"):
        file.chmod(0o700 if file.is_dir() else 0o600)
    return Keys.load(folder)


async def record(names: list[str]) -> None:
    """Play the walks of these procedures in a town of their own, with the keys beside the histories."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        if not KEYS.exists():
            ensure_keys(KEYS)
        keys_in(data / "keys")
        # What is recorded today is closed with a key that opens nothing without its place: it stays beside the histories.
        ensure_keys(data / "keys")
        shutil.copyfile(data / "keys" / "payload.json", KEYS / "payload.json")
        async with open_town(TownOptions(data=data, processes=(), durable=False)) as town:
            rules = {"policies": open_to_neighbours(data)}
            ours = town.settings.model_copy(update=rules)
            keys = Keys.load(town.settings.key_folder)
            client = await connect(town.settings, keys)
            async with (
                await open_pool(town.settings) as pool,
                town_worker(ours, keys, client, pool) as worker,
                worker,
            ):
                now = datetime.now(UTC)
                for procedure, (suffix, limit) in product(_named(names), FORMS.items()):
                    settings = ours.model_copy(update={"history_limit": limit})
                    clock = TownTime.starting(now, now, getattr(examples(procedure), "SPEED", SPEED))
                    app = create_app(settings, keys, pool, lambda: connect(town.settings, keys), town_time=clock)
                    transport = httpx.ASGITransport(app)
                    async with (
                        app.router.lifespan_context(app),
                        httpx.AsyncClient(transport=transport, base_url="http://town", timeout=30) as api,
                    ):
                        door = ApiDriver(api, token_of(keys), procedure, filing=provided(app, Filing))
                        await _record_all(door, client, suffix)


def _named(names: list[str]) -> list[Procedure]:
    return [case.procedure for case in PROCEDURES if case.procedure.name in names]


async def _record_all(door: ApiDriver, client: Client, suffix: str) -> None:
    procedure = door.procedure
    left_alone: dict[str, str] = {}
    for walk in walks(procedure, suffix):
        name = (walk.name + suffix).replace(" ", "-")
        if list((FOLDER / procedure.name).glob(f"{name}.*.history")):
            continue
        left_alone[name] = await door.start(body=walk.report, by=walk.by)
        await door.go(left_alone[name], walk.steps)
    for case_id in left_alone.values():  # where silence ends nothing, people do
        await end_it(door, case_id)
    for name, case_id in left_alone.items():  # each ends by itself meanwhile
        await client.get_workflow_handle(case_id).result()
        for number, run in enumerate(await runs_of(client, case_id), start=1):
            file = FOLDER / procedure.name / f"{name}.{number}.history"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(zlib.compress(History(events=run.events).SerializeToString(), 9))


if __name__ == "__main__":
    asyncio.run(record(sys.argv[1:]))
