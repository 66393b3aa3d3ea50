"""The law of identity for what lived before it: consents are asked for, pairs completed, an unknown enterer may be anybody."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import asyncpg
import pytest
from temporalio import workflow
from temporalio.client import Client

from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from schemas.clocks.town_time import TownTime
from schemas.kernel.case import CaseOutcome
from schemas.welfare import WELFARE
from schemas.welfare_state import WelfareState
from starter.app import create_app
from tests.api_callers import BuildApp, Caller, api_of, callers
from tests.api_driver import ApiDriver, OpenDoor, Step
from tests.applications import application, apply, given, timeline, upload
from tests.examples.welfare import (
    ADVANCED,
    AID,
    PATH,
    SUBSISTENCE,
    complete,
    identity_number,
)
from tests.examples.welfare import application as body_of
from tests.overheard_town import OverheardTown, overheard_town
from tests.waiting import eventually
from worker import town_worker
from workflows.kernel.law import Law
from workflows.recovery_parent import A_RECOVERY_KNOWS_WHO_ENTERED
from workflows.registry import PROCEDURES
from workflows.welfare import Welfare

pytest_plugins = ("tests.api_fixture",)
pytestmark = pytest.mark.timeout(300)
QUEUE, FORGETFUL = "people-of-an-earlier-day", "recoveries-of-an-earlier-day"
SEEN = {"repayment": 1}
FIRST, SECOND = Step("confirm_repayment", "civil", SEEN), Step("confirm_repayment", "second_civil", SEEN)


@workflow.defn(name="welfare")
class FromBefore(Welfare):
    """An application as it stood before anybody told who is of age."""

    @workflow.init
    def __init__(self, state: WelfareState) -> None:
        state.household_members = []
        state.charter = state.charter.model_copy(update={"people_as_stated": False, "people_are_identified": False})
        super().__init__(state)

    @workflow.run
    async def run(self, state: WelfareState) -> CaseOutcome:  # noqa: ARG002 - taken by __init__
        """Run the case."""
        return await self.live(self.story)


@workflow.defn(name="welfare")
class Forgetful(Welfare):
    """An application whose recoveries do not know who entered it."""

    @workflow.init
    def __init__(self, state: WelfareState) -> None:
        super().__init__(state)

    @workflow.run
    async def run(self, state: WelfareState) -> CaseOutcome:  # noqa: ARG002 - taken by __init__
        """Run the case."""
        return await self.live(self.story)

    def law_holds(self, law: Law) -> bool:
        """All of them but that one."""
        return law != A_RECOVERY_KNOWS_WHO_ENTERED and super().law_holds(law)


@pytest.fixture(scope="module")
async def town(
    settings: Settings, keys: Keys, temporal: Client, pool: asyncpg.Pool, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[OverheardTown]:
    async with overheard_town(settings, keys, temporal, pool, tmp_path_factory.mktemp("before")) as opened:
        yield opened


async def test_adults_of_a_household_from_before_consent_before_a_register_is_asked_about_them(
    town: OverheardTown, keys: Keys, temporal: Client, pool: asyncpg.Pool
) -> None:
    """Whoever is named in it counts as an adult: nobody is asked about them until their paper is there."""
    ours = town.settings.model_copy(update={"task_queue": QUEUE})
    earlier = [FromBefore if case is Welfare else case for case in PROCEDURES]
    now = datetime.now(UTC)

    async def connected() -> Client:
        return temporal

    app = create_app(ours, keys, pool, connected, town_time=TownTime.starting(now, now, 1))
    async with town_worker(ours, keys, temporal, pool, procedures=earlier) as worker, worker, api_of(app) as api:
        as_ = callers(api, keys)
        clerk: Caller = as_("window_clerk")
        own, adult = identity_number("19400101", 801), identity_number("19700101", 802)
        papers = [{"kind": "identity-card", "document": await upload(clerk, api)}]
        case_id = await apply(
            clerk,
            application(
                "temporary-aid",
                {"name": "甲", "identity_number": own},
                household=[{"name": "乙", "identity_number": adult}],
                documents=papers,
            ),
        )
        await given(as_("street_officer"), case_id, "accept")

        async def asked(questions: int) -> list[list[str]]:
            async def so_often() -> bool:
                return len(town.asked_about(case_id)) >= questions

            await eventually(so_often)
            return [[person["identity_number"] for person in people] for people in town.asked_about(case_id)]

        before = await asked(2)
        demanded = [
            entry["facts"]["without_consent"]
            for entry in await timeline(as_("auditor"), case_id)
            if entry["kind"] == "welfare:consent:demanded"
        ]
        running = await consent_clock(as_("auditor"), case_id)
        paper = {"member": 1, "document": await upload(clerk, api)}
        await given(clerk, case_id, "record_consent", paper)
        after = (await asked(4))[2:]

        assert before == [[own]] * 2
        assert demanded == [[1]]
        assert (running, await consent_clock(as_("auditor"), case_id)) == ("running", "stopped")
        assert after == [[own, adult]] * 2


async def consent_clock(caller: Caller, case_id: str) -> str:
    """Where the clock for the consents of a household stands."""
    clocks = (await caller.get(f"/api/v1/cases/{case_id}")).json()["clocks"]
    return next(str(clock["status"]) for clock in clocks if clock["name"] == "consent")


@pytest.mark.usefixtures("worker")
async def test_what_excludes_a_benefit_is_known_of_cases_from_before(
    door: OpenDoor, build_app: BuildApp, pool: asyncpg.Pool
) -> None:
    """A living case that holds no pair of its benefit holds it as soon as an API starts: the excluded one is refused."""
    first = await door(WELFARE)
    case_id = await first.start(body=SUBSISTENCE)
    applicant = await pool.fetchval("select payload from intake where case_id = $1 and kind = 'start'", case_id)
    assert await pool.execute("delete from reservations where case_id = $1 and key like '%+%'", case_id) != "DELETE 0"
    async with api_of(build_app()) as http:
        again = ApiDriver(http, first.token, WELFARE)

        async def completed() -> bool:
            held = "select hold from reservations where case_id = $1 and key like '%+%/' || $2"
            return bool(await pool.fetchval(held, case_id, applicant["reporter"]) == "own")

        await eventually(completed)
        # The same person, found by the number that the first application stated.
        number = await same_number(first, case_id)
        body = await complete(again, body_of("destitute-support"), "clerk", ("identity-card", "household-register"))
        body["applicant"] = {"name": "何秀英", "identity_number": number}
        answer = await http.post(PATH, json=body, headers=again.headers("clerk", f"pair-{case_id}"))

    assert (answer.status_code, answer.json()["in_the_way"]) == (409, [case_id])


async def same_number(town: ApiDriver, case_id: str) -> str:
    """The identity number of an application's person, as the window reads it."""
    answer = await town.api.get(f"/api/v1/cases/{case_id}/timeline", headers=town.headers("clerk"))
    return str(answer.json()["items"][0]["facts"]["applicant"]["identity_number"])


