"""Money needs two people, at the door: one account with a token of every role gets nothing out alone; two do.

Each attack was made on a living town before (one clerk made ten thousand yuan and closed the debt; a beneficiary lifted the
own allowance fifty times). A bank and registers are really asked.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from temporalio.client import Client

from audit.replay.replay import runs_of
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from schemas.kernel.people import Part
from schemas.values.actor import Role
from schemas.welfare_state import WelfareState
from tests.api_driver import ApiDriver, Audited, Person, Step, token_of
from tests.examples import welfare as examples
from tests.examples.welfare import AID, HEATING, OLD_AGE, REASON, identity_number
from tests.paying_town import PayingTown, paying_town
from tests.waiting import eventually

OpenTown = Callable[..., AbstractAsyncContextManager[PayingTown]]

A_MONTH_A_SECOND = 30 * 86_400
NEVER = "3650 natural_days"
CROOK = "crook"
ROLES = tuple(role for role in Role if role is not Role.ENGINE)
APART = "against-the-rules"
KEPT_OUT = {"not-your-role", "not-your-case", "unknown-case", "not-now", APART}
"""Why somebody is refused for who they are, or when: a body that is wrong, or a field of it, would show nothing."""
MONEY_KINDS = frozenset({
    "welfare:payment:paid", "welfare:granted", "welfare:adjusted", "welfare:account_changed", "recovery:repaid_part",
    "recovery:repaid", "recovery:written_off",
})  # fmt: skip
ACCEPT, REVIEW, CONFIRM = Step("accept", "clerk"), Step("review", "street_officer"), Step("confirm", "civil")
LIVE = (REVIEW, CONFIRM)


@pytest.fixture
def open_town(settings: Settings, keys: Keys, temporal: Client, pool: asyncpg.Pool, tmp_path: Path) -> OpenTown:
    """`async with open_town(speed=…) as town`."""

    def opened(speed: int = A_MONTH_A_SECOND, **other: Any) -> AbstractAsyncContextManager[PayingTown]:
        other = {"reassess": NEVER, **other}
        return paying_town(settings, keys, temporal, pool, tmp_path, token=token_of(keys), speed=speed, **other)

    return opened


@pytest.fixture(autouse=True)
def _crook() -> Iterator[None]:
    """One person with a token of every role, and a second clerk who is somebody else."""
    for role in ROLES:
        department = "civil-affairs" if role is Role.DEPARTMENT_OFFICER else None
        examples.PEOPLE[f"crook_{role}"] = Person(CROOK, str(role), department)
    examples.PEOPLE["second_clerk"] = Person("clerk-sun", "window_clerk")
    yield
    for role in ROLES:
        del examples.PEOPLE[f"crook_{role}"]
    del examples.PEOPLE["second_clerk"]


def somebody(benefit: Mapping[str, Any], born: str, order: int, **other: Any) -> dict[str, Any]:
    """An application of a person of a test's own, so that no other test pays them the same month."""
    applicant = dict(benefit["applicant"]) | {"identity_number": identity_number(born, order)}
    return {**benefit, "applicant": applicant, **other}


async def tries(town: ApiDriver, case_id: str, command: str, body: Mapping[str, Any] | None = None) -> set[str]:
    """The crook gives a command in every role; the codes of the refusals, which all answers are."""
    answers = [await town.give(case_id, Step(command, f"crook_{role}", body)) for role in ROLES]
    assert {answer.status_code for answer in answers} <= {403, 404, 409}, [answer.text for answer in answers]
    return {answer.json()["code"] for answer in answers}


async def entries(
    town: PayingTown | ApiDriver, case_id: str, kind: str = "", by: str = "auditor"
) -> list[dict[str, Any]]:
    door = town if isinstance(town, ApiDriver) else town.door
    path = f"/api/v1/cases/{case_id}/timeline"
    answer = await door.api.get(path, headers=door.headers(by), params={"limit": 200})
    assert answer.status_code == 200, answer.text
    return [entry for entry in answer.json()["items"] if kind in ("", entry["kind"])]


