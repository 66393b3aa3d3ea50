"""An answer is on what was seen, and silence, a report and one person's word give up, end and pay nothing.

The pure half is read from the tables; the other half is tried at the door, as insiders would: the swap between a look and a word,
cash that nobody saw, a death that one person invents, a debt that is left lying until it is gone.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import asyncpg
import httpx
import pytest
from temporalio.client import Client

from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from engine.store.payment_books import recoveries_of_month
from schemas.ballot import BALLOT
from schemas.clocks.calendar import SHANGHAI
from schemas.contracts.payment import PAID_CODE, PayStatus, StatementLine, VoucherLine, entitlement_of, payment_key
from schemas.contracts.reconciliation import (
    UNRESOLVED_KIND,
    LedgerPayment,
    RecoveryEntry,
    reconcile,
    with_recoveries,
)
from schemas.contracts.reconciliation_by_hand import booked_by_hand, with_payments_by_hand
from schemas.kernel.answers import AnswerTo
from schemas.kernel.people import Part
from schemas.kernel.procedure import Procedure
from schemas.kernel.rules import Rule, Scope
from schemas.recovery import RECOVERY
from schemas.values.actor import Actor, Role
from schemas.welfare import WELFARE
from starter.http.command_bodies import command_body_of
from tests.api_driver import ApiDriver, Audited, OpenDoor, Person, Step, token_of
from tests.every_procedure import EVERY_PROCEDURE, PROCEDURE_LIST
from tests.examples import welfare as examples
from tests.examples.welfare import AID, HEATING, OLD_AGE, REASON, identity_number
from tests.paying_town import BANK, PayingTown, paying_town
from tests.waiting import eventually

OpenTown = Callable[..., AbstractAsyncContextManager[PayingTown]]
A_DAY, A_MONTH = 86_400, 30 * 86_400
CROOK = "crook"
NOT_SEEN = (409, "not-what-you-saw")

THE_FILE_ITSELF: Mapping[str, str] = {
    "accept": "answers the application, whose number stands in the address; the edition may be named",
    "confirm": "answers the review of this very file; which one may be named",
    "countersign": "answers the confirmation of this very file; which one may be named",
}
"""Answers that may be sent without a number, because what they answer is no request beside the case but the case."""

WHO_WAS_MET: Mapping[str, str] = {
    "identify": "says that the applicant was met with their card: no request could be exchanged for another",
    "record_visit": "the same, at their home",
    "confirm_member": "names the member in `member`, though not which paper (docs/SECURITY.md)",
}
"""Words on people, not on what somebody asked for."""

# ---- the law, read from the tables ------------------------------------------------------------------------------------


def answering_rows(procedure: Procedure) -> Iterator[Rule]:
    """Rows of people that are the word of a second person on a request."""
    for rule in procedure.rules:
        if rule.answers and not rule.automatic:
            yield rule


def faults_of_answer(rule: Rule, model: type[Any]) -> Iterator[str]:
    """What is wrong with the command of an answer."""
    if rule.command in WHO_WAS_MET:
        return
    if not issubclass(model, AnswerTo):
        yield f"{rule.command} names no request"
        return
    if model.part not in rule.answers:
        yield f"{rule.command} names a request of {model.part}, and answers {', '.join(rule.answers)}"
    field = command_body_of(model).model.model_fields[model.number_in]
    if not field.is_required() and rule.command not in THE_FILE_ITSELF:
        yield f"{rule.command} may leave out at the door what was seen"


@EVERY_PROCEDURE
def test_every_answer_names_the_request_that_was_seen(procedure: Procedure) -> None:
    """Each row that answers, of every procedure, takes a number at the door; left out it may be only by who answers the file."""
    faults = [
        f"{procedure.name}: {fault}"
        for rule in answering_rows(procedure)
        for fault in faults_of_answer(rule, procedure.commands[rule.command])
    ]

    assert faults == []


@pytest.mark.parametrize(
    ("asked", "legal"), [({Part.STRIKE_ASKED: ()}, False), ({Part.STRIKE_ASKED: (1,)}, True), ({}, True)]
)
def test_an_answer_waits_for_somebody_who_asks(asked: Mapping[Part, tuple[int, ...]], *, legal: bool) -> None:
    """Nobody is offered to answer what nobody has asked; of what has no number, the file itself, the stage says enough."""
    rule = next(each for each in BALLOT.rules if each.command == "confirm_strike")
    state: Any = SimpleNamespace(requests=lambda: asked, took_part=dict)
    now = datetime(2026, 11, 23, 9, tzinfo=SHANGHAI)

    assert (rule.objection(state, Actor(subject="street", role=Role.STREET_OFFICER), now) is None) is legal


def test_there_are_answers_and_a_command_without_a_number_is_none() -> None:
    """The law judges something, and finds an answer whose command names nothing, or names what it does not answer."""
    rows = {rule.command: rule for each in PROCEDURE_LIST for rule in answering_rows(each)}
    account = rows["confirm_account"]

    assert {"confirm_account", "confirm_change", "confirm_repayment", "agree_write_off", "confirm_end"} <= set(rows)
    assert list(faults_of_answer(account, WELFARE.commands["refuse_account"]))
    assert list(faults_of_answer(replace(account, answers=(Part.CHANGE_ASKED,)), WELFARE.commands["confirm_account"]))
    assert all(by.scope is not Scope.ENGINE for rule in rows.values() for by in rule.by)


# ---- a town -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def open_town(settings: Settings, keys: Keys, temporal: Client, pool: asyncpg.Pool, tmp_path: Path) -> OpenTown:
    """`async with open_town(speed=…, bank="refusing") as town`."""

    def opened(speed: int = A_DAY, **other: Any) -> AbstractAsyncContextManager[PayingTown]:
        other = {"reassess": "3650 natural_days", **other}
        return paying_town(settings, keys, temporal, pool, tmp_path, token=token_of(keys), speed=speed, **other)

    return opened


@pytest.fixture(autouse=True)
def _crook() -> Iterator[None]:
    """One person with a token of every role of the street and the county."""
    roles = ("window_clerk", "grid_worker", "street_officer", "civil_affairs_officer", "supervisor")
    for role in roles:
        examples.PEOPLE[f"crook_{role}"] = Person(CROOK, role)
    yield
    for role in roles:
        del examples.PEOPLE[f"crook_{role}"]


def somebody(benefit: Mapping[str, Any], born: str, order: int, name: str = "何秀英", **other: Any) -> dict[str, Any]:
    """An application of a person of a test's own."""
    return {**benefit, "applicant": {"name": name, "identity_number": identity_number(born, order)}, **other}


