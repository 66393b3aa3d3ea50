"""The bank at the public door: its notices, and reconciling our ledger with its books."""

import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from engine.keys.counterpart_keys import Counterpart, CounterpartKeys, key_file, load_counterpart_keys
from engine.keys.keys import Keys
from engine.outside.banks import BankGateway
from engine.outside.signed_calls import http_client
from engine.runtime.settings import Settings
from engine.store.payment_books import SQL, payments_of_month
from local.simulation.bank_server import RunningBank, SimulatedBank
from schemas.contracts.payment import (
    PAID_CODE,
    RETURNED_CODE,
    BankPolicy,
    PaymentBody,
    PayStatus,
    notice_path,
    payment_key,
)
from schemas.contracts.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from schemas.kernel.case import ENGINE, GENESIS, Entry
from schemas.parts.payments import Paying, PaymentEntries
from schemas.values.actor import Role
from tests.api_callers import As, BuildApp, OwnTown, api_of, callers
from tests.department_town import NOON
from tests.outside_town import BANK, person
from tests.waiting import eventually

pytest_plugins = ("tests.api_fixture",)

MONTH = "2026-12"
BENEFIT = "subsistence-allowance"
PAID_KIND, RETURNED_KIND = f"welfare:{PAID_CODE}", f"welfare:{RETURNED_CODE}"


@dataclass
class Bank:
    """A bank that is open, as a test uses it: it pays, and it signs notices."""

    policy: BankPolicy
    gateway: BankGateway
    keys: CounterpartKeys
    url: str

    async def pay(self, who: str, amount_fen: int = 60_000, manner: str = "按时", attempt: int = 1) -> str:
        """Let money move; the key of the payment."""
        key = payment_key(person(who), BENEFIT, MONTH, attempt)
        body = {"payment_key": key, "case_id": "welfare-1", "name": "王小明", "account": f"6222〔剧本:{manner}〕",
                "amount_fen": amount_fen, "benefit": BENEFIT, "month": MONTH, "as_of": NOON,
                "notice_url": "http://127.0.0.1:9/"}  # fmt: skip
        await self.gateway.pay(self.policy, PaymentBody.model_validate(body))
        return key

    async def notify(
        self, http: httpx.AsyncClient, *, code: str = BANK, age: int = 0, spoil: bool = False, **changes: Any
    ) -> httpx.Response:
        """Send a notice."""
        notice = {"notice_id": "B1.returned", "act": "returned", "payment_key": payment_key(person("A"), BENEFIT, MONTH),
                  "case_id": "welfare-20261123-000001", "amount_fen": 60_000, "bank_reference": "B1",
                  "code": "account-closed", "as_of": "2026-12-09T09:00:00+08:00"} | changes  # fmt: skip
        content, timestamp = json.dumps(notice).encode(), str(int(time.time()) - age)
        headers = {
            "Content-Type": "application/json",
            TIMESTAMP_HEADER: timestamp,
            SIGNATURE_HEADER: sign(self.keys.signing(BANK), timestamp, content),
        }
        return await http.post(notice_path(code), content=content + b" " * spoil, headers=headers)


@pytest.fixture
async def bank(settings: Settings, tmp_path: Path) -> AsyncIterator[Bank]:
    """The town's bank, on the key that the town was founded with."""
    file = key_file(settings.key_folder, BANK, Counterpart.BANK)
    running = RunningBank(SimulatedBank(code=BANK, key_file=file, book=tmp_path / "bank.sqlite", speed=864_000.0))
    keys = load_counterpart_keys(settings.key_folder, [BANK], Counterpart.BANK)
    policy = BankPolicy.model_validate(
        {
            "code": BANK,
            "name": {"zh": "银行", "en": "Bank"},
            "gateway": "http",
            "url": f"{running.url}/{BANK}",
            "private": True,
        }
    )
    async with http_client() as client:
        yield Bank(policy, BankGateway(client, keys), keys, running.url)
    running.stop()
    await running.task


@pytest.fixture
async def own_api(own_town: OwnTown, bank: Bank) -> AsyncIterator[httpx.AsyncClient]:
    """An API over an empty ledger, connected to the bank."""
    over = own_town.settings.model_copy(update={"bank_url": bank.url})
    async with api_of(own_town.build(over=over)) as http:
        yield http


async def book(
    pool: asyncpg.Pool, number: int, *facts: tuple[str, dict[str, Any]], who: str = "A", procedure: str = "welfare"
) -> str:
    """A case whose ledger says this, as a case writes it: chained, with its row."""
    case, previous = f"{procedure}-20261123-{number:06d}", GENESIS
    for seq, (kind, said) in enumerate(facts, start=1):
        entry = Entry(case_id=case, seq=seq, at=NOON, actor=ENGINE, kind=kind, facts=said, prev_hash=previous).sealed()
        await write(pool, entry)
        previous = entry.hash
    await pool.execute(
        "insert into cases (case_id, procedure, stage, area, holder, labels, opened_at, ended, seq, head_hash, clocks,"
        " snapshot, task_at) values ($1, $6, 'paying', '1', '', '{}', $2, false, $3, $4, '[]', $5, $2)",
        case, NOON, len(facts), previous, {"reporter": person(who)}, procedure,
    )  # fmt: skip
    return case