async def stage_is(town: PayingTown, case_id: str, stage: str) -> None:
    async def there() -> bool:
        return bool((await town.door.case(case_id))["stage"] == stage)

    await eventually(there, within=60)


async def has_paid(town: PayingTown, case_id: str, months: int) -> list[str]:
    async def enough() -> bool:
        return len(await town.paid_months(case_id)) >= months

    await eventually(enough, within=60)
    return await town.paid_months(case_id)


async def living(town: PayingTown, body: Mapping[str, Any], by: str = "applicant", accept: str = "clerk") -> str:
    """An entitlement that three people have brought about."""
    case_id = await town.door.start(body=body, by=by)
    await town.door.go(case_id, [Step("accept", accept)])
    await stage_is(town, case_id, "surveyed")
    await town.door.go(case_id, LIVE)
    return case_id


# ---- one person alone ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entered_as", [Role.WINDOW_CLERK, Role.GRID_WORKER, Role.RESIDENT])
async def test_one_person_with_every_role_gets_nothing_out(open_town: OpenTown, entered_as: Role) -> None:
    """Whoever enters an application can take it no step further towards money, in whatever role they come back."""
    order = 300 + ROLES.index(entered_as)
    household = [
        {"name": f"虚{number}", "identity_number": identity_number("19910101", number)} for number in range(1, 20)
    ]
    async with open_town(speed=3600) as town:
        body = somebody(AID, "19860606", order, household=household)
        case_id = await town.door.start(body=body, by=f"crook_{entered_as}")
        answers = {
            rule.command: await tries(town.door, case_id, rule.command)
            for rule in town.door.procedure.rules
            if rule.moves_money and not rule.automatic and rule.command != "change_account"
        }
        shown = await town.door.case(case_id)
        moved = await town.outside.movements("temporary-aid")
        state = await town.snapshot(case_id)

    assert set.union(*answers.values()) <= KEPT_OUT, answers
    assert entered_as is Role.RESIDENT or APART in answers["accept"]
    assert (shown["stage"], state["payments"], moved) == ("applied", [], [])


async def test_an_advance_has_a_ceiling_and_takes_two(open_town: OpenTown) -> None:
    """Twenty stated heads lift an advance no higher than the policy says; it is paid when another than who entered accepts."""
    household = [
        {"name": f"虚{number}", "identity_number": identity_number("20150102", number)} for number in range(1, 20)
    ]
    async with open_town(speed=3600) as town:
        case_id = await town.door.start(body=somebody(AID, "19860607", 310, household=household), by="clerk")
        alone = await town.door.give(case_id, Step("accept", "clerk"))
        await town.door.go(case_id, [Step("accept", "second_clerk")])
        await has_paid(town, case_id, 1)
        moved = await town.outside.movements("temporary-aid")
        policy = (await town.snapshot(case_id))["rules"]

    assert (alone.status_code, alone.json()["code"]) == (409, "against-the-rules")
    assert [each["amount_fen"] for each in moved] == [policy["pay_first_at_most_fen"]] == [200_000]
    assert policy["pay_first_at_most_fen"] <= policy["second_signature_above_fen"]


async def test_who_entered_covers_nothing_up(open_town: OpenTown) -> None:
    """After an advance, who entered the application neither takes it back nor has the debt called paid."""
    async with open_town(speed=3600) as town:
        case_id = await town.door.start(body=somebody(AID, "19860608", 311), by="clerk")
        await town.door.go(case_id, [Step("accept", "second_clerk")])
        await has_paid(town, case_id, 1)
        own = await town.door.give(case_id, Step("withdraw_application", "clerk", REASON))
        await town.door.go(case_id, [Step("withdraw_application", "second_clerk", REASON)])
        recovery = f"{case_id}.recovery-1"

        async def stands() -> bool:
            path = f"/api/v1/cases/{recovery}"
            return (await town.door.api.get(path, headers=town.door.headers("auditor"))).status_code == 200

        await eventually(stands)
        claim = {"amount_fen": 50_000, "receipt": "CZ-2027-0001"}
        await town.door.go(recovery, [Step("repay", "second_clerk", claim)])
        named = {"repayment": 1}
        itself = await town.door.give(recovery, Step("confirm_repayment", "second_clerk", named))
        entered = await town.door.give(recovery, Step("confirm_repayment", "clerk", named))
        open_still = await town.door.case(recovery)
        before = await town.snapshot(case_id)
        too_much = await town.door.give(recovery, Step("repay", "second_clerk", {"amount_fen": 1, "receipt": "CZ-2"}))
        await town.door.go(recovery, [Step("confirm_repayment", "civil", named)])
        closed = await town.door.case(recovery)

    assert [each.status_code for each in (own, itself, entered)] == [409, 409, 409]
    assert (open_still["stage"], open_still["ended"], closed["stage"]) == ("demanded", False, "repaid")
    assert before["recoveries"][0]["repaid_fen"] == 0
    assert too_much.status_code == 422