async def told(town: ApiDriver, case_id: str, kind: str) -> list[dict[str, Any]]:
    """The facts of the entries of a kind."""
    answer = await town.api.get(
        f"/api/v1/cases/{case_id}/timeline", headers=town.headers("auditor"), params={"limit": 200}
    )
    return [entry["facts"] for entry in answer.json()["items"] if entry["kind"] == kind] if answer.is_success else []


async def stage_is(town: ApiDriver, case_id: str, stage: str, within: float = 90) -> None:
    async def there() -> bool:
        return bool((await town.case(case_id))["stage"] == stage)

    await eventually(there, within=within)


async def living(town: PayingTown, body: Mapping[str, Any]) -> str:
    """An entitlement that three people have brought about, and the first month of it paid."""
    case_id = await town.door.start(body=body)
    await town.door.go(case_id, [Step("accept", "clerk")])
    await stage_is(town.door, case_id, "surveyed")
    await town.door.go(case_id, [Step("review", "street_officer"), Step("confirm", "civil")])

    async def paid() -> bool:
        return bool(await town.paid_months(case_id))

    await eventually(paid, within=90)
    return case_id


def said(answer: httpx.Response) -> tuple[int, str]:
    """Status and code."""
    return answer.status_code, str(answer.json().get("code", ""))


async def tries(town: ApiDriver, case_id: str, command: str) -> set[int]:
    """The crook in every role."""
    people = [who for who in examples.PEOPLE if who.startswith("crook_")]
    return {(await town.give(case_id, Step(command, who))).status_code for who in people}


