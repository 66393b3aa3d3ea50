"""One person, one benefit, one month is paid once, whatever the bank does; of money only the bank's word is passed on."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.payments import UNAVAILABLE
from engine.keys.counterpart_keys import Counterpart, found_counterpart_keys
from local.simulation.bank_book import BankBook, BookedPayment, Movement
from local.simulation.bank_characters import WORDS
from schemas.contracts.incoming import IncomingPage
from schemas.contracts.payment import (
    STATEMENT_PAGE,
    BankPayment,
    BatchAnswer,
    PaymentBody,
    PaymentStatus,
    PayReceipt,
    PayRequest,
    PayStatus,
    ReturnNotice,
    StatementPage,
    StatusRequest,
    entitlement_of,
    is_payment_key,
    month_of,
    payee_of,
    payment_key,
)
from schemas.values.organisation import OrganisationCode, check_character, organisation
from schemas.values.references import Tombstone
from tests.department_town import NOON, serving
from tests.outside_town import BANK, CASE, OutsideTown, account, bank_of, days_after, outside_town, person, town_over
from tests.waiting import eventually

PROJECT = Path(__file__).resolve().parents[2]
PAGE = (PROJECT / "docs" / "payments.md").read_text(encoding="utf-8")
KEY = payment_key(person("A"), "subsistence-allowance", "2026-12")
CARRIER = "91330100799655058B"
PATIENT = 20.0
"""Longer than a busy machine stands still: a bank that answers is not given up."""
SILENCE = 3.0
"""How long a bank is waited for that does not answer at times; what it does answer comes well within that."""
SOME_DAYS_A_SECOND = 57_600.0
"""A speed at which what comes back after two days does not come back before the payment is answered."""


async def status(town: OutsideTown, key: str = KEY) -> PaymentStatus:
    """What the bank says of a payment."""
    request = StatusRequest(case_id=CASE, payment_key=key)
    return await ActivityEnvironment().run(town.payments.payment_status, request)


async def test_a_payment_is_made_once_however_often_and_whenever_it_is_asked_for(tmp_path: Path) -> None:
    """Asked again by its case, on another day, ten at a time: one movement of money and one receipt."""
    async with outside_town(tmp_path, timeout_seconds=PATIENT, batch_max=4) as town:
        town.people.live("A")
        first = await town.pay(town.payment())
        others = [town.payment(as_of=days_after(NOON, n)) for n in range(1, 11)]
        again = await asyncio.gather(*(town.pay(each) for each in others))
        moved = await town.moved()

    assert (first.status, first.payment_key, first.paid_at) == (PayStatus.PAID, KEY, NOON)
    assert set(map(PayReceipt.model_dump_json, again)) == {first.model_dump_json()}
    assert moved == [KEY]
    assert {purpose for _, purpose, _ in town.people.readings} == {"pay-subsistence-allowance"}


@pytest.mark.parametrize(("word", "failures"), [("超时", 1), ("时断时续", 2), ("漏行", 0)])
async def test_a_bank_that_does_not_answer_is_asked_again_under_the_same_key(
    tmp_path: Path, word: str, failures: int
) -> None:
    """5xx and timeouts after the money has moved are tried again: the money moves once."""
    async with outside_town(tmp_path, timeout_seconds=SILENCE) as town:
        town.people.live("A", at=f"6222〔剧本:{word}〕")
        receipt, errors = await town.pay_until_answered(town.payment())
        moved = await town.moved()

    assert errors == [UNAVAILABLE] * failures
    assert (receipt.status, moved) == (PayStatus.PAID, [KEY])


async def test_what_became_of_a_payment_is_the_banks_word(tmp_path: Path) -> None:
    """After a timeout the bank knows the payment; of a key that it never had it says so."""
    async with outside_town(tmp_path, timeout_seconds=SILENCE) as town:
        town.people.live("A", at="6222〔剧本:超时〕")
        before = await status(town)
        with pytest.raises(ApplicationError):
            await town.pay(town.payment())
        after = await status(town)

    assert before == PaymentStatus(payment_key=KEY, status=PayStatus.UNKNOWN)
    assert (after.status, after.amount_fen) == (PayStatus.PAID, 60_000)
    assert after.bank_reference is not None


@pytest.mark.parametrize(
    "changes", [{"amount_fen": 60_001}, {"account": f"text:{'B':0>26}"}, {"case_id": "welfare-20261124-000002"}]
)
async def test_another_amount_account_or_case_under_a_key_is_a_conflict(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    """The bank holds something else under the key: nothing is paid, and it is no refusal, since money has moved."""
    async with outside_town(tmp_path, timeout_seconds=PATIENT) as town:
        town.people.live("A")
        town.people.live("B", at="6333")
        await town.pay(town.payment())
        other = await town.pay(town.payment(**changes))
        moved = await town.moved()

    assert (other.status, other.code) == (PayStatus.CONFLICT, "another-payment-under-this-key")
    assert moved == [KEY]


async def test_a_refusal_is_what_the_bank_has_recorded(tmp_path: Path) -> None:
    """A payment refused is refused again, and its status says so; a new attempt to another account is paid."""
    async with outside_town(tmp_path, timeout_seconds=PATIENT) as town:
        town.people.live("A", at="6222〔剧本:拒付〕")
        refused = [await town.pay(town.payment()), await town.pay(town.payment())]
        asked = await status(town)
        town.people.live("A", at="6333")
        paid = await town.pay(town.payment(attempt=2))
        moved = await town.moved()

    assert [(each.status, each.code) for each in refused] == [(PayStatus.REFUSED, "no-such-account")] * 2
    assert (asked.status, asked.code) == (PayStatus.REFUSED, "no-such-account")
    assert paid.paid
    assert moved == [f"{KEY}.2"]


@pytest.mark.parametrize("answer", [400, 401, 403, 404, 410, 302, 200, 201, 422])
async def test_a_bank_that_does_not_understand_us_has_said_nothing_about_money(tmp_path: Path, answer: int) -> None:
    """An answer that is not about this payment is no refusal, whatever its status: an earlier call may have paid."""

    async def odd(_: Request) -> Response:
        return JSONResponse({"code": "no", "payment_key": KEY}, answer)

    app = Starlette(routes=[Route("/{path:path}", odd, methods=["POST", "GET"])])
    async with serving(app) as url, town_over(tmp_path, url, url) as town:
        town.people.live("A")
        with pytest.raises(ApplicationError) as unavailable:
            await town.pay(town.payment())
        with pytest.raises(ApplicationError):
            await status(town)

    assert (unavailable.value.type, unavailable.value.non_retryable) == (UNAVAILABLE, False)


@pytest.mark.parametrize(
    "changes", [{"payment_key": f"{KEY}.2"}, {"amount_fen": 59_999}, {"status": "refused"}, {"at": "2026-12-07"}]
)
async def test_an_answer_about_another_payment_is_none(tmp_path: Path, changes: dict[str, object]) -> None:
    """Key, amount and status must be those of this payment, with the status of the answer."""
    said = {"payment_key": KEY, "status": "paid", "amount_fen": 60_000, "bank_reference": "B1", "at": NOON.isoformat()}

    async def odd(_: Request) -> Response:
        return JSONResponse(said | changes, 201)

    app = Starlette(routes=[Route("/{path:path}", odd, methods=["POST"])])
    async with serving(app) as url, town_over(tmp_path, url, url) as town:
        town.people.live("A")
        with pytest.raises(ApplicationError):
            await town.pay(town.payment())


async def test_a_bare_404_is_not_the_banks_word_that_it_never_paid(tmp_path: Path) -> None:
    """Only the bank's own code says that it does not know a payment; a proxy's 404 is a fault on the way."""

    async def nothing_here(_: Request) -> Response:
        return PlainTextResponse("404", 404)

    app = Starlette(routes=[Route("/{path:path}", nothing_here)])
    async with serving(app) as url, town_over(tmp_path, url, url) as town:
        with pytest.raises(ApplicationError) as unavailable:
            await status(town)

    assert unavailable.value.type == UNAVAILABLE


async def test_two_attempts_are_never_both_paid(tmp_path: Path) -> None:
    """The bank refuses a second attempt for what it has paid, and a first one that comes after the second."""
    async with outside_town(tmp_path, timeout_seconds=PATIENT) as town:
        town.people.live("A")
        await town.pay(town.payment())
        second = await town.pay(town.payment(attempt=2))
        town.people.live("B")
        overtaking = await town.pay(town.payment("B", attempt=2))
        overtaken = await town.pay(town.payment("B"))
        moved = await town.moved()

    assert (second.status, second.code) == (PayStatus.CONFLICT, "already-paid")
    assert overtaking.paid
    assert (overtaken.status, overtaken.code) == (PayStatus.REFUSED, "superseded")
    assert [entitlement_of(key) for key in moved] == [KEY, payment_key(person("B"), "subsistence-allowance", "2026-12")]


async def test_money_that_comes_back_is_told_twice_and_counts_once(tmp_path: Path) -> None:
    """Status and a repeat say returned; the notice comes twice under one id; the next attempt is paid."""
    async with outside_town(tmp_path, timeout_seconds=PATIENT, speed=SOME_DAYS_A_SECOND) as town:
        town.people.live("A", at="6222〔剧本:退回〕")
        first = await town.pay(town.payment())
        await eventually(lambda: len(town.receiver.received) == 2)
        asked, again = await status(town), await town.pay(town.payment())
        town.people.live("A", at="6333")
        second = await town.pay(town.payment(attempt=2))

    assert first.paid
    notices = town.receiver.received
    assert notices[0] == notices[1]
    assert (notices[0].payment_key, notices[0].case_id, notices[0].code) == (KEY, CASE, "account-closed")
    assert (asked.status, asked.at) == (PayStatus.RETURNED, days_after(NOON, 2))
    assert (again.status, again.code) == (PayStatus.RETURNED, "account-closed")
    assert second.paid


async def test_a_notice_that_is_not_acknowledged_is_sent_again(tmp_path: Path) -> None:
    """The bank sends the same notice until it hears 2xx."""
    async with outside_town(tmp_path, timeout_seconds=PATIENT) as town:
        refusals = iter([503, 503])
        town.receiver.answer = lambda _: next(refusals, 200)
        town.people.live("A", at="6222〔剧本:退回〕")
        await town.pay(town.payment())

        async def answers() -> list[str]:
            return [each["answer"] for each in (await town.books())["sendings"]]

        async def all_told() -> bool:
            return await answers() == ["503", "503", "200", "200"]

        await eventually(all_told)


async def test_of_an_erased_person_only_the_bank_knows_whether_they_were_paid(tmp_path: Path) -> None:
    """Nobody is left to be paid; what an earlier call has paid is not denied."""
    async with outside_town(tmp_path, timeout_seconds=SILENCE) as town:
        town.people.live("A", at="6222〔剧本:超时〕")
        town.people.live("B")
        with pytest.raises(ApplicationError):
            await town.pay(town.payment())
        town.people.erase("A")
        town.people.erase("B")
        paid, never_paid = await town.pay(town.payment()), await town.pay(town.payment("B"))

    assert paid.status is PayStatus.PAID
    assert (never_paid.status, never_paid.code) == (PayStatus.REFUSED, "person-erased")


async def test_without_a_bank_every_payment_is_refused_at_once(tmp_path: Path) -> None:
    """A town that has connected none says so, and a person finds another way."""
    async with town_over(tmp_path, "http://127.0.0.1:9", None) as town:
        receipt = await town.pay(town.payment())

    assert (receipt.status, receipt.code) == (PayStatus.REFUSED, "no-bank")


# ---- batches --------------------------------------------------------------------------------------------------------


async def test_what_is_due_at_one_time_goes_out_together(tmp_path: Path) -> None:
    """Thirty people on pay day are a few calls; each is paid once, and a receipt is that of the right one."""
    async with outside_town(tmp_path, timeout_seconds=PATIENT, batch_max=10) as town:
        words = [f"{number:02d}" for number in range(30)]
        for word in words:
            town.people.live(word)
        receipts = await asyncio.gather(*(town.pay(town.payment(word)) for word in words))
        moved = await town.moved()

    assert [receipt.payment_key for receipt in receipts] == [town.payment(word).payment_key for word in words]
    assert all(receipt.paid for receipt in receipts)
    assert sorted(moved) == sorted(receipt.payment_key for receipt in receipts)


async def test_each_line_of_a_batch_stands_for_itself(tmp_path: Path) -> None:
    """Refused, left out, in conflict: what befalls one line touches no other, and a line left out is asked for again."""
    words = {"B": "拒付", "C": "漏行", "D": "时断时续", "E": "按时"}
    async with outside_town(tmp_path, timeout_seconds=SILENCE, batch_max=10) as town:
        town.people.live("A")
        town.people.live("Z")
        await town.pay(town.payment("Z"))
        for word, manner in words.items():
            town.people.live(word, at=f"6222〔剧本:{manner}〕")
        alone = asyncio.create_task(town.pay(town.payment("A")))  # while it is on its way, the others gather
        tasks = {word: asyncio.create_task(town.pay_until_answered(town.payment(word))) for word in words}
        conflict = asyncio.create_task(town.pay(town.payment("Z", amount_fen=1)))
        outcomes = {word: (await task) for word, task in tasks.items()}
        moved = await town.moved()

    assert (await alone).paid
    assert (await conflict).status is PayStatus.CONFLICT
    assert {word: receipt.status for word, (receipt, _) in outcomes.items()} == {
        "B": PayStatus.REFUSED,
        "C": PayStatus.PAID,
        "D": PayStatus.PAID,
        "E": PayStatus.PAID,
    }
    assert {word: len(errors) for word, (_, errors) in outcomes.items()} == {"B": 0, "C": 1, "D": 2, "E": 0}
    assert len(moved) == len(set(moved)) == 5


async def test_a_bank_that_cannot_keep_up_says_so_at_once(tmp_path: Path) -> None:
    """More than a few batches do not wait inside the worker: who comes then is told, and Temporal comes again."""

    async def hanging(request: Request) -> Response:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        return Response()

    app = Starlette(routes=[Route("/{path:path}", hanging, methods=["POST"])])
    async with serving(app) as url, town_over(tmp_path, url, url, timeout_seconds=0.3) as town:
        for number in range(8):
            town.people.live(f"{number}")
        outcomes = await asyncio.gather(
            *(town.pay(town.payment(f"{number}")) for number in range(8)), return_exceptions=True
        )

    assert {getattr(outcome, "type", None) for outcome in outcomes} == {UNAVAILABLE}
    assert any("are waiting" in str(outcome) for outcome in outcomes)


# ---- the bank's own books -------------------------------------------------------------------------------------------


async def test_the_statement_has_every_movement_of_a_month(tmp_path: Path) -> None:
    """Paid, returned and what moved twice; nothing refused, nothing of another month."""
    async with outside_town(tmp_path, timeout_seconds=PATIENT) as town:
        for word, manner in {"A": "按时", "R": "默退", "T": "重付", "X": "拒付"}.items():
            town.people.live(word, at=f"6222〔剧本:{manner}〕")
            await town.pay(town.payment(word))
        await town.pay(town.payment(month="2027-01"))
        keys = {word: payment_key(person(word), "subsistence-allowance", "2026-12") for word in "ART"}

        async def came_back() -> bool:
            return (await status(town, keys["R"])).status is PayStatus.RETURNED

        await eventually(came_back)
        statement = await town.bank_gateway.statement(town.bank, "2026-12")

    assert [(line.payment_key, line.status) for line in statement.lines] == [
        (keys["A"], PayStatus.PAID),
        (keys["R"], PayStatus.RETURNED),
        (keys["T"], PayStatus.PAID),
        (keys["T"], PayStatus.PAID),
    ]
    assert len({line.bank_reference for line in statement.lines}) == 4
    assert town.receiver.received == []


async def test_a_statement_of_several_pages_is_whole(tmp_path: Path) -> None:
    """More lines than a page holds come page by page, each once."""
    lines = 2 * STATEMENT_PAGE + 1
    with BankBook(tmp_path / "bank.sqlite") as books:
        for number in range(lines):
            key, reference = payment_key(person(f"{number}"), "b", "2026-12"), f"B{number}"
            movement = Movement(0, key, 100, reference, NOON.isoformat(), None, None, None)
            books.accept(BookedPayment(key, "", 100, "2026-12", None, reference, NOON.isoformat()), [movement], [], "")
    async with outside_town(tmp_path, timeout_seconds=PATIENT) as town:
        statement = await town.bank_gateway.statement(town.bank, "2026-12")

    assert [line.bank_reference for line in statement.lines] == [f"B{number}" for number in range(lines)]


async def test_a_statement_without_an_end_is_none(tmp_path: Path) -> None:
    """A page that leads back to itself, another month's page and an unreadable one are no statement."""
    pages: list[Response] = [
        JSONResponse({"month": "2026-12", "lines": [], "next": "7"}),
        JSONResponse({"month": "2026-11", "lines": []}),
        PlainTextResponse("-"),
        JSONResponse({"month": "2026-12", "lines": []}, 404),
    ]

    async def odd(request: Request) -> Response:
        return pages[int(request.path_params["page"])]

    app = Starlette(routes=[Route(f"/{{page}}/{BANK}/statements/2026-12", odd)])
    async with serving(app) as url:
        for page in range(len(pages)):
            async with town_over(tmp_path, url, f"{url}/{page}") as town:
                with pytest.raises(Exception, match="the bank"):
                    await town.bank_gateway.statement(town.bank, "2026-12")