async def test_a_debt_is_not_confirmed_away_by_one(open_town: OpenTown) -> None:
    """One person with every role records a repayment and can neither confirm it nor give up the rest; declined, it is owed."""
    async with open_town(speed=3600) as town:
        case_id = await town.door.start(body=somebody(AID, "19860609", 312))
        await town.door.go(case_id, [ACCEPT])
        await has_paid(town, case_id, 1)
        await town.door.go(case_id, [Step("withdraw_application", "applicant", REASON)])
        recovery = f"{case_id}.recovery-1"

        async def recorded() -> bool:
            claim = {"amount_fen": 50_000, "receipt": "CZ-2027-0002"}
            return (await town.door.give(recovery, Step("repay", "crook_window_clerk", claim))).status_code == 200

        await eventually(recorded)
        confirming = await tries(town.door, recovery, "confirm_repayment", {"repayment": 1})
        proposing = await tries(town.door, recovery, "propose_write_off", REASON)
        await town.door.go(recovery, [Step("decline_repayment", "civil", REASON)])
        await town.door.go(recovery, [Step("propose_write_off", "crook_civil_affairs_officer", REASON)])
        agreeing = await tries(town.door, recovery, "agree_write_off", {"request": 1})
        shown = await town.door.case(recovery)
        kinds = {entry["kind"] for entry in await entries(town, recovery)}

    assert APART in confirming & proposing & agreeing
    assert confirming | proposing | agreeing <= KEPT_OUT
    assert shown["stage"] == "writing_off"
    assert not kinds & MONEY_KINDS


# ---- what raises --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["applicant", "crook_street_officer"])
async def test_a_raise_is_a_request_and_the_old_amount_is_paid_on(
    open_town: OpenTown, by: str, audited: Audited
) -> None:
    """A beneficiary or an officer who says "nineteen more" changes nothing alone; three others make it count, with arrears."""
    who = examples.PEOPLE[by].subject
    order = 320 + len(by) % 7
    async with open_town(speed=5 * 86_400) as town:
        case_id = await living(town, somebody(HEATING, "19700301", order))
        (first, *_) = await has_paid(town, case_id, 1)
        step = {"change": "household", "since": first, "household_size": 4}
        await town.door.go(case_id, [Step("report_change", by, step)])
        asked = await town.snapshot(case_id)
        if who == CROOK:
            alone = [await tries(town.door, case_id, name) for name in ("review_change", "confirm_change")]
            assert all(APART in each and each <= KEPT_OUT for each in alone), alone
        months = await has_paid(town, case_id, len(await town.paid_months(case_id)) + 1)
        meanwhile = await town.snapshot(case_id)

        async def reviewed() -> bool:
            return (await town.door.give(case_id, Step("review_change", "street_officer"))).status_code == 200

        await eventually(reviewed, within=30)
        street = [await town.door.give(case_id, Step(name, "street_officer")) for name in ("confirm_change",)]
        await town.door.go(case_id, [Step("confirm_change", "second_civil")])
        once = await town.snapshot(case_id)
        same = await town.door.give(case_id, Step("countersign_change", "second_civil"))
        await town.door.go(case_id, [Step("countersign_change", "supervisor")])

        async def made_good() -> bool:
            paid = WelfareState.model_validate(await town.snapshot(case_id)).paid_fen()
            return all(paid.get(month) == 120_000 for month in months)

        await eventually(made_good, within=60)
        await town.door.go(case_id, [Step("report_change", "clerk", {"change": "move", "since": first})])
        await town.door.go(case_id, [Step("confirm_end", "street_officer")])
        findings = await audited(case_id)
        asked_anew = [entry["facts"]["sources"] for entry in await entries(town, case_id, "welfare:check:asked")]

    assert (asked["granted"]["amount_fen"], asked["household_size"]) == (30_000, 1)
    assert (asked["change"]["amount_fen"], asked["change"]["asked_by"]) == (120_000, who)
    assert {part["amount_fen"] for parts in meanwhile["paid"].values() for part in parts} == {30_000}
    assert street[0].status_code == 403
    assert (once["granted"]["amount_fen"], same.status_code) == (30_000, 409)
    assert asked_anew == [["tax"], ["tax"]]
    assert [finding.detail for finding in findings if not finding.ok] == []


