"""The same benefit once per person and household at a time: held at the door, asked again by whoever decides."""

import asyncio
import random
import shutil
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from engine.runtime.settings import Settings
from engine.store.database import open_pool
from engine.store.migrations import FOLDER, migrate
from engine.store.reservations import reserve
from schemas.contracts.reservation import Claim, Hold, Occasion
from schemas.welfare import WELFARE
from tests.api_callers import BuildApp, api_of
from tests.api_driver import ApiDriver, OpenDoor, Person, Step
from tests.examples.incident import PHOTO
from tests.examples.welfare import (
    ACCEPT,
    ADVANCED,
    AID,
    BASIS,
    CONFIRM,
    DIED,
    DOCUMENTS,
    GRANTED,
    NEGATIVE,
    OLD_AGE,
    PATH,
    REASON,
    REVIEW,
    REVIEWED,
    SUBSISTENCE,
    application,
    complete,
    identity_number,
    paper,
)
from tests.waiting import eventually

pytest_plugins = ("tests.api_fixture",)
pytestmark = pytest.mark.usefixtures("worker")

CREATED, OK, HELD = 201, 200, 409
ELSEWHERE = Person("clerk-elsewhere", "window_clerk", area="320104.003.09")
HERE = Person("clerk-here", "window_clerk", area="320104.003.01")
CONFIRMED_BY_CIVIL = Step("confirm_repayment", "civil", {"repayment": 1})
UPHELD = Step("decide_appeal", "second_civil", {"outcome": "upheld", **BASIS})
ENDINGS = {
    "ended": (*GRANTED, *DIED),
    "withdrawn": (Step("withdraw_application", "applicant", REASON),),
    "refused": (ACCEPT, Step("review", "street_officer", NEGATIVE), Step("appeal", "clerk", REASON), UPHELD),
}


def somebody(name: str) -> dict[str, str]:
    """Somebody whom no other test knows."""
    place, order = random.randrange(100_000, 999_999), random.randrange(1000)  # noqa: S311 - made-up people
    return {"name": name, "identity_number": identity_number("19400615", order, place)}


@dataclass(frozen=True)
class Town:
    """A town by one of its APIs: applications of whom a test says, and what is answered to whoever decides."""

    door: ApiDriver

    async def apply(
        self, who: dict[str, str], *household: dict[str, str], by: str | Person = "applicant", **other: Any
    ) -> httpx.Response:
        """Apply for the old age allowance, or for what `body` says."""
        key, body = other.pop("key", None) or str(uuid.uuid4()), other.pop("body", OLD_AGE)
        sender = by if isinstance(by, str) else "clerk"
        whole = await complete(self.door, body | other, sender, DOCUMENTS[body["benefit"]])
        headers = self.door.headers(sender, key, {"applicant": who})
        if isinstance(by, Person):
            whole["documents"] = []
            headers |= {"Authorization": f"Bearer {self.door.token(by)}"}
        consenting = [
            each
            | ({"consent": await paper(self.door, sender, PHOTO + each["name"].encode())} if whole["documents"] else {})
            for each in household
        ]
        sent = {**whole, "applicant": who, "household": consenting}
        return await self.door.api.post(PATH, json=sent, headers=headers)

    async def stands(self, who: dict[str, str], *household: dict[str, str], **other: Any) -> str:
        """Apply, and be taken."""
        answer = await self.apply(who, *household, **other)
        assert answer.status_code == CREATED, answer.text
        return str(answer.json()["case_id"])

    async def reviewed(self, case_id: str) -> httpx.Response:
        """Accept an application and review it; what the reviewer is told."""
        await self.door.go(case_id, (ACCEPT,))
        return await self.door.taken(case_id, REVIEW)


@pytest.fixture
async def town(door: OpenDoor) -> Town:
    return Town(await door(WELFARE))