# ---- what was seen ----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("worker")
async def test_an_account_that_was_swapped_after_the_look_is_not_confirmed(door: OpenDoor) -> None:
    """The clerk asks for another account between the officer's look and word: refused; looked at again it counts."""
    town = await door(WELFARE)
    case_id = await town.start(body=OLD_AGE)
    await town.go(case_id, [Step("change_account", "clerk", {"account": "6222020000000000111"})])
    seen = (await town.case(case_id, by="civil"))["requests"]["confirm_account"]
    await town.go(case_id, [Step("change_account", "clerk", {"account": "6222020000000000222"})])
    stale = await town.give(case_id, Step("confirm_account", "civil", {"request": seen[0]}))
    changed = await told(town, case_id, "welfare:account_changed")
    headers = town.headers("civil", "names-nothing")
    bare = await town.api.post(f"/api/v1/cases/{case_id}/commands/confirm_account", json={}, headers=headers)
    now = (await town.case(case_id, by="civil"))["requests"]["confirm_account"]
    await town.go(case_id, [Step("confirm_account", "civil", {"request": now[0]})])
    over = (await town.case(case_id, by="civil"))["requests"]

    assert (said(stale), stale.json()["faults"][0]["field"], changed) == (NOT_SEEN, "request", [])
    assert (bare.status_code, bare.json()["faults"][0]["field"]) == (422, "request")
    assert (seen, now) == ([1], [2])
    assert "confirm_account" not in over


@pytest.mark.usefixtures("worker")
async def test_a_write_off_and_a_repayment_are_answered_by_number(door: OpenDoor) -> None:
    """Declined and proposed anew, the first signature fits no more; nor does a word on a repayment that was declined meanwhile."""
    town = await door(RECOVERY)
    case_id = await town.start()
    claim = {"amount_fen": 100, "receipt": "CZ-2026-0009"}
    await town.go(
        case_id, [Step("repay", "clerk", claim), Step("decline_repayment", "civil", {**REASON, "repayment": 1})]
    )
    await town.go(case_id, [Step("repay", "clerk", claim | {"amount_fen": 50_000})])
    other = await town.give(case_id, Step("confirm_repayment", "civil", {"repayment": 1}))
    await town.go(case_id, [Step("decline_repayment", "civil", {**REASON, "repayment": 2})])
    await town.go(case_id, [Step("propose_write_off", "civil"), Step("decline_write_off", "supervisor")])
    await town.go(case_id, [Step("propose_write_off", "civil")])
    stale = await town.give(case_id, Step("agree_write_off", "second_civil", {"request": 1}))
    stands = (await town.case(case_id))["stage"]
    await town.go(case_id, [Step("agree_write_off", "second_civil", {"request": 2})])

    assert (said(other), said(stale), stands) == (NOT_SEEN, NOT_SEEN, "writing_off")


@pytest.mark.usefixtures("worker")
async def test_the_word_on_a_file_fits_the_edition_the_review_and_the_signature_that_were_seen(door: OpenDoor) -> None:
    """A paper exchanged after the look, a confirmation sent back and given anew: who names what was seen is refused."""
    town = await door(WELFARE)
    case_id = await town.start(body=examples.HUNDRED)
    seen = (await town.case(case_id))["requests"]["accept"][0]
    await town.go(case_id, [Step("ask_correction", "clerk"), Step("hand_in", "clerk")])
    swapped = await town.give(case_id, Step("accept", "street_officer", {"request": seen}))
    await town.go(case_id, [Step("accept", "street_officer"), Step("review", "street_officer")])
    await town.go(case_id, [Step("confirm", "civil"), Step("send_back", "supervisor"), Step("confirm", "civil")])
    stale = await town.give(case_id, Step("countersign", "supervisor", {"request": 1}))
    await town.go(case_id, [Step("countersign", "supervisor", {"request": 2})])

    assert (said(swapped), said(stale)) == (NOT_SEEN, NOT_SEEN)