async def test_a_refused_raise_changes_nothing_and_a_lowering_counts_at_once(open_town: OpenTown) -> None:
    """Refused with a reason, what was stated is forgotten; fewer heads count without anybody else, and come back as a debt."""
    async with open_town(speed=5 * 86_400) as town:
        two = [{"name": "何小英", "identity_number": identity_number("20100101", 331)}]
        case_id = await living(town, somebody(HEATING, "19700302", 330, household=two))
        (first, *_) = await has_paid(town, case_id, 1)
        more = {"change": "household", "since": first, "household_size": 9}
        await town.door.go(case_id, [Step("report_change", "applicant", more)])
        await town.door.go(case_id, [Step("refuse_change", "street_officer")])
        refused = await town.snapshot(case_id)
        less = {"change": "household", "since": first, "household_size": 1}
        await town.door.go(case_id, [Step("report_change", "grid_worker", less)])
        lowered = await town.snapshot(case_id)

    assert (refused["household_size"], refused["granted"]["amount_fen"], refused["change"]) == (2, 60_000, None)
    assert (lowered["household_size"], lowered["granted"]["amount_fen"]) == (1, 30_000)
    assert lowered["recoveries"][0]["months"][first] == 30_000


async def test_a_reassessment_that_raises_is_a_request_too(open_town: OpenTown) -> None:
    """One officer's reassessment goes on with the old amount; what it found is reviewed by another and confirmed by a third."""
    async with open_town(speed=5 * 86_400) as town:
        case_id = await living(town, somebody(HEATING, "19700303", 332))
        await has_paid(town, case_id, 1)
        found = {"continues": True, "household_size": 3, "opinion": "入户见到三人"}
        await town.door.go(case_id, [Step("reassess", "crook_street_officer", found)])
        asked = await town.snapshot(case_id)
        alone = [await tries(town.door, case_id, name) for name in ("review_change", "confirm_change")]
        (reassessed,) = await entries(town, case_id, "welfare:reassessed")

    assert (asked["granted"]["amount_fen"], asked["household_size"], asked["change"]["cause"]) == (
        30_000,
        1,
        "reassessed",
    )
    assert all(APART in each and each <= KEPT_OUT for each in alone), alone
    assert reassessed["facts"]["household_size"] == 3


async def test_much_that_was_left_out_takes_a_second_person(open_town: OpenTown) -> None:
    """Arrears above the amount of a second signature are paid when another than who resumed agrees; the months go on at once."""
    async with open_town() as town:
        case_id = await living(town, somebody(HEATING, "19700304", 333))
        await has_paid(town, case_id, 1)
        await town.door.go(case_id, [Step("suspend_payment", "civil", REASON)])

        async def much() -> bool:
            return len((await town.snapshot(case_id))["skipped"]) >= 4

        await eventually(much, within=60)
        await town.door.go(case_id, [Step("resume_payment", "crook_civil_affairs_officer", REASON)])
        resumed = await town.snapshot(case_id)
        left_out = resumed["change"]["months"]
        alone = await tries(town.door, case_id, "confirm_change")
        before = set(await town.paid_months(case_id))
        await town.door.go(case_id, [Step("confirm_change", "second_civil")])

        async def made_good() -> bool:
            return set(left_out) <= set(await town.paid_months(case_id))

        await eventually(made_good, within=60)
        moved = await town.outside.paid_entitlements()

    assert len(left_out) >= 4
    assert APART in alone <= KEPT_OUT
    assert not before & set(left_out)
    assert len(moved) == len(set(moved))


