"""A town from its backup: put in place, made ready to go on, and compared with what the outside world knows.

The ledger of a backup is a little ahead of its histories (local/backup/backup.py). What was delivered in between is delivered
again: a start is known by its case, a command by its id, an order by its own. So nothing happens twice, neither here nor
at a department or the bank.
"""

import asyncio
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import structlog
from pydantic import AwareDatetime

from engine.runtime.unfinished_restore import unfinished
from engine.store.database import Queries, said_where
from local.backup.backup import CLUSTER, TEMPORAL, BackupListing, NotBackedUp, read_listing
from local.simulation.journals import Journal
from local.town.data_folder import DataFolder
from local.town.ports import hold_ports
from local.town.postgres import open_postgres, verify_base_backup
from local.town.private_file import write_private
from local.town.supervisor import Supervisor
from schemas.clocks.calendar import in_shanghai
from schemas.clocks.town_time import TownTime
from schemas.kernel.procedure import Procedure
from schemas.values.model import Model
from workflows.registry import PROCEDURES

RESTORED = "restored.json"
SKIPPED_NUMBERS = 100_000
"""So many numbers of each day are left out: more than a town gives in a day, and a case has six figures."""

log = structlog.get_logger()


class RestoreQueries(Queries):
    """engine/queries/restore.sql."""

    deliver_again: str
    skip_numbers: str
    allow_forgetting: str
    forget_endings: str
    forbid_forgetting: str
    note_restore: str
    begin_again: str
    look_again: str
    sign_everybody_out: str
    known_cases: str
    heard_reports: str


SQL = RestoreQueries.load("restore")


class Restored(Model):
    """What was done. `again`: submissions that will be delivered again; `endings`: archived runs that will end again."""

    histories_at: AwareDatetime
    ledger_at: AwareDatetime
    restored_at: AwareDatetime
    cases: int
    again: int
    endings: int
    skipped_days: int


async def restore(target: Path, data: Path) -> Restored:
    """Make a town from a backup in a folder that does not exist or is empty; `jiceng up` then goes on with it.

    Raises:
        NotBackedUp: the backup is not whole or was changed, or the folder is not empty.
        TownHeld, PostgresUnusable, NobodyCanRunPostgres, ChildFailed: the database could not be started.
    """
    listing = await asyncio.to_thread(read_listing, target)
    if different := await verify_base_backup(target / CLUSTER):
        raise NotBackedUp(f"The database in {target} is not as it was copied:\n{different}")
    folder = DataFolder(data)
    if folder.path.exists() and any(folder.path.iterdir()):
        raise NotBackedUp(f"{folder.path} is not empty: a town is restored into a folder of its own.")
    with folder.hold(), hold_ports(["postgres"], None, {}) as ports, unfinished(folder.path):
        await asyncio.to_thread(_put_in_place, target, folder.path)
        postgres = await open_postgres(folder.path / "postgres", ports["postgres"])
        supervisor = Supervisor(folder.path, [postgres.child()])
        try:
            await supervisor.start()
            clock = folder.clock()
            if clock is None:
                raise NotBackedUp("The backup has no founding.json: nobody knows what time it is in this town.")
            done = await put_right(postgres.url.get_secret_value(), listing, clock)
        finally:
            await supervisor.stop()
        write_private(folder.path / RESTORED, done.model_dump_json(indent=1))
    return done


def _put_in_place(target: Path, data: Path) -> None:
    shutil.copytree(target / "files", data, dirs_exist_ok=True)
    shutil.copy2(target / TEMPORAL, data / TEMPORAL)
    postgres = data / "postgres"
    postgres.mkdir(mode=0o700)
    shutil.copytree(target / CLUSTER, postgres / "cluster")
    shutil.copy2(target / "passwords.json", postgres / "passwords.json")


async def put_right(url: str, listing: BackupListing, clock: TownTime) -> Restored:
    """Make a database that was put back ready to go on beside the histories, before any process of the town runs."""
    now = datetime.now(UTC)
    days = list(_days(clock.to_town(listing.histories_at), clock.to_town(now)))
    started = [case.procedure.name for case in PROCEDURES if case.procedure.parent is None]
    with said_where(url):
        connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            again = _changed(await connection.execute(SQL.deliver_again, listing.histories_at))
            await connection.execute(SQL.skip_numbers, started, days, SKIPPED_NUMBERS)
            await connection.execute(SQL.allow_forgetting)
            endings = _changed(await connection.execute(SQL.forget_endings, listing.histories_at))
            await connection.execute(SQL.forbid_forgetting)
            await connection.execute(SQL.look_again, listing.histories_at)
            await connection.execute(SQL.begin_again, listing.histories_at)
            await connection.execute(SQL.note_restore, listing.histories_at, now)
            await connection.execute(SQL.sign_everybody_out)
            cases = await connection.fetchval("select count(*) from cases")
    finally:
        await connection.close()
    return Restored(
        histories_at=listing.histories_at,
        ledger_at=listing.ledger_at,
        restored_at=now,
        cases=cases,
        again=again,
        endings=endings,
        skipped_days=len(days),
    )


def _days(first: datetime, last: datetime) -> Iterator[str]:
    """The days of the town from the first to the last, one more for the lost town's clock, as case numbers name them."""
    day, end = in_shanghai(first).date(), in_shanghai(last).date() + timedelta(days=1)
    while day <= end:
        yield f"{day:%Y%m%d}"
        day += timedelta(days=1)


def _changed(answer: str) -> int:
    """The number in `UPDATE 7`."""
    return int(answer.rpartition(" ")[2])


class Forgotten(Model):
    """What somebody outside knows and the restored town does not. All three are empty where nothing was lost."""

    cases: tuple[str, ...]
    orders: tuple[str, ...]
    reports: tuple[str, ...]

    @property
    def nothing(self) -> bool:
        """The backup was as new as the world."""
        return not (self.cases or self.orders or self.reports)


async def forgotten(pool: asyncpg.Pool, journals: Mapping[str, Journal]) -> Forgotten:
    """Compare with the departments' journals: orders we do not know, reports we acknowledged and do not have.

    Reports that people sent after the backup and no department ever saw cannot be found by anybody but those people.
    """
    rows = await pool.fetch(SQL.known_cases)
    known = {row["case_id"]: row["orders"] for row in rows}
    procedures = {
        row["case_id"]: row["procedure"] for row in rows
    }  # a number does not say it: a child's is its parent's
    heard = {(row["case_id"], row["command"]): row["heard"] for row in await pool.fetch(SQL.heard_reports)}
    by_name: dict[str, Procedure] = {case.procedure.name: case.procedure for case in PROCEDURES}
    cases, orders = set(), set()
    said: Counter[tuple[str, str]] = Counter()
    for order_id, journal in journals.items():
        case_id = str(journal["case_id"] or order_id.rpartition(".order-")[0])
        if case_id not in known:
            cases.add(case_id)
            continue
        if int(order_id.rpartition("-")[2]) > known[case_id]:
            orders.add(order_id)
        callbacks = by_name[procedures[case_id]].callbacks
        acts = {(each["callback_id"], each["act"]) for each in journal["reports"] if each["acknowledged"]}
        said.update((case_id, callbacks[act]) for _, act in acts if act in callbacks)
    missing = [f"{case} {command}" for (case, command), often in said.items() if often > heard.get((case, command), 0)]
    return Forgotten(cases=tuple(sorted(cases)), orders=tuple(sorted(orders)), reports=tuple(sorted(missing)))
