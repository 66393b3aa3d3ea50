"""A month whose cases are over for long is taken away from the ledger, and its cases are read and verified all the same."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest
import typer
from temporalio.client import Client

from audit.archive.archiver import Archiver
from audit.archive.ledger_months import SQL
from audit.archive.records import SQL as RECORDS
from audit.archive.records import head_of, one_moment, runs_of
from audit.archive.seals import make_seal
from audit.verify.rebuild import rebuild_rows
from audit.verify.verify import verify_archive
from audit.verify.verify_detached import MARKED, detached_faults
from audit.verify.verify_months import verify_months
from engine.keys.keys import Keys
from engine.store.archive import ArchiveStore
from engine.store.database import Queries
from engine.store.migrations import FOLDER
from local.commands.archive_commands import verify_all
from local.commands.month_commands import detach_month, show_months
from schemas.kernel.findings import Finding
from tests.api_callers import Caller, OwnTown, api_of, callers
from tests.audit.test_archive import first_task, reset, rests
from tests.engine.test_privacy import BY, persons
from tests.tampering import OneConnection, as_owner
from tests.waiting import eventually
from worker import town_worker

pytest_plugins = ("tests.api_fixture",)

FIRST = 0
AN_ENTRY = """
    insert into ledger (case_id, seq, at, kind, actor, body, prev_hash, hash, run_id, task_at)
    values ($1::text, 1, now(), 'tests:entry', 'engine:engine', '{}', '', 'again', '', now())
"""
YEARS = {"incident": 5}
LATER = datetime(2037, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Over:
    """A town with one case that has ended and one that has not; both lie in the first partition of the ledger."""

    town: OwnTown
    keys: Keys
    temporal: Client
    archiver: Archiver
    resident: Caller
    case: str
    open_case: str

    async def detach(self, town_now: datetime = LATER) -> tuple[str, int | None]:
        """Ask for the first partition to be taken away; the word, and how many cases."""
        [row] = await self.town.pool.fetch(SQL.detach, FIRST, YEARS, town_now, "tests")
        return row["word"], row["cases"]

    async def findings(self) -> list[Finding]:
        """What verification finds of the case that has ended, and of the seals."""
        return [each async for each in verify_all(self.town.settings, self.keys, self.town.pool, [self.case])]

    async def months(self, connection: Any = None) -> list[Finding]:
        """What verification of everything finds of the months that were taken away."""
        return [each async for each in verify_months(connection or self.town.pool, whole=True)]

    async def withdraw(self, case: str) -> None:
        """End a case, and wait until its run has closed: the row says so a moment before."""
        assert (await self.resident.command(case, "withdraw", {"reason": "已自行清理"})).status_code == httpx.codes.OK
        assert (await self.resident.get(f"/api/v1/cases/{case}", wait="ended", timeout=60)).json()["ended"]
        await self.temporal.get_workflow_handle(case).result()


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
        town = Over(own_town, keys, temporal, archiver, resident, *cases)
        await town.withdraw(town.case)
        yield town


async def is_over(over: Over) -> None:
    """Both cases end and are archived and sealed."""
    await over.withdraw(over.open_case)
    for case in (over.case, over.open_case):
        await over.archiver.archive_case(case)
    await over.town.pool.execute("update outbox set delivered_at = now()")
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
    await pool.execute("update outbox set delivered_at = now()")
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


async def test_detached_cases_are_marked_by_nobody_again(over: Over, temporal: Client) -> None:
    """Terminated and reset before their month went, they are known as such: a pass writes nothing of them, and leaves nothing."""
    pool, turned_back = over.town.pool, over.open_case
    new = await reset(temporal, turned_back, await first_task(temporal, turned_back))
    terminated = (await over.resident.report(key="three")).json()["case_id"]
    await eventually(lambda: rests(temporal, turned_back, new))
    await temporal.get_workflow_handle(terminated).terminate("gone")
    await over.withdraw(turned_back)
    marks = "select kind, case_id from ledger where kind in ('case:terminated', 'case:reset')"

    async def all_marked() -> bool:
        await over.archiver.one_pass(full=True)
        return {tuple(row) for row in await pool.fetch(marks)} == {
            ("case:terminated", terminated),
            ("case:reset", turned_back),
        }

    await eventually(all_marked)
    await make_seal(pool, over.keys)
    await pool.execute("update outbox set delivered_at = now()")
    before = await pool.fetchval("select count(*) from ledger")
    assert await over.detach() == ("detached", 3)
    passes = [await over.archiver.one_pass(full=True) for _ in range(2)]

    assert [(each.marked, each.left) for each in passes] == [(0, 0)] * 2
    assert await pool.fetchval("select count(*) from ledger") == 0
    assert await pool.fetchval("select count(*) from ledger_first") == before
    await pool.execute("drop table ledger_first")
    found = [each async for each in verify_all(over.town.settings, over.keys, pool, [terminated, turned_back])]
    assert all(each.ok for each in found), details(found)
    # A mark vouches for no other head than seals hold.
    await pool.execute("update cases set head_hash = repeat('f', 64), seq = seq + 1 where case_id = $1", terminated)
    again = [each async for each in verify_archive(pool, over.keys, ArchiveStore(None), [terminated])]
    assert "chain-rewritten: " in details(again)


@pytest.mark.parametrize("status", MARKED)
async def test_the_mark_of_a_case_that_did_not_end_by_its_story_is_no_forgery(status: str, over: Over) -> None:
    """Whichever way: the archiver's entry stands behind all that the histories tell, and a seal vouches for it."""
    await is_over(over)
    pool = over.town.pool
    async with one_moment(pool) as connection:
        runs = await runs_of(connection, over.keys, ArchiveStore(None), over.case)
        head, _ended = await head_of(connection, over.case)
    assert head is not None
    events = {run.manifest["run_id"]: run.events for run in runs}
    own = [run.manifest | {"status": status} for run in runs]
    mark = (head[0] + 1, "f" * 64)
    assert list(detached_faults(over.case, mark, own, events, {head, mark})) == []
    assert "chain-rewritten: " in "".join(detached_faults(over.case, mark, own, events, {head}))
    by_its_story = [run.manifest for run in runs]
    assert "chain-rewritten: " in "".join(detached_faults(over.case, mark, by_its_story, events, {head, mark}))


