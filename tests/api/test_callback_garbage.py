"""Whatever comes to the doors of outside systems: unsigned it is not read, signed it is judged, and nothing falls over."""

import json
import time
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as with_settings
from hypothesis import strategies as st

from engine.keys.counterpart_keys import Counterpart, found_counterpart_keys, load_counterpart_keys
from engine.keys.department_keys import found_department_keys, load_department_keys
from engine.policies.department_policy import load_departments
from engine.runtime.settings import Settings
from schemas.contracts.calls import report_path
from schemas.contracts.department import callback_path
from schemas.contracts.payment import notice_path
from schemas.contracts.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from tests.api_callers import BuildApp, api_of

pytest_plugins = ("tests.api_fixture",)

DEPARTMENT, BANK, CALLS = "urban-management", "town-bank", "town-call-gateway"
NOBODYS = "incident-20990101-000001"
CALLBACK = {"act": "signed", "callback_id": "c-1", "order_id": f"{NOBODYS}.order-1", "case_id": NOBODYS, "by": "officer-9",
            "as_of": "2026-11-21T10:00:00+08:00"}  # fmt: skip
NOTICE = {"notice_id": "B1.returned", "act": "returned", "payment_key": f"{'0' * 26}.old-age-allowance.2026-12",
          "case_id": "welfare-20990101-000001", "amount_fen": 5000, "bank_reference": "B1", "code": "account-closed",
          "as_of": "2026-12-09T09:00:00+08:00"}  # fmt: skip
REPORT = {"report_id": "R-1", "call_id": "care-20990101-000001.alarm-1/call-1", "result": "busy",
          "as_of": "2026-12-09T09:00:00+08:00"}  # fmt: skip
WHOLE: dict[str, dict[str, Any]] = {"department": CALLBACK, "bank": NOTICE, "calls": REPORT}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
"""Any JSON, and what JSON is not: NaN stands in it as Python writes it."""


def spoilt(whole: dict[str, Any]) -> st.SearchStrategy[bytes]:
    """A body that is right but for one field, which is something else or missing."""
    one = st.tuples(st.sampled_from(sorted(whole)), JSON | st.just(...))
    return one.map(
        lambda changed: json.dumps(
            {name: value for name, value in (whole | {changed[0]: changed[1]}).items() if value is not ...}
        ).encode()
    )


@dataclass
class Gate:
    """The doors, and whose keys open them."""

    http: httpx.AsyncClient
    paths: dict[str, str]
    secrets: dict[str, bytes]
    pool: asyncpg.Pool

    async def send(self, door: str, body: bytes, *, at: int | None = None, signature: str = "") -> httpx.Response:
        """Send something as its system does, or with another time or signature."""
        timestamp = str(int(time.time()) if at is None else at)
        headers = {
            "Content-Type": "application/json",
            TIMESTAMP_HEADER: timestamp,
            SIGNATURE_HEADER: signature or sign(self.secrets[door], timestamp, body),
        }
        return await self.http.post(self.paths[door], content=body, headers=headers)

    async def taken(self) -> int:
        """How much was ever accepted."""
        return int(await self.pool.fetchval("select count(*) from intake"))


@pytest.fixture(scope="module")
async def gate(settings: Settings, build_app: BuildApp, pool: asyncpg.Pool, worker: None) -> Any:
    """An API that expects a department's reports, the bank's notices and the call gateway's reports."""
    over = settings.model_copy(
        update=dict.fromkeys(("departments_url", "bank_url", "call_gateway_url"), "http://127.0.0.1:9")
    )
    found_counterpart_keys(over.key_folder, [CALLS], Counterpart.CALL_GATEWAY)
    register = load_departments(over.policies / "departments.yaml", over.departments_url)
    found_department_keys(over.key_folder, [each.code for each in register.departments if each.gateway == "http"])
    secrets = {
        "department": load_department_keys(over.key_folder, [DEPARTMENT]).signing(DEPARTMENT),
        "bank": load_counterpart_keys(over.key_folder, [BANK], Counterpart.BANK).signing(BANK),
        "calls": load_counterpart_keys(over.key_folder, [CALLS], Counterpart.CALL_GATEWAY).signing(CALLS),
    }
    paths = {"department": callback_path(DEPARTMENT), "bank": notice_path(BANK), "calls": report_path(CALLS)}
    async with api_of(build_app(over=over)) as http:
        yield Gate(http, paths, secrets, pool)


PRINTED = st.characters(min_codepoint=33, max_codepoint=126)
BOTH = pytest.mark.parametrize("door", WHOLE)
MANY = with_settings(
    max_examples=3 * with_settings().max_examples // 2, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@BOTH
@MANY
@given(data=st.data())
async def test_signed_garbage_is_refused_and_nothing_falls_over(gate: Gate, door: str, data: st.DataObject) -> None:
    """A system that signs nonsense is told so: 4xx with a problem, never 5xx, and nothing is accepted."""
    body = data.draw(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()) | spoilt(WHOLE[door]))
    before = await gate.taken()
    answer = await gate.send(door, body)

    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert await gate.taken() == before


@BOTH
@MANY
@given(where=st.integers(min_value=0), bit=st.integers(min_value=0, max_value=7))
async def test_one_changed_bit_is_not_believed(gate: Gate, door: str, where: int, bit: int) -> None:
    """The signature is over every bit of the body: with one of them changed nobody reads on."""
    whole = json.dumps(WHOLE[door]).encode()
    timestamp = int(time.time())
    signature = sign(gate.secrets[door], str(timestamp), whole)
    changed = bytearray(whole)
    changed[where % len(whole)] ^= 1 << bit
    believed = await gate.send(door, whole, at=timestamp, signature=signature)
    answer = await gate.send(door, bytes(changed), at=timestamp, signature=signature)

    assert believed.status_code in (404, 409), believed.text
    assert (answer.status_code, answer.json()["code"]) == (401, "not-believed")


@BOTH
@MANY
@given(signature=st.text(PRINTED, min_size=1, max_size=80), age=st.integers(-(10**12), 10**12))
async def test_another_signature_or_time_is_not_believed(gate: Gate, door: str, signature: str, age: int) -> None:
    """Neither something that looks like a signature nor a right one over a time far from now opens a door."""
    whole = json.dumps(WHOLE[door]).encode()
    forged = await gate.send(door, whole, signature=signature)
    old = int(time.time()) - (age if abs(age) > 3600 else 3600)
    late = await gate.send(door, whole, at=old)

    assert (forged.status_code, late.status_code) == (401, 401)


@BOTH
async def test_another_systems_key_opens_nothing(gate: Gate, door: str) -> None:
    """Each system signs with its own key, and only its own door believes that key."""
    whole, timestamp = json.dumps(WHOLE[door]).encode(), int(time.time())
    other = next(name for name in WHOLE if name != door)
    answer = await gate.send(door, whole, at=timestamp, signature=sign(gate.secrets[other], str(timestamp), whole))

    assert answer.status_code == 401