PLAYED = """
import asyncio, sys
from pathlib import Path
from local.simulation.bank_server import RunningBank, SimulatedBank
async def main():
    bank = RunningBank(SimulatedBank(code=sys.argv[1], key_file=sys.argv[2], book=sys.argv[3]))
    print(bank.url, flush=True)
    await bank.task
asyncio.run(main())
"""


@asynccontextmanager
async def bank_process(folder: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """The bank in a process of its own, and its address."""
    arguments = (BANK, f"{folder}/keys/banks/{BANK}.keys", f"{folder}/bank.sqlite")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PLAYED, *arguments, stdout=asyncio.subprocess.PIPE, cwd=PROJECT
    )
    try:
        assert process.stdout is not None
        yield process, (await process.stdout.readline()).decode().strip()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_a_bank_killed_after_the_money_moved_pays_nobody_twice(tmp_path: Path) -> None:
    """Kill -9 between the movement and the answer; started again on its books, the same key gets the first receipt."""
    found_counterpart_keys(tmp_path / "keys", [BANK], Counterpart.BANK)
    async with bank_process(tmp_path) as (process, url), town_over(tmp_path, url, url, timeout_seconds=PATIENT) as town:
        town.people.live("A", at="6222〔剧本:超时〕")
        paying = asyncio.create_task(town.pay(town.payment()))

        async def has_moved() -> bool:
            return bool(await town.moved())

        await eventually(has_moved)
        os.kill(process.pid, signal.SIGKILL)
        with pytest.raises(ApplicationError):
            await paying
        await process.wait()
    # At another address: its old port is anybody's by now.
    async with bank_process(tmp_path) as (_, url), town_over(tmp_path, url, url, timeout_seconds=PATIENT) as town:
        town.people.live("A", at="6222〔剧本:超时〕")
        receipt = await town.pay(town.payment())
        moved = await town.moved()

    assert receipt.paid
    assert moved == [KEY]