async def test_a_change_that_is_written_otherwise_after_the_look_is_another_request(open_town: OpenTown) -> None:
    """An answer by hand makes another number of a change; reviewed it stays, and nobody decides on the own word."""
    taken_down = {"source": "tax", "found": False, "facts": {}, "note": "书面答复"}
    async with open_town() as town:
        case_id = await living(town, somebody(HEATING, "19700401", 401))
        more = {"change": "household", "since": (await town.paid_months(case_id))[0], "household_size": 4}
        await town.door.go(case_id, [Step("report_change", "applicant", more)])
        seen = (await town.door.case(case_id))["requests"]["review_change"][0]
        await town.door.go(case_id, [Step("record_check", "crook_street_officer", taken_down)])
        stale = await town.door.give(
            case_id, Step("review_change", "street_officer", {"request": seen, "opinion": "同意"})
        )
        own = await tries(town.door, case_id, "review_change")
        await town.door.go(case_id, [Step("review_change", "street_officer")])
        late = await town.door.give(case_id, Step("record_check", "second_civil", taken_down))
        confirms = await tries(town.door, case_id, "confirm_change")
        paid = (await town.snapshot(case_id))["granted"]["amount_fen"]

    assert (said(stale), late.status_code, paid) == (NOT_SEEN, 409, 30_000)
    assert own | confirms <= {403, 409}


# ---- paid by hand -----------------------------------------------------------------------------------------------------


async def test_cash_is_the_word_of_two_and_of_the_treasury(open_town: OpenTown) -> None:
    """One officer's word pays nothing, and nobody pays beside it; confirmed it differs until the treasury knows it."""
    async with open_town(speed=20 * A_DAY, bank="refusing") as town:
        case_id = await town.door.start(body=somebody(AID, "19790301", 402))
        await town.door.go(case_id, [Step("accept", "clerk")])

        async def waits() -> bool:
            return any(each["state"] == "with_a_person" for each in (await town.snapshot(case_id))["payments"])

        await eventually(waits, within=90)
        cash = {"how": "paid_otherwise", "reason": "已以现金发放", "voucher": "CZ-OUT-402"}
        await town.door.go(case_id, [Step("settle_payment", "crook_civil_affairs_officer", cash)])
        alone = await tries(town.door, case_id, "confirm_settlement")
        beside = await town.door.give(case_id, Step("retry_payment", "civil"))
        claimed = await town.snapshot(case_id)
        await town.door.go(case_id, [Step("decline_settlement", "clerk")])
        await town.door.go(case_id, [Step("settle_payment", "crook_civil_affairs_officer", cash)])
        stale = await town.door.give(case_id, Step("confirm_settlement", "civil", {"request": 1}))
        await town.door.go(case_id, [Step("confirm_settlement", "civil", {"request": 2})])
        (month,) = await town.paid_months(case_id)
        before = await differences(town, month, case_id)
        await paid_out(town, "CZ-OUT-402", month, 50_000)
        after = await differences(town, month, case_id)
        await paid_out(town, "CZ-OUT-402", month, 50_000)
        doubled = await differences(town, month, case_id)
        taking_part = Part.SETTLEMENT_CLAIMED in state_of(claimed).took_part()

    assert alone <= {403, 409}
    assert (beside.status_code, said(stale), claimed["paid"], taking_part) == (409, NOT_SEEN, {}, True)
    assert (before, after, doubled) == (["by_hand_not_proved"], [], ["by_hand_differs"])


def state_of(snapshot: dict[str, Any]) -> Any:
    """The state of a welfare case."""
    return WELFARE.state.model_validate(snapshot)


async def differences(town: PayingTown, month: str, case_id: str) -> list[str]:
    """The kinds of differences of a case in a month, but that its advance is undecided: that it is, by so fast a clock."""
    answer = await town.door.api.get(f"/api/v1/reconciliations/{month}", headers=town.door.headers("auditor"))
    assert answer.status_code == 200, answer.text
    found = [kind for each in answer.json()["differences"] if case_id in each["case_ids"] for kind in each["kinds"]]
    return [kind for kind in found if kind != "advance_undecided"]


async def paid_out(town: PayingTown, voucher: str, month: str, amount_fen: int) -> None:
    """The treasury pays out by hand."""
    sent = {"voucher": voucher, "amount_fen": amount_fen, "at": datetime.now(UTC).isoformat()}
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"{town.outside.bank_url}/{BANK}/vouchers/{month}", json=sent)
    assert answer.status_code == 201, answer.text


KEY = payment_key(f"person:{'A':0>26}", "old-age-allowance", "2026-11", 3)
AT = datetime(2026, 11, 30, 9, tzinfo=UTC)