async def write(pool: asyncpg.Pool, entry: Entry) -> None:
    """Write an entry into the ledger."""
    await pool.execute(
        "insert into ledger (case_id, seq, at, kind, actor, body, prev_hash, hash, run_id, task_at)"
        " values ($1, $2, $3, $4, 'engine', $5, $6, $7, 'run', $3)",
        entry.case_id, entry.seq, entry.at, entry.kind, entry.model_dump_json(), entry.prev_hash, entry.hash,
    )  # fmt: skip


def paid(key: str, amount_fen: int = 60_000) -> tuple[str, dict[str, Any]]:
    """The entry of a payment."""
    return PAID_KIND, {"payment": 1, "month": MONTH, "key": key, "amount_fen": amount_fen, "bank_reference": "B1"}


async def reconciled(http: httpx.AsyncClient, keys: Keys, month: str = MONTH) -> dict[str, Any]:
    """What an auditor is told."""
    answer = await callers(http, keys)(Role.AUDITOR).get(f"/api/v1/reconciliations/{month}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_month_is_even_when_both_books_say_the_same(
    own_api: httpx.AsyncClient, own_town: OwnTown, bank: Bank, keys: Keys
) -> None:
    """Two people, one of them at the second attempt after the first came back: both sums, and no difference."""
    one = await bank.pay("A")
    first = await bank.pay("B", manner="默退")

    async def came_back() -> bool:
        payment = await bank.gateway.status(bank.policy, first)
        return payment is not None and payment.status is PayStatus.RETURNED

    await eventually(came_back)
    second = await bank.pay("B", attempt=2)
    await book(own_town.pool, 1, ("welfare:opened", {}), paid(one))
    returned = (RETURNED_KIND, {"key": first, "amount_fen": 60_000})
    await book(own_town.pool, 2, paid(first), returned, paid(second), who="B")
    await book(own_town.pool, 3, paid(payment_key(person("C"), BENEFIT, "2027-01")), who="C")

    said = await reconciled(own_api, keys)
    await book(own_town.pool, 4, paid("by-hand-1"), who="D")
    by_hand = await reconciled(own_api, keys)

    assert said["even"] is True
    assert by_hand["even"] is False  # no voucher of the treasury's says so: test_law_answers
    assert (said["ours"], said["ours_fen"], said["bank"], said["bank_fen"]) == (2, 120_000, 2, 120_000)


async def test_books_go_by_the_part_that_pays(own_town: OwnTown) -> None:
    """Money of whatever procedure stands in the books: by the bank and by hand; of one that declares no payments it does not."""
    key = payment_key(person("A"), "well-1", MONTH, occasion="well-20261123-000001")
    by_hand = {"payment": 2, "month": MONTH, "key": "by-hand-2", "amount_fen": 7, "voucher": "CZ-1", "entitlement": key}
    facts = {"key": key, "amount_fen": 60_000, "bank_reference": "B1"}
    case = await book(
        own_town.pool, 1, (f"well:{PAID_CODE}", facts), (f"well:{PAID_CODE}", by_hand), procedure="well"
    )  # fmt: skip
    payers = {"well": Paying(kinds=PaymentEntries, at=())}
    async with own_town.pool.acquire() as connection:
        ours, hand = await payments_of_month(connection, payers, MONTH)
        others = await payments_of_month(connection, {"grove": payers["well"]}, MONTH)
        later = await payments_of_month(connection, payers, "2027-01")

    assert [(each.case_id, each.payment_key, each.amount_fen) for each in ours] == [(case, key, 60_000)]
    assert [(each.case_id, each.voucher, each.amount_fen) for each in hand] == [(case, "CZ-1", 7)]
    assert others == later == ([], [])


async def test_a_month_of_the_books_is_read_by_its_index(own_town: OwnTown) -> None:
    """Both halves of the question are answered from an index, however long the ledger is."""
    async with own_town.pool.acquire() as connection, connection.transaction():
        await connection.execute("set local enable_seqscan = off; set local enable_indexscan = on")
        plan = await connection.fetch(f"explain {SQL.payments_of_month}", MONTH, ["welfare"])
    said = " ".join(row[0] for row in plan)

    assert "ledger_first_books " in said
    assert "ledger_first_books_by_hand" in said