@pytest.fixture
async def forgetful(
    settings: Settings, keys: Keys, temporal: Client, pool: asyncpg.Pool, door: OpenDoor
) -> AsyncIterator[ApiDriver]:
    """A town whose recoveries do not know who entered the case that paid."""
    alone = settings.model_copy(update={"task_queue": FORGETFUL})
    earlier = [Forgetful if case is Welfare else case for case in PROCEDURES]
    async with town_worker(alone, keys, temporal, pool, procedures=earlier) as worker, worker:
        yield await door(WELFARE, task_queue=FORGETFUL)


async def owed(town: ApiDriver) -> str:
    """An advance that was paid and taken back: its recovery."""
    case_id = await town.start(body=AID)
    await town.go(case_id, (*ADVANCED, Step("withdraw_application", "applicant")))
    recovery = f"{case_id}.recovery-1"

    async def there() -> bool:
        answer = await town.api.get(f"/api/v1/cases/{recovery}", headers=town.headers("auditor"))
        return answer.status_code == 200

    await eventually(there)
    return recovery


async def test_where_nobody_knows_who_entered_two_others_confirm(forgetful: ApiDriver, pool: asyncpg.Pool) -> None:
    """One of two different people is not who entered: less debt takes both, and never who recorded it; three are enough."""
    repaid, given_up = await asyncio.gather(owed(forgetful), owed(forgetful))
    fen = await pool.fetchval("select (snapshot ->> 'amount_fen')::bigint from cases where case_id = $1", repaid)
    await forgetful.go(repaid, (Step("repay", "clerk", {"amount_fen": fen, "receipt": "CZ-1"}), FIRST))
    after_one = (await forgetful.case(repaid))["stage"]
    again = [
        (await forgetful.taken(repaid, Step("confirm_repayment", by, SEEN))).status_code for by in ("civil", "clerk")
    ]
    await forgetful.go(repaid, (SECOND,))
    await forgetful.go(given_up, (Step("propose_write_off", "civil", {"reason": "无力偿还"}),))
    await forgetful.go(given_up, (Step("agree_write_off", "second_civil", {"request": 1}),))
    proposed = (await forgetful.case(given_up))["stage"]
    twice = (await forgetful.taken(given_up, Step("agree_write_off", "second_civil", {"request": 1}))).status_code
    await forgetful.go(given_up, (Step("agree_write_off", "supervisor", {"request": 1}),))

    assert (after_one, again) == ("demanded", [409, 409])
    assert (proposed, twice) == ("writing_off", 409)
    assert [(await forgetful.case(each))["stage"] for each in (repaid, given_up)] == ["repaid", "written_off"]