async def test_a_change_that_waits_ends_with_the_entitlement_and_rests_with_it(
    open_town: OpenTown, temporal: Client, audited: Audited
) -> None:
    """While payment rests nobody decides; over runs of months the request waits on; a death takes it away."""
    async with open_town(speed=10 * 86_400) as town:
        case_id = await living(town, somebody(HEATING, "19700305", 334))
        (first, *_) = await has_paid(town, case_id, 1)
        more = {"change": "household", "since": first, "household_size": 3}
        await town.door.go(case_id, [Step("report_change", "applicant", more)])
        await has_paid(town, case_id, len(await town.paid_months(case_id)) + 2)  # months, and so runs, later
        await town.door.go(case_id, [Step("suspend_payment", "civil", REASON)])
        rests = await town.door.give(case_id, Step("review_change", "street_officer"))
        held = await review_clock(town, case_id)
        await town.door.go(case_id, [Step("resume_payment", "supervisor", {**REASON, "arrears": False})])
        goes_on = await town.snapshot(case_id)
        runs_again = await review_clock(town, case_id)

        async def reviewed() -> bool:
            return (await town.door.give(case_id, Step("review_change", "street_officer"))).status_code == 200

        await eventually(reviewed, within=30)
        await town.door.go(case_id, [Step("report_change", "grid_worker", {"change": "death", "since": first})])
        await town.door.go(case_id, [Step("confirm_end", "civil")])
        late = await town.door.give(case_id, Step("confirm_change", "second_civil"))
        await stage_is(town, case_id, "ended")
        (dropped,) = await entries(town, case_id, "welfare:change:dropped")
        adjusted = await entries(town, case_id, "welfare:adjusted")
        await temporal.get_workflow_handle(case_id).result()
        runs = await runs_of(temporal, case_id)
        findings = await audited(case_id)

    assert (rests.status_code, late.status_code) == (409, 409)
    assert (held, runs_again) == ("paused", "running")
    assert goes_on["change"]["stated"] == {"household_size": 3}
    assert (dropped["facts"]["why"], adjusted) == ("ended", [])
    assert len(runs) > 2
    assert [finding.detail for finding in findings if not finding.ok] == []


async def review_clock(town: PayingTown, case_id: str) -> str:
    """How the clock of whoever reviews a change stands."""
    (status,) = [
        each["status"] for each in (await town.door.case(case_id))["clocks"] if each["name"] == "review_change"
    ]
    return str(status)


async def test_what_registers_tell_anew_counts_with_the_change(open_town: OpenTown) -> None:
    """More heads are asked for, and a register knows of more income by now: confirmed, both count, and less is paid."""
    later = f"{datetime.now(UTC) + timedelta(days=150):%Y-%m}"
    rich = {"name": f"何晚成〔剧本:monthly_income_fen=180000@{later}-01〕"}
    async with open_town(speed=5 * 86_400) as town:
        body = somebody(examples.SUBSISTENCE, "19800104", 335)
        case_id = await town.door.start(body={**body, "applicant": body["applicant"] | rich})
        await town.door.go(case_id, [ACCEPT, *examples.VISITED])
        await stage_is(town, case_id, "surveyed")
        await town.door.go(case_id, [REVIEW])
        await stage_is(town, case_id, "confirming")
        await town.door.go(case_id, [CONFIRM])

        async def it_is_later() -> bool:
            return any(month >= later for month in await town.paid_months(case_id))

        await eventually(it_is_later, within=90)
        before = await town.snapshot(case_id)
        more = {"change": "household", "since": later, "household_size": 2}
        await town.door.go(case_id, [Step("report_change", "applicant", more)])

        async def reviewed() -> bool:
            return (await town.door.give(case_id, Step("review_change", "street_officer"))).status_code == 200

        await eventually(reviewed, within=30)
        await town.door.go(case_id, [Step("confirm_change", "second_civil")])
        after = await town.snapshot(case_id)

    assert (before["granted"]["amount_fen"], before["household_size"]) == (39_500, 1)
    assert (after["granted"]["amount_fen"], after["household_size"]) == (19_000, 2)
    assert after["checked"]["tax"]["facts"] == {"monthly_income_fen": 180_000}
    assert after["recoveries"][0]["months"][later] == 20_500