async def test_notices_survive_a_stop_of_the_bank(tmp_path: Path) -> None:
    """What was still to be told stands in the books: a bank that is opened again tells it."""
    bank = bank_of(tmp_path)
    async with town_over(tmp_path, bank.url, bank.url, timeout_seconds=PATIENT) as town:
        town.receiver.answer = lambda _: 503
        town.people.live("A", at="6222〔剧本:退回〕")
        await town.pay(town.payment())
        await eventually(lambda: bool(town.receiver.received))
        bank.stop()
        await bank.task
        told_before = len(town.receiver.received)
        town.receiver.answer = lambda _: 200
        bank = bank_of(tmp_path)
        await eventually(lambda: len(town.receiver.received) >= told_before + 2)
        bank.stop()
        await bank.task

    assert {notice.notice_id for notice in town.receiver.received} == {town.receiver.received[0].notice_id}


# ---- the contract ---------------------------------------------------------------------------------------------------


async def test_an_organisation_is_paid_by_its_code_and_nothing_is_read_of_a_person(tmp_path: Path) -> None:
    """Its name and account are texts of the case; once by purpose and month; a name that was erased pays nothing."""
    carrier: dict[str, Any] = {"payee": organisation(CARRIER), "payee_name": account("N")}
    async with outside_town(tmp_path, timeout_seconds=PATIENT) as town:
        town.people.texts |= {account("A"): "8110", account("N"): "社区营造中心"}
        first = await town.pay(town.payment(**carrier, benefit="contest-1"))
        again = await town.pay(town.payment(**carrier, benefit="contest-1"))
        second = await town.pay(town.payment(**carrier, benefit="contest-2"))
        town.people.texts[account("N")] = Tombstone(erased_at=NOON)
        nameless = await town.pay(town.payment(**carrier, benefit="contest-3"))
        moved = await town.moved()

    assert first == again
    assert moved == [f"org-{CARRIER}.contest-1.2026-12", f"org-{CARRIER}.contest-2.2026-12"]
    assert [first.payment_key, second.payment_key] == moved
    assert (nameless.status, nameless.code) == (PayStatus.REFUSED, "person-erased")
    assert {reference.partition(":")[0] for reference, _, _ in town.people.readings} == {"text"}