def by_hand(
    number: int = 1, voucher: str | None = "V1", entitlement: str | None = KEY, fen: int = 100
) -> LedgerPayment:
    return LedgerPayment(
        case_id="welfare-20261128-000001", seq=number, kind=f"welfare:{PAID_CODE}", key=f"by-hand-{number}", amount_fen=fen,
        entitlement=entitlement, voucher=voucher,
    )  # fmt: skip


def voucher(number: str = "V1", fen: int = 100) -> VoucherLine:
    return VoucherLine(voucher=number, amount_fen=fen, at=AT)


LINE = StatementLine(payment_key=entitlement_of(KEY), amount_fen=100, status=PayStatus.PAID, bank_reference="B1", at=AT)


@pytest.mark.parametrize(
    ("booked", "lines", "vouchers", "kinds"),
    [
        ([by_hand()], [], [voucher()], []),
        ([by_hand()], [], [], ["by_hand_not_proved"]),
        ([by_hand()], [], None, ["by_hand_not_proved"]),
        ([by_hand(voucher=None, entitlement=None)], [], [voucher()], ["voucher_unknown_to_us", "by_hand_not_proved"]),
        ([by_hand()], [], [voucher(fen=99)], ["by_hand_differs"]),
        ([by_hand()], [], [voucher(), voucher()], ["by_hand_differs"]),
        ([by_hand(), by_hand(2, entitlement=None)], [], [voucher()], ["by_hand_differs"]),
        ([by_hand()], [LINE], [voucher()], ["unknown_to_us", "paid_twice"]),
        ([by_hand(), by_hand(2, "V2")], [], [voucher(), voucher("V2")], ["booked_twice"]),
        ([], [], [voucher()], ["voucher_unknown_to_us"]),
    ],
)
def test_a_payment_by_hand_stands_against_the_treasurys_vouchers(
    booked: list[LedgerPayment], lines: list[StatementLine], vouchers: list[VoucherLine] | None, kinds: list[str]
) -> None:
    """What the treasury's file lacks, has otherwise or twice, and what the bank has paid too, is a difference; else none."""
    found = reconcile("2026-11", [], lines)
    found = with_payments_by_hand(found, booked_by_hand(booked), [], lines, vouchers)

    assert sorted(kind for each in found.differences for kind in each.kinds) == sorted(kinds)
    assert (found.by_hand, found.ours) == (len(booked), 0)


# ---- a reported end ---------------------------------------------------------------------------------------------------


async def test_one_person_s_death_report_rests_payment_and_ends_nothing(open_town: OpenTown, audited: Audited) -> None:
    """Payment rests at once, no debt is raised; the reporter ends nothing in any role; found untrue, what was left out is paid."""
    async with open_town(speed=A_MONTH) as town:
        case_id = await living(town, somebody(OLD_AGE, "19390401", 403))
        (first, *_) = await town.paid_months(case_id)
        death = {"change": "death", "since": first}
        await town.door.go(case_id, [Step("report_change", "crook_grid_worker", death)])
        rests = await town.snapshot(case_id)
        alone = await tries(town.door, case_id, "confirm_end") | await tries(town.door, case_id, "refuse_end")
        resumed = [
            (await town.door.give(case_id, Step(name, "civil"))).status_code for name in ("resume_payment", "reassess")
        ]

        async def left_out() -> bool:
            return bool((await town.snapshot(case_id))["skipped"])

        await eventually(left_out, within=90)
        held = await town.snapshot(case_id)
        await town.door.go(case_id, [Step("refuse_end", "civil")])

        async def made_good() -> bool:
            return set(held["skipped"]) <= set(await town.paid_months(case_id))

        await eventually(made_good, within=90)
        again = await town.snapshot(case_id)
        await town.door.go(case_id, [Step("report_change", "crook_grid_worker", death)])
        stale = await town.door.give(case_id, Step("confirm_end", "supervisor", {"request": 1}))
        await town.door.go(case_id, [Step("confirm_end", "supervisor", {"request": 2})])
        await stage_is(town.door, case_id, "ended")
        ended = await town.snapshot(case_id)
        moved = await town.outside.paid_entitlements()
        findings = await audited(case_id)

    assert (rests["stage"], rests["recoveries"], rests["alive"]) == ("payment_suspended", [], True)
    assert alone <= {403, 409}
    assert (resumed, said(stale)) == ([409, 409], NOT_SEEN)
    assert (again["stage"], again["recoveries"], again["end_asked"]) == ("paying", [], None)
    assert (bool(ended["recoveries"]), ended["alive"]) == (True, False)
    assert len(moved) == len(set(moved))
    assert [finding.detail for finding in findings if not finding.ok] == []