@pytest.fixture
async def other_town(town: Town, build_app: BuildApp) -> AsyncIterator[Town]:
    """The same town by another API process's app."""
    async with api_of(build_app()) as http:
        yield Town(ApiDriver(http, town.door.token, WELFARE))


def in_the_way(answer: httpx.Response) -> list[str]:
    """The cases that an answer names."""
    assert (answer.status_code, answer.json()["code"]) == (HELD, "already-held"), answer.text
    return list(answer.json().get("in_the_way", []))


# ---- the applicant: at the door ---------------------------------------------------------------------------------------


async def test_who_has_a_living_application_is_refused_a_second_one_at_the_door(town: Town) -> None:
    """The same person, the same benefit: by the same account or another, with another bank account, only one case."""
    her = somebody("何秀英")
    case_id = await town.stands(her)
    again = await town.apply(her)
    elsewhere = await town.apply(her, by="stranger", account="6222020000000000025")
    by_staff = await town.apply(her, by="clerk")
    other_benefit = await town.apply(her, body=AID)

    assert in_the_way(again) == [case_id]
    assert in_the_way(by_staff) == [case_id]
    assert in_the_way(elsewhere) == []
    assert case_id not in elsewhere.text
    assert other_benefit.status_code == CREATED


async def test_the_case_in_the_way_is_named_only_to_who_sees_it(town: Town) -> None:
    """Staff of its area are told its number; staff of another one, that there is one."""
    her = somebody("何秀英")
    case_id = await town.stands(her)

    assert in_the_way(await town.apply(her, by=HERE)) == [case_id]
    unnamed = await town.apply(her, by=ELSEWHERE)
    assert in_the_way(unnamed) == []
    assert case_id not in unnamed.text


async def test_the_database_itself_takes_no_two(town: Town, pool: asyncpg.Pool) -> None:
    """Whoever wrote past the rules: of what one living case has for itself there is no second row."""
    case_id = await town.stands(somebody("何秀英"))
    second = (
        "insert into reservations (kind, key, case_id, hold)"
        " select kind, key, 'welfare-other', hold from reservations where case_id = $1"
    )
    with pytest.raises(asyncpg.UniqueViolationError):
        await pool.execute(second, case_id)


async def test_a_refused_application_leaves_nothing_behind_but_its_refusal(town: Town, pool: asyncpg.Pool) -> None:
    """Nobody is kept who was only named in it, nothing is reserved, and the attempt is on record."""
    her, him = somebody("何秀英"), somebody("张大")
    await town.stands(her)
    count = "select (select count(*) from persons), (select count(*) from reservations)"
    refusals = "select count(*) from refusals where code = 'already-held' and command = 'apply'"
    before, told = await pool.fetchrow(count), await pool.fetchval(refusals)
    in_the_way(await town.apply(her, him))

    assert await pool.fetchrow(count) == before
    assert await pool.fetchval(refusals) == told + 1


async def test_two_benefits_of_which_one_excludes_the_other_are_not_had_together(town: Town) -> None:
    """低保 and 特困人员供养: whichever comes second is refused; what neither names is another matter."""
    her, him = somebody("何秀英"), somebody("张大")
    destitute = application("destitute-support")
    cases = [await town.stands(her, body=SUBSISTENCE), await town.stands(him, body=destitute)]

    assert in_the_way(await town.apply(her, body=destitute)) == cases[:1]
    assert in_the_way(await town.apply(him, body=SUBSISTENCE)) == cases[1:]
    assert (await town.apply(her)).status_code == CREATED


async def test_the_same_application_again_is_the_same_case(town: Town) -> None:
    """A repeat under its key is no second application."""
    her, key = somebody("何秀英"), str(uuid.uuid4())
    case_id = await town.stands(her, key=key)
    again = await town.apply(her, key=key)

    assert (again.status_code, again.json()["case_id"]) == (OK, case_id)