async def test_while_a_month_is_counted_everybody_reads_and_all_others_write(over: Over) -> None:
    """Only its own cases, which are over, would have to wait; held up for long, it has locked nobody out."""
    await is_over(over)
    pool = over.town.pool
    async with pool.acquire() as holding:
        transaction = holding.transaction()
        await transaction.start()
        await holding.execute("lock table archive in access exclusive mode")
        taking = asyncio.create_task(over.detach())

        async def counts() -> bool:
            waiting = "select count(*) from pg_locks where not granted and relation = 'archive'::regclass"
            return bool(await holding.fetchval(waiting))

        await eventually(counts)
        async with pool.acquire() as connection:
            await connection.execute("set lock_timeout = '200ms'")
            assert await connection.fetchval("select count(*) from chain_of($1)", over.case)
            await connection.execute(AN_ENTRY, "incident-20991115-000001")
            with pytest.raises(asyncpg.LockNotAvailableError):
                await connection.execute(AN_ENTRY, over.case)
            await connection.execute("reset lock_timeout")
        await transaction.rollback()
    assert await taking == ("detached", 2)


async def test_what_is_written_for_a_month_that_went_is_refused(over: Over) -> None:
    """It would lie among the others and begin its chain anew; no run is one of such a case's, and other months go on."""
    await is_over(over)
    await over.detach()
    pool = over.town.pool
    with pytest.raises(asyncpg.CheckViolationError, match="without_ledger_first"):
        await pool.execute(AN_ENTRY, over.case)
    assert await pool.fetchval("select run_of_case($1, 'another', 'another')", over.case) is False
    await pool.execute(AN_ENTRY, "incident-20991115-000001")


async def test_who_took_a_month_away_when_and_why_stands_in_the_record(over: Over) -> None:
    """The account, the role of the database, the clock and the years; and the next seal holds it."""
    await is_over(over)
    await over.detach()
    [row] = await over.town.pool.fetch("select * from ledger_detached")
    assert row["who"].startswith("tests as ")
    assert (row["town_now"], row["keep_years"], row["cases"]) == (LATER, YEARS, 2)
    assert [each.ok for each in await over.months()] == [True]
    await make_seal(over.town.pool, over.keys)
    assert [each.ok for each in await over.months()] == [True]
    async with as_owner(over.town.pool) as connection:
        await connection.execute("alter table ledger_detached disable trigger user")
        await connection.execute("update ledger_detached set who = 'somebody else'")
        assert "seal 2 holds another record" in details(await over.months(OneConnection(connection)))
        await connection.execute("delete from ledger_detached")
        assert "there is no record of it" in details(await over.months(OneConnection(connection)))


