"""What departments' own systems report, through the public door."""

import asyncio
import json
import time
from typing import Any

import asyncpg
import httpx
import pytest

from engine.keys.department_keys import found_department_keys, load_department_keys
from engine.policies.department_policy import load_departments
from engine.runtime.settings import Settings
from schemas.contracts.department import callback_path
from schemas.contracts.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from schemas.values.actor import Role
from tests.api_callers import As, BuildApp, api_of

pytest_plugins = ("tests.api_fixture",)

CODE = "urban-management"
OTHER = "justice-office"


class Department:
    """A department's system: it signs and reports."""

    def __init__(self, http: httpx.AsyncClient, code: str, secret: bytes) -> None:
        self._http = http
        self._code = code
        self._secret = secret

    async def send(
        self, act: str, case: str, *, order: int = 1, age: int = 0, spoil: bool = False, **other: Any
    ) -> httpx.Response:
        """Send a report about an order of a case."""
        body = {
            "act": act,
            "callback_id": f"{self._code}-{case}-{order}-{act}",
            "order_id": f"{case}.order-{order}",
            "case_id": case,
            "by": "officer-9",
            "as_of": "2026-11-21T10:00:00+08:00",
        } | other
        content = json.dumps(body).encode()
        timestamp = str(int(time.time()) - age)
        headers = {
            "Content-Type": "application/json",
            TIMESTAMP_HEADER: timestamp,
            SIGNATURE_HEADER: sign(self._secret, timestamp, content),
        }
        return await self._http.post(callback_path(self._code), content=content + b" " * spoil, headers=headers)


@pytest.fixture(scope="module")
async def gate(settings: Settings, build_app: BuildApp, worker: None) -> Any:
    """An API that expects callbacks of two departments; orders stay at their desks."""
    found_department_keys(settings.key_folder, [CODE, OTHER])
    over = settings.model_copy(update={"departments_url": "http://127.0.0.1:9"})
    found_department_keys(settings.key_folder, _http_departments(over))
    async with api_of(build_app(over=over)) as http:
        yield http


def _http_departments(settings: Settings) -> list[str]:
    register = load_departments(settings.policies / "departments.yaml", settings.departments_url)
    return [each.code for each in register.departments if each.gateway == "http"]


def department(settings: Settings, gate: httpx.AsyncClient, code: str = CODE) -> Department:
    """A department with its own key."""
    return Department(gate, code, load_department_keys(settings.key_folder, [code]).signing(code))


@pytest.fixture
def bureau(settings: Settings, gate: httpx.AsyncClient) -> Department:
    """The urban management bureau's system."""
    return department(settings, gate)


@pytest.fixture
async def case(as_: As) -> str:
    """A case at the bureau."""
    return str((await as_().report()).json()["case_id"])


async def test_reports_become_the_commands_of_the_department(bureau: Department, case: str, pool: asyncpg.Pool) -> None:
    """Signed, arrived, finished: each moves the case as the department's people would, in the officer's name."""
    answers = [
        await bureau.send("signed", case),
        await bureau.send("arrived", case),
        await bureau.send("finished", case, result="已清运"),
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200], answers[-1].text
    assert answers[-1].json()["stage"] == "verifying"
    body = await pool.fetchval("select body from ledger where case_id = $1 and kind = 'incident:signed'", case)
    actor = json.loads(body)["actor"]
    assert actor == {"subject": f"department:{CODE}/officer-9", "role": "department_officer", "department": CODE,
                     "area": None, "channel": "gateway"}  # fmt: skip


async def test_who_finished_by_the_gateway_does_not_verify_at_a_desk(bureau: Department, case: str, as_: As) -> None:
    """The account that a department names in `by` is a person of the town's: the same account does not verify the work."""
    await bureau.send("signed", case)
    await bureau.send("finished", case, result="已清运")
    same = await as_("grid_worker", "officer-9").command(case, "verify", {"passed": True})
    another = await as_("grid_worker", "officer-8").command(case, "verify", {"passed": True})

    assert (same.status_code, same.json()["code"]) == (409, "against-the-rules")
    assert another.status_code == 200


async def test_an_echo_counts_once(bureau: Department, case: str, pool: asyncpg.Pool) -> None:
    """Every report sent five times at once, and again later, is one command; each answer is the first one's."""
    answers = await asyncio.gather(*(bureau.send("signed", case) for _ in range(5)))
    await bureau.send("finished", case, result="已清运")
    late = await bureau.send("signed", case)

    assert {answer.status_code for answer in [*answers, late]} == {200}
    assert len({json.dumps(answer.json()["accepted"]) for answer in [*answers, late]}) == 1
    assert await pool.fetchval("select count(*) from ledger where case_id = $1 and kind like '%:signed'", case) == 1