def test_a_key_says_whose_it_is_and_an_organisation_is_its_own_code() -> None:
    """Back from the key comes the payee; an attempt is no entitlement; codes with a wrong last character are no organisation's."""
    key = payment_key(organisation(CARRIER), "contest-1", "2026-12", 2, "contest-20261123-000017")
    codes: TypeAdapter[str] = TypeAdapter(OrganisationCode)

    assert is_payment_key(key)
    assert payee_of(key) == organisation(CARRIER)
    assert payee_of(KEY) == person("A")
    assert entitlement_of(key) == key.removesuffix(".2")
    assert codes.validate_python(" ９１３３０１００799655058Ｂ ") == CARRIER
    for wrong in ("913301007996550581", "91330100799655058", "I1330100799655058B", f"{CARRIER}0", "x"):
        with pytest.raises(ValidationError):
            codes.validate_python(wrong)


@pytest.mark.parametrize(
    "code", ["91330100799655058B", "9144030071526726XG", "914403001922038216", "91110000802100433B"]
)
def test_codes_of_known_organisations_have_their_own_last_character(code: str) -> None:
    """As they are registered and published; any other character in any place does not fit."""
    assert check_character(code[:17]) == code[17]
    assert all(
        check_character(f"{code[:at]}{'0' if code[at] != '0' else '1'}{code[at + 1 : 17]}") != code[17]
        for at in range(17)
    )


