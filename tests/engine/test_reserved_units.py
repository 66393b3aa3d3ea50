"""Units in the town's table: whoever asks at the same moment, asks twice, comes late, ends or comes back, nothing is had twice."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from audit.verify.verify_reservations import verify_reservations
from engine.runtime.settings import Settings
from engine.store.database import open_pool
from engine.store.reserved_units import SQL, CaseNotWritten, release_unit, reserve_unit
from schemas.contracts.reserved_units import ReleaseAsk, ReserveAsk, ReserveStatus
from tests.own_databases import own_database

HELD, TAKEN, OVER = ReserveStatus.HELD, ReserveStatus.TAKEN, ReserveStatus.OVER_LIMIT
POOL, SHARE = 1_000, 150
STANDS = """
insert into cases (case_id, procedure, stage, area, holder, labels, opened_at, ended, seq, head_hash, clocks, snapshot, task_at)
values ($1, 'prize', 'running', '330100', '', '{}', $2, false, 1, '', '[]', '{}', $2)
"""
TELLS = "update cases set ended = $2, snapshot = $3 where case_id = $1"


@pytest.fixture(scope="module")
async def own(settings: Settings) -> AsyncIterator[asyncpg.Pool]:
    """Tables that nobody else writes in."""
    async with (
        own_database(settings) as url,
        await open_pool(settings.model_copy(update={"database_url": url})) as pool,
    ):
        yield pool


@pytest.fixture
async def cases(own: asyncpg.Pool) -> Sequence[str]:
    """Twelve cases that live, of which no other test knows."""
    day = random.randrange(20000101, 29991231)  # noqa: S311 - a number that no other test has
    numbers = [f"prize-{day}-{number:06}" for number in range(12)]
    for number in numbers:
        await own.execute(STANDS, number, datetime.now(UTC))
    return numbers


def share(case: str, amount: int = SHARE) -> ReserveAsk:
    """A share of the pool that the cases of one test have for themselves."""
    key = case.rpartition("-")[0]
    return ReserveAsk(case_id=case, kind="prize", purpose="award-1", key=key, amount=amount, limit=POOL)


def unit(case: str, purpose: str = "room-1") -> ReserveAsk:
    return ReserveAsk(case_id=case, kind="room", purpose=purpose, key=case.rpartition("-")[0])


async def ask(own: asyncpg.Pool, asked: ReserveAsk) -> ReserveStatus:
    assert asked.key is not None
    return (await reserve_unit(own, asked, asked.key)).status


def said(asked: ReserveAsk, standing: str) -> dict[str, Any]:
    """What the case remembers of it."""
    return {"reserved_units": [{"purpose": asked.purpose, "standing": standing}]}


async def found(own: asyncpg.Pool, cases: Sequence[str] | None = None) -> list[str]:
    """The classes of what the audit finds."""
    findings = [each async for each in verify_reservations(own, cases)]
    return sorted(each.detail.partition(":")[0] for each in findings if not each.ok)


async def test_no_pool_is_overdrawn_however_many_ask_at_once(own: asyncpg.Pool, cases: Sequence[str]) -> None:
    """Each asks twice at the same moment, as after a worker was killed: once it counts, and both answers are alike."""
    answers = await asyncio.gather(*(ask(own, share(case)) for case in [*cases, *cases]))
    first, second = answers[: len(cases)], answers[len(cases) :]
    key = str(share(cases[0]).key)
    held = await own.fetchval("select sum(amount) from reservations where key = $1 and released_at is null", key)

    assert first == second
    assert (first.count(HELD), first.count(OVER)) == (POOL // SHARE, len(cases) - POOL // SHARE)
    assert held == POOL // SHARE * SHARE


async def test_a_unit_is_had_once_however_many_ask_at_once(own: asyncpg.Pool, cases: Sequence[str]) -> None:
    """One has it, and the database itself would take no second."""
    answers = await asyncio.gather(*(ask(own, unit(case)) for case in cases))
    other = unit(cases[answers.index(TAKEN)])

    assert (answers.count(HELD), answers.count(TAKEN)) == (1, len(cases) - 1)
    with pytest.raises(asyncpg.UniqueViolationError):
        await own.execute(SQL.hold_unit, other.kind, other.key, other.case_id, other.purpose, None, None)


@pytest.mark.parametrize(("standing", "then"), [("held", HELD), ("released", HELD), ("spent", TAKEN)])
async def test_what_a_case_held_is_free_with_its_end_or_spent_for_ever(
    own: asyncpg.Pool, cases: Sequence[str], standing: str, then: ReserveStatus
) -> None:
    """In the very statement that tells of the end; and who is over reserves nothing more."""
    one, other = unit(cases[0]), unit(cases[1])
    assert (await ask(own, one), await ask(own, other)) == (HELD, TAKEN)
    await own.execute(TELLS, one.case_id, True, said(one, standing))

    assert await ask(own, other) is then
    assert await ask(own, unit(cases[0], "room-2")) is ReserveStatus.CASE_OVER
    assert await found(own, [one.case_id]) == []


async def test_spent_counts_against_the_limit_for_ever(own: asyncpg.Pool, cases: Sequence[str]) -> None:
    """A case that spent half of it is over, and only the other half is left."""
    one = share(cases[0], 500)
    assert await ask(own, one) is HELD
    await own.execute(TELLS, one.case_id, True, said(one, "spent"))

    assert (await ask(own, share(cases[1], 501)), await ask(own, share(cases[1], 500))) == (OVER, HELD)


async def test_a_case_that_comes_back_has_what_nobody_took_meanwhile(own: asyncpg.Pool, cases: Sequence[str]) -> None:
    """Reset by somebody with access to the server: what is lost to it, the audit says."""
    back, lost, taker = share(cases[0], 400), unit(cases[1]), unit(cases[2])
    for each in (back, lost):
        assert await ask(own, each) is HELD
        await own.execute(TELLS, each.case_id, True, said(each, "held"))
    assert await ask(own, taker) is HELD
    for each in (back, lost):
        await own.execute(TELLS, each.case_id, False, said(each, "held"))

    assert await ask(own, share(cases[3], 601)) is OVER
    assert await ask(own, lost) is ReserveStatus.RELEASED
    assert await found(own, [back.case_id, lost.case_id]) == ["reservation-lost"]


async def test_an_asking_that_comes_after_it_was_given_up_holds_nothing(
    own: asyncpg.Pool, cases: Sequence[str]
) -> None:
    """A try of a worker that was thought dead: it was given up before, or even before anything was reserved."""
    early, late = unit(cases[0]), unit(cases[1])
    await release_unit(own, ReleaseAsk(case_id=early.case_id, kind=early.kind, purpose=early.purpose))
    assert await ask(own, late) is HELD
    await release_unit(own, ReleaseAsk(case_id=late.case_id, kind=late.kind, purpose=late.purpose))

    assert (await ask(own, early), await ask(own, late)) == (ReserveStatus.RELEASED, ReserveStatus.RELEASED)
    assert await ask(own, unit(cases[2])) is HELD


async def test_giving_up_at_the_moment_of_asking_leaves_nothing_held(own: asyncpg.Pool, cases: Sequence[str]) -> None:
    """Whoever comes first: afterwards it is free."""
    for case in cases[1:]:
        asked = unit(case)
        given_up = ReleaseAsk(case_id=case, kind=asked.kind, purpose=asked.purpose)
        await asyncio.gather(ask(own, asked), release_unit(own, given_up))

    assert await ask(own, unit(cases[0])) is HELD


async def test_who_has_no_row_yet_is_asked_to_come_again(own: asyncpg.Pool) -> None:
    """So that nothing is ever held by a case that there is not."""
    with pytest.raises(CaseNotWritten):
        await ask(own, unit("prize-19990101-000001"))


async def test_the_audit_finds_a_reservation_without_its_case(own: asyncpg.Pool, cases: Sequence[str]) -> None:
    """Of no case, of a case that never asked, of one that is over; and a limit that was passed past all rules."""
    alone, unknown, outlives = unit("prize-19990101-000002"), unit(cases[0]), share(cases[1])
    for each, amount in ((alone, None), (unknown, None), (outlives, 150)):
        key = f"forged/{each.case_id}"
        await own.execute(SQL.hold_unit, each.kind, key, each.case_id, each.purpose, amount, amount and POOL)
    await own.execute(TELLS, outlives.case_id, True, said(outlives, "held"))
    await own.execute("update reservations set released_at = null where case_id = $1", outlives.case_id)
    await own.execute(SQL.hold_unit, "prize", f"forged/{cases[1]}", cases[2], "award-1", POOL, POOL)
    await own.execute(TELLS, cases[2], False, said(share(cases[2]), "held"))

    assert await found(own, [alone.case_id, unknown.case_id, outlives.case_id, cases[2]]) == [
        "reservation-alone",
        "reservation-outlives",
        "reservation-unknown",
    ]
    assert "reservation-over" in await found(own)