async def test_a_refused_report_is_refused_again(bureau: Department, case: str) -> None:
    """What the case refused stays refused under its id, also when the stage would allow it later."""
    early = await bureau.send("finished", case, result="已清运")
    await bureau.send("signed", case)
    again = await bureau.send("finished", case, result="已清运")

    assert [early.status_code, again.status_code] == [409, 409]
    assert early.json()["code"] == again.json()["code"] == "not-now"


@pytest.mark.parametrize("how", [{"age": 301}, {"age": -400}, {"spoil": True}])
async def test_a_forged_report_is_not_believed(how: dict[str, Any], bureau: Department, case: str, as_: As) -> None:
    """Too old, too new or changed on the way: 401, and nothing happens to the case."""
    answer = await bureau.send("signed", case, **how)

    assert (answer.status_code, answer.json()["code"]) == (401, "not-believed")
    assert (await as_().get(f"/api/v1/cases/{case}")).json()["stage"] == "dispatched"


async def test_a_report_without_a_signature_is_not_believed(gate: httpx.AsyncClient, case: str) -> None:
    """Without headers, and for a department that there is not, the answer is the same 401."""
    answers = [await gate.post(callback_path(code), json={"case_id": case}) for code in (CODE, "no-such", "..%2F")]

    assert [answer.status_code for answer in answers[:2]] == [401, 401]
    assert answers[2].status_code in {401, 404}


async def test_another_departments_key_opens_nothing(settings: Settings, gate: httpx.AsyncClient, case: str) -> None:
    """A department that signs correctly still cannot report on an order that is not its own."""
    answer = await department(settings, gate, OTHER).send("signed", case)

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-order")


@pytest.mark.parametrize("order_id", ["incident-20200101-000001.order-1", "nonsense", "", "order-1"])
async def test_the_order_must_be_one_of_the_case(order_id: str, bureau: Department, case: str) -> None:
    """A report that names a case and the order of another is refused."""
    answer = await bureau.send("signed", case, order_id=order_id)

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-order")


async def test_an_order_that_was_replaced_takes_no_report(bureau: Department, case: str, as_: As) -> None:
    """When the same department got a later order, a late report on the earlier one does not count for it."""
    for name in ("justice-office", CODE):
        await as_("coordinator").command(case, "redispatch", {"department": name, "reason": "改派"})
    late = await bureau.send("signed", case, order=1)
    current = await bureau.send("signed", case, order=3)

    assert (late.status_code, late.json()["code"]) == (409, "not-now")
    assert current.status_code == 200


async def test_an_echo_is_acknowledged_after_its_order_was_replaced(bureau: Department, case: str, as_: As) -> None:
    """A repeat is recognised before the order is looked at: the sender must not stop for a person over an echo."""
    first = await bureau.send("signed", case)
    await as_("coordinator").command(case, "redispatch", {"department": OTHER, "reason": "改派"})
    echo = await bureau.send("signed", case)

    assert (first.status_code, echo.status_code) == (200, 200)
    assert echo.json()["accepted"] == first.json()["accepted"]


async def test_all_faults_of_a_report_are_told_at_once(bureau: Department, case: str) -> None:
    """A return without a legal basis and with a blank reason names both."""
    answer = await bureau.send("returned", case, reason=" ")

    assert answer.status_code == 422
    assert sorted(fault["field"].rpartition(".")[2] for fault in answer.json()["faults"]) == ["legal_basis", "reason"]


async def test_a_report_on_an_unknown_case_is_404(bureau: Department) -> None:
    """A case that is not there takes no report; the answer is that of an order of others (tests/laws/test_law_case_numbers.py)."""
    answer = await bureau.send("signed", "incident-20200101-000001")

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-order")


async def test_a_desk_and_a_system_at_once_sign_once(bureau: Department, case: str, as_: As) -> None:
    """When an officer signs at the desk while the system reports it too, the order is signed once."""
    officer = as_(Role.DEPARTMENT_OFFICER, department=CODE)
    answers = await asyncio.gather(bureau.send("signed", case), officer.command(case, "sign"))

    assert sorted(answer.status_code for answer in answers) == [200, 409]