# ---- another account ----------------------------------------------------------------------------------------------------


async def test_another_account_takes_two_and_the_payee_is_told(open_town: OpenTown) -> None:
    """A clerk's other account waits for another person; the payee hears of the request and of the change as before."""
    async with open_town(speed=3600) as town:
        case_id = await living(town, somebody(OLD_AGE, "19390301", 340))
        before = (await town.snapshot(case_id))["account"]
        account = {"account": "6222020000000066666"}
        await town.door.go(case_id, [Step("change_account", "crook_window_clerk", account)])
        asked = await town.snapshot(case_id)
        alone = await tries(town.door, case_id, "confirm_account")
        await town.door.go(case_id, [Step("confirm_account", "street_officer")])
        after = await town.snapshot(case_id)
        notices = await notices_of(town, case_id)

    assert (asked["account"], after["account"]) == (before, asked["account_asked"]["account"])
    assert APART in alone <= KEPT_OUT
    assert [each for each in notices if each[1].startswith("account_")] == [
        ("reporter", "account_asked"), ("role:civil_affairs_officer", "account_confirmation_due"), ("reporter", "account_changed"),
    ]  # fmt: skip


async def notices_of(town: PayingTown, case_id: str) -> list[tuple[str, str]]:
    """Who was told what, in order, as it stands in the outbox of the town."""
    rows = await town.pool.fetch(
        "select recipient, template from outbox where case_id = $1 order by seq, position", case_id
    )
    return [(row["recipient"], row["template"]) for row in rows]


async def test_the_payees_own_word_on_their_account_counts_and_is_told(open_town: OpenTown) -> None:
    """By their own account of the town it counts at once, over what a clerk asked for, and they are told."""
    async with open_town(speed=3600) as town:
        case_id = await living(town, somebody(OLD_AGE, "19390302", 341))
        before = (await town.snapshot(case_id))["account"]
        await town.door.go(case_id, [Step("change_account", "clerk"), Step("change_account", "applicant")])
        after = await town.snapshot(case_id)
        notices = await notices_of(town, case_id)
        late = await town.door.give(case_id, Step("confirm_account", "civil"))

    assert after["account"] not in (before, None)
    assert after["account_asked"] is None
    assert ("reporter", "account_changed") in notices
    assert late.status_code == 409


async def test_a_payee_without_an_account_is_told_by_somebody_else(open_town: OpenTown) -> None:
    """Entered at the window, they are called by the phone stated before: a duty with a clock, not of who asked or entered."""
    async with open_town(speed=3600) as town:
        case_id = await living(town, somebody(OLD_AGE, "19390303", 342), by="clerk", accept="second_clerk")
        await town.door.go(case_id, [Step("change_account", "second_clerk"), Step("confirm_account", "civil")])
        waits = {clock["name"]: clock["status"] for clock in (await town.door.case(case_id))["clocks"]}
        covered = [
            (await town.door.give(case_id, Step("tell_payee", who))).status_code for who in ("clerk", "second_clerk")
        ]
        await town.door.go(case_id, [Step("tell_payee", "grid_worker")])
        over = {clock["name"]: clock["status"] for clock in (await town.door.case(case_id))["clocks"]}
        notices = await notices_of(town, case_id)

    assert (waits["tell_payee"], over["tell_payee"], covered) == ("running", "stopped", [409, 409])
    assert ("role:window_clerk", "payee_to_be_told") in notices