async def test_of_two_applications_at_the_same_moment_by_two_apis_one_wins(town: Town, other_town: Town) -> None:
    """Whichever comes second is told of the first."""
    for _ in range(3):
        her = somebody("何秀英")
        answers = await asyncio.gather(*(each.apply(her) for each in (town, other_town, town, other_town)))
        won = [answer.json()["case_id"] for answer in answers if answer.status_code == CREATED]

        assert sorted(answer.status_code for answer in answers) == [CREATED, HELD, HELD, HELD]
        assert all(in_the_way(answer) == won for answer in answers if answer.status_code == HELD)


@pytest.mark.parametrize("ending", ENDINGS)
async def test_a_case_that_is_over_lets_a_new_one_in(town: Town, ending: str) -> None:
    """Ended, withdrawn or refused for good: it holds nothing any more."""
    her = somebody("何秀英")
    case_id = await town.stands(her)
    assert in_the_way(await town.apply(her)) == [case_id]
    await town.door.go(case_id, ENDINGS[ending])
    second = await town.stands(her)

    assert (await town.reviewed(second)).status_code == OK
    assert in_the_way(await town.apply(her)) == [second]


async def test_a_refusal_that_may_still_be_appealed_against_holds(town: Town) -> None:
    """As long as it can be overturned, there are not two."""
    her = somebody("何秀英")
    case_id = await town.stands(her)
    await town.door.go(case_id, (ACCEPT, Step("review", "street_officer", NEGATIVE)))

    assert in_the_way(await town.apply(her)) == [case_id]


# ---- the household: when it is decided --------------------------------------------------------------------------------


@pytest.mark.parametrize("first_reviewed", [0, 1])
async def test_of_a_couple_that_names_each_other_one_application_goes_on(town: Town, first_reviewed: int) -> None:
    """Husband and wife, in whichever order they are reviewed: the earlier one; the other meets it, by number."""
    he, she = somebody("孙大"), somebody("周二")
    cases = [await town.stands(he, she), await town.stands(she, he, by="stranger")]
    for each in (first_reviewed, 1 - first_reviewed):
        answer = await town.reviewed(cases[each])
        if each == 0:
            assert answer.status_code == OK
        else:
            assert in_the_way(answer) == [cases[0]]
    await town.door.go(cases[0], (CONFIRM,))
    assert in_the_way(await town.door.taken(cases[1], REVIEW)) == [cases[0]]

    await town.door.go(cases[0], DIED)
    assert (await town.door.taken(cases[1], REVIEW)).status_code == OK


async def test_of_a_couple_at_the_same_moment_by_two_apis_one_goes_on(town: Town, other_town: Town) -> None:
    """Applied, accepted and reviewed at once, crosswise: one household, one favourable review."""
    he, she = somebody("孙大"), somebody("周二")
    applied = await asyncio.gather(town.apply(he, she), other_town.apply(she, he, by="stranger"))
    cases = [answer.json()["case_id"] for answer in applied]
    reviewed = await asyncio.gather(town.reviewed(cases[0]), other_town.reviewed(cases[1]))

    assert [answer.status_code for answer in applied] == [CREATED, CREATED]
    assert sorted(answer.status_code for answer in reviewed) == [OK, HELD]


async def test_urgent_aid_is_not_paid_first_to_both_of_a_couple(town: Town) -> None:
    """What is paid at acceptance is asked about at acceptance."""
    he, she = somebody("孙大"), somebody("周二")
    first = await town.stands(he, she, body=AID)
    second = await town.stands(she, he, body=AID, by="stranger")

    assert in_the_way(await town.door.taken(second, ACCEPT)) == [first]
    assert (await town.door.taken(first, ACCEPT)).status_code == OK