async def test_each_difference_names_its_case_and_what_to_do(
    own_api: httpx.AsyncClient, own_town: OwnTown, bank: Bank, keys: Keys
) -> None:
    """What we have and the bank has not, the other way round with the case of that person, and another amount."""
    missing = await book(own_town.pool, 1, paid(payment_key(person("A"), BENEFIT, MONTH)))
    unknown = await book(own_town.pool, 2, ("welfare:opened", {}), who="B")
    await bank.pay("B")
    other = await book(own_town.pool, 3, paid(await bank.pay("C", 60_001)), who="C")
    await bank.pay("D", manner="重付")

    said = await reconciled(own_api, keys)

    assert said["even"] is False
    assert [(each["kinds"], each["case_ids"], each["ours_fen"], each["bank_fen"]) for each in said["differences"]] == [
        (["missing_at_bank"], [missing], 60_000, 0),
        (["unknown_to_us"], [unknown], 0, 60_000),
        (["amount_differs"], [other], 60_000, 60_001),
        (["unknown_to_us", "paid_twice"], [], 0, 120_000),
    ]
    assert all(each["words"] for each in said["differences"])


async def test_what_a_lost_task_wrote_beside_the_chain_is_not_in_our_books(
    own_api: httpx.AsyncClient, own_town: OwnTown, bank: Bank, keys: Keys
) -> None:
    """Only entries that stand in the chain of their case are payments, wherever the stray one lies."""
    key = await bank.pay("A")
    case = await book(own_town.pool, 1, ("welfare:opened", {}), paid(key))
    strays = [
        Entry(case_id=case, seq=seq, at=NOON + timedelta(seconds=1), actor=ENGINE, kind=kind, facts=facts,
              prev_hash=GENESIS).sealed()
        for seq, (kind, facts) in ((1, paid(key)), (2, paid(key, 1)), (3, paid(key)))
    ]  # fmt: skip
    for stray in strays:
        await write(own_town.pool, stray)

    said = await reconciled(own_api, keys)

    assert (said["even"], said["ours"], said["ours_fen"]) == (True, 1, 60_000)


async def test_the_books_are_for_who_answers_for_the_whole_town(own_api: httpx.AsyncClient, keys: Keys) -> None:
    """Civil affairs, supervision and audit, without an area; nobody else, and no month that is none."""
    make = callers(own_api, keys)
    path = f"/api/v1/reconciliations/{MONTH}"
    seen = {
        role: (await make(role, department="civil-affairs").get(path)).status_code
        for role in Role
        if role is not Role.ENGINE
    }

    assert {role for role, status in seen.items() if status == 200} == {
        Role.CIVIL_AFFAIRS_OFFICER,
        Role.SUPERVISOR,
        Role.AUDITOR,
    }
    assert set(seen.values()) == {200, 403}
    assert (await make(Role.AUDITOR, area="320104").get(path)).status_code == 403
    wrong = await make(Role.AUDITOR).get("/api/v1/reconciliations/2026-13")
    assert (wrong.status_code, wrong.json()["faults"][0]["field"]) == (422, "month")


async def test_a_bank_that_is_away_reconciles_nothing(own_town: OwnTown, keys: Keys) -> None:
    """Neither a bank that does not answer nor none at all is taken for one that has paid nothing."""
    for url in ("http://127.0.0.1:9", None):
        over = own_town.settings.model_copy(update={"bank_url": url})
        async with api_of(own_town.build(over=over)) as http:
            answer = await callers(http, keys)(Role.AUDITOR).get(f"/api/v1/reconciliations/{MONTH}")
        assert (answer.status_code, answer.json()["code"]) == (503, "bank-away")
        assert "Retry-After" in answer.headers


@pytest.mark.parametrize("changes", [{"code": "other-bank"}, {"age": 301}, {"age": -400}, {"spoil": True}], ids=str)
async def test_only_the_bank_is_believed(own_api: httpx.AsyncClient, bank: Bank, changes: dict[str, Any]) -> None:
    """Another bank's address, an old or early timestamp, a changed body: 401, and not which it was."""
    answer = await bank.notify(own_api, **changes)

    assert (answer.status_code, answer.json()["code"]) == (401, "not-believed")


@pytest.mark.parametrize(
    "changes",
    [{"act": "paid"}, {"payment_key": "王小明"}, {"amount_fen": 0}, {"code_": "x"}, {"as_of": "2026-12-09"}],
    ids=str,
)
async def test_a_notice_that_is_unreadable_is_told_its_fault(
    own_api: httpx.AsyncClient, bank: Bank, changes: dict[str, Any]
) -> None:
    """Each fault names its field and never repeats the value."""
    answer = await bank.notify(own_api, **changes)

    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["faults"]] == list(changes)
    assert "王小明" not in answer.text


async def test_a_notice_about_no_case_is_stopped(own_api: httpx.AsyncClient, bank: Bank) -> None:
    """A case that is not there: 404, for a person at the bank, as for a payment that was none of the case's."""
    answer = await bank.notify(own_api)

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-payment")


async def test_a_case_that_pays_nothing_knows_no_payment(
    build_app: BuildApp, settings: Settings, bank: Bank, as_: As, worker: None
) -> None:
    """A notice for an incident has come to the wrong place."""
    incident = (await as_().report()).json()["case_id"]
    async with api_of(build_app(over=settings.model_copy(update={"bank_url": bank.url}))) as http:
        answer = await bank.notify(http, case_id=incident)

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-payment")