async def test_an_account_has_the_form_of_one(open_town: OpenTown) -> None:
    """Eight to thirty-two plain digits, as in an application: a formula, words and other lengths are refused at the door."""
    async with open_town(speed=3600) as town:
        case_id = await living(town, somebody(OLD_AGE, "19390304", 343))
        wrong = ["=cmd|'/C calc'!A0", "٦٢٢٢٠٢٠٠٠٠٠٠٠٠٠٠٠١٧", "我没有银行卡", "1234567", "1" * 33, " "]
        answers = [
            await town.door.give(case_id, Step("change_account", who, {"account": each}))
            for each in wrong
            for who in ("clerk", "applicant")
        ]
        elsewhere = await town.door.give(case_id, Step("retry_payment", "civil", {"account": wrong[0]}))

    assert {answer.status_code for answer in (*answers, elsewhere)} == {422}
    assert all(answer.json()["faults"][0]["field"] == "account" for answer in answers)


async def test_a_payment_is_sent_elsewhere_by_two(open_town: OpenTown) -> None:
    """A payment that the bank refuses goes to a corrected account when a second person confirms; nobody's own, nobody alone."""
    async with open_town(speed=20 * 86_400, bank="refusing") as town:
        case_id = await living(town, somebody(OLD_AGE, "19390305", 344))

        async def waits() -> bool:
            return any(each["state"] == "with_a_person" for each in (await town.snapshot(case_id))["payments"])

        await eventually(waits, within=60)
        applicant = Person(examples.PEOPLE["applicant"].subject, "civil_affairs_officer")
        examples.PEOPLE["payee_as_officer"] = applicant
        own = await town.door.give(
            case_id, Step("retry_payment", "payee_as_officer", {"account": "6222020000000066666"})
        )
        del examples.PEOPLE["payee_as_officer"]
        elsewhere = Step("retry_payment", "crook_civil_affairs_officer", {"account": "6222020000000066667"})
        await town.door.go(case_id, [elsewhere])
        asked = await town.snapshot(case_id)
        alone = await tries(town.door, case_id, "confirm_account")
        before = len(await entries(town, case_id, "welfare:payment:retried"))
        await town.door.go(case_id, [Step("confirm_account", "clerk")])
        retried = (await entries(town, case_id, "welfare:payment:retried"))[before:]

    number = asked["account_asked"]["payment"]
    assert own.status_code == 409
    assert APART in alone <= KEPT_OUT
    assert [each["state"] for each in asked["payments"] if each["number"] == number] == ["with_a_person"]
    assert number in {entry["facts"]["payment"] for entry in retried}


# ---- parts --------------------------------------------------------------------------------------------------------------