def test_the_key_is_person_benefit_and_month() -> None:
    """Whatever case asks and however much it asks for; an attempt is part of the key, not of the entitlement."""
    request = {"payee": person("A"), "account": f"text:{'A':0>26}", "benefit": "old-age-allowance", "month": "2027-02",
               "as_of": NOON}  # fmt: skip
    one = PayRequest.model_validate({**request, "case_id": "welfare-1", "amount_fen": 1})
    other = PayRequest.model_validate({**request, "case_id": "welfare-2", "amount_fen": 2, "attempt": 3})

    assert one.payment_key == f"{'A':0>26}.old-age-allowance.2027-02"
    assert other.payment_key == f"{one.payment_key}.3"
    assert (one.replaces, other.replaces) == (None, f"{one.payment_key}.2")
    assert entitlement_of(other.payment_key) == one.payment_key
    assert month_of(other.payment_key) == "2027-02"


@pytest.mark.parametrize(
    "wrong", [{"amount_fen": 0}, {"amount_fen": -1}, {"amount_fen": 1.0}, {"amount_fen": "1"}, {"month": "2026-13"},
              {"month": "2026-1"}, {"attempt": 0}, {"benefit": "低保"}, {"payee": "王小明"}, {"account": "6222"}],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_paid_is_refused_before_anybody_is_asked(wrong: dict[str, object]) -> None:
    """No money, a fraction of a fen, no such month, and a name or number where a reference belongs."""
    right = {"case_id": CASE, "payee": person("A"), "account": f"text:{'A':0>26}", "amount_fen": 1,
             "benefit": "b", "month": "2026-12", "as_of": NOON}  # fmt: skip
    assert PayRequest.model_validate(right).amount_fen == 1

    with pytest.raises(ValidationError):
        PayRequest.model_validate(right | wrong)


def _example(name: str) -> str:
    found = re.search(rf"<!-- example: {name} -->\n```json\n(.*?)```", PAGE, re.DOTALL)
    assert found, name
    return found[1]


def test_the_page_says_what_the_code_does() -> None:
    """The examples of docs/payments.md are read by the models; every word and status stands in it."""
    payment, paid = (
        PaymentBody.model_validate_json(_example("payment")),
        BankPayment.model_validate_json(_example("paid")),
    )

    assert paid.payment_key == payment.payment_key
    assert len(BatchAnswer.model_validate_json(_example("batch")).lines) == 2
    assert len(StatementPage.model_validate_json(_example("statement")).lines) == 1
    assert len(IncomingPage.model_validate_json(_example("incoming")).lines) == 1
    assert ReturnNotice.model_validate_json(_example("notice")).payment_key == payment.payment_key
    assert [word for word in WORDS if word not in PAGE] == []
