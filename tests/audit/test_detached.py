"""A month whose cases are over for long is taken away from the ledger, and its cases are read and verified all the same."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import typer
from temporalio.client import Client

from audit.archive.archiver import Archiver
from audit.archive.ledger_months import SQL
from audit.archive.records import SQL as RECORDS
from audit.archive.seals import make_seal
from audit.verify.rebuild import rebuild_rows
from engine.keys.keys import Keys
from engine.store.archive import ArchiveStore
from engine.store.database import Queries
from local.commands.archive_commands import verify_all
from local.commands.month_commands import detach_month, show_months
from schemas.kernel.findings import Finding
from tests.api_callers import Caller, OwnTown, api_of, callers
from tests.tampering import OneConnection, as_owner
from worker import town_worker

pytest_plugins = ("tests.api_fixture",)

FIRST = 0
YEARS = {"incident": 5}
LATER = datetime(2037, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Over:
    """A town with one case that has ended and one that has not; both lie in the first partition of the ledger."""

    town: OwnTown
    keys: Keys
    archiver: Archiver
    resident: Caller
    case: str
    open_case: str

    async def detach(self, town_now: datetime = LATER) -> tuple[str, int | None]:
        """Ask for the first partition to be taken away; the word, and how many cases."""
        [row] = await self.town.pool.fetch(SQL.detach, FIRST, YEARS, town_now)
        return row["word"], row["cases"]

    async def findings(self) -> list[Finding]:
        """What verification finds of the case that has ended, and of the seals."""
        return [each async for each in verify_all(self.town.settings, self.keys, self.town.pool, [self.case])]

    async def withdraw(self, case: str) -> None:
        """End a case, and wait for it."""
        assert (await self.resident.command(case, "withdraw", {"reason": "已自行清理"})).status_code == httpx.codes.OK
        assert (await self.resident.get(f"/api/v1/cases/{case}", wait="ended", timeout=60)).json()["ended"]


@pytest.fixture
async def over(own_town: OwnTown, keys: Keys, temporal: Client) -> AsyncIterator[Over]:
    patient = own_town.settings.model_copy(update={"delivery_patience_seconds": 30.0})
    async with (
        town_worker(own_town.settings, keys, temporal, own_town.pool) as worker,
        worker,
        api_of(own_town.build(over=patient)) as http,
    ):
        resident = callers(http, keys)()
        cases = [(await resident.report(key=key)).json()["case_id"] for key in ("one", "two")]
        archiver = Archiver(temporal, own_town.pool, keys, ArchiveStore(None))
        town = Over(own_town, keys, archiver, resident, *cases)
        await town.withdraw(town.case)
        yield town


async def is_over(over: Over) -> None:
    """Both cases end and are archived and sealed."""
    await over.withdraw(over.open_case)
    for case in (over.case, over.open_case):
        await over.archiver.archive_case(case)
    await make_seal(over.town.pool, over.keys)


def details(findings: list[Finding]) -> str:
    return "\n".join(each.detail for each in findings)


async def test_a_month_stays_until_all_its_cases_are_over_archived_and_kept_long_enough(over: Over) -> None:
    """Each reason is said with how many cases are why; nothing is taken away before."""
    pool = over.town.pool
    assert await over.detach(datetime.now(UTC)) == ("running", None)
    assert await over.detach() == ("alive", 1)
    await over.withdraw(over.open_case)
    stood = await pool.fetch("select * from ledger order by case_id, seq, hash")
    assert await over.detach() == ("unarchived", 2)
    for case in (over.case, over.open_case):
        await over.archiver.archive_case(case)
    closed = await pool.fetchval("select max(closed_at) from cases")
    await pool.execute("update cases set closed_at = $1 where case_id = $2", LATER, over.case)
    assert await over.detach() == ("kept", 1)
    await pool.execute("update cases set closed_at = $1", closed)
    assert await pool.fetch("select * from ledger order by case_id, seq, hash") == stood

    assert await over.detach(LATER) == ("detached", 2)
    assert await pool.fetchval("select count(*) from ledger") == 0
    assert await pool.fetch("select * from ledger_first order by case_id, seq, hash") == stood
    assert await over.detach() == ("unknown", None)


async def test_a_case_of_a_month_that_was_taken_away_is_audited_from_the_table_beside(over: Over) -> None:
    """Ledger, histories, seals and row are verified as before; its entries are read; no rebuilding writes them again."""
    await is_over(over)
    before = await over.findings()
    entries = await over.town.pool.fetch(RECORDS.entries_of_case, over.case)
    assert (await over.detach())[0] == "detached"

    assert await over.findings() == before
    assert all(each.ok for each in before)
    assert await over.town.pool.fetch(RECORDS.entries_of_case, over.case) == entries

    async def histories(_: str) -> Any:
        raise AssertionError("nobody asks for the histories of what was taken away")

    rebuilt = rebuild_rows(over.town.pool, over.keys, over.town.settings, histories, [over.case], write=True)
    assert [each.ok async for each in rebuilt] == [True]
    assert await over.town.pool.fetchval("select count(*) from ledger") == 0


async def test_what_was_carried_away_is_said_plainly_and_the_archive_vouches_for_it(over: Over) -> None:
    """Without its table the case verifies by its histories and seals; a row that names another head does not."""
    await is_over(over)
    await over.detach()
    await over.town.pool.execute("drop table ledger_first")
    found = await over.findings()

    assert all(each.ok for each in found), details(found)
    assert "went with ledger_first, which was taken away from the ledger on" in details(found)
    assert "no entries to compare" in details(found)
    await over.town.pool.execute("update cases set head_hash = repeat('f', 64) where case_id = $1", over.case)
    assert "chain-rewritten: " in details([each for each in await over.findings() if not each.ok])


async def test_entries_that_were_deleted_are_not_said_to_be_taken_away(over: Over) -> None:
    """Who deletes a case and says that its month was taken away is found as long as its end is not archived."""
    await over.archiver.archive_case(over.case)
    async with as_owner(over.town.pool) as connection:
        await connection.execute("delete from ledger where case_id = $1", over.case)
        assert [row["seq"] for row in await connection.fetch(RECORDS.entries_of_case, over.case)] == []
        assert await connection.fetchrow(RECORDS.detached, over.case) is None
    await is_over(over)
    await over.detach()
    async with as_owner(over.town.pool) as connection:
        await connection.execute("delete from archive where case_id = $1", over.case)
        await connection.execute("drop table ledger_first")
        pool: Any = OneConnection(connection)
        found = [each async for each in verify_all(over.town.settings, over.keys, pool, [over.case])]
    assert f"run-missing: {over.case}: its entries were taken away" in details([each for each in found if not each.ok])


async def test_the_command_says_why_a_month_stays(over: Over, capsys: pytest.CaptureFixture[str]) -> None:
    """An operator reads which partitions there are, and of one that is needed the reason; nothing is taken away."""
    await show_months(over.town.settings)
    assert "ledger_first" in capsys.readouterr().out
    for month, why in ((FIRST, "its month is not over"), (199001, "the ledger has no such partition")):
        with pytest.raises(typer.Exit):
            await detach_month(over.town.settings, month)
        assert why in capsys.readouterr().out
    assert await over.town.pool.fetchval("select count(*) from ledger") > 0


async def test_a_restore_begins_no_case_again_that_was_taken_away(over: Over) -> None:
    """What began after the histories were copied begins once more; what was taken away from the ledger does not."""
    await is_over(over)
    await over.detach()
    await over.town.pool.execute(Queries.load("restore").begin_again, datetime.now(UTC) + timedelta(hours=1))
    assert await over.town.pool.fetchval("select count(*) from cases where first_run_id = ''") == 0