async def test_the_register_of_deaths_is_a_second_word(open_town: OpenTown) -> None:
    """A death that the register knows ends the benefit on one report; nobody has to sign for what is registered."""
    async with open_town(speed=A_MONTH) as town:
        name = "何秀英〔剧本:death_registered=1〕"
        case_id = await town.door.start(body=somebody(OLD_AGE, "19390402", 404, name))
        await town.door.go(case_id, [Step("accept", "clerk")])
        await stage_is(town.door, case_id, "surveyed")
        await town.door.go(case_id, [Step("review", "street_officer"), Step("confirm", "civil")])
        (granted,) = await told(town.door, case_id, "welfare:granted")
        death = {"change": "death", "since": month_before_it(granted["first_month"])}
        await town.door.go(case_id, [Step("report_change", "grid_worker", death)])
        await stage_is(town.door, case_id, "ended")
        state = await town.snapshot(case_id)

    assert (state["alive"], state["end_asked"]) == (False, None)


async def test_a_payee_says_themselves_that_they_move_and_nobody_else_does(open_town: OpenTown) -> None:
    """The own word on a move ends it at once; an income above the limit that a clerk reports waits meanwhile."""
    async with open_town(speed=A_DAY) as town:
        case_id = await living(town, somebody(OLD_AGE, "19390403", 405))
        (first, *_) = await town.paid_months(case_id)
        await town.door.go(case_id, [Step("report_change", "applicant", {"change": "move", "since": first})])
        own = await town.snapshot(case_id)
        body = somebody(examples.SUBSISTENCE, "19800401", 406, monthly_income_fen=0)
        other = await town.door.start(body=body)
        await town.door.go(other, [Step("accept", "clerk"), *examples.VISITED])
        await stage_is(town.door, other, "surveyed")
        await town.door.go(other, [Step("review", "street_officer")])
        await stage_is(town.door, other, "confirming")
        await town.door.go(other, [Step("confirm", "civil")])
        month = (await told(town.door, other, "welfare:granted"))[0]["first_month"]
        rich = {"change": "income", "since": month_before_it(month), "monthly_income_fen": 10**7}
        await town.door.go(other, [Step("report_change", "clerk", rich)])
        waits = await town.snapshot(other)

    assert own["last_due"] == first
    assert (waits["stage"], waits["end_asked"]["cause"]) == ("payment_suspended", "income")
    assert (waits["monthly_income_fen"], waits["last_due"]) == (0, None)


