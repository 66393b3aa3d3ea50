"""What is settled long ago leaves the intake and the outbox; what it brought about stays, and nothing is done twice."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
from pydantic import ValidationError
from temporalio.client import Client

from audit.archive.settled import end_settled
from audit.verify.verify import verify_cases
from engine.keys.keys import Keys
from schemas.kernel.privacy import PrivacyPolicy
from tests.api_callers import Caller, OwnTown, api_of, callers
from tests.waiting import eventually
from worker import town_worker

pytest_plugins = ("tests.api_fixture",)

MONTHS = 24
FEW = 2
"""Rows at once, so that there are several looks."""


@dataclass(frozen=True)
class Old:
    """A town in which a resident has reported and urged, both settled and told of."""

    town: OwnTown
    resident: Caller
    case: str

    async def left(self, column: str, table: str) -> list[str]:
        """What stands in a column, in the order in which it came."""
        rows = await self.town.pool.fetch(f"select {column} as found from {table} order by 1")  # noqa: S608 - our own names
        return [str(row["found"]) for row in rows]


@pytest.fixture
async def old(own_town: OwnTown, keys: Keys, temporal: Client) -> AsyncIterator[Old]:
    patient = own_town.settings.model_copy(update={"delivery_patience_seconds": 30.0})
    async with (
        town_worker(own_town.settings, keys, temporal, own_town.pool) as worker,
        worker,
        api_of(own_town.build(over=patient)) as http,
    ):
        resident = callers(http, keys)()
        case = (await resident.report(key="report")).json()["case_id"]
        assert (await resident.command(case, "urge", key="urge")).status_code == httpx.codes.OK

        async def all_is_settled() -> bool:
            return not await own_town.pool.fetchval("select exists (select from intake where status = 'waiting')")

        await eventually(all_is_settled)
        await own_town.pool.execute("update outbox set delivered_at = clock_timestamp()")
        yield Old(own_town, resident, case)


async def test_settled_commands_end_after_their_months_and_openings_stay(old: Old) -> None:
    """A month too young it stays; then it goes, and what departments reported, what waits and what was laid aside stays."""
    pool = old.town.pool
    await _age(old, MONTHS - 1)
    assert await end_settled(pool, MONTHS, FEW) == 0

    for beside in ("subject = 'department:x'", "status = 'waiting', leased_until = 'infinity'", "status = 'set_aside'"):
        await pool.execute(_COPY.format(beside))
    await _age(old, 2)
    await pool.execute(_COPY.format("received_at = clock_timestamp()"))
    notices = len(await old.left("notice_id", "outbox"))

    assert await end_settled(pool, MONTHS, FEW) == 1 + notices
    assert await old.left("scope || ' ' || key", "intake") == sorted(
        [*await old.left("scope || ' ' || key", "intake where kind = 'start'"),
         *await old.left("scope || ' ' || key", "intake where submission like 'copy%'")]
    )  # fmt: skip
    assert len(await old.left("submission", "intake")) == 5
    assert await old.left("notice_id", "outbox") == []
    assert await end_settled(pool, MONTHS, FEW) == 0


async def test_a_notice_that_somebody_has_yet_to_look_at_stays(old: Old) -> None:
    """What a channel did not take may be sent again until somebody has looked at it."""
    pool = old.town.pool
    await pool.execute(_GIVEN_UP)
    kept = await old.left(
        "notice_id", "outbox where exists (select from notice_deliveries as told where told.seq = outbox.seq)"
    )
    await _age(old, MONTHS + 1)
    await end_settled(pool, MONTHS, FEW)

    assert len(kept) > 0
    assert set(await old.left("notice_id", "outbox")) == set(kept)


async def test_a_command_that_is_sent_again_afterwards_is_not_done_twice(old: Old) -> None:
    """The case knows its answer; ledger and chain are what they were."""
    await _age(old, MONTHS + 1)
    before = await old.left("hash", "ledger where kind = 'incident:urged'")
    assert await end_settled(old.town.pool, MONTHS) > 0
    again = await old.resident.command(old.case, "urge", key="urge")
    report = await old.resident.report(key="report")

    assert (again.status_code, report.json()["case_id"]) == (httpx.codes.OK, old.case)
    assert await old.left("hash", "ledger where kind = 'incident:urged'") == before
    assert len(before) == 1
    assert [finding async for finding in verify_cases(old.town.pool, [old.case]) if not finding.ok] == []


def test_a_town_keeps_them_for_more_than_a_year() -> None:
    """Whoever repeats a command within a year is answered as the first time; a policy that says nothing keeps two years."""
    assert PrivacyPolicy(version="1", keep_years={}, keep_days_without_case=1).keep_submissions_months == MONTHS
    with pytest.raises(ValidationError, match="keep_submissions_months"):
        PrivacyPolicy(version="1", keep_years={}, keep_days_without_case=1, keep_submissions_months=12)


async def _age(old: Old, months: int) -> None:
    """As if everything had come so many months earlier."""
    await old.town.pool.execute(
        "update intake set received_at = received_at - make_interval(months => $1),"
        " settled_at = settled_at - make_interval(months => $1)",
        months,
    )
    await old.town.pool.execute("update outbox set created_at = created_at - make_interval(months => $1)", months)


_COPY = """
    with copied as (
        insert into intake (submission, kind, command, procedure, case_id, subject, scope, key, body_digest, payload, status,
                            received_at, settled_at)
        select 'copy of ' || clock_timestamp(), kind, command, procedure, case_id, subject, scope,
               convert_to(clock_timestamp()::text, 'UTF8'), body_digest, payload, status, received_at, settled_at
        from intake where command = 'urge' and submission not like 'copy%'
        returning submission
    )
    select submission from copied;
    update intake set {} where submission = (select max(submission) from intake where submission like 'copy%');
"""
_GIVEN_UP = """
    insert into notice_deliveries (case_id, seq, position, content, channel, recipient, account, template, text, at, status)
    select case_id, seq, position, 'x', 'sms', recipient, null, template, '', created_at, 'given_up' from outbox
    where seq = 1
"""