async def test_who_owes_an_advance_is_paid_none(town: Town, pool: asyncpg.Pool) -> None:
    """Urgent aid paid first and withdrawn is owed: until it is back no second one is paid first; then it is."""
    her = somebody("何秀英")
    first = await town.stands(her, body=AID)
    await town.door.go(first, (*ADVANCED, Step("withdraw_application", "applicant")))
    owed = f"{first}.recovery-1"

    async def stands() -> bool:
        return bool(await pool.fetchval("select count(*) from cases where case_id = $1", owed))

    await eventually(stands)
    second = await town.stands(her, body=AID)

    assert in_the_way(await town.door.taken(second, ACCEPT)) == [owed]
    fen = await pool.fetchval("select (snapshot ->> 'amount_fen')::bigint from cases where case_id = $1", owed)
    await town.door.go(owed, (Step("repay", "clerk", {"amount_fen": fen, "receipt": "CZ-1"}), CONFIRMED_BY_CIVIL))
    assert (await town.door.taken(second, ACCEPT)).status_code == OK


async def test_naming_somebody_does_not_touch_their_own_earlier_application(town: Town) -> None:
    """A stranger names her later: the stranger is accepted, and met by her case; hers goes on to the grant."""
    her, stranger = somebody("吴正"), somebody("郑某")
    hers = await town.stands(her)
    theirs = await town.stands(stranger, {**her, "name": "冒名顶替"}, by="stranger")
    await town.door.go(hers, GRANTED)

    assert in_the_way(await town.reviewed(theirs)) == [hers]


async def test_naming_somebody_first_does_not_bar_their_own_application(town: Town) -> None:
    """A stranger named her before she came: she is accepted, reviewed and granted; the stranger meets her case."""
    her, stranger = somebody("吴正"), somebody("郑某")
    theirs = await town.stands(stranger, her, by="stranger")
    hers = await town.stands(her)

    assert in_the_way(await town.reviewed(theirs)) == [hers]
    await town.door.go(hers, GRANTED)


async def test_who_counts_in_a_granted_household_is_not_granted_it_alone_beside(town: Town) -> None:
    """A wife of a household that gets it already: her own application is taken, and staff see the case in the way."""
    he, she = somebody("孙大"), somebody("周二")
    household = await town.stands(he, she)
    await town.door.go(household, GRANTED)
    alone = await town.stands(she, by="stranger")

    assert in_the_way(await town.reviewed(alone)) == [household]
    await town.door.go(household, DIED)
    assert (await town.door.taken(alone, REVIEW)).status_code == OK


async def test_of_two_confirmations_that_count_the_same_person_one_holds(town: Town, other_town: Town) -> None:
    """A child in two households, confirmed at the same moment by two APIs: it counts once."""
    child = somebody("小明")
    cases = [await town.stands(somebody(name), child) for name in ("父", "母")]
    for case_id in cases:
        await town.door.go(case_id, REVIEWED)
    answers = await asyncio.gather(town.door.taken(cases[0], CONFIRM), other_town.door.taken(cases[1], CONFIRM))

    assert sorted(answer.status_code for answer in answers) == [OK, HELD]


async def test_a_confirmation_that_the_case_refuses_makes_nobody_count(town: Town) -> None:
    """A word given too early grants nothing, so it reserves nothing: naming her stays without effect."""
    her, stranger = somebody("吴正"), somebody("郑某")
    theirs = await town.stands(stranger, her, by="stranger")
    early = await town.door.taken(theirs, CONFIRM)
    hers = await town.stands(her)

    assert early.json()["code"] == "not-now"
    assert (await town.reviewed(hers)).status_code == OK


async def test_a_review_again_under_its_key_gets_its_answer_whatever_stands_in_the_way_now(town: Town) -> None:
    """What was accepted stays so: the same key is not judged anew."""
    he, she, key = somebody("孙大"), somebody("周二"), str(uuid.uuid4())
    case_id = await town.stands(he, she)
    await town.door.go(case_id, (ACCEPT,))
    first = await town.door.taken(case_id, REVIEW, key)
    await town.stands(she, by="stranger")
    again = await town.door.taken(case_id, REVIEW, key)

    assert (first.status_code, again.status_code) == (OK, OK)
    assert again.json()["accepted"] == first.json()["accepted"]
    assert in_the_way(await town.door.taken(case_id, CONFIRM)) != []