async def test_the_state_remembers_the_parts_that_the_table_speaks_of(open_town: OpenTown) -> None:
    """Each part that a row gives is found in the state after its command, with the account of who gave it."""
    seen: dict[Part, str] = {}
    async with open_town(speed=3600) as town:
        parts = {(rule.command, rule.part) for rule in town.door.procedure.rules if rule.part}

        async def look(case_id: str, *steps: Step) -> None:
            for step in steps:
                await town.door.go(case_id, [step])
                state = WelfareState.model_validate(await town.snapshot(case_id))
                who = examples.PEOPLE[step.by].subject
                for command, part in parts:
                    if command == step.command and who in state.took_part()[part]:
                        seen[part] = who

        case_id = await town.door.start(body=somebody(HEATING, "19700306", 350), by="grid_worker")
        entered = WelfareState.model_validate(await town.snapshot(case_id)).took_part()[Part.ENTERED]
        await look(case_id, ACCEPT)
        await stage_is(town, case_id, "surveyed")
        await look(case_id, *LIVE, Step("change_account", "clerk"))
        more = {"change": "household", "since": "2026-11", "household_size": 4}
        await look(case_id, Step("report_change", "grid_worker", more))
        taken_down = {"source": "tax", "found": False, "facts": {}, "note": "书面答复"}
        await look(case_id, Step("record_check", "civil", taken_down))

        async def reviewed() -> bool:
            return (await town.door.give(case_id, Step("review_change", "street_officer"))).status_code == 200

        await eventually(reviewed, within=30)
        state = WelfareState.model_validate(await town.snapshot(case_id))
        seen[Part.CHANGE_REVIEWED] = "".join(state.took_part()[Part.CHANGE_REVIEWED])
        await look(case_id, Step("confirm_change", "second_civil"))
        other = await town.door.start(body=somebody(examples.SUBSISTENCE, "19800102", 351))
        await look(other, ACCEPT, Step("record_visit", "grid_worker"), Step("record_check", "civil", taken_down))
        await look(other, Step("correct_facts", "clerk"), Step("declare_relation", "street_officer"))
        third = await town.door.start(body=somebody(OLD_AGE, "19390306", 352))
        await look(third, ACCEPT, Step("review", "street_officer", examples.NEGATIVE), Step("appeal", "applicant"))
        await look(third, Step("decide_appeal", "second_civil"))
        posted = await town.door.start(body=somebody(examples.SUBSISTENCE, "19800104", 353, monthly_income_fen=0))
        await look(posted, ACCEPT, *examples.VISITED)
        await stage_is(town, posted, "surveyed")
        await look(posted, REVIEW, Step("object", "clerk"), Step("investigate", "civil"))
        await look(case_id, Step("report_change", "clerk", {"change": "move", "since": "2026-11"}))

    assert entered == (examples.PEOPLE["grid_worker"].subject,)
    elsewhere = {
        Part.SETTLEMENT_CLAIMED: "test_law_answers",
        Part.CARD_SEEN: "test_law_identity",
        Part.CONSENT_RECORDED: "test_law_identity",
    }
    assert set(seen) | set(elsewhere) == {part for _, part in parts}
    assert seen[Part.CHANGE_REVIEWED] == examples.PEOPLE["street_officer"].subject


# ---- objections ---------------------------------------------------------------------------------------------------------


async def test_objections_without_end_do_not_block_a_benefit(open_town: OpenTown) -> None:
    """After the first was found void a second leaves the posting and its window as they are; one contact counts once."""
    async with open_town(speed=600) as town:
        body = somebody(examples.SUBSISTENCE, "19800103", 360, monthly_income_fen=0)
        case_id = await town.door.start(body=body)
        await town.door.go(case_id, [Step("accept", "clerk"), *examples.VISITED])
        await stage_is(town, case_id, "surveyed")
        before = await postings(town)
        await town.door.go(case_id, [Step("review", "street_officer")])
        (first,) = set(await postings(town)) - set(before)
        assert await object_to(town, first, "13800000000") == 202
        await stage_is(town, case_id, "objected")
        await town.door.go(case_id, [Step("investigate", "civil")])
        (second,) = set(await postings(town)) - set(before)
        window = (await postings(town))[second]
        answers = [
            await object_to(town, second, contact) for contact in ("138 0000 0000", "１３８００００００００", "139-1")
        ]
        again = await entries(town, case_id, "welfare:publicity:objected_again")
        up = await postings(town)
        state = await town.snapshot(case_id)
        await town.door.go(case_id, [Step("investigate", "civil")])
        settled = await town.door.case(case_id)

    assert answers == [202, 202, 202]
    assert len(again) == 1  # the same contact in three writings counted once, at the first posting
    assert up[second] == window
    assert (state["objections"], state["objections_beside"], state["posting"]) == (2, 1, 2)
    assert settled["stage"] == "publicised"


async def postings(town: PayingTown) -> dict[str, tuple[str, str]]:
    """The windows of all notices that are up, by number."""
    items = (await town.door.api.get("/public/notices")).json()["items"]
    return {each["notice"]: (each["posted_at"], each["until"]) for each in items}


async def object_to(town: PayingTown, notice: str, contact: str) -> int:
    """Somebody without an account objects."""
    body = {"reason": f"其名下有车 {contact}", "contact": contact}
    answer = await town.door.api.post(
        f"/public/notices/{notice}/objections",
        json=body,
        headers={"Idempotency-Key": f"{notice}-{contact.encode().hex()}"},
    )
    return answer.status_code