A_CLAIM = """
    insert into ledger_detached
        (partition, from_month, before_month, detached_at, cases, entries, digest, who, town_now, keep_years)
    values ($1, 0, 209901, $2, $3, 9, '', 'x', now(), '{}')
"""


async def test_a_claim_that_a_month_went_hides_no_deleted_entries(over: Over) -> None:
    """Where the ledger has a part for the month, whatever it is called and however many cases it names, the case is deleted."""
    await is_over(over)
    for name, cases in (("ledger_first", 2), ("ledger_202001", 2), ("ledger_202001", 1)):
        async with as_owner(over.town.pool) as connection:
            await connection.execute("delete from ledger where case_id = $1", over.case)
            await connection.execute(A_CLAIM, name, datetime.now(UTC) - timedelta(hours=1), cases)
            pool: Any = OneConnection(connection)
            found = [each async for each in verify_all(over.town.settings, over.keys, pool, [over.case])]
        bad = details([each for each in found if not each.ok])
        assert f"case-deleted: {over.case}" in bad, name
        assert "the ledger has a part with its months" in bad
        assert "does not hold that it was taken away" in bad
        assert ("1 cases were taken away with it, and 2 are known" in bad) == (cases == 1)


async def test_a_month_of_which_other_cases_are_known_vouches_for_none(over: Over) -> None:
    """A partition dropped by hand, and a record of it made up: with another number of cases it says nothing."""
    await is_over(over)
    for cases, gone in ((2, True), (1, False)):
        async with as_owner(over.town.pool) as connection:
            await connection.execute("drop table ledger_first cascade")
            await connection.execute(A_CLAIM, "ledger_first", datetime.now(UTC) - timedelta(hours=1), cases)
            pool: Any = OneConnection(connection)
            found = [each async for each in verify_all(over.town.settings, over.keys, pool, [over.case])]
        bad = details([each for each in found if not each.ok])
        assert (f"case-deleted: {over.case}" not in bad) == gone
        assert "does not hold that it was taken away" in bad


async def test_a_table_put_back_with_other_entries_is_found(over: Over) -> None:
    """The digest over all entries tells, also where each chain by itself holds."""
    await is_over(over)
    await over.detach()
    async with as_owner(over.town.pool) as connection:
        await connection.execute("alter table ledger_first disable trigger user")
        await connection.execute("delete from ledger_first where case_id = $1", over.open_case)
        pool: Any = OneConnection(connection)
        assert "its table has other entries than were taken away" in details(await over.months(pool))
        found = [each async for each in verify_all(over.town.settings, over.keys, pool, [over.open_case])]
    assert f"case-deleted: {over.open_case}" in details(found)


async def test_an_extract_says_when_entries_are_not_here(over: Over) -> None:
    """From the table beside as from the ledger; without it, with which table they went."""
    await is_over(over)
    privacy = persons(over.town.settings, over.keys, over.town.pool)
    person = await over.town.pool.fetchval("select person_id from person_cases where case_id = $1 limit 1", over.case)

    async def extract() -> tuple[str | None, int]:
        made = await privacy.export(person, BY, datetime.now(UTC), over.case)
        return made.entries_away, len(made.texts)

    whole = await extract()
    await over.detach()
    assert await extract() == whole
    await over.town.pool.execute("drop table ledger_first")
    assert (await extract())[0] == "ledger_first"


async def test_the_record_of_what_was_taken_away_is_not_dropped(over: Over) -> None:
    """Going back to before would make all its cases deleted ones; without any, it can be gone back."""
    down = (FOLDER / "20261205000090_ledger_detached.sql").read_text().split("-- migrate:down")[1]
    async with over.town.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(down)
        await transaction.rollback()
    await is_over(over)
    await over.detach()
    with pytest.raises(asyncpg.RaiseError, match="were taken away"):
        await over.town.pool.execute(down)


async def test_a_month_with_notices_that_wait_stays(over: Over) -> None:
    """Whoever is to be told of an entry is told as long as the ledger has it."""
    await is_over(over)
    await over.town.pool.execute("update outbox set delivered_at = null where case_id = $1", over.case)
    assert await over.detach() == ("untold", 1)


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