async def test_who_asks_second_waits_for_who_asked_first(pool: asyncpg.Pool) -> None:
    """While the first one's transaction is open the second one has no answer; then it has the first one's."""
    child = [Claim(key=f"rule/{uuid.uuid4()}", hold=Hold.NAMED)]
    async with pool.acquire() as one, pool.acquire() as other:
        first = one.transaction()
        await first.start()
        assert await reserve(one, "law", "case-1", child, Occasion.TAKEN) == ()

        async def second() -> tuple[str, ...]:
            async with other.transaction():
                return await reserve(other, "law", "case-2", child, Occasion.TAKEN)

        waiter = other.get_server_pid()
        asking = asyncio.create_task(second())

        async def waits() -> bool:
            assert not asking.done(), "it was answered while the first one was still writing"
            return bool(await one.fetchval("select count(*) from pg_locks where pid = $1 and not granted", waiter))

        await eventually(waits)
        await first.commit()
        assert await asking == ("case-1",)


# ---- cases from before ------------------------------------------------------------------------------------------------

LAW = "20261128000020"
ALIVE = """
insert into cases (case_id, procedure, stage, area, holder, labels, opened_at, closed_at, ended, seq, head_hash, clocks,
                   snapshot, task_at)
values ($1, 'welfare', $2, '1', '', '{}', $3, $4, false, 1, '0', '[]', $5, $3)
"""


async def test_what_lives_when_the_law_comes_is_registered(own_settings: Settings, tmp_path: Path) -> None:
    """The earlier of two holds; who counts in a granted household counts; what is over holds nothing; nothing stands twice."""
    before = tmp_path / "before"
    before.mkdir()
    for file in FOLDER.glob("*.sql"):
        if file.name < LAW:
            shutil.copy(file, before)
    await migrate(own_settings.database_url, before)
    he, she, child = (f"person:{letter:0>26}" for letter in "ABC")
    told: tuple[tuple[str, str, int, datetime | None, str, list[str]], ...] = (
        ("welfare-20260101-000001", "paying", 1, None, he, [she]),
        ("welfare-20260102-000001", "applied", 2, None, he, []),
        ("welfare-20260103-000001", "ended", 3, datetime(2026, 2, 1, tzinfo=UTC), child, []),
        ("welfare-20260104-000001", "surveyed", 4, None, child, [he]),
    )
    async with await open_pool(own_settings) as pool:
        for case_id, stage, day, closed_at, reporter, members in told:
            snapshot = {"benefit": "old-age-allowance", "reporter": reporter, "members": members}
            await pool.execute(ALIVE, case_id, stage, datetime(2026, 1, day, tzinfo=UTC), closed_at, snapshot)
        await migrate(own_settings.database_url)
        rows = await pool.fetch("select case_id, key, hold from reservations order by case_id, key")

    key = "old-age-allowance/{}".format
    assert [tuple(row) for row in rows] == [
        ("welfare-20260101-000001", key(he), "own"),
        ("welfare-20260101-000001", key(she), "counted"),
        ("welfare-20260102-000001", key(he), "named"),
        ("welfare-20260104-000001", key(he), "named"),
        ("welfare-20260104-000001", key(child), "own"),
    ]


@pytest.fixture
async def own_settings(settings: Settings) -> Settings:
    """Of a schema without any table."""
    name = f"before_{uuid.uuid4().hex[:8]}"
    async with await open_pool(settings) as pool:
        await pool.execute(f"create schema {name}")
    url = SecretStr(f"{settings.database_url.get_secret_value()}?search_path={name}")
    return settings.model_copy(update={"database_url": url})