def month_before_it(month: str) -> str:
    """The month before."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year - (number == 1):04d}-{(number - 2) % 12 + 1:02d}"


# ---- one head, one advance --------------------------------------------------------------------------------------------


async def test_an_advance_counts_who_consented_and_nobody_twice(open_town: OpenTown) -> None:
    """Who has not consented is not paid for, and the entry says so; a child of one advance counts in no second."""
    adult = {"name": "何大", "identity_number": identity_number("19900401", 407)}
    child = {"name": "何小", "identity_number": identity_number("20180401", 408)}
    async with open_town() as town:
        case_id = await town.door.start(body=somebody(AID, "19790401", 409, household=[adult, child]))
        await town.door.go(case_id, [Step("accept", "clerk")])
        (due,) = await told(town.door, case_id, "welfare:payment:due")
        second = await town.door.start(body=somebody(AID, "19790402", 410, household=[child]), by="stranger")
        twice = await town.door.give(second, Step("accept", "clerk"))
        alone = await town.door.start(body=somebody(AID, "19900401", 407, "何大"), by="stranger")
        own = await town.door.give(alone, Step("accept", "clerk"))

    assert (due["amount_fen"], due["without_consent"]) == (100_000, [1])
    assert said(twice) == (409, "already-held")
    assert own.status_code == 200  # who was only named is not barred


async def test_heads_that_one_person_corrected_are_paid_no_advance_for(open_town: OpenTown) -> None:
    """Who accepted has seen one name; four heads, stated by who entered before the second look, are paid first for one."""
    four = Step("correct_facts", "clerk", {"household_size": 4, **REASON})
    async with open_town() as town:
        case_id = await town.door.start(body=somebody(AID, "19790403", 411, channel="hotline"), by="clerk")
        await town.door.go(case_id, [Step("accept", "street_officer"), four, Step("identify", "grid_worker")])
        (due,) = await told(town.door, case_id, "welfare:payment:due")

    assert due["amount_fen"] == 50_000


async def test_a_child_without_a_number_is_paid_no_advance_for(open_town: OpenTown) -> None:
    """Nobody can tell a child with no document yet from one in another case: it waits for the review."""
    baby = {"name": "小小宝", "identity_document": {"kind": "none_yet", "birth": "2025-03-01"}}
    async with open_town() as town:
        case_id = await town.door.start(body=somebody(AID, "19790405", 413, household=[baby]))
        await town.door.go(case_id, [Step("accept", "clerk")])
        (due,) = await told(town.door, case_id, "welfare:payment:due")

    assert (due["amount_fen"], due["without_consent"]) == (50_000, [1])


async def test_a_withdrawal_by_a_clerk_is_told_to_the_applicant(open_town: OpenTown) -> None:
    """Nobody's application goes away by another's word without their hearing of it."""
    async with open_town() as town:
        case_id = await town.door.start(body=somebody(AID, "19790404", 412))
        await town.door.go(case_id, [Step("withdraw_application", "clerk", REASON)])

        async def heard() -> bool:
            rows = await town.pool.fetch("select recipient, template from outbox where case_id = $1", case_id)
            return ("reporter", "welfare_withdrawn") in {tuple(row) for row in rows}

        await eventually(heard, within=30)


# ---- silence gives up no debt -----------------------------------------------------------------------------------------


async def test_a_write_off_that_nobody_signs_climbs_lapses_and_the_debt_goes_on(
    door: OpenDoor, pool: asyncpg.Pool, audited: Audited
) -> None:
    """Left alone a proposal climbs every tier, then lapses; the debt goes on, and its end without money is a difference."""
    town = await door(RECOVERY, speed=500_000)
    case_id = await town.start()
    await town.go(case_id, [Step("propose_write_off", "civil")])

    async def lapsed() -> bool:
        return bool(await told(town, case_id, "recovery:write_off:lapsed"))

    await eventually(lapsed, within=120)
    tiers = [facts["moment"] for facts in await told(town, case_id, "clock:tier") if facts["clock"] == "write_off"]
    ended_then = await told(town, case_id, "recovery:unresolved")
    await stage_is(town, case_id, "unresolved", within=180)
    month = await pool.fetchval(
        "select to_char(at at time zone 'Asia/Shanghai', 'YYYY-MM') from ledger"
        " where case_id = $1 and kind = 'recovery:unresolved'",
        case_id,
    )
    async with pool.acquire() as connection:
        entries = await recoveries_of_month(connection, month, [])
    found = with_recoveries(reconcile(month, [], []), entries, None, [])
    findings = await audited(case_id)

    assert (len(tiers) >= 2, ended_then) == (True, [])
    assert [each.kinds for each in found.differences if case_id in each.case_ids] == [("debt_unresolved",)]
    assert [finding.detail for finding in findings if not finding.ok] == []


def test_a_debt_that_ended_without_the_money_is_a_difference() -> None:
    """Unresolved in the month: a sum of its own, and work for a person; in another month it is not told again."""
    entry = RecoveryEntry(case_id="c.recovery-1", seq=9, kind=UNRESOLVED_KIND, month="2026-11", amount_fen=700)
    here, later = (with_recoveries(reconcile(month, [], []), [entry], None, []) for month in ("2026-11", "2026-12"))

    assert [kind for each in here.differences for kind in each.kinds] == ["debt_unresolved"]
    assert (here.recoveries.unresolved, here.recoveries.unresolved_fen, later.even) == (1, 700, True)
